/* SPDX-License-Identifier: MIT
 *
 * explain - DX_WIRE_A_EXPLAIN: for a bundle, which provider fits which personality, and if not, why.
 *
 * Place:      daemon, over judge, reading and clients.
 *             Specs are read by jobs, like devices that are attached, but into a registry that is
 *             made for the answer; a bundle that is not loaded is read and forgotten.
 * Threads:    one.
 */
#ifndef DX_DAEMON_EXPLAIN_H
#define DX_DAEMON_EXPLAIN_H

#include <stddef.h>
#include <stdint.h>

#include "base/value.h"
#include "daemon/broker.h"
#include "daemon/clients.h"

#define DX_EXPLAIN_MAX_SPECS 16u

/* The answer goes to client, later. @return 0; negative with one line in message: there is none. */
int dx_explain(struct dx_client *client, uint32_t seq, const struct dx_dict *request, char *message,
	       size_t message_size);
/* At the end of the broker. */
void dx_explains_free(struct dx_broker *broker);

#endif
