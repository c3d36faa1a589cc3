/* SPDX-License-Identifier: MIT
 *
 * array - ordered values; each member is held by a counted reference.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/value.h"

#define FIRST_CAPACITY 8

struct dx_array {
	struct dx_object object;
	size_t count;
	size_t capacity;
	void **members;
};

static void array_free(struct dx_object *object)
{
	struct dx_array *array = (void *)object;

	for (size_t i = 0; i < array->count; i++) {
		dx_object_unref(array->members[i]);
	}
	free(array->members);
}

static bool array_equal(const struct dx_object *a, const struct dx_object *b)
{
	const struct dx_array *left = (const void *)a;
	const struct dx_array *right = (const void *)b;

	if (left->count != right->count) {
		return false;
	}
	for (size_t i = 0; i < left->count; i++) {
		if (!dx_object_equal(left->members[i], right->members[i])) {
			return false;
		}
	}
	return true;
}

const struct dx_class dx_array_class = {
	.name = "array",
	.instance_size = sizeof(struct dx_array),
	.free = array_free,
	.equal = array_equal,
};

struct dx_array *dx_array_new(void)
{
	return dx_object_new(&dx_array_class);
}

size_t dx_array_count(const struct dx_array *array)
{
	return array->count;
}

void *dx_array_get(const struct dx_array *array, size_t index)
{
	return index < array->count ? array->members[index] : NULL;
}

static int reserve_one(struct dx_array *array)
{
	size_t capacity = array->capacity == 0 ? FIRST_CAPACITY : array->capacity;
	size_t size = 0;
	void **members;

	if (array->count < array->capacity) {
		return 0;
	}
	if (array->capacity > 0 && dx_mul_overflow(capacity, 2, &capacity)) {
		return -ENOMEM;
	}
	if (dx_mul_overflow(capacity, sizeof(*members), &size)) {
		return -ENOMEM;
	}
	members = realloc(array->members, size);
	if (members == NULL) {
		return -ENOMEM;
	}
	array->members = members;
	array->capacity = capacity;
	return 0;
}

int dx_array_insert(struct dx_array *array, size_t index, const void *object)
{
	int result;

	if (object == NULL || index > array->count) {
		return -EINVAL;
	}
	result = reserve_one(array);
	if (result < 0) {
		return result;
	}
	memmove(&array->members[index + 1], &array->members[index],
		(array->count - index) * sizeof(*array->members));
	array->members[index] = dx_object_ref(object);
	array->count++;
	return 0;
}

int dx_array_append(struct dx_array *array, const void *object)
{
	return dx_array_insert(array, array->count, object);
}

int dx_array_replace(struct dx_array *array, size_t index, const void *object)
{
	void *old;

	if (object == NULL || index >= array->count) {
		return -EINVAL;
	}
	old = array->members[index];
	array->members[index] = dx_object_ref(object);
	dx_object_unref(old);
	return 0;
}

void dx_array_remove(struct dx_array *array, size_t index)
{
	void *old;

	if (index >= array->count) {
		return;
	}
	old = array->members[index];
	array->count--;
	memmove(&array->members[index], &array->members[index + 1],
		(array->count - index) * sizeof(*array->members));
	dx_object_unref(old);
}
