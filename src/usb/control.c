/* SPDX-License-Identifier: MIT
 *
 * control - control requests of clients, and the stack's own.
 *
 * Place:      usb. The default control pipe is not ordered: one client's slow request does not hold
 *             back another's completion.
 * Threads:    any.
 */
#include "usb/private.h"

#include <stdlib.h>

#define STANDARD_REQUEST(type) (((type) & 0x60) == 0)

bool dx_usb_setup_is_allowed(const struct dx_usb_setup *setup, const void *data,
			     int32_t *ret_status)
{
	if (setup == NULL || (setup->wLength != 0 && data == NULL)) {
		*ret_status = DX_USB_BAD_ARGUMENT;
		return false;
	}
	if (STANDARD_REQUEST(setup->bmRequestType) && !(setup->bmRequestType & 0x80) &&
	    (setup->bRequest == DX_USB_SET_ADDRESS ||
	     setup->bRequest == DX_USB_SET_CONFIGURATION ||
	     setup->bRequest == DX_USB_SET_INTERFACE)) {
		*ret_status = DX_USB_NOT_PERMITTED;
		return false;
	}
	*ret_status = DX_USB_OK;
	return true;
}

static void fill(struct dx_usb_request *request, const void *client,
		 const struct dx_usb_setup *setup, void *data)
{
	struct dx_usb_transfer *transfer = &request->transfer;

	transfer->setup[0] = setup->bmRequestType;
	transfer->setup[1] = setup->bRequest;
	transfer->setup[2] = (uint8_t)setup->wValue;
	transfer->setup[3] = (uint8_t)(setup->wValue >> 8);
	transfer->setup[4] = (uint8_t)setup->wIndex;
	transfer->setup[5] = (uint8_t)(setup->wIndex >> 8);
	transfer->setup[6] = (uint8_t)setup->wLength;
	transfer->setup[7] = (uint8_t)(setup->wLength >> 8);
	transfer->data = data;
	transfer->length = setup->wLength;
	request->client = client;
}

int32_t dx_usb_control_async_locked(struct dx_usb_device *device, const void *client,
				    const struct dx_usb_setup *setup, void *data,
				    uint32_t timeout_ms, dx_usb_complete_fn complete, void *ctx)
{
	int32_t status = DX_USB_OK;
	struct dx_usb_request *request = NULL;

	if (device->gone) {
		return DX_USB_NO_DEVICE;
	}
	request = dx_usb_request_get_locked(device, &device->control, &status);
	if (request == NULL) {
		return status;
	}
	fill(request, client, setup, data);
	request->complete = complete;
	request->ctx = ctx;
	status = dx_usb_request_start_locked(device, request, timeout_ms);
	if (status != DX_USB_OK) {
		dx_usb_request_put_locked(device, request);
	}
	return status;
}

int32_t dx_usb_control_locked(struct dx_usb_device *device, const void *client,
			      const struct dx_usb_setup *setup, void *data, uint32_t timeout_ms,
			      uint32_t *ret_actual)
{
	struct dx_usb_request request;
	int32_t status = DX_USB_OK;

	if (device->gone) {
		return DX_USB_NO_DEVICE;
	}
	dx_usb_request_init_sync(&request, &device->control);
	fill(&request, client, setup, data);
	status = dx_usb_request_start_locked(device, &request, timeout_ms);
	if (status != DX_USB_OK) {
		return status;
	}
	dx_usb_wait_request_locked(device, &request);
	if (ret_actual != NULL) {
		*ret_actual = request.transfer.actual;
	}
	return request.transfer.status;
}

int32_t dx_usb_operation_locked(struct dx_usb_device *device, dx_usb_operation_fn start,
				unsigned a, unsigned b, const struct dx_usb_setup *setup)
{
	struct dx_usb_request request;
	int result = 0;

	if (device->gone) {
		return DX_USB_NO_DEVICE;
	}
	dx_usb_request_init_sync(&request, &device->control);
	dx_usb_request_track_locked(device, &request, DX_USB_STANDARD_TIMEOUT_MS);
	request.is_silent = setup == NULL;
	if (setup != NULL) {
		fill(&request, NULL, setup, NULL);
		if (device->tap != NULL) {
			device->tap->submitted(device->tap, device->info, &request.transfer);
		}
	}
	result = start(device, a, b, &request.transfer);
	if (result < 0) {
		if (device->tap != NULL && setup != NULL) {
			device->tap->refused(device->tap, device->info, &request.transfer, result);
		}
		dx_usb_request_untrack_locked(device, &request);
		return dx_usb_status_from_errno(result);
	}
	dx_usb_wait_request_locked(device, &request);
	return request.transfer.status;
}

