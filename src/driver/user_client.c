/* SPDX-License-Identifier: MIT
 *
 * user_client - see user_client.h: the object, its place in the reactor, its notifications.
 */
#include "driver/user_client.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"

#define QUANTUM 16u /* calls of one client in one pass */

static struct dx_user_client *client_of(struct dx_source *source)
{
	return dx_container_of(source, struct dx_user_client, source);
}

/* ---- in the reactor ---- */

static void finish_ring(struct dx_user_client *client)
{
	client->rang = false;
	client->unmute_ns = dx_channel_driver_rang(client->channel);
}

static struct dx_call_frame *take_frame(struct dx_thread *self, struct dx_runtime *runtime)
{
	struct dx_call_frame *frame = self->spare_frame;

	self->spare_frame = NULL;
	return frame != NULL ? frame : dx_call_frame_new(runtime);
}

/* Takes one thing from the channel. @return 0 nothing; 1 something; -1 the lead is lost or the
 * connection is over. */
static int take_one(struct dx_user_client *client, struct dx_thread *self)
{
	struct dx_runtime *runtime = client->service.runtime;
	struct dx_channel_reply reply = {0};
	struct dx_call_frame *frame = take_frame(self, runtime);

	if (frame == NULL) {
		return 0; /* the call stays where it is until there is memory */
	}
	int what = dx_channel_driver_poll(client->channel, &frame->call, &reply);
	if (what == DX_CHANNEL_CALL) {
		dx_call_start(client, frame);
		return self->leader ? 1 : -1;
	}
	self->spare_frame = frame;
	if (what == DX_CHANNEL_REPLY) {
		dx_user_client_replied(client, &reply);
		return 1;
	}
	if (what < 0) {
		dx_user_client_lose(client, what == -EPROTO ? "broke the channel's protocol"
				    : what == -ENOBUFS ? "does not read its notifications"
				    : what == -ETIME   ? "makes its wake-ups endless"
						       : NULL);
		return -1;
	}
	return 0;
}

static bool source_poll(struct dx_source *source)
{
	struct dx_user_client *client = client_of(source);
	struct dx_thread *self = dx_thread_self();
	unsigned taken = 0;
	int result = 0;

	if (client->lost) {
		return false;
	}
	if (client->unmute_ns != 0 && dx_clock_now_ns() >= client->unmute_ns) {
		client->unmute_ns = 0;
		dx_channel_driver_unmute(client->channel);
	}
	/* A ring without a call asks to move what waits for room in the notification ring. */
	if (!client->rang && !dx_channel_driver_is_ready(client->channel)) {
		return false;
	}
	dx_channel_driver_set_cpu(client->channel, self->cpu);
	for (; taken < QUANTUM; taken++) {
		result = take_one(client, self);
		if (result <= 0) {
			break;
		}
	}
	if (result < 0) {
		return true;
	}
	if (client->rang) {
		finish_ring(client);
	}
	return taken > 0;
}

/* A ring that was heard and not served yet is work: it will not be reported again. */
static bool source_arm(struct dx_source *source)
{
	struct dx_user_client *client = client_of(source);

	return !client->lost && (client->rang || dx_channel_driver_arm(client->channel));
}

static void source_disarm(struct dx_source *source)
{
	dx_channel_driver_disarm(client_of(source)->channel);
}

static void source_event(struct dx_source *source, unsigned which, uint32_t events)
{
	struct dx_user_client *client = client_of(source);

	(void)events;
	if (which == 0) {
		client->rang = true;
	} else {
		dx_user_client_receive(client);
	}
}

static uint64_t source_deadline(struct dx_source *source)
{
	uint64_t unmute_ns = client_of(source)->unmute_ns;

	return unmute_ns == 0 ? UINT64_MAX : unmute_ns;
}

static uint32_t source_peer_cpu(struct dx_source *source)
{
	return dx_channel_driver_peer_cpu(client_of(source)->channel);
}

static void release_run(struct dx_item *item, bool cancelled)
{
	(void)cancelled;
	(void)dx_object_unref(dx_container_of(item, struct dx_user_client, release_item));
}

/* The last reference may run driver code: that is the reaper's business, not the leader's. */
static void source_released(struct dx_source *source)
{
	struct dx_user_client *client = client_of(source);

	dx_queue_push(client->service.runtime->reaper, &client->release_item);
}

