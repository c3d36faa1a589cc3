/* SPDX-License-Identifier: MIT
 *
 * service - how an application finds services, and hears of those that come and go.
 *
 * Part of <IOKit/IOKitLib.h>: include that.
 */
#ifndef OPENDEXT_IOKIT_IOKITLIB_SERVICE_H
#define OPENDEXT_IOKIT_IOKITLIB_SERVICE_H

#include <CoreFoundation/CFDictionary.h>
#include <IOKit/IOKitLib/notification.h>
#include <IOKit/IOTypes.h>
#include <mach/mach.h>

#ifdef __cplusplus
extern "C" {
#endif

/*! IOServiceAuthorize(): the user may be asked. */
enum { kIOServiceInteractionAllowed = 0x00000001 };

/*!
 * A matching dictionary for a kernel class and what derives from it.
 * @param name  the class, in MacRoman.
 * @return +1; NULL for NULL or without memory.
 */
CFMutableDictionaryRef IOServiceMatching(const char *name);

/*!
 * A matching dictionary for the name of a service; a driver's service has the name of its user
 * class.
 * @param name  the name, in MacRoman.
 * @return +1; NULL for NULL or without memory.
 */
CFMutableDictionaryRef IOServiceNameMatching(const char *name);

/*!
 * A matching dictionary for a BSD device name.
 * @param mainPort  ignored.
 * @param options   ignored.
 * @param bsdName   the name.
 * @return +1; NULL for NULL or without memory.
 */
CFMutableDictionaryRef IOBSDNameMatching(mach_port_t mainPort, uint32_t options,
					 const char *bsdName);

/*!
 * A matching dictionary for a path of the device tree; old.
 * @param mainPort  ignored.
 * @param options   ignored.
 * @param path      the path.
 * @return +1; NULL for NULL or without memory. There is no device tree plane, so it matches
 *         nothing.
 */
CFMutableDictionaryRef IOOpenFirmwarePathMatching(mach_port_t mainPort, uint32_t options,
						  const char *path);

/*!
 * A matching dictionary for one entry.
 * @param entryID  from IORegistryEntryGetRegistryEntryID().
 * @return +1; NULL without memory.
 */
CFMutableDictionaryRef IORegistryEntryIDMatching(uint64_t entryID);

/*!
 * Finds one registered service.
 * @param mainPort  kIOMainPortDefault.
 * @param matching  one reference is taken over always.
 * @return +1; 0 when nothing matches or anything fails.
 */
io_service_t IOServiceGetMatchingService(mach_port_t mainPort, CFDictionaryRef matching);

/*!
 * Finds all registered services that match.
 * @param mainPort  kIOMainPortDefault.
 * @param matching  one reference is taken over always.
 * @param existing  receives an iterator, +1; it may be empty.
 * @return kIOReturnSuccess, also when nothing matches; kIOReturnBadArgument for NULL;
 *         kIOReturnNotPrivileged for another main port; kIOReturnUnsupported for a dictionary that
 *         is no property list; kIOReturnNotReady without a broker.
 */
kern_return_t IOServiceGetMatchingServices(mach_port_t mainPort, CFDictionaryRef matching,
					   io_iterator_t *existing);

/*!
 * Subscribes to services that come or go.
 * @param notifyPort        delivers the callback.
 * @param notificationType  kIOFirstMatchNotification, kIOTerminatedNotification, ...
 * @param matching          one reference is taken over always.
 * @param callback          called once when services are there again after the iterator was
 *                          drained.
 * @param refCon            given to callback.
 * @param notification      receives an iterator, +1, with all services that match now (none for the
 *                          two termination kinds). Drain it until it gives 0: that arms it.
 *                          Services come last in, first out; at most 1024 wait, further ones are
 *                          lost.
 * @return kIOReturnSuccess; kIOReturnBadArgument; kIOReturnUnsupported for an unknown kind or a
 *         dictionary that is no property list; kIOReturnNotReady without a broker.
 * Owner: keeping the iterator keeps the subscription. It survives a restart of the broker.
 */
kern_return_t IOServiceAddMatchingNotification(IONotificationPortRef notifyPort,
					       const char *notificationType,
					       CFDictionaryRef matching,
					       IOServiceMatchingCallback callback, void *refCon,
					       io_iterator_t *notification);

/*!
 * IOServiceAddMatchingNotification() for programs that take messages themselves.
 * @param mainPort          kIOMainPortDefault.
 * @param notificationType  as there.
 * @param matching          as there: one reference is taken over always.
 * @param wakePort          of IOCreateReceivePort(); gets one message when services are there again.
 * @param reference         comes back in the message: OSGetNotificationFromMessage().
 * @param notification      as there.
 * @return as there; kIOReturnNotPrivileged for a main port that is none.
 */
kern_return_t IOServiceAddNotification(mach_port_t mainPort, const char *notificationType,
				       CFDictionaryRef matching, mach_port_t wakePort,
				       uintptr_t reference, io_iterator_t *notification);

/*!
 * Subscribes to messages of one service; its end is kIOMessageServiceIsTerminated.
 * @param notifyPort    delivers the callback.
 * @param service       the service; or a connection (io_connect_t), whose end by the driver is told,
 *                      once, also when it was before; not when the program closes it.
 * @param interestType  kIOGeneralInterest, kIOBusyInterest, ...
 * @param callback      called with service, the message and its argument.
 * @param refCon        given to callback.
 * @param notification  receives the subscription, +1.
 * @return kIOReturnSuccess; kIOReturnBadArgument; MACH_SEND_INVALID_DEST for a stale service;
 *         kIOReturnUnsupported for an unknown kind, of a connection for all but kIOGeneralInterest;
 *         kIOReturnNotReady without a broker, which a connection does not need.
 * Differs: macOS takes no connection there, and has no message of the end of one.
 */
kern_return_t IOServiceAddInterestNotification(IONotificationPortRef notifyPort,
					       io_service_t service, const char *interestType,
					       IOServiceInterestCallback callback, void *refCon,
					       io_object_t *notification);

/*!
 * Tells whether a service matches a dictionary.
 * @param service   the service.
 * @param matching  borrowed.
 * @param matches   receives 1 or 0.
 * @return kIOReturnSuccess; kIOReturnBadArgument; MACH_SEND_INVALID_DEST; kIOReturnUnsupported.
 */
kern_return_t IOServiceMatchPropertyTable(io_service_t service, CFDictionaryRef matching,
					  boolean_t *matches);

/*!
 * How many things a service is still doing before it is quiet.
 * @param service    the service.
 * @param busyState  receives the count.
 * @return kIOReturnSuccess; kIOReturnBadArgument; MACH_SEND_INVALID_DEST.
 */
kern_return_t IOServiceGetBusyState(io_service_t service, uint32_t *busyState);

/*!
 * Waits until a service is quiet.
 * @param service   the service.
 * @param waitTime  longest wait; NULL waits for ever.
 * @return kIOReturnSuccess; kIOReturnTimeout; MACH_SEND_INVALID_DEST.
 * Blocks: until quiet, timed out, or the broker is gone. Other threads are not held up.
 */
kern_return_t IOServiceWaitQuiet(io_service_t service, mach_timespec_t *waitTime);

/*!
 * The busy count of the whole registry.
 * @param mainPort   kIOMainPortDefault.
 * @param busyState  receives the count.
 * @return kIOReturnSuccess; kIOReturnBadArgument; kIOReturnNotPrivileged.
 */
kern_return_t IOKitGetBusyState(mach_port_t mainPort, uint32_t *busyState);

/*!
 * Waits until the whole registry is quiet.
 * @param mainPort  kIOMainPortDefault.
 * @param waitTime  longest wait; NULL waits for ever.
 * @return kIOReturnSuccess; kIOReturnTimeout; kIOReturnNotPrivileged.
 * Blocks: as IOServiceWaitQuiet().
 */
kern_return_t IOKitWaitQuiet(mach_port_t mainPort, mach_timespec_t *waitTime);

/*!
 * Asks a service to look at its hardware again.
 * @param service  the service.
 * @param options  ignored.
 * @return kIOReturnUnsupported; kIOReturnBadArgument for no service.
 */
kern_return_t IOServiceRequestProbe(io_service_t service, uint32_t options);

/*!
 * Asks for the right to open a service. Rights are the broker's rules here, nobody is asked.
 * @param service  the service.
 * @param options  kIOServiceInteractionAllowed or 0.
 * @return kIOReturnSuccess; kIOReturnBadArgument for no service.
 */
kern_return_t IOServiceAuthorize(io_service_t service, uint32_t options);

#ifdef __cplusplus
}
#endif

#endif
