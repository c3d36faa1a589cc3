/* SPDX-License-Identifier: MIT
 *
 * state - one opened device, shared by the files of this backend.
 *
 * Place:      backend/libusb. Files: open.c (begin and end), transfer.c (the data path), operation.c
 *             (what blocks), libusb.c (events and the table).
 *
 *   submit ---> in flight at libusb ---> callback in poll() ---> complete()
 *      |             ^
 *      +-> waiting --+ (the endpoint has had an error, the kernel has no memory, an operation runs)
 *
 * Invariants:
 *   L1  libusb's callbacks run only inside poll(): nothing else handles events of the context.
 *   L2  While an operation (set configuration, alternate setting, clear halt, reset) runs on its own
 *       thread nobody else uses the device: the kernel would make him wait on the device's lock.
 *       What is submitted or cancelled meanwhile is kept, and events are not looked at.
 *   L3  An endpoint that has had an error sends nothing until clear_halt() (B6): what libusb has
 *       is called back, and what had moved no byte waits again, in its old order. Between the error
 *       and the moment when we see it the kernel may have begun the next transfer; what that one
 *       moved is told.
 *   L4  Of each endpoint, what waits was submitted later than what is in flight.
 *   L5  Memory for a transfer comes from a pool of the device; a transfer that needs more than any
 *       before it (of its kind) is the only one that allocates. libusb itself allocates a small block
 *       per transfer.
 *   L6  Timeouts are the stack's: no transfer has one of libusb's, so there is no deadline here.
 * Threads:    B1; operation.c has one thread while an operation runs, which touches libusb's handle and
 *             its own struct only.
 */
#ifndef DX_BACKEND_LIBUSB_STATE_H
#define DX_BACKEND_LIBUSB_STATE_H

#include <libusb-1.0/libusb.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "backend/libusb/descriptors.h"
#include "backend/libusb/usbfs.h"
#include "base/list.h"
#include "usb/backend.h"

#define DX_LIBUSB_MAX_CONTROL 4096u /* data stage that usbfs takes */
#define DX_LIBUSB_ENDPOINTS   32u

struct dx_libusb_endpoint {
	struct dx_list in_flight; /* slots, in the order of submission */
	struct dx_list waiting;	  /* transfers, likewise */
	bool halted;		  /* L3 */
};

/* What a transfer has while libusb has it. */
struct dx_libusb_slot {
	struct dx_list node; /* of the pool, or of the endpoint */
	struct dx_libusb *device;
	struct dx_usb_transfer *transfer;
	struct libusb_transfer *libusb;
	unsigned max_packets;  /* for which libusb has room */
	uint8_t *control;      /* SETUP and data stage, in one piece as libusb wants them */
	size_t control_length; /* of that room */
	bool recalled;	       /* by us, because of an earlier error */
};

enum dx_libusb_operation_kind {
	DX_LIBUSB_IDLE,
	DX_LIBUSB_SET_CONFIGURATION,
	DX_LIBUSB_SET_ALTSETTING,
	DX_LIBUSB_CLEAR_HALT,
	DX_LIBUSB_RESET,
};

/* One at a time; others wait for it. */
struct dx_libusb_operation {
	enum dx_libusb_operation_kind kind;
	uint8_t first;	/* value; interface; endpoint */
	uint8_t second; /* setting; whether with a request */
	struct dx_usb_transfer *done;
	pthread_t thread;
	int end_fd;		/* eventfd: the thread has ended */
	int result;		/* of the thread, read after joining it */
	struct dx_list waiting; /* transfers: backend_words[2] says what */
};

struct dx_libusb {
	const struct dx_usb_backend_host *host;
	void *host_ctx;
	int fd; /* the node, ours; libusb uses it */
	libusb_context *context;
	libusb_device_handle *handle;
	int epoll_fd; /* libusb's descriptors, and end_fd */
	uint32_t node_events; /* for which libusb wants the node to be watched */
	bool is_watching;     /* the node is in there (L2) */
	bool is_removed;      /* libusb has let go of the node */
	bool is_lost;	      /* unplugged, or reset: the kernel has said so */
	bool is_gone;	      /* gone() was called */

