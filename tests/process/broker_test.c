/* SPDX-License-Identifier: MIT
 *
 * broker_test - brokers that die, come back, or find another one at their address.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "process/children.h"
#include "support/world.h"
#include "support/world_process.h"

static char directory[64];
static char address[96];

/* A broker for everybody: its hosts outlive it. */
static void start_public(const char *const *more)
{
	char line[512];

	if (!world_spawn_broker(address, CONTRACT_BUNDLE, false, more, line, sizeof(line))) {
		FAIL("dextd: %s", line);
	}
}

static void make_address(void)
{
	test_make_directory(directory, sizeof(directory));
	(void)snprintf(address, sizeof(address), "%s/broker", directory);
	CHECK_EQ(setenv("OPENDEXT_SOCKET", address, 1), 0);
}

static void stop_and_clean(void)
{
	int status;

	CHECK_EQ(kill(world_broker_pid(), SIGTERM), 0);
	status = world_wait_broker();
	CHECK_EQ(status, 0);
	CHECK_EQ(access(address, F_OK), -1);
	CHECK_EQ(rmdir(directory), 0);
}

static void kill_broker(void)
{
	CHECK_EQ(kill(world_broker_pid(), SIGKILL), 0);
	(void)world_wait_broker();
}

/* Opens as soon as the new broker knows the service again. */
static bool can_open(void *argument)
{
	io_connect_t *connect = argument;
	io_service_t service = IOServiceGetMatchingService(kIOMainPortDefault,
							   IOServiceNameMatching(CONTRACT_SERVICE));
	kern_return_t result;

	if (service == IO_OBJECT_NULL) {
		return false;
	}
	result = IOServiceOpen(service, mach_task_self(), CONTRACT_OPEN, connect);
	(void)IOObjectRelease(service);
	return result == kIOReturnSuccess;
}

TEST_SECONDS(broker_killed_and_restarted_connections_go_on, 60)
{
	io_connect_t before;
	io_connect_t after = IO_OBJECT_NULL;
	pid_t host;

	make_address();
	start_public(NULL);
	before = world_open();
	host = world_driver_pid(before);
	for (unsigned round = 0; round < 2; round++) {
		kill_broker();
		/* Nobody is there, and the connection does not notice. */
		CHECK_EQ(GET(before, CONTRACT_ADD, 40, 2), 42);
		CHECK_EQ(IOServiceGetMatchingService(kIOMainPortDefault,
						     IOServiceNameMatching(CONTRACT_SERVICE)),
			 IO_OBJECT_NULL);
		start_public(NULL);
		CHECK(test_wait_until(can_open, &after, WORLD_WAIT_MS));
		CHECK_EQ(world_driver_pid(after), host); /* adopted, not started again */
		CHECK_EQ(GET(before, CONTRACT_ADD, 40, 2), 42);
		world_close(after);
	}
	world_close(before);
	stop_and_clean();
}

TEST_SECONDS(broker_restart_keeps_registry_ids_and_names, 60)
{
	io_connect_t connect;
	io_connect_t after = IO_OBJECT_NULL;
	io_service_t service;
	uint64_t id;

	make_address();
	start_public(NULL);
	connect = world_open();
	service = world_service(CONTRACT_SERVICE);
	id = world_registry_id(service);
	CHECK_EQ(IOObjectRelease(service), kIOReturnSuccess);
	CHECK_EQ(world_send_text(connect, CONTRACT_SET_PROPERTY, "Colour=green"), kIOReturnSuccess);
	kill_broker();
	start_public(NULL);
	CHECK(test_wait_until(can_open, &after, WORLD_WAIT_MS));
	service = world_service(CONTRACT_SERVICE);
	CHECK_EQ(world_registry_id(service), id);
	CHECK_EQ(IOObjectRelease(service), kIOReturnSuccess);
	world_close(connect);
	world_close(after);
	stop_and_clean();
}

static void end_came(void *refcon, io_service_t service, uint32_t type, void *argument)
{
	(void)service;
	(void)argument;
	*(unsigned *)refcon += type == kIOMessageServiceIsTerminated;
}

