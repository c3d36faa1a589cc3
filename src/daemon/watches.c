/* SPDX-License-Identifier: MIT
 *
 * watches - subscriptions and events; see watches.h.
 *
 * Place:   daemon.
 */
#include "daemon/watches.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "daemon/clients.h"
#include "daemon/host_watches.h"
#include "daemon/matching.h"
#include "wire/wire.h"

struct dx_watch {
	struct dx_list node;        /* broker->watches[kind], entry->interests, or none */
	struct dx_list client_node; /* client->watches */
	struct dx_client *client;
	uint64_t cookie;
	enum dx_watch_kind kind;
	struct dx_dict *matching; /* NULL for interest */
};

enum dx_watch_kind dx_watch_kind_of(const char *name)
{
	static const struct {
		const char *name;
		enum dx_watch_kind kind;
	} kinds[] = {
		{"IOServicePublish", DX_WATCH_PUBLISH},
		{"IOServiceFirstPublish", DX_WATCH_FIRST_PUBLISH},
		{"IOServiceMatched", DX_WATCH_MATCHED},
		{"IOServiceFirstMatch", DX_WATCH_FIRST_MATCH},
		{"IOServiceTerminate", DX_WATCH_TERMINATED},
		{"IOServiceWillTerminate", DX_WATCH_WILL_TERMINATE},
		{"IOGeneralInterest", DX_WATCH_GENERAL},
		{"IOBusyInterest", DX_WATCH_BUSY},
		{"IOAppPowerStateInterest", DX_WATCH_POWER},
		{"IOPriorityPowerStateInterest", DX_WATCH_POWER},
	};

	for (size_t i = 0; i < DX_ARRAY_SIZE(kinds); i++) {
		if (strcmp(kinds[i].name, name) == 0) {
			return kinds[i].kind;
		}
	}
	return DX_WATCH_NONE;
}

static struct dx_watch *watch_find(struct dx_client *client, uint64_t cookie)
{
	dx_list_for_each (node, &client->watches) {
		struct dx_watch *watch = dx_list_entry(node, struct dx_watch, client_node);

		if (watch->cookie == cookie) {
			return watch;
		}
	}
	return NULL;
}

int dx_watch_add(struct dx_client *client, uint64_t cookie, enum dx_watch_kind kind,
		 struct dx_dict *matching, struct dx_entry *entry)
{
	struct dx_watch *watch = NULL;

	if (watch_find(client, cookie) != NULL) {
		return -EEXIST;
	}
	if (client->nr_watches >= DX_MAX_WATCHES_PER_CLIENT) {
		return -ENOSPC;
	}
	watch = calloc(1, sizeof(*watch));
	if (watch == NULL) {
		return -ENOMEM;
	}
	watch->client = client;
	watch->cookie = cookie;
	watch->kind = kind;
	watch->matching = dx_object_ref(matching);
	dx_list_init(&watch->node);
	dx_list_push_back(&client->watches, &watch->client_node);
	dx_list_push_back(entry != NULL ? &entry->interests : &client->broker->watches[kind],
			  &watch->node);
	client->nr_watches++;
	return 0;
}

static void watch_free(struct dx_watch *watch)
{
	dx_list_remove(&watch->node);
	dx_list_remove(&watch->client_node);
	watch->client->nr_watches--;
	dx_object_unref(watch->matching);
	free(watch);
}

int dx_watch_remove(struct dx_client *client, uint64_t cookie)
{
	struct dx_watch *watch = watch_find(client, cookie);

	if (watch == NULL) {
		return -ENOENT;
	}
	watch_free(watch);
	return 0;
}

void dx_watches_remove_all(struct dx_client *client)
{
	dx_list_for_each_safe (node, &client->watches) {
		watch_free(dx_list_entry(node, struct dx_watch, client_node));
	}
}

bool dx_watch_starts_with(enum dx_watch_kind kind, const struct dx_entry *entry)
{
	switch (kind) {
	case DX_WATCH_PUBLISH:
	case DX_WATCH_FIRST_PUBLISH:
		return entry->registered && !entry->inactive;
	case DX_WATCH_MATCHED:
	case DX_WATCH_FIRST_MATCH:
		return entry->registered && entry->matched && !entry->inactive;
	default:
		return false;
	}
}

static void watch_tell(const struct dx_watch *watch, const struct dx_wire_event *event)
{
	int r = dx_peer_send(&watch->client->peer, DX_WIRE_A_EVENT, 0, 0, event, sizeof(*event),
			     NULL, 0, NULL);

	if (r < 0) {
		dx_peer_break(&watch->client->peer, r); /* Z2: never drop one and go on */
	}
}

void dx_watches_service(struct dx_broker *broker, enum dx_watch_kind kind, struct dx_entry *entry)
{
	dx_list_for_each (node, &broker->watches[kind]) {
		const struct dx_watch *watch = dx_list_entry(node, struct dx_watch, node);

		if (dx_match_table(watch->matching, entry, NULL)) {
			const struct dx_wire_event event = {
				.cookie = watch->cookie,
				.id = entry->id,
				.kind = DX_WIRE_EVENT_SERVICE,
			};

			watch_tell(watch, &event);
		}
	}
	dx_host_watches_service(broker, kind, entry);
}

void dx_watches_interest(struct dx_entry *entry, enum dx_watch_kind kind, uint32_t message_type,
			 uint64_t argument)
{
	dx_list_for_each (node, &entry->interests) {
		const struct dx_watch *watch = dx_list_entry(node, struct dx_watch, node);

		if (watch->kind == kind) {
			const struct dx_wire_event event = {
				.cookie = watch->cookie,
				.id = entry->id,
				.kind = DX_WIRE_EVENT_INTEREST,
				.message_type = message_type,
				.argument = argument,
			};

			watch_tell(watch, &event);
		}
	}
}

void dx_watches_entry_gone(struct dx_entry *entry)
{
	while (dx_list_pop_front(&entry->interests) != NULL) {
	}
}
