/* SPDX-License-Identifier: MIT
 *
 * data_queue - IODataQueueDispatchSource: entries in memory that an application may share.
 *
 * Layout: u32 size of the entry space; u32 head; u32 tail; entry space. An entry is a u32 size and the
 * bytes, without padding, so the words may lie anywhere. head is where the consumer reads next, tail
 * where the producer writes next; equal means empty. An entry that does not fit behind tail goes to
 * the start; if there is room for a size at the old tail, it is written there too, so that the
 * consumer sees that it cannot lie there.
 *
 * Invariants:
 *   D1  the size of the entry space is our own copy; head, tail and sizes of entries are loaded once
 *       and checked before they are used.
 *   D2  the producer publishes tail with release, the consumer loads it with acquire, and the other
 *       way round for head.
 * Trust:   whoever maps the memory may write anything into it.
 */
#include <cstring>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "cxx/action.h"
#include "cxx/block.h"
#include "cxx/lock.h"
#include "cxx/message.h"

#define HEADER_SIZE	  12u
#define ENTRY_HEADER_SIZE 4u
#define MAX_BYTES	  (1u << 30)

struct IODataQueueState {
	dx::Lock lock; /* guards handlers and flags */
	IOBufferMemoryDescriptor *memory;
	IODispatchQueue *queue;
	unsigned char *base;
	uint32_t size; /* of the entry space: D1 */
	OSAction *available;
	OSAction *serviced;
	bool disabled;
	bool cancelled;
	bool wants_room; /* an enqueue has found none */
};

DX_RUNTIME_CLASS(IODataQueueDispatchSource, IODispatchSource)
DX_TYPE(IODataQueueDispatchSource, DataAvailable, action)
DX_TYPE(IODataQueueDispatchSource, DataServiced, action)

/* ---- words in shared memory ---- */

enum { SIZE_WORD = 0, HEAD_WORD = 1, TAIL_WORD = 2 };

static uint32_t *word(const IODataQueueState *state, unsigned index)
{
	return reinterpret_cast<uint32_t *>(state->base) + index;
}

static uint32_t load(const IODataQueueState *state, unsigned index)
{
	return __atomic_load_n(word(state, index), __ATOMIC_ACQUIRE);
}

static void store(const IODataQueueState *state, unsigned index, uint32_t value)
{
	__atomic_store_n(word(state, index), value, __ATOMIC_RELEASE);
}

static uint32_t load_entry_size(const IODataQueueState *state, uint32_t offset)
{
	uint32_t size = 0;

	memcpy(&size, state->base + HEADER_SIZE + offset, sizeof(size));
	return size;
}

static void store_entry_size(const IODataQueueState *state, uint32_t offset, uint32_t size)
{
	memcpy(state->base + HEADER_SIZE + offset, &size, sizeof(size));
}

static void *entry_data(const IODataQueueState *state, uint32_t offset)
{
	return state->base + HEADER_SIZE + offset + ENTRY_HEADER_SIZE;
}

/* ---- life ---- */

kern_return_t IODataQueueDispatchSource::Create(uint64_t queueByteCount, IODispatchQueue *queue,
						IODataQueueDispatchSource **source)
{
	IOAddressSegment range = {};

	if (queueByteCount < ENTRY_HEADER_SIZE || queueByteCount > MAX_BYTES || queue == nullptr ||
	    source == nullptr) {
		return kIOReturnBadArgument;
	}
	IODataQueueDispatchSource *made = dx::allocate<IODataQueueDispatchSource>();
	IODataQueueState *state =
		made == nullptr ? nullptr
				: static_cast<IODataQueueState *>(calloc(1, sizeof(*state)));
	if (state == nullptr) {
		OSSafeReleaseNULL(made);
		return kIOReturnNoMemory;
	}
	made->state = state;
	kern_return_t status = IOBufferMemoryDescriptor::Create(
		kIOMemoryDirectionInOut, HEADER_SIZE + queueByteCount, 0, &state->memory);
	if (status == kIOReturnSuccess) {
		status = state->memory->GetAddressRange(&range);
	}
	if (status != kIOReturnSuccess) {
		made->release();
		return status;
	}
	queue->retain();
	state->queue = queue;
	state->base = reinterpret_cast<unsigned char *>(static_cast<uintptr_t>(range.address));
	state->size = static_cast<uint32_t>(queueByteCount);
	store(state, SIZE_WORD, state->size);
	*source = made;
	return kIOReturnSuccess;
}

