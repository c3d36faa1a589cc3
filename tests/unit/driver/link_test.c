/* SPDX-License-Identifier: MIT
 *
 * link_test - the control socket: maps, grants, questions, close, and applications that misbehave.
 */
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "fixture.h"
#include "memory/shm.h"

enum { MEMORY_RW = 0, MEMORY_RO = 1, MEMORY_NONE = 2, MEMORY_ERROR = 3, MEMORY_PAIR = 5 };
enum selector { DESCRIPTORS, ASK, ASK_COPY, ASK_TOO_MANY, LONG_OUTPUT, ENTITLEMENTS, ASK_BAD };

static IOMemoryDescriptor *cached[6];
static IOMemoryDescriptor *from_client;

static kern_return_t copy_memory(IOUserClient *self, uint64_t type, uint64_t *options,
				 IOMemoryDescriptor **memory);

static kern_return_t use_descriptors(IOUserClientMethodArguments *arguments)
{
	IOMemoryMap *map = NULL;
	uint64_t length = 0;

	CHECK(arguments->structureInput == NULL);
	CHECK_EQ(IOMemoryDescriptorGetLength(arguments->structureInputDescriptor, &length), 0);
	CHECK_EQ(length, 10000);
	CHECK_EQ(IOMemoryDescriptorCreateMapping(arguments->structureInputDescriptor, 0, 0, 0, 0, 0,
						 &map),
		 0);
	CHECK_STR_EQ((char *)(uintptr_t)IOMemoryMapGetAddress(map), "input");
	OSRelease(map);
	CHECK_EQ(arguments->structureOutputMaximumSize, 9000);
	CHECK_EQ(IOMemoryDescriptorCreateMapping(arguments->structureOutputDescriptor, 0, 0, 0, 0, 0,
						 &map),
		 0);
	memcpy((char *)(uintptr_t)IOMemoryMapGetAddress(map), "output", sizeof("output"));
	OSRelease(map);
	return 0;
}

static kern_return_t ask_for_memory(IOUserClient *self, IOUserClientMethodArguments *arguments,
				    uint64_t options)
{
	IOAddressSegment segment = {arguments->scalarInput[0], arguments->scalarInput[1]};
	IOMemoryMap *map = NULL;

	kern_return_t status = IOUserClientCreateMemoryDescriptorFromClient(self, options, 1,
									    &segment, &from_client);
	if (status != 0) {
		return status;
	}
	CHECK_EQ(IOMemoryDescriptorCreateMapping(from_client, 0, 0, 0, 0, 0, &map), 0);
	CHECK_STR_EQ((char *)(uintptr_t)IOMemoryMapGetAddress(map), "mine");
	memcpy((char *)(uintptr_t)IOMemoryMapGetAddress(map), "yours", sizeof("yours"));
	OSRelease(map);
	OSRelease(from_client);
	return 0;
}

static kern_return_t check_entitlements(IOUserClient *self)
{
	OSDictionary *entitlements = NULL;

	CHECK_EQ(IOUserClientCopyClientEntitlements(self, &entitlements), 0);
	CHECK_STR_EQ(OSDictionaryGetStringValue(entitlements, "IOUserClientCreator"),
		     "pid 7, tester");
	CHECK(OSDictionaryGetValue(entitlements, "com.apple.developer.driverkit.administrator") ==
	      kOSBooleanTrue);
	OSRelease(entitlements);
	return 0;
}

