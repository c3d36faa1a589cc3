/* SPDX-License-Identifier: MIT
 *
 * CFMachPort - messages of a port for a run loop.
 *
 * For ports of IOCreateReceivePort() and IONotificationPortGetMachPort(): the callback gets what
 * mach_msg() would receive, and hands it to IODispatchCalloutFromMessage().
 */
#ifndef OPENDEXT_COREFOUNDATION_CFMACHPORT_H
#define OPENDEXT_COREFOUNDATION_CFMACHPORT_H

#include <CoreFoundation/CFBase.h>
#include <CoreFoundation/CFRunLoop.h>
#include <mach/port.h>

CF_EXTERN_C_BEGIN

/*! A port of a run loop. */
typedef struct __CFMachPort *CFMachPortRef;

/*! What goes with it. version is 0. */
typedef struct {
	CFIndex version;
	void *info;
	const void *(*retain)(const void *info);
	void (*release)(const void *info);
	CFStringRef (*copyDescription)(const void *info);
} CFMachPortContext;

/*! Called with a message, which is gone afterwards, and its bytes. */
typedef void (*CFMachPortCallBack)(CFMachPortRef port, void *msg, CFIndex size, void *info);

/*! @return the type number of ports. Threads: any. */
CF_EXPORT CFTypeID CFMachPortGetTypeID(void);

/*!
 * Makes one for a port that is there.
 * @param allocator       ignored.
 * @param portNum         the port's name; the port stays the caller's.
 * @param callout         called for each message; may be NULL.
 * @param context         copied; may be NULL.
 * @param shouldFreeInfo  receives false; may be NULL.
 * @return +1; NULL when nothing that can be received from has this name, or without memory.
 */
CF_EXPORT CFMachPortRef CFMachPortCreateWithPort(CFAllocatorRef allocator, mach_port_t portNum,
						 CFMachPortCallBack callout,
						 CFMachPortContext *context, Boolean *shouldFreeInfo);

/*!
 * The name of the port.
 * @param port  a port.
 * @return the name.
 */
CF_EXPORT mach_port_t CFMachPortGetPort(CFMachPortRef port);

/*!
 * Copies the context.
 * @param port     a port.
 * @param context  receives it; version must be 0 on entry.
 */
CF_EXPORT void CFMachPortGetContext(CFMachPortRef port, CFMachPortContext *context);

/*!
 * A source for run loops.
 * @param allocator  ignored.
 * @param port       the port; retained until the source is invalidated.
 * @param order      ignored.
 * @return +1; NULL for an invalid port, or without memory.
 */
CF_EXPORT CFRunLoopSourceRef CFMachPortCreateRunLoopSource(CFAllocatorRef allocator,
							   CFMachPortRef port, CFIndex order);

/*!
 * No callback any more.
 * @param port  a port; what it was made for goes on.
 * Threads: any; a callback that runs meanwhile goes on to its end.
 */
CF_EXPORT void CFMachPortInvalidate(CFMachPortRef port);

/*!
 * Tells whether a port has not been invalidated.
 * @param port  a port.
 * @return true if it calls back.
 */
CF_EXPORT Boolean CFMachPortIsValid(CFMachPortRef port);

CF_EXTERN_C_END

#endif
