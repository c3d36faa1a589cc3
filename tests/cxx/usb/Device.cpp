/* SPDX-License-Identifier: MIT
 *
 * Device - sessions, descriptors, requests and configurations of IOUSBHostDevice, on Gadget Zero.
 */
#include "Test.hpp"

/* Vendor requests of Gadget Zero: keep these bytes, give them back. */
enum { STORE = 0x5b, FETCH = 0x5c };
enum {
	VENDOR_OUT = kIOUSBDeviceRequestDirectionOut | kIOUSBDeviceRequestTypeVendor |
		     kIOUSBDeviceRequestRecipientDevice,
	VENDOR_IN = kIOUSBDeviceRequestDirectionIn | kIOUSBDeviceRequestTypeVendor |
		    kIOUSBDeviceRequestRecipientDevice,
	STANDARD_IN = kIOUSBDeviceRequestDirectionIn | kIOUSBDeviceRequestTypeStandard |
		      kIOUSBDeviceRequestRecipientDevice,
};

/* The service has the session. */
void UsbProbeClient::TestSession()
{
	IOUSBHostDevice *device = ivars->device;
	uint16_t moved = 77;

	EXPECT_EQ(device->Open(this, 0, 0), kIOReturnExclusiveAccess);
	EXPECT_EQ(device->Open(nullptr, 0, 0), kIOReturnBadArgument);
	EXPECT_EQ(device->Close(this, 0), kIOReturnNotOpen);
	EXPECT_EQ(device->DeviceRequest(this, STANDARD_IN, kIOUSBDeviceRequestGetStatus, 0, 0, 0,
					nullptr, &moved, 5000),
		  kIOReturnNotOpen);
	EXPECT_EQ(device->Close(ivars->service, 0), kIOReturnSuccess);
	EXPECT_EQ(device->Close(ivars->service, 0), kIOReturnNotOpen);
	EXPECT_EQ(device->SetConfiguration(SOURCE_SINK, false), kIOReturnNotOpen);
	EXPECT_EQ(device->Reset(), kIOReturnNotOpen);
	EXPECT_EQ(device->Open(this, 0, 0), kIOReturnSuccess);
	EXPECT_EQ(device->Open(ivars->service, 0, 0), kIOReturnExclusiveAccess);
	EXPECT_EQ(device->Close(this, 0), kIOReturnSuccess);
	EXPECT_EQ(device->Open(ivars->service, 0, 0), kIOReturnSuccess);
}

void UsbProbeClient::TestDeviceDescriptors()
{
	IOUSBHostDevice *device = ivars->device;
	const IOUSBDeviceDescriptor *descriptor = device->CopyDeviceDescriptor();
	const IOUSBConfigurationDescriptor *first = device->CopyConfigurationDescriptor((uint8_t)0);
	const IOUSBConfigurationDescriptor *loopback =
		device->CopyConfigurationDescriptorWithValue(LOOPBACK);
	const IOUSBConfigurationDescriptor *current =
		device->CopyConfigurationDescriptor(ivars->service);
	const IOUSBStringDescriptor *product = device->CopyStringDescriptor(2);
	const IOUSBStringDescriptor *english =
		device->CopyStringDescriptor(2, kIOUSBLanguageIDEnglishUS);
	uint8_t bytes[kIOUSBDescriptorSizeDevice] = {};
	uint16_t length = sizeof(bytes);
	uint16_t few = 4;

	EXPECT(descriptor != nullptr && descriptor->bLength == kIOUSBDescriptorSizeDevice);
	EXPECT_EQ(descriptor->bDescriptorType, kIOUSBDescriptorTypeDevice);
	EXPECT_EQ(USBToHost16(descriptor->idVendor), 0x0525);
	EXPECT_EQ(USBToHost16(descriptor->idProduct), 0xa4a0);
	EXPECT_EQ(descriptor->bNumConfigurations, 2);
	EXPECT(first != nullptr && first->bConfigurationValue == SOURCE_SINK);
	EXPECT(loopback != nullptr && loopback->bConfigurationValue == LOOPBACK);
	EXPECT(current != nullptr && current->bConfigurationValue == SOURCE_SINK);
	EXPECT(device->CopyConfigurationDescriptor((uint8_t)9) == nullptr);
	EXPECT(device->CopyConfigurationDescriptorWithValue(77) == nullptr);
	EXPECT(product != nullptr && product->bDescriptorType == kIOUSBDescriptorTypeString);
	EXPECT_EQ(product->bLength, 2 + 2 * strlen("Gadget Zero"));
	EXPECT(product->bString[0] == 'G' && product->bString[1] == 0);
	EXPECT(english != nullptr && memcmp(product, english, product->bLength) == 0);
	EXPECT(device->CopyStringDescriptor(99) == nullptr);

	EXPECT_EQ(device->CopyDescriptor(kIOUSBDescriptorTypeDevice, &length, 0, 0,
					 kIOUSBDeviceRequestTypeValueStandard,
					 kIOUSBDeviceRequestRecipientValueDevice, bytes),
		  kIOReturnSuccess);
	EXPECT_EQ(length, kIOUSBDescriptorSizeDevice);
	EXPECT(memcmp(bytes, descriptor, sizeof(bytes)) == 0);
	EXPECT_EQ(device->CopyDescriptor(kIOUSBDescriptorTypeDevice, &few, 0, 0,
					 kIOUSBDeviceRequestTypeValueStandard,
					 kIOUSBDeviceRequestRecipientValueDevice, bytes),
		  kIOReturnSuccess);
	EXPECT_EQ(few, 4);
	EXPECT_EQ(device->CopyDescriptor(kIOUSBDescriptorTypeDevice, nullptr, 0, 0, 0, 0, bytes),
		  kIOReturnBadArgument);
	EXPECT(device->CopyDescriptor(kIOUSBDescriptorTypeDebug, &length, 0, 0, 0, 0, bytes) !=
	       kIOReturnSuccess);
	IOUSBHostFreeDescriptor(descriptor);
	IOUSBHostFreeDescriptor(first);
	IOUSBHostFreeDescriptor(loopback);
	IOUSBHostFreeDescriptor(current);
	IOUSBHostFreeDescriptor(product);
	IOUSBHostFreeDescriptor(english);
}

