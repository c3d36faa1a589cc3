/* SPDX-License-Identifier: MIT
 *
 * value_test - booleans, numbers, strings, data, arrays, dictionaries.
 */
#include "test.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>

#include "base/value.h"

TEST(boolean_is_one_of_two_immortals)
{
	CHECK(dx_boolean_get(dx_boolean(true)));
	CHECK(!dx_boolean_get(dx_boolean(false)));
	CHECK(dx_boolean(true) == dx_boolean(true));
	dx_object_unref(dx_boolean(true));
	CHECK(dx_boolean_get(dx_boolean(true)));
	CHECK(dx_value_equal(dx_boolean(true), dx_boolean(true)));
	CHECK(!dx_value_equal(dx_boolean(true), dx_boolean(false)));
}

static void check_number(struct dx_number *number, uint64_t value, unsigned bits)
{
	CHECK_EQ(dx_number_u64(number), value);
	CHECK_EQ(dx_number_bits(number), bits);
	CHECK(!dx_number_is_real(number));
	dx_object_unref(number);
}

TEST(number_keeps_its_value_in_its_width)
{
	check_number(dx_number_new(0x1ff, 8), 0xff, 8);
	check_number(dx_number_new(0xffffffff, 32), 0xffffffff, 32);
	check_number(dx_number_new(UINT64_MAX, 64), UINT64_MAX, 64);
	check_number(dx_number_new(5, 12), 5, 16);
	check_number(dx_number_new_signed(-1, 8), UINT64_MAX, 8);
	check_number(dx_number_new_signed(0x80, 8), (uint64_t)-128, 8);
	check_number(dx_number_new_signed(0x7f, 8), 0x7f, 8);
	check_number(dx_number_new_signed(INT64_MIN, 64), (uint64_t)INT64_MIN, 64);
}

static void check_real(double real, unsigned bits, uint64_t as_integer)
{
	struct dx_number *number = dx_number_new_real(real, bits);

	CHECK(dx_number_is_real(number));
	CHECK_EQ(dx_number_bits(number), bits);
	CHECK_EQ(dx_number_u64(number), as_integer);
	dx_object_unref(number);
}

TEST(number_real_is_truncated_and_saturates)
{
	check_real(1.9, 64, 1);
	check_real(-1.9, 64, (uint64_t)-1);
	check_real(1.5, 32, 1);
	check_real(1e30, 64, UINT64_MAX);
	check_real(-1e30, 64, (uint64_t)INT64_MIN);
	check_real((double)INFINITY, 64, UINT64_MAX);
	check_real((double)NAN, 64, 0);
	check_real(0x1p63, 64, 1ull << 63);
}

TEST(number_equality_is_by_value)
{
	struct dx_number *narrow = dx_number_new(7, 8);
	struct dx_number *wide = dx_number_new(7, 64);
	struct dx_number *real = dx_number_new_real(7.0, 64);
	struct dx_number *other = dx_number_new_real(7.5, 64);
	struct dx_number *none = dx_number_new_real((double)NAN, 64);
	struct dx_number *none_again = dx_number_new_real((double)NAN, 64);
	struct dx_string *text = dx_string_new("7");

	CHECK(dx_value_equal(narrow, wide));
	CHECK(dx_value_equal(narrow, real));
	CHECK(!dx_value_equal(narrow, other));
	CHECK(!dx_value_equal(narrow, text));
	CHECK(dx_value_equal(none, none_again));
	CHECK(dx_number_real(wide) == 7.0);
	dx_object_unref(narrow);
	dx_object_unref(wide);
	dx_object_unref(real);
	dx_object_unref(other);
	dx_object_unref(none);
	dx_object_unref(none_again);
	dx_object_unref(text);
}

TEST(string_keeps_bytes_and_length)
{
	struct dx_string *string = dx_string_new_length("gr\xc3\xbc\xc3\x9f-not-this", 6);

	CHECK_STR_EQ(dx_string_get(string), "gr\xc3\xbc\xc3\x9f");
	CHECK_EQ(dx_string_length(string), 6);
	dx_object_unref(string);
	string = dx_string_new("");
	CHECK_EQ(dx_string_length(string), 0);
	dx_object_unref(string);
}

TEST(string_that_is_not_utf8_is_refused)
{
	static const char *const bad[] = {
		"\xff",		    "\xc3",		"\xc0\x80",	    "\xe0\x80\x80",
		"\xed\xa0\x80",	    "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "a\x80",
		"\xe2\x82",	    "\xf0\x80\x80\x80", "\xc3(",	    "\xe2(\xa1",
	};
	static const char *const good[] = {"\x7f", "\xc2\x80", "\xe0\xa0\x80", "\xed\x9f\xbf",
					   "\xee\x80\x80", "\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf"};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		CHECK(dx_string_new(bad[i]) == NULL);
	}
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		CHECK(dx_string_is_valid(good[i], strlen(good[i])));
	}
	CHECK(dx_string_new_length("a\0b", 3) == NULL);
}

