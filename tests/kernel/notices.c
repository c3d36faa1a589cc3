/* SPDX-License-Identifier: MIT
 *
 * notices - says when services of a name come and go, as an application hears of it.
 *
 *	notices NAME
 *
 * A line for each: "matched N: ID" and "terminated N: ID", N counting from 1 each. What is there
 * already has matched. Ends when it is killed.
 */
#include <inttypes.h>
#include <stdio.h>

#include <IOKit/IOKitLib.h>
#include <opendext/client.h>

struct kind {
	const char *word;
	unsigned count;
};

static void take_all(void *refcon, io_iterator_t iterator)
{
	struct kind *kind = refcon;

	for (io_service_t service = IOIteratorNext(iterator); service != IO_OBJECT_NULL;
	     service = IOIteratorNext(iterator)) {
		uint64_t id = 0;

		(void)IORegistryEntryGetRegistryEntryID(service, &id); /* 0 shows that it failed */
		printf("%s %u: %" PRIu64 "\n", kind->word, ++kind->count, id);
		IOObjectRelease(service);
	}
}

static bool watch(IONotificationPortRef port, const char *type, const char *name, struct kind *kind)
{
	io_iterator_t iterator = IO_OBJECT_NULL;

	if (IOServiceAddMatchingNotification(port, type, IOServiceNameMatching(name), take_all, kind,
					     &iterator) != kIOReturnSuccess) {
		return false;
	}
	take_all(kind, iterator);
	return true;
}

int main(int argc, char **argv)
{
	struct kind matched = {.word = "matched"};
	struct kind terminated = {.word = "terminated"};
	IONotificationPortRef port = IONotificationPortCreate(kIOMainPortDefault);

	(void)setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc != 2 || port == NULL ||
	    !watch(port, kIOTerminatedNotification, argv[1], &terminated) ||
	    !watch(port, kIOFirstMatchNotification, argv[1], &matched)) {
		fprintf(stderr, "usage: notices NAME, and a broker\n");
		return 1;
	}
	for (;;) {
		(void)IONotificationPortDispatch(port, -1);
	}
}
