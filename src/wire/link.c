/* SPDX-License-Identifier: MIT
 *
 * link - whole messages over a socket; see link.h.
 *
 * Place:      wire, over base/fdpass.
 * Trust:      a payload in a memfd is read() into private memory, never mapped: the peer may still
 *             write it. The shrink seal is required because only memory files have seals: reading
 *             any other file could block for as long as its owner likes.
 */
#include "wire/link.h"

#include <assert.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/check.h"
#include "base/cleanup.h"
#include "base/plist.h"

static int write_all(int fd, const void *bytes, size_t length)
{
	size_t done = 0;

	while (done < length) {
		ssize_t written =
			pwrite(fd, (const char *)bytes + done, length - done, (off_t)done);

		if (written < 0 && errno == EINTR) {
			continue;
		}
		if (written <= 0) {
			return written < 0 ? -errno : -EIO;
		}
		done += (size_t)written;
	}
	return 0;
}

static int payload_memfd(const void *payload, size_t length, int *ret_fd)
{
	DX_CLEANUP_FD int fd = memfd_create("opendext-message", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	int r = 0;

	if (fd < 0) {
		return -errno;
	}
	r = write_all(fd, payload, length);
	if (r < 0) {
		return r;
	}
	if (fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL) < 0) {
		return -errno;
	}
	*ret_fd = dx_take_fd(&fd);
	return 0;
}

static int frame_reserve(struct dx_link_frame *frame, size_t length)
{
	frame->bytes = length <= sizeof(frame->small) ? frame->small : malloc(length);
	frame->length = length;
	return frame->bytes == NULL ? -ENOMEM : 0;
}

int dx_link_frame_init(struct dx_link_frame *frame, uint16_t type, uint32_t seq, int32_t status,
		       const void *body, size_t body_length, const void *payload,
		       size_t payload_length)
{
	DX_CLEANUP_FD int fd = -1;
	size_t inline_length = payload_length;
	ssize_t encoded = 0;
	int r = 0;

	if (payload_length > DX_MAX_PLIST_BYTES || body_length > DX_MAX_MESSAGE_BYTES / 2) {
		return -EMSGSIZE;
	}
	if (sizeof(struct dx_wire_header) + body_length + payload_length > DX_MAX_MESSAGE_BYTES) {
		r = payload_memfd(payload, payload_length, &fd);
		if (r < 0) {
			return r;
		}
		inline_length = 0;
	}
	r = frame_reserve(frame, sizeof(struct dx_wire_header) + body_length + inline_length);
	if (r < 0) {
		return r;
	}
	encoded = dx_wire_encode(frame->bytes, frame->length, type, seq, status, body, body_length,
				 payload, inline_length);
	assert(encoded == (ssize_t)frame->length); /* the sizes were checked above */
	if (fd >= 0) {
		struct dx_wire_header *header = (struct dx_wire_header *)(void *)frame->bytes;

		header->flags |= DX_WIRE_PAYLOAD_FD;
	}
	frame->payload_fd = dx_take_fd(&fd);
	return 0;
}

int dx_link_frame_send(const struct dx_link_frame *frame, int socket, const int *fds, size_t nr_fds,
		       bool nonblocking)
{
	int all[DX_FDPASS_MAX];
	size_t nr_all = nr_fds;

	if (nr_fds + (frame->payload_fd >= 0 ? 1 : 0) > DX_FDPASS_MAX) {
		return -EINVAL;
	}
	if (nr_fds > 0) {
		memcpy(all, fds, nr_fds * sizeof(*fds));
	}
	if (frame->payload_fd >= 0) {
		all[nr_all++] = frame->payload_fd;
	}
	return dx_fdpass_send(socket, frame->bytes, frame->length, all, nr_all, nonblocking);
}

void dx_link_frame_fini(struct dx_link_frame *frame)
{
	dx_fd_close(&frame->payload_fd);
	if (frame->bytes != frame->small) {
		free(frame->bytes);
	}
	frame->bytes = NULL;
}

int dx_link_send(int socket, uint16_t type, uint32_t seq, int32_t status, const void *body,
		 size_t body_length, const void *payload, size_t payload_length, const int *fds,
		 size_t nr_fds, bool nonblocking)
{
	struct dx_link_frame frame;
	int r = dx_link_frame_init(&frame, type, seq, status, body, body_length, payload,
				   payload_length);

	if (r < 0) {
		return r;
	}
	r = dx_link_frame_send(&frame, socket, fds, nr_fds, nonblocking);
	dx_link_frame_fini(&frame);
	return r;
}

