/* SPDX-License-Identifier: MIT
 *
 * object_test - casts, references, collections, log formats: what needs no runtime.
 */
#include <opendext/driver.h>

#include <fcntl.h>
#include <unistd.h>

#include "driver/class.h"
#include "test.h"

TEST(cast_gives_object_of_its_class_and_null_otherwise)
{
	OSString *string = OSStringCreate("text", (size_t)-1);

	CHECK(OSDynamicCast(OSString, string) == string);
	CHECK(OSDynamicCast(OSObject, string) == (OSObject *)string);
	CHECK(OSDynamicCast(OSData, string) == NULL);
	CHECK(OSDynamicCast(IOService, string) == NULL);
	CHECK(OSDynamicCast(OSString, NULL) == NULL);
	CHECK_STR_EQ(OSObjectGetClassName(string), "OSString");
	CHECK_STR_EQ(OSObjectGetClassName(NULL), "");
	CHECK(OSObjectGetIvars(string, &OSStringClass) == NULL);
	OSRelease(string);
}

TEST(references_are_counted_and_released_to_null)
{
	OSData *data = OSDataCreate("abc", 3);

	CHECK_EQ(OSObjectGetRetainCount(data), 1);
	CHECK(OSRetain(data) == data);
	CHECK_EQ(OSObjectGetRetainCount(data), 2);
	OSRelease(data);
	OSSafeReleaseNULL(data);
	CHECK(data == NULL);
	OSRelease(NULL);
	CHECK(OSRetain(NULL) == NULL);
	CHECK_EQ(OSObjectGetRetainCount(NULL), 0);
}

TEST(data_gives_only_what_is_inside)
{
	OSData *data = OSDataCreate("abcdef", 6);
	char bytes[8] = "";

	CHECK_MEM_EQ(OSDataGetBytesPtr(data, 2, 4), "cdef", 4);
	CHECK(OSDataGetBytesPtr(data, 2, 5) == NULL);
	CHECK_EQ(OSDataGetBytes(data, bytes, 4, 8), 2);
	CHECK_EQ(OSDataGetBytes(data, bytes, 6, 1), 0);
	CHECK(OSDataAppendBytes(data, "gh", 2));
	CHECK(!OSDataAppendBytes(data, NULL, 2));
	CHECK(!OSDataAppendBytes(NULL, "gh", 2));
	CHECK_EQ(OSDataGetLength(data), 8);
	CHECK_EQ(OSDataGetLength(NULL), 0);
	OSRelease(data);
}

TEST(numbers_have_width_and_value)
{
	OSNumber *number = OSNumberCreate(0x1ff, 8);

	CHECK_EQ(OSNumberGetNumberOfBits(number), 8);
	OSRelease(number);
	CHECK(OSNumberCreate(1, 7) == NULL);
	number = OSNumberCreateWithUInt64Value(7);
	CHECK_EQ(OSNumberGetUInt64Value(number), 7);
	CHECK_EQ(OSNumberGetUInt64Value((OSNumber *)kOSBooleanTrue), 0);
	OSRelease(number);
	CHECK(OSBooleanGetValue(kOSBooleanTrue));
	CHECK(!OSBooleanGetValue(kOSBooleanFalse));
	CHECK(!OSBooleanGetValue(NULL));
}

static bool count_until_two(void *context, OSObjectPtr object)
{
	unsigned *count = context;

	(void)object;
	return ++*count == 2;
}

TEST(array_inserts_replaces_and_refuses_beyond_its_end)
{
	OSArray *array = OSArrayCreate();
	unsigned count = 0;

	CHECK(OSArraySetStringValue(array, kOSArrayAppend, "b"));
	CHECK(OSArraySetStringValue(array, 0, "a"));
	CHECK(OSArraySetUInt64Value(array, 2, 3));
	CHECK(!OSArraySetStringValue(array, 9, "x"));
	CHECK(!OSArrayReplaceValue(array, 9, kOSBooleanTrue));
	CHECK_STR_EQ(OSArrayGetStringValue(array, 0), "a");
	CHECK_EQ(OSArrayGetUInt64Value(array, 2), 3);
	CHECK_EQ(OSArrayGetUInt64Value(array, 0), 0);
	CHECK(OSArrayGetStringValue(array, 2) == NULL);
	CHECK(OSArrayApply_f(array, &count, count_until_two));
	CHECK_EQ(count, 2);
	OSArrayRemoveValue(array, 1);
	OSArrayRemoveValue(array, 7);
	CHECK_EQ(OSArrayGetCount(array), 2);
	CHECK(OSArrayReplaceValue(array, 0, kOSBooleanTrue));
	OSRelease(array);
	CHECK_EQ(OSArrayGetCount(NULL), 0);
}

