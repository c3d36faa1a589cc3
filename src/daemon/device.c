/* SPDX-License-Identifier: MIT
 *
 * device - attach a spec, show it in the registry, lose it, look for it again; see device.h.
 *
 * Place:      daemon, over usb. Interfaces are in configure.c, real arrivals in hotplug.c.
 * Trust:      descriptors are the device's; usb/ has checked them, here they are only values.
 */
#include "daemon/device.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/ioreturn.h"
#include "base/jobs.h"
#include "base/log.h"
#include "daemon/clients.h"
#include "daemon/configure.h"
#include "daemon/drivers.h"
#include "daemon/hosts.h"
#include "daemon/hotplug.h"
#include "daemon/reading.h"
#include "daemon/records.h"
#include "daemon/terminate.h"
#include "daemon/watches.h"
#include "usb/spec.h"

#define NS_PER_MS        1000000ull
#define MAX_PLUGGED_TRIES 6u /* of a device that was plugged in and cannot be read */

const char *dx_device_state_name(const struct dx_device *device)
{
	static const char *const names[] = {
		[DX_DEVICE_ATTACHING] = "attaching", [DX_DEVICE_ATTACHED] = "attached",
		[DX_DEVICE_LEAVING] = "leaving",     [DX_DEVICE_ABSENT] = "waiting",
		[DX_DEVICE_RETRYING] = "failing",
	};

	return names[device->state];
}

struct dx_device *dx_device_find(struct dx_broker *broker, uint64_t id)
{
	dx_list_for_each (node, &broker->devices) {
		struct dx_device *device = dx_list_entry(node, struct dx_device, node);

		if (id != 0 && (device->id == id || device->first_id == id)) {
			return device;
		}
	}
	return NULL;
}

/* D3. */
static void keep_busy(struct dx_device *device, bool keep)
{
	if (device->keeps_busy != keep) {
		device->keeps_busy = keep;
		dx_entry_adjust_busy(dx_registry_root(device->broker->registry), keep ? 1 : -1);
	}
}

void dx_device_free(struct dx_device *device)
{
	device->job = dx_job_forget(device->job);
	device->timer = dx_loop_source_remove(device->timer);
	keep_busy(device, false);
	dx_list_remove(&device->node);
	dx_object_unref(device->configurations);
	free(device->failure);
	free(device->port);
	free(device->spec);
	free(device);
}

static void set_port(struct dx_device *device, const char *port)
{
	free(device->port);
	device->port = port == NULL ? NULL : strdup(port); /* without memory: not known */
}

/* The tool that waits, if it still does, hears the end of its request. */
static void answer(struct dx_device *device, int code, const char *text)
{
	struct dx_client *client = device->client_seq == 0
					   ? NULL
					   : dx_client_find(device->broker, device->client_id);
	const struct dx_wire_id id = {.id = device->id};

	if (client != NULL) {
		client->nr_waits--;
		if (code < 0) {
			dx_client_fail(client, DX_WIRE_A_ATTACH, device->client_seq,
				       dx_ioreturn_from_errno(code), text);
		} else {
			dx_client_reply(client, DX_WIRE_A_ATTACH, device->client_seq, 0, &id,
					sizeof(id), NULL);
		}
	}
	device->client_seq = 0;
}

/* Nobody has heard of the entry yet, so it goes without ceremony. */
static void drop_entry(struct dx_device *device)
{
	struct dx_entry *entry = device->entry;

	if (entry != NULL) {
		dx_list_for_each_safe (node, &entry->children) {
			struct dx_entry *child = dx_list_entry(node, struct dx_entry, sibling);

			child->registered = false;
			dx_registry_remove(child);
		}
		device->entry = NULL;
		entry->registered = false;
		dx_registry_remove(entry);
	}
}

