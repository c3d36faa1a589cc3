/* SPDX-License-Identifier: MIT
 *
 * moody - "moody:MODEL" is "virtual:MODEL" with a backend that is slow, or fails, while a test wants
 * it to. There is one such device at a time.
 */
#ifndef DX_TESTS_EXPORT_MOODY_H
#define DX_TESTS_EXPORT_MOODY_H

#include <stdatomic.h>
#include <stdio.h>
#include <time.h>

#include "backend/virtual/virtual.h"
#include "base/clock.h"
#include "test.h"
#include "usb/backend.h"

#define MOODY      "moody:gadget-zero,speed=high"
#define MOODY_PLAN "virtual:gadget-zero,speed=high"

static struct {
	atomic_bool holds_open; /* the next one waits */
	atomic_uint nr_waiting; /* open() calls that do */
	atomic_int open_error;
	atomic_int halt_error;  /* of clear_halt() */
	atomic_int halt_status; /* of what clear_halt() has begun */
	atomic_bool holds_operation;
	atomic_uint nr_held; /* operations that are with the backend, and not done */
	atomic_bool holds_cancel;
	atomic_uint nr_cancelled; /* that are held */

	/* The server's thread only. */
	const struct dx_usb_backend_host *host;
	void *host_ctx;
	struct dx_usb_transfer *held;
	uint8_t value;
	struct dx_usb_transfer *failing;
	struct dx_usb_transfer *cancelled;
} moody;

static bool moody_accepts(const char *spec)
{
	return strncmp(spec, "moody:", 6) == 0;
}

static int moody_open(const char *spec, int fd, const struct dx_usb_backend_host *host,
		      void *host_ctx, char *message, size_t message_size,
		      struct dx_usb_backend **ret_backend)
{
	const struct timespec pause = {.tv_nsec = 1000000};
	int error = 0;

	(void)spec;
	moody.nr_waiting++;
	while (moody.holds_open) {
		(void)nanosleep(&pause, NULL);
	}
	moody.nr_waiting--;
	error = moody.open_error;
	if (error < 0) {
		(void)snprintf(message, message_size, "it does not feel like it");
		return error;
	}
	moody.host = host;
	moody.host_ctx = host_ctx;
	return dx_backend_virtual.open(MOODY_PLAN, fd, host, host_ctx, message, message_size,
				       ret_backend);
}

static int moody_clear_halt(struct dx_usb_backend *backend, uint8_t endpoint, bool with_request,
			    struct dx_usb_transfer *done)
{
	if (moody.halt_error < 0) {
		return moody.halt_error;
	}
	if (moody.halt_status != DX_USB_OK) {
		moody.failing = done;
		return 0;
	}
	return dx_backend_virtual.clear_halt(backend, endpoint, with_request, done);
}

static int moody_set_configuration(struct dx_usb_backend *backend, uint8_t value,
				   struct dx_usb_transfer *done)
{
	if (moody.holds_operation) {
		moody.held = done;
		moody.value = value;
		moody.nr_held++;
		return 0;
	}
	return dx_backend_virtual.set_configuration(backend, value, done);
}

/* Like system calls that run: what is held cannot be called back. */
static void moody_cancel(struct dx_usb_backend *backend, struct dx_usb_transfer *transfer)
{
	if (moody.holds_cancel) {
		moody.cancelled = transfer;
		moody.nr_cancelled++;
	} else if (transfer != moody.held) {
		dx_backend_virtual.cancel(backend, transfer);
	}
}

static void moody_poll(struct dx_usb_backend *backend)
{
	struct dx_usb_transfer *done = moody.held;

	if (moody.failing != NULL) {
		struct dx_usb_transfer *failing = moody.failing;

		moody.failing = NULL;
		failing->status = moody.halt_status;
		moody.host->complete(moody.host_ctx, failing);
	}
	if (moody.cancelled != NULL && !moody.holds_cancel) {
		struct dx_usb_transfer *cancelled = moody.cancelled;

		moody.cancelled = NULL;
		dx_backend_virtual.cancel(backend, cancelled);
	}
	if (done != NULL && !moody.holds_operation) {
		moody.held = NULL;
		moody.nr_held--;
		CHECK_EQ(dx_backend_virtual.set_configuration(backend, moody.value, done), 0);
	}
	dx_backend_virtual.poll(backend);
}

static bool moody_is_ready(const struct dx_usb_backend *backend)
{
	return moody.failing != NULL || dx_backend_virtual.is_ready(backend);
}

static uint64_t moody_next_deadline_ns(const struct dx_usb_backend *backend)
{
	return moody.held != NULL || moody.cancelled != NULL
		       ? dx_clock_now_ns() + 1000000
		       : dx_backend_virtual.next_deadline_ns(backend);
}

/* Ended by NULL, as the server wants them. */
static const struct dx_usb_backend_ops *const *moody_backends(void)
{
	static struct dx_usb_backend_ops ops;
	static const struct dx_usb_backend_ops *backends[] = {&ops, &dx_backend_virtual, NULL};

	ops = dx_backend_virtual;
	ops.name = "moody";
	ops.accepts = moody_accepts;
	ops.open = moody_open;
	ops.clear_halt = moody_clear_halt;
	ops.set_configuration = moody_set_configuration;
	ops.cancel = moody_cancel;
	ops.poll = moody_poll;
	ops.is_ready = moody_is_ready;
	ops.next_deadline_ns = moody_next_deadline_ns;
	return backends;
}

#endif
