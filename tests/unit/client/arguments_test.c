/* SPDX-License-Identifier: MIT
 *
 * arguments_test - public functions without a broker, with wrong handles and impossible arguments.
 */
#include <stdlib.h>
#include <sys/mman.h>

#include <CoreFoundation/CoreFoundation.h>
#include <IOKit/IOKitLib.h>
#include <IOKit/IOMessage.h>
#include <mach/mach_error.h>
#include <mach/mach_time.h>
#include <opendext/client.h>

#include "client/names.h"
#include "test.h"

static void no_broker(void)
{
	CHECK_EQ(setenv("OPENDEXT_SOCKET", "/nonexistent/broker", 1), 0);
}

static io_service_t made_up_service(void)
{
	uint32_t name = 0;

	CHECK_EQ(dx_names_add_entry(4711, &name), 0);
	return name;
}

TEST(codes_have_their_numbers)
{
	CHECK_EQ((uint32_t)kIOReturnBadArgument, 0xe00002c2u);
	CHECK_EQ((uint32_t)kIOReturnNotFound, 0xe00002f0u);
	CHECK_EQ((uint32_t)kIOReturnInvalid, 0xe0000001u);
	CHECK_EQ(kIOMessageServiceIsTerminated, 0xe0000010u);
	CHECK_EQ(err_get_system(kIOReturnError), 0x38);
	CHECK_EQ(err_get_sub(iokit_vendor_specific_err(5)), 0xffe);
	CHECK_EQ(err_get_code(iokit_vendor_specific_err(5)), 5);
	CHECK_STR_EQ(mach_error_string(kIOReturnOffline), "kIOReturnOffline");
	CHECK_STR_EQ(mach_error_string(MACH_SEND_INVALID_DEST), "MACH_SEND_INVALID_DEST");
	CHECK_STR_EQ(mach_error_string(4711), "unknown error code");
}

TEST(clock_is_in_nanoseconds)
{
	struct mach_timebase_info info = {0};
	uint64_t before = mach_absolute_time();

	CHECK_EQ(mach_timebase_info(&info), KERN_SUCCESS);
	CHECK_EQ(info.numer, 1);
	CHECK_EQ(info.denom, 1);
	CHECK_EQ(mach_timebase_info(NULL), KERN_INVALID_ARGUMENT);
	CHECK_GE(mach_absolute_time(), before);
}

TEST(memory_is_freed_only_where_it_can_be)
{
	void *memory = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	CHECK_NE(memory, MAP_FAILED);
	CHECK_EQ(vm_deallocate(0, (vm_address_t)memory, 4096), KERN_INVALID_TASK);
	CHECK_EQ(vm_deallocate(mach_task_self(), (vm_address_t)memory + 1, 10),
		 KERN_INVALID_ARGUMENT);
	CHECK_EQ(vm_deallocate(mach_task_self(), 0, 10), KERN_INVALID_ARGUMENT);
	CHECK_EQ(vm_deallocate(mach_task_self(), 0, 0), KERN_SUCCESS);
	CHECK_EQ(vm_deallocate(mach_task_self(), (vm_address_t)memory, 10), KERN_SUCCESS);
	CHECK_EQ(mach_port_deallocate(0, 1), KERN_INVALID_TASK);
	CHECK_EQ(mach_port_deallocate(mach_task_self(), 0), KERN_INVALID_NAME);
	CHECK_EQ(mach_port_deallocate(mach_task_self(), 0x123400), KERN_INVALID_NAME);
}

TEST(without_broker_nothing_is_found)
{
	io_iterator_t iterator = 77;
	uint32_t busy = 0;
	mach_timespec_t second = {1, 0};

	no_broker();
	CHECK_EQ(IOServiceGetMatchingService(kIOMainPortDefault, IOServiceMatching("IOService")), 0);
	CHECK_EQ(IOServiceGetMatchingServices(kIOMainPortDefault, IOServiceMatching("IOService"),
					      &iterator),
		 kIOReturnNotReady);
	CHECK_EQ(iterator, 0);
	CHECK_EQ(IORegistryGetRootEntry(kIOMainPortDefault), 0);
	CHECK_EQ(IORegistryEntryFromPath(kIOMainPortDefault, "IOService:/"), 0);
	CHECK_EQ(IORegistryCreateIterator(kIOMainPortDefault, kIOServicePlane, 0, &iterator),
		 kIOReturnNotReady);
	CHECK_EQ(IOKitGetBusyState(kIOMainPortDefault, &busy), kIOReturnNotReady);
	CHECK_EQ(IOKitWaitQuiet(kIOMainPortDefault, &second), kIOReturnNotReady);
}

