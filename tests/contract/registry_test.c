/* SPDX-License-Identifier: MIT
 *
 * registry_test - entries: names, classes, properties, the tree, busy counts.
 */
#include <errno.h>

#include "support/world.h"

CONTRACT(registry_names_and_classes)
{
	io_service_t service = world_service(CONTRACT_SERVICE);
	io_connect_t connect = world_open();
	io_name_t name;
	CFStringRef class_name;

	CHECK_EQ(IORegistryEntryGetName(service, name), kIOReturnSuccess);
	CHECK_STR_EQ(name, CONTRACT_SERVICE);
	CHECK_EQ(IORegistryEntryGetNameInPlane(service, kIOServicePlane, name), kIOReturnSuccess);
	CHECK_EQ(IOObjectGetClass(service, name), kIOReturnSuccess);
	CHECK_STR_EQ(name, "IOUserService");
	CHECK(IOObjectConformsTo(service, "IOUserService"));
	CHECK(IOObjectConformsTo(service, "IOService"));
	CHECK(!IOObjectConformsTo(service, CONTRACT_SERVICE));
	CHECK_EQ(IOObjectGetClass(connect, name), kIOReturnSuccess);
	CHECK_STR_EQ(name, "IOUserUserClient");
	class_name = IOObjectCopyClass(service);
	CHECK(CFEqual(class_name, CFSTR("IOUserService")));
	CFRelease(class_name);
	CHECK_EQ(IOObjectGetClass(service, NULL), kIOReturnBadArgument);
	CHECK_EQ(IOObjectGetClass(IO_OBJECT_NULL, name), kIOReturnBadArgument);
	world_close(connect);
	CHECK_EQ(IOObjectRelease(service), kIOReturnSuccess);
}

CONTRACT(registry_id_is_the_same_in_the_driver)
{
	io_service_t service = world_service(CONTRACT_SERVICE);
	io_connect_t connect = world_open();
	uint64_t id = 5;

	CHECK_EQ(GET(connect, CONTRACT_REGISTRY_ID), world_registry_id(service));
	CHECK_EQ(IORegistryEntryGetRegistryEntryID(IO_OBJECT_NULL, &id), kIOReturnBadArgument);
	CHECK_EQ(id, 0);
	world_close(connect);
	CHECK_EQ(IOObjectRelease(service), kIOReturnSuccess);
}

CONTRACT(registry_tree_from_root_to_service)
{
	io_registry_entry_t root = IORegistryGetRootEntry(kIOMainPortDefault);
	io_service_t service = world_service(CONTRACT_SERVICE);
	io_registry_entry_t parent;
	io_registry_entry_t same;
	io_registry_entry_t child;
	io_string_t path;
	io_name_t name;

	CHECK_EQ(IORegistryEntryGetName(root, name), kIOReturnSuccess);
	CHECK_STR_EQ(name, "Root");
	CHECK_EQ(IOObjectGetClass(root, name), kIOReturnSuccess);
	CHECK_STR_EQ(name, "IORegistryEntry");
	CHECK_EQ(IORegistryEntryGetParentEntry(root, kIOServicePlane, &parent), kIOReturnNoDevice);
	CHECK_EQ(IORegistryEntryGetParentEntry(service, kIOServicePlane, &parent), kIOReturnSuccess);
	CHECK(IOObjectConformsTo(parent, "IOUserResources"));
	CHECK_EQ(IORegistryEntryGetChildEntry(service, kIOServicePlane, &child), kIOReturnNoDevice);
	CHECK_EQ(IORegistryEntryGetPath(service, kIOServicePlane, path), kIOReturnSuccess);
	CHECK_EQ(strncmp(path, "IOService:/", 11), 0);
	same = IORegistryEntryFromPath(kIOMainPortDefault, path);
	CHECK_EQ(same, service);
	CHECK(IORegistryEntryInPlane(service, kIOServicePlane));
	CHECK_EQ(IORegistryEntryFromPath(kIOMainPortDefault, "IOService:/nowhere"), IO_OBJECT_NULL);
	CHECK_EQ(IOObjectRelease(same), kIOReturnSuccess);
	CHECK_EQ(IOObjectRelease(parent), kIOReturnSuccess);
	CHECK_EQ(IOObjectRelease(service), kIOReturnSuccess);
	CHECK_EQ(IOObjectRelease(root), kIOReturnSuccess);
}

