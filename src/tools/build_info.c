/* SPDX-License-Identifier: MIT
 *
 * build_info - the Info.plist of a bundle that is being built. See build_info.h.
 */
#include "build_info.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/pathutil.h"
#include "base/plist.h"

#define MAX_CODE_BYTES (1ull << 30) /* a driver with its debug information */

static int decode(const struct dx_tool *tool, const char *path, const void *bytes, size_t length,
		  void **ret_value)
{
	unsigned line = 0;
	int rc = dx_plist_decode(bytes, length, ret_value, &line);

	if (rc == 0) {
		return DX_TOOL_OK;
	}
	if (line > 0) {
		return dx_tool_fail(tool, DX_TOOL_FAILED, "%s:%u: is not a property list", path,
				    line);
	}
	return dx_tool_fail(tool, DX_TOOL_FAILED, "%s: %s", path,
			    rc == -EPROTO ? "is not a property list" : strerror(-rc));
}

/* The list as XML text, whatever it is on disk. */
static int read_text(const struct dx_tool *tool, const char *path, char **ret_text)
{
	DX_CLEANUP_FREE void *bytes = NULL;
	size_t length = 0;
	void *value = NULL;
	int rc = dx_file_read(path, DX_MAX_PLIST_BYTES, &bytes, &length);

	if (rc < 0) {
		return dx_tool_fail(tool, DX_TOOL_FAILED, "%s: %s", path, strerror(-rc));
	}
	if (length < 6 || memcmp(bytes, "bplist", 6) != 0) {
		if (strlen(bytes) != length) {
			return dx_tool_fail(tool, DX_TOOL_FAILED, "%s: is not a property list",
					    path);
		}
		*ret_text = dx_take_ptr(&bytes);
		return DX_TOOL_OK;
	}
	rc = decode(tool, path, bytes, length, &value);
	if (rc != DX_TOOL_OK) {
		return rc;
	}
	rc = dx_plist_encode_xml(value, ret_text, &length);
	(void)dx_object_unref(value); /* always NULL */
	return rc == 0 ? DX_TOOL_OK
		       : dx_tool_fail(tool, DX_TOOL_FAILED, "%s: %s", path, strerror(-rc));
}

static int expand(const struct dx_tool *tool, const char *path,
		  const struct dx_variables *variables, const char *text, char **ret_text)
{
	struct dx_variables_error error = {0};
	int rc = dx_variables_expand(variables, text, ret_text, &error);

	if (rc == 0) {
		return DX_TOOL_OK;
	}
	if (rc != -EINVAL) {
		return dx_tool_fail(tool, DX_TOOL_FAILED, "%s: %s", path, strerror(-rc));
	}
	return dx_tool_fail(tool, DX_TOOL_FAILED, "%s:%u: %s%s%s%s", path, error.line,
			    error.key[0] == '\0' ? "" : "key ", error.key,
			    error.key[0] == '\0' ? "" : ": ", error.text);
}

/* The line of a key that comes before this value, or of the key alone (value NULL); 0: nowhere. */
static unsigned find_line(const char *text, const char *key, const char *value)
{
	char element[256];
	char wanted[256];
	unsigned line = 1;
	const char *counted = text;

	(void)snprintf(element, sizeof(element), "<key>%s</key>", key);
	(void)snprintf(wanted, sizeof(wanted), "<string>%s</string>", value == NULL ? "" : value);
	for (const char *at = strstr(text, element); at != NULL; at = strstr(at + 1, element)) {
		const char *after = at + strlen(element);

		after += strspn(after, " \t\r\n");
		for (; counted < at; counted++) {
			line += *counted == '\n';
		}
		if (value == NULL || strncmp(after, wanted, strlen(wanted)) == 0) {
			return line;
		}
	}
	return 0;
}

/* Goes on, unlike refuse(). */
static void warn(const struct dx_tool *tool, const struct dx_build_info *info, const char *key,
		 const char *value, const char *why)
{
	unsigned line = find_line(info->text, key, value);

	if (line == 0) {
		dx_tool_say(tool, "%s: warning: key %s: %s", info->path, key, why);
	} else {
		dx_tool_say(tool, "%s:%u: warning: key %s: %s", info->path, line, key, why);
	}
}

static int refuse(const struct dx_tool *tool, const struct dx_build_info *info, const char *key,
		  const char *value, const char *why)
{
	unsigned line = find_line(info->text, key, value);

	if (line == 0) {
		return dx_tool_fail(tool, DX_TOOL_FAILED, "%s: key %s: %s", info->path, key, why);
	}
	return dx_tool_fail(tool, DX_TOOL_FAILED, "%s:%u: key %s: %s", info->path, line, key, why);
}

