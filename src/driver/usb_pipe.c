/* SPDX-License-Identifier: MIT
 *
 * usb_pipe - see usb_pipe.h: the object, its requests, transfers.
 */
#include "driver/usb_pipe.h"

#include <stdlib.h>
#include <string.h>

#include "memory/memory.h"

_Static_assert(sizeof(IOUSBStandardEndpointDescriptors) ==
		       sizeof(struct dx_usb_endpoint_descriptors),
	       "one layout");
_Static_assert(sizeof(IOUSBIsochronousFrame) == sizeof(struct dx_usb_iso_frame), "one layout");

/* ---- the object ---- */

static void pipe_free(struct dx_object *object)
{
	struct dx_usb_pipe_object *pipe = (struct dx_usb_pipe_object *)object;

	for (struct dx_list *node = dx_list_pop_front(&pipe->unused); node != NULL;
	     node = dx_list_pop_front(&pipe->unused)) {
		struct dx_item *item = dx_list_entry(node, struct dx_item, link);
		free(dx_container_of(item, struct dx_pipe_request, item));
	}
	(void)dx_usb_pipe_unref(pipe->pipe);
	for (uint32_t i = 0; i < pipe->ring_size; i++) {
		OSRelease(pipe->ring[i]);
	}
	free(pipe->ring);
	dx_mutex_fini(&pipe->lock);
}

const struct dx_class dx_usb_pipe_class = {
	.name = "IOUSBHostPipe",
	.instance_size = sizeof(struct dx_usb_pipe_object),
	.free = pipe_free,
};

const OSDriverClass IOUSBHostPipeClass = {
	.name = "IOUSBHostPipe", .super = &OSObjectClass, .reserved = {&dx_usb_pipe_class}};

struct dx_usb_pipe_object *dx_usb_pipe_of(const IOUSBHostPipe *pipe)
{
	return dx_object_is_kind(pipe, &dx_usb_pipe_class)
		       ? (struct dx_usb_pipe_object *)(uintptr_t)pipe
		       : NULL;
}

static struct dx_usb_pipe_object *new_object(struct dx_usb_provider *provider,
					     struct dx_usb_pipe *pipe)
{
	struct dx_usb_pipe_object *made = dx_object_new(&dx_usb_pipe_class);

	if (made != NULL) {
		dx_mutex_init(&made->lock);
		dx_list_init(&made->unused);
		made->runtime = provider->service.runtime;
		made->pipe = pipe;
	}
	return made;
}

struct dx_usb_pipe_object *dx_usb_pipe_object_get(struct dx_usb_provider *provider,
						  struct dx_usb_pipe *pipe)
{
	struct dx_usb_pipe_object *found = NULL;

	dx_mutex_lock(&provider->usb_lock);
	dx_list_for_each(node, &provider->pipes) {
		struct dx_usb_pipe_object *object =
			dx_list_entry(node, struct dx_usb_pipe_object, link);
		if (object->pipe == pipe) {
			found = dx_object_ref(object);
			break;
		}
	}
	if (found == NULL) {
		found = new_object(provider, pipe);
		if (found != NULL) {
			pipe = NULL;
			dx_list_push_back(&provider->pipes, &found->link);
			(void)dx_object_ref(found); /* the list's */
		}
	}
	dx_mutex_unlock(&provider->usb_lock);
	(void)dx_usb_pipe_unref(pipe);
	return found;
}

void dx_usb_provider_drop_pipes(struct dx_usb_provider *provider)
{
	struct dx_list dropped = DX_LIST_INIT(dropped);

	dx_mutex_lock(&provider->usb_lock);
	dx_list_splice_back(&dropped, &provider->pipes);
	dx_mutex_unlock(&provider->usb_lock);
	for (struct dx_list *node = dx_list_pop_front(&dropped); node != NULL;
	     node = dx_list_pop_front(&dropped)) {
		(void)dx_object_unref(dx_list_entry(node, struct dx_usb_pipe_object, link));
	}
}

/* ---- requests ---- */

