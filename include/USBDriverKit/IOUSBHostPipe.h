/* SPDX-License-Identifier: MIT
 *
 * USBDriverKit/IOUSBHostPipe.h - an endpoint as a driver sees it.
 */
#ifndef OPENDEXT_USBDRIVERKIT_IOUSBHOSTPIPE_H
#define OPENDEXT_USBDRIVERKIT_IOUSBHOSTPIPE_H

#if defined(__IIG) && __IIG
#include <USBDriverKit/IOUSBHostPipe.iig>
#else

#include <DriverKit/IOService.h>
#include <DriverKit/IOMemoryDescriptor.h>
#include <USBDriverKit/AppleUSBDescriptorParsing.h>

#pragma GCC visibility push(default)

enum { kIOUSBHostPipeBundlingMax = 16 };
enum IOUSBGetEndpointDescriptorOptions {
	kIOUSBGetEndpointDescriptorOriginal = 0,
	kIOUSBGetEndpointDescriptorCurrentPolicy = 1,
};
typedef enum IOUSBGetEndpointDescriptorOptions tIOUSBGetEndpointDescriptorOptions;
enum IOUSBAbortOptions {
	kIOUSBAbortAsynchronous = 0,
	kIOUSBAbortSynchronous = 1,
};
typedef enum IOUSBAbortOptions tIOUSBAbortOptions;

class IOUSBHostPipe;
#define IOUSBHostPipe_GetSpeed_ID 0xc41ff48e1be365d8ULL
#define IOUSBHostPipe_GetSpeed_Args uint8_t *speed
#define IOUSBHostPipe_GetDeviceAddress_ID 0xe8f805194f3b5c89ULL
#define IOUSBHostPipe_GetDeviceAddress_Args uint8_t *address
#define IOUSBHostPipe_Abort_ID 0xdd80eb06973d66ecULL
#define IOUSBHostPipe_Abort_Args \
	IOOptionBits options, kern_return_t withError, IOService *forClient
#define IOUSBHostPipe_AdjustPipe_ID 0xd8015600693b6cdbULL
#define IOUSBHostPipe_AdjustPipe_Args const IOUSBStandardEndpointDescriptors *descriptors
#define IOUSBHostPipe_GetDescriptors_ID 0xa9ed4edff1b9a9b8ULL
#define IOUSBHostPipe_GetDescriptors_Args \
	IOUSBStandardEndpointDescriptors *descriptors, \
	IOUSBGetEndpointDescriptorOptions type
#define IOUSBHostPipe_SetIdlePolicy_ID 0xc3399062cf3e7753ULL
#define IOUSBHostPipe_SetIdlePolicy_Args uint32_t idleTimeoutMs
#define IOUSBHostPipe_GetIdlePolicy_ID 0x98992753b8228118ULL
#define IOUSBHostPipe_GetIdlePolicy_Args uint32_t *idleTimeoutMS
#define IOUSBHostPipe_ClearStall_ID 0xb12d11084433ddd5ULL
#define IOUSBHostPipe_ClearStall_Args bool withRequest
#define IOUSBHostPipe_CompleteAsyncIO_ID 0xf2fab34c905e3a9cULL
#define IOUSBHostPipe_CompleteAsyncIO_Args \
	OSAction *action, IOReturn status, uint32_t actualByteCount, \
	uint64_t completionTimestamp
#define IOUSBHostPipe_AsyncIO_ID 0xf5e19cea5033ea49ULL
#define IOUSBHostPipe_AsyncIO_Args \
	IOMemoryDescriptor *dataBuffer, uint32_t dataBufferLength, OSAction *completion, \
	uint32_t completionTimeoutMs
#define IOUSBHostPipe_IO_ID 0xf0b876da289ca99cULL
#define IOUSBHostPipe_IO_Args \
	IOMemoryDescriptor *dataBuffer, uint32_t dataBufferLength, \
	uint32_t *bytesTransferred, uint32_t completionTimeoutMs
#define IOUSBHostPipe_CompleteAsyncIsochIO_ID 0xdb069e39d495dec4ULL
#define IOUSBHostPipe_CompleteAsyncIsochIO_Args OSAction *action, IOReturn status
#define IOUSBHostPipe_IsochIO_ID 0xa26eff19b62178d8ULL
#define IOUSBHostPipe_IsochIO_Args \
	IOMemoryDescriptor *dataBuffer, IOMemoryDescriptor *frameList, \
	uint64_t firstFrameNumber, OSAction *completion
#define IOUSBHostPipe_CreateMemoryDescriptorRing_ID 0xabfc1c0a36e318c2ULL
#define IOUSBHostPipe_CreateMemoryDescriptorRing_Args uint32_t size
#define IOUSBHostPipe_SetMemoryDescriptor_ID 0xb0c09388e2ac524dULL
#define IOUSBHostPipe_SetMemoryDescriptor_Args \
	IOMemoryDescriptor *memoryDescriptor, uint32_t index
