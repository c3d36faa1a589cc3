/* SPDX-License-Identifier: MIT
 *
 * open - from a spec to a device, and back.
 *
 * Place:      backend/libusb.
 * Order:      the node is opened by acquire(), in a process that may; libusb gets the descriptor and is
 *             told to look for nothing (B7). What the kernel knows of the device is read from the node;
 *             only the BOS descriptor and the present configuration are asked for over the bus.
 * Threads:    any; a device is not seen by others before it is open.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "backend/libusb/state.h"
#include "backend/libusb/sysfs.h"
#include "base/cleanup.h"

#define BOS_TYPE	 15u
#define BOS_HEADER	 5u
#define BOS_MAX		 4096u
#define BCD_WITH_BOS	 0x0201u
#define BOS_TIMEOUT_MS	 1000u

/* ---- words ---- */

static int errno_of_call(int saved_errno)
{
	switch (saved_errno) {
	case ENOENT:
	case ENOSPC:
	case EBUSY:
	case EINVAL:
	case EPIPE:
	case ETIMEDOUT:
	case ENODEV:
		return -saved_errno;
	default:
		return -EIO;
	}
}

int dx_libusb_errno(int code, int saved_errno)
{
	if (code >= 0) {
		return 0;
	}
	switch (code) {
	case LIBUSB_ERROR_INVALID_PARAM:
		return -EINVAL;
	case LIBUSB_ERROR_ACCESS:
		return -EACCES;
	case LIBUSB_ERROR_NO_DEVICE:
		return -ENODEV;
	case LIBUSB_ERROR_NOT_FOUND:
		return -ENOENT;
	case LIBUSB_ERROR_BUSY:
		return -EBUSY;
	case LIBUSB_ERROR_TIMEOUT:
		return -ETIMEDOUT;
	case LIBUSB_ERROR_PIPE:
		return -EPIPE;
	case LIBUSB_ERROR_NO_MEM:
		return -ENOMEM;
	case LIBUSB_ERROR_NOT_SUPPORTED:
		return -EOPNOTSUPP;
	default:
		return errno_of_call(saved_errno);
	}
}

int32_t dx_libusb_status_of_errno(int code)
{
	switch (code) {
	case -ENODEV:
		return DX_USB_NOT_RESPONDING;
	case -ENOMEM:
	case -EAGAIN:
		return DX_USB_NO_MEMORY;
	case -ENOENT:
		return DX_USB_NOT_FOUND;
	case -ENOSPC:
		return DX_USB_NO_BANDWIDTH;
	case -EINVAL:
		return DX_USB_BAD_ARGUMENT;
	case -EBUSY:
		return DX_USB_EXCLUSIVE;
	case -EPIPE:
		return DX_USB_STALLED;
	case -ETIMEDOUT:
		return DX_USB_TIMEOUT;
	case -ECANCELED:
		return DX_USB_ABORTED;
	default:
		return DX_USB_IO_ERROR;
	}
}

/* ---- acquire ---- */

int dx_libusb_acquire(const char *text, char *message, size_t message_size)
{
	struct dx_libusb_spec spec;
	struct dx_usb_listed listed;
	int result = dx_libusb_spec_parse(text, &spec, message, message_size);

	if (result == 0) {
		result = dx_libusb_find(&dx_libusb_places, &spec, text, &listed, message,
					message_size);
	}
	return result < 0 ? result
			  : dx_libusb_open_node(&dx_libusb_places, &listed, text, message,
						message_size);
}

/* ---- the event descriptor ---- */

static uint32_t epoll_events(short events)
{
	return ((events & POLLIN) != 0 ? (uint32_t)EPOLLIN : 0) |
	       ((events & POLLOUT) != 0 ? (uint32_t)EPOLLOUT : 0);
}

static int watch_fd(struct dx_libusb *device, int fd, uint32_t events)
{
	struct epoll_event event = {.events = events, .data.fd = fd};

	return epoll_ctl(device->epoll_fd, EPOLL_CTL_ADD, fd, &event) < 0 ? -errno : 0;
}

void dx_libusb_watch(struct dx_libusb *device, bool watch)
{
	/* One that is lost still has to tell how its transfers ended. */
	if (watch == device->is_watching || (watch && device->is_removed)) {
		return;
	}
	device->is_watching = watch;
	if (!watch) {
		(void)epoll_ctl(device->epoll_fd, EPOLL_CTL_DEL, device->fd, NULL);
	} else if (watch_fd(device, device->fd, device->node_events) < 0) {
		device->is_lost = true; /* no memory for it: nothing more would be heard */
	}
}

static void LIBUSB_CALL on_fd_added(int fd, short events, void *context)
{
	(void)watch_fd(context, fd, epoll_events(events));
}

