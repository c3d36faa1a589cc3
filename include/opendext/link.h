/* SPDX-License-Identifier: MIT
 *
 * opendext/link.h - event links and work groups.
 *
 * On macOS an application takes the other end of both with a connection trap and the os_eventlink and
 * os_workgroup interfaces. Those do not exist here: OpenDextEventLinkSignal() plays the other end, and
 * a work group counts who is in it, without effect on how its threads are scheduled.
 */
#ifndef OPENDEXT_LINK_H
#define OPENDEXT_LINK_H

#include <opendext/object.h>

#pragma GCC visibility push(default)

enum {
	kIOEventLinkMaxNameLength = 64,
	kIOWorkGroupMaxNameLength = 64,
	kIOEventLinkAssociateCurrentThread = 0,
	kIOEventLinkAssociateOnWait = 1,
};

/*!
 * Makes one end of a link between two threads.
 * @param name        1 to 64 bytes.
 * @param userClient  of the application at the other end; retained until Invalidate or the last release.
 * @param link        out, +1. It is not active yet.
 * @return kIOReturnSuccess; kIOReturnBadArgument; kIOReturnNoMemory.
 */
kern_return_t IOEventLinkCreate(OSString *name, IOUserClient *userClient, IOEventLink **link);

/*! Gives up the name and the user client; what the link does stays as it is. @return
 * kIOReturnSuccess; kIOReturnBadArgument. */
kern_return_t IOEventLinkInvalidate(IOEventLink *link);

/*! Makes the link usable. @return kIOReturnSuccess, also when it is; kIOReturnBadArgument;
 * kIOReturnAborted when cancelled. */
kern_return_t IOEventLinkActivate(IOEventLink *link);

/*!
 * Makes a thread the one that waits on this end.
 * @param options  kIOEventLinkAssociateCurrentThread; kIOEventLinkAssociateOnWait: whoever waits next.
 * @return kIOReturnSuccess; kIOReturnBadArgument; kIOReturnNotReady before Activate;
 *         kIOReturnAborted when cancelled; kIOReturnBusy when another thread is associated.
 */
kern_return_t IOEventLinkAssociate(IOEventLink *link, uint64_t options);
/*! Ends the association of the calling thread. @return kIOReturnSuccess; kIOReturnBadArgument;
 * kIOReturnNotPermitted for a thread that is not associated. */
kern_return_t IOEventLinkDisassociate(IOEventLink *link);

/*! Signals the other end. @return kIOReturnSuccess; kIOReturnBadArgument; kIOReturnNotReady before
 * Activate; kIOReturnAborted when cancelled. */
kern_return_t IOEventLinkSignal(IOEventLink *link);

/*!
 * Waits for a signal of the other end.
 * @param signalsConsumed  out: signals since the last wait; may be NULL. 0 on failure.
 * @return kIOReturnSuccess; kIOReturnBadArgument; kIOReturnNotReady before Activate, or when no thread
 *         is associated; kIOReturnNotPermitted when another one is; kIOReturnAborted when cancelled.
 */
kern_return_t IOEventLinkWait(IOEventLink *link, uint64_t *signalsConsumed);
/*!
 * The same with a time limit.
 * @param clockOptions  a kIOTimerClock* constant.
 * @param timeout       absolute, in that clock.
 * @return also kIOReturnTimeout; kIOReturnBadArgument for an unknown clock.
 */
kern_return_t IOEventLinkWaitUntil(IOEventLink *link, uint64_t clockOptions, uint64_t timeout,
				   uint64_t *signalsConsumed);
/*! Signal and then Wait. */
kern_return_t IOEventLinkSignalAndWait(IOEventLink *link, uint64_t *signalsConsumed);
/*! Signal and then WaitUntil. */
kern_return_t IOEventLinkSignalAndWaitUntil(IOEventLink *link, uint64_t clockOptions,
					    uint64_t timeout, uint64_t *signalsConsumed);

/*! Ends the link and wakes who waits. @return kIOReturnSuccess; kIOReturnBadArgument. */
kern_return_t IOEventLinkCancel(IOEventLink *link);

/*!
 * Plays the other end: signals this one, and takes the signals that this one has sent.
 * @param signalsTaken  out: how many there were; may be NULL.
 * @return as IOEventLinkSignal().
 */
kern_return_t OpenDextEventLinkSignal(IOEventLink *link, uint64_t *signalsTaken);

/*!
 * Makes a work group.
 * @param name        1 to 64 bytes.
 * @param userClient  as for IOEventLinkCreate().
 * @param group       out, +1.
 * @return kIOReturnSuccess; kIOReturnBadArgument; kIOReturnNoMemory.
 */
kern_return_t IOWorkGroupCreate(OSString *name, IOUserClient *userClient, IOWorkGroup **group);
/*! As IOEventLinkInvalidate(). */
kern_return_t IOWorkGroupInvalidate(IOWorkGroup *group);
/*! Bytes of the token that Join and Leave want. */
size_t IOWorkGroupGetTokenSize(IOWorkGroup *group);
/*!
 * The calling thread joins.
 * @param token  memory of the caller, of GetTokenSize bytes, until Leave.
 * @return kIOReturnSuccess; kIOReturnBadArgument.
 */
kern_return_t IOWorkGroupJoin(IOWorkGroup *group, void *token);
/*! The calling thread leaves. @return kIOReturnSuccess; kIOReturnBadArgument for a token that Join has
 * not filled in, in this thread and for this group. */
kern_return_t IOWorkGroupLeave(IOWorkGroup *group, void *token);

#pragma GCC visibility pop

#endif
