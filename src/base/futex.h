/* SPDX-License-Identifier: MIT
 *
 * futex - sleep on shared words; works on read-only mappings.
 *
 * Place:   base, under channel.
 */
#ifndef DX_BASE_FUTEX_H
#define DX_BASE_FUTEX_H

#include <stdint.h>

#include "base/shared.h"

/* Process-shared. @return 0 woken (maybe spuriously); -EAGAIN value differs; -EINTR; -ETIMEDOUT.
 * deadline_ns: CLOCK_MONOTONIC, 0 = none. */
int dx_futex_wait(const struct dx_shared_u32 *word, uint32_t seen, uint64_t deadline_ns);

/* Waits until either word changes. -ENOSYS where the kernel (< 5.16) or a sandbox lacks it. */
int dx_futex_wait2(const struct dx_shared_u32 *word, uint32_t seen,
		   const struct dx_shared_u32 *other, uint32_t other_seen, uint64_t deadline_ns);

/* @return number of waiters woken, or a negative errno. */
int dx_futex_wake(const struct dx_shared_u32 *word, int nr_waiters);

#endif
