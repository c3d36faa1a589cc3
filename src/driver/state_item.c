/* SPDX-License-Identifier: MIT
 *
 * state_item - the service of state items, and IOServiceStateNotificationDispatchSource.
 *
 * Place:      driver, over event.
 * Invariants:
 *   SI1  a source is told once per StateNotificationBegin; a change without one is kept for the next.
 *   SI2  items live as long as the runtime; all of them are under its lock.
 */
#include "driver/state_item.h"

#include <stdlib.h>
#include <string.h>

#include "driver/event.h"
#include "driver/service.h"

#define MAX_ITEMS    1024u
#define SERVICE_NAME "IOServiceStateNotification"

struct state_item {
	struct dx_list link;
	char *name;
	struct dx_dict *schema; /* may be NULL */
	struct dx_dict *value;	/* NULL: not set yet */
};

struct dx_state_items {
	struct dx_service *service; /* counted */
	struct dx_list items;
	struct dx_list sources;
	unsigned nr_items;
};

struct state_source {
	struct dx_event_source event; /* first */
	struct dx_array *names;
	/* Under the runtime's lock: */
	bool armed;   /* Begin was called */
	bool changed; /* while it was not */
	bool firing;  /* to be told when the lock is free */
};

/* ---- the items of a process ---- */

static void item_free(struct state_item *item)
{
	if (item != NULL) {
		free(item->name);
		(void)dx_object_unref(item->schema);
		(void)dx_object_unref(item->value);
		free(item);
	}
}

void dx_state_items_free(struct dx_state_items *items)
{
	if (items == NULL) {
		return;
	}
	for (struct dx_list *node = dx_list_pop_front(&items->items); node != NULL;
	     node = dx_list_pop_front(&items->items)) {
		item_free(dx_list_entry(node, struct state_item, link));
	}
	(void)dx_object_unref(items->service);
	free(items);
}

static struct dx_state_items *items_new(struct dx_runtime *runtime)
{
	struct dx_state_items *items = calloc(1, sizeof(*items));
	uint64_t id = 0;

	if (items == NULL) {
		return NULL;
	}
	dx_list_init(&items->items);
	dx_list_init(&items->sources);
	items->service = dx_object_new(&dx_service_class);
	if (items->service == NULL || dx_runtime_take_id(runtime, &id) < 0 ||
	    dx_service_setup(items->service, runtime, id, SERVICE_NAME, SERVICE_NAME, NULL) < 0) {
		dx_state_items_free(items);
		return NULL;
	}
	return items;
}

/* Made when first asked for; NULL without memory. */
static struct dx_state_items *items_of(struct dx_runtime *runtime)
{
	struct dx_state_items *made = NULL;

	dx_mutex_lock(&runtime->lock);
	struct dx_state_items *items = runtime->state_items;
	dx_mutex_unlock(&runtime->lock);
	if (items != NULL) {
		return items;
	}
	made = items_new(runtime);
	dx_mutex_lock(&runtime->lock);
	if (runtime->state_items == NULL) {
		runtime->state_items = made;
		made = NULL;
	}
	items = runtime->state_items;
	dx_mutex_unlock(&runtime->lock);
	dx_state_items_free(made); /* somebody else was quicker */
	return items;
}

static struct state_item *find_locked(const struct dx_state_items *items, const char *name)
{
	dx_list_for_each (node, &items->items) {
		struct state_item *item = dx_list_entry(node, struct state_item, link);
		if (strcmp(item->name, name) == 0) {
			return item;
		}
	}
	return NULL;
}

static struct dx_service *service_of(const IOService *service)
{
	return dx_object_is_kind(service, &dx_service_class)
		       ? (struct dx_service *)(uintptr_t)service
		       : NULL;
}

kern_return_t IOServiceCopySystemStateNotificationService(IOService *service, IOService **state)
{
	struct dx_service *core = service_of(service);

	if (core == NULL || state == NULL) {
		return kIOReturnBadArgument;
	}
	struct dx_state_items *items = items_of(core->runtime);
	if (items == NULL) {
		return kIOReturnNoMemory;
	}
	*state = dx_object_ref(items->service);
	return kIOReturnSuccess;
}

/* The items if the service is the one that has them. */
static kern_return_t items_for(const IOService *state, const void *argument,
			       const struct dx_class *class, struct dx_state_items **ret_items)
{
	struct dx_service *core = service_of(state);

	if (core == NULL || !dx_object_is_kind(argument, class)) {
		return kIOReturnBadArgument;
	}
	dx_mutex_lock(&core->runtime->lock);
	struct dx_state_items *items = core->runtime->state_items;
	dx_mutex_unlock(&core->runtime->lock);
	if (items == NULL || items->service != core) {
		return kIOReturnUnsupported;
	}
	*ret_items = items;
	return kIOReturnSuccess;
}

/* ---- making, setting, reading ---- */

