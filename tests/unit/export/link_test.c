/* SPDX-License-Identifier: MIT
 *
 * link_test - the USB stack over our client over our server over a model: what works on the model
 * works from far away.
 */
#include "unit/export/far.h"

TEST(far_device_has_the_descriptors_of_the_model)
{
	struct served *served = serve(SUPER ",serial=far");
	struct dx_usb_device *device = attach_far(served_spec(served, 0), -1);
	const uint8_t *bytes = dx_usb_device_descriptor(device);
	size_t length = 0;
	char *text = dx_usb_device_copy_text(device, bytes[16]);

	CHECK_EQ(bytes[8] | bytes[9] << 8, 0x0525);
	CHECK_EQ(dx_usb_device_speed(device), DX_USB_SPEED_SUPER);
	CHECK_EQ(dx_usb_device_configuration(device), 0);
	CHECK(dx_usb_device_bos(device, &length) != NULL);
	CHECK(dx_usb_device_configuration_with_value(device, 2, &length) != NULL);
	CHECK_STR_EQ(text, "far");
	free(text);
	(void)dx_usb_device_unref(device);
	served_stop(served);
}

TEST(far_loopback_returns_every_size)
{
	static const uint32_t sizes[] = {0,    1,     511,   1024,     4096,
					 8191, 65536, 65537, 1u << 20, 3000001};
	struct served *served = serve(SUPER ",fifo=8M");
	struct fixture f = set_up_far(served, LOOPBACK);
	uint8_t *out = malloc(4u << 20);
	uint8_t *in = malloc(4u << 20);

	for (unsigned i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		bool ends_short = sizes[i] % 1024 != 0 || sizes[i] == 0;
		uint32_t room = ends_short ? sizes[i] + 1024 - sizes[i] % 1024 : sizes[i];
		uint32_t actual = 0;

		fill(out, sizes[i], i);
		memset(in, 0, room);
		CHECK_EQ(dx_usb_pipe_io(f.out, out, sizes[i], 0, &actual), DX_USB_OK);
		CHECK_EQ(actual, sizes[i]);
		CHECK_EQ(dx_usb_pipe_io(f.in, in, room, 0, &actual), DX_USB_OK);
		CHECK_EQ(actual, sizes[i]);
		CHECK_MEM_EQ(in, out, sizes[i]);
	}
	free(out);
	free(in);
	tear_down(&f);
	served_stop(served);
}

TEST(far_256_transfers_in_flight_complete_in_order)
{
	enum { COUNT = 128, BYTES = 2048 };
	struct served *served = serve(SUPER);
	struct fixture f = set_up_far(served, LOOPBACK);
	static uint8_t out[COUNT][BYTES], in[COUNT][BYTES];
	static struct record ins, outs;
	static struct tagged tags[2][COUNT];

	for (unsigned i = 0; i < COUNT; i++) {
		tags[0][i] = (struct tagged){&ins, i};
		tags[1][i] = (struct tagged){&outs, i};
		fill(out[i], BYTES, i);
		CHECK_EQ(dx_usb_pipe_submit(f.in, in[i], BYTES, 0, note_tagged, &tags[0][i]), 0);
	}
	for (unsigned i = 0; i < COUNT; i++) {
		CHECK_EQ(dx_usb_pipe_submit(f.out, out[i], BYTES, 0, note_tagged, &tags[1][i]), 0);
	}
	run_until(f.device, &ins, COUNT);
	run_until(f.device, &outs, COUNT);
	for (unsigned i = 0; i < COUNT; i++) {
		CHECK_EQ(ins.entries[i].tag, i);
		CHECK_EQ(ins.entries[i].actual, BYTES);
		CHECK_EQ(outs.entries[i].tag, i);
		CHECK_MEM_EQ(in[i], out[i], BYTES);
	}
	tear_down(&f);
	served_stop(served);
}

