/* SPDX-License-Identifier: MIT
 *
 * samples - durations in buckets. See samples.h.
 *
 * A value with its highest bit at position b >= 5 falls into one of 32 buckets for that b; smaller
 * values have a bucket each.
 */
#include "samples.h"

#define SHIFT 5u /* 1 << SHIFT == DX_SAMPLES_STEPS */

static uint32_t bucket_of(uint64_t value)
{
	unsigned top = 0;

	if (value < DX_SAMPLES_STEPS) {
		return (uint32_t)value;
	}
	top = 63u - (unsigned)__builtin_clzll(value);
	return (top - SHIFT + 1) * DX_SAMPLES_STEPS +
	       (uint32_t)((value >> (top - SHIFT)) - DX_SAMPLES_STEPS);
}

/* The largest value of a bucket. */
static uint64_t value_of(uint32_t bucket)
{
	unsigned power = bucket / DX_SAMPLES_STEPS;
	uint64_t low = 0;

	if (power == 0) {
		return bucket;
	}
	low = (uint64_t)(bucket % DX_SAMPLES_STEPS + DX_SAMPLES_STEPS) << (power - 1);
	return low + (UINT64_C(1) << (power - 1)) - 1;
}

void dx_samples_add(struct dx_samples *samples, uint64_t value_ns)
{
	samples->count++;
	samples->buckets[bucket_of(value_ns)]++;
}

uint64_t dx_samples_quantile(const struct dx_samples *samples, double share)
{
	uint64_t wanted = (uint64_t)((double)samples->count * share);
	uint64_t seen = 0;

	if (samples->count == 0) {
		return 0;
	}
	wanted = wanted == 0 ? 1 : wanted;
	for (uint32_t i = 0; i < DX_SAMPLES_BUCKETS; i++) {
		seen += samples->buckets[i];
		if (seen >= wanted) {
			return value_of(i);
		}
	}
	return 0;
}
