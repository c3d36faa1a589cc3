/* SPDX-License-Identifier: MIT
 *
 * isoch_test - isochronous transfers through a driver: Gadget Zero's alternate setting 1, one
 * packet in a millisecond.
 */
#include "support/world.h"

enum { SOURCE_SINK = 3, IN = 0, OUT = 1, FRAMES = 32, EACH = 192 };

#define TOO_NEW kIOReturnIsoTooNew
#define TOO_OLD kIOReturnIsoTooOld

/* The driver's list: packed, 24 bytes an entry. */
struct frame {
	IOReturn status;
	uint32_t request_count;
	uint32_t complete_count;
	uint32_t reserved;
	uint64_t timestamp;
};

static struct frame frames[128];

static io_connect_t open_isochronous(void)
{
	io_connect_t connect = world_open_type(CONTRACT_USB, CONTRACT_OPEN);

	DO(connect, CONTRACT_USB_CONFIGURE, SOURCE_SINK);
	DO(connect, CONTRACT_USB_ALTERNATE, 1);
	return connect;
}

static IOReturn isoch(io_connect_t connect, uint64_t direction, uint64_t nr_frames, uint64_t each,
		      int64_t lead)
{
	const uint64_t input[] = {direction, nr_frames, each, (uint64_t)lead};
	uint64_t output[1] = {0};
	uint32_t nr_output = 1;
	size_t size = sizeof(frames);

	CHECK_EQ(IOConnectCallMethod(connect, CONTRACT_USB_ISOCH, input, 4, NULL, 0, output,
				     &nr_output, frames, &size),
		 kIOReturnSuccess);
	CHECK_EQ(size, nr_frames * sizeof(struct frame));
	return (IOReturn)output[0];
}

static kern_return_t start(io_connect_t connect, IONotificationPortRef port, struct heard *heard,
			   uint64_t direction, uint64_t nr_frames)
{
	const uint64_t input[] = {direction, nr_frames, EACH, 0};

	return world_async(connect, CONTRACT_USB_ISOCH_ASYNC, port, REFERENCE(heard_n, heard),
			   input, 4, NULL, 0);
}

static void check_frames(uint32_t nr_frames, uint32_t each)
{
	for (uint32_t i = 0; i < nr_frames; i++) {
		CHECK_EQ(frames[i].status, kIOReturnSuccess);
		CHECK_EQ(frames[i].request_count, each);
		CHECK_EQ(frames[i].complete_count, each);
		CHECK(i == 0 || frames[i].timestamp > frames[i - 1].timestamp);
	}
}

CONTRACT_WITH_DEVICE(isoch_in_brings_each_packet, world_isochronous())
{
	io_connect_t connect = open_isochronous();
	mach_vm_address_t address = 0;
	mach_vm_size_t size = 0;

	CHECK_EQ(IOConnectMapMemory64(connect, CONTRACT_MEMORY_USB_IN, mach_task_self(), &address,
				      &size, kIOMapAnywhere),
		 kIOReturnSuccess);
	memset((void *)(uintptr_t)address, 0xFF, FRAMES * EACH + 1);
	CHECK_EQ(isoch(connect, IN, FRAMES, EACH, 0), kIOReturnSuccess);
	check_frames(FRAMES, EACH);
	for (uint32_t i = 0; i < FRAMES * EACH; i++) {
		CHECK_EQ(((uint8_t *)(uintptr_t)address)[i], i % EACH % 63); /* packet by packet */
	}
	CHECK_EQ(((uint8_t *)(uintptr_t)address)[FRAMES * EACH], 0xFF);
	world_close(connect);
}

CONTRACT_WITH_DEVICE(isoch_out_takes_each_packet, world_isochronous())
{
	io_connect_t connect = open_isochronous();

	CHECK_EQ(isoch(connect, OUT, FRAMES, EACH, 0), kIOReturnSuccess);
	check_frames(FRAMES, EACH);
	CHECK_EQ(isoch(connect, OUT, 1, 0, 0), kIOReturnSuccess); /* an empty packet */
	check_frames(1, 0);
	world_close(connect);
}

