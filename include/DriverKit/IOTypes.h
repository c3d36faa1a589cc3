/* SPDX-License-Identifier: MIT
 *
 * DriverKit/IOTypes.h - counts, options and addresses. Byte counts of drivers are 64 bits wide:
 * TargetConditionals.h, which comes first, says for whom we compile.
 */
#ifndef OPENDEXT_DRIVERKIT_IOTYPES_H
#define OPENDEXT_DRIVERKIT_IOTYPES_H

/* Who includes this is a driver. */
#ifndef TARGET_OS_DRIVERKIT
#define TARGET_OS_DRIVERKIT 1
#endif
#include <TargetConditionals.h>

#include <IOKit/IOTypes.h>

#endif
