/* SPDX-License-Identifier: MIT
 *
 * opendext/usb.h - USB devices, interfaces and pipes as a driver sees them.
 *
 * A driver's provider is a device or an interface. It is opened with ...Open(provider, self, ...)
 * before anything is sent; the session is closed by ...Close or when the driver's Stop is through.
 * Timeouts are milliseconds, 0 = none. bmRequestType is direction | type | recipient.
 *
 * A request that was accepted (kIOReturnSuccess) completes exactly once through its action, on the
 * queue of the action; one that was refused never does. Requests of one pipe complete in order. The
 * action, and the memory with its pages, are retained until then. Contents of shared memory may
 * change while a request runs: what the driver interprets it copies first.
 *
 * Status of completions and synchronous calls: kIOReturnSuccess (also for a short packet),
 * kIOReturnAborted, kIOReturnTimeout, kUSBHostReturnPipeStalled, kIOReturnOverrun,
 * kIOReturnNotResponding (no valid answer; unplugged while pending), kIOReturnNoDevice (later calls),
 * kIOReturnNotOpen, kIOReturnBadArgument, kIOReturnNoResources, kIOReturnNoMemory.
 */
#ifndef OPENDEXT_USB_H
#define OPENDEXT_USB_H

#include <opendext/memory.h>
#include <opendext/service.h>
#include <opendext/usb_descriptors.h>

#pragma GCC visibility push(default)

/*! Frees what a Copy...Descriptor function returned. NULL is allowed. */
void IOUSBHostFreeDescriptor(const void *descriptor);

/* --- IOUSBHostDevice ------------------------------------------------------------------------- */

/*! Handler of device requests, also those of interfaces. */
typedef void (*IOUSBHostCompleteAsyncDeviceRequestHandler)(OSObject *target, OSAction *action,
							   IOReturn status,
							   uint32_t bytesTransferred);

/*!
 * Makes the action for AsyncDeviceRequest.
 * @param target         a service; its queue runs the handler. Retained until the action is
 *                       cancelled or freed.
 * @param referenceSize  bytes of OSActionGetReference().
 * @param action         out, +1.
 * @return kIOReturnSuccess; kIOReturnBadArgument; kIOReturnNoMemory.
 */
kern_return_t IOUSBHostDeviceCreateActionCompleteAsyncDeviceRequest(
	OSObject *target, IOUSBHostCompleteAsyncDeviceRequestHandler handler, size_t referenceSize,
	OSAction **action);

/*!
 * Opens a session for forClient (the driver's self).
 * @param options, arg  0.
 * @return kIOReturnSuccess; kIOReturnExclusiveAccess when another service has one; kIOReturnNoDevice.
 */
kern_return_t IOUSBHostDeviceOpen(IOUSBHostDevice *device, IOService *forClient,
				  IOOptionBits options, uintptr_t arg);
/*! Aborts forClient's requests and waits for them. @return kIOReturnNotOpen without a session. */
kern_return_t IOUSBHostDeviceClose(IOUSBHostDevice *device, IOService *forClient,
				   IOOptionBits options);

/*!
 * Reads a descriptor: what the device has told already, else a GET_DESCRIPTOR request.
 * @param length             in: bytes of descriptor; out: bytes written.
 * @param languageID         strings: the language, else 0.
 * @param requestType        kIOUSBDeviceRequestTypeValue...
 * @param requestRecipient   kIOUSBDeviceRequestRecipientValue...
 */
kern_return_t IOUSBHostDeviceCopyDescriptor(IOUSBHostDevice *device, uint8_t type,
					    uint16_t *length, uint8_t index, uint16_t languageID,
					    uint8_t requestType, uint8_t requestRecipient,
					    uint8_t *descriptor);

/*! Copies of descriptors: free with IOUSBHostFreeDescriptor(); NULL when there is none. A
 * configuration comes with all that belongs to it. */
const IOUSBDeviceDescriptor *IOUSBHostDeviceCopyDeviceDescriptor(IOUSBHostDevice *device);
/*! By position, from 0. */
const IOUSBConfigurationDescriptor *
IOUSBHostDeviceCopyConfigurationDescriptor(IOUSBHostDevice *device, uint8_t index);
/*! By bConfigurationValue. */
const IOUSBConfigurationDescriptor *
IOUSBHostDeviceCopyConfigurationDescriptorWithValue(IOUSBHostDevice *device,
						    uint8_t bConfigurationValue);
