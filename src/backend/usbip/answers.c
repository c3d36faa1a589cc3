/* SPDX-License-Identifier: MIT
 *
 * answers - what comes in: units, data, packets; and what a lie costs.
 *
 * Place:      backend/usbip; the picture is in runtime.h.
 * Trust:      every field is the peer's. A number is looked up, a length is compared with what was
 *             asked for before a byte is received. Linux answers with device, direction and
 *             endpoint 0, others repeat the request's: anything else is a lie about which request
 *             is meant.
 */
#include <errno.h>
#include <string.h>

#include "backend/usbip/runtime.h"
#include "base/clock.h"
#include "base/log.h"

#define RECEIVE_ROUNDS 64u /* system calls of one poll() at most */

static bool is_in(const struct dx_usb_transfer *transfer)
{
	return ((transfer->type == DX_USB_CONTROL ? transfer->setup[0] : transfer->endpoint) &
		0x80) != 0;
}

/* ---- isochronous ---- */

/* Takes over lengths and statuses; the last packet was now, the others before it. @return false if
 * they contradict the request or each other. */
static bool take_packets(struct dx_usb_transfer *transfer, const uint8_t *bytes)
{
	uint64_t now_ns = dx_clock_now_ns();
	uint64_t sum = 0;

	for (uint32_t i = 0; i < transfer->nr_packets; i++) {
		struct dx_usb_packet *packet = &transfer->packets[i];
		struct dx_usbip_packet sent;

		dx_usbip_get_packet(bytes + (size_t)i * DX_USBIP_PACKET_BYTES, &sent);
		if (sent.actual > packet->length) {
			return false;
		}
		sum += sent.actual;
		packet->actual = sent.actual;
		packet->status = dx_usbip_status_from_errno(sent.status);
		packet->timestamp_ns = now_ns - (transfer->nr_packets - 1 - i) * transfer->interval_ns;
	}
	return sum == transfer->actual;
}

/* The data came without the gaps between packets: from the last to the first they move apart. */
static void spread(struct dx_usb_transfer *transfer)
{
	size_t packed = transfer->actual;
	size_t place = 0;

	for (uint32_t i = 0; i < transfer->nr_packets; i++) {
		place += transfer->packets[i].length;
	}
	for (uint32_t i = transfer->nr_packets; i > 0; i--) {
		const struct dx_usb_packet *packet = &transfer->packets[i - 1];

		packed -= packet->actual;
		place -= packet->length;
		if (packed == place) {
			return; /* and so are all before it */
		}
		if (packet->actual != 0) {
			memmove(transfer->data + place, transfer->data + packed, packet->actual);
		}
	}
}

static int32_t finish_packets(struct dx_usbip_client *client, struct dx_usb_transfer *transfer,
			      int32_t sent)
{
	const uint8_t *bytes =
		(const uint8_t *)(uintptr_t)transfer->backend_words[DX_USBIP_WORD_PACKETS];

	if (!take_packets(transfer, bytes)) {
		for (uint32_t i = 0; i < transfer->nr_packets; i++) {
			transfer->packets[i].actual = 0;
			transfer->packets[i].status = DX_USB_IO_ERROR;
		}
		transfer->actual = 0;
		dx_log_warning("usbip %s/%s: lengths of isochronous packets do not add up: that "
			       "transfer has failed",
			       client->spec.peer, client->spec.busid);
		return DX_USB_IO_ERROR;
	}
	if (is_in(transfer)) {
		spread(transfer);
	}
	return sent == DX_USBIP_EXDEV ? DX_USB_OK : dx_usbip_status_from_errno(sent);
}

/* ---- the end of a transfer ---- */

/* Requests that change which endpoints exist. */
static void note_effect(struct dx_usbip_client *client, const struct dx_usb_transfer *transfer)
{
	const uint8_t *setup = transfer->setup;

	if (setup[0] == 0x00 && setup[1] == 9) {
		dx_usbip_configure(client, setup[2]);
	} else if (setup[0] == 0x01 && setup[1] == 11) {
		dx_usbip_select(client, setup[4], setup[2]);
	}
}

/*
 * Older Linux resets the device and then sends the request on to it as well: the device, which has no
 * ports, stalls. So a stall is what success looks like there, and another server that did not
 * reset cannot be told from it; Linux resets what is imported anew, too. Any other error is one.
 */
