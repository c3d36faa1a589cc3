/* SPDX-License-Identifier: MIT
 *
 * app - the application of the process tests: one mode each. See app.h.
 *
 *	pump SEED	all kinds of use at random until the driver dies; then 0
 *	blocked		one call that does not return before the driver dies; prints its code
 *	silent COUNT	fires COUNT completions and takes none, then sleeps
 *	transfers	leaves transfers in flight and sleeps
 *	fork		uses its connection in a child of fork()
 *	memlock		use with RLIMIT_MEMLOCK 0
 *	small-files	use with RLIMIT_FSIZE 0
 */
#include "process/app.h"

#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <IOKit/IOKitLib.h>
#include <opendext/client.h>

#include "contract/driver/contract.h"

#define MAP_BYTES (3u * CONTRACT_PAGE)

struct pump {
	unsigned random;
	io_connect_t connect; /* CONTRACT_SERVICE */
	io_connect_t usb;     /* CONTRACT_USB, or 0 */
	IONotificationPortRef port;
	uint8_t *mapped; /* NULL: not */
	uint8_t *pages;	 /* private, granted now and then */
	uint64_t nr_heard;
	bool dead;
};

static void die(const char *format, ...) __attribute__((noreturn, format(printf, 1, 2)));

static void die(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vfprintf(stderr, format, arguments);
	va_end(arguments);
	fputc('\n', stderr);
	exit(1);
}

static void say(const char *line)
{
	printf("%s\n", line);
	fflush(stdout);
}

static io_connect_t open_by_name(const char *name)
{
	io_service_t service =
		IOServiceGetMatchingService(kIOMainPortDefault, IOServiceNameMatching(name));
	io_connect_t connect = IO_OBJECT_NULL;
	kern_return_t result;

	if (service == IO_OBJECT_NULL) {
		return IO_OBJECT_NULL;
	}
	result = IOServiceOpen(service, mach_task_self(), CONTRACT_OPEN, &connect);
	(void)IOObjectRelease(service);
	if (result != kIOReturnSuccess) {
		die("open %s: %#x", name, (unsigned)result);
	}
	return connect;
}

static kern_return_t call(io_connect_t connect, uint32_t selector, const uint64_t *input,
			  uint32_t nr_input)
{
	return IOConnectCallScalarMethod(connect, selector, input, nr_input, NULL, NULL);
}

/* Notes that the driver is gone; any other failure ends the program. */
static bool went_well(struct pump *pump, kern_return_t result, const char *what)
{
	if (result == kIOReturnSuccess) {
		return true;
	}
	if (!APP_IS_DEATH(result)) {
		die("%s: %#x", what, (unsigned)result);
	}
	pump->dead = true;
	return false;
}

static void heard(void *refcon, IOReturn result, void **args, uint32_t nr_args)
{
	struct pump *pump = refcon;

	(void)result;
	(void)args;
	(void)nr_args;
	pump->nr_heard++;
}

static unsigned draw(struct pump *pump, unsigned below)
{
	return (unsigned)rand_r(&pump->random) % below;
}

static void use_scalars(struct pump *pump)
{
	const uint64_t input[2] = {draw(pump, 1000), draw(pump, 1000)};
	uint64_t sum = 0;
	uint32_t nr_output = 1;

	if (went_well(pump,
		      IOConnectCallScalarMethod(pump->connect, CONTRACT_ADD, input, 2, &sum,
						&nr_output),
		      "scalars") &&
	    sum != input[0] + input[1]) {
		die("scalars: wrong sum");
	}
}

static void use_structures(struct pump *pump)
{
	static uint8_t input[20000];
	static uint8_t output[20000];
	size_t length = 1 + draw(pump, sizeof(input));
	size_t size = length;

	memset(input, (int)draw(pump, 256), length);
	if (went_well(pump,
		      IOConnectCallStructMethod(pump->connect, CONTRACT_ECHO_STRUCT, input, length,
						output, &size),
		      "structures") &&
	    (size != length || memcmp(input, output, length) != 0)) {
		die("structures: other bytes");
	}
}

static void use_mapping(struct pump *pump)
{
	mach_vm_address_t address = 0;
	mach_vm_size_t size = 0;

	if (pump->mapped != NULL && draw(pump, 3) == 0) {
		(void)went_well(pump,
				IOConnectUnmapMemory64(pump->connect, CONTRACT_MEMORY_SHARED,
						       mach_task_self(), 0),
				"unmap");
		pump->mapped = pump->dead ? pump->mapped : NULL;
		return;
	}
	if (went_well(pump,
		      IOConnectMapMemory64(pump->connect, CONTRACT_MEMORY_SHARED, mach_task_self(),
					   &address, &size, kIOMapAnywhere),
		      "map")) {
		pump->mapped = (uint8_t *)(uintptr_t)address;
		memset(pump->mapped, 0x5a, size);
	}
}

