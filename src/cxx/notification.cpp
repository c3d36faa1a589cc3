/* SPDX-License-Identifier: MIT
 *
 * notification - IOServiceNotificationDispatchSource. It refuses: the broker tells drivers of no
 * services.
 */
#include "cxx/action.h"
#include "cxx/block.h"
#include "cxx/message.h"

DX_RUNTIME_CLASS(IOServiceNotificationDispatchSource, IODispatchSource)
DX_TYPE(IOServiceNotificationDispatchSource, ServiceNotificationReady, action)

kern_return_t IOServiceNotificationDispatchSource::Create(
	OSDictionary *matching, uint64_t options, IODispatchQueue *queue,
	IOServiceNotificationDispatchSource **notification)
{
	(void)options;
	return matching == nullptr || queue == nullptr || notification == nullptr
		       ? kIOReturnBadArgument
		       : kIOReturnUnsupported;
}

kern_return_t IOServiceNotificationDispatchSource::SetHandler(OSAction *, OSDispatchMethod)
{
	return kIOReturnUnsupported;
}

kern_return_t IOServiceNotificationDispatchSource::Cancel(IODispatchSourceCancelHandler)
{
	return kIOReturnUnsupported;
}

kern_return_t IOServiceNotificationDispatchSource::SetEnableWithCompletion(bool,
									   IODispatchSourceCancelHandler)
{
	return kIOReturnUnsupported;
}

kern_return_t IOServiceNotificationDispatchSource::DeliverNotifications(IOServiceNotificationBlock)
{
	return kIOReturnUnsupported;
}

void IOServiceNotificationDispatchSource::free()
{
	super::free();
}
