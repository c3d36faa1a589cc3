/* SPDX-License-Identifier: MIT
 *
 * device - attach and detach, sessions, configurations, reset.
 *
 * Place:      usb. Owns everything that private.h describes.
 * Threads:    any.
 */
#include "usb/private.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>

#include "base/cleanup.h"
#include "usb/descriptor.h"
#include "usb/spec.h"

#define PORT_STATUS_ENABLED 0x1000u

/* The backend's gone(): the lock is held by whoever called the backend. */
DX_NO_THREAD_SAFETY
static void backend_gone(void *host_ctx)
{
	struct dx_usb_device *device = host_ctx;

	if (device->gone) {
		return;
	}
	device->gone = true;
	device->gone_owed = true;
	device->gone_reason = device->resetting ? DX_USB_GONE_RESET : DX_USB_GONE_UNPLUGGED;
	dx_usb_wake_locked(device);
}

static const struct dx_usb_backend_host device_as_host = {
	.complete = dx_usb_request_completed,
	.gone = backend_gone,
};

static struct dx_usb_device *device_new(void)
{
	struct dx_usb_device *device = calloc(1, sizeof(*device));

	if (device == NULL) {
		return NULL;
	}
	atomic_init(&device->refs, 1);
	device->event_fd = -1;
	device->wake_fd = -1;
	dx_mutex_init(&device->lock);
	dx_cond_init(&device->changed);
	dx_list_init(&device->done);
	dx_list_init(&device->delivering);
	dx_list_init(&device->timers);
	dx_list_init(&device->pipes);
	dx_list_init(&device->interfaces);
	dx_list_init(&device->cache);
	dx_usb_pipe_setup(&device->control, device, 0, DX_USB_CONTROL, 64);
	return device;
}

static void device_free(struct dx_usb_device *device)
{
	if (device->backend != NULL) {
		device->ops->close(device->backend);
	}
	dx_usb_pipe_free_requests(&device->control);
	dx_usb_cache_free(device);
	dx_fd_close(&device->wake_fd);
	dx_cond_fini(&device->changed);
	dx_mutex_fini(&device->lock);
	free(device);
}

static void device_free_cleanup(struct dx_usb_device **device)
{
	if (*device != NULL) {
		device_free(*device);
	}
}

static int adopt_backend(struct dx_usb_device *device)
{
	int32_t status = DX_USB_OK;

	device->info = device->ops->info(device->backend);
	device->event_fd = device->ops->event_fd(device->backend);
	if (device->event_fd >= 0) {
		device->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
		if (device->wake_fd < 0) {
			return -errno;
		}
	}
	dx_mutex_lock(&device->lock);
	status = dx_usb_interfaces_build_locked(device, device->info->configuration);
	dx_mutex_unlock(&device->lock);
	return status == DX_USB_OK ? 0 : -ENOMEM;
}

/* Gives fd to the backend, if it takes any. */
static int open_backend(struct dx_usb_device *device, const char *spec, int *fd, char *message,
			size_t message_size)
{
	int result = 0;

	if (device->ops->acquire == NULL && *fd >= 0) {
		(void)snprintf(message, message_size, "device spec \"%s\" takes no descriptor",
			       spec);
		return -EINVAL;
	}
	result = device->ops->open(spec, dx_take_fd(fd), &device_as_host, device, message,
				   message_size, &device->backend);
	if (result < 0) {
		device->backend = NULL;
	}
	return result;
}

int dx_usb_device_attach(const struct dx_usb_backend_ops *const *backends, const char *spec, int fd,
			 char *message, size_t message_size, struct dx_usb_device **ret_device)
{
	DX_CLEANUP_FD int own_fd = fd;
	DX_CLEANUP(device_free_cleanup) struct dx_usb_device *device = NULL;
	char unused[1] = "";
	int result = 0;

	if (message == NULL || message_size == 0) {
		message = unused;
		message_size = sizeof(unused);
	}
	message[0] = '\0';
	device = device_new();
	if (device == NULL) {
		return -ENOMEM;
	}
	device->ops = dx_usb_spec_backend(spec, backends, message, message_size);
	if (device->ops == NULL) {
		return -ENODEV;
	}
	result = open_backend(device, spec, &own_fd, message, message_size);
	if (result == 0) {
		result = adopt_backend(device);
	}
	if (result < 0) {
		return result;
	}
	*ret_device = dx_take_ptr(&device);
	return 0;
}

static bool gone_is_told(struct dx_usb_device *device, void *argument)
{
	(void)argument;
	return !device->gone_owed;
}

static void finish_gone_locked(struct dx_usb_device *device, int32_t status)
	DX_REQUIRES(device->lock)
{
	struct dx_usb_selection everything = {.all = true};

	dx_usb_interfaces_terminate_locked(device, status);
	dx_usb_cancel_locked(device, &everything, status);
	dx_usb_quiesce_locked(device, &everything);
	if (!dx_usb_in_callback_locked(device)) {
		dx_usb_wait_locked(device, gone_is_told, NULL);
	}
}

