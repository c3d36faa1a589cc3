/* SPDX-License-Identifier: MIT
 *
 * memory_test - descriptors: ranges, parts, rows, addresses.
 */
#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/sysinfo.h>
#include <unistd.h>

#include "memory/memory.h"

#define PAGE 4096u

static struct dx_memory *new_buffer(uint64_t length)
{
	struct dx_shm_options options = {.length = length};
	struct dx_memory *memory = NULL;

	CHECK_EQ(dx_memory_new_buffer(&options, DX_MEMORY_IN_OUT, &memory), 0);
	return memory;
}

static struct dx_memory *new_sub(struct dx_memory *of, uint64_t offset, uint64_t length)
{
	struct dx_memory *memory = NULL;

	CHECK_EQ(dx_memory_new_sub(of, offset, length, DX_MEMORY_IN, NULL, &memory), 0);
	return memory;
}

static struct dx_memory *new_concat(struct dx_memory *a, struct dx_memory *b)
{
	struct dx_memory *pair[] = {a, b};
	struct dx_memory *memory = NULL;

	CHECK_EQ(dx_memory_new_concat(pair, 2, DX_MEMORY_OUT, NULL, &memory), 0);
	return memory;
}

static char *address_of(struct dx_memory *memory, uint64_t offset, uint64_t length)
{
	void *address = NULL;

	CHECK_EQ(dx_memory_address(memory, offset, length, &address), 0);
	return address;
}

TEST(memory_buffer_has_the_length_asked_for)
{
	struct dx_memory *memory = new_buffer(5000);

	CHECK_EQ(dx_memory_length(memory), 5000);
	CHECK_EQ(dx_memory_capacity(memory), 5000);
	CHECK_EQ(dx_memory_direction(memory), DX_MEMORY_IN_OUT);
	CHECK_EQ(dx_memory_nr_slices(memory), 1);
	CHECK_EQ(dx_memory_slice(memory, 0)->length, 5000);
	CHECK(dx_memory_slice(memory, 1) == NULL);
	address_of(memory, 4999, 1)[0] = 1;
	CHECK(dx_memory_ref(memory) == memory);
	dx_memory_unref(memory);
	CHECK(dx_memory_unref(memory) == NULL);
	CHECK(dx_memory_unref(NULL) == NULL);
}

TEST(memory_buffer_reports_what_shm_reports)
{
	struct dx_shm_options options = {.length = 0};
	struct dx_memory *memory = NULL;

	CHECK_EQ(dx_memory_new_buffer(&options, DX_MEMORY_IN, &memory), -EINVAL);
	CHECK(memory == NULL);
}

TEST(memory_set_length_stays_within_capacity)
{
	struct dx_memory *memory = new_buffer(100);

	CHECK_EQ(dx_memory_set_length(memory, 40), 0);
	CHECK_EQ(dx_memory_length(memory), 40);
	CHECK_EQ(dx_memory_set_length(memory, 101), -EINVAL);
	CHECK_EQ(dx_memory_length(memory), 40);
	CHECK_EQ(dx_memory_set_length(memory, 0), 0);
	CHECK_EQ(dx_memory_set_length(memory, 100), 0);
	dx_memory_unref(memory);
}

TEST(memory_of_no_or_bad_slices_is_refused)
{
	struct dx_shm_options options = {.length = PAGE};
	struct dx_slice slices[2] = {0};
	struct dx_slice many[DX_MEMORY_MAX_SLICES + 1];
	struct dx_memory *memory = NULL;

	CHECK_EQ(dx_shm_new(&options, &slices[0].shm), 0);
	slices[1].shm = slices[0].shm;
	CHECK_EQ(dx_memory_new(slices, 0, DX_MEMORY_IN, NULL, &memory), -EINVAL);
	CHECK_EQ(dx_memory_new(slices, 1, DX_MEMORY_IN, NULL, &memory), -EINVAL); /* empty */
	slices[0].length = PAGE + 1;
	CHECK_EQ(dx_memory_new(slices, 1, DX_MEMORY_IN, NULL, &memory), -EINVAL);
	slices[0].offset = UINT64_MAX;
	slices[0].length = 2;
	CHECK_EQ(dx_memory_new(slices, 1, DX_MEMORY_IN, NULL, &memory), -EINVAL);
	for (size_t i = 0; i < DX_MEMORY_MAX_SLICES + 1; i++) {
		many[i] = (struct dx_slice){.shm = slices[0].shm, .length = 1};
	}
	CHECK_EQ(dx_memory_new(many, DX_MEMORY_MAX_SLICES + 1, DX_MEMORY_IN, NULL, &memory), -E2BIG);
	CHECK_EQ(dx_memory_new(many, DX_MEMORY_MAX_SLICES, DX_MEMORY_IN, NULL, &memory), 0);
	CHECK_EQ(dx_memory_capacity(memory), DX_MEMORY_MAX_SLICES);
	dx_memory_unref(memory);
	CHECK_EQ(dx_object_refs(slices[0].shm), 1);
	dx_shm_unref(slices[0].shm);
}

