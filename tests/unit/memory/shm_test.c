/* SPDX-License-Identifier: MIT
 *
 * shm_test - shared pages, and what a hostile holder of the descriptor tries with them.
 */
#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "memory/shm.h"

#if !defined(MFD_HUGETLB)
#define MFD_HUGETLB 0x0004u
#endif

static struct dx_shm *new_shm(uint64_t length, unsigned flags)
{
	struct dx_shm_options options = {.name = "test", .length = length, .flags = flags};
	struct dx_shm *shm = NULL;

	CHECK_EQ(dx_shm_new(&options, &shm), 0);
	return shm;
}

static int new_error(const struct dx_shm_options *options)
{
	struct dx_shm *shm = NULL;
	int result = dx_shm_new(options, &shm);

	CHECK(shm == NULL);
	return result;
}

/* As a peer does it: by the number in /proc, whatever the mode of the descriptor. */
static int open_again(int fd, int flags)
{
	char path[64];

	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return open(path, flags | O_CLOEXEC);
}

static int new_memfd(uint64_t length, int seals)
{
	int fd = memfd_create("peer", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	CHECK(fd >= 0);
	CHECK_EQ(ftruncate(fd, (off_t)length), 0);
	CHECK_EQ(fcntl(fd, F_ADD_SEALS, seals), 0);
	return fd;
}

static int import_error(int fd, uint64_t min_length, enum dx_shm_access access)
{
	struct dx_shm *shm = NULL;
	int taken = fd;
	int result = dx_shm_import(&taken, min_length, access, &shm);

	CHECK(result < 0);
	CHECK_EQ(taken, fd);
	CHECK(shm == NULL);
	return result;
}

TEST(shm_new_memory_is_zero_whole_pages_and_writable)
{
	struct dx_shm *shm = new_shm(5000, 0);
	unsigned char *base = dx_shm_base(shm);

	CHECK_EQ(dx_shm_size(shm), 8192);
	CHECK_EQ(dx_shm_access(shm), DX_SHM_WRITE);
	for (int i = 0; i < 8192; i++) {
		CHECK_EQ(base[i], 0);
	}
	base[8191] = 7;
	CHECK(dx_shm_inode(shm) != 0);
	CHECK(dx_shm_ref(shm) == shm);
	dx_shm_unref(shm);
	CHECK(dx_shm_unref(shm) == NULL);
	CHECK(dx_shm_unref(NULL) == NULL);
}

TEST(shm_new_with_bad_arguments_is_refused)
{
	CHECK_EQ(new_error(&(struct dx_shm_options){.length = 0}), -EINVAL);
	CHECK_EQ(new_error(&(struct dx_shm_options){.length = 1, .alignment = 3}), -EINVAL);
	CHECK_EQ(new_error(&(struct dx_shm_options){.length = 1, .alignment = 1ull << 31}), -EINVAL);
	CHECK_EQ(new_error(&(struct dx_shm_options){.length = UINT64_MAX}), -EFBIG);
	CHECK_EQ(new_error(&(struct dx_shm_options){.length = 1ull << 63}), -EFBIG);
}

TEST(shm_alignment_above_a_page_is_honoured)
{
	struct dx_shm_options options = {.length = 3 << 20, .alignment = 1 << 21};

	for (int i = 0; i < 4; i++) {
		struct dx_shm *shm = NULL;

		CHECK_EQ(dx_shm_new(&options, &shm), 0);
		CHECK_EQ((uintptr_t)dx_shm_base(shm) & ((1 << 21) - 1), 0);
		memset(dx_shm_base(shm), 1, options.length);
		dx_shm_unref(shm);
		options.alignment <<= 1;
	}
}

TEST(shm_with_huge_page_wish_works_without_huge_pages)
{
	struct dx_shm *shm = new_shm(4 << 20, DX_SHM_HUGE | DX_SHM_PREALLOCATE);

	memset(dx_shm_base(shm), 0x5a, 4 << 20);
	dx_shm_unref(shm);
}

TEST(shm_larger_than_address_space_is_out_of_memory)
{
	CHECK_EQ(new_error(&(struct dx_shm_options){.length = 1ull << 56}), -ENOMEM);
	CHECK_EQ(new_error(&(struct dx_shm_options){.length = 1ull << 56, .alignment = 1 << 21}),
		 -ENOMEM);
}

TEST(shm_preallocation_without_room_fails_and_leaves_nothing)
{
	struct dx_memory_quota quota = DX_MEMORY_QUOTA_INIT(UINT64_MAX, 1);
	struct dx_shm_options options = {
		.length = 1ull << 50, .flags = DX_SHM_PREALLOCATE, .quota = &quota};

	CHECK_EQ(new_error(&options), -ENOMEM);
	CHECK_EQ(quota.nr_bytes, 0);
}

TEST(shm_over_the_file_size_limit_is_an_error)
{
	struct rlimit limit = {.rlim_cur = 1 << 20, .rlim_max = 1 << 20};

	(void)signal(SIGXFSZ, SIG_IGN);
	CHECK_EQ(setrlimit(RLIMIT_FSIZE, &limit), 0);
	CHECK_EQ(new_error(&(struct dx_shm_options){.length = 2 << 20}), -EFBIG);
	dx_shm_unref(new_shm(1 << 20, 0));
}

TEST(shm_without_free_descriptors_is_an_error)
{
	struct rlimit before;
	struct rlimit limit;

	CHECK_EQ(getrlimit(RLIMIT_NOFILE, &before), 0);
	limit = (struct rlimit){.rlim_cur = 3, .rlim_max = before.rlim_max};
	CHECK_EQ(setrlimit(RLIMIT_NOFILE, &limit), 0);
	CHECK_EQ(new_error(&(struct dx_shm_options){.length = 1}), -EMFILE);
	CHECK_EQ(setrlimit(RLIMIT_NOFILE, &before), 0); /* the leak checkers open files */
}

TEST(shm_quota_counts_pages_and_gets_them_back)
{
	struct dx_memory_quota quota = DX_MEMORY_QUOTA_INIT(8192, 1);
	struct dx_shm_options options = {.length = 4097, .quota = &quota};
	struct dx_shm *shm = NULL;

	CHECK_EQ(dx_shm_new(&options, &shm), 0);
	CHECK_EQ(quota.nr_bytes, 8192);
	options.length = 1;
	CHECK_EQ(new_error(&options), -EDQUOT);
	dx_shm_unref(shm);
	CHECK_EQ(quota.nr_bytes, 0);
}

TEST(shm_handed_out_for_reading_cannot_be_written_by_any_way)
{
	struct dx_shm *shm = new_shm(8192, 0);
	char *base = dx_shm_base(shm);
	int fd = dx_shm_handout(shm, true);
	DX_CLEANUP_FD int again = -1;
	char *view;

	CHECK(fd >= 0);
	again = open_again(fd, O_RDWR);
	CHECK(again >= 0); /* this is why the mode of a descriptor protects nothing */
	CHECK(mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, again, 0) == MAP_FAILED);
	CHECK_EQ(pwrite(again, "x", 1, 0), -1);
	CHECK_EQ(errno, EPERM);
	CHECK_EQ(fallocate(again, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 4096), -1);
	CHECK_EQ(errno, EPERM);
	view = mmap(NULL, 8192, PROT_READ, MAP_SHARED, again, 0);
	CHECK(view != MAP_FAILED);
	CHECK_EQ(mprotect(view, 8192, PROT_READ | PROT_WRITE), -1);
	CHECK_EQ(madvise(view, 4096, MADV_REMOVE), -1);

	base[0] = 42; /* the owner still writes, and the peer sees it */
	CHECK_EQ(view[0], 42);
	CHECK_EQ(munmap(view, 8192), 0);
	dx_shm_unref(shm);
}

