/* SPDX-License-Identifier: MIT
 *
 * core - the C interface of libDriverKit as the C++ runtime sees it.
 *
 * Place:      cxx, lowest. Functions of C and classes of C++ have the same names, so the C side is
 *             declared inside of namespace core: core::IOService is the object of C, ::IOService the
 *             class. The symbols are those of libDriverKit.
 */
#ifndef DX_CXX_CORE_H
#define DX_CXX_CORE_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <DriverKit/IOReturn.h>
#include <DriverKit/IOTypes.h>
#include <USBDriverKit/AppleUSBDefinitions.h>
#include <os/log.h>

#include "base/face.h"

namespace core {
extern "C" {
#include <opendext/dispatch.h>
#include <opendext/link.h>
#include <opendext/memory.h>
#include <opendext/notify.h>
#include <opendext/object.h>
#include <opendext/service.h>
#include <opendext/usb.h>
#include <opendext/user_client.h>

#include "driver/face.h"
}
} // namespace core

/* The names that mean something else in C++. */
#undef IO_MEMORY_DESCRIPTOR
#undef IO_SERVICE
#undef OSDynamicCast
#undef OSObjectRelease
#undef OSObjectRetain
#undef OSObjectSafeReleaseNULL
#undef OSSafeReleaseNULL
#undef OS_OBJECT
#undef kIOUserClientVariableStructureSize
#undef kOSArrayAppend
#undef kOSBooleanFalse
#undef kOSBooleanTrue

#include <DriverKit/DriverKit.h>
#include <USBDriverKit/USBDriverKit.h>

#endif
