/* SPDX-License-Identifier: MIT
 *
 * interface - sessions, alternate settings, and which interfaces a configuration has.
 *
 * Place:      usb, under device; invariants in interface.h and private.h.
 * Threads:    any.
 */
#include "usb/interface.h"

#include <errno.h>
#include <stdlib.h>

#include "usb/descriptor.h"
#include "usb/private.h"

static struct dx_usb_interface *find_locked(struct dx_usb_device *device, uint8_t number)
	DX_REQUIRES(device->lock)
{
	dx_list_for_each(node, &device->interfaces)
	{
		struct dx_usb_interface *interface =
			dx_list_entry(node, struct dx_usb_interface, link);

		if (interface->number == number) {
			return interface;
		}
	}
	return NULL;
}

static int add_locked(struct dx_usb_device *device, const uint8_t *configuration, size_t length,
		      uint8_t number) DX_REQUIRES(device->lock)
{
	struct dx_usb_interface *interface = calloc(1, sizeof(*interface));

	if (interface == NULL) {
		return -ENOMEM;
	}
	interface->device = device;
	interface->configuration = configuration;
	interface->configuration_length = length;
	interface->number = number;
	dx_list_push_back(&device->interfaces, &interface->link);
	return 0;
}

/* One object per interface number that has an alternate setting 0. */
int32_t dx_usb_interfaces_build_locked(struct dx_usb_device *device, uint8_t value)
{
	size_t length = 0;
	size_t total = 0;
	unsigned nr_interfaces = 0;
	const uint8_t *block = dx_usb_device_configuration_with_value(device, value, &length);

	device->configuration = value;
	if (value == 0 || block == NULL) {
		device->configuration = 0;
		return DX_USB_OK;
	}
	total = dx_usb_desc_total(block, length);
	for (size_t at = dx_usb_desc_next_type(block, total, 0, DX_USB_DESC_INTERFACE); at != 0;
	     at = dx_usb_desc_next_type(block, total, at, DX_USB_DESC_INTERFACE)) {
		if (block[at] < 9 || block[at + 3] != 0 ||
		    find_locked(device, block[at + 2]) != NULL ||
		    nr_interfaces++ >= DX_USB_MAX_INTERFACES) {
			continue;
		}
		if (add_locked(device, block, total, block[at + 2]) < 0) {
			return DX_USB_NO_MEMORY;
		}
	}
	return DX_USB_OK;
}

/* Frees an interface that has neither a place nor a handle. */
void dx_usb_interface_put_locked(struct dx_usb_device *device, struct dx_usb_interface *interface)
{
	(void)device;
	interface->handles--;
	if (interface->handles == 0 && interface->terminated && dx_list_is_empty(&interface->link)) {
		free(interface);
	}
}

/* Ends the session first, so that callbacks cannot start anything new in it; the backend's claim
 * last, so that nobody else gets in before all is quiet. */
static void end_session_locked(struct dx_usb_device *device, struct dx_usb_interface *interface,
			       int32_t status) DX_REQUIRES(device->lock)
{
	struct dx_usb_selection selection = {.interface = interface};
	bool had_session = interface->client != NULL;

	interface->client = NULL;
	dx_usb_cancel_locked(device, &selection, status);
	dx_usb_pipes_close_locked(device, interface);
	dx_usb_quiesce_locked(device, &selection);
	if (had_session) {
		device->ops->release(device->backend, interface->number);
	}
}

void dx_usb_interfaces_terminate_locked(struct dx_usb_device *device, int32_t status)
{
	dx_list_for_each(place, &device->interfaces)
	{
		dx_list_entry(place, struct dx_usb_interface, link)->terminated = true;
	}
	while (!dx_list_is_empty(&device->interfaces)) {
		struct dx_list *node = dx_list_pop_front(&device->interfaces);
		struct dx_usb_interface *interface =
			dx_list_entry(node, struct dx_usb_interface, link);

		interface->handles++; /* end_session unlocks: a handle may go away meanwhile */
		end_session_locked(device, interface, status);
		dx_usb_interface_put_locked(device, interface);
	}
	dx_usb_pipes_reap_locked(device);
}

struct dx_usb_interface *dx_usb_device_copy_interface(struct dx_usb_device *device, unsigned index)
{
	struct dx_usb_interface *found = NULL;

	dx_mutex_lock(&device->lock);
	dx_list_for_each(node, &device->interfaces)
	{
		if (index-- == 0) {
			found = dx_list_entry(node, struct dx_usb_interface, link);
			found->handles++;
			break;
		}
	}
	dx_mutex_unlock(&device->lock);
	if (found != NULL) {
		(void)dx_usb_device_ref(device);
	}
	return found;
}

