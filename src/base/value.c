/* SPDX-License-Identifier: MIT
 *
 * value - what is common to all values: typed look-ups, deep copies, equality.
 */
#include "base/value.h"

#include <errno.h>

#include "base/limits.h"

const char *dx_dict_get_string(const struct dx_dict *dict, const char *key, const char *fallback)
{
	const void *value = dx_dict_get(dict, key);

	return dx_object_is_kind(value, &dx_string_class) ? dx_string_get(value) : fallback;
}

uint64_t dx_dict_get_u64(const struct dx_dict *dict, const char *key, uint64_t fallback)
{
	const void *value = dx_dict_get(dict, key);

	return dx_object_is_kind(value, &dx_number_class) ? dx_number_u64(value) : fallback;
}

bool dx_dict_get_bool(const struct dx_dict *dict, const char *key, bool fallback)
{
	const void *value = dx_dict_get(dict, key);

	return dx_object_is_kind(value, &dx_boolean_class) ? dx_boolean_get(value) : fallback;
}

struct dx_dict *dx_dict_get_dict(const struct dx_dict *dict, const char *key)
{
	void *value = dx_dict_get(dict, key);

	return dx_object_is_kind(value, &dx_dict_class) ? value : NULL;
}

struct dx_array *dx_dict_get_array(const struct dx_dict *dict, const char *key)
{
	void *value = dx_dict_get(dict, key);

	return dx_object_is_kind(value, &dx_array_class) ? value : NULL;
}

/* Sets a value that was just made and gives up the caller's reference on it. */
static int set_new(struct dx_dict *dict, const char *key, void *value)
{
	int result = value == NULL ? -ENOMEM : dx_dict_set(dict, key, value);

	dx_object_unref(value);
	return result;
}

int dx_dict_set_string(struct dx_dict *dict, const char *key, const char *text)
{
	if (!dx_string_is_valid(text, __builtin_strlen(text))) {
		return -EINVAL;
	}
	return set_new(dict, key, dx_string_new(text));
}

int dx_dict_set_u64(struct dx_dict *dict, const char *key, uint64_t value, unsigned bits)
{
	return set_new(dict, key, dx_number_new(value, bits));
}

int dx_dict_set_bool(struct dx_dict *dict, const char *key, bool value)
{
	return dx_dict_set(dict, key, dx_boolean(value));
}

static void *copy_at(const void *value, unsigned depth);

static void *copy_array(const struct dx_array *array, unsigned depth)
{
	struct dx_array *copy = dx_array_new();

	for (size_t i = 0; copy != NULL && i < dx_array_count(array); i++) {
		void *member = copy_at(dx_array_get(array, i), depth + 1);

		if (member == NULL || dx_array_append(copy, member) < 0) {
			copy = dx_object_unref(copy);
		}
		dx_object_unref(member);
	}
	return copy;
}

static void *copy_dict(const struct dx_dict *dict, unsigned depth)
{
	struct dx_dict *copy = dx_dict_new();
	const char *key;
	void *value;

	for (size_t i = 0; copy != NULL && dx_dict_at(dict, i, &key, &value); i++) {
		if (set_new(copy, key, copy_at(value, depth + 1)) < 0) {
			copy = dx_object_unref(copy);
		}
	}
	return copy;
}

/* Recursive by nature, so declared before its two helpers. */
static void *copy_at(const void *value, unsigned depth)
{
	if (depth > DX_MAX_VALUE_DEPTH) {
		return NULL;
	}
	if (dx_object_is_kind(value, &dx_array_class)) {
		return copy_array(value, depth);
	}
	if (dx_object_is_kind(value, &dx_dict_class)) {
		return copy_dict(value, depth);
	}
	return dx_object_ref(value);
}

void *dx_value_copy_deep(const void *value)
{
	return copy_at(value, 0);
}

bool dx_value_equal(const void *a, const void *b)
{
	return dx_object_equal(a, b);
}
