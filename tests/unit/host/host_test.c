/* SPDX-License-Identifier: MIT
 *
 * host_test - the conversation of a host with its broker, the broker being the test: H1, H2, the
 * end of the last service, brokers that go and come, messages that are wrong.
 */
#include "host/host.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "backend/virtual/virtual.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/plist.h"
#include "test.h"
#include "wire/address.h"
#include "wire/link.h"

#define FIRST_ID 1000u
#define NR_IDS   100u

/* ---- the driver ---- */

static _Atomic bool gate; /* lets Slow's Start and Late's Stop go on */
static _Atomic unsigned nr_waiting;

static void wait_at_gate(void)
{
	nr_waiting++;
	while (!gate) {
		(void)poll(NULL, 0, 1);
	}
}

static kern_return_t good_start(IOService *self, IOService *provider)
{
	(void)provider;
	return IOServiceRegisterService(self);
}

static kern_return_t good_new_user_client(IOService *self, uint32_t type, IOUserClient **client)
{
	IOService *made = NULL;
	kern_return_t status = type != 0 ? kIOReturnUnsupported
					 : IOServiceCreate(self, "UserClientProperties", &made);

	*client = (IOUserClient *)made;
	return status;
}

static kern_return_t fail_start(IOService *self, IOService *provider)
{
	(void)self;
	(void)provider;
	return kIOReturnNoDevice;
}

static bool init_false(OSObject *self)
{
	(void)self;
	return false;
}

static kern_return_t slow_start(IOService *self, IOService *provider)
{
	(void)self;
	(void)provider;
	wait_at_gate();
	return kIOReturnSuccess;
}

static kern_return_t slow_fail(IOService *self, IOService *provider)
{
	(void)slow_start(self, provider);
	return kIOReturnNoDevice;
}

static const OSDriverClass LateClass;

static kern_return_t late_stop(IOService *self, IOService *provider)
{
	wait_at_gate();
	return IOServiceSuperStop(&LateClass, self, provider);
}

static kern_return_t talker_start(IOService *self, IOService *provider)
{
	OSDictionary *properties = OSDictionaryCreate();

	(void)provider;
	(void)OSDictionarySetStringValue(properties, "Said", "yes");
	(void)IOServiceSetProperties(self, properties);
	OSRelease(properties);
	(void)IOServiceSetName(self, "Talkative");
	(void)IOServiceAdjustBusy(self, 3);
	(void)IOServiceAdjustBusy(self, -1);
	(void)IOServiceRegisterService(self);
	return IOServiceTerminate(self, 0);
}

static const OSDriverClass GoodClass = {.name = "Good",
					.super = &IOServiceClass,
					.Start = good_start,
					.NewUserClient = good_new_user_client};
static const OSDriverClass ClientClass = {.name = "Client", .super = &IOUserClientClass};
static kern_return_t gated_new_user_client(IOService *self, uint32_t type, IOUserClient **client)
{
	IOService *made = NULL;
	kern_return_t status = IOServiceCreate(self, "UserClientProperties", &made);

	(void)type;
	wait_at_gate();
	*client = (IOUserClient *)made;
	return status;
}

static const OSDriverClass GatedClass = {
	.name = "Gated", .super = &IOServiceClass, .NewUserClient = gated_new_user_client};
static const OSDriverClass FailingClientClass = {
	.name = "FailingClient", .super = &IOUserClientClass, .Start = slow_fail};

static const OSDriverClass FailClass = {
	.name = "Fail", .super = &IOServiceClass, .Start = fail_start};
static const OSDriverClass UnmadeClass = {
	.name = "Unmade", .super = &IOServiceClass, .init = init_false};
static const OSDriverClass SlowClass = {
	.name = "Slow", .super = &IOServiceClass, .Start = slow_start};
static const OSDriverClass SlowFailClass = {
	.name = "SlowFail", .super = &IOServiceClass, .Start = slow_fail};
static const OSDriverClass LateClass = {
	.name = "Late", .super = &IOServiceClass, .Stop = late_stop};
static const OSDriverClass TalkerClass = {
	.name = "Talker", .super = &IOServiceClass, .Start = talker_start};
