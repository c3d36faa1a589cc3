/* SPDX-License-Identifier: MIT
 *
 * service - making and freeing services, their queues and names; see service.h.
 */
#include "driver/service.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "driver/reactor.h"
#include "driver/user_client.h"

#define CORE_ALIGNMENT 16u

/* ---- entering the driver's code ---- */

static void entry_begin(const char *class_name, struct dx_runtime *runtime, const char *method,
			struct dx_service_entry *saved)
{
	struct dx_thread *self = dx_thread_self();

	saved->class_name = self->class_name;
	saved->method_name = self->method_name;
	saved->runtime = self->runtime;
	self->class_name = class_name;
	self->method_name = method;
	self->runtime = runtime;
}

void dx_service_entry_begin(const struct dx_service *service, const char *method,
			    struct dx_service_entry *saved)
{
	entry_begin(service->driver_class == NULL ? "IOService" : service->driver_class->name,
		    service->runtime, method, saved);
}

void dx_object_entry_begin(const struct dx_object *object, struct dx_runtime *runtime,
			   const char *method, struct dx_service_entry *saved)
{
	if (dx_object_is_kind(object, &dx_service_class)) {
		dx_service_entry_begin((const struct dx_service *)object, method, saved);
	} else {
		entry_begin(object->class->name, runtime, method, saved);
	}
}

void dx_service_entry_end(const struct dx_service_entry *saved)
{
	struct dx_thread *self = dx_thread_self();

	self->class_name = saved->class_name;
	self->method_name = saved->method_name;
	self->runtime = saved->runtime;
}

/* ---- birth ---- */

static size_t core_size(const struct dx_service *service)
{
	size_t size = service->object.class->instance_size;

	return (size + CORE_ALIGNMENT - 1) & ~(size_t)(CORE_ALIGNMENT - 1);
}

char *dx_service_ivars(const struct dx_service *service)
{
	return (char *)(uintptr_t)service + core_size(service);
}

int dx_service_setup(struct dx_service *service, struct dx_runtime *runtime, uint64_t id,
		     const char *kernel_class, const char *name, const struct dx_dict *properties)
{
	service->runtime = runtime;
	service->id = id;
	dx_mutex_init(&service->lock);
	dx_list_init(&service->runtime_link);
	dx_list_init(&service->waiters);
	service->kernel_class = strdup(kernel_class);
	service->name = strdup(name);
	service->properties = properties == NULL ? dx_dict_new() : dx_value_copy_deep(properties);
	service->user_properties = dx_dict_new();
	service->own_queue = dx_queue_new(runtime, runtime->reactor);
	if (service->kernel_class == NULL || service->name == NULL ||
	    service->properties == NULL || service->user_properties == NULL ||
	    service->own_queue == NULL) {
		return -ENOMEM;
	}
	return 0;
}

/* Super classes first; stops at the first that says false. */
static bool run_init(struct dx_service *service, const OSDriverClass *driver_class)
{
	if (dx_class_is_root(driver_class)) {
		return true;
	}
	if (!run_init(service, driver_class->super)) {
		return false;
	}
	service->levels++;
	return driver_class->init == NULL || driver_class->init(OS_OBJECT(service));
}

int dx_service_new_driver(struct dx_runtime *runtime, const OSDriverClass *driver_class,
			  uint64_t id, const char *kernel_class, const struct dx_dict *properties,
			  struct dx_service *provider, struct dx_service **ret_service)
{
	bool is_client = dx_class_derives(driver_class, &IOUserClientClass);
	const struct dx_class *class = is_client ? &dx_user_client_class : &dx_service_class;
	struct dx_service *service = dx_object_new_extra(
		class, dx_class_ivars_total(driver_class) + CORE_ALIGNMENT);

	if (service == NULL) {
		return -ENOMEM;
	}
	service->driver_class = driver_class;
	int result = dx_service_setup(service, runtime, id, kernel_class, driver_class->name,
				      properties);
	if (result == 0 && is_client) {
		dx_user_client_setup((struct dx_user_client *)service);
	}
	if (result == 0) {
		struct dx_service_entry entry;
		service->provider = dx_object_ref(provider);
		dx_service_entry_begin(service, "init", &entry);
		result = run_init(service, driver_class) ? 0 : -ECANCELED;
		dx_service_entry_end(&entry);
	}
	if (result < 0) {
		(void)dx_object_unref(service);
		return result;
	}
	*ret_service = service;
	return 0;
}

/* ---- death ---- */

void dx_service_free_driver(struct dx_service *service)
{
	const OSDriverClass *driver_class = service->driver_class;
	unsigned depth = 0;

	if (driver_class == NULL || service->levels == 0) {
		return;
	}
	for (const OSDriverClass *level = driver_class; !dx_class_is_root(level);
	     level = level->super) {
		depth++;
	}
	struct dx_service_entry entry;
	dx_service_entry_begin(service, "free", &entry);
	/* Own class first; classes whose init was not reached are left out. */
	for (; !dx_class_is_root(driver_class); driver_class = driver_class->super, depth--) {
		if (depth <= service->levels && driver_class->free != NULL) {
			driver_class->free(OS_OBJECT(service));
		}
	}
	service->levels = 0;
	dx_service_entry_end(&entry);
}

static void service_free(struct dx_object *object)
{
	struct dx_service *service = (struct dx_service *)object;

	if (service->runtime == NULL) {
		return; /* setup was not reached */
	}
	dx_service_free_driver(service);
	dx_service_detach(service);
	for (unsigned i = 0; i < service->nr_queues; i++) {
		free(service->queues[i].name);
		(void)dx_object_unref(service->queues[i].queue);
	}
	free(service->queues);
	(void)dx_object_unref(service->own_queue);
	(void)dx_object_unref(service->properties);
	(void)dx_object_unref(service->user_properties);
	(void)dx_object_unref(service->provider);
	free(service->name);
	free(service->kernel_class);
	dx_mutex_fini(&service->lock);
}

