/* SPDX-License-Identifier: MIT
 *
 * report - series of slices, and the rows that are printed from them.
 */
#ifndef DX_BENCH_REPORT_H
#define DX_BENCH_REPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define REPORT_MAX_SLICES 101u

struct series {
	double values[REPORT_MAX_SLICES];
	unsigned count;
};

void series_add(struct series *series, double value);
double series_median(const struct series *series);
double series_low(const struct series *series);	 /* of all slices: nothing is thrown away */
double series_high(const struct series *series);
/* Value at share (0..1) of count numbers, which are sorted in place. */
double percentile(double *values, size_t count, double share);

struct report {
	bool json;
	unsigned nr_rows;
	unsigned nr_over;
};

void report_begin(struct report *report, bool json);
/*
 * One line. series: the ratio, or the value in unit. bound: largest that passes, < 0: none.
 * note: the absolute figures behind it, for people.
 */
void report_row(struct report *report, const char *id, const char *what, const char *unit,
		const struct series *series, double bound, const char *note);
void report_end(struct report *report);

uint64_t bench_now_ns(void);

#endif
