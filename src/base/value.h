/* SPDX-License-Identifier: MIT
 *
 * value - property values: boolean, number, string, data, array, dictionary.
 *
 * Place:      base. The registry, property lists, CoreFoundation containers and the driver's
 *             collections are all made of these, so a value crosses rooms without conversion.
 * Invariants:
 *   V1  dictionaries keep insertion order; look-up costs O(1) on average.
 *   V2  numbers keep 64 bits, a width (8/16/32/64) and whether they are floating.
 *   V3  strings are UTF-8, NUL-terminated, with an explicit length; no NUL inside.
 * Owner:      containers hold a counted reference on each member (any struct dx_object may be a
 *             member; only values can be encoded).
 * Threads:    read from any; a container is changed by one thread at a time.
 */
#ifndef DX_BASE_VALUE_H
#define DX_BASE_VALUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/object.h"

extern const struct dx_class dx_boolean_class, dx_number_class, dx_string_class, dx_data_class,
	dx_array_class, dx_dict_class;

struct dx_boolean; struct dx_number; struct dx_string; struct dx_data; struct dx_array; struct dx_dict;

/* Immortal. */
const struct dx_boolean *dx_boolean(bool value);
bool dx_boolean_get(const struct dx_boolean *boolean);

/* All constructors: +1, NULL without memory. Widths between 8, 16, 32 and 64 are rounded up. */
struct dx_number *dx_number_new(uint64_t value, unsigned bits);	/* two's complement for negatives */
struct dx_number *dx_number_new_signed(int64_t value, unsigned bits);
struct dx_number *dx_number_new_real(double value, unsigned bits); /* 32 or 64 */
uint64_t dx_number_u64(const struct dx_number *number);	   /* reals are truncated */
double dx_number_real(const struct dx_number *number);
unsigned dx_number_bits(const struct dx_number *number);
bool dx_number_is_real(const struct dx_number *number);

/* Well-formed UTF-8 without NUL. */
bool dx_string_is_valid(const char *text, size_t length);
struct dx_string *dx_string_new(const char *text);	 /* NULL also if it is not valid */
struct dx_string *dx_string_new_length(const char *text, size_t length); /* the same */
const char *dx_string_get(const struct dx_string *string);
size_t dx_string_length(const struct dx_string *string); /* bytes */

struct dx_data *dx_data_new(const void *bytes, size_t length); /* bytes may be NULL: zeros */
const void *dx_data_bytes(const struct dx_data *data);
void *dx_data_mutable_bytes(struct dx_data *data);
size_t dx_data_length(const struct dx_data *data);
int dx_data_append(struct dx_data *data, const void *bytes, size_t length);

struct dx_array *dx_array_new(void);
size_t dx_array_count(const struct dx_array *array);
void *dx_array_get(const struct dx_array *array, size_t index); /* borrowed; NULL beyond the end */
/* Take their own reference. @return 0; -EINVAL for NULL or beyond the end; -ENOMEM. */
int dx_array_append(struct dx_array *array, const void *object);
int dx_array_insert(struct dx_array *array, size_t index, const void *object);
int dx_array_replace(struct dx_array *array, size_t index, const void *object);
void dx_array_remove(struct dx_array *array, size_t index);

struct dx_dict *dx_dict_new(void);
struct dx_dict *dx_dict_copy(const struct dx_dict *dict);		    /* shallow */
/* Containers copied all the way down, leaves shared; NULL also below DX_MAX_VALUE_DEPTH. */
void *dx_value_copy_deep(const void *value);
size_t dx_dict_count(const struct dx_dict *dict);
void *dx_dict_get(const struct dx_dict *dict, const char *key);	    /* borrowed; NULL if missing */
/* Takes its own reference. @return 0; -EINVAL for NULL or a key that is not valid; -ENOMEM. */
int dx_dict_set(struct dx_dict *dict, const char *key, const void *object);
bool dx_dict_remove(struct dx_dict *dict, const char *key);
int dx_dict_merge(struct dx_dict *dict, const struct dx_dict *from);
/* i-th pair in insertion order; false beyond the end. Both borrowed. */
bool dx_dict_at(const struct dx_dict *dict, size_t index, const char **ret_key, void **ret_object);
struct dx_string *dx_dict_key_string(const struct dx_dict *dict, size_t index); /* borrowed */

/* Typed look-ups; the fallback when missing or of another type. */
const char *dx_dict_get_string(const struct dx_dict *dict, const char *key, const char *fallback);
uint64_t dx_dict_get_u64(const struct dx_dict *dict, const char *key, uint64_t fallback);
bool dx_dict_get_bool(const struct dx_dict *dict, const char *key, bool fallback);
struct dx_dict *dx_dict_get_dict(const struct dx_dict *dict, const char *key);    /* or NULL */
struct dx_array *dx_dict_get_array(const struct dx_dict *dict, const char *key); /* or NULL */
int dx_dict_set_string(struct dx_dict *dict, const char *key, const char *text);
int dx_dict_set_u64(struct dx_dict *dict, const char *key, uint64_t value, unsigned bits);
int dx_dict_set_bool(struct dx_dict *dict, const char *key, bool value);

/* Deep equality; numbers compare by value, not by width. */
bool dx_value_equal(const void *a, const void *b);

#endif
