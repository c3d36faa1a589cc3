/* SPDX-License-Identifier: MIT
 *
 * usb_provider - see usb_provider.h: devices in the reactor, their providers, waiting for them.
 */
#include "driver/usb_provider.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#include "base/cleanup.h"
#include "driver/user_client.h"
#include "memory/memory.h"

#define MAX_LOST	64u
#define POLL_ROUNDS	64u /* of a synchronous request, before it gives the lead away */

/* ---- the device in the reactor ---- */

static struct dx_usb_share *share_of(struct dx_source *source)
{
	return dx_container_of(source, struct dx_usb_share, source);
}

static bool source_poll(struct dx_source *source)
{
	struct dx_usb_share *share = share_of(source);

	if (!atomic_exchange(&share->event, false) && !dx_usb_needs_poll(share->device)) {
		return false;
	}
	(void)dx_usb_poll(share->device);
	return true;
}

static bool source_arm(struct dx_source *source)
{
	return dx_usb_needs_poll(share_of(source)->device);
}

static void source_disarm(struct dx_source *source)
{
	(void)source; /* an armed device needs nothing */
}

static void source_event(struct dx_source *source, unsigned which, uint32_t events)
{
	(void)which;
	(void)events;
	atomic_store(&share_of(source)->event, true);
}

static uint64_t source_deadline(struct dx_source *source)
{
	return dx_usb_next_deadline_ns(share_of(source)->device);
}

static uint32_t source_peer_cpu(struct dx_source *source)
{
	(void)source;
	return DX_WAIT_CPU_UNKNOWN;
}

static void release_run(struct dx_item *item, bool cancelled)
{
	struct dx_usb_share *share = dx_container_of(item, struct dx_usb_share, release_item);

	(void)cancelled;
	/* Pipes that the driver keeps keep the device, but not us. */
	dx_usb_device_on_gone(share->device, NULL, NULL);
	(void)dx_usb_device_unref(share->device);
	free(share->spec);
	free(share);
}

static void source_released(struct dx_source *source)
{
	struct dx_usb_share *share = share_of(source);

	dx_queue_push(share->runtime->reaper, &share->release_item);
}

static const struct dx_source_ops source_ops = {
	.poll = source_poll,
	.arm = source_arm,
	.disarm = source_disarm,
	.event = source_event,
	.deadline = source_deadline,
	.peer_cpu = source_peer_cpu,
	.released = source_released,
};

void dx_usb_submitted(struct dx_runtime *runtime)
{
	if (!dx_thread_self()->leader) {
		dx_reactor_kick(runtime->reactor);
	}
}

/* The backend or the host lost the device: the broker hears of every provider on it. */
static void device_gone(void *context, enum dx_usb_gone_reason reason)
{
	struct dx_usb_share *share = context;
	struct dx_runtime *runtime = share->runtime;
	uint64_t lost[MAX_LOST];
	size_t nr_lost = 0;

	dx_mutex_lock(&runtime->lock);
	dx_list_for_each(node, &share->providers) {
		const struct dx_usb_provider *provider =
			dx_list_entry(node, struct dx_usb_provider, share_link);
		if (nr_lost < MAX_LOST && provider->service.entered) {
			lost[nr_lost++] = provider->service.id;
		}
	}
	dx_mutex_unlock(&runtime->lock);
	for (size_t i = 0; reason != DX_USB_GONE_DETACHED && i < nr_lost; i++) {
		runtime->ops->device_lost(runtime->ops_context, lost[i],
					  reason == DX_USB_GONE_RESET);
	}
}

/* ---- sharing ---- */

static struct dx_usb_share *find_share_locked(struct dx_runtime *runtime, uint64_t device_id,
					      const char *spec) DX_REQUIRES(runtime->lock)
{
	dx_list_for_each(node, &runtime->devices) {
		struct dx_usb_share *share = dx_list_entry(node, struct dx_usb_share, link);
		if (share->device_id == device_id && strcmp(share->spec, spec) == 0 &&
		    !dx_usb_device_is_gone(share->device)) {
			return share;
		}
	}
	return NULL;
}

