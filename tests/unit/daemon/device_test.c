/* SPDX-License-Identifier: MIT
 *
 * device_test - devices that are attached, lost, reset and come back, and their interfaces.
 *
 * Backends of this test, each a Gadget Zero behind its spec:
 *
 *	slow:NAME	opens once the test lets it
 *	back:NAME	reconnects; opens or does not, as the test says
 */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "backend/virtual/virtual.h"
#include "support.h"
#include "test.h"

#define TERMINATED 0xe0000010u
#define GADGET                                                                                     \
	"<key>idVendor</key><integer>1317</integer><key>idProduct</key><integer>42144</integer>"

/* ---- slow: ---- */

static struct {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	bool open;
	unsigned nr_inside;
} gate = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, false, 0};

static bool slow_accepts(const char *spec)
{
	return strncmp(spec, "slow:", 5) == 0;
}

static int open_gadget(const char *keys, const struct dx_usb_backend_host *host, void *host_ctx,
		       char *message, size_t message_size, struct dx_usb_backend **ret_backend)
{
	char spec[200];

	(void)snprintf(spec, sizeof(spec), "virtual:gadget-zero%s", keys);
	return dx_backend_virtual.open(spec, -1, host, host_ctx, message, message_size,
				       ret_backend);
}

static int slow_open(const char *spec, int fd, const struct dx_usb_backend_host *host,
		     void *host_ctx, char *message, size_t message_size,
		     struct dx_usb_backend **ret_backend)
{
	(void)spec;
	(void)fd;
	pthread_mutex_lock(&gate.lock);
	gate.nr_inside++;
	while (!gate.open) {
		pthread_cond_wait(&gate.changed, &gate.lock);
	}
	gate.nr_inside--;
	pthread_mutex_unlock(&gate.lock);
	return open_gadget("", host, host_ctx, message, message_size, ret_backend);
}

static void gate_open(void)
{
	pthread_mutex_lock(&gate.lock);
	gate.open = true;
	pthread_cond_broadcast(&gate.changed);
	pthread_mutex_unlock(&gate.lock);
}

static bool are_inside(void *argument)
{
	const unsigned *wanted = argument;
	bool are = false;

	pthread_mutex_lock(&gate.lock);
	are = gate.nr_inside == *wanted;
	pthread_mutex_unlock(&gate.lock);
	return are;
}

static void wait_inside(unsigned count)
{
	CHECK(test_wait_until(are_inside, &count, 10000));
}

/* ---- back: ---- */

static _Atomic bool back_is_there;

static bool back_accepts(const char *spec)
{
	return strncmp(spec, "back:", 5) == 0;
}

static int back_open(const char *spec, int fd, const struct dx_usb_backend_host *host,
		     void *host_ctx, char *message, size_t message_size,
		     struct dx_usb_backend **ret_backend)
{
	(void)fd;
	if (!back_is_there) {
		(void)snprintf(message, message_size, "%s: nobody answers", spec);
		return -ECONNREFUSED;
	}
	return open_gadget("", host, host_ctx, message, message_size, ret_backend);
}

static struct dx_usb_backend_ops slow_ops, back_ops;
static const struct dx_usb_backend_ops *const test_backends[] = {&dx_backend_virtual, &slow_ops,
								 &back_ops, NULL};

static void begin(struct fixture *fixture)
{
	slow_ops = dx_backend_virtual;
	slow_ops.name = "slow";
	slow_ops.accepts = slow_accepts;
	slow_ops.open = slow_open;
	slow_ops.acquire = NULL;
	back_ops = slow_ops;
	back_ops.name = "back";
	back_ops.reconnects = true;
	back_ops.accepts = back_accepts;
	back_ops.open = back_open;
	fixture->options.backends = test_backends;
	fixture_start(fixture);
}

static void begin_ready(struct fixture *fixture)
{
	begin(fixture);
	CHECK(fixture_wait_ready(fixture));
}

/* Asks without waiting for the answer. */
static void ask_attach(int client, const char *spec, uint32_t seq)
{
	CHECK_EQ(dx_link_send(client, DX_WIRE_A_ATTACH, seq, 0, NULL, 0, spec, strlen(spec), NULL,
			      0, false),
		 0);
}

