/* SPDX-License-Identifier: MIT
 *
 * virtual - device models: gadget-zero's behaviour, specs and their errors, faults.
 */
#include "../usb/fixture.h"

#include <errno.h>
#include <string.h>

static uint8_t bytes[65536];

static void expect_error(const char *spec, const char *problem)
{
	struct dx_usb_device *device = NULL;
	char message[512] = "";
	char expected[512];

	CHECK_EQ(dx_usb_device_attach(fixture_backends, spec, -1, message, sizeof(message), &device),
		 -EINVAL);
	(void)snprintf(expected, sizeof(expected), "device \"%s\": %s", spec, problem);
	CHECK_STR_EQ(message, expected);
}

TEST(spec_errors_name_the_key_and_the_value)
{
	expect_error("virtual:", "model \"\" does not exist (there are: gadget-zero, source-sink, "
				 "loopback, cdc-acm, hid-keyboard, mass-storage)");
	expect_error("virtual:printer",
		     "model \"printer\" does not exist (there are: gadget-zero, source-sink, "
		     "loopback, cdc-acm, hid-keyboard, mass-storage)");
	expect_error("virtual:gadget-zero,speed=warp",
		     "speed=warp: not one of full, high, super, super-plus");
	expect_error("virtual:gadget-zero,mode=x", "mode=x: not one of source-sink, loopback");
	expect_error("virtual:gadget-zero,pattern=3", "pattern=3: not in 0..2");
	expect_error("virtual:gadget-zero,fifo=12", "fifo=12: not in 4096..67108864");
	expect_error("virtual:gadget-zero,fifo=-1", "fifo=-1: not a number");
	expect_error("virtual:gadget-zero,fifo=99999999999999999999",
		     "fifo=99999999999999999999: not a number");
	expect_error("virtual:gadget-zero,fifo=17179869184G",
		     "fifo=17179869184G: not a number");
	expect_error("virtual:gadget-zero,sped=full", "sped: unknown key");
	expect_error("virtual:gadget-zero,serial", "\"serial\": expected key=value");
	expect_error("virtual:gadget-zero,=x", "\"=x\": expected key=value");
	expect_error("virtual:gadget-zero,serial=a,serial=b", "serial: given twice");
	expect_error("virtual:gadget-zero,serial=\xff",
		     "serial=\xff: longer than 126 UTF-16 units, or not UTF-8");
	expect_error("virtual:gadget-zero,configuration=1",
		     "configuration=1: the device has none with that value");
	expect_error("virtual:gadget-zero,address=128", "address=128: not in 1..127");
}

TEST(spec_values_reach_the_device)
{
	struct dx_usb_device *device = attach("virtual:gadget-zero,speed=full,serial=a\\,b \xe2\x82\xac"
					      ",idVendor=0x1234,idProduct=7,configuration=2,"
					      "location=0x14200000,address=9,fifo=64K");
	char *serial = dx_usb_device_copy_text(device, dx_usb_device_descriptor(device)[16]);

	CHECK_STR_EQ(serial, "a,b \xe2\x82\xac");
	free(serial);
	CHECK_EQ(dx_usb_get16(dx_usb_device_descriptor(device) + 8), 0x1234);
	CHECK_EQ(dx_usb_get16(dx_usb_device_descriptor(device) + 10), 7);
	CHECK_EQ(dx_usb_device_configuration(device), 2);
	CHECK_EQ(dx_usb_device_location(device), 0x14200000);
	CHECK_EQ(dx_usb_device_address(device), 9);
	CHECK_EQ(dx_usb_device_speed(device), DX_USB_SPEED_FULL);
	(void)dx_usb_device_unref(device);
}

TEST(spec_same_text_gives_the_same_location)
{
	struct dx_usb_device *a = attach("virtual:gadget-zero,serial=1");
	struct dx_usb_device *b = attach("virtual:gadget-zero,serial=1");
	struct dx_usb_device *c = attach("virtual:gadget-zero,serial=2");

	CHECK_EQ(dx_usb_device_location(a), dx_usb_device_location(b));
	CHECK_NE(dx_usb_device_location(a), dx_usb_device_location(c));
	(void)dx_usb_device_unref(a);
	(void)dx_usb_device_unref(b);
	(void)dx_usb_device_unref(c);
}

TEST(gadget_zero_has_the_packet_sizes_of_its_speed)
{
	static const struct {
		const char *spec;
		uint16_t bulk;
	} speeds[] = {
		{"virtual:gadget-zero,speed=full", 64},
		{"virtual:gadget-zero,speed=high", 512},
		{"virtual:gadget-zero,speed=super", 1024},
		{"virtual:gadget-zero,speed=super-plus", 1024},
	};

	for (unsigned i = 0; i < 4; i++) {
		struct fixture f = set_up(speeds[i].spec, SOURCE_SINK);

		CHECK_EQ(dx_usb_pipe_max_packet(f.in), speeds[i].bulk);
		CHECK_EQ(dx_usb_pipe_max_packet(f.out), speeds[i].bulk);
		CHECK_EQ(dx_usb_pipe_type(f.in), DX_USB_BULK);
		tear_down(&f);
	}
}

