/* SPDX-License-Identifier: MIT
 *
 * pathutil - small questions about path names.
 */
#include "base/pathutil.h"

#include <stdio.h>
#include <string.h>

char *dx_path_join(const char *directory, const char *name)
{
	size_t length = strlen(directory);
	bool has_slash = length > 0 && directory[length - 1] == '/';
	char *joined = NULL;

	if (asprintf(&joined, "%s%s%s", directory, has_slash || length == 0 ? "" : "/", name) < 0) {
		return NULL;
	}
	return joined;
}

const char *dx_path_base(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash == NULL ? path : slash + 1;
}

bool dx_path_is_plain_name(const char *name)
{
	return name[0] != '\0' && strchr(name, '/') == NULL && strcmp(name, ".") != 0 &&
	       strcmp(name, "..") != 0;
}

bool dx_path_has_suffix(const char *path, const char *suffix)
{
	size_t length = strlen(path);
	size_t suffix_length = strlen(suffix);

	return length >= suffix_length && strcmp(path + length - suffix_length, suffix) == 0;
}
