/* SPDX-License-Identifier: MIT
 *
 * helpers_test - what has no class or is a base of others: byte order, overflow, locks, error parts,
 * logs, clocks, metaclasses, serializations.
 */
#include "harness.h"

#include <cstdarg>
#include <cstdio>
#include <mach/error.h>
#include <os/overflow.h>

TEST(little_endian_numbers_change_only_on_big_endian_machines)
{
	CHECK_EQ(OSSwapHostToLittleInt16(0x1234), 0x1234);
	CHECK_EQ(OSSwapHostToLittleInt32(0x12345678), 0x12345678);
	CHECK_EQ(OSSwapHostToLittleInt64(0x123456789abcdef0ull), 0x123456789abcdef0ull);
	CHECK_EQ(OSSwapLittleToHostInt16(0x1234), 0x1234);
	CHECK_EQ(OSSwapLittleToHostInt32(0x12345678), 0x12345678);
	CHECK_EQ(OSSwapLittleToHostInt64(0x123456789abcdef0ull), 0x123456789abcdef0ull);
}

TEST(big_endian_numbers_are_turned_round)
{
	CHECK_EQ(OSSwapHostToBigInt16(0x1234), 0x3412);
	CHECK_EQ(OSSwapHostToBigInt32(0x12345678), 0x78563412);
	CHECK_EQ(OSSwapHostToBigInt64(0x123456789abcdef0ull), 0xf0debc9a78563412ull);
	CHECK_EQ(OSSwapBigToHostInt16(0x1234), 0x3412);
	CHECK_EQ(OSSwapBigToHostInt32(0x12345678), 0x78563412);
	CHECK_EQ(OSSwapBigToHostInt64(0x123456789abcdef0ull), 0xf0debc9a78563412ull);
}

TEST(overflow_is_told_with_the_low_part_of_the_result)
{
	uint32_t result = 0;

	CHECK(!os_mul_overflow(65536u, 65535u, &result));
	CHECK_EQ(result, 0xffff0000u);
	CHECK(os_mul_overflow(65536u, 65537u, &result));
	CHECK_EQ(result, 65536);
	CHECK(os_add_overflow(0xffffffffu, 1u, &result));
	CHECK(os_add3_overflow(0xfffffff0u, 0x0fu, 1u, &result));
	CHECK(!os_mul_and_add_overflow(10u, 10u, 5u, &result));
	CHECK_EQ(result, 105);
}

TEST(error_codes_have_three_parts)
{
	CHECK_EQ(static_cast<uint32_t>(sys_iokit), 0xe0000000u);
	CHECK_EQ(sub_iokit_common, 0);
	CHECK_EQ(sub_iokit_usb, 0x4000);
	CHECK_EQ(static_cast<uint32_t>(system_emask), 0xfc000000u);
	CHECK_EQ(static_cast<uint32_t>(sub_emask), 0x03ffc000u);
	CHECK_EQ(kIOReturnBadArgument & static_cast<int>(system_emask), static_cast<int>(sys_iokit));
	CHECK_EQ(kIOReturnBadArgument & static_cast<int>(sub_emask), sub_iokit_common);
}

TEST(names_have_room_for_their_text)
{
	CHECK_EQ(sizeof(IODispatchQueueName), 256);
	CHECK_EQ(sizeof(IOServiceName), 128);
	CHECK_EQ(sizeof(IOPropertyName), 128);
	CHECK_EQ(NSEC_PER_SEC, 1000000000);
}

TEST(locks_are_made_and_given_back)
{
	IORWLock *shared = IORWLockAlloc();
	IORecursiveLock *recursive = IORecursiveLockAlloc();

	CHECK(shared != nullptr && recursive != nullptr);
	IORWLockRead(shared);
	IORWLockRead(shared);
	IORWLockUnlock(shared);
	IORWLockUnlock(shared);
	IORWLockWrite(shared);
	IORWLockUnlock(shared);
	IORecursiveLockLock(recursive);
	CHECK(IORecursiveLockTryLock(recursive));
	CHECK(IORecursiveLockHaveLock(recursive));
	IORecursiveLockUnlock(recursive);
	CHECK(IORecursiveLockHaveLock(recursive));
	IORecursiveLockUnlock(recursive);
	CHECK(!IORecursiveLockHaveLock(recursive));
	IORWLockFree(shared); /* what they held is counted when the test ends */
	IORecursiveLockFree(recursive);
}