void IODataQueueDispatchSource::free()
{
	if (state != nullptr) {
		OSSafeReleaseNULL(state->available);
		OSSafeReleaseNULL(state->serviced);
		OSSafeReleaseNULL(state->memory);
		OSSafeReleaseNULL(state->queue);
		::free(state);
		state = nullptr;
	}
	super::free();
}

size_t IODataQueueDispatchSource::GetDataQueueEntryHeaderSize()
{
	return ENTRY_HEADER_SIZE;
}

/* ---- handlers ---- */

/* Puts an action in a place of the state and lets go of the one that was there. */
static kern_return_t set_handler(IODataQueueState *state, OSAction **place, OSAction *action,
				 uint64_t msgid)
{
	if (action != nullptr && !dx::is_action_for(action, msgid)) {
		return kIOReturnBadArgument;
	}
	if (action != nullptr) {
		action->retain();
	}
	OSAction *old = action;
	{
		dx::Guard guard(state->lock);
		if (!state->cancelled) {
			old = *place;
			*place = action;
		}
	}
	if (old != nullptr) {
		old->release();
	}
	return kIOReturnSuccess;
}

kern_return_t IODataQueueDispatchSource::SetDataAvailableHandler(OSAction *action, OSDispatchMethod)
{
	kern_return_t status = set_handler(state, &state->available, action,
					   IODataQueueDispatchSource_DataAvailable_ID);

	if (status == kIOReturnSuccess && IsDataAvailable()) {
		SendDataAvailable();
	}
	return status;
}

kern_return_t IODataQueueDispatchSource::SetDataServicedHandler(OSAction *action, OSDispatchMethod)
{
	return set_handler(state, &state->serviced, action,
			   IODataQueueDispatchSource_DataServiced_ID);
}

static kern_return_t copy_handler(IODataQueueState *state, OSAction *const *place, OSAction **action)
{
	if (action == nullptr) {
		return kIOReturnBadArgument;
	}
	dx::Guard guard(state->lock);
	if (*place == nullptr) {
		return kIOReturnNotFound;
	}
	(*place)->retain();
	*action = *place;
	return kIOReturnSuccess;
}

kern_return_t IODataQueueDispatchSource::CopyDataAvailableHandler(OSAction **action,
								  OSDispatchMethod)
{
	return copy_handler(state, &state->available, action);
}

kern_return_t IODataQueueDispatchSource::CopyDataServicedHandler(OSAction **action,
								 OSDispatchMethod)
{
	return copy_handler(state, &state->serviced, action);
}

kern_return_t IODataQueueDispatchSource::CopyMemory(IOMemoryDescriptor **memory, OSDispatchMethod)
{
	if (memory == nullptr) {
		return kIOReturnBadArgument;
	}
	state->memory->retain();
	*memory = state->memory;
	return kIOReturnSuccess;
}

static void send(IODataQueueState *state, OSAction *const *place)
{
	OSAction *action = nullptr;
	{
		dx::Guard guard(state->lock);
		if (!state->disabled && !state->cancelled && *place != nullptr) {
			action = *place;
			action->retain();
		}
	}
	if (action != nullptr) {
		dx::fire(action);
		action->release();
	}
}

/* An application that waits in IODataQueueWaitForAvailableData() sleeps on the tail. */
static void wake_application(const IODataQueueState *state)
{
	(void)syscall(SYS_futex, word(state, TAIL_WORD), FUTEX_WAKE, 1, nullptr, nullptr, 0);
}

