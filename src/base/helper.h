/* SPDX-License-Identifier: MIT
 *
 * helper - a thread that helps inside of a program that is not ours.
 *
 * Place:   base. The program's signals go to the program's threads: such a thread blocks them all, and has
 *          done so before it runs.
 */
#ifndef DX_BASE_HELPER_H
#define DX_BASE_HELPER_H

#include <pthread.h>
#include <stddef.h>

/*
 * Starts a thread with all signals blocked.
 * @param stack_bytes  size of its stack; 0: the default.
 * @param ret_thread   receives it, to be joined; NULL: it is detached.
 * @return 0; -EAGAIN, -ENOMEM, -EINVAL for a stack that is too small.
 */
int dx_helper_start(void *(*main)(void *argument), void *argument, size_t stack_bytes,
		    pthread_t *ret_thread);

#endif
