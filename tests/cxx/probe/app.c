/* SPDX-License-Identifier: MIT
 *
 * app - runs the tests of the probe driver, one selector after the other.
 *
 * A test that waits for a callback on the connection's own queue answers kIOReturnNotReady and is
 * asked again.
 */
#include <IOKit/IOKitLib.h>

#include <stdio.h>
#include <time.h>

static const char *const names[] = {
	"objects", "properties", "remote methods", "queues",     "timers",
	"timers by numbers", "own callbacks", "data queues", "cancelling", "refusals",
};
enum { NR_TESTS = sizeof(names) / sizeof(names[0]) };

static kern_return_t run(io_connect_t connect, uint32_t selector)
{
	const struct timespec pause = {.tv_nsec = 2000000};
	kern_return_t status = kIOReturnNotReady;

	for (int tries = 0; status == kIOReturnNotReady && tries < 1000; tries++) {
		status = IOConnectCallScalarMethod(connect, selector, NULL, 0, NULL, NULL);
		(void)nanosleep(&pause, NULL);
	}
	return status;
}

int main(void)
{
	io_service_t service =
		IOServiceGetMatchingService(kIOMainPortDefault, IOServiceNameMatching("Probe"));
	io_connect_t connect = IO_OBJECT_NULL;
	io_connect_t none = IO_OBJECT_NULL;
	int nr_failed = 0;

	if (service == IO_OBJECT_NULL ||
	    IOServiceOpen(service, mach_task_self(), 0, &connect) != kIOReturnSuccess) {
		(void)fprintf(stderr, "cannot open Probe\n");
		return 1;
	}
	if (IOServiceOpen(service, mach_task_self(), 99, &none) == kIOReturnSuccess) {
		(void)printf("not ok - a connection of a type that is refused\n");
		nr_failed++;
	}
	for (uint32_t i = 0; i < NR_TESTS; i++) {
		kern_return_t status = run(connect, i);
		(void)printf("%s - %s\n", status == kIOReturnSuccess ? "ok" : "not ok", names[i]);
		nr_failed += status != kIOReturnSuccess;
	}
	if (IOConnectCallScalarMethod(connect, 1000, NULL, 0, NULL, NULL) !=
	    kIOReturnUnsupported) {
		(void)printf("not ok - an unknown selector\n");
		nr_failed++;
	}
	(void)IOServiceClose(connect);
	(void)IOObjectRelease(service);
	(void)printf("%d failed\n", nr_failed);
	return nr_failed == 0 ? 0 : 1;
}
