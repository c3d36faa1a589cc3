/* SPDX-License-Identifier: MIT
 *
 * notification - ports of IOKitLib that collect callbacks, and the callbacks.
 *
 * Part of <IOKit/IOKitLib.h>: include that.
 */
#ifndef OPENDEXT_IOKIT_IOKITLIB_NOTIFICATION_H
#define OPENDEXT_IOKIT_IOKITLIB_NOTIFICATION_H

#include <CoreFoundation/CFRunLoop.h>
#include <IOKit/IOTypes.h>
#include <IOKit/OSMessageNotification.h>
#include <dispatch/dispatch.h>
#include <mach/mach.h>

#ifdef __cplusplus
extern "C" {
#endif

/*! Collects callbacks and delivers them to one run loop or one poll loop. */
typedef struct IONotificationPort *IONotificationPortRef;

/*! Called when matching services came or went; iterator must be drained to hear of the next. */
typedef void (*IOServiceMatchingCallback)(void *refcon, io_iterator_t iterator);
/*! Called with a message of a service; messageArgument is the value itself. */
typedef void (*IOServiceInterestCallback)(void *refcon, io_service_t service, uint32_t messageType,
					  void *messageArgument);

/*!
 * Called for a completion of an asynchronous call. How many arguments the driver gave decides which
 * form the function must have: 0, 1, 2, or 3 and more as an array.
 */
typedef void (*IOAsyncCallback0)(void *refcon, IOReturn result);
typedef void (*IOAsyncCallback1)(void *refcon, IOReturn result, void *arg0);
typedef void (*IOAsyncCallback2)(void *refcon, IOReturn result, void *arg0, void *arg1);
typedef void (*IOAsyncCallback)(void *refcon, IOReturn result, void **args, uint32_t numArgs);

/*!
 * Makes a notification port.
 * @param mainPort  kIOMainPortDefault.
 * @return the port; NULL without memory or file descriptors, or for another main port.
 * Owner: the caller, until IONotificationPortDestroy().
 */
IONotificationPortRef IONotificationPortCreate(mach_port_t mainPort);

/*!
 * Ends a notification port: its run loop source is invalidated, what is queued is dropped.
 * @param notify  the port; NULL is ignored.
 * Threads: no callback runs after it returns on the thread that delivers; it may be called from a
 *          callback of the port itself. Nobody else may be inside IONotificationPortDispatch() for
 *          it.
 */
void IONotificationPortDestroy(IONotificationPortRef notify);

/*!
 * The source that delivers the port's callbacks in a run loop.
 * @param notify  the port.
 * @return borrowed, the same each time; NULL without memory.
 */
CFRunLoopSourceRef IONotificationPortGetRunLoopSource(IONotificationPortRef notify);

/*!
 * The name of the port, for wake_port of asynchronous calls.
 * @param notify  the port.
 * @return the name, borrowed; 0 for NULL.
 */
mach_port_t IONotificationPortGetMachPort(IONotificationPortRef notify);

/*!
 * Delivers on a dispatch queue instead of a run loop.
 * @param notify  the port; not one that a run loop or IONotificationPortDispatch() serves.
 * @param queue   retained while it is set; NULL stops delivery. A callback that runs on another
 *                thread meanwhile goes on to its end.
 * Threads: callbacks are made on the queue, one at a time.
 */
void IONotificationPortSetDispatchQueue(IONotificationPortRef notify, dispatch_queue_t queue);

/*!
 * Asks that senders lend their importance; there is no such thing on Linux.
 * @param notify  the port.
 * @return kIOReturnSuccess; kIOReturnBadArgument for NULL.
 */
kern_return_t IONotificationPortSetImportanceReceiver(IONotificationPortRef notify);

/*!
 * Makes a port from which the program takes messages itself, with mach_msg() or a CFMachPort. It can
 * be the wake_port of asynchronous calls and of IOServiceAddNotification().
 * @param msgType   kOSNotificationMessageID or kOSAsyncCompleteMessageID.
 * @param recvPort  receives its name, +1.
 * @return kIOReturnSuccess; kIOReturnBadArgument for another type; kIOReturnNoMemory and the like.
 * Owner: the caller; mach_port_deallocate() or IOObjectRelease() end the port.
 */
kern_return_t IOCreateReceivePort(uint32_t msgType, mach_port_t *recvPort);

/*!
 * Calls what a notification was asked for with: the callback and refcon in the message.
 * @param unused     ignored.
 * @param msg        as received; one that is no notification, or has no callback, is ignored.
 * @param reference  ignored; programs pass the notification port or NULL.
 * Threads: the callback runs on the calling thread.
 */
void IODispatchCalloutFromMessage(void *unused, mach_msg_header_t *msg, void *reference);

/*!
 * Finds the parts of a notification.
 * @param msg        as received.
 * @param index      0: a message has one notification.
 * @param type       receives kIO...NotificationType; may be NULL, like those below.
 * @param reference  receives the reference of IOServiceAddNotification().
 * @param content    receives a pointer into msg; NULL when there is none.
 * @param size       receives the bytes at content.
 * @return kIOReturnSuccess; kIOReturnNotFound for another index; kIOReturnBadArgument for a message
 *         that is no notification.
 */
kern_return_t OSGetNotificationFromMessage(mach_msg_header_t *msg, uint32_t index, uint32_t *type,
					   uintptr_t *reference, void **content, vm_size_t *size);

#ifdef __cplusplus
}
#endif

#endif