/* The number of entries, all of which are given back; *ret_found: whether one of them is wanted. */
static unsigned count_entries(io_iterator_t iterator, io_registry_entry_t wanted, bool *ret_found)
{
	unsigned count = 0;
	io_registry_entry_t entry;

	*ret_found = false;
	while ((entry = IOIteratorNext(iterator)) != IO_OBJECT_NULL) {
		*ret_found |= IOObjectIsEqualTo(entry, wanted) != 0;
		CHECK_EQ(IOObjectRelease(entry), kIOReturnSuccess);
		count++;
	}
	return count;
}

CONTRACT(registry_children_and_parents_by_iterator)
{
	io_service_t service = world_service(CONTRACT_SERVICE);
	io_registry_entry_t parent = IO_OBJECT_NULL;
	io_iterator_t iterator = IO_OBJECT_NULL;
	mach_port_t main_port = MACH_PORT_NULL;
	io_name_t location;
	bool found = false;

	CHECK_EQ(IOMasterPort(MACH_PORT_NULL, &main_port), kIOReturnSuccess);
	CHECK_EQ(IORegistryEntryGetParentEntry(service, kIOServicePlane, &parent), kIOReturnSuccess);
	CHECK_EQ(IORegistryEntryGetParentIterator(service, kIOServicePlane, &iterator),
		 kIOReturnSuccess);
	CHECK_EQ(count_entries(iterator, parent, &found), 1);
	CHECK(found);
	CHECK_EQ(IOObjectRelease(iterator), kIOReturnSuccess);
	CHECK_EQ(IORegistryEntryGetChildIterator(parent, kIOServicePlane, &iterator),
		 kIOReturnSuccess);
	CHECK_GE(count_entries(iterator, service, &found), 1);
	CHECK(found);
	CHECK_EQ(IOObjectRelease(iterator), kIOReturnSuccess);
	CHECK_EQ(IORegistryEntryGetChildIterator(parent, kIOServicePlane, NULL),
		 kIOReturnBadArgument);
	CHECK_EQ(IORegistryEntryGetLocationInPlane(service, kIOServicePlane, location),
		 kIOReturnNotFound);
	CFStringRef path = IORegistryEntryCopyPath(service, kIOServicePlane);
	io_registry_entry_t same = IORegistryEntryCopyFromPath(main_port, path);
	CHECK_EQ(same, service);
	CHECK_EQ(IORegistryEntryCopyFromPath(main_port, CFSTR("IOService:/nowhere")),
		 IO_OBJECT_NULL);
	CHECK_GE(IOObjectGetKernelRetainCount(service), 1);
	CHECK_EQ(IOObjectGetRetainCount(service), IOObjectGetKernelRetainCount(service));
	CHECK_EQ(IOServiceOpenAsFileDescriptor(service, 0), -1);
	CHECK_EQ(errno, ENOTSUP);
	CHECK_EQ(IOServiceOpenAsFileDescriptor(IO_OBJECT_NULL, 0), -1);
	CHECK_EQ(errno, EINVAL);
	CFRelease(path);
	CHECK_EQ(IOObjectRelease(same), kIOReturnSuccess);
	CHECK_EQ(IOObjectRelease(parent), kIOReturnSuccess);
	CHECK_EQ(IOObjectRelease(service), kIOReturnSuccess);
}

