/* SPDX-License-Identifier: MIT
 *
 * usbfs_test - what only a real device has: other programs that want it, memory of its controller, the
 * kernel's limit of memory, a plug.
 *
 * Place:      tests/kernel, in a guest. The driver is that of tests/contract, which stays in its process
 *             when its device goes. OPENDEXT_TEST_GADGET_ZERO is the spec of the gadget, a loopback of
 *             units of one packet; OPENDEXT_TEST_NODE its device node; OPENDEXT_TEST_UDC the file that
 *             plugs it in.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/usbdevice_fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "support/world.h"
#include "support/world_process.h"

enum { LOOPBACK = 2, SOURCE_SINK = 3, PIPE_IN = 0, PIPE_OUT = 1 };

#define IN_CONTROLLER 0x40000000u /* kOpenDextBufferInController */
#define MEMORY_LIMIT  "/sys/module/usbcore/parameters/usbfs_memory_mb"
#define MIB	      (1u << 20)
#define NR_PENDING    20u
#define NR_ROUNDS     10u

static io_connect_t open_configured(uint64_t configuration)
{
	io_connect_t connect = world_open_type(CONTRACT_USB, CONTRACT_OPEN);

	DO(connect, CONTRACT_USB_CONFIGURE, configuration);
	return connect;
}

static void expect_io(io_connect_t connect, uint64_t pipe, uint64_t bytes, IOReturn status)
{
	const uint64_t input[] = {pipe, bytes, WORLD_WAIT_MS};
	uint64_t output[2] = {0};

	CHECK_EQ(world_call(connect, CONTRACT_USB_IO, input, 3, output, 2), kIOReturnSuccess);
	CHECK_EQ((IOReturn)output[0], status);
	CHECK_EQ(output[1], status == kIOReturnSuccess ? bytes : 0);
}

static void start(io_connect_t connect, IONotificationPortRef port, struct heard *heard,
		  uint64_t bytes, uint64_t nr_requests)
{
	for (uint64_t tag = 0; tag < nr_requests; tag++) {
		const uint64_t input[] = {PIPE_IN, bytes, 0, tag};

		CHECK_EQ(world_async(connect, CONTRACT_USB_ASYNC, port, REFERENCE(heard_n, heard),
				     input, 4, NULL, 0),
			 kIOReturnSuccess);
	}
}

static void expect_all(const struct heard *heard, unsigned count, IOReturn status, uint64_t bytes)
{
	for (unsigned i = 0; i < count; i++) {
		CHECK_EQ(heard->result[i], status);
		CHECK_EQ(heard->args[i][0], bytes);
		CHECK_EQ(heard->args[i][1], i);
	}
}

static void write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	CHECK_GE(fd, 0);
	CHECK_EQ(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	CHECK_EQ(close(fd), 0);
}

/* What the mapping of that process is of in which the address lies. */
static void find_mapping(pid_t pid, uint64_t address, char *ret_path, size_t size)
{
	char name[64];
	char line[512];
	FILE *maps = NULL;

	(void)snprintf(name, sizeof(name), "/proc/%d/maps", (int)pid);
	maps = fopen(name, "re");
	CHECK(maps != NULL);
	ret_path[0] = '\0';
	while (fgets(line, sizeof(line), maps) != NULL) {
		uint64_t first = 0;
		uint64_t end = 0;
		char path[256] = "";

		CHECK_GE(sscanf(line, "%" SCNx64 "-%" SCNx64 " %*s %*s %*s %*s %255s", &first, &end,
				path),
			 2);
		if (first <= address && address < end) {
			(void)snprintf(ret_path, size, "%s", path);
		}
	}
	CHECK_EQ(fclose(maps), 0);
}

static bool is_of_the_device(io_connect_t connect, uint64_t pipe)
{
	char path[256];

	find_mapping(world_driver_pid(connect), GET(connect, CONTRACT_USB_BUFFER_ADDRESS, pipe), path,
		     sizeof(path));
	return strncmp(path, "/dev/bus/usb/", strlen("/dev/bus/usb/")) == 0;
}

/* ---- other programs ---- */

CONTRACT_WITH_DEVICE(usbfs_interface_of_another_program_is_refused, world_gadget_zero())
{
	io_connect_t connect = world_open_type(CONTRACT_USB, CONTRACT_OPEN);
	int node = open(world_program("OPENDEXT_TEST_NODE"), O_RDWR | O_CLOEXEC);
	unsigned number = 0;

	CHECK_GE(node, 0);
	CHECK_EQ(ioctl(node, USBDEVFS_CLAIMINTERFACE, &number), 0);
	CHECK_EQ(TRY(connect, CONTRACT_USB_CONFIGURE, 0), kIOReturnExclusiveAccess);
	/* Nor is the configuration changed under it. */
	CHECK_EQ(TRY(connect, CONTRACT_USB_CONFIGURE, SOURCE_SINK), kIOReturnExclusiveAccess);
	CHECK_EQ(ioctl(node, USBDEVFS_RELEASEINTERFACE, &number), 0);
	DO(connect, CONTRACT_USB_CONFIGURE, LOOPBACK);
	/* And the other way round. */
	CHECK_EQ(ioctl(node, USBDEVFS_CLAIMINTERFACE, &number), -1);
	CHECK_EQ(errno, EBUSY);
	expect_io(connect, PIPE_OUT, 1000, kIOReturnSuccess);
	expect_io(connect, PIPE_IN, 1000, kIOReturnSuccess);
	DO(connect, CONTRACT_USB_CLOSE);
	CHECK_EQ(ioctl(node, USBDEVFS_CLAIMINTERFACE, &number), 0);
	CHECK_EQ(close(node), 0);
	world_close(connect);
}

/* ---- memory ---- */

