/* SPDX-License-Identifier: MIT
 *
 * broker_test - a broker with fake hosts: start, open, refuse, crash, restart, unplug, stop.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "support.h"
#include "test.h"

#define TERMINATED 0xe0000010u

TEST(broker_without_anything_starts_and_stops)
{
	struct fixture fixture;
	int client = -1;

	fixture_init(&fixture);
	client = fixture_start_client(&fixture);
	CHECK_NE(client_find(client, "IOUserResources"), 0);
	CHECK_EQ(client_find(client, "Nobody"), 0);
	fixture_end(&fixture, client);
	CHECK_EQ(fixture.result, 0);
}

TEST(driver_starts_registers_and_is_found_by_name)
{
	struct fixture fixture;
	struct dx_dict *entry = NULL;
	int client = -1;
	uint64_t id = 0;

	fixture_simple(&fixture, "Good");
	client = client_connect(&fixture);
	id = client_find(client, "Good");
	CHECK_NE(id, 0);
	entry = client_entry(client, id);
	CHECK_STR_EQ(dx_dict_get_string(entry, "name", ""), "Good");
	CHECK_STR_EQ(dx_dict_get_string(entry, "path", ""), "IOService:/IOUserResources/Good");
	CHECK(dx_dict_get_bool(entry, "registered", false));
	CHECK_EQ(dx_dict_get_u64(entry, "busy", 9), 0);
	CHECK_STR_EQ(dx_dict_get_string(dx_dict_get_dict(entry, "properties"), "CFBundleIdentifier", ""),
		     "test.Test");
	CHECK_EQ(dx_array_count(dx_dict_get_array(entry, "classes")), 4);
	dx_object_unref(entry);
	fixture_end(&fixture, client);
}

TEST(driver_that_does_not_register_is_not_found)
{
	struct fixture fixture;
	int client = -1;

	fixture_simple(&fixture, "Quiet");
	client = client_connect(&fixture);
	CHECK_EQ(client_find(client, "Quiet"), 0);
	fixture_end(&fixture, client);
}

TEST(driver_sets_name_and_properties)
{
	struct fixture fixture;
	struct dx_dict *entry = NULL;
	struct dx_dict *user = NULL;
	int client = -1;

	fixture_simple(&fixture, "Named");
	client = client_connect(&fixture);
	CHECK_EQ(client_find(client, "Named"), 0);
	entry = client_entry(client, client_find(client, "Renamed"));
	user = dx_dict_get_dict(dx_dict_get_dict(entry, "properties"), "IOUserServiceProperties");
	CHECK_EQ(dx_dict_get_u64(user, "answer", 0), 42);
	CHECK(dx_dict_get(user, "other") == NULL);
	dx_object_unref(entry);
	fixture_end(&fixture, client);
}

TEST(properties_that_are_too_large_are_left_out_and_nothing_breaks)
{
	struct fixture fixture;
	struct dx_dict *entry = NULL;
	int client = -1;

	fixture_simple(&fixture, "Huge");
	client = client_connect(&fixture);
	entry = client_entry(client, client_find(client, "Huge"));
	CHECK(dx_dict_get(dx_dict_get_dict(entry, "properties"), "IOUserServiceProperties") == NULL);
	dx_object_unref(entry);
	fixture_end(&fixture, client);
}

TEST(open_passes_a_socket_and_close_removes_the_user_client)
{
	struct fixture fixture;
	struct dx_dict *entry = NULL;
	int client = -1;
	int connection = -1;
	uint64_t id = 0;
	uint64_t user_client = 0;

	fixture_simple(&fixture, "Good");
	client = client_connect(&fixture);
	id = client_find(client, "Good");
	CHECK_EQ(client_open(client, id, &connection), 0);
	entry = client_entry(client, id);
	CHECK_EQ(dx_array_count(dx_dict_get_array(entry, "children")), 1);
	user_client = dx_number_u64(dx_array_get(dx_dict_get_array(entry, "children"), 0));
	dx_object_unref(entry);
	(void)close(connection);
	client_wait_gone(client, user_client);
	fixture_end(&fixture, client);
}

/* Of a service of that class. */
static int32_t status_of_open(const char *class)
{
	struct fixture fixture;
	int client = -1;
	int connection = -1;
	int32_t status = 0;

	fixture_simple(&fixture, class);
	client = client_connect(&fixture);
	status = client_open(client, client_find(client, class), &connection);
	fixture_end(&fixture, client);
	return status;
}

