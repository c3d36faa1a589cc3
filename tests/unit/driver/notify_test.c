/* SPDX-License-Identifier: MIT
 *
 * notify_test - services that come and go. What the broker would say is said here.
 */
#include "base/limits.h"
#include "notify_scene.h"

struct delivery {
	unsigned nr;
	uint64_t types[8];
	uint64_t ids[8];
	IOService *services[8]; /* not counted: compared only */
};

static void deliver(void *context, uint64_t type, IOService *service, uint64_t options)
{
	struct delivery *delivery = context;

	CHECK_LT(delivery->nr, 8);
	CHECK_EQ(options, 0);
	CHECK_EQ(IOServiceGetRegistryEntryID(service, &delivery->ids[delivery->nr]), 0);
	delivery->types[delivery->nr] = type;
	delivery->services[delivery->nr] = service;
	delivery->nr++;
}

static struct delivery deliver_all(IOServiceNotificationDispatchSource *source)
{
	struct delivery delivery = {0};

	CHECK_EQ(IOServiceNotificationDispatchSourceDeliverNotifications(source, &delivery, deliver),
		 0);
	return delivery;
}

struct watch {
	IOServiceNotificationDispatchSource *source;
	OSAction *action;
	OSDictionary *matching;
	uint64_t cookie;
};

/* A source for services of the name "Thing", with an action for it. */
static void watch_begin(struct scene *scene, struct watch *watch)
{
	watch->matching = IOServiceCreateNameMatchingDictionary("Thing", NULL);
	CHECK_EQ(IOServiceNotificationDispatchSourceCreate(watch->matching, 0, scene->queue,
							   &watch->source),
		 0);
	watch->cookie = scene->fixture.reports.last_id;
	CHECK_EQ(IOServiceNotificationDispatchSourceCreateActionServiceNotificationReady(
			 OS_OBJECT(scene->service), ready, 0, &watch->action),
		 0);
}

/* ... whose action is called. */
static void watch_begin_handled(struct scene *scene, struct watch *watch)
{
	watch_begin(scene, watch);
	CHECK_EQ(IOServiceNotificationDispatchSourceSetHandler(watch->source, watch->action), 0);
}

static void watch_end(struct watch *watch)
{
	OSRelease(watch->source);
	OSRelease(watch->action);
	OSRelease(watch->matching);
}

static void matched(struct scene *scene, const struct watch *watch, uint64_t id)
{
	struct dx_dict *properties = dx_dict_new();
	const struct dx_runtime_match match = {
		.id = id, .class_name = "IOUserService", .name = "Thing", .properties = properties};

	CHECK_EQ(dx_dict_set_u64(properties, "Number", id, 64), 0);
	dx_runtime_service_matched(scene->fixture.runtime, watch->cookie, &match);
	(void)dx_object_unref(properties);
}

static void terminated(struct scene *scene, const struct watch *watch, uint64_t id)
{
	dx_runtime_service_terminated(scene->fixture.runtime, watch->cookie, id);
}

TEST(service_source_checks_its_arguments)
{
	struct scene scene = {0};
	struct watch watch = {0};
	OSAction *timer = NULL;
	IOServiceNotificationDispatchSource *none = NULL;

	scene_begin(&scene);
	watch_begin(&scene, &watch);
	CHECK_EQ(IOServiceNotificationDispatchSourceCreate(NULL, 0, scene.queue, &none),
		 kIOReturnBadArgument);
	CHECK_EQ(IOServiceNotificationDispatchSourceCreate(watch.matching, 1, scene.queue, &none),
		 kIOReturnBadArgument);
	CHECK_EQ(IOServiceNotificationDispatchSourceCreate(watch.matching, 0, NULL, &none),
		 kIOReturnBadArgument);
	CHECK_EQ(IOServiceNotificationDispatchSourceCreate(watch.matching, 0, scene.queue, NULL),
		 kIOReturnBadArgument);
	CHECK_EQ(IOServiceNotificationDispatchSourceSetHandler(NULL, watch.action),
		 kIOReturnBadArgument);
	CHECK_EQ(IOServiceStateNotificationDispatchSourceCreateActionStateNotificationReady(
			 OS_OBJECT(scene.service), ready, 0, &timer),
		 0);
	CHECK_EQ(IOServiceNotificationDispatchSourceSetHandler(watch.source, timer),
		 kIOReturnBadArgument);
	CHECK_EQ(IOServiceNotificationDispatchSourceCancel(NULL, NULL, NULL), kIOReturnBadArgument);
	CHECK_EQ(IOServiceNotificationDispatchSourceSetEnableWithCompletion(NULL, true, NULL, NULL),
		 kIOReturnBadArgument);
	CHECK_EQ(IOServiceNotificationDispatchSourceDeliverNotifications(watch.source, NULL, NULL),
		 kIOReturnBadArgument);
	CHECK_EQ(IOServiceNotificationDispatchSourceDeliverNotifications(NULL, NULL, deliver),
		 kIOReturnBadArgument);
	CHECK(OSDynamicCast(IOServiceNotificationDispatchSource, watch.source) == watch.source);
	CHECK_STR_EQ(OSObjectGetClassName(watch.source), "IOServiceNotificationDispatchSource");
	OSRelease(timer);
	watch_end(&watch);
	CHECK_EQ(scene.fixture.reports.watch_ended, 1);
	scene_end(&scene);
}