	struct dx_libusb_endpoint endpoints[DX_LIBUSB_ENDPOINTS];
	unsigned nr_in_flight;
	unsigned nr_waiting;
	uint64_t next_number; /* of submissions: the order of a waiting list */
	struct dx_list pool;  /* of slots */
	struct dx_list iso_pool;

	struct dx_libusb_operation operation;
	uint8_t configuration; /* in force; info has the one from the beginning */
	uint32_t claimed;      /* a bit per interface */

	struct dx_usb_backend_info info;
	struct dx_libusb_descriptors descriptors;
	uint8_t *descriptor_bytes;
	uint8_t *bos;
	char name[40]; /* "usb:1-2.4", for messages */
};

static inline struct dx_libusb *dx_libusb_of(struct dx_usb_backend *backend)
{
	return (struct dx_libusb *)(void *)backend;
}

static inline const struct dx_libusb *dx_libusb_of_const(const struct dx_usb_backend *backend)
{
	return (const struct dx_libusb *)(const void *)backend;
}

/* ---- open.c ---- */

int dx_libusb_acquire(const char *spec, char *message, size_t message_size);
int dx_libusb_open(const char *spec, int fd, const struct dx_usb_backend_host *host,
		   void *host_ctx, char *message, size_t message_size,
		   struct dx_usb_backend **ret_backend);
void dx_libusb_close(struct dx_usb_backend *backend);
/*
 * A negative errno for a code of libusb; >= 0 stays. saved_errno: of the system call below, for where
 * libusb has one word for much (LIBUSB_ERROR_IO and _OTHER); 0: not known.
 */
int dx_libusb_errno(int code, int saved_errno);
/* Of a request that was accepted and could not be carried out. */
int32_t dx_libusb_status_of_errno(int code);
/* The node is looked at, or left alone (L2). */
void dx_libusb_watch(struct dx_libusb *device, bool watch);

/* ---- transfer.c ---- */

int dx_libusb_submit(struct dx_usb_backend *backend, struct dx_usb_transfer *transfer);
void dx_libusb_cancel(struct dx_usb_backend *backend, struct dx_usb_transfer *transfer);
/* Sends what waits, as far as it may be sent. From poll() only. */
void dx_libusb_pump(struct dx_libusb *device);
/* Ends all that waits. From poll() only. */
void dx_libusb_fail_waiting(struct dx_libusb *device, int32_t status);
/* An endpoint that nobody uses forgets its error: what begins now hears of the device itself. */
void dx_libusb_forget_halts(struct dx_libusb *device);
/* Cancels at libusb what was cancelled while an operation ran. */
void dx_libusb_cancel_late(struct dx_libusb *device);
void dx_libusb_free_slots(struct dx_libusb *device);
struct dx_libusb_endpoint *dx_libusb_endpoint(struct dx_libusb *device, uint8_t address);

/* ---- operation.c ---- */

int dx_libusb_set_configuration(struct dx_usb_backend *backend, uint8_t value,
				struct dx_usb_transfer *done);
int dx_libusb_set_altsetting(struct dx_usb_backend *backend, uint8_t interface_number,
			     uint8_t setting, struct dx_usb_transfer *done);
int dx_libusb_clear_halt(struct dx_usb_backend *backend, uint8_t endpoint, bool with_request,
			 struct dx_usb_transfer *done);
int dx_libusb_reset(struct dx_usb_backend *backend, struct dx_usb_transfer *done);
bool dx_libusb_operation_cancel(struct dx_libusb *device, struct dx_usb_transfer *done);
/* If the operation has ended: completes it, and begins the next. From poll() only. */
void dx_libusb_operation_poll(struct dx_libusb *device);
/* Waits for the thread; tells nobody. */
void dx_libusb_operation_abandon(struct dx_libusb *device);
/* Selects a configuration, kernel drivers out of the way. Blocks. @return 0 or a negative errno. */
int dx_libusb_configure(struct dx_libusb *device, uint8_t value);

#endif
