/* SPDX-License-Identifier: MIT
 *
 * ordered_set - OSOrderedSet: an array without doubles in the order of a function.
 */
#include "cxx/face.h"

DX_RUNTIME_CLASS(OSOrderedSet, OSCollection)

OSOrderedSet *OSOrderedSet::withCapacity(uint32_t capacity, OSOrderFunction orderFunction,
					 void *orderingContext)
{
	OSOrderedSet *made = dx::allocate<OSOrderedSet>();

	if (made != nullptr) {
		made->ordering = orderFunction;
		made->ordering_context = orderingContext;
		made->members = OSArray::withCapacity(capacity);
		if (made->members == nullptr) {
			OSSafeReleaseNULL(made);
		}
	}
	return made;
}

void OSOrderedSet::free()
{
	OSSafeReleaseNULL(members);
	super::free();
}

/* ---- putting in, taking out ---- */

bool OSOrderedSet::setObject(const OSMetaClassBase *object)
{
	uint32_t index = 0;

	if (object == nullptr) {
		return false;
	}
	while (index < getCount() && orderObject(getObject(index), object) >= 0) {
		index++;
	}
	return setObject(index, object);
}

bool OSOrderedSet::setObject(uint32_t index, const OSMetaClassBase *object)
{
	return object != nullptr && !containsObject(object) && members->setObject(index, object);
}

bool OSOrderedSet::setFirstObject(const OSMetaClassBase *object)
{
	return setObject(0, object);
}

bool OSOrderedSet::setLastObject(const OSMetaClassBase *object)
{
	return setObject(getCount(), object);
}

void OSOrderedSet::removeObject(const OSMetaClassBase *object)
{
	uint32_t index = members->getNextIndexOfObject(object, 0);

	if (index != -1U) {
		members->removeObject(index);
	}
}

void OSOrderedSet::flushCollection()
{
	members->flushCollection();
}

/* ---- looking ---- */

bool OSOrderedSet::containsObject(const OSMetaClassBase *object) const
{
	return members->getNextIndexOfObject(object, 0) != -1U;
}

bool OSOrderedSet::member(const OSMetaClassBase *object) const
{
	return containsObject(object);
}

OSObject *OSOrderedSet::getObject(uint32_t index) const
{
	return members->getObject(index);
}

OSObject *OSOrderedSet::getFirstObject() const
{
	return members->getObject(0);
}

OSObject *OSOrderedSet::getLastObject() const
{
	return members->getLastObject();
}

int32_t OSOrderedSet::orderObject(const OSMetaClassBase *a, const OSMetaClassBase *b) const
{
	return ordering == nullptr ? 0 : ordering(a, b, ordering_context);
}

void *OSOrderedSet::getOrderingRef()
{
	return ordering_context;
}

unsigned int OSOrderedSet::getCount() const
{
	return members->getCount();
}

bool OSOrderedSet::isEqualTo(const OSOrderedSet *set) const
{
	if (set == nullptr || set->getCount() != getCount()) {
		return false;
	}
	for (uint32_t i = 0; i < getCount(); i++) {
		if (getObject(i) != set->getObject(i)) {
			return false;
		}
	}
	return true;
}

bool OSOrderedSet::iterateObjects(bool (^block)(OSObject *object)) const
{
	return members->iterateObjects(block);
}
