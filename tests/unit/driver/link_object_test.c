/* SPDX-License-Identifier: MIT
 *
 * link_object_test - event links and work groups.
 */
#include <pthread.h>
#include <string.h>

#include "fixture.h"

static IOUserClient *the_client; /* counted */

static kern_return_t new_user_client(IOService *self, uint32_t type, IOUserClient **client)
{
	CHECK_EQ(fixture_new_user_client(self, type, client), 0);
	the_client = OSRetain(*client);
	return 0;
}

static const OSDriverClass service_class = {
	.name = "TestService", .super = &IOServiceClass, .NewUserClient = new_user_client};
static const OSDriverClass client_class = {.name = "TestClient", .super = &IOUserClientClass};
static const OSDriverClass *const classes[] = {&service_class, &client_class, NULL};

struct scene {
	struct fixture fixture;
	struct app app;
	OSString *name;
};

static void begin(struct scene *scene)
{
	fixture_begin(&scene->fixture, classes, &scene->app);
	scene->name = OSStringCreate("link", (size_t)-1);
}

static void end(struct scene *scene)
{
	OSRelease(scene->name);
	OSRelease(the_client);
	CHECK_EQ(fixture_terminate(&scene->fixture), 0);
	app_close(&scene->app);
	fixture_fini(&scene->fixture);
}

static IOEventLink *new_link(struct scene *scene)
{
	IOEventLink *link = NULL;

	CHECK_EQ(IOEventLinkCreate(scene->name, the_client, &link), 0);
	return link;
}

TEST(event_link_checks_its_arguments)
{
	struct scene scene = {0};
	IOEventLink *link = NULL;
	char long_name[70];
	OSString *empty = OSStringCreate("", (size_t)-1);

	begin(&scene);
	memset(long_name, 'x', sizeof(long_name));
	OSString *too_long = OSStringCreate(long_name, 65);
	OSString *longest = OSStringCreate(long_name, 64);
	CHECK_EQ(IOEventLinkCreate(NULL, the_client, &link), kIOReturnBadArgument);
	CHECK_EQ(IOEventLinkCreate(empty, the_client, &link), kIOReturnBadArgument);
	CHECK_EQ(IOEventLinkCreate(too_long, the_client, &link), kIOReturnBadArgument);
	CHECK_EQ(IOEventLinkCreate(scene.name, NULL, &link), kIOReturnBadArgument);
	CHECK_EQ(IOEventLinkCreate(scene.name, the_client, NULL), kIOReturnBadArgument);
	CHECK_EQ(IOEventLinkCreate(longest, the_client, &link), 0);
	CHECK_STR_EQ(OSObjectGetClassName(link), "IOEventLink");
	CHECK_EQ(IOEventLinkAssociate(link, 2), kIOReturnBadArgument);
	CHECK_EQ(IOEventLinkWaitUntil(link, 1, 0, NULL), kIOReturnBadArgument);
	CHECK_EQ(IOEventLinkSignalAndWaitUntil(link, 1, 0, NULL), kIOReturnBadArgument);
	CHECK_EQ(IOEventLinkActivate(NULL), kIOReturnBadArgument);
	CHECK_EQ(IOEventLinkAssociate(NULL, 0), kIOReturnBadArgument);
	CHECK_EQ(IOEventLinkDisassociate(NULL), kIOReturnBadArgument);
	CHECK_EQ(IOEventLinkSignal(NULL), kIOReturnBadArgument);
	CHECK_EQ(IOEventLinkWait(NULL, NULL), kIOReturnBadArgument);
	CHECK_EQ(IOEventLinkCancel(NULL), kIOReturnBadArgument);
	CHECK_EQ(IOEventLinkInvalidate(NULL), kIOReturnBadArgument);
	CHECK_EQ(OpenDextEventLinkSignal(NULL, NULL), kIOReturnBadArgument);
	OSRelease(link);
	OSRelease(longest);
	OSRelease(too_long);
	OSRelease(empty);
	end(&scene);
}

