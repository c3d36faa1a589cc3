/* SPDX-License-Identifier: MIT
 *
 * pipe - submitting, aborting, clearing a halt; what a pipe knows about its endpoint.
 *
 * Place:      usb; isochronous and bundled transfers are in iso.c and bundle.c.
 * Threads:    any.
 */
#include "usb/pipe.h"

#include <stdlib.h>
#include <string.h>

#include "usb/descriptor.h"
#include "usb/private.h"

/* ---- life ---- */

static void read_descriptors(struct dx_usb_pipe *pipe, const struct dx_usb_interface *interface,
			     size_t at)
{
	const uint8_t *block = interface->configuration;
	size_t total = interface->configuration_length;
	size_t next = dx_usb_desc_next(block, total, at);

	pipe->original.bcdUSB = dx_usb_get16(dx_usb_device_descriptor(interface->device) + 2);
	memcpy(pipe->original.endpoint, block + at, sizeof(pipe->original.endpoint));
	if (next != 0 && block[next + 1] == DX_USB_DESC_SS_COMPANION && block[next] >= 6) {
		memcpy(pipe->original.ss_companion, block + next, 6);
		next = dx_usb_desc_next(block, total, next);
		if (next != 0 && block[next + 1] == DX_USB_DESC_SSP_ISO_COMPANION &&
		    block[next] >= 8) {
			memcpy(pipe->original.ssp_companion, block + next, 8);
		}
	}
	pipe->current = pipe->original;
}

int32_t dx_usb_pipe_new_locked(struct dx_usb_device *device, struct dx_usb_interface *interface,
			       uint8_t address, struct dx_usb_pipe **ret_pipe)
{
	const uint8_t *block = interface->configuration;
	size_t total = interface->configuration_length;
	size_t at = dx_usb_desc_find_interface(block, total, interface->number,
					       interface->alternate);
	struct dx_usb_pipe *pipe = NULL;

	at = at == 0 ? 0 : dx_usb_desc_find_endpoint(block, total, at, address);
	if (at == 0 || (block[at + 3] & 3) == DX_USB_CONTROL) {
		return DX_USB_NOT_FOUND;
	}
	pipe = calloc(1, sizeof(*pipe));
	if (pipe == NULL) {
		return DX_USB_NO_MEMORY;
	}
	dx_usb_pipe_setup(pipe, device, address, block[at + 3] & 3,
			  dx_usb_get16(block + at + 4) & 0x7FF);
	read_descriptors(pipe, interface, at);
	pipe->interface = interface;
	interface->handles++;
	dx_list_push_back(&device->pipes, &pipe->link);
	*ret_pipe = pipe;
	return DX_USB_OK;
}

void dx_usb_pipes_close_locked(struct dx_usb_device *device,
			       const struct dx_usb_interface *interface)
{
	dx_list_for_each(node, &device->pipes)
	{
		struct dx_usb_pipe *pipe = dx_list_entry(node, struct dx_usb_pipe, link);

		if (pipe->interface == interface) {
			pipe->closed = true;
			device->pipes_closed = true;
		}
	}
}

static void pipe_free_locked(struct dx_usb_device *device, struct dx_usb_pipe *pipe)
	DX_REQUIRES(device->lock)
{
	dx_list_remove(&pipe->link);
	dx_usb_pipe_free_requests(pipe);
	dx_usb_interface_put_locked(device, pipe->interface);
	free(pipe->ring);
	free(pipe);
}

void dx_usb_pipes_reap_locked(struct dx_usb_device *device)
{
	bool left = false;

	dx_list_for_each_safe(node, &device->pipes)
	{
		struct dx_usb_pipe *pipe = dx_list_entry(node, struct dx_usb_pipe, link);

		if (!pipe->closed) {
			continue;
		}
		if (pipe->handles == 0 && pipe->nr_out == 0 && dx_list_is_empty(&pipe->pending)) {
			pipe_free_locked(device, pipe);
		} else {
			left = true;
		}
	}
	device->pipes_closed = left;
}

struct dx_usb_pipe *dx_usb_pipe_ref(struct dx_usb_pipe *pipe)
{
	if (pipe != NULL) {
		struct dx_usb_device *device = dx_usb_device_ref(pipe->device);

		dx_mutex_lock(&device->lock);
		pipe->handles++;
		dx_mutex_unlock(&device->lock);
	}
	return pipe;
}

