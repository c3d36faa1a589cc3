/* SPDX-License-Identifier: MIT
 *
 * USBDriverKit/USBDriverKitDefs.h - everything that used to be here is in AppleUSBDefinitions.h.
 */
#ifndef OPENDEXT_USBDRIVERKIT_USBDRIVERKITDEFS_H
#define OPENDEXT_USBDRIVERKIT_USBDRIVERKITDEFS_H

#include <USBDriverKit/AppleUSBDefinitions.h>

#endif
