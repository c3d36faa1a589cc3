/* SPDX-License-Identifier: MIT
 *
 * address - where the broker listens.
 *
 * Place:   wire. Order: OPENDEXT_SOCKET; $XDG_RUNTIME_DIR/opendext/broker if it exists;
 *          /run/opendext/broker.
 */
#ifndef DX_WIRE_ADDRESS_H
#define DX_WIRE_ADDRESS_H

#include <stddef.h>

#define DX_ADDRESS_ENVIRONMENT "OPENDEXT_SOCKET"
#define DX_ADDRESS_SYSTEM      "/run/opendext/broker"

/* Writes the address an application connects to. -ENAMETOOLONG over the limit of a unix socket. */
int dx_address_default(char *buffer, size_t capacity);
/* Connected SOCK_SEQPACKET, CLOEXEC. -ENOENT/-ECONNREFUSED when no broker listens there. */
int dx_address_connect(const char *path);
/*
 * Bound and listening, mode bits as given. A stale socket file is replaced, a live one refused.
 * @return fd; -EADDRINUSE when a broker answers there; -ENOTSOCK when the path is another file.
 */
int dx_address_listen(const char *path, unsigned mode);

#endif
