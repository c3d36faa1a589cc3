/* SPDX-License-Identifier: MIT
 *
 * DriverKit/IOEventLink.h - signals between a thread of the driver and one of an application.
 */
#ifndef OPENDEXT_DRIVERKIT_IOEVENTLINK_H
#define OPENDEXT_DRIVERKIT_IOEVENTLINK_H

#include <DriverKit/OSString.h>

#pragma GCC visibility push(default)

class IOEventLink;
class IOUserClient;
extern OSMetaClass *gIOEventLinkMetaClass;
extern const OSClassLoadInformation IOEventLink_Class;

enum {
	kIOEventLinkMaxNameLength = 64,
	kIOEventLinkAssociateCurrentThread = 0,
	kIOEventLinkAssociateOnWait = 1,
};

/*!
 * Plays the other end, which an application has on macOS: signals this one, and takes the signals
 * that this one has sent. Not of Apple's interface.
 * @param signalsTaken  out: how many there were; may be NULL.
 * @return as IOEventLink::Signal().
 */
kern_return_t OpenDextEventLinkSignal(IOEventLink *link, uint64_t *signalsTaken);

/*! One end of a link. No application can take the other one: see OpenDextEventLinkSignal(). */
class IOEventLink : public OSObject {
	OS_RUNTIME_CLASS(IOEventLink, OSObject);

	/*!
	 * Makes a link that is not active yet.
	 * @param name        1 to 64 bytes.
	 * @param userClient  retained until Invalidate() or the end of the link.
	 * @param eventLink   out, +1.
	 * @return kIOReturnSuccess; kIOReturnBadArgument; kIOReturnNoMemory.
	 */
	static kern_return_t Create(OSString *name, IOUserClient *userClient, IOEventLink **eventLink);
	/*! Gives up name and user client; what the link does stays as it is. */
	kern_return_t Invalidate();
	/*! Makes it usable. @return kIOReturnSuccess; kIOReturnAborted when cancelled. */
	kern_return_t Activate();
	/*!
	 * Makes a thread the one that waits.
	 * @param options  kIOEventLinkAssociateCurrentThread, or kIOEventLinkAssociateOnWait for
	 *                 whoever waits next.
	 * @return kIOReturnSuccess; kIOReturnBadArgument; kIOReturnNotReady before Activate();
	 *         kIOReturnBusy when another thread is associated; kIOReturnAborted when cancelled.
	 */
	kern_return_t Associate(uint64_t options);
	/*! Ends that. @return kIOReturnSuccess; kIOReturnNotPermitted in another thread. */
	kern_return_t Disassociate();
	/*! Signals the other end. @return kIOReturnSuccess; kIOReturnNotReady before Activate();
	 * kIOReturnAborted when cancelled. */
	kern_return_t Signal();
	/*!
	 * Waits for a signal of the other end.
	 * @param signalsConsumed  out: signals since the last wait; may be NULL.
	 * @return kIOReturnSuccess; kIOReturnNotReady before Activate() or Associate();
	 *         kIOReturnNotPermitted in another thread; kIOReturnAborted when cancelled.
	 */
	kern_return_t Wait(uint64_t *signalsConsumed);
	/*!
	 * The same until an absolute time.
	 * @param clockOptions  a kIOTimerClock constant.
	 * @return also kIOReturnTimeout, kIOReturnBadArgument for an unknown clock.
	 */
	kern_return_t WaitUntil(uint64_t clockOptions, uint64_t timeout, uint64_t *signalsConsumed);
	/*! Signal() and then Wait(). */
	kern_return_t SignalAndWait(uint64_t *signalsConsumed);
	/*! Signal() and then WaitUntil(). */
	kern_return_t SignalAndWaitUntil(uint64_t clockOptions, uint64_t timeout,
					 uint64_t *signalsConsumed);
	/*! Ends the link and wakes who waits. */
	kern_return_t Cancel();
};

#pragma GCC visibility pop

#endif
