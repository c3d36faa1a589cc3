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
	 * Opens a session with the device, which requests and SetConfiguration() need.
	 * @param forClient  this of the driver.
	 * @param options  0.
	 * @param arg  0.
	 * @return kIOReturnSuccess; kIOReturnExclusiveAccess when another service has one;
	 *   kIOReturnBadArgument; kIOReturnNoDevice.
	 * Owner: forClient until Close(), or until its Stop is through.
	 */
	kern_return_t Open(IOService *forClient, IOOptionBits options, uintptr_t arg,
			OSDispatchMethod supermethod = nullptr);

	/*!
	 * Ends the session: aborts forClient's requests and waits for them.
	 * @param forClient  as of Open().
	 * @param options  0.
	 * @return kIOReturnSuccess; kIOReturnNotOpen without a session of forClient.
	 * Blocks: until the requests have ended.
	 */
	kern_return_t Close(IOService *forClient, IOOptionBits options,
			OSDispatchMethod supermethod = nullptr);

	/*!
	 * Reads a descriptor: what the device has told already, else a request.
	 * @param type  kIOUSBDescriptorType...
	 * @param length  in: room at descriptor; out: bytes written.
	 * @param index  which of that type, from 0.
	 * @param languageID  of a string, else 0.
	 * @param requestType  kIOUSBDeviceRequestTypeValue...
	 * @param requestRecipient  kIOUSBDeviceRequestRecipientValue...
	 * @param descriptor  receives the bytes.
	 * @return kIOReturnSuccess; kUSBHostReturnPipeStalled when the device has none;
	 *   kIOReturnBadArgument.
	 * Blocks: for the request.
	 */
	kern_return_t CopyDescriptor(uint8_t type, uint16_t *length, uint8_t index,
			uint16_t languageID, uint8_t requestType, uint8_t requestRecipient,
			uint8_t *descriptor);

	/*!
	 * A copy of the device descriptor.
	 * @return to be freed with IOUSBHostFreeDescriptor(); NULL without memory.
	 */
	const IOUSBDeviceDescriptor * CopyDeviceDescriptor();

	/*!
	 * A copy of a configuration by position, with all that belongs to it.
	 * @param index  from 0.
	 * @return to be freed with IOUSBHostFreeDescriptor(); NULL when there is none.
	 */
	const IOUSBConfigurationDescriptor * CopyConfigurationDescriptor(uint8_t index);

	/*!
	 * The same by bConfigurationValue.
	 * @param bConfigurationValue  the value.
	 * @return to be freed with IOUSBHostFreeDescriptor(); NULL when there is none.
	 */
	const IOUSBConfigurationDescriptor * CopyConfigurationDescriptorWithValue(
			uint8_t bConfigurationValue);

	/*!
	 * A copy of the configuration that is selected.
	 * @param forClient  this of the driver.
	 * @return to be freed with IOUSBHostFreeDescriptor(); NULL when unconfigured.
	 */
	const IOUSBConfigurationDescriptor * CopyConfigurationDescriptor(IOService *forClient);

	/*!
	 * A copy of the BOS descriptor with its capabilities.
	 * @return to be freed with IOUSBHostFreeDescriptor(); NULL when the device has none.
	 */
	const IOUSBBOSDescriptor * CopyCapabilityDescriptors();

	/*!
	 * A string of the device.
	 * @param index  as descriptors name it: iProduct and so on.
	 * @param languageID  0: kIOUSBLanguageIDEnglishUS.
	 * @return to be freed with IOUSBHostFreeDescriptor(); NULL when there is none.
	 * Blocks: for the request.
	 */
	const IOUSBStringDescriptor * CopyStringDescriptor(uint8_t index, uint16_t languageID);

	/*!
	 * The same in English.
	 * @param index  as above.
	 * @return as above.
	 */
	const IOUSBStringDescriptor * CopyStringDescriptor(uint8_t index);

	/*!
	 * Memory that transfers can use in place.
	 * @param options  kIOMemoryDirection bits.
	 * @param capacity  bytes.
	 * @param buffer  out, +1.
	 * @return kIOReturnSuccess; kIOReturnBadArgument; kIOReturnNoMemory.
	 */
	kern_return_t CreateIOBuffer(IOOptionBits options, uint64_t capacity,
			IOBufferMemoryDescriptor **buffer,
			OSDispatchMethod supermethod = nullptr);

	/*! Callback of device requests. */
	OS_RUNTIME_INVOKE_TYPE(IOUSBHostDevice, CompleteAsyncDeviceRequest);

	/*!
	 * One control request; completion runs once when this succeeds, else never.
	 * @param forClient  who has the session.
	 * @param bmRequestType  direction, type and recipient.
	 * @param bRequest, wValue, wIndex  as the device knows them.
	 * @param wLength  bytes of the data stage.
	 * @param dataBuffer  the data stage, at least wLength bytes; NULL when that is 0. Retained.
	 * @param completion  of a method with TYPE(IOUSBHostDevice::CompleteAsyncDeviceRequest).
	 * @param completionTimeoutMs  milliseconds; 0: none.
	 * @return kIOReturnSuccess; kIOReturnNotOpen; kIOReturnBadArgument; kIOReturnNoDevice.
	 */
	kern_return_t AsyncDeviceRequest(IOService *forClient, uint8_t bmRequestType,
			uint8_t bRequest, uint16_t wValue, uint16_t wIndex, uint16_t wLength,
			IOMemoryDescriptor *dataBuffer, OSAction *completion,
			uint32_t completionTimeoutMs, OSDispatchMethod supermethod = nullptr);

	/*!
	 * One control request, waiting. Arguments as of AsyncDeviceRequest().
	 * @param bytesTransferred  out: bytes of the data stage; may be NULL.
	 * @return kIOReturnSuccess; kUSBHostReturnPipeStalled; kIOReturnTimeout; kIOReturnAborted; and
	 *   those above.
	 * Blocks: the calling queue; other queues go on.
	 */
	kern_return_t DeviceRequest(IOService *forClient, uint8_t bmRequestType, uint8_t bRequest,
			uint16_t wValue, uint16_t wIndex, uint16_t wLength,
			IOMemoryDescriptor *dataBuffer, uint16_t *bytesTransferred,
			uint32_t completionTimeoutMs, OSDispatchMethod supermethod = nullptr);

	/*!
	 * Completes the pending requests of one client.
	 * @param forClient  whose.
	 * @param options  0.
	 * @param withError  what they complete with: kIOReturnAborted.
	 * @return kIOReturnSuccess; kIOReturnBadArgument.
	 */
	kern_return_t AbortDeviceRequests(IOService *forClient, IOOptionBits options,
			IOReturn withError, OSDispatchMethod supermethod = nullptr);

	/*!
	 * Selects a configuration; the interfaces of the old one become unusable.
	 * @param bConfigurationValue  which; 0: none.
	 * @param matchInterfaces  drivers may match the new interfaces.
	 * @return kIOReturnSuccess; kIOReturnNotOpen without a session; an error when the device has no
	 *   such configuration.
	 * Blocks: until the old transfers have ended and the device has answered.
	 */
	kern_return_t SetConfiguration(uint8_t bConfigurationValue, bool matchInterfaces,
			OSDispatchMethod supermethod = nullptr);

	/*!
	 * The address of the device on its bus.
	 * @param address  out: 1..127.
	 * @return kIOReturnSuccess; kIOReturnBadArgument.
	 */
	kern_return_t GetAddress(uint8_t *address, OSDispatchMethod supermethod = nullptr) const;

	/*!
	 * The speed of the device.
	 * @param speed  out: kIOUSBHostConnectionSpeed...
	 * @return kIOReturnSuccess; kIOReturnBadArgument.
	 */
	kern_return_t GetSpeed(uint8_t *speed, OSDispatchMethod supermethod = nullptr) const;

	/*!
	 * The frame that the bus is in, in milliseconds.
	 * @param frameNumber  out.
	 * @param theTime  out: mach_absolute_time() of the reading; may be NULL.
	 * @return kIOReturnSuccess; kIOReturnBadArgument; kIOReturnNoDevice.
	 */
	kern_return_t GetFrameNumber(uint64_t *frameNumber, uint64_t *theTime,
			OSDispatchMethod supermethod = nullptr);

	/*!
	 * The state of the port that the device is at.
	 * @param portStatus  out: kIOUSBHostPortStatus... bits.
	 * @return kIOReturnSuccess; kIOReturnBadArgument.
	 */
	kern_return_t GetPortStatus(uint32_t *portStatus, OSDispatchMethod supermethod = nullptr);

	/*!
	 * Resets the port: the device goes and comes back as a new one, and the driver ends.
	 * @return kIOReturnSuccess; kIOReturnNotOpen without a session.
	 */
	kern_return_t Reset(OSDispatchMethod supermethod = nullptr);

	/*!
	 * Begins to walk the interfaces of the configuration that is selected.
	 * @param ref  out: for the two methods below.
	 * @return kIOReturnSuccess; kIOReturnBadArgument; kIOReturnNoMemory.
	 */
	kern_return_t CreateInterfaceIterator(uintptr_t *ref,
			OSDispatchMethod supermethod = nullptr);

	/*!
	 * Ends a walk.
	 * @param ref  of CreateInterfaceIterator(); invalid afterwards.
	 * @return kIOReturnSuccess; kIOReturnBadArgument.
	 */
	kern_return_t DestroyInterfaceIterator(uintptr_t ref,
			OSDispatchMethod supermethod = nullptr);

	/*!
	 * The next interface of a walk.
	 * @param ref  of CreateInterfaceIterator().
	 * @param interface  out, +1; NULL at the end.
	 * @return kIOReturnSuccess, also at the end; kIOReturnBadArgument; kIOReturnNoMemory.
	 */
	kern_return_t CopyInterface(uintptr_t ref, IOUSBHostInterface **interface,
			OSDispatchMethod supermethod = nullptr);
};

#pragma GCC visibility pop

/* Sources use what CopyInterface() gives without a header of its own. */
#include <USBDriverKit/IOUSBHostInterface.h>

#endif
#endif