void UsbProbeClient::TestDeviceState()
{
	IOUSBHostDevice *device = ivars->device;
	const IOUSBBOSDescriptor *bos = device->CopyCapabilityDescriptors();
	uint64_t before = mach_absolute_time();
	uint32_t port = 0;
	uint8_t address = 0, speed = 0;
	uint64_t frame = 0, later = 0, time = 0;

	EXPECT_EQ(device->GetAddress(&address), kIOReturnSuccess);
	EXPECT(address >= 1 && address <= 127);
	EXPECT_EQ(device->GetSpeed(&speed), kIOReturnSuccess);
	EXPECT(speed == kIOUSBHostConnectionSpeedFull || speed == kIOUSBHostConnectionSpeedHigh ||
	       speed == kIOUSBHostConnectionSpeedSuper);
	EXPECT_EQ((bos != nullptr), (speed == kIOUSBHostConnectionSpeedSuper));
	EXPECT_EQ(device->GetPortStatus(&port), kIOReturnSuccess);
	EXPECT_EQ((port & kIOUSBHostPortStatusConnectedSpeedMask) >>
			  kIOUSBHostPortStatusConnectedSpeedPhase,
		  speed);
	EXPECT((port & kIOUSBHostPortStatusEnabled) != 0);
	EXPECT_EQ(port & (kIOUSBHostPortStatusResetting | kIOUSBHostPortStatusSuspended |
			  kIOUSBHostPortStatusOvercurrent | kIOUSBHostPortStatusTestMode |
			  kIOUSBHostPortStatusReservedMask),
		  0);
	EXPECT((port & kIOUSBHostPortStatusPortTypeMask) < kIOUSBHostPortTypeCount);
	EXPECT_EQ(device->GetFrameNumber(&frame, &time), kIOReturnSuccess);
	EXPECT(time >= before && time <= mach_absolute_time());
	IOSleep(2);
	EXPECT_EQ(device->GetFrameNumber(&later, nullptr), kIOReturnSuccess);
	EXPECT(later > frame);
	EXPECT_EQ(device->GetAddress(nullptr), kIOReturnBadArgument);
	EXPECT_EQ(device->GetSpeed(nullptr), kIOReturnBadArgument);
	EXPECT_EQ(device->GetPortStatus(nullptr), kIOReturnBadArgument);
	EXPECT_EQ(device->GetFrameNumber(nullptr, &time), kIOReturnBadArgument);
	IOUSBHostFreeDescriptor(bos);
}

