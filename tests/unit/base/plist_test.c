/* SPDX-License-Identifier: MIT
 *
 * plist_test - property lists: round trips, line numbers, hostile input.
 */
#include "test.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/limits.h"
#include "base/plist.h"

#define HEAD "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<plist version=\"1.0\">\n"
#define TAIL "\n</plist>\n"

static void *decode(const char *text)
{
	void *value = NULL;
	unsigned line = 99;

	CHECK_EQ(dx_plist_decode(text, strlen(text), &value, &line), 0);
	CHECK_EQ(line, 0);
	return value;
}

/* @return the line, after checking that nothing else came out. */
static unsigned line_of_error(const char *text, int expected)
{
	void *value = NULL;
	unsigned line = 99;

	CHECK_EQ(dx_plist_decode(text, strlen(text), &value, &line), expected);
	CHECK(value == NULL);
	CHECK_EQ(dx_plist_decode(text, strlen(text), &value, NULL), expected);
	return line;
}

static struct dx_dict *new_sample(void)
{
	struct dx_dict *dict = dx_dict_new();
	struct dx_array *array = dx_array_new();
	struct dx_data *data = dx_data_new("\0\1\2\xff", 4);
	struct dx_number *real = dx_number_new_real(-2.5, 64);

	CHECK_EQ(dx_array_append(array, real), 0);
	CHECK_EQ(dx_array_append(array, data), 0);
	CHECK_EQ(dx_array_append(array, dx_boolean(false)), 0);
	CHECK_EQ(dx_dict_set(dict, "list", array), 0);
	CHECK_EQ(dx_dict_set_string(dict, "t\xc3\xa4g <&>", "v\xe2\x82\xac \"'<&>"), 0);
	CHECK_EQ(dx_dict_set_u64(dict, "max", UINT64_MAX, 64), 0);
	CHECK_EQ(dx_dict_set_u64(dict, "zero", 0, 8), 0);
	CHECK_EQ(dx_dict_set_string(dict, "empty", ""), 0);
	dx_object_unref(array);
	dx_object_unref(data);
	dx_object_unref(real);
	return dict;
}

TEST(plist_binary_round_trip)
{
	struct dx_dict *dict = new_sample();
	void *bytes = NULL;
	void *value = NULL;
	size_t length = 0;

	CHECK_EQ(dx_plist_encode(dict, &bytes, &length), 0);
	CHECK_MEM_EQ(bytes, "bplist00", 8);
	CHECK_EQ(dx_plist_decode(bytes, length, &value, NULL), 0);
	CHECK(dx_value_equal(value, dict));
	free(bytes);
	dx_object_unref(value);
	dx_object_unref(dict);
}

TEST(plist_xml_round_trip)
{
	struct dx_dict *dict = new_sample();
	char *text = NULL;
	void *value = NULL;
	size_t length = 0;

	CHECK_EQ(dx_plist_encode_xml(dict, &text, &length), 0);
	CHECK_EQ(dx_plist_decode(text, length, &value, NULL), 0);
	CHECK(dx_value_equal(value, dict));
	free(text);
	dx_object_unref(value);
	dx_object_unref(dict);
}

TEST(plist_xml_as_people_write_it)
{
	struct dx_dict *dict = decode(
		"\xef\xbb\xbf" HEAD "<!-- a comment with <tags> -->\n<dict>\n"
		"  <key>idVendor</key> <integer>0x525</integer>\n"
		"  <key>minus</key><integer> -5 </integer>\n"
		"  <key>a&amp;b</key><string><![CDATA[<x>]]>&#65;</string>\n"
		"  <key>flag</key><true/><key>off</key><false></false>\n"
		"  <key>blob</key><data>\n AAEC\n </data>\n"
		"  <key>none</key><array/><key>nothing</key><string/>\n"
		"</dict>" TAIL);

	CHECK_EQ(dx_dict_get_u64(dict, "idVendor", 0), 0x525);
	CHECK_EQ(dx_dict_get_u64(dict, "minus", 0), (uint64_t)-5);
	CHECK_STR_EQ(dx_dict_get_string(dict, "a&b", "-"), "<x>A");
	CHECK(dx_dict_get_bool(dict, "flag", false));
	CHECK(!dx_dict_get_bool(dict, "off", true));
	CHECK_EQ(dx_data_length(dx_dict_get(dict, "blob")), 3);
	CHECK_EQ(dx_array_count(dx_dict_get_array(dict, "none")), 0);
	CHECK_STR_EQ(dx_dict_get_string(dict, "nothing", "-"), "");
	dx_object_unref(dict);
}