/* The answer to a request that was asked so. */
static int32_t take_answer(int client, uint32_t seq, uint64_t *ret_id, char *text, size_t size)
{
	struct pollfd waiting = {.fd = client, .events = POLLIN};
	struct dx_wire_message_in reply;
	char *words = NULL;
	int32_t status = 0;

	CHECK_EQ(poll(&waiting, 1, 10000), 1);
	CHECK_EQ(dx_link_receive(client, true, &reply), 1);
	CHECK_EQ(reply.view.header.seq, seq);
	status = reply.view.header.status;
	if (status == 0 && ret_id != NULL) {
		*ret_id = ((const struct dx_wire_id *)reply.view.body)->id;
	}
	if (status != 0 && text != NULL) {
		CHECK_EQ(dx_wire_message_text(&reply, 1000, &words), 0);
		(void)snprintf(text, size, "%s", words);
		free(words);
	}
	dx_wire_message_in_fini(&reply);
	return status;
}

TEST(attach_that_takes_long_keeps_nobody_waiting)
{
	struct fixture fixture;
	struct dx_wire_wait wait = {.timeout_ns = 1000000};
	uint64_t pending = 0;
	uint64_t id = 0;
	int waiting = -1;
	int client = -1;

	fixture_init(&fixture);
	begin_ready(&fixture);
	waiting = client_connect(&fixture);
	client = client_connect(&fixture);
	ask_attach(waiting, "slow:a", 77);
	wait_inside(1);
	CHECK_EQ(client_devices(client, "attaching", &pending), 1);
	CHECK_EQ(client_status(client, DX_WIRE_A_WAIT_QUIET, &wait, sizeof(wait), NULL, 0),
		 (int32_t)0xe00002d6); /* D3 */
	CHECK_EQ(client_attach(client, "virtual:gadget-zero", &id), 0); /* overtakes it */
	CHECK_EQ(client_detach(client, id), 0);
	gate_open();
	CHECK_EQ(take_answer(waiting, 77, &id, NULL, 0), 0);
	CHECK_EQ(id, pending);
	CHECK_EQ(client_find(client, "Gadget Zero"), id);
	CHECK_EQ(client_devices(client, "attached", NULL), 1);
	(void)close(waiting);
	fixture_end(&fixture, client);
}

TEST(attaches_run_side_by_side)
{
	struct fixture fixture;
	int waiting = -1;

	fixture_init(&fixture);
	begin_ready(&fixture);
	waiting = client_connect(&fixture);
	for (uint32_t i = 0; i < 8; i++) {
		ask_attach(waiting, "slow:a", 100 + i);
	}
	wait_inside(8);
	gate_open();
	for (unsigned i = 0; i < 8; i++) {
		struct pollfd readable = {.fd = waiting, .events = POLLIN};
		struct dx_wire_message_in reply;

		CHECK_EQ(poll(&readable, 1, 10000), 1);
		CHECK_EQ(dx_link_receive(waiting, true, &reply), 1);
		CHECK_EQ(reply.view.header.status, 0);
		dx_wire_message_in_fini(&reply);
	}
	CHECK_EQ(client_devices(waiting, "attached", NULL), 8);
	CHECK_EQ(client_count(waiting, "Gadget Zero"), 8);
	(void)close(waiting);
	fixture_fini(&fixture);
}

TEST(detach_while_pending_answers_both)
{
	struct fixture fixture;
	uint64_t pending = 0;
	char text[200];
	int waiting = -1;
	int client = -1;

	fixture_init(&fixture);
	begin_ready(&fixture);
	waiting = client_connect(&fixture);
	client = client_connect(&fixture);
	ask_attach(waiting, "slow:a", 5);
	wait_inside(1);
	CHECK_EQ(client_devices(client, "", &pending), 1);
	CHECK_EQ(client_detach(client, pending), 0);
	CHECK_NE(take_answer(waiting, 5, NULL, text, sizeof(text)), 0);
	CHECK_STR_EQ(text, "detached while it was being attached");
	CHECK_EQ(client_devices(client, "", NULL), 0);
	gate_open();
	wait_inside(0);
	CHECK_EQ(client_detach(client, pending), (int32_t)0xe00002f0);
	CHECK_EQ(client_find(client, "Gadget Zero"), 0);
	(void)close(waiting);
	fixture_end(&fixture, client);
}

TEST(client_that_leaves_while_pending_gets_its_device_all_the_same)
{
	struct fixture fixture;
	int waiting = -1;
	int client = -1;

	fixture_init(&fixture);
	begin_ready(&fixture);
	waiting = client_connect(&fixture);
	ask_attach(waiting, "slow:a", 5);
	wait_inside(1);
	(void)close(waiting);
	client = client_connect(&fixture);
	gate_open();
	(void)client_wait_find(client, "Gadget Zero");
	fixture_end(&fixture, client);
}

static bool has_fds(void *argument)
{
	return test_count_fds() == *(const unsigned *)argument;
}

