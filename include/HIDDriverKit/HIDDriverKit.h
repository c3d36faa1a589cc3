/* SPDX-License-Identifier: MIT
 *
 * HIDDriverKit/HIDDriverKit.h - all of HIDDriverKit that is here.
 */
#ifndef OPENDEXT_HIDDRIVERKIT_HIDDRIVERKIT_H
#define OPENDEXT_HIDDRIVERKIT_HIDDRIVERKIT_H

#include <HIDDriverKit/IOHIDDevice.h>
#include <HIDDriverKit/IOHIDDeviceKeys.h>
#include <HIDDriverKit/IOHIDDeviceTypes.h>
#include <HIDDriverKit/IOHIDElement.h>
#include <HIDDriverKit/IOHIDEventService.h>
#include <HIDDriverKit/IOHIDInterface.h>
#include <HIDDriverKit/IOHIDUsageTables.h>
#include <HIDDriverKit/IOUserHIDDevice.h>
#include <HIDDriverKit/IOUserHIDEventService.h>

#endif
