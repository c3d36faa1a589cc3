/* SPDX-License-Identifier: MIT
 *
 * reactor_threads - who leads: hand-over, spare threads, waking the leader.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "driver/reactor_private.h"
#include "driver/user_client.h"

/* Waits until the lead is free. False: the thread shall end. */
static bool take_lead(struct dx_reactor *reactor)
{
	bool taken = false;

	dx_mutex_lock(&reactor->lock);
	if (!reactor->leaderless && !reactor->stopping && reactor->nr_idle < DX_REACTOR_SPARES) {
		reactor->nr_idle++;
		while (!reactor->leaderless && !reactor->stopping) {
			dx_cond_wait(&reactor->spare_cond, &reactor->lock);
		}
		reactor->nr_idle--;
	}
	if (reactor->leaderless) {
		reactor->leaderless = false;
		reactor->nr_leads++;
		taken = true;
	}
	dx_mutex_unlock(&reactor->lock);
	return taken;
}

static void *thread_main(void *context)
{
	struct dx_reactor_thread *thread = context;
	struct dx_reactor *reactor = thread->reactor;
	struct dx_thread *self = dx_thread_self();

	dx_thread_signal_stack_begin();
	self->runtime = reactor->runtime;
	self->reactor = reactor;
	while (take_lead(reactor)) {
		self->leader = true;
		dx_reactor_lead(reactor, self);
		dx_thread_flush(self);
	}
	self->spare_frame = dx_call_frame_free(self->spare_frame);
	dx_thread_signal_stack_end();
	dx_mutex_lock(&reactor->lock);
	dx_list_remove(&thread->link);
	dx_list_push_back(&reactor->finished, &thread->link);
	reactor->nr_threads--;
	dx_mutex_unlock(&reactor->lock);
	return NULL;
}

/* Threads that have ended are joined by those that start or stop. */
static void join_finished(struct dx_reactor *reactor)
{
	struct dx_list done = DX_LIST_INIT(done);

	dx_mutex_lock(&reactor->lock);
	if (!reactor->stopping) { /* else the one that stops joins */
		dx_list_splice_back(&done, &reactor->finished);
	}
	dx_mutex_unlock(&reactor->lock);
	for (struct dx_list *node = dx_list_pop_front(&done); node != NULL;
	     node = dx_list_pop_front(&done)) {
		struct dx_reactor_thread *thread =
			dx_list_entry(node, struct dx_reactor_thread, link);
		(void)pthread_join(thread->handle, NULL);
		free(thread);
	}
}

int dx_reactor_start_thread(struct dx_reactor *reactor)
{
	struct dx_reactor_thread *thread = calloc(1, sizeof(*thread));

	if (thread == NULL) {
		return -ENOMEM;
	}
	join_finished(reactor);
	thread->reactor = reactor;
	dx_mutex_lock(&reactor->lock);
	int error = pthread_create(&thread->handle, NULL, thread_main, thread);
	if (error == 0) {
		dx_list_push_back(&reactor->threads, &thread->link);
		reactor->nr_threads++;
	}
	dx_mutex_unlock(&reactor->lock);
	if (error != 0) {
		free(thread);
	}
	return -error;
}

/* Any thread of the reactor, running or ended; it stays in its list. */
static struct dx_reactor_thread *some_thread(struct dx_reactor *reactor)
{
	struct dx_list *node = NULL;

	dx_mutex_lock(&reactor->lock);
	if (!dx_list_is_empty(&reactor->finished)) {
		node = reactor->finished.next;
	} else if (!dx_list_is_empty(&reactor->threads)) {
		node = reactor->threads.next;
	}
	dx_mutex_unlock(&reactor->lock);
	return node == NULL ? NULL : dx_list_entry(node, struct dx_reactor_thread, link);
}

void dx_reactor_join_threads(struct dx_reactor *reactor)
{
	for (struct dx_reactor_thread *thread = some_thread(reactor); thread != NULL;
	     thread = some_thread(reactor)) {
		(void)pthread_join(thread->handle, NULL);
		dx_mutex_lock(&reactor->lock);
		dx_list_remove(&thread->link);
		dx_mutex_unlock(&reactor->lock);
		free(thread);
	}
}

void dx_reactor_wake(struct dx_reactor *reactor)
{
	uint64_t one = 1;

	/* Nonblocking and private to this process; a full counter is readable already. */
	(void)!write(reactor->wake_fd, &one, sizeof(one));
}

void dx_reactor_blocking_begin(void)
{
	struct dx_thread *self = dx_thread_self();
	struct dx_reactor *reactor = self->reactor;

	dx_thread_flush(self);
	if (reactor == NULL || !self->leader) {
		return;
	}
	self->leader = false;
	dx_mutex_lock(&reactor->lock);
	reactor->leaderless = true;
	uint64_t nr_leads = reactor->nr_leads;
	bool spare = reactor->nr_idle > 0;
	if (spare) {
		dx_cond_signal(&reactor->spare_cond);
	}
	dx_mutex_unlock(&reactor->lock);
	if (!spare && dx_reactor_start_thread(reactor) < 0) {
		/* No thread to be had: others wait until this one is back. If one came back and led
		 * meanwhile, what our callers know of the leader's state is old: then E2 holds. */
		dx_mutex_lock(&reactor->lock);
		bool mine = reactor->leaderless && reactor->nr_leads == nr_leads;
		reactor->leaderless = reactor->leaderless && !mine;
		dx_mutex_unlock(&reactor->lock);
		self->leader = mine;
	}
}

void dx_reactor_blocking_end(void)
{
	/* The thread goes on without the lead (E2); it becomes a spare when its work is done. */
}