/*! The one that is selected; NULL when unconfigured. */
const IOUSBConfigurationDescriptor *
IOUSBHostDeviceCopyCurrentConfigurationDescriptor(IOUSBHostDevice *device, IOService *forClient);
/*! The BOS descriptor with its capabilities. */
const IOUSBBOSDescriptor *IOUSBHostDeviceCopyCapabilityDescriptors(IOUSBHostDevice *device);
/*! @param languageID  0: kIOUSBLanguageIDEnglishUS. Blocks for the request. */
const IOUSBStringDescriptor *IOUSBHostDeviceCopyStringDescriptor(IOUSBHostDevice *device,
								 uint8_t index,
								 uint16_t languageID);

/*! Option of CreateIOBuffer, beside the direction: the buffer is never shared with an application,
 * so it may be memory of the host controller, which transfers reach without a copy. Where there is
 * none (models, USB/IP, too much in use) it is a buffer like any other. Source: ours. */
#define kOpenDextBufferInController 0x40000000u

/*!
 * Memory that a transfer can use in place.
 * @param options   direction bits; kOpenDextBufferInController.
 * @param capacity  bytes; 0: a buffer whose length is 0.
 * @param buffer    out, +1.
 * @return as IOBufferMemoryDescriptorCreate(), but for capacity 0.
 * Unsure: no page says what 0 gives; drivers that pass it go on with transfers of length 0.
 */
kern_return_t IOUSBHostDeviceCreateIOBuffer(IOUSBHostDevice *device, IOOptionBits options,
					    uint64_t capacity, IOBufferMemoryDescriptor **buffer);

/*!
 * One control request.
 * @param dataBuffer        the data stage, at least wLength bytes; NULL when wLength is 0.
 * @param bytesTransferred  out: bytes of the data stage.
 * Blocks: the calling queue; other queues go on.
 */
kern_return_t IOUSBHostDeviceDeviceRequest(IOUSBHostDevice *device, IOService *forClient,
					   uint8_t bmRequestType, uint8_t bRequest, uint16_t wValue,
					   uint16_t wIndex, uint16_t wLength,
					   IOMemoryDescriptor *dataBuffer,
					   uint16_t *bytesTransferred,
					   uint32_t completionTimeoutMs);
/*! The same without waiting. */
kern_return_t IOUSBHostDeviceAsyncDeviceRequest(IOUSBHostDevice *device, IOService *forClient,
						uint8_t bmRequestType, uint8_t bRequest,
						uint16_t wValue, uint16_t wIndex, uint16_t wLength,
						IOMemoryDescriptor *dataBuffer,
						OSAction *completion,
						uint32_t completionTimeoutMs);
/*! Completes forClient's pending requests with withError (kIOReturnAborted). */
kern_return_t IOUSBHostDeviceAbortDeviceRequests(IOUSBHostDevice *device, IOService *forClient,
						 IOOptionBits options, IOReturn withError);

/*! Selects a configuration, in the session of the driver; interfaces of the old one become unusable.
 * @param matchInterfaces  drivers may match the new interfaces. */
kern_return_t IOUSBHostDeviceSetConfiguration(IOUSBHostDevice *device, uint8_t bConfigurationValue,
					      bool matchInterfaces);
/*! Its address on the bus. */
kern_return_t IOUSBHostDeviceGetAddress(IOUSBHostDevice *device, uint8_t *address);
/*! kIOUSBHostConnectionSpeed... */
kern_return_t IOUSBHostDeviceGetSpeed(IOUSBHostDevice *device, uint8_t *speed);
/*! The bus frame in milliseconds. @param theTime  mach_absolute_time() of the reading; may be NULL. */
kern_return_t IOUSBHostDeviceGetFrameNumber(IOUSBHostDevice *device, uint64_t *frameNumber,
					    uint64_t *theTime);
/*! kIOUSBHostPortStatus... bits: connected speed and enabled. */
kern_return_t IOUSBHostDeviceGetPortStatus(IOUSBHostDevice *device, uint32_t *portStatus);
/*! Resets the port: the device goes and comes back as a new one; the driver is terminated. */
kern_return_t IOUSBHostDeviceReset(IOUSBHostDevice *device);

