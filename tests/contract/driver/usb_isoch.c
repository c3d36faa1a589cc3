/* SPDX-License-Identifier: MIT
 *
 * usb_isoch - isochronous transfers of the test driver, on endpoints 0x82 and 0x02 of Gadget Zero's
 * alternate setting 1.
 */
#include "usb.h"

/* An asynchronous transfer until it ends, in the reference of its action. */
struct isoch_pending {
	OSAction *completion;
	IOUSBHostPipe *pipe;
	IOBufferMemoryDescriptor *frames;
	uint32_t nr_frames;
};

static IOUSBIsochronousFrame *frames_of(IOBufferMemoryDescriptor *memory)
{
	IOAddressSegment range = {0};

	(void)IOBufferMemoryDescriptorGetAddressRange(memory, &range);
	return (void *)(uintptr_t)range.address;
}

static kern_return_t make_frames(struct contract_usb *usb, uint32_t nr_frames, uint32_t bytes_each,
				 IOBufferMemoryDescriptor **ret_memory)
{
	kern_return_t result = IOUSBHostInterfaceCreateIOBuffer(
		usb->interface, kIOMemoryDirectionInOut,
		nr_frames * (uint64_t)sizeof(IOUSBIsochronousFrame), ret_memory);

	for (uint32_t i = 0; result == kIOReturnSuccess && i < nr_frames; i++) {
		frames_of(*ret_memory)[i].requestCount = bytes_each;
	}
	return result;
}

/* The frame so many frames ahead of now; 0: any. */
static uint64_t first_frame(struct contract_usb *usb, int64_t lead)
{
	uint64_t frame = 0;

	if (lead == 0) {
		return 0;
	}
	(void)IOUSBHostDeviceGetFrameNumber(usb->device, &frame, NULL);
	return frame + (uint64_t)lead;
}

static void isoch_done(OSObject *target, OSAction *action, IOReturn status)
{
	struct isoch_pending *pending = OSActionGetReference(action);
	const IOUSBIsochronousFrame *frames = frames_of(pending->frames);
	IOUserClientAsyncArgumentsArray data = {0};

	for (uint32_t i = 0; i < pending->nr_frames; i++) {
		data[0] += frames[i].completeCount;
		data[1] += frames[i].status == kIOReturnSuccess;
	}
	IOUserClientAsyncCompletion((IOUserClient *)target, pending->completion, status, data, 3);
	OSSafeReleaseNULL(pending->completion);
	OSSafeReleaseNULL(pending->frames);
	OSSafeReleaseNULL(pending->pipe);
}

/* What a transfer needs: in: 0 in 1 out, frames, bytes each, lead. */
struct isoch {
	IOUSBHostPipe *pipe;
	IOBufferMemoryDescriptor *frames;
	IOMemoryDescriptor *data;
	uint32_t nr_frames;
	uint64_t first;
};

static kern_return_t prepare(struct contract_usb *usb, const uint64_t *in, struct isoch *isoch)
{
	kern_return_t result = kIOReturnNotOpen;

	if (in[0] > 1 || usb->pipes[in[0]].buffer == NULL) {
		return result;
	}
	isoch->data = IO_MEMORY_DESCRIPTOR(usb->pipes[in[0]].buffer);
	isoch->nr_frames = (uint32_t)in[1];
	isoch->first = first_frame(usb, (int64_t)in[3]);
	result = IOUSBHostInterfaceCopyPipe(usb->interface, in[0] == 0 ? 0x82 : 0x02, &isoch->pipe);
	if (result == kIOReturnSuccess) {
		result = make_frames(usb, isoch->nr_frames, (uint32_t)in[2], &isoch->frames);
	}
	return result;
}

static void clean_up(struct isoch *isoch)
{
	OSSafeReleaseNULL(isoch->frames);
	OSSafeReleaseNULL(isoch->pipe);
}

METHOD(contract_usb_isoch)
{
	struct contract_usb *usb = contract_usb_of((IOUserClient *)target);
	struct isoch isoch = {0};
	kern_return_t result = prepare(usb, arguments->scalarInput, &isoch);

	(void)reference;
	if (result == kIOReturnSuccess) {
		arguments->scalarOutput[0] = (uint32_t)IOUSBHostPipeIsochIO(
			isoch.pipe, isoch.data, IO_MEMORY_DESCRIPTOR(isoch.frames), isoch.first,
			NULL);
		arguments->structureOutput = OSDataCreate(
			frames_of(isoch.frames), isoch.nr_frames * sizeof(IOUSBIsochronousFrame));
	}
	clean_up(&isoch);
	return result;
}

METHOD(contract_usb_isoch_async)
{
	struct contract_usb *usb = contract_usb_of((IOUserClient *)target);
	struct isoch isoch = {0};
	struct isoch_pending *pending = NULL;
	OSAction *action = NULL;
	kern_return_t result = prepare(usb, arguments->scalarInput, &isoch);

	(void)reference;
	if (result == kIOReturnSuccess) {
		result = IOUSBHostPipeCreateActionCompleteAsyncIsochIO(
			target, isoch_done, sizeof(struct isoch_pending), &action);
	}
	if (result == kIOReturnSuccess) {
		pending = OSActionGetReference(action);
		*pending = (struct isoch_pending){OSRetain(arguments->completion),
						  OSRetain(isoch.pipe), OSRetain(isoch.frames),
						  isoch.nr_frames};
		result = IOUSBHostPipeIsochIO(isoch.pipe, isoch.data,
					      IO_MEMORY_DESCRIPTOR(isoch.frames), isoch.first,
					      action);
		if (result != kIOReturnSuccess) {
			OSSafeReleaseNULL(pending->completion);
			OSSafeReleaseNULL(pending->pipe);
			OSSafeReleaseNULL(pending->frames);
		}
	}
	OSSafeReleaseNULL(action);
	clean_up(&isoch);
	return result;
}

METHOD(contract_usb_isoch_abort)
{
	struct contract_usb *usb = contract_usb_of((IOUserClient *)target);
	IOUSBHostPipe *pipe = NULL;
	kern_return_t result = IOUSBHostInterfaceCopyPipe(
		usb->interface, arguments->scalarInput[0] == 0 ? 0x82 : 0x02, &pipe);

	(void)reference;
	if (result == kIOReturnSuccess) {
		result = IOUSBHostPipeAbort(pipe, kIOUSBAbortSynchronous, kIOReturnAborted, NULL);
	}
	OSSafeReleaseNULL(pipe);
	return result;
}
