/* SPDX-License-Identifier: MIT
 *
 * app - runs the tests of the Classes driver, one selector after the other, and ends ClassesOther
 * between the first and the second.
 */
#include <IOKit/IOKitLib.h>

#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

static const char *const names[] = {
	"services that come", "services that go", "service sources", "state items",
	"state sources", "interrupts", "timers", "data queues", "queues of objects",
	"actions by name", "methods of services", "memory of the application",
	"event links", "work groups", "targets that are no services",
};
enum { NR_TESTS = sizeof(names) / sizeof(names[0]), MEMORY_BYTES = 65536 };

static io_connect_t open_service(const char *name)
{
	io_service_t service =
		IOServiceGetMatchingService(kIOMainPortDefault, IOServiceNameMatching(name));
	io_connect_t connect = IO_OBJECT_NULL;

	if (service == IO_OBJECT_NULL ||
	    IOServiceOpen(service, mach_task_self(), 0, &connect) != kIOReturnSuccess) {
		(void)fprintf(stderr, "cannot open %s\n", name);
	}
	if (service != IO_OBJECT_NULL) {
		(void)IOObjectRelease(service);
	}
	return connect;
}

static void end_other(io_connect_t other)
{
	(void)IOConnectCallScalarMethod(other, 0, NULL, 0, NULL, NULL);
	(void)IOServiceClose(other);
}

int main(void)
{
	io_connect_t connect = open_service("Classes");
	io_connect_t other = open_service("ClassesThing");
	char *memory = mmap(NULL, MEMORY_BYTES, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	const uint64_t scalars[2] = {(uint64_t)(uintptr_t)memory, MEMORY_BYTES};
	int nr_failed = 0;

	if (connect == IO_OBJECT_NULL || other == IO_OBJECT_NULL || memory == MAP_FAILED) {
		return 1;
	}
	(void)snprintf(memory, MEMORY_BYTES, "from the application");
	for (uint32_t i = 0; i < NR_TESTS; i++) {
		kern_return_t status =
			IOConnectCallScalarMethod(connect, i, scalars, 2, NULL, NULL);
		(void)printf("%s - %s\n", status == kIOReturnSuccess ? "ok" : "not ok", names[i]);
		nr_failed += status != kIOReturnSuccess;
		if (i == 0) {
			end_other(other);
		}
	}
	if (strcmp(memory, "from the driver") != 0) {
		(void)printf("not ok - what the driver wrote\n");
		nr_failed++;
	}
	(void)IOServiceClose(connect);
	(void)munmap(memory, MEMORY_BYTES);
	(void)printf("%d failed\n", nr_failed);
	return nr_failed == 0 ? 0 : 1;
}
