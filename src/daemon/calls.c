/* SPDX-License-Identifier: MIT
 *
 * calls - requests to hosts, replies, and IOServiceOpen between the two; see calls.h.
 *
 * Place:   daemon.
 */
#include "daemon/calls.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/cleanup.h"
#include "base/plist.h"
#include "daemon/clients.h"
#include "daemon/drivers.h"
#include "daemon/terminate.h"

#define MAX_TEXT 1024u

struct dx_call {
	struct dx_list node; /* host->calls */
	uint32_t seq;
	uint16_t type;
	uint64_t id;        /* the entry it is about */
	uint64_t client_id; /* OPEN: who waits */
	uint32_t client_seq;
	int client_fd; /* OPEN: the application's end; owned; -1 */
};

static void call_free(struct dx_call *call)
{
	dx_list_remove(&call->node);
	dx_fd_close(&call->client_fd);
	free(call);
}

static struct dx_call *call_new(struct dx_host *host, uint16_t type, uint64_t id)
{
	struct dx_call *call = calloc(1, sizeof(*call));

	if (call != NULL) {
		host->next_seq = host->next_seq == UINT32_MAX ? 1 : host->next_seq + 1;
		call->seq = host->next_seq;
		call->type = type;
		call->id = id;
		call->client_fd = -1;
		dx_list_push_back(&host->calls, &call->node);
	}
	return call;
}

static int call_send(struct dx_host *host, uint16_t type, uint64_t id, const void *body,
		     size_t body_length, const void *payload, size_t payload_length, int *fd)
{
	struct dx_call *call = call_new(host, type, id);
	int r = 0;

	if (call == NULL) {
		return -ENOMEM;
	}
	r = dx_peer_send(&host->peer, type, call->seq, 0, body, body_length, payload,
			 payload_length, fd);
	if (r < 0) {
		call_free(call);
	}
	return r;
}

int dx_call(struct dx_host *host, uint16_t type, uint64_t id, const void *body, size_t body_length)
{
	return call_send(host, type, id, body, body_length, NULL, 0, NULL);
}

int dx_call_value(struct dx_host *host, uint16_t type, uint64_t id, const void *body,
		  size_t body_length, const void *value, int *fd)
{
	DX_CLEANUP_FREE void *bytes = NULL;
	size_t length = 0;
	int r = dx_plist_encode(value, &bytes, &length);

	return r < 0 ? r : call_send(host, type, id, body, body_length, bytes, length, fd);
}

/* Sends the host's end away; the application's waits in the call. */
static int open_send(struct dx_host *host, struct dx_call *call, struct dx_entry *service,
		     uint32_t type, const struct dx_client *client)
{
	struct dx_wire_host_open body = {
		.service_id = service->id,
		.type = type,
		.pid = (uint32_t)client->pid,
		.uid = client->uid,
		.gid = client->gid,
	};
	DX_CLEANUP_FD int theirs = -1;
	int ends[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0) {
		return -errno;
	}
	call->client_fd = ends[0];
	theirs = ends[1];
	(void)snprintf(body.name, sizeof(body.name), "%s", client->name);
	return dx_peer_send(&host->peer, DX_WIRE_H_OPEN, call->seq, 0, &body, sizeof(body), NULL, 0,
			    &theirs);
}

int dx_host_open(struct dx_host *host, struct dx_entry *service, uint32_t type,
		 struct dx_client *client, uint32_t client_seq)
{
	struct dx_call *call = NULL;
	int r = 0;

	/* Opens may not fill the queue: that would break the host, and with it everybody else. */
	if (host->peer.nr_frames > host->peer.max_frames / 2) {
		return -ENOBUFS;
	}
	call = call_new(host, DX_WIRE_H_OPEN, service->id);
	if (call == NULL) {
		return -ENOMEM;
	}
	call->client_id = client->id;
	call->client_seq = client_seq;
	r = open_send(host, call, service, type, client);
	if (r < 0) {
		call_free(call);
		return r;
	}
	client->nr_waits++;
	return 0;
}