static struct dx_usb_share *share_alloc(struct dx_runtime *runtime, uint64_t device_id,
					const char *spec)
{
	struct dx_usb_share *share = calloc(1, sizeof(*share));

	if (share == NULL) {
		return NULL;
	}
	share->spec = strdup(spec);
	if (share->spec == NULL) {
		free(share);
		return NULL;
	}
	share->runtime = runtime;
	share->device_id = device_id;
	share->nr_users = 1;
	share->source.ops = &source_ops;
	share->source.persistent = true;
	share->release_item.run = release_run;
	dx_list_init(&share->providers);
	return share;
}

/* Puts an attached device into the reactor; on failure nothing of it remains. */
static int share_serve(struct dx_usb_share *share)
{
	struct dx_reactor *reactor = share->runtime->reactor;
	int fd = dx_usb_event_fd(share->device);
	int result = dx_reactor_add(reactor, &share->source);

	if (result < 0) {
		release_run(&share->release_item, false);
		return result;
	}
	if (fd >= 0) {
		result = dx_reactor_watch(reactor, &share->source, 0, fd, EPOLLIN);
	}
	if (result < 0) {
		dx_reactor_remove(reactor, &share->source);
	}
	return result;
}

/* device_fd is left alone when the device is open here already. */
static int share_open(struct dx_runtime *runtime, uint64_t device_id, const char *spec,
		      int *device_fd, char *message, size_t message_size,
		      struct dx_usb_share **ret_share)
{
	static const struct dx_usb_backend_ops *const none[] = {NULL};
	const struct dx_usb_backend_ops *const *backends =
		runtime->backends == NULL ? none : runtime->backends;

	dx_mutex_lock(&runtime->lock);
	struct dx_usb_share *share = find_share_locked(runtime, device_id, spec);
	if (share != NULL) {
		share->nr_users++;
	}
	dx_mutex_unlock(&runtime->lock);
	if (share != NULL) {
		*ret_share = share;
		return 0;
	}
	share = share_alloc(runtime, device_id, spec);
	if (share == NULL) {
		return -ENOMEM;
	}
	int result = dx_usb_device_attach(backends, spec,
					  device_fd == NULL ? -1 : dx_take_fd(device_fd), message,
					  message_size, &share->device);
	if (result < 0) {
		free(share->spec);
		free(share);
		return result;
	}
	dx_usb_device_on_gone(share->device, device_gone, share);
	if (runtime->tap != NULL) {
		dx_usb_device_set_tap(share->device, runtime->tap);
	}
	result = share_serve(share);
	if (result < 0) {
		return result;
	}
	dx_mutex_lock(&runtime->lock);
	dx_list_push_back(&runtime->devices, &share->link);
	dx_mutex_unlock(&runtime->lock);
	*ret_share = share;
	return 0;
}

static void share_close(struct dx_usb_share *share)
{
	struct dx_runtime *runtime = share->runtime;

	dx_mutex_lock(&runtime->lock);
	bool last = --share->nr_users == 0;
	if (last) {
		dx_list_remove(&share->link);
	}
	dx_mutex_unlock(&runtime->lock);
	if (last) {
		dx_reactor_unwatch(runtime->reactor, dx_usb_event_fd(share->device));
		dx_reactor_remove(runtime->reactor, &share->source);
	}
}

/* ---- providers ---- */

static void close_session(struct dx_usb_provider *provider, const void *client)
{
	if (provider->interface != NULL) {
		(void)dx_usb_interface_close(provider->interface, client);
	} else {
		(void)dx_usb_device_close(provider->share->device, client);
	}
	dx_usb_provider_drop_pipes(provider);
}

/* A client's super Stop: what it has left open. */
static void close_client(struct dx_service *service, struct dx_service *client)
{
	struct dx_usb_provider *provider = (struct dx_usb_provider *)service;

	dx_mutex_lock(&provider->usb_lock);
	bool open = provider->session == client;
	if (open) {
		provider->session = NULL;
	}
	dx_mutex_unlock(&provider->usb_lock);
	if (open) {
		close_session(provider, client);
	}
}

static void provider_free(struct dx_object *object)
{
	struct dx_usb_provider *provider = (struct dx_usb_provider *)object;

	if (provider->share == NULL) {
		return;
	}
	if (provider->session != NULL) {
		close_session(provider, provider->session);
	}
	dx_usb_provider_drop_pipes(provider);
	dx_mutex_lock(&provider->service.runtime->lock);
	dx_list_remove(&provider->share_link);
	provider->service.entered = false; /* the broker's own entry */
	dx_mutex_unlock(&provider->service.runtime->lock);
	(void)dx_usb_interface_unref(provider->interface);
	share_close(provider->share);
	dx_mutex_fini(&provider->usb_lock);
}

