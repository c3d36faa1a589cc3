/* SPDX-License-Identifier: MIT
 *
 * confine - the host gives up what a driver does not need, before it loads driver code.
 *
 * Place:      host; called once by the program, between SETUP and dlopen.
 * Invariants:
 *   C1  after success: no new privileges, no core dumps, no other programs or processes, no signals
 *       to others, no network, no tracing; files can be read below the bundle and the system's
 *       libraries and written nowhere. Unix sockets can be connected only with may_connect.
 *   C2  a kernel without Landlock or seccomp is no error; ret_missing names what was not possible.
 * Trust:      the driver that is loaded afterwards may be anybody's code.
 */
#ifndef DX_HOST_CONFINE_H
#define DX_HOST_CONFINE_H

#include <stdbool.h>
#include <stddef.h>

/* Set to 1, it switches confinement off: for debuggers. */
#define DX_CONFINE_OFF_ENVIRONMENT "OPENDEXT_NO_CONFINE"

struct dx_confine_options {
	const char *bundle; /* readable and executable */
	bool may_connect;   /* to unix sockets: a broker that starts again. No address can be checked */
};

/*
 * Confines the calling thread and all threads that it starts afterwards; call it before there are
 * others.
 * @return 0; a negative errno when the kernel offers a mechanism but refuses it.
 */
int dx_confine(const struct dx_confine_options *options, char *ret_missing, size_t missing_size);

#endif
