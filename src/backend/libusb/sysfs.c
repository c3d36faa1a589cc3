/* SPDX-License-Identifier: MIT
 *
 * sysfs - see sysfs.h.
 *
 * Place:      backend/libusb.
 */
#include "backend/libusb/sysfs.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"

#define CLASS_HUB 9u

const struct dx_libusb_places dx_libusb_places = {
	.devices = "/sys/bus/usb/devices",
	.nodes = "/dev/bus/usb",
};

static void close_directory(DIR **directory)
{
	if (*directory != NULL) {
		(void)closedir(*directory);
	}
}

/* The first line of a small file, "" when it cannot be read. */
static void read_text(int directory, const char *name, char *text, size_t size)
{
	DX_CLEANUP_FD int fd = openat(directory, name, O_RDONLY | O_CLOEXEC);
	ssize_t length = fd < 0 ? -1 : read(fd, text, size - 1);

	text[length < 0 ? 0 : length] = '\0';
	text[strcspn(text, "\n")] = '\0';
	for (char *at = text; *at != '\0'; at++) {
		if ((unsigned char)*at < ' ' || *at == 0x7f) {
			*at = '?';
		}
	}
}

static unsigned read_value(int directory, const char *name, int base)
{
	char text[32];

	read_text(directory, name, text, sizeof(text));
	return (unsigned)strtoul(text, NULL, base); /* "1.5" is 1; nothing is 0 */
}

/* ---- drivers of interfaces ---- */

static void add_driver(char *drivers, size_t size, const char *name)
{
	size_t used = strlen(drivers);

	if (strstr(drivers, name) == NULL) {
		(void)snprintf(drivers + used, size - used, "%s%s", used == 0 ? "" : ", ", name);
	}
}

/* entry: "1-2:1.0" beside the device's "1-2". */
static void read_driver(int devices, const char *entry, struct dx_usb_listed *listed)
{
	char path[300];
	char target[256];
	ssize_t length = 0;
	const char *slash = NULL;

	(void)snprintf(path, sizeof(path), "%s/driver", entry);
	length = readlinkat(devices, path, target, sizeof(target) - 1);
	if (length < 0) {
		return; /* no driver */
	}
	target[length] = '\0';
	slash = strrchr(target, '/');
	add_driver(listed->drivers, sizeof(listed->drivers), slash == NULL ? target : slash + 1);
}

static void read_drivers(const struct dx_libusb_places *places, const char *name,
			 struct dx_usb_listed *listed)
{
	DX_CLEANUP(close_directory) DIR *directory = opendir(places->devices);
	size_t length = strlen(name);

	for (struct dirent *entry = NULL; directory != NULL;) {
		entry = readdir(directory);
		if (entry == NULL) {
			return;
		}
		if (strncmp(entry->d_name, name, length) == 0 && entry->d_name[length] == ':') {
			read_driver(dirfd(directory), entry->d_name, listed);
		}
	}
}

/* ---- devices ---- */

static void node_path(const struct dx_libusb_places *places, const struct dx_usb_listed *listed,
		      char *path, size_t size)
{
	(void)snprintf(path, size, "%s/%03u/%03u", places->nodes, listed->bus, listed->address);
}

