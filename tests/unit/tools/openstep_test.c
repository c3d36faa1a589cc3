/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <string.h>

#include "base/value.h"
#include "openstep.h"
#include "test.h"

static void *read_text(const char *text)
{
	void *value = NULL;
	unsigned line = 0;

	CHECK_EQ(dx_openstep_decode(text, strlen(text), &value, &line), 0);
	return value;
}

static void check_refused(const char *text, unsigned line)
{
	void *value = NULL;
	unsigned found = 0;

	CHECK_EQ(dx_openstep_decode(text, strlen(text), &value, &found), -EPROTO);
	CHECK(value == NULL);
	CHECK_EQ(found, line);
}

TEST(openstep_dictionary_has_texts_lists_and_data)
{
	struct dx_dict *dict = read_text("// !$*UTF8*$!\n{ a = b-c/d.e; \"two words\" = (x, 'y z', ); "
					 "data = <0a 0BfF>; inner = { k = v; }; }\n");
	const struct dx_array *list = dx_dict_get_array(dict, "two words");
	const struct dx_data *data = dx_dict_get(dict, "data");

	CHECK_STR_EQ(dx_dict_get_string(dict, "a", ""), "b-c/d.e");
	CHECK_EQ(dx_array_count(list), 2u);
	CHECK_STR_EQ(dx_string_get(dx_array_get(list, 1)), "y z");
	CHECK_EQ(dx_data_length(data), 3u);
	CHECK_MEM_EQ(dx_data_bytes(data), "\x0a\x0b\xff", 3);
	CHECK_STR_EQ(dx_dict_get_string(dx_dict_get_dict(dict, "inner"), "k", ""), "v");
	dx_object_unref(dict);
}

TEST(openstep_quotes_take_what_a_backslash_says)
{
	struct dx_string *text = read_text("\"a\\\"b\\n\\tc\\\\ /* no comment */\"");

	CHECK_STR_EQ(dx_string_get(text), "a\"b\n\tc\\ /* no comment */");
	dx_object_unref(text);
}

TEST(openstep_comments_stand_where_space_may)
{
	struct dx_dict *dict = read_text("{/**/a /* x */=// y\n1 /* { */;}// end");

	CHECK_STR_EQ(dx_dict_get_string(dict, "a", ""), "1");
	dx_object_unref(dict);
}

TEST(openstep_what_does_not_end_is_refused_at_its_last_line)
{
	check_refused("", 1);
	check_refused("{\na = b;\n", 3);
	check_refused("{\na = b }", 2);
	check_refused("{\na b; }", 2);
	check_refused("(\na b)", 2);
	check_refused("(a,", 1);
	check_refused("(a", 1);
	check_refused("\"abc\n", 2);
	check_refused("\"abc\\", 1);
	check_refused("/* abc", 1);
	check_refused("{ /* abc", 1);
	check_refused("<0", 1);
	check_refused("<0g>", 1);
	check_refused("<00", 1);
	check_refused("#", 1);
	check_refused("{ = b; }", 1);
	check_refused("{ a =", 1);
	check_refused("{ a = ; }", 1);
	check_refused("a\nb", 2);
	check_refused("\"\xff\"", 1);
}

TEST(openstep_lists_are_not_read_deeper_than_a_limit)
{
	char text[256];

	memset(text, '(', 40);
	memset(text + 40, ')', 40);
	text[80] = '\0';
	check_refused(text, 1);
	memset(text, '(', 30);
	memset(text + 30, ')', 30);
	text[60] = '\0';
	dx_object_unref(read_text(text));
}
