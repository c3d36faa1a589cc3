/* SPDX-License-Identifier: MIT
 *
 * interface - sessions, alternate settings, pipes by address, isochronous and bundled transfers.
 */
#include "fixture.h"

#include <string.h>

TEST(interface_session_is_exclusive)
{
	struct fixture f = set_up("virtual:gadget-zero", SOURCE_SINK);
	struct dx_usb_pipe *pipe = NULL;

	CHECK_EQ(dx_usb_interface_open(f.interface, CLIENT, 0, 0), DX_USB_OK);
	CHECK_EQ(dx_usb_interface_open(f.interface, OTHER_CLIENT, 0, 0), DX_USB_EXCLUSIVE);
	CHECK_EQ(dx_usb_interface_open(f.interface, NULL, 0, 0), DX_USB_BAD_ARGUMENT);
	CHECK_EQ(dx_usb_interface_open(f.interface, CLIENT, 1, 0), DX_USB_BAD_ARGUMENT);
	CHECK_EQ(dx_usb_device_open(f.device, OTHER_CLIENT), DX_USB_OK); /* beside it */
	CHECK_EQ(dx_usb_interface_close(f.interface, OTHER_CLIENT), DX_USB_NOT_OPEN);
	CHECK_EQ(dx_usb_interface_close(f.interface, CLIENT), DX_USB_OK);
	CHECK_EQ(dx_usb_interface_close(f.interface, CLIENT), DX_USB_NOT_OPEN);
	CHECK_EQ(dx_usb_interface_copy_pipe(f.interface, 0x81, &pipe), DX_USB_NOT_OPEN);
	CHECK_EQ(dx_usb_interface_select_alternate(f.interface, 1), DX_USB_NOT_OPEN);
	CHECK_EQ(dx_usb_interface_set_idle_policy(f.interface, 1), DX_USB_NOT_OPEN);
	CHECK_EQ(dx_usb_pipe_io(f.in, NULL, 0, 0, NULL), DX_USB_NOT_OPEN);
	CHECK_EQ(dx_usb_pipe_set_idle_policy(f.in, 1), DX_USB_NOT_OPEN);
	CHECK_EQ(dx_usb_interface_open(f.interface, OTHER_CLIENT, 0, 0), DX_USB_OK);
	tear_down(&f);
}

TEST(interface_open_can_select_an_alternate_setting)
{
	struct fixture f = set_up("virtual:gadget-zero", SOURCE_SINK);
	uint32_t idle = 9;

	CHECK_EQ(dx_usb_interface_close(f.interface, CLIENT), DX_USB_OK);
	CHECK_EQ(dx_usb_interface_open(f.interface, CLIENT, DX_USB_OPEN_SELECT_ALTERNATE, 5),
		 DX_USB_NOT_FOUND);
	CHECK_EQ(dx_usb_interface_close(f.interface, CLIENT), DX_USB_NOT_OPEN);
	CHECK_EQ(dx_usb_interface_open(f.interface, CLIENT, DX_USB_OPEN_SELECT_ALTERNATE, 1),
		 DX_USB_OK);
	CHECK_EQ(dx_usb_interface_alternate(f.interface), 1);
	CHECK_EQ(dx_usb_interface_idle_policy(f.interface, &idle), DX_USB_OK);
	CHECK_EQ(idle, 0);
	CHECK_EQ(dx_usb_interface_set_idle_policy(f.interface, 60), DX_USB_OK);
	CHECK_EQ(dx_usb_interface_idle_policy(f.interface, &idle), DX_USB_OK);
	CHECK_EQ(idle, 60);
	CHECK_EQ(dx_usb_interface_idle_policy(f.interface, NULL), DX_USB_BAD_ARGUMENT);
	tear_down(&f);
}

