/* SPDX-License-Identifier: MIT
 *
 * requests - submits and unlinks of a client, as transfers of a backend.
 *
 * Place:      export; the picture is in private.h.
 * Trust:      every field is the client's. A control transfer's wLength never exceeds the memory
 *             that was taken for it; packets lie inside of their buffer.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "export/private.h"

#define MAX_EARLY 64u /* unlinks that wait for what they mean */

static uint8_t address_of(const struct dx_usbip_unit *unit)
{
	return (uint8_t)(unit->endpoint | (unit->is_in && unit->endpoint != 0 ? 0x80u : 0u));
}

static const struct dx_usbip_place *place_of(const struct dx_export_peer *peer,
					     const struct dx_usbip_unit *unit)
{
	return dx_usbip_layout_find(&peer->device->layout, address_of(unit));
}

size_t dx_export_unit_data(const struct dx_usbip_unit *unit)
{
	return unit->is_in ? 0 : unit->length;
}

/* Who sends packets to an endpoint that we do not know sends their descriptors, too. */
size_t dx_export_unit_packets(const struct dx_export_peer *peer, const struct dx_usbip_unit *unit)
{
	const struct dx_usbip_place *place = place_of(peer, unit);

	return place == NULL || place->type == DX_USB_ISOCHRONOUS
		       ? (size_t)unit->nr_packets * DX_USBIP_PACKET_BYTES
		       : 0;
}

/* ---- numbers ---- */

/* Behind all that have been seen: Linux counts upwards, and over the end. */
static bool is_ahead(const struct dx_export_peer *peer, uint32_t number)
{
	return !peer->has_highest || (int32_t)(number - peer->highest) > 0;
}

void dx_export_note_number(struct dx_export_peer *peer, uint32_t number)
{
	if (is_ahead(peer, number)) {
		peer->highest = number;
		peer->has_highest = true;
	}
}

/* ---- a new request ---- */

/* X3: what its data and packets take. */
static size_t cost_of(const struct dx_export_peer *peer, const struct dx_usbip_unit *unit)
{
	size_t nr_packets = dx_export_unit_packets(peer, unit) / DX_USBIP_PACKET_BYTES;

	return unit->length + nr_packets * (DX_USBIP_PACKET_BYTES + sizeof(struct dx_usb_packet));
}

static int32_t check_control(const struct dx_usbip_unit *unit)
{
	uint32_t length = (uint32_t)unit->setup[6] | (uint32_t)unit->setup[7] << 8;
	bool is_in = (unit->setup[0] & 0x80) != 0;

	if (length != 0 && (is_in != unit->is_in || (!is_in && unit->length < length))) {
		return DX_USBIP_EINVAL;
	}
	return 0;
}

static int32_t check_unit(const struct dx_export_peer *peer, const struct dx_usbip_unit *unit)
{
	const struct dx_usbip_place *place = place_of(peer, unit);

	if (place == NULL) {
		return DX_USBIP_EPIPE;
	}
	if (cost_of(peer, unit) + peer->bytes > DX_MAX_EXPORT_BYTES ||
	    peer->nr_requests >= DX_MAX_EXPORT_REQUESTS) {
		return DX_USBIP_ENOMEM;
	}
	if (place->type == DX_USB_ISOCHRONOUS && unit->nr_packets == 0) {
		return DX_USBIP_EINVAL;
	}
	return place->type == DX_USB_CONTROL ? check_control(unit) : 0;
}

static void fill_control(struct dx_usb_transfer *transfer, const struct dx_usbip_unit *unit)
{
	uint32_t length = (uint32_t)unit->setup[6] | (uint32_t)unit->setup[7] << 8;

	memcpy(transfer->setup, unit->setup, sizeof(transfer->setup));
	transfer->length = length < unit->length ? length : unit->length;
	transfer->setup[6] = (uint8_t)transfer->length;
	transfer->setup[7] = (uint8_t)(transfer->length >> 8);
}

static bool take_memory(struct dx_export_request *request, const struct dx_usbip_unit *unit,
			size_t packets_length)
{
	struct dx_export_answer *answer = &request->answer;
	size_t nr_packets = packets_length / DX_USBIP_PACKET_BYTES;

	if (unit->length != 0) { /* what a backend does not write must not be somebody's memory */
		answer->data = unit->is_in ? calloc(1, unit->length) : malloc(unit->length);
	}
	if (nr_packets != 0) {
		answer->packets = malloc(packets_length);
		answer->packets_length = packets_length;
		request->transfer.packets = calloc(nr_packets, sizeof(struct dx_usb_packet));
		request->transfer.nr_packets = (uint32_t)nr_packets;
	}
	return (unit->length == 0 || answer->data != NULL) &&
	       (nr_packets == 0 || (answer->packets != NULL && request->transfer.packets != NULL));
}

int32_t dx_export_request_new(struct dx_export_peer *peer, const struct dx_usbip_unit *unit,
			      struct dx_export_request **ret_request)
{
	const struct dx_usbip_place *place = place_of(peer, unit);
	struct dx_export_request *request = NULL;
	int32_t refusal = check_unit(peer, unit);

