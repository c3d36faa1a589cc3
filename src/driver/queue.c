/* SPDX-License-Identifier: MIT
 *
 * queue - see queue.h.
 *
 * Entering a busy queue pushes a ticket. When the drain reaches it, the hold passes to the waiting
 * thread (Q1) and the drain ends without leaving; the waiter leaves later and schedules the rest.
 */
#include "driver/queue.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "driver/reactor.h"
#include "driver/worker.h"

struct ticket {
	struct dx_item item;
	struct dx_mutex lock; /* order 80, innermost */
	struct dx_cond cond;
	bool granted DX_GUARDED_BY(lock);
};

/* A thread in dx_queue_sleep(). */
struct sleeper {
	struct dx_list link; /* in the queue's list, under its lock */
	const void *event;
	struct dx_mutex lock; /* order 81 */
	struct dx_cond cond;
	bool woken DX_GUARDED_BY(lock);
};

static void queue_free(struct dx_object *object)
{
	struct dx_queue *queue = (struct dx_queue *)object;

	if (queue->worker != NULL) {
		dx_queue_worker_end(queue->worker);
	}
	dx_mutex_fini(&queue->lock);
	free(queue->name);
}

const struct dx_class dx_queue_class = {
	.name = "IODispatchQueue",
	.instance_size = sizeof(struct dx_queue),
	.free = queue_free,
};

struct dx_queue *dx_queue_new(struct dx_runtime *runtime, struct dx_reactor *reactor)
{
	struct dx_queue *queue = dx_object_new(&dx_queue_class);

	if (queue == NULL) {
		return NULL;
	}
	queue->reactor = reactor;
	queue->runtime = runtime;
	dx_mutex_init(&queue->lock);
	dx_list_init(&queue->schedule_link);
	dx_list_init(&queue->items);
	dx_list_init(&queue->sleepers);
	return queue;
}

int dx_queue_new_worker(struct dx_runtime *runtime, const char *name, bool reentrant,
			struct dx_queue **ret_queue)
{
	struct dx_queue *queue = dx_queue_new(runtime, NULL);

	if (queue == NULL) {
		return -ENOMEM;
	}
	queue->reentrant = reentrant;
	queue->name = strdup(name);
	int result = queue->name == NULL ? -ENOMEM : dx_queue_worker_start(queue, &queue->worker);
	if (result < 0) {
		(void)dx_object_unref(queue);
		return result;
	}
	*ret_queue = queue;
	return 0;
}

/* Q3: called after unlocking, by the one who set scheduled. */
void dx_queue_schedule(struct dx_queue *queue)
{
	if (queue->worker != NULL) {
		dx_queue_worker_kick(queue->worker, dx_object_ref(queue));
	} else {
		dx_reactor_schedule(queue->reactor, dx_object_ref(queue));
	}
}

bool dx_queue_wants_schedule_locked(struct dx_queue *queue)
{
	if (queue->held || queue->scheduled || dx_list_is_empty(&queue->items)) {
		return false;
	}
	queue->scheduled = true;
	return true;
}

void dx_queue_push(struct dx_queue *queue, struct dx_item *item)
{
	dx_mutex_lock(&queue->lock);
	dx_list_push_back(&queue->items, &item->link);
	bool wanted = dx_queue_wants_schedule_locked(queue);
	bool joins = queue->nr_shared > 0 && dx_queue_may_join_locked(queue);
	dx_mutex_unlock(&queue->lock);
	if (wanted) {
		dx_queue_schedule(queue);
	} else if (joins) {
		dx_queue_join_shared(queue);
	}
}

void dx_queue_hold_begin(struct dx_queue *queue, struct dx_queue_hold *hold)
{
	struct dx_thread *self = dx_thread_self();

	hold->queue = queue;
	hold->shared = false;
	hold->outer = self->holds;
	self->holds = hold;
}

void dx_queue_hold_end(struct dx_queue_hold *hold)
{
	dx_thread_self()->holds = hold->outer;
}

bool dx_queue_try_enter(struct dx_queue *queue, struct dx_queue_hold *hold)
{
	dx_mutex_lock(&queue->lock);
	bool free_now = !queue->held && dx_list_is_empty(&queue->items) && !queue->cancelled;
	if (free_now) {
		queue->held = true;
	}
	dx_mutex_unlock(&queue->lock);
	if (free_now) {
		dx_queue_hold_begin(queue, hold);
	}
	return free_now;
}

