/* SPDX-License-Identifier: MIT
 *
 * kill_test - applications, drivers and devices that end at any moment.
 *
 * Each random scenario prints its seed; OPENDEXT_SEED repeats one.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>

#include "process/app.h"
#include "process/children.h"
#include "support/world.h"
#include "support/world_process.h"

#define DEVICE "virtual:gadget-zero,speed=super"
#define APP    "OPENDEXT_TEST_APP"

/* The device answers, which it would not with transfers of a dead application in its way. */
static void check_device(void)
{
	io_connect_t connect = world_open_type(CONTRACT_USB, CONTRACT_OPEN);
	const uint64_t out[] = {1, 100, 5000};
	const uint64_t in[] = {0, 1024, 5000};
	uint64_t output[2] = {0};

	DO(connect, CONTRACT_USB_CONFIGURE, 2);
	CHECK_EQ(world_call(connect, CONTRACT_USB_IO, out, 3, output, 2), kIOReturnSuccess);
	CHECK_EQ(output[0], kIOReturnSuccess);
	CHECK_EQ(world_call(connect, CONTRACT_USB_IO, in, 3, output, 2), kIOReturnSuccess);
	CHECK_EQ(output[0], kIOReturnSuccess);
	CHECK_EQ(output[1], 100);
	world_close(connect);
}

/* Everything has been used once, so that what is made on first use is there. */
static struct holdings warm_up(io_connect_t watcher)
{
	struct child app = child_start(APP, "pump", "1", NULL);
	struct holdings before;

	child_wait_ready(&app);
	sleep_us(20000);
	child_kill(&app);
	check_device();
	/* The count is taken when the application has been cleaned up: two equal ones in a row. */
	before = holdings_take(world_driver_pid(watcher));
	for (unsigned same = 0; same < 20; same++) {
		struct holdings now;

		sleep_us(5000);
		now = holdings_take(before.host);
		if (memcmp(&now, &before, sizeof(now)) != 0) {
			before = now;
			same = 0;
		}
	}
	return before;
}

CONTRACT_WITH_DEVICE(application_killed_at_random_points, DEVICE)
{
	io_connect_t watcher = world_open();
	struct holdings before = warm_up(watcher);
	unsigned first = seed_first();

	for (unsigned seed = first; seed < first + seed_count(12); seed++) {
		unsigned random = seed;
		unsigned delay_us = (unsigned)rand_r(&random) % 20000;
		char text[16];
		struct child app;

		(void)snprintf(text, sizeof(text), "%u", seed);
		printf("seed %u: after %u us\n", seed, delay_us);
		app = child_start(APP, "pump", text, NULL);
		child_wait_ready(&app);
		sleep_us(delay_us);
		child_kill(&app);
		CHECK_EQ(GET(watcher, CONTRACT_ADD, 1, 2), 3);
		check_device();
	}
	holdings_expect(&before);
	world_close(watcher);
}

CONTRACT_WITH_DEVICE(application_killed_with_transfers_in_flight, DEVICE)
{
	io_connect_t watcher = world_open();
	struct holdings before = warm_up(watcher);

	for (unsigned i = 0; i < 5; i++) {
		struct child app = child_start(APP, "transfers", NULL, NULL);

		child_wait_ready(&app);
		child_kill(&app);
		check_device();
	}
	holdings_expect(&before);
	world_close(watcher);
}

CONTRACT(application_killed_inside_a_call)
{
	io_connect_t watcher = world_open();
	struct child app = child_start(APP, "blocked", NULL, NULL);
	char text[CONTRACT_TEXT_BYTES];

	child_wait_ready(&app);
	while (GET(watcher, CONTRACT_NR_BLOCKED) == 0) {
	}
	child_kill(&app);
	CHECK_EQ(GET(watcher, CONTRACT_NR_BLOCKED), 1); /* the method runs to its end */
	world_forget_log(watcher);
	DO(watcher, CONTRACT_UNBLOCK);
	do {
		world_text(watcher, CONTRACT_LOG, text);
	} while (strstr(text, "ContractClient.free") == NULL);
	world_close(watcher);
}

