/* SPDX-License-Identifier: MIT
 *
 * limits_test - many clients, slow clients, hostile clients, no descriptors left.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/plist.h"
#include "support.h"
#include "test.h"
#include "wire/address.h"

static bool is_closed(void *argument)
{
	struct pollfd waiting = {.fd = *(int *)argument, .events = POLLIN};

	return poll(&waiting, 1, 0) == 1 && (waiting.revents & POLLHUP) != 0;
}

TEST(client_that_sends_garbage_is_dropped_and_others_go_on)
{
	struct fixture fixture;
	int bad = -1;
	int good = -1;

	fixture_simple(&fixture, "Good");
	good = client_connect(&fixture);
	bad = client_connect(&fixture);
	CHECK_EQ(send(bad, "garbage", 7, MSG_NOSIGNAL), 7);
	CHECK(test_wait_until(is_closed, &bad, 10000));
	CHECK_NE(client_find(good, "Good"), 0);
	(void)close(bad);
	(void)close(good);
	fixture_fini(&fixture);
}

TEST(client_without_hello_or_with_two_is_dropped)
{
	const struct dx_wire_hello hello = {.role = DX_WIRE_ROLE_APPLICATION};
	struct fixture fixture;
	int client = -1;

	fixture_simple(&fixture, "Good");
	client = dx_address_connect(fixture.socket);
	CHECK_EQ(dx_link_send(client, DX_WIRE_A_TREE, 1, 0, NULL, 0, NULL, 0, NULL, 0, false), 0);
	CHECK(test_wait_until(is_closed, &client, 10000));
	(void)close(client);
	client = client_connect(&fixture);
	CHECK_EQ(dx_link_send(client, DX_WIRE_A_HELLO, 1, 0, &hello, sizeof(hello), NULL, 0, NULL, 0,
			      false),
		 0);
	CHECK(test_wait_until(is_closed, &client, 10000));
	(void)close(client);
	client = client_connect(&fixture);
	CHECK_EQ(dx_link_send(client, DX_WIRE_C_WAKE, 0, 0, NULL, 0, NULL, 0, NULL, 0, false), 0);
	CHECK(test_wait_until(is_closed, &client, 10000)); /* not a message for a broker */
	fixture_end(&fixture, client);
}

TEST(process_that_is_no_host_may_not_be_adopted)
{
	const struct dx_wire_hello hello = {.role = DX_WIRE_ROLE_HOST};
	struct fixture fixture;
	int client = -1;

	fixture_simple(&fixture, "Good");
	client = dx_address_connect(fixture.socket);
	CHECK_EQ(client_status(client, DX_WIRE_A_HELLO, &hello, sizeof(hello), NULL, 0),
		 (int32_t)0xe00002e2);
	CHECK_EQ(dx_link_send(client, DX_WIRE_H_ADOPT, 0, 0, NULL, 0, NULL, 0, NULL, 0, false), 0);
	CHECK(test_wait_until(is_closed, &client, 10000));
	fixture_end(&fixture, client);
}

TEST(bad_requests_are_answered_and_the_connection_lives)
{
	struct fixture fixture;
	struct dx_wire_watch watch = {.cookie = 1, .kind = "IOServiceNonsense"};
	struct dx_wire_entry entry = {.id = 4711};
	struct dx_wire_match match = {0};
	struct dx_wire_id id = {.id = 4711};
	struct dx_wire_wait wait = {.id = 4711};
	int client = -1;

	fixture_simple(&fixture, "Good");
	client = client_connect(&fixture);
	CHECK_EQ(client_status(client, DX_WIRE_A_MATCH, &match, sizeof(match), "no plist", 8),
		 (int32_t)0xe00002c2);
	CHECK_EQ(client_status(client, DX_WIRE_A_WATCH_MATCHING, &watch, sizeof(watch), NULL, 0),
		 (int32_t)0xe00002c7);
	CHECK_EQ(client_status(client, DX_WIRE_A_WATCH_INTEREST, &watch, sizeof(watch), NULL, 0),
		 (int32_t)0xe00002c7);
	(void)snprintf(watch.kind, sizeof(watch.kind), "IOServicePublish");
	CHECK_EQ(client_status(client, DX_WIRE_A_WATCH_MATCHING, &watch, sizeof(watch), NULL, 0),
		 (int32_t)0xe00002c2);
	CHECK_EQ(client_status(client, DX_WIRE_A_ENTRY, &entry, sizeof(entry), NULL, 0), 0x10000003);
	CHECK_EQ(client_status(client, DX_WIRE_A_BUSY, &id, sizeof(id), NULL, 0), 0x10000003);
	CHECK_EQ(client_status(client, DX_WIRE_A_MATCH_TEST, &id, sizeof(id), NULL, 0), 0x10000003);
	CHECK_EQ(client_status(client, DX_WIRE_A_WAIT_QUIET, &wait, sizeof(wait), NULL, 0), 0x10000003);
	CHECK_EQ(client_status(client, DX_WIRE_A_UNWATCH, &id, sizeof(id), NULL, 0),
		 (int32_t)0xe00002f0);
	CHECK_EQ(client_interest(client, 1, "IOGeneralInterest", 4711), 0x10000003);
	wait.id = 0;
	CHECK_EQ(client_status(client, DX_WIRE_A_WAIT_QUIET, &wait, sizeof(wait), NULL, 0), 0);
	CHECK_NE(client_find(client, "Good"), 0);
	fixture_end(&fixture, client);
}

