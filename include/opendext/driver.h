/* SPDX-License-Identifier: MIT
 *
 * opendext/driver.h - everything a driver written in C includes.
 *
 * Link with libDriverKit (pkg-config: opendext-driverkit); see opendext/object.h for what the shared
 * object of a driver exports.
 */
#ifndef OPENDEXT_DRIVER_H
#define OPENDEXT_DRIVER_H

#include <opendext/dispatch.h>
#include <opendext/iolib.h>
#include <opendext/link.h>
#include <opendext/memory.h>
#include <opendext/notify.h>
#include <opendext/object.h>
#include <opendext/service.h>
#include <opendext/usb.h>
#include <opendext/user_client.h>

#endif
