/* SPDX-License-Identifier: MIT
 *
 * HIDDriverKit/IOHIDEventService.h - events of input devices.
 */
#ifndef OPENDEXT_HIDDRIVERKIT_IOHIDEVENTSERVICE_H
#define OPENDEXT_HIDDRIVERKIT_IOHIDEVENTSERVICE_H

#if defined(__IIG) && __IIG
#include <HIDDriverKit/IOHIDEventService.iig>
#else

#include <DriverKit/IOService.h>
#include <HIDDriverKit/IOHIDDeviceTypes.h>

#pragma GCC visibility push(default)

class IOHIDEventService;

extern OSMetaClass *gIOHIDEventServiceMetaClass;
extern const OSClassLoadInformation IOHIDEventService_Class;

/*!
 * Takes the events of input devices. Differs: no input system is fed with them: they are accepted
 * and dropped.
 */
class IOHIDEventService : public IOService {
	OS_RUNTIME_CLASS(IOHIDEventService, IOService);

	/*! A key went down (value 1) or up. @return kIOReturnSuccess. */
	virtual kern_return_t dispatchKeyboardEvent(uint64_t timeStamp, uint32_t usagePage,
			uint32_t usage, uint32_t value, IOOptionBits options, bool repeat);
	/*! A pointer moved, buttons are as buttonState says. @return kIOReturnSuccess. */
	virtual kern_return_t dispatchRelativePointerEvent(uint64_t timeStamp, IOFixed dx, IOFixed dy,
			uint32_t buttonState, IOOptionBits options, bool accelerate = true);
	/*! A wheel turned. @return kIOReturnSuccess. */
	virtual kern_return_t dispatchRelativeScrollWheelEvent(uint64_t timeStamp, IOFixed dx,
			IOFixed dy, IOFixed dz, IOOptionBits options, bool accelerate = true);
};

#pragma GCC visibility pop

#endif
#endif
