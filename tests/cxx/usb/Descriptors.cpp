/* SPDX-License-Identifier: MIT
 *
 * Descriptors - layouts, constants and the functions that walk descriptors, on blocks made here.
 */
#include "Test.hpp"

/* --- layouts --------------------------------------------------------------------------------- */

static_assert(sizeof(IOUSBDescriptorHeader) == kIOUSBDescriptorHeaderSize, "2");
static_assert(sizeof(IOUSBDescriptor) == 2, "another name of the header");
static_assert(sizeof(IOUSBDeviceDescriptor) == kIOUSBDescriptorSizeDevice, "18");
static_assert(sizeof(IOUSBDeviceQualifierDescriptor) == kIOUSBDescriptorSizeDeviceQualifier, "10");
static_assert(sizeof(IOUSBConfigurationDescHeader) == 4, "4");
static_assert(sizeof(IOUSBConfigurationDescriptor) == kIOUSBDescriptorSizeConfiguration, "9");
static_assert(sizeof(IOUSBInterfaceDescriptor) == kIOUSBDescriptorSizeInterface, "9");
static_assert(sizeof(IOUSBEndpointDescriptor) == kIOUSBDescriptorSizeEndpoint, "7");
static_assert(sizeof(IOUSBStringDescriptor) == 3, "with its first byte");
static_assert(sizeof(IOUSBBOSDescriptor) == kIOUSBDescriptorSizeBOS, "5");
static_assert(sizeof(IOUSBDeviceCapabilityDescriptorHeader) == 4, "4");
static_assert(sizeof(IOUSBDeviceCapabilityUSB2Extension) ==
		      kIOUSBDescriptorSizeUSB20ExtensionCapability, "7");
static_assert(sizeof(IOUSBDeviceCapabilitySuperSpeedUSB) ==
		      kIOUSBDescriptorSizeSuperSpeedUSBDeviceCapability, "10");
static_assert(sizeof(IOUSBDeviceCapabilitySuperSpeedPlusUSB) == 12, "without its attributes");
static_assert(sizeof(IOUSBDeviceCapabilityContainerID) ==
		      kIOUSBDescriptorSizeContainerIDCapability, "20");
static_assert(sizeof(IOUSBPlatformCapabilityDescriptor) ==
		      kIOUSBDescriptorSizePlatformCapability, "20");
static_assert(sizeof(IOUSBDeviceCapabilityBillboard) ==
		      kIOUSBDescriptorSizeBillboardDeviceMinimum, "44");
static_assert(sizeof(IOUSBInterfaceAssociationDescriptor) ==
		      kIOUSBDescriptorSizeInterfaceAssociation, "8");
static_assert(sizeof(IOUSBSuperSpeedEndpointCompanionDescriptor) ==
		      kIOUSBDescriptorSizeSuperSpeedUSBEndpointCompanion, "6");
static_assert(sizeof(IOUSBSuperSpeedPlusIsochronousEndpointCompanionDescriptor) ==
		      kIOUSBDescriptorSizeSuperSpeedPlusIsochronousEndpointCompanion, "8");
static_assert(sizeof(IOUSB20HubDescriptor) >= kIOUSBDescriptorSizeHubMinimum, "at least 9");
static_assert(sizeof(IOUSBSuperSpeedHubDescriptor) == kIOUSBDescriptorSizeSuperSpeedHub, "12");
static_assert(sizeof(UASPipeDescriptor) == 4, "4");
static_assert(sizeof(IOUSBHIDDescriptor) == 9, "9");
static_assert(sizeof(IOUSBHIDReportDesc) == 3, "3");
static_assert(sizeof(IOUSBDFUDescriptor) == 7, "7");
static_assert(sizeof(IOUSBDeviceRequest) == kIOUSBDeviceRequestSize, "8");
static_assert(sizeof(IOUSBDeviceRequestSetSELData) == 6, "6");
static_assert(sizeof(IOUSBIsochronousFrame) == 24, "24");

