/* SPDX-License-Identifier: MIT
 *
 * notification - sources of services, state items and interrupts, over the core.
 */
#include "cxx/block.h"
#include "cxx/face.h"

DX_RUNTIME_CLASS(IOServiceNotificationDispatchSource, IODispatchSource)
DX_RUNTIME_CLASS(IOServiceStateNotificationDispatchSource, IODispatchSource)
DX_RUNTIME_CLASS(IOInterruptDispatchSource, IODispatchSource)

/* ---- services ---- */

static core::IOServiceNotificationDispatchSource *
source_of(const IOServiceNotificationDispatchSource *source)
{
	return dx::to<core::IOServiceNotificationDispatchSource>(source);
}

kern_return_t IOServiceNotificationDispatchSource::SetHandler(OSAction *action, OSDispatchMethod)
{
	return core::IOServiceNotificationDispatchSourceSetHandler(source_of(this),
								   dx::to<core::OSAction>(action));
}

kern_return_t IOServiceNotificationDispatchSource::Cancel(IODispatchSourceCancelHandler handler)
{
	return dx::with_handler(handler, [this](void (*function)(void *), void *context) {
		return core::IOServiceNotificationDispatchSourceCancel(source_of(this), function,
								       context);
	});
}

kern_return_t
IOServiceNotificationDispatchSource::SetEnableWithCompletion(bool enable,
							     IODispatchSourceCancelHandler handler)
{
	return dx::with_handler(handler, [&](void (*function)(void *), void *context) {
		return core::IOServiceNotificationDispatchSourceSetEnableWithCompletion(
			source_of(this), enable, function, context);
	});
}

kern_return_t
IOServiceNotificationDispatchSource::Create(OSDictionary *matching, uint64_t options,
					    IODispatchQueue *queue,
					    IOServiceNotificationDispatchSource **notification)
{
	core::IOServiceNotificationDispatchSource *made = nullptr;

	if (notification == nullptr) {
		return kIOReturnBadArgument;
	}
	return dx::give(core::IOServiceNotificationDispatchSourceCreate(
				dx::to<core::OSDictionary>(matching), options,
				dx::to<core::IODispatchQueue>(queue), &made),
			made, notification);
}

static void deliver(void *context, uint64_t type, core::IOService *service, uint64_t options)
{
	reinterpret_cast<IOServiceNotificationBlock>(context)(type, dx::from<IOService>(service),
							      options);
}

kern_return_t
IOServiceNotificationDispatchSource::DeliverNotifications(IOServiceNotificationBlock block)
{
	if (block == nullptr) {
		return kIOReturnBadArgument;
	}
	return core::IOServiceNotificationDispatchSourceDeliverNotifications(
		source_of(this), static_cast<void *>(block), deliver);
}

/* ---- state items ---- */

static core::IOServiceStateNotificationDispatchSource *
source_of(const IOServiceStateNotificationDispatchSource *source)
{
	return dx::to<core::IOServiceStateNotificationDispatchSource>(source);
}

kern_return_t IOServiceStateNotificationDispatchSource::SetHandler(OSAction *action,
								   OSDispatchMethod)
{
	return core::IOServiceStateNotificationDispatchSourceSetHandler(
		source_of(this), dx::to<core::OSAction>(action));
}

kern_return_t
IOServiceStateNotificationDispatchSource::Cancel(IODispatchSourceCancelHandler handler)
{
	return dx::with_handler(handler, [this](void (*function)(void *), void *context) {
		return core::IOServiceStateNotificationDispatchSourceCancel(source_of(this),
									    function, context);
	});
}

kern_return_t IOServiceStateNotificationDispatchSource::SetEnableWithCompletion(
	bool enable, IODispatchSourceCancelHandler handler)
{
	return dx::with_handler(handler, [&](void (*function)(void *), void *context) {
		return core::IOServiceStateNotificationDispatchSourceSetEnableWithCompletion(
			source_of(this), enable, function, context);
	});
}

kern_return_t
IOServiceStateNotificationDispatchSource::Create(IOService *service, OSArray *items,
						 IODispatchQueue *queue,
						 IOServiceStateNotificationDispatchSource **source)
{
	core::IOServiceStateNotificationDispatchSource *made = nullptr;

	if (source == nullptr) {
		return kIOReturnBadArgument;
	}
	return dx::give(core::IOServiceStateNotificationDispatchSourceCreate(
				dx::to<core::IOService>(service), dx::to<core::OSArray>(items),
				dx::to<core::IODispatchQueue>(queue), &made),
			made, source);
}

kern_return_t IOServiceStateNotificationDispatchSource::StateNotificationBegin(OSDispatchMethod)
{
	return core::IOServiceStateNotificationDispatchSourceStateNotificationBegin(
		source_of(this));
}

/* ---- interrupts ---- */

static core::IOInterruptDispatchSource *source_of(const IOInterruptDispatchSource *source)
{
	return dx::to<core::IOInterruptDispatchSource>(source);
}

kern_return_t IOInterruptDispatchSource::SetHandler(OSAction *action, OSDispatchMethod)
{
	return core::IOInterruptDispatchSourceSetHandler(source_of(this),
							 dx::to<core::OSAction>(action));
}

kern_return_t IOInterruptDispatchSource::Cancel(IODispatchSourceCancelHandler handler)
{
	return dx::with_handler(handler, [this](void (*function)(void *), void *context) {
		return core::IOInterruptDispatchSourceCancel(source_of(this), function, context);
	});
}

kern_return_t
IOInterruptDispatchSource::SetEnableWithCompletion(bool enable,
						   IODispatchSourceCancelHandler handler)
{
	return dx::with_handler(handler, [&](void (*function)(void *), void *context) {
		return core::IOInterruptDispatchSourceSetEnableWithCompletion(
			source_of(this), enable, function, context);
	});
}

kern_return_t IOInterruptDispatchSource::Create(IOService *provider, uint32_t index,
						IODispatchQueue *queue,
						IOInterruptDispatchSource **source)
{
	core::IOInterruptDispatchSource *made = nullptr;

	if (source == nullptr) {
		return kIOReturnBadArgument;
	}
	return dx::give(
		core::IOInterruptDispatchSourceCreate(dx::to<core::IOService>(provider), index,
						      dx::to<core::IODispatchQueue>(queue), &made),
		made, source);
}

kern_return_t IOInterruptDispatchSource::GetInterruptType(IOService *provider, uint32_t index,
							  uint64_t *interruptType)
{
	return core::IOInterruptDispatchSourceGetInterruptType(dx::to<core::IOService>(provider),
							       index, interruptType);
}

kern_return_t IOInterruptDispatchSource::GetLastInterrupt(uint64_t *count, uint64_t *time,
							  OSDispatchMethod)
{
	return core::IOInterruptDispatchSourceGetLastInterrupt(source_of(this), count, time);
}

kern_return_t OpenDextInterruptRaise(IOService *provider, uint32_t index)
{
	return core::OpenDextInterruptRaise(dx::to<core::IOService>(provider), index);
}