static void ticket_grant(struct dx_item *item, bool cancelled)
{
	struct ticket *ticket = dx_container_of(item, struct ticket, item);

	(void)cancelled; /* the waiter asks the queue itself */
	dx_mutex_lock(&ticket->lock);
	ticket->granted = true;
	dx_cond_signal(&ticket->cond);
	dx_mutex_unlock(&ticket->lock);
}

static void ticket_wait(struct ticket *ticket)
{
	dx_reactor_blocking_begin();
	dx_mutex_lock(&ticket->lock);
	while (!ticket->granted) {
		dx_cond_wait(&ticket->cond, &ticket->lock);
	}
	dx_mutex_unlock(&ticket->lock);
	dx_reactor_blocking_end();
}

bool dx_queue_enter(struct dx_queue *queue, struct dx_queue_hold *hold)
{
	struct ticket ticket = {.item = {.run = ticket_grant}};
	bool wanted = false;

	dx_mutex_lock(&queue->lock);
	bool free_now = !queue->held && dx_list_is_empty(&queue->items);
	if (free_now) {
		queue->held = true;
	} else {
		dx_mutex_init(&ticket.lock);
		dx_cond_init(&ticket.cond);
		dx_list_push_back(&queue->items, &ticket.item.link);
		wanted = dx_queue_wants_schedule_locked(queue);
	}
	dx_mutex_unlock(&queue->lock);
	if (!free_now) {
		if (wanted) {
			dx_queue_schedule(queue);
		}
		ticket_wait(&ticket);
		dx_cond_fini(&ticket.cond);
		dx_mutex_fini(&ticket.lock);
	}
	dx_queue_hold_begin(queue, hold);
	return !dx_queue_is_cancelled(queue);
}

/* The hold ends; whatever waits is scheduled. */
static void release(struct dx_queue *queue)
{
	dx_mutex_lock(&queue->lock);
	queue->held = false;
	bool wanted = dx_queue_wants_schedule_locked(queue);
	dx_mutex_unlock(&queue->lock);
	if (wanted) {
		dx_queue_schedule(queue);
	}
}

void dx_queue_leave(struct dx_queue *queue, struct dx_queue_hold *hold)
{
	dx_queue_hold_end(hold);
	release(queue);
}

bool dx_queue_is_held_here(const struct dx_queue *queue)
{
	for (const struct dx_queue_hold *hold = dx_thread_self()->holds; hold != NULL;
	     hold = hold->outer) {
		if (hold->queue == queue) {
			return true;
		}
	}
	return false;
}

static bool is_concurrent(const struct dx_queue *queue, const struct dx_list *node)
{
	return node != NULL && queue->worker != NULL &&
	       dx_list_entry(node, const struct dx_item, link)->concurrent;
}

/* The next item, or NULL: with the hold given up, or, *ret_shared, with concurrent items in front. */
static struct dx_item *take_next(struct dx_queue *queue, bool *ret_cancelled, bool *ret_shared)
{
	dx_mutex_lock(&queue->lock);
	struct dx_list *node = dx_list_pop_front(&queue->items);
	*ret_shared = is_concurrent(queue, node);
	if (*ret_shared) {
		dx_list_push_front(&queue->items, node);
		node = NULL;
	} else if (node == NULL) {
		queue->held = false;
	}
	*ret_cancelled = queue->cancelled;
	dx_mutex_unlock(&queue->lock);
	return node == NULL ? NULL : dx_list_entry(node, struct dx_item, link);
}

static bool begin_drain(struct dx_queue *queue)
{
	dx_mutex_lock(&queue->lock);
	bool free_now = !queue->held;
	queue->scheduled = false;
	if (free_now) {
		queue->held = true;
	}
	dx_mutex_unlock(&queue->lock);
	return free_now; /* else somebody entered meanwhile and schedules when leaving */
}

void dx_queue_drain(struct dx_queue *queue, unsigned max_items)
{
	struct dx_thread *self = dx_thread_self();
	struct dx_queue_hold hold;
	bool was_leader = self->leader;

	if (!begin_drain(queue)) {
		(void)dx_object_unref(queue);
		return;
	}
	for (unsigned i = 0; i < max_items && self->leader == was_leader; i++) {
		bool cancelled = false;
		bool shared = false;
		struct dx_item *item = take_next(queue, &cancelled, &shared);
		if (shared) {
			dx_queue_run_shared(queue);
		}
		if (item == NULL) {
			(void)dx_object_unref(queue);
			return;
		}
		if (item->run == ticket_grant) {
			ticket_grant(item, cancelled); /* the hold is the waiter's now */
			(void)dx_object_unref(queue);
			return;
		}
		dx_queue_hold_begin(queue, &hold);
		item->run(item, cancelled);
		dx_queue_hold_end(&hold);
	}
	release(queue);
	(void)dx_object_unref(queue);
}