int dx_link_send_value(int socket, uint16_t type, uint32_t seq, int32_t status, const void *body,
		       size_t body_length, const void *value, bool nonblocking)
{
	DX_CLEANUP_FREE void *bytes = NULL;
	size_t length = 0;
	int r = dx_plist_encode(value, &bytes, &length);

	if (r < 0) {
		return r;
	}
	return dx_link_send(socket, type, seq, status, body, body_length, bytes, length, NULL, 0,
			    nonblocking);
}

/* Appends the contents of the payload memfd, the last fd, to the message's memory. */
static int receive_payload(struct dx_wire_message_in *message)
{
	DX_CLEANUP_FD int fd = -1;
	struct stat status = {0};
	int seals = 0;
	char *grown = NULL;
	size_t frame_length = message->view.header.length;
	size_t body_offset = (size_t)((const char *)message->view.body - (char *)message->memory_);

	if (message->nr_fds == 0) {
		return -EPROTO;
	}
	fd = dx_take_fd(&message->fds[--message->nr_fds]);
	seals = fcntl(fd, F_GET_SEALS);
	if (seals < 0 || (seals & F_SEAL_SHRINK) == 0 || fstat(fd, &status) < 0 ||
	    status.st_size <= 0 || status.st_size > (off_t)DX_MAX_PLIST_BYTES) {
		return -EPROTO;
	}
	frame_length = (frame_length + 7) & ~(size_t)7;
	grown = realloc(message->memory_, frame_length + (size_t)status.st_size);
	if (grown == NULL) {
		return -ENOMEM;
	}
	message->memory_ = grown;
	if (message->view.header.body_length > 0) {
		message->view.body = grown + body_offset;
	}
	if (pread(fd, grown + frame_length, (size_t)status.st_size, 0) != status.st_size) {
		return -EPROTO;
	}
	message->view.payload = grown + frame_length;
	message->view.payload_length = (size_t)status.st_size;
	return dx_wire_check_payload(&message->view);
}

/* Everything behind the bytes: frame, payload, number of descriptors. */
static int message_check(struct dx_wire_message_in *message, size_t length)
{
	int r = dx_wire_decode(message->memory_, length, &message->view);

	if (r == 0 && (message->view.header.flags & DX_WIRE_PAYLOAD_FD) != 0) {
		r = receive_payload(message);
	}
	if (r == 0 && (int)message->nr_fds != dx_wire_nr_fds(&message->view)) {
		r = -EPROTO;
	}
	return r;
}

int dx_link_receive(int socket, bool nonblocking, struct dx_wire_message_in *ret_message)
{
	struct dx_wire_message_in message = {.memory_ = malloc(DX_MAX_MESSAGE_BYTES)};
	void *shrunk = NULL;
	ssize_t length = 0;
	int r = 0;

	if (message.memory_ == NULL) {
		return -ENOMEM;
	}
	length = dx_fdpass_recv(socket, message.memory_, DX_MAX_MESSAGE_BYTES, message.fds,
				DX_FDPASS_MAX, nonblocking);
	if (length <= 0) {
		free(message.memory_);
		return (int)length;
	}
	while (message.nr_fds < DX_FDPASS_MAX && message.fds[message.nr_fds] >= 0) {
		message.nr_fds++;
	}
	shrunk = realloc(message.memory_, (size_t)length);
	message.memory_ = shrunk != NULL ? shrunk : message.memory_;
	r = message_check(&message, (size_t)length);
	if (r < 0) {
		dx_wire_message_in_fini(&message);
		return r;
	}
	*ret_message = message;
	return 1;
}

void dx_wire_message_in_fini(struct dx_wire_message_in *message)
{
	dx_fdpass_close_all(message->fds, message->nr_fds);
	message->nr_fds = 0;
	free(message->memory_);
	message->memory_ = NULL;
}

int dx_wire_message_value(const struct dx_wire_message_in *message, const struct dx_class *class,
			  void **ret_value)
{
	void *value = NULL;
	int r = 0;

	if (message->view.payload_length == 0) {
		return -EPROTO;
	}
	r = dx_plist_decode(message->view.payload, message->view.payload_length, &value, NULL);
	if (r < 0) {
		return r == -ENOMEM ? r : -EPROTO;
	}
	if (class != NULL && !dx_object_is_kind(value, class)) {
		dx_object_unref(value);
		return -EPROTO;
	}
	*ret_value = value;
	return 0;
}

int dx_wire_message_text(const struct dx_wire_message_in *message, size_t max, char **ret_text)
{
	size_t length = message->view.payload_length;
	char *text = NULL;

	if (length > max || (length > 0 && !dx_wire_text_is_valid(message->view.payload, length))) {
		return -EPROTO;
	}
	text = malloc(length + 1);
	if (text == NULL) {
		return -ENOMEM;
	}
	if (length > 0) {
		memcpy(text, message->view.payload, length);
	}
	text[length] = '\0';
	*ret_text = text;
	return 0;
}
