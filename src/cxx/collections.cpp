/* SPDX-License-Identifier: MIT
 *
 * collections - OSCollection, OSArray, OSDictionary.
 *
 * Place:   cxx. The core has lists and dictionaries under other names for the same things; what it
 *          has no function for is made of those it has.
 */
#include <cstring>

#include "cxx/collections.h"

DX_RUNTIME_CLASS(OSCollection, OSContainer)
DX_RUNTIME_CLASS(OSArray, OSCollection)
DX_RUNTIME_CLASS(OSDictionary, OSCollection)

static core::OSArray *array_of(const OSMetaClassBase *array)
{
	return dx::to<core::OSArray>(array);
}

static core::OSDictionary *dictionary_of(const OSMetaClassBase *dictionary)
{
	return dx::to<core::OSDictionary>(dictionary);
}

static bool is_dictionary(const OSMetaClassBase *object)
{
	return OSDynamicCast(OSDictionary, object) != nullptr;
}

/* Sets keep their members in an array. */
static const OSMetaClassBase *storage_of(const OSCollection *collection)
{
	const OSSet *set = OSDynamicCast(OSSet, collection);

	const OSOrderedSet *ordered = OSDynamicCast(OSOrderedSet, collection);

	if (set != nullptr) {
		return set->members;
	}
	return ordered == nullptr ? static_cast<const OSMetaClassBase *>(collection)
				  : ordered->members;
}

/* ---- walking a dictionary by number ---- */

struct KeyAt {
	size_t index;
	const char *key;
	core::OSObjectPtr value;
};

static bool find_key_at(void *context, const char *key, core::OSObjectPtr value)
{
	KeyAt *wanted = static_cast<KeyAt *>(context);

	if (wanted->index > 0) {
		wanted->index--;
		return false;
	}
	wanted->key = key;
	wanted->value = value;
	return true;
}

namespace dx {

bool pair_at(const OSDictionary *dictionary, size_t index, const char **ret_key, void **ret_value)
{
	KeyAt wanted = {index, nullptr, nullptr};

	if (!core::OSDictionaryApply_f(dictionary_of(dictionary), &wanted, find_key_at)) {
		return false;
	}
	*ret_key = wanted.key;
	*ret_value = wanted.value;
	return true;
}

} // namespace dx

/* ---- OSCollection ---- */

unsigned int OSCollection::getCount() const
{
	const OSMetaClassBase *storage = storage_of(this);

	return static_cast<unsigned>(is_dictionary(storage)
					     ? core::OSDictionaryGetCount(dictionary_of(storage))
					     : core::OSArrayGetCount(array_of(storage)));
}

unsigned int OSCollection::getCapacity() const
{
	return getCount();
}

unsigned int OSCollection::ensureCapacity(unsigned int newCapacity)
{
	unsigned int count = getCount();

	return count > newCapacity ? count : newCapacity;
}

static void flush_dictionary(OSDictionary *dictionary)
{
	const char *key = nullptr;
	void *value = nullptr;

	while (dx::pair_at(dictionary, 0, &key, &value)) {
		(void)core::OSDictionaryRemoveValue(dictionary_of(dictionary), key);
	}
}

void OSCollection::flushCollection()
{
	if (is_dictionary(this)) {
		flush_dictionary(static_cast<OSDictionary *>(this));
		return;
	}
	core::OSArray *array = array_of(storage_of(this));
	for (size_t left = core::OSArrayGetCount(array); left > 0; left--) {
		core::OSArrayRemoveValue(array, left - 1);
	}
}

bool OSCollection::iterateObjects(bool (^block)(OSObject *object)) const
{
	const OSMetaClassBase *storage = storage_of(this);

	if (is_dictionary(storage)) {
		return static_cast<const OSDictionary *>(storage)->iterateObjects(
			^bool(OSObject *key, OSObject *) {
			  return block(key);
			});
	}
	for (size_t i = 0; i < core::OSArrayGetCount(array_of(storage)); i++) {
		if (!block(dx::object_of(core::OSArrayGetValue(array_of(storage), i)))) {
			return false;
		}
	}
	return true;
}

/* Collections in it are copied, other members shared. +1. */
static OSObject *copy_member(OSObject *member, OSDictionary *cycles)
{
	OSCollection *collection = OSDynamicCast(OSCollection, member);

	if (collection != nullptr) {
		return collection->copyCollection(cycles);
	}
	member->retain();
	return member;
}

