/* SPDX-License-Identifier: MIT
 *
 * launcher - start dext-host with fork and exec; see launcher.h.
 *
 * Place:      daemon.
 * Invariants:
 *   A1  the child starts with descriptors 0 to 3 only: /dev/null, our output twice, the socket.
 *   A2  between fork and exec the child makes system calls only: we may have other threads.
 */
#include "daemon/launcher.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"

#define HOST_SOCKET 3

/* Not in the C library of Debian 12's older cousins; the numbers are the same everywhere. */
static int pidfd_open_(pid_t pid)
{
	int fd = (int)syscall(SYS_pidfd_open, pid, 0);

	return fd < 0 ? -errno : fd;
}

static void reset_signals(void)
{
	struct sigaction standard = {.sa_handler = SIG_DFL};
	sigset_t none;

	for (int number = 1; number < NSIG; number++) {
		(void)sigaction(number, &standard, NULL); /* SIGKILL and the library's own refuse */
	}
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
}

/* Everything above HOST_SOCKET but the pipe that tells of a failed exec, which is CLOEXEC. */
static void close_others(int keep)
{
	if (keep > HOST_SOCKET + 1) {
		(void)syscall(SYS_close_range, HOST_SOCKET + 1, keep - 1, 0);
	}
	(void)syscall(SYS_close_range, keep + 1, ~0u, 0);
}

/* Moves the fds of the child to their places. The two must not be hit by each other's move, so
 * both go up first. @return the pipe's new number, or negative. */
static int place_fds(int socket, int error_pipe)
{
	int high_pipe = fcntl(error_pipe, F_DUPFD_CLOEXEC, HOST_SOCKET + 1);
	int high_socket = fcntl(socket, F_DUPFD_CLOEXEC, HOST_SOCKET + 1);
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC);

	if (high_pipe < 0 || high_socket < 0 || null < 0 || dup2(null, STDIN_FILENO) < 0 ||
	    dup2(high_socket, HOST_SOCKET) < 0) {
		return -1;
	}
	return high_pipe;
}

__attribute__((noreturn)) static void run_child(const struct dx_launch *launch, int socket,
						int error_pipe, pid_t parent)
{
	char *const arguments[] = {(char *)(uintptr_t)launch->program,
				   (char *)(uintptr_t)launch->identifier, NULL};
	int error = 0;
	int pipe = place_fds(socket, error_pipe);

	if (pipe >= 0) {
		close_others(pipe);
		reset_signals();
		/* A key that interrupts the terminal's foreground group must not kill drivers that
		 * their broker is about to stop in order. */
		(void)setpgid(0, 0);
		if (launch->is_private) {
			(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
			if (getppid() != parent) {
				_exit(127); /* it died in between */
			}
		}
		(void)execv(launch->program, arguments);
	}
	error = errno;
	(void)!write(pipe >= 0 ? pipe : error_pipe, &error, sizeof(error)); /* or nobody hears it */
	_exit(127);
}

/* 0 when exec succeeded and closed the pipe; else its errno. */
static int wait_for_exec(int pipe)
{
	int error = 0;
	ssize_t length = 0;

	do {
		length = read(pipe, &error, sizeof(error));
	} while (length < 0 && errno == EINTR);
	return length == (ssize_t)sizeof(error) ? -error : 0;
}

static int process_launch(void *context, const struct dx_launch *launch, int *socket,
			  struct dx_launched *ret_launched)
{
	DX_CLEANUP_FD int read_end = -1;
	DX_CLEANUP_FD int write_end = -1;
	int ends[2];
	pid_t parent = getpid();
	pid_t pid = -1;
	int r = 0;

	(void)context;
	if (pipe2(ends, O_CLOEXEC) < 0) {
		return -errno;
	}
	read_end = ends[0];
	write_end = ends[1];
	pid = fork();
	if (pid < 0) {
		return -errno;
	}
	if (pid == 0) {
		run_child(launch, *socket, write_end, parent);
	}
	dx_fd_close(&write_end);
	r = wait_for_exec(read_end);
	if (r == 0) {
		r = pidfd_open_(pid);
	}
	if (r < 0) {
		(void)kill(pid, SIGKILL); /* our child, not waited for: the number is still its */
		(void)waitpid(pid, NULL, 0);
		return r;
	}
	dx_fd_close(socket);
	*ret_launched = (struct dx_launched){.pid = pid, .watch_fd = r};
	return 0;
}

static void process_kill(void *context, const struct dx_launched *launched, int signal)
{
	(void)context;
	(void)syscall(SYS_pidfd_send_signal, launched->watch_fd, signal, NULL,
		      0); /* or it is gone */
}

static bool process_reap(void *context, const struct dx_launched *launched, char *text, size_t size)
{
	siginfo_t info = {0};

	(void)context;
	if (waitid((idtype_t)P_PIDFD, (id_t)launched->watch_fd, &info, WEXITED | WNOHANG) < 0 ||
	    info.si_pid == 0) {
		(void)snprintf(text, size, "ended"); /* adopted: not our child */
		return false;
	}
	if (info.si_code == CLD_EXITED) {
		(void)snprintf(text, size, "exited with status %d", info.si_status);
		return info.si_status == 0;
	}
	(void)snprintf(text, size, "killed by signal %d (%s)", info.si_status,
		       sigdescr_np(info.si_status) != NULL ? sigdescr_np(info.si_status) : "?");
	return false;
}

const struct dx_launcher dx_launcher_process = {
	.launch = process_launch,
	.kill = process_kill,
	.reap = process_reap,
};

uint64_t dx_process_start_time(pid_t pid)
{
	char path[64];
	char text[1024];
	DX_CLEANUP_FD int fd = -1;
	const char *at = NULL;
	ssize_t length = 0;

	(void)snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		return 0;
	}
	length = read(fd, text, sizeof(text) - 1);
	if (length <= 0) {
		return 0;
	}
	text[length] = '\0';
	at = strrchr(text, ')'); /* the name may hold anything, spaces and brackets too */
	for (int field = 2; at != NULL && field < 22; field++) {
		at = strchr(at + 1, ' ');
	}
	return at == NULL ? 0 : strtoull(at, NULL, 10);
}

int dx_process_open(pid_t pid, uint64_t start_time, int *ret_pidfd)
{
	DX_CLEANUP_FD int fd = -1;
	int r = pid <= 0 ? -ESRCH : pidfd_open_(pid);

	if (r < 0) {
		return r;
	}
	fd = r;
	/* The pidfd names the process that has the number now; if that is the one we mean, it
	 * will stay so. */
	if (start_time == 0 || dx_process_start_time(pid) != start_time) {
		return -ESRCH;
	}
	*ret_pidfd = dx_take_fd(&fd);
	return 0;
}