/* L1: inside poll(). The node goes when the kernel says that the device has gone. */
static void LIBUSB_CALL on_fd_removed(int fd, void *context)
{
	struct dx_libusb *device = context;

	if (fd == device->fd) {
		dx_libusb_watch(device, false);
		device->is_removed = true;
		device->is_lost = true;
	} else {
		(void)epoll_ctl(device->epoll_fd, EPOLL_CTL_DEL, fd, NULL);
	}
}

static int begin_events(struct dx_libusb *device)
{
	const struct libusb_pollfd **list = NULL;
	int result = 0;

	device->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (device->epoll_fd < 0) {
		return -errno;
	}
	device->operation.end_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (device->operation.end_fd < 0) {
		return -errno;
	}
	result = watch_fd(device, device->operation.end_fd, EPOLLIN);
	list = libusb_get_pollfds(device->context);
	if (list == NULL) {
		return -ENOMEM;
	}
	for (size_t i = 0; result == 0 && list[i] != NULL; i++) {
		uint32_t events = epoll_events(list[i]->events);

		if (list[i]->fd == device->fd) {
			device->node_events = events;
			device->is_watching = true;
		}
		result = watch_fd(device, list[i]->fd, events);
	}
	libusb_free_pollfds(list);
	libusb_set_pollfd_notifiers(device->context, on_fd_added, on_fd_removed, device);
	return result;
}

/* ---- what is known of it ---- */

static int read_descriptors(struct dx_libusb *device)
{
	size_t length = 0;
	int result = dx_usbfs_read_descriptors(device->fd, &device->descriptor_bytes, &length);

	return result < 0 ? result
			  : dx_libusb_descriptors_parse(device->descriptor_bytes, length,
							&device->descriptors);
}

static int get_bos(struct dx_libusb *device, uint8_t *bytes, size_t length)
{
	return libusb_control_transfer(device->handle, 0x80, LIBUSB_REQUEST_GET_DESCRIPTOR,
				       BOS_TYPE << 8, 0, bytes, (uint16_t)length, BOS_TIMEOUT_MS);
}

/* A device without one, or with a wrong one, is a device without one. */
static void read_bos(struct dx_libusb *device)
{
	uint8_t header[BOS_HEADER] = {0};
	const uint8_t *bytes = device->descriptors.device;
	size_t total = 0;
	int got = 0;

	if ((bytes[2] | bytes[3] << 8) < (int)BCD_WITH_BOS ||
	    get_bos(device, header, sizeof(header)) != (int)BOS_HEADER || header[1] != BOS_TYPE) {
		return;
	}
	total = (size_t)header[2] | (size_t)header[3] << 8;
	if (total < BOS_HEADER || total > BOS_MAX) {
		return;
	}
	device->bos = calloc(1, total);
	got = device->bos == NULL ? -1 : get_bos(device, device->bos, total);
	if (got >= (int)BOS_HEADER && got <= (int)total) {
		device->info.bos = device->bos;
		device->info.bos_length = (size_t)got;
	}
}

static int fill_info(struct dx_libusb *device, const struct dx_usbfs_identity *identity)
{
	int configuration = 0;
	int code = libusb_get_configuration(device->handle, &configuration);

	if (code < 0) {
		return dx_libusb_errno(code, 0);
	}
	device->configuration = (uint8_t)configuration;
	device->info.speed = identity->speed;
	device->info.address = identity->address;
	device->info.location_id = dx_libusb_port_location(&identity->port);
	memcpy(device->info.device, device->descriptors.device, sizeof(device->info.device));
	device->info.nr_configurations = device->descriptors.nr_configurations;
	device->info.configurations = device->descriptors.configurations;
	device->info.configuration_lengths = device->descriptors.lengths;
	read_bos(device);
	return 0;
}

/* ---- opening ---- */

static struct dx_libusb *device_new(const struct dx_usb_backend_host *host, void *host_ctx)
{
	struct dx_libusb *device = calloc(1, sizeof(*device));

	if (device == NULL) {
		return NULL;
	}
	device->host = host;
	device->host_ctx = host_ctx;
	device->fd = -1;
	device->epoll_fd = -1;
	device->operation.end_fd = -1;
	dx_list_init(&device->operation.waiting);
	dx_list_init(&device->pool);
	dx_list_init(&device->iso_pool);
	for (unsigned i = 0; i < DX_LIBUSB_ENDPOINTS; i++) {
		dx_list_init(&device->endpoints[i].in_flight);
		dx_list_init(&device->endpoints[i].waiting);
	}
	return device;
}

static void device_free(struct dx_libusb *device)
{
	if (device->handle != NULL) {
		libusb_set_pollfd_notifiers(device->context, NULL, NULL, NULL);
		libusb_close(device->handle);
	}
	dx_fd_close(&device->fd); /* the kernel ends what was in flight */
	dx_libusb_free_slots(device);
	if (device->context != NULL) {
		libusb_exit(device->context);
	}
	dx_fd_close(&device->operation.end_fd);
	dx_fd_close(&device->epoll_fd);
	free(device->descriptor_bytes);
	free(device->bos);
	free(device);
}

