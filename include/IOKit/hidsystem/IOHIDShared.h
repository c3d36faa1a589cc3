/* SPDX-License-Identifier: MIT
 *
 * IOHIDShared - kinds of connections to the HID system. Clients of drivers take the numbers for
 * IOServiceOpen() from here; there is no HID system behind them.
 */
#ifndef OPENDEXT_IOKIT_HIDSYSTEM_IOHIDSHARED_H
#define OPENDEXT_IOKIT_HIDSYSTEM_IOHIDSHARED_H

#include <IOKit/IOTypes.h>

/*! Types for IOServiceOpen(). */
enum {
	kIOHIDServerConnectType = 0,
	kIOHIDParamConnectType = 1,
	kIOHIDStackShotConnectType = 2,
	kIOHIDEventSystemConnectType = 3
};

#endif
