/* SPDX-License-Identifier: MIT
 *
 * layout - which endpoints exist, from the descriptors of the configuration in force.
 *
 * Place:      backend/usbip, for the client, and the room `export` for the server. A server must
 *             not be sent a request to an endpoint that does not exist: Linux ends the connection
 *             for that.
 * Invariants:
 *   L1  A step in a block stays inside of it, whatever the lengths say.
 * Trust:      descriptors are the device's.
 * Threads:    one.
 */
#ifndef DX_BACKEND_USBIP_LAYOUT_H
#define DX_BACKEND_USBIP_LAYOUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DX_USBIP_PLACES 32u /* 16 OUT, then 16 IN; 0 is control in both directions */

struct dx_usbip_place {
	bool present;
	uint8_t address;
	uint8_t type; /* enum dx_usb_transfer_type */
	uint8_t interface_number;
	uint8_t interval; /* bInterval */
};

struct dx_usbip_layout {
	const uint8_t *const *configurations; /* borrowed; each begins with a whole header */
	const size_t *lengths;
	unsigned nr_configurations;
	uint8_t configuration; /* bConfigurationValue in force, 0 = none */
	struct dx_usbip_place places[DX_USBIP_PLACES];
};

/* The index of an address in tables of endpoints. */
static inline unsigned dx_usbip_place_index(uint8_t address)
{
	return (address & 0x0Fu) | (address & 0x80u) >> 3;
}

/* A configuration or an alternate setting is in force: its endpoints exist, those before do not. */
void dx_usbip_layout_configure(struct dx_usbip_layout *layout, uint8_t value);
void dx_usbip_layout_select(struct dx_usbip_layout *layout, uint8_t interface_number,
			    uint8_t setting);
/* The endpoint with that address; NULL: none. Control has address 0 in both directions. */
const struct dx_usbip_place *dx_usbip_layout_find(const struct dx_usbip_layout *layout,
						  uint8_t address);
/* The descriptor of the n-th interface of the configuration in force (setting 0), 9 bytes or more;
 * NULL behind the last. */
const uint8_t *dx_usbip_layout_interface(const struct dx_usbip_layout *layout, unsigned n);
bool dx_usbip_layout_has_interface(const struct dx_usbip_layout *layout, uint8_t number);

#endif