/* --- numbers --------------------------------------------------------------------------------- */

static_assert(IOUSBBit(3) == 8 && IOUSBBitRange(4, 7) == 0xf0 &&
		      IOUSBBitRange64(32, 63) == 0xffffffff00000000ull &&
		      IOUSBBitRangePhase(8, 10) == 8, "bits");
static_assert(USBToHost16(0x1234) == 0x1234 && USBToHost32(0x12345678) == 0x12345678 &&
		      USBToHost64(0x123456789abcdef0) == 0x123456789abcdef0, "little-endian");
static_assert(HostToUSB16(0x1234) == 0x1234 && HostToUSB32(0x12345678) == 0x12345678 &&
		      HostToUSB64(0x123456789abcdef0) == 0x123456789abcdef0, "little-endian");
static_assert(kIOUSBDecriptorTypeHID == 33 && kIOUSBDecriptorTypeReport == 34 &&
		      kIOUSBDescriptorTypeHub == 41 && kIOUSBDescriptorTypeSuperSpeedHub == 42 &&
		      kIOUSBDescriptorTypeBOS == 15 &&
		      kIOUSBDescriptorTypeSuperSpeedPlusIsochronousEndpointCompanion == 49,
	      "types");
static_assert(kIOUSBEndpointDescriptorNumber == 0x0f && kIOUSBEndpointDescriptorDirection == 0x80 &&
		      kIOUSBEndpointDescriptorPacketSize == 0x7ff &&
		      kIOUSBEndpointDescriptorPacketSizeMult == 0x1800, "endpoints");
static_assert(kIOUSBDeviceRequestSetSel == 48 && kIOUSBDeviceRequestSetIsochronousDelay == 49 &&
		      kIOUSBDeviceRequestSynchFrame == 12, "requests");
static_assert(kIOUSBHostPortConnectionSpeedSuperPlusBy2 == 6 &&
		      kIOUSBHostConnectionSpeedSuperPlusBy2 == 6 && kIOUSBHostPortTypeCount == 5,
	      "ports");
static_assert(kIOUSBHostPipeBundlingMax == 16 && kIOUSBLanguageIDEnglishUS == 0x0409 &&
		      kIOUSBAppleVendorID == 0x05ac, "others");

/* --- walking --------------------------------------------------------------------------------- */

/* A function of two interfaces; the first has a setting with endpoints and their companions. */
static const uint8_t block[] = {
	9, 2, 60, 0, 2, 1, 0, 0xa0, 50,	   /* at 0: the configuration */
	8, 11, 0, 2, 2, 6, 0, 0,	   /* 9: association */
	9, 4, 0, 0, 2, 0xff, 1, 2, 0,	   /* 17: interface 0 */
	7, 5, 0x81, 2, 0, 4, 0,		   /* 26: bulk IN */
	6, 48, 3, 4, 0, 0,		   /* 33: its companion: 16 streams */
	7, 5, 0x02, 3, 64, 0, 4,	   /* 39: interrupt OUT */
	9, 4, 1, 0, 0, 0xff, 1, 3, 0,	   /* 46: interface 1 */
	5, 33, 0, 0, 0,			   /* 55: something of a class */
};
static_assert(sizeof(block) == 60, "wTotalLength");

static const IOUSBConfigurationDescriptor *Configuration()
{
	return reinterpret_cast<const IOUSBConfigurationDescriptor *>(block);
}

static const IOUSBDescriptorHeader *At(size_t offset)
{
	return reinterpret_cast<const IOUSBDescriptorHeader *>(block + offset);
}

static bool IsAt(const void *descriptor, size_t offset)
{
	return descriptor == block + offset;
}