static void use_grant(struct pump *pump)
{
	struct contract_grant grant = {.options = 0x13, .nr_segments = 1};
	uint64_t number = 0;
	uint32_t nr_output = 1;

	grant.segments[0].address = (uint64_t)(uintptr_t)pump->pages;
	grant.segments[0].length = CONTRACT_PAGE * (1 + draw(pump, 8));
	if (went_well(pump,
		      IOConnectCallMethod(pump->connect, CONTRACT_GRANT, NULL, 0, &grant,
					  sizeof(grant), &number, &nr_output, NULL, NULL),
		      "grant")) {
		const uint64_t fill[2] = {number, draw(pump, 256)};

		if (went_well(pump, call(pump->connect, CONTRACT_GRANT_FILL, fill, 2), "fill")) {
			(void)went_well(pump,
					call(pump->connect, CONTRACT_GRANT_RELEASE, fill, 1),
					"release");
		}
	}
}

static void use_completions(struct pump *pump)
{
	uint64_t reference[3] = {0, (uint64_t)(uintptr_t)heard, (uint64_t)(uintptr_t)pump};
	const uint64_t input[4] = {0, 3, 1 + draw(pump, 200), 0};

	(void)went_well(pump,
			IOConnectCallAsyncScalarMethod(pump->connect, CONTRACT_FIRE_INSIDE,
						       IONotificationPortGetMachPort(pump->port),
						       reference, 3, input, 4, NULL, NULL),
			"fire");
	(void)IONotificationPortDispatch(pump->port, 0);
}

static void use_transfers(struct pump *pump)
{
	uint64_t reference[3] = {0, (uint64_t)(uintptr_t)heard, (uint64_t)(uintptr_t)pump};
	uint64_t input[4] = {draw(pump, 2), 1 + draw(pump, 100000), 0, 0};
	kern_return_t result;

	if (pump->usb == IO_OBJECT_NULL) {
		return;
	}
	if (input[0] == 0) {
		input[1] += 1023 - (input[1] + 1023) % 1024; /* room for whole packets */
	}
	result = IOConnectCallAsyncScalarMethod(pump->usb, CONTRACT_USB_ASYNC,
						IONotificationPortGetMachPort(pump->port), reference,
						3, input, 4, NULL, NULL);
	/* Too many in flight, or the device has gone: not the end. */
	if (result != kIOReturnNoResources && result != kIOReturnNoDevice &&
	    result != kIOReturnNotOpen && result != kIOReturnAborted) {
		(void)went_well(pump, result, "transfer");
	}
	if (draw(pump, 16) == 0 && !pump->dead) {
		input[1] = draw(pump, 2);
		(void)call(pump->usb, CONTRACT_USB_ABORT, input, 2);
	}
	(void)IONotificationPortDispatch(pump->port, 0);
}

/* The driver is dead: mappings are there, closing is no error. */
static void check_after_death(struct pump *pump)
{
	if (pump->mapped != NULL) {
		volatile uint8_t *bytes = pump->mapped;

		for (unsigned i = 0; i < MAP_BYTES; i += 512) {
			bytes[i] = (uint8_t)(bytes[i] + 1);
		}
	}
	if (pump->usb != IO_OBJECT_NULL && IOServiceClose(pump->usb) != kIOReturnSuccess) {
		die("close of the device's connection");
	}
	if (IOServiceClose(pump->connect) != kIOReturnSuccess) {
		die("close");
	}
	IONotificationPortDestroy(pump->port);
}

static struct pump *pump_new(unsigned seed)
{
	static struct pump pump;
	const uint64_t loopback[1] = {2};