void UsbProbeClient::TestDeviceRequests()
{
	IOUSBHostDevice *device = ivars->device;
	IOService *service = ivars->service;
	IOBufferMemoryDescriptor *buffer = nullptr;
	IOAddressSegment range = {};
	uint16_t moved = 77;

	EXPECT_EQ(device->CreateIOBuffer(kIOMemoryDirectionInOut, 512, nullptr),
		  kIOReturnBadArgument);
	EXPECT_EQ(device->CreateIOBuffer(kIOMemoryDirectionInOut, 512, &buffer), kIOReturnSuccess);
	EXPECT_EQ(buffer->GetAddressRange(&range), kIOReturnSuccess);
	EXPECT_EQ(range.length, 512);
	auto *bytes = reinterpret_cast<uint8_t *>(range.address);
	memset(bytes, 0x3c, 300);
	EXPECT_EQ(device->DeviceRequest(service, VENDOR_OUT, STORE, 0, 0, 300, buffer, &moved, 5000),
		  kIOReturnSuccess);
	EXPECT_EQ(moved, 300);
	memset(bytes, 0, 512);
	EXPECT_EQ(device->DeviceRequest(service, VENDOR_IN, FETCH, 0, 0, 300, buffer, nullptr, 0),
		  kIOReturnSuccess);
	EXPECT(bytes[0] == 0x3c && bytes[299] == 0x3c && bytes[300] == 0);
	/* Requests of all recipients; the device answers with what it has. */
	EXPECT_EQ(device->DeviceRequest(service, STANDARD_IN, kIOUSBDeviceRequestGetConfiguration, 0,
					0, 1, buffer, &moved, 5000),
		  kIOReturnSuccess);
	EXPECT(moved == 1 && bytes[0] == SOURCE_SINK);
	EXPECT_EQ(device->DeviceRequest(service,
					kIOUSBDeviceRequestDirectionIn |
						kIOUSBDeviceRequestRecipientInterface,
					kIOUSBDeviceRequestGetInterface, 0, 0, 1, buffer, &moved,
					5000),
		  kIOReturnSuccess);
	EXPECT(moved == 1 && bytes[0] == 0);
	EXPECT_EQ(device->DeviceRequest(service,
					kIOUSBDeviceRequestDirectionIn |
						kIOUSBDeviceRequestRecipientEndpoint,
					kIOUSBDeviceRequestGetStatus, 0, 0x81, 2, buffer, &moved,
					5000),
		  kIOReturnSuccess);
	EXPECT(moved == 2 && (bytes[0] & IOUSBEndpointStatusHalt) == 0);
	/* What the device does not know stalls, which halts nothing. */
	EXPECT_EQ(device->DeviceRequest(service, VENDOR_IN, 0xee, 0, 0, 8, buffer, &moved, 5000),
		  kUSBHostReturnPipeStalled);
	EXPECT_EQ(moved, 0);
	EXPECT_EQ(device->DeviceRequest(service, STANDARD_IN, kIOUSBDeviceRequestGetConfiguration, 0,
					0, 1, buffer, &moved, 5000),
		  kIOReturnSuccess);
	EXPECT_EQ(device->DeviceRequest(service, VENDOR_IN, FETCH, 0, 0, 8, nullptr, &moved, 5000),
		  kIOReturnBadArgument);
	EXPECT_EQ(device->DeviceRequest(service, VENDOR_IN, FETCH, 0, 0, 513, buffer, &moved, 5000),
		  kIOReturnBadArgument);
	OSSafeReleaseNULL(buffer);
}