const struct dx_class dx_usb_device_provider_class = {
	.name = "IOUSBHostDevice",
	.super = &dx_service_class,
	.instance_size = sizeof(struct dx_usb_provider),
	.free = provider_free,
};

const struct dx_class dx_usb_interface_provider_class = {
	.name = "IOUSBHostInterface",
	.super = &dx_service_class,
	.instance_size = sizeof(struct dx_usb_provider),
	.free = provider_free,
};

const OSDriverClass IOUSBHostDeviceClass = {.name = "IOUSBHostDevice",
					    .super = &IOServiceClass,
					    .reserved = {&dx_usb_device_provider_class}};
const OSDriverClass IOUSBHostInterfaceClass = {.name = "IOUSBHostInterface",
					       .super = &IOServiceClass,
					       .reserved = {&dx_usb_interface_provider_class}};

struct dx_usb_provider *dx_usb_device_of(const void *object)
{
	return dx_object_is_kind(object, &dx_usb_device_provider_class)
		       ? (struct dx_usb_provider *)(uintptr_t)object
		       : NULL;
}

struct dx_usb_provider *dx_usb_interface_of(const void *object)
{
	return dx_object_is_kind(object, &dx_usb_interface_provider_class)
		       ? (struct dx_usb_provider *)(uintptr_t)object
		       : NULL;
}

/* Takes over one use of share and a reference on interface, also on failure. */
static struct dx_usb_provider *new_provider(struct dx_usb_share *share,
					    struct dx_usb_interface *interface, uint64_t id,
					    const char *name, const struct dx_dict *properties)
{
	const struct dx_class *class =
		interface == NULL ? &dx_usb_device_provider_class : &dx_usb_interface_provider_class;
	struct dx_usb_provider *provider = dx_object_new(class);

	if (provider == NULL) {
		(void)dx_usb_interface_unref(interface);
		share_close(share);
		return NULL;
	}
	provider->share = share;
	provider->interface = interface;
	dx_mutex_init(&provider->usb_lock);
	dx_list_init(&provider->pipes);
	dx_list_init(&provider->share_link);
	int result = dx_service_setup(&provider->service, share->runtime, id, class->name, name,
				      properties);
	provider->service.close_client = close_client;
	if (result < 0) {
		return dx_object_unref(provider);
	}
	dx_mutex_lock(&share->runtime->lock);
	dx_list_push_back(&share->providers, &provider->share_link);
	dx_mutex_unlock(&share->runtime->lock);
	return provider;
}

/* The interface that the properties name, +1; NULL when there is none. */
static struct dx_usb_interface *find_interface(struct dx_usb_device *device,
					       const struct dx_dict *properties)
{
	uint64_t number = dx_dict_get_u64(properties, "bInterfaceNumber", UINT64_MAX);
	uint64_t value = dx_dict_get_u64(properties, "bConfigurationValue", 0);

	if (dx_usb_device_configuration(device) == 0 && value > 0 && value <= UINT8_MAX) {
		(void)dx_usb_device_set_configuration(device, NULL, (uint8_t)value);
	}
	for (unsigned i = 0;; i++) {
		struct dx_usb_interface *interface = dx_usb_device_copy_interface(device, i);
		if (interface == NULL || dx_usb_interface_number(interface) == number) {
			return interface;
		}
		(void)dx_usb_interface_unref(interface);
	}
}

int dx_usb_provider_new(struct dx_runtime *runtime, const struct dx_runtime_provider *description,
			char *message, size_t message_size, struct dx_service **ret_provider)
{
	bool wants_interface = strcmp(description->class_name, "IOUSBHostInterface") == 0;
	struct dx_usb_interface *interface = NULL;
	struct dx_usb_share *share = NULL;
	uint64_t device_id =
		description->device_id == 0 ? description->id : description->device_id;
	int result = share_open(runtime, device_id, description->spec, description->device_fd,
				message, message_size, &share);

	if (result < 0) {
		return result;
	}
	if (wants_interface) {
		interface = description->properties == NULL
				    ? NULL
				    : find_interface(share->device, description->properties);
		if (interface == NULL) {
			share_close(share);
			return -ENODEV;
		}
	}
	struct dx_usb_provider *provider = new_provider(share, interface, description->id,
							description->name,
							description->properties);
	if (provider == NULL) {
		return -ENOMEM;
	}
	dx_mutex_lock(&runtime->lock);
	provider->service.entered = true; /* the broker knows it */
	dx_mutex_unlock(&runtime->lock);
	*ret_provider = &provider->service;
	return 0;
}

