/* SPDX-License-Identifier: MIT
 *
 * usbip_hostile_test - a USB/IP server that lies, one lie per test.
 */
#include "unit/backend/usbip_link.h"

/* The lie has cost the device; what was under way has been told. */
static void expect_gone(struct link *link, const struct dx_usb_transfer *transfer, unsigned nr)
{
	struct dx_usb_transfer after = transfer_to(DX_USB_BULK, 0x81, NULL, 0);
	uint64_t frame = 0;

	settle(link);
	CHECK_EQ(link->nr_gone, 1);
	CHECK_EQ(link->nr_complete, nr);
	CHECK_EQ(transfer->status, DX_USB_NOT_RESPONDING);
	CHECK_EQ(ops->submit(link->client, &after), -ENODEV);
	CHECK_EQ(ops->clear_halt(link->client, 0x81, true, &after), -ENODEV);
	CHECK_EQ(ops->claim(link->client, 0), -ENODEV);
	CHECK_EQ(ops->frame_number(link->client, &frame, &frame), -ENODEV);
	CHECK_EQ(ops->next_deadline_ns(link->client), UINT64_MAX);
	CHECK(!ops->is_ready(link->client));
	close_link(link);
}

/* ---- lies in units ---- */

TEST(hostile_answer_to_an_unknown_request)
{
	static const uint32_t deltas[] = {1, 0x10000, UNLINK, 0xFFFFFFFFu, 0x7FFF0000};

	for (unsigned i = 0; i < sizeof(deltas) / sizeof(deltas[0]); i++) {
		struct asked asked;

		ask(&asked);
		say_answer(&asked.link, asked.number + deltas[i], 0, 0);
		expect_gone(&asked.link, &asked.transfer, 1);
	}
}

TEST(hostile_answer_twice)
{
	struct asked asked;

	ask(&asked);
	say_answer(&asked.link, asked.number, 0, 0);
	say_answer(&asked.link, asked.number, 0, 0);
	settle(&asked.link);
	CHECK_EQ(asked.link.nr_gone, 1);
	CHECK_EQ(asked.link.nr_complete, 1);
	CHECK_EQ(asked.transfer.status, DX_USB_OK);
	close_link(&asked.link);
}

TEST(hostile_answer_that_moved_more_than_was_asked_for)
{
	static const uint32_t lengths[] = {65, 0x7FFFFFFF, 0x80000000u, 0xFFFFFFFFu};

	for (unsigned i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		struct asked asked;
		uint8_t data[65] = {0};

		ask(&asked);
		say_answer(&asked.link, asked.number, 0, lengths[i]);
		say(&asked.link, data, sizeof(data));
		expect_gone(&asked.link, &asked.transfer, 1);
		CHECK_EQ(asked.data[0], 0x11);
	}
}

TEST(hostile_answer_about_something_else)
{
	for (unsigned i = 0; i < 4; i++) {
		struct asked asked;
		struct dx_usbip_unit unit = {.command = DX_USBIP_SUBMIT_ANSWER};

		ask(&asked);
		unit.number = asked.number;
		unit.device = i == 0 ? 77 : CANNED_DEVICE;
		unit.is_in = true;
		unit.endpoint = i == 1 ? 2 : 1;
		if (i < 2) {
			say_unit(&asked.link, &unit);
		} else {
			uint8_t bytes[DX_USBIP_UNIT_BYTES];

			dx_usbip_put_unit(bytes, &unit);
			bytes[i == 2 ? 15 : 19] = 16; /* no direction, no endpoint */
			say(&asked.link, bytes, sizeof(bytes));
		}
		expect_gone(&asked.link, &asked.transfer, 1);
	}
}

TEST(hostile_answer_in_the_wrong_direction)
{
	struct link link;
	uint8_t data[16] = {0};
	struct dx_usb_transfer transfer = transfer_to(DX_USB_BULK, 0x01, data, sizeof(data));
	struct dx_usbip_unit unit = {.command = DX_USBIP_SUBMIT_ANSWER, .is_in = true};

	open_link(&link);
	submit(&link, &transfer);
	settle(&link);
	unit.number = hear(&link).number;
	say_unit(&link, &unit);
	expect_gone(&link, &transfer, 1);
}

