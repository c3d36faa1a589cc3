/* SPDX-License-Identifier: MIT
 *
 * requests - queues of transfers, the numbers of requests, and what goes out in which order.
 *
 * Place:      backend/usbip; the picture is in runtime.h.
 */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "backend/usbip/runtime.h"
#include "base/clock.h"

#define UNLINK_BIT       0x80000000u
#define GENERATION_MASK  0x7FFFu
#define BIG_BYTES        (256u << 10) /* from here on a server may use pieces of memory */
#define FRAME_NS         1000000u
#define MAX_AHEAD_FRAMES 1024u
#define FLUSH_ROUNDS     64u /* batches that one poll() sends at most */

/* ---- numbers ---- */

static uint32_t number_of(const struct dx_usbip_slot *slot)
{
	return (uint32_t)slot->generation << 16 | slot->index;
}

struct dx_usbip_slot *dx_usbip_slot_find(struct dx_usbip_client *client, uint32_t number,
					 bool is_unlink)
{
	uint32_t index = number & DX_USBIP_MAX_SLOTS;
	struct dx_usbip_slot *slot = NULL;

	if (index == 0 || index > client->nr_slots || ((number & UNLINK_BIT) != 0) != is_unlink) {
		return NULL;
	}
	slot = client->slots[index - 1];
	return slot->is_used && number_of(slot) == (number & ~UNLINK_BIT) ? slot : NULL;
}

static bool make_room(struct dx_usbip_client *client)
{
	unsigned room = client->nr_slots_room == 0 ? 64 : 2 * client->nr_slots_room;
	struct dx_usbip_slot **slots = NULL;

	if (client->nr_slots < client->nr_slots_room) {
		return true;
	}
	room = room > DX_USBIP_MAX_SLOTS ? DX_USBIP_MAX_SLOTS : room;
	if (room == client->nr_slots_room) {
		return false;
	}
	slots = realloc(client->slots, room * sizeof(struct dx_usbip_slot *));
	if (slots == NULL) {
		return false;
	}
	client->slots = slots;
	client->nr_slots_room = room;
	return true;
}

/* The longest free one, so that numbers come back late (C2). */
static struct dx_usbip_slot *take_slot(struct dx_usbip_client *client)
{
	struct dx_list *node = dx_list_pop_front(&client->free_slots);
	struct dx_usbip_slot *slot = NULL;

	if (node != NULL) {
		slot = dx_list_entry(node, struct dx_usbip_slot, link);
	} else if (make_room(client)) {
		slot = calloc(1, sizeof(*slot));
		if (slot != NULL) {
			dx_list_init(&slot->link);
			client->slots[client->nr_slots++] = slot;
			slot->index = (uint16_t)client->nr_slots;
		}
	}
	if (slot != NULL) {
		slot->is_used = true;
	}
	return slot;
}

void dx_usbip_slot_settle(struct dx_usbip_client *client, struct dx_usbip_slot *slot)
{
	if (slot->transfer != NULL || slot->unlink_sent) {
		return;
	}
	/* An unlink that is not sent yet has become pointless; one in a batch is as good as sent.
	 */
	if (slot->unlink_wanted && dx_list_is_empty(&slot->link)) {
		return;
	}
	dx_list_remove(&slot->link);
	slot->unlink_wanted = false;
	slot->is_used = false;
	slot->generation = (slot->generation + 1u) & GENERATION_MASK;
	dx_list_push_back(&client->free_slots, &slot->link);
}

static struct dx_usbip_slot *slot_of(struct dx_usbip_client *client,
				     const struct dx_usb_transfer *transfer)
{
	uint64_t index = transfer->backend_words[DX_USBIP_WORD_SLOT];

	return index == 0 ? NULL : client->slots[index - 1];
}

/* ---- queues ---- */

static struct dx_usbip_endpoint *endpoint_of(struct dx_usbip_client *client,
					     const struct dx_usb_transfer *transfer)
{
	return &client->endpoints[transfer->type == DX_USB_CONTROL
					  ? 0
					  : dx_usbip_place_index(transfer->endpoint)];
}

