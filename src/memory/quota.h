/* SPDX-License-Identifier: MIT
 *
 * quota - what one party may keep of memory: bytes and descriptors.
 *
 * Place:      memory. A host has one for its driver, and one per client for what is mapped there.
 * Invariants:
 *   Q1  charged amounts never exceed the limits, and every charge is released once.
 * Owner:      whoever declares it; it outlives all that was charged to it.
 * Threads:    any; the counters are independent of each other, so relaxed order is enough.
 */
#ifndef DX_MEMORY_QUOTA_H
#define DX_MEMORY_QUOTA_H

#include <stdatomic.h>
#include <stdint.h>

struct dx_memory_quota {
	uint64_t max_bytes;
	uint64_t max_descriptors;
	_Atomic uint64_t nr_bytes;
	_Atomic uint64_t nr_descriptors;
	_Atomic uint64_t last_id;
};

#define DX_MEMORY_QUOTA_INIT(bytes, descriptors) \
	{.max_bytes = (bytes), .max_descriptors = (descriptors)}

/*
 * Both or nothing. NULL quota: no limit.
 * @return 0; -EDQUOT when one would exceed its limit.
 */
int dx_memory_quota_charge(struct dx_memory_quota *quota, uint64_t bytes, uint64_t descriptors);
void dx_memory_quota_release(struct dx_memory_quota *quota, uint64_t bytes, uint64_t descriptors);
/* 1, 2, ... never the same twice; 0 for a NULL quota. */
uint64_t dx_memory_quota_next_id(struct dx_memory_quota *quota);

#endif
