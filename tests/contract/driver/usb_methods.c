/* SPDX-License-Identifier: MIT
 *
 * usb_methods - the external methods that move data: bulk, control, bundles.
 */
#include "usb.h"

#define ANY kIOUserClientVariableStructureSize

/* In the reference of an action: whom to tell. */
struct pending {
	OSAction *completion; /* of the application, retained */
	uint64_t tag;
};

static struct contract_pipe *pipe_of(OSObject *target, uint64_t which)
{
	struct contract_usb *usb = contract_usb_of((IOUserClient *)target);

	return which < 2 && usb->pipes[which].pipe != NULL ? &usb->pipes[which] : NULL;
}

/* The completion of a transfer becomes that of the application's call. */
static void tell(OSObject *target, struct pending *pending, IOReturn status, uint64_t bytes,
		 uint64_t timestamp)
{
	IOUserClientAsyncArgumentsArray data = {bytes, pending->tag, timestamp};

	IOUserClientAsyncCompletion((IOUserClient *)target, pending->completion, status, data, 3);
	OSSafeReleaseNULL(pending->completion);
}

static METHOD(usb_io)
{
	struct contract_pipe *pipe = pipe_of(target, arguments->scalarInput[0]);
	uint32_t moved = 0;

	(void)reference;
	if (pipe == NULL) {
		return kIOReturnNotOpen;
	}
	arguments->scalarOutput[0] = (uint32_t)IOUSBHostPipeIO(
		pipe->pipe, IO_MEMORY_DESCRIPTOR(pipe->buffer),
		(uint32_t)arguments->scalarInput[1], &moved, (uint32_t)arguments->scalarInput[2]);
	arguments->scalarOutput[1] = moved;
	return kIOReturnSuccess;
}

static METHOD(usb_fill)
{
	struct contract_pipe *pipe = pipe_of(target, arguments->scalarInput[0]);
	IOAddressSegment range;

	(void)reference;
	if (pipe == NULL) {
		return kIOReturnNotOpen;
	}
	(void)IOBufferMemoryDescriptorGetAddressRange(pipe->buffer, &range);
	memset((void *)(uintptr_t)range.address, (int)arguments->scalarInput[1], range.length);
	return kIOReturnSuccess;
}

static void io_done(OSObject *target, OSAction *action, IOReturn status, uint32_t bytes,
		    uint64_t timestamp)
{
	tell(target, OSActionGetReference(action), status, bytes, timestamp);
}

static METHOD(usb_async)
{
	struct contract_pipe *pipe = pipe_of(target, arguments->scalarInput[0]);
	OSAction *action = NULL;
	struct pending *pending;
	kern_return_t result;

	(void)reference;
	if (pipe == NULL) {
		return kIOReturnNotOpen;
	}
	result = IOUSBHostPipeCreateActionCompleteAsyncIO(target, io_done, sizeof(struct pending),
							  &action);
	if (result != kIOReturnSuccess) {
		return result;
	}
	pending = OSActionGetReference(action);
	pending->completion = OSRetain(arguments->completion);
	pending->tag = arguments->scalarInput[3];
	result = IOUSBHostPipeAsyncIO(pipe->pipe, IO_MEMORY_DESCRIPTOR(pipe->buffer),
				      (uint32_t)arguments->scalarInput[1], action,
				      (uint32_t)arguments->scalarInput[2]);
	if (result != kIOReturnSuccess) {
		OSSafeReleaseNULL(pending->completion);
	}
	OSRelease(action);
	return result;
}

static METHOD(usb_abort)
{
	struct contract_pipe *pipe = pipe_of(target, arguments->scalarInput[0]);

	(void)reference;
	if (pipe == NULL) {
		return kIOReturnNotOpen;
	}
	return IOUSBHostPipeAbort(pipe->pipe,
				  arguments->scalarInput[1] != 0 ? kIOUSBAbortSynchronous
								 : kIOUSBAbortAsynchronous,
				  kIOReturnAborted, NULL);
}

static METHOD(usb_clear)
{
	struct contract_pipe *pipe = pipe_of(target, arguments->scalarInput[0]);

	(void)reference;
	return pipe == NULL ? kIOReturnNotOpen
			    : IOUSBHostPipeClearStall(pipe->pipe, arguments->scalarInput[1] != 0);
}