TEST(open_refusal_of_the_driver_arrives_unchanged)
{
	CHECK_EQ(status_of_open("RefuseOpen"), (int32_t)0xe00002c5);
}

TEST(open_of_what_has_no_driver_or_does_not_exist_is_refused)
{
	struct fixture fixture;
	int client = -1;
	int connection = -1;

	fixture_simple(&fixture, "Good");
	client = client_connect(&fixture);
	CHECK_EQ(client_open(client, client_find(client, "IOUserResources"), &connection),
		 (int32_t)0xe00002c7);
	CHECK_EQ(client_open(client, 12345, &connection), 0x10000003);
	CHECK_EQ(client_open(client, 0, &connection), 0x10000003);
	fixture_end(&fixture, client);
}

TEST(open_during_which_the_driver_dies_fails)
{
	CHECK_EQ(status_of_open("DieOnOpen"), (int32_t)0xe00002d7);
}

TEST(crash_terminates_the_service_and_a_new_one_comes)
{
	struct fixture fixture;
	struct dx_wire_event event;
	int client = -1;
	int connection = -1;
	uint64_t id = 0;

	fixture_simple(&fixture, "DieOnOpen");
	client = client_connect(&fixture);
	id = client_find(client, "DieOnOpen");
	CHECK_EQ(client_watch(client, 1, "IOServiceTerminate", "DieOnOpen"), 0);
	CHECK_EQ(client_watch(client, 2, "IOServiceFirstMatch", "DieOnOpen"), 1);
	CHECK_EQ(client_watch(client, 3, "IOServiceWillTerminate", "DieOnOpen"), 0);
	CHECK_EQ(client_interest(client, 4, "IOGeneralInterest", id), 0);
	CHECK_NE(client_open(client, id, &connection), 0);
	event = client_event(client);
	CHECK_EQ(event.cookie, 3);
	CHECK_EQ(event.id, id);
	event = client_event(client);
	CHECK_EQ(event.cookie, 4);
	CHECK_EQ(event.kind, DX_WIRE_EVENT_INTEREST);
	CHECK_EQ(event.message_type, TERMINATED);
	event = client_event(client);
	CHECK_EQ(event.cookie, 1);
	CHECK_EQ(event.id, id);
	event = client_event(client);
	CHECK_EQ(event.cookie, 2);
	CHECK_NE(event.id, id);
	CHECK_EQ(client_find(client, "DieOnOpen"), event.id);
	CHECK_EQ(client_open(client, id, &connection), 0x10000003);
	CHECK_EQ(client_interest(client, 5, "IOGeneralInterest", id), 0x10000003);
	fixture_end(&fixture, client);
}

TEST(terminated_service_can_still_be_asked_for_its_name)
{
	struct fixture fixture;
	struct dx_dict *entry = NULL;
	int client = -1;
	int connection = -1;
	uint64_t id = 0;

	fixture_simple(&fixture, "DieOnOpen");
	client = client_connect(&fixture);
	id = client_find(client, "DieOnOpen");
	CHECK_NE(client_open(client, id, &connection), 0);
	client_wait_gone(client, id);
	entry = client_entry(client, id);
	CHECK(entry != NULL);
	CHECK(dx_dict_get_bool(entry, "inactive", false));
	CHECK_STR_EQ(dx_dict_get_string(entry, "name", ""), "DieOnOpen");
	dx_object_unref(entry);
	fixture_end(&fixture, client);
}

