/* SPDX-License-Identifier: MIT
 *
 * requests - what applications and tools ask, one function per message; see clients.h.
 *
 * Place:      daemon, part of clients.
 * Rules:      a request that cannot be done is answered with an IOReturn and, for tools, a line of
 *             text; only one that breaks the protocol ends the connection.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/ioreturn.h"
#include "base/log.h"
#include "daemon/bundle.h"
#include "daemon/clients.h"
#include "daemon/device.h"
#include "daemon/drivers.h"
#include "daemon/explain.h"
#include "daemon/hosts.h"
#include "daemon/matching.h"
#include "daemon/records.h"
#include "daemon/status.h"
#include "daemon/watches.h"
#include "wire/link.h"

#define MAX_SPEC 4096u
#define NOTHING  NULL, 0, NULL
#define FOR_EVER UINT64_MAX

typedef int (*request_fn)(struct dx_client *client, struct dx_wire_message_in *message);

static uint32_t seq_of(const struct dx_wire_message_in *message)
{
	return message->view.header.seq;
}

static uint16_t type_of(const struct dx_wire_message_in *message)
{
	return message->view.header.type;
}

static int answer(struct dx_client *client, const struct dx_wire_message_in *message,
		  int32_t status, const char *text)
{
	if (seq_of(message) == 0) {
		return 0; /* M2: nobody wants to know */
	}
	if (status == 0) {
		dx_client_reply(client, type_of(message), seq_of(message), 0, NOTHING);
	} else {
		dx_client_fail(client, type_of(message), seq_of(message), status, text);
	}
	return 0;
}

static int answer_errno(struct dx_client *client, const struct dx_wire_message_in *message,
			int code, const char *text)
{
	return answer(client, message, code < 0 ? dx_ioreturn_from_errno(code) : 0, text);
}

static int answer_body(struct dx_client *client, const struct dx_wire_message_in *message,
		       const void *body, size_t body_length)
{
	dx_client_reply(client, type_of(message), seq_of(message), 0, body, body_length, NULL);
	return 0;
}

/* A living or a past entry. */
static struct dx_entry *entry_of(struct dx_client *client, uint64_t id)
{
	return dx_registry_find(client->broker->registry, id);
}

static int on_hello(struct dx_client *client, struct dx_wire_message_in *message)
{
	const struct dx_wire_hello *hello = message->view.body;
	struct dx_broker *broker = client->broker;
	const struct dx_wire_hello_reply reply = {
		.broker_id = broker->id,
		.root_id = DX_REGISTRY_ROOT_ID,
	};

	if (client->role != 0 || seq_of(message) == 0) {
		return -EPROTO;
	}
	client->role = hello->role;
	if (hello->role == DX_WIRE_ROLE_HOST) {
		if (!client->may_manage || dx_record_find(broker, client->pid) == NULL) {
			return answer(client, message, DX_KR_NOT_PERMITTED,
				      "nobody waits for this host");
		}
	} else if (broker->phase == DX_PHASE_ADOPTING) {
		client->hello_seq = seq_of(message); /* X4 */
		dx_peer_hold(&client->peer, true);
		return 0;
	}
	return answer_body(client, message, &reply, sizeof(reply));
}

/* Ids of all entries that fit, up to the first when first_only. */
static int reply_ids(struct dx_client *client, const struct dx_wire_message_in *message,
		     const struct dx_dict *table, enum dx_watch_kind kind, bool first_only)
{
	struct dx_registry *registry = client->broker->registry;
	struct dx_wire_ids body = {0};
	DX_CLEANUP_FREE uint64_t *ids = calloc(dx_registry_count(registry), sizeof(*ids));
	int r = 0;

	if (ids == NULL) {
		return answer(client, message, DX_KR_NO_MEMORY, NULL);
	}
	for (struct dx_entry *entry = dx_registry_root(registry); entry != NULL;
	     entry = dx_registry_next(entry)) {
		if (dx_watch_starts_with(kind, entry) && dx_match_table(table, entry, NULL)) {
			ids[body.count++] = entry->id;
			if (first_only) {
				break;
			}
		}
	}
	r = dx_peer_send(&client->peer, type_of(message) | DX_WIRE_REPLY, seq_of(message), 0, &body,
			 sizeof(body), ids, body.count * sizeof(*ids), NULL);
	return r == -EPIPE || r == -ENOBUFS ? 0 : r;
}

static int take_table(struct dx_wire_message_in *message, struct dx_dict **ret_table)
{
	void *value = NULL;
	int r = dx_wire_message_value(message, &dx_dict_class, &value);

	if (r == 0) {
		*ret_table = value;
	}
	return r;
}