TEST(data_grows)
{
	struct dx_data *data = dx_data_new(NULL, 4);
	struct dx_data *other = dx_data_new("\0\0\0\0abc\0", 8);

	CHECK_MEM_EQ(dx_data_bytes(data), "\0\0\0\0", 4);
	CHECK_EQ(dx_data_append(data, "abc", 3), 0);
	CHECK_EQ(dx_data_append(data, NULL, 1), 0);
	CHECK_EQ(dx_data_length(data), 8);
	CHECK(dx_value_equal(data, other));
	((char *)dx_data_mutable_bytes(data))[0] = 1;
	CHECK(!dx_value_equal(data, other));
	CHECK_EQ(dx_data_append(data, "x", SIZE_MAX), -ENOMEM);
	CHECK_EQ(dx_data_append(data, "x", SIZE_MAX - 100), -ENOMEM);
	CHECK_EQ(dx_data_append(data, "x", SIZE_MAX / 4), -ENOMEM);
	CHECK_EQ(dx_data_length(data), 8);
	CHECK(dx_data_new(NULL, SIZE_MAX) == NULL);
	dx_object_unref(data);
	dx_object_unref(other);
}

TEST(array_holds_references_in_order)
{
	struct dx_array *array = dx_array_new();
	struct dx_string *a = dx_string_new("a");
	struct dx_string *b = dx_string_new("b");

	CHECK_EQ(dx_array_append(array, a), 0);
	CHECK_EQ(dx_array_insert(array, 0, b), 0);
	CHECK_EQ(dx_object_refs(a), 2);
	CHECK(dx_array_get(array, 0) == b);
	CHECK(dx_array_get(array, 1) == a);
	CHECK(dx_array_get(array, 2) == NULL);
	CHECK_EQ(dx_array_replace(array, 0, a), 0);
	CHECK_EQ(dx_object_refs(b), 1);
	CHECK_EQ(dx_object_refs(a), 3);
	CHECK_EQ(dx_array_replace(array, 0, a), 0); /* by itself */
	dx_array_remove(array, 0);
	dx_array_remove(array, 5);
	CHECK_EQ(dx_array_count(array), 1);
	dx_object_unref(array);
	CHECK_EQ(dx_object_refs(a), 1);
	dx_object_unref(a);
	dx_object_unref(b);
}

TEST(array_refuses_nothing_and_places_beyond_the_end)
{
	struct dx_array *array = dx_array_new();

	CHECK_EQ(dx_array_append(array, NULL), -EINVAL);
	CHECK_EQ(dx_array_insert(array, 1, dx_boolean(true)), -EINVAL);
	CHECK_EQ(dx_array_replace(array, 0, dx_boolean(true)), -EINVAL);
	CHECK_EQ(dx_array_count(array), 0);
	dx_object_unref(array);
}

TEST(dict_keeps_order_and_finds_keys)
{
	struct dx_dict *dict = dx_dict_new();
	const char *key = NULL;
	void *value = NULL;

	CHECK(dx_dict_get(dict, "none") == NULL);
	CHECK(!dx_dict_remove(dict, "none"));
	for (int i = 0; i < 1000; i++) {
		char name[16];

		(void)snprintf(name, sizeof(name), "key%d", i);
		CHECK_EQ(dx_dict_set_u64(dict, name, (uint64_t)i, 32), 0);
	}
	CHECK_EQ(dx_dict_set_u64(dict, "key0", 5000, 32), 0); /* keeps its place */
	CHECK_EQ(dx_dict_count(dict), 1000);
	CHECK(dx_dict_at(dict, 0, &key, &value));
	CHECK_STR_EQ(key, "key0");
	CHECK_EQ(dx_number_u64(value), 5000);
	CHECK(dx_dict_remove(dict, "key1"));
	CHECK(dx_dict_at(dict, 1, &key, NULL));
	CHECK_STR_EQ(key, "key2");
	CHECK_STR_EQ(dx_string_get(dx_dict_key_string(dict, 1)), "key2");
	for (int i = 2; i < 1000; i++) {
		char name[16];

		(void)snprintf(name, sizeof(name), "key%d", i);
		CHECK_EQ(dx_dict_get_u64(dict, name, 0), i);
	}
	CHECK(!dx_dict_at(dict, 999, &key, &value));
	CHECK(dx_dict_key_string(dict, 999) == NULL);
	dx_object_unref(dict);
}

TEST(dict_refuses_bad_keys_and_nothing)
{
	struct dx_dict *dict = dx_dict_new();

	CHECK_EQ(dx_dict_set(dict, "a", NULL), -EINVAL);
	CHECK_EQ(dx_dict_set(dict, "\xff", dx_boolean(true)), -EINVAL);
	CHECK_EQ(dx_dict_set_string(dict, "a", "\xff"), -EINVAL);
	CHECK_EQ(dx_dict_count(dict), 0);
	dx_object_unref(dict);
}

