/* SPDX-License-Identifier: MIT
 *
 * libusb_operation_test - what blocks in the kernel: it runs elsewhere, nobody waits for it, and
 * nobody touches the device meanwhile (L2 of backend/libusb/state.h).
 */
#include "libusb_fixture.h"

#define OUT 0x01
#define IN  0x81

static uint8_t data[4][64];

static unsigned calls(enum fake_call call)
{
	unsigned count = 0;

	pthread_mutex_lock(&fake.lock);
	count = fake.nr_calls[call];
	pthread_mutex_unlock(&fake.lock);
	return count;
}

static bool is_held(void *unused)
{
	bool held = false;

	(void)unused;
	pthread_mutex_lock(&fake.lock);
	held = fake.nr_held != 0;
	pthread_mutex_unlock(&fake.lock);
	return held;
}

static struct dx_usb_transfer done_new(void)
{
	return (struct dx_usb_transfer){.type = DX_USB_CONTROL, .actual = 99, .status = 99};
}

TEST(operation_does_not_block_and_nothing_else_is_done)
{
	struct fixture f;
	struct dx_usb_transfer done = done_new();
	struct dx_usb_transfer before = bulk(OUT, data[0], 64);
	struct dx_usb_transfer during = bulk(OUT, data[1], 64);
	struct dx_usb_transfer cancelled = bulk(IN, data[2], 64);

	fixture_open(&f);
	submit(&f, &before);
	fake.hold = true;
	CHECK_EQ(ops->set_altsetting(f.backend, 0, 1, &done), 0);
	CHECK(test_wait_until(is_held, NULL, 20000));
	submit(&f, &during);
	submit(&f, &cancelled);
	CHECK_EQ(fake.nr_flying, 1);
	fake_end(0, LIBUSB_TRANSFER_COMPLETED, 64);
	cancel(&f, &before);
	cancel(&f, &cancelled); /* was never sent: at once */
	CHECK_EQ(f.log.nr_completed, 1);
	CHECK_EQ(calls(FAKE_CANCEL), 0);
	CHECK(!fixture_has_event(&f)); /* or we would be called in vain all the time */
	fixture_poll(&f);
	CHECK_EQ(f.log.nr_completed, 1);
	cancel(&f, &done); /* cannot be stopped */
	fake_release();
	fixture_wait(&f, 3);
	CHECK_EQ(done.status, DX_USB_OK);
	CHECK_EQ(done.actual, 0);
	CHECK_EQ(fake.last_argument[FAKE_SET_ALTSETTING], 1);
	CHECK_EQ(fake.nr_flying, 1);
	CHECK(fake.flying[0]->buffer == data[1]);
	fake_end(0, LIBUSB_TRANSFER_COMPLETED, 64);
	fixture_wait(&f, 4);
	fixture_close(&f);
}

TEST(operation_ends_what_was_cancelled_meanwhile)
{
	struct fixture f;
	struct dx_usb_transfer done = done_new();
	struct dx_usb_transfer in = bulk(IN, data[0], 64);

	fixture_open(&f);
	submit(&f, &in);
	fake.hold = true;
	CHECK_EQ(ops->clear_halt(f.backend, OUT, false, &done), 0);
	CHECK(test_wait_until(is_held, NULL, 20000));
	cancel(&f, &in);
	fake_release();
	fixture_wait(&f, 2);
	CHECK_EQ(in.status, DX_USB_ABORTED);
	CHECK_EQ(done.status, DX_USB_OK);
	CHECK_EQ(calls(FAKE_CLEAR_HALT), 0);
	CHECK_EQ(calls(FAKE_RESET_ENDPOINT), 1);
	fixture_close(&f);
}

TEST(operations_run_one_after_the_other)
{
	struct fixture f;
	struct dx_usb_transfer done[3] = {done_new(), done_new(), done_new()};

	fixture_open(&f);
	fake.hold = true;
	for (unsigned i = 0; i < 3; i++) {
		dx_list_init(&done[i].link);
		CHECK_EQ(ops->clear_halt(f.backend, (uint8_t)(i + 1), true, &done[i]), 0);
	}
	CHECK(test_wait_until(is_held, NULL, 20000));
	cancel(&f, &done[1]); /* has not begun */
	CHECK_EQ(f.log.nr_completed, 1);
	CHECK_EQ(done[1].status, DX_USB_ABORTED);
	fake_release();
	fixture_wait(&f, 3);
	CHECK(f.log.completed[1] == &done[0]);
	CHECK(f.log.completed[2] == &done[2]);
	CHECK_EQ(calls(FAKE_CLEAR_HALT), 2);
	CHECK_EQ(fake.last_argument[FAKE_CLEAR_HALT], 3);
	fixture_close(&f);
}

