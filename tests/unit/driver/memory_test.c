/* SPDX-License-Identifier: MIT
 *
 * memory_test - IOMemoryDescriptor, IOBufferMemoryDescriptor, IOMemoryMap: every row of their rules.
 */
#include <opendext/memory.h>

#include <string.h>

#include "test.h"

static IOBufferMemoryDescriptor *buffer(uint64_t options, uint64_t capacity)
{
	IOBufferMemoryDescriptor *made = NULL;

	CHECK_EQ(IOBufferMemoryDescriptorCreate(options, capacity, 0, &made), 0);
	return made;
}

TEST(buffer_create_checks_its_arguments)
{
	IOBufferMemoryDescriptor *made = NULL;

	CHECK_EQ(IOBufferMemoryDescriptorCreate(4, 100, 0, &made), kIOReturnBadArgument);
	CHECK_EQ(IOBufferMemoryDescriptorCreate(0x10, 100, 0, &made), kIOReturnBadArgument);
	CHECK_EQ(IOBufferMemoryDescriptorCreate(3, 0, 0, &made), kIOReturnNoMemory);
	CHECK_EQ(IOBufferMemoryDescriptorCreate(3, UINT64_MAX, 0, &made), kIOReturnNoMemory);
	CHECK_EQ(IOBufferMemoryDescriptorCreate(3, 100, 3, &made), kIOReturnBadArgument);
	CHECK_EQ(IOBufferMemoryDescriptorCreate(3, 100, 0, NULL), kIOReturnBadArgument);
}

TEST(buffer_is_zeroed_and_as_long_as_its_capacity)
{
	IOBufferMemoryDescriptor *made = buffer(kIOMemoryDirectionInOut, 5000);
	IOAddressSegment range = {0};
	uint64_t length = 0;

	CHECK_EQ(IOMemoryDescriptorGetLength(IO_MEMORY_DESCRIPTOR(made), &length), 0);
	CHECK_EQ(length, 5000);
	CHECK_EQ(IOBufferMemoryDescriptorGetAddressRange(made, &range), 0);
	CHECK_EQ(range.length, 5000);
	CHECK_EQ(range.address % 4096, 0);
	for (unsigned i = 0; i < 5000; i++) {
		CHECK_EQ(((const char *)(uintptr_t)range.address)[i], 0);
	}
	CHECK(OSDynamicCast(IOBufferMemoryDescriptor, made) != NULL);
	CHECK(OSDynamicCast(IOMemoryDescriptor, made) != NULL);
	CHECK_STR_EQ(OSObjectGetClassName(made), "IOBufferMemoryDescriptor");
	OSRelease(made);
}

TEST(set_length_ignores_more_than_the_capacity)
{
	IOBufferMemoryDescriptor *made = buffer(3, 1000);
	uint64_t length = 0;

	CHECK_EQ(IOBufferMemoryDescriptorSetLength(made, 10), 0);
	CHECK_EQ(IOMemoryDescriptorGetLength(IO_MEMORY_DESCRIPTOR(made), &length), 0);
	CHECK_EQ(length, 10);
	CHECK_EQ(IOBufferMemoryDescriptorSetLength(made, 1000000), 0);
	CHECK_EQ(IOMemoryDescriptorGetLength(IO_MEMORY_DESCRIPTOR(made), &length), 0);
	CHECK_EQ(length, 10);
	CHECK_EQ(IOBufferMemoryDescriptorSetLength(NULL, 10), kIOReturnBadArgument);
	CHECK_EQ(IOMemoryDescriptorGetLength(NULL, &length), kIOReturnBadArgument);
	OSRelease(made);
}

TEST(map_gives_the_same_address_each_time)
{
	IOBufferMemoryDescriptor *made = buffer(3, 8192);
	IOMemoryDescriptor *memory = IO_MEMORY_DESCRIPTOR(made);
	uint64_t address[2] = {0};
	uint64_t length = 0;

	CHECK_EQ(IOMemoryDescriptorMap(memory, 0, 0, 0, 0, &address[0], &length), 0);
	CHECK_EQ(IOMemoryDescriptorMap(memory, 0, 0, 0, 0, &address[1], &length), 0);
	CHECK_EQ(address[0], address[1]);
	CHECK_EQ(length, 8192);
	CHECK_EQ(IOMemoryDescriptorMap(memory, 0, 0, 9000, 0, &address[1], &length), kIOReturnError);
	CHECK_EQ(IOMemoryDescriptorMap(memory, 0, 0, 0, 8, &address[1], &length),
		 kIOReturnBadArgument);
	CHECK_EQ(IOMemoryDescriptorMap(memory, 0, 0, 0, 0, NULL, &length), kIOReturnBadArgument);
	OSRelease(made);
}

