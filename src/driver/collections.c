/* SPDX-License-Identifier: MIT
 *
 * collections - OSString, OSData, OSNumber, OSArray, OSDictionary over the values of src/base.
 *
 * Place:   driver. The public types are the values themselves, so nothing is converted.
 * Trust:   the driver: NULL and wrong classes give the documented neutral result.
 */
#include <opendext/object.h>

#include <string.h>

#include "base/check.h"
#include "base/value.h"

static const void *checked(const void *object, const struct dx_class *class)
{
	return dx_object_is_kind(object, class) ? object : NULL;
}

#define STRING(object) ((const struct dx_string *)checked((object), &dx_string_class))
#define DATA(object)   ((const struct dx_data *)checked((object), &dx_data_class))
#define NUMBER(object) ((const struct dx_number *)checked((object), &dx_number_class))
#define ARRAY(object)  ((const struct dx_array *)checked((object), &dx_array_class))
#define DICT(object)   ((const struct dx_dict *)checked((object), &dx_dict_class))

/* ---- booleans, strings, data, numbers ---- */

OSBoolean *OSBooleanGet(bool value)
{
	return (OSBoolean *)(uintptr_t)dx_boolean(value);
}

bool OSBooleanGetValue(const OSBoolean *boolean)
{
	const struct dx_boolean *checked_boolean = checked(boolean, &dx_boolean_class);

	return checked_boolean != NULL && dx_boolean_get(checked_boolean);
}

OSStringPtr OSStringCreate(const char *text, size_t length)
{
	if (text == NULL) {
		return NULL;
	}
	return (OSStringPtr)(length == (size_t)-1 ? dx_string_new(text)
						  : dx_string_new_length(text, length));
}

const char *OSStringGetStringPtr(const OSString *string)
{
	return STRING(string) == NULL ? NULL : dx_string_get(STRING(string));
}

size_t OSStringGetLength(const OSString *string)
{
	return STRING(string) == NULL ? 0 : dx_string_length(STRING(string));
}

OSDataPtr OSDataCreate(const void *bytes, size_t length)
{
	return (OSDataPtr)dx_data_new(bytes, length);
}

size_t OSDataGetLength(const OSData *data)
{
	return DATA(data) == NULL ? 0 : dx_data_length(DATA(data));
}

const void *OSDataGetBytesPtr(const OSData *data, size_t offset, size_t length)
{
	size_t total = OSDataGetLength(data);

	if (total == 0 || !dx_range_inside(offset, length, total)) {
		return NULL;
	}
	return (const char *)dx_data_bytes(DATA(data)) + offset;
}

size_t OSDataGetBytes(const OSData *data, void *buffer, size_t offset, size_t length)
{
	size_t total = OSDataGetLength(data);

	if (buffer == NULL || offset >= total) {
		return 0;
	}
	size_t count = length < total - offset ? length : total - offset;
	memcpy(buffer, (const char *)dx_data_bytes(DATA(data)) + offset, count);
	return count;
}

bool OSDataAppendBytes(OSData *data, const void *bytes, size_t length)
{
	if (DATA(data) == NULL || (bytes == NULL && length != 0)) {
		return false;
	}
	return dx_data_append((struct dx_data *)data, bytes, length) == 0;
}

OSNumberPtr OSNumberCreate(uint64_t value, size_t bits)
{
	if (bits != 8 && bits != 16 && bits != 32 && bits != 64) {
		return NULL;
	}
	return (OSNumberPtr)dx_number_new(value, (unsigned)bits);
}

OSNumberPtr OSNumberCreateWithUInt64Value(uint64_t value)
{
	return OSNumberCreate(value, 64);
}

uint64_t OSNumberGetUInt64Value(const OSNumber *number)
{
	return NUMBER(number) == NULL ? 0 : dx_number_u64(NUMBER(number));
}

size_t OSNumberGetNumberOfBits(const OSNumber *number)
{
	return NUMBER(number) == NULL ? 0 : dx_number_bits(NUMBER(number));
}

/* ---- arrays ---- */

OSArrayPtr OSArrayCreate(void)
{
	return (OSArrayPtr)dx_array_new();
}

size_t OSArrayGetCount(const OSArray *array)
{
	return ARRAY(array) == NULL ? 0 : dx_array_count(ARRAY(array));
}

bool OSArraySetValue(OSArray *array, size_t index, const void *object)
{
	if (ARRAY(array) == NULL || object == NULL) {
		return false;
	}
	if (index == kOSArrayAppend) {
		return dx_array_append((struct dx_array *)array, object) == 0;
	}
	return index <= OSArrayGetCount(array) &&
	       dx_array_insert((struct dx_array *)array, index, object) == 0;
}

bool OSArrayReplaceValue(OSArray *array, size_t index, const void *object)
{
	return object != NULL && index < OSArrayGetCount(array) &&
	       dx_array_replace((struct dx_array *)array, index, object) == 0;
}

bool OSArrayAppendValue(OSArray *array, const void *object)
{
	return OSArraySetValue(array, kOSArrayAppend, object);
}

