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

	/*!
	 * Opens the one session of the interface.
	 * @param forClient  this of the driver.
	 * @param options  0, or kUSBHostOpenOptionSelectAlternateSetting.
	 * @param arg  NULL, or with that option the alternate setting.
	 * @return kIOReturnSuccess; kIOReturnExclusiveAccess; kIOReturnBadArgument; kIOReturnNoDevice.
	 * Owner: forClient until Close(), or until its Stop is through.
	 */
	kern_return_t Open(IOService *forClient, IOOptionBits options, uint8_t *arg,
			OSDispatchMethod supermethod = nullptr);

	/*!
	 * Aborts all I/O and ends the session; completions have been queued when it returns.
	 * @param forClient  as of Open().
	 * @param options  0.
	 * @return kIOReturnSuccess; kIOReturnNotOpen without a session of forClient.
	 */
	kern_return_t Close(IOService *forClient, IOOptionBits options,
			OSDispatchMethod supermethod = nullptr);

	/*!
	 * As IOUSBHostDevice::GetFrameNumber().
	 * @param frameNumber  out.
	 * @param theTime  out: mach_absolute_time() of the reading; may be NULL.
	 * @return kIOReturnSuccess; kIOReturnBadArgument; kIOReturnNoDevice.
	 */
	kern_return_t GetFrameNumber(uint64_t *frameNumber, uint64_t *theTime,
			OSDispatchMethod supermethod = nullptr);

	/*!
	 * A copy of the configuration that the interface is in.
	 * @return to be freed with IOUSBHostFreeDescriptor(); NULL without memory.
	 */
	const IOUSBConfigurationDescriptor * CopyConfigurationDescriptor();

	/*!
	 * Finds the interface with its present alternate setting in a configuration.
	 * @param configurationDescriptor  of CopyConfigurationDescriptor().
	 * @return a pointer into it; NULL when it is not there.
	 */
	const IOUSBInterfaceDescriptor * GetInterfaceDescriptor(
			const IOUSBConfigurationDescriptor *configurationDescriptor);

	/*!
	 * As IOUSBHostDevice::CopyStringDescriptor().
	 * @param index  as descriptors name it.
	 * @param languageID  0: kIOUSBLanguageIDEnglishUS.
	 * @return to be freed with IOUSBHostFreeDescriptor(); NULL when there is none.
	 */
	const IOUSBStringDescriptor * CopyStringDescriptor(uint8_t index, uint16_t languageID);

	/*!
	 * The same in English.
	 * @param index  as above.
	 * @return as above.
	 */
	const IOUSBStringDescriptor * CopyStringDescriptor(uint8_t index);

	/*!
	 * The pipe to an endpoint of the present alternate setting.
	 * @param address  bEndpointAddress with the direction bit.
	 * @param pipe  out, +1; the same object while somebody holds it.
	 * @return kIOReturnSuccess; kIOReturnNotFound; kIOReturnNotOpen; kIOReturnBadArgument.
	 */
	kern_return_t CopyPipe(uint8_t address, IOUSBHostPipe **pipe,
			OSDispatchMethod supermethod = nullptr);

	/*!
	 * Aborts I/O, makes the pipes unusable and sends SET_INTERFACE.
	 * @param bAlternateSetting  which.
	 * @return kIOReturnSuccess; kIOReturnNotFound; kIOReturnNotOpen; kIOReturnNoDevice.
	 * Blocks: until the old transfers have ended and the device has answered.
	 */
	kern_return_t SelectAlternateSetting(uint8_t bAlternateSetting,
			OSDispatchMethod supermethod = nullptr);

	/*!
	 * As IOUSBHostDevice::GetPortStatus().
	 * @param portStatus  out.
	 * @return kIOReturnSuccess; kIOReturnBadArgument.
	 */
	kern_return_t GetPortStatus(uint32_t *portStatus, OSDispatchMethod supermethod = nullptr);

	/*!
	 * How long all pipes must be idle before the device may be suspended.
	 * @param deviceIdleTimeout  milliseconds; 0: never.
	 * @return kIOReturnSuccess; kIOReturnNotOpen.
	 * Differs: kept, and in force on devices that can be suspended.
	 */
	kern_return_t SetIdlePolicy(uint32_t deviceIdleTimeout,
			OSDispatchMethod supermethod = nullptr);

	/*!
	 * What SetIdlePolicy() set.
	 * @param deviceIdleTimeout  out.
	 * @return kIOReturnSuccess; kIOReturnNotOpen; kIOReturnBadArgument.
	 */
	kern_return_t GetIdlePolicy(uint32_t *deviceIdleTimeout,
			OSDispatchMethod supermethod = nullptr);

	/*!
	 * The device of the interface.
	 * @param device  out, +1.
	 * @return kIOReturnSuccess; kIOReturnBadArgument; kIOReturnNoMemory.
	 */
	kern_return_t CopyDevice(IOUSBHostDevice **device,
			OSDispatchMethod supermethod = nullptr);

	/*!
	 * Memory that transfers can use in place.
	 * @param options  kIOMemoryDirection bits.
	 * @param capacity  bytes.
	 * @param buffer  out, +1.
	 * @return kIOReturnSuccess; kIOReturnBadArgument; kIOReturnNoMemory.
	 */
	kern_return_t CreateIOBuffer(IOOptionBits options, uint64_t capacity,
			IOBufferMemoryDescriptor **buffer);

	/*!
	 * IOUSBHostDevice::AsyncDeviceRequest() in the session of the interface; arguments and results
	 * as there.
	 * @return kIOReturnNotOpen without a session.
	 */
	kern_return_t AsyncDeviceRequest(uint8_t bmRequestType, uint8_t bRequest, uint16_t wValue,
			uint16_t wIndex, uint16_t wLength, IOMemoryDescriptor *dataBuffer,
			OSAction *completion, uint32_t completionTimeoutMs);

	/*!
	 * IOUSBHostDevice::DeviceRequest() in the session of the interface; arguments and results as
	 * there.
	 * @return kIOReturnNotOpen without a session.
	 * Blocks: the calling queue; other queues go on.
	 */
	kern_return_t DeviceRequest(uint8_t bmRequestType, uint8_t bRequest, uint16_t wValue,
			uint16_t wIndex, uint16_t wLength, IOMemoryDescriptor *dataBuffer,
			uint16_t *bytesTransferred, uint32_t completionTimeoutMs);

	/*!
	 * Completes the pending requests of the interface's session.
	 * @param options  0.
	 * @param withError  what they complete with: kIOReturnAborted.
	 * @return kIOReturnSuccess; kIOReturnBadArgument.
	 */
	kern_return_t AbortDeviceRequests(IOOptionBits options, IOReturn withError);
};

#pragma GCC visibility pop

#endif
#endif
