/* SPDX-License-Identifier: MIT
 *
 * share - memory of this process as (memfd, offset), so that a driver can map the same pages.
 *
 * Place:      client, under call.c (questions of a driver, large output structures) and map.c.
 *
 * What a range can be:
 *   (a) inside a mapping from IOConnectMapMemory64(), or promoted before: that memfd is passed.
 *   (b) private anonymous memory (mmap, posix_memalign, the heap): promoted in place. The covering
 *       pages are copied into a memfd once, which is mapped over them: content, address,
 *       protection and what madvise() and mlock() set stay. The driver sees those whole pages.
 *   (c) stacks, mappings of files, memory that is shared otherwise, and memory whose protection
 *       does not allow what is wanted: refused. Nothing is ever copied silently.
 *
 * Invariants:
 *   H1  what /proc/self/smaps says decides, never what we remember: a range is ours only where the
 *       kernel shows our file at our offset. So freed and reused addresses are told apart.
 *   H2  a promoted page lies in its file at its address minus the base of the file, which is
 *       DX_SHARE_SLACK below the first page promoted into it. So neighbours that are promoted later
 *       join the same file: any number above, up to the slack below. Whoever was granted pages of
 *       a file can see all of it.
 *   H3  while pages are copied no other thread's write is lost: they are write-protected with
 *       userfaultfd, and writers wait until the new mapping is there. Between protecting and
 *       mapping this file writes to nothing but its own stack. Where userfaultfd is not to be had
 *       (sandboxes, vm.unprivileged_userfaultfd = 0 with a kernel before 5.11) a write in those
 *       microseconds can be lost: programs there must not write to memory while they hand it over.
 *       Where only user-mode faults may be caught, a system call of another thread that writes
 *       into the pages meanwhile fails with EFAULT instead of waiting.
 *   H4  in a child of fork() promoted pages are private copies, as they were before promotion. They
 *       are copied in the fork, not when they are written to, and fork() returns afterwards. What
 *       other threads write meanwhile the child may see.
 *   H5  when the last connection closes, promoted pages become private again, in place, and no
 *       descriptor is kept. They are copied then: a driver that keeps the file cannot change them.
 *       (With a kernel before 5.14 a page is only copied when the program writes to it, here and in
 *       H4; until then it shows what others write.)
 *   H6  the kernel has no call that replaces a mapping only if it is still the one that was looked at.
 *       So each area is looked at once more right before it is made private. A thread that unmaps
 *       promoted memory and maps something else there in the microseconds in between, while another
 *       closes the last connection, finds the old pages in its place: what a program gives to a
 *       driver it unmaps before it closes the connection, or after.
 * Limits:     DX_MAX_GRANTS_PER_CLIENT files.
 * Threads:    any. One registry per process, because addresses are the process's.
 */
#ifndef DX_CLIENT_SHARE_H
#define DX_CLIENT_SHARE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DX_SHARE_SLACK (UINT64_C(1) << 20)

struct dx_shared_range {
	int fd; /* the caller's */
	uint64_t offset;
	uint64_t pages_promoted; /* now, by this call */
};

/*
 * Shares [address, address + length).
 * @return 0; -EINVAL length 0 or past the end of memory; -EFAULT not mapped; -EACCES its protection
 *         or seals do not allow it; -EOPNOTSUPP cannot be shared in place (c), or joins what was
 *         promoted to two files, or lies too far below; -ENOBUFS over the limit; -ENOMEM; -EMFILE.
 */
int dx_share_range(uint64_t address, uint64_t length, bool writable, struct dx_shared_range *ret);

/* Copies [address, address + length) into a memfd of its own, at offset 0. Any readable memory.
 * @return fd; -EFAULT; -EINVAL; -ENOMEM; -EMFILE. */
int dx_share_snapshot(uint64_t address, uint64_t length);
/* An empty memfd of that length, sealed as hosts want it. @return fd or a negative errno. */
int dx_share_memory(uint64_t length);
/* Both ways between a file and memory of this process that may not be mapped.
 * @return 0; -EFAULT; -EIO short file. */
int dx_share_write_file(int fd, uint64_t offset, const void *from, uint64_t length);
int dx_share_read_file(int fd, uint64_t offset, void *to, uint64_t length);

/* A connection opens; a connection is closed (H5). */
void dx_share_hold(void);
void dx_share_release(void);

/* A mapping of a driver's memory, one slice: it can be passed on. fd is taken over on success.
 * @return 0; -ENOMEM. */
int dx_share_add_mapping(uint64_t base, uint64_t length, int *fd, uint64_t offset, bool writable);
void dx_share_remove_mapping(uint64_t base);
/* Bytes from address to the end of the driver's memory that is mapped there, slices that lie side
 * by side together; UINT64_MAX when none is. */
uint64_t dx_share_room(uint64_t address);

#endif
