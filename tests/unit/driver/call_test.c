/* SPDX-License-Identifier: MIT
 *
 * call_test - external methods: the check table, arguments, results, completions.
 */
#include <errno.h>
#include <pthread.h>

#include "fixture.h"

enum selector {
	SUM = 0,
	EXACT,
	NO_FUNCTION,
	ECHO,
	BIG_OUTPUT,
	ERROR_WITH_OUTPUT,
	ASYNC,
	VARIABLE,
	KEEP,
	TWICE,
	UNKNOWN,
};

static OSAction *_Atomic kept;

static kern_return_t sum(OSObject *target, void *reference, IOUserClientMethodArguments *arguments)
{
	uint64_t total = 0;

	CHECK(OSObjectIsKind(target, &IOUserClientClass));
	CHECK_EQ((uintptr_t)reference, 77);
	CHECK_EQ(arguments->version, 2);
	for (uint32_t i = 0; i < arguments->scalarInputCount; i++) {
		total += arguments->scalarInput[i];
	}
	for (uint32_t i = arguments->scalarInputCount; i < 16; i++) {
		CHECK_EQ(arguments->scalarInput[i], 0);
	}
	for (uint32_t i = 0; i < 16; i++) {
		CHECK_EQ(arguments->scalarOutput[i], 0);
	}
	CHECK(arguments->completion == NULL);
	arguments->scalarOutput[0] = total;
	return kIOReturnSuccess;
}

static kern_return_t exact(OSObject *target, void *reference, IOUserClientMethodArguments *arguments)
{
	(void)target;
	(void)reference;
	(void)arguments;
	return kIOReturnSuccess;
}

static kern_return_t echo(OSObject *target, void *reference, IOUserClientMethodArguments *arguments)
{
	(void)target;
	(void)reference;
	CHECK(arguments->structureInputDescriptor == NULL);
	arguments->structureOutput = OSRetain(arguments->structureInput);
	arguments->scalarOutputCount = 1;
	return kIOReturnSuccess;
}

static kern_return_t big_output(OSObject *target, void *reference,
				IOUserClientMethodArguments *arguments)
{
	(void)target;
	(void)reference;
	arguments->structureOutput = OSDataCreate(NULL, arguments->scalarInput[0]);
	return kIOReturnSuccess;
}

static kern_return_t error_with_output(OSObject *target, void *reference,
				       IOUserClientMethodArguments *arguments)
{
	(void)target;
	(void)reference;
	arguments->structureOutput = OSDataCreate("x", 1);
	arguments->scalarOutput[0] = 9;
	return kIOReturnNoSpace;
}

static kern_return_t async(OSObject *target, void *reference, IOUserClientMethodArguments *arguments)
{
	IOUserClientAsyncArgumentsArray data = {1, 2, 3};

	(void)reference;
	CHECK(OSActionGetReference(arguments->completion) == NULL);
	for (unsigned i = 0; i < arguments->scalarInput[0]; i++) {
		data[0] = i;
		IOUserClientAsyncCompletion((IOUserClient *)target, arguments->completion,
					    kIOReturnSuccess, data, 3);
	}
	IOUserClientAsyncCompletion((IOUserClient *)target, arguments->completion, 0, data, 17);
	return kIOReturnSuccess;
}

static kern_return_t keep(OSObject *target, void *reference, IOUserClientMethodArguments *arguments)
{
	(void)target;
	(void)reference;
	kept = OSRetain(arguments->completion);
	return kIOReturnSuccess;
}

#define ANY kIOUserClientVariableStructureSize

static const IOUserClientMethodDispatch table[] = {
	[SUM] = {sum, false, ANY, 0, ANY, 0},
	[EXACT] = {exact, false, 2, 8, 1, 16},
	[NO_FUNCTION] = {NULL, ANY, ANY, ANY, ANY, ANY},
	[ECHO] = {echo, ANY, ANY, ANY, ANY, ANY},
	[BIG_OUTPUT] = {big_output, ANY, ANY, ANY, ANY, ANY},
	[ERROR_WITH_OUTPUT] = {error_with_output, ANY, ANY, ANY, ANY, ANY},
	[ASYNC] = {async, true, 1, 0, 0, 0},
	[VARIABLE] = {exact, ANY, ANY, ANY, ANY, ANY},
	[KEEP] = {keep, true, 0, 0, 0, 0},
};

static const OSDriverClass service_class, client_class;

static kern_return_t client_method(IOUserClient *self, uint64_t selector,
				   IOUserClientMethodArguments *arguments,
				   const IOUserClientMethodDispatch *dispatch, OSObject *target,
				   void *reference)
{
	CHECK(dispatch == NULL && target == NULL && reference == NULL);
	CHECK_EQ(arguments->selector, selector);
	if (selector >= TWICE) {
		return IOUserClientSuperExternalMethod(&client_class, self, selector, arguments,
						       NULL, NULL, NULL);
	}
	return IOUserClientSuperExternalMethod(&client_class, self, selector, arguments,
					       &table[selector], OS_OBJECT(self), (void *)77);
}

