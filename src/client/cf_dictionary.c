/* SPDX-License-Identifier: MIT
 *
 * cf_dictionary - dictionaries of objects under strings (dx_dict), and of plain pointers (here).
 *
 * Place:   client. CFDictionary functions look at the class and go one way or the other.
 */
#include <stdlib.h>
#include <string.h>

#include <CoreFoundation/CFDictionary.h>

#include "base/check.h"
#include "client/cf.h"
#include "client/cf_members.h"

struct pair {
	const void *key;
	const void *value;
};

struct plain_dictionary {
	struct dx_object object;
	CFDictionaryKeyCallBacks key_callbacks;
	CFDictionaryValueCallBacks value_callbacks;
	struct pair *pairs;
	size_t count;
	size_t capacity;
};

static void release_pair(const struct plain_dictionary *dictionary, struct pair pair)
{
	dx_cf_member_drop(dictionary->key_callbacks.release, pair.key);
	dx_cf_member_drop(dictionary->value_callbacks.release, pair.value);
}

static void plain_free(struct dx_object *object)
{
	struct plain_dictionary *dictionary = (void *)object;

	for (size_t i = 0; i < dictionary->count; i++) {
		release_pair(dictionary, dictionary->pairs[i]);
	}
	free(dictionary->pairs);
}

const struct dx_class dx_cf_plain_dictionary_class = {
	.name = "pointer dictionary",
	.instance_size = sizeof(struct plain_dictionary),
	.free = plain_free,
};

bool dx_cf_dictionary_is_plain(const void *dictionary)
{
	return dx_object_is_kind(dictionary, &dx_cf_plain_dictionary_class);
}

static const struct plain_dictionary *plain(CFDictionaryRef dictionary)
{
	return (const void *)dictionary;
}

static struct pair *plain_find(const struct plain_dictionary *dictionary, const void *key)
{
	CFDictionaryEqualCallBack equal = dictionary->key_callbacks.equal;

	for (size_t i = 0; i < dictionary->count; i++) {
		const void *other = dictionary->pairs[i].key;

		if (other == key || (equal != NULL && equal(other, key))) {
			return &dictionary->pairs[i];
		}
	}
	return NULL;
}

static int plain_add(struct plain_dictionary *dictionary, const void *key, const void *value)
{
	struct pair *pairs = dx_cf_members_grow(dictionary->pairs, sizeof(*pairs),
						dictionary->count, &dictionary->capacity);

	if (pairs == NULL) {
		return -1;
	}
	dictionary->pairs = pairs;
	dictionary->pairs[dictionary->count++] = (struct pair){
		.key = dx_cf_member_keep(dictionary->key_callbacks.retain, key),
		.value = dx_cf_member_keep(dictionary->value_callbacks.retain, value),
	};
	return 0;
}

static void plain_replace(const struct plain_dictionary *dictionary, struct pair *pair,
			  const void *value)
{
	const void *old = pair->value;

	pair->value = dx_cf_member_keep(dictionary->value_callbacks.retain, value);
	dx_cf_member_drop(dictionary->value_callbacks.release, old);
}

static void plain_remove(struct plain_dictionary *dictionary, struct pair *pair)
{
	struct pair old = *pair;
	size_t index = (size_t)(pair - dictionary->pairs);

	dictionary->count -= 1;
	memmove(pair, pair + 1, (dictionary->count - index) * sizeof(*pair));
	release_pair(dictionary, old);
}

const CFDictionaryKeyCallBacks kCFTypeDictionaryKeyCallBacks = {
	.retain = dx_cf_retain_object,
	.release = dx_cf_release_object,
	.copyDescription = CFCopyDescription,
	.equal = CFEqual,
	.hash = CFHash,
};

const CFDictionaryKeyCallBacks kCFCopyStringDictionaryKeyCallBacks = {
	.retain = dx_cf_retain_object, /* strings do not change, so a reference is a copy */
	.release = dx_cf_release_object,
	.copyDescription = CFCopyDescription,
	.equal = CFEqual,
	.hash = CFHash,
};