TEST(hostile_units_that_are_none_or_are_requests)
{
	for (uint32_t command = 0; command < 8; command++) {
		struct asked asked;
		struct dx_usbip_unit unit = {.command = command};

		if (command == DX_USBIP_SUBMIT_ANSWER || command == DX_USBIP_UNLINK_ANSWER) {
			continue;
		}
		ask(&asked);
		unit.number = asked.number;
		say_unit(&asked.link, &unit);
		expect_gone(&asked.link, &asked.transfer, 1);
	}
}

TEST(hostile_answer_to_an_unlink_that_was_not_sent)
{
	struct asked asked;

	ask(&asked);
	say_unlinked(&asked.link, asked.number | UNLINK, -104);
	expect_gone(&asked.link, &asked.transfer, 1);
}

TEST(hostile_answer_after_the_unlink_was_answered)
{
	struct asked asked;
	struct dx_usbip_unit unit;

	ask(&asked);
	cancel(&asked.link, &asked.transfer);
	settle(&asked.link);
	unit = hear(&asked.link);
	CHECK_EQ(unit.command, DX_USBIP_UNLINK);
	CHECK_EQ(unit.unlinked, asked.number);
	CHECK_EQ(asked.link.nr_complete, 0);
	say_unlinked(&asked.link, unit.number, -104);
	settle(&asked.link);
	CHECK_EQ(asked.link.nr_complete, 1);
	CHECK_EQ(asked.transfer.status, DX_USB_ABORTED);
	say_answer(&asked.link, asked.number, 0, 0);
	settle(&asked.link);
	CHECK_EQ(asked.link.nr_gone, 1);
	CHECK_EQ(asked.link.nr_complete, 1);
	close_link(&asked.link);
}

TEST(hostile_end_at_every_byte_of_an_answer)
{
	uint8_t bytes[DX_USBIP_UNIT_BYTES + 64] = {0};

	for (size_t length = 0; length < sizeof(bytes); length++) {
		struct asked asked;

		ask(&asked);
		canned_answer(bytes, asked.number, 0, 64);
		say(&asked.link, bytes, length);
		settle(&asked.link);
		CHECK_EQ(asked.link.nr_complete, 0);
		CHECK_EQ(ops->next_deadline_ns(asked.link.client) == UINT64_MAX, length == 0);
		CHECK_EQ(shutdown(asked.link.peer, SHUT_WR), 0);
		expect_gone(&asked.link, &asked.transfer, 1);
	}
}

TEST(hostile_answer_before_all_of_the_request_was_taken)
{
	struct link link;
	uint32_t length = 32u << 20;
	uint8_t *data = calloc(1, length);
	struct dx_usb_transfer transfer = transfer_to(DX_USB_BULK, 0x01, data, length);

	open_link(&link);
	submit(&link, &transfer);
	settle(&link);
	CHECK_NE(ops->next_deadline_ns(link.client), UINT64_MAX); /* it waits for room */
	say_answer(&link, hear(&link).number, 0, length);
	expect_gone(&link, &transfer, 1);
	free(data);
}

/* Three servers that stop: in the middle of an answer, after an unlink, in the middle of a request.
 */
