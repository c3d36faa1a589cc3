/* SPDX-License-Identifier: MIT
 *
 * timer - IOTimerDispatchSource: one deadline, one action.
 *
 * Place:   driver. The reactor's timer fires on the leader; what it does there is to push an item to
 *          the queue of the action.
 * Threads: any. A source that is freed while armed is disarmed.
 */
#include <opendext/dispatch.h>

#include <stdlib.h>

#include "base/ioreturn.h"
#include "driver/action.h"
#include "driver/clocks.h"
#include "driver/item.h"
#include "driver/reactor.h"

struct timer_source {
	struct dx_object object;
	struct dx_runtime *runtime;
	struct dx_queue *queue; /* counted */
	struct dx_reactor_timer timer;
	struct dx_mutex lock; /* order 22; guards what follows */
	struct dx_action *action DX_GUARDED_BY(lock); /* counted and in use */
	uint64_t clock DX_GUARDED_BY(lock);
	bool disabled DX_GUARDED_BY(lock);
	bool due DX_GUARDED_BY(lock); /* expired while disabled */
	bool cancelled DX_GUARDED_BY(lock);
};

struct timer_item {
	struct dx_item item;
	struct dx_action *action; /* counted */
	uint64_t time;
};

static void timer_free(struct dx_object *object)
{
	struct timer_source *source = (struct timer_source *)object;

	dx_reactor_clear_timer(source->runtime->reactor, &source->timer);
	if (source->action != NULL) {
		dx_action_unuse(source->action);
	}
	(void)dx_object_unref(source->queue);
	dx_mutex_fini(&source->lock);
}

static const struct dx_class timer_class = {
	.name = "IOTimerDispatchSource",
	.instance_size = sizeof(struct timer_source),
	.free = timer_free,
};

const OSDriverClass IOTimerDispatchSourceClass = {
	.name = "IOTimerDispatchSource", .super = &OSObjectClass, .reserved = {&timer_class}};

static struct timer_source *source_of(const IOTimerDispatchSource *source)
{
	return dx_object_is_kind(source, &timer_class)
		       ? (struct timer_source *)(uintptr_t)source
		       : NULL;
}

static void occurred_run(struct dx_item *item, bool cancelled)
{
	struct timer_item *own = dx_container_of(item, struct timer_item, item);
	struct dx_service_entry entry;
	struct dx_service *target =
		dx_action_begin(own->action, cancelled, &entry, "TimerOccurred");

	if (target != NULL) {
		((IOTimerOccurredHandler)own->action->handler)(
			OS_OBJECT(target), (OSAction *)own->action, own->time);
		dx_action_end(target, &entry);
	}
	(void)dx_object_unref(own->action);
	free(own);
}

/* Sends the action; clock says in which units it is told the time. */
static void occur(struct dx_action *action, uint64_t clock)
{
	struct timer_item *item = calloc(1, sizeof(*item));

	if (item == NULL) {
		return; /* nothing to tell it with; the next deadline may find memory */
	}
	item->item.run = occurred_run;
	item->action = dx_object_ref(action);
	(void)dx_clock_read(clock, &item->time);
	dx_action_fire(action, &item->item);
}

static bool timer_acquire(struct dx_reactor_timer *timer)
{
	struct timer_source *source = dx_container_of(timer, struct timer_source, timer);
	uint32_t refs = atomic_load_explicit(&source->object.refs, memory_order_relaxed);

	while (refs != 0) {
		if (atomic_compare_exchange_weak_explicit(&source->object.refs, &refs, refs + 1,
							  memory_order_acquire,
							  memory_order_relaxed)) {
			return true;
		}
	}
	return false;
}

static void timer_fire(struct dx_reactor_timer *timer)
{
	struct timer_source *source = dx_container_of(timer, struct timer_source, timer);

	dx_mutex_lock(&source->lock);
	bool fire = !source->disabled && !source->cancelled && source->action != NULL;
	source->due = source->disabled;
	struct dx_action *action = fire ? dx_object_ref(source->action) : NULL;
	uint64_t clock = source->clock;
	dx_mutex_unlock(&source->lock);
	if (action != NULL) {
		occur(action, clock);
		(void)dx_object_unref(action);
	}
	(void)dx_object_unref(source); /* only memory of ours: no driver code runs here */
}

kern_return_t IOTimerDispatchSourceCreateActionTimerOccurred(OSObject *target,
							     IOTimerOccurredHandler handler,
							     size_t referenceSize,
							     OSAction **action)
{
	return dx_action_new(DX_ACTION_TIMER, target, (void (*)(void))handler, referenceSize,
			     action);
}

