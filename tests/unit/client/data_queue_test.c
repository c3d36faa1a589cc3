/* SPDX-License-Identifier: MIT
 *
 * data_queue_test - the shared data queue: its algorithm, hostile memory, two processes, two
 * threads.
 */
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <IOKit/IODataQueueClient.h>
#include <mach/mach.h>

#include "base/cleanup.h"
#include "client/share.h"
#include "test.h"

#define MAX_SPACE 4096u

/* Memory of exactly the size that a queue says, so that a sanitizer sees every byte beyond it.
 * Not inlined: compilers know that such a block can be smaller than the structure. */
__attribute__((noinline)) static IODataQueueMemory *queue_new(uint32_t size)
{
	IODataQueueMemory *queue = calloc(1, DATA_QUEUE_MEMORY_HEADER_SIZE + size);

	CHECK(queue != NULL);
	queue->queueSize = size;
	return queue;
}

static IOReturn put(IODataQueueMemory *queue, const char *text)
{
	char data[64];

	CHECK_LT(strlen(text), sizeof(data));
	memcpy(data, text, strlen(text));
	return IODataQueueEnqueue(queue, data, (uint32_t)strlen(text));
}

static void check_take(IODataQueueMemory *queue, const char *text)
{
	char data[64];
	uint32_t size = sizeof(data);

	CHECK_EQ(IODataQueueDequeue(queue, data, &size), kIOReturnSuccess);
	CHECK_EQ(size, strlen(text));
	CHECK_MEM_EQ(data, text, size);
}

static uint32_t word_at(const IODataQueueMemory *queue, uint32_t offset)
{
	uint32_t word = 0;

	memcpy(&word, (const unsigned char *)queue + DATA_QUEUE_MEMORY_HEADER_SIZE + offset, 4);
	return word;
}

/* --- The algorithm --------------------------------------------------------------------------- */

TEST(entries_come_out_as_they_went_in)
{
	IODataQueueMemory *queue = queue_new(64);

	CHECK(!IODataQueueDataAvailable(queue));
	CHECK(IODataQueuePeek(queue) == NULL);
	CHECK_EQ(IODataQueueDequeue(queue, NULL, NULL), kIOReturnUnderrun);
	CHECK_EQ(put(queue, "one"), kIOReturnSuccess);
	CHECK_EQ(put(queue, ""), kIOReturnSuccess);
	CHECK_EQ(put(queue, "three"), kIOReturnSuccess);
	CHECK_EQ(queue->tail, 7 + 4 + 9);
	CHECK(IODataQueueDataAvailable(queue));
	CHECK_EQ(IODataQueuePeek(queue)->size, 3);
	CHECK_MEM_EQ(IODataQueuePeek(queue)->data, "one", 3);
	check_take(queue, "one");
	check_take(queue, "");
	check_take(queue, "three");
	CHECK_EQ(queue->head, queue->tail);
	free(queue);
}

TEST(entry_that_ends_with_the_space_leaves_tail_at_its_size)
{
	IODataQueueMemory *queue = queue_new(16);

	CHECK_EQ(put(queue, "twelve bytes"), kIOReturnSuccess);
	CHECK_EQ(queue->tail, 16);
	CHECK_EQ(put(queue, ""), kIOReturnOverrun);
	check_take(queue, "twelve bytes");
	CHECK_EQ(queue->head, 16);
	CHECK_EQ(put(queue, "again"), kIOReturnSuccess); /* at the start */
	CHECK_EQ(queue->tail, 9);
	CHECK_EQ(word_at(queue, 0), 5);
	check_take(queue, "again");
	free(queue);
}

TEST(entry_that_wraps_leaves_its_size_at_the_end_too)
{
	IODataQueueMemory *queue = queue_new(24);

	CHECK_EQ(put(queue, "12345678"), kIOReturnSuccess); /* 0..12 */
	CHECK_EQ(put(queue, "abc"), kIOReturnSuccess);      /* 12..19 */
	check_take(queue, "12345678");
	CHECK_EQ(put(queue, "wrapped"), kIOReturnSuccess); /* 11 bytes: not at 19, before 12 */
	CHECK_EQ(queue->tail, 11);
	CHECK_EQ(word_at(queue, 19), 7);
	CHECK_EQ(put(queue, ""), kIOReturnOverrun); /* head - tail must stay above */
	check_take(queue, "abc");
	check_take(queue, "wrapped");
	CHECK(!IODataQueueDataAvailable(queue));
	free(queue);
}