TEST_SECONDS(hostile_silence_has_a_limit, 60)
{
	struct asked half, deaf;
	struct link full;
	uint32_t length = 32u << 20;
	uint8_t *data = calloc(1, length);
	struct dx_usb_transfer transfer = transfer_to(DX_USB_BULK, 0x01, data, length);

	ask(&half);
	ask(&deaf);
	open_link(&full);
	say_answer(&half.link, half.number, 0, 64);
	cancel(&deaf.link, &deaf.transfer);
	submit(&full, &transfer);
	settle(&half.link);
	settle(&deaf.link);
	settle(&full);
	for (;;) {
		(void)poll(NULL, 0, 20);
		ops->poll(half.link.client);
		ops->poll(deaf.link.client);
		ops->poll(full.client);
		if (half.link.nr_gone + deaf.link.nr_gone + full.nr_gone == 3) {
			break;
		}
	}
	expect_gone(&half.link, &half.transfer, 1);
	expect_gone(&deaf.link, &deaf.transfer, 1);
	expect_gone(&full, &transfer, 1);
	free(data);
}

/* ---- isochronous ---- */

struct asked_packets {
	struct link link;
	uint8_t data[400];
	struct dx_usb_packet packets[4];
	struct dx_usb_transfer transfer;
	uint32_t number;
	uint8_t sent[4 * DX_USBIP_PACKET_BYTES];
};

static void ask_packets(struct asked_packets *asked)
{
	open_link(&asked->link);
	memset(asked->data, 0x11, sizeof(asked->data));
	asked->transfer = transfer_to(DX_USB_ISOCHRONOUS, 0x83, asked->data, sizeof(asked->data));
	for (unsigned i = 0; i < 4; i++) {
		asked->packets[i] = (struct dx_usb_packet){.length = 100, .status = DX_USB_INVALID};
	}
	asked->transfer.packets = asked->packets;
	asked->transfer.nr_packets = 4;
	submit(&asked->link, &asked->transfer);
	settle(&asked->link);
	asked->number = hear(&asked->link).number;
	CHECK_EQ(recv(asked->link.peer, asked->sent, sizeof(asked->sent), MSG_WAITALL),
		 (ssize_t)sizeof(asked->sent));
}

static void say_packets(struct asked_packets *asked, uint32_t nr, const uint32_t *actuals,
			uint32_t actual, int32_t status)
{
	struct dx_usbip_unit unit = {
		.command = DX_USBIP_SUBMIT_ANSWER,
		.number = asked->number,
		.actual = actual,
		.nr_packets = nr,
	};
	uint8_t data[400];

	for (unsigned i = 0; i < sizeof(data); i++) {
		data[i] = (uint8_t)i;
	}
	say_unit(&asked->link, &unit);
	say(&asked->link, data, actual > sizeof(data) ? sizeof(data) : actual);
	for (unsigned i = 0; i < 4; i++) {
		const struct dx_usbip_packet packet = {
			.offset = i * 100, .length = 100, .actual = actuals[i], .status = status};

		dx_usbip_put_packet(asked->sent + (size_t)i * DX_USBIP_PACKET_BYTES, &packet);
	}
	say(&asked->link, asked->sent, sizeof(asked->sent));
	settle(&asked->link);
}

TEST(hostile_packets_that_are_true_come_apart)
{
	struct asked_packets asked;
	const uint32_t actuals[] = {10, 0, 100, 5};

	ask_packets(&asked);
	CHECK_EQ(dx_usbip_get32(asked.sent + 3 * DX_USBIP_PACKET_BYTES), 300);
	say_packets(&asked, 4, actuals, 115, 0);
	CHECK_EQ(asked.link.nr_complete, 1);
	CHECK_EQ(asked.transfer.status, DX_USB_OK);
	CHECK_EQ(asked.data[9], 9);
	CHECK_EQ(asked.data[200], 10);
	CHECK_EQ(asked.data[299], 109);
	CHECK_EQ(asked.data[300], 110);
	CHECK_EQ(asked.data[304], 114);
	CHECK_EQ(asked.data[305], 0x11);
	CHECK_EQ(asked.packets[2].actual, 100);
	CHECK_NE(asked.packets[2].timestamp_ns, 0);
	close_link(&asked.link);
}

