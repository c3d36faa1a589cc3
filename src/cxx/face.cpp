/* SPDX-License-Identifier: MIT
 *
 * face - see face.h.
 */
#include "cxx/face.h"

#include <cstdlib>

namespace dx {

/* Which class shows objects of which class of the core. */
struct Pair {
	const core::OSDriverClass *core_class;
	OSMetaClass *const *meta;
};

static const Pair pairs[] = {
	{&core::OSDataClass, &gOSDataMetaClass},
	{&core::OSActionClass, &gOSActionMetaClass},
	{&core::IOMemoryDescriptorClass, &gIOMemoryDescriptorMetaClass},
	{&core::IOMemoryMapClass, &gIOMemoryMapMetaClass},
	{&core::OSStringClass, &gOSStringMetaClass},
	{&core::OSNumberClass, &gOSNumberMetaClass},
	{&core::OSDictionaryClass, &gOSDictionaryMetaClass},
	{&core::OSArrayClass, &gOSArrayMetaClass},
	{&core::IODispatchQueueClass, &gIODispatchQueueMetaClass},
	{&core::IOTimerDispatchSourceClass, &gIOTimerDispatchSourceMetaClass},
	{&core::IOEventLinkClass, &gIOEventLinkMetaClass},
	{&core::IOWorkGroupClass, &gIOWorkGroupMetaClass},
	{&core::IOInterruptDispatchSourceClass, &gIOInterruptDispatchSourceMetaClass},
	{&core::IOServiceNotificationDispatchSourceClass,
	 &gIOServiceNotificationDispatchSourceMetaClass},
	{&core::IOServiceStateNotificationDispatchSourceClass,
	 &gIOServiceStateNotificationDispatchSourceMetaClass},
	{&core::IOUSBHostDeviceClass, &gIOUSBHostDeviceMetaClass},
	{&core::IOUSBHostInterfaceClass, &gIOUSBHostInterfaceMetaClass},
	{&core::IOUSBHostPipeClass, &gIOUSBHostPipeMetaClass},
	{&core::IOUserClientClass, &gIOUserClientMetaClass},
	{&core::IOServiceClass, &gIOServiceMetaClass},
};

static const OSMetaClass *class_for(const void *core)
{
	const void *found = core::OpenDextObjectClass(core);

	if (core::OSObjectIsKind(core, &core::IOBufferMemoryDescriptorClass)) {
		return gIOBufferMemoryDescriptorMetaClass;
	}
	for (const Pair &pair : pairs) {
		if (pair.core_class->reserved[0] == found) {
			return *pair.meta;
		}
	}
	return gOSObjectMetaClass;
}

/* ---- the two booleans, which are constants in the core ---- */

struct alignas(16) BooleanStorage {
	Face face;
	unsigned char object[sizeof(OSBoolean)];
};
static BooleanStorage booleans[2];

static void construct_booleans() __attribute__((constructor));
static void construct_booleans()
{
	for (int value = 0; value < 2; value++) {
		(void)construct(&booleans[value].face, core::OSBooleanGet(value != 0),
				gOSBooleanMetaClass);
	}
}

static OSObject *boolean_of(const void *core)
{
	bool value = core::OSBooleanGetValue(static_cast<const core::OSBoolean *>(core));

	return object_of(&booleans[value ? 1 : 0].face);
}

} // namespace dx

OSBoolean *const kOSBooleanFalse = reinterpret_cast<OSBoolean *>(dx::booleans[0].object);
OSBoolean *const kOSBooleanTrue = reinterpret_cast<OSBoolean *>(dx::booleans[1].object);

namespace dx {

/* ---- making them ---- */

bool construct(Face *face, void *core, const OSMetaClass *meta)
{
	face->head.object = core;
	face->meta = meta;
	return meta->information->New(object_of(face)) == kIOReturnSuccess;
}

/* free() must leave the core object alone: its class has taken it down already. */
static void free_face(dx_face *face)
{
	object_of(reinterpret_cast<Face *>(face))->free();
	free(face);
}

OSObject *make_object(const void *core, const OSMetaClass *meta)
{
	size_t size = sizeof(Face) + meta->information->instanceSize;
	Face *face = static_cast<Face *>(calloc(1, size));

	if (face == nullptr) {
		return nullptr;
	}
	face->head.free = free_face;
	if (!construct(face, const_cast<void *>(core), meta)) {
		free(face);
		return nullptr;
	}
	Face *in_force = reinterpret_cast<Face *>(core::OpenDextFaceSet(core, &face->head));
	if (in_force != face) {
		free(face); /* another thread was faster */
	}
	return object_of(in_force);
}

OSObject *object_of(const void *core)
{
	if (core == nullptr) {
		return nullptr;
	}
	dx_face *face = core::OpenDextFaceGet(core);
	if (face != nullptr) {
		return object_of(reinterpret_cast<Face *>(face));
	}
	if (core::OpenDextObjectClass(core) == core::OSBooleanClass.reserved[0]) {
		return boolean_of(core);
	}
	return make_object(core, class_for(core));
}

/* The last reference of an object that is C++ all through. */
static void free_own(dx_face *face)
{
	object_of(reinterpret_cast<Face *>(face))->free();
}

OSObject *allocate(const OSMetaClass *meta)
{
	dx_face *head = nullptr;
	size_t more = sizeof(Face) - sizeof(dx_face) + meta->information->instanceSize;
	void *core = core::OpenDextFaceNew(more, &head);

	if (core == nullptr) {
		return nullptr;
	}
	Face *face = reinterpret_cast<Face *>(head);
	if (!construct(face, core, meta)) {
		core::OSRelease(core);
		return nullptr;
	}
	head->free = free_own;
	(void)core::OpenDextFaceSet(core, head);
	return object_of(face);
}

} // namespace dx
