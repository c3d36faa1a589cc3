/* SPDX-License-Identifier: MIT
 *
 * alive - keeps the robust list of one thread; see alive.h for the invariants V1..V5.
 *
 * Place:   channel, driver side.
 * Threads: any thread adds and removes under the lock; the kernel reads the list when the owning
 *          thread ends, at whatever instruction the others are, so every change is one store to a
 *          link and the stores are ordered (V1).
 */
#include "channel/alive.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <stdatomic.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/check.h"
#include "base/futex.h"

/* The kernel reads next links as plain memory of ours, possibly while another CPU writes. */
static void set_link(struct robust_list *node, struct robust_list *next)
{
	__atomic_store_n(&node->next, next, __ATOMIC_RELEASE);
}

int dx_alive_registry_init(struct dx_alive_registry *registry)
{
	size_t length = 0;

	*registry = (struct dx_alive_registry){.tid = (uint32_t)gettid()};
	if (syscall(SYS_get_robust_list, 0, &registry->previous, &length) < 0) {
		return -errno;
	}
	dx_mutex_init(&registry->lock);
	registry->head.list.next = &registry->head.list;
	registry->head.futex_offset =
		DX_ALIVE_DISTANCE - (long)offsetof(struct dx_alive_entry, node);
	if (syscall(SYS_set_robust_list, &registry->head, sizeof(registry->head)) < 0) {
		int error = -errno;
		dx_mutex_fini(&registry->lock);
		return error;
	}
	return 0;
}

void dx_alive_registry_fini(struct dx_alive_registry *registry)
{
	assert(registry->tid == (uint32_t)gettid());
	assert(registry->first == NULL);
	/* It was accepted before, so it is accepted now. */
	(void)syscall(SYS_set_robust_list, registry->previous, sizeof(registry->head));
	dx_mutex_fini(&registry->lock);
}

static void add_locked(struct dx_alive_registry *registry, struct dx_alive_entry *entry)
	DX_REQUIRES(registry->lock)
{
	entry->prev = NULL;
	entry->next = registry->first;
	if (entry->next != NULL) {
		entry->next->prev = entry;
	}
	registry->first = entry;
	registry->nr_watched++;
	entry->watched = true;
	entry->node.next = registry->head.list.next;
	set_link(&registry->head.list, &entry->node);
}

static void remove_locked(struct dx_alive_registry *registry, struct dx_alive_entry *entry)
	DX_REQUIRES(registry->lock)
{
	struct robust_list *before =
		entry->prev == NULL ? &registry->head.list : &entry->prev->node;

	set_link(before, entry->node.next);
	if (entry->prev == NULL) {
		registry->first = entry->next;
	} else {
		entry->prev->next = entry->next;
	}
	if (entry->next != NULL) {
		entry->next->prev = entry->prev;
	}
	registry->nr_watched--;
	entry->watched = false;
}

bool dx_alive_add(struct dx_alive_registry *registry, struct dx_alive_entry *entry,
		  struct dx_shared_u32 *word)
{
	bool watched = false;

	assert((char *)word - (char *)entry == DX_ALIVE_DISTANCE);
	*entry = (struct dx_alive_entry){.word = word};
	if (registry != NULL) {
		dx_mutex_lock(&registry->lock);
		if (registry->nr_watched < DX_ALIVE_MAX) {
			/* The word first: a node on the list with another word is skipped. */
			dx_shared_store_release(word, FUTEX_WAITERS | registry->tid);
			add_locked(registry, entry);
			watched = true;
		}
		dx_mutex_unlock(&registry->lock);
	}
	if (!watched) {
		dx_shared_store_release(word, FUTEX_WAITERS);
	}
	return watched;
}

void dx_alive_remove(struct dx_alive_registry *registry, struct dx_alive_entry *entry)
{
	if (entry->word == NULL) {
		return; /* never added */
	}
	dx_shared_store_release(entry->word, 0);
	if (registry != NULL) {
		dx_mutex_lock(&registry->lock);
		if (entry->watched) {
			remove_locked(registry, entry);
		}
		dx_mutex_unlock(&registry->lock);
	}
	(void)dx_futex_wake(entry->word, 1); /* he wakes the others (V5) */
}
