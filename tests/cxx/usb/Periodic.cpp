/* SPDX-License-Identifier: MIT
 *
 * Periodic - IOUSBHostPipe on isochronous and interrupt endpoints, and one that nobody answers.
 */
#include "Test.hpp"

enum { NR_FRAMES = 8, FRAME_BYTES = 64 };

void IMPL(UsbProbeClient, IsochDone)
{
	Record(action, status, 0);
}

/* Memory for the list of frames, each of which wants as many bytes. */
static IOUSBIsochronousFrame *MakeFrames(uint32_t count, IOBufferMemoryDescriptor **memory)
{
	IOAddressSegment range = {};

	if (IOBufferMemoryDescriptor::Create(kIOMemoryDirectionInOut,
					     count * sizeof(IOUSBIsochronousFrame), 0,
					     memory) != kIOReturnSuccess ||
	    (*memory)->GetAddressRange(&range) != kIOReturnSuccess) {
		return nullptr;
	}
	auto *frames = reinterpret_cast<IOUSBIsochronousFrame *>(range.address);
	for (uint32_t i = 0; i < count; i++) {
		frames[i] = {};
		frames[i].requestCount = FRAME_BYTES;
	}
	return frames;
}

/* So far ahead that the frame is not over when the request arrives. */
static uint64_t SoonFrame(IOUSBHostInterface *interface)
{
	uint64_t frame = 0;

	(void)interface->GetFrameNumber(&frame, nullptr);
	return frame + 500;
}

void UsbProbeClient::TestIsochronous()
{
	EXPECT(Configure(SOURCE_SINK));
	EXPECT_EQ(ivars->interface->Open(this, 0, nullptr), kIOReturnSuccess);
	ivars->open = true;
	EXPECT_EQ(ivars->interface->SelectAlternateSetting(1), kIOReturnSuccess);
	EXPECT(Open(0x82, 0x02));
	IOUSBHostPipe *in = ivars->pipes[PIPE_IN];
	IOUSBHostPipe *out = ivars->pipes[PIPE_OUT];
	IOBufferMemoryDescriptor *list = nullptr;
	IOBufferMemoryDescriptor *data = nullptr;
	OSAction *action = nullptr;
	IOUSBIsochronousFrame *frames = MakeFrames(NR_FRAMES, &list);

	EXPECT(frames != nullptr);
	EXPECT_EQ(ivars->interface->CreateIOBuffer(kIOMemoryDirectionInOut, NR_FRAMES * FRAME_BYTES,
						   &data),
		  kIOReturnSuccess);
	EXPECT_EQ(CreateActionIsochDone(sizeof(uint64_t), &action), kIOReturnSuccess);
	/* Waiting, as soon as possible, without data for one frame. */
	frames[3].requestCount = 0;
	EXPECT_EQ(in->IsochIO(data, list, 0, nullptr), kIOReturnSuccess);
	for (unsigned i = 0; i < NR_FRAMES; i++) {
		EXPECT_EQ(frames[i].status, kIOReturnSuccess);
		EXPECT_EQ(frames[i].completeCount, (i == 3 ? 0 : FRAME_BYTES));
		EXPECT(i == 0 || frames[i].timeStamp > frames[i - 1].timeStamp);
	}
	/* By action, from a certain frame on. Before that the frames say that they are not over. */
	uint64_t soon = SoonFrame(ivars->interface);
	uint64_t now = 0;
	for (unsigned i = 0; i < NR_FRAMES; i++) {
		frames[i].status = kIOReturnError;
		frames[i].completeCount = 0;
		frames[i].requestCount = FRAME_BYTES;
	}
	EXPECT_EQ(in->IsochIO(data, list, soon, action), kIOReturnSuccess);
	IOReturn last = frames[NR_FRAMES - 1].status;
	EXPECT_EQ(ivars->interface->GetFrameNumber(&now, nullptr), kIOReturnSuccess);
	EXPECT(last == kIOReturnInvalid || now >= soon);
	EXPECT(Wait(1));
	EXPECT_EQ(ivars->recorded[0].status, kIOReturnSuccess);
	EXPECT_EQ(frames[NR_FRAMES - 1].completeCount, FRAME_BYTES);
	EXPECT_EQ(out->IsochIO(data, list, 0, nullptr), kIOReturnSuccess);
	EXPECT_EQ(frames[0].completeCount, FRAME_BYTES);
	OSSafeReleaseNULL(action);
	OSSafeReleaseNULL(list);
	OSSafeReleaseNULL(data);
}

