/* SPDX-License-Identifier: MIT
 *
 * lifecycle - Start, Stop and termination of services.
 *
 * Place:      driver, over service.
 *
 *   NEW --start--> STARTING --ok--> STARTED --terminate--> STOPPING --super Stop--> STOPPED
 *                     \--error--> STOPPED (no Stop)
 *
 * A termination first ends the children; the last of them to stop lets the parent's Stop be queued.
 * Stop goes to the object's own queue first, where Start ran, and from there to the queue that the
 * driver has set as default: so Stop never overtakes Start.
 */
#include <errno.h>
#include <stdlib.h>

#include "driver/item.h"
#include "driver/reactor.h"
#include "driver/service.h"
#include "driver/user_client.h"

/* ---- the runtime's list and the broker's registry ---- */

void dx_service_attach(struct dx_service *service)
{
	struct dx_runtime *runtime = service->runtime;

	dx_mutex_lock(&runtime->lock);
	if (!service->attached) {
		service->attached = true;
		(void)dx_object_ref(service);
		dx_list_push_back(&runtime->services, &service->runtime_link);
	}
	dx_mutex_unlock(&runtime->lock);
}

void dx_service_detach(struct dx_service *service)
{
	struct dx_runtime *runtime = service->runtime;

	dx_mutex_lock(&runtime->lock);
	bool was_attached = service->attached;
	bool was_entered = service->entered;
	service->attached = false;
	service->entered = false;
	if (was_attached) {
		dx_list_remove(&service->runtime_link);
	}
	dx_mutex_unlock(&runtime->lock);
	if (was_entered) {
		runtime->ops->entry_removed(runtime->ops_context, service->id);
	}
	if (was_attached) {
		(void)dx_object_unref(service);
	}
}

void dx_service_enter(struct dx_service *service)
{
	struct dx_runtime *runtime = service->runtime;
	uint64_t parent_id = service->provider == NULL ? 0 : service->provider->id;

	dx_mutex_lock(&runtime->lock);
	bool first = !service->entered;
	service->entered = true;
	dx_mutex_unlock(&runtime->lock);
	if (first) {
		runtime->ops->entry_added(runtime->ops_context, service->id, parent_id,
					  service->kernel_class, service->name,
					  service->properties);
	}
}

/* ---- Start ---- */

static void registration_follows(struct dx_service *service)
{
	dx_mutex_lock(&service->lock);
	bool wanted = service->register_wanted;
	service->register_wanted = false;
	dx_mutex_unlock(&service->lock);
	if (wanted) {
		service->runtime->ops->registered(service->runtime->ops_context, service->id);
	}
}

kern_return_t dx_service_run_start(struct dx_service *service)
{
	dx_mutex_lock(&service->lock);
	bool may_start = service->state == DX_SERVICE_NEW && !service->terminating;
	service->state = may_start ? DX_SERVICE_STARTING : service->state;
	dx_mutex_unlock(&service->lock);
	if (!may_start) {
		return kIOReturnNotReady;
	}
	struct dx_service_entry entry;
	dx_service_entry_begin(service, "Start", &entry);
	kern_return_t status = DX_METHOD(service->driver_class, Start)(
		IO_SERVICE(service), IO_SERVICE(service->provider));
	dx_service_entry_end(&entry);
	dx_mutex_lock(&service->lock);
	service->state = status == kIOReturnSuccess ? DX_SERVICE_STARTED : DX_SERVICE_STOPPED;
	dx_mutex_unlock(&service->lock);
	if (status == kIOReturnSuccess) {
		registration_follows(service);
	} else if (service->provider != NULL && service->provider->close_client != NULL) {
		service->provider->close_client(service->provider, service);
	}
	return status;
}

struct start_item {
	struct dx_item item;
	struct dx_service *service; /* counted */
	dx_runtime_done_fn done;
	void *context;
};

static void finish(struct dx_service *service);

void dx_service_start_failed(struct dx_service *service)
{
	dx_mutex_lock(&service->lock);
	service->state = DX_SERVICE_STOPPED;
	dx_mutex_unlock(&service->lock);
	finish(service);
}