TEST(create_mapping_checks_options_and_range)
{
	IOBufferMemoryDescriptor *made = buffer(3, 8192);
	IOMemoryDescriptor *memory = IO_MEMORY_DESCRIPTOR(made);
	IOMemoryMap *map = NULL;

	CHECK_EQ(IOMemoryDescriptorCreateMapping(memory, 0x300, 0, 0, 0, 0, &map),
		 kIOReturnBadArgument);
	CHECK_EQ(IOMemoryDescriptorCreateMapping(memory, 0x1000000 | 0x1100, 0, 0, 0, 0, &map),
		 kIOReturnBadArgument);
	CHECK_EQ(IOMemoryDescriptorCreateMapping(memory, 0, 0, 0, 0, 4096, &map),
		 kIOReturnBadArgument);
	CHECK_EQ(IOMemoryDescriptorCreateMapping(memory, 0, 0, 8193, 0, 0, &map), kIOReturnError);
	CHECK_EQ(IOMemoryDescriptorCreateMapping(memory, 0, 0, 4096, 4097, 0, &map), kIOReturnError);
	CHECK_EQ(IOMemoryDescriptorCreateMapping(memory, 0, 0, 0, 0, 0, NULL), kIOReturnBadArgument);
	CHECK_EQ(IOMemoryDescriptorCreateMapping(NULL, 0, 0, 0, 0, 0, &map), kIOReturnBadArgument);
	for (uint64_t mode = 0x100; mode <= 0x800; mode <<= 1) {
		CHECK_EQ(IOMemoryDescriptorCreateMapping(memory, mode, 0, 0, 0, 0, &map), 0);
		OSRelease(map);
	}
	OSRelease(made);
}

TEST(mapping_shows_the_bytes_from_its_offset)
{
	IOBufferMemoryDescriptor *made = buffer(3, 8192);
	IOMemoryMap *map = NULL;
	IOAddressSegment range = {0};

	CHECK_EQ(IOBufferMemoryDescriptorGetAddressRange(made, &range), 0);
	memcpy((char *)(uintptr_t)range.address + 5000, "here", sizeof("here"));
	CHECK_EQ(IOMemoryDescriptorCreateMapping(IO_MEMORY_DESCRIPTOR(made), 0, 0, 5000, 0, 0, &map),
		 0);
	CHECK_EQ(IOMemoryMapGetOffset(map), 5000);
	CHECK_EQ(IOMemoryMapGetLength(map), 3192);
	CHECK_STR_EQ((const char *)(uintptr_t)IOMemoryMapGetAddress(map), "here");
	OSRelease(made); /* the map keeps the memory */
	CHECK_STR_EQ((const char *)(uintptr_t)IOMemoryMapGetAddress(map), "here");
	OSRelease(map);
	CHECK_EQ(IOMemoryMapGetAddress(NULL), 0);
	CHECK_EQ(IOMemoryMapGetLength(NULL), 0);
	CHECK_EQ(IOMemoryMapGetOffset(NULL), 0);
}

TEST(own_buffer_of_direction_out_is_writable)
{
	IOBufferMemoryDescriptor *made = buffer(kIOMemoryDirectionOut, 4096);
	IOMemoryMap *map = NULL;

	CHECK_EQ(IOMemoryDescriptorCreateMapping(IO_MEMORY_DESCRIPTOR(made), kIOMemoryMapReadOnly, 0,
						 0, 0, 0, &map),
		 0);
	*(char *)(uintptr_t)IOMemoryMapGetAddress(map) = 1;
	OSRelease(map);
	OSRelease(made);
}

