/* SPDX-License-Identifier: MIT
 *
 * mutex - locks with annotations.
 *
 * The functions below are where the analysis ends: pthread's own carry no annotations, so they
 * are excluded from it. A pthread error here is a bug of ours (a lock that is not initialised,
 * not held, or held twice) and asserts.
 */
#include "base/mutex.h"

#include <assert.h>
#include <errno.h>
#include <time.h>

void dx_mutex_init(struct dx_mutex *mutex)
{
	int error = pthread_mutex_init(&mutex->pthread, NULL);

	assert(error == 0); /* a default mutex allocates nothing on Linux */
}

void dx_mutex_fini(struct dx_mutex *mutex)
{
	int error = pthread_mutex_destroy(&mutex->pthread);

	assert(error == 0);
}

DX_NO_THREAD_SAFETY void dx_mutex_lock(struct dx_mutex *mutex)
{
	int error = pthread_mutex_lock(&mutex->pthread);

	assert(error == 0);
}

DX_NO_THREAD_SAFETY bool dx_mutex_trylock(struct dx_mutex *mutex)
{
	int error = pthread_mutex_trylock(&mutex->pthread);

	assert(error == 0 || error == EBUSY);
	return error == 0;
}

DX_NO_THREAD_SAFETY void dx_mutex_unlock(struct dx_mutex *mutex)
{
	int error = pthread_mutex_unlock(&mutex->pthread);

	assert(error == 0);
}

void dx_cond_init(struct dx_cond *cond)
{
	pthread_condattr_t attributes;
	int error = pthread_condattr_init(&attributes);

	assert(error == 0);
	error = pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	assert(error == 0);
	error = pthread_cond_init(&cond->pthread, &attributes);
	assert(error == 0);
	(void)pthread_condattr_destroy(&attributes); /* nothing to release on Linux */
}

void dx_cond_fini(struct dx_cond *cond)
{
	int error = pthread_cond_destroy(&cond->pthread);

	assert(error == 0);
}

void dx_cond_signal(struct dx_cond *cond)
{
	int error = pthread_cond_signal(&cond->pthread);

	assert(error == 0);
}

void dx_cond_broadcast(struct dx_cond *cond)
{
	int error = pthread_cond_broadcast(&cond->pthread);

	assert(error == 0);
}

void dx_cond_wait(struct dx_cond *cond, struct dx_mutex *mutex)
{
	int error = pthread_cond_wait(&cond->pthread, &mutex->pthread);

	assert(error == 0);
}

int dx_cond_wait_until(struct dx_cond *cond, struct dx_mutex *mutex, uint64_t deadline_ns)
{
	struct timespec deadline = {
		.tv_sec = (time_t)(deadline_ns / 1000000000u),
		.tv_nsec = (long)(deadline_ns % 1000000000u),
	};
	int error = pthread_cond_timedwait(&cond->pthread, &mutex->pthread, &deadline);

	assert(error == 0 || error == ETIMEDOUT);
	return -error;
}
