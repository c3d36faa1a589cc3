/* SPDX-License-Identifier: MIT
 *
 * queue_test - queues with blocks, data queues as memory, sources that refuse.
 */
#include "harness.h"

static IODispatchQueue *new_queue(uint64_t options)
{
	IODispatchQueue *queue = nullptr;

	CHECK_EQ(IODispatchQueue::Create("test", options, 0, &queue), kIOReturnSuccess);
	return queue;
}

TEST(queue_runs_blocks_in_order)
{
	IODispatchQueue *queue = new_queue(0);
	__block int steps = 0;

	CHECK_STR_EQ(queue->GetName(), "test");
	CHECK(!queue->OnQueue());
	queue->DispatchAsync(^{
	  steps = steps * 10 + 1;
	});
	queue->DispatchAsync(^{
	  steps = steps * 10 + 2;
	});
	queue->DispatchSync(^{
	  CHECK(queue->OnQueue());
	  steps = steps * 10 + 3;
	});
	CHECK_EQ(steps, 123);
	CHECK_EQ(queue->RunAction(^kern_return_t {
	  return steps;
	}),
		 123);
	CHECK_EQ(queue->RunAction(nullptr), kIOReturnBadArgument);
	queue->release();
}

static void set_to_one(void *context)
{
	*static_cast<int *>(context) = 1;
}

TEST(queue_runs_functions)
{
	IODispatchQueue *queue = new_queue(kIODispatchQueueReentrant);
	int first = 0, second = 0, third = 0;
	__block bool nested = false;

	queue->DispatchAsync_f(&first, set_to_one);
	queue->DispatchConcurrent_f(&second, set_to_one);
	queue->DispatchConcurrent(^{
	});
	queue->DispatchSync_f(&third, set_to_one);
	CHECK(first == 1 && second == 1 && third == 1);
	queue->DispatchSync(^{
	  queue->DispatchSync(^{
	    nested = true;
	  });
	});
	CHECK(nested);
	queue->release();
}

TEST(cancelled_queue_drops_blocks_and_says_so)
{
	IODispatchQueue *queue = new_queue(0);
	IOLock *lock = IOLockAlloc();
	__block bool dropped = true;
	__block bool done = false;

	IOLockLock(lock);
	queue->DispatchAsync(^{
	  IOLockLock(lock);
	  IOLockUnlock(lock);
	});
	queue->DispatchAsync(^{
	  dropped = false;
	});
	CHECK_EQ(queue->Cancel(^{
	  __atomic_store_n(&done, true, __ATOMIC_RELEASE);
	}),
		 kIOReturnSuccess);
	IOLockUnlock(lock);
	while (!__atomic_load_n(&done, __ATOMIC_ACQUIRE)) {
		IOSleep(1);
	}
	CHECK(dropped);
	CHECK_EQ(queue->RunAction(^kern_return_t {
	  return 0;
	}),
		 kIOReturnAborted);
	queue->release();
	IOLockFree(lock);
}

TEST(sleepers_are_woken_or_time_out)
{
	IODispatchQueue *queue = new_queue(kIODispatchQueueReentrant);
	int word = 0;
	void *event = &word;
	__block kern_return_t slept = -1;

	queue->DispatchSync(^{
	  CHECK_EQ(queue->SleepWithTimeout(event, 1000000), kIOReturnTimeout);
	  CHECK_EQ(queue->SleepWithDeadline(event, kIOTimerClockUptimeRaw,
					    clock_gettime_nsec_np(CLOCK_UPTIME_RAW) + 1000000),
		   kIOReturnTimeout);
	});
	queue->DispatchAsync(^{
	  __atomic_store_n(&slept, queue->Sleep(event, 0), __ATOMIC_RELEASE);
	});
	queue->DispatchSync(^{
	  CHECK_EQ(queue->Wakeup(event), kIOReturnSuccess);
	  CHECK_EQ(queue->WakeupWithOptions(event, kIODispatchQueueWakeupAll),
		   kIOReturnSuccess);
	});
	queue->DispatchSync(^{
	});
	while (__atomic_load_n(&slept, __ATOMIC_ACQUIRE) == -1) {
		IOSleep(1);
		queue->DispatchSync(^{
		});
	}
	CHECK_EQ(slept, kIOReturnSuccess);
	CHECK_EQ(queue->Wakeup(event), kIOReturnNotPermitted);
	queue->release();
}

