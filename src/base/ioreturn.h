/* SPDX-License-Identifier: MIT
 *
 * ioreturn - the only table between negative errno values and IOReturn codes.
 *
 * Place:   base. client, driver and usb translate at their public border with it.
 */
#ifndef DX_BASE_IORETURN_H
#define DX_BASE_IORETURN_H

#include <stdint.h>

/* 0 or positive -> kIOReturnSuccess; unknown errno -> kIOReturnError. */
int32_t dx_ioreturn_from_errno(int negative_errno);
/* The way back, for codes that the table holds; -EIO otherwise. 0 for success. */
int dx_ioreturn_to_errno(int32_t code);
/* "kIOReturnBadArgument", or NULL for a code that has no name here. */
const char *dx_ioreturn_name(int32_t code);

#endif
