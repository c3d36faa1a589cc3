/* SPDX-License-Identifier: MIT
 *
 * demo_counts - system calls of a process, counted by the kernel. See demo_counts.h.
 *
 * The number of the tracepoint is in tracefs, which need not be mounted: a mount without a place in
 * the tree is made, read and dropped.
 */
#include "demo_counts.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/perf_event.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"

/* A mount of tracefs that nobody else sees. */
static int open_tracefs(void)
{
	DX_CLEANUP_FD int context = fsopen("tracefs", FSOPEN_CLOEXEC);
	int mount = -1;

	if (context < 0 || fsconfig(context, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0) {
		return -errno;
	}
	mount = fsmount(context, FSMOUNT_CLOEXEC, 0);
	return mount < 0 ? -errno : mount;
}

/* The number of the tracepoint, or a negative errno. */
static int find_tracepoint(void)
{
	DX_CLEANUP_FD int tracefs = open_tracefs();
	DX_CLEANUP_FD int file = -1;
	char text[32];
	ssize_t length = 0;

	if (tracefs < 0) {
		return tracefs;
	}
	file = openat(tracefs, "events/raw_syscalls/sys_enter/id", O_RDONLY | O_CLOEXEC);
	if (file < 0) {
		return -errno;
	}
	length = read(file, text, sizeof(text) - 1);
	if (length <= 0) {
		return -EIO;
	}
	text[length] = '\0';
	return (int)strtol(text, NULL, 10);
}

static int open_counter(int tracepoint, pid_t thread)
{
	struct perf_event_attr attributes = {
		.type = PERF_TYPE_TRACEPOINT,
		.size = sizeof(attributes),
		.config = (uint64_t)tracepoint,
		.inherit = 1,
	};
	int fd = (int)syscall(SYS_perf_event_open, &attributes, thread, -1, -1,
			      PERF_FLAG_FD_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

static int start_threads(struct dx_counts *counts, int tracepoint, DIR *threads)
{
	for (;;) {
		struct dirent *entry = readdir(threads);
		int fd = -1;

		if (entry == NULL) {
			return 0;
		}
		if (!isdigit((unsigned char)entry->d_name[0])) {
			continue;
		}
		if (counts->nr_fds == DX_COUNTS_THREADS) {
			return -EMFILE;
		}
		fd = open_counter(tracepoint, (pid_t)strtol(entry->d_name, NULL, 10));
		if (fd < 0 && fd != -ESRCH) { /* a thread may end at any time */
			return fd;
		}
		if (fd >= 0) {
			counts->fds[counts->nr_fds++] = fd;
		}
	}
}

int dx_counts_start(struct dx_counts *counts, pid_t pid)
{
	char path[64];
	DIR *threads = NULL;
	int tracepoint = find_tracepoint();
	int result = 0;

	counts->nr_fds = 0;
	if (tracepoint < 0) {
		return tracepoint;
	}
	(void)snprintf(path, sizeof(path), "/proc/%d/task", (int)pid);
	threads = opendir(path);
	if (threads == NULL) {
		return -errno;
	}
	result = start_threads(counts, tracepoint, threads);
	(void)closedir(threads);
	if (result < 0) {
		(void)dx_counts_stop(counts);
	}
	return result;
}

uint64_t dx_counts_stop(struct dx_counts *counts)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < counts->nr_fds; i++) {
		uint64_t value = 0;

		if (read(counts->fds[i], &value, sizeof(value)) == (ssize_t)sizeof(value)) {
			sum += value;
		}
		dx_fd_close(&counts->fds[i]);
	}
	counts->nr_fds = 0;
	return sum;
}
