/* SPDX-License-Identifier: MIT
 *
 * cdc_acm - the serial port: descriptors, echo and its flow, line requests, notifications.
 */
#include "model.h"

#define CONTROL  0
#define DATA     1
#define SET      0x21
#define GET      0xA1
#define DTR      1
#define HIGH_PKT 512

static struct pending first;
static struct pending second;

TEST(cdc_acm_describes_one_function_of_two_interfaces)
{
	static const uint8_t expected[] = {
		9, 2,    75,   0,    2,  1,  0, 0x80, 50,                   /* configuration */
		8, 11,   0,    2,    2,  2,  1, 0,                          /* association */
		9, 4,    0,    0,    1,  2,  2, 1,    0,                    /* control */
		5, 0x24, 0,    0x10, 1,                                     /* header */
		5, 0x24, 1,    0,    1,                                     /* call management */
		4, 0x24, 2,    6,                                           /* ACM */
		5, 0x24, 6,    0,    1,                                     /* union */
		7, 5,    0x82, 3,    16, 0,  7,                             /* every 8 ms */
		9, 4,    1,    0,    2,  10, 0, 0,    0,                    /* data */
		7, 5,    0x81, 2,    0,  2,  0, 7,    5,  0x01, 2, 0, 2, 0, /* 512 bytes */
	};
	struct dx_usb_device *device = attach("virtual:cdc-acm");
	size_t length = 0;
	const uint8_t *bytes = dx_usb_device_configuration_at(device, 0, &length);

	CHECK_EQ(length, sizeof(expected));
	CHECK_MEM_EQ(bytes, expected, sizeof(expected));
	CHECK_EQ(dx_usb_device_descriptor(device)[4], 0xEF);
	(void)dx_usb_device_unref(device);
}

TEST(cdc_acm_what_is_sent_comes_back)
{
	struct model m = model_set_up("virtual:cdc-acm");
	struct dx_usb_pipe *in = model_pipe(&m, DATA, 0x81);
	struct dx_usb_pipe *out = model_pipe(&m, DATA, 0x01);
	uint8_t packet[HIGH_PKT];

	memset(packet, 'x', sizeof(packet));
	put(out, "hello", 5);
	expect(in, "hello", 5, 1024);
	put(out, "a", 1); /* a stream: packets melt together */
	put(out, "b", 1);
	put(out, "", 0);
	expect(in, "ab", 2, 1024);
	put(out, packet, sizeof(packet)); /* ends although the packet is whole */
	expect(in, packet, sizeof(packet), 1024);
	start(in, &first, 1024);
	settle(&m);
	CHECK_EQ(first.record.nr, 0);
	put(out, "late", 4);
	wait_for(&m, &first.record, 1);
	CHECK_EQ(first.record.entries[0].actual, 4);
	CHECK_MEM_EQ(first.bytes, "late", 4);
	(void)dx_usb_pipe_unref(in);
	(void)dx_usb_pipe_unref(out);
	model_tear_down(&m);
}

TEST(cdc_acm_keeps_back_what_nobody_reads)
{
	struct model m = model_set_up("virtual:cdc-acm,fifo=64,speed=full");
	struct dx_usb_pipe *in = model_pipe(&m, DATA, 0x81);
	struct dx_usb_pipe *out = model_pipe(&m, DATA, 0x01);
	uint8_t got[200];
	uint32_t nr_got = 0;

	for (unsigned i = 0; i < 200; i++) {
		first.bytes[i] = (uint8_t)(i * 7);
	}
	start(out, &first, 200);
	settle(&m);
	CHECK_EQ(first.record.nr, 0);
	while (nr_got < 200) {
		uint32_t actual = 0;

		CHECK_EQ(dx_usb_pipe_io(in, second.bytes, 64, 0, &actual), DX_USB_OK);
		CHECK(actual != 0 && nr_got + actual <= 200);
		memcpy(got + nr_got, second.bytes, actual);
		nr_got += actual;
	}
	wait_for(&m, &first.record, 1);
	CHECK_EQ(first.record.entries[0].actual, 200);
	CHECK_MEM_EQ(got, first.bytes, 200);
	(void)dx_usb_pipe_unref(in);
	(void)dx_usb_pipe_unref(out);
	model_tear_down(&m);
}

TEST(cdc_acm_in_buffer_that_splits_a_packet_is_babble)
{
	struct model m = model_set_up("virtual:cdc-acm,speed=full");
	struct dx_usb_pipe *in = model_pipe(&m, DATA, 0x81);
	struct dx_usb_pipe *out = model_pipe(&m, DATA, 0x01);
	uint32_t actual = 0;

	put(out, "0123456789", 10);
	CHECK_EQ(dx_usb_pipe_io(in, first.bytes, 3, 0, &actual), DX_USB_OVERRUN);
	CHECK_EQ(actual, 3);
	CHECK_EQ(dx_usb_pipe_clear_stall(in, true), DX_USB_OK);
	CHECK_EQ(dx_usb_pipe_io(in, NULL, 0, 0, &actual), DX_USB_OK); /* takes nothing */
	put(out, "next", 4); /* the rest of that packet is lost */
	expect(in, "next", 4, 64);
	(void)dx_usb_pipe_unref(in);
	(void)dx_usb_pipe_unref(out);
	model_tear_down(&m);
}

