/* SPDX-License-Identifier: MIT
 *
 * string - text values: UTF-8, NUL-terminated, unchangeable.
 */
#include <string.h>

#include "base/check.h"
#include "base/value.h"

struct dx_string {
	struct dx_object object;
	size_t length;
	char text[]; /* length bytes and a NUL */
};

static bool string_equal(const struct dx_object *a, const struct dx_object *b)
{
	const struct dx_string *left = (const void *)a;
	const struct dx_string *right = (const void *)b;

	return left->length == right->length && memcmp(left->text, right->text, left->length) == 0;
}

const struct dx_class dx_string_class = {
	.name = "string",
	.instance_size = sizeof(struct dx_string),
	.equal = string_equal,
};

/* Bytes of the sequence that starts at text, 0 when it is not well-formed (RFC 3629). */
static size_t sequence_length(const unsigned char *text, size_t left)
{
	/* By first byte: length, and the bounds of the second byte, which exclude overlong forms,
	 * surrogates and what lies above U+10FFFF. */
	static const struct {
		unsigned char first, last, length, low, high;
	} table[] = {
		{0x01, 0x7f, 1, 0, 0},	     {0xc2, 0xdf, 2, 0x80, 0xbf}, {0xe0, 0xe0, 3, 0xa0, 0xbf},
		{0xe1, 0xec, 3, 0x80, 0xbf}, {0xed, 0xed, 3, 0x80, 0x9f}, {0xee, 0xef, 3, 0x80, 0xbf},
		{0xf0, 0xf0, 4, 0x90, 0xbf}, {0xf1, 0xf3, 4, 0x80, 0xbf}, {0xf4, 0xf4, 4, 0x80, 0x8f},
	};

	for (size_t i = 0; i < DX_ARRAY_SIZE(table); i++) {
		if (text[0] < table[i].first || text[0] > table[i].last) {
			continue;
		}
		if (table[i].length > left) {
			return 0;
		}
		for (size_t at = 1; at < table[i].length; at++) {
			unsigned char low = at == 1 ? table[i].low : 0x80;
			unsigned char high = at == 1 ? table[i].high : 0xbf;

			if (text[at] < low || text[at] > high) {
				return 0;
			}
		}
		return table[i].length;
	}
	return 0;
}

bool dx_string_is_valid(const char *text, size_t length)
{
	size_t at = 0;

	while (at < length) {
		size_t step = sequence_length((const unsigned char *)text + at, length - at);

		if (step == 0) {
			return false;
		}
		at += step;
	}
	return true;
}

struct dx_string *dx_string_new_length(const char *text, size_t length)
{
	struct dx_string *string;

	if (length == SIZE_MAX || !dx_string_is_valid(text, length)) {
		return NULL;
	}
	string = dx_object_new_extra(&dx_string_class, length + 1);
	if (string == NULL) {
		return NULL;
	}
	string->length = length;
	memcpy(string->text, text, length);
	return string;
}

struct dx_string *dx_string_new(const char *text)
{
	return dx_string_new_length(text, strlen(text));
}

const char *dx_string_get(const struct dx_string *string)
{
	return string->text;
}

size_t dx_string_length(const struct dx_string *string)
{
	return string->length;
}
