/* SPDX-License-Identifier: MIT
 *
 * file_test - bounded reads, private directories.
 */
#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/pathutil.h"

static char *new_directory(void)
{
	char *path = NULL;

	CHECK_EQ(dx_private_dir_new("opendext-test", &path), 0);
	return path;
}

static void write_file(const char *directory, const char *name, const char *text, size_t length)
{
	DX_CLEANUP_FREE char *path = dx_path_join(directory, name);
	DX_CLEANUP_FD int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	CHECK(fd >= 0);
	CHECK_EQ(dx_file_write_fd(fd, text, length), 0);
}

static int read_file(const char *directory, const char *name, size_t max_bytes, char **ret_text,
		     size_t *ret_length)
{
	DX_CLEANUP_FREE char *path = dx_path_join(directory, name);
	void *bytes = NULL;
	int result = dx_file_read(path, max_bytes, &bytes, ret_length);

	*ret_text = bytes;
	return result;
}

TEST(file_read_returns_all_bytes_and_a_nul)
{
	DX_CLEANUP_FREE char *directory = new_directory();
	DX_CLEANUP_FREE char *text = NULL;
	DX_CLEANUP_FREE char *empty = NULL;
	size_t length = 0;

	write_file(directory, "a", "a\0b", 3);
	write_file(directory, "empty", "", 0);
	CHECK_EQ(read_file(directory, "a", 3, &text, &length), 0);
	CHECK_EQ(length, 3);
	CHECK_MEM_EQ(text, "a\0b", 4);
	CHECK_EQ(read_file(directory, "empty", 3, &empty, &length), 0);
	CHECK_EQ(length, 0);
	CHECK_STR_EQ(empty, "");
	CHECK_EQ(dx_private_dir_remove(directory), 0);
}

TEST(file_read_of_large_file_is_whole)
{
	DX_CLEANUP_FREE char *directory = new_directory();
	DX_CLEANUP_FREE char *content = malloc(100000);
	DX_CLEANUP_FREE char *text = NULL;
	size_t length = 0;

	for (int i = 0; i < 100000; i++) {
		content[i] = (char)(i * 7);
	}
	write_file(directory, "large", content, 100000);
	CHECK_EQ(read_file(directory, "large", 100000, &text, &length), 0);
	CHECK_EQ(length, 100000);
	CHECK_MEM_EQ(text, content, length);
	CHECK_EQ(dx_private_dir_remove(directory), 0);
}

TEST(file_read_over_the_limit_is_refused)
{
	DX_CLEANUP_FREE char *directory = new_directory();
	char *text = NULL;
	size_t length = 77;

	write_file(directory, "a", "abcd", 4);
	CHECK_EQ(read_file(directory, "a", 3, &text, &length), -EFBIG);
	CHECK(text == NULL);
	CHECK_EQ(length, 77);
	CHECK_EQ(read_file("/dev", "zero", 100, &text, &length), -EINVAL);
	CHECK_EQ(dx_private_dir_remove(directory), 0);
}

TEST(file_read_of_other_things_says_what_they_are)
{
	DX_CLEANUP_FREE char *directory = new_directory();
	DX_CLEANUP_FREE char *fifo = dx_path_join(directory, "fifo");
	char *text = NULL;
	size_t length = 0;

	CHECK_EQ(mkfifo(fifo, 0600), 0);
	CHECK_EQ(read_file(directory, "fifo", 10, &text, &length), -EINVAL); /* and does not wait */
	CHECK_EQ(read_file(directory, ".", 10, &text, &length), -EISDIR);
	CHECK_EQ(read_file(directory, "none", 10, &text, &length), -ENOENT);
	CHECK_EQ(dx_private_dir_remove(directory), 0);
}

TEST(file_read_of_proc_file_without_size)
{
	DX_CLEANUP_FREE void *text = NULL;
	size_t length = 0;

	CHECK_EQ(dx_file_read("/proc/self/stat", 4096, &text, &length), 0);
	CHECK(length > 0);
}

