/* SPDX-License-Identifier: MIT
 *
 * device_test - what goes wrong on Gadget Zero, and what a driver does to the whole device: errors of
 * every kind, many requests at once, reset, memory of the controller.
 */
#include "usb_calls.h"

enum { LOOPBACK = 2, SOURCE_SINK = 3, PIPE_IN = 0, PIPE_OUT = 1 };

#define IN_CONTROLLER 0x40000000u /* kOpenDextBufferInController */
#define BYTES	      65536u

static void expect_io(io_connect_t connect, uint64_t pipe, uint64_t bytes, IOReturn status,
		      uint64_t moved)
{
	struct done done = io(connect, pipe, bytes, WORLD_WAIT_MS);

	CHECK_EQ(done.status, status);
	CHECK_EQ(done.bytes, moved);
}

static void start_in(io_connect_t connect, IONotificationPortRef port, struct heard *heard,
		     uint64_t nr_requests)
{
	for (uint64_t tag = 0; tag < nr_requests; tag++) {
		const uint64_t input[] = {PIPE_IN, 1024, 0, tag};

		CHECK_EQ(world_async(connect, CONTRACT_USB_ASYNC, port, REFERENCE(heard_n, heard),
				     input, 4, NULL, 0),
			 kIOReturnSuccess);
	}
}

/* They ended in order, none with bytes. */
static void expect_all(const struct heard *heard, unsigned count, IOReturn status)
{
	for (unsigned i = 0; i < count; i++) {
		CHECK_EQ(heard->result[i], status);
		CHECK_EQ(heard->args[i][0], 0);
		CHECK_EQ(heard->args[i][1], i);
	}
}

/* ---- errors ---- */

/* A device that sends more than there is room for, which the source does with its whole packets. */
CONTRACT_WITH_DEVICE(device_overrun_halts_until_cleared, world_gadget_zero())
{
	io_connect_t connect = open_configured(SOURCE_SINK);

	CHECK_EQ(io(connect, PIPE_IN, 1000, WORLD_WAIT_MS).status, kIOReturnOverrun);
	CHECK_EQ(io(connect, PIPE_IN, 1024, WORLD_WAIT_MS).status, STALLED);
	expect_io(connect, PIPE_OUT, 1024, kIOReturnSuccess, 1024); /* the other one goes on */
	DO(connect, CONTRACT_USB_CLEAR, PIPE_IN, 1);
	expect_io(connect, PIPE_IN, 1024, kIOReturnSuccess, 1024);
	world_close(connect);
}

CONTRACT_WITH_DEVICE(device_stall_keeps_what_is_queued_for_clear_stall, world_gadget_zero())
{
	io_connect_t connect = open_configured(LOOPBACK);
	IONotificationPortRef port = IONotificationPortCreate(kIOMainPortDefault);
	struct heard heard = {0};

	start_in(connect, port, &heard, 8);
	DO(connect, CONTRACT_USB_STALL, 0x81);
	world_hear(port, &heard, 1);
	CHECK_EQ(heard.result[0], STALLED);
	CHECK_EQ(heard.args[0][1], 0);
	world_hear_nothing(port, &heard);
	DO(connect, CONTRACT_USB_CLEAR, PIPE_IN, 1);
	world_hear(port, &heard, 8);
	for (unsigned i = 1; i < 8; i++) {
		CHECK_EQ(heard.result[i], kIOReturnAborted);
		CHECK_EQ(heard.args[i][1], i);
	}
	expect_io(connect, PIPE_OUT, 1000, kIOReturnSuccess, 1000);
	expect_io(connect, PIPE_IN, 1024, kIOReturnSuccess, 1000);
	world_close(connect);
	IONotificationPortDestroy(port);
}

CONTRACT_WITH_DEVICE(device_timeout_leaves_the_pipe_usable, world_gadget_zero())
{
	io_connect_t connect = open_configured(LOOPBACK);

	for (unsigned round = 0; round < 3; round++) {
		struct done done = io(connect, PIPE_IN, 4096, 20);

		CHECK_EQ(done.status, kIOReturnTimeout);
		CHECK_EQ(done.bytes, 0);
	}
	expect_io(connect, PIPE_OUT, 1000, kIOReturnSuccess, 1000);
	expect_io(connect, PIPE_IN, 4096, kIOReturnSuccess, 1000);
	world_close(connect);
}

