/* SPDX-License-Identifier: MIT
 *
 * libusb_transfer_test - the data path of the libusb backend: results, errors, cancelling, unplugging,
 * and what is sent when (L3, L4, L5 of backend/libusb/state.h).
 */
#include "libusb_fixture.h"

#include <limits.h>
#include <stdlib.h>

#include "base/clock.h"

#define OUT 0x01
#define IN  0x81
#define INT 0x82
#define ISO 0x83

static uint8_t data[8][1024];

TEST(transfer_uses_the_memory_in_place)
{
	struct fixture f;
	struct dx_usb_transfer in = bulk(IN, data[0], 1000);
	struct dx_usb_transfer out = bulk(OUT, data[1], 0);

	fixture_open(&f);
	submit(&f, &in);
	submit(&f, &out);
	CHECK_EQ(fake.nr_flying, 2);
	CHECK(fake.flying[0]->buffer == data[0]);
	CHECK_EQ(fake.flying[0]->length, 1000);
	CHECK_EQ(fake.flying[0]->endpoint, IN);
	CHECK_EQ(fake.flying[0]->type, LIBUSB_TRANSFER_TYPE_BULK);
	CHECK_EQ(fake.flying[1]->length, 0);
	CHECK(!fixture_has_event(&f));
	fake_end(1, LIBUSB_TRANSFER_COMPLETED, 0);
	CHECK(fixture_has_event(&f));
	fixture_poll(&f);
	CHECK(!fixture_has_event(&f));
	CHECK_EQ(f.log.nr_completed, 1);
	CHECK(f.log.completed[0] == &out);
	CHECK_EQ(out.status, DX_USB_OK);
	fake_end(0, LIBUSB_TRANSFER_COMPLETED, 12);
	fixture_wait(&f, 2);
	CHECK_EQ(in.status, DX_USB_OK);
	CHECK_EQ(in.actual, 12);
	CHECK_EQ(ops->next_deadline_ns(f.backend), UINT64_MAX);
	fixture_close(&f);
}

TEST(transfer_results_have_their_codes)
{
	static const struct {
		enum libusb_transfer_status from;
		int32_t to;
	} codes[] = {
		{LIBUSB_TRANSFER_COMPLETED, DX_USB_OK},
		{LIBUSB_TRANSFER_ERROR, DX_USB_IO_ERROR},
		{LIBUSB_TRANSFER_TIMED_OUT, DX_USB_TIMEOUT},
		{LIBUSB_TRANSFER_CANCELLED, DX_USB_ABORTED},
		{LIBUSB_TRANSFER_STALL, DX_USB_STALLED},
		{LIBUSB_TRANSFER_OVERFLOW, DX_USB_OVERRUN},
		{(enum libusb_transfer_status)99, DX_USB_IO_ERROR},
	};

	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
		struct fixture f;
		struct dx_usb_transfer in = bulk(IN, data[0], 1024);

		fixture_open(&f);
		submit(&f, &in);
		fake_end(0, codes[i].from, 100);
		fixture_wait(&f, 1);
		CHECK_EQ(in.status, codes[i].to);
		CHECK_EQ(in.actual, 100);
		fixture_close(&f);
	}
}

TEST(transfer_lengths_are_clamped)
{
	struct fixture f;
	struct dx_usb_transfer in[2] = {bulk(IN, data[0], 100), bulk(IN, data[1], 100)};

	fixture_open(&f);
	submit(&f, &in[0]);
	submit(&f, &in[1]);
	fake_end(0, LIBUSB_TRANSFER_COMPLETED, 101);
	fake_end(1, LIBUSB_TRANSFER_COMPLETED, -1);
	fixture_wait(&f, 2);
	CHECK_EQ(in[0].actual, 100);
	CHECK_EQ(in[1].actual, 0);
	fixture_close(&f);
}