static const OSDriverClass *const classes[] = {
	&GoodClass,          &ClientClass,   &FailClass, &UnmadeClass, &SlowClass, &GatedClass,
	&FailingClientClass, &SlowFailClass, &LateClass, &TalkerClass, NULL};

static const OSDriverClass NamelessClass = {.super = &IOServiceClass};
static const OSDriverClass *const wrong_classes[] = {&NamelessClass, NULL};

/* ---- the host in its thread ---- */

static const struct dx_usb_backend_ops *const backends[] = {&dx_backend_virtual, NULL};

struct world {
	pthread_t thread;
	struct dx_host_options options;
	int socket; /* the broker's end */
	int result;
	uint32_t seq;
	char path[108];
	int listener;
};

static void *run(void *argument)
{
	struct world *world = argument;

	world->result = dx_host_run(&world->options);
	return NULL;
}

static void begin_with(struct world *world, const OSDriverClass *const *table)
{
	int fds[2];

	*world = (struct world){.listener = -1};
	CHECK_EQ(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds), 0);
	world->socket = fds[0];
	world->options = (struct dx_host_options){
		.socket = fds[1], .backends = backends, .classes = table, .spin_budget_ns = 1000};
	CHECK_EQ(pthread_create(&world->thread, NULL, run, world), 0);
}

/* Waits for the host to end by itself. @return its result. */
static int finish(struct world *world)
{
	struct timespec limit;

	(void)clock_gettime(CLOCK_REALTIME, &limit);
	limit.tv_sec += 10;
	CHECK_EQ(pthread_timedjoin_np(world->thread, NULL, &limit), 0);
	dx_fd_close(&world->socket);
	if (world->listener >= 0) {
		char lock[128];
		dx_fd_close(&world->listener);
		(void)unlink(world->path);
		(void)snprintf(lock, sizeof(lock), "%s.lock", world->path);
		(void)unlink(lock);
	}
	return world->result;
}

static void send_value(struct world *world, uint16_t type, const void *body, size_t length,
		       const void *value)
{
	CHECK_EQ(dx_link_send_value(world->socket, type, ++world->seq, 0, body, length, value,
				    false),
		 0);
}

static void send_id(struct world *world, uint16_t type, uint64_t id)
{
	const struct dx_wire_id body = {.id = id};

	CHECK_EQ(dx_link_send(world->socket, type, ++world->seq, 0, &body, sizeof(body), NULL, 0,
			      NULL, 0, false),
		 0);
}

/* The next message, which must come soon. */
static void receive(struct world *world, struct dx_wire_message_in *message)
{
	struct pollfd poll_fd = {.fd = world->socket, .events = POLLIN};

	CHECK_EQ(poll(&poll_fd, 1, 8000), 1);
	CHECK_EQ(dx_link_receive(world->socket, true, message), 1);
}

static uint64_t expect_id(struct world *world, uint16_t type)
{
	struct dx_wire_message_in message;

	receive(world, &message);
	if (message.view.header.type != type) {
		FAIL("expected %s, got %s", dx_wire_type_name(type),
		     dx_wire_type_name(message.view.header.type));
	}
	uint64_t id = ((const struct dx_wire_id *)message.view.body)->id;
	dx_wire_message_in_fini(&message);
	return id;
}

/* @return the status of the reply to the last request. */
static int32_t expect_reply(struct world *world, uint16_t type, char *text, size_t size)
{
	struct dx_wire_message_in message;

	receive(world, &message);
	if (message.view.header.type != (type | DX_WIRE_REPLY)) {
		FAIL("expected the reply of %s, got %s", dx_wire_type_name(type),
		     dx_wire_type_name(message.view.header.type));
	}
	CHECK_EQ(message.view.header.seq, world->seq);
	int32_t status = message.view.header.status;
	if (text != NULL) {
		char *copy = NULL;
		CHECK_EQ(dx_wire_message_text(&message, size - 1, &copy), 0);
		(void)snprintf(text, size, "%s", copy);
		free(copy);
	}
	dx_wire_message_in_fini(&message);
	return status;
}

