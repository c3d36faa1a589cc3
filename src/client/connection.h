/* SPDX-License-Identifier: MIT
 *
 * connection - an open connection to a driver's user client.
 *
 * Place:      client, over channel (calls, completions) and mux (control socket W-C). connection.c
 *             opens, closes and moves completions; call.c calls; map.c maps; tags.c keeps what
 *             belongs to asynchronous calls.
 * Invariants:
 *   O1  calls hold `calls` shared; mapping, unmapping, closing and the like hold it exclusively.
 *   O2  the state only moves from open to closed; dead is separate and never taken back.
 *   O3  a connection whose driver is gone keeps its mappings until it is closed; the program's
 *       other calls then get kIOReturnBadArgument.
 *   O4  completions are moved from the channel to ports by one thread at a time (`drain`), in order.
 * Trust:      the driver's process may be hostile: what comes from it is checked by channel and
 *             wire, and here where it is used.
 * Threads:    any.
 */
#ifndef DX_CLIENT_CONNECTION_H
#define DX_CLIENT_CONNECTION_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include <IOKit/IOKitLib.h>

#include "base/list.h"
#include "base/mutex.h"
#include "channel/channel.h"
#include "client/mux.h"
#include "client/names.h"
#include "client/tags.h"

enum dx_connection_death {
	DX_CONNECTION_ALIVE = 0,
	DX_CONNECTION_ENDED = 1,   /* the user client was terminated, or the driver cut us off */
	DX_CONNECTION_CRASHED = 2, /* the driver's process is gone */
};

struct dx_statistics {
	atomic_uint_fast64_t calls, notifications, wakeups, port_calls, bytes_in, bytes_out,
		bytes_mapped, pages_promoted;
};

struct dx_connection {
	struct dx_object object;
	struct dx_mux *mux;
	struct dx_channel_app *channel;
	pthread_rwlock_t calls;
	atomic_bool closed;
	atomic_int death; /* enum dx_connection_death */
	atomic_uint nr_ports; /* that completions may go to */
	struct dx_tags tags;

	struct dx_mutex drain; /* order 55; guards: held, has_held, and the taking side of channel */
	struct dx_channel_note held DX_GUARDED_BY(drain); /* found no room in its port */
	bool has_held DX_GUARDED_BY(drain);

	struct dx_mutex map_lock; /* order 57; guards: mappings */
	struct dx_list mappings DX_GUARDED_BY(map_lock);
	uint32_t nr_mappings DX_GUARDED_BY(map_lock);

	atomic_uint_fast64_t next_grant; /* ids of grants that belong to calls */
	struct dx_statistics statistics;
};

extern const struct dx_named_class dx_connection_class;

/* Opens on the control socket that the broker handed out. socket is taken over on success.
 * @return 0; -EPROTO, -ECONNRESET: the driver did not say what it must; errors of the channel. */
int dx_connection_open(int *socket, struct dx_connection **ret_connection);
/* Waits for running calls, then closes; once or more often. */
void dx_connection_close(struct dx_connection *connection);

/*
 * The connection behind a name, +1, locked for a call (shared) or a change (exclusive).
 * @return kIOReturnSuccess; what the public function returns otherwise.
 */
kern_return_t dx_connection_enter(uint32_t name, bool exclusive,
				  struct dx_connection **ret_connection);
void dx_connection_leave(struct dx_connection *connection);

/* The driver was found dead, by a negative errno of channel or mux. */
void dx_connection_note_death(struct dx_connection *connection, int error);

/* Moves completions to their ports. @return how many. */
unsigned dx_connection_drain(struct dx_connection *connection);
/* The driver ended the connection: moves what it had sent before, also where there is no room. */
void dx_connection_drain_rest(struct dx_connection *connection);
/* Looks whether the driver has ended it. */
enum dx_connection_death dx_connection_look(struct dx_connection *connection);
/* Makes the control socket tell of completions. @return true: there are some already. */
bool dx_connection_arm(struct dx_connection *connection);
void dx_connection_disarm(struct dx_connection *connection);
/* As the wait policy allows. @return true: drain again. */
bool dx_connection_spin(struct dx_connection *connection);
/* The control socket is readable. @return false when nothing will come from it any more. */
bool dx_connection_pump(struct dx_connection *connection);

/* map.c */
bool dx_connection_has_mappings(struct dx_connection *connection);
/* The connection whose memory is mapped at an address, counted; NULL: none that is open. */
struct dx_connection *dx_connection_mapped_at(uint64_t address);
void dx_connection_unmap_all(struct dx_connection *connection);

static inline void dx_statistics_add(atomic_uint_fast64_t *counter, uint64_t amount)
{
	atomic_fetch_add_explicit(counter, amount, memory_order_relaxed); /* a count, no order */
}

#endif