/* Two specs for one real device: "usb:VID:PID" and "usb:BUS-PORT". */
static bool is_there_twice(const struct dx_device *device, const struct dx_dict *dict)
{
	if (!dx_hotplug_watches(device->broker, device->backend)) {
		return false;
	}
	dx_list_for_each (node, &device->broker->devices) {
		const struct dx_device *other = dx_list_entry(node, struct dx_device, node);

		if (other != device && other->backend == device->backend &&
		    other->state == DX_DEVICE_ATTACHED &&
		    dx_dict_get_u64(other->entry->properties, "locationID", 0) ==
			    dx_dict_get_u64(dict, "locationID", 0) &&
		    dx_dict_get_u64(other->entry->properties, "kUSBAddress", 0) ==
			    dx_dict_get_u64(dict, "kUSBAddress", 0)) {
			return true;
		}
	}
	return false;
}

/* Takes what describes configurations out of dict, which becomes the entry's properties. */
static int take_configurations(struct dx_device *device, struct dx_dict *dict)
{
	dx_object_unref(device->configurations);
	device->configurations = dx_object_ref(dx_dict_get_array(dict, "configurations"));
	(void)dx_dict_remove(dict, "configurations");
	(void)dx_dict_remove(dict, "interfaces");
	device->configuration = 0;
	device->next_configuration = 0;
	device->composite = false;
	device->configured_by = 0;
	return device->configurations == NULL ? -EPROTO : 0;
}

static int publish(struct dx_device *device, struct dx_dict *dict)
{
	struct dx_registry *registry = device->broker->registry;
	uint64_t location = dx_dict_get_u64(dict, "locationID", 0);
	int r = is_there_twice(device, dict) ? -EEXIST : take_configurations(device, dict);

	if (r == 0 && device->had_entry) {
		device->id = dx_registry_take_ids(registry, 1); /* D2 */
	}
	if (r == 0) {
		r = dx_registry_add(dx_registry_root(registry), device->id, "IOUSBHostDevice",
				    dx_dict_get_string(dict, "kUSBProductString", "IOUSBHostDevice"),
				    dict, &device->entry);
	}
	if (r == 0) {
		device->entry->device = device;
		device->entry->registered = true;
		(void)snprintf(device->entry->location, sizeof(device->entry->location), "%08x",
			       (unsigned)location);
		set_port(device, dx_hotplug_port(device->broker, device->backend, location));
	}
	return r;
}

static void announce(struct dx_broker *broker, struct dx_entry *entry)
{
	dx_watches_service(broker, DX_WATCH_PUBLISH, entry);
	dx_watches_service(broker, DX_WATCH_FIRST_PUBLISH, entry);
	dx_broker_match_later(broker, entry);
}

static void set_failure(struct dx_device *device, const char *text)
{
	free(device->failure);
	device->failure = text == NULL ? NULL : strdup(text);
}

static void attached(struct dx_device *device)
{
	struct dx_broker *broker = device->broker;

	if (device->nr_tries > 0) {
		dx_log_info("device %s: is back", device->spec);
	}
	device->state = DX_DEVICE_ATTACHED;
	device->had_entry = true;
	device->settled = true;
	device->again = false;
	device->nr_tries = 0;
	set_failure(device, NULL);
	announce(broker, device->entry);
	dx_records_restore_interfaces(device);
	answer(device, 0, NULL);
	keep_busy(device, false);
	dx_adopt_continue(broker); /* a host may have waited for it */
	dx_broker_kick(broker);
}

static void retry_later(struct dx_device *device)
{
	unsigned delay_ms = dx_broker_backoff_ms(device->broker, ++device->nr_tries);

	device->state = DX_DEVICE_RETRYING;
	dx_loop_set_timer(device->timer, dx_clock_now_ns() + delay_ms * NS_PER_MS);
}

/* Whether one that is not there is worth another look, and when. False: nobody can know. */
static bool waits_for_return(struct dx_device *device)
{
	if (device->backend->reconnects) {
		retry_later(device);
		return true;
	}
	if (dx_hotplug_watches(device->broker, device->backend) &&
	    device->origin != DX_DEVICE_PLUGGED) {
		device->state = DX_DEVICE_ABSENT;
		return true;
	}
	return false;
}

