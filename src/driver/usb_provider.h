/* SPDX-License-Identifier: MIT
 *
 * usb_provider - IOUSBHostDevice and IOUSBHostInterface: stand-ins for a device that this process
 * drives.
 *
 * Place:      driver, between service and the usb room. Providers of one device in one process share
 *             its dx_usb_device, which the reactor polls.
 * Invariants:
 *   P1  a provider that is freed or told to leaves no session open.
 *   P2  pipes belong to the session of their interface: they are dropped when it ends.
 */
#ifndef DX_DRIVER_USB_PROVIDER_H
#define DX_DRIVER_USB_PROVIDER_H

#include "driver/reactor.h"
#include "driver/service.h"
#include "usb/usb.h"

/* A device, as long as somebody here uses it. */
struct dx_usb_share {
	struct dx_list link; /* runtime->devices, under its lock */
	struct dx_runtime *runtime;
	struct dx_usb_device *device;
	char *spec;
	uint64_t device_id;
	unsigned nr_users;	 /* under the runtime's lock */
	struct dx_list providers; /* under the runtime's lock */
	struct dx_source source;
	struct dx_item release_item;
	_Atomic bool event; /* its descriptor was ready */
};

struct dx_usb_pipe_object;

struct dx_usb_provider {
	struct dx_service service;
	struct dx_usb_share *share;	    /* one of its users */
	struct dx_list share_link;	    /* under the runtime's lock */
	struct dx_usb_interface *interface; /* NULL: a device */
	struct dx_mutex usb_lock;	    /* order 28; guards what follows */
	const void *session DX_GUARDED_BY(usb_lock); /* whose; compared only */
	struct dx_list pipes DX_GUARDED_BY(usb_lock); /* counted objects */
};

extern const struct dx_class dx_usb_device_provider_class, dx_usb_interface_provider_class;

int dx_usb_provider_new(struct dx_runtime *runtime, const struct dx_runtime_provider *description,
			char *message, size_t message_size, struct dx_service **ret_provider);
/* Another object on the same device. interface NULL: the device; else a reference on it is taken.
 * NULL without memory. */
struct dx_usb_provider *dx_usb_provider_sibling(struct dx_usb_provider *provider,
						struct dx_usb_interface *interface);
/* NULL unless the object is one of that kind. */
struct dx_usb_provider *dx_usb_device_of(const void *object);
struct dx_usb_provider *dx_usb_interface_of(const void *object);
/* Unplugged; a service that is no USB provider is left alone. */
void dx_usb_provider_gone(struct dx_service *provider);
/* Something was submitted: the leader polls, or is told to. */
void dx_usb_submitted(struct dx_runtime *runtime);

/* usb_pipe.c */
void dx_usb_provider_drop_pipes(struct dx_usb_provider *provider);

/* A synchronous request: its wait, and the dx_usb_complete_fn that ends it. */
struct dx_usb_wait {
	struct dx_mutex lock; /* order 82 */
	struct dx_cond cond;
	bool done DX_GUARDED_BY(lock);
	int32_t status DX_GUARDED_BY(lock);
	uint32_t actual DX_GUARDED_BY(lock);
};
void dx_usb_wait_init(struct dx_usb_wait *wait);
void dx_usb_wait_complete(void *context, int32_t status, uint32_t actual, uint64_t timestamp_ns);
/* submitted: what the submit said. Polls here first, gives the lead away only if that is not enough.
 * Ends the wait object. */
int32_t dx_usb_wait_end(struct dx_usb_wait *wait, struct dx_runtime *runtime,
			struct dx_usb_device *device, int32_t submitted, uint32_t *ret_actual);

/* An asynchronous control request. */
kern_return_t dx_usb_request_async(struct dx_usb_provider *provider, const void *client,
				   const struct dx_usb_setup *setup, IOMemoryDescriptor *buffer,
				   OSAction *completion, uint32_t timeout_ms);
kern_return_t dx_usb_request(struct dx_usb_provider *provider, const void *client,
			     const struct dx_usb_setup *setup, IOMemoryDescriptor *buffer,
			     uint16_t *ret_transferred, uint32_t timeout_ms);
/* The first length bytes of a buffer. @return kIOReturnSuccess; kIOReturnBadArgument. */
kern_return_t dx_usb_buffer_address(IOMemoryDescriptor *buffer, uint32_t length, void **ret_data);

/* CreateIOBuffer() of devices and interfaces, with memory of the device's controller where options ask
 * for it and there is some. Drivers ask for a capacity of 0 when they have not set
 * the size yet, and go on with transfers of that length: they get the least, of length 0. */
IOReturn dx_usb_create_buffer(struct dx_usb_device *device, IOOptionBits options,
			      uint64_t capacity,
			      IOBufferMemoryDescriptor **ret_buffer);

#endif
