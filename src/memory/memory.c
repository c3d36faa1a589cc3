/* SPDX-License-Identifier: MIT
 *
 * memory - descriptors: which bytes of which shared memory; memory.h has the invariants.
 */
#include "memory/memory.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>

#include "base/check.h"
#include "base/cleanup.h"
#include "memory/window.h"

struct dx_memory {
	struct dx_object object;
	uint64_t id;
	uint64_t capacity;
	_Atomic uint64_t length; /* relaxed: says how much, orders nothing */
	enum dx_memory_direction direction;
	struct dx_memory_quota *quota; /* charged with one descriptor; NULL before */
	/* All of it side by side, for several slices; set once, release/acquire. */
	_Atomic(struct dx_window *) whole;
	size_t nr_slices;
	struct dx_slice slices[];
};

static void memory_free(struct dx_object *object)
{
	struct dx_memory *memory = (void *)object;
	/* Relaxed: the last reference is gone. */
	struct dx_window *whole = atomic_load_explicit(&memory->whole, memory_order_relaxed);

	if (whole != NULL) {
		dx_window_unmap(whole);
		free(whole);
	}
	for (size_t i = 0; i < memory->nr_slices; i++) {
		dx_shm_unref(memory->slices[i].shm);
	}
	dx_memory_quota_release(memory->quota, 0, memory->quota == NULL ? 0 : 1);
}

const struct dx_class dx_memory_class = {
	.name = "memory",
	.instance_size = sizeof(struct dx_memory),
	.free = memory_free,
};

static int sum_slices(const struct dx_slice *slices, size_t nr_slices, uint64_t *ret_sum)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < nr_slices; i++) {
		if (slices[i].length == 0 ||
		    !dx_range_inside(slices[i].offset, slices[i].length,
				     dx_shm_size(slices[i].shm))) {
			return -EINVAL;
		}
		if (dx_add_overflow(sum, slices[i].length, &sum)) {
			return -EOVERFLOW;
		}
	}
	*ret_sum = sum;
	return 0;
}

int dx_memory_new(const struct dx_slice *slices, size_t nr_slices,
		  enum dx_memory_direction direction, struct dx_memory_quota *quota,
		  struct dx_memory **ret_memory)
{
	struct dx_memory *memory;
	uint64_t capacity = 0;
	int result;

	if (nr_slices == 0) {
		return -EINVAL;
	}
	if (nr_slices > DX_MEMORY_MAX_SLICES) {
		return -E2BIG;
	}
	result = sum_slices(slices, nr_slices, &capacity);
	if (result < 0) {
		return result;
	}
	memory = dx_object_new_extra(&dx_memory_class, nr_slices * sizeof(*slices));
	if (memory == NULL) {
		return -ENOMEM;
	}
	result = dx_memory_quota_charge(quota, 0, 1);
	if (result < 0) {
		dx_memory_unref(memory);
		return result;
	}
	memory->quota = quota;
	memory->id = dx_memory_quota_next_id(quota);
	memory->direction = direction;
	memory->capacity = capacity;
	atomic_init(&memory->length, capacity);
	for (size_t i = 0; i < nr_slices; i++) {
		memory->slices[i] = slices[i];
		dx_shm_ref(slices[i].shm);
	}
	memory->nr_slices = nr_slices;
	*ret_memory = memory;
	return 0;
}

int dx_memory_new_buffer(const struct dx_shm_options *options, enum dx_memory_direction direction,
			 struct dx_memory **ret_memory)
{
	struct dx_slice slice = {.length = options->length};
	int result = dx_shm_new(options, &slice.shm);

	if (result < 0) {
		return result;
	}
	result = dx_memory_new(&slice, 1, direction, options->quota, ret_memory);
	dx_shm_unref(slice.shm);
	return result;
}

/* Slices that are being collected from several descriptors. */
struct collection {
	struct dx_slice *slices;
	size_t nr_slices;
};

/* [offset, offset + length) of one descriptor; neighbours in the same memory become one slice. */
static int collect(struct collection *collection, const struct dx_memory *memory, uint64_t offset,
		   uint64_t length)
{
	for (size_t i = 0; i < memory->nr_slices && length > 0; i++) {
		const struct dx_slice *slice = &memory->slices[i];
		struct dx_slice *last = collection->nr_slices == 0
						? NULL
						: &collection->slices[collection->nr_slices - 1];
		uint64_t part;

		if (offset >= slice->length) {
			offset -= slice->length;
			continue;
		}
		part = slice->length - offset < length ? slice->length - offset : length;
		if (last != NULL && last->shm == slice->shm &&
		    last->offset + last->length == slice->offset + offset) {
			last->length += part;
		} else if (collection->nr_slices == DX_MEMORY_MAX_SLICES) {
			return -E2BIG;
		} else {
			collection->slices[collection->nr_slices++] = (struct dx_slice){
				.shm = slice->shm,
				.offset = slice->offset + offset,
				.length = part,
			};
		}
		offset = 0;
		length -= part;
	}
	return 0;
}

