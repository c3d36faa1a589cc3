/* SPDX-License-Identifier: MIT
 *
 * usbip_reply_fuzz - the USB/IP client, fed by a server that says anything.
 *
 * The first byte: bit 0 sends the bytes instead of the handshake, bits 1..7 say which of the
 * transfers are cancelled before the bytes arrive. A model beside it: each transfer that was
 * accepted completes exactly once, what is done is not touched again, and the device is gone in the
 * end.
 */
#include <assert.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "backend/usbip/usbip.h"
#include "base/log.h"
#include "fuzz.h"
#include "support/canned.h"

#define MAX_BYTES  65536u
#define NR         7u
#define DATA_BYTES 128u

struct model {
	struct dx_usb_transfer transfers[NR];
	struct dx_usb_packet packets[NR][3];
	uint8_t data[NR][DATA_BYTES];
	bool is_pending[NR];
	unsigned nr_gone;
};

static void complete(void *ctx, struct dx_usb_transfer *transfer)
{
	struct model *model = ctx;
	size_t i = (size_t)(transfer - model->transfers);

	assert(i < NR && model->is_pending[i]);
	assert(transfer->actual <= transfer->length);
	model->is_pending[i] = false;
	memset(model->data[i], 0xDD, DATA_BYTES); /* the caller's again */
}

static void gone(void *ctx)
{
	((struct model *)ctx)->nr_gone++;
}

static const struct dx_usb_backend_host host = {.complete = complete, .gone = gone};

static void submit_all(struct model *model, struct dx_usb_backend *client)
{
	static const struct {
		uint8_t type;
		uint8_t endpoint;
	} kinds[NR] = {
		{DX_USB_BULK, 0x81},      {DX_USB_BULK, 0x81},        {DX_USB_BULK, 0x01},
		{DX_USB_INTERRUPT, 0x82}, {DX_USB_ISOCHRONOUS, 0x83}, {DX_USB_ISOCHRONOUS, 0x03},
		{DX_USB_CONTROL, 0},
	};

	for (unsigned i = 0; i < NR; i++) {
		struct dx_usb_transfer *transfer = &model->transfers[i];

		*transfer = (struct dx_usb_transfer){
			.type = kinds[i].type,
			.endpoint = kinds[i].endpoint,
			.data = model->data[i],
			.length = 90,
			.packets = model->packets[i],
			.nr_packets = kinds[i].type == DX_USB_ISOCHRONOUS ? 3 : 0,
			.setup = {0xC0, 1, 0, 0, 0, 0, 90, 0},
		};
		for (unsigned j = 0; j < 3; j++) {
			model->packets[i][j] = (struct dx_usb_packet){.length = 30};
		}
		dx_list_init(&transfer->link);
		model->is_pending[i] = dx_backend_usbip.submit(client, transfer) == 0;
	}
	dx_backend_usbip.poll(client);
}

static void cancel_some(struct model *model, struct dx_usb_backend *client, unsigned which)
{
	for (unsigned i = 0; i < NR; i++) {
		if (which & 1u << i && model->is_pending[i]) {
			model->transfers[i].cancelled = true;
			dx_backend_usbip.cancel(client, &model->transfers[i]);
		}
	}
	dx_backend_usbip.poll(client);
}

static void check_after(const struct model *model)
{
	assert(model->nr_gone == 1);
	for (unsigned i = 0; i < NR; i++) {
		assert(!model->is_pending[i]);
		for (unsigned j = 0; j < DATA_BYTES; j++) {
			assert(model->data[i][j] == 0xDD || model->data[i][j] == 0);
		}
	}
}

static void talk(int fd, int peer, const uint8_t *bytes, size_t length, unsigned which)
{
	struct model model = {.nr_gone = 0};
	struct dx_usb_backend *client = NULL;
	char message[256] = "";

	if (dx_backend_usbip.open(CANNED_SPEC, fd, &host, &model, message, sizeof(message),
				  &client) < 0) {
		assert(message[0] != '\0');
		return;
	}
	submit_all(&model, client);
	cancel_some(&model, client, which);
	/* What does not fit into the socket is not said; a handshake from the input ends there,
	 * too. */
	(void)!send(peer, bytes, length, MSG_DONTWAIT | MSG_NOSIGNAL);
	(void)shutdown(peer, SHUT_WR);
	for (unsigned i = 0; i < 10000 && model.nr_gone == 0; i++) {
		dx_backend_usbip.poll(client);
	}
	check_after(&model);
	dx_backend_usbip.close(client);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	uint8_t replies[CANNED_BYTES];
	int fds[2];

	if (length == 0 || length > MAX_BYTES ||
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) < 0) {
		return 0;
	}
	dx_log_set_level(DX_LOG_ERROR);
	if (bytes[0] & 1) {
		(void)!send(fds[1], bytes + 1, length - 1, MSG_DONTWAIT | MSG_NOSIGNAL);
		(void)shutdown(fds[1], SHUT_WR);
		talk(fds[0], fds[1], NULL, 0, bytes[0] >> 1);
	} else {
		(void)!write(fds[1], replies, canned_replies(replies));
		talk(fds[0], fds[1], bytes + 1, length - 1, bytes[0] >> 1);
	}
	(void)close(fds[1]);
	return 0;
}
