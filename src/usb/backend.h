/* SPDX-License-Identifier: MIT
 *
 * backend - what the USB stack needs from whoever reaches the device: libusb, USB/IP, a model.
 *
 * Place:      usb -> backend. The stack (device, interface, pipe) calls the table; the backend calls
 *             back through struct dx_usb_backend_host. host and daemon choose which tables exist.
 * Invariants:
 *   B1  All calls on one opened backend come from one thread at a time: the stack holds the
 *       device's lock. A backend needs no lock for state that only these calls touch.
 *   B2  complete() and gone() run only inside poll(); cancel() may complete the transfer that it was
 *       given, and no other. They only put the transfer on a list of the stack; user code runs after
 *       the stack has unlocked.
 *   B3  Every transfer accepted (0 returned) is completed exactly once; one refused never is.
 *       After gone() and before close() all accepted ones have been completed.
 *   B4  Nothing here blocks, apart from acquire(), open() and close(), and claim() and release(),
 *       which may wait until a driver of the kernel has let go or has come back.
 *   B5  data points at the memory of the caller's buffer and is used in place (zero copy). It stays
 *       valid until complete(). Others may change its bytes at any time: a backend that interprets
 *       them reads them once.
 *   B6  After an error on a bulk or interrupt endpoint the backend sends nothing more there until
 *       clear_halt(); what is queued stays queued (a transport that cannot do that completes it with
 *       DX_USB_STALLED).
 *   B7  With a descriptor from acquire(), open() and all that follows opens no file and connects to
 *       nobody: they run in a process that may do neither.
 * Trust:      what the device sends is hostile: a backend clamps actual to length and checks the
 *             sizes of descriptors that it hands out.
 * Threads:    B1. A backend with threads of its own hands results over to poll() and makes its
 *             event fd readable.
 *
 * Event model. A stack that sleeps does so with event_fd() in its epoll, level-triggered, and wakes
 * at next_deadline_ns() at the latest; it asks is_ready() before it sleeps. libusb: an epoll fd
 * around libusb's descriptors; USB/IP: the socket; virtual: -1, because everything that can happen
 * follows from submit() (is_ready) or from time (next_deadline_ns).
 */
#ifndef DX_USB_BACKEND_H
#define DX_USB_BACKEND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/list.h"
#include "usb/error.h"

/* The numbers of the transfer-type bits of bmAttributes. */
enum dx_usb_transfer_type {
	DX_USB_CONTROL = 0,
	DX_USB_ISOCHRONOUS = 1,
	DX_USB_BULK = 2,
	DX_USB_INTERRUPT = 3,
};

/* kIOUSBHostConnectionSpeed... */
enum dx_usb_speed {
	DX_USB_SPEED_NONE = 0,
	DX_USB_SPEED_FULL = 1,
	DX_USB_SPEED_LOW = 2,
	DX_USB_SPEED_HIGH = 3,
	DX_USB_SPEED_SUPER = 4,
	DX_USB_SPEED_SUPER_PLUS = 5,
	DX_USB_SPEED_SUPER_PLUS_BY2 = 6,
};

/* One packet of an isochronous transfer. Its data starts at the sum of the lengths before it. */
struct dx_usb_packet {
	uint32_t length; /* requested */
	uint32_t actual;
	int32_t status;
	uint32_t reserved;
	uint64_t timestamp_ns;
};

/*
 * One request to the device. The stack owns it and fills the upper part before submit(); between
 * submit() and complete() it belongs to the backend.
 */
struct dx_usb_transfer {
	struct dx_list link;	 /* the backend's own queue */
	uint8_t type;		 /* enum dx_usb_transfer_type */
	uint8_t endpoint;	 /* bEndpointAddress; 0 for control */
	bool cancelled;		 /* set by the stack before cancel(); status then is the stack's */
	uint8_t setup[8];	 /* control: the SETUP packet, private memory */
	uint8_t *data;		 /* may be NULL when length is 0 */
	uint32_t length;	 /* control: wLength */
	uint32_t nr_packets;	 /* isochronous */
	struct dx_usb_packet *packets;
	uint64_t first_frame;	 /* isochronous: ms frame of packets[0]; 0 = next possible */
	uint64_t interval_ns;	 /* isochronous: from one packet to the next */

	/* Results. */
	uint32_t actual;	 /* bytes of the data stage moved, also before an error */
	int32_t status;		 /* DX_USB_...; cancelled transfers: DX_USB_ABORTED */

	uint64_t backend_words[4]; /* scratch for the backend, 0 at submit() */
};

/* What is known about an opened device; borrowed, constant until close(). */
struct dx_usb_backend_info {
	uint8_t speed;		 /* enum dx_usb_speed */
	uint8_t address;	 /* 1..127 */
	uint8_t configuration;	 /* bConfigurationValue now in force, 0 = none */
	uint32_t location_id;
	uint8_t device[18];	 /* device descriptor, raw */
	unsigned nr_configurations;
	const uint8_t *const *configurations; /* each with all that belongs to it, raw, index order */
	const size_t *configuration_lengths;
	const uint8_t *bos;	 /* raw, NULL if the device has none */
	size_t bos_length;
};

