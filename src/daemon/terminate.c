/* SPDX-License-Identifier: MIT
 *
 * terminate - mark, stop, remove; see terminate.h.
 *
 * Place:   daemon.
 */
#include "daemon/terminate.h"

#include <signal.h>

#include "daemon/clients.h"
#include "daemon/configure.h"
#include "daemon/device.h"
#include "daemon/drivers.h"
#include "daemon/hosts.h"
#include "daemon/watches.h"

/* T1. Parents before children, as applications expect to hear it. */
static void mark_inactive(struct dx_broker *broker, struct dx_entry *entry)
{
	if (entry->inactive) {
		return;
	}
	entry->inactive = true;
	if (entry->registered) {
		dx_watches_service(broker, DX_WATCH_WILL_TERMINATE, entry);
	}
	dx_watches_interest(entry, DX_WATCH_GENERAL, DX_MESSAGE_TERMINATED, 0);
	if (entry->driver != NULL || entry->host == NULL) {
		entry->stop = DX_STOP_WANTED;
	}
	dx_list_for_each (node, &entry->children) {
		mark_inactive(broker, dx_list_entry(node, struct dx_entry, sibling));
	}
}

static void remove_entry(struct dx_broker *broker, struct dx_entry *entry)
{
	struct dx_device *device = entry->device;
	bool is_device = device != NULL && device->entry == entry;
	uint64_t id = entry->id;

	if (entry->registered) {
		dx_watches_service(broker, DX_WATCH_TERMINATED, entry);
	}
	if (entry->driver != NULL) {
		dx_driver_free(entry->driver);
	}
	dx_slots_free(entry);
	dx_watches_entry_gone(entry);
	dx_registry_remove(entry);
	dx_waits_entry_gone(broker, id);
	if (is_device) {
		dx_device_entry_gone(device);
	} else if (device != NULL) {
		dx_device_interface_gone(device);
	}
}

/* Children first. */
static void remove_all(struct dx_broker *broker, struct dx_entry *entry)
{
	dx_list_for_each_safe (node, &entry->children) {
		remove_all(broker, dx_list_entry(node, struct dx_entry, sibling));
	}
	remove_entry(broker, entry);
}

/* Asks the host to stop it, if it has to know. @return true when an answer must be waited for. */
static bool ask_host(struct dx_entry *entry)
{
	if (entry->host == NULL ||
	    (entry->driver != NULL && !dx_driver_was_told(entry->driver))) {
		return false;
	}
	if (entry->driver != NULL && entry->driver->state == DX_DRIVER_STARTING) {
		return true; /* the answer to START comes first, and goes on from here */
	}
	if (dx_host_terminate(entry->host, entry) == 0) {
		entry->stop = DX_STOP_SENT;
		return true;
	}
	/* It cannot be told, so it must not go on serving what is no longer there. */
	dx_host_kill(entry->host, SIGKILL);
	return false;
}

/* Does what can be done in this part. @return true when nothing in it waits any more; entry may
 * then be gone. */
static bool settle(struct dx_broker *broker, struct dx_entry *entry)
{
	bool waiting = false;

	dx_list_for_each_safe (node, &entry->children) {
		waiting |= !settle(broker, dx_list_entry(node, struct dx_entry, sibling));
	}
	if (waiting || entry->stop == DX_STOP_SENT) {
		return false;
	}
	if (entry->stop == DX_STOP_NONE) {
		return true; /* T3: goes with what it belongs to */
	}
	if (entry->stop == DX_STOP_WANTED && ask_host(entry)) {
		return false;
	}
	remove_all(broker, entry);
	return true;
}

/* The top of the part that entry is in; NULL when entry is not ending. */
static struct dx_entry *top_of(struct dx_entry *entry)
{
	if (!entry->inactive || entry->ghost) {
		return NULL;
	}
	while (entry->parent != NULL && entry->parent->inactive) {
		entry = entry->parent;
	}
	return entry;
}

void dx_terminate_continue(struct dx_broker *broker, struct dx_entry *entry)
{
	struct dx_entry *top = top_of(entry);

	if (top != NULL) {
		(void)settle(broker, top);
	}
}

void dx_terminate(struct dx_broker *broker, struct dx_entry *entry)
{
	if (entry->inactive) {
		return;
	}
	mark_inactive(broker, entry);
	if (entry->stop == DX_STOP_NONE) {
		entry->stop = DX_STOP_WANTED; /* a host's own entry, on its own */
	}
	dx_terminate_continue(broker, entry);
}

void dx_terminate_stopped(struct dx_broker *broker, struct dx_entry *entry)
{
	mark_inactive(broker, entry);
	entry->stop = DX_STOP_DONE;
	dx_terminate_continue(broker, entry);
}

void dx_terminate_host(struct dx_broker *broker, struct dx_host *host)
{
	struct dx_entry *entry = NULL;

	/* First nobody has it any more, so that nobody asks it; then the parts go, each from where
	 * the host's entries begin. */
	for (entry = dx_registry_root(broker->registry); entry != NULL;
	     entry = dx_registry_next(entry)) {
		if (entry->host == host) {
			entry->host = NULL;
			entry->orphan = true;
			if (entry->inactive && entry->stop != DX_STOP_NONE) {
				entry->stop = DX_STOP_DONE;
			}
		}
	}
	for (entry = dx_registry_root(broker->registry); entry != NULL;) {
		struct dx_entry *next = dx_registry_next(entry);

		if (entry->orphan) {
			entry->orphan = false;
			dx_terminate_stopped(broker, entry);
			next = dx_registry_root(broker->registry); /* the tree has changed */
		}
		entry = next;
	}
}
