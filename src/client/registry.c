/* SPDX-License-Identifier: MIT
 *
 * registry - reading entries of the registry.
 *
 * Place:   client, over session. Nothing is kept: each call asks the broker.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <IOKit/IOKitLib.h>

#include "base/cleanup.h"
#include "base/ioreturn.h"
#include "base/limits.h"
#include "client/service.h"
#include "client/session.h"

static bool is_service_plane(const char *plane)
{
	return plane != NULL && strcmp(plane, kIOServicePlane) == 0;
}

kern_return_t dx_entry_fetch(uint64_t id, bool with_properties, struct dx_dict **ret_entry)
{
	struct dx_wire_entry body = {
		.id = id, .flags = with_properties ? DX_WIRE_ENTRY_PROPERTIES : 0};
	struct dx_mux_send send = {
		.type = DX_WIRE_A_ENTRY, .body = &body, .body_length = sizeof(body)};
	struct dx_wire_message_in reply;
	void *entry = NULL;
	int32_t status = 0;
	int error = dx_session_request(&send, &reply, &status);

	if (error < 0) {
		return dx_session_result(error, status);
	}
	error = dx_wire_message_value(&reply, &dx_dict_class, &entry);
	dx_wire_message_in_fini(&reply);
	if (error < 0) {
		return dx_ioreturn_from_errno(error);
	}
	*ret_entry = entry;
	return kIOReturnSuccess;
}

kern_return_t dx_entry_fetch_name(uint32_t name, bool with_properties, struct dx_dict **ret_entry)
{
	uint64_t id = 0;
	kern_return_t result = dx_service_id(name, &id);

	return result == kIOReturnSuccess ? dx_entry_fetch(id, with_properties, ret_entry) : result;
}

/* Copies text that fits, with its NUL. */
static kern_return_t copy_text(const char *text, char *buffer, size_t capacity,
			       kern_return_t missing)
{
	size_t length = text == NULL ? 0 : strlen(text);

	if (text == NULL) {
		return missing;
	}
	if (length >= capacity) {
		return kIOReturnNoSpace;
	}
	memcpy(buffer, text, length + 1);
	return kIOReturnSuccess;
}

/* One text of an entry. */
static kern_return_t entry_text(io_registry_entry_t name, const char *key, char *buffer,
				size_t capacity)
{
	struct dx_dict *entry = NULL;

	if (buffer == NULL) {
		return kIOReturnBadArgument;
	}
	buffer[0] = 0;
	kern_return_t result = dx_entry_fetch_name(name, false, &entry);
	if (result == kIOReturnSuccess) {
		result = copy_text(dx_dict_get_string(entry, key, NULL), buffer, capacity,
				   kIOReturnNotFound);
	}
	(void)dx_object_unref(entry); /* always NULL */
	return result;
}

io_registry_entry_t IORegistryGetRootEntry(mach_port_t mainPort)
{
	struct dx_dict *entry = NULL;
	uint32_t name = IO_OBJECT_NULL;

	if (!dx_is_main_port(mainPort) || dx_entry_fetch(0, false, &entry) != kIOReturnSuccess) {
		dx_session_settle();
		return IO_OBJECT_NULL;
	}
	uint64_t id = dx_dict_get_u64(entry, DX_ENTRY_ID_KEY, 0);
	(void)dx_object_unref(entry); /* always NULL */
	return dx_names_add_entry(id, &name) == 0 ? name : IO_OBJECT_NULL;
}

io_registry_entry_t IORegistryEntryCopyFromPath(mach_port_t mainPort, CFStringRef path)
{
	struct dx_dict *matching = path == NULL ? NULL : dx_dict_new();

	if (matching == NULL || dx_dict_set(matching, kIOPathMatchKey, path) < 0) {
		(void)dx_object_unref(matching); /* always NULL */
		return IO_OBJECT_NULL;
	}
	return IOServiceGetMatchingService(mainPort, (CFDictionaryRef)matching);
}

io_registry_entry_t IORegistryEntryFromPath(mach_port_t mainPort, const char *path)
{
	if (path == NULL) {
		return IO_OBJECT_NULL;
	}
	CFStringRef string = CFStringCreateWithCString(NULL, path, kCFStringEncodingUTF8);
	io_registry_entry_t entry = IORegistryEntryCopyFromPath(mainPort, string);

	if (string != NULL) {
		CFRelease(string);
	}
	return entry;
}

kern_return_t IORegistryEntryGetName(io_registry_entry_t entry, io_name_t name)
{
	return entry_text(entry, DX_ENTRY_NAME_KEY, name, sizeof(io_name_t));
}

