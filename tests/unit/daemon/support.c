/* SPDX-License-Identifier: MIT
 *
 * support - broker and clients for daemon tests; see support.h.
 */
#include "support.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "backend/virtual/virtual.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/plist.h"
#include "fake_host.h"
#include "test.h"
#include "wire/address.h"

#define MAX_KEPT 4096

static const struct dx_usb_backend_ops *const backends[] = {&dx_backend_virtual, NULL};

/* Events that came while a reply was awaited. */
static struct {
	int socket;
	struct dx_wire_event event;
} kept[MAX_KEPT];
static size_t nr_kept;
static uint32_t last_seq;

void fixture_init(struct fixture *fixture)
{
	*fixture = (struct fixture){.lock = PTHREAD_MUTEX_INITIALIZER};
	CHECK_EQ(dx_private_dir_new("daemon-test", &fixture->directory), 0);
	(void)snprintf(fixture->socket, sizeof(fixture->socket), "%s/s", fixture->directory);
	CHECK_EQ(pipe2(fixture->stop_pipe, O_CLOEXEC), 0);
	CHECK_EQ(pipe2(fixture->ready_pipe, O_CLOEXEC), 0);
	fixture->launcher = fake_launcher(fixture);
	fixture->options = (struct dx_daemon_options){
		.socket_path = fixture->socket,
		.bundles = fixture->bundles,
		.devices = fixture->devices,
		.backends = backends,
		.launcher = &fixture->launcher,
		.is_private = true,
		.ready_fd = fixture->ready_pipe[1],
		.stop_fd = fixture->stop_pipe[0],
		.restart_delay_ms = 1,
	};
}

void fixture_path(struct fixture *fixture, const char *name, char *buffer, size_t size)
{
	CHECK_LT(snprintf(buffer, size, "%s/%s", fixture->directory, name), (int)size);
}

static void write_file(const char *path, const void *bytes, size_t length)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0700);

	CHECK_GE(fd, 0);
	CHECK_EQ(write(fd, bytes, length), length);
	(void)close(fd);
}

void fixture_write_bundle(struct fixture *fixture, const char *name, const char *info, bool with_elf)
{
	const Elf64_Ehdr elf = {
		.e_ident = {ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB, EV_CURRENT},
		.e_type = ET_DYN,
	};
	char path[400];
	char file[600];

	fixture_path(fixture, name, path, sizeof(path));
	(void)snprintf(file, sizeof(file), "%s.dext", path);
	CHECK_EQ(mkdir(file, 0700), 0);
	if (info != NULL) {
		(void)snprintf(file, sizeof(file), "%s.dext/Info.plist", path);
		write_file(file, info, strlen(info));
	}
	if (with_elf) {
		(void)snprintf(file, sizeof(file), "%s.dext/%s", path, name);
		write_file(file, &elf, sizeof(elf));
	}
}

void fixture_bundle(struct fixture *fixture, const char *name, const char *user_class,
		    const char *provider_class, const char *extra)
{
	char info[4096];
	char *path = NULL;

	(void)snprintf(info, sizeof(info),
		       "<?xml version=\"1.0\"?>\n<plist version=\"1.0\">\n<dict>\n"
		       "<key>CFBundleIdentifier</key><string>test.%s</string>\n"
		       "<key>IOKitPersonalities</key><dict><key>One</key><dict>\n"
		       "<key>IOProviderClass</key><string>%s</string>\n"
		       "<key>IOUserClass</key><string>%s</string>\n%s\n"
		       "</dict></dict></dict></plist>\n",
		       name, provider_class, user_class, extra);
	fixture_write_bundle(fixture, name, info, true);
	CHECK_GT(asprintf(&path, "%s/%s.dext", fixture->directory, name), 0);
	fixture->bundles[fixture->options.nr_bundles++] = path;
}

static void *broker_thread(void *context)
{
	struct fixture *fixture = context;

	fixture->result =
		dx_daemon_run(&fixture->options, fixture->message, sizeof(fixture->message));
	return NULL;
}

void fixture_start(struct fixture *fixture)
{
	CHECK_EQ(pthread_create(&fixture->thread, NULL, broker_thread, fixture), 0);
	fixture->running = true;
}

bool fixture_wait_ready(struct fixture *fixture)
{
	char line[2048] = "";
	ssize_t length = read(fixture->ready_pipe[0], line, sizeof(line) - 1);

	CHECK_GT(length, 0);
	return strcmp(line, "ready\n") == 0;
}

