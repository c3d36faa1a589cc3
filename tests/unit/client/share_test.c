/* SPDX-License-Identifier: MIT
 *
 * share_test - memory of the process as (memfd, offset): promotion, refusal, no lost writes.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "client/share.h"
#include "test.h"

#define PAGE 4096u

static uint64_t number(const void *pointer)
{
	return (uint64_t)(uintptr_t)pointer;
}

static uint8_t *pages(size_t count)
{
	uint8_t *memory = mmap(NULL, count * PAGE, PROT_READ | PROT_WRITE,
			       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	CHECK_NE(memory, MAP_FAILED);
	return memory;
}

/* What a driver would do: map the file and look at the range. */
static uint8_t *peer_map(const struct dx_shared_range *range, size_t length, uint8_t **ret_start)
{
	struct stat status;

	CHECK_EQ(fstat(range->fd, &status), 0);
	CHECK_LE(range->offset + length, (uint64_t)status.st_size);
	CHECK((fcntl(range->fd, F_GET_SEALS) & F_SEAL_SHRINK) != 0);
	uint8_t *all = mmap(NULL, (size_t)status.st_size, PROT_READ | PROT_WRITE, MAP_SHARED,
			    range->fd, 0);
	CHECK_NE(all, MAP_FAILED);
	*ret_start = all;
	return all + range->offset;
}

static void check_shared(uint8_t *memory, size_t length, const struct dx_shared_range *range)
{
	struct stat status;
	uint8_t *all = NULL;
	uint8_t *peer = peer_map(range, length, &all);

	CHECK_MEM_EQ(peer, memory, length);
	memory[length - 1] ^= 0x55;
	peer[0] ^= 0xaa;
	CHECK_MEM_EQ(peer, memory, length);
	CHECK_EQ(fstat(range->fd, &status), 0);
	CHECK_EQ(munmap(all, (size_t)status.st_size), 0);
}

TEST(mapped_memory_is_promoted_in_place)
{
	struct dx_shared_range range;
	struct dx_shared_range again;
	uint8_t *memory = pages(8);

	dx_share_hold();
	for (size_t i = 0; i < 8u * PAGE; i += 2) { /* half of it, the rest stays zero */
		memory[i] = (uint8_t)(i * 7);
	}
	CHECK_EQ(dx_share_range(number(memory), 8u * PAGE, true, &range), 0);
	CHECK_EQ(range.pages_promoted, 8);
	check_shared(memory, 8u * PAGE, &range);
	CHECK_EQ(dx_share_range(number(memory) + 100, 200, true, &again), 0);
	CHECK_EQ(again.pages_promoted, 0);
	CHECK_EQ(again.offset, range.offset + 100);
	(void)close(again.fd);
	(void)close(range.fd);
	dx_share_release();
	memory[5] = 77; /* private again */
	CHECK_EQ(memory[5], 77);
	CHECK_EQ(munmap(memory, 8u * PAGE), 0);
}

TEST(unaligned_heap_memory_is_promoted_and_neighbours_join)
{
	struct dx_shared_range range;
	struct dx_shared_range next;
	uint8_t *block = malloc(10000);
	uint8_t *other = malloc(10000);

	CHECK(block != NULL && other != NULL);
	memset(block, 1, 10000);
	memset(other, 2, 10000);
	dx_share_hold();
	CHECK_EQ(dx_share_range(number(block) + 13, 9000, true, &range), 0);
	check_shared(block + 13, 9000, &range);
	CHECK_EQ(dx_share_range(number(other), 10000, true, &next), 0);
	check_shared(other, 10000, &next);
	(void)close(range.fd);
	(void)close(next.fd);
	free(block); /* the heap goes on working */
	free(other);
	free(malloc(20000));
	dx_share_release();
}

TEST(reused_address_is_told_from_the_promoted_one)
{
	struct dx_shared_range range;
	struct dx_shared_range again;
	struct stat first;
	struct stat second;
	uint8_t *memory = pages(4);

	dx_share_hold();
	CHECK_EQ(dx_share_range(number(memory), 4u * PAGE, true, &range), 0);
	CHECK_EQ(mmap(memory, 4u * PAGE, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0),
		 memory);
	memset(memory, 9, 4u * PAGE);
	CHECK_EQ(dx_share_range(number(memory), 4u * PAGE, true, &again), 0);
	CHECK_EQ(again.pages_promoted, 4);
	CHECK_EQ(fstat(range.fd, &first), 0);
	CHECK_EQ(fstat(again.fd, &second), 0);
	CHECK_NE(first.st_ino, second.st_ino);
	check_shared(memory, 4u * PAGE, &again);
	(void)close(range.fd);
	(void)close(again.fd);
	CHECK_EQ(munmap(memory, 4u * PAGE), 0);
	dx_share_release();
}

