/* SPDX-License-Identifier: MIT
 *
 * hotplug - attach what arrives, look again for what is waited for; see hotplug.h.
 *
 * Place:   daemon.
 */
#include "daemon/hotplug.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#include "base/list.h"
#include "base/log.h"
#include "daemon/broker.h"
#include "daemon/device.h"

struct dx_hotplug {
	struct dx_broker *broker;
	const struct dx_monitor_ops *ops;
	struct dx_usb_monitor *monitor;
	struct dx_loop_source *source;
	struct dx_list ports; /* W1 */
};

struct port {
	struct dx_list node;
	char spec[DX_USB_MONITOR_SPEC_SIZE];
};

bool dx_hotplug_watches(const struct dx_broker *broker, const struct dx_usb_backend_ops *backend)
{
	return broker->hotplug != NULL && broker->hotplug->ops->backend == backend;
}

static struct port *port_find(const struct dx_hotplug *hotplug, const char *spec)
{
	dx_list_for_each (node, &hotplug->ports) {
		struct port *port = dx_list_entry(node, struct port, node);

		if (strcmp(port->spec, spec) == 0) {
			return port;
		}
	}
	return NULL;
}

static void port_add(struct dx_hotplug *hotplug, const char *spec)
{
	struct port *port = port_find(hotplug, spec) != NULL ? NULL : calloc(1, sizeof(*port));

	if (port != NULL) { /* without memory a loss is noticed by its driver only */
		(void)snprintf(port->spec, sizeof(port->spec), "%s", spec);
		dx_list_push_back(&hotplug->ports, &port->node);
	}
}

static void port_remove(struct port *port)
{
	if (port != NULL) {
		dx_list_remove(&port->node);
		free(port);
	}
}

/* One of the ports that are taken may have the device. */
static bool is_plugged(const struct dx_hotplug *hotplug, const struct dx_device *device)
{
	dx_list_for_each (node, &hotplug->ports) {
		if (hotplug->ops->names(device->spec,
					dx_list_entry(node, struct port, node)->spec)) {
			return true;
		}
	}
	return false;
}

const char *dx_hotplug_port(const struct dx_broker *broker,
			    const struct dx_usb_backend_ops *backend, uint64_t location)
{
	const char *found = NULL;

	if (location == 0 || !dx_hotplug_watches(broker, backend)) {
		return NULL;
	}
	dx_list_for_each (node, &broker->hotplug->ports) {
		const struct port *port = dx_list_entry(node, struct port, node);

		if (broker->hotplug->ops->location(port->spec) == location) {
			if (found != NULL) {
				return NULL; /* too many hubs: a location is short of digits */
			}
			found = port->spec;
		}
	}
	return found;
}

static bool is_wanted(const struct dx_broker *broker, uint16_t id_vendor, uint16_t id_product)
{
	const struct dx_daemon_options *options = broker->options;
	uint32_t wanted = (uint32_t)id_vendor << 16 | id_product;

	for (size_t i = 0; i < options->nr_usb_ids; i++) {
		if (options->usb_ids[i] == wanted) {
			return true;
		}
	}
	return options->usb_all && options->nr_usb_ids == 0;
}

static void attach(struct dx_broker *broker, const char *spec)
{
	const struct dx_device_wish wish = {.spec = spec, .origin = DX_DEVICE_PLUGGED};
	char message[512];

	if (dx_device_attach(broker, &wish, message, sizeof(message)) < 0) {
		dx_log_error("%s", message);
	}
}

static void on_arrived(void *context, const char *spec, uint16_t id_vendor, uint16_t id_product)
{
	struct dx_hotplug *hotplug = context;
	struct dx_broker *broker = hotplug->broker;
	bool known = false;

	if (broker->phase >= DX_PHASE_STOPPING) {
		return;
	}
	port_add(hotplug, spec);
	dx_list_for_each_safe (node, &broker->devices) {
		struct dx_device *device = dx_list_entry(node, struct dx_device, node);

		if (device->backend != hotplug->ops->backend || device->unwanted) {
			continue;
		}
		known |= strcmp(device->spec, spec) == 0;
		if (hotplug->ops->names(device->spec, spec)) {
			dx_device_returned(device);
		}
	}
	if (!known && is_wanted(broker, id_vendor, id_product)) {
		attach(broker, spec);
	}
}