struct dx_usbip_endpoint *dx_usbip_endpoint(struct dx_usbip_client *client, uint8_t address)
{
	return dx_usbip_layout_find(&client->layout, address) == NULL
		       ? NULL
		       : &client->endpoints[dx_usbip_place_index(address)];
}

bool dx_usbip_can_halt(const struct dx_usb_transfer *transfer)
{
	return transfer->type == DX_USB_BULK || transfer->type == DX_USB_INTERRUPT;
}

/* When a transfer is to begin. */
static uint64_t frame_ns(const struct dx_usbip_client *client,
			 const struct dx_usb_transfer *transfer)
{
	return client->epoch_ns + transfer->first_frame * FRAME_NS;
}

/* One that waits for its frame asks to be looked at then. */
static bool may_send(struct dx_usbip_client *client, const struct dx_usbip_endpoint *endpoint)
{
	const struct dx_usb_transfer *next = NULL;

	if (endpoint->stopped || dx_list_is_empty(&endpoint->waiting)) {
		return false;
	}
	next = dx_list_entry(endpoint->waiting.next, struct dx_usb_transfer, link);
	if (next->type == DX_USB_ISOCHRONOUS && next->first_frame != 0 &&
	    frame_ns(client, next) > dx_clock_now_ns()) {
		client->wake_ns = frame_ns(client, next) < client->wake_ns ? frame_ns(client, next)
									   : client->wake_ns;
		return false;
	}
	return endpoint->in_flight == 0 ||
	       (endpoint->in_flight < DX_USBIP_WINDOW_COUNT &&
		endpoint->in_flight_bytes + next->length <= DX_USBIP_WINDOW);
}

/* `ready` has exactly those that may send, but for one that lacks memory until an answer comes. */
static void kick(struct dx_usbip_client *client, struct dx_usbip_endpoint *endpoint)
{
	if (!may_send(client, endpoint)) {
		dx_list_remove(&endpoint->ready);
	} else if (dx_list_is_empty(&endpoint->ready)) {
		dx_list_push_back(&client->ready, &endpoint->ready);
	}
}

/* The connection has nothing of it any more. */
static void leave(struct dx_usbip_client *client, struct dx_usb_transfer *transfer)
{
	struct dx_usbip_endpoint *endpoint = endpoint_of(client, transfer);

	dx_list_remove(&transfer->link);
	if (transfer->backend_words[DX_USBIP_WORD_SLOT] != 0) {
		slot_of(client, transfer)->transfer = NULL;
		transfer->backend_words[DX_USBIP_WORD_SLOT] = 0;
		transfer->backend_words[DX_USBIP_WORD_ON_WIRE] = 0;
		endpoint->in_flight--;
		endpoint->in_flight_bytes -= transfer->length;
	}
}

void dx_usbip_complete(struct dx_usbip_client *client, struct dx_usb_transfer *transfer,
		       int32_t status)
{
	leave(client, transfer);
	kick(client, endpoint_of(client, transfer));
	client->reset_done = client->reset_done == transfer ? NULL : client->reset_done;
	free((void *)(uintptr_t)transfer->backend_words[DX_USBIP_WORD_PACKETS]);
	transfer->status = status;
	client->host->complete(client->host_ctx, transfer);
}

void dx_usbip_put_back(struct dx_usbip_client *client, struct dx_usb_transfer *transfer)
{
	struct dx_usbip_endpoint *endpoint = endpoint_of(client, transfer);
	struct dx_list *before = &endpoint->waiting;

	leave(client, transfer);
	dx_list_for_each (node, &endpoint->waiting) {
		const struct dx_usb_transfer *other =
			dx_list_entry(node, struct dx_usb_transfer, link);

		if (other->backend_words[DX_USBIP_WORD_ORDER] >
		    transfer->backend_words[DX_USBIP_WORD_ORDER]) {
			before = node;
			break;
		}
	}
	transfer->actual = 0;
	dx_list_push_back(before, &transfer->link);
	kick(client, endpoint);
}

void dx_usbip_wake(struct dx_usbip_client *client)
{
	if (client->wake_ns == UINT64_MAX || dx_clock_now_ns() < client->wake_ns) {
		return;
	}
	client->wake_ns = UINT64_MAX;
	for (unsigned i = 0; i < DX_USBIP_PLACES; i++) {
		kick(client, &client->endpoints[i]);
	}
}

