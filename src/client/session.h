/* SPDX-License-Identifier: MIT
 *
 * session - the conversation of this process with the broker.
 *
 * Place:      client, over mux.h. Connected when it is first needed, again after the broker was
 *             restarted, and closed when the process has neither names nor subscriptions.
 * Invariants:
 *   E1  a watch lives here from dx_session_watch() to dx_session_unwatch() and is told to every new
 *       broker under the same cookie.
 *   E2  while there are watches, there is one descriptor (dx_session_descriptor()) that is readable
 *       when the session has something to do: events, a lost broker, a new attempt.
 *   E3  no timer runs while the broker is there.
 *   E4  a watched service that a new broker does not know for DX_SESSION_GRACE_NS is gone: hosts
 *       need that long at most to find the new broker and tell it what they have.
 * Trust:      the broker; its messages are checked by wire all the same.
 * Threads:    any. One per process, because the public interface has no context to carry it.
 */
#ifndef DX_CLIENT_SESSION_H
#define DX_CLIENT_SESSION_H

#include "base/list.h"
#include "base/value.h"
#include "client/mux.h"

#define DX_SESSION_GRACE_NS UINT64_C(3000000000)

/* A subscription; the first member of what notify.c makes of it. */
struct dx_watch {
	struct dx_object object;
	struct dx_list node; /* the session's lock */
	uint64_t cookie;     /* given by the session */
	uint64_t service;    /* interest: registry id; 0: matching */
	char kind[DX_MAX_NAME];
	struct dx_dict *matching; /* NULL for interest */
	uint64_t lost_ns;	  /* since when a new broker does not know the service; 0: known */
	/* Called without locks. event->id is the service; for the matches at the start of a watch
	 * kind is DX_WIRE_EVENT_SERVICE. */
	void (*event)(struct dx_watch *watch, const struct dx_wire_event *event);
};

/*
 * Sends a request to the broker and waits for its reply.
 * @return 0 with a reply whose status is 0, to be finished; *ret_status is 0.
 *         -EREMOTEIO: the broker said *ret_status, an IOReturn. -EAGAIN: no broker. -EMFILE: no
 *         descriptor was free for the socket to the broker or for what the reply brought.
 */
int dx_session_request(const struct dx_mux_send *send, struct dx_wire_message_in *ret_reply,
		       int32_t *ret_status);
/* IOReturn of the two values above. */
int32_t dx_session_result(int error, int32_t status);

/* Adds a watch; the session takes a reference. The services that match already come as events
 * before it returns. @return as dx_session_request(). */
int dx_session_watch(struct dx_watch *watch, int32_t *ret_status);
void dx_session_unwatch(struct dx_watch *watch);
/* The descriptor of E2, borrowed; negative errno. Valid while there are watches. */
int dx_session_descriptor(void);
/* Does what is to be done, without waiting for events. */
void dx_session_pump(void);
/* Closes the socket when nobody needs it. */
void dx_session_settle(void);
/* The id of the root entry of the broker last spoken to. */
uint64_t dx_session_root(void);

#endif