TEST(interface_alternate_setting_closes_the_pipes)
{
	struct fixture f = set_up("virtual:gadget-zero,hang-after=1", SOURCE_SINK);
	struct record in = {0};
	struct dx_usb_pipe *again = NULL;
	uint8_t bytes[1024];

	CHECK_EQ(dx_usb_interface_copy_pipe(f.interface, 0x82, &again), DX_USB_NOT_FOUND);
	CHECK_EQ(dx_usb_interface_copy_pipe(f.interface, 0x81, NULL), DX_USB_BAD_ARGUMENT);
	CHECK_EQ(dx_usb_interface_copy_pipe(f.interface, 0x81, &again), DX_USB_OK);
	CHECK(again == f.in);
	(void)dx_usb_pipe_unref(again);
	CHECK_EQ(dx_usb_pipe_io(f.in, bytes, 1024, 0, NULL), DX_USB_OK);
	CHECK_EQ(dx_usb_pipe_submit(f.in, bytes, 1024, 0, note, &in), DX_USB_OK);
	CHECK_EQ(dx_usb_interface_select_alternate(f.interface, 3), DX_USB_NOT_FOUND);
	CHECK_EQ(dx_usb_interface_select_alternate(f.interface, 1), DX_USB_OK);
	CHECK_EQ(in.nr, 1);
	CHECK_EQ(in.entries[0].status, DX_USB_ABORTED);
	CHECK_EQ(dx_usb_pipe_submit(f.in, bytes, 1024, 0, note, &in), DX_USB_NOT_OPEN);
	CHECK_EQ(dx_usb_interface_copy_pipe(f.interface, 0x81, &again), DX_USB_OK);
	CHECK(again != f.in);
	CHECK_EQ(dx_usb_pipe_io(again, bytes, 1024, 0, NULL), DX_USB_OK);
	CHECK_NE(dx_usb_interface_descriptor_offset(f.interface), 0);
	(void)dx_usb_pipe_unref(again);
	tear_down(&f);
}

TEST(interface_many_alternate_settings_keep_nothing)
{
	struct fixture f = set_up("virtual:gadget-zero", SOURCE_SINK);

	for (unsigned i = 0; i < 200; i++) {
		struct dx_usb_pipe *pipe = NULL;
		uint8_t bytes[1024];

		CHECK_EQ(dx_usb_interface_select_alternate(f.interface, i & 1), DX_USB_OK);
		CHECK_EQ(dx_usb_interface_copy_pipe(f.interface, 0x81, &pipe), DX_USB_OK);
		CHECK_EQ(dx_usb_pipe_io(pipe, bytes, 1024, 0, NULL), DX_USB_OK);
		(void)dx_usb_pipe_unref(pipe);
	}
	tear_down(&f);
}

/* ---- isochronous ---- */

static struct dx_usb_pipe *iso_pipe(struct fixture *f, uint8_t address)
{
	struct dx_usb_pipe *pipe = NULL;

	CHECK_EQ(dx_usb_interface_select_alternate(f->interface, 1), DX_USB_OK);
	CHECK_EQ(dx_usb_interface_copy_pipe(f->interface, address, &pipe), DX_USB_OK);
	return pipe;
}

TEST(iso_frames_come_back_with_counts_and_times)
{
	struct fixture f = set_up("virtual:gadget-zero,pattern=1,speed=high", SOURCE_SINK);
	struct dx_usb_pipe *pipe = iso_pipe(&f, 0x82);
	struct dx_usb_iso_frame frames[8] = {0};
	struct record record = {0};
	uint8_t bytes[8 * 200];
	uint64_t frame = 0;

	for (unsigned i = 0; i < 8; i++) {
		frames[i].request_count = i == 3 ? 0 : 200;
	}
	CHECK_EQ(dx_usb_device_frame_number(f.device, &frame, NULL), DX_USB_OK);
	CHECK_EQ(dx_usb_pipe_submit_iso(pipe, bytes, sizeof(bytes), frames, 8, frame + 5, note,
					&record),
		 DX_USB_OK);
	CHECK_EQ(frames[7].status, DX_USB_INVALID);
	CHECK_EQ(dx_usb_poll(f.device), 0);
	(void)poll_for(f.device, 1000);
	CHECK_EQ(record.nr, 1);
	CHECK_EQ(record.entries[0].status, DX_USB_OK);
	CHECK_EQ(record.entries[0].actual, 1400);
	for (unsigned i = 0; i < 8; i++) {
		CHECK_EQ(frames[i].status, DX_USB_OK);
		CHECK_EQ(frames[i].complete_count, i == 3 ? 0 : 200);
		CHECK(i == 0 || frames[i].timestamp_ns == frames[i - 1].timestamp_ns + 1000000);
	}
	CHECK_EQ(bytes[62], 62);
	CHECK_EQ(bytes[63], 0);
	(void)dx_usb_pipe_unref(pipe);
	tear_down(&f);
}

