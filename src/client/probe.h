/* SPDX-License-Identifier: MIT
 *
 * probe - is there memory behind a pointer that the program gave?
 *
 * Place:   client, before a short structure is copied. Long ones need no question: what shares or
 *          copies them reports it.
 */
#ifndef DX_CLIENT_PROBE_H
#define DX_CLIENT_PROBE_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Costs a system call for a page that this thread has not asked about lately, else nothing. A page
 * that was unmapped since it was last asked about is still taken for mapped.
 * Threads: any; each remembers its own pages.
 */
bool dx_probe_is_mapped(const void *address, size_t length);

#endif
