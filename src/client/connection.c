/* SPDX-License-Identifier: MIT
 *
 * connection - opening, closing, death, and moving completions to ports; see connection.h.
 */
#include "client/connection.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "channel/layout.h"
#include "client/message.h"
#include "client/port.h"
#include "client/share.h"

#define DRAIN_QUANTUM 64u /* completions moved before the lock is given to others */

static void connection_free(struct dx_object *object)
{
	struct dx_connection *connection = (void *)object;

	(void)dx_channel_app_free(connection->channel); /* always NULL, also below */
	(void)dx_object_unref(connection->mux);
	dx_connection_unmap_all(connection);
	dx_tags_fini(&connection->tags);
	dx_mutex_fini(&connection->drain);
	dx_mutex_fini(&connection->map_lock);
	(void)pthread_rwlock_destroy(&connection->calls); /* nobody holds it */
}

static void connection_dropped(void *object)
{
	dx_connection_close(object);
}

const struct dx_named_class dx_connection_class = {
	.class = {
		.name = "connection",
		.instance_size = sizeof(struct dx_connection),
		.free = connection_free,
	},
	.dropped = connection_dropped,
};

static struct dx_connection *connection_new(void)
{
	struct dx_connection *connection = dx_object_new(&dx_connection_class.class);
	pthread_rwlockattr_t attributes;

	if (connection == NULL) {
		return NULL;
	}
	/* Who wants to close must get its turn while others call all the time. */
	(void)pthread_rwlockattr_init(&attributes); /* cannot fail here, nor can the next */
	(void)pthread_rwlockattr_setkind_np(&attributes,
					    PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
	(void)pthread_rwlock_init(&connection->calls, &attributes);
	(void)pthread_rwlockattr_destroy(&attributes);
	dx_mutex_init(&connection->drain);
	dx_mutex_init(&connection->map_lock);
	dx_list_init(&connection->mappings);
	dx_tags_init(&connection->tags);
	return connection;
}

static bool driver_is_gone(void *mux)
{
	return dx_mux_is_hung_up(mux);
}

/* Messages of the driver that are no replies: wake-ups. */
static void on_event(void *context, struct dx_wire_message_in *message)
{
	struct dx_connection *connection = context;

	if (message->view.header.type == DX_WIRE_C_WAKE) {
		dx_statistics_add(&connection->statistics.wakeups, 1);
	}
}

/* The first message of the driver brings the channel. */
static int receive_channel(int socket, int fds[DX_CHANNEL_NR_FDS])
{
	struct dx_wire_message_in message;
	int got = dx_link_receive(socket, false, &message);

	if (got <= 0) {
		return got == 0 ? -ECONNRESET : got;
	}
	bool good = message.view.header.type == DX_WIRE_C_CHANNEL &&
		    message.nr_fds == DX_CHANNEL_NR_FDS;
	for (unsigned i = 0; good && i < DX_CHANNEL_NR_FDS; i++) {
		fds[i] = dx_take_fd(&message.fds[i]);
	}
	dx_wire_message_in_fini(&message);
	return good ? 0 : -EPROTO;
}

static int open_channel(struct dx_connection *connection, int fds[DX_CHANNEL_NR_FDS])
{
	struct dx_channel_app_options options = {
		.spin_budget_ns = DX_WAIT_BUDGET_MEASURED,
		.gone = driver_is_gone,
		.gone_context = connection->mux,
	};
	int error = dx_channel_app_open(&options, fds, &connection->channel);

	for (unsigned i = 0; i < DX_CHANNEL_NR_FDS; i++) {
		dx_fd_close(&fds[i]);
	}
	return error;
}

int dx_connection_open(int *socket, struct dx_connection **ret_connection)
{
	int fds[DX_CHANNEL_NR_FDS] = {-1, -1, -1};
	int error = receive_channel(*socket, fds);

	if (error < 0) {
		return error;
	}
	struct dx_connection *connection = connection_new();
	if (connection != NULL) {
		connection->mux = dx_mux_new(socket, on_event, connection);
	}
	if (connection == NULL || connection->mux == NULL) {
		for (unsigned i = 0; i < DX_CHANNEL_NR_FDS; i++) {
			dx_fd_close(&fds[i]);
		}
		(void)dx_object_unref(connection); /* always NULL */
		return -ENOMEM;
	}
	error = open_channel(connection, fds);
	if (error < 0) {
		(void)dx_object_unref(connection); /* always NULL */
		return error;
	}
	dx_share_hold();
	*ret_connection = connection;
	return 0;
}

void dx_connection_close(struct dx_connection *connection)
{
	struct dx_mux_send send = {.type = DX_WIRE_C_CLOSE};

	if (atomic_exchange_explicit(&connection->closed, true, memory_order_acq_rel)) {
		return;
	}
	(void)pthread_rwlock_wrlock(&connection->calls); /* not held by this thread */
	dx_connection_disarm(connection);
	while (dx_connection_drain(connection) > 0) { /* what was fired before is delivered */
	}
	/* The end of the socket says the same to a driver that does not read. */
	(void)dx_mux_post(connection->mux, &send);
	dx_channel_app_close(connection->channel);
	dx_mux_close(connection->mux);
	dx_connection_unmap_all(connection);
	dx_share_release();
	(void)pthread_rwlock_unlock(&connection->calls);
}

void dx_connection_note_death(struct dx_connection *connection, int error)
{
	int death = error == -EOWNERDEAD				? DX_CONNECTION_CRASHED
		    : error == -ECONNRESET || error == -EPROTO ? DX_CONNECTION_ENDED
								: DX_CONNECTION_ALIVE;
	int alive = DX_CONNECTION_ALIVE;

	if (death != DX_CONNECTION_ALIVE) {
		/* The first cause stays. */
		(void)atomic_compare_exchange_strong_explicit(&connection->death, &alive, death,
							      memory_order_relaxed,
							      memory_order_relaxed);
	}
}

/* What a call on a connection that is closed or dead gets; success when it is neither. */
static kern_return_t state_of(struct dx_connection *connection)
{
	int death = atomic_load_explicit(&connection->death, memory_order_relaxed);

	if (atomic_load_explicit(&connection->closed, memory_order_acquire)) {
		return MACH_SEND_INVALID_DEST;
	}
	if (death == DX_CONNECTION_ALIVE) {
		return kIOReturnSuccess;
	}
	if (dx_connection_has_mappings(connection)) {
		return kIOReturnBadArgument;
	}
	return death == DX_CONNECTION_CRASHED ? kIOReturnOffline : MACH_SEND_INVALID_DEST;
}

kern_return_t dx_connection_enter(uint32_t name, bool exclusive,
				  struct dx_connection **ret_connection)
{
	struct dx_connection *connection = dx_names_get(name, &dx_connection_class);

