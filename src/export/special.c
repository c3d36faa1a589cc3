/* SPDX-License-Identifier: MIT
 *
 * special - control requests that a backend has functions for, because the host's side of them
 * counts.
 *
 * Place:      export.
 *
 * A client's kernel has sent SET_ADDRESS to its own virtual port, so that one never comes here.
 * What SET_CONFIGURATION, SET_INTERFACE and a reset would disturb is cancelled and awaited, and
 * until they are done nothing else of the client is begun (X5).
 */
#include "export/private.h"

enum {
	CLEAR_FEATURE = 1,
	SET_FEATURE = 3,
	SET_ADDRESS = 5,
	SET_CONFIGURATION = 9,
	SET_INTERFACE = 11,
};

#define TO_DEVICE     0x00
#define TO_INTERFACE  0x01
#define TO_ENDPOINT   0x02
#define TO_PORT       0x23
#define ENDPOINT_HALT 0
#define PORT_RESET    4

enum dx_export_kind dx_export_kind_of(const struct dx_usb_transfer *transfer)
{
	const uint8_t *setup = transfer->setup;
	unsigned value = setup[2] | (unsigned)setup[3] << 8;

	if (transfer->type != DX_USB_CONTROL || transfer->length != 0) {
		return DX_EXPORT_TRANSFER;
	}
	switch ((unsigned)setup[0] << 8 | setup[1]) {
	case TO_DEVICE << 8 | SET_ADDRESS:
		return DX_EXPORT_FORBIDDEN;
	case TO_DEVICE << 8 | SET_CONFIGURATION:
		return DX_EXPORT_CONFIGURE;
	case TO_INTERFACE << 8 | SET_INTERFACE:
		return DX_EXPORT_SELECT;
	case TO_ENDPOINT << 8 | CLEAR_FEATURE:
		return value == ENDPOINT_HALT && (setup[4] & 0x0F) != 0 ? DX_EXPORT_CLEAR_HALT
									: DX_EXPORT_TRANSFER;
	case TO_PORT << 8 | SET_FEATURE:
		return value == PORT_RESET ? DX_EXPORT_RESET : DX_EXPORT_TRANSFER;
	default:
		return DX_EXPORT_TRANSFER;
	}
}

/* Carries it out. */
static void call_backend(struct dx_export_request *request)
{
	struct dx_export_device *device = request->peer->device;
	struct dx_usb_transfer *done = &request->transfer;
	int result = 0;

	switch (request->kind) {
	case DX_EXPORT_CONFIGURE:
		dx_export_device_release(device);
		result = device->ops->set_configuration(device->backend, done->setup[2], done);
		break;
	case DX_EXPORT_SELECT:
		result = device->ops->set_altsetting(device->backend, done->setup[4],
						     done->setup[2], done);
		break;
	case DX_EXPORT_CLEAR_HALT:
		result = device->ops->clear_halt(device->backend, done->setup[4], true, done);
		break;
	default:
		result = device->ops->reset(device->backend, done);
		break;
	}
	dx_export_request_handed_over(request, result);
}

static bool is_disturbed(const struct dx_export_device *device,
			 const struct dx_export_request *other, const struct dx_export_request *by)
{
	const struct dx_usbip_place *place =
		dx_usbip_layout_find(&device->layout, other->transfer.endpoint);

	if (by->kind == DX_EXPORT_SELECT) {
		return other->transfer.type != DX_USB_CONTROL && place != NULL &&
		       place->interface_number == by->transfer.setup[4];
	}
	return by->kind == DX_EXPORT_RESET || other->transfer.type != DX_USB_CONTROL;
}

/* Those that must go first. Cancelling one may end it, and no other (B2). */
static void cancel_awaited(struct dx_export_device *device)
{
	for (struct dx_list *node = device->requests.next; node != &device->requests;) {
		struct dx_export_request *request =
			dx_list_entry(node, struct dx_export_request, link);

		node = node->next;
		if (request->is_awaited) {
			dx_export_request_cancel(request);
		}
	}
}

void dx_export_special_start(struct dx_export_request *request)
{
	struct dx_export_peer *peer = request->peer;
	struct dx_export_device *device = peer->device;

	if (request->kind == DX_EXPORT_CLEAR_HALT) {
		call_backend(request);
		return;
	}
	peer->barrier = request;
	peer->nr_awaited = 0;
	dx_list_for_each (node, &device->requests) {
		struct dx_export_request *other =
			dx_list_entry(node, struct dx_export_request, link);

		other->is_awaited = is_disturbed(device, other, request);
		peer->nr_awaited += other->is_awaited;
	}
	cancel_awaited(device);
	dx_export_special_go_on(peer);
}

static bool barrier_is_due(const struct dx_export_peer *peer)
{
	return peer->barrier != NULL && peer->nr_awaited == 0 &&
	       !peer->barrier->is_at_backend && !peer->device->is_gone;
}

static bool held_are_due(const struct dx_export_peer *peer)
{
	return peer->barrier == NULL && !dx_list_is_empty(&peer->held);
}

bool dx_export_special_is_due(const struct dx_export_peer *peer)
{
	return barrier_is_due(peer) || held_are_due(peer);
}

void dx_export_special_go_on(struct dx_export_peer *peer)
{
	if (barrier_is_due(peer)) {
		call_backend(peer->barrier);
	}
	while (held_are_due(peer)) {
		struct dx_list *node = dx_list_pop_front(&peer->held);

		dx_export_request_begin(dx_list_entry(node, struct dx_export_request, link));
	}
}

void dx_export_special_done(const struct dx_export_request *request)
{
	struct dx_export_device *device = request->peer->device;
	const uint8_t *setup = request->transfer.setup;

	switch (request->kind) {
	case DX_EXPORT_CONFIGURE:
		dx_usbip_layout_configure(&device->layout, setup[2]);
		device->restarts = 0;
		device->stuck = 0;
		device->needs_claim = true;
		break;
	case DX_EXPORT_SELECT:
		dx_usbip_layout_select(&device->layout, setup[4], setup[2]);
		break;
	default:
		break;
	}
}