/* False: it is a hub, or is just going away. */
static bool read_device(const struct dx_libusb_places *places, int devices, const char *name,
			struct dx_usb_listed *ret_listed)
{
	DX_CLEANUP_FD int directory = openat(devices, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct dx_usb_listed listed = {0};
	char path[256];

	if (directory < 0) {
		return false;
	}
	(void)snprintf(listed.spec, sizeof(listed.spec), "usb:%.*s",
		       (int)sizeof(listed.spec) - 5, name);
	listed.bus = read_value(directory, "busnum", 10);
	listed.address = read_value(directory, "devnum", 10);
	listed.device_class = (uint8_t)read_value(directory, "bDeviceClass", 16);
	if (listed.bus == 0 || listed.address == 0 || listed.device_class == CLASS_HUB) {
		return false;
	}
	listed.id_vendor = (uint16_t)read_value(directory, "idVendor", 16);
	listed.id_product = (uint16_t)read_value(directory, "idProduct", 16);
	listed.configuration = (uint8_t)read_value(directory, "bConfigurationValue", 10);
	listed.speed_mbps = read_value(directory, "speed", 10);
	read_text(directory, "manufacturer", listed.manufacturer, sizeof(listed.manufacturer));
	read_text(directory, "product", listed.product, sizeof(listed.product));
	read_text(directory, "serial", listed.serial, sizeof(listed.serial));
	node_path(places, &listed, path, sizeof(path));
	listed.accessible = access(path, R_OK | W_OK) == 0;
	*ret_listed = listed;
	return true;
}

static int compare_ports(const void *a, const void *b)
{
	struct dx_libusb_port first = {0};
	struct dx_libusb_port second = {0};

	(void)dx_libusb_port_parse(((const struct dx_usb_listed *)a)->spec + 4, &first);
	(void)dx_libusb_port_parse(((const struct dx_usb_listed *)b)->spec + 4, &second);
	if (first.bus != second.bus) {
		return first.bus < second.bus ? -1 : 1;
	}
	/* What is not used is zero, so a hub comes before what is plugged into it. */
	return memcmp(first.ports, second.ports, sizeof(first.ports));
}

int dx_libusb_scan(const struct dx_libusb_places *places, struct dx_usb_listed **ret_list,
		   size_t *ret_nr)
{
	DX_CLEANUP(close_directory) DIR *directory = opendir(places->devices);
	DX_CLEANUP_FREE struct dx_usb_listed *list = NULL;
	size_t nr = 0;

	for (struct dirent *entry = NULL; directory != NULL; ) {
		struct dx_libusb_port port;
		struct dx_usb_listed listed;
		struct dx_usb_listed *grown = NULL;

		entry = readdir(directory);
		if (entry == NULL) {
			break;
		}
		if (!dx_libusb_port_parse(entry->d_name, &port) ||
		    !read_device(places, dirfd(directory), entry->d_name, &listed)) {
			continue;
		}
		read_drivers(places, entry->d_name, &listed);
		grown = realloc(list, (nr + 1) * sizeof(*list));
		if (grown == NULL) {
			return -ENOMEM;
		}
		list = grown;
		list[nr++] = listed;
	}
	if (nr > 1) {
		qsort(list, nr, sizeof(*list), compare_ports);
	}
	*ret_nr = nr;
	*ret_list = dx_take_ptr(&list);
	return 0;
}

/* ---- finding one ---- */

bool dx_libusb_spec_matches(const struct dx_libusb_spec *spec, const struct dx_usb_listed *listed)
{
	struct dx_libusb_port port = {0};

	if (spec->has_ids && (spec->id_vendor != listed->id_vendor ||
			      spec->id_product != listed->id_product)) {
		return false;
	}
	if (spec->serial[0] != '\0' && strcmp(spec->serial, listed->serial) != 0) {
		return false;
	}
	return spec->port.bus == 0 || (dx_libusb_port_parse(listed->spec + 4, &port) &&
				       dx_libusb_port_equal(&port, &spec->port));
}

static void list_ports(const struct dx_libusb_spec *spec, const struct dx_usb_listed *list,
		       size_t nr, char *text, size_t size)
{
	size_t used = 0;

	text[0] = '\0';
	for (size_t i = 0; i < nr && used < size; i++) {
		if (dx_libusb_spec_matches(spec, &list[i])) {
			used += (size_t)snprintf(text + used, size - used, "%s%s",
						 used == 0 ? "" : ", ", list[i].spec + 4);
		}
	}
}

int dx_libusb_find(const struct dx_libusb_places *places, const struct dx_libusb_spec *spec,
		   const char *text, struct dx_usb_listed *ret_listed, char *message,
		   size_t message_size)
{
	DX_CLEANUP_FREE struct dx_usb_listed *list = NULL;
	const struct dx_usb_listed *found = NULL;
	size_t nr = 0;
	size_t nr_found = 0;
	int result = dx_libusb_scan(places, &list, &nr);

	if (result < 0) {
		(void)snprintf(message, message_size, "device \"%.80s\": %s", text,
			       strerror(-result));
		return result;
	}
	for (size_t i = 0; i < nr; i++) {
		if (dx_libusb_spec_matches(spec, &list[i])) {
			found = &list[i];
			nr_found++;
		}
	}
	if (nr_found == 0) {
		(void)snprintf(message, message_size,
			       "device \"%.80s\": no such device is plugged in%s", text,
			       nr == 0 ? ", nor any other that is no hub" : "");
		return -ENODEV;
	}
	if (nr_found > 1) {
		char ports[160];

		list_ports(spec, list, nr, ports, sizeof(ports));
		(void)snprintf(message, message_size,
			       "device \"%.80s\": %zu devices are like that, at %s; add serial= or "
			       "port=",
			       text, nr_found, ports);
		return -EEXIST;
	}
	*ret_listed = *found;
	return 0;
}

int dx_libusb_open_node(const struct dx_libusb_places *places, const struct dx_usb_listed *listed,
			const char *text, char *message, size_t message_size)
{
	char path[256];
	int fd = -1;

	node_path(places, listed, path, sizeof(path));
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd >= 0) {
		return fd;
	}
	fd = -errno;
	if (fd == -EACCES || fd == -EPERM) {
		(void)snprintf(message, message_size,
			       "device \"%.80s\": no permission for %s; add to "
			       "/etc/udev/rules.d/60-opendext.rules: SUBSYSTEM==\"usb\", "
			       "ATTR{idVendor}==\"%04x\", ATTR{idProduct}==\"%04x\", "
			       "TAG+=\"uaccess\" and plug it in again",
			       text, path, listed->id_vendor, listed->id_product);
		return -EACCES;
	}
	(void)snprintf(message, message_size, "device \"%.80s\": %s: %s", text, path,
		       strerror(-fd));
	return fd == -ENOENT || fd == -ENXIO ? -ENODEV : fd;
}
