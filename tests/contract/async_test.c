/* SPDX-License-Identifier: MIT
 *
 * async_test - completions: how many, in which order, to which callback, by run loop or by poll.
 */
#include <poll.h>

#include "support/world.h"

/* Fires completion index once or more often: arguments are base, base + 1, ... */
static void fire(io_connect_t connect, uint64_t index, IOReturn status, uint64_t nr_args,
		 uint64_t times, uint64_t base)
{
	DO(connect, CONTRACT_FIRE, index, (uint32_t)status, nr_args, times, base);
}

CONTRACT(async_number_of_arguments_decides_the_callback)
{
	io_connect_t connect = world_open();
	IONotificationPortRef port = IONotificationPortCreate(kIOMainPortDefault);
	struct heard heard = {0};

	fire(connect, world_keep(connect, port, REFERENCE(heard_0, &heard)), kIOReturnSuccess, 0, 1,
	     5);
	world_hear(port, &heard, 1);
	CHECK_EQ(heard.nr_args[0], 0);
	fire(connect, world_keep(connect, port, REFERENCE(heard_1, &heard)), kIOReturnNoSpace, 1, 1,
	     5);
	world_hear(port, &heard, 2);
	CHECK_EQ(heard.result[1], kIOReturnNoSpace);
	CHECK_EQ(heard.args[1][0], 5);
	fire(connect, world_keep(connect, port, REFERENCE(heard_2, &heard)), 0, 2, 1, 6);
	world_hear(port, &heard, 3);
	CHECK_EQ(heard.args[2][0], 6);
	CHECK_EQ(heard.args[2][1], (1ull << 32) + 6);
	for (uint32_t nr_args = 3; nr_args <= 16; nr_args++) {
		fire(connect, world_keep(connect, port, REFERENCE(heard_n, &heard)), 0, nr_args, 1,
		     nr_args);
		world_hear(port, &heard, nr_args + 1);
		CHECK_EQ(heard.nr_args[nr_args], nr_args);
		for (uint64_t i = 0; i < nr_args; i++) {
			CHECK_EQ(heard.args[nr_args][i], (i << 32) + nr_args);
		}
	}
	world_close(connect);
	IONotificationPortDestroy(port);
}

CONTRACT(async_more_than_16_arguments_are_not_delivered)
{
	io_connect_t connect = world_open();
	IONotificationPortRef port = IONotificationPortCreate(kIOMainPortDefault);
	struct heard heard = {0};
	uint64_t index = world_keep(connect, port, REFERENCE(heard_n, &heard));

	fire(connect, index, 0, 17, 1, 1);
	fire(connect, index, 0, UINT32_MAX, 1, 1);
	fire(connect, index, 0, 16, 1, 2);
	world_hear(port, &heard, 1);
	CHECK_EQ(heard.args[0][0], 2);
	world_close(connect);
	IONotificationPortDestroy(port);
}

CONTRACT(async_inside_the_call_and_many_times)
{
	io_connect_t connect = world_open();
	IONotificationPortRef port = IONotificationPortCreate(kIOMainPortDefault);
	struct heard heard = {0};
	const uint64_t input[] = {kIOReturnSuccess, 3, 50, 1000};

	CHECK_EQ(world_async(connect, CONTRACT_FIRE_INSIDE, port, REFERENCE(heard_n, &heard), input,
			     4, NULL, 0),
		 kIOReturnSuccess);
	world_hear(port, &heard, 50);
	for (unsigned i = 0; i < 50; i++) {
		CHECK_EQ(heard.args[i][0], 1000 + i);
	}
	world_close(connect);
	IONotificationPortDestroy(port);
}

/* Checks the order of any number of completions of one argument. */
struct ordered {
	uint64_t next;
	bool wrong;
};

static void hear_next(void *refcon, IOReturn result, void *arg0)
{
	struct ordered *ordered = refcon;

	ordered->wrong |= result != kIOReturnSuccess || (uint64_t)(uintptr_t)arg0 != ordered->next;
	ordered->next++;
}

