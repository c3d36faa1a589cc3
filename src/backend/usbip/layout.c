/* SPDX-License-Identifier: MIT
 *
 * layout - walking configurations; see layout.h.
 *
 * Place:      backend/usbip.
 */
#include "backend/usbip/layout.h"

#include <string.h>

#include "usb/backend.h"

enum { TYPE_CONFIGURATION = 2, TYPE_INTERFACE = 4, TYPE_ENDPOINT = 5 };

/* Bytes of the block that may be walked. */
static size_t total_of(const uint8_t *block, size_t length)
{
	size_t total = 0;

	if (length < 9 || block[0] < 9 || block[1] != TYPE_CONFIGURATION) {
		return 0;
	}
	total = (size_t)block[2] | (size_t)block[3] << 8;
	return total < length ? total : length;
}

/* The block in force, with its size; size 0: none. */
static const uint8_t *current(const struct dx_usbip_layout *layout, size_t *ret_total)
{
	*ret_total = 0;
	for (unsigned i = 0; layout->configuration != 0 && i < layout->nr_configurations; i++) {
		size_t total = total_of(layout->configurations[i], layout->lengths[i]);

		if (total != 0 && layout->configurations[i][5] == layout->configuration) {
			*ret_total = total;
			return layout->configurations[i];
		}
	}
	return NULL;
}

/* The next descriptor of that type that is min_length long, at or behind `at`; total: none. */
static size_t find(const uint8_t *block, size_t total, size_t at, uint8_t type, uint8_t min_length)
{
	while (at + 2 <= total && block[at] >= 2 && block[at] <= total - at) {
		if (block[at + 1] == type && block[at] >= min_length) {
			return at;
		}
		at += block[at];
	}
	return total;
}

const uint8_t *dx_usbip_layout_interface(const struct dx_usbip_layout *layout, unsigned n)
{
	size_t total = 0;
	const uint8_t *block = current(layout, &total);
	size_t at = 0;

	while (at < total) {
		at = find(block, total, at, TYPE_INTERFACE, 9);
		if (at < total && block[at + 3] == 0 && n-- == 0) {
			return block + at;
		}
		at += at < total ? block[at] : 0;
	}
	return NULL;
}

bool dx_usbip_layout_has_interface(const struct dx_usbip_layout *layout, uint8_t number)
{
	for (unsigned i = 0;; i++) {
		const uint8_t *interface = dx_usbip_layout_interface(layout, i);

		if (interface == NULL || interface[2] == number) {
			return interface != NULL;
		}
	}
}

static void add_place(struct dx_usbip_layout *layout, const uint8_t *endpoint, uint8_t number)
{
	uint8_t address = endpoint[2] & 0x8F;

	if ((address & 0x0F) == 0 || (endpoint[3] & 3) == DX_USB_CONTROL) {
		return;
	}
	layout->places[dx_usbip_place_index(address)] = (struct dx_usbip_place){
		.present = true,
		.address = address,
		.type = endpoint[3] & 3,
		.interface_number = number,
		.interval = endpoint[6],
	};
}

/* Endpoints of that setting of one interface, or of all. */
static void add_places(struct dx_usbip_layout *layout, bool of_all, uint8_t number, uint8_t setting)
{
	size_t total = 0;
	const uint8_t *block = current(layout, &total);
	uint8_t in_number = 0;
	bool is_wanted = false;

	for (size_t at = 0; at + 2 <= total && block[at] >= 2 && block[at] <= total - at;
	     at += block[at]) {
		if (block[at + 1] == TYPE_INTERFACE && block[at] >= 9) {
			in_number = block[at + 2];
			is_wanted = block[at + 3] == setting && (of_all || in_number == number);
		} else if (block[at + 1] == TYPE_ENDPOINT && block[at] >= 7 && is_wanted) {
			add_place(layout, block + at, in_number);
		}
	}
}

static void drop_places(struct dx_usbip_layout *layout, bool of_all, uint8_t number)
{
	for (unsigned i = 1; i < DX_USBIP_PLACES; i++) {
		if (of_all || layout->places[i].interface_number == number) {
			layout->places[i].present = false;
		}
	}
}

void dx_usbip_layout_configure(struct dx_usbip_layout *layout, uint8_t value)
{
	layout->configuration = value;
	layout->places[0] = (struct dx_usbip_place){.present = true, .type = DX_USB_CONTROL};
	drop_places(layout, true, 0);
	add_places(layout, true, 0, 0);
}

void dx_usbip_layout_select(struct dx_usbip_layout *layout, uint8_t interface_number,
			    uint8_t setting)
{
	drop_places(layout, false, interface_number);
	add_places(layout, false, interface_number, setting);
}

const struct dx_usbip_place *dx_usbip_layout_find(const struct dx_usbip_layout *layout,
						  uint8_t address)
{
	const struct dx_usbip_place *place =
		&layout->places[(address & 0x0F) == 0 ? 0 : dx_usbip_place_index(address)];

	return place->present ? place : NULL;
}