/* Completions, and ends of connections, need no broker; the end of the service is told by the next. */
TEST_SECONDS(broker_killed_ends_are_told_all_the_same, 60)
{
	IONotificationPortRef port = NULL;
	struct heard heard = {0};
	io_object_t notifications[2];
	unsigned nr_connection = 0;
	unsigned nr_service = 0;

	make_address();
	start_public(NULL);
	port = IONotificationPortCreate(kIOMainPortDefault);
	io_service_t service = world_service(CONTRACT_SERVICE);
	io_connect_t connect = world_open();
	io_connect_t cut = world_open();
	pid_t host = world_driver_pid(connect);
	uint64_t index = world_keep(connect, port, REFERENCE(heard_0, &heard));
	(void)world_keep(cut, port, REFERENCE(heard_0, &heard));
	CHECK_EQ(IOServiceAddInterestNotification(port, connect, kIOGeneralInterest, end_came,
						  &nr_connection, &notifications[0]),
		 kIOReturnSuccess);
	CHECK_EQ(IOServiceAddInterestNotification(port, service, kIOGeneralInterest, end_came,
						  &nr_service, &notifications[1]),
		 kIOReturnSuccess);
	kill_broker();
	DO(connect, CONTRACT_FIRE, index, 0, 0, 1, 0);
	CHECK_EQ(IONotificationPortDispatch(port, -1), 1);
	CHECK_EQ(heard.count, 1);
	(void)TRY(cut, CONTRACT_TERMINATE_CLIENT);
	CHECK_EQ(IONotificationPortDispatch(port, -1), 0); /* nobody asked for its end */
	CHECK_EQ(IOConnectGetState(cut), kIOReturnNotAttached);
	CHECK_EQ(kill(host, SIGKILL), 0);
	CHECK_EQ(IONotificationPortDispatch(port, -1), 1);
	CHECK_EQ(nr_connection, 1);
	CHECK_EQ(IOConnectGetState(connect), kIOReturnOffline);
	start_public(NULL);
	CHECK_EQ(IONotificationPortDispatch(port, -1), 1);
	CHECK_EQ(nr_service, 1);
	CHECK_EQ(heard.count, 1);
	CHECK_EQ(IOObjectRelease(notifications[0]), kIOReturnSuccess);
	CHECK_EQ(IOObjectRelease(notifications[1]), kIOReturnSuccess);
	CHECK_EQ(IOObjectRelease(service), kIOReturnSuccess);
	world_close(connect);
	world_close(cut);
	IONotificationPortDestroy(port);
	CHECK(test_wait_until(can_open, &connect, WORLD_WAIT_MS));
	world_close(connect);
	stop_and_clean();
}

static void service_came(void *refcon, io_iterator_t iterator)
{
	unsigned *count = refcon;

	for (io_service_t service = IOIteratorNext(iterator); service != IO_OBJECT_NULL;
	     service = IOIteratorNext(iterator)) {
		++*count;
		(void)IOObjectRelease(service);
	}
}

TEST_SECONDS(broker_restart_keeps_subscriptions, 60)
{
	IONotificationPortRef port;
	io_iterator_t iterator;
	unsigned count = 0;
	io_connect_t connect = IO_OBJECT_NULL;

	make_address();
	start_public(NULL);
	port = IONotificationPortCreate(kIOMainPortDefault);
	(void)IOObjectRelease(world_service(CONTRACT_SERVICE));
	CHECK_EQ(IOServiceAddMatchingNotification(port, kIOFirstMatchNotification,
						  IOServiceNameMatching(CONTRACT_USB), service_came,
						  &count, &iterator),
		 kIOReturnSuccess);
	service_came(&count, iterator);
	CHECK_EQ(count, 0);
	kill_broker();
	start_public((const char *[]){"--device", "virtual:gadget-zero", NULL});
	while (count == 0) {
		CHECK_GE(IONotificationPortDispatch(port, (int)WORLD_WAIT_MS), 1);
	}
	CHECK_EQ(count, 1);
	CHECK_EQ(IOObjectRelease(iterator), kIOReturnSuccess);
	IONotificationPortDestroy(port);
	CHECK(test_wait_until(can_open, &connect, WORLD_WAIT_MS));
	world_close(connect);
	stop_and_clean();
}

TEST_SECONDS(broker_second_one_at_the_same_address_is_refused, 60)
{
	struct world_broker first;
	char line[512];
	int status;

	make_address();
	start_public(NULL);
	first = world_take_broker();
	(void)IOObjectRelease(world_service(CONTRACT_SERVICE));
	CHECK(!world_spawn_broker(address, NULL, false, NULL, line, sizeof(line)));
	status = world_wait_broker();
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) != 0);
	/* The first one has not noticed. */
	world_put_broker(first);
	world_close(world_open());
	stop_and_clean();
}

TEST_SECONDS(broker_replaces_a_stale_socket, 60)
{
	struct sockaddr_un name = {.sun_family = AF_UNIX};
	int stale;

	make_address();
	memcpy(name.sun_path, address, strlen(address) + 1);
	stale = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	CHECK_EQ(bind(stale, (struct sockaddr *)&name, sizeof(name)), 0);
	(void)close(stale);
	start_public(NULL);
	world_close(world_open());
	stop_and_clean();
}

TEST_SECONDS(broker_does_not_replace_another_file, 60)
{
	char line[512];
	FILE *file;

	make_address();
	file = fopen(address, "we");
	CHECK(file != NULL);
	(void)fclose(file);
	CHECK(!world_spawn_broker(address, NULL, false, NULL, line, sizeof(line)));
	CHECK(strstr(line, address) != NULL);
	CHECK(strstr(line, "is there already and is no socket") != NULL);
	CHECK_NE(world_wait_broker(), 0);
	CHECK_EQ(unlink(address), 0); /* still there */
	CHECK_EQ(rmdir(directory), 0);
}

