/* SPDX-License-Identifier: MIT
 *
 * control - a tool's conversation with dextd: one request, one reply, in order.
 *
 * Place:      tools, over wire/link (conversation W-A, role tool).
 * Invariants:
 *   B1  a request that the broker refuses leaves its reason, one line, in broker->message.
 *   B2  waiting for a reply ends when interrupt_fd becomes readable; the link is then unusable.
 * Trust:      the broker may be another user's: replies are checked by wire, values by class.
 */
#ifndef DX_TOOLS_CONTROL_H
#define DX_TOOLS_CONTROL_H

#include <stddef.h>
#include <stdint.h>

#include "base/value.h"

struct dx_control {
	int socket;
	int interrupt_fd; /* borrowed; -1: nothing interrupts */
	uint32_t seq;
	uint64_t root_id;
	char message[512];
};

/* clang-format off */
#define DX_CONTROL_INIT {.socket = -1, .interrupt_fd = -1}
/* clang-format on */

/* address NULL: the default. @return 0; -ENOENT, -ECONNREFUSED: no broker; other negative errno. */
int dx_control_open(struct dx_control *broker, const char *address);
void dx_control_close(struct dx_control *broker);

/* All return 0; -EREMOTEIO refused (B1); -EINTR (B2); -ECONNRESET broker gone; -EPROTO; ... */
int dx_control_load(struct dx_control *broker, const char *bundle, char *ret_identifier,
		   size_t capacity);
int dx_control_unload(struct dx_control *broker, const char *identifier);
int dx_control_attach(struct dx_control *broker, const char *spec, uint64_t *ret_id);
int dx_control_detach(struct dx_control *broker, uint64_t id);
int dx_control_wait_quiet(struct dx_control *broker, uint64_t timeout_ns);
int dx_control_shutdown(struct dx_control *broker);
/* +1 values. */
int dx_control_copy_tree(struct dx_control *broker, struct dx_dict **ret_tree);
int dx_control_copy_status(struct dx_control *broker, struct dx_dict **ret_status);
/* request: the DX_EXPLAIN_... keys of wire/wire.h. */
int dx_control_explain(struct dx_control *broker, const struct dx_dict *request,
		       struct dx_dict **ret_answer);
/* error is what one of the above returned: a text for people; never NULL. */
const char *dx_control_reason(const struct dx_control *broker, int error);

#endif
