/* SPDX-License-Identifier: MIT
 *
 * sources - IODispatchSource and timers.
 */
#include "cxx/action.h"
#include "cxx/block.h"
#include "cxx/message.h"

DX_RUNTIME_CLASS(IODispatchSource, OSObject)
DX_RUNTIME_CLASS(IOTimerDispatchSource, IODispatchSource)

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
