/* SPDX-License-Identifier: MIT
 *
 * promote - see promote.h.
 *
 * Between protect() and the end of move_area() any page of the area may be write-protected, also the
 * heap that malloc() uses and whatever lies beside the program's buffer. Code that runs there must
 * write to its own stack only, or it would wait for itself: no malloc, no stdio, no locks.
 */
#include "client/promote.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"

#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ 22
#endif
#ifndef UFFD_USER_MODE_ONLY
#define UFFD_USER_MODE_ONLY 1
#endif

static void *pointer(uint64_t address)
{
	return (void *)(uintptr_t)address;
}

/* A userfaultfd that can write-protect; -errno where there is none. */
static int open_userfaultfd(void)
{
	struct uffdio_api api = {.api = UFFD_API, .features = UFFD_FEATURE_PAGEFAULT_FLAG_WP};
	DX_CLEANUP_FD int fd = (int)syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK);

	if (fd < 0) {
		fd = (int)syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK | UFFD_USER_MODE_ONLY);
	}
	if (fd < 0 || ioctl(fd, UFFDIO_API, &api) != 0) {
		return -errno;
	}
	return dx_take_fd(&fd);
}

/* Makes writers of the area wait. Pages that were never touched are filled first: protection sticks
 * to pages that are there. */
static int protect(int uffd, const struct dx_area *area)
{
	struct uffdio_range range = {.start = area->start, .len = area->end - area->start};
	struct uffdio_register registration = {.range = range, .mode = UFFDIO_REGISTER_MODE_WP};
	struct uffdio_writeprotect protection = {.range = range,
						 .mode = UFFDIO_WRITEPROTECT_MODE_WP};

	if (madvise(pointer(range.start), range.len, MADV_POPULATE_READ) != 0 ||
	    ioctl(uffd, UFFDIO_REGISTER, &registration) != 0) {
		return -errno;
	}
	return ioctl(uffd, UFFDIO_WRITEPROTECT, &protection) == 0 ? 0 : -errno;
}

static int copy_area(int fd, uint64_t base, const struct dx_area *area)
{
	for (uint64_t at = area->start; at < area->end;) {
		/* Not pwrite(): sanitizers look into what they take for one of the heap's blocks. */
		ssize_t done = syscall(SYS_pwrite64, fd, pointer(at), area->end - at,
				       (off_t)(at - base));

		if (done < 0 && errno != EINTR) {
			return -errno;
		}
		if (done == 0) {
			return -EIO;
		}
		at += done > 0 ? (uint64_t)done : 0;
	}
	return 0;
}

static int protection_of(const struct dx_area *area)
{
	return (area->readable ? PROT_READ : 0) | (area->writable ? PROT_WRITE : 0) |
	       (area->executable ? PROT_EXEC : 0);
}

/* Gives the new mapping what the old one had been told by madvise(). Advice that the kernel does not
 * take for a shared mapping changes nothing that the program can see. */
static void advise(const struct dx_area *area)
{
	void *start = pointer(area->start);
	size_t length = area->end - area->start;

	if (area->dontfork) {
		(void)madvise(start, length, MADV_DONTFORK);
	}
	if (area->dontdump) {
		(void)madvise(start, length, MADV_DONTDUMP);
	}
	if (area->hugepage) {
		(void)madvise(start, length, MADV_HUGEPAGE);
	}
	if (area->nohugepage) {
		(void)madvise(start, length, MADV_NOHUGEPAGE);
	}
}

static int move_area(int fd, uint64_t base, int uffd, const struct dx_area *area)
{
	int flags = MAP_SHARED | MAP_FIXED | (area->locked ? MAP_LOCKED : 0);
	size_t length = area->end - area->start;

	if (uffd >= 0) {
		(void)protect(uffd, area); /* where it fails the copy is unprotected: H3 in share.h */
	}
	int error = copy_area(fd, base, area);
	if (error == 0 && mmap(pointer(area->start), length, protection_of(area), flags, fd,
			       (off_t)(area->start - base)) == MAP_FAILED) {
		error = -errno;
	}
	return error;
}

int dx_promote_areas(int fd, uint64_t base, const struct dx_area *areas, size_t count)
{
	int error = 0;

	for (size_t i = 0; i < count && error == 0; i++) {
		if (areas[i].shared) {
			continue;
		}
		/* Closing it wakes the writers: they find the new mapping, or the old one unprotected. */
		DX_CLEANUP_FD int uffd = open_userfaultfd();
		error = move_area(fd, base, uffd, &areas[i]);
		dx_fd_close(&uffd);
		if (error == 0) {
			advise(&areas[i]);
		}
	}
	return error;
}