void UsbProbeClient::TestWalking()
{
	const IOUSBConfigurationDescriptor *all = Configuration();
	const auto *interface = reinterpret_cast<const IOUSBInterfaceDescriptor *>(At(17));
	const size_t places[] = {9, 17, 26, 33, 39, 46, 55};
	const IOUSBDescriptorHeader *current = nullptr;

	for (size_t place : places) {
		current = IOUSBGetNextDescriptor(all, current);
		EXPECT(IsAt(current, place));
	}
	EXPECT(IOUSBGetNextDescriptor(all, current) == nullptr);
	EXPECT(IsAt(IOUSBGetNextDescriptorWithType(all, At(17), kIOUSBDescriptorTypeInterface), 46));
	EXPECT(IOUSBGetNextDescriptorWithType(all, At(46), kIOUSBDescriptorTypeEndpoint) == nullptr);
	EXPECT(IsAt(IOUSBGetNextAssociatedDescriptor(all, At(17), nullptr), 26));
	EXPECT(IOUSBGetNextAssociatedDescriptor(all, At(17), At(39)) == nullptr);
	EXPECT(IsAt(IOUSBGetNextAssociatedDescriptorWithType(
			    all, At(26), nullptr,
			    kIOUSBDescriptorTypeSuperSpeedUSBEndpointCompanion), 33));
	EXPECT(IOUSBGetNextAssociatedDescriptorWithType(
		       all, At(39), nullptr,
		       kIOUSBDescriptorTypeSuperSpeedUSBEndpointCompanion) == nullptr);
	const IOUSBInterfaceAssociationDescriptor *association =
		IOUSBGetNextInterfaceAssociationDescriptor(all, nullptr);
	EXPECT(IsAt(association, 9) && association->bInterfaceCount == 2);
	EXPECT(IOUSBGetNextInterfaceAssociationDescriptor(all, At(9)) == nullptr);
	EXPECT(IsAt(IOUSBGetNextInterfaceDescriptor(all, nullptr), 17));
	EXPECT(IsAt(IOUSBGetNextInterfaceDescriptor(all, At(17)), 46));
	EXPECT(IsAt(IOUSBGetNextEndpointDescriptor(all, interface, nullptr), 26));
	EXPECT(IsAt(IOUSBGetNextEndpointDescriptor(all, interface, At(26)), 39));
	EXPECT(IOUSBGetNextEndpointDescriptor(all, interface, At(39)) == nullptr);
	/* A position outside is none. */
	EXPECT(IOUSBGetNextDescriptor(
		       all, reinterpret_cast<const IOUSBDescriptorHeader *>(&places)) == nullptr);
	EXPECT_EQ(IOUSBGetConfigurationMaxPowerMilliAmps(kIOUSBHostConnectionSpeedHigh, all), 100);
	EXPECT_EQ(IOUSBGetConfigurationMaxPowerMilliAmps(kIOUSBHostConnectionSpeedSuper, all), 400);
}

