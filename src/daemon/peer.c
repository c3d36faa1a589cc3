/* SPDX-License-Identifier: MIT
 *
 * peer - non-blocking sends, bounded queues, fair reads; see peer.h.
 *
 * Place:   daemon.
 */
#include "daemon/peer.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "base/plist.h"

struct queued {
	struct dx_list node;
	size_t bytes; /* what it costs us, the payload in a memfd included */
	int fd;       /* owned; -1 */
	struct dx_link_frame frame;
};

static struct queued *queued_free(struct queued *queued)
{
	if (queued != NULL) {
		dx_fd_close(&queued->fd);
		dx_link_frame_fini(&queued->frame);
		free(queued);
	}
	return NULL;
}

/* What the loop should tell us about now. A broken peer only waits for its hang-up. */
static void update_events(struct dx_peer *peer)
{
	bool queue = peer->nr_frames > 0 && peer->broken == 0;
	bool read = !peer->held && !(queue && (peer->flags & DX_PEER_POLITE) != 0);
	uint32_t events = (queue ? EPOLLOUT : 0u) | (read ? EPOLLIN : 0u);

	(void)dx_loop_set_events(peer->source, events); /* fails for no reason of the peer */
}

void dx_peer_break(struct dx_peer *peer, int reason)
{
	if (peer->broken == 0) {
		peer->broken = reason;
		/* Makes the loop call us, whatever the other end does. */
		(void)shutdown(peer->fd, SHUT_RDWR);
		update_events(peer);
	}
}

/* 0 sent, -EAGAIN, or another error. */
static int try_send(struct dx_peer *peer, const struct queued *queued)
{
	return dx_link_frame_send(&queued->frame, peer->fd, &queued->fd, queued->fd >= 0 ? 1 : 0,
				  true);
}

static void flush(struct dx_peer *peer)
{
	while (!dx_list_is_empty(&peer->frames)) {
		struct queued *queued = dx_list_entry(peer->frames.next, struct queued, node);
		int r = try_send(peer, queued);

		if (r == -EAGAIN) {
			break;
		}
		if (r < 0) {
			dx_peer_break(peer, r);
			return;
		}
		dx_list_remove(&queued->node);
		peer->nr_frames--;
		peer->nr_bytes -= queued->bytes;
		(void)queued_free(queued);
	}
	update_events(peer);
}

static void call_closed(struct dx_peer *peer, int reason)
{
	peer->source = dx_loop_source_remove(peer->source);
	if (!peer->closed_called) {
		peer->closed_called = true;
		if (peer->broken == 0) {
			peer->broken = -EPIPE;
		}
		peer->ops->closed(peer->context, reason); /* may free the peer */
	}
}

/* One message. @return true when there may be another. */
static bool read_one(struct dx_peer *peer)
{
	struct dx_wire_message_in message;
	int r = dx_link_receive(peer->fd, true, &message);

	if (r == -EAGAIN || r == -ENOMEM) {
		return false;
	}
	if (r <= 0) {
		call_closed(peer, peer->broken != 0 ? peer->broken : r);
		return false;
	}
	if (peer->broken == 0) {
		r = peer->ops->message(peer->context, &message);
		if (r < 0 && peer->source != NULL) {
			dx_peer_break(peer, r);
		}
	}
	dx_wire_message_in_fini(&message);
	return peer->broken == 0 && peer->source != NULL && !peer->held &&
	       !(peer->nr_frames > 0 && (peer->flags & DX_PEER_POLITE) != 0);
}

static void on_event(void *context, int fd, uint32_t events)
{
	struct dx_peer *peer = context;

	(void)fd;
	if (peer->broken != 0) {
		call_closed(peer, peer->broken);
		return;
	}
	if ((events & EPOLLOUT) != 0) {
		flush(peer);
	}
	if ((events & EPOLLIN) != 0 && !peer->held) {
		/* The other end's last words are read before its hang-up is believed. */
		for (unsigned i = 0; i < DX_PEER_QUANTUM && read_one(peer); i++) {
		}
	} else if ((events & (EPOLLHUP | EPOLLERR)) != 0) {
		call_closed(peer, 0);
	}
}

