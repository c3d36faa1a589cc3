/* SPDX-License-Identifier: MIT
 *
 * lifecycle_test - init, Start, NewUserClient, Stop, free: their order, and what failures do to it.
 */
#include <errno.h>
#include <stdio.h>

#include "base/mutex.h"
#include "fixture.h"

/* Everything that happens, as text. */
static struct dx_mutex steps_lock = DX_MUTEX_INIT;
static char steps[1024];
static kern_return_t start_result;
static kern_return_t client_start_result;
static bool init_result = true;
static bool delay_stop;
static kern_return_t stop_result;
static enum { NEW_CLIENT, NEW_NOTHING, NEW_SERVICE, NEW_ERROR } new_mode;

static void step(const char *text)
{
	dx_mutex_lock(&steps_lock);
	strncat(steps, text, sizeof(steps) - strlen(steps) - 1);
	dx_mutex_unlock(&steps_lock);
}

static bool steps_are(void *expected)
{
	dx_mutex_lock(&steps_lock);
	bool same = strcmp(steps, expected) == 0;
	dx_mutex_unlock(&steps_lock);
	return same;
}

static void check_steps(const char *expected)
{
	if (!test_wait_until(steps_are, (void *)(uintptr_t)expected, 3000)) {
		CHECK_STR_EQ(steps, expected);
	}
}

static const OSDriverClass base_class, service_class, client_class, child_class;

static bool base_init(OSObject *self)
{
	unsigned *ivars = OSObjectGetIvars(self, &base_class);

	CHECK_EQ(*ivars, 0);
	*ivars = 17;
	step("base-init ");
	return true;
}

static void base_free(OSObject *self)
{
	CHECK_EQ(*(unsigned *)OSObjectGetIvars(self, &base_class), 17);
	step("base-free ");
}

static bool service_init(OSObject *self)
{
	CHECK_EQ(*(unsigned *)OSObjectGetIvars(self, &base_class), 17);
	*(uint64_t *)OSObjectGetIvars(self, &service_class) = 99;
	step("init ");
	return init_result;
}

static void service_free(OSObject *self)
{
	CHECK_EQ(*(uint64_t *)OSObjectGetIvars(self, &service_class), 99);
	step("free ");
}

static kern_return_t base_start(IOService *self, IOService *provider)
{
	step("base-start ");
	return IOServiceSuperStart(&base_class, self, provider);
}

static kern_return_t service_start(IOService *self, IOService *provider)
{
	IODispatchQueue *queue = NULL;

	CHECK(IOServiceGetProvider(self) == provider);
	CHECK_EQ(IOServiceCopyDispatchQueue(self, kIOServiceDefaultQueueName, &queue), 0);
	CHECK(IODispatchQueueOnQueue(queue));
	CHECK_STR_EQ(IODispatchQueueGetName(queue), "Default");
	CHECK_EQ(IODispatchQueueCancel(queue, NULL, NULL), kIOReturnNotPermitted);
	OSRelease(queue);
	CHECK_EQ(IOServiceRegisterService(self), 0);
	kern_return_t status = IOServiceSuperStart(&service_class, self, provider);
	step("start ");
	return status == 0 ? start_result : status;
}

static void late_stop(void *context)
{
	IOService *self = context;

	step("late ");
	CHECK_EQ(IOServiceSuperStop(&service_class, self, IOServiceGetProvider(self)), 0);
	OSRelease(self);
}

static kern_return_t service_stop(IOService *self, IOService *provider)
{
	step("stop ");
	if (stop_result != 0) {
		return stop_result;
	}
	if (delay_stop) {
		IODispatchQueue *queue = NULL;
		CHECK_EQ(IOServiceCopyDispatchQueue(self, "Default", &queue), 0);
		IODispatchQueueDispatchAsync_f(queue, OSRetain(self), late_stop);
		OSRelease(queue);
		return 0;
	}
	return IOServiceSuperStop(&service_class, self, provider);
}

static kern_return_t service_new_user_client(IOService *self, uint32_t type,
					     IOUserClient **userClient)
{
	IOService *made = NULL;

	step("new ");
	CHECK_EQ(type, 3);
	switch (new_mode) {
	case NEW_NOTHING:
		*userClient = NULL;
		return 0;
	case NEW_ERROR:
		return kIOReturnBusy;
	case NEW_SERVICE:
		*userClient = OSRetain(self);
		return 0;
	default:
		break;
	}
	kern_return_t status = IOServiceCreate(self, "UserClientProperties", &made);
	*userClient = OSDynamicCast(IOUserClient, made);
	step("made ");
	return status;
}