/* The application hears the result, if it still listens; else its socket end closes here, and the
 * host sees that. */
static void open_done(struct dx_host *host, struct dx_call *call, int32_t status,
		      uint64_t user_client, const char *text)
{
	struct dx_client *client = dx_client_find(host->broker, call->client_id);
	const struct dx_wire_id id = {.id = user_client};

	if (client == NULL) {
		return;
	}
	client->nr_waits--;
	if (status != 0) {
		dx_client_fail(client, DX_WIRE_A_OPEN, call->client_seq, status, text);
		return;
	}
	dx_client_reply(client, DX_WIRE_A_OPEN, call->client_seq, 0, &id, sizeof(id),
			&call->client_fd);
}

static struct dx_entry *own_entry(struct dx_host *host, uint64_t id)
{
	struct dx_entry *entry = dx_registry_find(host->broker->registry, id);

	return entry != NULL && entry->host == host ? entry : NULL;
}

static void act_on_reply(struct dx_host *host, struct dx_call *call, int32_t status,
			 uint64_t reply_id, const char *text)
{
	struct dx_entry *entry = own_entry(host, call->id);

	switch (call->type) {
	case DX_WIRE_H_SETUP:
		dx_host_setup_done(host, status, text);
		break;
	case DX_WIRE_H_START:
		if (entry != NULL && entry->driver != NULL) {
			dx_driver_started(entry->driver, status, text);
		}
		break;
	case DX_WIRE_H_OPEN:
		open_done(host, call, status, reply_id, text);
		break;
	case DX_WIRE_H_TERMINATE:
		if (entry != NULL) {
			dx_terminate_stopped(host->broker, entry); /* also when Stop failed */
		}
		break;
	default: /* DEVICE_GONE: nothing waits for it */
		break;
	}
}

static struct dx_call *call_find(struct dx_host *host, const struct dx_wire_header *header)
{
	dx_list_for_each (node, &host->calls) {
		struct dx_call *call = dx_list_entry(node, struct dx_call, node);

		if (call->seq == header->seq && (call->type | DX_WIRE_REPLY) == header->type) {
			return call;
		}
	}
	return NULL;
}

int dx_calls_reply(struct dx_host *host, struct dx_wire_message_in *message)
{
	struct dx_call *call = call_find(host, &message->view.header);
	int32_t status = message->view.header.status;
	DX_CLEANUP_FREE char *text = NULL;
	uint64_t reply_id = 0;

	if (call == NULL) {
		return -EPROTO;
	}
	if (call->type == DX_WIRE_H_OPEN && status == 0) {
		reply_id = ((const struct dx_wire_id *)message->view.body)->id;
		if (reply_id - host->first_id >= host->nr_ids) {
			return -EPROTO;
		}
	}
	if (status != 0 && dx_wire_message_text(message, MAX_TEXT, &text) < 0) {
		return -EPROTO;
	}
	dx_list_remove(
		&call->node); /* acting on it may free the host's other calls, not this one */
	act_on_reply(host, call, status, reply_id, text != NULL ? text : "");
	call_free(call);
	return 0;
}

void dx_calls_fail_all(struct dx_host *host)
{
	while (!dx_list_is_empty(&host->calls)) {
		struct dx_call *call = dx_list_entry(host->calls.next, struct dx_call, node);

		dx_list_remove(&call->node);
		if (call->type == DX_WIRE_H_OPEN) {
			open_done(host, call, DX_KR_OFFLINE, 0, "the driver's process ended");
		}
		call_free(call);
	}
}

void dx_calls_drop(struct dx_host *host)
{
	while (!dx_list_is_empty(&host->calls)) {
		call_free(dx_list_entry(host->calls.next, struct dx_call, node));
	}
}
