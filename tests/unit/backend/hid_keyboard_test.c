/* SPDX-License-Identifier: MIT
 *
 * hid_keyboard - the keyboard: what it types, when it is silent, its requests; keystrokes of texts.
 */
#include "model.h"

#include <errno.h>

#include "backend/virtual/keystrokes.h"

#define SET    0x21
#define GET    0xA1
#define SHIFT  0x02
#define REPORT 8

static struct pending pending;

static void expect_key(struct dx_usb_pipe *in, uint8_t modifiers, uint8_t usage)
{
	const uint8_t report[REPORT] = {modifiers, 0, usage};

	expect(in, report, REPORT, REPORT);
}

static void expect_stroke(struct dx_usb_pipe *in, uint8_t modifiers, uint8_t usage)
{
	expect_key(in, modifiers, usage);
	expect_key(in, 0, 0);
}

TEST(hid_keyboard_types_its_text_and_is_silent_then)
{
	struct model m = model_set_up("virtual:hid-keyboard,text=aB{enter},rate=1000,speed=high");
	struct dx_usb_pipe *in = model_pipe(&m, 0, 0x81);

	expect_stroke(in, 0, 0x04);
	expect_stroke(in, SHIFT, 0x05);
	expect_stroke(in, 0, 0x28);
	start(in, &pending, REPORT);
	(void)poll_for(m.device, 30);
	CHECK_EQ(pending.record.nr, 0);
	(void)dx_usb_pipe_unref(in);
	model_tear_down(&m);
}

TEST(hid_keyboard_repeats_its_text)
{
	struct model m = model_set_up("virtual:hid-keyboard,text=x,rate=1000,repeat=3,pause-ms=1");
	struct model forever = model_set_up("virtual:hid-keyboard,text=y,rate=1000,repeat=0");
	struct dx_usb_pipe *in = model_pipe(&m, 0, 0x81);

	for (unsigned i = 0; i < 3; i++) {
		expect_stroke(in, 0, 0x1B);
	}
	start(in, &pending, REPORT);
	(void)poll_for(m.device, 30);
	CHECK_EQ(pending.record.nr, 0);
	(void)dx_usb_pipe_unref(in);
	in = model_pipe(&forever, 0, 0x81);
	for (unsigned i = 0; i < 5; i++) {
		expect_stroke(in, 0, 0x1C);
	}
	(void)dx_usb_pipe_unref(in);
	model_tear_down(&m);
	model_tear_down(&forever);
}

/* K1: only as often as the host has asked for. */
TEST(hid_keyboard_repeats_its_report_when_idle)
{
	struct model m = model_set_up("virtual:hid-keyboard");
	struct dx_usb_pipe *in = model_pipe(&m, 0, 0x81);
	uint64_t before_ns = dx_clock_now_ns();

	start(in, &pending, REPORT);
	settle(&m);
	CHECK_EQ(pending.record.nr, 0);
	CHECK_EQ(model_request(&m, SET, 10, 5 << 8, 0, NULL, 0), DX_USB_OK); /* 20 ms */
	wait_for(&m, &pending.record, 1);
	expect_key(in, 0, 0);
	CHECK_GE(dx_clock_now_ns() - before_ns, 40000000);
	(void)dx_usb_pipe_unref(in);
	model_tear_down(&m);
}

TEST(hid_keyboard_describes_itself)
{
	struct model m = model_set_up("virtual:hid-keyboard");
	uint8_t bytes[128];
	uint16_t report_length = 0;
	uint32_t actual = 0;
	struct dx_usb_setup setup = {0x81, 6, 0x2200, 0, sizeof(bytes)};

	CHECK_EQ(model_request(&m, 0x81, 6, 0x2100, 0, bytes, 9), DX_USB_OK);
	CHECK_EQ(bytes[0], 9);
	CHECK_EQ(bytes[1], 0x21);
	CHECK_EQ(bytes[6], 0x22);
	report_length = dx_usb_get16(bytes + 7);
	CHECK_EQ(dx_usb_device_request(m.device, CLIENT, &setup, bytes, 0, &actual), DX_USB_OK);
	CHECK_EQ(actual, report_length);
	CHECK_EQ(bytes[0], 0x05);
	CHECK_EQ(bytes[report_length - 1], 0xC0);
	CHECK_EQ(model_request(&m, 0x81, 6, 0x2300, 0, bytes, 9), DX_USB_STALLED);
	CHECK_EQ(model_request(&m, 0x81, 6, 0x2100, 1, bytes, 9), DX_USB_STALLED);
	model_tear_down(&m);
}

