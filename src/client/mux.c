/* SPDX-License-Identifier: MIT
 *
 * mux - see mux.h.
 */
#include "client/mux.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>

#include "base/cleanup.h"

struct waiter {
	struct dx_list node;
	uint32_t seq;
	uint16_t type;
	bool done;
	struct dx_wire_message_in reply;
};

static void mux_free(struct dx_object *object)
{
	struct dx_mux *mux = (void *)object;

	dx_fd_close(&mux->socket);
	dx_cond_fini(&mux->changed);
	dx_mutex_fini(&mux->lock);
}

static const struct dx_class mux_class = {
	.name = "mux",
	.instance_size = sizeof(struct dx_mux),
	.free = mux_free,
};

struct dx_mux *dx_mux_new(int *socket, dx_mux_event_fn event, void *context)
{
	struct dx_mux *mux = dx_object_new(&mux_class);

	if (mux == NULL) {
		return NULL;
	}
	dx_mutex_init(&mux->lock);
	dx_cond_init(&mux->changed);
	dx_list_init(&mux->waiters);
	mux->socket = dx_take_fd(socket);
	mux->event = event;
	mux->context = context;
	return mux;
}

static void fail_locked(struct dx_mux *mux, int error) DX_REQUIRES(mux->lock)
{
	if (mux->error == 0) {
		mux->error = error;
		/* Ends a read in another thread; fails only when the peer is gone already. */
		(void)shutdown(mux->socket, SHUT_RDWR);
	}
	dx_cond_broadcast(&mux->changed);
}

void dx_mux_close(struct dx_mux *mux)
{
	dx_mutex_lock(&mux->lock);
	fail_locked(mux, -ESHUTDOWN);
	dx_mutex_unlock(&mux->lock);
}

int dx_mux_error(struct dx_mux *mux)
{
	dx_mutex_lock(&mux->lock);
	int error = mux->error;
	dx_mutex_unlock(&mux->lock);
	return error;
}

bool dx_mux_is_hung_up(const struct dx_mux *mux)
{
	struct pollfd pollfd = {.fd = mux->socket, .events = POLLRDHUP};

	return poll(&pollfd, 1, 0) > 0 && (pollfd.revents & (POLLRDHUP | POLLHUP | POLLERR)) != 0;
}

static int send_once(int socket, const struct dx_mux_send *send, uint32_t seq)
{
	if (send->value != NULL) {
		return dx_link_send_value(socket, send->type, seq, 0, send->body,
					  send->body_length, send->value, true);
	}
	return dx_link_send(socket, send->type, seq, 0, send->body, send->body_length,
			    send->payload, send->payload_length, send->fds, send->nr_fds, true);
}

/* Sends one after the other; waits for room without the lock. */
static int send_message(struct dx_mux *mux, const struct dx_mux_send *send, uint32_t seq)
{
	for (;;) {
		dx_mutex_lock(&mux->lock);
		int error = mux->error != 0 ? mux->error : send_once(mux->socket, send, seq);
		dx_mutex_unlock(&mux->lock);
		if (error != -EAGAIN) {
			return error;
		}
		struct pollfd pollfd = {.fd = mux->socket, .events = POLLOUT};
		(void)poll(&pollfd, 1, -1); /* the next attempt tells */
	}
}

int dx_mux_post(struct dx_mux *mux, const struct dx_mux_send *send)
{
	return send_message(mux, send, 0);
}

/* Gives a reply to who waits for it. */
static int hand_reply(struct dx_mux *mux, struct dx_wire_message_in *message)
{
	int error = -EPROTO;

	dx_mutex_lock(&mux->lock);
	dx_list_for_each(node, &mux->waiters) {
		struct waiter *waiter = dx_list_entry(node, struct waiter, node);

		if (waiter->seq == message->view.header.seq && !waiter->done &&
		    message->view.header.type == (waiter->type | DX_WIRE_REPLY)) {
			waiter->reply = *message; /* everything it owns moves */
			waiter->done = true;
			error = 0;
			break;
		}
	}
	dx_cond_broadcast(&mux->changed);
	dx_mutex_unlock(&mux->lock);
	return error;
}

/* Reads one message and hands it on. The caller has the reading role.
 * @return 1; -EAGAIN; other errors end the mux. */
static int read_one(struct dx_mux *mux, bool nonblocking)
{
	struct dx_wire_message_in message;
	int got = dx_link_receive(mux->socket, nonblocking, &message);

	if (got <= 0) {
		return got == 0 ? -ECONNRESET : got == -EINTR ? 1 : got;
	}
	if ((message.view.header.type & DX_WIRE_REPLY) != 0) {
		int error = hand_reply(mux, &message);

		if (error < 0) {
			dx_wire_message_in_fini(&message);
			return error;
		}
		return 1;
	}
	if (mux->event != NULL) {
		mux->event(mux->context, &message);
	}
	dx_wire_message_in_fini(&message);
	return 1;
}

/* Waits until the waiter has its reply, reading if nobody else does. */
static int wait_reply_locked(struct dx_mux *mux, struct waiter *waiter) DX_REQUIRES(mux->lock)
{
	while (!waiter->done && mux->error == 0) {
		if (mux->reading) {
			dx_cond_wait(&mux->changed, &mux->lock);
			continue;
		}
		mux->reading = true;
		dx_mutex_unlock(&mux->lock);
		int got = read_one(mux, false);
		dx_mutex_lock(&mux->lock);
		mux->reading = false;
		if (got < 0) {
			fail_locked(mux, got);
		}
	}
	dx_cond_broadcast(&mux->changed); /* the reading role is free */
	return waiter->done ? 0 : mux->error;
}

int dx_mux_request(struct dx_mux *mux, const struct dx_mux_send *send,
		   struct dx_wire_message_in *ret_reply)
{
	struct waiter waiter = {.type = send->type};

	dx_mutex_lock(&mux->lock);
	mux->seq = mux->seq == UINT32_MAX ? 1 : mux->seq + 1;
	waiter.seq = mux->seq;
	dx_list_push_back(&mux->waiters, &waiter.node);
	dx_mutex_unlock(&mux->lock);

	int error = send_message(mux, send, waiter.seq);

	dx_mutex_lock(&mux->lock);
	if (error == -EPIPE || error == -ECONNRESET) {
		fail_locked(mux, -ECONNRESET);
	}
	if (error == 0) {
		error = wait_reply_locked(mux, &waiter);
	}
	dx_list_remove(&waiter.node);
	dx_mutex_unlock(&mux->lock);
	if (waiter.done && error == 0) {
		*ret_reply = waiter.reply;
	}
	return error;
}

int dx_mux_pump(struct dx_mux *mux)
{
	int got = 1;

	dx_mutex_lock(&mux->lock);
	bool mine = !mux->reading && mux->error == 0;
	if (mine) {
		mux->reading = true;
	}
	dx_mutex_unlock(&mux->lock);
	while (mine && got > 0) {
		got = read_one(mux, true);
	}
	dx_mutex_lock(&mux->lock);
	if (mine) {
		mux->reading = false;
		if (got != -EAGAIN) {
			fail_locked(mux, got);
		}
		dx_cond_broadcast(&mux->changed);
	}
	int error = mux->error;
	dx_mutex_unlock(&mux->lock);
	return error;
}