TEST(memory_of_more_bytes_than_numbers_is_refused)
{
	int fd = memfd_create("vast", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	struct dx_slice slices[4] = {0};
	struct dx_memory *memory = NULL;

	CHECK_EQ(ftruncate(fd, INT64_MAX), 0);
	CHECK_EQ(fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK), 0);
	CHECK_EQ(dx_shm_import(&fd, 1, DX_SHM_READ, &slices[0].shm), 0);
	for (int i = 0; i < 4; i++) {
		slices[i].shm = slices[0].shm;
		slices[i].length = INT64_MAX;
	}
	CHECK_EQ(dx_memory_new(slices, 4, DX_MEMORY_IN, NULL, &memory), -EOVERFLOW);
	dx_shm_unref(slices[0].shm);
}

TEST(memory_descriptors_are_counted_and_named)
{
	struct dx_memory_quota quota = DX_MEMORY_QUOTA_INIT(UINT64_MAX, 2);
	struct dx_shm_options options = {.length = 10, .quota = &quota};
	struct dx_memory *first = NULL;
	struct dx_memory *second = NULL;
	struct dx_memory *third = NULL;

	CHECK_EQ(dx_memory_new_buffer(&options, DX_MEMORY_IN, &first), 0);
	CHECK_EQ(dx_memory_new_sub(first, 0, 5, DX_MEMORY_IN, &quota, &second), 0);
	CHECK_EQ(dx_memory_new_sub(first, 0, 5, DX_MEMORY_IN, &quota, &third), -EDQUOT);
	CHECK_EQ(dx_memory_new_buffer(&options, DX_MEMORY_IN, &third), -EDQUOT);
	CHECK(third == NULL);
	CHECK(dx_memory_id(first) != dx_memory_id(second));
	CHECK(dx_memory_id(first) != 0);
	dx_memory_unref(first);
	CHECK_EQ(quota.nr_bytes, PAGE); /* the part keeps the pages */
	dx_memory_unref(second);
	CHECK_EQ(quota.nr_bytes, 0);
	CHECK_EQ(quota.nr_descriptors, 0);
}

TEST(memory_part_sees_the_same_bytes_and_outlives_the_whole)
{
	struct dx_memory *whole = new_buffer(3 * PAGE);
	struct dx_memory *part = new_sub(whole, 100, 200);

	address_of(whole, 150, 1)[0] = 'x';
	CHECK_EQ(dx_memory_length(part), 200);
	CHECK_EQ(dx_memory_slice(part, 0)->offset, 100);
	dx_memory_unref(whole);
	CHECK_EQ(address_of(part, 50, 1)[0], 'x');
	dx_memory_unref(part);
}

TEST(memory_part_outside_is_refused)
{
	struct dx_memory *whole = new_buffer(100);
	struct dx_memory *part = NULL;

	CHECK_EQ(dx_memory_set_length(whole, 50), 0);
	CHECK_EQ(dx_memory_new_sub(whole, 0, 51, DX_MEMORY_IN, NULL, &part), -EINVAL);
	CHECK_EQ(dx_memory_new_sub(whole, 50, 1, DX_MEMORY_IN, NULL, &part), -EINVAL);
	CHECK_EQ(dx_memory_new_sub(whole, 0, 0, DX_MEMORY_IN, NULL, &part), -EINVAL);
	CHECK_EQ(dx_memory_new_sub(whole, 1, UINT64_MAX, DX_MEMORY_IN, NULL, &part), -EINVAL);
	CHECK(part == NULL);
	dx_memory_unref(whole);
}

