/* SPDX-License-Identifier: MIT
 *
 * inside_values - collections, the service's own view of itself, and the small library.
 */
#include "inside.h"

static void check_scalars(struct inside *inside)
{
	OSString *text = OSStringCreate("text and more", 4);
	OSNumber *number = OSNumberCreate(0x12345, 16);
	OSData *data = OSDataCreate("abc", 3);
	const char nul_inside[3] = {'a', 0, 'b'};
	char bytes[4] = {0};

	INSIDE(strcmp(OSStringGetStringPtr(text), "text") == 0);
	INSIDE_EQ(OSStringGetLength(text), 4);
	INSIDE(OSStringCreate(nul_inside, sizeof(nul_inside)) == NULL);
	INSIDE_EQ(OSNumberGetUInt64Value(number), 0x2345);
	INSIDE_EQ(OSNumberGetNumberOfBits(number), 16);
	INSIDE(OSNumberCreate(1, 12) == NULL);
	INSIDE(OSDataAppendBytes(data, "def", 3));
	INSIDE_EQ(OSDataGetLength(data), 6);
	INSIDE_EQ(OSDataGetBytes(data, bytes, 4, 4), 2);
	INSIDE(bytes[0] == 'e' && bytes[1] == 'f' && bytes[2] == 0);
	INSIDE(OSDataGetBytesPtr(data, 4, 3) == NULL);
	INSIDE(OSBooleanGetValue(kOSBooleanTrue));
	INSIDE(kOSBooleanTrue == OSBooleanGet(true));
	INSIDE(OSDynamicCast(OSString, text) == text);
	INSIDE(OSDynamicCast(OSString, number) == NULL);
	INSIDE(OSDynamicCast(OSString, NULL) == NULL);
	INSIDE(OSObjectIsKind(inside->target, &IOServiceClass));
	INSIDE(!OSObjectIsKind(inside->target, &IODispatchQueueClass));
	INSIDE_EQ(OSObjectGetRetainCount(text), 1);
	OSRelease(OSRetain(text));
	INSIDE_EQ(OSObjectGetRetainCount(text), 1);
	OSRelease(text);
	OSRelease(number);
	OSRelease(data);
	INSIDE(OSRetain(NULL) == NULL);
	OSRelease(NULL);
}

static bool second_found(void *context, OSObjectPtr object)
{
	unsigned *count = context;

	(void)object;
	return ++*count == 2;
}

static bool key_found(void *context, const char *key, OSObjectPtr object)
{
	(void)object;
	return strcmp(key, context) == 0;
}

static void check_array(struct inside *inside, OSArray *array)
{
	unsigned count = 0;

	INSIDE(OSArraySetUInt64Value(array, kOSArrayAppend, 5));
	INSIDE(OSArraySetStringValue(array, 0, "first"));
	INSIDE(OSArrayAppendValue(array, kOSBooleanTrue));
	INSIDE_EQ(OSArrayGetCount(array), 3);
	INSIDE(strcmp(OSArrayGetStringValue(array, 0), "first") == 0);
	INSIDE_EQ(OSArrayGetUInt64Value(array, 1), 5);
	INSIDE(OSArrayGetValue(array, 3) == NULL);
	INSIDE(!OSArraySetUInt64Value(array, 9, 5));
	INSIDE(OSArrayApply_f(array, &count, second_found));
	INSIDE_EQ(count, 2);
	OSArrayRemoveValue(array, 0);
	INSIDE_EQ(OSArrayGetCount(array), 2);
}

static void check_collections(struct inside *inside)
{
	OSArray *array = OSArrayCreate();
	OSDictionary *dictionary = OSDictionaryCreate();
	OSDictionary *same = OSDictionaryCreate();
	char wanted[] = "number";

	check_scalars(inside);
	check_array(inside, array);
	INSIDE(OSDictionarySetUInt64Value(dictionary, "number", 7));
	INSIDE(OSDictionarySetValue(dictionary, "list", array));
	INSIDE(OSDictionarySetStringValue(dictionary, "text", "one"));
	INSIDE(OSDictionarySetStringValue(dictionary, "text", "two"));
	INSIDE_EQ(OSDictionaryGetCount(dictionary), 3);
	INSIDE(strcmp(OSDictionaryGetStringValue(dictionary, "text"), "two") == 0);
	INSIDE(OSDictionaryGetStringValue(dictionary, "number") == NULL);
	INSIDE_EQ(OSDictionaryGetUInt64Value(dictionary, "missing"), 0);
	INSIDE(OSDictionaryApply_f(dictionary, wanted, key_found));
	INSIDE(OSDictionarySetUInt64Value(same, "number", 7));
	INSIDE(OSDictionarySetStringValue(same, "text", "two"));
	INSIDE(!OSObjectIsEqualTo(dictionary, same));
	INSIDE(OSDictionaryRemoveValue(dictionary, "list"));
	INSIDE(!OSDictionaryRemoveValue(dictionary, "list"));
	INSIDE(OSObjectIsEqualTo(dictionary, same));
	OSRelease(array);
	OSRelease(dictionary);
	OSRelease(same);
}

INSIDE_METHOD(contract_test_collections, check_collections)

/* --- The service ----------------------------------------------------------------------------- */