TEST(dict_typed_look_ups_fall_back)
{
	struct dx_dict *dict = dx_dict_new();
	struct dx_dict *inner = dx_dict_new();
	struct dx_array *array = dx_array_new();

	CHECK_EQ(dx_dict_set_string(dict, "s", "text"), 0);
	CHECK_EQ(dx_dict_set_bool(dict, "b", true), 0);
	CHECK_EQ(dx_dict_set_u64(dict, "n", 3, 8), 0);
	CHECK_EQ(dx_dict_set(dict, "d", inner), 0);
	CHECK_EQ(dx_dict_set(dict, "a", array), 0);
	CHECK_STR_EQ(dx_dict_get_string(dict, "s", "-"), "text");
	CHECK_STR_EQ(dx_dict_get_string(dict, "n", "-"), "-");
	CHECK_EQ(dx_dict_get_u64(dict, "n", 9), 3);
	CHECK_EQ(dx_dict_get_u64(dict, "s", 9), 9);
	CHECK(dx_dict_get_bool(dict, "b", false));
	CHECK(dx_dict_get_bool(dict, "x", true));
	CHECK(dx_dict_get_dict(dict, "d") == inner);
	CHECK(dx_dict_get_dict(dict, "a") == NULL);
	CHECK(dx_dict_get_array(dict, "a") == array);
	CHECK(dx_dict_get_array(dict, "d") == NULL);
	dx_object_unref(inner);
	dx_object_unref(array);
	dx_object_unref(dict);
}

TEST(dict_equality_ignores_order)
{
	struct dx_dict *a = dx_dict_new();
	struct dx_dict *b = dx_dict_new();

	CHECK(dx_value_equal(a, b));
	CHECK_EQ(dx_dict_set_u64(a, "x", 1, 8), 0);
	CHECK(!dx_value_equal(a, b));
	CHECK_EQ(dx_dict_set_u64(a, "y", 2, 8), 0);
	CHECK_EQ(dx_dict_set_u64(b, "y", 2, 64), 0);
	CHECK_EQ(dx_dict_set_u64(b, "z", 1, 8), 0);
	CHECK(!dx_value_equal(a, b));
	CHECK(dx_dict_remove(b, "z"));
	CHECK_EQ(dx_dict_set_u64(b, "x", 1, 8), 0);
	CHECK(dx_value_equal(a, b));
	dx_object_unref(a);
	dx_object_unref(b);
}

TEST(dict_merge_adds_and_replaces)
{
	struct dx_dict *a = dx_dict_new();
	struct dx_dict *b = dx_dict_new();
	struct dx_dict *copy = NULL;

	CHECK_EQ(dx_dict_set_u64(a, "x", 1, 8), 0);
	CHECK_EQ(dx_dict_set_u64(b, "x", 2, 8), 0);
	CHECK_EQ(dx_dict_set_u64(b, "y", 3, 8), 0);
	CHECK_EQ(dx_dict_merge(a, b), 0);
	CHECK_EQ(dx_dict_get_u64(a, "x", 0), 2);
	CHECK_EQ(dx_dict_get_u64(a, "y", 0), 3);
	copy = dx_dict_copy(a);
	CHECK(dx_value_equal(copy, a));
	CHECK(dx_dict_remove(copy, "x"));
	CHECK_EQ(dx_dict_get_u64(a, "x", 0), 2);
	dx_object_unref(a);
	dx_object_unref(b);
	dx_object_unref(copy);
}

TEST(value_deep_copy_shares_leaves_only)
{
	struct dx_dict *dict = dx_dict_new();
	struct dx_array *array = dx_array_new();
	struct dx_dict *copy = NULL;
	struct dx_array *copied_array = NULL;

	CHECK_EQ(dx_dict_set_string(dict, "s", "leaf"), 0);
	CHECK_EQ(dx_array_append(array, dx_dict_get(dict, "s")), 0);
	CHECK_EQ(dx_dict_set(dict, "a", array), 0);
	copy = dx_value_copy_deep(dict);
	CHECK(dx_value_equal(copy, dict));
	copied_array = dx_dict_get_array(copy, "a");
	CHECK(copied_array != array);
	CHECK(dx_array_get(copied_array, 0) == dx_array_get(array, 0));
	CHECK_EQ(dx_array_append(copied_array, dx_boolean(true)), 0);
	CHECK_EQ(dx_array_count(array), 1);
	dx_object_unref(copy);
	dx_object_unref(array);
	dx_object_unref(dict);
	CHECK(dx_value_copy_deep(NULL) == NULL);
}

TEST(value_deep_copy_has_a_bottom)
{
	struct dx_array *array = dx_array_new();

	for (int depth = 0; depth < 100; depth++) {
		struct dx_array *outer = dx_array_new();

		CHECK_EQ(dx_array_append(outer, array), 0);
		dx_object_unref(array);
		array = outer;
	}
	CHECK(dx_value_copy_deep(array) == NULL);
	dx_object_unref(array);
}
