/* SPDX-License-Identifier: MIT
 *
 * DriverKit/OSObject.h - the root of all classes that can be counted and derived from.
 */
#ifndef OPENDEXT_DRIVERKIT_OSOBJECT_H
#define OPENDEXT_DRIVERKIT_OSOBJECT_H

#if defined(__IIG) && __IIG
#include <DriverKit/OSObject.iig>
#else

#include <DriverKit/IOReturn.h>
#include <DriverKit/IOTypes.h>
#include <DriverKit/OSMetaClass.h>

#include <stdlib.h>

class IODispatchQueue;

/*! Name of a queue of an object. */
typedef char IODispatchQueueName[256];

#pragma GCC visibility push(default)

/* What a class of the runtime declares for generated code: see DriverKit/OSMetaClass.h. */
#define OS_RUNTIME_CLASS(cls, superclass)                               \
public:                                                                 \
	using super = superclass;                                       \
	static OSMetaClass *sGetMetaClass() { return g##cls##MetaClass; } \
	kern_return_t Dispatch(const IORPC rpc) override;               \
	static kern_return_t _Dispatch(OSMetaClassBase *self, const IORPC rpc)

/* The type of a method's implementation as a function, and what takes a message apart for it. */
#define OS_RUNTIME_INVOKE(cls, result, method)                                           \
	typedef result (*method##_Handler)(OSMetaClassBase * target, cls##_##method##_Args); \
	static kern_return_t method##_Invoke(const IORPC rpc, OSMetaClassBase *target,   \
					     method##_Handler func)
/* The same for a method without parameters. */
#define OS_RUNTIME_INVOKE_VOID(cls, result, method)                                    \
	typedef result (*method##_Handler)(OSMetaClassBase * target);                  \
	static kern_return_t method##_Invoke(const IORPC rpc, OSMetaClassBase *target, \
					     method##_Handler func)
/* The same for a callback that an action delivers. */
#define OS_RUNTIME_INVOKE_TYPE(cls, method) OS_RUNTIME_INVOKE(cls, void, method)

extern OSMetaClass *gOSObjectMetaClass;
extern const OSClassLoadInformation OSObject_Class;

#define OSObject_SetDispatchQueue_ID  0x2c1a65bbd8e1d2b0ULL
#define OSObject_CopyDispatchQueue_ID 0x6d7c8f0a55e9c3b1ULL
#define OSObject_SetDispatchQueue_Args	const char *name, IODispatchQueue *queue
#define OSObject_CopyDispatchQueue_Args const char *name, IODispatchQueue **queue
struct OS_MESSAGE OSObject_SetDispatchQueue_Msg {
	const char *name;
	IODispatchQueue *queue;
};
struct OS_MESSAGE OSObject_CopyDispatchQueue_Msg {
	const char *name;
	IODispatchQueue **queue;
};

/*!
 * Base of services, sources, memory, collections and of classes of the driver's own.
 *
 * Objects are made by the runtime or by OSTypeAlloc(); nobody calls new or delete. The runtime calls
 * init() once; the last release() calls free(), in the thread that released.
 */
class OSObject : public OSMetaClassBase {
	OS_RUNTIME_CLASS(OSObject, OSMetaClassBase);

	/*! Sets a new object up; an override calls super::init() first.
	 * @return false: the object is given up, free() follows. */
	virtual bool init();
	/*! Takes an object down; an override calls super::free() last. The memory goes afterwards. */
	virtual void free();

	/*!
	 * Sets the queue for methods of a queue name. Services only.
	 * @param name   "Default", or a QUEUENAME of the class, or one of IOUserClient.
	 * @param queue  retained; NULL: the default queue again.
	 * @return kIOReturnSuccess; kIOReturnBadArgument for another name; kIOReturnUnsupported for
	 *         an object that is no service.
	 */
	kern_return_t SetDispatchQueue(const IODispatchQueueName name, IODispatchQueue *queue,
				       OSDispatchMethod supermethod = NULL);
	/*!
	 * The queue of that name, +1; the providers are asked for a name that the class does not
	 * know. @return kIOReturnNotFound; kIOReturnError after the service has stopped.
	 */
	kern_return_t CopyDispatchQueue(const IODispatchQueueName name, IODispatchQueue **queue,
					OSDispatchMethod supermethod = NULL);
	OS_RUNTIME_INVOKE(OSObject, kern_return_t, SetDispatchQueue);
	OS_RUNTIME_INVOKE(OSObject, kern_return_t, CopyDispatchQueue);
};

extern OSMetaClass *gOSContainerMetaClass;
extern const OSClassLoadInformation OSContainer_Class;

/*! Any property value: number, string, data, boolean or collection. */
class OSContainer : public OSObject {
	OS_RUNTIME_CLASS(OSContainer, OSObject);
};

#pragma GCC visibility pop

#endif
#endif
