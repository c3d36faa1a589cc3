/* SPDX-License-Identifier: MIT
 *
 * cache - descriptors: those read at attach, and those fetched once with GET_DESCRIPTOR.
 *
 * Place:      usb, part of device.
 * Trust:      what the device answers is bounded by the request; a string's bLength is checked.
 * Limits:     DX_USB_MAX_CACHED fetched descriptors are kept; more are fetched each time.
 * Threads:    any.
 */
#include "usb/private.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "usb/descriptor.h"

#define REQUEST_GET_DESCRIPTOR 6
#define LANGUAGE_ENGLISH_US    0x0409
#define MAX_STRING	       255u

void dx_usb_cache_free(struct dx_usb_device *device)
{
	while (!dx_list_is_empty(&device->cache)) {
		struct dx_list *node = dx_list_pop_front(&device->cache);

		free(dx_list_entry(node, struct dx_usb_cached, link));
	}
}

const uint8_t *dx_usb_device_descriptor(const struct dx_usb_device *device)
{
	return device->info->device;
}

const uint8_t *dx_usb_device_configuration_at(const struct dx_usb_device *device, uint8_t index,
					      size_t *ret_length)
{
	if (index >= device->info->nr_configurations) {
		return NULL;
	}
	*ret_length = device->info->configuration_lengths[index];
	return device->info->configurations[index];
}

const uint8_t *dx_usb_device_configuration_with_value(const struct dx_usb_device *device,
						      uint8_t value, size_t *ret_length)
{
	for (unsigned i = 0; i < device->info->nr_configurations; i++) {
		size_t length = 0;
		const uint8_t *bytes = dx_usb_device_configuration_at(device, (uint8_t)i, &length);

		if (bytes[5] == value) {
			*ret_length = length;
			return bytes;
		}
	}
	return NULL;
}

const uint8_t *dx_usb_device_bos(const struct dx_usb_device *device, size_t *ret_length)
{
	if (device->info->bos == NULL) {
		return NULL;
	}
	*ret_length = device->info->bos_length;
	return device->info->bos;
}

/* What was read at attach. */
static const uint8_t *find_static(const struct dx_usb_device *device, uint8_t type, uint8_t index,
				  size_t *ret_length)
{
	switch (type) {
	case DX_USB_DESC_DEVICE:
		*ret_length = sizeof(device->info->device);
		return index == 0 ? device->info->device : NULL;
	case DX_USB_DESC_CONFIGURATION:
		return dx_usb_device_configuration_at(device, index, ret_length);
	case DX_USB_DESC_BOS:
		return index == 0 ? dx_usb_device_bos(device, ret_length) : NULL;
	default:
		return NULL;
	}
}

static struct dx_usb_cached *find_cached_locked(struct dx_usb_device *device,
						const struct dx_usb_cached *key)
	DX_REQUIRES(device->lock)
{
	dx_list_for_each(node, &device->cache)
	{
		struct dx_usb_cached *cached = dx_list_entry(node, struct dx_usb_cached, link);

		if (cached->type == key->type && cached->index == key->index &&
		    cached->language == key->language &&
		    cached->request_type == key->request_type &&
		    cached->recipient == key->recipient) {
			return cached;
		}
	}
	return NULL;
}

/* Keeps what was fetched; not keeping it is no error. */
static void remember_locked(struct dx_usb_device *device, const struct dx_usb_cached *key,
			    const uint8_t *bytes, uint16_t length) DX_REQUIRES(device->lock)
{
	struct dx_usb_cached *cached = NULL;

	if (device->nr_cached >= DX_USB_MAX_CACHED || find_cached_locked(device, key) != NULL) {
		return;
	}
	cached = malloc(sizeof(*cached) + length);
	if (cached == NULL) {
		return;
	}
	*cached = *key;
	cached->length = length;
	memcpy(cached->bytes, bytes, length);
	dx_list_push_back(&device->cache, &cached->link);
	device->nr_cached++;
}

static int32_t fetch_locked(struct dx_usb_device *device, const struct dx_usb_cached *key,
			    uint8_t *buffer, uint16_t *length) DX_REQUIRES(device->lock)
{
	struct dx_usb_setup setup = {
		.bmRequestType = (uint8_t)(0x80 | key->request_type << 5 | key->recipient),
		.bRequest = REQUEST_GET_DESCRIPTOR,
		.wValue = (uint16_t)(key->type << 8 | key->index),
		.wIndex = key->language,
		.wLength = *length,
	};
	uint32_t actual = 0;
	int32_t status = dx_usb_control_locked(device, NULL, &setup, buffer,
					       DX_USB_STANDARD_TIMEOUT_MS, &actual);

	if (status != DX_USB_OK) {
		return status;
	}
	/* Only a whole descriptor is worth keeping: one whose own length has arrived. */
	if (actual >= 2 && buffer[0] >= 2 && buffer[0] <= actual) {
		remember_locked(device, key, buffer, (uint16_t)actual);
	}
	*length = (uint16_t)actual;
	return DX_USB_OK;
}