static METHOD(usb_stall)
{
	struct contract_usb *usb = contract_usb_of((IOUserClient *)target);
	uint16_t moved = 0;

	(void)reference;
	return IOUSBHostDeviceDeviceRequest(usb->device,
					    IOServiceGetProvider((IOService *)target), 0x02, 3, 0,
					    (uint16_t)arguments->scalarInput[0], 0, NULL, &moved,
					    1000);
}

/* The data stage lies in the IN buffer; what the application gave is put there first. */
static IOMemoryDescriptor *data_stage(const struct contract_usb *usb,
				      const IOUserClientMethodArguments *arguments)
{
	IOAddressSegment range;

	if (arguments->scalarInput[4] == 0) {
		return NULL;
	}
	(void)IOBufferMemoryDescriptorGetAddressRange(usb->pipes[0].buffer, &range);
	(void)OSDataGetBytes(arguments->structureInput, (void *)(uintptr_t)range.address, 0,
			     range.length);
	return IO_MEMORY_DESCRIPTOR(usb->pipes[0].buffer);
}

static METHOD(usb_control)
{
	struct contract_usb *usb = contract_usb_of((IOUserClient *)target);
	const uint64_t *in = arguments->scalarInput;
	uint16_t moved = 0;
	IOAddressSegment range;

	(void)reference;
	if (usb->pipes[0].buffer == NULL) {
		return kIOReturnNotOpen;
	}
	arguments->scalarOutput[0] = (uint32_t)IOUSBHostDeviceDeviceRequest(
		usb->device, IOServiceGetProvider((IOService *)target), (uint8_t)in[0],
		(uint8_t)in[1], (uint16_t)in[2], (uint16_t)in[3], (uint16_t)in[4],
		data_stage(usb, arguments), &moved, 1000);
	arguments->scalarOutput[1] = moved;
	if (arguments->structureOutputMaximumSize != 0) {
		(void)IOBufferMemoryDescriptorGetAddressRange(usb->pipes[0].buffer, &range);
		arguments->structureOutput = OSDataCreate((void *)(uintptr_t)range.address, moved);
	}
	return kIOReturnSuccess;
}

static void control_done(OSObject *target, OSAction *action, IOReturn status, uint32_t bytes)
{
	tell(target, OSActionGetReference(action), status, bytes, 0);
}

static METHOD(usb_control_async)
{
	struct contract_usb *usb = contract_usb_of((IOUserClient *)target);
	const uint64_t *in = arguments->scalarInput;
	OSAction *action = NULL;
	struct pending *pending;
	kern_return_t result = IOUSBHostDeviceCreateActionCompleteAsyncDeviceRequest(
		target, control_done, sizeof(struct pending), &action);

	(void)reference;
	if (result != kIOReturnSuccess) {
		return result;
	}
	pending = OSActionGetReference(action);
	pending->completion = OSRetain(arguments->completion);
	result = IOUSBHostInterfaceAsyncDeviceRequest(
		usb->interface, (uint8_t)in[0], (uint8_t)in[1], (uint16_t)in[2], (uint16_t)in[3],
		(uint16_t)in[4], data_stage(usb, arguments), action, 1000);
	if (result != kIOReturnSuccess) {
		OSSafeReleaseNULL(pending->completion);
	}
	OSRelease(action);
	return result;
}

static METHOD(usb_alternate)
{
	struct contract_usb *usb = contract_usb_of((IOUserClient *)target);
	kern_return_t result = IOUSBHostInterfaceSelectAlternateSetting(
		usb->interface, (uint8_t)arguments->scalarInput[0]);

	(void)reference;
	for (unsigned i = 0; i < 2 && result == kIOReturnSuccess; i++) {
		OSSafeReleaseNULL(usb->pipes[i].pipe); /* unusable now */
		usb->pipes[i].ring = false;
		result = IOUSBHostInterfaceCopyPipe(usb->interface, usb->pipes[i].address,
						    &usb->pipes[i].pipe);
	}
	return result;
}