kern_return_t IORegistryEntryGetNameInPlane(io_registry_entry_t entry, const char *plane,
					    io_name_t name)
{
	(void)plane;
	return IORegistryEntryGetName(entry, name);
}

kern_return_t IORegistryEntryGetLocationInPlane(io_registry_entry_t entry, const char *plane,
						io_name_t location)
{
	if (!is_service_plane(plane)) {
		return kIOReturnBadArgument;
	}
	return entry_text(entry, DX_ENTRY_LOCATION_KEY, location, sizeof(io_name_t));
}

kern_return_t IORegistryEntryGetPath(io_registry_entry_t entry, const char *plane,
				     io_string_t path)
{
	if (!is_service_plane(plane)) {
		return kIOReturnBadArgument;
	}
	return entry_text(entry, DX_ENTRY_PATH_KEY, path, sizeof(io_string_t));
}

CFStringRef IORegistryEntryCopyPath(io_registry_entry_t entry, const char *plane)
{
	struct dx_dict *dict = NULL;

	if (!is_service_plane(plane) ||
	    dx_entry_fetch_name(entry, false, &dict) != kIOReturnSuccess) {
		return NULL;
	}
	const char *path = dx_dict_get_string(dict, DX_ENTRY_PATH_KEY, NULL);
	CFStringRef string = path == NULL ? NULL : (CFStringRef)dx_string_new(path);
	(void)dx_object_unref(dict); /* always NULL */
	return string;
}

kern_return_t IORegistryEntryGetRegistryEntryID(io_registry_entry_t entry, uint64_t *entryID)
{
	if (entryID == NULL) {
		return kIOReturnBadArgument;
	}
	*entryID = 0;
	return dx_service_id(entry, entryID);
}

/* --- properties ---------------------------------------------------------------------------- */

static kern_return_t properties_of(uint64_t id, struct dx_dict **ret_properties)
{
	struct dx_dict *entry = NULL;
	kern_return_t result = dx_entry_fetch(id, true, &entry);

	if (result != kIOReturnSuccess) {
		return result;
	}
	struct dx_dict *properties = dx_dict_get_dict(entry, DX_ENTRY_PROPERTIES_KEY);
	*ret_properties = properties == NULL ? dx_dict_new() : dx_object_ref(properties);
	(void)dx_object_unref(entry); /* always NULL */
	return *ret_properties == NULL ? kIOReturnNoMemory : kIOReturnSuccess;
}

kern_return_t IORegistryEntryCreateCFProperties(io_registry_entry_t entry,
						CFMutableDictionaryRef *properties,
						CFAllocatorRef allocator, IOOptionBits options)
{
	struct dx_dict *dict = NULL;
	uint64_t id = 0;

	(void)allocator;
	(void)options;
	if (properties == NULL) {
		return kIOReturnBadArgument;
	}
	*properties = NULL;
	kern_return_t result = dx_service_id(entry, &id);
	if (result == kIOReturnSuccess) {
		result = properties_of(id, &dict);
	}
	*properties = (CFMutableDictionaryRef)dict; /* nobody else has it: free to change */
	return result;
}

/* +1, or NULL. */
static void *property_of(uint64_t id, const char *key)
{
	struct dx_dict *properties = NULL;

	if (properties_of(id, &properties) != kIOReturnSuccess) {
		return NULL;
	}
	void *value = dx_object_ref(dx_dict_get(properties, key));
	(void)dx_object_unref(properties); /* always NULL */
	return value;
}

CFTypeRef IORegistryEntryCreateCFProperty(io_registry_entry_t entry, CFStringRef key,
					  CFAllocatorRef allocator, IOOptionBits options)
{
	uint64_t id = 0;

	(void)allocator;
	(void)options;
	if (key == NULL || dx_service_id(entry, &id) != kIOReturnSuccess) {
		return NULL;
	}
	return property_of(id, dx_string_get((const void *)key));
}

CFTypeRef IORegistryEntrySearchCFProperty(io_registry_entry_t entry, const char *plane,
					  CFStringRef key, CFAllocatorRef allocator,
					  IOOptionBits options)
{
	DX_CLEANUP_FREE uint64_t *ids = NULL;
	size_t count = 0;
	uint64_t id = 0;

	CFTypeRef value = IORegistryEntryCreateCFProperty(entry, key, allocator, 0);
	if (value != NULL || key == NULL || (options & kIORegistryIterateRecursively) == 0 ||
	    !is_service_plane(plane) || dx_service_id(entry, &id) != kIOReturnSuccess ||
	    dx_entry_relatives(id, options, &ids, &count) != kIOReturnSuccess) {
		return value;
	}
	for (size_t i = 0; i < count && value == NULL; i++) {
		value = property_of(ids[i], dx_string_get((const void *)key));
	}
	return value;
}

