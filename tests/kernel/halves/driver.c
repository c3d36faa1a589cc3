/* SPDX-License-Identifier: MIT
 *
 * driver - of a device with two functions, in three parts: one configures the device, the others drive an
 *          interface each. All have a process of their own.
 *
 * HalfDevice: SetConfiguration(1), interfaces are matched. Half: opens its interface, sends a packet and
 * reads one, which a source and sink does as well as a loopback; then it is there for applications.
 */
#include <opendext/driver.h>

#include "support/driver.h"

#define BYTES 1024u

static const OSDriverClass HalfDeviceClass, HalfClass;

static kern_return_t device_start(IOService *self, IOService *provider)
{
	IOUSBHostDevice *device = OSDynamicCast(IOUSBHostDevice, provider);

	RETURN_IF_FAILED(IOServiceSuperStart(&HalfDeviceClass, self, provider));
	RETURN_IF_FAILED(IOUSBHostDeviceOpen(device, self, 0, 0));
	RETURN_IF_FAILED(IOUSBHostDeviceSetConfiguration(device, 1, true));
	return IOServiceRegisterService(self);
}

static kern_return_t move(IOUSBHostInterface *interface, uint8_t direction)
{
	const IOUSBConfigurationDescriptor *configuration =
		IOUSBHostInterfaceCopyConfigurationDescriptor(interface);
	const IOUSBInterfaceDescriptor *setting =
		IOUSBHostInterfaceGetInterfaceDescriptor(interface, configuration);
	const IOUSBEndpointDescriptor *endpoint = NULL;
	IOBufferMemoryDescriptor *buffer = NULL;
	IOUSBHostPipe *pipe = NULL;
	uint32_t moved = 0;
	kern_return_t result = kIOReturnNotFound;

	do {
		endpoint = IOUSBGetNextEndpointDescriptor(configuration, setting,
							  (const IOUSBDescriptorHeader *)endpoint);
	} while (endpoint != NULL && IOUSBGetEndpointDirection(endpoint) != direction);
	if (endpoint != NULL) {
		result = IOUSBHostInterfaceCopyPipe(interface, IOUSBGetEndpointAddress(endpoint),
						    &pipe);
	}
	IOUSBHostFreeDescriptor(configuration);
	if (result == kIOReturnSuccess) {
		result = IOUSBHostInterfaceCreateIOBuffer(interface, kIOMemoryDirectionInOut, BYTES,
							  &buffer);
	}
	if (result == kIOReturnSuccess) {
		result = IOUSBHostPipeIO(pipe, IO_MEMORY_DESCRIPTOR(buffer), BYTES, &moved, 0);
	}
	OSSafeReleaseNULL(buffer);
	OSSafeReleaseNULL(pipe);
	return result == kIOReturnSuccess && moved != BYTES ? kIOReturnUnderrun : result;
}

static kern_return_t half_start(IOService *self, IOService *provider)
{
	IOUSBHostInterface *interface = OSDynamicCast(IOUSBHostInterface, provider);

	RETURN_IF_FAILED(IOServiceSuperStart(&HalfClass, self, provider));
	RETURN_IF_FAILED(IOUSBHostInterfaceOpen(interface, self, 0, NULL));
	RETURN_IF_FAILED(move(interface, kIOUSBEndpointDirectionOut));
	RETURN_IF_FAILED(move(interface, kIOUSBEndpointDirectionIn));
	return IOServiceRegisterService(self);
}

static const OSDriverClass HalfDeviceClass = {
	.name = "HalfDevice",
	.super = &IOServiceClass,
	.Start = device_start,
};

static const OSDriverClass HalfClass = {
	.name = "Half",
	.super = &IOServiceClass,
	.Start = half_start,
};

const OSDriverClass *const OpenDextDriverClasses[] = {&HalfDeviceClass, &HalfClass, NULL};