static METHOD(usb_speed)
{
	struct contract_usb *usb = contract_usb_of((IOUserClient *)target);
	struct contract_pipe *pipe = pipe_of(target, 0);
	IOUSBStandardEndpointDescriptors descriptors = {0};
	uint8_t speed = 0;
	kern_return_t result = IOUSBHostDeviceGetSpeed(usb->device, &speed);

	(void)reference;
	if (pipe == NULL) {
		return kIOReturnNotOpen;
	}
	if (result == kIOReturnSuccess) {
		result = IOUSBHostPipeGetDescriptors(pipe->pipe, &descriptors,
						     kIOUSBGetEndpointDescriptorOriginal);
	}
	arguments->scalarOutput[0] = speed;
	arguments->scalarOutput[1] = IOUSBGetEndpointMaxPacketSize(speed, &descriptors.descriptor);
	return result;
}

static METHOD(usb_nr_interfaces)
{
	struct contract_usb *usb = contract_usb_of((IOUserClient *)target);
	IOUSBHostInterface *interface = NULL;
	uintptr_t iterator = 0;
	kern_return_t result = IOUSBHostDeviceCreateInterfaceIterator(usb->device, &iterator);

	(void)reference;
	while (result == kIOReturnSuccess) {
		result = IOUSBHostDeviceCopyInterface(usb->device, iterator, &interface);
		if (interface == NULL) {
			break;
		}
		arguments->scalarOutput[0]++;
		OSSafeReleaseNULL(interface);
	}
	(void)IOUSBHostDeviceDestroyInterfaceIterator(usb->device, iterator);
	return result;
}

static void bundle_done(OSObject *target, OSAction *action, uint32_t index, uint32_t count,
			const uint32_t *bytes, int nr_bytes, const kern_return_t *status,
			int nr_status)
{
	struct pending *pending = OSActionGetReference(action);

	for (uint32_t i = 0; i < count && (int)i < nr_bytes && (int)i < nr_status; i++) {
		IOUserClientAsyncArgumentsArray data = {bytes[i],
							(index + i) % CONTRACT_RING_SIZE, 0};

		IOUserClientAsyncCompletion((IOUserClient *)target, pending->completion, status[i],
					    data, 3);
	}
	pending->tag -= count;
	if (pending->tag == 0) {
		OSSafeReleaseNULL(pending->completion);
	}
}

static kern_return_t make_ring(struct contract_pipe *pipe)
{
	kern_return_t result = IOUSBHostPipeCreateMemoryDescriptorRing(pipe->pipe, CONTRACT_RING_SIZE);

	for (uint32_t i = 0; i < CONTRACT_RING_SIZE && result == kIOReturnSuccess; i++) {
		result = IOUSBHostPipeSetMemoryDescriptor(pipe->pipe,
							  IO_MEMORY_DESCRIPTOR(pipe->buffer), i);
	}
	pipe->ring = result == kIOReturnSuccess;
	return result;
}

static METHOD(usb_bundle)
{
	struct contract_pipe *pipe = pipe_of(target, arguments->scalarInput[0]);
	uint32_t count = (uint32_t)arguments->scalarInput[1];
	uint32_t lengths[kIOUSBHostPipeBundlingMax];
	uint32_t accepted = 0;
	OSAction *action = NULL;
	struct pending *pending;
	kern_return_t result = kIOReturnSuccess;

	(void)reference;
	if (pipe == NULL || count > kIOUSBHostPipeBundlingMax) {
		return kIOReturnNotOpen;
	}
	for (uint32_t i = 0; i < count; i++) {
		lengths[i] = (uint32_t)arguments->scalarInput[2];
	}
	if (!pipe->ring) {
		result = make_ring(pipe);
	}
	if (result == kIOReturnSuccess) {
		result = IOUSBHostPipeCreateActionCompleteAsyncIOBundled(
			target, bundle_done, sizeof(struct pending), &action);
	}
	if (result != kIOReturnSuccess) {
		return result;
	}
	pending = OSActionGetReference(action);
	pending->completion = OSRetain(arguments->completion);
	pending->tag = count;
	result = IOUSBHostPipeAsyncIOBundled(pipe->pipe, 0, count, &accepted, lengths, (int)count,
					     action, 0);
	if (accepted == 0) {
		OSSafeReleaseNULL(pending->completion);
	}
	OSRelease(action);
	return result;
}

