/* SPDX-License-Identifier: MIT
 *
 * hotplug_test - devices that come and go at a monitor of this test's own.
 *
 * The backend "usb:" has eight ports, usb:1-0 to usb:1-7; in each may be a Gadget Zero. The spec
 * "usb:any" means the first that is plugged in.
 */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "backend/virtual/virtual.h"
#include "daemon/hotplug.h"
#include "support.h"
#include "test.h"

#define GADGET                                                                                     \
	"<key>idVendor</key><integer>1317</integer><key>idProduct</key><integer>42144</integer>"

#define NR_PORTS   8
#define MAX_EVENTS 8192

/* The bus: what is plugged in, and what the monitor has not told yet. */
static struct {
	pthread_mutex_t lock;
	bool plugged[NR_PORTS];
	bool denied; /* opening says -EACCES */
	unsigned nr_opened;
	struct {
		unsigned port;
		bool is_there;
	} events[MAX_EVENTS];
	size_t nr_events;
	size_t nr_told;
	int event_fd;
} bus = {.lock = PTHREAD_MUTEX_INITIALIZER, .event_fd = -1};

struct dx_usb_monitor {
	const struct dx_usb_monitor_calls *calls;
	void *context;
};

static int monitor_create(const struct dx_usb_monitor_calls *calls, void *context,
			  struct dx_usb_monitor **ret_monitor)
{
	struct dx_usb_monitor *monitor = calloc(1, sizeof(*monitor));

	CHECK(monitor != NULL);
	*monitor = (struct dx_usb_monitor){calls, context};
	*ret_monitor = monitor;
	return 0;
}

static int monitor_create_not(const struct dx_usb_monitor_calls *calls, void *context,
			      struct dx_usb_monitor **ret_monitor)
{
	(void)calls;
	(void)context;
	(void)ret_monitor;
	return -EMFILE;
}

static struct dx_usb_monitor *monitor_destroy(struct dx_usb_monitor *monitor)
{
	free(monitor);
	return NULL;
}

static int monitor_fd(const struct dx_usb_monitor *monitor)
{
	(void)monitor;
	return bus.event_fd;
}

static void monitor_poll(struct dx_usb_monitor *monitor)
{
	eventfd_t count = 0;

	(void)eventfd_read(bus.event_fd, &count);
	for (;;) {
		char spec[32];
		bool is_there = false;

		pthread_mutex_lock(&bus.lock);
		if (bus.nr_told == bus.nr_events) {
			pthread_mutex_unlock(&bus.lock);
			return;
		}
		(void)snprintf(spec, sizeof(spec), "usb:1-%u", bus.events[bus.nr_told].port);
		is_there = bus.events[bus.nr_told].is_there;
		bus.nr_told++;
		pthread_mutex_unlock(&bus.lock);
		if (is_there) {
			monitor->calls->arrived(monitor->context, spec, 0x0525, 0xa4a0);
		} else {
			monitor->calls->left(monitor->context, spec);
		}
	}
}

static bool monitor_names(const char *spec, const char *port_spec)
{
	return strcmp(spec, "usb:any") == 0 || strcmp(spec, port_spec) == 0;
}

static uint32_t monitor_location(const char *port_spec)
{
	return (uint32_t)(port_spec[strlen("usb:1-")] - '0') + 1;
}

static void plug(unsigned port, bool is_there)
{
	pthread_mutex_lock(&bus.lock);
	CHECK_LT(bus.nr_events, MAX_EVENTS);
	CHECK_NE(bus.plugged[port], is_there);
	bus.plugged[port] = is_there;
	bus.events[bus.nr_events].port = port;
	bus.events[bus.nr_events++].is_there = is_there;
	(void)eventfd_write(bus.event_fd, 1);
	pthread_mutex_unlock(&bus.lock);
}

static void set_denied(bool denied)
{
	pthread_mutex_lock(&bus.lock);
	bus.denied = denied;
	pthread_mutex_unlock(&bus.lock);
}

static bool usb_accepts(const char *spec)
{
	return strncmp(spec, "usb:", 4) == 0;
}

/* The port that spec means, if something is in it. */
static int find_plugged(const char *spec)
{
	int found = -ENODEV;

	pthread_mutex_lock(&bus.lock);
	for (unsigned i = 0; i < NR_PORTS && found < 0; i++) {
		char port_spec[32];

		(void)snprintf(port_spec, sizeof(port_spec), "usb:1-%u", i);
		if (bus.plugged[i] && monitor_names(spec, port_spec)) {
			found = (int)i;
		}
	}
	found = bus.denied ? -EACCES : found;
	bus.nr_opened += found >= 0;
	pthread_mutex_unlock(&bus.lock);
	return found;
}

