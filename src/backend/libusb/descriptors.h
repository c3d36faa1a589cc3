/* SPDX-License-Identifier: MIT
 *
 * descriptors - what the kernel has read from a device, taken apart into configurations.
 *
 * Place:      backend/libusb. The usb room looks inside; here only the blocks are found.
 * Format:     the file of a device node: 18 bytes of device descriptor, its 16-bit fields in the byte
 *             order of the machine, then one block per configuration as it came over the bus. A block
 *             is as long as its wTotalLength says, with zeros where the kernel has less.
 * Trust:      hostile. A block that is cut, too short or no configuration ends the list.
 */
#ifndef DX_BACKEND_LIBUSB_DESCRIPTORS_H
#define DX_BACKEND_LIBUSB_DESCRIPTORS_H

#include <stddef.h>
#include <stdint.h>

#define DX_LIBUSB_MAX_CONFIGURATIONS 8u /* as many as the kernel keeps */

struct dx_libusb_descriptors {
	uint8_t device[18]; /* as on the bus */
	unsigned nr_configurations;
	const uint8_t *configurations[DX_LIBUSB_MAX_CONFIGURATIONS]; /* into bytes */
	size_t lengths[DX_LIBUSB_MAX_CONFIGURATIONS];
};

/* Points into bytes. @return 0; -EPROTO: there is no device descriptor. */
int dx_libusb_descriptors_parse(const uint8_t *bytes, size_t length,
				struct dx_libusb_descriptors *ret_descriptors);

#endif
