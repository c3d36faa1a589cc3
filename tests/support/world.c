/* SPDX-License-Identifier: MIT
 *
 * world - what both worlds share. See world.h.
 */
#include "support/world.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tools/control.h"

static char directory[64];
static char socket_path[128];
static const char *(*reach_device)(const char *spec);
static void (*end_devices)(void);

const char *world_socket(void)
{
	return socket_path;
}

/* One conversation with the broker; the test fails when there is none. */
static struct dx_control talk(void)
{
	struct dx_control broker = DX_CONTROL_INIT;
	int result = dx_control_open(&broker, socket_path);

	if (result < 0) {
		FAIL("broker: %s", strerror(-result));
	}
	return broker;
}

void world_wait_quiet(void)
{
	struct dx_control broker = talk();

	CHECK_EQ(dx_control_wait_quiet(&broker, WORLD_WAIT_MS * 1000000ull), 0);
	dx_control_close(&broker);
}

void world_start(void)
{
	const char *bundle = getenv("OPENDEXT_TEST_CONTRACT"); /* the same driver of other sources */

	test_make_directory(directory, sizeof(directory));
	(void)snprintf(socket_path, sizeof(socket_path), "%s/broker", directory);
	CHECK_EQ(setenv("OPENDEXT_SOCKET", socket_path, 1), 0);
	world_start_broker(socket_path, bundle == NULL ? CONTRACT_BUNDLE : bundle);
	(void)IOObjectRelease(world_service(CONTRACT_SERVICE));
}

void world_stop(void)
{
	world_stop_broker();
	if (end_devices != NULL) {
		end_devices();
	}
	/* The broker has removed its socket, and perhaps the directory as well. */
	if (rmdir(directory) != 0 && errno != ENOENT) {
		FAIL("something is left in %s", directory);
	}
}

bool world_load(const char *bundle, char *message, size_t capacity)
{
	struct dx_control broker = talk();
	char identifier[256];
	int result = dx_control_load(&broker, bundle, identifier, sizeof(identifier));

	if (result < 0) {
		(void)snprintf(message, capacity, "%s", dx_control_reason(&broker, result));
	}
	dx_control_close(&broker);
	return result == 0;
}

void world_unload(const char *identifier)
{
	struct dx_control broker = talk();

	CHECK_EQ(dx_control_unload(&broker, identifier), 0);
	dx_control_close(&broker);
}

void world_reach_by(const char *(*reach)(const char *spec), void (*end)(void))
{
	reach_device = reach;
	end_devices = end;
}

uint64_t world_attach(const char *spec)
{
	struct dx_control broker = talk();
	uint64_t id = 0;
	int result = dx_control_attach(&broker, reach_device == NULL ? spec : reach_device(spec), &id);

	if (result < 0) {
		FAIL("attach %s: %s", spec, dx_control_reason(&broker, result));
	}
	CHECK_EQ(dx_control_wait_quiet(&broker, WORLD_WAIT_MS * 1000000ull), 0);
	dx_control_close(&broker);
	return id;
}

const char *world_gadget_zero(void)
{
	const char *spec = getenv("OPENDEXT_TEST_GADGET_ZERO");

	return spec == NULL ? "virtual:gadget-zero,speed=super" : spec;
}

const char *world_isochronous(void)
{
	const char *spec = getenv("OPENDEXT_TEST_ISOCHRONOUS");

	return spec == NULL ? "virtual:gadget-zero,speed=super,pattern=1" : spec;
}

bool world_try_attach(const char *spec, char *message, size_t capacity)
{
	struct dx_control broker = talk();
	uint64_t id = 0;
	int result = dx_control_attach(&broker, spec, &id);

	if (result < 0) {
		(void)snprintf(message, capacity, "%s", dx_control_reason(&broker, result));
	}
	dx_control_close(&broker);
	return result == 0;
}

void world_detach(uint64_t device_id)
{
	struct dx_control broker = talk();

	CHECK_EQ(dx_control_detach(&broker, device_id), 0);
	dx_control_close(&broker);
}

