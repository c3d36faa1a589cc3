/* SPDX-License-Identifier: MIT
 *
 * private - the structs of the server and what its files share.
 *
 * Place:      export: export.c (devices, listening), device.c (a backend and its events), opening.c
 *             (closing and opening it), peer.c (a connection: what comes in), greeting.c (list,
 *             import), answers.c (what goes out), requests.c (submit, unlink), numbers.c (requests
 *             by number), special.c (control requests that are more than a transfer).
 *
 * A request's way:
 *
 *   peer reads unit, data -> request in device->requests, the backend has its transfer
 *     -> complete() -> peer->answers -> sent -> freed
 *
 * Order of things after an error. A backend stops an endpoint that has failed until clear_halt()
 * (B6); a Linux host expects that the rest of its queue goes on, and says CLEAR_FEATURE when the
 * device has halted. So after an error the backend's side is cleared without a request to the
 * device. When that fails the connection ends: the client's kernel would wait for ever otherwise, and
 * the device is opened anew.
 *
 * Unlink. The answer says -ECONNRESET when the request is gone without trace; then no other answer
 * to it follows. A request that had moved bytes is answered first, with these bytes and
 * -ECONNRESET, and the unlink then gets 0, as if it had come too late.
 *
 * Linux's client may send an unlink before the submit that it means: its sending thread looks at
 * the two queues one after the other. A number above all that have been seen is such a one, because
 * Linux counts upwards: the unlink waits for the submit, which is then not carried out.
 *
 * Invariants:
 *   X1  The backend's functions are not called from within its callbacks: complete() and gone()
 *       only put things on lists, dx_export_device_run() does the rest.
 *   X2  A peer that has ended lives until the backend has given back its requests. Then its device
 *       is closed and opened again, by a job, and may be imported. Who asks for it meanwhile waits;
 *       nobody else does.
 *   X3  What a peer makes us keep is counted in peer->bytes (DX_MAX_EXPORT_BYTES). A request beyond
 *       that is answered with -ENOMEM; its data are thrown away as they come.
 *   X4  A peer that does not take its answers is not read from (MAX_ANSWER...); its kernel waits.
 *   X5  While a request changes which endpoints there are (peer->barrier), its client's unlinks are
 *       carried out and its control requests are taken, and held. A request to another endpoint is
 *       not read further than its header: what follows that depends on the endpoint.
 * Threads:    one.
 */
#ifndef DX_EXPORT_PRIVATE_H
#define DX_EXPORT_PRIVATE_H

#include "backend/usbip/layout.h"
#include "backend/usbip/protocol.h"
#include "backend/usbip/stream.h"
#include "base/cleanup.h"
#include "base/jobs.h"
#include "base/limits.h"
#include "base/list.h"
#include "export/export.h"
#include "export/numbers.h"

struct dx_export_peer;

struct dx_export_request;

/* Something to be sent. */
struct dx_export_answer {
	struct dx_list link;               /* peer->answers, or peer->sending */
	struct dx_export_request *request; /* that it is part of, or NULL */
	struct dx_usbip_unit unit;
	uint8_t *data;      /* owned */
	size_t data_length; /* of it, to be sent */
	uint8_t *packets;
	size_t packets_length;
	size_t cost; /* in peer->bytes */
};

enum dx_export_kind {
	DX_EXPORT_TRANSFER = 0,
	DX_EXPORT_CONFIGURE,
	DX_EXPORT_SELECT,
	DX_EXPORT_CLEAR_HALT,
	DX_EXPORT_RESET,
	DX_EXPORT_FORBIDDEN,
};

struct dx_export_request {
	struct dx_usb_transfer transfer;
	struct dx_export_answer answer; /* becomes it when it is complete */
	struct dx_list link;            /* device->requests, or peer->held */
	struct dx_export_number name;   /* in peer->names, until it is over or unlinked */
	struct dx_export_peer *peer;
	struct dx_export_answer *unlink; /* the answer to its unlink, waiting for it */
	enum dx_export_kind kind;
	bool is_in;
	bool is_at_backend;
	bool is_awaited; /* peer->barrier waits for it */
};

struct dx_export_device {
	struct dx_export *export;
	const struct dx_usb_backend_ops *ops;
	const char *spec;
	char busid[DX_USBIP_BUSID_BYTES];
	unsigned number; /* devnum */

	struct dx_usb_backend *backend; /* NULL: closed, or it could not be opened */
	struct dx_job *job;             /* is closing or opening it; backend is NULL then */
	const struct dx_usb_backend_info *info;
	struct dx_usbip_layout layout;
	bool is_gone;
	bool needs_claim;
	uint32_t restarts;   /* places whose backend's side is to be cleared */
	uint32_t restarting; /* their transfers are with the backend */
	struct dx_usb_transfer restart_transfers[DX_USBIP_PLACES];
	uint8_t stuck; /* address of an endpoint that could not be cleared; 0: none */
	struct dx_list requests; /* those that the backend has */