/* The endpoint is the last seven bytes of the configuration. */
TEST(hid_keyboard_interval_is_eight_milliseconds_at_every_speed)
{
	static const struct {
		const char *spec;
		uint8_t interval;
	} rows[] = {
		{"virtual:hid-keyboard,speed=low", 8},
		{"virtual:hid-keyboard,speed=full", 8},
		{"virtual:hid-keyboard,speed=high", 7},
	};

	for (unsigned i = 0; i < 3; i++) {
		struct dx_usb_device *device = attach(rows[i].spec);
		size_t length = 0;
		const uint8_t *bytes = dx_usb_device_configuration_at(device, 0, &length);

		CHECK_EQ(bytes[length - 7], 7);
		CHECK_EQ(bytes[length - 1], rows[i].interval);
		(void)dx_usb_device_unref(device);
	}
}

TEST(hid_keyboard_leds_and_reports_can_be_read)
{
	struct model m = model_set_up("virtual:hid-keyboard");
	uint8_t bytes[REPORT] = {0xE2};

	CHECK_EQ(model_request(&m, SET, 9, 0x0200, 0, bytes, 1), DX_USB_OK);
	CHECK_EQ(model_request(&m, GET, 1, 0x0200, 0, bytes, 1), DX_USB_OK);
	CHECK_EQ(bytes[0], 2); /* five LEDs */
	CHECK_EQ(model_request(&m, GET, 1, 0x0100, 0, bytes, REPORT), DX_USB_OK);
	CHECK_EQ(bytes[0], 0);
	CHECK_EQ(model_request(&m, GET, 1, 0x0300, 0, bytes, 1), DX_USB_STALLED);
	CHECK_EQ(model_request(&m, SET, 9, 0x0200, 0, bytes, 2), DX_USB_STALLED);
	CHECK_EQ(model_request(&m, SET, 9, 0x0100, 0, bytes, 1), DX_USB_STALLED);
	model_tear_down(&m);
}

TEST(hid_keyboard_protocol_and_idle_are_kept)
{
	struct model m = model_set_up("virtual:hid-keyboard");
	uint8_t value = 9;

	CHECK_EQ(model_request(&m, GET, 3, 0, 0, &value, 1), DX_USB_OK);
	CHECK_EQ(value, 1); /* report */
	CHECK_EQ(model_request(&m, SET, 11, 0, 0, NULL, 0), DX_USB_OK);
	CHECK_EQ(model_request(&m, GET, 3, 0, 0, &value, 1), DX_USB_OK);
	CHECK_EQ(value, 0);
	CHECK_EQ(model_request(&m, SET, 11, 2, 0, NULL, 0), DX_USB_STALLED);
	CHECK_EQ(model_request(&m, SET, 10, 0x7D00, 0, NULL, 0), DX_USB_OK);
	CHECK_EQ(model_request(&m, GET, 2, 0, 0, &value, 1), DX_USB_OK);
	CHECK_EQ(value, 0x7D);
	CHECK_EQ(model_request(&m, SET, 10, 1, 0, NULL, 0), DX_USB_STALLED); /* no such report */
	CHECK_EQ(model_request(&m, SET, 77, 0, 0, NULL, 0), DX_USB_STALLED);
	CHECK_EQ(model_request(&m, SET, 11, 0, 3, NULL, 0), DX_USB_STALLED);
	model_tear_down(&m);
}

