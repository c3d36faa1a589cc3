/* SPDX-License-Identifier: MIT
 *
 * clock - monotonic time in nanoseconds.
 *
 * Place:   base. mach_absolute_time() of both public libraries is dx_clock_now_ns(), so that
 *          timestamps of driver and application compare.
 */
#ifndef DX_BASE_CLOCK_H
#define DX_BASE_CLOCK_H

#include <stdint.h>
#include <time.h>

static inline uint64_t dx_clock_now_ns(void)
{
	struct timespec now = {0};

	(void)clock_gettime(CLOCK_MONOTONIC, &now); /* cannot fail for this clock */
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* The same, with the time that the machine slept. */
static inline uint64_t dx_clock_continuous_ns(void)
{
	struct timespec now = {0};

	(void)clock_gettime(CLOCK_BOOTTIME, &now); /* cannot fail for this clock */
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

#endif
