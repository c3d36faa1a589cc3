/* SPDX-License-Identifier: MIT
 *
 * port - see port.h.
 */
#include "client/port.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <opendext/client.h>

#include "base/cleanup.h"
#include "client/connection.h"
#include "client/dispatch_port.h"
#include "client/runloop.h"
#include "client/session.h"

#define FIRST_QUEUE	32u
#define MAX_PER_ROUND	64u /* deliveries before other sources of a run loop get their turn */
#define ROUNDS_PER_POLL 64u /* rounds without sleep before the sockets are looked at */
#define NR_EVENTS	16

/* What an epoll event is about: one of these, or a connection's address. */
#define ABOUT_WAKE    1u
#define ABOUT_SESSION 2u

static void drop_queue(struct dx_delivery *queue, uint32_t size, uint32_t head, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		(void)dx_object_unref(queue[(head + i) % size].object); /* always NULL */
	}
	free(queue);
}

static void port_free(struct dx_object *object)
{
	struct IONotificationPort *port = (void *)object;

	dx_fd_close(&port->epoll_fd);
	dx_fd_close(&port->wake_fd);
	dx_mutex_fini(&port->lock);
}

int dx_port_watch_fd(const struct IONotificationPort *port, int fd, uint64_t about)
{
	struct epoll_event event = {.events = EPOLLIN | EPOLLRDHUP, .data.u64 = about};

	return epoll_ctl(port->epoll_fd, EPOLL_CTL_ADD, fd, &event) == 0 ? 0 : -errno;
}

void dx_port_wake_locked(struct IONotificationPort *port)
{
	uint64_t one = 1;

	if (!port->woken) {
		port->woken = true;
		(void)!write(port->wake_fd, &one, sizeof(one)); /* ours alone, never full */
	}
}

static int grow_locked(struct IONotificationPort *port) DX_REQUIRES(port->lock)
{
	uint32_t size = port->queue_size == 0 ? FIRST_QUEUE : port->queue_size * 2;

	struct dx_delivery *queue = malloc(size * sizeof(*queue));
	if (queue == NULL) {
		return -ENOMEM;
	}
	for (uint32_t i = 0; i < port->queue_count; i++) {
		queue[i] = port->queue[(port->queue_head + i) % port->queue_size];
	}
	free(port->queue);
	port->queue = queue;
	port->queue_size = size;
	port->queue_head = 0;
	return 0;
}

static int make_room_locked(struct IONotificationPort *port, uint32_t limit)
	DX_REQUIRES(port->lock)
{
	if (port->destroyed) {
		return -ESHUTDOWN;
	}
	if (port->queue_count >= limit) {
		return -EAGAIN;
	}
	return port->queue_count == port->queue_size ? grow_locked(port) : 0;
}

/* Fills a place of the ring, for which there is room. */
static void put_locked(struct IONotificationPort *port, uint32_t index,
		       const struct dx_delivery *delivery) DX_REQUIRES(port->lock)
{
	memcpy(&port->queue[index], delivery,
	       offsetof(struct dx_delivery, args[delivery->nr_args]));
	port->queue_count += 1;
	if (port->armed) {
		dx_port_wake_locked(port);
	}
}

static int push_limited(struct IONotificationPort *port, const struct dx_delivery *delivery,
			uint32_t limit)
{
	dx_mutex_lock(&port->lock);
	int error = make_room_locked(port, limit);
	if (error == 0) {
		put_locked(port, (port->queue_head + port->queue_count) % port->queue_size,
			   delivery);
	}
	dx_mutex_unlock(&port->lock);
	return error;
}

int dx_port_push(struct IONotificationPort *port, const struct dx_delivery *delivery)
{
	return push_limited(port, delivery, DX_MAX_NOTIFY_BACKLOG);
}

int dx_port_push_last(struct IONotificationPort *port, const struct dx_delivery *delivery)
{
	return push_limited(port, delivery, UINT32_MAX);
}