static int usb_open(const char *spec, int fd, const struct dx_usb_backend_host *host,
		    void *host_ctx, char *message, size_t message_size,
		    struct dx_usb_backend **ret_backend)
{
	char virtual[100];
	int port = find_plugged(spec);

	(void)fd;
	if (port < 0) {
		(void)snprintf(message, message_size, "%s: %s", spec,
			       port == -EACCES ? "no permission" : "no such device");
		return port;
	}
	(void)snprintf(virtual, sizeof(virtual), "virtual:gadget-zero,location=%d,address=%d",
		       port + 1, port + 1);
	return dx_backend_virtual.open(virtual, -1, host, host_ctx, message, message_size,
				       ret_backend);
}

static struct dx_usb_backend_ops usb_ops;
static const struct dx_usb_backend_ops *const test_backends[] = {&dx_backend_virtual, &usb_ops,
								 NULL};
static const struct dx_monitor_ops monitor = {
	.backend = &usb_ops,
	.create = monitor_create,
	.destroy = monitor_destroy,
	.fd = monitor_fd,
	.poll = monitor_poll,
	.names = monitor_names,
	.location = monitor_location,
};

static void prepare(struct fixture *fixture)
{
	usb_ops = dx_backend_virtual;
	usb_ops.name = "usb";
	usb_ops.accepts = usb_accepts;
	usb_ops.open = usb_open;
	usb_ops.acquire = NULL;
	bus.event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	CHECK_GE(bus.event_fd, 0);
	fixture_init(fixture);
	fixture->options.backends = test_backends;
	fixture->options.monitor = &monitor;
}

static void end(struct fixture *fixture, int client)
{
	fixture_end(fixture, client);
	(void)close(bus.event_fd);
}

TEST(devices_are_attached_as_they_come_and_go)
{
	struct fixture fixture;
	int client = -1;
	uint64_t first = 0;

	prepare(&fixture);
	fixture_bundle(&fixture, "Usb", "GoodUsb", "IOUSBHostDevice", GADGET);
	fixture.options.usb_all = true;
	plug(3, true);
	client = fixture_start_client(&fixture); /* ready means: what is there has its driver */
	CHECK_EQ(client_count(client, "GoodUsb"), 1);
	plug(4, true);
	client_wait_count(client, "GoodUsb", 2);
	first = client_find(client, "Gadget Zero");
	plug(3, false);
	client_wait_count(client, "GoodUsb", 1);
	client_wait_devices(client, "", 1);
	plug(3, true);
	client_wait_count(client, "GoodUsb", 2);
	CHECK_EQ(client_count(client, "Gadget Zero"), 2);
	client_wait_gone(client, first);
	plug(3, false);
	plug(4, false);
	client_wait_devices(client, "", 0);
	CHECK_EQ(client_count(client, "GoodUsb"), 0);
	end(&fixture, client);
}

TEST(without_the_option_nothing_is_attached_by_itself)
{
	struct fixture fixture;
	int client = -1;

	prepare(&fixture);
	plug(0, true);
	client = fixture_start_client(&fixture);
	CHECK_EQ(client_attach(client, "usb:1-0", NULL), 0); /* the monitor is asked from here on */
	plug(1, true);
	plug(0, false);
	client_wait_devices(client, "waiting", 1);
	CHECK_EQ(client_devices(client, "", NULL), 1);
	end(&fixture, client);
}

TEST(only_wanted_ids_are_attached)
{
	static const uint32_t wanted[] = {0x0525a4a0};
	static const uint32_t others[] = {0x12340001, 0x0525a4a1};
	struct fixture fixture;
	int client = -1;

	prepare(&fixture);
	fixture.options.usb_all = true;
	fixture.options.usb_ids = wanted;
	fixture.options.nr_usb_ids = 1;
	plug(0, true);
	client = fixture_start_client(&fixture);
	CHECK_EQ(client_devices(client, "attached", NULL), 1);
	end(&fixture, client);

	prepare(&fixture);
	bus.nr_told = 0;
	fixture.options.usb_all = true;
	fixture.options.usb_ids = others;
	fixture.options.nr_usb_ids = 2;
	client = fixture_start_client(&fixture);
	CHECK_EQ(client_devices(client, "", NULL), 0);
	end(&fixture, client);
}

/* A device at port 2, attached by what it is, and its driver runs. @return a client. */
static int start_with_any(struct fixture *fixture, uint64_t *ret_device)
{
	int client = -1;

	prepare(fixture);
	fixture_bundle(fixture, "Usb", "GoodUsb", "IOUSBHostDevice", GADGET);
	plug(2, true);
	client = fixture_start_client(fixture);
	CHECK_EQ(client_attach(client, "usb:any", ret_device), 0);
	client_wait_count(client, "GoodUsb", 1);
	return client;
}