static const OSDriverClass base_class = {
	.name = "TestBase",
	.super = &IOServiceClass,
	.ivars_size = sizeof(unsigned),
	.init = base_init,
	.free = base_free,
	.Start = base_start,
};

static const OSDriverClass service_class = {
	.name = "TestService",
	.super = &base_class,
	.ivars_size = sizeof(uint64_t),
	.init = service_init,
	.free = service_free,
	.Start = service_start,
	.Stop = service_stop,
	.NewUserClient = service_new_user_client,
};

static bool client_init(OSObject *self)
{
	(void)self;
	step("c-init ");
	return true;
}

static void client_free(OSObject *self)
{
	(void)self;
	step("c-free ");
}

static kern_return_t client_start(IOService *self, IOService *provider)
{
	CHECK(OSObjectIsKind(provider, &service_class));
	CHECK(OSObjectIsKind(self, &IOUserClientClass));
	CHECK(!OSObjectIsKind(self, &service_class));
	step("c-start ");
	return client_start_result;
}

static kern_return_t client_stop(IOService *self, IOService *provider)
{
	step("c-stop ");
	return IOServiceSuperStop(&client_class, self, provider);
}

static const OSDriverClass client_class = {
	.name = "TestClient",
	.super = &IOUserClientClass,
	.init = client_init,
	.free = client_free,
	.Start = client_start,
	.Stop = client_stop,
};

static kern_return_t child_start(IOService *self, IOService *provider)
{
	(void)self;
	(void)provider;
	step("child-start ");
	return 0;
}

static const OSDriverClass child_class = {
	.name = "TestChild", .super = &IOServiceClass, .Start = child_start};

static const OSDriverClass *const classes[] = {&base_class, &service_class, &client_class,
					       &child_class, NULL};

TEST(service_runs_init_start_stop_free_in_order)
{
	struct fixture fixture;

	fixture_init(&fixture, classes);
	CHECK_EQ(fixture_start(&fixture, "TestService", "IOUserResources", NULL), 0);
	check_steps("base-init init base-start start ");
	CHECK_EQ(fixture.reports.registered, 1);
	CHECK_EQ(fixture.reports.last_id, FIXTURE_SERVICE_ID);
	CHECK_EQ(dx_runtime_nr_services(fixture.runtime), 1);
	CHECK_EQ(fixture_terminate(&fixture), 0);
	check_steps("base-init init base-start start stop free base-free ");
	CHECK_EQ(dx_runtime_nr_services(fixture.runtime), 0);
	CHECK_EQ(fixture_terminate(&fixture), -ENOENT);
	fixture_fini(&fixture);
}

TEST(failed_start_frees_without_stop_and_never_registers)
{
	struct fixture fixture;

	start_result = kIOReturnNoDevice;
	fixture_init(&fixture, classes);
	CHECK_EQ(fixture_start(&fixture, "TestService", "IOUserResources", NULL), kIOReturnNoDevice);
	check_steps("base-init init base-start start free base-free ");
	CHECK_EQ(fixture.reports.registered, 0);
	fixture_fini(&fixture);
}

TEST(init_that_says_false_frees_and_refuses)
{
	struct fixture fixture;

	init_result = false;
	fixture_init(&fixture, classes);
	CHECK_EQ(fixture_start(&fixture, "TestService", "IOUserResources", NULL), -ECANCELED);
	check_steps("base-init init free base-free ");
	CHECK_EQ(fixture_start(&fixture, "Unknown", "IOUserResources", NULL), -ENOENT);
	fixture_fini(&fixture);
}

TEST(late_super_stop_completes_the_termination)
{
	struct fixture fixture;

	delay_stop = true;
	fixture_init(&fixture, classes);
	CHECK_EQ(fixture_start(&fixture, "TestService", "IOUserResources", NULL), 0);
	CHECK_EQ(fixture_terminate(&fixture), 0);
	check_steps("base-init init base-start start stop late free base-free ");
	fixture_fini(&fixture);
}

TEST(stop_that_fails_counts_as_stopped)
{
	struct fixture fixture;

	stop_result = kIOReturnError;
	fixture_init(&fixture, classes);
	CHECK_EQ(fixture_start(&fixture, "TestService", "IOUserResources", NULL), 0);
	CHECK_EQ(fixture_terminate(&fixture), 0);
	check_steps("base-init init base-start start stop free base-free ");
	fixture_fini(&fixture);
}

