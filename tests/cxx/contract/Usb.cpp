/* SPDX-License-Identifier: MIT
 *
 * Usb - the user client on Gadget Zero: its life, and the completions of its transfers.
 *
 * The service holds the session of the device, each client that of the interface.
 */
#include "Driver.hpp"

/* In the reference of an action: whom to tell. */
struct Pending {
	OSAction *completion; /* of the application, retained */
	uint64_t tag;
};

static Pending *PendingOf(OSAction *action)
{
	return static_cast<Pending *>(action->GetReference());
}

bool ContractUsbClient::init()
{
	if (!super::init()) {
		return false;
	}
	ivars = IONewZero(ContractUsbClient_IVars, 1);
	return ivars != nullptr;
}

void ContractUsbClient::free()
{
	for (unsigned i = 0; ivars != nullptr && i < 2; i++) {
		OSSafeReleaseNULL(ivars->pipes[i].pipe);
		OSSafeReleaseNULL(ivars->pipes[i].buffer);
	}
	if (ivars != nullptr) {
		OSSafeReleaseNULL(ivars->interface);
	}
	IOSafeDeleteNULL(ivars, ContractUsbClient_IVars, 1);
	super::free();
}

kern_return_t IMPL(ContractUsbClient, Start)
{
	kern_return_t status = Start(provider, SUPERDISPATCH);

	ivars->device = OSDynamicCast(IOUSBHostDevice, provider->GetProvider());
	ivars->pipes[0].address = 0x81;
	ivars->pipes[1].address = 0x01;
	return status == kIOReturnSuccess && ivars->device == nullptr ? kIOReturnNoDevice : status;
}

kern_return_t IMPL(ContractUsbClient, Stop)
{
	Shut();
	return Stop(provider, SUPERDISPATCH);
}

kern_return_t ContractUsbClient::ExternalMethod(uint64_t selector,
						IOUserClientMethodArguments *arguments,
						const IOUserClientMethodDispatch *dispatch,
						OSObject *target, void *reference)
{
	const IOUserClientMethodDispatch *row = UsbRowOf(selector);

	if (row == nullptr) {
		return super::ExternalMethod(selector, arguments, dispatch, target, reference);
	}
	/* Past ContractClient, which knows only its own table. */
	return IOUserClient::ExternalMethod(selector, arguments, row, this, nullptr);
}

IOMemoryDescriptor *ContractUsbClient::Lasting(uint64_t type)
{
	if (type != CONTRACT_MEMORY_USB_IN && type != CONTRACT_MEMORY_USB_OUT) {
		return super::Lasting(type);
	}
	return ivars->pipes[type - CONTRACT_MEMORY_USB_IN].buffer;
}

/* Closes interface and pipes, if they are open. */
void ContractUsbClient::Shut()
{
	for (ContractPipe &pipe : ivars->pipes) {
		if (pipe.pipe != nullptr) {
			(void)pipe.pipe->Abort(kIOUSBAbortSynchronous, kIOReturnAborted, nullptr);
		}
		OSSafeReleaseNULL(pipe.pipe);
		pipe.ring = false;
	}
	if (ivars->open) {
		(void)ivars->interface->Close(this, 0);
		ivars->open = false;
	}
	OSSafeReleaseNULL(ivars->interface);
}

static kern_return_t OpenPipe(IOUSBHostInterface *interface, ContractPipe *pipe)
{
	kern_return_t status = interface->CopyPipe(pipe->address, &pipe->pipe);

	if (status != kIOReturnSuccess || pipe->buffer != nullptr) {
		return status;
	}
	return interface->CreateIOBuffer(kIOMemoryDirectionInOut, CONTRACT_USB_BUFFER_BYTES,
					 &pipe->buffer);
}

