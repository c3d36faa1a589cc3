/* SPDX-License-Identifier: MIT */
#include "kernel/flow.h"

#include <IOKit/IOMessage.h>
#include <opendext/client.h>
#include <string.h>
#include <time.h>

#include "stream/stream.h"

static void start_one(struct flow *flow, unsigned direction, uint64_t number)
{
	const uint64_t scalars[] = {number, flow->bytes};
	kern_return_t result;

	if (flow->refused != kIOReturnSuccess || flow->is_stopped[direction] ||
	    flow->nr_started[direction] == flow->nr_wanted) {
		return;
	}
	/* Counted first: the completion may come before the call returns. */
	flow->nr_started[direction]++;
	flow->nr_flying++;
	result = IOConnectCallScalarMethod(flow->connect,
					   direction == FLOW_IN ? STREAM_RECEIVE : STREAM_SEND,
					   scalars, 2, NULL, NULL);
	if (result != kIOReturnSuccess) {
		flow->nr_started[direction]--;
		flow->nr_flying--;
		flow->refused = result;
	}
}

static void on_transfer(void *refcon, IOReturn status, void **arguments, uint32_t nr_arguments)
{
	struct flow *flow = refcon;
	uint64_t type = nr_arguments > 0 ? (uintptr_t)arguments[STREAM_ARG_BUFFER] : 0;
	unsigned direction = type >= STREAM_IN ? FLOW_IN : FLOW_OUT;

	flow->nr_flying--;
	flow->nr_done[direction]++;
	if (flow->on_done != NULL) {
		flow->on_done(flow, direction, status);
	}
	start_one(flow, direction, type - (direction == FLOW_IN ? STREAM_IN : 0));
}

static void on_message(void *refcon, io_service_t service, uint32_t type, void *argument)
{
	struct flow *flow = refcon;

	(void)service;
	(void)argument;
	flow->is_terminated = flow->is_terminated || type == kIOMessageServiceIsTerminated;
}

bool flow_find(struct flow *flow, unsigned limit_ms)
{
	const struct timespec pause = {.tv_nsec = 5000000};

	for (unsigned waited_ms = 0; waited_ms <= limit_ms; waited_ms += 5) {
		flow->service = IOServiceGetMatchingService(
			kIOMainPortDefault, IOServiceNameMatching(STREAM_SERVICE_NAME));
		if (flow->service != IO_OBJECT_NULL) {
			return true;
		}
		(void)nanosleep(&pause, NULL); /* an early end only makes it look once more */
	}
	return false;
}

static kern_return_t map_buffers(struct flow *flow)
{
	const uint64_t scalars[] = {flow->depth, flow->bytes};
	kern_return_t result =
		IOConnectCallScalarMethod(flow->connect, STREAM_CONFIGURE, scalars, 2, NULL, NULL);

	for (uint32_t i = 0; i < 2 * flow->depth && result == kIOReturnSuccess; i++) {
		uint32_t type = i < flow->depth ? i : STREAM_IN + i - (uint32_t)flow->depth;
		mach_vm_address_t address = 0;
		mach_vm_size_t size = 0;

		result = IOConnectMapMemory64(flow->connect, type, mach_task_self(), &address,
					      &size, kIOMapAnywhere);
	}
	return result;
}

kern_return_t flow_open(struct flow *flow)
{
	io_async_ref64_t reference = {0};
	kern_return_t result;

	flow->port = IONotificationPortCreate(kIOMainPortDefault);
	reference[kIOAsyncCalloutFuncIndex] = (io_user_reference_t)(uintptr_t)on_transfer;
	reference[kIOAsyncCalloutRefconIndex] = (io_user_reference_t)(uintptr_t)flow;
	result = IOServiceOpen(flow->service, mach_task_self(), 0, &flow->connect);
	if (result == kIOReturnSuccess) {
		result = IOServiceAddInterestNotification(flow->port, flow->service,
							  kIOGeneralInterest, on_message, flow,
							  &flow->interest);
	}
	if (result == kIOReturnSuccess) {
		result = IOConnectCallAsyncScalarMethod(
			flow->connect, STREAM_COMPLETION, IONotificationPortGetMachPort(flow->port),
			reference, kIOAsyncCalloutCount, NULL, 0, NULL, NULL);
	}
	return result == kIOReturnSuccess ? map_buffers(flow) : result;
}

void flow_start(struct flow *flow)
{
	for (uint64_t i = 0; i < flow->depth; i++) {
		start_one(flow, FLOW_IN, i);
		start_one(flow, FLOW_OUT, i);
	}
}

bool flow_step(struct flow *flow, unsigned limit_ms)
{
	/* 0 also says, once, that the connection has ended: what else there is comes after that. */
	return IONotificationPortDispatch(flow->port, (int)limit_ms) > 0 ||
	       IONotificationPortDispatch(flow->port, (int)limit_ms) > 0;
}

void flow_close(struct flow *flow)
{
	if (flow->connect != IO_OBJECT_NULL) {
		(void)IOServiceClose(flow->connect); /* the service may be gone */
	}
	if (flow->interest != IO_OBJECT_NULL) {
		IOObjectRelease(flow->interest);
	}
	if (flow->service != IO_OBJECT_NULL) {
		IOObjectRelease(flow->service);
	}
	if (flow->port != NULL) {
		IONotificationPortDestroy(flow->port);
	}
	flow->connect = flow->interest = flow->service = IO_OBJECT_NULL;
	flow->port = NULL;
}
