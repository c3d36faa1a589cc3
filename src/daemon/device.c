/* SPDX-License-Identifier: MIT
 *
 * device - attach a spec, show it in the registry, take it away; see device.h.
 *
 * Place:      daemon, over usb.
 * Trust:      descriptors are the device's; usb/ has checked them, here they are only values.
 */
#include "daemon/device.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "daemon/drivers.h"
#include "daemon/hosts.h"
#include "daemon/records.h"
#include "daemon/terminate.h"
#include "daemon/watches.h"
#include "usb/describe.h"

#define CLASS_PER_INTERFACE 0x00u
#define CLASS_MISCELLANEOUS 0xefu

static bool is_composite(const struct dx_dict *dict)
{
	uint64_t class_code = dx_dict_get_u64(dict, "bDeviceClass", CLASS_PER_INTERFACE);

	return class_code == CLASS_PER_INTERFACE ||
	       (class_code == CLASS_MISCELLANEOUS &&
		dx_dict_get_u64(dict, "bDeviceSubClass", 0) == 2 &&
		dx_dict_get_u64(dict, "bDeviceProtocol", 0) == 1);
}

static int add_interface(struct dx_broker *broker, struct dx_device *device,
			 const struct dx_dict *interface)
{
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
		return r;
	}
	(void)snprintf(entry->location, sizeof(entry->location), "%s", location);
	entry->device = device;
	entry->registered = true;
	return 0;
}

static int add_interfaces(struct dx_broker *broker, struct dx_device *device,
			  const struct dx_array *interfaces)
{
	int r = 0;

	for (size_t i = 0; r == 0 && interfaces != NULL && i < dx_array_count(interfaces); i++) {
		const void *interface = dx_array_get(interfaces, i);

		if (dx_object_is_kind(interface, &dx_dict_class)) {
			r = add_interface(broker, device, interface);
		}
	}
	return r;
}

static int add_entries(struct dx_broker *broker, struct dx_device *device, struct dx_dict *dict)
{
	struct dx_array *interfaces = dx_object_ref(dx_dict_get_array(dict, "interfaces"));
	int r = 0;

	(void)dx_dict_remove(dict, "interfaces");
	r = dx_registry_add(dx_registry_root(broker->registry),
			    dx_records_device_id(broker, device->spec), "IOUSBHostDevice",
			    dx_dict_get_string(dict, "kUSBProductString", "IOUSBHostDevice"), dict,
			    &device->entry);
	if (r == 0) {
		device->entry->device = device;
		device->entry->registered = true;
		(void)snprintf(device->entry->location, sizeof(device->entry->location), "%08x",
			       (unsigned)dx_dict_get_u64(dict, "locationID", 0));
		if (is_composite(dict)) {
			r = add_interfaces(broker, device, interfaces);
		}
	}
	dx_object_unref(interfaces);
	return r;
}

/* Nobody has heard of the entries yet, so they go without ceremony. */
static void drop(struct dx_device *device)
{
	if (device->entry != NULL) {
		dx_list_for_each_safe (node, &device->entry->children) {
			struct dx_entry *child = dx_list_entry(node, struct dx_entry, sibling);

			child->registered = false;
			dx_registry_remove(child);
		}
		device->entry->registered = false;
		dx_registry_remove(device->entry);
	}
	dx_device_free(device);
}

static void announce(struct dx_broker *broker, struct dx_entry *entry)
{
	dx_watches_service(broker, DX_WATCH_PUBLISH, entry);
	dx_watches_service(broker, DX_WATCH_FIRST_PUBLISH, entry);
	dx_broker_match_later(broker, entry);
}

int dx_device_attach(struct dx_broker *broker, const char *spec, char *message, size_t message_size,
		     struct dx_device **ret_device)
{
	static const struct dx_usb_backend_ops *const none[] = {NULL};
	struct dx_device *device = NULL;
	struct dx_dict *dict = NULL;
	int r = dx_usb_describe(
		spec, broker->options->backends != NULL ? broker->options->backends : none, message,
		message_size, &dict);

	if (r < 0) {
		return r;
	}
	device = calloc(1, sizeof(*device));
	r = device == NULL ? -ENOMEM : 0;
	if (r == 0) {
		dx_list_init(&device->node);
		device->spec = strdup(spec);
		r = device->spec == NULL ? -ENOMEM : add_entries(broker, device, dict);
	}
	dx_object_unref(dict);
	if (r < 0) {
		(void)snprintf(message, message_size, "%s: cannot be put into the registry: %s",
			       spec, strerror(-r));
		if (device != NULL) {
			drop(device);
		}
		return r;
	}
	dx_list_push_back(&broker->devices, &device->node);
	announce(broker, device->entry);
	dx_list_for_each (node, &device->entry->children) {
		announce(broker, dx_list_entry(node, struct dx_entry, sibling));
	}
	*ret_device = device;
	return 0;
}

void dx_device_gone(struct dx_broker *broker, struct dx_device *device)
{
	if (device->entry->inactive) {
		return;
	}
	dx_list_for_each (node, &broker->drivers) {
		struct dx_driver *driver = dx_list_entry(node, struct dx_driver, node);

		if (driver->host != NULL && driver->state != DX_DRIVER_LAUNCHING &&
		    driver->entry->parent->device == device) {
			dx_host_device_gone(driver->host, driver->provider_id);
		}
	}
	dx_terminate(broker, device->entry);
}

void dx_device_free(struct dx_device *device)
{
	dx_list_remove(&device->node);
	free(device->spec);
	free(device);
}
