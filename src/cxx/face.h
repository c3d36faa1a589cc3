/* SPDX-License-Identifier: MIT
 *
 * face - between C++ objects and the objects of the core.
 *
 * Place:      cxx. A C++ object lies right behind its face; the face names the core object, which
 *             counts references and owns both:
 *
 *		core object --face--> | dx::Face | C++ object |
 *
 *             A service of a driver's class, and an object of OSTypeAlloc(), have their face in the
 *             allocation of the core object; what the core made gets one when C++ first sees it.
 * Invariants:
 *   X1  a C++ object lives exactly as long as its core object.
 *   X2  one core object has one C++ object: pointers can be compared.
 */
#ifndef DX_CXX_FACE_H
#define DX_CXX_FACE_H

#include "cxx/core.h"

namespace dx {

struct Face {
	dx_face head;
	const OSMetaClass *meta;
	void *reserved; /* the object is aligned to 16 */
};
static_assert(sizeof(Face) == 32, "objects are aligned to 16");

inline Face *face_of(const OSMetaClassBase *object)
{
	return reinterpret_cast<Face *>(const_cast<OSMetaClassBase *>(object)) - 1;
}

inline OSObject *object_of(Face *face)
{
	return reinterpret_cast<OSObject *>(face + 1);
}

/* The core object; NULL for NULL. */
inline void *core_of(const OSMetaClassBase *object)
{
	return object == nullptr ? nullptr : face_of(object)->head.object;
}

/* The same, typed: to<core::IOService>(service). */
template <class T> T *to(const OSMetaClassBase *object)
{
	return static_cast<T *>(core_of(object));
}

/* The C++ object of a core object, +0; NULL for NULL and without memory. */
OSObject *object_of(const void *core);

/* The same as a class; NULL for an object of another class. */
template <class T> T *from(const void *core)
{
	return static_cast<T *>(OSMetaClassBase::safeMetaCast(object_of(core), T::sGetMetaClass()));
}

/* For results of the core that carry a reference: it goes on with the C++ object, or is given back. */
template <class T> T *take(const void *core)
{
	T *object = from<T>(core);

	if (object == nullptr) {
		core::OSRelease(core);
	}
	return object;
}

/* Gives a core object that has none a face of that class, which need not be the one that the core's
 * class suggests. NULL without memory. */
OSObject *make_object(const void *core, const OSMetaClass *meta);

/* Constructs the object of a class behind a face that belongs to core. */
bool construct(Face *face, void *core, const OSMetaClass *meta);

/* A new core object with an instance of a class that is neither service nor the runtime's. */
OSObject *allocate(const OSMetaClass *meta);
template <class T> T *allocate()
{
	return static_cast<T *>(allocate(T::sGetMetaClass()));
}

/* What a function with an out-parameter of the core's gave, as the C++ object. */
template <class T, class C> kern_return_t give(kern_return_t status, C *made, T **object)
{
	if (status == kIOReturnSuccess) {
		*object = take<T>(made);
		return *object == nullptr ? kIOReturnNoMemory : kIOReturnSuccess;
	}
	return status;
}

} // namespace dx

/* The constants and functions of a class of the runtime: see DriverKit/OSMetaClass.h. */
#define DX_RUNTIME_CLASS_RECORD(cls, superinfo)                                         \
	static OSMetaClass cls##_MetaClass(&cls##_Class);                               \
	OSMetaClass *g##cls##MetaClass = &cls##_MetaClass;                              \
	const OSClassLoadInformation cls##_Class = {                                    \
		kOSClassVersion, sizeof(cls), #cls, superinfo, &cls##_MetaClass,        \
		nullptr,	 0,	      0,    &OSClassNew<cls>::New};             \
	kern_return_t cls::Dispatch(const IORPC rpc)                                    \
	{                                                                               \
		return _Dispatch(this, rpc);                                            \
	}
/* Most of them take no messages of their own. */
#define DX_RUNTIME_CLASS(cls, superclass)                                       \
	DX_RUNTIME_CLASS_RECORD(cls, &superclass##_Class)                       \
	kern_return_t cls::_Dispatch(OSMetaClassBase *self, const IORPC rpc)    \
	{                                                                       \
		return superclass::_Dispatch(self, rpc);                        \
	}

#endif