#define IOUSBHostPipe_AsyncIOBundled_ID 0x9e357880788cd89bULL
#define IOUSBHostPipe_AsyncIOBundled_Args \
	uint32_t ioTransferIndex, uint32_t ioTransferCount, \
	uint32_t *ioTransferAcceptedCount, const uint32_t *dataBufferLengthArray, \
	int dataBufferLengthArrayCount, OSAction *completion, uint32_t completionTimeoutMs
#define IOUSBHostPipe_CompleteAsyncIOBundled_ID 0x9fa34e6b702801f4ULL
#define IOUSBHostPipe_CompleteAsyncIOBundled_Args \
	OSAction *action, uint32_t ioCompletionIndex, uint32_t ioCompletionCount, \
	const uint32_t *actualByteCountArray, int actualByteCountArrayCount, \
	const kern_return_t *statusArray, int statusArrayCount
struct OS_MESSAGE IOUSBHostPipe_CompleteAsyncIO_Msg {
	OSAction *action;
	IOReturn status;
	uint32_t actualByteCount;
	uint64_t completionTimestamp;
};
struct OS_MESSAGE IOUSBHostPipe_CompleteAsyncIsochIO_Msg {
	OSAction *action;
	IOReturn status;
};
struct OS_MESSAGE IOUSBHostPipe_CompleteAsyncIOBundled_Msg {
	OSAction *action;
	uint32_t ioCompletionIndex;
	uint32_t ioCompletionCount;
	const uint32_t *actualByteCountArray;
	int actualByteCountArrayCount;
	const kern_return_t *statusArray;
	int statusArrayCount;
};

extern OSMetaClass *gIOUSBHostPipeMetaClass;
extern const OSClassLoadInformation IOUSBHostPipe_Class;

/*!
 * A pipe to an endpoint. Requests of one pipe complete in order; memory and action are retained
 * until then.
 */
class IOUSBHostPipe : public OSObject {
	OS_RUNTIME_CLASS(IOUSBHostPipe, OSObject);

	/*!
	 * The speed of the device.
	 * @param speed  out: kIOUSBHostConnectionSpeed...
	 * @return kIOReturnSuccess; kIOReturnBadArgument.
	 */
	kern_return_t GetSpeed(uint8_t *speed, OSDispatchMethod supermethod = nullptr) const;

	/*!
	 * The address of the device on its bus.
	 * @param address  out.
	 * @return kIOReturnSuccess; kIOReturnBadArgument.
	 */
	kern_return_t GetDeviceAddress(uint8_t *address,
			OSDispatchMethod supermethod = nullptr) const;

	/*!
	 * Completes what is pending.
	 * @param options  kIOUSBAbortAsynchronous; kIOUSBAbortSynchronous returns when the
	 *   completions have been queued.
	 * @param withError  what they complete with: kIOReturnAborted.
	 * @param forClient  ignored: it would matter on control endpoints, which are no pipes.
	 * @return kIOReturnSuccess; kIOReturnBadArgument; an error when the pipe is closed.
	 */
	kern_return_t Abort(IOOptionBits options, kern_return_t withError, IOService *forClient,
			OSDispatchMethod supermethod = nullptr);

	/*!
	 * Reserves less bandwidth on an interrupt or isochronous endpoint.
	 * @param descriptors  changed copies of the original ones.
	 * @return kIOReturnSuccess; kIOReturnUnsupported for bulk; kIOReturnBadArgument for more than the
	 *   original, or a bcdUSB that does not exist.
	 */
	kern_return_t AdjustPipe(const IOUSBStandardEndpointDescriptors *descriptors,
			OSDispatchMethod supermethod = nullptr);

	/*!
	 * The descriptors of the endpoint.
	 * @param descriptors  out; companions that it has not are zero.
	 * @param type  as the device gave them, or as they are now.
	 * @return kIOReturnSuccess; kIOReturnBadArgument.
	 */
	kern_return_t GetDescriptors(IOUSBStandardEndpointDescriptors *descriptors,
			IOUSBGetEndpointDescriptorOptions type,
			OSDispatchMethod supermethod = nullptr);

	/*!
	 * After how long a pending request no longer keeps the device awake.
	 * @param idleTimeoutMs  milliseconds; 0: never.
	 * @return kIOReturnSuccess; kIOReturnUnsupported on isochronous endpoints.
	 * Differs: kept, and in force on devices that can be suspended.
	 */
	kern_return_t SetIdlePolicy(uint32_t idleTimeoutMs,
			OSDispatchMethod supermethod = nullptr);

	/*!
	 * What SetIdlePolicy() set.
	 * @param idleTimeoutMS  out.
	 * @return kIOReturnSuccess; kIOReturnUnsupported on isochronous endpoints; kIOReturnBadArgument.
	 */
	kern_return_t GetIdlePolicy(uint32_t *idleTimeoutMS,
			OSDispatchMethod supermethod = nullptr);