static void finish_reset(struct dx_usbip_client *client, struct dx_usb_transfer *transfer,
			 int32_t status)
{
	if (status != DX_USB_OK && status != DX_USB_STALLED) {
		dx_usbip_complete(client, transfer, status); /* the link stays */
		return;
	}
	client->resets = true;
	dx_usbip_complete(client, transfer, DX_USB_OK);
	dx_usbip_break(client, "the device was reset");
}

static void finish_control(struct dx_usbip_client *client, struct dx_usb_transfer *transfer,
			   int32_t status)
{
	if (transfer == client->reset_done) {
		finish_reset(client, transfer, status);
		return;
	}
	if (status == DX_USB_OK) {
		note_effect(client, transfer);
	}
	dx_usbip_complete(client, transfer, status);
}

/* Bulk and interrupt, B6. */
static void finish_pipe(struct dx_usbip_client *client, struct dx_usb_transfer *transfer,
			int32_t status)
{
	struct dx_usbip_endpoint *endpoint = dx_usbip_endpoint(client, transfer->endpoint);
	bool was_stopped = endpoint == NULL || endpoint->stopped;

	if (was_stopped && !transfer->cancelled) {
		if (status == DX_USB_STALLED && transfer->actual == 0 && endpoint != NULL) {
			dx_usbip_put_back(client, transfer);
			return;
		}
		if (status == DX_USB_ABORTED) { /* some of it had been moved */
			status = DX_USB_STALLED;
		}
	}
	if (!was_stopped && status != DX_USB_OK && status != DX_USB_ABORTED) {
		dx_usbip_hold(client, endpoint);
	}
	dx_usbip_complete(client, transfer, status);
}

static void finish(struct dx_usbip_client *client)
{
	struct dx_usbip_slot *slot = client->answered;
	struct dx_usb_transfer *transfer = slot->transfer;

	client->answered = NULL;
	client->phase = DX_USBIP_READ_HEADER;
	transfer->actual = client->answer.actual;
	if (transfer->type == DX_USB_ISOCHRONOUS) {
		dx_usbip_complete(client, transfer,
				  finish_packets(client, transfer, client->answer.status));
	} else if (dx_usbip_can_halt(transfer)) {
		finish_pipe(client, transfer, dx_usbip_status_from_errno(client->answer.status));
	} else {
		finish_control(client, transfer, dx_usbip_status_from_errno(client->answer.status));
	}
	dx_usbip_slot_settle(client, slot);
}

/* ---- units ---- */

static bool is_about(const struct dx_usbip_client *client, const struct dx_usbip_unit *unit,
		     bool transfer_is_in, uint8_t endpoint)
{
	return (unit->device == 0 || unit->device == client->device_number) &&
	       (!unit->is_in || transfer_is_in) &&
	       (unit->endpoint == 0 || unit->endpoint == (endpoint & 0x0F));
}

static void want_packets(struct dx_usbip_client *client)
{
	const struct dx_usb_transfer *transfer = client->answered->transfer;

	if (transfer->type != DX_USB_ISOCHRONOUS) {
		finish(client);
		return;
	}
	client->phase = DX_USBIP_READ_PACKETS;
	dx_usbip_reader_want(&client->reader,
			     (void *)(uintptr_t)transfer->backend_words[DX_USBIP_WORD_PACKETS],
			     (size_t)transfer->nr_packets * DX_USBIP_PACKET_BYTES);
}

static void take_submit_answer(struct dx_usbip_client *client, const struct dx_usbip_unit *unit)
{
	struct dx_usbip_slot *slot = dx_usbip_slot_find(client, unit->number, false);
	const struct dx_usb_transfer *transfer = slot == NULL ? NULL : slot->transfer;

	if (transfer == NULL) {
		dx_usbip_break(client, "it answers request %#x, which is not under way",
			       unit->number);
	} else if (!transfer->backend_words[DX_USBIP_WORD_ON_WIRE]) {
		dx_usbip_break(client, "it answers request %#x before it has all of it",
			       unit->number);
	} else if (!is_about(client, unit, is_in(transfer), transfer->endpoint)) {
		dx_usbip_break(client, "its answer to request %#x is about something else",
			       unit->number);
	} else if (unit->actual > transfer->length) {
		dx_usbip_break(client, "it says it moved %u bytes where %u were asked for",
			       unit->actual, transfer->length);
	} else if (transfer->type == DX_USB_ISOCHRONOUS &&
		   unit->nr_packets != transfer->nr_packets) {
		dx_usbip_break(client, "it answers %u packets with %u", transfer->nr_packets,
			       unit->nr_packets);
	} else {
		client->answer = *unit;
		client->answered = slot;
		if (is_in(transfer) && unit->actual != 0) {
			client->phase = DX_USBIP_READ_DATA;
			dx_usbip_reader_want(&client->reader, transfer->data, unit->actual);
		} else {
			want_packets(client);
		}
	}
}