/* Down to the children of an entry and back: the walk goes on behind it. */
CONTRACT(registry_iterator_enters_and_leaves_entries)
{
	io_service_t service = world_service(CONTRACT_SERVICE);
	io_registry_entry_t parent = IO_OBJECT_NULL;
	io_iterator_t iterator = IO_OBJECT_NULL;
	bool entered = false;
	bool found = false;
	io_registry_entry_t entry;

	CHECK_EQ(IORegistryEntryGetParentEntry(service, kIOServicePlane, &parent), kIOReturnSuccess);
	CHECK_EQ(IORegistryCreateIterator(kIOMainPortDefault, kIOServicePlane, 0, &iterator),
		 kIOReturnSuccess);
	CHECK_EQ(IORegistryIteratorEnterEntry(iterator), kIOReturnBadArgument); /* nothing yet */
	CHECK_EQ(IORegistryIteratorExitEntry(IO_OBJECT_NULL), kIOReturnBadArgument);
	while ((entry = IOIteratorNext(iterator)) != IO_OBJECT_NULL) {
		if (IOObjectIsEqualTo(entry, parent)) {
			CHECK_EQ(IORegistryIteratorEnterEntry(iterator), kIOReturnSuccess);
			CHECK_GE(count_entries(iterator, service, &found), 1);
			CHECK_EQ(IORegistryIteratorExitEntry(iterator), kIOReturnSuccess);
			entered = true;
		}
		CHECK_EQ(IOObjectRelease(entry), kIOReturnSuccess);
	}
	CHECK(entered && found);
	CHECK_EQ(IOObjectRelease(iterator), kIOReturnSuccess);
	CHECK_EQ(IOObjectRelease(parent), kIOReturnSuccess);
	CHECK_EQ(IOObjectRelease(service), kIOReturnSuccess);
}

CONTRACT(registry_iterator_reaches_the_service)
{
	io_iterator_t iterator;
	io_service_t service = world_service(CONTRACT_SERVICE);
	unsigned nr_found = 0;

	CHECK_EQ(IORegistryCreateIterator(kIOMainPortDefault, kIOServicePlane,
					  kIORegistryIterateRecursively, &iterator),
		 kIOReturnSuccess);
	for (io_object_t entry = IOIteratorNext(iterator); entry != IO_OBJECT_NULL;
	     entry = IOIteratorNext(iterator)) {
		nr_found += IOObjectIsEqualTo(entry, service) != 0;
		CHECK_EQ(IOObjectRelease(entry), kIOReturnSuccess);
	}
	CHECK_EQ(nr_found, 1);
	CHECK_EQ(IOObjectRelease(iterator), kIOReturnSuccess);
	CHECK_EQ(IORegistryEntryCreateIterator(
			 service, kIOServicePlane,
			 kIORegistryIterateRecursively | kIORegistryIterateParents, &iterator),
		 kIOReturnSuccess);
	nr_found = 0;
	for (io_object_t entry = IOIteratorNext(iterator); entry != IO_OBJECT_NULL;
	     entry = IOIteratorNext(iterator)) {
		nr_found++;
		CHECK_EQ(IOObjectRelease(entry), kIOReturnSuccess);
	}
	CHECK_GE(nr_found, 2); /* the provider and the root at least */
	CHECK_EQ(IOObjectRelease(iterator), kIOReturnSuccess);
	CHECK_EQ(IORegistryCreateIterator(kIOMainPortDefault, "NoSuchPlane", 0, &iterator),
		 kIOReturnBadArgument);
	CHECK_EQ(IOObjectRelease(service), kIOReturnSuccess);
}

CONTRACT(registry_properties_of_the_personality)
{
	io_service_t service = world_service(CONTRACT_SERVICE);
	CFTypeRef extra = IORegistryEntryCreateCFProperty(service, CFSTR("ContractExtra"), NULL, 0);
	CFTypeRef count = IORegistryEntryCreateCFProperty(service, CFSTR("ContractNumber"), NULL, 0);
	CFMutableDictionaryRef all = NULL;
	int value = 0;

	CHECK_NE(extra, NULL);
	CHECK(CFEqual(extra, CFSTR("of the personality")));
	CHECK_NE(count, NULL);
	CHECK_EQ(CFGetTypeID(count), CFNumberGetTypeID());
	CHECK(CFNumberGetValue(count, kCFNumberIntType, &value));
	CHECK_EQ(value, 4711);
	CHECK_EQ(IORegistryEntryCreateCFProperty(service, CFSTR("NoSuchKey"), NULL, 0), NULL);
	CHECK_EQ(IORegistryEntryCreateCFProperties(service, &all, NULL, 0), kIOReturnSuccess);
	CHECK(CFEqual(CFDictionaryGetValue(all, CFSTR("IOUserClass")), CFSTR(CONTRACT_SERVICE)));
	CHECK(CFEqual(CFDictionaryGetValue(all, CFSTR("ContractExtra")), extra));
	CHECK_EQ(IORegistryEntryCreateCFProperties(service, NULL, NULL, 0), kIOReturnBadArgument);
	CFRelease(all);
	CFRelease(extra);
	CFRelease(count);
	CHECK_EQ(IOObjectRelease(service), kIOReturnSuccess);
}

