/* SPDX-License-Identifier: MIT
 *
 * host_watches - services that drivers asked to be told of (IOServiceNotificationDispatchSource).
 *
 * Place:      daemon, between watches and hosts.
 * Invariants:
 *   HW1  a watch that begins is told of what there is, then H_SERVICES_TOLD; while hosts of an earlier
 *        broker are awaited it is told nothing, so that no service seems gone that is on its way back.
 * Threads:    one.
 */
#ifndef DX_DAEMON_HOST_WATCHES_H
#define DX_DAEMON_HOST_WATCHES_H

#include <stdint.h>

#include "base/value.h"
#include "daemon/broker.h"
#include "daemon/watches.h"

struct dx_host;

/* matching is referenced. @return 0; -EPROTO cookie in use, or too many; -ENOMEM. */
int dx_host_watch_add(struct dx_host *host, uint64_t cookie, struct dx_dict *matching);
/* One that is unknown has been refused, or is a late word: nothing happens. */
void dx_host_watch_remove(struct dx_host *host, uint64_t cookie);
void dx_host_watches_remove_all(struct dx_host *host);
/* The services of earlier brokers are there, or given up (HW1). */
void dx_host_watches_begin(struct dx_broker *broker);
/* A service was matched or has ended; other kinds are not told. */
void dx_host_watches_service(struct dx_broker *broker, enum dx_watch_kind kind,
			     const struct dx_entry *entry);

#endif
