/* SPDX-License-Identifier: MIT
 *
 * usbip - the table that the USB stack calls, and the end of a connection.
 *
 * Place:      backend/usbip; invariants in runtime.h and usb/backend.h.
 * Hot path:   submit only queues. poll() sends everything that is queued, up to 32 requests with
 *             one sendmsg(), or receives: many small answers with one recvmsg(), a large one with
 *             about one. No system call is made to learn that there is nothing to do, but for one
 *             recvmsg() when poll() is called for no reason.
 */
#include "backend/usbip/usbip.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>

#include "backend/usbip/runtime.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"

#define FRAME_NS 1000000u

static struct dx_usbip_client *client_of(struct dx_usb_backend *backend)
{
	return (struct dx_usbip_client *)(void *)backend;
}

static const struct dx_usbip_client *client_of_const(const struct dx_usb_backend *backend)
{
	return (const struct dx_usbip_client *)(const void *)backend;
}

static const struct dx_usb_backend_info *usbip_info(const struct dx_usb_backend *backend)
{
	return &client_of_const(backend)->info;
}

/* ---- interfaces: the server gives the device as a whole ---- */

static int usbip_claim(struct dx_usb_backend *backend, uint8_t interface_number)
{
	struct dx_usbip_client *client = client_of(backend);
	uint64_t *word = &client->claimed[interface_number / 64];
	uint64_t bit = 1ull << interface_number % 64;

	if (client->gone || client->is_broken) {
		return -ENODEV;
	}
	if (*word & bit) {
		return -EBUSY;
	}
	if (!dx_usbip_layout_has_interface(&client->layout, interface_number)) {
		return -ENOENT;
	}
	*word |= bit;
	return 0;
}

static void usbip_release(struct dx_usb_backend *backend, uint8_t interface_number)
{
	client_of(backend)->claimed[interface_number / 64] &= ~(1ull << interface_number % 64);
}

/* ---- requests ---- */

static int usbip_submit(struct dx_usb_backend *backend, struct dx_usb_transfer *transfer)
{
	return dx_usbip_submit(client_of(backend), transfer);
}

static void usbip_cancel(struct dx_usb_backend *backend, struct dx_usb_transfer *transfer)
{
	dx_usbip_cancel(client_of(backend), transfer);
}

static int submit_request(struct dx_usbip_client *client, struct dx_usb_transfer *done,
			  uint8_t request_type, uint8_t request, uint8_t value, uint8_t index)
{
	const uint8_t setup[8] = {request_type, request, value, 0, index, 0, 0, 0};

	memcpy(done->setup, setup, sizeof(setup));
	return dx_usbip_submit(client, done);
}

static int usbip_set_configuration(struct dx_usb_backend *backend, uint8_t value,
				   struct dx_usb_transfer *done)
{
	return submit_request(client_of(backend), done, 0x00, 9, value, 0);
}

static int usbip_set_altsetting(struct dx_usb_backend *backend, uint8_t interface_number,
				uint8_t setting, struct dx_usb_transfer *done)
{
	return submit_request(client_of(backend), done, 0x01, 11, setting, interface_number);
}

/* Linux clears both sides when it sees the request; without a request its side cannot be reached.
 */
static int usbip_clear_halt(struct dx_usb_backend *backend, uint8_t address, bool with_request,
			    struct dx_usb_transfer *done)
{
	struct dx_usbip_client *client = client_of(backend);
	struct dx_usbip_endpoint *endpoint = dx_usbip_endpoint(client, address);

	if (client->gone || client->is_broken) {
		return -ENODEV;
	}
	if (endpoint == NULL) {
		return -ENOENT;
	}
	dx_usbip_resume(client, endpoint);
	if (with_request) {
		return submit_request(client, done, 0x02, 1, 0, address);
	}
	dx_list_push_back(&client->local, &done->link);
	return 0;
}

/* A class request to a port, as a hub gets it; servers reset the device instead of passing it on.
 */
static int usbip_reset(struct dx_usb_backend *backend, struct dx_usb_transfer *done)
{
	struct dx_usbip_client *client = client_of(backend);
	int result = submit_request(client, done, 0x23, 3, 4, 1);

	if (result == 0) {
		client->reset_done = done;
	}
	return result;
}

/* ---- events ---- */

void dx_usbip_break(struct dx_usbip_client *client, const char *format, ...)
{
	va_list arguments;

	if (client->is_broken) {
		return;
	}
	client->is_broken = true;
	va_start(arguments, format);
	(void)vsnprintf(client->reason, sizeof(client->reason), format, arguments);
	va_end(arguments);
}

static void tell_gone(struct dx_usbip_client *client)
{
	if (!client->resets) {
		dx_log_warning("usbip %s/%s: %s; the device is gone", client->spec.peer,
			       client->spec.busid, client->reason);
	}
	client->gone = true;
	dx_fd_close(&client->fd); /* leaves the epoll by itself */
	dx_usbip_fail_all(client);
	client->host->gone(client->host_ctx);
}

