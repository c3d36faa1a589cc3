/* SPDX-License-Identifier: MIT
 *
 * event - see event.h.
 */
#include "driver/event.h"

#include <mach/mach_time.h>
#include <stdlib.h>

#include "driver/item.h"

struct event_item {
	struct dx_item item;
	struct dx_event_source *source; /* counted */
	struct dx_action *action;	/* counted */
	struct dx_event event;
};

/* ---- birth and death ---- */

kern_return_t dx_event_setup(struct dx_event_source *source, IODispatchQueue *queue,
			     enum dx_action_kind kind, const char *method)
{
	struct dx_runtime *runtime = ((struct dx_queue *)queue)->runtime;

	dx_mutex_init(&source->lock);
	dx_list_init(&source->runtime_link);
	source->runtime = runtime;
	source->kind = kind;
	source->method = method;
	if (runtime == NULL) {
		return kIOReturnNotReady;
	}
	source->queue = dx_object_ref(queue);
	return kIOReturnSuccess;
}

void dx_event_fini(struct dx_event_source *source)
{
	if (source->runtime != NULL) {
		dx_mutex_lock(&source->runtime->lock);
		dx_list_remove(&source->runtime_link);
		dx_mutex_unlock(&source->runtime->lock);
	}
	if (source->action != NULL) {
		dx_action_unuse(source->action);
	}
	(void)dx_object_unref(source->queue);
	dx_mutex_fini(&source->lock);
}

void dx_event_list(struct dx_event_source *source, struct dx_list *list)
{
	dx_mutex_lock(&source->runtime->lock);
	dx_list_push_back(list, &source->runtime_link);
	dx_mutex_unlock(&source->runtime->lock);
}

bool dx_event_try_ref(struct dx_event_source *source)
{
	uint32_t refs = atomic_load_explicit(&source->object.refs, memory_order_relaxed);

	/* Acquire pairs with the release of whoever gave the reference back last. */
	while (refs != 0) {
		if (atomic_compare_exchange_weak_explicit(&source->object.refs, &refs, refs + 1,
							  memory_order_acquire,
							  memory_order_relaxed)) {
			return true;
		}
	}
	return false;
}

/* ---- firing ---- */

static void call(struct dx_action *action, struct dx_service *target, const struct dx_event *event)
{
	switch (action->kind) {
	case DX_ACTION_INTERRUPT:
		((IOInterruptOccurredHandler)action->handler)(
			OS_OBJECT(target), (OSAction *)action, event->count, event->time);
		break;
	case DX_ACTION_TIMER:
		((IOTimerOccurredHandler)action->handler)(OS_OBJECT(target), (OSAction *)action,
							  event->time);
		break;
	default:
		((IOServiceNotificationReadyHandler)action->handler)(OS_OBJECT(target),
								     (OSAction *)action);
		break;
	}
}

static void event_run(struct dx_item *item, bool cancelled)
{
	struct event_item *own = dx_container_of(item, struct event_item, item);
	struct dx_service_entry entry;
	bool drop = cancelled || dx_event_is_cancelled(own->source); /* EV2 */
	struct dx_service *target =
		dx_action_begin(own->action, drop, &entry, own->source->method);

	if (target != NULL) {
		call(own->action, target, &own->event);
		dx_action_end(target, &entry);
	}
	(void)dx_object_unref(own->action);
	(void)dx_object_unref(own->source);
	free(own);
}

/* The action to call now, counted; NULL: nobody to tell it to. */
static struct dx_action *action_locked(struct dx_event_source *source) DX_REQUIRES(source->lock)
{
	return source->enabled && !source->cancelled ? dx_object_ref(source->action) : NULL;
}

/* Takes the reference to action over. @return false: no memory, and it is not told. */
static bool send(struct dx_event_source *source, struct dx_action *action,
		 const struct dx_event *event)
{
	struct event_item *item = calloc(1, sizeof(*item));

	if (item == NULL) {
		(void)dx_object_unref(action);
		return false;
	}
	item->item.run = event_run;
	item->action = action;
	item->event = *event;
	item->source = dx_object_ref(source);
	dx_action_fire(action, &item->item);
	return true;
}

void dx_event_set_due(struct dx_event_source *source)
{
	dx_mutex_lock(&source->lock);
	source->due = true;
	dx_mutex_unlock(&source->lock);
}

