/* SPDX-License-Identifier: MIT
 *
 * description - a device in terms of its descriptors and of what its endpoints do.
 *
 * Place:      backend/virtual. Filled by the models and by device_file.c; dx_image_build() makes the
 *             bytes that a host reads.
 */
#ifndef DX_BACKEND_VIRTUAL_DESCRIPTION_H
#define DX_BACKEND_VIRTUAL_DESCRIPTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DX_DESCRIBED_CONFIGURATIONS 4u
#define DX_DESCRIBED_INTERFACES	    8u
#define DX_DESCRIBED_SETTINGS	    4u
#define DX_DESCRIBED_ENDPOINTS	    16u
#define DX_DESCRIBED_STRINGS	    32u
#define DX_DESCRIBED_STRING_UNITS   126u /* UTF-16 units in one string descriptor */
#define DX_DESCRIBED_CLASS_BYTES    96u	 /* class descriptors of one setting */

enum dx_behaviour {
	DX_BEHAVIOUR_NULL = 0, /* never answers: transfers stay pending */
	DX_BEHAVIOUR_SOURCE,   /* IN: as many bytes as asked for, in a pattern */
	DX_BEHAVIOUR_SINK,     /* OUT: takes everything, checks the pattern */
	DX_BEHAVIOUR_LOOPBACK, /* OUT comes back on the peer, packet ends kept */
};

enum dx_pattern {
	DX_PATTERN_ZERO = 0,
	DX_PATTERN_MOD63 = 1, /* byte i of a packet is i % 63 */
	DX_PATTERN_NONE = 2,  /* bytes are neither written nor checked */
};

struct dx_described_endpoint {
	uint8_t address;
	uint8_t type; /* enum dx_usb_transfer_type */
	uint8_t interval;
	uint8_t max_burst; /* super speed: packets per burst - 1 */
	uint8_t mult;	   /* extra packets per interval, 0..2 */
	uint8_t behaviour; /* enum dx_behaviour */
	uint8_t pattern;   /* enum dx_pattern */
	uint8_t peer;	   /* loopback: the other endpoint's address */
	uint16_t max_packet;
};

struct dx_described_setting {
	uint8_t interface_class;
	uint8_t interface_subclass;
	uint8_t interface_protocol;
	uint8_t string;
	uint8_t class_length; /* class descriptors between interface and endpoints, raw */
	uint8_t class_bytes[DX_DESCRIBED_CLASS_BYTES];
	unsigned nr_endpoints;
	struct dx_described_endpoint endpoints[DX_DESCRIBED_ENDPOINTS];
};

/* Several interfaces that are one function; its descriptor precedes that of the first of them. */
struct dx_described_association {
	uint8_t nr_interfaces; /* 0 = none begins here */
	uint8_t function_class;
	uint8_t function_subclass;
	uint8_t function_protocol;
	uint8_t string;
};

struct dx_described_interface {
	uint8_t number;
	struct dx_described_association association;
	unsigned nr_settings; /* setting i has bAlternateSetting i */
	struct dx_described_setting settings[DX_DESCRIBED_SETTINGS];
};

struct dx_described_configuration {
	uint8_t value;
	uint8_t string;
	bool self_powered;
	bool remote_wakeup;
	uint16_t max_power_ma;
	unsigned nr_interfaces;
	struct dx_described_interface interfaces[DX_DESCRIBED_INTERFACES];
};

struct dx_description {
	uint8_t speed; /* enum dx_usb_speed */
	uint16_t vendor;
	uint16_t product;
	uint16_t release;
	uint8_t device_class;
	uint8_t device_subclass;
	uint8_t device_protocol;
	uint8_t manufacturer_string; /* indices into strings, 0 = none */
	uint8_t product_string;
	uint8_t serial_string;
	unsigned nr_strings; /* string index i is strings[i - 1] */
	char *strings[DX_DESCRIBED_STRINGS];
	uint32_t fifo_bytes;   /* of each loopback */
	uint32_t buffer_bytes; /* unit in which a sink checks, size of the vendor echo */
	unsigned nr_configurations;
	struct dx_described_configuration configurations[DX_DESCRIBED_CONFIGURATIONS];
};

/* NULL without memory; sets the defaults. */
struct dx_description *dx_description_new(void);
struct dx_description *dx_description_free(struct dx_description *description);
/* Keeps a copy of UTF-8 text. @return its index 1.., -ENOSPC, -ENOMEM, -EINVAL bad or too long. */
int dx_description_add_string(struct dx_description *description, const char *text);
/* Adds class descriptors to a setting. They are constants of a model: room is asserted. */
void dx_described_setting_add(struct dx_described_setting *setting, const void *bytes,
			      size_t length);
/* Are these bytes whole descriptors that no host takes for an interface, endpoint, ...? */
bool dx_described_class_is_sound(const uint8_t *bytes, size_t length);
/* What bulk endpoints have at that speed: 64, 512, 1024. */
uint16_t dx_description_bulk_packet(uint8_t speed);
/* Largest packet of an endpoint type at that speed; 0 = the type does not exist there. */
uint16_t dx_description_max_packet(uint8_t speed, uint8_t type);
bool dx_description_is_super(uint8_t speed);

/* The bytes that the host reads. */
struct dx_image {
	uint8_t device[18];
	uint8_t bos[64];
	size_t bos_length; /* 0 = none */
	unsigned nr_configurations;
	uint8_t *configurations[DX_DESCRIBED_CONFIGURATIONS];
	size_t configuration_lengths[DX_DESCRIBED_CONFIGURATIONS];
};

/* -ENOMEM. container: 16 bytes that name this device. */
int dx_image_build(struct dx_image *image, const struct dx_description *description,
		   const uint8_t *container);
void dx_image_fini(struct dx_image *image);
/* String descriptor `index` (0: languages) into room for 255 bytes. @return length, -ENOENT. */
int dx_description_string(const struct dx_description *description, uint8_t index,
			  uint8_t *ret_bytes);

#endif
