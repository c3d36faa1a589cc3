/* SPDX-License-Identifier: MIT
 *
 * build_variables - build variables in a property list. See build_variables.h.
 *
 * The list is expanded as text, before it is parsed, so that an error has a line. Comments are
 * copied as they are; what an XML parser would refuse is left for it to refuse.
 */
#include "build_variables.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"

#define DEPTH 16u

struct expansion {
	const struct dx_variables *variables;
	struct dx_variables_error *error;
	FILE *out;
	bool xml; /* escape what variables give */
};

/* A growing text; close() before it is read. */
struct text {
	char *bytes;
	size_t length;
};

static int expand_plain(const struct expansion *expansion, const char *text, size_t length,
			unsigned depth);

void dx_variables_set(struct dx_variables *variables, const char *name, const char *value)
{
	char *copy = NULL;

	for (size_t i = 0; i < variables->names.nr; i++) {
		if (strcmp(variables->names.items[i], name) != 0) {
			continue;
		}
		copy = strdup(value);
		if (copy == NULL) {
			variables->values.failed = true;
			return;
		}
		free(variables->values.items[i]);
		variables->values.items[i] = copy;
		return;
	}
	dx_words_add(&variables->values, value);
	if (!variables->values.failed) {
		dx_words_add(&variables->names, name);
	}
}

static bool is_name(const char *text, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		if (!isalnum((unsigned char)text[i]) && text[i] != '_') {
			return false;
		}
	}
	return length > 0;
}

int dx_variables_set_pair(struct dx_variables *variables, const char *pair)
{
	const char *equals = strchr(pair, '=');
	DX_CLEANUP_FREE char *name = NULL;

	if (equals == NULL || !is_name(pair, (size_t)(equals - pair))) {
		return -EINVAL;
	}
	name = strndup(pair, (size_t)(equals - pair));
	if (name == NULL) {
		return -ENOMEM;
	}
	dx_variables_set(variables, name, equals + 1);
	return variables->values.failed || variables->names.failed ? -ENOMEM : 0;
}

const char *dx_variables_get(const struct dx_variables *variables, const char *name)
{
	for (size_t i = 0; i < variables->names.nr; i++) {
		if (strcmp(variables->names.items[i], name) == 0) {
			return variables->values.items[i];
		}
	}
	return NULL;
}

/* --- Modifiers ------------------------------------------------------------------------------- */

/* Letters and digits stay; the first of an identifier cannot be a digit. */
static void keep_identifier(char *text, char other, bool hyphen)
{
	for (char *c = text; *c != '\0'; c++) {
		bool fine = isalnum((unsigned char)*c) || (hyphen && *c == '-');

		*c = fine && !(c == text && !hyphen && isdigit((unsigned char)*c)) ? *c : other;
	}
}

static int apply_modifier(const struct expansion *expansion, char *value, const char *modifier,
			  size_t length)
{
	static const char *const names[] = {"rfc1034identifier", "c99extidentifier", "identifier",
					    "lower", "upper"};
	size_t found = 0;

	while (found < DX_ARRAY_SIZE(names) &&
	       (strlen(names[found]) != length || strncmp(names[found], modifier, length) != 0)) {
		found++;
	}
	switch (found) {
	case 0:
		keep_identifier(value, '-', true);
		return 0;
	case 1:
	case 2:
		keep_identifier(value, '_', false);
		return 0;
	case 3:
	case 4:
		for (char *c = value; *c != '\0'; c++) {
			*c = (char)(found == 3 ? tolower((unsigned char)*c)
					       : toupper((unsigned char)*c));
		}
		return 0;
	default:
		(void)snprintf(expansion->error->text, sizeof(expansion->error->text),
			       "unknown modifier ':%.*s'; there are rfc1034identifier, "
			       "c99extidentifier, lower, upper and default=VALUE",
			       (int)length, modifier);
		return -EINVAL;
	}
}

static int apply_modifiers(const struct expansion *expansion, char *value, const char *modifiers)
{
	while (*modifiers == ':') {
		size_t length = strcspn(modifiers + 1, ":");
		int rc = strncmp(modifiers + 1, "default=", 8) == 0
				 ? 0
				 : apply_modifier(expansion, value, modifiers + 1, length);

		if (rc < 0) {
			return rc;
		}
		modifiers += 1 + length;
	}
	return 0;
}

/* --- Variables ------------------------------------------------------------------------------- */

