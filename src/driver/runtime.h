/* SPDX-License-Identifier: MIT
 *
 * runtime - one driver process: its threads, its services, and what it tells the broker.
 *
 * Place:      driver; the host makes one, fills in the table of what it wants to hear and drives it
 *             with the functions below. Several may live in one process (tests).
 * Invariants:
 *   R1  the functions of dx_runtime_ops are called without locks, from any thread, and must not
 *       block or call back into the runtime.
 *   R2  every started, opened or terminating request ends with exactly one call of its done function.
 * Threads:    any.
 */
#ifndef DX_DRIVER_RUNTIME_H
#define DX_DRIVER_RUNTIME_H

#include <opendext/driver.h>

#include <stdint.h>

#include "base/list.h"
#include "base/mutex.h"
#include "base/value.h"
#include "channel/alive.h"
#include "driver/thread.h"
#include "memory/quota.h"
#include "usb/backend.h"

struct dx_runtime;
struct dx_service;
struct dx_queue;

struct dx_runtime_ops {
	void (*registered)(void *context, uint64_t id);
	void (*renamed)(void *context, uint64_t id, const char *name);
	void (*properties_set)(void *context, uint64_t id, const struct dx_dict *properties);
	void (*property_removed)(void *context, uint64_t id, const char *key);
	void (*entry_added)(void *context, uint64_t id, uint64_t parent_id, const char *class_name,
			    const char *name, const struct dx_dict *properties);
	void (*entry_removed)(void *context, uint64_t id);
	void (*terminate_wanted)(void *context, uint64_t id);
	/* was_reset: by a port reset, so that it comes back. */
	void (*device_lost)(void *context, uint64_t provider_id, bool was_reset);
	/* A driver has chosen a configuration of a device that the broker knows. */
	void (*configured)(void *context, uint64_t device_id, uint8_t value, bool match);
	void (*busy_adjusted)(void *context, uint64_t id, int32_t delta);
	/* Services that match shall be told with dx_runtime_service_matched() and so on. */
	void (*watch_wanted)(void *context, uint64_t cookie, const struct dx_dict *matching);
	void (*watch_ended)(void *context, uint64_t cookie);
};

struct dx_runtime_options {
	const char *name; /* before log lines; copied */
	const OSDriverClass *const *classes; /* checked; borrowed */
	const struct dx_usb_backend_ops *const *backends; /* NULL-ended; borrowed; may be NULL */
	struct dx_usb_tap *tap; /* hears what passes on every device; borrowed; may be NULL */
	uint64_t first_id; /* registry ids for objects made here */
	uint64_t nr_ids;
	struct dx_alive_registry *alive; /* borrowed; may be NULL */
	uint64_t spin_budget_ns;
	const struct dx_runtime_ops *ops; /* borrowed */
	void *ops_context;
};

/* How a request ended. id: of the user client, where there is one. */
typedef void (*dx_runtime_done_fn)(void *context, IOReturn status, uint64_t id);

struct dx_runtime_opener {
	uint32_t pid;
	uint32_t uid;
	const char *name; /* of the application's program */
};

/* What a service is matched on. */
struct dx_runtime_provider {
	uint64_t id;
	const char *class_name; /* kernel class */
	const char *name;
	const struct dx_dict *properties; /* may be NULL */
	const char *spec;		  /* of the USB device; NULL: not USB */
	uint64_t device_id;		  /* of the USB device entry */
	int *device_fd; /* acquired for spec (usb/backend.h); taken if it is needed; NULL: none */
};

/* @return 0; -EINVAL a class table is wrong; -ENOMEM; -EMFILE; -EAGAIN no thread. */
int dx_runtime_new(const struct dx_runtime_options *options, struct dx_runtime **ret_runtime);
/* Ends connections and threads. Services must have been terminated. Waits up to 5 s for functions on
 * the driver's own queues; if one still runs then, the runtime stays in memory. NULL is allowed.
 * @return NULL. */
struct dx_runtime *dx_runtime_free(struct dx_runtime *runtime);

/* Name for log lines. */
const char *dx_runtime_name(const struct dx_runtime *runtime);

/*
 * Makes a service of the driver and starts it. Failures that are known at once come as return value,
 * without a call of done: -ENOENT no such class; -EEXIST the id is in use; -ENODEV, -EINVAL and others
 * from opening the USB device, with a line in message; -ENOMEM.
 */
