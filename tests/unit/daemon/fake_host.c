/* SPDX-License-Identifier: MIT
 *
 * fake_host - the host's side of W-H, as small as it can be; see support.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/value.h"
#include "fake_host.h"
#include "test.h"

#define MAX_SERVICES 32
#define MAX_CLIENTS  2048

struct service {
	uint64_t id;
	uint64_t provider_id;
	char class[64];
};

struct fake {
	int socket;
	struct fixture *fixture;
	uint64_t next_id;
	struct service services[MAX_SERVICES];
	int nr_services;
	struct {
		int fd;
		uint64_t id;
	} clients[MAX_CLIENTS];
	int nr_clients;
	bool stopped; /* the last service has gone */
	uint32_t slow_open_seq;
};

static void say(const struct fake *fake, uint16_t type, uint32_t seq, int32_t status,
		const void *body, size_t length, const char *text)
{
	(void)dx_link_send(fake->socket, type, seq, status, body, length, text,
			   text == NULL ? 0 : strlen(text), NULL, 0, false);
}

static void say_id(const struct fake *fake, uint16_t type, uint64_t id, const char *text)
{
	const struct dx_wire_id body = {.id = id};

	say(fake, type, 0, 0, &body, sizeof(body), text);
}

static bool is(const char *class, const char *name)
{
	return strncmp(class, name, strlen(name)) == 0;
}

static void set_properties(const struct fake *fake, uint64_t id, size_t nr_bytes)
{
	const struct dx_wire_id body = {.id = id};
	struct dx_dict *dict = dx_dict_new();

	if (nr_bytes == 0) {
		(void)dx_dict_set_u64(dict, "answer", 42, 32);
		(void)dx_dict_set_string(dict, "other", "text");
	} else {
		struct dx_data *data = dx_data_new(NULL, nr_bytes);

		(void)dx_dict_set(dict, "large", data);
		dx_object_unref(data);
	}
	(void)dx_link_send_value(fake->socket, DX_WIRE_H_SET_PROPERTIES, 0, 0, &body, sizeof(body), dict,
				 false);
	dx_object_unref(dict);
}

static void adjust_busy(const struct fake *fake, uint64_t id, int32_t delta)
{
	const struct dx_wire_adjust body = {.id = id, .delta = delta};

	say(fake, DX_WIRE_H_ADJUST_BUSY, 0, 0, &body, sizeof(body), NULL);
}

/* ConfigureNMatch, ConfigureN: the configuration with value N. */
static void configure(const struct fake *fake, const struct service *service)
{
	const struct dx_wire_configured body = {
		.id = service->provider_id,
		.value = (uint32_t)(service->class[strlen("Configure")] - '0'),
		.flags = strstr(service->class, "Match") != NULL ? DX_CONFIGURED_MATCH : 0,
	};

	say(fake, DX_WIRE_H_CONFIGURED, 0, 0, &body, sizeof(body), NULL);
}

/* True for the first of a fixture. */
static bool is_first_reset(struct fixture *fixture)
{
	bool first = false;

	pthread_mutex_lock(&fixture->lock);
	first = fixture->nr_resets++ == 0;
	pthread_mutex_unlock(&fixture->lock);
	return first;
}

/* Watches of services called Good, from this cookie on. */
static void watch(const struct fake *fake, uint64_t cookie, unsigned count)
{
	struct dx_dict *matching = dx_dict_new();

	(void)dx_dict_set_string(matching, "IONameMatch", "Good");
	for (unsigned i = 0; i < count; i++) {
		const struct dx_wire_id body = {.id = cookie + i};

		(void)dx_link_send_value(fake->socket, DX_WIRE_H_WATCH, 0, 0, &body, sizeof(body),
					 matching, false);
	}
	dx_object_unref(matching);
}

