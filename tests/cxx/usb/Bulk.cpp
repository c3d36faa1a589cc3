/* SPDX-License-Identifier: MIT
 *
 * Bulk - IOUSBHostPipe on bulk endpoints: transfers, abort, stall, bundles.
 */
#include "Test.hpp"

void IMPL(UsbProbeClient, Done)
{
	Record(action, status, actualByteCount);
	IOLockLock(ivars->lock);
	ivars->recorded[(ivars->nr_recorded - 1) % MAX_RECORDED].timestamp = completionTimestamp;
	bool again = ivars->resubmit > 0;
	ivars->resubmit -= again;
	IOLockUnlock(ivars->lock);
	if (again) {
		(void)ivars->pipes[PIPE_IN]->AsyncIO(ivars->buffers[PIPE_IN], 1024, action, 0);
	}
}

void UsbProbeClient::TestPipeState()
{
	EXPECT(Configure(LOOPBACK) && Open(0x81, 0x01));
	IOUSBHostPipe *pipe = ivars->pipes[PIPE_IN];
	IOUSBStandardEndpointDescriptors original = {}, current = {};
	uint32_t idle = 77;
	uint8_t speed = 0, same = 0, address = 0, device_address = 0;

	EXPECT_EQ(pipe->GetSpeed(&speed), kIOReturnSuccess);
	EXPECT(ivars->device->GetSpeed(&same) == kIOReturnSuccess && speed == same);
	EXPECT_EQ(pipe->GetDeviceAddress(&address), kIOReturnSuccess);
	EXPECT(ivars->device->GetAddress(&device_address) == kIOReturnSuccess &&
	       address == device_address);
	EXPECT_EQ(pipe->GetDescriptors(&original, kIOUSBGetEndpointDescriptorOriginal),
		  kIOReturnSuccess);
	EXPECT_EQ(pipe->GetDescriptors(&current, kIOUSBGetEndpointDescriptorCurrentPolicy),
		  kIOReturnSuccess);
	EXPECT(memcmp(&original, &current, sizeof(original)) == 0);
	EXPECT_EQ(original.descriptor.bEndpointAddress, 0x81);
	EXPECT_EQ(IOUSBGetEndpointType(&original.descriptor), kIOUSBEndpointTypeBulk);
	EXPECT_EQ(original.ssCompanionDescriptor.bLength,
		  (speed == kIOUSBHostConnectionSpeedSuper
			   ? kIOUSBDescriptorSizeSuperSpeedUSBEndpointCompanion
			   : 0));
	EXPECT_EQ(original.sspCompanionDescriptor.bLength, 0);
	EXPECT_EQ(pipe->AdjustPipe(&original), kIOReturnUnsupported); /* periodic ones only */
	EXPECT_EQ(pipe->GetIdlePolicy(&idle), kIOReturnSuccess);
	EXPECT_EQ(idle, 0);
	EXPECT_EQ(pipe->SetIdlePolicy(60), kIOReturnSuccess);
	EXPECT_EQ(pipe->GetIdlePolicy(&idle), kIOReturnSuccess);
	EXPECT_EQ(idle, 60);
	EXPECT_EQ(pipe->GetSpeed(nullptr), kIOReturnBadArgument);
	EXPECT_EQ(pipe->GetDeviceAddress(nullptr), kIOReturnBadArgument);
	EXPECT_EQ(pipe->GetDescriptors(nullptr, kIOUSBGetEndpointDescriptorOriginal),
		  kIOReturnBadArgument);
	EXPECT_EQ(pipe->GetIdlePolicy(nullptr), kIOReturnBadArgument);
	EXPECT_EQ(pipe->AdjustPipe(nullptr), kIOReturnBadArgument);
}

