/* SPDX-License-Identifier: MIT
 *
 * message_test - programs that take notifications from a port themselves.
 */
#include "support/world.h"

struct message {
	_Alignas(8) mach_msg_header_t head;
	unsigned char rest[512];
};

static mach_port_t make_port(void)
{
	mach_port_t port = MACH_PORT_NULL;

	CHECK_EQ(IOCreateReceivePort(kOSNotificationMessageID, &port), kIOReturnSuccess);
	return port;
}

static void receive(mach_port_t port, struct message *message)
{
	CHECK_EQ(mach_msg(&message->head, MACH_RCV_MSG | MACH_RCV_TIMEOUT, 0, sizeof(*message), port,
			  WORLD_WAIT_MS, MACH_PORT_NULL),
		 MACH_MSG_SUCCESS);
}

CONTRACT(message_of_a_completion_has_all_words)
{
	io_connect_t connect = world_open();
	mach_port_t port = make_port();
	struct heard heard = {0};
	uint64_t reference[kOSAsyncRef64Count] = {
		0xdead, (uintptr_t)heard_n, (uintptr_t)&heard, 3, 4, 5, 6, 7};
	const uint64_t input[] = {(uint32_t)kIOReturnBusy, 5, 2, 40};
	struct OSNotificationHeader64 middle;
	struct message message;

	CHECK_EQ(IOConnectCallAsyncScalarMethod(connect, CONTRACT_FIRE_INSIDE, port, reference,
						kOSAsyncRef64Count, input, 4, NULL, NULL),
		 kIOReturnSuccess);
	for (unsigned i = 1; i <= 2; i++) {
		receive(port, &message);
		memcpy(&middle, message.rest, sizeof(middle));
		CHECK_EQ(middle.reference[kIOAsyncReservedIndex], 0);
		for (unsigned word = 3; word < 8; word++) {
			CHECK_EQ(middle.reference[word], word);
		}
		IODispatchCalloutFromMessage(NULL, &message.head, NULL);
		CHECK_EQ(heard.count, i);
		CHECK_EQ(heard.result[i - 1], kIOReturnBusy);
		CHECK_EQ(heard.nr_args[i - 1], 5);
		CHECK_EQ(heard.args[i - 1][1], (1ull << 32) + 39 + i);
	}
	world_close(connect);
	CHECK_EQ(mach_port_deallocate(mach_task_self(), port), KERN_SUCCESS);
}

static unsigned nr_iterators;

static void take_iterator(void *refcon, io_iterator_t iterator)
{
	nr_iterators++;
	CHECK_EQ(iterator, *(io_iterator_t *)refcon);
}

static void drain(io_iterator_t iterator)
{
	io_service_t service;

	while ((service = IOIteratorNext(iterator)) != IO_OBJECT_NULL) {
		CHECK_EQ(IOObjectRelease(service), kIOReturnSuccess);
	}
}

CONTRACT(message_tells_of_services_that_came)
{
	mach_port_t port = make_port();
	io_iterator_t iterator = IO_OBJECT_NULL;
	uint32_t type = 0;
	uintptr_t reference = 0;
	struct message message;

	CHECK_EQ(IOServiceAddNotification(kIOMainPortDefault, kIOFirstMatchNotification,
					  IOServiceNameMatching(CONTRACT_USB), port, 4711,
					  &iterator),
		 kIOReturnSuccess);
	drain(iterator);
	(void)world_attach("virtual:gadget-zero,speed=high");
	receive(port, &message);
	CHECK_EQ(OSGetNotificationFromMessage(&message.head, 0, &type, &reference, NULL, NULL),
		 kIOReturnSuccess);
	CHECK_EQ(type, kIOServiceMatchedNotificationType);
	CHECK_EQ(reference, 4711);
	CHECK_EQ(message.head.msgh_remote_port, iterator);
	io_service_t service = IOIteratorNext(iterator);
	CHECK_NE(service, IO_OBJECT_NULL);
	CHECK_EQ(IOObjectRelease(service), kIOReturnSuccess);
	CHECK_EQ(IOObjectRelease(iterator), kIOReturnSuccess);
	CHECK_EQ(IOObjectRelease(port), kIOReturnSuccess);
}

