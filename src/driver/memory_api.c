/* SPDX-License-Identifier: MIT
 *
 * memory_api - IOMemoryDescriptor, IOBufferMemoryDescriptor and IOMemoryMap over the memory room.
 *
 * Place:   driver. The public types are the memory room's objects; the head's flags tell buffers that
 *          the driver allocated from everything else.
 */
#include <opendext/memory.h>

#include <errno.h>

#include "base/check.h"
#include "base/ioreturn.h"
#include "base/limits.h"
#include "driver/runtime.h"
#include "driver/service.h"
#include "memory/mapping.h"
#include "memory/memory.h"

#define FLAG_BUFFER 0x80000000u /* in dx_object.flags, set before anybody else sees it */

const OSDriverClass IOMemoryDescriptorClass = {
	.name = "IOMemoryDescriptor", .super = &OSObjectClass, .reserved = {&dx_memory_class}};
const OSDriverClass IOBufferMemoryDescriptorClass = {.name = "IOBufferMemoryDescriptor",
						     .super = &IOMemoryDescriptorClass,
						     .reserved = {&dx_memory_class}};
const OSDriverClass IOMemoryMapClass = {
	.name = "IOMemoryMap", .super = &OSObjectClass, .reserved = {&dx_mapping_class}};

static struct dx_memory *memory_of(const void *memory)
{
	return dx_object_is_kind(memory, &dx_memory_class) ? (struct dx_memory *)(uintptr_t)memory
							   : NULL;
}

bool dx_memory_is_buffer(const void *object)
{
	return memory_of(object) != NULL &&
	       (((const struct dx_object *)object)->flags & FLAG_BUFFER) != 0;
}

static struct dx_memory_quota *quota_here(void)
{
	struct dx_runtime *runtime = dx_runtime_here();

	return runtime == NULL ? NULL : &runtime->quota;
}

kern_return_t IOMemoryDescriptorGetLength(IOMemoryDescriptor *memory, uint64_t *returnLength)
{
	struct dx_memory *core = memory_of(memory);

	if (core == NULL || returnLength == NULL) {
		return kIOReturnBadArgument;
	}
	*returnLength = dx_memory_length(core);
	return kIOReturnSuccess;
}

/* ---- maps ---- */

/* Bits 8..15 are zero or one of the four modes. */
static bool cache_mode_is_valid(uint64_t options)
{
	uint64_t mode = options & 0xff00u;

	return mode == 0 || mode == kIOMemoryMapCacheModeInhibit ||
	       mode == kIOMemoryMapCacheModeCopyback ||
	       mode == kIOMemoryMapCacheModeWriteThrough || mode == kIOMemoryMapCacheModeRealTime;
}

static unsigned mapping_flags(const struct dx_memory *memory, uint64_t options)
{
	uint64_t guard = options & kIOMemoryMapGuardedMask;
	unsigned flags = 0;

	if (!dx_memory_is_buffer(memory) && ((options & kIOMemoryMapReadOnly) != 0 ||
					     dx_memory_direction(memory) == DX_MEMORY_OUT)) {
		flags |= DX_MAPPING_READ_ONLY;
	}
	if ((options & kIOMemoryMapFixedAddress) != 0) {
		flags |= DX_MAPPING_FIXED;
	} else if (guard == kIOMemoryMapGuardedSmall || guard == kIOMemoryMapGuardedLarge) {
		flags |= DX_MAPPING_GUARDED;
	}
	return flags;
}

/* A descriptor of direction Out over memory that cannot be shared read-only, such as a snapshot, is
 * still readable in place. */
static int new_mapping(struct dx_memory *memory, uint64_t options, uint64_t address,
		       uint64_t offset, uint64_t length, struct dx_mapping **ret_mapping)
{
	unsigned flags = mapping_flags(memory, options);
	int result =
		dx_mapping_new(memory, offset, length, (uintptr_t)address, flags, ret_mapping);

	if (result == -EOPNOTSUPP && flags == DX_MAPPING_READ_ONLY) {
		result = dx_mapping_new(memory, offset, length, 0, 0, ret_mapping);
	}
	return result;
}

