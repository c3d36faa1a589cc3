/* SPDX-License-Identifier: MIT
 *
 * map_test - memory of the driver in the application: mapping, sharing, unmapping.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/world.h"

struct mapped {
	uint8_t *bytes;
	uint64_t length;
};

static kern_return_t try_map(io_connect_t connect, uint32_t type, struct mapped *mapped)
{
	mach_vm_address_t address = 0;
	mach_vm_size_t size = 0;
	kern_return_t result = IOConnectMapMemory64(connect, type, mach_task_self(), &address, &size,
						    kIOMapAnywhere);

	mapped->bytes = (uint8_t *)(uintptr_t)address;
	mapped->length = size;
	return result;
}

static struct mapped map(io_connect_t connect, uint32_t type)
{
	struct mapped mapped;

	CHECK_EQ(try_map(connect, type, &mapped), kIOReturnSuccess);
	CHECK_NE(mapped.bytes, NULL);
	return mapped;
}

static kern_return_t unmap(io_connect_t connect, uint32_t type)
{
	return IOConnectUnmapMemory64(connect, type, mach_task_self(), 0);
}

/* Whether the address can be read (or written, with the byte that is there already). */
static bool can_read(const uint8_t *byte)
{
	int fds[2];
	bool can;

	CHECK_EQ(pipe2(fds, O_CLOEXEC), 0);
	can = write(fds[1], byte, 1) == 1;
	(void)close(fds[0]);
	(void)close(fds[1]);
	return can;
}

static bool can_write(uint8_t *byte)
{
	uint8_t value = *byte;
	int fds[2];
	bool can;

	CHECK_EQ(pipe2(fds, O_CLOEXEC), 0);
	CHECK_EQ(write(fds[1], &value, 1), 1);
	can = read(fds[0], byte, 1) == 1;
	(void)close(fds[0]);
	(void)close(fds[1]);
	return can;
}

CONTRACT(map_both_see_the_same_bytes)
{
	io_connect_t connect = world_open();
	struct mapped mapped = map(connect, CONTRACT_MEMORY_SHARED);

	CHECK_EQ(mapped.length, 3 * CONTRACT_PAGE);
	for (uint64_t offset = 0; offset < mapped.length; offset += 1021) {
		mapped.bytes[offset] = (uint8_t)(offset + 1);
		CHECK_EQ(GET(connect, CONTRACT_PEEK, CONTRACT_MEMORY_SHARED, offset),
			 (uint8_t)(offset + 1));
		DO(connect, CONTRACT_POKE, CONTRACT_MEMORY_SHARED, offset, 0xa5);
		CHECK_EQ(mapped.bytes[offset], 0xa5);
	}
	CHECK_EQ(unmap(connect, CONTRACT_MEMORY_SHARED), kIOReturnSuccess);
	CHECK(!can_read(mapped.bytes));
	world_close(connect);
}

CONTRACT(map_twice_is_the_same_mapping)
{
	io_connect_t connect = world_open();
	struct mapped first = map(connect, CONTRACT_MEMORY_SHARED);
	struct mapped second = map(connect, CONTRACT_MEMORY_SHARED);

	CHECK_EQ(first.bytes, second.bytes);
	CHECK_EQ(first.length, second.length);
	CHECK_EQ(GET(connect, CONTRACT_NR_COPIES), 2); /* the driver is asked each time */
	CHECK_EQ(unmap(connect, CONTRACT_MEMORY_SHARED), kIOReturnSuccess);
	CHECK(!can_read(first.bytes)); /* one unmap ends both */
	CHECK_EQ(unmap(connect, CONTRACT_MEMORY_SHARED), kIOReturnBadArgument);
	CHECK_EQ(GET(connect, CONTRACT_NR_COPIES), 4);
	world_close(connect);
}

CONTRACT(map_again_after_unmap)
{
	io_connect_t connect = world_open();

	for (unsigned i = 0; i < 20; i++) {
		struct mapped mapped = map(connect, CONTRACT_MEMORY_SHARED);

		CHECK_EQ(mapped.bytes[0], i);
		mapped.bytes[0]++;
		CHECK_EQ(unmap(connect, CONTRACT_MEMORY_SHARED), kIOReturnSuccess);
		CHECK_EQ(unmap(connect, CONTRACT_MEMORY_SHARED), kIOReturnBadArgument);
	}
	world_close(connect);
}