struct dx_pipe_request *dx_pipe_request_new(struct dx_usb_pipe_object *pipe,
					    struct dx_action *action, IOMemoryDescriptor *memory,
					    IOMemoryDescriptor *frames,
					    void (*run)(struct dx_item *item, bool cancelled))
{
	struct dx_pipe_request *request = NULL;

	dx_mutex_lock(&pipe->lock);
	struct dx_list *node = dx_list_pop_front(&pipe->unused);
	if (node != NULL) {
		pipe->nr_unused--;
	}
	dx_mutex_unlock(&pipe->lock);
	if (node != NULL) {
		struct dx_item *item = dx_list_entry(node, struct dx_item, link);
		request = dx_container_of(item, struct dx_pipe_request, item);
	} else {
		request = calloc(1, sizeof(*request));
	}
	if (request == NULL) {
		return NULL;
	}
	request->item.run = run;
	request->pipe = dx_object_ref(pipe);
	request->action = action;
	request->memory = OSRetain(memory);
	request->frames = OSRetain(frames);
	dx_action_use(action);
	return request;
}

void dx_pipe_request_free(struct dx_pipe_request *request)
{
	struct dx_usb_pipe_object *pipe = request->pipe;

	dx_action_unuse(request->action);
	OSRelease(request->memory);
	OSRelease(request->frames);
	dx_mutex_lock(&pipe->lock);
	bool keep = pipe->nr_unused < DX_PIPE_KEPT_REQUESTS;
	if (keep) {
		pipe->nr_unused++;
		dx_list_push_front(&pipe->unused, &request->item.link);
	}
	dx_mutex_unlock(&pipe->lock);
	if (!keep) {
		free(request);
	}
	(void)dx_object_unref(pipe);
}

void dx_pipe_request_complete(void *context, int32_t status, uint32_t actual,
			      uint64_t timestamp_ns)
{
	struct dx_pipe_request *request = context;

	request->status = status;
	request->actual = actual;
	request->timestamp_ns = timestamp_ns;
	dx_action_fire(request->action, &request->item);
}

/* ---- actions ---- */

kern_return_t
IOUSBHostPipeCreateActionCompleteAsyncIO(OSObject *target,
					 IOUSBHostPipeCompleteAsyncIOHandler handler,
					 size_t referenceSize, OSAction **action)
{
	return dx_action_new(DX_ACTION_ASYNC_IO, target, (void (*)(void))handler, referenceSize,
			     action);
}

kern_return_t
IOUSBHostPipeCreateActionCompleteAsyncIsochIO(OSObject *target,
					      IOUSBHostPipeCompleteAsyncIsochIOHandler handler,
					      size_t referenceSize, OSAction **action)
{
	return dx_action_new(DX_ACTION_ISOCH_IO, target, (void (*)(void))handler, referenceSize,
			     action);
}

/* ---- transfers ---- */

static void async_run(struct dx_item *item, bool cancelled)
{
	struct dx_pipe_request *request = dx_container_of(item, struct dx_pipe_request, item);
	struct dx_service_entry entry;
	struct dx_service *target =
		dx_action_begin(request->action, cancelled, &entry, "CompleteAsyncIO");

	if (target != NULL) {
		((IOUSBHostPipeCompleteAsyncIOHandler)request->action->handler)(
			OS_OBJECT(target), (OSAction *)request->action, request->status,
			request->actual, request->timestamp_ns);
		dx_action_end(target, &entry);
	}
	dx_pipe_request_free(request);
}

kern_return_t IOUSBHostPipeAsyncIO(IOUSBHostPipe *pipe, IOMemoryDescriptor *dataBuffer,
				   uint32_t dataBufferLength, OSAction *completion,
				   uint32_t completionTimeoutMs)
{
	struct dx_usb_pipe_object *core = dx_usb_pipe_of(pipe);
	struct dx_action *action = dx_action_of(completion, DX_ACTION_ASYNC_IO);
	void *data = NULL;

	if (core == NULL || action == NULL ||
	    dx_usb_buffer_address(dataBuffer, dataBufferLength, &data) != kIOReturnSuccess) {
		return kIOReturnBadArgument;
	}
	struct dx_pipe_request *request =
		dx_pipe_request_new(core, action, dataBuffer, NULL, async_run);
	if (request == NULL) {
		return kIOReturnNoMemory;
	}
	int32_t status = dx_usb_pipe_submit(core->pipe, data, dataBufferLength,
					    completionTimeoutMs, dx_pipe_request_complete, request);
	if (status != DX_USB_OK) {
		dx_pipe_request_free(request);
		return status;
	}
	dx_usb_submitted(core->runtime);
	return kIOReturnSuccess;
}

