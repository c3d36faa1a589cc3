/* SPDX-License-Identifier: MIT
 *
 * DriverKit/OSArray.h - objects in order.
 */
#ifndef OPENDEXT_DRIVERKIT_OSARRAY_H
#define OPENDEXT_DRIVERKIT_OSARRAY_H

#include <DriverKit/OSCollection.h>

#pragma GCC visibility push(default)

class OSArray;
typedef OSArray *OSArrayPtr;
extern OSMetaClass *gOSArrayMetaClass;
extern const OSClassLoadInformation OSArray_Class;

/*! A list of objects, counted from 0. */
class OSArray : public OSCollection {
	OS_RUNTIME_CLASS(OSArray, OSCollection);

	/*! An empty one. @return +1; NULL without memory. */
	static OSArray *withCapacity(uint32_t capacity);
	/*!
	 * With these members, in this order. @return +1; NULL for a NULL member, for more members
	 * than a capacity that is not 0, and without memory.
	 */
	static OSArray *withObjects(const OSObject *values[], uint32_t count, uint32_t capacity = 0);
	/*! With the members of another one. @return +1; NULL as above. */
	static OSArray *withArray(const OSArray *array, uint32_t capacity = 0);

	/*! Appends. @return false for NULL or without memory. */
	bool setObject(const OSMetaClassBase *object);
	/*! Inserts before the member at index; index may be the count. */
	bool setObject(uint32_t index, const OSMetaClassBase *object);
	/*! Appends all members of the other. */
	bool merge(const OSArray *otherArray);
	/*! Puts another object in the place of the one at index. */
	bool replaceObject(uint32_t index, const OSMetaClassBase *object);
	/*! Takes the member at index out; those behind move up. */
	void removeObject(uint32_t index);
	/*! @return +0; NULL beyond the end. */
	OSObject *getObject(uint32_t index) const;
	/*! @return +0; NULL when empty. */
	OSObject *getLastObject() const;
	/*! Looks for this very object from index on. @return its index; -1U if there is none. */
	uint32_t getNextIndexOfObject(const OSMetaClassBase *object, uint32_t index) const;
	using OSContainer::isEqualTo;
	/*! Equal members in the same order. */
	bool isEqualTo(const OSArray *array) const;
};

#pragma GCC visibility pop

#endif
