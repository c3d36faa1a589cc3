/* SPDX-License-Identifier: MIT
 *
 * libusb_sysfs_test - devices found in a directory that looks like the kernel's.
 */
#include "backend/libusb/sysfs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "test.h"

struct machine {
	char directory[64];
	char devices[80];
	char nodes[80];
	struct dx_libusb_places places;
};

static void write_text(const struct machine *machine, const char *device, const char *name,
		       const char *text)
{
	char path[300];
	int fd = -1;

	(void)snprintf(path, sizeof(path), "%s/%s/%s", machine->devices, device, name);
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	CHECK_GE(fd, 0);
	CHECK_EQ(write(fd, text, strlen(text)), strlen(text));
	(void)close(fd);
}

static void make_directory(const char *parent, const char *name)
{
	char path[300];

	(void)snprintf(path, sizeof(path), "%s/%s", parent, name);
	CHECK_EQ(mkdir(path, 0700), 0);
}

/* At bus 1; the address has a node of that number. */
static void add_device(const struct machine *machine, const char *name, unsigned address,
		       const char *product, const char *serial)
{
	char text[16];
	char node[200];

	make_directory(machine->devices, name);
	write_text(machine, name, "busnum", "1\n");
	(void)snprintf(text, sizeof(text), "%u\n", address);
	write_text(machine, name, "devnum", text);
	write_text(machine, name, "bDeviceClass", "ff\n");
	write_text(machine, name, "idVendor", "0525\n");
	write_text(machine, name, "idProduct", product);
	write_text(machine, name, "serial", serial);
	(void)snprintf(node, sizeof(node), "%s/001/%03u", machine->nodes, address);
	(void)close(open(node, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
}

static void add_interface(const struct machine *machine, const char *name, const char *driver)
{
	char path[300];
	char target[200];

	make_directory(machine->devices, name);
	(void)snprintf(path, sizeof(path), "%s/%s/driver", machine->devices, name);
	(void)snprintf(target, sizeof(target), "../../../bus/usb/drivers/%s", driver);
	CHECK_EQ(symlink(target, path), 0);
}

static void set_up(struct machine *machine)
{
	test_make_directory(machine->directory, sizeof(machine->directory));
	(void)snprintf(machine->devices, sizeof(machine->devices), "%s/d", machine->directory);
	(void)snprintf(machine->nodes, sizeof(machine->nodes), "%s/n", machine->directory);
	make_directory(machine->directory, "d");
	make_directory(machine->directory, "n");
	make_directory(machine->nodes, "001");
	machine->places = (struct dx_libusb_places){machine->devices, machine->nodes};
}

static int find(const struct machine *machine, const char *text, struct dx_usb_listed *listed,
		char *message, size_t size)
{
	struct dx_libusb_spec spec;

	CHECK_EQ(dx_libusb_spec_parse(text, &spec, message, size), 0);
	return dx_libusb_find(&machine->places, &spec, text, listed, message, size);
}

TEST(scan_of_nothing_is_empty)
{
	const struct dx_libusb_places nowhere = {"/nonexistent", "/nonexistent"};
	struct dx_usb_listed *list = NULL;
	struct dx_libusb_spec spec = {.has_ids = true};
	struct dx_usb_listed listed;
	char message[256];
	size_t nr = 9;

	CHECK_EQ(dx_libusb_scan(&nowhere, &list, &nr), 0);
	CHECK_EQ(nr, 0);
	CHECK(list == NULL);
	CHECK_EQ(dx_libusb_find(&nowhere, &spec, "usb:0:0", &listed, message, sizeof(message)),
		 -ENODEV);
	CHECK_STR_EQ(message, "device \"usb:0:0\": no such device is plugged in, nor any other that "
			      "is no hub");
}

TEST(scan_tells_what_there_is_sorted_by_port)
{
	struct machine machine;
	struct dx_usb_listed *list = NULL;
	size_t nr = 0;

	set_up(&machine);
	add_device(&machine, "1-10", 4, "a4a0\n", "7\n");
	add_device(&machine, "1-2.1", 3, "a4a1\n", "");
	add_device(&machine, "1-2", 2, "a4a2\n", "ab\x01" "c\n");
	write_text(&machine, "1-2", "bDeviceClass", "00\n");
	write_text(&machine, "1-2", "manufacturer", "Somebody\n");
	write_text(&machine, "1-2", "product", "Something\n");
	write_text(&machine, "1-2", "speed", "480\n");
	write_text(&machine, "1-10", "speed", "1.5\n");
	write_text(&machine, "1-10", "bConfigurationValue", "3\n");
	add_interface(&machine, "1-2:1.0", "usbhid");
	add_interface(&machine, "1-2:1.1", "usbfs");
	add_interface(&machine, "1-2:1.2", "usbhid");
	make_directory(machine.devices, "1-2:1.3"); /* without a driver */
	add_device(&machine, "1-3", 5, "0001\n", "");
	write_text(&machine, "1-3", "bDeviceClass", "09\n"); /* a hub */
	make_directory(machine.devices, "usb1");
	make_directory(machine.devices, "1-4"); /* just going away */
	CHECK_EQ(dx_libusb_scan(&machine.places, &list, &nr), 0);
	CHECK_EQ(nr, 3);
	CHECK_STR_EQ(list[0].spec, "usb:1-2");
	CHECK_STR_EQ(list[1].spec, "usb:1-2.1");
	CHECK_STR_EQ(list[2].spec, "usb:1-10");
	CHECK_EQ(list[0].id_vendor, 0x0525);
	CHECK_EQ(list[0].id_product, 0xa4a2);
	CHECK_EQ(list[0].device_class, 0);
	CHECK_EQ(list[0].bus, 1);
	CHECK_EQ(list[0].address, 2);
	CHECK_EQ(list[0].speed_mbps, 480);
	CHECK_STR_EQ(list[0].manufacturer, "Somebody");
	CHECK_STR_EQ(list[0].product, "Something");
	CHECK_STR_EQ(list[0].serial, "ab?c");
	CHECK(strcmp(list[0].drivers, "usbhid, usbfs") == 0 ||
	      strcmp(list[0].drivers, "usbfs, usbhid") == 0);
	CHECK(list[0].accessible);
	CHECK_EQ(list[2].speed_mbps, 1);
	CHECK_EQ(list[2].configuration, 3);
	free(list);
}

TEST(find_wants_exactly_one)
{
	struct machine machine;
	struct dx_usb_listed listed;
	char message[256] = "";

	set_up(&machine);
	add_device(&machine, "1-1", 2, "a4a0\n", "one\n");
	add_device(&machine, "1-2", 3, "a4a0\n", "two\n");
	add_device(&machine, "1-3", 4, "a4a0\n", "two\n");
	CHECK_EQ(find(&machine, "usb:0525:a4a0", &listed, message, sizeof(message)), -EEXIST);
	CHECK_STR_EQ(message, "device \"usb:0525:a4a0\": 3 devices are like that, at 1-1, 1-2, 1-3; "
			      "add serial= or port=");
	CHECK_EQ(find(&machine, "usb:0525:a4a0,serial=one", &listed, message, sizeof(message)), 0);
	CHECK_STR_EQ(listed.spec, "usb:1-1");
	CHECK_EQ(find(&machine, "usb:0525:a4a0,serial=two", &listed, message, sizeof(message)),
		 -EEXIST);
	CHECK_EQ(find(&machine, "usb:0525:a4a0,serial=two,port=1-3", &listed, message,
		      sizeof(message)),
		 0);
	CHECK_STR_EQ(listed.spec, "usb:1-3");
	CHECK_EQ(find(&machine, "usb:1-2", &listed, message, sizeof(message)), 0);
	CHECK_EQ(listed.address, 3);
	CHECK_EQ(find(&machine, "usb:1-2,serial=one", &listed, message, sizeof(message)), -ENODEV);
	CHECK_EQ(find(&machine, "usb:0525:a4a1", &listed, message, sizeof(message)), -ENODEV);
	CHECK_STR_EQ(message, "device \"usb:0525:a4a1\": no such device is plugged in");
}

TEST(node_that_may_not_be_opened_says_which_rule_to_add)
{
	struct machine machine;
	struct dx_usb_listed listed;
	char message[400] = "";
	char wanted[400];
	char node[128];
	int fd = -1;

	set_up(&machine);
	add_device(&machine, "1-1", 2, "a4a0\n", "");
	CHECK_EQ(find(&machine, "usb:1-1", &listed, message, sizeof(message)), 0);
	fd = dx_libusb_open_node(&machine.places, &listed, "usb:1-1", message, sizeof(message));
	CHECK_GE(fd, 0);
	(void)close(fd);
	(void)snprintf(node, sizeof(node), "%s/001/002", machine.nodes);
	CHECK_EQ(unlink(node), 0);
	CHECK_EQ(dx_libusb_open_node(&machine.places, &listed, "usb:1-1", message, sizeof(message)),
		 -ENODEV);
	(void)snprintf(wanted, sizeof(wanted), "device \"usb:1-1\": %s: No such file or directory",
		       node);
	CHECK_STR_EQ(message, wanted);
	CHECK_EQ(mkdir(node, 0700), 0); /* anything else that is wrong */
	CHECK_EQ(dx_libusb_open_node(&machine.places, &listed, "usb:1-1", message, sizeof(message)),
		 -EISDIR);
}

/* Root may open everything, so this test is somebody else. */
TEST(node_without_permission_names_the_rule)
{
	struct machine machine;
	struct dx_usb_listed listed;
	char message[400] = "";
	char wanted[400];
	char node[128];

	set_up(&machine);
	add_device(&machine, "1-1", 2, "a4a0\n", "");
	CHECK_EQ(find(&machine, "usb:1-1", &listed, message, sizeof(message)), 0);
	(void)snprintf(node, sizeof(node), "%s/001/002", machine.nodes);
	CHECK_EQ(chmod(node, 0400), 0);
	CHECK_EQ(chmod(machine.directory, 0755), 0);
	CHECK_EQ(chmod(machine.nodes, 0755), 0);
	if (geteuid() == 0) {
		char bus[128];

		(void)snprintf(bus, sizeof(bus), "%s/001", machine.nodes);
		CHECK_EQ(chmod(bus, 0755), 0);
		CHECK_EQ(seteuid(65534), 0);
	}
	CHECK_EQ(dx_libusb_open_node(&machine.places, &listed, "usb:1-1", message, sizeof(message)),
		 -EACCES);
	if (getuid() == 0) {
		CHECK_EQ(seteuid(0), 0);
	}
	(void)snprintf(wanted, sizeof(wanted),
		       "device \"usb:1-1\": no permission for %s; add to "
		       "/etc/udev/rules.d/60-opendext.rules: SUBSYSTEM==\"usb\", "
		       "ATTR{idVendor}==\"0525\", ATTR{idProduct}==\"a4a0\", TAG+=\"uaccess\" and "
		       "plug it in again",
		       node);
	CHECK_STR_EQ(message, wanted);
}