	/*!
	 * Ends a stall: aborts what is pending and resets the data toggle.
	 * @param withRequest  true: also tells the device, which else stays halted.
	 * @return kIOReturnSuccess; an error when the pipe is closed or the device does not answer.
	 * Blocks: for the request.
	 */
	kern_return_t ClearStall(bool withRequest, OSDispatchMethod supermethod = nullptr);

	/*! Callback of AsyncIO(). */
	OS_RUNTIME_INVOKE_TYPE(IOUSBHostPipe, CompleteAsyncIO);

	/*!
	 * Transfers on a bulk or interrupt endpoint; completion runs once when this succeeds, else never.
	 * @param dataBuffer  its first dataBufferLength bytes are the data. Retained.
	 * @param dataBufferLength  0: a packet without data.
	 * @param completion  of a method with TYPE(IOUSBHostPipe::CompleteAsyncIO); one may be in use for
	 *   any number of requests.
	 * @param completionTimeoutMs  milliseconds; 0: none. Must be 0 on interrupt endpoints.
	 * @return kIOReturnSuccess; kIOReturnBadArgument; kUSBHostReturnPipeStalled until ClearStall();
	 *   kIOReturnNoDevice.
	 */
	kern_return_t AsyncIO(IOMemoryDescriptor *dataBuffer, uint32_t dataBufferLength,
			OSAction *completion, uint32_t completionTimeoutMs,
			OSDispatchMethod supermethod = nullptr);

	/*!
	 * The same, waiting.
	 * @param bytesTransferred  out: also after an error; may be NULL.
	 * @return kIOReturnSuccess, also after a short packet; kIOReturnTimeout; kIOReturnAborted;
	 *   kUSBHostReturnPipeStalled; kIOReturnOverrun; and those above.
	 * Blocks: the calling queue; other queues go on.
	 */
	kern_return_t IO(IOMemoryDescriptor *dataBuffer, uint32_t dataBufferLength,
			uint32_t *bytesTransferred, uint32_t completionTimeoutMs,
			OSDispatchMethod supermethod = nullptr);

	/*! Callback of IsochIO(). */
	OS_RUNTIME_INVOKE_TYPE(IOUSBHostPipe, CompleteAsyncIsochIO);

	/*!
	 * An isochronous transfer.
	 * @param dataBuffer  the data of frame i begins where those before it end by their requestCount.
	 * @param frameList  an array of IOUSBIsochronousFrame, filled in per frame.
	 * @param firstFrameNumber  of GetFrameNumber() plus a lead; 0: the next possible.
	 * @param completion  NULL: waits.
	 * @return kIOReturnSuccess; kIOReturnIsoTooOld; kIOReturnIsoTooNew; kIOReturnBadArgument.
	 */
	kern_return_t IsochIO(IOMemoryDescriptor *dataBuffer, IOMemoryDescriptor *frameList,
			uint64_t firstFrameNumber, OSAction *completion,
			OSDispatchMethod supermethod = nullptr);

	/*!
	 * Makes the ring of bundled I/O on a bulk endpoint, once per pipe.
	 * @param size  places.
	 * @return kIOReturnSuccess; kIOReturnBadArgument; an error the second time.
	 */
	kern_return_t CreateMemoryDescriptorRing(uint32_t size,
			OSDispatchMethod supermethod = nullptr);

	/*!
	 * Puts memory at a place of the ring.
	 * @param memoryDescriptor  retained until another takes the place.
	 * @param index  0..size-1.
	 * @return kIOReturnSuccess; kIOReturnBadArgument; an error without a ring, or while the
	 *   place is in flight.
	 */
	kern_return_t SetMemoryDescriptor(IOMemoryDescriptor *memoryDescriptor, uint32_t index,
			OSDispatchMethod supermethod = nullptr);

	/*!
	 * Queues transfers from the ring, wrapping at its end.
	 * @param ioTransferIndex  the first place.
	 * @param ioTransferCount  1..16.
	 * @param ioTransferAcceptedCount  out: how many were queued, also with an error.
	 * @param dataBufferLengthArray  a length for each.
	 * @param dataBufferLengthArrayCount  ioTransferCount.
	 * @param completion  of a method with TYPE(IOUSBHostPipe::CompleteAsyncIOBundled), which may be
	 *   called for some of them at a time.
	 * @param completionTimeoutMs  milliseconds; 0: none.
	 * @return kIOReturnSuccess; kIOReturnBadArgument; an error when not all were queued.
	 */
	kern_return_t AsyncIOBundled(uint32_t ioTransferIndex, uint32_t ioTransferCount,
			uint32_t *ioTransferAcceptedCount,
			const uint32_t dataBufferLengthArray[16], int dataBufferLengthArrayCount,
			OSAction *completion, uint32_t completionTimeoutMs,
			OSDispatchMethod supermethod = nullptr);

	/*! Callback of AsyncIOBundled(). */
	OS_RUNTIME_INVOKE_TYPE(IOUSBHostPipe, CompleteAsyncIOBundled);
};

#pragma GCC visibility pop

#endif
#endif
