/* SPDX-License-Identifier: MIT
 *
 * clocks - see clocks.h. The Mach clocks tick in nanoseconds here (mach_timebase_info() says 1/1).
 */
#include "driver/clocks.h"

#include <opendext/dispatch.h>

#include <time.h>

#include "base/check.h"
#include "base/clock.h"

static bool clock_id(uint64_t options, clockid_t *ret_id)
{
	switch (options) {
	case kIOTimerClockRealTime:
		*ret_id = CLOCK_REALTIME;
		return true;
	case kIOTimerClockMonotonicRaw:
		*ret_id = CLOCK_MONOTONIC_RAW;
		return true;
	case kIOTimerClockUptimeRaw:
	case kIOTimerClockMachAbsoluteTime:
		*ret_id = CLOCK_MONOTONIC;
		return true;
	case kIOTimerClockMachContinuousTime:
		*ret_id = CLOCK_BOOTTIME;
		return true;
	default:
		return false;
	}
}

bool dx_clock_read(uint64_t options, uint64_t *ret_now_ns)
{
	clockid_t id = CLOCK_MONOTONIC;
	struct timespec now = {0};

	if (!clock_id(options, &id)) {
		return false;
	}
	(void)clock_gettime(id, &now); /* cannot fail for these clocks */
	*ret_now_ns = (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
	return true;
}

bool dx_clock_to_monotonic(uint64_t options, uint64_t deadline_ns, uint64_t *ret_deadline_ns)
{
	uint64_t now_ns = 0;
	uint64_t here_ns = dx_clock_now_ns();

	if (!dx_clock_read(options, &now_ns)) {
		return false;
	}
	uint64_t left_ns = deadline_ns > now_ns ? deadline_ns - now_ns : 0;
	if (dx_add_overflow(here_ns, left_ns, ret_deadline_ns)) {
		*ret_deadline_ns = UINT64_MAX - 1;
	}
	return true;
}
