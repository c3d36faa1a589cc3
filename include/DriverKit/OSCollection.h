/* SPDX-License-Identifier: MIT
 *
 * DriverKit/OSCollection.h - what arrays and dictionaries have in common.
 */
#ifndef OPENDEXT_DRIVERKIT_OSCOLLECTION_H
#define OPENDEXT_DRIVERKIT_OSCOLLECTION_H

#include <DriverKit/OSObject.h>

#pragma GCC visibility push(default)

class OSDictionary;
extern OSMetaClass *gOSCollectionMetaClass;
extern const OSClassLoadInformation OSCollection_Class;

/*!
 * Base of collections. They retain what is in them, grow as needed, and have no lock: a collection
 * is changed by one thread at a time. A member may be any object.
 */
class OSCollection : public OSContainer {
	OS_RUNTIME_CLASS(OSCollection, OSContainer);

	/*! The number of members. */
	unsigned int getCount() const;
	/*! How many members there is room for: the number of members, since they all grow. */
	unsigned int getCapacity() const;
	/*! @return the capacity that it has then, at least newCapacity. */
	unsigned int ensureCapacity(unsigned int newCapacity);
	/*! Takes all members out. */
	void flushCollection();
#if defined(__BLOCKS__)
	/*!
	 * Calls the block for each member (for each key of a dictionary).
	 * @param block  returns true to go on, false to stop.
	 * @return false when it was stopped.
	 * Unsure: that is what the interface says; kernel classes of the same name stop on true.
	 */
	bool iterateObjects(bool (^block)(OSObject *object)) const;
#endif
	/*! A copy of the collection and all collections in it, other members shared. @return +1. */
	OSCollection *copyCollection(OSDictionary *cycleDict = nullptr) const;
};

#pragma GCC visibility pop

#endif
