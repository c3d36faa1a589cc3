/* SPDX-License-Identifier: MIT
 *
 * check - checked arithmetic and small helpers for sizes and offsets.
 *
 * Place:   base. Sizes that come from a peer, a device or a file go through these.
 */
#ifndef DX_BASE_CHECK_H
#define DX_BASE_CHECK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* True when the result does not fit; *result is then unspecified. */
#define dx_add_overflow(a, b, result) __builtin_add_overflow((a), (b), (result))
#define dx_sub_overflow(a, b, result) __builtin_sub_overflow((a), (b), (result))
#define dx_mul_overflow(a, b, result) __builtin_mul_overflow((a), (b), (result))

#define DX_ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))

#define dx_container_of(pointer, type, member) \
	((type *)(void *)((char *)(pointer) - offsetof(type, member)))

/* True when [offset, offset + length) lies inside [0, size). */
static inline bool dx_range_inside(uint64_t offset, uint64_t length, uint64_t size)
{
	return offset <= size && length <= size - offset;
}

/* Rounds up to a power of two multiple; false on overflow. */
static inline bool dx_align_up(uint64_t value, uint64_t alignment, uint64_t *ret_aligned)
{
	uint64_t sum = 0;

	if (dx_add_overflow(value, alignment - 1, &sum)) {
		return false;
	}
	*ret_aligned = sum & ~(alignment - 1);
	return true;
}

static inline bool dx_is_power_of_two(uint64_t value)
{
	return value != 0 && (value & (value - 1)) == 0;
}

#endif
