/* SPDX-License-Identifier: MIT
 *
 * device_file - a description file (XML or binary property list) becomes a description.
 *
 * Place:      backend/virtual. docs/devices.md explains the keys to users.
 * Trust:      the file is foreign: its size is bounded here, its structure by base/plist, every
 *             number by a range, every array by the limits of description.h. Unknown keys are
 *             errors, because they are mostly misspelt ones.
 * Errors:     one line, "FILE: place.key: what is wrong".
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "backend/virtual/file_values.h"
#include "backend/virtual/runtime.h"
#include "base/cleanup.h"
#include "base/limits.h"
#include "base/plist.h"

static void unref_cleanup(void *pointer)
{
	(void)dx_object_unref(*(void **)pointer);
}

static void description_cleanup(struct dx_description **description)
{
	(void)dx_description_free(*description);
}

/* ---- endpoints ---- */

static const char *const type_names[] = {"", "isochronous", "bulk", "interrupt", NULL};
static const char *const behaviour_names[] = {"null", "source", "sink", "loopback", NULL};
static const char *const endpoint_keys[] = {
	"bEndpointAddress", "type",    "wMaxPacketSize", "bInterval", "bMaxBurst", "mult",
	"behaviour",        "pattern", "peer",           NULL};

static void check_packet_size(struct dx_file_reader *reader, const struct dx_file_place *place,
			      const struct dx_described_endpoint *endpoint)
{
	uint8_t speed = reader->description->speed;
	uint16_t size = endpoint->max_packet;
	uint16_t maximum = dx_description_max_packet(speed, endpoint->type);

	if (maximum == 0) {
		dx_file_fail(reader, place, "type", "does not exist at this speed");
	} else if (size > maximum) {
		dx_file_fail(reader, place, "wMaxPacketSize", "too large for this type and speed");
	} else if (endpoint->type == DX_USB_BULK && size != maximum &&
		   (speed != DX_USB_SPEED_FULL || size < 8 || (size & (size - 1)) != 0)) {
		dx_file_fail(reader, place, "wMaxPacketSize", "not a size for bulk at this speed");
	}
}

static void check_behaviour(struct dx_file_reader *reader, const struct dx_file_place *place,
			    const struct dx_described_endpoint *endpoint)
{
	bool is_in = (endpoint->address & 0x80) != 0;

	if ((endpoint->behaviour == DX_BEHAVIOUR_SOURCE && !is_in) ||
	    (endpoint->behaviour == DX_BEHAVIOUR_SINK && is_in)) {
		dx_file_fail(reader, place, "behaviour",
			     is_in ? "an IN endpoint cannot be a sink"
				   : "an OUT endpoint cannot be a source");
	}
	if (endpoint->behaviour == DX_BEHAVIOUR_LOOPBACK &&
	    (endpoint->type == DX_USB_ISOCHRONOUS || (endpoint->peer ^ endpoint->address) < 0x80)) {
		dx_file_fail(
			reader, place, "peer",
			"a loopback needs a bulk or interrupt endpoint of the other direction");
	}
}

static void read_endpoint(struct dx_file_reader *reader, const struct dx_file_place *place,
			  struct dx_described_endpoint *endpoint)
{
	bool is_periodic = false;

