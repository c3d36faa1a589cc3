/* SPDX-License-Identifier: MIT
 *
 * HIDDriverKit/IOUserHIDEventService.h - the base class of event services of drivers.
 */
#ifndef OPENDEXT_HIDDRIVERKIT_IOUSERHIDEVENTSERVICE_H
#define OPENDEXT_HIDDRIVERKIT_IOUSERHIDEVENTSERVICE_H

#if defined(__IIG) && __IIG
#include <HIDDriverKit/IOUserHIDEventService.iig>
#else

#include <HIDDriverKit/IOHIDEventService.h>
#include <HIDDriverKit/IOHIDInterface.h>

#pragma GCC visibility push(default)

class IOUserHIDEventService;
#define IOUserHIDEventService_ReportAvailable_ID 0x5b1e24d09c3f8a67ULL
#define IOUserHIDEventService_ReportAvailable_Args IOHIDInterface_ReportAvailable_Args

extern OSMetaClass *gIOUserHIDEventServiceMetaClass;
extern const OSClassLoadInformation IOUserHIDEventService_Class;

/*!
 * Gives the reports of its provider to handleReport(). Differs: there is no HID system here: it
 * starts with any provider, and no report comes.
 */
class IOUserHIDEventService : public IOHIDEventService {
	OS_RUNTIME_CLASS(IOUserHIDEventService, IOHIDEventService);
	bool init() override;
	void free() override;

	/*! The elements of the provider, +0. @return NULL: it has none. */
	virtual OSArray *getElements();
	/*! A report has come, and the elements have its values. */
	virtual void handleReport(uint64_t timestamp, uint8_t *report, uint32_t reportLength,
			IOHIDReportType type, uint32_t reportID);
	/*! An action that calls handleReport(). @param action  out, +1. @return as OSAction::Create(). */
	kern_return_t CreateActionReportAvailable(size_t referenceSize, OSAction **action);

protected:
	void ReportAvailable_Impl(IOUserHIDEventService_ReportAvailable_Args);
};

#pragma GCC visibility pop

#endif
#endif
