/* SPDX-License-Identifier: MIT
 *
 * window - a stretch of address space over a row of slices.
 *
 * Place:      memory, under memory.c and mapping.c.
 * Invariants:
 *   W1  the region was reserved first, whole; slices only replace what was reserved.
 *   W2  neighbours meet at a page boundary, in the file and in memory; else -EINVAL.
 */
#ifndef DX_MEMORY_WINDOW_H
#define DX_MEMORY_WINDOW_H

#include <stddef.h>
#include <stdint.h>

#include "memory/memory.h"

struct dx_window {
	char *region; /* reserved, guards included; NULL: nothing mapped */
	uint64_t region_length;
	char *address; /* of the first byte asked for */
};

enum {
	DX_WINDOW_READ_ONLY = 1, /* else each slice as its memory allows */
	DX_WINDOW_FIXED = 2,
	DX_WINDOW_GUARDED = 4,
};

/*
 * Maps [offset, offset + length) of the row; the caller has checked that it lies inside and that
 * length > 0. Errors as dx_mapping_new().
 */
int dx_window_map(const struct dx_slice *slices, size_t nr_slices, uint64_t offset, uint64_t length,
		  uintptr_t address, unsigned flags, struct dx_window *ret_window);
void dx_window_unmap(struct dx_window *window);

#endif
