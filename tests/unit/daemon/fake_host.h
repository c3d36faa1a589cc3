/* SPDX-License-Identifier: MIT
 *
 * fake_host - hosts in threads; see support.h.
 */
#ifndef DX_TESTS_DAEMON_FAKE_HOST_H
#define DX_TESTS_DAEMON_FAKE_HOST_H

#include "support.h"

struct dx_launcher fake_launcher(struct fixture *fixture);
/* Serves until it stops, dies or the broker goes. socket stays the caller's. */
void fake_host_serve(int socket, struct fixture *fixture);

#endif