void UsbProbeClient::TestSynchronousIO()
{
	EXPECT(Configure(LOOPBACK) && Open(0x81, 0x01));
	IOUSBHostPipe *in = ivars->pipes[PIPE_IN];
	IOUSBHostPipe *out = ivars->pipes[PIPE_OUT];
	IOBufferMemoryDescriptor *to = ivars->buffers[PIPE_OUT];
	IOBufferMemoryDescriptor *from = ivars->buffers[PIPE_IN];
	uint32_t moved = 77;

	for (unsigned i = 0; i < 3000; i++) {
		ivars->bytes[PIPE_OUT][i] = static_cast<uint8_t>(i * 7);
	}
	memset(ivars->bytes[PIPE_IN], 0, BUFFER_BYTES);
	EXPECT_EQ(out->IO(to, 2999, &moved, 5000), kIOReturnSuccess);
	EXPECT_EQ(moved, 2999);
	EXPECT_EQ(in->IO(from, 4096, &moved, 5000), kIOReturnSuccess); /* ends with a short packet */
	EXPECT_EQ(moved, 2999);
	EXPECT(memcmp(ivars->bytes[PIPE_IN], ivars->bytes[PIPE_OUT], 2999) == 0);
	EXPECT_EQ(out->IO(to, 0, &moved, 5000), kIOReturnSuccess); /* a packet without data */
	EXPECT_EQ(moved, 0);
	EXPECT_EQ(in->IO(from, 1024, nullptr, 5000), kIOReturnSuccess);
	/* Nothing is there: a timeout, which does not halt. */
	EXPECT_EQ(in->IO(from, 1024, &moved, 20), kIOReturnTimeout);
	EXPECT_EQ(moved, 0);
	EXPECT_EQ(out->IO(to, 5, &moved, 5000), kIOReturnSuccess);
	EXPECT_EQ(in->IO(from, 1024, &moved, 5000), kIOReturnSuccess);
	EXPECT_EQ(moved, 5);
	EXPECT_EQ(in->IO(nullptr, 1024, &moved, 5000), kIOReturnBadArgument);
	EXPECT_EQ(in->IO(from, BUFFER_BYTES + 1, &moved, 5000), kIOReturnBadArgument);
}

void UsbProbeClient::TestAsynchronousIO()
{
	EXPECT(Configure(SOURCE_SINK) && Open(0x81, 0x01));
	IOUSBHostPipe *in = ivars->pipes[PIPE_IN];
	IOUSBHostPipe *out = ivars->pipes[PIPE_OUT];
	OSAction *actions[16] = {};
	uint64_t before = mach_absolute_time();
	uint32_t moved = 0;

	/* They complete in the order in which they were submitted, each with its own action. */
	for (unsigned i = 0; i < 16; i++) {
		EXPECT_EQ(CreateActionDone(sizeof(uint64_t), &actions[i]), kIOReturnSuccess);
		*TagOf(actions[i]) = i;
		EXPECT_EQ(in->AsyncIO(ivars->buffers[PIPE_IN], 1024 * (i + 1), actions[i], 0),
			  kIOReturnSuccess);
	}
	EXPECT(Wait(16));
	for (unsigned i = 0; i < 16; i++) {
		const Recorded *recorded = &ivars->recorded[i];
		EXPECT(recorded->tag == i && recorded->status == kIOReturnSuccess &&
		       recorded->bytes == 1024 * (i + 1));
		EXPECT(recorded->timestamp >= before && recorded->timestamp <= mach_absolute_time());
		before = recorded->timestamp;
	}
	/* One action for several, and again from its own completion. */
	Forget();
	IOLockLock(ivars->lock);
	ivars->resubmit = 9;
	IOLockUnlock(ivars->lock);
	EXPECT_EQ(in->AsyncIO(ivars->buffers[PIPE_IN], 1024, actions[0], 0), kIOReturnSuccess);
	EXPECT(Wait(10));
	EXPECT_EQ(ivars->nr_recorded, 10);
	/* What is refused never completes. */
	Forget();
	EXPECT_EQ(in->AsyncIO(ivars->buffers[PIPE_IN], 1024, nullptr, 0), kIOReturnBadArgument);
	EXPECT_EQ(in->AsyncIO(nullptr, 1024, actions[0], 0), kIOReturnBadArgument);
	EXPECT_EQ(in->AsyncIO(ivars->buffers[PIPE_IN], BUFFER_BYTES + 1, actions[0], 0),
		  kIOReturnBadArgument);
	EXPECT_EQ(out->IO(ivars->buffers[PIPE_IN], 0, &moved, 5000), kIOReturnSuccess);
	EXPECT_EQ(ivars->nr_recorded, 0);
	for (OSAction *action : actions) {
		action->release();
	}
}

