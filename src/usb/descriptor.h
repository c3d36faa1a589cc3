/* SPDX-License-Identifier: MIT
 *
 * descriptor - walking raw descriptors: bounded, whatever the bytes are.
 *
 * Place:      usb. A block is a configuration or BOS descriptor with all that follows it. Positions
 *             are byte offsets from its start; 0 (the container itself) means "from the beginning",
 *             and 0 is returned at the end.
 * Invariants:
 *   W1  A returned offset o has o + 2 <= total, bLength >= 2 and o + bLength <= total.
 *   W2  Every step moves forward; bLength 0 or 1 ends the walk.
 * Trust:      the device wrote the bytes; total is the smaller of wTotalLength and length.
 * Threads:    any, no state.
 */
#ifndef DX_USB_DESCRIPTOR_H
#define DX_USB_DESCRIPTOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DX_USB_DESC_DEVICE	     1u
#define DX_USB_DESC_CONFIGURATION    2u
#define DX_USB_DESC_STRING	     3u
#define DX_USB_DESC_INTERFACE	     4u
#define DX_USB_DESC_ENDPOINT	     5u
#define DX_USB_DESC_ASSOCIATION	     11u
#define DX_USB_DESC_BOS		     15u
#define DX_USB_DESC_CAPABILITY	     16u
#define DX_USB_DESC_SS_COMPANION     48u
#define DX_USB_DESC_SSP_ISO_COMPANION 49u

/* Little-endian fields of bytes from a device. */
static inline uint16_t dx_usb_get16(const uint8_t *bytes)
{
	return (uint16_t)(bytes[0] | bytes[1] << 8);
}

static inline uint32_t dx_usb_get32(const uint8_t *bytes)
{
	return (uint32_t)dx_usb_get16(bytes) | (uint32_t)dx_usb_get16(bytes + 2) << 16;
}

/* Bytes of the block that may be walked: 0 if it is not even a header of its kind. */
size_t dx_usb_desc_total(const uint8_t *block, size_t length);

/* The descriptor behind `at`. */
size_t dx_usb_desc_next(const uint8_t *block, size_t total, size_t at);
size_t dx_usb_desc_next_type(const uint8_t *block, size_t total, size_t at, uint8_t type);
/* Stops at the next descriptor of the parent's own type (an interface also stops at an interface
 * association). at == 0 starts behind parent. */
size_t dx_usb_desc_next_in(const uint8_t *block, size_t total, size_t parent, size_t at);
size_t dx_usb_desc_next_in_type(const uint8_t *block, size_t total, size_t parent, size_t at,
				uint8_t type);

/* The descriptor of interface `number` with that alternate setting; 0 = none. */
size_t dx_usb_desc_find_interface(const uint8_t *block, size_t total, uint8_t number,
				  uint8_t alternate);
/* The endpoint with that address inside the interface descriptor at `interface`; 0 = none. */
size_t dx_usb_desc_find_endpoint(const uint8_t *block, size_t total, size_t interface,
				 uint8_t address);
/* Device capability of that type in a BOS block, at least min_length long; 0 = none. */
size_t dx_usb_desc_find_capability(const uint8_t *block, size_t total, uint8_t type,
				   uint8_t min_length);

/* A BOS or configuration is well formed: lengths add up, no cut descriptor, and (configuration)
 * each interface and endpoint descriptor has its standard size. */
bool dx_usb_desc_check(const uint8_t *block, size_t length);

#endif
