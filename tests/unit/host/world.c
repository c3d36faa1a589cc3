/* SPDX-License-Identifier: MIT
 *
 * world - see world.h.
 */
#include "world.h"

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

/* ---- the driver ---- */

_Atomic bool world_gate; /* lets Slow's Start and Late's Stop go on */
static _Atomic unsigned nr_waiting;

static void wait_at_gate(void)
{
	nr_waiting++;
	while (!world_gate) {
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
const OSDriverClass *const world_classes[] = {
	&GoodClass,          &ClientClass,   &FailClass, &UnmadeClass, &SlowClass, &GatedClass,
	&FailingClientClass, &SlowFailClass, &LateClass, &TalkerClass, NULL};

static const OSDriverClass NamelessClass = {.super = &IOServiceClass};
const OSDriverClass *const world_wrong_classes[] = {&NamelessClass, NULL};
/* ---- the host in its thread ---- */

const struct dx_usb_backend_ops *const world_backends[] = {&dx_backend_virtual, NULL};

static void *run(void *argument)
{
	struct world *world = argument;

	world->result = dx_host_run(&world->options);
	return NULL;
}

void world_begin_with(struct world *world, const OSDriverClass *const *table)
{
	int fds[2];

	*world = (struct world){.listener = -1};
	CHECK_EQ(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds), 0);
	world->socket = fds[0];
	world->options = (struct dx_host_options){.socket = fds[1],
						  .backends = world_backends,
						  .classes = table,
						  .spin_budget_ns = 1000};
	CHECK_EQ(pthread_create(&world->thread, NULL, run, world), 0);
}

/* Waits for the host to end by itself. @return its result. */
int world_finish(struct world *world)
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

void world_send_value(struct world *world, uint16_t type, const void *body, size_t length,
		      const void *value)
{
	CHECK_EQ(dx_link_send_value(world->socket, type, ++world->seq, 0, body, length, value,
				    false),
		 0);
}

void world_send_id(struct world *world, uint16_t type, uint64_t id)
{
	const struct dx_wire_id body = {.id = id};

	CHECK_EQ(dx_link_send(world->socket, type, ++world->seq, 0, &body, sizeof(body), NULL, 0,
			      NULL, 0, false),
		 0);
}

/* The next message, which must come soon. */
void world_receive(struct world *world, struct dx_wire_message_in *message)
{
	struct pollfd poll_fd = {.fd = world->socket, .events = POLLIN};

	CHECK_EQ(poll(&poll_fd, 1, 8000), 1);
	CHECK_EQ(dx_link_receive(world->socket, true, message), 1);
}

uint64_t world_expect_id(struct world *world, uint16_t type)
{
	struct dx_wire_message_in message;

	world_receive(world, &message);
	if (message.view.header.type != type) {
		FAIL("expected %s, got %s", dx_wire_type_name(type),
		     dx_wire_type_name(message.view.header.type));
	}
	uint64_t id = ((const struct dx_wire_id *)message.view.body)->id;
	dx_wire_message_in_fini(&message);
	return id;
}

/* @return the status of the reply to the last request. */
int32_t world_expect_reply(struct world *world, uint16_t type, char *text, size_t size)
{
	struct dx_wire_message_in message;

	world_receive(world, &message);
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

void world_expect_eof(struct world *world)
{
	struct pollfd poll_fd = {.fd = world->socket, .events = POLLIN};
	struct dx_wire_message_in message;

	CHECK_EQ(poll(&poll_fd, 1, 8000), 1);
	CHECK_LE(dx_link_receive(world->socket, true, &message), 0);
}

void world_send_setup(struct world *world, uint32_t flags)
{
	const struct dx_wire_setup body = {
		.first_id = WORLD_FIRST_ID, .nr_ids = WORLD_NR_IDS, .flags = flags};
	struct dx_dict *dict = dx_dict_new();

	CHECK_EQ(dx_dict_set_string(dict, DX_SETUP_IDENTIFIER_KEY, "org.example.Test"), 0);
	CHECK_EQ(dx_dict_set_string(dict, DX_SETUP_BUNDLE_KEY, "/bundle"), 0);
	CHECK_EQ(dx_dict_set_string(dict, DX_SETUP_SERVER_KEY, "server"), 0);
	if (world->path[0] != '\0') {
		CHECK_EQ(dx_dict_set_string(dict, DX_SETUP_BROKER_KEY, world->path), 0);
	}
	world_send_value(world, DX_WIRE_H_SETUP, &body, sizeof(body), dict);
	dx_object_unref(dict);
}

void world_begin(struct world *world, uint32_t flags)
{
	world_begin_with(world, world_classes);
	world_send_setup(world, flags);
	CHECK_EQ(world_expect_reply(world, DX_WIRE_H_SETUP, NULL, 0), 0);
}

static void set_dict(struct dx_dict *dict, const char *key, struct dx_dict *value)
{
	CHECK_EQ(dx_dict_set(dict, key, value), 0);
	dx_object_unref(value);
}

void world_send_start_of(struct world *world, uint64_t id, const char *class_name,
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
	world_send_value(world, DX_WIRE_H_START, &body, sizeof(body), dict);
	dx_object_unref(dict);
}

void world_send_start(struct world *world, uint64_t id, const char *class_name)
{
	world_send_start_of(world, id, class_name, "Client");
}

/* @return the application's end. */
int world_send_open(struct world *world, uint64_t id, uint32_t type)
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

void world_start_good(struct world *world, uint64_t id)
{
	world_send_start(world, id, "Good");
	CHECK_EQ(world_expect_id(world, DX_WIRE_H_REGISTER), id);
	CHECK_EQ(world_expect_reply(world, DX_WIRE_H_START, NULL, 0), 0);
}

void world_terminate(struct world *world, uint64_t id)
{
	world_send_id(world, DX_WIRE_H_TERMINATE, id);
	CHECK_EQ(world_expect_reply(world, DX_WIRE_H_TERMINATE, NULL, 0), 0);
}

static bool somebody_waits(void *argument)
{
	(void)argument;
	return nr_waiting > 0;
}

void world_wait_for_driver(void)
{
	CHECK(test_wait_until(somebody_waits, NULL, 5000));
}
