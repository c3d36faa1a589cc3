/* SPDX-License-Identifier: MIT
 *
 * DriverKit/OSAction.h - what is called when something is done.
 */
#ifndef OPENDEXT_DRIVERKIT_OSACTION_H
#define OPENDEXT_DRIVERKIT_OSACTION_H

#if defined(__IIG) && __IIG
#include <DriverKit/OSAction.iig>
#else

#include <DriverKit/OSObject.h>
#include <DriverKit/OSString.h>

#pragma GCC visibility push(default)

struct OSActionWaitToken;
typedef void (^OSActionCancelHandler)(void);
typedef void (^OSActionAbortedHandler)(void);

class OSAction;
#define OSAction_Create_ID 0xf9173a481d6e80b9ULL
#define OSAction_Create_Args \
	OSObject *target, uint64_t targetmsgid, uint64_t msgid, size_t referenceSize, \
	OSAction **action
#define OSAction_CreateWithTypeName_ID 0x81f993cebeb12e40ULL
#define OSAction_CreateWithTypeName_Args \
	OSObject *target, uint64_t targetmsgid, uint64_t msgid, size_t referenceSize, \
	OSString *typeName, OSAction **action

extern OSMetaClass *gOSActionMetaClass;
extern const OSClassLoadInformation OSAction_Class;

/*!
 * A method of an object, to be called later: CreateAction<Method>() of the target's class makes
 * one for each method that is declared with TYPE(). It may fire any number of times, and runs
 * its method on the queue that the target has for it, or, when the target is no service, on a queue
 * that the action has for itself. The target is retained until the action is cancelled or freed.
 */
class OSAction : public OSObject {
	OS_RUNTIME_CLASS(OSAction, OSObject);

	/*!
	 * Makes an action by numbers.
	 * @param targetmsgid  <Class>_<Method>_ID of the method of target.
	 * @param msgid  <Class>_<Method>_ID of the callback that it is for,
	 *   IOUSBHostPipe_CompleteAsyncIO_ID and so on.
	 * @param referenceSize  bytes of GetReference().
	 * @param action  out, +1.
	 * @return kIOReturnSuccess; kIOReturnBadArgument; kIOReturnNoMemory.
	 */
	static kern_return_t Create(OSObject *target, uint64_t targetmsgid, uint64_t msgid,
			size_t referenceSize, OSAction **action);

	/*!
	 * The same, as an object of the class of that name; an unknown one gives a plain
	 * OSAction.
	 */
	static kern_return_t CreateWithTypeName(OSObject *target, uint64_t targetmsgid,
			uint64_t msgid, size_t referenceSize, OSString *typeName,
			OSAction **action);

	/*!
	 * Zeroed bytes that belong to the action, aligned to 16; NULL for size 0 and for the
	 * completion of an application's call.
	 */
	void * GetReference();

	/*!
	 * Stops the action for good.
	 * @param handler  runs when no callback of the action runs any more and the target is
	 *   released; may be NULL.
	 */
	kern_return_t Cancel(OSActionCancelHandler handler);

	/*!
	 * Sets a block that runs on the target's queue when the runtime holds the action no
	 * longer for anything that could fire it. NULL takes it away.
	 */
	kern_return_t SetAbortedHandler(OSActionAbortedHandler handler);

	/*!
	 * Announces Wait(); call it before the action can fire. @return kIOReturnBusy when
	 * somebody else has.
	 */
	kern_return_t WillWait(OSActionWaitToken **token);

	/*!
	 * Waits until it has fired.
	 * @param options  0: no time limit; else a kIOTimerClock constant, the clock of
	 *   deadline.
	 * @return kIOReturnSuccess; kIOReturnAborted when cancelled; kIOReturnTimeout.
	 */
	kern_return_t Wait(OSActionWaitToken *token, uint64_t options, uint64_t deadline);

	/*! Ends the wait and frees the token. @return what Wait() would return now. */
	kern_return_t EndWait(OSActionWaitToken *token);
	void free() override;

	/* The runtime's: what it was made with. */
	uint64_t targetmsgid_;
	uint64_t msgid_;
	void *aborted_; /* the block of SetAbortedHandler() */
};

#pragma GCC visibility pop

#endif
#endif
