/* SPDX-License-Identifier: MIT
 *
 * openstep - property lists as NeXT wrote them. See openstep.h.
 */
#include "openstep.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/value.h"

#define MAX_DEPTH  32u
#define MAX_VALUES 500000u

struct reader {
	const char *at;
	const char *end;
	unsigned line;
	unsigned nr_values;
};

static void step(struct reader *reader)
{
	reader->line += *reader->at == '\n';
	reader->at++;
}

static bool starts(const struct reader *reader, const char *text)
{
	size_t length = strlen(text);

	return (size_t)(reader->end - reader->at) >= length &&
	       memcmp(reader->at, text, length) == 0;
}

static int skip_comment(struct reader *reader, const char *close)
{
	while (reader->at < reader->end && !starts(reader, close)) {
		step(reader);
	}
	if (reader->at == reader->end) {
		return close[0] == '\n' ? 0 : -EPROTO;
	}
	for (size_t i = 0; close[i] != '\0'; i++) {
		step(reader);
	}
	return 0;
}

/* White space and comments. */
static int skip_space(struct reader *reader)
{
	int rc = 0;

	while (rc == 0 && reader->at < reader->end) {
		if (isspace((unsigned char)*reader->at)) {
			step(reader);
		} else if (starts(reader, "/*")) {
			reader->at += 2;
			rc = skip_comment(reader, "*/");
		} else if (starts(reader, "//")) {
			rc = skip_comment(reader, "\n");
		} else {
			return 0;
		}
	}
	return rc;
}

/* The mark must come next. */
static int take_mark(struct reader *reader, char mark)
{
	int rc = skip_space(reader);

	if (rc < 0 || reader->at == reader->end || *reader->at != mark) {
		return -EPROTO;
	}
	step(reader);
	return 0;
}

/* @return 1 when the mark was next, and was taken; 0 when something else is; -EPROTO. */
static int take_if(struct reader *reader, char mark)
{
	int rc = skip_space(reader);

	if (rc < 0 || reader->at == reader->end) {
		return -EPROTO;
	}
	if (*reader->at != mark) {
		return 0;
	}
	step(reader);
	return 1;
}

static bool is_plain(char c)
{
	return isalnum((unsigned char)c) || (c != '\0' && strchr("_$/:.-+@%", c) != NULL);
}

static char unescape(char c)
{
	static const char from[] = "abfnrtv";
	static const char to[] = "\a\b\f\n\r\t\v";
	const char *found = c == '\0' ? NULL : strchr(from, c);

	return found == NULL ? c : to[found - from];
}

/* Behind the first quote. \ooo and \Uxxxx do not occur in projects and stay as they are. */
static int read_quoted(struct reader *reader, char quote, FILE *out)
{
	while (reader->at < reader->end && *reader->at != quote) {
		char c = *reader->at;

		step(reader);
		if (c == '\\') {
			if (reader->at == reader->end) {
				return -EPROTO;
			}
			c = unescape(*reader->at);
			step(reader);
		}
		(void)fputc(c, out);
	}
	if (reader->at == reader->end) {
		return -EPROTO;
	}
	step(reader);
	return 0;
}

static int read_text_into(struct reader *reader, FILE *out)
{
	char first = *reader->at;

	if (first == '"' || first == '\'') {
		step(reader);
		return read_quoted(reader, first, out);
	}
	if (!is_plain(first)) {
		return -EPROTO;
	}
	while (reader->at < reader->end && is_plain(*reader->at)) {
		(void)fputc(*reader->at, out);
		step(reader);
	}
	return 0;
}

static int read_text(struct reader *reader, char **ret_text, size_t *ret_length)
{
	char *text = NULL;
	size_t length = 0;
	FILE *out = reader->at == reader->end ? NULL : open_memstream(&text, &length);
	int rc = 0;

	if (out == NULL) {
		return reader->at == reader->end ? -EPROTO : -ENOMEM;
	}
	rc = read_text_into(reader, out);
	if (fclose(out) != 0 && rc == 0) {
		rc = -ENOMEM;
	}
	if (rc == 0 && !dx_string_is_valid(text, length)) {
		rc = -EPROTO; /* O1 */
	}
	if (rc < 0) {
		free(text);
		return rc;
	}
	*ret_text = text;
	*ret_length = length;
	return 0;
}

static int read_string(struct reader *reader, void **ret_value)
{
	DX_CLEANUP_FREE char *text = NULL;
	size_t length = 0;
	int rc = read_text(reader, &text, &length);

	if (rc < 0) {
		return rc;
	}
	*ret_value = dx_string_new_length(text, length);
	return *ret_value == NULL ? -ENOMEM : 0;
}

