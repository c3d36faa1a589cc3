/* SPDX-License-Identifier: MIT
 *
 * reactor_private - the parts of the reactor that its files share.
 */
#ifndef DX_DRIVER_REACTOR_PRIVATE_H
#define DX_DRIVER_REACTOR_PRIVATE_H

#include <pthread.h>
#include <stdatomic.h>

#include "base/mutex.h"
#include "channel/policy.h"
#include "driver/reactor.h"
#include "driver/thread.h"

#define DX_REACTOR_ACTIVE	64u /* sources that are polled; more only while all are busy */
#define DX_REACTOR_IDLE_PASSES	256u /* without work, while others work: armed and left alone */
#define DX_REACTOR_SPARES	4u
#define DX_REACTOR_QUEUES	64u /* drained in one pass */
#define DX_REACTOR_ITEMS	32u /* of one queue */
#define DX_REACTOR_PEEK_PASSES	32u /* busy passes between two looks at the epoll set */
#define DX_REACTOR_WAKE_COOKIE	UINT64_MAX

struct dx_reactor_thread {
	struct dx_list link;
	pthread_t handle;
	struct dx_reactor *reactor;
};

struct dx_reactor {
	struct dx_runtime *runtime;
	int epoll_fd;
	int wake_fd;

	struct dx_mutex lock; /* order 40; guards what follows */
	struct dx_cond spare_cond;
	struct dx_list scheduled DX_GUARDED_BY(lock); /* of queues */
	struct dx_list timers DX_GUARDED_BY(lock);    /* by deadline */
	struct dx_list threads DX_GUARDED_BY(lock);
	struct dx_list finished DX_GUARDED_BY(lock); /* threads to be joined */
	struct dx_source **entries DX_GUARDED_BY(lock);
	uint32_t nr_entries DX_GUARDED_BY(lock);
	uint32_t free_hint DX_GUARDED_BY(lock);
	bool leaderless DX_GUARDED_BY(lock);
	uint64_t nr_leads DX_GUARDED_BY(lock); /* times that a thread took the lead */
	bool sleeping DX_GUARDED_BY(lock);
	bool kicked DX_GUARDED_BY(lock);
	unsigned nr_removed DX_GUARDED_BY(lock);
	bool stopping DX_GUARDED_BY(lock);
	unsigned nr_threads DX_GUARDED_BY(lock);
	unsigned nr_idle DX_GUARDED_BY(lock);

	/* Hints, so that a pass with nothing to do takes no lock. */
	_Atomic uint32_t nr_scheduled;
	_Atomic bool attention; /* kicked, removed or stopping */
	_Atomic bool stop;	/* as stopping, without the lock */
	_Atomic uint64_t next_timer_ns; /* UINT64_MAX: none */

	/* Leader only (E1). */
	struct dx_source **active;
	uint32_t nr_active;
	uint32_t max_active;
	struct dx_wait_policy policy;
	bool waiting; /* the policy's wait has begun */
	uint32_t passes_since_peek;

	_Atomic uint64_t nr_passes;
	_Atomic uint64_t nr_sleeps;
	_Atomic uint64_t nr_events;
};

/* reactor.c: the lead, until it is lost or the reactor stops. */
void dx_reactor_lead(struct dx_reactor *reactor, struct dx_thread *self);

/* reactor_timers.c: those that are due. @return true when there was one. */
bool dx_reactor_fire_timers(struct dx_reactor *reactor);

/* reactor_threads.c */
int dx_reactor_start_thread(struct dx_reactor *reactor);
void dx_reactor_join_threads(struct dx_reactor *reactor);
void dx_reactor_wake(struct dx_reactor *reactor);

#endif
