/* SPDX-License-Identifier: MIT
 *
 * USBDriverKit/IOUSBHostInterface.h - a USB interface as a driver sees it.
 */
#ifndef OPENDEXT_USBDRIVERKIT_IOUSBHOSTINTERFACE_H
#define OPENDEXT_USBDRIVERKIT_IOUSBHOSTINTERFACE_H

#if defined(__IIG) && __IIG
#include <USBDriverKit/IOUSBHostInterface.iig>
#else

#include <DriverKit/IOService.h>
#include <DriverKit/IOBufferMemoryDescriptor.h>
#include <USBDriverKit/AppleUSBDescriptorParsing.h>

#pragma GCC visibility push(default)

class IOUSBHostDevice;
class IOUSBHostPipe;

/*! In options of Open(): select the alternate setting that arg points at. */
#define kUSBHostOpenOptionSelectAlternateSetting 0x10000u

class IOUSBHostInterface;
#define IOUSBHostInterface_Open_ID 0x80699348cef75b80ULL
#define IOUSBHostInterface_Open_Args IOService *forClient, IOOptionBits options, uint8_t *arg
#define IOUSBHostInterface_Close_ID 0x91da7bffe94167dcULL
#define IOUSBHostInterface_Close_Args IOService *forClient, IOOptionBits options
#define IOUSBHostInterface_GetFrameNumber_ID 0xea39e670e96ee374ULL
#define IOUSBHostInterface_GetFrameNumber_Args uint64_t *frameNumber, uint64_t *theTime
#define IOUSBHostInterface_CopyPipe_ID 0xb7b32f2dad27aeedULL
#define IOUSBHostInterface_CopyPipe_Args uint8_t address, IOUSBHostPipe **pipe
#define IOUSBHostInterface_SelectAlternateSetting_ID 0xd7ca120604456fb2ULL
#define IOUSBHostInterface_SelectAlternateSetting_Args uint8_t bAlternateSetting
#define IOUSBHostInterface_GetPortStatus_ID 0xb75a43d0aabf7717ULL
#define IOUSBHostInterface_GetPortStatus_Args uint32_t *portStatus
#define IOUSBHostInterface_SetIdlePolicy_ID 0xa86e27ad6d717cf5ULL
#define IOUSBHostInterface_SetIdlePolicy_Args uint32_t deviceIdleTimeout
#define IOUSBHostInterface_GetIdlePolicy_ID 0xcb8eb7016877328cULL
#define IOUSBHostInterface_GetIdlePolicy_Args uint32_t *deviceIdleTimeout
#define IOUSBHostInterface_CopyDevice_ID 0x88a58ab0c403d7edULL
#define IOUSBHostInterface_CopyDevice_Args IOUSBHostDevice **device

extern OSMetaClass *gIOUSBHostInterfaceMetaClass;
extern const OSClassLoadInformation IOUSBHostInterface_Class;

/*! An interface of the selected configuration. */
class IOUSBHostInterface : public IOService {
	OS_RUNTIME_CLASS(IOUSBHostInterface, IOService);

	/*! Opens the one session. */
	kern_return_t Open(IOService *forClient, IOOptionBits options, uint8_t *arg,
			OSDispatchMethod supermethod = nullptr);

	/*! Aborts all I/O; completions have been queued when it returns. */
	kern_return_t Close(IOService *forClient, IOOptionBits options,
			OSDispatchMethod supermethod = nullptr);
	kern_return_t GetFrameNumber(uint64_t *frameNumber, uint64_t *theTime,
			OSDispatchMethod supermethod = nullptr);

	/*! Free with IOUSBHostFreeDescriptor(). */
	const IOUSBConfigurationDescriptor * CopyConfigurationDescriptor();

	/*! A pointer into the configuration. */
	const IOUSBInterfaceDescriptor * GetInterfaceDescriptor(
			const IOUSBConfigurationDescriptor *configurationDescriptor);
	const IOUSBStringDescriptor * CopyStringDescriptor(uint8_t index, uint16_t languageID);
	const IOUSBStringDescriptor * CopyStringDescriptor(uint8_t index);

	/*!
	 * @param address  bEndpointAddress with the direction bit. @param pipe  out, +1. @return
	 *   kIOReturnNotFound; kIOReturnNotOpen.
	 */
	kern_return_t CopyPipe(uint8_t address, IOUSBHostPipe **pipe,
			OSDispatchMethod supermethod = nullptr);

	/*! Aborts I/O, makes the pipes unusable, sends SET_INTERFACE. */
	kern_return_t SelectAlternateSetting(uint8_t bAlternateSetting,
			OSDispatchMethod supermethod = nullptr);
	kern_return_t GetPortStatus(uint32_t *portStatus, OSDispatchMethod supermethod = nullptr);
	kern_return_t SetIdlePolicy(uint32_t deviceIdleTimeout,
			OSDispatchMethod supermethod = nullptr);
	kern_return_t GetIdlePolicy(uint32_t *deviceIdleTimeout,
			OSDispatchMethod supermethod = nullptr);

	/*! +1. */
	kern_return_t CopyDevice(IOUSBHostDevice **device,
			OSDispatchMethod supermethod = nullptr);

	/*! As of the device. */
	kern_return_t CreateIOBuffer(IOOptionBits options, uint64_t capacity,
			IOBufferMemoryDescriptor **buffer);

	/*! Control requests in the session of the interface. */
	kern_return_t AsyncDeviceRequest(uint8_t bmRequestType, uint8_t bRequest, uint16_t wValue,
			uint16_t wIndex, uint16_t wLength, IOMemoryDescriptor *dataBuffer,
			OSAction *completion, uint32_t completionTimeoutMs);
	kern_return_t DeviceRequest(uint8_t bmRequestType, uint8_t bRequest, uint16_t wValue,
			uint16_t wIndex, uint16_t wLength, IOMemoryDescriptor *dataBuffer,
			uint16_t *bytesTransferred, uint32_t completionTimeoutMs);
	kern_return_t AbortDeviceRequests(IOOptionBits options, IOReturn withError);
};

#pragma GCC visibility pop

#endif
#endif
