/* SPDX-License-Identifier: MIT
 *
 * stream - the two directions of a USB/IP connection, without copies where copies would cost.
 *
 * Place:      backend/usbip, and the room `export`. Knows bytes and places, not what they mean.
 *
 * Reading: the consumer says how many bytes it wants next and where. What has arrived is put there;
 * the rest is received straight into that place, and in the same system call what lies behind it
 * goes into a small buffer. So headers cost no system call of their own, and of a long payload only
 * what came with the header before it (8 KiB at most) is copied.
 *
 * Writing: units are gathered into a batch (header, payload in place, more) and sent by one
 * sendmsg(). What the socket does not take stays, and goes first the next time: a unit that was
 * begun is always sent whole.
 *
 * Invariants:
 *   T1  A place that is wanted, and a payload in a batch, stay valid until they are complete or the
 *       stream is not used any more.
 *   T2  Units leave in the order in which they were added.
 * Trust:      bytes from the peer are moved, never interpreted.
 * Threads:    one.
 */
#ifndef DX_BACKEND_USBIP_STREAM_H
#define DX_BACKEND_USBIP_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include "backend/usbip/protocol.h"

#define DX_USBIP_READ_BUFFER 8192u
#define DX_USBIP_BATCH_UNITS 32u
#define DX_USBIP_BATCH_BYTES (256u << 10) /* no more units behind that many bytes */

struct dx_usbip_reader {
	uint8_t *place; /* NULL: the bytes are thrown away */
	size_t left;    /* bytes still to come there */
	size_t at;      /* unread bytes of the buffer: [at, end) */
	size_t end;
	bool has_more;     /* the last receive filled everything: there may be more in the socket */
	uint64_t nr_reads; /* system calls that brought something */
	uint8_t buffer[DX_USBIP_READ_BUFFER];
};

/* The next `length` bytes, 0 too, go to place. The last wish is fulfilled
 * (dx_usbip_reader_is_full). */
void dx_usbip_reader_want(struct dx_usbip_reader *reader, void *place, size_t length);
bool dx_usbip_reader_is_full(const struct dx_usbip_reader *reader);
/*
 * Receives once. Nothing is received while a wish could be fulfilled from the buffer.
 * @return bytes received; -EAGAIN; -ECONNRESET also when the peer has closed; another errno of
 * recv.
 */
int dx_usbip_reader_receive(struct dx_usbip_reader *reader, int fd);

struct dx_usbip_out_unit {
	uint8_t header[DX_USBIP_UNIT_BYTES];
	void *owner; /* whose unit; not looked at here */
	size_t end;  /* bytes of the batch up to the end of this unit */
};

struct dx_usbip_writer {
	struct dx_usbip_out_unit units[DX_USBIP_BATCH_UNITS];
	unsigned nr_units;
	unsigned nr_sent; /* units that the socket has taken whole */
	struct iovec parts[3 * DX_USBIP_BATCH_UNITS];
	unsigned nr_parts;
	unsigned first_part;
	size_t length;
	size_t sent;
	uint64_t nr_writes; /* system calls that took something */
};

/* Room for one more unit. False also while a batch is partly sent. */
bool dx_usbip_writer_has_room(const struct dx_usbip_writer *writer);
/* Adds a unit; payload and more may be NULL with 0. It has room. */
void dx_usbip_writer_add(struct dx_usbip_writer *writer, const struct dx_usbip_unit *unit,
			 void *owner, const void *payload, size_t payload_length, const void *more,
			 size_t more_length);
bool dx_usbip_writer_is_empty(const struct dx_usbip_writer *writer);
/* Has bytes that are neither all unsent nor all sent. */
bool dx_usbip_writer_is_begun(const struct dx_usbip_writer *writer);
/*
 * Sends once. Afterwards units up to nr_sent are complete; the caller takes note of them, and when
 * all are, empties the batch with dx_usbip_writer_clear().
 * @return bytes sent; -EAGAIN; an errno of sendmsg.
 */
int dx_usbip_writer_send(struct dx_usbip_writer *writer, int fd);
void dx_usbip_writer_clear(struct dx_usbip_writer *writer);

#endif