int dx_peer_init(struct dx_peer *peer, struct dx_loop *loop, int *fd, unsigned flags,
		 size_t max_frames, const struct dx_peer_ops *ops, void *context)
{
	int r = 0;

	*peer = (struct dx_peer){
		.loop = loop,
		.ops = ops,
		.context = context,
		.fd = *fd,
		.flags = flags,
		.max_frames = max_frames,
	};
	dx_list_init(&peer->frames);
	r = dx_loop_add_fd(loop, *fd, EPOLLIN, on_event, peer, &peer->source);
	if (r < 0) {
		peer->fd = -1;
		return r;
	}
	*fd = -1;
	return 0;
}

void dx_peer_fini(struct dx_peer *peer)
{
	struct dx_list *node = NULL;

	peer->source = dx_loop_source_remove(peer->source);
	for (node = dx_list_pop_front(&peer->frames); node != NULL;
	     node = dx_list_pop_front(&peer->frames)) {
		(void)queued_free(dx_list_entry(node, struct queued, node));
	}
	dx_fd_close(&peer->fd);
}

static int enqueue(struct dx_peer *peer, struct queued *queued)
{
	if (peer->nr_frames >= peer->max_frames ||
	    peer->nr_bytes + queued->bytes > DX_PEER_MAX_BYTES) {
		dx_peer_break(peer, -ENOBUFS);
		return -ENOBUFS;
	}
	dx_list_push_back(&peer->frames, &queued->node);
	peer->nr_frames++;
	peer->nr_bytes += queued->bytes;
	update_events(peer);
	return 0;
}

int dx_peer_send(struct dx_peer *peer, uint16_t type, uint32_t seq, int32_t status,
		 const void *body, size_t body_length, const void *payload, size_t payload_length,
		 int *fd)
{
	struct queued *queued = NULL;
	int r = 0;

	if (peer->broken != 0) {
		return -EPIPE;
	}
	queued = calloc(1, sizeof(*queued));
	if (queued == NULL) {
		return -ENOMEM;
	}
	dx_list_init(&queued->node);
	queued->bytes = sizeof(*queued) + body_length + payload_length;
	queued->fd = fd != NULL ? *fd : -1;
	r = dx_link_frame_init(&queued->frame, type, seq, status, body, body_length, payload,
			       payload_length);
	if (r < 0) {
		free(queued);
		return r;
	}
	r = peer->nr_frames > 0 ? -EAGAIN : try_send(peer, queued);
	if (r == -EAGAIN) {
		r = enqueue(peer, queued);
		if (r == 0) {
			queued = NULL; /* the queue has it, and the fd */
		}
	}
	if (r == 0 && fd != NULL) {
		*fd = -1;
	}
	if (queued != NULL && r < 0) {
		queued->fd = -1; /* stays the caller's */
	}
	(void)queued_free(queued);
	return r;
}

int dx_peer_send_value(struct dx_peer *peer, uint16_t type, uint32_t seq, int32_t status,
		       const void *body, size_t body_length, const void *value)
{
	DX_CLEANUP_FREE void *bytes = NULL;
	size_t length = 0;
	int r = dx_plist_encode(value, &bytes, &length);

	if (r < 0) {
		return r;
	}
	return dx_peer_send(peer, type, seq, status, body, body_length, bytes, length, NULL);
}

void dx_peer_hold(struct dx_peer *peer, bool hold)
{
	peer->held = hold;
	if (peer->source != NULL) {
		update_events(peer);
	}
}

int dx_peer_release(struct dx_peer *peer)
{
	int fd = dx_take_fd(&peer->fd);

	peer->broken = -EPIPE; /* nobody sends on it by mistake */
	peer->closed_called = true;
	dx_peer_fini(peer);
	return fd;
}