void UsbProbeClient::TestAbort()
{
	EXPECT(Configure(LOOPBACK) && Open(0x81, 0x01));
	IOUSBHostPipe *in = ivars->pipes[PIPE_IN];
	OSAction *action = nullptr;
	uint32_t moved = 0;

	EXPECT_EQ(CreateActionDone(sizeof(uint64_t), &action), kIOReturnSuccess);
	for (unsigned i = 0; i < 4; i++) {
		EXPECT_EQ(in->AsyncIO(ivars->buffers[PIPE_IN], 1024, action, 0), kIOReturnSuccess);
	}
	EXPECT_EQ(in->Abort(kIOUSBAbortAsynchronous, kIOReturnAborted, nullptr), kIOReturnSuccess);
	EXPECT(Wait(4));
	for (unsigned i = 0; i < 4; i++) {
		EXPECT_EQ(ivars->recorded[i].status, kIOReturnAborted);
	}
	/* With a code of the driver's choice. */
	Forget();
	EXPECT_EQ(in->AsyncIO(ivars->buffers[PIPE_IN], 1024, action, 0), kIOReturnSuccess);
	EXPECT_EQ(in->Abort(kIOUSBAbortSynchronous, kIOReturnNotReady, this), kIOReturnSuccess);
	EXPECT(Wait(1));
	EXPECT_EQ(ivars->recorded[0].status, kIOReturnNotReady);
	EXPECT_EQ(in->Abort(77, kIOReturnAborted, nullptr), kIOReturnBadArgument);
	/* It is usable afterwards. */
	EXPECT_EQ(ivars->pipes[PIPE_OUT]->IO(ivars->buffers[PIPE_OUT], 9, &moved, 5000),
		  kIOReturnSuccess);
	EXPECT_EQ(in->IO(ivars->buffers[PIPE_IN], 1024, &moved, 5000), kIOReturnSuccess);
	EXPECT_EQ(moved, 9);
	/* Close delivers what was pending. */
	Forget();
	EXPECT_EQ(in->AsyncIO(ivars->buffers[PIPE_IN], 1024, action, 0), kIOReturnSuccess);
	Shut();
	EXPECT(Wait(1));
	EXPECT_EQ(ivars->recorded[0].status, kIOReturnAborted);
	OSSafeReleaseNULL(action);
}

void UsbProbeClient::TestStall()
{
	EXPECT(Configure(SOURCE_SINK) && Open(0x81, 0x01));
	IOUSBHostPipe *in = ivars->pipes[PIPE_IN];
	IOBufferMemoryDescriptor *buffer = ivars->buffers[PIPE_IN];
	const uint8_t set =
		kIOUSBDeviceRequestDirectionOut | kIOUSBDeviceRequestRecipientEndpoint;
	uint32_t moved = 77;

	EXPECT_EQ(in->IO(buffer, 1024, &moved, 5000), kIOReturnSuccess);
	EXPECT_EQ(ivars->interface->DeviceRequest(set, kIOUSBDeviceRequestSetFeature,
						  IOUSBEndpointFeatureSelectorStall, 0x81, 0,
						  nullptr, nullptr, 5000),
		  kIOReturnSuccess);
	EXPECT_EQ(in->IO(buffer, 1024, &moved, 5000), kUSBHostReturnPipeStalled);
	EXPECT_EQ(moved, 0);
	EXPECT_EQ(in->IO(buffer, 1024, &moved, 5000), kUSBHostReturnPipeStalled);
	/* Here alone: the device still is. */
	EXPECT_EQ(in->ClearStall(false), kIOReturnSuccess);
	EXPECT_EQ(in->IO(buffer, 1024, &moved, 5000), kUSBHostReturnPipeStalled);
	EXPECT_EQ(in->ClearStall(true), kIOReturnSuccess);
	EXPECT_EQ(in->IO(buffer, 1024, &moved, 5000), kIOReturnSuccess);
	EXPECT_EQ(moved, 1024);
}

/* --- bundles --------------------------------------------------------------------------------- */

enum { RING = 8 };

/* The tag counts on over the entries of the ring. */
void IMPL(UsbProbeClient, BundleDone)
{
	for (uint32_t i = 0; i < ioCompletionCount; i++) {
		bool whole = actualByteCountArrayCount == static_cast<int>(ioCompletionCount) &&
			     statusArrayCount == static_cast<int>(ioCompletionCount);

		*TagOf(action) = (ioCompletionIndex + i) % RING;
		Record(action, whole ? statusArray[i] : kIOReturnInternalError,
		       actualByteCountArray[i]);
	}
}