TEST(far_endpoint_that_never_answers_delays_no_other)
{
	enum { HUNG = 200 };
	/* The loopback's IN endpoint has nothing to say until something is sent; the sink goes on.
	 */
	struct served *served = serve(HIGH ",hang-after=1");
	struct fixture f = set_up_far(served, SOURCE_SINK);
	static uint8_t bytes[HUNG][65536];
	static uint8_t strings[255];
	struct record hung = {0};
	uint32_t actual = 0;

	CHECK_EQ(dx_usb_pipe_io(f.in, bytes[0], 512, 0, &actual), DX_USB_OK);
	CHECK_EQ(dx_usb_pipe_io(f.out, bytes[0], 512, 0, &actual), DX_USB_OK);
	for (unsigned i = 0; i < HUNG; i++) { /* more than the server is sent at once */
		CHECK_EQ(dx_usb_pipe_submit(f.out, bytes[i], 65536, 0, note, &hung), DX_USB_OK);
	}
	for (unsigned i = 0; i < 20; i++) {
		const struct dx_usb_setup setup = {0x80, 6, 0x0302, 0x0409, sizeof(strings)};

		CHECK_EQ(dx_usb_device_request(f.device, CLIENT, &setup, strings, 0, &actual),
			 DX_USB_OK);
		CHECK_EQ(actual, strings[0]);
	}
	CHECK_EQ(hung.nr, 0);
	CHECK_EQ(dx_usb_pipe_abort(f.out, true, DX_USB_ABORTED), DX_USB_OK);
	CHECK_EQ(hung.nr, HUNG);
	for (unsigned i = 0; i < HUNG; i++) {
		CHECK_EQ(hung.entries[i].status, DX_USB_ABORTED);
	}
	tear_down(&f);
	served_stop(served);
}

TEST(far_timeout_tells_what_had_been_moved)
{
	struct served *served = serve(SUPER);
	struct fixture f = set_up_far(served, LOOPBACK);
	uint8_t bytes[4096] = {0};
	uint32_t actual = 0;

	CHECK_EQ(dx_usb_pipe_io(f.out, bytes, 1024, 0, &actual), DX_USB_OK);
	CHECK_EQ(dx_usb_pipe_io(f.in, bytes, 4096, 20, &actual), DX_USB_TIMEOUT);
	CHECK_EQ(actual, 1024);
	CHECK_EQ(dx_usb_pipe_io(f.in, bytes, 4096, 20, &actual), DX_USB_TIMEOUT);
	CHECK_EQ(actual, 0);
	tear_down(&f);
	served_stop(served);
}

TEST(far_stall_keeps_the_queue_until_it_is_cleared)
{
	struct served *served = serve(SUPER ",stall-after=2");
	struct fixture f = set_up_far(served, SOURCE_SINK);
	static uint8_t bytes[8][1024];
	struct record record = {0};

	for (unsigned i = 0; i < 8; i++) {
		CHECK_EQ(dx_usb_pipe_submit(f.in, bytes[i], 1024, 0, note, &record), DX_USB_OK);
	}
	run_until(f.device, &record, 3);
	CHECK_EQ(record.entries[1].status, DX_USB_OK);
	CHECK_EQ(record.entries[2].status, DX_USB_STALLED);
	CHECK(dx_usb_pipe_is_halted(f.in));
	CHECK_EQ(dx_usb_pipe_nr_pending(f.in), 5);
	CHECK_EQ(dx_usb_pipe_clear_stall(f.in, true), DX_USB_OK);
	CHECK_EQ(record.nr, 8);
	for (unsigned i = 3; i < 8; i++) {
		CHECK_EQ(record.entries[i].status, DX_USB_ABORTED);
	}
	CHECK_EQ(dx_usb_pipe_io(f.in, bytes[0], 1024, 0, NULL), DX_USB_OK);
	tear_down(&f);
	served_stop(served);
}

