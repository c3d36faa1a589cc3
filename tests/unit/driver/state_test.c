/* SPDX-License-Identifier: MIT
 *
 * state_test - state items and interrupts.
 */
#include <stdatomic.h>
#include <stdio.h>

#include "notify_scene.h"

/* ---- state items ---- */

static OSString *text(const char *value)
{
	return OSStringCreate(value, (size_t)-1);
}

static OSDictionary *number(uint64_t value)
{
	OSDictionary *dictionary = OSDictionaryCreate();

	CHECK(OSDictionarySetUInt64Value(dictionary, "Number", value));
	return dictionary;
}

static kern_return_t set_number(IOService *state, const char *name, uint64_t value)
{
	OSString *item = text(name);
	OSDictionary *dictionary = number(value);
	kern_return_t status = IOServiceStateNotificationItemSet(state, item, dictionary);

	OSRelease(dictionary);
	OSRelease(item);
	return status;
}

TEST(state_items_are_made_set_and_read)
{
	struct scene scene = {0};
	IOService *state = NULL;
	IOService *again = NULL;
	OSString *name = text("Lid");
	OSString *other = text("Other");
	OSString *empty = text("");
	OSDictionary *value = NULL;

	scene_begin(&scene);
	CHECK_EQ(IOServiceStateNotificationItemCreate(scene.service, name, NULL),
		 kIOReturnUnsupported);
	CHECK_EQ(IOServiceCopySystemStateNotificationService(NULL, &state), kIOReturnBadArgument);
	CHECK_EQ(IOServiceCopySystemStateNotificationService(scene.service, NULL),
		 kIOReturnBadArgument);
	CHECK_EQ(IOServiceCopySystemStateNotificationService(scene.service, &state), 0);
	CHECK_EQ(IOServiceCopySystemStateNotificationService(scene.service, &again), 0);
	CHECK(state == again);
	CHECK_EQ(IOServiceStateNotificationItemCreate(scene.service, name, NULL),
		 kIOReturnUnsupported);
	CHECK_EQ(IOServiceStateNotificationItemCreate(state, NULL, NULL), kIOReturnBadArgument);
	CHECK_EQ(IOServiceStateNotificationItemCreate(state, empty, NULL), kIOReturnBadArgument);
	CHECK_EQ(IOServiceStateNotificationItemCopy(state, name, &value), kIOReturnNotFound);
	CHECK_EQ(set_number(state, "Lid", 1), kIOReturnNotFound);
	CHECK_EQ(IOServiceStateNotificationItemCreate(state, name, NULL), 0);
	CHECK_EQ(IOServiceStateNotificationItemCreate(state, name, NULL), kIOReturnExclusiveAccess);
	CHECK_EQ(IOServiceStateNotificationItemCopy(state, name, &value), kIOReturnNotReady);
	CHECK_EQ(IOServiceStateNotificationItemSet(state, name, NULL), kIOReturnBadArgument);
	CHECK_EQ(set_number(state, "Lid", 7), 0);
	CHECK_EQ(IOServiceStateNotificationItemCopy(state, name, NULL), kIOReturnBadArgument);
	CHECK_EQ(IOServiceStateNotificationItemCopy(state, name, &value), 0);
	CHECK_EQ(OSDictionaryGetUInt64Value(value, "Number"), 7);
	CHECK(OSDictionarySetUInt64Value(value, "Number", 8)); /* a copy */
	OSRelease(value);
	CHECK_EQ(IOServiceStateNotificationItemCopy(state, name, &value), 0);
	CHECK_EQ(OSDictionaryGetUInt64Value(value, "Number"), 7);
	CHECK_EQ(IOServiceStateNotificationItemCreate(state, other, value), 0);
	OSRelease(value);
	OSRelease(state);
	OSRelease(again);
	OSRelease(name);
	OSRelease(other);
	OSRelease(empty);
	scene_end(&scene);
}

TEST(state_items_are_bounded)
{
	struct scene scene = {0};
	IOService *state = NULL;
	kern_return_t status = kIOReturnSuccess;
	unsigned nr_made = 0;

	scene_begin(&scene);
	CHECK_EQ(IOServiceCopySystemStateNotificationService(scene.service, &state), 0);
	while (status == kIOReturnSuccess && nr_made <= 2000) {
		char name[32];
		(void)snprintf(name, sizeof(name), "item %u", nr_made);
		OSString *item = text(name);
		status = IOServiceStateNotificationItemCreate(state, item, NULL);
		nr_made += status == kIOReturnSuccess;
		OSRelease(item);
	}
	CHECK_EQ(status, kIOReturnNoResources);
	CHECK_EQ(nr_made, 1024);
	OSRelease(state);
	scene_end(&scene);
}