TEST(iso_refuses_frames_too_old_too_new_too_long)
{
	struct fixture f = set_up("virtual:gadget-zero", SOURCE_SINK);
	struct dx_usb_pipe *pipe = iso_pipe(&f, 0x02);
	struct dx_usb_iso_frame frames[2] = {{.request_count = 100}, {.request_count = 100}};
	struct dx_usb_endpoint_descriptors descriptors = {0};
	struct record record = {0};
	uint8_t bytes[200] = {0};
	uint64_t frame = 0;

	CHECK_EQ(dx_usb_device_frame_number(f.device, &frame, NULL), DX_USB_OK);
	CHECK_EQ(dx_usb_pipe_submit_iso(pipe, bytes, 200, frames, 2, 1, note, &record),
		 DX_USB_ISO_TOO_OLD);
	CHECK_EQ(dx_usb_pipe_submit_iso(pipe, bytes, 200, frames, 2, frame + 5000, note, &record),
		 DX_USB_ISO_TOO_NEW);
	CHECK_EQ(dx_usb_pipe_submit_iso(pipe, bytes, 199, frames, 2, 0, note, &record),
		 DX_USB_BAD_ARGUMENT);
	CHECK_EQ(dx_usb_pipe_submit_iso(pipe, bytes, 200, frames, 0, 0, note, &record),
		 DX_USB_BAD_ARGUMENT);
	CHECK_EQ(dx_usb_pipe_submit_iso(pipe, bytes, 200, NULL, 2, 0, note, &record),
		 DX_USB_BAD_ARGUMENT);
	frames[0].request_count = UINT32_MAX;
	CHECK_EQ(dx_usb_pipe_submit_iso(pipe, bytes, 200, frames, 2, 0, NULL, NULL),
		 DX_USB_BAD_ARGUMENT);
	CHECK_EQ(dx_usb_pipe_submit(pipe, bytes, 200, 0, note, &record), DX_USB_BAD_ARGUMENT);
	CHECK_EQ(dx_usb_pipe_set_idle_policy(pipe, 100), DX_USB_UNSUPPORTED);
	CHECK_EQ(record.nr, 0);

	CHECK_EQ(dx_usb_pipe_descriptors(pipe, true, &descriptors), DX_USB_OK);
	CHECK_EQ(descriptors.endpoint[2], 0x02);
	CHECK_EQ(descriptors.ss_companion[0], 6);
	CHECK_EQ(descriptors.bcdUSB, 0x0300);
	descriptors.endpoint[4] = 0;
	descriptors.endpoint[5] = 2; /* 512 */
	CHECK_EQ(dx_usb_pipe_adjust(pipe, &descriptors), DX_USB_OK);
	descriptors.endpoint[5] = 5;
	CHECK_EQ(dx_usb_pipe_adjust(pipe, &descriptors), DX_USB_BAD_ARGUMENT);
	descriptors.endpoint[5] = 2;
	descriptors.bcdUSB = 0x0301;
	CHECK_EQ(dx_usb_pipe_adjust(pipe, &descriptors), DX_USB_BAD_ARGUMENT);
	CHECK_EQ(dx_usb_pipe_adjust(f.in, &descriptors), DX_USB_UNSUPPORTED);
	CHECK_EQ(dx_usb_pipe_descriptors(pipe, false, &descriptors), DX_USB_OK);
	CHECK_EQ(dx_usb_get16(descriptors.endpoint + 4), 512);
	(void)dx_usb_pipe_unref(pipe);
	tear_down(&f);
}

TEST(iso_abort_keeps_the_frames_that_happened)
{
	struct fixture f = set_up("virtual:gadget-zero,speed=full", SOURCE_SINK);
	struct dx_usb_pipe *pipe = iso_pipe(&f, 0x82);
	struct dx_usb_iso_frame frames[100];
	struct record record = {0};
	static uint8_t bytes[100 * 64];
	uint64_t before_ns = dx_clock_now_ns();

	for (unsigned i = 0; i < 100; i++) {
		frames[i] = (struct dx_usb_iso_frame){.request_count = 64};
	}
	CHECK_EQ(dx_usb_pipe_submit_iso(pipe, bytes, sizeof(bytes), frames, 100, 0, note, &record),
		 DX_USB_OK);
	while (dx_clock_now_ns() < before_ns + 20000000) { /* two intervals of 8 ms */
	}
	CHECK_EQ(dx_usb_pipe_abort(pipe, true, DX_USB_ABORTED), DX_USB_OK);
	CHECK_EQ(record.nr, 1);
	CHECK_EQ(record.entries[0].status, DX_USB_ABORTED);
	CHECK_GE(record.entries[0].actual, 128);
	CHECK_EQ(frames[0].status, DX_USB_OK);
	CHECK_EQ(frames[99].status, DX_USB_ABORTED);
	CHECK_EQ(dx_usb_pipe_submit_iso(pipe, bytes, 64, frames, 1, 0, NULL, NULL), DX_USB_OK);
	CHECK_EQ(frames[0].complete_count, 64);
	(void)dx_usb_pipe_unref(pipe);
	tear_down(&f);
}

