/* SPDX-License-Identifier: MIT
 *
 * far - the USB stack on a device that is reached over USB/IP, for tests.
 */
#ifndef DX_TESTS_EXPORT_FAR_H
#define DX_TESTS_EXPORT_FAR_H

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

#include "backend/usbip/usbip.h"
#include "base/log.h"
#include "support/served.h"
#include "unit/usb/fixture.h"

#define SUPER "virtual:gadget-zero,speed=super"
#define HIGH  "virtual:gadget-zero,speed=high"

static const struct dx_usb_backend_ops *const far_backends[] = {&dx_backend_usbip, NULL};

__attribute__((unused)) static struct dx_usb_device *attach_far(const char *spec, int fd)
{
	struct dx_usb_device *device = NULL;
	char message[256] = "";

	if (dx_usb_device_attach(far_backends, spec, fd, message, sizeof(message), &device) < 0) {
		FAIL("attach %s: %s", spec, message);
	}
	return device;
}

__attribute__((unused)) static void open_interface(struct fixture *f, uint8_t configuration)
{
	CHECK_EQ(dx_usb_device_open(f->device, CLIENT), DX_USB_OK);
	CHECK_EQ(dx_usb_device_set_configuration(f->device, NULL, configuration), DX_USB_OK);
	f->interface = dx_usb_device_copy_interface(f->device, 0);
	CHECK(f->interface != NULL);
	CHECK_EQ(dx_usb_interface_open(f->interface, CLIENT, 0, 0), DX_USB_OK);
	CHECK_EQ(dx_usb_interface_copy_pipe(f->interface, 0x81, &f->in), DX_USB_OK);
	CHECK_EQ(dx_usb_interface_copy_pipe(f->interface, 0x01, &f->out), DX_USB_OK);
}

__attribute__((unused)) static struct fixture set_up_far(const struct served *served,
							 uint8_t configuration)
{
	struct fixture f = {.device = attach_far(served_spec(served, 0), -1)};

	open_interface(&f, configuration);
	return f;
}

/* Runs the device until count callbacks have been recorded. */
__attribute__((unused)) static void run_until(struct dx_usb_device *device,
					      const struct record *record, unsigned count)
{
	struct pollfd pollfd = {.fd = dx_usb_event_fd(device), .events = POLLIN};

	while (record->nr < count) {
		(void)dx_usb_poll(device);
		if (record->nr < count && !dx_usb_needs_poll(device)) {
			CHECK_GE(poll(&pollfd, 1, 20000), 1);
		}
	}
	CHECK_EQ(record->nr, count);
}

__attribute__((unused)) static void run_until_gone(struct dx_usb_device *device)
{
	struct pollfd pollfd = {.fd = dx_usb_event_fd(device), .events = POLLIN};

	while (!dx_usb_device_is_gone(device)) {
		(void)dx_usb_poll(device);
		if (!dx_usb_device_is_gone(device) && !dx_usb_needs_poll(device)) {
			CHECK_GE(poll(&pollfd, 1, 20000), 1);
		}
	}
}

__attribute__((unused)) static void fill(uint8_t *bytes, size_t length, unsigned seed)
{
	for (size_t i = 0; i < length; i++) {
		bytes[i] = (uint8_t)(i * 31 + seed + (i >> 8));
	}
}

__attribute__((unused)) static struct served *serve(const char *spec)
{
	return served_start(&spec, 1);
}

#endif
