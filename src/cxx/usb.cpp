/* SPDX-License-Identifier: MIT
 *
 * usb - IOUSBHostDevice, IOUSBHostInterface, IOUSBHostPipe.
 *
 * Place:   cxx. Descriptors have one layout on both sides and are passed through.
 */
#include "cxx/face.h"

DX_RUNTIME_CLASS(IOUSBHostDevice, IOService)
DX_RUNTIME_CLASS(IOUSBHostInterface, IOService)
DX_RUNTIME_CLASS(IOUSBHostPipe, OSObject)

#define DEVICE	  (dx::to<core::IOUSBHostDevice>(this))
#define INTERFACE (dx::to<core::IOUSBHostInterface>(this))
#define PIPE	  (dx::to<core::IOUSBHostPipe>(this))

static core::IOService *service_of(const IOService *service)
{
	return dx::to<core::IOService>(service);
}

static core::IOMemoryDescriptor *memory_of(const IOMemoryDescriptor *memory)
{
	return dx::to<core::IOMemoryDescriptor>(memory);
}

static core::OSAction *action_of(const OSAction *action)
{
	return dx::to<core::OSAction>(action);
}

void IOUSBHostFreeDescriptor(const IOUSBDeviceDescriptor *descriptor)
{
	core::IOUSBHostFreeDescriptor(descriptor);
}

void IOUSBHostFreeDescriptor(const IOUSBConfigurationDescriptor *descriptor)
{
	core::IOUSBHostFreeDescriptor(descriptor);
}

void IOUSBHostFreeDescriptor(const IOUSBBOSDescriptor *descriptor)
{
	core::IOUSBHostFreeDescriptor(descriptor);
}

void IOUSBHostFreeDescriptor(const IOUSBStringDescriptor *descriptor)
{
	core::IOUSBHostFreeDescriptor(descriptor);
}

/* ---- IOUSBHostDevice ---- */

kern_return_t IOUSBHostDevice::Open(IOService *forClient, IOOptionBits options, uintptr_t arg,
				    OSDispatchMethod)
{
	return core::IOUSBHostDeviceOpen(DEVICE, service_of(forClient), options, arg);
}

kern_return_t IOUSBHostDevice::Close(IOService *forClient, IOOptionBits options, OSDispatchMethod)
{
	return core::IOUSBHostDeviceClose(DEVICE, service_of(forClient), options);
}

kern_return_t IOUSBHostDevice::CopyDescriptor(uint8_t type, uint16_t *length, uint8_t index,
					      uint16_t languageID, uint8_t requestType,
					      uint8_t requestRecipient, uint8_t *descriptor)
{
	return core::IOUSBHostDeviceCopyDescriptor(DEVICE, type, length, index, languageID,
						   requestType, requestRecipient, descriptor);
}

const IOUSBDeviceDescriptor *IOUSBHostDevice::CopyDeviceDescriptor()
{
	return core::IOUSBHostDeviceCopyDeviceDescriptor(DEVICE);
}

const IOUSBConfigurationDescriptor *IOUSBHostDevice::CopyConfigurationDescriptor(uint8_t index)
{
	return core::IOUSBHostDeviceCopyConfigurationDescriptor(DEVICE, index);
}

const IOUSBConfigurationDescriptor *
IOUSBHostDevice::CopyConfigurationDescriptorWithValue(uint8_t bConfigurationValue)
{
	return core::IOUSBHostDeviceCopyConfigurationDescriptorWithValue(DEVICE,
									 bConfigurationValue);
}

const IOUSBConfigurationDescriptor *
IOUSBHostDevice::CopyConfigurationDescriptor(IOService *forClient)
{
	return core::IOUSBHostDeviceCopyCurrentConfigurationDescriptor(DEVICE,
								       service_of(forClient));
}

const IOUSBBOSDescriptor *IOUSBHostDevice::CopyCapabilityDescriptors()
{
	return core::IOUSBHostDeviceCopyCapabilityDescriptors(DEVICE);
}

const IOUSBStringDescriptor *IOUSBHostDevice::CopyStringDescriptor(uint8_t index,
								   uint16_t languageID)
{
	return core::IOUSBHostDeviceCopyStringDescriptor(DEVICE, index, languageID);
}

const IOUSBStringDescriptor *IOUSBHostDevice::CopyStringDescriptor(uint8_t index)
{
	return CopyStringDescriptor(index, kIOUSBLanguageIDEnglishUS);
}

kern_return_t IOUSBHostDevice::CreateIOBuffer(IOOptionBits options, uint64_t capacity,
					      IOBufferMemoryDescriptor **buffer, OSDispatchMethod)
{
	core::IOBufferMemoryDescriptor *made = nullptr;

	if (buffer == nullptr) {
		return kIOReturnBadArgument;
	}
	return dx::give(core::IOUSBHostDeviceCreateIOBuffer(DEVICE, options, capacity, &made), made,
			buffer);
}