struct dx_usb_interface *dx_usb_interface_ref(struct dx_usb_interface *interface)
{
	if (interface != NULL) {
		struct dx_usb_device *device = dx_usb_device_ref(interface->device);

		dx_mutex_lock(&device->lock);
		interface->handles++;
		dx_mutex_unlock(&device->lock);
	}
	return interface;
}

struct dx_usb_interface *dx_usb_interface_unref(struct dx_usb_interface *interface)
{
	if (interface != NULL) {
		struct dx_usb_device *device = interface->device;

		dx_mutex_lock(&device->lock);
		dx_usb_interface_put_locked(device, interface);
		dx_mutex_unlock(&device->lock);
		(void)dx_usb_device_unref(device);
	}
	return NULL;
}

struct dx_usb_device *dx_usb_interface_device(const struct dx_usb_interface *interface)
{
	return interface->device;
}

uint8_t dx_usb_interface_number(const struct dx_usb_interface *interface)
{
	return interface->number;
}

bool dx_usb_interface_is_terminated(struct dx_usb_interface *interface)
{
	struct dx_usb_device *device = interface->device;
	bool terminated = false;

	dx_mutex_lock(&device->lock);
	terminated = interface->terminated || device->gone;
	dx_mutex_unlock(&device->lock);
	return terminated;
}

const uint8_t *dx_usb_interface_configuration(const struct dx_usb_interface *interface,
					      size_t *ret_length)
{
	*ret_length = interface->configuration_length;
	return interface->configuration;
}

uint8_t dx_usb_interface_alternate(struct dx_usb_interface *interface)
{
	struct dx_usb_device *device = interface->device;
	uint8_t alternate = 0;

	dx_mutex_lock(&device->lock);
	alternate = interface->alternate;
	dx_mutex_unlock(&device->lock);
	return alternate;
}

size_t dx_usb_interface_descriptor_offset(struct dx_usb_interface *interface)
{
	return dx_usb_desc_find_interface(interface->configuration,
					  interface->configuration_length, interface->number,
					  dx_usb_interface_alternate(interface));
}

/* ---- alternate settings ---- */

static int start_altsetting(struct dx_usb_device *device, unsigned number, unsigned alternate,
			    struct dx_usb_transfer *done)
{
	return device->ops->set_altsetting(device->backend, (uint8_t)number, (uint8_t)alternate,
					   done);
}

static int32_t select_locked(struct dx_usb_device *device, struct dx_usb_interface *interface,
			     uint8_t alternate) DX_REQUIRES(device->lock)
{
	struct dx_usb_selection selection = {.interface = interface};
	const struct dx_usb_setup setup = {
		.bmRequestType = 0x01, /* to an interface */
		.bRequest = DX_USB_SET_INTERFACE,
		.wValue = alternate,
		.wIndex = interface->number,
	};
	int32_t status = DX_USB_OK;

	if (dx_usb_desc_find_interface(interface->configuration, interface->configuration_length,
				       interface->number, alternate) == 0) {
		return DX_USB_NOT_FOUND;
	}
	status = dx_usb_reconfigure_begin_locked(device);
	if (status != DX_USB_OK) {
		return status;
	}
	if (interface->terminated || interface->client == NULL) { /* begin may have waited */
		status = interface->terminated ? DX_USB_NO_DEVICE : DX_USB_NOT_OPEN;
	} else {
		dx_usb_cancel_locked(device, &selection, DX_USB_ABORTED);
		dx_usb_pipes_close_locked(device, interface);
		dx_usb_quiesce_locked(device, &selection);
		status = dx_usb_operation_locked(device, start_altsetting, interface->number,
						 alternate, &setup);
	}
	if (status == DX_USB_OK) {
		interface->alternate = alternate;
	}
	dx_usb_pipes_reap_locked(device);
	dx_usb_reconfigure_end_locked(device);
	return status;
}

static int32_t usable_locked(struct dx_usb_device *device,
			     const struct dx_usb_interface *interface) DX_REQUIRES(device->lock)
{
	if (device->gone || interface->terminated) {
		return DX_USB_NO_DEVICE;
	}
	return interface->client == NULL ? DX_USB_NOT_OPEN : DX_USB_OK;
}

int32_t dx_usb_interface_select_alternate(struct dx_usb_interface *interface, uint8_t alternate)
{
	struct dx_usb_device *device = interface->device;
	int32_t status = DX_USB_OK;

	dx_mutex_lock(&device->lock);
	status = usable_locked(device, interface);
	if (status == DX_USB_OK) {
		status = select_locked(device, interface, alternate);
	}
	dx_mutex_unlock(&device->lock);
	return status;
}

