/* SPDX-License-Identifier: MIT
 *
 * cleanup - locals that own a resource give it back when their scope ends.
 *
 * Place:      base. Every function that owns a file descriptor or heap block uses these.
 * Invariants:
 *   C1  a local declared with DX_CLEANUP_* owns what it holds until dx_take_*() moves it on.
 */
#ifndef DX_BASE_CLEANUP_H
#define DX_BASE_CLEANUP_H

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

/* Closes *fd if it is open, keeps errno, leaves -1. */
static inline void dx_fd_close(int *fd)
{
	if (*fd >= 0) {
		int saved = errno;
		(void)close(*fd); /* Linux releases the number even when close() reports an error */
		errno = saved;
	}
	*fd = -1;
}

static inline void dx_cleanup_free(void *pointer_to_pointer)
{
	void **pointer = pointer_to_pointer;

	free(*pointer);
	*pointer = NULL;
}

static inline int dx_take_fd(int *fd)
{
	int taken = *fd;

	*fd = -1;
	return taken;
}

static inline void *dx_take_pointer_(void *pointer_to_pointer)
{
	void **pointer = pointer_to_pointer;
	void *taken = *pointer;

	*pointer = NULL;
	return taken;
}

/* Moves ownership out of a local; the type is kept. */
#define dx_take_ptr(pointer_to_pointer) \
	((__typeof__(*(pointer_to_pointer)))dx_take_pointer_(pointer_to_pointer))

#define DX_CLEANUP(function) __attribute__((cleanup(function)))
#define DX_CLEANUP_FD	     DX_CLEANUP(dx_fd_close)
#define DX_CLEANUP_FREE	     DX_CLEANUP(dx_cleanup_free)

#endif
