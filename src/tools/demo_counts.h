/* SPDX-License-Identifier: MIT
 *
 * demo_counts - system calls of a process, counted by the kernel.
 *
 * Place:      tools; perf events on the tracepoint that every system call enters through. Needs
 *             root (or the rights of perf); where it is refused, the demo says so.
 * Threads:    those that exist when counting starts, and what they start.
 */
#ifndef DX_TOOLS_DEMO_COUNTS_H
#define DX_TOOLS_DEMO_COUNTS_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define DX_COUNTS_THREADS 64u

struct dx_counts {
	int fds[DX_COUNTS_THREADS];
	size_t nr_fds;
};

/* @return 0; -EACCES, -EPERM, -ENOENT, -ENOSYS where the kernel does not let us; -EMFILE. */
int dx_counts_start(struct dx_counts *counts, pid_t pid);
/* System calls since the start; closes everything. */
uint64_t dx_counts_stop(struct dx_counts *counts);

#endif