void dx_usb_device_detach(struct dx_usb_device *device)
{
	dx_mutex_lock(&device->lock);
	if (!device->gone) {
		device->gone = true;
		device->gone_owed = true;
		device->gone_reason = DX_USB_GONE_DETACHED;
	}
	finish_gone_locked(device, DX_USB_NOT_RESPONDING);
	dx_mutex_unlock(&device->lock);
}

struct dx_usb_device *dx_usb_device_ref(struct dx_usb_device *device)
{
	if (device != NULL) { /* relaxed: the caller's own reference keeps it alive */
		(void)atomic_fetch_add_explicit(&device->refs, 1, memory_order_relaxed);
	}
	return device;
}

struct dx_usb_device *dx_usb_device_unref(struct dx_usb_device *device)
{
	if (device == NULL) {
		return NULL;
	}
	/* release pairs with the acquire of whoever frees: all uses happen before */
	if (atomic_fetch_sub_explicit(&device->refs, 1, memory_order_acq_rel) == 1) {
		dx_usb_device_detach(device);
		device_free(device);
	}
	return NULL;
}

void dx_usb_device_on_gone(struct dx_usb_device *device, dx_usb_gone_fn gone, void *ctx)
{
	dx_mutex_lock(&device->lock);
	device->on_gone = gone;
	device->on_gone_ctx = ctx;
	dx_mutex_unlock(&device->lock);
}

void dx_usb_device_set_tap(struct dx_usb_device *device, struct dx_usb_tap *tap)
{
	dx_mutex_lock(&device->lock);
	device->tap = tap;
	tap->opened(tap, device->info);
	dx_mutex_unlock(&device->lock);
}

bool dx_usb_device_is_gone(struct dx_usb_device *device)
{
	bool gone = false;

	dx_mutex_lock(&device->lock);
	gone = device->gone;
	dx_mutex_unlock(&device->lock);
	return gone;
}

uint8_t dx_usb_device_speed(const struct dx_usb_device *device)
{
	return device->info->speed;
}

uint8_t dx_usb_device_address(const struct dx_usb_device *device)
{
	return device->info->address;
}

uint32_t dx_usb_device_location(const struct dx_usb_device *device)
{
	return device->info->location_id;
}

uint8_t dx_usb_device_configuration(struct dx_usb_device *device)
{
	uint8_t value = 0;

	dx_mutex_lock(&device->lock);
	value = device->configuration;
	dx_mutex_unlock(&device->lock);
	return value;
}

uint32_t dx_usb_device_port_status(struct dx_usb_device *device)
{
	return dx_usb_device_is_gone(device)
		       ? 0
		       : PORT_STATUS_ENABLED | (uint32_t)device->info->speed << 8;
}

int dx_usb_device_alloc_buffer(struct dx_usb_device *device, size_t length, void **ret_base)
{
	int result = -EOPNOTSUPP;

	dx_mutex_lock(&device->lock);
	if (device->gone) {
		result = -ENODEV;
	} else if (device->ops->buffer_alloc != NULL) {
		result = device->ops->buffer_alloc(device->backend, length, ret_base);
	}
	dx_mutex_unlock(&device->lock);
	return result;
}

void dx_usb_device_counters(struct dx_usb_device *device, struct dx_usb_counters *ret_counters)
{
	dx_mutex_lock(&device->lock);
	*ret_counters = device->counters;
	dx_mutex_unlock(&device->lock);
}

/* ---- sessions ---- */

int32_t dx_usb_device_open(struct dx_usb_device *device, const void *client)
{
	int32_t status = DX_USB_OK;

	if (client == NULL) {
		return DX_USB_BAD_ARGUMENT;
	}
	dx_mutex_lock(&device->lock);
	if (device->gone) {
		status = DX_USB_NO_DEVICE;
	} else if (device->client != NULL && device->client != client) {
		status = DX_USB_EXCLUSIVE;
	} else {
		device->client = client;
	}
	dx_mutex_unlock(&device->lock);
	return status;
}

int32_t dx_usb_device_close(struct dx_usb_device *device, const void *client)
{
	struct dx_usb_selection selection = {.client = client};
	int32_t status = DX_USB_NOT_OPEN;

	dx_mutex_lock(&device->lock);
	if (client != NULL && device->client == client) {
		device->client = NULL;
		dx_usb_cancel_locked(device, &selection, DX_USB_ABORTED);
		dx_usb_quiesce_locked(device, &selection);
		status = DX_USB_OK;
	}
	dx_mutex_unlock(&device->lock);
	return status;
}

/* ---- configuration, reset ---- */