CONTRACT(map_read_only)
{
	io_connect_t connect = world_open();
	struct mapped mapped;

	DO(connect, CONTRACT_POKE, CONTRACT_MEMORY_READ_ONLY, 5, 0x5a);
	mapped = map(connect, CONTRACT_MEMORY_READ_ONLY);
	CHECK_EQ(mapped.bytes[5], 0x5a);
	CHECK(!can_write(mapped.bytes));
	CHECK_EQ(mprotect(mapped.bytes, CONTRACT_PAGE, PROT_READ | PROT_WRITE), -1);
	/* The driver's own view stays writable and is the same memory. */
	DO(connect, CONTRACT_POKE, CONTRACT_MEMORY_READ_ONLY, 6, 0x6b);
	CHECK_EQ(mapped.bytes[6], 0x6b);
	CHECK_EQ(unmap(connect, CONTRACT_MEMORY_READ_ONLY), kIOReturnSuccess);
	world_close(connect);
}

CONTRACT(map_read_only_option_of_the_application_is_ignored)
{
	io_connect_t connect = world_open();
	mach_vm_address_t address = 0;
	mach_vm_size_t size = 0;

	CHECK_EQ(IOConnectMapMemory64(connect, CONTRACT_MEMORY_SHARED, mach_task_self(), &address,
				      &size, kIOMapAnywhere | kIOMapReadOnly | kIOMapUnique),
		 kIOReturnSuccess);
	((uint8_t *)(uintptr_t)address)[0] = 1;
	CHECK_EQ(GET(connect, CONTRACT_PEEK, CONTRACT_MEMORY_SHARED, 0), 1);
	world_close(connect);
}

CONTRACT(map_every_failure_is_bad_argument)
{
	io_connect_t connect = world_open();
	struct mapped mapped;

	CHECK_EQ(try_map(connect, CONTRACT_MEMORY_ERROR, &mapped), kIOReturnBadArgument);
	CHECK_EQ(try_map(connect, CONTRACT_MEMORY_NULL, &mapped), kIOReturnBadArgument);
	CHECK_EQ(try_map(connect, CONTRACT_MEMORY_INHERITED, &mapped), kIOReturnBadArgument);
	CHECK_EQ(try_map(connect, UINT32_MAX, &mapped), kIOReturnBadArgument);
	CHECK_EQ(GET(connect, CONTRACT_NR_COPIES), 4);
	world_close(connect);
}

CONTRACT(unmap_returns_the_drivers_error)
{
	io_connect_t connect = world_open();

	CHECK_EQ(unmap(connect, CONTRACT_MEMORY_ERROR), kIOReturnNoPower);
	CHECK_EQ(unmap(connect, CONTRACT_MEMORY_INHERITED), kIOReturnUnsupported);
	CHECK_EQ(unmap(connect, CONTRACT_MEMORY_NULL), kIOReturnSuccess);
	CHECK_EQ(unmap(connect, CONTRACT_MEMORY_SHARED), kIOReturnBadArgument);
	world_close(connect);
}

CONTRACT(map_bad_arguments)
{
	io_connect_t connect = world_open();
	mach_vm_address_t address = 0;
	mach_vm_size_t size = 0;
	mach_port_t self = mach_task_self();

	CHECK_EQ(IOConnectMapMemory64(connect, 0, 0, &address, &size, kIOMapAnywhere),
		 kIOReturnBadArgument);
	CHECK_EQ(IOConnectMapMemory64(connect, 0, self, NULL, &size, kIOMapAnywhere),
		 kIOReturnBadArgument);
	CHECK_EQ(IOConnectMapMemory64(connect, 0, self, &address, NULL, kIOMapAnywhere),
		 kIOReturnBadArgument);
	CHECK_EQ(IOConnectMapMemory64(0, 0, self, &address, &size, kIOMapAnywhere),
		 MACH_SEND_INVALID_DEST);
	CHECK_EQ(IOConnectUnmapMemory64(connect, 0, 0, 0), kIOReturnBadArgument);
	CHECK_EQ(IOConnectUnmapMemory64(0, 0, self, 0), MACH_SEND_INVALID_DEST);
	CHECK_EQ(IOConnectMapMemory(connect, 0, self, &address, &size, kIOMapAnywhere),
		 kIOReturnSuccess);
	CHECK_EQ(IOConnectUnmapMemory(connect, 0, self, address), kIOReturnSuccess);
	world_close(connect);
	CHECK_EQ(IOConnectMapMemory64(connect, 0, self, &address, &size, kIOMapAnywhere),
		 MACH_SEND_INVALID_DEST);
}