/* ---- with the device as client ---- */

int32_t dx_usb_device_request_async(struct dx_usb_device *device, const void *client,
				    const struct dx_usb_setup *setup, void *data,
				    uint32_t timeout_ms, dx_usb_complete_fn complete, void *ctx)
{
	int32_t status = DX_USB_OK;

	if (complete == NULL || client == NULL) {
		return DX_USB_BAD_ARGUMENT;
	}
	if (!dx_usb_setup_is_allowed(setup, data, &status)) {
		return status;
	}
	dx_mutex_lock(&device->lock);
	status = device->client == client
			 ? dx_usb_control_async_locked(device, client, setup, data, timeout_ms,
						       complete, ctx)
			 : DX_USB_NOT_OPEN;
	dx_mutex_unlock(&device->lock);
	return status;
}

int32_t dx_usb_device_request(struct dx_usb_device *device, const void *client,
			      const struct dx_usb_setup *setup, void *data, uint32_t timeout_ms,
			      uint32_t *ret_actual)
{
	int32_t status = DX_USB_OK;

	if (client == NULL) {
		return DX_USB_BAD_ARGUMENT;
	}
	if (!dx_usb_setup_is_allowed(setup, data, &status)) {
		return status;
	}
	dx_mutex_lock(&device->lock);
	status = device->client == client
			 ? dx_usb_control_locked(device, client, setup, data, timeout_ms,
						 ret_actual)
			 : DX_USB_NOT_OPEN;
	dx_mutex_unlock(&device->lock);
	return status;
}

int32_t dx_usb_device_abort_requests(struct dx_usb_device *device, const void *client,
				     int32_t with_error)
{
	struct dx_usb_selection selection = {.client = client};
	int32_t status = DX_USB_NOT_OPEN;

	if (client == NULL || with_error == DX_USB_OK) {
		return DX_USB_BAD_ARGUMENT;
	}
	dx_mutex_lock(&device->lock);
	if (device->client == client) {
		dx_usb_cancel_locked(device, &selection, with_error);
		status = DX_USB_OK;
	}
	dx_mutex_unlock(&device->lock);
	return status;
}

/* ---- with an interface as client ---- */

static int32_t interface_usable_locked(struct dx_usb_device *device,
				       const struct dx_usb_interface *interface)
	DX_REQUIRES(device->lock)
{
	if (device->gone || interface->terminated) {
		return DX_USB_NO_DEVICE;
	}
	return interface->client == NULL ? DX_USB_NOT_OPEN : DX_USB_OK;
}

int32_t dx_usb_interface_request_async(struct dx_usb_interface *interface,
				       const struct dx_usb_setup *setup, void *data,
				       uint32_t timeout_ms, dx_usb_complete_fn complete, void *ctx)
{
	struct dx_usb_device *device = interface->device;
	int32_t status = DX_USB_OK;

	if (complete == NULL) {
		return DX_USB_BAD_ARGUMENT;
	}
	if (!dx_usb_setup_is_allowed(setup, data, &status)) {
		return status;
	}
	dx_mutex_lock(&device->lock);
	status = interface_usable_locked(device, interface);
	if (status == DX_USB_OK) {
		status = dx_usb_control_async_locked(device, interface, setup, data, timeout_ms,
						     complete, ctx);
	}
	dx_mutex_unlock(&device->lock);
	return status;
}

int32_t dx_usb_interface_request(struct dx_usb_interface *interface,
				 const struct dx_usb_setup *setup, void *data,
				 uint32_t timeout_ms, uint32_t *ret_actual)
{
	struct dx_usb_device *device = interface->device;
	int32_t status = DX_USB_OK;

	if (!dx_usb_setup_is_allowed(setup, data, &status)) {
		return status;
	}
	dx_mutex_lock(&device->lock);
	status = interface_usable_locked(device, interface);
	if (status == DX_USB_OK) {
		status = dx_usb_control_locked(device, interface, setup, data, timeout_ms,
					       ret_actual);
	}
	dx_mutex_unlock(&device->lock);
	return status;
}

int32_t dx_usb_interface_abort_requests(struct dx_usb_interface *interface, int32_t with_error)
{
	struct dx_usb_device *device = interface->device;
	struct dx_usb_selection selection = {.client = interface};
	int32_t status = DX_USB_OK;

	if (with_error == DX_USB_OK) {
		return DX_USB_BAD_ARGUMENT;
	}
	dx_mutex_lock(&device->lock);
	status = interface_usable_locked(device, interface);
	if (status == DX_USB_OK) {
		dx_usb_cancel_locked(device, &selection, with_error);
	}
	dx_mutex_unlock(&device->lock);
	return status;
}
