/* SPDX-License-Identifier: MIT
 *
 * device - one attached USB device: sessions, descriptors, control requests, event delivery.
 *
 * Place:      usb; owns interfaces and pipes (they are parts of it).
 * Invariants: U1-U4 of usb.h, and
 *   D1  A session belongs to a client token, an address that is compared and never followed.
 *   D2  A handle on the device, an interface or a pipe keeps the device's memory; nothing else does.
 *   D3  Descriptors handed out by the borrowing getters stay valid as long as the device's memory.
 * Threads:    any.
 */
#ifndef DX_USB_DEVICE_H
#define DX_USB_DEVICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "usb/backend.h"

struct dx_usb_device;
struct dx_usb_interface;

/* How a request ended. actual_bytes may be non-zero with an error. timestamp: CLOCK_MONOTONIC. */
typedef void (*dx_usb_complete_fn)(void *ctx, int32_t status, uint32_t actual_bytes,
				   uint64_t timestamp_ns);

enum dx_usb_gone_reason {
	DX_USB_GONE_UNPLUGGED = 1, /* the backend lost it */
	DX_USB_GONE_RESET = 2,	   /* dx_usb_device_reset(): attach the spec again */
	DX_USB_GONE_DETACHED = 3,  /* dx_usb_device_detach() */
};

typedef void (*dx_usb_gone_fn)(void *ctx, enum dx_usb_gone_reason reason);

struct dx_usb_counters {
	uint64_t submitted;	  /* requests accepted, all endpoints */
	uint64_t completed;	  /* callbacks made and synchronous requests returned */
	uint64_t failed;	  /* of those, with another status than DX_USB_OK */
	uint64_t bytes_out;
	uint64_t bytes_in;
	uint64_t polls;		  /* runs of the backend */
	uint64_t request_allocations; /* heap allocations for requests, all at start-up or growth */
};

/* One control request: the five fields of a SETUP packet, in host byte order. */
struct dx_usb_setup {
	uint8_t bmRequestType;
	uint8_t bRequest;
	uint16_t wValue;
	uint16_t wIndex;
	uint16_t wLength;
};

/*!
 * Reaches the device that a spec names, through the first backend that accepts the spec.
 * @param backends  table ended by NULL; borrowed for the device's life.
 * @param fd        what dx_usb_spec_acquire() gave for this spec, or -1: the backend acquires for
 *                  itself, which a confined process cannot. Taken over, also on failure.
 * @param message   buffer for one line that says what is wrong; "" on success. May be NULL with 0.
 * @return 0 and a handle; -EINVAL spec; -ENODEV no backend or no device; what the backend's open said.
 * Blocks:  as long as the backend's open does.
 */
int dx_usb_device_attach(const struct dx_usb_backend_ops *const *backends, const char *spec, int fd,
			 char *message, size_t message_size, struct dx_usb_device **ret_device);

/*!
 * Ends the device now: every pending request completes with DX_USB_NOT_RESPONDING, callbacks and
 * `gone` are delivered before it returns (unless called from a callback: then right after).
 * The handle stays the caller's. A second call does nothing.
 */
void dx_usb_device_detach(struct dx_usb_device *device);

/* Handles. The last one detaches first. NULL is allowed; unref returns NULL. */
struct dx_usb_device *dx_usb_device_ref(struct dx_usb_device *device);
struct dx_usb_device *dx_usb_device_unref(struct dx_usb_device *device);

/* Called once when the device has gone, after the completions (U4). Set before the first poll. */
void dx_usb_device_on_gone(struct dx_usb_device *device, dx_usb_gone_fn gone, void *ctx);
bool dx_usb_device_is_gone(struct dx_usb_device *device);

uint8_t dx_usb_device_speed(const struct dx_usb_device *device);
uint8_t dx_usb_device_address(const struct dx_usb_device *device);
uint32_t dx_usb_device_location(const struct dx_usb_device *device);
/* bConfigurationValue in force, 0 = not configured. */
uint8_t dx_usb_device_configuration(struct dx_usb_device *device);
/*
 * Memory of the host controller for transfers without a copy: whole pages, the caller's to munmap();
 * it may outlive the device. @return 0; -EOPNOTSUPP the backend has none; -ENOMEM; -ENODEV.
 */
int dx_usb_device_alloc_buffer(struct dx_usb_device *device, size_t length, void **ret_base);
/* kIOUSBHostPortStatus... bits: enabled, speed; 0 speed and not enabled once gone. */
uint32_t dx_usb_device_port_status(struct dx_usb_device *device);
void dx_usb_device_counters(struct dx_usb_device *device, struct dx_usb_counters *ret_counters);

/*
 * Sessions on the device. One client at a time; interfaces have sessions of their own (interface.h)
 * beside it. Opening again with the same token succeeds and is one session.
 * open: DX_USB_BAD_ARGUMENT client NULL; DX_USB_EXCLUSIVE; DX_USB_NO_DEVICE.
 * close: aborts this client's control requests, returns when their callbacks have been made.
 * DX_USB_NOT_OPEN if client has no session. Works on a device that has gone.
 */
int32_t dx_usb_device_open(struct dx_usb_device *device, const void *client);
int32_t dx_usb_device_close(struct dx_usb_device *device, const void *client);

/* ---- descriptors ---- */