static int hex(char c)
{
	const char digits[] = "0123456789abcdef";
	const char *found = c == '\0' ? NULL : strchr(digits, tolower((unsigned char)c));

	return found == NULL ? -1 : (int)(found - digits);
}

static int read_data(struct reader *reader, void **ret_value)
{
	struct dx_data *data = dx_data_new(NULL, 0);
	int rc = data == NULL ? -ENOMEM : take_mark(reader, '<');

	while (rc == 0) {
		uint8_t byte = 0;

		rc = take_if(reader, '>');
		if (rc != 0) {
			break;
		}
		if (reader->end - reader->at < 2 || hex(reader->at[0]) < 0 ||
		    hex(reader->at[1]) < 0) {
			rc = -EPROTO;
			break;
		}
		byte = (uint8_t)(hex(reader->at[0]) << 4 | hex(reader->at[1]));
		reader->at += 2;
		rc = dx_data_append(data, &byte, 1);
	}
	if (rc < 0) {
		(void)dx_object_unref(data); /* always NULL */
		return rc;
	}
	*ret_value = data;
	return 0;
}

static int read_value(struct reader *reader, unsigned depth, void **ret_value);

static int read_items(struct reader *reader, unsigned depth, struct dx_array *array)
{
	int rc = take_mark(reader, '(');

	while (rc == 0) {
		void *value = NULL;

		rc = take_if(reader, ')');
		if (rc != 0) {
			return rc < 0 ? rc : 0;
		}
		rc = read_value(reader, depth + 1, &value);
		if (rc == 0) {
			rc = dx_array_append(array, value);
			(void)dx_object_unref(value); /* always NULL */
		}
		if (rc == 0) {
			rc = take_if(reader, ','); /* may follow the last one, too */
			if (rc == 0) {
				return take_mark(reader, ')');
			}
			rc = rc < 0 ? rc : 0;
		}
	}
	return rc;
}

static int read_member(struct reader *reader, unsigned depth, struct dx_dict *dict)
{
	DX_CLEANUP_FREE char *key = NULL;
	size_t length = 0;
	void *value = NULL;
	int rc = read_text(reader, &key, &length);

	if (rc == 0) {
		rc = take_mark(reader, '=');
	}
	if (rc == 0) {
		rc = read_value(reader, depth + 1, &value);
	}
	if (rc == 0) {
		rc = dx_dict_set(dict, key, value);
		(void)dx_object_unref(value); /* always NULL */
	}
	return rc < 0 ? rc : take_mark(reader, ';');
}

static int read_members(struct reader *reader, unsigned depth, struct dx_dict *dict)
{
	int rc = take_mark(reader, '{');

	while (rc == 0) {
		rc = take_if(reader, '}');
		if (rc != 0) {
			return rc < 0 ? rc : 0;
		}
		rc = read_member(reader, depth, dict);
	}
	return rc;
}

/* Into a container that is given up when it cannot be filled. */
static int read_container(struct reader *reader, unsigned depth, bool is_dict, void **ret_value)
{
	void *container = is_dict ? (void *)dx_dict_new() : (void *)dx_array_new();
	int rc = container == NULL ? -ENOMEM
		 : is_dict         ? read_members(reader, depth, container)
				   : read_items(reader, depth, container);

	if (rc < 0) {
		(void)dx_object_unref(container); /* always NULL */
		return rc;
	}
	*ret_value = container;
	return 0;
}

static int read_value(struct reader *reader, unsigned depth, void **ret_value)
{
	int rc = skip_space(reader);

	if (rc < 0 || reader->at == reader->end || depth > MAX_DEPTH ||
	    ++reader->nr_values > MAX_VALUES) {
		return -EPROTO; /* O2 */
	}
	switch (*reader->at) {
	case '{':
		return read_container(reader, depth, true, ret_value);
	case '(':
		return read_container(reader, depth, false, ret_value);
	case '<':
		return read_data(reader, ret_value);
	default:
		return read_string(reader, ret_value);
	}
}

int dx_openstep_decode(const char *text, size_t length, void **ret_value, unsigned *ret_line)
{
	struct reader reader = {.at = text, .end = text + length, .line = 1};
	void *value = NULL;
	int rc = read_value(&reader, 0, &value);

	if (rc == 0) {
		rc = skip_space(&reader);
		if (rc == 0 && reader.at != reader.end) {
			rc = -EPROTO;
		}
	}
	if (rc < 0) {
		(void)dx_object_unref(value); /* always NULL */
		*ret_line = reader.line;
		return rc;
	}
	*ret_value = value;
	return 0;
}
