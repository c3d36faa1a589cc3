/* SPDX-License-Identifier: MIT
 *
 * transfer - the data path: slots, submission, cancellation, completion; see state.h for L1..L6.
 *
 * Place:      backend/libusb.
 * Layout:     transfer->backend_words[0] is the slot while libusb has the transfer, else 0;
 *             [1] is the number of its submission.
 * Trust:      lengths that come back are clamped. Data is used in place and not looked at.
 */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "backend/libusb/state.h"
#include "base/clock.h"

#define SETUP_LENGTH	 8u
#define FRAME_NS	 1000000u
#define MAX_AHEAD_FRAMES 1024u

/* ---- slots ---- */

static struct dx_list *pool_of(struct dx_libusb *device, const struct dx_usb_transfer *transfer)
{
	return transfer->type == DX_USB_ISOCHRONOUS ? &device->iso_pool : &device->pool;
}

static void slot_free(struct dx_libusb_slot *slot)
{
	dx_list_remove(&slot->node);
	libusb_free_transfer(slot->libusb);
	free(slot->control);
	free(slot);
}

static struct dx_libusb_slot *slot_new(struct dx_libusb *device)
{
	struct dx_libusb_slot *slot = calloc(1, sizeof(*slot));

	if (slot != NULL) {
		slot->device = device;
		dx_list_init(&slot->node);
	}
	return slot;
}

/* Room for what this transfer needs beside its data. */
static bool slot_fit(struct dx_libusb_slot *slot, const struct dx_usb_transfer *transfer)
{
	size_t control = transfer->type == DX_USB_CONTROL ? SETUP_LENGTH + transfer->length : 0;

	if (slot->libusb == NULL || slot->max_packets < transfer->nr_packets) {
		struct libusb_transfer *libusb = libusb_alloc_transfer((int)transfer->nr_packets);

		if (libusb == NULL) {
			return false;
		}
		libusb_free_transfer(slot->libusb);
		slot->libusb = libusb;
		slot->max_packets = transfer->nr_packets;
	}
	if (slot->control_length < control) {
		uint8_t *grown = realloc(slot->control, control);

		if (grown == NULL) {
			return false;
		}
		slot->control = grown;
		slot->control_length = control;
	}
	return true;
}

static struct dx_libusb_slot *slot_take(struct dx_libusb *device, struct dx_usb_transfer *transfer)
{
	struct dx_list *node = dx_list_pop_front(pool_of(device, transfer));
	struct dx_libusb_slot *slot =
		node == NULL ? slot_new(device) : dx_list_entry(node, struct dx_libusb_slot, node);

	if (slot == NULL) {
		return NULL;
	}
	if (!slot_fit(slot, transfer)) {
		slot_free(slot);
		return NULL;
	}
	slot->transfer = transfer;
	slot->recalled = false;
	return slot;
}

static void slot_give(struct dx_libusb_slot *slot, struct dx_list *pool)
{
	slot->transfer->backend_words[0] = 0;
	slot->transfer = NULL;
	dx_list_push_front(pool, &slot->node);
}

static struct dx_libusb_slot *slot_of(const struct dx_usb_transfer *transfer)
{
	return (struct dx_libusb_slot *)(uintptr_t)transfer->backend_words[0];
}

static void free_list(struct dx_list *list)
{
	dx_list_for_each_safe(node, list)
	{
		slot_free(dx_list_entry(node, struct dx_libusb_slot, node));
	}
}

void dx_libusb_free_slots(struct dx_libusb *device)
{
	free_list(&device->pool);
	free_list(&device->iso_pool);
	for (unsigned i = 0; i < DX_LIBUSB_ENDPOINTS; i++) {
		free_list(&device->endpoints[i].in_flight);
	}
}

/* ---- results ---- */

static int32_t status_of(enum libusb_transfer_status status)
{
	switch (status) {
	case LIBUSB_TRANSFER_COMPLETED:
		return DX_USB_OK;
	case LIBUSB_TRANSFER_TIMED_OUT:
		return DX_USB_TIMEOUT;
	case LIBUSB_TRANSFER_CANCELLED:
		return DX_USB_ABORTED;
	case LIBUSB_TRANSFER_STALL:
		return DX_USB_STALLED;
	case LIBUSB_TRANSFER_NO_DEVICE:
		return DX_USB_NOT_RESPONDING;
	case LIBUSB_TRANSFER_OVERFLOW:
		return DX_USB_OVERRUN;
	case LIBUSB_TRANSFER_ERROR:
	default:
		return DX_USB_IO_ERROR;
	}
}

