/* SPDX-License-Identifier: MIT
 *
 * dispatch - the public functions of IODispatchQueue.
 */
#include <opendext/dispatch.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/ioreturn.h"
#include "driver/clocks.h"
#include "driver/item.h"
#include "driver/runtime.h"

#define OPTIONS (kIODispatchQueueReentrant | kIODispatchQueueMethodsNotSynchronized)

const OSDriverClass IODispatchQueueClass = {
	.name = "IODispatchQueue", .super = &OSObjectClass, .reserved = {&dx_queue_class}};

static struct dx_queue *queue_of(const IODispatchQueue *queue)
{
	return dx_object_is_kind(queue, &dx_queue_class) ? (struct dx_queue *)(uintptr_t)queue
							 : NULL;
}

kern_return_t IODispatchQueueCreate(const char *name, uint64_t options,
				    uint64_t priority, IODispatchQueue **queue)
{
	struct dx_queue *made = NULL;

	if (name == NULL || queue == NULL || priority != 0 ||
	    (options & ~(uint64_t)OPTIONS) != 0 ||
	    strnlen(name, sizeof(IODispatchQueueName)) >= sizeof(IODispatchQueueName)) {
		return kIOReturnBadArgument;
	}
	int result = dx_queue_new_worker(dx_runtime_here(), name,
					 (options & kIODispatchQueueReentrant) != 0, &made);
	if (result < 0) {
		return result == -ENOMEM ? kIOReturnNoMemory : kIOReturnNoResources;
	}
	made->methods_concurrent = (options & kIODispatchQueueMethodsNotSynchronized) != 0;
	*queue = (IODispatchQueue *)made;
	return kIOReturnSuccess;
}

bool IODispatchQueueOnQueue(IODispatchQueue *queue)
{
	return queue_of(queue) != NULL && dx_queue_is_held_here(queue_of(queue));
}

const char *IODispatchQueueGetName(IODispatchQueue *queue)
{
	const struct dx_queue *core = queue_of(queue);

	if (core == NULL) {
		return "";
	}
	return core->name == NULL ? kIOServiceDefaultQueueName : core->name;
}

kern_return_t IODispatchQueueCancel(IODispatchQueue *queue, IODispatchQueueCancelHandler handler,
				    void *context)
{
	struct dx_queue *core = queue_of(queue);
	struct dx_item *last = NULL;

	if (core == NULL) {
		return kIOReturnBadArgument;
	}
	if (core->worker == NULL) {
		return kIOReturnNotPermitted; /* a service needs its queue to stop */
	}
	if (handler != NULL) {
		last = dx_item_new_call(handler, context, true, NULL);
		if (last == NULL) {
			return kIOReturnNoMemory;
		}
	}
	dx_queue_cancel(core, last);
	return kIOReturnSuccess;
}

static void dispatch(IODispatchQueue *queue, void *context, IODispatchFunction function,
		     bool concurrent)
{
	struct dx_queue *core = queue_of(queue);

	if (core == NULL || function == NULL) {
		return;
	}
	struct dx_item *item = dx_item_new_call(function, context, false, core);
	if (item == NULL) {
		(void)fprintf(stderr, "%s: no memory for DispatchAsync\n",
			      IODispatchQueueGetName(queue));
		return;
	}
	item->concurrent = concurrent && core->reentrant;
	dx_queue_push(core, item);
}

void IODispatchQueueDispatchAsync_f(IODispatchQueue *queue, void *context,
				    IODispatchFunction function)
{
	dispatch(queue, context, function, false);
}

void IODispatchQueueDispatchConcurrent_f(IODispatchQueue *queue, void *context,
					 IODispatchFunction function)
{
	dispatch(queue, context, function, true);
}

/* Waiting for a queue that this thread holds can never end. */
static void refuse_deadlock(IODispatchQueue *queue)
{
	(void)fprintf(stderr, "%s: DispatchSync from the queue itself would never return\n",
		      IODispatchQueueGetName(queue));
	abort();
}

kern_return_t IODispatchQueueRunAction(IODispatchQueue *queue, void *context,
				       IODispatchAction action)
{
	struct dx_queue *core = queue_of(queue);
	struct dx_queue_hold hold;
	kern_return_t status = kIOReturnAborted;

	if (core == NULL || action == NULL) {
		return kIOReturnBadArgument;
	}
	if (dx_queue_is_held_here(core)) {
		if (!core->reentrant) {
			refuse_deadlock(queue);
		}
		return action(context);
	}
	(void)dx_object_ref(core);
	if (dx_queue_enter(core, &hold)) {
		status = action(context);
	}
	dx_queue_leave(core, &hold);
	(void)dx_object_unref(core);
	return status;
}

struct sync_call {
	IODispatchFunction function;
	void *context;
};

static kern_return_t run_sync_call(void *context)
{
	const struct sync_call *call = context;

	call->function(call->context);
	return kIOReturnSuccess;
}

void IODispatchQueueDispatchSync_f(IODispatchQueue *queue, void *context,
				   IODispatchFunction function)
{
	struct sync_call call = {.function = function, .context = context};

	if (function != NULL) {
		(void)IODispatchQueueRunAction(queue, &call, run_sync_call);
	}
}

/* ---- Sleep and Wakeup ---- */

static kern_return_t sleep_status(int result)
{
	switch (result) {
	case 0:
		return kIOReturnSuccess;
	case -ETIMEDOUT:
		return kIOReturnTimeout;
	case -ECANCELED:
		return kIOReturnAborted;
	case -EAGAIN:
	case -ENOMEM:
		return kIOReturnNoResources;
	default:
		return kIOReturnNotPermitted;
	}
}

kern_return_t IODispatchQueueSleepWithDeadline(IODispatchQueue *queue, void *event,
					       uint64_t options, uint64_t deadline)
{
	uint64_t deadline_ns = 0;

	if (queue_of(queue) == NULL ||
	    (options != 0 && !dx_clock_to_monotonic(options, deadline, &deadline_ns))) {
		return kIOReturnBadArgument;
	}
	return sleep_status(dx_queue_sleep(queue_of(queue), event, deadline_ns));
}

kern_return_t IODispatchQueueSleepWithTimeout(IODispatchQueue *queue, void *event,
					      uint64_t timeout)
{
	uint64_t deadline_ns = 0;

	if (queue_of(queue) == NULL) {
		return kIOReturnBadArgument;
	}
	if (timeout != 0 && dx_add_overflow(dx_clock_now_ns(), timeout, &deadline_ns)) {
		deadline_ns = 0; /* beyond the end of time: no limit */
	}
	return sleep_status(dx_queue_sleep(queue_of(queue), event, deadline_ns));
}

kern_return_t IODispatchQueueSleep(IODispatchQueue *queue, void *event, uint64_t timeout)
{
	return IODispatchQueueSleepWithTimeout(queue, event, timeout);
}

kern_return_t IODispatchQueueWakeupWithOptions(IODispatchQueue *queue, void *event,
					       uint64_t options)
{
	if (queue_of(queue) == NULL || (options & ~(uint64_t)kIODispatchQueueWakeupAll) != 0) {
		return kIOReturnBadArgument;
	}
	return sleep_status(dx_queue_wake(queue_of(queue), event, options != 0));
}

kern_return_t IODispatchQueueWakeup(IODispatchQueue *queue, void *event)
{
	return IODispatchQueueWakeupWithOptions(queue, event, 0);
}
