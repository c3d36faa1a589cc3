/* SPDX-License-Identifier: MIT
 *
 * CFData - a block of bytes.
 */
#ifndef OPENDEXT_COREFOUNDATION_CFDATA_H
#define OPENDEXT_COREFOUNDATION_CFDATA_H

#include <CoreFoundation/CFBase.h>

CF_EXTERN_C_BEGIN

/*! Bytes; bytes that can be changed. */
typedef const struct __CFData *CFDataRef;
typedef struct __CFData *CFMutableDataRef;

/*! @return the type number of data. Threads: any. */
CF_EXPORT CFTypeID CFDataGetTypeID(void);

/*!
 * Copies bytes into an object.
 * @param allocator  ignored.
 * @param bytes      length bytes.
 * @param length     how many; negative gives NULL.
 * @return +1; NULL without memory.
 */
CF_EXPORT CFDataRef CFDataCreate(CFAllocatorRef allocator, const UInt8 *bytes, CFIndex length);

/*!
 * Makes empty data that can grow.
 * @param allocator  ignored.
 * @param capacity   ignored.
 * @return +1; NULL without memory.
 */
CF_EXPORT CFMutableDataRef CFDataCreateMutable(CFAllocatorRef allocator, CFIndex capacity);

/*!
 * The number of bytes.
 * @param theData  data.
 * @return 0 or more.
 */
CF_EXPORT CFIndex CFDataGetLength(CFDataRef theData);

/*!
 * The bytes themselves.
 * @param theData  data.
 * @return borrowed, valid while theData lives and does not change.
 */
CF_EXPORT const UInt8 *CFDataGetBytePtr(CFDataRef theData);

/*!
 * The bytes themselves, to be changed.
 * @param theData  mutable data.
 * @return borrowed, valid until theData grows or goes.
 */
CF_EXPORT UInt8 *CFDataGetMutableBytePtr(CFMutableDataRef theData);

/*!
 * Copies bytes out.
 * @param theData  data.
 * @param range    which bytes; a range outside copies nothing.
 * @param buffer   room for range.length bytes.
 */
CF_EXPORT void CFDataGetBytes(CFDataRef theData, CFRange range, UInt8 *buffer);

/*!
 * Adds bytes at the end.
 * @param theData  mutable data.
 * @param bytes    length bytes.
 * @param length   how many; without memory nothing is added.
 */
CF_EXPORT void CFDataAppendBytes(CFMutableDataRef theData, const UInt8 *bytes, CFIndex length);

CF_EXTERN_C_END

#endif