const CFDictionaryValueCallBacks kCFTypeDictionaryValueCallBacks = {
	.retain = dx_cf_retain_object,
	.release = dx_cf_release_object,
	.copyDescription = CFCopyDescription,
	.equal = CFEqual,
};

CFTypeID CFDictionaryGetTypeID(void)
{
	return DX_CF_DICTIONARY;
}

CFMutableDictionaryRef CFDictionaryCreateMutable(CFAllocatorRef allocator, CFIndex capacity,
						 const CFDictionaryKeyCallBacks *keyCallBacks,
						 const CFDictionaryValueCallBacks *valueCallBacks)
{
	(void)allocator;
	(void)capacity;
	if (keyCallBacks != NULL && keyCallBacks->retain == dx_cf_retain_object &&
	    valueCallBacks != NULL && valueCallBacks->retain == dx_cf_retain_object) {
		return (CFMutableDictionaryRef)dx_dict_new();
	}
	struct plain_dictionary *dictionary = dx_object_new(&dx_cf_plain_dictionary_class);
	if (dictionary != NULL && keyCallBacks != NULL) {
		dictionary->key_callbacks = *keyCallBacks;
	}
	if (dictionary != NULL && valueCallBacks != NULL) {
		dictionary->value_callbacks = *valueCallBacks;
	}
	return (CFMutableDictionaryRef)dictionary;
}

/* The text of a key of an object dictionary; NULL when it is no string. */
static const char *key_text(const void *key)
{
	return key != NULL && dx_object_is_kind(key, &dx_string_class) ? dx_string_get(key) : NULL;
}

/* Adds or changes. 0 or a negative number. */
static int set(CFMutableDictionaryRef dictionary, const void *key, const void *value)
{
	if (!dx_cf_dictionary_is_plain(dictionary)) {
		return key_text(key) == NULL || value == NULL
			       ? -1
			       : dx_dict_set((void *)dictionary, key_text(key), value);
	}
	struct pair *pair = plain_find(plain(dictionary), key);
	if (pair == NULL) {
		return plain_add((void *)dictionary, key, value);
	}
	plain_replace(plain(dictionary), pair, value);
	return 0;
}

CFDictionaryRef CFDictionaryCreate(CFAllocatorRef allocator, const void **keys, const void **values,
				   CFIndex numValues, const CFDictionaryKeyCallBacks *keyCallBacks,
				   const CFDictionaryValueCallBacks *valueCallBacks)
{
	if (numValues < 0 || (numValues != 0 && (keys == NULL || values == NULL))) {
		return NULL;
	}
	CFMutableDictionaryRef dictionary =
		CFDictionaryCreateMutable(allocator, numValues, keyCallBacks, valueCallBacks);
	for (CFIndex i = 0; dictionary != NULL && i < numValues; i++) {
		if (!CFDictionaryContainsKey(dictionary, keys[i]) &&
		    set(dictionary, keys[i], values[i]) != 0) {
			CFRelease(dictionary);
			return NULL;
		}
	}
	return dictionary;
}

static CFMutableDictionaryRef copy_plain(const struct plain_dictionary *from)
{
	CFMutableDictionaryRef copy =
		CFDictionaryCreateMutable(NULL, 0, &from->key_callbacks, &from->value_callbacks);

	for (size_t i = 0; copy != NULL && i < from->count; i++) {
		if (plain_add((void *)copy, from->pairs[i].key, from->pairs[i].value) != 0) {
			CFRelease(copy);
			return NULL;
		}
	}
	return copy;
}

CFMutableDictionaryRef CFDictionaryCreateMutableCopy(CFAllocatorRef allocator, CFIndex capacity,
						     CFDictionaryRef theDict)
{
	(void)allocator;
	(void)capacity;
	if (dx_cf_dictionary_is_plain(theDict)) {
		return copy_plain(plain(theDict));
	}
	return (CFMutableDictionaryRef)dx_dict_copy((const void *)theDict);
}

CFDictionaryRef CFDictionaryCreateCopy(CFAllocatorRef allocator, CFDictionaryRef theDict)
{
	return CFDictionaryCreateMutableCopy(allocator, 0, theDict);
}

