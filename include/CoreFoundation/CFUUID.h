/* SPDX-License-Identifier: MIT
 *
 * CFUUID - 128-bit identifiers.
 */
#ifndef OPENDEXT_COREFOUNDATION_CFUUID_H
#define OPENDEXT_COREFOUNDATION_CFUUID_H

#include <CoreFoundation/CFBase.h>
#include <CoreFoundation/CFString.h>

CF_EXTERN_C_BEGIN

/*! An identifier. */
typedef const struct __CFUUID *CFUUIDRef;

/*! Its bytes, in the order in which they are written. */
typedef struct {
	UInt8 byte0, byte1, byte2, byte3, byte4, byte5, byte6, byte7;
	UInt8 byte8, byte9, byte10, byte11, byte12, byte13, byte14, byte15;
} CFUUIDBytes;

/*! @return the type number of identifiers. Threads: any. */
CF_EXPORT CFTypeID CFUUIDGetTypeID(void);

/*!
 * A new random identifier.
 * @param alloc  ignored.
 * @return +1; NULL without memory.
 */
CF_EXPORT CFUUIDRef CFUUIDCreate(CFAllocatorRef alloc);

/*!
 * An identifier of 16 bytes.
 * @param alloc  ignored.
 * @param bytes  its bytes.
 * @return +1; NULL without memory.
 */
CF_EXPORT CFUUIDRef CFUUIDCreateFromUUIDBytes(CFAllocatorRef alloc, CFUUIDBytes bytes);

/*!
 * An identifier of its text.
 * @param alloc    ignored.
 * @param uuidStr  8-4-4-4-12 hexadecimal digits.
 * @return +1; NULL without memory, or when the text is not of that form.
 */
CF_EXPORT CFUUIDRef CFUUIDCreateFromString(CFAllocatorRef alloc, CFStringRef uuidStr);

/*!
 * The text of an identifier, in capitals.
 * @param alloc  ignored.
 * @param uuid   the identifier.
 * @return +1; NULL without memory.
 */
CF_EXPORT CFStringRef CFUUIDCreateString(CFAllocatorRef alloc, CFUUIDRef uuid);

/*!
 * The identifier of these bytes for the life of the program, the same object each time.
 * @param alloc   ignored.
 * @param byte0, byte1, byte2, byte3, byte4, byte5, byte6, byte7, byte8, byte9, byte10, byte11, byte12,
 *        byte13, byte14, byte15  its bytes.
 * @return borrowed; NULL without memory.
 * Threads: any.
 */
CF_EXPORT CFUUIDRef CFUUIDGetConstantUUIDWithBytes(CFAllocatorRef alloc, UInt8 byte0, UInt8 byte1,
						   UInt8 byte2, UInt8 byte3, UInt8 byte4,
						   UInt8 byte5, UInt8 byte6, UInt8 byte7,
						   UInt8 byte8, UInt8 byte9, UInt8 byte10,
						   UInt8 byte11, UInt8 byte12, UInt8 byte13,
						   UInt8 byte14, UInt8 byte15);

/*!
 * The bytes of an identifier.
 * @param uuid  the identifier.
 * @return its bytes.
 */
CF_EXPORT CFUUIDBytes CFUUIDGetUUIDBytes(CFUUIDRef uuid);

CF_EXTERN_C_END

#endif
