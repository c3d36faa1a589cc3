/* SPDX-License-Identifier: MIT
 *
 * port_connections - which connections send their completions to a port, and what their ends do.
 *
 * Place:   client, part of port.h.
 * Ends:    a connection that the program closes leaves quietly. One that the driver ends (its process
 *          died, its device was unplugged, its user client was terminated, it cut the application off)
 *          is told of: to who asked (struct dx_port_ending), behind everything that came before the
 *          end; else to who waits, once (dx_port_take_loss()).
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>

#include "client/connection.h"
#include "client/port.h"

/* @return whether it is attached already. */
static bool is_attached_locked(struct IONotificationPort *port,
			       const struct dx_connection *connection) DX_REQUIRES(port->lock)
{
	for (uint32_t i = 0; i < port->nr_connections; i++) {
		if (port->connections[i] == connection) {
			return true;
		}
	}
	return false;
}

static int make_place_locked(struct IONotificationPort *port) DX_REQUIRES(port->lock)
{
	if (port->nr_connections < port->nr_places) {
		return 0;
	}
	uint32_t places = port->nr_places == 0 ? 4 : port->nr_places * 2;
	struct dx_connection **connections =
		reallocarray(port->connections, places, sizeof(*connections));
	if (connections == NULL) {
		return -ENOMEM;
	}
	port->connections = connections;
	port->nr_places = places;
	return 0;
}

static int attach_locked(struct IONotificationPort *port, struct dx_connection *connection)
	DX_REQUIRES(port->lock)
{
	if (is_attached_locked(port, connection)) {
		return 0;
	}
	if (port->destroyed) {
		return -ESHUTDOWN;
	}
	int error = make_place_locked(port);
	if (error == 0) {
		/* One that has ended already is readable at once. */
		error = dx_port_watch_fd(port, connection->mux->socket, (uintptr_t)connection);
	}
	if (error < 0) {
		return error;
	}
	port->connections[port->nr_connections++] = dx_object_ref(connection);
	port->orphaned = false;
	atomic_fetch_add_explicit(&connection->nr_ports, 1, memory_order_relaxed);
	if (port->armed) {
		dx_port_wake_locked(port); /* so that the new connection is armed too */
	}
	return 0;
}

int dx_port_attach(struct IONotificationPort *port, struct dx_connection *connection)
{
	dx_mutex_lock(&port->lock);
	int error = attach_locked(port, connection);
	dx_mutex_unlock(&port->lock);
	return error;
}

int dx_port_add_ending(struct IONotificationPort *port, struct dx_connection *connection,
		       struct dx_port_ending *ending)
{
	dx_mutex_lock(&port->lock);
	int error = attach_locked(port, connection);
	if (error == 0) {
		ending->connection = connection;
		dx_list_push_back(&port->endings, &ending->node);
	}
	dx_mutex_unlock(&port->lock);
	return error;
}

void dx_port_remove_ending(struct IONotificationPort *port, struct dx_port_ending *ending)
{
	dx_mutex_lock(&port->lock);
	dx_list_remove(&ending->node);
	dx_mutex_unlock(&port->lock);
}

struct dx_connection *dx_port_connection_at(struct IONotificationPort *port, uint32_t index)
{
	dx_mutex_lock(&port->lock);
	struct dx_connection *connection =
		index < port->nr_connections ? dx_object_ref(port->connections[index]) : NULL;
	dx_mutex_unlock(&port->lock);
	return connection;
}

/* Whether a connection is still attached, as the same epoll round may have detached it. */
static struct dx_connection *attached(struct IONotificationPort *port, uint64_t about)
{
	struct dx_connection *found = NULL;

	dx_mutex_lock(&port->lock);
	for (uint32_t i = 0; i < port->nr_connections; i++) {
		if ((uintptr_t)port->connections[i] == about) {
			found = dx_object_ref(port->connections[i]);
		}
	}
	dx_mutex_unlock(&port->lock);
	return found;
}

/* The next one who asked for the end of that connection, with a reference on its object. */
static struct dx_port_ending *take_ending_locked(struct IONotificationPort *port,
						 const struct dx_connection *connection)
	DX_REQUIRES(port->lock)
{
	dx_list_for_each(node, &port->endings) {
		struct dx_port_ending *ending = dx_list_entry(node, struct dx_port_ending, node);

		if (ending->connection == connection) {
			dx_list_remove(&ending->node);
			(void)dx_object_ref(ending->object);
			return ending;
		}
	}
	return NULL;
}

static struct dx_port_ending *take_ending(struct IONotificationPort *port,
					  const struct dx_connection *connection)
{
	dx_mutex_lock(&port->lock);
	struct dx_port_ending *ending = take_ending_locked(port, connection);
	dx_mutex_unlock(&port->lock);
	return ending;
}

