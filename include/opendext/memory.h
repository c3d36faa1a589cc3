/* SPDX-License-Identifier: MIT
 *
 * opendext/memory.h - memory descriptors and mappings.
 *
 * A descriptor names memory, a map makes it readable at an address. What a driver allocates with
 * IOBufferMemoryDescriptorCreate() can be given to applications (CopyClientMemoryForType) and to
 * devices; nobody copies it. Memory lives as long as any descriptor, map, application mapping or
 * transfer in flight needs it.
 */
#ifndef OPENDEXT_MEMORY_H
#define OPENDEXT_MEMORY_H

#include <opendext/object.h>

#pragma GCC visibility push(default)

enum {
	kIOMemoryDirectionNone = 0,
	kIOMemoryDirectionIn = 1,  /* the device or application writes */
	kIOMemoryDirectionOut = 2, /* it reads */
	kIOMemoryDirectionOutIn = 3,
	kIOMemoryDirectionInOut = 3,
	kIOMemoryDisableCopyOnWrite = 0x10,
};

enum {
	kIOMemoryMapFixedAddress = 0x1,
	kIOMemoryMapReadOnly = 0x2,
	kIOMemoryMapGuardedMask = 0x1C,
	kIOMemoryMapGuardedDefault = 0x0,
	kIOMemoryMapGuardedNone = 0x4,
	kIOMemoryMapGuardedSmall = 0x8,
	kIOMemoryMapGuardedLarge = 0xC,
	kIOMemoryMapCacheModeDefault = 0x0,
	kIOMemoryMapCacheModeInhibit = 0x100,
	kIOMemoryMapCacheModeCopyback = 0x200,
	kIOMemoryMapCacheModeWriteThrough = 0x400,
	kIOMemoryMapCacheModeRealTime = 0x800,
};

typedef struct IOAddressSegment {
	uint64_t address;
	uint64_t length;
} IOAddressSegment;

/*! The number of bytes described. */
kern_return_t IOMemoryDescriptorGetLength(IOMemoryDescriptor *memory, uint64_t *returnLength);

/*!
 * Maps memory into the driver.
 * @param options    kIOMemoryMap* constants. Cache modes are checked and have no other effect.
 * @param address    only with kIOMemoryMapFixedAddress; a multiple of the page size.
 * @param offset     first byte.
 * @param length     0: up to the end.
 * @param alignment  0.
 * @param map        out, +1; releasing it unmaps.
 * @return kIOReturnSuccess; kIOReturnBadArgument for two cache modes, an alignment or NULL;
 *         kIOReturnError when the range is not inside or the kernel refuses.
 * Memory that the driver did not make itself is mapped read-only with kIOMemoryMapReadOnly and for
 * descriptors of direction Out.
 * Differs: guard pages only with kIOMemoryMapGuardedSmall or Large; without them a map of a whole
 *         buffer costs nothing.
 */
kern_return_t IOMemoryDescriptorCreateMapping(IOMemoryDescriptor *memory, uint64_t options,
					      uint64_t address, uint64_t offset, uint64_t length,
					      uint64_t alignment, IOMemoryMap **map);

/*!
 * Maps memory for the life of the descriptor. All arguments 0: the whole of it, the same address each
 * time. Otherwise as CreateMapping with offset 0.
 */
kern_return_t IOMemoryDescriptorMap(IOMemoryDescriptor *memory, uint64_t options, uint64_t address,
				    uint64_t length, uint64_t alignment, uint64_t *returnAddress,
				    uint64_t *returnLength);

/*!
 * A part of other memory, sharing its bytes; retains it.
 * @param options  direction bits.
 * @return kIOReturnSuccess; kIOReturnBadArgument for other options or a range outside;
 *         kIOReturnNoMemory.
 */
kern_return_t IOMemoryDescriptorCreateSubMemoryDescriptor(uint64_t options, uint64_t offset,
							  uint64_t length,
							  IOMemoryDescriptor *ofDescriptor,
							  IOMemoryDescriptor **memory);

/*!
 * Several descriptors one after the other, as one; retains them.
 * @return kIOReturnSuccess; kIOReturnOverrun for more than 32; kIOReturnBadArgument for other
 *         options, none or a NULL element; kIOReturnNoMemory.
 */
kern_return_t IOMemoryDescriptorCreateWithMemoryDescriptors(
	uint64_t options, uint32_t withDescriptorsCount,
	IOMemoryDescriptor *const *withDescriptors, IOMemoryDescriptor **memory);

/*!
 * Allocates zeroed memory that can be shared.
 * @param options    direction bits.
 * @param capacity   bytes; the length is the capacity at once.
 * @param alignment  0, or a power of two; pages are the least that is given.
 * @return kIOReturnSuccess; kIOReturnBadArgument for other options; kIOReturnNoMemory for capacity 0
 *         or when there is none; kIOReturnNoResources over the limit of descriptors.
 */
kern_return_t IOBufferMemoryDescriptorCreate(uint64_t options, uint64_t capacity,
					     uint64_t alignment,
					     IOBufferMemoryDescriptor **memory);

/*! Address in the driver (mapped on first use, for the life of the object) and present length. */
kern_return_t IOBufferMemoryDescriptorGetAddressRange(IOBufferMemoryDescriptor *memory,
						      IOAddressSegment *range);

/*! Sets the length; more than the capacity is ignored. Always succeeds. */
kern_return_t IOBufferMemoryDescriptorSetLength(IOBufferMemoryDescriptor *memory, uint64_t length);

/*! Address of the byte at the map's offset; 0 for NULL. */
uint64_t IOMemoryMapGetAddress(IOMemoryMap *map);
/*! Bytes mapped. */
uint64_t IOMemoryMapGetLength(IOMemoryMap *map);
/*! The offset that was asked for. */
uint64_t IOMemoryMapGetOffset(IOMemoryMap *map);

#pragma GCC visibility pop

#endif
