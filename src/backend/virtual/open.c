/* SPDX-License-Identifier: MIT
 *
 * open - from a device spec to a virtual device.
 *
 * Place:      backend/virtual, under virtual.c; docs/devices.md lists the forms and keys.
 * Trust:      the spec comes from a command line or a client of the broker; options.h bounds it.
 * Errors:     one line that begins with the spec, then the key and value that are wrong.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backend/virtual/catalog.h"
#include "backend/virtual/runtime.h"
#include "base/cleanup.h"
#include "base/clock.h"

#define FRAME_NS    1000000u
#define FIRST_FRAME 1024u /* so that small numbers are in the past and 0 is never now */
#define PREFIX      "virtual:"
#define FILE_PREFIX "file:"
#define FILE_SUFFIX ".device"

bool dx_virtual_accepts(const char *spec)
{
	size_t length = strcspn(spec, ",");
	size_t suffix = strlen(FILE_SUFFIX);

	return strncmp(spec, PREFIX, strlen(PREFIX)) == 0 ||
	       strncmp(spec, FILE_PREFIX, strlen(FILE_PREFIX)) == 0 ||
	       (length > suffix && memcmp(spec + length - suffix, FILE_SUFFIX, suffix) == 0);
}

static const struct dx_model_kind *find_model(struct dx_options *options)
{
	const struct dx_model_kind *kind = dx_model_kind_find(options->name);
	char names[160] = "";
	size_t used = 0;

	for (unsigned i = 0; kind == NULL && dx_model_kinds[i] != NULL; i++) {
		used += (size_t)snprintf(names + used, sizeof(names) - used, "%s%s",
					 i == 0 ? "" : ", ", dx_model_kinds[i]->name);
	}
	if (kind == NULL) {
		dx_options_fail(options, "model \"%s\" does not exist (there are: %s)",
				options->name, names);
	}
	return kind;
}

/* The part of the spec behind its prefix. */
static const char *rest_of(const char *spec, bool *ret_is_model)
{
	*ret_is_model = strncmp(spec, PREFIX, strlen(PREFIX)) == 0;
	return *ret_is_model                                          ? spec + strlen(PREFIX)
	       : strncmp(spec, FILE_PREFIX, strlen(FILE_PREFIX)) == 0 ? spec + strlen(FILE_PREFIX)
								      : spec;
}

static void description_cleanup(struct dx_description **description)
{
	(void)dx_description_free(*description);
}

/* A spec that has been read. kind is NULL for a description file. */
struct plan {
	struct dx_options options;
	const struct dx_model_kind *kind;
	char line[256]; /* what is wrong */
};

static int plan_read(struct plan *plan, const char *spec)
{
	bool is_model = false;
	const char *rest = rest_of(spec, &is_model);
	int result = dx_options_parse(&plan->options, rest, plan->line, sizeof(plan->line));

	if (result == 0 && is_model) {
		plan->kind = find_model(&plan->options);
		result = plan->options.result;
	}
	return result;
}

/* fd: a description file that somebody has opened, or -1. */
static int plan_describe(struct plan *plan, int fd, struct dx_description **ret_description)
{
	DX_CLEANUP(description_cleanup) struct dx_description *description = NULL;
	int result = plan->kind != NULL ? plan->kind->describe(&plan->options, &description)
					: dx_device_file_describe(&plan->options,
								  plan->options.name, fd,
								  &description);

	if (result == 0) {
		result = dx_description_override(description, &plan->options);
	}
	if (result == 0) {
		*ret_description = dx_take_ptr(&description);
	}
	return result;
}

static int plan_fail(const struct plan *plan, int result, const char *spec, char *message,
		     size_t message_size)
{
	(void)snprintf(message, message_size, "device \"%s\": %s", spec,
		       plan->line[0] == '\0' ? strerror(-result) : plan->line);
	return result;
}

/* Keys that the catalog names and that decide nothing about the description. */
static void excuse_keys(struct dx_options *options, const struct dx_model_key *keys)
{
	for (; keys->name != NULL; keys++) {
		dx_options_excuse(options, keys->name);
	}
}

int dx_catalog_describe(const char *spec, char *message, size_t message_size,
			struct dx_description **ret_description)
{
	DX_CLEANUP(description_cleanup) struct dx_description *description = NULL;
	DX_CLEANUP_FREE struct plan *plan = calloc(1, sizeof(*plan));
	int result = 0;

	if (plan == NULL) {
		return -ENOMEM;
	}
	if (dx_virtual_accepts(spec)) {
		result = plan_read(plan, spec);
	} else {
		(void)snprintf(plan->line, sizeof(plan->line), "not a virtual device");
		result = -EINVAL;
	}
	if (result == 0) {
		result = plan_describe(plan, -1, &description);
	}
	if (result == 0) {
		excuse_keys(&plan->options, dx_device_keys);
		excuse_keys(&plan->options, dx_fault_keys);
		if (plan->kind != NULL) {
			excuse_keys(&plan->options, plan->kind->keys);
		}
		result = dx_options_finish(&plan->options);
	}
	if (result < 0) {
		return plan_fail(plan, result, spec, message, message_size);
	}
	*ret_description = dx_take_ptr(&description);
	return 0;
}

int dx_virtual_acquire(const char *spec, char *message, size_t message_size)
{
	DX_CLEANUP_FREE struct plan *plan = calloc(1, sizeof(*plan));
	int result = 0;

	if (plan == NULL) {
		return -ENOMEM;
	}
	result = plan_read(plan, spec);
	if (result == 0) {
		if (plan->kind != NULL && plan->kind->acquire == NULL) {
			return -ENODATA;
		}
		result = plan->kind == NULL
				 ? dx_device_file_open(&plan->options, plan->options.name)
				 : plan->kind->acquire(&plan->options);
	}
	return result < 0 ? plan_fail(plan, result, spec, message, message_size) : result;
}