static bool gave_up(void *argument)
{
	struct fixture *fixture = argument;
	bool is = false;

	pthread_mutex_lock(&fixture->lock);
	is = fixture->nr_launched == DX_MAX_RESTARTS + 1;
	pthread_mutex_unlock(&fixture->lock);
	return is;
}

TEST(driver_that_keeps_dying_is_given_up)
{
	struct fixture fixture;
	int client = -1;

	fixture_simple(&fixture, "DieOnStart");
	CHECK(test_wait_until(gave_up, &fixture, 15000));
	client = client_connect(&fixture);
	CHECK_EQ(client_find(client, "DieOnStart"), 0);
	(void)poll(NULL, 0, 50); /* would be enough for another try */
	CHECK(gave_up(&fixture));
	fixture_end(&fixture, client);
}

TEST(start_failure_gives_the_next_best_driver_a_chance)
{
	struct fixture fixture;
	int client = -1;

	fixture_init(&fixture);
	fixture_bundle(&fixture, "A", "GoodLow", "IOUserResources",
		       "<key>IOProbeScore</key><integer>1</integer>");
	fixture_bundle(&fixture, "B", "FailStart", "IOUserResources",
		       "<key>IOProbeScore</key><integer>1000</integer>");
	fixture_bundle(&fixture, "C", "GoodOther", "IOUserResources",
		       "<key>IOMatchCategory</key><string>other</string>");
	client = fixture_start_client(&fixture);
	CHECK_NE(client_find(client, "GoodLow"), 0);
	CHECK_EQ(client_find(client, "FailStart"), 0);
	CHECK_NE(client_find(client, "GoodOther"), 0);
	CHECK_EQ(fixture.nr_launched, 3);
	fixture_end(&fixture, client);
}

TEST(best_score_wins_its_category_alone)
{
	struct fixture fixture;
	int client = -1;

	fixture_init(&fixture);
	fixture_bundle(&fixture, "A", "GoodLow", "IOUserResources", "");
	fixture_bundle(&fixture, "B", "GoodHigh", "IOUserResources",
		       "<key>IOProbeScore</key><integer>10</integer>");
	client = fixture_start_client(&fixture);
	CHECK_NE(client_find(client, "GoodHigh"), 0);
	CHECK_EQ(client_find(client, "GoodLow"), 0);
	fixture_end(&fixture, client);
}

TEST(setup_failure_leaves_the_service_without_driver)
{
	struct fixture fixture;
	int client = -1;

	fixture_init(&fixture);
	fixture_bundle(&fixture, "badsetup", "Good", "IOUserResources", "");
	client = fixture_start_client(&fixture);
	CHECK_EQ(client_find(client, "Good"), 0);
	CHECK_EQ(fixture.nr_launched, 1);
	fixture_end(&fixture, client);
}

TEST(launch_failure_is_tried_again_unless_it_lasts)
{
	struct fixture fixture;
	int client = -1;

	fixture_init(&fixture);
	fixture_bundle(&fixture, "Test", "Good", "IOUserResources", "");
	fixture.fail_launches = 2;
	fixture.fail_code = -EAGAIN;
	client = fixture_start_client(&fixture);
	(void)client_wait_find(client, "Good");
	CHECK_EQ(fixture.nr_launched, 3);
	fixture_end(&fixture, client);

	fixture_init(&fixture);
	fixture_bundle(&fixture, "Test", "Good", "IOUserResources", "");
	fixture.fail_launches = 1;
	fixture.fail_code = -ENOENT;
	fixture_start(&fixture);
	CHECK(fixture_wait_ready(&fixture));
	CHECK_EQ(fixture.nr_launched, 1);
	fixture_fini(&fixture);
	CHECK_EQ(fixture.nr_launched, 1);
}

TEST(host_that_lies_or_talks_nonsense_is_killed_and_counted_as_dead)
{
	const char *const classes[] = {"Liar", "Garbage"};

	for (size_t i = 0; i < 2; i++) {
		struct fixture fixture;

		fixture_simple(&fixture, classes[i]);
		CHECK(test_wait_until(gave_up, &fixture, 15000));
		fixture_fini(&fixture);
	}
}

