/* SPDX-License-Identifier: MIT
 *
 * tools_cli_test - the command line of dext: help, usage errors, exit codes; no broker anywhere.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "test.h"
#include "tools_support.h"

static struct tools_program program;

/* dext with up to four arguments. */
static void dext(const char *a, const char *b, const char *c, const char *d)
{
	const char *argv[] = {"dext", a, b, c, d, NULL};

	tools_run(&program, "/tmp", argv);
}

static void check_usage_error(const char *part)
{
	CHECK_EQ(program.status, 2);
	CHECK_STR_EQ(program.out, "");
	if (!tools_is_one_line(program.err, part) || strstr(program.err, "--help'") == NULL) {
		FAIL("not one line with '%s' and where the help is: %s", part, program.err);
	}
}

static void check_failure(int status, const char *part)
{
	CHECK_EQ(program.status, status);
	CHECK_STR_EQ(program.out, "");
	if (!tools_is_one_line(program.err, part)) {
		FAIL("not one line with '%s': %s", part, program.err);
	}
}

static const char *const names[] = {"run",    "demo", "list",   "tree", "attach",
				    "detach", "device", "load", "unload", "help", "version",
				    "explain"};

TEST(help_option_of_every_command_prints_its_usage)
{
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		char usage[64];

		dext(names[i], "--help", NULL, NULL);
		(void)snprintf(usage, sizeof(usage), "usage: dext %s", names[i]);
		CHECK_EQ(program.status, 0);
		CHECK_STR_EQ(program.err, "");
		CHECK_EQ(strncmp(program.out, usage, strlen(usage)), 0);
	}
}

TEST(help_command_knows_every_command)
{
	dext("help", NULL, NULL, NULL);
	CHECK_EQ(program.status, 0);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		char line[64];

		(void)snprintf(line, sizeof(line), "\n  %s ", names[i]);
		CHECK(strstr(program.out, line) != NULL);
	}
	dext("help", "tree", NULL, NULL);
	CHECK(strstr(program.out, "usage: dext tree") != NULL);
}

TEST(help_of_unknown_command_is_a_usage_error)
{
	dext("help", "nothing", NULL, NULL);
	check_usage_error("'nothing' is no command");
	dext("help", "run", "list", NULL);
	check_usage_error("one command");
}

TEST(version_is_printed_by_command_and_option)
{
	dext("version", NULL, NULL, NULL);
	CHECK_EQ(program.status, 0);
	CHECK_EQ(strncmp(program.out, "dext (OpenDext) ", 16), 0);
	dext("--version", NULL, NULL, NULL);
	CHECK_EQ(program.status, 0);
	CHECK_EQ(strncmp(program.out, "dext (OpenDext) ", 16), 0);
}

TEST(missing_and_unknown_commands_are_usage_errors)
{
	dext(NULL, NULL, NULL, NULL);
	check_usage_error("no command");
	dext("frobnicate", NULL, NULL, NULL);
	check_usage_error("'frobnicate'");
}

TEST(unknown_options_are_usage_errors_that_name_them)
{
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		dext(names[i], "--frobnicate", NULL, NULL);
		check_usage_error("'--frobnicate'");
		dext(names[i], "-x", NULL, NULL);
		check_usage_error("'-x'");
	}
	dext("--frobnicate", NULL, NULL, NULL);
	check_usage_error("'--frobnicate'");
}

TEST(options_without_their_value_are_usage_errors)
{
	dext("list", "--socket", NULL, NULL);
	check_usage_error("'--socket' needs a value");
	dext("run", "--device", NULL, NULL);
	check_usage_error("'--device' needs a value");
	dext("-s", NULL, NULL, NULL);
	check_usage_error("'-s' needs a value");
}

TEST(wrong_numbers_of_operands_are_usage_errors)
{
	dext("attach", NULL, NULL, NULL);
	check_usage_error("one device spec");
	dext("attach", "a", "b", NULL);
	check_usage_error("one device spec");
	dext("detach", NULL, NULL, NULL);
	check_usage_error("one device id or spec");
	dext("detach", "nonsense", NULL, NULL);
	check_usage_error("'nonsense' is no device id and no spec");
	dext("explain", NULL, NULL, NULL);
	check_usage_error("a bundle is needed");
	dext("load", NULL, NULL, NULL);
	check_usage_error("one bundle");
	dext("unload", NULL, NULL, NULL);
	check_usage_error("one bundle identifier");
	dext("list", "a", NULL, NULL);
	check_usage_error("unexpected 'a'");
	dext("tree", "a", NULL, NULL);
	check_usage_error("unexpected 'a'");
	dext("version", "a", NULL, NULL);
	check_usage_error("unexpected 'a'");
	dext("demo", "/bin/sh", "/bin/sh", NULL);
	check_usage_error("one file");
}

