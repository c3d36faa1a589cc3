/* SPDX-License-Identifier: MIT
 *
 * descriptors - see descriptors.h.
 *
 * Place:      backend/libusb.
 */
#include "backend/libusb/descriptors.h"

#include <endian.h>
#include <errno.h>
#include <string.h>

#define DEVICE_LENGTH	     18u
#define CONFIGURATION_LENGTH 9u
#define TYPE_DEVICE	     1u
#define TYPE_CONFIGURATION   2u

/* bcdUSB, idVendor, idProduct, bcdDevice: from the machine's order to that of the bus. */
static void restore_order(uint8_t *device)
{
	static const uint8_t fields[] = {2, 8, 10, 12};

	for (unsigned i = 0; i < sizeof(fields); i++) {
		uint16_t value = 0;

		memcpy(&value, device + fields[i], sizeof(value));
		value = htole16(value);
		memcpy(device + fields[i], &value, sizeof(value));
	}
}

/* The length of the block that begins here; 0: it is none. */
static size_t block_length(const uint8_t *block, size_t left)
{
	size_t total = 0;

	if (left < CONFIGURATION_LENGTH || block[0] < CONFIGURATION_LENGTH ||
	    block[1] != TYPE_CONFIGURATION) {
		return 0;
	}
	total = (size_t)block[2] | (size_t)block[3] << 8;
	return total < CONFIGURATION_LENGTH || total > left ? 0 : total;
}

int dx_libusb_descriptors_parse(const uint8_t *bytes, size_t length,
				struct dx_libusb_descriptors *ret_descriptors)
{
	struct dx_libusb_descriptors found = {0};
	size_t at = DEVICE_LENGTH;

	if (length < DEVICE_LENGTH || bytes[0] < DEVICE_LENGTH || bytes[1] != TYPE_DEVICE) {
		return -EPROTO;
	}
	memcpy(found.device, bytes, DEVICE_LENGTH);
	restore_order(found.device);
	while (found.nr_configurations < DX_LIBUSB_MAX_CONFIGURATIONS &&
	       found.nr_configurations < found.device[17]) {
		size_t total = block_length(bytes + at, length - at);

		if (total == 0) {
			break;
		}
		found.configurations[found.nr_configurations] = bytes + at;
		found.lengths[found.nr_configurations++] = total;
		at += total;
	}
	*ret_descriptors = found;
	return 0;
}
