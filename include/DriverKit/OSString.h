/* SPDX-License-Identifier: MIT
 *
 * DriverKit/OSString.h - strings.
 */
#ifndef OPENDEXT_DRIVERKIT_OSSTRING_H
#define OPENDEXT_DRIVERKIT_OSSTRING_H

#include <DriverKit/OSObject.h>

#pragma GCC visibility push(default)

class OSData;
class OSString;
typedef OSString *OSStringPtr;
/*! A symbol is a string here. */
typedef OSString OSSymbol;
extern OSMetaClass *gOSStringMetaClass;
extern const OSClassLoadInformation OSString_Class;

/*! A string that does not change: UTF-8. */
class OSString : public OSContainer {
	OS_RUNTIME_CLASS(OSString, OSContainer);

	/*! A copy of the text. @return +1; NULL for NULL and without memory. */
	static OSString *withString(const OSString *string);
	/*!
	 * A copy of the text. @return +1; NULL for NULL, for bytes that are no UTF-8, and without
	 * memory.
	 */
	static OSString *withCString(const char *cString);
	/*! The same, of at most maxLength bytes. */
	static OSString *withCString(const char *cString, size_t maxLength);
	/*! The same: the text is copied. */
	static OSString *withCStringNoCopy(const char *cString);

	/*! Bytes without the NUL. */
	size_t getLength() const;
	/*! Ends with a NUL; valid while the string is. */
	const char *getCStringNoCopy() const;
	using OSContainer::isEqualTo;
	/*! The same text. */
	bool isEqualTo(const OSString *string) const;
	/*! The same for a C string. */
	bool isEqualTo(const char *cString) const;
	/*! Data of the same bytes, or with one NUL behind them, is equal. */
	bool isEqualTo(const OSData *data) const;
};

#pragma GCC visibility pop

#endif