TEST(event_link_is_used_between_activate_and_cancel)
{
	struct scene scene = {0};
	uint64_t count = 99;

	begin(&scene);
	IOEventLink *link = new_link(&scene);
	CHECK_EQ(IOEventLinkSignal(link), kIOReturnNotReady);
	CHECK_EQ(IOEventLinkAssociate(link, kIOEventLinkAssociateCurrentThread),
		 kIOReturnNotReady);
	CHECK_EQ(OpenDextEventLinkSignal(link, NULL), kIOReturnNotReady);
	CHECK_EQ(IOEventLinkWait(link, &count), kIOReturnNotReady);
	CHECK_EQ(count, 0);
	CHECK_EQ(IOEventLinkActivate(link), 0);
	CHECK_EQ(IOEventLinkWait(link, NULL), kIOReturnNotReady); /* nobody is associated */
	CHECK_EQ(IOEventLinkInvalidate(link), 0);		   /* changes nothing */
	CHECK_EQ(IOEventLinkSignal(link), 0);
	CHECK_EQ(IOEventLinkCancel(link), 0);
	CHECK_EQ(IOEventLinkSignal(link), kIOReturnAborted);
	CHECK_EQ(IOEventLinkActivate(link), kIOReturnAborted);
	CHECK_EQ(IOEventLinkAssociate(link, 0), kIOReturnAborted);
	OSRelease(link);
	end(&scene);
}

TEST(event_link_counts_signals_in_both_directions)
{
	struct scene scene = {0};
	uint64_t count = 0;

	begin(&scene);
	IOEventLink *link = new_link(&scene);
	CHECK_EQ(IOEventLinkActivate(link), 0);
	CHECK_EQ(IOEventLinkAssociate(link, kIOEventLinkAssociateCurrentThread), 0);
	CHECK_EQ(IOEventLinkSignal(link), 0);
	CHECK_EQ(IOEventLinkSignal(link), 0);
	CHECK_EQ(OpenDextEventLinkSignal(link, &count), 0);
	CHECK_EQ(count, 2);
	CHECK_EQ(OpenDextEventLinkSignal(link, &count), 0);
	CHECK_EQ(count, 0);
	CHECK_EQ(IOEventLinkWait(link, &count), 0);
	CHECK_EQ(count, 2);
	CHECK_EQ(IOEventLinkWaitUntil(link, kIOTimerClockMachAbsoluteTime, mach_absolute_time(),
				      &count),
		 kIOReturnTimeout);
	CHECK_EQ(count, 0);
	CHECK_EQ(IOEventLinkSignalAndWaitUntil(link, kIOTimerClockUptimeRaw, mach_absolute_time(),
					       NULL),
		 kIOReturnTimeout);
	CHECK_EQ(OpenDextEventLinkSignal(link, &count), 0);
	CHECK_EQ(count, 1);
	CHECK_EQ(IOEventLinkSignalAndWait(link, &count), 0);
	CHECK_EQ(count, 1);
	CHECK_EQ(IOEventLinkDisassociate(link), 0);
	CHECK_EQ(IOEventLinkDisassociate(link), kIOReturnNotPermitted);
	OSRelease(link);
	end(&scene);
}

struct waiter {
	IOEventLink *link;
	kern_return_t status;
	uint64_t count;
};

static void *wait_for_signal(void *context)
{
	struct waiter *waiter = context;

	waiter->status = IOEventLinkWait(waiter->link, &waiter->count);
	return NULL;
}

TEST(event_link_wakes_the_thread_that_waits_and_no_other_may)
{
	struct scene scene = {0};

	begin(&scene);
	struct waiter waiter = {.link = new_link(&scene)};
	CHECK_EQ(IOEventLinkActivate(waiter.link), 0);
	CHECK_EQ(IOEventLinkAssociate(waiter.link, kIOEventLinkAssociateCurrentThread), 0);
	CHECK_EQ(IOEventLinkDisassociate(waiter.link), 0);
	pthread_t thread = 0;
	CHECK_EQ(pthread_create(&thread, NULL, wait_for_signal, &waiter), 0);
	CHECK_EQ(pthread_join(thread, NULL), 0);
	CHECK_EQ(waiter.status, kIOReturnNotReady);
	CHECK_EQ(IOEventLinkAssociate(waiter.link, kIOEventLinkAssociateCurrentThread), 0);
	CHECK_EQ(pthread_create(&thread, NULL, wait_for_signal, &waiter), 0);
	CHECK_EQ(pthread_join(thread, NULL), 0);
	CHECK_EQ(waiter.status, kIOReturnNotPermitted);
	OSRelease(waiter.link);
	end(&scene);
}