static void want_unlink(struct dx_usbip_client *client, struct dx_usb_transfer *transfer)
{
	struct dx_usbip_slot *slot = slot_of(client, transfer);

	if (!slot->unlink_wanted) {
		slot->unlink_wanted = true;
		dx_list_push_back(&client->unlinks, &slot->link);
	}
}

void dx_usbip_hold(struct dx_usbip_client *client, struct dx_usbip_endpoint *endpoint)
{
	endpoint->stopped = true;
	dx_list_remove(&endpoint->ready);
	dx_list_for_each (node, &endpoint->sent) {
		want_unlink(client, dx_list_entry(node, struct dx_usb_transfer, link));
	}
}

void dx_usbip_resume(struct dx_usbip_client *client, struct dx_usbip_endpoint *endpoint)
{
	endpoint->stopped = false;
	kick(client, endpoint);
}

/* What was stopped on endpoints that are new, or new again, is over. */
static void restart(struct dx_usbip_client *client, bool all, uint8_t interface_number)
{
	for (unsigned i = 0; i < DX_USBIP_PLACES; i++) {
		const struct dx_usbip_place *place = &client->layout.places[i];

		if (place->present && (all || place->interface_number == interface_number)) {
			dx_usbip_resume(client, &client->endpoints[i]);
		}
	}
}

void dx_usbip_configure(struct dx_usbip_client *client, uint8_t value)
{
	dx_usbip_layout_configure(&client->layout, value);
	restart(client, true, 0);
	memset(client->claimed, 0, sizeof(client->claimed));
}

void dx_usbip_select(struct dx_usbip_client *client, uint8_t interface_number, uint8_t setting)
{
	dx_usbip_layout_select(&client->layout, interface_number, setting);
	restart(client, false, interface_number);
}

/* ---- submitting ---- */

static bool is_slow(const struct dx_usbip_client *client)
{
	return client->info.speed == DX_USB_SPEED_FULL || client->info.speed == DX_USB_SPEED_LOW;
}

/* Between two packets or interrupt transfers, as Linux counts: frames at full and low speed,
 * microframes above. 0: not periodic. */
static uint32_t interval_of(const struct dx_usbip_client *client,
			    const struct dx_usb_transfer *transfer)
{
	const struct dx_usbip_place *place =
		dx_usbip_layout_find(&client->layout, transfer->endpoint);
	uint8_t interval = place == NULL || place->interval == 0 ? 1 : place->interval;

	if (transfer->type != DX_USB_INTERRUPT && transfer->type != DX_USB_ISOCHRONOUS) {
		return 0;
	}
	return is_slow(client) && transfer->type == DX_USB_INTERRUPT
		       ? interval
		       : 1u << ((interval - 1u) & 15u);
}

/* Frames are counted here, by the clock. A transfer is sent when its frame comes; the server begins
 * as soon as it can, because its frames are others. */
static int check_frame(const struct dx_usbip_client *client, uint64_t first_frame)
{
	uint64_t now = (dx_clock_now_ns() - client->epoch_ns) / FRAME_NS;

	if (first_frame == 0) {
		return 0;
	}
	return first_frame <= now ? -ESTALE : first_frame > now + MAX_AHEAD_FRAMES ? -ERANGE : 0;
}

/* Encodes the packets; the same memory takes the answer's. */
static int prepare_packets(const struct dx_usbip_client *client, struct dx_usb_transfer *transfer)
{
	uint8_t *bytes = NULL;
	uint64_t offset = 0;
	int result = check_frame(client, transfer->first_frame);

	if (result < 0) {
		return result;
	}
	if (transfer->nr_packets == 0 || transfer->nr_packets > DX_USBIP_MAX_PACKETS) {
		return -EINVAL;
	}
	bytes = calloc(transfer->nr_packets, DX_USBIP_PACKET_BYTES);
	if (bytes == NULL) {
		return -ENOMEM;
	}
	for (uint32_t i = 0; i < transfer->nr_packets; i++) {
		const struct dx_usbip_packet packet = {
			.offset = (uint32_t)offset,
			.length = transfer->packets[i].length,
		};

		dx_usbip_put_packet(bytes + (size_t)i * DX_USBIP_PACKET_BYTES, &packet);
		offset += packet.length;
	}
	if (offset > transfer->length) {
		free(bytes);
		return -EINVAL;
	}
	transfer->backend_words[DX_USBIP_WORD_PACKETS] = (uint64_t)(uintptr_t)bytes;
	return 0;
}

