/* SPDX-License-Identifier: MIT
 *
 * usbip_link - a client whose server is the test itself, in one thread; see support/canned.h.
 */
#ifndef DX_TESTS_USBIP_LINK_H
#define DX_TESTS_USBIP_LINK_H

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "backend/usbip/usbip.h"
#include "base/log.h"
#include "support/canned.h"
#include "test.h"

#define UNLINK 0x80000000u /* the number of the unlink of a request */

struct link {
	struct dx_usb_backend *client;
	int peer;
	unsigned nr_complete;
	unsigned nr_gone;
};

__attribute__((unused)) static void on_complete(void *ctx, struct dx_usb_transfer *transfer)
{
	struct link *link = ctx;

	CHECK_EQ(link->nr_gone, 0);
	CHECK_NE(transfer->status, DX_USB_INVALID);
	link->nr_complete++;
}

__attribute__((unused)) static void on_gone(void *ctx)
{
	((struct link *)ctx)->nr_gone++;
}

static const struct dx_usb_backend_host host = {.complete = on_complete, .gone = on_gone};
static const struct dx_usb_backend_ops *const ops = &dx_backend_usbip;

__attribute__((unused)) static int try_open(struct link *link, const uint8_t *replies,
					    size_t length, char *message, size_t message_size)
{
	int fds[2];

	*link = (struct link){.peer = -1};
	CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
	CHECK_EQ(write(fds[1], replies, length), (ssize_t)length);
	link->peer = fds[1];
	return ops->open(CANNED_SPEC, fds[0], &host, link, message, message_size, &link->client);
}

__attribute__((unused)) static void open_link(struct link *link)
{
	uint8_t replies[CANNED_BYTES];
	size_t length = canned_replies(replies);
	char message[256] = "";

	if (try_open(link, replies, length, message, sizeof(message)) < 0) {
		FAIL("open: %s", message);
	}
	/* What open() has asked for: an import, and three descriptors. */
	length = DX_USBIP_HEADER_BYTES + DX_USBIP_BUSID_BYTES + 3 * DX_USBIP_UNIT_BYTES;
	CHECK_EQ(recv(link->peer, replies, length, MSG_WAITALL), (ssize_t)length);
	dx_log_set_level(DX_LOG_ERROR);
}

__attribute__((unused)) static void close_link(struct link *link)
{
	ops->close(link->client);
	(void)close(link->peer);
}

__attribute__((unused)) static struct dx_usb_transfer transfer_to(uint8_t type, uint8_t endpoint,
								  uint8_t *data, uint32_t length)
{
	struct dx_usb_transfer transfer = {
		.type = type,
		.endpoint = endpoint,
		.data = data,
		.length = length,
		.status = DX_USB_INVALID,
	};

	dx_list_init(&transfer.link);
	return transfer;
}

__attribute__((unused)) static void submit(struct link *link, struct dx_usb_transfer *transfer)
{
	dx_list_init(&transfer->link);
	CHECK_EQ(ops->submit(link->client, transfer), 0);
}

__attribute__((unused)) static void cancel(struct link *link, struct dx_usb_transfer *transfer)
{
	transfer->cancelled = true;
	ops->cancel(link->client, transfer);
}

/* Everything that can happen without the peer. */
__attribute__((unused)) static void settle(struct link *link)
{
	for (unsigned i = 0; i < 4 || (ops->is_ready(link->client) && i < 1000); i++) {
		ops->poll(link->client);
	}
}

__attribute__((unused)) static struct dx_usbip_unit hear(struct link *link)
{
	uint8_t bytes[DX_USBIP_UNIT_BYTES];
	struct dx_usbip_unit unit;

	CHECK_EQ(recv(link->peer, bytes, sizeof(bytes), MSG_WAITALL), (ssize_t)sizeof(bytes));
	CHECK_EQ(dx_usbip_get_unit(bytes, &unit), 0);
	CHECK_EQ(unit.device, CANNED_DEVICE);
	return unit;
}

__attribute__((unused)) static void hear_nothing(const struct link *link)
{
	uint8_t byte = 0;

	CHECK_EQ(recv(link->peer, &byte, 1, MSG_DONTWAIT), -1);
	CHECK_EQ(errno, EAGAIN);
}

__attribute__((unused)) static void say(struct link *link, const void *bytes, size_t length)
{
	CHECK_EQ(send(link->peer, bytes, length, MSG_NOSIGNAL), (ssize_t)length);
}

__attribute__((unused)) static void say_answer(struct link *link, uint32_t number, int32_t status,
					       uint32_t actual)
{
	uint8_t bytes[DX_USBIP_UNIT_BYTES];

	canned_answer(bytes, number, status, actual);
	say(link, bytes, sizeof(bytes));
}

__attribute__((unused)) static void say_unlinked(struct link *link, uint32_t number, int32_t status)
{
	uint8_t bytes[DX_USBIP_UNIT_BYTES];

	canned_unlink_answer(bytes, number, status);
	say(link, bytes, sizeof(bytes));
}

__attribute__((unused)) static void say_unit(struct link *link, const struct dx_usbip_unit *unit)
{
	uint8_t bytes[DX_USBIP_UNIT_BYTES];

	dx_usbip_put_unit(bytes, unit);
	say(link, bytes, sizeof(bytes));
}

/* A bulk IN of 64 bytes that has been sent; the peer has its number. */
struct asked {
	struct link link;
	uint8_t data[64];
	struct dx_usb_transfer transfer;
	uint32_t number;
};

__attribute__((unused)) static void ask(struct asked *asked)
{
	struct dx_usbip_unit unit;

	open_link(&asked->link);
	memset(asked->data, 0x11, sizeof(asked->data));
	asked->transfer = transfer_to(DX_USB_BULK, 0x81, asked->data, sizeof(asked->data));
	submit(&asked->link, &asked->transfer);
	settle(&asked->link);
	unit = hear(&asked->link);
	CHECK_EQ(unit.command, DX_USBIP_SUBMIT);
	CHECK_EQ(unit.endpoint, 1);
	CHECK(unit.is_in);
	CHECK_EQ(unit.length, 64);
	asked->number = unit.number;
}

#endif
