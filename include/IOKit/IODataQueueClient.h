/* SPDX-License-Identifier: MIT
 *
 * IODataQueueClient - an application's end of a queue in shared memory.
 *
 * The memory is what IOConnectMapMemory64() gives for a driver's data queue. One thread takes
 * entries out at a time, one puts them in. What the driver writes into the memory is checked; for a
 * mapping of IOConnectMapMemory64() also that it says no more than is mapped. Other memory must be
 * as large as it says.
 */
#ifndef OPENDEXT_IOKIT_IODATAQUEUECLIENT_H
#define OPENDEXT_IOKIT_IODATAQUEUECLIENT_H

#include <stdint.h>

#include <IOKit/IODataQueueShared.h>
#include <IOKit/IOReturn.h>
#include <IOKit/IOTypes.h>
#include <mach/port.h>

#ifdef __cplusplus
extern "C" {
#endif

/*!
 * Tells whether there is an entry.
 * @param dataQueue  the queue.
 * @return true if there is; false also for NULL.
 */
Boolean IODataQueueDataAvailable(IODataQueueMemory *dataQueue);

/*!
 * The next entry, in place.
 * @param dataQueue  the queue.
 * @return the entry; NULL for none, for NULL, and for a queue that is corrupt.
 * Owner: the queue; it is there until IODataQueueDequeue(). The producer can still write to it:
 *        read its size once, and check it.
 */
IODataQueueEntry *IODataQueuePeek(IODataQueueMemory *dataQueue);

/*!
 * Takes the next entry out.
 * @param dataQueue  the queue.
 * @param data       room for the data; NULL drops the entry.
 * @param dataSize   in: room; out: bytes of the entry. May be NULL if data is.
 * @return kIOReturnSuccess; kIOReturnUnderrun if there is none; kIOReturnNoSpace if it does not fit,
 *         and it stays; kIOReturnError if the queue is corrupt; kIOReturnBadArgument.
 */
IOReturn IODataQueueDequeue(IODataQueueMemory *dataQueue, void *data, uint32_t *dataSize);

/*!
 * Puts an entry in, and wakes who waits for it.
 * @param dataQueue  the queue.
 * @param data       the data.
 * @param dataSize   bytes.
 * @return kIOReturnSuccess; kIOReturnOverrun without room; kIOReturnUnderrun if head or tail are
 *         outside of the queue; kIOReturnBadArgument.
 */
IOReturn IODataQueueEnqueue(IODataQueueMemory *dataQueue, void *data, uint32_t dataSize);

/*!
 * Waits until there is an entry.
 * @param dataQueue         the queue.
 * @param notificationPort  of IODataQueueAllocateNotificationPort().
 * @return kIOReturnSuccess; kIOReturnBadArgument, also when the port goes away meanwhile; for an empty
 *         queue in memory of a driver that has died kIOReturnOffline, or has ended the connection it was
 *         mapped from kIOReturnNotAttached.
 * Blocks: until somebody puts an entry in, or there is nobody any more.
 * Differs: looks at the queue itself, so it returns at once when there is an entry, and works
 *          for a producer that sends no messages.
 */
IOReturn IODataQueueWaitForAvailableData(IODataQueueMemory *dataQueue,
					 mach_port_t notificationPort);

/*!
 * Makes a port to wait with.
 * @return its name, +1: mach_port_deallocate(); MACH_PORT_NULL without memory.
 */
mach_port_t IODataQueueAllocateNotificationPort(void);

/*!
 * Says which port hears of the queue.
 * @param dataQueue   the queue.
 * @param notifyPort  of IODataQueueAllocateNotificationPort(), or MACH_PORT_NULL for none.
 * @return kIOReturnSuccess; kIOReturnBadArgument.
 * Differs: nothing is kept; waiting is on the memory of the queue. For drivers that send a
 *          message, IOConnectSetNotificationPort() tells the driver.
 */
IOReturn IODataQueueSetNotificationPort(IODataQueueMemory *dataQueue, mach_port_t notifyPort);

#ifdef __cplusplus
}
#endif

#endif