kern_return_t IOUSBHostPipeIO(IOUSBHostPipe *pipe, IOMemoryDescriptor *dataBuffer,
			      uint32_t dataBufferLength, uint32_t *bytesTransferred,
			      uint32_t completionTimeoutMs)
{
	struct dx_usb_pipe_object *core = dx_usb_pipe_of(pipe);
	struct dx_usb_wait wait;
	uint32_t actual = 0;
	void *data = NULL;

	if (core == NULL ||
	    dx_usb_buffer_address(dataBuffer, dataBufferLength, &data) != kIOReturnSuccess) {
		return kIOReturnBadArgument;
	}
	dx_usb_wait_init(&wait);
	int32_t status = dx_usb_pipe_submit(core->pipe, data, dataBufferLength,
					    completionTimeoutMs, dx_usb_wait_complete, &wait);
	status = dx_usb_wait_end(&wait, core->runtime, dx_usb_pipe_device(core->pipe), status,
				 &actual);
	if (bytesTransferred != NULL) {
		*bytesTransferred = actual;
	}
	return status;
}

kern_return_t IOUSBHostPipeAbort(IOUSBHostPipe *pipe, IOOptionBits options,
				 kern_return_t withError, IOService *forClient)
{
	struct dx_usb_pipe_object *core = dx_usb_pipe_of(pipe);
	bool synchronous = options == kIOUSBAbortSynchronous;

	(void)forClient; /* only control endpoints tell clients apart; there is no pipe for them */
	if (core == NULL || (options & ~(IOOptionBits)kIOUSBAbortSynchronous) != 0) {
		return kIOReturnBadArgument;
	}
	if (synchronous) {
		dx_reactor_blocking_begin();
	}
	int32_t status = dx_usb_pipe_abort(core->pipe, synchronous, withError);
	if (synchronous) {
		dx_reactor_blocking_end();
	}
	dx_usb_submitted(core->runtime);
	return status;
}

kern_return_t IOUSBHostPipeClearStall(IOUSBHostPipe *pipe, bool withRequest)
{
	struct dx_usb_pipe_object *core = dx_usb_pipe_of(pipe);

	if (core == NULL) {
		return kIOReturnBadArgument;
	}
	dx_reactor_blocking_begin();
	int32_t status = dx_usb_pipe_clear_stall(core->pipe, withRequest);
	dx_reactor_blocking_end();
	return status;
}

/* ---- isochronous ---- */

static void isoch_run(struct dx_item *item, bool cancelled)
{
	struct dx_pipe_request *request = dx_container_of(item, struct dx_pipe_request, item);
	struct dx_service_entry entry;
	struct dx_service *target =
		dx_action_begin(request->action, cancelled, &entry, "CompleteAsyncIsochIO");

	if (target != NULL) {
		((IOUSBHostPipeCompleteAsyncIsochIOHandler)request->action->handler)(
			OS_OBJECT(target), (OSAction *)request->action, request->status);
		dx_action_end(target, &entry);
	}
	dx_pipe_request_free(request);
}

/* The whole of a buffer, at most 4 GiB. */
static kern_return_t whole_buffer(IOMemoryDescriptor *memory, void **ret_data, uint32_t *ret_length)
{
	uint64_t length = 0;

	if (IOMemoryDescriptorGetLength(memory, &length) != kIOReturnSuccess ||
	    length > UINT32_MAX) {
		return kIOReturnBadArgument;
	}
	*ret_length = (uint32_t)length;
	return dx_usb_buffer_address(memory, (uint32_t)length, ret_data);
}

