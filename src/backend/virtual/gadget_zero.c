/* SPDX-License-Identifier: MIT
 *
 * gadget_zero - the description of a device like Linux's Gadget Zero, 0525:a4a0.
 *
 * Place:      backend/virtual. "virtual:gadget-zero,key=value..."
 *
 *   configuration 3  interface 0: source 0x81 and sink 0x01 (bulk);
 *                    alternate setting 1 adds isochronous source 0x82 and sink 0x02
 *   configuration 2  interface 0: loopback, bulk OUT 0x01 to bulk IN 0x81
 *
 * mode= decides which of them comes first, which is the one that a host prefers.
 */
#include <errno.h>

#include "backend/virtual/catalog.h"
#include "backend/virtual/preset.h"
#include "base/cleanup.h"
#include "usb/backend.h"

enum mode {
	MODE_SOURCE_SINK = 0,
	MODE_LOOPBACK = 1,
};

static const char *const mode_names[] = {"source-sink", "loopback", NULL};
enum string_index {
	STRING_MANUFACTURER = 1,
	STRING_PRODUCT,
	STRING_SERIAL,
	STRING_SOURCE_SINK,
	STRING_LOOPBACK,
};

static int add_strings(struct dx_description *description)
{
	static const char *const texts[] = {
		"OpenDext",
		"Gadget Zero",
		"0123456789.0123456789.0123456789",
		"source and sink data",
		"loop input to output",
	};

	for (unsigned i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		int result = dx_description_add_string(description, texts[i]);

		if (result < 0) {
			return result;
		}
	}
	description->manufacturer_string = STRING_MANUFACTURER;
	description->product_string = STRING_PRODUCT;
	description->serial_string = STRING_SERIAL;
	return 0;
}

static struct dx_described_endpoint bulk(const struct dx_description *description,
					 uint8_t address, enum dx_behaviour behaviour,
					 enum dx_pattern pattern)
{
	return (struct dx_described_endpoint){
		.address = address,
		.type = DX_USB_BULK,
		.max_packet = dx_description_bulk_packet(description->speed),
		.behaviour = behaviour,
		.pattern = pattern,
		.peer = address ^ 0x80,
	};
}

static struct dx_described_endpoint isoch(const struct dx_description *description,
					  uint8_t address, enum dx_behaviour behaviour,
					  enum dx_pattern pattern)
{
	return (struct dx_described_endpoint){
		.address = address,
		.type = DX_USB_ISOCHRONOUS,
		.interval = 4,
		.max_packet = dx_description_max_packet(description->speed, DX_USB_ISOCHRONOUS),
		.behaviour = behaviour,
		.pattern = pattern,
	};
}

static void describe_source_sink(struct dx_description *description,
				 struct dx_described_configuration *configuration,
				 enum dx_pattern pattern)
{
	struct dx_described_interface *interface = &configuration->interfaces[0];

	*configuration = (struct dx_described_configuration){
		.value = 3,
		.string = STRING_SOURCE_SINK,
		.self_powered = true,
		.nr_interfaces = 1,
	};
	interface->nr_settings = 2;
	for (unsigned i = 0; i < 2; i++) {
		struct dx_described_setting *setting = &interface->settings[i];

		setting->interface_class = 0xFF;
		setting->nr_endpoints = i == 0 ? 2 : 4;
		setting->endpoints[0] = bulk(description, 0x81, DX_BEHAVIOUR_SOURCE, pattern);
		setting->endpoints[1] = bulk(description, 0x01, DX_BEHAVIOUR_SINK, pattern);
		setting->endpoints[2] = isoch(description, 0x82, DX_BEHAVIOUR_SOURCE, pattern);
		setting->endpoints[3] = isoch(description, 0x02, DX_BEHAVIOUR_SINK, pattern);
	}
}

static void describe_loopback(struct dx_description *description,
			      struct dx_described_configuration *configuration)
{
	struct dx_described_setting *setting = &configuration->interfaces[0].settings[0];

	*configuration = (struct dx_described_configuration){
		.value = 2,
		.string = STRING_LOOPBACK,
		.self_powered = true,
		.nr_interfaces = 1,
	};
	configuration->interfaces[0].nr_settings = 1;
	setting->interface_class = 0xFF;
	setting->nr_endpoints = 2;
	setting->endpoints[0] = bulk(description, 0x81, DX_BEHAVIOUR_LOOPBACK, DX_PATTERN_NONE);
	setting->endpoints[1] = bulk(description, 0x01, DX_BEHAVIOUR_LOOPBACK, DX_PATTERN_NONE);
}

static void free_cleanup(struct dx_description **description)
{
	(void)dx_description_free(*description);
}

static int describe(struct dx_options *options, struct dx_description **ret_description)
{
	DX_CLEANUP(free_cleanup) struct dx_description *description = dx_description_new();
	unsigned mode = dx_options_choice(options, "mode", mode_names, MODE_SOURCE_SINK);
	enum dx_pattern pattern = (enum dx_pattern)dx_options_number(
		options, "pattern", DX_PATTERN_ZERO, DX_PATTERN_NONE, DX_PATTERN_ZERO);
	int result = description == NULL ? -ENOMEM : add_strings(description);

	if (result < 0) {
		return result;
	}
	description->speed = dx_preset_speed(options, DX_USB_SPEED_SUPER, false);
	description->fifo_bytes = (uint32_t)dx_options_number(
		options, "fifo", 4096, 1u << 26, description->fifo_bytes);
	description->vendor = 0x0525;
	description->product = 0xA4A0;
	description->release = 0x0601;
	description->device_class = 0xFF;
	description->nr_configurations = 2;
	describe_source_sink(description, &description->configurations[mode == MODE_LOOPBACK],
			     pattern);
	describe_loopback(description, &description->configurations[mode != MODE_LOOPBACK]);
	if (options->result < 0) {
		return options->result;
	}
	*ret_description = dx_take_ptr(&description);
	return 0;
}

static const struct dx_model_key keys[] = {
	{"mode", "source-sink, loopback", "source-sink", "which configuration comes first"},
	{"speed", DX_SPEED_VALUES, "super", "bulk packets of 64, 512, 1024, 1024 bytes"},
	{"pattern", "0..2", "0", "0: zeros; 1: byte i of a packet is i mod 63; 2: anything"},
	{"fifo", "4096..64M", "64K", "kept by the loopback while nobody reads; then OUT waits"},
	{NULL, NULL, NULL, NULL},
};

static const char *const notes[] = {
	"Configuration 3: source 0x81 and sink 0x01; isochronous 0x82, 0x02 in setting 1.",
	"Configuration 2: what goes to bulk OUT 0x01 comes back on bulk IN 0x81.",
	"The sink halts after a unit of 4096 bytes with a wrong byte, as on Linux.",
	"The source sends whole packets: an IN buffer that ends inside one is an overrun.",
	NULL,
};

const struct dx_model_kind dx_model_gadget_zero = {
	.name = "gadget-zero",
	.summary = "source, sink and loopback like Linux's Gadget Zero, 0525:a4a0",
	.keys = keys,
	.notes = notes,
	.describe = describe,
};
