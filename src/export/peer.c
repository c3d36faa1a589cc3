/* SPDX-License-Identifier: MIT
 *
 * peer - a client's connection: what comes in, when nothing may, and the end.
 *
 * Place:      export; the picture is in private.h.
 * Trust:      a client that breaks the protocol loses its connection, nothing else.
 */
#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "backend/usbip/connect.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "export/private.h"

#define GREETING_NS 10000000000u /* for the first words */
#define LIST_NS     1000000000u  /* that a list waits for devices that are being opened */
#define READ_ROUNDS 16u          /* system calls before the backend has its turn */
#define WORK_ROUNDS 16u          /* turns before other clients have theirs */

/* ---- the end ---- */

void dx_export_peer_end(struct dx_export_peer *peer, const char *why)
{
	struct dx_export_device *device = peer->device;

	if (peer->has_ended) {
		return;
	}
	dx_export_say(peer->export, "%s%s%s: the connection is over%s%s", peer->name,
		      device == NULL ? "" : " with ", device == NULL ? "" : device->busid,
		      why == NULL ? "" : ": ", why == NULL ? "" : why);
	peer->has_ended = true;
	peer->source = dx_loop_source_remove(peer->source);
	peer->timer = dx_loop_source_remove(peer->timer);
	dx_fd_close(&peer->fd);
	dx_export_answers_drop(peer);
	dx_export_answer_free(peer, peer->overtaken);
	peer->overtaken = NULL;
	free(peer->reply);
	peer->reply = NULL;
	if (peer->reading != NULL) {
		dx_export_request_free(peer->reading);
		peer->reading = NULL;
	}
	if (peer->barrier != NULL && dx_list_is_empty(&peer->barrier->link)) {
		dx_export_request_free(peer->barrier); /* the backend does not have it yet */
		peer->barrier = NULL;
	}
	while (!dx_list_is_empty(&peer->held)) { /* removes itself */
		dx_export_request_free(
			dx_list_entry(peer->held.next, struct dx_export_request, link));
	}
	if (device == NULL || device->is_gone) {
		return;
	}
	for (struct dx_list *node = device->requests.next; node != &device->requests;) {
		struct dx_list *next = node->next;

		dx_export_request_cancel(dx_list_entry(node, struct dx_export_request, link));
		node = next;
	}
}

void dx_export_peer_free(struct dx_export_peer *peer)
{
	dx_export_numbers_fini(&peer->names);
	free(peer);
}

void dx_export_peer_reap(struct dx_export_peer *peer)
{
	struct dx_export_device *device = peer->device;

	if (!peer->has_ended || (device != NULL && !dx_export_device_is_idle(device))) {
		return;
	}
	if (device != NULL) {
		device->importer = NULL;
		dx_export_device_renew(device, true);
	}
	dx_list_remove(&peer->link);
	peer->export->nr_peers--;
	dx_export_listen_again(peer->export);
	dx_export_peer_free(peer);
}

bool dx_export_peer_has_hung_up(const struct dx_export_peer *peer)
{
	struct pollfd pollfd = {.fd = peer->fd, .events = POLLRDHUP};

	return !peer->has_ended && poll(&pollfd, 1, 0) > 0 &&
	       (pollfd.revents & (POLLRDHUP | POLLHUP | POLLERR)) != 0;
}

/* ---- what has been read ---- */

static void want(struct dx_export_peer *peer, enum dx_export_phase phase, void *place,
		 size_t length)
{
	peer->phase = phase;
	dx_usbip_reader_want(&peer->reader, place, length);
}

static void want_unit(struct dx_export_peer *peer)
{
	want(peer, DX_EXPORT_READ_UNIT, peer->bytes_in, DX_USBIP_UNIT_BYTES);
}

static void end_for(struct dx_export_peer *peer, int result, const char *what)
{
	dx_export_peer_end(peer, result == -EPROTO ? what : strerror(-result));
}

/* What it has asked for is answered: with what is there now. */
static void reply(struct dx_export_peer *peer)
{
	int result = peer->wants_list ? dx_export_greet_list(peer) : dx_export_greet_import(peer);

	peer->phase = DX_EXPORT_WRITE_REPLY;
	dx_loop_set_timer(peer->timer, dx_clock_now_ns() + GREETING_NS);
	if (result < 0) {
		end_for(peer, result, "");
	}
}