void fixture_stop(struct fixture *fixture)
{
	if (fixture->running) {
		CHECK_EQ(write(fixture->stop_pipe[1], "x", 1), 1);
		CHECK_EQ(pthread_join(fixture->thread, NULL), 0);
		fixture->running = false;
		CHECK(access(fixture->socket, F_OK) < 0 || fixture->result < 0);
	}
	for (size_t i = 0; i < FAKE_MAX_HOSTS; i++) {
		CHECK(!fixture->hosts[i].used);
	}
}

void fixture_fini(struct fixture *fixture)
{
	fixture_stop(fixture);
	for (size_t i = 0; i < fixture->options.nr_bundles; i++) {
		free((void *)(uintptr_t)fixture->bundles[i]);
	}
	(void)close(fixture->stop_pipe[0]);
	(void)close(fixture->stop_pipe[1]);
	if (fixture->ready_pipe[0] >= 0) {
		(void)close(fixture->ready_pipe[0]);
	}
	(void)close(fixture->ready_pipe[1]);
	CHECK_EQ(dx_private_dir_remove(fixture->directory), 0);
	free(fixture->directory);
}

void fixture_simple(struct fixture *fixture, const char *user_class)
{
	fixture_init(fixture);
	fixture_bundle(fixture, "Test", user_class, "IOUserResources", "");
	fixture_start(fixture);
	CHECK(fixture_wait_ready(fixture));
}

struct attempt {
	const char *path;
	int socket;
};

static bool is_connected(void *argument)
{
	struct attempt *attempt = argument;

	attempt->socket = dx_address_connect(attempt->path);
	return attempt->socket >= 0;
}

int client_connect(struct fixture *fixture)
{
	const struct dx_wire_hello hello = {.role = DX_WIRE_ROLE_TOOL};
	struct attempt attempt = {.path = fixture->socket};
	int socket = -1;

	CHECK(test_wait_until(is_connected, &attempt, 10000)); /* it may just be starting */
	socket = attempt.socket;
	CHECK_EQ(client_status(socket, DX_WIRE_A_HELLO, &hello, sizeof(hello), NULL, 0), 0);
	return socket;
}

int fixture_start_client(struct fixture *fixture)
{
	fixture_start(fixture);
	CHECK(fixture_wait_ready(fixture));
	return client_connect(fixture);
}

void fixture_end(struct fixture *fixture, int client)
{
	(void)close(client);
	fixture_fini(fixture);
}

/* Any message; fails the test when none comes. */
static void receive(int socket, struct dx_wire_message_in *message)
{
	struct pollfd waiting = {.fd = socket, .events = POLLIN};

	CHECK_EQ(poll(&waiting, 1, 10000), 1);
	CHECK_EQ(dx_link_receive(socket, true, message), 1);
}

void client_call(int socket, uint16_t type, const void *body, size_t body_length, const void *payload,
		 size_t payload_length, struct dx_wire_message_in *ret_reply)
{
	uint32_t seq = ++last_seq;

	CHECK_EQ(dx_link_send(socket, type, seq, 0, body, body_length, payload, payload_length, NULL, 0,
			      false),
		 0);
	for (;;) {
		receive(socket, ret_reply);
		if (ret_reply->view.header.seq == seq) {
			CHECK_EQ(ret_reply->view.header.type, type | DX_WIRE_REPLY);
			return;
		}
		CHECK_EQ(ret_reply->view.header.type, DX_WIRE_A_EVENT);
		CHECK_LT(nr_kept, MAX_KEPT);
		kept[nr_kept].socket = socket;
		memcpy(&kept[nr_kept++].event, ret_reply->view.body, sizeof(kept[0].event));
		dx_wire_message_in_fini(ret_reply);
	}
}

int32_t client_status(int socket, uint16_t type, const void *body, size_t body_length,
		      const void *payload, size_t payload_length)
{
	struct dx_wire_message_in reply;
	int32_t status = 0;

	client_call(socket, type, body, body_length, payload, payload_length, &reply);
	status = reply.view.header.status;
	dx_wire_message_in_fini(&reply);
	return status;
}

struct dx_wire_event client_event(int socket)
{
	struct dx_wire_message_in message;
	struct dx_wire_event event = {0};

