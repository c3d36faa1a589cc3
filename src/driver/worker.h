/* SPDX-License-Identifier: MIT
 *
 * worker - the thread of a queue that the driver made.
 *
 * Place:      driver, under queue.
 * Invariants:
 *   W1  the record outlives the queue: the thread frees it when it ends.
 *   W2  a kick carries the schedule's reference on the queue, which the drain consumes.
 */
#ifndef DX_DRIVER_WORKER_H
#define DX_DRIVER_WORKER_H

struct dx_queue;
struct dx_queue_worker;

/* @return 0; -ENOMEM; -EAGAIN no thread. */
int dx_queue_worker_start(struct dx_queue *queue, struct dx_queue_worker **ret_worker);
void dx_queue_worker_kick(struct dx_queue_worker *worker, struct dx_queue *queue);
/* The queue is being freed; called from any thread, the worker's own included. Waits for the thread
 * unless it is the caller. */
void dx_queue_worker_end(struct dx_queue_worker *worker);

#endif
