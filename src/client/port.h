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
 *   P4  at most DX_MAX_NOTIFY_BACKLOG deliveries wait, and what the rings of connections held when
 *       their drivers ended them; the ring of a connection whose completions find no room stays full,
 *       which is the driver's back-pressure.
 *   P5  the end of a connection by its driver is told once: to each dx_port_ending, or to who waits.
 * Threads:    one delivers; any may queue, arm, attach.
 */
#ifndef DX_CLIENT_PORT_H
#define DX_CLIENT_PORT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <IOKit/IOKitLib.h>

#include "base/limits.h"
#include "base/list.h"
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

/* Somebody wants to hear of the end of a connection; part of a counted object. */
struct dx_port_ending {
	struct dx_list node;		  /* the port's, which does not hold the object */
	struct dx_connection *connection; /* only compared */
	void *object;
	/* Queues the message. Called once, without locks, with a reference on object. */
	void (*ended)(void *object);
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
	struct dx_list endings DX_GUARDED_BY(lock);
	uint32_t nr_watches DX_GUARDED_BY(lock); /* subscriptions at the broker */
	bool has_lost DX_GUARDED_BY(lock); /* a connection ended, and nobody was told yet */
	bool orphaned DX_GUARDED_BY(lock); /* the last connection was ended by its driver */
	CFRunLoopSourceRef source DX_GUARDED_BY(lock);
	struct dx_port_feeder *feeder DX_GUARDED_BY(lock); /* counted */
	atomic_uint nr_closed; /* connections that the program closed; wraps; read by who waits */
	uint32_t rounds;       /* of the thread that delivers */
};

extern const struct dx_named_class dx_port_class;

/* Queues a delivery, whose object is taken over. @return 0; -EAGAIN no room; -ESHUTDOWN destroyed;
 * -ENOMEM. On failure the object stays the caller's. */
int dx_port_push(struct IONotificationPort *port, const struct dx_delivery *delivery);
/* The same without a limit, for what is there when a connection ends: bounded by a ring. */
int dx_port_push_last(struct IONotificationPort *port, const struct dx_delivery *delivery);
bool dx_port_has_room(struct IONotificationPort *port);
/* Completions of this connection may come to this port. @return 0; -ESHUTDOWN; -ENOMEM; errno of
 * epoll_ctl. */
int dx_port_attach(struct IONotificationPort *port, struct dx_connection *connection);
/* Attaches, and tells of that connection's end; also when it has ended already. @return as above. */
int dx_port_add_ending(struct IONotificationPort *port, struct dx_connection *connection,
		       struct dx_port_ending *ending);
/* Also after it was told. */
void dx_port_remove_ending(struct IONotificationPort *port, struct dx_port_ending *ending);
/* A subscription of the broker's events comes and goes. */
void dx_port_add_watch(struct IONotificationPort *port);
void dx_port_remove_watch(struct IONotificationPort *port);
/* Events of the broker may come to this port. */
int dx_port_attach_session(struct IONotificationPort *port);

/* Replaces what delivers on a dispatch queue. feeder may be NULL, else it is taken over. @return
 * false when the port is destroyed: feeder stays the caller's. */
bool dx_port_set_feeder(struct IONotificationPort *port, struct dx_port_feeder *feeder);

/* Waits for the next delivery and takes it; its object becomes the caller's. -1: no time limit.
 * @return 0; -ETIMEDOUT; -ECONNRESET a connection was ended (P5); -ESHUTDOWN destroyed. */
int dx_port_take(struct IONotificationPort *port, int timeout_ms, struct dx_delivery *ret_delivery);
/* Puts back what was taken last. @return as dx_port_push(). */
int dx_port_put_back(struct IONotificationPort *port, const struct dx_delivery *delivery);
/* A port that is destroyed when the last reference on its name goes. @return 0; -ENOMEM; errno of the
 * descriptors. */
int dx_port_new_receive(uint32_t *ret_name);

/* Whether a connection has been ended by its driver since the last time somebody asked, and nobody
 * asked for that. */
bool dx_port_take_loss(struct IONotificationPort *port);

/* Private to port*.c. */

/* Brings in what is there, without waiting. */
void dx_port_collect(struct IONotificationPort *port);
/* The first one, whose object becomes the caller's. @return false when there is none. */
bool dx_port_pop(struct IONotificationPort *port, struct dx_delivery *ret_delivery);
/* Waits for the descriptors behind the port and does what they are about. */
void dx_port_wait_events(struct IONotificationPort *port, int timeout_ms);
/* Notifications need not wake anybody any more: this thread looks. */
void dx_port_disarm(struct IONotificationPort *port);
/* The i-th connection, counted, or NULL. */
struct dx_connection *dx_port_connection_at(struct IONotificationPort *port, uint32_t index);
/* Moves what is there to the ports, and lets those go that are closed. */
void dx_port_drain_connections(struct IONotificationPort *port);
/* The control socket of that connection, if it is still attached, is readable. */
void dx_port_look_at_connection(struct IONotificationPort *port, uint64_t about);
/* Nothing will come from this connection any more: the program closed it, or does not listen. */
void dx_port_detach(struct IONotificationPort *port, struct dx_connection *connection);
/* Adds a descriptor to what the program waits for. @return 0; errno of epoll_ctl. */
int dx_port_watch_fd(const struct IONotificationPort *port, int fd, uint64_t about);
void dx_port_wake_locked(struct IONotificationPort *port) DX_REQUIRES(port->lock);
/* For a program that polls: whatever is there makes the descriptor readable. */
void dx_port_arm_external(struct IONotificationPort *port);

/* The functions of a run loop source. */
int dx_port_descriptor(void *port);
unsigned dx_port_deliver(void *port);
bool dx_port_spin(void *port);
bool dx_port_arm(void *port);
bool dx_port_is_over(void *port);

#endif