static int check_personality(const struct dx_tool *tool, const struct dx_build_info *info,
			     const char *name, const void *value)
{
	static const char *const needed[] = {"IOProviderClass", "IOUserClass", NULL};

	if (!dx_object_is_kind(value, &dx_dict_class)) {
		return refuse(tool, info, name, NULL, "must be a dictionary, a personality");
	}
	for (size_t i = 0; needed[i] != NULL; i++) {
		const void *found = dx_dict_get(value, needed[i]);

		if (found == NULL) {
			return dx_tool_fail(tool, DX_TOOL_FAILED,
					    "%s: key IOKitPersonalities.%s.%s is missing",
					    info->path, name, needed[i]);
		}
		if (!dx_object_is_kind(found, &dx_string_class)) {
			return refuse(tool, info, needed[i], NULL, "must be a string");
		}
	}
	return DX_TOOL_OK;
}

static int check_dict(const struct dx_tool *tool, const struct dx_build_info *info)
{
	const void *identifier = dx_dict_get(info->dict, "CFBundleIdentifier");
	const struct dx_dict *personalities = dx_dict_get(info->dict, "IOKitPersonalities");
	const char *name = NULL;
	void *value = NULL;
	int code = DX_TOOL_OK;

	if (identifier == NULL || !dx_object_is_kind(identifier, &dx_string_class)) {
		return refuse(tool, info, "CFBundleIdentifier", NULL, "must be a string");
	}
	if (personalities == NULL || !dx_object_is_kind(personalities, &dx_dict_class) ||
	    dx_dict_count(personalities) == 0) {
		return refuse(tool, info, "IOKitPersonalities", NULL,
			      personalities == NULL ? "is missing"
						    : "must be a dictionary of personalities");
	}
	for (size_t i = 0; code == DX_TOOL_OK && dx_dict_at(personalities, i, &name, &value); i++) {
		code = check_personality(tool, info, name, value);
	}
	return code;
}

/* What Xcode adds to a list that lacks it, as NAME, value, NAME, value. */
static const char *const additions[] = {
	"CFBundleIdentifier",
	"$(PRODUCT_BUNDLE_IDENTIFIER)",
	"CFBundleExecutable",
	"$(EXECUTABLE_NAME)",
	"CFBundleName",
	"$(PRODUCT_NAME)",
	"CFBundlePackageType",
	"$(PRODUCT_BUNDLE_PACKAGE_TYPE)",
	"CFBundleVersion",
	"$(CURRENT_PROJECT_VERSION)",
	"CFBundleShortVersionString",
	"$(MARKETING_VERSION)",
	NULL,
};

/* Behind the first <dict>, on its line: the lines of the rest stay where they are. */
static char *add_missing(const char *text, const struct dx_dict *dict)
{
	const char *top = strstr(text, "<dict>");
	size_t head = top == NULL ? 0 : (size_t)(top - text) + strlen("<dict>");
	char *result = NULL;
	size_t length = 0;
	FILE *stream = top == NULL ? NULL : open_memstream(&result, &length);

	if (stream == NULL) {
		return strdup(text);
	}
	(void)fwrite(text, 1, head, stream);
	for (size_t i = 0; additions[i] != NULL; i += 2) {
		if (dx_dict_get(dict, additions[i]) == NULL) {
			(void)fprintf(stream, "<key>%s</key><string>%s</string>", additions[i],
				      additions[i + 1]);
		}
	}
	(void)fputs(text + head, stream);
	if (fclose(stream) != 0) {
		free(result);
		return NULL;
	}
	return result;
}

static int read_expanded(const struct dx_tool *tool, const char *path,
			 const struct dx_variables *variables, const char *text,
			 struct dx_build_info *info)
{
	void *value = NULL;
	int code = expand(tool, path, variables, text, &info->text);

	if (code == DX_TOOL_OK) {
		code = decode(tool, path, info->text, strlen(info->text), &value);
	}
	if (code == DX_TOOL_OK && !dx_object_is_kind(value, &dx_dict_class)) {
		(void)dx_object_unref(value); /* always NULL */
		value = NULL;
		code = dx_tool_fail(tool, DX_TOOL_FAILED, "%s: the top of it is not a dictionary",
				    path);
	}
	info->dict = value;
	return code;
}