/* 0: the configuration there is. */
kern_return_t ContractUsbClient::Configure(uint8_t value)
{
	uintptr_t iterator = 0;
	kern_return_t status = kIOReturnSuccess;

	Shut();
	if (value != 0) {
		status = ivars->device->SetConfiguration(value, false);
	}
	if (status == kIOReturnSuccess) {
		status = ivars->device->CreateInterfaceIterator(&iterator);
	}
	if (status != kIOReturnSuccess) {
		return status;
	}
	(void)ivars->device->CopyInterface(iterator, &ivars->interface);
	(void)ivars->device->DestroyInterfaceIterator(iterator);
	if (ivars->interface == nullptr) {
		return kIOReturnNotFound;
	}
	status = ivars->interface->Open(this, 0, nullptr);
	ivars->open = status == kIOReturnSuccess;
	for (unsigned i = 0; i < 2 && status == kIOReturnSuccess; i++) {
		status = OpenPipe(ivars->interface, &ivars->pipes[i]);
	}
	return status;
}

/* --- completions ----------------------------------------------------------------------------- */

void ContractUsbClient::Tell(OSAction *action, IOReturn status, uint64_t bytes, uint64_t timestamp)
{
	Pending *pending = PendingOf(action);
	IOUserClientAsyncArgumentsArray data = {bytes, pending->tag, timestamp};

	AsyncCompletion(pending->completion, status, data, 3);
	OSSafeReleaseNULL(pending->completion);
}

void IMPL(ContractUsbClient, TransferDone)
{
	Tell(action, status, actualByteCount, completionTimestamp);
}

void IMPL(ContractUsbClient, RequestDone)
{
	Tell(action, status, bytesTransferred, 0);
}

void IMPL(ContractUsbClient, BundleDone)
{
	Pending *pending = PendingOf(action);

	(void)actualByteCountArrayCount;
	(void)statusArrayCount;
	for (uint32_t i = 0; i < ioCompletionCount; i++) {
		IOUserClientAsyncArgumentsArray data = {actualByteCountArray[i],
							(ioCompletionIndex + i) % RING_SIZE, 0};

		AsyncCompletion(pending->completion, statusArray[i], data, 3);
	}
	pending->tag -= ioCompletionCount;
	if (pending->tag == 0) {
		OSSafeReleaseNULL(pending->completion);
	}
}

/* --- what starts them ------------------------------------------------------------------------ */

/* An action that will tell the application, from a CreateAction method's. */
static void Aim(OSAction *action, OSAction *completion, uint64_t tag)
{
	Pending *pending = PendingOf(action);

	completion->retain();
	pending->completion = completion;
	pending->tag = tag;
}

/* The action has been used, or was not: then nobody will be told. */
static kern_return_t EndStart(OSAction *action, bool started, kern_return_t status)
{
	if (!started) {
		OSSafeReleaseNULL(PendingOf(action)->completion);
	}
	action->release();
	return status;
}

static ContractPipe *PipeOf(OSObject *target, uint64_t which)
{
	ContractUsbClient_IVars *ivars = USB_CLIENT->ivars;

	return which < 2 && ivars->pipes[which].pipe != nullptr ? &ivars->pipes[which] : nullptr;
}

static uint8_t *BytesOf(IOBufferMemoryDescriptor *buffer)
{
	IOAddressSegment range = {};

	(void)buffer->GetAddressRange(&range);
	return reinterpret_cast<uint8_t *>(range.address);
}

static METHOD(UsbConfigure)
{
	return USB_CLIENT->Configure(static_cast<uint8_t>(arguments->scalarInput[0]));
}

static METHOD(UsbClose)
{
	USB_CLIENT->Shut();
	return kIOReturnSuccess;
}

static METHOD(UsbIO)
{
	ContractPipe *pipe = PipeOf(target, arguments->scalarInput[0]);
	uint32_t moved = 0;

	if (pipe == nullptr) {
		return kIOReturnNotOpen;
	}
	arguments->scalarOutput[0] = static_cast<uint32_t>(
		pipe->pipe->IO(pipe->buffer, static_cast<uint32_t>(arguments->scalarInput[1]),
			       &moved, static_cast<uint32_t>(arguments->scalarInput[2])));
	arguments->scalarOutput[1] = moved;
	return kIOReturnSuccess;
}

