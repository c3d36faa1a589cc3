/* SPDX-License-Identifier: MIT
 *
 * stream - reading to places and writing from places; see stream.h.
 *
 * Place:      backend/usbip.
 */
#include "backend/usbip/stream.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/socket.h>

#define MAX_RECEIVE (1u << 30) /* so that a count fits into an int */

/* ---- reading ---- */

static void advance(struct dx_usbip_reader *reader, size_t length)
{
	reader->left -= length;
	if (reader->place != NULL) {
		reader->place += length;
	}
}

static void take_from_buffer(struct dx_usbip_reader *reader)
{
	size_t length = reader->end - reader->at;

	if (length > reader->left) {
		length = reader->left;
	}
	if (length != 0 && reader->place != NULL) {
		memcpy(reader->place, reader->buffer + reader->at, length);
	}
	reader->at += length;
	advance(reader, length);
	if (reader->at == reader->end) {
		reader->at = 0;
		reader->end = 0;
	}
}

void dx_usbip_reader_want(struct dx_usbip_reader *reader, void *place, size_t length)
{
	assert(reader->left == 0);
	reader->place = place;
	reader->left = length;
	take_from_buffer(reader);
}

bool dx_usbip_reader_is_full(const struct dx_usbip_reader *reader)
{
	return reader->left == 0;
}

/* How much may go straight to the place. */
static size_t direct_length(const struct dx_usbip_reader *reader)
{
	if (reader->place == NULL) {
		return 0;
	}
	return reader->left < MAX_RECEIVE ? reader->left : MAX_RECEIVE;
}

int dx_usbip_reader_receive(struct dx_usbip_reader *reader, int fd)
{
	size_t direct = direct_length(reader);
	bool is_whole = direct == reader->left || reader->place == NULL;
	struct iovec parts[2] = {
		{.iov_base = reader->place, .iov_len = direct},
		{.iov_base = reader->buffer, .iov_len = is_whole ? sizeof(reader->buffer) : 0},
	};
	struct msghdr message = {.msg_iov = parts, .msg_iovlen = 2};
	ssize_t length = 0;

	assert(reader->left != 0 && reader->at == reader->end);
	length = recvmsg(fd, &message, MSG_DONTWAIT);
	reader->has_more = false;
	if (length <= 0) {
		return length == 0 ? -ECONNRESET : errno == EINTR ? -EAGAIN : -errno;
	}
	reader->nr_reads++;
	reader->has_more = (size_t)length == direct + parts[1].iov_len;
	if ((size_t)length <= direct) {
		advance(reader, (size_t)length);
	} else {
		advance(reader, direct);
		reader->at = 0;
		reader->end = (size_t)length - direct;
		take_from_buffer(reader);
	}
	return (int)length;
}

/* ---- writing ---- */

bool dx_usbip_writer_has_room(const struct dx_usbip_writer *writer)
{
	return writer->sent == 0 && writer->nr_units < DX_USBIP_BATCH_UNITS &&
	       writer->length < DX_USBIP_BATCH_BYTES;
}

static void add_part(struct dx_usbip_writer *writer, const void *bytes, size_t length)
{
	if (length != 0) {
		/* sendmsg() only reads what the parts name. */
		writer->parts[writer->nr_parts++] = (struct iovec){
			.iov_base = (void *)(uintptr_t)bytes,
			.iov_len = length,
		};
		writer->length += length;
	}
}

void dx_usbip_writer_add(struct dx_usbip_writer *writer, const struct dx_usbip_unit *unit,
			 void *owner, const void *payload, size_t payload_length, const void *more,
			 size_t more_length)
{
	struct dx_usbip_out_unit *out = &writer->units[writer->nr_units++];

	dx_usbip_put_unit(out->header, unit);
	add_part(writer, out->header, sizeof(out->header));
	add_part(writer, payload, payload_length);
	add_part(writer, more, more_length);
	out->owner = owner;
	out->end = writer->length;
}

bool dx_usbip_writer_is_empty(const struct dx_usbip_writer *writer)
{
	return writer->nr_units == 0;
}

bool dx_usbip_writer_is_begun(const struct dx_usbip_writer *writer)
{
	return writer->sent != 0 && writer->sent != writer->length;
}

/* Steps over what the socket has taken. */
static void step(struct dx_usbip_writer *writer, size_t length)
{
	writer->sent += length;
	while (length != 0) {
		struct iovec *part = &writer->parts[writer->first_part];

		if (length < part->iov_len) {
			part->iov_base = (uint8_t *)part->iov_base + length;
			part->iov_len -= length;
			break;
		}
		length -= part->iov_len;
		writer->first_part++;
	}
	while (writer->nr_sent < writer->nr_units &&
	       writer->units[writer->nr_sent].end <= writer->sent) {
		writer->nr_sent++;
	}
}

int dx_usbip_writer_send(struct dx_usbip_writer *writer, int fd)
{
	struct msghdr message = {
		.msg_iov = writer->parts + writer->first_part,
		.msg_iovlen = writer->nr_parts - writer->first_part,
	};
	ssize_t length = sendmsg(fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL);

	if (length < 0) {
		return errno == EINTR ? -EAGAIN : -errno;
	}
	writer->nr_writes++;
	step(writer, (size_t)length);
	return length > INT_MAX ? INT_MAX : (int)length;
}

void dx_usbip_writer_clear(struct dx_usbip_writer *writer)
{
	writer->nr_units = 0;
	writer->nr_sent = 0;
	writer->nr_parts = 0;
	writer->first_part = 0;
	writer->length = 0;
	writer->sent = 0;
}