TEST(transfer_that_cannot_be_is_refused)
{
	static const struct {
		int code;
		int saved_errno;
		int result;
	} refusals[] = {
		{LIBUSB_ERROR_NO_DEVICE, 0, -ENODEV},	{LIBUSB_ERROR_NO_MEM, 0, -ENOMEM},
		{LIBUSB_ERROR_INVALID_PARAM, 0, -EINVAL}, {LIBUSB_ERROR_BUSY, 0, -EBUSY},
		{LIBUSB_ERROR_NOT_SUPPORTED, 0, -EOPNOTSUPP}, {LIBUSB_ERROR_IO, ENOENT, -ENOENT},
		{LIBUSB_ERROR_IO, ENOSPC, -ENOSPC},	{LIBUSB_ERROR_IO, EFAULT, -EIO},
		{LIBUSB_ERROR_OTHER, 0, -EIO},
	};
	struct fixture f;
	struct dx_usb_transfer in = bulk(IN, data[0], 100);
	struct dx_usb_transfer huge = bulk(IN, data[0], INT_MAX);
	struct dx_usb_transfer control = {.type = DX_USB_CONTROL, .data = data[0], .length = 4097};

	fixture_open(&f);
	for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
		fake.fail[FAKE_SUBMIT] = refusals[i].code;
		fake.fail_errno = refusals[i].saved_errno;
		CHECK_EQ(ops->submit(f.backend, &in), refusals[i].result);
	}
	CHECK_EQ(ops->submit(f.backend, &huge), -EINVAL);
	CHECK_EQ(ops->submit(f.backend, &control), -EINVAL);
	CHECK_EQ(fake.nr_flying, 0);
	fixture_poll(&f);
	CHECK_EQ(f.log.nr_completed, 0);
	fixture_close(&f);
}

TEST(control_transfer_carries_its_setup_and_data)
{
	struct fixture f;
	struct dx_usb_transfer out = {.type = DX_USB_CONTROL,
				      .setup = {0x40, 0x5b, 1, 0, 2, 0, 3, 0},
				      .data = data[0],
				      .length = 3};
	struct dx_usb_transfer in = {.type = DX_USB_CONTROL,
				     .setup = {0xc0, 0x5c, 1, 0, 2, 0, 3, 0},
				     .data = data[1],
				     .length = 3};

	fixture_open(&f);
	memcpy(data[0], "abc", 3);
	memset(data[1], 0, 4);
	submit(&f, &out);
	CHECK_EQ(fake.flying[0]->length, 11);
	CHECK_EQ(fake.flying[0]->type, LIBUSB_TRANSFER_TYPE_CONTROL);
	CHECK_MEM_EQ(fake.flying[0]->buffer, out.setup, 8);
	CHECK_MEM_EQ(fake.flying[0]->buffer + 8, "abc", 3);
	fake_end(0, LIBUSB_TRANSFER_COMPLETED, 3);
	fixture_wait(&f, 1);
	submit(&f, &in);
	memcpy(fake.flying[0]->buffer + 8, "xyz", 3);
	fake_end(0, LIBUSB_TRANSFER_COMPLETED, 2);
	fixture_wait(&f, 2);
	CHECK_EQ(in.actual, 2);
	CHECK_MEM_EQ(data[1], "xy\0", 3);
	/* A stalled control request halts nothing. */
	submit(&f, &in);
	fake_end(0, LIBUSB_TRANSFER_STALL, 0);
	fixture_wait(&f, 3);
	CHECK_EQ(in.status, DX_USB_STALLED);
	submit(&f, &out);
	CHECK_EQ(fake.nr_flying, 1);
	fake_end(0, LIBUSB_TRANSFER_COMPLETED, 3);
	fixture_wait(&f, 4);
	fixture_close(&f);
}

TEST(transfers_of_a_kind_share_a_pool)
{
	struct fixture f;
	struct dx_usb_transfer in[4];

	fixture_open(&f);
	for (unsigned round = 0; round < 10; round++) {
		for (unsigned i = 0; i < 4; i++) {
			in[i] = bulk(IN, data[i], 1024);
			submit(&f, &in[i]);
		}
		for (unsigned i = 0; i < 4; i++) {
			fake_end(i, LIBUSB_TRANSFER_COMPLETED, 1);
		}
		f.log.nr_completed = 0;
		fixture_wait(&f, 4);
	}
	CHECK_EQ(fake.nr_allocated, 4);
	fixture_close(&f);
}

TEST(memory_of_the_controller_is_libusbs)
{
	struct fixture f;
	void *base = NULL;

	fixture_open(&f);
	CHECK_EQ(ops->buffer_alloc(f.backend, 8192, &base), 0);
	CHECK_EQ(fake.last_argument[FAKE_MEMORY], 8192);
	free(base);
	fake.fail[FAKE_MEMORY] = 1;
	base = NULL;
	CHECK_EQ(ops->buffer_alloc(f.backend, 8192, &base), -ENOMEM);
	CHECK(base == NULL);
	fixture_close(&f);
}