/* 18 bytes. Borrowed (D3). */
const uint8_t *dx_usb_device_descriptor(const struct dx_usb_device *device);
/* A configuration with everything behind it, wTotalLength == *ret_length. Borrowed; NULL beyond. */
const uint8_t *dx_usb_device_configuration_at(const struct dx_usb_device *device, uint8_t index,
					      size_t *ret_length);
const uint8_t *dx_usb_device_configuration_with_value(const struct dx_usb_device *device,
						      uint8_t value, size_t *ret_length);
/* NULL when the device has no BOS. */
const uint8_t *dx_usb_device_bos(const struct dx_usb_device *device, size_t *ret_length);

/*!
 * Any descriptor: from the cache if known, else by GET_DESCRIPTOR, and cached then.
 * @param length        in: capacity of `buffer`; out: bytes written (the descriptor may be longer).
 * @param request_type  kIOUSBDeviceRequestType...Value (0 standard, 1 class, 2 vendor).
 * @param recipient     kIOUSBDeviceRequestRecipient...Value (0 device, 1 interface, ...).
 * @return DX_USB_OK; DX_USB_BAD_ARGUMENT; DX_USB_NO_DEVICE; status of the request.
 * Needs no session. Blocks: until the device has answered, 5 s at most.
 */
int32_t dx_usb_device_copy_descriptor(struct dx_usb_device *device, uint8_t type,
				      uint16_t *length, uint8_t index, uint16_t language,
				      uint8_t request_type, uint8_t recipient, void *buffer);
/* Same for the standard string descriptor, at most 255 bytes, malloc'd. NULL if there is none. */
uint8_t *dx_usb_device_copy_string(struct dx_usb_device *device, uint8_t index, uint16_t language,
				   size_t *ret_length);
/* Its text as UTF-8, malloc'd, control characters replaced; NULL if there is none. */
char *dx_usb_device_copy_text(struct dx_usb_device *device, uint8_t index);

/* ---- control requests ---- */

/*!
 * Sends a control request; data is used in place until the callback.
 * @param client      has a session on the device.
 * @param data        wLength bytes; NULL only if wLength is 0.
 * @param timeout_ms  0 = none.
 * @return DX_USB_OK: `complete` follows, once; DX_USB_NOT_OPEN; DX_USB_BAD_ARGUMENT;
 *         DX_USB_NO_DEVICE; DX_USB_NO_RESOURCES limit; DX_USB_NOT_PERMITTED for SET_ADDRESS,
 *         SET_CONFIGURATION and SET_INTERFACE, which have functions of their own.
 */
int32_t dx_usb_device_request_async(struct dx_usb_device *device, const void *client,
				    const struct dx_usb_setup *setup, void *data,
				    uint32_t timeout_ms, dx_usb_complete_fn complete, void *ctx);
/* Same, waiting. ret_actual is written whenever the request was sent. May be NULL. */
int32_t dx_usb_device_request(struct dx_usb_device *device, const void *client,
			      const struct dx_usb_setup *setup, void *data, uint32_t timeout_ms,
			      uint32_t *ret_actual);
/* Only this client's; they complete with with_error. DX_USB_NOT_OPEN. Does not wait. */
int32_t dx_usb_device_abort_requests(struct dx_usb_device *device, const void *client,
				     int32_t with_error);

/* ---- configuration ---- */

/*!
 * Selects a configuration; existing interfaces are terminated first: their I/O completes with
 * DX_USB_ABORTED, their pipes and sessions are closed, their handles stay valid and useless.
 * @param value  bConfigurationValue, 0 = unconfigure.
 * @return DX_USB_OK; DX_USB_NOT_FOUND no such value; DX_USB_NOT_OPEN client has no session (NULL is
 *         the host itself and needs none); status of the request.
 * Blocks: until the device has answered, 5 s at most.
 */
int32_t dx_usb_device_set_configuration(struct dx_usb_device *device, const void *client,
					uint8_t value);

/* The index-th interface of the current configuration, +1; NULL at the end or unconfigured. */
struct dx_usb_interface *dx_usb_device_copy_interface(struct dx_usb_device *device,
						      unsigned index);

/* Milliseconds, without microframe, and (if not NULL) when it was read. DX_USB_NO_DEVICE. */
int32_t dx_usb_device_frame_number(struct dx_usb_device *device, uint64_t *ret_frame,
				   uint64_t *ret_time_ns);

/* Port reset: pending requests complete with DX_USB_ABORTED, then `gone` with
 * DX_USB_GONE_RESET; the owner attaches the spec again and gets a new device. */
int32_t dx_usb_device_reset(struct dx_usb_device *device, const void *client);

/* ---- events: see "How events flow" in usb.h ---- */

/*!
 * One round: expires timeouts, runs the backend, makes the callbacks. Never waits. Requests that
 * callbacks submit run in the next round.
 * @return number of callbacks made by this call (0 also when another thread delivers just now).
 */
int dx_usb_poll(struct dx_usb_device *device);
/* True when a poll would do something at once. No lock that anybody holds long. */
bool dx_usb_needs_poll(struct dx_usb_device *device);
/* For epoll, level-triggered; -1 = none needed. Borrowed, constant. */
int dx_usb_event_fd(const struct dx_usb_device *device);
/* CLOCK_MONOTONIC; the earlier of request timeouts and backend timers; UINT64_MAX = none. */
uint64_t dx_usb_next_deadline_ns(struct dx_usb_device *device);

#endif
