/* SPDX-License-Identifier: MIT
 *
 * configure - publish and withdraw the interfaces of a device; see configure.h.
 *
 * Place:      daemon.
 */
#include "daemon/configure.h"

#include <stdio.h>
#include <string.h>

#include "base/check.h"
#include "base/log.h"
#include "daemon/drivers.h"
#include "daemon/records.h"
#include "daemon/terminate.h"
#include "daemon/watches.h"

/* Devices whose interfaces are drivers' business: class, subclass, protocol. */
static const struct {
	uint8_t code[3];
	bool all; /* the subclass and protocol count, too */
} composite_classes[] = {
	{{0x00, 0x00, 0x00}, false},
	{{0x02, 0x00, 0x00}, false}, /* communications: its functions are interfaces */
	{{0xef, 0x02, 0x01}, true},  /* with interface associations */
};

bool dx_device_is_composite(const struct dx_entry *entry)
{
	const struct dx_dict *dict = entry->properties;
	uint64_t class_code = dx_dict_get_u64(dict, "bDeviceClass", 0);

	if (!dx_entry_is_kind(entry, "IOUSBHostDevice")) {
		return false;
	}
	for (size_t i = 0; i < DX_ARRAY_SIZE(composite_classes); i++) {
		const uint8_t *code = composite_classes[i].code;

		if (code[0] == class_code &&
		    (!composite_classes[i].all ||
		     (code[1] == dx_dict_get_u64(dict, "bDeviceSubClass", 0) &&
		      code[2] == dx_dict_get_u64(dict, "bDeviceProtocol", 0)))) {
			return true;
		}
	}
	return false;
}

static const struct dx_dict *configuration_at(const struct dx_array *configurations, size_t i)
{
	const void *dict = configurations == NULL || i >= dx_array_count(configurations)
				   ? NULL
				   : dx_array_get(configurations, i);

	return dx_object_is_kind(dict, &dx_dict_class) ? dict : NULL;
}

const struct dx_array *dx_device_interfaces(const struct dx_array *configurations, unsigned value)
{
	const struct dx_dict *dict = NULL;

	for (size_t i = 0; (dict = configuration_at(configurations, i)) != NULL; i++) {
		if (dx_dict_get_u64(dict, "bConfigurationValue", 0) == value) {
			return dx_dict_get_array(dict, "interfaces");
		}
	}
	return NULL;
}

unsigned dx_preferred_configuration(const struct dx_dict *device_properties)
{
	uint64_t current = dx_dict_get_u64(device_properties, "kUSBCurrentConfiguration", 0);

	return (unsigned)(current != 0 ? current
				       : dx_dict_get_u64(device_properties,
							 "kUSBPreferredConfiguration", 0));
}

/* One that the broker made, not a host. */
static bool is_ours(const struct dx_entry *entry)
{
	return entry->host == NULL && dx_entry_is_kind(entry, "IOUSBHostInterface");
}

static struct dx_entry *interface_with(const struct dx_device *device, bool inactive)
{
	dx_list_for_each (node, &device->entry->children) {
		struct dx_entry *entry = dx_list_entry(node, struct dx_entry, sibling);

		if (is_ours(entry) && entry->inactive == inactive) {
			return entry;
		}
	}
	return NULL;
}

static void add_interface(struct dx_device *device, const struct dx_dict *interface)
{
	struct dx_broker *broker = device->broker;
	struct dx_entry *entry = NULL;
	char location[16];
	int r = 0;

	(void)snprintf(location, sizeof(location), "%x",
		       (unsigned)dx_dict_get_u64(interface, "bInterfaceNumber", 0));
	r = dx_registry_add(device->entry,
			    dx_records_interface_id(broker, device->entry->id, location),
			    "IOUSBHostInterface",
			    dx_dict_get_string(interface, "kUSBString", "IOUSBHostInterface"),
			    interface, &entry);
	if (r < 0) {
		dx_log_warning("device %s: interface %s is not in the registry: %s", device->spec,
			       location, strerror(-r));
		return;
	}
	(void)snprintf(entry->location, sizeof(entry->location), "%s", location);
	entry->device = device;
	if (device->next_matches) {
		entry->registered = true;
		dx_watches_service(broker, DX_WATCH_PUBLISH, entry);
		dx_watches_service(broker, DX_WATCH_FIRST_PUBLISH, entry);
		dx_broker_match_later(broker, entry);
	}
}

