/* SPDX-License-Identifier: MIT
 *
 * reactor - the threads of a driver process: one leads, others wait or are blocked in driver code.
 *
 * Place:      driver, under everything that happens by itself. The leader polls active sources
 *             (channels, USB devices), fires timers and drains scheduled queues inline, so that a
 *             call costs neither a thread switch nor a system call.
 * Invariants:
 *   E1  at most one thread leads. Only the leader calls poll, arm and disarm of sources.
 *   E2  a function that waits gives the lead away first (blocking_begin), so that everything that is
 *       not behind it on the same queue goes on. It never gets the lead back by itself: its thread
 *       ends what it does and becomes a spare.
 *   E3  the leader sleeps only when nothing is scheduled, every active source is armed and has been
 *       looked at again. Sources that are armed leave the active set: idle ones cost nothing.
 *   E4  a source that was removed is not called any more after released().
 * Threads:    any, unless said otherwise.
 */
#ifndef DX_DRIVER_REACTOR_H
#define DX_DRIVER_REACTOR_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/list.h"

struct dx_queue;
struct dx_reactor;
struct dx_runtime;
struct dx_source;

struct dx_source_ops {
	/* One bounded round. Returns at once when the thread has lost the lead.
	 * @return true when there was something to do. */
	bool (*poll)(struct dx_source *source);
	/* The leader is about to sleep. @return true: there is work. */
	bool (*arm)(struct dx_source *source);
	void (*disarm)(struct dx_source *source);
	/* A descriptor is ready: 0 the first that was added, 1 the second. */
	void (*event)(struct dx_source *source, unsigned which, uint32_t events);
	/* When poll must run at the latest (CLOCK_MONOTONIC), UINT64_MAX: no matter. */
	uint64_t (*deadline)(struct dx_source *source);
	/* Where the peer last ran, for the wait policy. */
	uint32_t (*peer_cpu)(struct dx_source *source);
	/* The reactor is through with it: called once after dx_reactor_remove(), by the leader, without
	 * locks. Must not run driver code. */
	void (*released)(struct dx_source *source);
};

/* Embedded in what it stands for. Fields are the reactor's. */
struct dx_source {
	const struct dx_source_ops *ops;
	bool persistent; /* always active, never armed away (USB devices) */
	/* Leader only: */
	bool active;
	uint32_t idle_passes;
	_Atomic uint32_t holds; /* table, active set, event in hand */
	_Atomic bool removed;
	uint32_t index; /* of its entry, constant while added; 0: not added */
};

struct dx_reactor_timer {
	struct dx_list link;
	uint64_t deadline_ns;
	bool armed;
	/* Takes a reference on what the timer belongs to, unless it is being freed. Called under the
	 * reactor's lock, which dx_reactor_clear_timer() takes: so it is never called afterwards. */
	bool (*acquire)(struct dx_reactor_timer *timer);
	/* Called by the leader without locks after acquire() said true; gives that reference back.
	 * Must not run driver code. */
	void (*fire)(struct dx_reactor_timer *timer);
};

struct dx_reactor_counters {
	uint64_t passes;
	uint64_t sleeps;
	uint64_t events;
	uint32_t threads;
};

/* Starts the first thread. spin_budget_ns as dx_wait_policy_init().
 * @return 0; -ENOMEM; -EMFILE; -EAGAIN no thread. */
int dx_reactor_new(struct dx_runtime *runtime, uint64_t spin_budget_ns,
		   struct dx_reactor **ret_reactor);
/* Ends all threads and waits for them; sources and timers must be gone. NULL is allowed.
 * Not from a thread of the reactor. @return NULL. */
struct dx_reactor *dx_reactor_free(struct dx_reactor *reactor);

/* Hands a reference on a queue that has work. */
void dx_reactor_schedule(struct dx_reactor *reactor, struct dx_queue *queue);
/* The leader looks at the sources again: something was submitted by another thread. */
void dx_reactor_kick(struct dx_reactor *reactor);

/* @return 0: released() follows some time after dx_reactor_remove(); -ENOMEM. */
int dx_reactor_add(struct dx_reactor *reactor, struct dx_source *source);
/* Watches a descriptor of a source that was added, as which (0 or 1).
 * @return 0 or the errno of epoll_ctl. */
int dx_reactor_watch(struct dx_reactor *reactor, struct dx_source *source, unsigned which, int fd,
		     uint32_t events);
/* Where to listen, for sources that add their descriptor themselves. */
int dx_reactor_epoll_fd(const struct dx_reactor *reactor);
uint64_t dx_reactor_cookie(const struct dx_source *source, unsigned which);
void dx_reactor_unwatch(struct dx_reactor *reactor, int fd);
/* Any thread, once or more often. */
void dx_reactor_remove(struct dx_reactor *reactor, struct dx_source *source);

/* A deadline in the past fires at the next pass. Replaces a pending one. */
void dx_reactor_set_timer(struct dx_reactor *reactor, struct dx_reactor_timer *timer,
			  uint64_t deadline_ns);
void dx_reactor_clear_timer(struct dx_reactor *reactor, struct dx_reactor_timer *timer);

/* Around everything that waits, in any thread; nesting is allowed. */
void dx_reactor_blocking_begin(void);
void dx_reactor_blocking_end(void);

void dx_reactor_counters(struct dx_reactor *reactor, struct dx_reactor_counters *ret_counters);

#endif
