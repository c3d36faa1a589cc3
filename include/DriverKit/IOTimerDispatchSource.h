/* SPDX-License-Identifier: MIT
 *
 * DriverKit/IOTimerDispatchSource.h - timers.
 */
#ifndef OPENDEXT_DRIVERKIT_IOTIMERDISPATCHSOURCE_H
#define OPENDEXT_DRIVERKIT_IOTIMERDISPATCHSOURCE_H

#if defined(__IIG) && __IIG
#include <DriverKit/IOTimerDispatchSource.iig>
#else

#include <DriverKit/IODispatchSource.h>

#pragma GCC visibility push(default)

enum {
	kIOTimerClockRealTime = 0x80,
	kIOTimerClockWallTime = 0x80,
	kIOTimerClockMonotonicRaw = 0x84,
	kIOTimerClockUptimeRaw = 0x88,
	kIOTimerClockMachContinuousTime = 0xC4,
	kIOTimerClockMachAbsoluteTime = 0xC8,
};

class IOTimerDispatchSource;
#define IOTimerDispatchSource_Create_ID 0x9d9b5564de95e685ULL
#define IOTimerDispatchSource_Create_Args IODispatchQueue *queue, IOTimerDispatchSource **source
#define IOTimerDispatchSource_SetHandler_ID 0xa0170a538363eab8ULL
#define IOTimerDispatchSource_SetHandler_Args OSAction *action
#define IOTimerDispatchSource_WakeAtTime_ID 0xe6138a0b4085b7cfULL
#define IOTimerDispatchSource_WakeAtTime_Args uint64_t options, uint64_t deadline, uint64_t leeway
#define IOTimerDispatchSource_TimerOccurred_ID 0xd9cbf2cab616b487ULL
#define IOTimerDispatchSource_TimerOccurred_Args OSAction *action, uint64_t time
struct OS_MESSAGE IOTimerDispatchSource_TimerOccurred_Msg {
	OSAction *action;
	uint64_t time;
};

extern OSMetaClass *gIOTimerDispatchSourceMetaClass;
extern const OSClassLoadInformation IOTimerDispatchSource_Class;

/*! One deadline, one action. It is enabled when it is made; the last release disarms it. */
class IOTimerDispatchSource : public IODispatchSource {
	OS_RUNTIME_CLASS(IOTimerDispatchSource, IODispatchSource);

	/*!
	 * @param source  out, +1. @return kIOReturnSuccess; kIOReturnBadArgument;
	 *   kIOReturnNoMemory.
	 */
	static kern_return_t Create(IODispatchQueue *queue, IOTimerDispatchSource **source);

	/*!
	 * Sets what is called: an action of TYPE(IOTimerDispatchSource::TimerOccurred); retained
	 * until replaced (NULL is allowed) or cancelled.
	 */
	kern_return_t SetHandler(OSAction *action, OSDispatchMethod supermethod = nullptr);

	/*! Ends the timer. */
	kern_return_t Cancel(IODispatchSourceCancelHandler handler) override;
	/*! A timer that expires while it is off fires when it is switched on. */
	kern_return_t SetEnableWithCompletion(bool enable,
			IODispatchSourceCancelHandler handler) override;

	/*!
	 * Arms it once; replaces a pending deadline.
	 * @param options  a kIOTimerClock constant: clock and unit.
	 * @param deadline  absolute; in the past: fires at once.
	 * @return kIOReturnSuccess; kIOReturnBadArgument for an unknown clock; kIOReturnAborted
	 *   when cancelled.
	 */
	kern_return_t WakeAtTime(uint64_t options, uint64_t deadline, uint64_t leeway,
			OSDispatchMethod supermethod = nullptr);

	/*! Callback. @param time  when it fired, in the clock of WakeAtTime(). */
	OS_RUNTIME_INVOKE_TYPE(IOTimerDispatchSource, TimerOccurred);
};

#pragma GCC visibility pop

#endif
#endif
