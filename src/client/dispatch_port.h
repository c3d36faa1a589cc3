/* SPDX-License-Identifier: MIT
 *
 * dispatch_port - a notification port that delivers on a dispatch queue.
 *
 * Place:      client, beside port.c. One thread per such port waits for its descriptor and has the
 *             queue deliver; between two deliveries the port is armed (P2 of port.h).
 * Invariants:
 *   D1  the thread holds the port and the queue until it ends.
 *   D2  it ends at the next wake-up after it was told to; nobody waits for it, because whoever
 *       tells it may be what it waits for.
 */
#ifndef DX_CLIENT_DISPATCH_PORT_H
#define DX_CLIENT_DISPATCH_PORT_H

struct IONotificationPort;
struct dx_port_feeder;

/* Tells it to end: no delivery begins afterwards. NULL is allowed. The caller wakes the port. */
void dx_port_feeder_stop(struct dx_port_feeder *feeder);

#endif
