/* SPDX-License-Identifier: MIT
 *
 * DriverKit/OSOrderedSet.h - objects, each once, in the order that a function gives them.
 */
#ifndef OPENDEXT_DRIVERKIT_OSORDEREDSET_H
#define OPENDEXT_DRIVERKIT_OSORDEREDSET_H

#include <DriverKit/OSArray.h>

#pragma GCC visibility push(default)

class OSOrderedSet;
typedef OSOrderedSet *OSOrderedSetPtr;
extern OSMetaClass *gOSOrderedSetMetaClass;
extern const OSClassLoadInformation OSOrderedSet_Class;

/*!
 * A set by identity that keeps an order. It is an object of the driver's own: it cannot be part of a
 * property.
 * Unsure: the members are those of the kernel's class of that name.
 */
class OSOrderedSet : public OSCollection {
	OS_RUNTIME_CLASS(OSOrderedSet, OSCollection);

	/*! @return positive when a comes before b, negative when it comes after it, else 0. */
	typedef int32_t (*OSOrderFunction)(const OSMetaClassBase *a, const OSMetaClassBase *b,
					   void *context);

	OSArray *members;
	OSOrderFunction ordering;
	void *ordering_context;

	void free() override;

	/*!
	 * Makes an empty set, +1; NULL without memory.
	 * @param orderFunction    NULL: all come alike, so that a new one is the last.
	 * @param orderingContext  its third argument.
	 */
	static OSOrderedSet *withCapacity(uint32_t capacity, OSOrderFunction orderFunction = nullptr,
					  void *orderingContext = nullptr);

	/*! Puts it behind those that come before it or alike. @return false when it was a member
	 * already, for NULL, and without memory. */
	bool setObject(const OSMetaClassBase *object);
	/*! Puts it at a place, whatever its order; also false for an index beyond the end. */
	bool setObject(uint32_t index, const OSMetaClassBase *object);
	/*! Puts it first, whatever its order. */
	bool setFirstObject(const OSMetaClassBase *object);
	/*! Puts it last, whatever its order. */
	bool setLastObject(const OSMetaClassBase *object);
	/*! Takes it out if it is a member. */
	void removeObject(const OSMetaClassBase *object);
	/*! Whether it is a member. */
	bool containsObject(const OSMetaClassBase *object) const;
	/*! The same under its other name. */
	bool member(const OSMetaClassBase *object) const;
	/*! @return +0; NULL beyond the end. */
	OSObject *getObject(uint32_t index) const;
	/*! @return +0; NULL when empty. */
	OSObject *getFirstObject() const;
	/*! @return +0; NULL when empty. */
	OSObject *getLastObject() const;
	/*! What the function says of a member and an object; 0 without a function. */
	int32_t orderObject(const OSMetaClassBase *a, const OSMetaClassBase *b) const;
	/*! The context of the function. */
	void *getOrderingRef();
	/*! The number of members. */
	unsigned int getCount() const;
	/*! Takes all members out. */
	void flushCollection();
	using OSCollection::isEqualTo;
	/*! The same members in the same order. */
	bool isEqualTo(const OSOrderedSet *set) const;
#if defined(__BLOCKS__)
	/*! As OSCollection, in order. */
	bool iterateObjects(bool (^block)(OSObject *object)) const;
#endif
};

#pragma GCC visibility pop

#endif
