/* SPDX-License-Identifier: MIT
 *
 * peer - a message socket on the loop, with a bounded queue of what the other end did not read yet.
 *
 * Place:      daemon, over wire/link. Applications, tools and hosts are all peers.
 * Invariants:
 *   E1  no send ever waits: what the socket does not take is queued, up to the limits given.
 *   E2  over a limit, or after a message that breaks the protocol, the peer is broken: nothing more
 *       is sent or read, and closed() is called from the loop, never from inside a send.
 *   E3  a polite peer (see DX_PEER_POLITE) is not read while it has not taken its answers, so that
 *       its own requests cannot fill its queue.
 *   E4  one round of the loop reads at most DX_PEER_QUANTUM messages of one peer.
 * Owner:      closed() may free the peer; message() may not.
 * Threads:    the loop's.
 */
#ifndef DX_DAEMON_PEER_H
#define DX_DAEMON_PEER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/list.h"
#include "base/loop.h"
#include "wire/link.h"

#define DX_PEER_QUANTUM    16u
#define DX_PEER_MAX_FRAMES 1024u
#define DX_PEER_MAX_BYTES  (4u << 20)
#define DX_PEER_POLITE     1u

struct dx_peer_ops {
	/* Takes fds out of the message if it wants them. @return 0, or negative: break the peer. */
	int (*message)(void *context, struct dx_wire_message_in *message);
	/* 0: the other end closed; else why it was broken. Called once. */
	void (*closed)(void *context, int reason);
};

struct dx_peer {
	struct dx_loop *loop;
	const struct dx_peer_ops *ops;
	void *context;
	int fd;
	int broken; /* 0, or the reason */
	unsigned flags;
	bool held; /* not read until dx_peer_hold(false) */
	bool closed_called;
	size_t max_frames;
	size_t nr_frames;
	size_t nr_bytes;
	struct dx_list frames;
	struct dx_loop_source *source;
};

/* Takes *fd over. */
int dx_peer_init(struct dx_peer *peer, struct dx_loop *loop, int *fd, unsigned flags,
		 size_t max_frames, const struct dx_peer_ops *ops, void *context);
void dx_peer_fini(struct dx_peer *peer);

/*
 * Sends or queues. *fd (fd may be NULL) is taken over on success.
 * @return 0; -EPIPE when it is broken or gone; -ENOBUFS when this message broke it; -ENOMEM,
 *         -EMFILE, -EMSGSIZE, -ETOOMANYREFS: not sent, the peer is as before.
 */
int dx_peer_send(struct dx_peer *peer, uint16_t type, uint32_t seq, int32_t status,
		 const void *body, size_t body_length, const void *payload, size_t payload_length,
		 int *fd);
int dx_peer_send_value(struct dx_peer *peer, uint16_t type, uint32_t seq, int32_t status,
		       const void *body, size_t body_length, const void *value);
/* E2. */
void dx_peer_break(struct dx_peer *peer, int reason);
void dx_peer_hold(struct dx_peer *peer, bool hold);
/* Gives the socket away, to another peer. What is left needs only dx_peer_fini(), which message()
 * must leave to somebody else; closed() will not be called. @return the fd. */
int dx_peer_release(struct dx_peer *peer);

#endif
