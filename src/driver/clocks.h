/* SPDX-License-Identifier: MIT
 *
 * clocks - the kIOTimerClock* constants and the clock that everything here waits on.
 */
#ifndef DX_DRIVER_CLOCKS_H
#define DX_DRIVER_CLOCKS_H

#include <stdbool.h>
#include <stdint.h>

/* Now, on the clock that options names. False for an unknown one. */
bool dx_clock_read(uint64_t options, uint64_t *ret_now_ns);
/* A deadline on that clock as CLOCK_MONOTONIC; at least 1. False for an unknown clock. */
bool dx_clock_to_monotonic(uint64_t options, uint64_t deadline_ns, uint64_t *ret_deadline_ns);

#endif