	dx_file_check_keys(reader, place, endpoint_keys);
	endpoint->address =
		(uint8_t)dx_file_need_number(reader, place, "bEndpointAddress", 1, 0x8F);
	if ((endpoint->address & 0x70) != 0 || (endpoint->address & 0x0F) == 0) {
		dx_file_fail(reader, place, "bEndpointAddress", "not in 1..15 or 129..143");
	}
	endpoint->type = (uint8_t)dx_file_choice(reader, place, "type", type_names, DX_USB_BULK);
	if (endpoint->type == DX_USB_CONTROL) {
		dx_file_fail(reader, place, "type", "empty");
	}
	is_periodic = endpoint->type != DX_USB_BULK;
	endpoint->max_packet = (uint16_t)dx_file_number(
		reader, place, "wMaxPacketSize", 1, 1024,
		dx_description_max_packet(reader->description->speed, endpoint->type));
	endpoint->interval =
		(uint8_t)dx_file_number(reader, place, "bInterval", 0, 255, is_periodic ? 4 : 0);
	endpoint->max_burst = (uint8_t)dx_file_number(reader, place, "bMaxBurst", 0, 15, 0);
	endpoint->mult = (uint8_t)dx_file_number(reader, place, "mult", 0, 2, 0);
	endpoint->behaviour = (uint8_t)dx_file_choice(reader, place, "behaviour", behaviour_names,
						      DX_BEHAVIOUR_NULL);
	endpoint->pattern =
		(uint8_t)dx_file_number(reader, place, "pattern", 0, 2, DX_PATTERN_ZERO);
	endpoint->peer =
		(uint8_t)dx_file_number(reader, place, "peer", 1, 0x8F, endpoint->address ^ 0x80u);
	check_packet_size(reader, place, endpoint);
	check_behaviour(reader, place, endpoint);
}

/* ---- interfaces ---- */

static const char *const setting_keys[] = {"bInterfaceClass",
					   "bInterfaceSubClass",
					   "bInterfaceProtocol",
					   "name",
					   "classDescriptors",
					   "endpoints",
					   NULL};
static const char *const interface_keys[] = {"bInterfaceNumber",   "alternateSettings",
					     "bInterfaceClass",    "bInterfaceSubClass",
					     "bInterfaceProtocol", "name",
					     "classDescriptors",   "association",
					     "endpoints",          NULL};
static const char *const association_keys[] = {
	"bInterfaceCount",   "bFunctionClass", "bFunctionSubClass",
	"bFunctionProtocol", "name",           NULL};

static const struct dx_described_endpoint *find_endpoint(const struct dx_described_setting *setting,
							 uint8_t address, unsigned before)
{
	for (unsigned i = 0; i < before; i++) {
		if (setting->endpoints[i].address == address) {
			return &setting->endpoints[i];
		}
	}
	return NULL;
}

/* Both ends of a loopback name each other. */
static void check_peers(struct dx_file_reader *reader, const struct dx_file_place *place,
			const struct dx_described_setting *setting)
{
	for (unsigned i = 0; i < setting->nr_endpoints; i++) {
		const struct dx_described_endpoint *endpoint = &setting->endpoints[i];
		const struct dx_described_endpoint *peer =
			find_endpoint(setting, endpoint->peer, setting->nr_endpoints);

		if (endpoint->behaviour == DX_BEHAVIOUR_LOOPBACK &&
		    (peer == NULL || peer->behaviour != DX_BEHAVIOUR_LOOPBACK ||
		     peer->peer != endpoint->address || peer->max_packet != endpoint->max_packet)) {
			dx_file_fail(
				reader, place, "endpoints",
				"a loopback's peer is missing, no loopback, or of another size");
		}
	}
}

static void read_setting(struct dx_file_reader *reader, const struct dx_file_place *place,
			 struct dx_described_setting *setting)
{
	setting->interface_class =
		(uint8_t)dx_file_number(reader, place, "bInterfaceClass", 0, 255, 255);
	setting->interface_subclass =
		(uint8_t)dx_file_number(reader, place, "bInterfaceSubClass", 0, 255, 0);
	setting->interface_protocol =
		(uint8_t)dx_file_number(reader, place, "bInterfaceProtocol", 0, 255, 0);
	setting->string = dx_file_string(reader, place, "name");
	setting->class_length =
		(uint8_t)dx_file_data(reader, place, "classDescriptors",
				      sizeof(setting->class_bytes), setting->class_bytes);
	if (!dx_described_class_is_sound(setting->class_bytes, setting->class_length)) {
		dx_file_fail(reader, place, "classDescriptors",
			     "not whole descriptors of types from 0x21 on");
	}
	setting->nr_endpoints = dx_file_count(reader, place, "endpoints", DX_DESCRIBED_ENDPOINTS);
	for (unsigned i = 0; i < setting->nr_endpoints; i++) {
		struct dx_file_place inner = {0};

		if (!dx_file_enter(reader, place, "endpoints", i, &inner)) {
			return;
		}
		read_endpoint(reader, &inner, &setting->endpoints[i]);
		if (find_endpoint(setting, setting->endpoints[i].address, i) != NULL) {
			dx_file_fail(reader, &inner, "bEndpointAddress", "used twice");
		}
	}
	check_peers(reader, place, setting);
}

