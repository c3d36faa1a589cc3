/* SPDX-License-Identifier: MIT
 *
 * worker - the threads of a queue that the driver made: one, and one more for each that is asleep in
 * IODispatchQueueSleep(). The second one stays, so that the next sleep need not make another.
 *
 * Place:      driver, under queue.
 * Invariants:
 *   W1  the record outlives the queue: the last of threads and queue to leave frees it.
 *   W2  a kick carries the schedule's reference on the queue, which the drain consumes.
 *   W3  a kick finds a thread that is not asleep: who goes to sleep leaves another one behind, or
 *       does not sleep. What would wake it is an item of the queue, which that thread runs.
 */
#ifndef DX_DRIVER_WORKER_H
#define DX_DRIVER_WORKER_H

struct dx_queue;
struct dx_queue_worker;

/* @return 0; -ENOMEM; -EAGAIN no thread. */
int dx_queue_worker_start(struct dx_queue *queue, struct dx_queue_worker **ret_worker);
void dx_queue_worker_kick(struct dx_queue_worker *worker, struct dx_queue *queue);
/* Around a sleep that gives the queue away; in any thread, has effect only in the worker's own.
 * @return 0; -ENOMEM, -EAGAIN: no thread to leave behind (W3). */
int dx_queue_worker_sleeps(struct dx_queue_worker *worker);
void dx_queue_worker_woke(struct dx_queue_worker *worker);
/* The queue is being freed; in any thread, the worker's own included. Does not wait. */
void dx_queue_worker_end(struct dx_queue_worker *worker);

#endif