static bool is_not_configuring(struct dx_usb_device *device, void *argument)
{
	(void)argument;
	return !device->configuring;
}

int32_t dx_usb_reconfigure_begin_locked(struct dx_usb_device *device)
{
	if (device->configuring && dx_usb_in_callback_locked(device)) {
		return DX_USB_BUSY; /* the other one waits for this callback to return */
	}
	dx_usb_wait_locked(device, is_not_configuring, NULL);
	if (device->gone) {
		return DX_USB_NO_DEVICE;
	}
	device->configuring = true;
	return DX_USB_OK;
}

void dx_usb_reconfigure_end_locked(struct dx_usb_device *device)
{
	device->configuring = false;
	dx_usb_wake_locked(device);
}

static int start_configuration(struct dx_usb_device *device, unsigned value, unsigned unused,
			       struct dx_usb_transfer *done)
{
	(void)unused;
	return device->ops->set_configuration(device->backend, (uint8_t)value, done);
}

static int32_t set_configuration_locked(struct dx_usb_device *device, uint8_t value)
	DX_REQUIRES(device->lock)
{
	const struct dx_usb_setup setup = {.bRequest = DX_USB_SET_CONFIGURATION, .wValue = value};
	int32_t status = dx_usb_reconfigure_begin_locked(device);

	if (status != DX_USB_OK) {
		return status;
	}
	dx_usb_interfaces_terminate_locked(device, DX_USB_ABORTED);
	device->configuration = 0;
	status = dx_usb_operation_locked(device, start_configuration, value, 0, &setup);
	if (status == DX_USB_OK) {
		status = dx_usb_interfaces_build_locked(device, value);
	}
	dx_usb_reconfigure_end_locked(device);
	return status;
}

int32_t dx_usb_device_set_configuration(struct dx_usb_device *device, const void *client,
					uint8_t value)
{
	size_t length = 0;
	int32_t status = DX_USB_OK;

	if (value != 0 &&
	    dx_usb_device_configuration_with_value(device, value, &length) == NULL) {
		return DX_USB_NOT_FOUND;
	}
	dx_mutex_lock(&device->lock);
	if (device->gone) {
		status = DX_USB_NO_DEVICE;
	} else if (client != NULL && device->client != client) {
		status = DX_USB_NOT_OPEN;
	} else {
		status = set_configuration_locked(device, value);
	}
	dx_mutex_unlock(&device->lock);
	return status;
}

static int start_reset(struct dx_usb_device *device, unsigned unused_a, unsigned unused_b,
		       struct dx_usb_transfer *done)
{
	(void)unused_a;
	(void)unused_b;
	return device->ops->reset(device->backend, done);
}

static bool is_gone(struct dx_usb_device *device, void *argument)
{
	(void)argument;
	return device->gone;
}

static int32_t reset_locked(struct dx_usb_device *device) DX_REQUIRES(device->lock)
{
	struct dx_usb_selection everything = {.all = true};
	int32_t status = dx_usb_reconfigure_begin_locked(device);

	if (status != DX_USB_OK) {
		return status;
	}
	dx_usb_interfaces_terminate_locked(device, DX_USB_ABORTED);
	dx_usb_cancel_locked(device, &everything, DX_USB_ABORTED);
	dx_usb_quiesce_locked(device, &everything);
	device->resetting = true;
	status = dx_usb_operation_locked(device, start_reset, 0, 0, NULL);
	if (status == DX_USB_OK) {
		dx_usb_wait_locked(device, is_gone, NULL);
		finish_gone_locked(device, DX_USB_ABORTED);
	}
	device->resetting = false;
	dx_usb_reconfigure_end_locked(device);
	return status;
}

int32_t dx_usb_device_reset(struct dx_usb_device *device, const void *client)
{
	int32_t status = DX_USB_OK;

	dx_mutex_lock(&device->lock);
	if (client != NULL && device->client != client) {
		status = DX_USB_NOT_OPEN;
	} else {
		status = reset_locked(device);
	}
	dx_mutex_unlock(&device->lock);
	return status;
}

int32_t dx_usb_device_frame_number(struct dx_usb_device *device, uint64_t *ret_frame,
				   uint64_t *ret_time_ns)
{
	uint64_t frame = 0;
	uint64_t time_ns = 0;
	int result = -ENODEV;

	if (ret_frame == NULL) {
		return DX_USB_BAD_ARGUMENT;
	}
	dx_mutex_lock(&device->lock);
	if (!device->gone) {
		result = device->ops->frame_number(device->backend, &frame, &time_ns);
	}
	dx_mutex_unlock(&device->lock);
	if (result < 0) {
		return dx_usb_status_from_errno(result);
	}
	*ret_frame = frame;
	if (ret_time_ns != NULL) {
		*ret_time_ns = time_ns;
	}
	return DX_USB_OK;
}
