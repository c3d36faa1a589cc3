/* SPDX-License-Identifier: MIT
 *
 * USBDriverKit/AppleUSBDescriptorParsing.h - walking descriptors; the functions and their words are in
 * opendext/usb_descriptors.h.
 */
#ifndef OPENDEXT_USBDRIVERKIT_APPLEUSBDESCRIPTORPARSING_H
#define OPENDEXT_USBDRIVERKIT_APPLEUSBDESCRIPTORPARSING_H

#include <USBDriverKit/AppleUSBDefinitions.h>

#ifdef __cplusplus
#pragma GCC visibility push(default)

/*! Frees what a Copy...Descriptor method returned. NULL is allowed. */
void IOUSBHostFreeDescriptor(const IOUSBDeviceDescriptor *descriptor);
void IOUSBHostFreeDescriptor(const IOUSBConfigurationDescriptor *descriptor);
void IOUSBHostFreeDescriptor(const IOUSBBOSDescriptor *descriptor);
void IOUSBHostFreeDescriptor(const IOUSBStringDescriptor *descriptor);

#pragma GCC visibility pop
#endif

#endif