TEST(operation_errors_have_their_codes)
{
	static const struct {
		int code;
		int saved_errno;
		int32_t status;
	} errors[] = {
		{LIBUSB_ERROR_NOT_FOUND, 0, DX_USB_NOT_FOUND},
		{LIBUSB_ERROR_BUSY, 0, DX_USB_EXCLUSIVE},
		{LIBUSB_ERROR_OTHER, EPIPE, DX_USB_STALLED},
		{LIBUSB_ERROR_OTHER, ETIMEDOUT, DX_USB_TIMEOUT},
		{LIBUSB_ERROR_TIMEOUT, 0, DX_USB_TIMEOUT},
		{LIBUSB_ERROR_PIPE, 0, DX_USB_STALLED},
		{LIBUSB_ERROR_ACCESS, 0, DX_USB_IO_ERROR},
		{LIBUSB_ERROR_OTHER, EIO, DX_USB_IO_ERROR},
	};
	struct fixture f;

	fixture_open(&f);
	for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
		struct dx_usb_transfer done = done_new();

		fake.fail[FAKE_SET_ALTSETTING] = errors[i].code;
		fake.fail_errno = errors[i].saved_errno;
		CHECK_EQ(ops->set_altsetting(f.backend, 0, 0, &done), 0);
		f.log.nr_completed = 0;
		fixture_wait(&f, 1);
		CHECK_EQ(done.status, errors[i].status);
	}
	fixture_close(&f);
}

/* The kernel's drivers are in the way of a new configuration, and come back if there is none. */
TEST(configuration_moves_kernel_drivers_out_of_the_way)
{
	struct fixture f;
	struct dx_usb_transfer done = done_new();

	fixture_open(&f);
	CHECK_EQ(ops->set_configuration(f.backend, 2, &done), 0);
	fixture_wait(&f, 1);
	CHECK_EQ(done.status, DX_USB_OK);
	CHECK_EQ(calls(FAKE_DETACH), 1);
	CHECK_EQ(calls(FAKE_ATTACH), 0);
	CHECK_EQ(fake.last_argument[FAKE_SET_CONFIGURATION], 2);
	fake.fail[FAKE_SET_CONFIGURATION] = LIBUSB_ERROR_BUSY;
	CHECK_EQ(ops->set_configuration(f.backend, 1, &done), 0);
	fixture_wait(&f, 2);
	CHECK_EQ(done.status, DX_USB_EXCLUSIVE);
	CHECK_EQ(calls(FAKE_ATTACH), 1);
	CHECK_EQ(ops->set_configuration(f.backend, 2, &done), 0); /* the same again */
	fixture_wait(&f, 3);
	CHECK_EQ(calls(FAKE_ATTACH), 2);
	fake.fail[FAKE_DETACH] = LIBUSB_ERROR_NOT_FOUND; /* there is no driver */
	CHECK_EQ(ops->set_configuration(f.backend, 0, &done), 0);
	fixture_wait(&f, 4);
	CHECK_EQ(fake.last_argument[FAKE_SET_CONFIGURATION], -1);
	CHECK_EQ(calls(FAKE_ATTACH), 2);
	CHECK_EQ(ops->info(f.backend)->configuration, 1); /* constant */
	fixture_close(&f);
}

TEST(reset_completes_and_then_the_device_is_gone)
{
	struct fixture f;
	struct dx_usb_transfer done = done_new();

	fixture_open(&f);
	fake.fail[FAKE_RESET] = LIBUSB_ERROR_NOT_FOUND; /* it has come back as another one */
	CHECK_EQ(ops->reset(f.backend, &done), 0);
	fixture_wait(&f, 1);
	CHECK_EQ(done.status, DX_USB_OK);
	CHECK_EQ(f.log.nr_gone, 1);
	CHECK_EQ(f.log.nr_completed_at_gone, 1);
	fixture_close(&f);
}

