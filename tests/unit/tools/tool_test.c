/* SPDX-License-Identifier: MIT */
#include "tool.h"

#include <errno.h>

#include "test.h"

/* main.c owns the real table, and this is no dext. */
const struct dx_tool_command *const dx_tool_commands[] = {NULL};

const struct dx_tool_command *dx_tool_command_find(const char *name)
{
	(void)name;
	return NULL;
}

static unsigned long long size_of(const char *text)
{
	unsigned long long value = 0;

	CHECK_EQ(dx_tool_parse_size(text, 0, ~0ull, &value), 0);
	return value;
}

TEST(tool_sizes_take_binary_suffixes)
{
	CHECK_EQ(size_of("0"), 0);
	CHECK_EQ(size_of("17"), 17);
	CHECK_EQ(size_of("256K"), 262144);
	CHECK_EQ(size_of("256KiB"), 262144);
	CHECK_EQ(size_of("1M"), 1048576);
	CHECK_EQ(size_of("3g"), 3221225472);
}

TEST(tool_sizes_that_are_none_are_refused)
{
	static const char *const bad[] = {"", "-1", "+1", " 1", "x", "1x", "1 K", "1KK", "0x10"};
	unsigned long long value = 7;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		CHECK_EQ(dx_tool_parse_size(bad[i], 0, ~0ull, &value), -EINVAL);
	}
	CHECK_EQ(value, 7);
}

TEST(tool_sizes_out_of_range_are_refused)
{
	unsigned long long value = 7;

	CHECK_EQ(dx_tool_parse_size("9", 10, 20, &value), -ERANGE);
	CHECK_EQ(dx_tool_parse_size("21", 10, 20, &value), -ERANGE);
	CHECK_EQ(dx_tool_parse_size("18446744073709551616", 0, ~0ull, &value), -ERANGE);
	CHECK_EQ(dx_tool_parse_size("18446744073709551615K", 0, ~0ull, &value), -ERANGE);
	CHECK_EQ(value, 7);
}

TEST(tool_durations_are_seconds_unless_they_say_milliseconds)
{
	unsigned ms = 0;

	CHECK_EQ(dx_tool_parse_duration("10", &ms), 0);
	CHECK_EQ(ms, 10000);
	CHECK_EQ(dx_tool_parse_duration("2.5s", &ms), 0);
	CHECK_EQ(ms, 2500);
	CHECK_EQ(dx_tool_parse_duration("500ms", &ms), 0);
	CHECK_EQ(ms, 500);
}

TEST(tool_durations_that_are_none_are_refused)
{
	unsigned ms = 7;

	CHECK_EQ(dx_tool_parse_duration("", &ms), -EINVAL);
	CHECK_EQ(dx_tool_parse_duration("-1", &ms), -EINVAL);
	CHECK_EQ(dx_tool_parse_duration("1h", &ms), -EINVAL);
	CHECK_EQ(dx_tool_parse_duration("nan", &ms), -EINVAL);
	CHECK_EQ(dx_tool_parse_duration("1e9", &ms), -ERANGE);
	CHECK_EQ(ms, 7);
}

TEST(tool_find_of_a_file_that_is_nowhere_is_enoent)
{
	char path[512];

	CHECK_EQ(dx_tool_find("no-such-file-of-ours", path, sizeof(path)), -ENOENT);
}

TEST(tool_find_sees_what_lies_beside_the_program)
{
	char path[512];

	CHECK_EQ(dx_tool_find("tools_tool_test", path, sizeof(path)), 0);
	CHECK_EQ(path[0], '/');
	CHECK_EQ(dx_tool_find("tools_tool_test", path, 4), -ENOENT); /* no room */
}
