/* SPDX-License-Identifier: MIT
 *
 * walk - the public descriptor functions, on top of the bounded walks of descriptor.h.
 *
 * Place:      usb; exported by libDriverKit.
 * Trust:      only the fixed part of the container is assumed to be there; everything behind it is
 *             reached through wTotalLength. A `current` outside the container ends the walk.
 */
#include <opendext/usb_descriptors.h>

#include <stddef.h>

#include "usb/descriptor.h"

_Static_assert(sizeof(IOUSBDeviceDescriptor) == 18, "USB 2.0, table 9-8");
_Static_assert(sizeof(IOUSBDeviceQualifierDescriptor) == 10, "table 9-9");
_Static_assert(sizeof(IOUSBConfigurationDescriptor) == 9, "table 9-10");
_Static_assert(sizeof(IOUSBInterfaceDescriptor) == 9, "table 9-12");
_Static_assert(sizeof(IOUSBEndpointDescriptor) == 7, "table 9-13");
_Static_assert(sizeof(IOUSBSuperSpeedEndpointCompanionDescriptor) == 6, "USB 3.0, table 9-20");
_Static_assert(sizeof(IOUSBSuperSpeedPlusIsochronousEndpointCompanionDescriptor) == 8, "USB 3.1");
_Static_assert(sizeof(IOUSBDeviceCapabilityContainerID) == 20, "USB 3.0, table 9-15");
_Static_assert(sizeof(IOUSBDeviceCapabilitySuperSpeedUSB) == 10, "USB 3.0, table 9-14");
_Static_assert(sizeof(IOUSBDeviceCapabilityUSB2Extension) == 7, "USB 3.0, table 9-13");
_Static_assert(sizeof(IOUSBDeviceCapabilityBillboard) == 44, "billboard 1.2");
_Static_assert(sizeof(IOUSBStandardEndpointDescriptors) == 23, "dx_usb_endpoint_descriptors");
_Static_assert(sizeof(IOUSBIsochronousFrame) == 24, "dx_usb_iso_frame");
_Static_assert(sizeof(IOUSBHIDDescriptor) == 9 && sizeof(IOUSBDFUDescriptor) == 7, "class specs");

/* A container and a position in it; total 0 when either makes no sense. */
struct walk {
	const uint8_t *block;
	size_t total;
	size_t at;
};

static size_t offset_of(const struct walk *walk, const void *descriptor, bool *ret_inside)
{
	uintptr_t base = (uintptr_t)walk->block;
	uintptr_t address = (uintptr_t)descriptor;

	*ret_inside = descriptor == NULL || (address >= base && address - base < walk->total);
	return descriptor == NULL || !*ret_inside ? 0 : address - base;
}

static struct walk walk_begin(const void *container, const void *current)
{
	struct walk walk = {.block = container};
	bool inside = false;

	if (container != NULL) {
		walk.total = dx_usb_desc_total(container, UINT16_MAX);
		walk.at = offset_of(&walk, current, &inside);
	}
	if (!inside) {
		walk.total = 0;
	}
	return walk;
}

static const void *walk_result(const struct walk *walk, size_t at)
{
	return at == 0 ? NULL : walk->block + at;
}

const IOUSBDescriptorHeader *
IOUSBGetNextDescriptor(const IOUSBConfigurationDescriptor *configurationDescriptor,
		       const IOUSBDescriptorHeader *currentDescriptor)
{
	struct walk walk = walk_begin(configurationDescriptor, currentDescriptor);

	return walk_result(&walk, dx_usb_desc_next(walk.block, walk.total, walk.at));
}

static const void *next_with_type(const void *container, const void *current, uint8_t type,
				  uint8_t min_length)
{
	struct walk walk = walk_begin(container, current);

	do {
		walk.at = dx_usb_desc_next_type(walk.block, walk.total, walk.at, type);
	} while (walk.at != 0 && walk.block[walk.at] < min_length);
	return walk_result(&walk, walk.at);
}

const IOUSBDescriptorHeader *
IOUSBGetNextDescriptorWithType(const IOUSBConfigurationDescriptor *configurationDescriptor,
			       const IOUSBDescriptorHeader *currentDescriptor, const uint8_t type)
{
	return next_with_type(configurationDescriptor, currentDescriptor, type, 2);
}

