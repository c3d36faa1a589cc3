/* SPDX-License-Identifier: MIT
 *
 * notify_test - services that come and go, and messages of services.
 */
#include "support/world.h"

#define DEVICE "virtual:gadget-zero,speed=high"

struct seen {
	unsigned nr_calls;
	unsigned nr_services;
	uint64_t ids[64];
	bool drain;
};

static void take_all(struct seen *seen, io_iterator_t iterator)
{
	for (io_service_t service = IOIteratorNext(iterator); service != IO_OBJECT_NULL;
	     service = IOIteratorNext(iterator)) {
		seen->ids[seen->nr_services++ % 64] = world_registry_id(service);
		CHECK_EQ(IOObjectRelease(service), kIOReturnSuccess);
	}
}

static void matched(void *refcon, io_iterator_t iterator)
{
	struct seen *seen = refcon;

	seen->nr_calls++;
	if (seen->drain) {
		take_all(seen, iterator);
	}
}

static io_iterator_t watch(IONotificationPortRef port, const char *kind, const char *name,
			   struct seen *seen)
{
	io_iterator_t iterator = IO_OBJECT_NULL;

	CHECK_EQ(IOServiceAddMatchingNotification(port, kind, IOServiceNameMatching(name), matched,
						  seen, &iterator),
		 kIOReturnSuccess);
	return iterator;
}

static void dispatch_until(IONotificationPortRef port, const unsigned *count, unsigned wanted)
{
	while (*count < wanted) {
		CHECK_GE(IONotificationPortDispatch(port, (int)WORLD_WAIT_MS), 1);
	}
}

CONTRACT(notify_first_match_gives_what_is_there)
{
	IONotificationPortRef port = IONotificationPortCreate(kIOMainPortDefault);
	struct seen seen = {.drain = true};
	io_service_t service = world_service(CONTRACT_SERVICE);
	io_iterator_t iterator = watch(port, kIOFirstMatchNotification, CONTRACT_SERVICE, &seen);

	CHECK(IOIteratorIsValid(iterator));
	take_all(&seen, iterator);
	CHECK_EQ(seen.nr_services, 1);
	CHECK_EQ(seen.ids[0], world_registry_id(service));
	IOIteratorReset(iterator); /* does nothing to a notification */
	take_all(&seen, iterator);
	CHECK_EQ(seen.nr_services, 1);
	CHECK_EQ(seen.nr_calls, 0);
	CHECK_EQ(IOObjectRelease(iterator), kIOReturnSuccess);
	CHECK_EQ(IOObjectRelease(service), kIOReturnSuccess);
	IONotificationPortDestroy(port);
}

CONTRACT(notify_device_comes_and_goes)
{
	IONotificationPortRef port = IONotificationPortCreate(kIOMainPortDefault);
	struct seen came = {.drain = true};
	struct seen went = {.drain = true};
	io_iterator_t coming = watch(port, kIOFirstMatchNotification, CONTRACT_USB, &came);
	io_iterator_t going = watch(port, kIOTerminatedNotification, CONTRACT_USB, &went);

	take_all(&came, coming);
	take_all(&went, going);
	CHECK_EQ(came.nr_services + went.nr_services, 0);
	for (unsigned round = 1; round <= 3; round++) {
		uint64_t device = world_attach(DEVICE);

		dispatch_until(port, &came.nr_services, round);
		CHECK_EQ(went.nr_services, round - 1);
		world_detach(device);
		dispatch_until(port, &went.nr_services, round);
		CHECK_EQ(came.ids[round - 1], went.ids[round - 1]);
		CHECK_EQ(came.nr_calls, round);
		CHECK_EQ(went.nr_calls, round);
	}
	/* Each time a new service. */
	CHECK_NE(came.ids[0], came.ids[1]);
	CHECK_NE(came.ids[1], came.ids[2]);
	CHECK_EQ(IOObjectRelease(coming), kIOReturnSuccess);
	CHECK_EQ(IOObjectRelease(going), kIOReturnSuccess);
	IONotificationPortDestroy(port);
}