int dx_port_put_back(struct IONotificationPort *port, const struct dx_delivery *delivery)
{
	dx_mutex_lock(&port->lock);
	int error = make_room_locked(port, UINT32_MAX); /* it had its place */
	if (error == 0) {
		port->queue_head = (port->queue_head + port->queue_size - 1) % port->queue_size;
		put_locked(port, port->queue_head, delivery);
	}
	dx_mutex_unlock(&port->lock);
	return error;
}

bool dx_port_has_room(struct IONotificationPort *port)
{
	dx_mutex_lock(&port->lock);
	bool room = port->queue_count < DX_MAX_NOTIFY_BACKLOG || port->destroyed;
	dx_mutex_unlock(&port->lock);
	return room;
}

int dx_port_attach_session(struct IONotificationPort *port)
{
	int fd = dx_session_descriptor();
	int error = fd < 0 ? fd : dx_port_watch_fd(port, fd, ABOUT_SESSION);

	return error == -EEXIST ? 0 : error;
}

/* For IOConnectGetStatistics(). */
static void count_call(struct IONotificationPort *port)
{
	dx_mutex_lock(&port->lock);
	for (uint32_t i = 0; i < port->nr_connections; i++) {
		dx_statistics_add(&port->connections[i]->statistics.port_calls, 1);
	}
	dx_mutex_unlock(&port->lock);
}

static void reset_wake(struct IONotificationPort *port)
{
	uint64_t count = 0;

	dx_mutex_lock(&port->lock);
	(void)!read(port->wake_fd, &count, sizeof(count)); /* non-blocking, resets the counter */
	port->woken = false;
	dx_mutex_unlock(&port->lock);
}

static void handle_event(struct IONotificationPort *port, uint64_t about)
{
	if (about == ABOUT_WAKE) {
		count_call(port);
		reset_wake(port);
	} else if (about == ABOUT_SESSION) {
		dx_session_pump();
	} else {
		dx_port_look_at_connection(port, about);
	}
}

void dx_port_wait_events(struct IONotificationPort *port, int timeout_ms)
{
	struct epoll_event events[NR_EVENTS];
	int count = epoll_wait(port->epoll_fd, events, NR_EVENTS, timeout_ms);

	count_call(port);
	for (int i = 0; i < count; i++) {
		handle_event(port, events[i].data.u64);
	}
}

void dx_port_disarm(struct IONotificationPort *port)
{
	struct dx_connection *connection = NULL;

	dx_mutex_lock(&port->lock);
	port->armed = false;
	dx_mutex_unlock(&port->lock);
	for (uint32_t i = 0; (connection = dx_port_connection_at(port, i)) != NULL; i++) {
		/* Another port may sleep on the same connection; then it stays armed. */
		if (atomic_load_explicit(&connection->nr_ports, memory_order_relaxed) == 1) {
			dx_connection_disarm(connection);
		}
		(void)dx_object_unref(connection); /* always NULL */
	}
}

bool dx_port_pop(struct IONotificationPort *port, struct dx_delivery *ret_delivery)
{
	dx_mutex_lock(&port->lock);
	bool any = port->queue_count > 0 && !port->destroyed;
	if (any) {
		const struct dx_delivery *first = &port->queue[port->queue_head];

		memcpy(ret_delivery, first, offsetof(struct dx_delivery, args[first->nr_args]));
		port->queue_head = (port->queue_head + 1) % port->queue_size;
		port->queue_count -= 1;
	}
	dx_mutex_unlock(&port->lock);
	return any;
}

static bool is_armed(struct IONotificationPort *port)
{
	dx_mutex_lock(&port->lock);
	bool armed = port->armed;
	dx_mutex_unlock(&port->lock);
	return armed;
}

void dx_port_collect(struct IONotificationPort *port)
{
	port->rounds += 1;
	if (is_armed(port)) {
		dx_port_disarm(port);
		dx_port_wait_events(port, 0);
	} else if (port->rounds % ROUNDS_PER_POLL == 0) {
		dx_port_wait_events(port, 0);
	}
	dx_port_drain_connections(port);
}