TEST(open_runs_new_create_init_start_and_close_runs_stop_free)
{
	struct fixture fixture;
	struct app app;

	fixture_init(&fixture, classes);
	CHECK_EQ(fixture_start(&fixture, "TestService", "IOUserResources", NULL), 0);
	steps[0] = '\0';
	CHECK_EQ(fixture_open(&fixture, 3, &app), 0);
	check_steps("new c-init made c-start ");
	CHECK_EQ(fixture.reports.entry_added, 1);
	CHECK_EQ(dx_runtime_nr_connections(fixture.runtime), 1);
	app_close(&app);
	check_steps("new c-init made c-start c-stop c-free ");
	CHECK(wait_counter(&fixture.reports.entry_removed, 1));
	CHECK_EQ(dx_runtime_nr_connections(fixture.runtime), 0);
	CHECK_EQ(fixture_terminate(&fixture), 0);
	fixture_fini(&fixture);
}

TEST(termination_stops_user_clients_before_their_service)
{
	struct fixture fixture;
	struct app apps[2];

	fixture_init(&fixture, classes);
	CHECK_EQ(fixture_start(&fixture, "TestService", "IOUserResources", NULL), 0);
	CHECK_EQ(fixture_open(&fixture, 3, &apps[0]), 0);
	CHECK_EQ(fixture_open(&fixture, 3, &apps[1]), 0);
	steps[0] = '\0';
	CHECK_EQ(fixture_terminate(&fixture), 0);
	CHECK(strstr(steps, "c-stop") != NULL);
	CHECK(strstr(strstr(steps, "c-stop") + 1, "c-stop") != NULL);
	CHECK(strstr(strstr(steps, "c-stop"), " stop") > strstr(steps, "c-stop"));
	CHECK_EQ(app_call(&apps[0], 0, NULL, 0, NULL, NULL), -ECONNRESET);
	app_close(&apps[0]);
	app_close(&apps[1]);
	fixture_fini(&fixture);
}

TEST(open_reports_what_went_wrong)
{
	struct fixture fixture;
	struct app app;

	fixture_init(&fixture, classes);
	CHECK_EQ(fixture_start(&fixture, "TestService", "IOUserResources", NULL), 0);
	new_mode = NEW_NOTHING;
	CHECK_EQ(fixture_open(&fixture, 3, &app), kIOReturnError);
	new_mode = NEW_ERROR;
	CHECK_EQ(fixture_open(&fixture, 3, &app), kIOReturnBusy);
	new_mode = NEW_SERVICE;
	CHECK_EQ(fixture_open(&fixture, 3, &app), kIOReturnUnsupported);
	new_mode = NEW_CLIENT;
	client_start_result = kIOReturnNotPermitted;
	steps[0] = '\0';
	CHECK_EQ(fixture_open(&fixture, 3, &app), kIOReturnNotPermitted);
	check_steps("new c-init made c-start c-free ");
	CHECK_EQ(dx_runtime_nr_connections(fixture.runtime), 0);
	CHECK_EQ(fixture_terminate(&fixture), 0);
	CHECK_EQ(fixture_open(&fixture, 3, &app), -ENOENT);
	fixture_fini(&fixture);
}

static void use_service(void *context, struct dx_service *service)
{
	*(IOService **)context = OSRetain(service);
}

TEST(create_checks_the_description)
{
	struct fixture fixture;
	IOService *service = NULL;
	IOService *made = NULL;

	fixture_init(&fixture, classes);
	CHECK_EQ(fixture_start(&fixture, "TestService", "IOUserResources", NULL), 0);
	dx_runtime_each(fixture.runtime, use_service, &service);
	CHECK_EQ(IOServiceCreate(service, "Missing", &made), kIOReturnBadArgument);
	CHECK_EQ(IOServiceCreate(service, "Answer", &made), kIOReturnBadArgument);
	CHECK_EQ(IOServiceCreate(service, "UnknownClass", &made), kIOReturnUnsupported);
	CHECK_EQ(IOServiceCreate(service, "UnknownKernelClass", &made), kIOReturnUnsupported);
	CHECK_EQ(IOServiceCreate(IOServiceGetProvider(service), "Answer", &made),
		 kIOReturnUnsupported);
	CHECK_EQ(IOServiceCreate(service, NULL, &made), kIOReturnBadArgument);
	steps[0] = '\0';
	CHECK_EQ(IOServiceCreate(service, "ChildProperties", &made), 0);
	check_steps("child-start ");
	CHECK_EQ(IOServiceRegisterService(made), 0);
	CHECK_EQ(fixture.reports.registered, 2);
	CHECK_EQ(IOServiceTerminate(made, 1), kIOReturnUnsupported);
	CHECK_EQ(IOServiceTerminate(IOServiceGetProvider(service), 0), kIOReturnNotPermitted);
	CHECK_EQ(IOServiceTerminate(made, 0), 0);
	CHECK(wait_counter(&fixture.reports.entry_removed, 1));
	OSRelease(made);
	CHECK_EQ(IOServiceTerminate(service, 0), 0);
	CHECK_EQ(fixture.reports.terminate_wanted, 1);
	OSRelease(service);
	CHECK_EQ(fixture_terminate(&fixture), 0);
	fixture_fini(&fixture);
}

