/* SPDX-License-Identifier: MIT
 *
 * queue_shared - concurrent items of a queue; see queue.h for Q5.
 *
 * Place:   driver, part of queue. While concurrent items run the queue is held by all of their threads
 *          together: whoever is the last gives it up. A thread goes on as long as the first item in the
 *          queue is a concurrent one.
 */
#include <pthread.h>

#include "driver/call.h"
#include "driver/queue.h"
#include "driver/runtime.h"

/* Items at the front that are concurrent, up to max. */
static unsigned count_front_locked(struct dx_queue *queue, unsigned max) DX_REQUIRES(queue->lock)
{
	unsigned count = 0;

	dx_list_for_each(node, &queue->items) {
		if (count == max || !dx_list_entry(node, struct dx_item, link)->concurrent) {
			break;
		}
		count++;
	}
	return count;
}

/* @return true when the caller has to schedule the queue. */
static bool leave_shared_locked(struct dx_queue *queue) DX_REQUIRES(queue->lock)
{
	if (--queue->nr_shared > 0) {
		return false;
	}
	queue->held = false;
	return dx_queue_wants_schedule_locked(queue);
}

/* The next concurrent item; NULL: none in front, and this thread no longer holds the queue. */
static struct dx_item *take_concurrent(struct dx_queue *queue, bool *ret_cancelled)
{
	struct dx_item *item = NULL;
	bool wanted = false;

	dx_mutex_lock(&queue->lock);
	if (count_front_locked(queue, 1) > 0) {
		item = dx_list_entry(dx_list_pop_front(&queue->items), struct dx_item, link);
	} else {
		wanted = leave_shared_locked(queue);
	}
	*ret_cancelled = queue->cancelled;
	dx_mutex_unlock(&queue->lock);
	if (wanted) {
		dx_queue_schedule(queue);
	}
	return item;
}

static void run_items(struct dx_queue *queue)
{
	struct dx_queue_hold hold;
	bool cancelled = false;

	for (struct dx_item *item = take_concurrent(queue, &cancelled); item != NULL;
	     item = take_concurrent(queue, &cancelled)) {
		dx_queue_hold_begin(queue, &hold);
		hold.shared = true;
		item->run(item, cancelled);
		dx_queue_hold_end(&hold);
	}
}

static void *shared_main(void *context)
{
	struct dx_queue *queue = context;
	struct dx_runtime *runtime = queue->runtime;

	dx_thread_signal_stack_begin();
	dx_thread_self()->runtime = runtime;
	run_items(queue);
	(void)dx_object_unref(queue);
	dx_runtime_worker_end(runtime);
	dx_thread_self()->spare_frame = dx_call_frame_free(dx_thread_self()->spare_frame);
	dx_thread_signal_stack_end();
	return NULL;
}

static bool start_thread(struct dx_queue *queue)
{
	pthread_attr_t attributes;
	pthread_t thread;

	if (pthread_attr_init(&attributes) != 0) {
		return false;
	}
	bool started = pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED) == 0 &&
		       pthread_create(&thread, &attributes, shared_main, queue) == 0;
	(void)pthread_attr_destroy(&attributes);
	return started;
}

/* One more thread, that nr_shared counts already. Without it the others do its work, or, when they have
 * ended meanwhile, the next drain. */
void dx_queue_join_shared(struct dx_queue *queue)
{
	dx_runtime_worker_begin(queue->runtime);
	if (!start_thread(dx_object_ref(queue))) {
		dx_mutex_lock(&queue->lock);
		bool wanted = leave_shared_locked(queue);
		dx_mutex_unlock(&queue->lock);
		if (wanted) {
			dx_queue_schedule(queue);
		}
		(void)dx_object_unref(queue);
		dx_runtime_worker_end(queue->runtime);
	}
}

bool dx_queue_may_join_locked(struct dx_queue *queue)
{
	unsigned free_places = DX_QUEUE_MAX_SHARED - queue->nr_shared;

	if (free_places == 0 || count_front_locked(queue, free_places) == 0) {
		return false;
	}
	queue->nr_shared++;
	return true;
}

void dx_queue_run_shared(struct dx_queue *queue)
{
	dx_mutex_lock(&queue->lock);
	unsigned nr_threads = count_front_locked(queue, DX_QUEUE_MAX_SHARED);
	queue->nr_shared = nr_threads;
	dx_mutex_unlock(&queue->lock);
	for (unsigned i = 1; i < nr_threads; i++) {
		dx_queue_join_shared(queue);
	}
	run_items(queue);
}