static int on_match(struct dx_client *client, struct dx_wire_message_in *message)
{
	const struct dx_wire_match *match = message->view.body;
	struct dx_dict *table = NULL;
	int r = take_table(message, &table);

	if (r < 0) {
		return answer(client, message, DX_KR_BAD_ARGUMENT, "not a matching dictionary");
	}
	r = reply_ids(client, message, table, DX_WATCH_PUBLISH, match->first_only != 0);
	dx_object_unref(table);
	return r;
}

/* Sends a property list, or says why not. Takes over the reference. */
static int reply_value(struct dx_client *client, const struct dx_wire_message_in *message,
		       struct dx_dict *dict)
{
	int r = dict == NULL ? -ENOMEM
			     : dx_peer_send_value(&client->peer, type_of(message) | DX_WIRE_REPLY,
						  seq_of(message), 0, NULL, 0, dict);

	dx_object_unref(dict);
	if (r == -EPIPE || r == -ENOBUFS || r == 0) {
		return 0;
	}
	return answer(client, message, r == -EMSGSIZE ? DX_KR_TOO_LARGE : dx_ioreturn_from_errno(r),
		      NULL);
}

static int on_entry(struct dx_client *client, struct dx_wire_message_in *message)
{
	const struct dx_wire_entry *body = message->view.body;
	const struct dx_entry *entry = entry_of(client, body->id);

	if (entry == NULL) {
		return answer(client, message, DX_KR_INVALID_DEST, "no such entry");
	}
	return reply_value(client, message,
			   dx_entry_describe(entry, (body->flags & DX_WIRE_ENTRY_PROPERTIES) != 0));
}

static int on_match_test(struct dx_client *client, struct dx_wire_message_in *message)
{
	const struct dx_wire_id *id = message->view.body;
	const struct dx_entry *entry = entry_of(client, id->id);
	struct dx_wire_value value = {0};
	struct dx_dict *table = NULL;

	if (entry == NULL) {
		return answer(client, message, DX_KR_INVALID_DEST, "no such entry");
	}
	if (take_table(message, &table) < 0) {
		return answer(client, message, DX_KR_BAD_ARGUMENT, "not a matching dictionary");
	}
	value.value = dx_match_table(table, entry, NULL) ? 1 : 0;
	dx_object_unref(table);
	return answer_body(client, message, &value, sizeof(value));
}

static int on_open(struct dx_client *client, struct dx_wire_message_in *message)
{
	const struct dx_wire_open *body = message->view.body;
	struct dx_entry *entry = body->id == 0 ? NULL : entry_of(client, body->id);
	int r = 0;

	if (entry == NULL || entry->inactive) {
		return answer(client, message, DX_KR_INVALID_DEST,
			      "no such service, or it has ended");
	}
	if (entry->host == NULL) {
		return answer(client, message, DX_KR_UNSUPPORTED, "no driver process behind it");
	}
	if (client->nr_waits >= DX_CLIENT_MAX_WAITS) {
		return answer(client, message, DX_KR_NO_RESOURCES, "too many requests at once");
	}
	r = dx_host_open(entry->host, entry, body->type, client, seq_of(message));
	if (r == 0) {
		return 0;
	}
	return answer(client, message, r == -EPIPE ? DX_KR_OFFLINE : DX_KR_NO_RESOURCES,
		      strerror(-r));
}

static int on_watch_matching(struct dx_client *client, struct dx_wire_message_in *message)
{
	const struct dx_wire_watch *watch = message->view.body;
	enum dx_watch_kind kind = dx_watch_kind_of(watch->kind);
	struct dx_dict *table = NULL;
	int r = 0;

	if (kind >= DX_WATCH_GENERAL) {
		return answer(client, message, DX_KR_UNSUPPORTED, "unknown kind of notification");
	}
	if (take_table(message, &table) < 0) {
		return answer(client, message, DX_KR_BAD_ARGUMENT, "not a matching dictionary");
	}
	r = dx_watch_add(client, watch->cookie, kind, table, NULL);
	if (r == 0) {
		r = reply_ids(client, message, table, kind, false);
	} else {
		(void)answer(client, message,
			     r == -EEXIST ? DX_KR_BAD_ARGUMENT : DX_KR_NO_RESOURCES,
			     r == -EEXIST ? "cookie in use" : "too many notifications");
		r = 0;
	}
	dx_object_unref(table);
	return r;
}

static int on_watch_interest(struct dx_client *client, struct dx_wire_message_in *message)
{
	const struct dx_wire_watch *watch = message->view.body;
	enum dx_watch_kind kind = dx_watch_kind_of(watch->kind);
	struct dx_entry *entry = entry_of(client, watch->id);
	int r = 0;

	if (kind < DX_WATCH_GENERAL || kind == DX_WATCH_NONE) {
		return answer(client, message, DX_KR_UNSUPPORTED, "unknown kind of interest");
	}
	if (watch->id == 0 || entry == NULL || entry->inactive) {
		return answer(client, message, DX_KR_INVALID_DEST,
			      "no such service, or it has ended");
	}
	r = dx_watch_add(client, watch->cookie, kind, NULL, entry);
	if (r < 0) {
		return answer(client, message,
			      r == -EEXIST ? DX_KR_BAD_ARGUMENT : DX_KR_NO_RESOURCES,
			      r == -EEXIST ? "cookie in use" : "too many notifications");
	}
	return answer(client, message, 0, NULL);
}

