/* SPDX-License-Identifier: MIT
 *
 * loop - the loopback's data path; see loop.h.
 *
 * Place:      backend/virtual.
 *
 * Positions in both transfers are whole packets whenever neither is finished, because a short packet
 * finishes the transfer. So an IN buffer that ends inside a packet is found by one remainder; the bus
 * calls that babble, and the packet is lost.
 */
#include "backend/virtual/loop.h"

#include <stdlib.h>
#include <string.h>

struct dx_loopback *dx_loopback_new(uint32_t fifo_bytes)
{
	struct dx_loopback *loop = calloc(1, sizeof(*loop) + fifo_bytes);

	if (loop != NULL) {
		loop->size = fifo_bytes;
	}
	return loop;
}

static uint32_t min32(uint32_t a, uint64_t b)
{
	return b < a ? (uint32_t)b : a;
}

/* The transfer's last packet is shorter than the others: the receiver sees an end. */
static bool ends_short(const struct dx_loopback *loop, const struct dx_usb_transfer *out)
{
	return out->length % loop->out->max_packet == 0 ? out->length == 0 : true;
}

/* ---- FIFO ---- */

static void fifo_get(struct dx_loopback *loop, uint8_t *data, uint32_t length)
{
	uint32_t at = (uint32_t)(loop->head % loop->size);
	uint32_t first = min32(length, loop->size - at);

	memcpy(data, loop->fifo + at, first);
	memcpy(data + first, loop->fifo, length - first);
	loop->head += length;
	loop->bytes_fifo += length;
}

static void fifo_put(struct dx_loopback *loop, const uint8_t *data, uint32_t length)
{
	uint32_t at = (uint32_t)(loop->tail % loop->size);
	uint32_t first = min32(length, loop->size - at);

	memcpy(loop->fifo + at, data, first);
	memcpy(loop->fifo, data + first, length - first);
	loop->tail += length;
}

static bool fifo_is_empty(const struct dx_loopback *loop)
{
	return loop->head == loop->tail && loop->nr_ends == 0;
}

static void drain(struct dx_loopback *loop, struct dx_usb_transfer *in)
{
	bool has_end = loop->nr_ends != 0;
	uint64_t end = has_end ? loop->ends[loop->first_end] : loop->tail;
	uint32_t room = dx_virtual_limit(loop->in, in) - in->actual;
	uint32_t length = min32(room, end - loop->head);

	if (length != 0) {
		fifo_get(loop, in->data + in->actual, length);
		in->actual += length;
	}
	if (has_end && loop->head == end) {
		loop->first_end = (loop->first_end + 1) % DX_LOOP_ENDS;
		loop->nr_ends--;
		dx_virtual_finish(loop->in, in, DX_USB_OK);
	} else if (length == room) {
		loop->head += dx_virtual_finish_in(loop->in, in, end - loop->head);
	}
}

/* Whole packets as far as there is room. */
static bool absorb(struct dx_loopback *loop, struct dx_usb_transfer *out)
{
	uint32_t room = loop->size - (uint32_t)(loop->tail - loop->head);
	uint32_t left = out->length - out->actual;
	uint32_t length = left <= room ? left : room - room % loop->out->max_packet;
	bool is_short = ends_short(loop, out);

	if ((length == 0 && left != 0) || (length == left && is_short &&
					   loop->nr_ends == DX_LOOP_ENDS)) {
		return false;
	}
	if (length != 0) {
		fifo_put(loop, out->data + out->actual, length);
		out->actual += length;
	}
	if (length == left) {
		if (is_short) {
			loop->ends[(loop->first_end + loop->nr_ends++) % DX_LOOP_ENDS] = loop->tail;
		}
		dx_virtual_finish(loop->out, out, DX_USB_OK);
	}
	return true;
}

/* ---- buffer to buffer ---- */

static void direct(struct dx_loopback *loop, struct dx_usb_transfer *out, struct dx_usb_transfer *in)
{
	uint32_t left = out->length - out->actual;
	uint32_t room = dx_virtual_limit(loop->in, in) - in->actual;
	uint32_t length = min32(room, left);

	if (length != 0) {
		memcpy(in->data + in->actual, out->data + out->actual, length);
		in->actual += length;
		out->actual += length;
		loop->bytes_direct += length;
		left -= length;
	}
	if (left == 0 && ends_short(loop, out)) {
		dx_virtual_finish(loop->in, in, DX_USB_OK);
	} else if (length == room) {
		out->actual += dx_virtual_finish_in(loop->in, in, left);
	}
	if (out->actual == out->length) {
		dx_virtual_finish(loop->out, out, DX_USB_OK);
	}
}

static bool pump_once(struct dx_loopback *loop)
{
	struct dx_usb_transfer *in = loop->in == NULL ? NULL : dx_virtual_offer(loop->in);
	struct dx_usb_transfer *out = loop->out == NULL ? NULL : dx_virtual_offer(loop->out);

	if (in != NULL && !fifo_is_empty(loop)) {
		drain(loop, in);
		return true;
	}
	if (in != NULL && out != NULL) {
		direct(loop, out, in);
		return true;
	}
	return out != NULL && absorb(loop, out);
}

bool dx_loopback_pump(struct dx_loopback *loop)
{
	bool moved = false;

	while (pump_once(loop)) {
		moved = true;
	}
	return moved;
}