/* ---- sessions ---- */

static int32_t open_locked(struct dx_usb_device *device, struct dx_usb_interface *interface,
			   const void *client) DX_REQUIRES(device->lock)
{
	int result = 0;

	if (device->gone || interface->terminated) {
		return DX_USB_NO_DEVICE;
	}
	if (interface->client != NULL) {
		return interface->client == client ? DX_USB_OK : DX_USB_EXCLUSIVE;
	}
	result = device->ops->claim(device->backend, interface->number);
	if (result < 0) {
		return dx_usb_status_from_errno(result);
	}
	interface->client = client;
	return DX_USB_OK;
}

int32_t dx_usb_interface_open(struct dx_usb_interface *interface, const void *client,
			      uint32_t options, uint8_t alternate)
{
	struct dx_usb_device *device = interface->device;
	bool was_open = false;
	int32_t status = DX_USB_OK;

	if (client == NULL || (options & ~DX_USB_OPEN_SELECT_ALTERNATE) != 0) {
		return DX_USB_BAD_ARGUMENT;
	}
	dx_mutex_lock(&device->lock);
	was_open = interface->client == client;
	status = open_locked(device, interface, client);
	if (status == DX_USB_OK && (options & DX_USB_OPEN_SELECT_ALTERNATE) != 0) {
		status = select_locked(device, interface, alternate);
		if (status != DX_USB_OK && !was_open && interface->client == client) {
			end_session_locked(device, interface, DX_USB_ABORTED);
		}
	}
	dx_mutex_unlock(&device->lock);
	return status;
}

int32_t dx_usb_interface_close(struct dx_usb_interface *interface, const void *client)
{
	struct dx_usb_device *device = interface->device;
	int32_t status = DX_USB_NOT_OPEN;

	dx_mutex_lock(&device->lock);
	if (client != NULL && interface->client == client) {
		end_session_locked(device, interface, DX_USB_ABORTED);
		dx_usb_pipes_reap_locked(device);
		status = DX_USB_OK;
	}
	dx_mutex_unlock(&device->lock);
	return status;
}

/* ---- pipes, idle policy ---- */

static struct dx_usb_pipe *find_pipe_locked(struct dx_usb_device *device,
					    const struct dx_usb_interface *interface,
					    uint8_t address) DX_REQUIRES(device->lock)
{
	dx_list_for_each(node, &device->pipes)
	{
		struct dx_usb_pipe *pipe = dx_list_entry(node, struct dx_usb_pipe, link);

		if (pipe->interface == interface && pipe->address == address && !pipe->closed) {
			return pipe;
		}
	}
	return NULL;
}

int32_t dx_usb_interface_copy_pipe(struct dx_usb_interface *interface, uint8_t address,
				   struct dx_usb_pipe **ret_pipe)
{
	struct dx_usb_device *device = interface->device;
	struct dx_usb_pipe *pipe = NULL;
	int32_t status = DX_USB_OK;

	if (ret_pipe == NULL) {
		return DX_USB_BAD_ARGUMENT;
	}
	dx_mutex_lock(&device->lock);
	status = usable_locked(device, interface);
	if (status == DX_USB_OK) {
		pipe = find_pipe_locked(device, interface, address);
		if (pipe == NULL) {
			status = dx_usb_pipe_new_locked(device, interface, address, &pipe);
		}
	}
	if (status == DX_USB_OK) {
		pipe->handles++;
		(void)dx_usb_device_ref(device);
		*ret_pipe = pipe;
	}
	dx_mutex_unlock(&device->lock);
	return status;
}

int32_t dx_usb_interface_set_idle_policy(struct dx_usb_interface *interface, uint32_t timeout_ms)
{
	struct dx_usb_device *device = interface->device;
	int32_t status = DX_USB_OK;

	dx_mutex_lock(&device->lock);
	status = usable_locked(device, interface);
	if (status == DX_USB_OK) {
		interface->idle_timeout_ms = timeout_ms;
	}
	dx_mutex_unlock(&device->lock);
	return status;
}

int32_t dx_usb_interface_idle_policy(struct dx_usb_interface *interface, uint32_t *ret_timeout_ms)
{
	struct dx_usb_device *device = interface->device;
	int32_t status = DX_USB_OK;

	dx_mutex_lock(&device->lock);
	status = ret_timeout_ms == NULL ? DX_USB_BAD_ARGUMENT : usable_locked(device, interface);
	if (status == DX_USB_OK) {
		*ret_timeout_ms = interface->idle_timeout_ms;
	}
	dx_mutex_unlock(&device->lock);
	return status;
}