unsigned dx_port_deliver(void *context)
{
	struct IONotificationPort *port = context;
	struct dx_delivery delivery;
	unsigned nr_callbacks = 0;

	dx_port_collect(port);
	for (unsigned i = 0; i < MAX_PER_ROUND && dx_port_pop(port, &delivery); i++) {
		nr_callbacks += delivery.deliver(&delivery);
		(void)dx_object_unref(delivery.object); /* always NULL */
	}
	return nr_callbacks;
}

bool dx_port_spin(void *context)
{
	struct IONotificationPort *port = context;

	dx_mutex_lock(&port->lock);
	bool ready = port->queue_count > 0;
	bool alone = port->nr_connections == 1;
	dx_mutex_unlock(&port->lock);
	struct dx_connection *connection = ready || !alone ? NULL : dx_port_connection_at(port, 0);
	if (connection != NULL) {
		ready = dx_connection_spin(connection);
	}
	(void)dx_object_unref(connection); /* always NULL */
	return ready;
}

bool dx_port_arm(void *context)
{
	struct IONotificationPort *port = context;
	struct dx_connection *connection = NULL;

	dx_mutex_lock(&port->lock);
	port->armed = true;
	bool ready = port->queue_count > 0 && !port->destroyed;
	dx_mutex_unlock(&port->lock);
	for (uint32_t i = 0; !ready && (connection = dx_port_connection_at(port, i)) != NULL; i++) {
		ready = dx_connection_arm(connection);
		(void)dx_object_unref(connection); /* always NULL */
	}
	return ready;
}

int dx_port_descriptor(void *context)
{
	return ((struct IONotificationPort *)context)->epoll_fd;
}

/* The end of a connection counts as handled, so that a run for one source returns. */
static unsigned deliver_in_loop(void *context)
{
	unsigned nr_callbacks = dx_port_deliver(context);

	return nr_callbacks + (dx_port_take_loss(context) ? 1 : 0);
}

static const struct dx_run_loop_port run_loop_functions = {
	.descriptor = dx_port_descriptor,
	.deliver = deliver_in_loop,
	.spin = dx_port_spin,
	.arm = dx_port_arm,
	.is_over = dx_port_is_over,
};

bool dx_port_set_feeder(struct IONotificationPort *port, struct dx_port_feeder *feeder)
{
	dx_mutex_lock(&port->lock);
	bool refused = port->destroyed && feeder != NULL;
	struct dx_port_feeder *old = refused ? NULL : port->feeder;
	if (!refused) {
		port->feeder = feeder;
	}
	dx_port_feeder_stop(old);
	if (old != NULL) {
		dx_port_wake_locked(port); /* so that its thread looks */
	}
	dx_mutex_unlock(&port->lock);
	(void)dx_object_unref(old); /* always NULL */
	return !refused;
}

/* --- public ------------------------------------------------------------------------------- */

static int open_descriptors(struct IONotificationPort *port)
{
	port->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	port->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (port->epoll_fd < 0 || port->wake_fd < 0) {
		return -errno;
	}
	return dx_port_watch_fd(port, port->wake_fd, ABOUT_WAKE);
}

/* P3 */
static void destroy(struct IONotificationPort *port)
{
	struct dx_connection *connection = NULL;

	dx_mutex_lock(&port->lock);
	struct dx_delivery *queue = port->queue;
	uint32_t size = port->queue_size;
	uint32_t head = port->queue_head;
	uint32_t count = port->queue_count;
	CFRunLoopSourceRef source = port->source;
	port->destroyed = true;
	port->queue = NULL;
	port->queue_size = 0;
	port->queue_count = 0;
	port->source = NULL;
	dx_mutex_unlock(&port->lock);
	dx_port_set_feeder(port, NULL); /* from now on it takes none */
	drop_queue(queue, size, head, count);
	if (source != NULL) {
		CFRunLoopSourceInvalidate(source);
		CFRelease(source);
	}
	while ((connection = dx_port_connection_at(port, 0)) != NULL) {
		dx_port_detach(port, connection);
		(void)dx_object_unref(connection); /* always NULL */
	}
	dx_mutex_lock(&port->lock);
	free(port->connections);
	port->connections = NULL;
	port->nr_places = 0;
	dx_port_wake_locked(port); /* who waits in dx_port_take() */
	dx_mutex_unlock(&port->lock);
}

