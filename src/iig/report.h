/* SPDX-License-Identifier: MIT
 *
 * report - messages about the input, in the form that compilers and editors share:
 *
 *	file:line:column: error: what is wrong; what to write instead
 */
#ifndef DX_IIG_REPORT_H
#define DX_IIG_REPORT_H

struct dx_place {
	const char *path; /* NULL: the program itself */
	unsigned int line;
	unsigned int column;
};

struct dx_report {
	unsigned int nr_errors;
};

__attribute__((format(printf, 3, 4))) void
dx_report_error(struct dx_report *report, struct dx_place place, const char *format, ...);
__attribute__((format(printf, 3, 4))) void
dx_report_warning(struct dx_report *report, struct dx_place place, const char *format, ...);
__attribute__((format(printf, 3, 4))) void
dx_report_note(struct dx_report *report, struct dx_place place, const char *format, ...);

#endif