static void device_free_cleanup(struct dx_libusb **device)
{
	if (*device != NULL) {
		device_free(*device);
	}
}

/*
 * confined: the process may look for no devices, and libusb must not try. Up to version 1.0.26 it
 * remembers that for the whole process, which is why it is not always said (see monitor.h).
 */
static int wrap(struct dx_libusb *device, bool confined)
{
	int code = LIBUSB_SUCCESS;

	if (confined) {
		code = libusb_set_option(NULL, LIBUSB_OPTION_NO_DEVICE_DISCOVERY);
	}
	if (code == LIBUSB_SUCCESS) {
		code = libusb_init(&device->context);
	}
	if (code == LIBUSB_SUCCESS) {
		code = libusb_wrap_sys_device(device->context, (intptr_t)device->fd,
					      &device->handle);
	}
	if (code == LIBUSB_SUCCESS) {
		/* Says no where there are no kernel drivers to be detached: then there is none. */
		(void)libusb_set_auto_detach_kernel_driver(device->handle, 1);
	}
	return dx_libusb_errno(code, 0);
}

/* A descriptor that somebody else acquired for another spec. */
static int check_identity(const struct dx_libusb *device, const struct dx_libusb_spec *spec,
			  const struct dx_usbfs_identity *identity)
{
	const uint8_t *bytes = device->descriptors.device;
	bool is_other = spec->has_ids && (spec->id_vendor != (bytes[8] | bytes[9] << 8) ||
					  spec->id_product != (bytes[10] | bytes[11] << 8));
	bool is_elsewhere = spec->port.bus != 0 &&
			    !dx_libusb_port_equal(&spec->port, &identity->port);

	return is_other || is_elsewhere ? -ENXIO : 0;
}

static int configure_first(struct dx_libusb *device, const struct dx_libusb_spec *spec)
{
	int result = 0;

	if (spec->configuration != 0 && spec->configuration != device->configuration) {
		result = dx_libusb_configure(device, (uint8_t)spec->configuration);
		if (result == 0) {
			device->configuration = (uint8_t)spec->configuration;
		}
	}
	device->info.configuration = device->configuration;
	return result;
}

struct step {
	const char *what;
	int result;
};

/* What it was doing when it failed is in the step. */
static struct step set_up(struct dx_libusb *device, const struct dx_libusb_spec *spec,
			  bool confined)
{
	struct dx_usbfs_identity identity = {0};
	struct step step = {"not a USB device", dx_usbfs_identify(device->fd, &identity)};

	if (step.result == 0) {
		char port[32];

		dx_libusb_port_format(&identity.port, port, sizeof(port));
		(void)snprintf(device->name, sizeof(device->name), "usb:%s", port);
		step = (struct step){"cannot read its descriptors", read_descriptors(device)};
	}
	if (step.result == 0) {
		step = (struct step){"the descriptor is another device's",
				     check_identity(device, spec, &identity)};
	}
	if (step.result == 0) {
		step = (struct step){"libusb refuses it", wrap(device, confined)};
	}
	if (step.result == 0) {
		step = (struct step){"cannot read its configuration",
				     fill_info(device, &identity)};
	}
	if (step.result == 0) {
		step = (struct step){"cannot select the configuration",
				     configure_first(device, spec)};
	}
	if (step.result == 0) {
		step = (struct step){"cannot wait for events", begin_events(device)};
	}
	return step;
}

int dx_libusb_open(const char *text, int fd, const struct dx_usb_backend_host *host,
		   void *host_ctx, char *message, size_t message_size,
		   struct dx_usb_backend **ret_backend)
{
	DX_CLEANUP_FD int own_fd = fd;
	DX_CLEANUP(device_free_cleanup) struct dx_libusb *device = NULL;
	struct dx_libusb_spec spec;
	struct step step = {"", 0};
	int result = dx_libusb_spec_parse(text, &spec, message, message_size);

	if (result == 0 && fd < 0) {
		own_fd = dx_libusb_acquire(text, message, message_size);
		result = own_fd < 0 ? own_fd : 0;
	}
	if (result < 0) {
		return result;
	}
	device = device_new(host, host_ctx);
	if (device == NULL) {
		return -ENOMEM;
	}
	device->fd = dx_take_fd(&own_fd);
	step = set_up(device, &spec, fd >= 0);
	if (step.result < 0) {
		(void)snprintf(message, message_size, "device \"%.80s\": %s: %s", text, step.what,
			       strerror(-step.result));
		return step.result;
	}
	*ret_backend = (struct dx_usb_backend *)(void *)dx_take_ptr(&device);
	return 0;
}

void dx_libusb_close(struct dx_usb_backend *backend)
{
	struct dx_libusb *device = dx_libusb_of(backend);

	dx_libusb_operation_abandon(device);
	for (int i = 0; i < 32; i++) {
		if ((device->claimed & 1u << i) != 0) {
			(void)libusb_release_interface(device->handle, i);
		}
	}
	device_free(device);
}
