/* SPDX-License-Identifier: MIT
 *
 * traffic - a little of everything that passes on a bus, in an order that does not change.
 *
 *	traffic bulk|interrupt|lost IN-ENDPOINT [different]
 *
 * Place:      tests/kernel, an ordinary application of the driver of the behaviour tests. "bulk" is for
 *             a Gadget Zero with pattern=1, "interrupt" for a device that returns on one interrupt
 *             endpoint what it gets on another, 16 bytes at most. "lost" says "pending" and then expects a
 *             Gadget Zero to leave. "different" sends other bytes in one place.
 * Invariants:
 *   A1  The same device is asked the same in the same order in each run, so that a recording of one
 *       run can play the device in another. Nothing here depends on when something comes.
 *   A2  A transfer that ends otherwise than it must is the end, with exit status 1.
 * Threads:    one.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <IOKit/IOKitLib.h>
#include <opendext/client.h>

#include "contract/driver/contract.h"

enum { PIPE_IN = 0, PIPE_OUT = 1, LOOPBACK = 2, SOURCE_SINK = 3 };

#define STALLED     ((IOReturn)0xE0005000)
#define LIMIT_MS    300000 /* only against hangs */
#define TIMEOUT_MS  100u   /* of a transfer that nothing will come for */
#define PACKET      1024u  /* of a bulk endpoint at super speed */
#define REPORT      16u
#define MAX_ASYNC   8u
#define CONTROL_OUT 0x5bu /* Gadget Zero: keeps what it gets ... */
#define CONTROL_IN  0x5cu /* ... and returns it */

struct traffic {
	io_connect_t connect;
	IONotificationPortRef port;
	uint64_t in_endpoint;
	uint8_t *in;
	uint8_t *out;
	unsigned nr_done; /* asynchronous ones */
	IOReturn status[MAX_ASYNC];
};

static void check(const char *what, IOReturn status, IOReturn wanted)
{
	if (status != wanted) {
		fprintf(stderr, "traffic: %s: %#x instead of %#x\n", what, (unsigned)status,
			(unsigned)wanted);
		exit(1);
	}
}

static void call(struct traffic *traffic, uint32_t selector, const uint64_t *in, uint32_t nr_in)
{
	char what[32];

	(void)snprintf(what, sizeof(what), "selector %u", selector);
	check(what, IOConnectCallScalarMethod(traffic->connect, selector, in, nr_in, NULL, NULL),
	      kIOReturnSuccess);
}

#define CALL(traffic, selector, ...)                                                               \
	call(traffic, selector, (const uint64_t[]){__VA_ARGS__},                                   \
	     sizeof((const uint64_t[]){__VA_ARGS__}) / sizeof(uint64_t))

/* ---- one transfer ---- */

/* @return bytes moved. */
static uint64_t io(struct traffic *traffic, uint64_t pipe, uint64_t bytes, uint64_t timeout_ms,
		   IOReturn wanted)
{
	const uint64_t in[] = {pipe, bytes, timeout_ms};
	uint64_t out[2] = {0};
	uint32_t nr_out = 2;

	check("transfer",
	      IOConnectCallScalarMethod(traffic->connect, CONTRACT_USB_IO, in, 3, out, &nr_out),
	      kIOReturnSuccess);
	check(pipe == PIPE_IN ? "IN" : "OUT", (IOReturn)out[0], wanted);
	return out[1];
}

static void move(struct traffic *traffic, uint64_t pipe, uint64_t bytes)
{
	check("bytes moved", (IOReturn)io(traffic, pipe, bytes, 0, kIOReturnSuccess),
	      (IOReturn)bytes);
}

static void on_done(void *refcon, IOReturn status, void **arguments, uint32_t nr_arguments)
{
	struct traffic *traffic = refcon;

	(void)arguments;
	(void)nr_arguments;
	traffic->status[traffic->nr_done++ % MAX_ASYNC] = status;
}

static void start(struct traffic *traffic, uint32_t selector, const uint64_t *in, uint32_t nr_in)
{
	io_async_ref64_t reference = {0};

	reference[kIOAsyncCalloutFuncIndex] = (io_user_reference_t)(uintptr_t)on_done;
	reference[kIOAsyncCalloutRefconIndex] = (io_user_reference_t)(uintptr_t)traffic;
	check("start",
	      IOConnectCallAsyncScalarMethod(
		      traffic->connect, selector, IONotificationPortGetMachPort(traffic->port),
		      reference, kIOAsyncCalloutCount, in, nr_in, NULL, NULL),
	      kIOReturnSuccess);
}

static void start_reading(struct traffic *traffic, unsigned count, uint64_t bytes)
{
	traffic->nr_done = 0;
	for (unsigned i = 0; i < count; i++) {
		start(traffic, CONTRACT_USB_ASYNC, (const uint64_t[]){PIPE_IN, bytes, 0, i}, 4);
	}
}

static void wait_done(struct traffic *traffic, unsigned count)
{
	while (traffic->nr_done < count) {
		if (IONotificationPortDispatch(traffic->port, LIMIT_MS) <= 0) {
			check("no completion came", kIOReturnTimeout, kIOReturnSuccess);
		}
	}
}