TEST(device_attached_by_a_spec_comes_back_when_it_is_plugged_in_again)
{
	struct fixture fixture;
	uint64_t first = 0;
	int client = start_with_any(&fixture, &first);

	plug(2, false);
	client_wait_devices(client, "waiting", 1);
	CHECK_EQ(client_count(client, "GoodUsb"), 0);
	plug(5, true); /* another port is as good */
	client_wait_devices(client, "attached", 1);
	client_wait_count(client, "GoodUsb", 1);
	CHECK_NE(client_find(client, "Gadget Zero"), first);
	plug(5, false);
	client_wait_devices(client, "waiting", 1);
	CHECK_EQ(client_detach(client, first), 0);
	CHECK_EQ(client_devices(client, "", NULL), 0);
	plug(5, true);
	plug(6, true);
	plug(6, false);
	CHECK_NE(client_attach(client, "usb:1-6", NULL), 0); /* a round trip later: still nothing */
	CHECK_EQ(client_devices(client, "", NULL), 0);
	end(&fixture, client);
}

TEST(device_that_leaves_others_like_it_is_noticed_and_one_of_them_follows)
{
	struct fixture fixture;
	uint64_t first = 0;
	int client = start_with_any(&fixture, &first);

	plug(5, true);
	plug(6, true);
	plug(6, false); /* not the one that it means */
	plug(2, false);
	client_wait_gone(client, first);
	client_wait_devices(client, "attached", 1);
	client_wait_count(client, "GoodUsb", 1);
	plug(5, false);
	client_wait_devices(client, "waiting", 1);
	CHECK_EQ(client_count(client, "GoodUsb"), 0);
	end(&fixture, client);
}

static bool device_was_read(void *before)
{
	unsigned nr = 0;

	pthread_mutex_lock(&bus.lock);
	nr = bus.nr_opened;
	pthread_mutex_unlock(&bus.lock);
	return nr > *(const unsigned *)before;
}

/* The driver hears of the end first: when the monitor tells, nothing is attached any more. */
TEST(another_device_follows_one_whose_driver_was_faster_than_the_monitor)
{
	struct fixture fixture;
	unsigned before = 0;
	int client = -1;

	prepare(&fixture);
	fixture_bundle(&fixture, "Usb", "Lost", "IOUSBHostDevice", GADGET);
	plug(2, true);
	client = fixture_start_client(&fixture);
	plug(5, true);
	CHECK_EQ(client_attach(client, "usb:any", NULL), 0);
	client_wait_devices(client, "waiting", 1);
	pthread_mutex_lock(&bus.lock);
	before = bus.nr_opened;
	pthread_mutex_unlock(&bus.lock);
	plug(2, false);
	CHECK(test_wait_until(device_was_read, &before, 10000));
	end(&fixture, client);
}

static atomic_uint nr_acquired[2]; /* by the port, by anything else */

static int usb_acquire(const char *spec, char *message, size_t message_size)
{
	(void)message;
	(void)message_size;
	nr_acquired[strcmp(spec, "usb:1-2") != 0]++;
	return -ENODATA;
}

TEST(driver_gets_the_device_that_was_attached_and_none_like_it)
{
	struct fixture fixture;
	int client = -1;

	prepare(&fixture);
	usb_ops.acquire = usb_acquire;
	fixture_bundle(&fixture, "Usb", "GoodUsb", "IOUSBHostDevice", GADGET);
	plug(2, true);
	client = fixture_start_client(&fixture);
	CHECK_EQ(client_attach(client, "usb:any", NULL), 0);
	client_wait_count(client, "GoodUsb", 1);
	CHECK_EQ(nr_acquired[0], 1);
	CHECK_EQ(nr_acquired[1], 0);
	end(&fixture, client);
}

TEST(one_device_is_not_attached_by_two_specs)
{
	struct fixture fixture;
	char text[200];
	int client = -1;

	prepare(&fixture);
	fixture.options.usb_all = true;
	plug(2, true);
	client = fixture_start_client(&fixture);
	CHECK_NE(client_text(client, DX_WIRE_A_ATTACH, "usb:any", text, sizeof(text)), 0);
	CHECK_STR_EQ(text, "usb:any: is attached already, by another spec");
	CHECK_EQ(client_devices(client, "", NULL), 1);
	end(&fixture, client);
}

