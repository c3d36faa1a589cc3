/* SPDX-License-Identifier: MIT
 *
 * runloop - the part of run loops that notification ports plug into.
 *
 * Place:   client. cf_runloop.c runs; cf_source.c keeps sources, timers and who is in which loop.
 */
#ifndef DX_CLIENT_RUNLOOP_H
#define DX_CLIENT_RUNLOOP_H

#include <stdatomic.h>
#include <stdbool.h>

#include <CoreFoundation/CFRunLoop.h>

#include "base/list.h"
#include "base/mutex.h"
#include "base/object.h"
#include "base/value.h"

/* A source that waits for a descriptor and can be asked without a system call. */
struct dx_run_loop_port {
	int (*descriptor)(void *port);
	/* Delivers what is there. @return number of callbacks made. */
	unsigned (*deliver)(void *port);
	/* Waits as the wait policy allows. @return true: deliver again. */
	bool (*spin)(void *port);
	/* Makes the descriptor tell. @return true: something is there already, do not sleep. */
	bool (*arm)(void *port);
	/* Whether nothing can come any more, for its drivers have ended what it waited for. */
	bool (*is_over)(void *port);
};

/* port is a struct dx_object, retained until the source is invalidated. +1; NULL without memory. */
CFRunLoopSourceRef dx_run_loop_source_new_port(const struct dx_run_loop_port *functions,
					       void *port);

/* Private to the two files. */

/* Sources, timers, modes and run loops point at each other; one lock for all of it. No callback
 * and no system call that can block happens under it. */
extern struct dx_mutex dx_run_loop_lock; /* order 80 */

struct dx_run_loop_mode {
	struct dx_list node;
	struct dx_string *name;
	struct dx_array *sources; /* in calling order */
	struct dx_array *timers;
};

struct __CFRunLoop {
	struct dx_object object;
	struct dx_list modes DX_GUARDED_BY(dx_run_loop_lock);
	/* Name of the mode that runs, NULL when none does. */
	struct dx_string *current DX_GUARDED_BY(dx_run_loop_lock);
	unsigned depth DX_GUARDED_BY(dx_run_loop_lock); /* of runs inside runs */
	struct dx_list blocks DX_GUARDED_BY(dx_run_loop_lock); /* of cf_block.c, in order */
	/* Written to end a wait. Open while the loop runs or has anything in it. */
	int wake_fd DX_GUARDED_BY(dx_run_loop_lock);
	atomic_bool stopped;
	atomic_bool waiting;
};

struct __CFRunLoopSource {
	struct dx_object object;
	CFIndex order;
	CFRunLoopSourceContext context;
	const struct dx_run_loop_port *functions; /* NULL: signalled by the program */
	void *port DX_GUARDED_BY(dx_run_loop_lock);
	atomic_bool valid;
	atomic_bool signalled;
	struct dx_list loops DX_GUARDED_BY(dx_run_loop_lock); /* struct membership */
};

struct __CFRunLoopTimer {
	struct dx_object object;
	CFRunLoopTimerCallBack callout;
	CFRunLoopTimerContext context;
	CFTimeInterval interval;
	uint64_t next_ns DX_GUARDED_BY(dx_run_loop_lock); /* CLOCK_MONOTONIC; UINT64_MAX: never */
	atomic_bool valid;
	struct dx_list loops DX_GUARDED_BY(dx_run_loop_lock);
};

struct dx_run_loop_mode *dx_run_loop_mode_find(struct __CFRunLoop *loop, CFRunLoopMode name)
	DX_REQUIRES(dx_run_loop_lock);
/* Takes a loop that ends out of its members; its modes go to the list. */
void dx_run_loop_empty_locked(struct __CFRunLoop *loop, struct dx_list *ret_modes)
	DX_REQUIRES(dx_run_loop_lock);
/* Closes the descriptor of a loop that neither runs nor has anything in it. */
void dx_run_loop_settle_locked(struct __CFRunLoop *loop) DX_REQUIRES(dx_run_loop_lock);
void dx_run_loop_mode_free(struct dx_run_loop_mode *mode);
/* Blocks wait for that mode. */
bool dx_run_loop_has_block_locked(struct __CFRunLoop *loop, CFRunLoopMode mode)
	DX_REQUIRES(dx_run_loop_lock);
/* Runs those that wait now. @return whether there were any. */
bool dx_run_loop_run_blocks(struct __CFRunLoop *loop, CFRunLoopMode mode);
/* Gives all up; the loop ends. */
void dx_run_loop_drop_blocks(struct __CFRunLoop *loop);

#endif