static struct state_item *item_new(const char *name, const OSDictionary *schema)
{
	struct state_item *item = calloc(1, sizeof(*item));

	if (item == NULL) {
		return NULL;
	}
	item->name = strdup(name);
	item->schema = schema == NULL ? NULL : dx_value_copy_deep(schema);
	if (item->name == NULL || (schema != NULL && item->schema == NULL)) {
		item_free(item);
		return NULL;
	}
	return item;
}

kern_return_t IOServiceStateNotificationItemCreate(IOService *state, OSString *itemName,
						   OSDictionary *schema)
{
	struct dx_state_items *items = NULL;
	kern_return_t status = items_for(state, itemName, &dx_string_class, &items);
	const char *name = status == kIOReturnSuccess ? dx_string_get((void *)itemName) : "";

	if (status != kIOReturnSuccess) {
		return status;
	}
	if (name[0] == '\0' || (schema != NULL && !dx_object_is_kind(schema, &dx_dict_class))) {
		return kIOReturnBadArgument;
	}
	struct state_item *item = item_new(name, schema);
	if (item == NULL) {
		return kIOReturnNoMemory;
	}
	struct dx_runtime *runtime = items->service->runtime;
	dx_mutex_lock(&runtime->lock);
	if (find_locked(items, name) != NULL) {
		status = kIOReturnExclusiveAccess;
	} else if (items->nr_items >= MAX_ITEMS) {
		status = kIOReturnNoResources;
	} else {
		dx_list_push_back(&items->items, &item->link);
		items->nr_items++;
		item = NULL;
	}
	dx_mutex_unlock(&runtime->lock);
	item_free(item);
	return status;
}

static bool is_about(const struct state_source *source, const char *name)
{
	for (size_t i = 0; i < dx_array_count(source->names); i++) {
		if (strcmp(dx_string_get(dx_array_get(source->names, i)), name) == 0) {
			return true;
		}
	}
	return false;
}

static void changed_locked(const struct dx_state_items *items, const char *name)
{
	dx_list_for_each (node, &items->sources) {
		struct state_source *source = (struct state_source *)dx_list_entry(
			node, struct dx_event_source, runtime_link);
		if (is_about(source, name)) {
			source->firing = source->firing || source->armed;
			source->changed = source->changed || !source->armed;
			source->armed = false;
		}
	}
}

/* One that is to be told, counted; NULL when there is none left. */
static struct state_source *take_firing(struct dx_runtime *runtime,
					const struct dx_state_items *items)
{
	struct state_source *found = NULL;

	dx_mutex_lock(&runtime->lock);
	dx_list_for_each (node, &items->sources) {
		struct state_source *source = (struct state_source *)dx_list_entry(
			node, struct dx_event_source, runtime_link);
		if (source->firing) {
			source->firing = false;
			found = dx_event_try_ref(&source->event) ? source : NULL;
		}
		if (found != NULL) {
			break;
		}
	}
	dx_mutex_unlock(&runtime->lock);
	return found;
}

static void tell_all(struct dx_runtime *runtime, const struct dx_state_items *items)
{
	static const struct dx_event nothing = {0};

	for (struct state_source *source = take_firing(runtime, items); source != NULL;
	     source = take_firing(runtime, items)) {
		dx_event_fire(&source->event, &nothing);
		(void)dx_object_unref(source);
	}
}

kern_return_t IOServiceStateNotificationItemSet(IOService *state, OSString *itemName,
						OSDictionary *value)
{
	struct dx_state_items *items = NULL;
	kern_return_t status = items_for(state, itemName, &dx_string_class, &items);

	if (status != kIOReturnSuccess || !dx_object_is_kind(value, &dx_dict_class)) {
		return status == kIOReturnSuccess ? kIOReturnBadArgument : status;
	}
	struct dx_dict *copy = dx_value_copy_deep(value);
	if (copy == NULL) {
		return kIOReturnNoMemory;
	}
	struct dx_runtime *runtime = items->service->runtime;
	dx_mutex_lock(&runtime->lock);
	struct state_item *item = find_locked(items, dx_string_get((void *)itemName));
	if (item == NULL) {
		status = kIOReturnNotFound;
	} else if (item->value == NULL || !dx_value_equal(item->value, copy)) {
		struct dx_dict *old = item->value;
		item->value = copy;
		copy = old;
		changed_locked(items, item->name);
	}
	dx_mutex_unlock(&runtime->lock);
	(void)dx_object_unref(copy);
	tell_all(runtime, items);
	return status;
}