TEST(names_and_properties_are_kept_and_reported)
{
	struct fixture fixture;
	IOService *service = NULL;
	OSString *text = NULL;
	OSDictionary *all = NULL;
	OSContainer *found = NULL;
	uint64_t id = 0;
	uint32_t busy = 0;

	fixture_init(&fixture, classes);
	CHECK_EQ(fixture_start(&fixture, "TestService", "IOUserResources", NULL), 0);
	dx_runtime_each(fixture.runtime, use_service, &service);
	IOService *provider = IOServiceGetProvider(service);
	CHECK_EQ(IOServiceGetRegistryEntryID(service, &id), 0);
	CHECK_EQ(id, FIXTURE_SERVICE_ID);
	CHECK_EQ(IOServiceSetName(service, "renamed"), 0);
	CHECK_EQ(IOServiceSetName(service, ""), kIOReturnBadArgument);
	CHECK_EQ(IOServiceSetName(provider, "renamed"), kIOReturnUnsupported);
	CHECK_EQ(IOServiceCopyName(service, &text), 0);
	CHECK_STR_EQ(OSStringGetStringPtr(text), "renamed");
	OSRelease(text);
	OSDictionary *more = OSDictionaryCreate();
	CHECK(OSDictionarySetUInt64Value(more, "more", 5));
	CHECK_EQ(IOServiceSetProperties(service, more), 0);
	CHECK_EQ(IOServiceSetProperties(provider, more), kIOReturnUnsupported);
	CHECK_EQ(IOServiceSetProperties(service, NULL), kIOReturnBadArgument);
	OSRelease(more);
	CHECK_EQ(IOServiceCopyProperties(service, &all), 0);
	CHECK_EQ(OSDictionaryGetUInt64Value(all, "more"), 5);
	CHECK_EQ(OSDictionaryGetUInt64Value(all, "Answer"), 42);
	OSRelease(all);
	CHECK_EQ(IOServiceSearchProperty(service, "OfProvider", kIOServicePlane, 0, &found),
		 kIOReturnNotFound);
	CHECK_EQ(IOServiceSearchProperty(service, "OfProvider", kIOServicePlane,
					 kIOServiceSearchPropertyParents, &found),
		 0);
	OSRelease(found);
	CHECK_EQ(IOServiceSearchProperty(service, "OfProvider", "IOUSB", 1, &found),
		 kIOReturnBadArgument);
	CHECK_EQ(IOServiceSearchProperty(service, "OfProvider", NULL, 8, &found),
		 kIOReturnBadArgument);
	OSString *key = OSStringCreate("more", (size_t)-1);
	CHECK_EQ(IOServiceRemoveProperty(service, key), 0);
	CHECK_EQ(IOServiceRemoveProperty(service, key), kIOReturnNotFound);
	OSRelease(key);
	CHECK_EQ(IOServiceAdjustBusy(service, 2), 0);
	CHECK_EQ(IOServiceAdjustBusy(service, -3), kIOReturnBadArgument);
	CHECK_EQ(IOServiceGetBusyCount(service, &busy), 0);
	CHECK_EQ(busy, 2);
	CHECK_EQ(fixture.reports.renamed, 1);
	CHECK_EQ(fixture.reports.properties_set, 1);
	CHECK_EQ(fixture.reports.property_removed, 1);
	CHECK_EQ(fixture.reports.busy_adjusted, 1);
	CHECK_EQ(IOServiceStringFromReturn(service, kIOReturnBusy, &text), 0);
	CHECK_STR_EQ(OSStringGetStringPtr(text), "kIOReturnBusy");
	OSRelease(text);
	OSRelease(service);
	CHECK_EQ(fixture_terminate(&fixture), 0);
	fixture_fini(&fixture);
}
