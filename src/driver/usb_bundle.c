/* SPDX-License-Identifier: MIT
 *
 * usb_bundle - several transfers of one pipe with one call and one completion.
 *
 * Place:   driver. Each submission has one record that lives until all its entries were told; each
 *          completion of some of them is an item of its own, made with the record: a completion
 *          cannot fail for want of memory.
 */
#include <stdlib.h>
#include <string.h>

#include "driver/usb_pipe.h"
#include "memory/memory.h"

struct bundle;

struct bundle_item {
	struct dx_item item;
	struct bundle *bundle; /* whose nr_left counts these entries */
	uint32_t index;
	uint32_t count;
	uint32_t at; /* of its first entry, in the two arrays of the bundle */
};

struct bundle {
	struct dx_usb_pipe_object *pipe; /* counted */
	struct dx_action *action;	 /* in use */
	_Atomic uint32_t nr_left;	 /* entries whose completion did not run yet */
	_Atomic uint32_t nr_done;	 /* entries that the device completed, in that order */
	uint32_t actual[DX_USB_BUNDLE_MAX];
	kern_return_t status[DX_USB_BUNDLE_MAX];
	struct bundle_item items[DX_USB_BUNDLE_MAX]; /* at the place of their first entry */
};

static void bundle_free(struct bundle *bundle)
{
	dx_action_unuse(bundle->action);
	(void)dx_object_unref(bundle->pipe);
	free(bundle);
}

/* The submission keeps one count until it knows how many were accepted. */
static void bundle_drop(struct bundle *bundle, uint32_t count)
{
	if (atomic_fetch_sub(&bundle->nr_left, count) == count) {
		bundle_free(bundle);
	}
}

static void bundle_run(struct dx_item *item, bool cancelled)
{
	struct bundle_item *own = dx_container_of(item, struct bundle_item, item);
	struct bundle *bundle = own->bundle;
	struct dx_service_entry entry;
	struct dx_service *target =
		dx_action_begin(bundle->action, cancelled, &entry, "CompleteAsyncIOBundled");

	if (target != NULL) {
		((IOUSBHostPipeCompleteAsyncIOBundledHandler)bundle->action->handler)(
			OS_OBJECT(target), (OSAction *)bundle->action, own->index, own->count,
			bundle->actual + own->at, (int)own->count, bundle->status + own->at,
			(int)own->count);
		dx_action_end(target, &entry);
	}
	bundle_drop(bundle, own->count);
}

static void bundle_complete(void *context, uint32_t index, uint32_t count,
			    const uint32_t *actual_bytes, const int32_t *statuses)
{
	struct bundle *bundle = context;
	uint32_t at = atomic_fetch_add(&bundle->nr_done, count);
	struct bundle_item *item = &bundle->items[at];

	*item = (struct bundle_item){
		.item.run = bundle_run,
		.bundle = bundle,
		.index = index,
		.count = count,
		.at = at,
	};
	memcpy(bundle->actual + at, actual_bytes, count * sizeof(*actual_bytes));
	memcpy(bundle->status + at, statuses, count * sizeof(*statuses));
	dx_action_fire(bundle->action, &item->item);
}

kern_return_t
IOUSBHostPipeCreateActionCompleteAsyncIOBundled(OSObject *target,
						IOUSBHostPipeCompleteAsyncIOBundledHandler handler,
						size_t referenceSize, OSAction **action)
{
	return dx_action_new(DX_ACTION_BUNDLED_IO, target, (void (*)(void))handler, referenceSize,
			     action);
}

kern_return_t IOUSBHostPipeCreateMemoryDescriptorRing(IOUSBHostPipe *pipe, uint32_t size)
{
	struct dx_usb_pipe_object *core = dx_usb_pipe_of(pipe);

	if (core == NULL || size == 0 || size > DX_USB_MAX_RING_LENGTH) {
		return kIOReturnBadArgument;
	}
	IOMemoryDescriptor **ring = calloc(size, sizeof(IOMemoryDescriptor *));
	if (ring == NULL) {
		return kIOReturnNoMemory;
	}
	int32_t status = dx_usb_pipe_create_ring(core->pipe, size);
	if (status != DX_USB_OK) {
		free(ring);
		return status;
	}
	dx_mutex_lock(&core->lock);
	core->ring = ring;
	core->ring_size = size;
	dx_mutex_unlock(&core->lock);
	return kIOReturnSuccess;
}

kern_return_t IOUSBHostPipeSetMemoryDescriptor(IOUSBHostPipe *pipe,
					       IOMemoryDescriptor *memoryDescriptor, uint32_t index)
{
	struct dx_usb_pipe_object *core = dx_usb_pipe_of(pipe);
	uint64_t length = 0;
	void *data = NULL;

	if (core == NULL ||
	    IOMemoryDescriptorGetLength(memoryDescriptor, &length) != kIOReturnSuccess ||
	    length == 0 || length > UINT32_MAX ||
	    dx_usb_buffer_address(memoryDescriptor, (uint32_t)length, &data) != kIOReturnSuccess) {
		return kIOReturnBadArgument;
	}
	int32_t status = dx_usb_pipe_set_ring_entry(core->pipe, index, data, (uint32_t)length);
	if (status != DX_USB_OK) {
		return status;
	}
	IOMemoryDescriptor *kept = OSRetain(memoryDescriptor);
	dx_mutex_lock(&core->lock);
	if (index < core->ring_size) {
		IOMemoryDescriptor *old = core->ring[index];
		core->ring[index] = kept;
		kept = old;
	}
	dx_mutex_unlock(&core->lock);
	OSRelease(kept);
	return kIOReturnSuccess;
}

kern_return_t IOUSBHostPipeAsyncIOBundled(IOUSBHostPipe *pipe, uint32_t ioTransferIndex,
					  uint32_t ioTransferCount,
					  uint32_t *ioTransferAcceptedCount,
					  const uint32_t *dataBufferLengthArray,
					  int dataBufferLengthArrayCount, OSAction *completion,
					  uint32_t completionTimeoutMs)
{
	struct dx_usb_pipe_object *core = dx_usb_pipe_of(pipe);
	struct dx_action *action = dx_action_of(completion, DX_ACTION_BUNDLED_IO);
	uint32_t accepted = 0;

	if (ioTransferAcceptedCount == NULL) {
		return kIOReturnBadArgument;
	}
	*ioTransferAcceptedCount = 0; /* drivers look at it also after an error */
	if (core == NULL || action == NULL || dataBufferLengthArray == NULL ||
	    ioTransferCount == 0 || ioTransferCount > DX_USB_BUNDLE_MAX ||
	    dataBufferLengthArrayCount != (int)ioTransferCount) {
		return kIOReturnBadArgument;
	}
	struct bundle *bundle = calloc(1, sizeof(*bundle));
	if (bundle == NULL) {
		return kIOReturnNoMemory;
	}
	bundle->pipe = dx_object_ref(core);
	bundle->action = action;
	bundle->nr_left = ioTransferCount + 1;
	dx_action_use(action);
	int32_t status = dx_usb_pipe_submit_bundle(core->pipe, ioTransferIndex, ioTransferCount,
						   dataBufferLengthArray, completionTimeoutMs,
						   bundle_complete, bundle, &accepted);
	*ioTransferAcceptedCount = accepted;
	bundle_drop(bundle, ioTransferCount - accepted + 1);
	if (accepted > 0) {
		dx_usb_submitted(core->runtime);
	}
	return status;
}
