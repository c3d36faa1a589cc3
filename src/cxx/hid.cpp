/* SPDX-License-Identifier: MIT
 *
 * hid - IOHIDDevice and IOUserHIDDevice: classes to derive from; there is no HID system behind them.
 */
#include "cxx/face.h"
#include "cxx/message.h"

/* After the core: see core.h. */
#include <HIDDriverKit/HIDDriverKit.h>

DX_RUNTIME_CLASS(IOHIDDevice, IOService)
DX_RUNTIME_CLASS_RECORD(IOUserHIDDevice, &IOHIDDevice_Class)
DX_TYPE(IOHIDDevice, CompleteReport, action, status, actualByteCount)

bool IOHIDDevice::handleStart(IOService *)
{
	return true;
}

OSDictionary *IOHIDDevice::newDeviceDescription()
{
	return nullptr;
}

OSData *IOHIDDevice::newReportDescriptor()
{
	return nullptr;
}

kern_return_t IOHIDDevice::getReport(IOMemoryDescriptor *, IOHIDReportType, IOOptionBits, uint32_t,
				     OSAction *)
{
	return kIOReturnUnsupported;
}

kern_return_t IOHIDDevice::setReport(IOMemoryDescriptor *, IOHIDReportType, IOOptionBits, uint32_t,
				     OSAction *)
{
	return kIOReturnUnsupported;
}

void IOHIDDevice::setProperty(OSObject *, OSObject *)
{
}

kern_return_t IOHIDDevice::handleReport(uint64_t, IOMemoryDescriptor *report, uint32_t reportLength,
					IOHIDReportType, IOOptionBits)
{
	uint64_t length = 0;

	if (report == nullptr || report->GetLength(&length) != kIOReturnSuccess ||
	    reportLength > length) {
		return kIOReturnBadArgument;
	}
	return kIOReturnSuccess;
}

void IOHIDDevice::CompleteReport(OSAction *action, IOReturn status, uint32_t actualByteCount,
				 OSDispatchMethod)
{
	IOHIDDevice_CompleteReport_Msg message = {action, status, actualByteCount};

	if (action != nullptr) {
		(void)action->Invoke({IOHIDDevice_CompleteReport_ID, &message});
	}
}

/* ---- IOUserHIDDevice ---- */

bool IOUserHIDDevice::init()
{
	return super::init();
}

void IOUserHIDDevice::free()
{
	super::free();
}

bool IOUserHIDDevice::handleStart(IOService *provider)
{
	return super::handleStart(provider);
}

kern_return_t IOUserHIDDevice::_Dispatch(OSMetaClassBase *self, const IORPC rpc)
{
	switch (rpc.msgid) {
	case IOService_Start_ID:
		return Start_Invoke(rpc, self, &dx::member<&IOUserHIDDevice::Start_Impl>::call);
	default:
		return IOHIDDevice::_Dispatch(self, rpc);
	}
}

kern_return_t IOUserHIDDevice::Start_Impl(IOService *provider)
{
	kern_return_t status = Start(provider, SUPERDISPATCH);

	if (status != kIOReturnSuccess) {
		return status;
	}
	if (!handleStart(provider)) {
		return kIOReturnError;
	}
	OSDictionary *description = newDeviceDescription();
	OSData *descriptor = newReportDescriptor();
	bool registers = true;
	if (description != nullptr) {
		registers = description->getObject(kIOHIDRegisterServiceKey) != kOSBooleanFalse;
		(void)SetProperties(description);
		description->release();
	}
	OSSafeReleaseNULL(descriptor);
	return registers ? RegisterService() : kIOReturnSuccess;
}
