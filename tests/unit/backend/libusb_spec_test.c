/* SPDX-License-Identifier: MIT
 *
 * libusb_spec_test - "usb:..." taken apart, descriptors taken apart, and a node that is none.
 */
#include "backend/libusb/spec.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "backend/libusb/descriptors.h"
#include "backend/libusb/usbfs.h"
#include "test.h"

static char message[256];

static struct dx_libusb_spec parse(const char *text)
{
	struct dx_libusb_spec spec;

	CHECK_EQ(dx_libusb_spec_parse(text, &spec, message, sizeof(message)), 0);
	return spec;
}

static void refuse(const char *text, const char *why)
{
	struct dx_libusb_spec spec;
	char wanted[256];

	CHECK_EQ(dx_libusb_spec_parse(text, &spec, message, sizeof(message)), -EINVAL);
	(void)snprintf(wanted, sizeof(wanted), "device \"%s\": %s", text, why);
	CHECK_STR_EQ(message, wanted);
}

TEST(spec_by_ids)
{
	struct dx_libusb_spec spec = parse("usb:0525:A4a0");

	CHECK(spec.has_ids);
	CHECK_EQ(spec.id_vendor, 0x525);
	CHECK_EQ(spec.id_product, 0xa4a0);
	CHECK_EQ(spec.port.bus, 0);
	CHECK_EQ(spec.configuration, 0);
	CHECK_STR_EQ(spec.serial, "");
	spec = parse("usb:1:2,serial=a\\,b\\\\,port=1-2.3,configuration=255");
	CHECK_EQ(spec.id_vendor, 1);
	CHECK_STR_EQ(spec.serial, "a,b\\");
	CHECK_EQ(spec.port.bus, 1);
	CHECK_EQ(spec.port.nr_ports, 2);
	CHECK_EQ(spec.configuration, 255);
}

TEST(spec_by_port)
{
	struct dx_libusb_spec spec = parse("usb:12-3.14.1");
	char text[32];

	CHECK(!spec.has_ids);
	CHECK_EQ(spec.port.bus, 12);
	CHECK_EQ(spec.port.nr_ports, 3);
	CHECK_EQ(spec.port.ports[1], 14);
	dx_libusb_port_format(&spec.port, text, sizeof(text));
	CHECK_STR_EQ(text, "12-3.14.1");
	dx_libusb_port_format(&spec.port, text, 6); /* cut, but whole */
	CHECK_STR_EQ(text, "12-3.");
	CHECK_EQ(dx_libusb_port_location(&spec.port), 0x0c3e1000);
	spec = parse("usb:1-1.2.3.4.5.6.7,serial=x");
	CHECK_EQ(spec.port.nr_ports, 7);
	CHECK_EQ(dx_libusb_port_location(&spec.port), 0x01123456);
	CHECK_STR_EQ(spec.serial, "x");
}

TEST(spec_that_is_wrong_says_what)
{
	static const char form[] = "neither usb:VID:PID (hexadecimal, as in usb:0525:a4a0) nor "
				   "usb:BUS-PORT (as in usb:1-2.4)";
	static const char *const forms[] = {
		"usb:",	      "usb:x",	   "usb:0525",	   "usb:0525:",	   "usb:0525:a4a0x",
		"usb:10525:1", "usb:00525:1", "usb:1:00001", "usb:1:fffff",  "usb:1-",
		"usb:0-1",    "usb:1-0",   "usb:1-2.",	   "usb:1-2x",	   "usb:1-256",
		"usb:70000-1", "usb:1-1.2.3.4.5.6.7.8", "usb:,serial=1", "usb:-1",
	};

	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		refuse(forms[i], form);
	}
	refuse("virtual:x", "does not begin with usb:");
	refuse("usb:1:2,", "\"\": not key=value");
	refuse("usb:1:2,serial,x", "\"serial\": not key=value");
	refuse("usb:1:2,=x", "\"=x\": not key=value");
	refuse("usb:1:2,speed=high",
	       "speed: unknown key (there are serial, port, configuration)");
	refuse("usb:1:2,serial=a,serial=a", "serial: given twice");
	refuse("usb:1:2,serial=", "serial: empty, or longer than 127 bytes");
	refuse("usb:1-2,port=1-2", "port: given twice");
	refuse("usb:1:2,port=1-2.", "port=1-2.: not BUS-PORT[.PORT]..., as in 1-2.4");
	refuse("usb:1:2,configuration=0", "configuration=0: not a number from 1 to 255");
	refuse("usb:1:2,configuration=256", "configuration=256: not a number from 1 to 255");
	refuse("usb:1:2,configuration=1x", "configuration=1x: not a number from 1 to 255");
	refuse("usb:1:2,configuration=1,configuration=1", "configuration: given twice");
}

