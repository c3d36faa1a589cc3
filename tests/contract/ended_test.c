/* SPDX-License-Identifier: MIT
 *
 * ended_test - around the end of a connection: what came before it, what goes on beside it, what the
 * port is good for afterwards, what a program that closes is told, and the state of a connection.
 * The ways of waiting are in ending_test.c.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

#include <IOKit/IODataQueueClient.h>

#include "support/world.h"

static unsigned nr_told;
static io_service_t told_of;
static const struct heard *heard_before; /* NULL: does not matter */
static unsigned nr_heard_before;

static void was_told(void *refcon, io_service_t service, uint32_t type, void *argument)
{
	(void)refcon;
	(void)argument;
	if (type == kIOMessageServiceIsTerminated) {
		nr_told++;
		told_of = service;
		nr_heard_before = heard_before == NULL ? 0 : heard_before->count;
	}
}

static io_object_t ask(IONotificationPortRef port, io_object_t of)
{
	io_object_t notification = IO_OBJECT_NULL;

	CHECK_EQ(IOServiceAddInterestNotification(port, of, kIOGeneralInterest, was_told, NULL,
						  &notification),
		 kIOReturnSuccess);
	CHECK_NE(notification, IO_OBJECT_NULL);
	return notification;
}

/* The driver ends this connection. The call returns before that, or because of it. */
static void cut(io_connect_t connect)
{
	(void)TRY(connect, CONTRACT_TERMINATE_CLIENT);
}

static bool has_ended(void *argument)
{
	return IOConnectGetState(*(io_connect_t *)argument) != kIOReturnSuccess;
}

static void cut_and_wait(io_connect_t connect)
{
	cut(connect);
	CHECK(test_wait_until(has_ended, &connect, WORLD_WAIT_MS));
}

static CFRunLoopRunResult run(double seconds)
{
	return CFRunLoopRunInMode(kCFRunLoopDefaultMode, seconds, false);
}

static IONotificationPortRef port_in_loop(void)
{
	IONotificationPortRef port = IONotificationPortCreate(kIOMainPortDefault);

	CFRunLoopAddSource(CFRunLoopGetCurrent(), IONotificationPortGetRunLoopSource(port),
			   kCFRunLoopDefaultMode);
	return port;
}

/* More than is moved in one go, and all that the ring holds. */
CONTRACT(ended_after_all_that_came_before)
{
	IONotificationPortRef port = IONotificationPortCreate(kIOMainPortDefault);
	io_connect_t connect = world_open();
	struct heard heard = {0};
	const uint64_t input[] = {0, 3, 120, 0};
	io_object_t notification = ask(port, connect);

	heard_before = &heard;
	CHECK_EQ(world_async(connect, CONTRACT_FIRE_INSIDE, port, REFERENCE(heard_n, &heard), input,
			     4, NULL, 0),
		 kIOReturnSuccess);
	cut_and_wait(connect);
	while (nr_told == 0) {
		CHECK_GE(IONotificationPortDispatch(port, -1), 1);
	}
	CHECK_EQ(nr_heard_before, 120);
	CHECK_EQ(heard.count, 120);
	CHECK_EQ(heard.args[119 % HEARD_MAX][0], 119);
	CHECK_EQ(IONotificationPortDispatch(port, 0), 0);
	CHECK_EQ(IOObjectRelease(notification), kIOReturnSuccess);
	world_close(connect);
	IONotificationPortDestroy(port);
}

static struct {
	uint64_t next;
	uint64_t next_when_told;
	bool wrong;
} sequence;

static void hear_in_order(void *refcon, IOReturn result, void *arg0)
{
	(void)refcon;
	sequence.wrong |= result != kIOReturnSuccess || (uintptr_t)arg0 != sequence.next;
	sequence.next++;
}

static void told_behind_sequence(void *refcon, io_service_t service, uint32_t type, void *argument)
{
	was_told(refcon, service, type, argument);
	sequence.next_when_told = sequence.next;
}

