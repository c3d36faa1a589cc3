/* SPDX-License-Identifier: MIT
 *
 * host_watches - see host_watches.h.
 *
 * Place:   daemon.
 */
#include "daemon/host_watches.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "daemon/hosts.h"
#include "daemon/matching.h"
#include "wire/wire.h"

struct dx_host_watch {
	struct dx_list node; /* host->watches */
	uint64_t cookie;
	struct dx_dict *matching;
};

static struct dx_host_watch *find(struct dx_host *host, uint64_t cookie)
{
	dx_list_for_each (node, &host->watches) {
		struct dx_host_watch *watch = dx_list_entry(node, struct dx_host_watch, node);

		if (watch->cookie == cookie) {
			return watch;
		}
	}
	return NULL;
}

static void watch_free(struct dx_host_watch *watch)
{
	dx_list_remove(&watch->node);
	dx_object_unref(watch->matching);
	free(watch);
}

/* A peer that broke is seen by the loop; one word that could not be made is lost, with a line. */
static void sent(const struct dx_host *host, int r)
{
	if (r < 0 && r != -EPIPE && r != -ENOBUFS) {
		dx_log_warning("host %d is not told of a service: %s", (int)dx_host_pid(host),
			       strerror(-r));
	}
}

static struct dx_dict *describe(const struct dx_entry *entry)
{
	struct dx_dict *dict = dx_dict_new();
	int r = dict == NULL ? -ENOMEM
			     : dx_dict_set_string(dict, DX_SERVICE_CLASS_KEY, entry->class_name);

	if (r == 0) {
		r = dx_dict_set_string(dict, DX_SERVICE_NAME_KEY, entry->name);
	}
	if (r == 0) {
		r = dx_dict_set(dict, DX_SERVICE_PROPERTIES_KEY, entry->properties);
	}
	return r < 0 ? dx_object_unref(dict) : dict;
}

static void tell_matched(struct dx_host *host, const struct dx_host_watch *watch,
			 const struct dx_entry *entry)
{
	const struct dx_wire_service body = {.cookie = watch->cookie, .id = entry->id};
	struct dx_dict *dict = describe(entry);

	sent(host, dict == NULL ? -ENOMEM
				: dx_peer_send_value(&host->peer, DX_WIRE_H_SERVICE_MATCHED, 0, 0,
						     &body, sizeof(body), dict));
	dx_object_unref(dict);
}

static void tell_terminated(struct dx_host *host, const struct dx_host_watch *watch,
			    const struct dx_entry *entry)
{
	const struct dx_wire_service body = {.cookie = watch->cookie, .id = entry->id};

	sent(host, dx_peer_send(&host->peer, DX_WIRE_H_SERVICE_TERMINATED, 0, 0, &body,
				sizeof(body), NULL, 0, NULL));
}

static void tell_all(struct dx_host *host, const struct dx_host_watch *watch)
{
	const struct dx_wire_id body = {.id = watch->cookie};

	for (struct dx_entry *entry = dx_registry_root(host->broker->registry); entry != NULL;
	     entry = dx_registry_next(entry)) {
		if (dx_watch_starts_with(DX_WATCH_MATCHED, entry) &&
		    dx_match_table(watch->matching, entry, NULL)) {
			tell_matched(host, watch, entry);
		}
	}
	sent(host, dx_peer_send(&host->peer, DX_WIRE_H_SERVICES_TOLD, 0, 0, &body, sizeof(body),
				NULL, 0, NULL));
}

int dx_host_watch_add(struct dx_host *host, uint64_t cookie, struct dx_dict *matching)
{
	struct dx_host_watch *watch = NULL;

	if (find(host, cookie) != NULL || host->nr_watches >= DX_MAX_WATCHES_PER_CLIENT) {
		return -EPROTO;
	}
	watch = calloc(1, sizeof(*watch));
	if (watch == NULL) {
		return -ENOMEM;
	}
	watch->cookie = cookie;
	watch->matching = dx_object_ref(matching);
	dx_list_push_back(&host->watches, &watch->node);
	host->nr_watches++;
	if (host->broker->phase != DX_PHASE_ADOPTING) {
		tell_all(host, watch);
	}
	return 0;
}

void dx_host_watch_remove(struct dx_host *host, uint64_t cookie)
{
	struct dx_host_watch *watch = find(host, cookie);

	if (watch != NULL) {
		watch_free(watch);
		host->nr_watches--;
	}
}

void dx_host_watches_remove_all(struct dx_host *host)
{
	dx_list_for_each_safe (node, &host->watches) {
		watch_free(dx_list_entry(node, struct dx_host_watch, node));
	}
	host->nr_watches = 0;
}

void dx_host_watches_begin(struct dx_broker *broker)
{
	dx_list_for_each (node, &broker->hosts) {
		struct dx_host *host = dx_list_entry(node, struct dx_host, node);

		dx_list_for_each (watch, &host->watches) {
			tell_all(host, dx_list_entry(watch, struct dx_host_watch, node));
		}
	}
}

static void tell_host(struct dx_host *host, enum dx_watch_kind kind, const struct dx_entry *entry)
{
	dx_list_for_each (node, &host->watches) {
		const struct dx_host_watch *watch = dx_list_entry(node, struct dx_host_watch, node);

		/* What it fits may have changed since it was told; who never was ignores the end. */
		if (kind == DX_WATCH_TERMINATED) {
			tell_terminated(host, watch, entry);
		} else if (dx_match_table(watch->matching, entry, NULL)) {
			tell_matched(host, watch, entry);
		}
	}
}

void dx_host_watches_service(struct dx_broker *broker, enum dx_watch_kind kind,
			     const struct dx_entry *entry)
{
	if (broker->phase == DX_PHASE_ADOPTING ||
	    (kind != DX_WATCH_MATCHED && kind != DX_WATCH_TERMINATED)) {
		return;
	}
	dx_list_for_each (node, &broker->hosts) {
		tell_host(dx_list_entry(node, struct dx_host, node), kind, entry);
	}
}
