/* SPDX-License-Identifier: MIT
 *
 * DriverKit/IOMemoryDescriptor.h - memory that can be mapped and transferred.
 */
#ifndef OPENDEXT_DRIVERKIT_IOMEMORYDESCRIPTOR_H
#define OPENDEXT_DRIVERKIT_IOMEMORYDESCRIPTOR_H

#if defined(__IIG) && __IIG
#include <DriverKit/IOMemoryDescriptor.iig>
#else

#include <DriverKit/OSObject.h>

#pragma GCC visibility push(default)

enum {
	kIOMemoryDirectionNone = 0,
	kIOMemoryDirectionIn = 1,  /* the device or the application writes */
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

/*! A piece of an address space. */
struct IOAddressSegment {
	uint64_t address;
	uint64_t length;
};

class IOMemoryMap;

class IOMemoryDescriptor;
#define IOMemoryDescriptor_CreateMapping_ID 0xec6801f53e2b5b57ULL
#define IOMemoryDescriptor_CreateMapping_Args \
	uint64_t options, uint64_t address, uint64_t offset, uint64_t length, \
	uint64_t alignment, IOMemoryMap **map
#define IOMemoryDescriptor_CreateSubMemoryDescriptor_ID 0xed14dfaab38332f6ULL
#define IOMemoryDescriptor_CreateSubMemoryDescriptor_Args \
	uint64_t memoryDescriptorCreateOptions, uint64_t offset, uint64_t length, \
	IOMemoryDescriptor *ofDescriptor, IOMemoryDescriptor **memory
#define IOMemoryDescriptor_CreateWithMemoryDescriptors_ID 0xe5b1966e13edf6bfULL
#define IOMemoryDescriptor_CreateWithMemoryDescriptors_Args \
	uint64_t memoryDescriptorCreateOptions, uint32_t withDescriptorsCount, \
	IOMemoryDescriptor **const withDescriptors, IOMemoryDescriptor **memory

extern OSMetaClass *gIOMemoryDescriptorMetaClass;
extern const OSClassLoadInformation IOMemoryDescriptor_Class;

/*!
 * Names memory; a map makes it readable at an address. The memory lives as long as a descriptor,
 * a map, an application's mapping or a transfer needs it.
 */
class IOMemoryDescriptor : public OSObject {
	OS_RUNTIME_CLASS(IOMemoryDescriptor, OSObject);
	/*! Its bytes. @return kIOReturnSuccess; kIOReturnBadArgument. */
	kern_return_t GetLength(uint64_t *returnLength);

	/*!
	 * Maps it into the driver.
	 * @param options  kIOMemoryMap constants.
	 * @param address  with kIOMemoryMapFixedAddress: where.
	 * @param length  0: up to the end.
	 * @param alignment  0.
	 * @param map  out, +1; releasing it unmaps.
	 * @return kIOReturnSuccess; kIOReturnBadArgument; kIOReturnError when the range is not
	 *   inside or cannot be mapped.
	 */
	kern_return_t CreateMapping(uint64_t options, uint64_t address, uint64_t offset,
			uint64_t length, uint64_t alignment, IOMemoryMap **map,
			OSDispatchMethod supermethod = nullptr);

	/*!
	 * A part of other memory, which it retains. @param memoryDescriptorCreateOptions
	 * direction bits. @return kIOReturnBadArgument for other options or a range outside.
	 */
	static kern_return_t CreateSubMemoryDescriptor(uint64_t memoryDescriptorCreateOptions,
			uint64_t offset, uint64_t length, IOMemoryDescriptor *ofDescriptor,
			IOMemoryDescriptor **memory);

	/*! Several descriptors as one, in order. @return kIOReturnOverrun for more than 32. */
	static kern_return_t CreateWithMemoryDescriptors(uint64_t memoryDescriptorCreateOptions,
			uint32_t withDescriptorsCount,
			IOMemoryDescriptor *const withDescriptors[32],
			IOMemoryDescriptor **memory);

	/*! Maps it for the life of the descriptor; the same address each time. */
	kern_return_t Map(uint64_t options, uint64_t address, uint64_t length, uint64_t alignment,
			uint64_t *returnAddress, uint64_t *returnLength);
};

#pragma GCC visibility pop

#endif
#endif