/* The first try failed: whoever asked decides. */
static void first_failed(struct dx_device *device, int code, const char *text)
{
	struct dx_broker *broker = device->broker;

	switch (device->origin) {
	case DX_DEVICE_ASKED:
		answer(device, code, text);
		break;
	case DX_DEVICE_GIVEN:
		if (!dx_broker_given_failed(broker, code, text) && waits_for_return(device)) {
			keep_busy(device, false);
			return;
		}
		break;
	default:
		if (code != -EEXIST) {
			dx_log_error("%s", text);
		}
	}
	dx_device_free(device);
}

/* Its node may get its rights a moment after it appears. One that stays as it is is shown, with the
 * reason, for as long as it is plugged in. */
static void retry_plugged(struct dx_device *device)
{
	device->state = DX_DEVICE_RETRYING;
	if (device->nr_tries < MAX_PLUGGED_TRIES) {
		retry_later(device);
	}
}

static void failed(struct dx_device *device, int code, const char *text)
{
	bool first = !device->settled;
	bool told = device->failure != NULL && strcmp(device->failure, text) == 0;

	set_failure(device, text);
	device->settled = true;
	if (device->origin == DX_DEVICE_PLUGGED && code != -EEXIST) {
		retry_plugged(device);
	} else if (first || device->origin == DX_DEVICE_PLUGGED) {
		first_failed(device, code, text);
		return;
	} else if (device->again && device->nr_tries < DX_MAX_RESTARTS) {
		retry_later(device); /* after a reset it needs a moment */
	} else if (!waits_for_return(device)) {
		dx_log_warning("%s", text);
		dx_device_free(device);
		return;
	}
	if (!told) {
		dx_log_warning("%s%s", text,
			       device->state == DX_DEVICE_RETRYING ? ": it is tried again" : "");
	}
	keep_busy(device, false);
}

/* What was at the port when the last broker ended is not there: then it is another one, if any. */
static void forget_port(struct dx_device *device)
{
	set_port(device, NULL);
	device->id = dx_registry_take_ids(device->broker->registry, 1);
	device->first_id = device->id;
	dx_loop_set_timer(device->timer, dx_clock_now_ns());
}

static void on_read(void *context, void *data)
{
	struct dx_device *device = context;
	struct dx_reading *reading = data;
	struct dx_broker *broker = device->broker;
	char text[sizeof(reading->message)];
	int r = reading->result;

	device->job = NULL;
	if (r < 0 && device->port != NULL && broker->phase < DX_PHASE_STOPPING) {
		forget_port(device);
		return;
	}
	(void)snprintf(text, sizeof(text), "%s", reading->message);
	if (r == 0) {
		r = publish(device, reading->dict);
		(void)snprintf(text, sizeof(text), "%.300s: %s%s", device->spec,
			       r == -EEXIST ? "" : "cannot be put into the registry: ",
			       r == -EEXIST ? "is attached already, by another spec" : strerror(-r));
	}
	if (broker->phase < DX_PHASE_STOPPING && r == 0) {
		attached(device);
		return;
	}
	drop_entry(device);
	if (broker->phase < DX_PHASE_STOPPING) {
		failed(device, r, text);
		dx_broker_kick(broker);
	}
}

static int read_start(struct dx_device *device)
{
	static const struct dx_job_ops ops = {
		.work = dx_reading_work, .done = on_read, .release = dx_reading_release};
	struct dx_broker *broker = device->broker;
	struct dx_reading *reading =
		dx_reading_new(broker, device->port != NULL ? device->port : device->spec);
	int r = reading == NULL
			? -ENOMEM
			: dx_job_start(broker->jobs, &ops, reading, device, &device->job);

	if (r < 0) {
		dx_reading_free(reading);
	}
	return r;
}

/* One that was there, or should have been. */
static void read_again(struct dx_device *device)
{
	int r = read_start(device);

	if (r < 0) {
		failed(device, r, strerror(-r));
	}
}

static void on_retry(void *context)
{
	read_again(context);
}

