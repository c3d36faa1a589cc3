/* SPDX-License-Identifier: MIT
 *
 * USBDriverKit/IOUSBHostFamilyDefinitions.h - names of properties of USB services, and messages.
 */
#ifndef OPENDEXT_USBDRIVERKIT_IOUSBHOSTFAMILYDEFINITIONS_H
#define OPENDEXT_USBDRIVERKIT_IOUSBHOSTFAMILYDEFINITIONS_H

#include <USBDriverKit/AppleUSBDefinitions.h>

/*! Properties that take part in matching. */
#ifndef kUSBHostMatchingPropertyVendorID
#define kUSBHostMatchingPropertyVendorID "idVendor"
#endif
#ifndef kUSBHostMatchingPropertyProductID
#define kUSBHostMatchingPropertyProductID "idProduct"
#endif
#ifndef kUSBHostMatchingPropertyDeviceReleaseNumber
#define kUSBHostMatchingPropertyDeviceReleaseNumber "bcdDevice"
#endif
#ifndef kUSBHostMatchingPropertyDeviceClass
#define kUSBHostMatchingPropertyDeviceClass "bDeviceClass"
#endif
#ifndef kUSBHostMatchingPropertyDeviceSubClass
#define kUSBHostMatchingPropertyDeviceSubClass "bDeviceSubClass"
#endif
#ifndef kUSBHostMatchingPropertyDeviceProtocol
#define kUSBHostMatchingPropertyDeviceProtocol "bDeviceProtocol"
#endif
#ifndef kUSBHostMatchingPropertyInterfaceNumber
#define kUSBHostMatchingPropertyInterfaceNumber "bInterfaceNumber"
#endif
#ifndef kUSBHostMatchingPropertyConfigurationValue
#define kUSBHostMatchingPropertyConfigurationValue "bConfigurationValue"
#endif
#ifndef kUSBHostMatchingPropertyInterfaceClass
#define kUSBHostMatchingPropertyInterfaceClass "bInterfaceClass"
#endif
#ifndef kUSBHostMatchingPropertyInterfaceSubClass
#define kUSBHostMatchingPropertyInterfaceSubClass "bInterfaceSubClass"
#endif
#ifndef kUSBHostMatchingPropertyInterfaceProtocol
#define kUSBHostMatchingPropertyInterfaceProtocol "bInterfaceProtocol"
#endif
#ifndef kUSBHostMatchingPropertyPortType
#define kUSBHostMatchingPropertyPortType "USBPortType"
#endif
#ifndef kUSBHostMatchingPropertySpeed
#define kUSBHostMatchingPropertySpeed "USBSpeed"
#endif
#ifndef kUSBHostMatchingPropertyProductIDMask
#define kUSBHostMatchingPropertyProductIDMask "idProductMask"
#endif
#ifndef kUSBHostMatchingPropertyProductIDArray
#define kUSBHostMatchingPropertyProductIDArray "idProductArray"
#endif

/*! Other properties. */
#ifndef kUSBHostPropertyLocationID
#define kUSBHostPropertyLocationID "locationID"
#endif
#ifndef kUSBHostPropertyFailedRemoteWake
#define kUSBHostPropertyFailedRemoteWake "kUSBFailedRemoteWake"
#endif

#endif