static kern_return_t client_method(IOUserClient *self, uint64_t selector,
				   IOUserClientMethodArguments *arguments,
				   const IOUserClientMethodDispatch *dispatch, OSObject *target,
				   void *reference)
{
	IOAddressSegment segments[33] = {{0, 0}};

	(void)dispatch;
	(void)target;
	(void)reference;
	switch (selector) {
	case DESCRIPTORS:
		return use_descriptors(arguments);
	case ASK:
		return ask_for_memory(self, arguments,
				      kIOMemoryDirectionInOut | kIOMemoryDisableCopyOnWrite);
	case ASK_COPY:
		return ask_for_memory(self, arguments, kIOMemoryDirectionInOut);
	case ASK_TOO_MANY:
		return IOUserClientCreateMemoryDescriptorFromClient(self, 3, 33, segments,
								    &from_client);
	case ASK_BAD:
		CHECK_EQ(IOUserClientCreateMemoryDescriptorFromClient(self, 3, 0, segments,
								      &from_client),
			 kIOReturnBadArgument);
		return IOUserClientCreateMemoryDescriptorFromClient(self, 3, 1, segments,
								    &from_client);
	case LONG_OUTPUT:
		arguments->structureOutput = OSDataCreate(NULL, 100000);
		CHECK(OSDataAppendBytes(arguments->structureOutput, "end", 3));
		return 0;
	case ENTITLEMENTS:
		return check_entitlements(self);
	default:
		return kIOReturnUnsupported;
	}
}

static const OSDriverClass service_class, client_class;

static kern_return_t copy_memory(IOUserClient *self, uint64_t type, uint64_t *options,
				 IOMemoryDescriptor **memory)
{
	CHECK_EQ(*options, 0);
	switch (type) {
	case MEMORY_RO:
		*options = kIOUserClientMemoryReadOnly;
		break;
	case MEMORY_RW:
	case MEMORY_PAIR:
		break;
	case MEMORY_NONE:
		*memory = NULL;
		return 0;
	case MEMORY_ERROR:
		return kIOReturnBusy;
	default:
		return IOUserClientSuperCopyClientMemoryForType(&client_class, self, type, options,
								memory);
	}
	*memory = OSRetain(cached[type]);
	return 0;
}

static IOMemoryDescriptor *new_buffer(uint64_t size)
{
	IOBufferMemoryDescriptor *buffer = NULL;

	CHECK_EQ(IOBufferMemoryDescriptorCreate(kIOMemoryDirectionInOut, size, 0, &buffer), 0);
	return IO_MEMORY_DESCRIPTOR(buffer);
}

static kern_return_t service_start(IOService *self, IOService *provider)
{
	(void)self;
	(void)provider;
	cached[MEMORY_RW] = new_buffer(5000);
	cached[MEMORY_RO] = new_buffer(4096);
	IOMemoryDescriptor *parts[2] = {new_buffer(4096), new_buffer(4096)};
	CHECK_EQ(IOMemoryDescriptorCreateWithMemoryDescriptors(3, 2, parts, &cached[MEMORY_PAIR]), 0);
	OSRelease(parts[0]);
	OSRelease(parts[1]);
	return 0;
}

static kern_return_t service_stop(IOService *self, IOService *provider)
{
	OSSafeReleaseNULL(cached[MEMORY_RW]);
	OSSafeReleaseNULL(cached[MEMORY_RO]);
	OSSafeReleaseNULL(cached[MEMORY_PAIR]);
	return IOServiceSuperStop(&service_class, self, provider);
}

static atomic_bool hold_stop;

/* A driver may take its time to stop. */
static kern_return_t client_stop(IOService *self, IOService *provider)
{
	while (atomic_load(&hold_stop)) {
		IOSleep(1);
	}
	return IOServiceSuperStop(&client_class, self, provider);
}

static const OSDriverClass service_class = {
	.name = "TestService",
	.super = &IOServiceClass,
	.Start = service_start,
	.Stop = service_stop,
	.NewUserClient = fixture_new_user_client,
};
static const OSDriverClass client_class = {
	.name = "TestClient",
	.super = &IOUserClientClass,
	.Stop = client_stop,
	.ExternalMethod = client_method,
	.CopyClientMemoryForType = copy_memory,
};
static const OSDriverClass *const classes[] = {&service_class, &client_class, NULL};

