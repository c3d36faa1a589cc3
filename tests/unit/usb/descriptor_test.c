/* SPDX-License-Identifier: MIT
 *
 * descriptor - the public walkers and what they read out of endpoints.
 */
#include <opendext/usb_descriptors.h>
#include <string.h>

#include "test.h"
#include "usb/descriptor.h"

/* Association, interface 0 with settings 0 and 1, interface 1; companions behind the endpoints. */
static const uint8_t bytes[] = {
	9, 2, 80, 0, 2, 1, 0, 0x80, 50,	       /* 0 */
	8, 11, 0, 2, 255, 0, 0, 0,	       /* 9 */
	9, 4, 0, 0, 1, 255, 0, 0, 0,	       /* 17 */
	7, 5, 0x81, 2, 0, 4, 0,		       /* 26 */
	6, 48, 15, 4, 0, 0,		       /* 33 */
	9, 4, 0, 1, 1, 255, 0, 0, 0,	       /* 39 */
	7, 5, 0x82, 1, 0xFF, 0x13, 4,	       /* 48 */
	9, 4, 1, 0, 1, 3, 0, 0, 0,	       /* 55 */
	9, 33, 0x11, 1, 0, 1, 34, 50, 0,       /* 64 */
	7, 5, 0x03, 3, 8, 0, 10,	       /* 73 */
};

static const IOUSBConfigurationDescriptor *const whole = (const void *)bytes;

static size_t offset(const void *descriptor)
{
	return descriptor == NULL ? 0 : (size_t)((const uint8_t *)descriptor - bytes);
}

static const void *at(size_t where)
{
	return bytes + where;
}

TEST(descriptor_walkers_go_through_everything_in_order)
{
	static const size_t places[] = {9, 17, 26, 33, 39, 48, 55, 64, 73, 0};
	const IOUSBDescriptorHeader *current = NULL;

	CHECK_EQ(sizeof(bytes), 80);
	CHECK(dx_usb_desc_check(bytes, sizeof(bytes)));
	for (unsigned i = 0; i < 10; i++) {
		current = IOUSBGetNextDescriptor(whole, current);
		CHECK_EQ(offset(current), places[i]);
	}
}

TEST(descriptor_associated_walkers_stop_at_the_next_parent)
{
	CHECK_EQ(offset(IOUSBGetNextInterfaceDescriptor(whole, NULL)), 17);
	CHECK_EQ(offset(IOUSBGetNextInterfaceDescriptor(whole, at(17))), 39);
	CHECK_EQ(offset(IOUSBGetNextInterfaceAssociationDescriptor(whole, NULL)), 9);
	CHECK(IOUSBGetNextInterfaceAssociationDescriptor(whole, at(9)) == NULL);
	CHECK_EQ(offset(IOUSBGetNextEndpointDescriptor(whole, at(17), NULL)), 26);
	CHECK(IOUSBGetNextEndpointDescriptor(whole, at(17), at(26)) == NULL);
	CHECK_EQ(offset(IOUSBGetNextEndpointDescriptor(whole, at(55), NULL)), 73);
	CHECK_EQ(offset(IOUSBGetNextAssociatedDescriptor(whole, at(17), NULL)), 26);
	CHECK_EQ(offset(IOUSBGetNextAssociatedDescriptor(whole, at(17), at(26))), 33);
	CHECK(IOUSBGetNextAssociatedDescriptor(whole, at(17), at(33)) == NULL);
	CHECK_EQ(offset(IOUSBGetNextAssociatedDescriptorWithType(whole, at(55), NULL, 33)), 64);
	CHECK_EQ(offset(IOUSBGetNextDescriptorWithType(whole, NULL, 48)), 33);
}

TEST(descriptor_walkers_refuse_positions_outside)
{
	CHECK(IOUSBGetNextDescriptor(NULL, NULL) == NULL);
	CHECK(IOUSBGetNextDescriptor(whole, at(80)) == NULL);
	CHECK(IOUSBGetNextDescriptor(at(17), NULL) == NULL); /* no configuration */
	CHECK(IOUSBGetNextEndpointDescriptor(whole, NULL, NULL) == NULL);
	CHECK(IOUSBGetNextAssociatedDescriptor(whole, at(55), at(17)) == NULL);
}