/* The bytes of a value as IORegistryEntryGetProperty() gives them. */
static kern_return_t copy_value(const void *value, char *buffer, uint32_t *size)
{
	const void *bytes = NULL;
	size_t length = 0;
	uint64_t number = 0;

	if (dx_object_is_kind(value, &dx_data_class)) {
		bytes = dx_data_bytes(value);
		length = dx_data_length(value);
	} else if (dx_object_is_kind(value, &dx_string_class)) {
		bytes = dx_string_get(value);
		length = dx_string_length(value) + 1;
	} else if (dx_object_is_kind(value, &dx_boolean_class)) {
		bytes = dx_boolean_get(value) ? "Yes" : "No";
		length = strlen(bytes) + 1;
	} else if (dx_object_is_kind(value, &dx_number_class)) {
		number = dx_number_u64(value); /* the low bytes come first on our machines */
		bytes = &number;
		length = dx_number_bits(value) / 8;
	} else {
		return kIOReturnBadArgument;
	}
	if (length > *size) {
		return kIOReturnIPCError;
	}
	if (length > 0) {
		memcpy(buffer, bytes, length);
	}
	*size = (uint32_t)length;
	return kIOReturnSuccess;
}

kern_return_t IORegistryEntryGetProperty(io_registry_entry_t entry, const char *propertyName,
					 io_struct_inband_t buffer, uint32_t *size)
{
	struct dx_dict *properties = NULL;
	uint64_t id = 0;

	if (propertyName == NULL || buffer == NULL || size == NULL) {
		return kIOReturnBadArgument;
	}
	kern_return_t result = dx_service_id(entry, &id);
	if (result == kIOReturnSuccess) {
		result = properties_of(id, &properties);
	}
	if (result == kIOReturnSuccess) {
		const void *value = dx_dict_get(properties, propertyName);

		result = value == NULL ? kIOReturnNoResources : copy_value(value, buffer, size);
	}
	(void)dx_object_unref(properties); /* always NULL */
	return result;
}

static kern_return_t refuse_setting(io_registry_entry_t entry)
{
	uint64_t id = 0;
	kern_return_t result = dx_service_id(entry, &id);

	return result == kIOReturnSuccess ? kIOReturnUnsupported : result;
}

kern_return_t IORegistryEntrySetCFProperties(io_registry_entry_t entry, CFTypeRef properties)
{
	(void)properties;
	return refuse_setting(entry);
}

kern_return_t IORegistryEntrySetCFProperty(io_registry_entry_t entry, CFStringRef propertyName,
					   CFTypeRef property)
{
	(void)propertyName;
	(void)property;
	return refuse_setting(entry);
}

/* --- relatives ----------------------------------------------------------------------------- */

struct walk {
	uint64_t *ids;
	size_t count;
	size_t capacity;
	uint32_t options;
};

static int walk_add(struct walk *walk, uint64_t id)
{
	if (walk->count == walk->capacity) {
		size_t capacity = walk->capacity == 0 ? 16 : walk->capacity * 2;
		uint64_t *ids = reallocarray(walk->ids, capacity, sizeof(*ids));

		if (ids == NULL) {
			return -ENOMEM;
		}
		walk->ids = ids;
		walk->capacity = capacity;
	}
	walk->ids[walk->count++] = id;
	return 0;
}

/* Adds the direct relatives of an entry right behind `place`, so that a walk goes deep first. */
static int walk_expand(struct walk *walk, const struct dx_dict *entry, size_t place)
{
	size_t before = walk->count;
	int error = 0;

	if ((walk->options & kIORegistryIterateParents) != 0) {
		uint64_t parent = dx_dict_get_u64(entry, DX_ENTRY_PARENT_KEY, 0);

		return parent == 0 ? 0 : walk_add(walk, parent);
	}
	const struct dx_array *children = dx_dict_get_array(entry, DX_ENTRY_CHILDREN_KEY);
	size_t count = children == NULL ? 0 : dx_array_count(children);
	for (size_t i = 0; i < count && error == 0; i++) {
		const void *number = dx_array_get(children, i);

		if (dx_object_is_kind(number, &dx_number_class)) {
			error = walk_add(walk, dx_number_u64(number));
		}
	}
	size_t added = walk->count - before;
	if (added > 0 && place < before) {
		/* Move what was added from the end to its place. */
		uint64_t *copy = malloc(added * sizeof(*copy));

		if (copy == NULL) {
			return -ENOMEM;
		}
		memcpy(copy, walk->ids + before, added * sizeof(*copy));
		memmove(walk->ids + place + added, walk->ids + place,
			(before - place) * sizeof(*walk->ids));
		memcpy(walk->ids + place, copy, added * sizeof(*copy));
		free(copy);
	}
	return error;
}