static void start_run(struct dx_item *item, bool cancelled)
{
	struct start_item *start = dx_container_of(item, struct start_item, item);
	struct dx_service *service = start->service;
	kern_return_t status = cancelled ? kIOReturnAborted : dx_service_run_start(service);

	if (status != kIOReturnSuccess) {
		dx_service_start_failed(service);
	}
	if (start->done != NULL) {
		start->done(start->context, status, service->id);
	}
	(void)dx_object_unref(service);
	free(start);
}

int dx_service_start(struct dx_service *service, dx_runtime_done_fn done, void *context)
{
	struct start_item *start = calloc(1, sizeof(*start));

	if (start == NULL) {
		return -ENOMEM;
	}
	start->item.run = start_run;
	start->service = dx_object_ref(service);
	start->done = done;
	start->context = context;
	dx_queue_push(service->own_queue, &start->item);
	return 0;
}

/* ---- the end ---- */

static void push_stop(struct dx_service *service);

/* A child has stopped; the parent's turn may have come. */
static void child_done(struct dx_service *parent)
{
	dx_mutex_lock(&parent->lock);
	bool last = parent->nr_children_left > 0 && --parent->nr_children_left == 0;
	dx_mutex_unlock(&parent->lock);
	if (last) {
		push_stop(parent);
	}
}

static void child_done_later(void *context, IOReturn status, uint64_t id)
{
	struct dx_service *parent = context;

	(void)status;
	(void)id;
	child_done(parent);
	(void)dx_object_unref(parent);
}

/* The service has stopped: everybody who waits hears of it, the list lets go. */
static void finish(struct dx_service *service)
{
	struct dx_list waiters = DX_LIST_INIT(waiters);

	(void)dx_object_ref(service);
	if (dx_object_is_kind(service, &dx_user_client_class)) {
		dx_user_client_disconnect((struct dx_user_client *)service);
	}
	dx_service_detach(service);
	dx_mutex_lock(&service->lock);
	dx_list_splice_back(&waiters, &service->waiters);
	dx_mutex_unlock(&service->lock);
	for (struct dx_list *node = dx_list_pop_front(&waiters); node != NULL;
	     node = dx_list_pop_front(&waiters)) {
		struct dx_service_waiter *waiter =
			dx_list_entry(node, struct dx_service_waiter, link);
		waiter->done(waiter->context, kIOReturnSuccess, service->id);
		free(waiter);
	}
	(void)dx_object_unref(service);
}

void dx_service_stopped(struct dx_service *service)
{
	dx_mutex_lock(&service->lock);
	bool first = service->state == DX_SERVICE_STOPPING;
	if (first) {
		service->state = DX_SERVICE_STOPPED;
	}
	dx_mutex_unlock(&service->lock);
	if (!first) {
		return;
	}
	if (service->provider != NULL && service->provider->close_client != NULL) {
		dx_reactor_blocking_begin();
		service->provider->close_client(service->provider, service);
		dx_reactor_blocking_end();
	}
	finish(service);
}

static void stop_now(struct dx_service *service)
{
	dx_mutex_lock(&service->lock);
	bool started = service->state == DX_SERVICE_STARTED;
	bool ended = service->state == DX_SERVICE_STOPPED || service->state == DX_SERVICE_STOPPING;
	service->state = started ? DX_SERVICE_STOPPING
				 : (ended ? service->state : DX_SERVICE_STOPPED);
	dx_mutex_unlock(&service->lock);
	if (ended) {
		return;
	}
	if (!started) {
		finish(service); /* never started: no Stop */
		return;
	}
	struct dx_service_entry entry;
	dx_service_entry_begin(service, "Stop", &entry);
	kern_return_t status = DX_METHOD(service->driver_class, Stop)(
		IO_SERVICE(service), IO_SERVICE(service->provider));
	dx_service_entry_end(&entry);
	if (status != kIOReturnSuccess) {
		dx_service_stopped(service); /* an error counts as stopped */
	}
}

