/* SPDX-License-Identifier: MIT
 *
 * fixture - a virtual device, attached, configured and opened, for tests of the USB stack.
 */
#ifndef DX_TESTS_USB_FIXTURE_H
#define DX_TESTS_USB_FIXTURE_H

#include <stdio.h>
#include <stdlib.h>

#include "backend/virtual/virtual.h"
#include "base/clock.h"
#include "test.h"
#include "usb/usb.h"

#define CLIENT	     ((const void *)"a client")
#define OTHER_CLIENT ((const void *)"another client")

#define SOURCE_SINK 3
#define LOOPBACK    2

static const struct dx_usb_backend_ops *const fixture_backends[] = {&dx_backend_virtual, NULL};

struct fixture {
	struct dx_usb_device *device;
	struct dx_usb_interface *interface;
	struct dx_usb_pipe *in;
	struct dx_usb_pipe *out;
};

/* What callbacks saw. */
struct record {
	unsigned nr;
	struct {
		int32_t status;
		uint32_t actual;
		uint64_t timestamp_ns;
		unsigned tag;
	} entries[256];
};

/* ctx of a request that is to be found in a record. */
struct tagged {
	struct record *record;
	unsigned tag;
};

__attribute__((unused)) static void note(void *ctx, int32_t status, uint32_t actual,
					 uint64_t timestamp_ns)
{
	struct record *record = ctx;

	CHECK(record->nr < 256);
	record->entries[record->nr].status = status;
	record->entries[record->nr].actual = actual;
	record->entries[record->nr].timestamp_ns = timestamp_ns;
	record->nr++;
}

__attribute__((unused)) static void note_tagged(void *ctx, int32_t status, uint32_t actual,
						uint64_t timestamp_ns)
{
	struct tagged *tagged = ctx;

	tagged->record->entries[tagged->record->nr].tag = tagged->tag;
	note(tagged->record, status, actual, timestamp_ns);
}

__attribute__((unused)) static struct dx_usb_device *attach(const char *spec)
{
	struct dx_usb_device *device = NULL;
	char message[256] = "";

	if (dx_usb_device_attach(fixture_backends, spec, -1, message, sizeof(message), &device) < 0) {
		FAIL("attach %s: %s", spec, message);
	}
	CHECK_STR_EQ(message, "");
	return device;
}

__attribute__((unused)) static struct fixture set_up(const char *spec, uint8_t configuration)
{
	struct fixture f = {.device = attach(spec)};

	CHECK_EQ(dx_usb_device_set_configuration(f.device, NULL, configuration), DX_USB_OK);
	f.interface = dx_usb_device_copy_interface(f.device, 0);
	CHECK(f.interface != NULL);
	CHECK_EQ(dx_usb_interface_open(f.interface, CLIENT, 0, 0), DX_USB_OK);
	CHECK_EQ(dx_usb_interface_copy_pipe(f.interface, 0x81, &f.in), DX_USB_OK);
	CHECK_EQ(dx_usb_interface_copy_pipe(f.interface, 0x01, &f.out), DX_USB_OK);
	return f;
}

__attribute__((unused)) static void tear_down(struct fixture *f)
{
	(void)dx_usb_pipe_unref(f->in);
	(void)dx_usb_pipe_unref(f->out);
	(void)dx_usb_interface_unref(f->interface);
	(void)dx_usb_device_unref(f->device);
}

/* Polls until nothing is ready; waits for timers up to limit_ms. @return callbacks made. */
__attribute__((unused)) static int poll_for(struct dx_usb_device *device, unsigned limit_ms)
{
	uint64_t end_ns = dx_clock_now_ns() + limit_ms * 1000000ull;
	int nr_made = 0;

	for (;;) {
		uint64_t deadline_ns = 0;

		nr_made += dx_usb_poll(device);
		if (dx_usb_needs_poll(device)) {
			continue;
		}
		deadline_ns = dx_usb_next_deadline_ns(device);
		if (deadline_ns > end_ns || dx_clock_now_ns() > end_ns) {
			return nr_made;
		}
	}
}

#endif
