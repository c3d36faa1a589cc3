/* SPDX-License-Identifier: MIT
 *
 * operation - what blocks in the kernel: configurations, alternate settings, clear halt, reset.
 *
 * Place:      backend/libusb; L2 of state.h.
 * Why a thread: these system calls change what the kernel knows of the device (endpoints, toggles,
 *             drivers); a SET_INTERFACE sent as a control transfer would change only the device. They
 *             wait for the device, up to five seconds each, with the kernel's lock of the device held,
 *             so anybody else who touched it would wait as well. They are rare; a thread each is cheap
 *             enough and leaves none behind.
 * Threads:    run() on its own; all else under B1. The eventfd and the join order what it wrote.
 */
#include <errno.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "backend/libusb/state.h"

#define TYPE_INTERFACE	4u
#define NR_INTERFACES	32u

/* The interfaces of the configuration in force, a bit each. */
static uint32_t interfaces_now(const struct dx_libusb *device)
{
	uint32_t set = 0;

	for (unsigned i = 0; i < device->descriptors.nr_configurations; i++) {
		const uint8_t *block = device->descriptors.configurations[i];
		size_t length = device->descriptors.lengths[i];

		if (block[5] != device->configuration) {
			continue;
		}
		for (size_t at = 0; length - at >= 9 && block[at] >= 2 && block[at] <= length - at;
		     at += block[at]) {
			if (block[at + 1] == TYPE_INTERFACE && block[at + 2] < NR_INTERFACES) {
				set |= 1u << block[at + 2];
			}
		}
	}
	return set;
}

int dx_libusb_configure(struct dx_libusb *device, uint8_t value)
{
	uint32_t interfaces = interfaces_now(device);
	uint32_t detached = 0;
	int saved_errno = 0;
	int code = 0;

	for (int i = 0; i < (int)NR_INTERFACES; i++) {
		if ((interfaces & 1u << i) != 0 &&
		    libusb_detach_kernel_driver(device->handle, i) == LIBUSB_SUCCESS) {
			detached |= 1u << i;
		}
	}
	errno = 0;
	code = libusb_set_configuration(device->handle, value == 0 ? -1 : value);
	saved_errno = errno;
	/* Interfaces of a new configuration get their drivers from the kernel; these stayed. */
	for (int i = 0; (code != LIBUSB_SUCCESS || value == device->configuration) &&
			i < (int)NR_INTERFACES;
	     i++) {
		if ((detached & 1u << i) != 0) {
			(void)libusb_attach_kernel_driver(device->handle, i);
		}
	}
	return dx_libusb_errno(code, saved_errno);
}

static int clear_halt(struct dx_libusb *device, uint8_t endpoint, bool with_request)
{
	int code = 0;

	if (!with_request) {
		return dx_usbfs_reset_endpoint(device->fd, endpoint);
	}
	errno = 0;
	code = libusb_clear_halt(device->handle, endpoint);
	return dx_libusb_errno(code, errno);
}

static int set_altsetting(struct dx_libusb *device, uint8_t interface_number, uint8_t setting)
{
	int code = 0;

	errno = 0;
	code = libusb_set_interface_alt_setting(device->handle, interface_number, setting);
	return dx_libusb_errno(code, errno);
}

static int reset(struct dx_libusb *device)
{
	int code = 0;

	errno = 0;
	code = libusb_reset_device(device->handle);
	/* Not found: it has come back as another one, which is what a reset is for. */
	return code == LIBUSB_ERROR_NOT_FOUND ? 0 : dx_libusb_errno(code, errno);
}

static int carry_out(struct dx_libusb *device)
{
	const struct dx_libusb_operation *operation = &device->operation;

	switch (operation->kind) {
	case DX_LIBUSB_SET_CONFIGURATION:
		return dx_libusb_configure(device, operation->first);
	case DX_LIBUSB_SET_ALTSETTING:
		return set_altsetting(device, operation->first, operation->second);
	case DX_LIBUSB_CLEAR_HALT:
		return clear_halt(device, operation->first, operation->second != 0);
	case DX_LIBUSB_RESET:
	default:
		return reset(device);
	}
}

static void *run(void *context)
{
	struct dx_libusb *device = context;

	device->operation.result = carry_out(device);
	(void)eventfd_write(device->operation.end_fd, 1); /* it counts to one only */
	return NULL;
}

/* ---- under B1 ---- */

/* @return 0; -EAGAIN: no thread. */
static int begin(struct dx_libusb *device, struct dx_usb_transfer *done)
{
	struct dx_libusb_operation *operation = &device->operation;
	uint64_t what = done->backend_words[2];
	int result = 0;

	operation->kind = (enum dx_libusb_operation_kind)(what & 0xff);
	operation->first = (uint8_t)(what >> 8);
	operation->second = (uint8_t)(what >> 16);
	operation->done = done;
	dx_libusb_watch(device, false);
	result = pthread_create(&operation->thread, NULL, run, device);
	if (result != 0) {
		operation->kind = DX_LIBUSB_IDLE;
		operation->done = NULL;
		dx_libusb_watch(device, true);
	}
	return -result;
}