TEST(match_test_works_on_any_entry)
{
	struct fixture fixture;
	struct dx_wire_message_in reply;
	struct dx_dict *dict = NULL;
	struct dx_wire_id id = {0};
	void *bytes = NULL;
	size_t length = 0;
	int client = -1;

	fixture_simple(&fixture, "Good");
	client = client_connect(&fixture);
	id.id = client_find(client, "Good");
	dict = dict_with("IOProviderClass", "IOService");
	CHECK_EQ(dx_plist_encode(dict, &bytes, &length), 0);
	dx_object_unref(dict);
	client_call(client, DX_WIRE_A_MATCH_TEST, &id, sizeof(id), bytes, length, &reply);
	CHECK_EQ(((const struct dx_wire_value *)reply.view.body)->value, 1);
	dx_wire_message_in_fini(&reply);
	free(bytes);
	fixture_end(&fixture, client);
}

TEST(watches_are_counted_and_cookies_unique)
{
	struct fixture fixture;
	struct dx_wire_id cookie = {.id = 5};
	int client = -1;
	uint64_t id = 0;

	fixture_simple(&fixture, "Good");
	client = client_connect(&fixture);
	id = client_find(client, "Good");
	CHECK_EQ(client_watch(client, 5, "IOServicePublish", "Good"), 1);
	CHECK_EQ(client_interest(client, 5, "IOGeneralInterest", id), (int32_t)0xe00002c2);
	CHECK_EQ(client_status(client, DX_WIRE_A_UNWATCH, &cookie, sizeof(cookie), NULL, 0), 0);
	for (uint64_t i = 0; i < DX_MAX_WATCHES_PER_CLIENT; i++) {
		CHECK_EQ(client_interest(client, i, "IOBusyInterest", id), 0);
	}
	CHECK_EQ(client_interest(client, 1000, "IOGeneralInterest", id), (int32_t)0xe00002be);
	fixture_end(&fixture, client);
}

TEST(client_that_does_not_read_its_events_is_dropped_alone)
{
	struct fixture fixture;
	struct dx_wire_event event;
	int slow = -1;
	int fast = -1;
	int connection = -1;
	uint64_t id = 0;

	fixture_simple(&fixture, "Talker");
	slow = client_connect(&fixture);
	fast = client_connect(&fixture);
	id = client_find(fast, "Talker");
	CHECK_EQ(client_interest(slow, 1, "IOGeneralInterest", id), 0);
	CHECK_EQ(client_interest(fast, 2, "IOGeneralInterest", id), 0);
	/* No more at once than may wait: the fast one need not be faster than the host. */
	for (unsigned i = 0; i < 30 * FAKE_TALK; i++) {
		if (i % FAKE_TALK == 0) {
			(void)close(connection);
			CHECK_EQ(client_open(fast, id, &connection), 0);
		}
		event = client_event(fast);
		CHECK_EQ(event.cookie, 2);
		CHECK_EQ(event.argument, i % FAKE_TALK);
	}
	CHECK(test_wait_until(is_closed, &slow, 10000));
	(void)close(connection);
	(void)close(slow);
	(void)close(fast);
	fixture_fini(&fixture);
}

TEST_SECONDS(a_thousand_clients_are_served, 60)
{
	static int clients[1000];
	struct rlimit limit = {.rlim_cur = 4096, .rlim_max = 4096};
	struct fixture fixture;
	uint64_t before = 0;

	CHECK_EQ(setrlimit(RLIMIT_NOFILE, &limit), 0);
	fixture_simple(&fixture, "Good");
	before = dx_clock_now_ns();
	for (int i = 0; i < 1000; i++) {
		int connection = -1;

		clients[i] = client_connect(&fixture);
		CHECK_EQ(client_open(clients[i], client_find(clients[i], "Good"), &connection), 0);
		(void)close(connection);
	}
	for (int i = 0; i < 1000; i++) {
		CHECK_NE(client_find(clients[i], "Good"), 0);
		(void)close(clients[i]);
	}
	CHECK_LT(dx_clock_now_ns() - before, 50ull * 1000000000u);
	fixture_fini(&fixture);
}

/* CPU time of the whole process. */
static uint64_t cpu_ns(void)
{
	struct timespec now = {0};

	CHECK_EQ(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now), 0);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* Client ends and broker share one table here, so the broker runs out when the test does. */