TEST(file_write_reports_the_error)
{
	DX_CLEANUP_FD int full = open("/dev/full", O_WRONLY | O_CLOEXEC);

	CHECK_EQ(dx_file_write_fd(full, "x", 1), -ENOSPC);
	CHECK_EQ(dx_file_write_fd(full, "x", 0), 0);
	CHECK_EQ(dx_file_write_fd(-1, "x", 1), -EBADF);
}

TEST(private_dir_is_private_and_follows_the_environment)
{
	DX_CLEANUP_FREE char *outer = new_directory();
	DX_CLEANUP_FREE char *inner = NULL;
	struct stat status;

	CHECK_EQ(setenv("XDG_RUNTIME_DIR", outer, 1), 0);
	CHECK_EQ(dx_private_dir_new("in", &inner), 0);
	CHECK_EQ(strncmp(inner, outer, strlen(outer)), 0);
	CHECK_EQ(stat(inner, &status), 0);
	CHECK_EQ(status.st_mode & 0777, 0700);
	CHECK_EQ(dx_private_dir_remove(outer), 0);
	CHECK_EQ(access(inner, F_OK), -1);
}

TEST(private_dir_falls_back_when_the_first_place_is_missing)
{
	DX_CLEANUP_FREE char *path = NULL;

	CHECK_EQ(setenv("XDG_RUNTIME_DIR", "/nonexistent", 1), 0);
	CHECK_EQ(setenv("TMPDIR", "relative", 1), 0);
	CHECK_EQ(dx_private_dir_new("in", &path), 0);
	CHECK_EQ(strncmp(path, "/tmp/in.", 8), 0);
	CHECK_EQ(dx_private_dir_remove(path), 0);
}

TEST(private_dir_name_must_be_plain)
{
	char *path = NULL;

	CHECK_EQ(dx_private_dir_new("a/b", &path), -EINVAL);
	CHECK_EQ(dx_private_dir_new("", &path), -EINVAL);
	CHECK(path == NULL);
}

TEST(private_dir_remove_does_not_follow_links)
{
	DX_CLEANUP_FREE char *kept = new_directory();
	DX_CLEANUP_FREE char *directory = new_directory();
	DX_CLEANUP_FREE char *link = dx_path_join(directory, "link");
	DX_CLEANUP_FREE char *sub = dx_path_join(directory, "sub");
	DX_CLEANUP_FREE char *text = NULL;
	size_t length = 0;

	write_file(kept, "precious", "p", 1);
	CHECK_EQ(symlink(kept, link), 0);
	CHECK_EQ(mkdir(sub, 0700), 0);
	write_file(sub, "file", "f", 1);
	CHECK_EQ(dx_private_dir_remove(directory), 0);
	CHECK_EQ(access(directory, F_OK), -1);
	CHECK_EQ(read_file(kept, "precious", 10, &text, &length), 0);
	CHECK_EQ(dx_private_dir_remove(kept), 0);
	CHECK_EQ(dx_private_dir_remove(kept), -ENOENT);
}

TEST(private_dir_remove_of_a_link_is_refused)
{
	DX_CLEANUP_FREE char *directory = new_directory();
	DX_CLEANUP_FREE char *link = dx_path_join(directory, "link");

	CHECK_EQ(symlink("/tmp", link), 0);
	CHECK_EQ(dx_private_dir_remove(link), -ENOTDIR);
	CHECK_EQ(dx_private_dir_remove(directory), 0);
}

TEST(private_dir_remove_stops_at_a_depth)
{
	DX_CLEANUP_FREE char *directory = new_directory();
	char *path = dx_path_join(directory, "d");
	int nr_levels = 0;

	for (; nr_levels < 40; nr_levels++) {
		char *deeper = dx_path_join(path, "d");

		CHECK_EQ(mkdir(path, 0700), 0);
		free(path);
		path = deeper;
	}
	free(path);
	CHECK_EQ(dx_private_dir_remove(directory), -ELOOP);
	/* What is too deep can be taken from further down. */
	path = dx_path_join(directory, "d/d/d/d/d/d/d/d/d/d/d/d");
	CHECK_EQ(dx_private_dir_remove(path), 0);
	free(path);
	CHECK_EQ(dx_private_dir_remove(directory), 0);
}