	pump.random = seed;
	pump.connect = open_by_name(CONTRACT_SERVICE);
	pump.usb = open_by_name(CONTRACT_USB);
	pump.port = IONotificationPortCreate(kIOMainPortDefault);
	pump.pages = mmap(NULL, 8 * CONTRACT_PAGE, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (pump.connect == IO_OBJECT_NULL || pump.port == NULL || pump.pages == MAP_FAILED) {
		die("no service");
	}
	/* Somebody else may have the interface; then it goes without transfers. */
	if (pump.usb != IO_OBJECT_NULL &&
	    call(pump.usb, CONTRACT_USB_CONFIGURE, loopback, 1) != kIOReturnSuccess) {
		(void)IOServiceClose(pump.usb);
		pump.usb = IO_OBJECT_NULL;
	}
	return &pump;
}

static void pump(const char *seed)
{
	static void (*const uses[])(struct pump *pump) = {
		use_scalars, use_structures, use_mapping, use_grant, use_completions, use_transfers,
	};
	struct pump *pump = pump_new((unsigned)strtoul(seed, NULL, 0));

	say("ready");
	while (!pump->dead) {
		uses[draw(pump, sizeof(uses) / sizeof(uses[0]))](pump);
	}
	check_after_death(pump);
}

static void blocked(void)
{
	io_connect_t connect = open_by_name(CONTRACT_SERVICE);
	char line[64];

	say("ready");
	(void)snprintf(line, sizeof(line), "%#x",
		       (unsigned)call(connect, CONTRACT_BLOCK, NULL, 0));
	say(line);
	(void)IOServiceClose(connect);
}

static void silent(const char *count)
{
	struct pump *pump = pump_new(1);
	uint64_t reference[3] = {0, (uint64_t)(uintptr_t)heard, (uint64_t)(uintptr_t)pump};
	uint64_t left = strtoull(count, NULL, 0);
	kern_return_t result = kIOReturnSuccess;

	while (left > 0 && result == kIOReturnSuccess) {
		const uint64_t input[4] = {0, 1, left < 1000 ? left : 1000, 0};

		result = IOConnectCallAsyncScalarMethod(
			pump->connect, CONTRACT_FIRE_INSIDE,
			IONotificationPortGetMachPort(pump->port), reference, 3, input, 4, NULL,
			NULL);
		left -= input[2];
	}
	if (result == kIOReturnSuccess) {
		say("ready");
		(void)pause();
	}
	while (IONotificationPortDispatch(pump->port, -1) > 0) { /* until there is nothing more */
	}
	say("disconnected");
	(void)pause();
}

static void transfers(void)
{
	struct pump *pump = pump_new(1);
	uint64_t reference[3] = {0, (uint64_t)(uintptr_t)heard, (uint64_t)(uintptr_t)pump};
	const uint64_t input[4] = {0, 4096, 0, 0};

	if (pump->usb == IO_OBJECT_NULL) {
		die("no device");
	}
	for (unsigned i = 0; i < 20; i++) {
		kern_return_t result = IOConnectCallAsyncScalarMethod(
			pump->usb, CONTRACT_USB_ASYNC, IONotificationPortGetMachPort(pump->port),
			reference, 3, input, 4, NULL, NULL);

		if (result != kIOReturnSuccess) {
			die("transfer: %#x", (unsigned)result);
		}
	}
	use_mapping(pump);
	say("ready");
	(void)pause();
}

static void use_in_child(io_connect_t connect)
{
	pid_t pid = fork();
	int status = 0;

	if (pid == 0) {
		const uint64_t input[2] = {1, 2};
		uint64_t sum = 0;
		uint32_t nr_output = 1;
		kern_return_t result = IOConnectCallScalarMethod(connect, CONTRACT_ADD, input, 2,
								 &sum, &nr_output);

		_exit(result == kIOReturnSuccess ||
				      IOConnectGetState(connect) != MACH_SEND_INVALID_DEST
			      ? 1
			      : 0);
	}
	if (waitpid(pid, &status, 0) != pid || status != 0) {
		die("the child could use the connection: status %#x", (unsigned)status);
	}
}

static void check_use(struct pump *pump)
{
	for (unsigned i = 0; i < 20 && !pump->dead; i++) {
		use_scalars(pump);
		use_structures(pump);
		use_mapping(pump);
		use_completions(pump);
	}
	if (pump->dead) {
		die("the connection is dead");
	}
}

/* The driver ends it. */
static void end_connection(io_connect_t connect)
{
	while (IOConnectGetState(connect) == kIOReturnSuccess) {
		(void)IOConnectCallScalarMethod(connect, CONTRACT_TERMINATE_CLIENT, NULL, 0, NULL,
						NULL);
	}
}

static void forks(void)
{
	struct pump *pump = pump_new(1);
	io_connect_t ended = open_by_name(CONTRACT_SERVICE);

	end_connection(ended);
	use_in_child(ended);
	(void)IOServiceClose(ended);
	for (unsigned i = 0; i < 5; i++) {
		check_use(pump);
		use_in_child(pump->connect);
	}
	check_use(pump);
	check_after_death(pump);
	say("ready");
}

static void limited(int resource)
{
	const struct rlimit none = {0, 0};
	struct pump *pump = pump_new(1);

	if (setrlimit((__rlimit_resource_t)resource, &none) != 0) {
		die("setrlimit");
	}
	(void)signal(SIGXFSZ, SIG_IGN);
	for (unsigned i = 0; i < 20 && !pump->dead; i++) {
		use_scalars(pump);
		use_completions(pump);
		use_mapping(pump);
	}
	if (resource == RLIMIT_MEMLOCK) {
		check_use(pump);
		use_grant(pump);
	}
	if (pump->dead) {
		die("the connection is dead");
	}
	check_after_death(pump);
	say("ready");
}

int main(int argc, char **argv)
{
	const char *mode = argc > 1 ? argv[1] : "";
	const char *argument = argc > 2 ? argv[2] : "1";

	if (strcmp(mode, "pump") == 0) {
		pump(argument);
	} else if (strcmp(mode, "blocked") == 0) {
		blocked();
	} else if (strcmp(mode, "silent") == 0) {
		silent(argument);
	} else if (strcmp(mode, "transfers") == 0) {
		transfers();
	} else if (strcmp(mode, "fork") == 0) {
		forks();
	} else if (strcmp(mode, "memlock") == 0) {
		limited(RLIMIT_MEMLOCK);
	} else if (strcmp(mode, "small-files") == 0) {
		limited(RLIMIT_FSIZE);
	} else {
		die("no mode \"%s\"", mode);
	}
	return 0;
}
