/* SPDX-License-Identifier: MIT
 *
 * arena - a list of allocations, newest first; see arena.h.
 */
#include "iig/arena.h"

#include <stdalign.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct dx_arena_block {
	struct dx_arena_block *next;
	alignas(max_align_t) char bytes[];
};

void *dx_arena_alloc(struct dx_arena *arena, size_t size)
{
	struct dx_arena_block *block = calloc(1, sizeof(*block) + size);
	if (block == NULL) {
		fputs("iig: error: out of memory\n", stderr);
		exit(1);
	}
	block->next = arena->blocks;
	arena->blocks = block;
	return block->bytes;
}

char *dx_arena_strndup(struct dx_arena *arena, const char *text, size_t len)
{
	char *copy = dx_arena_alloc(arena, len + 1);
	memcpy(copy, text, len);
	return copy;
}

char *dx_arena_strdup(struct dx_arena *arena, const char *text)
{
	return dx_arena_strndup(arena, text, strlen(text));
}

char *dx_arena_printf(struct dx_arena *arena, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	int len = vsnprintf(NULL, 0, format, args);
	va_end(args);
	if (len < 0) {
		return dx_arena_strdup(arena, "");
	}
	char *text = dx_arena_alloc(arena, (size_t)len + 1);
	va_start(args, format);
	(void)vsnprintf(text, (size_t)len + 1, format, args); /* measured above */
	va_end(args);
	return text;
}

void dx_arena_fini(struct dx_arena *arena)
{
	while (arena->blocks != NULL) {
		struct dx_arena_block *block = arena->blocks;
		arena->blocks = block->next;
		free(block);
	}
}
