/* SPDX-License-Identifier: MIT
 *
 * cost - what a transfer through a driver costs, both processes included; beside plain_libusb.
 *
 *	cost BYTES DEPTH COUNT BATCH
 *
 * Sends COUNT transfers of BYTES to a sink through the driver of the benchmarks, DEPTH of them in
 * flight, without a look at the bytes: what "plain_libusb SERIAL out" does alone. Whenever completions
 * have come it sends as many again, at most BATCH with one call.
 *
 * Prints one line: "transfers=N wall_ns=N cpu_ns=N application_ns=N driver_ns=N calls=N" for the time
 * between the first call and the last completion, after each buffer was sent once; cpu_ns is that of both
 * processes. Exit status 1 when
 * a transfer failed.
 */
#include <IOKit/IOKitLib.h>
#include <errno.h>
#include <opendext/client.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "driver/bench.h"

#define LIMIT_MS 120000 /* only against hangs */

struct flow {
	io_connect_t connect;
	IONotificationPortRef port;
	uint64_t bytes;
	uint64_t depth;
	uint64_t batch;
	uint64_t nr_wanted;
	uint64_t nr_sent;
	uint64_t nr_done;
	uint64_t nr_calls;
};

struct clocks {
	uint64_t wall_ns;
	uint64_t application_ns;
	uint64_t driver_ns;
};

static void must(kern_return_t result, const char *what)
{
	if (result != kIOReturnSuccess) {
		fprintf(stderr, "cost: %s: %#x\n", what, (unsigned)result);
		exit(1);
	}
}

static uint64_t now_ns(clockid_t clock)
{
	struct timespec time;

	if (clock_gettime(clock, &time) != 0) {
		fprintf(stderr, "cost: no clock: %s\n", strerror(errno));
		exit(1);
	}
	return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

static struct clocks clocks_read(clockid_t driver)
{
	return (struct clocks){
		.wall_ns = now_ns(CLOCK_MONOTONIC),
		.application_ns = now_ns(CLOCK_PROCESS_CPUTIME_ID),
		.driver_ns = now_ns(driver),
	};
}

static void on_done(void *refcon, IOReturn status, void **arguments, uint32_t nr_arguments)
{
	struct flow *flow = refcon;

	(void)arguments;
	(void)nr_arguments;
	must(status, "a transfer");
	flow->nr_done++;
}

static void flow_open(struct flow *flow)
{
	const struct timespec pause = {.tv_nsec = 5000000};
	io_async_ref64_t reference = {0};
	io_service_t service = IO_OBJECT_NULL;

	for (unsigned waited_ms = 0; service == IO_OBJECT_NULL && waited_ms <= LIMIT_MS; waited_ms += 5) {
		service = IOServiceGetMatchingService(kIOMainPortDefault,
						      IOServiceNameMatching(BENCH_USB));
		(void)nanosleep(&pause, NULL); /* an early end only makes it look once more */
	}
	must(service == IO_OBJECT_NULL ? kIOReturnNoDevice : kIOReturnSuccess, "the service");
	must(IOServiceOpen(service, mach_task_self(), 0, &flow->connect), "open");
	IOObjectRelease(service);
	flow->port = IONotificationPortCreate(kIOMainPortDefault);
	reference[kIOAsyncCalloutFuncIndex] = (io_user_reference_t)(uintptr_t)on_done;
	reference[kIOAsyncCalloutRefconIndex] = (io_user_reference_t)(uintptr_t)flow;
	must(IOConnectCallAsyncScalarMethod(flow->connect, BENCH_JOIN,
					    IONotificationPortGetMachPort(flow->port), reference,
					    kIOAsyncCalloutCount, NULL, 0, NULL, NULL),
	     "join");
}

static clockid_t driver_clock(const struct flow *flow)
{
	uint32_t nr_outputs = 1;
	uint64_t pid = 0;
	clockid_t clock;

	must(IOConnectCallScalarMethod(flow->connect, BENCH_PID, NULL, 0, &pid, &nr_outputs), "pid");
	if (clock_getcpuclockid((pid_t)pid, &clock) != 0) {
		fprintf(stderr, "cost: no clock of process %llu\n", (unsigned long long)pid);
		exit(1);
	}
	return clock;
}

static uint64_t least(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static void send(struct flow *flow)
{
	for (;;) {
		uint64_t count = least(flow->depth - (flow->nr_sent - flow->nr_done), flow->batch);
		count = least(count, flow->nr_wanted - flow->nr_sent);
		if (count == 0) {
			return;
		}
		const uint64_t input[] = {flow->nr_sent % BENCH_NR_SLOTS, count, flow->bytes};

		flow->nr_sent += count; /* first: a completion may come before the call returns */
		flow->nr_calls++;
		must(IOConnectCallScalarMethod(flow->connect, BENCH_SEND, input, 3, NULL, NULL),
		     "send");
	}
}

static void move(struct flow *flow, uint64_t count)
{
	flow->nr_wanted += count;
	while (flow->nr_done < flow->nr_wanted) {
		send(flow);
		if (IONotificationPortDispatch(flow->port, LIMIT_MS) <= 0) {
			must(kIOReturnTimeout, "completions");
		}
	}
}

static void measure(struct flow *flow, uint64_t count)
{
	clockid_t driver = driver_clock(flow);
	struct clocks begin;
	struct clocks end;

	move(flow, BENCH_NR_SLOTS); /* each buffer has its pages from then on */
	flow->nr_calls = 0;
	begin = clocks_read(driver);
	move(flow, count);
	end = clocks_read(driver);
	end.wall_ns -= begin.wall_ns;
	end.application_ns -= begin.application_ns;
	end.driver_ns -= begin.driver_ns;
	printf("transfers=%llu wall_ns=%llu cpu_ns=%llu application_ns=%llu driver_ns=%llu calls=%llu\n",
	       (unsigned long long)count, (unsigned long long)end.wall_ns,
	       (unsigned long long)(end.application_ns + end.driver_ns),
	       (unsigned long long)end.application_ns, (unsigned long long)end.driver_ns,
	       (unsigned long long)flow->nr_calls);
}

static uint64_t number(const char *text, uint64_t max)
{
	char *end = NULL;
	unsigned long long value = strtoull(text, &end, 10);

	if (value == 0 || value > max || *end != '\0') {
		fprintf(stderr, "cost: %s: not a number from 1 to %llu\n", text,
			(unsigned long long)max);
		exit(2);
	}
	return value;
}

int main(int argc, char **argv)
{
	struct flow flow = {0};
	uint64_t count;

	if (argc != 5) {
		fprintf(stderr, "usage: cost BYTES DEPTH COUNT BATCH\n");
		return 2;
	}
	flow.bytes = number(argv[1], BENCH_SLOT_BYTES);
	flow.depth = number(argv[2], BENCH_NR_SLOTS);
	count = number(argv[3], UINT32_MAX);
	flow.batch = number(argv[4], BENCH_NR_SLOTS);
	flow_open(&flow);
	measure(&flow, count);
	(void)IOServiceClose(flow.connect);
	IONotificationPortDestroy(flow.port);
	return 0;
}
