/* SPDX-License-Identifier: MIT
 *
 * options_test - the command line of dextd, and what it prints.
 */
#include "daemon/options.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/value.h"
#include "daemon/show.h"
#include "test.h"

static struct dx_command_line line;
static char message[256];

static int parse(const char *const *arguments)
{
	char *argv[16] = {(char *)(uintptr_t)"dextd"};
	int argc = 1;

	for (; arguments[argc - 1] != NULL; argc++) {
		argv[argc] = (char *)(uintptr_t)arguments[argc - 1];
	}
	return dx_command_line_parse(argc, argv, &line, message, sizeof(message));
}

#define PARSE(...) parse((const char *const[]){__VA_ARGS__ __VA_OPT__(,) NULL})

TEST(options_without_any_have_defaults)
{
	CHECK_EQ(PARSE(), 0);
	CHECK(line.daemon.socket_path == NULL);
	CHECK_EQ(line.daemon.ready_fd, -1);
	CHECK_EQ(line.daemon.stop_fd, -1);
	CHECK(!line.daemon.is_private && !line.has_log_level && !line.show_status);
}

TEST(options_all_are_taken)
{
	CHECK_EQ(PARSE("--socket", "/s", "--bundle=a", "--bundle", "b", "--device", "d", "--private",
		       "--ready-fd", "3", "--host-program", "/h"),
		 0);
	CHECK_STR_EQ(line.daemon.socket_path, "/s");
	CHECK_EQ(line.daemon.nr_bundles, 2);
	CHECK_STR_EQ(line.daemon.bundles[1], "b");
	CHECK_EQ(line.daemon.nr_devices, 1);
	CHECK(line.daemon.is_private);
	CHECK_EQ(line.daemon.ready_fd, 3);
	CHECK_STR_EQ(line.daemon.host_program, "/h");
	CHECK_EQ(PARSE("--allow-uid", "root", "--allow-uid", "77", "--allow-group", "0", "--allow-group",
		       "daemon", "--log-level", "debug", "--keep-hosts", "--foreground"),
		 0);
	CHECK_EQ(line.daemon.allow_uids[0], 0);
	CHECK_EQ(line.daemon.allow_uids[1], 77);
	CHECK_EQ(line.daemon.nr_allow_gids, 2);
	CHECK_EQ(line.log_level, DX_LOG_DEBUG);
	CHECK(line.daemon.keep_hosts);
	CHECK_EQ(PARSE("--status", "--json", "--restart-delay", "7", "--stop-wait", "8",
		       "--start-wait", "9"),
		 0);
	CHECK(line.show_status && line.json);
	CHECK_EQ(line.daemon.restart_delay_ms, 7);
	CHECK_EQ(line.daemon.stop_wait_ms, 8);
	CHECK_EQ(line.daemon.start_wait_ms, 9);
	CHECK_EQ(PARSE("--help"), 0);
	CHECK(line.show_help);
	CHECK_EQ(PARSE("--version"), 0);
	CHECK(line.show_version);
}

static void check_refused(int result, const char *part)
{
	CHECK_EQ(result, -EINVAL);
	if (strstr(message, part) == NULL) {
		FAIL("\"%s\" does not say \"%s\"", message, part);
	}
}

TEST(options_that_are_wrong_get_a_line)
{
	check_refused(PARSE("--nonsense"), "--nonsense: unknown option");
	check_refused(PARSE("--socket"), "--socket: needs a value");
	check_refused(PARSE("stray"), "stray: unexpected argument");
	check_refused(PARSE("--ready-fd", "x"), "--ready-fd: \"x\"");
	check_refused(PARSE("--ready-fd", "-1"), "--ready-fd: \"-1\"");
	check_refused(PARSE("--ready-fd", "99999999999"), "--ready-fd");
	check_refused(PARSE("--restart-delay", "10001"), "--restart-delay");
	check_refused(PARSE("--stop-wait", ""), "--stop-wait");
	check_refused(PARSE("--start-wait", "long"), "--start-wait");
	check_refused(PARSE("--log-level", "loud"), "--log-level: \"loud\"");
	check_refused(PARSE("--allow-uid", "no such user"), "no user \"no such user\"");
	check_refused(PARSE("--allow-group", "no such group"), "no group \"no such group\"");
	check_refused(PARSE("--json"), "--json: only with --status");
}

