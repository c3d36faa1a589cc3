/* SPDX-License-Identifier: MIT
 *
 * described - the model that does what its description says: sources, sinks, loopbacks.
 *
 * Place:      backend/virtual; both gadget-zero and description files become this model.
 * Behaviour:  as Linux's Gadget Zero, so that its test programs apply. A sink takes data in units of
 *             buffer_bytes; a unit with wrong bytes is still taken, then the endpoint halts. Vendor
 *             request 0x5b stores up to buffer_bytes, 0x5c reads them back.
 * Trust:      bytes of OUT transfers are only compared.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "backend/virtual/loop.h"
#include "backend/virtual/runtime.h"
#include "base/cleanup.h"

#define VENDOR_OUT   0x40u
#define VENDOR_IN    0xC0u
#define ECHO_WRITE   0x5Bu
#define ECHO_READ    0x5Cu

struct described {
	struct dx_model model;
	uint8_t *echo; /* buffer_bytes */
};

/* State of a source or sink: one packet of the pattern. */
struct pattern {
	enum dx_pattern kind;
	uint32_t unit;
	uint16_t length;
	uint8_t packet[];
};

static struct pattern *pattern_new(const struct dx_virtual_endpoint *endpoint, uint32_t unit)
{
	struct pattern *pattern = malloc(sizeof(*pattern) + endpoint->max_packet);

	if (pattern == NULL) {
		return NULL;
	}
	pattern->kind = endpoint->described->pattern;
	pattern->unit = unit;
	pattern->length = endpoint->max_packet;
	for (unsigned i = 0; i < endpoint->max_packet; i++) {
		pattern->packet[i] = pattern->kind == DX_PATTERN_MOD63 ? (uint8_t)(i % 63) : 0;
	}
	return pattern;
}

static void pattern_fill(const struct pattern *pattern, uint8_t *data, uint32_t length)
{
	if (pattern->kind == DX_PATTERN_ZERO && length != 0) {
		memset(data, 0, length);
	}
	while (pattern->kind == DX_PATTERN_MOD63 && length != 0) {
		uint32_t part = length < pattern->length ? length : pattern->length;

		memcpy(data, pattern->packet, part);
		data += part;
		length -= part;
	}
}

/* data begins at a packet's start. */
static bool pattern_matches(const struct pattern *pattern, const uint8_t *data, uint32_t length)
{
	while (pattern->kind != DX_PATTERN_NONE && length != 0) {
		uint32_t part = length < pattern->length ? length : pattern->length;

		if (memcmp(data, pattern->packet, part) != 0) {
			return false;
		}
		data += part;
		length -= part;
	}
	return true;
}

/* ---- source ---- */

static bool source_work(struct dx_virtual_endpoint *endpoint)
{
	struct dx_usb_transfer *transfer = dx_virtual_offer(endpoint);
	uint32_t limit = 0;
	bool babbles = false;

	if (transfer == NULL) {
		return false;
	}
	limit = dx_virtual_limit(endpoint, transfer);
	pattern_fill(endpoint->state, transfer->data, limit);
	transfer->actual = limit;
	/* Only whole packets are sent: the last one does not fit into such a buffer. */
	babbles = limit == transfer->length && limit % endpoint->max_packet != 0;
	dx_virtual_finish(endpoint, transfer, babbles ? DX_USB_OVERRUN : DX_USB_OK);
	return true;
}

static uint32_t source_packet(struct dx_virtual_endpoint *endpoint, uint8_t *data,
			      uint32_t length)
{
	pattern_fill(endpoint->state, data, length);
	return length;
}

/* ---- sink ---- */

static bool sink_work(struct dx_virtual_endpoint *endpoint)
{
	const struct pattern *pattern = endpoint->state;
	struct dx_usb_transfer *transfer = dx_virtual_offer(endpoint);

	if (transfer == NULL) {
		return false;
	}
	while (transfer->actual < transfer->length && !endpoint->halted) {
		uint32_t left = transfer->length - transfer->actual;
		uint32_t part = left < pattern->unit ? left : pattern->unit;

		if (!pattern_matches(pattern, transfer->data + transfer->actual, part)) {
			dx_virtual_halt(endpoint);
		}
		transfer->actual += part;
	}
	dx_virtual_finish(endpoint, transfer,
			  transfer->actual == transfer->length ? DX_USB_OK : DX_USB_STALLED);
	return true;
}

static uint32_t sink_packet(struct dx_virtual_endpoint *endpoint, uint8_t *data, uint32_t length)
{
	(void)endpoint;
	(void)data; /* isochronous endpoints cannot halt: nothing would come of a check */
	return length;
}

