/* SPDX-License-Identifier: MIT
 *
 * device/device_types - fixed-size arrays that cross the border between program and registry.
 */
#ifndef OPENDEXT_DEVICE_DEVICE_TYPES_H
#define OPENDEXT_DEVICE_DEVICE_TYPES_H

#include <stdint.h>

#include <mach/message.h>
#include <mach/port.h>

/*! Names, paths and property bytes; sizes include the terminating NUL. */
typedef char io_name_t[128];
typedef char io_string_t[512];
typedef char io_string_inband_t[4096];
typedef char io_struct_inband_t[4096];
typedef char *io_buf_ptr_t;

/*! One scalar, one reference word. */
typedef uint64_t io_user_scalar_t;
typedef uint64_t io_user_reference_t;

/*! All scalars of a call; all reference words of an asynchronous call. */
typedef io_user_scalar_t io_scalar_inband64_t[16];
typedef io_user_reference_t io_async_ref64_t[8];
typedef io_user_reference_t io_async_ref_t[8];
typedef int io_scalar_inband_t[16];

#endif
