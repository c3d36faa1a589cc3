/* SPDX-License-Identifier: MIT
 *
 * fdpass - one message with file descriptors over a unix socket.
 *
 * Place:   base; the only place where descriptors leave or enter a process. fdpass.h has the
 *          invariants.
 */
#include "base/fdpass.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>

#include "base/cleanup.h"

/* Room for one descriptor more than allowed, so that "too many" is seen and not just cut. */
union control {
	struct cmsghdr align;
	char bytes[CMSG_SPACE(sizeof(int) * (DX_FDPASS_MAX + 1))];
};

/* What the kernel may put there: it also fills the padding at the end of the room. */
#define MAX_RECEIVED ((sizeof(union control) - CMSG_LEN(0)) / sizeof(int))

static void attach_fds(struct msghdr *message, union control *control, const int *fds,
		       size_t nr_fds)
{
	struct cmsghdr *header;

	message->msg_control = control->bytes;
	message->msg_controllen = CMSG_SPACE(sizeof(int) * nr_fds);
	header = CMSG_FIRSTHDR(message);
	header->cmsg_level = SOL_SOCKET;
	header->cmsg_type = SCM_RIGHTS;
	header->cmsg_len = CMSG_LEN(sizeof(int) * nr_fds);
	memcpy(CMSG_DATA(header), fds, sizeof(int) * nr_fds);
}

int dx_fdpass_send(int socket, const void *bytes, size_t length, const int *fds, size_t nr_fds,
		   int nonblocking)
{
	union control control = {0};
	struct iovec vector = {.iov_base = (void *)(uintptr_t)bytes, .iov_len = length};
	struct msghdr message = {.msg_iov = &vector, .msg_iovlen = 1};
	int flags = MSG_NOSIGNAL | (nonblocking != 0 ? MSG_DONTWAIT : 0);

	if (length == 0 || nr_fds > DX_FDPASS_MAX) {
		return -EMSGSIZE; /* an empty message would read as "closed" at the other end */
	}
	if (nr_fds > 0) {
		attach_fds(&message, &control, fds, nr_fds);
	}
	for (;;) {
		ssize_t sent = sendmsg(socket, &message, flags);
		int error = errno;

		if (sent >= 0) {
			return (size_t)sent == length ? 0 : -EPROTO;
		}
		if (error != EINTR) {
			return -error;
		}
	}
}

/* Moves every descriptor of the message to fds (MAX_RECEIVED entries). @return how many. */
static size_t collect_fds(struct msghdr *message, int *fds)
{
	size_t nr_fds = 0;

	for (struct cmsghdr *header = CMSG_FIRSTHDR(message); header != NULL;
	     header = CMSG_NXTHDR(message, header)) {
		size_t nr_here = 0;

		if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) {
			continue;
		}
		nr_here = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		for (size_t i = 0; i < nr_here && nr_fds < MAX_RECEIVED; i++) {
			memcpy(&fds[nr_fds++], CMSG_DATA(header) + i * sizeof(int), sizeof(int));
		}
	}
	return nr_fds;
}

static ssize_t receive(int socket, struct msghdr *message, int nonblocking)
{
	int flags = MSG_CMSG_CLOEXEC | (nonblocking != 0 ? MSG_DONTWAIT : 0);

	for (;;) {
		ssize_t length = recvmsg(socket, message, flags);
		int error = errno;

		if (length >= 0) {
			return length;
		}
		if (error != EINTR) {
			return -error;
		}
	}
}

ssize_t dx_fdpass_recv(int socket, void *buffer, size_t capacity, int *ret_fds, size_t max_fds,
		       int nonblocking)
{
	union control control = {0};
	int fds[MAX_RECEIVED];
	struct iovec vector = {.iov_base = buffer, .iov_len = capacity};
	struct msghdr message = {
		.msg_iov = &vector,
		.msg_iovlen = 1,
		.msg_control = control.bytes,
		.msg_controllen = sizeof(control.bytes),
	};
	ssize_t length = receive(socket, &message, nonblocking);
	size_t nr_fds = 0;

	if (length < 0) {
		return length;
	}
	nr_fds = collect_fds(&message, fds);
	/* Cut before the room was full: the kernel found no free descriptor in this process. */
	if ((message.msg_flags & MSG_CTRUNC) != 0 && nr_fds <= DX_FDPASS_MAX) {
		dx_fdpass_close_all(fds, nr_fds);
		return -EMFILE;
	}
	if ((message.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0 || nr_fds > max_fds ||
	    nr_fds > DX_FDPASS_MAX || (length == 0 && nr_fds > 0)) {
		dx_fdpass_close_all(fds, nr_fds);
		return -EPROTO;
	}
	for (size_t i = 0; i < DX_FDPASS_MAX; i++) {
		ret_fds[i] = i < nr_fds ? fds[i] : -1;
	}
	return length;
}

void dx_fdpass_close_all(int *fds, size_t nr_fds)
{
	for (size_t i = 0; i < nr_fds; i++) {
		dx_fd_close(&fds[i]);
	}
}
