/* SPDX-License-Identifier: MIT
 *
 * metaclass - the root of all classes: counting, casts, messages.
 */
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "cxx/classes.h"
#include "cxx/face.h"
#include "cxx/message.h"

/* ---- OSMetaClassBase ---- */

void OSMetaClassBase::retain() const
{
	(void)core::OSRetain(dx::core_of(this));
}

void OSMetaClassBase::release() const
{
	core::OSRelease(dx::core_of(this));
}

bool OSMetaClassBase::isEqualTo(const OSMetaClassBase *other) const
{
	return other != nullptr && core::OSObjectIsEqualTo(dx::core_of(this), dx::core_of(other));
}

const OSMetaClass *OSMetaClassBase::getMetaClass() const
{
	return dx::face_of(this)->meta;
}

const OSMetaClass *OSMetaClassBase::GetClass() const
{
	return getMetaClass();
}

const char *OSMetaClassBase::GetClassName() const
{
	return getMetaClass()->getClassName();
}

bool OSMetaClassBase::IsRemote() const
{
	return false;
}

kern_return_t OSMetaClassBase::Dispatch(const IORPC rpc)
{
	return _Dispatch(this, rpc);
}

kern_return_t OSMetaClassBase::_Dispatch(OSMetaClassBase *self, const IORPC rpc)
{
	(void)self;
	(void)rpc;
	return kIOReturnUnsupported;
}

OSMetaClassBase *OSMetaClassBase::safeMetaCast(const OSMetaClassBase *object, const OSMetaClass *to)
{
	if (object == nullptr || !object->getMetaClass()->IsSubclassOf(to)) {
		return nullptr;
	}
	return const_cast<OSMetaClassBase *>(object);
}

OSMetaClassBase *OSMetaClassBase::requiredMetaCast(const OSMetaClassBase *object,
						   const OSMetaClass *to)
{
	OSMetaClassBase *cast = safeMetaCast(object, to);

	if (object != nullptr && cast == nullptr) {
		panic("an object of class %s where %s is required", object->GetClassName(),
		      to->getClassName());
	}
	return cast;
}

/* ---- messages ---- */

struct Delivery {
	OSMetaClassBase *object;
	IORPC rpc;
};

static kern_return_t deliver(void *context)
{
	const Delivery *delivery = static_cast<const Delivery *>(context);

	return delivery->object->Dispatch(delivery->rpc);
}

/* Methods of the runtime's classes run where they are called; a driver's run on their queue. */
kern_return_t OSMetaClassBase::Invoke(const IORPC rpc)
{
	const OSMethodInformation *method =
		dx::find_method(getMetaClass()->information, rpc.msgid);

	if (method == nullptr) {
		return Dispatch(rpc);
	}
	core::IODispatchQueue *queue = core::OpenDextServiceCopyMethodQueue(
		dx::to<core::IOService>(this),
		dx::find_queue_name(getMetaClass()->information, rpc.msgid));
	if (queue == nullptr) {
		return Dispatch(rpc); /* no service: it has no queues */
	}
	Delivery delivery = {this, rpc};
	retain();
	bool here = core::IODispatchQueueOnQueue(queue) || core::OpenDextQueueIsOpen(queue);
	kern_return_t status = here
				       ? Dispatch(rpc)
				       : core::IODispatchQueueRunAction(queue, &delivery, deliver);
	core::OSRelease(queue);
	release();
	return status;
}

/* ---- OSMetaClass: static objects, without a face ---- */

void OSMetaClass::retain() const
{
}

void OSMetaClass::release() const
{
}

const OSMetaClass *OSMetaClass::getMetaClass() const
{
	return this;
}

const char *OSMetaClass::getClassName() const
{
	return information->name;
}

bool OSMetaClass::IsSubclassOf(const OSMetaClass *other) const
{
	const OSClassLoadInformation *at = information;

	while (at != nullptr && at->metaClass != other) {
		at = at->superClass;
	}
	return at != nullptr;
}

OSObject *OSMetaClass::Alloc() const
{
	if (dx::is_runtime_class(information) || IsSubclassOf(gIOServiceMetaClass) ||
	    IsSubclassOf(gOSActionMetaClass)) {
		return nullptr;
	}
	return dx::allocate(this);
}

/* ---- OSObject ---- */

DX_RUNTIME_CLASS_RECORD(OSObject, nullptr)
DX_RUNTIME_CLASS(OSContainer, OSObject)

kern_return_t OSObject::_Dispatch(OSMetaClassBase *self, const IORPC rpc)
{
	return OSMetaClassBase::_Dispatch(self, rpc);
}

bool OSObject::init()
{
	return true;
}

void OSObject::free()
{
}

DX_REMOTE(OSObject, SetDispatchQueue, name, queue)
DX_REMOTE(OSObject, CopyDispatchQueue, name, queue)

/* ---- ends ---- */

void panic(const char *format, ...)
{
	char text[512];
	va_list arguments;

	va_start(arguments, format);
	(void)vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	(void)IOLog("panic: %s", text);
	abort();
}
