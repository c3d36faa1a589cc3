/* SPDX-License-Identifier: MIT
 *
 * usb_test - a driver and its device: Gadget Zero as source, sink and loopback, and what goes
 * wrong.
 */
#include "usb_calls.h"

enum { LOOPBACK = 2, SOURCE_SINK = 3, PIPE_IN = 0, PIPE_OUT = 1 };

#define SUPER   "virtual:gadget-zero,speed=super"
#define MAX     CONTRACT_USB_BUFFER_BYTES

static void expect_io(io_connect_t connect, uint64_t pipe, uint64_t bytes, uint64_t timeout_ms,
		      IOReturn status, uint64_t moved)
{
	struct done done = io(connect, pipe, bytes, timeout_ms);

	CHECK_EQ(done.status, status);
	CHECK_EQ(done.bytes, moved);
}

static kern_return_t start(io_connect_t connect, IONotificationPortRef port, struct heard *heard,
			   uint64_t pipe, uint64_t bytes, uint64_t timeout_ms, uint64_t tag)
{
	const uint64_t input[] = {pipe, bytes, timeout_ms, tag};

	return world_async(connect, CONTRACT_USB_ASYNC, port, REFERENCE(heard_n, heard), input, 4,
			   NULL, 0);
}

static uint8_t *map_buffer(io_connect_t connect, uint64_t pipe)
{
	mach_vm_address_t address = 0;
	mach_vm_size_t size = 0;

	CHECK_EQ(IOConnectMapMemory64(connect, CONTRACT_MEMORY_USB_IN + (uint32_t)pipe,
				      mach_task_self(), &address, &size, kIOMapAnywhere),
		 kIOReturnSuccess);
	CHECK_EQ(size, MAX);
	return (uint8_t *)(uintptr_t)address;
}

CONTRACT_WITH_DEVICE(usb_source_and_sink, world_gadget_zero())
{
	io_connect_t connect = open_configured(SOURCE_SINK);
	uint8_t *in = map_buffer(connect, PIPE_IN);

	memset(in, 0xff, MAX);
	expect_io(connect, PIPE_IN, MAX, 0, kIOReturnSuccess, MAX);
	for (unsigned i = 0; i < MAX; i += 511) {
		CHECK_EQ(in[i], 0); /* pattern 0 */
	}
	DO(connect, CONTRACT_USB_FILL, PIPE_OUT, 0);
	expect_io(connect, PIPE_OUT, MAX, 0, kIOReturnSuccess, MAX);
	expect_io(connect, PIPE_OUT, 1, 0, kIOReturnSuccess, 1);
	expect_io(connect, PIPE_OUT, 0, 0, kIOReturnSuccess, 0);
	world_close(connect);
}

CONTRACT_WITH_DEVICE(usb_source_pattern_and_sink_check, SUPER ",pattern=1")
{
	io_connect_t connect = open_configured(SOURCE_SINK);
	uint8_t *in = map_buffer(connect, PIPE_IN);
	uint8_t *out = map_buffer(connect, PIPE_OUT);

	expect_io(connect, PIPE_IN, 4096, 0, kIOReturnSuccess, 4096);
	for (unsigned i = 0; i < 4096; i++) {
		CHECK_EQ(in[i], i % 1024 % 63); /* restarts with each packet */
		out[i] = in[i];
	}
	expect_io(connect, PIPE_OUT, 4096, 0, kIOReturnSuccess, 4096);
	out[2000] ^= 1; /* the sink looks, and halts behind what it has taken */
	expect_io(connect, PIPE_OUT, 4096, 0, kIOReturnSuccess, 4096);
	CHECK_EQ(io(connect, PIPE_OUT, 4096, 0).status, STALLED);
	world_close(connect);
}

