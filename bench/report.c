/* SPDX-License-Identifier: MIT
 *
 * report - see report.h.
 */
#include "report.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static int compare(const void *a, const void *b)
{
	double difference = *(const double *)a - *(const double *)b;

	return (difference > 0) - (difference < 0);
}

double percentile(double *values, size_t count, double share)
{
	size_t at = count == 0 ? 0 : (size_t)(share * (double)(count - 1) + 0.5);

	if (count == 0) {
		return 0;
	}
	qsort(values, count, sizeof(values[0]), compare);
	return values[at];
}

static double of_series(const struct series *series, double share)
{
	double copy[REPORT_MAX_SLICES];

	memcpy(copy, series->values, series->count * sizeof(copy[0]));
	return percentile(copy, series->count, share);
}

void series_add(struct series *series, double value)
{
	if (series->count < REPORT_MAX_SLICES) {
		series->values[series->count++] = value;
	}
}

double series_median(const struct series *series)
{
	return of_series(series, 0.5);
}

double series_low(const struct series *series)
{
	return of_series(series, 0);
}

double series_high(const struct series *series)
{
	return of_series(series, 1);
}

uint64_t bench_now_ns(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now); /* cannot fail for this clock */
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

void report_begin(struct report *report, bool json)
{
	*report = (struct report){.json = json};
	if (json) {
		printf("[");
	} else {
		printf("%-5s %-54s %10s %-6s %-21s %8s\n", "row", "what", "median", "", "lowest..highest",
		       "bound");
	}
}

void report_row(struct report *report, const char *id, const char *what, const char *unit,
		const struct series *series, double bound, const char *note)
{
	double median = series_median(series);
	bool over = bound >= 0 && median > bound;
	char spread[40];
	char limit[24] = "-";

	report->nr_over += over;
	if (report->json) {
		printf("%s\n {\"row\": \"%s\", \"what\": \"%s\", \"unit\": \"%s\", \"median\": %.4g, "
		       "\"low\": %.4g, \"high\": %.4g, \"bound\": %.4g, \"over\": %s, \"note\": \"%s\"}",
		       report->nr_rows == 0 ? "" : ",", id, what, unit, median, series_low(series),
		       series_high(series), bound, over ? "true" : "false", note);
	} else {
		(void)snprintf(spread, sizeof(spread), "%.3g..%.3g", series_low(series),
			       series_high(series));
		if (bound >= 0) {
			(void)snprintf(limit, sizeof(limit), "%.4g", bound);
		}
		printf("%-5s %-54s %10.3g %-6s %-21s %8s %s\n", id, what, median, unit, spread, limit,
		       bound < 0 ? "" : over ? "over" : "PASS");
		if (note[0] != '\0') {
			printf("      %s\n", note);
		}
	}
	fflush(stdout);
	report->nr_rows++;
}

void report_end(struct report *report)
{
	if (report->json) {
		printf("\n]\n");
	} else {
		printf("%u rows, %u over their bound\n", report->nr_rows, report->nr_over);
	}
}
