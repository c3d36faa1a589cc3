/* SPDX-License-Identifier: MIT
 *
 * text - a string that grows; the generated files are built in these.
 */
#ifndef DX_IIG_TEXT_H
#define DX_IIG_TEXT_H

#include <stddef.h>

struct dx_arena;

struct dx_text {
	struct dx_arena *arena;
	char *data; /* NUL-terminated; NULL while empty */
	size_t len;
	size_t capacity;
};

void dx_text_append(struct dx_text *text, const char *bytes, size_t len);
void dx_text_puts(struct dx_text *text, const char *string);
__attribute__((format(printf, 2, 3))) void dx_text_printf(struct dx_text *text, const char *format,
							  ...);
/* Never NULL. */
const char *dx_text_string(const struct dx_text *text);

#endif