CONTRACT(notify_is_not_armed_before_it_is_drained)
{
	IONotificationPortRef port = IONotificationPortCreate(kIOMainPortDefault);
	struct seen seen = {.drain = false};
	struct seen other = {.drain = true};
	io_iterator_t iterator = watch(port, kIOFirstMatchNotification, CONTRACT_USB, &seen);
	io_iterator_t marker = watch(port, kIOFirstMatchNotification, CONTRACT_USB, &other);
	uint64_t device;

	take_all(&other, marker);
	device = world_attach(DEVICE);
	dispatch_until(port, &other.nr_services, 1);
	CHECK_EQ(seen.nr_calls, 0); /* never drained: not armed */
	take_all(&seen, iterator);
	CHECK_EQ(seen.nr_services, 1);
	world_detach(device);
	device = world_attach(DEVICE);
	dispatch_until(port, &other.nr_services, 2);
	/* Armed now: one message, and no second one while its callback leaves the iterator full. */
	dispatch_until(port, &seen.nr_calls, 1);
	world_detach(device);
	device = world_attach(DEVICE);
	dispatch_until(port, &other.nr_services, 3);
	CHECK_EQ(seen.nr_calls, 1);
	take_all(&seen, iterator);
	CHECK_EQ(seen.nr_services, 3);
	/* Last in, first out. */
	CHECK_EQ(seen.ids[1], other.ids[2]);
	CHECK_EQ(seen.ids[2], other.ids[1]);
	CHECK_EQ(IOObjectRelease(iterator), kIOReturnSuccess);
	CHECK_EQ(IOObjectRelease(marker), kIOReturnSuccess);
	world_detach(device);
	IONotificationPortDestroy(port);
}

CONTRACT(notify_released_iterator_is_silent)
{
	IONotificationPortRef port = IONotificationPortCreate(kIOMainPortDefault);
	struct seen released = {.drain = true};
	struct seen other = {.drain = true};
	io_iterator_t iterator = watch(port, kIOFirstMatchNotification, CONTRACT_USB, &released);
	io_iterator_t marker = watch(port, kIOFirstMatchNotification, CONTRACT_USB, &other);

	take_all(&released, iterator);
	take_all(&other, marker);
	CHECK_EQ(IOObjectRelease(iterator), kIOReturnSuccess);
	(void)world_attach(DEVICE);
	dispatch_until(port, &other.nr_services, 1);
	CHECK_EQ(released.nr_calls, 0);
	CHECK_EQ(IOObjectRelease(marker), kIOReturnSuccess);
	IONotificationPortDestroy(port);
}

CONTRACT(notify_bad_arguments)
{
	IONotificationPortRef port = IONotificationPortCreate(kIOMainPortDefault);
	struct seen seen = {0};
	io_iterator_t iterator;
	io_object_t interest;
	io_service_t service = world_service(CONTRACT_SERVICE);

	CHECK_EQ(IOServiceAddMatchingNotification(port, kIOFirstMatchNotification, NULL, matched,
						  &seen, &iterator),
		 kIOReturnBadArgument);
	CHECK_EQ(IOServiceAddMatchingNotification(NULL, kIOFirstMatchNotification,
						  IOServiceNameMatching("x"), matched, &seen,
						  &iterator),
		 kIOReturnBadArgument);
	CHECK_EQ(IOServiceAddMatchingNotification(port, kIOFirstMatchNotification,
						  IOServiceNameMatching("x"), matched, &seen, NULL),
		 kIOReturnBadArgument);
	CHECK_EQ(IOServiceAddMatchingNotification(port, "IOServiceNoSuchKind",
						  IOServiceNameMatching("x"), matched, &seen,
						  &iterator),
		 kIOReturnUnsupported);
	CHECK_NE(IOServiceAddInterestNotification(port, IO_OBJECT_NULL, kIOGeneralInterest, NULL,
						  NULL, &interest),
		 kIOReturnSuccess);
	CHECK_EQ(IOServiceAddInterestNotification(NULL, service, kIOGeneralInterest, NULL, NULL,
						  &interest),
		 kIOReturnBadArgument);
	CHECK_EQ(IOObjectRelease(service), kIOReturnSuccess);
	IONotificationPortDestroy(port);
	IONotificationPortDestroy(NULL);
	CHECK_EQ(IONotificationPortCreate(0x7ffffff5), NULL);
	CHECK_EQ(IONotificationPortGetMachPort(NULL), 0);
}

struct interested {
	unsigned nr_messages;
	unsigned nr_terminated;
	io_service_t service;
	io_service_t got_service;
	void *argument;
};

static void message_came(void *refcon, io_service_t service, uint32_t type, void *argument)
{
	struct interested *interested = refcon;

	interested->nr_messages++;
	if (type == kIOMessageServiceIsTerminated) {
		interested->nr_terminated++;
		interested->got_service = service;
		interested->argument = argument;
	}
}

