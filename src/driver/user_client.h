/* SPDX-License-Identifier: MIT
 *
 * user_client - one application's connection: its channel, its socket, what it may keep.
 *
 * Place:      driver, over service and reactor.
 * Invariants:
 *   K1  the channel is polled by the reactor's leader only, and closed when user client and
 *       completions are freed.
 *   K2  the client's own failures (hang-up, broken protocol) end this object only.
 *   K3  grants that no call has claimed, requests that wait and completions that live are bounded.
 * Trust:      everything that comes over the socket or the channel is hostile.
 */
#ifndef DX_DRIVER_USER_CLIENT_H
#define DX_DRIVER_USER_CLIENT_H

#include "channel/channel.h"
#include "driver/call.h"
#include "driver/reactor.h"
#include "driver/service.h"
#include "memory/memory.h"
#include "wire/link.h"

#define DX_CLIENT_MAX_GRANTS   128u /* that wait to be claimed */
#define DX_CLIENT_MAX_REQUESTS 64u  /* map, unmap and close that wait for the queue */
#define DX_CLIENT_MAX_MESSAGES 512u /* read from its socket in one go; more than the two above */
#define DX_CLIENT_ASK_NS       5000000000ull

/* Memory of the application, arrived and not yet claimed. */
struct dx_client_grant {
	struct dx_list link;
	uint64_t id;
	uint64_t offset;
	uint64_t length;
	int fd;
};

/* A thread that waits for the answer to a question. */
struct dx_client_ask {
	struct dx_list link;
	uint64_t call_id;
	bool done;
	int32_t status;
};

/* The channel and its socket. Apart from the user client, because completions that the driver keeps
 * need them and must not keep the user client, whose free method may be what releases them. */
struct dx_connection {
	struct dx_object object;
	struct dx_channel_driver *channel;
	int socket;
	_Atomic uint32_t nr_actions; /* completions that live */
};

struct dx_user_client {
	struct dx_service service; /* first: it is one */
	struct dx_source source;
	struct dx_item release_item; /* for the reaper, once */
	struct dx_connection *connection;  /* counted; NULL until connected; constant then */
	struct dx_channel_driver *channel; /* the connection's */
	int socket;			   /* the connection's; -1 until connected */
	bool is_set_up;
	/* Leader only: */
	bool rang;
	uint64_t unmute_ns;

	uint32_t opener_pid;
	uint32_t opener_uid;
	char opener_name[DX_MAX_NAME];
	_Atomic bool lost; /* hang-up or broken protocol was noticed */
	struct dx_memory_quota quota; /* of the application's memory */

	struct dx_mutex link_lock; /* order 15; guards receiving and what follows */
	struct dx_cond link_cond;
	struct dx_list grants DX_GUARDED_BY(link_lock);
	struct dx_list asks DX_GUARDED_BY(link_lock);
	unsigned nr_grants DX_GUARDED_BY(link_lock);
	unsigned nr_requests DX_GUARDED_BY(link_lock);
	uint64_t last_ask DX_GUARDED_BY(link_lock);
	bool link_dead DX_GUARDED_BY(link_lock);
	bool connected DX_GUARDED_BY(link_lock); /* counts as a connection of the runtime */
};

extern const struct dx_class dx_user_client_class;

/* Part of making one: before init. */
void dx_user_client_setup(struct dx_user_client *client);
/* Opens the channel, sends it, starts serving. Takes *socket, also on most failures. */
int dx_user_client_connect(struct dx_user_client *client, int *socket);
/* A termination has begun / is complete. */
void dx_user_client_terminating(struct dx_user_client *client);
void dx_user_client_disconnect(struct dx_user_client *client);
/* The application has gone or broke the protocol; why is for the log, NULL: not worth a line. */
void dx_user_client_lose(struct dx_user_client *client, const char *why);

/* client_link.c: reads what is there. */
void dx_user_client_receive(struct dx_user_client *client);
/* Claims a grant; reads the socket if it has not come yet. The fd is the caller's.
 * @return 0; -EPROTO. */
int dx_user_client_claim(struct dx_user_client *client, uint64_t id, struct dx_client_grant *grant);
/* Asks the thread that waits for the call. *ret_grant holds an fd on success.
 * @return 0; -ENOTCONN; -ETIMEDOUT; what the application answered; -EPROTO. */
int dx_user_client_ask(struct dx_user_client *client, uint64_t call_id, uint32_t kind,
		       uint32_t flags, uint64_t address, uint64_t length,
		       struct dx_client_grant *ret_grant);
void dx_user_client_replied(struct dx_user_client *client, const struct dx_channel_reply *reply);

/* Notifications: collected by the leader, sent at once by others. */
void dx_connection_notify(struct dx_connection *connection, uint32_t kind, uint64_t tag,
			  int32_t result, const uint64_t *args, uint32_t nr_args);
/* Publishes what this thread has collected. */
void dx_thread_flush(struct dx_thread *self);
/* A completion is gone for good. */
void dx_connection_action_freed(struct dx_connection *connection, uint64_t tag);

#endif