struct state_scene {
	struct scene scene;
	IOService *state;
	OSArray *names;
	IOServiceStateNotificationDispatchSource *source;
	OSAction *action;
};

static void state_begin(struct state_scene *all)
{
	OSString *name = text("Lid");

	scene_begin(&all->scene);
	CHECK_EQ(IOServiceCopySystemStateNotificationService(all->scene.service, &all->state), 0);
	all->names = OSArrayCreate();
	CHECK(OSArrayAppendValue(all->names, name));
	CHECK_EQ(IOServiceStateNotificationDispatchSourceCreate(all->state, all->names,
								all->scene.queue, &all->source),
		 0);
	CHECK_EQ(IOServiceStateNotificationDispatchSourceCreateActionStateNotificationReady(
			 OS_OBJECT(all->scene.service), ready, 0, &all->action),
		 0);
	CHECK_EQ(IOServiceStateNotificationDispatchSourceSetHandler(all->source, all->action), 0);
	CHECK_EQ(IOServiceStateNotificationItemCreate(all->state, name, NULL), 0);
	OSRelease(name);
}

static void state_end(struct state_scene *all)
{
	OSRelease(all->source);
	OSRelease(all->action);
	OSRelease(all->names);
	OSRelease(all->state);
	scene_end(&all->scene);
}

static kern_return_t state_arm(struct state_scene *all)
{
	return IOServiceStateNotificationDispatchSourceStateNotificationBegin(all->source);
}

TEST(state_changes_are_told_once_for_each_begin)
{
	struct state_scene all = {0};
	OSString *other = NULL;

	state_begin(&all);
	CHECK_EQ(set_number(all.state, "Lid", 1), 0);
	barrier(&all.scene);
	CHECK_EQ(nr_ready, 0); /* not before Begin */
	CHECK_EQ(state_arm(&all), 0);
	CHECK(wait_counter(&nr_ready, 1)); /* it had changed */
	CHECK_EQ(state_arm(&all), 0);
	CHECK_EQ(set_number(all.state, "Lid", 1), 0); /* the same value */
	other = text("Other");
	CHECK_EQ(IOServiceStateNotificationItemCreate(all.state, other, NULL), 0);
	CHECK_EQ(set_number(all.state, "Other", 5), 0); /* another item */
	barrier(&all.scene);
	CHECK_EQ(nr_ready, 1);
	CHECK_EQ(set_number(all.state, "Lid", 2), 0);
	CHECK(wait_counter(&nr_ready, 2));
	CHECK_EQ(set_number(all.state, "Lid", 3), 0);
	barrier(&all.scene);
	CHECK_EQ(nr_ready, 2); /* once each */
	OSRelease(other);
	state_end(&all);
}

TEST(state_source_can_be_off_and_cancelled)
{
	struct state_scene all = {0};

	state_begin(&all);
	CHECK_EQ(state_arm(&all), 0);
	CHECK_EQ(IOServiceStateNotificationDispatchSourceSetEnableWithCompletion(all.source, false,
										 handled, NULL),
		 0);
	CHECK(wait_counter(&nr_handled, 1));
	CHECK_EQ(set_number(all.state, "Lid", 1), 0);
	barrier(&all.scene);
	CHECK_EQ(nr_ready, 0);
	CHECK_EQ(IOServiceStateNotificationDispatchSourceSetEnableWithCompletion(all.source, true,
										 NULL, NULL),
		 0);
	CHECK(wait_counter(&nr_ready, 1));
	CHECK_EQ(state_arm(&all), 0);
	CHECK_EQ(IOServiceStateNotificationDispatchSourceCancel(all.source, handled, NULL), 0);
	CHECK(wait_counter(&nr_handled, 2));
	CHECK_EQ(set_number(all.state, "Lid", 2), 0);
	barrier(&all.scene);
	CHECK_EQ(nr_ready, 1);
	CHECK_EQ(state_arm(&all), kIOReturnAborted);
	state_end(&all);
}

