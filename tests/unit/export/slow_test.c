/* SPDX-License-Identifier: MIT
 *
 * slow_test - a backend that takes its time, or fails, and what the other clients notice of it.
 */
#include "spoken.h"
#include "unit/export/moody.h"

/* The moody device is 1-1, a plain one 1-2. */
static struct served *serve_moody(void)
{
	static const char *const specs[] = {MOODY, ZERO};

	return served_start_over(moody_backends(), specs, 2);
}

/* ---- endpoints that do not go on ---- */

static void expect_end_after_error(void)
{
	struct served *served = serve_moody();
	int fd = import(served);

	CHECK_EQ(simple(fd, 0, 9, 3, 0), 0);
	CHECK_EQ(simple(fd, 2, 3, 0, 0x81), 0); /* SET_FEATURE(HALT) */
	submit(fd, 1, 0x81, 512);
	CHECK_EQ(hear_unit(fd).status, DX_USBIP_EPIPE);
	submit(fd, 2, 0x81, 512);
	hear_end(fd); /* instead of waiting for ever */
	moody.halt_error = 0;
	moody.halt_status = DX_USB_OK;
	CHECK(test_wait_until(is_free, served, 10000)); /* and begins anew */
	served_stop(served);
}

TEST(endpoint_that_cannot_be_restarted_ends_the_connection)
{
	moody.halt_error = -ENOMEM;
	expect_end_after_error();
}

TEST(endpoint_whose_restart_fails_ends_the_connection)
{
	moody.halt_status = DX_USB_IO_ERROR;
	expect_end_after_error();
}

/* ---- devices that open slowly ---- */

static bool one_is_opening(void *unused)
{
	(void)unused;
	return moody.nr_waiting == 1;
}

static bool none_is_opening(void *unused)
{
	(void)unused;
	return moody.nr_waiting == 0;
}

/* Somebody has let go of 1-1, and it does not come back until the test says so. */
static struct served *serve_opening(void)
{
	struct served *served = serve_moody();
	int fd = import(served);

	moody.holds_open = true;
	(void)close(fd);
	CHECK(test_wait_until(one_is_opening, NULL, 10000));
	return served;
}

static void say_import(int fd, const char *busid)
{
	uint8_t bytes[DX_USBIP_HEADER_BYTES + DX_USBIP_BUSID_BYTES] = {0};

	dx_usbip_put_header(bytes, DX_USBIP_REQ_IMPORT, 0);
	CHECK_EQ(dx_usbip_put_busid(bytes + DX_USBIP_HEADER_BYTES, busid), 0);
	say(fd, bytes, sizeof(bytes));
}

static uint32_t hear_result(int fd)
{
	uint8_t bytes[DX_USBIP_HEADER_BYTES];
	uint32_t result = 0;

	hear(fd, bytes, sizeof(bytes));
	CHECK_EQ(dx_usbip_get_header(bytes, DX_USBIP_REP_IMPORT, &result), 0);
	return result;
}

/* @return how many devices the server has to give. */
static uint32_t list(const struct served *served)
{
	uint8_t bytes[DX_USBIP_HEADER_BYTES + 4];
	uint32_t result = 1;
	int fd = served_connect(served);

	dx_usbip_put_header(bytes, DX_USBIP_REQ_DEVLIST, 0);
	say(fd, bytes, DX_USBIP_HEADER_BYTES);
	hear(fd, bytes, sizeof(bytes));
	CHECK_EQ(dx_usbip_get_header(bytes, DX_USBIP_REP_DEVLIST, &result), 0);
	CHECK_EQ(result, 0);
	hear_end(fd);
	return dx_usbip_get32(bytes + DX_USBIP_HEADER_BYTES);
}