static struct dx_wire_map_reply map(struct app *app, uint16_t type, uint32_t memory_type,
				    int32_t *ret_status, size_t *ret_nr_fds)
{
	struct dx_wire_map body = {.memory_type = memory_type};
	struct dx_wire_message_in reply;

	*ret_status = app_request(app, type, &body, sizeof(body), &reply);
	struct dx_wire_map_reply copy = *(const struct dx_wire_map_reply *)reply.view.body;
	*ret_nr_fds = reply.nr_fds;
	dx_wire_message_in_fini(&reply);
	return copy;
}

TEST(map_describes_the_memory_and_unmap_names_the_same)
{
	struct fixture fixture;
	struct app app;
	int32_t status = 0;
	size_t nr_fds = 0;

	fixture_begin(&fixture, classes, &app);
	struct dx_wire_map_reply first = map(&app, DX_WIRE_C_MAP, MEMORY_RW, &status, &nr_fds);
	CHECK_EQ(status, 0);
	CHECK_EQ(nr_fds, 1);
	CHECK_EQ(first.length, 5000);
	CHECK_EQ(first.nr_slices, 1);
	CHECK_EQ(first.flags, 0);
	CHECK_NE(first.memory_id, 0);
	struct dx_wire_map_reply again = map(&app, DX_WIRE_C_UNMAP, MEMORY_RW, &status, &nr_fds);
	CHECK_EQ(status, 0);
	CHECK_EQ(nr_fds, 0);
	CHECK_EQ(again.memory_id, first.memory_id);
	struct dx_wire_map_reply pair = map(&app, DX_WIRE_C_MAP, MEMORY_PAIR, &status, &nr_fds);
	CHECK_EQ(nr_fds, 2);
	CHECK_EQ(pair.length, 8192);
	CHECK_NE(pair.memory_id, first.memory_id);
	struct dx_wire_map_reply read_only = map(&app, DX_WIRE_C_MAP, MEMORY_RO, &status, &nr_fds);
	CHECK_EQ(status, 0);
	CHECK_EQ(read_only.flags, DX_WIRE_MAP_READ_ONLY);
	fixture_end(&fixture, &app);
}

TEST(map_reports_what_the_driver_said)
{
	struct fixture fixture;
	struct app app;
	int32_t status = 0;
	size_t nr_fds = 0;

	fixture_begin(&fixture, classes, &app);
	struct dx_wire_map_reply none = map(&app, DX_WIRE_C_MAP, MEMORY_NONE, &status, &nr_fds);
	CHECK_EQ(status, 0);
	CHECK_EQ(none.memory_id, 0);
	CHECK_EQ(none.length, 0);
	(void)map(&app, DX_WIRE_C_MAP, MEMORY_ERROR, &status, &nr_fds);
	CHECK_EQ(status, kIOReturnBusy);
	(void)map(&app, DX_WIRE_C_MAP, 1000, &status, &nr_fds);
	CHECK_EQ(status, kIOReturnUnsupported);
	fixture_end(&fixture, &app);
}

TEST(read_only_hand_out_cannot_be_mapped_writable)
{
	struct fixture fixture;
	struct app app;
	struct dx_wire_map body = {.memory_type = MEMORY_RO};
	struct dx_wire_message_in reply;

	fixture_begin(&fixture, classes, &app);
	CHECK_EQ(app_request(&app, DX_WIRE_C_MAP, &body, sizeof(body), &reply), 0);
	CHECK(mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, reply.fds[0], 0) == MAP_FAILED);
	void *readable = mmap(NULL, 4096, PROT_READ, MAP_SHARED, reply.fds[0], 0);
	CHECK(readable != MAP_FAILED);
	CHECK_EQ(munmap(readable, 4096), 0);
	dx_wire_message_in_fini(&reply);
	fixture_end(&fixture, &app);
}

TEST(close_is_answered_and_ends_the_client)
{
	struct fixture fixture;
	struct app app;
	struct dx_wire_message_in reply;

	fixture_begin(&fixture, classes, &app);
	CHECK_EQ(app_request(&app, DX_WIRE_C_CLOSE, NULL, 0, &reply), 0);
	dx_wire_message_in_fini(&reply);
	CHECK(wait_counter(&fixture.reports.entry_removed, 1));
	CHECK_EQ(app_call(&app, 0, NULL, 0, NULL, NULL), -ECONNRESET);
	fixture_end(&fixture, &app);
}

