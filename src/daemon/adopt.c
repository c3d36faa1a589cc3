/* SPDX-License-Identifier: MIT
 *
 * adopt - take over a host that outlived its broker; see records.h.
 *
 * Place:      daemon, over records, hosts and drivers.
 *
 *             A host's services are put back in the order it lists them. When the provider of one
 *             belongs to another host that is still on its way, all of this host waits for it.
 * Trust:      what a host says of itself counts only as far as our own record agrees: which
 *             services are drivers on which provider comes from the record, names and properties
 *             from it.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "daemon/bundle.h"
#include "daemon/clients.h"
#include "daemon/configure.h"
#include "daemon/device.h"
#include "daemon/drivers.h"
#include "daemon/hosts.h"
#include "daemon/records.h"
#include "wire/link.h"

/* What our record says of the service, or NULL: then it is the host's own object. */
static const struct dx_dict *recorded(const struct dx_dict *record, uint64_t id)
{
	const struct dx_array *services = dx_dict_get_array(record, "services");

	for (size_t i = 0; services != NULL && i < dx_array_count(services); i++) {
		const void *service = dx_array_get(services, i);

		if (dx_object_is_kind(service, &dx_dict_class) &&
		    dx_dict_get_u64(service, "id", 0) == id) {
			return service;
		}
	}
	return NULL;
}

static const struct dx_personality *find_personality(const struct dx_bundle *bundle,
						     const char *name)
{
	for (size_t i = 0; i < bundle->nr_personalities; i++) {
		if (strcmp(bundle->personalities[i].name, name) == 0) {
			return &bundle->personalities[i];
		}
	}
	return NULL;
}

static int adopt_driver(struct dx_host *host, struct dx_entry *entry, const struct dx_dict *record)
{
	const struct dx_personality *personality =
		find_personality(host->bundle, dx_dict_get_string(record, "personality", ""));

	if (personality == NULL) {
		return -ENOENT;
	}
	return dx_driver_adopt(host->broker, entry, entry->parent, personality, host);
}

/* What the registry is to show of it: from the start message for services that a broker matched. */
struct shown {
	const char *class_name;
	const char *name;
	const struct dx_dict *properties;
};

static struct shown shown_by(const struct dx_host *host, const struct dx_dict *service,
			     const struct dx_dict *mine)
{
	struct dx_dict *start = dx_dict_get_dict(service, DX_ADOPT_START_KEY);
	const struct dx_personality *personality =
		mine == NULL ? NULL
			     : find_personality(host->bundle,
						dx_dict_get_string(mine, "personality", ""));
	struct shown shown = {
		.class_name = dx_dict_get_string(service, DX_ADOPT_CLASS_KEY, "IOUserService"),
		.name = dx_dict_get_string(service, DX_ENTRY_NAME_KEY, ""),
		.properties = dx_dict_get_dict(service, DX_ENTRY_PROPERTIES_KEY),
	};

	if (personality != NULL) {
		shown.class_name = personality->kernel_class;
		shown.name =
			dx_dict_get_string(service, DX_ENTRY_NAME_KEY, personality->user_class);
		shown.properties =
			start == NULL ? NULL : dx_dict_get_dict(start, DX_START_PROPERTIES_KEY);
	}
	return shown;
}

/* Where it belongs: our record decides for drivers, the host for what it made itself. */
static struct dx_entry *parent_of(struct dx_host *host, const struct dx_dict *service,
				  const struct dx_dict *mine)
{
	uint64_t id = mine != NULL ? dx_dict_get_u64(mine, "provider", 0)
				   : dx_dict_get_u64(service, DX_ENTRY_PARENT_KEY, 0);
	struct dx_entry *parent = id == 0 ? NULL : dx_registry_find(host->broker->registry, id);

	return parent == NULL || parent->ghost || (mine == NULL && parent->host != host) ? NULL
											 : parent;
}

/* One service: back into the registry under its old id. */
static int adopt_service(struct dx_host *host, const struct dx_dict *service,
			 const struct dx_dict *record)
{
	uint64_t id = dx_dict_get_u64(service, DX_ENTRY_ID_KEY, 0);
	const struct dx_dict *mine = recorded(record, id);
	const struct dx_dict *user = dx_dict_get_dict(service, DX_ADOPT_USER_PROPERTIES_KEY);
	const struct shown shown = shown_by(host, service, mine);
	struct dx_entry *parent = parent_of(host, service, mine);
	struct dx_entry *entry = NULL;
	int r = 0;

	if (id == 0 || parent == NULL || (mine == NULL && id - host->first_id >= host->nr_ids)) {
		return -EPROTO;
	}
	r = dx_registry_add(parent, id, shown.class_name, shown.name, shown.properties, &entry);
	if (r < 0) {
		return r;
	}
	entry->host = host;
	entry->registered = dx_dict_get_bool(service, DX_ENTRY_REGISTERED_KEY, false);
	entry->matched = entry->registered;
	entry->match_told = entry->registered;
	if (user != NULL) {
		(void)dx_entry_merge_user_properties(entry, user); /* too large: left out */
	}
	return mine == NULL ? 0 : adopt_driver(host, entry, mine);
}

/*
 * What the driver chose while no broker listened, which our record cannot know. Where another driver
 * has chosen since, by the records, that counts.
 */
static void adopt_configuration(const struct dx_host *host, const struct dx_dict *service)
{
	const struct dx_entry *entry = dx_registry_find(
		host->broker->registry, dx_dict_get_u64(service, DX_ENTRY_ID_KEY, 0));
	struct dx_device *device = entry == NULL ? NULL : entry->parent->device;
	uint64_t value = dx_dict_get_u64(service, DX_ADOPT_CONFIGURATION_KEY, UINT64_MAX);

	if (device == NULL || entry->driver == NULL || device->entry != entry->parent ||
	    value > UINT8_MAX || value == device->configuration ||
	    (device->configured_by != 0 && device->configured_by != entry->id)) {
		return;
	}
	dx_device_configure_by(device, entry->driver, (unsigned)value,
			       dx_dict_get_bool(service, DX_ADOPT_MATCHES_KEY, false));
}