/* A message takes one from the port, and brings in up to 64. */
static void take_one(IONotificationPortRef port)
{
	struct {
		_Alignas(8) mach_msg_header_t head;
		unsigned char rest[512];
	} message;

	CHECK_EQ(mach_msg(&message.head, MACH_RCV_MSG, 0, sizeof(message),
			  IONotificationPortGetMachPort(port), 0, MACH_PORT_NULL),
		 MACH_MSG_SUCCESS);
	IODispatchCalloutFromMessage(NULL, &message.head, NULL);
}

/* 65536 wait in the port, 128 in the ring behind them, and more in the driver: those do not come. */
CONTRACT(ended_with_a_full_port_loses_nothing_of_the_ring)
{
	IONotificationPortRef port = IONotificationPortCreate(kIOMainPortDefault);
	io_connect_t connect = world_open();
	uint64_t index = world_keep(connect, port, REFERENCE(hear_in_order, NULL));
	io_object_t notification = IO_OBJECT_NULL;
	uint64_t nr_taken = 0;

	CHECK_EQ(IOServiceAddInterestNotification(port, connect, kIOGeneralInterest,
						  told_behind_sequence, NULL, &notification),
		 kIOReturnSuccess);
	for (uint64_t fired = 0; fired < 70000; fired += 1000) {
		DO(connect, CONTRACT_FIRE, index, 0, 1, 1000, fired);
		for (unsigned i = 0; i < 20; i++) {
			take_one(port);
			nr_taken++;
			CHECK_EQ(GET(connect, CONTRACT_ADD, 1, i), i + 1); /* it fills up the ring */
		}
	}
	CHECK_GE(IONotificationPortGetFileDescriptor(port), 0); /* it hears of the end at once */
	cut_and_wait(connect);
	while (nr_told == 0) {
		CHECK_GE(IONotificationPortDispatch(port, -1), 1);
	}
	CHECK(!sequence.wrong);
	CHECK_EQ(sequence.next, sequence.next_when_told);
	CHECK_GT(sequence.next, nr_taken + 65536 + 64);
	CHECK_LT(sequence.next, 70000);
	CHECK_EQ(IOObjectRelease(notification), kIOReturnSuccess);
	world_close(connect);
	IONotificationPortDestroy(port);
}

CONTRACT(ended_one_connection_of_a_port_the_other_goes_on)
{
	IONotificationPortRef port = port_in_loop();
	io_connect_t connect = world_open();
	io_connect_t other = world_open();
	struct heard unheard = {0};
	struct heard heard = {0};
	uint64_t kept = world_keep(other, port, REFERENCE(heard_0, &heard));

	(void)world_keep(connect, port, REFERENCE(heard_0, &unheard));
	cut(connect);
	CHECK_EQ(CFRunLoopRunInMode(kCFRunLoopDefaultMode, 1e9, true), kCFRunLoopRunHandledSource);
	CHECK_NE(IOConnectGetState(connect), kIOReturnSuccess);
	CHECK_EQ(IOConnectGetState(other), kIOReturnSuccess);
	CHECK_EQ(run(0), kCFRunLoopRunTimedOut); /* there is something to wait for */
	DO(other, CONTRACT_FIRE, kept, 0, 0, 1, 0);
	CHECK_EQ(CFRunLoopRunInMode(kCFRunLoopDefaultMode, 1e9, true), kCFRunLoopRunHandledSource);
	CHECK_EQ(heard.count, 1);
	cut(other);
	CHECK_EQ(run(1e9), kCFRunLoopRunFinished);
	CHECK_EQ(unheard.count, 0);
	world_close(connect);
	world_close(other);
	IONotificationPortDestroy(port);
}

