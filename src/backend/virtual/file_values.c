/* SPDX-License-Identifier: MIT
 *
 * file_values - values of a description file with their errors; see file_values.h.
 *
 * Place:      backend/virtual.
 */
#include "backend/virtual/file_values.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

void dx_file_fail(struct dx_file_reader *reader, const struct dx_file_place *place, const char *key,
		  const char *problem)
{
	dx_options_fail(reader->options, "%s: %s%s: %s", reader->name, place->text, key, problem);
}

uint64_t dx_file_number(struct dx_file_reader *reader, const struct dx_file_place *place,
			const char *key, uint64_t minimum, uint64_t maximum, uint64_t fallback)
{
	const void *value = dx_dict_get(place->dict, key);
	uint64_t number = 0;

	if (value == NULL) {
		return fallback;
	}
	if (!dx_object_is_kind(value, &dx_number_class) || dx_number_is_real(value)) {
		dx_file_fail(reader, place, key, "not an integer");
		return fallback;
	}
	number = dx_number_u64(value);
	if (number < minimum || number > maximum) {
		char problem[80];

		(void)snprintf(problem, sizeof(problem), "%llu is not in %llu..%llu",
			       (unsigned long long)number, (unsigned long long)minimum,
			       (unsigned long long)maximum);
		dx_file_fail(reader, place, key, problem);
		return fallback;
	}
	return number;
}

uint64_t dx_file_need_number(struct dx_file_reader *reader, const struct dx_file_place *place,
			     const char *key, uint64_t minimum, uint64_t maximum)
{
	if (dx_dict_get(place->dict, key) == NULL) {
		dx_file_fail(reader, place, key, "missing");
	}
	return dx_file_number(reader, place, key, minimum, maximum, minimum);
}

bool dx_file_bool(struct dx_file_reader *reader, const struct dx_file_place *place, const char *key)
{
	const void *value = dx_dict_get(place->dict, key);

	if (value == NULL) {
		return false;
	}
	if (!dx_object_is_kind(value, &dx_boolean_class)) {
		dx_file_fail(reader, place, key, "not true or false");
		return false;
	}
	return dx_boolean_get(value);
}

static const char *get_text(struct dx_file_reader *reader, const struct dx_file_place *place,
			    const char *key)
{
	const void *value = dx_dict_get(place->dict, key);

	if (value == NULL) {
		return NULL;
	}
	if (!dx_object_is_kind(value, &dx_string_class)) {
		dx_file_fail(reader, place, key, "not a string");
		return NULL;
	}
	return dx_string_get(value);
}

/* The text becomes a string descriptor. @return its index, 0 if the key is missing. */
uint8_t dx_file_string(struct dx_file_reader *reader, const struct dx_file_place *place,
		       const char *key)
{
	const char *text = get_text(reader, place, key);
	int index = text == NULL ? 0 : dx_description_add_string(reader->description, text);

	if (index == -ENOSPC) {
		dx_file_fail(reader, place, key, "more than 32 strings in the file");
	} else if (index < 0) {
		dx_file_fail(reader, place, key, "longer than 126 UTF-16 units, or not UTF-8");
	}
	return index < 0 ? 0 : (uint8_t)index;
}

unsigned dx_file_choice(struct dx_file_reader *reader, const struct dx_file_place *place,
			const char *key, const char *const *names, unsigned fallback)
{
	const char *text = get_text(reader, place, key);
	char problem[160] = "not one of";
	size_t used = strlen(problem);

	if (text == NULL) {
		return fallback;
	}
	for (unsigned i = 0; names[i] != NULL; i++) {
		if (strcmp(names[i], text) == 0) {
			return i;
		}
		if (names[i][0] != '\0') {
			used += (size_t)snprintf(problem + used, sizeof(problem) - used, " %s,",
						 names[i]);
		}
	}
	problem[used - 1] = '\0'; /* the last comma */
	dx_file_fail(reader, place, key, problem);
	return fallback;
}

void dx_file_check_keys(struct dx_file_reader *reader, const struct dx_file_place *place,
			const char *const *keys)
{
	const char *key = NULL;
	void *value = NULL;

	for (size_t i = 0; dx_dict_at(place->dict, i, &key, &value); i++) {
		const char *const *known = keys;

		while (*known != NULL && strcmp(*known, key) != 0) {
			known++;
		}
		if (*known == NULL) {
			dx_file_fail(reader, place, key, "unknown key");
		}
	}
}

/* @return number of entries; 0 when the key is missing, not an array or too long. */
unsigned dx_file_count(struct dx_file_reader *reader, const struct dx_file_place *place,
		       const char *key, unsigned maximum)
{
	const void *value = dx_dict_get(place->dict, key);

	if (value == NULL) {
		return 0;
	}
	if (!dx_object_is_kind(value, &dx_array_class)) {
		dx_file_fail(reader, place, key, "not an array");
		return 0;
	}
	if (dx_array_count(value) > maximum) {
		char problem[64];

		(void)snprintf(problem, sizeof(problem), "more than %u entries", maximum);
		dx_file_fail(reader, place, key, problem);
		return 0;
	}
	return (unsigned)dx_array_count(value);
}

/* The i-th dictionary of an array. */
bool dx_file_enter(struct dx_file_reader *reader, const struct dx_file_place *outer,
		   const char *key, unsigned i, struct dx_file_place *ret_inner)
{
	const void *value = dx_array_get(dx_dict_get(outer->dict, key), i);

	int length =
		snprintf(ret_inner->text, sizeof(ret_inner->text), "%s%s[%u]", outer->text, key, i);

	if (length < 0 || (size_t)length >= sizeof(ret_inner->text)) {
		ret_inner->text[0] = '\0'; /* not with these keys and depths */
	}
	if (!dx_object_is_kind(value, &dx_dict_class)) {
		dx_file_fail(reader, ret_inner, "", "not a dictionary");
		return false;
	}
	ret_inner->dict = value;
	(void)strncat(ret_inner->text, ".", sizeof(ret_inner->text) - strlen(ret_inner->text) - 1);
	return true;
}

bool dx_file_enter_one(struct dx_file_reader *reader, const struct dx_file_place *outer,
		       const char *key, struct dx_file_place *ret_inner)
{
	const void *value = dx_dict_get(outer->dict, key);
	int length = 0;

	if (value == NULL) {
		return false;
	}
	if (!dx_object_is_kind(value, &dx_dict_class)) {
		dx_file_fail(reader, outer, key, "not a dictionary");
		return false;
	}
	length = snprintf(ret_inner->text, sizeof(ret_inner->text), "%s%s.", outer->text, key);
	if (length < 0 || (size_t)length >= sizeof(ret_inner->text)) {
		ret_inner->text[0] = '\0'; /* not with these keys and depths */
	}
	ret_inner->dict = value;
	return true;
}

size_t dx_file_data(struct dx_file_reader *reader, const struct dx_file_place *place,
		    const char *key, size_t maximum, uint8_t *ret_bytes)
{
	const void *value = dx_dict_get(place->dict, key);
	char problem[64];

	if (value == NULL) {
		return 0;
	}
	if (!dx_object_is_kind(value, &dx_data_class)) {
		dx_file_fail(reader, place, key, "not data");
		return 0;
	}
	if (dx_data_length(value) > maximum) {
		(void)snprintf(problem, sizeof(problem), "more than %zu bytes", maximum);
		dx_file_fail(reader, place, key, problem);
		return 0;
	}
	if (dx_data_length(value) != 0) {
		memcpy(ret_bytes, dx_data_bytes(value), dx_data_length(value));
	}
	return dx_data_length(value);
}
