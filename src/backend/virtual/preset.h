/* SPDX-License-Identifier: MIT
 *
 * preset - what the descriptions of models have in common.
 *
 * Place:      backend/virtual, under the models.
 */
#ifndef DX_BACKEND_VIRTUAL_PRESET_H
#define DX_BACKEND_VIRTUAL_PRESET_H

#include "backend/virtual/description.h"
#include "backend/virtual/options.h"

/* For tables of keys. */
#define DX_SPEED_VALUES	    "full, high, super, super-plus"
#define DX_SPEED_VALUES_LOW "low, full, high, super, super-plus"

/* Ids and texts of a new device; product_id of the vendor id that is free for tests. */
struct dx_preset {
	uint16_t product_id;
	const char *product;
	const char *serial;
	bool has_low; /* low speed can be asked for: no bulk, no isochronous endpoints */
};

/* speed=, or the fallback (enum dx_usb_speed). */
uint8_t dx_preset_speed(struct dx_options *options, uint8_t fallback, bool has_low);
/* A description with ids, strings and one empty configuration 1. @return -ENOMEM. */
int dx_preset_describe(const struct dx_preset *preset, struct dx_options *options, uint8_t speed,
		       struct dx_description **ret_description);
/* Bulk, with the packet size of the speed; comes back from the same number if it loops. */
struct dx_described_endpoint dx_preset_bulk(const struct dx_description *description,
					    uint8_t address);
/* Interrupt, once in so many milliseconds (1, 2, 4, 8, 16 or 32), whatever the speed. */
struct dx_described_endpoint dx_preset_interrupt(const struct dx_description *description,
						 uint8_t address, uint16_t max_packet,
						 unsigned interval_ms);

#endif