static void read_association(struct dx_file_reader *reader, const struct dx_file_place *outer,
			     struct dx_described_association *association)
{
	struct dx_file_place place = {0};

	if (!dx_file_enter_one(reader, outer, "association", &place)) {
		return;
	}
	dx_file_check_keys(reader, &place, association_keys);
	association->nr_interfaces = (uint8_t)dx_file_need_number(reader, &place, "bInterfaceCount",
								  1, DX_DESCRIBED_INTERFACES);
	association->function_class =
		(uint8_t)dx_file_need_number(reader, &place, "bFunctionClass", 0, 255);
	association->function_subclass =
		(uint8_t)dx_file_number(reader, &place, "bFunctionSubClass", 0, 255, 0);
	association->function_protocol =
		(uint8_t)dx_file_number(reader, &place, "bFunctionProtocol", 0, 255, 0);
	association->string = dx_file_string(reader, &place, "name");
}

static void read_interface(struct dx_file_reader *reader, const struct dx_file_place *place,
			   unsigned index, struct dx_described_interface *interface)
{
	unsigned nr_more =
		dx_file_count(reader, place, "alternateSettings", DX_DESCRIBED_SETTINGS - 1);

	dx_file_check_keys(reader, place, interface_keys);
	interface->number =
		(uint8_t)dx_file_number(reader, place, "bInterfaceNumber", 0, 255, index);
	interface->nr_settings = 1 + nr_more;
	read_association(reader, place, &interface->association);
	read_setting(reader, place, &interface->settings[0]);
	for (unsigned i = 0; i < nr_more; i++) {
		struct dx_file_place inner = {0};

		if (!dx_file_enter(reader, place, "alternateSettings", i, &inner)) {
			return;
		}
		dx_file_check_keys(reader, &inner, setting_keys);
		read_setting(reader, &inner, &interface->settings[i + 1]);
	}
}

/* ---- configurations, device ---- */

static const char *const configuration_keys[] = {
	"bConfigurationValue", "name",       "selfPowered", "remoteWakeup",
	"maxPowerMilliAmps",   "interfaces", NULL};
static const char *const device_keys[] = {"idVendor",        "idProduct",
					  "bcdDevice",       "bDeviceClass",
					  "bDeviceSubClass", "bDeviceProtocol",
					  "manufacturer",    "product",
					  "serialNumber",    "speed",
					  "fifoBytes",       "bufferBytes",
					  "configurations",  NULL};
static const char *const speed_names[] = {"", "full", "low", "high", "super", "super-plus", NULL};

/* An endpoint belongs to one interface, and a number names one interface. */
static void check_interfaces(struct dx_file_reader *reader, const struct dx_file_place *place,
			     const struct dx_described_configuration *configuration)
{
	uint8_t owner[256] = {0};
	bool numbers[256] = {false};

	for (unsigned i = 0; i < configuration->nr_interfaces; i++) {
		const struct dx_described_interface *interface = &configuration->interfaces[i];

		if (numbers[interface->number]) {
			dx_file_fail(reader, place, "interfaces", "bInterfaceNumber used twice");
		}
		numbers[interface->number] = true;
		for (unsigned s = 0; s < interface->nr_settings; s++) {
			for (unsigned e = 0; e < interface->settings[s].nr_endpoints; e++) {
				uint8_t *by = &owner[interface->settings[s].endpoints[e].address];

				if (*by != 0 && *by != i + 1) {
					dx_file_fail(reader, place, "interfaces",
						     "two interfaces use one bEndpointAddress");
				}
				*by = (uint8_t)(i + 1);
			}
		}
	}
}