/* ---- memory of the application ---- */

static struct dx_shm *shm_with(const char *text, uint64_t size)
{
	struct dx_shm_options options = {.name = "application", .length = size};
	struct dx_shm *shm = NULL;

	CHECK_EQ(dx_shm_new(&options, &shm), 0);
	memcpy(dx_shm_base(shm), text, strlen(text) + 1);
	return shm;
}

static void grant(struct app *app, uint64_t id, struct dx_shm *shm, uint64_t length)
{
	struct dx_wire_grant body = {.ask_id = id, .length = length};
	int fd = dx_shm_handout(shm, false);

	CHECK_GE(fd, 0);
	CHECK_EQ(dx_link_send(app->socket, DX_WIRE_C_GRANT, 0, 0, &body, sizeof(body), NULL, 0, &fd, 1,
			      false),
		 0);
}

TEST(large_structures_arrive_as_descriptors)
{
	struct fixture fixture;
	struct app app;
	struct dx_shm *in = shm_with("input", 10000);
	struct dx_shm *out = shm_with("", 9000);
	struct dx_channel_request request = {
		.kind = DX_CALL_METHOD,
		.flags = DX_CALL_IN_GRANT | DX_CALL_OUT_GRANT,
		.selector = DESCRIPTORS,
		.in_address = DX_GRANT_OF_CALL | 1,
		.in_length = 10000,
		.out_address = DX_GRANT_OF_CALL | 2,
		.out_length = 9000,
		.max_bytes = 9000,
	};
	struct dx_channel_response response = {0};

	fixture_begin(&fixture, classes, &app);
	grant(&app, DX_GRANT_OF_CALL | 1, in, 10000);
	grant(&app, DX_GRANT_OF_CALL | 2, out, 9000);
	CHECK_EQ(dx_channel_app_call(app.channel, &request, &response), 0);
	CHECK_EQ(response.result, 0);
	CHECK_STR_EQ(dx_shm_base(out), "output");
	(void)dx_shm_unref(in);
	(void)dx_shm_unref(out);
	fixture_end(&fixture, &app);
}

TEST(call_that_names_no_grant_is_cut_off)
{
	struct fixture fixture;
	struct app app;
	struct dx_channel_request request = {
		.kind = DX_CALL_METHOD,
		.flags = DX_CALL_IN_GRANT,
		.in_address = DX_GRANT_OF_CALL | 7,
		.in_length = 10000,
	};
	struct dx_channel_response response = {0};

	fixture_begin(&fixture, classes, &app);
	CHECK_EQ(dx_channel_app_call(app.channel, &request, &response), -ECONNRESET);
	CHECK(wait_counter(&fixture.reports.entry_removed, 1));
	fixture_end(&fixture, &app);
}

struct answerer {
	struct app *app;
	struct dx_shm *shm;
	uint64_t length;
	int32_t status;
	unsigned nr_asked;
	uint32_t kind;
	uint32_t flags;
};

static int32_t answer_ask(void *context, const struct dx_channel_ask *ask, uint64_t *ret_value)
{
	struct answerer *answerer = context;

	(void)ret_value;
	answerer->nr_asked++;
	answerer->kind = ask->kind;
	answerer->flags = ask->flags;
	if (answerer->status == 0) {
		grant(answerer->app, ask->id, answerer->shm,
		      ask->kind == DX_ASK_OUTPUT ? ask->length : answerer->length);
	}
	return answerer->status;
}

static kern_return_t call_asking(struct app *app, uint64_t selector, struct answerer *answerer,
				 uint64_t *ret_value)
{
	static const uint64_t in[2] = {0x1000, 8192};
	struct dx_channel_request request = {
		.kind = DX_CALL_METHOD,
		.flags = selector == LONG_OUTPUT ? DX_CALL_VARIABLE : 0,
		.selector = selector,
		.scalars = in,
		.nr_scalars = 2,
		.ask = answer_ask,
		.ask_context = answerer,
	};
	struct dx_channel_response response = {0};

	answerer->app = app;
	CHECK_EQ(dx_channel_app_call(app->channel, &request, &response), 0);
	*ret_value = response.value;
	return response.result;
}