/* A list does not wait long for a slow device; who wants that one waits as long as it takes. */
static void reply_or_wait(struct dx_export_peer *peer)
{
	bool waits = peer->wants_list ? dx_export_list_must_wait(peer)
				      : dx_export_import_must_wait(peer);

	if (!waits) {
		reply(peer);
		return;
	}
	peer->phase = DX_EXPORT_WAIT;
	dx_loop_set_timer(peer->timer, peer->wants_list ? dx_clock_now_ns() + LIST_NS : 0);
}

static void take_greeting(struct dx_export_peer *peer)
{
	switch (dx_usbip_get_request(peer->bytes_in)) {
	case DX_USBIP_REQ_DEVLIST:
		peer->wants_list = true;
		reply_or_wait(peer);
		break;
	case DX_USBIP_REQ_IMPORT:
		want(peer, DX_EXPORT_READ_BUSID, peer->bytes_in, DX_USBIP_BUSID_BYTES);
		break;
	default:
		end_for(peer, -EPROTO, "what it asks for is no USB/IP 1.1.1");
		break;
	}
}

static void take_submit(struct dx_export_peer *peer)
{
	size_t data = dx_export_unit_data(&peer->unit);
	size_t packets = dx_export_unit_packets(peer, &peer->unit);

	if (packets > DX_USBIP_MAX_PACKETS * DX_USBIP_PACKET_BYTES) {
		dx_export_peer_end(peer, "too many isochronous packets");
		return;
	}
	dx_export_note_number(peer, peer->unit.number);
	peer->overtaken = dx_export_early_take(peer, peer->unit.number);
	if (peer->overtaken == NULL) {
		peer->refusal = dx_export_request_new(peer, &peer->unit, &peer->reading);
	}
	if (peer->overtaken != NULL || peer->refusal != 0) {
		want(peer, DX_EXPORT_SKIP, NULL, data + packets);
	} else {
		want(peer, DX_EXPORT_READ_DATA, peer->reading->transfer.data, data);
	}
}

static void take_unit(struct dx_export_peer *peer)
{
	int result = dx_usbip_get_unit(peer->bytes_in, &peer->unit);

	if (result < 0) {
		dx_export_peer_end(peer, "what it sends is no unit of USB/IP");
	} else if (peer->unit.device != (1u << 16 | peer->device->number)) {
		dx_export_peer_end(peer, "it means another device than the one it has imported");
	} else if (peer->unit.command == DX_USBIP_SUBMIT) {
		peer->is_parked = peer->barrier != NULL && peer->unit.endpoint != 0; /* X5 */
		if (!peer->is_parked) {
			take_submit(peer);
		}
	} else if (peer->unit.command == DX_USBIP_UNLINK) {
		result = dx_export_unlink(peer, &peer->unit);
		if (result < 0) {
			end_for(peer, result, "");
		} else {
			want_unit(peer);
		}
	} else {
		dx_export_peer_end(peer, "it answers what nobody has asked");
	}
}

static void take_data(struct dx_export_peer *peer)
{
	want(peer, DX_EXPORT_READ_PACKETS, peer->reading->answer.packets,
	     peer->reading->answer.packets_length);
}

static void take_request(struct dx_export_peer *peer)
{
	struct dx_export_request *request = dx_take_ptr(&peer->reading);

	dx_export_request_start(request);
	want_unit(peer);
}

static void take_skipped(struct dx_export_peer *peer)
{
	struct dx_export_answer *overtaken = dx_take_ptr(&peer->overtaken);
	int result = 0;

	if (overtaken != NULL) {
		overtaken->unit.status = DX_USBIP_ECONNRESET;
		dx_export_answer_push(peer, overtaken);
	} else {
		result = dx_export_refuse(peer, &peer->unit, peer->refusal);
	}
	if (result < 0) {
		end_for(peer, result, "");
	} else {
		want_unit(peer);
	}
}

