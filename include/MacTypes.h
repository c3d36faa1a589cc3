/* SPDX-License-Identifier: MIT
 *
 * MacTypes - the fixed-width and boolean type names that IOKit and CoreFoundation headers use.
 */
#ifndef OPENDEXT_MACTYPES_H
#define OPENDEXT_MACTYPES_H

#include <stdint.h>

/*! Unsigned integers of 8, 16, 32 and 64 bits. */
typedef uint8_t UInt8;
typedef uint16_t UInt16;
typedef uint32_t UInt32;
typedef uint64_t UInt64;

/*! Signed integers of 8, 16, 32 and 64 bits. */
typedef int8_t SInt8;
typedef int16_t SInt16;
typedef int32_t SInt32;
typedef int64_t SInt64;

/*! Floating point numbers of 32 and 64 bits. */
typedef float Float32;
typedef double Float64;

/*! 0 is false, everything else true. */
typedef unsigned char Boolean;

/*! A point of mach_absolute_time(): nanoseconds here. */
typedef uint64_t AbsoluteTime;

#endif
