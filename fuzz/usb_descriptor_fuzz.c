/* SPDX-License-Identifier: MIT
 *
 * usb_descriptor_fuzz - walking descriptors that a hostile device sent.
 *
 * Every position returned lies inside the block and moves forward; the public walkers, which know only
 * wTotalLength, agree with the bounded ones.
 */
#include <assert.h>
#include <opendext/usb_descriptors.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "usb/descriptor.h"

static void check_position(const uint8_t *block, size_t total, size_t before, size_t at)
{
	assert(at == 0 || (at > before && at + 2 <= total && block[at] >= 2 &&
			   at + block[at] <= total));
}

static void walk_plain(const uint8_t *block, size_t total)
{
	size_t at = 0;

	do {
		size_t before = at;

		at = dx_usb_desc_next(block, total, at);
		check_position(block, total, before, at);
	} while (at != 0);
}

static void walk_interfaces(const uint8_t *block, size_t total)
{
	size_t interface = 0;

	for (;;) {
		size_t endpoint = 0;

		interface = dx_usb_desc_next_type(block, total, interface, DX_USB_DESC_INTERFACE);
		if (interface == 0) {
			return;
		}
		do {
			size_t before = endpoint;

			endpoint = dx_usb_desc_next_in_type(block, total, interface, endpoint,
							    DX_USB_DESC_ENDPOINT);
			check_position(block, total, before, endpoint);
		} while (endpoint != 0);
	}
}

static void use_endpoint(const IOUSBEndpointDescriptor *endpoint)
{
	for (uint32_t speed = 0; speed < 8; speed++) {
		(void)IOUSBGetEndpointMaxPacketSize(speed, endpoint);
		(void)IOUSBGetEndpointIntervalFrames(speed, endpoint);
		(void)IOUSBGetEndpointMaxStreams(speed, endpoint, NULL);
	}
}

static void walk_public(const IOUSBConfigurationDescriptor *configuration)
{
	const IOUSBInterfaceDescriptor *interface = NULL;
	const IOUSBDescriptorHeader *at = NULL;

	for (;;) {
		const IOUSBEndpointDescriptor *endpoint = NULL;

		interface = IOUSBGetNextInterfaceDescriptor(configuration, at);
		if (interface == NULL) {
			break;
		}
		at = (const void *)interface;
		for (;;) {
			endpoint = IOUSBGetNextEndpointDescriptor(configuration, interface,
								  (const void *)endpoint);
			if (endpoint == NULL) {
				break;
			}
			use_endpoint(endpoint);
		}
	}
	(void)IOUSBGetNextInterfaceAssociationDescriptor(configuration, NULL);
}

static void walk_bos(const IOUSBBOSDescriptor *bos)
{
	const IOUSBDeviceCapabilityDescriptorHeader *at = NULL;

	do {
		at = IOUSBGetNextCapabilityDescriptor(bos, at);
	} while (at != NULL);
	(void)IOUSBGetContainerIDDescriptor(bos);
	(void)IOUSBGetBillboardDescriptor(bos);
	(void)IOUSBGetSuperSpeedDeviceCapabilityDescriptor(bos);
	(void)IOUSBGetUSB20ExtensionDeviceCapabilityDescriptor(bos);
}

/* The public functions trust wTotalLength: what a caller hands them has that many bytes. */
static void check_whole(const uint8_t *bytes, size_t total)
{
	uint8_t *block = malloc(total);

	if (block == NULL) {
		return;
	}
	memcpy(block, bytes, total);
	block[2] = (uint8_t)total;
	block[3] = (uint8_t)(total >> 8);
	if (block[1] == DX_USB_DESC_BOS) {
		walk_bos((const void *)block);
	} else {
		walk_public((const void *)block);
	}
	free(block);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	size_t total = dx_usb_desc_total(bytes, length);

	assert(total <= length);
	(void)dx_usb_desc_check(bytes, length);
	if (total == 0) {
		return 0;
	}
	walk_plain(bytes, total);
	walk_interfaces(bytes, total);
	for (unsigned i = 0; i < 256; i++) {
		(void)dx_usb_desc_find_interface(bytes, total, (uint8_t)i, 0);
		(void)dx_usb_desc_find_capability(bytes, total, (uint8_t)i, 3);
	}
	check_whole(bytes, total);
	return 0;
}