static int device_new(struct dx_broker *broker, const struct dx_device_wish *wish,
		      const struct dx_usb_backend_ops *backend, struct dx_device **ret_device)
{
	struct dx_device *device = calloc(1, sizeof(*device));
	int r = 0;

	if (device == NULL) {
		return -ENOMEM;
	}
	dx_list_init(&device->node);
	device->broker = broker;
	device->backend = backend;
	device->origin = wish->origin;
	device->spec = strdup(wish->spec);
	r = device->spec == NULL ? -ENOMEM
				 : dx_loop_add_timer(broker->loop, on_retry, device,
						     &device->timer);
	if (r < 0) {
		dx_device_free(device);
		return r;
	}
	device->id = dx_records_device_id(broker, wish->spec);
	set_port(device, dx_records_device_port(broker, device->id));
	if (device->id == 0) {
		device->id = dx_registry_take_ids(broker->registry, 1);
	}
	device->first_id = device->id;
	dx_list_push_back(&broker->devices, &device->node);
	*ret_device = device;
	return 0;
}

int dx_device_attach(struct dx_broker *broker, const struct dx_device_wish *wish, char *message,
		     size_t message_size)
{
	static const struct dx_usb_backend_ops *const none[] = {NULL};
	const struct dx_usb_backend_ops *backend = dx_usb_spec_backend(
		wish->spec, broker->options->backends != NULL ? broker->options->backends : none,
		message, message_size);
	struct dx_device *device = NULL;
	int r = 0;

	if (backend == NULL) {
		return -ENODEV;
	}
	r = dx_hotplug_expect(broker, backend, message, message_size);
	if (r < 0) {
		return r;
	}
	r = device_new(broker, wish, backend, &device);
	if (r == 0) {
		keep_busy(device, true);
		r = read_start(device);
	}
	if (r < 0) {
		(void)snprintf(message, message_size, "%s: %s", wish->spec, strerror(-r));
		if (device != NULL) {
			dx_device_free(device);
		}
		return r;
	}
	device->client_id = wish->client_id;
	device->client_seq = wish->client_seq;
	return 0;
}

static void tell_hosts(struct dx_device *device)
{
	dx_list_for_each (node, &device->broker->drivers) {
		struct dx_driver *driver = dx_list_entry(node, struct dx_driver, node);

		if (driver->host != NULL && dx_driver_was_told(driver) &&
		    driver->entry->parent->device == device) {
			dx_host_device_gone(driver->host, driver->provider_id);
		}
	}
}

void dx_device_gone(struct dx_device *device, bool was_reset)
{
	if (device->state != DX_DEVICE_ATTACHED) {
		return;
	}
	device->state = DX_DEVICE_LEAVING;
	set_port(device, NULL);
	device->again = was_reset;
	device->next_configuration = 0;
	tell_hosts(device);
	dx_terminate(device->broker, device->entry);
}

void dx_device_detach(struct dx_device *device)
{
	device->unwanted = true;
	if (device->entry != NULL) {
		dx_device_gone(device, false);
		return;
	}
	answer(device, -ECANCELED, "detached while it was being attached");
	dx_broker_kick(device->broker);
	dx_device_free(device);
}

void dx_device_returned(struct dx_device *device)
{
	switch (device->state) {
	case DX_DEVICE_LEAVING:
		device->again = true;
		break;
	case DX_DEVICE_ABSENT:
		device->state = DX_DEVICE_ATTACHING;
		device->nr_tries = 0;
		keep_busy(device, true);
		read_again(device);
		break;
	case DX_DEVICE_RETRYING:
		if (device->job == NULL) {
			dx_loop_set_timer(device->timer, dx_clock_now_ns());
		}
		break;
	default:
		break;
	}
}

void dx_device_entry_gone(struct dx_device *device)
{
	device->entry = NULL;
	if (device->unwanted || device->broker->phase >= DX_PHASE_STOPPING) {
		dx_device_free(device);
	} else if (device->again) {
		device->state = DX_DEVICE_ATTACHING;
		keep_busy(device, true);
		read_again(device);
	} else if (!waits_for_return(device)) {
		dx_device_free(device);
	}
}