CFIndex CFDictionaryGetCount(CFDictionaryRef theDict)
{
	return (CFIndex)(dx_cf_dictionary_is_plain(theDict) ? plain(theDict)->count
							    : dx_dict_count((const void *)theDict));
}

Boolean CFDictionaryGetValueIfPresent(CFDictionaryRef theDict, const void *key, const void **value)
{
	const void *found = NULL;
	bool present = false;

	if (dx_cf_dictionary_is_plain(theDict)) {
		const struct pair *pair = plain_find(plain(theDict), key);

		present = pair != NULL;
		found = present ? pair->value : NULL;
	} else if (key_text(key) != NULL) {
		found = dx_dict_get((const void *)theDict, key_text(key));
		present = found != NULL;
	}
	if (present && value != NULL) {
		*value = found;
	}
	return present ? 1 : 0;
}

const void *CFDictionaryGetValue(CFDictionaryRef theDict, const void *key)
{
	const void *value = NULL;

	return CFDictionaryGetValueIfPresent(theDict, key, &value) ? value : NULL;
}

Boolean CFDictionaryContainsKey(CFDictionaryRef theDict, const void *key)
{
	return CFDictionaryGetValueIfPresent(theDict, key, NULL);
}

/* i-th pair, borrowed; false beyond the end. */
static bool pair_at(CFDictionaryRef dictionary, size_t index, struct pair *ret_pair)
{
	const char *key = NULL;
	void *object = NULL;

	if (dx_cf_dictionary_is_plain(dictionary)) {
		if (index >= plain(dictionary)->count) {
			return false;
		}
		*ret_pair = plain(dictionary)->pairs[index];
		return true;
	}
	if (!dx_dict_at((const void *)dictionary, index, &key, &object)) {
		return false;
	}
	*ret_pair = (struct pair){
		.key = dx_dict_key_string((const void *)dictionary, index),
		.value = object,
	};
	return true;
}

void CFDictionaryGetKeysAndValues(CFDictionaryRef theDict, const void **keys, const void **values)
{
	struct pair pair;

	for (size_t i = 0; pair_at(theDict, i, &pair); i++) {
		if (keys != NULL) {
			keys[i] = pair.key;
		}
		if (values != NULL) {
			values[i] = pair.value;
		}
	}
}

void CFDictionaryApplyFunction(CFDictionaryRef theDict, CFDictionaryApplierFunction applier,
			       void *context)
{
	struct pair pair;

	for (size_t i = 0; pair_at(theDict, i, &pair); i++) {
		applier(pair.key, pair.value, context);
	}
}

void CFDictionaryAddValue(CFMutableDictionaryRef theDict, const void *key, const void *value)
{
	if (!CFDictionaryContainsKey(theDict, key)) {
		(void)set(theDict, key, value); /* as documented, nobody is told */
	}
}

void CFDictionarySetValue(CFMutableDictionaryRef theDict, const void *key, const void *value)
{
	(void)set(theDict, key, value); /* as documented, nobody is told */
}

void CFDictionaryReplaceValue(CFMutableDictionaryRef theDict, const void *key, const void *value)
{
	if (CFDictionaryContainsKey(theDict, key)) {
		(void)set(theDict, key, value); /* as documented, nobody is told */
	}
}

void CFDictionaryRemoveValue(CFMutableDictionaryRef theDict, const void *key)
{
	if (!dx_cf_dictionary_is_plain(theDict)) {
		if (key_text(key) != NULL) {
			(void)dx_dict_remove((void *)theDict, key_text(key)); /* there or not */
		}
		return;
	}
	struct pair *pair = plain_find(plain(theDict), key);
	if (pair != NULL) {
		plain_remove((void *)theDict, pair);
	}
}

void CFDictionaryRemoveAllValues(CFMutableDictionaryRef theDict)
{
	struct pair pair;

	while (pair_at(theDict, 0, &pair)) {
		CFDictionaryRemoveValue(theDict, pair.key);
	}
}