int dx_memory_new_sub(const struct dx_memory *memory, uint64_t offset, uint64_t length,
		      enum dx_memory_direction direction, struct dx_memory_quota *quota,
		      struct dx_memory **ret_memory)
{
	DX_CLEANUP_FREE struct dx_slice *slices = NULL;
	struct collection collection = {0};
	int result;

	if (length == 0 || !dx_range_inside(offset, length, dx_memory_length(memory))) {
		return -EINVAL;
	}
	slices = calloc(memory->nr_slices, sizeof(*slices));
	if (slices == NULL) {
		return -ENOMEM;
	}
	collection.slices = slices;
	result = collect(&collection, memory, offset, length);
	if (result < 0) {
		return result;
	}
	return dx_memory_new(slices, collection.nr_slices, direction, quota, ret_memory);
}

int dx_memory_new_concat(struct dx_memory *const *memories, size_t nr_memories,
			 enum dx_memory_direction direction, struct dx_memory_quota *quota,
			 struct dx_memory **ret_memory)
{
	DX_CLEANUP_FREE struct dx_slice *slices = NULL;
	struct collection collection = {0};

	slices = calloc(DX_MEMORY_MAX_SLICES, sizeof(*slices));
	if (slices == NULL) {
		return -ENOMEM;
	}
	collection.slices = slices;
	for (size_t i = 0; i < nr_memories; i++) {
		int result = collect(&collection, memories[i], 0, dx_memory_length(memories[i]));

		if (result < 0) {
			return result;
		}
	}
	return dx_memory_new(slices, collection.nr_slices, direction, quota, ret_memory);
}

struct dx_memory *dx_memory_ref(struct dx_memory *memory)
{
	return dx_object_ref(memory);
}

struct dx_memory *dx_memory_unref(struct dx_memory *memory)
{
	return dx_object_unref(memory);
}

uint64_t dx_memory_id(const struct dx_memory *memory)
{
	return memory->id;
}

uint64_t dx_memory_length(const struct dx_memory *memory)
{
	return atomic_load_explicit(&memory->length, memory_order_relaxed);
}

uint64_t dx_memory_capacity(const struct dx_memory *memory)
{
	return memory->capacity;
}

int dx_memory_set_length(struct dx_memory *memory, uint64_t length)
{
	if (length > memory->capacity) {
		return -EINVAL;
	}
	atomic_store_explicit(&memory->length, length, memory_order_relaxed);
	return 0;
}

enum dx_memory_direction dx_memory_direction(const struct dx_memory *memory)
{
	return memory->direction;
}

size_t dx_memory_nr_slices(const struct dx_memory *memory)
{
	return memory->nr_slices;
}

const struct dx_slice *dx_memory_slice(const struct dx_memory *memory, size_t index)
{
	return index < memory->nr_slices ? &memory->slices[index] : NULL;
}

/* Two threads may both map; the second gives its mapping back. */
static int map_whole(struct dx_memory *memory, struct dx_window **ret_whole)
{
	DX_CLEANUP_FREE struct dx_window *mine = calloc(1, sizeof(*mine));
	struct dx_window *before = NULL;
	int result;

	if (mine == NULL) {
		return -ENOMEM;
	}
	result = dx_window_map(memory->slices, memory->nr_slices, 0, memory->capacity, 0, 0, mine);
	if (result < 0) {
		return result;
	}
	if (!atomic_compare_exchange_strong(&memory->whole, &before, mine)) {
		dx_window_unmap(mine);
		*ret_whole = before;
		return 0;
	}
	*ret_whole = dx_take_ptr(&mine);
	return 0;
}

static int find_start(struct dx_memory *memory, char **ret_start)
{
	struct dx_window *whole;
	int result = 0;

	if (memory->nr_slices == 1 && dx_shm_maps_whole(memory->slices[0].shm)) {
		char *base = dx_shm_base(memory->slices[0].shm);

		if (base == NULL) {
			return -ENOMEM;
		}
		*ret_start = base + memory->slices[0].offset;
		return 0;
	}
	whole = atomic_load_explicit(&memory->whole, memory_order_acquire);
	if (whole == NULL) {
		result = map_whole(memory, &whole);
	}
	if (result == 0) {
		*ret_start = whole->address;
	}
	return result;
}

int dx_memory_address(struct dx_memory *memory, uint64_t offset, uint64_t length,
		      void **ret_address)
{
	char *start = NULL;
	int result;

	if (!dx_range_inside(offset, length, memory->capacity)) {
		return -EINVAL;
	}
	result = find_start(memory, &start);
	if (result == 0) {
		*ret_address = start + offset;
	}
	return result;
}

int dx_memory_prepare(struct dx_memory *memory, uint64_t offset, uint64_t length)
{
	if (!dx_range_inside(offset, length, memory->capacity)) {
		return -EINVAL;
	}
	for (size_t i = 0; i < memory->nr_slices && length > 0; i++) {
		const struct dx_slice *slice = &memory->slices[i];
		uint64_t part;
		int result;

		if (offset >= slice->length) {
			offset -= slice->length;
			continue;
		}
		part = slice->length - offset < length ? slice->length - offset : length;
		result = dx_shm_prepare(slice->shm, slice->offset + offset, part);
		if (result < 0) {
			return result;
		}
		offset = 0;
		length -= part;
	}
	return 0;
}
