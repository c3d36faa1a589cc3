/* SPDX-License-Identifier: MIT
 *
 * simple - one interface with one IN and one OUT endpoint, of any type, size and number.
 *
 * Place:      backend/virtual. "virtual:source-sink,..." and "virtual:loopback,..."; described.c
 *             does what the endpoints do. What has more endpoints is a description file.
 */
#include <errno.h>

#include "backend/virtual/catalog.h"
#include "backend/virtual/preset.h"
#include "base/cleanup.h"
#include "usb/backend.h"

static const char *const type_names[] = {"isochronous", "bulk", "interrupt", NULL};

static void free_cleanup(struct dx_description **description)
{
	(void)dx_description_free(*description);
}

/* packet=, as far as the speed allows it for this type. */
static uint16_t read_packet(struct dx_options *options, uint8_t speed, uint8_t type)
{
	uint16_t maximum = dx_description_max_packet(speed, type);
	uint16_t minimum = type != DX_USB_BULK ? 1 : speed == DX_USB_SPEED_FULL ? 8 : maximum;
	uint16_t packet = 0;

	if (maximum == 0) {
		dx_options_fail(options, "type=%s: does not exist at low speed",
				type_names[type - 1]);
		return 0;
	}
	packet = (uint16_t)dx_options_number(options, "packet", minimum, maximum, maximum);
	if (type == DX_USB_BULK && (packet & (packet - 1)) != 0) {
		dx_options_fail(options, "packet=%u: not one of 8, 16, 32, 64", packet);
	}
	return packet;
}

/* bInterval counts milliseconds, or is the exponent of 2 of its unit. */
static uint8_t read_interval(struct dx_options *options, uint8_t speed, uint8_t type)
{
	bool is_slow = speed == DX_USB_SPEED_FULL || speed == DX_USB_SPEED_LOW;
	bool is_count = type == DX_USB_BULK || (type == DX_USB_INTERRUPT && is_slow);

	return (uint8_t)dx_options_number(options, "interval", type != DX_USB_BULK,
					  is_count ? 255 : 16,
					  type == DX_USB_BULK	      ? 0
					  : speed == DX_USB_SPEED_LOW ? 10
								      : 4);
}

static struct dx_described_endpoint read_endpoint(struct dx_options *options, uint8_t speed)
{
	unsigned usual = speed == DX_USB_SPEED_LOW ? DX_USB_INTERRUPT : DX_USB_BULK;
	uint8_t type = (uint8_t)(1 + dx_options_choice(options, "type", type_names, usual - 1));

	return (struct dx_described_endpoint){
		.type = type,
		.max_packet = read_packet(options, speed, type),
		.interval = read_interval(options, speed, type),
	};
}

static void read_interface(struct dx_options *options, struct dx_described_interface *interface)
{
	struct dx_described_setting *setting = &interface->settings[0];

	interface->nr_settings = 1;
	setting->interface_class = (uint8_t)dx_options_number(options, "class", 0, 255, 255);
	setting->interface_subclass = (uint8_t)dx_options_number(options, "subclass", 0, 255, 0);
	setting->interface_protocol = (uint8_t)dx_options_number(options, "protocol", 0, 255, 0);
}

static int describe(struct dx_options *options, const struct dx_preset *preset,
		    struct dx_description **ret_description)
{
	int result = dx_preset_describe(preset, options, DX_USB_SPEED_HIGH, ret_description);

	if (result < 0) {
		return result;
	}
	(*ret_description)->configurations[0].nr_interfaces = 1;
	read_interface(options, &(*ret_description)->configurations[0].interfaces[0]);
	return 0;
}

static int describe_source_sink(struct dx_options *options, struct dx_description **ret_description)
{
	static const struct dx_preset preset = {0x0004, "Source and sink", "SOURCESINK01",
						true};
	DX_CLEANUP(free_cleanup) struct dx_description *description = NULL;
	int result = describe(options, &preset, &description);
	struct dx_described_setting *setting = NULL;
	struct dx_described_endpoint endpoint = {0};
	uint8_t in = (uint8_t)dx_options_number(options, "in", 0, 15, 1);
	uint8_t out = (uint8_t)dx_options_number(options, "out", 0, 15, 1);

	if (result < 0) {
		return result;
	}
	setting = &description->configurations[0].interfaces[0].settings[0];
	endpoint = read_endpoint(options, description->speed);
	endpoint.pattern = (uint8_t)dx_options_number(options, "pattern", DX_PATTERN_ZERO,
						      DX_PATTERN_NONE, DX_PATTERN_ZERO);
	description->buffer_bytes =
		(uint32_t)dx_options_number(options, "unit", 64, 65535, description->buffer_bytes);
	if (in != 0) {
		endpoint.address = 0x80 | in;
		endpoint.behaviour = DX_BEHAVIOUR_SOURCE;
		setting->endpoints[setting->nr_endpoints++] = endpoint;
	}
	if (out != 0) {
		endpoint.address = out;
		endpoint.behaviour = DX_BEHAVIOUR_SINK;
		setting->endpoints[setting->nr_endpoints++] = endpoint;
	}
	if (setting->nr_endpoints == 0) {
		dx_options_fail(options, "in=0,out=0: no endpoint is left");
	}
	if (options->result < 0) {
		return options->result;
	}
	*ret_description = dx_take_ptr(&description);
	return 0;
}

