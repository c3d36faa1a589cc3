/* SPDX-License-Identifier: MIT
 *
 * link - one end of a message socket: send and receive whole dx_wire messages with fds.
 *
 * Place:      wire, over base/fdpass. Used by client, host and daemon for W-A, W-H and W-C.
 *             (wire proper has no system calls; this file is the one exception and says so.)
 * Invariants:
 *   K1  payloads over the inline limit travel in a sealed memfd and arrive as ordinary payload.
 *   K2  a message that fails a check closes its fds and yields -EPROTO; the link is then unusable.
 * Trust:      the peer is hostile.
 * Threads:    one at a time per direction; the owner locks.
 */
#ifndef DX_WIRE_LINK_H
#define DX_WIRE_LINK_H

#include "base/fdpass.h"
#include "wire/wire.h"

/* A received message with everything it owns. */
struct dx_wire_message_in {
	struct dx_wire_view view;
	int fds[DX_FDPASS_MAX]; /* -1 where none; take with dx_take_fd() */
	size_t nr_fds;
	void *memory_; /* private: the buffer behind the view */
};

/*
 * An outgoing message, encoded once and sent to one or many, now or later: what a queue keeps.
 * Small ones live in the struct itself.
 */
struct dx_link_frame {
	int payload_fd; /* owned; -1 when the payload is inline */
	size_t length;
	unsigned char *bytes; /* small, or malloc'd */
	_Alignas(8) unsigned char small[384];
};

/* @return 0; -EMSGSIZE for a payload over DX_MAX_PLIST_BYTES; -ENOMEM; -EMFILE. */
int dx_link_frame_init(struct dx_link_frame *frame, uint16_t type, uint32_t seq, int32_t status,
		       const void *body, size_t body_length, const void *payload,
		       size_t payload_length);
/* As dx_link_send(). The frame stays as it is and must not have been moved since its init. */
int dx_link_frame_send(const struct dx_link_frame *frame, int socket, const int *fds, size_t nr_fds,
		       bool nonblocking);
void dx_link_frame_fini(struct dx_link_frame *frame);

/* nonblocking: -EAGAIN instead of waiting. fds stay the caller's. @return 0 or a negative errno. */
int dx_link_send(int socket, uint16_t type, uint32_t seq, int32_t status, const void *body,
		 size_t body_length, const void *payload, size_t payload_length, const int *fds,
		 size_t nr_fds, bool nonblocking);

/* Encodes value as binary plist payload. */
int dx_link_send_value(int socket, uint16_t type, uint32_t seq, int32_t status, const void *body,
		       size_t body_length, const void *value, bool nonblocking);

/* @return 1 with a message; 0 when the peer closed; -EAGAIN; -EPROTO; -EMFILE when this process had no
 * descriptor free for what came with it; other negative errno. */
int dx_link_receive(int socket, bool nonblocking, struct dx_wire_message_in *ret_message);
/* Releases memory and any fd still in it. */
void dx_wire_message_in_fini(struct dx_wire_message_in *message);

/* The payload as a value (+1): -EPROTO when it is no property list or of another class.
 * class may be NULL for any. */
int dx_wire_message_value(const struct dx_wire_message_in *message, const struct dx_class *class,
			  void **ret_value);
/* The payload as malloc'd NUL-terminated text of at most max bytes: -EPROTO when it is longer, no
 * UTF-8 or holds a NUL. An absent payload is the empty text. */
int dx_wire_message_text(const struct dx_wire_message_in *message, size_t max, char **ret_text);

#endif