TEST(memory_row_joins_neighbours_and_skips_what_is_empty)
{
	struct dx_memory *whole = new_buffer(4 * PAGE);
	struct dx_memory *a = new_sub(whole, 0, 10);
	struct dx_memory *b = new_sub(whole, 10, 20);
	struct dx_memory *joined = new_concat(a, b);
	struct dx_memory *apart = new_concat(b, a);

	CHECK_EQ(dx_memory_nr_slices(joined), 1);
	CHECK_EQ(dx_memory_length(joined), 30);
	CHECK_EQ(dx_memory_nr_slices(apart), 2);
	CHECK_EQ(dx_memory_length(apart), 30);
	CHECK_EQ(dx_memory_set_length(a, 0), 0);
	dx_memory_unref(joined);
	joined = new_concat(a, b);
	CHECK_EQ(dx_memory_length(joined), 20);
	dx_memory_unref(joined);
	CHECK_EQ(dx_memory_set_length(b, 0), 0);
	joined = NULL;
	CHECK_EQ(dx_memory_new_concat(&a, 1, DX_MEMORY_IN, NULL, &joined), -EINVAL);
	dx_memory_unref(a);
	dx_memory_unref(b);
	dx_memory_unref(apart);
	dx_memory_unref(whole);
}

TEST(memory_row_of_too_many_slices_is_refused)
{
	struct dx_memory *a = new_buffer(PAGE);
	struct dx_memory *b = new_buffer(PAGE);
	struct dx_memory *row = new_concat(a, b);

	for (int nr_slices = 2; nr_slices < (int)DX_MEMORY_MAX_SLICES; nr_slices *= 2) {
		struct dx_memory *longer = new_concat(row, row);

		dx_memory_unref(row);
		row = longer;
	}
	struct dx_memory *pair[] = {row, a};
	struct dx_memory *refused = NULL;

	CHECK_EQ(dx_memory_new_concat(pair, 2, DX_MEMORY_IN, NULL, &refused), -E2BIG);
	dx_memory_unref(row);
	dx_memory_unref(a);
	dx_memory_unref(b);
}

TEST(memory_row_of_pages_has_one_address)
{
	struct dx_memory *a = new_buffer(2 * PAGE);
	struct dx_memory *b = new_buffer(PAGE + 100);
	struct dx_memory *row = new_concat(a, b);
	char *address = address_of(row, 0, 3 * PAGE + 100);

	memset(address, 'r', 3 * PAGE + 100);
	CHECK_EQ(address_of(a, 2 * PAGE - 1, 1)[0], 'r');
	CHECK_EQ(address_of(b, 0, 1)[0], 'r');
	CHECK_EQ(address_of(b, PAGE + 99, 1)[0], 'r');
	CHECK(address_of(row, 5, 5) == address + 5);
	dx_memory_unref(a);
	dx_memory_unref(b);
	address[2 * PAGE] = 's'; /* the row keeps the pages */
	dx_memory_unref(row);
}

TEST(memory_row_that_does_not_fit_page_to_page_has_no_address)
{
	struct dx_memory *a = new_buffer(100);
	struct dx_memory *b = new_buffer(PAGE);
	struct dx_memory *late = new_sub(b, 1, 10);
	struct dx_memory *row = new_concat(a, b);
	struct dx_memory *other_row = new_concat(b, late);
	void *address = NULL;

	CHECK_EQ(dx_memory_address(row, 0, 1, &address), -EINVAL);
	CHECK_EQ(dx_memory_address(other_row, 0, 1, &address), -EINVAL);
	CHECK(address == NULL);
	dx_memory_unref(a);
	dx_memory_unref(b);
	dx_memory_unref(late);
	dx_memory_unref(row);
	dx_memory_unref(other_row);
}

TEST(memory_row_with_copied_memory_has_no_address)
{
	struct dx_memory *own = new_buffer(PAGE);
	struct dx_slice slices[2] = {{.length = PAGE}, {.length = PAGE}};
	struct dx_memory *row = NULL;
	void *address = NULL;
	int fd = fcntl(dx_shm_handout(dx_memory_slice(own, 0)->shm, false), F_DUPFD_CLOEXEC, 0);

	CHECK_EQ(dx_shm_import(&fd, PAGE, DX_SHM_COPY, &slices[0].shm), 0);
	slices[1].shm = dx_memory_slice(own, 0)->shm;
	CHECK_EQ(dx_memory_new(slices, 2, DX_MEMORY_IN, NULL, &row), 0);
	CHECK_EQ(dx_memory_address(row, 0, 1, &address), -EOPNOTSUPP);
	dx_memory_unref(row);
	dx_shm_unref(slices[0].shm);
	dx_memory_unref(own);
}

