/* SPDX-License-Identifier: MIT
 *
 * usbtest - the cases of Linux's own driver for testing USB devices, each as a test.
 *
 * Place:      tests/kernel, in the guest. The driver (drivers/usb/misc/usbtest.c of Linux) has claimed
 *             the interface of a device like Gadget Zero; this program asks it through usbfs to run a
 *             case, and the answer is that of the driver.
 * Variables:  OPENDEXT_USBTEST_NODE, the device's node in /dev/bus/usb.
 * Names:      usbtest_<number of the case>_<what it does>; usbtest_iso_* need the alternate setting
 *             with isochronous endpoints, which the module's parameter alt=1 selects.
 * Left out:   25 and 26, interrupt transfers: a Gadget Zero has no interrupt endpoints.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/usbdevice_fs.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "test.h"

#define INTERFACE 0

/* Length and iterations of a case; what they mean differs from case to case. */
struct parameters {
	uint32_t iterations;
	uint32_t length;
	uint32_t vary;
	uint32_t sglen;
};

/* As the driver has it; it is in no header. */
struct usbtest_request {
	uint32_t test_num;
	struct parameters parameters;
	uint32_t padding;
	int64_t duration_sec;
	int64_t duration_usec;
};

_Static_assert(sizeof(struct usbtest_request) == 40, "the layout of the driver");

#define USBTEST_REQUEST _IOWR('U', 100, struct usbtest_request)

static void run_case(uint32_t number, struct parameters parameters)
{
	const char *node = getenv("OPENDEXT_USBTEST_NODE");
	struct usbtest_request request = {.test_num = number, .parameters = parameters};
	struct usbdevfs_ioctl envelope = {
		.ifno = INTERFACE,
		.ioctl_code = (int)USBTEST_REQUEST,
		.data = &request,
	};
	int fd;
	int error;

	if (node == NULL) {
		FAIL("OPENDEXT_USBTEST_NODE is not set");
	}
	fd = open(node, O_RDWR | O_CLOEXEC);
	if (fd < 0) {
		FAIL("%s: %s", node, strerror(errno));
	}
	error = ioctl(fd, USBDEVFS_IOCTL, &envelope) < 0 ? errno : 0;
	close(fd);
	if (error != 0) {
		FAIL("case %u: %s", number, strerror(error));
	}
}

#define CASE(number, name, ...)                                         \
	TEST(usbtest_##number##_##name)                                 \
	{                                                               \
		run_case(number, (struct parameters){__VA_ARGS__});     \
	}

#define ISO_CASE(number, name, ...)                                     \
	TEST(usbtest_iso_##number##_##name)                             \
	{                                                               \
		run_case(number, (struct parameters){__VA_ARGS__});     \
	}

CASE(0, nothing, .iterations = 1)

CASE(1, bulk_write, .iterations = 50, .length = 4096)
CASE(2, bulk_read, .iterations = 50, .length = 4096)
CASE(3, bulk_write_of_many_lengths, .iterations = 50, .length = 4096, .vary = 421)
CASE(4, bulk_read_of_many_lengths, .iterations = 50, .length = 4096, .vary = 1024)
CASE(5, bulk_write_scattered, .iterations = 10, .length = 4096, .sglen = 16)
CASE(6, bulk_read_scattered, .iterations = 10, .length = 4096, .sglen = 16)
CASE(7, bulk_write_scattered_of_many_lengths, .iterations = 10, .length = 4096, .vary = 1024,
	.sglen = 16)
CASE(8, bulk_read_scattered_of_many_lengths, .iterations = 10, .length = 4096, .vary = 1024,
	.sglen = 16)

CASE(9, standard_requests, .iterations = 5)
CASE(10, control_requests_queued, .iterations = 20, .sglen = 16)

CASE(11, unlink_reads, .iterations = 30, .length = 4096)
CASE(12, unlink_writes, .iterations = 30, .length = 4096)
CASE(13, set_and_clear_halts, .iterations = 10, .length = 1024)
CASE(14, control_writes_of_many_lengths, .iterations = 30, .length = 1024, .vary = 1)

CASE(17, bulk_write_from_an_odd_address, .iterations = 20, .length = 4096)
CASE(18, bulk_read_to_an_odd_address, .iterations = 20, .length = 4096)
CASE(19, bulk_write_from_an_odd_coherent_address, .iterations = 20, .length = 4096)
CASE(20, bulk_read_to_an_odd_coherent_address, .iterations = 20, .length = 4096)
CASE(21, control_writes_from_an_odd_address, .iterations = 20, .length = 1024, .vary = 1)

CASE(24, unlink_of_queued_writes, .iterations = 20, .length = 4096, .sglen = 16)
CASE(27, bulk_writes_queued, .iterations = 10, .length = 4096, .sglen = 16)
CASE(28, bulk_reads_queued, .iterations = 10, .length = 4096, .sglen = 16)
CASE(29, halts_cleared_between_writes, .iterations = 10, .length = 1024)

ISO_CASE(15, write, .iterations = 10, .length = 1024, .sglen = 8)
ISO_CASE(16, read, .iterations = 10, .length = 1024, .sglen = 8)
ISO_CASE(22, write_from_an_odd_address, .iterations = 10, .length = 1024, .sglen = 8)
ISO_CASE(23, read_to_an_odd_address, .iterations = 10, .length = 1024, .sglen = 8)