static int log_list(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	int length = IOLogv(format, arguments);
	va_end(arguments);
	return length;
}

TEST(logs_take_lists_and_types)
{
	CHECK_GT(log_list("list %d %s", 1, "two"), 0);
	os_log_with_type(OS_LOG_DEFAULT, OS_LOG_TYPE_ERROR, "type %{public}s", "text");
	os_log_with_type(OS_LOG_DEFAULT, OS_LOG_TYPE_DEBUG, "type %d", 2);
	CHECK_EQ(OS_LOG_TYPE_DEFAULT, 0);
	CHECK_EQ(OS_LOG_TYPE_ERROR, 0x10);
}

TEST(continuous_time_goes_on_and_is_never_behind)
{
	uint64_t first = mach_continuous_time();
	uint64_t awake = mach_absolute_time();

	CHECK_GE(mach_continuous_time(), first);
	CHECK_GE(mach_continuous_time(), awake); /* it counts what the other one leaves out */
}

/* ---- metaclasses ---- */

TEST(metaclass_tells_name_and_descent)
{
	OSString *text = OSString::withCString("text");
	const OSMetaClassBase *base = text;
	const OSMetaClass *meta = base->getMetaClass();

	CHECK(meta == gOSStringMetaClass);
	CHECK_STR_EQ(meta->getClassName(), "OSString");
	CHECK(meta->IsSubclassOf(gOSContainerMetaClass));
	CHECK(meta->IsSubclassOf(gOSObjectMetaClass));
	CHECK(!meta->IsSubclassOf(gOSDataMetaClass));
	CHECK(OSMetaClassBase::safeMetaCast(base, gOSObjectMetaClass) == base);
	CHECK(OSMetaClassBase::safeMetaCast(base, gOSDataMetaClass) == nullptr);
	text->release();
}

TEST(message_that_nobody_takes_is_unsupported)
{
	OSString *text = OSString::withCString("text");
	OSMetaClassBase *base = text;

	CHECK_EQ(base->Invoke({12345, nullptr}), kIOReturnUnsupported);
	CHECK_EQ(base->Dispatch({12345, nullptr}), kIOReturnUnsupported);
	text->release();
}

TEST(process_of_a_driver_is_a_service_that_nobody_makes)
{
	CHECK(gIOUserServerMetaClass->IsSubclassOf(gIOServiceMetaClass));
	CHECK_STR_EQ(gIOUserServerMetaClass->getClassName(), "IOUserServer");
	CHECK(OSTypeAlloc(IOUserServer) == nullptr);
	CHECK(OSDynamicCast(IOUserServer, static_cast<OSObject *>(nullptr)) == nullptr);
}

TEST(sources_are_all_of_one_class)
{
	CHECK(gIOTimerDispatchSourceMetaClass->IsSubclassOf(OSTypeID(IODispatchSource)));
	CHECK(gIODataQueueDispatchSourceMetaClass->IsSubclassOf(OSTypeID(IODispatchSource)));
	CHECK(gIOInterruptDispatchSourceMetaClass->IsSubclassOf(OSTypeID(IODispatchSource)));
	CHECK(gIOServiceNotificationDispatchSourceMetaClass->IsSubclassOf(OSTypeID(IODispatchSource)));
	CHECK(gIOServiceStateNotificationDispatchSourceMetaClass->IsSubclassOf(
		OSTypeID(IODispatchSource)));
	CHECK(OSTypeAlloc(IOTimerDispatchSource) == nullptr);
}

/* A data queue through its base: the calls arrive at the class. */
TEST(source_is_used_through_its_base)
{
	IODispatchQueue *queue = nullptr;
	IODataQueueDispatchSource *made = nullptr;
	__block _Atomic bool enabled = false, cancelled = false;

	CHECK_EQ(IODispatchQueue::Create("test", 0, 0, &queue), kIOReturnSuccess);
	CHECK_EQ(IODataQueueDispatchSource::Create(64, queue, &made), kIOReturnSuccess);
	IODispatchSource *source = made;
	CHECK_EQ(source->CheckForWork(true), kIOReturnUnsupported);
	CHECK_EQ(source->SetEnableWithCompletion(false, ^{
	  enabled = true;
	}),
		 kIOReturnSuccess);
	CHECK_EQ(source->SetEnable(true), kIOReturnSuccess);
	CHECK_EQ(source->Cancel(^{
	  cancelled = true;
	}),
		 kIOReturnSuccess);
	queue->DispatchSync(^{
	});
	CHECK(enabled && cancelled);
	source->release();
	queue->release();
}

