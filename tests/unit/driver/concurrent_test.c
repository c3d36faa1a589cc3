/* SPDX-License-Identifier: MIT
 *
 * concurrent_test - what runs beside each other on one queue, and what does not.
 *
 * That two things run at once is shown by each of them waiting for the other.
 */
#include <opendext/dispatch.h>

#include <pthread.h>
#include <stdatomic.h>

#include "driver/queue.h"
#include "fixture.h"

static _Atomic unsigned nr_inside;
static _Atomic unsigned most_inside;
static _Atomic unsigned nr_done;
static _Atomic bool gate;
static IODispatchQueue *queue;

static void make_queue(uint64_t options)
{
	CHECK_EQ(IODispatchQueueCreate("test", options, 0, &queue), 0);
}

static void enter(void)
{
	unsigned inside = ++nr_inside;
	unsigned most = most_inside;

	while (inside > most && !atomic_compare_exchange_weak(&most_inside, &most, inside)) {
	}
}

static void leave(void)
{
	nr_inside--;
	nr_done++;
}

static bool gate_is_open(void *unused)
{
	(void)unused;
	return gate;
}

/* Until the test opens the gate. */
static void wait_inside(void *context)
{
	(void)context;
	CHECK(IODispatchQueueOnQueue(queue));
	enter();
	CHECK(test_wait_until(gate_is_open, NULL, 15000));
	leave();
}

static void alone(void *context)
{
	CHECK_EQ(nr_inside, 0);
	CHECK_EQ(nr_done, (unsigned)(uintptr_t)context);
}

static void through(void *context)
{
	(void)context;
	enter();
	leave();
}

TEST(concurrent_functions_run_beside_each_other)
{
	make_queue(kIODispatchQueueReentrant);
	for (int i = 0; i < 3; i++) {
		IODispatchQueueDispatchConcurrent_f(queue, NULL, wait_inside);
	}
	CHECK(wait_counter(&nr_inside, 3));
	/* One more joins those that run. */
	IODispatchQueueDispatchConcurrent_f(queue, NULL, wait_inside);
	CHECK(wait_counter(&nr_inside, 4));
	gate = true;
	IODispatchQueueDispatchSync_f(queue, (void *)4, alone);
	OSRelease(queue);
}

TEST(other_work_comes_before_or_after_all_of_them)
{
	make_queue(kIODispatchQueueReentrant);
	IODispatchQueueDispatchAsync_f(queue, (void *)0, alone);
	IODispatchQueueDispatchConcurrent_f(queue, NULL, wait_inside);
	IODispatchQueueDispatchConcurrent_f(queue, NULL, wait_inside);
	IODispatchQueueDispatchAsync_f(queue, (void *)2, alone);
	/* Behind that one: it must not join the first two. */
	IODispatchQueueDispatchConcurrent_f(queue, NULL, wait_inside);
	CHECK(wait_counter(&nr_inside, 2));
	gate = true;
	IODispatchQueueDispatchSync_f(queue, (void *)3, alone);
	CHECK_EQ(most_inside, 2);
	OSRelease(queue);
}

TEST(no_more_than_eight_run_at_a_time)
{
	make_queue(kIODispatchQueueReentrant);
	for (int i = 0; i < 30; i++) {
		IODispatchQueueDispatchConcurrent_f(queue, NULL, wait_inside);
	}
	CHECK(wait_counter(&nr_inside, DX_QUEUE_MAX_SHARED));
	gate = true;
	IODispatchQueueDispatchSync_f(queue, (void *)30, alone);
	CHECK_EQ(most_inside, DX_QUEUE_MAX_SHARED);
	OSRelease(queue);
}

TEST(many_of_all_kinds_are_each_run_once)
{
	make_queue(kIODispatchQueueReentrant);
	for (unsigned i = 0; i < 3000; i++) {
		IODispatchQueueDispatchConcurrent_f(queue, NULL, through);
		if (i % 7 == 0) {
			IODispatchQueueDispatchAsync_f(queue, NULL, through);
		}
		if (i % 100 == 99) {
			IODispatchQueueDispatchSync_f(queue, (void *)(uintptr_t)(i + 1 + i / 7 + 1),
						      alone);
		}
	}
	IODispatchQueueDispatchSync_f(queue, (void *)3429, alone);
	OSRelease(queue);
}

