/* SPDX-License-Identifier: MIT
 *
 * libusb - events, interfaces and the table of the backend; see libusb.h.
 *
 * Place:      backend/libusb.
 */
#include "backend/libusb/libusb.h"

#include <errno.h>
#include <string.h>
#include <sys/time.h>

#include "backend/libusb/state.h"
#include "base/clock.h"
#include "base/log.h"

#define FRAME_NS 1000000u

static const struct dx_usb_backend_info *libusb_info(const struct dx_usb_backend *backend)
{
	return &dx_libusb_of_const(backend)->info;
}

/* ---- interfaces ---- */

/* The only trace of who is in the way: the driver is told no more than kIOReturnExclusiveAccess. */
static void say_who_holds(const struct dx_libusb *device, uint8_t interface_number)
{
	char driver[64] = "";

	if (dx_usbfs_driver(device->fd, interface_number, driver, sizeof(driver)) < 0) {
		return;
	}
	dx_log_warning("%s: interface %u is held by %s%s", device->name, interface_number,
		       strcmp(driver, "usbfs") == 0 ? "another program" : "the kernel's driver ",
		       strcmp(driver, "usbfs") == 0 ? "" : driver);
}

/* Waits for the kernel's driver to let go. */
static int libusb_claim(struct dx_usb_backend *backend, uint8_t interface_number)
{
	struct dx_libusb *device = dx_libusb_of(backend);
	int saved_errno = 0;
	int code = 0;

	if (device->is_lost) {
		return -ENODEV;
	}
	errno = 0;
	code = libusb_claim_interface(device->handle, interface_number);
	saved_errno = errno;
	if (code == LIBUSB_ERROR_BUSY) {
		say_who_holds(device, interface_number);
	}
	if (code == LIBUSB_SUCCESS) {
		device->claimed |= 1u << interface_number; /* it has at most 32 */
		dx_libusb_forget_halts(device);
	}
	return dx_libusb_errno(code, saved_errno);
}

static void libusb_release(struct dx_usb_backend *backend, uint8_t interface_number)
{
	struct dx_libusb *device = dx_libusb_of(backend);

	if (interface_number < 32 && (device->claimed & 1u << interface_number) != 0) {
		device->claimed &= ~(1u << interface_number);
		(void)libusb_release_interface(device->handle, interface_number); /* or it is gone */
	}
}

/* ---- memory ---- */

/* libusb's own counterpart only unmaps, and wants the handle for it, which may have gone by then. */
static int libusb_buffer_alloc(struct dx_usb_backend *backend, size_t length, void **ret_base)
{
	void *base = libusb_dev_mem_alloc(dx_libusb_of(backend)->handle, length);

	if (base == NULL) {
		return -ENOMEM;
	}
	*ret_base = base;
	return 0;
}

/* ---- events ---- */

static bool may_tell_gone(const struct dx_libusb *device)
{
	return device->is_lost && !device->is_gone && device->nr_in_flight == 0 &&
	       device->operation.kind == DX_LIBUSB_IDLE;
}

static bool libusb_is_ready(const struct dx_usb_backend *backend)
{
	return may_tell_gone(dx_libusb_of_const(backend));
}

static void libusb_poll(struct dx_usb_backend *backend)
{
	struct dx_libusb *device = dx_libusb_of(backend);
	struct timeval now = {0};

	dx_libusb_operation_poll(device);
	if (device->operation.kind != DX_LIBUSB_IDLE) {
		return; /* L2 */
	}
	(void)libusb_handle_events_timeout_completed(device->context, &now, NULL);
	if (!device->is_lost) {
		dx_libusb_pump(device);
		return;
	}
	dx_libusb_fail_waiting(device, DX_USB_NOT_RESPONDING);
	if (may_tell_gone(device)) {
		device->is_gone = true;
		device->host->gone(device->host_ctx);
	}
}

static int libusb_event_fd(const struct dx_usb_backend *backend)
{
	return dx_libusb_of_const(backend)->epoll_fd;
}

static uint64_t libusb_next_deadline_ns(const struct dx_usb_backend *backend)
{
	(void)backend;
	return UINT64_MAX; /* L6 */
}

/* The kernel does not tell a program which frame it is. */
static int libusb_frame_number(struct dx_usb_backend *backend, uint64_t *ret_frame,
			       uint64_t *ret_time_ns)
{
	uint64_t now_ns = dx_clock_now_ns();

	(void)backend;
	*ret_frame = now_ns / FRAME_NS;
	*ret_time_ns = now_ns;
	return 0;
}

const struct dx_usb_backend_ops dx_backend_libusb = {
	.name = "usb",
	.accepts = dx_libusb_spec_accepts,
	.acquire = dx_libusb_acquire,
	.open = dx_libusb_open,
	.close = dx_libusb_close,
	.info = libusb_info,
	.claim = libusb_claim,
	.release = libusb_release,
	.submit = dx_libusb_submit,
	.cancel = dx_libusb_cancel,
	.buffer_alloc = libusb_buffer_alloc,
	.set_configuration = dx_libusb_set_configuration,
	.set_altsetting = dx_libusb_set_altsetting,
	.clear_halt = dx_libusb_clear_halt,
	.reset = dx_libusb_reset,
	.is_ready = libusb_is_ready,
	.poll = libusb_poll,
	.event_fd = libusb_event_fd,
	.next_deadline_ns = libusb_next_deadline_ns,
	.frame_number = libusb_frame_number,
};
