/* SPDX-License-Identifier: MIT
 *
 * private - the structs of the USB stack and what its files share.
 *
 * Place:      usb, included by nobody else.
 *
 * A request's way:
 *
 *   pipe->free -> (submit) -> pipe->pending, state QUEUED, the backend has the transfer
 *              -> (complete) state ENDED; moves on when all before it have (U2)
 *              -> device->done, state DONE -> device->delivering -> callback -> pipe->free
 *
 * A synchronous request lives on its caller's stack and leaves pipe->pending straight to its caller.
 *
 * Invariants:
 *   S1  pipe->pending holds the requests of the pipe in order of submission; nr_pending counts them
 *       and those in device->done.
 *   S2  device->delivering is touched by the delivering thread alone, without the lock; there is one
 *       such thread at most. Its own nested deliveries take from the same list, so order holds.
 *   S3  `batches` counts completed deliveries of the outermost level: who has seen a request leave
 *       device->done and then sees batches change knows that its callback has returned.
 * Owner:      the device owns its interfaces and pipes; `handles` count the outside references, each
 *             of which also counts in device->refs. An interface or pipe without handles and without
 *             a place in the current configuration is freed.
 */
#ifndef DX_USB_PRIVATE_H
#define DX_USB_PRIVATE_H

#include <pthread.h>
#include <stdatomic.h>

#include "base/list.h"
#include "base/mutex.h"
#include "usb/backend.h"
#include "usb/device.h"
#include "usb/interface.h"
#include "usb/pipe.h"
#include "usb/tap.h"

#define DX_USB_STANDARD_TIMEOUT_MS 5000u
#define DX_USB_MAX_CACHED	   256u	 /* descriptors beyond the configurations */
#define DX_USB_MAX_INTERFACES	   64u	 /* of one configuration */

enum dx_usb_request_state {
	DX_USB_REQUEST_FREE = 0,
	DX_USB_REQUEST_QUEUED, /* the backend has it */
	DX_USB_REQUEST_ENDED,  /* the backend is done, earlier ones are not */
	DX_USB_REQUEST_DONE,   /* in device->done or delivering; synchronous: result is ready */
};

enum dx_usb_request_kind {
	DX_USB_REQUEST_ASYNC = 0,
	DX_USB_REQUEST_SYNC,
	DX_USB_REQUEST_BUNDLED,
};

struct dx_usb_request {
	struct dx_usb_transfer transfer; /* first: complete() gets its address */
	struct dx_list link;
	struct dx_list timer;	 /* device->timers, sorted by deadline_ns */
	struct dx_usb_pipe *pipe;
	uint8_t state;		 /* enum dx_usb_request_state */
	uint8_t kind;		 /* enum dx_usb_request_kind */
	bool awaited;		 /* somebody quiesces: see dx_usb_cancel_locked() */
	bool is_silent;		 /* an operation that sends nothing: the tap does not hear of it */
	int32_t cancel_status;	 /* what to report when cancel() has ended it */
	uint64_t deadline_ns;
	const void *client;	 /* control: whose */
	union {
		dx_usb_complete_fn complete;
		dx_usb_bundle_fn complete_bundle;
	};
	void *ctx;
	uint32_t ring_index;		 /* bundled */
	struct dx_usb_iso_frame *frames; /* isochronous: the caller's */
	struct dx_usb_packet *packets;	 /* kept for the next isochronous request */
	uint32_t nr_packets_room;
};

struct dx_usb_ring_entry {
	void *data;
	uint32_t length;
	bool in_flight;
};

struct dx_usb_pipe {
	struct dx_usb_device *device;
	struct dx_usb_interface *interface; /* NULL for the default control pipe */
	struct dx_list link;		    /* device->pipes */
	unsigned handles;
	uint8_t address;
	uint8_t type;
	uint16_t max_packet;
	bool closed;
	bool halted;
	bool ordered;		/* false for control: clients do not wait for each other */
	unsigned nr_aborters;	/* synchronous aborts under way */
	struct dx_list pending;
	struct dx_list free;
	uint32_t nr_pending; /* S1 */
	uint32_t nr_out;     /* requests taken from `free` and not yet back */
	uint32_t idle_timeout_ms;
	struct dx_usb_endpoint_descriptors original;
	struct dx_usb_endpoint_descriptors current;
	struct dx_usb_ring_entry *ring;
	uint32_t ring_size;
};

struct dx_usb_interface {
	struct dx_usb_device *device;
	struct dx_list link; /* device->interfaces */
	unsigned handles;
	const uint8_t *configuration;
	size_t configuration_length;
	uint8_t number;
	uint8_t alternate;
	bool terminated;
	const void *client; /* the session; NULL = none */
	uint32_t idle_timeout_ms;
};

struct dx_usb_cached {
	struct dx_list link;
	uint8_t type;
	uint8_t index;
	uint16_t language;
	uint8_t request_type;
	uint8_t recipient;
	uint16_t length;
	uint8_t bytes[];
};

