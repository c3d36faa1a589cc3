/* SPDX-License-Identifier: MIT
 *
 * reactor_timers - deadlines of the reactor, sorted by time.
 */
#include "base/clock.h"
#include "driver/reactor_private.h"

static void publish_next_timer_locked(struct dx_reactor *reactor) DX_REQUIRES(reactor->lock)
{
	uint64_t next = UINT64_MAX;

	if (!dx_list_is_empty(&reactor->timers)) {
		next = dx_list_entry(reactor->timers.next, struct dx_reactor_timer, link)
			       ->deadline_ns;
	}
	atomic_store_explicit(&reactor->next_timer_ns, next, memory_order_relaxed);
}

void dx_reactor_set_timer(struct dx_reactor *reactor, struct dx_reactor_timer *timer,
			  uint64_t deadline_ns)
{
	dx_mutex_lock(&reactor->lock);
	if (timer->armed) {
		dx_list_remove(&timer->link);
	}
	timer->armed = true;
	timer->deadline_ns = deadline_ns;
	struct dx_list *before = &reactor->timers;
	while (before->prev != &reactor->timers &&
	       dx_list_entry(before->prev, struct dx_reactor_timer, link)->deadline_ns >
		       deadline_ns) {
		before = before->prev;
	}
	dx_list_push_back(before, &timer->link);
	publish_next_timer_locked(reactor);
	bool wake = reactor->sleeping;
	dx_mutex_unlock(&reactor->lock);
	if (wake) {
		dx_reactor_wake(reactor);
	}
}

void dx_reactor_clear_timer(struct dx_reactor *reactor, struct dx_reactor_timer *timer)
{
	dx_mutex_lock(&reactor->lock);
	if (timer->armed) {
		dx_list_remove(&timer->link);
		timer->armed = false;
		publish_next_timer_locked(reactor);
	}
	dx_mutex_unlock(&reactor->lock);
}

/* The first timer that is due, disarmed and with a reference. */
static struct dx_reactor_timer *take_due_timer(struct dx_reactor *reactor, uint64_t now_ns)
{
	struct dx_reactor_timer *due = NULL;

	dx_mutex_lock(&reactor->lock);
	while (due == NULL && !dx_list_is_empty(&reactor->timers)) {
		struct dx_reactor_timer *timer =
			dx_list_entry(reactor->timers.next, struct dx_reactor_timer, link);
		if (timer->deadline_ns > now_ns) {
			break;
		}
		dx_list_remove(&timer->link);
		timer->armed = false;
		due = timer->acquire(timer) ? timer : NULL;
	}
	publish_next_timer_locked(reactor);
	dx_mutex_unlock(&reactor->lock);
	return due;
}

bool dx_reactor_fire_timers(struct dx_reactor *reactor)
{
	bool fired = false;

	if (atomic_load_explicit(&reactor->next_timer_ns, memory_order_relaxed) == UINT64_MAX) {
		return false;
	}
	uint64_t now_ns = dx_clock_now_ns();
	for (struct dx_reactor_timer *timer = take_due_timer(reactor, now_ns); timer != NULL;
	     timer = take_due_timer(reactor, now_ns)) {
		timer->fire(timer);
		fired = true;
	}
	return fired;
}
