/* SPDX-License-Identifier: MIT
 *
 * hid_keyboard - a boot keyboard that types.
 *
 * Place:      backend/virtual. "virtual:hid-keyboard,text=...". One interface, interrupt IN 0x81.
 *
 *   report in   0 modifiers, 1 zero, 2..7 usages of the keys that are down
 *   report out  0 LEDs: num lock, caps lock, scroll lock, compose, kana
 *
 * Invariants:
 *   K1  A report is sent when it differs from the last one sent, or when the idle time that the
 *       host has set is over; else the endpoint answers NAK.
 *   K2  No state is skipped: each press and each release is one report, in order, not before its
 *       time and not before the host has taken the one before.
 * Trust:      requests and lengths are the driver's: each is checked.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "backend/virtual/catalog.h"
#include "backend/virtual/keystrokes.h"
#include "backend/virtual/model.h"
#include "backend/virtual/preset.h"
#include "base/cleanup.h"
#include "base/clock.h"

#define REPORT_LENGTH 8u
#define MS_NS         1000000ull
#define IDLE_UNIT_NS  (4 * MS_NS)
#define INTERVAL_MS   8u

enum {
	IN_INTERFACE_STANDARD = 0x81,
	OUT_INTERFACE_CLASS = 0x21,
	IN_INTERFACE_CLASS = 0xA1,
	GET_DESCRIPTOR = 6,
	GET_REPORT = 1,
	GET_IDLE = 2,
	GET_PROTOCOL = 3,
	SET_REPORT = 9,
	SET_IDLE = 10,
	SET_PROTOCOL = 11,
};

enum {
	DESCRIPTOR_HID = 0x21,
	DESCRIPTOR_REPORT = 0x22,
	REPORT_INPUT = 1,
	REPORT_OUTPUT = 2,
	PROTOCOL_REPORT = 1,
};

/* clang-format off */
static const uint8_t report_descriptor[] = {
	0x05, 0x01,	  /* usage page: generic desktop */
	0x09, 0x06,	  /* usage: keyboard */
	0xA1, 0x01,	  /* collection: application */
	0x05, 0x07,	  /*  usage page: keyboard */
	0x19, 0xE0, 0x29, 0xE7, 0x15, 0x00, 0x25, 0x01, 0x75, 0x01, 0x95, 0x08,
	0x81, 0x02,	  /*  input: 8 modifiers, a bit each */
	0x75, 0x08, 0x95, 0x01,
	0x81, 0x01,	  /*  input: a constant byte */
	0x05, 0x08, 0x19, 0x01, 0x29, 0x05, 0x75, 0x01, 0x95, 0x05,
	0x91, 0x02,	  /*  output: 5 LEDs */
	0x75, 0x03, 0x95, 0x01,
	0x91, 0x01,	  /*  output: 3 constant bits */
	0x05, 0x07, 0x19, 0x00, 0x2A, 0xFF, 0x00, 0x15, 0x00, 0x26, 0xFF, 0x00, 0x75, 0x08, 0x95, 0x06,
	0x81, 0x00,	  /*  input: 6 keys */
	0xC0,		  /* end of collection */
};

static const uint8_t hid_descriptor[] = {
	9, DESCRIPTOR_HID, 0x11, 0x01, /* HID 1.11 */
	0, 1, DESCRIPTOR_REPORT, sizeof(report_descriptor), 0,
};
/* clang-format on */

struct keyboard {
	struct dx_model model;
	struct dx_virtual_endpoint *endpoint; /* NULL while not configured */
	uint8_t report[REPORT_LENGTH];        /* the keys as they are now */
	bool is_new;                          /* not sent yet (K2) */
	uint8_t leds;
	uint8_t idle; /* units of 4 ms; 0 = only changes */
	uint8_t protocol;
	uint64_t sent_ns; /* when the last report left */

	uint64_t pause_ns;  /* before the text, each time */
	uint64_t step_ns;   /* a press or a release takes so long */
	uint64_t next_ns;   /* when the next step is due; 0 = not started */
	uint64_t nr_rounds; /* times the text is still to be typed */
	unsigned step;      /* 2 * keystroke, + 1 when it is down */
	unsigned nr_strokes;
	struct dx_keystroke strokes[];
};

static struct keyboard *keyboard_of(struct dx_model *model)
{
	return dx_container_of(model, struct keyboard, model);
}

/* ---- typing ---- */

static void take_step(struct keyboard *keyboard, uint64_t now_ns)
{
	const struct dx_keystroke *stroke = &keyboard->strokes[keyboard->step / 2];
	bool is_press = keyboard->step % 2 == 0;

	keyboard->report[0] = is_press ? stroke->modifiers : 0;
	keyboard->report[2] = is_press ? stroke->usage : 0;
	keyboard->is_new = true;
	keyboard->next_ns = now_ns + keyboard->step_ns;
	keyboard->step++;
	if (keyboard->step == 2 * keyboard->nr_strokes) {
		keyboard->step = 0;
		keyboard->nr_rounds--;
		keyboard->next_ns += keyboard->pause_ns;
	}
}

