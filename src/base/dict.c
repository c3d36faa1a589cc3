/* SPDX-License-Identifier: MIT
 *
 * dict - values by name, in the order in which they were first set.
 *
 * Invariants:
 *   D1  entries[0..count) are dense and in order; table maps a key's hash to entry number + 1 by
 *       linear probing, 0 is empty, and at most half of it is used.
 *   D2  the hash is keyed by bytes that the kernel gave this process, so that a peer who chooses
 *       keys cannot choose collisions.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>

#include "base/check.h"
#include "base/value.h"

#define FIRST_CAPACITY 8
#define MAX_ENTRIES    (UINT32_MAX / 4)

struct entry {
	struct dx_string *key;
	void *object;
	uint64_t hash;
};

struct dx_dict {
	struct dx_object object;
	size_t count;
	size_t capacity; /* of entries; the table has twice as many places */
	struct entry *entries;
	uint32_t *table;
};

static uint64_t rotate(uint64_t value, unsigned bits)
{
	return value << bits | value >> (64 - bits);
}

static void mix(uint64_t *v)
{
	v[0] += v[1];
	v[1] = rotate(v[1], 13) ^ v[0];
	v[0] = rotate(v[0], 32);
	v[2] += v[3];
	v[3] = rotate(v[3], 16) ^ v[2];
	v[0] += v[3];
	v[3] = rotate(v[3], 21) ^ v[0];
	v[2] += v[1];
	v[1] = rotate(v[1], 17) ^ v[2];
	v[2] = rotate(v[2], 32);
}

/* SipHash-1-3. */
static uint64_t hash_key(const char *key, size_t length)
{
	uint64_t secret[2] = {0};
	const void *random = (const void *)getauxval(AT_RANDOM); /* 16 bytes, fixed until exec */
	uint64_t last = (uint64_t)length << 56;
	size_t at = 0;

	if (random != NULL) {
		memcpy(secret, random, sizeof(secret));
	}
	uint64_t v[4] = {secret[0] ^ 0x736f6d6570736575, secret[1] ^ 0x646f72616e646f6d,
			 secret[0] ^ 0x6c7967656e657261, secret[1] ^ 0x7465646279746573};
	for (; length - at >= 8; at += 8) {
		uint64_t word;

		memcpy(&word, key + at, sizeof(word));
		v[3] ^= word;
		mix(v);
		v[0] ^= word;
	}
	for (unsigned shift = 0; at < length; at++, shift += 8) {
		last |= (uint64_t)(unsigned char)key[at] << shift;
	}
	v[3] ^= last;
	mix(v);
	v[0] ^= last;
	v[2] ^= 0xff;
	mix(v);
	mix(v);
	mix(v);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}

static size_t table_mask(const struct dx_dict *dict)
{
	return dict->capacity * 2 - 1;
}

/* Place of the key in the table, or the empty place where it would go. */
static size_t probe(const struct dx_dict *dict, const char *key, size_t length, uint64_t hash)
{
	size_t at = hash & table_mask(dict);

	for (; dict->table[at] != 0; at = (at + 1) & table_mask(dict)) {
		const struct entry *entry = &dict->entries[dict->table[at] - 1];

		if (entry->hash == hash && dx_string_length(entry->key) == length &&
		    memcmp(dx_string_get(entry->key), key, length) == 0) {
			break;
		}
	}
	return at;
}

static struct entry *find(const struct dx_dict *dict, const char *key, size_t length, uint64_t hash)
{
	uint32_t number = dict->count == 0 ? 0 : dict->table[probe(dict, key, length, hash)];

	return number == 0 ? NULL : &dict->entries[number - 1];
}

static void rebuild_table(struct dx_dict *dict)
{
	memset(dict->table, 0, dict->capacity * 2 * sizeof(*dict->table));
	for (size_t i = 0; i < dict->count; i++) {
		size_t at = dict->entries[i].hash & table_mask(dict);

		while (dict->table[at] != 0) {
			at = (at + 1) & table_mask(dict);
		}
		dict->table[at] = (uint32_t)(i + 1);
	}
}

static void dict_free(struct dx_object *object)
{
	struct dx_dict *dict = (void *)object;

	for (size_t i = 0; i < dict->count; i++) {
		dx_object_unref(dict->entries[i].key);
		dx_object_unref(dict->entries[i].object);
	}
	free(dict->entries);
	free(dict->table);
}

/* Order does not matter. */
static bool dict_equal(const struct dx_object *a, const struct dx_object *b)
{
	const struct dx_dict *left = (const void *)a;
	const struct dx_dict *right = (const void *)b;

	if (left->count != right->count) {
		return false;
	}
	for (size_t i = 0; i < left->count; i++) {
		const struct entry *entry = &left->entries[i];
		const struct entry *other = find(right, dx_string_get(entry->key),
						 dx_string_length(entry->key), entry->hash);

		if (other == NULL || !dx_object_equal(entry->object, other->object)) {
			return false;
		}
	}
	return true;
}

