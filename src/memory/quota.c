/* SPDX-License-Identifier: MIT
 *
 * quota - what one party may keep of memory.
 */
#include "memory/quota.h"

#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>

static bool add_within(_Atomic uint64_t *counter, uint64_t amount, uint64_t limit)
{
	uint64_t before = atomic_load_explicit(counter, memory_order_relaxed);

	do {
		if (amount > limit || before > limit - amount) {
			return false;
		}
	} while (!atomic_compare_exchange_weak_explicit(counter, &before, before + amount,
							memory_order_relaxed,
							memory_order_relaxed));
	return true;
}

static void subtract(_Atomic uint64_t *counter, uint64_t amount)
{
	uint64_t before = atomic_fetch_sub_explicit(counter, amount, memory_order_relaxed);

	assert(before >= amount);
}

int dx_memory_quota_charge(struct dx_memory_quota *quota, uint64_t bytes, uint64_t descriptors)
{
	if (quota == NULL) {
		return 0;
	}
	if (!add_within(&quota->nr_bytes, bytes, quota->max_bytes)) {
		return -EDQUOT;
	}
	if (!add_within(&quota->nr_descriptors, descriptors, quota->max_descriptors)) {
		subtract(&quota->nr_bytes, bytes);
		return -EDQUOT;
	}
	return 0;
}

void dx_memory_quota_release(struct dx_memory_quota *quota, uint64_t bytes, uint64_t descriptors)
{
	if (quota == NULL) {
		return;
	}
	subtract(&quota->nr_bytes, bytes);
	subtract(&quota->nr_descriptors, descriptors);
}

uint64_t dx_memory_quota_next_id(struct dx_memory_quota *quota)
{
	if (quota == NULL) {
		return 0;
	}
	return atomic_fetch_add_explicit(&quota->last_id, 1, memory_order_relaxed) + 1;
}
