/* SPDX-License-Identifier: MIT
 *
 * DriverKit/OSContainer.h - the class of all property values; it is in OSObject.h.
 */
#ifndef OPENDEXT_DRIVERKIT_OSCONTAINER_H
#define OPENDEXT_DRIVERKIT_OSCONTAINER_H

#include <DriverKit/OSObject.h>

#endif