TEST(queue_that_is_not_reentrant_runs_them_one_by_one)
{
	make_queue(0);
	for (int i = 0; i < 50; i++) {
		IODispatchQueueDispatchConcurrent_f(queue, NULL, through);
	}
	IODispatchQueueDispatchSync_f(queue, (void *)50, alone);
	CHECK_EQ(most_inside, 1);
	IODispatchQueueDispatchConcurrent_f(NULL, NULL, through);
	IODispatchQueueDispatchConcurrent_f(queue, NULL, NULL);
	OSRelease(queue);
}

static void try_to_sleep(void *context)
{
	*(_Atomic int32_t *)context = IODispatchQueueSleep(queue, &gate, 0);
}

static kern_return_t count_nested(void *context)
{
	(void)context;
	CHECK(IODispatchQueueOnQueue(queue));
	return 5;
}

static void call_nested(void *context)
{
	*(_Atomic int32_t *)context = IODispatchQueueRunAction(queue, NULL, count_nested);
}

static void nothing(void *context)
{
	(void)context;
}

TEST(concurrent_function_cannot_sleep_and_may_call_on_its_queue)
{
	_Atomic int32_t slept = 0;
	_Atomic int32_t nested = 0;

	make_queue(kIODispatchQueueReentrant);
	IODispatchQueueDispatchConcurrent_f(queue, &slept, try_to_sleep);
	IODispatchQueueDispatchConcurrent_f(queue, &nested, call_nested);
	IODispatchQueueDispatchSync_f(queue, NULL, nothing);
	CHECK_EQ(slept, kIOReturnNotPermitted);
	CHECK_EQ(nested, 5);
	OSRelease(queue);
}

static _Atomic bool was_cancelled;

static void cancelled(void *context)
{
	(void)context;
	CHECK_EQ(nr_inside, 0);
	was_cancelled = true;
}

TEST(cancelled_queue_drops_those_that_wait_and_ends_after_those_that_run)
{
	make_queue(kIODispatchQueueReentrant);
	for (unsigned i = 0; i < DX_QUEUE_MAX_SHARED + 5; i++) {
		IODispatchQueueDispatchConcurrent_f(queue, NULL, wait_inside);
	}
	CHECK(wait_counter(&nr_inside, DX_QUEUE_MAX_SHARED));
	CHECK_EQ(IODispatchQueueCancel(queue, cancelled, NULL), 0);
	CHECK(!was_cancelled);
	gate = true;
	CHECK(wait_flag(&was_cancelled));
	CHECK_EQ(nr_done, DX_QUEUE_MAX_SHARED);
	OSRelease(queue);
}

/* ---- messages that are not synchronized ---- */

static kern_return_t new_user_client(IOService *self, uint32_t type, IOUserClient **client)
{
	CHECK_EQ(fixture_new_user_client(self, type, client), 0);
	return IOServiceSetDispatchQueue((IOService *)*client, kIOUserClientQueueNameExternalMethod,
					 queue);
}

static kern_return_t meet(IOUserClient *self, uint64_t selector,
			  IOUserClientMethodArguments *arguments,
			  const IOUserClientMethodDispatch *dispatch, OSObject *target,
			  void *reference)
{
	(void)self, (void)selector, (void)arguments, (void)dispatch, (void)target, (void)reference;
	wait_inside(NULL);
	return kIOReturnSuccess;
}

static const OSDriverClass service_class = {
	.name = "TestService", .super = &IOServiceClass, .NewUserClient = new_user_client};
static const OSDriverClass client_class = {
	.name = "TestClient", .super = &IOUserClientClass, .ExternalMethod = meet};
static const OSDriverClass *const classes[] = {&service_class, &client_class, NULL};

static void *call(void *context)
{
	CHECK_EQ(app_call(context, 0, NULL, 0, NULL, NULL), 0);
	return NULL;
}

TEST(calls_to_an_open_queue_run_beside_each_other)
{
	struct fixture fixture;
	struct app app;
	pthread_t threads[2];

	make_queue(kIODispatchQueueMethodsNotSynchronized);
	fixture_begin(&fixture, classes, &app);
	for (int i = 0; i < 2; i++) {
		CHECK_EQ(pthread_create(&threads[i], NULL, call, &app), 0);
	}
	CHECK(wait_counter(&nr_inside, 2));
	gate = true;
	for (int i = 0; i < 2; i++) {
		CHECK_EQ(pthread_join(threads[i], NULL), 0);
	}
	CHECK_EQ(fixture_terminate(&fixture), 0);
	app_close(&app);
	OSRelease(queue);
	fixture_fini(&fixture);
}
