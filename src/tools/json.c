/* SPDX-License-Identifier: MIT
 *
 * json - property values as JSON text. See json.h.
 */
#include "json.h"

#include <inttypes.h>
#include <math.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/value.h"

static void print_value(FILE *stream, const void *value, unsigned depth);

/* Length of the well-formed UTF-8 character at text, 0 if there is none. */
static unsigned utf8_length(const unsigned char *text)
{
	unsigned length = 0;
	uint32_t code = 0;

	if (text[0] < 0x80) {
		return 1;
	}
	length = text[0] >= 0xf0 ? 4 : text[0] >= 0xe0 ? 3 : text[0] >= 0xc2 ? 2 : 0;
	if (length == 0 || text[0] > 0xf4) {
		return 0;
	}
	code = text[0] & (0x7fu >> length);
	for (unsigned i = 1; i < length; i++) {
		if ((text[i] & 0xc0) != 0x80) {
			return 0;
		}
		code = code << 6 | (text[i] & 0x3fu);
	}
	if ((length == 3 && code < 0x800) || (length == 4 && code < 0x10000) || code > 0x10ffff ||
	    (code >= 0xd800 && code <= 0xdfff)) {
		return 0;
	}
	return length;
}

void dx_json_print_string(FILE *stream, const char *text)
{
	const unsigned char *at = (const unsigned char *)text;

	(void)fputc('"', stream);
	while (*at != '\0') {
		unsigned length = utf8_length(at);

		if (length == 0) {
			(void)fputs("\\ufffd", stream);
			length = 1;
		} else if (*at == '"' || *at == '\\') {
			(void)fprintf(stream, "\\%c", *at);
		} else if (*at < 0x20 || *at == 0x7f) {
			(void)fprintf(stream, "\\u%04x", *at);
		} else {
			(void)fwrite(at, 1, length, stream);
		}
		at += length;
	}
	(void)fputc('"', stream);
}

static void print_number(FILE *stream, const struct dx_number *number)
{
	if (dx_number_is_real(number)) {
		double real = dx_number_real(number);

		if (isfinite(real)) {
			(void)fprintf(stream, "%.17g", real);
		} else {
			(void)fputs("null", stream);
		}
	} else {
		(void)fprintf(stream, "%" PRIu64, dx_number_u64(number));
	}
}

static void print_data(FILE *stream, const struct dx_data *data)
{
	const unsigned char *bytes = dx_data_bytes(data);

	(void)fputc('"', stream);
	for (size_t i = 0; i < dx_data_length(data); i++) {
		(void)fprintf(stream, "%02x", bytes[i]);
	}
	(void)fputc('"', stream);
}

#define ONE_LINE UINT32_MAX /* as depth */

static unsigned deeper(unsigned depth)
{
	return depth == ONE_LINE ? ONE_LINE : depth + 1;
}

static const char *separator(unsigned depth)
{
	return depth == ONE_LINE ? ", " : ",";
}

static void print_indent(FILE *stream, unsigned depth)
{
	if (depth == ONE_LINE) {
		return;
	}
	(void)fprintf(stream, "\n%*s", (int)(depth * 2), "");
}

static void print_array(FILE *stream, const struct dx_array *array, unsigned depth)
{
	size_t count = dx_array_count(array);

	(void)fputc('[', stream);
	for (size_t i = 0; i < count; i++) {
		print_indent(stream, deeper(depth));
		print_value(stream, dx_array_get(array, i), deeper(depth));
		(void)fputs(i + 1 < count ? separator(depth) : "", stream);
	}
	if (count > 0) {
		print_indent(stream, depth);
	}
	(void)fputc(']', stream);
}

static void print_dict(FILE *stream, const struct dx_dict *dict, unsigned depth)
{
	const char *key = NULL;
	void *object = NULL;

	(void)fputc('{', stream);
	for (size_t i = 0; dx_dict_at(dict, i, &key, &object); i++) {
		(void)fputs(i > 0 ? separator(depth) : "", stream);
		print_indent(stream, deeper(depth));
		dx_json_print_string(stream, key);
		(void)fputs(": ", stream);
		print_value(stream, object, deeper(depth));
	}
	if (dx_dict_count(dict) > 0) {
		print_indent(stream, depth);
	}
	(void)fputc('}', stream);
}

/* Depth is bounded by the limit that base/plist puts on what it decodes. */
static void print_value(FILE *stream, const void *value, unsigned depth)
{
	if (dx_object_is_kind(value, &dx_boolean_class)) {
		(void)fputs(dx_boolean_get(value) ? "true" : "false", stream);
	} else if (dx_object_is_kind(value, &dx_number_class)) {
		print_number(stream, value);
	} else if (dx_object_is_kind(value, &dx_string_class)) {
		dx_json_print_string(stream, dx_string_get(value));
	} else if (dx_object_is_kind(value, &dx_data_class)) {
		print_data(stream, value);
	} else if (dx_object_is_kind(value, &dx_array_class)) {
		print_array(stream, value, depth);
	} else if (dx_object_is_kind(value, &dx_dict_class)) {
		print_dict(stream, value, depth);
	} else {
		(void)fputs("null", stream);
	}
}

void dx_json_print(FILE *stream, const void *value)
{
	print_value(stream, value, 0);
}

void dx_json_print_line(FILE *stream, const void *value)
{
	print_value(stream, value, ONE_LINE);
}