static uint64_t earliest(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* When the peer's time to go on is over. */
static uint64_t stall_ns(const struct dx_usbip_client *client)
{
	uint64_t begun_ns = UINT64_MAX;

	if (client->read_ns != 0) {
		begun_ns = client->read_ns;
	}
	if (client->write_ns != 0) {
		begun_ns = earliest(begun_ns, client->write_ns);
	}
	if (!dx_list_is_empty(&client->unlinking)) {
		begun_ns = earliest(
			begun_ns, dx_list_entry(client->unlinking.next, struct dx_usbip_slot, link)
					  ->unlink_ns);
	}
	return begun_ns == UINT64_MAX ? UINT64_MAX : begun_ns + DX_USBIP_STALL_NS;
}

static uint64_t usbip_next_deadline_ns(const struct dx_usb_backend *backend)
{
	const struct dx_usbip_client *client = client_of_const(backend);

	return client->gone ? UINT64_MAX : earliest(stall_ns(client), client->wake_ns);
}

static void check_stall(struct dx_usbip_client *client)
{
	uint64_t deadline_ns = stall_ns(client);

	if (deadline_ns != UINT64_MAX && dx_clock_now_ns() >= deadline_ns) {
		dx_usbip_break(client, client->read_ns != 0
					       ? "it has stopped in the middle of an answer"
				       : client->write_ns != 0 ? "it has stopped taking requests"
							       : "it does not answer an unlink");
	}
}

/* The socket's room is of interest exactly while something waits for it. */
static void watch_room(struct dx_usbip_client *client)
{
	bool wants_room = client->write_ns != 0;
	struct epoll_event event = {.events = EPOLLIN | (wants_room ? EPOLLOUT : 0u)};

	if (wants_room == client->wants_room) {
		return;
	}
	if (epoll_ctl(client->event_fd, EPOLL_CTL_MOD, client->fd, &event) < 0) {
		dx_usbip_break(client, "epoll: %s", strerror(errno));
		return;
	}
	client->wants_room = wants_room;
}

static void finish_local(struct dx_usbip_client *client)
{
	while (!dx_list_is_empty(&client->local)) {
		dx_usbip_complete(client,
				  dx_list_entry(client->local.next, struct dx_usb_transfer, link),
				  DX_USB_OK);
	}
}

static bool usbip_is_ready(const struct dx_usb_backend *backend)
{
	const struct dx_usbip_client *client = client_of_const(backend);

	return !client->gone && (client->is_broken || !dx_list_is_empty(&client->local) ||
				 (!client->wants_room && dx_usbip_has_output(client)));
}

/* What was just queued is sent without asking the socket for answers first; but not twice in a row.
 */
static void usbip_poll(struct dx_usb_backend *backend)
{
	struct dx_usbip_client *client = client_of(backend);

	if (client->gone) {
		return;
	}
	finish_local(client);
	dx_usbip_wake(client);
	client->skipped = !client->skipped && !client->wants_room && dx_usbip_has_output(client);
	if (!client->skipped && !client->is_broken) {
		dx_usbip_receive(client);
	}
	if (!client->is_broken) {
		dx_usbip_flush(client);
	}
	if (!client->is_broken) {
		check_stall(client);
	}
	if (!client->is_broken) {
		watch_room(client);
	}
	if (client->is_broken) {
		tell_gone(client);
	}
}

static int usbip_event_fd(const struct dx_usb_backend *backend)
{
	return client_of_const(backend)->event_fd;
}

static int usbip_frame_number(struct dx_usb_backend *backend, uint64_t *ret_frame,
			      uint64_t *ret_time_ns)
{
	const struct dx_usbip_client *client = client_of(backend);
	uint64_t now_ns = dx_clock_now_ns();

	if (client->gone || client->is_broken) {
		return -ENODEV;
	}
	*ret_frame = (now_ns - client->epoch_ns) / FRAME_NS;
	*ret_time_ns = now_ns;
	return 0;
}

const struct dx_usb_backend_ops dx_backend_usbip = {
	.name = "usbip",
	.reconnects = true,
	.accepts = dx_usbip_accepts,
	.acquire = dx_usbip_acquire,
	.open = dx_usbip_open,
	.close = dx_usbip_close,
	.info = usbip_info,
	.claim = usbip_claim,
	.release = usbip_release,
	.submit = usbip_submit,
	.cancel = usbip_cancel,
	.set_configuration = usbip_set_configuration,
	.set_altsetting = usbip_set_altsetting,
	.clear_halt = usbip_clear_halt,
	.reset = usbip_reset,
	.is_ready = usbip_is_ready,
	.poll = usbip_poll,
	.event_fd = usbip_event_fd,
	.next_deadline_ns = usbip_next_deadline_ns,
	.frame_number = usbip_frame_number,
};
