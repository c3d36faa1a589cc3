/* SPDX-License-Identifier: MIT
 *
 * alive - the kernel tells waiters that the driver process died, without timers.
 *
 * Place:      channel, driver side. Each connection has an alive word in D. It holds
 *                 FUTEX_WAITERS | TID      alive, watched by the kernel
 *                 FUTEX_WAITERS            alive, above the kernel's limit: waiters use a timer
 *                 ... | FUTEX_OWNER_DIED   the thread TID ended, written by the kernel
 *                 0                        closed by the driver
 *             The word is on the robust list of one thread, which must live as long as the
 *             connections do; the kernel walks that list when the thread ends, however it ends.
 * Invariants:
 *   V1  the list is traversable at every instruction: the process may be killed between any two.
 *   V2  list nodes are private memory of the driver process. Nothing that the application can
 *       read holds an address of ours, nothing that it can write is ever walked by the kernel.
 *   V3  a node lies DX_ALIVE_DISTANCE bytes before its word (the kernel knows one distance for
 *       the whole list).
 *   V4  at most DX_ALIVE_MAX nodes are on a list; the kernel stops walking at 2048.
 *   V5  the kernel wakes one waiter only; a waiter that sees the word dead wakes the others.
 *
 * A host with more connections than DX_ALIVE_MAX starts further threads with a registry each.
 * The owning thread's robust list belongs to the registry: that thread never locks a
 * PTHREAD_MUTEX_ROBUST mutex, because the C library would look for its own list there.
 */
#ifndef DX_CHANNEL_ALIVE_H
#define DX_CHANNEL_ALIVE_H

#include <linux/futex.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/mutex.h"
#include "base/shared.h"

#define DX_ALIVE_MAX      2000u
#define DX_ALIVE_DISTANCE 4096l

/* In private memory, DX_ALIVE_DISTANCE before the word. */
struct dx_alive_entry {
	struct robust_list node;     /* what the kernel walks */
	struct dx_alive_entry *prev; /* NULL: first */
	struct dx_alive_entry *next; /* NULL: last */
	struct dx_shared_u32 *word;
	bool watched; /* on the list */
};

struct dx_alive_registry {
	struct robust_list_head head;
	struct robust_list_head *previous; /* the C library's, put back by fini */
	struct dx_mutex lock;              /* order 90, innermost; guards the list and nr_watched */
	struct dx_alive_entry *first DX_GUARDED_BY(lock);
	unsigned nr_watched DX_GUARDED_BY(lock);
	uint32_t tid;
};

/* Called by the thread that will own the list. The registry must not move and must outlive it.
 * @return 0; negative errno when the kernel refuses a robust list. */
int dx_alive_registry_init(struct dx_alive_registry *registry);
/* Called by the same thread, after every entry was removed. */
void dx_alive_registry_fini(struct dx_alive_registry *registry);
/* Marks the word alive. Any thread. @return true: watched; false: alive without the kernel's
 * help, because the list is full or registry is NULL; the word works either way. */
bool dx_alive_add(struct dx_alive_registry *registry, struct dx_alive_entry *entry,
		  struct dx_shared_u32 *word);
/* Marks the word closed, takes it off the list and wakes one waiter (who wakes the others). */
void dx_alive_remove(struct dx_alive_registry *registry, struct dx_alive_entry *entry);

/* What a waiter makes of an alive word. */
static inline bool dx_alive_is_dead(uint32_t word)
{
	return (word & FUTEX_OWNER_DIED) != 0;
}

static inline bool dx_alive_is_closed(uint32_t word)
{
	return word == 0;
}

static inline bool dx_alive_is_watched(uint32_t word)
{
	return (word & FUTEX_TID_MASK) != 0;
}

#endif