static int on_unwatch(struct dx_client *client, struct dx_wire_message_in *message)
{
	const struct dx_wire_id *cookie = message->view.body;
	int r = dx_watch_remove(client, cookie->id);

	return answer(client, message, r < 0 ? DX_KR_NOT_FOUND : 0, NULL);
}

static int on_busy(struct dx_client *client, struct dx_wire_message_in *message)
{
	const struct dx_wire_id *id = message->view.body;
	const struct dx_entry *entry = entry_of(client, id->id);
	struct dx_wire_value value = {0};

	if (entry == NULL) {
		return answer(client, message, DX_KR_INVALID_DEST, "no such entry");
	}
	value.value = entry->busy;
	return answer_body(client, message, &value, sizeof(value));
}

/* An answer that comes later. */
static int wait_for(struct dx_client *client, const struct dx_wire_message_in *message,
		    enum dx_wait_kind kind, uint64_t id, const void *bundle, uint64_t timeout_ns)
{
	int r = 0;

	if (seq_of(message) == 0) {
		return 0;
	}
	if (client->nr_waits >= DX_CLIENT_MAX_WAITS) {
		return answer(client, message, DX_KR_NO_RESOURCES, "too many requests at once");
	}
	r = dx_wait_add(client, kind, type_of(message), seq_of(message), id, bundle, timeout_ns);
	return r < 0 ? answer(client, message, DX_KR_NO_RESOURCES, NULL) : 0;
}

static int on_wait_quiet(struct dx_client *client, struct dx_wire_message_in *message)
{
	const struct dx_wire_wait *wait = message->view.body;
	const struct dx_entry *entry = entry_of(client, wait->id);

	if (entry == NULL) {
		return answer(client, message, DX_KR_INVALID_DEST, "no such entry");
	}
	if (entry->busy == 0) {
		return answer(client, message, 0, NULL);
	}
	if (wait->timeout_ns == 0) {
		return answer(client, message, DX_KR_TIMEOUT, NULL);
	}
	return wait_for(client, message, DX_WAIT_QUIET, entry->id, NULL, wait->timeout_ns);
}

static int on_load(struct dx_client *client, struct dx_wire_message_in *message)
{
	char text[DX_BUNDLE_MESSAGE_BYTES] = "";
	DX_CLEANUP_FREE char *path = NULL;
	int r = dx_wire_message_text(message, MAX_SPEC, &path);

	if (r < 0 || path[0] != '/') {
		return answer(client, message, DX_KR_BAD_ARGUMENT, "must be an absolute path");
	}
	r = dx_broker_load(client->broker, path, text, sizeof(text));
	if (r < 0) {
		return answer_errno(client, message, r, text);
	}
	r = dx_peer_send(&client->peer, type_of(message) | DX_WIRE_REPLY, seq_of(message), 0, NULL,
			 0, text, strlen(text), NULL);
	return r == -EPIPE || r == -ENOBUFS ? 0 : r;
}

static int on_unload(struct dx_client *client, struct dx_wire_message_in *message)
{
	DX_CLEANUP_FREE char *identifier = NULL;
	struct dx_bundle *bundle = NULL;

	if (dx_wire_message_text(message, DX_MAX_NAME, &identifier) < 0) {
		return answer(client, message, DX_KR_BAD_ARGUMENT, NULL);
	}
	bundle = dx_broker_find_bundle(client->broker, identifier);
	if (bundle == NULL) {
		return answer(client, message, DX_KR_NOT_FOUND, "no such bundle is loaded");
	}
	(void)wait_for(client, message, DX_WAIT_BUNDLE_GONE, 0, bundle, FOR_EVER);
	dx_bundle_unload(client->broker, bundle);
	return 0;
}

static int on_attach(struct dx_client *client, struct dx_wire_message_in *message)
{
	char text[512] = "";
	DX_CLEANUP_FREE char *spec = NULL;
	struct dx_device_wish wish = {
		.origin = DX_DEVICE_ASKED,
		.client_id = client->id,
		.client_seq = seq_of(message),
	};
	int r = dx_wire_message_text(message, MAX_SPEC, &spec);

	if (r < 0) {
		return answer(client, message, DX_KR_BAD_ARGUMENT, NULL);
	}
	if (client->nr_waits >= DX_CLIENT_MAX_WAITS) {
		return answer(client, message, DX_KR_NO_RESOURCES, "too many requests at once");
	}
	wish.spec = spec;
	r = dx_device_attach(client->broker, &wish, text, sizeof(text));
	if (r < 0) {
		return answer_errno(client, message, r, text);
	}
	client->nr_waits += wish.client_seq != 0;
	return 0;
}

