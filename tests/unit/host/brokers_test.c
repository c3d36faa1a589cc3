/* SPDX-License-Identifier: MIT
 *
 * brokers_test - brokers go and come: what ends with them, what the next one is told.
 */
#include "world.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/plist.h"
#include "wire/address.h"

TEST(host_of_a_private_broker_stops_its_services_and_ends_with_it)
{
	struct world world;

	world_begin(&world, DX_SETUP_EXIT_WITH_BROKER);
	world_start_good(&world, 10);
	int app = world_send_open(&world, 10, 0);
	CHECK_EQ(world_expect_id(&world, DX_WIRE_H_ADD_ENTRY), WORLD_FIRST_ID);
	CHECK_EQ(world_expect_id(&world, DX_WIRE_H_OPEN | DX_WIRE_REPLY), WORLD_FIRST_ID);
	dx_fd_close(&world.socket);
	CHECK_EQ(world_finish(&world), 0);
	(void)close(app);
}

/* A host that knows where its next broker will listen. */
static void begin_lasting_with(struct world *world, const OSDriverClass *const *table)
{
	world_begin_with(world, table);
	(void)snprintf(world->path, sizeof(world->path), "/tmp/opendext-host-%d", (int)getpid());
	world_send_setup(world, 0);
	CHECK_EQ(world_expect_reply(world, DX_WIRE_H_SETUP, NULL, 0), 0);
}

static void begin_lasting(struct world *world)
{
	begin_lasting_with(world, world_classes);
}

static void lose(struct world *world)
{
	dx_fd_close(&world->socket);
	(void)poll(NULL, 0, 20);
}

/* The next broker: listens, hears HELLO and ADOPT. @return what ADOPT brought, +1. */
static struct dx_dict *meet(struct world *world)
{
	struct dx_wire_message_in message;
	void *dict = NULL;

	if (world->listener < 0) {
		world->listener = dx_address_listen(world->path, 0600);
		CHECK_GE(world->listener, 0);
	}
	struct pollfd poll_fd = {.fd = world->listener, .events = POLLIN};
	CHECK_EQ(poll(&poll_fd, 1, 8000), 1);
	world->socket = accept4(world->listener, NULL, NULL, SOCK_CLOEXEC);
	CHECK_GE(world->socket, 0);
	world_receive(world, &message);
	CHECK_EQ(message.view.header.type, DX_WIRE_A_HELLO);
	CHECK_EQ(((const struct dx_wire_hello *)message.view.body)->role, DX_WIRE_ROLE_HOST);
	dx_wire_message_in_fini(&message);
	world_receive(world, &message);
	CHECK_EQ(message.view.header.type, DX_WIRE_H_ADOPT);
	CHECK_EQ(dx_wire_message_value(&message, &dx_dict_class, &dict), 0);
	dx_wire_message_in_fini(&message);
	return dict;
}

static void greet(struct world *world, int32_t status)
{
	const struct dx_wire_hello_reply body = {.broker_id = 2, .root_id = 1};

	CHECK_EQ(dx_link_send(world->socket, DX_WIRE_A_HELLO | DX_WIRE_REPLY, 1, status, &body,
			      sizeof(body), NULL, 0, NULL, 0, false),
		 0);
}

static const struct dx_dict *service_of(const struct dx_dict *dict, size_t index)
{
	const struct dx_array *services = dx_dict_get_array(dict, DX_ADOPT_SERVICES_KEY);

	CHECK(services != NULL);
	return index < dx_array_count(services) ? dx_array_get(services, index) : NULL;
}