/* What the driver's Start does. false: the process ends. */
static bool run_start(struct fake *fake, const struct service *service)
{
	const char *class = service->class;

	if (is(class, "DieOnStart")) {
		return false;
	}
	if (is(class, "Named")) {
		say_id(fake, DX_WIRE_H_SET_NAME, service->id, "Renamed");
		set_properties(fake, service->id, 0);
		say_id(fake, DX_WIRE_H_REMOVE_PROPERTY, service->id, "other");
	} else if (is(class, "Liar")) {
		say_id(fake, DX_WIRE_H_SET_NAME, 0x100000000ull, "mine now");
	} else if (is(class, "Garbage")) {
		(void)send(fake->socket, "garbage", 7, MSG_NOSIGNAL);
	} else if (is(class, "Huge")) {
		set_properties(fake, service->id, 100000);
	} else if (is(class, "Busy")) {
		adjust_busy(fake, service->id, 2);
		adjust_busy(fake, service->id, -100);
		adjust_busy(fake, service->id, 1);
	}
	if (is(class, "Configure")) {
		configure(fake, service);
	}
	if (is(class, "WatchTwice")) {
		watch(fake, 5, 1);
		watch(fake, 5, 1);
	} else if (is(class, "WatchMany")) {
		watch(fake, 5, DX_MAX_WATCHES_PER_CLIENT + 1);
	} else if (is(class, "WatchLittle")) {
		watch(fake, 5, 2);
		say_id(fake, DX_WIRE_H_UNWATCH, 6, NULL);
		say_id(fake, DX_WIRE_H_UNWATCH, 99, NULL);
	}
	if (is(class, "Again")) {
		say_id(fake, DX_WIRE_H_REGISTER, service->id, NULL);
	}
	if (!is(class, "Quiet")) {
		say_id(fake, DX_WIRE_H_REGISTER, service->id, NULL);
	}
	return true;
}

static bool on_start(struct fake *fake, const struct dx_wire_message_in *message)
{
	const struct dx_wire_start *start = message->view.body;
	struct service *service = &fake->services[fake->nr_services];
	void *value = NULL;

	CHECK_EQ(dx_wire_message_value(message, &dx_dict_class, &value), 0);
	CHECK_LT(fake->nr_services, MAX_SERVICES);
	service->id = start->id;
	service->provider_id = start->provider_id;
	(void)snprintf(service->class, sizeof(service->class), "%s",
		       dx_dict_get_string(value, DX_START_CLASS_KEY, ""));
	CHECK(dx_dict_get_dict(value, DX_START_PROVIDER_KEY) != NULL);
	CHECK(dx_dict_get_dict(value, DX_START_PROPERTIES_KEY) != NULL);
	dx_object_unref(value);
	pthread_mutex_lock(&fake->fixture->lock);
	fake->fixture->nr_start_fds += (unsigned)message->nr_fds;
	pthread_mutex_unlock(&fake->fixture->lock);
	fake->nr_services++;
	if (!run_start(fake, service)) {
		return false;
	}
	if (is(service->class, "FailStart")) {
		fake->nr_services--;
		fake->stopped = fake->nr_services == 0;
		say(fake, DX_WIRE_H_START | DX_WIRE_REPLY, message->view.header.seq,
		    (int32_t)0xe00002be, NULL, 0, NULL);
	} else if (!is(service->class, "SilentStart")) {
		say(fake, DX_WIRE_H_START | DX_WIRE_REPLY, message->view.header.seq, 0, NULL, 0, NULL);
	}
	if (is(service->class, "Retire")) {
		say_id(fake, DX_WIRE_H_TERMINATE_REQUEST, service->id, NULL);
	} else if (is(service->class, "Lost")) {
		say_id(fake, DX_WIRE_H_DEVICE_LOST, service->provider_id, NULL);
	} else if (is(service->class, "Reset") && is_first_reset(fake->fixture)) {
		say_id(fake, DX_WIRE_H_DEVICE_RESET, service->provider_id, NULL);
	}
	return true;
}

static const struct service *find_service(const struct fake *fake, uint64_t id)
{
	for (int i = 0; i < fake->nr_services; i++) {
		if (fake->services[i].id == id) {
			return &fake->services[i];
		}
	}
	return NULL;
}

static void talk(const struct fake *fake, uint64_t id)
{
	for (unsigned i = 0; i < FAKE_TALK; i++) {
		const struct dx_wire_message body = {.id = id, .type = 0xe0001234, .argument = i};

		say(fake, DX_WIRE_H_MESSAGE, 0, 0, &body, sizeof(body), NULL);
	}
}

static bool on_open(struct fake *fake, struct dx_wire_message_in *message)
{
	const struct dx_wire_host_open *open = message->view.body;
	const struct service *service = find_service(fake, open->service_id);
	struct dx_wire_add_entry entry = {.id = fake->next_id++, .parent_id = open->service_id};
	const struct dx_wire_id reply = {.id = entry.id};
	uint32_t seq = message->view.header.seq;

	CHECK(service != NULL);
	CHECK_EQ(open->pid, getpid());
	CHECK_GT(strlen(open->name), 0);
	if (is(service->class, "DieOnOpen")) {
		return false;
	}
	if (is(service->class, "SlowOpen")) {
		fake->slow_open_seq = seq;
		return true;
	}
	if (is(service->class, "RefuseOpen")) {
		say(fake, DX_WIRE_H_OPEN | DX_WIRE_REPLY, seq, (int32_t)0xe00002c5, NULL, 0, "not today");
		return true;
	}
	(void)snprintf(entry.class_name, sizeof(entry.class_name), "IOUserUserClient");
	(void)snprintf(entry.name, sizeof(entry.name), "FakeClient");
	say(fake, DX_WIRE_H_ADD_ENTRY, 0, 0, &entry, sizeof(entry), NULL);
	say(fake, DX_WIRE_H_OPEN | DX_WIRE_REPLY, seq, 0, &reply, sizeof(reply), NULL);
	CHECK_LT(fake->nr_clients, MAX_CLIENTS);
	fake->clients[fake->nr_clients].id = entry.id;
	fake->clients[fake->nr_clients++].fd = dx_take_fd(&message->fds[0]);
	if (is(service->class, "Talker")) {
		talk(fake, service->id);
	}
	return true;
}