/* It was at that port, or it is nowhere now. */
static bool has_left(const struct dx_hotplug *hotplug, const struct dx_device *device,
		     const char *spec)
{
	return strcmp(device->spec, spec) == 0 ||
	       (device->port != NULL ? strcmp(device->port, spec) == 0
				     : !is_plugged(hotplug, device));
}

static void lose(struct dx_device *device)
{
	if (device->origin == DX_DEVICE_PLUGGED) {
		dx_device_detach(device);
	} else {
		dx_device_gone(device, false);
	}
}

/* Specs whose device is missing, or leaves because its driver was faster to notice, and that mean
 * another one of those that are there: now that one of them has left, perhaps only that. */
static void look_for_others(struct dx_hotplug *hotplug)
{
	dx_list_for_each_safe (node, &hotplug->broker->devices) {
		struct dx_device *device = dx_list_entry(node, struct dx_device, node);

		if (device->backend == hotplug->ops->backend && !device->unwanted &&
		    device->origin != DX_DEVICE_PLUGGED && device->state != DX_DEVICE_ATTACHED &&
		    is_plugged(hotplug, device)) {
			dx_device_returned(device);
		}
	}
}

static void on_left(void *context, const char *spec)
{
	struct dx_hotplug *hotplug = context;
	struct dx_broker *broker = hotplug->broker;

	if (broker->phase >= DX_PHASE_STOPPING) {
		return;
	}
	port_remove(port_find(hotplug, spec));
	dx_list_for_each_safe (node, &broker->devices) {
		struct dx_device *device = dx_list_entry(node, struct dx_device, node);

		if (device->backend != hotplug->ops->backend || device->unwanted) {
			continue;
		}
		if (has_left(hotplug, device, spec)) {
			lose(device);
		}
	}
	look_for_others(hotplug);
}

static void on_readable(void *context, int fd, uint32_t events)
{
	struct dx_hotplug *hotplug = context;

	(void)fd;
	(void)events;
	hotplug->ops->poll(hotplug->monitor);
}

static void hotplug_free(struct dx_hotplug *hotplug)
{
	hotplug->source = dx_loop_source_remove(hotplug->source);
	hotplug->monitor = hotplug->ops->destroy(hotplug->monitor);
	dx_list_for_each_safe (node, &hotplug->ports) {
		port_remove(dx_list_entry(node, struct port, node));
	}
	free(hotplug);
}

static int hotplug_new(struct dx_broker *broker, struct dx_hotplug **ret_hotplug)
{
	static const struct dx_usb_monitor_calls calls = {.arrived = on_arrived, .left = on_left};
	struct dx_hotplug *hotplug = calloc(1, sizeof(*hotplug));
	int r = 0;

	if (hotplug == NULL) {
		return -ENOMEM;
	}
	hotplug->broker = broker;
	hotplug->ops = broker->options->monitor;
	dx_list_init(&hotplug->ports);
	r = hotplug->ops->create(&calls, hotplug, &hotplug->monitor);
	if (r == 0) {
		r = dx_loop_add_fd(broker->loop, hotplug->ops->fd(hotplug->monitor), EPOLLIN,
				   on_readable, hotplug, &hotplug->source);
	}
	if (r < 0) {
		hotplug_free(hotplug);
		return r;
	}
	*ret_hotplug = hotplug;
	return 0;
}

int dx_hotplug_start(struct dx_broker *broker, char *message, size_t message_size)
{
	int r = 0;

	if (broker->options->monitor == NULL || broker->hotplug != NULL) {
		return 0;
	}
	r = hotplug_new(broker, &broker->hotplug);
	if (r < 0) {
		(void)snprintf(message, message_size, "USB devices cannot be watched: %s",
			       strerror(-r));
		return r;
	}
	broker->hotplug->ops->poll(broker->hotplug->monitor); /* what is there already */
	return 0;
}

int dx_hotplug_expect(struct dx_broker *broker, const struct dx_usb_backend_ops *backend,
		      char *message, size_t message_size)
{
	const struct dx_monitor_ops *monitor = broker->options->monitor;

	return monitor == NULL || monitor->backend != backend
		       ? 0
		       : dx_hotplug_start(broker, message, message_size);
}

void dx_hotplug_stop(struct dx_broker *broker)
{
	if (broker->hotplug != NULL) {
		hotplug_free(broker->hotplug);
		broker->hotplug = NULL;
	}
}