TEST(driver_that_terminates_itself_does_not_come_back)
{
	struct fixture fixture;
	int client = -1;

	fixture_simple(&fixture, "Retire");
	client = client_connect(&fixture);
	client_wait_not_found(client, "Retire");
	CHECK_EQ(fixture.nr_launched, 1);
	fixture_end(&fixture, client);
}

struct busy {
	int client;
	struct dx_wire_id id;
};

static bool is_busy_once(void *argument)
{
	const struct busy *busy = argument;
	struct dx_wire_message_in reply;
	uint32_t value = 0;

	client_call(busy->client, DX_WIRE_A_BUSY, &busy->id, sizeof(busy->id), NULL, 0, &reply);
	value = ((const struct dx_wire_value *)reply.view.body)->value;
	dx_wire_message_in_fini(&reply);
	return value == 1;
}

TEST(busy_count_of_a_driver_cannot_eat_that_of_others)
{
	struct fixture fixture;
	struct dx_wire_wait wait = {.timeout_ns = 1000000};
	struct busy busy = {0};
	int client = -1;

	fixture_init(&fixture);
	fixture_bundle(&fixture, "Test", "Busy", "IOUserResources", "");
	fixture_start(&fixture);
	client = client_connect(&fixture);
	busy = (struct busy){.client = client, .id = {client_wait_find(client, "Busy")}};
	/* It can be found from when it registers on, and is then busy being matched, too. */
	CHECK(test_wait_until(is_busy_once, &busy, 10000));
	CHECK_EQ(client_status(client, DX_WIRE_A_WAIT_QUIET, &wait, sizeof(wait), NULL, 0),
		 (int32_t)0xe00002d6);
	wait.timeout_ns = 0;
	CHECK_EQ(client_status(client, DX_WIRE_A_WAIT_QUIET, &wait, sizeof(wait), NULL, 0),
		 (int32_t)0xe00002d6);
	fixture_end(&fixture, client);
}

TEST(one_process_serves_all_services_when_the_personality_says_so)
{
	struct fixture fixture;
	char info[3000];
	int client = -1;

	fixture_init(&fixture);
	(void)snprintf(info, sizeof(info),
		       "<plist version=\"1.0\"><dict><key>CFBundleIdentifier</key><string>test.two</string>"
		       "<key>IOKitPersonalities</key><dict>"
		       "<key>A</key><dict><key>IOProviderClass</key><string>IOUserResources</string>"
		       "<key>IOUserClass</key><string>GoodA</string>"
		       "<key>IOUserServerOneProcess</key><true/></dict>"
		       "<key>B</key><dict><key>IOProviderClass</key><string>IOUserResources</string>"
		       "<key>IOUserClass</key><string>GoodB</string>"
		       "<key>IOMatchCategory</key><string>b</string>"
		       "<key>IOUserServerOneProcess</key><true/></dict>"
		       "</dict></dict></plist>");
	fixture_write_bundle(&fixture, "two", info, true);
	fixture.bundles[0] = strdup(fixture.directory); /* a directory of bundles */
	fixture.options.nr_bundles = 1;
	client = fixture_start_client(&fixture);
	CHECK_NE(client_find(client, "GoodA"), 0);
	CHECK_NE(client_find(client, "GoodB"), 0);
	CHECK_EQ(fixture.nr_launched, 1);
	fixture_end(&fixture, client);
}

