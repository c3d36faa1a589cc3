/* SPDX-License-Identifier: MIT
 *
 * iolock - locks for drivers: waiting for one gives the lead of the reactor away.
 *
 * Place:   driver. Pthread locks underneath; the owner of an IOLock is remembered for IOLockAssert().
 * Threads: any.
 */
#include <opendext/iolib.h>

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "driver/reactor.h"

struct IOLock {
	pthread_mutex_t mutex;
	_Atomic pthread_t owner; /* meaningful while owned */
	_Atomic bool owned;
};

struct IORecursiveLock {
	struct IOLock lock;
	unsigned depth; /* the owner's */
};

struct IORWLock {
	pthread_rwlock_t lock;
};

static bool is_mine(const struct IOLock *lock)
{
	/* Pairs with take(): who sees another's lock must not see his own name in it any more. */
	return atomic_load_explicit(&lock->owned, memory_order_acquire) &&
	       pthread_equal(atomic_load_explicit(&lock->owner, memory_order_relaxed),
			     pthread_self()) != 0;
}

static void take(struct IOLock *lock)
{
	atomic_store_explicit(&lock->owner, pthread_self(), memory_order_relaxed);
	atomic_store_explicit(&lock->owned, true, memory_order_release);
}

IOLock *IOLockAlloc(void)
{
	struct IOLock *lock = calloc(1, sizeof(*lock));

	if (lock != NULL) {
		(void)pthread_mutex_init(&lock->mutex, NULL); /* cannot fail for a default mutex */
	}
	return lock;
}

void IOLockFree(IOLock *lock)
{
	if (lock != NULL) {
		(void)pthread_mutex_destroy(&lock->mutex);
		free(lock);
	}
}

bool IOLockTryLock(IOLock *lock)
{
	if (lock == NULL || pthread_mutex_trylock(&lock->mutex) != 0) {
		return false;
	}
	take(lock);
	return true;
}

void IOLockLock(IOLock *lock)
{
	if (lock == NULL || IOLockTryLock(lock)) {
		return;
	}
	dx_reactor_blocking_begin();
	(void)pthread_mutex_lock(&lock->mutex);
	dx_reactor_blocking_end();
	take(lock);
}

void IOLockUnlock(IOLock *lock)
{
	if (lock != NULL) {
		atomic_store_explicit(&lock->owned, false, memory_order_relaxed);
		(void)pthread_mutex_unlock(&lock->mutex);
	}
}

void IOLockAssert(IOLock *lock, IOLockAssertState state)
{
	bool owned = lock != NULL && is_mine(lock);

	if (owned != (state == kIOLockAssertOwned)) {
		(void)IOLog("IOLockAssert: the lock is %sowned by this thread",
			    owned ? "" : "not ");
		abort();
	}
}

IORecursiveLock *IORecursiveLockAlloc(void)
{
	struct IORecursiveLock *lock = calloc(1, sizeof(*lock));

	if (lock != NULL) {
		(void)pthread_mutex_init(&lock->lock.mutex, NULL);
	}
	return lock;
}

void IORecursiveLockFree(IORecursiveLock *lock)
{
	if (lock != NULL) {
		(void)pthread_mutex_destroy(&lock->lock.mutex);
		free(lock);
	}
}

void IORecursiveLockLock(IORecursiveLock *lock)
{
	if (lock == NULL) {
		return;
	}
	if (!is_mine(&lock->lock)) {
		IOLockLock(&lock->lock);
	}
	lock->depth++;
}

bool IORecursiveLockTryLock(IORecursiveLock *lock)
{
	if (lock == NULL || (!is_mine(&lock->lock) && !IOLockTryLock(&lock->lock))) {
		return false;
	}
	lock->depth++;
	return true;
}

void IORecursiveLockUnlock(IORecursiveLock *lock)
{
	if (lock != NULL && is_mine(&lock->lock) && --lock->depth == 0) {
		IOLockUnlock(&lock->lock);
	}
}

bool IORecursiveLockHaveLock(const IORecursiveLock *lock)
{
	return lock != NULL && is_mine(&lock->lock);
}

IORWLock *IORWLockAlloc(void)
{
	struct IORWLock *lock = calloc(1, sizeof(*lock));

	if (lock != NULL) {
		(void)pthread_rwlock_init(&lock->lock, NULL);
	}
	return lock;
}

void IORWLockFree(IORWLock *lock)
{
	if (lock != NULL) {
		(void)pthread_rwlock_destroy(&lock->lock);
		free(lock);
	}
}

void IORWLockRead(IORWLock *lock)
{
	if (lock == NULL || pthread_rwlock_tryrdlock(&lock->lock) == 0) {
		return;
	}
	dx_reactor_blocking_begin();
	(void)pthread_rwlock_rdlock(&lock->lock);
	dx_reactor_blocking_end();
}

void IORWLockWrite(IORWLock *lock)
{
	if (lock == NULL || pthread_rwlock_trywrlock(&lock->lock) == 0) {
		return;
	}
	dx_reactor_blocking_begin();
	(void)pthread_rwlock_wrlock(&lock->lock);
	dx_reactor_blocking_end();
}

void IORWLockUnlock(IORWLock *lock)
{
	if (lock != NULL) {
		(void)pthread_rwlock_unlock(&lock->lock);
	}
}