TEST(plist_xml_error_names_the_line)
{
	CHECK_EQ(line_of_error(HEAD "<dict>\n<key>a</key>\n</dict>" TAIL, -EPROTO), 5);
	CHECK_EQ(line_of_error(HEAD "<dict>\n<true/>\n</dict>" TAIL, -EPROTO), 4);
	CHECK_EQ(line_of_error(HEAD "<dict>\n<key>a</key>\n<key>b</key></dict>" TAIL, -EPROTO), 5);
	CHECK_EQ(line_of_error(HEAD "<array>\n<integer>12x</integer>\n</array>" TAIL, -EPROTO), 4);
	CHECK_EQ(line_of_error(HEAD "<array>\n\n<strong>a</strong></array>" TAIL, -EPROTO), 5);
	CHECK_EQ(line_of_error(HEAD "<array>\n</dict>" TAIL, -EPROTO), 4);
	CHECK_EQ(line_of_error(HEAD "<array>\n<string>a &b; c</string></array>" TAIL, -EPROTO), 4);
	CHECK_EQ(line_of_error(HEAD "<array>\n<string>\xff</string></array>" TAIL, -EPROTO), 4);
}

TEST(plist_xml_that_breaks_the_rules_is_refused)
{
	static const char *const bad[] = {
		"",
		"hello",
		"<",
		"<plist",
		"<plist>",
		"<plist/>",
		"<plist></plist>",
		"<plist><true/>",
		"<true/>",
		"<plist><true/></plist><plist><true/></plist>",
		"<plist><true/><false/></plist>",
		"<plist><plist><true/></plist></plist>",
		"<plist><key>a</key></plist>",
		"<plist><array><key>a</key></array></plist>",
		"<plist><dict><key>a</key><true/></plist></dict>",
		"<plist><true>yes</true></plist>",
		"<plist><integer/></plist>",
		"<plist><integer></integer></plist>",
		"<plist><integer>-</integer></plist>",
		"<plist><integer>0x</integer></plist>",
		"<plist><integer>123456789012345678901</integer></plist>",
		"<plist><integer>0x12345678901234567</integer></plist>",
		"<plist><real></real></plist>",
		"<plist><real>1,5</real></plist>",
		"<plist><data>!!</data></plist>",
		"<plist><date>2020-01-01T00:00:00Z</date></plist>",
		"<plist><string>a</key></plist>",
		"<plist><string>a",
		"<plist><string><![CDATA[a</string></plist>",
		"<plist><string>a<b></string></plist>",
		"<plist><string>&#;</string></plist>",
		"<plist><string>&#0;</string></plist>",
		"<plist><string>&#xd800;</string></plist>",
		"<plist><string>&#x110000;</string></plist>",
		"<plist><string>&#6x;</string></plist>",
		"<plist><string>&#65</string></plist>",
		"<plist><true /x></plist>",
		"<plist><!-- never closed <true/></plist>",
		"<?xml <plist><true/></plist>",
		"<!DOCTYPE plist [<!ENTITY a \"b\">]><plist><string>&a;</string></plist>",
		"<!DOCTYPE plist <plist><true/></plist>",
		"<plist><true/></plist> more",
		"</plist>",
		"</dict>",
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		fprintf(stderr, "%s\n", bad[i]);
		(void)line_of_error(bad[i], -EPROTO);
	}
}

