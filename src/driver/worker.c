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
#include "driver/runtime.h"
#include "driver/user_client.h"

#define MAX_AWAKE 2u /* threads that wait for kicks: one, and the one that a sleep left behind */

struct dx_queue_worker {
	struct dx_runtime *runtime;
	struct dx_mutex lock; /* order 31; guards what follows */
	struct dx_cond cond;
	struct dx_queue *kicked DX_GUARDED_BY(lock); /* counted (W2) */
	unsigned nr_threads DX_GUARDED_BY(lock);
	unsigned nr_asleep DX_GUARDED_BY(lock);
	bool ended DX_GUARDED_BY(lock); /* the queue has left */
};

static _Thread_local struct dx_queue_worker *own_worker __attribute__((tls_model("initial-exec")));

static void worker_free(struct dx_queue_worker *worker)
{
	dx_cond_fini(&worker->cond);
	dx_mutex_fini(&worker->lock);
	free(worker);
}

/* The next kick, or NULL when this thread shall end; the worker is then no longer its own (W1). It
 * stops counting in the same step: a kick that comes now starts another one. */
static struct dx_queue *wait_for_kick(struct dx_queue_worker *worker)
{
	dx_mutex_lock(&worker->lock);
	while (worker->kicked == NULL && !worker->ended &&
	       worker->nr_threads - worker->nr_asleep <= MAX_AWAKE) {
		dx_cond_wait(&worker->cond, &worker->lock);
	}
	struct dx_queue *queue = worker->kicked;
	worker->kicked = NULL;
	if (queue == NULL) {
		worker->nr_threads--;
	}
	bool last = queue == NULL && worker->nr_threads == 0 && worker->ended;
	dx_mutex_unlock(&worker->lock);
	if (last) {
		worker_free(worker);
	}
	return queue;
}

static void *worker_main(void *context)
{
	struct dx_queue_worker *worker = context;

	dx_thread_signal_stack_begin();
	dx_thread_self()->runtime = worker->runtime;
	own_worker = worker;
	for (struct dx_queue *queue = wait_for_kick(worker); queue != NULL;
	     queue = wait_for_kick(worker)) {
		dx_queue_drain(queue, 64);
		dx_runtime_worker_end(worker->runtime); /* begun by the kick */
	}
	dx_thread_self()->spare_frame = dx_call_frame_free(dx_thread_self()->spare_frame);
	dx_thread_signal_stack_end();
	return NULL;
}

static int start_thread_locked(struct dx_queue_worker *worker) DX_REQUIRES(worker->lock)
{
	pthread_attr_t attributes;
	pthread_t thread;
	int error = pthread_attr_init(&attributes);

	if (error == 0) {
		error = pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
		if (error == 0) {
			error = pthread_create(&thread, &attributes, worker_main, worker);
		}
		(void)pthread_attr_destroy(&attributes);
	}
	if (error == 0) {
		worker->nr_threads++;
	}
	return -error;
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
	dx_mutex_lock(&worker->lock);
	int result = start_thread_locked(worker);
	dx_mutex_unlock(&worker->lock);
	if (result < 0) {
		worker_free(worker);
		return result;
	}
	*ret_worker = worker;
	return 0;
}

void dx_queue_worker_kick(struct dx_queue_worker *worker, struct dx_queue *queue)
{
	dx_runtime_worker_begin(worker->runtime);
	dx_mutex_lock(&worker->lock);
	worker->kicked = queue; /* one at a time: the queue is scheduled once */
	dx_cond_signal(&worker->cond);
	dx_mutex_unlock(&worker->lock);
}

int dx_queue_worker_sleeps(struct dx_queue_worker *worker)
{
	int result = 0;

	if (worker == NULL || worker != own_worker) {
		return 0;
	}
	dx_mutex_lock(&worker->lock);
	if (worker->nr_threads - worker->nr_asleep == 1) {
		result = start_thread_locked(worker); /* W3 */
	}
	if (result == 0) {
		worker->nr_asleep++;
	}
	dx_mutex_unlock(&worker->lock);
	return result;
}

void dx_queue_worker_woke(struct dx_queue_worker *worker)
{
	if (worker == NULL || worker != own_worker) {
		return;
	}
	dx_mutex_lock(&worker->lock);
	worker->nr_asleep--;
	dx_cond_broadcast(&worker->cond); /* one too many ends */
	dx_mutex_unlock(&worker->lock);
}

void dx_queue_worker_end(struct dx_queue_worker *worker)
{
	dx_mutex_lock(&worker->lock);
	worker->ended = true;
	bool last = worker->nr_threads == 0;
	dx_cond_broadcast(&worker->cond);
	dx_mutex_unlock(&worker->lock);
	if (last) {
		worker_free(worker);
	}
}