static void dropped(void *object)
{
	struct IONotificationPort *port = object;

	if (port->ends_with_name) {
		destroy(port);
	}
}

const struct dx_named_class dx_port_class = {
	.class = {
		.name = "notification port",
		.instance_size = sizeof(struct IONotificationPort),
		.free = port_free,
	},
	.dropped = dropped,
};

static int new_port(bool ends_with_name, struct IONotificationPort **ret_port)
{
	struct IONotificationPort *port = dx_object_new(&dx_port_class.class);

	if (port == NULL) {
		return -ENOMEM;
	}
	dx_mutex_init(&port->lock);
	dx_list_init(&port->endings);
	port->epoll_fd = -1;
	port->wake_fd = -1;
	port->ends_with_name = ends_with_name;
	int error = open_descriptors(port);
	if (error == 0) {
		error = dx_names_add(port, &port->name);
	}
	if (error < 0) {
		(void)dx_object_unref(port); /* always NULL */
		return error;
	}
	*ret_port = port;
	return 0;
}

IONotificationPortRef IONotificationPortCreate(mach_port_t mainPort)
{
	struct IONotificationPort *port = NULL;

	if (mainPort == MACH_PORT_NULL || mainPort == DX_NAME_MAIN_PORT) {
		(void)new_port(false, &port); /* NULL says it */
	}
	return port;
}

int dx_port_new_receive(uint32_t *ret_name)
{
	struct IONotificationPort *port = NULL;
	int error = new_port(true, &port);

	if (error == 0) {
		*ret_name = port->name;
		(void)dx_object_unref(port); /* always NULL; the name holds it */
	}
	return error;
}

void IONotificationPortDestroy(IONotificationPortRef notify)
{
	if (notify == NULL) {
		return;
	}
	destroy(notify);
	(void)dx_names_release(notify->name); /* the program may have given it back already */
	(void)dx_object_unref(notify); /* always NULL */
	dx_session_settle();
}

CFRunLoopSourceRef IONotificationPortGetRunLoopSource(IONotificationPortRef notify)
{
	if (notify == NULL) {
		return NULL;
	}
	dx_mutex_lock(&notify->lock);
	CFRunLoopSourceRef source = notify->source;
	dx_mutex_unlock(&notify->lock);
	if (source != NULL) {
		return source;
	}
	CFRunLoopSourceRef made = dx_run_loop_source_new_port(&run_loop_functions, notify);
	dx_mutex_lock(&notify->lock);
	if (notify->source == NULL && !notify->destroyed) {
		notify->source = made;
		made = NULL;
	}
	source = notify->source;
	dx_mutex_unlock(&notify->lock);
	if (made != NULL) {
		CFRunLoopSourceInvalidate(made);
		CFRelease(made);
	}
	return source;
}

mach_port_t IONotificationPortGetMachPort(IONotificationPortRef notify)
{
	return notify == NULL ? MACH_PORT_NULL : notify->name;
}

kern_return_t IONotificationPortSetImportanceReceiver(IONotificationPortRef notify)
{
	return notify == NULL ? kIOReturnBadArgument : kIOReturnSuccess;
}

void dx_port_arm_external(struct IONotificationPort *port)
{
	if (dx_port_arm(port)) {
		dx_mutex_lock(&port->lock);
		dx_port_wake_locked(port);
		dx_mutex_unlock(&port->lock);
	}
}

int IONotificationPortGetFileDescriptor(IONotificationPortRef notify)
{
	if (notify == NULL) {
		return -1;
	}
	dx_mutex_lock(&notify->lock);
	bool first = !notify->external;
	notify->external = true;
	dx_mutex_unlock(&notify->lock);
	if (first) {
		dx_port_arm_external(notify);
	}
	return notify->epoll_fd;
}