static int request(struct dx_usb_backend *backend, enum dx_libusb_operation_kind kind,
		   uint8_t first, uint8_t second, struct dx_usb_transfer *done)
{
	struct dx_libusb *device = dx_libusb_of(backend);

	if (device->is_lost) {
		return -ENODEV;
	}
	done->backend_words[0] = 0;
	done->backend_words[2] = (uint64_t)kind | (uint64_t)first << 8 | (uint64_t)second << 16;
	if (device->operation.kind != DX_LIBUSB_IDLE) {
		dx_list_push_back(&device->operation.waiting, &done->link);
		return 0;
	}
	return begin(device, done);
}

int dx_libusb_set_configuration(struct dx_usb_backend *backend, uint8_t value,
				struct dx_usb_transfer *done)
{
	return request(backend, DX_LIBUSB_SET_CONFIGURATION, value, 0, done);
}

int dx_libusb_set_altsetting(struct dx_usb_backend *backend, uint8_t interface_number,
			     uint8_t setting, struct dx_usb_transfer *done)
{
	return request(backend, DX_LIBUSB_SET_ALTSETTING, interface_number, setting, done);
}

int dx_libusb_clear_halt(struct dx_usb_backend *backend, uint8_t endpoint, bool with_request,
			 struct dx_usb_transfer *done)
{
	return request(backend, DX_LIBUSB_CLEAR_HALT, endpoint, with_request ? 1 : 0, done);
}

int dx_libusb_reset(struct dx_usb_backend *backend, struct dx_usb_transfer *done)
{
	return request(backend, DX_LIBUSB_RESET, 0, 0, done);
}

/* What has changed for the data path. */
static void apply(struct dx_libusb *device)
{
	const struct dx_libusb_operation *operation = &device->operation;

	if (operation->result == -ENODEV) {
		device->is_lost = true;
	}
	if (operation->result < 0) {
		return;
	}
	switch (operation->kind) {
	case DX_LIBUSB_SET_CONFIGURATION:
		device->configuration = operation->first;
		dx_libusb_forget_halts(device);
		break;
	case DX_LIBUSB_SET_ALTSETTING:
		dx_libusb_forget_halts(device);
		break;
	case DX_LIBUSB_CLEAR_HALT:
		dx_libusb_endpoint(device, operation->first)->halted = false;
		break;
	case DX_LIBUSB_RESET:
		device->is_lost = true; /* the stack attaches it anew */
		break;
	case DX_LIBUSB_IDLE:
	default:
		break;
	}
}

static void complete(struct dx_libusb *device, struct dx_usb_transfer *done, int result)
{
	done->actual = 0;
	done->status = result == 0 ? DX_USB_OK : dx_libusb_status_of_errno(result);
	device->host->complete(device->host_ctx, done);
}

static void begin_next(struct dx_libusb *device)
{
	while (device->operation.kind == DX_LIBUSB_IDLE) {
		struct dx_list *node = dx_list_pop_front(&device->operation.waiting);
		struct dx_usb_transfer *done = NULL;
		int result = 0;

		if (node == NULL) {
			return;
		}
		done = dx_list_entry(node, struct dx_usb_transfer, link);
		result = device->is_lost ? -ENODEV : begin(device, done);
		if (result < 0) {
			complete(device, done, result);
		}
	}
}

void dx_libusb_operation_poll(struct dx_libusb *device)
{
	struct dx_libusb_operation *operation = &device->operation;
	struct dx_usb_transfer *done = operation->done;
	eventfd_t count = 0;

	if (operation->kind == DX_LIBUSB_IDLE || eventfd_read(operation->end_fd, &count) < 0) {
		return;
	}
	(void)pthread_join(operation->thread, NULL); /* it has nothing left to do */
	apply(device);
	operation->kind = DX_LIBUSB_IDLE;
	operation->done = NULL;
	dx_libusb_watch(device, true);
	dx_libusb_cancel_late(device);
	complete(device, done, operation->result);
	begin_next(device);
}

bool dx_libusb_operation_cancel(struct dx_libusb *device, struct dx_usb_transfer *done)
{
	if (done == device->operation.done) {
		return true; /* it cannot be stopped, but it ends */
	}
	if (done->backend_words[2] == 0) {
		return false;
	}
	dx_list_remove(&done->link);
	complete(device, done, -ECANCELED);
	return true;
}

void dx_libusb_operation_abandon(struct dx_libusb *device)
{
	if (device->operation.kind != DX_LIBUSB_IDLE) {
		(void)pthread_join(device->operation.thread, NULL);
	}
}
