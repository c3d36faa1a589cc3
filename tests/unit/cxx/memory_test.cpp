/* SPDX-License-Identifier: MIT
 *
 * memory_test - descriptors, maps, DMA commands, shared pointers, IOLib.
 */
#include "harness.h"

static unsigned char *bytes_of(IOBufferMemoryDescriptor *memory)
{
	IOAddressSegment range = {};

	CHECK_EQ(memory->GetAddressRange(&range), kIOReturnSuccess);
	return reinterpret_cast<unsigned char *>(range.address);
}

static IOBufferMemoryDescriptor *buffer(uint64_t capacity)
{
	IOBufferMemoryDescriptor *memory = nullptr;

	CHECK_EQ(IOBufferMemoryDescriptor::Create(kIOMemoryDirectionInOut, capacity, 0, &memory),
		 kIOReturnSuccess);
	return memory;
}

TEST(buffer_has_address_and_length)
{
	IOBufferMemoryDescriptor *memory = buffer(8192);
	IOAddressSegment range = {};
	uint64_t length = 0;

	CHECK_EQ(memory->GetAddressRange(&range), kIOReturnSuccess);
	CHECK(range.address != 0 && range.length == 8192);
	CHECK_EQ(memory->SetLength(100), kIOReturnSuccess);
	CHECK_EQ(memory->GetLength(&length), kIOReturnSuccess);
	CHECK_EQ(length, 100);
	CHECK_EQ(memory->SetLength(100000), kIOReturnSuccess);
	CHECK_EQ(memory->GetLength(&length), kIOReturnSuccess);
	CHECK_EQ(length, 100);
	CHECK(OSDynamicCast(IOBufferMemoryDescriptor, static_cast<OSObject *>(memory)) == memory);
	CHECK(OSDynamicCast(IOMemoryDescriptor, memory) != nullptr);
	memory->release();
}

TEST(buffer_refuses_what_c_refuses)
{
	IOBufferMemoryDescriptor *memory = nullptr;

	CHECK_EQ(IOBufferMemoryDescriptor::Create(0x100, 1, 0, &memory), kIOReturnBadArgument);
	CHECK_EQ(IOBufferMemoryDescriptor::Create(0, 0, 0, &memory), kIOReturnNoMemory);
	CHECK_EQ(IOBufferMemoryDescriptor::Create(0, 1, 0, nullptr), kIOReturnBadArgument);
	CHECK(memory == nullptr);
}

TEST(maps_show_the_same_bytes)
{
	IOBufferMemoryDescriptor *memory = buffer(8192);
	IOMemoryMap *map = nullptr;
	uint64_t address = 0, length = 0;

	CHECK_EQ(memory->CreateMapping(0, 0, 100, 50, 0, &map), kIOReturnSuccess);
	CHECK_EQ(map->GetLength(), 50);
	CHECK_EQ(map->GetOffset(), 100);
	bytes_of(memory)[101] = 7;
	CHECK_EQ(reinterpret_cast<unsigned char *>(map->GetAddress())[1], 7);
	CHECK_EQ(memory->Map(0, 0, 0, 0, &address, &length), kIOReturnSuccess);
	CHECK_EQ(length, 8192);
	CHECK_EQ(reinterpret_cast<unsigned char *>(address)[101], 7);
	CHECK_EQ(memory->CreateMapping(0, 0, 8000, 1000, 0, &map), kIOReturnError);
	CHECK_EQ(memory->CreateMapping(0, 0, 0, 0, 0, nullptr), kIOReturnBadArgument);
	map->release();
	memory->release();
}

