/* SPDX-License-Identifier: MIT
 *
 * shm - pages that two processes can share; shm.h has the invariants.
 *
 * Why F_SEAL_FUTURE_WRITE and not a read-only descriptor: a memfd can be opened again for writing
 * through /proc/self/fd whatever its mode. The seal stops write(), new writable mappings, mprotect()
 * and hole punching for everybody, and leaves the mapping that we made before.
 * Why no huge page file system: there a hole that a peer punches is SIGBUS for us.
 */
#include "memory/shm.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysinfo.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/check.h"
#include "base/cleanup.h"
#include "memory/page.h"

#if !defined(MFD_NOEXEC_SEAL)
#define MFD_NOEXEC_SEAL 0x0008u /* kernel 6.3; older ones answer EINVAL */
#endif

#define MAX_ALIGNMENT	(UINT64_C(1) << 30)
#define HUGE_PAGE_BYTES (UINT64_C(2) << 20)

enum handout {
	HANDOUT_NONE,
	HANDOUT_READ,
	HANDOUT_WRITE,
};

struct dx_shm {
	struct dx_object object;
	int fd;
	bool is_own;
	enum dx_shm_access access;
	uint64_t size;
	struct dx_memory_quota *quota; /* charged with size; NULL before, and for imports */
	_Atomic(void *) base;	       /* set once; release by who maps, acquire by who reads */
	_Atomic int handout;
	_Atomic uint64_t prepared; /* pages below this offset have been allocated */
};

static void shm_free(struct dx_object *object)
{
	struct dx_shm *shm = (void *)object;
	void *base = atomic_load_explicit(&shm->base, memory_order_relaxed); /* last reference */

	if (base != NULL) {
		(void)munmap(base, shm->size); /* a whole mapping of ours: cannot fail */
	}
	dx_fd_close(&shm->fd);
	dx_memory_quota_release(shm->quota, shm->quota == NULL ? 0 : shm->size, 0);
}

const struct dx_class dx_shm_class = {
	.name = "shm",
	.instance_size = sizeof(struct dx_shm),
	.free = shm_free,
};

static void cleanup_shm(struct dx_shm **shm)
{
	*shm = dx_shm_unref(*shm);
}

static struct dx_shm *new_object(void)
{
	struct dx_shm *shm = dx_object_new(&dx_shm_class);

	if (shm != NULL) {
		shm->fd = -1;
	}
	return shm;
}

static int create_file(const char *name)
{
	unsigned flags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
	int fd = memfd_create(name, flags | MFD_NOEXEC_SEAL);
	int error = errno;

	if (fd < 0 && error == EINVAL) {
		fd = memfd_create(name, flags);
		error = errno;
	}
	return fd < 0 ? -error : fd;
}

/*
 * The kernel would try: memory of a memfd has no limit of its own, and the out-of-memory killer
 * decides who pays. What can never fit is refused here.
 */
static bool exceeds_machine(uint64_t length)
{
	struct sysinfo info;
	uint64_t total = 0;

	if (sysinfo(&info) < 0 || dx_mul_overflow((uint64_t)info.totalram + info.totalswap,
						  info.mem_unit, &total)) {
		return false;
	}
	return length > total;
}

static int allocate(int fd, uint64_t offset, uint64_t length)
{
	int error;

	if (exceeds_machine(length)) {
		return -ENOMEM;
	}
	do {
		error = fallocate(fd, 0, (off_t)offset, (off_t)length) < 0 ? errno : 0;
	} while (error == EINTR);
	return -error;
}

static int make_file(struct dx_shm *shm, const struct dx_shm_options *options)
{
	shm->fd = create_file(options->name == NULL ? "opendext" : options->name);
	if (shm->fd < 0) {
		return shm->fd;
	}
	if (shm->size > INT64_MAX) {
		return -EFBIG;
	}
	if (ftruncate(shm->fd, (off_t)shm->size) < 0) {
		return -errno;
	}
	if (fcntl(shm->fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW) < 0) {
		return -errno;
	}
	return (options->flags & DX_SHM_PREALLOCATE) == 0 ? 0 : dx_shm_prepare(shm, 0, shm->size);
}

