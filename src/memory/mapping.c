/* SPDX-License-Identifier: MIT
 *
 * mapping - a range of a descriptor at an address; mapping.h has the invariants.
 */
#include "memory/mapping.h"

#include <errno.h>
#include <stdbool.h>

#include "base/check.h"
#include "memory/window.h"

struct dx_mapping {
	struct dx_object object;
	struct dx_memory *memory; /* counted */
	uint64_t offset;
	uint64_t length;
	char *address;
	struct dx_window window; /* empty when address lies in a mapping of the memory's own */
};

static void mapping_free(struct dx_object *object)
{
	struct dx_mapping *mapping = (void *)object;

	dx_window_unmap(&mapping->window);
	dx_memory_unref(mapping->memory);
}

const struct dx_class dx_mapping_class = {
	.name = "mapping",
	.instance_size = sizeof(struct dx_mapping),
	.free = mapping_free,
};

/* All slices that the range touches allow it. */
static bool is_writable(const struct dx_memory *memory, uint64_t offset, uint64_t length)
{
	uint64_t at = 0;

	for (size_t i = 0; i < dx_memory_nr_slices(memory); i++) {
		const struct dx_slice *slice = dx_memory_slice(memory, i);
		bool is_touched = at < offset + length && at + slice->length > offset;

		if (is_touched && dx_shm_access(slice->shm) == DX_SHM_READ) {
			return false;
		}
		at += slice->length;
	}
	return true;
}

static int place(struct dx_mapping *mapping, uintptr_t address, unsigned flags)
{
	struct dx_memory *memory = mapping->memory;
	void *shared_address = NULL;
	int result;

	if (flags == 0 && dx_memory_nr_slices(memory) == 1 &&
	    dx_shm_maps_whole(dx_memory_slice(memory, 0)->shm)) {
		result = dx_memory_address(memory, mapping->offset, mapping->length,
					   &shared_address);
		mapping->address = shared_address;
		return result;
	}
	result = dx_window_map(dx_memory_slice(memory, 0), dx_memory_nr_slices(memory),
			       mapping->offset, mapping->length, address, flags, &mapping->window);
	mapping->address = mapping->window.address;
	return result;
}

_Static_assert(DX_MAPPING_READ_ONLY == (int)DX_WINDOW_READ_ONLY, "flags are handed down");
_Static_assert(DX_MAPPING_FIXED == (int)DX_WINDOW_FIXED, "flags are handed down");
_Static_assert(DX_MAPPING_GUARDED == (int)DX_WINDOW_GUARDED, "flags are handed down");

static int check_range(const struct dx_memory *memory, uint64_t offset, uint64_t *length,
		       unsigned flags)
{
	const unsigned known = DX_MAPPING_READ_ONLY | DX_MAPPING_FIXED | DX_MAPPING_GUARDED;
	const unsigned exclusive = DX_MAPPING_FIXED | DX_MAPPING_GUARDED;
	uint64_t size = dx_memory_length(memory);

	if ((flags & ~known) != 0 || (flags & exclusive) == exclusive) {
		return -EINVAL;
	}
	if (*length == 0 && offset < size) {
		*length = size - offset;
	}
	if (*length == 0 || !dx_range_inside(offset, *length, size)) {
		return -EINVAL;
	}
	if ((flags & DX_MAPPING_READ_ONLY) == 0 && !is_writable(memory, offset, *length)) {
		return -EACCES;
	}
	return 0;
}

int dx_mapping_new(struct dx_memory *memory, uint64_t offset, uint64_t length, uintptr_t address,
		   unsigned flags, struct dx_mapping **ret_mapping)
{
	struct dx_mapping *mapping;
	int result = check_range(memory, offset, &length, flags);

	if (result < 0) {
		return result;
	}
	mapping = dx_object_new(&dx_mapping_class);
	if (mapping == NULL) {
		return -ENOMEM;
	}
	mapping->memory = dx_memory_ref(memory);
	mapping->offset = offset;
	mapping->length = length;
	result = place(mapping, address, flags);
	if (result < 0) {
		dx_mapping_unref(mapping);
		return result;
	}
	*ret_mapping = mapping;
	return 0;
}

struct dx_mapping *dx_mapping_ref(struct dx_mapping *mapping)
{
	return dx_object_ref(mapping);
}

struct dx_mapping *dx_mapping_unref(struct dx_mapping *mapping)
{
	return dx_object_unref(mapping);
}

void *dx_mapping_address(const struct dx_mapping *mapping)
{
	return mapping->address;
}

uint64_t dx_mapping_length(const struct dx_mapping *mapping)
{
	return mapping->length;
}

uint64_t dx_mapping_offset(const struct dx_mapping *mapping)
{
	return mapping->offset;
}

struct dx_memory *dx_mapping_memory(const struct dx_mapping *mapping)
{
	return mapping->memory;
}
