/* SPDX-License-Identifier: MIT
 *
 * clients - accept, identify, drop; see clients.h. What they ask is in requests.c.
 *
 * Place:   daemon.
 */
#include "daemon/clients.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "daemon/watches.h"
#include "wire/address.h"
#include "wire/link.h"

#define ACCEPT_RETRY_NS   (100ull * 1000000u)
#define ACCEPTS_PER_ROUND 32
#define MAX_GROUPS        256

struct dx_client *dx_client_find(struct dx_broker *broker, uint64_t id)
{
	dx_list_for_each (node, &broker->clients) {
		struct dx_client *client = dx_list_entry(node, struct dx_client, node);

		if (client->id == id) {
			return client;
		}
	}
	return NULL;
}

void dx_client_reply(struct dx_client *client, uint16_t type, uint32_t seq, int32_t status,
		     const void *body, size_t body_length, int *fd)
{
	int r = dx_peer_send(&client->peer, type | DX_WIRE_REPLY, seq, status, body, body_length,
			     NULL, 0, fd);

	if (r < 0) {
		dx_peer_break(&client->peer, r);
	}
}

void dx_client_fail(struct dx_client *client, uint16_t type, uint32_t seq, int32_t status,
		    const char *text)
{
	int r = dx_peer_send(&client->peer, type | DX_WIRE_REPLY, seq, status, NULL, 0, text,
			     text == NULL ? 0 : strlen(text), NULL);

	if (r < 0) {
		dx_peer_break(&client->peer, r);
	}
}

static void accepting(struct dx_broker *broker, bool on)
{
	if (broker->listener_source == NULL) {
		return;
	}
	(void)dx_loop_set_events(broker->listener_source, on ? EPOLLIN : 0);
	dx_loop_set_timer(broker->accept_timer, on ? 0 : dx_clock_now_ns() + ACCEPT_RETRY_NS);
}

static void accept_again(void *context)
{
	accepting(context, true);
}

static void client_free(struct dx_client *client)
{
	dx_waits_client_gone(client);
	dx_watches_remove_all(client);
	dx_peer_fini(&client->peer);
	dx_list_remove(&client->node);
	client->broker->nr_clients--;
	free(client);
}

static void on_closed(void *context, int reason)
{
	struct dx_client *client = context;
	struct dx_broker *broker = client->broker;

	if (reason == -EPROTO) {
		dx_log_warning("client %d (%s): broke the protocol, dropped", (int)client->pid,
			       client->name);
	} else if (reason == -EMFILE) {
		dx_log_warning("client %d (%s): sent a descriptor, and none is free here, dropped",
			       (int)client->pid, client->name);
	} else if (reason == -ENOBUFS) {
		dx_log_warning("client %d (%s): does not read its events, dropped",
			       (int)client->pid, client->name);
	}
	client_free(client);
	accepting(broker, true); /* X3 */
}

static int on_message(void *context, struct dx_wire_message_in *message)
{
	return dx_client_request(context, message);
}

static const struct dx_peer_ops peer_ops = {
	.message = on_message,
	.closed = on_closed,
};

static bool has_group(const struct dx_daemon_options *options, gid_t gid)
{
	for (size_t i = 0; i < options->nr_allow_gids; i++) {
		if (options->allow_gids[i] == gid) {
			return true;
		}
	}
	return false;
}

/* The first group or one of the others, as they were when the peer connected. */
static bool group_is_allowed(const struct dx_daemon_options *options, int fd, gid_t gid)
{
	gid_t groups[MAX_GROUPS];
	socklen_t length = sizeof(groups);

	if (options->nr_allow_gids == 0) {
		return false;
	}
	if (has_group(options, gid)) {
		return true;
	}
	if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &length) < 0) {
		return false; /* more than we look at counts as none */
	}
	for (size_t i = 0; i < length / sizeof(gid_t); i++) {
		if (has_group(options, groups[i])) {
			return true;
		}
	}
	return false;
}

static bool is_allowed(const struct dx_daemon_options *options, int fd, const struct ucred *peer)
{
	if (peer->uid == 0 || peer->uid == geteuid()) {
		return true;
	}
	for (size_t i = 0; i < options->nr_allow_uids; i++) {
		if (options->allow_uids[i] == peer->uid) {
			return true;
		}
	}
	return group_is_allowed(options, fd, peer->gid);
}

