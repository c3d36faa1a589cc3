/* SPDX-License-Identifier: MIT
 *
 * words - a growing list of texts: arguments of a program, names of files.
 *
 * Place:      tools.
 * Invariants:
 *   W1  items[nr] is NULL, once there are items: the list is an argument vector.
 *   W2  without memory nothing is added and failed is set; the owner looks once, at the end.
 */
#ifndef DX_TOOLS_WORDS_H
#define DX_TOOLS_WORDS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/cleanup.h"

struct dx_words {
	char **items; /* NULL while there are none */
	size_t nr;
	size_t capacity;
	bool failed; /* W2 */
};

/* Copies text. */
void dx_words_add(struct dx_words *words, const char *text);
void dx_words_add_format(struct dx_words *words, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/* A NULL-terminated list. */
void dx_words_add_list(struct dx_words *words, const char *const *texts);
void dx_words_add_all(struct dx_words *words, const struct dx_words *more);
/* Adds text unless it is there. */
void dx_words_add_once(struct dx_words *words, const char *text);
void dx_words_sort(struct dx_words *words);
void dx_words_fini(struct dx_words *words);

#define DX_CLEANUP_WORDS DX_CLEANUP(dx_words_fini)

#endif