/* Hosts of its drivers that live on bring their records up to date. */
static void write_records(const struct dx_device *device)
{
	dx_list_for_each (node, &device->broker->drivers) {
		const struct dx_driver *driver = dx_list_entry(node, struct dx_driver, node);

		if (driver->host != NULL && driver->entry->parent != NULL &&
		    driver->entry->parent->device == device) {
			dx_record_write(driver->host);
		}
	}
}

/* I1: the old ones have gone. */
static void publish(struct dx_device *device)
{
	const struct dx_array *interfaces =
		dx_device_interfaces(device->configurations, device->next_configuration);

	device->configuration = device->next_configuration;
	device->next_configuration = 0;
	(void)dx_dict_set_u64(device->entry->properties, "kUSBCurrentConfiguration",
			      device->configuration, 8); /* without memory it stays as it was */
	for (size_t i = 0; interfaces != NULL && i < dx_array_count(interfaces); i++) {
		const void *interface = dx_array_get(interfaces, i);

		if (dx_object_is_kind(interface, &dx_dict_class)) {
			add_interface(device, interface);
		}
	}
	write_records(device);
}

static void withdraw(struct dx_device *device)
{
	struct dx_entry *entry = interface_with(device, false);

	for (; entry != NULL; entry = interface_with(device, false)) {
		dx_terminate(device->broker, entry);
	}
	device->configuration = 0;
}

void dx_device_configure(struct dx_device *device, unsigned value, bool matches)
{
	if (device->state != DX_DEVICE_ATTACHED) {
		return;
	}
	device->next_configuration = 0; /* nothing follows while the old ones go */
	withdraw(device);
	device->next_configuration = value;
	device->next_matches = matches;
	dx_device_interface_gone(device);
}

void dx_device_configure_by(struct dx_device *device, const struct dx_driver *driver,
			    unsigned value, bool matches)
{
	device->configured_by = driver->entry->id;
	dx_device_configure(device, value, matches);
}

void dx_devices_sweep(struct dx_broker *broker)
{
	dx_list_for_each (node, &broker->devices) {
		struct dx_device *device = dx_list_entry(node, struct dx_device, node);
		const struct dx_entry *service =
			device->configured_by == 0
				? NULL
				: dx_registry_find(broker->registry, device->configured_by);

		if (device->configured_by != 0 && (service == NULL || service->ghost)) {
			device->configured_by = 0;
			dx_device_configure(device, 0, false);
		}
	}
}

void dx_device_interface_gone(struct dx_device *device)
{
	if (device->next_configuration != 0 && device->state == DX_DEVICE_ATTACHED &&
	    interface_with(device, true) == NULL) {
		publish(device);
	}
}

void dx_device_compose(struct dx_device *device)
{
	unsigned value = dx_preferred_configuration(device->entry->properties);

	device->composite = true;
	if (device->configuration != value || value == 0) {
		dx_device_configure(device, value, true);
	}
}

/* Somebody drives the interface, or will when a pause is over. */
static bool is_driven(const struct dx_entry *interface)
{
	dx_list_for_each (node, &interface->slots) {
		const struct dx_slot *slot = dx_list_entry(node, struct dx_slot, node);

		if (slot->state == DX_SLOT_ACTIVE || slot->state == DX_SLOT_BACKOFF) {
			return true;
		}
	}
	return false;
}

bool dx_device_decompose(struct dx_device *device)
{
	dx_list_for_each (node, &device->entry->children) {
		const struct dx_entry *entry = dx_list_entry(node, struct dx_entry, sibling);

		if (is_ours(entry) && is_driven(entry)) {
			return false;
		}
	}
	device->composite = false;
	dx_device_configure(device, 0, false);
	return true;
}
