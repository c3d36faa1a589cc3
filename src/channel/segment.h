/* SPDX-License-Identifier: MIT
 *
 * segment - the memory files of a channel: made, sealed, checked, mapped, filled with pages.
 *
 * Place:      channel, under both sides.
 * Invariants:
 *   G1  a segment never changes its size, and never gets a seal after it was sent.
 *   G2  nobody but the holder of an existing writable mapping can write a read-only segment,
 *       whatever descriptor of it he has: F_SEAL_FUTURE_WRITE, not the mode of the descriptor.
 *   G3  never hugetlb, whose holes are a SIGBUS for the other side; holes of shmem read as zeros.
 *       No size in layout.h is a multiple of a huge page, so the size check covers this.
 *   G4  a page is asked for where its absence is an error code, before the first write to it.
 */
#ifndef DX_CHANNEL_SEGMENT_H
#define DX_CHANNEL_SEGMENT_H

#include <stdbool.h>
#include <stddef.h>

/* A memory file of that size, CLOEXEC, not executable, unsealed. @return fd or negative errno. */
int dx_segment_create(const char *name, size_t size);
/* Seals size and seals; with read_only, later writable mappings and writes as well. */
int dx_segment_seal(int fd, bool read_only);
/* Is this a memory file of that size, with the seals of dx_segment_seal()? @return 0; -EPROTO. */
int dx_segment_check(int fd, size_t size, bool read_only);
/* Pages for [start, start + length) of a writable shared mapping, rounded to pages.
 * @return 0; -ENOMEM. */
int dx_segment_populate(void *start, size_t length);

#endif
