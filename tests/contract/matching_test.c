/* SPDX-License-Identifier: MIT
 *
 * matching_test - finding services: keys of matching dictionaries, iterators, ownership.
 */
#include "support/world.h"

static unsigned count_and_release(io_iterator_t iterator)
{
	unsigned count = 0;

	for (io_object_t object = IOIteratorNext(iterator); object != IO_OBJECT_NULL;
	     object = IOIteratorNext(iterator)) {
		CHECK_EQ(IOObjectRelease(object), kIOReturnSuccess);
		count++;
	}
	return count;
}

/* Consumes the dictionary. */
static unsigned count_matches(CFDictionaryRef matching)
{
	io_iterator_t iterator = IO_OBJECT_NULL;
	unsigned count;

	CHECK_EQ(IOServiceGetMatchingServices(kIOMainPortDefault, matching, &iterator),
		 kIOReturnSuccess);
	count = count_and_release(iterator);
	CHECK_EQ(IOObjectRelease(iterator), kIOReturnSuccess);
	return count;
}

static CFMutableDictionaryRef empty(void)
{
	return CFDictionaryCreateMutable(kCFAllocatorDefault, 0, &kCFTypeDictionaryKeyCallBacks,
					 &kCFTypeDictionaryValueCallBacks);
}

/* { outer : { key : value } } added to matching. */
static void add_nested(CFMutableDictionaryRef matching, CFStringRef outer, CFStringRef key,
		       CFTypeRef value)
{
	CFMutableDictionaryRef inner = empty();

	CFDictionarySetValue(inner, key, value);
	CFDictionarySetValue(matching, outer, inner);
	CFRelease(inner);
}

CONTRACT(matching_helpers_build_the_documented_dictionaries)
{
	CFMutableDictionaryRef matching = IOServiceMatching("IOUserService");
	SInt64 id = 0;

	CHECK_EQ(CFDictionaryGetCount(matching), 1);
	CHECK(CFEqual(CFDictionaryGetValue(matching, CFSTR("IOProviderClass")),
		      CFSTR("IOUserService")));
	CFRelease(matching);
	matching = IOServiceNameMatching("name");
	CHECK(CFEqual(CFDictionaryGetValue(matching, CFSTR("IONameMatch")), CFSTR("name")));
	CFRelease(matching);
	matching = IORegistryEntryIDMatching(0x123456789abull);
	CHECK(CFNumberGetValue(CFDictionaryGetValue(matching, CFSTR("IORegistryEntryID")),
			       kCFNumberSInt64Type, &id));
	CHECK_EQ(id, 0x123456789abll);
	CFRelease(matching);
	CHECK_EQ(IOBSDNameMatching(0, 0, NULL), NULL);
	CHECK_EQ(IOServiceMatching(NULL), NULL);
	CHECK_EQ(IOServiceNameMatching(NULL), NULL);
}

CONTRACT(matching_by_name_finds_the_user_class)
{
	CHECK_EQ(count_matches(IOServiceNameMatching(CONTRACT_SERVICE)), 1);
	CHECK_EQ(count_matches(IOServiceNameMatching("NoSuchService")), 0);
	/* The user class is no kernel class. */
	CHECK_EQ(count_matches(IOServiceMatching(CONTRACT_SERVICE)), 0);
	CHECK_EQ(IOServiceGetMatchingService(kIOMainPortDefault,
					     IOServiceNameMatching("NoSuchService")),
		 IO_OBJECT_NULL);
}

CONTRACT(matching_by_class_and_property)
{
	CFMutableDictionaryRef matching = IOServiceMatching("IOUserService");

	CHECK_GE(count_matches(IOServiceMatching("IOUserService")), 1);
	add_nested(matching, CFSTR("IOPropertyMatch"), CFSTR("IOUserClass"),
		   CFSTR(CONTRACT_SERVICE));
	CHECK_EQ(count_matches(matching), 1);
	matching = IOServiceMatching("IOUserService");
	add_nested(matching, CFSTR("IOPropertyMatch"), CFSTR("IOUserClass"), CFSTR("Other"));
	CHECK_EQ(count_matches(matching), 0);
	/* All keys must match. */
	matching = IOServiceMatching("IOUSBHostDevice");
	add_nested(matching, CFSTR("IOPropertyMatch"), CFSTR("IOUserClass"),
		   CFSTR(CONTRACT_SERVICE));
	CHECK_EQ(count_matches(matching), 0);
}

CONTRACT(matching_by_super_class)
{
	CFMutableDictionaryRef matching = IOServiceMatching("IOService");

	CFDictionarySetValue(matching, CFSTR("IONameMatch"), CFSTR(CONTRACT_SERVICE));
	CHECK_EQ(count_matches(matching), 1);
}

