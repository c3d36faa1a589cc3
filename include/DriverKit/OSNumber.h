/* SPDX-License-Identifier: MIT
 *
 * DriverKit/OSNumber.h - integers.
 */
#ifndef OPENDEXT_DRIVERKIT_OSNUMBER_H
#define OPENDEXT_DRIVERKIT_OSNUMBER_H

#include <DriverKit/OSObject.h>

#pragma GCC visibility push(default)

class OSNumber;
typedef OSNumber *OSNumberPtr;
extern OSMetaClass *gOSNumberMetaClass;
extern const OSClassLoadInformation OSNumber_Class;

/*! An integer that does not change, with a width. */
class OSNumber : public OSContainer {
	OS_RUNTIME_CLASS(OSNumber, OSContainer);

	/*! @param numberOfBits  8, 16, 32 or 64. @return +1; NULL for another width, and without memory. */
	static OSNumber *withNumber(uint64_t value, size_t numberOfBits);
	/*! @param value  decimal, or with 0x or 0 before it. */
	static OSNumber *withNumber(const char *value, size_t numberOfBits);

	/*! 8, 16, 32 or 64. */
	size_t numberOfBits() const;
	/*! Bytes of its width. */
	size_t numberOfBytes() const;
	/*! The value, cut to the width. */
	uint8_t unsigned8BitValue() const;
	/*! Its lowest 16 bits. */
	uint16_t unsigned16BitValue() const;
	/*! Its lowest 32 bits. */
	uint32_t unsigned32BitValue() const;
	/*! All of it. */
	uint64_t unsigned64BitValue() const;
	using OSContainer::isEqualTo;
	/*! Compares values; widths do not matter. */
	bool isEqualTo(const OSNumber *number) const;
};

#pragma GCC visibility pop

#endif
