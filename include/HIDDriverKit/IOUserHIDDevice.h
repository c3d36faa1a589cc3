/* SPDX-License-Identifier: MIT
 *
 * HIDDriverKit/IOUserHIDDevice.h - the base class of HID devices of drivers.
 */
#ifndef OPENDEXT_HIDDRIVERKIT_IOUSERHIDDEVICE_H
#define OPENDEXT_HIDDRIVERKIT_IOUSERHIDDEVICE_H

#if defined(__IIG) && __IIG
#include <HIDDriverKit/IOUserHIDDevice.iig>
#else

#include <HIDDriverKit/IOHIDDevice.h>

#pragma GCC visibility push(default)

class IOUserHIDDevice;

extern OSMetaClass *gIOUserHIDDeviceMetaClass;
extern const OSClassLoadInformation IOUserHIDDevice_Class;

/*!
 * Its Start calls handleStart(), newDeviceDescription() and newReportDescriptor(), sets the
 * description as properties, and registers the service unless kIOHIDRegisterServiceKey in it is
 * false. What the device reports is dropped: there is no HID system here.
 */
class IOUserHIDDevice : public IOHIDDevice {
	OS_RUNTIME_CLASS(IOUserHIDDevice, IOHIDDevice);
	bool init() override;
	void free() override;

	bool handleStart(IOService *provider) override;

protected:
	kern_return_t Start_Impl(IOService_Start_Args);
};

#pragma GCC visibility pop

#endif
#endif
