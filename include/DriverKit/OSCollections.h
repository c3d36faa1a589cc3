/* SPDX-License-Identifier: MIT
 *
 * DriverKit/OSCollections.h - collections through plain functions: NULL objects and objects of a
 * wrong class give the neutral result (false, 0, NULL).
 */
#ifndef OPENDEXT_DRIVERKIT_OSCOLLECTIONS_H
#define OPENDEXT_DRIVERKIT_OSCOLLECTIONS_H

#include <DriverKit/OSArray.h>
#include <DriverKit/OSBoolean.h>
#include <DriverKit/OSData.h>
#include <DriverKit/OSDictionary.h>
#include <DriverKit/OSNumber.h>
#include <DriverKit/OSSerialization.h>
#include <DriverKit/OSSet.h>
#include <DriverKit/OSString.h>

#pragma GCC visibility push(default)

typedef OSObject *OSObjectPtr;

enum {
	kOSCollectionTypeDictionary = 1,
	kOSCollectionTypeArray = 2,
	kOSCollectionTypeSet = 3,
	kOSCollectionTypeNumber = 4,
	kOSCollectionTypeSymbol = 8,
	kOSCollectionTypeString = 9,
	kOSCollectionTypeData = 10,
	kOSCollectionTypeBoolean = 11,
	kOSCollectionTypeSerialization = 13,
};
typedef uint32_t OSCollectionType;

/*! One reference more, one less; NULL is allowed. */
OSObjectPtr OSObjectRetain(OSObjectPtr object);
/*! Gives one reference back; NULL is allowed. */
void OSObjectRelease(OSObjectPtr object);
#define OSObjectSafeReleaseNULL(object)           \
	do {                                      \
		if ((object) != nullptr) {        \
			OSObjectRelease(object);  \
			(object) = nullptr;       \
		}                                 \
	} while (0)
/*! Writes the value to the log, on one line. */
void OSObjectLog(OSObjectPtr object);
/*! kOSCollectionType...; 0 for an object that is no value. */
OSCollectionType OSCollectionTypeID(OSObjectPtr object);
/*! "OSDictionary" and the like; NULL for an unknown number. */
const char *OSCollectionTypeName(OSCollectionType type);

/*! @param length  bytes; (size_t)-1: up to the NUL. @return +1. */
OSStringPtr OSStringCreate(const char *text, size_t length);
/*! The text; valid while the string is. */
const char *OSStringGetStringPtr(OSStringPtr string);
/*! Bytes, without the NUL. */
size_t OSStringGetLength(OSStringPtr string);

/*! @param bytes  copied; NULL: zeros. @return +1. */
OSDataPtr OSDataCreate(const void *bytes, size_t length);
/*! Bytes. */
size_t OSDataGetLength(OSDataPtr data);
/*! A part of the bytes; NULL when it is not inside. */
const void *OSDataGetBytesPtr(OSDataPtr data, size_t offset, size_t length);
/*! @return how many bytes were copied to buffer, at most length. */
size_t OSDataGetBytes(OSDataPtr data, void *buffer, size_t offset, size_t length);
/*! Adds bytes at the end. @return false without memory. */
bool OSDataAppendBytes(OSDataPtr data, const void *bytes, size_t length);

/*! @return +1, 64 bits wide. */
OSNumberPtr OSNumberCreateWithUInt64Value(uint64_t value);
/*! The value; 0 for what is no number. */
uint64_t OSNumberGetUInt64Value(OSNumberPtr number);

/*! @return +1. */
OSDictionaryPtr OSDictionaryCreate(void);
/*! How many keys it has. */
size_t OSDictionaryGetCount(OSDictionaryPtr dictionary);
/*! Sets a value, retained. @return false for NULL and without memory. */
bool OSDictionarySetValue(OSDictionaryPtr dictionary, const char *key, OSObjectPtr object);
/*! +0. */
OSObjectPtr OSDictionaryGetValue(OSDictionaryPtr dictionary, const char *key);
/*! The text of a string; NULL when there is none. */
const char *OSDictionaryGetStringValue(OSDictionaryPtr dictionary, const char *key);
/*! The value of a number; 0 when there is none. */
uint64_t OSDictionaryGetUInt64Value(OSDictionaryPtr dictionary, const char *key);
/*! Sets a string. @return false without memory. */
bool OSDictionarySetStringValue(OSDictionaryPtr dictionary, const char *key, const char *text);
/*! Sets a number of 64 bits. @return false without memory. */
bool OSDictionarySetUInt64Value(OSDictionaryPtr dictionary, const char *key, uint64_t value);

#define kOSArrayAppend ((size_t)-1)
/*! @return +1. */
OSArrayPtr OSArrayCreate(void);
/*! How many members it has. */
size_t OSArrayGetCount(OSArrayPtr array);
/*! Inserts at index, or appends with kOSArrayAppend. */
bool OSArraySetValue(OSArrayPtr array, size_t index, OSObjectPtr object);
/*! Puts another member at a place. @return false when there is no such place. */
bool OSArrayReplaceValue(OSArrayPtr array, size_t index, OSObjectPtr object);
/*! Adds a member at the end. @return false for NULL and without memory. */
bool OSArrayAppendValue(OSArrayPtr array, OSObjectPtr object);
/*! +0. */
OSObjectPtr OSArrayGetValue(OSArrayPtr array, size_t index);
/*! The text of a string; NULL when there is none at that place. */
const char *OSArrayGetStringValue(OSArrayPtr array, size_t index);
/*! As OSArraySetValue() with a string. */
bool OSArraySetStringValue(OSArrayPtr array, size_t index, const char *text);
/*! The value of a number; 0 when there is none at that place. */
uint64_t OSArrayGetUInt64Value(OSArrayPtr array, size_t index);
/*! As OSArraySetValue() with a number of 64 bits. */
bool OSArraySetUInt64Value(OSArrayPtr array, size_t index, uint64_t value);

#if defined(__BLOCKS__)
/*! Calls the block for each pair until it returns true. @return whether it did. */
bool OSDictionaryApply(OSDictionaryPtr dictionary,
		       bool (^applier)(const char *key, OSObjectPtr value));
/*! Calls the block for each member until it returns true. @return whether it did. */
bool OSArrayApply(OSArrayPtr array, bool (^applier)(OSObjectPtr value));
/*! As OSSerialization::createFromBytes(). @return +1. */
OSSerializationPtr OSCreateSerializationFromBytes(const void *bytes, size_t length,
						  void (^freeBuffer)(const void *, size_t));
#endif

/*! @return +1; NULL when it is no value. */
OSSerializationPtr OSCreateSerializationFromObject(OSObjectPtr object);
/*! The value that was written down, +1; NULL for bytes that are none. */
OSObjectPtr OSCreateObjectFromSerialization(OSSerializationPtr serialization);
/*! The bytes; valid while the object is. */
const void *OSSerializationGetBytes(OSSerializationPtr serialization, size_t *length);

#pragma GCC visibility pop

#endif
