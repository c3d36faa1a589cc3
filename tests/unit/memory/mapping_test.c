/* SPDX-License-Identifier: MIT
 *
 * mapping_test - ranges of descriptors at addresses.
 */
#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "memory/mapping.h"

#define PAGE 4096u

static struct dx_memory *new_buffer(uint64_t length)
{
	struct dx_shm_options options = {.length = length};
	struct dx_memory *memory = NULL;

	CHECK_EQ(dx_memory_new_buffer(&options, DX_MEMORY_IN_OUT, &memory), 0);
	return memory;
}

/* The same pages as a peer that got them through a socket has them. */
static struct dx_memory *import(struct dx_memory *from, bool read_only, enum dx_shm_access access)
{
	struct dx_slice slice = *dx_memory_slice(from, 0);
	struct dx_memory *memory = NULL;
	int fd = fcntl(dx_shm_handout(slice.shm, read_only), F_DUPFD_CLOEXEC, 0);

	CHECK_EQ(dx_shm_import(&fd, slice.offset + slice.length, access, &slice.shm), 0);
	CHECK_EQ(dx_memory_new(&slice, 1, DX_MEMORY_IN, NULL, &memory), 0);
	dx_shm_unref(slice.shm);
	return memory;
}

static struct dx_mapping *map(struct dx_memory *memory, uint64_t offset, uint64_t length,
			      const void *address, unsigned flags)
{
	struct dx_mapping *mapping = NULL;

	CHECK_EQ(dx_mapping_new(memory, offset, length, (uintptr_t)address, flags, &mapping), 0);
	return mapping;
}

static int map_error(struct dx_memory *memory, uint64_t offset, uint64_t length,
		     const void *address, unsigned flags)
{
	struct dx_mapping *mapping = NULL;
	int result = dx_mapping_new(memory, offset, length, (uintptr_t)address, flags, &mapping);

	CHECK(mapping == NULL);
	return result;
}