TEST(cdc_acm_without_echo_takes_and_says_nothing)
{
	struct model m = model_set_up("virtual:cdc-acm,echo=no");
	struct dx_usb_pipe *in = model_pipe(&m, DATA, 0x81);
	struct dx_usb_pipe *out = model_pipe(&m, DATA, 0x01);
	struct dx_usb_pipe *notify = model_pipe(&m, CONTROL, 0x82);

	start(in, &first, 512);
	start(notify, &second, 16);
	put(out, "gone", 4);
	CHECK_EQ(model_request(&m, SET, 0x23, 100, CONTROL, NULL, 0), DX_USB_OK); /* no plug */
	settle(&m);
	CHECK_EQ(first.record.nr, 0);
	CHECK_EQ(second.record.nr, 0);
	(void)dx_usb_pipe_unref(in);
	(void)dx_usb_pipe_unref(out);
	(void)dx_usb_pipe_unref(notify);
	model_tear_down(&m);
	CHECK_EQ(first.record.nr, 1);
}

TEST(cdc_acm_line_coding_is_kept)
{
	struct model m = model_set_up("virtual:cdc-acm");
	static const uint8_t initial[] = {0, 0xC2, 1, 0, 0, 0, 8};
	uint8_t coding[7] = {0x80, 0x25, 0, 0, 2, 1, 7}; /* 9600 7O2 */
	uint8_t got[8] = {0};

	CHECK_EQ(model_request(&m, GET, 0x21, 0, CONTROL, got, 7), DX_USB_OK);
	CHECK_MEM_EQ(got, initial, 7);
	CHECK_EQ(model_request(&m, SET, 0x20, 0, CONTROL, coding, 7), DX_USB_OK);
	CHECK_EQ(model_request(&m, GET, 0x21, 0, CONTROL, got, 8), DX_USB_OK);
	CHECK_MEM_EQ(got, coding, 7);
	CHECK_EQ(model_request(&m, SET, 0x20, 0, CONTROL, coding, 6), DX_USB_STALLED);
	coding[4] = 3;
	CHECK_EQ(model_request(&m, SET, 0x20, 0, CONTROL, coding, 7), DX_USB_STALLED);
	coding[4] = 0;
	coding[5] = 5;
	CHECK_EQ(model_request(&m, SET, 0x20, 0, CONTROL, coding, 7), DX_USB_STALLED);
	coding[5] = 0;
	coding[6] = 9;
	CHECK_EQ(model_request(&m, SET, 0x20, 0, CONTROL, coding, 7), DX_USB_STALLED);
	coding[6] = 16;
	CHECK_EQ(model_request(&m, SET, 0x20, 0, CONTROL, coding, 7), DX_USB_OK);
	model_tear_down(&m);
}

TEST(cdc_acm_refuses_other_requests)
{
	struct model m = model_set_up("virtual:cdc-acm");
	uint8_t data[8] = {0};

	CHECK_EQ(model_request(&m, GET, 0x21, 0, DATA, data, 7), DX_USB_STALLED);
	CHECK_EQ(model_request(&m, SET, 0x00, 0, CONTROL, data, 4), DX_USB_STALLED);
	CHECK_EQ(model_request(&m, SET, 0x22, 1, CONTROL, data, 1), DX_USB_STALLED);
	CHECK_EQ(model_request(&m, SET, 0x23, 0, CONTROL, data, 1), DX_USB_STALLED);
	CHECK_EQ(model_request(&m, 0xC0, 0x21, 0, CONTROL, data, 7), DX_USB_STALLED);
	model_tear_down(&m);
}

static void expect_state(struct dx_usb_pipe *notify, uint8_t state)
{
	const uint8_t expected[] = {0xA1, 0x20, 0, 0, 0, 0, 2, 0, state, 0};

	expect(notify, expected, sizeof(expected), 16);
}

TEST(cdc_acm_notifies_of_lines_and_breaks)
{
	struct model m = model_set_up("virtual:cdc-acm");
	uint8_t data = 0;
	struct dx_usb_pipe *notify = model_pipe(&m, CONTROL, 0x82);

	start(notify, &first, 16);
	settle(&m);
	CHECK_EQ(first.record.nr, 0); /* nothing has changed */
	CHECK_EQ(model_request(&m, SET, 0x22, DTR, CONTROL, NULL, 0), DX_USB_OK);
	wait_for(&m, &first.record, 1);
	CHECK_EQ(first.bytes[8], 3); /* carrier, data set ready */
	CHECK_EQ(model_request(&m, SET, 0x23, 0xFFFF, CONTROL, NULL, 0), DX_USB_OK);
	expect_state(notify, 7);
	CHECK_EQ(model_request(&m, SET, 0x23, 0, CONTROL, NULL, 0), DX_USB_OK);
	CHECK_EQ(model_request(&m, SET, 0x23, 0xFFFF, CONTROL, &data, 1), DX_USB_STALLED);
	CHECK_EQ(model_request(&m, SET, 0x22, 0, CONTROL, NULL, 0), DX_USB_OK);
	expect_state(notify, 0); /* what was refused has done nothing */
	(void)dx_usb_pipe_unref(notify);
	model_tear_down(&m);
}

