/* SPDX-License-Identifier: MIT
 *
 * set - OSSet: an array without doubles, as an object of C++.
 */
#include "cxx/face.h"

DX_RUNTIME_CLASS(OSSet, OSCollection)

OSSet *OSSet::withCapacity(uint32_t capacity)
{
	OSSet *made = dx::allocate<OSSet>();

	if (made != nullptr) {
		made->members = OSArray::withCapacity(capacity);
		if (made->members == nullptr) {
			OSSafeReleaseNULL(made);
		}
	}
	return made;
}

void OSSet::free()
{
	OSSafeReleaseNULL(members);
	super::free();
}

OSSet *OSSet::withObjects(const OSObject *objects[], uint32_t count, uint32_t capacity)
{
	OSSet *made = objects == nullptr && count != 0 ? nullptr : withCapacity(capacity);

	for (uint32_t i = 0; made != nullptr && i < count; i++) {
		(void)made->setObject(objects[i]);
	}
	return made;
}

OSSet *OSSet::withArray(const OSArray *array, uint32_t capacity)
{
	OSSet *made = array == nullptr ? nullptr : withCapacity(capacity);

	if (made != nullptr) {
		(void)made->merge(array);
	}
	return made;
}

OSSet *OSSet::withSet(const OSSet *set, uint32_t capacity)
{
	return set == nullptr ? nullptr : withArray(set->members, capacity);
}

bool OSSet::setObject(const OSMetaClassBase *object)
{
	return object != nullptr && !containsObject(object) && members->setObject(object);
}

bool OSSet::merge(const OSArray *array)
{
	bool changed = false;

	for (uint32_t i = 0; array != nullptr && i < array->getCount(); i++) {
		changed = setObject(array->getObject(i)) || changed;
	}
	return changed;
}

bool OSSet::merge(const OSSet *set)
{
	return set != nullptr && merge(set->members);
}

void OSSet::removeObject(const OSMetaClassBase *object)
{
	uint32_t index = members->getNextIndexOfObject(object, 0);

	if (index != -1U) {
		members->removeObject(index);
	}
}

bool OSSet::containsObject(const OSMetaClassBase *object) const
{
	return members->getNextIndexOfObject(object, 0) != -1U;
}

OSObject *OSSet::getAnyObject() const
{
	return members->getObject(0);
}

unsigned int OSSet::getCount() const
{
	return members->getCount();
}

void OSSet::flushCollection()
{
	members->flushCollection();
}

bool OSSet::isEqualTo(const OSSet *set) const
{
	if (set == nullptr || set->getCount() != getCount()) {
		return false;
	}
	return set->iterateObjects(^bool(OSObject *object) {
	  return containsObject(object);
	});
}

bool OSSet::iterateObjects(bool (^block)(OSObject *object)) const
{
	return members->iterateObjects(block);
}