TEST(state_source_checks_its_arguments)
{
	struct state_scene all = {0};
	IOServiceStateNotificationDispatchSource *none = NULL;
	OSDictionary *no_name = number(1);
	OSArray *wrong = OSArrayCreate();

	state_begin(&all);
	CHECK(OSArrayAppendValue(wrong, no_name));
	CHECK_EQ(IOServiceStateNotificationDispatchSourceCreate(all.scene.service, all.names,
								all.scene.queue, &none),
		 kIOReturnUnsupported);
	CHECK_EQ(IOServiceStateNotificationDispatchSourceCreate(all.state, NULL, all.scene.queue,
								&none),
		 kIOReturnBadArgument);
	CHECK_EQ(IOServiceStateNotificationDispatchSourceCreate(all.state, wrong, all.scene.queue,
								&none),
		 kIOReturnBadArgument);
	CHECK_EQ(IOServiceStateNotificationDispatchSourceCreate(all.state, all.names, NULL, &none),
		 kIOReturnBadArgument);
	CHECK_EQ(IOServiceStateNotificationDispatchSourceStateNotificationBegin(NULL),
		 kIOReturnBadArgument);
	CHECK_EQ(IOServiceStateNotificationDispatchSourceSetHandler(NULL, NULL),
		 kIOReturnBadArgument);
	OSRelease(wrong);
	OSRelease(no_name);
	state_end(&all);
}

/* ---- interrupts ---- */

static _Atomic unsigned nr_interrupts;
static _Atomic uint64_t last_count;
static _Atomic uint64_t last_time;

static void occurred(OSObject *target, OSAction *action, uint64_t count, uint64_t time)
{
	(void)action;
	CHECK(OSObjectIsKind(target, &IOServiceClass));
	last_time = time;
	last_count = count;
	nr_interrupts++;
}

struct interrupt_scene {
	struct scene scene;
	IOService *provider;
	IOInterruptDispatchSource *source;
	OSAction *action;
};

/* Two interrupts on the service itself: a driver that plays its own device. */
static void interrupt_begin(struct interrupt_scene *all, uint32_t index)
{
	OSDictionary *properties = OSDictionaryCreate();
	OSArray *specifiers = OSArrayCreate();

	scene_begin(&all->scene);
	all->provider = all->scene.service;
	CHECK(OSArraySetUInt64Value(specifiers, kOSArrayAppend, kIOInterruptTypeEdge));
	CHECK(OSArraySetUInt64Value(specifiers, kOSArrayAppend, kIOInterruptTypeLevel));
	CHECK(OSDictionarySetValue(properties, "IOInterruptSpecifiers", specifiers));
	CHECK_EQ(IOServiceSetProperties(all->provider, properties), 0);
	CHECK_EQ(IOInterruptDispatchSourceCreate(all->provider, index, all->scene.queue,
						 &all->source),
		 0);
	CHECK_EQ(IOInterruptDispatchSourceCreateActionInterruptOccurred(
			 OS_OBJECT(all->scene.service), occurred, 0, &all->action),
		 0);
	CHECK_EQ(IOInterruptDispatchSourceSetHandler(all->source, all->action), 0);
	OSRelease(specifiers);
	OSRelease(properties);
}

static void interrupt_end(struct interrupt_scene *all)
{
	OSRelease(all->source);
	OSRelease(all->action);
	scene_end(&all->scene);
}

static kern_return_t enable(struct interrupt_scene *all, bool on)
{
	return IOInterruptDispatchSourceSetEnableWithCompletion(all->source, on, NULL, NULL);
}

