/* SPDX-License-Identifier: MIT
 *
 * demo_flow - a stream through the driver's buffers and back. See demo_flow.h.
 */
#include "demo_flow.h"

#include <stdio.h>
#include <string.h>

#include <IOKit/IOMessage.h>
#include <opendext/client.h>

#include "base/clock.h"
#include "stream.h"

_Static_assert(STREAM_MAX_BUFFERS == DX_DEMO_MAX_BUFFERS, "one limit");

static void fail(struct dx_flow *flow, const char *what, kern_return_t result)
{
	if (flow->failure[0] != '\0') {
		return; /* the first reason counts */
	}
	if (result == kIOReturnSuccess) {
		(void)snprintf(flow->failure, sizeof(flow->failure), "%s", what);
	} else {
		(void)snprintf(flow->failure, sizeof(flow->failure), "%s: %s (0x%08x)", what,
			       mach_error_string(result), (unsigned)result);
	}
}

static bool has_failed(const struct dx_flow *flow)
{
	return flow->failure[0] != '\0';
}

static uint64_t nr_chunks(const struct dx_flow *flow)
{
	return (flow->length + flow->options.size - 1) / flow->options.size;
}

static uint64_t chunk_length(const struct dx_flow *flow, uint64_t chunk)
{
	uint64_t left = flow->length - chunk * flow->options.size;

	return left < flow->options.size ? left : flow->options.size;
}

static void hash(struct dx_flow *flow, struct sha256_ctx *context, const uint8_t *bytes,
		 uint64_t length)
{
	uint64_t before = dx_clock_now_ns();

	sha256_update(context, (size_t)length, bytes);
	flow->hash_ns += dx_clock_now_ns() - before;
}

/* The bytes of a chunk: the file, over and over. */
static void fill(const struct dx_flow *flow, uint8_t *buffer, uint64_t chunk, uint64_t length)
{
	uint64_t offset = chunk * flow->options.size % flow->options.file_length;

	while (length > 0) {
		uint64_t part = flow->options.file_length - offset;

		part = part < length ? part : length;
		memcpy(buffer, flow->options.file + offset, (size_t)part);
		buffer += part;
		length -= part;
		offset = 0;
	}
}

static void call(struct dx_flow *flow, uint32_t selector, uint64_t buffer, uint64_t length)
{
	const uint64_t scalars[] = {buffer, length};
	kern_return_t result =
		IOConnectCallScalarMethod(flow->connection, selector, scalars, 2, NULL, NULL);

	flow->nr_scalars += 2;
	if (result != kIOReturnSuccess) {
		fail(flow, selector == STREAM_SEND ? "send" : "receive", result);
	}
}

/* Sends chunks as long as there are chunks, idle buffers, and room in the window (L2). */
static void send_chunks(struct dx_flow *flow)
{
	while (!has_failed(flow) && flow->nr_idle_out > 0 && flow->nr_sent < nr_chunks(flow) &&
	       flow->nr_sent - flow->nr_returned < DX_FLOW_WINDOW) {
		uint32_t buffer = flow->idle_out[--flow->nr_idle_out];
		uint64_t chunk = flow->nr_sent++;
		uint64_t length = chunk_length(flow, chunk);

		if (flow->verify) {
			fill(flow, flow->buffers[buffer], chunk, length);
			hash(flow, &flow->hash_out, flow->buffers[buffer], length);
		}
		flow->sent_ns[chunk % DX_FLOW_WINDOW] = dx_clock_now_ns();
		call(flow, STREAM_SEND, buffer, length);
	}
}

static void ask_chunk(struct dx_flow *flow, uint32_t buffer)
{
	if (flow->nr_asked < nr_chunks(flow)) {
		uint64_t chunk = flow->nr_asked++;

		flow->chunk_of[buffer] = chunk;
		call(flow, STREAM_RECEIVE, buffer, chunk_length(flow, chunk));
	}
}

/* In buffer n came back. */
static void take_chunk(struct dx_flow *flow, uint32_t buffer, uint64_t length)
{
	uint64_t chunk = flow->chunk_of[buffer];

	if (chunk != flow->nr_returned || length != chunk_length(flow, chunk)) {
		fail(flow, "a buffer came back out of order or short", kIOReturnSuccess);
		return;
	}
	dx_samples_add(&flow->round_trips,
		       dx_clock_now_ns() - flow->sent_ns[chunk % DX_FLOW_WINDOW]);
	if (flow->verify) {
		hash(flow, &flow->hash_in, flow->buffers[STREAM_IN + buffer], length);
	}
	flow->nr_returned++;
	flow->bytes_returned += length;
	flow->progress(flow->context, flow->bytes_returned);
	ask_chunk(flow, buffer);
}

