/* SPDX-License-Identifier: MIT
 *
 * usbfs - see usbfs.h.
 *
 * Place:      backend/libusb.
 */
#include "backend/libusb/usbfs.h"

#include <errno.h>
#include <linux/usbdevice_fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/check.h"
#include "base/cleanup.h"
#include "usb/backend.h"

#define READ_STEP 4096u
#define MAX_BYTES (1u << 20) /* eight configurations of 64 KiB fit */

int dx_usbfs_identify(int fd, struct dx_usbfs_identity *ret_identity)
{
	/* The kernel's enum usb_device_speed. */
	static const uint8_t speeds[] = {
		[1] = DX_USB_SPEED_LOW,	  [2] = DX_USB_SPEED_FULL,  [3] = DX_USB_SPEED_HIGH,
		[4] = DX_USB_SPEED_HIGH,  [5] = DX_USB_SPEED_SUPER, [6] = DX_USB_SPEED_SUPER_PLUS,
	};
	struct usbdevfs_conninfo_ex info = {.size = sizeof(info)};
	struct dx_usbfs_identity identity = {0};

	if (ioctl(fd, USBDEVFS_CONNINFO_EX(sizeof(info)), &info) < 0) {
		return -errno;
	}
	identity.port.bus = (uint16_t)info.busnum;
	identity.port.nr_ports = info.num_ports < DX_LIBUSB_MAX_PORTS ? info.num_ports
								      : DX_LIBUSB_MAX_PORTS;
	memcpy(identity.port.ports, info.ports, identity.port.nr_ports);
	identity.address = (uint8_t)info.devnum;
	identity.speed = info.speed < DX_ARRAY_SIZE(speeds) ? speeds[info.speed]
							    : DX_USB_SPEED_NONE;
	*ret_identity = identity;
	return 0;
}

int dx_usbfs_read_descriptors(int fd, uint8_t **ret_bytes, size_t *ret_length)
{
	DX_CLEANUP_FREE uint8_t *bytes = NULL;
	size_t length = 0;

	for (;;) {
		uint8_t *grown = length < MAX_BYTES ? realloc(bytes, length + READ_STEP) : NULL;
		ssize_t got = 0;

		if (grown == NULL) {
			return -ENOMEM;
		}
		bytes = grown;
		memset(bytes + length, 0, READ_STEP); /* the file has holes, which are not written */
		got = pread(fd, bytes + length, READ_STEP, (off_t)length);
		if (got < 0) {
			return -errno;
		}
		if (got == 0) {
			break;
		}
		length += (size_t)got;
	}
	*ret_length = length;
	*ret_bytes = dx_take_ptr(&bytes);
	return 0;
}

int dx_usbfs_reset_endpoint(int fd, uint8_t endpoint)
{
	unsigned number = endpoint;

	return ioctl(fd, USBDEVFS_RESETEP, &number) < 0 ? -errno : 0;
}

int dx_usbfs_driver(int fd, uint8_t interface_number, char *name, size_t size)
{
	struct usbdevfs_getdriver driver = {.interface = interface_number};

	if (ioctl(fd, USBDEVFS_GETDRIVER, &driver) < 0) {
		return -errno;
	}
	driver.driver[sizeof(driver.driver) - 1] = '\0';
	(void)snprintf(name, size, "%s", driver.driver);
	return 0;
}
