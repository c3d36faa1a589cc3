/* SPDX-License-Identifier: MIT
 *
 * open - from a spec to an imported device whose descriptors have been read.
 *
 * Place:      backend/usbip, under usbip.c. The only part that waits, ten seconds at most.
 * Trust:      descriptors are checked for their own lengths here, and handed out whole otherwise.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#include "backend/usbip/connect.h"
#include "backend/usbip/runtime.h"
#include "base/cleanup.h"
#include "base/clock.h"

#define FRAME_NS           1000000u
#define FIRST_FRAME        1024u /* so that small numbers are in the past and 0 is never now */
#define GET_DESCRIPTOR     6u
#define TYPE_DEVICE        1u
#define TYPE_CONFIGURATION 2u
#define TYPE_BOS           15u
#define LOCATION           0x7D000000u

int dx_usbip_acquire(const char *spec, char *message, size_t message_size)
{
	struct dx_usbip_spec parsed;
	char line[448] = "";
	int result = dx_usbip_spec_parse(spec, &parsed, message, message_size);

	if (result < 0) {
		return result;
	}
	result = dx_usbip_connect(&parsed, line, sizeof(line));
	if (result < 0) {
		(void)snprintf(message, message_size, "device \"%s\": %s", spec, line);
	}
	return result;
}

/* ---- descriptors ---- */

/* Where descriptors are read from, and until when. */
struct source {
	int fd;
	uint32_t device_number;
	uint64_t deadline_ns;
};

static int read_descriptor(const struct source *source, uint8_t type, uint8_t index, uint8_t *data,
			   uint16_t length)
{
	const uint8_t setup[8] = {
		0x80, GET_DESCRIPTOR, index, type, 0, 0, (uint8_t)length, (uint8_t)(length >> 8)};

	return dx_usbip_control_in(source->fd, source->device_number, setup, data,
				   source->deadline_ns);
}

/* A block whose header says how long all of it is. @return 0 and malloc'd bytes. */
static int read_block(const struct source *source, uint8_t type, uint8_t index, uint8_t **ret_block,
		      size_t *ret_length)
{
	DX_CLEANUP_FREE uint8_t *block = NULL;
	uint8_t header[9] = {0};
	uint16_t header_length = type == TYPE_BOS ? 5 : 9;
	size_t total = 0;
	int result = read_descriptor(source, type, index, header, header_length);

	if (result < 0) {
		return result;
	}
	total = (size_t)header[2] | (size_t)header[3] << 8;
	if (result < header_length || header[0] < header_length || header[1] != type ||
	    total < header_length) {
		return -EPROTO;
	}
	block = calloc(1, total);
	if (block == NULL) {
		return -ENOMEM;
	}
	result = read_descriptor(source, type, index, block, (uint16_t)total);
	if (result < 0) {
		return result;
	}
	if (result < header_length || memcmp(block, header, header_length) != 0) {
		return -EPROTO;
	}
	*ret_length = (size_t)result;
	*ret_block = dx_take_ptr(&block);
	return 0;
}

static int read_configurations(struct dx_usbip_client *client, const struct source *source)
{
	unsigned count = client->info.device[17];

	count = count > DX_USBIP_CONFIGURATIONS ? DX_USBIP_CONFIGURATIONS : count;
	for (unsigned i = 0; i < count; i++) {
		int result =
			read_block(source, TYPE_CONFIGURATION, (uint8_t)i,
				   &client->configurations[i], &client->configuration_lengths[i]);

		if (result < 0) {
			return result;
		}
		client->info.nr_configurations = i + 1;
	}
	return count == 0 ? -EPROTO : 0;
}

/* Devices before USB 2.01 have no BOS, and some that should have one refuse. */
static int read_bos(struct dx_usbip_client *client, const struct source *source)
{
	unsigned version = client->info.device[2] | client->info.device[3] << 8;
	int result = 0;

	if (version < 0x0201) {
		return 0;
	}
	result = read_block(source, TYPE_BOS, 0, &client->bos, &client->info.bos_length);
	client->info.bos = client->bos;
	return result == -EPIPE || result == -EPROTO ? 0 : result;
}

static int read_all(struct dx_usbip_client *client, const struct source *source)
{
	uint8_t *device = client->info.device;
	int result = read_descriptor(source, TYPE_DEVICE, 0, device, sizeof(client->info.device));

	if (result >= 0 && (result < (int)sizeof(client->info.device) || device[0] < 18 ||
			    device[1] != TYPE_DEVICE)) {
		return -EPROTO;
	}
	if (result >= 0) {
		result = read_configurations(client, source);
	}
	if (result >= 0) {
		result = read_bos(client, source);
	}
	return result;
}

/* ---- the device ---- */

/* The same device has the same location in every process. */
static uint32_t location_of(const char *spec)
{
	uint64_t hash = 14695981039346656037u; /* FNV-1a */

	for (; *spec != '\0'; spec++) {
		hash = (hash ^ (uint8_t)*spec) * 1099511628211u;
	}
	return LOCATION | (uint32_t)(hash >> 8 & 0xFFFFFFu);
}