	for (size_t i = 0; i < nr_kept; i++) {
		if (kept[i].socket == socket) {
			event = kept[i].event;
			memmove(&kept[i], &kept[i + 1], (nr_kept - i - 1) * sizeof(kept[0]));
			nr_kept--;
			return event;
		}
	}
	receive(socket, &message);
	CHECK_EQ(message.view.header.type, DX_WIRE_A_EVENT);
	memcpy(&event, message.view.body, sizeof(event));
	dx_wire_message_in_fini(&message);
	return event;
}

struct dx_dict *dict_with(const char *key, const char *text)
{
	struct dx_dict *dict = dx_dict_new();

	CHECK(dict != NULL);
	CHECK_EQ(dx_dict_set_string(dict, key, text), 0);
	return dict;
}

static void encode(struct dx_dict *dict, void **ret_bytes, size_t *ret_length)
{
	CHECK_EQ(dx_plist_encode(dict, ret_bytes, ret_length), 0);
	dx_object_unref(dict);
}

static uint64_t match(int socket, const char *name, bool first_only, unsigned *ret_count)
{
	const struct dx_wire_match match = {.first_only = first_only};
	struct dx_wire_message_in reply;
	void *bytes = NULL;
	size_t length = 0;
	uint64_t id = 0;

	encode(dict_with("IONameMatch", name), &bytes, &length);
	client_call(socket, DX_WIRE_A_MATCH, &match, sizeof(match), bytes, length, &reply);
	CHECK_EQ(reply.view.header.status, 0);
	*ret_count = ((const struct dx_wire_ids *)reply.view.body)->count;
	if (*ret_count > 0) {
		memcpy(&id, reply.view.payload, sizeof(id));
	}
	dx_wire_message_in_fini(&reply);
	free(bytes);
	return id;
}

uint64_t client_find(int socket, const char *name)
{
	unsigned count = 0;

	return match(socket, name, true, &count);
}

struct search {
	int socket;
	const char *name;
	uint64_t id;
};

static bool is_found(void *argument)
{
	struct search *search = argument;

	search->id = client_find(search->socket, search->name);
	return search->id != 0;
}

uint64_t client_wait_find(int socket, const char *name)
{
	struct search search = {.socket = socket, .name = name};

	CHECK(test_wait_until(is_found, &search, 10000));
	return search.id;
}

static bool is_not_found(void *argument)
{
	return !is_found(argument);
}

void client_wait_not_found(int socket, const char *name)
{
	struct search search = {.socket = socket, .name = name};

	CHECK(test_wait_until(is_not_found, &search, 10000));
}

static bool is_gone(void *argument)
{
	const struct search *search = argument;
	struct dx_dict *entry = client_entry(search->socket, search->id);
	bool gone = entry == NULL || dx_dict_get_string(entry, DX_ENTRY_PATH_KEY, NULL) == NULL;

	dx_object_unref(entry);
	return gone;
}

void client_wait_gone(int socket, uint64_t id)
{
	struct search search = {.socket = socket, .id = id};

	CHECK(test_wait_until(is_gone, &search, 10000));
}

unsigned client_count(int socket, const char *name)
{
	unsigned count = 0;

	(void)match(socket, name, false, &count);
	return count;
}

unsigned client_devices(int socket, const char *state, uint64_t *ret_id)
{
	struct dx_wire_message_in reply;
	const struct dx_array *devices = NULL;
	void *status = NULL;
	unsigned count = 0;

	client_call(socket, DX_WIRE_A_STATUS, NULL, 0, NULL, 0, &reply);
	CHECK_EQ(dx_wire_message_value(&reply, &dx_dict_class, &status), 0);
	dx_wire_message_in_fini(&reply);
	devices = dx_dict_get_array(status, "devices");
	for (size_t i = 0; i < dx_array_count(devices); i++) {
		const struct dx_dict *device = dx_array_get(devices, i);

		if (state[0] == '\0' ||
		    strcmp(dx_dict_get_string(device, "problem", ""), state) == 0 ||
		    strcmp(dx_dict_get_string(device, "state", ""), state) == 0) {
			count++;
			if (ret_id != NULL) {
				*ret_id = dx_dict_get_u64(device, "id", 0);
			}
		}
	}
	dx_object_unref(status);
	return count;
}

struct expectation {
	int socket;
	const char *text;
	unsigned count;
};

static bool devices_are(void *argument)
{
	const struct expectation *expected = argument;

	return client_devices(expected->socket, expected->text, NULL) == expected->count;
}

