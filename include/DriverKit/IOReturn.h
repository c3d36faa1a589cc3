/* SPDX-License-Identifier: MIT
 *
 * DriverKit/IOReturn.h - result codes; the same as an application's.
 */
#ifndef OPENDEXT_DRIVERKIT_IORETURN_H
#define OPENDEXT_DRIVERKIT_IORETURN_H

/* Who includes this is a driver. */
#ifndef TARGET_OS_DRIVERKIT
#define TARGET_OS_DRIVERKIT 1
#endif
#include <TargetConditionals.h>

#include <IOKit/IOReturn.h>

#endif
