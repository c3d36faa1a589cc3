/* SPDX-License-Identifier: MIT
 *
 * futex - sleep on shared words.
 *
 * Place: base, under channel. The words may lie in read-only mappings: waiting and waking only
 *        read them.
 */
#include "base/futex.h"

#include <errno.h>
#include <linux/futex.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* The layout of the kernel's struct futex_waitv, which headers before 5.16 do not have. */
struct wait_entry {
	uint64_t value;
	uint64_t address;
	uint32_t flags;
	uint32_t reserved;
};

_Static_assert(sizeof(struct wait_entry) == 24, "as the kernel reads it");

#define WAIT_ENTRY_U32 2u /* FUTEX_32, process-shared */

#if !defined(SYS_futex_waitv)
#define SYS_futex_waitv 449
#endif

static struct timespec to_timespec(uint64_t ns)
{
	return (struct timespec){
		.tv_sec = (time_t)(ns / 1000000000u),
		.tv_nsec = (long)(ns % 1000000000u),
	};
}

int dx_futex_wait(const struct dx_shared_u32 *word, uint32_t seen, uint64_t deadline_ns)
{
	struct timespec deadline = to_timespec(deadline_ns);
	/* WAIT_BITSET takes an absolute CLOCK_MONOTONIC time; plain WAIT a relative one. */
	long result = syscall(SYS_futex, &word->word_, FUTEX_WAIT_BITSET, seen,
			      deadline_ns == 0 ? NULL : &deadline, NULL, FUTEX_BITSET_MATCH_ANY);

	return result < 0 ? -errno : 0;
}

int dx_futex_wait2(const struct dx_shared_u32 *word, uint32_t seen,
		   const struct dx_shared_u32 *other, uint32_t other_seen, uint64_t deadline_ns)
{
	struct timespec deadline = to_timespec(deadline_ns);
	struct wait_entry entries[2] = {
		{.value = seen, .address = (uintptr_t)&word->word_, .flags = WAIT_ENTRY_U32},
		{.value = other_seen, .address = (uintptr_t)&other->word_, .flags = WAIT_ENTRY_U32},
	};
	long result = syscall(SYS_futex_waitv, entries, 2u, 0u,
			      deadline_ns == 0 ? NULL : &deadline, CLOCK_MONOTONIC);

	return result < 0 ? -errno : 0;
}

int dx_futex_wake(const struct dx_shared_u32 *word, int nr_waiters)
{
	long result = syscall(SYS_futex, &word->word_, FUTEX_WAKE, nr_waiters, NULL, NULL, 0);

	return result < 0 ? -errno : (int)result;
}
