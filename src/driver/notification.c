/* SPDX-License-Identifier: MIT
 *
 * notification - IOServiceNotificationDispatchSource: services that the broker tells of.
 *
 * Place:      driver, over event. The host hands in what the broker says, by cookie.
 * Invariants:
 *   SN1  a service is delivered as matched at most once, and as terminated only after that.
 *   SN2  what a new broker does not tell again has ended while there was none.
 *   SN3  ready is set from the first thing to deliver until the driver comes for it.
 */
#include <stdlib.h>

#include "base/limits.h"
#include "driver/event.h"
#include "driver/item.h"
#include "driver/service.h"

enum progress {
	MATCHED,   /* to be delivered as such */
	DELIVERED,
	TERMINATED, /* to be delivered as such */
};

struct known {
	struct dx_list link;
	struct dx_service *service; /* counted */
	uint64_t id;
	enum progress progress;
	bool seen; /* by the broker that there is now */
};

struct notification {
	struct dx_event_source event; /* first */
	uint64_t cookie;
	struct dx_dict *matching;
	struct dx_mutex lock; /* order 21; guards what follows */
	struct dx_list services DX_GUARDED_BY(lock);
	bool ready DX_GUARDED_BY(lock);
	bool watching DX_GUARDED_BY(lock); /* the broker was asked */
};

/* ---- what is known ---- */

static void known_free(struct known *known)
{
	dx_list_remove(&known->link);
	(void)dx_object_unref(known->service);
	free(known);
}

static void drop_services(struct notification *source)
{
	struct dx_list all = DX_LIST_INIT(all);

	dx_mutex_lock(&source->lock);
	dx_list_splice_back(&all, &source->services);
	dx_mutex_unlock(&source->lock);
	dx_list_for_each_safe (node, &all) {
		known_free(dx_list_entry(node, struct known, link));
	}
}

static void end_watch(struct notification *source)
{
	struct dx_runtime *runtime = source->event.runtime;

	dx_mutex_lock(&source->lock);
	bool was_watching = source->watching;
	source->watching = false;
	dx_mutex_unlock(&source->lock);
	if (was_watching) {
		dx_mutex_lock(&runtime->lock);
		runtime->nr_watches--;
		dx_mutex_unlock(&runtime->lock);
		runtime->ops->watch_ended(runtime->ops_context, source->cookie);
	}
}

static void notification_free(struct dx_object *object)
{
	struct notification *source = (struct notification *)object;

	if (source->event.runtime != NULL) {
		end_watch(source);
	}
	drop_services(source);
	dx_event_fini(&source->event);
	(void)dx_object_unref(source->matching);
	dx_mutex_fini(&source->lock);
}

static const struct dx_class notification_class = {
	.name = "IOServiceNotificationDispatchSource",
	.instance_size = sizeof(struct notification),
	.free = notification_free,
};

const OSDriverClass IOServiceNotificationDispatchSourceClass = {
	.name = "IOServiceNotificationDispatchSource",
	.super = &OSObjectClass,
	.reserved = {&notification_class}};

static struct notification *source_of(const IOServiceNotificationDispatchSource *source)
{
	return dx_object_is_kind(source, &notification_class)
		       ? (struct notification *)(uintptr_t)source
		       : NULL;
}

static struct dx_event_source *event_of(const IOServiceNotificationDispatchSource *source)
{
	struct notification *core = source_of(source);

	return core == NULL ? NULL : &core->event;
}

static struct known *find_locked(struct notification *source, uint64_t id)
	DX_REQUIRES(source->lock)
{
	dx_list_for_each (node, &source->services) {
		struct known *known = dx_list_entry(node, struct known, link);
		if (known->id == id) {
			return known;
		}
	}
	return NULL;
}

/* SN3: true when the driver has to be told that it should come. */
static bool becomes_ready_locked(struct notification *source) DX_REQUIRES(source->lock)
{
	bool first = !source->ready;

	source->ready = true;
	return first;
}

static void tell_ready(struct notification *source)
{
	static const struct dx_event nothing = {0};

	dx_event_fire(&source->event, &nothing);
}

/* ---- what the broker says ---- */

/* The last reference on an object of the driver's is not given back in the thread that hears the
 * broker: what frees it is driver code. */
static void give_back(struct dx_runtime *runtime, const void *object)
{
	struct dx_item *item = object == NULL ? NULL : dx_item_new_call(NULL, NULL, false, object);

	if (item != NULL) {
		dx_queue_push(runtime->reaper, item);
	}
	(void)dx_object_unref(object);
}

static void free_gone(struct dx_runtime *runtime, struct dx_list *gone)
{
	dx_list_for_each_safe (node, gone) {
		struct known *known = dx_list_entry(node, struct known, link);
		give_back(runtime, dx_object_ref(known->service));
		known_free(known);
	}
}

/* Counted, or NULL. */
static struct notification *find_source(struct dx_runtime *runtime, uint64_t cookie)
{
	struct notification *found = NULL;