/* ---- isochronous ---- */

static struct dx_usb_transfer iso(struct dx_usb_packet *packets, uint32_t nr, uint64_t frame)
{
	struct dx_usb_transfer transfer = {.type = DX_USB_ISOCHRONOUS,
					   .endpoint = ISO,
					   .data = data[0],
					   .length = 1024,
					   .nr_packets = nr,
					   .packets = packets,
					   .first_frame = frame};

	return transfer;
}

TEST(iso_packets_have_their_own_results)
{
	struct fixture f;
	struct dx_usb_packet packets[4] = {{.length = 100, .status = DX_USB_INVALID},
					   {.length = 200, .status = DX_USB_INVALID},
					   {.length = 300, .status = DX_USB_INVALID},
					   {.length = 50, .status = DX_USB_INVALID}};
	struct dx_usb_transfer in = iso(packets, 4, 0);
	struct libusb_transfer *flying = NULL;

	fixture_open(&f);
	in.interval_ns = 1000000;
	submit(&f, &in);
	flying = fake.flying[0];
	CHECK_EQ(flying->num_iso_packets, 4);
	CHECK_EQ(flying->iso_packet_desc[1].length, 200);
	flying->iso_packet_desc[0].actual_length = 100;
	flying->iso_packet_desc[1].status = LIBUSB_TRANSFER_ERROR;
	flying->iso_packet_desc[2].status = LIBUSB_TRANSFER_OVERFLOW;
	flying->iso_packet_desc[2].actual_length = 301;
	fake_end(0, LIBUSB_TRANSFER_COMPLETED, 0);
	fixture_wait(&f, 1);
	CHECK_EQ(in.status, DX_USB_OK);
	CHECK_EQ(in.actual, 400);
	CHECK_EQ(packets[0].status, DX_USB_OK);
	CHECK_EQ(packets[0].actual, 100);
	CHECK_EQ(packets[1].status, DX_USB_IO_ERROR);
	CHECK_EQ(packets[2].status, DX_USB_OVERRUN);
	CHECK_EQ(packets[2].actual, 300);
	CHECK_EQ(packets[3].status, DX_USB_OK);
	for (unsigned i = 1; i < 4; i++) {
		CHECK_EQ(packets[i].timestamp_ns - packets[i - 1].timestamp_ns, 1000000);
	}
	fixture_close(&f);
}

TEST(iso_packets_that_were_not_reached_share_the_end_of_the_transfer)
{
	struct fixture f;
	struct dx_usb_packet packets[2] = {{.length = 100}, {.length = 100}};
	struct dx_usb_transfer in = iso(packets, 2, 0);

	fixture_open(&f);
	submit(&f, &in);
	fake.flying[0]->iso_packet_desc[0].actual_length = 100;
	cancel(&f, &in);
	fixture_wait(&f, 1);
	CHECK_EQ(in.status, DX_USB_ABORTED);
	CHECK_EQ(packets[0].status, DX_USB_OK);
	CHECK_EQ(packets[1].status, DX_USB_ABORTED);
	fixture_close(&f);
}

TEST(iso_frames_are_neither_past_nor_far_ahead)
{
	struct fixture f;
	struct dx_usb_packet packets[40] = {{0}};
	struct dx_usb_transfer in = iso(packets, 1, 1);
	uint64_t frame = 0;
	uint64_t time_ns = 0;

	fixture_open(&f);
	CHECK_EQ(ops->frame_number(f.backend, &frame, &time_ns), 0);
	CHECK_LE(time_ns, dx_clock_now_ns());
	CHECK_EQ(ops->submit(f.backend, &in), -ESTALE);
	in.first_frame = frame + 1000000;
	CHECK_EQ(ops->submit(f.backend, &in), -ERANGE);
	in.first_frame = frame + 900; /* far enough for this test to get there */
	submit(&f, &in);
	fake_end(0, LIBUSB_TRANSFER_COMPLETED, 0);
	fixture_wait(&f, 1);
	/* More packets than any before: another one is allocated, and the first goes. */
	in = iso(packets, 40, 0);
	submit(&f, &in);
	CHECK_EQ(fake.nr_allocated, 2);
	CHECK_EQ(fake.flying[0]->num_iso_packets, 40);
	fake_end(0, LIBUSB_TRANSFER_ERROR, 0);
	fixture_wait(&f, 2);
	CHECK_EQ(in.status, DX_USB_IO_ERROR);
	CHECK_EQ(packets[39].status, DX_USB_IO_ERROR);
	/* An error halts no isochronous endpoint. */
	submit(&f, &in);
	CHECK_EQ(fake.nr_flying, 1);
	cancel(&f, &in);
	fixture_wait(&f, 3);
	fixture_close(&f);
}