TEST(hid_keyboard_report_that_does_not_fit_is_babble)
{
	struct model m = model_set_up("virtual:hid-keyboard,text=a");
	struct dx_usb_pipe *in = model_pipe(&m, 0, 0x81);
	uint32_t actual = 0;

	CHECK_EQ(dx_usb_pipe_io(in, pending.bytes, 4, 0, &actual), DX_USB_OVERRUN);
	CHECK_EQ(actual, 4);
	(void)dx_usb_pipe_unref(in);
	model_tear_down(&m);
}

static void expect_parse(const char *text, uint8_t modifiers, uint8_t usage)
{
	struct dx_keystroke stroke = {0};
	const char *bad = NULL;

	CHECK_EQ(dx_keystrokes_parse(text, &stroke, 1, &bad), 1);
	CHECK_EQ(stroke.modifiers, modifiers);
	CHECK_EQ(stroke.usage, usage);
}

TEST(keystrokes_of_all_printable_characters)
{
	static const char over_digits[] = "!@#$%^&*()";
	static const char pairs[] = "-_=+[{]}\\|;:'\"`~,<.>/?";
	static const uint8_t usages[] = {0x2D, 0x2E, 0x2F, 0x30, 0x31, 0x33,
					 0x34, 0x35, 0x36, 0x37, 0x38};
	char text[4] = "";

	for (char c = 'a'; c <= 'z'; c++) {
		text[0] = c;
		expect_parse(text, 0, (uint8_t)(4 + c - 'a'));
		text[0] = (char)(c - 'a' + 'A');
		expect_parse(text, SHIFT, (uint8_t)(4 + c - 'a'));
	}
	for (unsigned i = 0; i < 10; i++) {
		text[0] = (char)('0' + (i + 1) % 10);
		expect_parse(text, 0, (uint8_t)(0x1E + i));
		text[0] = over_digits[i];
		expect_parse(text, SHIFT, (uint8_t)(0x1E + i));
	}
	for (unsigned i = 0; i < sizeof(pairs) - 1; i++) {
		bool is_brace = pairs[i] == '{';

		(void)snprintf(text, sizeof(text), is_brace ? "{%c}" : "%c", pairs[i]);
		expect_parse(text, i % 2 == 0 ? 0 : SHIFT, usages[i / 2]);
	}
	expect_parse(" ", 0, 0x2C);
}

TEST(keystrokes_of_named_keys)
{
	expect_parse("{enter}", 0, 0x28);
	expect_parse("{F12}", 0, 0x45);
	expect_parse("{ctrl+alt+delete}", 0x05, 0x4C);
	expect_parse("{Shift+a}", SHIFT, 0x04);
	expect_parse("{ctrl+A}", 0x01 | SHIFT, 0x04);
	expect_parse("{ctrl++}", 0x01 | SHIFT, 0x2E);
	expect_parse("{+}", SHIFT, 0x2E);
	expect_parse("{}}", SHIFT, 0x30);
	expect_parse("}", SHIFT, 0x30);
	expect_parse("{altgr+rgui+up}", 0xC0, 0x52);
}

TEST(keystrokes_that_do_not_exist_are_refused)
{
	static const char *const texts[] = {"{",     "{}",       "{enter",  "{nokey}",
					    "{f13}", "{f0}",     "{f1x}",   "{hyper+a}",
					    "\x01",  "\xc3\xa4", "{ctrl+}", "{ab}"};
	const char *bad = NULL;

	for (unsigned i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		CHECK_EQ(dx_keystrokes_parse(texts[i], NULL, 0, &bad), -EINVAL);
		CHECK(bad == texts[i]);
	}
	expect_refused("virtual:hid-keyboard,text=ok{x", -EINVAL, "text: cannot type from \"{x\"");
	expect_refused("virtual:hid-keyboard,rate=0", -EINVAL, "rate=0: not in 1..1000");
}
