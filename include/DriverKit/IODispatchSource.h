/* SPDX-License-Identifier: MIT
 *
 * DriverKit/IODispatchSource.h - what makes things happen on queues.
 */
#ifndef OPENDEXT_DRIVERKIT_IODISPATCHSOURCE_H
#define OPENDEXT_DRIVERKIT_IODISPATCHSOURCE_H

#if defined(__IIG) && __IIG
#include <DriverKit/IODispatchSource.iig>
#else

#include <DriverKit/OSAction.h>
#include <DriverKit/IODispatchQueue.h>

#pragma GCC visibility push(default)

typedef void (^IODispatchSourceCancelHandler)(void);

class IODispatchSource;

extern OSMetaClass *gIODispatchSourceMetaClass;
extern const OSClassLoadInformation IODispatchSource_Class;

/*! Base of timers, interrupts, data queues and notifications. */
class IODispatchSource : public OSObject {
	OS_RUNTIME_CLASS(IODispatchSource, OSObject);

	/*!
	 * Ends the source. The handler (may be NULL) runs on its queue after callbacks in
	 * progress.
	 */
	virtual kern_return_t Cancel(IODispatchSourceCancelHandler handler);

	/*! Switches it on or off; the handler (may be NULL) runs once that is in force. */
	virtual kern_return_t SetEnableWithCompletion(bool enable,
			IODispatchSourceCancelHandler handler);

	/*!
	 * Looks whether there is something to deliver. @return kIOReturnUnsupported for sources
	 * that need no looking.
	 */
	virtual kern_return_t CheckForWork(bool synchronous);

	/*! SetEnableWithCompletion() without a handler. */
	kern_return_t SetEnable(bool enable);
};

#pragma GCC visibility pop

#endif
#endif
