/* SPDX-License-Identifier: MIT
 *
 * launcher - how a host comes to life and dies: a process, or a thread in a test.
 *
 * Place:   daemon; the seam between hosts.c and the operating system.
 */
#ifndef DX_DAEMON_LAUNCHER_H
#define DX_DAEMON_LAUNCHER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct dx_launch {
	const char *program;    /* path of dext-host */
	const char *identifier; /* of the bundle, for lists of processes */
	bool is_private;        /* it must die with us */
};

struct dx_launched {
	pid_t pid;
	int watch_fd; /* readable when it has ended; owned by the caller */
};

struct dx_launcher {
	void *context;
	/*
	 * Starts a host whose W-H socket is *socket; takes it over on success.
	 * @return 0; -ENOENT, -EACCES, -ENOEXEC for the program; -EAGAIN, -EMFILE, -ENOMEM.
	 */
	int (*launch)(void *context, const struct dx_launch *launch, int *socket,
		      struct dx_launched *ret_launched);
	/* SIGTERM or SIGKILL; once ended it does nothing. */
	void (*kill)(void *context, const struct dx_launched *launched, int signal);
	/* After watch_fd became readable: how it ended, in words. Returns true for exit status 0.
	 */
	bool (*reap)(void *context, const struct dx_launched *launched, char *text, size_t size);
};

/* fork and exec; context is not used. */
extern const struct dx_launcher dx_launcher_process;

/* pidfd of a process that is not our child, with the start time that identifies it for good. */
int dx_process_open(pid_t pid, uint64_t start_time, int *ret_pidfd);
/* Field 22 of /proc/PID/stat. 0 when there is no such process. */
uint64_t dx_process_start_time(pid_t pid);

#endif