const struct dx_class dx_service_class = {
	.name = "IOService",
	.instance_size = sizeof(struct dx_service),
	.free = service_free,
};

bool dx_service_is_stopped(struct dx_service *service)
{
	dx_mutex_lock(&service->lock);
	bool stopped = service->state == DX_SERVICE_STOPPED;
	dx_mutex_unlock(&service->lock);
	return stopped;
}

/* ---- queues ---- */

bool dx_service_knows_queue(const struct dx_service *service, const char *name)
{
	if (strcmp(name, kIOServiceDefaultQueueName) == 0) {
		return true;
	}
	if (dx_object_is_kind(service, &dx_user_client_class) &&
	    strcmp(name, kIOUserClientQueueNameExternalMethod) == 0) {
		return true;
	}
	for (const OSDriverClass *level = service->driver_class; level != NULL;
	     level = level->super) {
		for (size_t i = 0; level->queue_names != NULL && level->queue_names[i] != NULL;
		     i++) {
			if (strcmp(level->queue_names[i], name) == 0) {
				return true;
			}
		}
	}
	return false;
}

static struct dx_named_queue *find_queue_locked(struct dx_service *service, const char *name)
	DX_REQUIRES(service->lock)
{
	for (unsigned i = 0; i < service->nr_queues; i++) {
		if (strcmp(service->queues[i].name, name) == 0) {
			return &service->queues[i];
		}
	}
	return NULL;
}

struct dx_queue *dx_service_ref_queue(struct dx_service *service, const char *name)
{
	struct dx_queue *found = service->own_queue;

	/* Whoever sets a queue meanwhile does it before or after this, as without a lock. */
	if (atomic_load_explicit(&service->nr_queues, memory_order_relaxed) == 0) {
		return dx_object_ref(found);
	}
	dx_mutex_lock(&service->lock);
	if (service->nr_queues > 0) {
		struct dx_named_queue *set = name == NULL ? NULL : find_queue_locked(service, name);
		if (set == NULL) {
			set = find_queue_locked(service, kIOServiceDefaultQueueName);
		}
		if (set != NULL) {
			found = set->queue;
		}
	}
	found = dx_object_ref(found);
	dx_mutex_unlock(&service->lock);
	return found;
}

/* Hands the old queue back in *queue. */
static int set_queue_locked(struct dx_service *service, const char *name, struct dx_queue **queue)
	DX_REQUIRES(service->lock)
{
	struct dx_named_queue *set = find_queue_locked(service, name);

	if (set != NULL && *queue != NULL) {
		struct dx_queue *old = set->queue;
		set->queue = *queue;
		*queue = old;
		return 0;
	}
	if (set != NULL) {
		*queue = set->queue;
		free(set->name);
		*set = service->queues[--service->nr_queues];
		return 0;
	}
	if (*queue == NULL) {
		return 0;
	}
	struct dx_named_queue *queues =
		realloc(service->queues, (service->nr_queues + 1) * sizeof(*queues));
	if (queues == NULL) {
		return -ENOMEM;
	}
	service->queues = queues;
	queues[service->nr_queues].name = strdup(name);
	if (queues[service->nr_queues].name == NULL) {
		return -ENOMEM;
	}
	queues[service->nr_queues++].queue = *queue;
	*queue = NULL;
	return 0;
}

kern_return_t IOServiceSetDispatchQueue(IOService *service, const char *name,
					IODispatchQueue *queue)
{
	struct dx_service *core = (struct dx_service *)service;

	if (!dx_object_is_kind(service, &dx_service_class) || name == NULL ||
	    (queue != NULL && !dx_object_is_kind(queue, &dx_queue_class)) ||
	    !dx_service_knows_queue(core, name)) {
		return kIOReturnBadArgument;
	}
	struct dx_queue *moved = dx_object_ref(queue);
	dx_mutex_lock(&core->lock);
	int result = set_queue_locked(core, name, &moved);
	dx_mutex_unlock(&core->lock);
	(void)dx_object_unref(moved);
	return result < 0 ? kIOReturnNoMemory : kIOReturnSuccess;
}

/* The queue of that name that was set on one service, counted, or NULL. */
static struct dx_queue *ref_set_queue(struct dx_service *service, const char *name)
{
	dx_mutex_lock(&service->lock);
	struct dx_named_queue *set = find_queue_locked(service, name);
	struct dx_queue *queue = set == NULL ? NULL : dx_object_ref(set->queue);
	dx_mutex_unlock(&service->lock);
	return queue;
}

kern_return_t IOServiceCopyDispatchQueue(IOService *service, const char *name,
					 IODispatchQueue **queue)
{
	struct dx_service *core = (struct dx_service *)service;

	if (!dx_object_is_kind(service, &dx_service_class) || name == NULL || queue == NULL) {
		return kIOReturnBadArgument;
	}
	if (dx_service_is_stopped(core)) {
		return kIOReturnError;
	}
	for (; core != NULL; core = core->provider) {
		struct dx_queue *found = NULL;
		if (!dx_service_knows_queue(core, name)) {
			continue;
		}
		found = ref_set_queue(core, name);
		if (found == NULL && strcmp(name, kIOServiceDefaultQueueName) == 0) {
			found = dx_object_ref(core->own_queue);
		}
		if (found == NULL) {
			return kIOReturnNotFound;
		}
		*queue = (IODispatchQueue *)found;
		return kIOReturnSuccess;
	}
	return kIOReturnNotFound;
}