CONTRACT(async_far_more_than_the_ring_holds_in_order)
{
	io_connect_t connect = world_open();
	IONotificationPortRef port = IONotificationPortCreate(kIOMainPortDefault);
	struct ordered ordered = {0};
	uint64_t index = world_keep(connect, port, REFERENCE(hear_next, &ordered));

	/* Nobody takes them while they are fired. */
	for (uint64_t i = 0; i < 20; i++) {
		fire(connect, index, 0, 1, 1000, i * 1000);
	}
	while (ordered.next < 20000) {
		CHECK_GT(IONotificationPortDispatch(port, (int)WORLD_WAIT_MS), 0);
	}
	CHECK_EQ(ordered.next, 20000);
	CHECK(!ordered.wrong);
	CHECK_EQ(IONotificationPortDispatch(port, 0), 0);
	world_close(connect);
	IONotificationPortDestroy(port);
}

CONTRACT(async_from_a_queue_of_the_driver)
{
	io_connect_t connect = world_open();
	IONotificationPortRef port = IONotificationPortCreate(kIOMainPortDefault);
	struct heard heard = {0};
	uint64_t index = world_keep(connect, port, REFERENCE(heard_1, &heard));

	for (uint64_t i = 0; i < 10; i++) {
		DO(connect, CONTRACT_FIRE_FROM_QUEUE, index, 0, 1, 2, i * 10);
	}
	world_hear(port, &heard, 20);
	for (unsigned i = 0; i < 20; i++) {
		CHECK_EQ(heard.args[i][0], i / 2 * 10 + i % 2);
	}
	world_close(connect);
	IONotificationPortDestroy(port);
}

CONTRACT(async_from_a_timer_while_the_application_sleeps)
{
	io_connect_t connect = world_open();
	IONotificationPortRef port = IONotificationPortCreate(kIOMainPortDefault);
	struct heard heard = {0};
	uint64_t index = world_keep(connect, port, REFERENCE(heard_1, &heard));

	DO(connect, CONTRACT_FIRE_LATER, index, 0, 1, 30, 77);
	world_hear(port, &heard, 1);
	CHECK_EQ(heard.args[0][0], 77);
	world_close(connect);
	IONotificationPortDestroy(port);
}

CONTRACT(async_several_connections_on_one_port)
{
	io_connect_t connects[5];
	struct heard heard[5] = {0};
	IONotificationPortRef port = IONotificationPortCreate(kIOMainPortDefault);
	unsigned total = 0;

	for (unsigned i = 0; i < 5; i++) {
		uint64_t index;

		connects[i] = world_open();
		index = world_keep(connects[i], port, REFERENCE(heard_1, &heard[i]));
		fire(connects[i], index, 0, 1, i + 1, i * 100);
	}
	while (total < 15) {
		int nr_called = IONotificationPortDispatch(port, (int)WORLD_WAIT_MS);

		CHECK_GT(nr_called, 0);
		total += (unsigned)nr_called;
	}
	for (unsigned i = 0; i < 5; i++) {
		CHECK_EQ(heard[i].count, i + 1);
		CHECK_EQ(heard[i].args[i][0], i * 100 + i);
		world_close(connects[i]);
	}
	IONotificationPortDestroy(port);
}

CONTRACT(async_two_ports_get_their_own)
{
	io_connect_t connect = world_open();
	IONotificationPortRef ports[2] = {IONotificationPortCreate(kIOMainPortDefault),
					  IONotificationPortCreate(kIOMainPortDefault)};
	struct heard heard[2] = {0};
	uint64_t indices[2];

	for (unsigned i = 0; i < 2; i++) {
		indices[i] = world_keep(connect, ports[i], REFERENCE(heard_1, &heard[i]));
	}
	for (unsigned i = 0; i < 10; i++) {
		fire(connect, indices[i % 2], 0, 1, 1, i);
	}
	world_hear(ports[1], &heard[1], 5);
	world_hear(ports[0], &heard[0], 5);
	CHECK_EQ(heard[0].args[4][0], 8);
	CHECK_EQ(heard[1].args[4][0], 9);
	world_close(connect);
	IONotificationPortDestroy(ports[0]);
	IONotificationPortDestroy(ports[1]);
}

