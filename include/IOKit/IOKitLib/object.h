/* SPDX-License-Identifier: MIT
 *
 * object - handles of IOKitLib: the main port, references, classes, iterators.
 *
 * Part of <IOKit/IOKitLib.h>: include that.
 */
#ifndef OPENDEXT_IOKIT_IOKITLIB_OBJECT_H
#define OPENDEXT_IOKIT_IOKITLIB_OBJECT_H

#include <CoreFoundation/CFBase.h>
#include <IOKit/IOTypes.h>
#include <mach/mach.h>

#ifdef __cplusplus
extern "C" {
#endif

/*!
 * The main port, two names for 0: the broker at OPENDEXT_SOCKET, else of this user, else of the
 * system.
 */
extern const mach_port_t kIOMainPortDefault;
extern const mach_port_t kIOMasterPortDefault;

/*!
 * Looks up the main port; programs can as well pass 0 wherever one is wanted.
 * @param bootstrapPort  MACH_PORT_NULL.
 * @param mainPort       receives a port that every function here accepts.
 * @return kIOReturnSuccess; kIOReturnBadArgument for a NULL pointer.
 */
kern_return_t IOMainPort(mach_port_t bootstrapPort, mach_port_t *mainPort);

/*!
 * The older name of IOMainPort().
 * @param bootstrapPort  MACH_PORT_NULL.
 * @param mainPort       receives the port.
 * @return as IOMainPort().
 */
kern_return_t IOMasterPort(mach_port_t bootstrapPort, mach_port_t *mainPort);

/*!
 * Gives one reference on a handle back; the last one ends what it names: an iterator, a
 * subscription, a connection.
 * @param object  any handle.
 * @return kIOReturnSuccess, also for 0; MACH_SEND_INVALID_DEST when nothing has this name.
 */
kern_return_t IOObjectRelease(io_object_t object);

/*!
 * Takes one more reference on a handle.
 * @param object  any handle.
 * @return kIOReturnSuccess, also when the object behind it is gone; MACH_SEND_INVALID_DEST when
 *         nothing has this name, also for 0.
 */
kern_return_t IOObjectRetain(io_object_t object);

/*!
 * The kernel class of an object: "IOUserService" for a driver's service, "IOUserUserClient" for a
 * connection.
 * @param object     any handle.
 * @param className  receives the name.
 * @return kIOReturnSuccess; kIOReturnBadArgument; MACH_SEND_INVALID_DEST.
 */
kern_return_t IOObjectGetClass(io_object_t object, io_name_t className);

/*!
 * Same as a string.
 * @param object  any handle.
 * @return +1, or NULL.
 */
CFStringRef IOObjectCopyClass(io_object_t object);

/*!
 * The class above a kernel class.
 * @param classname  e.g. "IOUserService".
 * @return +1; NULL for a root or a class that this library does not know.
 */
CFStringRef IOObjectCopySuperclassForClass(CFStringRef classname);

/*!
 * The bundle that brings a kernel class.
 * @param classname  e.g. "IOUserService".
 * @return +1: "__kernel__" for every class known here; NULL for others.
 */
CFStringRef IOObjectCopyBundleIdentifierForClass(CFStringRef classname);

/*!
 * Tells whether the kernel class of an object is a class or derives from it. User classes of
 * drivers do not count.
 * @param object     any handle.
 * @param className  the class.
 * @return 1 or 0.
 */
boolean_t IOObjectConformsTo(io_object_t object, const char *className);

/*!
 * Tells whether two handles name the same object.
 * @param object    a handle.
 * @param anObject  another.
 * @return 1 or 0.
 */
boolean_t IOObjectIsEqualTo(io_object_t object, io_object_t anObject);

/*!
 * References on the object outside this process, as the broker counts them.
 * @param object  any handle.
 * @return the count; 0 when unknown.
 */
uint32_t IOObjectGetKernelRetainCount(io_object_t object);

/*!
 * References on the handle in this process.
 * @param object  any handle.
 * @return the count; 0 for no handle.
 */
uint32_t IOObjectGetUserRetainCount(io_object_t object);

/*!
 * Same as IOObjectGetKernelRetainCount().
 * @param object  any handle.
 * @return the count.
 */
uint32_t IOObjectGetRetainCount(io_object_t object);

/*!
 * The next object of an iterator.
 * @param iterator  any iterator; 0 is empty.
 * @return +1; 0 at the end. For a notification that end arms it again.
 */
io_object_t IOIteratorNext(io_iterator_t iterator);

/*!
 * Starts an iterator again; does nothing to a notification.
 * @param iterator  any iterator.
 */
void IOIteratorReset(io_iterator_t iterator);

/*!
 * Tells whether what an iterator walks has not changed under it.
 * @param iterator  any iterator.
 * @return 1 or 0; always 1 for a notification. Registry iterators work on what they saw and stay
 *         valid.
 */
boolean_t IOIteratorIsValid(io_iterator_t iterator);

#ifdef __cplusplus
}
#endif

#endif
