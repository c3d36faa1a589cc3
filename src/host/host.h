/* SPDX-License-Identifier: MIT
 *
 * host - one driver process: the W-H conversation with the broker around a driver runtime.
 *
 * Place:      host. The program confines itself, loads a bundle and runs this; tests run it in a
 *             thread with driver classes of their own.
 * Life:       SETUP (load, confine) -> START, OPEN, TERMINATE ... -> the last service is gone: end.
 *             When the broker's socket closes: end (private broker), or go on and look for the next
 *             broker with ADOPT.
 * Invariants:
 *   H1  every request of the broker gets exactly one reply, in whatever order they end.
 *   H2  what the runtime reports leaves in the order in which it was reported.
 *   H3  this thread never runs driver code and holds the robust list of all channels, so it lives
 *       as long as any connection.
 * Trust:      the broker started us and is trusted to mean well; its messages are checked all the
 *             same, because a broken one must not become a broken driver.
 */
#ifndef DX_HOST_HOST_H
#define DX_HOST_HOST_H

#include <opendext/driver.h>

#include <stdbool.h>
#include <stdint.h>

#include "usb/backend.h"

struct dx_host_options {
	int socket;                                       /* W-H, taken over */
	const struct dx_usb_backend_ops *const *backends; /* NULL-ended */
	const OSDriverClass *const *classes; /* NULL-ended; NULL: load what SETUP names */
	bool confine;                        /* before loading */
	uint64_t spin_budget_ns;             /* DX_WAIT_BUDGET_MEASURED as a rule */
};

/*
 * Serves until the last service is gone, or the private broker.
 * @return 0; a negative errno when it could not begin or the broker broke the protocol; -EBUSY: it
 *         ends although driver code still runs that cannot be interrupted: only _exit() is left.
 */
int dx_host_run(const struct dx_host_options *options);

#endif