static METHOD(UsbFill)
{
	ContractPipe *pipe = PipeOf(target, arguments->scalarInput[0]);

	IOAddressSegment range = {};

	if (pipe == nullptr) {
		return kIOReturnNotOpen;
	}
	(void)pipe->buffer->GetAddressRange(&range);
	memset(reinterpret_cast<void *>(range.address), static_cast<int>(arguments->scalarInput[1]),
	       range.length);
	return kIOReturnSuccess;
}

static METHOD(UsbAsync)
{
	ContractPipe *pipe = PipeOf(target, arguments->scalarInput[0]);
	OSAction *action = nullptr;

	if (pipe == nullptr) {
		return kIOReturnNotOpen;
	}
	kern_return_t status = USB_CLIENT->CreateActionTransferDone(sizeof(Pending), &action);
	if (status != kIOReturnSuccess) {
		return status;
	}
	Aim(action, arguments->completion, arguments->scalarInput[3]);
	status = pipe->pipe->AsyncIO(pipe->buffer, static_cast<uint32_t>(arguments->scalarInput[1]),
				     action, static_cast<uint32_t>(arguments->scalarInput[2]));
	return EndStart(action, status == kIOReturnSuccess, status);
}

static METHOD(UsbAbort)
{
	ContractPipe *pipe = PipeOf(target, arguments->scalarInput[0]);

	if (pipe == nullptr) {
		return kIOReturnNotOpen;
	}
	return pipe->pipe->Abort(arguments->scalarInput[1] != 0 ? kIOUSBAbortSynchronous
								: kIOUSBAbortAsynchronous,
				 kIOReturnAborted, nullptr);
}

static METHOD(UsbClear)
{
	ContractPipe *pipe = PipeOf(target, arguments->scalarInput[0]);

	return pipe == nullptr ? kIOReturnNotOpen
			       : pipe->pipe->ClearStall(arguments->scalarInput[1] != 0);
}

static METHOD(UsbStall)
{
	uint16_t moved = 0;

	return USB_CLIENT->ivars->device->DeviceRequest(
		USB_CLIENT->GetProvider(), 0x02, kIOUSBDeviceRequestSetFeature, 0,
		static_cast<uint16_t>(arguments->scalarInput[0]), 0, nullptr, &moved, 1000);
}

/* The data stage lies in the IN buffer; what the application gave is put there first. */
static IOMemoryDescriptor *DataStage(const ContractUsbClient_IVars *ivars,
				     const IOUserClientMethodArguments *arguments)
{
	IOBufferMemoryDescriptor *buffer = ivars->pipes[0].buffer;
	OSData *data = arguments->structureInput;

	if (arguments->scalarInput[4] == 0) {
		return nullptr;
	}
	if (data != nullptr) {
		memcpy(BytesOf(buffer), data->getBytesNoCopy(), data->getLength());
	}
	return buffer;
}

static METHOD(UsbControl)
{
	ContractUsbClient_IVars *ivars = USB_CLIENT->ivars;
	const uint64_t *in = arguments->scalarInput;
	uint16_t moved = 0;

	if (ivars->pipes[0].buffer == nullptr) {
		return kIOReturnNotOpen;
	}
	arguments->scalarOutput[0] = static_cast<uint32_t>(ivars->device->DeviceRequest(
		USB_CLIENT->GetProvider(), static_cast<uint8_t>(in[0]), static_cast<uint8_t>(in[1]),
		static_cast<uint16_t>(in[2]), static_cast<uint16_t>(in[3]),
		static_cast<uint16_t>(in[4]), DataStage(ivars, arguments), &moved, 1000));
	arguments->scalarOutput[1] = moved;
	if (arguments->structureOutputMaximumSize != 0) {
		arguments->structureOutput =
			OSData::withBytes(BytesOf(ivars->pipes[0].buffer), moved);
	}
	return kIOReturnSuccess;
}

