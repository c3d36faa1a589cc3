/* SPDX-License-Identifier: MIT
 *
 * simple - a source and a sink, a loopback, of any type, size and number.
 */
#include "model.h"

#include <errno.h>

static uint8_t bytes[4096];

TEST(source_sink_has_the_endpoints_that_were_asked_for)
{
	static const uint8_t expected[] = {
		9, 2, 25,   0, 1,  1, 0, 0x80, 50, /* configuration */
		9, 4, 0,    0, 1,  1, 2, 3,    0,  /* interface */
		7, 5, 0x04, 2, 64, 0, 0,           /* bulk, 64 bytes */
	};
	struct dx_usb_device *device =
		attach("virtual:source-sink,idVendor=0x648,idProduct=0xeeee,in=0,out=4,speed=full,"
		       "class=1,subclass=2,protocol=3");
	size_t length = 0;
	const uint8_t *block = dx_usb_device_configuration_at(device, 0, &length);

	CHECK_EQ(length, sizeof(expected));
	CHECK_MEM_EQ(block, expected, sizeof(expected));
	CHECK_EQ(dx_usb_get16(dx_usb_device_descriptor(device) + 8), 0x0648);
	CHECK_EQ(dx_usb_get16(dx_usb_device_descriptor(device) + 10), 0xEEEE);
	(void)dx_usb_device_unref(device);
}

TEST(source_sink_of_interrupt_endpoints)
{
	struct model m = model_set_up("virtual:source-sink,type=interrupt,packet=16,interval=1,"
				      "in=3,out=5,pattern=1");
	struct dx_usb_pipe *in = model_pipe(&m, 0, 0x83);
	struct dx_usb_pipe *out = model_pipe(&m, 0, 0x05);

	CHECK_EQ(dx_usb_pipe_type(in), DX_USB_INTERRUPT);
	CHECK_EQ(dx_usb_pipe_max_packet(in), 16);
	for (unsigned i = 0; i < 64; i++) {
		bytes[i] = (uint8_t)(i % 16);
	}
	expect(in, bytes, 64, 64);
	put(out, bytes, 64);
	(void)dx_usb_pipe_unref(in);
	(void)dx_usb_pipe_unref(out);
	model_tear_down(&m);
}

TEST(source_sink_halts_after_a_unit_with_a_wrong_byte)
{
	struct model m = model_set_up("virtual:source-sink,unit=512");
	struct dx_usb_pipe *out = model_pipe(&m, 0, 0x01);
	uint32_t actual = 0;

	bytes[600] = 1;
	CHECK_EQ(dx_usb_pipe_io(out, bytes, 2048, 0, &actual), DX_USB_STALLED);
	CHECK_EQ(actual, 1024);
	(void)dx_usb_pipe_unref(out);
	model_tear_down(&m);
}

TEST(source_sink_of_isochronous_endpoints)
{
	struct model m = model_set_up("virtual:source-sink,type=isochronous,packet=64,interval=1,"
				      "pattern=1");
	struct dx_usb_pipe *in = model_pipe(&m, 0, 0x81);
	struct dx_usb_pipe *out = model_pipe(&m, 0, 0x01);
	struct dx_usb_iso_frame frames[4] = {0};

	for (unsigned i = 0; i < 4; i++) {
		frames[i].request_count = 64;
	}
	CHECK_EQ(dx_usb_pipe_submit_iso(in, bytes, 256, frames, 4, 0, NULL, NULL), DX_USB_OK);
	for (unsigned i = 0; i < 256; i++) {
		CHECK_EQ(bytes[i], i % 64 % 63);
	}
	CHECK_EQ(dx_usb_pipe_submit_iso(out, bytes, 256, frames, 4, 0, NULL, NULL), DX_USB_OK);
	CHECK_EQ(frames[3].status, DX_USB_OK);
	CHECK_EQ(frames[3].complete_count, 64);
	(void)dx_usb_pipe_unref(in);
	(void)dx_usb_pipe_unref(out);
	model_tear_down(&m);
}