CONTRACT_WITH_DEVICE(device_abort_ends_sixty_in_order, world_gadget_zero())
{
	io_connect_t connect = open_configured(LOOPBACK);
	IONotificationPortRef port = IONotificationPortCreate(kIOMainPortDefault);

	for (uint64_t synchronous = 0; synchronous < 2; synchronous++) {
		struct heard heard = {0};

		start_in(connect, port, &heard, 60);
		DO(connect, CONTRACT_USB_ABORT, PIPE_IN, synchronous);
		world_hear(port, &heard, 60);
		expect_all(&heard, 60, kIOReturnAborted);
		world_hear_nothing(port, &heard);
	}
	expect_io(connect, PIPE_OUT, 1000, kIOReturnSuccess, 1000);
	expect_io(connect, PIPE_IN, 4096, kIOReturnSuccess, 1000);
	world_close(connect);
	IONotificationPortDestroy(port);
}

/* ---- reset ---- */

static bool is_another(void *argument)
{
	const uint64_t *old = argument;
	io_service_t service = IOServiceGetMatchingService(kIOMainPortDefault,
							   IOServiceNameMatching(CONTRACT_USB));
	bool is_new = service != IO_OBJECT_NULL && world_registry_id(service) != *old;

	if (service != IO_OBJECT_NULL) {
		(void)IOObjectRelease(service);
	}
	return is_new;
}

CONTRACT_WITH_DEVICE(device_reset_ends_everything_and_brings_a_new_one, world_gadget_zero())
{
	io_connect_t connect = open_configured(LOOPBACK);
	IONotificationPortRef port = IONotificationPortCreate(kIOMainPortDefault);
	struct heard heard = {0};
	io_service_t service = world_service(CONTRACT_USB);
	uint64_t old = world_registry_id(service);

	start_in(connect, port, &heard, 10);
	CHECK_EQ(world_call(connect, CONTRACT_USB_RESET, NULL, 0, NULL, 0), kIOReturnSuccess);
	world_hear(port, &heard, 10);
	expect_all(&heard, 10, kIOReturnAborted);
	CHECK(test_wait_until(is_another, &old, WORLD_WAIT_MS));
	CHECK_NE(TRY(connect, CONTRACT_USB_ABORT, PIPE_IN, 0), kIOReturnSuccess);
	world_close(connect);
	(void)IOObjectRelease(service);
	connect = open_configured(LOOPBACK);
	expect_io(connect, PIPE_OUT, 1000, kIOReturnSuccess, 1000);
	expect_io(connect, PIPE_IN, 4096, kIOReturnSuccess, 1000);
	world_close(connect);
	IONotificationPortDestroy(port);
}

/* ---- memory of the controller ---- */

static void replace_buffers(io_connect_t connect)
{
	DO(connect, CONTRACT_USB_REPLACE_BUFFER, PIPE_IN, IN_CONTROLLER, BYTES);
	DO(connect, CONTRACT_USB_REPLACE_BUFFER, PIPE_OUT, IN_CONTROLLER, BYTES);
}

/* Where there is no such memory it is a buffer like any other: a driver sees no difference. */
CONTRACT_WITH_DEVICE(device_buffers_in_the_controller_carry_data, world_gadget_zero())
{
	io_connect_t connect = open_configured(LOOPBACK);

	replace_buffers(connect);
	CHECK_EQ(GET(connect, CONTRACT_PEEK, CONTRACT_MEMORY_USB_IN, BYTES - 1), 0);
	for (uint64_t round = 1; round <= 3; round++) {
		DO(connect, CONTRACT_USB_FILL, PIPE_OUT, 0x50 + round);
		DO(connect, CONTRACT_POKE, CONTRACT_MEMORY_USB_OUT, 9998, round);
		expect_io(connect, PIPE_OUT, 9999, kIOReturnSuccess, 9999);
		expect_io(connect, PIPE_IN, BYTES, kIOReturnSuccess, 9999);
		CHECK_EQ(GET(connect, CONTRACT_PEEK, CONTRACT_MEMORY_USB_IN, 0), 0x50 + round);
		CHECK_EQ(GET(connect, CONTRACT_PEEK, CONTRACT_MEMORY_USB_IN, 9997), 0x50 + round);
		CHECK_EQ(GET(connect, CONTRACT_PEEK, CONTRACT_MEMORY_USB_IN, 9998), round);
		CHECK_EQ(GET(connect, CONTRACT_PEEK, CONTRACT_MEMORY_USB_IN, 9999), 0);
	}
	world_close(connect);
}