TEST(parts_and_sums_of_memory_share_bytes)
{
	IOBufferMemoryDescriptor *memory = buffer(8192);
	IOMemoryDescriptor *part = nullptr, *sum = nullptr, *none = nullptr;
	uint64_t length = 0;

	CHECK_EQ(IOMemoryDescriptor::CreateSubMemoryDescriptor(3, 4096, 4096, memory, &part),
		 kIOReturnSuccess);
	IOMemoryDescriptor *const parts[32] = {part, memory};
	CHECK_EQ(IOMemoryDescriptor::CreateWithMemoryDescriptors(3, 2, parts, &sum),
		 kIOReturnSuccess);
	CHECK_EQ(sum->GetLength(&length), kIOReturnSuccess);
	CHECK_EQ(length, 12288);
	CHECK_EQ(IOMemoryDescriptor::CreateSubMemoryDescriptor(3, 8000, 4096, memory, &none),
		 kIOReturnBadArgument);
	CHECK_EQ(IOMemoryDescriptor::CreateWithMemoryDescriptors(3, 33, parts, &none),
		 kIOReturnOverrun);
	CHECK_EQ(IOMemoryDescriptor::CreateWithMemoryDescriptors(3, 3, parts, &none),
		 kIOReturnBadArgument);
	part->release();
	sum->release();
	memory->release();
}

static IODMACommand *command()
{
	IODMACommandSpecification specification = {};
	IODMACommand *made = nullptr;

	specification.maxAddressBits = 64;
	CHECK_EQ(IODMACommand::Create(nullptr, 0, &specification, &made), kIOReturnSuccess);
	specification.options = 1;
	CHECK_EQ(IODMACommand::Create(nullptr, 0, &specification, &made), kIOReturnBadArgument);
	return made;
}

TEST(dma_prepares_one_segment)
{
	IODMACommand *dma = command();
	IOBufferMemoryDescriptor *memory = buffer(4096);
	IOAddressSegment segments[32] = {};
	IOMemoryDescriptor *prepared = nullptr;
	uint64_t flags = 0, offset = 0, length = 0;
	uint32_t count = 32;

	CHECK_EQ(dma->CompleteDMA(0), kIOReturnNotReady);
	CHECK_EQ(dma->PrepareForDMA(0, nullptr, 0, 0, &flags, &count, segments),
		 kIOReturnBadArgument);
	CHECK_EQ(dma->PrepareForDMA(0, memory, 16, 0, &flags, &count, segments), kIOReturnSuccess);
	CHECK_EQ(count, 1);
	CHECK_EQ(segments[0].length, 4080);
	CHECK_EQ(flags, kIOMemoryDirectionInOut);
	CHECK_EQ(dma->GetPreparation(&offset, &length, &prepared), kIOReturnSuccess);
	CHECK(offset == 16 && length == 4080 && prepared == memory);
	prepared->release();
	CHECK_EQ(dma->CompleteDMA(0), kIOReturnSuccess);
	CHECK_EQ(dma->GetPreparation(&offset, &length, &prepared), kIOReturnNotReady);
	count = 32;
	CHECK_EQ(dma->PrepareForDMA(0, memory, 5000, 0, &flags, &count, segments),
		 kIOReturnBadArgument);
	dma->release();
	memory->release();
}

TEST(dma_copies_between_memories)
{
	IODMACommand *dma = command();
	IOBufferMemoryDescriptor *memory = buffer(4096), *data = buffer(4096);
	IOAddressSegment segments[32] = {};
	uint32_t count = 32;

	memset(bytes_of(data), 'd', 4096);
	CHECK_EQ(dma->PerformOperation(2, 0, 8, 0, data), kIOReturnNotReady);
	CHECK_EQ(dma->PrepareForDMA(0, memory, 0, 64, nullptr, &count, segments), kIOReturnSuccess);
	CHECK_EQ(dma->PerformOperation(2, 8, 16, 0, data), kIOReturnSuccess);
	CHECK_EQ(bytes_of(memory)[7], 0);
	CHECK_EQ(bytes_of(memory)[8], 'd');
	CHECK_EQ(bytes_of(memory)[24], 0);
	CHECK_EQ(dma->PerformOperation(4, 8, 1, 0, nullptr), kIOReturnSuccess);
	CHECK_EQ(bytes_of(memory)[8], 0);
	CHECK_EQ(dma->PerformOperation(1, 8, 2, 100, data), kIOReturnSuccess);
	CHECK_EQ(bytes_of(data)[100], 0);
	CHECK_EQ(bytes_of(data)[101], 'd');
	CHECK_EQ(dma->PerformOperation(1, 60, 16, 0, data), kIOReturnUnderrun);
	CHECK_EQ(dma->PerformOperation(1, 900, 16, 9000, data), kIOReturnUnderrun);
	CHECK_EQ(dma->PerformOperation(1, 0, 65, 0, data), kIOReturnBadArgument);
	CHECK_EQ(dma->PerformOperation(3, 0, 1, 0, data), kIOReturnBadArgument);
	CHECK_EQ(dma->PerformOperation(4, 0, 1, 0, data), kIOReturnBadArgument);
	dma->release();
	memory->release();
	data->release();
}

