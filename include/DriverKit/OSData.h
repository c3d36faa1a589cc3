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

	/*! Makers: +1; NULL without memory or for a range that is not inside. All copy; bytes NULL
	 * gives zeros. */
	static OSData *withCapacity(uint32_t capacity);
	static OSData *withBytes(const void *bytes, size_t length);
	static OSData *withBytesNoCopy(void *bytes, size_t length);
	static OSData *withData(const OSData *data);
	static OSData *withData(const OSData *data, size_t start, size_t length);

	size_t getLength() const;
	/*! How many bytes there is room for: the length, since data grows. */
	size_t getCapacity() const;
	/*! @return false without memory; nothing has changed then. */
	bool appendBytes(const void *bytes, size_t length);
	bool appendBytes(const OSData *data);
	/*! Valid until the next change; NULL when empty. */
	const void *getBytesNoCopy() const;
	/*! NULL when the range is not inside. */
	const void *getBytesNoCopy(size_t start, size_t length) const;
	using OSContainer::isEqualTo;
	bool isEqualTo(const OSData *data) const;
	bool isEqualTo(const OSString *string) const;
	bool isEqualTo(const void *bytes, size_t length) const;
};

#pragma GCC visibility pop

#endif
