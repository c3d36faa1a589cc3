/* SPDX-License-Identifier: MIT
 *
 * host_messages - what hosts say by themselves: registration, names, properties, entries.
 *
 * Place:      daemon, part of hosts.
 * Invariants: J1. An id is either the host's own (then it counts), unknown (then it was quicker
 *             than our message that the entry has gone) or somebody else's (then the host lies).
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "daemon/configure.h"
#include "daemon/device.h"
#include "daemon/drivers.h"
#include "daemon/host_watches.h"
#include "daemon/hosts.h"
#include "daemon/terminate.h"
#include "daemon/watches.h"

#define MAX_USER_BUSY 0x10000000

/* 0 with the entry, 0 with NULL for one that has gone, -EPROTO for somebody else's. */
static int find_own(struct dx_host *host, uint64_t id, struct dx_entry **ret_entry)
{
	struct dx_entry *entry = id == 0 ? NULL : dx_registry_find(host->broker->registry, id);

	if (entry == NULL || entry->ghost) {
		*ret_entry = NULL;
		return 0;
	}
	if (entry->host != host) {
		return -EPROTO;
	}
	*ret_entry = entry;
	return 0;
}

static void on_register(struct dx_host *host, struct dx_entry *entry)
{
	bool first = !entry->registered;

	if (entry->inactive) {
		return;
	}
	entry->registered = true;
	entry->match_told = false;
	dx_watches_service(host->broker, DX_WATCH_PUBLISH, entry);
	if (first) {
		dx_watches_service(host->broker, DX_WATCH_FIRST_PUBLISH, entry);
	}
	dx_broker_match_later(host->broker, entry);
}

static int on_set_name(struct dx_entry *entry, const struct dx_wire_message_in *message)
{
	DX_CLEANUP_FREE char *name = NULL;
	int r = dx_wire_message_text(message, DX_MAX_NAME - 1, &name);

	if (r == 0) {
		dx_entry_set_name(entry, name);
	}
	return r;
}

static int on_set_properties(struct dx_host *host, struct dx_entry *entry,
			     const struct dx_wire_message_in *message)
{
	void *properties = NULL;
	int r = dx_wire_message_value(message, &dx_dict_class, &properties);

	if (r < 0) {
		return r;
	}
	r = dx_entry_merge_user_properties(entry, properties);
	dx_object_unref(properties);
	if (r < 0) {
		/* The driver asked for too much: it keeps what it has, nobody else notices. */
		dx_log_warning("properties of %s, host %d: not changed: %s", entry->name,
			       (int)dx_host_pid(host),
			       r == -E2BIG ? "too large or too deep" : strerror(-r));
	}
	return 0;
}

static int on_remove_property(struct dx_entry *entry, const struct dx_wire_message_in *message)
{
	DX_CLEANUP_FREE char *key = NULL;
	int r = dx_wire_message_text(message, DX_MAX_INLINE_BYTES, &key);

	if (r == 0) {
		dx_entry_remove_user_property(entry, key);
	}
	return r;
}

/* Where a host may add: below what is its own, and interfaces below a device it drives. */
static bool may_add_below(const struct dx_host *host, const struct dx_entry *parent,
			  const char *class_name)
{
	if (parent->host == host) {
		return true;
	}
	if (strcmp(class_name, "IOUSBHostInterface") != 0 ||
	    !dx_entry_is_kind(parent, "IOUSBHostDevice")) {
		return false;
	}
	dx_list_for_each (node, &host->drivers) {
		if (dx_list_entry(node, struct dx_driver, host_node)->entry->parent == parent) {
			return true;
		}
	}
	return false;
}

