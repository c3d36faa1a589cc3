/* SPDX-License-Identifier: MIT
 *
 * request - the life of one request: taken, started, timed, cancelled, completed in order.
 *
 * Place:      usb, under pipe and control; invariants in private.h.
 * Threads:    under the device's lock.
 */
#include "usb/private.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/limits.h"

/* No answer, or none that made sense, or a host controller that will not ask any more: what a device
 * that is being pulled out does, until its hub says that it has gone. Nobody can tell the one from
 * the other. */
static int32_t for_drivers(int32_t status)
{
	return status == DX_USB_IO_ERROR ? DX_USB_NOT_RESPONDING : status;
}

int32_t dx_usb_status_from_errno(int negative_errno)
{
	switch (-negative_errno) {
	case 0:
		return DX_USB_OK;
	case ENODEV:
		return DX_USB_NO_DEVICE;
	case ENOENT:
		return DX_USB_NOT_FOUND;
	case ENOMEM:
		return DX_USB_NO_MEMORY;
	case EINVAL:
		return DX_USB_BAD_ARGUMENT;
	case EBUSY:
		return DX_USB_EXCLUSIVE;
	case ENOSPC:
		return DX_USB_NO_BANDWIDTH;
	case ESTALE:
		return DX_USB_ISO_TOO_OLD;
	case ERANGE:
		return DX_USB_ISO_TOO_NEW;
	case EOPNOTSUPP:
		return DX_USB_UNSUPPORTED;
	default:
		return DX_USB_IO_ERROR;
	}
}

void dx_usb_pipe_setup(struct dx_usb_pipe *pipe, struct dx_usb_device *device, uint8_t address,
		       uint8_t type, uint16_t max_packet)
{
	pipe->device = device;
	pipe->address = address;
	pipe->type = type;
	pipe->max_packet = max_packet;
	pipe->ordered = type != DX_USB_CONTROL;
	dx_list_init(&pipe->link);
	dx_list_init(&pipe->pending);
	dx_list_init(&pipe->free);
}

void dx_usb_pipe_free_requests(struct dx_usb_pipe *pipe)
{
	while (!dx_list_is_empty(&pipe->free)) {
		struct dx_list *node = dx_list_pop_front(&pipe->free);
		struct dx_usb_request *request = dx_list_entry(node, struct dx_usb_request, link);

		free(request->packets);
		free(request);
	}
}

static struct dx_usb_request *request_new(struct dx_usb_pipe *pipe)
{
	struct dx_usb_request *request = calloc(1, sizeof(*request));

	if (request == NULL) {
		return NULL;
	}
	request->pipe = pipe;
	request->transfer.type = pipe->type;
	request->transfer.endpoint = pipe->address;
	dx_list_init(&request->transfer.link);
	dx_list_init(&request->link);
	dx_list_init(&request->timer);
	return request;
}

struct dx_usb_request *dx_usb_request_get_locked(struct dx_usb_device *device,
						 struct dx_usb_pipe *pipe, int32_t *ret_status)
{
	struct dx_list *node = NULL;
	struct dx_usb_request *request = NULL;

	if (pipe->nr_pending >= DX_MAX_TRANSFERS_PER_PIPE) {
		*ret_status = DX_USB_NO_RESOURCES;
		return NULL;
	}
	node = dx_list_pop_front(&pipe->free);
	if (node != NULL) {
		request = dx_list_entry(node, struct dx_usb_request, link);
	} else {
		request = request_new(pipe);
		if (request == NULL) {
			*ret_status = DX_USB_NO_MEMORY;
			return NULL;
		}
		device->counters.request_allocations++;
	}
	pipe->nr_out++;
	request->awaited = false;
	request->kind = DX_USB_REQUEST_ASYNC;
	request->transfer.cancelled = false;
	request->transfer.actual = 0;
	request->transfer.backend_words[0] = 0;
	request->transfer.backend_words[1] = 0;
	request->transfer.backend_words[2] = 0;
	request->transfer.backend_words[3] = 0;
	return request;
}

void dx_usb_request_put_locked(struct dx_usb_device *device, struct dx_usb_request *request)
{
	(void)device;
	request->state = DX_USB_REQUEST_FREE;
	request->pipe->nr_out--;
	dx_list_push_front(&request->pipe->free, &request->link);
}

void dx_usb_request_init_sync(struct dx_usb_request *request, struct dx_usb_pipe *pipe)
{
	*request = (struct dx_usb_request){
		.transfer = {.type = pipe->type, .endpoint = pipe->address},
		.pipe = pipe,
		.kind = DX_USB_REQUEST_SYNC,
	};
	dx_list_init(&request->transfer.link);
	dx_list_init(&request->link);
	dx_list_init(&request->timer);
}

/* Most timeouts on a device are alike, so the right place is mostly the end. */
static void timer_arm_locked(struct dx_usb_device *device, struct dx_usb_request *request,
			     uint32_t timeout_ms) DX_REQUIRES(device->lock)
{
	struct dx_list *after = device->timers.prev;

	request->deadline_ns = dx_clock_now_ns() + (uint64_t)timeout_ms * 1000000u;
	while (after != &device->timers &&
	       dx_list_entry(after, struct dx_usb_request, timer)->deadline_ns >
		       request->deadline_ns) {
		after = after->prev;
	}
	dx_list_insert_(&request->timer, after, after->next);
}