TEST(shared_pointers_hold_one_reference_each)
{
	OSString *string = OSString::withCString("x");
	OSSharedPtr<OSString> first(string, OSNoRetain);
	OSSharedPtr<OSObject> second = first;
	OSSharedPtr<OSString> third = OSDynamicPtrCast<OSString>(second);

	CHECK(first == string && third.get() == string && second);
	second.reset();
	CHECK(!second && second == nullptr);
	OSSharedPtr<OSString> moved = std::move(first);
	CHECK(!first && moved->isEqualTo("x"));
	CHECK(OSDynamicPtrCast<OSData>(moved) == nullptr);
	OSString *taken = third.detach();
	CHECK(third == nullptr);
	third.reset(taken, OSNoRetain);
	third.reset(taken, OSRetain);
	CHECK((*third).getLength() == 1 && third != moved.get() + 1);
}

TEST(shared_pointers_take_over_out_parameters)
{
	OSSharedPtr<IOBufferMemoryDescriptor> memory;

	for (int i = 0; i < 2; i++) {
		CHECK_EQ(IOBufferMemoryDescriptor::Create(3, 4096, 0, memory.attach()),
			 kIOReturnSuccess);
	}
	CHECK(memory);
	memory = nullptr;
	CHECK(!memory);
}

struct Pair {
	uint32_t first = 5;
	uint32_t second;
};

TEST(iolib_allocates_and_measures)
{
	Pair *pair = IONewZero(Pair, 1);
	char text[4] = "";

	CHECK(pair != nullptr && pair->first == 0);
	IOSafeDeleteNULL(pair, Pair, 1);
	CHECK(pair == nullptr);
	CHECK(IONewZero(Pair, SIZE_MAX) == nullptr);
	uint64_t before = clock_gettime_nsec_np(CLOCK_UPTIME_RAW);
	IOSleep(2);
	CHECK_GE(clock_gettime_nsec_np(CLOCK_UPTIME_RAW) - before, 2000000);
	CHECK_EQ(strlcpy(text, "abcdef", sizeof(text)), 6);
	CHECK_STR_EQ(text, "abc");
	CHECK_EQ(strlcat(text, "x", sizeof(text)), 4);
	CHECK_EQ(OSSwapHostToBigInt16(0x1234), 0x3412);
	uint32_t sum = 0;
	CHECK(os_add_overflow(UINT32_MAX, 1u, &sum));
	int number = 0;
	CHECK(!IOParseBootArgNumber("x", &number, sizeof(number)));
	CHECK(!IOParseBootArgString("x", text, sizeof(text)));
	os_log(OS_LOG_DEFAULT, "values %{public}s %d", text, 3);
	OSReportWithBacktrace("here %d", 1);
}

TEST(locks_lock)
{
	IOLock *lock = IOLockAlloc();
	IORecursiveLock *recursive = IORecursiveLockAlloc();
	IORWLock *rw = IORWLockAlloc();

	IOLockLock(lock);
	IOLockAssert(lock, kIOLockAssertOwned);
	CHECK(!IOLockTryLock(lock));
	IOLockUnlock(lock);
	IORecursiveLockLock(recursive);
	CHECK(IORecursiveLockTryLock(recursive) && IORecursiveLockHaveLock(recursive));
	IORecursiveLockUnlock(recursive);
	IORecursiveLockUnlock(recursive);
	IORWLockRead(rw);
	IORWLockUnlock(rw);
	IORWLockWrite(rw);
	IORWLockUnlock(rw);
	IOLockFreeZero(lock);
	IORecursiveLockFreeZero(recursive);
	IORWLockFreeZero(rw);
	CHECK(lock == nullptr && recursive == nullptr && rw == nullptr);
}