static OSDictionary *copy_dictionary(const OSDictionary *from, OSDictionary *cycles)
{
	OSDictionary *copy = OSDictionary::withCapacity(from->getCount());
	const char *key = nullptr;
	void *value = nullptr;

	for (size_t i = 0; copy != nullptr && dx::pair_at(from, i, &key, &value); i++) {
		OSObject *member = copy_member(dx::object_of(value), cycles);
		bool set = member != nullptr && copy->setObject(key, member);
		if (member != nullptr) {
			member->release();
		}
		if (!set) {
			OSSafeReleaseNULL(copy);
		}
	}
	return copy;
}

static OSArray *copy_array(const OSArray *from, OSDictionary *cycles)
{
	OSArray *copy = OSArray::withCapacity(from->getCount());

	for (uint32_t i = 0; copy != nullptr && i < from->getCount(); i++) {
		OSObject *member = copy_member(from->getObject(i), cycles);
		bool set = member != nullptr && copy->setObject(member);
		if (member != nullptr) {
			member->release();
		}
		if (!set) {
			OSSafeReleaseNULL(copy);
		}
	}
	return copy;
}

OSCollection *OSCollection::copyCollection(OSDictionary *cycleDict) const
{
	const OSSet *set = OSDynamicCast(OSSet, this);
	const OSOrderedSet *ordered = OSDynamicCast(OSOrderedSet, this);

	if (is_dictionary(this)) {
		return copy_dictionary(static_cast<const OSDictionary *>(this), cycleDict);
	}
	if (set != nullptr) {
		return OSSet::withSet(set);
	}
	if (ordered != nullptr) {
		OSOrderedSet *copy = OSOrderedSet::withCapacity(
			ordered->getCount(), ordered->ordering, ordered->ordering_context);
		for (uint32_t i = 0; copy != nullptr && i < ordered->getCount(); i++) {
			(void)copy->setLastObject(ordered->getObject(i));
		}
		return copy;
	}
	return copy_array(static_cast<const OSArray *>(this), cycleDict);
}

/* ---- OSArray ---- */

OSArray *OSArray::withCapacity(uint32_t)
{
	return dx::take<OSArray>(core::OSArrayCreate());
}

OSArray *OSArray::withObjects(const OSObject *values[], uint32_t count, uint32_t capacity)
{
	bool fits = (capacity == 0 || capacity >= count) && (values != nullptr || count == 0);
	OSArray *made = fits ? withCapacity(capacity) : nullptr;

	for (uint32_t i = 0; made != nullptr && i < count; i++) {
		if (!made->setObject(values[i])) {
			OSSafeReleaseNULL(made);
		}
	}
	return made;
}

OSArray *OSArray::withArray(const OSArray *array, uint32_t capacity)
{
	OSArray *made = array == nullptr || (capacity != 0 && capacity < array->getCount())
				? nullptr
				: withCapacity(capacity);

	if (made != nullptr && !made->merge(array)) {
		OSSafeReleaseNULL(made);
	}
	return made;
}

bool OSArray::setObject(const OSMetaClassBase *object)
{
	return core::OSArrayAppendValue(array_of(this), dx::core_of(object));
}

bool OSArray::setObject(uint32_t index, const OSMetaClassBase *object)
{
	return index <= getCount() &&
	       core::OSArraySetValue(array_of(this), index, dx::core_of(object));
}

bool OSArray::merge(const OSArray *otherArray)
{
	if (otherArray == nullptr) {
		return false;
	}
	uint32_t count = otherArray->getCount(); /* it may be this one */
	for (uint32_t i = 0; i < count; i++) {
		if (!setObject(otherArray->getObject(i))) {
			return false;
		}
	}
	return true;
}

bool OSArray::replaceObject(uint32_t index, const OSMetaClassBase *object)
{
	return core::OSArrayReplaceValue(array_of(this), index, dx::core_of(object));
}

void OSArray::removeObject(uint32_t index)
{
	core::OSArrayRemoveValue(array_of(this), index);
}

OSObject *OSArray::getObject(uint32_t index) const
{
	return dx::object_of(core::OSArrayGetValue(array_of(this), index));
}

OSObject *OSArray::getLastObject() const
{
	return getCount() == 0 ? nullptr : getObject(getCount() - 1);
}

