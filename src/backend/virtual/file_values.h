/* SPDX-License-Identifier: MIT
 *
 * file_values - the values in the dictionaries of a description file, each checked where it is
 * read.
 *
 * Place:      backend/virtual, under device_file.c.
 * Errors:     the first one becomes the message, "FILE: place.key: what is wrong"; the getters
 *             return something harmless then, and the reader's options say that there was one.
 */
#ifndef DX_BACKEND_VIRTUAL_FILE_VALUES_H
#define DX_BACKEND_VIRTUAL_FILE_VALUES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "backend/virtual/description.h"
#include "backend/virtual/options.h"
#include "base/value.h"

#define DX_FILE_PLACE_MAX 128

struct dx_file_reader {
	struct dx_options *options;
	const char *name;
	struct dx_description *description;
};

/* A dictionary and where it is: "configurations[0]." */
struct dx_file_place {
	const struct dx_dict *dict;
	char text[DX_FILE_PLACE_MAX];
};

void dx_file_fail(struct dx_file_reader *reader, const struct dx_file_place *place, const char *key,
		  const char *problem);
/* An integer within limits; the fallback when the key is missing or wrong. */
uint64_t dx_file_number(struct dx_file_reader *reader, const struct dx_file_place *place,
			const char *key, uint64_t minimum, uint64_t maximum, uint64_t fallback);
/* The same; the key must be there. */
uint64_t dx_file_need_number(struct dx_file_reader *reader, const struct dx_file_place *place,
			     const char *key, uint64_t minimum, uint64_t maximum);
bool dx_file_bool(struct dx_file_reader *reader, const struct dx_file_place *place,
		  const char *key);
/* The text becomes a string descriptor. @return its index, 0 if the key is missing. */
uint8_t dx_file_string(struct dx_file_reader *reader, const struct dx_file_place *place,
		       const char *key);
/* Index of a text in names (NULL-ended; an empty name is none that can be chosen). */
unsigned dx_file_choice(struct dx_file_reader *reader, const struct dx_file_place *place,
			const char *key, const char *const *names, unsigned fallback);
/* Bytes of a <data>. @return how many, at most `maximum`. */
size_t dx_file_data(struct dx_file_reader *reader, const struct dx_file_place *place,
		    const char *key, size_t maximum, uint8_t *ret_bytes);
/* Any other key is an error. */
void dx_file_check_keys(struct dx_file_reader *reader, const struct dx_file_place *place,
			const char *const *keys);
/* @return number of entries; 0 when the key is missing, not an array or too long. */
unsigned dx_file_count(struct dx_file_reader *reader, const struct dx_file_place *place,
		       const char *key, unsigned maximum);
/* The i-th dictionary of an array. @return false: it is none. */
bool dx_file_enter(struct dx_file_reader *reader, const struct dx_file_place *outer,
		   const char *key, unsigned i, struct dx_file_place *ret_inner);
/* The dictionary that a key holds. @return false: missing, or none. */
bool dx_file_enter_one(struct dx_file_reader *reader, const struct dx_file_place *outer,
		       const char *key, struct dx_file_place *ret_inner);

#endif
