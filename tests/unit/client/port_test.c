/* SPDX-License-Identifier: MIT
 *
 * port_test - notification ports without a driver: queue, order, descriptor, run loop, destruction.
 */
#include <errno.h>
#include <poll.h>
#include <pthread.h>

#include <CoreFoundation/CoreFoundation.h>
#include <opendext/client.h>

#include "client/port.h"
#include "test.h"

static uint64_t next;
static bool in_order = true;
static IONotificationPortRef doomed;

static unsigned check_next(struct dx_delivery *delivery)
{
	in_order &= delivery->args[0] == next;
	next++;
	return 1;
}

static unsigned destroy_port(struct dx_delivery *delivery)
{
	(void)delivery;
	next++;
	IONotificationPortDestroy(doomed);
	return 1;
}

static int push(IONotificationPortRef port, unsigned (*deliver)(struct dx_delivery *), uint64_t value)
{
	struct dx_delivery delivery = {.deliver = deliver, .nr_args = 1, .args = {value}};

	return dx_port_push(port, &delivery);
}

static bool is_readable(int fd)
{
	struct pollfd pollfd = {.fd = fd, .events = POLLIN};

	return poll(&pollfd, 1, 0) == 1;
}

TEST(deliveries_keep_their_order)
{
	IONotificationPortRef port = IONotificationPortCreate(0);
	uint64_t pushed = 0;

	for (unsigned round = 0; round < 50; round++) {
		for (unsigned i = 0; i < 37; i++) {
			CHECK_EQ(push(port, check_next, pushed++), 0);
		}
		CHECK_GT(IONotificationPortDispatch(port, 0), 0);
	}
	while (IONotificationPortDispatch(port, 0) > 0) {
	}
	CHECK_EQ(next, pushed);
	CHECK(in_order);
	IONotificationPortDestroy(port);
}

TEST(queue_has_a_limit)
{
	IONotificationPortRef port = IONotificationPortCreate(0);

	for (unsigned i = 0; i < DX_MAX_NOTIFY_BACKLOG; i++) {
		CHECK_EQ(push(port, check_next, i), 0);
	}
	CHECK_EQ(push(port, check_next, 0), -EAGAIN);
	CHECK(!dx_port_has_room(port));
	/* What is there when a connection ends has nowhere else to stay. */
	struct dx_delivery last = {.deliver = check_next,
				   .nr_args = 1,
				   .args = {DX_MAX_NOTIFY_BACKLOG}};
	CHECK_EQ(dx_port_push_last(port, &last), 0);
	while (IONotificationPortDispatch(port, 0) > 0) {
	}
	CHECK_EQ(next, DX_MAX_NOTIFY_BACKLOG + 1);
	CHECK(in_order);
	for (unsigned i = 0; i < DX_MAX_NOTIFY_BACKLOG; i++) { /* the limit holds still */
		CHECK_EQ(push(port, check_next, i), 0);
	}
	CHECK_EQ(push(port, check_next, 0), -EAGAIN);
	IONotificationPortDestroy(port);
}

TEST(descriptor_tells_of_what_is_queued)
{
	IONotificationPortRef port = IONotificationPortCreate(0);

	CHECK_EQ(push(port, check_next, 0), 0);
	int fd = IONotificationPortGetFileDescriptor(port);
	CHECK(is_readable(fd));
	CHECK_EQ(IONotificationPortDispatch(port, -1), 1);
	CHECK(!is_readable(fd));
	CHECK_EQ(push(port, check_next, 1), 0);
	CHECK(is_readable(fd));
	CHECK_EQ(IONotificationPortDispatch(port, 1000), 1);
	CHECK(!is_readable(fd));
	CHECK_EQ(IONotificationPortDispatch(port, 1), 0);
	CHECK_EQ(IONotificationPortDispatch(NULL, 1), -1);
	CHECK_EQ(IONotificationPortGetFileDescriptor(NULL), -1);
	IONotificationPortDestroy(port);
}

static void *push_later(void *port)
{
	for (uint64_t i = 0; i < 2000; i++) {
		CHECK_EQ(push(port, check_next, i), 0);
		if (i % 100 == 0) {
			(void)sched_yield();
		}
	}
	return NULL;
}

TEST(sleeping_thread_is_woken)
{
	IONotificationPortRef port = IONotificationPortCreate(0);
	pthread_t thread;

	CHECK_EQ(pthread_create(&thread, NULL, push_later, port), 0);
	while (next < 2000) {
		CHECK_GT(IONotificationPortDispatch(port, 10000), 0);
	}
	CHECK_EQ(pthread_join(thread, NULL), 0);
	CHECK(in_order);
	IONotificationPortDestroy(port);
}

TEST(run_loop_delivers)
{
	IONotificationPortRef port = IONotificationPortCreate(0);
	CFRunLoopSourceRef source = IONotificationPortGetRunLoopSource(port);
	pthread_t thread;

	CHECK(source == IONotificationPortGetRunLoopSource(port));
	CFRunLoopAddSource(CFRunLoopGetCurrent(), source, kCFRunLoopDefaultMode);
	CHECK_EQ(pthread_create(&thread, NULL, push_later, port), 0);
	while (next < 2000) {
		CHECK_EQ(CFRunLoopRunInMode(kCFRunLoopDefaultMode, 10, 1),
			 kCFRunLoopRunHandledSource);
	}
	CHECK_EQ(pthread_join(thread, NULL), 0);
	CHECK(in_order);
	IONotificationPortDestroy(port);
	CHECK_EQ(CFRunLoopRunInMode(kCFRunLoopDefaultMode, 10, 1), kCFRunLoopRunFinished);
}

TEST(nothing_is_delivered_after_destruction)
{
	doomed = IONotificationPortCreate(0);
	CHECK_EQ(push(doomed, destroy_port, 0), 0);
	CHECK_EQ(push(doomed, check_next, 1), 0);
	CHECK_EQ(IONotificationPortDispatch(doomed, 1000), 1);
	CHECK_EQ(next, 1);
}

TEST(port_has_a_name)
{
	IONotificationPortRef port = IONotificationPortCreate(0);

	CHECK_NE(IONotificationPortGetMachPort(port), 0);
	CHECK_EQ(IONotificationPortGetMachPort(NULL), 0);
	CHECK_EQ(IONotificationPortSetImportanceReceiver(port), kIOReturnSuccess);
	CHECK_EQ(IONotificationPortSetImportanceReceiver(NULL), kIOReturnBadArgument);
	CHECK(IONotificationPortGetRunLoopSource(NULL) == NULL);
	IONotificationPortDestroy(port);
}