	struct dx_export_peer *importer;
	struct dx_loop_source *event_source;
	struct dx_loop_source *timer;
};

enum dx_export_phase {
	DX_EXPORT_READ_REQUEST = 0, /* what the client wants at all */
	DX_EXPORT_READ_BUSID,
	DX_EXPORT_WAIT, /* for what is being opened; then a reply */
	DX_EXPORT_READ_UNIT,
	DX_EXPORT_READ_DATA,
	DX_EXPORT_READ_PACKETS,
	DX_EXPORT_SKIP,        /* data of a request that has been refused */
	DX_EXPORT_WRITE_REPLY, /* a list or a refusal; then the end */
};

struct dx_export_peer {
	struct dx_export *export;
	struct dx_list link; /* export->peers */
	char name[64];
	int fd;
	struct dx_loop_source *source;
	struct dx_loop_source *timer; /* for its first words */
	uint32_t events;              /* as set */
	bool has_ended;
	struct dx_export_device *device; /* imported */
	bool wants_list;
	struct dx_export_device *wanted; /* what it has asked for; NULL: there is none, or a list */

	enum dx_export_phase phase;
	uint8_t bytes_in[DX_USBIP_UNIT_BYTES];
	struct dx_usbip_reader reader;
	struct dx_usbip_unit unit;
	struct dx_export_request *reading;  /* whose data are being received */
	int32_t refusal;                    /* status of the one that is skipped */
	struct dx_export_answer *overtaken; /* its unlink came first: answered instead */
	uint32_t highest;                   /* number of a submit so far, if has_highest */
	bool has_highest;
	struct dx_list early; /* answers to unlinks that came first; `unlinked` says of what */
	unsigned nr_early;

	uint8_t *reply; /* of the first part */
	size_t reply_length;
	size_t reply_sent;
	struct dx_usbip_writer writer;
	struct dx_list answers;
	struct dx_list sending; /* in the writer's batch, in order */
	unsigned nr_answers;    /* in both */
	size_t answer_bytes;
	size_t bytes;         /* X3 */
	unsigned nr_requests; /* likewise: from its header to its answer */
	struct dx_export_numbers names; /* of requests that an unlink may mean */

	struct dx_export_request *barrier; /* X5 */
	unsigned nr_awaited;
	struct dx_list held;               /* control requests that wait for it, in order */
	bool is_parked; /* `unit` waits for it, and with it what is behind in the socket */
};

struct dx_export {
	struct dx_loop *loop;
	struct dx_jobs *jobs;
	struct dx_export_options options;
	struct dx_export_device *devices;
	size_t nr_devices;
	struct dx_list peers;
	unsigned nr_peers;
	int listen_fd;
	struct dx_loop_source *listen_source;
	bool is_deaf; /* out of descriptors, until a client goes */
};

/* ---- export.c ---- */