TEST(service_queue_of_no_driver_is_refused)
{
	IODispatchQueue *queue = NULL;
	IOServiceNotificationDispatchSource *source = NULL;
	OSDictionary *matching = IOServiceCreateNameMatchingDictionary("Thing", NULL);

	CHECK_EQ(IODispatchQueueCreate("loose", 0, 0, &queue), 0);
	CHECK_EQ(IOServiceNotificationDispatchSourceCreate(matching, 0, queue, &source),
		 kIOReturnNotReady);
	OSRelease(queue);
	OSRelease(matching);
}

TEST(services_are_told_when_they_come_and_when_they_go)
{
	struct scene scene = {0};
	struct watch watch = {0};

	scene_begin(&scene);
	watch_begin(&scene, &watch);
	CHECK_EQ(scene.fixture.reports.watch_wanted, 1);
	matched(&scene, &watch, 70);
	barrier(&scene);
	CHECK_EQ(nr_ready, 0); /* nobody to tell */
	CHECK_EQ(IOServiceNotificationDispatchSourceSetHandler(watch.source, watch.action), 0);
	CHECK(wait_counter(&nr_ready, 1));
	matched(&scene, &watch, 71);
	barrier(&scene);
	CHECK_EQ(nr_ready, 1); /* it has not come for the first yet */

	struct delivery first = deliver_all(watch.source);
	CHECK_EQ(first.nr, 2);
	CHECK_EQ(first.ids[0], 70);
	CHECK_EQ(first.ids[1], 71);
	CHECK_EQ(first.types[0], kIOServiceNotificationTypeMatched);
	CHECK_EQ(deliver_all(watch.source).nr, 0);

	matched(&scene, &watch, 70); /* once each */
	barrier(&scene);
	CHECK_EQ(nr_ready, 1);
	matched(&scene, &watch, 72);
	terminated(&scene, &watch, 70);
	CHECK(wait_counter(&nr_ready, 2));
	struct delivery second = deliver_all(watch.source);
	CHECK_EQ(second.nr, 2);
	CHECK_EQ(second.types[0], kIOServiceNotificationTypeTerminated); /* before what came */
	CHECK_EQ(second.ids[0], 70);
	CHECK_EQ(second.ids[1], 72);
	CHECK(second.services[0] == first.services[0]);
	watch_end(&watch);
	scene_end(&scene);
}

static void check_properties(void *context, uint64_t type, IOService *service, uint64_t options)
{
	OSDictionary *properties = NULL;
	OSString *name = NULL;

	(void)options;
	CHECK_EQ(type, kIOServiceNotificationTypeMatched);
	CHECK_EQ(IOServiceCopyProperties(service, &properties), 0);
	CHECK_EQ(OSDictionaryGetUInt64Value(properties, "Number"), 70);
	CHECK_EQ(IOServiceCopyName(service, &name), 0);
	CHECK_STR_EQ(OSStringGetStringPtr(name), "Thing");
	OSRelease(name);
	OSRelease(properties);
	*(bool *)context = true;
}

static void check_own(void *context, uint64_t type, IOService *service, uint64_t options)
{
	(void)type;
	(void)options;
	CHECK(service == ((struct scene *)context)->service);
}

TEST(service_of_others_has_its_properties_and_an_own_one_is_the_object)
{
	struct scene scene = {0};
	struct watch watch = {0};
	bool checked = false;

	scene_begin(&scene);
	watch_begin(&scene, &watch);
	matched(&scene, &watch, 70);
	CHECK_EQ(IOServiceNotificationDispatchSourceDeliverNotifications(watch.source, &checked,
									 check_properties),
		 0);
	CHECK(checked);
	matched(&scene, &watch, FIXTURE_SERVICE_ID);
	CHECK_EQ(IOServiceNotificationDispatchSourceDeliverNotifications(watch.source, &scene,
									 check_own),
		 0);
	watch_end(&watch);
	scene_end(&scene);
}

TEST(service_that_came_and_went_is_not_told)
{
	struct scene scene = {0};
	struct watch watch = {0};

	scene_begin(&scene);
	watch_begin(&scene, &watch);
	matched(&scene, &watch, 70);
	terminated(&scene, &watch, 70);
	terminated(&scene, &watch, 71); /* never heard of */
	CHECK_EQ(deliver_all(watch.source).nr, 0);
	watch_end(&watch);
	scene_end(&scene);
}