void IODataQueueDispatchSource::SendDataAvailable()
{
	wake_application(state);
	send(state, &state->available);
}

void IODataQueueDispatchSource::SendDataServiced()
{
	send(state, &state->serviced);
}

kern_return_t IODataQueueDispatchSource::Cancel(IODispatchSourceCancelHandler handler)
{
	OSAction *old[2] = {};
	{
		dx::Guard guard(state->lock);
		state->cancelled = true;
		old[0] = state->available;
		old[1] = state->serviced;
		state->available = nullptr;
		state->serviced = nullptr;
	}
	for (OSAction *action : old) {
		OSSafeReleaseNULL(action);
	}
	if (handler != nullptr) {
		state->queue->DispatchAsync(handler);
	}
	return kIOReturnSuccess;
}

kern_return_t IODataQueueDispatchSource::SetEnableWithCompletion(bool enable,
								 IODispatchSourceCancelHandler handler)
{
	bool was_disabled = false;
	{
		dx::Guard guard(state->lock);
		was_disabled = state->disabled;
		state->disabled = !enable;
	}
	if (enable && was_disabled && IsDataAvailable()) {
		SendDataAvailable();
	}
	if (handler != nullptr) {
		state->queue->DispatchAsync(handler);
	}
	return kIOReturnSuccess;
}

/* @return what it was. */
static bool set_wants_room(IODataQueueState *state, bool wants)
{
	dx::Guard guard(state->lock);
	bool wanted = state->wants_room;

	state->wants_room = wants;
	return wanted;
}

/* ---- the consumer ---- */

bool IODataQueueDispatchSource::IsDataAvailable()
{
	return load(state, HEAD_WORD) != load(state, TAIL_WORD);
}

struct Entry {
	uint32_t offset;
	uint32_t size;
	uint32_t next; /* head after it */
};

/* Checks everything that the other side wrote: D1. */
static kern_return_t oldest(const IODataQueueState *state, Entry *entry)
{
	uint32_t head = load(state, HEAD_WORD);
	uint32_t tail = load(state, TAIL_WORD);

	if (head > state->size || tail > state->size) {
		return kIOReturnError;
	}
	if (head == tail) {
		return kIOReturnUnderrun;
	}
	uint32_t left = state->size - head;
	bool at_head = left >= ENTRY_HEADER_SIZE &&
		       load_entry_size(state, head) <= left - ENTRY_HEADER_SIZE;
	uint32_t offset = at_head ? head : 0;
	left = state->size - offset;
	uint32_t size = load_entry_size(state, offset);
	if (size > left - ENTRY_HEADER_SIZE) {
		return kIOReturnError;
	}
	*entry = {offset, size, offset + ENTRY_HEADER_SIZE + size};
	return kIOReturnSuccess;
}

kern_return_t IODataQueueDispatchSource::Peek(IODataQueueClientDequeueEntryBlock callback)
{
	Entry entry = {};
	kern_return_t status = callback == nullptr ? kIOReturnBadArgument : oldest(state, &entry);

	if (status == kIOReturnSuccess) {
		callback(entry_data(state, entry.offset), entry.size);
	}
	return status;
}

kern_return_t
IODataQueueDispatchSource::DequeueWithCoalesce(bool *sendDataServiced,
					       IODataQueueClientDequeueEntryBlock callback)
{
	Entry entry = {};
	kern_return_t status = callback == nullptr || sendDataServiced == nullptr
				       ? kIOReturnBadArgument
				       : oldest(state, &entry);

	if (status != kIOReturnSuccess) {
		return status;
	}
	callback(entry_data(state, entry.offset), entry.size);
	store(state, HEAD_WORD, entry.next);
	*sendDataServiced = set_wants_room(state, false) || *sendDataServiced;
	return kIOReturnSuccess;
}