kern_return_t IOUSBHostDevice::AsyncDeviceRequest(IOService *forClient, uint8_t bmRequestType,
						  uint8_t bRequest, uint16_t wValue, uint16_t wIndex,
						  uint16_t wLength, IOMemoryDescriptor *dataBuffer,
						  OSAction *completion,
						  uint32_t completionTimeoutMs, OSDispatchMethod)
{
	return core::IOUSBHostDeviceAsyncDeviceRequest(
		DEVICE, service_of(forClient), bmRequestType, bRequest, wValue, wIndex, wLength,
		memory_of(dataBuffer), action_of(completion), completionTimeoutMs);
}

kern_return_t IOUSBHostDevice::DeviceRequest(IOService *forClient, uint8_t bmRequestType,
					     uint8_t bRequest, uint16_t wValue, uint16_t wIndex,
					     uint16_t wLength, IOMemoryDescriptor *dataBuffer,
					     uint16_t *bytesTransferred,
					     uint32_t completionTimeoutMs, OSDispatchMethod)
{
	uint16_t unwanted = 0;

	return core::IOUSBHostDeviceDeviceRequest(
		DEVICE, service_of(forClient), bmRequestType, bRequest, wValue, wIndex, wLength,
		memory_of(dataBuffer), bytesTransferred == nullptr ? &unwanted : bytesTransferred,
		completionTimeoutMs);
}

kern_return_t IOUSBHostDevice::AbortDeviceRequests(IOService *forClient, IOOptionBits options,
						   IOReturn withError, OSDispatchMethod)
{
	return core::IOUSBHostDeviceAbortDeviceRequests(DEVICE, service_of(forClient), options,
							withError);
}

kern_return_t IOUSBHostDevice::SetConfiguration(uint8_t bConfigurationValue, bool matchInterfaces,
						OSDispatchMethod)
{
	return core::IOUSBHostDeviceSetConfiguration(DEVICE, bConfigurationValue, matchInterfaces);
}

kern_return_t IOUSBHostDevice::GetAddress(uint8_t *address, OSDispatchMethod) const
{
	return core::IOUSBHostDeviceGetAddress(DEVICE, address);
}

kern_return_t IOUSBHostDevice::GetSpeed(uint8_t *speed, OSDispatchMethod) const
{
	return core::IOUSBHostDeviceGetSpeed(DEVICE, speed);
}

kern_return_t IOUSBHostDevice::GetFrameNumber(uint64_t *frameNumber, uint64_t *theTime,
					      OSDispatchMethod)
{
	return core::IOUSBHostDeviceGetFrameNumber(DEVICE, frameNumber, theTime);
}

kern_return_t IOUSBHostDevice::GetPortStatus(uint32_t *portStatus, OSDispatchMethod)
{
	return core::IOUSBHostDeviceGetPortStatus(DEVICE, portStatus);
}

kern_return_t IOUSBHostDevice::Reset(OSDispatchMethod)
{
	return core::IOUSBHostDeviceReset(DEVICE);
}

kern_return_t IOUSBHostDevice::CreateInterfaceIterator(uintptr_t *ref, OSDispatchMethod)
{
	return core::IOUSBHostDeviceCreateInterfaceIterator(DEVICE, ref);
}

kern_return_t IOUSBHostDevice::DestroyInterfaceIterator(uintptr_t ref, OSDispatchMethod)
{
	return core::IOUSBHostDeviceDestroyInterfaceIterator(DEVICE, ref);
}

kern_return_t IOUSBHostDevice::CopyInterface(uintptr_t ref, IOUSBHostInterface **interface,
					     OSDispatchMethod)
{
	core::IOUSBHostInterface *found = nullptr;

	if (interface == nullptr) {
		return kIOReturnBadArgument;
	}
	kern_return_t status = core::IOUSBHostDeviceCopyInterface(DEVICE, ref, &found);
	if (status == kIOReturnSuccess && found == nullptr) {
		*interface = nullptr; /* the end */
		return status;
	}
	return dx::give(status, found, interface);
}

/* ---- IOUSBHostInterface ---- */

kern_return_t IOUSBHostInterface::Open(IOService *forClient, IOOptionBits options, uint8_t *arg,
				       OSDispatchMethod)
{
	return core::IOUSBHostInterfaceOpen(INTERFACE, service_of(forClient), options, arg);
}

kern_return_t IOUSBHostInterface::Close(IOService *forClient, IOOptionBits options,
					OSDispatchMethod)
{
	return core::IOUSBHostInterfaceClose(INTERFACE, service_of(forClient), options);
}

