/* SPDX-License-Identifier: MIT
 *
 * CFNumber - numbers and truth values.
 */
#ifndef OPENDEXT_COREFOUNDATION_CFNUMBER_H
#define OPENDEXT_COREFOUNDATION_CFNUMBER_H

#include <CoreFoundation/CFBase.h>

CF_EXTERN_C_BEGIN

/*! A truth value; a number. */
typedef const struct __CFBoolean *CFBooleanRef;
typedef const struct __CFNumber *CFNumberRef;

/*! The two truth values. */
CF_EXPORT const CFBooleanRef kCFBooleanTrue;
CF_EXPORT const CFBooleanRef kCFBooleanFalse;

/*! @return the type number of truth values. Threads: any. */
CF_EXPORT CFTypeID CFBooleanGetTypeID(void);

/*!
 * The value of a truth value.
 * @param boolean  kCFBooleanTrue or kCFBooleanFalse.
 * @return 1 or 0.
 */
CF_EXPORT Boolean CFBooleanGetValue(CFBooleanRef boolean);

/*! C types that numbers are made of and read as. */
typedef CFIndex CFNumberType;
enum {
	kCFNumberSInt8Type = 1,
	kCFNumberSInt16Type = 2,
	kCFNumberSInt32Type = 3,
	kCFNumberSInt64Type = 4,
	kCFNumberFloat32Type = 5,
	kCFNumberFloat64Type = 6,
	kCFNumberCharType = 7,
	kCFNumberShortType = 8,
	kCFNumberIntType = 9,
	kCFNumberLongType = 10,
	kCFNumberLongLongType = 11,
	kCFNumberFloatType = 12,
	kCFNumberDoubleType = 13,
	kCFNumberCFIndexType = 14,
	kCFNumberNSIntegerType = 15,
	kCFNumberCGFloatType = 16,
	kCFNumberMaxType = 16
};

/*! @return the type number of numbers. Threads: any. */
CF_EXPORT CFTypeID CFNumberGetTypeID(void);

/*!
 * Makes a number.
 * @param allocator  ignored.
 * @param theType    what valuePtr points to.
 * @param valuePtr   the value.
 * @return +1; NULL without memory, for an unknown type or a NULL pointer.
 */
CF_EXPORT CFNumberRef CFNumberCreate(CFAllocatorRef allocator, CFNumberType theType,
				     const void *valuePtr);

/*!
 * The type a number is kept in.
 * @param number  a number.
 * @return kCFNumberSInt32Type up to 32 bits, kCFNumberSInt64Type, or one of the two float types.
 */
CF_EXPORT CFNumberType CFNumberGetType(CFNumberRef number);

/*!
 * The size of the type a number is kept in.
 * @param number  a number.
 * @return 4 or 8.
 */
CF_EXPORT CFIndex CFNumberGetByteSize(CFNumberRef number);

/*!
 * Tells whether a number is kept as a floating point number.
 * @param number  a number.
 * @return true if so.
 */
CF_EXPORT Boolean CFNumberIsFloatType(CFNumberRef number);

/*!
 * Reads a number as a C type.
 * @param number    a number.
 * @param theType   what valuePtr points to.
 * @param valuePtr  receives the value, converted if need be.
 * @return true; false if the conversion lost something (the converted value is stored all the
 *         same) or if theType is unknown (nothing is stored).
 */
CF_EXPORT Boolean CFNumberGetValue(CFNumberRef number, CFNumberType theType, void *valuePtr);

/*!
 * Compares two numbers by value.
 * @param number       a number.
 * @param otherNumber  another.
 * @param context      ignored.
 * @return kCFCompareLessThan, kCFCompareEqualTo or kCFCompareGreaterThan.
 */
CF_EXPORT CFComparisonResult CFNumberCompare(CFNumberRef number, CFNumberRef otherNumber,
					     void *context);

CF_EXTERN_C_END

#endif