TEST(event_link_is_signalled_or_cancelled_while_a_thread_waits)
{
	struct scene scene = {0};

	begin(&scene);
	for (int cancel = 0; cancel < 2; cancel++) {
		struct waiter waiter = {.link = new_link(&scene)};
		IOEventLink *link = waiter.link;
		CHECK_EQ(IOEventLinkActivate(link), 0);
		CHECK_EQ(IOEventLinkAssociate(link, kIOEventLinkAssociateOnWait), 0);
		pthread_t thread = 0;
		CHECK_EQ(pthread_create(&thread, NULL, wait_for_signal, &waiter), 0);
		CHECK_EQ(cancel != 0 ? IOEventLinkCancel(link) : OpenDextEventLinkSignal(link, NULL),
			 0);
		CHECK_EQ(pthread_join(thread, NULL), 0);
		CHECK_EQ(waiter.status, cancel != 0 ? kIOReturnAborted : kIOReturnSuccess);
		CHECK_EQ(waiter.count, cancel != 0 ? 0 : 1);
		OSRelease(link);
	}
	end(&scene);
}

/* ---- work groups ---- */

TEST(work_group_checks_its_arguments)
{
	struct scene scene = {0};
	IOWorkGroup *group = NULL;
	OSString *empty = OSStringCreate("", (size_t)-1);

	begin(&scene);
	CHECK_EQ(IOWorkGroupCreate(NULL, the_client, &group), kIOReturnBadArgument);
	CHECK_EQ(IOWorkGroupCreate(empty, the_client, &group), kIOReturnBadArgument);
	CHECK_EQ(IOWorkGroupCreate(scene.name, NULL, &group), kIOReturnBadArgument);
	CHECK_EQ(IOWorkGroupCreate(scene.name, the_client, NULL), kIOReturnBadArgument);
	CHECK_EQ(IOWorkGroupInvalidate(NULL), kIOReturnBadArgument);
	CHECK_EQ(IOWorkGroupJoin(NULL, &scene), kIOReturnBadArgument);
	CHECK_EQ(IOWorkGroupLeave(NULL, &scene), kIOReturnBadArgument);
	OSRelease(empty);
	end(&scene);
}

TEST(work_group_is_left_with_the_token_of_joining)
{
	struct scene scene = {0};
	IOWorkGroup *group = NULL;
	IOWorkGroup *other = NULL;
	char token[128] = {0};

	begin(&scene);
	CHECK_EQ(IOWorkGroupCreate(scene.name, the_client, &group), 0);
	CHECK_EQ(IOWorkGroupCreate(scene.name, the_client, &other), 0);
	CHECK_GT(IOWorkGroupGetTokenSize(group), 0);
	CHECK_LE(IOWorkGroupGetTokenSize(group), sizeof(token) - 1);
	CHECK_EQ(IOWorkGroupLeave(group, token + 1), kIOReturnBadArgument);
	CHECK_EQ(IOWorkGroupJoin(group, NULL), kIOReturnBadArgument);
	CHECK_EQ(IOWorkGroupJoin(group, token + 1), 0);
	CHECK_EQ(IOWorkGroupInvalidate(group), 0);
	CHECK_EQ(IOWorkGroupLeave(other, token + 1), kIOReturnBadArgument);
	CHECK_EQ(IOWorkGroupLeave(group, NULL), kIOReturnBadArgument);
	CHECK_EQ(IOWorkGroupLeave(group, token + 1), 0);
	CHECK_EQ(IOWorkGroupLeave(group, token + 1), kIOReturnBadArgument);
	OSRelease(group);
	OSRelease(other);
	end(&scene);
}
