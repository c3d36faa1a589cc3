/* SPDX-License-Identifier: MIT
 *
 * buffers - the rows about buffers that go through a driver to a device and come back.
 */
#include "buffers.h"

#include <stdio.h>
#include <stdlib.h>

#include <IOKit/IOKitLib.h>
#include <opendext/client.h>

#include "driver/bench.h"
#include "in_process.h"
#include "report.h"
#include "system.h"

#define DEPTH       8u
#define BYTES       512u /* of a buffer */
#define SMALL_BYTES 4096u
#define LARGE_BYTES 65536u

struct flow {
	io_connect_t connect;
	IONotificationPortRef port;
	uint64_t nr_sent;
	uint64_t nr_done;
};

static void buffer_done(void *refcon, IOReturn status, void **args, uint32_t nr_args)
{
	struct flow *flow = refcon;

	(void)args;
	if (status != kIOReturnSuccess || nr_args != 3) {
		bench_must(kIOReturnError, "buffer");
	}
	flow->nr_done++;
}

static void flow_start(struct flow *flow)
{
	uint64_t reference[3] = {0, (uint64_t)(uintptr_t)buffer_done, (uint64_t)(uintptr_t)flow};

	flow->connect = system_open(BENCH_USB);
	flow->port = IONotificationPortCreate(kIOMainPortDefault);
	bench_must(IOConnectCallAsyncScalarMethod(flow->connect, BENCH_JOIN,
						  IONotificationPortGetMachPort(flow->port),
						  reference, 3, NULL, 0, NULL, NULL),
		   "join");
}

static void flow_stop(struct flow *flow)
{
	(void)IOServiceClose(flow->connect);
	IONotificationPortDestroy(flow->port);
}

/* Keeps DEPTH buffers in flight. batch: how many one call sends. */
static double flow_buffer_ns(struct flow *flow, uint64_t bytes, unsigned batch, unsigned ms)
{
	uint64_t begin_ns = bench_now_ns();
	uint64_t before = flow->nr_done;
	bool more = true;

	while (more || flow->nr_done < flow->nr_sent) {
		while (more && flow->nr_sent - flow->nr_done + batch <= DEPTH) {
			const uint64_t input[] = {flow->nr_sent % DEPTH, batch, bytes};

			bench_must(IOConnectCallScalarMethod(flow->connect, BENCH_SEND, input, 3,
							     NULL, NULL),
				   "send");
			flow->nr_sent += batch;
		}
		bench_must(IONotificationPortDispatch(flow->port, -1) > 0 ? kIOReturnSuccess
									  : kIOReturnAborted,
			   "wait");
		more = more && ((flow->nr_sent & 63) != 0 ||
				bench_now_ns() - begin_ns < (uint64_t)ms * 1000000);
	}
	return (double)(bench_now_ns() - begin_ns) / (double)(flow->nr_done - before);
}

static void row_buffers(struct bench *bench, struct flow *flow, unsigned batch, double bound)
{
	struct series extra = {0};
	struct series whole = {0};
	struct series alone = {0};
	char what[80];
	char note[160];

	(void)flow_buffer_ns(flow, BYTES, batch, 20);
	for (unsigned i = 0; i < bench->slices; i++) {
		double alone_ns = in_process_buffer_ns(BYTES, DEPTH, bench->ms);
		double whole_ns = flow_buffer_ns(flow, BYTES, batch, bench->ms);

		series_add(&alone, alone_ns);
		series_add(&whole, whole_ns);
		series_add(&extra, whole_ns - alone_ns);
	}
	(void)snprintf(what, sizeof(what), "buffer to the device and back, %u a call - in-process",
		       batch);
	(void)snprintf(note, sizeof(note),
		       "depth %u, %u bytes; %.0f ns with, %.0f ns without driver", DEPTH, BYTES,
		       series_median(&whole), series_median(&alone));
	report_row(&bench->report, "G7a", what, "ns", &extra, bound, note);
}

static void row_bytes(struct bench *bench, struct flow *flow)
{
	struct series ratio = {0};
	struct series small = {0};
	struct series large = {0};
	char note[160];

	(void)flow_buffer_ns(flow, LARGE_BYTES, DEPTH, 20);
	for (unsigned i = 0; i < bench->slices; i++) {
		double small_ns = flow_buffer_ns(flow, SMALL_BYTES, DEPTH, bench->ms);
		double large_ns = flow_buffer_ns(flow, LARGE_BYTES, DEPTH, bench->ms);

		series_add(&small, small_ns);
		series_add(&large, large_ns);
		series_add(&ratio, large_ns / LARGE_BYTES / (small_ns / SMALL_BYTES));
	}
	(void)snprintf(note, sizeof(note), "to the device and back: %.0f ns and %.0f ns each",
		       series_median(&large), series_median(&small));
	report_row(&bench->report, "lin", "a byte of a 64 KiB buffer / of a 4 KiB one", "x", &ratio,
		   1.5, note);
}

void bench_buffers(struct bench *bench)
{
	struct flow flow = {0};
	pid_t host;

	if (in_process_start() < 0) {
		exit(2);
	}
	flow_start(&flow);
	host = system_host(flow.connect);
	bench_use_two_cores(host);
	row_buffers(bench, &flow, DEPTH, 400);
	row_buffers(bench, &flow, DEPTH / 2, 400);
	row_buffers(bench, &flow, 1, -1);
	row_bytes(bench, &flow);
	bench_use_all_cores(host);
	flow_stop(&flow);
	in_process_stop();
}