TEST(promoted_again_after_the_last_connection_closed)
{
	struct dx_shared_range range;
	uint8_t *memory = pages(2);

	for (unsigned i = 0; i < 3; i++) {
		dx_share_hold();
		memory[0] = (uint8_t)i;
		CHECK_EQ(dx_share_range(number(memory), 2u * PAGE, true, &range), 0);
		check_shared(memory, 2u * PAGE, &range);
		(void)close(range.fd);
		dx_share_release();
	}
	CHECK_EQ(munmap(memory, 2u * PAGE), 0);
}

/* The last connection closes: only what still is the shared memory becomes private again. */
TEST(memory_that_was_unmapped_and_reused_is_left_alone_at_the_end)
{
	struct dx_shared_range range;
	uint8_t *memory = pages(6);

	memset(memory, 1, 6u * PAGE);
	dx_share_hold();
	CHECK_EQ(dx_share_range(number(memory), 6u * PAGE, true, &range), 0);
	CHECK_EQ(munmap(memory + 2u * PAGE, PAGE), 0);
	CHECK_EQ(munmap(memory + 4u * PAGE, PAGE), 0);
	uint8_t *other = mmap(memory + 2u * PAGE, PAGE, PROT_READ | PROT_WRITE,
			      MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
	CHECK(other == memory + 2u * PAGE);
	other[0] = 7;
	dx_share_release();
	CHECK_EQ(other[0], 7);
	CHECK_EQ(other[1], 0);
	CHECK_EQ(msync(memory + 4u * PAGE, PAGE, MS_ASYNC), -1); /* a hole it was, a hole it is */
	CHECK_EQ(errno, ENOMEM);
	uint8_t *all = mmap(NULL, (size_t)range.offset + 6u * PAGE, PROT_READ | PROT_WRITE,
			    MAP_SHARED, range.fd, 0);
	CHECK_NE(all, MAP_FAILED);
	for (unsigned i = 0; i < 6; i++) {
		if (i != 2 && i != 4) {
			all[range.offset + i * PAGE] = 9; /* what a driver would write now */
			CHECK_EQ(memory[i * PAGE], 1);
		}
	}
	CHECK_EQ(munmap(all, (size_t)range.offset + 6u * PAGE), 0);
	(void)close(range.fd);
	CHECK_EQ(munmap(memory, 6u * PAGE), 0);
}

TEST(what_cannot_be_shared_is_refused)
{
	struct dx_shared_range range;
	uint8_t local[PAGE];
	static const char constant[] = "read-only";
	uint8_t *hole = pages(3);
	uint8_t *read_only = pages(1);

	dx_share_hold();
	CHECK_EQ(munmap(hole + PAGE, PAGE), 0);
	CHECK_EQ(mprotect(read_only, PAGE, PROT_READ), 0);
	CHECK_EQ(dx_share_range(number(local), sizeof(local), true, &range), -EOPNOTSUPP);
	CHECK_EQ(dx_share_range(number(constant), sizeof(constant), true, &range), -EOPNOTSUPP);
	CHECK_EQ(dx_share_range(number(hole), 3u * PAGE, true, &range), -EFAULT);
	CHECK_EQ(dx_share_range(number(read_only), PAGE, true, &range), -EACCES);
	CHECK_EQ(dx_share_range(number(hole), 0, true, &range), -EINVAL);
	CHECK_EQ(dx_share_range(UINT64_MAX - 10, 100, true, &range), -EINVAL);
	CHECK_EQ(dx_share_range(16, 100, true, &range), -EFAULT);
	CHECK_EQ(dx_share_range(number(read_only), PAGE, false, &range), 0);
	(void)close(range.fd);
	CHECK_EQ(munmap(hole, PAGE), 0);
	CHECK_EQ(munmap(hole + 2u * PAGE, PAGE), 0);
	CHECK_EQ(munmap(read_only, PAGE), 0);
	dx_share_release();
}

TEST(snapshot_is_a_copy_of_anything_readable)
{
	char local[100] = "text";
	char back[100];
	int fd = dx_share_snapshot(number(local), sizeof(local));

	CHECK_GE(fd, 0);
	local[0] = 'T';
	CHECK_EQ(dx_share_read_file(fd, 0, back, sizeof(back)), 0);
	CHECK_STR_EQ(back, "text");
	CHECK_EQ(dx_share_read_file(fd, 90, back, 20), -EIO);
	CHECK_EQ(dx_share_read_file(fd, 0, NULL, 20), -EFAULT);
	(void)close(fd);
	CHECK_EQ(dx_share_snapshot(16, 100), -EFAULT);
	CHECK_EQ(dx_share_snapshot(0, 0), -EINVAL);
}

TEST(mapping_of_a_driver_is_passed_on)
{
	struct dx_shared_range range;
	struct stat one;
	struct stat two;
	int fd = dx_share_memory(4u * PAGE);
	uint8_t *memory = mmap(NULL, 2u * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, PAGE);

	CHECK_NE(memory, MAP_FAILED);
	CHECK_EQ(fstat(fd, &one), 0);
	CHECK_EQ(dx_share_add_mapping(number(memory), 2u * PAGE, &fd, PAGE, false), 0);
	CHECK_EQ(fd, -1);
	CHECK_EQ(dx_share_range(number(memory) + 10, 100, false, &range), 0);
	CHECK_EQ(range.offset, PAGE + 10);
	CHECK_EQ(fstat(range.fd, &two), 0);
	CHECK_EQ(one.st_ino, two.st_ino);
	(void)close(range.fd);
	CHECK_EQ(dx_share_range(number(memory), 100, true, &range), -EACCES);
	dx_share_remove_mapping(number(memory));
	CHECK_EQ(dx_share_range(number(memory), 100, false, &range), -EOPNOTSUPP);
	CHECK_EQ(munmap(memory, 2u * PAGE), 0);
}

#define WORDS 4096u

static _Atomic uint64_t *counters;
static atomic_bool stop;
static uint64_t written[WORDS];

static void *keep_writing(void *unused)
{
	(void)unused;
	for (uint64_t i = 0; !atomic_load(&stop); i++) {
		atomic_fetch_add_explicit(&counters[i % WORDS], 1, memory_order_relaxed);
		written[i % WORDS]++;
	}
	return NULL;
}

TEST(no_write_is_lost_while_memory_is_promoted)
{
	pthread_t thread;

	dx_share_hold();
	for (unsigned round = 0; round < 30; round++) {
		struct dx_shared_range range;

		counters = (void *)pages(WORDS * 8 / PAGE);
		memset(written, 0, sizeof(written));
		atomic_store(&stop, false);
		CHECK_EQ(pthread_create(&thread, NULL, keep_writing, NULL), 0);
		CHECK_EQ(dx_share_range(number((void *)counters), WORDS * 8, true, &range), 0);
		atomic_store(&stop, true);
		CHECK_EQ(pthread_join(thread, NULL), 0);
		for (unsigned i = 0; i < WORDS; i++) {
			CHECK_EQ(atomic_load(&counters[i]), written[i]);
		}
		(void)close(range.fd);
		CHECK_EQ(munmap((void *)counters, WORDS * 8), 0);
	}
	dx_share_release();
}

TEST(child_of_fork_has_copies_of_its_own)
{
	struct dx_shared_range range;
	uint8_t *memory = pages(1);
	int status = 0;
	int go[2];

	CHECK_EQ(pipe2(go, O_CLOEXEC), 0);
	dx_share_hold();
	memory[0] = 1;
	memory[1] = 1;
	CHECK_EQ(dx_share_range(number(memory), PAGE, true, &range), 0);
	pid_t child = fork();
	if (child == 0) {
		char byte = 0;
		bool good = read(go[0], &byte, 1) == 1 && memory[0] == 1;

		memory[1] = 2;
		_exit(good ? 0 : 1);
	}
	memory[0] = 3; /* before the child has touched the page */
	CHECK_EQ(write(go[1], "x", 1), 1);
	CHECK_EQ(waitpid(child, &status, 0), child);
	CHECK_EQ(status, 0);
	CHECK_EQ(memory[1], 1);
	(void)close(go[0]);
	(void)close(go[1]);
	(void)close(range.fd);
	dx_share_release();
	CHECK_EQ(munmap(memory, PAGE), 0);
}