TEST(plist_every_cut_of_good_input_is_refused)
{
	struct dx_dict *dict = new_sample();
	void *bytes = NULL;
	char *text = NULL;
	void *value = NULL;
	size_t length = 0;
	size_t text_length = 0;

	CHECK_EQ(dx_plist_encode(dict, &bytes, &length), 0);
	CHECK_EQ(dx_plist_encode_xml(dict, &text, &text_length), 0);
	for (size_t cut = 0; cut < length; cut++) {
		CHECK_EQ(dx_plist_decode(bytes, cut, &value, NULL), -EPROTO);
	}
	for (size_t cut = 0; cut + 2 < text_length; cut++) {
		CHECK_EQ(dx_plist_decode(text, cut, &value, NULL), -EPROTO);
	}
	free(bytes);
	free(text);
	dx_object_unref(dict);
}

static char *repeat(const char *open, const char *leaf, const char *close, unsigned count)
{
	size_t size = (strlen(open) + strlen(close)) * count + strlen(leaf) + 64;
	char *text = malloc(size);
	size_t used = (size_t)snprintf(text, size, "<plist>");

	for (unsigned i = 0; i < count; i++) {
		used += (size_t)snprintf(text + used, size - used, "%s", open);
	}
	used += (size_t)snprintf(text + used, size - used, "%s", leaf);
	for (unsigned i = 0; i < count; i++) {
		used += (size_t)snprintf(text + used, size - used, "%s", close);
	}
	(void)snprintf(text + used, size - used, "</plist>");
	return text;
}

TEST(plist_depth_is_bounded)
{
	char *deepest = repeat("<array>", "<true/>", "</array>", DX_MAX_PLIST_DEPTH);
	char *deeper = repeat("<array>", "<true/>", "</array>", DX_MAX_PLIST_DEPTH + 1);
	char *abyss = repeat("<dict><key>k</key>", "<true/>", "</dict>", 30000);

	dx_object_unref(decode(deepest));
	(void)line_of_error(deeper, -E2BIG);
	(void)line_of_error(abyss, -E2BIG);
	free(deepest);
	free(deeper);
	free(abyss);
}

TEST(plist_size_is_bounded)
{
	size_t length = DX_MAX_PLIST_BYTES + 1;
	char *text = calloc(1, length);
	void *value = NULL;
	unsigned line = 99;

	CHECK_EQ(dx_plist_decode(text, length, &value, &line), -E2BIG);
	CHECK_EQ(line, 0);
	free(text);
}

TEST(plist_of_many_values_takes_bounded_time)
{
	size_t size = DX_MAX_PLIST_BYTES;
	char *text = malloc(size);
	size_t used = (size_t)snprintf(text, size, "<plist><dict>");
	void *value = NULL;

	for (unsigned i = 0; used + 100 < size; i++) {
		used += (size_t)snprintf(text + used, size - used, "<key>%u</key><true/>", i);
	}
	used += (size_t)snprintf(text + used, size - used, "</dict></plist>");
	CHECK_EQ(dx_plist_decode(text, used, &value, NULL), 0);
	CHECK_GT(dx_dict_count(value), 40000);
	dx_object_unref(value);
	free(text);
}

/* A binary list: objects of at most 255 bytes each, one-byte references, object 0 is the root. */
struct binary {
	unsigned char bytes[4096];
	size_t length;
	size_t offsets[250];
	unsigned nr_objects;
};

static void add_object(struct binary *binary, const void *bytes, size_t length)
{
	if (binary->length == 0) {
		memcpy(binary->bytes, "bplist00", 8);
		binary->length = 8;
	}
	binary->offsets[binary->nr_objects++] = binary->length;
	memcpy(binary->bytes + binary->length, bytes, length);
	binary->length += length;
}

