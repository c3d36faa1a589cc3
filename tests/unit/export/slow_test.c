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
