/* SPDX-License-Identifier: MIT
 *
 * notify_test - which notifications come, how often and in which order.
 */
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

#include "support.h"
#include "test.h"

static void load(struct fixture *fixture, int client, const char *name)
{
	char path[400];

	fixture_path(fixture, name, path, sizeof(path));
	CHECK_EQ(client_text(client, DX_WIRE_A_LOAD, path, NULL, 0), 0);
}

/* A broker that has one bundle at hand, not loaded. */
static int start(struct fixture *fixture, const char *user_class)
{
	fixture_init(fixture);
	fixture_bundle(fixture, "Late", user_class, "IOUserResources", "");
	free((void *)(uintptr_t)fixture->bundles[0]);
	fixture->options.nr_bundles = 0;
	return fixture_start_client(fixture);
}

static void expect(int client, uint64_t cookie, uint64_t *id)
{
	struct dx_wire_event event = client_event(client);

	CHECK_EQ(event.cookie, cookie);
	CHECK_EQ(event.kind, DX_WIRE_EVENT_SERVICE);
	CHECK(*id == 0 || *id == event.id);
	*id = event.id;
}

static void expect_nothing(int client)
{
	struct pollfd waiting = {.fd = client, .events = POLLIN};

	CHECK_EQ(poll(&waiting, 1, 50), 0);
}

TEST(notify_registration_publishes_then_matches)
{
	struct fixture fixture;
	uint64_t id = 0;
	int client = start(&fixture, "Good");

	CHECK_EQ(client_watch(client, 1, "IOServicePublish", "Good"), 0);
	CHECK_EQ(client_watch(client, 2, "IOServiceFirstPublish", "Good"), 0);
	CHECK_EQ(client_watch(client, 3, "IOServiceMatched", "Good"), 0);
	CHECK_EQ(client_watch(client, 4, "IOServiceFirstMatch", "Good"), 0);
	load(&fixture, client, "Late.dext");
	expect(client, 1, &id);
	expect(client, 2, &id);
	expect(client, 3, &id);
	expect(client, 4, &id);
	expect_nothing(client);
	CHECK_EQ(client_watch(client, 5, "IOServiceFirstMatch", "Good"), 1);
	CHECK_EQ(client_watch(client, 6, "IOServiceTerminate", "Good"), 0);
	fixture_end(&fixture, client);
}

TEST(notify_second_registration_is_not_first_again)
{
	struct fixture fixture;
	struct dx_wire_event event;
	unsigned counts[5] = {0};
	int client = start(&fixture, "Again");

	CHECK_EQ(client_watch(client, 1, "IOServicePublish", "Again"), 0);
	CHECK_EQ(client_watch(client, 2, "IOServiceFirstPublish", "Again"), 0);
	CHECK_EQ(client_watch(client, 4, "IOServiceFirstMatch", "Again"), 0);
	load(&fixture, client, "Late.dext");
	for (int i = 0; i < 4; i++) {
		event = client_event(client);
		counts[event.cookie]++;
	}
	CHECK_EQ(counts[1], 2);
	CHECK_EQ(counts[2], 1);
	CHECK_EQ(counts[4], 1);
	expect_nothing(client);
	fixture_end(&fixture, client);
}

TEST(notify_end_comes_in_order_to_every_kind)
{
	struct fixture fixture;
	struct dx_wire_event event;
	uint64_t id = 0;
	int client = start(&fixture, "Good");

	load(&fixture, client, "Late.dext");
	id = client_wait_find(client, "Good");
	CHECK_EQ(client_watch(client, 1, "IOServiceWillTerminate", "Good"), 0);
	CHECK_EQ(client_watch(client, 2, "IOServiceTerminate", "Good"), 0);
	CHECK_EQ(client_interest(client, 3, "IOGeneralInterest", id), 0);
	CHECK_EQ(client_text(client, DX_WIRE_A_UNLOAD, "test.Late", NULL, 0), 0);
	expect(client, 1, &id);
	event = client_event(client);
	CHECK_EQ(event.cookie, 3);
	CHECK_EQ(event.message_type, 0xe0000010u);
	expect(client, 2, &id);
	fixture_end(&fixture, client);
}

TEST(notify_busy_interest_hears_begin_and_end)
{
	struct fixture fixture;
	struct dx_wire_event event;
	int client = start(&fixture, "Good");
	uint64_t id = client_find(client, "IOUserResources");

	CHECK_EQ(client_interest(client, 1, "IOBusyInterest", id), 0);
	load(&fixture, client, "Late.dext");
	for (uint64_t argument = 1; argument != UINT64_MAX; argument--) {
		event = client_event(client);
		CHECK_EQ(event.message_type, 0xe0000120u);
		CHECK_EQ(event.argument, argument);
	}
	fixture_end(&fixture, client);
}

TEST(notify_removed_watch_is_silent)
{
	struct fixture fixture;
	const struct dx_wire_id cookie = {.id = 1};
	int client = start(&fixture, "Good");

	CHECK_EQ(client_watch(client, 1, "IOServicePublish", "Good"), 0);
	CHECK_EQ(client_status(client, DX_WIRE_A_UNWATCH, &cookie, sizeof(cookie), NULL, 0), 0);
	load(&fixture, client, "Late.dext");
	(void)client_wait_find(client, "Good");
	expect_nothing(client);
	fixture_end(&fixture, client);
}

TEST(notify_quiet_is_answered_when_a_driver_has_started)
{
	struct fixture fixture;
	const struct dx_wire_wait wait = {.timeout_ns = UINT64_MAX};
	int client = start(&fixture, "Good");

	load(&fixture, client, "Late.dext");
	CHECK_EQ(client_status(client, DX_WIRE_A_WAIT_QUIET, &wait, sizeof(wait), NULL, 0), 0);
	CHECK_NE(client_find(client, "Good"), 0);
	fixture_end(&fixture, client);
}
