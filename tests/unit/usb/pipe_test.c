/* SPDX-License-Identifier: MIT
 *
 * pipe - submitting, completing, halting, aborting, timeouts, unplug.
 */
#include "fixture.h"

#include <string.h>

#include "base/limits.h"

static uint8_t a[1 << 20], b[1 << 20];

TEST(pipe_loopback_returns_the_bytes)
{
	struct fixture f = set_up("virtual:gadget-zero,speed=super,mode=loopback", LOOPBACK);
	struct record out = {0}, in = {0};

	for (unsigned i = 0; i < sizeof(a); i++) {
		a[i] = (uint8_t)(i * 7 + i / 251);
	}
	for (unsigned i = 0; i < 4; i++) {
		CHECK_EQ(dx_usb_pipe_submit(f.out, a + i * 262144, 262144, 0, note, &out), 0);
		CHECK_EQ(dx_usb_pipe_submit(f.in, b + i * 262144, 262144, 0, note, &in), 0);
	}
	CHECK_EQ(dx_usb_pipe_nr_pending(f.in), 4);
	CHECK(dx_usb_needs_poll(f.device));
	CHECK_EQ(in.nr, 0);
	CHECK_EQ(dx_usb_poll(f.device), 8);
	CHECK(!dx_usb_needs_poll(f.device));
	CHECK_EQ(out.nr, 4);
	CHECK_EQ(in.nr, 4);
	for (unsigned i = 0; i < 4; i++) {
		CHECK_EQ(in.entries[i].status, DX_USB_OK);
		CHECK_EQ(in.entries[i].actual, 262144);
		CHECK(in.entries[i].timestamp_ns != 0);
	}
	CHECK_MEM_EQ(a, b, sizeof(a));
	tear_down(&f);
}

TEST(pipe_short_packet_ends_an_in_transfer)
{
	struct fixture f = set_up("virtual:gadget-zero,speed=high,mode=loopback", LOOPBACK);
	struct record in = {0};
	uint32_t actual = 0;

	CHECK_EQ(dx_usb_pipe_submit(f.in, b, 4096, 0, note, &in), 0);
	CHECK_EQ(dx_usb_pipe_submit(f.in, b + 4096, 4096, 0, note, &in), 0);
	CHECK_EQ(dx_usb_pipe_io(f.out, a, 1024, 1000, &actual), DX_USB_OK);
	CHECK_EQ(actual, 1024);
	CHECK_EQ(in.nr, 0); /* whole packets end nothing */
	CHECK_EQ(dx_usb_pipe_io(f.out, a, 100, 1000, &actual), DX_USB_OK);
	(void)dx_usb_poll(f.device);
	CHECK_EQ(in.nr, 1);
	CHECK_EQ(in.entries[0].actual, 1124);
	CHECK_EQ(dx_usb_pipe_io(f.out, NULL, 0, 1000, &actual), DX_USB_OK);
	(void)dx_usb_poll(f.device);
	CHECK_EQ(in.nr, 2);
	CHECK_EQ(in.entries[1].actual, 0);
	CHECK_EQ(in.entries[1].status, DX_USB_OK);
	tear_down(&f);
}

