/* SPDX-License-Identifier: MIT
 *
 * usbfs - what a device node can tell that libusb does not pass on.
 *
 * Place:      backend/libusb, beside libusb on the same descriptor. All of it works in a process that
 *             may open no files.
 */
#ifndef DX_BACKEND_LIBUSB_USBFS_H
#define DX_BACKEND_LIBUSB_USBFS_H

#include <stddef.h>
#include <stdint.h>

#include "backend/libusb/spec.h"

struct dx_usbfs_identity {
	struct dx_libusb_port port;
	uint8_t address;
	uint8_t speed; /* enum dx_usb_speed */
};

/* @return 0; -ENODEV gone; -ENOTTY no device node, or a kernel older than 5.3. */
int dx_usbfs_identify(int fd, struct dx_usbfs_identity *ret_identity);
/* All descriptors, as descriptors.h wants them; malloc'd. @return 0; -EIO and others of read(). */
int dx_usbfs_read_descriptors(int fd, uint8_t **ret_bytes, size_t *ret_length);
/* The host's side of an endpoint only: sequence number and data toggle. */
int dx_usbfs_reset_endpoint(int fd, uint8_t endpoint);
/* The kernel's driver of an interface; "usbfs" is another program. @return 0; -ENODATA: none. */
int dx_usbfs_driver(int fd, uint8_t interface_number, char *name, size_t size);

#endif
