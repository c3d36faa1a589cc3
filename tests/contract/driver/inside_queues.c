/* SPDX-License-Identifier: MIT
 *
 * inside_queues - dispatch queues, timers and actions as a driver uses them.
 */
#include <stdatomic.h>

#include "inside.h"

#define MS 1000000ull

struct steps {
	IODispatchQueue *queue;
	_Atomic unsigned count;
	unsigned order[64];
	bool on_queue;
	kern_return_t result;
};

struct numbered {
	struct steps *steps;
	unsigned number;
};

/* Waits for a count without holding the queue up; generous, for slow machines. */
static bool wait_count(_Atomic unsigned *count, unsigned wanted)
{
	for (unsigned i = 0; i < 20000; i++) {
		if (atomic_load(count) >= wanted) {
			return true;
		}
		IOSleep(1);
	}
	return false;
}

static void note_number(void *context)
{
	struct numbered *numbered = context;
	struct steps *steps = numbered->steps;
	unsigned at = atomic_load(&steps->count);

	steps->order[at] = numbered->number;
	steps->on_queue = IODispatchQueueOnQueue(steps->queue);
	atomic_store(&steps->count, at + 1);
}

static kern_return_t give_code(void *context)
{
	(void)context;
	return kIOReturnNoSpace;
}

static void count_up(void *context)
{
	atomic_fetch_add((_Atomic unsigned *)context, 1);
}

static void check_order(struct inside *inside, IODispatchQueue *queue)
{
	struct steps steps = {.queue = queue};
	struct numbered numbered[64];

	for (unsigned i = 0; i < 63; i++) {
		numbered[i] = (struct numbered){&steps, i};
		IODispatchQueueDispatchAsync_f(queue, &numbered[i], note_number);
	}
	numbered[63] = (struct numbered){&steps, 63};
	IODispatchQueueDispatchSync_f(queue, &numbered[63], note_number);
	INSIDE_EQ(atomic_load(&steps.count), 64);
	for (unsigned i = 0; i < 64; i++) {
		INSIDE_EQ(steps.order[i], i);
	}
	INSIDE(steps.on_queue);
	INSIDE(!IODispatchQueueOnQueue(queue));
	INSIDE_EQ(IODispatchQueueRunAction(queue, NULL, give_code), kIOReturnNoSpace);
}

static void sync_inside(void *context)
{
	struct steps *steps = context;
	struct numbered numbered = {steps, 7};

	IODispatchQueueDispatchSync_f(steps->queue, &numbered, note_number);
}

static void sleep_for_event(void *context)
{
	struct steps *steps = context;

	atomic_fetch_add(&steps->count, 1);
	steps->result = IODispatchQueueSleep(steps->queue, steps, 0);
	steps->on_queue = IODispatchQueueOnQueue(steps->queue);
	atomic_fetch_add(&steps->count, 1);
}

static void wake_event(void *context)
{
	struct steps *steps = context;

	(void)IODispatchQueueWakeup(steps->queue, steps);
}

static void check_reentrant(struct inside *inside)
{
	IODispatchQueue *queue = NULL;
	struct steps steps = {0};
	_Atomic unsigned nr_cancelled = 0;

	INSIDE_EQ(IODispatchQueueCreate("reentrant", kIODispatchQueueReentrant, 0, &queue),
		  kIOReturnSuccess);
	if (queue == NULL) {
		return;
	}
	steps.queue = queue;
	IODispatchQueueDispatchSync_f(queue, &steps, sync_inside);
	INSIDE_EQ(atomic_load(&steps.count), 1);
	INSIDE_EQ(steps.order[0], 7);
	atomic_store(&steps.count, 0);
	IODispatchQueueDispatchAsync_f(queue, &steps, sleep_for_event);
	INSIDE(wait_count(&steps.count, 1));
	IODispatchQueueDispatchSync_f(queue, &steps, wake_event);
	INSIDE(wait_count(&steps.count, 2));
	INSIDE_EQ(steps.result, kIOReturnSuccess);
	INSIDE(steps.on_queue);
	INSIDE_EQ(IODispatchQueueWakeup(queue, &steps), kIOReturnNotPermitted);
	INSIDE_EQ(IODispatchQueueSleep(queue, &steps, 1), kIOReturnNotPermitted);
	INSIDE_EQ(IODispatchQueueCancel(queue, count_up, &nr_cancelled), kIOReturnSuccess);
	INSIDE(wait_count(&nr_cancelled, 1));
	INSIDE_EQ(IODispatchQueueRunAction(queue, NULL, give_code), kIOReturnAborted);
	OSRelease(queue);
}

