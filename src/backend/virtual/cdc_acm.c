/* SPDX-License-Identifier: MIT
 *
 * cdc_acm - a serial port: communication device class, abstract control model.
 *
 * Place:      backend/virtual. "virtual:cdc-acm,key=value..."
 *
 *   interface 0  control: interrupt IN 0x82 for SERIAL_STATE
 *   interface 1  data: bulk IN 0x81, bulk OUT 0x01
 *
 * It behaves like a port with a loopback plug: what is sent comes back, DTR is connected with
 * carrier and DSR, a break comes back as a break. The keys pull parts of the plug.
 *
 * Invariants:
 *   A1  Bytes come back in their order; none is lost: what does not fit into the FIFO stays with
 *       the host (NAK). An IN transfer ends when the FIFO is empty, with a zero-length packet if
 *       need be.
 *   A2  A SERIAL_STATE notification follows each change of the lines; changes between two of them
 *       are one. A break is reported once.
 * Trust:      requests and lengths are the driver's: each is checked.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backend/virtual/catalog.h"
#include "backend/virtual/model.h"
#include "backend/virtual/preset.h"
#include "base/cleanup.h"

#define CONTROL_INTERFACE 0u
#define DATA_INTERFACE    1u
#define NOTIFY_ADDRESS    0x82u
#define CODING_LENGTH     7u
#define STATE_LENGTH      10u

enum {
	OUT_INTERFACE_CLASS = 0x21,
	IN_INTERFACE_CLASS = 0xA1,
	SET_LINE_CODING = 0x20,
	GET_LINE_CODING = 0x21,
	SET_CONTROL_LINE_STATE = 0x22,
	SEND_BREAK = 0x23,
	SERIAL_STATE = 0x20,
};

enum {
	LINE_DTR = 1,
};

enum {
	STATE_CARRIER = 1, /* DCD */
	STATE_READY = 2,   /* DSR */
	STATE_BREAK = 4,
};

enum carrier {
	CARRIER_DTR = 0,
	CARRIER_ON,
	CARRIER_OFF,
};

struct serial {
	struct dx_model model;
	struct dx_virtual_endpoint *in;
	struct dx_virtual_endpoint *notify;
	uint8_t coding[CODING_LENGTH];
	uint16_t lines; /* DTR, RTS */
	uint16_t state; /* as it is now */
	bool is_news;   /* A2 */
	bool echoes;
	enum carrier carrier;
	char *banner; /* sent when DTR rises; may be NULL */
	uint32_t head;
	uint32_t used;
	uint32_t size;
	uint8_t fifo[];
};

static struct serial *serial_of(struct dx_model *model)
{
	return dx_container_of(model, struct serial, model);
}

static void kick(struct dx_virtual_endpoint *endpoint)
{
	if (endpoint != NULL) {
		dx_virtual_kick(endpoint);
	}
}

/* ---- FIFO ---- */

