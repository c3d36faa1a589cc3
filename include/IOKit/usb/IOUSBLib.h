/* SPDX-License-Identifier: MIT
 *
 * IOUSBLib - names and numbers of USB devices, for applications that look for them in the registry or
 * tell their driver what to do with one.
 *
 * Differs: there is no plug-in interface here (IOCreatePlugInInterfaceForService() and the
 * IOUSBDeviceInterface and IOUSBInterfaceInterface families): an application reaches a device through
 * its driver. An application that wants to be its own driver has libusb.
 */
#ifndef OPENDEXT_IOKIT_USB_IOUSBLIB_H
#define OPENDEXT_IOKIT_USB_IOUSBLIB_H

#include <CoreFoundation/CFUUID.h>
#include <IOKit/IOKitLib.h>
#include <IOKit/usb/USB.h>

/*! Classes for IOServiceMatching(); the first two are those of the older family. */
#define kIOUSBDeviceClassName	     "IOUSBDevice"
#define kIOUSBInterfaceClassName     "IOUSBInterface"
#define kIOUSBHostDeviceClassName    "IOUSBHostDevice"
#define kIOUSBHostInterfaceClassName "IOUSBHostInterface"

/*! Properties of devices, also keys of matching dictionaries; all of them numbers. */
#define kUSBVendorID		     "idVendor"
#define kUSBProductID		     "idProduct"
#define kUSBDeviceReleaseNumber	     "bcdDevice"
#define kUSBDeviceClass		     "bDeviceClass"
#define kUSBDeviceSubClass	     "bDeviceSubClass"
#define kUSBDeviceProtocol	     "bDeviceProtocol"
#define kUSBDeviceMaxPacketSize	     "bMaxPacketSize0"
#define kUSBDeviceNumConfigs	     "bNumConfigurations"
#define kUSBManufacturerStringIndex  "iManufacturer"
#define kUSBProductStringIndex	     "iProduct"
#define kUSBSerialNumberStringIndex  "iSerialNumber"
#define kUSBDevicePropertyLocationID "locationID"

/*! The same of interfaces. */
#define kUSBInterfaceNumber	 "bInterfaceNumber"
#define kUSBAlternateSetting	 "bAlternateSetting"
#define kUSBNumEndpoints	 "bNumEndpoints"
#define kUSBInterfaceClass	 "bInterfaceClass"
#define kUSBInterfaceSubClass	 "bInterfaceSubClass"
#define kUSBInterfaceProtocol	 "bInterfaceProtocol"
#define kUSBInterfaceStringIndex "iInterface"
#define kUSBConfigurationValue	 "bConfigurationValue"

/*! Texts of a device, as the registry of this system has them. */
#define kUSBVendorString       "kUSBVendorString"
#define kUSBProductString      "kUSBProductString"
#define kUSBSerialNumberString "kUSBSerialNumberString"

/*! Direction, type and recipient of a control request; direction and kind of an endpoint. */
enum { kUSBOut = 0, kUSBIn = 1, kUSBNone = 2, kUSBAnyDirn = 3 };
enum { kUSBStandard = 0, kUSBClass = 1, kUSBVendor = 2 };
enum { kUSBDevice = 0, kUSBInterface = 1, kUSBEndpoint = 2, kUSBOther = 3 };
enum { kUSBControl = 0, kUSBIsoc = 1, kUSBBulk = 2, kUSBInterrupt = 3, kUSBAnyType = 0xff };

/*! Puts bmRequestType together of the three. */
#define USBmakebmRequestType(direction, type, recipient) \
	((UInt8)((((direction) & 1) << 7) | (((type) & 3) << 5) | ((recipient) & 0x1f)))

/*! A control request with its data. */
typedef struct {
	UInt8 bmRequestType;
	UInt8 bRequest;
	UInt16 wValue;
	UInt16 wIndex;
	UInt16 wLength;
	void *pData;
	UInt32 wLenDone;
} IOUSBDevRequest;

#endif
