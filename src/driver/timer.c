/* SPDX-License-Identifier: MIT
 *
 * timer - IOTimerDispatchSource: one deadline, one action.
 *
 * Place:   driver, over event. The reactor's timer fires on the leader; what it does there is to push
 *          an item to the queue of the action.
 * Rules:   a deadline that passes without an action is forgotten; one that passes while the timer is
 *          off is told when it is on again, with the time of that moment.
 * Threads: any. A source that is freed while armed is disarmed.
 */
#include <opendext/dispatch.h>

#include "driver/clocks.h"
#include "driver/event.h"
#include "driver/reactor.h"

struct timer_source {
	struct dx_event_source event;
	struct dx_reactor_timer timer;
	uint64_t clock DX_GUARDED_BY(event.lock);
	bool expired DX_GUARDED_BY(event.lock); /* while it was off */
};

static void timer_free(struct dx_object *object)
{
	struct timer_source *source = (struct timer_source *)object;

	if (source->event.runtime != NULL) {
		dx_reactor_clear_timer(source->event.runtime->reactor, &source->timer);
	}
	dx_event_fini(&source->event);
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

static struct dx_event_source *event_of(const IOTimerDispatchSource *source)
{
	struct timer_source *core = source_of(source);

	return core == NULL ? NULL : &core->event;
}

/* Now is the moment; clock says in which units it is told the time. */
static void occur(struct timer_source *source, uint64_t clock)
{
	struct dx_event event = {0};

	(void)dx_clock_read(clock, &event.time);
	dx_event_fire_now(&source->event, &event);
}

static bool timer_acquire(struct dx_reactor_timer *timer)
{
	struct timer_source *source = dx_container_of(timer, struct timer_source, timer);

	return dx_event_try_ref(&source->event);
}

static void timer_fire(struct dx_reactor_timer *timer)
{
	struct timer_source *source = dx_container_of(timer, struct timer_source, timer);

	dx_mutex_lock(&source->event.lock);
	bool enabled = source->event.enabled;
	uint64_t clock = source->clock;
	source->expired = !enabled;
	dx_mutex_unlock(&source->event.lock);
	if (enabled) {
		occur(source, clock);
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
	struct timer_source *made = dx_object_new(&timer_class);
	if (made == NULL) {
		return kIOReturnNoMemory;
	}
	dx_list_init(&made->timer.link);
	made->timer.acquire = timer_acquire;
	made->timer.fire = timer_fire;
	kern_return_t status =
		dx_event_setup(&made->event, queue, DX_ACTION_TIMER, "TimerOccurred");
	if (status != kIOReturnSuccess) {
		(void)dx_object_unref(made);
		return status;
	}
	made->event.enabled = true;
	made->clock = kIOTimerClockMachAbsoluteTime;
	*source = (IOTimerDispatchSource *)made;
	return kIOReturnSuccess;
}

kern_return_t IOTimerDispatchSourceSetHandler(IOTimerDispatchSource *source, OSAction *action)
{
	return dx_event_set_handler(event_of(source), action);
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
	dx_mutex_lock(&core->event.lock);
	bool cancelled = core->event.cancelled;
	bool fire = enable && core->expired;
	uint64_t clock = core->clock;
	core->event.enabled = enable;
	core->expired = core->expired && !enable;
	dx_mutex_unlock(&core->event.lock);
	if (cancelled) {
		return kIOReturnAborted;
	}
	if (fire) {
		occur(core, clock);
	}
	return dx_event_run_handler(&core->event, handler, context);
}

kern_return_t IOTimerDispatchSourceSetEnable(IOTimerDispatchSource *source, bool enable)
{
	return IOTimerDispatchSourceSetEnableWithCompletion(source, enable, NULL, NULL);
}

kern_return_t IOTimerDispatchSourceCancel(IOTimerDispatchSource *source,
					  IODispatchSourceCancelHandler handler, void *context)
{
	struct timer_source *core = source_of(source);
	kern_return_t status = dx_event_cancel(event_of(source), handler, context);

	if (core != NULL) {
		dx_reactor_clear_timer(core->event.runtime->reactor, &core->timer);
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
	dx_mutex_lock(&core->event.lock);
	bool cancelled = core->event.cancelled;
	core->clock = options;
	core->expired = false;
	dx_mutex_unlock(&core->event.lock);
	if (cancelled) {
		return kIOReturnAborted;
	}
	dx_reactor_set_timer(core->event.runtime->reactor, &core->timer, deadline_ns);
	return kIOReturnSuccess;
}