TEST(spec_with_a_long_value_is_refused)
{
	struct dx_libusb_spec spec;
	char text[600];

	memset(text, 'a', sizeof(text));
	memcpy(text, "usb:1:2,serial=", 15);
	text[sizeof(text) - 1] = '\0';
	CHECK_EQ(dx_libusb_spec_parse(text, &spec, message, sizeof(message)), -EINVAL);
	CHECK(strstr(message, "a value is longer than 255 bytes") != NULL);
	text[15 + 128] = '\0';
	CHECK_EQ(dx_libusb_spec_parse(text, &spec, message, sizeof(message)), -EINVAL);
	CHECK(strstr(message, "serial: empty, or longer than 127 bytes") != NULL);
	text[15 + 127] = '\0';
	CHECK_EQ(dx_libusb_spec_parse(text, &spec, message, sizeof(message)), 0);
}

/* ---- descriptors ---- */

#define DEVICE(nr) 18, 1, 0x34, 0x12, 0, 0, 0, 64, 1, 2, 3, 4, 5, 6, 0, 0, 0, (nr)
#define BLOCK(total, value) 9, 2, (total), 0, 1, (value), 0, 0x80, 50

TEST(descriptors_are_taken_apart)
{
	const uint8_t bytes[] = {DEVICE(2), BLOCK(11, 1), 2, 99, BLOCK(9, 2), 1, 2, 3};
	struct dx_libusb_descriptors found;

	CHECK_EQ(dx_libusb_descriptors_parse(bytes, sizeof(bytes), &found), 0);
	CHECK_EQ(found.nr_configurations, 2);
	CHECK_EQ(found.lengths[0], 11);
	CHECK_EQ(found.lengths[1], 9);
	CHECK_EQ(found.configurations[1][5], 2);
	CHECK_EQ(found.device[17], 2);
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	CHECK_MEM_EQ(found.device, bytes, 18);
#endif
}

TEST(descriptors_that_lie_end_the_list)
{
	static const struct {
		uint8_t bytes[40];
		size_t length;
		int result;
		unsigned nr;
	} cases[] = {
		{{DEVICE(1)}, 17, -EPROTO, 0},
		{{17, 1}, 40, -EPROTO, 0},
		{{18, 2}, 40, -EPROTO, 0},
		{{DEVICE(1)}, 18, 0, 0},
		{{DEVICE(0), BLOCK(9, 1)}, 27, 0, 0},	/* none, it says */
		{{DEVICE(9), BLOCK(9, 1)}, 27, 0, 1},	/* fewer than it says */
		{{DEVICE(1), BLOCK(10, 1)}, 27, 0, 0},	/* longer than there is */
		{{DEVICE(1), BLOCK(8, 1)}, 27, 0, 0},	/* shorter than itself */
		{{DEVICE(1), BLOCK(0, 1)}, 27, 0, 0},
		{{DEVICE(1), 8, 2, 9, 0}, 40, 0, 0},	/* a wrong bLength */
		{{DEVICE(1), 9, 4, 9, 0}, 40, 0, 0},	/* another type */
		{{DEVICE(1), 9, 2, 9}, 26, 0, 0},	/* cut */
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct dx_libusb_descriptors found = {0};

		CHECK_EQ(dx_libusb_descriptors_parse(cases[i].bytes, cases[i].length, &found),
			 cases[i].result);
		CHECK_EQ(found.nr_configurations, cases[i].nr);
	}
}

TEST(descriptors_are_eight_at_most)
{
	uint8_t bytes[18 + 9 * 9] = {DEVICE(255)};
	const uint8_t block[] = {BLOCK(9, 1)};
	struct dx_libusb_descriptors found;

	for (unsigned i = 0; i < 9; i++) {
		memcpy(bytes + 18 + 9 * i, block, sizeof(block));
	}
	CHECK_EQ(dx_libusb_descriptors_parse(bytes, sizeof(bytes), &found), 0);
	CHECK_EQ(found.nr_configurations, 8);
}

/* ---- a node that is none ---- */

TEST(node_that_is_no_device_is_told_so)
{
	int fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	struct dx_usbfs_identity identity;
	uint8_t *bytes = NULL;
	size_t length = 9;
	char name[32];

	CHECK_GE(fd, 0);
	CHECK_EQ(dx_usbfs_identify(fd, &identity), -ENOTTY);
	CHECK_EQ(dx_usbfs_reset_endpoint(fd, 1), -ENOTTY);
	CHECK_EQ(dx_usbfs_driver(fd, 0, name, sizeof(name)), -ENOTTY);
	CHECK_EQ(dx_usbfs_read_descriptors(fd, &bytes, &length), 0);
	CHECK_EQ(length, 0);
	free(bytes);
	(void)close(fd);
	fd = open("/dev/zero", O_RDWR | O_CLOEXEC);
	CHECK_EQ(dx_usbfs_read_descriptors(fd, &bytes, &length), -ENOMEM); /* no end */
	(void)close(fd);
	CHECK_EQ(dx_usbfs_read_descriptors(-1, &bytes, &length), -EBADF);
}
