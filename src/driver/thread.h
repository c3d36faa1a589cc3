/* SPDX-License-Identifier: MIT
 *
 * thread - what the runtime knows about the calling thread.
 *
 * Place:      driver, lowest. Threads that belong to no driver have an all-zero record.
 * Invariants:
 *   T1  frames is the stack of queues that this thread holds now, innermost first.
 *   T2  leader is true only between taking and giving up the lead of reactor, in this thread.
 *   T3  a thread of the driver has a signal stack of its own, so that the line of a crash is also
 *       printed when its stack is full; without memory for one it goes without.
 *   T4  the first DX_THREAD_MAX_IDS threads of the driver are known by their ids.
 * Threads:    each its own record; nobody reads another's.
 */
#ifndef DX_DRIVER_THREAD_H
#define DX_DRIVER_THREAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct dx_queue;
struct dx_reactor;
struct dx_runtime;
struct dx_connection;
struct dx_call_frame;

struct dx_queue_hold {
	struct dx_queue *queue;
	struct dx_queue_hold *outer;
	bool shared; /* beside others: it cannot be given away in between */
};

#define DX_THREAD_BATCH   16u
#define DX_THREAD_MAX_IDS 128u

struct dx_thread {
	struct dx_runtime *runtime; /* of the driver whose code runs here; NULL: none */
	struct dx_reactor *reactor; /* threads of a reactor only */
	bool leader;
	uint32_t cpu; /* read once per pass by the leader */
	struct dx_queue_hold *holds;
	struct dx_call_frame *spare_frame;
	/* Where the driver's code is, for the line that a crash prints. */
	const char *class_name;
	const char *method_name;
	/* Connections whose notifications are collected; each counted. */
	struct dx_connection *batch[DX_THREAD_BATCH];
	unsigned nr_batch;
};

extern _Thread_local struct dx_thread dx_thread_record __attribute__((tls_model("initial-exec")));

/* First and last of every thread that may run driver code (T3). Sanitizers have their own: in their
 * builds both do nothing. */
void dx_thread_signal_stack_begin(void);
void dx_thread_signal_stack_end(void);
/* Kernel's ids of those between the two, as many as are kept (T4). For signal handlers. */
unsigned dx_thread_ids(pid_t *ids, unsigned nr_ids);

static inline struct dx_thread *dx_thread_self(void)
{
	return &dx_thread_record;
}

#endif