TEST(descriptor_cut_or_looping_blocks_end_the_walk)
{
	uint8_t broken[sizeof(bytes)];

	memcpy(broken, bytes, sizeof(bytes));
	broken[26] = 0;
	CHECK_EQ(dx_usb_desc_next(broken, sizeof(broken), 17), 0);
	CHECK(!dx_usb_desc_check(broken, sizeof(broken)));
	broken[26] = 200;
	CHECK_EQ(dx_usb_desc_next(broken, sizeof(broken), 17), 0);
	CHECK_EQ(dx_usb_desc_total(bytes, 30), 30);
	CHECK_EQ(dx_usb_desc_next(bytes, 30, 17), 0);
	CHECK_EQ(dx_usb_desc_total(bytes, 4), 0);
	CHECK(!dx_usb_desc_check(bytes, 79));
	CHECK_EQ(dx_usb_desc_find_interface(bytes, 80, 0, 1), 39);
	CHECK_EQ(dx_usb_desc_find_interface(bytes, 80, 2, 0), 0);
	CHECK_EQ(dx_usb_desc_find_endpoint(bytes, 80, 39, 0x82), 48);
	CHECK_EQ(dx_usb_desc_find_endpoint(bytes, 80, 39, 0x81), 0);
}

TEST(descriptor_endpoint_functions_know_the_speeds)
{
	const IOUSBEndpointDescriptor *bulk = at(26), *isoch = at(48), *interrupt = at(73);
	const IOUSBSuperSpeedEndpointCompanionDescriptor *companion = at(33);

	CHECK_EQ(IOUSBGetEndpointDirection(bulk), kIOUSBEndpointDirectionIn);
	CHECK_EQ(IOUSBGetEndpointDirection(interrupt), kIOUSBEndpointDirectionOut);
	CHECK_EQ(IOUSBGetEndpointDirection(NULL), kIOUSBEndpointDirectionUnknown);
	CHECK_EQ(IOUSBGetEndpointAddress(bulk), 0x81);
	CHECK_EQ(IOUSBGetEndpointNumber(isoch), 2);
	CHECK_EQ(IOUSBGetEndpointType(isoch), kIOUSBEndpointTypeIsochronous);
	CHECK_EQ(IOUSBGetEndpointMaxPacketSize(kIOUSBHostConnectionSpeedSuper, bulk), 1024);
	CHECK_EQ(IOUSBGetEndpointMaxPacketSize(kIOUSBHostConnectionSpeedHigh, bulk), 0);
	CHECK_EQ(IOUSBGetEndpointMaxPacketSize(kIOUSBHostConnectionSpeedFull, isoch), 1023);
	CHECK_EQ(IOUSBGetEndpointMaxPacketSize(kIOUSBHostConnectionSpeedLow, isoch), 0);
	CHECK_EQ(IOUSBGetEndpointMaxPacketSize(kIOUSBHostConnectionSpeedNone, interrupt), 0);
	CHECK_EQ(IOUSBGetEndpointIntervalFrames(kIOUSBHostConnectionSpeedHigh, isoch), 1);
	CHECK_EQ(IOUSBGetEndpointIntervalMicroframes(kIOUSBHostConnectionSpeedHigh, isoch), 8);
	CHECK_EQ(IOUSBGetEndpointIntervalFrames(kIOUSBHostConnectionSpeedFull, isoch), 8);
	CHECK_EQ(IOUSBGetEndpointIntervalFrames(kIOUSBHostConnectionSpeedFull, interrupt), 8);
	CHECK_EQ(IOUSBGetEndpointIntervalEncodedMicroframes(kIOUSBHostConnectionSpeedHigh, bulk),
		 0);
	CHECK_EQ(IOUSBGetEndpointMaxStreams(kIOUSBHostConnectionSpeedSuper, bulk, companion), 16);
	CHECK_EQ(IOUSBGetEndpointMaxStreams(kIOUSBHostConnectionSpeedHigh, bulk, companion), 0);
	CHECK_EQ(IOUSBGetConfigurationMaxPowerMilliAmps(kIOUSBHostConnectionSpeedHigh, whole),
		 100);
	CHECK_EQ(IOUSBGetConfigurationMaxPowerMilliAmps(kIOUSBHostConnectionSpeedSuper, whole),
		 400);
	CHECK_EQ(IOUSBBitRange(8, 10), 0x700);
	CHECK_EQ(IOUSBBitRange(0, 31), 0xFFFFFFFFu);
	CHECK_EQ((uint32_t)kUSBHostReturnPipeStalled, 0xE0005000u);
	CHECK_EQ((uint32_t)kIOUSBPipeStalled, 0xE000404Fu);
}