	if (refusal != 0) {
		return refusal;
	}
	request = calloc(1, sizeof(*request));
	if (request == NULL) {
		return DX_USBIP_ENOMEM;
	}
	dx_list_init(&request->transfer.link);
	dx_list_init(&request->link);
	dx_list_init(&request->name.link);
	dx_list_init(&request->answer.link);
	request->peer = peer;
	request->answer.request = request;
	request->answer.unit = (struct dx_usbip_unit){
		.command = DX_USBIP_SUBMIT_ANSWER,
		.number = unit->number,
	};
	request->answer.cost = sizeof(*request) + cost_of(peer, unit);
	request->is_in = unit->is_in;
	peer->bytes += request->answer.cost;
	peer->nr_requests++;
	if (!take_memory(request, unit, dx_export_unit_packets(peer, unit))) {
		dx_export_request_free(request);
		return DX_USBIP_ENOMEM;
	}
	request->transfer.type = place->type;
	request->transfer.endpoint = place->type == DX_USB_CONTROL ? 0 : place->address;
	request->transfer.data = request->answer.data;
	request->transfer.length = unit->length;
	if (place->type == DX_USB_CONTROL) {
		fill_control(&request->transfer, unit);
	}
	*ret_request = request;
	return 0;
}

void dx_export_request_free(struct dx_export_request *request)
{
	struct dx_export_peer *peer = request->peer;

	if (request->unlink != NULL) {
		dx_export_answer_free(peer, request->unlink);
	}
	dx_list_remove(&request->link);
	dx_export_numbers_remove(&peer->names, &request->name);
	dx_list_remove(&request->answer.link);
	peer->bytes -= request->answer.cost;
	peer->nr_requests--;
	free(request->answer.data);
	free(request->answer.packets);
	free(request->transfer.packets);
	free(request);
}

/* ---- packets ---- */

/* From the client's places, which may have gaps, to ours, which have none. */
static bool place_packets(struct dx_export_request *request)
{
	struct dx_usb_transfer *transfer = &request->transfer;
	uint64_t place = 0;

	for (uint32_t i = 0; i < transfer->nr_packets; i++) {
		struct dx_usbip_packet packet;

		dx_usbip_get_packet(request->answer.packets + (size_t)i * DX_USBIP_PACKET_BYTES,
				    &packet);
		if ((uint64_t)packet.offset + packet.length > transfer->length ||
		    packet.offset < place) {
			return false;
		}
		transfer->packets[i] = (struct dx_usb_packet){
			.length = packet.length,
			.status = DX_USB_INVALID,
		};
		if (!request->is_in && packet.length != 0 && packet.offset != place) {
			memmove(transfer->data + place, transfer->data + packet.offset,
				packet.length);
		}
		place += packet.length;
	}
	transfer->length = (uint32_t)place;
	return true;
}

/* Descriptors for the answer; IN data close up. @return bytes moved. */
static uint32_t answer_packets(struct dx_export_request *request)
{
	struct dx_usb_transfer *transfer = &request->transfer;
	size_t place = 0;
	uint32_t packed = 0;

	for (uint32_t i = 0; i < transfer->nr_packets; i++) {
		const struct dx_usb_packet *packet = &transfer->packets[i];
		uint8_t *bytes = request->answer.packets + (size_t)i * DX_USBIP_PACKET_BYTES;
		uint32_t actual = packet->actual < packet->length ? packet->actual : packet->length;
		int32_t status = packet->status == DX_USB_INVALID ? DX_USB_ABORTED : packet->status;

		if (request->is_in && actual != 0 && packed != place) {
			memmove(transfer->data + packed, transfer->data + place, actual);
		}
		place += packet->length;
		packed += actual;
		request->answer.unit.nr_errors += status != DX_USB_OK;
		dx_usbip_put32(bytes + 8, actual);
		dx_usbip_put32(bytes + 12, (uint32_t)dx_usbip_status_to_errno(status));
	}
	request->answer.unit.nr_packets = transfer->nr_packets;
	return packed;
}

/* ---- at the backend ---- */

static int32_t status_of(int result)
{
	switch (result) {
	case -ENODEV:
		return DX_USB_NOT_RESPONDING;
	case -ENOENT:
		return DX_USB_STALLED;
	case -ENOMEM:
		return DX_USB_NO_MEMORY;
	case -EINVAL:
		return DX_USB_BAD_ARGUMENT;
	case -ENOSPC:
		return DX_USB_NO_BANDWIDTH;
	default:
		return DX_USB_IO_ERROR;
	}
}

void dx_export_request_handed_over(struct dx_export_request *request, int result)
{
	if (result < 0) {
		dx_export_request_finish(request, status_of(result));
	} else {
		request->is_at_backend = true;
		dx_list_push_back(&request->peer->device->requests, &request->link);
	}
}

