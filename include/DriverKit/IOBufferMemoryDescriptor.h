/* SPDX-License-Identifier: MIT
 *
 * DriverKit/IOBufferMemoryDescriptor.h - memory that the driver allocates.
 */
#ifndef OPENDEXT_DRIVERKIT_IOBUFFERMEMORYDESCRIPTOR_H
#define OPENDEXT_DRIVERKIT_IOBUFFERMEMORYDESCRIPTOR_H

#if defined(__IIG) && __IIG
#include <DriverKit/IOBufferMemoryDescriptor.iig>
#else

#include <DriverKit/IOMemoryDescriptor.h>
#include <DriverKit/IOMemoryMap.h>

#pragma GCC visibility push(default)

class IOBufferMemoryDescriptor;
#define IOBufferMemoryDescriptor_Create_ID 0x95ea68e3a334cef1ULL
#define IOBufferMemoryDescriptor_Create_Args \
	uint64_t options, uint64_t capacity, uint64_t alignment, \
	IOBufferMemoryDescriptor **memory
#define IOBufferMemoryDescriptor_SetLength_ID 0xacc51fbdefc71c52ULL
#define IOBufferMemoryDescriptor_SetLength_Args uint64_t length

extern OSMetaClass *gIOBufferMemoryDescriptorMetaClass;
extern const OSClassLoadInformation IOBufferMemoryDescriptor_Class;

/*! Zeroed, shareable memory of whole pages. */
class IOBufferMemoryDescriptor : public IOMemoryDescriptor {
	OS_RUNTIME_CLASS(IOBufferMemoryDescriptor, IOMemoryDescriptor);

	/*!
	 * Allocates; the length is the capacity at once.
	 * @param options  direction bits; others give kIOReturnBadArgument.
	 * @param alignment  0 or a power of two.
	 * @param memory  out, +1.
	 * @return kIOReturnNoMemory for capacity 0 or when there is none; kIOReturnNoResources
	 *   over the limit.
	 */
	static kern_return_t Create(uint64_t options, uint64_t capacity, uint64_t alignment,
			IOBufferMemoryDescriptor **memory);

	/*! Address in the driver, mapped for the life of the object, and the present length. */
	kern_return_t GetAddressRange(IOAddressSegment *range);

	/*! Always succeeds; more than the capacity is ignored. */
	kern_return_t SetLength(uint64_t length, OSDispatchMethod supermethod = nullptr);
};

#pragma GCC visibility pop

#endif
#endif