/* ---- cancelling ---- */

TEST(cancel_ends_what_is_in_flight_in_poll)
{
	struct fixture f;
	struct dx_usb_transfer in = bulk(IN, data[0], 1024);

	fixture_open(&f);
	submit(&f, &in);
	cancel(&f, &in);
	CHECK_EQ(f.log.nr_completed, 0);
	cancel(&f, &in); /* again: nothing happens */
	fixture_wait(&f, 1);
	CHECK_EQ(in.status, DX_USB_ABORTED);
	fixture_close(&f);
}

TEST(cancel_that_comes_too_late_changes_nothing)
{
	struct fixture f;
	struct dx_usb_transfer in = bulk(IN, data[0], 1024);

	fixture_open(&f);
	submit(&f, &in);
	fake_end(0, LIBUSB_TRANSFER_COMPLETED, 7);
	fake.fail[FAKE_CANCEL] = LIBUSB_ERROR_NOT_FOUND;
	cancel(&f, &in);
	fixture_wait(&f, 1);
	CHECK_EQ(in.status, DX_USB_OK);
	CHECK_EQ(in.actual, 7);
	fixture_close(&f);
}

/* ---- errors ---- */

/* Four in flight, the first stalls. */
static void stall_first(struct fixture *f, struct dx_usb_transfer *in)
{
	fixture_open(f);
	for (unsigned i = 0; i < 4; i++) {
		in[i] = bulk(IN, data[i], 1024);
		submit(f, &in[i]);
	}
	fake_end(0, LIBUSB_TRANSFER_STALL, 0);
}

TEST(error_takes_back_what_is_queued_and_keeps_it_in_order)
{
	struct fixture f;
	struct dx_usb_transfer in[5];

	stall_first(&f, in);
	fixture_wait(&f, 1);
	CHECK_EQ(in[0].status, DX_USB_STALLED);
	CHECK_EQ(fake.nr_calls[FAKE_CANCEL], 3);
	fixture_poll(&f);
	CHECK_EQ(f.log.nr_completed, 1);
	CHECK_EQ(fake.nr_flying, 0);
	in[4] = bulk(IN, data[4], 1024);
	submit(&f, &in[4]);
	CHECK_EQ(fake.nr_flying, 0); /* B6 */
	in[0].backend_words[2] = 0;
	CHECK_EQ(ops->clear_halt(f.backend, IN, true, &in[0]), 0);
	fixture_wait(&f, 2);
	CHECK_EQ(in[0].status, DX_USB_OK);
	CHECK_EQ(fake.last_argument[FAKE_CLEAR_HALT], IN);
	fixture_poll(&f);
	CHECK_EQ(fake.nr_flying, 4);
	for (unsigned i = 0; i < 4; i++) {
		CHECK(fake.flying[i]->buffer == data[i + 1]);
		fake_end(i, LIBUSB_TRANSFER_COMPLETED, (int)i);
	}
	fixture_wait(&f, 6);
	fixture_close(&f);
}

/* The kernel was faster: those behind the error have ended, each in its own way. */
TEST(error_leaves_what_has_moved_bytes_with_its_result)
{
	struct fixture f;
	struct dx_usb_transfer in[4];

	stall_first(&f, in);
	fake_end(1, LIBUSB_TRANSFER_COMPLETED, 9); /* was sent all the same */
	fake_end(2, LIBUSB_TRANSFER_CANCELLED, 5); /* stopped in the middle */
	fake_end(3, LIBUSB_TRANSFER_STALL, 0);	   /* the device was halted */
	fixture_wait(&f, 3);
	CHECK_EQ(in[1].status, DX_USB_OK);
	CHECK_EQ(in[2].status, DX_USB_STALLED);
	CHECK_EQ(in[2].actual, 5);
	cancel(&f, &in[3]); /* it waits, so it ends at once */
	CHECK_EQ(f.log.nr_completed, 4);
	CHECK_EQ(in[3].status, DX_USB_ABORTED);
	fixture_close(&f);
}