void dx_export_request_begin(struct dx_export_request *request)
{
	struct dx_export_device *device = request->peer->device;
	struct dx_usb_transfer *transfer = &request->transfer;

	request->kind = dx_export_kind_of(transfer);
	if (device->is_gone) {
		dx_export_request_finish(request, DX_USB_NOT_RESPONDING);
	} else if (request->kind == DX_EXPORT_FORBIDDEN) {
		dx_export_request_finish(request, DX_USB_STALLED);
	} else if (request->kind != DX_EXPORT_TRANSFER) {
		dx_export_special_start(request);
	} else if (transfer->type == DX_USB_ISOCHRONOUS && !place_packets(request)) {
		dx_export_request_finish(request, DX_USB_BAD_ARGUMENT);
	} else {
		dx_export_request_handed_over(request,
					      device->ops->submit(device->backend, transfer));
	}
}

void dx_export_request_start(struct dx_export_request *request)
{
	struct dx_export_peer *peer = request->peer;

	dx_export_numbers_add(&peer->names, &request->name, request->answer.unit.number);
	if (peer->barrier != NULL || !dx_list_is_empty(&peer->held)) {
		dx_list_push_back(&peer->held, &request->link);
	} else {
		dx_export_request_begin(request);
	}
}

/* ---- the end of a request ---- */

static void fill_answer(struct dx_export_request *request, int32_t status)
{
	struct dx_usb_transfer *transfer = &request->transfer;
	struct dx_export_answer *answer = &request->answer;
	uint32_t actual = transfer->actual < transfer->length ? transfer->actual : transfer->length;

	if (transfer->type == DX_USB_ISOCHRONOUS) {
		actual = answer_packets(request);
	}
	answer->unit.status = dx_usbip_status_to_errno(status);
	answer->unit.actual = actual;
	answer->data_length = request->is_in ? actual : 0;
}

void dx_export_request_finish(struct dx_export_request *request, int32_t status)
{
	struct dx_export_peer *peer = request->peer;
	struct dx_export_answer *unlink = request->unlink;
	bool is_untouched = status == DX_USB_ABORTED && request->transfer.actual == 0;

	dx_list_remove(&request->link);
	dx_export_numbers_remove(&peer->names, &request->name);
	peer->nr_awaited -= request->is_awaited;
	request->is_awaited = false;
	peer->barrier = peer->barrier == request ? NULL : peer->barrier;
	if (peer->has_ended) {
		dx_export_request_free(request);
		return;
	}
	request->unlink = NULL;
	if (unlink != NULL && is_untouched) {
		unlink->unit.status = DX_USBIP_ECONNRESET;
		dx_export_request_free(request);
	} else {
		fill_answer(request, status);
		dx_export_answer_push(peer, &request->answer);
	}
	if (unlink != NULL) {
		dx_export_answer_push(peer, unlink);
	}
}

void dx_export_request_cancel(struct dx_export_request *request)
{
	struct dx_export_device *device = request->peer->device;

	if (!request->is_at_backend) {
		dx_export_request_finish(request, DX_USB_ABORTED);
	} else if (!request->transfer.cancelled) {
		request->transfer.cancelled = true;
		device->ops->cancel(device->backend, &request->transfer);
	}
}

int dx_export_refuse(struct dx_export_peer *peer, const struct dx_usbip_unit *unit, int32_t status)
{
	size_t length = dx_export_unit_packets(peer, unit);
	struct dx_export_answer *answer =
		dx_export_answer_new(peer, DX_USBIP_SUBMIT_ANSWER, unit->number, status);

	if (answer == NULL) {
		return -ENOMEM;
	}
	if (length != 0) {
		answer->packets = calloc(1, length);
		if (answer->packets == NULL) {
			dx_export_answer_free(peer, answer);
			return -ENOMEM;
		}
		answer->packets_length = length;
		answer->unit.nr_packets = unit->nr_packets;
	}
	dx_export_answer_push(peer, answer);
	return 0;
}

struct dx_export_answer *dx_export_early_take(struct dx_export_peer *peer, uint32_t number)
{
	dx_list_for_each (node, &peer->early) {
		struct dx_export_answer *answer =
			dx_list_entry(node, struct dx_export_answer, link);

		if (answer->unit.unlinked == number) {
			dx_list_remove(node);
			peer->nr_early--;
			return answer;
		}
	}
	return NULL;
}

int dx_export_unlink(struct dx_export_peer *peer, const struct dx_usbip_unit *unit)
{
	struct dx_export_answer *answer =
		dx_export_answer_new(peer, DX_USBIP_UNLINK_ANSWER, unit->number, 0);
	struct dx_export_number *name = NULL;

	if (answer == NULL) {
		return -ENOMEM;
	}
	name = dx_export_numbers_find(&peer->names, unit->unlinked);
	if (name != NULL) {
		struct dx_export_request *request =
			dx_container_of(name, struct dx_export_request, name);

		dx_export_numbers_remove(&peer->names, name); /* once is enough */
		request->unlink = answer;
		dx_export_request_cancel(request);
		return 0;
	}
	if (is_ahead(peer, unit->unlinked) && peer->nr_early < MAX_EARLY) {
		answer->unit.unlinked = unit->unlinked;
		dx_list_push_back(&peer->early, &answer->link);
		peer->nr_early++;
	} else {
		dx_export_answer_push(peer, answer); /* it was done already */
	}
	return 0;
}
