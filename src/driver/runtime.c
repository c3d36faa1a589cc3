/* SPDX-License-Identifier: MIT
 *
 * runtime - see runtime.h.
 */
#include "driver/runtime.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/limits.h"
#include "driver/call.h"
#include "driver/reactor.h"
#include "driver/service.h"
#include "driver/state_item.h"
#include "driver/usb_provider.h"
#include "driver/user_client.h"

#define WORKERS_END_NS 5000000000ull


/* ---- birth and death ---- */

static int check_classes(const OSDriverClass *const *classes)
{
	for (size_t i = 0; classes[i] != NULL; i++) {
		if (dx_class_check(classes[i]) != NULL) {
			return -EINVAL;
		}
	}
	return 0;
}

static int set_up(struct dx_runtime *runtime, const struct dx_runtime_options *options)
{
	runtime->name = strdup(options->name);
	if (runtime->name == NULL) {
		return -ENOMEM;
	}
	int result = check_classes(options->classes);
	if (result == 0) {
		result = dx_reactor_new(runtime, options->spin_budget_ns, &runtime->reactor);
	}
	if (result == 0) {
		runtime->reaper = dx_queue_new(runtime, runtime->reactor);
		result = runtime->reaper == NULL ? -ENOMEM : 0;
	}
	return result;
}

int dx_runtime_new(const struct dx_runtime_options *options, struct dx_runtime **ret_runtime)
{
	struct dx_runtime *runtime = calloc(1, sizeof(*runtime));

	if (runtime == NULL) {
		return -ENOMEM;
	}
	runtime->classes = options->classes;
	runtime->backends = options->backends;
	runtime->tap = options->tap;
	runtime->alive = options->alive;
	runtime->ops = options->ops;
	runtime->ops_context = options->ops_context;
	runtime->next_id = options->first_id;
	runtime->nr_ids_left = options->nr_ids;
	runtime->quota = (struct dx_memory_quota)DX_MEMORY_QUOTA_INIT(UINT64_MAX,
								      DX_MAX_DESCRIPTORS_PER_HOST);
	dx_mutex_init(&runtime->lock);
	dx_cond_init(&runtime->workers_cond);
	dx_list_init(&runtime->services);
	dx_list_init(&runtime->devices);
	dx_list_init(&runtime->notifications);
	dx_list_init(&runtime->interrupts);
	dx_list_init(&runtime->frames);
	int result = set_up(runtime, options);
	if (result < 0) {
		(void)dx_runtime_free(runtime);
		return result;
	}
	*ret_runtime = runtime;
	return 0;
}

void dx_runtime_worker_begin(struct dx_runtime *runtime)
{
	if (runtime != NULL) {
		dx_mutex_lock(&runtime->lock);
		runtime->nr_busy_workers++;
		dx_mutex_unlock(&runtime->lock);
	}
}

void dx_runtime_worker_end(struct dx_runtime *runtime)
{
	if (runtime != NULL) {
		dx_mutex_lock(&runtime->lock);
		if (--runtime->nr_busy_workers == 0) {
			dx_cond_broadcast(&runtime->workers_cond);
		}
		dx_mutex_unlock(&runtime->lock);
	}
}

/* False when a function of the driver still runs after the time limit. */
static bool wait_for_workers(struct dx_runtime *runtime)
{
	uint64_t deadline_ns = dx_clock_now_ns() + WORKERS_END_NS;
	int result = 0;

	dx_mutex_lock(&runtime->lock);
	while (runtime->nr_busy_workers > 0 && result == 0) {
		result = dx_cond_wait_until(&runtime->workers_cond, &runtime->lock, deadline_ns);
	}
	bool ended = runtime->nr_busy_workers == 0;
	dx_mutex_unlock(&runtime->lock);
	return ended;
}

struct dx_runtime *dx_runtime_free(struct dx_runtime *runtime)
{
	if (runtime == NULL || !wait_for_workers(runtime)) {
		return NULL;
	}
	dx_state_items_free(runtime->state_items);
	runtime->reactor = dx_reactor_free(runtime->reactor);
	(void)dx_object_unref(runtime->reaper);
	for (struct dx_list *node = dx_list_pop_front(&runtime->frames); node != NULL;
	     node = dx_list_pop_front(&runtime->frames)) {
		(void)dx_call_frame_free(dx_list_entry(node, struct dx_call_frame, free_link));
	}
	dx_cond_fini(&runtime->workers_cond);
	dx_mutex_fini(&runtime->lock);
	free(runtime->name);
	free(runtime);
	return NULL;
}

const char *dx_runtime_name(const struct dx_runtime *runtime)
{
	return runtime->name;
}

int dx_runtime_take_id(struct dx_runtime *runtime, uint64_t *ret_id)
{
	dx_mutex_lock(&runtime->lock);
	bool left = runtime->nr_ids_left > 0;
	if (left) {
		*ret_id = runtime->next_id++;
		runtime->nr_ids_left--;
	}
	dx_mutex_unlock(&runtime->lock);
	return left ? 0 : -ENOSPC;
}

/* ---- the list of services ---- */

