/* SPDX-License-Identifier: MIT
 *
 * process - children of a tool. See process.h.
 */
#include "process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"

/* Handlers and mask of a fresh program (P2). */
static void reset_signals(void)
{
	sigset_t none;

	for (int number = 1; number < NSIG; number++) {
		(void)signal(number, SIG_DFL); /* fails for SIGKILL and SIGSTOP */
	}
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
}

/* Gives the kept descriptors their numbers; two passes, so that none overwrites another. */
static int place_fds(const struct dx_process_options *options)
{
	int moved[8];
	int first = 0; /* above all numbers that are wanted */

	for (unsigned i = 0; i < options->nr_kept_fds; i++) {
		int number = options->kept_fds[2 * i + 1];

		first = number >= first ? number + 1 : first;
	}
	for (unsigned i = 0; i < options->nr_kept_fds; i++) {
		moved[i] = fcntl(options->kept_fds[2 * i], F_DUPFD_CLOEXEC, first);
		if (moved[i] < 0 && options->kept_fds[2 * i] >= 0) {
			return -errno;
		}
	}
	for (unsigned i = 0; i < options->nr_kept_fds; i++) {
		if (moved[i] >= 0 && dup3(moved[i], options->kept_fds[2 * i + 1], 0) < 0) {
			return -errno;
		}
	}
	return 0;
}

static int set_environment(const char *const *pairs)
{
	for (; pairs != NULL && pairs[0] != NULL; pairs += 2) {
		int result = pairs[1] == NULL ? unsetenv(pairs[0]) : setenv(pairs[0], pairs[1], 1);

		if (result < 0) {
			return -errno;
		}
	}
	return 0;
}

/* P4. The program that is executed takes SIGTERM when it is ready to. */
static int make_directory(const char *path)
{
	sigset_t term;

	(void)sigemptyset(&term);
	(void)sigaddset(&term, SIGTERM);
	(void)sigprocmask(SIG_BLOCK, &term, NULL);
	return mkdir(path, 0700) < 0 ? -errno : 0;
}

static int execute(const struct dx_process_options *options)
{
	int result = options->directory == NULL ? 0 : make_directory(options->directory);

	if (result < 0) {
		return result;
	}
	(void)execvp(options->path, (char *const *)options->argv);
	result = -errno;
	if (options->directory != NULL) {
		(void)rmdir(options->directory);
	}
	return result;
}

/* In the child. Returns only when something failed. */
static int become(const struct dx_process_options *options, pid_t parent)
{
	int result = 0;

	if (prctl(PR_SET_PDEATHSIG, (unsigned long)options->death_signal) < 0) {
		return -errno;
	}
	if (getppid() != parent) {
		_exit(DX_PROCESS_ORPHAN); /* the tool died before the line above */
	}
	if (options->own_group && setpgid(0, 0) < 0) {
		return -errno;
	}
	reset_signals();
	result = place_fds(options);
	if (result == 0) {
		result = set_environment(options->environment);
	}
	return result < 0 ? result : execute(options);
}

/* What the child wrote before it gave up; 0 when it was executed (the pipe closed). */
static int read_verdict(int fd)
{
	int verdict = 0;
	ssize_t length = 0;

	do {
		length = read(fd, &verdict, sizeof(verdict));
	} while (length < 0 && errno == EINTR);
	return length == (ssize_t)sizeof(verdict) ? verdict : 0;
}

int dx_process_start(const struct dx_process_options *options, struct dx_process *ret_process)
{
	DX_CLEANUP_FD int reader = -1;
	DX_CLEANUP_FD int writer = -1;
	struct dx_process process = DX_PROCESS_INIT;
	pid_t self = getpid();
	int ends[2];
	int verdict = 0;

	if (pipe2(ends, O_CLOEXEC) < 0) {
		return -errno;
	}
	reader = ends[0];
	writer = ends[1];
	process.pid = fork();
	if (process.pid < 0) {
		return -errno;
	}
	if (process.pid == 0) {
		verdict = become(options, self);
		(void)!write(writer, &verdict, sizeof(verdict)); /* a dead tool reads nothing */
		_exit(DX_PROCESS_ORPHAN);
	}
	dx_fd_close(&writer);
	verdict = read_verdict(reader);
	process.fd = (int)syscall(SYS_pidfd_open, process.pid, 0);
	if (verdict == 0 && process.fd < 0) {
		verdict = -errno;
		(void)kill(process.pid, SIGKILL);
	}
	if (verdict < 0) {
		(void)waitpid(process.pid, NULL, 0);
		dx_fd_close(&process.fd);
		return verdict;
	}
	*ret_process = process;
	return 0;
}

bool dx_process_wait(struct dx_process *process, int timeout_ms)
{
	struct pollfd ended = {.fd = process->fd, .events = POLLIN};
	int result = 0;

	if (process->pid == 0) {
		return true;
	}
	do {
		result = poll(&ended, 1, timeout_ms);
	} while (result < 0 && errno == EINTR); /* signals are blocked here: rare */
	if (result <= 0) {
		return false;
	}
	(void)waitpid(process->pid, &process->status, 0);
	process->pid = 0;
	dx_fd_close(&process->fd);
	return true;
}

void dx_process_signal(const struct dx_process *process, int signal_number)
{
	if (process->pid > 0) {
		(void)kill(process->pid, signal_number); /* not reaped yet, so it is still ours */
	}
}

void dx_process_end(struct dx_process *process, int grace_ms)
{
	if (process->pid == 0) {
		return;
	}
	dx_process_signal(process, SIGTERM);
	dx_process_signal(process, SIGCONT); /* a stopped one could not act on it */
	if (!dx_process_wait(process, grace_ms)) {
		dx_process_signal(process, SIGKILL);
		(void)dx_process_wait(process, -1);
	}
}

void dx_process_describe(int status, char *buffer, size_t capacity)
{
	if (WIFSIGNALED(status)) {
		(void)snprintf(buffer, capacity, "killed by signal %d (%s)", WTERMSIG(status),
			       strsignal(WTERMSIG(status)));
	} else {
		(void)snprintf(buffer, capacity, "exit status %d", WEXITSTATUS(status));
	}
}
