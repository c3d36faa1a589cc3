/* SPDX-License-Identifier: MIT
 *
 * IOKitLib - an application finds services, opens connections to their drivers, calls them, shares
 * memory with them and hears from them.
 *
 * Handles are 32-bit names of this process; a registry entry has one name while the process holds
 * it.
 * Every handle a function returns carries one reference: give it back with IOObjectRelease(), or
 * with IOServiceClose() for a connection. All functions may be called from any thread unless their
 * text says otherwise. Every function that asks the broker blocks until it answers; when no broker
 * runs, kern_return_t functions return kIOReturnNotReady and the others return 0, NULL or false.
 * Nothing here may be used in a child after fork() without exec.
 */
#ifndef OPENDEXT_IOKIT_IOKITLIB_H
#define OPENDEXT_IOKIT_IOKITLIB_H

#include <CoreFoundation/CFBase.h>
#include <CoreFoundation/CFDictionary.h>
#include <CoreFoundation/CFRunLoop.h>
#include <IOKit/IOKitKeys.h>
#include <IOKit/IOTypes.h>
#include <IOKit/OSMessageNotification.h>
#include <dispatch/dispatch.h>
#include <mach/mach.h>
#include <mach/mach_init.h>

#ifdef __cplusplus
extern "C" {
#endif

/*!
 * The main port, two names for 0: the broker at OPENDEXT_SOCKET, else of this user, else of the
 * system.
 */
extern const mach_port_t kIOMainPortDefault;
extern const mach_port_t kIOMasterPortDefault;

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

/*! IOServiceAuthorize(): the user may be asked. */
enum { kIOServiceInteractionAllowed = 0x00000001 };

/*! How registry iterators and searches walk: into children of children; towards the root. */
enum { kIORegistryIterateRecursively = 0x00000001, kIORegistryIterateParents = 0x00000002 };

/*! As *outputStructCnt of a synchronous call: the library allocates the output. */
enum { kIOConnectMethodVarOutputSize = -3 };

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

/*!
 * Gives one reference on a handle back; the last one ends what it names: an iterator, a
 * subscription,
 * a connection.
 * @param object  any handle.
 * @return kIOReturnSuccess, also for 0; MACH_SEND_INVALID_DEST when nothing has this name.
 */
kern_return_t IOObjectRelease(io_object_t object);

/*!
 * Takes one more reference on a handle.
 * @param object  any handle.
 * @return kIOReturnSuccess, also when the object behind it is gone; MACH_SEND_INVALID_DEST when
 *         nothing
 *         has this name, also for 0.
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
 * drivers
 * do not count.
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
 *         is
 *         no property list; kIOReturnNotReady without a broker.
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
 *                          Services
 *                          come last in, first out; at most 1024 wait, further ones are lost.
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
 * @param service       the service.
 * @param interestType  kIOGeneralInterest, kIOBusyInterest, ...
 * @param callback      called with service, the message and its argument.
 * @param refCon        given to callback.
 * @param notification  receives the subscription, +1.
 * @return kIOReturnSuccess; kIOReturnBadArgument; MACH_SEND_INVALID_DEST for a stale service;
 *         kIOReturnUnsupported for an unknown kind; kIOReturnNotReady without a broker.
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
 * Opens a connection: the driver makes a user client of its own for it.
 * @param service     the service.
 * @param owningTask  mach_task_self().
 * @param type        given to the driver's NewUserClient().
 * @param connect     receives the connection; end it with IOServiceClose().
 * @return kIOReturnSuccess; kIOReturnBadArgument for another task or no service;
 *         MACH_SEND_INVALID_DEST when the service is gone; kIOReturnUnsupported when no driver is
 *         behind it; kIOReturnNotPermitted when access is refused; what the driver returned.
 * Blocks: until the user client has started.
 */
kern_return_t IOServiceOpen(io_service_t service, task_port_t owningTask, uint32_t type,
			    io_connect_t *connect);

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

/*!
 * Opens the device file of a service. Services of drivers have none: use IOServiceOpen().
 * @param service  the service.
 * @param oflag    as of open().
 * @return -1; errno is ENOTSUP, or EINVAL for no service.
 */
int IOServiceOpenAsFileDescriptor(io_service_t service, int oflag);

/*!
 * Closes a connection and gives one reference on its handle back.
 * @param connect  the connection.
 * @return kIOReturnSuccess, also the second time through another reference and when the driver
 *         died;
 *         kIOReturnBadArgument or MACH_SEND_INVALID_DEST when it is no connection.
 * Blocks: until running calls on it have returned. Its mappings go away.
 */
kern_return_t IOServiceClose(io_connect_t connect);

/*!
 * Takes one more reference on a connection.
 * @param connect  the connection.
 * @return as IOObjectRetain().
 */
kern_return_t IOConnectAddRef(io_connect_t connect);

/*!
 * Gives one reference back; the last one closes the connection.
 * @param connect  the connection.
 * @return as IOObjectRelease().
 */
kern_return_t IOConnectRelease(io_connect_t connect);

/*!
 * Connections to drivers do not tell their service.
 * @param connect  the connection.
 * @param service  receives 0.
 * @return kIOReturnUnsupported; kIOReturnBadArgument or MACH_SEND_INVALID_DEST for no connection.
 */
kern_return_t IOConnectGetService(io_connect_t connect, io_service_t *service);

/*!
 * Connections to drivers take ports only with asynchronous calls.
 * @param connect    the connection.
 * @param type       ignored.
 * @param port       ignored.
 * @param reference  ignored.
 * @return kIOReturnUnsupported; kIOReturnBadArgument or MACH_SEND_INVALID_DEST for no connection.
 * Blocks: until running calls on it have returned.
 */
kern_return_t IOConnectSetNotificationPort(io_connect_t connect, uint32_t type, mach_port_t port,
					   uintptr_t reference);

/*!
 * Connections to drivers cannot be joined.
 * @param connect  the connection.
 * @param client   another.
 * @return kIOReturnUnsupported; kIOReturnBadArgument or MACH_SEND_INVALID_DEST for no connection.
 * Blocks: until running calls on it have returned.
 */
kern_return_t IOConnectAddClient(io_connect_t connect, io_connect_t client);

/*!
 * Connections to drivers have no properties to set.
 * @param connect     the connection.
 * @param properties  ignored.
 * @return kIOReturnUnsupported; kIOReturnBadArgument or MACH_SEND_INVALID_DEST for no connection.
 * Blocks: until running calls on it have returned.
 */
kern_return_t IOConnectSetCFProperties(io_connect_t connect, CFTypeRef properties);

/*!
 * Same for one property.
 * @param connect       the connection.
 * @param propertyName  ignored.
 * @param property      ignored.
 * @return as IOConnectSetCFProperties().
 */
kern_return_t IOConnectSetCFProperty(io_connect_t connect, CFStringRef propertyName,
				     CFTypeRef property);

/*!
 * The older name of IOConnectMapMemory64(); with IOCONNECT_MAPMEMORY_10_6 its pointers have the
 * types
 * vm_address_t and vm_size_t, which are as wide.
 * @param connect     the connection.
 * @param memoryType  given to the driver.
 * @param intoTask    mach_task_self().
 * @param atAddress   as there.
 * @param ofSize      as there.
 * @param options     as there.
 * @return as IOConnectMapMemory64().
 */
#if defined(IOCONNECT_MAPMEMORY_10_6)
kern_return_t IOConnectMapMemory(io_connect_t connect, uint32_t memoryType, task_port_t intoTask,
				 vm_address_t *atAddress, vm_size_t *ofSize, IOOptionBits options);
#else
kern_return_t IOConnectMapMemory(io_connect_t connect, uint32_t memoryType, task_port_t intoTask,
				 mach_vm_address_t *atAddress, mach_vm_size_t *ofSize,
				 IOOptionBits options);
#endif

/*!
 * Maps memory of the driver: the same pages in both processes.
 * @param connect     the connection.
 * @param memoryType  given to the driver's CopyClientMemoryForType(), which is called each time.
 * @param intoTask    mach_task_self().
 * @param atAddress   in: a wanted address unless kIOMapAnywhere is set; out: the first byte.
 * @param ofSize      out: bytes, exact.
 * @param options     kIOMapAnywhere and a cache mode; other bits are ignored, kIOMapReadOnly too:
 *                    only
 *                    the driver makes memory read-only.
 * @return kIOReturnSuccess; kIOReturnBadArgument for any failure at all, a wanted address that is
 *         in
 *         use included; MACH_SEND_INVALID_DEST for a closed connection.
 * Owner: the connection; IOConnectUnmapMemory64() or IOServiceClose() end it. It survives the
 *        driver.
 * Blocks: until running calls on the connection have returned and the driver has answered.
 * Differs: a wanted address must be aligned to pages as the memory's own first byte is.
 */
kern_return_t IOConnectMapMemory64(io_connect_t connect, uint32_t memoryType, task_port_t intoTask,
				   mach_vm_address_t *atAddress, mach_vm_size_t *ofSize,
				   IOOptionBits options);

/*!
 * The older name of IOConnectUnmapMemory64().
 * @param connect     the connection.
 * @param memoryType  as there.
 * @param fromTask    mach_task_self().
 * @param atAddress   ignored.
 * @return as IOConnectUnmapMemory64().
 */
kern_return_t IOConnectUnmapMemory(io_connect_t connect, uint32_t memoryType, task_port_t fromTask,
				   mach_vm_address_t atAddress);

/*!
 * Ends a mapping. The driver is asked for the memory of that type again, and the mapping of that
 * descriptor goes, however often it was mapped.
 * @param connect     the connection.
 * @param memoryType  given to the driver.
 * @param fromTask    mach_task_self().
 * @param atAddress   ignored.
 * @return kIOReturnSuccess, also when the driver gives no memory; the driver's error;
 *         kIOReturnBadArgument when that descriptor is not mapped; MACH_SEND_INVALID_DEST.
 * Blocks: as IOConnectMapMemory64().
 */
kern_return_t IOConnectUnmapMemory64(io_connect_t connect, uint32_t memoryType, task_port_t fromTask,
				     mach_vm_address_t atAddress);

/*!
 * Calls a method of the driver's user client.
 * @param connection       the connection.
 * @param selector         which method.
 * @param input            inputCnt scalars.
 * @param inputCnt         0..16.
 * @param inputStruct      inputStructCnt bytes; up to 4096 are copied into the call. More reach the
 *                         driver as a descriptor of a snapshot, which it may read and write.
 * @param inputStructCnt   bytes.
 * @param output           room for *outputCnt scalars.
 * @param outputCnt        in: 0..16 (more counts as 16); out: how many the driver set. May be NULL.
 * @param outputStruct     room for *outputStructCnt bytes. Above 4096 bytes the driver writes
 *                         through a
 *                         descriptor: memory that can be shared in place (whole private anonymous
 *                         pages) is; other memory is copied when the call succeeds.
 *                         With kIOConnectMethodVarOutputSize: a void ** that receives new memory.
 * @param outputStructCnt  in: room in bytes, or (size_t)kIOConnectMethodVarOutputSize; out: bytes
 *                         that
 *                         the driver set. Above 4096 it stays as it is. May be NULL.
 * @return what the driver's method returned. Before it is called: kIOReturnBadArgument for
 *         impossible pointers; MIG_ARRAY_TOO_LARGE for more than 16 scalars;
 *         kIOReturnIPCError for a structure of more than UINT_MAX bytes; kIOReturnVMError for one that
 *         is not mapped; MACH_SEND_INVALID_DEST for a closed connection.
 *         After it: kIOReturnBadArgument when the driver set more output than was
 *         asked for, kIOReturnUnderrun when variable output was not set. kIOReturnOffline when the
 *         driver's process ends before it answers. On an error the outputs mean nothing.
 * Blocks: until the driver answers or its process ends.
 * Owner: variable output belongs to the caller, who frees it with vm_deallocate().
 */
kern_return_t IOConnectCallMethod(mach_port_t connection, uint32_t selector, const uint64_t *input,
				  uint32_t inputCnt, const void *inputStruct,
				  size_t inputStructCnt, uint64_t *output, uint32_t *outputCnt,
				  void *outputStruct, size_t *outputStructCnt);

/*!
 * Calls a method and hands the driver a completion, which it may fire any number of times.
 * @param connection       the connection.
 * @param selector         which method.
 * @param wake_port        IONotificationPortGetMachPort(); MACH_PORT_NULL: no completion is handed
 *                         over.
 * @param reference        referenceCnt words: callback at kIOAsyncCalloutFuncIndex, its refcon at
 *                         kIOAsyncCalloutRefconIndex; not changed. NULL with referenceCnt 0 is one
 *                         0.
 * @param referenceCnt     1..8.
 * @param input            as for IOConnectCallMethod().
 * @param inputCnt         likewise.
 * @param inputStruct      likewise.
 * @param inputStructCnt   likewise.
 * @param output           likewise.
 * @param outputCnt        likewise.
 * @param outputStruct     likewise, without variable output.
 * @param outputStructCnt  likewise.
 * @return as IOConnectCallMethod(): the immediate result; also kIOReturnBadArgument for a reference
 *         without words or a wake_port that is no notification port, MIG_ARRAY_TOO_LARGE for more
 *         than 8 words. After an error no completion comes from this call.
 * Blocks: until the driver's method returns, not until it completes.
 * Differs: a completion without a callback (word 1 is 0) is dropped instead of called.
 * Unsure: after IOServiceClose() what was fired before is delivered; what a driver fires later is
 * not.
 */
kern_return_t IOConnectCallAsyncMethod(mach_port_t connection, uint32_t selector,
				       mach_port_t wake_port, uint64_t *reference,
				       uint32_t referenceCnt, const uint64_t *input,
				       uint32_t inputCnt, const void *inputStruct,
				       size_t inputStructCnt, uint64_t *output, uint32_t *outputCnt,
				       void *outputStruct, size_t *outputStructCnt);

/*!
 * IOConnectCallMethod() without scalars.
 * @param connection       as there.
 * @param selector         as there.
 * @param inputStruct      as there.
 * @param inputStructCnt   as there.
 * @param outputStruct     as there.
 * @param outputStructCnt  as there.
 * @return as there.
 */
kern_return_t IOConnectCallStructMethod(mach_port_t connection, uint32_t selector,
					const void *inputStruct, size_t inputStructCnt,
					void *outputStruct, size_t *outputStructCnt);

/*!
 * IOConnectCallAsyncMethod() without scalars.
 * @param connection       as there.
 * @param selector         as there.
 * @param wake_port        as there.
 * @param reference        as there.
 * @param referenceCnt     as there.
 * @param inputStruct      as there.
 * @param inputStructCnt   as there.
 * @param outputStruct     as there.
 * @param outputStructCnt  as there.
 * @return as there.
 */
kern_return_t IOConnectCallAsyncStructMethod(mach_port_t connection, uint32_t selector,
					     mach_port_t wake_port, uint64_t *reference,
					     uint32_t referenceCnt, const void *inputStruct,
					     size_t inputStructCnt, void *outputStruct,
					     size_t *outputStructCnt);

/*!
 * IOConnectCallMethod() without structures.
 * @param connection  as there.
 * @param selector    as there.
 * @param input       as there.
 * @param inputCnt    as there.
 * @param output      as there.
 * @param outputCnt   as there.
 * @return as there.
 */
kern_return_t IOConnectCallScalarMethod(mach_port_t connection, uint32_t selector,
					const uint64_t *input, uint32_t inputCnt, uint64_t *output,
					uint32_t *outputCnt);

/*!
 * IOConnectCallAsyncMethod() without structures.
 * @param connection    as there.
 * @param selector      as there.
 * @param wake_port     as there.
 * @param reference     as there.
 * @param referenceCnt  as there.
 * @param input         as there.
 * @param inputCnt      as there.
 * @param output        as there.
 * @param outputCnt     as there.
 * @return as there.
 */
kern_return_t IOConnectCallAsyncScalarMethod(mach_port_t connection, uint32_t selector,
					     mach_port_t wake_port, uint64_t *reference,
					     uint32_t referenceCnt, const uint64_t *input,
					     uint32_t inputCnt, uint64_t *output,
					     uint32_t *outputCnt);

/*!
 * Fast calls without a message, with 0 arguments. Drivers have no traps of their own.
 * @param connect  the connection.
 * @param index    which trap.
 * @return kIOReturnSuccess and nothing happens; kIOReturnBadArgument for a closed connection.
 * Differs: indices 0 and 1 (event links and work groups) do not exist on Linux: kIOReturnNotFound.
 */
kern_return_t IOConnectTrap0(io_connect_t connect, uint32_t index);

/*!
 * Fast calls without a message, with 1 argument. Drivers have no traps of their own.
 * @param connect  the connection.
 * @param index    which trap.
 * @param p1       argument.
 * @return kIOReturnSuccess and nothing happens; kIOReturnBadArgument for a closed connection.
 */
kern_return_t IOConnectTrap1(io_connect_t connect, uint32_t index, uintptr_t p1);

/*!
 * Fast calls without a message, with 2 arguments. Drivers have no traps of their own.
 * @param connect  the connection.
 * @param index    which trap.
 * @param p1       argument.
 * @param p2       argument.
 * @return kIOReturnSuccess and nothing happens; kIOReturnBadArgument for a closed connection.
 */
kern_return_t IOConnectTrap2(io_connect_t connect, uint32_t index, uintptr_t p1, uintptr_t p2);

/*!
 * Fast calls without a message, with 3 arguments. Drivers have no traps of their own.
 * @param connect  the connection.
 * @param index    which trap.
 * @param p1       argument.
 * @param p2       argument.
 * @param p3       argument.
 * @return kIOReturnSuccess and nothing happens; kIOReturnBadArgument for a closed connection.
 */
kern_return_t IOConnectTrap3(io_connect_t connect, uint32_t index, uintptr_t p1, uintptr_t p2,
			     uintptr_t p3);

/*!
 * Fast calls without a message, with 4 arguments. Drivers have no traps of their own.
 * @param connect  the connection.
 * @param index    which trap.
 * @param p1       argument.
 * @param p2       argument.
 * @param p3       argument.
 * @param p4       argument.
 * @return kIOReturnSuccess and nothing happens; kIOReturnBadArgument for a closed connection.
 */
kern_return_t IOConnectTrap4(io_connect_t connect, uint32_t index, uintptr_t p1, uintptr_t p2,
			     uintptr_t p3, uintptr_t p4);

/*!
 * Fast calls without a message, with 5 arguments. Drivers have no traps of their own.
 * @param connect  the connection.
 * @param index    which trap.
 * @param p1       argument.
 * @param p2       argument.
 * @param p3       argument.
 * @param p4       argument.
 * @param p5       argument.
 * @return kIOReturnSuccess and nothing happens; kIOReturnBadArgument for a closed connection.
 */
kern_return_t IOConnectTrap5(io_connect_t connect, uint32_t index, uintptr_t p1, uintptr_t p2,
			     uintptr_t p3, uintptr_t p4, uintptr_t p5);

/*!
 * Fast calls without a message, with 6 arguments. Drivers have no traps of their own.
 * @param connect  the connection.
 * @param index    which trap.
 * @param p1       argument.
 * @param p2       argument.
 * @param p3       argument.
 * @param p4       argument.
 * @param p5       argument.
 * @param p6       argument.
 * @return kIOReturnSuccess and nothing happens; kIOReturnBadArgument for a closed connection.
 */
kern_return_t IOConnectTrap6(io_connect_t connect, uint32_t index, uintptr_t p1, uintptr_t p2,
			     uintptr_t p3, uintptr_t p4, uintptr_t p5, uintptr_t p6);

/*!
 * The root of the registry: class IORegistryEntry, name "Root".
 * @param mainPort  kIOMainPortDefault.
 * @return +1; 0 without a broker.
 */
io_registry_entry_t IORegistryGetRootEntry(mach_port_t mainPort);

/*!
 * The entry at a path.
 * @param mainPort  kIOMainPortDefault.
 * @param path      "IOService:/..." as IORegistryEntryGetPath() gives it.
 * @return +1; 0 if there is none.
 */
io_registry_entry_t IORegistryEntryFromPath(mach_port_t mainPort, const char *path);

/*!
 * Same, with a string of any length.
 * @param mainPort  kIOMainPortDefault.
 * @param path      borrowed.
 * @return +1; 0 if there is none.
 */
io_registry_entry_t IORegistryEntryCopyFromPath(mach_port_t mainPort, CFStringRef path);

/*!
 * An iterator over the children of the root.
 * @param mainPort  kIOMainPortDefault.
 * @param plane     kIOServicePlane.
 * @param options   0 or kIORegistryIterateRecursively.
 * @param iterator  receives it, +1.
 * @return kIOReturnSuccess; kIOReturnBadArgument, also for an unknown plane; kIOReturnNotReady.
 */
kern_return_t IORegistryCreateIterator(mach_port_t mainPort, const char *plane,
				       IOOptionBits options, io_iterator_t *iterator);

/*!
 * An iterator over children or parents of an entry.
 * @param entry     where to start; not part of the walk.
 * @param plane     kIOServicePlane.
 * @param options   kIORegistryIterateRecursively, kIORegistryIterateParents.
 * @param iterator  receives it, +1.
 * @return kIOReturnSuccess; kIOReturnBadArgument; MACH_SEND_INVALID_DEST.
 */
kern_return_t IORegistryEntryCreateIterator(io_registry_entry_t entry, const char *plane,
					    IOOptionBits options, io_iterator_t *iterator);

/*!
 * Walks the children of the entry that the iterator gave last.
 * @param iterator  a registry iterator.
 * @return kIOReturnSuccess; kIOReturnBadArgument for another iterator or before its first entry.
 */
kern_return_t IORegistryIteratorEnterEntry(io_iterator_t iterator);

/*!
 * Goes back to where IORegistryIteratorEnterEntry() was called.
 * @param iterator  a registry iterator.
 * @return kIOReturnSuccess; kIOReturnNoDevice at the outermost level; kIOReturnBadArgument.
 */
kern_return_t IORegistryIteratorExitEntry(io_iterator_t iterator);

/*!
 * The name of an entry: for a driver's service its user class, or what the driver set.
 * @param entry  the entry.
 * @param name   receives it.
 * @return kIOReturnSuccess; kIOReturnBadArgument; MACH_SEND_INVALID_DEST.
 */
kern_return_t IORegistryEntryGetName(io_registry_entry_t entry, io_name_t name);

/*!
 * The name of an entry in one plane.
 * @param entry  the entry.
 * @param plane  any; the name is the same in all.
 * @param name   receives it.
 * @return as IORegistryEntryGetName().
 */
kern_return_t IORegistryEntryGetNameInPlane(io_registry_entry_t entry, const char *plane,
					    io_name_t name);

/*!
 * Where an entry is attached.
 * @param entry     the entry.
 * @param plane     kIOServicePlane.
 * @param location  receives it.
 * @return kIOReturnSuccess; kIOReturnNotFound if it has none; kIOReturnBadArgument;
 *         MACH_SEND_INVALID_DEST.
 */
kern_return_t IORegistryEntryGetLocationInPlane(io_registry_entry_t entry, const char *plane,
						io_name_t location);

/*!
 * The path of an entry.
 * @param entry  the entry.
 * @param plane  kIOServicePlane.
 * @param path   receives "IOService:/...".
 * @return kIOReturnSuccess; kIOReturnBadArgument, also for another plane; kIOReturnNoSpace if it is
 *         longer than 511 bytes; MACH_SEND_INVALID_DEST.
 */
kern_return_t IORegistryEntryGetPath(io_registry_entry_t entry, const char *plane,
				     io_string_t path);

/*!
 * Same as a string of any length.
 * @param entry  the entry.
 * @param plane  kIOServicePlane.
 * @return +1, or NULL.
 */
CFStringRef IORegistryEntryCopyPath(io_registry_entry_t entry, const char *plane);

/*!
 * The number of an entry, never used twice; the driver can read the same.
 * @param entry    the entry.
 * @param entryID  receives it; 0 on failure.
 * @return kIOReturnSuccess; kIOReturnBadArgument; MACH_SEND_INVALID_DEST.
 */
kern_return_t IORegistryEntryGetRegistryEntryID(io_registry_entry_t entry, uint64_t *entryID);

/*!
 * Copies all properties. Those that the driver set are inside "IOUserServiceProperties".
 * @param entry       the entry.
 * @param properties  receives the dictionary, +1.
 * @param allocator   ignored.
 * @param options     0.
 * @return kIOReturnSuccess; kIOReturnBadArgument; MACH_SEND_INVALID_DEST.
 */
kern_return_t IORegistryEntryCreateCFProperties(io_registry_entry_t entry,
						CFMutableDictionaryRef *properties,
						CFAllocatorRef allocator, IOOptionBits options);

/*!
 * Copies one property of an entry.
 * @param entry      the entry.
 * @param key        its key.
 * @param allocator  ignored.
 * @param options    0.
 * @return +1; NULL if it has none.
 */
CFTypeRef IORegistryEntryCreateCFProperty(io_registry_entry_t entry, CFStringRef key,
					  CFAllocatorRef allocator, IOOptionBits options);

/*!
 * Copies one property of an entry or of its relatives.
 * @param entry      where to start.
 * @param plane      kIOServicePlane.
 * @param key        its key.
 * @param allocator  ignored.
 * @param options    0; kIORegistryIterateRecursively for children, with kIORegistryIterateParents
 *                   for
 *                   parents.
 * @return +1 of the first that has it; NULL if none has.
 */
CFTypeRef IORegistryEntrySearchCFProperty(io_registry_entry_t entry, const char *plane,
					  CFStringRef key, CFAllocatorRef allocator,
					  IOOptionBits options);

/*!
 * Copies the bytes of one property: data, text with its NUL, "Yes" or "No", a number's bytes.
 * @param entry         the entry.
 * @param propertyName  its key.
 * @param buffer        room for *size bytes.
 * @param size          in: room; out: bytes.
 * @return kIOReturnSuccess; kIOReturnNoResources if it is missing; kIOReturnIPCError if it does not
 *         fit; kIOReturnBadArgument for containers; MACH_SEND_INVALID_DEST.
 */
kern_return_t IORegistryEntryGetProperty(io_registry_entry_t entry, const char *propertyName,
					 io_struct_inband_t buffer, uint32_t *size);

/*!
 * Programs cannot set properties of drivers' services.
 * @param entry       the entry.
 * @param properties  ignored.
 * @return kIOReturnUnsupported; kIOReturnBadArgument; MACH_SEND_INVALID_DEST.
 */
kern_return_t IORegistryEntrySetCFProperties(io_registry_entry_t entry, CFTypeRef properties);

/*!
 * Same for one property.
 * @param entry         the entry.
 * @param propertyName  ignored.
 * @param property      ignored.
 * @return as IORegistryEntrySetCFProperties().
 */
kern_return_t IORegistryEntrySetCFProperty(io_registry_entry_t entry, CFStringRef propertyName,
					   CFTypeRef property);

/*!
 * An iterator over the children of an entry.
 * @param entry     the entry.
 * @param plane     kIOServicePlane.
 * @param iterator  receives it, +1.
 * @return kIOReturnSuccess; kIOReturnBadArgument; MACH_SEND_INVALID_DEST.
 */
kern_return_t IORegistryEntryGetChildIterator(io_registry_entry_t entry, const char *plane,
					     io_iterator_t *iterator);

/*!
 * The first of the children of an entry.
 * @param entry   the entry.
 * @param plane   kIOServicePlane.
 * @param child  receives it, +1; 0 on failure.
 * @return kIOReturnSuccess; kIOReturnNoDevice if it has none; kIOReturnBadArgument;
 *         MACH_SEND_INVALID_DEST.
 */
kern_return_t IORegistryEntryGetChildEntry(io_registry_entry_t entry, const char *plane,
					  io_registry_entry_t *child);

/*!
 * An iterator over the parents of an entry.
 * @param entry     the entry.
 * @param plane     kIOServicePlane.
 * @param iterator  receives it, +1.
 * @return kIOReturnSuccess; kIOReturnBadArgument; MACH_SEND_INVALID_DEST.
 */
kern_return_t IORegistryEntryGetParentIterator(io_registry_entry_t entry, const char *plane,
					     io_iterator_t *iterator);

/*!
 * The first of the parents of an entry.
 * @param entry   the entry.
 * @param plane   kIOServicePlane.
 * @param parent  receives it, +1; 0 on failure.
 * @return kIOReturnSuccess; kIOReturnNoDevice if it has none; kIOReturnBadArgument;
 *         MACH_SEND_INVALID_DEST.
 */
kern_return_t IORegistryEntryGetParentEntry(io_registry_entry_t entry, const char *plane,
					  io_registry_entry_t *parent);

/*!
 * Tells whether an entry is in a plane.
 * @param entry  the entry.
 * @param plane  its name.
 * @return 1 for kIOServicePlane, else 0.
 */
boolean_t IORegistryEntryInPlane(io_registry_entry_t entry, const char *plane);

#ifdef __cplusplus
}
#endif

#endif