static int on_detach(struct dx_client *client, struct dx_wire_message_in *message)
{
	const struct dx_wire_id *id = message->view.body;
	struct dx_device *device = dx_device_find(client->broker, id->id);

	if (device == NULL || device->unwanted) {
		return answer(client, message, DX_KR_NOT_FOUND, "no such device");
	}
	if (device->entry == NULL) {
		dx_device_detach(device);
		return answer(client, message, 0, NULL);
	}
	(void)wait_for(client, message, DX_WAIT_ENTRY_GONE, device->entry->id, NULL, FOR_EVER);
	dx_device_detach(device);
	return 0;
}

/* Reading any file of the broker's user is not for everybody; what is loaded may be seen by all. */
static int on_explain(struct dx_client *client, struct dx_wire_message_in *message)
{
	char text[DX_BUNDLE_MESSAGE_BYTES] = "";
	struct dx_dict *request = NULL;
	int r = 0;

	if (take_table(message, &request) < 0) {
		return answer(client, message, DX_KR_BAD_ARGUMENT, "not a dictionary");
	}
	if (!client->may_manage &&
	    (dx_dict_get_string(request, DX_EXPLAIN_BUNDLE_KEY, "")[0] == '/' ||
	     dx_dict_get(request, DX_EXPLAIN_SPECS_KEY) != NULL)) {
		dx_object_unref(request);
		return answer(client, message, DX_KR_NOT_PRIVILEGED,
			      "others can only ask about bundles and devices that are there");
	}
	r = client->nr_waits >= DX_CLIENT_MAX_WAITS
		    ? -EAGAIN
		    : dx_explain(client, seq_of(message), request, text, sizeof(text));
	dx_object_unref(request);
	return r < 0 ? answer_errno(client, message, r, text) : 0;
}

static int on_tree(struct dx_client *client, struct dx_wire_message_in *message)
{
	return reply_value(client, message, dx_status_tree(client->broker));
}

static int on_status(struct dx_client *client, struct dx_wire_message_in *message)
{
	return reply_value(client, message, dx_status(client->broker));
}

static int on_shutdown(struct dx_client *client, struct dx_wire_message_in *message)
{
	(void)answer(client, message, 0, NULL);
	client->broker->shutdown_asked = true;
	dx_broker_stop(client->broker);
	return 0;
}

static const struct {
	uint16_t type;
	bool manages; /* changes what others see: own user and root only */
	request_fn act;
} requests[] = {
	{DX_WIRE_A_MATCH, false, on_match},
	{DX_WIRE_A_ENTRY, false, on_entry},
	{DX_WIRE_A_MATCH_TEST, false, on_match_test},
	{DX_WIRE_A_OPEN, false, on_open},
	{DX_WIRE_A_WATCH_MATCHING, false, on_watch_matching},
	{DX_WIRE_A_WATCH_INTEREST, false, on_watch_interest},
	{DX_WIRE_A_UNWATCH, false, on_unwatch},
	{DX_WIRE_A_BUSY, false, on_busy},
	{DX_WIRE_A_WAIT_QUIET, false, on_wait_quiet},
	{DX_WIRE_A_LOAD, true, on_load},
	{DX_WIRE_A_UNLOAD, true, on_unload},
	{DX_WIRE_A_ATTACH, true, on_attach},
	{DX_WIRE_A_DETACH, true, on_detach},
	{DX_WIRE_A_TREE, false, on_tree},
	{DX_WIRE_A_STATUS, false, on_status},
	{DX_WIRE_A_SHUTDOWN, true, on_shutdown},
	{DX_WIRE_A_EXPLAIN, false, on_explain},
};

int dx_client_request(struct dx_client *client, struct dx_wire_message_in *message)
{
	uint16_t type = type_of(message);

	if (type == DX_WIRE_A_HELLO) {
		return on_hello(client, message);
	}
	if (client->role == DX_WIRE_ROLE_HOST && type == DX_WIRE_H_ADOPT) {
		return dx_records_adopt(client, message);
	}
	if (client->role != DX_WIRE_ROLE_APPLICATION && client->role != DX_WIRE_ROLE_TOOL) {
		return -EPROTO; /* X1 */
	}
	for (size_t i = 0; i < sizeof(requests) / sizeof(requests[0]); i++) {
		if (requests[i].type != type) {
			continue;
		}
		if (requests[i].manages && !client->may_manage) {
			return answer(client, message, DX_KR_NOT_PRIVILEGED,
				      "only the broker's own user and root may do that");
		}
		return requests[i].act(client, message);
	}
	return -EPROTO;
}
