/* SPDX-License-Identifier: MIT
 *
 * text - growth by doubling in an arena; see text.h.
 */
#include "iig/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "iig/arena.h"

void dx_text_append(struct dx_text *text, const char *bytes, size_t len)
{
	if (text->len + len + 1 > text->capacity) {
		size_t capacity = text->capacity == 0 ? 256 : text->capacity;
		while (capacity < text->len + len + 1) {
			capacity *= 2;
		}
		char *data = dx_arena_alloc(text->arena, capacity);
		if (text->len > 0) {
			memcpy(data, text->data, text->len);
		}
		text->data = data;
		text->capacity = capacity;
	}
	memcpy(text->data + text->len, bytes, len);
	text->len += len;
	text->data[text->len] = '\0';
}

void dx_text_puts(struct dx_text *text, const char *string)
{
	dx_text_append(text, string, strlen(string));
}

void dx_text_printf(struct dx_text *text, const char *format, ...)
{
	char piece[512];
	va_list args;
	va_start(args, format);
	int len = vsnprintf(piece, sizeof(piece), format, args);
	va_end(args);
	if (len < 0) {
		return;
	}
	if ((size_t)len < sizeof(piece)) {
		dx_text_append(text, piece, (size_t)len);
		return;
	}
	char *all = dx_arena_alloc(text->arena, (size_t)len + 1);
	va_start(args, format);
	(void)vsnprintf(all, (size_t)len + 1, format, args); /* measured above */
	va_end(args);
	dx_text_append(text, all, (size_t)len);
}

const char *dx_text_string(const struct dx_text *text)
{
	return text->data == NULL ? "" : text->data;
}
