/* SPDX-License-Identifier: MIT
 *
 * fixture - see fixture.h.
 */
#include "fixture.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "backend/virtual/virtual.h"
#include "base/cleanup.h"

/* "memory:...": a virtual device whose controller has memory of its own, as much as is asked for up to
 * 64 KiB. */
static struct dx_usb_backend_ops with_memory;

static bool with_memory_accepts(const char *spec)
{
	return strncmp(spec, "memory:", 7) == 0;
}

static int with_memory_open(const char *spec, int fd, const struct dx_usb_backend_host *host,
			    void *host_ctx, char *message, size_t message_size,
			    struct dx_usb_backend **ret_backend)
{
	char text[256];

	(void)snprintf(text, sizeof(text), "virtual:%s", spec + 7);
	return dx_backend_virtual.open(text, fd, host, host_ctx, message, message_size, ret_backend);
}

static int with_memory_alloc(struct dx_usb_backend *backend, size_t length, void **ret_base)
{
	void *base = MAP_FAILED;

	(void)backend;
	if (length <= 65536) {
		base = mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	}
	if (base == MAP_FAILED) {
		return -ENOMEM;
	}
	*ret_base = base;
	return 0;
}

__attribute__((constructor)) static void make_with_memory(void)
{
	with_memory = dx_backend_virtual;
	with_memory.name = "memory";
	with_memory.accepts = with_memory_accepts;
	with_memory.open = with_memory_open;
	with_memory.buffer_alloc = with_memory_alloc;
}

static const struct dx_usb_backend_ops *const backends[] = {&dx_backend_virtual, &with_memory, NULL};

#define REPORT(name, ...)                                   \
	static void on_##name(void *context, ##__VA_ARGS__) \
	{                                                   \
		struct reports *reports = context;          \
		reports->last_id = id;                      \
		reports->name++;                            \
	}

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wunused-parameter"
REPORT(watch_wanted, uint64_t id, const struct dx_dict *matching)
REPORT(watch_ended, uint64_t id)
REPORT(registered, uint64_t id)
REPORT(renamed, uint64_t id, const char *name)
REPORT(properties_set, uint64_t id, const struct dx_dict *properties)
REPORT(property_removed, uint64_t id, const char *key)
REPORT(entry_added, uint64_t id, uint64_t parent, const char *class_name, const char *name,
	const struct dx_dict *properties)
REPORT(entry_removed, uint64_t id)
REPORT(terminate_wanted, uint64_t id)
REPORT(device_lost, uint64_t id, bool was_reset)
REPORT(configured, uint64_t id, uint8_t value, bool match)
REPORT(busy_adjusted, uint64_t id, int32_t delta)
#pragma GCC diagnostic pop

static const struct dx_runtime_ops ops = {
	.watch_wanted = on_watch_wanted,
	.watch_ended = on_watch_ended,
	.registered = on_registered,
	.renamed = on_renamed,
	.properties_set = on_properties_set,
	.property_removed = on_property_removed,
	.entry_added = on_entry_added,
	.entry_removed = on_entry_removed,
	.terminate_wanted = on_terminate_wanted,
	.device_lost = on_device_lost,
	.configured = on_configured,
	.busy_adjusted = on_busy_adjusted,
};

static struct dx_dict *description(const char *user_class, const char *kernel_class)
{
	struct dx_dict *dict = dx_dict_new();

	CHECK_EQ(dx_dict_set_string(dict, "IOClass", kernel_class), 0);
	CHECK_EQ(dx_dict_set_string(dict, "IOUserClass", user_class), 0);
	return dict;
}

static void add_description(struct dx_dict *dict, const char *key, const char *user_class,
			    const char *kernel_class)
{
	struct dx_dict *value = description(user_class, kernel_class);

	CHECK_EQ(dx_dict_set(dict, key, value), 0);
	(void)dx_object_unref(value);
}

