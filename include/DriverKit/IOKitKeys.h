/* SPDX-License-Identifier: MIT
 *
 * DriverKit/IOKitKeys.h - names of properties; the same as an application's.
 */
#ifndef OPENDEXT_DRIVERKIT_IOKITKEYS_H
#define OPENDEXT_DRIVERKIT_IOKITKEYS_H

#include <DriverKit/IOTypes.h>

#include <IOKit/IOKitKeys.h>

#endif