TEST(shm_handed_out_size_and_seals_are_fixed)
{
	for (int read_only = 0; read_only < 2; read_only++) {
		struct dx_shm *shm = new_shm(8192, 0);
		int fd = dx_shm_handout(shm, read_only != 0);

		CHECK(fd >= 0);
		CHECK_EQ(ftruncate(fd, 0), -1);
		CHECK_EQ(errno, EPERM);
		CHECK_EQ(ftruncate(fd, 1 << 20), -1);
		CHECK_EQ(errno, EPERM);
		CHECK_EQ(fcntl(fd, F_ADD_SEALS, F_SEAL_FUTURE_WRITE), -1);
		CHECK_EQ(errno, EPERM);
		dx_shm_unref(shm);
	}
}

TEST(shm_hole_punched_by_peer_reads_as_zeros)
{
	struct dx_shm *shm = new_shm(8192, DX_SHM_PREALLOCATE);
	char *base = dx_shm_base(shm);
	int fd = dx_shm_handout(shm, false);
	char *view = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	CHECK(view != MAP_FAILED);
	memset(base, 1, 8192);
	CHECK_EQ(madvise(view, 4096, MADV_REMOVE), 0);
	CHECK_EQ(base[0], 0);
	CHECK_EQ(base[4096], 1);
	base[0] = 2;
	CHECK_EQ(view[0], 2);
	CHECK_EQ(munmap(view, 8192), 0);
	dx_shm_unref(shm);
}

TEST(shm_handout_of_the_other_kind_is_refused)
{
	struct dx_shm *readable = new_shm(1, 0);
	struct dx_shm *writable = new_shm(1, 0);

	CHECK(dx_shm_handout(readable, true) >= 0);
	CHECK(dx_shm_handout(readable, true) >= 0);
	CHECK_EQ(dx_shm_handout(readable, false), -EPERM);
	CHECK(dx_shm_handout(writable, false) >= 0);
	CHECK(dx_shm_handout(writable, false) >= 0);
	CHECK_EQ(dx_shm_handout(writable, true), -EPERM);
	dx_shm_unref(readable);
	dx_shm_unref(writable);
}