CONTRACT_WITH_DEVICE(usb_loopback_returns_the_applications_bytes, world_gadget_zero())
{
	io_connect_t connect = open_configured(LOOPBACK);
	uint8_t *in = map_buffer(connect, PIPE_IN);
	uint8_t *out = map_buffer(connect, PIPE_OUT);

	for (unsigned round = 0; round < 4; round++) {
		uint64_t bytes = 1000u << (2 * round);

		for (unsigned i = 0; i < bytes; i++) {
			out[i] = (uint8_t)(i * 31 + round);
		}
		memset(in, 0, bytes);
		expect_io(connect, PIPE_OUT, bytes, WORLD_WAIT_MS, kIOReturnSuccess, bytes);
		expect_io(connect, PIPE_IN, bytes, WORLD_WAIT_MS, kIOReturnSuccess, bytes);
		CHECK_MEM_EQ(in, out, bytes);
	}
	world_close(connect);
}

CONTRACT_WITH_DEVICE(usb_short_packet_is_success, world_gadget_zero())
{
	io_connect_t connect = open_configured(LOOPBACK);

	expect_io(connect, PIPE_OUT, 100, WORLD_WAIT_MS, kIOReturnSuccess, 100);
	expect_io(connect, PIPE_IN, 4096, WORLD_WAIT_MS, kIOReturnSuccess, 100);
	world_close(connect);
}

CONTRACT_WITH_DEVICE(usb_timeout_tells_what_was_moved, world_gadget_zero())
{
	io_connect_t connect = open_configured(LOOPBACK);

	expect_io(connect, PIPE_IN, 4096, 20, kIOReturnTimeout, 0);
	expect_io(connect, PIPE_OUT, 1024, WORLD_WAIT_MS, kIOReturnSuccess, 1024);
	expect_io(connect, PIPE_IN, 4096, 20, kIOReturnTimeout, 1024);
	/* The pipe goes on. */
	expect_io(connect, PIPE_OUT, 1000, WORLD_WAIT_MS, kIOReturnSuccess, 1000);
	expect_io(connect, PIPE_IN, 4096, WORLD_WAIT_MS, kIOReturnSuccess, 1000);
	world_close(connect);
}

CONTRACT_WITH_DEVICE(usb_async_completes_once_in_order, world_gadget_zero())
{
	io_connect_t connect = open_configured(SOURCE_SINK);
	IONotificationPortRef port = IONotificationPortCreate(kIOMainPortDefault);
	struct heard heard = {0};
	uint64_t last_time = 0;

	for (uint64_t tag = 0; tag < 60; tag++) {
		CHECK_EQ(start(connect, port, &heard, PIPE_IN, 1024 * (tag % 5 + 1), 0, tag),
			 kIOReturnSuccess);
	}
	world_hear(port, &heard, 60);
	for (unsigned i = 0; i < 60; i++) {
		CHECK_EQ(heard.result[i], kIOReturnSuccess);
		CHECK_EQ(heard.args[i][0], 1024 * (i % 5 + 1));
		CHECK_EQ(heard.args[i][1], i);
		CHECK_GE(heard.args[i][2], last_time);
		last_time = heard.args[i][2];
	}
	CHECK_NE(last_time, 0);
	world_hear_nothing(port, &heard);
	world_close(connect);
	IONotificationPortDestroy(port);
}

CONTRACT_WITH_DEVICE(usb_async_loopback_both_ways, world_gadget_zero())
{
	io_connect_t connect = open_configured(LOOPBACK);
	IONotificationPortRef port = IONotificationPortCreate(kIOMainPortDefault);
	struct heard heard = {0};

	CHECK_EQ(start(connect, port, &heard, PIPE_IN, 2048, 0, 1), kIOReturnSuccess);
	CHECK_EQ(start(connect, port, &heard, PIPE_OUT, 2048, 0, 2), kIOReturnSuccess);
	world_hear(port, &heard, 2);
	CHECK_EQ(heard.args[0][1] + heard.args[1][1], 3);
	CHECK_EQ(heard.args[0][0], 2048);
	CHECK_EQ(heard.args[1][0], 2048);
	world_close(connect);
	IONotificationPortDestroy(port);
}

