/* SPDX-License-Identifier: MIT
 *
 * pathutil - small questions about path names.
 *
 * Place:   base. No system calls.
 */
#ifndef DX_BASE_PATHUTIL_H
#define DX_BASE_PATHUTIL_H

#include <stdbool.h>

/* "directory/name", with one slash between; malloc'd, NULL without memory. */
char *dx_path_join(const char *directory, const char *name);
/* The part after the last slash; trailing slashes are not skipped. Borrowed from path. */
const char *dx_path_base(const char *path);
/* True for a name that stays inside its directory: not empty, no slash, not "." or "..". */
bool dx_path_is_plain_name(const char *name);
bool dx_path_has_suffix(const char *path, const char *suffix);

#endif