static void transfer_done(void *refcon, IOReturn status, void **arguments, uint32_t nr_arguments)
{
	struct dx_flow *flow = refcon;
	uint64_t type = 0;

	if (status != kIOReturnSuccess || nr_arguments != STREAM_NR_ARGS) {
		fail(flow, "transfer", status);
		return;
	}
	type = (uintptr_t)arguments[STREAM_ARG_BUFFER];
	if (type % STREAM_IN >= flow->options.depth || type >= 2 * STREAM_IN ||
	    (type < STREAM_IN && flow->nr_idle_out == flow->options.depth)) {
		fail(flow, "the driver named a buffer that it does not have", kIOReturnSuccess);
	} else if (type < STREAM_IN) {
		flow->idle_out[flow->nr_idle_out++] = (uint32_t)type;
	} else {
		take_chunk(flow, (uint32_t)(type - STREAM_IN),
			   (uintptr_t)arguments[STREAM_ARG_BYTES]);
	}
	send_chunks(flow);
}

/* Of the connection, whatever ended it: nothing more will complete. */
static void connection_message(void *refcon, io_service_t connection, uint32_t type, void *argument)
{
	(void)argument;
	if (type == kIOMessageServiceIsTerminated) {
		fail(refcon,
		     IOConnectGetState(connection) == kIOReturnOffline
			     ? "the driver's process died"
			     : "the driver ended the connection, or its device is gone",
		     kIOReturnSuccess);
	}
}

static bool map_buffers(struct dx_flow *flow)
{
	kern_return_t result = kIOReturnSuccess;

	call(flow, STREAM_CONFIGURE, flow->options.nr_buffers, flow->options.size);
	for (uint32_t n = 0; !has_failed(flow) && n < 2 * flow->options.nr_buffers; n++) {
		uint32_t type = n % 2 * STREAM_IN + n / 2;
		mach_vm_address_t address = 0;
		mach_vm_size_t size = 0;

		result = IOConnectMapMemory64(flow->connection, type, mach_task_self(), &address,
					      &size, kIOMapAnywhere);
		if (result != kIOReturnSuccess || size != flow->options.size) {
			fail(flow, "map a buffer", result);
		}
		flow->buffers[type] = (uint8_t *)(uintptr_t)address;
	}
	return !has_failed(flow);
}

/* The action that all completions of transfers come through. */
static kern_return_t give_completion(struct dx_flow *flow)
{
	io_async_ref64_t reference = {0};

	reference[kIOAsyncCalloutFuncIndex] = (io_user_reference_t)(uintptr_t)transfer_done;
	reference[kIOAsyncCalloutRefconIndex] = (io_user_reference_t)(uintptr_t)flow;
	return IOConnectCallAsyncScalarMethod(flow->connection, STREAM_COMPLETION,
					      IONotificationPortGetMachPort(flow->port), reference,
					      kIOAsyncCalloutCount, NULL, 0, NULL, NULL);
}

bool dx_flow_open(struct dx_flow *flow)
{
	kern_return_t result = kIOReturnSuccess;

	flow->port = IONotificationPortCreate(kIOMainPortDefault);
	flow->service = IOServiceGetMatchingService(kIOMainPortDefault,
						    IOServiceNameMatching(STREAM_SERVICE_NAME));
	if (flow->port == NULL || flow->service == IO_OBJECT_NULL) {
		fail(flow, "no service named " STREAM_SERVICE_NAME, kIOReturnSuccess);
		return false;
	}
	result = IOServiceOpen(flow->service, mach_task_self(), 0, &flow->connection);
	if (result != kIOReturnSuccess) {
		fail(flow, "open the service", result);
		return false;
	}
	result = IOServiceAddInterestNotification(flow->port, flow->connection, kIOGeneralInterest,
						  connection_message, flow, &flow->interest);
	if (result == kIOReturnSuccess) {
		result = give_completion(flow);
	}
	if (result != kIOReturnSuccess) {
		fail(flow, "ask for notifications", result);
		return false;
	}
	sha256_init(&flow->hash_out);
	sha256_init(&flow->hash_in);
	return map_buffers(flow);
}