static void tell_due(struct dx_event_source *source)
{
	dx_mutex_lock(&source->lock);
	struct dx_action *action = source->due ? action_locked(source) : NULL;
	struct dx_event event = source->event;
	source->due = source->due && action == NULL;
	dx_mutex_unlock(&source->lock);
	if (action != NULL && !send(source, action, &event)) {
		dx_event_set_due(source); /* the next time may find memory */
	}
}

void dx_event_fire(struct dx_event_source *source, const struct dx_event *event)
{
	dx_mutex_lock(&source->lock);
	source->due = true;
	source->event = *event;
	dx_mutex_unlock(&source->lock);
	tell_due(source);
}

void dx_event_fire_now(struct dx_event_source *source, const struct dx_event *event)
{
	dx_mutex_lock(&source->lock);
	struct dx_action *action = action_locked(source);
	dx_mutex_unlock(&source->lock);
	if (action != NULL) {
		(void)send(source, action, event); /* without memory it has not happened */
	}
}

void dx_event_count(struct dx_event_source *source, bool continuous)
{
	uint64_t now = continuous ? mach_continuous_time() : mach_absolute_time();

	dx_mutex_lock(&source->lock);
	source->due = true;
	source->event.count++;
	source->event.time = now;
	dx_mutex_unlock(&source->lock);
	tell_due(source);
}

void dx_event_read(struct dx_event_source *source, struct dx_event *ret_event)
{
	dx_mutex_lock(&source->lock);
	*ret_event = source->event;
	dx_mutex_unlock(&source->lock);
}

bool dx_event_is_cancelled(struct dx_event_source *source)
{
	dx_mutex_lock(&source->lock);
	bool cancelled = source->cancelled;
	dx_mutex_unlock(&source->lock);
	return cancelled;
}

/* ---- what drivers ask for ---- */

kern_return_t dx_event_set_handler(struct dx_event_source *source, OSAction *action)
{
	struct dx_action *next = source == NULL ? NULL : dx_action_of(action, source->kind);

	if (source == NULL || (action != NULL && next == NULL)) {
		return kIOReturnBadArgument;
	}
	if (next != NULL) {
		dx_action_use(next);
	}
	dx_mutex_lock(&source->lock);
	bool cancelled = source->cancelled;
	struct dx_action *old = cancelled ? next : source->action;
	if (!cancelled) {
		source->action = next;
	}
	dx_mutex_unlock(&source->lock);
	if (old != NULL) {
		dx_action_unuse(old);
	}
	if (cancelled) {
		return kIOReturnAborted;
	}
	tell_due(source);
	return kIOReturnSuccess;
}

kern_return_t dx_event_run_handler(struct dx_event_source *source,
				   IODispatchSourceCancelHandler handler, void *context)
{
	if (handler == NULL) {
		return kIOReturnSuccess;
	}
	struct dx_item *item = dx_item_new_call(handler, context, true, source);
	if (item == NULL) {
		return kIOReturnNoMemory;
	}
	dx_queue_push(source->queue, item);
	return kIOReturnSuccess;
}

kern_return_t dx_event_set_enable(struct dx_event_source *source, bool enable,
				  IODispatchSourceCancelHandler handler, void *context)
{
	if (source == NULL) {
		return kIOReturnBadArgument;
	}
	dx_mutex_lock(&source->lock);
	bool cancelled = source->cancelled;
	source->enabled = enable;
	dx_mutex_unlock(&source->lock);
	if (cancelled) {
		return kIOReturnAborted;
	}
	tell_due(source);
	return dx_event_run_handler(source, handler, context);
}

/* Cancelling twice is harmless; the handler runs behind the callbacks of the source's queue. */
kern_return_t dx_event_cancel(struct dx_event_source *source, IODispatchSourceCancelHandler handler,
			      void *context)
{
	if (source == NULL) {
		return kIOReturnBadArgument;
	}
	dx_mutex_lock(&source->lock);
	source->cancelled = true;
	struct dx_action *action = source->action;
	source->action = NULL;
	dx_mutex_unlock(&source->lock);
	kern_return_t status = dx_event_run_handler(source, handler, context);
	if (action != NULL) {
		dx_action_unuse(action);
	}
	return status;
}