static void check_abort(io_connect_t connect, uint64_t synchronous)
{
	IONotificationPortRef port = IONotificationPortCreate(kIOMainPortDefault);
	struct heard heard = {0};

	for (uint64_t tag = 0; tag < 5; tag++) {
		CHECK_EQ(start(connect, port, &heard, PIPE_IN, 1024, 0, tag), kIOReturnSuccess);
	}
	world_hear_nothing(port, &heard);
	DO(connect, CONTRACT_USB_ABORT, PIPE_IN, synchronous);
	world_hear(port, &heard, 5);
	for (unsigned i = 0; i < 5; i++) {
		CHECK_EQ(heard.result[i], kIOReturnAborted);
		CHECK_EQ(heard.args[i][0], 0);
		CHECK_EQ(heard.args[i][1], i);
	}
	/* The pipe is usable. */
	expect_io(connect, PIPE_OUT, 100, WORLD_WAIT_MS, kIOReturnSuccess, 100);
	expect_io(connect, PIPE_IN, 1024, WORLD_WAIT_MS, kIOReturnSuccess, 100);
	IONotificationPortDestroy(port);
}

CONTRACT_WITH_DEVICE(usb_abort, world_gadget_zero())
{
	io_connect_t connect = open_configured(LOOPBACK);

	check_abort(connect, 1);
	check_abort(connect, 0);
	world_close(connect);
}

CONTRACT_WITH_DEVICE(usb_close_of_the_interface_aborts, world_gadget_zero())
{
	io_connect_t connect = open_configured(LOOPBACK);
	IONotificationPortRef port = IONotificationPortCreate(kIOMainPortDefault);
	struct heard heard = {0};

	CHECK_EQ(start(connect, port, &heard, PIPE_IN, 1024, 0, 1), kIOReturnSuccess);
	DO(connect, CONTRACT_USB_CLOSE);
	world_hear(port, &heard, 1);
	CHECK_EQ(heard.result[0], kIOReturnAborted);
	DO(connect, CONTRACT_USB_CONFIGURE, SOURCE_SINK);
	expect_io(connect, PIPE_IN, 1024, 0, kIOReturnSuccess, 1024);
	world_close(connect);
	IONotificationPortDestroy(port);
}

CONTRACT_WITH_DEVICE(usb_stall_and_clear, world_gadget_zero())
{
	io_connect_t connect = open_configured(SOURCE_SINK);

	DO(connect, CONTRACT_USB_STALL, 0x81);
	CHECK_EQ(io(connect, PIPE_IN, 1024, WORLD_WAIT_MS).status, STALLED);
	CHECK_EQ(io(connect, PIPE_IN, 1024, WORLD_WAIT_MS).status,
		 STALLED); /* until it is cleared */
	expect_io(connect, PIPE_OUT, 1024, WORLD_WAIT_MS, kIOReturnSuccess,
		  1024); /* the other one goes on */
	DO(connect, CONTRACT_USB_CLEAR, PIPE_IN, 1);
	expect_io(connect, PIPE_IN, 1024, WORLD_WAIT_MS, kIOReturnSuccess, 1024);
	world_close(connect);
}

CONTRACT_WITH_DEVICE(usb_clear_without_request_leaves_the_device_halted, world_gadget_zero())
{
	io_connect_t connect = open_configured(SOURCE_SINK);

	DO(connect, CONTRACT_USB_STALL, 0x81);
	CHECK_EQ(io(connect, PIPE_IN, 1024, WORLD_WAIT_MS).status, STALLED);
	DO(connect, CONTRACT_USB_CLEAR, PIPE_IN, 0);
	CHECK_EQ(io(connect, PIPE_IN, 1024, WORLD_WAIT_MS).status, STALLED);
	DO(connect, CONTRACT_USB_CLEAR, PIPE_IN, 1);
	expect_io(connect, PIPE_IN, 1024, WORLD_WAIT_MS, kIOReturnSuccess, 1024);
	world_close(connect);
}

