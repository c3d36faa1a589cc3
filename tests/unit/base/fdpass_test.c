/* SPDX-License-Identifier: MIT
 *
 * fdpass_test - messages with descriptors, good ones and hostile ones. The harness sees every
 * descriptor that is not closed.
 */
#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fdpass.h"

struct pair {
	int ends[2];
};

static void close_pair(struct pair *pair)
{
	dx_fd_close(&pair->ends[0]);
	dx_fd_close(&pair->ends[1]);
}

#define PAIR DX_CLEANUP(close_pair) struct pair

static struct pair new_pair(void)
{
	struct pair pair;

	CHECK_EQ(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair.ends), 0);
	return pair;
}

/* Sends nr_fds copies of standard error, past our own checks. */
static void send_raw(int socket, const void *bytes, size_t length, size_t nr_fds)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(int) * 64)];
	} control = {0};
	struct iovec vector = {.iov_base = (void *)(uintptr_t)bytes, .iov_len = length};
	struct msghdr message = {
		.msg_iov = &vector,
		.msg_iovlen = 1,
		.msg_control = control.bytes,
		.msg_controllen = CMSG_SPACE(sizeof(int) * nr_fds),
	};
	struct cmsghdr *header = CMSG_FIRSTHDR(&message);

	header->cmsg_level = SOL_SOCKET;
	header->cmsg_type = SCM_RIGHTS;
	header->cmsg_len = CMSG_LEN(sizeof(int) * nr_fds);
	for (size_t i = 0; i < nr_fds; i++) {
		int fd = STDERR_FILENO;

		memcpy(CMSG_DATA(header) + i * sizeof(fd), &fd, sizeof(fd));
	}
	CHECK_EQ(sendmsg(socket, &message, 0), (ssize_t)length);
}

