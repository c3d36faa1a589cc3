/* SPDX-License-Identifier: MIT
 *
 * format - formats of os_log(), as the C library can take them.
 *
 * Place:   base.
 */
#ifndef DX_BASE_FORMAT_H
#define DX_BASE_FORMAT_H

#include <stddef.h>

/* Longest log line of a driver or program; more is cut. */
#define DX_FORMAT_MAX_LINE 1024u

/* Copies a format without its modifiers in braces, "%{public}s" becomes "%s"; what does not fit is
 * cut, not in the middle of "%%". */
void dx_format_strip(const char *format, char *stripped, size_t capacity);

#endif
