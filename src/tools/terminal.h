/* SPDX-License-Identifier: MIT
 *
 * terminal - colours, tables and a progress bar, each only where somebody looks.
 *
 * Place:      tools.
 * Invariants:
 *   X1  no escape sequence leaves through a stream that is no terminal, or when NO_COLOR is set and
 *       not empty, or TERM is "dumb".
 */
#ifndef DX_TOOLS_TERMINAL_H
#define DX_TOOLS_TERMINAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum dx_style { DX_STYLE_PLAIN, DX_STYLE_BOLD, DX_STYLE_DIM, DX_STYLE_GOOD, DX_STYLE_BAD };

/* The sequence that starts a style on stream, or "" (X1); DX_STYLE_PLAIN ends it. */
const char *dx_terminal_style(FILE *stream, enum dx_style style);
/* Text of another process: control characters become '?', so that it cannot drive the terminal. */
void dx_terminal_print_text(FILE *stream, const char *text);

#define DX_TABLE_COLUMNS 8u

/* Rows are collected, then printed with columns as wide as their widest cell. */
struct dx_table {
	const char *const *titles;
	unsigned nr_columns;
	char **cells;
	size_t nr_cells;
	size_t capacity;
};

void dx_table_init(struct dx_table *table, const char *const *titles, unsigned nr_columns);
/* printf-like; cells fill rows from the left. -ENOMEM. */
int dx_table_cell(struct dx_table *table, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
void dx_table_print(const struct dx_table *table, FILE *stream);
void dx_table_fini(struct dx_table *table);

/* A bar that is redrawn at most ten times a second; one plain line per tenth without a terminal. */
struct dx_progress {
	FILE *stream;
	const char *label;
	uint64_t total;
	uint64_t start_ns;
	uint64_t drawn_ns;
	unsigned tenths;
	bool bar;
	bool visible;
	bool hidden; /* nothing is drawn */
};

void dx_progress_init(struct dx_progress *progress, FILE *stream, const char *label,
		      uint64_t total);
void dx_progress_update(struct dx_progress *progress, uint64_t done);
/* Takes the bar away, so that a line can be printed. */
void dx_progress_clear(struct dx_progress *progress);

#endif
