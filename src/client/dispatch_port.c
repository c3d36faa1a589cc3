/* SPDX-License-Identifier: MIT
 *
 * dispatch_port - a notification port that delivers on a dispatch queue. See dispatch_port.h.
 */
#include "client/dispatch_port.h"

#include <poll.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "base/helper.h"
#include "base/object.h"
#include "client/port.h"

struct dx_port_feeder {
	struct dx_object object;         /* held by the port and by the thread */
	struct IONotificationPort *port; /* counted */
	dispatch_queue_t queue;          /* counted */
	atomic_bool stopped;
};

static void feeder_free(struct dx_object *object)
{
	struct dx_port_feeder *feeder = (void *)object;

	dispatch_release(feeder->queue);
	(void)dx_object_unref(feeder->port); /* always NULL */
}

static const struct dx_class feeder_class = {
	.name = "feeder of a dispatch queue",
	.instance_size = sizeof(struct dx_port_feeder),
	.free = feeder_free,
};

/* Pairs with the store of dx_port_feeder_stop(). */
static bool is_stopped(struct dx_port_feeder *feeder)
{
	return atomic_load_explicit(&feeder->stopped, memory_order_acquire);
}

/* On the queue. */
static void deliver(void *context)
{
	struct dx_port_feeder *feeder = context;

	if (!is_stopped(feeder)) {
		(void)dx_port_deliver(feeder->port); /* the number of callbacks */
	}
}

static void *feed(void *argument)
{
	struct dx_port_feeder *feeder = argument;
	struct pollfd ready = {.fd = dx_port_descriptor(feeder->port), .events = POLLIN};

	while (!is_stopped(feeder)) {
		if (!dx_port_arm(feeder->port)) {
			(void)poll(&ready, 1, -1); /* EINTR: it is looked at all the same */
		}
		if (!is_stopped(feeder)) {
			dispatch_sync_f(feeder->queue, feeder, deliver);
		}
	}
	(void)dx_object_unref(feeder); /* always NULL */
	return NULL;
}

static struct dx_port_feeder *feeder_new(struct IONotificationPort *port, dispatch_queue_t queue)
{
	struct dx_port_feeder *feeder = dx_object_new(&feeder_class);

	if (feeder != NULL) {
		dispatch_retain(queue);
		feeder->queue = queue;
		feeder->port = dx_object_ref(port);
	}
	return feeder;
}

void dx_port_feeder_stop(struct dx_port_feeder *feeder)
{
	if (feeder != NULL) {
		atomic_store_explicit(&feeder->stopped, true, memory_order_release);
	}
}

/* The port knows its feeder before the first callback, which may destroy the port. */
static void feed_queue(struct IONotificationPort *port, dispatch_queue_t queue)
{
	struct dx_port_feeder *feeder = feeder_new(port, queue);

	if (feeder == NULL) {
		return;
	}
	(void)dx_object_ref(feeder); /* the port's; this function keeps its own */
	if (!dx_port_set_feeder(port, feeder)) {
		(void)dx_object_unref(feeder); /* nobody took it */
	} else if (dx_helper_start(feed, dx_object_ref(feeder), 0, NULL) < 0) {
		(void)dx_object_unref(feeder); /* the thread's */
		(void)dx_port_set_feeder(port, NULL);
	}
	(void)dx_object_unref(feeder); /* always NULL */
}

void IONotificationPortSetDispatchQueue(IONotificationPortRef notify, dispatch_queue_t queue)
{
	struct IONotificationPort *port = dx_object_ref(notify); /* a callback may destroy it */

	if (port == NULL) {
		return;
	}
	(void)dx_port_set_feeder(port, NULL); /* the old one first, so that two never deliver */
	if (queue != NULL) {
		feed_queue(port, queue);
	}
	(void)dx_object_unref(port); /* always NULL */
}
