/* SPDX-License-Identifier: MIT
 *
 * usb_control - device requests, waiting and not.
 *
 * Place:   driver, under the public functions of devices and interfaces.
 */
#include <stdlib.h>
#include <sys/mman.h>

#include "base/limits.h"
#include "driver/action.h"
#include "driver/usb_provider.h"

struct control_io {
	struct dx_item item;
	struct dx_runtime *runtime;
	struct dx_action *action;   /* in use */
	IOMemoryDescriptor *buffer; /* counted */
	int32_t status;
	uint32_t actual;
};

static void control_run(struct dx_item *item, bool cancelled)
{
	struct control_io *io = dx_container_of(item, struct control_io, item);
	struct dx_service_entry entry;
	struct dx_service *target =
		dx_action_begin(io->action, cancelled, &entry, "CompleteAsyncDeviceRequest");

	if (target != NULL) {
		((IOUSBHostCompleteAsyncDeviceRequestHandler)io->action->handler)(
			OS_OBJECT(target), (OSAction *)io->action, io->status, io->actual);
		dx_action_end(target, &entry);
	}
	dx_action_unuse(io->action);
	OSRelease(io->buffer);
	free(io);
}

static void control_complete(void *context, int32_t status, uint32_t actual, uint64_t timestamp_ns)
{
	struct control_io *io = context;

	(void)timestamp_ns;
	io->status = status;
	io->actual = actual;
	dx_action_fire(io->action, &io->item);
}

static int32_t submit(struct dx_usb_provider *provider, const void *client,
		      const struct dx_usb_setup *setup, void *data, uint32_t timeout_ms,
		      dx_usb_complete_fn complete, void *context)
{
	if (provider->interface != NULL) {
		return dx_usb_interface_request_async(provider->interface, setup, data, timeout_ms,
						      complete, context);
	}
	return dx_usb_device_request_async(provider->share->device, client, setup, data,
					   timeout_ms, complete, context);
}

kern_return_t dx_usb_request_async(struct dx_usb_provider *provider, const void *client,
				   const struct dx_usb_setup *setup, IOMemoryDescriptor *buffer,
				   OSAction *completion, uint32_t timeout_ms)
{
	struct dx_action *action = dx_action_of(completion, DX_ACTION_DEVICE_REQUEST);
	void *data = NULL;

	if (action == NULL ||
	    dx_usb_buffer_address(buffer, setup->wLength, &data) != kIOReturnSuccess) {
		return kIOReturnBadArgument;
	}
	struct control_io *io = calloc(1, sizeof(*io));
	if (io == NULL) {
		return kIOReturnNoMemory;
	}
	io->item.run = control_run;
	io->runtime = provider->service.runtime;
	io->action = action;
	io->buffer = OSRetain(buffer);
	dx_action_use(action);
	int32_t status = submit(provider, client, setup, data, timeout_ms, control_complete, io);
	if (status != DX_USB_OK) {
		dx_action_unuse(action);
		OSRelease(buffer);
		free(io);
		return status;
	}
	dx_usb_submitted(provider->service.runtime);
	return kIOReturnSuccess;
}

kern_return_t dx_usb_request(struct dx_usb_provider *provider, const void *client,
			     const struct dx_usb_setup *setup, IOMemoryDescriptor *buffer,
			     uint16_t *ret_transferred, uint32_t timeout_ms)
{
	struct dx_usb_wait wait;
	uint32_t actual = 0;
	void *data = NULL;

	if (dx_usb_buffer_address(buffer, setup->wLength, &data) != kIOReturnSuccess) {
		return kIOReturnBadArgument;
	}
	dx_usb_wait_init(&wait);
	int32_t status =
		submit(provider, client, setup, data, timeout_ms, dx_usb_wait_complete, &wait);
	status = dx_usb_wait_end(&wait, provider->service.runtime, provider->share->device, status,
				 &actual);
	if (ret_transferred != NULL) {
		*ret_transferred = (uint16_t)actual;
	}
	return status;
}

/* @return false: there is none to be had, so it becomes memory like any other. */
static bool create_in_controller(struct dx_usb_device *device, IOOptionBits options,
				 uint64_t capacity, IOBufferMemoryDescriptor **ret_buffer)
{
	void *base = NULL;

	if (capacity == 0 || capacity > DX_MAX_BUFFER_BYTES ||
	    (options & ~(IOOptionBits)kIOMemoryDirectionOutIn) != 0 ||
	    dx_usb_device_alloc_buffer(device, (size_t)capacity, &base) < 0) {
		return false;
	}
	if (dx_buffer_adopt(options, &base, capacity, ret_buffer) != kIOReturnSuccess) {
		(void)munmap(base, (size_t)capacity); /* a whole mapping of ours: cannot fail */
		return false;
	}
	return true;
}

IOReturn dx_usb_create_buffer(struct dx_usb_device *device, IOOptionBits options,
			      uint64_t capacity, IOBufferMemoryDescriptor **ret_buffer)
{
	bool is_private = (options & kOpenDextBufferInController) != 0;

	options &= ~(IOOptionBits)kOpenDextBufferInController;
	if (is_private && ret_buffer != NULL &&
	    create_in_controller(device, options, capacity, ret_buffer)) {
		return kIOReturnSuccess;
	}
	IOReturn status =
		IOBufferMemoryDescriptorCreate(options, capacity == 0 ? 1 : capacity, 0, ret_buffer);

	if (status == kIOReturnSuccess && capacity == 0) {
		status = IOBufferMemoryDescriptorSetLength(*ret_buffer, 0);
	}
	return status;
}