static bool find_key(void *context, const char *key, OSObjectPtr object)
{
	(void)object;
	return strcmp(key, context) == 0;
}

TEST(dictionary_sets_gets_and_walks)
{
	OSDictionary *dictionary = OSDictionaryCreate();

	CHECK(OSDictionarySetStringValue(dictionary, "name", "x"));
	CHECK(OSDictionarySetUInt64Value(dictionary, "number", 9));
	CHECK(!OSDictionarySetValue(dictionary, "null", NULL));
	CHECK(!OSDictionarySetValue(NULL, "null", kOSBooleanTrue));
	CHECK_STR_EQ(OSDictionaryGetStringValue(dictionary, "name"), "x");
	CHECK_EQ(OSDictionaryGetUInt64Value(dictionary, "number"), 9);
	CHECK_EQ(OSDictionaryGetUInt64Value(dictionary, "none"), 0);
	CHECK(OSDictionaryApply_f(dictionary, (void *)(uintptr_t)"number", find_key));
	CHECK(!OSDictionaryApply_f(dictionary, (void *)(uintptr_t)"none", find_key));
	CHECK(OSDictionaryRemoveValue(dictionary, "name"));
	CHECK(!OSDictionaryRemoveValue(dictionary, "name"));
	CHECK_EQ(OSDictionaryGetCount(dictionary), 1);
	OSRelease(dictionary);
}

TEST(equality_is_by_value)
{
	OSNumber *a = OSNumberCreate(3, 8);
	OSNumber *b = OSNumberCreate(3, 64);

	CHECK(OSObjectIsEqualTo(a, b));
	CHECK(!OSObjectIsEqualTo(a, NULL));
	OSRelease(a);
	OSRelease(b);
}

TEST(matching_dictionaries_are_added_to)
{
	OSDictionary *matching = IOServiceCreateKernelClassMatchingDictionary("IOUserResources", NULL);

	CHECK(IOServiceCreateUserClassMatchingDictionary("Stream", matching) == matching);
	CHECK(IOServiceCreateNameMatchingDictionary("stream", matching) == matching);
	CHECK(IOServiceCreatePropertyMatchingDictionary("key", kOSBooleanTrue, matching) == matching);
	CHECK_STR_EQ(OSDictionaryGetStringValue(matching, "IOProviderClass"), "IOUserResources");
	CHECK_STR_EQ(OSDictionaryGetStringValue(matching, "IONameMatch"), "stream");
	OSDictionary *wanted =
		OSDynamicCast(OSDictionary, OSDictionaryGetValue(matching, "IOPropertyMatch"));
	CHECK_EQ(OSDictionaryGetCount(wanted), 2);
	CHECK_STR_EQ(OSDictionaryGetStringValue(wanted, "IOUserClass"), "Stream");
	OSRelease(matching);
	CHECK(IOServiceCreateNameMatchingDictionary(NULL, NULL) == NULL);
	CHECK(IOServiceCreateUserClassMatchingDictionary(NULL, NULL) == NULL);
	CHECK(IOServiceCreatePropertyMatchingDictionary("k", NULL, NULL) == NULL);
	CHECK(IOServiceCreateKernelClassMatchingDictionary(NULL, NULL) == NULL);
}

TEST(class_tables_are_checked)
{
	static const OSDriverClass good = {.name = "Good", .super = &IOServiceClass};
	static const OSDriverClass nameless = {.super = &IOServiceClass};
	static const OSDriverClass rootless = {.name = "Rootless"};
	static const OSDriverClass wrong = {.name = "Wrong", .super = &OSDataClass};
	static const OSDriverClass huge = {
		.name = "Huge", .super = &IOServiceClass, .ivars_size = 1u << 25};
	static const OSDriverClass *const list[] = {&good, NULL};

	CHECK(dx_class_check(&good) == NULL);
	CHECK(dx_class_check(&nameless) != NULL);
	CHECK(dx_class_check(&rootless) != NULL);
	CHECK(dx_class_check(&wrong) != NULL);
	CHECK(dx_class_check(&huge) != NULL);
	CHECK(dx_class_find(list, "Good") == &good);
	CHECK(dx_class_find(list, "Bad") == NULL);
	CHECK(dx_class_find(NULL, "Bad") == NULL);
}