TEST(pipe_stall_halts_until_cleared)
{
	struct fixture f = set_up("virtual:gadget-zero,stall-after=1", SOURCE_SINK);
	struct record in = {0};

	for (unsigned i = 0; i < 4; i++) {
		CHECK_EQ(dx_usb_pipe_submit(f.in, b, 4096, 0, note, &in), 0);
	}
	(void)poll_for(f.device, 0);
	CHECK_EQ(in.nr, 2);
	CHECK_EQ(in.entries[0].status, DX_USB_OK);
	CHECK_EQ(in.entries[1].status, DX_USB_STALLED);
	CHECK(dx_usb_pipe_is_halted(f.in));
	CHECK_EQ(dx_usb_pipe_nr_pending(f.in), 2);
	CHECK_EQ(dx_usb_pipe_submit(f.in, b, 4096, 0, note, &in), DX_USB_STALLED);
	CHECK_EQ(dx_usb_pipe_io(f.in, b, 4096, 0, NULL), DX_USB_STALLED);
	CHECK_EQ(dx_usb_pipe_clear_stall(f.in, true), DX_USB_OK);
	CHECK_EQ(in.nr, 4);
	CHECK_EQ(in.entries[2].status, DX_USB_ABORTED);
	CHECK_EQ(in.entries[3].status, DX_USB_ABORTED);
	CHECK(!dx_usb_pipe_is_halted(f.in));
	CHECK_EQ(dx_usb_pipe_io(f.in, b, 4096, 0, NULL), DX_USB_OK);
	CHECK_EQ(dx_usb_pipe_io(f.in, b, 4096, 0, NULL), DX_USB_STALLED);
	tear_down(&f);
}

TEST(pipe_clear_stall_without_request_leaves_the_device_halted)
{
	struct fixture f = set_up("virtual:gadget-zero,stall-after=1", SOURCE_SINK);

	CHECK_EQ(dx_usb_pipe_io(f.in, b, 4096, 0, NULL), DX_USB_OK);
	CHECK_EQ(dx_usb_pipe_io(f.in, b, 4096, 0, NULL), DX_USB_STALLED);
	CHECK_EQ(dx_usb_pipe_clear_stall(f.in, false), DX_USB_OK);
	CHECK_EQ(dx_usb_pipe_io(f.in, b, 4096, 0, NULL), DX_USB_STALLED);
	CHECK_EQ(dx_usb_pipe_clear_stall(f.in, true), DX_USB_OK);
	CHECK_EQ(dx_usb_pipe_io(f.in, b, 4096, 0, NULL), DX_USB_OK);
	tear_down(&f);
}

TEST(pipe_timeout_reports_bytes_and_does_not_halt)
{
	struct fixture f = set_up("virtual:gadget-zero,mode=loopback", LOOPBACK);
	struct record in = {0};
	uint64_t before_ns = dx_clock_now_ns();

	CHECK_EQ(dx_usb_pipe_submit(f.in, b, 8192, 20, note, &in), 0);
	CHECK_EQ(dx_usb_pipe_io(f.out, a, 2048, 0, NULL), DX_USB_OK);
	CHECK_NE(dx_usb_next_deadline_ns(f.device), UINT64_MAX);
	(void)poll_for(f.device, 1000);
	CHECK_EQ(in.nr, 1);
	CHECK_EQ(in.entries[0].status, DX_USB_TIMEOUT);
	CHECK_EQ(in.entries[0].actual, 2048);
	CHECK_GE(dx_clock_now_ns() - before_ns, 20000000);
	CHECK(!dx_usb_pipe_is_halted(f.in));
	CHECK_EQ(dx_usb_next_deadline_ns(f.device), UINT64_MAX);
	before_ns = dx_clock_now_ns();
	CHECK_EQ(dx_usb_pipe_io(f.in, b, 64, 30, NULL), DX_USB_TIMEOUT);
	CHECK_GE(dx_clock_now_ns() - before_ns, 30000000);
	tear_down(&f);
}

TEST(pipe_requests_complete_in_order_even_when_a_later_one_times_out)
{
	struct fixture f = set_up("virtual:gadget-zero,mode=loopback", LOOPBACK);
	struct record record = {0};
	struct tagged tags[3] = {{&record, 0}, {&record, 1}, {&record, 2}};

	CHECK_EQ(dx_usb_pipe_submit(f.in, b, 1024, 0, note_tagged, &tags[0]), 0);
	CHECK_EQ(dx_usb_pipe_submit(f.in, b, 1024, 5, note_tagged, &tags[1]), 0);
	CHECK_EQ(dx_usb_pipe_submit(f.in, b, 1024, 0, note_tagged, &tags[2]), 0);
	(void)poll_for(f.device, 50);
	CHECK_EQ(record.nr, 0);
	CHECK_EQ(dx_usb_pipe_io(f.out, a, 2048, 0, NULL), DX_USB_OK);
	(void)poll_for(f.device, 0);
	CHECK_EQ(record.nr, 3);
	for (unsigned i = 0; i < 3; i++) {
		CHECK_EQ(record.entries[i].tag, i);
		CHECK_EQ(record.entries[i].status, i == 1 ? DX_USB_TIMEOUT : DX_USB_OK);
	}
	tear_down(&f);
}