static int import_device(struct dx_usbip_client *client, const char *spec)
{
	struct source source = {
		.fd = client->fd,
		.deadline_ns = dx_clock_now_ns() + (uint64_t)DX_USBIP_OPEN_MS * 1000000u,
	};
	struct dx_usbip_device device;
	int result = dx_usbip_import(client->fd, client->spec.busid, source.deadline_ns, &device);

	if (result < 0) {
		return result;
	}
	client->device_number = dx_usbip_device_number(&device);
	source.device_number = client->device_number;
	client->info.speed = device.speed;
	client->info.address = (uint8_t)(device.devnum % 127 == 0 ? 127 : device.devnum % 127);
	client->info.configuration = device.configuration;
	client->info.location_id = location_of(spec);
	client->info.configurations = (const uint8_t *const *)client->configurations;
	client->info.configuration_lengths = client->configuration_lengths;
	result = read_all(client, &source);
	if (result < 0) {
		return result;
	}
	client->layout.configurations = client->info.configurations;
	client->layout.lengths = client->info.configuration_lengths;
	client->layout.nr_configurations = client->info.nr_configurations;
	dx_usbip_configure(client, device.configuration);
	return 0;
}

static int watch(struct dx_usbip_client *client)
{
	struct epoll_event event = {.events = EPOLLIN};

	client->event_fd = epoll_create1(EPOLL_CLOEXEC);
	if (client->event_fd < 0 ||
	    epoll_ctl(client->event_fd, EPOLL_CTL_ADD, client->fd, &event) < 0) {
		return -errno;
	}
	return 0;
}

static void client_free(struct dx_usbip_client *client)
{
	for (unsigned i = 0; i < DX_USBIP_CONFIGURATIONS; i++) {
		free(client->configurations[i]);
	}
	for (unsigned i = 0; i < client->nr_slots; i++) {
		free(client->slots[i]);
	}
	free(client->slots);
	free(client->bos);
	dx_fd_close(&client->fd);
	dx_fd_close(&client->event_fd);
	free(client);
}

static void client_cleanup(struct dx_usbip_client **client)
{
	if (*client != NULL) {
		client_free(*client);
	}
}

static struct dx_usbip_client *client_new(const struct dx_usb_backend_host *host, void *host_ctx)
{
	struct dx_usbip_client *client = calloc(1, sizeof(*client));

	if (client == NULL) {
		return NULL;
	}
	client->host = host;
	client->host_ctx = host_ctx;
	client->fd = -1;
	client->event_fd = -1;
	client->epoch_ns = dx_clock_now_ns() - (uint64_t)FIRST_FRAME * FRAME_NS;
	for (unsigned i = 0; i < DX_USBIP_PLACES; i++) {
		dx_list_init(&client->endpoints[i].waiting);
		dx_list_init(&client->endpoints[i].sent);
		dx_list_init(&client->endpoints[i].ready);
	}
	dx_list_init(&client->ready);
	dx_list_init(&client->local);
	client->wake_ns = UINT64_MAX;
	dx_list_init(&client->free_slots);
	dx_list_init(&client->unlinks);
	dx_list_init(&client->unlinking);
	dx_usbip_reader_want(&client->reader, client->header, sizeof(client->header));
	return client;
}

static const char *reason_of(int result)
{
	switch (result) {
	case -EBUSY:
		return "somebody else uses it";
	case -ENODEV:
		return "the server does not have it";
	case -EPROTO:
		return "what the server says is no USB/IP 1.1.1, or the device's descriptors are "
		       "wrong";
	case -ETIMEDOUT:
		return "the server does not answer";
	case -EPIPE:
		return "the device refuses to tell its descriptors";
	default:
		return strerror(-result);
	}
}

int dx_usbip_open(const char *spec, int fd, const struct dx_usb_backend_host *host, void *host_ctx,
		  char *message, size_t message_size, struct dx_usb_backend **ret_backend)
{
	DX_CLEANUP_FD int own_fd = fd;
	DX_CLEANUP(client_cleanup) struct dx_usbip_client *client = client_new(host, host_ctx);
	int result = client == NULL
			     ? -ENOMEM
			     : dx_usbip_spec_parse(spec, &client->spec, message, message_size);

	if (result < 0) {
		return result;
	}
	if (own_fd < 0) {
		own_fd = dx_usbip_acquire(spec, message, message_size);
		if (own_fd < 0) {
			return own_fd;
		}
	}
	client->fd = dx_take_fd(&own_fd);
	result = import_device(client, spec);
	if (result == 0) {
		result = watch(client);
	}
	if (result < 0) {
		(void)snprintf(message, message_size, "device \"%s\": %s", spec, reason_of(result));
		return result;
	}
	*ret_backend = (struct dx_usb_backend *)(void *)dx_take_ptr(&client);
	return 0;
}

void dx_usbip_close(struct dx_usb_backend *backend)
{
	client_free((struct dx_usbip_client *)(void *)backend);
}