kern_return_t IOUSBHostInterface::GetFrameNumber(uint64_t *frameNumber, uint64_t *theTime,
						 OSDispatchMethod)
{
	return core::IOUSBHostInterfaceGetFrameNumber(INTERFACE, frameNumber, theTime);
}

const IOUSBConfigurationDescriptor *IOUSBHostInterface::CopyConfigurationDescriptor()
{
	return core::IOUSBHostInterfaceCopyConfigurationDescriptor(INTERFACE);
}

const IOUSBInterfaceDescriptor *IOUSBHostInterface::GetInterfaceDescriptor(
	const IOUSBConfigurationDescriptor *configurationDescriptor)
{
	return core::IOUSBHostInterfaceGetInterfaceDescriptor(INTERFACE, configurationDescriptor);
}

const IOUSBStringDescriptor *IOUSBHostInterface::CopyStringDescriptor(uint8_t index,
								      uint16_t languageID)
{
	return core::IOUSBHostInterfaceCopyStringDescriptor(INTERFACE, index, languageID);
}

const IOUSBStringDescriptor *IOUSBHostInterface::CopyStringDescriptor(uint8_t index)
{
	return CopyStringDescriptor(index, kIOUSBLanguageIDEnglishUS);
}

kern_return_t IOUSBHostInterface::CopyPipe(uint8_t address, IOUSBHostPipe **pipe, OSDispatchMethod)
{
	core::IOUSBHostPipe *found = nullptr;

	if (pipe == nullptr) {
		return kIOReturnBadArgument;
	}
	return dx::give(core::IOUSBHostInterfaceCopyPipe(INTERFACE, address, &found), found, pipe);
}

kern_return_t IOUSBHostInterface::SelectAlternateSetting(uint8_t bAlternateSetting,
							 OSDispatchMethod)
{
	return core::IOUSBHostInterfaceSelectAlternateSetting(INTERFACE, bAlternateSetting);
}

kern_return_t IOUSBHostInterface::GetPortStatus(uint32_t *portStatus, OSDispatchMethod)
{
	return core::IOUSBHostInterfaceGetPortStatus(INTERFACE, portStatus);
}

kern_return_t IOUSBHostInterface::SetIdlePolicy(uint32_t deviceIdleTimeout, OSDispatchMethod)
{
	return core::IOUSBHostInterfaceSetIdlePolicy(INTERFACE, deviceIdleTimeout);
}

kern_return_t IOUSBHostInterface::GetIdlePolicy(uint32_t *deviceIdleTimeout, OSDispatchMethod)
{
	return core::IOUSBHostInterfaceGetIdlePolicy(INTERFACE, deviceIdleTimeout);
}

kern_return_t IOUSBHostInterface::CopyDevice(IOUSBHostDevice **device, OSDispatchMethod)
{
	core::IOUSBHostDevice *found = nullptr;

	if (device == nullptr) {
		return kIOReturnBadArgument;
	}
	return dx::give(core::IOUSBHostInterfaceCopyDevice(INTERFACE, &found), found, device);
}

kern_return_t IOUSBHostInterface::CreateIOBuffer(IOOptionBits options, uint64_t capacity,
						 IOBufferMemoryDescriptor **buffer)
{
	core::IOBufferMemoryDescriptor *made = nullptr;

	if (buffer == nullptr) {
		return kIOReturnBadArgument;
	}
	return dx::give(core::IOUSBHostInterfaceCreateIOBuffer(INTERFACE, options, capacity, &made),
			made, buffer);
}

kern_return_t IOUSBHostInterface::AsyncDeviceRequest(uint8_t bmRequestType, uint8_t bRequest,
						     uint16_t wValue, uint16_t wIndex,
						     uint16_t wLength,
						     IOMemoryDescriptor *dataBuffer,
						     OSAction *completion,
						     uint32_t completionTimeoutMs)
{
	return core::IOUSBHostInterfaceAsyncDeviceRequest(
		INTERFACE, bmRequestType, bRequest, wValue, wIndex, wLength, memory_of(dataBuffer),
		action_of(completion), completionTimeoutMs);
}

kern_return_t IOUSBHostInterface::DeviceRequest(uint8_t bmRequestType, uint8_t bRequest,
						uint16_t wValue, uint16_t wIndex, uint16_t wLength,
						IOMemoryDescriptor *dataBuffer,
						uint16_t *bytesTransferred,
						uint32_t completionTimeoutMs)
{
	uint16_t unwanted = 0;

	return core::IOUSBHostInterfaceDeviceRequest(
		INTERFACE, bmRequestType, bRequest, wValue, wIndex, wLength, memory_of(dataBuffer),
		bytesTransferred == nullptr ? &unwanted : bytesTransferred, completionTimeoutMs);
}

