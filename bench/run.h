/* SPDX-License-Identifier: MIT
 *
 * run - one run of api_bench, and what its rows have in common.
 */
#ifndef DX_BENCH_RUN_H
#define DX_BENCH_RUN_H

#include <sys/types.h>

#include <IOKit/IOKitLib.h>

#include "report.h"

struct bench {
	struct report report;
	unsigned slices;
	unsigned ms;
	const char *only;
	io_connect_t connect;
	pid_t host;
};

/* Ends the program when a call has failed. */
void bench_must(kern_return_t result, const char *what);
void bench_pause_us(unsigned microseconds);
/* Of two cores, as masks for system_pin. */
#define BENCH_APPLICATION_CORE 1u
#define BENCH_DRIVER_CORE      2u

/* This program on one core, the driver and the peer of the yardstick on another. */
void bench_use_two_cores(pid_t host);
void bench_use_all_cores(pid_t host);

#endif