CONTRACT_WITH_DEVICE(usb_injected_stall, SUPER ",stall-after=3")
{
	io_connect_t connect = open_configured(SOURCE_SINK);

	for (unsigned i = 0; i < 3; i++) {
		expect_io(connect, PIPE_IN, 1024, WORLD_WAIT_MS, kIOReturnSuccess, 1024);
	}
	CHECK_EQ(io(connect, PIPE_IN, 1024, WORLD_WAIT_MS).status, STALLED);
	DO(connect, CONTRACT_USB_CLEAR, PIPE_IN, 1);
	expect_io(connect, PIPE_IN, 1024, WORLD_WAIT_MS, kIOReturnSuccess, 1024);
	world_close(connect);
}

CONTRACT_WITH_DEVICE(usb_babble_is_overrun, SUPER ",babble-after=1")
{
	io_connect_t connect = open_configured(SOURCE_SINK);

	expect_io(connect, PIPE_IN, 1024, WORLD_WAIT_MS, kIOReturnSuccess, 1024);
	CHECK_EQ(io(connect, PIPE_IN, 1024, WORLD_WAIT_MS).status, kIOReturnOverrun);
	world_close(connect);
}

CONTRACT_WITH_DEVICE(usb_control_requests, world_gadget_zero())
{
	io_connect_t connect = open_configured(SOURCE_SINK);
	const uint64_t get_device[] = {0x80, 6, 0x0100, 0, 18};
	const uint64_t get_short[] = {0x80, 6, 0x0100, 0, 64};
	const uint64_t unknown[] = {0xc0, 0x77, 0, 0, 4};
	uint64_t output[2] = {0};
	uint32_t nr_output = 2;
	uint8_t bytes[64];
	size_t size = sizeof(bytes);

	CHECK_EQ(IOConnectCallMethod(connect, CONTRACT_USB_CONTROL, get_device, 5, NULL, 0, output,
				     &nr_output, bytes, &size),
		 kIOReturnSuccess);
	CHECK_EQ(output[0], kIOReturnSuccess);
	CHECK_EQ(output[1], 18);
	CHECK_EQ(bytes[0], 18);
	CHECK_EQ(bytes[8] | bytes[9] << 8, 0x0525);
	CHECK_EQ(world_call(connect, CONTRACT_USB_CONTROL, get_short, 5, output, 2),
		 kIOReturnSuccess);
	CHECK_EQ(output[0], kIOReturnSuccess);
	CHECK_EQ(output[1], 18);
	CHECK_EQ(world_call(connect, CONTRACT_USB_CONTROL, unknown, 5, output, 2),
		 kIOReturnSuccess);
	CHECK_EQ((IOReturn)output[0], STALLED);
	/* The control pipe is not halted by that. */
	CHECK_EQ(world_call(connect, CONTRACT_USB_CONTROL, get_device, 5, output, 2),
		 kIOReturnSuccess);
	CHECK_EQ(output[0], kIOReturnSuccess);
	world_close(connect);
}

CONTRACT_WITH_DEVICE(usb_control_request_that_completes_later, world_gadget_zero())
{
	io_connect_t connect = open_configured(SOURCE_SINK);
	IONotificationPortRef port = IONotificationPortCreate(kIOMainPortDefault);
	struct heard heard = {0};
	const uint64_t get_configuration[] = {0x80, 8, 0, 0, 1};

	CHECK_EQ(world_async(connect, CONTRACT_USB_CONTROL_ASYNC, port, REFERENCE(heard_n, &heard),
			     get_configuration, 5, NULL, 0),
		 kIOReturnSuccess);
	world_hear(port, &heard, 1);
	CHECK_EQ(heard.result[0], kIOReturnSuccess);
	CHECK_EQ(heard.args[0][0], 1);
	CHECK_EQ(GET(connect, CONTRACT_PEEK, CONTRACT_MEMORY_USB_IN, 0), SOURCE_SINK);
	world_close(connect);
	IONotificationPortDestroy(port);
}

