/* SPDX-License-Identifier: MIT
 *
 * mach_time - the clock that drivers and applications share.
 *
 * Place:   client; a file of its own, because the driver's library has the same functions and a
 *          program that has both linked in takes one of the two files.
 */
#include <mach/mach_time.h>

#include <stddef.h>

#include "base/clock.h"

uint64_t mach_absolute_time(void)
{
	return dx_clock_now_ns();
}

uint64_t mach_continuous_time(void)
{
	return dx_clock_continuous_ns();
}

kern_return_t mach_timebase_info(mach_timebase_info_t info)
{
	if (info == NULL) {
		return KERN_INVALID_ARGUMENT;
	}
	info->numer = 1;
	info->denom = 1;
	return KERN_SUCCESS;
}
