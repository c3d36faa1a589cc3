/* SPDX-License-Identifier: MIT
 *
 * calls - the rows about scalar calls; see calls.h.
 */
#include "calls.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "driver/bench.h"
#include "report.h"
#include "sleepers.h"
#include "system.h"
#include "yardstick.h"

#define MAX_SAMPLES 400000u

static double samples[MAX_SAMPLES];

void calls_scalars(io_connect_t connect)
{
	uint64_t words[16] = {1, 2, 3, 4};
	uint32_t nr_output = 16;

	bench_must(IOConnectCallScalarMethod(connect, BENCH_SCALARS, words, 16, words, &nr_output),
		   "call");
}

double calls_ns(io_connect_t connect, unsigned ms, unsigned gap_us, double *ret_p99)
{
	uint64_t end_ns = bench_now_ns() + (uint64_t)ms * 1000000;
	size_t count = 0;

	while (count < MAX_SAMPLES && (count < 5 || bench_now_ns() < end_ns)) {
		uint64_t begin_ns;

		if (gap_us != 0) {
			bench_pause_us(gap_us);
		}
		begin_ns = bench_now_ns();
		calls_scalars(connect);
		samples[count++] = (double)(bench_now_ns() - begin_ns);
	}
	if (ret_p99 != NULL) {
		*ret_p99 = percentile(samples, count, 0.99);
	}
	return percentile(samples, count, 0.5);
}

double calls_hot_ns(io_connect_t connect, unsigned ms)
{
	uint64_t begin_ns = bench_now_ns();
	uint64_t count = 0;
	uint64_t now_ns;

	do {
		for (unsigned i = 0; i < 200; i++) {
			calls_scalars(connect);
		}
		count += 200;
		now_ns = bench_now_ns();
	} while (now_ns - begin_ns < (uint64_t)ms * 1000000);
	return (double)(now_ns - begin_ns) / (double)count;
}

static double copy_ns(unsigned ms)
{
	static uint8_t from[128];
	static uint8_t to[128];
	uint64_t begin_ns = bench_now_ns();
	uint64_t count = 0;
	uint64_t now_ns;

	do {
		for (unsigned i = 0; i < 10000; i++) {
			memcpy(to, from, sizeof(to));
			__asm__ volatile("" ::"r"(to) : "memory");
		}
		count += 10000;
		now_ns = bench_now_ns();
	} while (now_ns - begin_ns < (uint64_t)ms * 1000000);
	return (double)(now_ns - begin_ns) / (double)count;
}

void bench_hot_calls(struct bench *bench)
{
	struct series ratio = {0};
	struct series tail = {0};
	struct series call = {0};
	struct series spin = {0};
	struct series copy = {0};
	char note[160];

	bench_use_two_cores(bench->host);
	(void)calls_hot_ns(bench->connect, 20);
	for (unsigned i = 0; i < bench->slices; i++) {
		double spin_ns = yardstick_spin_ns(bench->ms);
		double one_ns = calls_hot_ns(bench->connect, bench->ms);
		double p99_ns;

		(void)calls_ns(bench->connect, bench->ms, 0, &p99_ns);
		series_add(&spin, spin_ns);
		series_add(&call, one_ns);
		series_add(&copy, copy_ns(5));
		series_add(&ratio, one_ns / spin_ns);
		series_add(&tail, p99_ns / spin_ns);
	}
	bench_use_all_cores(bench->host);
	(void)snprintf(note, sizeof(note),
		       "call %.0f ns; spin round trip %.0f ns; memcpy of 16 scalars %.1f ns",
		       series_median(&call), series_median(&spin), series_median(&copy));
	report_row(&bench->report, "G1", "hot call, 16 scalars in and out / spin round trip", "x",
		   &ratio, 4.0, note);
	report_row(&bench->report, "G1", "its 99th percentile, clock included / spin round trip",
		   "x", &tail, -1, "");
}