/* For messages to people and for drivers that show who opened them; decides nothing. */
static void read_name(pid_t pid, char *name, size_t size)
{
	char path[64];
	DX_CLEANUP_FD int fd = -1;
	ssize_t length = 0;

	(void)snprintf(path, sizeof(path), "/proc/%d/comm", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	length = fd < 0 ? 0 : read(fd, name, size - 1);
	name[length > 0 ? length : 0] = '\0';
	name[strcspn(name, "\n")] = '\0';
	if (!dx_wire_text_is_valid(name, strlen(name))) {
		name[0] = '\0';
	}
}

static int client_new(struct dx_broker *broker, int *fd, const struct ucred *peer)
{
	struct dx_client *client = calloc(1, sizeof(*client));
	int r = 0;

	if (client == NULL) {
		return -ENOMEM;
	}
	client->broker = broker;
	client->id = broker->next_client_id++;
	client->pid = peer->pid;
	client->uid = peer->uid;
	client->gid = peer->gid;
	client->may_manage = peer->uid == 0 || peer->uid == geteuid();
	dx_list_init(&client->watches);
	read_name(peer->pid, client->name, sizeof(client->name));
	r = dx_peer_init(&client->peer, broker->loop, fd, DX_PEER_POLITE, DX_PEER_MAX_FRAMES,
			 &peer_ops, client);
	if (r < 0) {
		free(client);
		return r;
	}
	dx_list_push_back(&broker->clients, &client->node);
	broker->nr_clients++;
	return 0;
}

static int accept_one(struct dx_broker *broker)
{
	struct ucred peer = {0};
	socklen_t length = sizeof(peer);
	DX_CLEANUP_FD int fd = accept4(broker->listener, NULL, NULL, SOCK_CLOEXEC);

	if (fd < 0) {
		return -errno;
	}
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &length) < 0 || peer.pid <= 0) {
		return 0; /* no identity, no service */
	}
	if (!is_allowed(broker->options, fd, &peer)) {
		dx_log_warning("process %d of user %u is not allowed to connect", (int)peer.pid,
			       (unsigned)peer.uid);
		return 0;
	}
	if (broker->nr_clients >= DX_MAX_CLIENTS) {
		return -EMFILE;
	}
	return client_new(broker, &fd, &peer);
}

static void on_connect(void *context, int fd, uint32_t events)
{
	struct dx_broker *broker = context;
	int r = 0;

	(void)fd;
	(void)events;
	for (int i = 0; i < ACCEPTS_PER_ROUND && r == 0; i++) {
		r = accept_one(broker);
	}
	if (r == -EMFILE || r == -ENFILE || r == -ENOMEM || r == -ENOBUFS || r == -ENOSPC) {
		dx_log_warning("cannot accept another client: %s", strerror(-r));
		accepting(broker, false);
	}
}

int dx_clients_listen(struct dx_broker *broker)
{
	bool for_all = broker->options->nr_allow_uids > 0 || broker->options->nr_allow_gids > 0;
	int r = dx_address_listen(broker->options->socket_path, for_all ? 0666 : 0600);

	if (r < 0) {
		return r;
	}
	broker->listener = r;
	r = dx_loop_add_timer(broker->loop, accept_again, broker, &broker->accept_timer);
	if (r < 0) {
		return r;
	}
	return dx_loop_add_fd(broker->loop, broker->listener, EPOLLIN, on_connect, broker,
			      &broker->listener_source);
}

void dx_clients_close_all(struct dx_broker *broker)
{
	dx_list_for_each_safe (node, &broker->clients) {
		client_free(dx_list_entry(node, struct dx_client, node));
	}
	broker->listener_source = dx_loop_source_remove(broker->listener_source);
	broker->accept_timer = dx_loop_source_remove(broker->accept_timer);
	if (broker->listener >= 0) {
		/* While we still listen nobody can have replaced the file by one of their own. */
		(void)unlink(broker->options->socket_path);
		dx_fd_close(&broker->listener);
	}
}

void dx_clients_sweep(struct dx_broker *broker)
{
	dx_list_for_each_safe (node, &broker->clients) {
		struct dx_client *client = dx_list_entry(node, struct dx_client, node);

		if (client->gone) {
			client_free(client);
		}
	}
}

void dx_clients_release(struct dx_broker *broker)
{
	dx_list_for_each (node, &broker->clients) {
		struct dx_client *client = dx_list_entry(node, struct dx_client, node);
		const struct dx_wire_hello_reply reply = {
			.broker_id = broker->id,
			.root_id = DX_REGISTRY_ROOT_ID,
		};

		if (client->hello_seq != 0) {
			dx_client_reply(client, DX_WIRE_A_HELLO, client->hello_seq, 0, &reply,
					sizeof(reply), NULL);
			client->hello_seq = 0;
			dx_peer_hold(&client->peer, false);
		}
	}
}