static const struct dx_source_ops source_ops = {
	.poll = source_poll,
	.arm = source_arm,
	.disarm = source_disarm,
	.event = source_event,
	.deadline = source_deadline,
	.peer_cpu = source_peer_cpu,
	.released = source_released,
};

/* ---- birth and death ---- */

void dx_user_client_setup(struct dx_user_client *client)
{
	client->is_set_up = true;
	client->socket = -1;
	client->source.ops = &source_ops;
	client->release_item.run = release_run;
	client->quota = (struct dx_memory_quota)DX_MEMORY_QUOTA_INIT(DX_MAX_MAPPED_BYTES,
								     DX_MAX_GRANTS_PER_CLIENT);
	dx_mutex_init(&client->link_lock);
	dx_cond_init(&client->link_cond);
	dx_list_init(&client->grants);
	dx_list_init(&client->asks);
}

static void user_client_free(struct dx_object *object)
{
	struct dx_user_client *client = (struct dx_user_client *)object;

	if (!client->is_set_up) {
		return;
	}
	dx_service_free_driver(&client->service);
	for (struct dx_list *node = dx_list_pop_front(&client->grants); node != NULL;
	     node = dx_list_pop_front(&client->grants)) {
		struct dx_client_grant *grant = dx_list_entry(node, struct dx_client_grant, link);
		dx_fd_close(&grant->fd);
		free(grant);
	}
	(void)dx_object_unref(client->connection);
	dx_cond_fini(&client->link_cond);
	dx_mutex_fini(&client->link_lock);
}

const struct dx_class dx_user_client_class = {
	.name = "IOUserClient",
	.super = &dx_service_class,
	.instance_size = sizeof(struct dx_user_client),
	.free = user_client_free,
};

static void connection_free(struct dx_object *object)
{
	struct dx_connection *connection = (struct dx_connection *)object;

	connection->channel = dx_channel_driver_close(connection->channel);
	dx_fd_close(&connection->socket);
}

static const struct dx_class connection_class = {
	.name = "connection",
	.instance_size = sizeof(struct dx_connection),
	.free = connection_free,
};

/* A run-loop application sleeps on its socket. A full socket is readable already. */
static void wake_socket(void *context)
{
	struct dx_connection *connection = context;

	(void)dx_link_send(connection->socket, DX_WIRE_C_WAKE, 0, 0, NULL, 0, NULL, 0, NULL, 0, true);
}

static int send_channel(struct dx_user_client *client)
{
	int fds[DX_CHANNEL_NR_FDS];
	struct dx_wire_channel body = {.client_id = client->service.id};
	struct stat stat_d = {0};
	struct stat stat_a = {0};

	dx_channel_driver_fds(client->channel, fds);
	if (fstat(fds[DX_CHANNEL_FD_D], &stat_d) < 0 || fstat(fds[DX_CHANNEL_FD_A], &stat_a) < 0) {
		return -errno;
	}
	body.d_length = (uint64_t)stat_d.st_size;
	body.a_length = (uint64_t)stat_a.st_size;
	int result = dx_link_send(client->socket, DX_WIRE_C_CHANNEL, 0, 0, &body, sizeof(body),
				  NULL, 0, fds, DX_CHANNEL_NR_FDS, true);
	dx_channel_driver_sent(client->channel);
	return result;
}

static int serve(struct dx_user_client *client)
{
	struct dx_reactor *reactor = client->service.runtime->reactor;
	int result = dx_reactor_add(reactor, &client->source);

	if (result < 0) {
		return result;
	}
	(void)dx_object_ref(client); /* until released */
	result = dx_channel_driver_listen(client->channel, dx_reactor_epoll_fd(reactor),
					  dx_reactor_cookie(&client->source, 0));
	if (result == 0) {
		result = dx_reactor_watch(reactor, &client->source, 1, client->socket,
					  EPOLLIN | EPOLLRDHUP);
	}
	if (result < 0) {
		dx_reactor_remove(reactor, &client->source);
	}
	return result;
}

static int open_connection(struct dx_user_client *client, int *socket)
{
	struct dx_connection *connection = dx_object_new(&connection_class);

	if (connection == NULL) {
		return -ENOMEM;
	}
	struct dx_channel_driver_options options = {
		.registry = client->service.runtime->alive,
		.notify = wake_socket,
		.notify_context = connection,
	};
	connection->socket = -1;
	int result = dx_channel_driver_open(&options, &connection->channel);
	if (result < 0) {
		(void)dx_object_unref(connection);
		return result;
	}
	connection->socket = dx_take_fd(socket);
	client->connection = connection;
	client->channel = connection->channel;
	client->socket = connection->socket;
	return 0;
}