static void expect_eof(struct world *world)
{
	struct pollfd poll_fd = {.fd = world->socket, .events = POLLIN};
	struct dx_wire_message_in message;

	CHECK_EQ(poll(&poll_fd, 1, 8000), 1);
	CHECK_LE(dx_link_receive(world->socket, true, &message), 0);
}

static void send_setup(struct world *world, uint32_t flags)
{
	const struct dx_wire_setup body = {.first_id = FIRST_ID, .nr_ids = NR_IDS, .flags = flags};
	struct dx_dict *dict = dx_dict_new();

	CHECK_EQ(dx_dict_set_string(dict, DX_SETUP_IDENTIFIER_KEY, "org.example.Test"), 0);
	CHECK_EQ(dx_dict_set_string(dict, DX_SETUP_BUNDLE_KEY, "/bundle"), 0);
	CHECK_EQ(dx_dict_set_string(dict, DX_SETUP_SERVER_KEY, "server"), 0);
	if (world->path[0] != '\0') {
		CHECK_EQ(dx_dict_set_string(dict, DX_SETUP_BROKER_KEY, world->path), 0);
	}
	send_value(world, DX_WIRE_H_SETUP, &body, sizeof(body), dict);
	dx_object_unref(dict);
}

static void begin(struct world *world, uint32_t flags)
{
	begin_with(world, classes);
	send_setup(world, flags);
	CHECK_EQ(expect_reply(world, DX_WIRE_H_SETUP, NULL, 0), 0);
}

static void set_dict(struct dx_dict *dict, const char *key, struct dx_dict *value)
{
	CHECK_EQ(dx_dict_set(dict, key, value), 0);
	dx_object_unref(value);
}

static void send_start_of(struct world *world, uint64_t id, const char *class_name,
			  const char *client_class)
{
	const struct dx_wire_start body = {.id = id, .provider_id = 5};
	struct dx_dict *dict = dx_dict_new();
	struct dx_dict *provider = dx_dict_new();
	struct dx_dict *properties = dx_dict_new();
	struct dx_dict *client = dx_dict_new();

	CHECK_EQ(dx_dict_set_string(provider, DX_START_PROVIDER_CLASS_KEY, "IOUserResources"), 0);
	CHECK_EQ(dx_dict_set_string(client, "IOClass", "IOUserUserClient"), 0);
	CHECK_EQ(dx_dict_set_string(client, "IOUserClass", client_class), 0);
	set_dict(properties, "UserClientProperties", client);
	CHECK_EQ(dx_dict_set_string(dict, DX_START_CLASS_KEY, class_name), 0);
	set_dict(dict, DX_START_PROPERTIES_KEY, properties);
	set_dict(dict, DX_START_PROVIDER_KEY, provider);
	send_value(world, DX_WIRE_H_START, &body, sizeof(body), dict);
	dx_object_unref(dict);
}

static void send_start(struct world *world, uint64_t id, const char *class_name)
{
	send_start_of(world, id, class_name, "Client");
}

/* @return the application's end. */
static int send_open(struct world *world, uint64_t id, uint32_t type)
{
	const struct dx_wire_host_open body = {
		.service_id = id, .type = type, .pid = 1, .name = "app"};
	int fds[2];

	CHECK_EQ(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds), 0);
	CHECK_EQ(dx_link_send(world->socket, DX_WIRE_H_OPEN, ++world->seq, 0, &body, sizeof(body),
			      NULL, 0, &fds[1], 1, false),
		 0);
	(void)close(fds[1]);
	return fds[0];
}

static void start_good(struct world *world, uint64_t id)
{
	send_start(world, id, "Good");
	CHECK_EQ(expect_id(world, DX_WIRE_H_REGISTER), id);
	CHECK_EQ(expect_reply(world, DX_WIRE_H_START, NULL, 0), 0);
}

static void terminate(struct world *world, uint64_t id)
{
	send_id(world, DX_WIRE_H_TERMINATE, id);
	CHECK_EQ(expect_reply(world, DX_WIRE_H_TERMINATE, NULL, 0), 0);
}

/* ---- SETUP ---- */

