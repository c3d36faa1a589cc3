/* SPDX-License-Identifier: MIT
 *
 * file - whole files of bounded size, and private directories that go away again.
 */
#include "base/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/check.h"
#include "base/cleanup.h"
#include "base/limits.h"
#include "base/pathutil.h"

#define READ_STEP_BYTES 4096u

/* O_NONBLOCK: opening a pipe must not wait for its writer. */
static int open_regular(const char *path)
{
	DX_CLEANUP_FD int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	struct stat status;
	int error = errno;

	if (fd < 0) {
		return -error;
	}
	if (fstat(fd, &status) < 0) {
		return -errno;
	}
	if (S_ISDIR(status.st_mode)) {
		return -EISDIR;
	}
	return S_ISREG(status.st_mode) ? dx_take_fd(&fd) : -EINVAL;
}

/* Not by st_size, which is 0 in /proc and may change while we read. */
static int read_all(int fd, size_t max_bytes, void **ret_bytes, size_t *ret_length)
{
	DX_CLEANUP_FREE char *bytes = NULL;
	size_t capacity = 0;
	size_t length = 0;

	for (;;) {
		ssize_t got;
		int error;

		if (capacity - length < 2) {
			size_t wanted = capacity == 0 ? READ_STEP_BYTES : capacity * 2;
			char *longer = realloc(bytes, wanted);

			if (longer == NULL) {
				return -ENOMEM;
			}
			bytes = longer;
			capacity = wanted;
		}
		got = read(fd, bytes + length, capacity - length - 1);
		error = errno;
		if (got < 0 && error == EINTR) {
			continue;
		}
		if (got < 0) {
			return -error;
		}
		if (got == 0) {
			break;
		}
		length += (size_t)got;
		if (length > max_bytes) {
			return -EFBIG;
		}
	}
	bytes[length] = '\0';
	*ret_bytes = dx_take_ptr(&bytes);
	*ret_length = length;
	return 0;
}

int dx_file_read(const char *path, size_t max_bytes, void **ret_bytes, size_t *ret_length)
{
	DX_CLEANUP_FD int fd = open_regular(path);
	int error = fd;

	if (fd < 0) {
		return error;
	}
	return read_all(fd, max_bytes, ret_bytes, ret_length);
}

int dx_file_write_fd(int fd, const void *bytes, size_t length)
{
	const char *at = bytes;

	while (length > 0) {
		ssize_t written = write(fd, at, length);
		int error = errno;

		if (written < 0 && error == EINTR) {
			continue;
		}
		if (written <= 0) {
			return written < 0 ? -error : -EIO;
		}
		at += written;
		length -= (size_t)written;
	}
	return 0;
}

int dx_private_dir_new(const char *prefix, char **ret_path)
{
	const char *const roots[] = {getenv("XDG_RUNTIME_DIR"), getenv("TMPDIR"), "/tmp"};
	int result = -ENOENT;

	if (!dx_path_is_plain_name(prefix)) {
		return -EINVAL;
	}
	for (size_t i = 0; i < DX_ARRAY_SIZE(roots); i++) {
		DX_CLEANUP_FREE char *path = NULL;

		if (roots[i] == NULL || roots[i][0] != '/') {
			continue;
		}
		if (asprintf(&path, "%s/%s.XXXXXX", roots[i], prefix) < 0) {
			path = NULL; /* its value is undefined after a failure */
			return -ENOMEM;
		}
		if (mkdtemp(path) != NULL) {
			*ret_path = dx_take_ptr(&path);
			return 0;
		}
		result = -errno;
	}
	return result;
}

static void keep_first(int *first, int result)
{
	if (*first == 0 && result < 0) {
		*first = result;
	}
}

static int remove_contents(int fd, dev_t device, unsigned depth);

static int remove_entry(int parent, const char *name, dev_t device, unsigned depth)
{
	DX_CLEANUP_FD int fd = -1;
	struct stat status;
	int first = 0;
	int error;

	if (unlinkat(parent, name, 0) == 0) {
		return 0;
	}
	error = errno;
	if (error != EISDIR && error != EPERM) {
		return -error;
	}
	fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0) {
		return -errno;
	}
	if (fstat(fd, &status) < 0) {
		return -errno;
	}
	if (status.st_dev != device) {
		return -EXDEV;
	}
	keep_first(&first, remove_contents(dx_take_fd(&fd), device, depth + 1));
	keep_first(&first, unlinkat(parent, name, AT_REMOVEDIR) < 0 ? -errno : 0);
	return first;
}

/* Takes fd. Recursive by nature: it and remove_entry() call each other. */
static int remove_contents(int fd, dev_t device, unsigned depth)
{
	DIR *dir = depth > DX_MAX_REMOVE_DEPTH ? NULL : fdopendir(fd);
	int error = depth > DX_MAX_REMOVE_DEPTH ? ELOOP : errno;
	int first = 0;

	if (dir == NULL) {
		dx_fd_close(&fd);
		return -error;
	}
	for (struct dirent *entry = readdir(dir); entry != NULL; entry = readdir(dir)) {
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0) {
			keep_first(&first, remove_entry(dirfd(dir), entry->d_name, device, depth));
		}
	}
	(void)closedir(dir); /* only reads */
	return first;
}

int dx_private_dir_remove(const char *path)
{
	DX_CLEANUP_FD int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct stat status;
	int first = 0;
	int error = errno;

	if (fd < 0) {
		return -error;
	}
	if (fstat(fd, &status) < 0) {
		return -errno;
	}
	keep_first(&first, remove_contents(dx_take_fd(&fd), status.st_dev, 0));
	keep_first(&first, rmdir(path) < 0 ? -errno : 0);
	return first;
}
