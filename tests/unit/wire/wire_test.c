/* SPDX-License-Identifier: MIT
 *
 * wire_test - every message type, and every way in which one can be wrong.
 */
#include "wire/wire.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "test.h"

static const uint16_t all_types[] = {
	DX_WIRE_H_WATCH,	DX_WIRE_H_UNWATCH,	  DX_WIRE_H_SERVICE_MATCHED,
	DX_WIRE_H_SERVICE_TERMINATED, DX_WIRE_H_SERVICES_TOLD,
	DX_WIRE_A_HELLO,	DX_WIRE_A_MATCH,	  DX_WIRE_A_ENTRY,	DX_WIRE_A_MATCH_TEST,
	DX_WIRE_A_OPEN,		DX_WIRE_A_WATCH_MATCHING, DX_WIRE_A_WATCH_INTEREST,
	DX_WIRE_A_UNWATCH,	DX_WIRE_A_EVENT,	  DX_WIRE_A_BUSY,	DX_WIRE_A_WAIT_QUIET,
	DX_WIRE_A_LOAD,		DX_WIRE_A_UNLOAD,	  DX_WIRE_A_ATTACH,	DX_WIRE_A_DETACH,
	DX_WIRE_A_TREE,		DX_WIRE_A_STATUS,	  DX_WIRE_A_SHUTDOWN,	DX_WIRE_H_SETUP,
	DX_WIRE_H_START,	DX_WIRE_H_OPEN,		  DX_WIRE_H_TERMINATE,	DX_WIRE_H_DEVICE_GONE,
	DX_WIRE_H_REGISTER,	DX_WIRE_H_SET_NAME,	  DX_WIRE_H_SET_PROPERTIES,
	DX_WIRE_H_REMOVE_PROPERTY, DX_WIRE_H_ADD_ENTRY,	  DX_WIRE_H_REMOVE_ENTRY,
	DX_WIRE_H_TERMINATE_REQUEST, DX_WIRE_H_DEVICE_LOST, DX_WIRE_H_ADJUST_BUSY,
	DX_WIRE_H_MESSAGE,	DX_WIRE_H_ADOPT,	  DX_WIRE_C_CHANNEL,	DX_WIRE_C_WAKE,
	DX_WIRE_H_DEVICE_RESET, DX_WIRE_H_CONFIGURED,	  DX_WIRE_A_EXPLAIN,
	DX_WIRE_C_MAP,		DX_WIRE_C_UNMAP,	  DX_WIRE_C_CLOSE,	DX_WIRE_C_GRANT,
};

struct buffer {
	_Alignas(8) unsigned char bytes[1024];
	size_t length;
};

static struct buffer encode(uint16_t type, int32_t status, const void *body, size_t body_length,
			    const void *payload, size_t payload_length)
{
	struct buffer buffer = {0};
	ssize_t length = dx_wire_encode(buffer.bytes, sizeof(buffer.bytes), type, 7, status, body,
					body_length, payload, payload_length);

	CHECK_GT(length, 0);
	buffer.length = (size_t)length;
	return buffer;
}

static int decode(const struct buffer *buffer)
{
	struct dx_wire_view view;

	return dx_wire_decode(buffer->bytes, buffer->length, &view);
}

/* A body that the decoder of the type accepts. */
static void fill_body(uint16_t type, void *body)
{
	switch (type) {
	case DX_WIRE_A_HELLO:
		((struct dx_wire_hello *)body)->role = DX_WIRE_ROLE_TOOL;
		break;
	case DX_WIRE_A_EVENT:
		((struct dx_wire_event *)body)->kind = DX_WIRE_EVENT_SERVICE;
		break;
	case DX_WIRE_H_ADD_ENTRY:
		memcpy(((struct dx_wire_add_entry *)body)->class_name, "IOUserService", 14);
		break;
	default:
		break;
	}
}

