/* SPDX-License-Identifier: MIT
 *
 * clients - applications and tools: who may connect, and what they ask.
 *
 * Place:      daemon, over peer and wire.
 * Invariants:
 *   X1  nothing but A_HELLO is answered before A_HELLO.
 *   X2  identity is what the kernel said at accept, never what a message says.
 *   X3  while descriptors are short no connection is accepted, and the loop does not spin: a timer,
 *       or the next client that leaves, tries again.
 *   X4  an application hears nothing before adoption is over, so that it never sees a service gone
 *       that is only on its way back.
 * Threads:    one.
 */
#ifndef DX_DAEMON_CLIENTS_H
#define DX_DAEMON_CLIENTS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/limits.h"
#include "base/list.h"
#include "daemon/broker.h"
#include "daemon/peer.h"

#define DX_CLIENT_MAX_WAITS 256u /* requests without answer yet, of one client */

struct dx_client {
	struct dx_list node;
	struct dx_broker *broker;
	uint64_t id;        /* never used twice by one broker */
	uint32_t role;      /* 0 before A_HELLO */
	uint32_t hello_seq; /* owed an answer when adoption is over; 0: none */
	pid_t pid;
	uid_t uid;
	gid_t gid;
	bool may_manage; /* load, attach, shutdown */
	bool gone;       /* its socket was given away: free it from the loop */
	char name[DX_MAX_NAME];
	struct dx_peer peer;
	struct dx_list watches;
	unsigned nr_watches;
	unsigned nr_waits;
};

int dx_clients_listen(struct dx_broker *broker);
void dx_clients_close_all(struct dx_broker *broker);
struct dx_client *dx_client_find(struct dx_broker *broker, uint64_t id);
/* Frees clients whose socket was given away. */
void dx_clients_sweep(struct dx_broker *broker);
/* Adoption is over: answers what was held. */
void dx_clients_release(struct dx_broker *broker);

/* A reply; on failure with text (may be NULL). What cannot be sent breaks the client. */
void dx_client_reply(struct dx_client *client, uint16_t type, uint32_t seq, int32_t status,
		     const void *body, size_t body_length, int *fd);
void dx_client_fail(struct dx_client *client, uint16_t type, uint32_t seq, int32_t status,
		    const char *text);

/* requests.c. */
int dx_client_request(struct dx_client *client, struct dx_wire_message_in *message);

/* waiters.c: answers that come later. */
enum dx_wait_kind { DX_WAIT_QUIET, DX_WAIT_ENTRY_GONE, DX_WAIT_BUNDLE_GONE };
int dx_wait_add(struct dx_client *client, enum dx_wait_kind kind, uint16_t type, uint32_t seq,
		uint64_t id, const void *bundle, uint64_t timeout_ns);
void dx_waits_entry_quiet(struct dx_broker *broker, uint64_t id);
void dx_waits_entry_gone(struct dx_broker *broker, uint64_t id);
void dx_waits_bundle_gone(struct dx_broker *broker, const void *bundle);
void dx_waits_client_gone(struct dx_client *client);

#endif
