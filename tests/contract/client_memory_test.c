/* SPDX-License-Identifier: MIT
 *
 * client_memory_test - memory of the application in the driver: shared, snapshots, refusals.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "support/world.h"

#define IN     1u /* the driver may write */
#define OUT    2u /* the driver may read */
#define SHARED 0x10u /* kIOMemoryDisableCopyOnWrite */

static kern_return_t try_grants(io_connect_t connect, const struct contract_grant *grant,
				uint64_t *number)
{
	uint32_t nr_output = 1;

	return IOConnectCallMethod(connect, CONTRACT_GRANT, NULL, 0, grant, sizeof(*grant), number,
				   &nr_output, NULL, NULL);
}

static kern_return_t try_grant(io_connect_t connect, uint64_t options, const void *address,
			       uint64_t length, uint64_t *number)
{
	struct contract_grant grant = {.options = options, .nr_segments = 1};

	grant.segments[0].address = (uint64_t)(uintptr_t)address;
	grant.segments[0].length = length;
	return try_grants(connect, &grant, number);
}

static uint64_t grant(io_connect_t connect, uint64_t options, const void *address, uint64_t length)
{
	uint64_t number = UINT64_MAX;

	CHECK_EQ(try_grant(connect, options, address, length, &number), kIOReturnSuccess);
	return number;
}

static uint8_t *allocate(size_t length)
{
	uint8_t *bytes = mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
			      0);

	CHECK_NE(bytes, MAP_FAILED);
	return bytes;
}

CONTRACT(client_memory_is_shared_at_its_own_address)
{
	io_connect_t connect = world_open();
	const size_t length = 5 * CONTRACT_PAGE;
	uint8_t *bytes = allocate(length);
	uint64_t number;

	memset(bytes, 0x21, length);
	number = grant(connect, IN | OUT | SHARED, bytes, length);
	CHECK_EQ(GET(connect, CONTRACT_GRANT_PEEK, number, length - 1), 0x21);
	for (size_t offset = 0; offset < length; offset += 1777) {
		bytes[offset] = (uint8_t)offset;
		CHECK_EQ(GET(connect, CONTRACT_GRANT_PEEK, number, offset), (uint8_t)offset);
		DO(connect, CONTRACT_GRANT_POKE, number, offset, 0x99);
		CHECK_EQ(bytes[offset], 0x99);
	}
	DO(connect, CONTRACT_GRANT_RELEASE, number);
	/* The memory is the application's as before. */
	CHECK_EQ(bytes[0], 0x99);
	bytes[0] = 1;
	CHECK_EQ(bytes[1], 0x21);
	(void)munmap(bytes, length);
	world_close(connect);
}

CONTRACT(client_memory_in_the_middle_of_pages)
{
	io_connect_t connect = world_open();
	uint8_t *bytes = allocate(3 * CONTRACT_PAGE);
	uint64_t number = grant(connect, IN | OUT | SHARED, bytes + 100, 2 * CONTRACT_PAGE);

	memset(bytes, 7, 3 * CONTRACT_PAGE);
	CHECK_EQ(GET(connect, CONTRACT_GRANT_PEEK, number, 0), 7);
	bytes[100] = 8;
	bytes[99] = 9;
	CHECK_EQ(GET(connect, CONTRACT_GRANT_PEEK, number, 0), 8);
	DO(connect, CONTRACT_GRANT_FILL, number, 0x55);
	CHECK_EQ(bytes[99], 9);
	CHECK_EQ(bytes[100], 0x55);
	CHECK_EQ(bytes[100 + 2 * CONTRACT_PAGE - 1], 0x55);
	CHECK_EQ(bytes[100 + 2 * CONTRACT_PAGE], 7);
	CHECK_EQ(TRY(connect, CONTRACT_GRANT_POKE, number, 2 * CONTRACT_PAGE, 1), kIOReturnNotFound);
	(void)munmap(bytes, 3 * CONTRACT_PAGE);
	world_close(connect);
}

