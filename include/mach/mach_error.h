/* SPDX-License-Identifier: MIT
 *
 * mach/mach_error - text for result codes.
 */
#ifndef OPENDEXT_MACH_MACH_ERROR_H
#define OPENDEXT_MACH_MACH_ERROR_H

#include <mach/error.h>

#ifdef __cplusplus
extern "C" {
#endif

/*!
 * The name of a result code, for messages to people.
 * @param error_value  any result of this library.
 * @return static text, never NULL: "kIOReturnBadArgument", "MACH_SEND_INVALID_DEST", "KERN_SUCCESS",
 *         or "unknown error code".
 * Threads: any.
 * Differs: macOS returns an English phrase in brackets; the constant's name is shorter to look up.
 */
char *mach_error_string(mach_error_t error_value);

/*!
 * Writes "str: name of the code" and the code in hexadecimal as one line to standard error.
 * @param str          what failed.
 * @param error_value  any result of this library.
 * Threads: any.
 */
void mach_error(const char *str, mach_error_t error_value);

#ifdef __cplusplus
}
#endif

#endif