static void wait_all(struct traffic *traffic, unsigned count, IOReturn wanted)
{
	wait_done(traffic, count);
	for (unsigned i = 0; i < count; i++) {
		check("asynchronous IN", traffic->status[i], wanted);
	}
}

static void control(struct traffic *traffic, uint64_t type, uint64_t request, uint64_t value,
		    uint64_t length, IOReturn wanted)
{
	const uint64_t in[] = {type, request, value, 0, length};
	uint64_t out[2] = {0};
	uint32_t nr_out = 2;
	uint8_t data[256];

	for (unsigned i = 0; i < sizeof(data); i++) {
		data[i] = (uint8_t)(i * 5 + 1);
	}
	check("control request",
	      IOConnectCallMethod(traffic->connect, CONTRACT_USB_CONTROL, in, 5, data, sizeof(data),
				  out, &nr_out, NULL, NULL),
	      kIOReturnSuccess);
	check("control", (IOReturn)out[0], wanted);
}

/* ---- the parts ---- */

static void fill_out(struct traffic *traffic, unsigned seed)
{
	for (unsigned i = 0; i < CONTRACT_USB_BUFFER_BYTES; i++) {
		traffic->out[i] = (uint8_t)(i * 31 + i / 256 + seed);
	}
}

/* What a sink with pattern=1 takes. */
static void fill_pattern(struct traffic *traffic)
{
	for (unsigned i = 0; i < CONTRACT_USB_BUFFER_BYTES; i++) {
		traffic->out[i] = (uint8_t)(i % PACKET % 63);
	}
}

static void control_requests(struct traffic *traffic)
{
	const uint64_t get_configuration[] = {0x80, 8, 0, 0, 1};

	control(traffic, 0x80, 6, 0x0100, 18, kIOReturnSuccess);
	control(traffic, 0x80, 6, 0x0100, 64, kIOReturnSuccess); /* gets less */
	control(traffic, 0xc0, 0x77, 0, 4, STALLED);
	control(traffic, 0xc0, 0x77, 0, 0, STALLED); /* no data stage to read */
	control(traffic, 0x40, 0x77, 0, 16, STALLED);
	traffic->nr_done = 0;
	start(traffic, CONTRACT_USB_CONTROL_ASYNC, get_configuration, 5);
	wait_all(traffic, 1, kIOReturnSuccess);
}

/* The device answers no more, until its halt is cleared. */
static void halt_and_clear(struct traffic *traffic, uint64_t bytes)
{
	CALL(traffic, CONTRACT_USB_STALL, traffic->in_endpoint);
	(void)io(traffic, PIPE_IN, bytes, 0, STALLED);
	CALL(traffic, CONTRACT_USB_CLEAR, PIPE_IN, 1);
}

/* Nothing comes back yet when the device halts: one ends with that, the others when that is over. */
static void halt_with_others_behind(struct traffic *traffic, uint64_t bytes)
{
	start_reading(traffic, 4, bytes);
	CALL(traffic, CONTRACT_USB_STALL, traffic->in_endpoint);
	wait_done(traffic, 1);
	check("first of four", traffic->status[0], STALLED);
	CALL(traffic, CONTRACT_USB_CLEAR, PIPE_IN, 1);
	wait_done(traffic, 4);
	for (unsigned i = 1; i < 4; i++) {
		check("behind the halt", traffic->status[i], kIOReturnAborted);
	}
}

static void source_and_sink(struct traffic *traffic)
{
	static const uint64_t sizes[] = {0, 1, 512, 1000, PACKET, 5000, 65536, 200000};

	fill_pattern(traffic);
	for (unsigned i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		move(traffic, PIPE_OUT, sizes[i]);
	}
	move(traffic, PIPE_IN, PACKET);
	move(traffic, PIPE_IN, 65536);
	move(traffic, PIPE_IN, 200704);
	start_reading(traffic, MAX_ASYNC, 4096);
	wait_all(traffic, MAX_ASYNC, kIOReturnSuccess);
	halt_and_clear(traffic, PACKET);
	move(traffic, PIPE_IN, PACKET);
	/* A short packet lets the sink look at what it has; it finds the byte and halts. */
	traffic->out[700] ^= 0x80;
	move(traffic, PIPE_OUT, 1000);
	fill_pattern(traffic);
	(void)io(traffic, PIPE_OUT, 1000, 0, STALLED);
	CALL(traffic, CONTRACT_USB_CLEAR, PIPE_OUT, 1);
	move(traffic, PIPE_OUT, 1000);
}

/* Out, and back with a short packet at the end, into a buffer that has more room. */
static void there_and_back(struct traffic *traffic, uint64_t bytes, uint64_t room)
{
	move(traffic, PIPE_OUT, bytes);
	check("bytes back", (IOReturn)io(traffic, PIPE_IN, room, 0, kIOReturnSuccess),
	      (IOReturn)bytes);
	if (memcmp(traffic->in, traffic->out, bytes) != 0) {
		check("other bytes came back", kIOReturnIOError, kIOReturnSuccess);
	}
}