TEST(wire_every_type_round_trips)
{
	for (size_t i = 0; i < DX_ARRAY_SIZE(all_types); i++) {
		_Alignas(8) unsigned char body[sizeof(struct dx_wire_add_entry)] = {0};
		ssize_t length = dx_wire_body_length(all_types[i]);
		struct dx_wire_view view;
		struct buffer buffer;

		CHECK_GE(length, 0);
		fill_body(all_types[i], body);
		buffer = encode(all_types[i], 0, body, (size_t)length, NULL, 0);
		CHECK_EQ(dx_wire_decode(buffer.bytes, buffer.length, &view), 0);
		CHECK_EQ(view.header.type, all_types[i]);
		CHECK_EQ(view.header.seq, 7);
		CHECK_EQ(view.header.body_length, length);
		CHECK_EQ(view.payload_length, 0);
		if (length > 0) {
			CHECK_MEM_EQ(view.body, body, (size_t)length);
		}
		CHECK(strcmp(dx_wire_type_name(all_types[i]), "unknown") != 0);
	}
}

TEST(wire_every_truncation_and_extension_is_refused)
{
	for (size_t i = 0; i < DX_ARRAY_SIZE(all_types); i++) {
		_Alignas(8) unsigned char body[sizeof(struct dx_wire_add_entry)] = {0};
		ssize_t length = dx_wire_body_length(all_types[i]);
		struct buffer buffer;
		size_t whole = 0;

		fill_body(all_types[i], body);
		buffer = encode(all_types[i], 0, body, (size_t)length, NULL, 0);
		whole = buffer.length;
		for (buffer.length = 0; buffer.length < whole; buffer.length++) {
			CHECK_EQ(decode(&buffer), -EPROTO);
		}
		buffer.length = whole + 1;
		CHECK_EQ(decode(&buffer), -EPROTO);
	}
}

TEST(wire_start_says_whether_a_descriptor_comes_along)
{
	struct dx_wire_start start = {.id = 3, .flags = DX_START_DEVICE_FD};
	struct dx_wire_view view;
	struct buffer buffer = encode(DX_WIRE_H_START, 0, &start, sizeof(start), "x", 1);

	CHECK_EQ(dx_wire_decode(buffer.bytes, buffer.length, &view), 0);
	CHECK_EQ(dx_wire_nr_fds(&view), 1);
	start.flags = 0;
	buffer = encode(DX_WIRE_H_START, 0, &start, sizeof(start), "x", 1);
	CHECK_EQ(dx_wire_decode(buffer.bytes, buffer.length, &view), 0);
	CHECK_EQ(dx_wire_nr_fds(&view), 0);
	start.flags = DX_START_DEVICE_FD << 1;
	buffer = encode(DX_WIRE_H_START, 0, &start, sizeof(start), "x", 1);
	CHECK_EQ(decode(&buffer), -EPROTO);
	start.flags = 0;
	start.pad = 1;
	buffer = encode(DX_WIRE_H_START, 0, &start, sizeof(start), "x", 1);
	CHECK_EQ(decode(&buffer), -EPROTO);
}

TEST(wire_setup_says_whether_a_capture_comes_along)
{
	struct dx_wire_setup setup = {.flags = DX_SETUP_CAPTURE_FD | DX_SETUP_EXIT_WITH_BROKER};
	struct dx_wire_view view;
	struct buffer buffer = encode(DX_WIRE_H_SETUP, 0, &setup, sizeof(setup), "x", 1);

	CHECK_EQ(dx_wire_decode(buffer.bytes, buffer.length, &view), 0);
	CHECK_EQ(dx_wire_nr_fds(&view), 1);
	setup.flags = DX_SETUP_EXIT_WITH_BROKER;
	buffer = encode(DX_WIRE_H_SETUP, 0, &setup, sizeof(setup), "x", 1);
	CHECK_EQ(dx_wire_decode(buffer.bytes, buffer.length, &view), 0);
	CHECK_EQ(dx_wire_nr_fds(&view), 0);
}

