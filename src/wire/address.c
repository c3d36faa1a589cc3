/* SPDX-License-Identifier: MIT
 *
 * address - where the broker listens; see address.h.
 *
 * Place:      wire.
 * Invariants:
 *   D1  a socket file is only replaced while "<path>.lock" is held, so that of two brokers that
 *       find the same stale file one wins and the other sees a live broker.
 *   D2  the socket's mode is never wider than asked for, at no moment.
 */
#include "wire/address.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/cleanup.h"

#define LISTEN_BACKLOG 256

static int address_fill(struct sockaddr_un *address, const char *path)
{
	size_t length = strlen(path);

	if (length == 0) {
		return -ENOENT;
	}
	if (length >= sizeof(address->sun_path)) {
		return -ENAMETOOLONG;
	}
	*address = (struct sockaddr_un){.sun_family = AF_UNIX};
	memcpy(address->sun_path, path, length + 1);
	return 0;
}

static int text_copy(char *buffer, size_t capacity, const char *text)
{
	size_t length = strlen(text);

	if (length >= capacity || length >= sizeof(((struct sockaddr_un *)0)->sun_path)) {
		return -ENAMETOOLONG;
	}
	memcpy(buffer, text, length + 1);
	return 0;
}

int dx_address_default(char *buffer, size_t capacity)
{
	const char *given = secure_getenv(DX_ADDRESS_ENVIRONMENT);
	const char *runtime = secure_getenv("XDG_RUNTIME_DIR");
	char user[sizeof(((struct sockaddr_un *)0)->sun_path)] = "";
	int length = 0;

	if (given != NULL && given[0] != '\0') {
		return text_copy(buffer, capacity, given);
	}
	if (runtime != NULL && runtime[0] == '/') {
		length = snprintf(user, sizeof(user), "%s/opendext/broker", runtime);
		if (length > 0 && (size_t)length < sizeof(user) && access(user, F_OK) == 0) {
			return text_copy(buffer, capacity, user);
		}
	}
	return text_copy(buffer, capacity, DX_ADDRESS_SYSTEM);
}

static int connect_to(const struct sockaddr_un *address, int extra_flags, int *ret_fd)
{
	DX_CLEANUP_FD int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | extra_flags, 0);

	if (fd < 0) {
		return -errno;
	}
	while (connect(fd, (const struct sockaddr *)address, sizeof(*address)) < 0) {
		if (errno != EINTR) {
			return -errno;
		}
	}
	*ret_fd = dx_take_fd(&fd);
	return 0;
}

int dx_address_connect(const char *path)
{
	struct sockaddr_un address;
	int fd = -1;
	int r = address_fill(&address, path);

	if (r == 0) {
		r = connect_to(&address, 0, &fd);
	}
	return r < 0 ? r : fd;
}

/* Removes what a dead broker left. 0 when the path is free now. */
static int clear_stale(const struct sockaddr_un *address)
{
	DX_CLEANUP_FD int fd = -1;
	struct stat status = {0};
	int r = 0;

	if (lstat(address->sun_path, &status) < 0) {
		return errno == ENOENT ? 0 : -errno;
	}
	if (!S_ISSOCK(status.st_mode)) {
		return -ENOTSOCK;
	}
	/* A broker with a full backlog says EAGAIN: it lives. */
	r = connect_to(address, SOCK_NONBLOCK, &fd);
	if (r == 0 || r == -EAGAIN || r == -EPROTOTYPE) {
		return -EADDRINUSE;
	}
	if (r != -ECONNREFUSED) {
		return r;
	}
	return unlink(address->sun_path) < 0 ? -errno : 0;
}

/* The lock file goes with its holder, so having the lock of a file that is no longer there counts
 * for nothing. */
static bool lock_is_current(int fd, const char *path)
{
	struct stat mine = {0};
	struct stat there = {0};

	return fstat(fd, &mine) == 0 && stat(path, &there) == 0 && mine.st_ino == there.st_ino &&
	       mine.st_dev == there.st_dev;
}

static int lock_take(const char *path, int *ret_fd)
{
	for (;;) {
		DX_CLEANUP_FD int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

		if (fd < 0) {
			return -errno;
		}
		if (flock(fd, LOCK_EX) < 0) {
			if (errno == EINTR) {
				continue;
			}
			return -errno;
		}
		if (lock_is_current(fd, path)) {
			*ret_fd = dx_take_fd(&fd);
			return 0;
		}
	}
}

static int bind_and_listen(const struct sockaddr_un *address, unsigned mode, int *ret_fd)
{
	DX_CLEANUP_FD int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0) {
		return -errno;
	}
	/* The mode before bind() limits the file's from birth (D2); chmod() undoes the umask. */
	if (fchmod(fd, mode) < 0 ||
	    bind(fd, (const struct sockaddr *)address, sizeof(*address)) < 0) {
		return -errno;
	}
	if (chmod(address->sun_path, mode) < 0 || listen(fd, LISTEN_BACKLOG) < 0) {
		int r = -errno;

		(void)unlink(address->sun_path); /* ours since bind(); the first error counts */
		return r;
	}
	*ret_fd = dx_take_fd(&fd);
	return 0;
}

int dx_address_listen(const char *path, unsigned mode)
{
	DX_CLEANUP_FD int lock = -1;
	struct sockaddr_un address;
	char lock_path[sizeof(address.sun_path) + 8];
	int fd = -1;
	int r = address_fill(&address, path);

	if (r < 0) {
		return r;
	}
	(void)snprintf(lock_path, sizeof(lock_path), "%s.lock", path); /* fits by its size */
	r = lock_take(lock_path, &lock);
	if (r < 0) {
		return r;
	}
	r = clear_stale(&address);
	if (r == 0) {
		r = bind_and_listen(&address, mode, &fd);
	}
	(void)unlink(lock_path); /* still locked; a failure leaves an empty file that works again */
	return r < 0 ? r : fd;
}