CONTRACT(notify_interest_hears_of_the_end)
{
	IONotificationPortRef port = IONotificationPortCreate(kIOMainPortDefault);
	uint64_t device = world_attach(DEVICE);
	struct interested interested = {.service = world_service(CONTRACT_USB),
					.argument = &interested};
	io_object_t notification;

	CHECK_EQ(IOServiceAddInterestNotification(port, interested.service, kIOGeneralInterest,
						  message_came, &interested, &notification),
		 kIOReturnSuccess);
	CHECK_EQ(IONotificationPortDispatch(port, 0), 0);
	world_detach(device);
	dispatch_until(port, &interested.nr_terminated, 1);
	CHECK_EQ(interested.got_service, interested.service);
	CHECK_EQ(interested.argument, NULL);
	CHECK_EQ(interested.nr_terminated, 1);
	CHECK_EQ(IOObjectRelease(notification), kIOReturnSuccess);
	CHECK_EQ(IOObjectRelease(interested.service), kIOReturnSuccess);
	IONotificationPortDestroy(port);
}

CONTRACT(notify_service_that_ends_itself)
{
	IONotificationPortRef port = IONotificationPortCreate(kIOMainPortDefault);
	struct seen went = {.drain = true};
	struct interested interested = {.service = world_service(CONTRACT_SERVICE)};
	io_object_t notification;
	io_connect_t connect = world_open();
	io_iterator_t going = watch(port, kIOTerminatedNotification, CONTRACT_SERVICE, &went);
	uint64_t id = world_registry_id(interested.service);

	take_all(&went, going);
	CHECK_EQ(IOServiceAddInterestNotification(port, interested.service, kIOGeneralInterest,
						  message_came, &interested, &notification),
		 kIOReturnSuccess);
	DO(connect, CONTRACT_TERMINATE);
	dispatch_until(port, &interested.nr_terminated, 1);
	dispatch_until(port, &went.nr_services, 1);
	CHECK_EQ(went.ids[0], id);
	/* Its connections are dead, and closing one is no error. */
	CHECK_NE(TRY(connect, CONTRACT_LEAVE_OUTPUT), kIOReturnSuccess);
	world_close(connect);
	CHECK_EQ(IOObjectRelease(going), kIOReturnSuccess);
	CHECK_EQ(IOObjectRelease(notification), kIOReturnSuccess);
	CHECK_EQ(IOObjectRelease(interested.service), kIOReturnSuccess);
	IONotificationPortDestroy(port);
}

/* What was outstanding never comes, so nobody waits for it for ever. */
CONTRACT(notify_end_of_a_connection_ends_the_wait)
{
	IONotificationPortRef port = IONotificationPortCreate(kIOMainPortDefault);
	IONotificationPortRef other = IONotificationPortCreate(kIOMainPortDefault);
	io_connect_t connect = world_open();
	struct heard heard = {0};
	struct heard unheard = {0};
	const uint64_t input[] = {0, 3, 20, 0};

	(void)world_keep(connect, port, REFERENCE(heard_0, &unheard));
	(void)world_keep(connect, other, REFERENCE(heard_0, &unheard));
	CHECK_EQ(IONotificationPortDispatch(port, 0), 0); /* it has not ended */
	CHECK_EQ(world_async(connect, CONTRACT_FIRE_INSIDE, port, REFERENCE(heard_n, &heard), input,
			     4, NULL, 0),
		 kIOReturnSuccess);
	DO(connect, CONTRACT_TERMINATE);
	while (heard.count < 20) { /* what was sent before comes first */
		CHECK_GE(IONotificationPortDispatch(port, -1), 1);
	}
	CHECK_EQ(IONotificationPortDispatch(port, -1), 0);
	CHECK_EQ(IONotificationPortDispatch(other, -1), 0); /* each port that waits for it */
	CHECK_EQ(unheard.count, 0);
	CHECK_NE(TRY(connect, CONTRACT_LEAVE_OUTPUT), kIOReturnSuccess);
	world_close(connect);
	IONotificationPortDestroy(port);
	IONotificationPortDestroy(other);
}

static void matched_and_stop(void *refcon, io_iterator_t iterator)
{
	matched(refcon, iterator);
	CFRunLoopStop(CFRunLoopGetCurrent());
}

CONTRACT(notify_by_run_loop)
{
	IONotificationPortRef port = IONotificationPortCreate(kIOMainPortDefault);
	struct seen seen = {.drain = true};
	io_iterator_t iterator;

	CFRunLoopAddSource(CFRunLoopGetCurrent(), IONotificationPortGetRunLoopSource(port),
			   kCFRunLoopDefaultMode);
	CHECK_EQ(IOServiceAddMatchingNotification(port, kIOFirstMatchNotification,
						  IOServiceNameMatching(CONTRACT_USB),
						  matched_and_stop, &seen, &iterator),
		 kIOReturnSuccess);
	take_all(&seen, iterator);
	(void)world_attach(DEVICE);
	while (seen.nr_services == 0) {
		CFRunLoopRun();
	}
	CHECK_EQ(seen.nr_services, 1);
	CHECK_EQ(IOObjectRelease(iterator), kIOReturnSuccess);
	IONotificationPortDestroy(port);
}
