/* SPDX-License-Identifier: MIT
 *
 * reactor_test - hand-over of the lead, idleness, fairness, batching.
 */
#include <errno.h>
#include <pthread.h>
#include <sys/resource.h>

#include "base/sanitizer.h"
#include "fixture.h"

static IOLock *held_lock;
static IODispatchQueue *busy_queue;
static _Atomic bool entered;
static _Atomic bool released;
static _Atomic unsigned nr_sleeping;

static void hold(void *context)
{
	(void)context;
	while (!released) {
		IOSleep(1);
	}
}

enum selector { QUICK, SLEEP, LOCK, SYNC };

static kern_return_t client_method(IOUserClient *self, uint64_t selector,
				   IOUserClientMethodArguments *arguments,
				   const IOUserClientMethodDispatch *dispatch, OSObject *target,
				   void *reference)
{
	(void)self;
	(void)arguments;
	(void)dispatch;
	(void)target;
	(void)reference;
	switch (selector) {
	case SLEEP:
		nr_sleeping++;
		entered = true;
		hold(NULL);
		return 0;
	case LOCK:
		entered = true;
		IOLockLock(held_lock);
		IOLockUnlock(held_lock);
		return 0;
	case SYNC:
		IODispatchQueueDispatchAsync_f(busy_queue, NULL, hold);
		entered = true;
		IODispatchQueueDispatchSync_f(busy_queue, NULL, hold);
		return 0;
	default:
		return 0;
	}
}

static const OSDriverClass service_class = {
	.name = "TestService", .super = &IOServiceClass, .NewUserClient = fixture_new_user_client};
static const OSDriverClass client_class = {
	.name = "TestClient", .super = &IOUserClientClass, .ExternalMethod = client_method};
static const OSDriverClass *const classes[] = {&service_class, &client_class, NULL};

struct call {
	struct app *app;
	uint64_t selector;
	pthread_t thread;
};

static void *call_main(void *context)
{
	struct call *call = context;

	CHECK_EQ(app_call(call->app, call->selector, NULL, 0, NULL, NULL), 0);
	return NULL;
}

static void check_others_go_on(uint64_t selector)
{
	struct fixture fixture;
	struct app slow;
	struct app quick;

	held_lock = IOLockAlloc();
	IOLockLock(held_lock);
	CHECK_EQ(IODispatchQueueCreate("busy", 0, 0, &busy_queue), 0);
	fixture_init(&fixture, classes);
	CHECK_EQ(fixture_start(&fixture, "TestService", "IOUserResources", NULL), 0);
	CHECK_EQ(fixture_open(&fixture, 0, &slow), 0);
	CHECK_EQ(fixture_open(&fixture, 0, &quick), 0);
	struct call call = {.app = &slow, .selector = selector};
	CHECK_EQ(pthread_create(&call.thread, NULL, call_main, &call), 0);
	CHECK(wait_flag(&entered));
	for (unsigned i = 0; i < 100; i++) { /* which the slow one outlasts */
		CHECK_EQ(app_call(&quick, QUICK, NULL, 0, NULL, NULL), 0);
	}
	released = true;
	IOLockUnlock(held_lock);
	CHECK_EQ(pthread_join(call.thread, NULL), 0);
	app_close(&slow);
	app_close(&quick);
	CHECK_EQ(fixture_terminate(&fixture), 0);
	fixture_fini(&fixture);
	OSRelease(busy_queue);
	IOLockFree(held_lock);
}

TEST(method_that_sleeps_does_not_stop_another_client)
{
	check_others_go_on(SLEEP);
}

TEST(method_that_waits_for_a_lock_does_not_stop_another_client)
{
	check_others_go_on(LOCK);
}

TEST(method_that_waits_for_a_queue_does_not_stop_another_client)
{
	check_others_go_on(SYNC);
}

TEST(idle_driver_makes_no_pass_and_no_context_switch)
{
	struct fixture fixture;
	struct app apps[8];
	struct dx_reactor_counters before;
	struct dx_reactor_counters after;
	struct rusage usage_before;
	struct rusage usage_after;

	fixture_init(&fixture, classes);
	CHECK_EQ(fixture_start(&fixture, "TestService", "IOUserResources", NULL), 0);
	for (unsigned i = 0; i < 8; i++) {
		CHECK_EQ(fixture_open(&fixture, 0, &apps[i]), 0);
		CHECK_EQ(app_call(&apps[i], QUICK, NULL, 0, NULL, NULL), 0);
	}
	IOSleep(50);
	dx_reactor_counters(fixture.runtime->reactor, &before);
	CHECK_EQ(getrusage(RUSAGE_SELF, &usage_before), 0);
	IOSleep(300);
	CHECK_EQ(getrusage(RUSAGE_SELF, &usage_after), 0);
	dx_reactor_counters(fixture.runtime->reactor, &after);
	CHECK_EQ(after.passes, before.passes);
	CHECK_EQ(after.sleeps, before.sleeps);
#if !DX_THREAD_SANITIZER /* has a thread of its own that wakes up */
	/* This thread's own sleep is one voluntary switch. */
	CHECK_LE(usage_after.ru_nvcsw - usage_before.ru_nvcsw, 2);
#endif
	for (unsigned i = 0; i < 8; i++) {
		app_close(&apps[i]);
	}
	CHECK_EQ(fixture_terminate(&fixture), 0);
	fixture_fini(&fixture);
}

TEST(threads_that_slept_are_few_afterwards)
{
	struct fixture fixture;
	struct app apps[16];
	struct call calls[16];
	struct dx_reactor_counters counters;

	fixture_init(&fixture, classes);
	CHECK_EQ(fixture_start(&fixture, "TestService", "IOUserResources", NULL), 0);
	for (unsigned i = 0; i < 16; i++) {
		CHECK_EQ(fixture_open(&fixture, 0, &apps[i]), 0);
		calls[i] = (struct call){.app = &apps[i], .selector = SLEEP};
		CHECK_EQ(pthread_create(&calls[i].thread, NULL, call_main, &calls[i]), 0);
	}
	while (nr_sleeping < 16) {
		IOSleep(1);
	}
	dx_reactor_counters(fixture.runtime->reactor, &counters);
	CHECK_GE(counters.threads, 16);
	released = true;
	for (unsigned i = 0; i < 16; i++) {
		CHECK_EQ(pthread_join(calls[i].thread, NULL), 0);
	}
	while (counters.threads > 6) { /* or the time of the test is over */
		IOSleep(1);
		dx_reactor_counters(fixture.runtime->reactor, &counters);
	}
	for (unsigned i = 0; i < 16; i++) {
		app_close(&apps[i]);
	}
	CHECK_EQ(fixture_terminate(&fixture), 0);
	fixture_fini(&fixture);
}

TEST_SECONDS(hundred_clients_are_all_served, 60)
{
	struct fixture fixture;
	static struct app apps[100];

	fixture_init(&fixture, classes);
	CHECK_EQ(fixture_start(&fixture, "TestService", "IOUserResources", NULL), 0);
	for (unsigned i = 0; i < 100; i++) {
		CHECK_EQ(fixture_open(&fixture, 0, &apps[i]), 0);
	}
	for (unsigned round = 0; round < 5; round++) {
		for (unsigned i = 0; i < 100; i++) {
			CHECK_EQ(app_call(&apps[i], QUICK, NULL, 0, NULL, NULL), 0);
		}
	}
	for (unsigned i = 0; i < 100; i++) {
		app_close(&apps[i]);
	}
	CHECK_EQ(fixture_terminate(&fixture), 0);
	fixture_fini(&fixture);
}
