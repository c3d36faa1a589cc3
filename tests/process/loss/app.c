/* SPDX-License-Identifier: MIT
 *
 * app - sends COUNT numbered packets and checks what comes back: each once, in order, unchanged.
 *
 *	loss-app COUNT		prints "ready", then "N" each time a tenth has come back
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <IOKit/IOKitLib.h>
#include <opendext/client.h>

#include "loss.h"

#define WINDOW 32u

struct stream {
	io_connect_t connect;
	uint32_t client;
	uint64_t nr_sent;
	uint64_t nr_back;
	uint64_t nr_calls;
	struct loss_packet *slots;
};

static void fail(const char *what, uint64_t number) __attribute__((noreturn));

static void fail(const char *what, uint64_t number)
{
	fprintf(stderr, "loss-app: %s: %#llx\n", what, (unsigned long long)number);
	exit(1);
}

static void came_back(void *refcon, IOReturn status, void **args, uint32_t nr_args)
{
	struct stream *stream = refcon;
	uint64_t number = nr_args == 3 ? (uint64_t)(uintptr_t)args[0] : UINT64_MAX;

	if (status != kIOReturnSuccess || nr_args != 3) {
		fail("status", (uint64_t)(uint32_t)status);
	}
	if (number != stream->nr_back) {
		fail(number < stream->nr_back ? "came twice" : "lost before", number);
	}
	if ((uint64_t)(uintptr_t)args[1] != loss_mix(stream->client, number) ||
	    (uint64_t)(uintptr_t)args[2] != LOSS_PACKET) {
		fail("other contents", number);
	}
	stream->nr_back++;
}

static void join_driver(struct stream *stream, IONotificationPortRef port)
{
	io_service_t service =
		IOServiceGetMatchingService(kIOMainPortDefault, IOServiceNameMatching(LOSS_SERVICE));
	uint64_t reference[3] = {0, (uint64_t)(uintptr_t)came_back, (uint64_t)(uintptr_t)stream};
	uint64_t number = 0;
	uint32_t nr_output = 1;
	mach_vm_address_t address = 0;
	mach_vm_size_t size = 0;
	kern_return_t result = IOServiceOpen(service, mach_task_self(), 0, &stream->connect);

	if (result == kIOReturnSuccess) {
		result = IOConnectCallAsyncScalarMethod(stream->connect, LOSS_JOIN,
							IONotificationPortGetMachPort(port),
							reference, 3, NULL, 0, &number, &nr_output);
	}
	if (result == kIOReturnSuccess) {
		result = IOConnectMapMemory64(stream->connect, 0, mach_task_self(), &address, &size,
					      kIOMapAnywhere);
	}
	if (result != kIOReturnSuccess) {
		fail("cannot begin", (uint64_t)(uint32_t)result);
	}
	(void)IOObjectRelease(service);
	stream->client = (uint32_t)number;
	stream->slots = (struct loss_packet *)(uintptr_t)address;
}

/* Fills and sends up to `most` packets with one call. */
static void send_some(struct stream *stream, uint64_t most)
{
	uint64_t input[2] = {stream->nr_sent % LOSS_NR_SLOTS, 1 + stream->nr_calls++ % 4};
	kern_return_t result;

	input[1] = input[1] < most ? input[1] : most;
	for (uint64_t i = 0; i < input[1]; i++) {
		struct loss_packet *packet = &stream->slots[stream->nr_sent % LOSS_NR_SLOTS];

		packet->magic = LOSS_MAGIC;
		packet->client = stream->client;
		packet->number = stream->nr_sent;
		packet->mix = loss_mix(stream->client, stream->nr_sent);
		stream->nr_sent++;
	}
	result = IOConnectCallScalarMethod(stream->connect, LOSS_SEND, input, 2, NULL, NULL);
	if (result != kIOReturnSuccess) {
		fail("send", (uint64_t)(uint32_t)result);
	}
}

int main(int argc, char **argv)
{
	struct stream stream = {0};
	uint64_t count = argc > 1 ? strtoull(argv[1], NULL, 0) : 1000;
	uint64_t next_line = count / 10;
	IONotificationPortRef port = IONotificationPortCreate(kIOMainPortDefault);

	join_driver(&stream, port);
	puts("ready");
	fflush(stdout);
	while (stream.nr_back < count) {
		uint64_t in_flight = stream.nr_sent - stream.nr_back;
		uint64_t left = count - stream.nr_sent;
		bool full = in_flight == WINDOW || left == 0;

		if (!full) {
			send_some(&stream, left < WINDOW - in_flight ? left : WINDOW - in_flight);
		}
		if (IONotificationPortDispatch(port, full ? -1 : 0) == 0 && full) {
			fail("the driver ended the connection", stream.nr_back);
		}
		if (next_line != 0 && stream.nr_back >= next_line) {
			printf("%llu\n", (unsigned long long)stream.nr_back);
			fflush(stdout);
			next_line += count / 10;
		}
	}
	/* Anything more would be a double. */
	if (IONotificationPortDispatch(port, 20) != 0) {
		fail("one too many", stream.nr_back);
	}
	(void)IOServiceClose(stream.connect);
	IONotificationPortDestroy(port);
	return 0;
}