static int describe_loopback(struct dx_options *options, struct dx_description **ret_description)
{
	static const struct dx_preset preset = {0x0005, "Loopback", "LOOPBACK0001", true};
	DX_CLEANUP(free_cleanup) struct dx_description *description = NULL;
	int result = describe(options, &preset, &description);
	struct dx_described_setting *setting = NULL;
	struct dx_described_endpoint endpoint = {0};
	uint8_t in = 0x80 | (uint8_t)dx_options_number(options, "in", 1, 15, 1);
	uint8_t out = (uint8_t)dx_options_number(options, "out", 1, 15, 1);

	if (result < 0) {
		return result;
	}
	setting = &description->configurations[0].interfaces[0].settings[0];
	endpoint = read_endpoint(options, description->speed);
	if (endpoint.type == DX_USB_ISOCHRONOUS) {
		dx_options_fail(options, "type=isochronous: a loopback is bulk or interrupt");
	}
	description->fifo_bytes = (uint32_t)dx_options_number(options, "fifo", 4096, 1u << 26,
							      description->fifo_bytes);
	endpoint.behaviour = DX_BEHAVIOUR_LOOPBACK;
	setting->nr_endpoints = 2;
	setting->endpoints[0] = endpoint;
	setting->endpoints[0].address = in;
	setting->endpoints[0].peer = out;
	setting->endpoints[1] = endpoint;
	setting->endpoints[1].address = out;
	setting->endpoints[1].peer = in;
	if (options->result < 0) {
		return options->result;
	}
	*ret_description = dx_take_ptr(&description);
	return 0;
}

/* clang-format off */
#define COMMON_KEYS                                                                             \
	{"speed", DX_SPEED_VALUES_LOW, "high", "decides the packet sizes"},                     \
	{"type", "bulk, interrupt, isochronous", "bulk", "of the endpoints; at low speed interrupt"}, \
	{"packet", "bytes", "largest", "wMaxPacketSize, as far as speed and type allow"},       \
	{"interval", "1..255", "4", "bInterval if not bulk; at most 16 where it is an exponent"}, \
	{"class", "0..255", "255", "bInterfaceClass"},                                          \
	{"subclass", "0..255", "0", "bInterfaceSubClass"},                                      \
	{"protocol", "0..255", "0", "bInterfaceProtocol"}
/* clang-format on */

static const struct dx_model_key source_sink_keys[] = {
	COMMON_KEYS,
	{"in", "0..15", "1", "number of the source; 0: there is none"},
	{"out", "0..15", "1", "number of the sink; 0: there is none"},
	{"pattern", "0..2", "0", "0: zeros; 1: byte i of a packet is i mod 63; 2: anything"},
	{"unit", "64..65535", "4096", "the sink halts after a unit with a wrong byte"},
	{NULL, NULL, NULL, NULL},
};

static const struct dx_model_key loopback_keys[] = {
	COMMON_KEYS,
	{"in", "1..15", "1", "number of the IN endpoint"},
	{"out", "1..15", "1", "number of the OUT endpoint"},
	{"fifo", "4096..64M", "64K", "kept while nobody reads; then OUT waits"},
	{NULL, NULL, NULL, NULL},
};

static const char *const source_sink_notes[] = {
	"The source sends whole packets: an IN buffer that ends inside one is an overrun.",
	"Configuration 1; vendor request 0x5b stores up to `unit` bytes, 0x5c reads them.",
	NULL,
};

static const char *const loopback_notes[] = {
	"A short or zero-length packet ends the IN transfer; whole packets end nothing.",
	"Configuration 1; vendor request 0x5b stores up to 4096 bytes, 0x5c reads them.",
	NULL,
};

const struct dx_model_kind dx_model_source_sink = {
	.name = "source-sink",
	.summary = "a source, a sink or both, on endpoints of any type and size",
	.keys = source_sink_keys,
	.notes = source_sink_notes,
	.describe = describe_source_sink,
};

const struct dx_model_kind dx_model_loopback = {
	.name = "loopback",
	.summary = "what goes out on one endpoint comes in on the other",
	.keys = loopback_keys,
	.notes = loopback_notes,
	.describe = describe_loopback,
};
