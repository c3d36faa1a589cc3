/* SPDX-License-Identifier: MIT
 *
 * memory - descriptors: which bytes of which shared memory, in which order.
 *
 * Place:      memory, above shm. What IOMemoryDescriptor and IOBufferMemoryDescriptor are made of;
 *             what transfers name; what an application maps.
 * Invariants:
 *   D1  the slices of a descriptor never change; each lies inside its shm; none is empty.
 *   D2  0 <= length <= capacity, the sum of the slices. Only set_length() changes length.
 *   D3  a descriptor keeps its shm alive, and its sources need not live.
 * Owner:      counted references (dx_object_ref/unref work too).
 * Threads:    any.
 */
#ifndef DX_MEMORY_MEMORY_H
#define DX_MEMORY_MEMORY_H

#include <stddef.h>
#include <stdint.h>

#include "base/object.h"
#include "memory/quota.h"
#include "memory/shm.h"

struct dx_memory;
struct dx_mapping;

extern const struct dx_class dx_memory_class;

/* From the point of view of the owner: In is written by the device or the other side. */
enum dx_memory_direction {
	DX_MEMORY_NONE = 0,
	DX_MEMORY_IN = 1,
	DX_MEMORY_OUT = 2,
	DX_MEMORY_IN_OUT = 3,
};

struct dx_slice {
	struct dx_shm *shm;
	uint64_t offset; /* bytes from the start of shm */
	uint64_t length;
};

#define DX_MEMORY_MAX_SLICES 1024u

/*
 * Constructors. quota (may be NULL) is charged with one descriptor and gives the id.
 * @return 0 and +1; -EINVAL nothing in it or a range outside; -E2BIG over DX_MEMORY_MAX_SLICES;
 *         -EOVERFLOW; -EDQUOT; -ENOMEM.
 */
int dx_memory_new(const struct dx_slice *slices, size_t nr_slices,
		  enum dx_memory_direction direction, struct dx_memory_quota *quota,
		  struct dx_memory **ret_memory);
/* A new buffer: its shm and a descriptor of exactly options->length bytes. */
int dx_memory_new_buffer(const struct dx_shm_options *options, enum dx_memory_direction direction,
			 struct dx_memory **ret_memory);
/* [offset, offset + length) of memory's present length. */
int dx_memory_new_sub(const struct dx_memory *memory, uint64_t offset, uint64_t length,
		      enum dx_memory_direction direction, struct dx_memory_quota *quota,
		      struct dx_memory **ret_memory);
/* One behind the other, each with its present length; empty ones count for nothing. */
int dx_memory_new_concat(struct dx_memory *const *memories, size_t nr_memories,
			 enum dx_memory_direction direction, struct dx_memory_quota *quota,
			 struct dx_memory **ret_memory);

/* NULL is allowed in both. unref returns NULL. */
struct dx_memory *dx_memory_ref(struct dx_memory *memory);
struct dx_memory *dx_memory_unref(struct dx_memory *memory);

/* Never the same twice in one quota; 0 without a quota. */
uint64_t dx_memory_id(const struct dx_memory *memory);
uint64_t dx_memory_length(const struct dx_memory *memory);
uint64_t dx_memory_capacity(const struct dx_memory *memory);
/* @return 0; -EINVAL over the capacity, and nothing changes. */
int dx_memory_set_length(struct dx_memory *memory, uint64_t length);
enum dx_memory_direction dx_memory_direction(const struct dx_memory *memory);

size_t dx_memory_nr_slices(const struct dx_memory *memory);
/* Borrowed; NULL beyond the end. The slices cover the capacity, not the length. */
const struct dx_slice *dx_memory_slice(const struct dx_memory *memory, size_t index);

/*
 * Where the bytes [offset, offset + length) are in our address space, in one piece, for as long as
 * the descriptor lives. Several slices are mapped side by side at the first call.
 * @param length  0 is allowed.
 * @return 0; -EINVAL outside the capacity, or slices that do not fit page to page; -EOPNOTSUPP
 *         several slices of which one is copy-on-write; -ENOMEM.
 */
int dx_memory_address(struct dx_memory *memory, uint64_t offset, uint64_t length,
		      void **ret_address);
/* dx_shm_prepare() over the slices. */
int dx_memory_prepare(struct dx_memory *memory, uint64_t offset, uint64_t length);

#endif
