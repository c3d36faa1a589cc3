/* SPDX-License-Identifier: MIT
 *
 * types_test - sizes of the public types and how their numbers are put together; layouts that
 * programs rely on.
 */
#include <stddef.h>

#include <CoreFoundation/CoreFoundation.h>
#include <IOKit/IODataQueueShared.h>
#include <IOKit/IOKitLib.h>
#include <IOKit/IOMessage.h>
#include <IOKit/usb/IOUSBLib.h>

#include "test.h"

#define SIZES(type, bytes) _Static_assert(sizeof(type) == (bytes), #type " has " #bytes " bytes")

SIZES(io_object_t, 4);
SIZES(io_enumerator_t, 4);
SIZES(io_ident_t, 4);
SIZES(uext_object_t, 4);
SIZES(task_port_t, 4);
SIZES(IOOptionBits, 4);
SIZES(IOItemCount, 4);
SIZES(IOVersion, 4);
SIZES(IOCacheMode, 4);
SIZES(IOFixed, 4);
#ifdef __x86_64__
SIZES(IOByteCount, 4);
#else
SIZES(IOByteCount, 8);
#endif
SIZES(io_string_inband_t, 4096);
SIZES(io_user_scalar_t, 8);
SIZES(io_async_ref_t, 64);
SIZES(vm_size_t, sizeof(void *));
SIZES(AbsoluteTime, 8);
SIZES(Boolean, 1);
SIZES(CFTypeID, sizeof(long));
SIZES(CFOptionFlags, sizeof(long));
SIZES(CFUUIDBytes, 16);
SIZES(IODataQueueEntry, 8);
SIZES(IODataQueueAppendix, 28);
_Static_assert(offsetof(IODataQueueMemory, queue) == 12, "the head of a queue");

TEST(callbacks_have_the_size_of_a_pointer)
{
	CHECK_EQ(sizeof(IOAsyncCallback0), sizeof(void *));
	CHECK_EQ(sizeof(IOAsyncCallback1), sizeof(void *));
	CHECK_EQ(sizeof(IOAsyncCallback2), sizeof(void *));
	CHECK_EQ(sizeof(IOAsyncCallback), sizeof(void *));
	CHECK_EQ(sizeof(IOServiceMatchingCallback), sizeof(void *));
	CHECK_EQ(sizeof(IOServiceInterestCallback), sizeof(void *));
}

TEST(codes_are_put_together_of_system_subsystem_and_number)
{
	CHECK_EQ((uint32_t)err_system(0x38), 0xe0000000u);
	CHECK_EQ((uint32_t)err_sub(1), 0x4000);
	CHECK_EQ((uint32_t)system_emask, 0xfc000000u);
	CHECK_EQ((uint32_t)sub_emask, 0x03ffc000);
	CHECK_EQ((uint32_t)sys_iokit, 0xe0000000u);
	CHECK_EQ((uint32_t)sub_iokit_common, 0);
	CHECK_EQ((uint32_t)sub_iokit_usb, 0x4000);
	CHECK_EQ((uint32_t)iokit_common_err(0x2bc), (uint32_t)kIOReturnError);
	CHECK_EQ((uint32_t)iokit_family_err(sub_iokit_usb, 0x4f), (uint32_t)kIOUSBPipeStalled);
	CHECK_EQ((uint32_t)iokit_vendor_specific_err(5) >> 14 & 0xfff, 0xffe);
	CHECK_EQ(iokit_common_msg(0x010), kIOMessageServiceIsTerminated);
	CHECK_EQ(iokit_family_msg(sub_iokit_usb, 2), 0xe0004002u);
	CHECK_EQ(iokit_vendor_specific_msg(3) & 0x3fff, 3);
}

/* Names of USB properties: what the broker publishes and matches. */
TEST(usb_names_are_those_of_the_registry)
{
	CFMutableDictionaryRef matching = IOServiceMatching(kIOUSBHostDeviceClassName);
	SInt32 vendor = 0x0525;
	CFNumberRef number = CFNumberCreate(NULL, kCFNumberSInt32Type, &vendor);

	CFDictionarySetValue(matching, CFSTR(kUSBVendorID), number);
	CHECK(CFDictionaryContainsKey(matching, CFSTR("idVendor")));
	CFRelease(number);
	CFRelease(matching);
	CHECK_STR_EQ(kUSBProductID, "idProduct");
	CHECK_STR_EQ(kUSBInterfaceNumber, "bInterfaceNumber");
	CHECK_STR_EQ(kUSBConfigurationValue, "bConfigurationValue");
	CHECK_STR_EQ(kUSBSerialNumberString, "kUSBSerialNumberString");
	CHECK_STR_EQ(kIOUSBHostInterfaceClassName, "IOUSBHostInterface");
	CHECK_STR_EQ(kIOUSBDeviceClassName, "IOUSBDevice");
	CHECK_STR_EQ(kUSBDevicePropertyLocationID, "locationID");
	CHECK_EQ(kUSBIn, 1);
	CHECK_EQ(USBmakebmRequestType(kUSBIn, kUSBVendor, kUSBDevice), 0xc0);
}
