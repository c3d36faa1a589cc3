/* SPDX-License-Identifier: MIT
 *
 * samples - durations counted in buckets, so that quantiles of any number of them cost no memory.
 *
 * Place:      tools.
 * Invariants:
 *   Q1  a bucket is at most 1/32 wide, relative to its value; values below 64 ns are exact.
 */
#ifndef DX_TOOLS_SAMPLES_H
#define DX_TOOLS_SAMPLES_H

#include <stdint.h>

#define DX_SAMPLES_STEPS   32u
#define DX_SAMPLES_BUCKETS (60u * DX_SAMPLES_STEPS)

struct dx_samples {
	uint64_t count;
	uint32_t buckets[DX_SAMPLES_BUCKETS];
};

void dx_samples_add(struct dx_samples *samples, uint64_t value_ns);
/* The value that the given share (0..1) of all does not exceed; 0 without samples. */
uint64_t dx_samples_quantile(const struct dx_samples *samples, double share);

#endif