TEST(host_brings_its_whole_state_to_the_next_broker)
{
	struct world world;

	begin_lasting(&world);
	world_start_good(&world, 10);
	int app = world_send_open(&world, 10, 0);
	CHECK_EQ(world_expect_id(&world, DX_WIRE_H_ADD_ENTRY), WORLD_FIRST_ID);
	CHECK_EQ(world_expect_id(&world, DX_WIRE_H_OPEN | DX_WIRE_REPLY), WORLD_FIRST_ID);
	lose(&world);
	struct dx_dict *dict = meet(&world);
	CHECK_STR_EQ(dx_dict_get_string(dict, DX_ADOPT_IDENTIFIER_KEY, ""), "org.example.Test");
	CHECK_STR_EQ(dx_dict_get_string(dict, DX_ADOPT_BUNDLE_KEY, ""), "/bundle");
	CHECK_STR_EQ(dx_dict_get_string(dict, DX_ADOPT_SERVER_KEY, ""), "server");
	CHECK_EQ(dx_dict_get_u64(dict, DX_ADOPT_PID_KEY, 0), (uint64_t)getpid());
	CHECK_EQ(dx_dict_get_u64(dict, DX_ADOPT_FIRST_ID_KEY, 0), WORLD_FIRST_ID);
	CHECK_EQ(dx_dict_get_u64(dict, DX_ADOPT_NR_IDS_KEY, 0), WORLD_NR_IDS);
	const struct dx_dict *service = service_of(dict, 0);
	CHECK_EQ(dx_dict_get_u64(service, DX_ENTRY_ID_KEY, 0), 10);
	CHECK(dx_dict_get_bool(service, DX_ENTRY_REGISTERED_KEY, false));
	CHECK_STR_EQ(dx_dict_get_string(dx_dict_get_dict(service, DX_ADOPT_START_KEY),
					DX_START_CLASS_KEY, ""),
		     "Good");
	CHECK_EQ(dx_dict_get_u64(service_of(dict, 1), DX_ENTRY_ID_KEY, 0), WORLD_FIRST_ID);
	CHECK_EQ(dx_dict_get_u64(service_of(dict, 1), DX_ENTRY_PARENT_KEY, 0), 10);
	CHECK(service_of(dict, 2) == NULL);
	dx_object_unref(dict);
	greet(&world, 0);
	(void)close(app);
	CHECK_EQ(world_expect_id(&world, DX_WIRE_H_REMOVE_ENTRY), WORLD_FIRST_ID);
	world_terminate(&world, 10);
	CHECK_EQ(world_finish(&world), 0);
}

TEST(host_tells_the_next_broker_what_is_no_state)
{
	struct world world;

	begin_lasting(&world);
	world_send_start(&world, 10, "Talker");
	while (world_expect_id(&world, DX_WIRE_H_SET_PROPERTIES) != 10) {
	}
	lose(&world);
	struct dx_dict *dict = meet(&world);
	const struct dx_dict *service = service_of(dict, 0);
	CHECK_STR_EQ(dx_dict_get_string(service, DX_ENTRY_NAME_KEY, ""), "Talkative");
	CHECK_STR_EQ(dx_dict_get_string(dx_dict_get_dict(service, DX_ADOPT_USER_PROPERTIES_KEY),
					"Said", ""),
		     "yes");
	dx_object_unref(dict);
	struct dx_wire_message_in message;
	world_receive(&world, &message);
	CHECK_EQ(message.view.header.type, DX_WIRE_H_ADJUST_BUSY);
	CHECK_EQ(((const struct dx_wire_adjust *)message.view.body)->delta, 2);
	dx_wire_message_in_fini(&message);
	CHECK_EQ(world_expect_id(&world, DX_WIRE_H_TERMINATE_REQUEST), 10);
	world_terminate(&world, 10);
	CHECK_EQ(world_finish(&world), 0);
}

TEST(host_does_not_answer_the_next_broker_for_the_last_one)
{
	struct world world;

	begin_lasting(&world);
	world_start_good(&world, 9);
	world_send_start(&world, 10, "Slow");
	world_wait_for_driver();
	lose(&world);
	dx_object_unref(meet(&world));
	world_gate = true;
	world_terminate(&world, 10); /* whose reply is the next message */
	world_terminate(&world, 9);
	CHECK_EQ(world_finish(&world), 0);
}

TEST(host_tells_the_next_broker_that_a_start_failed)
{
	struct world world;

	begin_lasting(&world);
	world_start_good(&world, 9);
	world_send_start(&world, 10, "SlowFail");
	world_wait_for_driver();
	lose(&world);
	struct dx_dict *dict = meet(&world);
	CHECK_EQ(dx_dict_get_u64(service_of(dict, 1), DX_ENTRY_ID_KEY, 0), 10);
	dx_object_unref(dict);
	world_gate = true;
	CHECK_EQ(world_expect_id(&world, DX_WIRE_H_REMOVE_ENTRY), 10);
	world_terminate(&world, 9);
	CHECK_EQ(world_finish(&world), 0);
}

