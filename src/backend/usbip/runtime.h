/* SPDX-License-Identifier: MIT
 *
 * runtime - one imported device: its state, shared by the files of the client.
 *
 * Place:      backend/usbip: usbip.c (table), open.c, requests.c (queues, what goes out), answers.c
 *             (what comes in).
 *
 * A transfer's way:
 *
 *   submit -> endpoint->waiting -> (there is room) -> endpoint->sent -> answer -> complete()
 *                ^                                       |
 *                +---- held: unlinked after an error ----+ cancelled: unlinked -> complete()
 *
 * Halting (B6). Servers go on with what they have after an error: Linux does, and so does `dext
 * export`. So an error on a bulk or interrupt endpoint stops the endpoint here, and everything that
 * the server has for it is unlinked. What comes back unlinked, or stalled without a byte, goes back
 * into `waiting`, as if it had never been sent; what the server had done meanwhile completes as it
 * is. clear_halt() lets the endpoint go on.
 *
 * Fairness. Each endpoint has its own queue. A round takes one transfer of each in turn; an
 * endpoint has at most WINDOW bytes (or one transfer) at the server, so one that does not answer
 * fills neither the socket nor the server's memory. Unlinks go before submits.
 *
 * Invariants:
 *   C1  A transfer whose bytes are in a batch that has been begun, or whose answer is being
 *       received, is not completed before that has ended (T1), unless the connection is dropped
 *       first.
 *   C2  A request's number is used by one request at a time, and again after 2^15 others of its
 *       slot: an answer to an old one is known to be one.
 *   C3  A slot is free when the answers to its submit and, if one was sent, to its unlink are here.
 * Trust:      the peer is hostile. Whatever cannot be part of a conversation ends it: gone(), with
 *             one line that names the peer. What only concerns the packets of an isochronous
 *             transfer fails that transfer.
 * Limits:     10 s without a byte while an answer or a request is half way, or from an unlink to
 *             its answer: the connection is dropped. Dead links: connect.h.
 * Threads:    B1.
 */
#ifndef DX_BACKEND_USBIP_RUNTIME_H
#define DX_BACKEND_USBIP_RUNTIME_H

#include "backend/usbip/layout.h"
#include "backend/usbip/protocol.h"
#include "backend/usbip/spec.h"
#include "backend/usbip/stream.h"
#include "base/list.h"
#include "usb/backend.h"

#define DX_USBIP_CONFIGURATIONS 8u
#define DX_USBIP_MAX_SLOTS      0xFFFFu
#define DX_USBIP_WINDOW         (8u << 20) /* bytes of one endpoint at the server */
#define DX_USBIP_WINDOW_COUNT   256u       /* transfers of one endpoint at the server */
#define DX_USBIP_MAX_TRANSFER   (64u << 20)
#define DX_USBIP_STALL_NS       10000000000u

struct dx_usbip_endpoint { /* of the place with the same index in the layout */
	bool stopped;      /* B6 */
	uint32_t in_flight;
	uint64_t in_flight_bytes;
	struct dx_list waiting;
	struct dx_list sent;
	struct dx_list ready; /* client->ready, while something may be sent */
};

/* What a transfer is, in backend_words[]. */
enum dx_usbip_word {
	DX_USBIP_WORD_SLOT,
	DX_USBIP_WORD_ORDER,   /* of submission, on all endpoints */
	DX_USBIP_WORD_ON_WIRE, /* the socket has taken all of it */
	DX_USBIP_WORD_PACKETS, /* isochronous: our buffer of encoded descriptors */
};

struct dx_usbip_slot {
	struct dx_list link; /* client->unlinks, then client->unlinking; free: client->free_slots */
	struct dx_usb_transfer *transfer; /* NULL: answered */
	uint16_t index;                   /* from 1 */
	uint16_t generation;              /* 15 bits */
	bool is_used;
	bool unlink_wanted;
	bool unlink_sent;
	uint64_t unlink_ns;
};

struct dx_usbip_client {
	const struct dx_usb_backend_host *host;
	void *host_ctx;
	struct dx_usbip_spec spec;
	int fd;
	int event_fd;    /* epoll around fd */
	bool wants_room; /* EPOLLOUT is on */
	bool is_broken;  /* to be told by poll() */
	bool resets;     /* broken on purpose: no line */
	bool skipped;    /* the last poll() only sent */
	bool gone;
	char reason[160];