TEST(detach_of_something_that_is_no_id_is_a_usage_error)
{
	dext("detach", "abc", NULL, NULL);
	check_usage_error("'abc'");
	dext("detach", "12x", NULL, NULL);
	check_usage_error("'12x'");
	dext("detach", "99999999999999999999999", NULL, NULL);
	check_usage_error("'99999999999999999999999'");
}

TEST(run_without_bundle_or_application_is_a_usage_error)
{
	dext("run", NULL, NULL, NULL);
	check_usage_error("bundle");
	dext("run", "--", "true", NULL);
	check_usage_error("bundle");
	dext("run", "X.dext", NULL, NULL);
	check_usage_error("no application");
	dext("run", "X.dext", "--", NULL);
	check_usage_error("no application");
}

TEST(run_with_options_that_contradict_is_a_usage_error)
{
	const char *argv[] = {"dext", "run", "-n", "-d", "x", "X.dext", "--", "true", NULL};

	tools_run(&program, "/tmp", argv);
	check_usage_error("exclude each other");
	dext("run", "--socket=/x", "X.dext", "--keep");
	check_usage_error("--socket");
	dext("run", "--timeout=soon", "X.dext", "--keep");
	check_usage_error("'soon'");
}

TEST(demo_with_numbers_out_of_range_is_a_usage_error)
{
	dext("demo", "--size=0", NULL, NULL);
	check_usage_error("--size");
	dext("demo", "--size=17M", NULL, NULL);
	check_usage_error("--size");
	dext("demo", "--buffers=65", NULL, NULL);
	check_usage_error("--buffers");
	dext("demo", "--buffers=many", NULL, NULL);
	check_usage_error("'many'");
	dext("demo", "--buffers=2", "--depth=3", NULL);
	check_usage_error("--depth");
	dext("demo", "--total=99999999999999999999G", NULL, NULL);
	check_usage_error("--total");
}

TEST(demo_of_a_file_that_cannot_be_sent_names_it)
{
	dext("demo", "/nonexistent/file", NULL, NULL);
	check_failure(1, "/nonexistent/file: No such file");
	dext("demo", "/dev/null", NULL, NULL);
	check_failure(1, "/dev/null");
	dext("demo", "/tmp", NULL, NULL);
	check_failure(1, "/tmp");
}

TEST(commands_without_a_broker_exit_with_69_and_name_the_address)
{
	static const char *const alone[] = {"list", "tree"};

	for (size_t i = 0; i < 2; i++) {
		dext(alone[i], "--socket", "/nonexistent/broker", NULL);
		check_failure(69, "/nonexistent/broker");
		dext("--socket=/nonexistent/broker", alone[i], NULL, NULL);
		check_failure(69, "/nonexistent/broker");
	}
	dext("attach", "-s/nonexistent/broker", "virtual:gadget-zero", NULL);
	check_failure(69, "/nonexistent/broker");
	dext("detach", "-s/nonexistent/broker", "1", NULL);
	check_failure(69, "/nonexistent/broker");
	dext("load", "-s/nonexistent/broker", "/tmp", NULL);
	check_failure(69, "/nonexistent/broker");
	dext("unload", "-s/nonexistent/broker", "a.b.c", NULL);
	check_failure(69, "/nonexistent/broker");
}

TEST(address_from_the_environment_is_used)
{
	const char *argv[] = {"env", "OPENDEXT_SOCKET=/nonexistent/env",
			      tools_path("OPENDEXT_TEST_DEXT"), "list", NULL};

	tools_run(&program, "/tmp", argv);
	check_failure(69, "/nonexistent/env");
}

TEST(address_longer_than_a_socket_allows_fails_in_one_line)
{
	char address[300] = "--socket=/";

	memset(address + 10, 'a', sizeof(address) - 11);
	dext("list", address, NULL, NULL);
	check_failure(69, "File name too long");
}

TEST(load_of_a_missing_bundle_names_it)
{
	dext("load", "/nonexistent/X.dext", NULL, NULL);
	check_failure(1, "/nonexistent/X.dext: No such file");
}

TEST(no_escape_sequences_without_a_terminal)
{
	dext("help", NULL, NULL, NULL);
	CHECK(strchr(program.out, '\033') == NULL);
	dext("run", "--help", NULL, NULL);
	CHECK(strchr(program.out, '\033') == NULL);
}

TEST(full_standard_output_is_a_failure)
{
	const char *argv[] = {"sh", "-c", "\"$0\" help >/dev/full",
			      tools_path("OPENDEXT_TEST_DEXT"), NULL};

	tools_run(&program, "/tmp", argv);
	check_failure(1, "cannot write standard output");
}