TEST(host_without_services_ends_with_any_broker)
{
	struct world world;

	begin_lasting(&world);
	lose(&world);
	CHECK_EQ(world_finish(&world), 0);
}

TEST(host_whose_last_service_ends_without_broker_ends)
{
	struct world world;

	begin_lasting(&world);
	world_send_start(&world, 10, "Late");
	CHECK_EQ(world_expect_reply(&world, DX_WIRE_H_START, NULL, 0), 0);
	world_send_id(&world, DX_WIRE_H_TERMINATE, 10);
	world_wait_for_driver();
	lose(&world);
	world_gate = true;
	CHECK_EQ(world_finish(&world), 0);
}

TEST(host_that_the_next_broker_refuses_ends)
{
	struct world world;

	begin_lasting(&world);
	world_start_good(&world, 10);
	lose(&world);
	dx_object_unref(meet(&world));
	greet(&world, kIOReturnNotPermitted);
	world_expect_eof(&world);
	CHECK_EQ(world_finish(&world), 0);
}

TEST(host_survives_any_number_of_brokers)
{
	struct world world;

	begin_lasting(&world);
	world_start_good(&world, 10);
	for (unsigned i = 0; i < 3; i++) {
		lose(&world);
		struct dx_dict *dict = meet(&world);
		CHECK_EQ(dx_dict_get_u64(service_of(dict, 0), DX_ENTRY_ID_KEY, 0), 10);
		dx_object_unref(dict);
		greet(&world, 0);
	}
	world_terminate(&world, 10);
	CHECK_EQ(world_finish(&world), 0);
}

/* ---- a driver that watches services: its name says what it has heard ---- */

#define WATCHED 77u

static IOServiceNotificationDispatchSource *watch_source;
static OSAction *watch_action;

static void heard(void *context, uint64_t type, IOService *service, uint64_t options)
{
	char name[64];
	uint64_t id = 0;

	(void)options;
	CHECK_EQ(IOServiceGetRegistryEntryID(service, &id), 0);
	(void)snprintf(name, sizeof(name), "%s %u",
		       type == kIOServiceNotificationTypeMatched ? "came" : "went", (unsigned)id);
	CHECK_EQ(IOServiceSetName(context, name), 0);
}

static void watch_ready(OSObject *target, OSAction *action)
{
	(void)action;
	CHECK_EQ(IOServiceNotificationDispatchSourceDeliverNotifications(watch_source, target,
									 heard),
		 0);
}

static kern_return_t watcher_start(IOService *self, IOService *provider)
{
	OSDictionary *matching = IOServiceCreateNameMatchingDictionary("Thing", NULL);
	IODispatchQueue *queue = NULL;

	(void)provider;
	CHECK_EQ(IOServiceCopyDispatchQueue(self, "Default", &queue), 0);
	CHECK_EQ(IOServiceNotificationDispatchSourceCreate(matching, 0, queue, &watch_source), 0);
	CHECK_EQ(IOServiceNotificationDispatchSourceCreateActionServiceNotificationReady(
			 OS_OBJECT(self), watch_ready, 0, &watch_action),
		 0);
	CHECK_EQ(IOServiceNotificationDispatchSourceSetHandler(watch_source, watch_action), 0);
	OSRelease(queue);
	OSRelease(matching);
	return kIOReturnSuccess;
}

static kern_return_t watcher_stop(IOService *self, IOService *provider);
static const OSDriverClass watcher_class = {.name = "Watcher",
					    .super = &IOServiceClass,
					    .Start = watcher_start,
					    .Stop = watcher_stop};
static const OSDriverClass *const watcher_classes[] = {&watcher_class, NULL};

static kern_return_t watcher_stop(IOService *self, IOService *provider)
{
	CHECK_EQ(IOServiceNotificationDispatchSourceCancel(watch_source, NULL, NULL), 0);
	CHECK_EQ(OSActionCancel(watch_action, NULL, NULL), 0);
	OSRelease(watch_source);
	OSRelease(watch_action);
	return IOServiceSuperStop(&watcher_class, self, provider);
}