void dx_export_say(struct dx_export *export, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/* A client has gone: there may be room for one that waits. */
void dx_export_listen_again(struct dx_export *export);
struct dx_export_device *dx_export_find(struct dx_export *export, const char *busid);

/* ---- device.c ---- */

extern const struct dx_usb_backend_host dx_export_device_host; /* its ctx is the device */

int dx_export_device_init(struct dx_export_device *device, struct dx_export *export,
			  const char *spec, unsigned number, char *message, size_t message_size);
void dx_export_device_fini(struct dx_export_device *device);
/* What has been opened is the device's from now on, also on failure. */
int dx_export_device_adopt(struct dx_export_device *device, struct dx_usb_backend *backend,
			   char *message, size_t message_size);
/* Its events are of no interest any more. */
void dx_export_device_disregard(struct dx_export_device *device);
void dx_export_device_close(struct dx_export_device *device);
enum dx_export_state {
	DX_EXPORT_FREE = 0,
	DX_EXPORT_IMPORTED,
	DX_EXPORT_OPENING,
	DX_EXPORT_CLOSED,
};
/* Drops an importer that has hung up. opens: begins to open what is closed. */
enum dx_export_state dx_export_device_look(struct dx_export_device *device, bool opens);
void dx_export_device_describe(const struct dx_export_device *device,
			       struct dx_usbip_device *ret_described);
/* Class, subclass, protocol and 0 of the n-th interface that it says it has. */
void dx_export_device_interface(const struct dx_export_device *device, unsigned n, uint8_t *bytes);
/* Lets the backend work and carries out what its callbacks asked for. */
void dx_export_device_run(struct dx_export_device *device);
/* Before another configuration is in force. */
void dx_export_device_release(struct dx_export_device *device);
/* Nothing of an importer is with the backend. */
bool dx_export_device_is_idle(const struct dx_export_device *device);
/* It should be looked at again at once. */
void dx_export_device_again(struct dx_export_device *device);

/* ---- opening.c ---- */

/* Begins to close it, and if `opens` to open it again. Clients that wait for that go on then. */
void dx_export_device_renew(struct dx_export_device *device, bool opens);

/* ---- peer.c ---- */

int dx_export_peer_new(struct dx_export *export, int *fd, const char *name);
/* The connection is over; why NULL: as wished. */
void dx_export_peer_end(struct dx_export_peer *peer, const char *why);
/* It is in no list. */
void dx_export_peer_free(struct dx_export_peer *peer);
/* Frees a peer that has ended, if the backend has nothing of it any more; then its device is free.
 */
void dx_export_peer_reap(struct dx_export_peer *peer);
/* Nobody waits any more for what has been opened, or could not be. */
void dx_export_peers_go_on(struct dx_export *export);
/* Everything that can be done for it now: reads, lets its device work, sends. */
void dx_export_peer_work(struct dx_export_peer *peer);
bool dx_export_peer_has_hung_up(const struct dx_export_peer *peer);

/* ---- greeting.c ---- */

/* What a client says first is here. Begins to open what is closed, and says whether to wait for it. */
bool dx_export_list_must_wait(struct dx_export_peer *peer);
bool dx_export_import_must_wait(struct dx_export_peer *peer);
/* What it waited for is over. */
bool dx_export_greeting_may_go_on(const struct dx_export_peer *peer);
/* @return 0, reply is set; -ENOMEM. */
int dx_export_greet_list(struct dx_export_peer *peer);
int dx_export_greet_import(struct dx_export_peer *peer);

/* ---- answers.c ---- */

/* An answer without data, counted as the peer's; NULL: no memory. */
struct dx_export_answer *dx_export_answer_new(struct dx_export_peer *peer, uint32_t command,
					      uint32_t number, int32_t sent_status);
void dx_export_answer_free(struct dx_export_peer *peer, struct dx_export_answer *answer);
void dx_export_answer_push(struct dx_export_peer *peer, struct dx_export_answer *answer);
void dx_export_answers_drop(struct dx_export_peer *peer);
/* @return 0, also when the socket is full; a negative errno: the connection is over. */
int dx_export_answers_send(struct dx_export_peer *peer);
/* X4 */
bool dx_export_answers_are_too_many(const struct dx_export_peer *peer);

/* ---- requests.c ---- */

/* Bytes of OUT data and of packet descriptors that follow a submit. */
size_t dx_export_unit_data(const struct dx_usbip_unit *unit);
size_t dx_export_unit_packets(const struct dx_export_peer *peer, const struct dx_usbip_unit *unit);
/*
 * A submit whose data are still to come, to request->transfer.data and request->answer.packets.
 * @return 0; a Linux errno (DX_USBIP_E...): refused.
 */
int32_t dx_export_request_new(struct dx_export_peer *peer, const struct dx_usbip_unit *unit,
			      struct dx_export_request **ret_request);
/* Everything of it is here: it begins, or is held (X5). */
void dx_export_request_start(struct dx_export_request *request);
void dx_export_request_begin(struct dx_export_request *request);
/* Without an answer. */
void dx_export_request_free(struct dx_export_request *request);
/* It is over with that status (usb/error.h): its answer goes out, or it is freed. */
void dx_export_request_finish(struct dx_export_request *request, int32_t status);
/* A call of the backend has taken it over, or not. */
void dx_export_request_handed_over(struct dx_export_request *request, int result);
void dx_export_request_cancel(struct dx_export_request *request);
/* The answer to a submit that was refused. @return 0; -ENOMEM. */
int dx_export_refuse(struct dx_export_peer *peer, const struct dx_usbip_unit *unit, int32_t status);
/* A submit with that number has come. */
void dx_export_note_number(struct dx_export_peer *peer, uint32_t number);
/* The answer to an unlink that has overtaken this submit, or NULL. */
struct dx_export_answer *dx_export_early_take(struct dx_export_peer *peer, uint32_t number);
/* @return 0; -ENOMEM. */
int dx_export_unlink(struct dx_export_peer *peer, const struct dx_usbip_unit *unit);

/* ---- special.c ---- */

enum dx_export_kind dx_export_kind_of(const struct dx_usb_transfer *transfer);
/* Begins what kind says; requests that it would disturb are cancelled and awaited first. */
void dx_export_special_start(struct dx_export_request *request);
/* What the barrier waited for is over, or the barrier is. */
bool dx_export_special_is_due(const struct dx_export_peer *peer);
/* Begins what is due. */
void dx_export_special_go_on(struct dx_export_peer *peer);
/* It has succeeded: what it has changed. */
void dx_export_special_done(const struct dx_export_request *request);

#endif
