/* SPDX-License-Identifier: MIT
 *
 * action - see action.h.
 */
#include "driver/action.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "driver/clocks.h"
#include "driver/item.h"
#include "driver/reactor.h"
#include "driver/user_client.h"

#define MAX_REFERENCE_SIZE (1u << 20)
#define REFERENCE_OFFSET   ((sizeof(struct dx_action) + 15u) & ~(size_t)15u)

struct OSActionWaitToken {
	struct dx_mutex lock; /* order 26 */
	struct dx_cond cond;
	bool fired DX_GUARDED_BY(lock);
	bool aborted DX_GUARDED_BY(lock);
};

static void action_free(struct dx_object *object)
{
	struct dx_action *action = (struct dx_action *)object;

	if (action->connection != NULL) {
		dx_connection_action_freed(action->connection, action->tag);
		(void)dx_object_unref(action->connection);
		(void)dx_object_unref(action->client_queue);
	}
	(void)dx_object_unref(action->target);
	(void)dx_object_unref(action->own_queue);
	free(action->queue_name);
	free(action->token);
	dx_mutex_fini(&action->lock);
}

const struct dx_class dx_action_class = {
	.name = "OSAction",
	.instance_size = sizeof(struct dx_action),
	.free = action_free,
};

const OSDriverClass OSActionClass = {
	.name = "OSAction", .super = &OSObjectClass, .reserved = {&dx_action_class}};

static void aborted_run(struct dx_item *item, bool cancelled)
{
	struct dx_action *action = dx_container_of(item, struct dx_action, aborted_item);

	action->aborted_queued = false; /* from here on another end is told anew */
	dx_mutex_lock(&action->lock);
	bool call = !cancelled && !action->cancelled && action->uses == 0;
	OSActionAbortedHandler handler = action->aborted;
	void *context = action->aborted_context;
	dx_mutex_unlock(&action->lock);
	if (call && handler != NULL) {
		handler(context);
	}
	(void)dx_object_unref(action);
}

/* Services have queues; another object gets one of the driver that makes the action. */
static kern_return_t make_own_queue(const OSObject *target, struct dx_queue **ret_queue)
{
	struct dx_runtime *runtime = dx_runtime_here();

	if (dx_object_is_kind(target, &dx_service_class)) {
		return kIOReturnSuccess;
	}
	if (runtime == NULL) {
		return kIOReturnNotReady;
	}
	*ret_queue = dx_queue_new(runtime, runtime->reactor);
	return *ret_queue == NULL ? kIOReturnNoMemory : kIOReturnSuccess;
}

kern_return_t dx_action_new(enum dx_action_kind kind, OSObject *target, void (*handler)(void),
			    size_t reference_size, OSAction **ret_action)
{
	if (handler == NULL || ret_action == NULL || reference_size > MAX_REFERENCE_SIZE ||
	    target == NULL) {
		return kIOReturnBadArgument;
	}
	struct dx_queue *queue = NULL;
	kern_return_t status = make_own_queue(target, &queue);
	if (status != kIOReturnSuccess) {
		return status;
	}
	struct dx_action *action = dx_object_new_extra(&dx_action_class, 16 + reference_size);
	if (action == NULL) {
		(void)dx_object_unref(queue);
		return kIOReturnNoMemory;
	}
	dx_mutex_init(&action->lock);
	action->own_queue = queue;
	action->aborted_item.run = aborted_run;
	action->kind = kind;
	action->handler = handler;
	action->reference_size = reference_size;
	action->target = dx_object_ref(target);
	*ret_action = (OSAction *)action;
	return kIOReturnSuccess;
}

struct dx_action *dx_action_new_completion(struct dx_user_client *client, uint64_t tag)
{
	struct dx_action *action = dx_object_new(&dx_action_class);

	if (action != NULL) {
		dx_mutex_init(&action->lock);
		action->kind = DX_ACTION_COMPLETION;
		action->connection = dx_object_ref(client->connection);
		action->client_queue = dx_service_ref_queue(&client->service, NULL);
		action->tag = tag;
	}
	return action;
}

static struct dx_action *any_action(const OSAction *action)
{
	return dx_object_is_kind(action, &dx_action_class)
		       ? (struct dx_action *)(uintptr_t)action
		       : NULL;
}

