/* SPDX-License-Identifier: MIT
 *
 * action - OSAction, and how completions of the core become messages.
 *
 * Place:   cxx. An action of the core calls a C function on the queue of its target. That function
 *          fills the message of the callback in and hands it to the target under the number of the
 *          target's method. Callbacks that the core does not know are posted, or delivered by
 *          whoever calls the action.
 */
#include "cxx/action.h"

#include "cxx/block.h"
#include "cxx/classes.h"
#include "cxx/message.h"

DX_RUNTIME_CLASS_RECORD(OSAction, &OSObject_Class)
DX_TYPE(IOTimerDispatchSource, TimerOccurred, action, time)
DX_TYPE(IOInterruptDispatchSource, InterruptOccurred, action, count, time)
DX_TYPE(IOServiceNotificationDispatchSource, ServiceNotificationReady, action)
DX_TYPE(IOServiceStateNotificationDispatchSource, StateNotificationReady, action)
DX_TYPE(IOUSBHostPipe, CompleteAsyncIO, action, status, actualByteCount, completionTimestamp)
DX_TYPE(IOUSBHostPipe, CompleteAsyncIsochIO, action, status)
DX_TYPE(IOUSBHostPipe, CompleteAsyncIOBundled, action, ioCompletionIndex, ioCompletionCount,
	actualByteCountArray, actualByteCountArrayCount, statusArray, statusArrayCount)
DX_TYPE(IOUSBHostDevice, CompleteAsyncDeviceRequest, action, status, bytesTransferred)

/* ---- from the core to the target ---- */

static void hand_over(core::OSObject *target, const OSAction *action, void *message)
{
	OSObject *object = dx::object_of(static_cast<void *>(target));

	if (object != nullptr && action != nullptr) {
		(void)object->Dispatch({action->targetmsgid_, message});
	}
}

static OSAction *action_of(core::OSAction *action)
{
	return static_cast<OSAction *>(dx::object_of(static_cast<void *>(action)));
}

static void timer_occurred(core::OSObject *target, core::OSAction *action, uint64_t time)
{
	OSAction *own = action_of(action);
	IOTimerDispatchSource_TimerOccurred_Msg message = {own, time};

	hand_over(target, own, &message);
}

static void interrupt_occurred(core::OSObject *target, core::OSAction *action, uint64_t count,
			       uint64_t time)
{
	OSAction *own = action_of(action);
	IOInterruptDispatchSource_InterruptOccurred_Msg message = {own, count, time};

	hand_over(target, own, &message);
}

static void services_ready(core::OSObject *target, core::OSAction *action)
{
	OSAction *own = action_of(action);
	IOServiceNotificationDispatchSource_ServiceNotificationReady_Msg message = {own};

	hand_over(target, own, &message);
}

static void state_ready(core::OSObject *target, core::OSAction *action)
{
	OSAction *own = action_of(action);
	IOServiceStateNotificationDispatchSource_StateNotificationReady_Msg message = {own};

	hand_over(target, own, &message);
}

static void async_io_done(core::OSObject *target, core::OSAction *action, IOReturn status,
			  uint32_t bytes, uint64_t timestamp)
{
	OSAction *own = action_of(action);
	IOUSBHostPipe_CompleteAsyncIO_Msg message = {own, status, bytes, timestamp};

	hand_over(target, own, &message);
}

static void isoch_io_done(core::OSObject *target, core::OSAction *action, IOReturn status)
{
	OSAction *own = action_of(action);
	IOUSBHostPipe_CompleteAsyncIsochIO_Msg message = {own, status};

	hand_over(target, own, &message);
}

static void bundled_io_done(core::OSObject *target, core::OSAction *action, uint32_t index,
			    uint32_t count, const uint32_t *bytes, int nr_bytes,
			    const kern_return_t *statuses, int nr_statuses)
{
	OSAction *own = action_of(action);
	IOUSBHostPipe_CompleteAsyncIOBundled_Msg message = {own,      index,	count,	    bytes,
							    nr_bytes, statuses, nr_statuses};

	hand_over(target, own, &message);
}

