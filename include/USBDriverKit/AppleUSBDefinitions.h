/* SPDX-License-Identifier: MIT
 *
 * USBDriverKit/AppleUSBDefinitions.h - descriptors and constants of USB; see
 * opendext/usb_descriptors.h.
 */
#ifndef OPENDEXT_USBDRIVERKIT_APPLEUSBDEFINITIONS_H
#define OPENDEXT_USBDRIVERKIT_APPLEUSBDEFINITIONS_H

#include <DriverKit/IOReturn.h>
#include <DriverKit/IOTypes.h>

#include <opendext/usb_descriptors.h>

#endif