TEST(host_whose_bundle_cannot_be_loaded_says_why_and_ends)
{
	struct world world;
	char text[512];
	const struct dx_wire_setup body = {.first_id = 1, .nr_ids = 1};
	struct dx_dict *dict = dx_dict_new();

	begin_with(&world, NULL);
	CHECK_EQ(dx_dict_set_string(dict, DX_SETUP_BUNDLE_KEY, "/nowhere"), 0);
	CHECK_EQ(dx_dict_set_string(dict, DX_SETUP_EXECUTABLE_KEY, "/nowhere/driver"), 0);
	send_value(&world, DX_WIRE_H_SETUP, &body, sizeof(body), dict);
	dx_object_unref(dict);
	CHECK_NE(expect_reply(&world, DX_WIRE_H_SETUP, text, sizeof(text)), 0);
	CHECK(strstr(text, "/nowhere/driver") != NULL);
	expect_eof(&world);
	CHECK_EQ(finish(&world), 0);
}

TEST(host_whose_setup_names_nothing_says_so_and_ends)
{
	struct world world;
	char text[512];

	begin_with(&world, NULL);
	send_setup(&world, 0);
	CHECK_NE(expect_reply(&world, DX_WIRE_H_SETUP, text, sizeof(text)), 0);
	CHECK(strstr(text, "executable") != NULL);
	CHECK_EQ(finish(&world), 0);
}

TEST(host_with_a_wrong_class_table_says_so_and_ends)
{
	struct world world;
	char text[512];

	begin_with(&world, wrong_classes);
	send_setup(&world, 0);
	CHECK_NE(expect_reply(&world, DX_WIRE_H_SETUP, text, sizeof(text)), 0);
	CHECK(strstr(text, "class table") != NULL);
	CHECK_EQ(finish(&world), 0);
}

TEST(host_set_up_twice_ends_with_protocol_error)
{
	struct world world;

	begin(&world, DX_SETUP_EXIT_WITH_BROKER);
	send_setup(&world, 0);
	expect_eof(&world);
	CHECK_EQ(finish(&world), -EPROTO);
}

TEST(host_that_is_not_set_up_refuses_requests)
{
	struct world world;

	begin_with(&world, classes);
	send_id(&world, DX_WIRE_H_TERMINATE, 10);
	expect_eof(&world);
	CHECK_EQ(finish(&world), -EPROTO);
}

TEST(host_before_setup_ends_with_its_broker)
{
	struct world world;

	begin_with(&world, classes);
	dx_fd_close(&world.socket);
	CHECK_EQ(finish(&world), 0);
}

/* ---- services ---- */

TEST(host_ends_by_itself_when_the_last_service_is_gone)
{
	struct world world;

	begin(&world, 0);
	start_good(&world, 10);
	start_good(&world, 11);
	terminate(&world, 10);
	terminate(&world, 11);
	uint64_t before_ns = dx_clock_now_ns();
	expect_eof(&world);
	CHECK_EQ(finish(&world), 0);
	CHECK_LT(dx_clock_now_ns() - before_ns, 2000000000ll);
}

TEST(host_whose_start_fails_tells_the_status_and_ends)
{
	struct world world;

	begin(&world, 0);
	send_start(&world, 10, "Fail");
	CHECK_EQ(expect_reply(&world, DX_WIRE_H_START, NULL, 0), kIOReturnNoDevice);
	expect_eof(&world);
	CHECK_EQ(finish(&world), 0);
}

TEST(host_whose_init_is_false_tells_and_ends)
{
	struct world world;

	begin(&world, 0);
	send_start(&world, 10, "Unmade");
	CHECK_NE(expect_reply(&world, DX_WIRE_H_START, NULL, 0), 0);
	expect_eof(&world);
	CHECK_EQ(finish(&world), 0);
}

TEST(host_start_of_an_unknown_class_fails_and_ends)
{
	struct world world;

	begin(&world, 0);
	send_start(&world, 10, "Nobody");
	CHECK_EQ(expect_reply(&world, DX_WIRE_H_START, NULL, 0), kIOReturnNotFound);
	expect_eof(&world);
	CHECK_EQ(finish(&world), 0);
}