TEST(shm_import_that_could_shrink_is_refused)
{
	DX_CLEANUP_FD int fd = new_memfd(4096, F_SEAL_GROW);

	CHECK_EQ(import_error(fd, 1, DX_SHM_READ), -EPROTO);
}

TEST(shm_import_shorter_than_promised_is_refused)
{
	DX_CLEANUP_FD int fd = new_memfd(4096, F_SEAL_SHRINK);
	DX_CLEANUP_FD int empty = new_memfd(0, F_SEAL_SHRINK);

	CHECK_EQ(import_error(fd, 4097, DX_SHM_READ), -EPROTO);
	CHECK_EQ(import_error(empty, 0, DX_SHM_READ), -EPROTO);
}

TEST(shm_import_of_other_kinds_of_files_is_refused)
{
	DX_CLEANUP_FD int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	DX_CLEANUP_FD int file = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	DX_CLEANUP_FD int path = open("/", O_PATH | O_CLOEXEC);
	DX_CLEANUP_FD int fd = new_memfd(4096, F_SEAL_SHRINK);
	DX_CLEANUP_FD int write_only = open_again(fd, O_WRONLY);
	int pipes[2];

	CHECK_EQ(pipe2(pipes, O_CLOEXEC), 0);
	CHECK_EQ(import_error(null, 1, DX_SHM_READ), -EPROTO);
	CHECK_EQ(import_error(file, 1, DX_SHM_READ), -EPROTO);
	CHECK_EQ(import_error(path, 1, DX_SHM_READ), -EPROTO);
	CHECK_EQ(import_error(pipes[0], 1, DX_SHM_READ), -EPROTO);
	CHECK_EQ(import_error(write_only, 1, DX_SHM_READ), -EPROTO);
	CHECK_EQ(import_error(-1, 1, DX_SHM_READ), -EPROTO);
	dx_fd_close(&pipes[0]);
	dx_fd_close(&pipes[1]);
}

TEST(shm_import_of_huge_pages_is_refused)
{
	DX_CLEANUP_FD int fd = memfd_create("huge", MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_HUGETLB);

	if (fd < 0) {
		SKIP("no huge page file system in this kernel");
	}
	CHECK_EQ(ftruncate(fd, 2 << 20), 0);
	CHECK_EQ(fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK), 0);
	CHECK_EQ(import_error(fd, 1, DX_SHM_READ), -EPROTO);
}

TEST(shm_import_for_writing_what_is_read_only_is_refused)
{
	struct dx_shm *shm = new_shm(4096, 0);
	DX_CLEANUP_FD int sealed = open_again(dx_shm_handout(shm, true), O_RDWR);
	DX_CLEANUP_FD int fd = new_memfd(4096, F_SEAL_SHRINK);
	DX_CLEANUP_FD int read_only = open_again(fd, O_RDONLY);

	CHECK_EQ(import_error(sealed, 1, DX_SHM_WRITE), -EPERM);
	CHECK_EQ(import_error(read_only, 1, DX_SHM_WRITE), -EPERM);
	dx_shm_unref(shm);
}

static struct dx_shm *import(struct dx_shm *from, bool read_only, enum dx_shm_access access)
{
	struct dx_shm *shm = NULL;
	int fd = fcntl(dx_shm_handout(from, read_only), F_DUPFD_CLOEXEC, 0);

	CHECK_EQ(dx_shm_import(&fd, 4096, access, &shm), 0);
	CHECK_EQ(fd, -1);
	return shm;
}

TEST(shm_import_shares_pages_and_inode)
{
	struct dx_shm *own = new_shm(4096, 0);
	struct dx_shm *peer = import(own, false, DX_SHM_WRITE);
	char *ours = dx_shm_base(own);
	char *theirs = dx_shm_base(peer);

	CHECK(theirs != NULL && theirs != ours);
	CHECK(dx_shm_base(peer) == theirs);
	theirs[1] = 9;
	CHECK_EQ(ours[1], 9);
	CHECK_EQ(dx_shm_inode(own), dx_shm_inode(peer));
	dx_shm_unref(own); /* the pages live as long as anyone holds them */
	CHECK_EQ(theirs[1], 9);
	dx_shm_unref(peer);
}

TEST(shm_import_copy_keeps_its_writes_to_itself)
{
	struct dx_shm *own = new_shm(4096, 0);
	struct dx_shm *copy = import(own, true, DX_SHM_COPY);
	char *ours = dx_shm_base(own);
	char *theirs = dx_shm_base(copy);

	ours[0] = 1;
	CHECK_EQ(theirs[0], 1);
	theirs[0] = 2;
	CHECK_EQ(ours[0], 1);
	dx_shm_unref(copy);
	dx_shm_unref(own);
}