TEST(broker_ends_while_a_device_hangs)
{
	struct fixture fixture;
	unsigned nr_fds = test_count_fds();
	int waiting = -1;

	fixture_init(&fixture);
	begin_ready(&fixture);
	waiting = client_connect(&fixture);
	ask_attach(waiting, "slow:a", 5);
	wait_inside(1);
	(void)close(waiting);
	fixture_fini(&fixture); /* comes back, and the thread is alone */
	CHECK_EQ(fixture.result, 0);
	gate_open();
	CHECK(test_wait_until(has_fds, &nr_fds, 10000)); /* it cleans up behind itself */
}

TEST(attach_failure_says_why)
{
	struct fixture fixture;
	char text[512];
	int client = -1;

	fixture_init(&fixture);
	begin_ready(&fixture);
	client = client_connect(&fixture);
	CHECK_NE(client_text(client, DX_WIRE_A_ATTACH, "back:a", text, sizeof(text)), 0);
	CHECK_STR_EQ(text, "back:a: nobody answers");
	CHECK_NE(client_text(client, DX_WIRE_A_ATTACH, "nonsense:a", text, sizeof(text)), 0);
	CHECK(strstr(text, "nonsense:a") != NULL);
	CHECK_NE(client_text(client, DX_WIRE_A_ATTACH, "virtual:gadget-zero,speed=warp", text,
			     sizeof(text)),
		 0);
	CHECK(strstr(text, "speed=warp") != NULL);
	CHECK_EQ(client_devices(client, "", NULL), 0);
	fixture_end(&fixture, client);
}

TEST(given_device_that_does_not_answer_ends_a_private_broker)
{
	struct fixture fixture;

	fixture_init(&fixture);
	fixture_bundle(&fixture, "Usb", "GoodUsb", "IOUSBHostDevice", GADGET);
	fixture.devices[fixture.options.nr_devices++] = "back:a";
	begin(&fixture);
	CHECK(!fixture_wait_ready(&fixture));
	CHECK_EQ(pthread_join(fixture.thread, NULL), 0);
	fixture.running = false;
	CHECK_EQ(fixture.result, -ECONNREFUSED);
	CHECK_STR_EQ(fixture.message, "back:a: nobody answers");
	CHECK_EQ(fixture.nr_launched, 0);
	fixture_fini(&fixture);
}

TEST(given_device_that_does_not_answer_is_tried_again_by_a_broker_for_all)
{
	struct fixture fixture;
	int client = -1;

	fixture_init(&fixture);
	fixture_bundle(&fixture, "Usb", "GoodUsb", "IOUSBHostDevice", GADGET);
	fixture.options.is_private = false;
	fixture.options.ready_fd = -1;
	fixture.devices[fixture.options.nr_devices++] = "back:a";
	begin(&fixture);
	client = client_connect(&fixture);
	client_wait_devices(client, "failing", 1);
	back_is_there = true;
	(void)client_wait_find(client, "GoodUsb");
	CHECK_EQ(client_devices(client, "attached", NULL), 1);
	fixture_end(&fixture, client);
}

TEST(device_over_a_broken_link_comes_back_as_a_new_one)
{
	struct fixture fixture;
	uint64_t first = 0;
	uint64_t second = 0;
	int client = -1;

	fixture_init(&fixture);
	fixture_bundle(&fixture, "Usb", "Lost", "IOUSBHostDevice", GADGET);
	begin_ready(&fixture);
	client = client_connect(&fixture);
	back_is_there = true;
	CHECK_EQ(client_attach(client, "back:a", &first), 0);
	/* Its driver loses it each time it starts, so it comes and goes. */
	client_wait_gone(client, first);
	back_is_there = false;
	client_wait_devices(client, "back:a: nobody answers", 1); /* no attempt is left from before */
	CHECK_EQ(client_find(client, "Gadget Zero"), 0);
	CHECK_EQ(client_text(client, DX_WIRE_A_UNLOAD, "test.Usb", NULL, 0), 0);
	back_is_there = true;
	client_wait_devices(client, "attached", 1);
	second = client_find(client, "Gadget Zero");
	CHECK_NE(second, first);
	CHECK_EQ(client_detach(client, first), 0); /* what attaching has told still names it */
	CHECK_EQ(client_devices(client, "", NULL), 0);
	fixture_end(&fixture, client);
}

TEST(device_that_fails_can_be_detached)
{
	struct fixture fixture;
	uint64_t id = 0;
	int client = -1;

	fixture_init(&fixture);
	fixture_bundle(&fixture, "Usb", "Lost", "IOUSBHostDevice", GADGET);
	begin_ready(&fixture);
	client = client_connect(&fixture);
	back_is_there = true;
	CHECK_EQ(client_attach(client, "back:a", NULL), 0);
	back_is_there = false;
	client_wait_devices(client, "back:a: nobody answers", 1); /* no attempt is left from before */
	CHECK_EQ(client_devices(client, "", &id), 1);
	CHECK_EQ(client_detach(client, id), 0);
	CHECK_EQ(client_devices(client, "", NULL), 0);
	fixture_end(&fixture, client);
}

