/* SPDX-License-Identifier: MIT
 *
 * outbox - messages to the broker: put in by any thread, sent in order by the control thread.
 *
 * Place:      host. A broker that does not read must block nobody who runs driver code.
 * Invariants:
 *   B1  frames leave in the order of dx_outbox_put(), each once.
 *   B2  while detached (no broker) nothing is kept: adoption tells the whole state anew.
 *   B3  at most DX_MAX_OUTBOX_BYTES are kept. The message that goes over it detaches; the broker,
 *       which does not read, is then as good as gone.
 * Threads:    put from any; the rest from the control thread.
 */
#ifndef DX_HOST_OUTBOX_H
#define DX_HOST_OUTBOX_H

#include <stdbool.h>
#include <stdint.h>

#include "base/list.h"
#include "base/mutex.h"
#include "wire/link.h"

struct dx_outbox {
	struct dx_mutex lock; /* order 80; guards what follows */
	struct dx_list frames DX_GUARDED_BY(lock);
	size_t nr_bytes DX_GUARDED_BY(lock);
	bool attached DX_GUARDED_BY(lock);
	bool overflowed DX_GUARDED_BY(lock); /* B3, until the next attach */
	int wake_fd; /* eventfd, readable when there is something to send */
};

/* @return 0; -EMFILE. */
int dx_outbox_init(struct dx_outbox *outbox);
void dx_outbox_fini(struct dx_outbox *outbox);
/* Keeps from now on what is put in; the queue is empty before. */
void dx_outbox_attach(struct dx_outbox *outbox);
/* Drops everything. */
void dx_outbox_detach(struct dx_outbox *outbox);
/* Drops it silently without a broker. -ENOMEM, -EMFILE, -EMSGSIZE: the message is lost. -ENOBUFS: so
 * are all others, and the next send fails (B3). */
int dx_outbox_put(struct dx_outbox *outbox, uint16_t type, uint32_t seq, int32_t status,
		  const void *body, size_t body_length, const void *payload, size_t payload_length);
/* value: encoded as property list. */
int dx_outbox_put_value(struct dx_outbox *outbox, uint16_t type, uint32_t seq, int32_t status,
			const void *body, size_t body_length, const void *value);
/* Makes wake_fd readable; quiet: no longer, until the next put or wake. Who sleeps on it calls quiet
 * before it looks for what there is to do, never after. */
void dx_outbox_wake(struct dx_outbox *outbox);
void dx_outbox_quiet(struct dx_outbox *outbox);
/* Sends what the socket takes. @return 1 everything left; 0 the socket is full; -ENOBUFS: B3; other
 * negative errno: broken. */
int dx_outbox_send(struct dx_outbox *outbox, int socket);
bool dx_outbox_is_empty(struct dx_outbox *outbox);

#endif