/* Neither side ever spins: one call after the other, and still each finds the driver asleep. */
static void row_sleepers(struct bench *bench)
{
	struct series ratio = {0};
	struct series call = {0};
	struct series event = {0};
	struct series sleeps = {0};
	char note[160];

	bench_use_two_cores(bench->host);
	for (unsigned i = 0; i < bench->slices; i++) {
		double event_ns = yardstick_eventfd_ns(bench->ms, 0);
		struct sleepers_slice slice = sleepers_call(bench->ms);

		series_add(&event, event_ns);
		series_add(&call, slice.call_ns);
		series_add(&sleeps, slice.driver_sleeps);
		series_add(&ratio, slice.call_ns / event_ns);
	}
	bench_use_all_cores(bench->host);
	(void)snprintf(note, sizeof(note),
		       "call %.1f us; eventfd %.1f us; the driver sleeps %.2f times a call",
		       series_median(&call) / 1000, series_median(&event) / 1000,
		       series_median(&sleeps));
	report_row(&bench->report, "G4", "call, nobody spins, two cores / eventfd round trip", "x",
		   &ratio, 1.25, note);
}

/*
 * Calls with a pause before each. On two cores each wake-up crosses to the other, on both sides of the
 * ratio; left alone, the scheduler puts either pair on one core or on two.
 */
static void row_paced(struct bench *bench, const char *id, unsigned gap_us, bool two_cores,
		      double bound)
{
	struct series ratio = {0};
	struct series call = {0};
	struct series event = {0};
	struct series cpu = {0};
	char what[80];
	char note[160];

	if (two_cores) {
		bench_use_two_cores(bench->host);
	}
	for (unsigned i = 0; i < bench->slices; i++) {
		double event_ns = yardstick_eventfd_ns(bench->ms, gap_us);
		uint64_t cpu_ns = system_cpu_ns(bench->host);
		uint64_t begin_ns = bench_now_ns();
		double one_ns = calls_ns(bench->connect, bench->ms, gap_us, NULL);

		series_add(&cpu, 100.0 * (double)(system_cpu_ns(bench->host) - cpu_ns) /
					 (double)(bench_now_ns() - begin_ns));
		series_add(&event, event_ns);
		series_add(&call, one_ns);
		series_add(&ratio, one_ns / event_ns);
	}
	bench_use_all_cores(bench->host);
	(void)snprintf(what, sizeof(what), "call after %g ms, %s / eventfd round trip",
		       gap_us / 1000.0, two_cores ? "two cores" : "any core");
	(void)snprintf(note, sizeof(note), "call %.1f us; eventfd %.1f us; driver's CPU %.0f %%",
		       series_median(&call) / 1000, series_median(&event) / 1000,
		       series_median(&cpu));
	report_row(&bench->report, id, what, "x", &ratio, bound, note);
}

void bench_cold_calls(struct bench *bench)
{
	row_sleepers(bench);
	row_paced(bench, "G4", 5000, true, -1);
	row_paced(bench, "G4", 5000, false, -1);
}

void bench_paced_calls(struct bench *bench)
{
	row_paced(bench, "G5", 100, true, 0.9);
	row_paced(bench, "G5", 1000, true, 0.9);
	row_paced(bench, "G5", 100, false, -1);
	row_paced(bench, "G5", 1000, false, -1);
}

void bench_calls_on_one_core(struct bench *bench)
{
	struct series ratio = {0};
	struct series call = {0};
	struct series event = {0};
	char note[160];

	system_pin(getpid(), 1);
	system_pin(bench->host, 1);
	yardstick_pin(1);
	(void)calls_hot_ns(bench->connect, 20);
	for (unsigned i = 0; i < bench->slices; i++) {
		double event_ns = yardstick_eventfd_ns(bench->ms, 0);
		double one_ns = calls_hot_ns(bench->connect, bench->ms);

		series_add(&event, event_ns);
		series_add(&call, one_ns);
		series_add(&ratio, one_ns / event_ns);
	}
	bench_use_all_cores(bench->host);
	(void)snprintf(note, sizeof(note), "call %.1f us; eventfd %.1f us",
		       series_median(&call) / 1000, series_median(&event) / 1000);
	report_row(&bench->report, "G6", "call, both on one core / eventfd round trip there", "x",
		   &ratio, 1.2, note);
}