void OSArrayRemoveValue(OSArray *array, size_t index)
{
	if (index < OSArrayGetCount(array)) {
		dx_array_remove((struct dx_array *)array, index);
	}
}

OSObjectPtr OSArrayGetValue(const OSArray *array, size_t index)
{
	return ARRAY(array) == NULL ? NULL : dx_array_get(ARRAY(array), index);
}

const char *OSArrayGetStringValue(const OSArray *array, size_t index)
{
	return OSStringGetStringPtr(OSArrayGetValue(array, index));
}

bool OSArraySetStringValue(OSArray *array, size_t index, const char *text)
{
	OSStringPtr string = OSStringCreate(text, (size_t)-1);
	bool set = OSArraySetValue(array, index, string);

	OSRelease(string);
	return set;
}

uint64_t OSArrayGetUInt64Value(const OSArray *array, size_t index)
{
	return OSNumberGetUInt64Value(OSArrayGetValue(array, index));
}

bool OSArraySetUInt64Value(OSArray *array, size_t index, uint64_t value)
{
	OSNumberPtr number = OSNumberCreateWithUInt64Value(value);
	bool set = OSArraySetValue(array, index, number);

	OSRelease(number);
	return set;
}

bool OSArrayApply_f(const OSArray *array, void *context,
		    bool (*function)(void *context, OSObjectPtr object))
{
	for (size_t i = 0; function != NULL && i < OSArrayGetCount(array); i++) {
		if (function(context, OSArrayGetValue(array, i))) {
			return true;
		}
	}
	return false;
}

/* ---- dictionaries ---- */

OSDictionaryPtr OSDictionaryCreate(void)
{
	return (OSDictionaryPtr)dx_dict_new();
}

size_t OSDictionaryGetCount(const OSDictionary *dictionary)
{
	return DICT(dictionary) == NULL ? 0 : dx_dict_count(DICT(dictionary));
}

bool OSDictionarySetValue(OSDictionary *dictionary, const char *key, const void *object)
{
	return DICT(dictionary) != NULL && key != NULL && object != NULL &&
	       dx_dict_set((struct dx_dict *)dictionary, key, object) == 0;
}

bool OSDictionaryRemoveValue(OSDictionary *dictionary, const char *key)
{
	return DICT(dictionary) != NULL && key != NULL &&
	       dx_dict_remove((struct dx_dict *)dictionary, key);
}

OSObjectPtr OSDictionaryGetValue(const OSDictionary *dictionary, const char *key)
{
	return DICT(dictionary) == NULL || key == NULL ? NULL : dx_dict_get(DICT(dictionary), key);
}

const char *OSDictionaryGetStringValue(const OSDictionary *dictionary, const char *key)
{
	return OSStringGetStringPtr(OSDictionaryGetValue(dictionary, key));
}

bool OSDictionarySetStringValue(OSDictionary *dictionary, const char *key, const char *text)
{
	OSStringPtr string = OSStringCreate(text, (size_t)-1);
	bool set = OSDictionarySetValue(dictionary, key, string);

	OSRelease(string);
	return set;
}

uint64_t OSDictionaryGetUInt64Value(const OSDictionary *dictionary, const char *key)
{
	return OSNumberGetUInt64Value(OSDictionaryGetValue(dictionary, key));
}

bool OSDictionarySetUInt64Value(OSDictionary *dictionary, const char *key, uint64_t value)
{
	OSNumberPtr number = OSNumberCreateWithUInt64Value(value);
	bool set = OSDictionarySetValue(dictionary, key, number);

	OSRelease(number);
	return set;
}

bool OSDictionaryApply_f(const OSDictionary *dictionary, void *context,
			 bool (*function)(void *context, const char *key, OSObjectPtr object))
{
	const char *key = NULL;
	void *object = NULL;

	for (size_t i = 0; DICT(dictionary) != NULL && function != NULL &&
			   dx_dict_at(DICT(dictionary), i, &key, &object);
	     i++) {
		if (function(context, key, object)) {
			return true;
		}
	}
	return false;
}

/* ---- classes ---- */

const OSDriverClass OSBooleanClass = {
	.name = "OSBoolean", .super = &OSObjectClass, .reserved = {&dx_boolean_class}};
const OSDriverClass OSNumberClass = {
	.name = "OSNumber", .super = &OSObjectClass, .reserved = {&dx_number_class}};
const OSDriverClass OSStringClass = {
	.name = "OSString", .super = &OSObjectClass, .reserved = {&dx_string_class}};
const OSDriverClass OSDataClass = {
	.name = "OSData", .super = &OSObjectClass, .reserved = {&dx_data_class}};
const OSDriverClass OSArrayClass = {
	.name = "OSArray", .super = &OSObjectClass, .reserved = {&dx_array_class}};
const OSDriverClass OSDictionaryClass = {
	.name = "OSDictionary", .super = &OSObjectClass, .reserved = {&dx_dict_class}};