/* --- Services and connections ---------------------------------------------------------------- */

struct wanted {
	const char *name;
	io_service_t service;
};

static bool find_service(void *argument)
{
	struct wanted *wanted = argument;

	wanted->service = IOServiceGetMatchingService(kIOMainPortDefault,
						      IOServiceNameMatching(wanted->name));
	return wanted->service != IO_OBJECT_NULL;
}

io_service_t world_service(const char *name)
{
	struct wanted wanted = {.name = name};

	if (!test_wait_until(find_service, &wanted, WORLD_WAIT_MS)) {
		FAIL("no service %s", name);
	}
	return wanted.service;
}

static bool service_is_gone(void *argument)
{
	struct wanted *wanted = argument;

	if (!find_service(wanted)) {
		return true;
	}
	(void)IOObjectRelease(wanted->service);
	return false;
}

void world_wait_gone(const char *name)
{
	struct wanted wanted = {.name = name};

	if (!test_wait_until(service_is_gone, &wanted, WORLD_WAIT_MS)) {
		FAIL("service %s does not go", name);
	}
}

uint64_t world_registry_id(io_registry_entry_t entry)
{
	uint64_t id = 0;

	CHECK_EQ(IORegistryEntryGetRegistryEntryID(entry, &id), kIOReturnSuccess);
	return id;
}

kern_return_t world_try_open(const char *name, uint32_t type, io_connect_t *connect)
{
	io_service_t service = world_service(name);
	kern_return_t result = IOServiceOpen(service, mach_task_self(), type, connect);

	CHECK_EQ(IOObjectRelease(service), kIOReturnSuccess);
	return result;
}

io_connect_t world_open_type(const char *name, uint32_t type)
{
	io_connect_t connect = IO_OBJECT_NULL;

	CHECK_EQ(world_try_open(name, type, &connect), kIOReturnSuccess);
	CHECK_NE(connect, IO_OBJECT_NULL);
	return connect;
}

io_connect_t world_open(void)
{
	return world_open_type(CONTRACT_SERVICE, CONTRACT_OPEN);
}

void world_close(io_connect_t connect)
{
	CHECK_EQ(IOServiceClose(connect), kIOReturnSuccess);
}

/* --- Calls ----------------------------------------------------------------------------------- */

kern_return_t world_call(io_connect_t connect, uint32_t selector, const uint64_t *input,
			 size_t nr_input, uint64_t *output, uint32_t nr_output)
{
	uint32_t nr_given = nr_output;
	kern_return_t result =
		IOConnectCallScalarMethod(connect, selector, input, (uint32_t)nr_input, output,
					  nr_output == 0 ? NULL : &nr_given);

	if (result == kIOReturnSuccess) {
		CHECK_EQ(nr_given, nr_output);
	}
	return result;
}

uint64_t world_get(io_connect_t connect, uint32_t selector, const uint64_t *input, size_t nr_input)
{
	uint64_t value = 0;
	kern_return_t result = world_call(connect, selector, input, nr_input, &value, 1);

	if (result != kIOReturnSuccess) {
		FAIL("selector %u: %#x", selector, (unsigned)result);
	}
	return value;
}

void world_text(io_connect_t connect, uint32_t selector, char *text)
{
	size_t length = CONTRACT_TEXT_BYTES;

	CHECK_EQ(IOConnectCallStructMethod(connect, selector, NULL, 0, text, &length),
		 kIOReturnSuccess);
	CHECK_GE(length, 1);
	CHECK_EQ(text[length - 1], 0);
}

kern_return_t world_send_text(io_connect_t connect, uint32_t selector, const char *text)
{
	return IOConnectCallStructMethod(connect, selector, text, strlen(text), NULL, NULL);
}

void world_forget_log(io_connect_t connect)
{
	char text[CONTRACT_TEXT_BYTES];

	world_text(connect, CONTRACT_LOG, text);
}

void world_run_inside(io_connect_t connect, uint32_t selector)
{
	char text[CONTRACT_TEXT_BYTES];

	world_text(connect, selector, text);
	if (text[0] != '\0') {
		FAIL("in the driver: %s", text);
	}
}