static METHOD(usb_buffer_address)
{
	struct contract_pipe *pipe = pipe_of(target, arguments->scalarInput[0]);
	IOAddressSegment range = {0};

	(void)reference;
	if (pipe == NULL) {
		return kIOReturnNotOpen;
	}
	(void)IOBufferMemoryDescriptorGetAddressRange(pipe->buffer, &range);
	arguments->scalarOutput[0] = range.address;
	return kIOReturnSuccess;
}

static METHOD(usb_reset)
{
	(void)reference;
	(void)arguments;
	return IOUSBHostDeviceReset(contract_usb_of((IOUserClient *)target)->device);
}

static METHOD(usb_replace_buffer)
{
	struct contract_pipe *pipe = pipe_of(target, arguments->scalarInput[0]);

	(void)reference;
	if (pipe == NULL) {
		return kIOReturnNotOpen;
	}
	OSSafeReleaseNULL(pipe->buffer);
	return IOUSBHostInterfaceCreateIOBuffer(
		contract_usb_of((IOUserClient *)target)->interface,
		kIOMemoryDirectionInOut | (IOOptionBits)arguments->scalarInput[1],
		arguments->scalarInput[2], &pipe->buffer);
}

#define AT(selector) [(selector) - CONTRACT_USB_BASE]

static const IOUserClientMethodDispatch rows[CONTRACT_USB_END - CONTRACT_USB_BASE] = {
	AT(CONTRACT_USB_CONFIGURE) = {contract_usb_configure, false, 1, 0, 0, 0},
	AT(CONTRACT_USB_IO) = {usb_io, false, 3, 0, 2, 0},
	AT(CONTRACT_USB_FILL) = {usb_fill, false, 2, 0, 0, 0},
	AT(CONTRACT_USB_ASYNC) = {usb_async, true, 4, 0, 0, 0},
	AT(CONTRACT_USB_ABORT) = {usb_abort, false, 2, 0, 0, 0},
	AT(CONTRACT_USB_CLEAR) = {usb_clear, false, 2, 0, 0, 0},
	AT(CONTRACT_USB_STALL) = {usb_stall, false, 1, 0, 0, 0},
	AT(CONTRACT_USB_CONTROL) = {usb_control, false, 5, ANY, 2, ANY},
	AT(CONTRACT_USB_CONTROL_ASYNC) = {usb_control_async, true, 5, ANY, 0, 0},
	AT(CONTRACT_USB_ALTERNATE) = {usb_alternate, false, 1, 0, 0, 0},
	AT(CONTRACT_USB_SPEED) = {usb_speed, false, 0, 0, 2, 0},
	AT(CONTRACT_USB_NR_INTERFACES) = {usb_nr_interfaces, false, 0, 0, 1, 0},
	AT(CONTRACT_USB_BUNDLE) = {usb_bundle, true, 3, 0, 0, 0},
	AT(CONTRACT_USB_TEST) = {contract_usb_test, false, 0, 0, 0, ANY},
	AT(CONTRACT_USB_CLOSE) = {contract_usb_close, false, 0, 0, 0, 0},
	AT(CONTRACT_USB_BUFFER_ADDRESS) = {usb_buffer_address, false, 1, 0, 1, 0},
	AT(CONTRACT_USB_ISOCH) = {contract_usb_isoch, false, 4, 0, 1, ANY},
	AT(CONTRACT_USB_ISOCH_ASYNC) = {contract_usb_isoch_async, true, 4, 0, 0, 0},
	AT(CONTRACT_USB_ISOCH_ABORT) = {contract_usb_isoch_abort, false, 1, 0, 0, 0},
	AT(CONTRACT_USB_RESET) = {usb_reset, false, 0, 0, 0, 0},
	AT(CONTRACT_USB_REPLACE_BUFFER) = {usb_replace_buffer, false, 3, 0, 0, 0},
};

const IOUserClientMethodDispatch *contract_usb_row(uint64_t selector)
{
	return selector >= CONTRACT_USB_BASE && selector < CONTRACT_USB_END
		       ? &rows[selector - CONTRACT_USB_BASE]
		       : NULL;
}