static const OSDriverClass service_class = {
	.name = "TestService", .super = &IOServiceClass, .NewUserClient = fixture_new_user_client};
static const OSDriverClass client_class = {
	.name = "TestClient", .super = &IOUserClientClass, .ExternalMethod = client_method};
static const OSDriverClass *const classes[] = {&service_class, &client_class, NULL};

/* A call with a structure each way. */
static kern_return_t call_bytes(struct app *app, uint64_t selector, uint32_t nr_in, uint32_t nr_bytes,
				uint32_t max_scalars, uint64_t max_bytes, uint32_t flags,
				struct dx_channel_response *response)
{
	static const uint64_t in[16] = {1, 2};
	static const char bytes[4096] = "abcdefgh";
	static uint64_t out[16];
	static char room[4096];
	struct dx_channel_request request = {
		.kind = DX_CALL_METHOD,
		.flags = flags,
		.selector = selector,
		.tag = 1,
		.scalars = in,
		.nr_scalars = nr_in,
		.bytes = bytes,
		.nr_bytes = nr_bytes,
		.max_scalars = max_scalars,
		.max_bytes = max_bytes,
	};

	*response = (struct dx_channel_response){
		.scalars = out, .nr_scalars = 16, .bytes = room, .nr_bytes = sizeof(room)};
	CHECK_EQ(dx_channel_app_call(app->channel, &request, response), 0);
	return response->result;
}

TEST(scalars_travel_both_ways)
{
	struct fixture fixture;
	struct app app;
	uint64_t in[16];
	uint64_t out[16] = {0};

	fixture_begin(&fixture, classes, &app);
	for (uint32_t count = 0; count <= 16; count++) {
		uint32_t nr_out = 1;
		for (uint32_t i = 0; i < count; i++) {
			in[i] = i + 1;
		}
		CHECK_EQ(app_call(&app, SUM, in, count, out, &nr_out), 0);
		CHECK_EQ(nr_out, 1);
		CHECK_EQ(out[0], count * (count + 1) / 2);
	}
	fixture_end(&fixture, &app);
}

TEST(every_check_of_the_table_refuses_alone)
{
	struct fixture fixture;
	struct app app;
	struct dx_channel_response response;

	fixture_begin(&fixture, classes, &app);
	CHECK_EQ(call_bytes(&app, EXACT, 2, 8, 1, 16, 0, &response), 0);
	CHECK_EQ(call_bytes(&app, EXACT, 2, 8, 1, 16, DX_CALL_ASYNC, &response),
		 kIOReturnBadArgument);
	CHECK_EQ(call_bytes(&app, EXACT, 1, 8, 1, 16, 0, &response), kIOReturnBadArgument);
	CHECK_EQ(call_bytes(&app, EXACT, 3, 8, 1, 16, 0, &response), kIOReturnBadArgument);
	CHECK_EQ(call_bytes(&app, EXACT, 2, 7, 1, 16, 0, &response), kIOReturnBadArgument);
	CHECK_EQ(call_bytes(&app, EXACT, 2, 0, 1, 16, 0, &response), kIOReturnBadArgument);
	CHECK_EQ(call_bytes(&app, EXACT, 2, 8, 0, 16, 0, &response), kIOReturnBadArgument);
	CHECK_EQ(call_bytes(&app, EXACT, 2, 8, 2, 16, 0, &response), kIOReturnBadArgument);
	CHECK_EQ(call_bytes(&app, EXACT, 2, 8, 1, 15, 0, &response), kIOReturnBadArgument);
	CHECK_EQ(call_bytes(&app, EXACT, 2, 8, 1, 17, 0, &response), kIOReturnBadArgument);
	CHECK_EQ(call_bytes(&app, ASYNC, 1, 0, 0, 0, 0, &response), kIOReturnBadArgument);
	CHECK_EQ(call_bytes(&app, NO_FUNCTION, 2, 8, 1, 16, 0, &response), kIOReturnNoCompletion);
	CHECK_EQ(call_bytes(&app, UNKNOWN, 0, 0, 0, 0, 0, &response), kIOReturnUnsupported);
	fixture_end(&fixture, &app);
}

TEST(inline_structures_are_copied_both_ways)
{
	struct fixture fixture;
	struct app app;
	struct dx_channel_response response;

	fixture_begin(&fixture, classes, &app);
	for (uint32_t size = 1; size <= 4096; size = size * 2 + 1) {
		for (unsigned again = 0; again < 3; again++) {
			CHECK_EQ(call_bytes(&app, ECHO, 0, size, 3, 4096, 0, &response), 0);
			CHECK_EQ(response.nr_bytes, size);
			CHECK_EQ(response.nr_scalars, 1);
			CHECK((response.value & DX_ANSWER_STRUCTURE) != 0);
			CHECK_MEM_EQ(response.bytes, "abcdefgh", size < 8 ? size : 8);
		}
	}
	fixture_end(&fixture, &app);
}