CONTRACT(ended_run_loop_goes_on_for_other_things)
{
	IONotificationPortRef port = port_in_loop();
	io_service_t service = world_service(CONTRACT_SERVICE);
	io_connect_t connect = world_open();
	struct heard unheard = {0};
	io_object_t notification = ask(port, service);
	CFRunLoopTimerRef timer =
		CFRunLoopTimerCreate(NULL, CFAbsoluteTimeGetCurrent() + 1e6, 0, 0, 0, NULL, NULL);

	(void)world_keep(connect, port, REFERENCE(heard_0, &unheard));
	cut_and_wait(connect);
	CHECK_EQ(CFRunLoopRunInMode(kCFRunLoopDefaultMode, 1e9, true), kCFRunLoopRunHandledSource);
	CHECK_EQ(run(0), kCFRunLoopRunTimedOut); /* the service is there, and may say something */
	CFRunLoopAddTimer(CFRunLoopGetCurrent(), timer, kCFRunLoopDefaultMode);
	CHECK_EQ(IOObjectRelease(notification), kIOReturnSuccess);
	CHECK_EQ(run(0), kCFRunLoopRunTimedOut);
	CFRunLoopTimerInvalidate(timer);
	CFRelease(timer);
	CHECK_EQ(run(1e9), kCFRunLoopRunFinished);
	world_close(connect);
	CHECK_EQ(IOObjectRelease(service), kIOReturnSuccess);
	IONotificationPortDestroy(port);
}

CONTRACT(ended_port_serves_the_next_connection)
{
	IONotificationPortRef port = port_in_loop();
	struct heard heard = {0};

	for (unsigned round = 1; round <= 3; round++) {
		io_connect_t connect = world_open();
		uint64_t index = world_keep(connect, port, REFERENCE(heard_0, &heard));

		DO(connect, CONTRACT_FIRE, index, 0, 0, 1, 0);
		CHECK_EQ(CFRunLoopRunInMode(kCFRunLoopDefaultMode, 1e9, true),
			 kCFRunLoopRunHandledSource);
		CHECK_EQ(heard.count, round);
		CHECK_EQ(run(0), kCFRunLoopRunTimedOut);
		cut(connect);
		CFRunLoopRun();
		CHECK_EQ(run(1e9), kCFRunLoopRunFinished);
		world_close(connect);
	}
	IONotificationPortDestroy(port);
}

/* A queue in memory of the driver: who waits for an entry there learns that none will come. */
CONTRACT(ended_nobody_fills_a_data_queue)
{
	io_connect_t connect = world_open();
	mach_port_t port = IODataQueueAllocateNotificationPort();
	mach_vm_address_t address = 0;
	mach_vm_size_t size = 0;
	char entry[] = "last";

	CHECK_EQ(IOConnectMapMemory64(connect, CONTRACT_MEMORY_SHARED, mach_task_self(), &address,
				      &size, kIOMapAnywhere),
		 kIOReturnSuccess);
	IODataQueueMemory *queue = (void *)(uintptr_t)address;
	queue->queueSize = 1024;
	CHECK_EQ(IODataQueueEnqueue(queue, entry, sizeof(entry)), kIOReturnSuccess);
	cut(connect);
	CHECK_EQ(IODataQueueWaitForAvailableData(queue, port), kIOReturnSuccess);
	CHECK_EQ(IODataQueueDequeue(queue, NULL, NULL), kIOReturnSuccess);
	CHECK_EQ(IODataQueueWaitForAvailableData(queue, port), kIOReturnNotAttached);
	CHECK_EQ(mach_port_deallocate(mach_task_self(), port), KERN_SUCCESS);
	world_close(connect);
}

/* --- Interest in a connection ------------------------------------------------------------------ */

CONTRACT(ended_before_somebody_asks)
{
	IONotificationPortRef port = IONotificationPortCreate(kIOMainPortDefault);
	io_connect_t connect = world_open();

	cut_and_wait(connect);
	CHECK_NE(TRY(connect, CONTRACT_LEAVE_OUTPUT), kIOReturnSuccess);
	for (unsigned i = 1; i <= 2; i++) { /* whoever asks, as often as he asks */
		io_object_t notification = ask(port, connect);

		CHECK_EQ(IONotificationPortDispatch(port, -1), 1);
		CHECK_EQ(nr_told, i);
		CHECK_EQ(told_of, connect);
		CHECK_EQ(IOObjectRelease(notification), kIOReturnSuccess);
	}
	CHECK_EQ(IONotificationPortDispatch(port, 0), 0);
	world_close(connect);
	IONotificationPortDestroy(port);
}