	uint32_t device_number;
	struct dx_usb_backend_info info;
	uint8_t *configurations[DX_USBIP_CONFIGURATIONS];
	size_t configuration_lengths[DX_USBIP_CONFIGURATIONS];
	uint8_t *bos;
	uint64_t claimed[4]; /* a bit per interface number */
	uint64_t epoch_ns;   /* of frame_number() */

	struct dx_usbip_layout layout;
	struct dx_usbip_endpoint endpoints[DX_USBIP_PLACES];
	struct dx_list ready;
	uint64_t next_order;
	uint64_t wake_ns; /* when a transfer's frame comes; UINT64_MAX: none waits */
	struct dx_usb_transfer *reset_done; /* of the reset that is under way */
	struct dx_list local; /* transfers that need no request: poll() completes them */

	struct dx_usbip_slot **slots;
	unsigned nr_slots;
	unsigned nr_slots_room;
	struct dx_list free_slots;
	struct dx_list unlinks;   /* to be sent */
	struct dx_list unlinking; /* sent, oldest first */

	struct dx_usbip_writer writer;
	uint64_t write_ns; /* when the writer last moved; counts while it is begun */
	struct dx_usbip_reader reader;
	uint64_t read_ns; /* likewise; 0: no answer is half way */
	uint8_t header[DX_USBIP_UNIT_BYTES];
	enum dx_usbip_phase {
		DX_USBIP_READ_HEADER = 0,
		DX_USBIP_READ_DATA,
		DX_USBIP_READ_PACKETS,
	} phase;
	struct dx_usbip_unit answer; /* the one whose data are being read */
	struct dx_usbip_slot *answered;
};

/* ---- requests.c ---- */

int dx_usbip_submit(struct dx_usbip_client *client, struct dx_usb_transfer *transfer);
void dx_usbip_cancel(struct dx_usbip_client *client, struct dx_usb_transfer *transfer);
/* A configuration or an alternate setting is in force. */
void dx_usbip_configure(struct dx_usbip_client *client, uint8_t value);
void dx_usbip_select(struct dx_usbip_client *client, uint8_t interface_number, uint8_t setting);
/* The queues of an endpoint that exists, or NULL. */
struct dx_usbip_endpoint *dx_usbip_endpoint(struct dx_usbip_client *client, uint8_t address);
/* An error stops its endpoint. */
bool dx_usbip_can_halt(const struct dx_usb_transfer *transfer);
/* Lets an endpoint go on after an error. */
void dx_usbip_resume(struct dx_usbip_client *client, struct dx_usbip_endpoint *endpoint);
/* Stops it, and asks the server for what it has. */
void dx_usbip_hold(struct dx_usbip_client *client, struct dx_usbip_endpoint *endpoint);
/* The server does not have this transfer any more; it waits again. */
void dx_usbip_put_back(struct dx_usbip_client *client, struct dx_usb_transfer *transfer);
/* Takes it out of all queues and hands it back. */
void dx_usbip_complete(struct dx_usbip_client *client, struct dx_usb_transfer *transfer,
		       int32_t status);
/* Sends what may be sent and what the socket takes. */
void dx_usbip_flush(struct dx_usbip_client *client);
bool dx_usbip_has_output(const struct dx_usbip_client *client);
/* Looks again at what waits for its frame, if that has come. */
void dx_usbip_wake(struct dx_usbip_client *client);
/* The slot of an answer's number; NULL: no such request is under way. */
struct dx_usbip_slot *dx_usbip_slot_find(struct dx_usbip_client *client, uint32_t number,
					 bool is_unlink);
/* C3: gives it back if nothing is owed to it. */
void dx_usbip_slot_settle(struct dx_usbip_client *client, struct dx_usbip_slot *slot);
/* Everything that was accepted is over: the connection is. */
void dx_usbip_fail_all(struct dx_usbip_client *client);

/* ---- answers.c ---- */

/* Receives what is there, up to a share. */
void dx_usbip_receive(struct dx_usbip_client *client);

/* ---- usbip.c ---- */

/* The connection is over; poll() tells. */
void dx_usbip_break(struct dx_usbip_client *client, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* ---- open.c: entries of the table ---- */

int dx_usbip_acquire(const char *spec, char *message, size_t message_size);
int dx_usbip_open(const char *spec, int fd, const struct dx_usb_backend_host *host, void *host_ctx,
		  char *message, size_t message_size, struct dx_usb_backend **ret_backend);
void dx_usbip_close(struct dx_usb_backend *backend);

#endif