int dx_user_client_connect(struct dx_user_client *client, int *socket)
{
	int result = open_connection(client, socket);

	if (result < 0) {
		return result;
	}
	/* Armed before the application has it, so that the first call rings. */
	(void)dx_channel_driver_arm(client->channel);
	result = send_channel(client);
	if (result == 0) {
		result = serve(client);
	}
	if (result < 0) {
		return result;
	}
	dx_mutex_lock(&client->link_lock);
	client->connected = true;
	dx_mutex_unlock(&client->link_lock);
	return 0;
}

static void wake_askers(struct dx_user_client *client)
{
	dx_mutex_lock(&client->link_lock);
	client->link_dead = true;
	dx_cond_broadcast(&client->link_cond);
	dx_mutex_unlock(&client->link_lock);
}

void dx_user_client_terminating(struct dx_user_client *client)
{
	wake_askers(client);
}

void dx_user_client_disconnect(struct dx_user_client *client)
{
	struct dx_runtime *runtime = client->service.runtime;

	wake_askers(client);
	dx_mutex_lock(&client->link_lock);
	bool connected = client->connected;
	client->connected = false;
	dx_mutex_unlock(&client->link_lock);
	if (!connected) {
		return;
	}
	int fds[DX_CHANNEL_NR_FDS];
	dx_channel_driver_fds(client->channel, fds);
	dx_channel_driver_fail(client->channel, -ECONNRESET);
	dx_reactor_unwatch(runtime->reactor, client->socket);
	dx_reactor_unwatch(runtime->reactor, fds[DX_CHANNEL_FD_DOORBELL]);
	(void)shutdown(client->socket, SHUT_RDWR); /* a run-loop application hears of it at once */
	dx_reactor_remove(runtime->reactor, &client->source);
	dx_mutex_lock(&runtime->lock);
	runtime->nr_connections--;
	dx_mutex_unlock(&runtime->lock);
}

void dx_user_client_lose(struct dx_user_client *client, const char *why)
{
	if (atomic_exchange(&client->lost, true)) {
		return;
	}
	if (why != NULL) {
		dx_log_warning("%s: process %u (%s) %s: disconnected",
			       dx_runtime_name(client->service.runtime), client->opener_pid,
			       client->opener_name, why);
	}
	dx_reactor_unwatch(client->service.runtime->reactor, client->socket);
	dx_channel_driver_fail(client->channel, why == NULL ? -ECONNRESET : -EPROTO);
	(void)shutdown(client->socket, SHUT_RDWR); /* who waits there hears of it before the Stop */
	(void)dx_service_terminate(&client->service, NULL, NULL); /* allocates nothing */
}

/* ---- notifications ---- */

void dx_thread_flush(struct dx_thread *self)
{
	while (self->nr_batch > 0) {
		struct dx_connection *connection = self->batch[--self->nr_batch];
		dx_channel_driver_batch_end(connection->channel);
		(void)dx_object_unref(connection);
	}
}

static void collect(struct dx_thread *self, struct dx_connection *connection)
{
	for (unsigned i = 0; i < self->nr_batch; i++) {
		if (self->batch[i] == connection) {
			return;
		}
	}
	if (self->nr_batch == DX_THREAD_BATCH) {
		dx_thread_flush(self);
	}
	dx_channel_driver_batch_begin(connection->channel);
	self->batch[self->nr_batch++] = dx_object_ref(connection);
}

void dx_connection_notify(struct dx_connection *connection, uint32_t kind, uint64_t tag,
			  int32_t result, const uint64_t *args, uint32_t nr_args)
{
	struct dx_thread *self = dx_thread_self();

	if (self->leader) {
		collect(self, connection);
	}
	/* A failed channel is noticed by the poll; to the driver it is harmless. */
	(void)dx_channel_driver_notify(connection->channel, kind, tag, result, args, nr_args);
}

void dx_connection_action_freed(struct dx_connection *connection, uint64_t tag)
{
	atomic_fetch_sub(&connection->nr_actions, 1);
	dx_connection_notify(connection, DX_CHANNEL_RELEASED, tag, 0, NULL, 0);
}