/* Maps all of fd at a multiple of alignment, inside a reservation that is cut to size. */
static int map_aligned(int fd, uint64_t size, uint64_t alignment, void **ret_base)
{
	uint64_t room = 0;
	uint64_t start = 0;
	char *reserved;
	char *base;

	if (dx_add_overflow(size, alignment, &room)) {
		return -ENOMEM;
	}
	reserved = mmap(NULL, room, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (reserved == MAP_FAILED) {
		return -errno;
	}
	start = -(uint64_t)(uintptr_t)reserved & (alignment - 1);
	base = mmap(reserved + start, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fd, 0);
	if (base == MAP_FAILED) {
		int error = errno;

		(void)munmap(reserved, room); /* ours, whole: cannot fail */
		return -error;
	}
	/* Cutting off the ends may only fail for lack of kernel memory; then they stay reserved. */
	if (start > 0) {
		(void)munmap(reserved, start);
	}
	if (room - start > size) {
		(void)munmap(base + size, room - start - size);
	}
	*ret_base = base;
	return 0;
}

static int map_own(struct dx_shm *shm, const struct dx_shm_options *options)
{
	uint64_t alignment = options->alignment;
	void *base = NULL;
	int result;

	if ((options->flags & DX_SHM_HUGE) != 0 && alignment < HUGE_PAGE_BYTES) {
		alignment = HUGE_PAGE_BYTES;
	}
	if (alignment > dx_page_size()) {
		result = map_aligned(shm->fd, shm->size, alignment, &base);
		if (result < 0) {
			return result;
		}
	} else {
		base = mmap(NULL, shm->size, PROT_READ | PROT_WRITE, MAP_SHARED, shm->fd, 0);
		if (base == MAP_FAILED) {
			return -errno;
		}
	}
	if ((options->flags & DX_SHM_HUGE) != 0) {
		(void)madvise(base, shm->size, MADV_HUGEPAGE); /* a wish */
	}
	atomic_store_explicit(&shm->base, base, memory_order_release);
	return 0;
}

int dx_shm_new(const struct dx_shm_options *options, struct dx_shm **ret_shm)
{
	DX_CLEANUP(cleanup_shm) struct dx_shm *shm = NULL;
	uint64_t size = 0;
	int result;

	if (options->length == 0 || options->alignment > MAX_ALIGNMENT ||
	    (options->alignment != 0 && !dx_is_power_of_two(options->alignment))) {
		return -EINVAL;
	}
	if (!dx_align_up(options->length, dx_page_size(), &size)) {
		return -EFBIG;
	}
	shm = new_object();
	if (shm == NULL) {
		return -ENOMEM;
	}
	result = dx_memory_quota_charge(options->quota, size, 0);
	if (result < 0) {
		return result;
	}
	shm->quota = options->quota;
	shm->size = size;
	shm->is_own = true;
	shm->access = DX_SHM_WRITE;
	result = make_file(shm, options);
	if (result == 0) {
		result = map_own(shm, options);
	}
	if (result < 0) {
		return result;
	}
	*ret_shm = dx_take_ptr(&shm);
	return 0;
}

int dx_shm_adopt(void **base, uint64_t length, struct dx_memory_quota *quota,
		 struct dx_shm **ret_shm)
{
	DX_CLEANUP(cleanup_shm) struct dx_shm *shm = NULL;
	uint64_t size = 0;
	int result;

	if (length == 0 || !dx_align_up(length, dx_page_size(), &size)) {
		return -EINVAL;
	}
	shm = new_object();
	if (shm == NULL) {
		return -ENOMEM;
	}
	result = dx_memory_quota_charge(quota, size, 0);
	if (result < 0) {
		return result;
	}
	shm->quota = quota;
	shm->size = size;
	shm->is_own = true;
	shm->access = DX_SHM_WRITE;
	atomic_store_explicit(&shm->base, *base, memory_order_release);
	*base = NULL;
	*ret_shm = dx_take_ptr(&shm);
	return 0;
}

/* M4. The seals come first: only they make the size that fstat() tells a fact. */
static int check_foreign(int fd, uint64_t min_length, enum dx_shm_access access, uint64_t *ret_size)
{
	struct statfs file_system;
	struct stat status;
	int seals = fcntl(fd, F_GET_SEALS);
	int mode = fcntl(fd, F_GETFL);

	if (seals < 0 || mode < 0 || (seals & F_SEAL_SHRINK) == 0) {
		return -EPROTO;
	}
	if (fstat(fd, &status) < 0 || !S_ISREG(status.st_mode) || status.st_size <= 0 ||
	    (uint64_t)status.st_size < min_length) {
		return -EPROTO;
	}
	if (fstatfs(fd, &file_system) < 0 || file_system.f_type != TMPFS_MAGIC) {
		return -EPROTO; /* hugetlbfs has seals too */
	}
	if ((mode & O_ACCMODE) == O_WRONLY) {
		return -EPROTO;
	}
	if (access == DX_SHM_WRITE && ((mode & O_ACCMODE) != O_RDWR ||
				       (seals & (F_SEAL_WRITE | F_SEAL_FUTURE_WRITE)) != 0)) {
		return -EPERM;
	}
	*ret_size = (uint64_t)status.st_size;
	return 0;
}

int dx_shm_import(int *fd, uint64_t min_length, enum dx_shm_access access, struct dx_shm **ret_shm)
{
	struct dx_shm *shm;
	uint64_t size = 0;
	int result = check_foreign(*fd, min_length, access, &size);

	if (result < 0) {
		return result;
	}
	shm = new_object();
	if (shm == NULL) {
		return -ENOMEM;
	}
	shm->fd = dx_take_fd(fd);
	shm->size = size;
	shm->access = access;
	*ret_shm = shm;
	return 0;
}

struct dx_shm *dx_shm_ref(struct dx_shm *shm)
{
	return dx_object_ref(shm);
}

struct dx_shm *dx_shm_unref(struct dx_shm *shm)
{
	return dx_object_unref(shm);
}

/* What is sealed already is fine, whoever did it; the result is what counts. */
static int seal(int fd, int wanted)
{
	int seals;

	if (fcntl(fd, F_ADD_SEALS, wanted) == 0) {
		return 0;
	}
	seals = fcntl(fd, F_GET_SEALS);
	return seals >= 0 && (seals & wanted) == wanted ? 0 : -EPERM;
}

static int handout_foreign(struct dx_shm *shm, bool read_only)
{
	int seals = fcntl(shm->fd, F_GET_SEALS);

	if (read_only ? (seals & (F_SEAL_WRITE | F_SEAL_FUTURE_WRITE)) == 0
		      : shm->access != DX_SHM_WRITE) {
		return -EPERM;
	}
	return shm->fd;
}

int dx_shm_handout(struct dx_shm *shm, bool read_only)
{
	int wanted = read_only ? HANDOUT_READ : HANDOUT_WRITE;
	int before = HANDOUT_NONE;
	int result;

	if (shm->fd < 0) {
		return -EPERM;
	}
	if (!shm->is_own) {
		return handout_foreign(shm, read_only);
	}
	if (!atomic_compare_exchange_strong(&shm->handout, &before, wanted) && before != wanted) {
		return -EPERM;
	}
	/* Each time, because another thread may have come just as far as the line above. */
	result = seal(shm->fd, read_only ? F_SEAL_FUTURE_WRITE | F_SEAL_SEAL : F_SEAL_SEAL);
	return result < 0 ? result : shm->fd;
}

/* Two threads may both map; the second gives its mapping back. */
static void *map_foreign(struct dx_shm *shm)
{
	int protection = shm->access == DX_SHM_READ ? PROT_READ : PROT_READ | PROT_WRITE;
	int flags = shm->access == DX_SHM_COPY ? MAP_PRIVATE : MAP_SHARED;
	void *mine = mmap(NULL, shm->size, protection, flags, shm->fd, 0);
	void *before = NULL;

	if (mine == MAP_FAILED) {
		return NULL;
	}
	if (!atomic_compare_exchange_strong(&shm->base, &before, mine)) {
		(void)munmap(mine, shm->size); /* a whole mapping of ours: cannot fail */
		return before;
	}
	return mine;
}

void *dx_shm_base(struct dx_shm *shm)
{
	void *base = atomic_load_explicit(&shm->base, memory_order_acquire);

	return base != NULL ? base : map_foreign(shm);
}

bool dx_shm_maps_whole(const struct dx_shm *shm)
{
	return shm->is_own || shm->access == DX_SHM_COPY;
}

uint64_t dx_shm_size(const struct dx_shm *shm)
{
	return shm->size;
}

enum dx_shm_access dx_shm_access(const struct dx_shm *shm)
{
	return shm->access;
}

uint64_t dx_shm_inode(const struct dx_shm *shm)
{
	struct stat status;

	return fstat(shm->fd, &status) < 0 ? 0 : status.st_ino;
}

int dx_shm_fd(const struct dx_shm *shm)
{
	return shm->fd;
}

/* Without a lock: two threads may allocate the same pages, which is harmless. */
int dx_shm_prepare(struct dx_shm *shm, uint64_t offset, uint64_t length)
{
	uint64_t done = atomic_load_explicit(&shm->prepared, memory_order_relaxed);
	uint64_t end = 0;
	int result;

	if (!dx_range_inside(offset, length, shm->size)) {
		return -EINVAL;
	}
	end = offset + length;
	if (end <= done || shm->fd < 0) {
		return 0;
	}
	result = allocate(shm->fd, done, end - done);
	if (result < 0) {
		return result;
	}
	while (done < end && !atomic_compare_exchange_weak_explicit(&shm->prepared, &done, end,
								    memory_order_relaxed,
								    memory_order_relaxed)) {
	}
	return 0;
}
