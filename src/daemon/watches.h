/* SPDX-License-Identifier: MIT
 *
 * watches - what applications asked to be told, and telling them.
 *
 * Place:      daemon, between registry and clients.
 * Invariants:
 *   Z1  a watch is in its client's list, and in the list of its kind or, for interest, of its entry
 *       (in none when the entry has gone).
 *   Z2  an event that cannot be queued breaks that client only.
 * Threads:    one.
 */
#ifndef DX_DAEMON_WATCHES_H
#define DX_DAEMON_WATCHES_H

#include <stdint.h>

#include "base/list.h"
#include "base/value.h"
#include "daemon/broker.h"

struct dx_client;

enum dx_watch_kind {
	DX_WATCH_PUBLISH,
	DX_WATCH_FIRST_PUBLISH,
	DX_WATCH_MATCHED,
	DX_WATCH_FIRST_MATCH,
	DX_WATCH_TERMINATED,
	DX_WATCH_WILL_TERMINATE,
	DX_WATCH_GENERAL, /* interest from here on */
	DX_WATCH_BUSY,
	DX_WATCH_POWER, /* accepted, never happens here */
	DX_WATCH_NONE,
};
_Static_assert(DX_WATCH_GENERAL <=
		       sizeof(((struct dx_broker *)0)->watches) / sizeof(struct dx_list),
	       "one list per matching kind");

/* From "IOServiceFirstMatch" and so on; DX_WATCH_NONE for an unknown name. */
enum dx_watch_kind dx_watch_kind_of(const char *name);

/* @return 0; -EEXIST cookie in use; -ENOSPC too many; -ENOMEM. matching is referenced. */
int dx_watch_add(struct dx_client *client, uint64_t cookie, enum dx_watch_kind kind,
		 struct dx_dict *matching, struct dx_entry *entry);
/* -ENOENT. */
int dx_watch_remove(struct dx_client *client, uint64_t cookie);
void dx_watches_remove_all(struct dx_client *client);

/* Whether entry is in what a new watch of this kind begins with. */
bool dx_watch_starts_with(enum dx_watch_kind kind, const struct dx_entry *entry);

void dx_watches_service(struct dx_broker *broker, enum dx_watch_kind kind, struct dx_entry *entry);
void dx_watches_interest(struct dx_entry *entry, enum dx_watch_kind kind, uint32_t message_type,
			 uint64_t argument);
/* The entry leaves the registry. */
void dx_watches_entry_gone(struct dx_entry *entry);

#endif
