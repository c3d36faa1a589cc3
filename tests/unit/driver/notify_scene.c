/* SPDX-License-Identifier: MIT
 *
 * notify_scene - see notify_scene.h.
 */
#include "notify_scene.h"

static const OSDriverClass service_class = {.name = "TestService", .super = &IOServiceClass};
static const OSDriverClass *const classes[] = {&service_class, NULL};

_Atomic unsigned nr_ready;
_Atomic unsigned nr_handled;

static void use_service(void *context, struct dx_service *service)
{
	*(IOService **)context = OSRetain(service);
}

void scene_begin(struct scene *scene)
{
	fixture_init(&scene->fixture, classes);
	CHECK_EQ(fixture_start(&scene->fixture, "TestService", "IOUserResources", NULL), 0);
	dx_runtime_each(scene->fixture.runtime, use_service, &scene->service);
	CHECK_EQ(IOServiceCopyDispatchQueue(scene->service, "Default", &scene->queue), 0);
}

void scene_end(struct scene *scene)
{
	OSRelease(scene->queue);
	OSRelease(scene->service);
	CHECK_EQ(fixture_terminate(&scene->fixture), 0);
	fixture_fini(&scene->fixture);
}

static void nothing(void *context)
{
	(void)context;
}

void barrier(struct scene *scene)
{
	IODispatchQueueDispatchSync_f(scene->queue, NULL, nothing);
}

void ready(OSObject *target, OSAction *action)
{
	CHECK(OSObjectIsKind(target, &service_class));
	CHECK(OSObjectIsKind(action, &OSActionClass));
	nr_ready++;
}

void handled(void *context)
{
	(void)context;
	nr_handled++;
}