TEST(error_recalls_come_back_in_any_order)
{
	struct fixture f;
	struct dx_usb_transfer in[4];
	struct dx_usb_transfer done = {.type = DX_USB_CONTROL};

	stall_first(&f, in);
	/* Cancelling does not work at once: two stay, the last comes first. */
	fake_end(3, LIBUSB_TRANSFER_CANCELLED, 0);
	fake.fail[FAKE_CANCEL] = LIBUSB_ERROR_OTHER;
	fixture_poll(&f);
	while (fake.nr_flying != 0) {
		fake_end(fake.nr_flying - 1, LIBUSB_TRANSFER_CANCELLED, 0);
		fixture_poll(&f);
	}
	dx_list_init(&done.link);
	CHECK_EQ(ops->clear_halt(f.backend, IN, true, &done), 0);
	fixture_wait(&f, 2);
	CHECK_EQ(fake.nr_flying, 3);
	for (unsigned i = 0; i < 3; i++) {
		CHECK(fake.flying[i]->buffer == data[i + 1]);
	}
	fake_unplug();
	fixture_wait(&f, 5);
	fixture_close(&f);
}

TEST(error_ends_recalled_ones_that_are_cancelled)
{
	struct fixture f;
	struct dx_usb_transfer in[4];

	stall_first(&f, in);
	in[2].cancelled = true; /* by the stack, before it has heard of the error */
	fixture_wait(&f, 2);
	CHECK_EQ(in[2].status, DX_USB_ABORTED);
	for (unsigned i = 1; i < 4; i += 2) {
		cancel(&f, &in[i]);
	}
	CHECK_EQ(f.log.nr_completed, 4);
	fixture_close(&f);
}

TEST(error_of_one_endpoint_stops_no_other)
{
	struct fixture f;
	struct dx_usb_transfer in = bulk(IN, data[0], 1024);
	struct dx_usb_transfer out = bulk(OUT, data[1], 1024);

	fixture_open(&f);
	submit(&f, &out);
	submit(&f, &in);
	fake_end(1, LIBUSB_TRANSFER_OVERFLOW, 1024);
	fixture_wait(&f, 1);
	CHECK_EQ(in.status, DX_USB_OVERRUN);
	CHECK_EQ(fake.nr_flying, 1);
	CHECK_EQ(fake.nr_calls[FAKE_CANCEL], 0);
	fake_end(0, LIBUSB_TRANSFER_COMPLETED, 1024);
	fixture_wait(&f, 2);
	submit(&f, &out);
	CHECK_EQ(fake.nr_flying, 1);
	cancel(&f, &out);
	fixture_wait(&f, 3);
	fixture_close(&f);
}

TEST(error_is_forgotten_by_a_new_session)
{
	struct fixture f;
	struct dx_usb_transfer in = bulk(IN, data[0], 1024);

	fixture_open(&f);
	submit(&f, &in);
	fake_end(0, LIBUSB_TRANSFER_STALL, 0);
	fixture_wait(&f, 1);
	CHECK_EQ(ops->claim(f.backend, 0), 0);
	submit(&f, &in);
	CHECK_EQ(fake.nr_flying, 1);
	cancel(&f, &in);
	fixture_wait(&f, 2);
	fixture_close(&f);
}

/* ---- no memory ---- */

TEST(transfers_over_the_kernels_limit_wait_for_those_before)
{
	struct fixture f;
	struct dx_usb_transfer in[4];

	fixture_open(&f);
	fake.limit = 2;
	for (unsigned i = 0; i < 4; i++) {
		in[i] = bulk(IN, data[i], 1024);
		submit(&f, &in[i]);
	}
	CHECK_EQ(fake.nr_flying, 2);
	CHECK_EQ(fake.nr_calls[FAKE_SUBMIT], 3); /* the fourth did not try */
	fake_end(0, LIBUSB_TRANSFER_COMPLETED, 1);
	fixture_wait(&f, 1);
	CHECK_EQ(fake.nr_flying, 2);
	CHECK(fake.flying[1]->buffer == data[2]);
	fake_end(0, LIBUSB_TRANSFER_COMPLETED, 1);
	fake_end(1, LIBUSB_TRANSFER_COMPLETED, 1);
	fixture_wait(&f, 3);
	CHECK(fake.flying[0]->buffer == data[3]);
	fake_end(0, LIBUSB_TRANSFER_COMPLETED, 1);
	fixture_wait(&f, 4);
	fixture_close(&f);
}