bool dx_queue_is_cancelled(struct dx_queue *queue)
{
	dx_mutex_lock(&queue->lock);
	bool cancelled = queue->cancelled;
	dx_mutex_unlock(&queue->lock);
	return cancelled;
}

static void sleeper_wake(struct sleeper *sleeper)
{
	dx_mutex_lock(&sleeper->lock);
	sleeper->woken = true;
	dx_cond_signal(&sleeper->cond);
	dx_mutex_unlock(&sleeper->lock);
}

static void wake_locked(struct dx_queue *queue, const void *event, bool any_event, bool all)
	DX_REQUIRES(queue->lock)
{
	dx_list_for_each_safe(node, &queue->sleepers) {
		struct sleeper *sleeper = dx_list_entry(node, struct sleeper, link);
		if (!any_event && sleeper->event != event) {
			continue;
		}
		dx_list_remove(&sleeper->link);
		sleeper_wake(sleeper);
		if (!all) {
			return;
		}
	}
}

void dx_queue_cancel(struct dx_queue *queue, struct dx_item *last)
{
	dx_mutex_lock(&queue->lock);
	queue->cancelled = true;
	wake_locked(queue, NULL, true, true);
	if (last != NULL) {
		dx_list_push_back(&queue->items, &last->link);
	}
	bool wanted = dx_queue_wants_schedule_locked(queue);
	dx_mutex_unlock(&queue->lock);
	if (wanted) {
		dx_queue_schedule(queue);
	}
}

/* False on timeout. */
static bool sleeper_wait(struct sleeper *sleeper, uint64_t deadline_ns)
{
	int result = 0;

	dx_mutex_lock(&sleeper->lock);
	while (!sleeper->woken && result == 0) {
		if (deadline_ns == 0) {
			dx_cond_wait(&sleeper->cond, &sleeper->lock);
		} else {
			result = dx_cond_wait_until(&sleeper->cond, &sleeper->lock, deadline_ns);
		}
	}
	bool woken = sleeper->woken;
	dx_mutex_unlock(&sleeper->lock);
	return woken;
}

/* A wake-up between the timeout and here still counts. */
static bool sleeper_remove(struct dx_queue *queue, struct sleeper *sleeper)
{
	dx_mutex_lock(&queue->lock);
	dx_mutex_lock(&sleeper->lock);
	bool woken = sleeper->woken;
	dx_mutex_unlock(&sleeper->lock);
	if (!woken) {
		dx_list_remove(&sleeper->link);
	}
	dx_mutex_unlock(&queue->lock);
	return woken;
}

int dx_queue_sleep(struct dx_queue *queue, const void *event, uint64_t deadline_ns)
{
	struct dx_queue_hold *hold = dx_thread_self()->holds;
	struct sleeper sleeper = {.event = event};

	if (hold == NULL || hold->queue != queue || hold->shared) {
		return -EPERM;
	}
	int result = dx_queue_worker_sleeps(queue->worker);
	if (result < 0) {
		return result;
	}
	dx_mutex_init(&sleeper.lock);
	dx_cond_init(&sleeper.cond);
	dx_mutex_lock(&queue->lock);
	bool cancelled = queue->cancelled;
	if (!cancelled) {
		dx_list_push_back(&queue->sleepers, &sleeper.link);
	}
	dx_mutex_unlock(&queue->lock);
	bool woken = false;
	if (!cancelled) {
		dx_queue_leave(queue, hold);
		dx_reactor_blocking_begin();
		(void)sleeper_wait(&sleeper, deadline_ns); /* asked again under the queue's lock */
		dx_reactor_blocking_end();
		woken = sleeper_remove(queue, &sleeper);
		cancelled = !dx_queue_enter(queue, hold);
	}
	dx_queue_worker_woke(queue->worker);
	dx_cond_fini(&sleeper.cond);
	dx_mutex_fini(&sleeper.lock);
	if (cancelled) {
		return -ECANCELED;
	}
	return woken ? 0 : -ETIMEDOUT;
}

int dx_queue_wake(struct dx_queue *queue, const void *event, bool all)
{
	if (!dx_queue_is_held_here(queue)) {
		return -EPERM;
	}
	dx_mutex_lock(&queue->lock);
	wake_locked(queue, event, false, all);
	dx_mutex_unlock(&queue->lock);
	return 0;
}
