/* SPDX-License-Identifier: MIT
 *
 * json - property values as JSON text.
 *
 * Place:   tools; for --json. Data becomes a string of hexadecimal digits: JSON has no bytes.
 */
#ifndef DX_TOOLS_JSON_H
#define DX_TOOLS_JSON_H

#include <stdio.h>

/* A value of base/value.h, indented by two spaces per level, without a line end. */
void dx_json_print(FILE *stream, const void *value);
/* The same on one line. */
void dx_json_print_line(FILE *stream, const void *value);
/* A quoted string; bytes that are no UTF-8 become U+FFFD. */
void dx_json_print_string(FILE *stream, const char *text);

#endif
