/* SPDX-License-Identifier: MIT
 *
 * status - the broker as property lists, for tools.
 *
 * Place:   daemon. DX_WIRE_A_STATUS and DX_WIRE_A_TREE.
 *
 *   status   "broker"  dictionary: pid, socket, private
 *            "bundles" array: identifier, path, drivers, unloading
 *            "hosts"   array: pid, identifier, server, services (array of ids)
 *            "devices" array: id, spec, name, state, problem ("-": none)
 *            "clients" array: pid, uid, name, role, watches
 */
#ifndef DX_DAEMON_STATUS_H
#define DX_DAEMON_STATUS_H

#include "base/value.h"
#include "daemon/broker.h"

/* +1; NULL without memory. */
struct dx_dict *dx_status(const struct dx_broker *broker);
/* The whole registry; without properties when it would not fit a message with them. */
struct dx_dict *dx_status_tree(struct dx_broker *broker);

#endif
