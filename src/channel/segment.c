/* SPDX-License-Identifier: MIT
 *
 * segment - the memory files of a channel; see segment.h for the invariants G1..G4.
 *
 * Place:   channel, under both sides.
 */
#include "channel/segment.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "channel/layout.h"

#if !defined(MFD_NOEXEC_SEAL)
#define MFD_NOEXEC_SEAL 0x0008u
#endif
#if !defined(F_SEAL_FUTURE_WRITE)
#define F_SEAL_FUTURE_WRITE 0x0010
#endif
#if !defined(MADV_POPULATE_WRITE)
#define MADV_POPULATE_WRITE 23
#endif

int dx_segment_create(const char *name, size_t size)
{
	unsigned flags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
	DX_CLEANUP_FD int fd = memfd_create(name, flags | MFD_NOEXEC_SEAL);

	if (fd < 0 && errno == EINVAL) {
		fd = memfd_create(name, flags); /* Linux before 6.3 */
	}
	if (fd < 0) {
		return -errno;
	}
	if (ftruncate(fd, (off_t)size) < 0) {
		return -errno;
	}
	return dx_take_fd(&fd);
}

static int seals_of(bool read_only)
{
	return F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | (read_only ? F_SEAL_FUTURE_WRITE : 0);
}

int dx_segment_seal(int fd, bool read_only)
{
	return fcntl(fd, F_ADD_SEALS, seals_of(read_only)) < 0 ? -errno : 0;
}

int dx_segment_check(int fd, size_t size, bool read_only)
{
	struct stat info;
	int seals = fcntl(fd, F_GET_SEALS);
	int wanted = seals_of(read_only);

	if (seals < 0 || (seals & wanted) != wanted) {
		return -EPROTO;
	}
	if (fstat(fd, &info) < 0 || info.st_size < 0 || (uint64_t)info.st_size != size) {
		return -EPROTO;
	}
	return 0;
}

int dx_segment_populate(void *start, size_t length)
{
	uintptr_t first = (uintptr_t)start & ~(uintptr_t)(DX_LAYOUT_PAGE - 1);
	uintptr_t end = (uintptr_t)start + length;

	if (madvise((void *)first, end - first, MADV_POPULATE_WRITE) == 0) {
		return 0;
	}
	/* Kernels before 5.14 cannot say it beforehand. Everything else is lack of memory. */
	return errno == EINVAL ? 0 : -ENOMEM;
}