CONTRACT(matching_by_any_of_several_names)
{
	CFMutableDictionaryRef matching = empty();
	CFMutableArrayRef names = CFArrayCreateMutable(kCFAllocatorDefault, 0,
						       &kCFTypeArrayCallBacks);

	CFArrayAppendValue(names, CFSTR("NoSuchService"));
	CFArrayAppendValue(names, CFSTR(CONTRACT_SERVICE));
	CFDictionarySetValue(matching, CFSTR("IONameMatch"), names);
	CFRelease(names);
	CHECK_EQ(count_matches(matching), 1);
}

CONTRACT(matching_by_property_existence)
{
	CFMutableDictionaryRef matching = empty();
	CFMutableArrayRef keys = CFArrayCreateMutable(kCFAllocatorDefault, 0,
						      &kCFTypeArrayCallBacks);

	CFDictionarySetValue(matching, CFSTR("IOPropertyExistsMatch"), CFSTR("ContractExtra"));
	CHECK_EQ(count_matches(matching), 1);
	matching = empty();
	CFArrayAppendValue(keys, CFSTR("NoSuchKey"));
	CFArrayAppendValue(keys, CFSTR("ContractExtra"));
	CFDictionarySetValue(matching, CFSTR("IOPropertyExistsMatch"), keys);
	CFRelease(keys);
	CHECK_EQ(count_matches(matching), 1);
	matching = empty();
	CFDictionarySetValue(matching, CFSTR("IOPropertyExistsMatch"), CFSTR("NoSuchKey"));
	CHECK_EQ(count_matches(matching), 0);
}

CONTRACT(matching_by_id_path_and_parent)
{
	io_service_t service = world_service(CONTRACT_SERVICE);
	CFMutableDictionaryRef matching = empty();
	CFStringRef path = IORegistryEntryCopyPath(service, kIOServicePlane);

	CHECK_EQ(count_matches(IORegistryEntryIDMatching(world_registry_id(service))), 1);
	CHECK_EQ(count_matches(IORegistryEntryIDMatching(1)), 0);
	CHECK_NE(path, NULL);
	CFDictionarySetValue(matching, CFSTR("IOPathMatch"), path);
	CHECK_EQ(count_matches(matching), 1);
	matching = IOServiceNameMatching(CONTRACT_SERVICE);
	add_nested(matching, CFSTR("IOParentMatch"), CFSTR("IOProviderClass"),
		   CFSTR("IOUserResources"));
	CHECK_EQ(count_matches(matching), 1);
	matching = IOServiceNameMatching(CONTRACT_SERVICE);
	add_nested(matching, CFSTR("IOParentMatch"), CFSTR("IOProviderClass"),
		   CFSTR("IOUSBHostDevice"));
	CHECK_EQ(count_matches(matching), 0);
	CFRelease(path);
	CHECK_EQ(IOObjectRelease(service), kIOReturnSuccess);
}

CONTRACT(matching_properties_that_the_driver_set)
{
	io_connect_t connect = world_open();
	CFMutableDictionaryRef matching = empty();

	CHECK_EQ(world_send_text(connect, CONTRACT_SET_PROPERTY, "Colour=green"), kIOReturnSuccess);
	/* The broker hears of it a moment later. */
	for (unsigned i = 0; i < WORLD_WAIT_MS; i++) {
		CFMutableDictionaryRef again = empty();

		add_nested(again, CFSTR("IOPropertyMatch"), CFSTR("Colour"), CFSTR("green"));
		if (count_matches(again) == 1) {
			break;
		}
	}
	add_nested(matching, CFSTR("IOPropertyMatch"), CFSTR("Colour"), CFSTR("green"));
	CHECK_EQ(count_matches(matching), 1);
	world_close(connect);
}

struct named {
	const char *name;
	unsigned wanted;
};

static bool has_name(void *argument)
{
	const struct named *named = argument;

	return count_matches(IOServiceNameMatching(named->name)) == named->wanted;
}

CONTRACT(matching_follows_set_name)
{
	io_connect_t connect = world_open();
	struct named now = {"AnotherName", 1};
	struct named before = {CONTRACT_SERVICE, 0};

	CHECK_EQ(world_send_text(connect, CONTRACT_SET_NAME, "AnotherName"), kIOReturnSuccess);
	CHECK(test_wait_until(has_name, &now, WORLD_WAIT_MS));
	CHECK(has_name(&before));
	world_close(connect);
}