CONTRACT(ended_every_one_who_asked_is_told)
{
	IONotificationPortRef ports[] = {IONotificationPortCreate(kIOMainPortDefault),
					 IONotificationPortCreate(kIOMainPortDefault)};
	io_connect_t connect = world_open();
	io_object_t notifications[] = {ask(ports[0], connect), ask(ports[0], connect),
				       ask(ports[1], connect)};

	cut(connect);
	CHECK_EQ(IONotificationPortDispatch(ports[0], -1), 2);
	CHECK_EQ(IONotificationPortDispatch(ports[1], -1), 1);
	CHECK_EQ(nr_told, 3);
	for (unsigned i = 0; i < 3; i++) {
		CHECK_EQ(IOObjectRelease(notifications[i]), kIOReturnSuccess);
	}
	world_close(connect);
	IONotificationPortDestroy(ports[0]);
	IONotificationPortDestroy(ports[1]);
}

CONTRACT(ended_released_interest_is_silent)
{
	IONotificationPortRef port = IONotificationPortCreate(kIOMainPortDefault);
	io_connect_t connect = world_open();

	CHECK_EQ(IOObjectRelease(ask(port, connect)), kIOReturnSuccess);
	cut(connect);
	CHECK_EQ(IONotificationPortDispatch(port, -1), 0); /* as if nobody had asked */
	CHECK_EQ(nr_told, 0);
	world_close(connect);
	IONotificationPortDestroy(port);
}

CONTRACT(ended_port_destroyed_with_an_interest)
{
	IONotificationPortRef port = IONotificationPortCreate(kIOMainPortDefault);
	io_connect_t connect = world_open();
	io_object_t notification = ask(port, connect);

	IONotificationPortDestroy(port);
	cut_and_wait(connect);
	CHECK_EQ(IOObjectRelease(notification), kIOReturnSuccess);
	CHECK_EQ(nr_told, 0);
	world_close(connect);
}

CONTRACT(ended_interest_bad_arguments)
{
	IONotificationPortRef port = IONotificationPortCreate(kIOMainPortDefault);
	io_connect_t connect = world_open();
	io_object_t notification = 77;
	io_object_t second = 77;
	io_name_t class_name = "";

	CHECK_EQ(IOServiceAddInterestNotification(port, connect, kIOBusyInterest, was_told, NULL,
						  &notification),
		 kIOReturnUnsupported);
	CHECK_EQ(notification, IO_OBJECT_NULL);
	CHECK_EQ(IOServiceAddInterestNotification(NULL, connect, kIOGeneralInterest, was_told, NULL,
						  &notification),
		 kIOReturnBadArgument);
	notification = ask(port, connect);
	CHECK_EQ(IOObjectGetClass(notification, class_name), kIOReturnSuccess);
	CHECK_STR_EQ(class_name, "IOServiceMessageUserNotification");
	CHECK_EQ(IOServiceAddInterestNotification(port, notification, kIOGeneralInterest, was_told,
						  NULL, &second),
		 kIOReturnBadArgument);
	CHECK_EQ(IOObjectRelease(notification), kIOReturnSuccess);
	CHECK_EQ(IOConnectAddRef(connect), kIOReturnSuccess);
	world_close(connect);
	CHECK_EQ(IOServiceAddInterestNotification(port, connect, kIOGeneralInterest, was_told, NULL,
						  &notification),
		 MACH_SEND_INVALID_DEST);
	CHECK_EQ(IOConnectRelease(connect), kIOReturnSuccess);
	IONotificationPortDestroy(port);
}

/* --- The program closes -------------------------------------------------------------------------- */

CONTRACT(ended_by_the_program_is_not_told)
{
	IONotificationPortRef port = port_in_loop();
	io_connect_t connect = world_open();
	struct heard unheard = {0};
	io_object_t notification = ask(port, connect);
	mach_msg_header_t message[32];

	(void)world_keep(connect, port, REFERENCE(heard_0, &unheard));
	world_close(connect);
	CHECK_EQ(CFRunLoopRunInMode(kCFRunLoopDefaultMode, 0, true), kCFRunLoopRunTimedOut);
	CHECK_EQ(mach_msg(message, MACH_RCV_MSG | MACH_RCV_TIMEOUT, 0, sizeof(message),
			  IONotificationPortGetMachPort(port), 0, MACH_PORT_NULL),
		 MACH_RCV_TIMED_OUT);
	CHECK_EQ(IONotificationPortDispatch(port, 0), 0);
	CHECK_EQ(nr_told + unheard.count, 0);
	CHECK_EQ(IOObjectRelease(notification), kIOReturnSuccess);
	IONotificationPortDestroy(port);
}

