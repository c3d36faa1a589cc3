/* SPDX-License-Identifier: MIT
 *
 * device - USB devices that were attached by a spec, as registry entries.
 *
 * Place:      daemon, over usb. The broker reads a device's descriptors once; the hosts talk to it.
 * Rules:      a device whose class is 0, or "miscellaneous with interface associations", gets one
 *             IOUSBHostInterface entry per interface, as if a composite driver had configured it.
 * Threads:    one.
 */
#ifndef DX_DAEMON_DEVICE_H
#define DX_DAEMON_DEVICE_H

#include <stddef.h>
#include <stdint.h>

#include "base/list.h"
#include "daemon/broker.h"

struct dx_device {
	struct dx_list node; /* broker->devices */
	char *spec;
	struct dx_entry *entry;
};

/* @return 0; what dx_usb_describe() or the registry said, with one line in message. */
int dx_device_attach(struct dx_broker *broker, const char *spec, char *message, size_t message_size,
		     struct dx_device **ret_device);
/* Unplugged: hosts hear of it, then everything on it terminates. */
void dx_device_gone(struct dx_broker *broker, struct dx_device *device);
/* The entry of the device leaves the registry. */
void dx_device_free(struct dx_device *device);

#endif