static void stop_run(struct dx_item *item, bool cancelled)
{
	struct dx_service *service = dx_item_object(item);

	(void)cancelled; /* a queue that the driver cancelled must not keep it alive */
	stop_now(service);
	dx_item_free(item);
}

/* On the queue where Start ran. */
static void stop_hop(struct dx_item *item, bool cancelled)
{
	struct dx_service *service = dx_item_object(item);
	struct dx_queue *queue = dx_service_ref_queue(service, NULL);

	(void)cancelled;
	if (queue == service->own_queue) {
		stop_now(service);
		dx_item_free(item);
	} else {
		item->run = stop_run;
		dx_queue_push(queue, item);
	}
	(void)dx_object_unref(queue);
}

static void push_stop(struct dx_service *service)
{
	struct dx_item *item = dx_item_new(stop_hop, service);

	if (item == NULL) {
		stop_now(service); /* without memory, at once */
		return;
	}
	dx_queue_push(service->own_queue, item);
}

struct children {
	struct dx_service *parent;
	struct dx_service **found; /* counted */
	size_t nr_found;
	int result;
};

static void collect_child(void *context, struct dx_service *service)
{
	struct children *children = context;

	if (service->provider != children->parent || children->result < 0) {
		return;
	}
	struct dx_service **found =
		realloc(children->found, (children->nr_found + 1) * sizeof(*found));
	if (found == NULL) {
		children->result = -ENOMEM;
		return;
	}
	children->found = found;
	found[children->nr_found++] = dx_object_ref(service);
}

static void terminate_children(struct dx_service *service, const struct children *children)
{
	/* One more than there are, so that the last one to stop is never counted too early. */
	dx_mutex_lock(&service->lock);
	service->nr_children_left = (uint32_t)children->nr_found + 1;
	dx_mutex_unlock(&service->lock);
	for (size_t i = 0; i < children->nr_found; i++) {
		if (dx_service_terminate(children->found[i], child_done_later,
					 dx_object_ref(service)) < 0) {
			child_done_later(service, kIOReturnNoMemory, 0);
		}
		(void)dx_object_unref(children->found[i]);
	}
	child_done(service);
}

/* @return true when the caller is the first to terminate. */
static bool begin_termination(struct dx_service *service, struct dx_service_waiter *waiter,
			      bool *ret_ended)
{
	dx_mutex_lock(&service->lock);
	bool first = !service->terminating;
	service->terminating = true;
	*ret_ended = service->state == DX_SERVICE_STOPPED;
	if (!*ret_ended && waiter != NULL) {
		dx_list_push_back(&service->waiters, &waiter->link);
	}
	dx_mutex_unlock(&service->lock);
	return first;
}

int dx_service_terminate(struct dx_service *service, dx_runtime_done_fn done, void *context)
{
	struct dx_service_waiter *waiter = NULL;
	struct children children = {.parent = service};
	bool ended = false;

	if (done != NULL) {
		waiter = calloc(1, sizeof(*waiter));
		if (waiter == NULL) {
			return -ENOMEM;
		}
		waiter->done = done;
		waiter->context = context;
	}
	bool first = begin_termination(service, waiter, &ended);
	if (ended) {
		free(waiter);
		if (done != NULL) {
			done(context, kIOReturnSuccess, service->id);
		}
		return 0;
	}
	if (!first) {
		return 0;
	}
	if (dx_object_is_kind(service, &dx_user_client_class)) {
		dx_user_client_terminating((struct dx_user_client *)service);
		push_stop(service); /* user clients have no children of the runtime's making */
		return 0;
	}
	dx_runtime_each(service->runtime, collect_child, &children);
	terminate_children(service, &children);
	free(children.found);
	return 0;
}

void dx_service_follow_parent(struct dx_service *service)
{
	struct dx_service *parent = service->provider;

	if (parent == NULL || parent->driver_class == NULL) {
		return;
	}
	dx_mutex_lock(&parent->lock);
	bool is_late = parent->terminating || parent->state == DX_SERVICE_STOPPED;
	dx_mutex_unlock(&parent->lock);
	if (is_late) {
		(void)dx_service_terminate(service, NULL, NULL); /* allocates nothing */
	}
}