/* An address range that nothing uses. */
static char *free_range(size_t length)
{
	char *range = mmap(NULL, length, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	CHECK(range != MAP_FAILED);
	CHECK_EQ(munmap(range, length), 0);
	return range;
}

static int signal_of_write(volatile char *address)
{
	int status = 0;
	pid_t pid = fork();

	if (pid == 0) {
		(void)signal(SIGSEGV, SIG_DFL);
		(void)signal(SIGBUS, SIG_DFL);
		*address = 1;
		_exit(0);
	}
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

TEST(mapping_of_one_slice_is_the_place_it_has_anyway)
{
	struct dx_memory *memory = new_buffer(2 * PAGE);
	struct dx_mapping *mapping = map(memory, 100, 0, NULL, 0);
	void *address = NULL;

	CHECK_EQ(dx_memory_address(memory, 100, 1, &address), 0);
	CHECK(dx_mapping_address(mapping) == address);
	CHECK_EQ(dx_mapping_length(mapping), 2 * PAGE - 100);
	CHECK_EQ(dx_mapping_offset(mapping), 100);
	CHECK(dx_mapping_memory(mapping) == memory);
	dx_memory_unref(memory);
	((char *)dx_mapping_address(mapping))[0] = 1; /* the mapping keeps the memory */
	CHECK(dx_mapping_ref(mapping) == mapping);
	dx_mapping_unref(mapping);
	CHECK(dx_mapping_unref(mapping) == NULL);
	CHECK(dx_mapping_unref(NULL) == NULL);
}

TEST(mapping_for_reading_shows_writes_and_takes_none)
{
	struct dx_memory *memory = new_buffer(PAGE);
	struct dx_mapping *mapping = map(memory, 0, 0, NULL, DX_MAPPING_READ_ONLY);
	char *readable = dx_mapping_address(mapping);
	void *writable = NULL;

	CHECK_EQ(dx_memory_address(memory, 0, PAGE, &writable), 0);
	CHECK(readable != writable);
	((char *)writable)[7] = 7;
	CHECK_EQ(readable[7], 7);
	CHECK_EQ(signal_of_write(readable), SIGSEGV);
	dx_mapping_unref(mapping);
	dx_memory_unref(memory);
}

TEST(mapping_with_guards_faults_on_both_sides)
{
	struct dx_memory *memory = new_buffer(2 * PAGE);
	struct dx_mapping *mapping = map(memory, 0, 0, NULL, DX_MAPPING_GUARDED);
	char *address = dx_mapping_address(mapping);

	memset(address, 1, 2 * PAGE);
	CHECK_EQ(signal_of_write(address - 1), SIGSEGV);
	CHECK_EQ(signal_of_write(address + 2 * PAGE), SIGSEGV);
	CHECK_EQ(signal_of_write(address), 0);
	dx_mapping_unref(mapping);
	dx_memory_unref(memory);
}

TEST(mapping_at_a_fixed_address_keeps_the_place_in_the_page)
{
	struct dx_memory *memory = new_buffer(4 * PAGE);
	char *range = free_range(2 * PAGE);
	struct dx_mapping *mapping = NULL;
	void *direct = NULL;

	CHECK_EQ(map_error(memory, PAGE + 8, PAGE, range, DX_MAPPING_FIXED), -EINVAL);
	mapping = map(memory, PAGE + 8, PAGE, range + 8, DX_MAPPING_FIXED);
	CHECK(dx_mapping_address(mapping) == range + 8);
	range[8] = 3;
	CHECK_EQ(dx_memory_address(memory, PAGE + 8, 1, &direct), 0);
	CHECK_EQ(*(char *)direct, 3);
	CHECK_EQ(map_error(memory, PAGE, PAGE, range, DX_MAPPING_FIXED), -EEXIST);
	dx_mapping_unref(mapping);
	mapping = map(memory, PAGE, PAGE, range, DX_MAPPING_FIXED);
	dx_mapping_unref(mapping);
	dx_memory_unref(memory);
}

TEST(mapping_of_memory_handed_out_for_reading_stays_writable_for_its_owner)
{
	struct dx_memory *memory = new_buffer(2 * PAGE);
	char *range = free_range(PAGE);
	struct dx_mapping *mapping = NULL;
	void *direct = NULL;

	CHECK(dx_shm_handout(dx_memory_slice(memory, 0)->shm, true) >= 0);
	mapping = map(memory, PAGE, PAGE, range, DX_MAPPING_FIXED);
	range[0] = 11;
	CHECK_EQ(dx_memory_address(memory, PAGE, 1, &direct), 0);
	CHECK_EQ(*(char *)direct, 11);
	dx_mapping_unref(mapping);
	CHECK_EQ(*(char *)direct, 11);
	dx_memory_unref(memory);
}

TEST(mapping_of_several_slices_is_contiguous)
{
	struct dx_memory *a = new_buffer(2 * PAGE);
	struct dx_memory *b = new_buffer(2 * PAGE);
	struct dx_memory *pair[] = {a, b};
	struct dx_memory *row = NULL;
	struct dx_mapping *mapping = NULL;
	void *in_b = NULL;
	char *address;

	CHECK_EQ(dx_memory_new_concat(pair, 2, DX_MEMORY_IN, NULL, &row), 0);
	mapping = map(row, PAGE + 5, 2 * PAGE, NULL, 0);
	address = dx_mapping_address(mapping);
	CHECK_EQ((uintptr_t)address % PAGE, 5);
	memset(address, 'm', 2 * PAGE);
	CHECK_EQ(dx_memory_address(b, PAGE + 4, 1, &in_b), 0);
	CHECK_EQ(*(char *)in_b, 'm');
	dx_mapping_unref(mapping);
	mapping = map(row, 3 * PAGE, PAGE, NULL, DX_MAPPING_READ_ONLY); /* the second only */
	address = dx_mapping_address(mapping);
	CHECK_EQ(address[4], 'm');
	CHECK_EQ(address[5], 0);
	dx_mapping_unref(mapping);
	dx_memory_unref(row);
	dx_memory_unref(a);
	dx_memory_unref(b);
}

TEST(mapping_outside_or_empty_is_refused)
{
	struct dx_memory *memory = new_buffer(2 * PAGE);

	CHECK_EQ(map_error(memory, 2 * PAGE, 0, NULL, 0), -EINVAL);
	CHECK_EQ(map_error(memory, 1, 2 * PAGE, NULL, 0), -EINVAL);
	CHECK_EQ(map_error(memory, UINT64_MAX, 2, NULL, 0), -EINVAL);
	CHECK_EQ(map_error(memory, 0, 0, NULL, 0x80), -EINVAL);
	CHECK_EQ(map_error(memory, 0, 0, NULL, DX_MAPPING_FIXED | DX_MAPPING_GUARDED), -EINVAL);
	CHECK_EQ(dx_memory_set_length(memory, PAGE), 0);
	CHECK_EQ(map_error(memory, 0, PAGE + 1, NULL, 0), -EINVAL);
	CHECK_EQ(dx_memory_set_length(memory, 0), 0);
	CHECK_EQ(map_error(memory, 0, 0, NULL, 0), -EINVAL);
	dx_memory_unref(memory);
}

TEST(mapping_for_writing_what_is_read_only_here_is_refused)
{
	struct dx_memory *own = new_buffer(PAGE);
	struct dx_memory *peer = import(own, true, DX_SHM_READ);
	struct dx_mapping *mapping = NULL;
	void *address = NULL;

	CHECK_EQ(map_error(peer, 0, 0, NULL, 0), -EACCES);
	CHECK_EQ(map_error(peer, 0, 0, NULL, DX_MAPPING_GUARDED), -EACCES);
	mapping = map(peer, 0, 0, NULL, DX_MAPPING_READ_ONLY);
	CHECK_EQ(dx_memory_address(own, 0, 1, &address), 0);
	*(char *)address = 5;
	CHECK_EQ(*(char *)dx_mapping_address(mapping), 5);
	dx_memory_unref(own);
	dx_memory_unref(peer);
	CHECK_EQ(*(char *)dx_mapping_address(mapping), 5);
	dx_mapping_unref(mapping);
}

TEST(mapping_of_peer_memory_at_a_fixed_address_shares_it)
{
	struct dx_memory *own = new_buffer(PAGE);
	struct dx_memory *peer = import(own, false, DX_SHM_WRITE);
	char *range = free_range(PAGE);
	struct dx_mapping *mapping = map(peer, 0, 0, range, DX_MAPPING_FIXED);
	void *address = NULL;

	range[9] = 9;
	CHECK_EQ(dx_memory_address(own, 9, 1, &address), 0);
	CHECK_EQ(*(char *)address, 9);
	dx_mapping_unref(mapping);
	dx_memory_unref(own);
	dx_memory_unref(peer);
}

TEST(mapping_of_copied_memory_exists_once)
{
	struct dx_memory *own = new_buffer(PAGE);
	struct dx_memory *copy = import(own, false, DX_SHM_COPY);
	struct dx_mapping *mapping = map(copy, 0, 0, NULL, 0);

	*(char *)dx_mapping_address(mapping) = 1;
	CHECK_EQ(map_error(copy, 0, 0, NULL, DX_MAPPING_READ_ONLY), -EOPNOTSUPP);
	CHECK_EQ(map_error(copy, 0, 0, NULL, DX_MAPPING_GUARDED), -EOPNOTSUPP);
	dx_mapping_unref(mapping);
	dx_memory_unref(copy);
	dx_memory_unref(own);
}

TEST(mapping_without_address_space_is_out_of_memory)
{
	int fd = memfd_create("vast", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	struct dx_slice slice = {.length = 1ull << 56};
	struct dx_memory *memory = NULL;

	CHECK_EQ(ftruncate(fd, 1ll << 56), 0);
	CHECK_EQ(fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK), 0);
	CHECK_EQ(dx_shm_import(&fd, 1, DX_SHM_WRITE, &slice.shm), 0);
	CHECK_EQ(dx_memory_new(&slice, 1, DX_MEMORY_IN, NULL, &memory), 0);
	CHECK_EQ(map_error(memory, 0, 0, NULL, 0), -ENOMEM);
	CHECK_EQ(map_error(memory, 0, 0, NULL, DX_MAPPING_GUARDED), -ENOMEM);
	dx_memory_unref(memory);
	dx_shm_unref(slice.shm);
}

TEST(mapping_lives_on_when_its_owner_process_dies)
{
	struct dx_memory *own = NULL;
	int sockets_fd = -1;
	int status = 0;
	pid_t pid;
	struct dx_shm *shm = NULL;
	struct dx_slice slice = {.length = PAGE};
	struct dx_memory *peer = NULL;

	own = new_buffer(PAGE);
	sockets_fd = fcntl(dx_shm_handout(dx_memory_slice(own, 0)->shm, false), F_DUPFD_CLOEXEC, 0);
	CHECK_EQ(dx_shm_import(&sockets_fd, PAGE, DX_SHM_WRITE, &shm), 0);
	slice.shm = shm;
	CHECK_EQ(dx_memory_new(&slice, 1, DX_MEMORY_IN, NULL, &peer), 0);
	pid = fork();
	if (pid == 0) {
		void *address = NULL;

		(void)dx_memory_address(own, 0, 1, &address);
		*(char *)address = 'd';
		(void)kill(getpid(), SIGKILL);
	}
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	dx_memory_unref(own);
	struct dx_mapping *mapping = map(peer, 0, 0, NULL, 0);

	CHECK_EQ(*(char *)dx_mapping_address(mapping), 'd');
	dx_mapping_unref(mapping);
	dx_memory_unref(peer);
	dx_shm_unref(shm);
}
