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
	void *memory_; /* private: buffer or mapping behind the view */
	size_t mapped_length_;
};

/* nonblocking: -EAGAIN instead of waiting. fds stay the caller's. @return 0 or a negative errno. */
int dx_link_send(int socket, uint16_t type, uint32_t seq, int32_t status, const void *body,
		 size_t body_length, const void *payload, size_t payload_length, const int *fds,
		 size_t nr_fds, bool nonblocking);

/* Encodes value as binary plist payload. */
int dx_link_send_value(int socket, uint16_t type, uint32_t seq, int32_t status, const void *body,
		       size_t body_length, const void *value, bool nonblocking);

/* @return 1 with a message; 0 when the peer closed; -EAGAIN; -EPROTO; other negative errno. */
int dx_link_receive(int socket, bool nonblocking, struct dx_wire_message_in *ret_message);
/* Releases memory and any fd still in it. */
void dx_wire_message_in_fini(struct dx_wire_message_in *message);

/* The payload as a value (+1): -EPROTO when it is no property list or of another class.
 * class may be NULL for any. */
int dx_wire_message_value(const struct dx_wire_message_in *message, const struct dx_class *class,
			  void **ret_value);
/* The payload as malloc'd NUL-terminated text of at most max bytes. */
int dx_wire_message_text(const struct dx_wire_message_in *message, size_t max, char **ret_text);

#endif