TEST(pipe_abort_gives_the_error_that_was_asked_for)
{
	struct fixture f = set_up("virtual:gadget-zero,mode=loopback", LOOPBACK);
	struct record in = {0};

	CHECK_EQ(dx_usb_pipe_submit(f.in, b, 8192, 0, note, &in), 0);
	CHECK_EQ(dx_usb_pipe_submit(f.in, b, 8192, 0, note, &in), 0);
	CHECK_EQ(dx_usb_pipe_io(f.out, a, 1024, 0, NULL), DX_USB_OK);
	CHECK_EQ(dx_usb_pipe_abort(f.in, false, DX_USB_OK), DX_USB_BAD_ARGUMENT);
	CHECK_EQ(dx_usb_pipe_abort(f.in, false, DX_USB_OVERRUN), DX_USB_OK);
	CHECK_EQ(in.nr, 0); /* asynchronous: told by the next poll */
	CHECK_EQ(dx_usb_poll(f.device), 2);
	CHECK_EQ(in.entries[0].status, DX_USB_OVERRUN);
	CHECK_EQ(in.entries[0].actual, 1024);
	CHECK_EQ(in.entries[1].actual, 0);
	CHECK(!dx_usb_pipe_is_halted(f.in));
	CHECK_EQ(dx_usb_pipe_submit(f.in, b, 8192, 0, note, &in), 0);
	CHECK_EQ(dx_usb_pipe_abort(f.in, true, DX_USB_ABORTED), DX_USB_OK);
	CHECK_EQ(in.nr, 3);
	CHECK_EQ(dx_usb_pipe_abort(f.in, true, DX_USB_ABORTED), DX_USB_OK);
	tear_down(&f);
}

struct resubmit {
	struct dx_usb_pipe *pipe;
	unsigned nr;
};

static void submit_again(void *ctx, int32_t status, uint32_t actual, uint64_t timestamp_ns)
{
	struct resubmit *resubmit = ctx;

	(void)status;
	(void)actual;
	(void)timestamp_ns;
	resubmit->nr++;
	(void)dx_usb_pipe_submit(resubmit->pipe, b, 1024, 0, submit_again, resubmit);
}

TEST(pipe_synchronous_abort_returns_although_callbacks_resubmit)
{
	struct fixture f = set_up("virtual:gadget-zero,mode=loopback", LOOPBACK);
	struct resubmit resubmit = {.pipe = f.in};

	for (unsigned i = 0; i < 8; i++) {
		CHECK_EQ(dx_usb_pipe_submit(f.in, b, 1024, 0, submit_again, &resubmit), 0);
	}
	CHECK_EQ(dx_usb_pipe_abort(f.in, true, DX_USB_ABORTED), DX_USB_OK);
	CHECK_EQ(resubmit.nr, 8);
	CHECK_EQ(dx_usb_pipe_nr_pending(f.in), 8);
	CHECK_EQ(dx_usb_interface_close(f.interface, CLIENT), DX_USB_OK);
	CHECK_EQ(resubmit.nr, 16);
	CHECK_EQ(dx_usb_pipe_nr_pending(f.in), 0);
	tear_down(&f);
}