TEST(wire_payload_where_the_type_has_none_is_refused)
{
	const struct dx_wire_id id = {.id = 3};
	struct buffer buffer = encode(DX_WIRE_H_REGISTER, 0, &id, sizeof(id), "x", 1);

	CHECK_EQ(decode(&buffer), -EPROTO);
	buffer = encode(DX_WIRE_H_SET_NAME, 0, &id, sizeof(id), "x", 1);
	CHECK_EQ(decode(&buffer), 0);
}

TEST(wire_header_fields_are_checked)
{
	const struct dx_wire_id id = {.id = 3};
	const struct buffer good = encode(DX_WIRE_H_REGISTER, 0, &id, sizeof(id), NULL, 0);
	struct buffer bad = good;
	struct dx_wire_header *header = (struct dx_wire_header *)(void *)bad.bytes;

	CHECK_EQ(decode(&bad), 0);
	header->version = 2;
	CHECK_EQ(decode(&bad), -EPROTO);
	bad = good;
	header->pad = 1;
	CHECK_EQ(decode(&bad), -EPROTO);
	bad = good;
	header->flags = 2;
	CHECK_EQ(decode(&bad), -EPROTO);
	bad = good;
	header->status = -1; /* in a request */
	CHECK_EQ(decode(&bad), -EPROTO);
	bad = good;
	header->length++;
	CHECK_EQ(decode(&bad), -EPROTO);
	bad = good;
	header->body_length = UINT32_MAX;
	CHECK_EQ(decode(&bad), -EPROTO);
	bad = good;
	header->type = 0x7777;
	CHECK_EQ(decode(&bad), -EPROTO);
	bad = good;
	header->type |= DX_WIRE_REPLY; /* it has no reply */
	CHECK_EQ(decode(&bad), -EPROTO);
	bad = good;
	header->flags = DX_WIRE_PAYLOAD_FD; /* it has no payload */
	CHECK_EQ(decode(&bad), -EPROTO);
}

TEST(wire_reply_without_sequence_number_is_refused)
{
	const struct dx_wire_id id = {.id = 3};
	struct buffer buffer = encode(DX_WIRE_A_OPEN | DX_WIRE_REPLY, 0, &id, sizeof(id), NULL, 0);

	CHECK_EQ(decode(&buffer), 0);
	((struct dx_wire_header *)(void *)buffer.bytes)->seq = 0;
	CHECK_EQ(decode(&buffer), -EPROTO);
}

TEST(wire_failed_reply_may_leave_out_its_body)
{
	struct buffer buffer = encode(DX_WIRE_A_OPEN | DX_WIRE_REPLY, -5, NULL, 0, "why", 3);
	struct dx_wire_view view;

	CHECK_EQ(dx_wire_decode(buffer.bytes, buffer.length, &view), 0);
	CHECK_EQ(((const struct dx_wire_id *)view.body)->id, 0);
	CHECK_EQ(view.payload_length, 3);
	buffer = encode(DX_WIRE_A_OPEN | DX_WIRE_REPLY, 0, NULL, 0, NULL, 0);
	CHECK_EQ(decode(&buffer), -EPROTO);
}

TEST(wire_ids_reply_is_as_long_as_its_count)
{
	const uint64_t ids[2] = {1, 2};
	struct dx_wire_ids body = {.count = 2};
	struct buffer buffer =
		encode(DX_WIRE_A_MATCH | DX_WIRE_REPLY, 0, &body, sizeof(body), ids, sizeof(ids));

	CHECK_EQ(decode(&buffer), 0);
	body.count = 3;
	buffer = encode(DX_WIRE_A_MATCH | DX_WIRE_REPLY, 0, &body, sizeof(body), ids, sizeof(ids));
	CHECK_EQ(decode(&buffer), -EPROTO);
	body.count = UINT32_MAX;
	buffer = encode(DX_WIRE_A_MATCH | DX_WIRE_REPLY, 0, &body, sizeof(body), ids, sizeof(ids));
	CHECK_EQ(decode(&buffer), -EPROTO);
}

