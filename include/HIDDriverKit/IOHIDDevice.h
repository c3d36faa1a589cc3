/* SPDX-License-Identifier: MIT
 *
 * HIDDriverKit/IOHIDDevice.h - what HID devices have in common.
 */
#ifndef OPENDEXT_HIDDRIVERKIT_IOHIDDEVICE_H
#define OPENDEXT_HIDDRIVERKIT_IOHIDDEVICE_H

#if defined(__IIG) && __IIG
#include <HIDDriverKit/IOHIDDevice.iig>
#else

#include <DriverKit/IOService.h>
#include <HIDDriverKit/IOHIDDeviceKeys.h>
#include <HIDDriverKit/IOHIDDeviceTypes.h>

#pragma GCC visibility push(default)

class IOHIDDevice;
#define IOHIDDevice_CompleteReport_ID 0x83d12086069c211eULL
#define IOHIDDevice_CompleteReport_Args \
	OSAction *action, IOReturn status, uint32_t actualByteCount
struct OS_MESSAGE IOHIDDevice_CompleteReport_Msg {
	OSAction *action;
	IOReturn status;
	uint32_t actualByteCount;
};

extern OSMetaClass *gIOHIDDeviceMetaClass;
extern const OSClassLoadInformation IOHIDDevice_Class;

/*!
 * A HID device that a driver makes. There is no HID system here that could use it: drivers
 * compile and run, and their reports are accepted and dropped.
 */
class IOHIDDevice : public IOService {
	OS_RUNTIME_CLASS(IOHIDDevice, IOService);

	/*! Called while the device starts. @return false: it does not. */
	virtual bool handleStart(IOService *provider);

	/*! Properties of the device (HIDDriverKit/IOHIDDeviceKeys.h), +1; NULL: none. */
	virtual OSDictionary * newDeviceDescription();

	/*! The report descriptor, +1; NULL: none. */
	virtual OSData * newReportDescriptor();

	/*!
	 * Somebody wants a report; an override completes it with CompleteReport(). @return base:
	 * kIOReturnUnsupported.
	 */
	virtual kern_return_t getReport(IOMemoryDescriptor *report, IOHIDReportType reportType,
			IOOptionBits options, uint32_t completionTimeout, OSAction *action);

	/*! Somebody sends a report, likewise. */
	virtual kern_return_t setReport(IOMemoryDescriptor *report, IOHIDReportType reportType,
			IOOptionBits options, uint32_t completionTimeout, OSAction *action);

	/*! Somebody sets a property. */
	virtual void setProperty(OSObject *key, OSObject *value);

	/*!
	 * The device has sent a report.
	 * @param timestamp  mach_absolute_time() of it.
	 * @param report  its bytes, reportLength of them.
	 * @return kIOReturnSuccess; kIOReturnBadArgument without a report.
	 * Differs: the report goes nowhere: no input device of the system is fed with it.
	 */
	virtual kern_return_t handleReport(uint64_t timestamp, IOMemoryDescriptor *report,
			uint32_t reportLength, IOHIDReportType reportType = kIOHIDReportTypeInput,
			IOOptionBits options = 0);

	/*! Completes what getReport() or setReport() was called with. */
	void CompleteReport(OSAction *action, IOReturn status, uint32_t actualByteCount,
			OSDispatchMethod supermethod = nullptr);

	/*! Callback of the two. */
	OS_RUNTIME_INVOKE_TYPE(IOHIDDevice, CompleteReport);
};

#pragma GCC visibility pop

#endif
#endif