TEST(options_given_too_often_are_refused)
{
	static const char *const names[] = {"--bundle", "--device", "--allow-uid", "--allow-group"};

	for (size_t name = 0; name < 4; name++) {
		static char *argv[2 * DX_OPTIONS_MAX + 4];

		argv[0] = (char *)(uintptr_t)"dextd";
		for (size_t i = 0; i <= DX_OPTIONS_MAX; i++) {
			argv[1 + 2 * i] = (char *)(uintptr_t)names[name];
			argv[2 + 2 * i] = (char *)(uintptr_t)"1";
		}
		check_refused(dx_command_line_parse(2 * DX_OPTIONS_MAX + 3, argv, &line, message,
						    sizeof(message)),
			      "given more than 256 times");
	}
}

static char *shown(const void *value, bool json)
{
	char *text = NULL;
	size_t length = 0;
	FILE *stream = open_memstream(&text, &length);

	CHECK(stream != NULL);
	if (json) {
		dx_show_json(value, stream);
	} else {
		dx_show_text(value, 0, stream);
	}
	(void)fclose(stream);
	return text;
}

TEST(show_prints_every_kind_of_value)
{
	struct dx_dict *dict = dx_dict_new();
	struct dx_array *array = dx_array_new();
	struct dx_data *data = dx_data_new("\x01\xff", 2);
	struct dx_number *real = dx_number_new_real(1.5, 64);
	char *text = NULL;

	CHECK_EQ(dx_array_append(array, dx_boolean(true)), 0);
	CHECK_EQ(dx_array_append(array, data), 0);
	CHECK_EQ(dx_array_append(array, real), 0);
	CHECK_EQ(dx_dict_set_string(dict, "text", "a\"b\\c\n"), 0);
	CHECK_EQ(dx_dict_set_u64(dict, "number", UINT64_MAX, 64), 0);
	CHECK_EQ(dx_dict_set(dict, "list", array), 0);
	text = shown(dict, true);
	CHECK_STR_EQ(text, "{\"text\":\"a\\\"b\\\\c\\u000a\",\"number\":18446744073709551615,"
			   "\"list\":[true,\"01ff\",1.5]}");
	free(text);
	text = shown(array, false);
	CHECK_STR_EQ(text, "- true\n- \"01ff\"\n- 1.5\n");
	free(text);
	CHECK_EQ(dx_dict_set_string(dict, "text", "plain"), 0);
	text = shown(dict, false);
	CHECK(strstr(text, "text: plain\nnumber: ") != NULL);
	free(text);
	dx_object_unref(real);
	dx_object_unref(data);
	dx_object_unref(array);
	dx_object_unref(dict);
}

TEST(show_status_without_a_broker_says_so)
{
	CHECK_EQ(dx_show_status("/nonexistent/socket", false, stdout, message, sizeof(message)), -ENOENT);
	CHECK_STR_EQ(message, "/nonexistent/socket: no broker listens here");
}

TEST(options_usb_takes_all_or_ids)
{
	CHECK_EQ(PARSE("--usb"), 0);
	CHECK(line.daemon.usb_all);
	CHECK_EQ(line.daemon.nr_usb_ids, 0);
	CHECK_EQ(PARSE("--usb", "--private"), 0);
	CHECK(line.daemon.usb_all && line.daemon.is_private);
	CHECK_EQ(PARSE("--usb", "525:A4a0", "--usb", "1:2"), 0);
	CHECK_EQ(line.daemon.nr_usb_ids, 2);
	CHECK_EQ(line.daemon.usb_ids[0], 0x0525a4a0);
	CHECK_EQ(line.daemon.usb_ids[1], 0x00010002);
	CHECK_EQ(PARSE(), 0);
	CHECK(!line.daemon.usb_all);
	check_refused(PARSE("--usb", "525"), "--usb: \"525\" is no VID:PID");
	check_refused(PARSE("--usb", "12345:1"), "is no VID:PID");
	check_refused(PARSE("--usb", "1:2:3"), "is no VID:PID");
	check_refused(PARSE("--usb", ":1"), "is no VID:PID");
	check_refused(PARSE("--usb", "1:"), "is no VID:PID");
	check_refused(PARSE("--usb", "1:x"), "is no VID:PID");
}