TEST(next_broker_does_not_repeat_and_what_it_lacks_has_ended)
{
	struct scene scene = {0};
	struct watch watch = {0};

	scene_begin(&scene);
	watch_begin_handled(&scene, &watch);
	matched(&scene, &watch, 70);
	matched(&scene, &watch, 71);
	dx_runtime_services_told(scene.fixture.runtime, watch.cookie);
	CHECK_EQ(deliver_all(watch.source).nr, 2);
	matched(&scene, &watch, 72);
	CHECK_EQ(deliver_all(watch.source).nr, 1);

	unsigned before = nr_ready;
	dx_runtime_services_again(scene.fixture.runtime);
	matched(&scene, &watch, 71);
	dx_runtime_services_told(scene.fixture.runtime, watch.cookie);
	CHECK(wait_counter(&nr_ready, before + 1));
	struct delivery delivery = deliver_all(watch.source);
	CHECK_EQ(delivery.nr, 2);
	CHECK_EQ(delivery.ids[0], 70);
	CHECK_EQ(delivery.ids[1], 72);
	CHECK_EQ(delivery.types[1], kIOServiceNotificationTypeTerminated);
	watch_end(&watch);
	scene_end(&scene);
}

TEST(service_source_that_is_off_keeps_what_happens)
{
	struct scene scene = {0};
	struct watch watch = {0};

	scene_begin(&scene);
	watch_begin_handled(&scene, &watch);
	CHECK_EQ(IOServiceNotificationDispatchSourceSetEnableWithCompletion(watch.source, false,
									    handled, NULL),
		 0);
	CHECK(wait_counter(&nr_handled, 1));
	matched(&scene, &watch, 70);
	barrier(&scene);
	CHECK_EQ(nr_ready, 0);
	CHECK_EQ(IOServiceNotificationDispatchSourceSetEnableWithCompletion(watch.source, true,
									    NULL, NULL),
		 0);
	CHECK(wait_counter(&nr_ready, 1));
	watch_end(&watch);
	scene_end(&scene);
}

TEST(handler_that_is_replaced_leaves_the_rest_to_the_next)
{
	struct scene scene = {0};
	struct watch watch = {0};

	scene_begin(&scene);
	watch_begin_handled(&scene, &watch);
	matched(&scene, &watch, 70);
	CHECK(wait_counter(&nr_ready, 1));
	CHECK_EQ(IOServiceNotificationDispatchSourceSetHandler(watch.source, NULL), 0);
	barrier(&scene);
	CHECK_EQ(nr_ready, 1);
	CHECK_EQ(IOServiceNotificationDispatchSourceSetHandler(watch.source, watch.action), 0);
	CHECK(wait_counter(&nr_ready, 2));
	watch_end(&watch);
	scene_end(&scene);
}

TEST(cancelled_service_source_tells_nothing_more)
{
	struct scene scene = {0};
	struct watch watch = {0};

	scene_begin(&scene);
	watch_begin_handled(&scene, &watch);
	CHECK_EQ(IOServiceNotificationDispatchSourceCancel(watch.source, handled, NULL), 0);
	CHECK(wait_counter(&nr_handled, 1));
	CHECK_EQ(scene.fixture.reports.watch_ended, 1);
	matched(&scene, &watch, 70);
	barrier(&scene);
	CHECK_EQ(nr_ready, 0);
	CHECK_EQ(IOServiceNotificationDispatchSourceDeliverNotifications(watch.source, NULL,
									 deliver),
		 kIOReturnAborted);
	CHECK_EQ(IOServiceNotificationDispatchSourceSetHandler(watch.source, watch.action),
		 kIOReturnAborted);
	CHECK_EQ(IOServiceNotificationDispatchSourceSetEnableWithCompletion(watch.source, true,
									    NULL, NULL),
		 kIOReturnAborted);
	CHECK_EQ(IOServiceNotificationDispatchSourceCancel(watch.source, NULL, NULL), 0);
	watch_end(&watch);
	CHECK_EQ(scene.fixture.reports.watch_ended, 1);
	scene_end(&scene);
}

TEST(service_sources_are_bounded)
{
	struct scene scene = {0};
	IOServiceNotificationDispatchSource *sources[DX_MAX_WATCHES_PER_CLIENT];
	IOServiceNotificationDispatchSource *one_more = NULL;
	OSDictionary *matching = IOServiceCreateNameMatchingDictionary("Thing", NULL);

	scene_begin(&scene);
	for (size_t i = 0; i < DX_MAX_WATCHES_PER_CLIENT; i++) {
		CHECK_EQ(IOServiceNotificationDispatchSourceCreate(matching, 0, scene.queue,
								   &sources[i]),
			 0);
	}
	CHECK_EQ(IOServiceNotificationDispatchSourceCreate(matching, 0, scene.queue, &one_more),
		 kIOReturnNoResources);
	OSRelease(sources[0]);
	CHECK_EQ(IOServiceNotificationDispatchSourceCreate(matching, 0, scene.queue, &sources[0]),
		 0);
	for (size_t i = 0; i < DX_MAX_WATCHES_PER_CLIENT; i++) {
		OSRelease(sources[i]);
	}
	OSRelease(matching);
	scene_end(&scene);
}
