/* SPDX-License-Identifier: MIT
 *
 * iso - isochronous requests: a frame list in, results out.
 *
 * Place:      usb, part of pipe.
 * Trust:      the frame list may lie in memory that an application writes: request_count is copied
 *             once, checked and used from the copy; results are only written.
 * Threads:    any.
 */
#include <opendext/usb_descriptors.h>
#include <stdlib.h>

#include "usb/private.h"

#define MICROFRAME_NS UINT64_C(125000)

/* Copies what is asked for; false if it does not fit into length bytes. */
static bool copy_frames(struct dx_usb_iso_frame *frames, uint32_t nr_frames, uint32_t length,
			struct dx_usb_packet *packets)
{
	uint64_t sum = 0;

	for (uint32_t i = 0; i < nr_frames; i++) {
		const volatile struct dx_usb_iso_frame *shared = &frames[i]; /* read once */

		packets[i] = (struct dx_usb_packet){
			.length = shared->request_count,
			.status = DX_USB_INVALID,
		};
		sum += packets[i].length;
		frames[i].status = DX_USB_INVALID;
		frames[i].complete_count = 0;
	}
	return sum <= length;
}

static bool make_room(struct dx_usb_request *request, uint32_t nr_frames)
{
	struct dx_usb_packet *packets = NULL;

	if (nr_frames <= request->nr_packets_room) {
		return true;
	}
	packets = realloc(request->packets, nr_frames * sizeof(*packets));
	if (packets == NULL) {
		return false;
	}
	request->packets = packets;
	request->nr_packets_room = nr_frames;
	return true;
}

static uint64_t interval_ns(const struct dx_usb_pipe *pipe)
{
	const IOUSBEndpointDescriptor *endpoint =
		(const IOUSBEndpointDescriptor *)(const void *)pipe->current.endpoint;

	return IOUSBGetEndpointIntervalMicroframes(pipe->device->info->speed, endpoint) * MICROFRAME_NS;
}

static int32_t prepare(struct dx_usb_request *request, void *data, uint32_t length,
		       struct dx_usb_iso_frame *frames, uint32_t nr_frames, uint64_t first_frame)
{
	if (!make_room(request, nr_frames)) {
		return DX_USB_NO_MEMORY;
	}
	if (!copy_frames(frames, nr_frames, length, request->packets)) {
		return DX_USB_BAD_ARGUMENT;
	}
	request->frames = frames;
	request->transfer.data = data;
	request->transfer.length = length;
	request->transfer.packets = request->packets;
	request->transfer.nr_packets = nr_frames;
	request->transfer.first_frame = first_frame;
	request->transfer.interval_ns = interval_ns(request->pipe);
	return DX_USB_OK;
}

/* `data`, `length` and so on have become part of the request here. */
static int32_t submit_async_locked(struct dx_usb_device *device, struct dx_usb_pipe *pipe,
				   const struct dx_usb_transfer *wanted,
				   struct dx_usb_iso_frame *frames, dx_usb_complete_fn complete,
				   void *ctx) DX_REQUIRES(device->lock)
{
	int32_t status = DX_USB_OK;
	struct dx_usb_request *request = dx_usb_request_get_locked(device, pipe, &status);

	if (request == NULL) {
		return status;
	}
	request->complete = complete;
	request->ctx = ctx;
	status = prepare(request, wanted->data, wanted->length, frames, wanted->nr_packets,
			 wanted->first_frame);
	if (status == DX_USB_OK) {
		status = dx_usb_request_start_locked(device, request, 0);
	}
	if (status != DX_USB_OK) {
		dx_usb_request_put_locked(device, request);
	}
	return status;
}

static int32_t submit_sync_locked(struct dx_usb_device *device, struct dx_usb_pipe *pipe,
				  const struct dx_usb_transfer *wanted,
				  struct dx_usb_iso_frame *frames) DX_REQUIRES(device->lock)
{
	struct dx_usb_request request;
	int32_t status = DX_USB_OK;

	dx_usb_request_init_sync(&request, pipe);
	status = prepare(&request, wanted->data, wanted->length, frames, wanted->nr_packets,
			 wanted->first_frame);
	if (status == DX_USB_OK) {
		status = dx_usb_request_start_locked(device, &request, 0);
	}
	if (status == DX_USB_OK) {
		dx_usb_wait_request_locked(device, &request);
		status = request.transfer.status;
	}
	free(request.packets);
	return status;
}

int32_t dx_usb_pipe_submit_iso(struct dx_usb_pipe *pipe, void *data, uint32_t length,
			       struct dx_usb_iso_frame *frames, uint32_t nr_frames,
			       uint64_t first_frame, dx_usb_complete_fn complete, void *ctx)
{
	struct dx_usb_device *device = pipe->device;
	struct dx_usb_transfer wanted = {
		.data = data,
		.length = length,
		.nr_packets = nr_frames,
		.first_frame = first_frame,
	};
	int32_t status = DX_USB_OK;

	if (frames == NULL || nr_frames == 0 || nr_frames > DX_USB_MAX_ISO_FRAMES ||
	    (data == NULL && length != 0) || pipe->type != DX_USB_ISOCHRONOUS) {
		return DX_USB_BAD_ARGUMENT;
	}
	dx_mutex_lock(&device->lock);
	status = dx_usb_pipe_admit_locked(device, pipe);
	if (status == DX_USB_OK && complete != NULL) {
		status = submit_async_locked(device, pipe, &wanted, frames, complete, ctx);
	} else if (status == DX_USB_OK) {
		status = submit_sync_locked(device, pipe, &wanted, frames);
	}
	dx_mutex_unlock(&device->lock);
	return status;
}