void UsbProbeClient::TestBundles()
{
	EXPECT(Configure(SOURCE_SINK) && Open(0x81, 0x01));
	IOUSBHostPipe *in = ivars->pipes[PIPE_IN];
	OSAction *action = nullptr;
	uint32_t lengths[kIOUSBHostPipeBundlingMax];
	uint32_t accepted = 0;

	for (unsigned i = 0; i < kIOUSBHostPipeBundlingMax; i++) {
		lengths[i] = 1024 * (1 + i % RING);
	}
	EXPECT_EQ(CreateActionBundleDone(sizeof(uint64_t), &action), kIOReturnSuccess);
	EXPECT_EQ(in->CreateMemoryDescriptorRing(RING), kIOReturnSuccess);
	for (uint32_t i = 0; i < RING; i++) {
		EXPECT_EQ(in->SetMemoryDescriptor(ivars->buffers[PIPE_IN], i), kIOReturnSuccess);
	}
	EXPECT_EQ(in->AsyncIOBundled(0, RING, &accepted, lengths, RING, action, 0),
		  kIOReturnSuccess);
	EXPECT_EQ(accepted, RING);
	EXPECT(Wait(RING));
	for (unsigned i = 0; i < RING; i++) {
		EXPECT(ivars->recorded[i].tag == i &&
		       ivars->recorded[i].status == kIOReturnSuccess &&
		       ivars->recorded[i].bytes == lengths[i]);
	}
	/* Over the end of the ring. */
	Forget();
	EXPECT_EQ(in->AsyncIOBundled(RING - 2, 4, &accepted, lengths, 4, action, 0),
		  kIOReturnSuccess);
	EXPECT_EQ(accepted, 4);
	EXPECT(Wait(4));
	for (unsigned i = 0; i < 4; i++) {
		EXPECT_EQ(ivars->recorded[i].tag, (RING - 2 + i) % RING);
	}
	OSSafeReleaseNULL(action);
}

void UsbProbeClient::TestBundleRefusals()
{
	EXPECT(Configure(SOURCE_SINK) && Open(0x81, 0x01));
	IOUSBHostPipe *in = ivars->pipes[PIPE_IN];
	IOBufferMemoryDescriptor *buffer = ivars->buffers[PIPE_IN];
	OSAction *action = nullptr;
	const uint32_t lengths[kIOUSBHostPipeBundlingMax] = {1024, 1024};
	uint32_t accepted = 0;

	EXPECT_EQ(CreateActionBundleDone(sizeof(uint64_t), &action), kIOReturnSuccess);
	EXPECT(in->AsyncIOBundled(0, 1, &accepted, lengths, 1, action, 0) != kIOReturnSuccess);
	EXPECT(in->SetMemoryDescriptor(buffer, 0) != kIOReturnSuccess); /* no ring yet */
	EXPECT_EQ(in->CreateMemoryDescriptorRing(0), kIOReturnBadArgument);
	EXPECT_EQ(in->CreateMemoryDescriptorRing(RING), kIOReturnSuccess);
	EXPECT(in->CreateMemoryDescriptorRing(RING) != kIOReturnSuccess); /* once per pipe */
	EXPECT_EQ(in->SetMemoryDescriptor(nullptr, 0), kIOReturnBadArgument);
	EXPECT_EQ(in->SetMemoryDescriptor(buffer, RING), kIOReturnBadArgument);
	EXPECT_EQ(in->SetMemoryDescriptor(buffer, 0), kIOReturnSuccess);
	/* The second place is empty: the first entry is accepted all the same, and completes. */
	EXPECT(in->AsyncIOBundled(0, 2, &accepted, lengths, 2, action, 0) != kIOReturnSuccess);
	EXPECT_EQ(accepted, 1);
	EXPECT(Wait(1));
	accepted = 77;
	EXPECT_EQ(in->AsyncIOBundled(0, 1, &accepted, lengths, 2, action, 0), kIOReturnBadArgument);
	EXPECT_EQ(accepted, 0);
	EXPECT_EQ(in->AsyncIOBundled(0, 1, nullptr, lengths, 1, action, 0), kIOReturnBadArgument);
	EXPECT_EQ(in->AsyncIOBundled(0, 1, &accepted, lengths, 1, nullptr, 0), kIOReturnBadArgument);
	EXPECT_EQ(in->AsyncIOBundled(0, 0, &accepted, lengths, 0, action, 0), kIOReturnBadArgument);
	EXPECT_EQ(in->AsyncIOBundled(RING, 1, &accepted, lengths, 1, action, 0),
		  kIOReturnBadArgument);
	EXPECT_EQ(accepted, 0);
	OSSafeReleaseNULL(action);
}