static void io_inside(void *ctx, int32_t status, uint32_t actual, uint64_t timestamp_ns)
{
	struct fixture *f = ctx;

	(void)actual;
	(void)timestamp_ns;
	CHECK_EQ(status, DX_USB_OK);
	CHECK_EQ(dx_usb_pipe_io(f->out, a, 512, 1000, NULL), DX_USB_OK);
	CHECK_EQ(dx_usb_pipe_io(f->in, b, 1024, 1000, NULL), DX_USB_OK);
	CHECK_EQ(dx_usb_pipe_abort(f->in, true, DX_USB_ABORTED), DX_USB_OK);
}

TEST(pipe_blocking_calls_work_inside_a_callback)
{
	struct fixture f = set_up("virtual:gadget-zero,mode=loopback", LOOPBACK);
	struct record in = {0};

	CHECK_EQ(dx_usb_pipe_submit(f.out, a, 1024, 0, io_inside, &f), 0);
	CHECK_EQ(dx_usb_pipe_submit(f.in, b, 1024, 0, note, &in), 0);
	(void)poll_for(f.device, 0);
	CHECK_EQ(in.nr, 1);
	tear_down(&f);
}

TEST(pipe_refuses_bad_arguments)
{
	struct fixture f = set_up("virtual:gadget-zero", SOURCE_SINK);
	struct record record = {0};
	struct dx_usb_iso_frame frame = {.request_count = 4};
	uint32_t value = 0;

	CHECK_EQ(dx_usb_pipe_submit(f.in, NULL, 1, 0, note, &record), DX_USB_BAD_ARGUMENT);
	CHECK_EQ(dx_usb_pipe_submit(f.in, b, 1, 0, NULL, NULL), DX_USB_BAD_ARGUMENT);
	CHECK_EQ(dx_usb_pipe_io(f.in, NULL, 1, 0, NULL), DX_USB_BAD_ARGUMENT);
	CHECK_EQ(dx_usb_pipe_submit_iso(f.in, b, 4, &frame, 1, 0, note, &record),
		 DX_USB_BAD_ARGUMENT);
	CHECK_EQ(dx_usb_pipe_idle_policy(f.in, NULL), DX_USB_BAD_ARGUMENT);
	CHECK_EQ(dx_usb_pipe_descriptors(f.in, true, NULL), DX_USB_BAD_ARGUMENT);
	CHECK_EQ(dx_usb_pipe_adjust(f.in, NULL), DX_USB_BAD_ARGUMENT);
	CHECK_EQ(dx_usb_pipe_set_idle_policy(f.in, 75), DX_USB_OK);
	CHECK_EQ(dx_usb_pipe_idle_policy(f.in, &value), DX_USB_OK);
	CHECK_EQ(value, 75);
	CHECK_EQ(record.nr, 0);
	tear_down(&f);
}

static void count(void *ctx, int32_t status, uint32_t actual, uint64_t timestamp_ns)
{
	(void)status;
	(void)actual;
	(void)timestamp_ns;
	++*(unsigned *)ctx;
}

TEST(pipe_over_the_limit_returns_no_resources)
{
	struct fixture f = set_up("virtual:gadget-zero,hang-after=1", SOURCE_SINK);
	struct dx_usb_counters counters = {0};
	struct record record = {0};
	unsigned nr = 0;

	CHECK_EQ(dx_usb_pipe_io(f.in, b, 1024, 0, NULL), DX_USB_OK);
	for (unsigned i = 0; i < DX_MAX_TRANSFERS_PER_PIPE; i++) {
		CHECK_EQ(dx_usb_pipe_submit(f.in, b, 1024, 0, count, &nr), DX_USB_OK);
	}
	CHECK_EQ(dx_usb_pipe_submit(f.in, b, 1024, 0, note, &record), DX_USB_NO_RESOURCES);
	(void)dx_usb_poll(f.device);
	dx_usb_device_counters(f.device, &counters);
	CHECK_EQ(counters.request_allocations, DX_MAX_TRANSFERS_PER_PIPE);
	CHECK_EQ(dx_usb_pipe_nr_pending(f.in), DX_MAX_TRANSFERS_PER_PIPE);
	tear_down(&f);
	CHECK_EQ(nr, DX_MAX_TRANSFERS_PER_PIPE);
}

