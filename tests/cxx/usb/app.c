/* SPDX-License-Identifier: MIT
 *
 * app - runs the tests of the USB probe: of the service that is named on the command line.
 *
 * The last test of the service on the device resets it: the service must go.
 */
#include <IOKit/IOKitLib.h>

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum { MAX_TRIES = 20000 };

/* Waits until that service, and no other, is gone. */
static bool is_gone(uint64_t id)
{
	const struct timespec pause = {.tv_nsec = 1000000};

	for (int tries = 0; tries < MAX_TRIES; tries++) {
		io_service_t service = IOServiceGetMatchingService(kIOMainPortDefault,
								   IORegistryEntryIDMatching(id));

		if (service == IO_OBJECT_NULL) {
			return true;
		}
		(void)IOObjectRelease(service);
		(void)nanosleep(&pause, NULL);
	}
	return false;
}

/* @return whether it passed; out: how many tests there are. */
static bool run(io_connect_t connect, uint32_t number, uint64_t *nr_tests)
{
	char text[512] = "";
	size_t length = sizeof(text);
	uint64_t output[2] = {0, 0};
	uint32_t count = 2;
	kern_return_t status = IOConnectCallMethod(connect, number, NULL, 0, NULL, 0, output,
						   &count, text, &length);

	if (status != kIOReturnSuccess) {
		(void)printf("not ok %u - %#x\n", number + 1, (unsigned)status);
		return false;
	}
	*nr_tests = output[1];
	(void)printf("%sok %u - %s\n", output[0] != 0 ? "" : "not ", number + 1, text);
	return output[0] != 0;
}

int main(int argc, char **argv)
{
	const char *name = argc > 1 ? argv[1] : "UsbProbe";
	io_service_t service =
		IOServiceGetMatchingService(kIOMainPortDefault, IOServiceNameMatching(name));
	io_connect_t connect = IO_OBJECT_NULL;
	unsigned nr_failed = 0;
	uint64_t nr_tests = 1;
	uint64_t id = 0;

	if (IORegistryEntryGetRegistryEntryID(service, &id) != kIOReturnSuccess ||
	    IOServiceOpen(service, mach_task_self(), 0, &connect) != kIOReturnSuccess) {
		(void)fprintf(stderr, "cannot open %s\n", name);
		return 1;
	}
	for (uint32_t number = 0; number < nr_tests; number++) {
		nr_failed += run(connect, number, &nr_tests) ? 0 : 1;
	}
	(void)IOServiceClose(connect);
	(void)IOObjectRelease(service);
	if (strcmp(name, "UsbProbe") == 0 && !is_gone(id)) {
		(void)printf("not ok - the service is there after the reset\n");
		nr_failed++;
	}
	(void)printf("%u of %u failed\n", nr_failed, (unsigned)nr_tests);
	return nr_failed == 0 ? 0 : 1;
}
