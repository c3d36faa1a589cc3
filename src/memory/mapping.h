/* SPDX-License-Identifier: MIT
 *
 * mapping - a range of a descriptor at an address, until the last reference goes.
 *
 * Place:      memory, above memory.h. IOMemoryMap in the driver, IOConnectMapMemory64 in the
 *             application.
 * Invariants:
 *   A1  [address, address + length) stays mapped, with the access asked for, while it lives.
 *   A2  a fixed address never replaces what is mapped there already.
 * Owner:      counted references (dx_object_ref/unref work too). Keeps the descriptor.
 * Threads:    any.
 */
#ifndef DX_MEMORY_MAPPING_H
#define DX_MEMORY_MAPPING_H

#include <stddef.h>
#include <stdint.h>

#include "base/object.h"
#include "memory/memory.h"

extern const struct dx_class dx_mapping_class;

enum {
	DX_MAPPING_READ_ONLY = 1,
	DX_MAPPING_FIXED = 2,	/* at address; else address is ignored */
	DX_MAPPING_GUARDED = 4, /* a page before and behind that faults; not with FIXED */
};

/*
 * Maps [offset, offset + length) of memory's present length.
 *
 * Without flags and with one slice this is a place in the mapping that the memory has anyway and
 * costs nothing; everything else is a mapping of its own. Its first byte has the same place in its
 * page as in the file.
 *
 * @param length  0: to the end.
 * @return 0 and +1; -EINVAL outside the memory, nothing to map, an address that does not fit the
 *         place in the page, or slices that do not fit page to page; -EEXIST the fixed address is
 *         in use; -EACCES writing wanted and not allowed; -EOPNOTSUPP a second mapping of
 *         copy-on-write memory, which would not show the same bytes; -ENOMEM.
 */
int dx_mapping_new(struct dx_memory *memory, uint64_t offset, uint64_t length, uintptr_t address,
		   unsigned flags, struct dx_mapping **ret_mapping);

/* NULL is allowed in both. unref returns NULL. */
struct dx_mapping *dx_mapping_ref(struct dx_mapping *mapping);
struct dx_mapping *dx_mapping_unref(struct dx_mapping *mapping);

/* Of the byte at offset. */
void *dx_mapping_address(const struct dx_mapping *mapping);
uint64_t dx_mapping_length(const struct dx_mapping *mapping);
uint64_t dx_mapping_offset(const struct dx_mapping *mapping);
struct dx_memory *dx_mapping_memory(const struct dx_mapping *mapping); /* borrowed */

#endif