TEST(fdpass_message_arrives_with_its_descriptors)
{
	PAIR pair = new_pair();
	int sent[2] = {STDIN_FILENO, STDERR_FILENO};
	int fds[DX_FDPASS_MAX];
	char buffer[16];

	CHECK_EQ(dx_fdpass_send(pair.ends[0], "hello", 5, sent, 2, 0), 0);
	CHECK_EQ(dx_fdpass_recv(pair.ends[1], buffer, sizeof(buffer), fds, 2, 0), 5);
	CHECK_MEM_EQ(buffer, "hello", 5);
	CHECK(fds[0] >= 0 && fds[1] >= 0);
	CHECK_EQ(fcntl(fds[0], F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
	for (int i = 2; i < DX_FDPASS_MAX; i++) {
		CHECK_EQ(fds[i], -1);
	}
	dx_fdpass_close_all(fds, DX_FDPASS_MAX);
	CHECK_EQ(fds[0], -1);
}

TEST(fdpass_message_without_descriptors)
{
	PAIR pair = new_pair();
	int fds[DX_FDPASS_MAX];
	char buffer[16];

	CHECK_EQ(dx_fdpass_send(pair.ends[0], "x", 1, NULL, 0, 1), 0);
	CHECK_EQ(dx_fdpass_recv(pair.ends[1], buffer, sizeof(buffer), fds, 0, 1), 1);
	CHECK_EQ(fds[0], -1);
}

TEST(fdpass_most_descriptors_arrive_and_one_more_does_not)
{
	PAIR pair = new_pair();
	int fds[DX_FDPASS_MAX];
	char buffer[16];

	send_raw(pair.ends[0], "x", 1, DX_FDPASS_MAX);
	CHECK_EQ(dx_fdpass_recv(pair.ends[1], buffer, sizeof(buffer), fds, DX_FDPASS_MAX, 0), 1);
	dx_fdpass_close_all(fds, DX_FDPASS_MAX);
	send_raw(pair.ends[0], "x", 1, DX_FDPASS_MAX + 1);
	CHECK_EQ(dx_fdpass_recv(pair.ends[1], buffer, sizeof(buffer), fds, DX_FDPASS_MAX, 0), -EPROTO);
	/* The padding of the control buffer has room for one more than we asked for. */
	send_raw(pair.ends[0], "x", 1, DX_FDPASS_MAX + 2);
	CHECK_EQ(dx_fdpass_recv(pair.ends[1], buffer, sizeof(buffer), fds, DX_FDPASS_MAX, 0), -EPROTO);
	send_raw(pair.ends[0], "x", 1, 60);
	CHECK_EQ(dx_fdpass_recv(pair.ends[1], buffer, sizeof(buffer), fds, DX_FDPASS_MAX, 0), -EPROTO);
}

TEST(fdpass_more_descriptors_than_expected_are_closed)
{
	PAIR pair = new_pair();
	int fds[DX_FDPASS_MAX];
	char buffer[16];

	send_raw(pair.ends[0], "x", 1, 2);
	CHECK_EQ(dx_fdpass_recv(pair.ends[1], buffer, sizeof(buffer), fds, 1, 0), -EPROTO);
	send_raw(pair.ends[0], "x", 1, 1);
	CHECK_EQ(dx_fdpass_recv(pair.ends[1], buffer, sizeof(buffer), fds, 0, 0), -EPROTO);
}

TEST(fdpass_cut_message_is_refused_and_its_descriptors_closed)
{
	PAIR pair = new_pair();
	int fds[DX_FDPASS_MAX];
	char buffer[4];

	send_raw(pair.ends[0], "too long", 8, 3);
	CHECK_EQ(dx_fdpass_recv(pair.ends[1], buffer, sizeof(buffer), fds, 3, 0), -EPROTO);
	CHECK_EQ(dx_fdpass_send(pair.ends[0], "ok", 2, NULL, 0, 0), 0);
	CHECK_EQ(dx_fdpass_recv(pair.ends[1], buffer, sizeof(buffer), fds, 3, 0), 2);
}

TEST(fdpass_empty_message_with_descriptors_is_refused)
{
	PAIR pair = new_pair();
	int fds[DX_FDPASS_MAX];
	char buffer[4];

	send_raw(pair.ends[0], "", 0, 1);
	CHECK_EQ(dx_fdpass_recv(pair.ends[1], buffer, sizeof(buffer), fds, 3, 0), -EPROTO);
}

TEST(fdpass_without_free_descriptors_refuses_the_message)
{
	PAIR pair = new_pair();
	struct rlimit before;
	struct rlimit limit;
	DX_CLEANUP_FD int next = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 0); /* lowest that is free */
	rlim_t nr_fds = (rlim_t)next;
	int fds[DX_FDPASS_MAX];
	char buffer[4];

	dx_fd_close(&next);
	send_raw(pair.ends[0], "x", 1, 4);
	CHECK_EQ(getrlimit(RLIMIT_NOFILE, &before), 0);
	limit = (struct rlimit){.rlim_cur = nr_fds + 2, .rlim_max = before.rlim_max};
	CHECK_EQ(setrlimit(RLIMIT_NOFILE, &limit), 0);
	CHECK_EQ(dx_fdpass_recv(pair.ends[1], buffer, sizeof(buffer), fds, 4, 0), -EMFILE);
	CHECK_EQ(setrlimit(RLIMIT_NOFILE, &before), 0);
}

TEST(fdpass_nonblocking_says_so)
{
	PAIR pair = new_pair();
	int fds[DX_FDPASS_MAX];
	static char buffer[1024];
	int result = 0;

	CHECK_EQ(dx_fdpass_recv(pair.ends[1], buffer, sizeof(buffer), fds, 0, 1), -EAGAIN);
	while (result == 0) {
		result = dx_fdpass_send(pair.ends[0], buffer, sizeof(buffer), NULL, 0, 1);
	}
	CHECK_EQ(result, -EAGAIN);
}

TEST(fdpass_closed_peer_reads_as_end_and_breaks_sends)
{
	PAIR pair = new_pair();
	int fds[DX_FDPASS_MAX];
	char buffer[4];

	dx_fd_close(&pair.ends[0]);
	CHECK_EQ(dx_fdpass_recv(pair.ends[1], buffer, sizeof(buffer), fds, 0, 0), 0);
	CHECK_EQ(dx_fdpass_send(pair.ends[1], "x", 1, NULL, 0, 0), -EPIPE); /* and no SIGPIPE */
}

TEST(fdpass_send_checks_its_arguments)
{
	PAIR pair = new_pair();
	int many[DX_FDPASS_MAX + 1] = {0};
	static char large[1 << 20];
	int bad = 99999;

	CHECK_EQ(dx_fdpass_send(pair.ends[0], "", 0, NULL, 0, 0), -EMSGSIZE);
	CHECK_EQ(dx_fdpass_send(pair.ends[0], "x", 1, many, DX_FDPASS_MAX + 1, 0), -EMSGSIZE);
	CHECK_EQ(dx_fdpass_send(pair.ends[0], large, sizeof(large), NULL, 0, 0), -EMSGSIZE);
	CHECK_EQ(dx_fdpass_send(pair.ends[0], "x", 1, &bad, 1, 0), -EBADF);
	CHECK_EQ(dx_fdpass_send(-1, "x", 1, NULL, 0, 0), -EBADF);
	CHECK_EQ(dx_fdpass_recv(-1, large, 1, many, 0, 0), -EBADF);
}