static void take(struct dx_export_peer *peer)
{
	switch (peer->phase) {
	case DX_EXPORT_READ_REQUEST:
		take_greeting(peer);
		break;
	case DX_EXPORT_READ_BUSID:
		reply_or_wait(peer);
		break;
	case DX_EXPORT_READ_UNIT:
		take_unit(peer);
		break;
	case DX_EXPORT_READ_DATA:
		take_data(peer);
		break;
	case DX_EXPORT_READ_PACKETS:
		take_request(peer);
		break;
	case DX_EXPORT_SKIP:
		take_skipped(peer);
		break;
	case DX_EXPORT_WAIT:
	case DX_EXPORT_WRITE_REPLY:
		break;
	}
}

/* ---- reading and writing ---- */

static bool may_read(const struct dx_export_peer *peer)
{
	return !peer->has_ended && peer->phase != DX_EXPORT_WAIT &&
	       peer->phase != DX_EXPORT_WRITE_REPLY &&
	       (!peer->is_parked || peer->barrier == NULL) &&
	       !dx_export_answers_are_too_many(peer);
}

/* Whatever has arrived, while it may be read. */
static void read_some(struct dx_export_peer *peer)
{
	for (unsigned i = 0; i < READ_ROUNDS; i++) {
		int result = 0;

		while (may_read(peer) && dx_usbip_reader_is_full(&peer->reader)) {
			take(peer);
		}
		if (!may_read(peer) || (i > 0 && !peer->reader.has_more)) {
			return;
		}
		result = dx_usbip_reader_receive(&peer->reader, peer->fd);
		if (result == -EAGAIN) {
			return;
		}
		if (result < 0) {
			dx_export_peer_end(peer, result == -ECONNRESET ? NULL : strerror(-result));
			return;
		}
	}
}

/* The reply of the first part; behind it the end, or what follows an import. */
static void write_reply(struct dx_export_peer *peer)
{
	ssize_t sent = send(peer->fd, peer->reply + peer->reply_sent,
			    peer->reply_length - peer->reply_sent, MSG_DONTWAIT | MSG_NOSIGNAL);

	if (sent < 0) {
		if (errno != EAGAIN && errno != EINTR) {
			dx_export_peer_end(peer, strerror(errno));
		}
		return;
	}
	peer->reply_sent += (size_t)sent;
	if (peer->reply_sent != peer->reply_length) {
		return;
	}
	if (peer->device == NULL) {
		dx_export_peer_end(peer, NULL);
		return;
	}
	free(peer->reply);
	peer->reply = NULL;
	dx_loop_set_timer(peer->timer, 0);
	want_unit(peer);
}

/* What the loop waits for. */
static void update(struct dx_export_peer *peer)
{
	bool has_output = peer->phase == DX_EXPORT_WRITE_REPLY || peer->nr_answers != 0;
	uint32_t events = (may_read(peer) ? (uint32_t)EPOLLIN : (uint32_t)EPOLLRDHUP) |
			  (has_output ? (uint32_t)EPOLLOUT : 0u);
	int result = 0;

	if (peer->has_ended || events == peer->events) {
		return;
	}
	peer->events = events;
	result = dx_loop_set_events(peer->source, events);
	if (result < 0) {
		dx_export_peer_end(peer, strerror(-result));
	}
}

/* What its answers cannot say. */
static void look_at_device(struct dx_export_peer *peer)
{
	const struct dx_export_device *device = peer->device;
	char line[64];

	if (device->is_gone) { /* it has been told, if it listens */
		dx_export_peer_end(peer, "the device has gone");
	} else if (device->stuck != 0 && peer->barrier == NULL) {
		(void)snprintf(line, sizeof(line), "endpoint %#04x does not go on after an error",
			       device->stuck);
		dx_export_peer_end(peer, line);
	}
}

/* One turn. @return true when another one may find work. */
static bool turn(struct dx_export_peer *peer)
{
	int result = 0;

	read_some(peer);
	if (!peer->has_ended && peer->phase == DX_EXPORT_WRITE_REPLY) {
		write_reply(peer);
	}
	if (peer->device != NULL) {
		dx_export_device_run(peer->device);
	}
	if (!peer->has_ended) {
		result = dx_export_answers_send(peer);
	}
	if (result < 0) {
		dx_export_peer_end(peer, strerror(-result));
	} else if (peer->device != NULL) {
		look_at_device(peer);
	}
	/* More in the socket, or in the buffer now that a barrier has fallen. */
	return may_read(peer) && (peer->reader.has_more || dx_usbip_reader_is_full(&peer->reader));
}

