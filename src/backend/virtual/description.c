/* SPDX-License-Identifier: MIT
 *
 * description - from a description to the descriptors that a host reads.
 *
 * Place:      backend/virtual; see description.h.
 */
#include "backend/virtual/description.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "usb/backend.h"

#define LANGUAGE_ENGLISH_US 0x0409u

struct dx_description *dx_description_new(void)
{
	struct dx_description *description = calloc(1, sizeof(*description));

	if (description != NULL) {
		description->speed = DX_USB_SPEED_SUPER;
		description->fifo_bytes = 65536;
		description->buffer_bytes = 4096;
	}
	return description;
}

struct dx_description *dx_description_free(struct dx_description *description)
{
	if (description != NULL) {
		for (unsigned i = 0; i < description->nr_strings; i++) {
			free(description->strings[i]);
		}
		free(description);
	}
	return NULL;
}

bool dx_description_is_super(uint8_t speed)
{
	return speed >= DX_USB_SPEED_SUPER;
}

uint16_t dx_description_bulk_packet(uint8_t speed)
{
	if (dx_description_is_super(speed)) {
		return 1024;
	}
	return speed == DX_USB_SPEED_HIGH ? 512 : 64;
}

uint16_t dx_description_max_packet(uint8_t speed, uint8_t type)
{
	if (speed == DX_USB_SPEED_LOW) {
		return type == DX_USB_INTERRUPT ? 8 : 0;
	}
	if (type == DX_USB_BULK) {
		return dx_description_bulk_packet(speed);
	}
	if (speed == DX_USB_SPEED_FULL) {
		return type == DX_USB_INTERRUPT ? 64 : 1023;
	}
	return 1024;
}

void dx_described_setting_add(struct dx_described_setting *setting, const void *bytes,
			      size_t length)
{
	assert(length <= sizeof(setting->class_bytes) - setting->class_length);
	memcpy(setting->class_bytes + setting->class_length, bytes, length);
	setting->class_length += (uint8_t)length;
}

bool dx_described_class_is_sound(const uint8_t *bytes, size_t length)
{
	for (size_t at = 0; at < length; at += bytes[at]) {
		if (length - at < 2 || bytes[at] < 2 || bytes[at] > length - at) {
			return false;
		}
		/* Class types begin at 0x21; 0x30 is the companion of an endpoint. */
		if (bytes[at + 1] < 0x21 || bytes[at + 1] == 0x30) {
			return false;
		}
	}
	return true;
}

/* ---- strings ---- */

/* Continuation bytes behind a first byte of UTF-8; -1 for one that cannot be first. */
static int nr_continuations(unsigned char first)
{
	if (first < 0x80) {
		return 0;
	}
	if (first < 0xC2 || first > 0xF4) {
		return -1;
	}
	return first < 0xE0 ? 1 : first < 0xF0 ? 2 : 3;
}

/* One code point; -EINVAL for what is not UTF-8. */
static int next_utf8(const unsigned char **text, uint32_t *ret_code)
{
	const unsigned char *at = *text;
	int more = nr_continuations(at[0]);
	uint32_t code = 0;

	if (more < 0) {
		return -EINVAL;
	}
	code = more == 0 ? at[0] : at[0] & (0x3Fu >> more);
	for (int i = 1; i <= more; i++) {
		if ((at[i] & 0xC0) != 0x80) {
			return -EINVAL;
		}
		code = code << 6 | (at[i] & 0x3F);
	}
	if ((more == 2 && (code < 0x800 || (code >= 0xD800 && code < 0xE000))) ||
	    (more == 3 && (code < 0x10000 || code > 0x10FFFF))) {
		return -EINVAL;
	}
	*text = at + more + 1;
	*ret_code = code;
	return 0;
}

static void put_unit(uint8_t *bytes, int index, uint32_t unit)
{
	bytes[2 * index] = (uint8_t)unit;
	bytes[2 * index + 1] = (uint8_t)(unit >> 8);
}

/* UTF-8 to UTF-16LE. @return number of units, -EINVAL. */
static int encode_string(const char *text, uint8_t *ret_bytes)
{
	const unsigned char *at = (const unsigned char *)text;
	int units = 0;

	while (*at != '\0') {
		uint32_t code = 0;

		if (next_utf8(&at, &code) < 0 ||
		    units + (code >= 0x10000) >= (int)DX_DESCRIBED_STRING_UNITS) {
			return -EINVAL;
		}
		if (code >= 0x10000) {
			put_unit(ret_bytes, units++, 0xD800 + ((code - 0x10000) >> 10));
			code = 0xDC00 + ((code - 0x10000) & 0x3FF);
		}
		put_unit(ret_bytes, units++, code);
	}
	return units;
}

