/* SPDX-License-Identifier: MIT
 *
 * DriverKit/IOLib.h - memory, locks, time, log lines and small helpers. The functions are those of
 * drivers in C; their words are in opendext/iolib.h.
 */
#ifndef OPENDEXT_DRIVERKIT_IOLIB_H
#define OPENDEXT_DRIVERKIT_IOLIB_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/cdefs.h>

#include <DriverKit/IOReturn.h>
#include <DriverKit/IOTypes.h>
#include <os/log.h>
#include <os/overflow.h>

#include <opendext-cxx/additions.h>

/*! Bits, byte order. */
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define OSSwapHostToLittleInt16(x) ((uint16_t)(x))
#define OSSwapHostToLittleInt32(x) ((uint32_t)(x))
#define OSSwapHostToLittleInt64(x) ((uint64_t)(x))
#define OSSwapHostToBigInt16(x)	   __builtin_bswap16((uint16_t)(x))
#define OSSwapHostToBigInt32(x)	   __builtin_bswap32((uint32_t)(x))
#define OSSwapHostToBigInt64(x)	   __builtin_bswap64((uint64_t)(x))
#else
#define OSSwapHostToLittleInt16(x) __builtin_bswap16((uint16_t)(x))
#define OSSwapHostToLittleInt32(x) __builtin_bswap32((uint32_t)(x))
#define OSSwapHostToLittleInt64(x) __builtin_bswap64((uint64_t)(x))
#define OSSwapHostToBigInt16(x)	   ((uint16_t)(x))
#define OSSwapHostToBigInt32(x)	   ((uint32_t)(x))
#define OSSwapHostToBigInt64(x)	   ((uint64_t)(x))
#endif
#define OSSwapLittleToHostInt16(x) OSSwapHostToLittleInt16(x)
#define OSSwapLittleToHostInt32(x) OSSwapHostToLittleInt32(x)
#define OSSwapLittleToHostInt64(x) OSSwapHostToLittleInt64(x)
#define OSSwapBigToHostInt16(x)	   OSSwapHostToBigInt16(x)
#define OSSwapBigToHostInt32(x)	   OSSwapHostToBigInt32(x)
#define OSSwapBigToHostInt64(x)	   OSSwapHostToBigInt64(x)
#define OSSwapInt16(x)		   __builtin_bswap16((uint16_t)(x))
#define OSSwapInt32(x)		   __builtin_bswap32((uint32_t)(x))
#define OSSwapInt64(x)		   __builtin_bswap64((uint64_t)(x))

#pragma GCC visibility push(default)
#ifdef __cplusplus
extern "C" {
#endif

/*! One line for the log, and the addresses that led here. */
void OSReportWithBacktrace(const char *format, ...) __attribute__((format(printf, 1, 2)));

/*! Arguments of the system's start: there are none. @return false. */
bool IOParseBootArgNumber(const char *argument, void *value, int maxLength);
/*! Arguments of the system's start: there are none. @return false. */
bool IOParseBootArgString(const char *argument, char *value, int length);

/*! Ends the process with one line. */
void panic(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));

#ifdef __cplusplus
}
#endif
#pragma GCC visibility pop

#endif
