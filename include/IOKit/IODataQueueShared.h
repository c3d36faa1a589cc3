/* SPDX-License-Identifier: MIT
 *
 * IODataQueueShared - layout of a queue of entries in memory that two processes share.
 *
 *	offset 0   queueSize   bytes of entry space
 *	       4   head        offset of the next entry in entry space, written by the consumer
 *	       8   tail        offset behind the last entry, written by the producer
 *	      12   entry space: entries of a size (4 bytes) and that many bytes, back to back
 *	      12 + queueSize   appendix
 *
 * An entry that does not fit at the end of entry space is at its start. head and tail are between
 * 0 and queueSize, both included; equal, the queue is empty.
 */
#ifndef OPENDEXT_IOKIT_IODATAQUEUESHARED_H
#define OPENDEXT_IOKIT_IODATAQUEUESHARED_H

#include <stddef.h>

#include <MacTypes.h>
#include <mach/message.h>

/*! One entry; data is as long as size says. */
typedef struct _IODataQueueEntry {
	UInt32 size;
	UInt8 data[4];
} IODataQueueEntry;

/*! The queue, as far as it is the same for all. */
typedef struct _IODataQueueMemory {
	UInt32 queueSize;
	volatile UInt32 head;
	volatile UInt32 tail;
	IODataQueueEntry queue[1];
} IODataQueueMemory;

/*! What follows the entry space. */
typedef struct _IODataQueueAppendix {
	UInt32 version;
	mach_msg_header_t msgh;
} IODataQueueAppendix;

/*! Bytes before the data of an entry, before the first entry, behind the last. */
#define DATA_QUEUE_ENTRY_HEADER_SIZE	offsetof(IODataQueueEntry, data)
#define DATA_QUEUE_MEMORY_HEADER_SIZE	offsetof(IODataQueueMemory, queue)
#define DATA_QUEUE_MEMORY_APPENDIX_SIZE sizeof(IODataQueueAppendix)

#endif
