/* SPDX-License-Identifier: MIT
 *
 * preset - the beginning of a model's description; see preset.h.
 *
 * Place:      backend/virtual.
 * Ids:        0x1209 is the vendor id that pid.codes shares out; its first products are for tests.
 */
#include "backend/virtual/preset.h"

#include <errno.h>

#include "base/cleanup.h"
#include "usb/backend.h"

#define TEST_VENDOR 0x1209u

static const char *const speed_names[] = {"low", "full", "high", "super", "super-plus", NULL};
static const uint8_t speeds[] = {DX_USB_SPEED_LOW, DX_USB_SPEED_FULL, DX_USB_SPEED_HIGH,
				 DX_USB_SPEED_SUPER, DX_USB_SPEED_SUPER_PLUS};

uint8_t dx_preset_speed(struct dx_options *options, uint8_t fallback, bool has_low)
{
	unsigned first = has_low ? 0 : 1;
	unsigned index = first;

	while (speeds[index] != fallback) {
		index++;
	}
	return speeds[first +
		      dx_options_choice(options, "speed", speed_names + first, index - first)];
}

static void free_cleanup(struct dx_description **description)
{
	(void)dx_description_free(*description);
}

int dx_preset_describe(const struct dx_preset *preset, struct dx_options *options, uint8_t speed,
		       struct dx_description **ret_description)
{
	DX_CLEANUP(free_cleanup) struct dx_description *description = dx_description_new();

	if (description == NULL || dx_description_add_string(description, "OpenDext") < 0 ||
	    dx_description_add_string(description, preset->product) < 0 ||
	    dx_description_add_string(description, preset->serial) < 0) {
		return -ENOMEM;
	}
	description->manufacturer_string = 1;
	description->product_string = 2;
	description->serial_string = 3;
	description->speed = dx_preset_speed(options, speed, preset->has_low);
	description->vendor = TEST_VENDOR;
	description->product = preset->product_id;
	description->release = 0x0100;
	description->nr_configurations = 1;
	description->configurations[0].value = 1;
	description->configurations[0].max_power_ma = 100;
	*ret_description = dx_take_ptr(&description);
	return 0;
}

struct dx_described_endpoint dx_preset_bulk(const struct dx_description *description,
					    uint8_t address)
{
	return (struct dx_described_endpoint){
		.address = address,
		.type = DX_USB_BULK,
		.max_packet = dx_description_bulk_packet(description->speed),
		.peer = address ^ 0x80,
	};
}

struct dx_described_endpoint dx_preset_interrupt(const struct dx_description *description,
						 uint8_t address, uint16_t max_packet,
						 unsigned interval_ms)
{
	/* From high speed on the interval is 2^(n-1) times 125 us. */
	bool is_slow =
		description->speed == DX_USB_SPEED_FULL || description->speed == DX_USB_SPEED_LOW;
	unsigned exponent = 4 + (unsigned)__builtin_ctz(interval_ms);

	return (struct dx_described_endpoint){
		.address = address,
		.type = DX_USB_INTERRUPT,
		.max_packet = max_packet,
		.interval = (uint8_t)(is_slow ? interval_ms : exponent),
		.peer = address ^ 0x80,
	};
}
