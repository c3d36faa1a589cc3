/* SPDX-License-Identifier: MIT
 *
 * broker - a tool's conversation with dextd: one request, one reply, in order.
 *
 * Place:      tools, over wire/link (conversation W-A, role tool).
 * Invariants:
 *   B1  a request that the broker refuses leaves its reason, one line, in broker->message.
 *   B2  waiting for a reply ends when interrupt_fd becomes readable; the link is then unusable.
 * Trust:      the broker may be another user's: replies are checked by wire, values by class.
 */
#ifndef DX_TOOLS_BROKER_H
#define DX_TOOLS_BROKER_H

#include <stddef.h>
#include <stdint.h>

#include "base/value.h"

struct dx_broker {
	int socket;
	int interrupt_fd; /* borrowed; -1: nothing interrupts */
	uint32_t seq;
	uint64_t root_id;
	char message[512];
};

/* clang-format off */
#define DX_BROKER_INIT {.socket = -1, .interrupt_fd = -1}
/* clang-format on */

/* address NULL: the default. @return 0; -ENOENT, -ECONNREFUSED: no broker; other negative errno. */
int dx_broker_open(struct dx_broker *broker, const char *address);
void dx_broker_close(struct dx_broker *broker);

/* All return 0; -EREMOTEIO refused (B1); -EINTR (B2); -ECONNRESET broker gone; -EPROTO; ... */
int dx_broker_load(struct dx_broker *broker, const char *bundle, char *ret_identifier,
		   size_t capacity);
int dx_broker_unload(struct dx_broker *broker, const char *identifier);
int dx_broker_attach(struct dx_broker *broker, const char *spec, uint64_t *ret_id);
int dx_broker_detach(struct dx_broker *broker, uint64_t id);
int dx_broker_wait_quiet(struct dx_broker *broker, uint64_t timeout_ns);
int dx_broker_shutdown(struct dx_broker *broker);
/* +1 values. */
int dx_broker_copy_tree(struct dx_broker *broker, struct dx_dict **ret_tree);
int dx_broker_copy_status(struct dx_broker *broker, struct dx_dict **ret_status);
/* error is what one of the above returned: a text for people; never NULL. */
const char *dx_broker_reason(const struct dx_broker *broker, int error);

#endif