void dx_export_peer_work(struct dx_export_peer *peer)
{
	bool more = true;

	for (unsigned i = 0; more && i < WORK_ROUNDS; i++) {
		more = turn(peer);
	}
	if (more && peer->device != NULL) {
		dx_export_device_again(peer->device);
	}
	if (!peer->has_ended) {
		update(peer);
	}
	if (peer->has_ended && peer->device != NULL) {
		dx_export_device_run(peer->device); /* what was cancelled comes back */
	}
}

/* One that does not have to wait any more. */
static struct dx_export_peer *find_waiting(struct dx_export *export)
{
	dx_list_for_each (node, &export->peers) {
		struct dx_export_peer *peer = dx_list_entry(node, struct dx_export_peer, link);

		if (!peer->has_ended && peer->phase == DX_EXPORT_WAIT &&
		    dx_export_greeting_may_go_on(peer)) {
			return peer;
		}
	}
	return NULL;
}

void dx_export_peers_go_on(struct dx_export *export)
{
	struct dx_export_peer *peer = find_waiting(export);

	for (; peer != NULL; peer = find_waiting(export)) {
		reply(peer);
		dx_export_peer_work(peer);
		dx_export_peer_reap(peer);
	}
}

/* ---- a new connection ---- */

static void on_ready(void *context, int fd, uint32_t events)
{
	struct dx_export_peer *peer = context;

	(void)fd;
	if ((events & (EPOLLERR | EPOLLHUP)) != 0 ||
	    ((events & EPOLLRDHUP) != 0 && !may_read(peer))) {
		dx_export_peer_end(peer, NULL);
	}
	dx_export_peer_work(peer);
	dx_export_peer_reap(peer);
}

static void on_silence(void *context)
{
	struct dx_export_peer *peer = context;

	if (peer->phase == DX_EXPORT_WAIT) {
		reply(peer);
	} else {
		dx_export_peer_end(peer, "it says nothing");
	}
	dx_export_peer_work(peer);
	dx_export_peer_reap(peer);
}

static int watch(struct dx_export_peer *peer)
{
	int result = dx_loop_add_timer(peer->export->loop, on_silence, peer, &peer->timer);

	if (result < 0) {
		return result;
	}
	dx_loop_set_timer(peer->timer, dx_clock_now_ns() + GREETING_NS);
	peer->events = EPOLLIN;
	result = dx_loop_add_fd(peer->export->loop, peer->fd, EPOLLIN, on_ready, peer,
				&peer->source);
	if (result < 0) {
		peer->timer = dx_loop_source_remove(peer->timer);
	}
	return result;
}

static void free_cleanup(struct dx_export_peer **peer)
{
	if (*peer != NULL) {
		dx_export_peer_free(*peer);
	}
}

int dx_export_peer_new(struct dx_export *export, int *fd, const char *name)
{
	DX_CLEANUP(free_cleanup) struct dx_export_peer *peer = NULL;
	int result = 0;

	if (export->nr_peers >= DX_MAX_EXPORT_CLIENTS) {
		return -EMFILE;
	}
	peer = calloc(1, sizeof(*peer));
	if (peer == NULL) {
		return -ENOMEM;
	}
	peer->export = export;
	peer->fd = *fd;
	(void)snprintf(peer->name, sizeof(peer->name), "%s", name);
	dx_list_init(&peer->link);
	dx_list_init(&peer->answers);
	dx_list_init(&peer->sending);
	dx_list_init(&peer->early);
	dx_list_init(&peer->held);
	want(peer, DX_EXPORT_READ_REQUEST, peer->bytes_in, DX_USBIP_HEADER_BYTES);
	result = dx_export_numbers_init(&peer->names);
	if (result == 0) {
		result = watch(peer);
	}
	if (result < 0) {
		return result;
	}
	dx_usbip_tune(peer->fd);
	dx_list_push_back(&export->peers, &peer->link);
	export->nr_peers++;
	dx_export_say(export, "%s has connected", peer->name);
	(void)dx_take_fd(fd);
	(void)dx_take_ptr(&peer); /* the loop's and the list's now */
	return 0;
}