/* The same device spec gives the same location, address and container in every process. */
static uint64_t hash_text(const char *text)
{
	uint64_t hash = 14695981039346656037u; /* FNV-1a */

	for (; *text != '\0'; text++) {
		hash = (hash ^ (uint8_t)*text) * 1099511628211u;
	}
	return hash;
}

static void fill_info(struct dx_virtual *device, const char *spec, struct dx_options *options)
{
	uint64_t hash = hash_text(spec);
	struct dx_usb_backend_info *info = &device->info;

	info->speed = device->model->description->speed;
	info->address = (uint8_t)dx_options_number(options, "address", 1, 127, hash % 127 + 1);
	info->location_id = (uint32_t)dx_options_number(options, "location", 0, UINT32_MAX,
							0x7E000000u | (hash >> 8 & 0xFFFFFFu));
	memcpy(info->device, device->image.device, sizeof(info->device));
	for (unsigned i = 0; i < device->image.nr_configurations; i++) {
		device->configurations[i] = device->image.configurations[i];
	}
	info->nr_configurations = device->image.nr_configurations;
	info->configurations = device->configurations;
	info->configuration_lengths = device->image.configuration_lengths;
	info->bos = device->image.bos_length == 0 ? NULL : device->image.bos;
	info->bos_length = device->image.bos_length;
}

static void make_container(const char *spec, uint8_t *ret_container)
{
	uint64_t words[2] = {hash_text(spec), ~hash_text(spec)};

	memcpy(ret_container, words, sizeof(words));
	ret_container[7] = (ret_container[7] & 0x0F) | 0x40; /* a random-style UUID */
	ret_container[8] = (ret_container[8] & 0x3F) | 0x80;
}

void dx_virtual_free(struct dx_virtual *device)
{
	if (device->model != NULL) {
		dx_virtual_unbind_all(device);
		device->model->ops->free(device->model);
	}
	dx_image_fini(&device->image);
	free(device);
}

static void virtual_free_cleanup(struct dx_virtual **device)
{
	if (*device != NULL) {
		dx_virtual_free(*device);
	}
}

static int select_first(struct dx_virtual *device, struct dx_options *options)
{
	uint8_t value = (uint8_t)dx_options_number(options, "configuration", 0, 255, 0);
	struct dx_model_setup setup = {.request = 9, .value = value};

	if (dx_virtual_control(device, &setup, NULL) < 0) {
		dx_options_fail(options, "configuration=%u: the device has none with that value",
				value);
		return options->result;
	}
	device->info.configuration = value;
	return 0;
}

static int make_model(struct plan *plan, int *fd, struct dx_description **description,
		      struct dx_model **ret_model)
{
	if (plan->kind == NULL || plan->kind->create == NULL) {
		*ret_model = dx_described_model_new(description);
		return *ret_model == NULL ? -ENOMEM : 0;
	}
	if (*fd < 0 && plan->kind->acquire != NULL) {
		int result = plan->kind->acquire(&plan->options);

		if (result < 0) {
			return result;
		}
		*fd = result;
	}
	return plan->kind->create(&plan->options, fd, description, ret_model);
}

static int set_up(struct dx_virtual *device, const char *spec, struct plan *plan, int *fd)
{
	DX_CLEANUP(description_cleanup) struct dx_description *description = NULL;
	uint8_t container[16];
	int result = plan_describe(plan, plan->kind == NULL ? *fd : -1, &description);

	if (result == 0) {
		result = make_model(plan, fd, &description, &device->model);
	}
	if (result < 0) {
		return result;
	}
	make_container(spec, container);
	result = dx_image_build(&device->image, device->model->description, container);
	if (result < 0) {
		return result;
	}
	fill_info(device, spec, &plan->options);
	dx_faults_read(&device->faults, &plan->options);
	result = select_first(device, &plan->options);
	return result < 0 ? result : dx_options_finish(&plan->options);
}

static struct dx_virtual *virtual_new(const struct dx_usb_backend_host *host, void *host_ctx)
{
	struct dx_virtual *device = calloc(1, sizeof(*device));

	if (device == NULL) {
		return NULL;
	}
	device->host = host;
	device->host_ctx = host_ctx;
	device->wake_ns = UINT64_MAX;
	device->epoch_ns = dx_clock_now_ns() - (uint64_t)FIRST_FRAME * FRAME_NS;
	dx_list_init(&device->control);
	dx_list_init(&device->ready);
	return device;
}

int dx_virtual_open(const char *spec, int fd, const struct dx_usb_backend_host *host,
		    void *host_ctx, char *message, size_t message_size,
		    struct dx_usb_backend **ret_backend)
{
	DX_CLEANUP(virtual_free_cleanup) struct dx_virtual *device = virtual_new(host, host_ctx);
	DX_CLEANUP_FREE struct plan *plan = calloc(1, sizeof(*plan));
	DX_CLEANUP_FD int given = fd;
	int result = 0;

	if (device == NULL || plan == NULL) {
		return -ENOMEM;
	}
	result = plan_read(plan, spec);
	if (result == 0) {
		result = set_up(device, spec, plan, &given);
	}
	if (result < 0) {
		return plan_fail(plan, result, spec, message, message_size);
	}
	*ret_backend = (struct dx_usb_backend *)(void *)dx_take_ptr(&device);
	return 0;
}