TEST(far_halt_without_request_stays)
{
	struct served *served = serve(SUPER);
	struct fixture f = set_up_far(served, SOURCE_SINK);
	const struct dx_usb_setup halt = {0x02, 3, 0, 0x81, 0};
	const struct dx_usb_setup status = {0x82, 0, 0, 0x81, 2};
	uint8_t bytes[1024] = {0};

	CHECK_EQ(dx_usb_device_request(f.device, CLIENT, &halt, NULL, 0, NULL), DX_USB_OK);
	CHECK_EQ(dx_usb_device_request(f.device, CLIENT, &status, bytes, 0, NULL), DX_USB_OK);
	CHECK_EQ(bytes[0], 1);
	CHECK_EQ(dx_usb_pipe_io(f.in, bytes, 1024, 0, NULL), DX_USB_STALLED);
	CHECK_EQ(dx_usb_pipe_clear_stall(f.in, false), DX_USB_OK);
	CHECK_EQ(dx_usb_pipe_io(f.in, bytes, 1024, 0, NULL), DX_USB_STALLED);
	CHECK_EQ(dx_usb_pipe_clear_stall(f.in, true), DX_USB_OK);
	CHECK_EQ(dx_usb_pipe_io(f.in, bytes, 1024, 0, NULL), DX_USB_OK);
	tear_down(&f);
	served_stop(served);
}

TEST(far_babble_is_overrun_and_the_rest_waits)
{
	struct served *served = serve(SUPER ",babble-after=1");
	struct fixture f = set_up_far(served, SOURCE_SINK);
	uint8_t bytes[1024] = {0};

	CHECK_EQ(dx_usb_pipe_io(f.in, bytes, 1024, 0, NULL), DX_USB_OK);
	CHECK_EQ(dx_usb_pipe_io(f.in, bytes, 1024, 0, NULL), DX_USB_OVERRUN);
	CHECK_EQ(dx_usb_pipe_clear_stall(f.in, true), DX_USB_OK);
	CHECK_EQ(dx_usb_pipe_io(f.in, bytes, 1024, 0, NULL), DX_USB_OK);
	tear_down(&f);
	served_stop(served);
}

TEST(far_isochronous_packets_have_lengths_and_places)
{
	struct served *served = serve(HIGH ",pattern=1");
	struct fixture f = set_up_far(served, SOURCE_SINK);
	struct dx_usb_iso_frame frames[8] = {0};
	struct dx_usb_pipe *in = NULL, *out = NULL;
	static uint8_t bytes[8 * 1024];
	struct record record = {0};

	CHECK_EQ(dx_usb_interface_select_alternate(f.interface, 1), DX_USB_OK);
	CHECK_EQ(dx_usb_interface_copy_pipe(f.interface, 0x82, &in), DX_USB_OK);
	CHECK_EQ(dx_usb_interface_copy_pipe(f.interface, 0x02, &out), DX_USB_OK);
	for (unsigned i = 0; i < 8; i++) {
		frames[i].request_count = i % 3 == 1 ? 100 : 1024;
	}
	memset(bytes, 0xEE, sizeof(bytes));
	CHECK_EQ(dx_usb_pipe_submit_iso(in, bytes, sizeof(bytes), frames, 8, 0, note, &record), 0);
	run_until(f.device, &record, 1);
	CHECK_EQ(record.entries[0].status, DX_USB_OK);
	for (unsigned i = 0, at = 0; i < 8; at += frames[i++].request_count) {
		CHECK_EQ(frames[i].status, DX_USB_OK);
		CHECK_EQ(frames[i].complete_count, frames[i].request_count);
		CHECK_NE(frames[i].timestamp_ns, 0);
		for (unsigned j = 0; j < frames[i].complete_count; j++) {
			CHECK_EQ(bytes[at + j], j % 63);
		}
	}
	for (unsigned i = 0; i < 8; i++) {
		frames[i].request_count = 63;
	}
	CHECK_EQ(dx_usb_pipe_submit_iso(out, bytes, sizeof(bytes), frames, 8, 0, note, &record), 0);
	run_until(f.device, &record, 2);
	CHECK_EQ(record.entries[1].status, DX_USB_OK);
	CHECK_EQ(frames[7].complete_count, 63);
	(void)dx_usb_pipe_unref(in);
	(void)dx_usb_pipe_unref(out);
	tear_down(&f);
	served_stop(served);
}