CONTRACT(client_memory_of_malloc)
{
	io_connect_t connect = world_open();
	void *memory = NULL;
	uint8_t *bytes;
	uint64_t number;

	CHECK_EQ(posix_memalign(&memory, CONTRACT_PAGE, 64 * CONTRACT_PAGE), 0);
	bytes = memory;
	bytes[5] = 5;
	number = grant(connect, IN | OUT | SHARED, bytes, 64 * CONTRACT_PAGE);
	CHECK_EQ(GET(connect, CONTRACT_GRANT_PEEK, number, 5), 5);
	DO(connect, CONTRACT_GRANT_POKE, number, 6, 6);
	CHECK_EQ(bytes[6], 6);
	DO(connect, CONTRACT_GRANT_RELEASE, number);
	free(memory);
	world_close(connect);
}

CONTRACT(client_memory_snapshot_is_copy_on_write)
{
	io_connect_t connect = world_open();
	uint8_t *bytes = allocate(2 * CONTRACT_PAGE);
	uint64_t number;

	memset(bytes, 0x31, 2 * CONTRACT_PAGE);
	number = grant(connect, IN | OUT, bytes, 2 * CONTRACT_PAGE);
	CHECK_EQ(GET(connect, CONTRACT_GRANT_PEEK, number, 0), 0x31);
	DO(connect, CONTRACT_GRANT_POKE, number, 0, 0x32);
	CHECK_EQ(GET(connect, CONTRACT_GRANT_PEEK, number, 0), 0x32);
	CHECK_EQ(bytes[0], 0x31); /* what the driver writes stays its own */
	(void)munmap(bytes, 2 * CONTRACT_PAGE);
	world_close(connect);
}

CONTRACT(client_memory_segments_are_one_mapping)
{
	io_connect_t connect = world_open();
	struct contract_grant grant_of_many = {.options = IN | OUT | SHARED, .nr_segments = 4};
	uint8_t *bytes[4];
	uint64_t number;

	for (unsigned i = 0; i < 4; i++) {
		bytes[i] = allocate(2 * CONTRACT_PAGE);
		memset(bytes[i], (int)i + 1, 2 * CONTRACT_PAGE);
		grant_of_many.segments[i].address = (uint64_t)(uintptr_t)bytes[i];
		grant_of_many.segments[i].length = (i % 2 + 1) * CONTRACT_PAGE;
	}
	CHECK_EQ(try_grants(connect, &grant_of_many, &number), kIOReturnSuccess);
	CHECK_EQ(GET(connect, CONTRACT_GRANT_PEEK, number, 0), 1);
	CHECK_EQ(GET(connect, CONTRACT_GRANT_PEEK, number, CONTRACT_PAGE), 2);
	CHECK_EQ(GET(connect, CONTRACT_GRANT_PEEK, number, 3 * CONTRACT_PAGE), 3);
	CHECK_EQ(GET(connect, CONTRACT_GRANT_PEEK, number, 4 * CONTRACT_PAGE), 4);
	CHECK_EQ(TRY(connect, CONTRACT_GRANT_POKE, number, 6 * CONTRACT_PAGE, 0), kIOReturnNotFound);
	DO(connect, CONTRACT_GRANT_POKE, number, 4 * CONTRACT_PAGE + 1, 0x44);
	CHECK_EQ(bytes[3][1], 0x44);
	for (unsigned i = 0; i < 4; i++) {
		(void)munmap(bytes[i], 2 * CONTRACT_PAGE);
	}
	world_close(connect);
}

CONTRACT(client_memory_same_pages_granted_twice)
{
	io_connect_t connect = world_open();
	uint8_t *bytes = allocate(4 * CONTRACT_PAGE);
	uint64_t first = grant(connect, IN | OUT | SHARED, bytes, 4 * CONTRACT_PAGE);
	uint64_t second = grant(connect, IN | OUT | SHARED, bytes + CONTRACT_PAGE, CONTRACT_PAGE);

	DO(connect, CONTRACT_GRANT_POKE, second, 0, 0x61);
	CHECK_EQ(GET(connect, CONTRACT_GRANT_PEEK, first, CONTRACT_PAGE), 0x61);
	CHECK_EQ(bytes[CONTRACT_PAGE], 0x61);
	DO(connect, CONTRACT_GRANT_RELEASE, first);
	DO(connect, CONTRACT_GRANT_POKE, second, 0, 0x62);
	CHECK_EQ(bytes[CONTRACT_PAGE], 0x62);
	(void)munmap(bytes, 4 * CONTRACT_PAGE);
	world_close(connect);
}