TEST(transfer_that_waited_in_vain_is_completed_with_the_reason)
{
	static const struct {
		int code;
		int saved_errno;
		int32_t status;
	} reasons[] = {
		{LIBUSB_ERROR_NO_DEVICE, 0, DX_USB_NOT_RESPONDING},
		{LIBUSB_ERROR_IO, ENOENT, DX_USB_NOT_FOUND},
		{LIBUSB_ERROR_IO, ENOSPC, DX_USB_NO_BANDWIDTH},
		{LIBUSB_ERROR_IO, EBUSY, DX_USB_EXCLUSIVE},
		{LIBUSB_ERROR_INVALID_PARAM, 0, DX_USB_BAD_ARGUMENT},
		{LIBUSB_ERROR_NO_MEM, 0, DX_USB_NO_MEMORY},
		{LIBUSB_ERROR_OTHER, 0, DX_USB_IO_ERROR},
	};

	for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++) {
		struct fixture f;
		struct dx_usb_transfer in[2] = {bulk(IN, data[0], 1024), bulk(IN, data[1], 1024)};

		fixture_open(&f);
		fake.limit = 1;
		submit(&f, &in[0]);
		submit(&f, &in[1]);
		fake_end(0, LIBUSB_TRANSFER_COMPLETED, 1);
		fake.fail[FAKE_SUBMIT] = reasons[i].code;
		fake.fail_errno = reasons[i].saved_errno;
		fixture_wait(&f, 2);
		CHECK_EQ(in[1].status, reasons[i].status);
		fixture_close(&f);
		fake.limit = 0;
	}
}

/* ---- unplugging ---- */

TEST(unplug_completes_everything_then_tells)
{
	struct fixture f;
	struct dx_usb_transfer in[4];
	struct dx_usb_transfer late = bulk(OUT, data[5], 10);

	stall_first(&f, in);
	fixture_wait(&f, 1);
	fixture_poll(&f); /* three wait */
	submit(&f, &late);
	fake_unplug();
	fixture_wait(&f, 5);
	CHECK_EQ(f.log.nr_gone, 1);
	CHECK_EQ(f.log.nr_completed_at_gone, 5);
	for (unsigned i = 1; i < 4; i++) {
		CHECK_EQ(in[i].status, DX_USB_NOT_RESPONDING);
	}
	CHECK_EQ(late.status, DX_USB_NOT_RESPONDING);
	CHECK_EQ(ops->submit(f.backend, &late), -ENODEV);
	CHECK_EQ(ops->claim(f.backend, 0), -ENODEV);
	CHECK_EQ(ops->clear_halt(f.backend, IN, true, &in[0]), -ENODEV);
	fixture_poll(&f);
	CHECK_EQ(f.log.nr_gone, 1);
	CHECK(!ops->is_ready(f.backend));
	CHECK(!fixture_has_event(&f));
	fixture_close(&f);
}

TEST(unplug_of_an_idle_device_is_told)
{
	struct fixture f;

	fixture_open(&f);
	fake_unplug();
	CHECK(fixture_has_event(&f));
	fixture_poll(&f);
	CHECK_EQ(f.log.nr_gone, 1);
	fixture_close(&f);
}

/* A transfer says so before the node does. */
TEST(unplug_seen_by_one_transfer_first)
{
	struct fixture f;
	struct dx_usb_transfer in[2] = {bulk(IN, data[0], 10), bulk(IN, data[1], 10)};

	fixture_open(&f);
	submit(&f, &in[0]);
	submit(&f, &in[1]);
	fake_end(0, LIBUSB_TRANSFER_NO_DEVICE, 3);
	fixture_wait(&f, 1);
	CHECK_EQ(in[0].status, DX_USB_NOT_RESPONDING);
	CHECK_EQ(in[0].actual, 3);
	CHECK_EQ(f.log.nr_gone, 0); /* B3: one has not come back */
	fake_end(0, LIBUSB_TRANSFER_NO_DEVICE, 0);
	fixture_wait(&f, 2);
	CHECK_EQ(f.log.nr_gone, 1);
	fixture_close(&f);
}

TEST(close_with_transfers_in_flight_frees_them)
{
	struct fixture f;
	struct dx_usb_transfer in[4];

	stall_first(&f, in);
	fixture_close(&f);
}
