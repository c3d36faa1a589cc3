/* SPDX-License-Identifier: MIT
 *
 * bundle - a ring of prepared buffers; up to 16 of them submitted by one call.
 *
 * Place:      usb, part of pipe. Each entry is a request of its own; event.c puts neighbours that
 *             have ended together into one callback.
 * Threads:    any.
 */
#include <stdlib.h>

#include "usb/private.h"

int32_t dx_usb_pipe_create_ring(struct dx_usb_pipe *pipe, uint32_t size)
{
	struct dx_usb_device *device = pipe->device;
	int32_t status = DX_USB_OK;

	if (pipe->type != DX_USB_BULK) {
		return DX_USB_UNSUPPORTED;
	}
	if (size == 0 || size > DX_USB_MAX_RING_LENGTH) {
		return DX_USB_BAD_ARGUMENT;
	}
	dx_mutex_lock(&device->lock);
	if (pipe->ring != NULL) {
		status = DX_USB_BUSY;
	} else {
		pipe->ring = calloc(size, sizeof(*pipe->ring));
		pipe->ring_size = pipe->ring == NULL ? 0 : size;
		status = pipe->ring == NULL ? DX_USB_NO_MEMORY : DX_USB_OK;
	}
	dx_mutex_unlock(&device->lock);
	return status;
}

static int32_t set_entry_locked(struct dx_usb_pipe *pipe, uint32_t index, void *data,
				uint32_t length)
{
	if (pipe->ring == NULL) {
		return DX_USB_NOT_READY;
	}
	if (index >= pipe->ring_size) {
		return DX_USB_BAD_ARGUMENT;
	}
	if (pipe->ring[index].in_flight) {
		return DX_USB_BUSY;
	}
	pipe->ring[index].data = data;
	pipe->ring[index].length = length;
	return DX_USB_OK;
}

int32_t dx_usb_pipe_set_ring_entry(struct dx_usb_pipe *pipe, uint32_t index, void *data,
				   uint32_t length)
{
	struct dx_usb_device *device = pipe->device;
	int32_t status = DX_USB_OK;

	if (data == NULL) {
		return DX_USB_BAD_ARGUMENT;
	}
	dx_mutex_lock(&device->lock);
	status = set_entry_locked(pipe, index, data, length);
	dx_mutex_unlock(&device->lock);
	return status;
}

static int32_t submit_entry_locked(struct dx_usb_device *device, struct dx_usb_pipe *pipe,
				   uint32_t index, uint32_t length, uint32_t timeout_ms,
				   dx_usb_bundle_fn complete, void *ctx) DX_REQUIRES(device->lock)
{
	struct dx_usb_ring_entry *entry = &pipe->ring[index];
	struct dx_usb_request *request = NULL;
	int32_t status = DX_USB_OK;

	if (entry->in_flight) {
		return DX_USB_BUSY;
	}
	if (entry->data == NULL || length > entry->length) {
		return DX_USB_BAD_ARGUMENT;
	}
	request = dx_usb_request_get_locked(device, pipe, &status);
	if (request == NULL) {
		return status;
	}
	request->kind = DX_USB_REQUEST_BUNDLED;
	request->transfer.data = entry->data;
	request->transfer.length = length;
	request->complete_bundle = complete;
	request->ctx = ctx;
	request->ring_index = index;
	status = dx_usb_request_start_locked(device, request, timeout_ms);
	if (status != DX_USB_OK) {
		dx_usb_request_put_locked(device, request);
		return status;
	}
	entry->in_flight = true;
	return DX_USB_OK;
}

static int32_t submit_locked(struct dx_usb_device *device, struct dx_usb_pipe *pipe,
			     uint32_t index, uint32_t count, const uint32_t *lengths,
			     uint32_t timeout_ms, dx_usb_bundle_fn complete, void *ctx,
			     uint32_t *ret_accepted) DX_REQUIRES(device->lock)
{
	int32_t status = dx_usb_pipe_admit_locked(device, pipe);

	if (status == DX_USB_OK && pipe->ring == NULL) {
		status = DX_USB_NOT_READY;
	}
	if (status == DX_USB_OK && index >= pipe->ring_size) {
		status = DX_USB_BAD_ARGUMENT;
	}
	for (uint32_t i = 0; i < count && status == DX_USB_OK; i++) {
		status = submit_entry_locked(device, pipe, (index + i) % pipe->ring_size,
					     lengths[i], timeout_ms, complete, ctx);
		*ret_accepted += status == DX_USB_OK;
	}
	return status;
}

int32_t dx_usb_pipe_submit_bundle(struct dx_usb_pipe *pipe, uint32_t index, uint32_t count,
				  const uint32_t *lengths, uint32_t timeout_ms,
				  dx_usb_bundle_fn complete, void *ctx, uint32_t *ret_accepted)
{
	struct dx_usb_device *device = pipe->device;
	uint32_t unused = 0;
	int32_t status = DX_USB_OK;

	ret_accepted = ret_accepted == NULL ? &unused : ret_accepted;
	*ret_accepted = 0;
	if (lengths == NULL || complete == NULL || count == 0 || count > DX_USB_BUNDLE_MAX) {
		return DX_USB_BAD_ARGUMENT;
	}
	dx_mutex_lock(&device->lock);
	status = submit_locked(device, pipe, index, count, lengths, timeout_ms, complete, ctx,
			       ret_accepted);
	dx_mutex_unlock(&device->lock);
	return status;
}