static IODataQueueDispatchSource *data_queue(IODispatchQueue *queue, uint64_t size)
{
	IODataQueueDispatchSource *source = nullptr;

	CHECK_EQ(IODataQueueDispatchSource::Create(size, queue, &source), kIOReturnSuccess);
	return source;
}

static kern_return_t put(IODataQueueDispatchSource *source, uint32_t size, char fill)
{
	return source->Enqueue(size, ^(void *data, size_t data_size) {
	  CHECK_EQ(data_size, size);
	  memset(data, fill, data_size);
	});
}

static kern_return_t get(IODataQueueDispatchSource *source, uint32_t size, char fill)
{
	return source->Dequeue(^(const void *data, size_t data_size) {
	  CHECK_EQ(data_size, size);
	  for (size_t i = 0; i < data_size; i++) {
		  CHECK_EQ(static_cast<const char *>(data)[i], fill);
	  }
	});
}

TEST(data_queue_is_first_in_first_out)
{
	IODispatchQueue *queue = new_queue(0);
	IODataQueueDispatchSource *source = data_queue(queue, 100);

	CHECK_EQ(IODataQueueDispatchSource::GetDataQueueEntryHeaderSize(), 4);
	CHECK(!source->IsDataAvailable());
	CHECK_EQ(get(source, 0, 0), kIOReturnUnderrun);
	CHECK_EQ(put(source, 40, 'a'), kIOReturnSuccess);
	CHECK_EQ(put(source, 40, 'b'), kIOReturnSuccess);
	CHECK_EQ(put(source, 40, 'c'), kIOReturnOverrun);
	CHECK_EQ(source->CanEnqueueData(8), kIOReturnSuccess);
	CHECK_EQ(source->CanEnqueueData(8, 2), kIOReturnOverrun);
	CHECK_EQ(source->Peek(^(const void *, size_t) {
	}),
		 kIOReturnSuccess);
	CHECK_EQ(get(source, 40, 'a'), kIOReturnSuccess);
	CHECK_EQ(put(source, 30, 'c'), kIOReturnSuccess); /* goes to the start */
	CHECK_EQ(get(source, 40, 'b'), kIOReturnSuccess);
	CHECK_EQ(get(source, 30, 'c'), kIOReturnSuccess);
	CHECK(!source->IsDataAvailable());
	source->release();
	queue->release();
}

TEST(data_queue_holds_any_sequence_of_sizes)
{
	IODispatchQueue *queue = new_queue(0);
	IODataQueueDispatchSource *source = data_queue(queue, 61);
	uint32_t sizes[64] = {};
	unsigned head = 0, tail = 0, seed = 1;

	for (unsigned step = 0; step < 20000; step++) {
		seed = seed * 1103515245u + 12345u;
		uint32_t size = (seed >> 16) % 20;
		if ((seed >> 28) % 2 == 0 && tail - head < 64) {
			bool fits = source->CanEnqueueData(size) == kIOReturnSuccess;
			kern_return_t status = put(source, size, (char)tail);
			CHECK_EQ(status, fits ? kIOReturnSuccess : kIOReturnOverrun);
			if (fits) {
				sizes[tail++ % 64] = size;
			}
		} else if (head != tail) {
			CHECK_EQ(get(source, sizes[head % 64], (char)head), kIOReturnSuccess);
			head++;
		} else {
			CHECK(!source->IsDataAvailable());
		}
	}
	source->release();
	queue->release();
}