static void device_request_done(core::OSObject *target, core::OSAction *action, IOReturn status,
				uint32_t bytes)
{
	OSAction *own = action_of(action);
	IOUSBHostDevice_CompleteAsyncDeviceRequest_Msg message = {own, status, bytes};

	hand_over(target, own, &message);
}

/* ---- making ---- */

static kern_return_t make_core(core::OSObject *target, uint64_t msgid, size_t size,
			       core::OSAction **made)
{
	switch (msgid) {
	case IOTimerDispatchSource_TimerOccurred_ID:
		return core::IOTimerDispatchSourceCreateActionTimerOccurred(target, timer_occurred,
									    size, made);
	case IOInterruptDispatchSource_InterruptOccurred_ID:
		return core::IOInterruptDispatchSourceCreateActionInterruptOccurred(
			target, interrupt_occurred, size, made);
	case IOServiceNotificationDispatchSource_ServiceNotificationReady_ID:
		return core::IOServiceNotificationDispatchSourceCreateActionServiceNotificationReady(
			target, services_ready, size, made);
	case IOServiceStateNotificationDispatchSource_StateNotificationReady_ID:
		return core::IOServiceStateNotificationDispatchSourceCreateActionStateNotificationReady(
			target, state_ready, size, made);
	case IOUSBHostPipe_CompleteAsyncIO_ID:
		return core::IOUSBHostPipeCreateActionCompleteAsyncIO(target, async_io_done, size,
								      made);
	case IOUSBHostPipe_CompleteAsyncIsochIO_ID:
		return core::IOUSBHostPipeCreateActionCompleteAsyncIsochIO(target, isoch_io_done,
									   size, made);
	case IOUSBHostPipe_CompleteAsyncIOBundled_ID:
		return core::IOUSBHostPipeCreateActionCompleteAsyncIOBundled(
			target, bundled_io_done, size, made);
	case IOUSBHostDevice_CompleteAsyncDeviceRequest_ID:
		return core::IOUSBHostDeviceCreateActionCompleteAsyncDeviceRequest(
			target, device_request_done, size, made);
	default:
		return core::OpenDextActionCreate(target, size, made);
	}
}

kern_return_t OSActionCreateTyped(const OSMetaClass *actionClass, OSObject *target,
				  uint64_t targetmsgid, uint64_t msgid, size_t referenceSize,
				  OSAction **action)
{
	core::OSAction *made = nullptr;

	if (actionClass == nullptr || !actionClass->IsSubclassOf(gOSActionMetaClass) ||
	    target == nullptr || action == nullptr) {
		return kIOReturnBadArgument;
	}
	kern_return_t status = make_core(dx::to<core::OSObject>(target), msgid, referenceSize, &made);
	if (status != kIOReturnSuccess) {
		return status;
	}
	OSAction *own = static_cast<OSAction *>(dx::make_object(made, actionClass));
	if (own == nullptr) {
		core::OSRelease(made);
		return kIOReturnNoMemory;
	}
	own->targetmsgid_ = targetmsgid;
	own->msgid_ = msgid;
	const char *queue = dx::find_queue_name(target->getMetaClass()->information, targetmsgid);
	if (queue != nullptr) {
		(void)core::OSActionSetQueueName(made, queue);
	}
	*action = own;
	return kIOReturnSuccess;
}

kern_return_t OSAction::Create(OSObject *target, uint64_t targetmsgid, uint64_t msgid,
			       size_t referenceSize, OSAction **action)
{
	return OSActionCreateTyped(gOSActionMetaClass, target, targetmsgid, msgid, referenceSize,
				   action);
}