CONTRACT_WITH_DEVICE(usb_set_configuration_back_and_forth, world_gadget_zero())
{
	io_connect_t connect = open_configured(SOURCE_SINK);

	expect_io(connect, PIPE_IN, 1024, WORLD_WAIT_MS, kIOReturnSuccess, 1024);
	DO(connect, CONTRACT_USB_CONFIGURE, LOOPBACK);
	expect_io(connect, PIPE_OUT, 10, WORLD_WAIT_MS, kIOReturnSuccess, 10);
	expect_io(connect, PIPE_IN, 1024, WORLD_WAIT_MS, kIOReturnSuccess, 10);
	DO(connect, CONTRACT_USB_CONFIGURE, SOURCE_SINK);
	expect_io(connect, PIPE_IN, 1024, WORLD_WAIT_MS, kIOReturnSuccess, 1024);
	CHECK_EQ(GET(connect, CONTRACT_USB_NR_INTERFACES), 1);
	CHECK_NE(TRY(connect, CONTRACT_USB_CONFIGURE, 77), kIOReturnSuccess);
	world_close(connect);
}

CONTRACT_WITH_DEVICE(usb_alternate_settings, world_gadget_zero())
{
	io_connect_t connect = open_configured(SOURCE_SINK);
	IONotificationPortRef port = IONotificationPortCreate(kIOMainPortDefault);

	DO(connect, CONTRACT_USB_ALTERNATE, 1);
	expect_io(connect, PIPE_IN, 1024, WORLD_WAIT_MS, kIOReturnSuccess, 1024);
	DO(connect, CONTRACT_USB_ALTERNATE, 0);
	expect_io(connect, PIPE_IN, 1024, WORLD_WAIT_MS, kIOReturnSuccess, 1024);
	CHECK_NE(TRY(connect, CONTRACT_USB_ALTERNATE, 5), kIOReturnSuccess);
	world_close(connect);
	IONotificationPortDestroy(port);
}

CONTRACT_WITH_DEVICE(usb_checks_inside_the_driver, world_gadget_zero())
{
	io_connect_t connect = open_configured(SOURCE_SINK);

	world_run_inside(connect, CONTRACT_USB_TEST);
	world_close(connect);
}

CONTRACT_WITH_DEVICE(usb_second_client_of_the_interface_is_refused, world_gadget_zero())
{
	io_connect_t connect = open_configured(SOURCE_SINK);
	io_connect_t second = world_open_type(CONTRACT_USB, CONTRACT_OPEN);

	CHECK_EQ(TRY(second, CONTRACT_USB_CONFIGURE, 0), kIOReturnExclusiveAccess);
	expect_io(connect, PIPE_IN, 1024, WORLD_WAIT_MS, kIOReturnSuccess, 1024);
	world_close(connect);
	world_close(second);
}

CONTRACT(usb_packet_sizes_of_every_speed)
{
	static const struct {
		const char *spec;
		uint64_t speed;
		uint64_t packet;
	} rows[] = {
		{"virtual:gadget-zero,speed=full", 1, 64},
		{"virtual:gadget-zero,speed=high", 3, 512},
		{"virtual:gadget-zero,speed=super", 4, 1024},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint64_t device = world_attach(rows[i].spec);
		io_connect_t connect = open_configured(LOOPBACK);
		uint64_t output[2] = {0};

		CHECK_EQ(world_call(connect, CONTRACT_USB_SPEED, NULL, 0, output, 2),
			 kIOReturnSuccess);
		CHECK_EQ(output[0], rows[i].speed);
		CHECK_EQ(output[1], rows[i].packet);
		/* A full packet does not end an IN transfer, one that is shorter does. */
		expect_io(connect, PIPE_OUT, rows[i].packet + 3, WORLD_WAIT_MS, kIOReturnSuccess,
			  rows[i].packet + 3);
		expect_io(connect, PIPE_IN, 4 * rows[i].packet, WORLD_WAIT_MS, kIOReturnSuccess,
			  rows[i].packet + 3);
		world_close(connect);
		world_detach(device);
		world_wait_gone(CONTRACT_USB);
	}
}

