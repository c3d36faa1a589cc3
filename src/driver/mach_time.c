/* SPDX-License-Identifier: MIT
 *
 * mach_time - the clock of drivers. A file of its own, because libIOKit has the same functions.
 */
#include <mach/mach_time.h>

#include "base/clock.h"

#pragma GCC visibility push(default)

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

#pragma GCC visibility pop