TEST(host_start_with_a_known_id_fails_and_leaves_the_first)
{
	struct world world;

	begin(&world, 0);
	start_good(&world, 10);
	send_start(&world, 10, "Good");
	CHECK_NE(expect_reply(&world, DX_WIRE_H_START, NULL, 0), 0);
	terminate(&world, 10);
	CHECK_EQ(finish(&world), 0);
}

TEST(host_terminate_of_an_unknown_id_fails)
{
	struct world world;

	begin(&world, DX_SETUP_EXIT_WITH_BROKER);
	send_id(&world, DX_WIRE_H_TERMINATE, 10);
	CHECK_EQ(expect_reply(&world, DX_WIRE_H_TERMINATE, NULL, 0), kIOReturnNotFound);
	dx_fd_close(&world.socket);
	CHECK_EQ(finish(&world), 0);
}

TEST(host_device_gone_of_known_and_unknown_providers)
{
	struct world world;

	begin(&world, 0);
	start_good(&world, 10);
	send_id(&world, DX_WIRE_H_DEVICE_GONE, 77);
	CHECK_EQ(expect_reply(&world, DX_WIRE_H_DEVICE_GONE, NULL, 0), kIOReturnNotFound);
	send_id(&world, DX_WIRE_H_DEVICE_GONE, 5);
	CHECK_EQ(expect_reply(&world, DX_WIRE_H_DEVICE_GONE, NULL, 0), 0);
	terminate(&world, 10);
	CHECK_EQ(finish(&world), 0);
}

TEST(host_reports_in_order)
{
	struct world world;

	begin(&world, 0);
	send_start(&world, 10, "Talker");
	CHECK_EQ(expect_id(&world, DX_WIRE_H_SET_PROPERTIES), 10);
	CHECK_EQ(expect_id(&world, DX_WIRE_H_SET_NAME), 10);
	CHECK_EQ(expect_id(&world, DX_WIRE_H_ADJUST_BUSY), 10);
	CHECK_EQ(expect_id(&world, DX_WIRE_H_ADJUST_BUSY), 10);
	CHECK_EQ(expect_id(&world, DX_WIRE_H_TERMINATE_REQUEST), 10);
	CHECK_EQ(expect_id(&world, DX_WIRE_H_REGISTER), 10);
	CHECK_EQ(expect_reply(&world, DX_WIRE_H_START, NULL, 0), 0);
	terminate(&world, 10);
	CHECK_EQ(finish(&world), 0);
}

/* ---- opens ---- */

TEST(host_open_gives_a_connection_that_ends_with_the_application)
{
	struct world world;

	begin(&world, 0);
	start_good(&world, 10);
	int app = send_open(&world, 10, 0);
	CHECK_EQ(expect_id(&world, DX_WIRE_H_ADD_ENTRY), FIRST_ID);
	CHECK_EQ(expect_id(&world, DX_WIRE_H_OPEN | DX_WIRE_REPLY), FIRST_ID);
	(void)close(app);
	CHECK_EQ(expect_id(&world, DX_WIRE_H_REMOVE_ENTRY), FIRST_ID);
	terminate(&world, 10);
	CHECK_EQ(finish(&world), 0);
}

TEST(host_open_that_cannot_be_is_refused)
{
	struct world world;

	begin(&world, 0);
	start_good(&world, 10);
	(void)close(send_open(&world, 99, 0));
	CHECK_EQ(expect_reply(&world, DX_WIRE_H_OPEN, NULL, 0), kIOReturnNotFound);
	(void)close(send_open(&world, 10, 7));
	CHECK_EQ(expect_reply(&world, DX_WIRE_H_OPEN, NULL, 0), kIOReturnUnsupported);
	terminate(&world, 10);
	CHECK_EQ(finish(&world), 0);
}

