/* SPDX-License-Identifier: MIT
 *
 * USBDriverKit/IOUSBHostDevice.h - a USB device as a driver sees it.
 */
#ifndef OPENDEXT_USBDRIVERKIT_IOUSBHOSTDEVICE_H
#define OPENDEXT_USBDRIVERKIT_IOUSBHOSTDEVICE_H

#if defined(__IIG) && __IIG
#include <USBDriverKit/IOUSBHostDevice.iig>
#else

#include <DriverKit/IOService.h>
#include <DriverKit/IOBufferMemoryDescriptor.h>
#include <USBDriverKit/AppleUSBDescriptorParsing.h>

#pragma GCC visibility push(default)

class IOUSBHostInterface;

class IOUSBHostDevice;
#define IOUSBHostDevice_Open_ID 0xf2c1e8508e57b49dULL
#define IOUSBHostDevice_Open_Args IOService *forClient, IOOptionBits options, uintptr_t arg
#define IOUSBHostDevice_Close_ID 0xff427425538a1d12ULL
#define IOUSBHostDevice_Close_Args IOService *forClient, IOOptionBits options
#define IOUSBHostDevice_CreateIOBuffer_ID 0x820ef26d3cac1525ULL
#define IOUSBHostDevice_CreateIOBuffer_Args \
	IOOptionBits options, uint64_t capacity, IOBufferMemoryDescriptor **buffer
#define IOUSBHostDevice_CompleteAsyncDeviceRequest_ID 0xfb883da313d1f9fcULL
#define IOUSBHostDevice_CompleteAsyncDeviceRequest_Args \
	OSAction *action, IOReturn status, uint32_t bytesTransferred
#define IOUSBHostDevice_AsyncDeviceRequest_ID 0xabd5fdfa3f234842ULL
#define IOUSBHostDevice_AsyncDeviceRequest_Args \
	IOService *forClient, uint8_t bmRequestType, uint8_t bRequest, uint16_t wValue, \
	uint16_t wIndex, uint16_t wLength, IOMemoryDescriptor *dataBuffer, \
	OSAction *completion, uint32_t completionTimeoutMs
#define IOUSBHostDevice_DeviceRequest_ID 0x96d4db7a39a6862bULL
#define IOUSBHostDevice_DeviceRequest_Args \
	IOService *forClient, uint8_t bmRequestType, uint8_t bRequest, uint16_t wValue, \
	uint16_t wIndex, uint16_t wLength, IOMemoryDescriptor *dataBuffer, \
	uint16_t *bytesTransferred, uint32_t completionTimeoutMs
#define IOUSBHostDevice_AbortDeviceRequests_ID 0xbb6868d48094993aULL
#define IOUSBHostDevice_AbortDeviceRequests_Args \
	IOService *forClient, IOOptionBits options, IOReturn withError
#define IOUSBHostDevice_SetConfiguration_ID 0xaebee0a301e78aa8ULL
#define IOUSBHostDevice_SetConfiguration_Args uint8_t bConfigurationValue, bool matchInterfaces
#define IOUSBHostDevice_GetAddress_ID 0xd577751996c388a8ULL
#define IOUSBHostDevice_GetAddress_Args uint8_t *address
#define IOUSBHostDevice_GetSpeed_ID 0x934606b867102c02ULL
#define IOUSBHostDevice_GetSpeed_Args uint8_t *speed
#define IOUSBHostDevice_GetFrameNumber_ID 0xfae3d2e591a38b7cULL
#define IOUSBHostDevice_GetFrameNumber_Args uint64_t *frameNumber, uint64_t *theTime
#define IOUSBHostDevice_GetPortStatus_ID 0x8e192cabd66fc257ULL
#define IOUSBHostDevice_GetPortStatus_Args uint32_t *portStatus
#define IOUSBHostDevice_Reset_ID 0x867f956287229516ULL
#define IOUSBHostDevice_Reset_Args
#define IOUSBHostDevice_CreateInterfaceIterator_ID 0xf4532bfdcfc77f7aULL
#define IOUSBHostDevice_CreateInterfaceIterator_Args uintptr_t *ref
#define IOUSBHostDevice_DestroyInterfaceIterator_ID 0xbe9201d2c982c086ULL
#define IOUSBHostDevice_DestroyInterfaceIterator_Args uintptr_t ref
#define IOUSBHostDevice_CopyInterface_ID 0xa337b9d71bbacf12ULL
#define IOUSBHostDevice_CopyInterface_Args uintptr_t ref, IOUSBHostInterface **interface
struct OS_MESSAGE IOUSBHostDevice_CompleteAsyncDeviceRequest_Msg {
	OSAction *action;
	IOReturn status;
	uint32_t bytesTransferred;
};

extern OSMetaClass *gIOUSBHostDeviceMetaClass;
extern const OSClassLoadInformation IOUSBHostDevice_Class;

/*!
 * A device. Open() it before anything is sent; the session ends with Close() or when the
 * driver's Stop is through. Timeouts are milliseconds, 0: none. A request that was accepted
 * completes exactly once.
 */
