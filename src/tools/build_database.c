/* SPDX-License-Identifier: MIT
 *
 * build_database - compile_commands.json of several builds. See build_database.h.
 */
#include "build_database.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct reader {
	const char *at;
	const char *end;
};

static void skip_space(struct reader *reader)
{
	while (reader->at < reader->end && strchr(" \t\r\n", *reader->at) != NULL &&
	       *reader->at != '\0') {
		reader->at++;
	}
}

static bool take(struct reader *reader, char mark)
{
	skip_space(reader);
	if (reader->at == reader->end || *reader->at != mark) {
		return false;
	}
	reader->at++;
	return true;
}

/* At a quote; goes behind the closing one. */
static bool skip_string(struct reader *reader)
{
	for (reader->at++; reader->at < reader->end && *reader->at != '"'; reader->at++) {
		if (*reader->at == '\\' && reader->end - reader->at > 1) {
			reader->at++;
		}
	}
	if (reader->at == reader->end) {
		return false;
	}
	reader->at++;
	return true;
}

/* An object or list, whatever it has inside. */
static bool skip_nested(struct reader *reader)
{
	size_t depth = 0;

	while (reader->at < reader->end) {
		char c = *reader->at;

		if (c == '"') {
			if (!skip_string(reader)) {
				return false;
			}
			continue;
		}
		depth += c == '{' || c == '[';
		depth -= c == '}' || c == ']';
		reader->at++;
		if (depth == 0) {
			return true;
		}
	}
	return false;
}

/* Whether the object has "output": "PREFIX...", on its first level. */
static bool is_ours(const char *start, const char *end, const char *prefix)
{
	static const char key[] = "\"output\"";
	struct reader reader = {start + 1, end};
	size_t length = strlen(prefix);

	while (reader.at < reader.end) {
		const char *at = reader.at;

		if (*at == '{' || *at == '[') {
			if (!skip_nested(&reader)) {
				return false;
			}
			continue;
		}
		if (*at != '"') {
			reader.at++;
			continue;
		}
		if (!skip_string(&reader)) {
			return false;
		}
		if ((size_t)(reader.at - at) == strlen(key) && strncmp(at, key, strlen(key)) == 0 &&
		    take(&reader, ':') && take(&reader, '"')) {
			return (size_t)(reader.end - reader.at) > length &&
			       strncmp(reader.at, prefix, length) == 0;
		}
	}
	return false;
}

/* Writes those that stay, each with what comes before it. @return false when it is no list. */
static bool keep_others(struct reader *reader, const char *prefix, FILE *out, bool *any)
{
	if (!take(reader, '[')) {
		return false;
	}
	for (;;) {
		const char *start = NULL;

		skip_space(reader);
		start = reader->at;
		if (start == reader->end || *start != '{' || !skip_nested(reader)) {
			return take(reader, ']');
		}
		if (!is_ours(start, reader->at, prefix)) {
			(void)fputs(*any ? ",\n  " : "  ", out);
			(void)fwrite(start, 1, (size_t)(reader->at - start), out);
			*any = true;
		}
		(void)take(reader, ',');
	}
}

int dx_database_merge(const char *old, size_t length, const char *prefix, const char *fresh,
		      char **ret_text)
{
	struct reader reader = {old, old + length};
	char *others = NULL;
	char *text = NULL;
	size_t size = 0;
	bool any = false;
	FILE *out = open_memstream(&others, &size);

	if (out == NULL) {
		return -ENOMEM;
	}
	bool is_list = keep_others(&reader, prefix, out, &any);
	bool failed = fclose(out) != 0;
	if (!failed && asprintf(&text, "[\n%s%s%s\n]\n", is_list ? others : "",
				is_list && any && fresh[0] != '\0' ? ",\n" : "", fresh) < 0) {
		failed = true;
	}
	free(others);
	if (failed) {
		return -ENOMEM;
	}
	*ret_text = text;
	return 0;
}
