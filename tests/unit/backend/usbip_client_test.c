/* SPDX-License-Identifier: MIT
 *
 * usbip_client_test - what the client sends, in which order, and what it makes of answers.
 */
#include "unit/backend/usbip_link.h"

TEST(answer_goes_where_it_was_wanted)
{
	struct asked asked;
	uint8_t data[64];

	ask(&asked);
	memset(data, 0x77, sizeof(data));
	say_answer(&asked.link, asked.number, 0, 60);
	say(&asked.link, data, 60);
	settle(&asked.link);
	CHECK_EQ(asked.link.nr_complete, 1);
	CHECK_EQ(asked.transfer.status, DX_USB_OK);
	CHECK_EQ(asked.transfer.actual, 60);
	CHECK_EQ(asked.data[59], 0x77);
	CHECK_EQ(asked.data[60], 0x11);
	close_link(&asked.link);
}

TEST(isochronous_requests_that_are_refused)
{
	struct link link;
	uint8_t data[100];
	struct dx_usb_packet packets[2] = {{.length = 60}, {.length = 60}};
	struct dx_usb_transfer transfer = transfer_to(DX_USB_ISOCHRONOUS, 0x83, data, 100);
	uint64_t frame = 0;
	uint64_t time_ns = 0;

	open_link(&link);
	transfer.packets = packets;
	CHECK_EQ(ops->submit(link.client, &transfer), -EINVAL); /* no packets */
	transfer.nr_packets = 2;
	CHECK_EQ(ops->submit(link.client, &transfer), -EINVAL); /* more than the buffer */
	transfer.nr_packets = 1025;
	CHECK_EQ(ops->submit(link.client, &transfer), -EINVAL);
	transfer.nr_packets = 1;
	transfer.first_frame = 1;
	CHECK_EQ(ops->submit(link.client, &transfer), -ESTALE);
	CHECK_EQ(ops->frame_number(link.client, &frame, &time_ns), 0);
	transfer.first_frame = frame + 1000000;
	CHECK_EQ(ops->submit(link.client, &transfer), -ERANGE);
	transfer.first_frame = frame + 500;
	submit(&link, &transfer); /* it is sent when its frame comes */
	settle(&link);
	hear_nothing(&link);
	CHECK_NE(ops->next_deadline_ns(link.client), UINT64_MAX);
	cancel(&link, &transfer);
	CHECK_EQ(transfer.status, DX_USB_ABORTED);
	CHECK_EQ(ops->frame_number(link.client, &frame, &time_ns), 0);
	transfer = transfer_to(DX_USB_ISOCHRONOUS, 0x83, data, 100);
	transfer.packets = packets;
	transfer.nr_packets = 1;
	transfer.first_frame = frame + 5;
	if (ops->submit(link.client, &transfer) == 0) { /* unless this machine was that slow */
		while (transfer.backend_words[0] == 0) {
			ops->poll(link.client);
		}
		CHECK_EQ(hear(&link).nr_packets, 1);
		cancel(&link, &transfer);
		settle(&link);
		say_unlinked(&link, 1 | UNLINK, -104);
		settle(&link);
		CHECK_EQ(transfer.status, DX_USB_ABORTED);
	}
	close_link(&link);
}

/* ---- halting ---- */