TEST(descriptors_run_out_and_the_broker_neither_spins_nor_dies)
{
	struct fixture fixture;
	struct rlimit limit = {0};
	int clients[200];
	int nr_clients = 0;
	int first = -1;
	uint64_t before = 0;

	fixture_simple(&fixture, "Good");
	CHECK_EQ(getrlimit(RLIMIT_NOFILE, &limit), 0);
	first = client_connect(&fixture);
	limit.rlim_cur = 100;
	CHECK_EQ(setrlimit(RLIMIT_NOFILE, &limit), 0);
	for (; nr_clients < 200; nr_clients++) {
		clients[nr_clients] = dx_address_connect(fixture.socket);
		if (clients[nr_clients] < 0) {
			break;
		}
	}
	CHECK_LT(nr_clients, 200);
	before = cpu_ns();
	(void)poll(NULL, 0, 500); /* the time in which it may not burn */
	CHECK_LT(cpu_ns() - before, 100000000u);
	CHECK_NE(client_find(first, "Good"), 0);
	while (nr_clients > 0) {
		(void)close(clients[--nr_clients]);
	}
	(void)close(client_connect(&fixture)); /* it accepts again */
	limit.rlim_cur = limit.rlim_max;
	CHECK_EQ(setrlimit(RLIMIT_NOFILE, &limit), 0);
	(void)close(first);
	fixture_fini(&fixture);
}

TEST(unanswered_opens_of_one_client_are_limited_and_end_with_the_driver)
{
	struct fixture fixture;
	struct dx_wire_message_in reply;
	struct dx_wire_open open = {0};
	unsigned nr_refused = 0;
	unsigned nr_offline = 0;
	int client = -1;
	uint64_t id = 0;

	fixture_simple(&fixture, "SlowOpen");
	client = client_connect(&fixture);
	id = client_find(client, "SlowOpen");
	open.id = id;
	for (uint32_t i = 0; i < 300; i++) {
		CHECK_EQ(dx_link_send(client, DX_WIRE_A_OPEN, 100000 + i, 0, &open, sizeof(open), NULL, 0,
				      NULL, 0, false),
			 0);
	}
	for (uint32_t i = 0; i < 300 - 256; i++) {
		CHECK_EQ(dx_link_receive(client, false, &reply), 1);
		nr_refused += reply.view.header.status == (int32_t)0xe00002be;
		dx_wire_message_in_fini(&reply);
	}
	CHECK_EQ(nr_refused, 300 - 256);
	CHECK_EQ(dx_link_send(client, DX_WIRE_A_UNLOAD, 7, 0, NULL, 0, "test.Test", 9, NULL, 0, false), 0);
	for (uint32_t i = 0; i < 257; i++) {
		CHECK_EQ(dx_link_receive(client, false, &reply), 1);
		nr_offline += reply.view.header.status == (int32_t)0xe00002d7;
		dx_wire_message_in_fini(&reply);
	}
	CHECK_EQ(nr_offline, 256);
	fixture_end(&fixture, client);
}

/* The system calls change one thread, the library's functions all: the broker must stay itself. */
static void become(uid_t uid, gid_t gid)
{
	if (uid == 0) {
		CHECK_EQ(syscall(SYS_setresuid, -1, 0, -1), 0);
		CHECK_EQ(syscall(SYS_setresgid, -1, 0, -1), 0);
	} else {
		CHECK_EQ(syscall(SYS_setresgid, -1, gid, -1), 0);
		CHECK_EQ(syscall(SYS_setresuid, -1, uid, -1), 0);
	}
}

TEST(user_who_is_not_allowed_is_turned_away)
{
	struct fixture fixture;
	int client = -1;

	if (geteuid() != 0) {
		SKIP("needs root to become somebody else");
	}
	fixture_init(&fixture);
	CHECK_EQ(chmod(fixture.directory, 0755), 0);
	fixture.options.allow_uids = (const uid_t[]){1234};
	fixture.options.nr_allow_uids = 1;
	fixture.options.allow_gids = (const gid_t[]){4321};
	fixture.options.nr_allow_gids = 1;
	fixture_bundle(&fixture, "Test", "Good", "IOUserResources", "");
	fixture_start(&fixture);
	CHECK(fixture_wait_ready(&fixture));
	for (int turn = 0; turn < 3; turn++) {
		static const uid_t uids[] = {1234, 1235, 1236};
		static const gid_t gids[] = {99, 4321, 99};
		static const bool allowed[] = {true, true, false};
		const struct dx_wire_hello hello = {.role = DX_WIRE_ROLE_APPLICATION};

		/* What counts is who connects; the threads of the broker keep their identity. */
		become(uids[turn], gids[turn]);
		client = dx_address_connect(fixture.socket);
		become(0, 0);
		CHECK_GE(client, 0);
		if (allowed[turn]) {
			CHECK_EQ(client_status(client, DX_WIRE_A_HELLO, &hello, sizeof(hello), NULL, 0), 0);
			CHECK_EQ(client_status(client, DX_WIRE_A_SHUTDOWN, NULL, 0, NULL, 0),
				 (int32_t)0xe00002c1);
			CHECK_NE(client_find(client, "Good"), 0);
		} else {
			CHECK(test_wait_until(is_closed, &client, 10000));
		}
		(void)close(client);
	}
	fixture_fini(&fixture);
}