CONTRACT(message_of_a_notification_port_calls_back)
{
	IONotificationPortRef port = IONotificationPortCreate(kIOMainPortDefault);
	io_iterator_t iterator = IO_OBJECT_NULL;
	uint64_t device = world_attach("virtual:gadget-zero,speed=high");
	struct message message;

	CHECK_EQ(IOServiceAddMatchingNotification(port, kIOTerminatedNotification,
						  IOServiceNameMatching(CONTRACT_USB), take_iterator,
						  &iterator, &iterator),
		 kIOReturnSuccess);
	drain(iterator);
	world_detach(device);
	receive(IONotificationPortGetMachPort(port), &message);
	IODispatchCalloutFromMessage(NULL, &message.head, port);
	CHECK_EQ(nr_iterators, 1);
	CHECK_EQ(IOObjectRelease(iterator), kIOReturnSuccess);
	IONotificationPortDestroy(port);
}

static struct {
	unsigned count;
	io_service_t service;
	uint32_t type;
} interest;

static void note_interest(void *refcon, io_service_t service, uint32_t type, void *argument)
{
	(void)refcon;
	(void)argument;
	interest.count++;
	interest.service = service;
	interest.type = type;
}

CONTRACT(message_of_an_interest_names_the_service)
{
	uint64_t device = world_attach("virtual:gadget-zero,speed=high");
	io_service_t service = world_service(CONTRACT_USB);
	IONotificationPortRef port = IONotificationPortCreate(kIOMainPortDefault);
	io_object_t subscription = IO_OBJECT_NULL;
	struct message message;

	CHECK_EQ(IOServiceAddInterestNotification(port, service, kIOGeneralInterest, note_interest,
						  NULL, &subscription),
		 kIOReturnSuccess);
	world_detach(device);
	while (interest.type != kIOMessageServiceIsTerminated) {
		receive(IONotificationPortGetMachPort(port), &message);
		IODispatchCalloutFromMessage(NULL, &message.head, port);
	}
	CHECK_EQ(interest.service, service);
	CHECK_EQ(IOObjectRelease(subscription), kIOReturnSuccess);
	CHECK_EQ(IOObjectRelease(service), kIOReturnSuccess);
	IONotificationPortDestroy(port);
}

CONTRACT(message_notification_arguments_are_checked)
{
	mach_port_t port = make_port();
	io_iterator_t iterator = IO_OBJECT_NULL;

	CHECK_EQ(IOServiceAddNotification(0, kIOFirstMatchNotification, NULL, port, 0, &iterator),
		 kIOReturnBadArgument);
	CHECK_EQ(IOServiceAddNotification(0, kIOFirstMatchNotification, IOServiceNameMatching("x"),
					  0x4711, 0, &iterator),
		 kIOReturnBadArgument);
	CHECK_EQ(IOServiceAddNotification(0, kIOFirstMatchNotification, IOServiceNameMatching("x"),
					  port, 0, NULL),
		 kIOReturnBadArgument);
	CHECK_EQ(IOServiceAddNotification(0x4711, kIOFirstMatchNotification,
					  IOServiceNameMatching("x"), port, 0, &iterator),
		 kIOReturnNotPrivileged);
	CHECK_EQ(IOServiceAddNotification(0, "NoSuchKind", IOServiceNameMatching("x"), port, 0,
					  &iterator),
		 kIOReturnUnsupported);
	CHECK_EQ(iterator, IO_OBJECT_NULL);
	CHECK_EQ(mach_port_deallocate(mach_task_self(), port), KERN_SUCCESS);
}