TEST(entry_that_wraps_with_less_than_a_size_left_writes_nothing_there)
{
	IODataQueueMemory *queue = queue_new(21);

	CHECK_EQ(put(queue, "12345678"), kIOReturnSuccess);
	CHECK_EQ(put(queue, "abc"), kIOReturnSuccess); /* ends at 19, 2 left */
	check_take(queue, "12345678");
	CHECK_EQ(put(queue, "wrap"), kIOReturnSuccess);
	CHECK_EQ(queue->tail, 8);
	check_take(queue, "abc");
	check_take(queue, "wrap");
	free(queue);
}

TEST(dequeue_without_room_keeps_the_entry_and_without_data_drops_it)
{
	IODataQueueMemory *queue = queue_new(64);
	char data[8];
	uint32_t size = 2;

	CHECK_EQ(put(queue, "three"), kIOReturnSuccess);
	CHECK_EQ(IODataQueueDequeue(queue, data, &size), kIOReturnNoSpace);
	CHECK_EQ(size, 2);
	CHECK(IODataQueueDataAvailable(queue));
	CHECK_EQ(IODataQueueDequeue(queue, data, NULL), kIOReturnBadArgument);
	CHECK_EQ(IODataQueueDequeue(queue, NULL, &size), kIOReturnSuccess);
	CHECK_EQ(size, 5);
	CHECK(!IODataQueueDataAvailable(queue));
	free(queue);
}

TEST(arguments_that_are_missing_are_refused)
{
	IODataQueueMemory *queue = queue_new(64);
	uint32_t size = 0;

	CHECK(!IODataQueueDataAvailable(NULL));
	CHECK(IODataQueuePeek(NULL) == NULL);
	CHECK_EQ(IODataQueueDequeue(NULL, NULL, &size), kIOReturnBadArgument);
	CHECK_EQ(IODataQueueEnqueue(NULL, &size, 4), kIOReturnBadArgument);
	CHECK_EQ(IODataQueueEnqueue(queue, NULL, 4), kIOReturnBadArgument);
	CHECK_EQ(IODataQueueEnqueue(queue, &size, UINT32_MAX - 2), kIOReturnOverrun);
	CHECK_EQ(IODataQueueEnqueue(queue, &size, 61), kIOReturnOverrun);
	CHECK_EQ(IODataQueueSetNotificationPort(NULL, 0), kIOReturnBadArgument);
	CHECK_EQ(IODataQueueWaitForAvailableData(NULL, 0), kIOReturnBadArgument);
	free(queue);
}

/* --- Hostile memory: whatever is in it, nothing beyond it is touched ------------------------- */

TEST(words_outside_of_the_queue_are_refused)
{
	IODataQueueMemory *queue = queue_new(32);
	uint32_t outside[] = {33, 0x7fffffff, UINT32_MAX - 3, UINT32_MAX};
	char data[32];
	uint32_t size = sizeof(data);

	for (size_t i = 0; i < sizeof(outside) / sizeof(*outside); i++) {
		queue->head = outside[i];
		queue->tail = 8;
		CHECK_EQ(IODataQueueDequeue(queue, data, &size), kIOReturnError);
		CHECK(IODataQueuePeek(queue) == NULL);
		CHECK_EQ(put(queue, "x"), kIOReturnUnderrun);
		queue->head = 8;
		queue->tail = outside[i];
		CHECK_EQ(IODataQueueDequeue(queue, data, &size), kIOReturnError);
		CHECK(IODataQueuePeek(queue) == NULL);
		CHECK_EQ(put(queue, "x"), kIOReturnUnderrun);
	}
	free(queue);
}

TEST(entry_sizes_that_cross_the_end_are_corrupt)
{
	IODataQueueMemory *queue = queue_new(32);
	uint32_t sizes[] = {29, 0x7fffffff, UINT32_MAX - 3, UINT32_MAX};
	char data[64];
	uint32_t size = sizeof(data);

	queue->tail = 8;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		memcpy(queue->queue, &sizes[i], 4);
		CHECK_EQ(IODataQueueDequeue(queue, data, &size), kIOReturnError);
		CHECK(IODataQueuePeek(queue) == NULL);
		CHECK_EQ(queue->head, 0);
	}
	free(queue);
}