	dx_mutex_lock(&runtime->lock);
	dx_list_for_each (node, &runtime->notifications) {
		struct notification *source =
			(struct notification *)dx_list_entry(node, struct dx_event_source,
							     runtime_link);
		if (source->cookie == cookie && dx_event_try_ref(&source->event)) {
			found = source;
			break;
		}
	}
	dx_mutex_unlock(&runtime->lock);
	return found;
}

/* The driver's own object, or one that stands for it. +1; NULL without memory. */
static struct dx_service *service_for(struct dx_runtime *runtime,
				      const struct dx_runtime_match *match)
{
	struct dx_service *service = dx_runtime_find(runtime, match->id);

	if (service != NULL) {
		return service;
	}
	service = dx_object_new(&dx_service_class);
	if (service != NULL && dx_service_setup(service, runtime, match->id, match->class_name,
						match->name, match->properties) < 0) {
		service = dx_object_unref(service);
	}
	return service;
}

static bool is_known(struct notification *source, uint64_t id)
{
	dx_mutex_lock(&source->lock);
	struct known *known = find_locked(source, id);
	if (known != NULL) {
		known->seen = true;
	}
	dx_mutex_unlock(&source->lock);
	return known != NULL;
}

static void add_service(struct notification *source, const struct dx_runtime_match *match)
{
	struct known *known = calloc(1, sizeof(*known));

	if (known == NULL) {
		return;
	}
	dx_list_init(&known->link);
	known->service = service_for(source->event.runtime, match);
	if (known->service == NULL) {
		known_free(known);
		return;
	}
	known->id = match->id;
	known->progress = MATCHED;
	known->seen = true;
	dx_mutex_lock(&source->lock);
	dx_list_push_back(&source->services, &known->link);
	bool tell = becomes_ready_locked(source);
	dx_mutex_unlock(&source->lock);
	if (tell) {
		tell_ready(source);
	}
}

void dx_runtime_service_matched(struct dx_runtime *runtime, uint64_t cookie,
				const struct dx_runtime_match *match)
{
	struct notification *source = find_source(runtime, cookie);

	/* One thread hears the broker: nobody adds the same one in between. */
	if (source != NULL && !dx_event_is_cancelled(&source->event) &&
	    !is_known(source, match->id)) {
		add_service(source, match);
	}
	give_back(runtime, source);
}

/* What nobody was told of is forgotten, into gone. @return true when there is something to deliver. */
static bool terminate_locked(struct known *known, struct dx_list *gone)
{
	if (known->progress == MATCHED) {
		dx_list_remove(&known->link);
		dx_list_push_back(gone, &known->link);
		return false;
	}
	known->progress = TERMINATED;
	return true;
}

void dx_runtime_service_terminated(struct dx_runtime *runtime, uint64_t cookie, uint64_t id)
{
	struct notification *source = find_source(runtime, cookie);
	struct dx_list gone = DX_LIST_INIT(gone);

	if (source == NULL) {
		return;
	}
	dx_mutex_lock(&source->lock);
	struct known *known = find_locked(source, id);
	bool tell = known != NULL && terminate_locked(known, &gone) && becomes_ready_locked(source);
	dx_mutex_unlock(&source->lock);
	if (tell) {
		tell_ready(source);
	}
	free_gone(runtime, &gone);
	give_back(runtime, source);
}

void dx_runtime_services_told(struct dx_runtime *runtime, uint64_t cookie)
{
	struct notification *source = find_source(runtime, cookie);
	struct dx_list gone = DX_LIST_INIT(gone);
	bool any = false;

	if (source == NULL) {
		return;
	}
	dx_mutex_lock(&source->lock);
	dx_list_for_each_safe (node, &source->services) {
		struct known *known = dx_list_entry(node, struct known, link);
		if (!known->seen && terminate_locked(known, &gone)) {
			any = true; /* SN2 */
		}
	}
	bool tell = any && becomes_ready_locked(source);
	dx_mutex_unlock(&source->lock);
	if (tell) {
		tell_ready(source);
	}
	free_gone(runtime, &gone);
	give_back(runtime, source);
}

void dx_runtime_services_again(struct dx_runtime *runtime)
{
	dx_mutex_lock(&runtime->lock);
	dx_list_for_each (node, &runtime->notifications) {
		struct notification *source =
			(struct notification *)dx_list_entry(node, struct dx_event_source,
							     runtime_link);
		dx_mutex_lock(&source->lock);
		dx_list_for_each (at, &source->services) {
			dx_list_entry(at, struct known, link)->seen = false;
		}
		dx_mutex_unlock(&source->lock);
	}
	dx_mutex_unlock(&runtime->lock);
}

/* ---- what drivers ask for ---- */

kern_return_t IOServiceNotificationDispatchSourceCreateActionServiceNotificationReady(
	OSObject *target, IOServiceNotificationReadyHandler handler, size_t referenceSize,
	OSAction **action)
{
	return dx_action_new(DX_ACTION_SERVICES, target, (void (*)(void))handler, referenceSize,
			     action);
}