CONTRACT(registry_property_bytes)
{
	io_service_t service = world_service(CONTRACT_SERVICE);
	io_struct_inband_t buffer;
	uint32_t size = sizeof(buffer);

	CHECK_EQ(IORegistryEntryGetProperty(service, "ContractExtra", buffer, &size),
		 kIOReturnSuccess);
	CHECK_STR_EQ(buffer, "of the personality");
	CHECK_EQ(size, strlen(buffer) + 1);
	size = 5;
	CHECK_EQ(IORegistryEntryGetProperty(service, "ContractExtra", buffer, &size),
		 kIOReturnIPCError);
	size = sizeof(buffer);
	CHECK_EQ(IORegistryEntryGetProperty(service, "ContractFlag", buffer, &size),
		 kIOReturnSuccess);
	CHECK_STR_EQ(buffer, "Yes");
	size = sizeof(buffer);
	CHECK_EQ(IORegistryEntryGetProperty(service, "ContractData", buffer, &size),
		 kIOReturnSuccess);
	CHECK_EQ(size, 3);
	CHECK_MEM_EQ(buffer, "abc", 3);
	size = sizeof(buffer);
	CHECK_EQ(IORegistryEntryGetProperty(service, "NoSuchKey", buffer, &size),
		 kIOReturnNoResources);
	CHECK_EQ(IORegistryEntryGetProperty(service, "UserClientProperties", buffer, &size),
		 kIOReturnBadArgument);
	CHECK_EQ(IOObjectRelease(service), kIOReturnSuccess);
}

struct property_wanted {
	io_service_t service;
	CFStringRef key;
	CFStringRef value; /* NULL: gone */
};

static bool user_property_is(void *argument)
{
	const struct property_wanted *wanted = argument;
	CFDictionaryRef user = IORegistryEntryCreateCFProperty(
		wanted->service, CFSTR("IOUserServiceProperties"), NULL, 0);
	CFTypeRef value = user == NULL ? NULL : CFDictionaryGetValue(user, wanted->key);
	bool is = wanted->value == NULL ? value == NULL
					: value != NULL && CFEqual(value, wanted->value);

	if (user != NULL) {
		CFRelease(user);
	}
	return is;
}

CONTRACT(registry_properties_that_the_driver_sets)
{
	io_service_t service = world_service(CONTRACT_SERVICE);
	io_connect_t connect = world_open();
	struct property_wanted wanted = {service, CFSTR("Colour"), CFSTR("green")};

	CHECK_EQ(world_send_text(connect, CONTRACT_SET_PROPERTY, "Colour=green"), kIOReturnSuccess);
	CHECK(test_wait_until(user_property_is, &wanted, WORLD_WAIT_MS));
	CHECK_EQ(world_send_text(connect, CONTRACT_SET_PROPERTY, "Colour=red"), kIOReturnSuccess);
	wanted.value = CFSTR("red");
	CHECK(test_wait_until(user_property_is, &wanted, WORLD_WAIT_MS));
	CHECK_EQ(world_send_text(connect, CONTRACT_REMOVE_PROPERTY, "Colour"), kIOReturnSuccess);
	wanted.value = NULL;
	CHECK(test_wait_until(user_property_is, &wanted, WORLD_WAIT_MS));
	CHECK_EQ(world_send_text(connect, CONTRACT_REMOVE_PROPERTY, "Colour"), kIOReturnNotFound);
	world_close(connect);
	CHECK_EQ(IOObjectRelease(service), kIOReturnSuccess);
}