kern_return_t dx_entry_relatives(uint64_t id, uint32_t options, uint64_t **ret_ids,
				 size_t *ret_count)
{
	struct walk walk = {.options = options};
	struct dx_dict *entry = NULL;
	kern_return_t result = dx_entry_fetch(id, false, &entry);
	int error = 0;

	if (result != kIOReturnSuccess) {
		return result;
	}
	error = walk_expand(&walk, entry, 0);
	entry = dx_object_unref(entry);
	bool deep = (options & kIORegistryIterateRecursively) != 0;
	for (size_t i = 0; deep && error == 0 && i < walk.count && i < DX_MAX_REGISTRY_ENTRIES; i++) {
		if (dx_entry_fetch(walk.ids[i], false, &entry) == kIOReturnSuccess) {
			error = walk_expand(&walk, entry, i + 1);
			entry = dx_object_unref(entry);
		} /* one that has gone meanwhile has no relatives */
	}
	if (error < 0) {
		free(walk.ids);
		return dx_ioreturn_from_errno(error);
	}
	*ret_ids = walk.ids;
	*ret_count = walk.count;
	return kIOReturnSuccess;
}

static kern_return_t make_iterator(io_registry_entry_t entry, const char *plane,
				   IOOptionBits options, io_iterator_t *iterator)
{
	uint64_t id = 0;

	if (iterator == NULL) {
		return kIOReturnBadArgument;
	}
	*iterator = IO_OBJECT_NULL;
	if (!is_service_plane(plane) ||
	    (options & ~(IOOptionBits)(kIORegistryIterateRecursively |
				       kIORegistryIterateParents)) != 0) {
		return kIOReturnBadArgument;
	}
	kern_return_t result = dx_service_id(entry, &id);
	return result == kIOReturnSuccess ? dx_iterator_new_walk(id, options, iterator) : result;
}

kern_return_t IORegistryEntryCreateIterator(io_registry_entry_t entry, const char *plane,
					    IOOptionBits options, io_iterator_t *iterator)
{
	return make_iterator(entry, plane, options, iterator);
}

kern_return_t IORegistryCreateIterator(mach_port_t mainPort, const char *plane,
				       IOOptionBits options, io_iterator_t *iterator)
{
	if (iterator == NULL) {
		return kIOReturnBadArgument;
	}
	*iterator = IO_OBJECT_NULL;
	if (!dx_is_main_port(mainPort) || !is_service_plane(plane)) {
		return kIOReturnBadArgument;
	}
	io_registry_entry_t root = IORegistryGetRootEntry(mainPort);
	if (root == IO_OBJECT_NULL) {
		return kIOReturnNotReady;
	}
	kern_return_t result = make_iterator(root, plane, options, iterator);
	(void)IOObjectRelease(root); /* ours */
	return result;
}

kern_return_t IORegistryEntryGetChildIterator(io_registry_entry_t entry, const char *plane,
					      io_iterator_t *iterator)
{
	return make_iterator(entry, plane, 0, iterator);
}

kern_return_t IORegistryEntryGetParentIterator(io_registry_entry_t entry, const char *plane,
					       io_iterator_t *iterator)
{
	return make_iterator(entry, plane, kIORegistryIterateParents, iterator);
}

static kern_return_t first_relative(io_registry_entry_t entry, const char *plane,
				    IOOptionBits options, io_registry_entry_t *relative)
{
	io_iterator_t iterator = IO_OBJECT_NULL;

	if (relative == NULL) {
		return kIOReturnBadArgument;
	}
	*relative = IO_OBJECT_NULL;
	kern_return_t result = make_iterator(entry, plane, options, &iterator);
	if (result != kIOReturnSuccess) {
		return result;
	}
	*relative = IOIteratorNext(iterator);
	(void)IOObjectRelease(iterator); /* ours */
	return *relative == IO_OBJECT_NULL ? kIOReturnNoDevice : kIOReturnSuccess;
}

kern_return_t IORegistryEntryGetChildEntry(io_registry_entry_t entry, const char *plane,
					   io_registry_entry_t *child)
{
	return first_relative(entry, plane, 0, child);
}

kern_return_t IORegistryEntryGetParentEntry(io_registry_entry_t entry, const char *plane,
					    io_registry_entry_t *parent)
{
	return first_relative(entry, plane, kIORegistryIterateParents, parent);
}

boolean_t IORegistryEntryInPlane(io_registry_entry_t entry, const char *plane)
{
	uint64_t id = 0;

	return is_service_plane(plane) && dx_service_id(entry, &id) == kIOReturnSuccess ? TRUE
											 : FALSE;
}
