/* SPDX-License-Identifier: MIT
 *
 * DriverKit/IODMACommand.h - segments of memory for a device.
 */
#ifndef OPENDEXT_DRIVERKIT_IODMACOMMAND_H
#define OPENDEXT_DRIVERKIT_IODMACOMMAND_H

#if defined(__IIG) && __IIG
#include <DriverKit/IODMACommand.iig>
#else

#include <DriverKit/IOMemoryDescriptor.h>

#pragma GCC visibility push(default)

class IOService;

enum {
	kIODMACommandSpecificationNoOptions = 0,
	kIODMACommandCreateNoOptions = 0,
	kIODMACommandPrepareForDMANoOptions = 0,
	kIODMACommandCompleteDMANoOptions = 0,
	kIODMACommandPerformOperationOptionRead = 1,
	kIODMACommandPerformOperationOptionWrite = 2,
	kIODMACommandPerformOperationOptionZero = 4,
};

/*! What a device can address. */
struct IODMACommandSpecification {
	uint64_t options;
	uint64_t maxAddressBits;
	uint64_t _resv[16];
};

class IODMACommand;
#define IODMACommand_Create_ID 0xc852cfd22624d810ULL
#define IODMACommand_Create_Args \
	IOService *device, uint64_t options, const IODMACommandSpecification *specification, \
	IODMACommand **command
#define IODMACommand_PrepareForDMA_ID 0x90a47f255968e288ULL
#define IODMACommand_PrepareForDMA_Args \
	uint64_t options, IOMemoryDescriptor *memory, uint64_t offset, uint64_t length, \
	uint64_t *flags, uint32_t *segmentsCount, IOAddressSegment *segments
#define IODMACommand_CompleteDMA_ID 0xe269f1a1b3a7932bULL
#define IODMACommand_CompleteDMA_Args uint64_t options
#define IODMACommand_GetPreparation_ID 0xb15cd645e1e0a879ULL
#define IODMACommand_GetPreparation_Args \
	uint64_t *offset, uint64_t *length, IOMemoryDescriptor **memory
#define IODMACommand_PerformOperation_ID 0xfe00ac8f77fdbb93ULL
#define IODMACommand_PerformOperation_Args \
	uint64_t options, uint64_t dmaOffset, uint64_t length, uint64_t dataOffset, \
	IOMemoryDescriptor *data

extern OSMetaClass *gIODMACommandMetaClass;
extern const OSClassLoadInformation IODMACommand_Class;

/*!
 * Prepares memory for a device. Devices of this system live in software, so a segment is an
 * address in the driver's process, and each preparation has one.
 */
class IODMACommand : public OSObject {
	OS_RUNTIME_CLASS(IODMACommand, OSObject);

	/*!
	 * @param options  0, also in the specification; else kIOReturnBadArgument. @param
	 *   command  out, +1.
	 */
	static kern_return_t Create(IOService *device, uint64_t options,
			const IODMACommandSpecification *specification, IODMACommand **command);

	/*!
	 * Pins memory until CompleteDMA().
	 * @param length  0: up to the end.
	 * @param flags  out: kIOMemoryDirectionOut when the device may read,
	 *   kIOMemoryDirectionIn when it may write.
	 * @param segmentsCount  in: room, 1..32; out: how many there are.
	 */
	kern_return_t PrepareForDMA(uint64_t options, IOMemoryDescriptor *memory, uint64_t offset,
			uint64_t length, uint64_t *flags, uint32_t *segmentsCount,
			IOAddressSegment segments[32], OSDispatchMethod supermethod = nullptr);

	/*! @return kIOReturnNotReady without a preparation. */
	kern_return_t CompleteDMA(uint64_t options, OSDispatchMethod supermethod = nullptr);

	/*! What is prepared; the memory is +1. */
	kern_return_t GetPreparation(uint64_t *offset, uint64_t *length,
			IOMemoryDescriptor **memory, OSDispatchMethod supermethod = nullptr);

	/*!
	 * Copies between prepared memory and other memory.
	 * @param options  one of Read (to data), Write (from data), Zero (data NULL).
	 * @return kIOReturnUnderrun when the offsets left less than length to copy.
	 */
	kern_return_t PerformOperation(uint64_t options, uint64_t dmaOffset, uint64_t length,
			uint64_t dataOffset, IOMemoryDescriptor *data,
			OSDispatchMethod supermethod = nullptr);
	void free() override;

	IOMemoryDescriptor *memory_; /* prepared; NULL: none */
	uint64_t offset_;
	uint64_t length_;
};

#pragma GCC visibility pop

#endif
#endif
