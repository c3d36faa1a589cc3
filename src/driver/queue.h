/* SPDX-License-Identifier: MIT
 *
 * queue - serial queues: who runs what, one thing at a time.
 *
 * Place:      driver. IODispatchQueue. A queue on a reactor has no thread: the leader drains it. A
 *             queue with a worker is drained by that thread. Both are entered the same way.
 * Invariants:
 *   Q1  at most one thread holds a queue; what it does there happens after everything that was
 *       done there before.
 *   Q2  items run in the order in which they were pushed; entering waits for its turn in that order.
 *   Q3  a queue with items that nobody holds is scheduled; the schedule owns a reference.
 *   Q4  every item's run() is called exactly once, with cancelled = true once the queue was
 *       cancelled: it then releases what it owns and does nothing else.
 *   Q5  concurrent items of a queue with a worker run beside each other, at most DX_QUEUE_MAX_SHARED
 *       at a time, in threads that end with them; what else is in the queue comes before or after all
 *       of those around it, as it was pushed. Without a thread to be had they run one by one.
 * Owner:      counted references.
 * Threads:    any.
 */
#ifndef DX_DRIVER_QUEUE_H
#define DX_DRIVER_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/list.h"
#include "base/mutex.h"
#include "base/object.h"
#include "driver/thread.h"

struct dx_item {
	struct dx_list link;
	bool concurrent; /* Q5 */
	/* The item may free itself. */
	void (*run)(struct dx_item *item, bool cancelled);
};

struct dx_queue_worker;

struct dx_queue {
	struct dx_object object;
	struct dx_reactor *reactor;	/* borrowed; NULL: worker */
	struct dx_queue_worker *worker; /* NULL: reactor */
	struct dx_runtime *runtime;	/* borrowed */
	char *name;			/* NULL: "Default" */
	bool reentrant;
	bool methods_concurrent; /* messages to objects on the queue are concurrent items */
	struct dx_list schedule_link; /* the reactor's, under its lock */
	struct dx_mutex lock;	      /* order 30; guards what follows */
	struct dx_list items DX_GUARDED_BY(lock);
	struct dx_list sleepers DX_GUARDED_BY(lock);
	bool held DX_GUARDED_BY(lock);
	bool scheduled DX_GUARDED_BY(lock);
	bool cancelled DX_GUARDED_BY(lock);
	unsigned nr_shared DX_GUARDED_BY(lock); /* threads with concurrent items; the queue is held */
};

#define DX_QUEUE_MAX_SHARED 8u

extern const struct dx_class dx_queue_class;

/* A default queue. name may be NULL. NULL without memory. */
struct dx_queue *dx_queue_new(struct dx_runtime *runtime, struct dx_reactor *reactor);
/* A queue with a thread of its own. @return 0; -ENOMEM; -EAGAIN no thread. */
int dx_queue_new_worker(struct dx_runtime *runtime, const char *name, bool reentrant,
			struct dx_queue **ret_queue);
/* What the rest of this room uses of each other. */
void dx_queue_hold_begin(struct dx_queue *queue, struct dx_queue_hold *hold);
void dx_queue_hold_end(struct dx_queue_hold *hold);
/* Q3: after unlocking, by who got true from the function below. */
void dx_queue_schedule(struct dx_queue *queue);
bool dx_queue_wants_schedule_locked(struct dx_queue *queue) DX_REQUIRES(queue->lock);
/* queue_shared.c: the queue is held by the caller and its first item is concurrent; gives it up. */
void dx_queue_run_shared(struct dx_queue *queue);
/* After a push: one more thread if the item may run beside those that run. Unlocks nothing; the caller
 * calls dx_queue_join_shared() after unlocking when it said true. */
bool dx_queue_may_join_locked(struct dx_queue *queue) DX_REQUIRES(queue->lock);
void dx_queue_join_shared(struct dx_queue *queue);

void dx_queue_push(struct dx_queue *queue, struct dx_item *item);
/* Takes the queue when it is free and nothing waits. */
bool dx_queue_try_enter(struct dx_queue *queue, struct dx_queue_hold *hold);
/* Waits for its turn. @return false when the queue is cancelled: it is held all the same. */
bool dx_queue_enter(struct dx_queue *queue, struct dx_queue_hold *hold);
void dx_queue_leave(struct dx_queue *queue, struct dx_queue_hold *hold);
/* True when this thread holds it, at any depth. */
bool dx_queue_is_held_here(const struct dx_queue *queue);
/* The scheduled queue's turn: runs at most max_items, or until this thread loses the lead of its
 * reactor (then up to the end of that item). Consumes the schedule's reference. */
void dx_queue_drain(struct dx_queue *queue, unsigned max_items);
/* What is queued runs as cancelled, later pushes too; last (may be NULL) is run after them. */
void dx_queue_cancel(struct dx_queue *queue, struct dx_item *last);
bool dx_queue_is_cancelled(struct dx_queue *queue);

/* Gives the queue away until somebody wakes event. deadline_ns: CLOCK_MONOTONIC, 0 = none.
 * @return 0; -ETIMEDOUT; -ECANCELED; -EPERM when the innermost hold is not of this queue; -EAGAIN,
 * -ENOMEM: it cannot be given away, because no thread could be made that takes it. */
int dx_queue_sleep(struct dx_queue *queue, const void *event, uint64_t deadline_ns);
/* @return 0; -EPERM when not held here. */
int dx_queue_wake(struct dx_queue *queue, const void *event, bool all);

#endif
