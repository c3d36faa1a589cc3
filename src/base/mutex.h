/* SPDX-License-Identifier: MIT
 *
 * mutex - locks with annotations that clang checks and every compiler's reader sees.
 *
 * Place:      base. A lock's declaration says what it guards and its place in the order.
 * Invariants:
 *   U1  state is 0 free, 1 held, 2 held and somebody may sleep. Taking and leaving a lock that
 *       nobody else wants is one atomic instruction each, inline: a buffer passes a dozen.
 *   U2  who leaves a lock in state 2 wakes one sleeper; who has slept takes it as 2, because there
 *       may be others.
 * Threads:    any of one process.
 */
#ifndef DX_BASE_MUTEX_H
#define DX_BASE_MUTEX_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/sanitizer.h"

#if defined(__clang__)
#define DX_THREAD_ATTRIBUTE(x) __attribute__((x))
#else
#define DX_THREAD_ATTRIBUTE(x)
#endif

#define DX_CAPABILITY(name)  DX_THREAD_ATTRIBUTE(capability(name))
/* A word for the reader: clang before 19 cannot name a sibling field in C. */
#define DX_GUARDED_BY(lock)
#define DX_REQUIRES(...)     DX_THREAD_ATTRIBUTE(requires_capability(__VA_ARGS__))
#define DX_EXCLUDES(...)     DX_THREAD_ATTRIBUTE(locks_excluded(__VA_ARGS__))
#define DX_ACQUIRE(...)	     DX_THREAD_ATTRIBUTE(acquire_capability(__VA_ARGS__))
#define DX_TRY_ACQUIRE(...)  DX_THREAD_ATTRIBUTE(try_acquire_capability(__VA_ARGS__))
#define DX_RELEASE(...)	     DX_THREAD_ATTRIBUTE(release_capability(__VA_ARGS__))
#define DX_NO_THREAD_SAFETY  DX_THREAD_ATTRIBUTE(no_thread_safety_analysis)

struct DX_CAPABILITY("mutex") dx_mutex {
	_Atomic uint32_t state; /* U1 */
};

struct dx_cond {
	_Atomic uint32_t turn; /* of the last signal */
	_Atomic uint32_t nr_waiters;
};

#define DX_MUTEX_INIT {0}

void dx_mutex_init(struct dx_mutex *mutex);
void dx_mutex_fini(struct dx_mutex *mutex);
/* mutex.c: the lock is taken; wakes one sleeper. */
void dx_mutex_lock_slowly(struct dx_mutex *mutex);
void dx_mutex_wake(struct dx_mutex *mutex);

/* The thread sanitizer is told of each lock, so that it checks their order too. */
#if DX_THREAD_SANITIZER
void dx_mutex_lock(struct dx_mutex *mutex) DX_ACQUIRE(*mutex);
bool dx_mutex_trylock(struct dx_mutex *mutex) DX_TRY_ACQUIRE(true, *mutex);
void dx_mutex_unlock(struct dx_mutex *mutex) DX_RELEASE(*mutex);
#else
DX_NO_THREAD_SAFETY static inline bool dx_mutex_trylock(struct dx_mutex *mutex)
	DX_TRY_ACQUIRE(true, *mutex);
DX_NO_THREAD_SAFETY static inline void dx_mutex_lock(struct dx_mutex *mutex) DX_ACQUIRE(*mutex);
DX_NO_THREAD_SAFETY static inline void dx_mutex_unlock(struct dx_mutex *mutex) DX_RELEASE(*mutex);

static inline bool dx_mutex_trylock(struct dx_mutex *mutex)
{
	uint32_t seen = 0;

	/* Acquire pairs with the release in unlock. */
	return atomic_compare_exchange_strong_explicit(
		&mutex->state, &seen, 1, memory_order_acquire, memory_order_relaxed);
}

static inline void dx_mutex_lock(struct dx_mutex *mutex)
{
	uint32_t seen = 0;

	if (__builtin_expect(!atomic_compare_exchange_strong_explicit(&mutex->state, &seen, 1,
								      memory_order_acquire,
								      memory_order_relaxed),
			     0)) {
		dx_mutex_lock_slowly(mutex);
	}
}

static inline void dx_mutex_unlock(struct dx_mutex *mutex)
{
	/* From here on the next holder may free it; a wake-up needs its address only. */
	if (__builtin_expect(
		    atomic_exchange_explicit(&mutex->state, 0, memory_order_release) == 2, 0)) {
		dx_mutex_wake(mutex);
	}
}
#endif

void dx_cond_init(struct dx_cond *cond);
void dx_cond_fini(struct dx_cond *cond);
void dx_cond_signal(struct dx_cond *cond);
void dx_cond_broadcast(struct dx_cond *cond);
void dx_cond_wait(struct dx_cond *cond, struct dx_mutex *mutex) DX_REQUIRES(*mutex);
/* deadline_ns: CLOCK_MONOTONIC. @return 0, or -ETIMEDOUT. */
int dx_cond_wait_until(struct dx_cond *cond, struct dx_mutex *mutex, uint64_t deadline_ns)
	DX_REQUIRES(*mutex);

#endif