kern_return_t IOUSBHostPipeIsochIO(IOUSBHostPipe *pipe, IOMemoryDescriptor *dataBuffer,
				   IOMemoryDescriptor *frameList, uint64_t firstFrameNumber,
				   OSAction *completion)
{
	struct dx_usb_pipe_object *core = dx_usb_pipe_of(pipe);
	struct dx_action *action = dx_action_of(completion, DX_ACTION_ISOCH_IO);
	void *data = NULL;
	void *frames = NULL;
	uint32_t length = 0;
	uint32_t frames_length = 0;

	if (core == NULL || (completion != NULL && action == NULL) ||
	    whole_buffer(dataBuffer, &data, &length) != kIOReturnSuccess ||
	    whole_buffer(frameList, &frames, &frames_length) != kIOReturnSuccess) {
		return kIOReturnBadArgument;
	}
	uint32_t nr_frames = frames_length / (uint32_t)sizeof(struct dx_usb_iso_frame);
	if (completion == NULL) {
		struct dx_usb_wait wait;
		dx_usb_wait_init(&wait);
		int32_t status =
			dx_usb_pipe_submit_iso(core->pipe, data, length, frames, nr_frames,
					       firstFrameNumber, dx_usb_wait_complete, &wait);
		return dx_usb_wait_end(&wait, core->runtime, dx_usb_pipe_device(core->pipe),
				       status, NULL);
	}
	struct dx_pipe_request *request =
		dx_pipe_request_new(core, action, dataBuffer, frameList, isoch_run);
	if (request == NULL) {
		return kIOReturnNoMemory;
	}
	int32_t status =
		dx_usb_pipe_submit_iso(core->pipe, data, length, frames, nr_frames,
				       firstFrameNumber, dx_pipe_request_complete, request);
	if (status != DX_USB_OK) {
		dx_pipe_request_free(request);
		return status;
	}
	dx_usb_submitted(core->runtime);
	return kIOReturnSuccess;
}

/* ---- what it is ---- */

kern_return_t IOUSBHostPipeGetSpeed(IOUSBHostPipe *pipe, uint8_t *speed)
{
	struct dx_usb_pipe_object *core = dx_usb_pipe_of(pipe);

	if (core == NULL || speed == NULL) {
		return kIOReturnBadArgument;
	}
	*speed = dx_usb_device_speed(dx_usb_pipe_device(core->pipe));
	return kIOReturnSuccess;
}

kern_return_t IOUSBHostPipeGetDeviceAddress(IOUSBHostPipe *pipe, uint8_t *address)
{
	struct dx_usb_pipe_object *core = dx_usb_pipe_of(pipe);

	if (core == NULL || address == NULL) {
		return kIOReturnBadArgument;
	}
	*address = dx_usb_device_address(dx_usb_pipe_device(core->pipe));
	return kIOReturnSuccess;
}

kern_return_t IOUSBHostPipeGetDescriptors(IOUSBHostPipe *pipe,
					  IOUSBStandardEndpointDescriptors *descriptors,
					  IOUSBGetEndpointDescriptorOptions type)
{
	struct dx_usb_pipe_object *core = dx_usb_pipe_of(pipe);

	if (core == NULL || descriptors == NULL ||
	    (type != kIOUSBGetEndpointDescriptorOriginal &&
	     type != kIOUSBGetEndpointDescriptorCurrentPolicy)) {
		return kIOReturnBadArgument;
	}
	return dx_usb_pipe_descriptors(core->pipe, type == kIOUSBGetEndpointDescriptorOriginal,
				       (struct dx_usb_endpoint_descriptors *)descriptors);
}

kern_return_t IOUSBHostPipeAdjustPipe(IOUSBHostPipe *pipe,
				      const IOUSBStandardEndpointDescriptors *descriptors)
{
	struct dx_usb_pipe_object *core = dx_usb_pipe_of(pipe);

	if (core == NULL || descriptors == NULL) {
		return kIOReturnBadArgument;
	}
	return dx_usb_pipe_adjust(core->pipe,
				  (const struct dx_usb_endpoint_descriptors *)descriptors);
}

kern_return_t IOUSBHostPipeSetIdlePolicy(IOUSBHostPipe *pipe, uint32_t idleTimeoutMs)
{
	struct dx_usb_pipe_object *core = dx_usb_pipe_of(pipe);

	return core == NULL ? kIOReturnBadArgument
			    : dx_usb_pipe_set_idle_policy(core->pipe, idleTimeoutMs);
}

kern_return_t IOUSBHostPipeGetIdlePolicy(IOUSBHostPipe *pipe, uint32_t *idleTimeoutMs)
{
	struct dx_usb_pipe_object *core = dx_usb_pipe_of(pipe);

	if (core == NULL || idleTimeoutMs == NULL) {
		return kIOReturnBadArgument;
	}
	return dx_usb_pipe_idle_policy(core->pipe, idleTimeoutMs);
}