CONTRACT(matching_null_and_bad_dictionaries)
{
	io_iterator_t iterator = 5;
	CFMutableDictionaryRef matching;
	mach_port_t port = MACH_PORT_NULL;

	CHECK_EQ(IOServiceGetMatchingService(kIOMainPortDefault, NULL), IO_OBJECT_NULL);
	CHECK_EQ(IOServiceGetMatchingServices(kIOMainPortDefault, NULL, &iterator),
		 kIOReturnBadArgument);
	CHECK_EQ(IOServiceGetMatchingServices(kIOMainPortDefault,
					      IOServiceNameMatching(CONTRACT_SERVICE), NULL),
		 kIOReturnBadArgument);
	CHECK_EQ(IOServiceGetMatchingServices(0x7ffffff4, IOServiceNameMatching(CONTRACT_SERVICE),
					      &iterator),
		 kIOReturnNotPrivileged);
	matching = empty();
	CFDictionarySetValue(matching, CFSTR("IOPropertyMatch"), CFRunLoopGetCurrent());
	CHECK_EQ(IOServiceGetMatchingServices(kIOMainPortDefault, matching, &iterator),
		 kIOReturnUnsupported);
	CHECK_EQ(IOMainPort(MACH_PORT_NULL, &port), kIOReturnSuccess);
	CHECK_EQ(IOServiceGetMatchingServices(port, IOServiceNameMatching("NoSuchService"),
					      &iterator),
		 kIOReturnSuccess);
	CHECK_EQ(IOIteratorNext(iterator), IO_OBJECT_NULL);
	CHECK_EQ(IOIteratorNext(IO_OBJECT_NULL), IO_OBJECT_NULL);
	CHECK_EQ(IOObjectRelease(iterator), kIOReturnSuccess);
}

CONTRACT(matching_wrong_kinds_of_values_match_nothing)
{
	static const char *const keys[] = {"IONameMatch", "IOPropertyMatch", "IOProviderClass",
					   "IORegistryEntryID", "IOParentMatch", "IOPathMatch",
					   "IOPropertyExistsMatch", "IOLocationMatch"};

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		CFMutableDictionaryRef matching = empty();
		CFStringRef key = CFStringCreateWithCString(kCFAllocatorDefault, keys[i],
							    kCFStringEncodingUTF8);

		CFDictionarySetValue(matching, key, kCFBooleanTrue);
		CFRelease(key);
		CHECK_EQ(count_matches(matching), 0);
	}
}

CONTRACT(matching_iterator_resets)
{
	io_iterator_t iterator;

	CHECK_EQ(IOServiceGetMatchingServices(kIOMainPortDefault,
					      IOServiceNameMatching(CONTRACT_SERVICE), &iterator),
		 kIOReturnSuccess);
	CHECK_EQ(count_and_release(iterator), 1);
	CHECK_EQ(count_and_release(iterator), 0);
	IOIteratorReset(iterator);
	CHECK(IOIteratorIsValid(iterator));
	CHECK_EQ(count_and_release(iterator), 1);
	CHECK_EQ(IOObjectRelease(iterator), kIOReturnSuccess);
}

CONTRACT(matching_property_table_of_one_service)
{
	io_service_t service = world_service(CONTRACT_SERVICE);
	CFMutableDictionaryRef matching = IOServiceNameMatching(CONTRACT_SERVICE);
	boolean_t matches = 5;

	CHECK_EQ(IOServiceMatchPropertyTable(service, matching, &matches), kIOReturnSuccess);
	CHECK_EQ(matches, 1);
	CFDictionarySetValue(matching, CFSTR("IONameMatch"), CFSTR("Other"));
	CHECK_EQ(IOServiceMatchPropertyTable(service, matching, &matches), kIOReturnSuccess);
	CHECK_EQ(matches, 0);
	CHECK_EQ(IOServiceMatchPropertyTable(service, NULL, &matches), kIOReturnBadArgument);
	CHECK_EQ(IOServiceMatchPropertyTable(service, matching, NULL), kIOReturnBadArgument);
	CFRelease(matching); /* not consumed */
	CHECK_EQ(IOObjectRelease(service), kIOReturnSuccess);
}

CONTRACT_WITH_DEVICE(matching_usb_device_keys, "virtual:gadget-zero,speed=high")
{
	static const int vendor = 0x0525;
	static const int product = 0xa4a0;
	static const int other = 0x1234;
	CFNumberRef numbers[3] = {CFNumberCreate(NULL, kCFNumberIntType, &vendor),
				  CFNumberCreate(NULL, kCFNumberIntType, &product),
				  CFNumberCreate(NULL, kCFNumberIntType, &other)};
	CFMutableDictionaryRef matching = IOServiceMatching("IOUSBHostDevice");

	CFDictionarySetValue(matching, CFSTR("idVendor"), numbers[0]);
	CFDictionarySetValue(matching, CFSTR("idProduct"), numbers[1]);
	CHECK_EQ(count_matches(matching), 1);
	matching = IOServiceMatching("IOUSBHostDevice");
	CFDictionarySetValue(matching, CFSTR("idVendor"), numbers[0]);
	CFDictionarySetValue(matching, CFSTR("idProduct"), numbers[2]);
	CHECK_EQ(count_matches(matching), 0);
	CHECK_EQ(count_matches(IOServiceMatching("IOUSBDevice")), 1); /* the old name */
	CHECK_EQ(count_matches(IOServiceNameMatching(CONTRACT_USB)), 1);
	for (unsigned i = 0; i < 3; i++) {
		CFRelease(numbers[i]);
	}
}
