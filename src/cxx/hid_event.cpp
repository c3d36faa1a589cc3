/* SPDX-License-Identifier: MIT
 *
 * hid_event - event services and what they drive: classes to derive from; there is no HID system
 *             behind them.
 */
#include "cxx/face.h"
#include "cxx/message.h"

/* After the core: see core.h. */
#include <HIDDriverKit/HIDDriverKit.h>

DX_RUNTIME_CLASS(IOHIDElement, OSObject)
DX_RUNTIME_CLASS(IOHIDInterface, IOService)
DX_RUNTIME_CLASS(IOHIDEventService, IOService)
DX_RUNTIME_CLASS_RECORD(IOUserHIDEventService, &IOHIDEventService_Class)
DX_TYPE(IOHIDInterface, ReportAvailable, timestamp, reportID, reportLength, type, report, action)

/* ---- IOHIDElement: of no report ---- */

uint32_t IOHIDElement::getCookie()
{
	return 0;
}

IOHIDElementType IOHIDElement::getType()
{
	return kIOHIDElementTypeInput_NULL;
}

uint32_t IOHIDElement::getUsagePage()
{
	return 0;
}

uint32_t IOHIDElement::getUsage()
{
	return 0;
}

uint32_t IOHIDElement::getReportID()
{
	return 0;
}

uint64_t IOHIDElement::getTimeStamp()
{
	return 0;
}

uint32_t IOHIDElement::getValue(IOOptionBits)
{
	return 0;
}

/* ---- IOHIDInterface: of no device ---- */

kern_return_t IOHIDInterface::Open(IOService *forClient, IOOptionBits, OSAction *)
{
	return forClient == nullptr ? kIOReturnBadArgument : kIOReturnUnsupported;
}

kern_return_t IOHIDInterface::Close(IOService *forClient, IOOptionBits)
{
	return forClient == nullptr ? kIOReturnBadArgument : kIOReturnNotOpen;
}

OSArray *IOHIDInterface::getElements()
{
	return nullptr;
}

/* ---- IOHIDEventService ---- */

kern_return_t IOHIDEventService::dispatchKeyboardEvent(uint64_t, uint32_t, uint32_t, uint32_t,
						       IOOptionBits, bool)
{
	return kIOReturnSuccess;
}

kern_return_t IOHIDEventService::dispatchRelativePointerEvent(uint64_t, IOFixed, IOFixed, uint32_t,
							      IOOptionBits, bool)
{
	return kIOReturnSuccess;
}

kern_return_t IOHIDEventService::dispatchRelativeScrollWheelEvent(uint64_t, IOFixed, IOFixed, IOFixed,
								  IOOptionBits, bool)
{
	return kIOReturnSuccess;
}

/* ---- IOUserHIDEventService ---- */

bool IOUserHIDEventService::init()
{
	return super::init();
}

void IOUserHIDEventService::free()
{
	super::free();
}

OSArray *IOUserHIDEventService::getElements()
{
	auto interface = OSDynamicCast(IOHIDInterface, GetProvider());

	return interface == nullptr ? nullptr : interface->getElements();
}

void IOUserHIDEventService::handleReport(uint64_t, uint8_t *, uint32_t, IOHIDReportType, uint32_t)
{
}

kern_return_t IOUserHIDEventService::CreateActionReportAvailable(size_t referenceSize,
								 OSAction **action)
{
	return OSAction::Create(this, IOUserHIDEventService_ReportAvailable_ID,
				IOHIDInterface_ReportAvailable_ID, referenceSize, action);
}

void IOUserHIDEventService::ReportAvailable_Impl(uint64_t timestamp, uint32_t reportID,
						 uint32_t reportLength, IOHIDReportType type,
						 IOMemoryDescriptor *report, OSAction *)
{
	uint64_t address = 0;
	uint64_t length = 0;

	if (report != nullptr &&
	    report->Map(0, 0, 0, 0, &address, &length) == kIOReturnSuccess &&
	    reportLength <= length) {
		handleReport(timestamp, reinterpret_cast<uint8_t *>(address), reportLength, type,
			     reportID);
	}
}

kern_return_t IOUserHIDEventService::_Dispatch(OSMetaClassBase *self, const IORPC rpc)
{
	switch (rpc.msgid) {
	case IOUserHIDEventService_ReportAvailable_ID:
		return IOHIDInterface::ReportAvailable_Invoke(
			rpc, self, &dx::member<&IOUserHIDEventService::ReportAvailable_Impl>::call);
	default:
		return IOHIDEventService::_Dispatch(self, rpc);
	}
}
