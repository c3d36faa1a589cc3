/* SPDX-License-Identifier: MIT
 *
 * object - handles in general, and iterators.
 *
 * Place:      client, over names. An iterator is a list of ids made when it was created; a registry
 *             iterator has a stack of such lists.
 * Threads:    any.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <IOKit/IOKitLib.h>

#include "base/check.h"
#include "base/ioreturn.h"
#include "base/mutex.h"
#include "client/cf.h"
#include "client/connection.h"
#include "client/notify.h"
#include "client/port.h"
#include "client/service.h"
#include "client/session.h"
#include "wire/wire.h"

/* One level of an iterator. */
struct level {
	struct level *outer;
	uint64_t *ids;
	size_t count;
	size_t position;
};

struct iterator {
	struct dx_object object;
	uint32_t options;
	bool registry; /* levels can be entered */
	struct dx_mutex lock; /* order 59; guards: all below */
	struct level *level DX_GUARDED_BY(lock);
};

static struct level *level_free(struct level *level)
{
	struct level *outer = level->outer;

	free(level->ids);
	free(level);
	return outer;
}

static void free_levels(struct iterator *iterator) DX_REQUIRES(iterator->lock)
{
	while (iterator->level != NULL) {
		iterator->level = level_free(iterator->level);
	}
}

static void iterator_free(struct dx_object *object)
{
	struct iterator *iterator = (void *)object;

	dx_mutex_lock(&iterator->lock);
	free_levels(iterator);
	dx_mutex_unlock(&iterator->lock);
	dx_mutex_fini(&iterator->lock);
}

static const struct dx_named_class iterator_class = {
	.class = {
		.name = "iterator",
		.instance_size = sizeof(struct iterator),
		.free = iterator_free,
	},
};

/* A level over ids, which are taken over on success. */
static struct level *level_new(uint64_t *ids, size_t count)
{
	struct level *level = calloc(1, sizeof(*level));

	if (level != NULL) {
		*level = (struct level){.ids = ids, .count = count};
	}
	return level;
}

static int iterator_new(uint64_t *ids, size_t count, bool registry, uint32_t options,
			uint32_t *ret_name)
{
	struct iterator *iterator = dx_object_new(&iterator_class.class);
	struct level *level = level_new(NULL, 0);

	if (iterator == NULL || level == NULL) {
		free(iterator);
		free(level);
		return -ENOMEM;
	}
	dx_mutex_init(&iterator->lock);
	dx_mutex_lock(&iterator->lock);
	iterator->level = level;
	dx_mutex_unlock(&iterator->lock);
	iterator->registry = registry;
	iterator->options = options;
	int error = dx_names_add(iterator, ret_name);
	if (error == 0) {
		level->ids = ids;
		level->count = count;
	}
	(void)dx_object_unref(iterator); /* always NULL; the name has its own */
	return error;
}

int dx_iterator_new(uint64_t *ids, size_t count, uint32_t *ret_name)
{
	return iterator_new(ids, count, false, 0, ret_name);
}

kern_return_t dx_iterator_new_walk(uint64_t id, uint32_t options, uint32_t *ret_name)
{
	uint64_t *ids = NULL;
	size_t count = 0;
	kern_return_t result = dx_entry_relatives(id, options, &ids, &count);

	if (result != kIOReturnSuccess) {
		return result;
	}
	int error = iterator_new(ids, count, true, options, ret_name);
	if (error < 0) {
		free(ids);
	}
	return dx_ioreturn_from_errno(error);
}

static bool next_id(struct iterator *iterator, uint64_t *ret_id)
{
	dx_mutex_lock(&iterator->lock);
	struct level *level = iterator->level;
	bool any = level->position < level->count;
	if (any) {
		*ret_id = level->ids[level->position++];
	}
	dx_mutex_unlock(&iterator->lock);
	return any;
}

io_object_t IOIteratorNext(io_iterator_t iterator)
{
	uint32_t name = IO_OBJECT_NULL;
	uint64_t id = 0;
	bool any = false;
	void *object = dx_names_get(iterator, &iterator_class);

	if (object != NULL) {
		any = next_id(object, &id);
	} else {
		object = dx_names_get(iterator, &dx_matching_class);
		any = object != NULL && dx_matching_next(object, &id);
	}
	if (any && dx_names_add_entry(id, &name) < 0) {
		name = IO_OBJECT_NULL;
	}
	(void)dx_object_unref(object); /* always NULL */
	return name;
}

void IOIteratorReset(io_iterator_t iterator)
{
	struct iterator *object = dx_names_get(iterator, &iterator_class);

	if (object == NULL) {
		return;
	}
	dx_mutex_lock(&object->lock);
	while (object->level->outer != NULL) {
		object->level = level_free(object->level);
	}
	object->level->position = 0;
	dx_mutex_unlock(&object->lock);
	(void)dx_object_unref(object); /* always NULL */
}