static void abort_pending(struct traffic *traffic, uint64_t bytes)
{
	start_reading(traffic, 3, bytes);
	CALL(traffic, CONTRACT_USB_ABORT, PIPE_IN, 1);
	wait_all(traffic, 3, kIOReturnAborted);
	start_reading(traffic, 2, bytes);
	CALL(traffic, CONTRACT_USB_ABORT, PIPE_IN, 0);
	wait_all(traffic, 2, kIOReturnAborted);
}

static void bulk(struct traffic *traffic, unsigned seed)
{
	control_requests(traffic);
	control(traffic, 0x40, CONTROL_OUT, 0, 200, kIOReturnSuccess);
	control(traffic, 0xc0, CONTROL_IN, 0, 200, kIOReturnSuccess);
	source_and_sink(traffic);
	CALL(traffic, CONTRACT_USB_CONFIGURE, LOOPBACK);
	fill_out(traffic, seed);
	there_and_back(traffic, 1000, 4096);
	there_and_back(traffic, 1, 1);
	there_and_back(traffic, 511, 65536);
	abort_pending(traffic, 4096);
	(void)io(traffic, PIPE_IN, 4096, TIMEOUT_MS, kIOReturnTimeout);
	halt_with_others_behind(traffic, 2000);
	there_and_back(traffic, 1023, 4096);
	CALL(traffic, CONTRACT_USB_CLOSE);
}

static void interrupt(struct traffic *traffic, unsigned seed)
{
	control_requests(traffic);
	fill_out(traffic, seed);
	for (uint64_t bytes = 1; bytes < REPORT; bytes++) { /* a full packet would not end it */
		there_and_back(traffic, bytes, REPORT);
	}
	abort_pending(traffic, REPORT);
	halt_with_others_behind(traffic, REPORT);
	there_and_back(traffic, 7, REPORT);
	CALL(traffic, CONTRACT_USB_CLOSE);
}

/* Some moved before, so that the endpoint works; these have nothing to come. */
static void lost(struct traffic *traffic, unsigned seed)
{
	fill_out(traffic, seed);
	there_and_back(traffic, 1000, 4096);
	start_reading(traffic, 4, 4096);
	puts("pending");
	(void)fflush(stdout); /* if nobody hears it, nobody unplugs the device */
	wait_done(traffic, 4);
	for (unsigned i = 0; i < 4; i++) {
		if (traffic->status[i] == kIOReturnSuccess) {
			check("lost, and well", kIOReturnSuccess, kIOReturnNotResponding);
		}
	}
}

/* ---- begin and end ---- */

static const struct {
	const char *name;
	uint64_t configuration; /* 0: the one that is in force */
	void (*run)(struct traffic *traffic, unsigned seed);
} kinds[] = {
	{"bulk", SOURCE_SINK, bulk},
	{"interrupt", 0, interrupt},
	{"lost", LOOPBACK, lost},
};

#define NR_KINDS (sizeof(kinds) / sizeof(kinds[0]))

static uint8_t *map(struct traffic *traffic, uint32_t type)
{
	mach_vm_address_t address = 0;
	mach_vm_size_t size = 0;

	check("map",
	      IOConnectMapMemory64(traffic->connect, type, mach_task_self(), &address, &size,
				   kIOMapAnywhere),
	      kIOReturnSuccess);
	return (uint8_t *)(uintptr_t)address;
}

static void open_driver(struct traffic *traffic, uint64_t configuration)
{
	io_service_t service = IOServiceGetMatchingService(kIOMainPortDefault,
							   IOServiceNameMatching(CONTRACT_USB));

	traffic->port = IONotificationPortCreate(kIOMainPortDefault);
	check("open", IOServiceOpen(service, mach_task_self(), CONTRACT_OPEN, &traffic->connect),
	      kIOReturnSuccess);
	IOObjectRelease(service);
	/* The pipes' buffers come into being with the pipes. */
	CALL(traffic, CONTRACT_USB_CONFIGURE, configuration);
	traffic->in = map(traffic, CONTRACT_MEMORY_USB_IN);
	traffic->out = map(traffic, CONTRACT_MEMORY_USB_OUT);
}

int main(int argc, char **argv)
{
	struct traffic traffic = {0};
	unsigned seed = argc == 4 && strcmp(argv[3], "different") == 0 ? 2 : 1;
	size_t kind = 0;

	while (argc > 1 && kind < NR_KINDS && strcmp(argv[1], kinds[kind].name) != 0) {
		kind++;
	}
	if (argc < 3 || argc > 4 || kind == NR_KINDS) {
		fprintf(stderr, "usage: traffic bulk|interrupt|lost IN-ENDPOINT [different]\n");
		return 2;
	}
	traffic.in_endpoint = strtoul(argv[2], NULL, 16);
	open_driver(&traffic, kinds[kind].configuration);
	kinds[kind].run(&traffic, seed);
	(void)IOServiceClose(traffic.connect); /* nothing depends on it any more */
	IONotificationPortDestroy(traffic.port);
	return 0;
}
