/* SPDX-License-Identifier: MIT
 *
 * tags - the asynchronous calls of a connection: number for the driver, words for the program.
 *
 * Place:      client, in a connection. The driver sees only a number; port, callback and refcon
 *             and the words behind them never leave the process.
 * Invariants:
 *   G1  a number is generation << 32 | place + 1, and is not used again on the connection.
 *   G2  a tag lives until the driver says that it will not complete it again, or the connection
 *       goes.
 * Trust:      numbers come back from the driver: unknown and stale ones are ignored.
 * Threads:    any.
 */
#ifndef DX_CLIENT_TAGS_H
#define DX_CLIENT_TAGS_H

#include <stdint.h>

#include "base/mutex.h"

struct IONotificationPort;
struct dx_object;

struct dx_tag {
	struct IONotificationPort *port; /* counted */
	uint64_t function;
	uint64_t refcon;
	struct dx_object *further; /* counted; NULL: the words behind these are zero */
};

struct dx_tag_place {
	struct dx_tag tag; /* port NULL: free */
	uint32_t generation;
	uint32_t next_free; /* place + 1, 0: none */
};

struct dx_tags {
	struct dx_mutex lock; /* order 58; guards: all below */
	struct dx_tag_place *places DX_GUARDED_BY(lock);
	uint32_t nr_places DX_GUARDED_BY(lock);
	uint32_t first_free DX_GUARDED_BY(lock); /* place + 1 */
};

void dx_tags_init(struct dx_tags *tags);
void dx_tags_fini(struct dx_tags *tags);
/* The copy in tags counts port and further. @return 0; -ENOBUFS at DX_MAX_ASYNC_ACTIONS; -ENOMEM. */
int dx_tags_add(struct dx_tags *tags, const struct dx_tag *tag, uint64_t *ret_number);
/* Gives up what a copy of a tag holds. */
void dx_tag_fini(struct dx_tag *tag);
/* A copy, for dx_tag_fini(). @return 0; -ENOENT. */
int dx_tags_get(struct dx_tags *tags, uint64_t number, struct dx_tag *ret_tag);
/* Unknown numbers are ignored. */
void dx_tags_remove(struct dx_tags *tags, uint64_t number);

#endif
