/* SPDX-License-Identifier: MIT
 *
 * HIDDriverKit/HIDDriverKit.h - the device side of HIDDriverKit.
 */
#ifndef OPENDEXT_HIDDRIVERKIT_HIDDRIVERKIT_H
#define OPENDEXT_HIDDRIVERKIT_HIDDRIVERKIT_H

#include <HIDDriverKit/IOHIDDevice.h>
#include <HIDDriverKit/IOHIDDeviceKeys.h>
#include <HIDDriverKit/IOHIDDeviceTypes.h>
#include <HIDDriverKit/IOHIDUsageTables.h>
#include <HIDDriverKit/IOUserHIDDevice.h>

#endif
