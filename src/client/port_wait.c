/* SPDX-License-Identifier: MIT
 *
 * port_wait - a thread of the program waits for what comes to a port, without a run loop.
 *
 * Place:   client, over port.c.
 */
#include <errno.h>

#include <opendext/client.h>

#include "base/clock.h"
#include "client/connection.h"
#include "client/port.h"

static uint64_t deadline_after(int timeout_ms)
{
	return timeout_ms < 0 ? UINT64_MAX
			      : dx_clock_now_ns() + (uint64_t)timeout_ms * UINT64_C(1000000);
}

/* Milliseconds left for epoll_wait, rounded up; -1: for ever. */
static int left_ms(uint64_t deadline_ns)
{
	uint64_t now = dx_clock_now_ns();

	if (deadline_ns == UINT64_MAX) {
		return -1;
	}
	return deadline_ns <= now ? 0 : (int)((deadline_ns - now + 999999) / 1000000);
}

/* Ports that nobody else arms stay armed between two dispatches. */
static bool must_stay_armed(struct IONotificationPort *port)
{
	dx_mutex_lock(&port->lock);
	bool armed = port->external && !port->destroyed;
	for (uint32_t i = 0; i < port->nr_connections && !armed; i++) {
		armed = atomic_load_explicit(&port->connections[i]->nr_ports,
					     memory_order_relaxed) > 1;
	}
	dx_mutex_unlock(&port->lock);
	return armed;
}

static bool is_destroyed(struct IONotificationPort *port)
{
	dx_mutex_lock(&port->lock);
	bool destroyed = port->destroyed;
	dx_mutex_unlock(&port->lock);
	return destroyed;
}

/* @return false when there is no time left, or nothing can come any more. */
static bool wait_for_more(struct IONotificationPort *port, uint64_t deadline_ns)
{
	if (is_destroyed(port) || left_ms(deadline_ns) == 0) {
		return false;
	}
	if (!dx_port_spin(port) && !dx_port_arm(port)) {
		dx_port_wait_events(port, left_ms(deadline_ns));
		dx_port_disarm(port); /* the sockets have just been looked at */
	}
	return true;
}

static void end_wait(struct IONotificationPort *port)
{
	if (must_stay_armed(port)) {
		dx_port_arm_external(port);
	}
}

static unsigned nr_closed_of(struct IONotificationPort *port)
{
	return atomic_load_explicit(&port->nr_closed, memory_order_relaxed); /* a count, no order */
}

int IONotificationPortDispatch(IONotificationPortRef notify, int timeout_ms)
{
	struct IONotificationPort *port = dx_object_ref(notify); /* a callback may destroy it */

	if (port == NULL) {
		return -1;
	}
	uint64_t deadline_ns = deadline_after(timeout_ms);
	unsigned nr_callbacks = dx_port_deliver(port);
	unsigned nr_closed = nr_closed_of(port); /* what was closed before does not count */
	/* What came before the end of a connection goes first. */
	while (nr_callbacks == 0 && !dx_port_take_loss(port) &&
	       nr_closed_of(port) == nr_closed && wait_for_more(port, deadline_ns)) {
		nr_callbacks = dx_port_deliver(port);
	}
	end_wait(port);
	(void)dx_object_unref(port); /* always NULL */
	return (int)nr_callbacks;
}

int dx_port_take(struct IONotificationPort *port, int timeout_ms, struct dx_delivery *ret_delivery)
{
	uint64_t deadline_ns = deadline_after(timeout_ms);
	bool more = true;

	dx_port_collect(port);
	bool taken = dx_port_pop(port, ret_delivery);
	bool lost = !taken && dx_port_take_loss(port);
	while (!taken && !lost && more) {
		more = wait_for_more(port, deadline_ns);
		dx_port_collect(port);
		taken = dx_port_pop(port, ret_delivery);
		lost = !taken && dx_port_take_loss(port);
	}
	end_wait(port);
	if (taken) {
		return 0;
	}
	return lost ? -ECONNRESET : is_destroyed(port) ? -ESHUTDOWN : -ETIMEDOUT;
}