/* type -1: any. */
static const void *next_in(const void *container, const void *parent, const void *current,
			   int type, uint8_t min_length)
{
	struct walk walk = walk_begin(container, current);
	bool inside = false;
	size_t parent_at = offset_of(&walk, parent, &inside);

	if (!inside || (current != NULL && walk.at <= parent_at && parent_at != 0)) {
		return NULL;
	}
	do {
		walk.at = dx_usb_desc_next_in(walk.block, walk.total, parent_at, walk.at);
	} while (walk.at != 0 && ((type >= 0 && walk.block[walk.at + 1] != type) ||
				  walk.block[walk.at] < min_length));
	return walk_result(&walk, walk.at);
}

const IOUSBDescriptorHeader *
IOUSBGetNextAssociatedDescriptor(const IOUSBConfigurationDescriptor *configurationDescriptor,
				 const IOUSBDescriptorHeader *parentDescriptor,
				 const IOUSBDescriptorHeader *currentDescriptor)
{
	return next_in(configurationDescriptor, parentDescriptor, currentDescriptor, -1, 2);
}

const IOUSBDescriptorHeader *
IOUSBGetNextAssociatedDescriptorWithType(const IOUSBConfigurationDescriptor *configurationDescriptor,
					 const IOUSBDescriptorHeader *parentDescriptor,
					 const IOUSBDescriptorHeader *currentDescriptor,
					 const uint8_t type)
{
	return next_in(configurationDescriptor, parentDescriptor, currentDescriptor, type, 2);
}

const IOUSBInterfaceAssociationDescriptor *
IOUSBGetNextInterfaceAssociationDescriptor(const IOUSBConfigurationDescriptor *configurationDescriptor,
					   const IOUSBDescriptorHeader *currentDescriptor)
{
	return next_with_type(configurationDescriptor, currentDescriptor,
			      kIOUSBDescriptorTypeInterfaceAssociation,
			      sizeof(IOUSBInterfaceAssociationDescriptor));
}

const IOUSBInterfaceDescriptor *
IOUSBGetNextInterfaceDescriptor(const IOUSBConfigurationDescriptor *configurationDescriptor,
				const IOUSBDescriptorHeader *currentDescriptor)
{
	return next_with_type(configurationDescriptor, currentDescriptor,
			      kIOUSBDescriptorTypeInterface, sizeof(IOUSBInterfaceDescriptor));
}

const IOUSBEndpointDescriptor *
IOUSBGetNextEndpointDescriptor(const IOUSBConfigurationDescriptor *configurationDescriptor,
			       const IOUSBInterfaceDescriptor *interfaceDescriptor,
			       const IOUSBDescriptorHeader *currentDescriptor)
{
	if (interfaceDescriptor == NULL) {
		return NULL;
	}
	return next_in(configurationDescriptor, interfaceDescriptor, currentDescriptor,
		       kIOUSBDescriptorTypeEndpoint, sizeof(IOUSBEndpointDescriptor));
}

/* ---- capabilities ---- */

const IOUSBDeviceCapabilityDescriptorHeader *
IOUSBGetNextCapabilityDescriptor(const IOUSBBOSDescriptor *bosDescriptor,
				 const IOUSBDeviceCapabilityDescriptorHeader *currentDescriptor)
{
	return next_with_type(bosDescriptor, currentDescriptor,
			      kIOUSBDescriptorTypeDeviceCapability,
			      sizeof(IOUSBDeviceCapabilityDescriptorHeader));
}

const IOUSBDeviceCapabilityDescriptorHeader *
IOUSBGetNextCapabilityDescriptorWithType(
	const IOUSBBOSDescriptor *bosDescriptor,
	const IOUSBDeviceCapabilityDescriptorHeader *currentDescriptor, const uint8_t type)
{
	do {
		currentDescriptor =
			IOUSBGetNextCapabilityDescriptor(bosDescriptor, currentDescriptor);
	} while (currentDescriptor != NULL && currentDescriptor->bDevCapabilityType != type);
	return currentDescriptor;
}