int dx_description_add_string(struct dx_description *description, const char *text)
{
	uint8_t scratch[2 * DX_DESCRIBED_STRING_UNITS];
	char *copy = NULL;

	if (description->nr_strings == DX_DESCRIBED_STRINGS) {
		return -ENOSPC;
	}
	if (encode_string(text, scratch) < 0) {
		return -EINVAL;
	}
	copy = strdup(text);
	if (copy == NULL) {
		return -ENOMEM;
	}
	description->strings[description->nr_strings++] = copy;
	return (int)description->nr_strings;
}

int dx_description_string(const struct dx_description *description, uint8_t index,
			  uint8_t *ret_bytes)
{
	int units = 1;

	if (index > description->nr_strings) {
		return -ENOENT;
	}
	if (index == 0) {
		put_unit(ret_bytes + 2, 0, LANGUAGE_ENGLISH_US);
	} else {
		units = encode_string(description->strings[index - 1], ret_bytes + 2);
	}
	ret_bytes[0] = (uint8_t)(2 + 2 * units);
	ret_bytes[1] = 3;
	return ret_bytes[0];
}

/* ---- descriptors ---- */

struct writer {
	uint8_t *bytes;
	size_t used;
};

static void put8(struct writer *writer, unsigned value)
{
	writer->bytes[writer->used++] = (uint8_t)value;
}

static void put16(struct writer *writer, unsigned value)
{
	put8(writer, value & 0xFF);
	put8(writer, value >> 8);
}

static void put32(struct writer *writer, uint32_t value)
{
	put16(writer, value & 0xFFFF);
	put16(writer, value >> 16);
}

static void put_companion(struct writer *writer, const struct dx_described_endpoint *endpoint)
{
	bool periodic = endpoint->type == DX_USB_ISOCHRONOUS || endpoint->type == DX_USB_INTERRUPT;
	unsigned bytes_per_interval = (unsigned)endpoint->max_packet * (endpoint->max_burst + 1u) *
				      (endpoint->mult + 1u);

	put8(writer, 6);
	put8(writer, 48);
	put8(writer, endpoint->max_burst);
	put8(writer, endpoint->type == DX_USB_ISOCHRONOUS ? endpoint->mult : 0);
	put16(writer, periodic ? bytes_per_interval : 0);
}

static void put_endpoint(struct writer *writer, uint8_t speed,
			 const struct dx_described_endpoint *endpoint)
{
	unsigned mult = speed == DX_USB_SPEED_HIGH ? endpoint->mult : 0u;

	put8(writer, 7);
	put8(writer, 5);
	put8(writer, endpoint->address);
	put8(writer, endpoint->type);
	put16(writer, endpoint->max_packet | mult << 11);
	put8(writer, endpoint->interval);
	if (dx_description_is_super(speed)) {
		put_companion(writer, endpoint);
	}
}

static void put_association(struct writer *writer, const struct dx_described_interface *interface)
{
	const struct dx_described_association *association = &interface->association;

	if (association->nr_interfaces == 0) {
		return;
	}
	put8(writer, 8);
	put8(writer, 11);
	put8(writer, interface->number);
	put8(writer, association->nr_interfaces);
	put8(writer, association->function_class);
	put8(writer, association->function_subclass);
	put8(writer, association->function_protocol);
	put8(writer, association->string);
}

static void put_interface(struct writer *writer, uint8_t speed,
			  const struct dx_described_interface *interface)
{
	put_association(writer, interface);
	for (unsigned i = 0; i < interface->nr_settings; i++) {
		const struct dx_described_setting *setting = &interface->settings[i];

		put8(writer, 9);
		put8(writer, 4);
		put8(writer, interface->number);
		put8(writer, i);
		put8(writer, setting->nr_endpoints);
		put8(writer, setting->interface_class);
		put8(writer, setting->interface_subclass);
		put8(writer, setting->interface_protocol);
		put8(writer, setting->string);
		memcpy(writer->bytes + writer->used, setting->class_bytes, setting->class_length);
		writer->used += setting->class_length;
		for (unsigned e = 0; e < setting->nr_endpoints; e++) {
			put_endpoint(writer, speed, &setting->endpoints[e]);
		}
	}
}

