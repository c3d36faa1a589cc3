/* SPDX-License-Identifier: MIT
 *
 * inside_memory - the memory classes as a driver uses them.
 */
#include "inside.h"

#define PAGE ((uint64_t)CONTRACT_PAGE)

static void check_create(struct inside *inside)
{
	IOBufferMemoryDescriptor *buffer = NULL;
	IOAddressSegment range = {0};
	uint64_t length = 0;

	INSIDE_EQ(IOBufferMemoryDescriptorCreate(kIOMemoryDirectionInOut, 10000, 0, NULL),
		  kIOReturnBadArgument);
	INSIDE_EQ(IOBufferMemoryDescriptorCreate(0x100, 10000, 0, &buffer), kIOReturnBadArgument);
	INSIDE_EQ(IOBufferMemoryDescriptorCreate(kIOMemoryDirectionIn, 0, 0, &buffer),
		  kIOReturnNoMemory);
	INSIDE(IOBufferMemoryDescriptorCreate(kIOMemoryDirectionIn, UINT64_MAX - 1, 0, &buffer) !=
	       kIOReturnSuccess);
	INSIDE(buffer == NULL);
	INSIDE_EQ(IOBufferMemoryDescriptorCreate(kIOMemoryDirectionInOut, 10000, 1u << 16, &buffer),
		  kIOReturnSuccess);
	if (buffer == NULL) {
		return;
	}
	INSIDE_EQ(IOMemoryDescriptorGetLength(IO_MEMORY_DESCRIPTOR(buffer), &length),
		  kIOReturnSuccess);
	INSIDE_EQ(length, 10000);
	INSIDE_EQ(IOBufferMemoryDescriptorGetAddressRange(buffer, &range), kIOReturnSuccess);
	INSIDE_EQ(range.length, 10000);
	INSIDE_EQ(range.address % (1u << 16), 0);
	for (uint64_t i = 0; i < 10000; i++) {
		INSIDE_EQ(((const uint8_t *)(uintptr_t)range.address)[i], 0);
	}
	INSIDE_EQ(IOBufferMemoryDescriptorSetLength(buffer, 500), kIOReturnSuccess);
	INSIDE_EQ(IOBufferMemoryDescriptorSetLength(buffer, 10001), kIOReturnSuccess);
	(void)IOBufferMemoryDescriptorGetAddressRange(buffer, &range);
	INSIDE_EQ(range.length, 500);
	OSRelease(buffer);
	INSIDE_EQ(IOMemoryDescriptorGetLength(NULL, &length), kIOReturnBadArgument);
	INSIDE_EQ(IOBufferMemoryDescriptorGetAddressRange(NULL, &range), kIOReturnBadArgument);
}

static void check_mapping_arguments(struct inside *inside, IOMemoryDescriptor *memory)
{
	IOMemoryMap *map = NULL;

	INSIDE_EQ(IOMemoryDescriptorCreateMapping(memory, 0, 0, 0, 0, 0, NULL),
		  kIOReturnBadArgument);
	INSIDE_EQ(IOMemoryDescriptorCreateMapping(NULL, 0, 0, 0, 0, 0, &map), kIOReturnBadArgument);
	INSIDE_EQ(IOMemoryDescriptorCreateMapping(
			  memory, kIOMemoryMapCacheModeInhibit | kIOMemoryMapCacheModeCopyback, 0,
			  0, 0, 0, &map),
		  kIOReturnBadArgument);
	INSIDE_EQ(IOMemoryDescriptorCreateMapping(memory, 0, 0, 0, 0, 64, &map),
		  kIOReturnBadArgument);
	INSIDE_EQ(IOMemoryDescriptorCreateMapping(memory, 0, 0, 3 * PAGE, 1, 0, &map),
		  kIOReturnError);
	INSIDE_EQ(IOMemoryDescriptorCreateMapping(memory, 0, 0, PAGE, 2 * PAGE + 1, 0, &map),
		  kIOReturnError);
	INSIDE_EQ(IOMemoryDescriptorCreateMapping(memory, 0, 0, PAGE, UINT64_MAX, 0, &map),
		  kIOReturnError);
	INSIDE(map == NULL);
}

static void check_mapping(struct inside *inside)
{
	IOMemoryDescriptor *memory = IO_MEMORY_DESCRIPTOR(inside->client->shared);
	IOMemoryMap *whole = NULL;
	IOMemoryMap *part = NULL;
	uint64_t first = 0;
	uint64_t second = 0;
	uint64_t length = 0;

	check_mapping_arguments(inside, memory);
	INSIDE_EQ(IOMemoryDescriptorCreateMapping(memory, kIOMemoryMapCacheModeWriteThrough, 0, 0,
						  0, 0, &whole),
		  kIOReturnSuccess);
	INSIDE_EQ(IOMemoryDescriptorCreateMapping(memory, kIOMemoryMapReadOnly, 0, PAGE + 10, 20, 0,
						  &part),
		  kIOReturnSuccess);
	if (whole == NULL || part == NULL) {
		return;
	}
	INSIDE_EQ(IOMemoryMapGetLength(whole), 3 * PAGE);
	INSIDE_EQ(IOMemoryMapGetOffset(whole), 0);
	INSIDE_EQ(IOMemoryMapGetOffset(part), PAGE + 10);
	INSIDE_EQ(IOMemoryMapGetLength(part), 20);
	/* A buffer of the driver's own stays writable, whatever the options. */
	((uint8_t *)(uintptr_t)IOMemoryMapGetAddress(part))[3] = 0x5a;
	INSIDE_EQ(((const uint8_t *)(uintptr_t)IOMemoryMapGetAddress(whole))[PAGE + 13], 0x5a);
	((uint8_t *)(uintptr_t)IOMemoryMapGetAddress(part))[3] = 0;
	OSRelease(part);
	OSRelease(whole);
	INSIDE_EQ(IOMemoryMapGetAddress(NULL), 0);
	INSIDE_EQ(IOMemoryDescriptorMap(memory, 0, 0, 0, 0, &first, &length), kIOReturnSuccess);
	INSIDE_EQ(IOMemoryDescriptorMap(memory, 0, 0, 0, 0, &second, &length), kIOReturnSuccess);
	INSIDE_EQ(first, second);
	INSIDE_EQ(length, 3 * PAGE);
}