CONTRACT(map_at_a_wanted_address)
{
	io_connect_t connect = world_open();
	const size_t length = 16 * CONTRACT_PAGE;
	uint8_t *room = mmap(NULL, length, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	mach_vm_address_t address = (mach_vm_address_t)(uintptr_t)room;
	mach_vm_size_t size = 0;

	CHECK_NE(room, MAP_FAILED);
	/* In use: nothing of the application is ever replaced. */
	CHECK_EQ(IOConnectMapMemory64(connect, CONTRACT_MEMORY_SHARED, mach_task_self(), &address,
				      &size, 0),
		 kIOReturnBadArgument);
	(void)munmap(room, length);
	CHECK_EQ(IOConnectMapMemory64(connect, CONTRACT_MEMORY_SHARED, mach_task_self(), &address,
				      &size, 0),
		 kIOReturnSuccess);
	CHECK_EQ(address, (mach_vm_address_t)(uintptr_t)room);
	CHECK_EQ(size, 3 * CONTRACT_PAGE);
	room[0] = 9;
	CHECK_EQ(GET(connect, CONTRACT_PEEK, CONTRACT_MEMORY_SHARED, 0), 9);
	world_close(connect);
}

CONTRACT(map_size_is_exact)
{
	io_connect_t connect = world_open();
	struct mapped mapped = map(connect, CONTRACT_MEMORY_ODD);

	CHECK_EQ(mapped.length, 5001);
	mapped.bytes[5000] = 3;
	CHECK_EQ(GET(connect, CONTRACT_PEEK, CONTRACT_MEMORY_ODD, 5000), 3);
	CHECK_EQ(unmap(connect, CONTRACT_MEMORY_ODD), kIOReturnSuccess);
	world_close(connect);
}

CONTRACT(map_part_of_other_memory)
{
	io_connect_t connect = world_open();
	struct mapped whole = map(connect, CONTRACT_MEMORY_SHARED);
	struct mapped part = map(connect, CONTRACT_MEMORY_SUB);

	CHECK_EQ(part.length, 5000);
	CHECK_EQ((uintptr_t)part.bytes % CONTRACT_PAGE, 100); /* offset in the page is kept */
	whole.bytes[100] = 0x31;
	whole.bytes[5099] = 0x32;
	CHECK_EQ(part.bytes[0], 0x31);
	CHECK_EQ(part.bytes[4999], 0x32);
	CHECK_EQ(unmap(connect, CONTRACT_MEMORY_SUB), kIOReturnSuccess);
	CHECK_EQ(whole.bytes[100], 0x31);
	CHECK_EQ(unmap(connect, CONTRACT_MEMORY_SHARED), kIOReturnSuccess);
	world_close(connect);
}

CONTRACT(map_composed_memory)
{
	io_connect_t connect = world_open();
	struct mapped whole = map(connect, CONTRACT_MEMORY_COMPOSED);
	struct mapped shared = map(connect, CONTRACT_MEMORY_SHARED);

	CHECK_EQ(whole.length, 4 * CONTRACT_PAGE);
	shared.bytes[0] = 0x41;
	CHECK_EQ(whole.bytes[CONTRACT_PAGE], 0x41);
	whole.bytes[0] = 0x42;
	CHECK_EQ(GET(connect, CONTRACT_PEEK, CONTRACT_MEMORY_COMPOSED, 0), 0x42);
	CHECK_EQ(unmap(connect, CONTRACT_MEMORY_COMPOSED), kIOReturnSuccess);
	world_close(connect);
}

CONTRACT(map_new_object_each_time_cannot_be_unmapped)
{
	io_connect_t connect = world_open();
	struct mapped first = map(connect, CONTRACT_MEMORY_FRESH);
	struct mapped second = map(connect, CONTRACT_MEMORY_FRESH);

	CHECK_NE(first.bytes, second.bytes);
	first.bytes[0] = 1;
	CHECK_EQ(second.bytes[0], 0);
	CHECK_EQ(unmap(connect, CONTRACT_MEMORY_FRESH), kIOReturnBadArgument);
	CHECK(can_read(first.bytes));
	world_close(connect);
	CHECK(!can_read(first.bytes)); /* closing does it */
	CHECK(!can_read(second.bytes));
}

CONTRACT(map_length_zero)
{
	io_connect_t connect = world_open();
	struct mapped mapped;

	(void)GET(connect, CONTRACT_ALLOCATE, CONTRACT_PAGE, 0);
	DO(connect, CONTRACT_SET_LENGTH, 0);
	CHECK_EQ(try_map(connect, CONTRACT_MEMORY_DYNAMIC, &mapped), kIOReturnBadArgument);
	DO(connect, CONTRACT_SET_LENGTH, CONTRACT_PAGE);
	CHECK_EQ(try_map(connect, CONTRACT_MEMORY_DYNAMIC, &mapped), kIOReturnSuccess);
	world_close(connect);
}

CONTRACT(unmap_after_the_length_changed)
{
	io_connect_t connect = world_open();
	struct mapped mapped;

	(void)GET(connect, CONTRACT_ALLOCATE, 2 * CONTRACT_PAGE, 0);
	mapped = map(connect, CONTRACT_MEMORY_DYNAMIC);
	CHECK_EQ(mapped.length, 2 * CONTRACT_PAGE);
	DO(connect, CONTRACT_SET_LENGTH, CONTRACT_PAGE);
	CHECK_EQ(unmap(connect, CONTRACT_MEMORY_DYNAMIC), kIOReturnBadArgument);
	CHECK(can_read(mapped.bytes));
	DO(connect, CONTRACT_SET_LENGTH, 2 * CONTRACT_PAGE);
	CHECK_EQ(unmap(connect, CONTRACT_MEMORY_DYNAMIC), kIOReturnSuccess);
	world_close(connect);
}

CONTRACT(unmap_after_read_only_changed)
{
	io_connect_t connect = world_open();
	struct mapped mapped = map(connect, CONTRACT_MEMORY_SWITCHED);

	DO(connect, CONTRACT_READ_ONLY, 1);
	CHECK_EQ(unmap(connect, CONTRACT_MEMORY_SWITCHED), kIOReturnBadArgument);
	CHECK(can_read(mapped.bytes));
	DO(connect, CONTRACT_READ_ONLY, 0);
	CHECK_EQ(unmap(connect, CONTRACT_MEMORY_SWITCHED), kIOReturnSuccess);
	world_close(connect);
}

CONTRACT(map_outlives_the_drivers_reference)
{
	io_connect_t connect = world_open();
	struct mapped mapped;

	(void)GET(connect, CONTRACT_ALLOCATE, CONTRACT_PAGE, 0);
	mapped = map(connect, CONTRACT_MEMORY_DYNAMIC);
	DO(connect, CONTRACT_POKE, CONTRACT_MEMORY_DYNAMIC, 3, 0x33);
	DO(connect, CONTRACT_DROP);
	CHECK_EQ(mapped.bytes[3], 0x33);
	mapped.bytes[3] = 0x34;
	CHECK_EQ(mapped.bytes[3], 0x34);
	world_close(connect);
	CHECK(!can_read(mapped.bytes));
}

CONTRACT(map_close_unmaps_everything)
{
	io_connect_t connect = world_open();
	struct mapped shared = map(connect, CONTRACT_MEMORY_SHARED);
	struct mapped odd = map(connect, CONTRACT_MEMORY_ODD);

	world_close(connect);
	CHECK(!can_read(shared.bytes));
	CHECK(!can_read(odd.bytes));
}

CONTRACT(map_capacity_and_alignment_are_honoured)
{
	static const uint64_t capacities[] = {1, 100, 4095, 4096, 4097, 70000, 5u << 20};
	io_connect_t connect = world_open();

	for (size_t i = 0; i < sizeof(capacities) / sizeof(capacities[0]); i++) {
		for (uint64_t alignment = 1; alignment <= 1u << 16; alignment <<= 4) {
			uint64_t address =
				GET(connect, CONTRACT_ALLOCATE, capacities[i], alignment);
			struct mapped mapped = map(connect, CONTRACT_MEMORY_DYNAMIC);

			CHECK_EQ(address % alignment, 0);
			CHECK_EQ(mapped.length, capacities[i]);
			CHECK_EQ(mapped.bytes[capacities[i] - 1], 0);
			mapped.bytes[capacities[i] - 1] = 7;
			CHECK_EQ(GET(connect, CONTRACT_PEEK, CONTRACT_MEMORY_DYNAMIC,
				     capacities[i] - 1),
				 7);
			CHECK_EQ(unmap(connect, CONTRACT_MEMORY_DYNAMIC), kIOReturnSuccess);
		}
	}
	world_close(connect);
}

CONTRACT(map_is_not_counted_as_copied)
{
	io_connect_t connect = world_open();
	struct IOConnectStatistics before;
	struct IOConnectStatistics after;
	struct mapped mapped;

	(void)GET(connect, CONTRACT_ALLOCATE, 1 << 20, 0);
	CHECK_EQ(IOConnectGetStatistics(connect, &before, sizeof(before)), kIOReturnSuccess);
	mapped = map(connect, CONTRACT_MEMORY_DYNAMIC);
	memset(mapped.bytes, 0x77, mapped.length);
	CHECK_EQ(IOConnectGetStatistics(connect, &after, sizeof(after)), kIOReturnSuccess);
	CHECK_EQ(after.bytes_mapped - before.bytes_mapped, 1 << 20);
	CHECK_EQ(after.bytes_copied_in, before.bytes_copied_in);
	CHECK_EQ(after.bytes_copied_out, before.bytes_copied_out);
	CHECK_EQ(unmap(connect, CONTRACT_MEMORY_DYNAMIC), kIOReturnSuccess);
	CHECK_EQ(IOConnectGetStatistics(connect, &after, sizeof(after)), kIOReturnSuccess);
	CHECK_EQ(after.bytes_mapped, before.bytes_mapped);
	world_close(connect);
}
