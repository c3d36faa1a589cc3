/* SPDX-License-Identifier: MIT
 *
 * mach/mach_time - the clock that drivers stamp completions with.
 */
#ifndef OPENDEXT_MACH_MACH_TIME_H
#define OPENDEXT_MACH_MACH_TIME_H

#include <stdint.h>

#include <mach/kern_return.h>

#ifdef __cplusplus
extern "C" {
#endif

/*! Ticks of mach_absolute_time() times numer / denom are nanoseconds. */
struct mach_timebase_info {
	uint32_t numer;
	uint32_t denom;
};
typedef struct mach_timebase_info *mach_timebase_info_t;
typedef struct mach_timebase_info mach_timebase_info_data_t;

/*!
 * Now, on the clock that driver and application share.
 * @return nanoseconds of CLOCK_MONOTONIC.
 * Threads: any.
 */
uint64_t mach_absolute_time(void);

/*!
 * The same, on a clock that also runs while the machine sleeps.
 * @return nanoseconds of CLOCK_BOOTTIME.
 * Threads: any.
 */
uint64_t mach_continuous_time(void);

/*!
 * Tells how ticks become nanoseconds.
 * @param info  receives 1 / 1.
 * @return KERN_SUCCESS; KERN_INVALID_ARGUMENT for NULL.
 * Threads: any.
 */
kern_return_t mach_timebase_info(mach_timebase_info_t info);

#ifdef __cplusplus
}
#endif

#endif
