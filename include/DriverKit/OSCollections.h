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
const char *OSStringGetStringPtr(OSStringPtr string);
size_t OSStringGetLength(OSStringPtr string);

/*! @param bytes  copied; NULL: zeros. @return +1. */
OSDataPtr OSDataCreate(const void *bytes, size_t length);
size_t OSDataGetLength(OSDataPtr data);
const void *OSDataGetBytesPtr(OSDataPtr data, size_t offset, size_t length);
/*! @return how many bytes were copied to buffer, at most length. */
size_t OSDataGetBytes(OSDataPtr data, void *buffer, size_t offset, size_t length);
bool OSDataAppendBytes(OSDataPtr data, const void *bytes, size_t length);

/*! @return +1, 64 bits wide. */
OSNumberPtr OSNumberCreateWithUInt64Value(uint64_t value);
uint64_t OSNumberGetUInt64Value(OSNumberPtr number);

/*! @return +1. */
OSDictionaryPtr OSDictionaryCreate(void);
size_t OSDictionaryGetCount(OSDictionaryPtr dictionary);
bool OSDictionarySetValue(OSDictionaryPtr dictionary, const char *key, OSObjectPtr object);
/*! +0. */
OSObjectPtr OSDictionaryGetValue(OSDictionaryPtr dictionary, const char *key);
const char *OSDictionaryGetStringValue(OSDictionaryPtr dictionary, const char *key);
uint64_t OSDictionaryGetUInt64Value(OSDictionaryPtr dictionary, const char *key);
bool OSDictionarySetStringValue(OSDictionaryPtr dictionary, const char *key, const char *text);
bool OSDictionarySetUInt64Value(OSDictionaryPtr dictionary, const char *key, uint64_t value);

#define kOSArrayAppend ((size_t)-1)
/*! @return +1. */
OSArrayPtr OSArrayCreate(void);
size_t OSArrayGetCount(OSArrayPtr array);
/*! Inserts at index, or appends with kOSArrayAppend. */
bool OSArraySetValue(OSArrayPtr array, size_t index, OSObjectPtr object);
bool OSArrayReplaceValue(OSArrayPtr array, size_t index, OSObjectPtr object);
bool OSArrayAppendValue(OSArrayPtr array, OSObjectPtr object);
/*! +0. */
OSObjectPtr OSArrayGetValue(OSArrayPtr array, size_t index);
const char *OSArrayGetStringValue(OSArrayPtr array, size_t index);
bool OSArraySetStringValue(OSArrayPtr array, size_t index, const char *text);
uint64_t OSArrayGetUInt64Value(OSArrayPtr array, size_t index);
bool OSArraySetUInt64Value(OSArrayPtr array, size_t index, uint64_t value);

#if defined(__BLOCKS__)
/*! Call the block for each pair or member until it returns true. @return true when it did. */
bool OSDictionaryApply(OSDictionaryPtr dictionary,
		       bool (^applier)(const char *key, OSObjectPtr value));
bool OSArrayApply(OSArrayPtr array, bool (^applier)(OSObjectPtr value));
/*! As OSSerialization::createFromBytes(). @return +1. */
OSSerializationPtr OSCreateSerializationFromBytes(const void *bytes, size_t length,
						  void (^freeBuffer)(const void *, size_t));
#endif

/*! @return +1; NULL when it is no value. */
OSSerializationPtr OSCreateSerializationFromObject(OSObjectPtr object);
OSObjectPtr OSCreateObjectFromSerialization(OSSerializationPtr serialization);
const void *OSSerializationGetBytes(OSSerializationPtr serialization, size_t *length);

#pragma GCC visibility pop

#endif