/* --- Limits of the processes ----------------------------------------------------------------- */

/* The broker and its hosts inherit the limit. */
static void start_limited(int resource, rlim_t value)
{
	struct rlimit old;
	struct rlimit limited;

	make_address();
	CHECK_EQ(getrlimit((__rlimit_resource_t)resource, &old), 0);
	limited = (struct rlimit){value, old.rlim_max};
	CHECK_EQ(setrlimit((__rlimit_resource_t)resource, &limited), 0);
	start_public(NULL);
	CHECK_EQ(setrlimit((__rlimit_resource_t)resource, &old), 0);
}

TEST_SECONDS(limit_of_descriptors_fails_one_open, 60)
{
	io_connect_t connects[200];
	unsigned nr_open = 0;
	kern_return_t result = kIOReturnSuccess;

	start_limited(RLIMIT_NOFILE, 64);
	while (nr_open < 200) {
		result = world_try_open(CONTRACT_SERVICE, CONTRACT_OPEN, &connects[nr_open]);
		if (result != kIOReturnSuccess) {
			break;
		}
		nr_open++;
	}
	CHECK_GE(nr_open, 5);
	CHECK(result == kIOReturnSuccess || result == kIOReturnNoResources ||
	      result == kIOReturnNoMemory);
	for (unsigned i = 0; i < nr_open; i++) {
		CHECK_EQ(GET(connects[i], CONTRACT_ADD, i, 1), i + 1);
	}
	for (unsigned i = 0; i < nr_open; i++) {
		world_close(connects[i]);
	}
	/* There is room again, after the driver has taken the ends in. */
	for (unsigned i = 0; i < 1000; i++) {
		result = world_try_open(CONTRACT_SERVICE, CONTRACT_OPEN, &connects[0]);
		if (result == kIOReturnSuccess) {
			break;
		}
		sleep_us(1000);
	}
	CHECK_EQ(result, kIOReturnSuccess);
	world_close(connects[0]);
	stop_and_clean();
}

TEST_SECONDS(limit_of_descriptors_of_an_application_is_told_as_such, 60)
{
	io_connect_t connect = IO_OBJECT_NULL;
	io_service_t service;
	struct rlimit old;
	unsigned nr_refused = 0;
	int next;

	make_address();
	start_public(NULL);
	service = world_service(CONTRACT_SERVICE);
	next = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 0); /* the lowest that is free */
	CHECK_GE(next, 0);
	(void)close(next);
	CHECK_EQ(getrlimit(RLIMIT_NOFILE, &old), 0);
	for (;;) {
		struct rlimit few = {(rlim_t)next + nr_refused, old.rlim_max};
		kern_return_t result;

		CHECK_EQ(setrlimit(RLIMIT_NOFILE, &few), 0);
		result = IOServiceOpen(service, mach_task_self(), CONTRACT_OPEN, &connect);
		CHECK_EQ(setrlimit(RLIMIT_NOFILE, &old), 0);
		if (result == kIOReturnSuccess) {
			break;
		}
		CHECK_EQ(result, kIOReturnNoResources);
		CHECK_EQ(connect, IO_OBJECT_NULL);
		nr_refused++;
	}
	/* The socket did not fit, then one part of the channel after the other. */
	CHECK_GE(nr_refused, 2);
	CHECK_EQ(GET(connect, CONTRACT_ADD, 40, 2), 42);
	world_close(connect);
	CHECK_EQ(IOObjectRelease(service), kIOReturnSuccess);
	stop_and_clean();
}

TEST_SECONDS(limit_of_memory_files_fails_one_buffer, 60)
{
	io_connect_t connect;
	uint64_t address_in_driver = 0;
	const uint64_t large[] = {64u << 20, 0};
	kern_return_t result;

	/* Enough for channels, too little for the buffer: like a full disk. */
	start_limited(RLIMIT_FSIZE, 4u << 20);
	connect = world_open();
	result = world_call(connect, CONTRACT_ALLOCATE, large, 2, &address_in_driver, 1);
	CHECK(result == kIOReturnNoMemory || result == kIOReturnNoResources ||
	      result == kIOReturnNoSpace);
	(void)GET(connect, CONTRACT_ALLOCATE, 65536, 0);
	world_close(connect);
	stop_and_clean();
}

TEST_SECONDS(limit_of_locked_memory_does_not_matter, 60)
{
	io_connect_t connect;

	start_limited(RLIMIT_MEMLOCK, 0);
	connect = world_open();
	(void)GET(connect, CONTRACT_ALLOCATE, 1u << 20, 0);
	world_close(connect);
	stop_and_clean();
}
