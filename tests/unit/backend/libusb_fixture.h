/* SPDX-License-Identifier: MIT
 *
 * libusb_fixture - the backend over fake_libusb.c, and a stack that writes down what it is told.
 */
#ifndef DX_TESTS_LIBUSB_FIXTURE_H
#define DX_TESTS_LIBUSB_FIXTURE_H

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "backend/libusb/libusb.h"
#include "fake_libusb.h"
#include "test.h"

#define MAX_LOG 64

struct log {
	struct dx_usb_transfer *completed[MAX_LOG];
	unsigned nr_completed;
	unsigned nr_gone;
	unsigned nr_completed_at_gone;
};

struct fixture {
	struct dx_usb_backend *backend;
	struct log log;
	char message[512];
};

static void log_complete(void *context, struct dx_usb_transfer *transfer)
{
	struct log *log = context;

	CHECK_LT(log->nr_completed, MAX_LOG);
	log->completed[log->nr_completed++] = transfer;
}

static void log_gone(void *context)
{
	struct log *log = context;

	log->nr_gone++;
	log->nr_completed_at_gone = log->nr_completed;
}

static const struct dx_usb_backend_host log_host = {.complete = log_complete, .gone = log_gone};
static const struct dx_usb_backend_ops *const ops = &dx_backend_libusb;

static inline int fixture_try(struct fixture *fixture, const char *spec)
{
	return ops->open(spec, fake_node(), &log_host, &fixture->log, fixture->message,
			 sizeof(fixture->message), &fixture->backend);
}

static inline void fixture_open(struct fixture *fixture)
{
	*fixture = (struct fixture){0};
	CHECK_EQ(fixture_try(fixture, "usb:1234:5678"), 0);
}

static inline void fixture_close(struct fixture *fixture)
{
	ops->close(fixture->backend);
}

static inline void fixture_poll(struct fixture *fixture)
{
	ops->poll(fixture->backend);
}

/* Whether the event descriptor is readable. */
static inline bool fixture_has_event(struct fixture *fixture)
{
	struct pollfd waiting = {.fd = ops->event_fd(fixture->backend), .events = POLLIN};

	return poll(&waiting, 1, 0) == 1;
}

/* Until as many have completed as there should be; the events must be announced. */
static inline void fixture_wait(struct fixture *fixture, unsigned nr_completed)
{
	while (fixture->log.nr_completed < nr_completed) {
		struct pollfd waiting = {.fd = ops->event_fd(fixture->backend), .events = POLLIN};

		CHECK_EQ(poll(&waiting, 1, 20000), 1);
		fixture_poll(fixture);
	}
	CHECK_EQ(fixture->log.nr_completed, nr_completed);
}

static inline struct dx_usb_transfer bulk(uint8_t endpoint, uint8_t *data, uint32_t length)
{
	struct dx_usb_transfer transfer = {
		.type = DX_USB_BULK, .endpoint = endpoint, .data = data, .length = length};

	return transfer;
}

/* Lists hold addresses: set up where it stays. */
static inline void submit(struct fixture *fixture, struct dx_usb_transfer *transfer)
{
	dx_list_init(&transfer->link);
	CHECK_EQ(ops->submit(fixture->backend, transfer), 0);
}

static inline void cancel(struct fixture *fixture, struct dx_usb_transfer *transfer)
{
	transfer->cancelled = true;
	ops->cancel(fixture->backend, transfer);
}

#endif