TEST(reset_that_fails_leaves_the_device)
{
	struct fixture f;
	struct dx_usb_transfer done = done_new();
	struct dx_usb_transfer in = bulk(IN, data[0], 64);

	fixture_open(&f);
	fake.fail[FAKE_RESET] = LIBUSB_ERROR_OTHER;
	fake.fail_errno = EIO;
	CHECK_EQ(ops->reset(f.backend, &done), 0);
	fixture_wait(&f, 1);
	CHECK_EQ(done.status, DX_USB_IO_ERROR);
	CHECK_EQ(f.log.nr_gone, 0);
	submit(&f, &in);
	CHECK_EQ(fake.nr_flying, 1);
	fake_end(0, LIBUSB_TRANSFER_COMPLETED, 1);
	fixture_wait(&f, 2);
	fixture_close(&f);
}

TEST(unplug_during_an_operation_is_told_after_it)
{
	struct fixture f;
	struct dx_usb_transfer done[2] = {done_new(), done_new()};
	struct dx_usb_transfer in = bulk(IN, data[0], 64);
	struct dx_usb_transfer waiting = bulk(OUT, data[1], 64);

	fixture_open(&f);
	submit(&f, &in);
	fake.hold = true;
	for (unsigned i = 0; i < 2; i++) {
		dx_list_init(&done[i].link);
		CHECK_EQ(ops->clear_halt(f.backend, OUT, true, &done[i]), 0);
	}
	CHECK(test_wait_until(is_held, NULL, 20000));
	submit(&f, &waiting);
	fake.fail[FAKE_CLEAR_HALT] = LIBUSB_ERROR_NO_DEVICE;
	fake_unplug();
	fixture_poll(&f);
	CHECK_EQ(f.log.nr_completed, 0);
	fake_release();
	while (f.log.nr_gone == 0) {
		struct pollfd event = {.fd = ops->event_fd(f.backend), .events = POLLIN};

		CHECK(ops->is_ready(f.backend) || poll(&event, 1, 20000) == 1);
		fixture_poll(&f);
	}
	CHECK_EQ(f.log.nr_completed, 4);
	CHECK_EQ(done[0].status, DX_USB_NOT_RESPONDING);
	CHECK_EQ(done[1].status, DX_USB_NOT_RESPONDING);
	CHECK_EQ(in.status, DX_USB_NOT_RESPONDING);
	CHECK_EQ(waiting.status, DX_USB_NOT_RESPONDING);
	fixture_close(&f);
}

/* The operation hears of it before the node does: what is in flight must still be heard of. */
TEST(unplug_that_an_operation_sees_first_is_not_the_last_event)
{
	struct fixture f;
	struct dx_usb_transfer done = done_new();
	struct dx_usb_transfer in = bulk(IN, data[0], 64);

	fixture_open(&f);
	submit(&f, &in);
	fake.fail[FAKE_CLEAR_HALT] = LIBUSB_ERROR_NO_DEVICE;
	CHECK_EQ(ops->clear_halt(f.backend, OUT, true, &done), 0);
	fixture_wait(&f, 1);
	CHECK_EQ(done.status, DX_USB_NOT_RESPONDING);
	CHECK_EQ(f.log.nr_gone, 0);
	fake_unplug();
	fixture_wait(&f, 2);
	CHECK_EQ(in.status, DX_USB_NOT_RESPONDING);
	CHECK_EQ(f.log.nr_gone, 1);
	fixture_close(&f);
}

TEST(close_waits_for_an_operation)
{
	struct fixture f;
	struct dx_usb_transfer done = done_new();

	fixture_open(&f);
	CHECK_EQ(ops->claim(f.backend, 0), 0);
	CHECK_EQ(ops->set_altsetting(f.backend, 0, 0, &done), 0);
	fixture_close(&f);
	CHECK_EQ(calls(FAKE_SET_ALTSETTING), 1);
	CHECK_EQ(calls(FAKE_RELEASE), 1);
	CHECK_EQ(f.log.nr_completed, 0);
}