static int decode_binary(struct binary *binary)
{
	unsigned char trailer[32] = {[6] = 2, [7] = 1};
	size_t table = binary->length;
	void *value = NULL;
	int result;

	for (unsigned i = 0; i < binary->nr_objects; i++) {
		binary->bytes[binary->length++] = (unsigned char)(binary->offsets[i] >> 8);
		binary->bytes[binary->length++] = (unsigned char)binary->offsets[i];
	}
	trailer[15] = (unsigned char)binary->nr_objects;
	trailer[30] = (unsigned char)(table >> 8);
	trailer[31] = (unsigned char)table;
	memcpy(binary->bytes + binary->length, trailer, sizeof(trailer));
	binary->length += sizeof(trailer);
	result = dx_plist_decode(binary->bytes, binary->length, &value, NULL);
	if (result == 0) {
		dx_object_unref(value);
	}
	return result;
}

static int decode_one(const void *object, size_t length)
{
	struct binary binary = {0};

	add_object(&binary, object, length);
	return decode_binary(&binary);
}

TEST(plist_binary_object_kinds)
{
	CHECK_EQ(decode_one("\x09", 1), 0);
	CHECK_EQ(decode_one("\x10\x05", 2), 0);
	CHECK_EQ(decode_one("\x61\x20\xac", 3), 0);
	CHECK_EQ(decode_one("\x00", 1), -EPROTO);		      /* null */
	CHECK_EQ(decode_one("\x33\0\0\0\0\0\0\0\0", 9), -EPROTO); /* date */
	CHECK_EQ(decode_one("\x80\x01", 2), -EPROTO);	      /* UID */
	CHECK_EQ(decode_one("\x15" "0123456789012345678901234567890", 32), -EPROTO);
	CHECK_EQ(decode_one("\x21\0\0", 3), -EPROTO); /* real of 2 bytes */
	CHECK_EQ(decode_one("\x45" "abc", 4), -EPROTO);
	CHECK_EQ(decode_one("\xf0", 1), -EPROTO);
	CHECK_EQ(decode_one("\x4f", 1), -EPROTO);		       /* count is missing */
	CHECK_EQ(decode_one("\x4f\x09", 2), -EPROTO);	       /* count is no integer */
	CHECK_EQ(decode_one("\x4f\x14" "0123456789abcdef", 18), -EPROTO); /* of 16 bytes */
	CHECK_EQ(decode_one("\x4f\x13\xff\xff\xff\xff\xff\xff\xff\xff", 10), -EPROTO);
	CHECK_EQ(decode_one("\x6f\x13\xff\xff\xff\xff\xff\xff\xff\xff", 10), -EPROTO);
	CHECK_EQ(decode_one("\xaf\x13\xff\xff\xff\xff\xff\xff\xff\xff", 10), -EPROTO);
	CHECK_EQ(decode_one("\xdf\x13\xff\xff\xff\xff\xff\xff\xff\xff", 10), -EPROTO);
	CHECK_EQ(decode_one("\xa1\x07", 2), -EPROTO); /* reference to nowhere */
	CHECK_EQ(decode_one("\x53" "a\0b", 4), -EPROTO);
	CHECK_EQ(decode_one("\x52" "a\x80", 3), -EPROTO);
	CHECK_EQ(decode_one("\x62" "\0a\0\0", 5), -EPROTO);
	CHECK_EQ(decode_one("\x61" "\xd8\x3d", 3), -EPROTO); /* half a pair */
	CHECK_EQ(decode_one("\x61" "\xde\x00", 3), -EPROTO);
	CHECK_EQ(decode_one("\x62" "\xd8\x3d\xde\x00", 5), 0);
}

TEST(plist_binary_cycle_ends)
{
	CHECK_EQ(decode_one("\xa1\x00", 2), -E2BIG);
}