static struct IOConnectStatistics statistics_of(const struct dx_flow *flow)
{
	struct IOConnectStatistics statistics = {0};

	(void)IOConnectGetStatistics(flow->connection, &statistics, sizeof(statistics));
	return statistics;
}

/* What the library counted during a pass. */
static void count_pass(const struct dx_flow *flow, const struct IOConnectStatistics *before,
		       struct dx_demo_pass *pass)
{
	struct IOConnectStatistics after = statistics_of(flow);

	pass->calls = after.calls - before->calls;
	pass->notifications = after.notifications - before->notifications;
	pass->system_calls = after.doorbells - before->doorbells + after.sleeps - before->sleeps +
			     after.yields - before->yields + after.wakeups - before->wakeups +
			     after.port_calls - before->port_calls;
	pass->copied_bytes = after.bytes_copied_in - before->bytes_copied_in +
			     after.bytes_copied_out - before->bytes_copied_out;
	pass->argument_bytes =
		sizeof(uint64_t) * (flow->nr_scalars + STREAM_NR_ARGS * pass->notifications);
}

static void reset_pass(struct dx_flow *flow, bool verify, uint64_t rounds)
{
	flow->verify = verify;
	flow->length = flow->options.total * rounds;
	flow->nr_sent = 0;
	flow->nr_asked = 0;
	flow->nr_returned = 0;
	flow->bytes_returned = 0;
	flow->nr_scalars = 0;
	flow->nr_idle_out = 0;
	flow->round_trips = (struct dx_samples){0};
	for (uint32_t n = flow->options.depth; n > 0; n--) {
		flow->idle_out[flow->nr_idle_out++] = n - 1;
	}
}

bool dx_flow_pass(struct dx_flow *flow, bool verify, uint64_t rounds, struct dx_demo_pass *ret_pass)
{
	struct IOConnectStatistics before = statistics_of(flow);
	uint64_t start_ns = dx_clock_now_ns();

	reset_pass(flow, verify, rounds);
	for (uint32_t n = 0; n < flow->options.depth; n++) {
		ask_chunk(flow, n);
	}
	send_chunks(flow);
	/* All chunks back, and all out buffers: their completions may be last. */
	while (!has_failed(flow) &&
	       (flow->nr_returned < nr_chunks(flow) || flow->nr_idle_out < flow->options.depth)) {
		(void)IONotificationPortDispatch(flow->port, -1); /* an end is told, too */
	}
	ret_pass->wall_ns = dx_clock_now_ns() - start_ns;
	ret_pass->bytes = flow->bytes_returned;
	ret_pass->buffers = flow->nr_returned;
	ret_pass->round_trip_p50_ns = dx_samples_quantile(&flow->round_trips, 0.50);
	ret_pass->round_trip_p99_ns = dx_samples_quantile(&flow->round_trips, 0.99);
	count_pass(flow, &before, ret_pass);
	return !has_failed(flow);
}

bool dx_flow_measure_calls(struct dx_flow *flow, uint64_t nr_calls, uint64_t *ret_p50_ns,
			   uint64_t *ret_p99_ns)
{
	struct dx_samples samples = {0};

	for (uint64_t i = 0; i < nr_calls && !has_failed(flow); i++) {
		uint64_t before = dx_clock_now_ns();
		kern_return_t result = IOConnectCallScalarMethod(flow->connection, STREAM_NOTHING,
								 NULL, 0, NULL, NULL);

		dx_samples_add(&samples, dx_clock_now_ns() - before);
		if (result != kIOReturnSuccess) {
			fail(flow, "call", result);
		}
	}
	*ret_p50_ns = dx_samples_quantile(&samples, 0.50);
	*ret_p99_ns = dx_samples_quantile(&samples, 0.99);
	return !has_failed(flow);
}

void dx_flow_close(struct dx_flow *flow)
{
	if (flow->connection != IO_OBJECT_NULL) {
		(void)IOServiceClose(flow->connection);
	}
	(void)IOObjectRelease(flow->interest);
	(void)IOObjectRelease(flow->service);
	IONotificationPortDestroy(flow->port);
}