static METHOD(UsbControlAsync)
{
	ContractUsbClient_IVars *ivars = USB_CLIENT->ivars;
	const uint64_t *in = arguments->scalarInput;
	OSAction *action = nullptr;
	kern_return_t status = USB_CLIENT->CreateActionRequestDone(sizeof(Pending), &action);

	if (status != kIOReturnSuccess) {
		return status;
	}
	Aim(action, arguments->completion, 0);
	status = ivars->interface->AsyncDeviceRequest(
		static_cast<uint8_t>(in[0]), static_cast<uint8_t>(in[1]),
		static_cast<uint16_t>(in[2]), static_cast<uint16_t>(in[3]),
		static_cast<uint16_t>(in[4]), DataStage(ivars, arguments), action, 1000);
	return EndStart(action, status == kIOReturnSuccess, status);
}

static METHOD(UsbAlternate)
{
	ContractUsbClient_IVars *ivars = USB_CLIENT->ivars;
	kern_return_t status = ivars->interface->SelectAlternateSetting(
		static_cast<uint8_t>(arguments->scalarInput[0]));

	for (unsigned i = 0; i < 2 && status == kIOReturnSuccess; i++) {
		OSSafeReleaseNULL(ivars->pipes[i].pipe); /* unusable now */
		ivars->pipes[i].ring = false;
		status = ivars->interface->CopyPipe(ivars->pipes[i].address, &ivars->pipes[i].pipe);
	}
	return status;
}

static METHOD(UsbSpeed)
{
	ContractPipe *pipe = PipeOf(target, 0);
	IOUSBStandardEndpointDescriptors descriptors = {};
	uint8_t speed = 0;
	kern_return_t status = USB_CLIENT->ivars->device->GetSpeed(&speed);

	if (pipe == nullptr) {
		return kIOReturnNotOpen;
	}
	if (status == kIOReturnSuccess) {
		status = pipe->pipe->GetDescriptors(&descriptors,
						    kIOUSBGetEndpointDescriptorOriginal);
	}
	arguments->scalarOutput[0] = speed;
	arguments->scalarOutput[1] = IOUSBGetEndpointMaxPacketSize(speed, &descriptors.descriptor);
	return status;
}

static METHOD(UsbNrInterfaces)
{
	IOUSBHostDevice *device = USB_CLIENT->ivars->device;
	IOUSBHostInterface *interface = nullptr;
	uintptr_t iterator = 0;
	kern_return_t status = device->CreateInterfaceIterator(&iterator);

	while (status == kIOReturnSuccess) {
		status = device->CopyInterface(iterator, &interface);
		if (interface == nullptr) {
			break;
		}
		arguments->scalarOutput[0]++;
		OSSafeReleaseNULL(interface);
	}
	(void)device->DestroyInterfaceIterator(iterator);
	return status;
}

static kern_return_t MakeRing(ContractPipe *pipe)
{
	kern_return_t status = pipe->pipe->CreateMemoryDescriptorRing(RING_SIZE);

	for (uint32_t i = 0; i < RING_SIZE && status == kIOReturnSuccess; i++) {
		status = pipe->pipe->SetMemoryDescriptor(pipe->buffer, i);
	}
	pipe->ring = status == kIOReturnSuccess;
	return status;
}

static METHOD(UsbBundle)
{
	ContractPipe *pipe = PipeOf(target, arguments->scalarInput[0]);
	auto count = static_cast<uint32_t>(arguments->scalarInput[1]);
	uint32_t lengths[kIOUSBHostPipeBundlingMax] = {};
	uint32_t accepted = 0;
	OSAction *action = nullptr;

	if (pipe == nullptr || count > kIOUSBHostPipeBundlingMax) {
		return kIOReturnNotOpen;
	}
	for (uint32_t i = 0; i < count; i++) {
		lengths[i] = static_cast<uint32_t>(arguments->scalarInput[2]);
	}
	kern_return_t status = pipe->ring ? kIOReturnSuccess : MakeRing(pipe);
	if (status == kIOReturnSuccess) {
		status = USB_CLIENT->CreateActionBundleDone(sizeof(Pending), &action);
	}
	if (status != kIOReturnSuccess) {
		return status;
	}
	Aim(action, arguments->completion, count);
	status = pipe->pipe->AsyncIOBundled(0, count, &accepted, lengths, static_cast<int>(count),
					    action, 0);
	return EndStart(action, accepted != 0, status);
}

