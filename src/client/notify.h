/* SPDX-License-Identifier: MIT
 *
 * notify - subscriptions of the program: services that come and go, messages of a service.
 *
 * Place:      client, over session (events in) and port (callbacks out). Both are handles: the last
 *             release ends the subscription.
 * Invariants:
 *   Y1  a matching subscription is armed by the IOIteratorNext() that finds it empty; armed, it
 *       queues one callback when the first service comes, and is not armed any more.
 *   Y2  at most DX_MAX_ITERATOR_BACKLOG services wait in it, given out last in, first out; further
 *       ones are lost.
 *   Y3  a service is told once, also when a new broker tells of it again.
 * Threads:    any.
 */
#ifndef DX_CLIENT_NOTIFY_H
#define DX_CLIENT_NOTIFY_H

#include <stdbool.h>
#include <stdint.h>

#include "client/names.h"

extern const struct dx_named_class dx_matching_class, dx_interest_class, dx_ending_class;

/* The next service of a matching subscription; false at the end, which arms it. */
bool dx_matching_next(void *subscription, uint64_t *ret_id);

#endif
