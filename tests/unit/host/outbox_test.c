/* SPDX-License-Identifier: MIT
 *
 * outbox_test - B1 and B2: order, once each, nothing without broker; a broker that does not read.
 */
#include "host/outbox.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/value.h"
#include "test.h"

#define NR_THREADS  4u
#define NR_MESSAGES 2500u

struct ends {
	struct dx_outbox outbox;
	int ours;
	int broker;
};

static void begin(struct ends *ends)
{
	int fds[2];

	CHECK_EQ(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds), 0);
	ends->ours = fds[0];
	ends->broker = fds[1];
	CHECK_EQ(dx_outbox_init(&ends->outbox), 0);
}

static void finish(struct ends *ends)
{
	dx_outbox_fini(&ends->outbox);
	(void)close(ends->ours);
	(void)close(ends->broker);
}

static int put(struct dx_outbox *outbox, uint64_t id)
{
	const struct dx_wire_id body = {.id = id};

	return dx_outbox_put(outbox, DX_WIRE_H_REGISTER, 0, 0, &body, sizeof(body), NULL, 0);
}

static uint64_t receive(int socket)
{
	struct dx_wire_message_in message;

	CHECK_EQ(dx_link_receive(socket, true, &message), 1);
	CHECK_EQ(message.view.header.type, DX_WIRE_H_REGISTER);
	uint64_t id = ((const struct dx_wire_id *)message.view.body)->id;
	dx_wire_message_in_fini(&message);
	return id;
}

static bool is_awake(const struct dx_outbox *outbox)
{
	struct pollfd poll_fd = {.fd = outbox->wake_fd, .events = POLLIN};

	return poll(&poll_fd, 1, 0) == 1;
}

TEST(outbox_sends_in_order)
{
	struct ends ends;

	begin(&ends);
	dx_outbox_attach(&ends.outbox);
	CHECK(!is_awake(&ends.outbox));
	for (uint64_t i = 1; i <= 10; i++) {
		CHECK_EQ(put(&ends.outbox, i), 0);
	}
	CHECK(is_awake(&ends.outbox));
	CHECK(!dx_outbox_is_empty(&ends.outbox));
	CHECK_EQ(dx_outbox_send(&ends.outbox, ends.ours), 1);
	CHECK(dx_outbox_is_empty(&ends.outbox));
	CHECK(is_awake(&ends.outbox)); /* sending is not hearing */
	dx_outbox_quiet(&ends.outbox);
	CHECK(!is_awake(&ends.outbox));
	for (uint64_t i = 1; i <= 10; i++) {
		CHECK_EQ(receive(ends.broker), i);
	}
	finish(&ends);
}

TEST(outbox_without_broker_keeps_nothing_but_wakes)
{
	struct ends ends;

	begin(&ends);
	CHECK_EQ(put(&ends.outbox, 1), 0);
	CHECK(dx_outbox_is_empty(&ends.outbox));
	CHECK(is_awake(&ends.outbox));
	dx_outbox_quiet(&ends.outbox);
	CHECK(!is_awake(&ends.outbox));
	dx_outbox_attach(&ends.outbox);
	CHECK_EQ(put(&ends.outbox, 2), 0);
	dx_outbox_detach(&ends.outbox);
	CHECK(dx_outbox_is_empty(&ends.outbox));
	dx_outbox_attach(&ends.outbox);
	CHECK_EQ(put(&ends.outbox, 3), 0);
	CHECK_EQ(dx_outbox_send(&ends.outbox, ends.ours), 1);
	CHECK_EQ(receive(ends.broker), 3);
	finish(&ends);
}

TEST(outbox_with_a_full_socket_keeps_the_rest)
{
	struct ends ends;
	uint64_t put_so_far = 0;
	uint64_t received = 0;

	begin(&ends);
	dx_outbox_attach(&ends.outbox);
	do {
		CHECK_EQ(put(&ends.outbox, ++put_so_far), 0);
	} while (dx_outbox_send(&ends.outbox, ends.ours) == 1);
	CHECK(!dx_outbox_is_empty(&ends.outbox));
	for (unsigned i = 0; i < 100; i++) {
		CHECK_EQ(put(&ends.outbox, ++put_so_far), 0);
	}
	while (received < put_so_far) {
		CHECK_EQ(receive(ends.broker), ++received);
		CHECK_GE(dx_outbox_send(&ends.outbox, ends.ours), 0);
	}
	CHECK(dx_outbox_is_empty(&ends.outbox));
	finish(&ends);
}

TEST(outbox_of_a_broker_that_never_reads_gives_it_up)
{
	struct ends ends;
	DX_CLEANUP_FREE char *payload = calloc(1, DX_MAX_PLIST_BYTES);
	unsigned nr_kept = 0;
	int rc = 0;

	begin(&ends);
	dx_outbox_attach(&ends.outbox);
	for (; rc == 0; nr_kept += rc == 0) {
		rc = dx_outbox_put(&ends.outbox, DX_WIRE_H_ADOPT, 0, 0, NULL, 0, payload,
				   DX_MAX_PLIST_BYTES);
	}
	CHECK_EQ(rc, -ENOBUFS);
	CHECK_EQ(nr_kept, DX_MAX_OUTBOX_BYTES / DX_MAX_PLIST_BYTES - 1);
	CHECK(dx_outbox_is_empty(&ends.outbox));
	CHECK(is_awake(&ends.outbox));
	CHECK_EQ(put(&ends.outbox, 1), 0); /* said once; this one is dropped */
	CHECK(dx_outbox_is_empty(&ends.outbox));
	CHECK_EQ(dx_outbox_send(&ends.outbox, ends.ours), -ENOBUFS);
	dx_outbox_detach(&ends.outbox);
	dx_outbox_attach(&ends.outbox); /* the next broker */
	CHECK_EQ(put(&ends.outbox, 2), 0);
	CHECK_EQ(dx_outbox_send(&ends.outbox, ends.ours), 1);
	CHECK_EQ(receive(ends.broker), 2);
	finish(&ends);
}