CONTRACT(async_failed_call_completes_nothing)
{
	io_connect_t connect = world_open();
	IONotificationPortRef port = IONotificationPortCreate(kIOMainPortDefault);
	struct heard heard = {0};
	uint64_t *reference = REFERENCE(heard_0, &heard);

	CHECK_EQ(world_async(connect, CONTRACT_FAIL_ASYNC, port, reference, NULL, 0, NULL, 0),
		 kIOReturnNoSpace);
	world_hear_nothing(port, &heard);
	world_close(connect);
	IONotificationPortDestroy(port);
}

CONTRACT(async_released_without_completing_is_never_heard)
{
	io_connect_t connect = world_open();
	IONotificationPortRef port = IONotificationPortCreate(kIOMainPortDefault);
	struct heard heard = {0};
	struct heard other = {0};
	uint64_t released = world_keep(connect, port, REFERENCE(heard_1, &heard));
	uint64_t kept = world_keep(connect, port, REFERENCE(heard_1, &other));

	DO(connect, CONTRACT_RELEASE, released);
	CHECK_EQ(TRY(connect, CONTRACT_FIRE, released, 0, 1, 1, 1), kIOReturnNotFound);
	fire(connect, kept, 0, 1, 1, 1);
	world_hear(port, &other, 1); /* later ones have come by now */
	CHECK_EQ(heard.count, 0);
	world_close(connect);
	IONotificationPortDestroy(port);
}

CONTRACT(async_many_actions_come_and_go)
{
	io_connect_t connect = world_open();
	IONotificationPortRef port = IONotificationPortCreate(kIOMainPortDefault);
	struct ordered ordered = {0};

	for (uint64_t i = 0; i < 3000; i++) {
		uint64_t index = world_keep(connect, port, REFERENCE(hear_next, &ordered));

		fire(connect, index, 0, 1, 1, i);
		DO(connect, CONTRACT_RELEASE, index);
		if (i % 7 == 0) {
			(void)IONotificationPortDispatch(port, 0);
		}
	}
	while (ordered.next < 3000) {
		CHECK_GT(IONotificationPortDispatch(port, (int)WORLD_WAIT_MS), 0);
	}
	CHECK(!ordered.wrong);
	world_close(connect);
	IONotificationPortDestroy(port);
}

CONTRACT(async_cancelled_action_runs_its_handler)
{
	io_connect_t connect = world_open();
	IONotificationPortRef port = IONotificationPortCreate(kIOMainPortDefault);
	struct heard heard = {0};
	uint64_t index = world_keep(connect, port, REFERENCE(heard_0, &heard));
	char text[CONTRACT_TEXT_BYTES];

	world_forget_log(connect);
	DO(connect, CONTRACT_CANCEL, index);
	do {
		world_text(connect, CONTRACT_LOG, text);
	} while (text[0] == '\0');
	CHECK_STR_EQ(text, "cancelled\n");
	fire(connect, index, 0, 0, 1, 0);
	world_hear_nothing(port, &heard);
	world_close(connect);
	IONotificationPortDestroy(port);
}

CONTRACT(async_reference_words)
{
	io_connect_t connect = world_open();
	IONotificationPortRef port = IONotificationPortCreate(kIOMainPortDefault);
	mach_port_t wake = IONotificationPortGetMachPort(port);
	struct heard heard = {0};
	uint64_t reference[9] = {0xabc, (uint64_t)(uintptr_t)heard_0, (uint64_t)(uintptr_t)&heard,
				 1, 2, 3, 4, 5, 6};
	uint64_t index = 0;
	uint32_t nr_output = 1;

	CHECK_EQ(IOConnectCallAsyncScalarMethod(connect, CONTRACT_KEEP, wake, reference, 9, NULL, 0,
						&index, &nr_output),
		 MIG_ARRAY_TOO_LARGE);
	CHECK_EQ(IOConnectCallAsyncScalarMethod(connect, CONTRACT_KEEP, wake, reference, 0, NULL, 0,
						&index, &nr_output),
		 kIOReturnBadArgument);
	CHECK_EQ(IOConnectCallAsyncScalarMethod(connect, CONTRACT_KEEP, wake, NULL, 3, NULL, 0,
						&index, &nr_output),
		 kIOReturnBadArgument);
	CHECK_EQ(IOConnectCallAsyncScalarMethod(connect, CONTRACT_KEEP, 0x7ffffff3, reference, 3,
						NULL, 0, &index, &nr_output),
		 kIOReturnBadArgument);
	/* NULL and 0: a completion without callback. */
	CHECK_EQ(IOConnectCallAsyncScalarMethod(connect, CONTRACT_KEEP, wake, NULL, 0, NULL, 0,
						&index, &nr_output),
		 kIOReturnSuccess);
	fire(connect, index, 0, 0, 1, 0);
	CHECK_EQ(IOConnectCallAsyncScalarMethod(connect, CONTRACT_KEEP, wake, reference, 3, NULL, 0,
						&index, &nr_output),
		 kIOReturnSuccess);
	CHECK_EQ(reference[0], 0xabc); /* not modified */
	fire(connect, index, 0, 0, 1, 0);
	world_hear(port, &heard, 1);
	world_close(connect);
	IONotificationPortDestroy(port);
}

