/* SPDX-License-Identifier: MIT
 *
 * build_settings - build settings in files NAME.xcconfig. See build_settings.h.
 */
#include "build_settings.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/pathutil.h"

#define MAX_FILE_BYTES (1u << 20)
#define MAX_DEPTH      8u /* files that include each other */

/* The name without a condition that holds; false for another one. */
static bool plain_name(const char *key, char *name, size_t size)
{
	size_t length = strcspn(key, "[");

	(void)snprintf(name, size, "%.*s", (int)length, key);
	return key[length] == '\0' || strncmp(key + length, "[sdk=driverkit", 14) == 0;
}

static char *with_inherited(const char *text, const char *above)
{
	static const char mark[] = "$(inherited)";
	const char *found = strstr(text, mark);
	char *result = NULL;

	if (found == NULL) {
		return strdup(text);
	}
	return asprintf(&result, "%.*s%s%s", (int)(found - text), text, above == NULL ? "" : above,
			found + strlen(mark)) < 0
		       ? NULL
		       : result;
}

void dx_settings_add(struct dx_variables *variables, const char *key, const char *value)
{
	char name[128];
	DX_CLEANUP_FREE char *whole = NULL;

	if (!plain_name(key, name, sizeof(name))) {
		return;
	}
	whole = with_inherited(value, dx_variables_get(variables, name));
	if (whole == NULL) {
		variables->values.failed = true;
	} else if (whole[0] != '\0' || dx_variables_get(variables, name) == NULL) {
		dx_variables_set(variables, name, whole);
	}
}

/* Without the white space around it, in place. */
static char *trim(char *text)
{
	size_t length = 0;

	text += strspn(text, " \t\r");
	length = strlen(text);
	while (length > 0 && isspace((unsigned char)text[length - 1])) {
		text[--length] = '\0';
	}
	return text;
}

static void add_file(struct dx_variables *variables, const char *path, unsigned depth);

/* At "#include". */
static void include(struct dx_variables *variables, const char *path, char *line, unsigned depth)
{
	char *name = strchr(line, '"');
	char *end = name == NULL ? NULL : strchr(name + 1, '"');
	size_t length = (size_t)(dx_path_base(path) - path);
	DX_CLEANUP_FREE char *file = NULL;

	if (end == NULL || depth >= MAX_DEPTH) {
		return;
	}
	*end = '\0';
	if (asprintf(&file, "%.*s%s", name[1] == '/' ? 0 : (int)length, path, name + 1) < 0) {
		file = NULL;
		variables->values.failed = true;
		return;
	}
	add_file(variables, file, depth + 1);
}

static void add_line(struct dx_variables *variables, const char *path, char *line, unsigned depth)
{
	char *comment = strstr(line, "//");
	char *equals = NULL;

	if (comment != NULL) {
		*comment = '\0';
	}
	line = trim(line);
	if (strncmp(line, "#include", 8) == 0) {
		include(variables, path, line, depth);
		return;
	}
	/* A condition has an equals sign, too: NAME[sdk=driverkit*] = VALUE */
	equals = line + strcspn(line, "=[");
	if (*equals == '[') {
		equals = strchr(equals, ']');
		equals = equals == NULL ? NULL : strchr(equals, '=');
	}
	if (equals != NULL && *equals == '=') {
		*equals = '\0';
		dx_settings_add(variables, trim(line), trim(equals + 1));
	}
}

static void add_file(struct dx_variables *variables, const char *path, unsigned depth)
{
	DX_CLEANUP_FREE void *bytes = NULL;
	size_t length = 0;
	char *rest = NULL;

	if (dx_file_read(path, MAX_FILE_BYTES, &bytes, &length) < 0) {
		return;
	}
	for (char *line = strtok_r(bytes, "\n", &rest); line != NULL;
	     line = strtok_r(NULL, "\n", &rest)) {
		add_line(variables, path, line, depth);
	}
}

void dx_settings_add_file(struct dx_variables *variables, const char *path)
{
	add_file(variables, path, 0);
}

static void complete_value(struct dx_variables *variables, const char *value)
{
	for (const char *at = strchr(value, '$'); at != NULL; at = strchr(at + 1, '$')) {
		size_t length = at[1] == '(' || at[1] == '{' ? strcspn(at + 2, ":)}$ ") : 0;
		DX_CLEANUP_FREE char *name = length == 0 ? NULL : strndup(at + 2, length);

		if (name != NULL && dx_variables_get(variables, name) == NULL) {
			dx_variables_set(variables, name, "");
		}
	}
}

void dx_settings_complete(struct dx_variables *variables)
{
	size_t nr = variables->values.nr;

	for (size_t i = 0; i < nr; i++) {
		complete_value(variables, variables->values.items[i]);
	}
}
