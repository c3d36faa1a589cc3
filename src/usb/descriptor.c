/* SPDX-License-Identifier: MIT
 *
 * descriptor - bounded walks over raw descriptors; invariants in descriptor.h.
 *
 * Place:      usb.
 */
#include "usb/descriptor.h"

#include "base/check.h"

/* A whole descriptor lies at `at` (W1). */
static bool is_whole(const uint8_t *block, size_t total, size_t at)
{
	return dx_range_inside(at, 2, total) && block[at] >= 2 &&
	       dx_range_inside(at, block[at], total);
}

size_t dx_usb_desc_total(const uint8_t *block, size_t length)
{
	size_t total = 0;
	size_t own = 0;

	if (length < 5 ||
	    (block[1] != DX_USB_DESC_CONFIGURATION && block[1] != 7 && block[1] != DX_USB_DESC_BOS)) {
		return 0;
	}
	own = block[1] == DX_USB_DESC_BOS ? 5 : 9;
	total = dx_usb_get16(block + 2);
	total = total < length ? total : length;
	return block[0] >= own && block[0] <= total ? total : 0;
}

size_t dx_usb_desc_next(const uint8_t *block, size_t total, size_t at)
{
	size_t next = 0;

	if (!is_whole(block, total, at)) {
		return 0;
	}
	next = at + block[at];
	return is_whole(block, total, next) ? next : 0;
}

size_t dx_usb_desc_next_type(const uint8_t *block, size_t total, size_t at, uint8_t type)
{
	do {
		at = dx_usb_desc_next(block, total, at);
	} while (at != 0 && block[at + 1] != type);
	return at;
}

size_t dx_usb_desc_next_in(const uint8_t *block, size_t total, size_t parent, size_t at)
{
	uint8_t parent_type = 0;

	if (!is_whole(block, total, parent)) {
		return 0;
	}
	parent_type = block[parent + 1];
	at = dx_usb_desc_next(block, total, at == 0 ? parent : at);
	if (at == 0 || block[at + 1] == parent_type ||
	    (parent_type == DX_USB_DESC_INTERFACE && block[at + 1] == DX_USB_DESC_ASSOCIATION)) {
		return 0;
	}
	return at;
}

size_t dx_usb_desc_next_in_type(const uint8_t *block, size_t total, size_t parent, size_t at,
				uint8_t type)
{
	do {
		at = dx_usb_desc_next_in(block, total, parent, at);
	} while (at != 0 && block[at + 1] != type);
	return at;
}

size_t dx_usb_desc_find_interface(const uint8_t *block, size_t total, uint8_t number,
				  uint8_t alternate)
{
	size_t at = 0;

	for (;;) {
		at = dx_usb_desc_next_type(block, total, at, DX_USB_DESC_INTERFACE);
		if (at == 0 ||
		    (block[at] >= 9 && block[at + 2] == number && block[at + 3] == alternate)) {
			return at;
		}
	}
}

size_t dx_usb_desc_find_endpoint(const uint8_t *block, size_t total, size_t interface,
				 uint8_t address)
{
	size_t at = 0;

	for (;;) {
		at = dx_usb_desc_next_in_type(block, total, interface, at, DX_USB_DESC_ENDPOINT);
		if (at == 0 || (block[at] >= 7 && block[at + 2] == address)) {
			return at;
		}
	}
}

size_t dx_usb_desc_find_capability(const uint8_t *block, size_t total, uint8_t type,
				   uint8_t min_length)
{
	size_t at = 0;

	for (;;) {
		at = dx_usb_desc_next_type(block, total, at, DX_USB_DESC_CAPABILITY);
		if (at == 0 ||
		    (block[at] >= 3 && block[at] >= min_length && block[at + 2] == type)) {
			return at;
		}
	}
}

bool dx_usb_desc_check(const uint8_t *block, size_t length)
{
	size_t total = dx_usb_desc_total(block, length);
	size_t at = 0;

	if (total == 0 || total != length || total != dx_usb_get16(block + 2)) {
		return false;
	}
	for (;;) {
		size_t next = dx_usb_desc_next(block, total, at);

		if (next == 0) {
			return at + block[at] == total;
		}
		at = next;
		if ((block[at + 1] == DX_USB_DESC_INTERFACE && block[at] < 9) ||
		    (block[at + 1] == DX_USB_DESC_ENDPOINT && block[at] < 7)) {
			return false;
		}
	}
}