TEST(queues_too_small_for_an_entry_are_corrupt_or_full)
{
	char data[8];
	uint32_t size = sizeof(data);

	for (uint32_t space = 0; space < 4; space++) {
		IODataQueueMemory *queue = queue_new(space);

		CHECK_EQ(put(queue, ""), kIOReturnOverrun);
		queue->tail = space;
		if (space > 0) {
			CHECK_EQ(IODataQueueDequeue(queue, data, &size), kIOReturnError);
			CHECK(IODataQueuePeek(queue) == NULL);
		}
		free(queue);
	}
}

TEST(random_memory_is_never_left)
{
	unsigned seed = 1;

	for (unsigned round = 0; round < 20000; round++) {
		uint32_t space = (uint32_t)rand_r(&seed) % 48;
		IODataQueueMemory *queue = queue_new(space);
		char data[64];
		uint32_t size = sizeof(data);

		for (uint32_t i = 0; i < space; i++) {
			((unsigned char *)queue->queue)[i] =
				(unsigned char)(rand_r(&seed) % 4 == 0 ? rand_r(&seed) % 64 : 0);
		}
		queue->head = (uint32_t)rand_r(&seed) % (space + 4);
		queue->tail = (uint32_t)rand_r(&seed) % (space + 4);
		(void)IODataQueuePeek(queue);
		(void)IODataQueueDequeue(queue, data, &size);
		(void)IODataQueueEnqueue(queue, data, (uint32_t)rand_r(&seed) % 64);
		size = sizeof(data);
		(void)IODataQueueDequeue(queue, data, &size);
		free(queue);
	}
}

TEST(size_beyond_the_mapping_of_a_driver_counts_as_the_mapping)
{
	size_t length = 4096;
	DX_CLEANUP_FD int fd = memfd_create("queue", MFD_CLOEXEC);
	char data[64];
	uint32_t size = sizeof(data);

	CHECK_EQ(ftruncate(fd, (off_t)length), 0);
	IODataQueueMemory *queue = mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	CHECK(queue != MAP_FAILED);
	CHECK_EQ(dx_share_add_mapping((uintptr_t)queue, length, &fd, 0, true), 0);
	queue->queueSize = UINT32_MAX;
	queue->head = (uint32_t)length;
	queue->tail = (uint32_t)length + 64;
	CHECK_EQ(IODataQueueDequeue(queue, data, &size), kIOReturnError);
	queue->head = 0;
	queue->tail = (uint32_t)(length - DATA_QUEUE_MEMORY_HEADER_SIZE);
	CHECK_EQ(put(queue, "beyond"), kIOReturnOverrun);
	CHECK_EQ(dx_share_room((uintptr_t)queue + 96), length - 96);
	dx_share_remove_mapping((uintptr_t)queue);
	CHECK_EQ(dx_share_room((uintptr_t)queue), UINT64_MAX);
	CHECK_EQ(munmap(queue, length), 0);
}

/* --- Two ends -------------------------------------------------------------------------------- */

#define NR_ENTRIES 200000u

/* Entry i holds i, then i % 57 bytes that follow from it. */
static uint32_t fill(unsigned char *data, uint32_t i)
{
	uint32_t extra = i % 57;

	memcpy(data, &i, sizeof(i));
	memset(data + sizeof(i), (int)(i * 31 % 251), extra);
	return (uint32_t)sizeof(i) + extra;
}

static void *produce(void *argument)
{
	IODataQueueMemory *queue = argument;
	unsigned char data[64];

	for (uint32_t i = 0; i < NR_ENTRIES; i++) {
		uint32_t size = fill(data, i);
		IOReturn result = kIOReturnOverrun;

		do {
			result = IODataQueueEnqueue(queue, data, size);
		} while (result == kIOReturnOverrun);
		CHECK_EQ(result, kIOReturnSuccess);
	}
	return NULL;
}

