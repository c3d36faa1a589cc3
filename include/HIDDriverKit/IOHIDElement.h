/* SPDX-License-Identifier: MIT
 *
 * HIDDriverKit/IOHIDElement.h - one value of a HID device.
 */
#ifndef OPENDEXT_HIDDRIVERKIT_IOHIDELEMENT_H
#define OPENDEXT_HIDDRIVERKIT_IOHIDELEMENT_H

#if defined(__IIG) && __IIG
#include <HIDDriverKit/IOHIDElement.iig>
#else

#include <DriverKit/OSObject.h>
#include <HIDDriverKit/IOHIDDeviceTypes.h>

#pragma GCC visibility push(default)

class IOHIDElement;

extern OSMetaClass *gIOHIDElementMetaClass;
extern const OSClassLoadInformation IOHIDElement_Class;

/*!
 * A field of a report, or a collection of fields. Differs: there is no HID system here that makes
 * them; the class is there for sources that name it.
 */
class IOHIDElement : public OSObject {
	OS_RUNTIME_CLASS(IOHIDElement, OSObject);

	/*! Its number among the elements of the device. */
	virtual uint32_t getCookie();
	/*! What it is. */
	virtual IOHIDElementType getType();
	/*! The usage page, kHIDPage_... */
	virtual uint32_t getUsagePage();
	/*! The usage in that page, kHIDUsage_... */
	virtual uint32_t getUsage();
	/*! The report that it is in. */
	virtual uint32_t getReportID();
	/*! mach_absolute_time() of the report that gave it its value. */
	virtual uint64_t getTimeStamp();
	/*! @param options  kIOHIDValueOptionsFlagPrevious: the value before that. */
	virtual uint32_t getValue(IOOptionBits options = 0);
};

#pragma GCC visibility pop

#endif
#endif