static void take_unlink_answer(struct dx_usbip_client *client, const struct dx_usbip_unit *unit)
{
	struct dx_usbip_slot *slot = dx_usbip_slot_find(client, unit->number, true);
	struct dx_usb_transfer *transfer = NULL;

	if (slot == NULL || !slot->unlink_sent) {
		dx_usbip_break(client, "it answers unlink %#x, which is not under way",
			       unit->number);
		return;
	}
	transfer = slot->transfer;
	dx_list_remove(&slot->link);
	slot->unlink_sent = false;
	slot->unlink_wanted = false;
	if (transfer != NULL && transfer->cancelled) {
		dx_usbip_complete(client, transfer, DX_USB_ABORTED);
	} else if (transfer != NULL && unit->status != 0) {
		dx_usbip_put_back(client, transfer);
	} else if (transfer != NULL) { /* it was done, and Linux has dropped the answer */
		dx_usbip_complete(client, transfer, DX_USB_STALLED);
	}
	dx_usbip_slot_settle(client, slot);
}

static void take_unit(struct dx_usbip_client *client)
{
	struct dx_usbip_unit unit;

	if (dx_usbip_get_unit(client->header, &unit) < 0) {
		dx_usbip_break(client, "what it sends is no unit of USB/IP");
	} else if (unit.command == DX_USBIP_SUBMIT_ANSWER) {
		take_submit_answer(client, &unit);
	} else if (unit.command == DX_USBIP_UNLINK_ANSWER) {
		take_unlink_answer(client, &unit);
	} else {
		dx_usbip_break(client, "it sends requests (command %u)", unit.command);
	}
}

/* Everything that has arrived whole. Afterwards the reader wants something, or it is broken. */
static void take_all(struct dx_usbip_client *client)
{
	while (!client->is_broken && dx_usbip_reader_is_full(&client->reader)) {
		switch (client->phase) {
		case DX_USBIP_READ_HEADER:
			take_unit(client);
			break;
		case DX_USBIP_READ_DATA:
			want_packets(client);
			break;
		case DX_USBIP_READ_PACKETS:
			finish(client);
			break;
		}
		if (!client->is_broken && client->phase == DX_USBIP_READ_HEADER) {
			dx_usbip_reader_want(&client->reader, client->header,
					     sizeof(client->header));
		}
	}
}

static bool is_between_answers(const struct dx_usbip_client *client)
{
	return client->phase == DX_USBIP_READ_HEADER &&
	       client->reader.left == sizeof(client->header);
}

static void note_link_end(struct dx_usbip_client *client, int result)
{
	if (result != -ECONNRESET) {
		dx_usbip_break(client, "cannot receive: %s", strerror(-result));
	} else if (is_between_answers(client)) {
		dx_usbip_break(client, "the connection has ended");
	} else {
		dx_usbip_break(client, "the connection has ended in the middle of an answer");
	}
}

void dx_usbip_receive(struct dx_usbip_client *client)
{
	bool moved = false;

	for (unsigned i = 0; i < RECEIVE_ROUNDS; i++) {
		int result = dx_usbip_reader_receive(&client->reader, client->fd);

		if (result < 0 && result != -EAGAIN) {
			note_link_end(client, result);
			return;
		}
		if (result < 0) {
			break;
		}
		moved = true;
		take_all(client);
		if (client->is_broken) {
			return;
		}
		if (!client->reader.has_more) {
			break;
		}
	}
	if (is_between_answers(client)) {
		client->read_ns = 0;
	} else if (moved || client->read_ns == 0) {
		client->read_ns = dx_clock_now_ns();
	}
}