kern_return_t IOMemoryDescriptorCreateMapping(IOMemoryDescriptor *memory, uint64_t options,
					      uint64_t address, uint64_t offset, uint64_t length,
					      uint64_t alignment, IOMemoryMap **map)
{
	struct dx_memory *core = memory_of(memory);
	struct dx_mapping *mapping = NULL;

	if (core == NULL || map == NULL || alignment != 0 || !cache_mode_is_valid(options)) {
		return kIOReturnBadArgument;
	}
	int result = new_mapping(core, options, address, offset, length, &mapping);
	if (result < 0) {
		return result == -ENOMEM ? kIOReturnNoMemory : kIOReturnError;
	}
	*map = (IOMemoryMap *)mapping;
	return kIOReturnSuccess;
}

kern_return_t IOMemoryDescriptorMap(IOMemoryDescriptor *memory, uint64_t options, uint64_t address,
				    uint64_t length, uint64_t alignment, uint64_t *returnAddress,
				    uint64_t *returnLength)
{
	struct dx_memory *core = memory_of(memory);
	void *mapped = NULL;

	if (core == NULL || returnAddress == NULL || returnLength == NULL || alignment != 0 ||
	    (options & kIOMemoryMapFixedAddress) != 0 || address != 0 ||
	    !cache_mode_is_valid(options)) {
		return kIOReturnBadArgument;
	}
	uint64_t wanted = length == 0 ? dx_memory_length(core) : length;
	if (!dx_range_inside(0, wanted, dx_memory_length(core)) ||
	    dx_memory_address(core, 0, wanted, &mapped) < 0) {
		return kIOReturnError;
	}
	*returnAddress = (uint64_t)(uintptr_t)mapped;
	*returnLength = wanted;
	return kIOReturnSuccess;
}

static struct dx_mapping *map_of(const IOMemoryMap *map)
{
	return dx_object_is_kind(map, &dx_mapping_class) ? (struct dx_mapping *)(uintptr_t)map
							 : NULL;
}

uint64_t IOMemoryMapGetAddress(IOMemoryMap *map)
{
	return map_of(map) == NULL ? 0 : (uint64_t)(uintptr_t)dx_mapping_address(map_of(map));
}

uint64_t IOMemoryMapGetLength(IOMemoryMap *map)
{
	return map_of(map) == NULL ? 0 : dx_mapping_length(map_of(map));
}

uint64_t IOMemoryMapGetOffset(IOMemoryMap *map)
{
	return map_of(map) == NULL ? 0 : dx_mapping_offset(map_of(map));
}

/* ---- descriptors of descriptors ---- */

static kern_return_t made(int result, struct dx_memory *memory, IOMemoryDescriptor **ret_memory)
{
	if (result == 0) {
		*ret_memory = (IOMemoryDescriptor *)memory;
		return kIOReturnSuccess;
	}
	switch (result) {
	case -ENOMEM:
		return kIOReturnNoMemory;
	case -EDQUOT:
		return kIOReturnNoResources;
	default:
		return kIOReturnBadArgument;
	}
}

kern_return_t IOMemoryDescriptorCreateSubMemoryDescriptor(uint64_t options, uint64_t offset,
							  uint64_t length,
							  IOMemoryDescriptor *ofDescriptor,
							  IOMemoryDescriptor **memory)
{
	struct dx_memory *source = memory_of(ofDescriptor);
	struct dx_memory *sub = NULL;

	if (source == NULL || memory == NULL || (options & ~(uint64_t)kIOMemoryDirectionOutIn) != 0) {
		return kIOReturnBadArgument;
	}
	int result = dx_memory_new_sub(source, offset, length, (enum dx_memory_direction)options,
				       quota_here(), &sub);
	return made(result, sub, memory);
}