/* What the backend calls. ctx is the host_ctx of open(). */
struct dx_usb_backend_host {
	/* transfer->status and ->actual are final; ownership returns to the stack (B2). */
	void (*complete)(void *host_ctx, struct dx_usb_transfer *transfer);
	/* The device is gone for good; called once at most. Transfers are completed with
	 * DX_USB_NOT_RESPONDING (or what they had reached) before or after, by poll() (B3). */
	void (*gone)(void *host_ctx);
};

struct dx_usb_backend; /* one opened device; the backend's own struct */

struct dx_usb_backend_ops {
	const char *name;
	/* The device is reached over something that breaks and mends by itself: one that was lost is
	 * tried again by the broker, until it is detached. */
	bool reconnects;

	/* True when this backend understands the form of the spec ("virtual:..."). No system calls. */
	bool (*accepts)(const char *spec);

	/*
	 * What open() needs from outside of its process, taken by one who may (B7): a device node, a
	 * connected socket. May block (connect). Each call takes anew; a device that can be had once
	 * only says -EBUSY to the second. NULL: never anything.
	 * @return a descriptor, CLOEXEC, the caller's; -ENODATA: this spec needs none; else as open(),
	 * with a message.
	 */
	int (*acquire)(const char *spec, char *message, size_t message_size);

	/*
	 * Opens the device that spec names. fd: from acquire(), or -1: open() acquires for itself. It
	 * is taken over, also on failure; a backend without acquire() gets -1 only. May block. On
	 * failure message holds one line that names the wrong key or file.
	 * @return 0; -EINVAL bad spec; -ENODEV; -ENOENT; -EACCES; ...
	 */
	int (*open)(const char *spec, int fd, const struct dx_usb_backend_host *host,
		    void *host_ctx, char *message, size_t message_size,
		    struct dx_usb_backend **ret_backend);
	/* Cancels nothing: the stack has waited for its transfers, or the process is ending. */
	void (*close)(struct dx_usb_backend *backend);
	const struct dx_usb_backend_info *(*info)(const struct dx_usb_backend *backend);

	/* Exclusive use of one interface of the current configuration. -EBUSY, -ENOENT, -ENODEV. */
	int (*claim)(struct dx_usb_backend *backend, uint8_t interface_number);
	void (*release)(struct dx_usb_backend *backend, uint8_t interface_number);

	/*
	 * Queues a transfer behind the earlier ones of its endpoint. @return 0: complete() follows;
	 * -ENODEV gone; -ENOENT no such endpoint; -ENOMEM; -EINVAL; -ENOSPC no bandwidth;
	 * -ESTALE / -ERANGE isochronous frame too old / too new.
	 */
	int (*submit)(struct dx_usb_backend *backend, struct dx_usb_transfer *transfer);
	/* Asks for early completion. The transfer still completes through complete(), possibly
	 * inside this call, possibly with another result because it was faster. */
	void (*cancel)(struct dx_usb_backend *backend, struct dx_usb_transfer *transfer);

	/*
	 * Memory of the host controller, which transfers reach without a copy: mapped, zeroed, whole
	 * pages, the caller's to munmap(). It exists in this process only. NULL: there is none.
	 * @return 0; -ENOMEM.
	 */
	int (*buffer_alloc)(struct dx_usb_backend *backend, size_t length, void **ret_base);

	/*
	 * Requests that a backend must know about because its transport treats them specially. Each
	 * completes `done` like a control transfer without data; the stack has cancelled and awaited
	 * what they would disturb. Errors as submit().
	 */
	int (*set_configuration)(struct dx_usb_backend *backend, uint8_t value,
				 struct dx_usb_transfer *done);
	int (*set_altsetting)(struct dx_usb_backend *backend, uint8_t interface_number,
			      uint8_t setting, struct dx_usb_transfer *done);
	/* Resets the host's side of the endpoint; with_request also sends CLEAR_FEATURE(HALT). */
	int (*clear_halt)(struct dx_usb_backend *backend, uint8_t endpoint, bool with_request,
			  struct dx_usb_transfer *done);
	/* Port reset. done completes first, then gone() follows: the device comes back as a new one. */
	int (*reset)(struct dx_usb_backend *backend, struct dx_usb_transfer *done);

	/* True when poll() has something to do at once. Must be cheap: a load or two. */
	bool (*is_ready)(const struct dx_usb_backend *backend);
	/* Runs what is ready, timers that are due included; completes transfers. Never waits. */
	void (*poll)(struct dx_usb_backend *backend);
	/* Readable (level) when poll() should run; -1 = never needed. Borrowed, constant. */
	int (*event_fd)(const struct dx_usb_backend *backend);
	/* CLOCK_MONOTONIC time at which poll() must run at the latest; UINT64_MAX = none. */
	uint64_t (*next_deadline_ns)(const struct dx_usb_backend *backend);

	/* The bus frame in milliseconds and the time at which it was read. */
	int (*frame_number)(struct dx_usb_backend *backend, uint64_t *ret_frame,
			    uint64_t *ret_time_ns);
};

#endif
