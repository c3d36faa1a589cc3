/* SPDX-License-Identifier: MIT
 *
 * action_test - OSAction and IOTimerDispatchSource: firing, re-use, cancel, wait, clocks.
 */
#include <errno.h>
#include <stdatomic.h>

#include "fixture.h"

static _Atomic unsigned nr_fired;
static _Atomic unsigned nr_cancelled;
static _Atomic unsigned nr_aborted;
static _Atomic uint64_t last_time;
static IODispatchQueue *expected_queue;
static unsigned sleep_in_handler_ms;

static const char *const queue_names[] = {"Extra", NULL};
static const OSDriverClass service_class = {
	.name = "TestService", .super = &IOServiceClass, .queue_names = queue_names};
static const OSDriverClass *const classes[] = {&service_class, NULL};

struct scene {
	struct fixture fixture;
	IOService *service;
	IODispatchQueue *queue;
	IOTimerDispatchSource *timer;
	OSAction *action;
};

static void use_service(void *context, struct dx_service *service)
{
	*(IOService **)context = OSRetain(service);
}

static void occurred(OSObject *target, OSAction *action, uint64_t time)
{
	CHECK(OSObjectIsKind(target, &service_class));
	CHECK_EQ(*(uint32_t *)OSActionGetReference(action), 1234);
	CHECK(IODispatchQueueOnQueue(expected_queue));
	last_time = time;
	if (sleep_in_handler_ms != 0) {
		IOSleep(sleep_in_handler_ms);
	}
	nr_fired++;
}

static void count_cancel(void *context)
{
	(void)context;
	CHECK(IODispatchQueueOnQueue(expected_queue));
	nr_cancelled++;
}

static void count_abort(void *context)
{
	(void)context;
	nr_aborted++;
}

static void begin(struct scene *scene)
{
	fixture_init(&scene->fixture, classes);
	CHECK_EQ(fixture_start(&scene->fixture, "TestService", "IOUserResources", NULL), 0);
	dx_runtime_each(scene->fixture.runtime, use_service, &scene->service);
	CHECK_EQ(IOServiceCopyDispatchQueue(scene->service, "Default", &scene->queue), 0);
	expected_queue = scene->queue;
	CHECK_EQ(IOTimerDispatchSourceCreate(scene->queue, &scene->timer), 0);
	CHECK_EQ(IOTimerDispatchSourceCreateActionTimerOccurred(OS_OBJECT(scene->service), occurred,
								sizeof(uint32_t), &scene->action),
		 0);
	CHECK_EQ(*(uint32_t *)OSActionGetReference(scene->action), 0);
	*(uint32_t *)OSActionGetReference(scene->action) = 1234;
	CHECK_EQ(IOTimerDispatchSourceSetHandler(scene->timer, scene->action), 0);
}

static void end(struct scene *scene)
{
	OSRelease(scene->timer);
	OSRelease(scene->action);
	OSRelease(scene->queue);
	OSRelease(scene->service);
	CHECK_EQ(fixture_terminate(&scene->fixture), 0);
	fixture_fini(&scene->fixture);
}

static void arm(struct scene *scene, uint64_t after_ns)
{
	CHECK_EQ(IOTimerDispatchSourceWakeAtTime(scene->timer, kIOTimerClockMachAbsoluteTime,
						 mach_absolute_time() + after_ns, 0),
		 0);
}

TEST(creators_check_their_arguments)
{
	OSAction *action = NULL;
	OSData *data = OSDataCreate("x", 1);
	IOTimerDispatchSource *source = NULL;

	CHECK_EQ(IOTimerDispatchSourceCreateActionTimerOccurred(NULL, occurred, 0, &action),
		 kIOReturnBadArgument);
	CHECK_EQ(IOTimerDispatchSourceCreateActionTimerOccurred(OS_OBJECT(data), occurred, 0,
								&action),
		 kIOReturnNotReady); /* it would need a queue of a driver */
	CHECK_EQ(IOTimerDispatchSourceCreate(NULL, &source), kIOReturnBadArgument);
	CHECK_EQ(IOTimerDispatchSourceSetHandler(NULL, NULL), kIOReturnBadArgument);
	CHECK_EQ(IOTimerDispatchSourceCancel(NULL, NULL, NULL), kIOReturnBadArgument);
	CHECK_EQ(IOTimerDispatchSourceSetEnable(NULL, true), kIOReturnBadArgument);
	CHECK(OSActionGetReference(NULL) == NULL);
	CHECK_EQ(OSActionCancel(NULL, NULL, NULL), kIOReturnBadArgument);
	CHECK_EQ(OSActionSetAbortedHandler(NULL, NULL, NULL), kIOReturnBadArgument);
	CHECK_EQ(OSActionWillWait(NULL, NULL), kIOReturnBadArgument);
	CHECK_EQ(OSActionWait(NULL, NULL, 0, 0), kIOReturnBadArgument);
	CHECK_EQ(OSActionEndWait(NULL, NULL), kIOReturnBadArgument);
	CHECK_EQ(OSActionSetQueueName(NULL, "Default"), kIOReturnBadArgument);
	OSRelease(data);
}

