/* SPDX-License-Identifier: MIT
 *
 * mux_test - requests, replies and events on one socket.
 */
#include <errno.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

#include "client/mux.h"
#include "test.h"

static unsigned nr_events;

static void count_event(void *context, struct dx_wire_message_in *message)
{
	(void)context;
	CHECK_EQ(message->view.header.type, DX_WIRE_C_WAKE);
	nr_events++;
}

/* A peer that answers DX_WIRE_C_CLOSE, with an event before each answer. */
static void *serve(void *context)
{
	int socket = *(int *)context;
	struct dx_wire_message_in message;

	while (dx_link_receive(socket, false, &message) == 1) {
		uint32_t seq = message.view.header.seq;

		CHECK_EQ(dx_link_send(socket, DX_WIRE_C_WAKE, 0, 0, NULL, 0, NULL, 0, NULL, 0, false),
			 0);
		CHECK_EQ(dx_link_send(socket, DX_WIRE_C_CLOSE | DX_WIRE_REPLY, seq, (int32_t)seq, NULL,
				      0, NULL, 0, NULL, 0, false),
			 0);
		dx_wire_message_in_fini(&message);
	}
	return NULL;
}

static struct dx_mux *make_mux(int *ret_peer)
{
	int ends[2];

	CHECK_EQ(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
	*ret_peer = ends[1];
	struct dx_mux *mux = dx_mux_new(&ends[0], count_event, NULL);
	CHECK(mux != NULL);
	CHECK_EQ(ends[0], -1);
	return mux;
}

static void *ask_many(void *context)
{
	struct dx_mux_send send = {.type = DX_WIRE_C_CLOSE};

	for (unsigned i = 0; i < 300; i++) {
		struct dx_wire_message_in reply;

		CHECK_EQ(dx_mux_request(context, &send, &reply), 0);
		CHECK_EQ(reply.view.header.status, (int32_t)reply.view.header.seq);
		dx_wire_message_in_fini(&reply);
	}
	return NULL;
}

TEST(replies_find_their_threads_and_events_are_handed_on)
{
	int peer = -1;
	struct dx_mux *mux = make_mux(&peer);
	pthread_t server;
	pthread_t threads[4];

	CHECK_EQ(pthread_create(&server, NULL, serve, &peer), 0);
	for (unsigned i = 0; i < 4; i++) {
		CHECK_EQ(pthread_create(&threads[i], NULL, ask_many, mux), 0);
	}
	for (unsigned i = 0; i < 4; i++) {
		CHECK_EQ(pthread_join(threads[i], NULL), 0);
	}
	CHECK_EQ(nr_events, 1200);
	CHECK(!dx_mux_is_hung_up(mux));
	dx_mux_close(mux);
	CHECK_EQ(pthread_join(server, NULL), 0);
	(void)dx_object_unref(mux);
	(void)close(peer);
}

static void *die(void *context)
{
	struct dx_wire_message_in message;

	CHECK_EQ(dx_link_receive(*(int *)context, false, &message), 1);
	dx_wire_message_in_fini(&message);
	(void)close(*(int *)context);
	return NULL;
}

TEST(peer_that_dies_ends_the_wait)
{
	int peer = -1;
	struct dx_mux *mux = make_mux(&peer);
	struct dx_mux_send send = {.type = DX_WIRE_C_CLOSE};
	struct dx_wire_message_in reply;
	pthread_t server;

	CHECK_EQ(pthread_create(&server, NULL, die, &peer), 0);
	CHECK_EQ(dx_mux_request(mux, &send, &reply), -ECONNRESET);
	CHECK_EQ(dx_mux_request(mux, &send, &reply), -ECONNRESET);
	CHECK_EQ(dx_mux_post(mux, &send), -ECONNRESET);
	CHECK_EQ(dx_mux_pump(mux), -ECONNRESET);
	CHECK_EQ(dx_mux_error(mux), -ECONNRESET);
	CHECK(dx_mux_is_hung_up(mux));
	CHECK_EQ(pthread_join(server, NULL), 0);
	(void)dx_object_unref(mux);
}

TEST(reply_that_nobody_wants_is_a_broken_peer)
{
	int peer = -1;
	struct dx_mux *mux = make_mux(&peer);

	CHECK_EQ(dx_mux_pump(mux), 0);
	CHECK_EQ(dx_link_send(peer, DX_WIRE_C_CLOSE | DX_WIRE_REPLY, 7, 0, NULL, 0, NULL, 0, NULL, 0,
			      false),
		 0);
	CHECK_EQ(dx_mux_pump(mux), -EPROTO);
	(void)dx_object_unref(mux);
	(void)close(peer);
}

TEST(garbage_is_a_broken_peer)
{
	int peer = -1;
	struct dx_mux *mux = make_mux(&peer);

	CHECK_EQ(send(peer, "garbage", 7, 0), 7);
	CHECK_EQ(dx_mux_pump(mux), -EPROTO);
	(void)dx_object_unref(mux);
	(void)close(peer);
}

TEST(closed_mux_refuses)
{
	int peer = -1;
	struct dx_mux *mux = make_mux(&peer);
	struct dx_mux_send send = {.type = DX_WIRE_C_CLOSE};
	struct dx_wire_message_in reply;

	dx_mux_close(mux);
	CHECK_EQ(dx_mux_request(mux, &send, &reply), -ESHUTDOWN);
	(void)dx_object_unref(mux);
	(void)close(peer);
}