struct dx_usb_pipe *dx_usb_pipe_unref(struct dx_usb_pipe *pipe)
{
	if (pipe != NULL) {
		struct dx_usb_device *device = pipe->device;

		dx_mutex_lock(&device->lock);
		pipe->handles--;
		if (pipe->closed) {
			dx_usb_pipes_reap_locked(device);
		}
		dx_mutex_unlock(&device->lock);
		(void)dx_usb_device_unref(device);
	}
	return NULL;
}

struct dx_usb_device *dx_usb_pipe_device(const struct dx_usb_pipe *pipe)
{
	return pipe->device;
}

uint8_t dx_usb_pipe_address(const struct dx_usb_pipe *pipe)
{
	return pipe->address;
}

uint8_t dx_usb_pipe_type(const struct dx_usb_pipe *pipe)
{
	return pipe->type;
}

uint16_t dx_usb_pipe_max_packet(const struct dx_usb_pipe *pipe)
{
	return pipe->max_packet;
}

bool dx_usb_pipe_is_halted(struct dx_usb_pipe *pipe)
{
	struct dx_usb_device *device = pipe->device;
	bool halted = false;

	dx_mutex_lock(&device->lock);
	halted = pipe->halted;
	dx_mutex_unlock(&device->lock);
	return halted;
}

uint32_t dx_usb_pipe_nr_pending(struct dx_usb_pipe *pipe)
{
	struct dx_usb_device *device = pipe->device;
	uint32_t nr_pending = 0;

	dx_mutex_lock(&device->lock);
	nr_pending = pipe->nr_pending;
	dx_mutex_unlock(&device->lock);
	return nr_pending;
}

/* ---- submitting ---- */

static bool has_no_aborters(struct dx_usb_device *device, void *argument)
{
	const struct dx_usb_pipe *pipe = argument;

	(void)device;
	return pipe->nr_aborters == 0;
}

static int32_t usable_locked(struct dx_usb_device *device, const struct dx_usb_pipe *pipe)
	DX_REQUIRES(device->lock)
{
	if (device->gone) {
		return DX_USB_NO_DEVICE;
	}
	return pipe->closed ? DX_USB_NOT_OPEN : DX_USB_OK;
}

int32_t dx_usb_pipe_admit_locked(struct dx_usb_device *device, struct dx_usb_pipe *pipe)
{
	int32_t status = DX_USB_OK;

	if (pipe->nr_aborters != 0 && !dx_usb_in_callback_locked(device)) {
		dx_usb_wait_locked(device, has_no_aborters, pipe);
	}
	status = usable_locked(device, pipe);
	if (status == DX_USB_OK && pipe->halted) {
		status = DX_USB_STALLED;
	}
	return status;
}

static int32_t submit_locked(struct dx_usb_device *device, struct dx_usb_pipe *pipe, void *data,
			     uint32_t length, uint32_t timeout_ms, dx_usb_complete_fn complete,
			     void *ctx) DX_REQUIRES(device->lock)
{
	struct dx_usb_request *request = NULL;
	int32_t status = dx_usb_pipe_admit_locked(device, pipe);

	if (status != DX_USB_OK) {
		return status;
	}
	request = dx_usb_request_get_locked(device, pipe, &status);
	if (request == NULL) {
		return status;
	}
	request->transfer.data = data;
	request->transfer.length = length;
	request->complete = complete;
	request->ctx = ctx;
	status = dx_usb_request_start_locked(device, request, timeout_ms);
	if (status != DX_USB_OK) {
		dx_usb_request_put_locked(device, request);
	}
	return status;
}

static bool arguments_are_good(const struct dx_usb_pipe *pipe, const void *data, uint32_t length,
			       uint32_t timeout_ms)
{
	return (data != NULL || length == 0) && pipe->type != DX_USB_ISOCHRONOUS &&
	       (timeout_ms == 0 || pipe->type != DX_USB_INTERRUPT);
}

