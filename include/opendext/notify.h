/* SPDX-License-Identifier: MIT
 *
 * opendext/notify.h - sources that call an action: services that come and go, changes of state items,
 * interrupts.
 *
 * All three work alike. A source has a queue, for the handlers of Cancel and SetEnable, and an action,
 * whose handler runs on the queue of the action's target. What happens while the source is off or has
 * no action is told once, as soon as it can be. After Cancel nothing is told any more.
 */
#ifndef OPENDEXT_NOTIFY_H
#define OPENDEXT_NOTIFY_H

#include <opendext/dispatch.h>
#include <opendext/object.h>

#pragma GCC visibility push(default)

/* --- Services -------------------------------------------------------------------------------- */

enum {
	kIOServiceNotificationTypeTerminated = 0,
	kIOServiceNotificationTypeMatched = 1,
	kIOServiceNotificationTypeNone = 0xFFFFFFFF,
};

/*! Handler of a service or state notification: something is there to be looked at. */
typedef void (*IOServiceNotificationReadyHandler)(OSObject *target, OSAction *action);

/*!
 * What DeliverNotifications calls for each service.
 * @param type     kIOServiceNotificationTypeTerminated or kIOServiceNotificationTypeMatched.
 * @param service  borrowed: the driver's own object if the service is of this process, else one that
 *                 stands for it, with the properties that it had when it was matched. The same object
 *                 when it ends.
 * @param options  0.
 */
typedef void (*IOServiceNotificationFunction)(void *context, uint64_t type, IOService *service,
					      uint64_t options);

/*!
 * Makes the action that a service notification calls.
 * @param target         retained. A service's queue runs the handler; another object's
 *                       handlers have a queue of their own.
 * @param referenceSize  bytes of OSActionGetReference().
 * @param action         out, +1.
 * @return kIOReturnSuccess; kIOReturnBadArgument; kIOReturnNoMemory.
 */
kern_return_t IOServiceNotificationDispatchSourceCreateActionServiceNotificationReady(
	OSObject *target, IOServiceNotificationReadyHandler handler, size_t referenceSize,
	OSAction **action);

/*!
 * Begins to watch for services: those that there are, and those that come later, each once, as soon as
 * its drivers have been looked for.
 * @param matching  as IOServiceCreate...MatchingDictionary() make it; copied.
 * @param options   0.
 * @param queue     of the source; retained.
 * @param source    out, +1. It is on.
 * @return kIOReturnSuccess; kIOReturnBadArgument; kIOReturnNoMemory; kIOReturnNotReady for a queue that
 *         belongs to no driver; kIOReturnNoResources with 256 sources.
 * Differs: services of all drivers and devices are told, there are no entitlements to hear of them.
 */
kern_return_t IOServiceNotificationDispatchSourceCreate(OSDictionary *matching, uint64_t options,
							IODispatchQueue *queue,
							IOServiceNotificationDispatchSource **source);

/*!
 * Sets what is called; retained until replaced (NULL is allowed) or cancelled. It is called at once
 * when there is something to deliver.
 * @return kIOReturnSuccess; kIOReturnBadArgument for an action of another kind; kIOReturnAborted when
 *         cancelled.
 */
kern_return_t
IOServiceNotificationDispatchSourceSetHandler(IOServiceNotificationDispatchSource *source,
					      OSAction *action);

/*!
 * Switches the source on or off.
 * @param handler  called on the source's queue once the change is in force; may be NULL.
 * @return kIOReturnSuccess; kIOReturnBadArgument; kIOReturnAborted when cancelled; kIOReturnNoMemory.
 */
kern_return_t IOServiceNotificationDispatchSourceSetEnableWithCompletion(
	IOServiceNotificationDispatchSource *source, bool enable,
	IODispatchSourceCancelHandler handler, void *context);

/*! Ends the source; the handler (may be NULL) runs on its queue after callbacks in progress there. */
kern_return_t
IOServiceNotificationDispatchSourceCancel(IOServiceNotificationDispatchSource *source,
					  IODispatchSourceCancelHandler handler, void *context);