int dx_usbip_submit(struct dx_usbip_client *client, struct dx_usb_transfer *transfer)
{
	struct dx_usbip_endpoint *endpoint = endpoint_of(client, transfer);
	const struct dx_usbip_place *place =
		dx_usbip_layout_find(&client->layout, transfer->endpoint);

	if (client->is_broken || client->gone) {
		return -ENODEV;
	}
	if (place == NULL || place->type != transfer->type) {
		return -ENOENT;
	}
	if (transfer->length > DX_USBIP_MAX_TRANSFER) {
		return -EINVAL;
	}
	if (transfer->type == DX_USB_ISOCHRONOUS) {
		int result = prepare_packets(client, transfer);

		if (result < 0) {
			return result;
		}
	}
	transfer->backend_words[DX_USBIP_WORD_ORDER] = client->next_order++;
	dx_list_push_back(&endpoint->waiting, &transfer->link);
	kick(client, endpoint);
	return 0;
}

void dx_usbip_cancel(struct dx_usbip_client *client, struct dx_usb_transfer *transfer)
{
	if (transfer->backend_words[DX_USBIP_WORD_SLOT] == 0) {
		dx_usbip_complete(client, transfer, DX_USB_ABORTED);
	} else {
		want_unlink(client, transfer);
	}
}

/* ---- sending ---- */

static bool transfer_is_in(const struct dx_usb_transfer *transfer)
{
	return transfer->type == DX_USB_CONTROL
		       ? (transfer->setup[0] & 0x80) != 0 && transfer->length != 0
		       : (transfer->endpoint & 0x80) != 0;
}

static void add_unlink(struct dx_usbip_client *client, struct dx_usbip_slot *slot)
{
	const struct dx_usbip_unit unit = {
		.command = DX_USBIP_UNLINK,
		.number = number_of(slot) | UNLINK_BIT,
		.device = client->device_number,
		.unlinked = number_of(slot),
	};

	dx_usbip_writer_add(&client->writer, &unit, slot, NULL, 0, NULL, 0);
}

static void add_submit(struct dx_usbip_client *client, struct dx_usbip_slot *slot)
{
	const struct dx_usb_transfer *transfer = slot->transfer;
	bool is_in = transfer_is_in(transfer);
	bool is_iso = transfer->type == DX_USB_ISOCHRONOUS;
	struct dx_usbip_unit unit = {
		.command = DX_USBIP_SUBMIT,
		.number = number_of(slot),
		.device = client->device_number,
		.is_in = is_in,
		.endpoint = transfer->endpoint & 0x0F,
		.flags = is_iso ? DX_USBIP_ISO_ASAP : 0,
		.length = transfer->length,
		.nr_packets = is_iso ? transfer->nr_packets : 0,
		.interval = interval_of(client, transfer),
	};

	if (transfer->type == DX_USB_BULK && transfer->length > BIG_BYTES) {
		unit.flags |= DX_USBIP_SCATTER_GATHER;
	}
	if (transfer->type == DX_USB_CONTROL) {
		memcpy(unit.setup, transfer->setup, sizeof(unit.setup));
	}
	dx_usbip_writer_add(&client->writer, &unit, slot, transfer->data,
			    is_in ? 0 : transfer->length,
			    (const void *)(uintptr_t)transfer->backend_words[DX_USBIP_WORD_PACKETS],
			    is_iso ? (size_t)transfer->nr_packets * DX_USBIP_PACKET_BYTES : 0);
}

/*
 * No memory for a slot. While the server has something of the endpoint, its answer will free one, and
 * wake the endpoint; otherwise the transfer fails, and what is behind it does not overtake it (B6).
 */
static void lack_memory(struct dx_usbip_client *client, struct dx_usbip_endpoint *endpoint,
			struct dx_usb_transfer *transfer)
{
	if (endpoint->in_flight != 0) {
		return;
	}
	endpoint->stopped = dx_usbip_can_halt(transfer);
	dx_usbip_complete(client, transfer, DX_USB_NO_MEMORY);
}