TEST(memory_of_the_application_is_asked_for_and_shared)
{
	struct fixture fixture;
	struct app app;
	struct answerer answerer = {.shm = shm_with("mine", 8192), .length = 8192};
	uint64_t value = 0;

	fixture_begin(&fixture, classes, &app);
	CHECK_EQ(call_asking(&app, ASK, &answerer, &value), 0);
	CHECK_EQ(answerer.kind, DX_ASK_MEMORY);
	CHECK_EQ(answerer.flags, DX_ASK_WRITE);
	CHECK_STR_EQ(dx_shm_base(answerer.shm), "yours");
	memcpy(dx_shm_base(answerer.shm), "mine", sizeof("mine"));
	CHECK_EQ(call_asking(&app, ASK_COPY, &answerer, &value), 0);
	CHECK_EQ(answerer.flags, DX_ASK_COPY);
	CHECK_STR_EQ(dx_shm_base(answerer.shm), "mine");
	CHECK_EQ(answerer.nr_asked, 2);
	(void)dx_shm_unref(answerer.shm);
	fixture_end(&fixture, &app);
}

TEST(refused_questions_become_results)
{
	struct fixture fixture;
	struct app app;
	struct answerer answerer = {.shm = shm_with("mine", 8192), .length = 8192};
	uint64_t value = 0;

	fixture_begin(&fixture, classes, &app);
	answerer.status = -EFAULT;
	CHECK_EQ(call_asking(&app, ASK, &answerer, &value), kIOReturnBadArgument);
	answerer.status = -ENOMEM;
	CHECK_EQ(call_asking(&app, ASK, &answerer, &value), kIOReturnNoMemory);
	answerer.status = -EDQUOT;
	CHECK_EQ(call_asking(&app, ASK, &answerer, &value), kIOReturnNoResources);
	answerer.status = 0;
	answerer.length = 4096; /* not what was asked for */
	CHECK_EQ(call_asking(&app, ASK, &answerer, &value), kIOReturnBadArgument);
	CHECK_EQ(call_asking(&app, ASK_TOO_MANY, &answerer, &value), kIOReturnOverrun);
	CHECK_EQ(call_asking(&app, ASK_BAD, &answerer, &value), kIOReturnBadArgument);
	CHECK_EQ(call_asking(&app, ENTITLEMENTS, &answerer, &value), 0);
	(void)dx_shm_unref(answerer.shm);
	fixture_end(&fixture, &app);
}

TEST(long_variable_output_goes_to_memory_of_the_application)
{
	struct fixture fixture;
	struct app app;
	struct answerer answerer = {.shm = shm_with("", 100003), .length = 100003};
	uint64_t value = 0;

	fixture_begin(&fixture, classes, &app);
	CHECK_EQ(call_asking(&app, LONG_OUTPUT, &answerer, &value), 0);
	CHECK_EQ(answerer.kind, DX_ASK_OUTPUT);
	CHECK_EQ(value, DX_ANSWER_STRUCTURE | 100003);
	CHECK_MEM_EQ((char *)dx_shm_base(answerer.shm) + 100000, "end", 3);
	(void)dx_shm_unref(answerer.shm);
	fixture_end(&fixture, &app);
}

static int32_t hang_up(void *context, const struct dx_channel_ask *ask, uint64_t *ret_value)
{
	struct app *app = context;

	(void)ask;
	(void)ret_value;
	dx_fd_close(&app->socket);
	IOSleep(100);
	return -EFAULT;
}