static int decode_body(uint16_t type, const void *body, size_t length)
{
	struct buffer buffer = encode(type, 0, body, length, NULL, 0);

	return decode(&buffer);
}

#define REFUSED(type, ...)                                                    \
	do {                                                                  \
		const __VA_ARGS__;                                            \
		CHECK_EQ(decode_body((type), &body, sizeof(body)), -EPROTO); \
	} while (0)

TEST(wire_bodies_with_padding_or_values_out_of_range_are_refused)
{
	REFUSED(DX_WIRE_A_HELLO, struct dx_wire_hello body = {.role = 0});
	REFUSED(DX_WIRE_A_HELLO, struct dx_wire_hello body = {.role = 4});
	REFUSED(DX_WIRE_A_HELLO, struct dx_wire_hello body = {.role = 1, .pad = 1});
	REFUSED(DX_WIRE_A_MATCH, struct dx_wire_match body = {.first_only = 2});
	REFUSED(DX_WIRE_A_MATCH, struct dx_wire_match body = {.pad = 1});
	REFUSED(DX_WIRE_A_ENTRY, struct dx_wire_entry body = {.flags = 2});
	REFUSED(DX_WIRE_A_ENTRY, struct dx_wire_entry body = {.pad = 2});
	REFUSED(DX_WIRE_A_OPEN, struct dx_wire_open body = {.pad = 2});
	REFUSED(DX_WIRE_A_EVENT, struct dx_wire_event body = {.kind = 0});
	REFUSED(DX_WIRE_A_EVENT, struct dx_wire_event body = {.kind = 3});
	REFUSED(DX_WIRE_A_BUSY | DX_WIRE_REPLY, struct dx_wire_value body = {.pad = 2});
	REFUSED(DX_WIRE_A_MATCH | DX_WIRE_REPLY, struct dx_wire_ids body = {.pad = 2});
	REFUSED(DX_WIRE_H_SETUP, struct dx_wire_setup body = {.flags = 4});
	REFUSED(DX_WIRE_H_SETUP, struct dx_wire_setup body = {.pad = 2});
	REFUSED(DX_WIRE_H_SETUP, struct dx_wire_setup body = {.first_id = UINT64_MAX, .nr_ids = 2});
	REFUSED(DX_WIRE_H_ADJUST_BUSY, struct dx_wire_adjust body = {.pad = 2});
	REFUSED(DX_WIRE_H_MESSAGE, struct dx_wire_message body = {.pad = 2});
	REFUSED(DX_WIRE_H_CONFIGURED, struct dx_wire_configured body = {.flags = 2});
	REFUSED(DX_WIRE_H_CONFIGURED, struct dx_wire_configured body = {.value = 256});
	REFUSED(DX_WIRE_C_MAP, struct dx_wire_map body = {.options = 0x1000});
	REFUSED(DX_WIRE_C_GRANT, struct dx_wire_grant body = {.status = 1});
	REFUSED(DX_WIRE_C_GRANT, struct dx_wire_grant body = {.pad = 1});
	REFUSED(DX_WIRE_C_GRANT, struct dx_wire_grant body = {.offset = UINT64_MAX, .length = 2});
	REFUSED(DX_WIRE_H_ADD_ENTRY, struct dx_wire_add_entry body = {.id = 1});
}

