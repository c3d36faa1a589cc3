/* SPDX-License-Identifier: MIT
 *
 * DriverKit/IOServiceNotificationDispatchSource.h - services that come and go.
 */
#ifndef OPENDEXT_DRIVERKIT_IOSERVICENOTIFICATIONDISPATCHSOURCE_H
#define OPENDEXT_DRIVERKIT_IOSERVICENOTIFICATIONDISPATCHSOURCE_H

#if defined(__IIG) && __IIG
#include <DriverKit/IOServiceNotificationDispatchSource.iig>
#else

#include <DriverKit/IODispatchSource.h>
#include <DriverKit/OSDictionary.h>

#pragma GCC visibility push(default)

class IOService;
typedef void (^IOServiceNotificationBlock)(uint64_t type, IOService *service, uint64_t options);

enum {
	kIOServiceNotificationTypeTerminated = 0,
	kIOServiceNotificationTypeMatched = 1,
	kIOServiceNotificationTypeNone = 0xFFFFFFFF,
};

class IOServiceNotificationDispatchSource;
#define IOServiceNotificationDispatchSource_Create_ID 0xc66541d671dcbb90ULL
#define IOServiceNotificationDispatchSource_Create_Args \
	OSDictionary *matching, uint64_t options, IODispatchQueue *queue, \
	IOServiceNotificationDispatchSource **notification
#define IOServiceNotificationDispatchSource_SetHandler_ID 0xb4f88ad2ec5e13dbULL
#define IOServiceNotificationDispatchSource_SetHandler_Args OSAction *action
#define IOServiceNotificationDispatchSource_ServiceNotificationReady_ID 0xb0d9f2b5ee6ab26dULL
#define IOServiceNotificationDispatchSource_ServiceNotificationReady_Args OSAction *action
struct OS_MESSAGE IOServiceNotificationDispatchSource_ServiceNotificationReady_Msg {
	OSAction *action;
};

extern OSMetaClass *gIOServiceNotificationDispatchSourceMetaClass;
extern const OSClassLoadInformation IOServiceNotificationDispatchSource_Class;

/*!
 * Tells of services that match a dictionary: those that there are, and those that come and go later,
 * of all drivers and devices of the broker.
 */
class IOServiceNotificationDispatchSource : public IODispatchSource {
	OS_RUNTIME_CLASS(IOServiceNotificationDispatchSource, IODispatchSource);

	/*!
	 * Begins to watch.
	 * @param matching      as IOService::Create...MatchingDictionary() make it; copied.
	 * @param options       0.
	 * @param queue         of the source, for the handlers of Cancel() and SetEnable...().
	 * @param notification  out, +1. It is on.
	 * @return kIOReturnSuccess; kIOReturnBadArgument; kIOReturnNoMemory; kIOReturnNotReady for
	 *         a queue that belongs to no driver; kIOReturnNoResources with 256 sources.
	 * Differs: all services are told, there are no entitlements to hear of them.
	 */
	static kern_return_t Create(OSDictionary *matching, uint64_t options,
			IODispatchQueue *queue,
			IOServiceNotificationDispatchSource **notification);

	/*!
	 * Sets the action whose handler calls DeliverNotifications(). It is called at once when
	 * there is something to deliver. Retained until replaced or cancelled.
	 * @return kIOReturnSuccess; kIOReturnBadArgument for an action of another type;
	 *         kIOReturnAborted when cancelled.
	 */
	kern_return_t SetHandler(OSAction *action, OSDispatchMethod supermethod = nullptr);

	/*! Ends the watch; what was not delivered is dropped. */
	kern_return_t Cancel(IODispatchSourceCancelHandler handler) override;
	/*! While it is off, what happens is kept. */
	kern_return_t SetEnableWithCompletion(bool enable,
			IODispatchSourceCancelHandler handler) override;

	/*!
	 * Runs the block for everything since the last time: terminated services first. A service
	 * of this process is the driver's own object; another one has its properties, and is the
	 * same object when it ends. A service that came and ended in between is not told.
	 * @return kIOReturnSuccess, also when there was nothing; kIOReturnBadArgument;
	 *         kIOReturnAborted when cancelled.
	 */
	kern_return_t DeliverNotifications(IOServiceNotificationBlock block);

	/*! Callback: DeliverNotifications() has something. */
	OS_RUNTIME_INVOKE_TYPE(IOServiceNotificationDispatchSource, ServiceNotificationReady);
};

#pragma GCC visibility pop

#endif
#endif