static METHOD(UsbBufferAddress)
{
	ContractPipe *pipe = PipeOf(target, arguments->scalarInput[0]);

	if (pipe == nullptr) {
		return kIOReturnNotOpen;
	}
	arguments->scalarOutput[0] = reinterpret_cast<uintptr_t>(BytesOf(pipe->buffer));
	return kIOReturnSuccess;
}

static METHOD(UsbReset)
{
	(void)arguments;
	return USB_CLIENT->ivars->device->Reset();
}

static METHOD(UsbReplaceBuffer)
{
	ContractPipe *pipe = PipeOf(target, arguments->scalarInput[0]);

	if (pipe == nullptr) {
		return kIOReturnNotOpen;
	}
	OSSafeReleaseNULL(pipe->buffer);
	return USB_CLIENT->ivars->interface->CreateIOBuffer(
		kIOMemoryDirectionInOut | static_cast<IOOptionBits>(arguments->scalarInput[1]),
		arguments->scalarInput[2], &pipe->buffer);
}

static const uint32_t ANY = kIOUserClientVariableStructureSize;
#define AT(selector) [(selector)-CONTRACT_USB_BASE]

static const IOUserClientMethodDispatch rows[CONTRACT_USB_END - CONTRACT_USB_BASE] = {
	AT(CONTRACT_USB_CONFIGURE) = {UsbConfigure, false, 1, 0, 0, 0},
	AT(CONTRACT_USB_IO) = {UsbIO, false, 3, 0, 2, 0},
	AT(CONTRACT_USB_FILL) = {UsbFill, false, 2, 0, 0, 0},
	AT(CONTRACT_USB_ASYNC) = {UsbAsync, true, 4, 0, 0, 0},
	AT(CONTRACT_USB_ABORT) = {UsbAbort, false, 2, 0, 0, 0},
	AT(CONTRACT_USB_CLEAR) = {UsbClear, false, 2, 0, 0, 0},
	AT(CONTRACT_USB_STALL) = {UsbStall, false, 1, 0, 0, 0},
	AT(CONTRACT_USB_CONTROL) = {UsbControl, false, 5, ANY, 2, ANY},
	AT(CONTRACT_USB_CONTROL_ASYNC) = {UsbControlAsync, true, 5, ANY, 0, 0},
	AT(CONTRACT_USB_ALTERNATE) = {UsbAlternate, false, 1, 0, 0, 0},
	AT(CONTRACT_USB_SPEED) = {UsbSpeed, false, 0, 0, 2, 0},
	AT(CONTRACT_USB_NR_INTERFACES) = {UsbNrInterfaces, false, 0, 0, 1, 0},
	AT(CONTRACT_USB_BUNDLE) = {UsbBundle, true, 3, 0, 0, 0},
	AT(CONTRACT_USB_TEST) = {UsbTest, false, 0, 0, 0, ANY},
	AT(CONTRACT_USB_CLOSE) = {UsbClose, false, 0, 0, 0, 0},
	AT(CONTRACT_USB_BUFFER_ADDRESS) = {UsbBufferAddress, false, 1, 0, 1, 0},
	AT(CONTRACT_USB_ISOCH) = {UsbIsoch, false, 4, 0, 1, ANY},
	AT(CONTRACT_USB_ISOCH_ASYNC) = {UsbIsochAsync, true, 4, 0, 0, 0},
	AT(CONTRACT_USB_ISOCH_ABORT) = {UsbIsochAbort, false, 1, 0, 0, 0},
	AT(CONTRACT_USB_RESET) = {UsbReset, false, 0, 0, 0, 0},
	AT(CONTRACT_USB_REPLACE_BUFFER) = {UsbReplaceBuffer, false, 3, 0, 0, 0},
};

const IOUserClientMethodDispatch *UsbRowOf(uint64_t selector)
{
	return selector >= CONTRACT_USB_BASE && selector < CONTRACT_USB_END
		       ? &rows[selector - CONTRACT_USB_BASE]
		       : nullptr;
}