static void check_names(struct inside *inside, IOService *service)
{
	OSString *text = NULL;
	OSObject *property = NULL;

	INSIDE_EQ(IOServiceCopyName(service, &text), kIOReturnSuccess);
	INSIDE(text != NULL && strcmp(OSStringGetStringPtr(text), CONTRACT_SERVICE) == 0);
	OSSafeReleaseNULL(text);
	INSIDE_EQ(IOServiceSetName(service, ""), kIOReturnBadArgument);
	INSIDE_EQ(IOServiceStringFromReturn(service, kIOReturnNoSpace, &text), kIOReturnSuccess);
	INSIDE(text != NULL && strcmp(OSStringGetStringPtr(text), "kIOReturnNoSpace") == 0);
	OSSafeReleaseNULL(text);
	INSIDE_EQ(IOServiceSearchProperty(service, "NoSuchProperty", kIOServicePlane, 0, &property),
		  kIOReturnNotFound);
	INSIDE_EQ(IOServiceSearchProperty(service, "IOUserClass", kIOServicePlane, 0, &property),
		  kIOReturnSuccess);
	OSSafeReleaseNULL(property);
	INSIDE_EQ(IOServiceSearchProperty(service, "IOUserClass", "IONoSuchPlane",
					  kIOServiceSearchPropertyParents, &property),
		  kIOReturnBadArgument);
}

static void check_service(struct inside *inside)
{
	IOService *service = IOServiceGetProvider((IOService *)inside->target);
	IOService *provider = IOServiceGetProvider(service);
	OSDictionary *properties = NULL;
	OSDictionary *matching;
	uint64_t id = 0;
	uint32_t busy = 99;

	INSIDE(OSObjectIsKind(service, &ContractServiceClass));
	INSIDE_EQ(IOServiceGetRegistryEntryID(service, &id), kIOReturnSuccess);
	INSIDE(id != 0);
	INSIDE_EQ(IOServiceGetRegistryEntryID(service, NULL), kIOReturnBadArgument);
	check_names(inside, service);
	INSIDE_EQ(IOServiceCopyProperties(service, &properties), kIOReturnSuccess);
	INSIDE(OSDictionaryGetStringValue(properties, "ContractExtra") != NULL);
	OSSafeReleaseNULL(properties);
	INSIDE_EQ(IOServiceGetBusyCount(service, &busy), kIOReturnSuccess);
	INSIDE_EQ(busy, 0);
	INSIDE_EQ(IOServiceAdjustBusy(service, -1), kIOReturnBadArgument);
	INSIDE(provider != NULL);
	INSIDE_EQ(IOServiceTerminate(provider, 0), kIOReturnNotPermitted);
	INSIDE_EQ(IOServiceTerminate(service, 1), kIOReturnUnsupported);
	INSIDE_EQ(IOServiceSetName(provider, "x"), kIOReturnUnsupported);
	matching = IOServiceCreateNameMatchingDictionary("some", NULL);
	matching = IOServiceCreateUserClassMatchingDictionary("thing", matching);
	INSIDE(matching != NULL && OSDictionaryGetCount(matching) >= 2);
	INSIDE(OSDictionaryGetStringValue(matching, "IONameMatch") != NULL);
	OSRelease(matching);
	INSIDE(OSObjectGetIvars(inside->target, &ContractServiceClass) == NULL);
}

INSIDE_METHOD(contract_test_service, check_service)

/* --- The small library ----------------------------------------------------------------------- */

static void check_locks(struct inside *inside)
{
	IOLock *lock = IOLockAlloc();
	IORecursiveLock *recursive = IORecursiveLockAlloc();
	IORWLock *rw = IORWLockAlloc();

	IOLockLock(lock);
	IOLockAssert(lock, kIOLockAssertOwned);
	INSIDE(!IOLockTryLock(lock));
	IOLockUnlock(lock);
	IOLockAssert(lock, kIOLockAssertNotOwned);
	IORecursiveLockLock(recursive);
	INSIDE(IORecursiveLockTryLock(recursive));
	INSIDE(IORecursiveLockHaveLock(recursive));
	IORecursiveLockUnlock(recursive);
	IORecursiveLockUnlock(recursive);
	INSIDE(!IORecursiveLockHaveLock(recursive));
	IORWLockRead(rw);
	IORWLockUnlock(rw);
	IORWLockWrite(rw);
	IORWLockUnlock(rw);
	IOLockFreeZero(lock);
	IORecursiveLockFreeZero(recursive);
	IORWLockFreeZero(rw);
	INSIDE(lock == NULL && recursive == NULL && rw == NULL);
}

static void check_library(struct inside *inside)
{
	uint64_t *words = IONewZero(uint64_t, 100);
	uint64_t before = mach_absolute_time();

	INSIDE(words != NULL && words[99] == 0);
	IOSafeDeleteNULL(words, uint64_t, 100);
	INSIDE(words == NULL);
	INSIDE(IOMalloc(0) == NULL);
	INSIDE(IONew(uint64_t, SIZE_MAX) == NULL);
	check_locks(inside);
	IOSleep(2);
	IODelay(10);
	INSIDE(mach_absolute_time() - before >= 2010000);
	INSIDE_EQ(crc32(0, "123456789", 9), 0xcbf43926);
	INSIDE_EQ(IOFixedMultiply(3 << 16, 1 << 15), 3 << 15);
	INSIDE_EQ(IOFixedDivide(3 << 16, 2 << 16), 3 << 15);
	INSIDE_EQ(IOVMPageSize, CONTRACT_PAGE);
	OSSynchronizeIO();
	os_log(OS_LOG_DEFAULT, "a line with %{public}s and %d", "text", 5);
	INSIDE_EQ(IOLog("%s\n", "four"), 4);
}

INSIDE_METHOD(contract_test_library, check_library)