class IOUSBHostDevice : public IOService {
	OS_RUNTIME_CLASS(IOUSBHostDevice, IOService);

	/*!
	 * @param forClient  this of the driver. @return kIOReturnExclusiveAccess when another
	 *   service has a session; kIOReturnNoDevice.
	 */
	kern_return_t Open(IOService *forClient, IOOptionBits options, uintptr_t arg,
			OSDispatchMethod supermethod = nullptr);

	/*! Aborts forClient's requests and waits for them. @return kIOReturnNotOpen. */
	kern_return_t Close(IOService *forClient, IOOptionBits options,
			OSDispatchMethod supermethod = nullptr);

	/*! Reads a descriptor. @param length  in: room; out: bytes. */
	kern_return_t CopyDescriptor(uint8_t type, uint16_t *length, uint8_t index,
			uint16_t languageID, uint8_t requestType, uint8_t requestRecipient,
			uint8_t *descriptor);

	/*! Copies: free with IOUSBHostFreeDescriptor(); NULL when there is none. */
	const IOUSBDeviceDescriptor * CopyDeviceDescriptor();

	/*! By position, from 0. */
	const IOUSBConfigurationDescriptor * CopyConfigurationDescriptor(uint8_t index);

	/*! By bConfigurationValue. */
	const IOUSBConfigurationDescriptor * CopyConfigurationDescriptorWithValue(
			uint8_t bConfigurationValue);

	/*! The selected one; NULL when unconfigured. */
	const IOUSBConfigurationDescriptor * CopyConfigurationDescriptor(IOService *forClient);
	const IOUSBBOSDescriptor * CopyCapabilityDescriptors();
	const IOUSBStringDescriptor * CopyStringDescriptor(uint8_t index, uint16_t languageID);

	/*! In English. */
	const IOUSBStringDescriptor * CopyStringDescriptor(uint8_t index);

	/*!
	 * Memory that transfers can use in place. @param options  direction bits. @param buffer
	 * out, +1.
	 */
	kern_return_t CreateIOBuffer(IOOptionBits options, uint64_t capacity,
			IOBufferMemoryDescriptor **buffer,
			OSDispatchMethod supermethod = nullptr);

	/*! Callback of device requests. */
	OS_RUNTIME_INVOKE_TYPE(IOUSBHostDevice, CompleteAsyncDeviceRequest);

	/*! One control request. */
	kern_return_t AsyncDeviceRequest(IOService *forClient, uint8_t bmRequestType,
			uint8_t bRequest, uint16_t wValue, uint16_t wIndex, uint16_t wLength,
			IOMemoryDescriptor *dataBuffer, OSAction *completion,
			uint32_t completionTimeoutMs, OSDispatchMethod supermethod = nullptr);

	/*!
	 * The same, waiting. @param dataBuffer  at least wLength bytes; NULL when that is 0.
	 * @param bytesTransferred  out; may be NULL.
	 */
	kern_return_t DeviceRequest(IOService *forClient, uint8_t bmRequestType, uint8_t bRequest,
			uint16_t wValue, uint16_t wIndex, uint16_t wLength,
			IOMemoryDescriptor *dataBuffer, uint16_t *bytesTransferred,
			uint32_t completionTimeoutMs, OSDispatchMethod supermethod = nullptr);

	/*! Completes forClient's requests with that code. */
	kern_return_t AbortDeviceRequests(IOService *forClient, IOOptionBits options,
			IOReturn withError, OSDispatchMethod supermethod = nullptr);

	/*! @param matchInterfaces  drivers may match the new interfaces. */
	kern_return_t SetConfiguration(uint8_t bConfigurationValue, bool matchInterfaces,
			OSDispatchMethod supermethod = nullptr);
	kern_return_t GetAddress(uint8_t *address, OSDispatchMethod supermethod = nullptr) const;

	/*! kIOUSBHostConnectionSpeed constants. */
	kern_return_t GetSpeed(uint8_t *speed, OSDispatchMethod supermethod = nullptr) const;

	/*! @param theTime  may be NULL. */
	kern_return_t GetFrameNumber(uint64_t *frameNumber, uint64_t *theTime,
			OSDispatchMethod supermethod = nullptr);
	kern_return_t GetPortStatus(uint32_t *portStatus, OSDispatchMethod supermethod = nullptr);

	/*! The device goes and comes back as a new one. */
	kern_return_t Reset(OSDispatchMethod supermethod = nullptr);
	kern_return_t CreateInterfaceIterator(uintptr_t *ref,
			OSDispatchMethod supermethod = nullptr);
	kern_return_t DestroyInterfaceIterator(uintptr_t ref,
			OSDispatchMethod supermethod = nullptr);

	/*! The next one, +1; NULL at the end. */
	kern_return_t CopyInterface(uintptr_t ref, IOUSBHostInterface **interface,
			OSDispatchMethod supermethod = nullptr);
};

#pragma GCC visibility pop

#endif
#endif
