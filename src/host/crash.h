/* SPDX-License-Identifier: MIT
 *
 * crash - one line about a driver that dies by a signal, then the death itself.
 *
 * Place:   host, program only: signal handlers belong to the process.
 */
#ifndef DX_HOST_CRASH_H
#define DX_HOST_CRASH_H

/* name: before the line; borrowed for ever. Does nothing in sanitizer builds, which say more. */
void dx_crash_install(const char *name);

#endif
