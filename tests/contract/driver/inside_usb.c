/* SPDX-License-Identifier: MIT
 *
 * inside_usb - descriptors, sessions and pipes as a driver uses them, on Gadget Zero at super speed
 * in configuration 3.
 */
#include "inside.h"
#include "usb.h"

static void check_device(struct inside *inside, IOUSBHostDevice *device)
{
	const IOUSBDeviceDescriptor *descriptor = IOUSBHostDeviceCopyDeviceDescriptor(device);
	const IOUSBStringDescriptor *text = IOUSBHostDeviceCopyStringDescriptor(device, 2, 0);
	const IOUSBBOSDescriptor *bos = IOUSBHostDeviceCopyCapabilityDescriptors(device);
	uint8_t bytes[18] = {0};
	uint16_t length = sizeof(bytes);
	uint8_t address = 0;
	uint64_t frame = 0;
	uint64_t later = 0;
	uint64_t time = 0;

	INSIDE(descriptor != NULL && descriptor->idVendor == 0x0525 &&
	       descriptor->idProduct == 0xa4a0 && descriptor->bNumConfigurations == 2);
	INSIDE_EQ(IOUSBHostDeviceCopyDescriptor(device, 1, &length, 0, 0, 0, 0, bytes),
		  kIOReturnSuccess);
	INSIDE_EQ(length, 18);
	INSIDE(descriptor != NULL && memcmp(bytes, descriptor, 18) == 0);
	INSIDE(text != NULL && text->bLength == 2 + 2 * strlen("Gadget Zero"));
	INSIDE(bos != NULL && IOUSBGetSuperSpeedDeviceCapabilityDescriptor(bos) != NULL);
	INSIDE(IOUSBHostDeviceCopyStringDescriptor(device, 99, 0) == NULL);
	INSIDE_EQ(IOUSBHostDeviceGetAddress(device, &address), kIOReturnSuccess);
	INSIDE(address >= 1 && address <= 127);
	INSIDE_EQ(IOUSBHostDeviceGetFrameNumber(device, &frame, &time), kIOReturnSuccess);
	IOSleep(3);
	INSIDE_EQ(IOUSBHostDeviceGetFrameNumber(device, &later, NULL), kIOReturnSuccess);
	INSIDE(later > frame);
	IOUSBHostFreeDescriptor(descriptor);
	IOUSBHostFreeDescriptor(text);
	IOUSBHostFreeDescriptor(bos);
	IOUSBHostFreeDescriptor(NULL);
}

static void check_configuration(struct inside *inside, IOUSBHostDevice *device,
				IOUSBHostInterface *interface)
{
	const IOUSBConfigurationDescriptor *configuration =
		IOUSBHostInterfaceCopyConfigurationDescriptor(interface);
	const IOUSBConfigurationDescriptor *other =
		IOUSBHostDeviceCopyConfigurationDescriptorWithValue(device, 2);
	const IOUSBInterfaceDescriptor *descriptor =
		IOUSBHostInterfaceGetInterfaceDescriptor(interface, configuration);
	const IOUSBEndpointDescriptor *endpoint = NULL;
	unsigned nr_endpoints = 0;

	INSIDE(configuration != NULL && configuration->bConfigurationValue == 3);
	INSIDE(other != NULL && other->bConfigurationValue == 2);
	INSIDE(IOUSBHostDeviceCopyConfigurationDescriptorWithValue(device, 77) == NULL);
	INSIDE(IOUSBHostDeviceCopyConfigurationDescriptor(device, 9) == NULL);
	INSIDE(descriptor != NULL && descriptor->bNumEndpoints == 2);
	while (descriptor != NULL) {
		endpoint = IOUSBGetNextEndpointDescriptor(configuration, descriptor,
							  (const IOUSBDescriptorHeader *)endpoint);
		if (endpoint == NULL) {
			break;
		}
		nr_endpoints++;
		INSIDE_EQ(IOUSBGetEndpointType(endpoint), 2);
		INSIDE_EQ(IOUSBGetEndpointMaxPacketSize(4, endpoint), 1024);
		INSIDE_EQ(IOUSBGetEndpointNumber(endpoint),
			  IOUSBGetEndpointAddress(endpoint) & 0xf);
	}
	INSIDE_EQ(nr_endpoints, 2);
	IOUSBHostFreeDescriptor(configuration);
	IOUSBHostFreeDescriptor(other);
}

static void check_sessions(struct inside *inside, struct contract_usb *usb)
{
	IOUSBHostPipe *pipe = NULL;
	IOUSBHostDevice *device = NULL;
	IOService *self = (IOService *)inside->target;

	/* The service has the device, this client has the interface. */
	INSIDE_EQ(IOUSBHostInterfaceOpen(usb->interface, IOServiceGetProvider(self), 0, NULL),
		  kIOReturnExclusiveAccess);
	INSIDE_EQ(IOUSBHostDeviceClose(usb->device, self, 0), kIOReturnNotOpen);
	INSIDE_EQ(IOUSBHostInterfaceCopyPipe(usb->interface, 0x8f, &pipe), kIOReturnNotFound);
	INSIDE_EQ(IOUSBHostInterfaceCopyPipe(usb->interface, usb->pipes[0].address, &pipe),
		  kIOReturnSuccess);
	INSIDE(pipe == usb->pipes[0].pipe);
	OSSafeReleaseNULL(pipe);
	INSIDE_EQ(IOUSBHostInterfaceCopyDevice(usb->interface, &device), kIOReturnSuccess);
	INSIDE(device != NULL);
	OSSafeReleaseNULL(device);
}

static void check_pipe_arguments(struct inside *inside, struct contract_usb *usb)
{
	IOMemoryDescriptor *memory = IO_MEMORY_DESCRIPTOR(usb->pipes[0].buffer);
	IOUSBHostPipe *pipe = usb->pipes[0].pipe;
	uint32_t moved = 0;
	uint32_t lengths[1] = {1024};

	INSIDE_EQ(IOUSBHostPipeIO(NULL, memory, 1024, &moved, 0), kIOReturnBadArgument);
	INSIDE_EQ(IOUSBHostPipeIO(pipe, memory, CONTRACT_USB_BUFFER_BYTES + 1, &moved, 0),
		  kIOReturnBadArgument);
	INSIDE_EQ(IOUSBHostPipeIO(pipe, NULL, 1024, &moved, 0), kIOReturnBadArgument);
	INSIDE_EQ(IOUSBHostPipeAsyncIO(pipe, memory, 1024, NULL, 0), kIOReturnBadArgument);
	INSIDE_EQ(IOUSBHostPipeAbort(pipe, 0, kIOReturnSuccess, NULL), kIOReturnBadArgument);
	INSIDE(IOUSBHostPipeAsyncIOBundled(pipe, 0, 1, &moved, lengths, 1, NULL, 0) !=
	       kIOReturnSuccess);
	INSIDE_EQ(moved, 0);
}

static void check_usb(struct inside *inside)
{
	struct contract_usb *usb = contract_usb_of((IOUserClient *)inside->target);

	INSIDE(usb->interface != NULL && usb->pipes[0].pipe != NULL);
	if (inside->failure[0] != '\0') {
		return;
	}
	check_device(inside, usb->device);
	check_configuration(inside, usb->device, usb->interface);
	check_sessions(inside, usb);
	check_pipe_arguments(inside, usb);
}

INSIDE_METHOD(contract_usb_test, check_usb)
