/* SPDX-License-Identifier: MIT
 *
 * stream - bulk, interrupt and isochronous lanes of a script: bytes compared, bytes handed out.
 *
 * Place:      backend/replay; see script.h.
 */
#include <string.h>

#include "backend/replay/private.h"

#define LOOK_AHEAD 8u /* recorded transfers that a driver may leave out and still be followed */

static const struct dx_recorded_transfer *item_at(const struct dx_script *script,
						  const struct dx_lane *lane, size_t position)
{
	return &script->recording->transfers[lane->items[position]];
}

static uint32_t smaller(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

/* First byte of `bytes` that differs from the item at `offset`; length: none. What the capture has cut
 * off is equal. */
static uint32_t difference(const struct dx_recorded_transfer *item, uint32_t offset,
			   const uint8_t *bytes, uint32_t length)
{
	uint32_t known = item->nr_data > offset ? smaller(item->nr_data - offset, length) : 0;

	for (uint32_t i = 0; i < known; i++) {
		if (item->data[offset + i] != bytes[i]) {
			return i;
		}
	}
	return length;
}

/* Passes an item that the driver has sent, or left out. */
static void pass(struct dx_script *script, struct dx_lane *lane)
{
	script->is_past[lane->items[lane->next]] = true;
	lane->next++;
	lane->offset = 0;
}

/* A driver that leaves out some transfers is met again where it goes on. */
static void resynchronize(struct dx_script *script, struct dx_lane *lane,
			  const struct dx_usb_transfer *transfer)
{
	for (size_t i = 1; i < LOOK_AHEAD && lane->next + i < lane->nr_items; i++) {
		const struct dx_recorded_transfer *item = item_at(script, lane, lane->next + i);

		if (item->length == transfer->length &&
		    difference(item, 0, transfer->data, transfer->length) == transfer->length) {
			dx_script_diverge(script, dx_recorded_packet(item_at(script, lane, lane->next)),
					  "the driver leaves out %zu transfers to endpoint %#x and goes on "
					  "at packet %u",
					  i, transfer->endpoint, dx_recorded_packet(item));
			while (i-- > 0) {
				pass(script, lane);
			}
			return;
		}
	}
}

static bool begins_alike(const struct dx_recorded_transfer *item, const struct dx_lane *lane,
			 const struct dx_usb_transfer *transfer)
{
	uint32_t length = smaller(item->length - lane->offset, transfer->length);

	return difference(item, lane->offset, transfer->data, length) == length;
}

/* The part of the transfer from `done` on that one item covers; all of both when one of them has a short
 * packet where the other has none. @return its length. */
static uint32_t compare_piece(struct dx_script *script, struct dx_lane *lane,
			      const struct dx_usb_transfer *transfer, uint32_t done)
{
	const struct dx_recorded_transfer *item = item_at(script, lane, lane->next);
	uint32_t length = smaller(item->length - lane->offset, transfer->length - done);
	const uint8_t *bytes = length == 0 ? NULL : transfer->data + done;
	uint32_t at = difference(item, lane->offset, bytes, length);
	bool item_ends = lane->offset + length == item->length;
	bool transfer_ends = done + length == transfer->length;
	bool is_short = item_ends != transfer_ends &&
			(item_ends ? item->length : transfer->length) % lane->max_packet != 0;

	if (at < length) {
		dx_script_diverge(script, dx_recorded_packet(item),
				  "the driver sends another byte %u to endpoint %#x: %#04x, recorded %#04x",
				  lane->offset + at, transfer->endpoint, bytes[at],
				  item->data[lane->offset + at]);
	} else if (is_short) {
		dx_script_diverge(script, dx_recorded_packet(item),
				  "the driver sends %u bytes to endpoint %#x, recorded %u",
				  transfer->length, transfer->endpoint, item->length);
	}
	lane->offset += is_short ? item->length - lane->offset : length;
	return is_short ? transfer->length - done : length; /* they meet again at the next ones */
}

bool dx_script_submit_out(struct dx_script *script, struct dx_lane *lane,
			  struct dx_usb_transfer *transfer)
{
	uint32_t done = 0;

	transfer->actual = transfer->length;
	transfer->status = DX_USB_OK;
	if (lane->next < lane->nr_items && lane->offset == 0 &&
	    !begins_alike(item_at(script, lane, lane->next), lane, transfer)) {
		resynchronize(script, lane, transfer);
	}
	do {
		const struct dx_recorded_transfer *item = NULL;
		size_t index = 0;

		if (lane->next == lane->nr_items) {
			dx_script_diverge(script, script->recording->nr_packets,
					  "the driver sends %u bytes to endpoint %#x behind the end",
					  transfer->length - done, transfer->endpoint);
			break;
		}
		item = item_at(script, lane, lane->next);
		index = lane->items[lane->next];
		done += compare_piece(script, lane, transfer, done);
		transfer->backend_words[DX_WORD_ITEM] = index + 1;
		if (lane->offset == item->length) {
			/* A transfer that fails moves what it moved then. */
			if (item->completed_at != 0 && item->status != DX_USB_OK) {
				transfer->actual =
					smaller(done - smaller(done, item->length) + item->actual,
						transfer->length);
			}
			pass(script, lane);
		}
	} while (done < transfer->length);
	return transfer->backend_words[DX_WORD_ITEM] != 0;
}

bool dx_script_play_in(struct dx_script *script, struct dx_lane *lane,
		       struct dx_usb_transfer *transfer)
{
	const struct dx_recorded_transfer *item = item_at(script, lane, lane->next);
	uint32_t room = transfer->length - transfer->actual;
	uint32_t left = item->actual - lane->offset;
	uint32_t length = smaller(room, left);
	uint32_t known = item->nr_data > lane->offset ? smaller(item->nr_data - lane->offset, length) : 0;
	bool is_short = item->actual < item->length || item->actual % lane->max_packet != 0 ||
			item->actual == 0 || item->status != DX_USB_OK;

	if (known != 0) {
		memcpy(transfer->data + transfer->actual, item->data + lane->offset, known);
	}
	if (length > known) {
		memset(transfer->data + transfer->actual + known, 0, length - known);
	}
	transfer->actual += length;
	lane->offset += length;
	transfer->status = DX_USB_OK;
	if (lane->offset == item->actual) {
		transfer->status = item->status == DX_USB_ABORTED ? DX_USB_OK : item->status;
		pass(script, lane);
		return is_short || transfer->actual == transfer->length;
	}
	if (is_short && lane->offset % lane->max_packet != 0) { /* ends inside of a packet */
		dx_script_diverge(script, dx_recorded_packet(item),
				  "the driver asks for %u bytes of endpoint %#x, the device sent %u",
				  transfer->length, transfer->endpoint, item->actual);
		transfer->status = DX_USB_OVERRUN;
		pass(script, lane);
	}
	return true;
}

void dx_script_play_iso(struct dx_script *script, struct dx_lane *lane,
			struct dx_usb_transfer *transfer)
{
	const struct dx_recorded_transfer *item = item_at(script, lane, lane->next);
	uint32_t at = 0;
	uint32_t recorded_at = 0;

	if (item->nr_packets != transfer->nr_packets) {
		dx_script_diverge(script, dx_recorded_packet(item),
				  "the driver asks for %u packets of endpoint %#x, recorded %u",
				  transfer->nr_packets, transfer->endpoint, item->nr_packets);
	}
	transfer->status = item->status;
	transfer->actual = 0;
	for (uint32_t i = 0; i < transfer->nr_packets; i++) {
		struct dx_usb_packet *packet = &transfer->packets[i];
		const struct dx_usb_packet *recorded = i < item->nr_packets ? &item->packets[i] : NULL;
		uint32_t length = recorded == NULL ? 0 : smaller(recorded->actual, packet->length);
		uint32_t known = recorded_at < item->nr_data
					 ? smaller(item->nr_data - recorded_at, length)
					 : 0;

		if (item->is_in && length != 0) {
			memset(transfer->data + at, 0, length);
			if (known != 0) {
				memcpy(transfer->data + at, item->data + recorded_at, known);
			}
		}
		packet->actual = length;
		packet->status = recorded == NULL ? DX_USB_NOT_RESPONDING : recorded->status;
		transfer->actual += length;
		at += packet->length;
		recorded_at += recorded == NULL ? 0 : recorded->length;
	}
	pass(script, lane);
}