TEST(memory_address_outside_is_refused)
{
	struct dx_memory *memory = new_buffer(100);
	void *address = NULL;

	CHECK_EQ(dx_memory_address(memory, 100, 1, &address), -EINVAL);
	CHECK_EQ(dx_memory_address(memory, UINT64_MAX, 2, &address), -EINVAL);
	CHECK_EQ(dx_memory_address(memory, 100, 0, &address), 0);
	dx_memory_unref(memory);
}

TEST(memory_address_without_address_space_is_out_of_memory)
{
	int fd = memfd_create("vast", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	struct dx_slice slice = {.length = 1ull << 56};
	struct dx_memory *memory = NULL;
	void *address = NULL;

	CHECK_EQ(ftruncate(fd, 1ll << 56), 0);
	CHECK_EQ(fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK), 0);
	CHECK_EQ(dx_shm_import(&fd, 1, DX_SHM_READ, &slice.shm), 0);
	CHECK_EQ(dx_memory_new(&slice, 1, DX_MEMORY_IN, NULL, &memory), 0);
	CHECK_EQ(dx_memory_address(memory, 0, 1, &address), -ENOMEM);
	dx_memory_unref(memory);
	dx_shm_unref(slice.shm);
}

TEST(memory_prepare_reaches_every_slice)
{
	struct dx_memory *a = new_buffer(2 * PAGE);
	struct dx_memory *b = new_buffer(2 * PAGE);
	struct dx_memory *row = new_concat(a, b);

	CHECK_EQ(dx_memory_prepare(row, PAGE, 2 * PAGE), 0);
	CHECK_EQ(dx_memory_prepare(row, 3 * PAGE, PAGE), 0);
	CHECK_EQ(dx_memory_prepare(row, 3 * PAGE, PAGE + 1), -EINVAL);
	dx_memory_unref(a);
	dx_memory_unref(b);
	dx_memory_unref(row);
}

TEST(memory_prepare_without_room_is_an_error)
{
	struct dx_shm_options options = {0};
	struct dx_memory *memory = NULL;
	struct sysinfo info;

	CHECK_EQ(sysinfo(&info), 0);
	options.length = 2 * (info.totalram + info.totalswap) * info.mem_unit;
	CHECK_EQ(dx_memory_new_buffer(&options, DX_MEMORY_IN, &memory), 0);
	CHECK_EQ(dx_memory_prepare(memory, 0, options.length), -ENOMEM);
	dx_memory_unref(memory);
}

struct racer {
	struct dx_memory *row;
	struct dx_shm *imported;
	void *address;
	void *base;
	int fd;
};

static void *race(void *argument)
{
	struct racer *racer = argument;

	if (dx_memory_address(racer->row, 0, 1, &racer->address) < 0) {
		return racer;
	}
	racer->base = dx_shm_base(racer->imported);
	racer->fd = dx_shm_handout(dx_memory_slice(racer->row, 0)->shm, true);
	return dx_memory_prepare(racer->row, 0, PAGE) < 0 ? racer : NULL;
}

TEST(memory_first_use_by_many_threads_gives_one_answer)
{
	struct dx_memory *a = new_buffer(PAGE);
	struct dx_memory *b = new_buffer(PAGE);
	struct dx_shm *imported = NULL;
	struct racer racers[4];
	pthread_t threads[4];
	int fd = fcntl(dx_shm_handout(dx_memory_slice(b, 0)->shm, false), F_DUPFD_CLOEXEC, 0);

	CHECK_EQ(dx_shm_import(&fd, PAGE, DX_SHM_WRITE, &imported), 0);
	struct dx_memory *row = new_concat(a, b);

	for (int i = 0; i < 4; i++) {
		racers[i] = (struct racer){.row = row, .imported = imported};
		CHECK_EQ(pthread_create(&threads[i], NULL, race, &racers[i]), 0);
	}
	for (int i = 0; i < 4; i++) {
		void *failed = NULL;

		CHECK_EQ(pthread_join(threads[i], &failed), 0);
		CHECK(failed == NULL);
		CHECK(racers[i].address == racers[0].address);
		CHECK(racers[i].base == racers[0].base && racers[i].base != NULL);
		CHECK_EQ(racers[i].fd, racers[0].fd);
		CHECK(racers[i].fd >= 0);
	}
	dx_memory_unref(row);
	dx_memory_unref(a);
	dx_memory_unref(b);
	dx_shm_unref(imported);
}
