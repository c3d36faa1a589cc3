/* SPDX-License-Identifier: MIT
 *
 * HIDDriverKit/IOHIDDeviceTypes.h - kinds of reports and elements.
 */
#ifndef OPENDEXT_HIDDRIVERKIT_IOHIDDEVICETYPES_H
#define OPENDEXT_HIDDRIVERKIT_IOHIDDEVICETYPES_H

#include <DriverKit/IOTypes.h>

typedef enum IOHIDReportType {
	kIOHIDReportTypeInput = 0,
	kIOHIDReportTypeOutput = 1,
	kIOHIDReportTypeFeature = 2,
	kIOHIDReportTypeCount = 3,
} IOHIDReportType;

enum { kIOHIDServerConnectType = 0 };

typedef enum IOHIDElementType {
	kIOHIDElementTypeInput_Misc = 1,
	kIOHIDElementTypeInput_Button = 2,
	kIOHIDElementTypeInput_Axis = 3,
	kIOHIDElementTypeInput_ScanCodes = 4,
	kIOHIDElementTypeInput_NULL = 5,
	kIOHIDElementTypeOutput = 129,
	kIOHIDElementTypeFeature = 257,
	kIOHIDElementTypeCollection = 513,
} IOHIDElementType;

/* IOHIDElement::getValue() */
enum { kIOHIDValueOptionsFlagPrevious = 4 };

/* IOHIDEventService::dispatchRelativePointerEvent() */
enum { kIOHIDPointerEventOptionsNoAcceleration = 1 };

#endif