kern_return_t IOMemoryDescriptorCreateWithMemoryDescriptors(
	uint64_t options, uint32_t withDescriptorsCount,
	IOMemoryDescriptor *const *withDescriptors, IOMemoryDescriptor **memory)
{
	struct dx_memory *parts[DX_MAX_SEGMENTS];
	struct dx_memory *whole = NULL;

	if (withDescriptorsCount > DX_MAX_SEGMENTS) {
		return kIOReturnOverrun;
	}
	if (withDescriptorsCount == 0 || withDescriptors == NULL || memory == NULL ||
	    (options & ~(uint64_t)kIOMemoryDirectionOutIn) != 0) {
		return kIOReturnBadArgument;
	}
	for (uint32_t i = 0; i < withDescriptorsCount; i++) {
		parts[i] = memory_of(withDescriptors[i]);
		if (parts[i] == NULL) {
			return kIOReturnBadArgument;
		}
	}
	int result = dx_memory_new_concat(parts, withDescriptorsCount,
					  (enum dx_memory_direction)options, quota_here(), &whole);
	return made(result, whole, memory);
}

/* ---- buffers ---- */

kern_return_t IOBufferMemoryDescriptorCreate(uint64_t options, uint64_t capacity,
					     uint64_t alignment, IOBufferMemoryDescriptor **memory)
{
	struct dx_memory *buffer = NULL;
	struct dx_shm_options shm = {
		.name = "opendext-buffer",
		.length = capacity,
		.alignment = alignment,
		.quota = quota_here(),
	};

	if (memory == NULL || (options & ~(uint64_t)kIOMemoryDirectionOutIn) != 0) {
		return kIOReturnBadArgument;
	}
	if (alignment != 0 && !dx_is_power_of_two(alignment)) {
		return kIOReturnBadArgument;
	}
	if (capacity == 0 || capacity > DX_MAX_BUFFER_BYTES) {
		return kIOReturnNoMemory;
	}
	int result = dx_memory_new_buffer(&shm, (enum dx_memory_direction)options, &buffer);
	if (result < 0) {
		return result == -EDQUOT ? kIOReturnNoResources : kIOReturnNoMemory;
	}
	((struct dx_object *)buffer)->flags |= FLAG_BUFFER;
	*memory = (IOBufferMemoryDescriptor *)buffer;
	return kIOReturnSuccess;
}

kern_return_t dx_buffer_adopt(uint64_t options, void **base, uint64_t capacity,
			      IOBufferMemoryDescriptor **memory)
{
	struct dx_memory *buffer = NULL;
	struct dx_slice slice = {.length = capacity};
	int result = dx_shm_adopt(base, capacity, quota_here(), &slice.shm);

	if (result == 0) {
		result = dx_memory_new(&slice, 1, (enum dx_memory_direction)options, quota_here(),
				       &buffer);
		dx_shm_unref(slice.shm);
	}
	if (result < 0) {
		return result == -EDQUOT ? kIOReturnNoResources : kIOReturnNoMemory;
	}
	((struct dx_object *)buffer)->flags |= FLAG_BUFFER;
	*memory = (IOBufferMemoryDescriptor *)buffer;
	return kIOReturnSuccess;
}

kern_return_t IOBufferMemoryDescriptorGetAddressRange(IOBufferMemoryDescriptor *memory,
						      IOAddressSegment *range)
{
	struct dx_memory *core = memory_of(memory);
	void *address = NULL;

	if (core == NULL || range == NULL) {
		return kIOReturnBadArgument;
	}
	if (dx_memory_address(core, 0, dx_memory_capacity(core), &address) < 0) {
		return kIOReturnNoMemory;
	}
	range->address = (uint64_t)(uintptr_t)address;
	range->length = dx_memory_length(core);
	return kIOReturnSuccess;
}

kern_return_t IOBufferMemoryDescriptorSetLength(IOBufferMemoryDescriptor *memory, uint64_t length)
{
	struct dx_memory *core = memory_of(memory);

	if (core == NULL) {
		return kIOReturnBadArgument;
	}
	(void)dx_memory_set_length(core, length); /* above the capacity: ignored, as documented */
	return kIOReturnSuccess;
}