CONTRACT(registry_applications_cannot_set_properties)
{
	io_service_t service = world_service(CONTRACT_SERVICE);

	CHECK_EQ(IORegistryEntrySetCFProperty(service, CFSTR("key"), CFSTR("value")),
		 kIOReturnUnsupported);
	CHECK_EQ(IOObjectRelease(service), kIOReturnSuccess);
}

static bool busy_is_one(void *argument)
{
	uint32_t busy = 0;

	CHECK_EQ(IOServiceGetBusyState(*(io_service_t *)argument, &busy), kIOReturnSuccess);
	return busy == 1;
}

CONTRACT(registry_busy_until_the_driver_is_quiet)
{
	io_service_t service = world_service(CONTRACT_SERVICE);
	io_connect_t connect = world_open();
	mach_timespec_t at_once = {0, 1000000};
	mach_timespec_t patient = {15, 0};
	uint32_t busy = 5;

	CHECK_EQ(IOServiceGetBusyState(service, &busy), kIOReturnSuccess);
	CHECK_EQ(busy, 0);
	CHECK_EQ(IOServiceWaitQuiet(service, &at_once), kIOReturnSuccess);
	DO(connect, CONTRACT_ADJUST_BUSY, 1);
	CHECK(test_wait_until(busy_is_one, &service, WORLD_WAIT_MS));
	CHECK_EQ(IOServiceWaitQuiet(service, &at_once), kIOReturnTimeout);
	CHECK_EQ(IOKitGetBusyState(kIOMainPortDefault, &busy), kIOReturnSuccess);
	CHECK_GE(busy, 1);
	CHECK_EQ(TRY(connect, CONTRACT_ADJUST_BUSY, (uint64_t)-2), kIOReturnBadArgument);
	DO(connect, CONTRACT_ADJUST_BUSY, (uint64_t)-1);
	CHECK_EQ(IOServiceWaitQuiet(service, &patient), kIOReturnSuccess);
	CHECK_EQ(IOKitWaitQuiet(kIOMainPortDefault, &patient), kIOReturnSuccess);
	world_close(connect);
	CHECK_EQ(IOObjectRelease(service), kIOReturnSuccess);
}

CONTRACT(registry_search_walks_to_parents_and_children)
{
	io_service_t service = world_service(CONTRACT_SERVICE);
	io_registry_entry_t root = IORegistryGetRootEntry(kIOMainPortDefault);
	CFTypeRef found = IORegistryEntrySearchCFProperty(root, kIOServicePlane,
							  CFSTR("ContractExtra"), NULL,
							  kIORegistryIterateRecursively);

	CHECK_NE(found, NULL);
	CFRelease(found);
	CHECK_EQ(IORegistryEntrySearchCFProperty(root, kIOServicePlane, CFSTR("ContractExtra"), NULL,
						 0),
		 NULL);
	CHECK_EQ(IORegistryEntrySearchCFProperty(
			 service, kIOServicePlane, CFSTR("NoSuchKey"), NULL,
			 kIORegistryIterateRecursively | kIORegistryIterateParents),
		 NULL);
	CHECK_EQ(IOObjectRelease(root), kIOReturnSuccess);
	CHECK_EQ(IOObjectRelease(service), kIOReturnSuccess);
}

CONTRACT(registry_connection_is_an_entry_below_its_service)
{
	io_service_t service = world_service(CONTRACT_SERVICE);
	io_connect_t connect = world_open();
	io_registry_entry_t child = IO_OBJECT_NULL;
	io_name_t name;

	CHECK_EQ(IORegistryEntryGetChildEntry(service, kIOServicePlane, &child), kIOReturnSuccess);
	CHECK_EQ(IOObjectGetClass(child, name), kIOReturnSuccess);
	CHECK_STR_EQ(name, "IOUserUserClient");
	CHECK_EQ(IOObjectRelease(child), kIOReturnSuccess);
	world_close(connect);
	CHECK_EQ(IOObjectRelease(service), kIOReturnSuccess);
}