/* Who asked is queued, in the order of asking. @return whether there was anybody. */
static bool tell_end(struct IONotificationPort *port, const struct dx_connection *connection)
{
	struct dx_port_ending *ending = NULL;
	bool any = false;

	while ((ending = take_ending(port, connection)) != NULL) {
		void *object = ending->object;

		ending->ended(object);
		(void)dx_object_unref(object); /* always NULL; the subscription may go with it */
		any = true;
	}
	return any;
}

/* @return whether it was there; its reference is the caller's then. */
static bool remove_locked(struct IONotificationPort *port, const struct dx_connection *connection)
	DX_REQUIRES(port->lock)
{
	for (uint32_t i = 0; i < port->nr_connections; i++) {
		if (port->connections[i] == connection) {
			port->connections[i] = port->connections[--port->nr_connections];
			(void)epoll_ctl(port->epoll_fd, EPOLL_CTL_DEL, connection->mux->socket, NULL);
			return true;
		}
	}
	return false;
}

/* Gives up what the port had of a connection that was taken out of its list. */
static void release(struct dx_connection *connection)
{
	atomic_fetch_sub_explicit(&connection->nr_ports, 1, memory_order_relaxed);
	(void)dx_object_unref(connection); /* always NULL */
}

void dx_port_detach(struct IONotificationPort *port, struct dx_connection *connection)
{
	struct dx_port_ending *ending = NULL;

	dx_mutex_lock(&port->lock);
	bool found = remove_locked(port, connection);
	dx_mutex_unlock(&port->lock);
	while ((ending = take_ending(port, connection)) != NULL) {
		(void)dx_object_unref(ending->object); /* always NULL; it closed it, it knows */
	}
	if (found) {
		atomic_fetch_add_explicit(&port->nr_closed, 1, memory_order_relaxed); /* a count */
		release(connection);
	}
}

/* The other side has ended this connection: what is outstanding never comes. */
static void lose(struct IONotificationPort *port, struct dx_connection *connection)
{
	dx_connection_drain_rest(connection); /* what came before the end */
	/* Out of the list first: who asks from now on attaches it again, and is told of that. */
	dx_mutex_lock(&port->lock);
	bool found = remove_locked(port, connection);
	port->orphaned |= found && port->nr_connections == 0;
	dx_mutex_unlock(&port->lock);
	bool is_told = tell_end(port, connection);
	dx_mutex_lock(&port->lock);
	port->has_lost |= found && !is_told;
	dx_mutex_unlock(&port->lock);
	if (found) {
		release(connection);
	}
}

static bool is_closed(struct dx_connection *connection)
{
	return atomic_load_explicit(&connection->closed, memory_order_relaxed);
}

void dx_port_look_at_connection(struct IONotificationPort *port, uint64_t about)
{
	struct dx_connection *connection = attached(port, about);

	if (connection != NULL && !dx_connection_pump(connection)) {
		if (is_closed(connection)) {
			dx_port_detach(port, connection);
		} else {
			lose(port, connection);
		}
	}
	(void)dx_object_unref(connection); /* always NULL */
}

void dx_port_drain_connections(struct IONotificationPort *port)
{
	struct dx_connection *connection = NULL;

	for (uint32_t i = 0; (connection = dx_port_connection_at(port, i)) != NULL; i++) {
		(void)dx_connection_drain(connection);
		if (is_closed(connection)) {
			dx_port_detach(port, connection);
		}
		(void)dx_object_unref(connection); /* always NULL */
	}
}

bool dx_port_take_loss(struct IONotificationPort *port)
{
	dx_mutex_lock(&port->lock);
	bool has_lost = port->has_lost;
	port->has_lost = false;
	dx_mutex_unlock(&port->lock);
	return has_lost;
}

void dx_port_add_watch(struct IONotificationPort *port)
{
	dx_mutex_lock(&port->lock);
	port->nr_watches += 1;
	dx_mutex_unlock(&port->lock);
}

void dx_port_remove_watch(struct IONotificationPort *port)
{
	dx_mutex_lock(&port->lock);
	port->nr_watches -= 1;
	if (port->armed && port->orphaned) {
		dx_port_wake_locked(port); /* a run loop may have nothing left to wait for */
	}
	dx_mutex_unlock(&port->lock);
}

bool dx_port_is_over(void *context)
{
	struct IONotificationPort *port = context;

	dx_mutex_lock(&port->lock);
	bool is_over = port->orphaned && port->queue_count == 0 && port->nr_watches == 0;
	dx_mutex_unlock(&port->lock);
	return is_over;
}