void UsbProbeClient::TestIsochronousRefusals()
{
	uint8_t alternate = 1;
	EXPECT(Configure(SOURCE_SINK));
	EXPECT_EQ(ivars->interface->Open(this, kUSBHostOpenOptionSelectAlternateSetting, &alternate),
		  kIOReturnSuccess);
	ivars->open = true;
	EXPECT(Open(0x82, 0x01));
	IOUSBHostPipe *in = ivars->pipes[PIPE_IN];
	IOBufferMemoryDescriptor *list = nullptr;
	IOBufferMemoryDescriptor *data = ivars->buffers[PIPE_IN];
	OSAction *action = nullptr;
	OSAction *other = nullptr;
	uint32_t idle = 0;

	EXPECT(MakeFrames(NR_FRAMES, &list) != nullptr);
	EXPECT_EQ(CreateActionIsochDone(sizeof(uint64_t), &action), kIOReturnSuccess);
	EXPECT_EQ(CreateActionDone(sizeof(uint64_t), &other), kIOReturnSuccess);
	EXPECT_EQ(in->IsochIO(data, list, 1, action), kIOReturnIsoTooOld);
	EXPECT_EQ(in->IsochIO(data, list, SoonFrame(ivars->interface) + 100000, action),
		  kIOReturnIsoTooNew);
	EXPECT_EQ(in->IsochIO(nullptr, list, 0, action), kIOReturnBadArgument);
	EXPECT_EQ(in->IsochIO(data, nullptr, 0, action), kIOReturnBadArgument);
	EXPECT_EQ(in->IsochIO(data, list, 0, other), kIOReturnBadArgument); /* of another kind */
	EXPECT_EQ(in->AsyncIO(data, 64, other, 0), kIOReturnBadArgument);
	EXPECT_EQ(in->SetIdlePolicy(100), kIOReturnUnsupported);
	EXPECT_EQ(in->GetIdlePolicy(&idle), kIOReturnUnsupported);
	EXPECT(ivars->pipes[PIPE_OUT]->IsochIO(data, list, 0, action) != kIOReturnSuccess);
	EXPECT_EQ(ivars->nr_recorded, 0);
	OSSafeReleaseNULL(action);
	OSSafeReleaseNULL(other);
	OSSafeReleaseNULL(list);
}

void UsbProbeClient::TestInterrupt()
{
	EXPECT(Open(0x81, 0x01));
	IOUSBHostPipe *in = ivars->pipes[PIPE_IN];
	IOUSBHostPipe *out = ivars->pipes[PIPE_OUT];
	OSAction *action = nullptr;
	uint32_t moved = 0;

	EXPECT_EQ(CreateActionDone(sizeof(uint64_t), &action), kIOReturnSuccess);
	EXPECT_EQ(in->IO(ivars->buffers[PIPE_IN], 64, &moved, 0), kIOReturnSuccess);
	EXPECT_EQ(moved, 64);
	EXPECT_EQ(ivars->bytes[PIPE_IN][10], 10);
	EXPECT_EQ(out->IO(ivars->buffers[PIPE_OUT], 64, &moved, 0), kIOReturnSuccess);
	EXPECT_EQ(moved, 64);
	for (unsigned i = 0; i < 4; i++) {
		EXPECT_EQ(in->AsyncIO(ivars->buffers[PIPE_IN], 64, action, 0), kIOReturnSuccess);
	}
	EXPECT(Wait(4));
	/* No timeouts here. */
	EXPECT_EQ(in->IO(ivars->buffers[PIPE_IN], 64, &moved, 100), kIOReturnBadArgument);
	EXPECT_EQ(in->AsyncIO(ivars->buffers[PIPE_IN], 64, action, 100), kIOReturnBadArgument);
	EXPECT_EQ(in->SetIdlePolicy(50), kIOReturnSuccess);
	OSSafeReleaseNULL(action);
}