static void consume(IODataQueueMemory *queue)
{
	mach_port_t port = IODataQueueAllocateNotificationPort();
	unsigned char data[64];
	unsigned char expected[64];

	CHECK_NE(port, MACH_PORT_NULL);
	CHECK_EQ(IODataQueueSetNotificationPort(queue, port), kIOReturnSuccess);
	for (uint32_t i = 0; i < NR_ENTRIES; i++) {
		uint32_t size = sizeof(data);
		uint32_t expected_size = fill(expected, i);

		if (!IODataQueueDataAvailable(queue)) {
			CHECK_EQ(IODataQueueWaitForAvailableData(queue, port), kIOReturnSuccess);
		}
		CHECK_EQ(IODataQueueDequeue(queue, data, &size), kIOReturnSuccess);
		CHECK_EQ(size, expected_size);
		CHECK_MEM_EQ(data, expected, size);
	}
	CHECK(!IODataQueueDataAvailable(queue));
	CHECK_EQ(IODataQueueSetNotificationPort(queue, MACH_PORT_NULL), kIOReturnSuccess);
	CHECK_EQ(mach_port_deallocate(mach_task_self(), port), KERN_SUCCESS);
}

TEST_SECONDS(two_threads_pass_every_entry_in_order, 60)
{
	IODataQueueMemory *queue = queue_new(1021); /* entries start anywhere */
	pthread_t producer;

	CHECK_EQ(pthread_create(&producer, NULL, produce, queue), 0);
	consume(queue);
	CHECK_EQ(pthread_join(producer, NULL), 0);
	free(queue);
}

TEST_SECONDS(two_processes_pass_every_entry_in_order, 60)
{
	IODataQueueMemory *queue = mmap(NULL, MAX_SPACE + 64, PROT_READ | PROT_WRITE,
					MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int status = 0;

	CHECK(queue != MAP_FAILED);
	queue->queueSize = MAX_SPACE;
	pid_t child = fork();
	CHECK_GE(child, 0);
	if (child == 0) {
		(void)produce(queue);
		_exit(0);
	}
	consume(queue);
	CHECK_EQ(waitpid(child, &status, 0), child);
	CHECK_EQ(status, 0);
	CHECK_EQ(munmap(queue, MAX_SPACE + 64), 0);
}

/* A producer that writes the words and wakes nobody. */
static void *produce_silently(void *argument)
{
	IODataQueueMemory *queue = argument;
	struct timespec pause = {.tv_nsec = 30000000};
	uint32_t zero = 0;

	(void)nanosleep(&pause, NULL);
	memcpy(queue->queue, &zero, sizeof(zero));
	__atomic_store_n(&queue->tail, 4u, __ATOMIC_RELEASE);
	return NULL;
}

TEST(waiting_ends_for_a_producer_that_wakes_nobody)
{
	IODataQueueMemory *queue = queue_new(64);
	mach_port_t port = IODataQueueAllocateNotificationPort();
	pthread_t producer;

	CHECK_EQ(pthread_create(&producer, NULL, produce_silently, queue), 0);
	CHECK_EQ(IODataQueueWaitForAvailableData(queue, port), kIOReturnSuccess);
	CHECK_EQ(pthread_join(producer, NULL), 0);
	CHECK_EQ(mach_port_deallocate(mach_task_self(), port), KERN_SUCCESS);
	free(queue);
}

static void *deallocate_later(void *argument)
{
	struct timespec pause = {.tv_nsec = 30000000};
	mach_port_t *port = argument;

	(void)nanosleep(&pause, NULL);
	CHECK_EQ(mach_port_deallocate(mach_task_self(), *port), KERN_SUCCESS);
	return NULL;
}

TEST(waiting_with_no_port_or_one_that_goes_away_is_refused)
{
	IODataQueueMemory *queue = queue_new(64);
	mach_port_t port = IODataQueueAllocateNotificationPort();
	pthread_t thread;

	CHECK_EQ(IODataQueueWaitForAvailableData(queue, MACH_PORT_NULL), kIOReturnBadArgument);
	CHECK_EQ(IODataQueueWaitForAvailableData(queue, mach_task_self()), kIOReturnBadArgument);
	CHECK_EQ(IODataQueueSetNotificationPort(queue, mach_task_self()), kIOReturnBadArgument);
	CHECK_EQ(pthread_create(&thread, NULL, deallocate_later, &port), 0);
	CHECK_EQ(IODataQueueWaitForAvailableData(queue, port), kIOReturnBadArgument);
	CHECK_EQ(pthread_join(thread, NULL), 0);
	free(queue);
}