struct dx_usb_device {
	_Atomic uint32_t refs;
	const struct dx_usb_backend_ops *ops;
	struct dx_usb_backend *backend;
	const struct dx_usb_backend_info *info;
	int event_fd; /* the backend's */
	int wake_fd;  /* eventfd, ends a waiter's poll(); -1 when event_fd is */
	struct dx_usb_tap *tap; /* set before the first request, NULL mostly */

	struct dx_mutex lock; /* order 40; guards: everything below and all parts */
	struct dx_cond changed;
	unsigned nr_waiters DX_GUARDED_BY(lock);
	bool waiter_polls DX_GUARDED_BY(lock); /* one waiter sleeps in poll() on event_fd and wake_fd */
	uint64_t waiters_deadline_ns DX_GUARDED_BY(lock); /* the earliest that a sleeping waiter knows of */

	uint32_t nr_queued DX_GUARDED_BY(lock); /* requests in pending lists of all pipes */
	struct dx_list done DX_GUARDED_BY(lock);
	bool delivers DX_GUARDED_BY(lock);
	pthread_t deliverer DX_GUARDED_BY(lock);
	struct dx_list delivering; /* S2: no lock */
	uint64_t batches DX_GUARDED_BY(lock);

	struct dx_list timers DX_GUARDED_BY(lock);
	struct dx_list pipes DX_GUARDED_BY(lock); /* all but the control pipe */
	bool pipes_closed DX_GUARDED_BY(lock); /* some pipe waits to be reaped */
	struct dx_list interfaces DX_GUARDED_BY(lock);
	struct dx_list cache DX_GUARDED_BY(lock);
	unsigned nr_cached DX_GUARDED_BY(lock);
	struct dx_usb_pipe control;
	uint8_t configuration DX_GUARDED_BY(lock);
	bool configuring DX_GUARDED_BY(lock);
	const void *client DX_GUARDED_BY(lock); /* the session on the device */

	bool gone DX_GUARDED_BY(lock); /* nothing works any more */
	bool gone_owed DX_GUARDED_BY(lock); /* `on_gone` is still to be called */
	enum dx_usb_gone_reason gone_reason DX_GUARDED_BY(lock);
	bool resetting DX_GUARDED_BY(lock);
	dx_usb_gone_fn on_gone DX_GUARDED_BY(lock);
	void *on_gone_ctx DX_GUARDED_BY(lock);
	struct dx_usb_counters counters DX_GUARDED_BY(lock);
};

/* ---- request.c ---- */

void dx_usb_pipe_setup(struct dx_usb_pipe *pipe, struct dx_usb_device *device, uint8_t address,
		       uint8_t type, uint16_t max_packet);
void dx_usb_pipe_free_requests(struct dx_usb_pipe *pipe);
/* A clean request, or NULL: limit or memory (*ret_status says which). */
struct dx_usb_request *dx_usb_request_get_locked(struct dx_usb_device *device,
						 struct dx_usb_pipe *pipe, int32_t *ret_status)
	DX_REQUIRES(device->lock);
void dx_usb_request_put_locked(struct dx_usb_device *device, struct dx_usb_request *request)
	DX_REQUIRES(device->lock);
/* On the caller's stack. */
void dx_usb_request_init_sync(struct dx_usb_request *request, struct dx_usb_pipe *pipe);
/* Puts it on its pipe and into the backend. On error it is in no list. timeout_ms 0: none. */
int32_t dx_usb_request_start_locked(struct dx_usb_device *device, struct dx_usb_request *request,
				    uint32_t timeout_ms) DX_REQUIRES(device->lock);
/* The same without the backend, for who hands the transfer to it himself. */
void dx_usb_request_track_locked(struct dx_usb_device *device, struct dx_usb_request *request,
				 uint32_t timeout_ms) DX_REQUIRES(device->lock);
void dx_usb_request_untrack_locked(struct dx_usb_device *device, struct dx_usb_request *request)
	DX_REQUIRES(device->lock);
void dx_usb_request_cancel_locked(struct dx_usb_device *device, struct dx_usb_request *request,
				  int32_t status) DX_REQUIRES(device->lock);
/* The backend's complete(): the lock is held by whoever called the backend. */
void dx_usb_request_completed(void *device, struct dx_usb_transfer *transfer);
int32_t dx_usb_status_from_errno(int negative_errno);

/* ---- event.c, quiesce.c ---- */

/* The calling thread is the one that makes callbacks: it is inside one. */
bool dx_usb_in_callback_locked(struct dx_usb_device *device) DX_REQUIRES(device->lock);
void dx_usb_wake_locked(struct dx_usb_device *device) DX_REQUIRES(device->lock);
/* Makes the callbacks owed; unlocks meanwhile. @return number made. */
int dx_usb_deliver_locked(struct dx_usb_device *device) DX_REQUIRES(device->lock);