TEST(interrupts_have_a_type_and_a_number)
{
	struct interrupt_scene all = {0};
	IOInterruptDispatchSource *none = NULL;
	IODispatchQueue *loose = NULL;
	uint64_t type = 99;

	interrupt_begin(&all, 0);
	CHECK_EQ(IOInterruptDispatchSourceGetInterruptType(all.provider, 0, &type), 0);
	CHECK_EQ(type, kIOInterruptTypeEdge);
	CHECK_EQ(IOInterruptDispatchSourceGetInterruptType(all.provider, 1, &type), 0);
	CHECK_EQ(type, kIOInterruptTypeLevel);
	CHECK_EQ(IOInterruptDispatchSourceGetInterruptType(all.provider, 2, &type),
		 kIOReturnNoInterrupt);
	CHECK_EQ(IOInterruptDispatchSourceGetInterruptType(NULL, 0, &type), kIOReturnBadArgument);
	CHECK_EQ(IOInterruptDispatchSourceGetInterruptType(all.provider, 0, NULL),
		 kIOReturnBadArgument);
	CHECK_EQ(IOInterruptDispatchSourceCreate(all.provider, 2, all.scene.queue, &none),
		 kIOReturnNoInterrupt);
	CHECK_EQ(IOInterruptDispatchSourceCreate(IOServiceGetProvider(all.scene.service), 0,
						 all.scene.queue, &none),
		 kIOReturnNoInterrupt);
	CHECK_EQ(IOInterruptDispatchSourceCreate(all.provider, 0x20000, all.scene.queue, &none),
		 kIOReturnBadArgument);
	CHECK_EQ(IOInterruptDispatchSourceCreate(all.provider, 0, NULL, &none),
		 kIOReturnBadArgument);
	CHECK_EQ(IODispatchQueueCreate("loose", 0, 0, &loose), 0);
	CHECK_EQ(IOInterruptDispatchSourceCreate(all.provider, 0, loose, &none), kIOReturnNotReady);
	CHECK_EQ(OpenDextInterruptRaise(all.provider, 2), kIOReturnNoInterrupt);
	CHECK_EQ(OpenDextInterruptRaise(NULL, 0), kIOReturnBadArgument);
	CHECK_EQ(IOInterruptDispatchSourceGetLastInterrupt(NULL, &type, &type),
		 kIOReturnBadArgument);
	CHECK_EQ(IOInterruptDispatchSourceSetHandler(NULL, NULL), kIOReturnBadArgument);
	OSRelease(loose);
	interrupt_end(&all);
}

TEST(interrupt_is_off_first_and_kept_while_it_is)
{
	struct interrupt_scene all = {0};
	uint64_t count = 0;
	uint64_t time = 0;

	interrupt_begin(&all, 0);
	CHECK_EQ(IOInterruptDispatchSourceGetLastInterrupt(all.source, &count, &time), 0);
	CHECK_EQ(count, 0);
	uint64_t before = mach_absolute_time();
	CHECK_EQ(OpenDextInterruptRaise(all.provider, 0), 0);
	CHECK_EQ(OpenDextInterruptRaise(all.provider, 0), 0);
	CHECK_EQ(OpenDextInterruptRaise(all.provider, 1), 0); /* another one */
	barrier(&all.scene);
	CHECK_EQ(nr_interrupts, 0);
	CHECK_EQ(enable(&all, true), 0);
	CHECK(wait_counter(&nr_interrupts, 1));
	CHECK_EQ(last_count, 2);
	CHECK_GE(last_time, before);
	CHECK_LE(last_time, mach_absolute_time());
	CHECK_EQ(IOInterruptDispatchSourceGetLastInterrupt(all.source, &count, &time), 0);
	CHECK_EQ(count, 2);
	CHECK_EQ(time, last_time);
	CHECK_EQ(OpenDextInterruptRaise(all.provider, 0), 0);
	CHECK(wait_counter(&nr_interrupts, 2));
	CHECK_EQ(last_count, 3);
	CHECK_EQ(enable(&all, false), 0);
	CHECK_EQ(OpenDextInterruptRaise(all.provider, 0), 0);
	barrier(&all.scene);
	CHECK_EQ(nr_interrupts, 2);
	interrupt_end(&all);
}

TEST(interrupt_reaches_every_source_and_none_that_is_cancelled)
{
	struct interrupt_scene all = {0};
	IOInterruptDispatchSource *second = NULL;
	uint64_t count = 0;
	uint64_t time = 0;

	interrupt_begin(&all, 1);
	CHECK_EQ(IOInterruptDispatchSourceCreate(all.provider,
						 1 | kIOInterruptSourceContinuousTime,
						 all.scene.queue, &second),
		 0);
	CHECK_EQ(enable(&all, true), 0);
	CHECK_EQ(OpenDextInterruptRaise(all.provider, 1), 0);
	CHECK(wait_counter(&nr_interrupts, 1));
	CHECK_EQ(IOInterruptDispatchSourceGetLastInterrupt(second, &count, &time), 0);
	CHECK_EQ(count, 1);
	CHECK_LE(time, mach_continuous_time());
	CHECK_EQ(IOInterruptDispatchSourceCancel(all.source, handled, NULL), 0);
	CHECK(wait_counter(&nr_handled, 1));
	CHECK_EQ(OpenDextInterruptRaise(all.provider, 1), 0);
	barrier(&all.scene);
	CHECK_EQ(nr_interrupts, 1);
	CHECK_EQ(enable(&all, true), kIOReturnAborted);
	OSRelease(second);
	interrupt_end(&all);
}