/*! Walks the interfaces of the selected configuration. */
kern_return_t IOUSBHostDeviceCreateInterfaceIterator(IOUSBHostDevice *device, uintptr_t *ref);
/*! The next one, +1; NULL and kIOReturnSuccess at the end. */
kern_return_t IOUSBHostDeviceCopyInterface(IOUSBHostDevice *device, uintptr_t ref,
					   IOUSBHostInterface **interface);
/*! Ends an iteration; ref is then invalid. */
kern_return_t IOUSBHostDeviceDestroyInterfaceIterator(IOUSBHostDevice *device, uintptr_t ref);

/* --- IOUSBHostInterface ---------------------------------------------------------------------- */

/* In options of Open: select the alternate setting that arg points at. */
#define kUSBHostOpenOptionSelectAlternateSetting 0x10000u

/*! Opens the one session of the interface. @return as IOUSBHostDeviceOpen(). */
kern_return_t IOUSBHostInterfaceOpen(IOUSBHostInterface *interface, IOService *forClient,
				     IOOptionBits options, uint8_t *arg);
/*! Aborts all I/O of the interface; completions have been queued when it returns. */
kern_return_t IOUSBHostInterfaceClose(IOUSBHostInterface *interface, IOService *forClient,
				      IOOptionBits options);
/*! As IOUSBHostDeviceGetFrameNumber(). */
kern_return_t IOUSBHostInterfaceGetFrameNumber(IOUSBHostInterface *interface,
					       uint64_t *frameNumber, uint64_t *theTime);
/*! Free with IOUSBHostFreeDescriptor(). */
const IOUSBConfigurationDescriptor *
IOUSBHostInterfaceCopyConfigurationDescriptor(IOUSBHostInterface *interface);
/*! A pointer into the configuration: this interface with its present alternate setting; NULL when it
 * is not there. */
const IOUSBInterfaceDescriptor *
IOUSBHostInterfaceGetInterfaceDescriptor(IOUSBHostInterface *interface,
					 const IOUSBConfigurationDescriptor *configuration);
/*! As IOUSBHostDeviceCopyStringDescriptor(). */
const IOUSBStringDescriptor *
IOUSBHostInterfaceCopyStringDescriptor(IOUSBHostInterface *interface, uint8_t index,
				       uint16_t languageID);
/*!
 * The pipe of an endpoint of the present alternate setting.
 * @param address  bEndpointAddress, with the direction bit.
 * @param pipe     out, +1; the same object each time while somebody holds it.
 * @return kIOReturnSuccess; kIOReturnNotFound; kIOReturnNotOpen.
 */
kern_return_t IOUSBHostInterfaceCopyPipe(IOUSBHostInterface *interface, uint8_t address,
					 IOUSBHostPipe **pipe);
/*! Aborts I/O, makes the pipes unusable, sends SET_INTERFACE. */
kern_return_t IOUSBHostInterfaceSelectAlternateSetting(IOUSBHostInterface *interface,
						       uint8_t bAlternateSetting);
/*! As IOUSBHostDeviceGetPortStatus(). */
kern_return_t IOUSBHostInterfaceGetPortStatus(IOUSBHostInterface *interface,
					      uint32_t *portStatus);
/*! Milliseconds without I/O after which the device may be suspended; 0: never. Kept; in force on
 * devices that can be suspended. */
kern_return_t IOUSBHostInterfaceSetIdlePolicy(IOUSBHostInterface *interface,
					      uint32_t deviceIdleTimeout);
/*! What IOUSBHostInterfaceSetIdlePolicy() set. */
kern_return_t IOUSBHostInterfaceGetIdlePolicy(IOUSBHostInterface *interface,
					      uint32_t *deviceIdleTimeout);
/*! The device of the interface, +1. */
kern_return_t IOUSBHostInterfaceCopyDevice(IOUSBHostInterface *interface,
					   IOUSBHostDevice **device);
/*! As IOUSBHostDeviceCreateIOBuffer(). */
kern_return_t IOUSBHostInterfaceCreateIOBuffer(IOUSBHostInterface *interface, IOOptionBits options,
					       uint64_t capacity,
					       IOBufferMemoryDescriptor **buffer);
