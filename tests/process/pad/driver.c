/* SPDX-License-Identifier: MIT
 *
 * driver - of a device whose class is vendor-specific, in two parts: one configures the device, the
 *          other one drives its interface. What the first one stores in the device the second one
 *          finds there, and shows as its name.
 */
#include <opendext/driver.h>
#include <string.h>

#include "support/driver.h"

#define STORE	     0x5b /* vendor requests of described devices */
#define READ_BACK    0x5c
#define GREETING     "from the device driver"
#define CONFIGURATION 1

static const OSDriverClass PadDeviceClass, PadInterfaceClass;

static kern_return_t make_buffer(IOBufferMemoryDescriptor **buffer, char **bytes)
{
	IOAddressSegment range = {0};

	RETURN_IF_FAILED(IOBufferMemoryDescriptorCreate(kIOMemoryDirectionInOut, sizeof(GREETING), 0,
							buffer));
	RETURN_IF_FAILED(IOBufferMemoryDescriptorSetLength(*buffer, sizeof(GREETING)));
	RETURN_IF_FAILED(IOBufferMemoryDescriptorGetAddressRange(*buffer, &range));
	*bytes = (char *)(uintptr_t)range.address;
	return kIOReturnSuccess;
}

static kern_return_t device_start(IOService *self, IOService *provider)
{
	IOUSBHostDevice *device = OSDynamicCast(IOUSBHostDevice, provider);
	IOBufferMemoryDescriptor *buffer = NULL;
	uint16_t moved = 0;
	char *bytes = NULL;

	RETURN_IF_FAILED(IOServiceSuperStart(&PadDeviceClass, self, provider));
	RETURN_IF_FAILED(make_buffer(&buffer, &bytes));
	memcpy(bytes, GREETING, sizeof(GREETING));
	RETURN_IF_FAILED(IOUSBHostDeviceOpen(device, self, 0, 0));
	RETURN_IF_FAILED(IOUSBHostDeviceDeviceRequest(device, self, 0x40, STORE, 0, 0,
						      sizeof(GREETING), IO_MEMORY_DESCRIPTOR(buffer),
						      &moved, 0));
	OSRelease(buffer);
	RETURN_IF_FAILED(IOUSBHostDeviceSetConfiguration(device, CONFIGURATION, true));
	return IOServiceRegisterService(self);
}

static kern_return_t device_stop(IOService *self, IOService *provider)
{
	return IOServiceSuperStop(&PadDeviceClass, self, provider);
}

static kern_return_t interface_start(IOService *self, IOService *provider)
{
	IOUSBHostInterface *interface = OSDynamicCast(IOUSBHostInterface, provider);
	IOBufferMemoryDescriptor *buffer = NULL;
	IOUSBHostPipe *pipe = NULL;
	uint16_t moved = 0;
	char *bytes = NULL;

	RETURN_IF_FAILED(IOServiceSuperStart(&PadInterfaceClass, self, provider));
	RETURN_IF_FAILED(make_buffer(&buffer, &bytes));
	RETURN_IF_FAILED(IOUSBHostInterfaceOpen(interface, self, 0, NULL));
	RETURN_IF_FAILED(IOUSBHostInterfaceCopyPipe(interface, 0x81, &pipe));
	OSRelease(pipe);
	RETURN_IF_FAILED(IOUSBHostInterfaceDeviceRequest(interface, 0xc0, READ_BACK, 0, 0,
							 sizeof(GREETING),
							 IO_MEMORY_DESCRIPTOR(buffer), &moved, 0));
	bytes[sizeof(GREETING) - 1] = '\0';
	RETURN_IF_FAILED(IOServiceSetName(self, bytes));
	OSRelease(buffer);
	return IOServiceRegisterService(self);
}

static kern_return_t interface_stop(IOService *self, IOService *provider)
{
	return IOServiceSuperStop(&PadInterfaceClass, self, provider);
}

static const OSDriverClass PadDeviceClass = {
	.name = "PadDevice",
	.super = &IOServiceClass,
	.Start = device_start,
	.Stop = device_stop,
};

static const OSDriverClass PadInterfaceClass = {
	.name = "PadInterface",
	.super = &IOServiceClass,
	.Start = interface_start,
	.Stop = interface_stop,
};

const OSDriverClass *const OpenDextDriverClasses[] = {&PadDeviceClass, &PadInterfaceClass, NULL};