static void on_terminate(struct fake *fake, const struct dx_wire_message_in *message)
{
	const struct dx_wire_id *id = message->view.body;

	for (int i = 0; i < fake->nr_services; i++) {
		if (fake->services[i].id == id->id) {
			if (is(fake->services[i].class, "NoStop")) {
				return;
			}
			fake->services[i] = fake->services[--fake->nr_services];
		}
	}
	say(fake, DX_WIRE_H_TERMINATE | DX_WIRE_REPLY, message->view.header.seq, 0, NULL, 0, NULL);
	fake->stopped = fake->nr_services == 0;
}

/* Something to match on, below a service that it has not been told of yet. */
static void add_nub(struct fake *fake)
{
	struct dx_wire_add_entry entry = {.id = fake->next_id++};

	entry.parent_id = entry.id - 1; /* the service was given its id right before the host */
	(void)snprintf(entry.class_name, sizeof(entry.class_name), "IOService");
	(void)snprintf(entry.name, sizeof(entry.name), "Nub");
	say(fake, DX_WIRE_H_ADD_ENTRY, 0, 0, &entry, sizeof(entry), NULL);
	say_id(fake, DX_WIRE_H_REGISTER, entry.id, NULL);
}

static void on_setup(struct fake *fake, const struct dx_wire_message_in *message)
{
	const struct dx_wire_setup *setup = message->view.body;
	const char *identifier = NULL;
	void *value = NULL;
	bool is_early = false;
	bool bad = false;

	fake->next_id = setup->first_id;
	CHECK_EQ(dx_wire_message_value(message, &dx_dict_class, &value), 0);
	identifier = dx_dict_get_string(value, DX_SETUP_IDENTIFIER_KEY, "");
	bad = strstr(identifier, "badsetup") != NULL;
	is_early = strstr(identifier, "early") != NULL;
	CHECK_EQ(access(dx_dict_get_string(value, DX_SETUP_EXECUTABLE_KEY, ""), R_OK), 0);
	dx_object_unref(value);
	say(fake, DX_WIRE_H_SETUP | DX_WIRE_REPLY, message->view.header.seq,
	    bad ? (int32_t)0xe00002bc : 0, NULL, 0, bad ? "cannot load: undefined symbol: foo" : NULL);
	if (is_early) {
		add_nub(fake);
	}
	fake->stopped = bad;
}

static void count(const struct fake *fake, unsigned *counter)
{
	pthread_mutex_lock(&fake->fixture->lock);
	(*counter)++;
	pthread_mutex_unlock(&fake->fixture->lock);
}

/* false: the process ends. */
static bool on_message(struct fake *fake, struct dx_wire_message_in *message)
{
	switch (message->view.header.type) {
	case DX_WIRE_H_SETUP:
		on_setup(fake, message);
		return true;
	case DX_WIRE_H_START:
		return on_start(fake, message);
	case DX_WIRE_H_OPEN:
		return on_open(fake, message);
	case DX_WIRE_H_TERMINATE:
		on_terminate(fake, message);
		return true;
	case DX_WIRE_H_DEVICE_GONE:
		pthread_mutex_lock(&fake->fixture->lock);
		fake->fixture->nr_device_gone++;
		pthread_mutex_unlock(&fake->fixture->lock);
		say(fake, DX_WIRE_H_DEVICE_GONE | DX_WIRE_REPLY, message->view.header.seq, 0, NULL, 0,
		    NULL);
		return true;
	case DX_WIRE_H_SERVICE_MATCHED:
		count(fake, &fake->fixture->nr_matched);
		return true;
	case DX_WIRE_H_SERVICE_TERMINATED:
		count(fake, &fake->fixture->nr_terminated);
		return true;
	case DX_WIRE_H_SERVICES_TOLD:
		count(fake, &fake->fixture->nr_told);
		return true;
	default:
		return true;
	}
}

