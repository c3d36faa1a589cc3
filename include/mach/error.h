/* SPDX-License-Identifier: MIT
 *
 * mach/error - how a result code is put together: 6 bits system, 12 bits subsystem, 14 bits code.
 */
#ifndef OPENDEXT_MACH_ERROR_H
#define OPENDEXT_MACH_ERROR_H

#include <mach/kern_return.h>

/*! A code seen as an error; the success value. */
typedef kern_return_t mach_error_t;
#define ERR_SUCCESS ((mach_error_t)0)

/*! Puts a system or subsystem number at its place in a code. */
#define err_system(x) ((int)((((unsigned)(x)) & 0x3fu) << 26))
#define err_sub(x)    ((int)((((unsigned)(x)) & 0xfffu) << 14))

/*! Takes the system, the subsystem or the number out of a code. */
#define err_get_system(err) ((((unsigned)(err)) >> 26) & 0x3fu)
#define err_get_sub(err)    ((((unsigned)(err)) >> 14) & 0xfffu)
#define err_get_code(err)   (((unsigned)(err)) & 0x3fffu)

/*! Masks of the three parts. */
#define system_emask (err_system(0x3f))
#define sub_emask    (err_sub(0xfff))
#define code_emask   (0x3fff)

/*! Systems that own codes. */
#define err_kern    err_system(0x0)
#define err_us	    err_system(0x1)
#define err_server  err_system(0x2)
#define err_ipc	    err_system(0x3)
#define err_mach_ipc err_system(0x4)
#define err_local   err_system(0x3e)

#endif