typedef bool (*dx_usb_condition_fn)(struct dx_usb_device *device, void *argument);

/* Runs events until condition(device, argument), which is called with the lock held. */
void dx_usb_wait_locked(struct dx_usb_device *device, dx_usb_condition_fn condition,
			void *argument) DX_REQUIRES(device->lock);
/* Runs events until the synchronous request is done. */
void dx_usb_wait_request_locked(struct dx_usb_device *device, struct dx_usb_request *request)
	DX_REQUIRES(device->lock);

/* Which requests an abort or close means: those that match one of the members. */
struct dx_usb_selection {
	const struct dx_usb_pipe *pipe;
	const struct dx_usb_interface *interface; /* of its pipes, and its control requests */
	const void *client;			  /* control requests of this client */
	bool all;
};

/* Cancels what is selected, and marks what is selected as awaited. */
void dx_usb_cancel_locked(struct dx_usb_device *device, const struct dx_usb_selection *selection,
			  int32_t status) DX_REQUIRES(device->lock);
/* Runs events until no awaited request that is selected is left and the callbacks have returned
 * (apart from those that the calling thread is in). */
void dx_usb_quiesce_locked(struct dx_usb_device *device, const struct dx_usb_selection *selection)
	DX_REQUIRES(device->lock);

/* ---- control.c, cache.c ---- */

enum { /* standard requests that have functions of their own */
	DX_USB_CLEAR_FEATURE = 1,
	DX_USB_SET_ADDRESS = 5,
	DX_USB_SET_CONFIGURATION = 9,
	DX_USB_SET_INTERFACE = 11,
};

/* False and a status when this request may not be sent by a client. */
bool dx_usb_setup_is_allowed(const struct dx_usb_setup *setup, const void *data,
			     int32_t *ret_status);
int32_t dx_usb_control_async_locked(struct dx_usb_device *device, const void *client,
				    const struct dx_usb_setup *setup, void *data,
				    uint32_t timeout_ms, dx_usb_complete_fn complete, void *ctx)
	DX_REQUIRES(device->lock);
/* Waits. client may be NULL: the stack itself. */
int32_t dx_usb_control_locked(struct dx_usb_device *device, const void *client,
			      const struct dx_usb_setup *setup, void *data, uint32_t timeout_ms,
			      uint32_t *ret_actual) DX_REQUIRES(device->lock);
/* Waits for what `start` hands to the backend (set_configuration, ...). setup: the request that this
 * sends to the device, for those who listen; NULL: none. */
typedef int (*dx_usb_operation_fn)(struct dx_usb_device *device, unsigned a, unsigned b,
				   struct dx_usb_transfer *done);
int32_t dx_usb_operation_locked(struct dx_usb_device *device, dx_usb_operation_fn start,
				unsigned a, unsigned b, const struct dx_usb_setup *setup)
	DX_REQUIRES(device->lock);
void dx_usb_cache_free(struct dx_usb_device *device);

/* ---- device.c ---- */

/* One reconfiguration at a time. DX_USB_BUSY in a callback; DX_USB_NO_DEVICE. */
int32_t dx_usb_reconfigure_begin_locked(struct dx_usb_device *device) DX_REQUIRES(device->lock);
void dx_usb_reconfigure_end_locked(struct dx_usb_device *device) DX_REQUIRES(device->lock);

/* ---- interface.c ---- */

int32_t dx_usb_interfaces_build_locked(struct dx_usb_device *device, uint8_t value)
	DX_REQUIRES(device->lock);
/* Ends sessions and pipes of all interfaces, cancels their I/O, waits, drops them. */
void dx_usb_interfaces_terminate_locked(struct dx_usb_device *device, int32_t status)
	DX_REQUIRES(device->lock);

/* Takes back a handle of the stack's own (each pipe has one on its interface). */
void dx_usb_interface_put_locked(struct dx_usb_device *device, struct dx_usb_interface *interface)
	DX_REQUIRES(device->lock);

/* ---- pipe.c ---- */

int32_t dx_usb_pipe_new_locked(struct dx_usb_device *device, struct dx_usb_interface *interface,
			       uint8_t address, struct dx_usb_pipe **ret_pipe)
	DX_REQUIRES(device->lock);
void dx_usb_pipes_close_locked(struct dx_usb_device *device,
			       const struct dx_usb_interface *interface)
	DX_REQUIRES(device->lock);
/* Frees the closed pipes that nobody holds and nothing is pending on. */
void dx_usb_pipes_reap_locked(struct dx_usb_device *device) DX_REQUIRES(device->lock);
/* May a request be submitted now? Waits for a synchronous abort of another thread. */
int32_t dx_usb_pipe_admit_locked(struct dx_usb_device *device, struct dx_usb_pipe *pipe)
	DX_REQUIRES(device->lock);

#endif