static uint32_t min32(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

static void fifo_put(struct serial *serial, const uint8_t *bytes, uint32_t length)
{
	uint32_t at = (serial->head + serial->used) % serial->size;
	uint32_t first = min32(length, serial->size - at);

	memcpy(serial->fifo + at, bytes, first);
	memcpy(serial->fifo, bytes + first, length - first);
	serial->used += length;
}

static void fifo_drop(struct serial *serial, uint32_t length)
{
	serial->head = (serial->head + length) % serial->size;
	serial->used -= length;
}

static void fifo_get(struct serial *serial, uint8_t *bytes, uint32_t length)
{
	uint32_t first = min32(length, serial->size - serial->head);

	memcpy(bytes, serial->fifo + serial->head, first);
	memcpy(bytes + first, serial->fifo, length - first);
	fifo_drop(serial, length);
}

/* ---- endpoints ---- */

static bool out_work(struct dx_virtual_endpoint *endpoint)
{
	struct serial *serial = endpoint->state;
	struct dx_usb_transfer *transfer = dx_virtual_offer(endpoint);
	uint32_t left = transfer == NULL ? 0 : transfer->length - transfer->actual;
	uint32_t length = left;

	if (transfer == NULL) {
		return false;
	}
	if (serial->echoes) {
		length = min32(left, serial->size - serial->used);
		if (length != 0) {
			fifo_put(serial, transfer->data + transfer->actual, length);
			kick(serial->in);
		}
	}
	transfer->actual += length;
	if (length < left) {
		return false; /* A1; in_work() calls again */
	}
	dx_virtual_finish(endpoint, transfer, DX_USB_OK);
	return true;
}

static bool in_work(struct dx_virtual_endpoint *endpoint)
{
	struct serial *serial = endpoint->state;
	struct dx_usb_transfer *transfer = dx_virtual_offer(endpoint);
	struct dx_virtual_endpoint *out = dx_virtual_endpoint(endpoint->device, 0x01);
	uint32_t length = 0;

	if (transfer == NULL || (serial->used == 0 && transfer->length != 0)) {
		return false;
	}
	length = min32(dx_virtual_limit(endpoint, transfer), serial->used);
	if (length != 0) {
		fifo_get(serial, transfer->data, length);
	}
	transfer->actual = length;
	fifo_drop(serial, dx_virtual_finish_in(endpoint, transfer, serial->used));
	kick(out);
	return true;
}

static bool notify_work(struct dx_virtual_endpoint *endpoint)
{
	struct serial *serial = endpoint->state;
	struct dx_usb_transfer *transfer = dx_virtual_offer(endpoint);
	const uint8_t bytes[STATE_LENGTH] = {IN_INTERFACE_CLASS,
					     SERIAL_STATE,
					     0,
					     0,
					     CONTROL_INTERFACE,
					     0,
					     2,
					     0,
					     (uint8_t)serial->state,
					     (uint8_t)(serial->state >> 8)};

	if (transfer == NULL || !serial->is_news) {
		return false;
	}
	serial->is_news = false;
	serial->state &= (uint16_t)~STATE_BREAK;
	dx_virtual_send(endpoint, transfer, bytes, sizeof(bytes));
	return true;
}

/* ---- requests ---- */

static void set_state(struct serial *serial, uint16_t state)
{
	if (state != serial->state) {
		serial->state = state;
		serial->is_news = true;
		kick(serial->notify);
	}
}

static uint16_t modem_lines(const struct serial *serial)
{
	bool is_up = serial->carrier == CARRIER_ON ||
		     (serial->carrier == CARRIER_DTR && (serial->lines & LINE_DTR) != 0);

	return is_up ? STATE_CARRIER | STATE_READY : 0;
}

static int set_lines(struct serial *serial, uint16_t lines)
{
	bool rises = (lines & LINE_DTR) != 0 && (serial->lines & LINE_DTR) == 0;
	uint32_t length = serial->banner == NULL ? 0 : (uint32_t)strlen(serial->banner);

	serial->lines = lines;
	set_state(serial, modem_lines(serial) | (serial->state & STATE_BREAK));
	if (rises && length != 0 && length <= serial->size - serial->used) {
		fifo_put(serial, (const uint8_t *)serial->banner, length);
		kick(serial->in);
	}
	return 0;
}

/* 0 ends one that goes on. */
static int send_break(struct serial *serial, uint16_t duration_ms)
{
	if (duration_ms != 0 && serial->echoes) {
		set_state(serial, serial->state | STATE_BREAK);
	}
	return 0;
}

static int set_coding(struct serial *serial, const struct dx_model_setup *setup,
		      const uint8_t *data)
{
	uint8_t coding[CODING_LENGTH];

	if (setup->length != CODING_LENGTH) {
		return -EPIPE;
	}
	memcpy(coding, data, sizeof(coding));
	/* Stop bits 1, 1.5, 2; parity none, odd, even, mark, space; data bits. */
	if (coding[4] > 2 || coding[5] > 4 ||
	    !((coding[6] >= 5 && coding[6] <= 8) || coding[6] == 16)) {
		return -EPIPE;
	}
	memcpy(serial->coding, coding, sizeof(coding));
	return CODING_LENGTH;
}

static int serial_control(struct dx_model *model, const struct dx_model_setup *setup, uint8_t *data)
{
	struct serial *serial = serial_of(model);

	if (setup->index != CONTROL_INTERFACE) {
		return -EPIPE;
	}
	switch (setup->request_type << 8 | setup->request) {
	case OUT_INTERFACE_CLASS << 8 | SET_LINE_CODING:
		return set_coding(serial, setup, data);
	case IN_INTERFACE_CLASS << 8 | GET_LINE_CODING:
		return dx_model_answer(setup, data, serial->coding, CODING_LENGTH);
	case OUT_INTERFACE_CLASS << 8 | SET_CONTROL_LINE_STATE:
		return setup->length == 0 ? set_lines(serial, setup->value) : -EPIPE;
	case OUT_INTERFACE_CLASS << 8 | SEND_BREAK:
		return setup->length == 0 ? send_break(serial, setup->value) : -EPIPE;
	default:
		return -EPIPE;
	}
}

/* ---- the model ---- */

static int serial_bind(struct dx_model *model, struct dx_virtual_endpoint *endpoint)
{
	struct serial *serial = serial_of(model);

	endpoint->state = serial;
	if (endpoint->address == NOTIFY_ADDRESS) {
		endpoint->work = notify_work;
		serial->notify = endpoint;
		set_state(serial, modem_lines(serial));
	} else if (dx_virtual_endpoint_is_in(endpoint)) {
		endpoint->work = in_work;
		serial->in = endpoint;
	} else {
		endpoint->work = out_work;
	}
	return 0;
}

static void serial_unbind(struct dx_model *model, struct dx_virtual_endpoint *endpoint)
{
	struct serial *serial = serial_of(model);

	if (endpoint == serial->notify) {
		serial->notify = NULL;
		serial->lines = 0; /* nobody drives them any more */
		serial->state = 0;
		serial->is_news = false;
	} else if (endpoint == serial->in) {
		serial->in = NULL;
		fifo_drop(serial, serial->used);
	}
}

static void serial_free(struct dx_model *model)
{
	struct serial *serial = serial_of(model);

	(void)dx_description_free(model->description);
	free(serial->banner);
	free(serial);
}

static const struct dx_model_ops serial_ops = {
	.control = serial_control,
	.bind = serial_bind,
	.unbind = serial_unbind,
	.free = serial_free,
};

static void describe_control(const struct dx_description *description,
			     struct dx_described_interface *interface)
{
	static const uint8_t functional[] = {
		5,
		0x24,
		0x00,
		0x10,
		0x01, /* header: CDC 1.10 */
		5,
		0x24,
		0x01,
		0x00,
		DATA_INTERFACE, /* call management: none */
		4,
		0x24,
		0x02,
		0x06, /* ACM: lines, break */
		5,
		0x24,
		0x06,
		CONTROL_INTERFACE,
		DATA_INTERFACE, /* union */
	};
	struct dx_described_setting *setting = &interface->settings[0];

	interface->number = CONTROL_INTERFACE;
	interface->association = (struct dx_described_association){
		.nr_interfaces = 2,
		.function_class = 2,
		.function_subclass = 2,
		.function_protocol = 1,
	};
	interface->nr_settings = 1;
	setting->interface_class = 2;
	setting->interface_subclass = 2;
	setting->interface_protocol = 1;
	dx_described_setting_add(setting, functional, sizeof(functional));
	setting->nr_endpoints = 1;
	setting->endpoints[0] = dx_preset_interrupt(description, NOTIFY_ADDRESS, 16, 8);
}

static void describe_data(const struct dx_description *description,
			  struct dx_described_interface *interface)
{
	struct dx_described_setting *setting = &interface->settings[0];

	interface->number = DATA_INTERFACE;
	interface->nr_settings = 1;
	setting->interface_class = 10;
	setting->nr_endpoints = 2;
	setting->endpoints[0] = dx_preset_bulk(description, 0x81);
	setting->endpoints[1] = dx_preset_bulk(description, 0x01);
}

static int describe(struct dx_options *options, struct dx_description **ret_description)
{
	static const struct dx_preset preset = {0x0001, "Serial port", "SERIAL000001", false};
	struct dx_described_configuration *configuration = NULL;
	struct dx_description *description = NULL;
	int result = dx_preset_describe(&preset, options, DX_USB_SPEED_HIGH, &description);

	if (result < 0) {
		return result;
	}
	description->device_class = 0xEF; /* an association follows */
	description->device_subclass = 2;
	description->device_protocol = 1;
	configuration = &description->configurations[0];
	configuration->nr_interfaces = 2;
	describe_control(description, &configuration->interfaces[0]);
	describe_data(description, &configuration->interfaces[1]);
	*ret_description = description;
	return 0;
}

static int create(struct dx_options *options, int *fd, struct dx_description **description,
		  struct dx_model **ret_model)
{
	static const uint8_t coding[CODING_LENGTH] = {0x00, 0xC2, 0x01, 0, 0, 0, 8}; /* 115200 */
	static const char *const carriers[] = {"dtr", "on", "off", NULL};
	const char *banner = dx_options_string(options, "banner", NULL);
	uint32_t size = (uint32_t)dx_options_number(options, "fifo", 64, 1u << 26, 65536);
	DX_CLEANUP_FREE struct serial *serial = calloc(1, sizeof(*serial) + size);

	(void)fd;
	if (serial == NULL) {
		return -ENOMEM;
	}
	memcpy(serial->coding, coding, sizeof(coding));
	serial->echoes = dx_options_flag(options, "echo", true);
	serial->carrier =
		(enum carrier)dx_options_choice(options, "carrier", carriers, CARRIER_DTR);
	serial->size = size;
	if (banner != NULL && asprintf(&serial->banner, "%s\r\n", banner) < 0) {
		serial->banner = NULL;
		return -ENOMEM;
	}
	serial->model.ops = &serial_ops;
	serial->model.description = dx_take_ptr(description);
	*ret_model = &serial->model;
	(void)dx_take_ptr(&serial);
	return 0;
}

static const struct dx_model_key keys[] = {
	{"speed", DX_SPEED_VALUES, "high", "decides the packet sizes"},
	{"echo", "yes, no", "yes", "what is sent comes back; no: it disappears"},
	{"carrier", "dtr, on, off", "dtr", "DCD and DSR: as DTR, always, never"},
	{"banner", "TEXT", "none", "a line that comes each time DTR rises"},
	{"fifo", "64..64M", "64K", "kept while nobody reads; then OUT waits"},
	{NULL, NULL, NULL, NULL},
};

static const char *const notes[] = {
	"Line coding is stored and given back, and changes nothing: data has the bus's speed.",
	"A break comes back as SERIAL_STATE with the break bit, once, if echo=yes.",
	NULL,
};

const struct dx_model_kind dx_model_cdc_acm = {
	.name = "cdc-acm",
	.summary = "a serial port with a loopback plug (communication device class)",
	.keys = keys,
	.notes = notes,
	.describe = describe,
	.create = create,
};
