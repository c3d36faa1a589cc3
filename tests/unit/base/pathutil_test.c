/* SPDX-License-Identifier: MIT
 *
 * pathutil_test - path names.
 */
#include "test.h"

#include "base/cleanup.h"
#include "base/pathutil.h"

static void check_join(const char *directory, const char *name, const char *expected)
{
	DX_CLEANUP_FREE char *joined = dx_path_join(directory, name);

	CHECK_STR_EQ(joined, expected);
}

TEST(path_join_puts_one_slash)
{
	check_join("/a", "b", "/a/b");
	check_join("/a/", "b", "/a/b");
	check_join("/", "b", "/b");
	check_join("", "b", "b");
}

TEST(path_base_is_what_follows_the_last_slash)
{
	CHECK_STR_EQ(dx_path_base("/a/b.dext"), "b.dext");
	CHECK_STR_EQ(dx_path_base("b"), "b");
	CHECK_STR_EQ(dx_path_base("/a/"), "");
}

TEST(path_plain_names_stay_in_their_directory)
{
	CHECK(dx_path_is_plain_name("Stream"));
	CHECK(dx_path_is_plain_name("..."));
	CHECK(!dx_path_is_plain_name(""));
	CHECK(!dx_path_is_plain_name("."));
	CHECK(!dx_path_is_plain_name(".."));
	CHECK(!dx_path_is_plain_name("a/b"));
	CHECK(!dx_path_is_plain_name("../a"));
}

TEST(path_suffix)
{
	CHECK(dx_path_has_suffix("Stream.dext", ".dext"));
	CHECK(!dx_path_has_suffix("Stream.dex", ".dext"));
	CHECK(!dx_path_has_suffix("t", ".dext"));
}