/* ---- bundles ---- */

struct bundle {
	unsigned nr_calls;
	uint32_t next;
	uint32_t size;
	uint32_t total;
	int32_t status;
};

static void note_bundle(void *ctx, uint32_t index, uint32_t count, const uint32_t *actual,
			const int32_t *statuses)
{
	struct bundle *bundle = ctx;

	CHECK_EQ(index, bundle->next);
	CHECK_GE(count, 1);
	CHECK_LE(count, 16);
	for (uint32_t i = 0; i < count; i++) {
		bundle->total += actual[i];
		bundle->status = statuses[i];
	}
	bundle->nr_calls++;
	bundle->next = (index + count) % bundle->size;
}

TEST(bundle_completes_neighbours_in_one_call)
{
	struct fixture f = set_up("virtual:gadget-zero", SOURCE_SINK);
	struct bundle bundle = {.size = 20};
	static uint8_t bytes[20][2048];
	uint32_t lengths[17];
	uint32_t accepted = 99;

	for (unsigned i = 0; i < 17; i++) {
		lengths[i] = 1024;
	}
	CHECK_EQ(dx_usb_pipe_set_ring_entry(f.in, 0, bytes, 2048), DX_USB_NOT_READY);
	CHECK_EQ(dx_usb_pipe_submit_bundle(f.in, 0, 1, lengths, 0, note_bundle, &bundle,
					   &accepted),
		 DX_USB_NOT_READY);
	CHECK_EQ(accepted, 0);
	CHECK_EQ(dx_usb_pipe_create_ring(f.in, 0), DX_USB_BAD_ARGUMENT);
	CHECK_EQ(dx_usb_pipe_create_ring(f.in, 20), DX_USB_OK);
	CHECK_EQ(dx_usb_pipe_create_ring(f.in, 20), DX_USB_BUSY);
	CHECK_EQ(dx_usb_pipe_set_ring_entry(f.in, 20, bytes, 1), DX_USB_BAD_ARGUMENT);
	CHECK_EQ(dx_usb_pipe_set_ring_entry(f.in, 0, NULL, 1), DX_USB_BAD_ARGUMENT);
	for (uint32_t i = 0; i < 19; i++) {
		CHECK_EQ(dx_usb_pipe_set_ring_entry(f.in, i, bytes[i], 2048), DX_USB_OK);
	}
	CHECK_EQ(dx_usb_pipe_submit_bundle(f.in, 18, 2, lengths, 0, note_bundle, &bundle,
					   &accepted),
		 DX_USB_BAD_ARGUMENT); /* the second one is not set */
	CHECK_EQ(accepted, 1);
	CHECK_EQ(dx_usb_pipe_set_ring_entry(f.in, 18, bytes[0], 1), DX_USB_BUSY);
	bundle.next = 18;
	CHECK_EQ(dx_usb_poll(f.device), 1);
	CHECK_EQ(dx_usb_pipe_set_ring_entry(f.in, 19, bytes[19], 2048), DX_USB_OK);
	CHECK_EQ(dx_usb_pipe_submit_bundle(f.in, 19, 16, lengths, 0, note_bundle, &bundle,
					   &accepted),
		 DX_USB_OK); /* wraps */
	CHECK_EQ(accepted, 16);
	CHECK_EQ(dx_usb_pipe_submit_bundle(f.in, 0, 1, lengths, 0, note_bundle, &bundle,
					   &accepted),
		 DX_USB_BUSY);
	CHECK_EQ(dx_usb_pipe_submit_bundle(f.in, 0, 17, lengths, 0, note_bundle, &bundle,
					   &accepted),
		 DX_USB_BAD_ARGUMENT);
	CHECK_EQ(dx_usb_pipe_submit_bundle(f.in, 0, 1, lengths, 0, NULL, NULL, &accepted),
		 DX_USB_BAD_ARGUMENT);
	lengths[0] = 4096;
	CHECK_EQ(dx_usb_pipe_submit_bundle(f.in, 16, 1, lengths, 0, note_bundle, &bundle,
					   &accepted),
		 DX_USB_BAD_ARGUMENT);
	CHECK_EQ(dx_usb_poll(f.device), 1);
	CHECK_EQ(bundle.nr_calls, 2);
	CHECK_EQ(bundle.next, 15);
	CHECK_EQ(bundle.total, 17 * 1024);
	CHECK_EQ(bundle.status, DX_USB_OK);
	tear_down(&f);
}
