/* SPDX-License-Identifier: MIT
 *
 * plist - property lists to and from values, through libplist.
 *
 * Trust: plist_scan looks at foreign bytes first; what passes is bounded and of known kinds.
 */
#include "base/plist.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <plist/plist.h>

#include "base/cleanup.h"
#include "base/limits.h"
#include "base/plist_scan.h"

static void free_node(plist_t *node)
{
	plist_free(*node); /* NULL is allowed */
	*node = NULL;
}

static void unref_value(void **value)
{
	*value = dx_object_unref(*value);
}

#define CLEANUP_NODE  DX_CLEANUP(free_node)
#define CLEANUP_VALUE DX_CLEANUP(unref_value)

/* What a constructor gave, +1 or NULL. */
static int hand_out(void *value, void **ret_value)
{
	if (value == NULL) {
		return -ENOMEM;
	}
	*ret_value = value;
	return 0;
}

static int value_from_node(plist_t node, void **ret_value);

static int array_from_node(plist_t node, void **ret_value)
{
	CLEANUP_VALUE void *array = dx_array_new();
	DX_CLEANUP_FREE plist_array_iter iterator = NULL;
	plist_t member = NULL;

	if (array == NULL) {
		return -ENOMEM;
	}
	plist_array_new_iter(node, &iterator);
	for (plist_array_next_item(node, iterator, &member); member != NULL;
	     plist_array_next_item(node, iterator, &member)) {
		CLEANUP_VALUE void *value = NULL;
		int result = value_from_node(member, &value);

		if (result == 0) {
			result = dx_array_append(array, value);
		}
		if (result < 0) {
			return result;
		}
	}
	*ret_value = dx_take_ptr(&array);
	return 0;
}

static int add_pair(struct dx_dict *dict, const char *key, plist_t node)
{
	CLEANUP_VALUE void *value = NULL;
	int result = value_from_node(node, &value);

	if (result < 0) {
		return result;
	}
	result = dx_dict_set(dict, key, value);
	return result == -EINVAL ? -EPROTO : result;
}

static int dict_from_node(plist_t node, void **ret_value)
{
	CLEANUP_VALUE void *dict = dx_dict_new();
	DX_CLEANUP_FREE plist_dict_iter iterator = NULL;

	if (dict == NULL) {
		return -ENOMEM;
	}
	plist_dict_new_iter(node, &iterator);
	for (;;) {
		DX_CLEANUP_FREE char *key = NULL;
		plist_t member = NULL;
		int result;

		plist_dict_next_item(node, iterator, &key, &member);
		if (member == NULL) {
			break;
		}
		result = add_pair(dict, key, member);
		if (result < 0) {
			return result;
		}
	}
	*ret_value = dx_take_ptr(&dict);
	return 0;
}

static int string_from_node(plist_t node, void **ret_value)
{
	uint64_t length = 0;
	const char *text = plist_get_string_ptr(node, &length);

	if (text == NULL || !dx_string_is_valid(text, length)) {
		return -EPROTO;
	}
	return hand_out(dx_string_new_length(text, length), ret_value);
}

static int data_from_node(plist_t node, void **ret_value)
{
	uint64_t length = 0;
	const char *bytes = plist_get_data_ptr(node, &length);

	return hand_out(dx_data_new(bytes, length), ret_value);
}

static int number_from_node(plist_t node, void **ret_value)
{
	uint64_t integer = 0;
	double real = 0;

	if (plist_get_node_type(node) == PLIST_REAL) {
		plist_get_real_val(node, &real);
		return hand_out(dx_number_new_real(real, 64), ret_value);
	}
	plist_get_uint_val(node, &integer);
	return hand_out(dx_number_new(integer, 64), ret_value);
}

/* Recursive by nature; plist_scan has bounded the depth. Writes a +1 value on success only. */
static int value_from_node(plist_t node, void **ret_value)
{
	uint8_t boolean = 0;

	switch (plist_get_node_type(node)) {
	case PLIST_BOOLEAN:
		plist_get_bool_val(node, &boolean);
		*ret_value = dx_object_ref(dx_boolean(boolean != 0));
		return 0;
	case PLIST_UINT:
	case PLIST_REAL:
		return number_from_node(node, ret_value);
	case PLIST_STRING:
		return string_from_node(node, ret_value);
	case PLIST_DATA:
		return data_from_node(node, ret_value);
	case PLIST_ARRAY:
		return array_from_node(node, ret_value);
	case PLIST_DICT:
		return dict_from_node(node, ret_value);
	default:
		return -EPROTO;
	}
}