CONTRACT_WITH_DEVICE(application_stopped_does_not_stop_others, DEVICE)
{
	io_connect_t watcher = world_open();
	struct child apps[2];

	for (unsigned i = 0; i < 2; i++) {
		apps[i] = child_start(APP, "pump", "1", NULL);
		child_wait_ready(&apps[i]);
	}
	for (unsigned i = 0; i < 5; i++) {
		CHECK_EQ(kill(apps[i % 2].pid, SIGSTOP), 0);
		for (unsigned j = 0; j < 200; j++) {
			CHECK_EQ(GET(watcher, CONTRACT_ADD, i, j), i + j);
		}
		world_close(world_open());
		CHECK_EQ(kill(apps[i % 2].pid, SIGCONT), 0);
	}
	child_kill(&apps[0]);
	child_kill(&apps[1]);
	world_close(watcher);
}

/* --- Drivers --------------------------------------------------------------------------------- */

static void expect_restart(const char *name, uint64_t old_id)
{
	for (;;) {
		io_service_t service = world_service(name);
		uint64_t id = 0;

		(void)IORegistryEntryGetRegistryEntryID(service, &id);
		(void)IOObjectRelease(service);
		if (id != old_id) {
			CHECK_NE(id, 0);
			return;
		}
		sleep_us(1000);
	}
}

static uint64_t id_of_service(const char *name)
{
	io_service_t service = world_service(name);
	uint64_t id = world_registry_id(service);

	CHECK_EQ(IOObjectRelease(service), kIOReturnSuccess);
	return id;
}

CONTRACT_WITH_DEVICE(driver_killed_at_random_points, DEVICE)
{
	unsigned first = seed_first();
	unsigned nr_broker_fds = 0;

	for (unsigned seed = first; seed < first + seed_count(7); seed++) {
		unsigned random = seed;
		unsigned delay_us = (unsigned)rand_r(&random) % 20000;
		uint64_t id = id_of_service(CONTRACT_SERVICE);
		uint64_t usb_id = id_of_service(CONTRACT_USB);
		io_connect_t watcher = world_open();
		pid_t host = world_driver_pid(watcher);
		struct child apps[2];
		char text[16];

		(void)snprintf(text, sizeof(text), "%u", seed);
		printf("seed %u: after %u us\n", seed, delay_us);
		for (unsigned i = 0; i < 2; i++) {
			apps[i] = child_start(APP, "pump", text, NULL);
			child_wait_ready(&apps[i]);
		}
		sleep_us(delay_us);
		CHECK_EQ(kill(host, SIGKILL), 0);
		child_join(&apps[0]); /* they check their codes, mappings and closes */
		child_join(&apps[1]);
		CHECK(APP_IS_DEATH(TRY(watcher, CONTRACT_LEAVE_OUTPUT)));
		world_close(watcher);
		expect_restart(CONTRACT_SERVICE, id);
		expect_restart(CONTRACT_USB, usb_id);
		check_device();
		/* The first round has made what is made once. */
		if (seed == first) {
			nr_broker_fds = world_count_fds(world_broker_pid());
		}
	}
	CHECK_LE(world_count_fds(world_broker_pid()), nr_broker_fds + 2);
}

CONTRACT(driver_killed_while_a_call_is_blocked)
{
	uint64_t id = id_of_service(CONTRACT_SERVICE);
	io_connect_t watcher = world_open();
	struct child app = child_start(APP, "blocked", NULL, NULL);
	char line[64];
	kern_return_t code;

	child_wait_ready(&app);
	while (GET(watcher, CONTRACT_NR_BLOCKED) == 0) {
	}
	CHECK_EQ(kill(world_driver_pid(watcher), SIGKILL), 0);
	child_read_line(&app, line, sizeof(line));
	code = (kern_return_t)strtoul(line, NULL, 0);
	CHECK(code == kIOReturnOffline || code == kIOReturnNotReady || code == MIG_SERVER_DIED);
	child_join(&app);
	world_close(watcher);
	expect_restart(CONTRACT_SERVICE, id);
}

