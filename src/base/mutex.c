/* SPDX-License-Identifier: MIT
 *
 * mutex - locks and conditions on futex words; mutex.h has the invariants.
 *
 * A condition is a turn that each signal advances: a waiter reads it under the lock and sleeps
 * while it stays, so a signal between the two is not lost. The functions below are where the
 * analysis of clang ends.
 */
#include "base/mutex.h"

#include <assert.h>
#include <errno.h>
#include <linux/futex.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#if DX_THREAD_SANITIZER
#include <sanitizer/tsan_interface.h>
#define TELL(call) call
#else
#define TELL(call) ((void)0)
#endif

/* ---- sleeping ---- */

/* deadline_ns: CLOCK_MONOTONIC, 0 = none. @return 0, woken or not; -ETIMEDOUT. */
static int sleep_while(const _Atomic uint32_t *word, uint32_t seen, uint64_t deadline_ns)
{
	struct timespec deadline = {
		.tv_sec = (time_t)(deadline_ns / 1000000000u),
		.tv_nsec = (long)(deadline_ns % 1000000000u),
	};
	int before = errno;
	long result = syscall(SYS_futex, word, FUTEX_WAIT_BITSET | FUTEX_PRIVATE_FLAG, seen,
			      deadline_ns == 0 ? NULL : &deadline, NULL, FUTEX_BITSET_MATCH_ANY);
	bool late = result < 0 && errno == ETIMEDOUT;

	errno = before; /* as pthread's locks, these leave it alone */
	return late ? -ETIMEDOUT : 0;
}

/* The memory may be gone by now: then nobody sleeps there, and the error says so. */
static void wake_up(const _Atomic uint32_t *word, int nr_waiters)
{
	int before = errno;

	(void)syscall(SYS_futex, word, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, nr_waiters, NULL, NULL, 0);
	errno = before;
}

/* ---- locks ---- */

void dx_mutex_init(struct dx_mutex *mutex)
{
	atomic_init(&mutex->state, 0);
	TELL(__tsan_mutex_create(mutex, 0));
}

void dx_mutex_fini(struct dx_mutex *mutex)
{
	assert(atomic_load_explicit(&mutex->state, memory_order_relaxed) == 0);
	(void)mutex;
	TELL(__tsan_mutex_destroy(mutex, 0));
}

void dx_mutex_lock_slowly(struct dx_mutex *mutex)
{
	/* U2. Acquire pairs with the release in unlock. */
	while (atomic_exchange_explicit(&mutex->state, 2, memory_order_acquire) != 0) {
		(void)sleep_while(&mutex->state, 2, 0);
	}
}

void dx_mutex_wake(struct dx_mutex *mutex)
{
	wake_up(&mutex->state, 1);
}

#if DX_THREAD_SANITIZER
DX_NO_THREAD_SAFETY bool dx_mutex_trylock(struct dx_mutex *mutex)
{
	uint32_t seen = 0;

	TELL(__tsan_mutex_pre_lock(mutex, __tsan_mutex_try_lock));
	bool locked = atomic_compare_exchange_strong_explicit(
		&mutex->state, &seen, 1, memory_order_acquire, memory_order_relaxed);
	TELL(__tsan_mutex_post_lock(
		mutex, __tsan_mutex_try_lock | (locked ? 0u : __tsan_mutex_try_lock_failed), 0));
	return locked;
}

DX_NO_THREAD_SAFETY void dx_mutex_lock(struct dx_mutex *mutex)
{
	uint32_t seen = 0;

	TELL(__tsan_mutex_pre_lock(mutex, 0));
	if (!atomic_compare_exchange_strong_explicit(&mutex->state, &seen, 1, memory_order_acquire,
						     memory_order_relaxed)) {
		dx_mutex_lock_slowly(mutex);
	}
	TELL(__tsan_mutex_post_lock(mutex, 0, 0));
}

DX_NO_THREAD_SAFETY void dx_mutex_unlock(struct dx_mutex *mutex)
{
	TELL((void)__tsan_mutex_pre_unlock(mutex, 0));
	bool wanted = atomic_exchange_explicit(&mutex->state, 0, memory_order_release) == 2;
	if (wanted) {
		dx_mutex_wake(mutex);
	}
	TELL(__tsan_mutex_post_unlock(mutex, 0));
}
#endif

/* ---- conditions ---- */

void dx_cond_init(struct dx_cond *cond)
{
	atomic_init(&cond->turn, 0);
	atomic_init(&cond->nr_waiters, 0);
}

void dx_cond_fini(struct dx_cond *cond)
{
	assert(atomic_load_explicit(&cond->nr_waiters, memory_order_relaxed) == 0);
	(void)cond;
}

/* Turn, then waiters; a waiter counts itself, then sleeps only while the turn is the one that it
 * read under the lock. So either he is seen here, or he sees the new turn (both seq_cst). */
static void advance(struct dx_cond *cond, int nr_waiters)
{
	(void)atomic_fetch_add(&cond->turn, 1);
	if (atomic_load(&cond->nr_waiters) != 0) {
		wake_up(&cond->turn, nr_waiters);
	}
}

void dx_cond_signal(struct dx_cond *cond)
{
	advance(cond, 1);
}

void dx_cond_broadcast(struct dx_cond *cond)
{
	advance(cond, INT32_MAX);
}

DX_NO_THREAD_SAFETY static int wait_for_turn(struct dx_cond *cond, struct dx_mutex *mutex,
					     uint64_t deadline_ns)
{
	uint32_t turn = atomic_load(&cond->turn);

	(void)atomic_fetch_add(&cond->nr_waiters, 1);
	dx_mutex_unlock(mutex);
	int result = sleep_while(&cond->turn, turn, deadline_ns);
	dx_mutex_lock(mutex);
	(void)atomic_fetch_sub(&cond->nr_waiters, 1);
	return result;
}

void dx_cond_wait(struct dx_cond *cond, struct dx_mutex *mutex)
{
	(void)wait_for_turn(cond, mutex, 0);
}

int dx_cond_wait_until(struct dx_cond *cond, struct dx_mutex *mutex, uint64_t deadline_ns)
{
	/* 0 would be "none": it is long past. */
	return wait_for_turn(cond, mutex, deadline_ns == 0 ? 1 : deadline_ns);
}
