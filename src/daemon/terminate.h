/* SPDX-License-Identifier: MIT
 *
 * terminate - take a part of the registry away, leaves first.
 *
 * Place:      daemon, over registry; asks hosts to stop services.
 * Invariants:
 *   T1  everything below is marked inactive, and applications hear of it, before anything stops.
 *   T2  a driver is stopped after every driver above it (further from the root) has gone.
 *   T3  user clients and other entries a host made go with the service they belong to: its host
 *       stops them.
 *   T4  an entry leaves the registry once nothing is below it and its host has answered, or died.
 * Threads:    one.
 */
#ifndef DX_DAEMON_TERMINATE_H
#define DX_DAEMON_TERMINATE_H

#include <stdbool.h>

#include "daemon/broker.h"

/* Begins. An entry that is inactive already stays as it is. */
void dx_terminate(struct dx_broker *broker, struct dx_entry *entry);
/* The host has stopped it (or never had it, or is dead): it may leave. Begins if need be. */
void dx_terminate_stopped(struct dx_broker *broker, struct dx_entry *entry);
/* Goes on where it can. entry is any entry of the part. */
void dx_terminate_continue(struct dx_broker *broker, struct dx_entry *entry);
/* The process is dead: everything it had goes. */
void dx_terminate_host(struct dx_broker *broker, struct dx_host *host);

#endif