TEST(source_sends_its_pattern)
{
	struct fixture f = set_up("virtual:gadget-zero,pattern=1,speed=high", SOURCE_SINK);
	uint32_t actual = 0;

	CHECK_EQ(dx_usb_pipe_io(f.in, bytes, 8192, 0, &actual), DX_USB_OK);
	CHECK_EQ(actual, 8192);
	for (unsigned i = 0; i < 8192; i++) {
		CHECK_EQ(bytes[i], i % 512 % 63);
	}
	CHECK_EQ(dx_usb_pipe_io(f.in, bytes, 100, 0, &actual), DX_USB_OVERRUN);
	CHECK_EQ(actual, 100);
	tear_down(&f);
}

TEST(sink_halts_after_a_unit_with_a_wrong_byte)
{
	struct fixture f = set_up("virtual:gadget-zero,pattern=1,speed=high", SOURCE_SINK);
	uint32_t actual = 0;

	for (unsigned i = 0; i < 16384; i++) {
		bytes[i] = (uint8_t)(i % 512 % 63);
	}
	CHECK_EQ(dx_usb_pipe_io(f.out, bytes, 16384, 0, &actual), DX_USB_OK);
	bytes[5000] ^= 1;
	CHECK_EQ(dx_usb_pipe_io(f.out, bytes, 16384, 0, &actual), DX_USB_STALLED);
	CHECK_EQ(actual, 8192); /* the unit with the error is taken */
	CHECK_EQ(dx_usb_pipe_clear_stall(f.out, true), DX_USB_OK);
	CHECK_EQ(dx_usb_pipe_io(f.out, bytes, 8192, 0, &actual), DX_USB_OK); /* last unit */
	CHECK_EQ(dx_usb_pipe_io(f.out, bytes, 512, 0, &actual), DX_USB_STALLED);
	CHECK_EQ(actual, 0);
	tear_down(&f);
}

TEST(loopback_fifo_pushes_back_and_keeps_ends)
{
	struct fixture f = set_up("virtual:gadget-zero,mode=loopback,speed=full,fifo=4096",
				  LOOPBACK);
	struct record out = {0};
	static uint8_t received[65536];
	uint32_t actual = 0;

	for (unsigned i = 0; i < sizeof(bytes); i++) {
		bytes[i] = (uint8_t)(i * 31 >> 3);
	}
	CHECK_EQ(dx_usb_pipe_io(f.out, bytes, 100, 0, &actual), DX_USB_OK);
	CHECK_EQ(dx_usb_pipe_io(f.out, NULL, 0, 0, &actual), DX_USB_OK);
	CHECK_EQ(dx_usb_pipe_submit(f.out, bytes + 100, 6400, 0, note, &out), DX_USB_OK);
	(void)dx_usb_poll(f.device);
	CHECK_EQ(out.nr, 0); /* it does not fit */
	CHECK_EQ(dx_usb_pipe_io(f.in, received, 64, 0, &actual), DX_USB_OK);
	CHECK_EQ(actual, 64);
	CHECK_EQ(dx_usb_pipe_io(f.in, received + 64, 4096, 0, &actual), DX_USB_OK);
	CHECK_EQ(actual, 36);
	CHECK_EQ(dx_usb_pipe_io(f.in, received, 4096, 0, &actual), DX_USB_OK);
	CHECK_EQ(actual, 0);
	CHECK_EQ(dx_usb_pipe_io(f.in, received + 100, 6400, 0, &actual), DX_USB_OK);
	CHECK_EQ(actual, 6400);
	(void)dx_usb_poll(f.device);
	CHECK_EQ(out.nr, 1);
	CHECK_MEM_EQ(bytes, received, 6500);
	tear_down(&f);
}

TEST(loopback_in_buffer_that_splits_a_packet_is_babble)
{
	struct fixture f = set_up("virtual:gadget-zero,mode=loopback,speed=full", LOOPBACK);
	struct record in = {0};
	uint32_t actual = 0;

	CHECK_EQ(dx_usb_pipe_submit(f.in, bytes, 100, 0, note, &in), DX_USB_OK);
	CHECK_EQ(dx_usb_pipe_io(f.out, bytes + 1000, 256, 0, &actual), DX_USB_OK);
	(void)dx_usb_poll(f.device);
	CHECK_EQ(in.entries[0].status, DX_USB_OVERRUN);
	CHECK_EQ(dx_usb_pipe_clear_stall(f.in, true), DX_USB_OK);
	CHECK_EQ(dx_usb_pipe_io(f.in, bytes, 128, 0, &actual), DX_USB_OK);
	CHECK_EQ(actual, 128); /* what followed the lost packet */
	tear_down(&f);
}