TEST(device_that_opens_slowly_keeps_nobody_else_waiting)
{
	struct served *served = serve_opening();
	int wants = served_connect(served);
	int other = served_connect(served);
	uint8_t bytes[DX_USBIP_DEVICE_BYTES];

	say_import(wants, "1-1");
	CHECK_EQ(ask_import(other, "1-2"), DX_USBIP_OK);
	hear(other, bytes, sizeof(bytes));
	CHECK_EQ(list(served), 0); /* it is being opened */
	CHECK_EQ(recv(wants, bytes, 1, MSG_DONTWAIT), -1);
	CHECK_EQ(errno, EAGAIN);
	moody.holds_open = false;
	CHECK_EQ(hear_result(wants), DX_USBIP_OK);
	(void)close(wants);
	(void)close(other);
	CHECK(test_wait_until(is_free, served, 10000));
	served_stop(served);
}

TEST(client_that_does_not_wait_for_a_slow_device_takes_nothing)
{
	struct served *served = serve_opening();
	int wants = served_connect(served);

	say_import(wants, "1-1");
	CHECK_EQ(list(served), 1); /* that has been read, too */
	(void)close(wants);
	CHECK_EQ(list(served), 1);
	moody.holds_open = false;
	CHECK(test_wait_until(is_free, served, 10000));
	served_stop(served);
}

TEST(device_that_cannot_be_opened_again_is_broken_until_it_can)
{
	struct served *served = serve_opening();
	int wants = served_connect(served);

	say_import(wants, "1-1");
	CHECK_EQ(list(served), 1);
	moody.open_error = -ENODEV;
	moody.holds_open = false;
	CHECK_EQ(hear_result(wants), DX_USBIP_BROKEN);
	hear_end(wants);
	CHECK_EQ(list(served), 1);
	moody.open_error = 0;
	CHECK_EQ(list(served), 2);
	wants = import(served);
	(void)close(wants);
	served_stop(served);
}

static bool descriptors_are_back(void *before)
{
	return test_count_fds() == *(const unsigned *)before;
}

TEST(server_can_end_while_a_device_opens)
{
	unsigned before = test_count_fds();

	served_stop(serve_opening());
	moody.holds_open = false;
	CHECK(test_wait_until(none_is_opening, NULL, 10000));
	CHECK(test_wait_until(descriptors_are_back, &before, 10000));
}

/* ---- operations that take long (X5) ---- */

static void say_control(int fd, uint32_t number, uint8_t type, uint8_t request, uint8_t value,
			uint8_t length)
{
	const struct dx_usbip_unit unit = {
		.command = DX_USBIP_SUBMIT,
		.number = number,
		.device = DEVICE,
		.is_in = length != 0,
		.length = length,
		.setup = {type, request, value, 0, 0, 0, length, 0},
	};

	say_unit(fd, &unit);
}

static bool one_is_held(void *unused)
{
	(void)unused;
	return moody.nr_held == 1;
}

static bool one_is_cancelled(void *unused)
{
	(void)unused;
	return moody.nr_cancelled == 1;
}

static void expect(int fd, uint32_t command, uint32_t number, int32_t status)
{
	const struct dx_usbip_unit unit = hear_unit(fd);
	uint8_t bytes[512];

	CHECK_EQ(unit.command, command);
	CHECK_EQ(unit.number, number);
	CHECK_EQ(unit.status, status);
	hear(fd, bytes, command == DX_USBIP_SUBMIT_ANSWER ? unit.actual : 0);
}

TEST(unlinks_are_heard_while_a_configuration_is_selected)
{
	struct served *served = serve_moody();
	int fd = import(served);

	moody.holds_operation = true;
	say_control(fd, 1, 0, 9, 3, 0);
	CHECK(test_wait_until(one_is_held, NULL, 10000));
	say_control(fd, 2, 0x80, 0, 0, 2); /* GET_STATUS, twice */
	say_control(fd, 3, 0x80, 0, 0, 2);
	say_control(fd, 4, 0x80, 8, 0, 1); /* GET_CONFIGURATION */
	unlink_it(fd, 5, 2);
	expect(fd, DX_USBIP_UNLINK_ANSWER, 5, DX_USBIP_ECONNRESET);
	submit(fd, 6, 0x81, 512); /* an endpoint that does not exist yet */
	submit(fd, 7, 0x81, 512);
	moody.holds_operation = false;
	expect(fd, DX_USBIP_SUBMIT_ANSWER, 1, 0);
	expect(fd, DX_USBIP_SUBMIT_ANSWER, 3, 0);
	expect(fd, DX_USBIP_SUBMIT_ANSWER, 4, 0);
	expect(fd, DX_USBIP_SUBMIT_ANSWER, 6, 0);
	expect(fd, DX_USBIP_SUBMIT_ANSWER, 7, 0);
	(void)close(fd);
	served_stop(served);
}

