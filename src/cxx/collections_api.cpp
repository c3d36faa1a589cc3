/* SPDX-License-Identifier: MIT
 *
 * collections_api - <DriverKit/OSCollections.h>: the functions of C with C++ objects.
 */
#include <cstring>

#include "cxx/collections.h"

/* ---- objects ---- */

OSObjectPtr OSObjectRetain(OSObjectPtr object)
{
	(void)core::OSRetain(dx::core_of(object));
	return object;
}

void OSObjectRelease(OSObjectPtr object)
{
	core::OSRelease(dx::core_of(object));
}

void OSObjectLog(OSObjectPtr object)
{
	core::OSData *text = core::OpenDextObjectDescribe(dx::core_of(object));

	if (text != nullptr) {
		(void)IOLog("%.*s", (int)core::OSDataGetLength(text),
			    (const char *)core::OSDataGetBytesPtr(text, 0, 0));
	} else {
		(void)IOLog("%s", object == nullptr ? "(null)" : object->GetClassName());
	}
	core::OSRelease(text);
}

struct TypeName {
	OSCollectionType type;
	const char *name;
	OSMetaClass *const *meta;
};

static const TypeName type_names[] = {
	{kOSCollectionTypeDictionary, "OSDictionary", &gOSDictionaryMetaClass},
	{kOSCollectionTypeArray, "OSArray", &gOSArrayMetaClass},
	{kOSCollectionTypeSet, "OSSet", &gOSSetMetaClass},
	{kOSCollectionTypeNumber, "OSNumber", &gOSNumberMetaClass},
	{kOSCollectionTypeString, "OSString", &gOSStringMetaClass},
	{kOSCollectionTypeSymbol, "OSSymbol", &gOSStringMetaClass},
	{kOSCollectionTypeData, "OSData", &gOSDataMetaClass},
	{kOSCollectionTypeBoolean, "OSBoolean", &gOSBooleanMetaClass},
	{kOSCollectionTypeSerialization, "OSSerialization", &gOSSerializationMetaClass},
};

OSCollectionType OSCollectionTypeID(OSObjectPtr object)
{
	for (const TypeName &entry : type_names) {
		if (OSMetaClassBase::safeMetaCast(object, *entry.meta) != nullptr) {
			return entry.type;
		}
	}
	return 0;
}

const char *OSCollectionTypeName(OSCollectionType type)
{
	for (const TypeName &entry : type_names) {
		if (entry.type == type) {
			return entry.name;
		}
	}
	return nullptr;
}

/* ---- strings, data, numbers ---- */

OSStringPtr OSStringCreate(const char *text, size_t length)
{
	return dx::take<OSString>(core::OSStringCreate(text, length));
}

const char *OSStringGetStringPtr(OSStringPtr string)
{
	return core::OSStringGetStringPtr(dx::to<core::OSString>(string));
}

size_t OSStringGetLength(OSStringPtr string)
{
	return core::OSStringGetLength(dx::to<core::OSString>(string));
}

OSDataPtr OSDataCreate(const void *bytes, size_t length)
{
	return OSData::withBytes(bytes, length);
}

size_t OSDataGetLength(OSDataPtr data)
{
	return core::OSDataGetLength(dx::to<core::OSData>(data));
}

const void *OSDataGetBytesPtr(OSDataPtr data, size_t offset, size_t length)
{
	return core::OSDataGetBytesPtr(dx::to<core::OSData>(data), offset, length);
}

size_t OSDataGetBytes(OSDataPtr data, void *buffer, size_t offset, size_t length)
{
	return core::OSDataGetBytes(dx::to<core::OSData>(data), buffer, offset, length);
}

bool OSDataAppendBytes(OSDataPtr data, const void *bytes, size_t length)
{
	return core::OSDataAppendBytes(dx::to<core::OSData>(data), bytes, length);
}

OSNumberPtr OSNumberCreateWithUInt64Value(uint64_t value)
{
	return OSNumber::withNumber(value, 64);
}

uint64_t OSNumberGetUInt64Value(OSNumberPtr number)
{
	return core::OSNumberGetUInt64Value(dx::to<core::OSNumber>(number));
}

/* ---- dictionaries ---- */

#define DICTIONARY(object) (dx::to<core::OSDictionary>(object))
#define ARRAY(object)	   (dx::to<core::OSArray>(object))

OSDictionaryPtr OSDictionaryCreate(void)
{
	return OSDictionary::withCapacity(0);
}