int dx_build_info_read(const struct dx_tool *tool, const char *path,
		       const struct dx_variables *variables, struct dx_build_info *ret_info)
{
	struct dx_build_info info = {.path = path};
	DX_CLEANUP_FREE char *text = NULL;
	DX_CLEANUP_FREE char *full = NULL;
	int code = read_text(tool, path, &text);

	if (code == DX_TOOL_OK) {
		code = read_expanded(tool, path, variables, text, &info);
	}
	if (code == DX_TOOL_OK) {
		full = add_missing(text, info.dict);
		dx_build_info_fini(&info);
		info.path = path;
		code = full == NULL ? dx_tool_fail(tool, DX_TOOL_FAILED, "%s: %s", path,
						   strerror(ENOMEM))
				    : read_expanded(tool, path, variables, full, &info);
	}
	if (code == DX_TOOL_OK) {
		code = check_dict(tool, &info);
	}
	if (code != DX_TOOL_OK) {
		dx_build_info_fini(&info);
		return code;
	}
	*ret_info = info;
	return DX_TOOL_OK;
}

int dx_build_info_executable(const struct dx_tool *tool, const struct dx_build_info *info,
			     const char *fallback, const char **ret_name)
{
	const void *value = dx_dict_get(info->dict, "CFBundleExecutable");
	const char *name = fallback;

	if (value != NULL) {
		if (!dx_object_is_kind(value, &dx_string_class)) {
			return refuse(tool, info, "CFBundleExecutable", NULL, "must be a string");
		}
		name = dx_string_get(value);
	}
	if (!dx_path_is_plain_name(name)) {
		return refuse(tool, info, "CFBundleExecutable", NULL, "must be a plain file name");
	}
	*ret_name = name;
	return DX_TOOL_OK;
}

/* A class of the driver must be among the texts of its code. With its NUL: classes are registered
 * under their names. */
static bool is_defined(const char *name, const void *code_bytes, size_t code_length)
{
	return memmem(code_bytes, code_length, name, strlen(name) + 1) != NULL;
}

/* Dictionaries inside a personality name what Create() makes, which the driver may never do. */
static void warn_of_missing(const struct dx_tool *tool, const struct dx_build_info *info,
			    const void *value, const void *code_bytes, size_t code_length)
{
	const char *key = NULL;
	void *member = NULL;
	char why[256];

	for (size_t i = 0; dx_dict_at(value, i, &key, &member); i++) {
		const char *name = strcmp(key, "IOUserClass") != 0
					   ? NULL
					   : dx_dict_get_string(value, key, NULL);

		if (dx_object_is_kind(member, &dx_dict_class)) {
			warn_of_missing(tool, info, member, code_bytes, code_length);
		}
		if (name != NULL && !is_defined(name, code_bytes, code_length)) {
			(void)snprintf(why, sizeof(why),
				       "no source defines a class '%s': Create() will fail", name);
			warn(tool, info, key, name, why);
		}
	}
}

static int check_class(const struct dx_tool *tool, const struct dx_build_info *info,
		       const struct dx_dict *personality, const void *code_bytes,
		       size_t code_length)
{
	const char *name = dx_dict_get_string(personality, "IOUserClass", "");
	const char *key = NULL;
	void *member = NULL;
	char why[256];

	if (!is_defined(name, code_bytes, code_length)) {
		(void)snprintf(why, sizeof(why), "no source defines a class '%s'", name);
		return refuse(tool, info, "IOUserClass", name, why);
	}
	for (size_t i = 0; dx_dict_at(personality, i, &key, &member); i++) {
		if (dx_object_is_kind(member, &dx_dict_class)) {
			warn_of_missing(tool, info, member, code_bytes, code_length);
		}
	}
	return DX_TOOL_OK;
}

int dx_build_info_check_classes(const struct dx_tool *tool, const struct dx_build_info *info,
				const char *shared_object)
{
	DX_CLEANUP_FREE void *bytes = NULL;
	size_t length = 0;
	int rc = dx_file_read(shared_object, MAX_CODE_BYTES, &bytes, &length);
	const struct dx_dict *personalities = dx_dict_get(info->dict, "IOKitPersonalities");
	const char *key = NULL;
	void *personality = NULL;
	int code = DX_TOOL_OK;

	if (rc < 0) {
		return dx_tool_fail(tool, DX_TOOL_FAILED, "%s: %s", shared_object, strerror(-rc));
	}
	for (size_t i = 0; code == DX_TOOL_OK && dx_dict_at(personalities, i, &key, &personality);
	     i++) {
		code = check_class(tool, info, personality, bytes, length);
	}
	return code;
}

void dx_build_info_fini(struct dx_build_info *info)
{
	free(info->text);
	(void)dx_object_unref(info->dict); /* always NULL */
	*info = (struct dx_build_info){0};
}