TEST(device_that_was_reset_comes_back_as_a_new_one)
{
	struct fixture fixture;
	uint64_t first = 0;
	int client = -1;

	fixture_init(&fixture);
	fixture_bundle(&fixture, "Usb", "Reset", "IOUSBHostDevice", GADGET);
	begin_ready(&fixture);
	client = client_connect(&fixture);
	CHECK_EQ(client_attach(client, "virtual:gadget-zero", &first), 0);
	client_wait_gone(client, first);
	(void)client_wait_find(client, "Reset");
	client_wait_devices(client, "attached", 1);
	CHECK_NE(client_find(client, "Gadget Zero"), first);
	CHECK_EQ(fixture.nr_device_gone, 1);
	fixture_end(&fixture, client);
}

TEST(device_gets_its_driver_and_takes_it_along)
{
	struct fixture fixture;
	struct dx_wire_event event;
	struct dx_wire_message_in reply;
	struct dx_wire_id device = {0};
	const char *spec = "virtual:gadget-zero";
	int client = -1;
	uint64_t id = 0;

	fixture_init(&fixture);
	fixture_bundle(&fixture, "Usb", "GoodUsb", "IOUSBHostDevice",
		       "<key>idVendor</key><integer>1317</integer>"
		       "<key>idProduct</key><integer>42144</integer>");
	client = fixture_start_client(&fixture);
	client_call(client, DX_WIRE_A_ATTACH, NULL, 0, spec, strlen(spec), &reply);
	CHECK_EQ(reply.view.header.status, 0);
	device = *(const struct dx_wire_id *)reply.view.body;
	dx_wire_message_in_fini(&reply);
	id = client_wait_find(client, "GoodUsb");
	CHECK_NE(id, 0);
	CHECK_EQ(client_interest(client, 9, "IOGeneralInterest", id), 0);
	CHECK_EQ(client_status(client, DX_WIRE_A_DETACH, &device, sizeof(device), NULL, 0), 0);
	event = client_event(client);
	CHECK_EQ(event.message_type, TERMINATED);
	CHECK_EQ(client_find(client, "GoodUsb"), 0);
	CHECK_EQ(fixture.nr_device_gone, 1);
	CHECK_EQ(client_status(client, DX_WIRE_A_DETACH, &device, sizeof(device), NULL, 0),
		 (int32_t)0xe00002f0);
	fixture_end(&fixture, client);
}

TEST(device_lost_by_the_backend_terminates_like_an_unplug)
{
	struct fixture fixture;
	int client = -1;

	fixture_init(&fixture);
	fixture_bundle(&fixture, "Usb", "Lost", "IOUSBHostDevice",
		       "<key>idVendor</key><integer>1317</integer>"
		       "<key>idProduct</key><integer>42144</integer>");
	fixture.devices[fixture.options.nr_devices++] = "virtual:gadget-zero";
	client = fixture_start_client(&fixture);
	client_wait_not_found(client, "Gadget Zero");
	CHECK_EQ(client_find(client, "Lost"), 0);
	fixture_end(&fixture, client);
}

TEST(unplug_while_the_driver_starts_waits_for_start)
{
	struct fixture fixture;
	struct dx_wire_message_in reply;
	struct dx_wire_id device = {0};
	const char *spec = "virtual:gadget-zero";
	int client = -1;

	fixture_init(&fixture);
	fixture_bundle(&fixture, "Usb", "SilentStart", "IOUSBHostDevice",
		       "<key>idVendor</key><integer>1317</integer>"
		       "<key>idProduct</key><integer>42144</integer>");
	fixture.options.stop_wait_ms = 200;
	client = fixture_start_client(&fixture);
	client_call(client, DX_WIRE_A_ATTACH, NULL, 0, spec, strlen(spec), &reply);
	device = *(const struct dx_wire_id *)reply.view.body;
	dx_wire_message_in_fini(&reply);
	(void)client_wait_find(client, "SilentStart");
	CHECK_EQ(dx_link_send(client, DX_WIRE_A_DETACH, 0, 0, &device, sizeof(device), NULL, 0, NULL, 0,
			      false),
		 0);
	(void)poll(NULL, 0, 20);
	CHECK_EQ(client_find(client, "SilentStart"), 0); /* inactive */
	(void)close(client);
	fixture_fini(&fixture); /* kills it */
}