struct dx_libusb_endpoint *dx_libusb_endpoint(struct dx_libusb *device, uint8_t address)
{
	return &device->endpoints[(address & 0x0fu) | ((address & 0x80u) != 0 ? 16u : 0u)];
}

static bool can_halt(const struct dx_usb_transfer *transfer)
{
	return transfer->type == DX_USB_BULK || transfer->type == DX_USB_INTERRUPT;
}

/* To the stack. */
static void finish(struct dx_libusb *device, struct dx_usb_transfer *transfer, int32_t status)
{
	transfer->status = status;
	device->host->complete(device->host_ctx, transfer);
}

/* Into its place (L4): what is recalled comes back in any order. */
static void wait_again(struct dx_libusb *device, struct dx_usb_transfer *transfer)
{
	struct dx_list *waiting = &dx_libusb_endpoint(device, transfer->endpoint)->waiting;
	struct dx_list *after = waiting->prev;

	while (after != waiting &&
	       dx_list_entry(after, struct dx_usb_transfer, link)->backend_words[1] >
		       transfer->backend_words[1]) {
		after = after->prev;
	}
	dx_list_insert_(&transfer->link, after, after->next);
	device->nr_waiting++;
}

/* Takes back what the endpoint still has, the last one first, so that none of them is next. */
static void recall(struct dx_libusb_endpoint *endpoint)
{
	for (struct dx_list *node = endpoint->in_flight.prev; node != &endpoint->in_flight;
	     node = node->prev) {
		struct dx_libusb_slot *slot = dx_list_entry(node, struct dx_libusb_slot, node);

		slot->recalled = true;
		(void)libusb_cancel_transfer(slot->libusb); /* or it has ended: it will be called */
	}
}

/* The packets that the controller did not come to have no result of their own. When one was moved
 * nobody tells: the last is taken to be the one that has just been. */
static void take_packets(const struct dx_libusb_slot *slot, struct dx_usb_transfer *transfer)
{
	bool was_cut = slot->libusb->status != LIBUSB_TRANSFER_COMPLETED;
	uint64_t now_ns = dx_clock_now_ns();
	uint32_t sum = 0;

	for (uint32_t i = 0; i < transfer->nr_packets; i++) {
		const struct libusb_iso_packet_descriptor *from = &slot->libusb->iso_packet_desc[i];
		struct dx_usb_packet *packet = &transfer->packets[i];

		packet->actual = from->actual_length < packet->length ? from->actual_length
								      : packet->length;
		packet->status = status_of(from->status);
		if (was_cut && packet->status == DX_USB_OK && packet->actual == 0) {
			packet->status = status_of(slot->libusb->status);
		}
		packet->timestamp_ns = now_ns - (transfer->nr_packets - 1 - i) * transfer->interval_ns;
		sum += packet->actual;
	}
	transfer->actual = sum;
}

static void take_result(const struct dx_libusb_slot *slot, struct dx_usb_transfer *transfer)
{
	const struct libusb_transfer *libusb = slot->libusb;
	uint32_t actual = libusb->actual_length < 0 ? 0 : (uint32_t)libusb->actual_length;

	if (transfer->type == DX_USB_ISOCHRONOUS) {
		take_packets(slot, transfer);
		return;
	}
	transfer->actual = actual < transfer->length ? actual : transfer->length;
	if (transfer->type == DX_USB_CONTROL && (transfer->setup[0] & 0x80) != 0 &&
	    transfer->actual != 0) {
		memcpy(transfer->data, slot->control + SETUP_LENGTH, transfer->actual);
	}
}

