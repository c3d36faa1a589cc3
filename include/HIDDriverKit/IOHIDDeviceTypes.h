/* SPDX-License-Identifier: MIT
 *
 * HIDDriverKit/IOHIDDeviceTypes.h - kinds of reports.
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

#endif