TEST(timer_fires_once_at_its_deadline_and_again_when_armed_again)
{
	struct scene scene = {0};

	begin(&scene);
	uint64_t deadline = mach_absolute_time() + 5000000;
	arm(&scene, 5000000);
	CHECK(wait_counter(&nr_fired, 1));
	CHECK_GE(last_time, deadline);
	IOSleep(20);
	CHECK_EQ(nr_fired, 1);
	arm(&scene, 0);
	CHECK(wait_counter(&nr_fired, 2));
	end(&scene);
}

TEST(new_deadline_replaces_the_pending_one)
{
	struct scene scene = {0};

	begin(&scene);
	arm(&scene, 60000000000);
	arm(&scene, 1000000);
	CHECK(wait_counter(&nr_fired, 1));
	arm(&scene, 1000000);
	arm(&scene, 60000000000);
	IOSleep(20);
	CHECK_EQ(nr_fired, 1);
	end(&scene); /* released while armed */
}

TEST(every_clock_is_understood)
{
	static const uint64_t clocks[] = {kIOTimerClockRealTime, kIOTimerClockMonotonicRaw,
					  kIOTimerClockUptimeRaw, kIOTimerClockMachContinuousTime,
					  kIOTimerClockMachAbsoluteTime};
	struct scene scene = {0};

	begin(&scene);
	for (unsigned i = 0; i < 5; i++) {
		CHECK_EQ(IOTimerDispatchSourceWakeAtTime(scene.timer, clocks[i], 1, 0), 0);
		CHECK(wait_counter(&nr_fired, i + 1));
	}
	CHECK_EQ(IOTimerDispatchSourceWakeAtTime(scene.timer, 7, 1, 0), kIOReturnBadArgument);
	end(&scene);
}

TEST(disabled_timer_fires_when_it_is_enabled_again)
{
	struct scene scene = {0};

	begin(&scene);
	CHECK_EQ(IOTimerDispatchSourceSetEnableWithCompletion(scene.timer, false, count_cancel, NULL),
		 0);
	CHECK(wait_counter(&nr_cancelled, 1));
	arm(&scene, 0);
	IOSleep(20);
	CHECK_EQ(nr_fired, 0);
	CHECK_EQ(IOTimerDispatchSourceSetEnable(scene.timer, true), 0);
	CHECK(wait_counter(&nr_fired, 1));
	end(&scene);
}

TEST(cancelled_timer_never_fires_and_calls_its_handler)
{
	struct scene scene = {0};

	begin(&scene);
	arm(&scene, 5000000);
	CHECK_EQ(IOTimerDispatchSourceCancel(scene.timer, count_cancel, NULL), 0);
	CHECK(wait_counter(&nr_cancelled, 1));
	CHECK_EQ(IOTimerDispatchSourceWakeAtTime(scene.timer, kIOTimerClockMachAbsoluteTime, 1, 0),
		 kIOReturnAborted);
	CHECK_EQ(IOTimerDispatchSourceSetHandler(scene.timer, scene.action), kIOReturnAborted);
	CHECK_EQ(IOTimerDispatchSourceSetEnable(scene.timer, true), kIOReturnAborted);
	IOSleep(20);
	CHECK_EQ(nr_fired, 0);
	end(&scene);
}

static _Atomic bool may_go_on;
static _Atomic bool has_gone_on;

static void wait_on_queue(void *context)
{
	(void)context;
	CHECK(wait_flag(&may_go_on));
}

static void note_progress(void *context)
{
	(void)context;
	has_gone_on = true;
}