/* User clients whose application has gone. */
static void reap_clients(struct fake *fake)
{
	for (int i = 0; i < fake->nr_clients;) {
		char byte = 0;

		if (recv(fake->clients[i].fd, &byte, 1, MSG_DONTWAIT | MSG_PEEK) == 0) {
			say_id(fake, DX_WIRE_H_REMOVE_ENTRY, fake->clients[i].id, NULL);
			(void)close(fake->clients[i].fd);
			fake->clients[i] = fake->clients[--fake->nr_clients];
		} else {
			i++;
		}
	}
}

void fake_host_serve(int socket, struct fixture *fixture)
{
	struct fake *fake = calloc(1, sizeof(*fake));
	bool alive = true;

	fake->socket = socket;
	fake->fixture = fixture;
	while (alive && !fake->stopped) {
		struct pollfd waiting = {.fd = socket, .events = POLLIN};
		struct dx_wire_message_in message;

		if (poll(&waiting, 1, fake->nr_clients > 0 ? 5 : -1) == 0) {
			reap_clients(fake);
			continue;
		}
		if (dx_link_receive(socket, false, &message) <= 0) {
			break;
		}
		alive = on_message(fake, &message);
		dx_wire_message_in_fini(&message);
	}
	while (fake->nr_clients > 0) {
		(void)close(fake->clients[--fake->nr_clients].fd);
	}
	free(fake);
}

static void *host_thread(void *context)
{
	struct fake_host *host = context;
	int done = host->done_fd;

	fake_host_serve(host->socket, host->fixture);
	(void)shutdown(host->socket, SHUT_RDWR);
	(void)eventfd_write(done, 1);
	return NULL;
}

static int fake_launch(void *context, const struct dx_launch *launch, int *socket,
		       struct dx_launched *ret_launched)
{
	struct fixture *fixture = context;
	struct fake_host *host = NULL;
	int r = 0;

	CHECK(launch->identifier != NULL);
	pthread_mutex_lock(&fixture->lock);
	if (fixture->fail_launches > 0) {
		fixture->fail_launches--;
		r = fixture->fail_code;
	}
	for (size_t i = 0; r == 0 && host == NULL; i++) {
		CHECK_LT(i, FAKE_MAX_HOSTS);
		host = fixture->hosts[i].used ? NULL : &fixture->hosts[i];
	}
	fixture->nr_launched++;
	if (r == 0) {
		*host = (struct fake_host){
			.used = true,
			.socket = *socket,
			.done_fd = eventfd(0, EFD_CLOEXEC),
			.pid = (pid_t)(1000000000 + (int)fixture->nr_launched),
			.fixture = fixture,
		};
		*socket = -1;
		*ret_launched = (struct dx_launched){
			.pid = host->pid, .watch_fd = fcntl(host->done_fd, F_DUPFD_CLOEXEC, 0)};
		CHECK_EQ(pthread_create(&host->thread, NULL, host_thread, host), 0);
	}
	pthread_mutex_unlock(&fixture->lock);
	return r;
}

static struct fake_host *host_of(struct fixture *fixture, pid_t pid)
{
	for (size_t i = 0; i < FAKE_MAX_HOSTS; i++) {
		if (fixture->hosts[i].used && fixture->hosts[i].pid == pid) {
			return &fixture->hosts[i];
		}
	}
	return NULL;
}

static void fake_kill(void *context, const struct dx_launched *launched, int signal)
{
	struct fixture *fixture = context;
	struct fake_host *host = NULL;

	(void)signal;
	pthread_mutex_lock(&fixture->lock);
	host = host_of(fixture, launched->pid);
	if (host != NULL) {
		host->killed = true;
		(void)shutdown(host->socket, SHUT_RDWR);
	}
	pthread_mutex_unlock(&fixture->lock);
}

static bool fake_reap(void *context, const struct dx_launched *launched, char *text, size_t size)
{
	struct fixture *fixture = context;
	struct fake_host *host = NULL;
	bool killed = false;

	pthread_mutex_lock(&fixture->lock);
	host = host_of(fixture, launched->pid);
	pthread_mutex_unlock(&fixture->lock);
	CHECK(host != NULL);
	CHECK_EQ(pthread_join(host->thread, NULL), 0);
	killed = host->killed;
	(void)close(host->socket);
	(void)close(host->done_fd);
	(void)snprintf(text, size, "%s", killed ? "killed by a test" : "ended");
	pthread_mutex_lock(&fixture->lock);
	host->used = false;
	pthread_mutex_unlock(&fixture->lock);
	return !killed;
}

struct dx_launcher fake_launcher(struct fixture *fixture)
{
	return (struct dx_launcher){
		.context = fixture,
		.launch = fake_launch,
		.kill = fake_kill,
		.reap = fake_reap,
	};
}