/*!
 * Calls the function for everything since the last time: first what has ended, then what has come. A
 * service that came and ended in between is not told.
 * @return kIOReturnSuccess, also when there was nothing; kIOReturnBadArgument; kIOReturnAborted when
 *         cancelled.
 */
kern_return_t
IOServiceNotificationDispatchSourceDeliverNotifications(IOServiceNotificationDispatchSource *source,
							void *context,
							IOServiceNotificationFunction function);

/* --- State items ----------------------------------------------------------------------------- */

/*!
 * The service that has the state items: named dictionaries that drivers share.
 * @param service  any service of the driver.
 * @param state    out, +1.
 * @return kIOReturnSuccess; kIOReturnBadArgument; kIOReturnNoMemory.
 * Differs: shared by the drivers of one process (IOUserServerOneProcess), not by all; the system's own
 *          items (lid, power) do not exist.
 */
kern_return_t IOServiceCopySystemStateNotificationService(IOService *service, IOService **state);

/*!
 * Makes an item without a value.
 * @param state     from IOServiceCopySystemStateNotificationService().
 * @param itemName  not empty; copied.
 * @param schema    what the creator says about it; may be NULL. Not interpreted.
 * @return kIOReturnSuccess; kIOReturnBadArgument; kIOReturnUnsupported on another service;
 *         kIOReturnExclusiveAccess for a name in use; kIOReturnNoMemory; kIOReturnNoResources with
 *         1024 items.
 */
kern_return_t IOServiceStateNotificationItemCreate(IOService *state, OSString *itemName,
						   OSDictionary *schema);
/*!
 * Gives an item a value, a copy of this one, and tells who waits for a change, if it is another value.
 * @return kIOReturnSuccess; kIOReturnBadArgument; kIOReturnUnsupported on another service;
 *         kIOReturnNotFound; kIOReturnNoMemory.
 */
kern_return_t IOServiceStateNotificationItemSet(IOService *state, OSString *itemName,
						OSDictionary *value);
/*!
 * The value of an item, a copy, +1.
 * @return kIOReturnSuccess; kIOReturnBadArgument; kIOReturnUnsupported on another service;
 *         kIOReturnNotFound; kIOReturnNotReady when nobody has set it yet; kIOReturnNoMemory.
 */
kern_return_t IOServiceStateNotificationItemCopy(IOService *state, OSString *itemName,
						 OSDictionary **value);

/*! Makes the action that a state notification calls; as for service notifications. */
kern_return_t IOServiceStateNotificationDispatchSourceCreateActionStateNotificationReady(
	OSObject *target, IOServiceNotificationReadyHandler handler, size_t referenceSize,
	OSAction **action);

/*!
 * Makes a source for changes of items. Nothing is told before StateNotificationBegin.
 * @param state   from IOServiceCopySystemStateNotificationService().
 * @param items   names; items that do not exist yet count from when they do. Copied.
 * @param queue   of the source; retained.
 * @param source  out, +1. It is on.
 * @return kIOReturnSuccess; kIOReturnBadArgument; kIOReturnUnsupported on another service;
 *         kIOReturnNoMemory; kIOReturnNotReady for a queue that belongs to no driver.
 */
kern_return_t
IOServiceStateNotificationDispatchSourceCreate(IOService *state, OSArray *items,
					       IODispatchQueue *queue,
					       IOServiceStateNotificationDispatchSource **source);
/*! As IOServiceNotificationDispatchSourceSetHandler(). */
kern_return_t
IOServiceStateNotificationDispatchSourceSetHandler(IOServiceStateNotificationDispatchSource *source,
						   OSAction *action);
/*! As IOServiceNotificationDispatchSourceSetEnableWithCompletion(). */
kern_return_t IOServiceStateNotificationDispatchSourceSetEnableWithCompletion(
	IOServiceStateNotificationDispatchSource *source, bool enable,
	IODispatchSourceCancelHandler handler, void *context);
/*! As IOServiceNotificationDispatchSourceCancel(). */
kern_return_t
IOServiceStateNotificationDispatchSourceCancel(IOServiceStateNotificationDispatchSource *source,
					       IODispatchSourceCancelHandler handler, void *context);