void dx_usb_request_track_locked(struct dx_usb_device *device, struct dx_usb_request *request,
				 uint32_t timeout_ms)
{
	struct dx_usb_pipe *pipe = request->pipe;

	request->state = DX_USB_REQUEST_QUEUED;
	dx_list_push_back(&pipe->pending, &request->link);
	pipe->nr_pending++;
	device->nr_queued++;
	device->counters.submitted++;
	if (timeout_ms != 0) {
		timer_arm_locked(device, request, timeout_ms);
	}
}

void dx_usb_request_untrack_locked(struct dx_usb_device *device, struct dx_usb_request *request)
{
	dx_list_remove(&request->link);
	dx_list_remove(&request->timer);
	request->pipe->nr_pending--;
	device->nr_queued--;
	device->counters.submitted--;
	request->state = DX_USB_REQUEST_FREE;
}

int32_t dx_usb_request_start_locked(struct dx_usb_device *device, struct dx_usb_request *request,
				    uint32_t timeout_ms)
{
	int result = 0;

	dx_usb_request_track_locked(device, request, timeout_ms);
	if (device->tap != NULL) {
		device->tap->submitted(device->tap, device->info, &request->transfer);
	}
	result = device->ops->submit(device->backend, &request->transfer);
	if (result < 0) {
		if (device->tap != NULL) {
			device->tap->refused(device->tap, device->info, &request->transfer, result);
		}
		dx_usb_request_untrack_locked(device, request);
		return for_drivers(dx_usb_status_from_errno(result));
	}
	return DX_USB_OK;
}

void dx_usb_request_cancel_locked(struct dx_usb_device *device, struct dx_usb_request *request,
				  int32_t status)
{
	if (request->state != DX_USB_REQUEST_QUEUED || request->transfer.cancelled) {
		return;
	}
	dx_list_remove(&request->timer);
	request->transfer.cancelled = true;
	request->cancel_status = status;
	device->ops->cancel(device->backend, &request->transfer);
}

/* What the caller will be told; decides about halting (P1). The tap has seen what was on the bus. */
static void settle_locked(struct dx_usb_device *device, struct dx_usb_request *request)
	DX_REQUIRES(device->lock)
{
	struct dx_usb_transfer *transfer = &request->transfer;
	struct dx_usb_pipe *pipe = request->pipe;
	bool is_in = (pipe->type == DX_USB_CONTROL ? transfer->setup[0] : pipe->address) & 0x80;

	if (transfer->actual > transfer->length) { /* B-trust: a backend clamps; never hand it on */
		transfer->actual = transfer->length;
	}
	transfer->status = for_drivers(transfer->status);
	if (transfer->cancelled && transfer->status == DX_USB_ABORTED) {
		transfer->status = request->cancel_status;
	} else if (transfer->status != DX_USB_OK && transfer->status != DX_USB_ABORTED &&
		   (pipe->type == DX_USB_BULK || pipe->type == DX_USB_INTERRUPT)) {
		pipe->halted = true;
	}
	device->counters.completed++;
	device->counters.failed += transfer->status != DX_USB_OK;
	*(is_in ? &device->counters.bytes_in : &device->counters.bytes_out) += transfer->actual;
}

/* Takes an ended request out of its pipe, towards its callback or its waiting caller. */
static void hand_on_locked(struct dx_usb_device *device, struct dx_usb_request *request)
	DX_REQUIRES(device->lock)
{
	dx_list_remove(&request->link);
	device->nr_queued--;
	request->state = DX_USB_REQUEST_DONE;
	if (request->kind == DX_USB_REQUEST_SYNC) {
		request->pipe->nr_pending--;
		dx_usb_wake_locked(device);
	} else {
		dx_list_push_back(&device->done, &request->link);
	}
}

/* The analysis cannot see that the backend calls this under the lock (B1). */
DX_NO_THREAD_SAFETY
void dx_usb_request_completed(void *device_pointer, struct dx_usb_transfer *transfer)
{
	struct dx_usb_device *device = device_pointer;
	struct dx_usb_request *request = dx_container_of(transfer, struct dx_usb_request, transfer);
	struct dx_usb_pipe *pipe = request->pipe;

	assert(request->state == DX_USB_REQUEST_QUEUED);
	if (request->timer.next != &request->timer) {
		dx_list_remove(&request->timer);
	}
	request->state = DX_USB_REQUEST_ENDED;
	if (device->tap != NULL && !request->is_silent) {
		device->tap->completed(device->tap, device->info, transfer);
	}
	settle_locked(device, request);
	if (!pipe->ordered) {
		hand_on_locked(device, request);
		return;
	}
	if (request->kind == DX_USB_REQUEST_SYNC) { /* its caller sees no order; do not keep it */
		hand_on_locked(device, request);
	}
	while (!dx_list_is_empty(&pipe->pending)) {
		request = dx_list_entry(pipe->pending.next, struct dx_usb_request, link);
		if (request->state != DX_USB_REQUEST_ENDED) {
			break;
		}
		hand_on_locked(device, request);
	}
}