CONTRACT(client_memory_mapped_from_the_driver_is_granted_back)
{
	io_connect_t connect = world_open();
	mach_vm_address_t address = 0;
	mach_vm_size_t size = 0;
	uint64_t number;

	CHECK_EQ(IOConnectMapMemory64(connect, CONTRACT_MEMORY_SHARED, mach_task_self(), &address,
				      &size, kIOMapAnywhere),
		 kIOReturnSuccess);
	number = grant(connect, IN | OUT | SHARED, (void *)(uintptr_t)address, size);
	DO(connect, CONTRACT_GRANT_POKE, number, 9, 0x71);
	CHECK_EQ(((uint8_t *)(uintptr_t)address)[9], 0x71);
	CHECK_EQ(GET(connect, CONTRACT_PEEK, CONTRACT_MEMORY_SHARED, 9), 0x71);
	world_close(connect);
}

static const uint8_t constant[3 * CONTRACT_PAGE] = {1};

CONTRACT(client_memory_that_cannot_be_shared_is_refused)
{
	io_connect_t connect = world_open();
	uint8_t on_stack[2 * CONTRACT_PAGE] = {0};
	uint64_t number;
	int file = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	uint8_t *mapped_file = mmap(NULL, CONTRACT_PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, file,
				    0);
	uint8_t *hole = (uint8_t *)(uintptr_t)WORLD_NEVER_MAPPED;

	CHECK_NE(mapped_file, MAP_FAILED);
	(void)close(file);
	CHECK_EQ(try_grant(connect, IN | OUT | SHARED, on_stack, sizeof(on_stack), &number),
		 kIOReturnBadArgument);
	CHECK_EQ(try_grant(connect, IN | OUT | SHARED, mapped_file, CONTRACT_PAGE, &number),
		 kIOReturnBadArgument);
	CHECK_EQ(try_grant(connect, IN | OUT | SHARED, constant, sizeof(constant), &number),
		 kIOReturnBadArgument);
	CHECK_EQ(try_grant(connect, IN | OUT | SHARED, hole, CONTRACT_PAGE, &number),
		 kIOReturnBadArgument);
	CHECK_EQ(try_grant(connect, IN | OUT | SHARED, NULL, CONTRACT_PAGE, &number),
		 kIOReturnBadArgument);
	CHECK_EQ(try_grant(connect, OUT, hole, CONTRACT_PAGE, &number), kIOReturnBadArgument);
	CHECK_EQ(GET(connect, CONTRACT_ADD, 1, 2), 3);
	(void)munmap(mapped_file, CONTRACT_PAGE);
	world_close(connect);
}

CONTRACT(client_memory_bad_arguments)
{
	io_connect_t connect = world_open();
	uint8_t *bytes = allocate(CONTRACT_PAGE);
	struct contract_grant many = {.options = IN | OUT | SHARED, .nr_segments = 33};
	uint64_t number;

	for (unsigned i = 0; i < 33; i++) {
		many.segments[i].address = (uint64_t)(uintptr_t)bytes;
		many.segments[i].length = 16;
	}
	CHECK_EQ(try_grants(connect, &many, &number), kIOReturnOverrun);
	many.nr_segments = 0;
	CHECK_EQ(try_grants(connect, &many, &number), kIOReturnBadArgument);
	CHECK_EQ(try_grant(connect, IN | OUT | SHARED, bytes, 0, &number), kIOReturnBadArgument);
	CHECK_EQ(try_grant(connect, IN | OUT | SHARED, bytes, UINT64_MAX, &number),
		 kIOReturnBadArgument);
	CHECK_EQ(try_grant(connect, IN | OUT | SHARED, (void *)-4096, 8192, &number),
		 kIOReturnBadArgument);
	CHECK_EQ(try_grant(connect, IN | OUT | SHARED, bytes, 1ull << 60, &number),
		 kIOReturnBadArgument);
	CHECK_EQ(GET(connect, CONTRACT_ADD, 1, 2), 3);
	(void)munmap(bytes, CONTRACT_PAGE);
	world_close(connect);
}

