/* SPDX-License-Identifier: MIT
 *
 * terminal - colours, tables and a progress bar. See terminal.h.
 */
#include "terminal.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/check.h"
#include "base/clock.h"

#define REDRAW_NS 100000000u
#define BAR_CELLS 30u

static bool is_terminal(FILE *stream)
{
	const char *kind = getenv("TERM");

	return isatty(fileno(stream)) != 0 && (kind == NULL || strcmp(kind, "dumb") != 0);
}

const char *dx_terminal_style(FILE *stream, enum dx_style style)
{
	static const char *const sequences[] = {"\033[0m", "\033[1m", "\033[2m", "\033[32m",
						"\033[31m"};
	const char *refused = getenv("NO_COLOR");

	if ((refused != NULL && refused[0] != '\0') || !is_terminal(stream)) {
		return "";
	}
	return sequences[style];
}

void dx_terminal_print_text(FILE *stream, const char *text)
{
	for (; *text != '\0'; text++) {
		unsigned char c = (unsigned char)*text;

		(void)fputc(c < 0x20 || c == 0x7f ? '?' : c, stream);
	}
}

void dx_table_init(struct dx_table *table, const char *const *titles, unsigned nr_columns)
{
	*table = (struct dx_table){.titles = titles, .nr_columns = nr_columns};
}

int dx_table_cell(struct dx_table *table, const char *format, ...)
{
	va_list arguments;
	char *text = NULL;
	int length = 0;

	if (table->nr_cells == table->capacity) {
		size_t capacity = table->capacity == 0 ? 64 : table->capacity * 2;
		char **cells = realloc(table->cells, capacity * sizeof(*cells));

		if (cells == NULL) {
			return -ENOMEM;
		}
		table->cells = cells;
		table->capacity = capacity;
	}
	va_start(arguments, format);
	length = vasprintf(&text, format, arguments);
	va_end(arguments);
	if (length < 0) {
		return -ENOMEM;
	}
	table->cells[table->nr_cells++] = text;
	return 0;
}

/* Columns on the screen, counting UTF-8 characters and not their bytes. */
static size_t width_of(const char *text)
{
	size_t width = 0;

	for (; *text != '\0'; text++) {
		width += ((unsigned char)*text & 0xc0) != 0x80;
	}
	return width;
}

static void print_cell(FILE *stream, const char *text, size_t width, bool last)
{
	dx_terminal_print_text(stream, text);
	if (last) {
		(void)fputc('\n', stream);
		return;
	}
	for (size_t used = width_of(text); used < width + 2; used++) {
		(void)fputc(' ', stream);
	}
}

void dx_table_print(const struct dx_table *table, FILE *stream)
{
	size_t widths[DX_TABLE_COLUMNS] = {0};
	unsigned columns = table->nr_columns;

	for (unsigned i = 0; i < columns; i++) {
		widths[i] = width_of(table->titles[i]);
	}
	for (size_t i = 0; i < table->nr_cells; i++) {
		size_t width = width_of(table->cells[i]);

		widths[i % columns] = width > widths[i % columns] ? width : widths[i % columns];
	}
	(void)fputs(dx_terminal_style(stream, DX_STYLE_DIM), stream);
	for (unsigned i = 0; i < columns; i++) {
		print_cell(stream, table->titles[i], widths[i], i + 1 == columns);
	}
	(void)fputs(dx_terminal_style(stream, DX_STYLE_PLAIN), stream);
	for (size_t i = 0; i < table->nr_cells; i++) {
		print_cell(stream, table->cells[i], widths[i % columns],
			   i % columns == columns - 1);
	}
}

void dx_table_fini(struct dx_table *table)
{
	for (size_t i = 0; i < table->nr_cells; i++) {
		free(table->cells[i]);
	}
	free(table->cells);
	*table = (struct dx_table){0};
}

void dx_progress_init(struct dx_progress *progress, FILE *stream, const char *label, uint64_t total)
{
	*progress = (struct dx_progress){
		.stream = stream,
		.label = label,
		.total = total == 0 ? 1 : total,
		.start_ns = dx_clock_now_ns(),
		.bar = is_terminal(stream),
	};
}

static void draw_bar(struct dx_progress *progress, uint64_t done, double rate)
{
	char cells[BAR_CELLS + 1];
	size_t full = (size_t)((double)done / (double)progress->total * BAR_CELLS);

	for (size_t i = 0; i < BAR_CELLS; i++) {
		cells[i] = i < full ? '#' : '.';
	}
	cells[BAR_CELLS] = '\0';
	(void)fprintf(progress->stream, "\r%s [%s] %3u %%  %7.1f MB  %7.1f MB/s\033[K",
		      progress->label, cells, (unsigned)(done * 100.0 / progress->total),
		      (double)done / 1e6, rate);
	(void)fflush(progress->stream);
	progress->visible = true;
}

void dx_progress_update(struct dx_progress *progress, uint64_t done)
{
	uint64_t now = dx_clock_now_ns();
	double seconds = (double)(now - progress->start_ns) / 1e9;
	double rate = seconds > 0 ? (double)done / 1e6 / seconds : 0;
	unsigned tenths = 0;

	if (progress->hidden) {
		return;
	}
	done = done > progress->total ? progress->total : done;
	tenths = (unsigned)(done * 10.0 / progress->total);
	if (progress->bar) {
		if (now - progress->drawn_ns >= REDRAW_NS || done == progress->total) {
			progress->drawn_ns = now;
			draw_bar(progress, done, rate);
		}
	} else if (tenths > progress->tenths) {
		progress->tenths = tenths;
		(void)fprintf(progress->stream, "%s %3u %%  %.1f MB  %.1f MB/s\n", progress->label,
			      tenths * 10, (double)done / 1e6, rate);
	}
}

void dx_progress_clear(struct dx_progress *progress)
{
	if (progress->visible) {
		(void)fputs("\r\033[K", progress->stream);
		(void)fflush(progress->stream);
		progress->visible = false;
	}
}