static const void *first_capability(const IOUSBBOSDescriptor *bos, uint8_t type,
				    uint8_t min_length)
{
	const IOUSBDeviceCapabilityDescriptorHeader *found = NULL;

	do {
		found = IOUSBGetNextCapabilityDescriptorWithType(bos, found, type);
	} while (found != NULL && found->bLength < min_length);
	return found;
}

const IOUSBDeviceCapabilityUSB2Extension *
IOUSBGetUSB20ExtensionDeviceCapabilityDescriptor(const IOUSBBOSDescriptor *bosDescriptor)
{
	return first_capability(bosDescriptor, kIOUSBDeviceCapabilityTypeUSB20Extension,
				sizeof(IOUSBDeviceCapabilityUSB2Extension));
}

const IOUSBDeviceCapabilitySuperSpeedUSB *
IOUSBGetSuperSpeedDeviceCapabilityDescriptor(const IOUSBBOSDescriptor *bosDescriptor)
{
	return first_capability(bosDescriptor, kIOUSBDeviceCapabilityTypeSuperSpeed,
				sizeof(IOUSBDeviceCapabilitySuperSpeedUSB));
}

const IOUSBDeviceCapabilityContainerID *
IOUSBGetContainerIDDescriptor(const IOUSBBOSDescriptor *bosDescriptor)
{
	return first_capability(bosDescriptor, kIOUSBDeviceCapabilityTypeContainerID,
				sizeof(IOUSBDeviceCapabilityContainerID));
}

const IOUSBDeviceCapabilityBillboard *
IOUSBGetBillboardDescriptor(const IOUSBBOSDescriptor *bosDescriptor)
{
	return first_capability(bosDescriptor, kIOUSBDeviceCapabilityTypeBillboard,
				sizeof(IOUSBDeviceCapabilityBillboard));
}

/* ---- endpoints ---- */

uint8_t IOUSBGetEndpointDirection(const IOUSBEndpointDescriptor *descriptor)
{
	if (descriptor == NULL ||
	    IOUSBGetEndpointType(descriptor) == kIOUSBEndpointTypeControl) {
		return kIOUSBEndpointDirectionUnknown;
	}
	return (descriptor->bEndpointAddress & kIOUSBEndpointDescriptorDirectionIn) != 0
		       ? kIOUSBEndpointDirectionIn
		       : kIOUSBEndpointDirectionOut;
}

uint8_t IOUSBGetEndpointAddress(const IOUSBEndpointDescriptor *descriptor)
{
	return descriptor == NULL ? 0 : descriptor->bEndpointAddress;
}

uint8_t IOUSBGetEndpointNumber(const IOUSBEndpointDescriptor *descriptor)
{
	return descriptor == NULL
		       ? 0
		       : descriptor->bEndpointAddress & kIOUSBEndpointDescriptorNumber;
}

uint8_t IOUSBGetEndpointType(const IOUSBEndpointDescriptor *descriptor)
{
	return descriptor == NULL
		       ? 0
		       : descriptor->bmAttributes & kIOUSBEndpointDescriptorTransferType;
}

static uint16_t largest_packet(uint32_t speed, uint8_t type)
{
	/* control, isochronous, bulk, interrupt */
	static const uint16_t low[] = {8, 0, 0, 8};
	static const uint16_t full[] = {64, 1023, 64, 64};
	static const uint16_t high[] = {64, 1024, 512, 1024};
	static const uint16_t super[] = {512, 1024, 1024, 1024};

	switch (speed) {
	case kIOUSBHostConnectionSpeedLow:
		return low[type];
	case kIOUSBHostConnectionSpeedFull:
		return full[type];
	case kIOUSBHostConnectionSpeedHigh:
		return high[type];
	case kIOUSBHostConnectionSpeedSuper:
	case kIOUSBHostConnectionSpeedSuperPlus:
	case kIOUSBHostConnectionSpeedSuperPlusBy2:
		return super[type];
	default:
		return 0;
	}
}