int dx_runtime_start(struct dx_runtime *runtime, uint64_t id, const char *class_name,
		     const struct dx_dict *properties, const struct dx_runtime_provider *provider,
		     char *message, size_t message_size, dx_runtime_done_fn done, void *context);
/* Opens a user client; takes *socket (the application's) on success. Returned at once: -ENOENT no such
 * service; -EDQUOT too many connections; -ENOMEM. */
int dx_runtime_open(struct dx_runtime *runtime, uint64_t service_id, uint32_t type,
		    const struct dx_runtime_opener *opener, int *socket, dx_runtime_done_fn done,
		    void *context);
/* Stops a service and what belongs to it. done may be NULL. -ENOENT; -ENOMEM. */
int dx_runtime_terminate(struct dx_runtime *runtime, uint64_t id, dx_runtime_done_fn done,
			 void *context);
/* The provider was unplugged: its requests complete, later calls fail. -ENOENT. */
int dx_runtime_provider_gone(struct dx_runtime *runtime, uint64_t provider_id);
/* For what watch_wanted() asked for; a cookie that has ended is ignored. */
struct dx_runtime_match {
	uint64_t id;
	const char *class_name; /* kernel class */
	const char *name;
	const struct dx_dict *properties; /* may be NULL */
};
void dx_runtime_service_matched(struct dx_runtime *runtime, uint64_t cookie,
				const struct dx_runtime_match *match);
void dx_runtime_service_terminated(struct dx_runtime *runtime, uint64_t cookie, uint64_t id);
/* A new broker is about to tell what there is; then that it has: what it did not tell has ended. */
void dx_runtime_services_again(struct dx_runtime *runtime);
void dx_runtime_services_told(struct dx_runtime *runtime, uint64_t cookie);
/* Services that are not user clients and have not ended. */
unsigned dx_runtime_nr_services(struct dx_runtime *runtime);
unsigned dx_runtime_nr_connections(struct dx_runtime *runtime);
/* Calls the function for each service and user client, with a counted reference held meanwhile. */
void dx_runtime_each(struct dx_runtime *runtime,
		     void (*function)(void *context, struct dx_service *service), void *context);

/* ---- for the rest of the room ---- */

struct dx_runtime {
	char *name;
	const OSDriverClass *const *classes;
	const struct dx_usb_backend_ops *const *backends;
	struct dx_usb_tap *tap;
	struct dx_alive_registry *alive;
	const struct dx_runtime_ops *ops;
	void *ops_context;
	struct dx_reactor *reactor;
	struct dx_queue *reaper; /* where last references are given back */
	struct dx_memory_quota quota;

	struct dx_mutex lock; /* order 10; guards what follows */
	struct dx_list services DX_GUARDED_BY(lock);
	struct dx_list devices DX_GUARDED_BY(lock); /* struct dx_usb_share */
	/* Sources by what feeds them; not counted: dx_event_try_ref() says whether one still lives. */
	struct dx_list notifications DX_GUARDED_BY(lock);
	struct dx_list interrupts DX_GUARDED_BY(lock);
	uint64_t last_watch DX_GUARDED_BY(lock);
	unsigned nr_watches DX_GUARDED_BY(lock);
	struct dx_state_items *state_items; /* made when first asked for */
	uint64_t next_id DX_GUARDED_BY(lock);
	uint64_t nr_ids_left DX_GUARDED_BY(lock);
	unsigned nr_connections DX_GUARDED_BY(lock);
	unsigned nr_busy_workers DX_GUARDED_BY(lock);
	struct dx_cond workers_cond; /* nr_busy_workers became 0 */
	unsigned nr_frames DX_GUARDED_BY(lock);
	struct dx_list frames DX_GUARDED_BY(lock); /* of calls, unused */
};

/* Around what a queue's own thread runs; the runtime is not freed meanwhile. NULL is allowed. */
void dx_runtime_worker_begin(struct dx_runtime *runtime);
void dx_runtime_worker_end(struct dx_runtime *runtime);
/* @return -ENOSPC when the ids are used up. */
int dx_runtime_take_id(struct dx_runtime *runtime, uint64_t *ret_id);
/* The runtime of the driver code that runs here, or NULL. */
static inline struct dx_runtime *dx_runtime_here(void)
{
	return dx_thread_self()->runtime;
}
/* Counted, or NULL. */
struct dx_service *dx_runtime_find(struct dx_runtime *runtime, uint64_t id);

#endif
