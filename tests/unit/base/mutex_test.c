/* SPDX-License-Identifier: MIT
 *
 * mutex_test - locks and conditions.
 */
#include "test.h"

#include <errno.h>
#include <pthread.h>

#include "base/clock.h"
#include "base/mutex.h"

struct shared {
	struct dx_mutex lock; /* guards: count, ready */
	struct dx_cond cond;
	unsigned count DX_GUARDED_BY(lock);
	bool ready DX_GUARDED_BY(lock);
};

DX_NO_THREAD_SAFETY static void shared_init(struct shared *shared)
{
	dx_mutex_init(&shared->lock);
	dx_cond_init(&shared->cond);
	shared->count = 0;
	shared->ready = false;
}

static void shared_fini(struct shared *shared)
{
	dx_cond_fini(&shared->cond);
	dx_mutex_fini(&shared->lock);
}

static void *count_up(void *argument)
{
	struct shared *shared = argument;

	for (int i = 0; i < 10000; i++) {
		dx_mutex_lock(&shared->lock);
		shared->count++;
		dx_mutex_unlock(&shared->lock);
	}
	dx_mutex_lock(&shared->lock);
	shared->ready = true;
	dx_mutex_unlock(&shared->lock);
	dx_cond_broadcast(&shared->cond);
	return NULL;
}

TEST(mutex_keeps_threads_apart)
{
	struct shared shared;
	pthread_t threads[3];

	shared_init(&shared);
	for (int i = 0; i < 3; i++) {
		CHECK_EQ(pthread_create(&threads[i], NULL, count_up, &shared), 0);
	}
	for (int i = 0; i < 3; i++) {
		CHECK_EQ(pthread_join(threads[i], NULL), 0);
	}
	dx_mutex_lock(&shared.lock);
	CHECK_EQ(shared.count, 30000);
	dx_mutex_unlock(&shared.lock);
	shared_fini(&shared);
}

static void *try_lock(void *argument)
{
	struct shared *shared = argument;
	bool locked = dx_mutex_trylock(&shared->lock);

	if (locked) {
		dx_mutex_unlock(&shared->lock);
	}
	return locked ? shared : NULL;
}

TEST(mutex_trylock_fails_while_another_thread_holds_it)
{
	struct shared shared;
	pthread_t thread;
	void *result = NULL;

	shared_init(&shared);
	dx_mutex_lock(&shared.lock);
	CHECK_EQ(pthread_create(&thread, NULL, try_lock, &shared), 0);
	CHECK_EQ(pthread_join(thread, &result), 0);
	dx_mutex_unlock(&shared.lock);
	CHECK(result == NULL);
	CHECK(try_lock(&shared) == &shared);
	shared_fini(&shared);
}

TEST(cond_wait_ends_with_the_signal)
{
	struct shared shared;
	pthread_t thread;

	shared_init(&shared);
	CHECK_EQ(pthread_create(&thread, NULL, count_up, &shared), 0);
	dx_mutex_lock(&shared.lock);
	while (!shared.ready) {
		dx_cond_wait(&shared.cond, &shared.lock);
	}
	dx_mutex_unlock(&shared.lock);
	CHECK_EQ(pthread_join(thread, NULL), 0);
	dx_cond_signal(&shared.cond); /* nobody waits */
	shared_fini(&shared);
}

TEST(cond_wait_until_ends_at_the_deadline)
{
	struct shared shared;
	uint64_t deadline_ns = dx_clock_now_ns() + 20000000;
	int result = 0;

	shared_init(&shared);
	dx_mutex_lock(&shared.lock);
	while (result == 0) {
		result = dx_cond_wait_until(&shared.cond, &shared.lock, deadline_ns);
	}
	dx_mutex_unlock(&shared.lock);
	CHECK_EQ(result, -ETIMEDOUT);
	CHECK(dx_clock_now_ns() >= deadline_ns);
	shared_fini(&shared);
}