/* Makes the next report if it is time. @return when to look again. */
static uint64_t type(struct keyboard *keyboard, uint64_t now_ns)
{
	if (keyboard->nr_rounds == 0 || keyboard->is_new) {
		return UINT64_MAX;
	}
	if (keyboard->next_ns == 0) {
		keyboard->next_ns = now_ns + keyboard->pause_ns;
	}
	if (now_ns >= keyboard->next_ns) {
		take_step(keyboard, now_ns);
	}
	return keyboard->next_ns;
}

static bool keyboard_work(struct dx_virtual_endpoint *endpoint)
{
	struct keyboard *keyboard = endpoint->state;
	struct dx_usb_transfer *transfer = dx_virtual_offer(endpoint);
	uint64_t now_ns = 0;
	uint64_t wake_ns = 0;
	uint64_t idle_ns = UINT64_MAX;

	if (transfer == NULL) {
		return false;
	}
	now_ns = dx_clock_now_ns();
	wake_ns = type(keyboard, now_ns);
	if (keyboard->idle != 0) {
		idle_ns = keyboard->sent_ns + keyboard->idle * IDLE_UNIT_NS;
	}
	if (!keyboard->is_new && now_ns < idle_ns) {
		dx_virtual_wake_at(endpoint->device, wake_ns < idle_ns ? wake_ns : idle_ns);
		return false;
	}
	keyboard->is_new = false;
	keyboard->sent_ns = now_ns;
	dx_virtual_send(endpoint, transfer, keyboard->report, REPORT_LENGTH);
	return true;
}

/* ---- requests ---- */

static int get_descriptor(const struct dx_model_setup *setup, uint8_t *data)
{
	switch (setup->value) {
	case DESCRIPTOR_HID << 8:
		return dx_model_answer(setup, data, hid_descriptor, sizeof(hid_descriptor));
	case DESCRIPTOR_REPORT << 8:
		return dx_model_answer(setup, data, report_descriptor, sizeof(report_descriptor));
	default:
		return -EPIPE;
	}
}

static int get_report(const struct keyboard *keyboard, const struct dx_model_setup *setup,
		      uint8_t *data)
{
	switch (setup->value) {
	case REPORT_INPUT << 8:
		return dx_model_answer(setup, data, keyboard->report, REPORT_LENGTH);
	case REPORT_OUTPUT << 8:
		return dx_model_answer(setup, data, &keyboard->leds, 1);
	default:
		return -EPIPE;
	}
}

static int set_report(struct keyboard *keyboard, const struct dx_model_setup *setup,
		      const uint8_t *data)
{
	if (setup->value != REPORT_OUTPUT << 8 || setup->length != 1) {
		return -EPIPE;
	}
	keyboard->leds = data[0] & 0x1F;
	return 1;
}

/* The duration is in the high byte; report 0 is all reports. */
static int set_idle(struct keyboard *keyboard, const struct dx_model_setup *setup)
{
	if ((setup->value & 0xFF) != 0 || setup->length != 0) {
		return -EPIPE;
	}
	keyboard->idle = (uint8_t)(setup->value >> 8);
	keyboard->sent_ns = dx_clock_now_ns();
	if (keyboard->endpoint != NULL) {
		dx_virtual_kick(keyboard->endpoint);
	}
	return 0;
}

static int set_protocol(struct keyboard *keyboard, const struct dx_model_setup *setup)
{
	if (setup->value > PROTOCOL_REPORT || setup->length != 0) {
		return -EPIPE;
	}
	keyboard->protocol = (uint8_t)setup->value; /* the reports are the same */
	return 0;
}

static int keyboard_control(struct dx_model *model, const struct dx_model_setup *setup,
			    uint8_t *data)
{
	struct keyboard *keyboard = keyboard_of(model);

	if (setup->index != 0) {
		return -EPIPE;
	}
	switch (setup->request_type << 8 | setup->request) {
	case IN_INTERFACE_STANDARD << 8 | GET_DESCRIPTOR:
		return get_descriptor(setup, data);
	case IN_INTERFACE_CLASS << 8 | GET_REPORT:
		return get_report(keyboard, setup, data);
	case IN_INTERFACE_CLASS << 8 | GET_IDLE:
		return dx_model_answer(setup, data, &keyboard->idle, 1);
	case IN_INTERFACE_CLASS << 8 | GET_PROTOCOL:
		return dx_model_answer(setup, data, &keyboard->protocol, 1);
	case OUT_INTERFACE_CLASS << 8 | SET_REPORT:
		return set_report(keyboard, setup, data);
	case OUT_INTERFACE_CLASS << 8 | SET_IDLE:
		return set_idle(keyboard, setup);
	case OUT_INTERFACE_CLASS << 8 | SET_PROTOCOL:
		return set_protocol(keyboard, setup);
	default:
		return -EPIPE;
	}
}

/* ---- the model ---- */

