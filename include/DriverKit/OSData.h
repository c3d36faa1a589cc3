/* SPDX-License-Identifier: MIT
 *
 * DriverKit/OSData.h - bytes.
 */
#ifndef OPENDEXT_DRIVERKIT_OSDATA_H
#define OPENDEXT_DRIVERKIT_OSDATA_H

#include <DriverKit/OSObject.h>

#pragma GCC visibility push(default)

class OSData;
class OSString;
typedef OSData *OSDataPtr;
extern OSMetaClass *gOSDataMetaClass;
extern const OSClassLoadInformation OSData_Class;

/*! Bytes that can be appended to. */
class OSData : public OSContainer {
	OS_RUNTIME_CLASS(OSData, OSContainer);

	/*! An empty one. @return +1; NULL without memory. */
	static OSData *withCapacity(uint32_t capacity);
	/*! A copy of the bytes, zeros for NULL. @return +1; NULL without memory. */
	static OSData *withBytes(const void *bytes, size_t length);
	/*! The same: the bytes are copied. */
	static OSData *withBytesNoCopy(void *bytes, size_t length);
	/*! A copy of other data. */
	static OSData *withData(const OSData *data);
	/*! A copy of a part; NULL when it is not inside. */
	static OSData *withData(const OSData *data, size_t start, size_t length);

	/*! Bytes. */
	size_t getLength() const;
	/*! How many bytes there is room for: the length, since data grows. */
	size_t getCapacity() const;
	/*! @return false without memory; nothing has changed then. */
	bool appendBytes(const void *bytes, size_t length);
	/*! Adds those of other data. */
	bool appendBytes(const OSData *data);
	/*! Valid until the next change; NULL when empty. */
	const void *getBytesNoCopy() const;
	/*! NULL when the range is not inside. */
	const void *getBytesNoCopy(size_t start, size_t length) const;
	using OSContainer::isEqualTo;
	/*! The same bytes. */
	bool isEqualTo(const OSData *data) const;
	/*! The bytes of the text, with or without its NUL. */
	bool isEqualTo(const OSString *string) const;
	/*! These bytes. */
	bool isEqualTo(const void *bytes, size_t length) const;
};

#pragma GCC visibility pop

#endif