static bool begin_watch(struct notification *source)
{
	struct dx_runtime *runtime = source->event.runtime;

	dx_mutex_lock(&runtime->lock);
	bool fits = runtime->nr_watches < DX_MAX_WATCHES_PER_CLIENT;
	if (fits) {
		runtime->nr_watches++;
		source->cookie = ++runtime->last_watch;
	}
	dx_mutex_unlock(&runtime->lock);
	if (!fits) {
		return false;
	}
	dx_event_list(&source->event, &runtime->notifications);
	dx_mutex_lock(&source->lock);
	source->watching = true;
	dx_mutex_unlock(&source->lock);
	runtime->ops->watch_wanted(runtime->ops_context, source->cookie, source->matching);
	return true;
}

static kern_return_t set_up(struct notification *source, const OSDictionary *matching,
			    IODispatchQueue *queue)
{
	dx_mutex_init(&source->lock);
	dx_list_init(&source->services);
	kern_return_t status = dx_event_setup(&source->event, queue, DX_ACTION_SERVICES,
					      "ServiceNotificationReady");
	source->event.enabled = true;
	source->matching = dx_value_copy_deep(matching);
	if (status == kIOReturnSuccess && source->matching == NULL) {
		status = kIOReturnNoMemory;
	}
	if (status == kIOReturnSuccess && !begin_watch(source)) {
		status = kIOReturnNoResources;
	}
	return status;
}

kern_return_t IOServiceNotificationDispatchSourceCreate(OSDictionary *matching, uint64_t options,
							IODispatchQueue *queue,
							IOServiceNotificationDispatchSource **source)
{
	if (!dx_object_is_kind(matching, &dx_dict_class) || options != 0 ||
	    !dx_object_is_kind(queue, &dx_queue_class) || source == NULL) {
		return kIOReturnBadArgument;
	}
	struct notification *made = dx_object_new(&notification_class);
	if (made == NULL) {
		return kIOReturnNoMemory;
	}
	kern_return_t status = set_up(made, matching, queue);
	if (status != kIOReturnSuccess) {
		(void)dx_object_unref(made);
		return status;
	}
	*source = (IOServiceNotificationDispatchSource *)made;
	return kIOReturnSuccess;
}

kern_return_t
IOServiceNotificationDispatchSourceSetHandler(IOServiceNotificationDispatchSource *source,
					      OSAction *action)
{
	struct notification *core = source_of(source);

	if (core != NULL) {
		dx_mutex_lock(&core->lock);
		bool ready = core->ready; /* told to an earlier handler, perhaps */
		dx_mutex_unlock(&core->lock);
		if (ready) {
			dx_event_set_due(&core->event);
		}
	}
	return dx_event_set_handler(event_of(source), action);
}

kern_return_t IOServiceNotificationDispatchSourceSetEnableWithCompletion(
	IOServiceNotificationDispatchSource *source, bool enable,
	IODispatchSourceCancelHandler handler, void *context)
{
	return dx_event_set_enable(event_of(source), enable, handler, context);
}

kern_return_t
IOServiceNotificationDispatchSourceCancel(IOServiceNotificationDispatchSource *source,
					  IODispatchSourceCancelHandler handler, void *context)
{
	struct notification *core = source_of(source);
	kern_return_t status = dx_event_cancel(event_of(source), handler, context);

	if (core != NULL) {
		end_watch(core);
		drop_services(core);
	}
	return status;
}

/* The next thing to deliver, with a reference on its service; false when there is nothing more. */
static bool take_next(struct notification *source, uint64_t *ret_type,
		      struct dx_service **ret_service)
{
	struct known *next = NULL;

	dx_mutex_lock(&source->lock);
	dx_list_for_each (node, &source->services) {
		struct known *known = dx_list_entry(node, struct known, link);
		if (known->progress == TERMINATED) {
			next = known;
			break; /* before those that have come */
		}
		if (known->progress == MATCHED && next == NULL) {
			next = known;
		}
	}
	if (next != NULL) {
		bool ended = next->progress == TERMINATED;
		*ret_type = ended ? kIOServiceNotificationTypeTerminated
				  : kIOServiceNotificationTypeMatched;
		*ret_service = dx_object_ref(next->service);
		next->progress = DELIVERED;
		if (ended) {
			known_free(next); /* not its last reference */
		}
	} else {
		source->ready = false;
	}
	dx_mutex_unlock(&source->lock);
	return next != NULL;
}

kern_return_t
IOServiceNotificationDispatchSourceDeliverNotifications(IOServiceNotificationDispatchSource *source,
							void *context,
							IOServiceNotificationFunction function)
{
	struct notification *core = source_of(source);
	struct dx_service *service = NULL;
	uint64_t type = kIOServiceNotificationTypeNone;

	if (core == NULL || function == NULL) {
		return kIOReturnBadArgument;
	}
	(void)dx_object_ref(core);
	while (!dx_event_is_cancelled(&core->event) && take_next(core, &type, &service)) {
		function(context, type, IO_SERVICE(service), 0);
		(void)dx_object_unref(service);
	}
	bool cancelled = dx_event_is_cancelled(&core->event);
	(void)dx_object_unref(core);
	return cancelled ? kIOReturnAborted : kIOReturnSuccess;
}