TEST(faults_make_short_packets_and_wrong_bytes)
{
	struct fixture f = set_up("virtual:gadget-zero,short=100,corrupt=2", SOURCE_SINK);
	uint32_t actual = 0;

	CHECK_EQ(dx_usb_pipe_io(f.in, bytes, 4096, 0, &actual), DX_USB_OK);
	CHECK_EQ(actual, 100);
	CHECK_EQ(bytes[0], 0);
	CHECK_EQ(dx_usb_pipe_io(f.in, bytes, 4096, 0, &actual), DX_USB_OK);
	CHECK_EQ(bytes[0], 0xFF);
	tear_down(&f);
}

TEST(faults_delay_each_transfer)
{
	struct fixture f = set_up("virtual:gadget-zero,delay-us=5000", SOURCE_SINK);
	uint64_t before_ns = dx_clock_now_ns();

	CHECK_EQ(dx_usb_pipe_io(f.in, bytes, 4096, 0, NULL), DX_USB_OK);
	CHECK_EQ(dx_usb_pipe_io(f.in, bytes, 4096, 0, NULL), DX_USB_OK);
	CHECK_GE(dx_clock_now_ns() - before_ns, 10000000);
	tear_down(&f);
}

static int32_t standard(struct dx_usb_device *device, uint8_t type, uint8_t request,
			uint16_t value, uint16_t index, void *data, uint16_t length)
{
	struct dx_usb_setup setup = {type, request, value, index, length};

	return dx_usb_device_request(device, CLIENT, &setup, data, 1000, NULL);
}

TEST(standard_requests_are_answered)
{
	struct fixture f = set_up("virtual:gadget-zero,speed=super", SOURCE_SINK);
	struct dx_usb_device *d = f.device;
	uint8_t data[8] = {0};

	CHECK_EQ(dx_usb_device_open(d, CLIENT), DX_USB_OK);
	CHECK_EQ(standard(d, 0x80, 0, 0, 0, data, 2), DX_USB_OK);
	CHECK_EQ(data[0], 1); /* self-powered */
	CHECK_EQ(standard(d, 0x00, 3, 1, 0, NULL, 0), DX_USB_OK);
	CHECK_EQ(standard(d, 0x80, 0, 0, 0, data, 2), DX_USB_OK);
	CHECK_EQ(data[0], 3);
	CHECK_EQ(standard(d, 0x00, 1, 1, 0, NULL, 0), DX_USB_OK);
	CHECK_EQ(standard(d, 0x00, 3, 48, 0, NULL, 0), DX_USB_OK);
	CHECK_EQ(standard(d, 0x00, 3, 99, 0, NULL, 0), DX_USB_STALLED);
	CHECK_EQ(standard(d, 0x80, 8, 0, 0, data, 1), DX_USB_OK);
	CHECK_EQ(data[0], SOURCE_SINK);
	CHECK_EQ(standard(d, 0x81, 10, 0, 0, data, 1), DX_USB_OK);
	CHECK_EQ(data[0], 0);
	CHECK_EQ(standard(d, 0x81, 10, 0, 5, data, 1), DX_USB_STALLED);
	CHECK_EQ(standard(d, 0x02, 3, 0, 0x81, NULL, 0), DX_USB_OK); /* halt */
	CHECK_EQ(standard(d, 0x82, 0, 0, 0x81, data, 2), DX_USB_OK);
	CHECK_EQ(data[0], 1);
	CHECK_EQ(dx_usb_pipe_io(f.in, bytes, 1024, 0, NULL), DX_USB_STALLED);
	CHECK_EQ(dx_usb_pipe_clear_stall(f.in, true), DX_USB_OK);
	CHECK_EQ(standard(d, 0x82, 0, 0, 0x81, data, 2), DX_USB_OK);
	CHECK_EQ(data[0], 0);
	CHECK_EQ(standard(d, 0x82, 0, 0, 0x87, data, 2), DX_USB_STALLED);
	CHECK_EQ(standard(d, 0x02, 3, 0, 0x87, NULL, 0), DX_USB_STALLED);
	CHECK_EQ(standard(d, 0x02, 3, 7, 0x81, NULL, 0), DX_USB_STALLED);
	CHECK_EQ(standard(d, 0x81, 0, 0, 0, data, 2), DX_USB_OK);
	CHECK_EQ(standard(d, 0x81, 0, 0, 9, data, 2), DX_USB_STALLED);
	CHECK_EQ(standard(d, 0x82, 12, 0, 0x82, data, 2), DX_USB_OK);
	CHECK_EQ(standard(d, 0x00, 49, 40, 0, NULL, 0), DX_USB_OK);
	CHECK_EQ(standard(d, 0x00, 48, 0, 0, data, 6), DX_USB_OK);
	CHECK_EQ(standard(d, 0x80, 6, 0x0300, 0, data, 8), DX_USB_OK);
	CHECK_EQ(data[2] | data[3] << 8, 0x0409);
	CHECK_EQ(standard(d, 0x80, 6, 0x2900, 0, data, 8), DX_USB_STALLED);
	CHECK_EQ(standard(d, 0x80, 6, 0x0209, 0, data, 8), DX_USB_STALLED);
	CHECK_EQ(standard(d, 0x80, 77, 0, 0, data, 8), DX_USB_STALLED);
	tear_down(&f);
}