const struct dx_class dx_dict_class = {
	.name = "dictionary",
	.instance_size = sizeof(struct dx_dict),
	.free = dict_free,
	.equal = dict_equal,
};

struct dx_dict *dx_dict_new(void)
{
	return dx_object_new(&dx_dict_class);
}

size_t dx_dict_count(const struct dx_dict *dict)
{
	return dict->count;
}

void *dx_dict_get(const struct dx_dict *dict, const char *key)
{
	size_t length = strlen(key);
	struct entry *entry = NULL;

	if (dict->count > 0) {
		entry = find(dict, key, length, hash_key(key, length));
	}
	return entry == NULL ? NULL : entry->object;
}

static int reserve_one(struct dx_dict *dict)
{
	size_t capacity = dict->capacity == 0 ? FIRST_CAPACITY : dict->capacity * 2;
	struct entry *entries;
	uint32_t *table;

	if (dict->count < dict->capacity) {
		return 0;
	}
	if (capacity > MAX_ENTRIES) {
		return -ENOMEM;
	}
	entries = reallocarray(dict->entries, capacity, sizeof(*entries));
	if (entries == NULL) {
		return -ENOMEM;
	}
	dict->entries = entries;
	table = reallocarray(dict->table, capacity * 2, sizeof(*table));
	if (table == NULL) {
		return -ENOMEM; /* capacity stays: the longer entries array does no harm */
	}
	dict->table = table;
	dict->capacity = capacity;
	rebuild_table(dict);
	return 0;
}

static int add(struct dx_dict *dict, struct dx_string *key, uint64_t hash, const void *object)
{
	int result = reserve_one(dict);

	if (result < 0) {
		return result;
	}
	dict->entries[dict->count] = (struct entry){
		.key = dx_object_ref(key),
		.object = dx_object_ref(object),
		.hash = hash,
	};
	dict->count++;
	dict->table[probe(dict, dx_string_get(key), dx_string_length(key), hash)] =
		(uint32_t)dict->count;
	return 0;
}

static void replace(struct entry *entry, const void *object)
{
	void *old = entry->object;

	entry->object = dx_object_ref(object);
	dx_object_unref(old);
}

int dx_dict_set(struct dx_dict *dict, const char *key, const void *object)
{
	size_t length = strlen(key);
	uint64_t hash = hash_key(key, length);
	struct entry *entry = find(dict, key, length, hash);
	struct dx_string *string;
	int result;

	if (object == NULL || !dx_string_is_valid(key, length)) {
		return -EINVAL;
	}
	if (entry != NULL) {
		replace(entry, object);
		return 0;
	}
	string = dx_string_new_length(key, length);
	if (string == NULL) {
		return -ENOMEM;
	}
	result = add(dict, string, hash, object);
	dx_object_unref(string);
	return result;
}

bool dx_dict_remove(struct dx_dict *dict, const char *key)
{
	size_t length = strlen(key);
	struct entry *entry = find(dict, key, length, hash_key(key, length));
	struct entry old;
	size_t index;

	if (entry == NULL) {
		return false;
	}
	old = *entry;
	index = (size_t)(entry - dict->entries);
	dict->count--;
	memmove(entry, entry + 1, (dict->count - index) * sizeof(*entry));
	rebuild_table(dict);
	dx_object_unref(old.key);
	dx_object_unref(old.object);
	return true;
}

int dx_dict_merge(struct dx_dict *dict, const struct dx_dict *from)
{
	for (size_t i = 0; i < from->count; i++) {
		const struct entry *entry = &from->entries[i];
		struct entry *mine = find(dict, dx_string_get(entry->key),
					  dx_string_length(entry->key), entry->hash);
		int result = 0;

		if (mine != NULL) {
			replace(mine, entry->object);
		} else {
			result = add(dict, entry->key, entry->hash, entry->object);
		}
		if (result < 0) {
			return result;
		}
	}
	return 0;
}

struct dx_dict *dx_dict_copy(const struct dx_dict *dict)
{
	struct dx_dict *copy = dx_dict_new();

	if (copy != NULL && dx_dict_merge(copy, dict) < 0) {
		return dx_object_unref(copy);
	}
	return copy;
}

bool dx_dict_at(const struct dx_dict *dict, size_t index, const char **ret_key, void **ret_object)
{
	if (index >= dict->count) {
		return false;
	}
	if (ret_key != NULL) {
		*ret_key = dx_string_get(dict->entries[index].key);
	}
	if (ret_object != NULL) {
		*ret_object = dict->entries[index].object;
	}
	return true;
}

struct dx_string *dx_dict_key_string(const struct dx_dict *dict, size_t index)
{
	return index < dict->count ? dict->entries[index].key : NULL;
}
