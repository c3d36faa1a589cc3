/* SPDX-License-Identifier: MIT
 *
 * connect - connections to drivers: calls and shared memory.
 *
 * Part of <IOKit/IOKitLib.h>: include that.
 */
#ifndef OPENDEXT_IOKIT_IOKITLIB_CONNECT_H
#define OPENDEXT_IOKIT_IOKITLIB_CONNECT_H

#include <CoreFoundation/CFBase.h>
#include <IOKit/IOTypes.h>
#include <mach/mach.h>

#ifdef __cplusplus
extern "C" {
#endif

/*! As *outputStructCnt of a synchronous call: the library allocates the output. */
enum { kIOConnectMethodVarOutputSize = -3 };

/*!
 * Opens a connection: the driver makes a user client of its own for it.
 * @param service     the service.
 * @param owningTask  mach_task_self().
 * @param type        given to the driver's NewUserClient().
 * @param connect     receives the connection; end it with IOServiceClose().
 * @return kIOReturnSuccess; kIOReturnBadArgument for another task or no service;
 *         MACH_SEND_INVALID_DEST when the service is gone; kIOReturnUnsupported when no driver is
 *         behind it; kIOReturnNotPermitted when access is refused; kIOReturnNoResources over a
 *         limit of the driver, or without two free descriptors here; kIOReturnNotReady without a
 *         broker; what the driver returned.
 * Blocks: until the user client has started.
 */
kern_return_t IOServiceOpen(io_service_t service, task_port_t owningTask, uint32_t type,
			    io_connect_t *connect);

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
 *         died; kIOReturnBadArgument or MACH_SEND_INVALID_DEST when it is no connection.
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
 * types vm_address_t and vm_size_t, which are as wide.
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
 *                    only the driver makes memory read-only.
 * @return kIOReturnSuccess; kIOReturnBadArgument for any failure at all, a wanted address that is
 *         in use included; MACH_SEND_INVALID_DEST for a closed connection.
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
 *                         through a descriptor: memory that can be shared in place (whole private
 *                         anonymous pages) is; other memory is copied when the call succeeds. With
 *                         kIOConnectMethodVarOutputSize: a void ** that receives new memory.
 * @param outputStructCnt  in: room in bytes, or (size_t)kIOConnectMethodVarOutputSize; out: bytes
 *                         that the driver set. Above 4096 it stays as it is. May be NULL.
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

#ifdef __cplusplus
}
#endif

#endif
