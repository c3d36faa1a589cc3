/* SPDX-License-Identifier: MIT
 *
 * DriverKit/OSDictionary.h - objects by name.
 */
#ifndef OPENDEXT_DRIVERKIT_OSDICTIONARY_H
#define OPENDEXT_DRIVERKIT_OSDICTIONARY_H

#include <DriverKit/OSCollection.h>
#include <DriverKit/OSString.h>

#pragma GCC visibility push(default)

class OSDictionary;
typedef OSDictionary *OSDictionaryPtr;
extern OSMetaClass *gOSDictionaryMetaClass;
extern const OSClassLoadInformation OSDictionary_Class;

/*! Objects by key, in the order in which the keys were first set. Keys are strings. */
class OSDictionary : public OSCollection {
	OS_RUNTIME_CLASS(OSDictionary, OSCollection);

	/*! An empty one. @return +1; NULL without memory. */
	static OSDictionary *withCapacity(uint32_t capacity);
	/*!
	 * With these values under these keys. @return +1; NULL for NULL among them, for more than a
	 * capacity that is not 0, and without memory.
	 */
	static OSDictionary *withObjects(const OSObject *objects[], const OSString *keys[],
					 uint32_t count, uint32_t capacity = 0);
	/*! The same. @return as above; NULL, too, for a key that is no string. */
	static OSDictionary *withObjects(const OSObject *objects[], const OSObject *keys[],
					 uint32_t count, uint32_t capacity = 0);
	/*! With the pairs of another one. @return +1; NULL as above. */
	static OSDictionary *withDictionary(const OSDictionary *dictionary, uint32_t capacity = 0);

	/*! Sets a key, replacing what it had. @return false for NULL, a key that is no string, or
	 * without memory. */
	bool setObject(const OSMetaClassBase *key, const OSMetaClassBase *object);
	/*! The same for a C string. */
	bool setObject(const char *key, const OSMetaClassBase *object);
	/*! Takes a value out if it is there. */
	void removeObject(const OSMetaClassBase *key);
	/*! The same for a C string. */
	void removeObject(const char *key);
	/*! @return +0; NULL when there is none. */
	OSObject *getObject(const OSMetaClassBase *key) const;
	/*! The same for a C string. */
	OSObject *getObject(const char *key) const;
	/*! Sets all keys that the other one has. */
	bool merge(const OSDictionary *otherDictionary);
	using OSContainer::isEqualTo;
	/*! Equal values under the same keys. */
	bool isEqualTo(const OSDictionary *dictionary) const;
	/*! Compares the members under the keys (strings of an array, or keys of a dictionary) only. */
	bool isEqualTo(const OSDictionary *dictionary, const OSCollection *keys) const;
#if defined(__BLOCKS__)
	using OSCollection::iterateObjects;
	/*! @param block  returns true to go on, false to stop. @return false when it was stopped. */
	bool iterateObjects(bool (^block)(OSObject *key, OSObject *value)) const;
#endif
};

#pragma GCC visibility pop

#endif
