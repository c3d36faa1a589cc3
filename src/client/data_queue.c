/* SPDX-License-Identifier: MIT
 *
 * data_queue - an application's end of a queue in shared memory; layout: IODataQueueShared.h.
 *
 * Place:      client. Both ends are here; a driver has its own.
 * Invariants:
 *   D1  nothing outside [0, queueSize) of entry space is read or written, whatever is in the
 *       memory; and queueSize counts as no more than what is mapped, where that is known.
 *   D2  head is written by the consumer, tail by the producer. Each publishes its own with a
 *       release and reads the other's with an acquire.
 *   D3  who makes the queue empty and who finds it empty put a full fence between their own word
 *       and the other's, so that one of them notices; the producer then wakes the consumer.
 * Waiting:    the consumer sleeps on tail, a futex in the shared memory. A producer that does not
 *             wake it is found out by looking again every LOOK_NS, and so is the end of the
 *             connection whose memory it is: then nobody is left to produce.
 * Trust:      every word of the memory is loaded once, checked, and the local is used.
 * Threads:    one consumer, one producer.
 */
#include <IOKit/IODataQueueClient.h>

#include <stdbool.h>
#include <string.h>

#include "base/clock.h"
#include "base/futex.h"
#include "base/object.h"
#include "base/shared.h"
#include "client/connection.h"
#include "client/names.h"
#include "client/share.h"

#define LOOK_NS UINT64_C(20000000)

_Static_assert(DATA_QUEUE_ENTRY_HEADER_SIZE == 4, "the size of an entry");
_Static_assert(DATA_QUEUE_MEMORY_HEADER_SIZE == 12, "three words");

/* The words of a queue, once. */
struct view {
	uint32_t size; /* of entry space */
	uint32_t head;
	uint32_t tail;
};

/* Where an entry is. */
struct place {
	uint32_t offset;
	uint32_t size; /* of its data */
};

static struct dx_shared_u32 *word(volatile UInt32 *field)
{
	return (struct dx_shared_u32 *)(uintptr_t)field;
}

static unsigned char *entry_space(IODataQueueMemory *queue)
{
	return (unsigned char *)queue + DATA_QUEUE_MEMORY_HEADER_SIZE;
}

/* D1. Entries are not aligned. */
static uint32_t load_size(IODataQueueMemory *queue, uint32_t offset)
{
	uint32_t size = 0;

	memcpy(&size, entry_space(queue) + offset, sizeof(size));
	return size;
}

static uint32_t queue_size(IODataQueueMemory *queue)
{
	uint32_t size = dx_shared_load_relaxed(word(&queue->queueSize));
	uint64_t room = dx_share_room((uintptr_t)queue);

	if (room < DATA_QUEUE_MEMORY_HEADER_SIZE) {
		return 0;
	}
	room -= DATA_QUEUE_MEMORY_HEADER_SIZE;
	return size <= room ? size : (uint32_t)room;
}

static struct view look(IODataQueueMemory *queue)
{
	return (struct view){
		.head = dx_shared_load_acquire(word(&queue->head)), /* D2 */
		.tail = dx_shared_load_acquire(word(&queue->tail)),
		.size = queue_size(queue),
	};
}

/* Whether an entry whose data has that size fits into entry space at offset. */
static bool fits(const struct view *view, uint32_t offset, uint32_t size)
{
	return offset <= view->size && view->size - offset >= DATA_QUEUE_ENTRY_HEADER_SIZE &&
	       view->size - offset - DATA_QUEUE_ENTRY_HEADER_SIZE >= size;
}

/* The entry at head, or at the start if it is not there. @return false: corrupt. */
static bool find_entry(IODataQueueMemory *queue, const struct view *view, struct place *ret_place)
{
	if (view->head > view->size || view->tail > view->size) {
		return false;
	}
	if (fits(view, view->head, 0)) {
		ret_place->offset = view->head;
		ret_place->size = load_size(queue, view->head);
		if (fits(view, ret_place->offset, ret_place->size)) {
			return true;
		}
	}
	if (!fits(view, 0, 0)) {
		return false;
	}
	ret_place->offset = 0;
	ret_place->size = load_size(queue, 0);
	return fits(view, 0, ret_place->size);
}

Boolean IODataQueueDataAvailable(IODataQueueMemory *dataQueue)
{
	return dataQueue != NULL && dx_shared_load_relaxed(word(&dataQueue->head)) !=
					    dx_shared_load_acquire(word(&dataQueue->tail));
}

IODataQueueEntry *IODataQueuePeek(IODataQueueMemory *dataQueue)
{
	struct place place = {0};

	if (dataQueue == NULL) {
		return NULL;
	}
	struct view view = look(dataQueue);
	if (view.head == view.tail || !find_entry(dataQueue, &view, &place)) {
		return NULL;
	}
	return (IODataQueueEntry *)(void *)(entry_space(dataQueue) + place.offset);
}

IOReturn IODataQueueDequeue(IODataQueueMemory *dataQueue, void *data, uint32_t *dataSize)
{
	struct place place = {0};

	if (dataQueue == NULL || (data != NULL && dataSize == NULL)) {
		return kIOReturnBadArgument;
	}
	struct view view = look(dataQueue);
	if (view.head == view.tail) {
		return kIOReturnUnderrun;
	}
	if (!find_entry(dataQueue, &view, &place)) {
		return kIOReturnError;
	}
	if (data != NULL && *dataSize < place.size) {
		return kIOReturnNoSpace;
	}
	if (data != NULL) {
		memcpy(data, entry_space(dataQueue) + place.offset + DATA_QUEUE_ENTRY_HEADER_SIZE,
		       place.size);
	}
	if (dataSize != NULL) {
		*dataSize = place.size;
	}
	uint32_t head = place.offset + (uint32_t)DATA_QUEUE_ENTRY_HEADER_SIZE + place.size;
	dx_shared_store_release(word(&dataQueue->head), head); /* D2 */
	if (head == view.tail) {
		dx_fence_seq_cst(); /* D3 */
	}
	return kIOReturnSuccess;
}