kern_return_t IOServiceStateNotificationItemCopy(IOService *state, OSString *itemName,
						 OSDictionary **value)
{
	struct dx_state_items *items = NULL;
	kern_return_t status = items_for(state, itemName, &dx_string_class, &items);

	if (status != kIOReturnSuccess || value == NULL) {
		return status == kIOReturnSuccess ? kIOReturnBadArgument : status;
	}
	struct dx_runtime *runtime = items->service->runtime;
	dx_mutex_lock(&runtime->lock);
	const struct state_item *item = find_locked(items, dx_string_get((void *)itemName));
	struct dx_dict *found = item == NULL ? NULL : dx_object_ref(item->value);
	dx_mutex_unlock(&runtime->lock);
	if (found == NULL) {
		return item == NULL ? kIOReturnNotFound : kIOReturnNotReady;
	}
	void *copy = dx_value_copy_deep(found); /* values in use are never changed */
	(void)dx_object_unref(found);
	if (copy == NULL) {
		return kIOReturnNoMemory;
	}
	*value = copy;
	return kIOReturnSuccess;
}

/* ---- sources ---- */

static void state_source_free(struct dx_object *object)
{
	struct state_source *source = (struct state_source *)object;

	dx_event_fini(&source->event);
	(void)dx_object_unref(source->names);
}

static const struct dx_class state_source_class = {
	.name = "IOServiceStateNotificationDispatchSource",
	.instance_size = sizeof(struct state_source),
	.free = state_source_free,
};

const OSDriverClass IOServiceStateNotificationDispatchSourceClass = {
	.name = "IOServiceStateNotificationDispatchSource",
	.super = &OSObjectClass,
	.reserved = {&state_source_class}};

static struct dx_event_source *event_of(const IOServiceStateNotificationDispatchSource *source)
{
	return dx_object_is_kind(source, &state_source_class)
		       ? &((struct state_source *)(uintptr_t)source)->event
		       : NULL;
}

static bool are_names(const struct dx_array *items)
{
	for (size_t i = 0; i < dx_array_count(items); i++) {
		if (!dx_object_is_kind(dx_array_get(items, i), &dx_string_class)) {
			return false;
		}
	}
	return true;
}

kern_return_t IOServiceStateNotificationDispatchSourceCreateActionStateNotificationReady(
	OSObject *target, IOServiceNotificationReadyHandler handler, size_t referenceSize,
	OSAction **action)
{
	return dx_action_new(DX_ACTION_STATE, target, (void (*)(void))handler, referenceSize,
			     action);
}

kern_return_t
IOServiceStateNotificationDispatchSourceCreate(IOService *state, OSArray *items,
					       IODispatchQueue *queue,
					       IOServiceStateNotificationDispatchSource **source)
{
	struct dx_state_items *all = NULL;
	kern_return_t status = items_for(state, items, &dx_array_class, &all);

	if (status != kIOReturnSuccess) {
		return status;
	}
	if (!are_names((void *)items) || !dx_object_is_kind(queue, &dx_queue_class) ||
	    source == NULL) {
		return kIOReturnBadArgument;
	}
	struct state_source *made = dx_object_new(&state_source_class);
	if (made == NULL) {
		return kIOReturnNoMemory;
	}
	status = dx_event_setup(&made->event, queue, DX_ACTION_STATE, "StateNotificationReady");
	made->event.enabled = true;
	made->names = dx_value_copy_deep(items);
	if (status == kIOReturnSuccess && made->names == NULL) {
		status = kIOReturnNoMemory;
	}
	if (status != kIOReturnSuccess) {
		(void)dx_object_unref(made);
		return status;
	}
	dx_event_list(&made->event, &all->sources);
	*source = (IOServiceStateNotificationDispatchSource *)made;
	return kIOReturnSuccess;
}

kern_return_t
IOServiceStateNotificationDispatchSourceSetHandler(IOServiceStateNotificationDispatchSource *source,
						   OSAction *action)
{
	return dx_event_set_handler(event_of(source), action);
}

kern_return_t IOServiceStateNotificationDispatchSourceSetEnableWithCompletion(
	IOServiceStateNotificationDispatchSource *source, bool enable,
	IODispatchSourceCancelHandler handler, void *context)
{
	return dx_event_set_enable(event_of(source), enable, handler, context);
}

kern_return_t
IOServiceStateNotificationDispatchSourceCancel(IOServiceStateNotificationDispatchSource *source,
					       IODispatchSourceCancelHandler handler, void *context)
{
	return dx_event_cancel(event_of(source), handler, context);
}

kern_return_t IOServiceStateNotificationDispatchSourceStateNotificationBegin(
	IOServiceStateNotificationDispatchSource *source)
{
	static const struct dx_event nothing = {0};
	struct dx_event_source *event = event_of(source);

	if (event == NULL) {
		return kIOReturnBadArgument;
	}
	if (dx_event_is_cancelled(event)) {
		return kIOReturnAborted;
	}
	struct state_source *core = (struct state_source *)event;
	dx_mutex_lock(&event->runtime->lock);
	bool changed = core->changed;
	core->changed = false;
	core->armed = !changed; /* SI1 */
	dx_mutex_unlock(&event->runtime->lock);
	if (changed) {
		dx_event_fire(event, &nothing);
	}
	return kIOReturnSuccess;
}