static void sleep_shortly(void *context)
{
	struct steps *steps = context;

	steps->result = IODispatchQueueSleepWithTimeout(steps->queue, steps, 2 * MS);
}

static void check_queues(struct inside *inside)
{
	IODispatchQueue *queue = NULL;
	IODispatchQueue *own = NULL;
	struct steps steps = {0};

	INSIDE_EQ(IODispatchQueueCreate("q", 0, 0, NULL), kIOReturnBadArgument);
	INSIDE_EQ(IODispatchQueueCreate("q", 0x80, 0, &queue), kIOReturnBadArgument);
	INSIDE_EQ(IODispatchQueueCreate("q", 0, 5, &queue), kIOReturnBadArgument);
	INSIDE_EQ(IODispatchQueueCreate("numbers", 0, 0, &queue), kIOReturnSuccess);
	if (queue == NULL) {
		return;
	}
	INSIDE(strcmp(IODispatchQueueGetName(queue), "numbers") == 0);
	check_order(inside, queue);
	steps.queue = queue;
	IODispatchQueueDispatchSync_f(queue, &steps, sleep_shortly);
	INSIDE_EQ(steps.result, kIOReturnTimeout);
	OSRelease(queue);
	check_reentrant(inside);
	INSIDE_EQ(IOServiceCopyDispatchQueue((IOService *)inside->target,
					     kIOServiceDefaultQueueName, &own),
		  kIOReturnSuccess);
	if (own != NULL && inside->client->method_queue == NULL) {
		INSIDE(IODispatchQueueOnQueue(own));
	}
	OSSafeReleaseNULL(own);
	INSIDE_EQ(IOServiceSetDispatchQueue((IOService *)inside->target, "NoSuchQueue", NULL),
		  kIOReturnBadArgument);
}

INSIDE_METHOD(contract_test_queues, check_queues)

/* --- Timers ---------------------------------------------------------------------------------- */

struct timed {
	_Atomic unsigned count;
	uint64_t time;
};

static void timer_fired(OSObject *target, OSAction *action, uint64_t time)
{
	struct timed **timed = OSActionGetReference(action);

	(void)target;
	(*timed)->time = time;
	atomic_fetch_add(&(*timed)->count, 1);
}

static void check_timer_clock(struct inside *inside, IOTimerDispatchSource *timer,
			      struct timed *timed)
{
	uint64_t deadline = mach_absolute_time() + 3 * MS;
	unsigned before = atomic_load(&timed->count);

	INSIDE_EQ(IOTimerDispatchSourceWakeAtTime(timer, 0x12345, deadline, 0),
		  kIOReturnBadArgument);
	INSIDE_EQ(IOTimerDispatchSourceWakeAtTime(timer, kIOTimerClockMachAbsoluteTime, deadline,
						  0),
		  kIOReturnSuccess);
	INSIDE(wait_count(&timed->count, before + 1));
	INSIDE(timed->time >= deadline);
	/* In the past: at once, and only once. */
	INSIDE_EQ(IOTimerDispatchSourceWakeAtTime(timer, kIOTimerClockMonotonicRaw, 1, 0),
		  kIOReturnSuccess);
	INSIDE(wait_count(&timed->count, before + 2));
	INSIDE_EQ(atomic_load(&timed->count), before + 2);
}

static void check_timer_disabled(struct inside *inside, IOTimerDispatchSource *timer,
				 struct timed *timed)
{
	unsigned before = atomic_load(&timed->count);

	INSIDE_EQ(IOTimerDispatchSourceSetEnable(timer, false), kIOReturnSuccess);
	INSIDE_EQ(IOTimerDispatchSourceWakeAtTime(timer, kIOTimerClockUptimeRaw, 1, 0),
		  kIOReturnSuccess);
	IOSleep(5);
	INSIDE_EQ(atomic_load(&timed->count), before);
	INSIDE_EQ(IOTimerDispatchSourceSetEnable(timer, true), kIOReturnSuccess);
	INSIDE(wait_count(&timed->count, before + 1));
}

/* The handler needs the default queue of the client, so the checks need another one: they run on
 * the queue that CONTRACT_OPEN_QUEUED has for its methods. */