uint32_t OSArray::getNextIndexOfObject(const OSMetaClassBase *object, uint32_t index) const
{
	for (; index < getCount(); index++) {
		if (core::OSArrayGetValue(array_of(this), index) == dx::core_of(object)) {
			return index;
		}
	}
	return -1U;
}

bool OSArray::isEqualTo(const OSArray *array) const
{
	return OSMetaClassBase::isEqualTo(array);
}

/* ---- OSDictionary ---- */

/* NULL for what is no string. */
static const char *key_of(const OSMetaClassBase *key)
{
	return core::OSStringGetStringPtr(dx::to<core::OSString>(key));
}

OSDictionary *OSDictionary::withCapacity(uint32_t)
{
	return dx::take<OSDictionary>(core::OSDictionaryCreate());
}

template <typename Key>
static OSDictionary *dictionary_with(const OSObject *objects[], const Key *keys[], uint32_t count,
				     uint32_t capacity)
{
	bool fits = (capacity == 0 || capacity >= count) &&
		    ((objects != nullptr && keys != nullptr) || count == 0);
	OSDictionary *made = fits ? OSDictionary::withCapacity(capacity) : nullptr;

	for (uint32_t i = 0; made != nullptr && i < count; i++) {
		if (!made->setObject(keys[i], objects[i])) {
			OSSafeReleaseNULL(made);
		}
	}
	return made;
}

OSDictionary *OSDictionary::withObjects(const OSObject *objects[], const OSString *keys[],
					uint32_t count, uint32_t capacity)
{
	return dictionary_with(objects, keys, count, capacity);
}

OSDictionary *OSDictionary::withObjects(const OSObject *objects[], const OSObject *keys[],
					uint32_t count, uint32_t capacity)
{
	return dictionary_with(objects, keys, count, capacity);
}

OSDictionary *OSDictionary::withDictionary(const OSDictionary *dictionary, uint32_t capacity)
{
	OSDictionary *made =
		dictionary == nullptr || (capacity != 0 && capacity < dictionary->getCount())
			? nullptr
			: withCapacity(capacity);

	if (made != nullptr && !made->merge(dictionary)) {
		OSSafeReleaseNULL(made);
	}
	return made;
}

bool OSDictionary::setObject(const OSMetaClassBase *key, const OSMetaClassBase *object)
{
	return setObject(key_of(key), object);
}

bool OSDictionary::setObject(const char *key, const OSMetaClassBase *object)
{
	return core::OSDictionarySetValue(dictionary_of(this), key, dx::core_of(object));
}

void OSDictionary::removeObject(const OSMetaClassBase *key)
{
	removeObject(key_of(key));
}

void OSDictionary::removeObject(const char *key)
{
	(void)core::OSDictionaryRemoveValue(dictionary_of(this), key);
}

OSObject *OSDictionary::getObject(const OSMetaClassBase *key) const
{
	return getObject(key_of(key));
}

OSObject *OSDictionary::getObject(const char *key) const
{
	return dx::object_of(core::OSDictionaryGetValue(dictionary_of(this), key));
}

bool OSDictionary::merge(const OSDictionary *otherDictionary)
{
	const char *key = nullptr;
	void *value = nullptr;

	if (otherDictionary == nullptr) {
		return false;
	}
	for (size_t i = 0; dx::pair_at(otherDictionary, i, &key, &value); i++) {
		if (!core::OSDictionarySetValue(dictionary_of(this), key, value)) {
			return false;
		}
	}
	return true;
}

bool OSDictionary::isEqualTo(const OSDictionary *dictionary) const
{
	return OSMetaClassBase::isEqualTo(dictionary);
}

bool OSDictionary::isEqualTo(const OSDictionary *dictionary, const OSCollection *keys) const
{
	const OSDictionary *self = this;

	if (dictionary == nullptr || keys == nullptr) {
		return false;
	}
	return keys->iterateObjects(^bool(OSObject *key) {
	  OSObject *mine = self->getObject(key);
	  return mine != nullptr && mine->isEqualTo(dictionary->getObject(key));
	});
}

bool OSDictionary::iterateObjects(bool (^block)(OSObject *key, OSObject *value)) const
{
	const char *name = nullptr;
	void *value = nullptr;

	for (size_t i = 0; dx::pair_at(this, i, &name, &value); i++) {
		OSString *key = OSString::withCString(name);
		bool go_on = key != nullptr && block(key, dx::object_of(value));
		OSSafeReleaseNULL(key);
		if (!go_on) {
			return false;
		}
	}
	return true;
}