static void check_sub(struct inside *inside)
{
	IOMemoryDescriptor *memory = IO_MEMORY_DESCRIPTOR(inside->client->shared);
	IOMemoryDescriptor *sub = NULL;
	IOMemoryMap *map = NULL;
	uint64_t address = 0;
	uint64_t length = 0;

	INSIDE_EQ(IOMemoryDescriptorCreateSubMemoryDescriptor(0x40, 0, 10, memory, &sub),
		  kIOReturnBadArgument);
	INSIDE_EQ(IOMemoryDescriptorCreateSubMemoryDescriptor(1, 3 * PAGE, 1, memory, &sub),
		  kIOReturnBadArgument);
	INSIDE_EQ(IOMemoryDescriptorCreateSubMemoryDescriptor(1, PAGE, UINT64_MAX, memory, &sub),
		  kIOReturnBadArgument);
	INSIDE_EQ(IOMemoryDescriptorCreateSubMemoryDescriptor(1, 0, 1, NULL, &sub),
		  kIOReturnBadArgument);
	INSIDE_EQ(IOMemoryDescriptorCreateSubMemoryDescriptor(kIOMemoryDirectionInOut, 5000, 3000,
							      memory, &sub),
		  kIOReturnSuccess);
	if (sub == NULL) {
		return;
	}
	(void)IOMemoryDescriptorGetLength(sub, &length);
	INSIDE_EQ(length, 3000);
	INSIDE_EQ(IOMemoryDescriptorCreateMapping(sub, 0, 0, 0, 0, 0, &map), kIOReturnSuccess);
	if (map != NULL &&
	    IOMemoryDescriptorMap(memory, 0, 0, 0, 0, &address, &length) == kIOReturnSuccess) {
		((uint8_t *)(uintptr_t)address)[5007] = 0x77;
		INSIDE_EQ(((const uint8_t *)(uintptr_t)IOMemoryMapGetAddress(map))[7], 0x77);
		((uint8_t *)(uintptr_t)address)[5007] = 0;
	}
	OSSafeReleaseNULL(map);
	OSRelease(sub);
}

static void check_composed(struct inside *inside)
{
	IOMemoryDescriptor *many[33];
	IOMemoryDescriptor *composed = NULL;
	IOMemoryMap *map = NULL;
	uint64_t length = 0;

	for (unsigned i = 0; i < 33; i++) {
		many[i] = IO_MEMORY_DESCRIPTOR(inside->client->shared);
	}
	INSIDE_EQ(IOMemoryDescriptorCreateWithMemoryDescriptors(0, 33, many, &composed),
		  kIOReturnOverrun);
	INSIDE_EQ(IOMemoryDescriptorCreateWithMemoryDescriptors(0, 0, many, &composed),
		  kIOReturnBadArgument);
	INSIDE_EQ(IOMemoryDescriptorCreateWithMemoryDescriptors(0x40, 2, many, &composed),
		  kIOReturnBadArgument);
	many[1] = NULL;
	INSIDE_EQ(IOMemoryDescriptorCreateWithMemoryDescriptors(3, 2, many, &composed),
		  kIOReturnBadArgument);
	many[1] = many[0];
	INSIDE_EQ(IOMemoryDescriptorCreateWithMemoryDescriptors(3, 2, many, &composed),
		  kIOReturnSuccess);
	if (composed == NULL) {
		return;
	}
	(void)IOMemoryDescriptorGetLength(composed, &length);
	INSIDE_EQ(length, 6 * PAGE);
	INSIDE_EQ(IOMemoryDescriptorCreateMapping(composed, 0, 0, 0, 0, 0, &map), kIOReturnSuccess);
	if (map != NULL) {
		uint8_t *bytes = (uint8_t *)(uintptr_t)IOMemoryMapGetAddress(map);

		bytes[5] = 0x33;
		INSIDE_EQ(bytes[3 * PAGE + 5], 0x33); /* twice the same memory */
		bytes[5] = 0;
	}
	OSSafeReleaseNULL(map);
	OSRelease(composed);
}

static void check_map_outlives(struct inside *inside)
{
	IOBufferMemoryDescriptor *buffer = NULL;
	IOMemoryMap *map = NULL;

	INSIDE_EQ(IOBufferMemoryDescriptorCreate(kIOMemoryDirectionInOut, PAGE, 0, &buffer),
		  kIOReturnSuccess);
	INSIDE_EQ(IOMemoryDescriptorCreateMapping(IO_MEMORY_DESCRIPTOR(buffer), 0, 0, 0, 0, 0,
						  &map),
		  kIOReturnSuccess);
	OSRelease(buffer);
	if (map != NULL) {
		((uint8_t *)(uintptr_t)IOMemoryMapGetAddress(map))[0] = 1;
	}
	OSSafeReleaseNULL(map);
}

static void check_memory(struct inside *inside)
{
	check_create(inside);
	check_mapping(inside);
	check_sub(inside);
	check_composed(inside);
	check_map_outlives(inside);
}

INSIDE_METHOD(contract_test_memory, check_memory)