TEST(hostile_packets_that_do_not_add_up_fail_that_transfer)
{
	static const uint32_t lies[][4] = {
		{100, 100, 100, 99}, {101, 0, 0, 0}, {0, 0, 0, 0xFFFFFFFF}};
	static const uint32_t sums[] = {400, 101, 0};

	for (unsigned i = 0; i < 3; i++) {
		struct asked_packets asked;

		ask_packets(&asked);
		say_packets(&asked, 4, lies[i], sums[i], 0);
		CHECK_EQ(asked.link.nr_complete, 1);
		CHECK_EQ(asked.link.nr_gone, 0);
		CHECK_EQ(asked.transfer.status, DX_USB_IO_ERROR);
		CHECK_EQ(asked.packets[0].status, DX_USB_IO_ERROR);
		CHECK_EQ(asked.packets[0].actual, 0);
		close_link(&asked.link);
	}
}

TEST(hostile_number_of_packets)
{
	static const uint32_t counts[] = {0, 3, 5, 0x7FFFFFFF, 0x80000000u, 0xFFFFFFFFu};
	const uint32_t actuals[] = {0, 0, 0, 0};

	for (unsigned i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
		struct asked_packets asked;

		ask_packets(&asked);
		say_packets(&asked, counts[i], actuals, 0, 0);
		expect_gone(&asked.link, &asked.transfer, 1);
	}
}

/* ---- opening ---- */

TEST(open_of_a_server_that_stops_at_any_byte_fails)
{
	uint8_t replies[CANNED_BYTES];
	size_t length = canned_replies(replies);

	for (size_t cut = 0; cut < length; cut++) {
		struct link link;
		char message[256] = "";
		int fds[2];

		CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
		CHECK_EQ(write(fds[1], replies, cut), (ssize_t)cut);
		CHECK_EQ(shutdown(fds[1], SHUT_WR), 0);
		CHECK_EQ(ops->open(CANNED_SPEC, fds[0], &host, &link, message, sizeof(message),
				   &link.client),
			 -ECONNRESET);
		CHECK(strstr(message, CANNED_SPEC) != NULL);
		(void)close(fds[1]);
	}
}

/* Byte `at` of the replies becomes value; open() must end with that error. */
static void expect_open(size_t at, uint8_t value, int result)
{
	uint8_t replies[CANNED_BYTES];
	size_t length = canned_replies(replies);
	struct link link;
	char message[256] = "";

	replies[at] = value;
	CHECK_EQ(try_open(&link, replies, length, message, sizeof(message)), result);
	CHECK_NE(message[0], '\0');
	(void)close(link.peer);
}

TEST(open_of_a_server_that_lies_fails)
{
	size_t device = DX_USBIP_HEADER_BYTES;
	size_t first = device + DX_USBIP_DEVICE_BYTES; /* answer with the device descriptor */
	size_t second = first + DX_USBIP_UNIT_BYTES + 18;

	dx_log_set_level(DX_LOG_ERROR);
	expect_open(1, 0x10, -EPROTO); /* version */
	expect_open(3, 5, -EPROTO);    /* code */
	expect_open(7, 1, -EBUSY);     /* status */
	expect_open(7, 2, -EBUSY);
	expect_open(7, 4, -ENODEV);
	expect_open(7, 9, -EIO);
	expect_open(device + 256, '2', -EPROTO);    /* another bus id */
	expect_open(device + 256 + 32, 1, -EPROTO); /* a bus number that does not fit */
	expect_open(first + 3, 4, -EPROTO);         /* another command */
	expect_open(first + 7, 2, -EPROTO);         /* another number */
	expect_open(first + 24 + 3, 19, -EPROTO);   /* more than was asked for */
	expect_open(first + 20 + 3, 0x20, -EPIPE);  /* refused */
	expect_open(first + 24 + 3, 17, -EPROTO);   /* too little of a device descriptor */
	expect_open(second + 48, 8, -EPROTO);       /* configuration: bLength */
	expect_open(second + 48 + 1, 4, -EPROTO);   /* bDescriptorType */
	expect_open(second + 48 + 2, 8, -EPROTO);   /* wTotalLength */
}
