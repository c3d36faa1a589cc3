/* SPDX-License-Identifier: MIT
 *
 * DriverKit/OSSet.h - objects, each once, in the order in which they came.
 */
#ifndef OPENDEXT_DRIVERKIT_OSSET_H
#define OPENDEXT_DRIVERKIT_OSSET_H

#include <DriverKit/OSArray.h>

#pragma GCC visibility push(default)

class OSSet;
typedef OSSet *OSSetPtr;
extern OSMetaClass *gOSSetMetaClass;
extern const OSClassLoadInformation OSSet_Class;

/*! A set by identity. It is an object of the driver's own: it cannot be part of a property. */
class OSSet : public OSCollection {
	OS_RUNTIME_CLASS(OSSet, OSCollection);
	OSArray *members;

	void free() override;

	/*! An empty one. @return +1; NULL without memory. */
	static OSSet *withCapacity(uint32_t capacity);
	/*! With these members, each once. */
	static OSSet *withObjects(const OSObject *objects[], uint32_t count, uint32_t capacity = 0);
	/*! With those of an array, each once. */
	static OSSet *withArray(const OSArray *array, uint32_t capacity = 0);
	/*! With those of another set. */
	static OSSet *withSet(const OSSet *set, uint32_t capacity = 0);

	/*! @return false when it was a member already, for NULL, and without memory. */
	bool setObject(const OSMetaClassBase *object);
	/*! Puts the members of an array in. @return whether one was new. */
	bool merge(const OSArray *array);
	/*! The same with a set. */
	bool merge(const OSSet *set);
	/*! Takes it out if it is a member. */
	void removeObject(const OSMetaClassBase *object);
	/*! Whether this very object is a member. */
	bool containsObject(const OSMetaClassBase *object) const;
	/*! @return +0; NULL when empty. */
	OSObject *getAnyObject() const;
	/*! The number of members. */
	unsigned int getCount() const;
	/*! Takes all members out. */
	void flushCollection();
	using OSCollection::isEqualTo;
	/*! The same members. */
	bool isEqualTo(const OSSet *set) const;
#if defined(__BLOCKS__)
	/*! As OSCollection. */
	bool iterateObjects(bool (^block)(OSObject *object)) const;
#endif
};

#pragma GCC visibility pop

#endif