kern_return_t OSAction::CreateWithTypeName(OSObject *target, uint64_t targetmsgid, uint64_t msgid,
					   size_t referenceSize, OSString *typeName,
					   OSAction **action)
{
	const OSMetaClass *named =
		typeName == nullptr ? nullptr : dx::find_class(typeName->getCStringNoCopy());

	if (named == nullptr || !named->IsSubclassOf(gOSActionMetaClass)) {
		named = gOSActionMetaClass;
	}
	return OSActionCreateTyped(named, target, targetmsgid, msgid, referenceSize, action);
}

/* ---- messages to an action go to its target ---- */

kern_return_t OSAction::_Dispatch(OSMetaClassBase *self, const IORPC rpc)
{
	OSAction *action = static_cast<OSAction *>(self);

	if (rpc.msgid != action->msgid_ || action->targetmsgid_ == 0) {
		return OSObject::_Dispatch(self, rpc);
	}
	core::OSObject *target = core::OpenDextActionCopyTarget(dx::to<core::OSAction>(action));
	if (target == nullptr) {
		return kIOReturnAborted;
	}
	kern_return_t status = dx::object_of(static_cast<void *>(target))
				       ->Invoke({action->targetmsgid_, rpc.message});
	core::OSRelease(target);
	return status;
}

/* Callbacks of the runtime's own sources have the action as their only argument. */
static void fire_posted(void *context, bool cancelled)
{
	OSAction *action = static_cast<OSAction *>(context);

	if (!cancelled) {
		IODataQueueDispatchSource_DataAvailable_Msg message = {action};
		(void)action->Dispatch({action->msgid_, &message});
	}
	action->release();
}

namespace dx {

bool is_action_for(const OSAction *action, uint64_t msgid)
{
	return action != nullptr && action->msgid_ == msgid;
}

void fire(OSAction *action)
{
	action->retain();
	if (!core::OpenDextActionPost(to<core::OSAction>(action), fire_posted, action)) {
		action->release();
	}
}

} // namespace dx

/* ---- the object ---- */

void *OSAction::GetReference()
{
	return core::OSActionGetReference(dx::to<core::OSAction>(this));
}

kern_return_t OSAction::Cancel(OSActionCancelHandler handler)
{
	return dx::with_handler(handler, [this](void (*function)(void *), void *context) {
		return core::OSActionCancel(dx::to<core::OSAction>(this), function, context);
	});
}

/* Each call of the handler needs the block, so it stays with the action. */
static void run_kept_block(void *context)
{
	reinterpret_cast<OSActionAbortedHandler>(context)();
}

kern_return_t OSAction::SetAbortedHandler(OSActionAbortedHandler handler)
{
	void *old = aborted_;

	aborted_ = dx::copy_block(handler);
	kern_return_t status = core::OSActionSetAbortedHandler(
		dx::to<core::OSAction>(this), aborted_ == nullptr ? nullptr : run_kept_block,
		aborted_);
	if (old != nullptr) {
		Block_release(reinterpret_cast<OSActionAbortedHandler>(old));
	}
	return status;
}

void OSAction::free()
{
	if (aborted_ != nullptr) {
		Block_release(reinterpret_cast<OSActionAbortedHandler>(aborted_));
	}
}

kern_return_t OSAction::WillWait(OSActionWaitToken **token)
{
	return core::OSActionWillWait(dx::to<core::OSAction>(this),
				      reinterpret_cast<core::OSActionWaitToken **>(token));
}

kern_return_t OSAction::Wait(OSActionWaitToken *token, uint64_t options, uint64_t deadline)
{
	return core::OSActionWait(dx::to<core::OSAction>(this),
				  reinterpret_cast<core::OSActionWaitToken *>(token), options,
				  deadline);
}

kern_return_t OSAction::EndWait(OSActionWaitToken *token)
{
	return core::OSActionEndWait(dx::to<core::OSAction>(this),
				     reinterpret_cast<core::OSActionWaitToken *>(token));
}
