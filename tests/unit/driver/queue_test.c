/* SPDX-License-Identifier: MIT
 *
 * queue_test - IODispatchQueue: order, one at a time, synchronous calls, sleep and wake-up, cancel.
 */
#include <opendext/dispatch.h>

#include <pthread.h>
#include <stdatomic.h>
#include <sys/wait.h>
#include <unistd.h>

#include "driver/queue.h"
#include "fixture.h"

static IODispatchQueue *queue_new(uint64_t options)
{
	IODispatchQueue *queue = NULL;

	CHECK_EQ(IODispatchQueueCreate("test", options, 0, &queue), 0);
	return queue;
}

static unsigned order[1000];
static unsigned nr_order;
static _Atomic unsigned inside;
static _Atomic bool flag;

static void note_order(void *context)
{
	CHECK_EQ(inside++, 0);
	order[nr_order++] = (unsigned)(uintptr_t)context;
	inside--;
}

static void set_flag(void *context)
{
	(void)context;
	flag = true;
}

static void nothing(void *context)
{
	(void)context;
}

TEST(queue_create_checks_its_arguments)
{
	IODispatchQueue *queue = NULL;
	char name[300];

	memset(name, 'x', sizeof(name));
	name[299] = '\0';
	CHECK_EQ(IODispatchQueueCreate(NULL, 0, 0, &queue), kIOReturnBadArgument);
	CHECK_EQ(IODispatchQueueCreate(name, 0, 0, &queue), kIOReturnBadArgument);
	CHECK_EQ(IODispatchQueueCreate("q", 4, 0, &queue), kIOReturnBadArgument);
	CHECK_EQ(IODispatchQueueCreate("q", 0, 1, &queue), kIOReturnBadArgument);
	CHECK_EQ(IODispatchQueueCreate("q", 0, 0, NULL), kIOReturnBadArgument);
	queue = queue_new(0);
	CHECK_STR_EQ(IODispatchQueueGetName(queue), "test");
	CHECK_STR_EQ(IODispatchQueueGetName(NULL), "");
	CHECK(!IODispatchQueueOnQueue(queue));
	CHECK(!IODispatchQueueOnQueue(NULL));
	OSRelease(queue);
}

TEST(async_functions_run_in_order_one_at_a_time)
{
	IODispatchQueue *queue = queue_new(0);

	for (uintptr_t i = 0; i < 1000; i++) {
		IODispatchQueueDispatchAsync_f(queue, (void *)i, note_order);
	}
	IODispatchQueueDispatchSync_f(queue, NULL, nothing);
	CHECK_EQ(nr_order, 1000);
	for (unsigned i = 0; i < 1000; i++) {
		CHECK_EQ(order[i], i);
	}
	OSRelease(queue);
}

static IODispatchQueue *outer_queue;
static IODispatchQueue *inner_queue;

static void check_both(void *context)
{
	(void)context;
	CHECK(IODispatchQueueOnQueue(outer_queue));
	CHECK(IODispatchQueueOnQueue(inner_queue));
	flag = true;
}

static void enter_inner(void *context)
{
	(void)context;
	CHECK(IODispatchQueueOnQueue(outer_queue));
	CHECK(!IODispatchQueueOnQueue(inner_queue));
	IODispatchQueueDispatchSync_f(inner_queue, NULL, check_both);
	CHECK(!IODispatchQueueOnQueue(inner_queue));
}

TEST(on_queue_holds_for_every_queue_that_was_entered)
{
	outer_queue = queue_new(0);
	inner_queue = queue_new(0);
	IODispatchQueueDispatchSync_f(outer_queue, NULL, enter_inner);
	CHECK(flag);
	OSRelease(outer_queue);
	OSRelease(inner_queue);
}

static kern_return_t give_busy(void *context)
{
	(void)context;
	return kIOReturnBusy;
}

static void run_inside(void *context)
{
	CHECK_EQ(IODispatchQueueRunAction(context, NULL, give_busy), kIOReturnBusy);
	flag = true;
}

TEST(run_action_returns_the_status_also_on_its_own_reentrant_queue)
{
	IODispatchQueue *queue = queue_new(kIODispatchQueueReentrant);

	CHECK_EQ(IODispatchQueueRunAction(queue, NULL, give_busy), kIOReturnBusy);
	CHECK_EQ(IODispatchQueueRunAction(NULL, NULL, give_busy), kIOReturnBadArgument);
	IODispatchQueueDispatchSync_f(queue, queue, run_inside);
	CHECK(flag);
	OSRelease(queue);
}

TEST(sync_from_the_queue_itself_aborts)
{
	pid_t child = fork();

	if (child == 0) {
		(void)close(STDERR_FILENO);
		IODispatchQueue *queue = queue_new(0);
		IODispatchQueueDispatchSync_f(queue, queue, run_inside);
		_exit(0);
	}
	int status = 0;
	CHECK_EQ(waitpid(child, &status, 0), child);
	CHECK(WIFSIGNALED(status));
}

struct counter {
	IODispatchQueue *queue;
	unsigned value;
};

static void add_one(void *context)
{
	((struct counter *)context)->value++;
}

static void *add_often(void *context)
{
	struct counter *counter = context;

	for (unsigned i = 0; i < 500; i++) {
		if (i % 2 == 0) {
			IODispatchQueueDispatchSync_f(counter->queue, counter, add_one);
		} else {
			IODispatchQueueDispatchAsync_f(counter->queue, counter, add_one);
		}
	}
	return NULL;
}