TEST(host_terminate_with_an_open_connection_closes_it)
{
	struct world world;
	struct dx_wire_message_in message;

	begin(&world, 0);
	start_good(&world, 10);
	int app = send_open(&world, 10, 0);
	CHECK_EQ(expect_id(&world, DX_WIRE_H_ADD_ENTRY), FIRST_ID);
	CHECK_EQ(expect_id(&world, DX_WIRE_H_OPEN | DX_WIRE_REPLY), FIRST_ID);
	send_id(&world, DX_WIRE_H_TERMINATE, 10);
	CHECK_EQ(expect_id(&world, DX_WIRE_H_REMOVE_ENTRY), FIRST_ID);
	CHECK_EQ(expect_reply(&world, DX_WIRE_H_TERMINATE, NULL, 0), 0);
	CHECK_EQ(dx_link_receive(app, false, &message), 1); /* the channel */
	dx_wire_message_in_fini(&message);
	CHECK_LE(dx_link_receive(app, false, &message), 0);
	(void)close(app);
	CHECK_EQ(finish(&world), 0);
}

static void wait_for_driver(void);

TEST(host_terminate_during_new_user_client_ends_both)
{
	struct world world;

	begin(&world, 0);
	send_start(&world, 10, "Gated");
	CHECK_EQ(expect_reply(&world, DX_WIRE_H_START, NULL, 0), 0);
	int app = send_open(&world, 10, 0);
	wait_for_driver();
	send_id(&world, DX_WIRE_H_TERMINATE, 10);
	(void)poll(NULL, 0, 50);
	gate = true;
	/* The open fails, the user client's entry goes, the termination is answered, in any order.
	 */
	struct dx_wire_message_in message;
	bool terminated = false;
	while (!terminated) {
		receive(&world, &message);
		uint16_t type = message.view.header.type;
		CHECK(type != (DX_WIRE_H_OPEN | DX_WIRE_REPLY) || message.view.header.status != 0);
		terminated = type == (DX_WIRE_H_TERMINATE | DX_WIRE_REPLY);
		dx_wire_message_in_fini(&message);
	}
	CHECK_EQ(finish(&world), 0);
	(void)close(app);
}

TEST(host_terminate_during_a_client_start_that_fails_ends_both)
{
	struct world world;

	begin(&world, 0);
	send_start_of(&world, 10, "Good", "FailingClient");
	CHECK_EQ(expect_id(&world, DX_WIRE_H_REGISTER), 10);
	CHECK_EQ(expect_reply(&world, DX_WIRE_H_START, NULL, 0), 0);
	int app = send_open(&world, 10, 0);
	wait_for_driver();
	send_id(&world, DX_WIRE_H_TERMINATE, 10);
	(void)poll(NULL, 0, 50);
	gate = true;
	struct dx_wire_message_in message;
	bool terminated = false;
	while (!terminated) {
		receive(&world, &message);
		terminated = message.view.header.type == (DX_WIRE_H_TERMINATE | DX_WIRE_REPLY);
		dx_wire_message_in_fini(&message);
	}
	CHECK_EQ(finish(&world), 0);
	(void)close(app);
}

/* ---- what is no message ---- */

TEST(host_ends_with_protocol_error_on_garbage)
{
	struct world world;

	begin(&world, DX_SETUP_EXIT_WITH_BROKER);
	start_good(&world, 10);
	CHECK_EQ(send(world.socket, "this is no message, is it?", 26, MSG_NOSIGNAL), 26);
	expect_eof(&world);
	CHECK_EQ(finish(&world), -EPROTO);
}

TEST(host_ends_with_protocol_error_on_messages_for_others)
{
	static const uint16_t types[] = {DX_WIRE_A_UNWATCH, DX_WIRE_H_REGISTER,
					 DX_WIRE_H_REMOVE_ENTRY};

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		struct world world;

		begin(&world, DX_SETUP_EXIT_WITH_BROKER);
		send_id(&world, types[i], 10);
		expect_eof(&world);
		CHECK_EQ(finish(&world), -EPROTO);
	}
}

TEST(host_ends_with_protocol_error_on_a_start_that_is_no_dictionary)
{
	struct world world;
	const struct dx_wire_start body = {.id = 10, .provider_id = 5};
	struct dx_array *array = dx_array_new();

	begin(&world, DX_SETUP_EXIT_WITH_BROKER);
	send_value(&world, DX_WIRE_H_START, &body, sizeof(body), array);
	dx_object_unref(array);
	expect_eof(&world);
	CHECK_EQ(finish(&world), -EPROTO);
}