struct dx_action *dx_action_of(const OSAction *action, enum dx_action_kind kind)
{
	struct dx_action *core = any_action(action);

	return core != NULL && core->kind == kind ? core : NULL;
}

void *OSActionGetReference(OSAction *action)
{
	struct dx_action *core = any_action(action);

	if (core == NULL || core->reference_size == 0) {
		return NULL;
	}
	return (char *)core + REFERENCE_OFFSET;
}

kern_return_t OSActionSetQueueName(OSAction *action, const char *name)
{
	struct dx_action *core = any_action(action);

	if (core == NULL || name == NULL) {
		return kIOReturnBadArgument;
	}
	dx_mutex_lock(&core->lock);
	bool known = dx_object_is_kind(core->target, &dx_service_class) &&
		     dx_service_knows_queue((struct dx_service *)core->target, name);
	char *copy = known ? strdup(name) : NULL;
	if (copy != NULL) {
		free(core->queue_name);
		core->queue_name = copy;
	}
	dx_mutex_unlock(&core->lock);
	if (!known) {
		return kIOReturnBadArgument;
	}
	return copy == NULL ? kIOReturnNoMemory : kIOReturnSuccess;
}

/* The handler's queue, counted; NULL once cancelled and for completions. */
static struct dx_queue *ref_queue_locked(struct dx_action *action) DX_REQUIRES(action->lock)
{
	if (action->target == NULL || action->own_queue != NULL) {
		return action->target == NULL ? NULL : dx_object_ref(action->own_queue);
	}
	return dx_service_ref_queue((struct dx_service *)action->target, action->queue_name);
}

static struct dx_queue *ref_queue(struct dx_action *action)
{
	dx_mutex_lock(&action->lock);
	struct dx_queue *queue = ref_queue_locked(action);
	dx_mutex_unlock(&action->lock);
	return queue;
}

/* ---- firing ---- */

static void wake_waiter_locked(struct dx_action *action, bool aborted) DX_REQUIRES(action->lock)
{
	struct OSActionWaitToken *token = action->token;

	if (token != NULL) {
		dx_mutex_lock(&token->lock);
		token->fired |= !aborted;
		token->aborted |= aborted;
		dx_cond_broadcast(&token->cond);
		dx_mutex_unlock(&token->lock);
	}
}

void dx_action_fire(struct dx_action *action, struct dx_item *item)
{
	dx_mutex_lock(&action->lock);
	struct dx_queue *queue = ref_queue_locked(action);
	if (queue != NULL) {
		wake_waiter_locked(action, false);
	}
	dx_mutex_unlock(&action->lock);
	if (queue == NULL) {
		item->run(item, true);
		return;
	}
	item->concurrent = queue->methods_concurrent;
	dx_queue_push(queue, item);
	(void)dx_object_unref(queue);
}

void *dx_action_begin(struct dx_action *action, bool cancelled, struct dx_service_entry *entry,
		      const char *method)
{
	dx_mutex_lock(&action->lock);
	struct dx_object *target =
		cancelled || action->cancelled ? NULL : dx_object_ref(action->target);
	dx_mutex_unlock(&action->lock);
	if (target != NULL) {
		dx_object_entry_begin(target,
				      action->own_queue == NULL ? NULL : action->own_queue->runtime,
				      method, entry);
	}
	return target;
}

void dx_action_end(void *target, const struct dx_service_entry *entry)
{
	dx_service_entry_end(entry);
	(void)dx_object_unref(target);
}

/* ---- what the runtime still holds it for ---- */

void dx_action_use(struct dx_action *action)
{
	(void)dx_object_ref(action);
	atomic_fetch_add_explicit(&action->uses, 1, memory_order_relaxed);
}

void dx_action_unuse(struct dx_action *action)
{
	/* Release and acquire: what the other users did comes before the handler. */
	bool last = atomic_fetch_sub_explicit(&action->uses, 1, memory_order_acq_rel) == 1;
	bool tell = last && action->has_aborted && !action->cancelled; /* asked again when run */
	struct dx_queue *queue = tell ? ref_queue(action) : NULL;
	if (queue != NULL && !atomic_exchange(&action->aborted_queued, true)) {
		(void)dx_object_ref(action);
		dx_queue_push(queue, &action->aborted_item);
	}
	(void)dx_object_unref(queue);
	(void)dx_object_unref(action);
}