/* --- Completions ----------------------------------------------------------------------------- */

static void hear(struct heard *heard, IOReturn result, const uint64_t *args, uint32_t nr_args)
{
	unsigned at = heard->count % HEARD_MAX;

	heard->result[at] = result;
	heard->nr_args[at] = nr_args;
	for (uint32_t i = 0; i < nr_args && i < 16; i++) {
		heard->args[at][i] = args[i];
	}
	heard->count++;
}

void heard_0(void *refcon, IOReturn result)
{
	hear(refcon, result, NULL, 0);
}

void heard_1(void *refcon, IOReturn result, void *arg0)
{
	const uint64_t args[] = {(uint64_t)(uintptr_t)arg0};

	hear(refcon, result, args, 1);
}

void heard_2(void *refcon, IOReturn result, void *arg0, void *arg1)
{
	const uint64_t args[] = {(uint64_t)(uintptr_t)arg0, (uint64_t)(uintptr_t)arg1};

	hear(refcon, result, args, 2);
}

void heard_n(void *refcon, IOReturn result, void **args, uint32_t nr_args)
{
	uint64_t words[16] = {0};

	for (uint32_t i = 0; i < nr_args && i < 16; i++) {
		words[i] = (uint64_t)(uintptr_t)args[i];
	}
	hear(refcon, result, words, nr_args);
}

kern_return_t world_async(io_connect_t connect, uint32_t selector, IONotificationPortRef port,
			  uint64_t *reference, const uint64_t *input, size_t nr_input,
			  uint64_t *output, uint32_t nr_output)
{
	return IOConnectCallAsyncScalarMethod(connect, selector, IONotificationPortGetMachPort(port),
					      reference, kOSAsyncRef64Count, input,
					      (uint32_t)nr_input, output,
					      nr_output == 0 ? NULL : &nr_output);
}

uint64_t world_keep(io_connect_t connect, IONotificationPortRef port, uint64_t *reference)
{
	uint64_t index = UINT64_MAX;

	CHECK_EQ(world_async(connect, CONTRACT_KEEP, port, reference, NULL, 0, &index, 1),
		 kIOReturnSuccess);
	return index;
}

void world_hear(IONotificationPortRef port, const struct heard *heard, unsigned wanted)
{
	while (heard->count < wanted) {
		int nr_called = IONotificationPortDispatch(port, (int)WORLD_WAIT_MS);

		if (nr_called <= 0) {
			FAIL("heard %u completions of %u", heard->count, wanted);
		}
	}
	CHECK_EQ(heard->count, wanted);
}

void world_hear_nothing(IONotificationPortRef port, const struct heard *heard)
{
	unsigned before = heard->count;

	CHECK_EQ(IONotificationPortDispatch(port, 0), 0);
	CHECK_EQ(heard->count, before);
}

/* --- Processes ------------------------------------------------------------------------------- */

pid_t world_driver_pid(io_connect_t connect)
{
	return (pid_t)GET(connect, CONTRACT_PID);
}

unsigned world_count_fds(pid_t pid)
{
	char path[64];
	unsigned count = 0;
	DIR *dir;

	(void)snprintf(path, sizeof(path), "/proc/%d/fd", (int)pid);
	dir = opendir(path);
	if (dir == NULL) {
		return 0;
	}
	for (struct dirent *entry = readdir(dir); entry != NULL; entry = readdir(dir)) {
		count += entry->d_name[0] != '.';
	}
	(void)closedir(dir);
	return count;
}

bool world_is_asleep(pid_t thread)
{
	char path[64];
	char state = '\0';

	(void)snprintf(path, sizeof(path), "/proc/self/task/%d/stat", (int)thread);
	FILE *file = fopen(path, "re");
	if (file != NULL) {
		(void)fscanf(file, "%*d (%*[^)]) %c", &state); /* nothing read: not asleep */
		(void)fclose(file);
	}
	return state == 'S';
}
