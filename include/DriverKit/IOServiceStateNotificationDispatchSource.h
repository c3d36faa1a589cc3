/* SPDX-License-Identifier: MIT
 *
 * DriverKit/IOServiceStateNotificationDispatchSource.h - changes of state items.
 */
#ifndef OPENDEXT_DRIVERKIT_IOSERVICESTATENOTIFICATIONDISPATCHSOURCE_H
#define OPENDEXT_DRIVERKIT_IOSERVICESTATENOTIFICATIONDISPATCHSOURCE_H

#if defined(__IIG) && __IIG
#include <DriverKit/IOServiceStateNotificationDispatchSource.iig>
#else

#include <DriverKit/IODispatchSource.h>
#include <DriverKit/OSArray.h>

#pragma GCC visibility push(default)

class IOService;

class IOServiceStateNotificationDispatchSource;
#define IOServiceStateNotificationDispatchSource_Create_ID 0xd4c65966277a2c33ULL
#define IOServiceStateNotificationDispatchSource_Create_Args \
	IOService *service, OSArray *items, IODispatchQueue *queue, \
	IOServiceStateNotificationDispatchSource **source
#define IOServiceStateNotificationDispatchSource_SetHandler_ID 0xb113fb84e78d18caULL
#define IOServiceStateNotificationDispatchSource_SetHandler_Args OSAction *action
#define IOServiceStateNotificationDispatchSource_StateNotificationBegin_ID 0xc387a4cba27efbceULL
#define IOServiceStateNotificationDispatchSource_StateNotificationBegin_Args
#define IOServiceStateNotificationDispatchSource_StateNotificationReady_ID 0x8f4cbf4e305089cfULL
#define IOServiceStateNotificationDispatchSource_StateNotificationReady_Args OSAction *action
struct OS_MESSAGE IOServiceStateNotificationDispatchSource_StateNotificationReady_Msg {
	OSAction *action;
};

extern OSMetaClass *gIOServiceStateNotificationDispatchSourceMetaClass;
extern const OSClassLoadInformation IOServiceStateNotificationDispatchSource_Class;

/*!
 * Tells of changes of items: IOService::StateNotificationItemSet() on the service that
 * CopySystemStateNotificationService() gives.
 */
class IOServiceStateNotificationDispatchSource : public IODispatchSource {
	OS_RUNTIME_CLASS(IOServiceStateNotificationDispatchSource, IODispatchSource);

	/*!
	 * Makes a source, on; nothing is told before StateNotificationBegin().
	 * @param service  of the items.
	 * @param items    their names (OSString); an item may be made later. Copied.
	 * @param queue    of the source.
	 * @param source   out, +1.
	 * @return kIOReturnSuccess; kIOReturnBadArgument; kIOReturnUnsupported for a service that
	 *         has no items; kIOReturnNoMemory; kIOReturnNotReady for a queue of no driver.
	 */
	static kern_return_t Create(IOService *service, OSArray *items, IODispatchQueue *queue,
			IOServiceStateNotificationDispatchSource **source);
	/*!
	 * Sets what is called.
	 * @return kIOReturnSuccess; kIOReturnBadArgument for an action of another type;
	 *         kIOReturnAborted when cancelled.
	 */
	kern_return_t SetHandler(OSAction *action, OSDispatchMethod supermethod = nullptr);

	/*! Ends the source. */
	kern_return_t Cancel(IODispatchSourceCancelHandler handler) override;
	/*! While it is off, a change is kept. */
	kern_return_t SetEnableWithCompletion(bool enable,
			IODispatchSourceCancelHandler handler) override;
	/*!
	 * Asks for one call of the action: at the next change, or at once when there was one since
	 * the last call.
	 * @return kIOReturnSuccess; kIOReturnAborted when cancelled.
	 */
	kern_return_t StateNotificationBegin(OSDispatchMethod supermethod = nullptr);

	/*! Callback: an item has another value. */
	OS_RUNTIME_INVOKE_TYPE(IOServiceStateNotificationDispatchSource, StateNotificationReady);
};

#pragma GCC visibility pop

#endif
#endif