struct closing {
	IONotificationPortRef port;
	io_connect_t other; /* stays open */
	uint64_t kept;
	struct heard heard;
	pid_t waiter;
	atomic_bool has_returned;
};

static bool has_returned(void *argument)
{
	return atomic_load(&((struct closing *)argument)->has_returned);
}

static bool is_asleep(void *argument)
{
	return world_is_asleep(((struct closing *)argument)->waiter);
}

/* A close that came before the wait ends nothing: then a completion does, and it is tried again. */
static void *close_while_it_waits(void *argument)
{
	struct closing *closing = argument;
	struct heard unheard = {0};
	bool ended = false;

	while (!ended) {
		io_connect_t connect = world_open();

		(void)world_keep(connect, closing->port, REFERENCE(heard_0, &unheard));
		CHECK(test_wait_until(is_asleep, closing, WORLD_WAIT_MS));
		world_close(connect);
		ended = test_wait_until(has_returned, closing, 2000);
		if (!ended) {
			DO(closing->other, CONTRACT_FIRE, closing->kept, 0, 0, 1, 0);
		}
	}
	CHECK_EQ(unheard.count, 0);
	return NULL;
}

CONTRACT(ended_by_another_thread_ends_a_dispatch)
{
	struct closing closing = {.port = IONotificationPortCreate(kIOMainPortDefault),
				  .other = world_open(),
				  .waiter = gettid()};
	pthread_t thread;

	closing.kept = world_keep(closing.other, closing.port, REFERENCE(heard_0, &closing.heard));
	CHECK_EQ(pthread_create(&thread, NULL, close_while_it_waits, &closing), 0);
	while (IONotificationPortDispatch(closing.port, -1) != 0) {
	}
	atomic_store(&closing.has_returned, true);
	CHECK_EQ(pthread_join(thread, NULL), 0);
	CHECK_EQ(IONotificationPortDispatch(closing.port, 0), 0);
	world_close(closing.other);
	IONotificationPortDestroy(closing.port);
}

/* --- State --------------------------------------------------------------------------------------- */

CONTRACT(ended_or_not_says_the_state)
{
	io_service_t service = world_service(CONTRACT_SERVICE);
	io_connect_t connect = world_open();
	io_connect_t mapped = world_open();
	mach_vm_address_t address = 0;
	mach_vm_size_t size = 0;

	CHECK_EQ(IOConnectGetState(IO_OBJECT_NULL), MACH_SEND_INVALID_DEST);
	CHECK_EQ(IOConnectGetState(0x7ffffff3), MACH_SEND_INVALID_DEST);
	CHECK_EQ(IOConnectGetState(service), kIOReturnBadArgument);
	CHECK_EQ(IOConnectGetState(connect), kIOReturnSuccess);
	CHECK_EQ(IOConnectAddRef(connect), kIOReturnSuccess);
	world_close(connect);
	CHECK_EQ(IOConnectGetState(connect), kIOReturnNotOpen);
	CHECK_EQ(IOConnectRelease(connect), kIOReturnSuccess);
	CHECK_EQ(IOConnectGetState(connect), MACH_SEND_INVALID_DEST);
	/* What its calls return hides the reason. */
	CHECK_EQ(IOConnectMapMemory64(mapped, CONTRACT_MEMORY_SHARED, mach_task_self(), &address,
				      &size, kIOMapAnywhere),
		 kIOReturnSuccess);
	cut_and_wait(mapped);
	CHECK_EQ(IOConnectGetState(mapped), kIOReturnNotAttached);
	CHECK_EQ(TRY(mapped, CONTRACT_LEAVE_OUTPUT), kIOReturnBadArgument);
	CHECK_EQ(IOConnectGetState(mapped), kIOReturnNotAttached);
	world_close(mapped);
	CHECK_EQ(IOObjectRelease(service), kIOReturnSuccess);
}