void UsbProbeClient::TestDeviceAsyncRequests()
{
	IOUSBHostDevice *device = ivars->device;
	IOService *service = ivars->service;
	IOBufferMemoryDescriptor *buffer = nullptr;
	OSAction *action = nullptr;

	Forget();
	EXPECT_EQ(device->CreateIOBuffer(kIOMemoryDirectionInOut, 64, &buffer), kIOReturnSuccess);
	EXPECT_EQ(CreateActionRequestDone(sizeof(uint64_t), &action), kIOReturnSuccess);
	*TagOf(action) = 5;
	EXPECT_EQ(device->AsyncDeviceRequest(service, STANDARD_IN,
					     kIOUSBDeviceRequestGetConfiguration, 0, 0, 1, buffer,
					     action, 5000),
		  kIOReturnSuccess);
	EXPECT(Wait(1));
	EXPECT(ivars->recorded[0].tag == 5 && ivars->recorded[0].bytes == 1);
	EXPECT_EQ(ivars->recorded[0].status, kIOReturnSuccess);
	EXPECT_EQ(device->AsyncDeviceRequest(service, STANDARD_IN,
					     kIOUSBDeviceRequestGetConfiguration, 0, 0, 1, buffer,
					     nullptr, 5000),
		  kIOReturnBadArgument);
	EXPECT_EQ(device->AsyncDeviceRequest(this, STANDARD_IN, kIOUSBDeviceRequestGetConfiguration,
					     0, 0, 1, buffer, action, 5000),
		  kIOReturnNotOpen);
	/* Each completes once, with its answer or with the code of the abort. */
	for (unsigned i = 0; i < 8; i++) {
		EXPECT_EQ(device->AsyncDeviceRequest(service, VENDOR_IN, FETCH, 0, 0, 16, buffer,
						     action, 0),
			  kIOReturnSuccess);
	}
	EXPECT_EQ(device->AbortDeviceRequests(service, 0, kIOReturnAborted), kIOReturnSuccess);
	EXPECT(Wait(9));
	for (unsigned i = 1; i < 9; i++) {
		EXPECT(ivars->recorded[i].status == kIOReturnSuccess ||
		       ivars->recorded[i].status == kIOReturnAborted);
	}
	EXPECT_EQ(device->AbortDeviceRequests(nullptr, 0, kIOReturnAborted), kIOReturnBadArgument);
	EXPECT_EQ(ivars->nr_recorded, 9);
	OSSafeReleaseNULL(action);
	OSSafeReleaseNULL(buffer);
}

void IMPL(UsbProbeClient, RequestDone)
{
	Record(action, status, bytesTransferred);
}

void UsbProbeClient::TestInterfaces()
{
	IOUSBHostDevice *device = ivars->device;
	IOUSBHostInterface *found = nullptr;
	IOUSBHostDevice *back = nullptr;
	uintptr_t iterator = 0;
	uint8_t address = 0, same = 0;

	EXPECT_EQ(device->CreateInterfaceIterator(nullptr), kIOReturnBadArgument);
	EXPECT_EQ(device->CreateInterfaceIterator(&iterator), kIOReturnSuccess);
	EXPECT_EQ(device->CopyInterface(iterator, nullptr), kIOReturnBadArgument);
	EXPECT_EQ(device->CopyInterface(iterator, &found), kIOReturnSuccess);
	EXPECT(found != nullptr);
	EXPECT_EQ(found->CopyDevice(nullptr), kIOReturnBadArgument);
	EXPECT_EQ(found->CopyDevice(&back), kIOReturnSuccess);
	EXPECT(back->GetAddress(&address) == kIOReturnSuccess &&
	       device->GetAddress(&same) == kIOReturnSuccess && address == same);
	OSSafeReleaseNULL(found);
	OSSafeReleaseNULL(back);
	(void)device->CopyInterface(iterator, &found);
	EXPECT(found == nullptr); /* Gadget Zero has one */
	EXPECT_EQ(device->DestroyInterfaceIterator(iterator), kIOReturnSuccess);
	EXPECT_EQ(device->DestroyInterfaceIterator(0), kIOReturnBadArgument);
}

void UsbProbeClient::TestConfigurations()
{
	IOUSBHostDevice *device = ivars->device;
	IOService *service = ivars->service;
	const IOUSBConfigurationDescriptor *current = nullptr;

	EXPECT(Configure(SOURCE_SINK));
	IOUSBHostInterface *old = ivars->interface;
	old->retain();
	EXPECT(Configure(LOOPBACK));
	current = device->CopyConfigurationDescriptor(service);
	EXPECT(current != nullptr && current->bConfigurationValue == LOOPBACK);
	IOUSBHostFreeDescriptor(current);
	EXPECT(old->Open(this, 0, nullptr) != kIOReturnSuccess); /* of the other configuration */
	OSSafeReleaseNULL(old);
	EXPECT(device->SetConfiguration(77, false) != kIOReturnSuccess);
	EXPECT_EQ(device->SetConfiguration(0, false), kIOReturnSuccess);
	EXPECT(device->CopyConfigurationDescriptor(service) == nullptr);
	EXPECT(Configure(SOURCE_SINK));
}

/* The service ends, and another one starts on the device that comes back: the application looks. */
void UsbProbeClient::TestReset()
{
	EXPECT_EQ(ivars->device->Reset(), kIOReturnSuccess);
}
