/* SPDX-License-Identifier: MIT
 *
 * Interface - IOUSBHostInterface: session, state, requests, alternate settings.
 */
#include "Test.hpp"

void UsbProbeClient::TestInterfaceSession()
{
	EXPECT(Configure(SOURCE_SINK));
	IOUSBHostInterface *interface = ivars->interface;
	IOUSBHostPipe *pipe = nullptr;
	IOUSBHostPipe *again = nullptr;

	EXPECT_EQ(interface->CopyPipe(0x81, &pipe), kIOReturnNotOpen);
	EXPECT_EQ(interface->Close(this, 0), kIOReturnNotOpen);
	EXPECT_EQ(interface->Open(nullptr, 0, nullptr), kIOReturnBadArgument);
	EXPECT_EQ(interface->Open(this, 0, nullptr), kIOReturnSuccess);
	ivars->open = true;
	EXPECT_EQ(interface->Open(ivars->service, 0, nullptr), kIOReturnExclusiveAccess);
	EXPECT_EQ(interface->Close(ivars->service, 0), kIOReturnNotOpen);
	EXPECT_EQ(interface->CopyPipe(0x81, nullptr), kIOReturnBadArgument);
	EXPECT_EQ(interface->CopyPipe(0x8e, &pipe), kIOReturnNotFound);
	EXPECT_EQ(interface->CopyPipe(0x81, &pipe), kIOReturnSuccess);
	EXPECT_EQ(interface->CopyPipe(0x81, &again), kIOReturnSuccess);
	EXPECT(pipe == again);
	OSSafeReleaseNULL(again);
	EXPECT_EQ(interface->Close(this, 0), kIOReturnSuccess);
	ivars->open = false;
	EXPECT(pipe->ClearStall(true) != kIOReturnSuccess); /* closed with the interface */
	OSSafeReleaseNULL(pipe);
}

void UsbProbeClient::TestInterfaceState()
{
	EXPECT(Configure(SOURCE_SINK) && Open(0x81, 0x01));
	IOUSBHostInterface *interface = ivars->interface;
	const IOUSBConfigurationDescriptor *configuration = interface->CopyConfigurationDescriptor();
	const IOUSBInterfaceDescriptor *own = interface->GetInterfaceDescriptor(configuration);
	const IOUSBStringDescriptor *text = interface->CopyStringDescriptor(2);
	const IOUSBStringDescriptor *english =
		interface->CopyStringDescriptor(2, kIOUSBLanguageIDEnglishUS);
	uint64_t frame = 0, time = 0;
	uint32_t port = 0, idle = 77;

	EXPECT(configuration != nullptr && configuration->bConfigurationValue == SOURCE_SINK);
	EXPECT(own != nullptr && own->bNumEndpoints == 2 && own->bAlternateSetting == 0);
	EXPECT(reinterpret_cast<const uint8_t *>(own) >
	       reinterpret_cast<const uint8_t *>(configuration));
	EXPECT(interface->GetInterfaceDescriptor(nullptr) == nullptr);
	EXPECT(text != nullptr && english != nullptr && text->bLength == english->bLength);
	EXPECT_EQ(interface->GetFrameNumber(&frame, &time), kIOReturnSuccess);
	EXPECT(frame != 0 && time <= mach_absolute_time());
	EXPECT_EQ(interface->GetFrameNumber(nullptr, nullptr), kIOReturnBadArgument);
	EXPECT_EQ(interface->GetPortStatus(&port), kIOReturnSuccess);
	EXPECT((port & kIOUSBHostPortStatusEnabled) != 0);
	EXPECT_EQ(interface->GetIdlePolicy(&idle), kIOReturnSuccess);
	EXPECT_EQ(idle, 0); /* never */
	EXPECT_EQ(interface->SetIdlePolicy(250), kIOReturnSuccess);
	EXPECT_EQ(interface->GetIdlePolicy(&idle), kIOReturnSuccess);
	EXPECT_EQ(idle, 250);
	EXPECT_EQ(interface->GetIdlePolicy(nullptr), kIOReturnBadArgument);
	IOUSBHostFreeDescriptor(configuration);
	IOUSBHostFreeDescriptor(text);
	IOUSBHostFreeDescriptor(english);
}

