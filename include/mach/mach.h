/* SPDX-License-Identifier: MIT
 *
 * mach/mach - everything of Mach that IOKit clients use.
 */
#ifndef OPENDEXT_MACH_MACH_H
#define OPENDEXT_MACH_MACH_H

#include <mach/boolean.h>
#include <mach/clock_types.h>
#include <mach/error.h>
#include <mach/kern_return.h>
#include <mach/mach_error.h>
#include <mach/mach_init.h>
#include <mach/message.h>
#include <mach/port.h>
#include <mach/vm_types.h>

#endif