/* L1: inside poll(). */
static void LIBUSB_CALL on_complete(struct libusb_transfer *libusb)
{
	struct dx_libusb_slot *slot = libusb->user_data;
	struct dx_libusb *device = slot->device;
	struct dx_usb_transfer *transfer = slot->transfer;
	struct dx_libusb_endpoint *endpoint = dx_libusb_endpoint(device, transfer->endpoint);
	int32_t status = status_of(libusb->status);
	bool was_recalled = slot->recalled;

	take_result(slot, transfer);
	dx_list_remove(&slot->node);
	device->nr_in_flight--;
	slot_give(slot, pool_of(device, transfer));
	if (status == DX_USB_NOT_RESPONDING) {
		device->is_lost = true;
	} else if (was_recalled && status != DX_USB_OK && transfer->actual == 0 &&
		   !transfer->cancelled) {
		wait_again(device, transfer);
		return;
	} else if (can_halt(transfer) && status != DX_USB_OK && status != DX_USB_ABORTED &&
		   !endpoint->halted) {
		endpoint->halted = true;
		recall(endpoint);
	}
	/* Recalled in the middle: the bytes count, and so does that it was not finished. */
	if (was_recalled && status == DX_USB_ABORTED && !transfer->cancelled) {
		status = DX_USB_STALLED;
	}
	finish(device, transfer, status);
}

/* ---- submitting ---- */

static void fill_packets(struct libusb_transfer *libusb, const struct dx_usb_transfer *transfer)
{
	for (uint32_t i = 0; i < transfer->nr_packets; i++) {
		libusb->iso_packet_desc[i].length = transfer->packets[i].length;
		libusb->iso_packet_desc[i].actual_length = 0;
		libusb->iso_packet_desc[i].status = LIBUSB_TRANSFER_COMPLETED;
	}
}

static void fill_control(struct dx_libusb_slot *slot, const struct dx_usb_transfer *transfer)
{
	memcpy(slot->control, transfer->setup, SETUP_LENGTH);
	if ((transfer->setup[0] & 0x80) == 0 && transfer->length != 0) {
		memcpy(slot->control + SETUP_LENGTH, transfer->data, transfer->length);
	}
}

static void fill(struct dx_libusb_slot *slot, struct dx_usb_transfer *transfer)
{
	struct libusb_transfer *libusb = slot->libusb;

	*libusb = (struct libusb_transfer){
		.dev_handle = slot->device->handle,
		.endpoint = transfer->endpoint,
		.type = transfer->type,
		.length = (int)transfer->length,
		.callback = on_complete,
		.user_data = slot,
		.buffer = transfer->data,
		.num_iso_packets = (int)transfer->nr_packets,
	};
	if (transfer->type == DX_USB_ISOCHRONOUS) {
		fill_packets(libusb, transfer);
	} else if (transfer->type == DX_USB_CONTROL) {
		fill_control(slot, transfer);
		libusb->buffer = slot->control;
		libusb->length = (int)(SETUP_LENGTH + transfer->length);
	}
}

/* Gives it to libusb. */
static int send(struct dx_libusb *device, struct dx_libusb_endpoint *endpoint,
		struct dx_usb_transfer *transfer)
{
	struct dx_libusb_slot *slot = slot_take(device, transfer);
	int saved_errno = 0;
	int code = 0;

	if (slot == NULL) {
		return -ENOMEM;
	}
	fill(slot, transfer);
	errno = 0;
	code = libusb_submit_transfer(slot->libusb);
	saved_errno = errno;
	if (code != LIBUSB_SUCCESS) {
		slot_give(slot, pool_of(device, transfer));
		return dx_libusb_errno(code, saved_errno);
	}
	transfer->backend_words[0] = (uintptr_t)slot;
	dx_list_push_back(&endpoint->in_flight, &slot->node);
	device->nr_in_flight++;
	return 0;
}

/*
 * Neither libusb nor a device node lets anybody choose a frame, or read the number of the present
 * one: the frames here are milliseconds of the clock, and packets go out as soon as they can, one
 * transfer right behind the other.
 */
static int check_frame(const struct dx_usb_transfer *transfer)
{
	uint64_t now = dx_clock_now_ns() / FRAME_NS;

	if (transfer->first_frame == 0) {
		return 0;
	}
	if (transfer->first_frame < now) {
		return -ESTALE;
	}
	return transfer->first_frame > now + MAX_AHEAD_FRAMES ? -ERANGE : 0;
}

static int check(const struct dx_usb_transfer *transfer)
{
	if (transfer->length > INT_MAX - SETUP_LENGTH || transfer->nr_packets > INT_MAX ||
	    (transfer->type == DX_USB_CONTROL && transfer->length > DX_LIBUSB_MAX_CONTROL)) {
		return -EINVAL;
	}
	return transfer->type == DX_USB_ISOCHRONOUS ? check_frame(transfer) : 0;
}

