/* SPDX-License-Identifier: MIT
 *
 * port - notification ports: callbacks wait here until a thread of the program delivers them.
 *
 * Place:      client. Filled by notify.c (services) and connection.c (completions); emptied by a
 *             run loop or by IONotificationPortDispatch().
 * Invariants:
 *   P1  deliveries of one port are made in the order in which they were queued, one at a time.
 *   P2  before the program sleeps on the port's descriptor the port was armed: whatever is queued
 *       or happens afterwards makes the descriptor readable. While it is not armed, no system call
 *       is made for it.
 *   P3  after destruction nothing is delivered and nothing is queued.
 *   P4  at most DX_MAX_NOTIFY_BACKLOG deliveries wait; the ring of a connection whose completions
 *       find no room stays full, which is the driver's back-pressure.
 * Threads:    one delivers; any may queue, arm, attach.
 */
#ifndef DX_CLIENT_PORT_H
#define DX_CLIENT_PORT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <IOKit/IOKitLib.h>

#include "base/limits.h"
#include "base/mutex.h"
#include "client/names.h"

struct dx_connection;
struct dx_notice;
struct dx_port_feeder;
struct dx_watch;

/* One callback to be made. */
struct dx_delivery {
	/* Makes the callback. @return how many callbacks of the program were made, 0 or 1. */
	unsigned (*deliver)(struct dx_delivery *delivery);
	/* Describes it for a program that takes messages (message.h); NULL: there is no message. */
	void (*tell)(const struct dx_delivery *delivery, struct dx_notice *ret_notice);
	void *object; /* counted; the subscription, or the further words of the call, or NULL */
	uint64_t function;
	uint64_t refcon;
	int32_t result;	   /* completion; interest: message type */
	uint32_t nr_args;
	uint64_t args[DX_MAX_ASYNC_ARGUMENTS];
};

struct IONotificationPort {
	struct dx_object object;
	uint32_t name;
	int epoll_fd; /* what the program waits on: wake_fd, the broker, control sockets */
	int wake_fd;  /* eventfd */
	struct dx_mutex lock; /* order 60; guards: all below */
	struct dx_delivery *queue DX_GUARDED_BY(lock); /* ring */
	uint32_t queue_size DX_GUARDED_BY(lock);
	uint32_t queue_head DX_GUARDED_BY(lock);
	uint32_t queue_count DX_GUARDED_BY(lock);
	bool armed DX_GUARDED_BY(lock);
	bool woken DX_GUARDED_BY(lock);	     /* wake_fd is readable already */
	bool external DX_GUARDED_BY(lock);   /* the program polls the descriptor itself */
	bool destroyed DX_GUARDED_BY(lock);
	bool ends_with_name; /* of IOCreateReceivePort(): set before anybody knows the port */
	struct dx_connection **connections DX_GUARDED_BY(lock); /* counted */
	uint32_t nr_connections DX_GUARDED_BY(lock);
	uint32_t nr_places DX_GUARDED_BY(lock);
	bool has_lost DX_GUARDED_BY(lock); /* a connection ended, and nobody was told yet */
	CFRunLoopSourceRef source DX_GUARDED_BY(lock);
	struct dx_port_feeder *feeder DX_GUARDED_BY(lock); /* counted */
	uint32_t rounds; /* of the thread that delivers */
};

extern const struct dx_named_class dx_port_class;

/* Queues a delivery, whose object is taken over. @return 0; -EAGAIN no room; -ESHUTDOWN destroyed;
 * -ENOMEM. On failure the object stays the caller's. */
int dx_port_push(struct IONotificationPort *port, const struct dx_delivery *delivery);
bool dx_port_has_room(struct IONotificationPort *port);
/* Completions of this connection may come to this port. @return 0; -ESHUTDOWN; -ENOMEM; errno of
 * epoll_ctl. */
int dx_port_attach(struct IONotificationPort *port, struct dx_connection *connection);
/* Events of the broker may come to this port. */
int dx_port_attach_session(struct IONotificationPort *port);

/* Replaces what delivers on a dispatch queue. feeder may be NULL, else it is taken over. @return
 * false when the port is destroyed: feeder stays the caller's. */
bool dx_port_set_feeder(struct IONotificationPort *port, struct dx_port_feeder *feeder);

/* Waits for the next delivery and takes it; its object becomes the caller's. -1: no time limit.
 * @return 0; -ETIMEDOUT; -ESHUTDOWN destroyed. */
int dx_port_take(struct IONotificationPort *port, int timeout_ms, struct dx_delivery *ret_delivery);
/* Puts back what was taken last. @return as dx_port_push(). */
int dx_port_put_back(struct IONotificationPort *port, const struct dx_delivery *delivery);
/* A port that is destroyed when the last reference on its name goes. @return 0; -ENOMEM; errno of the
 * descriptors. */
int dx_port_new_receive(uint32_t *ret_name);

/* Private to port.c and port_wait.c. */

/* Brings in what is there, without waiting. */
void dx_port_collect(struct IONotificationPort *port);
/* The first one, whose object becomes the caller's. @return false when there is none. */
bool dx_port_pop(struct IONotificationPort *port, struct dx_delivery *ret_delivery);
/* Waits for the descriptors behind the port and does what they are about. */
void dx_port_wait_events(struct IONotificationPort *port, int timeout_ms);
/* Notifications need not wake anybody any more: this thread looks. */
void dx_port_disarm(struct IONotificationPort *port);
/* Whether a connection has ended since the last time somebody asked. */
bool dx_port_take_loss(struct IONotificationPort *port);
/* For a program that polls: whatever is there makes the descriptor readable. */
void dx_port_arm_external(struct IONotificationPort *port);

/* The four functions of a run loop source. */
int dx_port_descriptor(void *port);
unsigned dx_port_deliver(void *port);
bool dx_port_spin(void *port);
bool dx_port_arm(void *port);

#endif