TEST(driver_can_be_a_provider_and_goes_after_its_client)
{
	struct fixture fixture;
	struct dx_wire_event event;
	struct dx_dict *entry = NULL;
	int client = -1;
	uint64_t upper = 0;
	uint64_t lower = 0;

	fixture_init(&fixture);
	fixture_bundle(&fixture, "Lower", "GoodLower", "IOUserResources", "");
	fixture_bundle(&fixture, "Upper", "GoodUpper", "IOUserService",
		       "<key>IONameMatch</key><string>GoodLower</string>");
	client = fixture_start_client(&fixture);
	lower = client_find(client, "GoodLower");
	upper = client_find(client, "GoodUpper");
	entry = client_entry(client, upper);
	CHECK_EQ(dx_dict_get_u64(entry, "parent", 0), lower);
	CHECK_STR_EQ(dx_dict_get_string(entry, "path", ""),
		     "IOService:/IOUserResources/GoodLower/GoodUpper");
	dx_object_unref(entry);
	(void)client_watch(client, 1, "IOServiceTerminate", "GoodLower");
	(void)client_watch(client, 2, "IOServiceTerminate", "GoodUpper");
	CHECK_EQ(client_text(client, DX_WIRE_A_UNLOAD, "test.Lower", NULL, 0), 0);
	event = client_event(client);
	CHECK_EQ(event.cookie, 2);
	event = client_event(client);
	CHECK_EQ(event.cookie, 1);
	fixture_end(&fixture, client);
}

TEST(load_and_unload_at_run_time)
{
	struct fixture fixture;
	char path[400];
	char text[1000];
	int client = -1;

	fixture_init(&fixture);
	fixture_bundle(&fixture, "Late", "Good", "IOUserResources", "");
	fixture.options.nr_bundles = 0;
	client = fixture_start_client(&fixture);
	fixture_path(&fixture, "Late.dext", path, sizeof(path));
	CHECK_EQ(client_text(client, DX_WIRE_A_LOAD, path, text, sizeof(text)), 0);
	CHECK_STR_EQ(text, "test.Late");
	(void)client_wait_find(client, "Good");
	CHECK_NE(client_text(client, DX_WIRE_A_LOAD, path, text, sizeof(text)), 0);
	CHECK(strstr(text, "is loaded from") != NULL);
	CHECK_EQ(client_text(client, DX_WIRE_A_UNLOAD, "test.Late", NULL, 0), 0);
	CHECK_EQ(client_find(client, "Good"), 0);
	CHECK_EQ(client_text(client, DX_WIRE_A_UNLOAD, "test.Late", NULL, 0), (int32_t)0xe00002f0);
	CHECK_EQ(client_text(client, DX_WIRE_A_LOAD, path, NULL, 0), 0);
	(void)client_wait_find(client, "Good");
	CHECK_EQ(client_text(client, DX_WIRE_A_LOAD, "relative", NULL, 0), (int32_t)0xe00002c2);
	CHECK_NE(client_text(client, DX_WIRE_A_LOAD, "/nonexistent.dext", text, sizeof(text)), 0);
	CHECK_STR_EQ(text, "/nonexistent.dext: No such file or directory");
	fixture.options.nr_bundles = 1; /* to be freed */
	fixture_end(&fixture, client);
}

TEST(start_that_does_not_return_is_ended_and_not_tried_again)
{
	struct fixture fixture;
	int client = -1;

	fixture_init(&fixture);
	fixture_bundle(&fixture, "Silent", "SilentStart", "IOUserResources",
		       "<key>IOMatchCategory</key><string>silent</string>");
	fixture_bundle(&fixture, "Other", "Good", "IOUserResources",
		       "<key>IOMatchCategory</key><string>other</string>");
	fixture.options.start_wait_ms = 100;
	fixture_start(&fixture);
	CHECK(fixture_wait_ready(&fixture)); /* nothing is being started any more */
	client = client_connect(&fixture);
	CHECK_EQ(client_find(client, "SilentStart"), 0);
	CHECK_NE(client_find(client, "Good"), 0);
	(void)close(client);
	pthread_mutex_lock(&fixture.lock);
	CHECK_EQ(fixture.nr_launched, 2);
	pthread_mutex_unlock(&fixture.lock);
	fixture_fini(&fixture);
}