TEST(unlinked_operation_that_runs_is_answered_when_it_is_done)
{
	struct served *served = serve_moody();
	int fd = import(served);

	moody.holds_operation = true;
	say_control(fd, 1, 0, 9, 3, 0);
	say_control(fd, 2, 0, 9, 2, 0); /* one behind the other */
	CHECK(test_wait_until(one_is_held, NULL, 10000));
	unlink_it(fd, 3, 1);
	unlink_it(fd, 4, 2);
	expect(fd, DX_USBIP_UNLINK_ANSWER, 4, DX_USBIP_ECONNRESET);
	moody.holds_operation = false;
	expect(fd, DX_USBIP_SUBMIT_ANSWER, 1, 0);
	expect(fd, DX_USBIP_UNLINK_ANSWER, 3, 0);
	submit(fd, 5, 0x81, 512);
	expect(fd, DX_USBIP_SUBMIT_ANSWER, 5, 0);
	(void)close(fd);
	served_stop(served);
}

TEST(operation_that_waits_for_others_can_be_unlinked)
{
	struct served *served = serve_moody();
	int fd = import(served);

	CHECK_EQ(simple(fd, 0, 9, 2, 0), 0); /* nothing comes from 0x81 until something is sent */
	submit(fd, 1, 0x81, 512);
	moody.holds_cancel = true;
	say_control(fd, 2, 0, 9, 3, 0);
	say_control(fd, 3, 0x80, 8, 0, 1);
	unlink_it(fd, 4, 2);
	expect(fd, DX_USBIP_UNLINK_ANSWER, 4, DX_USBIP_ECONNRESET);
	expect(fd, DX_USBIP_SUBMIT_ANSWER, 3, 0);
	say_control(fd, 5, 0, 9, 3, 0);
	moody.holds_cancel = false;
	expect(fd, DX_USBIP_SUBMIT_ANSWER, 1, DX_USBIP_ECONNRESET);
	expect(fd, DX_USBIP_SUBMIT_ANSWER, 5, 0);
	(void)close(fd);
	served_stop(served);
}

TEST(operation_begins_when_what_it_disturbs_has_been_called_back)
{
	struct served *served = serve_moody();
	int fd = import(served);

	CHECK_EQ(simple(fd, 0, 9, 2, 0), 0);
	submit(fd, 1, 0x81, 512);
	moody.holds_cancel = true;
	say_control(fd, 2, 0, 9, 3, 0);
	CHECK(test_wait_until(one_is_cancelled, NULL, 10000));
	moody.holds_cancel = false;
	expect(fd, DX_USBIP_SUBMIT_ANSWER, 1, DX_USBIP_ECONNRESET);
	expect(fd, DX_USBIP_SUBMIT_ANSWER, 2, 0);
	(void)close(fd);
	served_stop(served);
}

TEST(client_that_goes_leaves_nothing_that_was_held)
{
	struct served *served = serve_moody();
	int fd = import(served);

	moody.holds_operation = true;
	say_control(fd, 1, 0, 9, 3, 0);
	CHECK(test_wait_until(one_is_held, NULL, 10000));
	say_control(fd, 2, 0x80, 0, 0, 2);
	say_control(fd, 3, 0x80, 0, 0, 2);
	unlink_it(fd, 4, 3);
	expect(fd, DX_USBIP_UNLINK_ANSWER, 4, DX_USBIP_ECONNRESET);
	(void)close(fd);
	moody.holds_operation = false;
	CHECK(test_wait_until(is_free, served, 10000));
	served_stop(served);
}
