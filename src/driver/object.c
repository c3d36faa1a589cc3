/* SPDX-License-Identifier: MIT
 *
 * object - casts, references and instance variables of everything a driver can hold.
 *
 * Place:   driver. Objects are the counted objects of src/base; for a driver's own classes the
 *          instance variables follow the service core in the same allocation.
 */
#include <opendext/object.h>

#include <string.h>

#include "base/value.h"
#include "driver/class.h"
#include "driver/service.h"

#define IVARS_ALIGNMENT 16u

static size_t ivars_room(const OSDriverClass *driver_class)
{
	return (driver_class->ivars_size + IVARS_ALIGNMENT - 1) & ~(size_t)(IVARS_ALIGNMENT - 1);
}

bool dx_class_is_root(const OSDriverClass *driver_class)
{
	return driver_class->reserved[0] != NULL;
}

bool dx_class_derives(const OSDriverClass *driver_class, const OSDriverClass *from)
{
	while (driver_class != NULL && driver_class != from) {
		driver_class = driver_class->super;
	}
	return driver_class != NULL;
}

const char *dx_class_check(const OSDriverClass *driver_class)
{
	const OSDriverClass *root = driver_class;

	if (driver_class->name == NULL || driver_class->name[0] == '\0') {
		return "a class has no name";
	}
	for (unsigned depth = 0; !dx_class_is_root(root); depth++) {
		root = root->super;
		if (root == NULL || depth > 32) {
			return "the super classes do not lead to IOServiceClass";
		}
	}
	if (root != &IOServiceClass && root != &IOUserClientClass) {
		return "only IOServiceClass and IOUserClientClass can be derived from";
	}
	if (driver_class->ivars_size > 1u << 24) {
		return "ivars_size is above 16 MiB";
	}
	return NULL;
}

const OSDriverClass *dx_class_find(const OSDriverClass *const *classes, const char *name)
{
	for (size_t i = 0; classes != NULL && classes[i] != NULL; i++) {
		if (strcmp(classes[i]->name, name) == 0) {
			return classes[i];
		}
	}
	return NULL;
}

size_t dx_class_ivars_total(const OSDriverClass *driver_class)
{
	size_t total = 0;

	for (; !dx_class_is_root(driver_class); driver_class = driver_class->super) {
		total += ivars_room(driver_class);
	}
	return total;
}

/* A service of a driver's class, or NULL. */
static const struct dx_service *as_driver_service(const void *object)
{
	if (!dx_object_is_kind(object, &dx_service_class)) {
		return NULL;
	}
	const struct dx_service *service = object;
	return service->driver_class == NULL ? NULL : service;
}

bool OSObjectIsKind(const void *object, const OSDriverClass *driver_class)
{
	if (object == NULL || driver_class == NULL) {
		return false;
	}
	if (driver_class == &OSObjectClass) {
		return true;
	}
	if (driver_class == &IOBufferMemoryDescriptorClass) {
		return dx_memory_is_buffer(object);
	}
	if (dx_class_is_root(driver_class)) {
		return dx_object_is_kind(object, driver_class->reserved[0]);
	}
	const struct dx_service *service = as_driver_service(object);
	return service != NULL && dx_class_derives(service->driver_class, driver_class);
}

void *OSObjectCast(const void *object, const OSDriverClass *driver_class)
{
	return OSObjectIsKind(object, driver_class) ? (void *)(uintptr_t)object : NULL;
}

void *OSObjectGetIvars(const void *object, const OSDriverClass *driver_class)
{
	const struct dx_service *service = as_driver_service(object);

	if (service == NULL || driver_class == NULL || dx_class_is_root(driver_class) ||
	    driver_class->ivars_size == 0 ||
	    !dx_class_derives(service->driver_class, driver_class)) {
		return NULL;
	}
	size_t offset = dx_class_ivars_total(driver_class->super);
	return dx_service_ivars(service) + offset;
}

const char *OSObjectGetClassName(const void *object)
{
	static const OSDriverClass *const known[] = {
		&IOEventLinkClass,
		&IOWorkGroupClass,
		&IOInterruptDispatchSourceClass,
		&IOServiceNotificationDispatchSourceClass,
		&IOServiceStateNotificationDispatchSourceClass,
		&OSActionClass,		      &OSBooleanClass,	     &OSNumberClass,
		&OSStringClass,		      &OSDataClass,	     &OSArrayClass,
		&OSDictionaryClass,	      &IOUserClientClass,    &IOUSBHostDeviceClass,
		&IOUSBHostInterfaceClass,     &IOServiceClass,	     &IODispatchQueueClass,
		&IOTimerDispatchSourceClass,  &IOBufferMemoryDescriptorClass,
		&IOMemoryDescriptorClass,     &IOMemoryMapClass,     &IOUSBHostPipeClass,
	};
	const struct dx_service *service = as_driver_service(object);

	if (service != NULL) {
		return service->driver_class->name;
	}
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (OSObjectIsKind(object, known[i])) {
			return known[i]->name;
		}
	}
	return "";
}

void *OSRetain(const void *object)
{
	return dx_object_ref(object);
}

void OSRelease(const void *object)
{
	(void)dx_object_unref(object);
}

uint32_t OSObjectGetRetainCount(const void *object)
{
	return object == NULL ? 0 : dx_object_refs(object);
}

bool OSObjectIsEqualTo(const void *a, const void *b)
{
	return dx_value_equal(a, b);
}