static void read_configuration(struct dx_file_reader *reader, const struct dx_file_place *place,
			       unsigned index, struct dx_described_configuration *configuration)
{
	unsigned maximum = dx_description_is_super(reader->description->speed) ? 2040 : 510;

	dx_file_check_keys(reader, place, configuration_keys);
	configuration->value =
		(uint8_t)dx_file_number(reader, place, "bConfigurationValue", 1, 255, index + 1);
	configuration->string = dx_file_string(reader, place, "name");
	configuration->self_powered = dx_file_bool(reader, place, "selfPowered");
	configuration->remote_wakeup = dx_file_bool(reader, place, "remoteWakeup");
	configuration->max_power_ma =
		(uint16_t)dx_file_number(reader, place, "maxPowerMilliAmps", 0, maximum, 100);
	configuration->nr_interfaces =
		dx_file_count(reader, place, "interfaces", DX_DESCRIBED_INTERFACES);
	for (unsigned i = 0; i < configuration->nr_interfaces; i++) {
		struct dx_file_place inner = {0};

		if (!dx_file_enter(reader, place, "interfaces", i, &inner)) {
			return;
		}
		read_interface(reader, &inner, i, &configuration->interfaces[i]);
	}
	check_interfaces(reader, place, configuration);
}

static void read_configurations(struct dx_file_reader *reader, const struct dx_file_place *place)
{
	struct dx_description *description = reader->description;
	bool values[256] = {false};

	description->nr_configurations =
		dx_file_count(reader, place, "configurations", DX_DESCRIBED_CONFIGURATIONS);
	if (description->nr_configurations == 0) {
		dx_file_fail(reader, place, "configurations", "missing or empty");
	}
	for (unsigned i = 0; i < description->nr_configurations; i++) {
		struct dx_described_configuration *configuration = &description->configurations[i];
		struct dx_file_place inner = {0};

		if (!dx_file_enter(reader, place, "configurations", i, &inner)) {
			return;
		}
		read_configuration(reader, &inner, i, configuration);
		if (values[configuration->value]) {
			dx_file_fail(reader, &inner, "bConfigurationValue", "used twice");
		}
		values[configuration->value] = true;
	}
}

static void read_device(struct dx_file_reader *reader, const struct dx_file_place *place)
{
	struct dx_description *description = reader->description;

	dx_file_check_keys(reader, place, device_keys);
	description->speed =
		(uint8_t)dx_file_choice(reader, place, "speed", speed_names, DX_USB_SPEED_HIGH);
	if (description->speed == DX_USB_SPEED_NONE) {
		dx_file_fail(reader, place, "speed", "empty");
	}
	description->vendor = (uint16_t)dx_file_need_number(reader, place, "idVendor", 0, 0xFFFF);
	description->product = (uint16_t)dx_file_need_number(reader, place, "idProduct", 0, 0xFFFF);
	description->release =
		(uint16_t)dx_file_number(reader, place, "bcdDevice", 0, 0xFFFF, 0x0100);
	description->device_class =
		(uint8_t)dx_file_number(reader, place, "bDeviceClass", 0, 255, 0);
	description->device_subclass =
		(uint8_t)dx_file_number(reader, place, "bDeviceSubClass", 0, 255, 0);
	description->device_protocol =
		(uint8_t)dx_file_number(reader, place, "bDeviceProtocol", 0, 255, 0);
	description->manufacturer_string = dx_file_string(reader, place, "manufacturer");
	description->product_string = dx_file_string(reader, place, "product");
	description->serial_string = dx_file_string(reader, place, "serialNumber");
	description->fifo_bytes = (uint32_t)dx_file_number(reader, place, "fifoBytes", 4096,
							   1u << 26, description->fifo_bytes);
	description->buffer_bytes = (uint32_t)dx_file_number(reader, place, "bufferBytes", 64,
							     65535, description->buffer_bytes);
	read_configurations(reader, place);
}