/* What the scan lets pass goes to the parser. A node on success, unless the parser refuses. */
static int parse(const char *bytes, size_t length, plist_t *ret_node, unsigned *line)
{
	static const char byte_order_mark[] = {'\xef', '\xbb', '\xbf'};
	int result;

	if (length >= 8 && plist_is_binary(bytes, (uint32_t)length)) {
		result = dx_plist_scan_binary(bytes, length);
		if (result == 0) {
			plist_from_bin(bytes, (uint32_t)length, ret_node);
		}
		return result;
	}
	if (length >= sizeof(byte_order_mark) &&
	    memcmp(bytes, byte_order_mark, sizeof(byte_order_mark)) == 0) {
		bytes += sizeof(byte_order_mark);
		length -= sizeof(byte_order_mark);
	}
	result = dx_plist_scan_xml(bytes, length, line);
	if (result == 0) {
		plist_from_xml(bytes, (uint32_t)length, ret_node);
	}
	return result;
}

int dx_plist_decode(const void *bytes, size_t length, void **ret_value, unsigned *ret_line)
{
	CLEANUP_NODE plist_t node = NULL;
	CLEANUP_VALUE void *value = NULL;
	unsigned line = 0;
	int result;

	if (ret_line != NULL) {
		*ret_line = 0;
	}
	if (length > DX_MAX_PLIST_BYTES) {
		return -E2BIG;
	}
	result = parse(bytes, length, &node, &line);
	if (result < 0) {
		if (ret_line != NULL) {
			*ret_line = line;
		}
		return result;
	}
	result = node == NULL ? -EPROTO : value_from_node(node, &value);
	if (result == 0) {
		*ret_value = dx_take_ptr(&value);
	}
	return result;
}

static int node_from_value(const void *value, unsigned depth, plist_t *ret_node);

static int node_from_array(const struct dx_array *array, unsigned depth, plist_t *ret_node)
{
	CLEANUP_NODE plist_t node = plist_new_array();

	for (size_t i = 0; i < dx_array_count(array); i++) {
		plist_t member = NULL;
		int result = node_from_value(dx_array_get(array, i), depth + 1, &member);

		if (result < 0) {
			return result;
		}
		plist_array_append_item(node, member);
	}
	*ret_node = dx_take_ptr(&node);
	return 0;
}

static int node_from_dict(const struct dx_dict *dict, unsigned depth, plist_t *ret_node)
{
	CLEANUP_NODE plist_t node = plist_new_dict();
	const char *key;
	void *value;

	for (size_t i = 0; dx_dict_at(dict, i, &key, &value); i++) {
		plist_t member = NULL;
		int result = node_from_value(value, depth + 1, &member);

		if (result < 0) {
			return result;
		}
		plist_dict_set_item(node, key, member);
	}
	*ret_node = dx_take_ptr(&node);
	return 0;
}

static plist_t node_from_number(const struct dx_number *number)
{
	return dx_number_is_real(number) ? plist_new_real(dx_number_real(number))
					 : plist_new_uint(dx_number_u64(number));
}

static plist_t node_from_leaf(const void *value)
{
	if (dx_object_is_kind(value, &dx_boolean_class)) {
		return plist_new_bool(dx_boolean_get(value) ? 1 : 0);
	}
	if (dx_object_is_kind(value, &dx_number_class)) {
		return node_from_number(value);
	}
	if (dx_object_is_kind(value, &dx_string_class)) {
		return plist_new_string(dx_string_get(value));
	}
	if (dx_object_is_kind(value, &dx_data_class)) {
		return plist_new_data(dx_data_bytes(value), dx_data_length(value));
	}
	return NULL;
}

/* Recursive by nature, and bounded: what we could not read back is not written. */
static int node_from_value(const void *value, unsigned depth, plist_t *ret_node)
{
	bool is_array = dx_object_is_kind(value, &dx_array_class);

	if (is_array || dx_object_is_kind(value, &dx_dict_class)) {
		if (depth >= DX_MAX_PLIST_DEPTH) {
			return -EINVAL;
		}
		return is_array ? node_from_array(value, depth, ret_node)
				: node_from_dict(value, depth, ret_node);
	}
	*ret_node = node_from_leaf(value);
	return *ret_node == NULL ? -EINVAL : 0;
}

/* libplist gives out malloc'd memory; its two free functions are free(). */
static int encode(const void *value, void (*write)(plist_t, char **, uint32_t *), char **ret_bytes,
		  size_t *ret_length)
{
	CLEANUP_NODE plist_t node = NULL;
	char *bytes = NULL;
	uint32_t length = 0;
	int result = node_from_value(value, 0, &node);

	if (result < 0) {
		return result;
	}
	write(node, &bytes, &length);
	if (bytes == NULL) {
		return -ENOMEM;
	}
	*ret_bytes = bytes;
	*ret_length = length;
	return 0;
}

int dx_plist_encode(const void *value, void **ret_bytes, size_t *ret_length)
{
	char *bytes = NULL;
	int result = encode(value, plist_to_bin, &bytes, ret_length);

	if (result == 0) {
		*ret_bytes = bytes;
	}
	return result;
}

int dx_plist_encode_xml(const void *value, char **ret_text, size_t *ret_length)
{
	return encode(value, plist_to_xml, ret_text, ret_length);
}
