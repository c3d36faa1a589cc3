/* SPDX-License-Identifier: MIT
 *
 * data - byte string values that can grow.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/value.h"

struct dx_data {
	struct dx_object object;
	size_t length;
	size_t capacity;
	unsigned char *bytes; /* never NULL */
};

static void data_free(struct dx_object *object)
{
	struct dx_data *data = (void *)object;

	free(data->bytes);
}

static bool data_equal(const struct dx_object *a, const struct dx_object *b)
{
	const struct dx_data *left = (const void *)a;
	const struct dx_data *right = (const void *)b;

	return left->length == right->length &&
	       memcmp(left->bytes, right->bytes, left->length) == 0;
}

const struct dx_class dx_data_class = {
	.name = "data",
	.instance_size = sizeof(struct dx_data),
	.free = data_free,
	.equal = data_equal,
};

struct dx_data *dx_data_new(const void *bytes, size_t length)
{
	struct dx_data *data = dx_object_new(&dx_data_class);

	if (data == NULL) {
		return NULL;
	}
	data->capacity = length == 0 ? 1 : length;
	data->bytes = calloc(1, data->capacity);
	if (data->bytes == NULL) {
		return dx_object_unref(data);
	}
	data->length = length;
	if (bytes != NULL && length > 0) {
		memcpy(data->bytes, bytes, length);
	}
	return data;
}

const void *dx_data_bytes(const struct dx_data *data)
{
	return data->bytes;
}

void *dx_data_mutable_bytes(struct dx_data *data)
{
	return data->bytes;
}

size_t dx_data_length(const struct dx_data *data)
{
	return data->length;
}

static int grow(struct dx_data *data, size_t needed)
{
	size_t capacity = data->capacity;
	unsigned char *bytes;

	while (capacity < needed) {
		if (dx_mul_overflow(capacity, 2, &capacity)) {
			return -ENOMEM;
		}
	}
	if (capacity == data->capacity) {
		return 0;
	}
	bytes = realloc(data->bytes, capacity);
	if (bytes == NULL) {
		return -ENOMEM;
	}
	data->bytes = bytes;
	data->capacity = capacity;
	return 0;
}

int dx_data_append(struct dx_data *data, const void *bytes, size_t length)
{
	size_t needed = 0;
	int result;

	if (dx_add_overflow(data->length, length, &needed)) {
		return -ENOMEM;
	}
	result = grow(data, needed);
	if (result < 0) {
		return result;
	}
	if (bytes == NULL) {
		memset(data->bytes + data->length, 0, length);
	} else {
		memcpy(data->bytes + data->length, bytes, length);
	}
	data->length = needed;
	return 0;
}