TEST(wire_names_must_end_and_be_text)
{
	struct dx_wire_watch watch = {0};
	struct dx_wire_host_open open = {0};
	struct dx_wire_add_entry entry = {.class_name = "IOService"};

	memset(watch.kind, 'a', sizeof(watch.kind));
	CHECK_EQ(decode_body(DX_WIRE_A_WATCH_MATCHING, &watch, sizeof(watch)), -EPROTO);
	watch.kind[sizeof(watch.kind) - 1] = '\0';
	CHECK_EQ(decode_body(DX_WIRE_A_WATCH_MATCHING, &watch, sizeof(watch)), 0);
	memcpy(open.name, "\xff\xfe", 3);
	CHECK_EQ(decode_body(DX_WIRE_H_OPEN, &open, sizeof(open)), -EPROTO);
	memset(entry.name, 'a', sizeof(entry.name));
	CHECK_EQ(decode_body(DX_WIRE_H_ADD_ENTRY, &entry, sizeof(entry)), -EPROTO);
}

TEST(wire_map_reply_slices_are_bounded_and_add_up)
{
	const uint16_t type = DX_WIRE_C_MAP | DX_WIRE_REPLY;
	struct dx_wire_map_reply reply = {
		.length = 30, .nr_slices = 2, .slices = {{0, 10}, {4096, 20}}};

	CHECK_EQ(decode_body(type, &reply, sizeof(reply)), 0);
	reply.length = 31;
	CHECK_EQ(decode_body(type, &reply, sizeof(reply)), -EPROTO);
	reply.length = 30;
	reply.nr_slices = DX_WIRE_MAX_SLICES + 1;
	CHECK_EQ(decode_body(type, &reply, sizeof(reply)), -EPROTO);
	reply.nr_slices = 2;
	reply.flags = 2;
	CHECK_EQ(decode_body(type, &reply, sizeof(reply)), -EPROTO);
	reply.flags = DX_WIRE_MAP_READ_ONLY;
	reply.slices[0].offset = UINT64_MAX;
	CHECK_EQ(decode_body(type, &reply, sizeof(reply)), -EPROTO);
	reply.slices[0] = (struct dx_wire_slice){0, UINT64_MAX};
	reply.length = 19; /* what the sum is after it wraps */
	CHECK_EQ(decode_body(type, &reply, sizeof(reply)), -EPROTO);
	reply = (struct dx_wire_map_reply){.length = 30};
	CHECK_EQ(decode_body(type, &reply, sizeof(reply)), 0); /* unmap: no slices */
}

static int nr_fds(uint16_t type, int32_t status, const void *body, size_t length)
{
	struct buffer buffer = encode(type, status, body, length, NULL, 0);
	struct dx_wire_view view;

	CHECK_EQ(dx_wire_decode(buffer.bytes, buffer.length, &view), 0);
	return dx_wire_nr_fds(&view);
}

TEST(wire_number_of_descriptors_follows_from_the_message)
{
	const struct dx_wire_channel channel = {0};
	const struct dx_wire_host_open open = {0};
	const struct dx_wire_id id = {0};
	const struct dx_wire_map_reply map = {.length = 2, .nr_slices = 2, .slices = {{0, 1}, {0, 1}}};
	struct dx_wire_grant grant = {0};
	const struct dx_wire_view unknown = {.header = {.type = 0x7777}};

	CHECK_EQ(nr_fds(DX_WIRE_C_CHANNEL, 0, &channel, sizeof(channel)), 3);
	CHECK_EQ(nr_fds(DX_WIRE_H_OPEN, 0, &open, sizeof(open)), 1);
	CHECK_EQ(nr_fds(DX_WIRE_H_OPEN | DX_WIRE_REPLY, 0, &id, sizeof(id)), 0);
	CHECK_EQ(nr_fds(DX_WIRE_A_OPEN | DX_WIRE_REPLY, 0, &id, sizeof(id)), 1);
	CHECK_EQ(nr_fds(DX_WIRE_A_OPEN | DX_WIRE_REPLY, -1, NULL, 0), 0);
	CHECK_EQ(nr_fds(DX_WIRE_C_MAP | DX_WIRE_REPLY, 0, &map, sizeof(map)), 2);
	CHECK_EQ(nr_fds(DX_WIRE_C_UNMAP | DX_WIRE_REPLY, 0, &map, sizeof(map)), 0);
	CHECK_EQ(nr_fds(DX_WIRE_C_GRANT, 0, &grant, sizeof(grant)), 1);
	grant.status = -EFAULT;
	CHECK_EQ(nr_fds(DX_WIRE_C_GRANT, 0, &grant, sizeof(grant)), 0);
	CHECK_EQ(dx_wire_nr_fds(&unknown), -EPROTO);
	CHECK_EQ(dx_wire_check_payload(&unknown), -EPROTO);
}

