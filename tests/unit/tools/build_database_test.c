/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "build_database.h"
#include "test.h"

static void check_merge(const char *old, const char *fresh, const char *expected)
{
	char *text = NULL;

	CHECK_EQ(dx_database_merge(old, strlen(old), "/w/A.build/", fresh, &text), 0);
	CHECK_STR_EQ(text, expected);
	free(text);
}

TEST(database_that_is_none_is_replaced)
{
	check_merge("", "  {}", "[\n  {}\n]\n");
	check_merge("{}", "  {}", "[\n  {}\n]\n");
	check_merge("[", "  {}", "[\n  {}\n]\n");
	check_merge("[ {\"a\": \"b", "  {}", "[\n  {}\n]\n");
	check_merge("[ {\"a\": [1, 2}", "  {}", "[\n  {}\n]\n");
	check_merge("[ {\"a\\", "  {}", "[\n  {}\n]\n");
	check_merge("[ 1 ]", "", "[\n\n]\n");
}

TEST(database_keeps_what_other_builds_wrote)
{
	check_merge("[ {\"file\": \"x \\\" ] }\", \"arguments\": [\"[\"]}, "
		    "{\"output\" : \"/w/B.build/1.o\"} ]",
		    "  {\"output\": \"/w/A.build/1.o\"}",
		    "[\n  {\"file\": \"x \\\" ] }\", \"arguments\": [\"[\"]},\n"
		    "  {\"output\" : \"/w/B.build/1.o\"},\n"
		    "  {\"output\": \"/w/A.build/1.o\"}\n]\n");
	check_merge("[{\"a\": 1}]", "", "[\n  {\"a\": 1}\n]\n");
}

TEST(database_replaces_what_this_build_wrote)
{
	check_merge("[{\"directory\": \"/w\", \"output\": \"/w/A.build/1.o\"},\n"
		    "{\"arguments\": {\"output\": \"/w/A.build/1.o\"}}, "
		    "{\"output\": \"/w/A.build/\"}, {\"output\": 1}]",
		    "  {\"new\": 1}",
		    "[\n  {\"arguments\": {\"output\": \"/w/A.build/1.o\"}},\n"
		    "  {\"output\": 1},\n  {\"new\": 1}\n]\n");
}
