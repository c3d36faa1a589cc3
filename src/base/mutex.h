/* SPDX-License-Identifier: MIT
 *
 * mutex - locks with annotations that clang checks and every compiler's reader sees.
 *
 * Place:   base. A lock's declaration says what it guards and its place in the order.
 * Threads: any.
 */
#ifndef DX_BASE_MUTEX_H
#define DX_BASE_MUTEX_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

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
	pthread_mutex_t pthread;
};

struct dx_cond {
	pthread_cond_t pthread; /* waits on CLOCK_MONOTONIC */
};

#define DX_MUTEX_INIT {PTHREAD_MUTEX_INITIALIZER}

void dx_mutex_init(struct dx_mutex *mutex);
void dx_mutex_fini(struct dx_mutex *mutex);
void dx_mutex_lock(struct dx_mutex *mutex) DX_ACQUIRE(*mutex);
bool dx_mutex_trylock(struct dx_mutex *mutex) DX_TRY_ACQUIRE(true, *mutex);
void dx_mutex_unlock(struct dx_mutex *mutex) DX_RELEASE(*mutex);

void dx_cond_init(struct dx_cond *cond);
void dx_cond_fini(struct dx_cond *cond);
void dx_cond_signal(struct dx_cond *cond);
void dx_cond_broadcast(struct dx_cond *cond);
void dx_cond_wait(struct dx_cond *cond, struct dx_mutex *mutex) DX_REQUIRES(*mutex);
/* deadline_ns: CLOCK_MONOTONIC. @return 0, or -ETIMEDOUT. */
int dx_cond_wait_until(struct dx_cond *cond, struct dx_mutex *mutex, uint64_t deadline_ns)
	DX_REQUIRES(*mutex);

#endif