size_t OSDictionaryGetCount(OSDictionaryPtr dictionary)
{
	return core::OSDictionaryGetCount(DICTIONARY(dictionary));
}

bool OSDictionarySetValue(OSDictionaryPtr dictionary, const char *key, OSObjectPtr object)
{
	return core::OSDictionarySetValue(DICTIONARY(dictionary), key, dx::core_of(object));
}

OSObjectPtr OSDictionaryGetValue(OSDictionaryPtr dictionary, const char *key)
{
	return dx::object_of(core::OSDictionaryGetValue(DICTIONARY(dictionary), key));
}

const char *OSDictionaryGetStringValue(OSDictionaryPtr dictionary, const char *key)
{
	return core::OSDictionaryGetStringValue(DICTIONARY(dictionary), key);
}

uint64_t OSDictionaryGetUInt64Value(OSDictionaryPtr dictionary, const char *key)
{
	return core::OSDictionaryGetUInt64Value(DICTIONARY(dictionary), key);
}

bool OSDictionarySetStringValue(OSDictionaryPtr dictionary, const char *key, const char *text)
{
	return core::OSDictionarySetStringValue(DICTIONARY(dictionary), key, text);
}

bool OSDictionarySetUInt64Value(OSDictionaryPtr dictionary, const char *key, uint64_t value)
{
	return core::OSDictionarySetUInt64Value(DICTIONARY(dictionary), key, value);
}

bool OSDictionaryApply(OSDictionaryPtr dictionary,
		       bool (^applier)(const char *key, OSObjectPtr value))
{
	const char *key = nullptr;
	void *value = nullptr;

	for (size_t i = 0; dx::pair_at(dictionary, i, &key, &value); i++) {
		if (applier(key, dx::object_of(value))) {
			return true;
		}
	}
	return false;
}

/* ---- arrays ---- */

OSArrayPtr OSArrayCreate(void)
{
	return OSArray::withCapacity(0);
}

size_t OSArrayGetCount(OSArrayPtr array)
{
	return core::OSArrayGetCount(ARRAY(array));
}

bool OSArraySetValue(OSArrayPtr array, size_t index, OSObjectPtr object)
{
	return core::OSArraySetValue(ARRAY(array), index, dx::core_of(object));
}

bool OSArrayReplaceValue(OSArrayPtr array, size_t index, OSObjectPtr object)
{
	return core::OSArrayReplaceValue(ARRAY(array), index, dx::core_of(object));
}

bool OSArrayAppendValue(OSArrayPtr array, OSObjectPtr object)
{
	return core::OSArrayAppendValue(ARRAY(array), dx::core_of(object));
}

OSObjectPtr OSArrayGetValue(OSArrayPtr array, size_t index)
{
	return dx::object_of(core::OSArrayGetValue(ARRAY(array), index));
}

const char *OSArrayGetStringValue(OSArrayPtr array, size_t index)
{
	return core::OSArrayGetStringValue(ARRAY(array), index);
}

bool OSArraySetStringValue(OSArrayPtr array, size_t index, const char *text)
{
	return core::OSArraySetStringValue(ARRAY(array), index, text);
}

uint64_t OSArrayGetUInt64Value(OSArrayPtr array, size_t index)
{
	return core::OSArrayGetUInt64Value(ARRAY(array), index);
}

bool OSArraySetUInt64Value(OSArrayPtr array, size_t index, uint64_t value)
{
	return core::OSArraySetUInt64Value(ARRAY(array), index, value);
}

bool OSArrayApply(OSArrayPtr array, bool (^applier)(OSObjectPtr value))
{
	for (size_t i = 0; i < OSArrayGetCount(array); i++) {
		if (applier(OSArrayGetValue(array, i))) {
			return true;
		}
	}
	return false;
}

/* ---- serializations ---- */

OSSerializationPtr OSCreateSerializationFromObject(OSObjectPtr object)
{
	return OSSerialization::createFromObject(object);
}

OSSerializationPtr OSCreateSerializationFromBytes(const void *bytes, size_t length,
						  void (^freeBuffer)(const void *, size_t))
{
	return OSSerialization::createFromBytes(bytes, length, freeBuffer);
}

OSObjectPtr OSCreateObjectFromSerialization(OSSerializationPtr serialization)
{
	return serialization == nullptr ? nullptr : serialization->copyObject();
}

const void *OSSerializationGetBytes(OSSerializationPtr serialization, size_t *length)
{
	return serialization == nullptr ? nullptr : serialization->finalizeBuffer(length);
}