struct dx_service *dx_runtime_find(struct dx_runtime *runtime, uint64_t id)
{
	struct dx_service *found = NULL;

	dx_mutex_lock(&runtime->lock);
	dx_list_for_each(node, &runtime->services) {
		struct dx_service *service = dx_list_entry(node, struct dx_service, runtime_link);
		if (service->id == id) {
			found = dx_object_ref(service);
			break;
		}
	}
	dx_mutex_unlock(&runtime->lock);
	return found;
}

static size_t count_services_locked(struct dx_runtime *runtime) DX_REQUIRES(runtime->lock)
{
	size_t count = 0;

	dx_list_for_each(node, &runtime->services) {
		count++;
	}
	return count;
}

void dx_runtime_each(struct dx_runtime *runtime,
		     void (*function)(void *context, struct dx_service *service), void *context)
{
	size_t count = 0;

	dx_mutex_lock(&runtime->lock);
	size_t room = count_services_locked(runtime);
	struct dx_service **all = room == 0 ? NULL : calloc(room, sizeof(*all));
	if (all != NULL) {
		dx_list_for_each(node, &runtime->services) {
			all[count++] = dx_object_ref(
				dx_list_entry(node, struct dx_service, runtime_link));
		}
	}
	dx_mutex_unlock(&runtime->lock);
	for (size_t i = 0; i < count; i++) {
		function(context, all[i]);
		(void)dx_object_unref(all[i]);
	}
	free(all);
}

unsigned dx_runtime_nr_services(struct dx_runtime *runtime)
{
	unsigned count = 0;

	dx_mutex_lock(&runtime->lock);
	dx_list_for_each(node, &runtime->services) {
		count += !dx_object_is_kind(
			dx_list_entry(node, struct dx_service, runtime_link),
			&dx_user_client_class);
	}
	dx_mutex_unlock(&runtime->lock);
	return count;
}

unsigned dx_runtime_nr_connections(struct dx_runtime *runtime)
{
	dx_mutex_lock(&runtime->lock);
	unsigned count = runtime->nr_connections;
	dx_mutex_unlock(&runtime->lock);
	return count;
}

/* ---- what the host asks for ---- */

static int make_provider(struct dx_runtime *runtime, const struct dx_runtime_provider *provider,
			 char *message, size_t message_size, struct dx_service **ret_provider)
{
	if (provider->spec != NULL) {
		return dx_usb_provider_new(runtime, provider, message, message_size, ret_provider);
	}
	struct dx_service *service = dx_object_new(&dx_service_class);
	if (service == NULL) {
		return -ENOMEM;
	}
	int result = dx_service_setup(service, runtime, provider->id, provider->class_name,
				      provider->name, provider->properties);
	if (result < 0) {
		(void)dx_object_unref(service);
		return result;
	}
	*ret_provider = service;
	return 0;
}

int dx_runtime_start(struct dx_runtime *runtime, uint64_t id, const char *class_name,
		     const struct dx_dict *properties, const struct dx_runtime_provider *provider,
		     char *message, size_t message_size, dx_runtime_done_fn done, void *context)
{
	const OSDriverClass *driver_class = dx_class_find(runtime->classes, class_name);
	struct dx_service *proxy = NULL;
	struct dx_service *service = NULL;
	struct dx_service *there = dx_runtime_find(runtime, id);

	if (driver_class == NULL || there != NULL) {
		(void)dx_object_unref(there);
		return driver_class == NULL ? -ENOENT : -EEXIST;
	}
	int result = make_provider(runtime, provider, message, message_size, &proxy);
	if (result < 0) {
		return result;
	}
	const char *kernel_class =
		properties == NULL ? "IOUserService"
				   : dx_dict_get_string(properties, "IOClass", "IOUserService");
	result = dx_service_new_driver(runtime, driver_class, id, kernel_class, properties, proxy,
				       &service);
	if (result == 0) {
		dx_service_attach(service);
		result = dx_service_start(service, done, context);
		if (result < 0) {
			dx_service_detach(service);
		}
	}
	(void)dx_object_unref(service);
	(void)dx_object_unref(proxy);
	return result;
}

int dx_runtime_terminate(struct dx_runtime *runtime, uint64_t id, dx_runtime_done_fn done,
			 void *context)
{
	struct dx_service *service = dx_runtime_find(runtime, id);

	if (service == NULL) {
		return -ENOENT;
	}
	int result = dx_service_terminate(service, done, context);
	(void)dx_object_unref(service);
	return result;
}

struct gone_search {
	uint64_t provider_id;
	bool found;
};

static void tell_gone(void *context, struct dx_service *service)
{
	struct gone_search *search = context;

	if (service->provider == NULL || service->provider->id != search->provider_id) {
		return;
	}
	search->found = true;
	dx_mutex_lock(&service->provider->lock);
	service->provider->gone = true;
	dx_mutex_unlock(&service->provider->lock);
	dx_usb_provider_gone(service->provider);
}

int dx_runtime_provider_gone(struct dx_runtime *runtime, uint64_t provider_id)
{
	struct gone_search search = {.provider_id = provider_id};

	dx_runtime_each(runtime, tell_gone, &search);
	return search.found ? 0 : -ENOENT;
}