TEST(callback_that_is_queued_elsewhere_does_not_run_after_the_cancellation)
{
	struct scene scene = {0};
	IODispatchQueue *extra = NULL;
	OSActionWaitToken *token = NULL;

	begin(&scene);
	CHECK_EQ(IODispatchQueueCreate("extra", 0, 0, &extra), kIOReturnSuccess);
	CHECK_EQ(IOServiceSetDispatchQueue(scene.service, "Extra", extra), 0);
	CHECK_EQ(OSActionSetQueueName(scene.action, "Extra"), 0);
	IODispatchQueueDispatchAsync_f(extra, NULL, wait_on_queue);
	CHECK_EQ(OSActionWillWait(scene.action, &token), 0);
	arm(&scene, 0);
	CHECK_EQ(OSActionWait(scene.action, token, 0, 0), 0);
	CHECK_EQ(OSActionEndWait(scene.action, token), 0);
	CHECK_EQ(IOTimerDispatchSourceCancel(scene.timer, count_cancel, NULL), 0);
	CHECK(wait_counter(&nr_cancelled, 1));
	may_go_on = true;
	IODispatchQueueDispatchAsync_f(extra, NULL, note_progress);
	CHECK(wait_flag(&has_gone_on));
	OSRelease(extra);
	end(&scene);
	CHECK_EQ(nr_fired, 0);
}

TEST(cancelled_action_is_silent_and_its_handler_comes_after_the_running_one)
{
	struct scene scene = {0};

	begin(&scene);
	sleep_in_handler_ms = 20;
	arm(&scene, 0);
	IOSleep(5);
	CHECK_EQ(OSActionCancel(scene.action, count_cancel, NULL), 0);
	CHECK(wait_counter(&nr_cancelled, 1));
	CHECK_LE(nr_fired, 1);
	unsigned fired = nr_fired;
	arm(&scene, 0);
	IOSleep(20);
	CHECK_EQ(nr_fired, fired);
	CHECK_EQ(OSActionCancel(scene.action, count_abort, NULL), 0); /* runs its handler too */
	CHECK_EQ(nr_aborted, 1);
	CHECK_EQ(OSActionSetQueueName(scene.action, "Default"), kIOReturnBadArgument);
	end(&scene);
}

TEST(handler_runs_on_the_queue_that_was_named)
{
	struct scene scene = {0};

	begin(&scene);
	CHECK_EQ(IODispatchQueueCreate("extra", 0, 0, &expected_queue), kIOReturnSuccess);
	CHECK_EQ(IOServiceSetDispatchQueue(scene.service, "Nonsense", expected_queue),
		 kIOReturnBadArgument);
	CHECK_EQ(IOServiceSetDispatchQueue(scene.service, "Extra", expected_queue), 0);
	CHECK_EQ(OSActionSetQueueName(scene.action, "Nonsense"), kIOReturnBadArgument);
	CHECK_EQ(OSActionSetQueueName(scene.action, "Extra"), 0);
	arm(&scene, 0);
	CHECK(wait_counter(&nr_fired, 1));
	IODispatchQueue *queue = NULL;
	CHECK_EQ(IOServiceCopyDispatchQueue(scene.service, "Extra", &queue), 0);
	CHECK(queue == expected_queue);
	OSRelease(queue);
	CHECK_EQ(IOServiceCopyDispatchQueue(scene.service, "Nonsense", &queue), kIOReturnNotFound);
	CHECK_EQ(IOServiceSetDispatchQueue(scene.service, "Extra", NULL), 0);
	CHECK_EQ(IOServiceCopyDispatchQueue(scene.service, "Extra", &queue), kIOReturnNotFound);
	OSRelease(expected_queue);
	end(&scene);
}

TEST(wait_ends_when_the_action_fires_is_cancelled_or_time_is_up)
{
	struct scene scene = {0};
	OSActionWaitToken *token = NULL;
	OSActionWaitToken *second = NULL;

	begin(&scene);
	CHECK_EQ(OSActionWillWait(scene.action, &token), 0);
	CHECK_EQ(OSActionWillWait(scene.action, &second), kIOReturnBusy);
	CHECK_EQ(OSActionWait(scene.action, token, kIOTimerClockMachAbsoluteTime,
			      mach_absolute_time() + 2000000),
		 kIOReturnTimeout);
	CHECK_EQ(OSActionWait(scene.action, token, 3, 0), kIOReturnBadArgument);
	arm(&scene, 1000000);
	CHECK_EQ(OSActionWait(scene.action, token, 0, 0), 0);
	CHECK_EQ(OSActionEndWait(scene.action, token), 0);
	CHECK_EQ(OSActionEndWait(scene.action, token), kIOReturnBadArgument);
	CHECK_EQ(OSActionWillWait(scene.action, &token), 0);
	CHECK_EQ(OSActionCancel(scene.action, NULL, NULL), 0);
	CHECK_EQ(OSActionWait(scene.action, token, 0, 0), kIOReturnAborted);
	CHECK_EQ(OSActionEndWait(scene.action, token), kIOReturnAborted);
	CHECK_EQ(OSActionWillWait(scene.action, &token), kIOReturnAborted);
	end(&scene);
}