static void count_from_threads(IODispatchQueue *queue)
{
	struct counter counter = {.queue = queue};
	pthread_t threads[4];

	for (unsigned i = 0; i < 4; i++) {
		CHECK_EQ(pthread_create(&threads[i], NULL, add_often, &counter), 0);
	}
	for (unsigned i = 0; i < 4; i++) {
		CHECK_EQ(pthread_join(threads[i], NULL), 0);
	}
	IODispatchQueueDispatchSync_f(counter.queue, NULL, nothing);
	CHECK_EQ(counter.value, 2000);
}

TEST(threads_never_meet_on_a_worker_queue)
{
	IODispatchQueue *queue = queue_new(0);

	count_from_threads(queue);
	OSRelease(queue);
}

TEST(threads_never_meet_on_a_default_queue)
{
	static const OSDriverClass *const none[] = {NULL};
	struct fixture fixture;

	fixture_init(&fixture, none);
	struct dx_queue *queue = dx_queue_new(fixture.runtime, fixture.runtime->reactor);
	count_from_threads((IODispatchQueue *)queue);
	(void)dx_object_unref(queue);
	fixture_fini(&fixture);
}

TEST(cancelled_queue_drops_what_waits_and_calls_its_handler)
{
	IODispatchQueue *queue = queue_new(0);

	CHECK_EQ(IODispatchQueueCancel(queue, set_flag, NULL), 0);
	CHECK(wait_flag(&flag));
	IODispatchQueueDispatchAsync_f(queue, NULL, note_order);
	CHECK_EQ(IODispatchQueueRunAction(queue, NULL, give_busy), kIOReturnAborted);
	CHECK_EQ(nr_order, 0);
	CHECK_EQ(IODispatchQueueCancel(NULL, NULL, NULL), kIOReturnBadArgument);
	OSRelease(queue);
}

struct nap {
	IODispatchQueue *queue;
	uint64_t timeout_ns;
	_Atomic int32_t result;
	_Atomic bool done;
	int event;
};

static void take_nap(void *context)
{
	struct nap *nap = context;

	nap->result = IODispatchQueueSleep(nap->queue, &nap->event, nap->timeout_ns);
	CHECK(IODispatchQueueOnQueue(nap->queue));
	nap->done = true;
}

static void end_nap(void *context)
{
	struct nap *nap = context;

	CHECK_EQ(IODispatchQueueWakeup(nap->queue, &nap->event), 0);
	CHECK(!nap->done); /* it needs the queue first */
}

TEST(sleep_gives_the_queue_away_until_the_wake_up)
{
	struct nap nap = {.queue = queue_new(kIODispatchQueueReentrant)};

	CHECK_EQ(IODispatchQueueSleep(nap.queue, &nap, 0), kIOReturnNotPermitted);
	CHECK_EQ(IODispatchQueueWakeup(nap.queue, &nap), kIOReturnNotPermitted);
	CHECK_EQ(IODispatchQueueWakeupWithOptions(nap.queue, &nap, 2), kIOReturnBadArgument);
	CHECK_EQ(IODispatchQueueSleepWithDeadline(nap.queue, &nap, 1, 1), kIOReturnBadArgument);
	IODispatchQueueDispatchAsync_f(nap.queue, &nap, take_nap);
	IOSleep(20);
	IODispatchQueueDispatchSync_f(nap.queue, &nap, end_nap);
	CHECK(wait_flag(&nap.done));
	CHECK_EQ(nap.result, kIOReturnSuccess);
	OSRelease(nap.queue);
}

TEST(sleep_ends_at_its_timeout)
{
	struct nap nap = {.queue = queue_new(0), .timeout_ns = 5000000};
	uint64_t before = mach_absolute_time();

	IODispatchQueueDispatchSync_f(nap.queue, &nap, take_nap);
	CHECK_EQ(nap.result, kIOReturnTimeout);
	CHECK_GE(mach_absolute_time() - before, 5000000);
	OSRelease(nap.queue);
}

/* Nobody could run what wakes it up. */
TEST(sleep_without_a_thread_to_leave_the_queue_to_is_refused)
{
	struct nap nap = {.queue = queue_new(0)};
	pthread_attr_t attributes;

	CHECK_EQ(pthread_attr_init(&attributes), 0);
	CHECK_EQ(pthread_attr_setstacksize(&attributes, (size_t)1 << 47), 0);
	CHECK_EQ(pthread_setattr_default_np(&attributes), 0);
	CHECK_EQ(pthread_attr_destroy(&attributes), 0);
	IODispatchQueueDispatchAsync_f(nap.queue, &nap, take_nap);
	CHECK(wait_flag(&nap.done));
	CHECK_EQ(nap.result, kIOReturnNoResources);
	OSRelease(nap.queue);
}

TEST(sleeps_one_after_the_other_wake_up_each)
{
	struct nap naps[8];

	naps[0] = (struct nap){.queue = queue_new(0)};
	for (unsigned round = 0; round < 3; round++) {
		for (unsigned i = 0; i < 8; i++) {
			naps[i] = (struct nap){.queue = naps[0].queue};
			IODispatchQueueDispatchAsync_f(naps[i].queue, &naps[i], take_nap);
		}
		for (unsigned i = 0; i < 8; i++) {
			IODispatchQueueDispatchSync_f(naps[i].queue, &naps[i], end_nap);
			CHECK(wait_flag(&naps[i].done));
			CHECK_EQ(naps[i].result, kIOReturnSuccess);
		}
	}
	OSRelease(naps[0].queue);
}

static void release_own_queue(void *context)
{
	OSRelease(context);
	flag = true;
}

TEST(queue_may_be_released_on_itself)
{
	IODispatchQueue *queue = queue_new(0);

	IODispatchQueueDispatchAsync_f(queue, queue, release_own_queue);
	CHECK(wait_flag(&flag));
	IOSleep(20); /* the thread ends by itself */
}