void UsbProbeClient::TestEndpointFunctions()
{
	const auto *bulk = reinterpret_cast<const IOUSBEndpointDescriptor *>(At(26));
	const auto *companion =
		reinterpret_cast<const IOUSBSuperSpeedEndpointCompanionDescriptor *>(At(33));
	const auto *interrupt = reinterpret_cast<const IOUSBEndpointDescriptor *>(At(39));

	EXPECT_EQ(IOUSBGetEndpointDirection(bulk), kIOUSBEndpointDirectionIn);
	EXPECT_EQ(IOUSBGetEndpointDirection(interrupt), kIOUSBEndpointDirectionOut);
	EXPECT_EQ(IOUSBGetEndpointAddress(bulk), 0x81);
	EXPECT_EQ(IOUSBGetEndpointNumber(bulk), 1);
	EXPECT_EQ(IOUSBGetEndpointType(bulk), kIOUSBEndpointTypeBulk);
	EXPECT_EQ(IOUSBGetEndpointType(interrupt), kIOUSBEndpointTypeInterrupt);
	EXPECT_EQ(IOUSBGetEndpointMaxPacketSize(kIOUSBHostConnectionSpeedSuper, bulk), 1024);
	EXPECT_EQ(IOUSBGetEndpointMaxPacketSize(kIOUSBHostConnectionSpeedFull, interrupt), 64);
	EXPECT_EQ(IOUSBGetEndpointIntervalEncodedMicroframes(kIOUSBHostConnectionSpeedHigh,
							     interrupt), 4);
	EXPECT_EQ(IOUSBGetEndpointIntervalMicroframes(kIOUSBHostConnectionSpeedHigh, interrupt), 8);
	EXPECT_EQ(IOUSBGetEndpointIntervalFrames(kIOUSBHostConnectionSpeedHigh, interrupt), 1);
	EXPECT_EQ(IOUSBGetEndpointIntervalFrames(kIOUSBHostConnectionSpeedFull, interrupt), 4);
	EXPECT_EQ(IOUSBGetEndpointMaxStreamsEncoded(kIOUSBHostConnectionSpeedSuper, bulk, companion),
		  4);
	EXPECT_EQ(IOUSBGetEndpointMaxStreams(kIOUSBHostConnectionSpeedSuper, bulk, companion), 16);
	EXPECT_EQ(IOUSBGetEndpointMaxStreams(kIOUSBHostConnectionSpeedHigh, bulk, companion), 0);
	EXPECT_EQ(IOUSBGetEndpointMaxStreams(kIOUSBHostConnectionSpeedSuper, bulk, nullptr), 0);
}

/* --- capabilities ---------------------------------------------------------------------------- */

static const uint8_t capabilities[] = {
	5, 15, 106, 0, 5,			   /* at 0: the BOS descriptor */
	7, 16, 2, 6, 0, 0, 0,			   /* 5: USB 2.0 extension */
	10, 16, 3, 0, 14, 0, 1, 10, 255, 7,	   /* 12: super speed */
	20, 16, 4, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, /* 22: container id */
	20, 16, 5, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, /* 42: platform */
	44, 16, 13, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, /* 62: billboard */
	0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x21, 1, 0, 0,
};
static_assert(sizeof(capabilities) == 106, "wTotalLength");

void UsbProbeClient::TestCapabilities()
{
	const auto *bos = reinterpret_cast<const IOUSBBOSDescriptor *>(capabilities);
	const IOUSBDeviceCapabilityDescriptorHeader *current = nullptr;
	unsigned count = 0;

	while ((current = IOUSBGetNextCapabilityDescriptor(bos, current)) != nullptr) {
		EXPECT_EQ(current->bDescriptorType, kIOUSBDescriptorTypeDeviceCapability);
		count++;
	}
	EXPECT_EQ(count, bos->bNumDeviceCaps);
	current = IOUSBGetNextCapabilityDescriptorWithType(bos, nullptr,
							   kIOUSBDeviceCapabilityTypePlatform);
	EXPECT(static_cast<const void *>(current) == capabilities + 42);
	const auto *platform = reinterpret_cast<const IOUSBPlatformCapabilityDescriptor *>(current);
	EXPECT_EQ(platform->PlatformCapabilityUUID[15], 16);
	EXPECT(IOUSBGetNextCapabilityDescriptorWithType(
		       bos, current, kIOUSBDeviceCapabilityTypePlatform) == nullptr);
	EXPECT_EQ(USBToHost32(IOUSBGetUSB20ExtensionDeviceCapabilityDescriptor(bos)->bmAttributes), 6);
	EXPECT_EQ(IOUSBGetSuperSpeedDeviceCapabilityDescriptor(bos)->bU1DevExitLat, 10);
	EXPECT_EQ(IOUSBGetContainerIDDescriptor(bos)->containerID[0], 1);
	const IOUSBDeviceCapabilityBillboard *billboard = IOUSBGetBillboardDescriptor(bos);
	EXPECT(billboard != nullptr && USBToHost16(billboard->bcdVersion) == 0x0121);
}