TEST(matching_arguments)
{
	io_iterator_t iterator = 0;
	mach_port_t port = 0;

	no_broker();
	CHECK_EQ(IOMainPort(MACH_PORT_NULL, NULL), kIOReturnBadArgument);
	CHECK_EQ(IOMainPort(MACH_PORT_NULL, &port), kIOReturnSuccess);
	CHECK_EQ(IOServiceGetMatchingService(port, NULL), 0);
	CHECK_EQ(IOServiceGetMatchingServices(port, NULL, &iterator), kIOReturnBadArgument);
	CHECK_EQ(IOServiceGetMatchingServices(4711, IOServiceMatching("x"), &iterator),
		 kIOReturnNotPrivileged);
	CHECK_EQ(IOServiceGetMatchingServices(port, IOServiceMatching("x"), NULL),
		 kIOReturnBadArgument);
	CFMutableDictionaryRef dictionary = CFDictionaryCreateMutable(NULL, 0, NULL, NULL);
	CHECK_EQ(IOServiceGetMatchingServices(port, dictionary, &iterator), kIOReturnUnsupported);
	CHECK(IOServiceMatching(NULL) == NULL);
	CHECK(IOServiceNameMatching(NULL) == NULL);
	CHECK(IOBSDNameMatching(port, 0, NULL) == NULL);
	CFMutableDictionaryRef number = IORegistryEntryIDMatching(5);
	CHECK_EQ(CFDictionaryGetCount(number), 1);
	CFRelease(number);
	CFMutableDictionaryRef path = IOOpenFirmwarePathMatching(port, 0, "/x");
	CHECK(CFEqual(CFDictionaryGetValue(path, CFSTR(kIOPathMatchKey)), CFSTR("IODeviceTree:/x")));
	CFRelease(path);
}

TEST(notification_arguments)
{
	IONotificationPortRef port = IONotificationPortCreate(kIOMainPortDefault);
	io_iterator_t iterator = 0;

	no_broker();
	CHECK(port != NULL);
	CHECK(IONotificationPortCreate(4711) == NULL);
	CHECK_EQ(IOServiceAddMatchingNotification(port, kIOFirstMatchNotification, NULL, NULL, NULL,
						  &iterator),
		 kIOReturnBadArgument);
	CHECK_EQ(IOServiceAddMatchingNotification(NULL, kIOFirstMatchNotification,
						  IOServiceMatching("x"), NULL, NULL, &iterator),
		 kIOReturnBadArgument);
	CHECK_EQ(IOServiceAddMatchingNotification(port, kIOFirstMatchNotification,
						  IOServiceMatching("x"), NULL, NULL, &iterator),
		 kIOReturnNotReady);
	CHECK_EQ(IOServiceAddMatchingNotification(port, "", IOServiceMatching("x"), NULL, NULL,
						  &iterator),
		 kIOReturnUnsupported);
	CHECK_EQ(IOServiceAddInterestNotification(port, 0, kIOGeneralInterest, NULL, NULL, &iterator),
		 kIOReturnBadArgument);
	CHECK_EQ(IOServiceAddInterestNotification(port, 0x123400, kIOGeneralInterest, NULL, NULL,
						  &iterator),
		 MACH_SEND_INVALID_DEST);
	CHECK_EQ(iterator, 0);
	IONotificationPortDestroy(port);
	IONotificationPortDestroy(NULL);
}