TEST(data_queue_survives_whatever_the_other_side_writes)
{
	IODispatchQueue *queue = new_queue(0);
	IODataQueueDispatchSource *source = data_queue(queue, 64);
	IOMemoryDescriptor *memory = nullptr;
	uint64_t address = 0, length = 0;

	CHECK_EQ(source->CopyMemory(&memory), kIOReturnSuccess);
	CHECK_EQ(memory->Map(0, 0, 0, 0, &address, &length), kIOReturnSuccess);
	CHECK_GE(length, 76);
	uint32_t *words = reinterpret_cast<uint32_t *>(address);
	CHECK_EQ(words[0], 64);
	unsigned seed = 7;
	for (unsigned step = 0; step < 20000; step++) {
		for (unsigned i = 0; i < 19; i++) {
			seed = seed * 1103515245u + 12345u;
			words[i] = (seed >> 30) == 0 ? seed : (seed >> 16) % 80;
		}
		__block size_t seen = 0;
		(void)source->Dequeue(^(const void *data, size_t size) {
		  for (size_t i = 0; i < size; i++) {
			  seen += static_cast<const unsigned char *>(data)[i];
		  }
		  CHECK(size <= 64);
		});
		CHECK_LE(seen, 64 * 255);
		(void)source->Enqueue(seed % 70, ^(void *data, size_t size) {
		  memset(data, 1, size);
		});
		(void)source->CanEnqueueData(seed % 70, 3);
	}
	words[1] = 65;
	words[2] = 0;
	CHECK_EQ(get(source, 0, 0), kIOReturnError);
	CHECK_EQ(put(source, 1, 0), kIOReturnError);
	memory->release();
	source->release();
	queue->release();
}

TEST(data_queue_coalesces_notifications)
{
	IODispatchQueue *queue = new_queue(0);
	IODataQueueDispatchSource *source = data_queue(queue, 16);
	bool available = false, serviced = false;
	OSAction *action = nullptr;
	__block bool cancelled = false;

	CHECK_EQ(source->EnqueueWithCoalesce(8, &available, ^(void *, size_t) {
	}),
		 kIOReturnSuccess);
	CHECK(available);
	available = false;
	CHECK_EQ(source->EnqueueWithCoalesce(8, &available, ^(void *, size_t) {
	}),
		 kIOReturnOverrun);
	CHECK(!available);
	CHECK_EQ(source->DequeueWithCoalesce(&serviced, ^(const void *, size_t) {
	}),
		 kIOReturnSuccess);
	CHECK(serviced);
	CHECK_EQ(source->CopyDataAvailableHandler(&action), kIOReturnNotFound);
	CHECK_EQ(source->CopyDataServicedHandler(nullptr), kIOReturnBadArgument);
	CHECK_EQ(source->SetDataAvailableHandler(nullptr), kIOReturnSuccess);
	CHECK_EQ(source->SetEnable(false), kIOReturnSuccess);
	CHECK_EQ(source->Cancel(^{
	  cancelled = true;
	}),
		 kIOReturnSuccess);
	queue->DispatchSync(^{
	});
	CHECK(cancelled);
	CHECK_EQ(IODataQueueDispatchSource::Create(3, queue, &source), kIOReturnBadArgument);
	CHECK_EQ(IODataQueueDispatchSource::Create(64, nullptr, &source), kIOReturnBadArgument);
	source->release();
	queue->release();
}

TEST(sources_without_a_thing_to_watch_refuse)
{
	IODispatchQueue *queue = new_queue(0);
	IOInterruptDispatchSource *interrupt = nullptr;
	IOTimerDispatchSource *timer = nullptr;
	uint64_t type = 0;

	CHECK_EQ(IOInterruptDispatchSource::Create(nullptr, 0, queue, &interrupt),
		 kIOReturnBadArgument);
	CHECK_EQ(IOInterruptDispatchSource::GetInterruptType(nullptr, 0, &type),
		 kIOReturnBadArgument);
	CHECK_EQ(IOTimerDispatchSource::Create(queue, nullptr), kIOReturnBadArgument);
	CHECK_EQ(IOTimerDispatchSource::Create(nullptr, &timer), kIOReturnBadArgument);
	queue->release();
}

static bool both_inside(void *counter)
{
	return *static_cast<_Atomic int *>(counter) == 2;
}

TEST(concurrent_blocks_run_beside_each_other)
{
	IODispatchQueue *queue =
		new_queue(kIODispatchQueueReentrant | kIODispatchQueueMethodsNotSynchronized);
	__block _Atomic int nr_inside = 0;
	__block _Atomic int nr_met = 0;

	for (int i = 0; i < 2; i++) {
		queue->DispatchConcurrent(^{
		  nr_inside++;
		  nr_met += test_wait_until(both_inside, &nr_inside, 15000) && queue->OnQueue();
		});
	}
	queue->DispatchSync(^{
	});
	CHECK_EQ(nr_met, 2);
	queue->release();
}