CONTRACT(driver_crash_leaves_mappings)
{
	uint64_t id = id_of_service(CONTRACT_SERVICE);

	for (uint64_t kind = 0; kind < 3; kind++) {
		io_connect_t connect = world_open();
		mach_vm_address_t address = 0;
		mach_vm_size_t size = 0;
		volatile uint8_t *bytes;

		CHECK_EQ(IOConnectMapMemory64(connect, CONTRACT_MEMORY_SHARED, mach_task_self(),
					      &address, &size, kIOMapAnywhere),
			 kIOReturnSuccess);
		bytes = (volatile uint8_t *)(uintptr_t)address;
		bytes[7] = 0x77;
		CHECK(APP_IS_DEATH(TRY(connect, CONTRACT_CRASH, kind)));
		CHECK_EQ(bytes[7], 0x77);
		for (uint64_t i = 0; i < size; i++) {
			bytes[i] = (uint8_t)i;
		}
		CHECK_NE(TRY(connect, CONTRACT_LEAVE_OUTPUT), kIOReturnSuccess);
		CHECK_NE(IOConnectMapMemory64(connect, CONTRACT_MEMORY_ODD, mach_task_self(),
					      &address, &size, kIOMapAnywhere),
			 kIOReturnSuccess);
		CHECK_EQ(bytes[300], 300 % 256);
		world_close(connect);
		expect_restart(CONTRACT_SERVICE, id);
		id = id_of_service(CONTRACT_SERVICE);
	}
}

struct ended {
	unsigned nr_terminated;
};

static void message_came(void *refcon, io_service_t service, uint32_t type, void *argument)
{
	struct ended *ended = refcon;

	(void)service;
	(void)argument;
	ended->nr_terminated += type == kIOMessageServiceIsTerminated;
}

CONTRACT(driver_death_is_a_message)
{
	IONotificationPortRef port = IONotificationPortCreate(kIOMainPortDefault);
	io_service_t service = world_service(CONTRACT_SERVICE);
	uint64_t id = world_registry_id(service);
	io_connect_t connect = world_open();
	struct heard heard = {0};
	struct ended ended = {0};
	io_object_t notification;

	CHECK_EQ(IOServiceAddInterestNotification(port, service, kIOGeneralInterest, message_came,
						  &ended, &notification),
		 kIOReturnSuccess);
	(void)world_keep(connect, port, REFERENCE(heard_0, &heard));
	CHECK_EQ(kill(world_driver_pid(connect), SIGKILL), 0);
	while (ended.nr_terminated == 0) {
		CHECK_GE(IONotificationPortDispatch(port, (int)WORLD_WAIT_MS), 0);
	}
	CHECK_EQ(heard.count, 0); /* a completion that was outstanding never comes */
	CHECK_EQ(IOObjectRelease(notification), kIOReturnSuccess);
	CHECK_EQ(IOObjectRelease(service), kIOReturnSuccess);
	world_close(connect);
	expect_restart(CONTRACT_SERVICE, id);
	IONotificationPortDestroy(port);
}

/* --- Devices --------------------------------------------------------------------------------- */

CONTRACT(device_unplugged_at_random_points)
{
	unsigned first = seed_first();
	io_connect_t watcher = world_open();

	for (unsigned seed = first; seed < first + seed_count(8); seed++) {
		unsigned random = seed;
		unsigned delay_us = (unsigned)rand_r(&random) % 10000;
		uint64_t device = world_attach(DEVICE);
		struct child app;
		char text[16];

		(void)snprintf(text, sizeof(text), "%u", seed);
		printf("seed %u: after %u us\n", seed, delay_us);
		app = child_start(APP, "pump", text, NULL);
		child_wait_ready(&app);
		sleep_us(delay_us);
		world_detach(device);
		world_wait_gone(CONTRACT_USB);
		CHECK_EQ(GET(watcher, CONTRACT_ADD, 3, 4), 7);
		child_kill(&app);
	}
	(void)world_attach(DEVICE);
	check_device();
	world_close(watcher);
}