/*! As IOUSBHostDeviceDeviceRequest(), for the owner of the interface. */
kern_return_t IOUSBHostInterfaceDeviceRequest(IOUSBHostInterface *interface,
					      uint8_t bmRequestType, uint8_t bRequest,
					      uint16_t wValue, uint16_t wIndex, uint16_t wLength,
					      IOMemoryDescriptor *dataBuffer,
					      uint16_t *bytesTransferred,
					      uint32_t completionTimeoutMs);
/*! The same without waiting. */
kern_return_t IOUSBHostInterfaceAsyncDeviceRequest(IOUSBHostInterface *interface,
						   uint8_t bmRequestType, uint8_t bRequest,
						   uint16_t wValue, uint16_t wIndex,
						   uint16_t wLength,
						   IOMemoryDescriptor *dataBuffer,
						   OSAction *completion,
						   uint32_t completionTimeoutMs);
/*! As IOUSBHostDeviceAbortDeviceRequests(). */
kern_return_t IOUSBHostInterfaceAbortDeviceRequests(IOUSBHostInterface *interface,
						    IOOptionBits options, IOReturn withError);

/* --- IOUSBHostPipe --------------------------------------------------------------------------- */

enum { kIOUSBHostPipeBundlingMax = 16 };
typedef enum {
	kIOUSBGetEndpointDescriptorOriginal = 0,
	kIOUSBGetEndpointDescriptorCurrentPolicy = 1,
} IOUSBGetEndpointDescriptorOptions;
enum { kIOUSBAbortAsynchronous = 0, kIOUSBAbortSynchronous = 1 };

/*! @param completionTimestamp  mach_absolute_time() at which the device was done. */
typedef void (*IOUSBHostPipeCompleteAsyncIOHandler)(OSObject *target, OSAction *action,
						    IOReturn status, uint32_t actualByteCount,
						    uint64_t completionTimestamp);
typedef void (*IOUSBHostPipeCompleteAsyncIsochIOHandler)(OSObject *target, OSAction *action,
							 IOReturn status);
typedef void (*IOUSBHostPipeCompleteAsyncIOBundledHandler)(
	OSObject *target, OSAction *action, uint32_t ioCompletionIndex, uint32_t ioCompletionCount,
	const uint32_t *actualByteCountArray, int actualByteCountArrayCount,
	const kern_return_t *statusArray, int statusArrayCount);

/*! The actions of AsyncIO, IsochIO and AsyncIOBundled; arguments and results as
 * IOUSBHostDeviceCreateActionCompleteAsyncDeviceRequest(). An action may be in use for any number of
 * requests at once. */
kern_return_t
IOUSBHostPipeCreateActionCompleteAsyncIO(OSObject *target,
					 IOUSBHostPipeCompleteAsyncIOHandler handler,
					 size_t referenceSize, OSAction **action);
/*! The same for IOUSBHostPipeIsochIO(). */
kern_return_t
IOUSBHostPipeCreateActionCompleteAsyncIsochIO(OSObject *target,
					      IOUSBHostPipeCompleteAsyncIsochIOHandler handler,
					      size_t referenceSize, OSAction **action);
/*! The same for IOUSBHostPipeAsyncIOBundled(). */
kern_return_t
IOUSBHostPipeCreateActionCompleteAsyncIOBundled(OSObject *target,
						IOUSBHostPipeCompleteAsyncIOBundledHandler handler,
						size_t referenceSize, OSAction **action);

/*! The speed of the device, a kIOUSBHostConnectionSpeed* value. */
kern_return_t IOUSBHostPipeGetSpeed(IOUSBHostPipe *pipe, uint8_t *speed);
/*! The address of its device on the bus. */
kern_return_t IOUSBHostPipeGetDeviceAddress(IOUSBHostPipe *pipe, uint8_t *address);
/*! The descriptors of the endpoint: as they are now, or as the device gave them. */
kern_return_t IOUSBHostPipeGetDescriptors(IOUSBHostPipe *pipe,
					  IOUSBStandardEndpointDescriptors *descriptors,
					  IOUSBGetEndpointDescriptorOptions type);
