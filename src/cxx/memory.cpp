/* SPDX-License-Identifier: MIT
 *
 * memory - IOMemoryDescriptor, IOBufferMemoryDescriptor, IOMemoryMap.
 */
#include "cxx/face.h"

DX_RUNTIME_CLASS(IOMemoryDescriptor, OSObject)
DX_RUNTIME_CLASS(IOBufferMemoryDescriptor, IOMemoryDescriptor)
DX_RUNTIME_CLASS(IOMemoryMap, OSObject)

static_assert(kIOMemoryDirectionInOut == core::kIOMemoryDirectionInOut &&
		      kIOMemoryDisableCopyOnWrite == core::kIOMemoryDisableCopyOnWrite &&
		      kIOMemoryMapReadOnly == core::kIOMemoryMapReadOnly &&
		      kIOMemoryMapGuardedMask == core::kIOMemoryMapGuardedMask,
	      "the constants of C");
static_assert(sizeof(IOAddressSegment) == sizeof(core::IOAddressSegment), "one layout");

static core::IOMemoryDescriptor *memory_of(const IOMemoryDescriptor *memory)
{
	return dx::to<core::IOMemoryDescriptor>(memory);
}

kern_return_t IOMemoryDescriptor::GetLength(uint64_t *returnLength)
{
	return core::IOMemoryDescriptorGetLength(memory_of(this), returnLength);
}

kern_return_t IOMemoryDescriptor::CreateMapping(uint64_t options, uint64_t address,
						uint64_t offset, uint64_t length,
						uint64_t alignment, IOMemoryMap **map,
						OSDispatchMethod)
{
	core::IOMemoryMap *made = nullptr;

	if (map == nullptr) {
		return kIOReturnBadArgument;
	}
	return dx::give(core::IOMemoryDescriptorCreateMapping(memory_of(this), options, address,
							      offset, length, alignment, &made),
			made, map);
}

kern_return_t IOMemoryDescriptor::Map(uint64_t options, uint64_t address, uint64_t length,
				      uint64_t alignment, uint64_t *returnAddress,
				      uint64_t *returnLength)
{
	return core::IOMemoryDescriptorMap(memory_of(this), options, address, length, alignment,
					   returnAddress, returnLength);
}

kern_return_t IOMemoryDescriptor::CreateSubMemoryDescriptor(uint64_t options, uint64_t offset,
							    uint64_t length,
							    IOMemoryDescriptor *ofDescriptor,
							    IOMemoryDescriptor **memory)
{
	core::IOMemoryDescriptor *made = nullptr;

	if (memory == nullptr) {
		return kIOReturnBadArgument;
	}
	return dx::give(core::IOMemoryDescriptorCreateSubMemoryDescriptor(
				options, offset, length, memory_of(ofDescriptor), &made),
			made, memory);
}

kern_return_t IOMemoryDescriptor::CreateWithMemoryDescriptors(
	uint64_t options, uint32_t withDescriptorsCount,
	IOMemoryDescriptor *const withDescriptors[32], IOMemoryDescriptor **memory)
{
	core::IOMemoryDescriptor *parts[32] = {};
	core::IOMemoryDescriptor *made = nullptr;

	if (withDescriptorsCount > 32) {
		return kIOReturnOverrun;
	}
	if (withDescriptors == nullptr || memory == nullptr) {
		return kIOReturnBadArgument;
	}
	for (uint32_t i = 0; i < withDescriptorsCount; i++) {
		parts[i] = memory_of(withDescriptors[i]);
	}
	return dx::give(core::IOMemoryDescriptorCreateWithMemoryDescriptors(
				options, withDescriptorsCount, parts, &made),
			made, memory);
}

/* ---- buffers ---- */

kern_return_t IOBufferMemoryDescriptor::Create(uint64_t options, uint64_t capacity,
					       uint64_t alignment,
					       IOBufferMemoryDescriptor **memory)
{
	core::IOBufferMemoryDescriptor *made = nullptr;

	if (memory == nullptr) {
		return kIOReturnBadArgument;
	}
	return dx::give(core::IOBufferMemoryDescriptorCreate(options, capacity, alignment, &made),
			made, memory);
}

kern_return_t IOBufferMemoryDescriptor::GetAddressRange(IOAddressSegment *range)
{
	return core::IOBufferMemoryDescriptorGetAddressRange(
		dx::to<core::IOBufferMemoryDescriptor>(this),
		reinterpret_cast<core::IOAddressSegment *>(range));
}

kern_return_t IOBufferMemoryDescriptor::SetLength(uint64_t length, OSDispatchMethod)
{
	return core::IOBufferMemoryDescriptorSetLength(
		dx::to<core::IOBufferMemoryDescriptor>(this), length);
}

/* ---- maps ---- */

uint64_t IOMemoryMap::GetAddress()
{
	return core::IOMemoryMapGetAddress(dx::to<core::IOMemoryMap>(this));
}

uint64_t IOMemoryMap::GetLength()
{
	return core::IOMemoryMapGetLength(dx::to<core::IOMemoryMap>(this));
}

uint64_t IOMemoryMap::GetOffset()
{
	return core::IOMemoryMapGetOffset(dx::to<core::IOMemoryMap>(this));
}
