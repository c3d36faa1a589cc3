/* SPDX-License-Identifier: MIT
 *
 * time.h - the system's, and clock_gettime_nsec_np(). The system's header can be included for parts of
 * it, so it has no guard here.
 */
#include_next <time.h>

#if defined(CLOCK_MONOTONIC) && !defined(OPENDEXT_CXX_TIME_H)
#define OPENDEXT_CXX_TIME_H
#include <opendext-cxx/additions.h>
#endif