TEST(far_second_importer_is_refused_and_the_next_one_is_not)
{
	struct served *served = serve(SUPER);
	struct dx_usb_device *first = attach_far(served_spec(served, 0), -1);
	struct dx_usb_device *second = NULL;
	char message[256] = "";

	CHECK_EQ(dx_usb_device_attach(far_backends, served_spec(served, 0), served_connect(served),
				      message, sizeof(message), &second),
		 -EBUSY);
	CHECK(strstr(message, "somebody else uses it") != NULL);
	CHECK_EQ(dx_usb_device_attach(far_backends, served_spec(served, 0), -1, message,
				      sizeof(message), &second),
		 -ENOENT);
	CHECK(strstr(message, "somebody uses it") != NULL);
	(void)dx_usb_device_unref(first);
	second = attach_far(served_spec(served, 0), -1);
	(void)dx_usb_device_unref(second);
	served_stop(served);
}

TEST(far_device_is_as_new_for_each_importer)
{
	struct served *served = serve(SUPER);

	for (unsigned i = 0; i < 20; i++) {
		struct fixture f = set_up_far(served, i % 2 == 0 ? LOOPBACK : SOURCE_SINK);
		struct record record = {0};
		uint8_t bytes[64] = {0};

		CHECK_EQ(dx_usb_device_configuration(f.device),
			 i % 2 == 0 ? LOOPBACK : SOURCE_SINK);
		CHECK_EQ(dx_usb_pipe_submit(f.in, bytes, 64, 0, note, &record), DX_USB_OK);
		tear_down(&f);
		CHECK_EQ(record.nr, 1);
	}
	served_stop(served);
}

static void set_flag(void *ctx, enum dx_usb_gone_reason reason)
{
	*(int *)ctx = (int)reason + 1;
}

TEST(far_reset_takes_the_device_away_and_it_comes_back)
{
	struct served *served = serve(SUPER);
	struct dx_usb_device *device = attach_far(served_spec(served, 0), -1);
	int gone = 0;

	dx_usb_device_on_gone(device, set_flag, &gone);
	CHECK_EQ(dx_usb_device_reset(device, NULL), DX_USB_OK);
	CHECK_EQ(gone, DX_USB_GONE_RESET + 1);
	(void)dx_usb_device_unref(device);
	device = attach_far(served_spec(served, 0), -1);
	(void)dx_usb_device_unref(device);
	served_stop(served);
}

TEST(far_device_that_leaves_takes_the_link_with_it)
{
	struct served *served = serve(SUPER ",disconnect-after=3");
	struct fixture f = set_up_far(served, SOURCE_SINK);
	static uint8_t bytes[8][1024];
	struct record record = {0};
	int gone = 0;

	dx_usb_device_on_gone(f.device, set_flag, &gone);
	for (unsigned i = 0; i < 8; i++) {
		CHECK_EQ(dx_usb_pipe_submit(f.in, bytes[i], 1024, 0, note, &record), DX_USB_OK);
	}
	run_until(f.device, &record, 8);
	CHECK_EQ(record.entries[7].status, DX_USB_NOT_RESPONDING);
	run_until_gone(f.device);
	tear_down(&f);
	CHECK_EQ(gone, DX_USB_GONE_UNPLUGGED + 1);
	served_stop(served);
}

TEST(far_cancelled_while_in_flight_at_any_moment)
{
	struct served *served = serve(SUPER);
	struct fixture f = set_up_far(served, LOOPBACK);
	static uint8_t bytes[64][1024];

	for (unsigned round = 0; round < 100; round++) {
		struct record record = {0};
		unsigned nr = round % 64 + 1;

		for (unsigned i = 0; i < nr; i++) {
			CHECK_EQ(dx_usb_pipe_submit(f.in, bytes[i], 1024, 0, note, &record), 0);
		}
		for (unsigned i = 0; i < round % 5; i++) {
			(void)dx_usb_pipe_submit(f.out, bytes[i], 1024, 0, note, &record);
			(void)dx_usb_poll(f.device);
		}
		CHECK_EQ(dx_usb_pipe_abort(f.in, true, DX_USB_ABORTED), DX_USB_OK);
		CHECK_EQ(dx_usb_pipe_abort(f.out, true, DX_USB_ABORTED), DX_USB_OK);
		CHECK_EQ(record.nr, nr + round % 5);
	}
	tear_down(&f);
	served_stop(served);
}