TEST(halted_endpoint_holds_what_the_server_gives_back)
{
	struct link link;
	static uint8_t data[6][64];
	struct dx_usb_transfer transfers[6];
	struct dx_usb_transfer done = {.type = DX_USB_CONTROL, .status = DX_USB_INVALID};
	uint32_t numbers[6];
	uint32_t unlinks[6];

	open_link(&link);
	for (unsigned i = 0; i < 6; i++) {
		transfers[i] = transfer_to(DX_USB_BULK, 0x81, data[i], 64);
		submit(&link, &transfers[i]);
	}
	settle(&link);
	for (unsigned i = 0; i < 6; i++) {
		numbers[i] = hear(&link).number;
	}
	say_answer(&link, numbers[0], -32, 0);
	settle(&link);
	CHECK_EQ(link.nr_complete, 1);
	CHECK_EQ(transfers[0].status, DX_USB_STALLED);
	for (unsigned i = 1; i < 6; i++) {
		struct dx_usbip_unit unit = hear(&link);

		CHECK_EQ(unit.command, DX_USBIP_UNLINK);
		CHECK_EQ(unit.unlinked, numbers[i]);
		unlinks[i] = unit.number;
	}
	say_answer(&link, numbers[1], -32, 0); /* stalled as well: held */
	say_unlinked(&link, unlinks[1], 0);
	say_unlinked(&link, unlinks[2], -104); /* held */
	say_unlinked(&link, unlinks[3], 0);    /* its answer was dropped: an error */
	say_answer(&link, numbers[4], 0, 0);   /* it was faster */
	say_unlinked(&link, unlinks[4], 0);
	say_answer(&link, numbers[5], -104, 0); /* had moved something, perhaps */
	say_unlinked(&link, unlinks[5], 0);
	settle(&link);
	CHECK_EQ(link.nr_gone, 0);
	CHECK_EQ(link.nr_complete, 4);
	CHECK_EQ(transfers[3].status, DX_USB_STALLED);
	CHECK_EQ(transfers[4].status, DX_USB_OK);
	CHECK_EQ(transfers[5].status, DX_USB_STALLED);
	hear_nothing(&link);
	dx_list_init(&done.link);
	CHECK_EQ(ops->clear_halt(link.client, 0x81, false, &done), 0);
	settle(&link);
	CHECK_EQ(done.status, DX_USB_OK);
	for (unsigned i = 1; i < 3; i++) { /* again, in order, under new numbers */
		struct dx_usbip_unit unit = hear(&link);

		CHECK_EQ(unit.command, DX_USBIP_SUBMIT);
		CHECK_NE(unit.number, numbers[i]);
		say_answer(&link, unit.number, 0, 0);
		settle(&link);
		CHECK_EQ(transfers[i].status, DX_USB_OK);
	}
	CHECK_EQ(link.nr_complete, 7);
	close_link(&link);
}

TEST(halted_endpoint_keeps_new_transfers_and_lets_them_be_cancelled)
{
	struct asked asked;
	uint8_t data[8];
	struct dx_usb_transfer later = transfer_to(DX_USB_BULK, 0x81, data, 8);
	struct dx_usb_transfer other = transfer_to(DX_USB_INTERRUPT, 0x82, data, 8);

	ask(&asked);
	say_answer(&asked.link, asked.number, -75, 0);
	settle(&asked.link);
	CHECK_EQ(asked.transfer.status, DX_USB_OVERRUN);
	submit(&asked.link, &later);
	submit(&asked.link, &other);
	settle(&asked.link);
	CHECK_EQ(hear(&asked.link).endpoint, 2);
	hear_nothing(&asked.link);
	cancel(&asked.link, &later);
	CHECK_EQ(later.status, DX_USB_ABORTED);
	CHECK_EQ(asked.link.nr_complete, 2);
	CHECK_EQ(shutdown(asked.link.peer, SHUT_WR), 0);
	settle(&asked.link);
	CHECK_EQ(asked.link.nr_gone, 1);
	CHECK_EQ(asked.link.nr_complete, 3);
	CHECK_EQ(other.status, DX_USB_NOT_RESPONDING);
	close_link(&asked.link);
}

/* ---- what is sent ---- */

TEST(requests_say_type_interval_and_setup)
{
	struct link link;
	uint8_t data[8] = {0};
	struct dx_usb_transfer interrupt = transfer_to(DX_USB_INTERRUPT, 0x82, data, 8);
	struct dx_usb_transfer control = transfer_to(DX_USB_CONTROL, 0, data, 8);
	struct dx_usb_transfer wrong = transfer_to(DX_USB_BULK, 0x84, data, 8);
	struct dx_usb_transfer huge = transfer_to(DX_USB_BULK, 0x81, data, 0x7FFFFFFF);
	const uint8_t setup[8] = {0xC0, 0x5C, 1, 2, 3, 4, 8, 0};
	struct dx_usbip_unit unit;

	open_link(&link);
	memcpy(control.setup, setup, sizeof(setup));
	CHECK_EQ(ops->submit(link.client, &wrong), -ENOENT);
	CHECK_EQ(ops->submit(link.client, &huge), -EINVAL);
	submit(&link, &interrupt);
	submit(&link, &control);
	settle(&link);
	unit = hear(&link);
	CHECK_EQ(unit.interval, 8); /* bInterval 4 at high speed: 8 microframes */
	CHECK_EQ(unit.endpoint, 2);
	unit = hear(&link);
	CHECK_EQ(unit.endpoint, 0);
	CHECK(unit.is_in);
	CHECK_MEM_EQ(unit.setup, setup, sizeof(setup));
	CHECK_EQ(ops->claim(link.client, 0), 0);
	CHECK_EQ(ops->claim(link.client, 0), -EBUSY);
	CHECK_EQ(ops->claim(link.client, 9), -ENOENT);
	ops->release(link.client, 0);
	CHECK_EQ(ops->claim(link.client, 0), 0);
	close_link(&link);
}