static void adopt_configurations(const struct dx_host *host, const struct dx_dict *dict)
{
	const struct dx_array *services = dx_dict_get_array(dict, DX_ADOPT_SERVICES_KEY);

	for (size_t i = 0; i < dx_array_count(services); i++) {
		adopt_configuration(host, dx_array_get(services, i));
	}
}

/* Whether every provider is there: in the registry, or further up in the same list. */
static bool providers_are_there(struct dx_host *host, const struct dx_array *services,
				const struct dx_dict *record)
{
	for (size_t i = 0; i < dx_array_count(services); i++) {
		const void *service = dx_array_get(services, i);
		const struct dx_dict *mine = NULL;

		if (!dx_object_is_kind(service, &dx_dict_class)) {
			continue; /* refused later */
		}
		mine = recorded(record, dx_dict_get_u64(service, "id", 0));
		if (mine != NULL &&
		    dx_registry_find(host->broker->registry,
				     dx_dict_get_u64(mine, "provider", 0)) == NULL) {
			return false;
		}
	}
	return true;
}

/* 0 done; 1 a provider is missing yet; negative: refused. */
static int adopt_services(struct dx_host *host, const struct dx_dict *dict,
			  const struct dx_dict *record)
{
	const struct dx_array *services = dx_dict_get_array(dict, DX_ADOPT_SERVICES_KEY);
	int r = 0;

	if (services == NULL) {
		return -EPROTO;
	}
	if (!providers_are_there(host, services, record)) {
		return 1;
	}
	for (size_t i = 0; r == 0 && i < dx_array_count(services); i++) {
		const void *service = dx_array_get(services, i);

		r = dx_object_is_kind(service, &dx_dict_class)
			    ? adopt_service(host, service, record)
			    : -EPROTO;
	}
	if (r == 0 && dx_list_is_empty(&host->drivers)) {
		return -ENOENT; /* it serves nothing that we know */
	}
	return r;
}

static void adopt_failed(struct dx_host *host, int code)
{
	dx_log_error("host %d of %s cannot be taken over: %s: it is killed",
		     (int)host->launched.pid, host->identifier, strerror(-code));
	host->killed = true;
	dx_host_kill(host, SIGKILL); /* its end takes away what was put back */
}

static void adopt_finished(struct dx_host *host, int code)
{
	struct dx_dict *dict = dx_take_ptr(&host->adopting);

	host->record = dx_object_unref(host->record);
	if (code == 0) {
		adopt_configurations(host, dict);
	}
	dx_object_unref(dict);
	if (code < 0) {
		adopt_failed(host, code);
	} else {
		dx_log_info("host %d of %s taken over", (int)host->launched.pid, host->identifier);
		dx_record_write(host);
	}
}

void dx_adopt_continue(struct dx_broker *broker)
{
	bool again = true;

	while (again) {
		again = false;
		dx_list_for_each (node, &broker->hosts) {
			struct dx_host *host = dx_list_entry(node, struct dx_host, node);
			int r = host->adopting == NULL
					? 1
					: adopt_services(host, host->adopting, host->record);

			if (r <= 0) {
				adopt_finished(host, r);
				again = true;
			}
		}
	}
}

void dx_adopt_give_up(struct dx_broker *broker)
{
	dx_list_for_each (node, &broker->hosts) {
		struct dx_host *host = dx_list_entry(node, struct dx_host, node);

		if (host->adopting != NULL) {
			adopt_finished(host, -ENODEV);
		}
	}
}

static int take_host(struct dx_client *client, struct dx_record *record, struct dx_host **ret_host)
{
	struct dx_broker *broker = client->broker;
	struct dx_bundle *bundle =
		dx_broker_find_bundle(broker, dx_dict_get_string(record->dict, "identifier", ""));
	const struct dx_launched launched = {.pid = record->pid, .watch_fd = record->pidfd};
	DX_CLEANUP_FD int socket = -1;
	int r = 0;

	if (bundle == NULL) {
		return -ENOENT;
	}
	record->watch = dx_loop_source_remove(record->watch);
	socket = dx_peer_release(&client->peer);
	client->gone = true;
	r = dx_host_adopt(broker, bundle, dx_dict_get_string(record->dict, "server", ""), &launched,
			  &socket, dx_dict_get_u64(record->dict, "first_id", 0),
			  dx_dict_get_u64(record->dict, "nr_ids", 0), ret_host);
	if (r == 0) {
		record->pidfd = -1; /* the host has it */
		(*ret_host)->one_process = dx_dict_get_bool(record->dict, "one_process", false);
	}
	return r;
}

int dx_records_adopt(struct dx_client *client, struct dx_wire_message_in *message)
{
	struct dx_broker *broker = client->broker;
	struct dx_record *record = dx_record_find(broker, client->pid);
	struct dx_host *host = NULL;
	void *dict = NULL;
	int r = 0;

	if (record == NULL || client->peer.nr_frames > 0) {
		return -EPROTO;
	}
	r = dx_wire_message_value(message, &dx_dict_class, &dict);
	if (r == 0) {
		r = take_host(client, record, &host);
	}
	if (r < 0) {
		dx_object_unref(dict);
		return r; /* the record stays: at the end of the wait the process is killed */
	}
	host->adopting = dict;
	host->record = dx_object_ref(record->dict);
	dx_record_taken(record);
	dx_adopt_continue(broker);
	dx_broker_kick(broker);
	return 0;
}