int32_t dx_usb_pipe_submit(struct dx_usb_pipe *pipe, void *data, uint32_t length,
			   uint32_t timeout_ms, dx_usb_complete_fn complete, void *ctx)
{
	struct dx_usb_device *device = pipe->device;
	int32_t status = DX_USB_OK;

	if (complete == NULL || !arguments_are_good(pipe, data, length, timeout_ms)) {
		return DX_USB_BAD_ARGUMENT;
	}
	dx_mutex_lock(&device->lock);
	status = submit_locked(device, pipe, data, length, timeout_ms, complete, ctx);
	dx_mutex_unlock(&device->lock);
	return status;
}

static int32_t io_locked(struct dx_usb_device *device, struct dx_usb_pipe *pipe, void *data,
			 uint32_t length, uint32_t timeout_ms, uint32_t *ret_actual)
	DX_REQUIRES(device->lock)
{
	struct dx_usb_request request;
	int32_t status = dx_usb_pipe_admit_locked(device, pipe);

	if (status != DX_USB_OK) {
		return status;
	}
	dx_usb_request_init_sync(&request, pipe);
	request.transfer.data = data;
	request.transfer.length = length;
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

int32_t dx_usb_pipe_io(struct dx_usb_pipe *pipe, void *data, uint32_t length, uint32_t timeout_ms,
		       uint32_t *ret_actual)
{
	struct dx_usb_device *device = pipe->device;
	int32_t status = DX_USB_OK;

	if (!arguments_are_good(pipe, data, length, timeout_ms)) {
		return DX_USB_BAD_ARGUMENT;
	}
	dx_mutex_lock(&device->lock);
	status = io_locked(device, pipe, data, length, timeout_ms, ret_actual);
	dx_mutex_unlock(&device->lock);
	return status;
}

/* ---- abort, clear ---- */

static void abort_and_wait_locked(struct dx_usb_device *device, struct dx_usb_pipe *pipe,
				  int32_t with_error) DX_REQUIRES(device->lock)
{
	struct dx_usb_selection selection = {.pipe = pipe};

	pipe->nr_aborters++;
	dx_usb_cancel_locked(device, &selection, with_error);
	dx_usb_quiesce_locked(device, &selection);
	pipe->nr_aborters--;
	dx_usb_wake_locked(device);
}

int32_t dx_usb_pipe_abort(struct dx_usb_pipe *pipe, bool synchronous, int32_t with_error)
{
	struct dx_usb_device *device = pipe->device;
	struct dx_usb_selection selection = {.pipe = pipe};
	int32_t status = DX_USB_OK;

	if (with_error == DX_USB_OK) {
		return DX_USB_BAD_ARGUMENT;
	}
	dx_mutex_lock(&device->lock);
	status = usable_locked(device, pipe);
	if (status == DX_USB_OK && synchronous) {
		abort_and_wait_locked(device, pipe, with_error);
	} else if (status == DX_USB_OK) {
		dx_usb_cancel_locked(device, &selection, with_error);
	}
	dx_mutex_unlock(&device->lock);
	return status;
}

static int start_clear_halt(struct dx_usb_device *device, unsigned address, unsigned with_request,
			    struct dx_usb_transfer *done)
{
	return device->ops->clear_halt(device->backend, (uint8_t)address, with_request != 0, done);
}

static int32_t clear_locked(struct dx_usb_device *device, struct dx_usb_pipe *pipe,
			    bool with_request) DX_REQUIRES(device->lock)
{
	const struct dx_usb_setup setup = {
		.bmRequestType = 0x02, /* to an endpoint; wValue 0: ENDPOINT_HALT */
		.bRequest = DX_USB_CLEAR_FEATURE,
		.wIndex = pipe->address,
	};
	int32_t status = DX_USB_OK;

	abort_and_wait_locked(device, pipe, DX_USB_ABORTED);
	status = usable_locked(device, pipe);
	if (status != DX_USB_OK) {
		return status;
	}
	pipe->nr_aborters++; /* other threads' requests wait for the answer */
	status = dx_usb_operation_locked(device, start_clear_halt, pipe->address, with_request,
					 with_request ? &setup : NULL);
	pipe->nr_aborters--;
	if (status == DX_USB_OK) {
		pipe->halted = false;
	}
	dx_usb_wake_locked(device);
	return status;
}

int32_t dx_usb_pipe_clear_stall(struct dx_usb_pipe *pipe, bool with_request)
{
	struct dx_usb_device *device = pipe->device;
	int32_t status = DX_USB_OK;

	dx_mutex_lock(&device->lock);
	status = usable_locked(device, pipe);
	if (status == DX_USB_OK) {
		status = clear_locked(device, pipe, with_request);
	}
	dx_mutex_unlock(&device->lock);
	return status;
}

/* ---- policies and descriptors ---- */

int32_t dx_usb_pipe_set_idle_policy(struct dx_usb_pipe *pipe, uint32_t timeout_ms)
{
	struct dx_usb_device *device = pipe->device;
	int32_t status = DX_USB_OK;

	if (pipe->type == DX_USB_ISOCHRONOUS) {
		return DX_USB_UNSUPPORTED;
	}
	dx_mutex_lock(&device->lock);
	status = usable_locked(device, pipe);
	if (status == DX_USB_OK) {
		pipe->idle_timeout_ms = timeout_ms;
	}
	dx_mutex_unlock(&device->lock);
	return status;
}

int32_t dx_usb_pipe_idle_policy(struct dx_usb_pipe *pipe, uint32_t *ret_timeout_ms)
{
	struct dx_usb_device *device = pipe->device;
	int32_t status = DX_USB_OK;

	if (ret_timeout_ms == NULL) {
		return DX_USB_BAD_ARGUMENT;
	}
	if (pipe->type == DX_USB_ISOCHRONOUS) {
		return DX_USB_UNSUPPORTED;
	}
	dx_mutex_lock(&device->lock);
	status = usable_locked(device, pipe);
	if (status == DX_USB_OK) {
		*ret_timeout_ms = pipe->idle_timeout_ms;
	}
	dx_mutex_unlock(&device->lock);
	return status;
}

/* Bytes per service interval, as far as the endpoint descriptor itself says. */
static uint32_t bandwidth(const uint8_t *endpoint)
{
	uint16_t size = dx_usb_get16(endpoint + 4);

	return (uint32_t)(size & 0x7FF) * (1u + (size >> 11 & 3u));
}

static bool is_less_of_the_same(const struct dx_usb_pipe *pipe,
				const struct dx_usb_endpoint_descriptors *wanted)
{
	const uint8_t *original = pipe->original.endpoint;
	uint16_t bcd = wanted->bcdUSB;

	return (bcd == 0x0110 || bcd == 0x0200 || bcd == 0x0300 || bcd == 0x0310) &&
	       wanted->endpoint[0] == original[0] && wanted->endpoint[1] == original[1] &&
	       wanted->endpoint[2] == original[2] &&
	       ((wanted->endpoint[3] ^ original[3]) & 3) == 0 &&
	       bandwidth(wanted->endpoint) <= bandwidth(original) &&
	       wanted->ss_companion[2] <= pipe->original.ss_companion[2] &&
	       dx_usb_get16(wanted->ss_companion + 4) <=
		       dx_usb_get16(pipe->original.ss_companion + 4);
}

int32_t dx_usb_pipe_adjust(struct dx_usb_pipe *pipe,
			   const struct dx_usb_endpoint_descriptors *descriptors)
{
	struct dx_usb_device *device = pipe->device;
	struct dx_usb_endpoint_descriptors wanted = {0};
	int32_t status = DX_USB_OK;

	if (descriptors == NULL) {
		return DX_USB_BAD_ARGUMENT;
	}
	if (pipe->type == DX_USB_BULK) {
		return DX_USB_UNSUPPORTED;
	}
	wanted = *descriptors;
	if (!is_less_of_the_same(pipe, &wanted)) {
		return DX_USB_BAD_ARGUMENT;
	}
	dx_mutex_lock(&device->lock);
	status = usable_locked(device, pipe);
	if (status == DX_USB_OK) {
		pipe->current = wanted;
	}
	dx_mutex_unlock(&device->lock);
	return status;
}

int32_t dx_usb_pipe_descriptors(struct dx_usb_pipe *pipe, bool original,
				struct dx_usb_endpoint_descriptors *ret_descriptors)
{
	struct dx_usb_device *device = pipe->device;

	if (ret_descriptors == NULL) {
		return DX_USB_BAD_ARGUMENT;
	}
	dx_mutex_lock(&device->lock);
	*ret_descriptors = original ? pipe->original : pipe->current;
	dx_mutex_unlock(&device->lock);
	return DX_USB_OK;
}