TEST(wire_encode_into_too_small_a_buffer_says_so)
{
	unsigned char buffer[32];
	const struct dx_wire_watch watch = {0};

	CHECK_EQ(dx_wire_encode(buffer, sizeof(buffer), DX_WIRE_A_WATCH_INTEREST, 1, 0, &watch,
				sizeof(watch), NULL, 0),
		 -EMSGSIZE);
	CHECK_EQ(dx_wire_encode(buffer, sizeof(buffer), DX_WIRE_A_LOAD, 1, 0, NULL, 0, buffer, SIZE_MAX),
		 -EMSGSIZE);
}

TEST(wire_unknown_types_have_no_length_and_a_name_all_the_same)
{
	CHECK_EQ(dx_wire_body_length(0), -EPROTO);
	CHECK_EQ(dx_wire_body_length(DX_WIRE_A_EVENT | DX_WIRE_REPLY), -EPROTO);
	CHECK_STR_EQ(dx_wire_type_name(0x7777), "unknown");
	CHECK_STR_EQ(dx_wire_type_name(DX_WIRE_A_OPEN | DX_WIRE_REPLY), "A_OPEN");
}

static bool is_text(const char *text)
{
	return dx_wire_text_is_valid(text, strlen(text));
}

TEST(wire_text_is_utf8_without_nul)
{
	CHECK(is_text(""));
	CHECK(is_text("plain"));
	CHECK(is_text("\xc3\xa4 \xe2\x82\xac \xf0\x9f\x98\x80"));
	CHECK(!dx_wire_text_is_valid("a\0b", 3));
	CHECK(!is_text("\x80"));
	CHECK(!is_text("\xc0\xaf"));		 /* overlong */
	CHECK(!is_text("\xe0\x80\xaf"));
	CHECK(!is_text("\xf0\x80\x80\xaf"));
	CHECK(!is_text("\xed\xa0\x80"));	 /* a surrogate */
	CHECK(!is_text("\xf4\x90\x80\x80"));	 /* beyond the last character */
	CHECK(!is_text("\xf5\x80\x80\x80"));
	CHECK(!is_text("\xc3"));		 /* cut */
	CHECK(!is_text("\xe2\x82"));
	CHECK(!is_text("\xe2\x28\xa1"));
}

/* Random changes of good messages: whatever comes out is within what the decoder promises. */
TEST(wire_decode_of_damaged_messages_stays_inside)
{
	unsigned seed = 1;

	for (unsigned round = 0; round < 200000; round++) {
		uint16_t type = all_types[(unsigned)rand_r(&seed) % DX_ARRAY_SIZE(all_types)];
		_Alignas(8) unsigned char body[sizeof(struct dx_wire_add_entry)] = {0};
		struct dx_wire_view view;
		struct buffer buffer;

		fill_body(type, body);
		buffer = encode(type, 0, body, (size_t)dx_wire_body_length(type), "abc", 3);
		for (int i = 0; i < 3; i++) {
			buffer.bytes[(unsigned)rand_r(&seed) % buffer.length] =
				(unsigned char)rand_r(&seed);
		}
		if (dx_wire_decode(buffer.bytes, buffer.length, &view) == 0) {
			CHECK_EQ(sizeof(view.header) + view.header.body_length + view.payload_length,
				 buffer.length);
			CHECK(view.header.status != 0 || view.header.body_length ==
				      (size_t)dx_wire_body_length(view.header.type));
		}
	}
}
