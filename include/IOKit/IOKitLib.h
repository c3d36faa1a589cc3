/* SPDX-License-Identifier: MIT
 *
 * IOKitLib - an application finds services, opens connections to their drivers, calls them, shares
 * memory with them and hears from them.
 *
 * Handles are 32-bit names of this process; a registry entry has one name while the process holds
 * it.
 * Every handle a function returns carries one reference: give it back with IOObjectRelease(), or
 * with IOServiceClose() for a connection. All functions may be called from any thread unless their
 * text says otherwise. Every function that asks the broker blocks until it answers; when no broker
 * runs, kern_return_t functions return kIOReturnNotReady and the others return 0, NULL or false.
 * Nothing here may be used in a child after fork() without exec.
 *
 * The parts, all included here: object (handles, the main port), notification (ports, callbacks),
 * service (matching), connect (calls, memory), registry (entries and their properties).
 */
#ifndef OPENDEXT_IOKIT_IOKITLIB_H
#define OPENDEXT_IOKIT_IOKITLIB_H

#include <CoreFoundation/CFBase.h>
#include <CoreFoundation/CFDictionary.h>
#include <CoreFoundation/CFRunLoop.h>
#include <IOKit/IOKitKeys.h>
#include <IOKit/IOKitLib/connect.h>
#include <IOKit/IOKitLib/notification.h>
#include <IOKit/IOKitLib/object.h>
#include <IOKit/IOKitLib/registry.h>
#include <IOKit/IOKitLib/service.h>
#include <IOKit/IOTypes.h>
#include <IOKit/OSMessageNotification.h>
#include <dispatch/dispatch.h>
#include <mach/mach.h>
#include <mach/mach_init.h>

#endif