struct dx_usb_provider *dx_usb_provider_sibling(struct dx_usb_provider *provider,
						struct dx_usb_interface *interface)
{
	struct dx_usb_share *share = provider->share;

	dx_mutex_lock(&share->runtime->lock);
	share->nr_users++;
	dx_mutex_unlock(&share->runtime->lock);
	return new_provider(share, dx_usb_interface_ref(interface),
			    interface == NULL ? share->device_id : 0,
			    interface == NULL ? "IOUSBHostDevice" : "IOUSBHostInterface", NULL);
}

void dx_usb_provider_gone(struct dx_service *service)
{
	struct dx_usb_provider *provider = dx_usb_device_of(service);

	if (provider == NULL) {
		provider = dx_usb_interface_of(service);
	}
	if (provider != NULL) {
		dx_usb_device_detach(provider->share->device);
		dx_usb_submitted(provider->service.runtime);
	}
}

/* ---- waiting ---- */

void dx_usb_wait_init(struct dx_usb_wait *wait)
{
	*wait = (struct dx_usb_wait){0};
	dx_mutex_init(&wait->lock);
	dx_cond_init(&wait->cond);
}

void dx_usb_wait_complete(void *context, int32_t status, uint32_t actual, uint64_t timestamp_ns)
{
	struct dx_usb_wait *wait = context;

	(void)timestamp_ns;
	dx_mutex_lock(&wait->lock);
	wait->status = status;
	wait->actual = actual;
	wait->done = true;
	dx_cond_signal(&wait->cond);
	dx_mutex_unlock(&wait->lock);
}

static bool wait_is_done(struct dx_usb_wait *wait)
{
	dx_mutex_lock(&wait->lock);
	bool done = wait->done;
	dx_mutex_unlock(&wait->lock);
	return done;
}

static void wait_asleep(struct dx_usb_wait *wait, struct dx_runtime *runtime)
{
	dx_reactor_blocking_begin();
	dx_usb_submitted(runtime); /* whoever leads now polls for us */
	dx_mutex_lock(&wait->lock);
	while (!wait->done) {
		dx_cond_wait(&wait->cond, &wait->lock);
	}
	dx_mutex_unlock(&wait->lock);
	dx_reactor_blocking_end();
}

int32_t dx_usb_wait_end(struct dx_usb_wait *wait, struct dx_runtime *runtime,
			struct dx_usb_device *device, int32_t submitted, uint32_t *ret_actual)
{
	int32_t status = submitted;

	if (submitted == DX_USB_OK) {
		bool done = wait_is_done(wait);
		for (unsigned i = 0; !done && i < POLL_ROUNDS && dx_usb_needs_poll(device); i++) {
			(void)dx_usb_poll(device);
			done = wait_is_done(wait);
		}
		if (!done) {
			wait_asleep(wait, runtime);
		}
		dx_mutex_lock(&wait->lock);
		status = wait->status;
		if (ret_actual != NULL) {
			*ret_actual = wait->actual;
		}
		dx_mutex_unlock(&wait->lock);
	}
	dx_cond_fini(&wait->cond);
	dx_mutex_fini(&wait->lock);
	return status;
}

kern_return_t dx_usb_buffer_address(IOMemoryDescriptor *buffer, uint32_t length, void **ret_data)
{
	struct dx_memory *memory = (struct dx_memory *)buffer;

	*ret_data = NULL;
	if (buffer == NULL) {
		return length == 0 ? kIOReturnSuccess : kIOReturnBadArgument;
	}
	if (!dx_object_is_kind(buffer, &dx_memory_class) || length > dx_memory_length(memory)) {
		return kIOReturnBadArgument;
	}
	if (length == 0) {
		return kIOReturnSuccess;
	}
	return dx_memory_address(memory, 0, length, ret_data) < 0 ? kIOReturnBadArgument
								   : kIOReturnSuccess;
}