static int add_entry(struct dx_host *host, struct dx_entry *parent,
		     const struct dx_wire_add_entry *body, const struct dx_dict *properties)
{
	struct dx_entry *entry = NULL;
	int r = dx_registry_add(parent, body->id, body->class_name, body->name, properties, &entry);

	if (r == -EEXIST) {
		return -EPROTO;
	}
	if (r == -ENODEV) {
		return 0; /* what it would be below is ending */
	}
	if (r < 0) {
		/* The registry has no room for it: the object works, it just cannot be seen. */
		dx_log_warning("entry \"%s\" of host %d is not in the registry: %s", body->name,
			       (int)dx_host_pid(host), strerror(-r));
		return 0;
	}
	entry->host = host;
	if (dx_entry_is_kind(entry, "IOUSBHostInterface") && parent->device != NULL) {
		const void *number = dx_entry_property(entry, "bInterfaceNumber");

		entry->device = parent->device;
		if (dx_object_is_kind(number, &dx_number_class)) {
			(void)snprintf(entry->location, sizeof(entry->location), "%x",
				       (unsigned)dx_number_u64(number));
		}
	}
	return 0;
}

static int on_add_entry(struct dx_host *host, const struct dx_wire_message_in *message)
{
	const struct dx_wire_add_entry *body = message->view.body;
	struct dx_entry *parent = dx_registry_find(host->broker->registry, body->parent_id);
	void *properties = NULL;
	int r = 0;

	if (body->id == 0 || body->parent_id == 0 || body->id - host->first_id >= host->nr_ids) {
		return -EPROTO;
	}
	if (parent == NULL || parent->ghost) {
		return 0; /* gone meanwhile; so is what would be below it */
	}
	if (!may_add_below(host, parent, body->class_name)) {
		return -EPROTO;
	}
	if (message->view.payload_length > 0) {
		r = dx_wire_message_value(message, &dx_dict_class, &properties);
	}
	if (r == 0) {
		r = add_entry(host, parent, body, properties);
	}
	dx_object_unref(properties);
	return r;
}

/* Its driver of the device, or else of one of its interfaces; NULL. */
static const struct dx_driver *driver_on(const struct dx_host *host,
					 const struct dx_device *device)
{
	const struct dx_driver *found = NULL;

	dx_list_for_each (node, &host->drivers) {
		const struct dx_driver *driver = dx_list_entry(node, struct dx_driver, host_node);

		if (driver->entry->parent == device->entry) {
			return driver;
		}
		if (driver->entry->parent->device == device) {
			found = driver;
		}
	}
	return found;
}

static int on_configured(struct dx_host *host, const struct dx_wire_configured *body)
{
	struct dx_entry *entry = dx_registry_find(host->broker->registry, body->id);
	const struct dx_driver *driver = NULL;

	if (body->id == 0 || entry == NULL || entry->ghost || entry->inactive) {
		return 0; /* gone meanwhile */
	}
	if (entry->device != NULL && entry->device->entry == entry) {
		driver = driver_on(host, entry->device);
	}
	if (driver == NULL) {
		return -EPROTO;
	}
	dx_device_configure_by(entry->device, driver, body->value,
			       (body->flags & DX_CONFIGURED_MATCH) != 0);
	return 0;
}

static int on_device_lost(struct dx_host *host, uint64_t provider_id, bool was_reset)
{
	struct dx_entry *entry = dx_registry_find(host->broker->registry, provider_id);

	if (provider_id == 0 || entry == NULL || entry->ghost || entry->inactive) {
		return 0;
	}
	dx_list_for_each (node, &host->drivers) {
		const struct dx_driver *driver = dx_list_entry(node, struct dx_driver, host_node);

		if (driver->provider_id == provider_id && entry->device != NULL) {
			dx_device_gone(entry->device, was_reset);
			return 0;
		}
	}
	return -EPROTO;
}

/* What a driver adds it may take back, and no more: the rest of the count is others'. */
static void on_adjust_busy(struct dx_entry *entry, int32_t delta)
{
	int64_t wanted = (int64_t)entry->user_busy + delta;
	uint32_t now = wanted < 0 ? 0 : wanted > MAX_USER_BUSY ? MAX_USER_BUSY : (uint32_t)wanted;
	int change = (int)now - (int)entry->user_busy;

	entry->user_busy = now;
	dx_entry_adjust_busy(entry, change);
}