	if (connection == NULL) {
		return dx_names_refs(name) > 0 ? kIOReturnBadArgument : MACH_SEND_INVALID_DEST;
	}
	/* Neither can fail: no thread holds the lock twice, and readers are few. */
	if (exclusive) {
		(void)pthread_rwlock_wrlock(&connection->calls);
	} else {
		(void)pthread_rwlock_rdlock(&connection->calls);
	}
	kern_return_t result = state_of(connection);
	if (result != kIOReturnSuccess) {
		dx_connection_leave(connection);
		return result;
	}
	*ret_connection = connection;
	return kIOReturnSuccess;
}

void dx_connection_leave(struct dx_connection *connection)
{
	(void)pthread_rwlock_unlock(&connection->calls); /* held by this thread */
	(void)dx_object_unref(connection); /* always NULL */
}

/* --- completions -------------------------------------------------------------------------- */

static unsigned deliver_completion(struct dx_delivery *delivery)
{
	if (delivery->function == 0) {
		return 0; /* the program takes messages, or nothing */
	}
	dx_completion_call(delivery->function, delivery->refcon, delivery->result, delivery->args,
			   delivery->nr_args);
	return 1;
}

static void tell_completion(const struct dx_delivery *delivery, struct dx_notice *ret_notice)
{
	const struct dx_further_words *further = delivery->object;

	ret_notice->type = kIOAsyncCompletionNotificationType;
	ret_notice->reference[kIOAsyncCalloutFuncIndex] = delivery->function;
	ret_notice->reference[kIOAsyncCalloutRefconIndex] = delivery->refcon;
	if (further != NULL) {
		memcpy(ret_notice->reference + kIOAsyncCalloutCount, further->words,
		       sizeof(further->words));
	}
	ret_notice->content_bytes = (uint32_t)sizeof(delivery->result) + 8 * delivery->nr_args;
	memcpy(ret_notice->content, &delivery->result, sizeof(delivery->result));
	memcpy(ret_notice->content + sizeof(delivery->result), delivery->args,
	       8 * delivery->nr_args);
}

/* Puts a completion into the queue of its port. */
typedef int (*push_fn)(struct IONotificationPort *port, const struct dx_delivery *delivery);

/* Queues a completion at its port. False: no room there, keep it. */
static bool route(struct dx_connection *connection, const struct dx_channel_note *note, push_fn push)
{
	struct dx_tag tag;

	if (note->kind == DX_CHANNEL_RELEASED) {
		dx_tags_remove(&connection->tags, note->tag);
		return true;
	}
	if (note->kind != DX_CHANNEL_COMPLETION ||
	    dx_tags_get(&connection->tags, note->tag, &tag) < 0) {
		return true; /* other kinds have no receiver here; unknown tags are ignored */
	}
	struct dx_delivery delivery = {
		.deliver = deliver_completion,
		.tell = tell_completion,
		.object = tag.further,
		.function = tag.function,
		.refcon = tag.refcon,
		.result = note->result,
		.nr_args = note->nr_args,
	};
	memcpy(delivery.args, note->args, note->nr_args * sizeof(note->args[0]));
	int error = push(tag.port, &delivery);
	if (error == 0) {
		tag.further = NULL; /* the delivery's now */
	}
	dx_tag_fini(&tag);
	if (error == -EAGAIN || error == -ENOMEM) {
		return false;
	}
	dx_statistics_add(&connection->statistics.notifications, 1);
	dx_statistics_add(&connection->statistics.bytes_out, note->nr_args * sizeof(note->args[0]));
	return true;
}

/* Moves one completion. @return 1; 0 none, or its port has no room; a negative errno. */
static int move_one(struct dx_connection *connection, push_fn push) DX_REQUIRES(connection->drain)
{
	int got = 1;

	if (!connection->has_held) {
		got = dx_channel_app_next(connection->channel, &connection->held);
		connection->has_held = got > 0;
	}
	if (!connection->has_held) {
		return got;
	}
	connection->has_held = !route(connection, &connection->held, push);
	return connection->has_held ? 0 : 1;
}

/* Several ports sleep on one socket: whoever took the wake-up arms it again for the others. */
static bool rearm(struct dx_connection *connection) DX_REQUIRES(connection->drain)
{
	return atomic_load_explicit(&connection->nr_ports, memory_order_relaxed) > 1 &&
	       !connection->has_held && dx_channel_app_arm(connection->channel, 1) == 1;
}

static unsigned drain_locked(struct dx_connection *connection) DX_REQUIRES(connection->drain)
{
	unsigned count = 0;
	int got = 1;

	while (count < DRAIN_QUANTUM && got > 0) {
		got = move_one(connection, dx_port_push);
		count += got > 0 ? 1 : 0;
		if (got == 0 && rearm(connection)) {
			got = 1;
		}
	}
	if (got < 0) {
		dx_connection_note_death(connection, got);
	}
	return count;
}

unsigned dx_connection_drain(struct dx_connection *connection)
{
	unsigned count = 0;

	/* Somebody else drains: what he finds for our port he queues there, and wakes it. */
	if (dx_mutex_trylock(&connection->drain)) {
		count = drain_locked(connection);
		dx_mutex_unlock(&connection->drain);
	}
	return count;
}

void dx_connection_drain_rest(struct dx_connection *connection)
{
	int got = 1;

	dx_mutex_lock(&connection->drain);
	/* The driver may live and go on writing: what fits into the ring and the held one, no more. */
	for (uint32_t i = 0; i <= DX_LAYOUT_CQ_SIZE && got > 0; i++) {
		got = move_one(connection, dx_port_push_last);
	}
	dx_mutex_unlock(&connection->drain);
}

bool dx_connection_arm(struct dx_connection *connection)
{
	dx_mutex_lock(&connection->drain);
	/* One that is held waits for another port, whose deliveries make room; it wakes us. */
	bool ready = !connection->has_held && dx_channel_app_arm(connection->channel, 1) == 1;
	dx_mutex_unlock(&connection->drain);
	return ready;
}

void dx_connection_disarm(struct dx_connection *connection)
{
	dx_mutex_lock(&connection->drain);
	dx_channel_app_disarm(connection->channel);
	dx_mutex_unlock(&connection->drain);
}

bool dx_connection_spin(struct dx_connection *connection)
{
	bool ready = false;

	if (dx_mutex_trylock(&connection->drain)) {
		ready = connection->has_held || dx_channel_app_spin(connection->channel);
		dx_mutex_unlock(&connection->drain);
	}
	return ready;
}

/*
 * The socket is of no use any more: the channel knows whether the process died or only this
 * connection. When it knows nothing we gave the socket up, or a process that the kernel does not watch
 * died: one that lives says so before it hangs up.
 */
static void find_cause(struct dx_connection *connection)
{
	int error = dx_channel_app_check_peer(connection->channel);

	if (error == 0) {
		int socket_error = dx_mux_error(connection->mux);

		error = socket_error == 0 || socket_error == -ECONNRESET ? -EOWNERDEAD : -ECONNRESET;
	}
	dx_connection_note_death(connection, error);
}

enum dx_connection_death dx_connection_look(struct dx_connection *connection)
{
	int death = atomic_load_explicit(&connection->death, memory_order_relaxed);

	if (death == DX_CONNECTION_ALIVE && dx_mux_is_hung_up(connection->mux)) {
		find_cause(connection);
		death = atomic_load_explicit(&connection->death, memory_order_relaxed);
	}
	return (enum dx_connection_death)death;
}

bool dx_connection_pump(struct dx_connection *connection)
{
	/* The read that finds nothing more; those that find something are wake-ups. */
	dx_statistics_add(&connection->statistics.port_calls, 1);
	if (dx_mux_pump(connection->mux) == 0) {
		return true;
	}
	find_cause(connection);
	return false;
}
