/* SPDX-License-Identifier: MIT
 *
 * calls - requests to hosts that wait for their reply.
 *
 * Place:      daemon, part of hosts: invariant J2 is kept here.
 *             A call remembers ids, not pointers: whatever it was about may have gone meanwhile.
 * Threads:    one.
 */
#ifndef DX_DAEMON_CALLS_H
#define DX_DAEMON_CALLS_H

#include "daemon/hosts.h"

/* Sends a request without payload about the entry id. @return as dx_peer_send(). */
int dx_call(struct dx_host *host, uint16_t type, uint64_t id, const void *body, size_t body_length);
/* The same with a property list, and *fd if fd is not NULL; taken over on success. */
int dx_call_value(struct dx_host *host, uint16_t type, uint64_t id, const void *body,
		  size_t body_length, const void *value, int *fd);

/* A reply arrived: acts on it. -EPROTO when nothing was asked. */
int dx_calls_reply(struct dx_host *host, struct dx_wire_message_in *message);
/* The host is dead: every caller hears so. */
void dx_calls_fail_all(struct dx_host *host);
/* Forgets them without a word: the broker ends. */
void dx_calls_drop(struct dx_host *host);

#endif