TEST(host_start_without_provider_is_refused)
{
	struct world world;
	const struct dx_wire_start body = {.id = 10, .provider_id = 5};
	struct dx_dict *dict = dx_dict_new();

	begin(&world, 0);
	send_value(&world, DX_WIRE_H_START, &body, sizeof(body), dict);
	dx_object_unref(dict);
	CHECK_EQ(expect_reply(&world, DX_WIRE_H_START, NULL, 0), kIOReturnBadArgument);
	CHECK_EQ(finish(&world), 0);
}

/* ---- brokers go and come ---- */

TEST(host_of_a_private_broker_stops_its_services_and_ends_with_it)
{
	struct world world;

	begin(&world, DX_SETUP_EXIT_WITH_BROKER);
	start_good(&world, 10);
	int app = send_open(&world, 10, 0);
	CHECK_EQ(expect_id(&world, DX_WIRE_H_ADD_ENTRY), FIRST_ID);
	CHECK_EQ(expect_id(&world, DX_WIRE_H_OPEN | DX_WIRE_REPLY), FIRST_ID);
	dx_fd_close(&world.socket);
	CHECK_EQ(finish(&world), 0);
	(void)close(app);
}

/* A host that knows where its next broker will listen. */
static void begin_lasting(struct world *world)
{
	begin_with(world, classes);
	(void)snprintf(world->path, sizeof(world->path), "/tmp/opendext-host-%d", (int)getpid());
	send_setup(world, 0);
	CHECK_EQ(expect_reply(world, DX_WIRE_H_SETUP, NULL, 0), 0);
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
	receive(world, &message);
	CHECK_EQ(message.view.header.type, DX_WIRE_A_HELLO);
	CHECK_EQ(((const struct dx_wire_hello *)message.view.body)->role, DX_WIRE_ROLE_HOST);
	dx_wire_message_in_fini(&message);
	receive(world, &message);
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
	start_good(&world, 10);
	int app = send_open(&world, 10, 0);
	CHECK_EQ(expect_id(&world, DX_WIRE_H_ADD_ENTRY), FIRST_ID);
	CHECK_EQ(expect_id(&world, DX_WIRE_H_OPEN | DX_WIRE_REPLY), FIRST_ID);
	lose(&world);
	struct dx_dict *dict = meet(&world);
	CHECK_STR_EQ(dx_dict_get_string(dict, DX_ADOPT_IDENTIFIER_KEY, ""), "org.example.Test");
	CHECK_STR_EQ(dx_dict_get_string(dict, DX_ADOPT_BUNDLE_KEY, ""), "/bundle");
	CHECK_STR_EQ(dx_dict_get_string(dict, DX_ADOPT_SERVER_KEY, ""), "server");
	CHECK_EQ(dx_dict_get_u64(dict, DX_ADOPT_PID_KEY, 0), (uint64_t)getpid());
	CHECK_EQ(dx_dict_get_u64(dict, DX_ADOPT_FIRST_ID_KEY, 0), FIRST_ID);
	CHECK_EQ(dx_dict_get_u64(dict, DX_ADOPT_NR_IDS_KEY, 0), NR_IDS);
	const struct dx_dict *service = service_of(dict, 0);
	CHECK_EQ(dx_dict_get_u64(service, DX_ENTRY_ID_KEY, 0), 10);
	CHECK(dx_dict_get_bool(service, DX_ENTRY_REGISTERED_KEY, false));
	CHECK_STR_EQ(dx_dict_get_string(dx_dict_get_dict(service, DX_ADOPT_START_KEY),
					DX_START_CLASS_KEY, ""),
		     "Good");
	CHECK_EQ(dx_dict_get_u64(service_of(dict, 1), DX_ENTRY_ID_KEY, 0), FIRST_ID);
	CHECK_EQ(dx_dict_get_u64(service_of(dict, 1), DX_ENTRY_PARENT_KEY, 0), 10);
	CHECK(service_of(dict, 2) == NULL);
	dx_object_unref(dict);
	greet(&world, 0);
	(void)close(app);
	CHECK_EQ(expect_id(&world, DX_WIRE_H_REMOVE_ENTRY), FIRST_ID);
	terminate(&world, 10);
	CHECK_EQ(finish(&world), 0);
}

