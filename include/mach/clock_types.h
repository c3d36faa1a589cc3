/* SPDX-License-Identifier: MIT
 *
 * mach/clock_types - a span of time in seconds and nanoseconds.
 */
#ifndef OPENDEXT_MACH_CLOCK_TYPES_H
#define OPENDEXT_MACH_CLOCK_TYPES_H

/*! A span of time; tv_nsec is 0..999999999. */
struct mach_timespec {
	unsigned int tv_sec;
	int tv_nsec;
};
typedef struct mach_timespec mach_timespec_t;

#endif