void fixture_init(struct fixture *fixture, const OSDriverClass *const *classes)
{
	struct dx_runtime_options options = {
		.name = "test.driver",
		.classes = classes,
		.backends = backends,
		.first_id = FIXTURE_FIRST_ID,
		.nr_ids = 1000,
		.spin_budget_ns = 20000,
		.ops = &ops,
		.ops_context = &fixture->reports,
	};

	*fixture = (struct fixture){0};
	CHECK_EQ(dx_runtime_new(&options, &fixture->runtime), 0);
	fixture->properties = dx_dict_new();
	CHECK_EQ(dx_dict_set_string(fixture->properties, "IOClass", "IOUserService"), 0);
	CHECK_EQ(dx_dict_set_u64(fixture->properties, "Answer", 42, 32), 0);
	add_description(fixture->properties, "UserClientProperties", "TestClient",
			"IOUserUserClient");
	add_description(fixture->properties, "ChildProperties", "TestChild", "IOUserService");
	add_description(fixture->properties, "UnknownClass", "Nobody", "IOUserUserClient");
	add_description(fixture->properties, "UnknownKernelClass", "TestClient", "IOFancy");
}

void fixture_fini(struct fixture *fixture)
{
	(void)dx_object_unref(fixture->properties);
	fixture->runtime = dx_runtime_free(fixture->runtime);
}

void outcome_done(void *context, IOReturn status, uint64_t id)
{
	struct outcome *outcome = context;

	outcome->status = status;
	outcome->id = id;
	outcome->done = true;
}

static bool flag_is_set(void *flag)
{
	return *(_Atomic bool *)flag;
}

bool wait_flag(_Atomic bool *flag)
{
	return test_wait_until(flag_is_set, flag, 3000);
}

bool outcome_wait(struct outcome *outcome)
{
	return wait_flag(&outcome->done);
}

struct counter_goal {
	_Atomic unsigned *counter;
	unsigned value;
};

static bool counter_reached(void *context)
{
	const struct counter_goal *goal = context;

	return *goal->counter >= goal->value;
}

bool wait_counter(_Atomic unsigned *counter, unsigned value)
{
	struct counter_goal goal = {counter, value};

	return test_wait_until(counter_reached, &goal, 3000);
}

kern_return_t fixture_start(struct fixture *fixture, const char *class_name,
			    const char *provider_class, const char *spec)
{
	struct outcome outcome = {0};
	struct dx_dict *provider_properties = dx_dict_new();
	char message[256] = "";
	struct dx_runtime_provider provider = {
		.id = FIXTURE_PROVIDER_ID,
		.class_name = provider_class,
		.name = "provider",
		.properties = provider_properties,
		.spec = spec,
		.device_id = FIXTURE_PROVIDER_ID,
	};

	CHECK_EQ(dx_dict_set_u64(provider_properties, "bInterfaceNumber", 0, 8), 0);
	CHECK_EQ(dx_dict_set_u64(provider_properties, "bConfigurationValue", 3, 8), 0);
	CHECK_EQ(dx_dict_set_string(provider_properties, "OfProvider", "yes"), 0);
	int result = dx_runtime_start(fixture->runtime, FIXTURE_SERVICE_ID, class_name,
				      fixture->properties, &provider, message, sizeof(message),
				      outcome_done, &outcome);
	(void)dx_object_unref(provider_properties);
	if (result < 0) {
		return result;
	}
	CHECK(outcome_wait(&outcome));
	return outcome.status;
}

kern_return_t fixture_terminate(struct fixture *fixture)
{
	struct outcome outcome = {0};
	int result = dx_runtime_terminate(fixture->runtime, FIXTURE_SERVICE_ID, outcome_done,
					  &outcome);

	if (result < 0) {
		return result;
	}
	CHECK(outcome_wait(&outcome));
	return outcome.status;
}

static void receive_channel(struct app *app)
{
	struct dx_wire_message_in message;
	struct dx_channel_app_options options = {.spin_budget_ns = 20000};
	int fds[DX_CHANNEL_NR_FDS];

	CHECK_EQ(dx_link_receive(app->socket, false, &message), 1);
	CHECK_EQ(message.view.header.type, DX_WIRE_C_CHANNEL);
	CHECK_EQ(message.nr_fds, DX_CHANNEL_NR_FDS);
	for (unsigned i = 0; i < DX_CHANNEL_NR_FDS; i++) {
		fds[i] = dx_take_fd(&message.fds[i]);
	}
	app->id = ((const struct dx_wire_channel *)message.view.body)->client_id;
	dx_wire_message_in_fini(&message);
	CHECK_EQ(dx_channel_app_open(&options, fds, &app->channel), 0);
}