TEST(one_endpoint_does_not_fill_the_server)
{
	enum { COUNT = 300 };
	struct link link;
	static uint8_t data[64];
	static struct dx_usb_transfer transfers[COUNT];
	struct dx_usb_transfer other = transfer_to(DX_USB_INTERRUPT, 0x82, data, 8);
	unsigned nr_heard = 0;

	open_link(&link);
	for (unsigned i = 0; i < COUNT; i++) {
		transfers[i] = transfer_to(DX_USB_BULK, 0x81, data, 64);
		submit(&link, &transfers[i]);
	}
	submit(&link, &other);
	settle(&link);
	for (unsigned i = 0; i < 257; i++) { /* 256 of one, one of the other, which comes second */
		struct dx_usbip_unit unit = hear(&link);

		CHECK_EQ(unit.endpoint, i == 1 ? 2 : 1);
		nr_heard++;
	}
	hear_nothing(&link);
	CHECK_EQ(nr_heard, 257);
	close_link(&link);
}

/* ---- reset ---- */

static void ask_reset(struct link *link, struct dx_usb_transfer *done, int32_t sent)
{
	struct dx_usbip_unit unit;

	*done = transfer_to(DX_USB_CONTROL, 0, NULL, 0);
	CHECK_EQ(ops->reset(link->client, done), 0);
	settle(link);
	unit = hear(link);
	CHECK_EQ(unit.setup[0], 0x23);
	CHECK_EQ(unit.setup[1], 3);
	say_answer(link, unit.number, sent, 0);
	settle(link);
}

TEST(reset_takes_the_device_away)
{
	static const int32_t done[] = {0, DX_USBIP_EPIPE}; /* older Linux: the device stalls, too */

	for (unsigned i = 0; i < 2; i++) {
		struct link link;
		struct dx_usb_transfer transfer;

		open_link(&link);
		ask_reset(&link, &transfer, done[i]);
		CHECK_EQ(link.nr_complete, 1);
		CHECK_EQ(transfer.status, DX_USB_OK);
		CHECK_EQ(link.nr_gone, 1);
		close_link(&link);
	}
}

TEST(reset_that_the_server_refused_is_told_and_the_device_stays)
{
	static const struct {
		int32_t sent;
		int32_t status;
	} refusals[] = {
		{DX_USBIP_EINVAL, DX_USB_BAD_ARGUMENT}, {DX_USBIP_ENOMEM, DX_USB_NO_MEMORY},
		{DX_USBIP_EIO, DX_USB_IO_ERROR},	{DX_USBIP_ETIMEDOUT, DX_USB_TIMEOUT},
		{DX_USBIP_ENODEV, DX_USB_NOT_RESPONDING}, {-16, DX_USB_IO_ERROR},
	};
	struct link link;
	struct dx_usb_transfer transfer;

	open_link(&link);
	for (unsigned i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
		ask_reset(&link, &transfer, refusals[i].sent);
		CHECK_EQ(link.nr_complete, i + 1);
		CHECK_EQ(transfer.status, refusals[i].status);
		CHECK_EQ(link.nr_gone, 0);
	}
	ask_reset(&link, &transfer, 0);
	CHECK_EQ(transfer.status, DX_USB_OK);
	CHECK_EQ(link.nr_gone, 1);
	close_link(&link);
}

/* What the stack gives up it may use again at once, for something else. */
TEST(reset_that_was_given_up_leaves_nothing_behind)
{
	struct link link;
	uint8_t data[2] = {0};
	struct dx_usb_transfer transfer = transfer_to(DX_USB_CONTROL, 0, NULL, 0);
	uint32_t number = 0;

	open_link(&link);
	CHECK_EQ(ops->reset(link.client, &transfer), 0);
	settle(&link);
	number = hear(&link).number;
	cancel(&link, &transfer);
	settle(&link);
	CHECK_EQ(hear(&link).unlinked, number);
	say_unlinked(&link, number | UNLINK, DX_USBIP_ECONNRESET);
	settle(&link);
	CHECK_EQ(link.nr_complete, 1);
	CHECK_EQ(transfer.status, DX_USB_ABORTED);
	transfer = transfer_to(DX_USB_CONTROL, 0, data, sizeof(data));
	transfer.setup[0] = 0x80; /* GET_STATUS */
	transfer.setup[6] = sizeof(data);
	submit(&link, &transfer);
	settle(&link);
	say_answer(&link, hear(&link).number, 0, sizeof(data));
	say(&link, data, sizeof(data));
	settle(&link);
	CHECK_EQ(link.nr_complete, 2);
	CHECK_EQ(transfer.status, DX_USB_OK);
	CHECK_EQ(link.nr_gone, 0);
	close_link(&link);
}