static void write_value(const struct expansion *expansion, const char *value)
{
	for (; *value != '\0'; value++) {
		const char *entity = *value == '&'   ? "&amp;"
				     : *value == '<' ? "&lt;"
				     : *value == '>' ? "&gt;"
						     : NULL;

		if (expansion->xml && entity != NULL) {
			(void)fputs(entity, expansion->out);
		} else {
			(void)fputc(*value, expansion->out);
		}
	}
}

/* Expands text into a text of its own, without XML. */
static int expand_aside(const struct expansion *expansion, const char *text, size_t length,
			unsigned depth, char **ret_text)
{
	struct text result = {0};
	struct expansion inner = *expansion;
	int rc = 0;

	inner.xml = false;
	inner.out = open_memstream(&result.bytes, &result.length);
	if (inner.out == NULL) {
		return -ENOMEM;
	}
	rc = expand_plain(&inner, text, length, depth);
	if (fclose(inner.out) != 0 && rc == 0) {
		rc = -ENOMEM;
	}
	if (rc < 0) {
		free(result.bytes);
		return rc;
	}
	*ret_text = result.bytes;
	return 0;
}

/* reference: "NAME" or "NAME:modifier", itself without variables. */
static int expand_reference(const struct expansion *expansion, char *reference, unsigned depth)
{
	DX_CLEANUP_FREE char *value = NULL;
	char *modifiers = strchr(reference, ':');
	DX_CLEANUP_FREE char *rest = strdup(modifiers == NULL ? "" : modifiers);
	const char *fallback = rest == NULL ? NULL : strstr(rest, ":default=");
	const char *found = NULL;
	int rc = 0;

	if (rest == NULL) {
		return -ENOMEM;
	}
	if (modifiers != NULL) {
		*modifiers = '\0';
	}
	found = dx_variables_get(expansion->variables, reference);
	if ((found == NULL || found[0] == '\0') && fallback != NULL) {
		found = fallback + strlen(":default=");
	}
	if (found == NULL) {
		(void)snprintf(expansion->error->text, sizeof(expansion->error->text),
			       "variable $(%s) is not set; give it with -D %s=VALUE", reference,
			       reference);
		return -EINVAL;
	}
	rc = expand_aside(expansion, found, strlen(found), depth + 1, &value);
	if (rc == 0) {
		rc = apply_modifiers(expansion, value, rest);
	}
	if (rc == 0) {
		write_value(expansion, value);
	}
	return rc;
}

/* Where the bracket at text[1] closes, counting the ones inside; NULL: it does not. */
static const char *find_close(const char *text, const char *end)
{
	char open = text[1];
	char close = open == '(' ? ')' : '}';
	unsigned depth = 0;

	for (const char *c = text + 1; c < end && *c != '\n'; c++) {
		depth += *c == open;
		depth -= *c == close;
		if (depth == 0) {
			return c;
		}
	}
	return NULL;
}

static bool is_reference(const char *text, const char *end)
{
	return end - text >= 2 && text[0] == '$' && (text[1] == '(' || text[1] == '{');
}

/* At a reference. @return the number of bytes that it took, or a negative errno. */
static int expand_at(const struct expansion *expansion, const char *text, const char *end,
		     unsigned depth)
{
	const char *close = find_close(text, end);
	DX_CLEANUP_FREE char *reference = NULL;
	int rc = 0;

	if (close == NULL) {
		(void)snprintf(expansion->error->text, sizeof(expansion->error->text),
			       "'$%c' without '%c' on the same line", text[1],
			       text[1] == '(' ? ')' : '}');
		return -EINVAL;
	}
	if (depth >= DEPTH) {
		(void)snprintf(expansion->error->text, sizeof(expansion->error->text),
			       "variable %.*s is defined by itself", (int)(close + 1 - text), text);
		return -EINVAL;
	}
	rc = expand_aside(expansion, text + 2, (size_t)(close - text - 2), depth, &reference);
	if (rc == 0) {
		rc = expand_reference(expansion, reference, depth);
	}
	return rc < 0 ? rc : (int)(close + 1 - text);
}

static int expand_plain(const struct expansion *expansion, const char *text, size_t length,
			unsigned depth)
{
	const char *end = text + length;

	while (text < end) {
		int taken = 1;

		if (is_reference(text, end)) {
			taken = expand_at(expansion, text, end, depth);
		} else {
			(void)fputc(*text, expansion->out);
		}
		if (taken < 0) {
			return taken;
		}
		text += taken;
	}
	return 0;
}

/* --- Property lists -------------------------------------------------------------------------- */

