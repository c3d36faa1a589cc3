/* SPDX-License-Identifier: MIT
 *
 * DriverKit/OSSerialization.h - property values as bytes and back.
 */
#ifndef OPENDEXT_DRIVERKIT_OSSERIALIZATION_H
#define OPENDEXT_DRIVERKIT_OSSERIALIZATION_H

#include <DriverKit/OSData.h>

#pragma GCC visibility push(default)

class OSSerialization;
typedef OSSerialization *OSSerializationPtr;
extern OSMetaClass *gOSSerializationMetaClass;
extern const OSClassLoadInformation OSSerialization_Class;

/*! A value written down: a binary property list. */
class OSSerialization : public OSContainer {
	OS_RUNTIME_CLASS(OSSerialization, OSContainer);
	OSData *bytes;

	void free() override;

	/*! @return +1; NULL for an object that is no property value, or without memory. */
	static OSSerialization *createFromObject(const OSObject *object);
#if defined(__BLOCKS__)
	/*! Copies the bytes and calls freeBuffer (may be NULL) at once. @return +1; NULL without memory. */
	static OSSerialization *createFromBytes(const void *bytes, size_t length,
						void (^freeBuffer)(const void *, size_t));
#endif
	/*! @return +1; NULL when the bytes are no value. */
	OSContainer *copyObject() const;
	/*! The bytes; valid while the object is. */
	const void *finalizeBuffer(size_t *length) const;
};

#pragma GCC visibility pop

#endif
