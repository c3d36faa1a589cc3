/* SPDX-License-Identifier: MIT
 *
 * service - the core of IOService: identity, properties, queues, life cycle.
 *
 * Place:      driver. A service of a driver's class has instance variables (and later the C++ object)
 *             behind its core, in the same allocation. A service without driver_class stands for a
 *             provider that lives elsewhere.
 * Invariants:
 *   S1  children refer to their provider, never the other way round.
 *   S2  a driver's object has init called once, free once, and Start, Stop at most once each, Stop
 *       only after a Start that succeeded.
 *   S3  Stop of the children has completed before Stop of the parent is called.
 *   S4  the runtime's list holds a reference on what is attached, from Start until stopped.
 * Owner:      counted references.
 */
#ifndef DX_DRIVER_SERVICE_H
#define DX_DRIVER_SERVICE_H

#include <opendext/driver.h>
#include <stdatomic.h>

#include "base/list.h"
#include "base/mutex.h"
#include "base/value.h"
#include "driver/class.h"
#include "driver/queue.h"
#include "driver/runtime.h"

enum dx_service_state {
	DX_SERVICE_NEW,	     /* init has run */
	DX_SERVICE_STARTING,
	DX_SERVICE_STARTED,
	DX_SERVICE_STOPPING, /* Stop was called */
	DX_SERVICE_STOPPED,  /* super Stop was called, or Start failed */
};

struct dx_named_queue {
	char *name;
	struct dx_queue *queue; /* counted */
};

/* Somebody waits for the end of a service. */
struct dx_service_waiter {
	struct dx_list link;
	dx_runtime_done_fn done;
	void *context;
};

struct dx_service {
	struct dx_object object;
	const OSDriverClass *driver_class; /* NULL: a provider */
	struct dx_runtime *runtime;
	struct dx_service *provider; /* counted; NULL: none */
	struct dx_queue *own_queue;  /* counted */
	uint64_t id;
	char *kernel_class;
	unsigned levels; /* classes whose init was reached */
	struct dx_list runtime_link; /* under the runtime's lock */
	bool attached;		     /* the list's reference; under the runtime's lock */
	bool entered;		     /* the broker knows it; under the runtime's lock */

	struct dx_mutex lock; /* order 20; guards what follows */
	/* These three are written under it; a call reads them without. */
	_Atomic enum dx_service_state state;
	_Atomic bool terminating;
	_Atomic unsigned nr_queues;
	bool register_wanted DX_GUARDED_BY(lock);
	bool in_power_tree DX_GUARDED_BY(lock);
	bool gone DX_GUARDED_BY(lock); /* a provider that was unplugged */
	uint32_t busy DX_GUARDED_BY(lock);
	uint32_t nr_children_left DX_GUARDED_BY(lock); /* to be stopped before this one */
	char *name DX_GUARDED_BY(lock);
	struct dx_dict *properties DX_GUARDED_BY(lock);
	struct dx_dict *user_properties DX_GUARDED_BY(lock);
	struct dx_named_queue *queues DX_GUARDED_BY(lock);
	struct dx_list waiters DX_GUARDED_BY(lock);

	/* Providers: called when a client's super Stop runs, to close what it left open. */
	void (*close_client)(struct dx_service *provider, struct dx_service *client);
};

extern const struct dx_class dx_service_class;

/* Sets up the core of a zeroed object; name and class are copied. @return 0; -ENOMEM. */
int dx_service_setup(struct dx_service *service, struct dx_runtime *runtime, uint64_t id,
		     const char *kernel_class, const char *name, const struct dx_dict *properties);
/* A driver's object with init called. *ret_service is +1.
 * @return 0; -ENOMEM; -ECANCELED init said false. */
int dx_service_new_driver(struct dx_runtime *runtime, const OSDriverClass *driver_class,
			  uint64_t id, const char *kernel_class, const struct dx_dict *properties,
			  struct dx_service *provider, struct dx_service **ret_service);
/* First byte behind the core, aligned to 16. */
char *dx_service_ivars(const struct dx_service *service);
/* For the free functions of the classes below: runs the driver's free methods, once. */
void dx_service_free_driver(struct dx_service *service);

/* The queue for methods of that name, counted; the default queue when none is set. */
struct dx_queue *dx_service_ref_queue(struct dx_service *service, const char *name);
bool dx_service_knows_queue(const struct dx_service *service, const char *name);
bool dx_service_is_stopped(struct dx_service *service);

/* lifecycle.c */
void dx_service_attach(struct dx_service *service);
void dx_service_detach(struct dx_service *service);
/* Tells the broker that it exists / has gone; each at most once. */
void dx_service_enter(struct dx_service *service);
/* Runs Start on the calling thread, which holds the default queue. */
kern_return_t dx_service_run_start(struct dx_service *service);
/* Starts, later, on the default queue; done may be NULL. @return 0; -ENOMEM. */
int dx_service_start(struct dx_service *service, dx_runtime_done_fn done, void *context);
/* Stops children and then the service; done (may be NULL) when super Stop was called.
 * @return 0; -ENOMEM. */
int dx_service_terminate(struct dx_service *service, dx_runtime_done_fn done, void *context);
/* No Start, or one that failed: there is no Stop, but who waits for the end hears of it. */
void dx_service_start_failed(struct dx_service *service);
/* For an attached child: its parent's termination may have looked for children before. */
void dx_service_follow_parent(struct dx_service *service);
/* What super Stop does. */
void dx_service_stopped(struct dx_service *service);

/* Driver code between these two is named in the line that a crash prints. */
struct dx_service_entry {
	const char *class_name;
	const char *method_name;
	struct dx_runtime *runtime;
};
void dx_service_entry_begin(const struct dx_service *service, const char *method,
			    struct dx_service_entry *saved);
/* The same for any object; runtime: whose. */
void dx_object_entry_begin(const struct dx_object *object, struct dx_runtime *runtime,
			   const char *method, struct dx_service_entry *saved);
void dx_service_entry_end(const struct dx_service_entry *saved);

/* IOBufferMemoryDescriptorCreate() over memory that is there already and that nobody else can share.
 * Takes *base on success. */
kern_return_t dx_buffer_adopt(uint64_t options, void **base, uint64_t capacity,
			      IOBufferMemoryDescriptor **memory);
/* A memory descriptor of IOBufferMemoryDescriptorCreate(). */
bool dx_memory_is_buffer(const void *object);

#endif