TEST(service_arguments)
{
	io_service_t service = made_up_service();
	io_connect_t connect = 77;
	uint32_t busy = 0;
	uint64_t id = 77;

	no_broker();
	CHECK_EQ(IOServiceOpen(service, mach_task_self(), 0, NULL), kIOReturnBadArgument);
	CHECK_EQ(IOServiceOpen(service, 0, 0, &connect), kIOReturnBadArgument);
	CHECK_EQ(IOServiceOpen(0, mach_task_self(), 0, &connect), kIOReturnBadArgument);
	CHECK_EQ(IOServiceOpen(0x123400, mach_task_self(), 0, &connect), MACH_SEND_INVALID_DEST);
	CHECK_EQ(IOServiceOpen(service, mach_task_self(), 0, &connect), kIOReturnNotReady);
	CHECK_EQ(connect, 0);
	CHECK_EQ(IOServiceRequestProbe(service, 0), kIOReturnUnsupported);
	CHECK_EQ(IOServiceAuthorize(service, kIOServiceInteractionAllowed), kIOReturnSuccess);
	CHECK_EQ(IOServiceGetBusyState(service, NULL), kIOReturnBadArgument);
	CHECK_EQ(IOServiceGetBusyState(service, &busy), kIOReturnNotReady);
	CHECK_EQ(IORegistryEntryGetRegistryEntryID(service, &id), kIOReturnSuccess);
	CHECK_EQ(id, 4711);
	CHECK_EQ(IORegistryEntryGetRegistryEntryID(0x123400, &id), MACH_SEND_INVALID_DEST);
	CHECK_EQ(id, 0);
	CHECK(IORegistryEntryInPlane(service, kIOServicePlane));
	CHECK(!IORegistryEntryInPlane(service, kIOUSBPlane));
	CHECK_EQ(IORegistryEntrySetCFProperties(service, CFSTR("x")), kIOReturnUnsupported);
	CHECK_EQ(IOObjectRelease(service), kIOReturnSuccess);
	CHECK_EQ(IOObjectRelease(service), MACH_SEND_INVALID_DEST);
	CHECK_EQ(IOObjectRetain(service), MACH_SEND_INVALID_DEST);
	CHECK_EQ(IOObjectRelease(0), kIOReturnSuccess);
	CHECK_EQ(IOIteratorNext(0), 0);
	CHECK(!IOIteratorIsValid(0));
}

TEST(connection_arguments)
{
	io_service_t service = made_up_service();
	struct IOConnectStatistics statistics;
	mach_vm_address_t address = 0;
	mach_vm_size_t size = 0;
	uint64_t scalars[17] = {0};
	size_t huge = SIZE_MAX;

	CHECK_EQ(IOConnectCallScalarMethod(0x123400, 0, NULL, 0, NULL, NULL), MACH_SEND_INVALID_DEST);
	CHECK_EQ(IOConnectCallScalarMethod(service, 0, NULL, 0, NULL, NULL), kIOReturnBadArgument);
	CHECK_EQ(IOConnectCallScalarMethod(service, 0, scalars, 17, NULL, NULL), MIG_ARRAY_TOO_LARGE);
	CHECK_EQ(IOConnectCallAsyncScalarMethod(service, 0, 0, scalars, 9, NULL, 0, NULL, NULL),
		 MIG_ARRAY_TOO_LARGE);
	CHECK_EQ(IOConnectCallAsyncScalarMethod(service, 0, 0, scalars, 0, NULL, 0, NULL, NULL),
		 kIOReturnBadArgument);
	CHECK_EQ(IOConnectCallStructMethod(service, 0, NULL, 0, scalars, &huge), kIOReturnIPCError);
	CHECK_EQ(IOConnectMapMemory64(service, 0, 0, &address, &size, kIOMapAnywhere),
		 kIOReturnBadArgument);
	CHECK_EQ(IOConnectMapMemory64(0x123400, 0, mach_task_self(), &address, &size, 1),
		 MACH_SEND_INVALID_DEST);
	CHECK_EQ(IOConnectUnmapMemory64(0x123400, 0, mach_task_self(), 0), MACH_SEND_INVALID_DEST);
	CHECK_EQ(IOConnectTrap6(0x123400, 5, 1, 2, 3, 4, 5, 6), kIOReturnBadArgument);
	CHECK_EQ(IOServiceClose(0x123400), MACH_SEND_INVALID_DEST);
	CHECK_EQ(IOServiceClose(service), kIOReturnBadArgument);
	CHECK_EQ(IOConnectGetStatistics(service, &statistics, 0), kIOReturnBadArgument);
	CHECK_EQ(IOConnectGetStatistics(service, &statistics, sizeof(statistics)),
		 kIOReturnBadArgument);
	CHECK_EQ(IOObjectRelease(service), kIOReturnSuccess);
}

TEST(classes_that_are_known)
{
	CFStringRef super = IOObjectCopySuperclassForClass(CFSTR("IOUserService"));
	CFStringRef bundle = IOObjectCopyBundleIdentifierForClass(CFSTR("IOUserService"));

	CHECK(CFEqual(super, CFSTR("IOService")));
	CHECK(CFEqual(bundle, CFSTR("__kernel__")));
	CHECK(IOObjectCopySuperclassForClass(CFSTR("Mine")) == NULL);
	CHECK(IOObjectCopyBundleIdentifierForClass(CFSTR("Mine")) == NULL);
	CFRelease(super);
	CFRelease(bundle);
}
