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

/*! Changes of items of the system state service. There is none here: Create() refuses. */
class IOServiceStateNotificationDispatchSource : public IODispatchSource {
	OS_RUNTIME_CLASS(IOServiceStateNotificationDispatchSource, IODispatchSource);

	/*! @return kIOReturnUnsupported. */
	static kern_return_t Create(IOService *service, OSArray *items, IODispatchQueue *queue,
			IOServiceStateNotificationDispatchSource **source);
	kern_return_t SetHandler(OSAction *action, OSDispatchMethod supermethod = nullptr);

	kern_return_t Cancel(IODispatchSourceCancelHandler handler) override;
	kern_return_t SetEnableWithCompletion(bool enable,
			IODispatchSourceCancelHandler handler) override;
	kern_return_t StateNotificationBegin(OSDispatchMethod supermethod = nullptr);

	/*! Callback. */
	OS_RUNTIME_INVOKE_TYPE(IOServiceStateNotificationDispatchSource, StateNotificationReady);
};

#pragma GCC visibility pop

#endif
#endif
