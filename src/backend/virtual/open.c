/* SPDX-License-Identifier: MIT
 *
 * open - from a device spec to a virtual device.
 *
 * Place:      backend/virtual, under virtual.c; docs/devices.md lists the forms and keys.
 * Trust:      the spec comes from a command line or a client of the broker; options.h bounds it.
 * Errors:     one line that begins with the spec, then the key and value that are wrong.
 */
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

static int describe_virtual(struct dx_options *options, struct dx_description **ret_description)
{
	if (strcmp(options->name, "gadget-zero") == 0) {
		return dx_gadget_zero_describe(options, ret_description);
	}
	dx_options_fail(options, "model \"%s\" does not exist (there is: gadget-zero)",
			options->name);
	return options->result;
}

/* The part of the spec behind its prefix. */
static const char *rest_of(const char *spec, bool *ret_is_model)
{
	*ret_is_model = strncmp(spec, PREFIX, strlen(PREFIX)) == 0;
	return *ret_is_model                                          ? spec + strlen(PREFIX)
	       : strncmp(spec, FILE_PREFIX, strlen(FILE_PREFIX)) == 0 ? spec + strlen(FILE_PREFIX)
								      : spec;
}

bool dx_virtual_file(const char *spec, char *path, size_t size)
{
	DX_CLEANUP_FREE struct dx_options *options = calloc(1, sizeof(*options));
	bool is_model = false;
	const char *rest = rest_of(spec, &is_model);
	char line[256];

	if (options == NULL || is_model ||
	    dx_options_parse(options, rest, line, sizeof(line)) < 0 ||
	    strlen(options->name) >= size) {
		return false;
	}
	memcpy(path, options->name, strlen(options->name) + 1);
	return true;
}

static int describe(const char *spec, struct dx_options *options, char *message,
		    size_t message_size, struct dx_description **ret_description)
{
	bool is_model = false;
	const char *rest = rest_of(spec, &is_model);
	int result = dx_options_parse(options, rest, message, message_size);

	if (result < 0) {
		return result;
	}
	return is_model ? describe_virtual(options, ret_description)
			: dx_device_file_describe(options, options->name, ret_description);
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

static void description_cleanup(struct dx_description **description)
{
	(void)dx_description_free(*description);
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

static int set_up(struct dx_virtual *device, const char *spec, struct dx_options *options,
		  struct dx_description **description)
{
	uint8_t container[16];
	int result = dx_description_override(*description, options);

	if (result < 0) {
		return result;
	}
	device->model = dx_described_model_new(description);
	if (device->model == NULL) {
		return -ENOMEM;
	}
	make_container(spec, container);
	result = dx_image_build(&device->image, device->model->description, container);
	if (result < 0) {
		return result;
	}
	fill_info(device, spec, options);
	dx_faults_read(&device->faults, options);
	result = select_first(device, options);
	return result < 0 ? result : dx_options_finish(options);
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
	DX_CLEANUP(virtual_free_cleanup) struct dx_virtual *device = NULL;
	DX_CLEANUP(description_cleanup) struct dx_description *description = NULL;
	DX_CLEANUP_FREE struct dx_options *options = calloc(1, sizeof(*options));
	char line[256] = "";
	int result = 0;

	assert(fd < 0); /* it has no acquire() */
	device = virtual_new(host, host_ctx);
	if (device == NULL || options == NULL) {
		return -ENOMEM;
	}
	result = describe(spec, options, line, sizeof(line), &description);
	if (result == 0) {
		result = set_up(device, spec, options, &description);
	}
	if (result < 0) {
		(void)snprintf(message, message_size, "device \"%s\": %s", spec,
			       line[0] == '\0' ? strerror(-result) : line);
		return result;
	}
	*ret_backend = (struct dx_usb_backend *)(void *)dx_take_ptr(&device);
	return 0;
}
