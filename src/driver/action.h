/* SPDX-License-Identifier: MIT
 *
 * action - OSAction: a handler with its target, or an application's completion.
 *
 * Place:      driver.
 * Invariants:
 *   N1  handlers of one action run on one queue at a time, in the order in which it fired.
 *   N2  after cancel no handler starts; the target's reference is given up on the handler's queue.
 *   N3  uses counts what the runtime may still fire it for; at 0 the aborted handler is told.
 */
#ifndef DX_DRIVER_ACTION_H
#define DX_DRIVER_ACTION_H

#include <opendext/driver.h>
#include <stdatomic.h>

#include "base/mutex.h"
#include "driver/queue.h"
#include "driver/service.h"

enum dx_action_kind {
	DX_ACTION_ASYNC_IO,
	DX_ACTION_ISOCH_IO,
	DX_ACTION_BUNDLED_IO,
	DX_ACTION_DEVICE_REQUEST,
	DX_ACTION_TIMER,
	DX_ACTION_INTERRUPT,
	DX_ACTION_SERVICES, /* of a service notification */
	DX_ACTION_STATE,    /* of a state notification */
	DX_ACTION_POSTED,     /* by the C++ runtime; see face.h */
	DX_ACTION_COMPLETION, /* of an application's call: no handler */
};

struct dx_user_client;

struct dx_action {
	struct dx_object object;
	enum dx_action_kind kind;
	void (*handler)(void); /* of the kind's type */
	size_t reference_size;
	struct dx_connection *connection; /* completions: counted */
	struct dx_queue *client_queue;	  /* completions: counted; for the cancel handler */
	uint64_t tag;			  /* completions */
	struct dx_queue *own_queue;	  /* counted; of a target that is no service, else NULL */
	struct dx_item aborted_item;

	struct dx_mutex lock;	   /* order 25; guards what follows */
	struct dx_object *target DX_GUARDED_BY(lock); /* counted; NULL once cancelled */
	char *queue_name DX_GUARDED_BY(lock);
	OSActionAbortedHandler aborted DX_GUARDED_BY(lock);
	void *aborted_context DX_GUARDED_BY(lock);
	struct OSActionWaitToken *token DX_GUARDED_BY(lock);
	/* Written under it, read without by what runs for every buffer. */
	_Atomic bool cancelled;
	_Atomic bool has_aborted; /* aborted is set */
	_Atomic uint32_t uses;	  /* N3; counted without it */
	_Atomic bool aborted_queued; /* aborted_item is on its way, with a reference */
};

extern const struct dx_class dx_action_class;

/* A service's handlers run on its queues; those of another object on a queue that the action has for
 * itself. @return kIOReturnNotReady for another object outside of a driver's thread. */
kern_return_t dx_action_new(enum dx_action_kind kind, OSObject *target, void (*handler)(void),
			    size_t reference_size, OSAction **ret_action);
/* A completion; it keeps the connection, not the user client. NULL without memory. */
struct dx_action *dx_action_new_completion(struct dx_user_client *client, uint64_t tag);
/* The action behind a public pointer when it is of that kind, else NULL. */
struct dx_action *dx_action_of(const OSAction *action, enum dx_action_kind kind);

/* The runtime will fire it / will not any more. */
void dx_action_use(struct dx_action *action);
void dx_action_unuse(struct dx_action *action);
/* It fires: waiters are woken, item goes to the handler's queue. The item is run as cancelled when
 * the action is or becomes so. */
void dx_action_fire(struct dx_action *action, struct dx_item *item);
/* For items, when they run: the counted target, or NULL when the handler must not be called. */
void *dx_action_begin(struct dx_action *action, bool cancelled, struct dx_service_entry *entry,
		      const char *method);
void dx_action_end(void *target, const struct dx_service_entry *entry);

#endif
