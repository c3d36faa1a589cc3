/* SPDX-License-Identifier: MIT
 *
 * options - parsing of device options; see options.h.
 *
 * Place:      backend/virtual.
 */
#include "backend/virtual/options.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"

void dx_options_fail(struct dx_options *options, const char *format, ...)
{
	va_list arguments;

	if (options->result < 0) {
		return;
	}
	options->result = -EINVAL;
	va_start(arguments, format);
	(void)vsnprintf(options->message, options->message_size, format, arguments);
	va_end(arguments);
}

/* Splits at unescaped commas in place; *text moves to the next part or becomes NULL. */
static char *next_part(char **text)
{
	char *part = *text;
	char *to = part;
	char *from = part;

	for (; *from != '\0' && *from != ','; from++) {
		if (*from == '\\' && from[1] != '\0') {
			from++;
		}
		*to++ = *from;
	}
	*text = *from == ',' ? from + 1 : NULL;
	*to = '\0';
	return part;
}

static struct dx_option *find(struct dx_options *options, const char *key)
{
	for (unsigned i = 0; i < options->nr_options; i++) {
		if (strcmp(options->options[i].key, key) == 0) {
			return &options->options[i];
		}
	}
	return NULL;
}

static void add(struct dx_options *options, char *part)
{
	char *equals = strchr(part, '=');

	if (equals == part || part[0] == '\0') {
		dx_options_fail(options, "\"%s\": expected key=value", part);
		return;
	}
	if (equals != NULL) {
		*equals = '\0';
	}
	if (find(options, part) != NULL) {
		dx_options_fail(options, "%s: given twice", part);
	} else if (options->nr_options == DX_OPTIONS_MAX) {
		dx_options_fail(options, "%s: more than %u keys", part, DX_OPTIONS_MAX);
	} else {
		options->options[options->nr_options++] =
			(struct dx_option){.key = part, .value = equals == NULL ? NULL : equals + 1};
	}
}

int dx_options_parse(struct dx_options *options, const char *text, char *message,
		     size_t message_size)
{
	size_t length = strnlen(text, sizeof(options->text));
	char *rest = options->text;

	*options = (struct dx_options){.message = message, .message_size = message_size};
	if (length == sizeof(options->text)) {
		options->name = "";
		dx_options_fail(options, "longer than %zu bytes", sizeof(options->text) - 1);
		return options->result;
	}
	memcpy(options->text, text, length + 1);
	options->name = next_part(&rest);
	while (rest != NULL && options->result == 0) {
		add(options, next_part(&rest));
	}
	return options->result;
}

const char *dx_options_string(struct dx_options *options, const char *key, const char *fallback)
{
	struct dx_option *option = find(options, key);

	if (option == NULL) {
		return fallback;
	}
	option->known = true;
	if (option->value == NULL) {
		dx_options_fail(options, "\"%s\": expected key=value", key);
		return fallback;
	}
	return option->value;
}

static bool parse_number(const char *text, uint64_t *ret_value)
{
	char *end = NULL;
	uint64_t factor = 1;
	uint64_t value = 0;

	if (*text < '0' || *text > '9') { /* strtoull would take blanks and signs */
		return false;
	}
	errno = 0;
	value = strtoull(text, &end, text[0] == '0' && (text[1] | 0x20) == 'x' ? 16 : 10);
	if (errno != 0) {
		return false;
	}
	switch (*end) {
	case 'G':
		factor *= 1024;
		/* fall through */
	case 'M':
		factor *= 1024;
		/* fall through */
	case 'K':
		factor *= 1024;
		end++;
		break;
	default:
		break;
	}
	return *end == '\0' && !dx_mul_overflow(value, factor, ret_value);
}

uint64_t dx_options_number(struct dx_options *options, const char *key, uint64_t minimum,
			   uint64_t maximum, uint64_t fallback)
{
	const char *text = dx_options_string(options, key, NULL);
	uint64_t value = 0;

	if (text == NULL) {
		return fallback;
	}
	if (!parse_number(text, &value)) {
		dx_options_fail(options, "%s=%s: not a number", key, text);
		return fallback;
	}
	if (value < minimum || value > maximum) {
		dx_options_fail(options, "%s=%s: not in %llu..%llu", key, text,
				(unsigned long long)minimum, (unsigned long long)maximum);
		return fallback;
	}
	return value;
}

static void list_choices(const char *const *names, char *text, size_t size)
{
	size_t used = 0;

	text[0] = '\0';
	for (; *names != NULL && used < size; names++) {
		used += (size_t)snprintf(text + used, size - used, "%s%s", used == 0 ? "" : ", ",
					 *names);
	}
}

unsigned dx_options_choice(struct dx_options *options, const char *key, const char *const *names,
			   unsigned fallback)
{
	const char *text = dx_options_string(options, key, NULL);
	char choices[256];

	if (text == NULL) {
		return fallback;
	}
	for (unsigned i = 0; names[i] != NULL; i++) {
		if (strcmp(names[i], text) == 0) {
			return i;
		}
	}
	list_choices(names, choices, sizeof(choices));
	dx_options_fail(options, "%s=%s: not one of %s", key, text, choices);
	return fallback;
}

bool dx_options_flag(struct dx_options *options, const char *key, bool fallback)
{
	static const char *const names[] = {"no", "yes", NULL};
	struct dx_option *option = find(options, key);

	if (option != NULL && option->value == NULL) {
		option->known = true;
		return true;
	}
	return dx_options_choice(options, key, names, fallback ? 1 : 0) == 1;
}

void dx_options_excuse(struct dx_options *options, const char *key)
{
	struct dx_option *option = find(options, key);

	if (option != NULL) {
		option->known = true;
	}
}

int dx_options_finish(struct dx_options *options)
{
	for (unsigned i = 0; i < options->nr_options; i++) {
		if (!options->options[i].known) {
			dx_options_fail(options, "%s: unknown key", options->options[i].key);
		}
	}
	return options->result;
}
