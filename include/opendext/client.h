/* SPDX-License-Identifier: MIT
 *
 * opendext/client - what OpenDext adds to IOKitLib: notifications without a run loop, the state of
 * connections, counters.
 *
 * When a driver ends a connection (its process dies, its device is unplugged, it terminates the user
 * client, it cuts an application off that breaks the protocol or reads no notifications), calls fail,
 * and what was outstanding never comes. No callback is made up for it. Nobody waits on:
 *
 *	- IOServiceAddInterestNotification() takes a connection in place of a service, and then tells
 *	  of its end, in every way of waiting. A dispatch queue has no other way.
 *	- Without such a subscription a wait ends, once, behind everything that came before: the file
 *	  descriptor is readable, IONotificationPortDispatch() returns 0, CFRunLoopRunInMode() for one
 *	  source returns kCFRunLoopRunHandledSource, mach_msg() returns MACH_RCV_PORT_CHANGED.
 *	- CFRunLoopRun() and CFRunLoopRunInMode() end with kCFRunLoopRunFinished when the mode holds
 *	  nothing but ports all of whose connections were ended and that have no subscriptions.
 *	- IOConnectGetState() says which connection it was, and why.
 */
#ifndef OPENDEXT_CLIENT_H
#define OPENDEXT_CLIENT_H

#include <IOKit/IOKitLib.h>

#ifdef __cplusplus
extern "C" {
#endif

/*!
 * A file descriptor for poll, epoll, libuv: readable when the port has something to deliver, or a
 * connection has ended.
 * @param notify  the port.
 * @return the descriptor, the same each time; -1 for NULL or without descriptors.
 * Owner: the port. Do not read it or close it; call IONotificationPortDispatch() when it is
 *        readable.
 */
int IONotificationPortGetFileDescriptor(IONotificationPortRef notify);

/*!
 * Waits for notifications and calls their callbacks on this thread.
 * @param notify      the port.
 * @param timeout_ms  longest wait for the first one; 0 looks and returns, negative waits for ever.
 * @return how many callbacks ran; 0 when the time is over, when another thread closed a connection
 *         meanwhile, or once when a connection whose completions come to this port was ended by its
 *         driver (IOConnectGetState() tells) unless an interest notification told of that. -1 for
 *         NULL.
 * Blocks: until something was delivered, such a connection ended, or timeout_ms are over.
 * Threads: one at a time per port, and not while a run loop serves it. A callback may destroy the
 *          port.
 */
int IONotificationPortDispatch(IONotificationPortRef notify, int timeout_ms);

/*!
 * Tells whether a connection can still be used, and if not, why.
 * @param connect  the connection.
 * @return kIOReturnSuccess; kIOReturnOffline: the driver's process has died; kIOReturnNotAttached: the
 *         driver has ended this connection, or its device is gone; kIOReturnNotOpen: the program has
 *         closed it and still holds the handle; kIOReturnBadArgument for another kind of handle;
 *         MACH_SEND_INVALID_DEST for none, and in a child of fork(). The first reason stays.
 * Owner:  nothing changes; a connection that has ended is still to be closed.
 * Blocks: no; one system call while the connection is good. Threads: any.
 */
kern_return_t IOConnectGetState(io_connect_t connect);

/*! What a connection has cost so far. */
struct IOConnectStatistics {
	uint64_t calls;		    /*!< external methods called */
	uint64_t notifications;	    /*!< completions received */
	uint64_t doorbells;	    /*!< system calls that woke the driver */
	uint64_t sleeps;	    /*!< waits of this process in the kernel, for answers */
	uint64_t yields;	    /*!< of the CPU, to a driver that last ran on it */
	uint64_t wakeups;	    /*!< messages that woke this process for notifications */
	uint64_t port_calls;	    /*!< other system calls of its notification ports, to wait and
				     *   look; a port's count for each connection that it serves */
	uint64_t bytes_copied_in;   /*!< application to driver: scalars, inline and staged structures */
	uint64_t bytes_copied_out;  /*!< driver to application: likewise, and completion arguments */
	uint64_t bytes_mapped;	    /*!< shared with the driver now, never copied */
	uint64_t pages_promoted;    /*!< pages of this process made shareable, each copied once then */
};

/*!
 * Reads the counters of a connection.
 * @param connect     the connection; it may be closed or dead, as long as the handle is held.
 * @param statistics  receives them.
 * @param size        sizeof(struct IOConnectStatistics); what a smaller one holds is filled.
 * @return kIOReturnSuccess; kIOReturnBadArgument; MACH_SEND_INVALID_DEST.
 */
kern_return_t IOConnectGetStatistics(io_connect_t connect, struct IOConnectStatistics *statistics,
				     size_t size);

#ifdef __cplusplus
}
#endif

#endif