static int on_message(struct dx_entry *entry, const struct dx_wire_message *body)
{
	dx_watches_interest(entry, DX_WATCH_GENERAL, body->type, body->argument);
	return 0;
}

/* Everything that names an entry of the host in the first eight bytes of its body. */
static int about_entry(struct dx_host *host, const struct dx_wire_message_in *message)
{
	struct dx_entry *entry = NULL;
	int r = find_own(host, ((const struct dx_wire_id *)message->view.body)->id, &entry);

	if (r < 0 || entry == NULL) {
		return r;
	}
	switch (message->view.header.type) {
	case DX_WIRE_H_REGISTER:
		on_register(host, entry);
		return 0;
	case DX_WIRE_H_SET_NAME:
		return on_set_name(entry, message);
	case DX_WIRE_H_SET_PROPERTIES:
		return on_set_properties(host, entry, message);
	case DX_WIRE_H_REMOVE_PROPERTY:
		return on_remove_property(entry, message);
	case DX_WIRE_H_REMOVE_ENTRY:
		if (entry->driver != NULL) {
			dx_driver_retire(entry->driver);
		}
		dx_terminate_stopped(host->broker, entry);
		return 0;
	case DX_WIRE_H_TERMINATE_REQUEST:
		if (entry->driver != NULL) {
			dx_driver_retire(entry->driver);
		}
		dx_terminate(host->broker, entry);
		return 0;
	case DX_WIRE_H_ADJUST_BUSY:
		on_adjust_busy(entry, ((const struct dx_wire_adjust *)message->view.body)->delta);
		return 0;
	case DX_WIRE_H_MESSAGE:
		return on_message(entry, message->view.body);
	default:
		return -EPROTO;
	}
}

static int on_watch(struct dx_host *host, const struct dx_wire_message_in *message)
{
	void *matching = NULL;
	int r = dx_wire_message_value(message, &dx_dict_class, &matching);

	if (r == 0) {
		r = dx_host_watch_add(host, ((const struct dx_wire_id *)message->view.body)->id,
				      matching);
		dx_object_unref(matching);
	}
	if (r == -ENOMEM) {
		dx_log_warning("host %d is not told of services: %s", (int)dx_host_pid(host),
			       strerror(ENOMEM));
		return 0;
	}
	return r;
}

int dx_host_message(struct dx_host *host, struct dx_wire_message_in *message)
{
	switch (message->view.header.type) {
	case DX_WIRE_H_WATCH:
		return on_watch(host, message);
	case DX_WIRE_H_UNWATCH:
		dx_host_watch_remove(host, ((const struct dx_wire_id *)message->view.body)->id);
		return 0;
	case DX_WIRE_H_ADD_ENTRY:
		return on_add_entry(host, message);
	case DX_WIRE_H_DEVICE_LOST:
	case DX_WIRE_H_DEVICE_RESET:
		return on_device_lost(host, ((const struct dx_wire_id *)message->view.body)->id,
				      message->view.header.type == DX_WIRE_H_DEVICE_RESET);
	case DX_WIRE_H_CONFIGURED:
		return on_configured(host, message->view.body);
	case DX_WIRE_H_REGISTER:
	case DX_WIRE_H_SET_NAME:
	case DX_WIRE_H_SET_PROPERTIES:
	case DX_WIRE_H_REMOVE_PROPERTY:
	case DX_WIRE_H_REMOVE_ENTRY:
	case DX_WIRE_H_TERMINATE_REQUEST:
	case DX_WIRE_H_ADJUST_BUSY:
	case DX_WIRE_H_MESSAGE:
		return about_entry(host, message);
	default:
		return -EPROTO;
	}
}
