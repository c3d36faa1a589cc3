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

struct IOServiceNotificationState;

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
 * Tells of services that match a dictionary. There is nothing here yet that a driver could be
 * told by: Create() refuses, so that drivers compile and say why they do not start.
 */
class IOServiceNotificationDispatchSource : public IODispatchSource {
	OS_RUNTIME_CLASS(IOServiceNotificationDispatchSource, IODispatchSource);

	/*! @return kIOReturnBadArgument; else kIOReturnUnsupported. */
	static kern_return_t Create(OSDictionary *matching, uint64_t options,
			IODispatchQueue *queue,
			IOServiceNotificationDispatchSource **notification);

	/*! Set to call DeliverNotifications(); fires at once when there is something to deliver. */
	kern_return_t SetHandler(OSAction *action, OSDispatchMethod supermethod = nullptr);

	kern_return_t Cancel(IODispatchSourceCancelHandler handler) override;
	kern_return_t SetEnableWithCompletion(bool enable,
			IODispatchSourceCancelHandler handler) override;

	/*!
	 * Runs the block for everything since the last time: terminated services first. @return
	 * kIOReturnSuccess; kIOReturnUnderrun when there was nothing.
	 */
	kern_return_t DeliverNotifications(IOServiceNotificationBlock block);
	void free() override;

	/*! Callback. */
	OS_RUNTIME_INVOKE_TYPE(IOServiceNotificationDispatchSource, ServiceNotificationReady);

	struct IOServiceNotificationState *state;
};

#pragma GCC visibility pop

#endif
#endif