TEST(plist_binary_that_multiplies_is_refused)
{
	struct binary binary = {0};

	for (unsigned i = 0; i < 25; i++) {
		unsigned char object[3] = {0xa2, (unsigned char)(i + 1), (unsigned char)(i + 1)};

		add_object(&binary, object, sizeof(object));
	}
	add_object(&binary, "\x09", 1);
	CHECK_EQ(decode_binary(&binary), -E2BIG);
}

TEST(plist_binary_depth_counts_shared_parts)
{
	struct binary binary = {0};

	for (unsigned i = 0; i < DX_MAX_PLIST_DEPTH; i++) {
		unsigned char object[2] = {0xa1, (unsigned char)(i + 1)};

		add_object(&binary, object, sizeof(object));
	}
	add_object(&binary, "\x09", 1);
	CHECK_EQ(decode_binary(&binary), 0);

	/* The root names a part at the bottom first, then the way down to it. */
	struct binary deep = {0};

	add_object(&deep, "\xa2\x14\x01", 3);
	for (unsigned i = 1; i < 40; i++) {
		unsigned char object[2] = {0xa1, (unsigned char)(i + 1)};

		add_object(&deep, object, sizeof(object));
	}
	add_object(&deep, "\x09", 1);
	CHECK_EQ(decode_binary(&deep), -E2BIG);
}

TEST(plist_binary_key_must_be_a_string)
{
	struct binary binary = {0};

	add_object(&binary, "\xd1\x01\x01", 3);
	add_object(&binary, "\x10\x05", 2);
	CHECK_EQ(decode_binary(&binary), -EPROTO);
}

TEST(plist_binary_trailer_is_checked)
{
	static const struct {
		size_t at; /* in the trailer */
		unsigned char value;
	} changes[] = {{6, 0}, {6, 9}, {7, 0}, {7, 9}, {8, 0x20}, {15, 0}, {23, 1}, {24, 1}, {31, 0},
		       {31, 200}};

	for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
		unsigned char bytes[] = "bplist00\x09\x08\0\0\0\0\0\0\x01\x01"
					"\0\0\0\0\0\0\0\x01\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x09";
		void *value = NULL;

		CHECK_EQ(dx_plist_decode(bytes, sizeof(bytes) - 1, &value, NULL), 0);
		bytes[10 + changes[i].at] = changes[i].value;
		value = NULL;
		CHECK_EQ(dx_plist_decode(bytes, sizeof(bytes) - 1, &value, NULL), -EPROTO);
		CHECK(value == NULL);
	}
}

static const struct dx_class other_class = {.name = "other",
					    .instance_size = sizeof(struct dx_object)};

TEST(plist_encode_refuses_what_is_no_value)
{
	struct dx_array *array = dx_array_new();
	struct dx_dict *dict = dx_dict_new();
	struct dx_object *other = dx_object_new(&other_class);
	void *bytes = NULL;
	char *text = NULL;
	size_t length = 0;

	CHECK_EQ(dx_array_append(array, other), 0);
	CHECK_EQ(dx_dict_set(dict, "a", array), 0);
	CHECK_EQ(dx_plist_encode(dict, &bytes, &length), -EINVAL);
	CHECK_EQ(dx_plist_encode_xml(other, &text, &length), -EINVAL);
	CHECK(bytes == NULL && text == NULL);
	dx_object_unref(other);
	dx_object_unref(array);
	dx_object_unref(dict);
}

TEST(plist_encode_refuses_what_could_not_be_read_back)
{
	struct dx_array *array = dx_array_new();
	void *bytes = NULL;
	size_t length = 0;

	for (unsigned depth = 1; depth <= DX_MAX_PLIST_DEPTH; depth++) {
		struct dx_array *outer = dx_array_new();

		CHECK_EQ(dx_array_append(outer, array), 0);
		dx_object_unref(array);
		array = outer;
	}
	CHECK_EQ(dx_plist_encode(array, &bytes, &length), -EINVAL);
	CHECK_EQ(dx_plist_encode(dx_array_get(array, 0), &bytes, &length), 0);
	free(bytes);
	dx_object_unref(array);
}