CONTRACT(client_memory_outlives_nothing_it_should_not)
{
	io_connect_t connect = world_open();

	/* Unmapped by the application while the driver has it: the driver keeps the pages. */
	for (unsigned i = 0; i < 20; i++) {
		uint8_t *bytes = allocate(8 * CONTRACT_PAGE);
		uint64_t number;

		bytes[0] = (uint8_t)i;
		number = grant(connect, IN | OUT | SHARED, bytes, 8 * CONTRACT_PAGE);
		(void)munmap(bytes, 8 * CONTRACT_PAGE);
		CHECK_EQ(GET(connect, CONTRACT_GRANT_PEEK, number, 0), i);
		DO(connect, CONTRACT_GRANT_RELEASE, number);
	}
	world_close(connect);
}

CONTRACT(client_memory_large_input_is_a_snapshot)
{
	io_connect_t connect = world_open();
	const size_t length = 3 * CONTRACT_PAGE;
	uint8_t *bytes = allocate(length);

	memset(bytes, 0x41, length);
	CHECK_EQ(IOConnectCallStructMethod(connect, CONTRACT_KEEP_STRUCTS, bytes, length, NULL,
					   NULL),
		 kIOReturnSuccess);
	CHECK_EQ(GET(connect, CONTRACT_KEPT_PEEK, 0, 5000), 0x41);
	bytes[5000] = 0x42; /* later writes of the application do not show */
	CHECK_EQ(GET(connect, CONTRACT_KEPT_PEEK, 0, 5000), 0x41);
	DO(connect, CONTRACT_KEPT_POKE, 0, 5001, 0x43); /* nor do those of the driver */
	CHECK_EQ(GET(connect, CONTRACT_KEPT_PEEK, 0, 5001), 0x43);
	CHECK_EQ(bytes[5001], 0x41);
	CHECK_EQ(TRY(connect, CONTRACT_KEPT_POKE, 0, length, 0), kIOReturnNotFound);
	(void)munmap(bytes, length);
	world_close(connect);
}

CONTRACT(client_memory_large_output_kept_is_the_applications)
{
	io_connect_t connect = world_open();
	const size_t length = 4 * CONTRACT_PAGE;
	uint8_t *bytes = allocate(length);
	size_t size = length;

	memset(bytes, 1, length);
	CHECK_EQ(IOConnectCallStructMethod(connect, CONTRACT_KEEP_STRUCTS, NULL, 0, bytes, &size),
		 kIOReturnSuccess);
	DO(connect, CONTRACT_KEPT_POKE, 1, 5000, 0x51);
	CHECK_EQ(bytes[5000], 0x51); /* whole private pages are shared in place */
	CHECK_EQ(bytes[4999], 1);
	(void)munmap(bytes, length);
	world_close(connect);
}

CONTRACT(client_memory_promotion_is_counted)
{
	io_connect_t connect = world_open();
	uint8_t *bytes = allocate(10 * CONTRACT_PAGE);
	struct IOConnectStatistics before;
	struct IOConnectStatistics after;

	memset(bytes, 1, 10 * CONTRACT_PAGE);
	CHECK_EQ(IOConnectGetStatistics(connect, &before, sizeof(before)), kIOReturnSuccess);
	(void)grant(connect, IN | OUT | SHARED, bytes, 10 * CONTRACT_PAGE);
	CHECK_EQ(IOConnectGetStatistics(connect, &after, sizeof(after)), kIOReturnSuccess);
	CHECK_EQ(after.pages_promoted - before.pages_promoted, 10);
	/* Once shared, never moved again. */
	(void)grant(connect, IN | OUT | SHARED, bytes, 10 * CONTRACT_PAGE);
	before = after;
	CHECK_EQ(IOConnectGetStatistics(connect, &after, sizeof(after)), kIOReturnSuccess);
	CHECK_EQ(after.pages_promoted, before.pages_promoted);
	(void)munmap(bytes, 10 * CONTRACT_PAGE);
	world_close(connect);
}
