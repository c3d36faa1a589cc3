/* SPDX-License-Identifier: MIT
 *
 * HIDDriverKit/IOHIDDeviceKeys.h - names of properties of HID devices.
 */
#ifndef OPENDEXT_HIDDRIVERKIT_IOHIDDEVICEKEYS_H
#define OPENDEXT_HIDDRIVERKIT_IOHIDDEVICEKEYS_H

#define kIOHIDTransportKey	"Transport"
#define kIOHIDVendorIDKey	"VendorID"
#define kIOHIDProductIDKey	"ProductID"
#define kIOHIDVersionNumberKey	"VersionNumber"
#define kIOHIDManufacturerKey	"Manufacturer"
#define kIOHIDProductKey	"Product"
#define kIOHIDSerialNumberKey	"SerialNumber"
#define kIOHIDCountryCodeKey	"CountryCode"
#define kIOHIDLocationIDKey	"LocationID"
#define kIOHIDPrimaryUsageKey	"PrimaryUsage"
#define kIOHIDPrimaryUsagePageKey	"PrimaryUsagePage"
#define kIOHIDDeviceUsagePairsKey	"DeviceUsagePairs"
#define kIOHIDDeviceUsageKey	"DeviceUsage"
#define kIOHIDDeviceUsagePageKey	"DeviceUsagePage"
#define kIOHIDMaxInputReportSizeKey	"MaxInputReportSize"
#define kIOHIDMaxOutputReportSizeKey	"MaxOutputReportSize"
#define kIOHIDMaxFeatureReportSizeKey "MaxFeatureReportSize"
#define kIOHIDReportIntervalKey	"ReportInterval"
#define kIOHIDReportDescriptorKey	"ReportDescriptor"
#define kIOHIDRequestTimeoutKey	"RequestTimeout"
#define kIOHIDRegisterServiceKey	"RegisterService"
#define kIOHIDPhysicalDeviceUniqueIDKey "PhysicalDeviceUniqueID"
#define kIOHIDBuiltInKey	"Built-In"
#define kIOHIDVendorIDSourceKey	"VendorIDSource"
#define kIOHIDStandardTypeKey	"StandardType"
#define kIOHIDDisplayIntegratedKey	"DisplayIntegrated"

#endif
