/* SPDX-License-Identifier: MIT
 *
 * opendext/dispatch.h - serial queues and timers.
 *
 * A queue runs one thing at a time, in the order it was given. Every service has a default queue;
 * default queues share the threads of the process, so that an idle service costs none. A queue made
 * with IODispatchQueueCreate() has a thread of its own.
 *
 * A function that waits (IOSleep(), a synchronous transfer, a lock that is held) stops only the queue
 * it was called on.
 */
#ifndef OPENDEXT_DISPATCH_H
#define OPENDEXT_DISPATCH_H

#include <opendext/object.h>

#pragma GCC visibility push(default)

typedef void (*IODispatchFunction)(void *context);
typedef kern_return_t (*IODispatchAction)(void *context);
typedef void (*IODispatchQueueCancelHandler)(void *context);
typedef void (*IODispatchSourceCancelHandler)(void *context);

enum {
	kIODispatchQueueReentrant = 1,
	kIODispatchQueueMethodsNotSynchronized = 2,
	kIODispatchQueueWakeupAll = 1,
	kIODispatchQueueSleepReuseEvent = 0x100,
};

#define kIOServiceDefaultQueueName	    "Default"
#define kIOUserClientQueueNameExternalMethod "IOUserClientQueueExternalMethod"

/*!
 * Makes a serial queue with a thread of its own.
 * @param name      for people; copied.
 * @param options   0, or of kIODispatchQueueReentrant, which lets a function on the queue use
 *                  DispatchSync on the same queue (it runs at once) and allows DispatchConcurrent, and
 *                  kIODispatchQueueMethodsNotSynchronized: calls of applications and handlers of actions
 *                  that come to the queue run beside each other, as with DispatchConcurrent.
 * @param priority  0.
 * @param queue     out, +1.
 * @return kIOReturnSuccess; kIOReturnBadArgument for NULL, a name that is too long, another option or
 *         a priority; kIOReturnNoMemory; kIOReturnNoResources when no thread can be made.
 */
kern_return_t IODispatchQueueCreate(const char *name, uint64_t options,
				    uint64_t priority, IODispatchQueue **queue);

/*!
 * Tells whether the calling thread runs on the queue, also when it came there from another queue
 * through DispatchSync (then it is on both).
 */
bool IODispatchQueueOnQueue(IODispatchQueue *queue);

/*! The name; valid while the queue is. */
const char *IODispatchQueueGetName(IODispatchQueue *queue);

/*!
 * Stops the queue: what waits in it never runs, and new work is dropped.
 * @param handler  called once, when the function that runs now has ended; may be NULL.
 * @return kIOReturnSuccess; kIOReturnNotPermitted for a default queue.
 */
kern_return_t IODispatchQueueCancel(IODispatchQueue *queue, IODispatchQueueCancelHandler handler,
				    void *context);

/*!
 * Runs function(context) on the queue, later. The queue is retained until then.
 * Threads: any. Blocks: never. Without memory the function is lost only if the process has none left
 *          for a few words; this is reported on standard error.
 */
void IODispatchQueueDispatchAsync_f(IODispatchQueue *queue, void *context,
				    IODispatchFunction function);

/*!
 * Runs function(context) later, beside others that came this way: at most 8 of a queue at a time, in any
 * order. All other work of the queue comes before or after them, as it was given. They are on the queue,
 * but cannot sleep on it. A queue that is not reentrant runs it like IODispatchQueueDispatchAsync_f().
 * Threads: any. Blocks: never.
 */
void IODispatchQueueDispatchConcurrent_f(IODispatchQueue *queue, void *context,
					 IODispatchFunction function);

/*!
 * Runs function(context) on the queue and waits for it.
 * On a queue that the thread is on already, a reentrant queue runs it at once; on another queue this
 * never ends, as on macOS, so it is treated as a bug of the driver: one line, then abort().
 * Blocks: the calling queue; other queues go on.
 */
void IODispatchQueueDispatchSync_f(IODispatchQueue *queue, void *context,
				   IODispatchFunction function);

/*! DispatchSync that returns what the function returned; kIOReturnAborted on a cancelled queue. */
kern_return_t IODispatchQueueRunAction(IODispatchQueue *queue, void *context,
				       IODispatchAction action);

