/* SPDX-License-Identifier: MIT
 *
 * DriverKit/IODataQueueDispatchSource.h - a queue of entries in shared memory.
 */
#ifndef OPENDEXT_DRIVERKIT_IODATAQUEUEDISPATCHSOURCE_H
#define OPENDEXT_DRIVERKIT_IODATAQUEUEDISPATCHSOURCE_H

#if defined(__IIG) && __IIG
#include <DriverKit/IODataQueueDispatchSource.iig>
#else

#include <DriverKit/IODispatchSource.h>
#include <DriverKit/IOMemoryDescriptor.h>

#pragma GCC visibility push(default)

typedef void (^IODataQueueClientEnqueueEntryBlock)(void *data, size_t dataSize);
typedef void (^IODataQueueClientDequeueEntryBlock)(const void *data, size_t dataSize);

struct IODataQueueState;

class IODataQueueDispatchSource;
#define IODataQueueDispatchSource_Create_ID 0xaf374de7e5f29cacULL
#define IODataQueueDispatchSource_Create_Args \
	uint64_t queueByteCount, IODispatchQueue *queue, IODataQueueDispatchSource **source
#define IODataQueueDispatchSource_SetDataAvailableHandler_ID 0xe416aface8ee81a2ULL
#define IODataQueueDispatchSource_SetDataAvailableHandler_Args OSAction *action
#define IODataQueueDispatchSource_SetDataServicedHandler_ID 0xf966e5424d8b5f26ULL
#define IODataQueueDispatchSource_SetDataServicedHandler_Args OSAction *action
#define IODataQueueDispatchSource_CopyMemory_ID 0xab5ad03aeb230023ULL
#define IODataQueueDispatchSource_CopyMemory_Args IOMemoryDescriptor **memory
#define IODataQueueDispatchSource_CopyDataAvailableHandler_ID 0x99cd71b8e9778d97ULL
#define IODataQueueDispatchSource_CopyDataAvailableHandler_Args OSAction **action
#define IODataQueueDispatchSource_CopyDataServicedHandler_ID 0x9f591829e3da7b49ULL
#define IODataQueueDispatchSource_CopyDataServicedHandler_Args OSAction **action
#define IODataQueueDispatchSource_DataAvailable_ID 0xc39ba664a2ce0d4eULL
#define IODataQueueDispatchSource_DataAvailable_Args OSAction *action
#define IODataQueueDispatchSource_DataServiced_ID 0xe9e3f073f3a5e80cULL
#define IODataQueueDispatchSource_DataServiced_Args OSAction *action
struct OS_MESSAGE IODataQueueDispatchSource_DataAvailable_Msg {
	OSAction *action;
};
struct OS_MESSAGE IODataQueueDispatchSource_DataServiced_Msg {
	OSAction *action;
};

extern OSMetaClass *gIODataQueueDispatchSourceMetaClass;
extern const OSClassLoadInformation IODataQueueDispatchSource_Class;

/*!
 * Entries of any size from one producer to one consumer, through memory that an application can
 * map: {size, head, tail} of 32 bits each, then entries of a 32-bit size and bytes. The other
 * side's half is checked at each use: kIOReturnError when it makes no sense. Blocks run at once
 * in the calling thread. Return CopyMemory() from CopyClientMemoryForType() to share it.
 */
class IODataQueueDispatchSource : public IODispatchSource {
	OS_RUNTIME_CLASS(IODataQueueDispatchSource, IODispatchSource);

	/*! @param queueByteCount  room for entries with their headers. @param source  out, +1. */
	static kern_return_t Create(uint64_t queueByteCount, IODispatchQueue *queue,
			IODataQueueDispatchSource **source);

	/*! 4. */
	static size_t GetDataQueueEntryHeaderSize();

	/*! For the consumer: called when the queue was empty and is not any more. */
	kern_return_t SetDataAvailableHandler(OSAction *action,
			OSDispatchMethod supermethod = nullptr);

	/*! For the producer: called when room was made after an Enqueue() had found none. */
	kern_return_t SetDataServicedHandler(OSAction *action,
			OSDispatchMethod supermethod = nullptr);

	/*! Ends the source: no action is called any more. */
	kern_return_t Cancel(IODispatchSourceCancelHandler handler) override;
	/*!
	 * While it is off no action is called; data that is there is told when it is switched on.
	 */
	kern_return_t SetEnableWithCompletion(bool enable,
			IODispatchSourceCancelHandler handler) override;
	/*! Whether there is an entry to be dequeued. */
	bool IsDataAvailable();

	/*! Shows the oldest entry and leaves it. @return kIOReturnUnderrun when empty. */
	kern_return_t Peek(IODataQueueClientDequeueEntryBlock callback);

	/*! Shows the oldest entry and takes it out. */
	kern_return_t Dequeue(IODataQueueClientDequeueEntryBlock callback);

	/*! The block fills the entry in. @return kIOReturnOverrun without room. */
	kern_return_t Enqueue(uint32_t dataSize, IODataQueueClientEnqueueEntryBlock callback);

	/*! Does not notify: sets the flag when SendDataServiced() is due. */
	kern_return_t DequeueWithCoalesce(bool *sendDataServiced,
			IODataQueueClientDequeueEntryBlock callback);
	/*! Does not notify: sets the flag when SendDataAvailable() is due. */
	kern_return_t EnqueueWithCoalesce(uint32_t dataSize, bool *sendDataAvailable,
			IODataQueueClientEnqueueEntryBlock callback);

	/*! @return kIOReturnSuccess; kIOReturnOverrun. */
	kern_return_t CanEnqueueData(uint32_t dataSize);
	/*! The same for as many entries of that size. */
	kern_return_t CanEnqueueData(uint32_t dataSize, uint32_t entryCount);
	/*! Calls the action of the producer. */
	void SendDataServiced();
	/*! Calls the action of the consumer, and wakes an application that waits for the queue. */
	void SendDataAvailable();

	/*! The memory, +1. */
	kern_return_t CopyMemory(IOMemoryDescriptor **memory,
			OSDispatchMethod supermethod = nullptr);

	/*! +1; kIOReturnNotFound when none is set. */
	kern_return_t CopyDataAvailableHandler(OSAction **action,
			OSDispatchMethod supermethod = nullptr);
	/*! +1; kIOReturnNotFound when none is set. */
	kern_return_t CopyDataServicedHandler(OSAction **action,
			OSDispatchMethod supermethod = nullptr);
	void free() override;

	/*! Callback. */
	OS_RUNTIME_INVOKE_TYPE(IODataQueueDispatchSource, DataAvailable);

	/*! Callback. */
	OS_RUNTIME_INVOKE_TYPE(IODataQueueDispatchSource, DataServiced);

	struct IODataQueueState *state;
};

#pragma GCC visibility pop

#endif
#endif
