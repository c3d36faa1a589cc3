/* SPDX-License-Identifier: MIT
 *
 * mux - requests, their replies and events on one socket, for many threads.
 *
 * Place:      client, over wire/link. One for the broker (W-A), one per connection (W-C).
 * Invariants:
 *   X1  one thread at a time reads the socket: a thread that waits for a reply, or one that pumps
 *       because the socket is readable. It hands every message on: replies to who waits for
 *       them, events to the event function.
 *   X2  events are handed on in the order in which they came.
 *   X3  the first error ends the mux: everybody who waits gets it, and so does who comes later.
 * Trust:      replies nobody waits for, and replies of the wrong type, are -EPROTO.
 * Threads:    any. The event function is called without locks, by whoever reads.
 */
#ifndef DX_CLIENT_MUX_H
#define DX_CLIENT_MUX_H

#include <stdbool.h>

#include "base/list.h"
#include "base/mutex.h"
#include "base/object.h"
#include "wire/link.h"

typedef void (*dx_mux_event_fn)(void *context, struct dx_wire_message_in *message);

struct dx_mux {
	struct dx_object object;
	int socket;
	dx_mux_event_fn event; /* may be NULL */
	void *context;
	struct dx_mutex lock; /* order 40; guards: all below */
	struct dx_cond changed;
	struct dx_list waiters DX_GUARDED_BY(lock);
	uint32_t seq DX_GUARDED_BY(lock);
	int error DX_GUARDED_BY(lock);
	bool reading DX_GUARDED_BY(lock);
};

/* What to send. value and payload exclude each other. */
struct dx_mux_send {
	uint16_t type;
	const void *body;
	size_t body_length;
	const void *value; /* property list */
	const void *payload;
	size_t payload_length;
	const int *fds; /* stay the caller's */
	size_t nr_fds;
};

/* socket is taken over on success. NULL without memory. */
struct dx_mux *dx_mux_new(int *socket, dx_mux_event_fn event, void *context);
/* Ends the mux with -ESHUTDOWN, if nothing else has. */
void dx_mux_close(struct dx_mux *mux);
/*
 * Sends and waits for the reply, whose status is the caller's to look at.
 * @return 0 with *ret_reply to be finished; a negative errno: no reply will come.
 */
int dx_mux_request(struct dx_mux *mux, const struct dx_mux_send *send,
		   struct dx_wire_message_in *ret_reply);
/* Sends something that has no reply. */
int dx_mux_post(struct dx_mux *mux, const struct dx_mux_send *send);
/* Hands on what has arrived, without waiting. @return 0; the error the mux ended with. */
int dx_mux_pump(struct dx_mux *mux);
/* 0, or the error it ended with. */
int dx_mux_error(struct dx_mux *mux);
/* Asks the socket: has the peer hung up? */
bool dx_mux_is_hung_up(const struct dx_mux *mux);

#endif