kern_return_t IOUSBHostInterface::AbortDeviceRequests(IOOptionBits options, IOReturn withError)
{
	return core::IOUSBHostInterfaceAbortDeviceRequests(INTERFACE, options, withError);
}

/* ---- IOUSBHostPipe ---- */

kern_return_t IOUSBHostPipe::GetSpeed(uint8_t *speed, OSDispatchMethod) const
{
	return core::IOUSBHostPipeGetSpeed(PIPE, speed);
}

kern_return_t IOUSBHostPipe::GetDeviceAddress(uint8_t *address, OSDispatchMethod) const
{
	return core::IOUSBHostPipeGetDeviceAddress(PIPE, address);
}

kern_return_t IOUSBHostPipe::Abort(IOOptionBits options, kern_return_t withError,
				   IOService *forClient, OSDispatchMethod)
{
	(void)forClient; /* matters on control endpoints, which are no pipes here */
	return core::IOUSBHostPipeAbort(PIPE, options, withError, nullptr);
}

kern_return_t IOUSBHostPipe::AdjustPipe(const IOUSBStandardEndpointDescriptors *descriptors,
					OSDispatchMethod)
{
	return core::IOUSBHostPipeAdjustPipe(PIPE, descriptors);
}

kern_return_t IOUSBHostPipe::GetDescriptors(IOUSBStandardEndpointDescriptors *descriptors,
					    IOUSBGetEndpointDescriptorOptions type,
					    OSDispatchMethod)
{
	return core::IOUSBHostPipeGetDescriptors(
		PIPE, descriptors, static_cast<core::IOUSBGetEndpointDescriptorOptions>(type));
}

kern_return_t IOUSBHostPipe::SetIdlePolicy(uint32_t idleTimeoutMs, OSDispatchMethod)
{
	return core::IOUSBHostPipeSetIdlePolicy(PIPE, idleTimeoutMs);
}

kern_return_t IOUSBHostPipe::GetIdlePolicy(uint32_t *idleTimeoutMS, OSDispatchMethod)
{
	return core::IOUSBHostPipeGetIdlePolicy(PIPE, idleTimeoutMS);
}

kern_return_t IOUSBHostPipe::ClearStall(bool withRequest, OSDispatchMethod)
{
	return core::IOUSBHostPipeClearStall(PIPE, withRequest);
}

kern_return_t IOUSBHostPipe::AsyncIO(IOMemoryDescriptor *dataBuffer, uint32_t dataBufferLength,
				     OSAction *completion, uint32_t completionTimeoutMs,
				     OSDispatchMethod)
{
	return core::IOUSBHostPipeAsyncIO(PIPE, memory_of(dataBuffer), dataBufferLength,
					  action_of(completion), completionTimeoutMs);
}

kern_return_t IOUSBHostPipe::IO(IOMemoryDescriptor *dataBuffer, uint32_t dataBufferLength,
				uint32_t *bytesTransferred, uint32_t completionTimeoutMs,
				OSDispatchMethod)
{
	uint32_t unwanted = 0;

	return core::IOUSBHostPipeIO(PIPE, memory_of(dataBuffer), dataBufferLength,
				     bytesTransferred == nullptr ? &unwanted : bytesTransferred,
				     completionTimeoutMs);
}

kern_return_t IOUSBHostPipe::IsochIO(IOMemoryDescriptor *dataBuffer, IOMemoryDescriptor *frameList,
				     uint64_t firstFrameNumber, OSAction *completion,
				     OSDispatchMethod)
{
	return core::IOUSBHostPipeIsochIO(PIPE, memory_of(dataBuffer), memory_of(frameList),
					  firstFrameNumber, action_of(completion));
}

kern_return_t IOUSBHostPipe::CreateMemoryDescriptorRing(uint32_t size, OSDispatchMethod)
{
	return core::IOUSBHostPipeCreateMemoryDescriptorRing(PIPE, size);
}

kern_return_t IOUSBHostPipe::SetMemoryDescriptor(IOMemoryDescriptor *memoryDescriptor,
						 uint32_t index, OSDispatchMethod)
{
	return core::IOUSBHostPipeSetMemoryDescriptor(PIPE, memory_of(memoryDescriptor), index);
}

kern_return_t IOUSBHostPipe::AsyncIOBundled(uint32_t ioTransferIndex, uint32_t ioTransferCount,
					    uint32_t *ioTransferAcceptedCount,
					    const uint32_t dataBufferLengthArray[16],
					    int dataBufferLengthArrayCount, OSAction *completion,
					    uint32_t completionTimeoutMs, OSDispatchMethod)
{
	return core::IOUSBHostPipeAsyncIOBundled(PIPE, ioTransferIndex, ioTransferCount,
						 ioTransferAcceptedCount, dataBufferLengthArray,
						 dataBufferLengthArrayCount, action_of(completion),
						 completionTimeoutMs);
}