kern_return_t IODataQueueDispatchSource::Dequeue(IODataQueueClientDequeueEntryBlock callback)
{
	bool serviced = false;
	kern_return_t status = DequeueWithCoalesce(&serviced, callback);

	if (serviced) {
		SendDataServiced();
	}
	return status;
}

/* ---- the producer ---- */

struct Place {
	uint32_t offset;
	uint32_t next;	 /* tail after it */
	uint32_t marker; /* where the size goes as well; UINT32_MAX: nowhere */
	uint32_t tail;	 /* before it */
};

static kern_return_t find_place(const IODataQueueState *state, uint32_t data_size, Place *place)
{
	uint32_t head = load(state, HEAD_WORD);
	uint32_t tail = load(state, TAIL_WORD);
	uint64_t entry = static_cast<uint64_t>(data_size) + ENTRY_HEADER_SIZE;

	if (head > state->size || tail > state->size) {
		return kIOReturnError;
	}
	place->marker = UINT32_MAX;
	place->tail = tail;
	if (tail >= head && entry <= state->size - tail) {
		place->offset = tail;
	} else if (tail >= head && head > entry) {
		place->offset = 0;
		if (state->size - tail >= ENTRY_HEADER_SIZE) {
			place->marker = tail;
		}
	} else if (tail < head && head - tail > entry) {
		place->offset = tail;
	} else {
		return kIOReturnOverrun;
	}
	place->next = static_cast<uint32_t>(place->offset + entry);
	return kIOReturnSuccess;
}

kern_return_t
IODataQueueDispatchSource::EnqueueWithCoalesce(uint32_t dataSize, bool *sendDataAvailable,
					       IODataQueueClientEnqueueEntryBlock callback)
{
	Place place = {};

	if (callback == nullptr || sendDataAvailable == nullptr) {
		return kIOReturnBadArgument;
	}
	kern_return_t status = find_place(state, dataSize, &place);
	if (status == kIOReturnOverrun) {
		set_wants_room(state, true);
		status = find_place(state, dataSize, &place); /* made before it was wanted? */
	}
	if (status != kIOReturnSuccess) {
		return status;
	}
	store_entry_size(state, place.offset, dataSize);
	if (place.marker != UINT32_MAX) {
		store_entry_size(state, place.marker, dataSize);
	}
	callback(entry_data(state, place.offset), dataSize);
	store(state, TAIL_WORD, place.next);
	/* The consumer may have emptied the queue meanwhile and have seen the old tail: whether it
	 * was empty is asked after the new one can be seen. */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	*sendDataAvailable = *sendDataAvailable || load(state, HEAD_WORD) == place.tail;
	return kIOReturnSuccess;
}

kern_return_t IODataQueueDispatchSource::Enqueue(uint32_t dataSize,
						 IODataQueueClientEnqueueEntryBlock callback)
{
	bool available = false;
	kern_return_t status = EnqueueWithCoalesce(dataSize, &available, callback);

	if (available) {
		SendDataAvailable();
	}
	return status;
}

kern_return_t IODataQueueDispatchSource::CanEnqueueData(uint32_t dataSize)
{
	return CanEnqueueData(dataSize, 1);
}

/* As many entries of that size one after the other as there would be room for. */
kern_return_t IODataQueueDispatchSource::CanEnqueueData(uint32_t dataSize, uint32_t entryCount)
{
	uint64_t entry = static_cast<uint64_t>(dataSize) + ENTRY_HEADER_SIZE;
	uint32_t head = load(state, HEAD_WORD);
	uint32_t tail = load(state, TAIL_WORD);

	if (head > state->size || tail > state->size) {
		return kIOReturnError;
	}
	uint64_t behind = tail >= head ? (state->size - tail) / entry : 0;
	uint64_t before = tail >= head ? head : head - tail;
	before = before == 0 ? 0 : (before - 1) / entry; /* head and tail must not meet */
	return behind + before >= entryCount ? kIOReturnSuccess : kIOReturnOverrun;
}
