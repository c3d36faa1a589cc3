/* SPDX-License-Identifier: MIT
 *
 * tools_explain_test - dext explain, with a broker and without, and what list and tree say of devices.
 */
#include <stdio.h>
#include <string.h>

#include "test.h"
#include "tools_support.h"

static struct tools_program program;
static char directory[64];

static void explain(const char *const *arguments)
{
	const char *argv[16] = {"dext", "explain"};

	tools_make_directory(directory, sizeof(directory));
	for (size_t i = 0; arguments[i] != NULL; i++) {
		argv[i + 2] = arguments[i];
	}
	tools_run(&program, directory, argv);
	tools_check_clean(directory);
}

#define EXPLAIN(...) explain((const char *const[]){tools_path("OPENDEXT_TEST_STREAM"), __VA_ARGS__, NULL})

TEST(explain_without_a_broker_reads_bundle_and_device_itself)
{
	EXPLAIN("virtual:gadget-zero");
	CHECK_EQ(program.status, 0);
	CHECK_STR_EQ(program.err, "");
	CHECK(strstr(program.out, "org.opendext.example.Stream (") != NULL);
	CHECK(strstr(program.out, "matches, and would be started, score 90000\n") != NULL);
}

TEST(explain_names_the_key_that_does_not_match)
{
	EXPLAIN("--device", "virtual:gadget-zero,idProduct=5");
	CHECK_EQ(program.status, 1);
	CHECK_STR_EQ(program.err, "");
	CHECK(strstr(program.out, "does not match\n      idProduct: wants 42144 (0xa4a0), the provider "
				  "has 5 (0x5)\n") != NULL);
}

TEST(explain_as_json_has_everything)
{
	EXPLAIN("-j", "virtual:gadget-zero");
	CHECK_EQ(program.status, 0);
	CHECK(strstr(program.out, "\"result\": \"wins\"") != NULL);
	CHECK(strstr(program.out, "\"matches\": true") != NULL);
	CHECK(strstr(program.out, "\"score\": 90000") != NULL);
}

TEST(explain_says_what_is_wrong_with_a_spec)
{
	EXPLAIN("virtual:nope");
	CHECK_EQ(program.status, 1);
	CHECK(strstr(program.out, "problem: device \"virtual:nope\"") != NULL);
}

TEST(explain_of_entries_needs_a_broker)
{
	EXPLAIN("-s", "/nonexistent/broker", "Some Device");
	CHECK_EQ(program.status, 69);
	CHECK(tools_is_one_line(program.err, "no broker listens there"));
}

TEST(explain_of_too_many_devices_is_a_usage_error)
{
	const char *argv[24] = {"dext", "explain", "a"};

	tools_make_directory(directory, sizeof(directory));
	for (size_t i = 3; i < 20; i++) {
		argv[i] = "virtual:gadget-zero";
	}
	tools_run(&program, directory, argv);
	CHECK_EQ(program.status, 2);
	CHECK(strstr(program.err, "more than 16 devices") != NULL);
}

/* In `dext run`, where the broker has the bundle and a device. */
static void script(const char *option, const char *text)
{
	const char *stream = tools_path("OPENDEXT_TEST_STREAM");
	const char *with[] = {"dext", "run", option, stream, "--", "/bin/sh", "-c", text, NULL};
	const char *without[] = {"dext", "run", stream, "--", "/bin/sh", "-c", text, NULL};

	tools_make_directory(directory, sizeof(directory));
	tools_run(&program, directory, option == NULL ? without : with);
	tools_check_clean(directory);
}

TEST(explain_in_a_broker_takes_names_ids_and_identifiers)
{
	script(NULL, "set -e; dext=\"$OPENDEXT_TEST_DEXT\"; me=org.opendext.example.Stream\n"
		     "\"$dext\" explain $me | grep 'matches, and the driver runs, score 90000'\n"
		     "\"$dext\" explain $me 'Gadget Zero' | grep 'the driver runs'\n"
		     "id=$(\"$dext\" list | awk '/^devices$/ { getline; getline; print $1 }')\n"
		     "\"$dext\" explain $me $id | grep 'the driver runs'\n"
		     "\"$dext\" explain \"$OPENDEXT_TEST_STREAM\" | grep ', loaded)'\n"
		     "! \"$dext\" explain $me 'No Such Thing' || exit 9\n"
		     "! \"$dext\" explain no.such.bundle || exit 9\n");
	CHECK_EQ(program.status, 0);
	CHECK(strstr(program.err, "'No Such Thing': the broker has no such device") != NULL);
	CHECK(strstr(program.err, "no bundle no.such.bundle is loaded") != NULL);
}

TEST(list_and_tree_show_score_category_and_the_state_of_devices)
{
	script(NULL, "set -e; dext=\"$OPENDEXT_TEST_DEXT\"\n"
		     "\"$dext\" list | grep -q '90000 *IODefaultMatchCategory'\n"
		     "\"$dext\" list | grep -q 'virtual:gadget-zero.* attached'\n"
		     "\"$dext\" tree | grep -q 'score 90000 in IODefaultMatchCategory'\n");
	CHECK_STR_EQ(program.err, "");
	CHECK_EQ(program.status, 0);
}

TEST(detach_takes_a_spec_if_it_names_one_device)
{
	script("--no-device",
	       "set -e; dext=\"$OPENDEXT_TEST_DEXT\"\n"
	       "\"$dext\" attach virtual:gadget-zero\n"
	       "\"$dext\" detach virtual:gadget-zero\n"
	       "! \"$dext\" detach virtual:gadget-zero || exit 9\n"
	       "\"$dext\" attach virtual:gadget-zero\n"
	       "\"$dext\" attach virtual:gadget-zero\n"
	       "! \"$dext\" detach virtual:gadget-zero || exit 9\n");
	CHECK_EQ(program.status, 0);
	CHECK(strstr(program.err, "no device is attached by this spec") != NULL);
	CHECK(strstr(program.err, "several devices are; give the id") != NULL);
}