int dx_libusb_submit(struct dx_usb_backend *backend, struct dx_usb_transfer *transfer)
{
	struct dx_libusb *device = dx_libusb_of(backend);
	struct dx_libusb_endpoint *endpoint = dx_libusb_endpoint(device, transfer->endpoint);
	int result = device->is_lost ? -ENODEV : check(transfer);

	if (result < 0) {
		return result;
	}
	transfer->backend_words[1] = device->next_number++;
	if (device->operation.kind == DX_LIBUSB_IDLE && !endpoint->halted &&
	    dx_list_is_empty(&endpoint->waiting)) {
		result = send(device, endpoint, transfer);
		if (result != -ENOMEM || dx_list_is_empty(&endpoint->in_flight)) {
			return result;
		}
		/* The kernel limits what all have in flight. Those before it will make room; it
		 * would have to wait for them anyway. */
	}
	dx_list_push_back(&endpoint->waiting, &transfer->link);
	device->nr_waiting++;
	return 0;
}

static void stop_waiting(struct dx_libusb *device, struct dx_usb_transfer *transfer)
{
	dx_list_remove(&transfer->link);
	device->nr_waiting--;
}

static void pump_endpoint(struct dx_libusb *device, struct dx_libusb_endpoint *endpoint)
{
	while (!endpoint->halted && !dx_list_is_empty(&endpoint->waiting)) {
		struct dx_usb_transfer *transfer =
			dx_list_entry(endpoint->waiting.next, struct dx_usb_transfer, link);
		int result = send(device, endpoint, transfer);

		if (result == -ENOMEM && !dx_list_is_empty(&endpoint->in_flight)) {
			return;
		}
		stop_waiting(device, transfer);
		if (result < 0) {
			finish(device, transfer, dx_libusb_status_of_errno(result));
		}
	}
}

void dx_libusb_pump(struct dx_libusb *device)
{
	for (unsigned i = 0; device->nr_waiting != 0 && i < DX_LIBUSB_ENDPOINTS; i++) {
		pump_endpoint(device, &device->endpoints[i]);
	}
}

void dx_libusb_fail_waiting(struct dx_libusb *device, int32_t status)
{
	for (unsigned i = 0; i < DX_LIBUSB_ENDPOINTS; i++) {
		struct dx_list *waiting = &device->endpoints[i].waiting;

		while (!dx_list_is_empty(waiting)) {
			struct dx_usb_transfer *transfer =
				dx_list_entry(waiting->next, struct dx_usb_transfer, link);

			stop_waiting(device, transfer);
			finish(device, transfer, status);
		}
	}
}

/* ---- cancelling ---- */

void dx_libusb_cancel(struct dx_usb_backend *backend, struct dx_usb_transfer *transfer)
{
	struct dx_libusb *device = dx_libusb_of(backend);
	struct dx_libusb_slot *slot = slot_of(transfer);

	if (slot == NULL && dx_libusb_operation_cancel(device, transfer)) {
		return;
	}
	if (slot == NULL) {
		stop_waiting(device, transfer);
		finish(device, transfer, DX_USB_ABORTED);
	} else if (device->operation.kind == DX_LIBUSB_IDLE) {
		(void)libusb_cancel_transfer(slot->libusb); /* or it has ended: it will be called */
	}
}

void dx_libusb_forget_halts(struct dx_libusb *device)
{
	for (unsigned i = 0; i < DX_LIBUSB_ENDPOINTS; i++) {
		struct dx_libusb_endpoint *endpoint = &device->endpoints[i];

		endpoint->halted = endpoint->halted && (!dx_list_is_empty(&endpoint->waiting) ||
							!dx_list_is_empty(&endpoint->in_flight));
	}
}

void dx_libusb_cancel_late(struct dx_libusb *device)
{
	for (unsigned i = 0; i < DX_LIBUSB_ENDPOINTS; i++) {
		dx_list_for_each(node, &device->endpoints[i].in_flight)
		{
			struct dx_libusb_slot *slot =
				dx_list_entry(node, struct dx_libusb_slot, node);

			if (slot->transfer->cancelled) {
				(void)libusb_cancel_transfer(slot->libusb);
			}
		}
	}
}
