/* SPDX-License-Identifier: MIT
 *
 * usb_pipe - IOUSBHostPipe: requests with their action and memory.
 *
 * Place:      driver, over the pipe of the usb room.
 * Invariants:
 *   I1  a request keeps action, memory and pipe until its handler has run.
 *   I2  the ring's memory is kept until the pipe object goes, which is not before its session.
 */
#ifndef DX_DRIVER_USB_PIPE_H
#define DX_DRIVER_USB_PIPE_H

#include <opendext/driver.h>

#include "driver/action.h"
#include "driver/usb_provider.h"

#define DX_PIPE_KEPT_REQUESTS 64u

struct dx_usb_pipe_object {
	struct dx_object object;
	struct dx_list link; /* the provider's, under its lock */
	struct dx_runtime *runtime;
	struct dx_usb_pipe *pipe; /* counted */
	struct dx_mutex lock;	  /* order 29; guards what follows */
	struct dx_list unused DX_GUARDED_BY(lock); /* requests */
	unsigned nr_unused DX_GUARDED_BY(lock);
	IOMemoryDescriptor **ring DX_GUARDED_BY(lock); /* counted */
	uint32_t ring_size DX_GUARDED_BY(lock);
};

struct dx_pipe_request {
	struct dx_item item; /* its link is also that of the unused list */
	struct dx_usb_pipe_object *pipe;  /* counted while in flight */
	struct dx_action *action;	  /* in use */
	IOMemoryDescriptor *memory;	  /* counted */
	IOMemoryDescriptor *frames;	  /* counted */
	int32_t status;
	uint32_t actual;
	uint64_t timestamp_ns;
};

extern const struct dx_class dx_usb_pipe_class;

/* The object of a pipe, +1, made on first use. Takes over the reference on pipe. NULL without memory. */
struct dx_usb_pipe_object *dx_usb_pipe_object_get(struct dx_usb_provider *provider,
						  struct dx_usb_pipe *pipe);
struct dx_usb_pipe_object *dx_usb_pipe_of(const IOUSBHostPipe *pipe);
/* A request with references on all three; NULL without memory. */
struct dx_pipe_request *dx_pipe_request_new(struct dx_usb_pipe_object *pipe,
					    struct dx_action *action, IOMemoryDescriptor *memory,
					    IOMemoryDescriptor *frames,
					    void (*run)(struct dx_item *item, bool cancelled));
void dx_pipe_request_free(struct dx_pipe_request *request);
/* The dx_usb_complete_fn of requests. */
void dx_pipe_request_complete(void *context, int32_t status, uint32_t actual,
			      uint64_t timestamp_ns);

#endif