TEST(loopback_at_low_speed_is_of_interrupt_endpoints)
{
	struct model m = model_set_up("virtual:loopback,speed=low,interval=1");
	struct dx_usb_pipe *in = model_pipe(&m, 0, 0x81);
	struct dx_usb_pipe *out = model_pipe(&m, 0, 0x01);

	CHECK_EQ(dx_usb_device_speed(m.device), DX_USB_SPEED_LOW);
	CHECK_EQ(dx_usb_pipe_type(in), DX_USB_INTERRUPT);
	CHECK_EQ(dx_usb_pipe_max_packet(in), 8);
	put(out, "slow", 4);
	expect(in, "slow", 4, 8);
	(void)dx_usb_pipe_unref(in);
	(void)dx_usb_pipe_unref(out);
	model_tear_down(&m);
}

TEST(loopback_of_unequal_numbers)
{
	struct model m = model_set_up("virtual:loopback,in=7,out=2,speed=super");
	struct dx_usb_pipe *in = model_pipe(&m, 0, 0x87);
	struct dx_usb_pipe *out = model_pipe(&m, 0, 0x02);

	CHECK_EQ(dx_usb_pipe_max_packet(in), 1024);
	memset(bytes, 'l', 100);
	put(out, bytes, 100);
	expect(in, bytes, 100, 1024);
	(void)dx_usb_pipe_unref(in);
	(void)dx_usb_pipe_unref(out);
	model_tear_down(&m);
}

TEST(loopback_of_interrupt_endpoints)
{
	struct model m = model_set_up("virtual:loopback,type=interrupt,packet=8,interval=1,"
				      "speed=full,fifo=4096");
	struct dx_usb_pipe *in = model_pipe(&m, 0, 0x81);
	struct dx_usb_pipe *out = model_pipe(&m, 0, 0x01);

	put(out, "abc", 3);
	expect(in, "abc", 3, 8);
	(void)dx_usb_pipe_unref(in);
	(void)dx_usb_pipe_unref(out);
	model_tear_down(&m);
}

TEST(simple_spec_errors)
{
	expect_refused("virtual:source-sink,in=0,out=0", -EINVAL,
		       "in=0,out=0: no endpoint is left");
	expect_refused("virtual:source-sink,in=16", -EINVAL, "in=16: not in 0..15");
	expect_refused("virtual:source-sink,type=control", -EINVAL,
		       "type=control: not one of isochronous, bulk, interrupt");
	expect_refused("virtual:source-sink,packet=64", -EINVAL, "packet=64: not in 512..512");
	expect_refused("virtual:source-sink,speed=full,packet=48", -EINVAL,
		       "packet=48: not one of 8, 16, 32, 64");
	expect_refused("virtual:source-sink,speed=full,type=interrupt,packet=65", -EINVAL,
		       "packet=65: not in 1..64");
	expect_refused("virtual:source-sink,speed=full,type=isochronous,packet=1024", -EINVAL,
		       "packet=1024: not in 1..1023");
	expect_refused("virtual:source-sink,type=interrupt,interval=17", -EINVAL,
		       "interval=17: not in 1..16");
	expect_refused("virtual:source-sink,fifo=4096", -EINVAL, "fifo: unknown key");
	expect_refused("virtual:source-sink,speed=warp", -EINVAL,
		       "speed=warp: not one of low, full, high, super, super-plus");
	expect_refused("virtual:source-sink,speed=low,type=bulk", -EINVAL,
		       "type=bulk: does not exist at low speed");
	expect_refused("virtual:source-sink,speed=low,packet=9", -EINVAL, "packet=9: not in 1..8");
	expect_refused("virtual:mass-storage,speed=low,file=x", -EINVAL,
		       "speed=low: not one of full, high, super, super-plus");
	expect_refused("virtual:loopback,type=isochronous", -EINVAL,
		       "type=isochronous: a loopback is bulk or interrupt");
	expect_refused("virtual:loopback,in=0", -EINVAL, "in=0: not in 1..15");
	expect_refused("virtual:loopback,unit=64", -EINVAL, "unit: unknown key");
}