static int keyboard_bind(struct dx_model *model, struct dx_virtual_endpoint *endpoint)
{
	struct keyboard *keyboard = keyboard_of(model);

	keyboard->endpoint = endpoint;
	keyboard->protocol = PROTOCOL_REPORT;
	keyboard->idle = 0;
	endpoint->work = keyboard_work;
	endpoint->state = keyboard;
	return 0;
}

static void keyboard_unbind(struct dx_model *model, struct dx_virtual_endpoint *endpoint)
{
	(void)endpoint;
	keyboard_of(model)->endpoint = NULL;
}

static void keyboard_free(struct dx_model *model)
{
	(void)dx_description_free(model->description);
	free(keyboard_of(model));
}

static const struct dx_model_ops keyboard_ops = {
	.control = keyboard_control,
	.bind = keyboard_bind,
	.unbind = keyboard_unbind,
	.free = keyboard_free,
};

static int describe(struct dx_options *options, struct dx_description **ret_description)
{
	static const struct dx_preset preset = {0x0002, "Keyboard", "KEYBOARD0001", true};
	struct dx_described_configuration *configuration = NULL;
	struct dx_described_setting *setting = NULL;
	struct dx_description *description = NULL;
	int result = dx_preset_describe(&preset, options, DX_USB_SPEED_FULL, &description);

	if (result < 0) {
		return result;
	}
	configuration = &description->configurations[0];
	configuration->remote_wakeup = true;
	configuration->nr_interfaces = 1;
	configuration->interfaces[0].nr_settings = 1;
	setting = &configuration->interfaces[0].settings[0];
	setting->interface_class = 3;
	setting->interface_subclass = 1; /* boot */
	setting->interface_protocol = 1; /* keyboard */
	dx_described_setting_add(setting, hid_descriptor, sizeof(hid_descriptor));
	setting->nr_endpoints = 1;
	setting->endpoints[0] = dx_preset_interrupt(description, 0x81, REPORT_LENGTH, INTERVAL_MS);
	*ret_description = description;
	return 0;
}

static int create(struct dx_options *options, int *fd, struct dx_description **description,
		  struct dx_model **ret_model)
{
	const char *text = dx_options_string(options, "text", "");
	const char *bad = NULL;
	int nr_strokes = dx_keystrokes_parse(text, NULL, 0, &bad);
	DX_CLEANUP_FREE struct keyboard *keyboard = NULL;

	(void)fd;
	if (nr_strokes < 0) {
		dx_options_fail(options, "text: cannot type from \"%s\"", bad);
		return options->result;
	}
	keyboard = calloc(1, sizeof(*keyboard) + (size_t)nr_strokes * sizeof(keyboard->strokes[0]));
	if (keyboard == NULL) {
		return -ENOMEM;
	}
	keyboard->nr_strokes = (unsigned)nr_strokes;
	(void)dx_keystrokes_parse(text, keyboard->strokes, keyboard->nr_strokes, &bad);
	keyboard->nr_rounds = dx_options_number(options, "repeat", 0, UINT32_MAX, 1);
	if (keyboard->nr_rounds == 0) {
		keyboard->nr_rounds = UINT64_MAX;
	}
	if (nr_strokes == 0) {
		keyboard->nr_rounds = 0;
	}
	keyboard->pause_ns = MS_NS * dx_options_number(options, "pause-ms", 0, 3600000, 0);
	keyboard->step_ns = 1000 * MS_NS / 2 / dx_options_number(options, "rate", 1, 1000, 50);
	keyboard->model.ops = &keyboard_ops;
	keyboard->model.description = dx_take_ptr(description);
	*ret_model = &keyboard->model;
	(void)dx_take_ptr(&keyboard);
	return 0;
}

static const struct dx_model_key keys[] = {
	{"speed", DX_SPEED_VALUES_LOW, "full", "of the bus"},
	{"text", "TEXT", "nothing", "what it types; {enter}, {ctrl+c}, {f5}, {{} are keys"},
	{"rate", "1..1000", "50", "keys per second; the endpoint's interval is 8 ms"},
	{"repeat", "0..", "1", "how often the text is typed; 0: for ever"},
	{"pause-ms", "0..3600000", "0", "before the text, each time"},
	{NULL, NULL, NULL, NULL},
};

static const char *const notes[] = {
	"It begins when the host first asks the endpoint, and goes on when the host is slow.",
	"Layout US. Names: enter esc backspace tab space capslock print scrolllock pause insert",
	"home pageup delete end pagedown right left down up numlock menu f1..f12; before them",
	"ctrl+ shift+ alt+ gui+ rctrl+ rshift+ altgr+ rgui+. Commas need a backslash.",
	"LEDs are set with SET_REPORT and read with GET_REPORT (output report 0).",
	NULL,
};

const struct dx_model_kind dx_model_hid_keyboard = {
	.name = "hid-keyboard",
	.summary = "a keyboard that types a text (human interface device, boot protocol)",
	.keys = keys,
	.notes = notes,
	.describe = describe,
	.create = create,
};
