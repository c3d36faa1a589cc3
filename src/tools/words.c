/* SPDX-License-Identifier: MIT
 *
 * words - a growing list of texts. See words.h.
 */
#include "words.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_CAPACITY 16u

static bool make_room(struct dx_words *words)
{
	size_t capacity = words->capacity == 0 ? FIRST_CAPACITY : words->capacity * 2;
	char **items = NULL;

	if (words->nr + 1 < words->capacity) {
		return true;
	}
	items = reallocarray(words->items, capacity, sizeof(*items));
	if (items == NULL) {
		return false;
	}
	words->items = items;
	words->capacity = capacity;
	return true;
}

/* Takes text over; NULL: there was no memory for it. */
static void add_taken(struct dx_words *words, char *text)
{
	if (text == NULL || !make_room(words)) {
		free(text);
		words->failed = true;
		return;
	}
	words->items[words->nr++] = text;
	words->items[words->nr] = NULL; /* W1 */
}

void dx_words_add(struct dx_words *words, const char *text)
{
	add_taken(words, strdup(text));
}

void dx_words_add_format(struct dx_words *words, const char *format, ...)
{
	char *text = NULL;
	va_list arguments;

	va_start(arguments, format);
	if (vasprintf(&text, format, arguments) < 0) {
		text = NULL;
	}
	va_end(arguments);
	add_taken(words, text);
}

void dx_words_add_list(struct dx_words *words, const char *const *texts)
{
	for (; texts != NULL && *texts != NULL; texts++) {
		dx_words_add(words, *texts);
	}
}

void dx_words_add_all(struct dx_words *words, const struct dx_words *more)
{
	words->failed = words->failed || more->failed;
	for (size_t i = 0; i < more->nr; i++) {
		dx_words_add(words, more->items[i]);
	}
}

void dx_words_add_once(struct dx_words *words, const char *text)
{
	for (size_t i = 0; i < words->nr; i++) {
		if (strcmp(words->items[i], text) == 0) {
			return;
		}
	}
	dx_words_add(words, text);
}

static int compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

void dx_words_sort(struct dx_words *words)
{
	if (words->nr > 1) {
		qsort(words->items, words->nr, sizeof(*words->items), compare);
	}
}

void dx_words_fini(struct dx_words *words)
{
	for (size_t i = 0; i < words->nr; i++) {
		free(words->items[i]);
	}
	free(words->items);
	*words = (struct dx_words){0};
}