/* Length of what is to be copied unseen at text: a comment, else 0. */
static size_t skip_comment(const char *text)
{
	const char *end = NULL;

	if (strncmp(text, "<!--", 4) != 0) {
		return 0;
	}
	end = strstr(text, "-->");
	return end == NULL ? strlen(text) : (size_t)(end + 3 - text);
}

static void note_key(struct dx_variables_error *error, const char *text)
{
	size_t length = 0;

	if (strncmp(text, "<key>", 5) == 0) {
		length = strcspn(text + 5, "<");
		(void)snprintf(error->key, sizeof(error->key), "%.*s", (int)length, text + 5);
	}
}

static int expand_list(const struct expansion *expansion, const char *text)
{
	const char *end = text + strlen(text);

	expansion->error->line = 1;
	while (text < end) {
		size_t comment = skip_comment(text);
		int taken = 1;

		if (comment > 0) {
			for (size_t i = 0; i < comment; i++) {
				expansion->error->line += text[i] == '\n';
			}
			(void)fwrite(text, 1, comment, expansion->out);
			text += comment;
			continue;
		}
		note_key(expansion->error, text);
		if (is_reference(text, end)) {
			taken = expand_at(expansion, text, end, 0);
		} else {
			expansion->error->line += *text == '\n';
			(void)fputc(*text, expansion->out);
		}
		if (taken < 0) {
			return taken;
		}
		text += taken;
	}
	return 0;
}

/* Length of "@NAME@" at text; 0: something else is there. */
static size_t mark_length(const char *text)
{
	size_t length = 0;

	if (text[0] != '@') {
		return 0;
	}
	while (isalnum((unsigned char)text[1 + length]) || text[1 + length] == '_') {
		length++;
	}
	return length > 0 && text[1 + length] == '@' ? length + 2 : 0;
}

static int expand_mark(const struct expansion *expansion, const char *text, size_t length)
{
	DX_CLEANUP_FREE char *reference = strndup(text + 1, length - 2);
	int rc = reference == NULL ? -ENOMEM : expand_reference(expansion, reference, 0);

	if (rc == -EINVAL && dx_variables_get(expansion->variables, reference) == NULL) {
		(void)snprintf(expansion->error->text, sizeof(expansion->error->text),
			       "%.*s is not set; give it with -D %s=VALUE", (int)length, text,
			       reference);
	}
	return rc;
}

static int expand_template(const struct expansion *expansion, const char *text)
{
	int rc = 0;

	expansion->error->line = 1;
	while (rc == 0 && *text != '\0') {
		size_t length = mark_length(text);

		if (length > 0) {
			rc = expand_mark(expansion, text, length);
			text += length;
			continue;
		}
		expansion->error->line += *text == '\n';
		(void)fputc(*text++, expansion->out);
	}
	return rc;
}

static int expand_whole(struct expansion *expansion, const char *text,
			int (*expand)(const struct expansion *, const char *), char **ret_text)
{
	struct text result = {0};
	int rc = 0;

	*expansion->error = (struct dx_variables_error){0};
	expansion->out = open_memstream(&result.bytes, &result.length);
	if (expansion->out == NULL) {
		return -ENOMEM;
	}
	rc = expand(expansion, text);
	if (fclose(expansion->out) != 0 && rc == 0) {
		rc = -ENOMEM;
	}
	if (rc < 0) {
		free(result.bytes);
		return rc;
	}
	*ret_text = result.bytes;
	return 0;
}

int dx_variables_expand(const struct dx_variables *variables, const char *text, char **ret_text,
			struct dx_variables_error *ret_error)
{
	struct expansion expansion = {.variables = variables, .error = ret_error, .xml = true};

	return expand_whole(&expansion, text, expand_list, ret_text);
}

int dx_variables_expand_template(const struct dx_variables *variables, const char *text,
				 char **ret_text, struct dx_variables_error *ret_error)
{
	struct expansion expansion = {.variables = variables, .error = ret_error};

	return expand_whole(&expansion, text, expand_template, ret_text);
}

int dx_variables_expand_value(const struct dx_variables *variables, const char *text,
			      char **ret_text, struct dx_variables_error *ret_error)
{
	struct expansion expansion = {.variables = variables, .error = ret_error};

	*ret_error = (struct dx_variables_error){0};
	return expand_aside(&expansion, text, strlen(text), 0, ret_text);
}

void dx_variables_fini(struct dx_variables *variables)
{
	dx_words_fini(&variables->names);
	dx_words_fini(&variables->values);
}