static void check_timers(struct inside *inside)
{
	IODispatchQueue *queue = NULL;
	IOTimerDispatchSource *timer = NULL;
	OSAction *action = NULL;
	struct timed timed = {0};
	_Atomic unsigned nr_cancelled = 0;

	INSIDE(inside->client->method_queue != NULL);
	INSIDE_EQ(IOTimerDispatchSourceCreate(NULL, &timer), kIOReturnBadArgument);
	INSIDE_EQ(IOServiceCopyDispatchQueue((IOService *)inside->target,
					     kIOServiceDefaultQueueName, &queue),
		  kIOReturnSuccess);
	INSIDE_EQ(IOTimerDispatchSourceCreate(queue, &timer), kIOReturnSuccess);
	INSIDE_EQ(IOTimerDispatchSourceCreateActionTimerOccurred(
			  inside->target, timer_fired, sizeof(struct timed *), &action),
		  kIOReturnSuccess);
	if (timer == NULL || action == NULL || inside->client->method_queue == NULL) {
		return;
	}
	*(struct timed **)OSActionGetReference(action) = &timed;
	INSIDE_EQ(IOTimerDispatchSourceSetHandler(timer, action), kIOReturnSuccess);
	check_timer_clock(inside, timer, &timed);
	check_timer_disabled(inside, timer, &timed);
	INSIDE_EQ(IOTimerDispatchSourceCancel(timer, count_up, &nr_cancelled), kIOReturnSuccess);
	INSIDE(wait_count(&nr_cancelled, 1));
	INSIDE_EQ(IOTimerDispatchSourceWakeAtTime(timer, kIOTimerClockUptimeRaw, 1, 0),
		  kIOReturnAborted);
	INSIDE_EQ(OSActionCancel(action, NULL, NULL), kIOReturnSuccess);
	OSRelease(timer);
	OSRelease(action);
	OSSafeReleaseNULL(queue);
}

INSIDE_METHOD(contract_test_timers, check_timers)

/* --- Actions --------------------------------------------------------------------------------- */

static void check_wait(struct inside *inside, IOTimerDispatchSource *timer, OSAction *action)
{
	OSActionWaitToken *token = NULL;
	OSActionWaitToken *second = NULL;

	INSIDE_EQ(OSActionWillWait(action, &token), kIOReturnSuccess);
	INSIDE_EQ(OSActionWillWait(action, &second), kIOReturnBusy);
	INSIDE_EQ(OSActionWait(action, token, kIOTimerClockMachAbsoluteTime,
			       mach_absolute_time() + 2 * MS),
		  kIOReturnTimeout);
	INSIDE_EQ(IOTimerDispatchSourceWakeAtTime(timer, kIOTimerClockMachAbsoluteTime, 1, 0),
		  kIOReturnSuccess);
	INSIDE_EQ(OSActionWait(action, token, 0, 0), kIOReturnSuccess);
	INSIDE_EQ(OSActionEndWait(action, token), kIOReturnSuccess);
}

static void check_actions(struct inside *inside)
{
	IODispatchQueue *queue = NULL;
	IOTimerDispatchSource *timer = NULL;
	OSAction *action = NULL;
	OSAction *plain = NULL;
	OSActionWaitToken *token = NULL;
	struct timed timed = {0};
	_Atomic unsigned nr_cancelled = 0;

	INSIDE(inside->client->method_queue != NULL);
	INSIDE_EQ(IOTimerDispatchSourceCreateActionTimerOccurred(inside->target, timer_fired, 0,
								 &plain),
		  kIOReturnSuccess);
	INSIDE(OSActionGetReference(plain) == NULL);
	INSIDE_EQ(OSActionCancel(plain, NULL, NULL), kIOReturnSuccess);
	OSSafeReleaseNULL(plain);
	(void)IOServiceCopyDispatchQueue((IOService *)inside->target, kIOServiceDefaultQueueName,
					 &queue);
	(void)IOTimerDispatchSourceCreate(queue, &timer);
	(void)IOTimerDispatchSourceCreateActionTimerOccurred(inside->target, timer_fired,
							     sizeof(struct timed *), &action);
	INSIDE(timer != NULL && action != NULL);
	if (timer == NULL || action == NULL || inside->client->method_queue == NULL) {
		return;
	}
	INSIDE(*(struct timed **)OSActionGetReference(action) == NULL); /* zeroed */
	*(struct timed **)OSActionGetReference(action) = &timed;
	(void)IOTimerDispatchSourceSetHandler(timer, action);
	check_wait(inside, timer, action);
	INSIDE(wait_count(&timed.count, 1)); /* its handler has run before the memory goes */
	INSIDE_EQ(OSActionCancel(action, count_up, &nr_cancelled), kIOReturnSuccess);
	INSIDE_EQ(OSActionCancel(action, count_up, &nr_cancelled), kIOReturnSuccess);
	INSIDE(wait_count(&nr_cancelled, 2));
	INSIDE_EQ(OSActionWillWait(action, &token), kIOReturnAborted);
	(void)IOTimerDispatchSourceCancel(timer, NULL, NULL);
	OSRelease(timer);
	OSRelease(action);
	OSSafeReleaseNULL(queue);
}

INSIDE_METHOD(contract_test_actions, check_actions)
