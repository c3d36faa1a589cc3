/* SPDX-License-Identifier: MIT
 *
 * matching - dictionaries that say which services are meant.
 */
#include <opendext/service.h>

/* The dictionary to add to: a new one for NULL. */
static OSDictionary *begin(OSDictionary *matching)
{
	return matching == NULL ? OSDictionaryCreate() : matching;
}

/* Gives matching, or NULL when it could not be filled; a new one is then released. */
static OSDictionary *end(OSDictionary *matching, const OSDictionary *given, bool filled)
{
	if (!filled && given == NULL) {
		OSRelease(matching);
	}
	return filled ? matching : NULL;
}

OSDictionary *IOServiceCreatePropertyMatchingDictionary(const char *key, const void *value,
							OSDictionary *matching)
{
	if (key == NULL || value == NULL) {
		return NULL;
	}
	OSDictionary *result = begin(matching);
	OSDictionary *wanted =
		OSDynamicCast(OSDictionary, OSDictionaryGetValue(result, "IOPropertyMatch"));
	bool filled = false;

	if (wanted != NULL) {
		filled = OSDictionarySetValue(wanted, key, value);
	} else {
		wanted = OSDictionaryCreate();
		filled = OSDictionarySetValue(wanted, key, value) &&
			 OSDictionarySetValue(result, "IOPropertyMatch", wanted);
		OSRelease(wanted);
	}
	return end(result, matching, filled);
}

OSDictionary *IOServiceCreateKernelClassMatchingDictionary(const char *className,
							   OSDictionary *matching)
{
	OSDictionary *result = className == NULL ? NULL : begin(matching);

	return end(result, matching,
		   OSDictionarySetStringValue(result, "IOProviderClass", className));
}

OSDictionary *IOServiceCreateUserClassMatchingDictionary(const char *className,
							 OSDictionary *matching)
{
	OSString *name = className == NULL ? NULL : OSStringCreate(className, (size_t)-1);
	OSDictionary *result =
		IOServiceCreatePropertyMatchingDictionary("IOUserClass", name, matching);

	OSRelease(name);
	return result;
}

OSDictionary *IOServiceCreateNameMatchingDictionary(const char *serviceName,
						    OSDictionary *matching)
{
	OSDictionary *result = serviceName == NULL ? NULL : begin(matching);

	return end(result, matching,
		   OSDictionarySetStringValue(result, "IONameMatch", serviceName));
}
