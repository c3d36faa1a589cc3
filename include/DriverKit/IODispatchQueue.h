/* SPDX-License-Identifier: MIT
 *
 * DriverKit/IODispatchQueue.h - serial queues.
 */
#ifndef OPENDEXT_DRIVERKIT_IODISPATCHQUEUE_H
#define OPENDEXT_DRIVERKIT_IODISPATCHQUEUE_H

#if defined(__IIG) && __IIG
#include <DriverKit/IODispatchQueue.iig>
#else

#include <DriverKit/OSObject.h>

#pragma GCC visibility push(default)

typedef void (^IODispatchBlock)(void);
typedef void (*IODispatchFunction)(void *context);
typedef kern_return_t (^IODispatchAction)(void);
typedef void (^IODispatchQueueCancelHandler)(void);
typedef int (*IODispatchLogFunction)(const char *format, ...);

enum {
	kIODispatchQueueReentrant = 1,
	kIODispatchQueueMethodsNotSynchronized = 2,
	kIODispatchQueueWakeupAll = 1,
	kIODispatchQueueSleepReuseEvent = 0x100,
};

#define kIOServiceDefaultQueueName "Default"

class IODispatchQueue;
#define IODispatchQueue_Create_ID 0xb49fcd06043eb987ULL
#define IODispatchQueue_Create_Args \
	const char *name, uint64_t options, uint64_t priority, IODispatchQueue **queue

extern OSMetaClass *gIODispatchQueueMetaClass;
extern const OSClassLoadInformation IODispatchQueue_Class;

/*!
 * Runs one thing at a time, in the order it was given. Each service has a default queue; default
 * queues share threads. A queue of Create() has a thread of its own. Waiting in it stops no
 * other queue.
 */
class IODispatchQueue : public OSObject {
	OS_RUNTIME_CLASS(IODispatchQueue, OSObject);

	/*!
	 * Makes a queue.
	 * @param options  0, or of kIODispatchQueueReentrant, which lets what runs on the queue
	 *   use DispatchSync() on it and allows DispatchConcurrent(), and
	 *   kIODispatchQueueMethodsNotSynchronized: remote methods, calls of applications and
	 *   callbacks of actions that belong to the queue run beside each other.
	 * @param priority  0.
	 * @param queue  out, +1.
	 * @return kIOReturnSuccess; kIOReturnBadArgument; kIOReturnNoMemory;
	 *   kIOReturnNoResources.
	 */
	static kern_return_t Create(const IODispatchQueueName name, uint64_t options,
			uint64_t priority, IODispatchQueue **queue);

	/*!
	 * Whether the calling thread runs on the queue, also when it came there from another
	 * one.
	 */
	bool OnQueue();
	/*! The name; valid while the queue is. */
	const char * GetName();

	/*!
	 * Stops the queue: what waits in it is dropped. The handler (may be NULL) runs after
	 * what runs now. @return kIOReturnNotPermitted for the default queue of a service.
	 */
	kern_return_t Cancel(IODispatchQueueCancelHandler handler);

	/*! Runs a copy of the block later. The queue is retained until then. */
	void DispatchAsync(IODispatchBlock block);
	/*! The same with a function. */
	void DispatchAsync_f(void *context, IODispatchFunction function);

	/*!
	 * Runs a copy of the block later, beside others that came this way: at most 8 of a queue at
	 * a time, in any order. All other work comes before or after them, as it was given. They are
	 * on the queue, but cannot sleep on it. A queue that is not reentrant runs it like
	 * DispatchAsync().
	 */
	void DispatchConcurrent(IODispatchBlock block);
	/*! The same with a function. */
	void DispatchConcurrent_f(void *context, IODispatchFunction function);

	/*!
	 * Runs the block and waits for it. On the queue itself: at once when it is reentrant;
	 * else it could never end, and the process is ended with one line.
	 */
	void DispatchSync(IODispatchBlock block);
	/*! The same with a function. */
	void DispatchSync_f(void *context, IODispatchFunction function);

	/*!
	 * DispatchSync() that returns what the block returned; kIOReturnAborted on a cancelled
	 * queue.
	 */
	kern_return_t RunAction(IODispatchAction action);

	/*! Writes what is known about the queue that the caller is on. */
	static void Log(const char *message, IODispatchLogFunction output);

	/*!
	 * Leaves the queue to others until somebody on it calls Wakeup() with the same event.
	 * @param options  a kIOTimerClock constant, the clock of deadline; 0: no time limit.
	 * @return kIOReturnSuccess; kIOReturnTimeout; kIOReturnNotPermitted when not on the
	 *   queue; kIOReturnAborted when the queue is cancelled.
	 */
	kern_return_t SleepWithDeadline(void *event, uint64_t options, uint64_t deadline);

	/*! The same with nanoseconds from now; 0: no limit. */
	kern_return_t SleepWithTimeout(void *event, uint64_t timeout);
	/*! The older name of SleepWithTimeout(). */
	kern_return_t Sleep(void *event, uint64_t timeout);

	/*! Wakes the one that has slept longest on the event. */
	kern_return_t Wakeup(void *event);

	/*! @param options  0, or kIODispatchQueueWakeupAll. */
	kern_return_t WakeupWithOptions(void *event, uint64_t options);
};

#pragma GCC visibility pop

#endif
#endif