CONTRACT_WITH_DEVICE(usb_bundles_complete_each_entry, world_gadget_zero())
{
	io_connect_t connect = open_configured(SOURCE_SINK);
	IONotificationPortRef port = IONotificationPortCreate(kIOMainPortDefault);
	struct heard heard = {0};
	const uint64_t input[] = {PIPE_IN, 8, 2048};

	for (unsigned round = 1; round <= 3; round++) {
		CHECK_EQ(world_async(connect, CONTRACT_USB_BUNDLE, port, REFERENCE(heard_n, &heard),
				     input, 3, NULL, 0),
			 kIOReturnSuccess);
		world_hear(port, &heard, 8 * round);
		for (unsigned i = 8 * (round - 1); i < 8 * round; i++) {
			CHECK_EQ(heard.result[i], kIOReturnSuccess);
			CHECK_EQ(heard.args[i][0], 2048);
			CHECK_EQ(heard.args[i][1], i % 8);
		}
	}
	world_close(connect);
	IONotificationPortDestroy(port);
}

CONTRACT(usb_unplug_completes_what_is_pending)
{
	uint64_t device = world_attach(world_gadget_zero());
	io_connect_t connect = open_configured(LOOPBACK);
	IONotificationPortRef port = IONotificationPortCreate(kIOMainPortDefault);
	struct heard heard = {0};

	for (uint64_t tag = 0; tag < 10; tag++) {
		CHECK_EQ(start(connect, port, &heard, PIPE_IN, 1024, 0, tag), kIOReturnSuccess);
	}
	world_detach(device);
	world_hear(port, &heard, 10);
	for (unsigned i = 0; i < 10; i++) {
		CHECK(heard.result[i] == kIOReturnNotResponding ||
		      heard.result[i] == kIOReturnAborted);
		CHECK_EQ(heard.args[i][1], i);
	}
	world_wait_gone(CONTRACT_USB);
	CHECK_NE(TRY(connect, CONTRACT_USB_ABORT, PIPE_IN, 0), kIOReturnSuccess);
	world_close(connect);
	/* The next one is a new device. */
	(void)world_attach(world_gadget_zero());
	connect = open_configured(LOOPBACK);
	expect_io(connect, PIPE_OUT, 10, WORLD_WAIT_MS, kIOReturnSuccess, 10);
	world_close(connect);
	IONotificationPortDestroy(port);
}

CONTRACT_WITH_DEVICE(usb_device_that_leaves_by_itself, SUPER ",disconnect-after=5")
{
	io_connect_t connect = open_configured(SOURCE_SINK);
	IONotificationPortRef port = IONotificationPortCreate(kIOMainPortDefault);
	struct heard heard = {0};
	unsigned nr_started = 0;

	while (nr_started < 12 &&
	       start(connect, port, &heard, PIPE_IN, 1024, 0, nr_started) == kIOReturnSuccess) {
		nr_started++;
	}
	world_wait_gone(CONTRACT_USB);
	world_hear(port, &heard, nr_started);
	for (unsigned i = 0; i < nr_started; i++) {
		CHECK_EQ(heard.args[i][1], i);
	}
	world_close(connect);
	IONotificationPortDestroy(port);
}

CONTRACT(usb_specs_that_do_not_parse)
{
	static const struct {
		const char *spec;
		const char *said; /* what the message must name */
	} rows[] = {
		{"", "device"},
		{"nonsense", "nonsense"},
		{"virtual:", "virtual:"},
		{"virtual:no-such-model", "no-such-model"},
		{"virtual:gadget-zero,speed=warp", "speed"},
		{"virtual:gadget-zero,sped=high", "sped"},
		{"virtual:gadget-zero,pattern=9", "pattern"},
		{"virtual:gadget-zero,speed=high,speed=full", "speed"},
		{"virtual:gadget-zero,speed", "speed"},
		{"file:/no/such/file.device", "/no/such/file.device"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char message[512] = "";

		CHECK(!world_try_attach(rows[i].spec, message, sizeof(message)));
		if (strstr(message, rows[i].said) == NULL || strchr(message, '\n') != NULL) {
			FAIL("%s: \"%s\"", rows[i].spec, message);
		}
	}
	world_close(world_open());
}