TEST(cdc_acm_carrier_can_be_fixed)
{
	struct model on = model_set_up("virtual:cdc-acm,carrier=on");
	struct model off = model_set_up("virtual:cdc-acm,carrier=off");
	struct dx_usb_pipe *notify = model_pipe(&on, CONTROL, 0x82);

	expect_state(notify, 3);
	(void)dx_usb_pipe_unref(notify);
	notify = model_pipe(&off, CONTROL, 0x82);
	start(notify, &first, 16);
	CHECK_EQ(model_request(&off, SET, 0x22, DTR, CONTROL, NULL, 0), DX_USB_OK);
	settle(&off);
	CHECK_EQ(first.record.nr, 0);
	(void)dx_usb_pipe_unref(notify);
	model_tear_down(&on);
	model_tear_down(&off);
}

TEST(cdc_acm_greets_whoever_raises_dtr)
{
	struct model m = model_set_up("virtual:cdc-acm,banner=ready");
	struct dx_usb_pipe *in = model_pipe(&m, DATA, 0x81);

	for (unsigned i = 0; i < 2; i++) {
		CHECK_EQ(model_request(&m, SET, 0x22, DTR, CONTROL, NULL, 0), DX_USB_OK);
		CHECK_EQ(model_request(&m, SET, 0x22, DTR | 2, CONTROL, NULL, 0), DX_USB_OK);
		expect(in, "ready\r\n", 7, 512);
		CHECK_EQ(model_request(&m, SET, 0x22, 0, CONTROL, NULL, 0), DX_USB_OK);
	}
	(void)dx_usb_pipe_unref(in);
	model_tear_down(&m);
}

TEST(cdc_acm_forgets_when_it_is_configured_anew)
{
	struct model m = model_set_up("virtual:cdc-acm");
	struct dx_usb_pipe *out = model_pipe(&m, DATA, 0x01);
	struct dx_usb_pipe *in = NULL;

	put(out, "old", 3);
	(void)dx_usb_pipe_unref(out);
	for (unsigned i = 0; i < m.nr_interfaces; i++) {
		(void)dx_usb_interface_unref(m.interfaces[i]);
	}
	m.nr_interfaces = 0;
	CHECK_EQ(dx_usb_device_set_configuration(m.device, CLIENT, 1), DX_USB_OK);
	m.interfaces[0] = dx_usb_device_copy_interface(m.device, 1);
	m.nr_interfaces = 1;
	CHECK_EQ(dx_usb_interface_open(m.interfaces[0], CLIENT, 0, 0), DX_USB_OK);
	in = model_pipe(&m, 0, 0x81);
	out = model_pipe(&m, 0, 0x01);
	put(out, "new", 3);
	expect(in, "new", 3, 512);
	(void)dx_usb_pipe_unref(in);
	(void)dx_usb_pipe_unref(out);
	model_tear_down(&m);
}

TEST(cdc_acm_makes_errors_on_demand)
{
	struct model m = model_set_up("virtual:cdc-acm,short=2,stall-after=2");
	struct dx_usb_pipe *in = model_pipe(&m, DATA, 0x81);
	struct dx_usb_pipe *out = model_pipe(&m, DATA, 0x01);

	put(out, "abcdef", 6);
	expect(in, "ab", 2, 512);
	expect(in, "cd", 2, 512);
	CHECK_EQ(dx_usb_pipe_io(in, first.bytes, 512, 0, NULL), DX_USB_STALLED);
	CHECK_EQ(dx_usb_pipe_clear_stall(in, true), DX_USB_OK);
	expect(in, "ef", 2, 512);
	(void)dx_usb_pipe_unref(in);
	(void)dx_usb_pipe_unref(out);
	model_tear_down(&m);
}

TEST(cdc_acm_spec_errors)
{
	expect_refused("virtual:cdc-acm,echo=maybe", -22, "echo=maybe: not one of no, yes");
	expect_refused("virtual:cdc-acm,carrier=x", -22, "carrier=x: not one of dtr, on, off");
	expect_refused("virtual:cdc-acm,fifo=1", -22, "fifo=1: not in 64..67108864");
	expect_refused("virtual:cdc-acm,banner", -22, "\"banner\": expected key=value");
	expect_refused("virtual:cdc-acm,file=x", -22, "file: unknown key");
}
