/* SPDX-License-Identifier: MIT
 *
 * fdpass - one message with file descriptors over a unix socket.
 *
 * Place:      base; the only place where descriptors leave or enter a process.
 * Invariants:
 *   F1  a descriptor that came with a short, cut or refused message is closed here.
 *   F2  every descriptor received is CLOEXEC.
 * Trust:      the peer chooses bytes and descriptors; both are bounded here, checked by the caller.
 */
#ifndef DX_BASE_FDPASS_H
#define DX_BASE_FDPASS_H

#include <stddef.h>
#include <sys/types.h>

#define DX_FDPASS_MAX 8

/*
 * Sends one message of a SOCK_SEQPACKET socket, with MSG_NOSIGNAL. The descriptors stay the
 * caller's. nonblocking != 0 adds MSG_DONTWAIT.
 * @return 0; -EAGAIN when it would block; -EPIPE/-ECONNRESET when the peer is gone; -EMSGSIZE.
 */
int dx_fdpass_send(int socket, const void *bytes, size_t length, const int *fds, size_t nr_fds,
		   int nonblocking);

/*
 * Receives one message. ret_fds has room for DX_FDPASS_MAX; unused entries become -1.
 * @return number of bytes > 0; 0 when the peer has closed; -EAGAIN; -EPROTO for a message that
 *         is longer than capacity or carries more descriptors than DX_FDPASS_MAX or max_fds;
 *         -EMFILE when this process has no room for them. After both the message is lost, so the
 *         connection is of no more use.
 */
ssize_t dx_fdpass_recv(int socket, void *buffer, size_t capacity, int *ret_fds, size_t max_fds,
		       int nonblocking);

void dx_fdpass_close_all(int *fds, size_t nr_fds);

#endif