void client_wait_devices(int socket, const char *state, unsigned count)
{
	struct expectation expected = {socket, state, count};

	CHECK(test_wait_until(devices_are, &expected, 10000));
}

static bool services_are(void *argument)
{
	const struct expectation *expected = argument;

	return client_count(expected->socket, expected->text) == expected->count;
}

void client_wait_count(int socket, const char *name, unsigned count)
{
	struct expectation expected = {socket, name, count};

	CHECK(test_wait_until(services_are, &expected, 10000));
}

void client_wait_quiet(int socket)
{
	const struct dx_wire_wait wait = {.timeout_ns = 15000000000ull};

	CHECK_EQ(client_status(socket, DX_WIRE_A_WAIT_QUIET, &wait, sizeof(wait), NULL, 0), 0);
}

int32_t client_attach(int socket, const char *spec, uint64_t *ret_id)
{
	struct dx_wire_message_in reply;
	int32_t status = 0;

	client_call(socket, DX_WIRE_A_ATTACH, NULL, 0, spec, strlen(spec), &reply);
	status = reply.view.header.status;
	if (status == 0 && ret_id != NULL) {
		*ret_id = ((const struct dx_wire_id *)reply.view.body)->id;
	}
	dx_wire_message_in_fini(&reply);
	return status;
}

int32_t client_detach(int socket, uint64_t id)
{
	const struct dx_wire_id body = {.id = id};

	return client_status(socket, DX_WIRE_A_DETACH, &body, sizeof(body), NULL, 0);
}

struct dx_dict *client_entry(int socket, uint64_t id)
{
	const struct dx_wire_entry body = {.id = id, .flags = DX_WIRE_ENTRY_PROPERTIES};
	struct dx_wire_message_in reply;
	void *value = NULL;

	client_call(socket, DX_WIRE_A_ENTRY, &body, sizeof(body), NULL, 0, &reply);
	if (reply.view.header.status == 0) {
		CHECK_EQ(dx_wire_message_value(&reply, &dx_dict_class, &value), 0);
	}
	dx_wire_message_in_fini(&reply);
	return value;
}

uint64_t client_watch(int socket, uint64_t cookie, const char *kind, const char *name)
{
	struct dx_wire_watch watch = {.cookie = cookie};
	struct dx_wire_message_in reply;
	void *bytes = NULL;
	size_t length = 0;
	uint64_t count = 0;

	(void)snprintf(watch.kind, sizeof(watch.kind), "%s", kind);
	encode(dict_with("IONameMatch", name), &bytes, &length);
	client_call(socket, DX_WIRE_A_WATCH_MATCHING, &watch, sizeof(watch), bytes, length, &reply);
	CHECK_EQ(reply.view.header.status, 0);
	count = ((const struct dx_wire_ids *)reply.view.body)->count;
	dx_wire_message_in_fini(&reply);
	free(bytes);
	return count;
}

int32_t client_interest(int socket, uint64_t cookie, const char *kind, uint64_t id)
{
	struct dx_wire_watch watch = {.cookie = cookie, .id = id};

	(void)snprintf(watch.kind, sizeof(watch.kind), "%s", kind);
	return client_status(socket, DX_WIRE_A_WATCH_INTEREST, &watch, sizeof(watch), NULL, 0);
}

int32_t client_open(int socket, uint64_t id, int *ret_fd)
{
	const struct dx_wire_open body = {.id = id, .type = 0};
	struct dx_wire_message_in reply;
	int32_t status = 0;

	client_call(socket, DX_WIRE_A_OPEN, &body, sizeof(body), NULL, 0, &reply);
	status = reply.view.header.status;
	if (status == 0) {
		CHECK_GT(((const struct dx_wire_id *)reply.view.body)->id, 0);
		*ret_fd = dx_take_fd(&reply.fds[0]);
	}
	dx_wire_message_in_fini(&reply);
	return status;
}

int32_t client_text(int socket, uint16_t type, const char *text, char *ret_text, size_t size)
{
	struct dx_wire_message_in reply;
	char *answer = NULL;
	int32_t status = 0;

	client_call(socket, type, NULL, 0, text, strlen(text), &reply);
	status = reply.view.header.status;
	CHECK_EQ(dx_wire_message_text(&reply, 2000, &answer), 0);
	if (ret_text != NULL) {
		(void)snprintf(ret_text, size, "%s", answer);
	}
	free(answer);
	dx_wire_message_in_fini(&reply);
	return status;
}