TEST(fixed_and_guarded_mappings_are_made)
{
	IOBufferMemoryDescriptor *made = buffer(3, 4096);
	IOMemoryDescriptor *memory = IO_MEMORY_DESCRIPTOR(made);
	IOMemoryMap *map = NULL;

	CHECK_EQ(IOMemoryDescriptorCreateMapping(memory, kIOMemoryMapGuardedLarge, 0, 0, 0, 0, &map),
		 0);
	uint64_t address = IOMemoryMapGetAddress(map);
	CHECK_EQ(IOMemoryDescriptorCreateMapping(memory, kIOMemoryMapFixedAddress, address, 0, 0, 0,
						 &map),
		 kIOReturnError); /* taken */
	OSRelease(map);
	CHECK_EQ(IOMemoryDescriptorCreateMapping(memory, kIOMemoryMapFixedAddress, address, 0, 0, 0,
						 &map),
		 0);
	CHECK_EQ(IOMemoryMapGetAddress(map), address);
	OSRelease(map);
	OSRelease(made);
}

TEST(sub_descriptor_shares_a_range)
{
	IOBufferMemoryDescriptor *made = buffer(3, 8192);
	IOMemoryDescriptor *sub = NULL;
	IOMemoryDescriptor *whole = IO_MEMORY_DESCRIPTOR(made);
	IOAddressSegment range = {0};
	uint64_t address = 0;
	uint64_t length = 0;

	CHECK_EQ(IOMemoryDescriptorCreateSubMemoryDescriptor(3, 4090, 10, whole, &sub), 0);
	CHECK_EQ(IOMemoryDescriptorCreateSubMemoryDescriptor(4, 0, 10, whole, &sub),
		 kIOReturnBadArgument);
	CHECK_EQ(IOMemoryDescriptorCreateSubMemoryDescriptor(3, 8190, 10, whole, &sub),
		 kIOReturnBadArgument);
	CHECK_EQ(IOMemoryDescriptorCreateSubMemoryDescriptor(3, UINT64_MAX, 10, whole, &sub),
		 kIOReturnBadArgument);
	CHECK_EQ(IOMemoryDescriptorCreateSubMemoryDescriptor(3, 0, 10, NULL, &sub),
		 kIOReturnBadArgument);
	CHECK_EQ(IOBufferMemoryDescriptorGetAddressRange(made, &range), 0);
	memcpy((char *)(uintptr_t)range.address + 4090, "part", sizeof("part"));
	CHECK_EQ(IOMemoryDescriptorMap(sub, 0, 0, 0, 0, &address, &length), 0);
	CHECK_EQ(length, 10);
	CHECK_STR_EQ((const char *)(uintptr_t)address, "part");
	OSRelease(made);
	OSRelease(sub);
}

TEST(several_descriptors_become_one)
{
	IOBufferMemoryDescriptor *a = buffer(3, 4096);
	IOBufferMemoryDescriptor *b = buffer(3, 4096);
	IOMemoryDescriptor *parts[33] = {IO_MEMORY_DESCRIPTOR(a), IO_MEMORY_DESCRIPTOR(b)};
	IOMemoryDescriptor *whole = NULL;
	uint64_t address = 0;
	uint64_t length = 0;
	IOAddressSegment range = {0};

	CHECK_EQ(IOMemoryDescriptorCreateWithMemoryDescriptors(3, 33, parts, &whole),
		 kIOReturnOverrun);
	CHECK_EQ(IOMemoryDescriptorCreateWithMemoryDescriptors(3, 0, parts, &whole),
		 kIOReturnBadArgument);
	CHECK_EQ(IOMemoryDescriptorCreateWithMemoryDescriptors(3, 3, parts, &whole),
		 kIOReturnBadArgument);
	CHECK_EQ(IOMemoryDescriptorCreateWithMemoryDescriptors(8, 2, parts, &whole),
		 kIOReturnBadArgument);
	CHECK_EQ(IOMemoryDescriptorCreateWithMemoryDescriptors(3, 2, parts, &whole), 0);
	CHECK_EQ(IOBufferMemoryDescriptorGetAddressRange(b, &range), 0);
	memcpy((char *)(uintptr_t)range.address, "second", sizeof("second"));
	CHECK_EQ(IOMemoryDescriptorMap(whole, 0, 0, 0, 0, &address, &length), 0);
	CHECK_EQ(length, 8192);
	CHECK_STR_EQ((const char *)(uintptr_t)address + 4096, "second");
	OSRelease(whole);
	OSRelease(a);
	OSRelease(b);
}
