/* SPDX-License-Identifier: MIT
 *
 * life_test - what happens to the driver's objects, in which order; checks inside the driver.
 */
#include "support/world.h"

#define DEVICE "virtual:gadget-zero,speed=super"

/* Adds to text what the driver has recorded, until a line is there. */
static void read_log_until(io_connect_t connect, const char *line, char *text, size_t capacity)
{
	for (unsigned i = 0; i < WORLD_WAIT_MS && strstr(text, line) == NULL; i++) {
		char more[CONTRACT_TEXT_BYTES];

		world_text(connect, CONTRACT_LOG, more);
		CHECK_LT(strlen(text) + strlen(more), capacity);
		strncat(text, more, capacity - strlen(text) - 1);
		if (more[0] == '\0') {
			DO(connect, CONTRACT_SLEEP_MS, 1);
		}
	}
	if (strstr(text, line) == NULL) {
		FAIL("%s does not come after:\n%s", line, text);
	}
}

/* Where a line begins; the test fails when it is not there or there twice. */
static size_t place_of(const char *text, const char *line)
{
	const char *found = strstr(text, line);

	if (found == NULL || strstr(found + 1, line) != NULL) {
		FAIL("\"%s\" is not there once in:\n%s", line, text);
	}
	return (size_t)(found - text);
}

CONTRACT(life_of_the_service)
{
	io_connect_t connect = world_open();
	char text[CONTRACT_TEXT_BYTES] = "";

	read_log_until(connect, "NewUserClient", text, sizeof(text));
	CHECK_EQ(place_of(text, "ContractService.init\n"), 0);
	CHECK_EQ(place_of(text, "ContractService.Start IOService\n"),
		 strlen("ContractService.init\n"));
	world_close(connect);
}

CONTRACT(life_children_stop_before_their_service)
{
	io_connect_t watcher = world_open();
	uint64_t device = world_attach(DEVICE);
	io_connect_t connect = world_open_type(CONTRACT_USB, CONTRACT_OPEN);
	char text[CONTRACT_TEXT_BYTES] = "";

	if (GET(watcher, CONTRACT_PID) != GET(connect, CONTRACT_PID)) {
		FAIL("IOUserServerOneProcess: two processes");
	}
	DO(connect, CONTRACT_USB_CONFIGURE, 3);
	world_forget_log(watcher);
	world_detach(device);
	read_log_until(watcher, "ContractUsb.Stop", text, sizeof(text));
	CHECK_LT(place_of(text, "ContractUsbClient.Stop\n"), place_of(text, "ContractUsb.Stop\n"));
	world_close(connect);
	read_log_until(watcher, "ContractUsb.free", text, sizeof(text));
	read_log_until(watcher, "ContractUsbClient.free", text, sizeof(text));
	world_close(watcher);
}

static unsigned count_lines(const char *text, const char *line)
{
	unsigned count = 0;

	for (const char *at = strstr(text, line); at != NULL; at = strstr(at + 1, line)) {
		count++;
	}
	return count;
}

CONTRACT(life_start_and_free_come_once_for_each_device)
{
	io_connect_t watcher = world_open();
	char text[CONTRACT_TEXT_BYTES] = "";
	uint64_t devices[3];

	world_forget_log(watcher);
	for (unsigned i = 0; i < 3; i++) {
		devices[i] = world_attach(DEVICE);
	}
	for (unsigned i = 0; i < 3; i++) {
		world_detach(devices[i]);
	}
	world_wait_gone(CONTRACT_USB);
	while (count_lines(text, "ContractUsb.free\n") < 3) {
		char more[CONTRACT_TEXT_BYTES];

		world_text(watcher, CONTRACT_LOG, more);
		CHECK_LT(strlen(text) + strlen(more), sizeof(text));
		strncat(text, more, sizeof(text) - strlen(text) - 1);
	}
	CHECK_EQ(count_lines(text, "ContractUsb.init\n"), 3);
	CHECK_EQ(count_lines(text, "ContractUsb.Start IOUSBHostDevice\n"), 3);
	CHECK_EQ(count_lines(text, "ContractUsb.Stop\n"), 3);
	CHECK_EQ(count_lines(text, "ContractUsb.free\n"), 3);
	world_close(watcher);
}

CONTRACT(life_unplug_without_any_client)
{
	for (unsigned i = 0; i < 5; i++) {
		uint64_t device = world_attach(DEVICE);

		(void)IOObjectRelease(world_service(CONTRACT_USB));
		world_detach(device);
		world_wait_gone(CONTRACT_USB);
	}
	world_close(world_open());
}

CONTRACT(life_registry_entry_of_a_service_that_went)
{
	uint64_t device = world_attach(DEVICE);
	io_service_t service = world_service(CONTRACT_USB);
	uint64_t id = world_registry_id(service);
	io_connect_t connect = IO_OBJECT_NULL;

	world_detach(device);
	world_wait_gone(CONTRACT_USB);
	CHECK_EQ(world_registry_id(service), id); /* the handle still names it */
	CHECK_NE(IOServiceOpen(service, mach_task_self(), 0, &connect), kIOReturnSuccess);
	CHECK_EQ(IOObjectRetain(service), kIOReturnSuccess);
	CHECK_EQ(IOObjectRelease(service), kIOReturnSuccess);
	CHECK_EQ(IOObjectRelease(service), kIOReturnSuccess);
}

CONTRACT(inside_memory_classes)
{
	io_connect_t connect = world_open();

	world_run_inside(connect, CONTRACT_TEST_MEMORY);
	world_close(connect);
}

CONTRACT(inside_queues)
{
	io_connect_t connect = world_open();

	world_run_inside(connect, CONTRACT_TEST_QUEUES);
	world_close(connect);
	connect = world_open_type(CONTRACT_SERVICE, CONTRACT_OPEN_QUEUED);
	world_run_inside(connect, CONTRACT_TEST_QUEUES);
	world_close(connect);
}

CONTRACT(inside_timers)
{
	io_connect_t connect = world_open_type(CONTRACT_SERVICE, CONTRACT_OPEN_QUEUED);

	world_run_inside(connect, CONTRACT_TEST_TIMERS);
	world_close(connect);
}

CONTRACT(inside_actions)
{
	io_connect_t connect = world_open_type(CONTRACT_SERVICE, CONTRACT_OPEN_QUEUED);

	world_run_inside(connect, CONTRACT_TEST_ACTIONS);
	world_close(connect);
}

CONTRACT(inside_values)
{
	io_connect_t connect = world_open();

	world_run_inside(connect, CONTRACT_TEST_COLLECTIONS);
	world_run_inside(connect, CONTRACT_TEST_SERVICE);
	world_run_inside(connect, CONTRACT_TEST_LIBRARY);
	world_close(connect);
}