void UsbProbeClient::TestInterfaceRequests()
{
	EXPECT(Configure(SOURCE_SINK) && Open(0, 0));
	IOUSBHostInterface *interface = ivars->interface;
	IOBufferMemoryDescriptor *buffer = nullptr;
	OSAction *action = nullptr;
	const uint8_t get =
		kIOUSBDeviceRequestDirectionIn | kIOUSBDeviceRequestRecipientInterface;
	uint16_t moved = 77;

	EXPECT_EQ(interface->CreateIOBuffer(kIOMemoryDirectionIn, 8, &buffer), kIOReturnSuccess);
	EXPECT_EQ(interface->CreateIOBuffer(kIOMemoryDirectionIn, 8, nullptr), kIOReturnBadArgument);
	EXPECT_EQ(CreateActionRequestDone(sizeof(uint64_t), &action), kIOReturnSuccess);
	EXPECT_EQ(interface->DeviceRequest(get, kIOUSBDeviceRequestGetInterface, 0, 0, 1, buffer,
					   &moved, 5000),
		  kIOReturnSuccess);
	EXPECT_EQ(moved, 1);
	EXPECT_EQ(interface->DeviceRequest(get, kIOUSBDeviceRequestGetInterface, 0, 0, 1, buffer,
					   nullptr, 5000),
		  kIOReturnSuccess);
	*TagOf(action) = 9;
	EXPECT_EQ(interface->AsyncDeviceRequest(get, kIOUSBDeviceRequestGetInterface, 0, 0, 1,
						buffer, action, 5000),
		  kIOReturnSuccess);
	EXPECT(Wait(1));
	EXPECT(ivars->recorded[0].tag == 9 && ivars->recorded[0].bytes == 1 &&
	       ivars->recorded[0].status == kIOReturnSuccess);
	EXPECT_EQ(interface->AsyncDeviceRequest(get, kIOUSBDeviceRequestGetInterface, 0, 0, 1,
						buffer, action, 5000),
		  kIOReturnSuccess);
	EXPECT_EQ(interface->AbortDeviceRequests(0, kIOReturnAborted), kIOReturnSuccess);
	EXPECT(Wait(2));
	EXPECT(ivars->recorded[1].status == kIOReturnSuccess ||
	       ivars->recorded[1].status == kIOReturnAborted);
	Shut();
	EXPECT_EQ(interface->DeviceRequest(get, kIOUSBDeviceRequestGetInterface, 0, 0, 1, buffer,
					   &moved, 5000),
		  kIOReturnNotOpen);
	OSSafeReleaseNULL(action);
	OSSafeReleaseNULL(buffer);
}

void UsbProbeClient::TestAlternateSettings()
{
	EXPECT(Configure(SOURCE_SINK) && Open(0x81, 0x01));
	IOUSBHostInterface *interface = ivars->interface;
	IOUSBHostPipe *old = ivars->pipes[PIPE_IN];
	const IOUSBConfigurationDescriptor *configuration = interface->CopyConfigurationDescriptor();
	IOUSBHostPipe *pipe = nullptr;
	uint8_t wanted = 1;
	uint32_t moved = 0;

	EXPECT_EQ(interface->CopyPipe(0x82, &pipe), kIOReturnNotFound);
	EXPECT_EQ(interface->SelectAlternateSetting(1), kIOReturnSuccess);
	EXPECT_EQ(interface->GetInterfaceDescriptor(configuration)->bAlternateSetting, 1);
	EXPECT(old->IO(ivars->buffers[PIPE_IN], 1024, &moved, 1000) != kIOReturnSuccess);
	EXPECT_EQ(interface->CopyPipe(0x82, &pipe), kIOReturnSuccess);
	OSSafeReleaseNULL(pipe);
	EXPECT(interface->SelectAlternateSetting(9) != kIOReturnSuccess);
	EXPECT_EQ(interface->SelectAlternateSetting(0), kIOReturnSuccess);
	Shut();
	/* With the session. */
	EXPECT_EQ(interface->Open(this, kUSBHostOpenOptionSelectAlternateSetting, nullptr),
		  kIOReturnBadArgument);
	EXPECT_EQ(interface->Open(this, kUSBHostOpenOptionSelectAlternateSetting, &wanted),
		  kIOReturnSuccess);
	ivars->open = true;
	EXPECT_EQ(interface->GetInterfaceDescriptor(configuration)->bAlternateSetting, 1);
	IOUSBHostFreeDescriptor(configuration);
}