TEST(output_that_is_too_long_is_refused)
{
	struct fixture fixture;
	struct app app;
	struct dx_channel_response response;

	fixture_begin(&fixture, classes, &app);
	CHECK_EQ(call_bytes(&app, BIG_OUTPUT, 1, 0, 0, 1, 0, &response), 0);
	CHECK_EQ(response.nr_bytes, 1);
	CHECK_EQ(call_bytes(&app, BIG_OUTPUT, 1, 0, 0, 0, 0, &response), kIOReturnBadArgument);
	CHECK_EQ(call_bytes(&app, ERROR_WITH_OUTPUT, 1, 0, 1, 4, 0, &response), kIOReturnNoSpace);
	CHECK_EQ(response.nr_bytes, 0);
	CHECK_EQ(response.nr_scalars, 0);
	fixture_end(&fixture, &app);
}

TEST(variable_output_must_be_set)
{
	struct fixture fixture;
	struct app app;
	struct dx_channel_response response;

	fixture_begin(&fixture, classes, &app);
	CHECK_EQ(call_bytes(&app, VARIABLE, 0, 0, 0, 0, DX_CALL_VARIABLE, &response),
		 kIOReturnUnderrun);
	CHECK_EQ(call_bytes(&app, ECHO, 0, 100, 0, 0, DX_CALL_VARIABLE, &response), 0);
	CHECK_EQ(response.nr_bytes, 100);
	fixture_end(&fixture, &app);
}

TEST(completions_arrive_in_order_and_then_the_release)
{
	struct fixture fixture;
	struct app app;
	struct dx_channel_request request = {.kind = DX_CALL_METHOD, .flags = DX_CALL_ASYNC,
					     .selector = ASYNC, .tag = 55, .nr_scalars = 1};
	struct dx_channel_response response = {0};
	struct dx_channel_note note;
	uint64_t count = 1000;

	fixture_begin(&fixture, classes, &app);
	request.scalars = &count;
	CHECK_EQ(dx_channel_app_call(app.channel, &request, &response), 0);
	CHECK_EQ(response.result, 0);
	for (unsigned i = 0; i < 1000; i++) {
		CHECK(app_next(&app, &note));
		CHECK_EQ(note.kind, DX_CHANNEL_COMPLETION);
		CHECK_EQ(note.tag, 55);
		CHECK_EQ(note.nr_args, 3);
		CHECK_EQ(note.args[0], i);
		CHECK_EQ(note.args[2], 3);
	}
	CHECK(app_next(&app, &note));
	CHECK_EQ(note.kind, DX_CHANNEL_RELEASED);
	CHECK_EQ(note.tag, 55);
	fixture_end(&fixture, &app);
}

TEST(completion_kept_beyond_the_call_and_the_client_is_harmless)
{
	struct fixture fixture;
	struct app app;
	struct dx_channel_response response;
	IOUserClientAsyncArgumentsArray data = {8};
	struct dx_channel_note note;

	fixture_begin(&fixture, classes, &app);
	CHECK_EQ(call_bytes(&app, KEEP, 0, 0, 0, 0, DX_CALL_ASYNC, &response), 0);
	OSAction *action = kept;
	IOUserClientAsyncCompletion(NULL, action, 0, data, 1);
	CHECK_EQ(dx_channel_app_next(app.channel, &note), 0);
	app_close(&app);
	CHECK(wait_counter(&fixture.reports.entry_removed, 1));
	CHECK_EQ(OSActionCancel(action, NULL, NULL), 0);
	OSRelease(action);
	CHECK_EQ(fixture_terminate(&fixture), 0);
	fixture_fini(&fixture);
}

TEST(malformed_call_ends_its_connection_only)
{
	struct fixture fixture;
	struct app app;
	struct app other;
	struct dx_channel_request request = {.kind = 99};
	struct dx_channel_response response = {0};
	uint32_t nr_out = 1;
	uint64_t out = 0;

	fixture_begin(&fixture, classes, &app);
	CHECK_EQ(fixture_open(&fixture, 0, &other), 0);
	CHECK_EQ(dx_channel_app_call(app.channel, &request, &response), -ECONNRESET);
	CHECK_EQ(app_call(&other, SUM, NULL, 0, &out, &nr_out), 0);
	app_close(&app);
	fixture_end(&fixture, &other);
}

struct caller {
	struct app *app;
	pthread_t thread;
};

static void *call_often(void *context)
{
	struct caller *caller = context;

	for (uint64_t i = 0; i < 200; i++) {
		uint64_t in[2] = {i, 1};
		uint64_t out = 0;
		uint32_t nr_out = 1;
		CHECK_EQ(app_call(caller->app, SUM, in, 2, &out, &nr_out), 0);
		CHECK_EQ(out, i + 1);
	}
	return NULL;
}

TEST(many_threads_call_on_one_connection)
{
	struct fixture fixture;
	struct app app;
	struct caller callers[24];

	fixture_begin(&fixture, classes, &app);
	for (unsigned i = 0; i < 24; i++) {
		callers[i].app = &app;
		CHECK_EQ(pthread_create(&callers[i].thread, NULL, call_often, &callers[i]), 0);
	}
	for (unsigned i = 0; i < 24; i++) {
		CHECK_EQ(pthread_join(callers[i].thread, NULL), 0);
	}
	fixture_end(&fixture, &app);
}