static void tell_matched(struct world *world, uint64_t cookie, uint64_t id)
{
	const struct dx_wire_service body = {.cookie = cookie, .id = id};
	struct dx_dict *dict = dx_dict_new();

	CHECK_EQ(dx_dict_set_string(dict, DX_SERVICE_CLASS_KEY, "IOUserService"), 0);
	CHECK_EQ(dx_dict_set_string(dict, DX_SERVICE_NAME_KEY, "Thing"), 0);
	world_send_value(world, DX_WIRE_H_SERVICE_MATCHED, &body, sizeof(body), dict);
	dx_object_unref(dict);
}

static void tell_terminated(struct world *world, uint64_t cookie, uint64_t id)
{
	const struct dx_wire_service body = {.cookie = cookie, .id = id};

	CHECK_EQ(dx_link_send(world->socket, DX_WIRE_H_SERVICE_TERMINATED, 0, 0, &body,
			      sizeof(body), NULL, 0, NULL, 0, false),
		 0);
}

static void expect_name(struct world *world, const char *expected)
{
	struct dx_wire_message_in message;
	char *name = NULL;

	world_receive(world, &message);
	CHECK_EQ(message.view.header.type, DX_WIRE_H_SET_NAME);
	CHECK_EQ(dx_wire_message_text(&message, 63, &name), 0);
	CHECK_STR_EQ(name, expected);
	free(name);
	dx_wire_message_in_fini(&message);
}

/* @return the cookie of its watch. */
static uint64_t start_watcher(struct world *world)
{
	begin_lasting_with(world, watcher_classes);
	world_send_start(world, 10, "Watcher");
	uint64_t cookie = world_expect_id(world, DX_WIRE_H_WATCH);
	CHECK_EQ(world_expect_id(world, DX_WIRE_H_START | DX_WIRE_REPLY), 0);
	return cookie;
}

static void stop_watcher(struct world *world, uint64_t cookie)
{
	world_send_id(world, DX_WIRE_H_TERMINATE, 10);
	CHECK_EQ(world_expect_id(world, DX_WIRE_H_UNWATCH), cookie);
	CHECK_EQ(world_expect_reply(world, DX_WIRE_H_TERMINATE, NULL, 0), 0);
	CHECK_EQ(world_finish(world), 0);
}

TEST(driver_hears_of_services_that_it_watches)
{
	struct world world;
	uint64_t cookie = start_watcher(&world);

	tell_matched(&world, cookie + 1, 5); /* a watch that has ended */
	tell_matched(&world, cookie, WATCHED);
	expect_name(&world, "came 77");
	tell_terminated(&world, cookie, WATCHED);
	expect_name(&world, "went 77");
	stop_watcher(&world, cookie);
}

TEST(next_broker_is_asked_again_and_what_it_lacks_has_gone)
{
	struct world world;
	uint64_t cookie = start_watcher(&world);

	tell_matched(&world, cookie, WATCHED);
	expect_name(&world, "came 77");
	world_send_id(&world, DX_WIRE_H_SERVICES_TOLD, cookie);
	lose(&world);
	dx_object_unref(meet(&world));
	CHECK_EQ(world_expect_id(&world, DX_WIRE_H_WATCH), cookie);
	greet(&world, 0);
	tell_matched(&world, cookie, WATCHED + 1);
	expect_name(&world, "came 78");
	world_send_id(&world, DX_WIRE_H_SERVICES_TOLD, cookie);
	expect_name(&world, "went 77");
	stop_watcher(&world, cookie);
}

TEST(service_without_a_description_breaks_the_conversation)
{
	struct world world;
	uint64_t cookie = start_watcher(&world);
	const struct dx_wire_service body = {.cookie = cookie, .id = WATCHED};

	CHECK_EQ(dx_link_send(world.socket, DX_WIRE_H_SERVICE_MATCHED, 0, 0, &body, sizeof(body),
			      "no list", 7, NULL, 0, false),
		 0);
	dx_fd_close(&world.socket);
	dx_object_unref(meet(&world)); /* it has left this broker, for the next */
	CHECK_EQ(world_expect_id(&world, DX_WIRE_H_WATCH), cookie);
	greet(&world, 0);
	stop_watcher(&world, cookie);
}
