/* SPDX-License-Identifier: MIT
 *
 * report - one line on standard error for each message; see report.h.
 */
#include "iig/report.h"

#include <stdarg.h>
#include <stdio.h>

static void print(struct dx_place place, const char *kind, const char *format, va_list args)
{
	if (place.path == NULL) {
		fputs("iig: ", stderr);
	} else {
		fprintf(stderr, "%s:%u:%u: ", place.path, place.line, place.column);
	}
	fprintf(stderr, "%s: ", kind);
	vfprintf(stderr, format, args);
	fputc('\n', stderr);
}

void dx_report_error(struct dx_report *report, struct dx_place place, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	print(place, "error", format, args);
	va_end(args);
	report->nr_errors++;
}

void dx_report_warning(struct dx_report *report, struct dx_place place, const char *format, ...)
{
	(void)report;
	va_list args;
	va_start(args, format);
	print(place, "warning", format, args);
	va_end(args);
}

void dx_report_note(struct dx_report *report, struct dx_place place, const char *format, ...)
{
	(void)report;
	va_list args;
	va_start(args, format);
	print(place, "note", format, args);
	va_end(args);
}