static size_t room_for(const struct dx_described_configuration *configuration)
{
	size_t room = 9;

	for (unsigned i = 0; i < configuration->nr_interfaces; i++) {
		const struct dx_described_interface *interface = &configuration->interfaces[i];

		room += 8;
		for (unsigned s = 0; s < interface->nr_settings; s++) {
			room += 9 + (size_t)interface->settings[s].nr_endpoints * 13 +
				interface->settings[s].class_length;
		}
	}
	return room;
}

static int build_configuration(struct dx_image *image, const struct dx_description *description,
			       const struct dx_described_configuration *configuration)
{
	bool is_super = dx_description_is_super(description->speed);
	uint8_t *bytes = malloc(room_for(configuration));
	struct writer writer = {.bytes = bytes};

	if (bytes == NULL) {
		return -ENOMEM;
	}
	put8(&writer, 9);
	put8(&writer, 2);
	put16(&writer, 0);
	put8(&writer, configuration->nr_interfaces);
	put8(&writer, configuration->value);
	put8(&writer, configuration->string);
	put8(&writer, 0x80u | (configuration->self_powered ? 0x40u : 0u) |
			      (configuration->remote_wakeup ? 0x20u : 0u));
	put8(&writer, configuration->max_power_ma / (is_super ? 8u : 2u));
	for (unsigned i = 0; i < configuration->nr_interfaces; i++) {
		put_interface(&writer, description->speed, &configuration->interfaces[i]);
	}
	bytes[2] = (uint8_t)writer.used;
	bytes[3] = (uint8_t)(writer.used >> 8);
	image->configurations[image->nr_configurations] = bytes;
	image->configuration_lengths[image->nr_configurations++] = writer.used;
	return 0;
}

static unsigned usb_release(uint8_t speed)
{
	if (!dx_description_is_super(speed)) {
		return 0x0200;
	}
	return speed == DX_USB_SPEED_SUPER ? 0x0300 : 0x0310;
}

/* bMaxPacketSize0; an exponent at super speed. */
static unsigned control_packet(uint8_t speed)
{
	if (dx_description_is_super(speed)) {
		return 9;
	}
	return speed == DX_USB_SPEED_LOW ? 8 : 64;
}

static void build_device(struct dx_image *image, const struct dx_description *description)
{
	struct writer writer = {.bytes = image->device};

	put8(&writer, 18);
	put8(&writer, 1);
	put16(&writer, usb_release(description->speed));
	put8(&writer, description->device_class);
	put8(&writer, description->device_subclass);
	put8(&writer, description->device_protocol);
	put8(&writer, control_packet(description->speed));
	put16(&writer, description->vendor);
	put16(&writer, description->product);
	put16(&writer, description->release);
	put8(&writer, description->manufacturer_string);
	put8(&writer, description->product_string);
	put8(&writer, description->serial_string);
	put8(&writer, description->nr_configurations);
}

/* USB 2.0 extension, SuperSpeed, container id. */
static void build_bos(struct dx_image *image, const uint8_t *container)
{
	struct writer writer = {.bytes = image->bos};

	put8(&writer, 5);
	put8(&writer, 15);
	put16(&writer, 5 + 7 + 10 + 20);
	put8(&writer, 3);

	put8(&writer, 7);
	put8(&writer, 16);
	put8(&writer, 2);
	put32(&writer, 0x2); /* link power management */

	put8(&writer, 10);
	put8(&writer, 16);
	put8(&writer, 3);
	put8(&writer, 0);
	put16(&writer, 0xE); /* full, high, super */
	put8(&writer, 1);
	put8(&writer, 1);
	put16(&writer, 0);

	put8(&writer, 20);
	put8(&writer, 16);
	put8(&writer, 4);
	put8(&writer, 0);
	memcpy(image->bos + writer.used, container, 16);
	image->bos_length = writer.used + 16;
}

int dx_image_build(struct dx_image *image, const struct dx_description *description,
		   const uint8_t *container)
{
	*image = (struct dx_image){0};
	build_device(image, description);
	if (dx_description_is_super(description->speed)) {
		build_bos(image, container);
	}
	for (unsigned i = 0; i < description->nr_configurations; i++) {
		int result =
			build_configuration(image, description, &description->configurations[i]);

		if (result < 0) {
			dx_image_fini(image);
			return result;
		}
	}
	return 0;
}

void dx_image_fini(struct dx_image *image)
{
	for (unsigned i = 0; i < image->nr_configurations; i++) {
		free(image->configurations[i]);
	}
	*image = (struct dx_image){0};
}