/*!
 * Asks for one call of the action: at the next change, or at once when there was one since the last
 * call. The handler asks again when it has looked at the items.
 * @return kIOReturnSuccess; kIOReturnBadArgument; kIOReturnAborted when cancelled.
 */
kern_return_t IOServiceStateNotificationDispatchSourceStateNotificationBegin(
	IOServiceStateNotificationDispatchSource *source);

/* --- Interrupts ------------------------------------------------------------------------------ */

enum {
	kIOInterruptTypeEdge = 0,
	kIOInterruptTypeLevel = 1,
	kIOInterruptSourceIndexMask = 0xffff,
	kIOInterruptSourceAbsoluteTime = 0,
	kIOInterruptSourceContinuousTime = 0x10000,
};

/*!
 * Handler of an interrupt.
 * @param count  how many there were since the source was made, this one included.
 * @param time   when it occurred, in the clock that the index of Create() chose.
 */
typedef void (*IOInterruptOccurredHandler)(OSObject *target, OSAction *action, uint64_t count,
					   uint64_t time);

/*! Makes the action that an interrupt calls; as for service notifications. */
kern_return_t IOInterruptDispatchSourceCreateActionInterruptOccurred(
	OSObject *target, IOInterruptOccurredHandler handler, size_t referenceSize,
	OSAction **action);

/*!
 * Makes a source for an interrupt of a provider. No hardware raises any here: a provider has as many as
 * its property IOInterruptSpecifiers has members, and OpenDextInterruptRaise() raises them.
 * @param index   number of the interrupt, and kIOInterruptSourceContinuousTime for times of
 *                mach_continuous_time() instead of mach_absolute_time().
 * @param queue   of the source; retained.
 * @param source  out, +1. It is off until SetEnable.
 * @return kIOReturnSuccess; kIOReturnBadArgument; kIOReturnNoInterrupt when the provider has no such
 *         interrupt; kIOReturnNoMemory; kIOReturnNotReady for a queue that belongs to no driver.
 */
kern_return_t IOInterruptDispatchSourceCreate(IOService *provider, uint32_t index,
					      IODispatchQueue *queue,
					      IOInterruptDispatchSource **source);
/*!
 * Edge or level: the lowest bit of the number at that place in IOInterruptSpecifiers.
 * @return kIOReturnSuccess; kIOReturnBadArgument; kIOReturnNoInterrupt.
 */
kern_return_t IOInterruptDispatchSourceGetInterruptType(IOService *provider, uint32_t index,
							uint64_t *interruptType);
/*! As IOServiceNotificationDispatchSourceSetHandler(). */
kern_return_t IOInterruptDispatchSourceSetHandler(IOInterruptDispatchSource *source,
						  OSAction *action);
/*! As IOServiceNotificationDispatchSourceSetEnableWithCompletion(). */
kern_return_t
IOInterruptDispatchSourceSetEnableWithCompletion(IOInterruptDispatchSource *source, bool enable,
						 IODispatchSourceCancelHandler handler,
						 void *context);
/*! As IOServiceNotificationDispatchSourceCancel(). */
kern_return_t IOInterruptDispatchSourceCancel(IOInterruptDispatchSource *source,
					      IODispatchSourceCancelHandler handler, void *context);
/*!
 * The last interrupt, also one that the action was not called for.
 * @param count  out: 0 when there was none.
 * @param time   out.
 * @return kIOReturnSuccess; kIOReturnBadArgument.
 */
kern_return_t IOInterruptDispatchSourceGetLastInterrupt(IOInterruptDispatchSource *source,
							uint64_t *count, uint64_t *time);

/*!
 * Raises an interrupt of a service, for all sources in this process that were made for the service
 * itself or for what stands for it as a provider: so one driver of a process (IOUserServerOneProcess)
 * can play the device that another one drives, or a driver its own device in a test.
 * @return kIOReturnSuccess; kIOReturnBadArgument; kIOReturnNoInterrupt when it has no such interrupt.
 */
kern_return_t OpenDextInterruptRaise(IOService *provider, uint32_t index);

#pragma GCC visibility pop

#endif