int dx_device_file_parse(const void *bytes, size_t length, const char *name,
			 struct dx_options *options, struct dx_description **ret_description)
{
	DX_CLEANUP(unref_cleanup) void *root = NULL;
	DX_CLEANUP(description_cleanup) struct dx_description *description = NULL;
	struct dx_file_reader reader = {.options = options, .name = name};
	struct dx_file_place place = {.text = ""};
	unsigned line = 0;
	int result = dx_plist_decode(bytes, length, &root, &line);

	if (result == -ENOMEM) {
		return result;
	}
	if (result < 0) {
		if (line != 0) {
			dx_options_fail(options, "%s:%u: not a property list", name, line);
		} else {
			dx_options_fail(options, "%s: not a property list", name);
		}
		return options->result;
	}
	if (!dx_object_is_kind(root, &dx_dict_class)) {
		dx_options_fail(options, "%s: the property list is not a dictionary", name);
		return options->result;
	}
	description = dx_description_new();
	if (description == NULL) {
		return -ENOMEM;
	}
	reader.description = description;
	place.dict = root;
	read_device(&reader, &place);
	if (options->result < 0) {
		return options->result;
	}
	*ret_description = dx_take_ptr(&description);
	return 0;
}

/* ---- the file ---- */

static int read_all(int fd, size_t size, void *buffer, size_t *ret_length)
{
	size_t used = 0;

	while (used < size) {
		ssize_t got = read(fd, (char *)buffer + used, size - used);

		if (got < 0 && errno != EINTR) {
			return -errno;
		}
		if (got == 0) {
			break;
		}
		used += got > 0 ? (size_t)got : 0;
	}
	*ret_length = used;
	return 0;
}

static int open_file(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

	return fd < 0 ? -errno : fd;
}

static int load(int fd, void **ret_bytes, size_t *ret_length)
{
	DX_CLEANUP_FREE void *bytes = NULL;
	struct stat about = {0};
	size_t length = 0;
	int result = 0;

	if (fstat(fd, &about) < 0) {
		return -errno;
	}
	if (!S_ISREG(about.st_mode)) {
		return S_ISDIR(about.st_mode) ? -EISDIR : -EINVAL;
	}
	if (about.st_size > (off_t)DX_MAX_PLIST_BYTES) {
		return -EFBIG;
	}
	bytes = malloc((size_t)about.st_size + 1);
	if (bytes == NULL) {
		return -ENOMEM;
	}
	result = read_all(fd, (size_t)about.st_size, bytes, &length);
	if (result < 0) {
		return result;
	}
	*ret_bytes = dx_take_ptr(&bytes);
	*ret_length = length;
	return 0;
}

int dx_device_file_open(struct dx_options *options, const char *path)
{
	int fd = open_file(path);

	if (fd < 0) {
		dx_options_fail(options, "%s: %s", path, strerror(-fd));
	}
	return fd;
}

int dx_device_file_describe(struct dx_options *options, const char *path, int fd,
			    struct dx_description **ret_description)
{
	DX_CLEANUP_FD int own_fd = fd < 0 ? open_file(path) : -1;
	DX_CLEANUP_FREE void *bytes = NULL;
	size_t length = 0;
	int from = fd < 0 ? own_fd : fd;
	int result = from < 0 ? from : load(from, &bytes, &length);

	if (result < 0) {
		dx_options_fail(options, "%s: %s", path, strerror(-result));
		return result;
	}
	return dx_device_file_parse(bytes, length, path, options, ret_description);
}

/* ---- overrides ---- */

int dx_description_override(struct dx_description *description, struct dx_options *options)
{
	const char *serial = dx_options_string(options, "serial", NULL);
	int index = 0;

	description->vendor =
		(uint16_t)dx_options_number(options, "idVendor", 0, 0xFFFF, description->vendor);
	description->product =
		(uint16_t)dx_options_number(options, "idProduct", 0, 0xFFFF, description->product);
	if (serial != NULL) {
		index = dx_description_add_string(description, serial);
		if (index == -ENOMEM) {
			return index;
		}
		if (index < 0) {
			dx_options_fail(options,
					"serial=%s: longer than 126 UTF-16 units, or not UTF-8",
					serial);
		} else {
			description->serial_string = (uint8_t)index;
		}
	}
	return options->result;
}