boolean_t IOIteratorIsValid(io_iterator_t iterator)
{
	void *object = dx_names_get(iterator, &iterator_class);

	if (object == NULL) {
		object = dx_names_get(iterator, &dx_matching_class);
	}
	boolean_t valid = object != NULL ? TRUE : FALSE;
	(void)dx_object_unref(object); /* always NULL */
	return valid;
}

/* The id that the iterator gave last. */
static bool last_id(struct iterator *iterator, uint64_t *ret_id)
{
	dx_mutex_lock(&iterator->lock);
	const struct level *level = iterator->level;
	bool any = iterator->registry && level->position > 0;
	if (any) {
		*ret_id = level->ids[level->position - 1];
	}
	dx_mutex_unlock(&iterator->lock);
	return any;
}

static kern_return_t enter(struct iterator *iterator)
{
	uint64_t *ids = NULL;
	size_t count = 0;
	uint64_t id = 0;

	if (!last_id(iterator, &id)) {
		return kIOReturnBadArgument;
	}
	kern_return_t result = dx_entry_relatives(id, iterator->options, &ids, &count);
	if (result != kIOReturnSuccess) {
		return result;
	}
	struct level *level = level_new(ids, count);
	if (level == NULL) {
		free(ids);
		return kIOReturnNoMemory;
	}
	dx_mutex_lock(&iterator->lock);
	level->outer = iterator->level;
	iterator->level = level;
	dx_mutex_unlock(&iterator->lock);
	return kIOReturnSuccess;
}

kern_return_t IORegistryIteratorEnterEntry(io_iterator_t iterator)
{
	struct iterator *object = dx_names_get(iterator, &iterator_class);
	kern_return_t result = object == NULL ? kIOReturnBadArgument : enter(object);

	(void)dx_object_unref(object); /* always NULL */
	return result;
}

kern_return_t IORegistryIteratorExitEntry(io_iterator_t iterator)
{
	struct iterator *object = dx_names_get(iterator, &iterator_class);
	kern_return_t result = kIOReturnBadArgument;

	if (object == NULL || !object->registry) {
		(void)dx_object_unref(object); /* always NULL */
		return result;
	}
	dx_mutex_lock(&object->lock);
	result = object->level->outer == NULL ? kIOReturnNoDevice : kIOReturnSuccess;
	if (result == kIOReturnSuccess) {
		object->level = level_free(object->level);
	}
	dx_mutex_unlock(&object->lock);
	(void)dx_object_unref(object); /* always NULL */
	return result;
}

/* --- handles ------------------------------------------------------------------------------- */

kern_return_t IOObjectRelease(io_object_t object)
{
	if (object == IO_OBJECT_NULL) {
		return kIOReturnSuccess;
	}
	int error = dx_names_release(object);
	dx_session_settle();
	return error < 0 ? MACH_SEND_INVALID_DEST : kIOReturnSuccess;
}

kern_return_t IOObjectRetain(io_object_t object)
{
	return dx_names_retain(object) < 0 ? MACH_SEND_INVALID_DEST : kIOReturnSuccess;
}

boolean_t IOObjectIsEqualTo(io_object_t object, io_object_t anObject)
{
	return object == anObject ? TRUE : FALSE;
}

uint32_t IOObjectGetUserRetainCount(io_object_t object)
{
	return dx_names_refs(object);
}

uint32_t IOObjectGetKernelRetainCount(io_object_t object)
{
	struct dx_dict *entry = NULL;

	if (dx_entry_fetch_name(object, false, &entry) != kIOReturnSuccess) {
		return 0;
	}
	uint64_t count = dx_dict_get_u64(entry, DX_ENTRY_RETAIN_KEY, 1);
	(void)dx_object_unref(entry); /* always NULL */
	return count > UINT32_MAX ? UINT32_MAX : (uint32_t)count;
}

uint32_t IOObjectGetRetainCount(io_object_t object)
{
	return IOObjectGetKernelRetainCount(object);
}

/* --- classes ------------------------------------------------------------------------------- */

/* Kernel classes that this library knows, each with the one above it. */
static const char *const known_classes[][2] = {
	{"OSObject", NULL},
	{"IORegistryEntry", "OSObject"},
	{"OSIterator", "OSObject"},
	{"OSCollectionIterator", "OSIterator"},
	{"IORegistryIterator", "OSIterator"},
	{"IOUserIterator", "OSIterator"},
	{"IOUserNotification", "IOUserIterator"},
	{"IOServiceUserNotification", "IOUserNotification"},
	{"IOServiceMessageUserNotification", "IOUserNotification"},
	{"IOService", "IORegistryEntry"},
	{"IOResources", "IOService"},
	{"IOUserResources", "IOService"},
	{"IOPlatformExpertDevice", "IOService"},
	{"IOUserClient", "IOService"},
	{"IOUserClient2022", "IOUserClient"},
	{"IOUserService", "IOService"},
	{"IOUserUserClient", "IOUserClient2022"},
	{"IOUserServer", "IOUserClient2022"},
	{"IOUSBHostDevice", "IOService"},
	{"IOUSBHostInterface", "IOService"},
};

