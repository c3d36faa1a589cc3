/* SPDX-License-Identifier: MIT
 *
 * DriverKit/IOInterruptDispatchSource.h - interrupts of a provider.
 */
#ifndef OPENDEXT_DRIVERKIT_IOINTERRUPTDISPATCHSOURCE_H
#define OPENDEXT_DRIVERKIT_IOINTERRUPTDISPATCHSOURCE_H

#if defined(__IIG) && __IIG
#include <DriverKit/IOInterruptDispatchSource.iig>
#else

#include <DriverKit/IODispatchSource.h>

#pragma GCC visibility push(default)

class IOService;

enum {
	kIOInterruptTypeEdge = 0,
	kIOInterruptTypeLevel = 1,
	kIOInterruptSourceIndexMask = 0xffff,
	kIOInterruptSourceAbsoluteTime = 0,
	kIOInterruptSourceContinuousTime = 0x10000,
};

class IOInterruptDispatchSource;
#define IOInterruptDispatchSource_Create_ID 0xf66451fb4ef0e1cdULL
#define IOInterruptDispatchSource_Create_Args \
	IOService *provider, uint32_t index, IODispatchQueue *queue, \
	IOInterruptDispatchSource **source
#define IOInterruptDispatchSource_GetInterruptType_ID 0xc2e1c4d37a7f43e4ULL
#define IOInterruptDispatchSource_GetInterruptType_Args \
	IOService *provider, uint32_t index, uint64_t *interruptType
#define IOInterruptDispatchSource_SetHandler_ID 0xee2315dfa1ee3bfbULL
#define IOInterruptDispatchSource_SetHandler_Args OSAction *action
#define IOInterruptDispatchSource_GetLastInterrupt_ID 0xebf2292a331cc203ULL
#define IOInterruptDispatchSource_GetLastInterrupt_Args uint64_t *count, uint64_t *time
#define IOInterruptDispatchSource_InterruptOccurred_ID 0xc1f03f314287ca3fULL
#define IOInterruptDispatchSource_InterruptOccurred_Args \
	OSAction *action, uint64_t count, uint64_t time
struct OS_MESSAGE IOInterruptDispatchSource_InterruptOccurred_Msg {
	OSAction *action;
	uint64_t count;
	uint64_t time;
};

extern OSMetaClass *gIOInterruptDispatchSourceMetaClass;
extern const OSClassLoadInformation IOInterruptDispatchSource_Class;

/*!
 * Raises an interrupt of a service, for the sources in this process that were made for the service
 * itself or for what stands for it as a provider. Not of Apple's interface: no hardware raises
 * interrupts here, so a driver that plays a device does, or a driver's own test.
 * @return kIOReturnSuccess; kIOReturnBadArgument; kIOReturnNoInterrupt when it has no such one.
 */
kern_return_t OpenDextInterruptRaise(IOService *provider, uint32_t index);

/*!
 * Interrupts of a provider: as many as its property IOInterruptSpecifiers has members.
 * OpenDextInterruptRaise() raises them.
 */
class IOInterruptDispatchSource : public IODispatchSource {
	OS_RUNTIME_CLASS(IOInterruptDispatchSource, IODispatchSource);

	/*!
	 * Makes a source, off until SetEnable(true).
	 * @param index   number, and kIOInterruptSourceContinuousTime for times of
	 *                mach_continuous_time().
	 * @param queue   of the source.
	 * @param source  out, +1.
	 * @return kIOReturnSuccess; kIOReturnBadArgument; kIOReturnNoInterrupt when the provider has
	 *         no such interrupt; kIOReturnNoMemory; kIOReturnNotReady for a queue of no driver.
	 */
	static kern_return_t Create(IOService *provider, uint32_t index, IODispatchQueue *queue,
			IOInterruptDispatchSource **source);

	/*!
	 * Edge or level: the lowest bit of the number at that place in IOInterruptSpecifiers.
	 * @return kIOReturnSuccess; kIOReturnBadArgument; kIOReturnNoInterrupt.
	 */
	static kern_return_t GetInterruptType(IOService *provider, uint32_t index,
			uint64_t *interruptType);
	/*!
	 * Sets what is called.
	 * @return kIOReturnSuccess; kIOReturnBadArgument for an action of another type;
	 *         kIOReturnAborted when cancelled.
	 */
	kern_return_t SetHandler(OSAction *action, OSDispatchMethod supermethod = nullptr);

	/*! Ends the source. */
	kern_return_t Cancel(IODispatchSourceCancelHandler handler) override;
	/*! What is raised while it is off is told once when it is on. */
	kern_return_t SetEnableWithCompletion(bool enable,
			IODispatchSourceCancelHandler handler) override;
	/*!
	 * The last interrupt, also one that was not told.
	 * @return kIOReturnSuccess; kIOReturnBadArgument.
	 */
	kern_return_t GetLastInterrupt(uint64_t *count, uint64_t *time,
			OSDispatchMethod supermethod = nullptr);

	/*! Callback: count includes this one. */
	OS_RUNTIME_INVOKE_TYPE(IOInterruptDispatchSource, InterruptOccurred);
};

#pragma GCC visibility pop

#endif
#endif
