/* SPDX-License-Identifier: MIT
 *
 * worker - see worker.h.
 */
#include "driver/worker.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>

#include "base/mutex.h"
#include "driver/call.h"
#include "driver/queue.h"
#include "driver/user_client.h"

struct dx_queue_worker {
	pthread_t thread;
	struct dx_runtime *runtime;
	struct dx_mutex lock; /* order 31 */
	struct dx_cond cond;
	struct dx_queue *kicked DX_GUARDED_BY(lock); /* counted (W2) */
	bool ended DX_GUARDED_BY(lock);
	bool owns_itself DX_GUARDED_BY(lock); /* ended from its own thread: nobody joins */
};

static void worker_free(struct dx_queue_worker *worker)
{
	dx_cond_fini(&worker->cond);
	dx_mutex_fini(&worker->lock);
	free(worker);
}

/* The next kick, or NULL at the end. */
static struct dx_queue *wait_for_kick(struct dx_queue_worker *worker)
{
	dx_mutex_lock(&worker->lock);
	while (worker->kicked == NULL && !worker->ended) {
		dx_cond_wait(&worker->cond, &worker->lock);
	}
	struct dx_queue *queue = worker->kicked;
	worker->kicked = NULL;
	dx_mutex_unlock(&worker->lock);
	return queue;
}

static void *worker_main(void *context)
{
	struct dx_queue_worker *worker = context;

	dx_thread_self()->runtime = worker->runtime;
	for (;;) {
		struct dx_queue *queue = wait_for_kick(worker);
		if (queue == NULL) {
			break;
		}
		dx_queue_drain(queue, 64);
	}
	dx_mutex_lock(&worker->lock);
	bool owns_itself = worker->owns_itself;
	dx_mutex_unlock(&worker->lock);
	dx_thread_self()->spare_frame = dx_call_frame_free(dx_thread_self()->spare_frame);
	if (owns_itself) {
		worker_free(worker);
	}
	return NULL;
}

int dx_queue_worker_start(struct dx_queue *queue, struct dx_queue_worker **ret_worker)
{
	struct dx_queue_worker *worker = calloc(1, sizeof(*worker));

	if (worker == NULL) {
		return -ENOMEM;
	}
	worker->runtime = queue->runtime;
	dx_mutex_init(&worker->lock);
	dx_cond_init(&worker->cond);
	int error = pthread_create(&worker->thread, NULL, worker_main, worker);
	if (error != 0) {
		worker_free(worker);
		return -error;
	}
	*ret_worker = worker;
	return 0;
}

void dx_queue_worker_kick(struct dx_queue_worker *worker, struct dx_queue *queue)
{
	dx_mutex_lock(&worker->lock);
	worker->kicked = queue; /* one at a time: the queue is scheduled once (Q3) */
	dx_cond_signal(&worker->cond);
	dx_mutex_unlock(&worker->lock);
}

void dx_queue_worker_end(struct dx_queue_worker *worker)
{
	bool own_thread = pthread_equal(worker->thread, pthread_self()) != 0;
	pthread_t thread = worker->thread;

	if (own_thread) {
		(void)pthread_detach(thread); /* a thread that runs can be detached */
	}
	dx_mutex_lock(&worker->lock);
	worker->ended = true;
	worker->owns_itself = own_thread;
	dx_cond_signal(&worker->cond);
	dx_mutex_unlock(&worker->lock);
	if (!own_thread) {
		(void)pthread_join(thread, NULL);
		worker_free(worker);
	}
}
