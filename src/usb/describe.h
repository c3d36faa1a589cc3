/* SPDX-License-Identifier: MIT
 *
 * describe - what the registry wants to know about the device behind a spec.
 *
 * Place:   usb, for the broker: attaches, reads, detaches.
 *
 * The dictionary, with the names that matching uses:
 *   idVendor idProduct bcdDevice bcdUSB bDeviceClass bDeviceSubClass bDeviceProtocol
 *   bMaxPacketSize0 bNumConfigurations iManufacturer iProduct iSerialNumber    numbers
 *   locationID USBSpeed USBPortType kUSBAddress kUSBCurrentConfiguration
 *   kUSBPreferredConfiguration                                                 numbers
 *   kUSBVendorString kUSBProductString kUSBSerialNumberString                  strings, if any
 *   kUSBContainerID                                                            string, if any
 *   interfaces    array of dictionaries, one per interface of the configuration that is in force
 *                 (of kUSBPreferredConfiguration where none is): the device's idVendor idProduct
 *                 bcdDevice bDeviceClass locationID USBSpeed USBPortType, and
 *                 bInterfaceNumber bInterfaceClass bInterfaceSubClass bInterfaceProtocol
 *                 bAlternateSetting bConfigurationValue bNumEndpoints iInterface kUSBString
 *   configurations  array of dictionaries with bConfigurationValue and interfaces (as above), one per
 *                 configuration of the device
 */
#ifndef DX_USB_DESCRIBE_H
#define DX_USB_DESCRIBE_H

#include <stddef.h>

#include "base/value.h"
#include "usb/device.h"

/* Acquires for itself. @return 0 and a +1 dictionary; errors and message as dx_usb_device_attach(). */
int dx_usb_describe(const char *spec, const struct dx_usb_backend_ops *const *backends,
		    char *message, size_t message_size, struct dx_dict **ret_dict);
/* Same for a device that is attached already. -ENOMEM. */
int dx_usb_describe_device(struct dx_usb_device *device, struct dx_dict **ret_dict);

#endif