CONTRACT_WITH_DEVICE(usbfs_buffer_in_the_controller_is_of_the_device, world_gadget_zero())
{
	io_connect_t connect = open_configured(LOOPBACK);
	mach_vm_address_t address = 0;
	mach_vm_size_t size = 0;

	CHECK(!is_of_the_device(connect, PIPE_IN));
	for (uint64_t pipe = PIPE_IN; pipe <= PIPE_OUT; pipe++) {
		DO(connect, CONTRACT_USB_REPLACE_BUFFER, pipe, IN_CONTROLLER, 65536);
		CHECK(is_of_the_device(connect, pipe));
	}
	DO(connect, CONTRACT_USB_FILL, PIPE_OUT, 0xa5);
	expect_io(connect, PIPE_OUT, 65535, kIOReturnSuccess);
	expect_io(connect, PIPE_IN, 65535, kIOReturnSuccess);
	CHECK_EQ(GET(connect, CONTRACT_PEEK, CONTRACT_MEMORY_USB_IN, 0), 0xa5);
	CHECK_EQ(GET(connect, CONTRACT_PEEK, CONTRACT_MEMORY_USB_IN, 65534), 0xa5);
	CHECK_EQ(GET(connect, CONTRACT_PEEK, CONTRACT_MEMORY_USB_IN, 65535), 0);
	/* No application gets it: with it one would have the device. As all that is refused. */
	CHECK_EQ(IOConnectMapMemory64(connect, CONTRACT_MEMORY_USB_IN, mach_task_self(), &address,
				      &size, kIOMapAnywhere),
		 kIOReturnBadArgument);
	world_close(connect);
}

CONTRACT_WITH_DEVICE(usbfs_limit_of_memory_delays_what_can_wait, world_gadget_zero())
{
	io_connect_t connect = open_configured(SOURCE_SINK);
	IONotificationPortRef port = IONotificationPortCreate(kIOMainPortDefault);
	struct heard heard = {0};

	write_file(MEMORY_LIMIT, "1");
	/* More than there may be: memory like any other. A request of that size has nobody to wait for. */
	DO(connect, CONTRACT_USB_REPLACE_BUFFER, PIPE_IN, IN_CONTROLLER, 2 * MIB);
	CHECK(!is_of_the_device(connect, PIPE_IN));
	expect_io(connect, PIPE_IN, 2 * MIB, kIOReturnNoMemory);
	/* Three MiB in pieces wait for each other. */
	start(connect, port, &heard, MIB / 4, 12);
	world_hear(port, &heard, 12);
	expect_all(&heard, 12, kIOReturnSuccess, MIB / 4);
	write_file(MEMORY_LIMIT, "16");
	expect_io(connect, PIPE_IN, 2 * MIB, kIOReturnSuccess);
	world_close(connect);
	IONotificationPortDestroy(port);
}

/* ---- the plug ---- */

static void plug(bool is_in)
{
	write_file(world_program("OPENDEXT_TEST_UDC"), is_in ? "dummy_udc.0" : "\n");
}

static unsigned count_mappings(pid_t pid)
{
	char name[64];
	char line[512];
	unsigned count = 0;
	FILE *maps = NULL;

	(void)snprintf(name, sizeof(name), "/proc/%d/maps", (int)pid);
	maps = fopen(name, "re");
	CHECK(maps != NULL);
	while (fgets(line, sizeof(line), maps) != NULL) {
		count += strstr(line, "memfd:") != NULL || strstr(line, "/dev/bus/usb/") != NULL;
	}
	CHECK_EQ(fclose(maps), 0);
	return count;
}

/* All that is pending ends as documented, in its order; nothing can be had from the device that is gone. */
static void lose_the_device(void)
{
	io_connect_t connect = open_configured(LOOPBACK);
	IONotificationPortRef port = IONotificationPortCreate(kIOMainPortDefault);
	struct heard heard = {0};

	DO(connect, CONTRACT_USB_REPLACE_BUFFER, PIPE_IN, IN_CONTROLLER, 65536);
	start(connect, port, &heard, 4096, NR_PENDING);
	plug(false);
	world_hear(port, &heard, NR_PENDING);
	expect_all(&heard, NR_PENDING, kIOReturnNotResponding, 0);
	world_wait_gone(CONTRACT_USB);
	CHECK_NE(TRY(connect, CONTRACT_USB_CONFIGURE, 0), kIOReturnSuccess);
	world_close(connect);
	IONotificationPortDestroy(port);
}

struct kept {
	pid_t pid;
	unsigned nr_fds;
	unsigned nr_mappings;
};

static bool has_no_more(void *argument)
{
	const struct kept *kept = argument;

	return world_count_fds(kept->pid) <= kept->nr_fds &&
	       count_mappings(kept->pid) <= kept->nr_mappings;
}

CONTRACT_WITH_DEVICE(usbfs_unplug_ends_what_is_pending_and_leaves_nothing, world_gadget_zero())
{
	io_connect_t other = world_open();
	struct kept kept = {.pid = world_driver_pid(other)};

	for (unsigned round = 1; round <= NR_ROUNDS; round++) {
		lose_the_device();
		if (round == 2) { /* what is made once has been made */
			world_wait_quiet();
			kept.nr_fds = world_count_fds(kept.pid);
			kept.nr_mappings = count_mappings(kept.pid);
		}
		if (round < NR_ROUNDS) {
			plug(true); /* it comes back to the one who waits for its spec */
		}
	}
	CHECK(test_wait_until(has_no_more, &kept, WORLD_WAIT_MS));
	CHECK_EQ(world_driver_pid(other), kept.pid);
	plug(true);
	(void)IOObjectRelease(world_service(CONTRACT_USB));
	world_close(other);
}
