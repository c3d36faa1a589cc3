/* SPDX-License-Identifier: MIT
 *
 * arena - memory of one run of the generator, freed in one go.
 *
 * Trees of classes, methods and strings live as long as the run, so nobody frees parts of them.
 * Without memory the program ends: there is nothing it could still do.
 */
#ifndef DX_IIG_ARENA_H
#define DX_IIG_ARENA_H

#include <stddef.h>

struct dx_arena_block;

struct dx_arena {
	struct dx_arena_block *blocks;
};

/* Zeroed, aligned for anything. */
void *dx_arena_alloc(struct dx_arena *arena, size_t size);
char *dx_arena_strndup(struct dx_arena *arena, const char *text, size_t len);
char *dx_arena_strdup(struct dx_arena *arena, const char *text);
__attribute__((format(printf, 2, 3))) char *dx_arena_printf(struct dx_arena *arena,
							    const char *format, ...);
void dx_arena_fini(struct dx_arena *arena);

#endif