/* ---- loopback, null ---- */

static bool loop_work(struct dx_virtual_endpoint *endpoint)
{
	return dx_loopback_pump(endpoint->state);
}

static bool null_work(struct dx_virtual_endpoint *endpoint)
{
	(void)dx_virtual_offer(endpoint); /* a halt still stalls */
	return false;
}

static uint32_t null_packet(struct dx_virtual_endpoint *endpoint, uint8_t *data, uint32_t length)
{
	(void)data;
	return dx_virtual_endpoint_is_in(endpoint) ? 0 : length;
}

/* ---- the model ---- */

static struct described *described_of(struct dx_model *model)
{
	return dx_container_of(model, struct described, model);
}

static int described_control(struct dx_model *model, const struct dx_model_setup *setup,
			     uint8_t *data)
{
	struct described *described = described_of(model);

	if (setup->value != 0 || setup->index != 0 ||
	    setup->length > model->description->buffer_bytes) {
		return -EPIPE;
	}
	if (setup->request_type == VENDOR_OUT && setup->request == ECHO_WRITE) {
		if (setup->length != 0) {
			memcpy(described->echo, data, setup->length);
		}
		return setup->length;
	}
	if (setup->request_type == VENDOR_IN && setup->request == ECHO_READ) {
		if (setup->length != 0) {
			memcpy(data, described->echo, setup->length);
		}
		return setup->length;
	}
	return -EPIPE;
}

static int bind_pattern(struct dx_model *model, struct dx_virtual_endpoint *endpoint)
{
	bool is_source = endpoint->described->behaviour == DX_BEHAVIOUR_SOURCE;

	endpoint->state = pattern_new(endpoint, model->description->buffer_bytes);
	if (endpoint->state == NULL) {
		return -ENOMEM;
	}
	endpoint->work = is_source ? source_work : sink_work;
	endpoint->packet = is_source ? source_packet : sink_packet;
	return 0;
}

/* The second of the two to be bound joins the first one's loop. */
static int bind_loop(struct dx_model *model, struct dx_virtual_endpoint *endpoint)
{
	struct dx_virtual_endpoint *peer =
		dx_virtual_endpoint(endpoint->device, endpoint->described->peer);
	struct dx_loopback *loop = NULL;

	if (peer != NULL && peer->work == loop_work &&
	    peer->described->peer == endpoint->address) {
		loop = peer->state;
	} else {
		loop = dx_loopback_new(model->description->fifo_bytes);
	}
	if (loop == NULL) {
		return -ENOMEM;
	}
	*(dx_virtual_endpoint_is_in(endpoint) ? &loop->in : &loop->out) = endpoint;
	endpoint->work = loop_work;
	endpoint->packet = null_packet;
	endpoint->state = loop;
	return 0;
}

static int described_bind(struct dx_model *model, struct dx_virtual_endpoint *endpoint)
{
	switch (endpoint->described->behaviour) {
	case DX_BEHAVIOUR_SOURCE:
	case DX_BEHAVIOUR_SINK:
		return bind_pattern(model, endpoint);
	case DX_BEHAVIOUR_LOOPBACK:
		return bind_loop(model, endpoint);
	default:
		endpoint->work = null_work;
		endpoint->packet = null_packet;
		return 0;
	}
}

static void described_unbind(struct dx_model *model, struct dx_virtual_endpoint *endpoint)
{
	struct dx_loopback *loop = endpoint->state;

	(void)model;
	if (endpoint->described->behaviour == DX_BEHAVIOUR_LOOPBACK) {
		*(dx_virtual_endpoint_is_in(endpoint) ? &loop->in : &loop->out) = NULL;
		if (loop->in != NULL || loop->out != NULL) {
			return; /* the peer frees it */
		}
	}
	free(endpoint->state);
	endpoint->state = NULL;
}

static void described_free(struct dx_model *model)
{
	struct described *described = described_of(model);

	(void)dx_description_free(model->description);
	free(described->echo);
	free(described);
}

static const struct dx_model_ops described_ops = {
	.control = described_control,
	.bind = described_bind,
	.unbind = described_unbind,
	.free = described_free,
};

struct dx_model *dx_described_model_new(struct dx_description **description)
{
	DX_CLEANUP_FREE struct described *described = calloc(1, sizeof(*described));
	struct dx_model *model = NULL;

	if (described == NULL) {
		return NULL;
	}
	described->echo = calloc(1, (*description)->buffer_bytes);
	if (described->echo == NULL) {
		return NULL;
	}
	described->model.ops = &described_ops;
	described->model.description = dx_take_ptr(description);
	model = &described->model;
	(void)dx_take_ptr(&described);
	return model;
}
