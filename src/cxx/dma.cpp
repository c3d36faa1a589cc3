/* SPDX-License-Identifier: MIT
 *
 * dma - IODMACommand over plain memory: one segment, an address of the driver's process.
 */
#include <cstring>

#include "cxx/face.h"

DX_RUNTIME_CLASS(IODMACommand, OSObject)

kern_return_t IODMACommand::Create(IOService *device, uint64_t options,
				   const IODMACommandSpecification *specification,
				   IODMACommand **command)
{
	(void)device;
	if (options != 0 || specification == nullptr || specification->options != 0 ||
	    command == nullptr) {
		return kIOReturnBadArgument;
	}
	*command = dx::allocate<IODMACommand>();
	return *command == nullptr ? kIOReturnNoMemory : kIOReturnSuccess;
}

void IODMACommand::free()
{
	OSSafeReleaseNULL(memory_);
	super::free();
}

/* The bytes of a descriptor from offset on, mapped for the life of the descriptor. */
static kern_return_t bytes_of(IOMemoryDescriptor *memory, uint64_t *ret_address, uint64_t *ret_length)
{
	return memory->Map(0, 0, 0, 0, ret_address, ret_length);
}

static uint64_t device_rights(IOMemoryDescriptor *memory)
{
	(void)memory; /* memory of this process can be read and written by devices in software */
	return kIOMemoryDirectionInOut;
}

kern_return_t IODMACommand::PrepareForDMA(uint64_t options, IOMemoryDescriptor *memory,
					  uint64_t offset, uint64_t length, uint64_t *flags,
					  uint32_t *segmentsCount, IOAddressSegment segments[32],
					  OSDispatchMethod)
{
	uint64_t address = 0;
	uint64_t available = 0;

	if (options != 0 || memory == nullptr || segmentsCount == nullptr || segments == nullptr ||
	    *segmentsCount == 0 || *segmentsCount > 32) {
		return kIOReturnBadArgument;
	}
	kern_return_t status = bytes_of(memory, &address, &available);
	if (status != kIOReturnSuccess) {
		return status;
	}
	if (offset > available || length > available - offset) {
		return kIOReturnBadArgument;
	}
	memory->retain();
	OSSafeReleaseNULL(memory_);
	memory_ = memory;
	offset_ = offset;
	length_ = length == 0 ? available - offset : length;
	segments[0] = {address + offset, length_};
	*segmentsCount = 1;
	if (flags != nullptr) {
		*flags = device_rights(memory);
	}
	return kIOReturnSuccess;
}

kern_return_t IODMACommand::CompleteDMA(uint64_t options, OSDispatchMethod)
{
	if (options != 0) {
		return kIOReturnBadArgument;
	}
	if (memory_ == nullptr) {
		return kIOReturnNotReady;
	}
	OSSafeReleaseNULL(memory_);
	return kIOReturnSuccess;
}

kern_return_t IODMACommand::GetPreparation(uint64_t *offset, uint64_t *length,
					   IOMemoryDescriptor **memory, OSDispatchMethod)
{
	if (memory_ == nullptr) {
		return kIOReturnNotReady;
	}
	if (offset != nullptr) {
		*offset = offset_;
	}
	if (length != nullptr) {
		*length = length_;
	}
	if (memory != nullptr) {
		memory_->retain();
		*memory = memory_;
	}
	return kIOReturnSuccess;
}

/* At most wanted bytes from offset on. */
static uint64_t room(uint64_t total, uint64_t offset, uint64_t wanted)
{
	uint64_t left = offset < total ? total - offset : 0;

	return left < wanted ? left : wanted;
}

static void *pointer(uint64_t address)
{
	return reinterpret_cast<void *>(static_cast<uintptr_t>(address));
}

kern_return_t IODMACommand::PerformOperation(uint64_t options, uint64_t dmaOffset, uint64_t length,
					     uint64_t dataOffset, IOMemoryDescriptor *data,
					     OSDispatchMethod)
{
	const bool zero = options == kIODMACommandPerformOperationOptionZero;
	uint64_t dma_address = 0, dma_total = 0, data_address = 0, data_total = 0;

	if (memory_ == nullptr) {
		return kIOReturnNotReady;
	}
	if ((options != kIODMACommandPerformOperationOptionRead &&
	     options != kIODMACommandPerformOperationOptionWrite && !zero) ||
	    zero != (data == nullptr) || length > length_) {
		return kIOReturnBadArgument;
	}
	kern_return_t status = bytes_of(memory_, &dma_address, &dma_total);
	if (status == kIOReturnSuccess && !zero) {
		status = bytes_of(data, &data_address, &data_total);
	}
	if (status != kIOReturnSuccess) {
		return status;
	}
	if (!zero && length > data_total) {
		return kIOReturnBadArgument;
	}
	uint64_t count = room(length_, dmaOffset, length);
	count = zero ? count : room(data_total, dataOffset, count);
	void *dma = pointer(dma_address + offset_ + (count == 0 ? 0 : dmaOffset));
	void *other = pointer(data_address + (count == 0 ? 0 : dataOffset));
	if (zero) {
		memset(dma, 0, count);
	} else if (options == kIODMACommandPerformOperationOptionRead) {
		memmove(other, dma, count);
	} else {
		memmove(dma, other, count);
	}
	return count < length ? kIOReturnUnderrun : kIOReturnSuccess;
}
