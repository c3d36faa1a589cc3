/* SPDX-License-Identifier: MIT */
#include "run.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "system.h"
#include "yardstick.h"

void bench_must(kern_return_t result, const char *what)
{
	if (result != kIOReturnSuccess) {
		fprintf(stderr, "api_bench: %s: %#x\n", what, (unsigned)result);
		exit(2);
	}
}

void bench_pause_us(unsigned microseconds)
{
	(void)nanosleep(&(struct timespec){.tv_sec = microseconds / 1000000,
					   .tv_nsec = (long)(microseconds % 1000000) * 1000},
			NULL);
}

void bench_use_two_cores(pid_t host)
{
	system_pin(getpid(), BENCH_APPLICATION_CORE);
	system_pin(host, BENCH_DRIVER_CORE);
	yardstick_pin(BENCH_DRIVER_CORE);
}

void bench_use_all_cores(pid_t host)
{
	system_pin(getpid(), 0);
	system_pin(host, 0);
	yardstick_pin(0);
}
