/* SPDX-License-Identifier: MIT
 *
 * sources - IODispatchSource, timers, and the sources that this system has nothing for.
 */
#include "cxx/action.h"
#include "cxx/block.h"
#include "cxx/message.h"

DX_RUNTIME_CLASS(IODispatchSource, OSObject)
DX_RUNTIME_CLASS(IOTimerDispatchSource, IODispatchSource)
DX_RUNTIME_CLASS(IOInterruptDispatchSource, IODispatchSource)
DX_RUNTIME_CLASS(IOServiceStateNotificationDispatchSource, IODispatchSource)
DX_TYPE(IOInterruptDispatchSource, InterruptOccurred, action, count, time)
DX_TYPE(IOServiceStateNotificationDispatchSource, StateNotificationReady, action)

kern_return_t IODispatchSource::Cancel(IODispatchSourceCancelHandler)
{
	return kIOReturnUnsupported;
}

kern_return_t IODispatchSource::SetEnableWithCompletion(bool, IODispatchSourceCancelHandler)
{
	return kIOReturnUnsupported;
}

kern_return_t IODispatchSource::CheckForWork(bool)
{
	return kIOReturnUnsupported;
}

kern_return_t IODispatchSource::SetEnable(bool enable)
{
	return SetEnableWithCompletion(enable, nullptr);
}

/* ---- timers ---- */

static_assert(kIOTimerClockMachAbsoluteTime == core::kIOTimerClockMachAbsoluteTime &&
		      kIOTimerClockRealTime == core::kIOTimerClockRealTime &&
		      kIOTimerClockMonotonicRaw == core::kIOTimerClockMonotonicRaw,
	      "the constants of C");

static core::IOTimerDispatchSource *timer_of(const IOTimerDispatchSource *timer)
{
	return dx::to<core::IOTimerDispatchSource>(timer);
}

kern_return_t IOTimerDispatchSource::Create(IODispatchQueue *queue, IOTimerDispatchSource **source)
{
	core::IOTimerDispatchSource *made = nullptr;

	if (source == nullptr) {
		return kIOReturnBadArgument;
	}
	return dx::give(
		core::IOTimerDispatchSourceCreate(dx::to<core::IODispatchQueue>(queue), &made), made,
		source);
}

kern_return_t IOTimerDispatchSource::SetHandler(OSAction *action, OSDispatchMethod)
{
	return core::IOTimerDispatchSourceSetHandler(timer_of(this), dx::to<core::OSAction>(action));
}

kern_return_t IOTimerDispatchSource::Cancel(IODispatchSourceCancelHandler handler)
{
	return dx::with_handler(handler, [this](void (*function)(void *), void *context) {
		return core::IOTimerDispatchSourceCancel(timer_of(this), function, context);
	});
}

kern_return_t IOTimerDispatchSource::SetEnableWithCompletion(bool enable,
							     IODispatchSourceCancelHandler handler)
{
	return dx::with_handler(handler, [&](void (*function)(void *), void *context) {
		return core::IOTimerDispatchSourceSetEnableWithCompletion(timer_of(this), enable,
									  function, context);
	});
}

kern_return_t IOTimerDispatchSource::WakeAtTime(uint64_t options, uint64_t deadline,
						uint64_t leeway, OSDispatchMethod)
{
	return core::IOTimerDispatchSourceWakeAtTime(timer_of(this), options, deadline, leeway);
}

/* ---- interrupts: no provider has any ---- */

kern_return_t IOInterruptDispatchSource::Create(IOService *provider, uint32_t, IODispatchQueue *queue,
						IOInterruptDispatchSource **source)
{
	return provider == nullptr || queue == nullptr || source == nullptr ? kIOReturnBadArgument
									    : kIOReturnNoInterrupt;
}

kern_return_t IOInterruptDispatchSource::GetInterruptType(IOService *provider, uint32_t,
							  uint64_t *interruptType)
{
	return provider == nullptr || interruptType == nullptr ? kIOReturnBadArgument
							       : kIOReturnNoInterrupt;
}

kern_return_t IOInterruptDispatchSource::SetHandler(OSAction *, OSDispatchMethod)
{
	return kIOReturnNoInterrupt;
}

kern_return_t IOInterruptDispatchSource::Cancel(IODispatchSourceCancelHandler)
{
	return kIOReturnNoInterrupt;
}

kern_return_t IOInterruptDispatchSource::SetEnableWithCompletion(bool,
								 IODispatchSourceCancelHandler)
{
	return kIOReturnNoInterrupt;
}

kern_return_t IOInterruptDispatchSource::GetLastInterrupt(uint64_t *, uint64_t *, OSDispatchMethod)
{
	return kIOReturnNoInterrupt;
}

/* ---- state items: there is no service that has any ---- */

kern_return_t IOServiceStateNotificationDispatchSource::Create(
	IOService *service, OSArray *items, IODispatchQueue *queue,
	IOServiceStateNotificationDispatchSource **source)
{
	return service == nullptr || items == nullptr || queue == nullptr || source == nullptr
		       ? kIOReturnBadArgument
		       : kIOReturnUnsupported;
}

kern_return_t IOServiceStateNotificationDispatchSource::SetHandler(OSAction *, OSDispatchMethod)
{
	return kIOReturnUnsupported;
}

kern_return_t IOServiceStateNotificationDispatchSource::Cancel(IODispatchSourceCancelHandler)
{
	return kIOReturnUnsupported;
}

kern_return_t
IOServiceStateNotificationDispatchSource::SetEnableWithCompletion(bool,
								  IODispatchSourceCancelHandler)
{
	return kIOReturnUnsupported;
}

kern_return_t IOServiceStateNotificationDispatchSource::StateNotificationBegin(OSDispatchMethod)
{
	return kIOReturnUnsupported;
}
