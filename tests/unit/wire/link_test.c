/* SPDX-License-Identifier: MIT
 *
 * link_test - messages over real sockets: small, large, with descriptors, and hostile ones.
 */
#include "wire/link.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "test.h"

static void pair(int ends[2])
{
	CHECK_EQ(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
}

static void close_pair(const int ends[2])
{
	(void)close(ends[0]);
	(void)close(ends[1]);
}

TEST(link_small_message_arrives_whole)
{
	const struct dx_wire_id id = {.id = 42};
	struct dx_wire_message_in message;
	char *text = NULL;
	int ends[2];

	pair(ends);
	CHECK_EQ(dx_link_send(ends[0], DX_WIRE_H_SET_NAME, 0, 0, &id, sizeof(id), "name", 4, NULL, 0,
			      true),
		 0);
	CHECK_EQ(dx_link_receive(ends[1], true, &message), 1);
	CHECK_EQ(((const struct dx_wire_id *)message.view.body)->id, 42);
	CHECK_EQ(dx_wire_message_text(&message, 4, &text), 0);
	CHECK_STR_EQ(text, "name");
	free(text);
	CHECK_EQ(dx_wire_message_text(&message, 3, &text), -EPROTO);
	dx_wire_message_in_fini(&message);
	close_pair(ends);
}

TEST(link_receive_without_message_would_block_and_after_close_says_so)
{
	struct dx_wire_message_in message;
	int ends[2];

	pair(ends);
	CHECK_EQ(dx_link_receive(ends[1], true, &message), -EAGAIN);
	(void)close(ends[0]);
	CHECK_EQ(dx_link_receive(ends[1], true, &message), 0);
	CHECK_EQ(dx_link_send(ends[1], DX_WIRE_C_WAKE, 0, 0, NULL, 0, NULL, 0, NULL, 0, true), -EPIPE);
	(void)close(ends[1]);
}

static struct dx_dict *large_dict(unsigned nr_strings)
{
	struct dx_dict *dict = dx_dict_new();
	char key[32];

	for (unsigned i = 0; i < nr_strings; i++) {
		(void)snprintf(key, sizeof(key), "key %u with some text", i);
		CHECK_EQ(dx_dict_set_string(dict, key, "and a value that takes some room"), 0);
	}
	return dict;
}

TEST(link_large_value_travels_in_a_memfd)
{
	struct dx_dict *dict = large_dict(4000);
	struct dx_wire_message_in message;
	void *value = NULL;
	int ends[2];

	pair(ends);
	CHECK_EQ(dx_link_send_value(ends[0], DX_WIRE_A_TREE | DX_WIRE_REPLY, 1, 0, NULL, 0, dict, true),
		 0);
	CHECK_EQ(dx_link_receive(ends[1], true, &message), 1);
	CHECK((message.view.header.flags & DX_WIRE_PAYLOAD_FD) != 0);
	CHECK_GT(message.view.payload_length, DX_MAX_MESSAGE_BYTES);
	CHECK_EQ(message.nr_fds, 0);
	CHECK_EQ(dx_wire_message_value(&message, &dx_dict_class, &value), 0);
	CHECK(dx_value_equal(dict, value));
	dx_object_unref(value);
	dx_object_unref(dict);
	dx_wire_message_in_fini(&message);
	close_pair(ends);
}

TEST(link_large_payload_behind_a_body_keeps_both)
{
	uint64_t *ids = calloc(20000, sizeof(*ids));
	struct dx_wire_ids body = {.count = 20000};
	struct dx_wire_message_in message;
	int ends[2];

	pair(ends);
	ids[19999] = 77;
	CHECK_EQ(dx_link_send(ends[0], DX_WIRE_A_MATCH | DX_WIRE_REPLY, 1, 0, &body, sizeof(body), ids,
			      20000 * sizeof(*ids), NULL, 0, true),
		 0);
	CHECK_EQ(dx_link_receive(ends[1], true, &message), 1);
	CHECK_EQ(((const struct dx_wire_ids *)message.view.body)->count, 20000);
	CHECK_MEM_EQ(message.view.payload, ids, 20000 * sizeof(*ids));
	dx_wire_message_in_fini(&message);
	body.count = 19999; /* found out only once the memfd has been read */
	CHECK_EQ(dx_link_send(ends[0], DX_WIRE_A_MATCH | DX_WIRE_REPLY, 1, 0, &body, sizeof(body), ids,
			      20000 * sizeof(*ids), NULL, 0, true),
		 0);
	CHECK_EQ(dx_link_receive(ends[1], true, &message), -EPROTO);
	free(ids);
	close_pair(ends);
}

TEST(link_payload_over_the_limit_is_not_sent)
{
	void *bytes = calloc(1, DX_MAX_PLIST_BYTES + 1);
	int ends[2];

	pair(ends);
	CHECK_EQ(dx_link_send(ends[0], DX_WIRE_A_LOAD, 1, 0, NULL, 0, bytes, DX_MAX_PLIST_BYTES + 1,
			      NULL, 0, true),
		 -EMSGSIZE);
	free(bytes);
	close_pair(ends);
}

TEST(link_descriptors_arrive_and_close_when_not_taken)
{
	const struct dx_wire_host_open open = {.name = "app"};
	struct dx_wire_message_in message;
	unsigned before = 0;
	int ends[2];

	pair(ends);
	before = test_count_fds();
	for (int take = 0; take < 2; take++) {
		CHECK_EQ(dx_link_send(ends[0], DX_WIRE_H_OPEN, 1, 0, &open, sizeof(open), NULL, 0, &ends[0],
				      1, true),
			 0);
		CHECK_EQ(dx_link_receive(ends[1], true, &message), 1);
		CHECK_EQ(message.nr_fds, 1);
		CHECK(message.fds[0] >= 0);
		if (take == 1) {
			(void)close(message.fds[0]);
			message.fds[0] = -1;
		}
		dx_wire_message_in_fini(&message);
		CHECK_EQ(test_count_fds(), before);
	}
	close_pair(ends);
}

TEST(link_wrong_number_of_descriptors_is_refused_and_they_close)
{
	const struct dx_wire_host_open open = {.name = "app"};
	const struct dx_wire_id id = {.id = 1};
	struct dx_wire_message_in message;
	unsigned before = 0;
	int two[2];
	int ends[2];

	pair(ends);
	two[0] = ends[0];
	two[1] = ends[1];
	before = test_count_fds();
	CHECK_EQ(dx_link_send(ends[0], DX_WIRE_H_OPEN, 1, 0, &open, sizeof(open), NULL, 0, NULL, 0, true),
		 0);
	CHECK_EQ(dx_link_receive(ends[1], true, &message), -EPROTO);
	CHECK_EQ(dx_link_send(ends[0], DX_WIRE_H_OPEN, 1, 0, &open, sizeof(open), NULL, 0, two, 2, true),
		 0);
	CHECK_EQ(dx_link_receive(ends[1], true, &message), -EPROTO);
	CHECK_EQ(dx_link_send(ends[0], DX_WIRE_H_REGISTER, 0, 0, &id, sizeof(id), NULL, 0, two, 1, true),
		 0);
	CHECK_EQ(dx_link_receive(ends[1], true, &message), -EPROTO);
	CHECK_EQ(test_count_fds(), before);
	close_pair(ends);
}

TEST(link_too_many_descriptors_are_not_sent)
{
	const int fds[DX_FDPASS_MAX + 1] = {0};
	int ends[2];

	pair(ends);
	CHECK_EQ(dx_link_send(ends[0], DX_WIRE_C_WAKE, 0, 0, NULL, 0, NULL, 0, fds, DX_FDPASS_MAX + 1,
			      true),
		 -EINVAL);
	close_pair(ends);
}

/* A message whose payload is said to be in fd. */
static void send_payload_fd(int socket, int fd)
{
	struct dx_wire_header header = {
		.version = DX_WIRE_VERSION,
		.type = DX_WIRE_A_LOAD,
		.flags = DX_WIRE_PAYLOAD_FD,
		.seq = 1,
		.length = sizeof(header),
	};

	CHECK_EQ(dx_fdpass_send(socket, &header, sizeof(header), &fd, fd >= 0 ? 1 : 0, 1), 0);
}

TEST(link_payload_descriptor_that_is_no_sealed_memory_is_refused)
{
	struct dx_wire_message_in message;
	unsigned before = 0;
	int fifo[2];
	int ends[2];
	int memfd = memfd_create("test", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	int file = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);

	pair(ends);
	CHECK_EQ(pipe2(fifo, O_CLOEXEC), 0);
	CHECK_EQ(ftruncate(memfd, 100), 0);
	before = test_count_fds();
	send_payload_fd(ends[0], -1);
	CHECK_EQ(dx_link_receive(ends[1], true, &message), -EPROTO);
	send_payload_fd(ends[0], memfd); /* could shrink */
	CHECK_EQ(dx_link_receive(ends[1], true, &message), -EPROTO);
	send_payload_fd(ends[0], file);
	CHECK_EQ(dx_link_receive(ends[1], true, &message), -EPROTO);
	send_payload_fd(ends[0], fifo[0]); /* reading it would block */
	CHECK_EQ(dx_link_receive(ends[1], true, &message), -EPROTO);
	CHECK_EQ(fcntl(memfd, F_ADD_SEALS, F_SEAL_SHRINK), 0);
	send_payload_fd(ends[0], memfd);
	CHECK_EQ(dx_link_receive(ends[1], true, &message), 1);
	CHECK_EQ(message.view.payload_length, 100);
	dx_wire_message_in_fini(&message);
	CHECK_EQ(ftruncate(memfd, DX_MAX_PLIST_BYTES + 1), 0);
	send_payload_fd(ends[0], memfd);
	CHECK_EQ(dx_link_receive(ends[1], true, &message), -EPROTO);
	CHECK_EQ(test_count_fds(), before);
	(void)close(memfd);
	(void)close(file);
	close_pair(fifo);
	close_pair(ends);
}

TEST(link_garbage_is_refused)
{
	struct dx_wire_message_in message;
	char garbage[100];
	int ends[2];

	pair(ends);
	memset(garbage, 0x5a, sizeof(garbage));
	CHECK_EQ(dx_fdpass_send(ends[0], garbage, sizeof(garbage), NULL, 0, 1), 0);
	CHECK_EQ(dx_link_receive(ends[1], true, &message), -EPROTO);
	CHECK_EQ(dx_fdpass_send(ends[0], garbage, 3, NULL, 0, 1), 0);
	CHECK_EQ(dx_link_receive(ends[1], true, &message), -EPROTO);
	close_pair(ends);
}

TEST(link_value_of_another_class_or_none_is_refused)
{
	struct dx_string *string = dx_string_new("no dictionary");
	struct dx_wire_message_in message;
	void *value = NULL;
	char *text = NULL;
	int ends[2];

	pair(ends);
	CHECK_EQ(dx_link_send_value(ends[0], DX_WIRE_H_ADOPT, 0, 0, NULL, 0, string, true), 0);
	CHECK_EQ(dx_link_receive(ends[1], true, &message), 1);
	CHECK_EQ(dx_wire_message_value(&message, &dx_dict_class, &value), -EPROTO);
	CHECK_EQ(dx_wire_message_value(&message, NULL, &value), 0);
	dx_object_unref(value);
	dx_wire_message_in_fini(&message);
	CHECK_EQ(dx_link_send(ends[0], DX_WIRE_H_ADOPT, 0, 0, NULL, 0, "\xff\xff", 2, NULL, 0, true), 0);
	CHECK_EQ(dx_link_receive(ends[1], true, &message), 1);
	CHECK_EQ(dx_wire_message_value(&message, NULL, &value), -EPROTO);
	CHECK_EQ(dx_wire_message_text(&message, 10, &text), -EPROTO);
	dx_wire_message_in_fini(&message);
	CHECK_EQ(dx_link_send(ends[0], DX_WIRE_H_ADOPT, 0, 0, NULL, 0, NULL, 0, NULL, 0, true), 0);
	CHECK_EQ(dx_link_receive(ends[1], true, &message), 1);
	CHECK_EQ(dx_wire_message_value(&message, NULL, &value), -EPROTO);
	CHECK_EQ(dx_wire_message_text(&message, 10, &text), 0);
	CHECK_STR_EQ(text, "");
	free(text);
	dx_wire_message_in_fini(&message);
	dx_object_unref(string);
	close_pair(ends);
}

TEST(link_value_that_is_no_property_is_not_sent)
{
	static const struct dx_class class = {.name = "test", .instance_size = sizeof(struct dx_object)};
	void *object = dx_object_new(&class);
	int ends[2];

	pair(ends);
	CHECK_EQ(dx_link_send_value(ends[0], DX_WIRE_H_ADOPT, 0, 0, NULL, 0, object, true), -EINVAL);
	dx_object_unref(object);
	close_pair(ends);
}

TEST(link_frame_can_be_sent_again)
{
	struct dx_link_frame frame;
	struct dx_wire_message_in message;
	int ends[2];

	pair(ends);
	CHECK_EQ(dx_link_frame_init(&frame, DX_WIRE_C_WAKE, 0, 0, NULL, 0, NULL, 0), 0);
	for (int i = 0; i < 3; i++) {
		CHECK_EQ(dx_link_frame_send(&frame, ends[0], NULL, 0, true), 0);
		CHECK_EQ(dx_link_receive(ends[1], true, &message), 1);
		dx_wire_message_in_fini(&message);
	}
	dx_link_frame_fini(&frame);
	close_pair(ends);
}

TEST(link_large_payload_without_descriptors_left_fails_cleanly)
{
	void *bytes = calloc(1, DX_MAX_MESSAGE_BYTES);
	struct rlimit limit = {0};
	int ends[2];

	pair(ends);
	CHECK_EQ(getrlimit(RLIMIT_NOFILE, &limit), 0);
	limit.rlim_cur = 3;
	CHECK_EQ(setrlimit(RLIMIT_NOFILE, &limit), 0);
	CHECK_EQ(dx_link_send(ends[0], DX_WIRE_A_LOAD, 1, 0, NULL, 0, bytes, DX_MAX_MESSAGE_BYTES, NULL,
			      0, true),
		 -EMFILE);
	limit.rlim_cur = limit.rlim_max;
	CHECK_EQ(setrlimit(RLIMIT_NOFILE, &limit), 0);
	free(bytes);
	close_pair(ends);
}