static const char *superclass_of(const char *class, bool *ret_known)
{
	*ret_known = false;
	for (size_t i = 0; i < DX_ARRAY_SIZE(known_classes); i++) {
		if (strcmp(known_classes[i][0], class) == 0) {
			*ret_known = true;
			return known_classes[i][1];
		}
	}
	return NULL;
}

CFStringRef IOObjectCopySuperclassForClass(CFStringRef classname)
{
	bool known = false;
	const char *super = classname == NULL
				    ? NULL
				    : superclass_of(dx_string_get((const void *)classname), &known);

	return super == NULL ? NULL : (CFStringRef)dx_string_new(super);
}

CFStringRef IOObjectCopyBundleIdentifierForClass(CFStringRef classname)
{
	bool known = false;

	if (classname != NULL) {
		(void)superclass_of(dx_string_get((const void *)classname), &known);
	}
	return known ? (CFStringRef)dx_string_new("__kernel__") : NULL;
}

/* The class of an object that is no registry entry. */
static const char *class_of_object(const void *object)
{
	static const struct {
		const struct dx_named_class *class;
		const char *name;
	} names[] = {
		{&dx_connection_class, "IOUserUserClient"},
		{&dx_matching_class, "IOServiceUserNotification"},
		{&dx_interest_class, "IOServiceMessageUserNotification"},
		{&dx_ending_class, "IOServiceMessageUserNotification"},
	};

	for (size_t i = 0; i < DX_ARRAY_SIZE(names); i++) {
		if (dx_object_is_kind(object, &names[i].class->class)) {
			return names[i].name;
		}
	}
	if (!dx_object_is_kind(object, &iterator_class.class)) {
		return NULL;
	}
	return ((const struct iterator *)object)->registry ? "IORegistryIterator"
							   : "IOUserIterator";
}

/* Names of the class of an entry and those above it, +1. */
static kern_return_t classes_of_entry(uint32_t name, struct dx_array **ret_classes)
{
	struct dx_dict *entry = NULL;
	kern_return_t result = dx_entry_fetch_name(name, false, &entry);

	if (result != kIOReturnSuccess) {
		return result;
	}
	*ret_classes = dx_object_ref(dx_dict_get_array(entry, DX_ENTRY_CLASSES_KEY));
	(void)dx_object_unref(entry); /* always NULL */
	return *ret_classes == NULL ? kIOReturnIPCError : kIOReturnSuccess;
}

static const char *string_at(const struct dx_array *array, size_t index)
{
	const void *value = dx_array_get(array, index);

	return dx_object_is_kind(value, &dx_string_class) ? dx_string_get(value) : NULL;
}

kern_return_t IOObjectGetClass(io_object_t object, io_name_t className)
{
	struct dx_array *classes = NULL;
	kern_return_t result = kIOReturnSuccess;

	if (className == NULL) {
		return kIOReturnBadArgument;
	}
	void *named = dx_names_get(object, NULL);
	if (named == NULL) {
		return object == IO_OBJECT_NULL ? kIOReturnBadArgument : MACH_SEND_INVALID_DEST;
	}
	const char *name = class_of_object(named);
	if (name == NULL) {
		result = classes_of_entry(object, &classes);
		name = result == kIOReturnSuccess ? string_at(classes, 0) : NULL;
	}
	if (name != NULL && strlen(name) < sizeof(io_name_t)) {
		memcpy(className, name, strlen(name) + 1);
	} else if (result == kIOReturnSuccess) {
		result = kIOReturnBadArgument;
	}
	(void)dx_object_unref(classes); /* always NULL, also below */
	(void)dx_object_unref(named);
	return result;
}

CFStringRef IOObjectCopyClass(io_object_t object)
{
	io_name_t name;

	if (IOObjectGetClass(object, name) != kIOReturnSuccess) {
		return NULL;
	}
	return (CFStringRef)dx_string_new(name);
}

/* True when class is among those above a known class, or that class. */
static bool known_conforms(const char *own, const char *class)
{
	bool known = true;

	while (own != NULL && known) {
		if (strcmp(own, class) == 0) {
			return true;
		}
		own = superclass_of(own, &known);
	}
	return false;
}

boolean_t IOObjectConformsTo(io_object_t object, const char *className)
{
	struct dx_array *classes = NULL;
	bool conforms = false;
	void *named = className == NULL ? NULL : dx_names_get(object, NULL);

	if (named == NULL) {
		return FALSE;
	}
	const char *own = class_of_object(named);
	if (own != NULL) {
		conforms = known_conforms(own, className);
	} else if (classes_of_entry(object, &classes) == kIOReturnSuccess) {
		for (size_t i = 0; i < dx_array_count(classes) && !conforms; i++) {
			const char *class = string_at(classes, i);

			conforms = class != NULL && strcmp(class, className) == 0;
		}
	}
	(void)dx_object_unref(classes); /* always NULL, also below */
	(void)dx_object_unref(named);
	return conforms ? TRUE : FALSE;
}