/* The next transfer of an endpoint that may send. */
static void send_one(struct dx_usbip_client *client, struct dx_usbip_endpoint *endpoint)
{
	struct dx_usb_transfer *transfer =
		dx_list_entry(endpoint->waiting.next, struct dx_usb_transfer, link);
	struct dx_usbip_slot *slot = take_slot(client);

	if (slot == NULL) {
		lack_memory(client, endpoint, transfer);
		return;
	}
	slot->transfer = transfer;
	transfer->backend_words[DX_USBIP_WORD_SLOT] = slot->index;
	dx_list_remove(&transfer->link);
	dx_list_push_back(&endpoint->sent, &transfer->link);
	endpoint->in_flight++;
	endpoint->in_flight_bytes += transfer->length;
	add_submit(client, slot);
	kick(client, endpoint);
}

static void gather(struct dx_usbip_client *client)
{
	while (dx_usbip_writer_has_room(&client->writer)) {
		struct dx_list *node = dx_list_pop_front(&client->unlinks);

		if (node != NULL) {
			add_unlink(client, dx_list_entry(node, struct dx_usbip_slot, link));
			continue;
		}
		node = dx_list_pop_front(&client->ready);
		if (node == NULL) {
			return;
		}
		send_one(client, dx_list_entry(node, struct dx_usbip_endpoint, ready));
	}
}

/* Units that the socket has taken whole since there were nr_before. */
static void note_sent(struct dx_usbip_client *client, unsigned nr_before)
{
	for (unsigned i = nr_before; i < client->writer.nr_sent; i++) {
		struct dx_usbip_slot *slot = client->writer.units[i].owner;

		if (dx_usbip_get32(client->writer.units[i].header) == DX_USBIP_SUBMIT) {
			slot->transfer->backend_words[DX_USBIP_WORD_ON_WIRE] = 1;
		} else {
			slot->unlink_sent = true;
			slot->unlink_ns = dx_clock_now_ns();
			dx_list_push_back(&client->unlinking, &slot->link);
		}
	}
}

bool dx_usbip_has_output(const struct dx_usbip_client *client)
{
	return !dx_usbip_writer_is_empty(&client->writer) || !dx_list_is_empty(&client->unlinks) ||
	       !dx_list_is_empty(&client->ready);
}

/* @return true when there may be more to send at once. */
static bool send_batch(struct dx_usbip_client *client)
{
	struct dx_usbip_writer *writer = &client->writer;
	unsigned nr_before = writer->nr_sent;
	int result = 0;

	gather(client);
	if (dx_usbip_writer_is_empty(writer)) {
		return false;
	}
	result = dx_usbip_writer_send(writer, client->fd);
	if (result < 0 && result != -EAGAIN) {
		dx_usbip_break(client, "cannot send: %s", strerror(-result));
		return false;
	}
	note_sent(client, nr_before);
	if (writer->nr_sent == writer->nr_units) {
		dx_usbip_writer_clear(writer);
		client->write_ns = 0;
		return true;
	}
	if (result > 0 || client->write_ns == 0) {
		client->write_ns = dx_clock_now_ns();
	}
	return false;
}

void dx_usbip_flush(struct dx_usbip_client *client)
{
	for (unsigned i = 0; i < FLUSH_ROUNDS; i++) {
		if (!send_batch(client)) {
			return;
		}
	}
}

/* ---- the end ---- */

static void fail_list(struct dx_usbip_client *client, struct dx_list *list)
{
	while (!dx_list_is_empty(list)) {
		dx_usbip_complete(client, dx_list_entry(list->next, struct dx_usb_transfer, link),
				  DX_USB_NOT_RESPONDING);
	}
}

void dx_usbip_fail_all(struct dx_usbip_client *client)
{
	dx_usbip_writer_clear(&client->writer);
	fail_list(client, &client->local);
	for (unsigned i = 0; i < DX_USBIP_PLACES; i++) {
		client->endpoints[i].stopped = true;
		fail_list(client, &client->endpoints[i].sent);
		fail_list(client, &client->endpoints[i].waiting);
	}
}