kern_return_t fixture_open(struct fixture *fixture, uint32_t type, struct app *app)
{
	struct dx_runtime_opener opener = {.pid = 7, .uid = 0, .name = "tester"};
	struct outcome outcome = {0};
	int sockets[2];

	*app = (struct app){.socket = -1};
	CHECK_EQ(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets), 0);
	int result = dx_runtime_open(fixture->runtime, FIXTURE_SERVICE_ID, type, &opener,
				     &sockets[1], outcome_done, &outcome);
	if (result < 0) {
		(void)close(sockets[0]);
		(void)close(sockets[1]);
		return result;
	}
	CHECK_EQ(sockets[1], -1);
	CHECK(outcome_wait(&outcome));
	if (outcome.status != 0) {
		(void)close(sockets[0]);
		return outcome.status;
	}
	app->socket = sockets[0];
	receive_channel(app);
	CHECK_EQ(app->id, outcome.id);
	return 0;
}

void app_close(struct app *app)
{
	dx_channel_app_close(app->channel);
	app->channel = dx_channel_app_free(app->channel);
	dx_fd_close(&app->socket);
}

kern_return_t fixture_new_user_client(IOService *self, uint32_t type, IOUserClient **client)
{
	IOService *made = NULL;
	kern_return_t status = IOServiceCreate(self, "UserClientProperties", &made);

	(void)type;
	*client = OSDynamicCast(IOUserClient, made);
	return status;
}

void fixture_begin(struct fixture *fixture, const OSDriverClass *const *classes, struct app *app)
{
	fixture_init(fixture, classes);
	CHECK_EQ(fixture_start(fixture, "TestService", "IOUserResources", NULL), 0);
	CHECK_EQ(fixture_open(fixture, 0, app), 0);
}

void fixture_end(struct fixture *fixture, struct app *app)
{
	app_close(app);
	CHECK_EQ(fixture_terminate(fixture), 0);
	fixture_fini(fixture);
}

kern_return_t app_call(struct app *app, uint64_t selector, const uint64_t *in, uint32_t nr_in,
		       uint64_t *out, uint32_t *nr_out)
{
	struct dx_channel_request request = {
		.kind = DX_CALL_METHOD,
		.selector = selector,
		.scalars = in,
		.nr_scalars = nr_in,
		.max_scalars = nr_out == NULL ? 0 : *nr_out,
	};
	struct dx_channel_response response = {
		.scalars = out,
		.nr_scalars = nr_out == NULL ? 0 : *nr_out,
	};
	int result = dx_channel_app_call(app->channel, &request, &response);

	if (result < 0) {
		return result;
	}
	if (nr_out != NULL) {
		*nr_out = response.nr_scalars;
	}
	return response.result;
}

int32_t app_request(struct app *app, uint16_t type, const void *body, size_t length,
		    struct dx_wire_message_in *reply)
{
	uint32_t seq = ++app->last_seq;

	CHECK_EQ(dx_link_send(app->socket, type, seq, 0, body, length, NULL, 0, NULL, 0, false), 0);
	do {
		CHECK_EQ(dx_link_receive(app->socket, false, reply), 1);
	} while (reply->view.header.type == DX_WIRE_C_WAKE);
	CHECK_EQ(reply->view.header.type, type | DX_WIRE_REPLY);
	CHECK_EQ(reply->view.header.seq, seq);
	return reply->view.header.status;
}

static bool try_next(void *context)
{
	void **pair = context;

	return dx_channel_app_next(((struct app *)pair[0])->channel, pair[1]) == 1;
}

bool app_next(struct app *app, struct dx_channel_note *note)
{
	void *pair[2] = {app, note};

	return test_wait_until(try_next, pair, 2000);
}