TEST(stop_kills_hosts_that_do_not_stop)
{
	struct fixture fixture;

	fixture_init(&fixture);
	fixture_bundle(&fixture, "Test", "NoStop", "IOUserResources", "");
	fixture.options.stop_wait_ms = 100;
	fixture_start(&fixture);
	CHECK(fixture_wait_ready(&fixture));
	fixture_fini(&fixture);
	CHECK_EQ(fixture.result, 0);
}

TEST(shutdown_request_stops_the_broker)
{
	struct fixture fixture;
	int client = -1;

	fixture_simple(&fixture, "Good");
	client = client_connect(&fixture);
	CHECK_EQ(client_status(client, DX_WIRE_A_SHUTDOWN, NULL, 0, NULL, 0), 0);
	CHECK_EQ(pthread_join(fixture.thread, NULL), 0);
	fixture.running = false;
	CHECK_EQ(fixture.result, 0);
	CHECK(access(fixture.socket, F_OK) < 0);
	fixture_end(&fixture, client);
}

TEST(private_broker_ends_with_whoever_reads_its_ready_line)
{
	struct fixture fixture;

	fixture_simple(&fixture, "Good");
	(void)close(fixture.ready_pipe[0]);
	fixture.ready_pipe[0] = -1;
	CHECK_EQ(pthread_join(fixture.thread, NULL), 0);
	fixture.running = false;
	CHECK_EQ(fixture.result, 0);
	fixture_fini(&fixture);
}

TEST(second_broker_on_one_address_is_refused)
{
	struct fixture fixture;
	char message[1024];

	fixture_simple(&fixture, "Good");
	CHECK_EQ(dx_daemon_run(&fixture.options, message, sizeof(message)), -EADDRINUSE);
	CHECK(strstr(message, "another broker listens here") != NULL);
	CHECK_EQ(access(fixture.socket, F_OK), 0); /* it did not take the first one's away */
	fixture_fini(&fixture);
}

TEST(bad_bundle_or_device_ends_a_private_broker_with_one_line)
{
	struct fixture fixture;
	char line[1024];
	ssize_t length = 0;

	fixture_init(&fixture);
	fixture.devices[fixture.options.nr_devices++] = "nonsense:device";
	fixture_start(&fixture);
	length = read(fixture.ready_pipe[0], line, sizeof(line) - 1);
	CHECK_GT(length, 0);
	line[length] = '\0';
	CHECK(strncmp(line, "error: ", 7) == 0);
	CHECK(strstr(line, "nonsense:device") != NULL);
	CHECK(strchr(line, '\n') == line + length - 1);
	CHECK_EQ(pthread_join(fixture.thread, NULL), 0);
	fixture.running = false;
	CHECK_LT(fixture.result, 0);
	CHECK(access(fixture.socket, F_OK) < 0);
	fixture_fini(&fixture);
}

TEST(tree_and_status_show_everything)
{
	struct fixture fixture;
	struct dx_wire_message_in reply;
	void *value = NULL;
	int client = -1;

	fixture_simple(&fixture, "Good");
	client = client_connect(&fixture);
	client_call(client, DX_WIRE_A_TREE, NULL, 0, NULL, 0, &reply);
	CHECK_EQ(dx_wire_message_value(&reply, &dx_dict_class, &value), 0);
	CHECK_STR_EQ(dx_dict_get_string(value, "name", ""), "Root");
	CHECK_EQ(dx_array_count(dx_dict_get_array(value, "children")), 2);
	dx_object_unref(value);
	dx_wire_message_in_fini(&reply);
	client_call(client, DX_WIRE_A_STATUS, NULL, 0, NULL, 0, &reply);
	CHECK_EQ(dx_wire_message_value(&reply, &dx_dict_class, &value), 0);
	CHECK_EQ(dx_array_count(dx_dict_get_array(value, "bundles")), 1);
	CHECK_EQ(dx_array_count(dx_dict_get_array(value, "hosts")), 1);
	CHECK_EQ(dx_array_count(dx_dict_get_array(value, "clients")), 1);
	dx_object_unref(value);
	dx_wire_message_in_fini(&reply);
	fixture_end(&fixture, client);
}
