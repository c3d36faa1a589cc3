/* SPDX-License-Identifier: MIT
 *
 * Isoch - isochronous transfers on endpoints 0x82 and 0x02 of Gadget Zero's alternate setting 1, and
 * the checks that the driver makes itself.
 */
#include "Driver.hpp"

/* An asynchronous transfer until it ends, in the reference of its action. */
struct Scheduled {
	OSAction *completion;
	IOUSBHostPipe *pipe;
	IOBufferMemoryDescriptor *frames;
	uint32_t nr_frames;
};

static IOUSBIsochronousFrame *FramesOf(IOBufferMemoryDescriptor *memory)
{
	IOAddressSegment range = {};

	(void)memory->GetAddressRange(&range);
	return reinterpret_cast<IOUSBIsochronousFrame *>(range.address);
}

static void Drop(Scheduled *scheduled)
{
	OSSafeReleaseNULL(scheduled->completion);
	OSSafeReleaseNULL(scheduled->frames);
	OSSafeReleaseNULL(scheduled->pipe);
}

void IMPL(ContractUsbClient, IsochDone)
{
	auto *scheduled = static_cast<Scheduled *>(action->GetReference());
	const IOUSBIsochronousFrame *frames = FramesOf(scheduled->frames);
	IOUserClientAsyncArgumentsArray data = {};

	for (uint32_t i = 0; i < scheduled->nr_frames; i++) {
		data[0] += frames[i].completeCount;
		data[1] += frames[i].status == kIOReturnSuccess;
	}
	AsyncCompletion(scheduled->completion, status, data, 3);
	Drop(scheduled);
}

/* What a transfer needs, from the arguments: 0 in 1 out, frames, bytes each, lead. */
struct Transfer {
	IOUSBHostPipe *pipe;
	IOBufferMemoryDescriptor *frames;
	IOBufferMemoryDescriptor *data; /* borrowed */
	uint32_t nr_frames;
	uint64_t first;

	~Transfer()
	{
		OSSafeReleaseNULL(frames);
		OSSafeReleaseNULL(pipe);
	}
};

static uint8_t AddressOf(uint64_t which)
{
	return which == 0 ? 0x82 : 0x02;
}

static kern_return_t Prepare(ContractUsbClient_IVars *ivars, const uint64_t *in, Transfer *transfer)
{
	if (in[0] > 1 || ivars->pipes[in[0]].buffer == nullptr) {
		return kIOReturnNotOpen;
	}
	transfer->data = ivars->pipes[in[0]].buffer;
	transfer->nr_frames = static_cast<uint32_t>(in[1]);
	if (in[3] != 0) {
		(void)ivars->device->GetFrameNumber(&transfer->first, nullptr);
		transfer->first += in[3];
	}
	kern_return_t status = ivars->interface->CopyPipe(AddressOf(in[0]), &transfer->pipe);
	if (status == kIOReturnSuccess) {
		status = ivars->interface->CreateIOBuffer(
			kIOMemoryDirectionInOut, in[1] * sizeof(IOUSBIsochronousFrame),
			&transfer->frames);
	}
	for (uint32_t i = 0; status == kIOReturnSuccess && i < transfer->nr_frames; i++) {
		FramesOf(transfer->frames)[i].requestCount = static_cast<uint32_t>(in[2]);
	}
	return status;
}

METHOD(UsbIsoch)
{
	Transfer transfer = {};
	kern_return_t status = Prepare(USB_CLIENT->ivars, arguments->scalarInput, &transfer);

	if (status == kIOReturnSuccess) {
		arguments->scalarOutput[0] = static_cast<uint32_t>(transfer.pipe->IsochIO(
			transfer.data, transfer.frames, transfer.first, nullptr));
		arguments->structureOutput = OSData::withBytes(
			FramesOf(transfer.frames),
			transfer.nr_frames * sizeof(IOUSBIsochronousFrame));
	}
	return status;
}

METHOD(UsbIsochAsync)
{
	Transfer transfer = {};
	OSAction *action = nullptr;
	kern_return_t status = Prepare(USB_CLIENT->ivars, arguments->scalarInput, &transfer);

	if (status == kIOReturnSuccess) {
		status = USB_CLIENT->CreateActionIsochDone(sizeof(Scheduled), &action);
	}
	if (status != kIOReturnSuccess) {
		return status;
	}
	auto *scheduled = static_cast<Scheduled *>(action->GetReference());
	*scheduled = {arguments->completion, transfer.pipe, transfer.frames, transfer.nr_frames};
	scheduled->completion->retain();
	scheduled->pipe->retain();
	scheduled->frames->retain();
	status = transfer.pipe->IsochIO(transfer.data, transfer.frames, transfer.first, action);
	if (status != kIOReturnSuccess) {
		Drop(scheduled);
	}
	OSSafeReleaseNULL(action);
	return status;
}

METHOD(UsbIsochAbort)
{
	IOUSBHostPipe *pipe = nullptr;
	kern_return_t status = USB_CLIENT->ivars->interface->CopyPipe(
		AddressOf(arguments->scalarInput[0]), &pipe);

	if (status == kIOReturnSuccess) {
		status = pipe->Abort(kIOUSBAbortSynchronous, kIOReturnAborted, nullptr);
	}
	OSSafeReleaseNULL(pipe);
	return status;
}

/* @return what is wrong; empty: nothing. More of this is in tests/cxx/usb. */
METHOD(UsbTest)
{
	ContractUsbClient_IVars *ivars = USB_CLIENT->ivars;
	const IOUSBDeviceDescriptor *descriptor = ivars->device->CopyDeviceDescriptor();
	IOUSBHostDevice *device = nullptr;
	const char *failure = "";

	if (descriptor == nullptr || USBToHost16(descriptor->idVendor) != 0x0525) {
		failure = "the descriptor of the device";
	} else if (ivars->device->Open(USB_CLIENT, 0, 0) != kIOReturnExclusiveAccess) {
		failure = "a second session with the device";
	} else if (ivars->interface->Open(USB_CLIENT->GetProvider(), 0, nullptr) !=
		   kIOReturnExclusiveAccess) {
		failure = "a second session with the interface";
	} else if (ivars->interface->CopyDevice(&device) != kIOReturnSuccess) {
		failure = "the way back to the device";
	}
	OSSafeReleaseNULL(device);
	IOUSBHostFreeDescriptor(descriptor);
	return ReturnText(arguments, failure);
}