kern_return_t OSActionSetAbortedHandler(OSAction *action, OSActionAbortedHandler handler,
					void *context)
{
	struct dx_action *core = any_action(action);

	if (core == NULL) {
		return kIOReturnBadArgument;
	}
	dx_mutex_lock(&core->lock);
	core->aborted = handler;
	core->aborted_context = context;
	core->has_aborted = handler != NULL;
	dx_mutex_unlock(&core->lock);
	return kIOReturnSuccess;
}

/* ---- cancelling ---- */

kern_return_t OSActionCancel(OSAction *action, OSActionCancelHandler handler, void *context)
{
	struct dx_action *core = any_action(action);

	if (core == NULL) {
		return kIOReturnBadArgument;
	}
	struct dx_queue *queue = ref_queue(core);
	dx_mutex_lock(&core->lock);
	struct dx_object *target = core->target;
	core->target = NULL;
	core->cancelled = true;
	wake_waiter_locked(core, true);
	dx_mutex_unlock(&core->lock);
	if (queue == NULL) {
		queue = dx_object_ref(core->client_queue);
	}
	/* The queue is serial: what comes now comes after the handler that may be running. */
	struct dx_item *item =
		queue == NULL ? NULL : dx_item_new_call(handler, context, true, target);
	if (item != NULL) {
		dx_queue_push(queue, item);
	} else if (handler != NULL) {
		handler(context); /* cancelled before, or no memory */
	}
	(void)dx_object_unref(target);
	(void)dx_object_unref(queue);
	return kIOReturnSuccess;
}

/* ---- waiting ---- */

kern_return_t OSActionWillWait(OSAction *action, OSActionWaitToken **token)
{
	struct dx_action *core = any_action(action);

	if (core == NULL || token == NULL) {
		return kIOReturnBadArgument;
	}
	struct OSActionWaitToken *made = calloc(1, sizeof(*made));
	if (made == NULL) {
		return kIOReturnNoMemory;
	}
	dx_mutex_init(&made->lock);
	dx_cond_init(&made->cond);
	dx_mutex_lock(&core->lock);
	bool busy = core->token != NULL;
	bool cancelled = core->cancelled;
	if (!busy && !cancelled) {
		core->token = made;
	}
	dx_mutex_unlock(&core->lock);
	if (busy || cancelled) {
		free(made);
		return busy ? kIOReturnBusy : kIOReturnAborted;
	}
	*token = made;
	return kIOReturnSuccess;
}

static kern_return_t token_status_locked(const struct OSActionWaitToken *token)
	DX_REQUIRES(token->lock)
{
	if (token->fired) {
		return kIOReturnSuccess;
	}
	return token->aborted ? kIOReturnAborted : kIOReturnTimeout;
}

kern_return_t OSActionWait(OSAction *action, OSActionWaitToken *token, uint64_t options,
			   uint64_t deadline)
{
	uint64_t deadline_ns = 0;
	int result = 0;

	if (any_action(action) == NULL || token == NULL ||
	    (options != 0 && !dx_clock_to_monotonic(options, deadline, &deadline_ns))) {
		return kIOReturnBadArgument;
	}
	dx_reactor_blocking_begin();
	dx_mutex_lock(&token->lock);
	while (!token->fired && !token->aborted && result == 0) {
		if (deadline_ns == 0) {
			dx_cond_wait(&token->cond, &token->lock);
		} else {
			result = dx_cond_wait_until(&token->cond, &token->lock, deadline_ns);
		}
	}
	kern_return_t status = token_status_locked(token);
	dx_mutex_unlock(&token->lock);
	dx_reactor_blocking_end();
	return status;
}

kern_return_t OSActionEndWait(OSAction *action, OSActionWaitToken *token)
{
	struct dx_action *core = any_action(action);

	if (core == NULL || token == NULL) {
		return kIOReturnBadArgument;
	}
	dx_mutex_lock(&core->lock);
	bool mine = core->token == token;
	if (mine) {
		core->token = NULL;
	}
	dx_mutex_unlock(&core->lock);
	if (!mine) {
		return kIOReturnBadArgument;
	}
	dx_mutex_lock(&token->lock);
	kern_return_t status = token_status_locked(token);
	dx_mutex_unlock(&token->lock);
	dx_cond_fini(&token->cond);
	dx_mutex_fini(&token->lock);
	free(token);
	return status;
}
