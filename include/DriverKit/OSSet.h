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

	/*! Makers: +1; NULL without memory. */
	static OSSet *withCapacity(uint32_t capacity);
	static OSSet *withObjects(const OSObject *objects[], uint32_t count, uint32_t capacity = 0);
	static OSSet *withArray(const OSArray *array, uint32_t capacity = 0);
	static OSSet *withSet(const OSSet *set, uint32_t capacity = 0);

	/*! @return false when it was a member already, for NULL, and without memory. */
	bool setObject(const OSMetaClassBase *object);
	bool merge(const OSArray *array);
	bool merge(const OSSet *set);
	void removeObject(const OSMetaClassBase *object);
	bool containsObject(const OSMetaClassBase *object) const;
	/*! @return +0; NULL when empty. */
	OSObject *getAnyObject() const;
	unsigned int getCount() const;
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
