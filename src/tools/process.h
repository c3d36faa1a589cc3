/* SPDX-License-Identifier: MIT
 *
 * process - children of a tool: start, tie to our life, wait, end.
 *
 * Place:      tools.
 * Invariants:
 *   P1  a child gets a signal when the tool dies, however it dies (PR_SET_PDEATHSIG).
 *   P2  a child starts with the signal mask and handlers of a fresh program.
 *   P3  a child that could not be executed is reported by dx_process_start(), not by its exit.
 *   P4  a directory that the child is to remove in the end is made by the child itself, with SIGTERM
 *       blocked: from then on there is always somebody who removes it, whoever is killed.
 */
#ifndef DX_TOOLS_PROCESS_H
#define DX_TOOLS_PROCESS_H

#include <stdbool.h>
#include <sys/types.h>

struct dx_process {
	pid_t pid;  /* 0: none, or reaped */
	int fd;     /* readable when it has ended */
	int status; /* of waitpid(), once pid is 0 again */
};

#define DX_PROCESS_ORPHAN 126 /* exit status when it could not become what it should */
/* clang-format off */
#define DX_PROCESS_INIT {.fd = -1}
/* clang-format on */

struct dx_process_options {
	const char *path;               /* without a slash: looked up in PATH */
	const char *const *argv;        /* ended by NULL */
	int death_signal;               /* P1 */
	bool own_group;                 /* signals of the terminal do not reach it */
	const int *kept_fds;            /* pairs (from, to); from may be -1: skip */
	unsigned nr_kept_fds;           /* pairs */
	const char *directory; /* may be NULL: P4 */
	const char *const *environment; /* pairs name, value; ended by NULL; value NULL: unset */
};

/* @return 0; what exec said, as negative errno; -EAGAIN, -ENOMEM, -EMFILE of our own. */
int dx_process_start(const struct dx_process_options *options, struct dx_process *ret_process);
/* Waits at most timeout_ms (-1: for ever). @return true when it has ended and was reaped. */
bool dx_process_wait(struct dx_process *process, int timeout_ms);
void dx_process_signal(const struct dx_process *process, int signal_number);
/* SIGTERM, after grace_ms SIGKILL; reaped when it returns. Does nothing for a process that is none.
 */
void dx_process_end(struct dx_process *process, int grace_ms);
/* "killed by signal 9 (Killed)", "exit status 3". */
void dx_process_describe(int status, char *buffer, size_t capacity);

#endif