TEST(shm_import_without_address_space_has_no_base)
{
	DX_CLEANUP_FD int fd = new_memfd(1ull << 56, F_SEAL_SHRINK);
	struct dx_shm *shm = NULL;

	CHECK_EQ(dx_shm_import(&fd, 1, DX_SHM_READ, &shm), 0);
	CHECK(dx_shm_base(shm) == NULL);
	dx_shm_unref(shm);
}

TEST(shm_imported_memory_is_handed_on_only_as_it_came)
{
	struct dx_shm *own = new_shm(4096, 0);
	struct dx_shm *own_readable = new_shm(4096, 0);
	struct dx_shm *writable = import(own, false, DX_SHM_WRITE);
	struct dx_shm *readable = import(own_readable, true, DX_SHM_READ);

	CHECK(dx_shm_handout(writable, false) >= 0);
	CHECK_EQ(dx_shm_handout(writable, true), -EPERM);
	CHECK(dx_shm_handout(readable, true) >= 0);
	CHECK_EQ(dx_shm_handout(readable, false), -EPERM);
	dx_shm_unref(own);
	dx_shm_unref(own_readable);
	dx_shm_unref(writable);
	dx_shm_unref(readable);
}

TEST(shm_prepare_allocates_once_up_to_the_mark)
{
	struct dx_shm *shm = new_shm(1 << 20, 0);

	CHECK_EQ(dx_shm_prepare(shm, 0, 4096), 0);
	CHECK_EQ(dx_shm_prepare(shm, 100, 200), 0);
	CHECK_EQ(dx_shm_prepare(shm, 0, 1 << 20), 0);
	CHECK_EQ(dx_shm_prepare(shm, 1, 1 << 20), -EINVAL);
	CHECK_EQ(dx_shm_prepare(shm, UINT64_MAX, 2), -EINVAL);
	CHECK_EQ(dx_shm_prepare(shm, 1 << 20, 0), 0);
	dx_shm_unref(shm);
}

TEST(shm_prepare_works_after_hand_out_for_reading)
{
	struct dx_shm *shm = new_shm(1 << 16, 0);

	CHECK(dx_shm_handout(shm, true) >= 0);
	CHECK_EQ(dx_shm_prepare(shm, 0, 1 << 16), 0);
	dx_shm_unref(shm);
}

/* ---- without a file ---- */

static void *new_pages(uint64_t length)
{
	void *base =
		mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	CHECK(base != MAP_FAILED);
	return base;
}

TEST(shm_adopted_is_used_and_not_handed_out)
{
	struct dx_shm *shm = NULL;
	void *base = new_pages(8192);
	void *was = base;

	CHECK_EQ(dx_shm_adopt(&base, 5000, NULL, &shm), 0);
	CHECK(base == NULL);
	CHECK(dx_shm_base(shm) == was);
	CHECK_EQ(dx_shm_size(shm), 8192);
	CHECK(dx_shm_maps_whole(shm));
	CHECK_EQ(dx_shm_prepare(shm, 0, 8192), 0);
	CHECK_EQ(dx_shm_prepare(shm, 0, 8193), -EINVAL);
	CHECK_EQ(dx_shm_handout(shm, false), -EPERM);
	CHECK_EQ(dx_shm_handout(shm, true), -EPERM);
	CHECK_EQ(dx_shm_fd(shm), -1);
	CHECK_EQ(dx_shm_inode(shm), 0);
	(void)dx_shm_unref(shm);
	CHECK_EQ(msync(was, 8192, MS_ASYNC), -1); /* unmapped */
}

TEST(shm_adopted_counts_and_what_is_refused_stays)
{
	struct dx_memory_quota quota = DX_MEMORY_QUOTA_INIT(4096, 1);
	struct dx_shm *shm = NULL;
	void *base = new_pages(8192);

	CHECK_EQ(dx_shm_adopt(&base, 8192, &quota, &shm), -EDQUOT);
	CHECK_EQ(dx_shm_adopt(&base, 0, NULL, &shm), -EINVAL);
	CHECK_EQ(dx_shm_adopt(&base, UINT64_MAX, NULL, &shm), -EINVAL);
	CHECK(base != NULL);
	CHECK_EQ(munmap(base, 8192), 0);
	base = new_pages(4096);
	CHECK_EQ(dx_shm_adopt(&base, 4096, &quota, &shm), 0);
	(void)dx_shm_unref(shm);
	base = new_pages(4096);
	CHECK_EQ(dx_shm_adopt(&base, 4096, &quota, &shm), 0); /* the first gave its share back */
	(void)dx_shm_unref(shm);
}
