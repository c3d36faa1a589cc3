/* SPDX-License-Identifier: MIT
 *
 * USBDriverKit/USBDriverKit.h - everything of USBDriverKit.
 */
#ifndef OPENDEXT_USBDRIVERKIT_USBDRIVERKIT_H
#define OPENDEXT_USBDRIVERKIT_USBDRIVERKIT_H

#include <USBDriverKit/AppleUSBDefinitions.h>
#include <USBDriverKit/AppleUSBDescriptorParsing.h>
#include <USBDriverKit/IOUSBHostDevice.h>
#include <USBDriverKit/IOUSBHostFamilyDefinitions.h>
#include <USBDriverKit/IOUSBHostInterface.h>
#include <USBDriverKit/IOUSBHostPipe.h>
#include <USBDriverKit/USBDriverKitDefs.h>

#endif