/*! Reserves less bandwidth on an interrupt or isochronous endpoint: changed copies of the original.
 * @return kIOReturnUnsupported for bulk; kIOReturnBadArgument for more than the original. */
kern_return_t IOUSBHostPipeAdjustPipe(IOUSBHostPipe *pipe,
				      const IOUSBStandardEndpointDescriptors *descriptors);
/*! Milliseconds after which a pending request no longer keeps the device awake; bulk and interrupt. */
kern_return_t IOUSBHostPipeSetIdlePolicy(IOUSBHostPipe *pipe, uint32_t idleTimeoutMs);
/*! What IOUSBHostPipeSetIdlePolicy() set. */
kern_return_t IOUSBHostPipeGetIdlePolicy(IOUSBHostPipe *pipe, uint32_t *idleTimeoutMs);

/*!
 * Sends to or receives from a bulk or interrupt endpoint.
 * @param dataBuffer        its first dataBufferLength bytes are the data.
 * @param dataBufferLength  at most the buffer's length; 0: a packet without data.
 * @param completion        of IOUSBHostPipeCreateActionCompleteAsyncIO().
 * @param completionTimeoutMs  0 on interrupt endpoints.
 */
kern_return_t IOUSBHostPipeAsyncIO(IOUSBHostPipe *pipe, IOMemoryDescriptor *dataBuffer,
				   uint32_t dataBufferLength, OSAction *completion,
				   uint32_t completionTimeoutMs);
/*! The same, waiting. Blocks: the calling queue; other queues go on. */
kern_return_t IOUSBHostPipeIO(IOUSBHostPipe *pipe, IOMemoryDescriptor *dataBuffer,
			      uint32_t dataBufferLength, uint32_t *bytesTransferred,
			      uint32_t completionTimeoutMs);
/*!
 * Completes what is pending with withError (normally kIOReturnAborted).
 * @param options    kIOUSBAbortSynchronous: returns when the completions have been queued.
 * @param forClient  NULL.
 */
kern_return_t IOUSBHostPipeAbort(IOUSBHostPipe *pipe, IOOptionBits options,
				 kern_return_t withError, IOService *forClient);
/*! Ends a stall: aborts what is pending, resets the host's data toggle.
 * @param withRequest  true: also sends CLEAR_FEATURE(ENDPOINT_HALT) to the device. */
kern_return_t IOUSBHostPipeClearStall(IOUSBHostPipe *pipe, bool withRequest);

/*!
 * Isochronous transfer.
 * @param frameList         memory with an array of IOUSBIsochronousFrame, filled in per frame.
 * @param firstFrameNumber  of GetFrameNumber plus a lead; 0: the next possible.
 * @param completion        NULL: waits.
 */
kern_return_t IOUSBHostPipeIsochIO(IOUSBHostPipe *pipe, IOMemoryDescriptor *dataBuffer,
				   IOMemoryDescriptor *frameList, uint64_t firstFrameNumber,
				   OSAction *completion);

/*! Bundled I/O on bulk endpoints: a ring of size descriptors, once per pipe. */
kern_return_t IOUSBHostPipeCreateMemoryDescriptorRing(IOUSBHostPipe *pipe, uint32_t size);
/*! Puts memory at a place of the ring; kept until another takes the place. */
kern_return_t IOUSBHostPipeSetMemoryDescriptor(IOUSBHostPipe *pipe,
					       IOMemoryDescriptor *memoryDescriptor,
					       uint32_t index);
/*!
 * Queues up to 16 transfers, one per ring entry from ioTransferIndex on, wrapping at the end.
 * @param ioTransferAcceptedCount  out: how many were queued, also with an error.
 * @param dataBufferLengthArray    a length for each; dataBufferLengthArrayCount == ioTransferCount.
 */
kern_return_t IOUSBHostPipeAsyncIOBundled(IOUSBHostPipe *pipe, uint32_t ioTransferIndex,
					  uint32_t ioTransferCount,
					  uint32_t *ioTransferAcceptedCount,
					  const uint32_t *dataBufferLengthArray,
					  int dataBufferLengthArrayCount, OSAction *completion,
					  uint32_t completionTimeoutMs);

#pragma GCC visibility pop

#endif