CONTRACT(async_outputs_and_structures_work_as_in_a_call)
{
	io_connect_t connect = world_open();
	IONotificationPortRef port = IONotificationPortCreate(kIOMainPortDefault);
	struct heard heard = {0};
	uint64_t *reference = REFERENCE(heard_0, &heard);
	const uint64_t scalars[] = {5, 6};
	uint64_t output[2];
	uint32_t nr_output = 2;
	uint8_t large[5000] = {1, 2, 3};
	struct contract_seen seen;
	size_t size = sizeof(seen);

	CHECK_EQ(IOConnectCallAsyncMethod(connect, CONTRACT_DESCRIBE,
					  IONotificationPortGetMachPort(port), reference, 3,
					  scalars, 2, large, sizeof(large), output, &nr_output,
					  &seen, &size),
		 kIOReturnSuccess);
	CHECK(seen.has_completion);
	CHECK(seen.has_input_descriptor);
	CHECK_EQ(seen.structure_input_sum, 6);
	CHECK_EQ(seen.scalars[1], 6);
	CHECK_EQ(nr_output, 2);
	/* Variable output is for synchronous calls only. */
	size = (size_t)kIOConnectMethodVarOutputSize;
	CHECK_EQ(IOConnectCallAsyncStructMethod(connect, CONTRACT_DESCRIBE,
						IONotificationPortGetMachPort(port), reference, 3,
						NULL, 0, &seen, &size),
		 kIOReturnIPCError);
	world_close(connect);
	IONotificationPortDestroy(port);
}

CONTRACT(async_after_close_what_was_fired_is_delivered)
{
	io_connect_t connect = world_open();
	IONotificationPortRef port = IONotificationPortCreate(kIOMainPortDefault);
	struct heard heard = {0};
	uint64_t index = world_keep(connect, port, REFERENCE(heard_1, &heard));

	fire(connect, index, 0, 1, 3, 7);
	world_close(connect);
	world_hear(port, &heard, 3);
	CHECK_EQ(heard.args[2][0], 9);
	world_hear_nothing(port, &heard);
	IONotificationPortDestroy(port);
}

CONTRACT(async_port_destroyed_before_the_completion)
{
	io_connect_t connect = world_open();
	IONotificationPortRef port = IONotificationPortCreate(kIOMainPortDefault);
	IONotificationPortRef second = IONotificationPortCreate(kIOMainPortDefault);
	struct heard heard = {0};
	struct heard other = {0};
	uint64_t lost = world_keep(connect, port, REFERENCE(heard_1, &heard));
	uint64_t kept = world_keep(connect, second, REFERENCE(heard_1, &other));

	fire(connect, lost, 0, 1, 3, 7);
	IONotificationPortDestroy(port);
	fire(connect, lost, 0, 1, 3, 7);
	fire(connect, kept, 0, 1, 1, 7);
	world_hear(second, &other, 1);
	CHECK_EQ(heard.count, 0);
	world_close(connect);
	IONotificationPortDestroy(second);
}

/* --- Ways to wait ---------------------------------------------------------------------------- */