TEST(outbox_with_a_closed_socket_says_so)
{
	struct ends ends;

	begin(&ends);
	dx_outbox_attach(&ends.outbox);
	dx_fd_close(&ends.broker);
	CHECK_EQ(put(&ends.outbox, 1), 0);
	CHECK_LT(dx_outbox_send(&ends.outbox, ends.ours), 0);
	finish(&ends);
}

TEST(outbox_put_over_the_limit_is_refused)
{
	struct ends ends;
	DX_CLEANUP_FREE char *payload = calloc(1, DX_MAX_PLIST_BYTES + 1);

	begin(&ends);
	dx_outbox_attach(&ends.outbox);
	CHECK_EQ(dx_outbox_put(&ends.outbox, DX_WIRE_H_ADOPT, 0, 0, NULL, 0, payload,
			       DX_MAX_PLIST_BYTES + 1),
		 -EMSGSIZE);
	CHECK(dx_outbox_is_empty(&ends.outbox));
	finish(&ends);
}

TEST(outbox_large_values_arrive_whole)
{
	struct ends ends;
	struct dx_dict *dict = dx_dict_new();
	DX_CLEANUP_FREE char *text = malloc(200001);
	struct dx_wire_message_in message;
	void *value = NULL;

	begin(&ends);
	memset(text, 'x', 200000);
	text[200000] = '\0';
	CHECK_EQ(dx_dict_set_string(dict, "long", text), 0);
	dx_outbox_attach(&ends.outbox);
	CHECK_EQ(dx_outbox_put_value(&ends.outbox, DX_WIRE_H_ADOPT, 0, 0, NULL, 0, dict), 0);
	dx_object_unref(dict);
	CHECK_EQ(dx_outbox_send(&ends.outbox, ends.ours), 1);
	CHECK_EQ(dx_link_receive(ends.broker, true, &message), 1);
	CHECK_EQ(dx_wire_message_value(&message, &dx_dict_class, &value), 0);
	dx_wire_message_in_fini(&message);
	CHECK_EQ(strlen(dx_dict_get_string(value, "long", "")), 200000);
	dx_object_unref(value);
	finish(&ends);
}

struct producer {
	struct dx_outbox *outbox;
	uint64_t number;
};

static void *produce(void *argument)
{
	const struct producer *producer = argument;

	for (uint64_t i = 0; i < NR_MESSAGES; i++) {
		CHECK_EQ(put(producer->outbox, producer->number << 32 | i), 0);
	}
	return NULL;
}

static void *consume(void *argument)
{
	const struct ends *ends = argument;
	uint64_t next[NR_THREADS] = {0};

	for (unsigned i = 0; i < NR_THREADS * NR_MESSAGES; i++) {
		struct pollfd poll_fd = {.fd = ends->broker, .events = POLLIN};
		CHECK_EQ(poll(&poll_fd, 1, 10000), 1);
		uint64_t id = receive(ends->broker);
		CHECK_LT(id >> 32, NR_THREADS);
		CHECK_EQ(id & UINT32_MAX, next[id >> 32]);
		next[id >> 32]++;
	}
	return NULL;
}

TEST(outbox_from_four_threads_keeps_the_order_of_each)
{
	struct ends ends;
	struct producer producers[NR_THREADS];
	pthread_t threads[NR_THREADS];
	pthread_t consumer;

	begin(&ends);
	dx_outbox_attach(&ends.outbox);
	CHECK_EQ(pthread_create(&consumer, NULL, consume, &ends), 0);
	for (unsigned i = 0; i < NR_THREADS; i++) {
		producers[i] = (struct producer){&ends.outbox, i};
		CHECK_EQ(pthread_create(&threads[i], NULL, produce, &producers[i]), 0);
	}
	/* As the control thread does it: sleeps on the two descriptors. */
	for (;;) {
		bool is_last = pthread_tryjoin_np(consumer, NULL) == 0;
		struct pollfd fds[2] = {{.fd = ends.outbox.wake_fd, .events = POLLIN},
					{.fd = ends.ours, .events = POLLOUT}};
		if (is_last) {
			break;
		}
		(void)poll(fds, dx_outbox_is_empty(&ends.outbox) ? 1 : 2, 100);
		dx_outbox_quiet(&ends.outbox);
		CHECK_GE(dx_outbox_send(&ends.outbox, ends.ours), 0);
	}
	for (unsigned i = 0; i < NR_THREADS; i++) {
		CHECK_EQ(pthread_join(threads[i], NULL), 0);
	}
	CHECK(dx_outbox_is_empty(&ends.outbox));
	finish(&ends);
}
