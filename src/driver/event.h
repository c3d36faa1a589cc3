/* SPDX-License-Identifier: MIT
 *
 * event - what sources of notifications, interrupts and timers have in common: one action, on or off.
 *
 * Place:      driver, over action. The class of a source begins with struct dx_event_source.
 * Invariants:
 *   EV1  what happens while a source is off, or has no action, is told once when it can be: several
 *        times are one time.
 *   EV2  after a cancellation no handler starts.
 *   EV3  a runtime's list of sources holds no references; dx_event_try_ref() under the runtime's lock
 *        takes one unless the source is being freed, which waits for that lock to leave the list. The
 *        same goes for the reactor's timers and its lock.
 * Threads:    any.
 */
#ifndef DX_DRIVER_EVENT_H
#define DX_DRIVER_EVENT_H

#include <opendext/notify.h>

#include "base/list.h"
#include "driver/action.h"
#include "driver/runtime.h"

/* What a handler of the kind is told. */
struct dx_event {
	uint64_t count;
	uint64_t time;
};

struct dx_event_source {
	struct dx_object object;
	struct dx_runtime *runtime;
	struct dx_queue *queue; /* counted */
	enum dx_action_kind kind;
	const char *method;	     /* for the line of a crash */
	struct dx_list runtime_link; /* under the runtime's lock */

	struct dx_mutex lock; /* order 22; guards what follows */
	struct dx_action *action DX_GUARDED_BY(lock); /* counted and in use */
	struct dx_event event DX_GUARDED_BY(lock);    /* the last one */
	bool enabled DX_GUARDED_BY(lock);
	bool due DX_GUARDED_BY(lock); /* EV1 */
	bool cancelled DX_GUARDED_BY(lock);
};

/* Sets up the head of a zeroed source. @return kIOReturnNotReady for a queue of no driver. */
kern_return_t dx_event_setup(struct dx_event_source *source, IODispatchQueue *queue,
			     enum dx_action_kind kind, const char *method);
void dx_event_fini(struct dx_event_source *source);
/* Takes part in one of the runtime's lists, until dx_event_fini(). */
void dx_event_list(struct dx_event_source *source, struct dx_list *list);
/* EV3; the caller holds the lock of the list. */
bool dx_event_try_ref(struct dx_event_source *source);

/* It happened. */
void dx_event_fire(struct dx_event_source *source, const struct dx_event *event);
/* It happened, and is told now or never (instead of EV1). */
void dx_event_fire_now(struct dx_event_source *source, const struct dx_event *event);
/* It counts as not told, for the next action. */
void dx_event_set_due(struct dx_event_source *source);
/* It happened once more, now; on the clock of mach_continuous_time() or mach_absolute_time(). */
void dx_event_count(struct dx_event_source *source, bool continuous);
void dx_event_read(struct dx_event_source *source, struct dx_event *ret_event);
bool dx_event_is_cancelled(struct dx_event_source *source);
/* Runs a handler of the driver on the source's queue; NULL: nothing to do. @return also no memory. */
kern_return_t dx_event_run_handler(struct dx_event_source *source,
				   IODispatchSourceCancelHandler handler, void *context);

/* The public functions; source NULL: kIOReturnBadArgument. */
kern_return_t dx_event_set_handler(struct dx_event_source *source, OSAction *action);
kern_return_t dx_event_set_enable(struct dx_event_source *source, bool enable,
				  IODispatchSourceCancelHandler handler, void *context);
kern_return_t dx_event_cancel(struct dx_event_source *source, IODispatchSourceCancelHandler handler,
			      void *context);

#endif