TEST(device_whose_node_has_no_rights_yet_is_tried_again)
{
	struct fixture fixture;
	int client = -1;

	prepare(&fixture);
	fixture.options.usb_all = true;
	client = fixture_start_client(&fixture);
	set_denied(true);
	plug(2, true);
	client_wait_devices(client, "failing", 1);
	set_denied(false);
	client_wait_devices(client, "attached", 1);
	plug(2, false);
	client_wait_devices(client, "", 0);
	end(&fixture, client);
}

TEST(device_that_leaves_while_it_fails_is_forgotten)
{
	struct fixture fixture;
	int client = -1;

	prepare(&fixture);
	fixture.options.usb_all = true;
	fixture.options.restart_delay_ms = 10000;
	client = fixture_start_client(&fixture);
	set_denied(true);
	plug(2, true);
	client_wait_devices(client, "failing", 1);
	plug(2, false);
	client_wait_devices(client, "", 0);
	end(&fixture, client);
}

TEST(given_device_that_is_not_plugged_in_is_waited_for_by_a_broker_for_all)
{
	struct fixture fixture;
	int client = -1;

	prepare(&fixture);
	fixture.options.is_private = false;
	fixture.options.ready_fd = -1;
	fixture.devices[fixture.options.nr_devices++] = "usb:any";
	fixture_start(&fixture);
	client = client_connect(&fixture);
	client_wait_devices(client, "waiting", 1);
	plug(7, true);
	client_wait_devices(client, "attached", 1);
	end(&fixture, client);
}

TEST(monitor_that_cannot_be_had_is_said_and_ends_only_a_private_broker)
{
	static struct dx_monitor_ops broken;
	struct fixture fixture;

	prepare(&fixture);
	broken = monitor;
	broken.create = monitor_create_not;
	fixture.options.monitor = &broken;
	fixture.options.usb_all = true;
	fixture_start(&fixture);
	CHECK(!fixture_wait_ready(&fixture));
	CHECK_EQ(pthread_join(fixture.thread, NULL), 0);
	fixture.running = false;
	CHECK_EQ(fixture.result, -EMFILE);
	CHECK(strstr(fixture.message, "USB devices cannot be watched") != NULL);
	fixture_fini(&fixture);
	(void)close(bus.event_fd);
}

static unsigned nr_plugged(void)
{
	unsigned count = 0;

	for (unsigned i = 0; i < NR_PORTS; i++) {
		count += bus.plugged[i];
	}
	return count;
}

/* Devices come and go a thousand times while drivers start and stop on them: at the end there is what
 * is plugged in, each with its driver, and nothing else. */
static void storm(const char *user_class, unsigned seed)
{
	struct fixture fixture;
	int client = -1;

	prepare(&fixture);
	fixture_bundle(&fixture, "Usb", user_class, "IOUSBHostDevice", GADGET);
	fixture.options.usb_all = true;
	client = fixture_start_client(&fixture);
	srand(seed);
	for (unsigned i = 0; i < 1000; i++) {
		unsigned port = (unsigned)rand() % NR_PORTS;

		plug(port, !bus.plugged[port]);
		if (rand() % 8 == 0) { /* a round trip, so that the broker is somewhere else */
			(void)client_devices(client, "", NULL);
		}
		if (rand() % 64 == 0) { /* let it settle */
			client_wait_devices(client, "attached", nr_plugged());
		}
	}
	client_wait_devices(client, "attached", nr_plugged());
	client_wait_devices(client, "", nr_plugged());
	client_wait_count(client, user_class, nr_plugged());
	CHECK_EQ(client_count(client, "Gadget Zero"), nr_plugged());
	for (unsigned i = 0; i < NR_PORTS; i++) {
		if (bus.plugged[i]) {
			plug(i, false);
		}
	}
	client_wait_devices(client, "", 0);
	client_wait_count(client, user_class, 0);
	end(&fixture, client);
}

TEST_SECONDS(storm_of_arrivals_and_departures_ends_in_the_right_state, 60)
{
	storm("GoodUsb", 1);
}

TEST_SECONDS(storm_under_which_the_broker_ends_leaves_nothing, 60)
{
	struct fixture fixture;
	int client = -1;

	prepare(&fixture);
	fixture_bundle(&fixture, "Usb", "GoodUsb", "IOUSBHostDevice", GADGET);
	fixture.options.usb_all = true;
	client = fixture_start_client(&fixture);
	srand(2);
	for (unsigned i = 0; i < 200; i++) {
		unsigned port = (unsigned)rand() % NR_PORTS;

		plug(port, !bus.plugged[port]);
	}
	end(&fixture, client); /* in the middle of it */
	CHECK_EQ(fixture.result, 0);
}