void UsbProbeClient::TestAdjust()
{
	EXPECT(Open(0x81, 0x01));
	IOUSBHostPipe *pipe = ivars->pipes[PIPE_IN];
	IOUSBStandardEndpointDescriptors wanted = {}, now = {};
	const IOUSBConfigurationDescriptor *configuration =
		ivars->interface->CopyConfigurationDescriptor();

	EXPECT(configuration != nullptr &&
	       (configuration->bmAttributes &
		kIOUSBConfigurationDescriptorAttributeSelfPowered) != 0);
	EXPECT_EQ(IOUSBGetConfigurationMaxPowerMilliAmps(kIOUSBHostConnectionSpeedHigh,
							 configuration),
		  250);
	IOUSBHostFreeDescriptor(configuration);
	EXPECT_EQ(pipe->GetDescriptors(&wanted, kIOUSBGetEndpointDescriptorOriginal),
		  kIOReturnSuccess);
	EXPECT_EQ(USBToHost16(wanted.descriptor.wMaxPacketSize), 64);
	wanted.descriptor.wMaxPacketSize = HostToUSB16(32);
	EXPECT_EQ(pipe->AdjustPipe(&wanted), kIOReturnSuccess);
	EXPECT_EQ(pipe->GetDescriptors(&now, kIOUSBGetEndpointDescriptorCurrentPolicy),
		  kIOReturnSuccess);
	EXPECT_EQ(USBToHost16(now.descriptor.wMaxPacketSize), 32);
	EXPECT_EQ(pipe->GetDescriptors(&now, kIOUSBGetEndpointDescriptorOriginal),
		  kIOReturnSuccess);
	EXPECT_EQ(USBToHost16(now.descriptor.wMaxPacketSize), 64);
	wanted.descriptor.wMaxPacketSize = HostToUSB16(128); /* more than the device said */
	EXPECT_EQ(pipe->AdjustPipe(&wanted), kIOReturnBadArgument);
	wanted.descriptor.wMaxPacketSize = HostToUSB16(32);
	wanted.bcdUSB = HostToUSB16(0x0123);
	EXPECT_EQ(pipe->AdjustPipe(&wanted), kIOReturnBadArgument);
}

/* Requests that stay pending until somebody ends them, the timeout included. */
void UsbProbeClient::TestPending()
{
	EXPECT(Open(0x82, 0));
	IOUSBHostPipe *pipe = ivars->pipes[PIPE_IN];
	OSAction *action = nullptr;
	uint32_t moved = 77;

	EXPECT_EQ(CreateActionDone(sizeof(uint64_t), &action), kIOReturnSuccess);
	EXPECT_EQ(pipe->IO(ivars->buffers[PIPE_IN], 512, &moved, 10), kIOReturnTimeout);
	EXPECT_EQ(moved, 0);
	EXPECT_EQ(pipe->AsyncIO(ivars->buffers[PIPE_IN], 512, action, 10), kIOReturnSuccess);
	EXPECT(Wait(1));
	EXPECT_EQ(ivars->recorded[0].status, kIOReturnTimeout);
	EXPECT_EQ(pipe->AsyncIO(ivars->buffers[PIPE_IN], 512, action, 0), kIOReturnSuccess);
	EXPECT_EQ(pipe->ClearStall(true), kIOReturnSuccess); /* ends what is pending */
	EXPECT(Wait(2));
	EXPECT_EQ(ivars->recorded[1].status, kIOReturnAborted);
	EXPECT_EQ(pipe->AsyncIO(ivars->buffers[PIPE_IN], 512, action, 0), kIOReturnSuccess);
	EXPECT_EQ(ivars->interface->SelectAlternateSetting(1), kIOReturnSuccess);
	EXPECT(Wait(3));
	EXPECT_EQ(ivars->recorded[2].status, kIOReturnAborted);
	EXPECT(pipe->AsyncIO(ivars->buffers[PIPE_IN], 512, action, 0) != kIOReturnSuccess);
	EXPECT_EQ(ivars->interface->SelectAlternateSetting(0), kIOReturnSuccess);
	OSSafeReleaseNULL(action);
}
