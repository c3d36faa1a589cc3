/* SPDX-License-Identifier: MIT
 *
 * host_watch_test - what hosts are told of services that their drivers watch.
 */
#include <stdlib.h>
#include <unistd.h>

#include "support.h"
#include "test.h"

static unsigned read_counter(struct fixture *fixture, const unsigned *counter)
{
	pthread_mutex_lock(&fixture->lock);
	unsigned value = *counter;
	pthread_mutex_unlock(&fixture->lock);
	return value;
}

static bool was_told(void *context)
{
	struct fixture *fixture = context;

	return read_counter(fixture, &fixture->nr_told) == 2; /* two watches */
}

static bool has_matched(void *context)
{
	struct fixture *fixture = context;

	return read_counter(fixture, &fixture->nr_matched) == 1;
}

static bool has_terminated(void *context)
{
	struct fixture *fixture = context;

	return read_counter(fixture, &fixture->nr_terminated) == 1;
}

TEST(host_is_told_of_services_that_come_and_go_and_not_by_a_watch_that_ended)
{
	struct fixture fixture;
	char path[400];
	char identifier[200];

	fixture_init(&fixture);
	fixture_bundle(&fixture, "Test", "WatchLittle", "IOUserResources", "");
	fixture_bundle(&fixture, "Late", "Good", "IOUserResources",
		       "<key>IOMatchCategory</key><string>Late</string>");
	free((void *)(uintptr_t)fixture.bundles[1]);
	fixture.options.nr_bundles = 1; /* the other one comes later */
	fixture_start(&fixture);
	CHECK(fixture_wait_ready(&fixture));
	int client = client_connect(&fixture);
	CHECK(test_wait_until(was_told, &fixture, 15000));
	CHECK_EQ(read_counter(&fixture, &fixture.nr_matched), 0);
	fixture_path(&fixture, "Late.dext", path, sizeof(path));
	CHECK_EQ(client_text(client, DX_WIRE_A_LOAD, path, identifier, sizeof(identifier)), 0);
	CHECK(test_wait_until(has_matched, &fixture, 15000));
	CHECK_EQ(client_text(client, DX_WIRE_A_UNLOAD, identifier, NULL, 0), 0);
	CHECK(test_wait_until(has_terminated, &fixture, 15000));
	fixture_end(&fixture, client);
	CHECK_EQ(fixture.nr_matched, 1);
}

/* Such a host is killed, and its driver started anew. */
static bool gave_up(void *context)
{
	struct fixture *fixture = context;

	return read_counter(fixture, &fixture->nr_launched) >= 2;
}

TEST(host_that_uses_a_cookie_twice_or_watches_too_much_is_killed)
{
	const char *const classes[] = {"WatchTwice", "WatchMany"};

	for (size_t i = 0; i < 2; i++) {
		struct fixture fixture;

		fixture_simple(&fixture, classes[i]);
		CHECK(test_wait_until(gave_up, &fixture, 15000));
		fixture_fini(&fixture);
	}
}