/*!
 * Leaves the queue to others until somebody on it calls Wakeup with the same event.
 * @param event    any address that the two sides agree on.
 * @param options  a kIOTimerClock* constant, the clock of deadline; 0: no time limit.
 * @return kIOReturnSuccess, on the queue again; kIOReturnTimeout; kIOReturnNotPermitted when the
 *         caller is not on the queue; kIOReturnAborted when the queue was cancelled;
 *         kIOReturnBadArgument for an unknown clock; kIOReturnNoResources when the queue cannot be
 *         given to anybody, because no thread can be made.
 */
kern_return_t IODispatchQueueSleepWithDeadline(IODispatchQueue *queue, void *event,
					       uint64_t options, uint64_t deadline);
/*! The same with nanoseconds from now; 0: no time limit. */
kern_return_t IODispatchQueueSleepWithTimeout(IODispatchQueue *queue, void *event,
					      uint64_t timeout);
/*! The older name of SleepWithTimeout. */
kern_return_t IODispatchQueueSleep(IODispatchQueue *queue, void *event, uint64_t timeout);

/*! Wakes the one that has slept longest on event. @return kIOReturnSuccess;
 * kIOReturnNotPermitted when the caller is not on the queue. */
kern_return_t IODispatchQueueWakeup(IODispatchQueue *queue, void *event);
/*! @param options  0, or kIODispatchQueueWakeupAll for everybody. */
kern_return_t IODispatchQueueWakeupWithOptions(IODispatchQueue *queue, void *event,
					       uint64_t options);

/* --- Timers ---------------------------------------------------------------------------------- */

enum {
	kIOTimerClockRealTime = 0x80,
	kIOTimerClockWallTime = 0x80,
	kIOTimerClockMonotonicRaw = 0x84,
	kIOTimerClockUptimeRaw = 0x88,
	kIOTimerClockMachContinuousTime = 0xC4,
	kIOTimerClockMachAbsoluteTime = 0xC8,
};

/*!
 * Handler of a timer.
 * @param time  when it fired, in the clock of WakeAtTime.
 */
typedef void (*IOTimerOccurredHandler)(OSObject *target, OSAction *action, uint64_t time);

/*!
 * Makes the action that a timer calls.
 * @param target         retained. A service's queue runs the handler; another object's
 *                       handlers have a queue of their own.
 * @param referenceSize  bytes of OSActionGetReference().
 * @param action         out, +1.
 * @return kIOReturnSuccess; kIOReturnBadArgument; kIOReturnNoMemory.
 */
kern_return_t IOTimerDispatchSourceCreateActionTimerOccurred(OSObject *target,
							     IOTimerOccurredHandler handler,
							     size_t referenceSize,
							     OSAction **action);

/*!
 * Makes a timer: enabled, not armed, without handler.
 * @param queue   the timer's queue; retained. The handler runs on the queue of its action.
 * @param source  out, +1.
 * @return kIOReturnSuccess; kIOReturnBadArgument; kIOReturnNoMemory; kIOReturnNotReady in a thread
 *         that belongs to no driver.
 */
kern_return_t IOTimerDispatchSourceCreate(IODispatchQueue *queue, IOTimerDispatchSource **source);

/*! Sets what is called; retained until replaced (NULL is allowed) or cancelled. */
kern_return_t IOTimerDispatchSourceSetHandler(IOTimerDispatchSource *source, OSAction *action);

/*!
 * Switches the timer on or off. An armed timer that expires while it is off fires when it is
 * switched on again.
 * @param handler  called on the timer's queue once the change is in force; may be NULL.
 */
kern_return_t IOTimerDispatchSourceSetEnableWithCompletion(IOTimerDispatchSource *source,
							   bool enable,
							   IODispatchSourceCancelHandler handler,
							   void *context);
/*! The same without a handler. */
kern_return_t IOTimerDispatchSourceSetEnable(IOTimerDispatchSource *source, bool enable);

/*! Ends the timer; the handler runs on the timer's queue after callbacks in progress. */
kern_return_t IOTimerDispatchSourceCancel(IOTimerDispatchSource *source,
					  IODispatchSourceCancelHandler handler, void *context);

/*!
 * Arms the timer once; replaces a pending deadline.
 * @param options   a kIOTimerClock* constant: clock and unit.
 * @param deadline  absolute; in the past: fires at once.
 * @param leeway    how much later is still in time.
 * @return kIOReturnSuccess; kIOReturnBadArgument for an unknown clock; kIOReturnAborted when
 *         cancelled.
 */
kern_return_t IOTimerDispatchSourceWakeAtTime(IOTimerDispatchSource *source, uint64_t options,
					      uint64_t deadline, uint64_t leeway);

#pragma GCC visibility pop

#endif