kern_return_t IOTimerDispatchSourceCreate(IODispatchQueue *queue, IOTimerDispatchSource **source)
{
	if (!dx_object_is_kind(queue, &dx_queue_class) || source == NULL) {
		return kIOReturnBadArgument;
	}
	struct dx_runtime *runtime = ((struct dx_queue *)queue)->runtime;
	if (runtime == NULL) {
		return kIOReturnNotReady;
	}
	struct timer_source *made = dx_object_new(&timer_class);
	if (made == NULL) {
		return kIOReturnNoMemory;
	}
	dx_mutex_init(&made->lock);
	dx_list_init(&made->timer.link);
	made->timer.acquire = timer_acquire;
	made->timer.fire = timer_fire;
	made->runtime = runtime;
	made->queue = dx_object_ref(queue);
	made->clock = kIOTimerClockMachAbsoluteTime;
	*source = (IOTimerDispatchSource *)made;
	return kIOReturnSuccess;
}

kern_return_t IOTimerDispatchSourceSetHandler(IOTimerDispatchSource *source, OSAction *action)
{
	struct timer_source *core = source_of(source);
	struct dx_action *next = dx_action_of(action, DX_ACTION_TIMER);

	if (core == NULL || (action != NULL && next == NULL)) {
		return kIOReturnBadArgument;
	}
	if (next != NULL) {
		dx_action_use(next);
	}
	dx_mutex_lock(&core->lock);
	bool cancelled = core->cancelled;
	struct dx_action *old = cancelled ? next : core->action;
	if (!cancelled) {
		core->action = next;
	}
	dx_mutex_unlock(&core->lock);
	if (old != NULL) {
		dx_action_unuse(old);
	}
	return cancelled ? kIOReturnAborted : kIOReturnSuccess;
}

/* Runs a handler of the driver on the timer's queue. */
static kern_return_t tell(struct timer_source *core, IODispatchSourceCancelHandler handler,
			  void *context)
{
	if (handler == NULL) {
		return kIOReturnSuccess;
	}
	struct dx_item *item = dx_item_new_call(handler, context, true, core);
	if (item == NULL) {
		return kIOReturnNoMemory;
	}
	dx_queue_push(core->queue, item);
	return kIOReturnSuccess;
}

kern_return_t IOTimerDispatchSourceSetEnableWithCompletion(IOTimerDispatchSource *source,
							   bool enable,
							   IODispatchSourceCancelHandler handler,
							   void *context)
{
	struct timer_source *core = source_of(source);

	if (core == NULL) {
		return kIOReturnBadArgument;
	}
	dx_mutex_lock(&core->lock);
	bool cancelled = core->cancelled;
	bool fire = enable && core->due && !cancelled && core->action != NULL;
	core->disabled = !enable;
	core->due = core->due && !enable;
	struct dx_action *action = fire ? dx_object_ref(core->action) : NULL;
	uint64_t clock = core->clock;
	dx_mutex_unlock(&core->lock);
	if (cancelled) {
		return kIOReturnAborted;
	}
	if (action != NULL) {
		occur(action, clock);
		(void)dx_object_unref(action);
	}
	return tell(core, handler, context);
}

kern_return_t IOTimerDispatchSourceSetEnable(IOTimerDispatchSource *source, bool enable)
{
	return IOTimerDispatchSourceSetEnableWithCompletion(source, enable, NULL, NULL);
}

/* Cancelling twice is harmless; the handler runs behind the callbacks of the timer's queue. */
kern_return_t IOTimerDispatchSourceCancel(IOTimerDispatchSource *source,
					  IODispatchSourceCancelHandler handler, void *context)
{
	struct timer_source *core = source_of(source);

	if (core == NULL) {
		return kIOReturnBadArgument;
	}
	dx_mutex_lock(&core->lock);
	core->cancelled = true;
	struct dx_action *action = core->action;
	core->action = NULL;
	dx_mutex_unlock(&core->lock);
	dx_reactor_clear_timer(core->runtime->reactor, &core->timer);
	kern_return_t status = tell(core, handler, context);
	if (action != NULL) {
		dx_action_unuse(action);
	}
	return status;
}

kern_return_t IOTimerDispatchSourceWakeAtTime(IOTimerDispatchSource *source, uint64_t options,
					      uint64_t deadline, uint64_t leeway)
{
	struct timer_source *core = source_of(source);
	uint64_t deadline_ns = 0;

	(void)leeway; /* the earliest allowed moment is in time */
	if (core == NULL || !dx_clock_to_monotonic(options, deadline, &deadline_ns)) {
		return kIOReturnBadArgument;
	}
	dx_mutex_lock(&core->lock);
	bool cancelled = core->cancelled;
	core->clock = options;
	core->due = false;
	dx_mutex_unlock(&core->lock);
	if (cancelled) {
		return kIOReturnAborted;
	}
	dx_reactor_set_timer(core->runtime->reactor, &core->timer, deadline_ns);
	return kIOReturnSuccess;
}