TEST(host_tells_the_next_broker_what_is_no_state)
{
	struct world world;

	begin_lasting(&world);
	send_start(&world, 10, "Talker");
	while (expect_id(&world, DX_WIRE_H_SET_PROPERTIES) != 10) {
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
	receive(&world, &message);
	CHECK_EQ(message.view.header.type, DX_WIRE_H_ADJUST_BUSY);
	CHECK_EQ(((const struct dx_wire_adjust *)message.view.body)->delta, 2);
	dx_wire_message_in_fini(&message);
	CHECK_EQ(expect_id(&world, DX_WIRE_H_TERMINATE_REQUEST), 10);
	terminate(&world, 10);
	CHECK_EQ(finish(&world), 0);
}

static bool somebody_waits(void *argument)
{
	(void)argument;
	return nr_waiting > 0;
}

static void wait_for_driver(void)
{
	CHECK(test_wait_until(somebody_waits, NULL, 5000));
}

TEST(host_does_not_answer_the_next_broker_for_the_last_one)
{
	struct world world;

	begin_lasting(&world);
	start_good(&world, 9);
	send_start(&world, 10, "Slow");
	wait_for_driver();
	lose(&world);
	dx_object_unref(meet(&world));
	gate = true;
	terminate(&world, 10); /* whose reply is the next message */
	terminate(&world, 9);
	CHECK_EQ(finish(&world), 0);
}

TEST(host_tells_the_next_broker_that_a_start_failed)
{
	struct world world;

	begin_lasting(&world);
	start_good(&world, 9);
	send_start(&world, 10, "SlowFail");
	wait_for_driver();
	lose(&world);
	struct dx_dict *dict = meet(&world);
	CHECK_EQ(dx_dict_get_u64(service_of(dict, 1), DX_ENTRY_ID_KEY, 0), 10);
	dx_object_unref(dict);
	gate = true;
	CHECK_EQ(expect_id(&world, DX_WIRE_H_REMOVE_ENTRY), 10);
	terminate(&world, 9);
	CHECK_EQ(finish(&world), 0);
}

TEST(host_without_services_ends_with_any_broker)
{
	struct world world;

	begin_lasting(&world);
	lose(&world);
	CHECK_EQ(finish(&world), 0);
}

TEST(host_whose_last_service_ends_without_broker_ends)
{
	struct world world;

	begin_lasting(&world);
	send_start(&world, 10, "Late");
	CHECK_EQ(expect_reply(&world, DX_WIRE_H_START, NULL, 0), 0);
	send_id(&world, DX_WIRE_H_TERMINATE, 10);
	wait_for_driver();
	lose(&world);
	gate = true;
	CHECK_EQ(finish(&world), 0);
}

TEST(host_that_the_next_broker_refuses_ends)
{
	struct world world;

	begin_lasting(&world);
	start_good(&world, 10);
	lose(&world);
	dx_object_unref(meet(&world));
	greet(&world, kIOReturnNotPermitted);
	expect_eof(&world);
	CHECK_EQ(finish(&world), 0);
}

TEST(host_survives_any_number_of_brokers)
{
	struct world world;

	begin_lasting(&world);
	start_good(&world, 10);
	for (unsigned i = 0; i < 3; i++) {
		lose(&world);
		struct dx_dict *dict = meet(&world);
		CHECK_EQ(dx_dict_get_u64(service_of(dict, 0), DX_ENTRY_ID_KEY, 0), 10);
		dx_object_unref(dict);
		greet(&world, 0);
	}
	terminate(&world, 10);
	CHECK_EQ(finish(&world), 0);
}

TEST(host_with_a_socket_that_is_none_fails)
{
	const struct dx_host_options options = {
		.socket = -1, .backends = backends, .classes = classes};

	CHECK_LT(dx_host_run(&options), 0);
}
