/* SPDX-License-Identifier: MIT
 *
 * USBDriverKit/IOUSBHostFamilyDefinitions.h - everything that used to be here is in AppleUSBDefinitions.h.
 */
#ifndef OPENDEXT_USBDRIVERKIT_IOUSBHOSTFAMILYDEFINITIONS_H
#define OPENDEXT_USBDRIVERKIT_IOUSBHOSTFAMILYDEFINITIONS_H

#include <USBDriverKit/AppleUSBDefinitions.h>

#endif