/* Late is a matter of the machine; then the same is asked for again. */
CONTRACT_WITH_DEVICE(isoch_begins_at_the_frame_that_was_named, world_isochronous())
{
	io_connect_t connect = open_isochronous();
	IOReturn result = TOO_OLD;

	while (result == TOO_OLD) {
		result = isoch(connect, IN, 4, EACH, 200);
	}
	CHECK_EQ(result, kIOReturnSuccess);
	check_frames(4, EACH);
	world_close(connect);
}

CONTRACT_WITH_DEVICE(isoch_frames_too_old_and_too_new_are_refused, world_isochronous())
{
	io_connect_t connect = open_isochronous();

	CHECK_EQ(isoch(connect, IN, 4, EACH, -2), TOO_OLD);
	CHECK_EQ(frames[0].status, kIOReturnInvalid);
	CHECK_EQ(isoch(connect, OUT, 4, EACH, 1000000), TOO_NEW);
	CHECK_EQ(isoch(connect, IN, 4, EACH, 0), kIOReturnSuccess); /* the pipe is as it was */
	world_close(connect);
}

CONTRACT_WITH_DEVICE(isoch_transfers_that_complete_later, world_isochronous())
{
	io_connect_t connect = open_isochronous();
	IONotificationPortRef port = IONotificationPortCreate(kIOMainPortDefault);
	struct heard heard = {0};

	for (unsigned i = 0; i < 4; i++) {
		CHECK_EQ(start(connect, port, &heard, i % 2, 8), kIOReturnSuccess);
	}
	world_hear(port, &heard, 4);
	for (unsigned i = 0; i < 4; i++) {
		CHECK_EQ(heard.result[i], kIOReturnSuccess);
		CHECK_EQ(heard.args[i][0], 8 * EACH);
		CHECK_EQ(heard.args[i][1], 8);
	}
	world_close(connect);
	IONotificationPortDestroy(port);
}

CONTRACT_WITH_DEVICE(isoch_abort_ends_what_is_scheduled, world_isochronous())
{
	io_connect_t connect = open_isochronous();
	IONotificationPortRef port = IONotificationPortCreate(kIOMainPortDefault);
	struct heard heard = {0};

	/* The three last a second and a half together. */
	for (unsigned i = 0; i < 3; i++) {
		CHECK_EQ(start(connect, port, &heard, IN, 500), kIOReturnSuccess);
	}
	DO(connect, CONTRACT_USB_ISOCH_ABORT, IN);
	world_hear(port, &heard, 3);
	for (unsigned i = 0; i < 3; i++) {
		bool is_whole = heard.result[i] == kIOReturnSuccess;

		CHECK(is_whole || heard.result[i] == kIOReturnAborted);
		CHECK(!is_whole || heard.args[i][1] == 500);
		CHECK_EQ(heard.args[i][0], heard.args[i][1] * EACH);
	}
	CHECK_EQ(isoch(connect, IN, 4, EACH, 0), kIOReturnSuccess);
	world_close(connect);
	IONotificationPortDestroy(port);
}

CONTRACT_WITH_DEVICE(isoch_arguments_are_checked, world_isochronous())
{
	io_connect_t connect = open_isochronous();

	/* More bytes than the buffer has. */
	CHECK_EQ(isoch(connect, IN, 64, 8192, 0), kIOReturnBadArgument);
	DO(connect, CONTRACT_USB_ALTERNATE, 0); /* which has no such endpoint */
	CHECK_EQ(TRY(connect, CONTRACT_USB_ISOCH_ABORT, IN), kIOReturnNotFound);
	world_close(connect);
}

CONTRACT(isoch_unplug_ends_what_is_scheduled)
{
	uint64_t device = world_attach(world_isochronous());
	io_connect_t connect = open_isochronous();
	IONotificationPortRef port = IONotificationPortCreate(kIOMainPortDefault);
	struct heard heard = {0};

	CHECK_EQ(start(connect, port, &heard, IN, 512), kIOReturnSuccess);
	CHECK_EQ(start(connect, port, &heard, IN, 512), kIOReturnSuccess);
	world_detach(device);
	world_hear(port, &heard, 2);
	for (unsigned i = 0; i < 2; i++) {
		CHECK(heard.result[i] != kIOReturnSuccess || heard.args[i][1] == 512);
	}
	world_close(connect);
	IONotificationPortDestroy(port);
}