TEST(aborted_handler_runs_when_nothing_can_fire_the_action_any_more)
{
	struct scene scene = {0};

	begin(&scene);
	CHECK_EQ(OSActionSetAbortedHandler(scene.action, count_abort, NULL), 0);
	CHECK_EQ(IOTimerDispatchSourceSetHandler(scene.timer, NULL), 0);
	CHECK(wait_counter(&nr_aborted, 1));
	end(&scene);
}

static _Atomic unsigned powers[8];

static kern_return_t set_power(IOService *self, uint32_t flags)
{
	CHECK_EQ(IOServiceSuperSetPowerState(&service_class, self, flags), 0);
	powers[flags == kIOServicePowerCapabilityLow ? 3 : flags]++;
	return 0;
}

TEST(power_states_arrive_on_the_queue)
{
	static const OSDriverClass power_class = {
		.name = "Power", .super = &IOServiceClass, .SetPowerState = set_power};
	static const OSDriverClass *const power_classes[] = {&power_class, NULL};
	struct fixture fixture;
	IOService *service = NULL;

	fixture_init(&fixture, power_classes);
	CHECK_EQ(fixture_start(&fixture, "Power", "IOUserResources", NULL), 0);
	dx_runtime_each(fixture.runtime, use_service, &service);
	CHECK_EQ(IOServiceChangePowerState(service, kIOServicePowerCapabilityLow), kIOReturnNotReady);
	CHECK_EQ(IOServiceJoinPMTree(service), 0);
	CHECK(wait_counter(&powers[kIOServicePowerCapabilityOn], 1));
	CHECK_EQ(IOServiceChangePowerState(service, 5), kIOReturnBadArgument);
	CHECK_EQ(IOServiceChangePowerState(service, kIOServicePowerCapabilityLow), 0);
	CHECK(wait_counter(&powers[3], 1));
	OSRelease(service);
	CHECK_EQ(fixture_terminate(&fixture), 0);
	fixture_fini(&fixture);
}

/* ---- a target that is no service ---- */

static OSData *plain_target;
static _Atomic unsigned nr_plain;

static void plain_occurred(OSObject *target, OSAction *action, uint64_t time)
{
	(void)action;
	(void)time;
	CHECK(target == OS_OBJECT(plain_target));
	nr_plain++;
}

static OSAction *plain_action;
static _Atomic bool is_made;

static void make_plain_action(void *unused)
{
	(void)unused;
	CHECK_EQ(IOTimerDispatchSourceCreateActionTimerOccurred(OS_OBJECT(plain_target),
								plain_occurred, 0, &plain_action),
		 0);
	is_made = true;
}

static _Atomic bool plain_cancelled;

static void note_plain_cancel(void *context)
{
	(void)context;
	plain_cancelled = true;
}

TEST(target_need_not_be_a_service)
{
	struct scene scene = {0};

	begin(&scene);
	plain_target = OSDataCreate("x", 1);
	IODispatchQueueDispatchAsync_f(scene.queue, NULL, make_plain_action);
	CHECK(wait_flag(&is_made));
	CHECK_EQ(OSObjectGetRetainCount(plain_target), 2);
	CHECK_EQ(OSActionSetQueueName(plain_action, "Default"), kIOReturnBadArgument);
	CHECK_EQ(IOTimerDispatchSourceSetHandler(scene.timer, plain_action), 0);
	arm(&scene, 0);
	CHECK(wait_counter(&nr_plain, 1));
	CHECK_EQ(OSActionCancel(plain_action, note_plain_cancel, NULL), 0);
	CHECK(wait_flag(&plain_cancelled));
	arm(&scene, 0);
	OSRelease(plain_action);
	end(&scene);
	CHECK_EQ(nr_plain, 1);
	CHECK_EQ(OSObjectGetRetainCount(plain_target), 1);
	OSRelease(plain_target);
}