/* ---- serializations ---- */

TEST(serialization_is_bytes_of_a_value_and_back)
{
	OSString *text = OSString::withCString("text");
	OSDictionary *value = OSDictionary::withCapacity(1);
	size_t length = 0;
	__block size_t nr_freed = 0;

	CHECK(value->setObject("Key", text));
	OSSerialization *written = OSSerialization::createFromObject(value);
	CHECK(written != nullptr);
	const void *bytes = written->finalizeBuffer(&length);
	CHECK(bytes != nullptr && length > 0);
	OSSerialization *again =
		OSSerialization::createFromBytes(bytes, length, ^(const void *given, size_t size) {
		  CHECK(given == bytes);
		  nr_freed += size;
		});
	CHECK_EQ(nr_freed, length); /* it has its own copy */
	OSContainer *copy = again->copyObject();
	CHECK(OSDynamicCast(OSDictionary, copy) != nullptr);
	CHECK(value->isEqualTo(OSDynamicCast(OSDictionary, copy)));
	OSSafeReleaseNULL(copy);
	OSSafeReleaseNULL(again);
	OSSerialization *broken = OSSerialization::createFromBytes("nothing", 7, nullptr);
	CHECK(broken->copyObject() == nullptr);
	CHECK(OSSerialization::createFromObject(gOSStringMetaClass == nullptr ? text : nullptr) ==
	      nullptr);
	broken->release();
	written->release();
	value->release();
	text->release();
}

TEST(serialization_of_an_object_that_is_no_value_is_refused)
{
	IODispatchQueue *queue = nullptr;

	CHECK_EQ(IODispatchQueue::Create("test", 0, 0, &queue), kIOReturnSuccess);
	CHECK(OSSerialization::createFromObject(queue) == nullptr);
	queue->release();
}

/* ---- collections and queues ---- */

TEST(dictionary_is_made_of_keys_and_values)
{
	OSSymbol *first = OSString::withCString("first"), *second = OSString::withCString("second");
	const OSObject *values[] = {second, first};
	const OSString *keys[] = {first, second};
	OSDictionary *dictionary = OSDictionary::withObjects(values, keys, 2);

	CHECK_EQ(dictionary->getCount(), 2);
	CHECK(dictionary->getObject("first") == second);
	CHECK(dictionary->getObject(second) == first);
	CHECK(OSDictionary::withObjects(values, keys, 2, 1) == nullptr);
	CHECK(OSDictionary::withObjects(nullptr, keys, 2) == nullptr);
	CHECK(OSArray::withObjects(nullptr, 2) == nullptr);
	CHECK(OSSet::withObjects(nullptr, 2) == nullptr);
	dictionary->release();
	first->release();
	second->release();
}

TEST(collection_is_used_through_its_base)
{
	OSArray *array = OSArray::withCapacity(2);
	OSString *text = OSString::withCString("text");
	OSCollection *collection = array;
	__block unsigned nr_seen = 0;

	CHECK(OSArraySetValue(array, kOSArrayAppend, text));
	CHECK(array->setObject(text));
	CHECK_GE(collection->getCapacity(), 2);
	CHECK(collection->iterateObjects(^bool(OSObject *object) {
	  CHECK(object == text);
	  nr_seen++;
	  return true;
	}));
	CHECK_EQ(nr_seen, 2);
	CHECK(!collection->iterateObjects(^bool(OSObject *) {
	  nr_seen++;
	  return false;
	}));
	CHECK_EQ(nr_seen, 3);
	CHECK(OSArraySetValue(array, 0, text));
	CHECK_EQ(array->getCount(), 3); /* put in before the first */
	text->release();
	array->release();
}

static char logged[64];

static int keep_log(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	int length = vsnprintf(logged, sizeof(logged), format, arguments);
	va_end(arguments);
	return length;
}

TEST(queue_log_goes_to_the_function_that_is_given)
{
	IODispatchQueue::Log("hello", keep_log);
	CHECK(strncmp(logged, "hello", 5) == 0);
	IODispatchQueue::Log("nowhere", nullptr);
}
