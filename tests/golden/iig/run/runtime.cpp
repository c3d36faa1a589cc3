/* SPDX-License-Identifier: MIT
 *
 * runtime - the least that generated code needs, for the test of it: one thread, one queue.
 *
 * It also implements what the system classes of this test leave to the runtime.
 */
#include <cstdlib>
#include <cstring>

#include "runtime.h"

#include <DriverKit/IOTimerDispatchSource.h>

/* The class of blocks that capture nothing: all that this test has. */
extern "C" {
void *_NSConcreteGlobalBlock[32];
}

static const OSClassLoadInformation *classes[64];
static unsigned int nr_classes;
static const char *last_queue;

struct Head {
	const OSClassLoadInformation *information;
	OSObject *target;
	uint64_t targetmsgid, msgid;
};

static Head *head_of(const OSMetaClassBase *object)
{
	return reinterpret_cast<Head *>(const_cast<OSMetaClassBase *>(object)) - 1;
}

void OSClassRegister(const OSClassLoadInformation *information)
{
	classes[nr_classes++] = information;
}

const OSClassLoadInformation *test_find_class(const char *name)
{
	for (unsigned int i = 0; i < nr_classes; i++) {
		if (strcmp(classes[i]->name, name) == 0) {
			return classes[i];
		}
	}
	return nullptr;
}

void OSMetaClassBase::retain() const
{
}

void OSMetaClassBase::release() const
{
	OSMetaClassBase *self = const_cast<OSMetaClassBase *>(this);
	static_cast<OSObject *>(self)->free();
	::free(head_of(this));
}

bool OSMetaClassBase::isEqualTo(const OSMetaClassBase *other) const
{
	return this == other;
}

const OSMetaClass *OSMetaClassBase::getMetaClass() const
{
	return head_of(this)->information->metaClass;
}

const OSMetaClass *OSMetaClassBase::GetClass() const
{
	return getMetaClass();
}

const char *OSMetaClassBase::GetClassName() const
{
	return getMetaClass()->information->name;
}

kern_return_t OSMetaClassBase::Dispatch(const IORPC rpc)
{
	return _Dispatch(this, rpc);
}

kern_return_t OSMetaClassBase::_Dispatch(OSMetaClassBase *, const IORPC)
{
	return kIOReturnUnsupported;
}

kern_return_t OSMetaClassBase::Invoke(const IORPC rpc)
{
	last_queue = test_find_queue(getMetaClass()->information, rpc.msgid);
	return Dispatch(rpc);
}

OSMetaClassBase *OSMetaClassBase::safeMetaCast(const OSMetaClassBase *object, const OSMetaClass *to)
{
	if (object == nullptr || !object->getMetaClass()->IsSubclassOf(to)) {
		return nullptr;
	}
	return const_cast<OSMetaClassBase *>(object);
}

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

OSObject *OSMetaClass::Alloc() const
{
	Head *head = static_cast<Head *>(calloc(1, sizeof(Head) + information->instanceSize));
	head->information = information;
	OSObject *object = reinterpret_cast<OSObject *>(head + 1);
	if (information->New(object) != kIOReturnSuccess) {
		::free(head);
		return nullptr;
	}
	return object;
}

bool OSMetaClass::IsSubclassOf(const OSMetaClass *other) const
{
	const OSClassLoadInformation *at = information;
	while (at != nullptr && at != other->information) {
		at = at->superClass;
	}
	return at != nullptr;
}

kern_return_t OSActionCreateTyped(const OSMetaClass *actionClass, OSObject *target,
				  uint64_t targetmsgid, uint64_t msgid, size_t, OSAction **action)
{
	OSObject *object = actionClass->Alloc();
	Head *head = head_of(object);
	head->target = target;
	head->targetmsgid = targetmsgid;
	head->msgid = msgid;
	*action = static_cast<OSAction *>(object);
	return kIOReturnSuccess;
}

const char *test_find_queue(const OSClassLoadInformation *information, uint64_t msgid)
{
	for (; information != nullptr; information = information->superClass) {
		for (uint32_t i = 0; i < information->methodCount; i++) {
			const OSMethodInformation *method = &information->methods[i];
			if (method->msgid == msgid && method->queueName != nullptr) {
				return method->queueName;
			}
		}
	}
	return "default";
}

const char *test_last_queue()
{
	return last_queue;
}

/* --- The system's classes -------------------------------------------------------------------- */

bool OSObject::init()
{
	return true;
}

void OSObject::free()
{
}

kern_return_t IMPL(OSObject, SetDispatchQueue)
{
	return name != nullptr && queue != nullptr ? kIOReturnSuccess : kIOReturnBadArgument;
}

kern_return_t OSAction::Dispatch(const IORPC rpc)
{
	const Head *head = head_of(this);
	if (rpc.msgid != head->msgid) {
		return kIOReturnUnsupported;
	}
	const IORPC call = {head->targetmsgid, rpc.message};
	return head->target->Invoke(call);
}

void OSAction::SetTarget(OSObject *target, uint64_t targetmsgid, uint64_t msgid)
{
	Head *head = head_of(this);
	head->target = target;
	head->targetmsgid = targetmsgid;
	head->msgid = msgid;
}

bool IOService::init()
{
	return super::init();
}

void IOService::free()
{
	super::free();
}

kern_return_t IMPL(IOService, Start)
{
	return provider == nullptr ? kIOReturnNoDevice : kIOReturnSuccess;
}

kern_return_t IMPL(IOService, Stop)
{
	return provider == nullptr ? kIOReturnNoDevice : kIOReturnSuccess;
}

kern_return_t IMPL(IOService, NewUserClient)
{
	return type == 0 && userClient != nullptr ? kIOReturnUnsupported : kIOReturnBadArgument;
}

/* A driver may override what the runtime implements, so the caller sends a message all the same. */
kern_return_t IOService::SetName(const char *name, OSDispatchMethod)
{
	return name[0] == '\0' ? kIOReturnBadArgument : kIOReturnSuccess;
}

kern_return_t IOService::RegisterService(OSDispatchMethod supermethod)
{
	if (supermethod != nullptr) {
		return kIOReturnSuccess;
	}
	IOService_RegisterService_Msg message = {};
	const IORPC rpc = {IOService_RegisterService_ID, &message};
	const kern_return_t ret = Invoke(rpc);
	return ret == kIOReturnUnsupported ? kIOReturnSuccess : ret;
}

kern_return_t IOService::GetCount(uint32_t *count)
{
	*count = nr_classes;
	return kIOReturnSuccess;
}

IOService *IOService::GetProvider() const
{
	return nullptr;
}

kern_return_t IOUserClient::ExternalMethod(uint64_t selector, IOUserClientMethodArguments *,
					   const IOUserClientMethodDispatch *, OSObject *, void *)
{
	return selector == 0 ? kIOReturnSuccess : kIOReturnBadArgument;
}
