/* SPDX-License-Identifier: MIT
 *
 * sysfs - which devices the kernel knows, without opening one.
 *
 * Place:      backend/libusb, under acquire() and monitor.h. Reads a few small files per device.
 * Trust:      the texts are the device's: UTF-8 as the kernel converts it, cut to their arrays,
 *             control characters replaced.
 */
#ifndef DX_BACKEND_LIBUSB_SYSFS_H
#define DX_BACKEND_LIBUSB_SYSFS_H

#include <stddef.h>

#include "backend/libusb/monitor.h"
#include "backend/libusb/spec.h"

struct dx_libusb_places {
	const char *devices; /* directory with an entry per device and interface */
	const char *nodes;   /* directory with BUS/ADDRESS */
};

extern const struct dx_libusb_places dx_libusb_places; /* of this machine */

/* All devices but hubs, sorted by port. *ret_list is free()d by the caller; NULL when there are none.
 * @return 0; -ENOMEM. */
int dx_libusb_scan(const struct dx_libusb_places *places, struct dx_usb_listed **ret_list,
		   size_t *ret_nr);

/* Whether spec means this device. */
bool dx_libusb_spec_matches(const struct dx_libusb_spec *spec, const struct dx_usb_listed *listed);

/*
 * The one device that spec means. text: the spec as it was given, for the message.
 * @return 0; -ENODEV none; -EEXIST several; -ENOMEM: with one line in message.
 */
int dx_libusb_find(const struct dx_libusb_places *places, const struct dx_libusb_spec *spec,
		   const char *text, struct dx_usb_listed *ret_listed, char *message,
		   size_t message_size);

/* Opens the node of a device. @return the descriptor; -EACCES; -ENODEV; others: with a message. */
int dx_libusb_open_node(const struct dx_libusb_places *places, const struct dx_usb_listed *listed,
			const char *text, char *message, size_t message_size);

#endif