TEST(application_that_dies_while_asked_ends_the_wait)
{
	struct fixture fixture;
	struct app app;
	static const uint64_t in[2] = {0x1000, 8192};
	struct dx_channel_request request = {.kind = DX_CALL_METHOD, .selector = ASK, .scalars = in,
					     .nr_scalars = 2, .ask = hang_up, .ask_context = &app};
	struct dx_channel_response response = {0};

	fixture_begin(&fixture, classes, &app);
	(void)dx_channel_app_call(app.channel, &request, &response);
	CHECK(wait_counter(&fixture.reports.entry_removed, 1));
	fixture_end(&fixture, &app);
}

/* ---- applications that misbehave ---- */

static void check_cut_off(uint16_t type, const void *body, size_t length, const int *fds,
			  size_t nr_fds, unsigned times)
{
	struct fixture fixture;
	struct app app;
	struct app other;
	uint64_t value = 0;
	struct answerer answerer = {0};

	fixture_begin(&fixture, classes, &app);
	CHECK_EQ(fixture_open(&fixture, 0, &other), 0);
	for (unsigned i = 0; i < times; i++) {
		(void)dx_link_send(app.socket, type, 1, 0, body, length, NULL, 0, fds, nr_fds, false);
	}
	CHECK(wait_counter(&fixture.reports.entry_removed, 1));
	CHECK_EQ(app_call(&app, 0, NULL, 0, NULL, NULL), -ECONNRESET);
	CHECK_EQ(call_asking(&other, ENTITLEMENTS, &answerer, &value), 0);
	app_close(&app);
	fixture_end(&fixture, &other);
}

TEST(message_of_another_conversation_is_cut_off)
{
	check_cut_off(DX_WIRE_A_STATUS, NULL, 0, NULL, 0, 1);
}

TEST(garbage_on_the_socket_is_cut_off)
{
	struct fixture fixture;
	struct app app;

	fixture_begin(&fixture, classes, &app);
	CHECK_EQ(send(app.socket, "garbage", 7, 0), 7);
	CHECK(wait_counter(&fixture.reports.entry_removed, 1));
	fixture_end(&fixture, &app);
}

/* Who waits in its run loop for completions is not to wait for the driver's Stop. */
TEST(cut_off_is_told_before_the_client_has_stopped)
{
	struct fixture fixture;
	struct app app;
	char byte = 0;

	fixture_begin(&fixture, classes, &app);
	atomic_store(&hold_stop, true);
	CHECK_EQ(send(app.socket, "garbage", 7, 0), 7);
	CHECK_EQ(recv(app.socket, &byte, sizeof(byte), 0), 0); /* until it is hung up */
	atomic_store(&hold_stop, false);
	CHECK(wait_counter(&fixture.reports.entry_removed, 1));
	fixture_end(&fixture, &app);
}

TEST(descriptor_where_none_belongs_is_cut_off)
{
	struct dx_wire_map body = {0};
	int fd = STDERR_FILENO;

	check_cut_off(DX_WIRE_C_MAP, &body, sizeof(body), &fd, 1, 1);
}

TEST(grant_without_descriptor_is_cut_off)
{
	struct dx_wire_grant body = {.ask_id = 1, .length = 1};

	check_cut_off(DX_WIRE_C_GRANT, &body, sizeof(body), NULL, 0, 1);
}

TEST(flood_of_grants_is_cut_off)
{
	struct dx_wire_grant body = {.ask_id = 1, .length = 1};
	int fd = STDERR_FILENO;

	check_cut_off(DX_WIRE_C_GRANT, &body, sizeof(body), &fd, 1, 200);
}

TEST(flood_of_requests_without_reading_ends_only_the_flooder)
{
	struct fixture fixture;
	struct app app;
	struct dx_wire_map body = {.memory_type = MEMORY_NONE};
	int result = 0;

	fixture_begin(&fixture, classes, &app);
	for (uint32_t i = 1; i < 100000 && result == 0; i++) {
		result = dx_link_send(app.socket, DX_WIRE_C_MAP, i, 0, &body, sizeof(body), NULL, 0,
				      NULL, 0, false);
	}
	CHECK(wait_counter(&fixture.reports.entry_removed, 1));
	fixture_end(&fixture, &app);
}
