/* SPDX-License-Identifier: MIT */
#include "json.h"

#include <math.h>
#include <stdlib.h>

#include "base/value.h"
#include "test.h"

/* What the value prints as; takes the reference over. */
static void check_prints(void *value, const char *expected)
{
	char *text = NULL;
	size_t length = 0;
	FILE *stream = open_memstream(&text, &length);

	CHECK(stream != NULL);
	CHECK(value != NULL);
	dx_json_print(stream, value);
	CHECK_EQ(fclose(stream), 0);
	CHECK_STR_EQ(text, expected);
	free(text);
	dx_object_unref(value);
}

static void check_string(const char *input, const char *expected)
{
	char *text = NULL;
	size_t length = 0;
	FILE *stream = open_memstream(&text, &length);

	CHECK(stream != NULL);
	dx_json_print_string(stream, input);
	CHECK_EQ(fclose(stream), 0);
	CHECK_STR_EQ(text, expected);
	free(text);
}

TEST(json_strings_are_quoted_and_escaped)
{
	check_string("plain", "\"plain\"");
	check_string("a\"b\\c", "\"a\\\"b\\\\c\"");
	check_string("\n\t\033", "\"\\u000a\\u0009\\u001b\"");
	check_string("\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80", "\"\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80\"");
}

TEST(json_bytes_that_are_no_utf8_become_replacement_characters)
{
	check_string("\xff", "\"\\ufffd\"");
	check_string("a\xc3", "\"a\\ufffd\"");
	check_string("\xc0\x80", "\"\\ufffd\\ufffd\"");		/* overlong */
	check_string("\xed\xa0\x80", "\"\\ufffd\\ufffd\\ufffd\"");	/* surrogate */
	check_string("\xf4\x90\x80\x80", "\"\\ufffd\\ufffd\\ufffd\\ufffd\""); /* beyond the end */
}

TEST(json_scalars_print_as_they_are)
{
	check_prints(dx_number_new(0, 8), "0");
	check_prints(dx_number_new(UINT64_MAX, 64), "18446744073709551615");
	check_prints(dx_number_new_real(0.5, 64), "0.5");
	check_prints(dx_number_new_real(INFINITY, 64), "null");
	check_prints((void *)(uintptr_t)dx_boolean(true), "true");
	check_prints((void *)(uintptr_t)dx_boolean(false), "false");
	check_prints(dx_data_new("\x01\xfe", 2), "\"01fe\"");
}

TEST(json_containers_are_indented_and_keep_their_order)
{
	struct dx_dict *dict = dx_dict_new();
	struct dx_array *array = dx_array_new();

	CHECK_EQ(dx_dict_set_u64(dict, "z", 1, 32), 0);
	CHECK_EQ(dx_array_append(array, dx_boolean(true)), 0);
	CHECK_EQ(dx_dict_set(dict, "a", array), 0);
	dx_object_unref(array);
	check_prints(dict, "{\n  \"z\": 1,\n  \"a\": [\n    true\n  ]\n}");
}

TEST(json_empty_containers_take_one_line)
{
	check_prints(dx_dict_new(), "{}");
	check_prints(dx_array_new(), "[]");
}

TEST(json_on_one_line_has_no_line_end)
{
	struct dx_dict *dict = dx_dict_new();
	char *text = NULL;
	size_t length = 0;
	FILE *stream = open_memstream(&text, &length);

	CHECK_EQ(dx_dict_set_u64(dict, "a", 1, 32), 0);
	CHECK_EQ(dx_dict_set_string(dict, "b", "c"), 0);
	dx_json_print_line(stream, dict);
	CHECK_EQ(fclose(stream), 0);
	CHECK_STR_EQ(text, "{\"a\": 1, \"b\": \"c\"}");
	free(text);
	dx_object_unref(dict);
}