static void copy_bounded(void *buffer, uint16_t *length, const uint8_t *bytes, size_t available)
{
	if (available < *length) {
		*length = (uint16_t)available;
	}
	memcpy(buffer, bytes, *length);
}

static int32_t copy_descriptor_locked(struct dx_usb_device *device,
				      const struct dx_usb_cached *key, void *buffer,
				      uint16_t *length) DX_REQUIRES(device->lock)
{
	const struct dx_usb_cached *cached = find_cached_locked(device, key);
	size_t available = 0;
	const uint8_t *known = NULL;

	if (key->request_type == 0 && key->recipient == 0) {
		known = find_static(device, key->type, key->index, &available);
	}
	if (known != NULL) {
		copy_bounded(buffer, length, known, available);
		return DX_USB_OK;
	}
	if (cached != NULL && (cached->length >= *length || cached->bytes[0] == cached->length)) {
		copy_bounded(buffer, length, cached->bytes, cached->length);
		return DX_USB_OK;
	}
	return fetch_locked(device, key, buffer, length);
}

int32_t dx_usb_device_copy_descriptor(struct dx_usb_device *device, uint8_t type,
				      uint16_t *length, uint8_t index, uint16_t language,
				      uint8_t request_type, uint8_t recipient, void *buffer)
{
	struct dx_usb_cached key = {
		.type = type,
		.index = index,
		.language = language,
		.request_type = request_type,
		.recipient = recipient,
	};
	int32_t status = DX_USB_OK;

	if (length == NULL || buffer == NULL || *length == 0 || request_type > 2 ||
	    recipient > 31) {
		return DX_USB_BAD_ARGUMENT;
	}
	dx_mutex_lock(&device->lock);
	status = device->gone ? DX_USB_NO_DEVICE
			      : copy_descriptor_locked(device, &key, buffer, length);
	dx_mutex_unlock(&device->lock);
	return status;
}

uint8_t *dx_usb_device_copy_string(struct dx_usb_device *device, uint8_t index, uint16_t language,
				   size_t *ret_length)
{
	DX_CLEANUP_FREE uint8_t *bytes = calloc(1, MAX_STRING);
	uint16_t length = MAX_STRING;

	if (bytes == NULL || dx_usb_device_copy_descriptor(device, DX_USB_DESC_STRING, &length,
							   index, language, 0, 0,
							   bytes) != DX_USB_OK) {
		return NULL;
	}
	if (length < 2 || bytes[0] < 2 || bytes[1] != DX_USB_DESC_STRING) {
		return NULL;
	}
	if (bytes[0] > length) { /* cut: say so in the copy, so that nobody reads beyond */
		bytes[0] = (uint8_t)length;
	}
	*ret_length = bytes[0];
	return dx_take_ptr(&bytes);
}

/* One code point of UTF-16; a lone surrogate becomes U+FFFD, a control character a space. */
static uint32_t next_code_point(const uint8_t *bytes, size_t length, size_t *at)
{
	uint32_t unit = dx_usb_get16(bytes + *at);

	*at += 2;
	if (unit >= 0xD800 && unit < 0xDC00 && *at + 2 <= length) {
		uint32_t low = dx_usb_get16(bytes + *at);

		if (low >= 0xDC00 && low < 0xE000) {
			*at += 2;
			return 0x10000 + ((unit - 0xD800) << 10) + (low - 0xDC00);
		}
	}
	if (unit >= 0xD800 && unit < 0xE000) {
		return 0xFFFD;
	}
	return unit < 0x20 || (unit >= 0x7F && unit < 0xA0) ? ' ' : unit;
}

static size_t put_utf8(char *to, uint32_t code)
{
	if (code < 0x80) {
		to[0] = (char)code;
		return 1;
	}
	if (code < 0x800) {
		to[0] = (char)(0xC0 | code >> 6);
		to[1] = (char)(0x80 | (code & 0x3F));
		return 2;
	}
	if (code < 0x10000) {
		to[0] = (char)(0xE0 | code >> 12);
		to[1] = (char)(0x80 | (code >> 6 & 0x3F));
		to[2] = (char)(0x80 | (code & 0x3F));
		return 3;
	}
	to[0] = (char)(0xF0 | code >> 18);
	to[1] = (char)(0x80 | (code >> 12 & 0x3F));
	to[2] = (char)(0x80 | (code >> 6 & 0x3F));
	to[3] = (char)(0x80 | (code & 0x3F));
	return 4;
}

char *dx_usb_device_copy_text(struct dx_usb_device *device, uint8_t index)
{
	size_t length = 0;
	size_t used = 0;
	DX_CLEANUP_FREE uint8_t *bytes = NULL;
	DX_CLEANUP_FREE char *text = NULL;

	if (index == 0) {
		return NULL;
	}
	bytes = dx_usb_device_copy_string(device, index, LANGUAGE_ENGLISH_US, &length);
	text = bytes == NULL ? NULL : malloc(length * 2 + 1); /* 2 bytes become 3 at most */
	if (text == NULL) {
		return NULL;
	}
	for (size_t at = 2; at + 2 <= length;) {
		used += put_utf8(text + used, next_code_point(bytes, length, &at));
	}
	text[used] = '\0';
	return dx_take_ptr(&text);
}