TEST(pipe_unplug_completes_everything_once_then_tells)
{
	struct fixture f = set_up("virtual:gadget-zero,disconnect-after=2", SOURCE_SINK);
	struct record in = {0};

	for (unsigned i = 0; i < 5; i++) {
		CHECK_EQ(dx_usb_pipe_submit(f.in, b, 4096, 0, note, &in), 0);
	}
	(void)poll_for(f.device, 0);
	CHECK_EQ(in.nr, 5);
	CHECK_EQ(in.entries[1].status, DX_USB_OK);
	CHECK_EQ(in.entries[2].status, DX_USB_NOT_RESPONDING);
	CHECK_EQ(in.entries[4].status, DX_USB_NOT_RESPONDING);
	CHECK(dx_usb_device_is_gone(f.device));
	CHECK_EQ(dx_usb_pipe_submit(f.in, b, 1, 0, note, &in), DX_USB_NO_DEVICE);
	CHECK_EQ(dx_usb_pipe_io(f.out, b, 1, 0, NULL), DX_USB_NO_DEVICE);
	CHECK_EQ(dx_usb_pipe_abort(f.in, true, DX_USB_ABORTED), DX_USB_NO_DEVICE);
	CHECK_EQ(dx_usb_pipe_clear_stall(f.in, true), DX_USB_NO_DEVICE);
	CHECK_EQ(dx_usb_interface_select_alternate(f.interface, 1), DX_USB_NO_DEVICE);
	CHECK_EQ(dx_usb_device_set_configuration(f.device, NULL, 2), DX_USB_NO_DEVICE);
	CHECK_EQ(dx_usb_device_open(f.device, CLIENT), DX_USB_NO_DEVICE);
	CHECK_EQ(dx_usb_interface_close(f.interface, CLIENT), DX_USB_OK);
	tear_down(&f);
}

TEST(pipe_babble_reports_overrun)
{
	struct fixture f = set_up("virtual:gadget-zero,babble-after=1", SOURCE_SINK);

	CHECK_EQ(dx_usb_pipe_io(f.in, b, 1024, 0, NULL), DX_USB_OK);
	CHECK_EQ(dx_usb_pipe_io(f.in, b, 1024, 0, NULL), DX_USB_OVERRUN);
	CHECK_EQ(dx_usb_pipe_io(f.in, b, 1024, 0, NULL), DX_USB_STALLED);
	CHECK_EQ(dx_usb_pipe_clear_stall(f.in, true), DX_USB_OK);
	CHECK_EQ(dx_usb_pipe_io(f.in, b, 1024, 0, NULL), DX_USB_OK);
	tear_down(&f);
}

TEST(pipe_submit_allocates_nothing_when_warm)
{
	struct fixture f = set_up("virtual:gadget-zero,pattern=2", SOURCE_SINK);
	struct dx_usb_counters before = {0}, after = {0};
	struct resubmit resubmit = {.pipe = f.in};

	for (unsigned i = 0; i < 8; i++) {
		CHECK_EQ(dx_usb_pipe_submit(f.in, b, 1024, 0, submit_again, &resubmit), 0);
	}
	for (unsigned i = 0; i < 4; i++) {
		CHECK_EQ(dx_usb_poll(f.device), 8);
	}
	dx_usb_device_counters(f.device, &before);
	for (unsigned i = 0; i < 1000; i++) {
		CHECK_EQ(dx_usb_poll(f.device), 8);
	}
	dx_usb_device_counters(f.device, &after);
	CHECK_EQ(before.request_allocations, after.request_allocations);
	CHECK_EQ(after.completed - before.completed, 8000);
	CHECK_EQ(after.bytes_in - before.bytes_in, 8192000);
	CHECK_EQ(dx_usb_interface_close(f.interface, CLIENT), DX_USB_OK);
	tear_down(&f);
}