CONTRACT(async_by_file_descriptor)
{
	io_connect_t connect = world_open();
	IONotificationPortRef port = IONotificationPortCreate(kIOMainPortDefault);
	struct pollfd entry = {.fd = IONotificationPortGetFileDescriptor(port), .events = POLLIN};
	struct heard heard = {0};
	uint64_t index = world_keep(connect, port, REFERENCE(heard_1, &heard));

	CHECK_GE(entry.fd, 0);
	CHECK_EQ(IONotificationPortGetFileDescriptor(port), entry.fd);
	for (unsigned round = 1; round <= 5; round++) {
		while (IONotificationPortDispatch(port, 0) != 0) {
		}
		DO(connect, CONTRACT_FIRE_LATER, index, 0, 1, 3, round);
		while (heard.count < round) {
			CHECK_EQ(poll(&entry, 1, (int)WORLD_WAIT_MS), 1);
			CHECK_GE(IONotificationPortDispatch(port, 0), 0);
		}
		CHECK_EQ(heard.args[round - 1][0], round);
		/* The timer of the driver ends after its callback. */
		while (TRY(connect, CONTRACT_FIRE_LATER, 99999, 0, 1, 3, 0) == kIOReturnBusy) {
		}
	}
	CHECK_EQ(IONotificationPortGetFileDescriptor(NULL), -1);
	CHECK_EQ(IONotificationPortDispatch(NULL, 0), -1);
	world_close(connect);
	IONotificationPortDestroy(port);
}

static void hear_and_stop(void *refcon, IOReturn result, void *arg0)
{
	heard_1(refcon, result, arg0);
	CFRunLoopStop(CFRunLoopGetCurrent());
}

CONTRACT(async_by_run_loop)
{
	io_connect_t connect = world_open();
	IONotificationPortRef port = IONotificationPortCreate(kIOMainPortDefault);
	CFRunLoopSourceRef source = IONotificationPortGetRunLoopSource(port);
	struct heard heard = {0};
	uint64_t index = world_keep(connect, port, REFERENCE(hear_and_stop, &heard));

	CHECK_EQ(IONotificationPortGetRunLoopSource(port), source);
	CFRunLoopAddSource(CFRunLoopGetCurrent(), source, kCFRunLoopDefaultMode);
	for (unsigned round = 1; round <= 5; round++) {
		if (round % 2 == 1) {
			fire(connect, index, 0, 1, 1, round);
		} else {
			DO(connect, CONTRACT_FIRE_LATER, index, 0, 1, 3, round);
		}
		while (heard.count < round) {
			CFRunLoopRun();
		}
		CHECK_EQ(heard.args[round - 1][0], round);
		while (TRY(connect, CONTRACT_FIRE_LATER, 99999, 0, 1, 3, 0) == kIOReturnBusy) {
		}
	}
	CHECK_EQ(CFRunLoopRunInMode(kCFRunLoopDefaultMode, 0, true), kCFRunLoopRunTimedOut);
	fire(connect, index, 0, 1, 1, 9);
	CHECK_NE(CFRunLoopRunInMode(kCFRunLoopDefaultMode, WORLD_WAIT_MS / 1000.0, true),
		 kCFRunLoopRunTimedOut);
	CHECK_EQ(heard.count, 6);
	IONotificationPortDestroy(port);
	/* Nothing is left to wait for. */
	CHECK_EQ(CFRunLoopRunInMode(kCFRunLoopDefaultMode, 0, true), kCFRunLoopRunFinished);
	world_close(connect);
}

struct nested {
	io_connect_t connect;
	IONotificationPortRef port;
	struct heard heard;
};

static void call_inside_callback(void *refcon, IOReturn result, void *arg0)
{
	struct nested *nested = refcon;

	heard_1(&nested->heard, result, arg0);
	CHECK_EQ(GET(nested->connect, CONTRACT_ADD, 3, 4), 7);
	if (nested->heard.count == 3) {
		IONotificationPortDestroy(nested->port);
	}
}

CONTRACT(async_callback_may_call_and_destroy_its_port)
{
	struct nested nested = {.connect = world_open(),
				.port = IONotificationPortCreate(kIOMainPortDefault)};
	uint64_t index = world_keep(nested.connect, nested.port,
				    REFERENCE(call_inside_callback, &nested));

	fire(nested.connect, index, 0, 1, 5, 1);
	while (nested.heard.count < 3) {
		(void)IONotificationPortDispatch(nested.port, (int)WORLD_WAIT_MS);
	}
	CHECK_EQ(nested.heard.count, 3);
	world_close(nested.connect);
}
