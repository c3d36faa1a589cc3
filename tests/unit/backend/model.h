/* SPDX-License-Identifier: MIT
 *
 * model - a device model under test: attached, configured, with its pipes.
 */
#ifndef DX_TESTS_BACKEND_MODEL_H
#define DX_TESTS_BACKEND_MODEL_H

#include <string.h>

#include "../usb/fixture.h"

#define MODEL_INTERFACES 2

struct model {
	struct dx_usb_device *device;
	struct dx_usb_interface *interfaces[MODEL_INTERFACES];
	unsigned nr_interfaces;
};

/* One pending IN or OUT request. */
struct pending {
	struct record record;
	uint8_t bytes[4096];
};

__attribute__((unused)) static struct model model_set_up(const char *spec)
{
	struct model m = {.device = attach(spec)};

	CHECK_EQ(dx_usb_device_set_configuration(m.device, NULL, 1), DX_USB_OK);
	CHECK_EQ(dx_usb_device_open(m.device, CLIENT), DX_USB_OK);
	while (m.nr_interfaces < MODEL_INTERFACES) {
		m.interfaces[m.nr_interfaces] =
			dx_usb_device_copy_interface(m.device, (uint8_t)m.nr_interfaces);
		if (m.interfaces[m.nr_interfaces] == NULL) {
			break;
		}
		CHECK_EQ(dx_usb_interface_open(m.interfaces[m.nr_interfaces], CLIENT, 0, 0),
			 DX_USB_OK);
		m.nr_interfaces++;
	}
	CHECK(m.nr_interfaces != 0);
	return m;
}

__attribute__((unused)) static void model_tear_down(struct model *m)
{
	for (unsigned i = 0; i < m->nr_interfaces; i++) {
		(void)dx_usb_interface_unref(m->interfaces[i]);
	}
	(void)dx_usb_device_unref(m->device);
}

__attribute__((unused)) static struct dx_usb_pipe *model_pipe(struct model *m, unsigned interface,
							      uint8_t address)
{
	struct dx_usb_pipe *pipe = NULL;

	CHECK_EQ(dx_usb_interface_copy_pipe(m->interfaces[interface], address, &pipe), DX_USB_OK);
	return pipe;
}

__attribute__((unused)) static int32_t model_request(struct model *m, uint8_t type, uint8_t request,
						     uint16_t value, uint16_t index, void *data,
						     uint16_t length)
{
	struct dx_usb_setup setup = {type, request, value, index, length};

	return dx_usb_device_request(m->device, CLIENT, &setup, data, 0, NULL);
}

/* Runs the device until the record has so many entries. */
__attribute__((unused)) static void wait_for(struct model *m, const struct record *record,
					     unsigned nr)
{
	while (record->nr < nr) {
		(void)dx_usb_poll(m->device);
	}
}

/* Starts a request that ends later. */
__attribute__((unused)) static void start(struct dx_usb_pipe *pipe, struct pending *pending,
					  uint32_t length)
{
	CHECK_EQ(dx_usb_pipe_submit(pipe, pending->bytes, length, 0, note, &pending->record),
		 DX_USB_OK);
}

/* All that can happen now has happened. */
__attribute__((unused)) static void settle(struct model *m)
{
	do {
		(void)dx_usb_poll(m->device);
	} while (dx_usb_needs_poll(m->device));
}

__attribute__((unused)) static void put(struct dx_usb_pipe *pipe, const void *bytes,
					uint32_t length)
{
	uint8_t copy[4096];
	uint32_t actual = 0;

	memcpy(copy, bytes, length);
	CHECK_EQ(dx_usb_pipe_io(pipe, copy, length, 0, &actual), DX_USB_OK);
	CHECK_EQ(actual, length);
}

__attribute__((unused)) static void expect(struct dx_usb_pipe *pipe, const void *bytes,
					   uint32_t length, uint32_t room)
{
	uint8_t got[4096];
	uint32_t actual = 0;

	CHECK_EQ(dx_usb_pipe_io(pipe, got, room, 0, &actual), DX_USB_OK);
	CHECK_EQ(actual, length);
	CHECK_MEM_EQ(got, bytes, length);
}

/* The spec is refused with this line behind "device "SPEC": ". */
__attribute__((unused)) static void expect_refused(const char *spec, int result,
						   const char *problem)
{
	struct dx_usb_device *device = NULL;
	char message[512] = "";
	char expected[512];

	CHECK_EQ(
		dx_usb_device_attach(fixture_backends, spec, -1, message, sizeof(message), &device),
		result);
	(void)snprintf(expected, sizeof(expected), "device \"%s\": %s", spec, problem);
	CHECK_STR_EQ(message, expected);
}

#endif
