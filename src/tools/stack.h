/* SPDX-License-Identifier: MIT
 *
 * stack - names and lines of a stack that a crashed process has printed.
 *
 * Place:      tools; the program dext-stack, through which `dext run` lets its broker and drivers
 *             speak. It copies what comes; a stack is told by its first line (host/crash.h).
 * Invariants:
 *   K1  what is no stack passes at once and unchanged.
 *   K2  a stack whose names cannot be had passes as it came: nothing gets lost.
 * Trust:      whoever prints a stack chooses the files that are read for it. They are read by a
 *             process of their own, which can open files for reading and do nothing else.
 */
#ifndef DX_TOOLS_STACK_H
#define DX_TOOLS_STACK_H

#include <stdint.h>
#include <stdio.h>

#define DX_STACK_MAX_CALLS 96u

struct dx_stack_call {
	char path[1024];
	uint64_t offset; /* in the file, as the linker counts */
};

/* No way back: the process keeps reading files and writing to what is open. @return 0; -errno. */
int dx_stack_confine(void);
/* One line or, with functions that were inlined, several. */
void dx_stack_print_call(unsigned number, const struct dx_stack_call *call, FILE *out);

#endif