uint16_t IOUSBGetEndpointMaxPacketSize(uint32_t usbDeviceSpeed,
				       const IOUSBEndpointDescriptor *descriptor)
{
	uint16_t size = 0;

	if (descriptor == NULL) {
		return 0;
	}
	size = USBToHost16(descriptor->wMaxPacketSize) & kIOUSBEndpointDescriptorPacketSize;
	return size <= largest_packet(usbDeviceSpeed, IOUSBGetEndpointType(descriptor)) ? size : 0;
}

/* The exponent n of the largest 2^(n-1) microframes that is not above this number of frames. */
static uint32_t encode_frames(uint32_t frames)
{
	uint32_t encoded = 4;

	while (frames >= 2) {
		frames /= 2;
		encoded++;
	}
	return encoded;
}

uint32_t IOUSBGetEndpointIntervalEncodedMicroframes(uint32_t usbDeviceSpeed,
						    const IOUSBEndpointDescriptor *descriptor)
{
	uint8_t type = IOUSBGetEndpointType(descriptor);
	uint32_t interval = descriptor == NULL ? 0 : descriptor->bInterval;

	if (interval == 0 ||
	    (type != kIOUSBEndpointTypeIsochronous && type != kIOUSBEndpointTypeInterrupt)) {
		return 0;
	}
	switch (usbDeviceSpeed) {
	case kIOUSBHostConnectionSpeedNone:
		return 0;
	case kIOUSBHostConnectionSpeedLow:
	case kIOUSBHostConnectionSpeedFull:
		return type == kIOUSBEndpointTypeInterrupt
			       ? encode_frames(interval)
			       : (interval > 16 ? 16 : interval) + 3;
	default:
		return interval > 16 ? 16 : interval;
	}
}

uint32_t IOUSBGetEndpointIntervalMicroframes(uint32_t usbDeviceSpeed,
					     const IOUSBEndpointDescriptor *descriptor)
{
	uint32_t encoded = IOUSBGetEndpointIntervalEncodedMicroframes(usbDeviceSpeed, descriptor);

	return encoded == 0 ? 0 : 1u << (encoded - 1);
}

uint32_t IOUSBGetEndpointIntervalFrames(uint32_t usbDeviceSpeed,
					const IOUSBEndpointDescriptor *descriptor)
{
	return IOUSBGetEndpointIntervalMicroframes(usbDeviceSpeed, descriptor) / 8;
}

uint32_t IOUSBGetEndpointMaxStreamsEncoded(
	uint32_t usbDeviceSpeed, const IOUSBEndpointDescriptor *endpointDescriptor,
	const IOUSBSuperSpeedEndpointCompanionDescriptor *companionDescriptor)
{
	uint32_t encoded = 0;

	if (usbDeviceSpeed < kIOUSBHostConnectionSpeedSuper || endpointDescriptor == NULL ||
	    companionDescriptor == NULL ||
	    IOUSBGetEndpointType(endpointDescriptor) != kIOUSBEndpointTypeBulk) {
		return 0;
	}
	encoded = companionDescriptor->bmAttributes &
		  kIOUSBSuperSpeedEndpointCompanionDescriptorBulkMaxStreams;
	return encoded > 16 ? 0 : encoded; /* larger values are reserved */
}

uint32_t
IOUSBGetEndpointMaxStreams(uint32_t usbDeviceSpeed,
			   const IOUSBEndpointDescriptor *endpointDescriptor,
			   const IOUSBSuperSpeedEndpointCompanionDescriptor *companionDescriptor)
{
	uint32_t encoded = IOUSBGetEndpointMaxStreamsEncoded(usbDeviceSpeed, endpointDescriptor,
							     companionDescriptor);

	return encoded == 0 ? 0 : 1u << encoded;
}

uint32_t
IOUSBGetConfigurationMaxPowerMilliAmps(uint32_t usbDeviceSpeed,
				       const IOUSBConfigurationDescriptor *descriptor)
{
	if (descriptor == NULL) {
		return 0;
	}
	return descriptor->MaxPower * (usbDeviceSpeed >= kIOUSBHostConnectionSpeedSuper
					       ? (uint32_t)kUSB3MaxPowerUnitMilliAmps
					       : (uint32_t)kUSB2MaxPowerUnitMilliAmps);
}