/* Where an entry of that size, with its header, goes. @return false: no room. */
static bool find_room(const struct view *view, uint32_t entry_size, uint32_t *ret_offset)
{
	if (view->tail < view->head) {
		*ret_offset = view->tail;
		return view->head - view->tail > entry_size; /* full must not look empty */
	}
	bool at_end = view->size - view->tail >= entry_size;
	*ret_offset = at_end ? view->tail : 0;
	return at_end || view->head > entry_size;
}

static void write_entry(IODataQueueMemory *queue, const struct view *view, uint32_t offset,
			const void *data, uint32_t size)
{
	unsigned char *space = entry_space(queue);

	if (offset != view->tail && view->size - view->tail >= sizeof(size)) {
		memcpy(space + view->tail, &size, sizeof(size)); /* it goes on at the start */
	}
	memcpy(space + offset, &size, sizeof(size));
	if (size > 0) {
		memcpy(space + offset + sizeof(size), data, size);
	}
}

IOReturn IODataQueueEnqueue(IODataQueueMemory *dataQueue, void *data, uint32_t dataSize)
{
	uint32_t offset = 0;

	if (dataQueue == NULL || (data == NULL && dataSize > 0)) {
		return kIOReturnBadArgument;
	}
	struct view view = look(dataQueue);
	if (dataSize > UINT32_MAX - DATA_QUEUE_ENTRY_HEADER_SIZE) {
		return kIOReturnOverrun;
	}
	if (view.head > view.size || view.tail > view.size) {
		return kIOReturnUnderrun;
	}
	uint32_t entry_size = dataSize + (uint32_t)DATA_QUEUE_ENTRY_HEADER_SIZE;
	if (!find_room(&view, entry_size, &offset)) {
		(void)dx_futex_wake(word(&dataQueue->tail), 1); /* it must not sleep now */
		return kIOReturnOverrun;
	}
	write_entry(dataQueue, &view, offset, data, dataSize);
	dx_shared_store_release(word(&dataQueue->tail), offset + entry_size); /* D2 */
	dx_fence_seq_cst();                                                   /* D3 */
	if (dx_shared_load_relaxed(word(&dataQueue->head)) == view.tail) {
		(void)dx_futex_wake(word(&dataQueue->tail), 1); /* nobody there is fine */
	}
	return kIOReturnSuccess;
}

/* --- Ports ----------------------------------------------------------------------------------- */

static const struct dx_named_class queue_port_class = {
	.class = {.name = "data queue port", .instance_size = sizeof(struct dx_object)},
};

static bool is_port(mach_port_t name)
{
	void *port = dx_names_get(name, &queue_port_class);
	bool is = port != NULL;

	(void)dx_object_unref(port); /* always NULL */
	return is;
}

mach_port_t IODataQueueAllocateNotificationPort(void)
{
	struct dx_object *port = dx_object_new(&queue_port_class.class);
	uint32_t name = MACH_PORT_NULL;

	if (port != NULL && dx_names_add(port, &name) < 0) {
		name = MACH_PORT_NULL;
	}
	(void)dx_object_unref(port); /* the table has its own */
	return name;
}

IOReturn IODataQueueSetNotificationPort(IODataQueueMemory *dataQueue, mach_port_t notifyPort)
{
	if (dataQueue == NULL || (notifyPort != MACH_PORT_NULL && !is_port(notifyPort))) {
		return kIOReturnBadArgument;
	}
	return kIOReturnSuccess;
}

/* connection: whose memory the queue is in; NULL: nobody's. */
static IOReturn wait_for_entry(IODataQueueMemory *queue, mach_port_t port,
			       struct dx_connection *connection)
{
	enum dx_connection_death death = DX_CONNECTION_ALIVE;

	while (is_port(port)) {
		uint32_t tail = dx_shared_load_acquire(word(&queue->tail));

		if (dx_shared_load_relaxed(word(&queue->head)) != tail) {
			return kIOReturnSuccess;
		}
		if (death != DX_CONNECTION_ALIVE) { /* what came before the end has been looked for */
			return death == DX_CONNECTION_CRASHED ? kIOReturnOffline
							      : kIOReturnNotAttached;
		}
		/* Whatever it says: it is looked at again. */
		(void)dx_futex_wait(word(&queue->tail), tail, dx_clock_now_ns() + LOOK_NS);
		death = connection == NULL ? DX_CONNECTION_ALIVE : dx_connection_look(connection);
	}
	return kIOReturnBadArgument;
}

IOReturn IODataQueueWaitForAvailableData(IODataQueueMemory *dataQueue, mach_port_t notificationPort)
{
	if (dataQueue == NULL) {
		return kIOReturnBadArgument;
	}
	struct dx_connection *connection = dx_connection_mapped_at((uintptr_t)dataQueue);
	IOReturn result = wait_for_entry(dataQueue, notificationPort, connection);
	(void)dx_object_unref(connection); /* always NULL */
	return result;
}