/* Standard error into a pipe; gives what was written. */
static const char *captured(void (*write_it)(void))
{
	static char text[2048];
	int ends[2];
	int saved = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 10);

	CHECK_EQ(pipe(ends), 0);
	CHECK_EQ(dup2(ends[1], STDERR_FILENO), STDERR_FILENO);
	(void)close(ends[1]);
	write_it();
	CHECK_EQ(dup2(saved, STDERR_FILENO), STDERR_FILENO);
	(void)close(saved);
	ssize_t count = read(ends[0], text, sizeof(text) - 1);
	(void)close(ends[0]);
	text[count < 0 ? 0 : count] = '\0';
	return text;
}

static void log_with_modifiers(void)
{
	os_log(OS_LOG_DEFAULT, "a %{public}s %{private}d %% %{public}x\n", "b", 3, 255u);
}

static void log_buffer(void)
{
	IOLogBuffer("title", "\x01\xff", 2);
}

static void log_plain(void)
{
	(void)IOLog("plain %d", 5);
}

TEST(log_lines_lose_their_modifiers_and_end_once)
{
	CHECK_STR_EQ(captured(log_with_modifiers), "driver: a b 3 % ff\n");
	CHECK_STR_EQ(captured(log_buffer), "driver: title 0000: 01 ff\n");
	CHECK_STR_EQ(captured(log_plain), "driver: plain 5\n");
}

TEST(memory_helpers_check_sizes)
{
	uint32_t *words = IONewZero(uint32_t, 4);

	CHECK_EQ(words[3], 0);
	IOSafeDeleteNULL(words, uint32_t, 4);
	CHECK(words == NULL);
	CHECK(IONew(uint64_t, SIZE_MAX) == NULL);
	CHECK(IOMalloc(0) == NULL);
	CHECK_EQ(IOVMPageSize, (uint64_t)sysconf(_SC_PAGESIZE));
	IOFree(NULL, 0);
}

TEST(locks_know_their_owner)
{
	IOLock *lock = IOLockAlloc();
	IORecursiveLock *recursive = IORecursiveLockAlloc();
	IORWLock *shared = IORWLockAlloc();

	IOLockLock(lock);
	IOLockAssert(lock, kIOLockAssertOwned);
	CHECK(!IOLockTryLock(lock));
	IOLockUnlock(lock);
	IOLockAssert(lock, kIOLockAssertNotOwned);
	IORecursiveLockLock(recursive);
	IORecursiveLockLock(recursive);
	CHECK(IORecursiveLockTryLock(recursive));
	IORecursiveLockUnlock(recursive);
	IORecursiveLockUnlock(recursive);
	CHECK(IORecursiveLockHaveLock(recursive));
	IORecursiveLockUnlock(recursive);
	CHECK(!IORecursiveLockHaveLock(recursive));
	IORWLockRead(shared);
	IORWLockRead(shared);
	IORWLockUnlock(shared);
	IORWLockUnlock(shared);
	IORWLockWrite(shared);
	IORWLockUnlock(shared);
	IOLockFreeZero(lock);
	IORecursiveLockFreeZero(recursive);
	IORWLockFreeZero(shared);
	CHECK(lock == NULL && recursive == NULL && shared == NULL);
}

TEST(small_helpers_calculate)
{
	CHECK_EQ(crc32(0, "123456789", 9), 0xcbf43926u);
	CHECK_EQ(IOFixedMultiply(0x18000, 0x20000), 0x30000);
	CHECK_EQ(IOFixedDivide(0x30000, 0x20000), 0x18000);
	CHECK_EQ(IOFixedDivide(1, 0), INT32_MAX);
	CHECK_EQ(IOFixedDivide(-1, 0), INT32_MIN);
	OSSynchronizeIO();
	uint64_t before = mach_absolute_time();
	IODelay(100);
	IOSleep(1);
	CHECK_GE(mach_absolute_time() - before, 1100000);
}
