/* SPDX-License-Identifier: MIT
 *
 * adopt_test - brokers and hosts as processes: hosts outlive a broker, the next one takes them over.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "backend/virtual/virtual.h"
#include "daemon/hotplug.h"
#include "daemon/launcher.h"
#include "support.h"
#include "test.h"

struct process {
	pid_t pid;
	int stop_fd;
	int ready_fd;
};

/* A broker in a process of its own, with the fixture's options. */
static struct process broker_start(struct fixture *fixture)
{
	struct process process = {0};
	int stop[2];
	int ready[2];

	CHECK_EQ(pipe2(stop, O_CLOEXEC), 0);
	CHECK_EQ(pipe2(ready, O_CLOEXEC), 0);
	process.pid = fork();
	CHECK_GE(process.pid, 0);
	if (process.pid == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		(void)close(ready[0]);
		fixture->options.stop_fd = stop[0];
		fixture->options.ready_fd = ready[1];
		_exit(dx_daemon_run(&fixture->options, NULL, 0) < 0 ? 1 : 0);
	}
	(void)close(stop[0]);
	(void)close(ready[1]);
	process.stop_fd = stop[1];
	process.ready_fd = ready[0];
	return process;
}

static void wait_ready(const struct process *process)
{
	char line[1024] = "";
	struct pollfd waiting = {.fd = process->ready_fd, .events = POLLIN};

	CHECK_EQ(poll(&waiting, 1, 15000), 1);
	CHECK_GT(read(process->ready_fd, line, sizeof(line) - 1), 0);
	CHECK_STR_EQ(line, "ready\n");
}

static void broker_end(struct process *process, int signal)
{
	int status = 0;

	if (signal != 0) {
		CHECK_EQ(kill(process->pid, signal), 0);
	} else {
		CHECK_EQ(write(process->stop_fd, "x", 1), 1);
	}
	CHECK_EQ(waitpid(process->pid, &status, 0), process->pid);
	CHECK(signal != 0 || (WIFEXITED(status) && WEXITSTATUS(status) == 0));
	(void)close(process->stop_fd);
	(void)close(process->ready_fd);
}

static void setup(struct fixture *fixture)
{
	/* Hosts of a killed broker become ours, so that none is left over. */
	CHECK_EQ(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
	fixture_init(fixture);
	fixture->options.is_private = false;
	fixture->options.launcher = NULL;
	fixture->options.host_program = DX_TEST_ADOPT_HOST;
	fixture_bundle(fixture, "Plain", "Plain", "IOUserResources", "");
}

static uint64_t pid_of(int client, uint64_t id)
{
	struct dx_dict *entry = client_entry(client, id);
	uint64_t pid = 0;

	CHECK(entry != NULL);
	pid = dx_dict_get_u64(entry, "pid", 0);
	dx_object_unref(entry);
	return pid;
}

static bool all_reaped(void *argument)
{
	(void)argument;
	while (waitpid(-1, NULL, WNOHANG) > 0) {
	}
	return waitpid(-1, NULL, WNOHANG) < 0 && errno == ECHILD;
}

static void check_nothing_left(struct fixture *fixture)
{
	char path[400];

	CHECK(test_wait_until(all_reaped, NULL, 15000));
	fixture_path(fixture, "s.hosts", path, sizeof(path));
	CHECK(access(path, F_OK) < 0);
	CHECK(access(fixture->socket, F_OK) < 0);
	fixture_fini(fixture);
}

/* A broker that is ready, and a client of it. */
static int begin(struct fixture *fixture, struct process *broker)
{
	*broker = broker_start(fixture);
	wait_ready(broker);
	return client_connect(fixture);
}

static void end(struct fixture *fixture, struct process *broker, int client)
{
	(void)close(client);
	broker_end(broker, 0);
	check_nothing_left(fixture);
}

TEST_SECONDS(host_outlives_a_killed_broker_and_is_taken_over, 60)
{
	struct fixture fixture;
	struct process broker;
	int client = -1;
	int connection = -1;
	uint64_t id = 0;
	uint64_t pid = 0;
	uint64_t device = 0;
	uint64_t usb = 0;
	uint64_t fresh = 0;

	setup(&fixture);
	fixture_bundle(&fixture, "Usb", "Usb", "IOUSBHostDevice",
		       "<key>idVendor</key><integer>1317</integer>"
		       "<key>idProduct</key><integer>42144</integer>");
	fixture.devices[fixture.options.nr_devices++] = "virtual:gadget-zero";
	client = begin(&fixture, &broker);
	id = client_find(client, "Plain");
	usb = client_find(client, "Usb");
	device = client_find(client, "Gadget Zero");
	pid = pid_of(client, id);
	CHECK(id != 0 && usb != 0 && device != 0 && pid != 0);
	(void)close(client);
	broker_end(&broker, SIGKILL);
	CHECK_EQ(access(fixture.socket, F_OK), 0); /* stale */

	broker = broker_start(&fixture);
	client = client_connect(&fixture);
	/* Applications hear nothing before the hosts are back. */
	CHECK_EQ(client_find(client, "Plain"), id);
	CHECK_EQ(client_find(client, "Usb"), usb);
	CHECK_EQ(client_find(client, "Gadget Zero"), device);
	CHECK_EQ(pid_of(client, id), pid);
	wait_ready(&broker);
	CHECK_EQ(client_open(client, id, &connection), 0);
	(void)close(connection);

	CHECK_EQ(kill((pid_t)pid, SIGKILL), 0);
	client_wait_gone(client, id);
	fresh = client_wait_find(client, "Plain");
	CHECK_GT(fresh, id);
	CHECK_NE(pid_of(client, fresh), pid);
	end(&fixture, &broker, client);
}

static uint64_t configuration_of(int client, uint64_t id)
{
	struct dx_dict *entry = client_entry(client, id);
	uint64_t value = 0;

	CHECK(entry != NULL);
	value = dx_dict_get_u64(dx_dict_get_dict(entry, DX_ENTRY_PROPERTIES_KEY),
				"bConfigurationValue", 0);
	dx_object_unref(entry);
	return value;
}

TEST_SECONDS(configuration_that_was_chosen_without_broker_is_published_by_the_next, 60)
{
	struct fixture fixture;
	struct process broker;
	uint64_t id = 0;
	uint64_t interface = 0;
	int client = -1;

	setup(&fixture);
	fixture_bundle(&fixture, "Usb", "Configures", "IOUSBHostDevice",
		       "<key>idVendor</key><integer>1317</integer>"
		       "<key>idProduct</key><integer>42144</integer>");
	fixture.devices[fixture.options.nr_devices++] = "virtual:gadget-zero";
	broker = broker_start(&fixture);
	wait_ready(&broker);
	client = client_connect(&fixture);
	id = client_find(client, "Configures");
	CHECK_NE(id, 0);
	CHECK_EQ(client_find(client, "IOUSBHostInterface"), 0);
	(void)close(client);
	for (unsigned i = 0; i < 2; i++) { /* and is known to the one after that */
		broker_end(&broker, SIGKILL);
		broker = broker_start(&fixture);
		client = client_connect(&fixture);
		CHECK_EQ(client_find(client, "Configures"), id);
		interface = client_wait_find(client, "IOUSBHostInterface");
		CHECK_EQ(configuration_of(client, interface), 3);
		CHECK_EQ(client_count(client, "IOUSBHostInterface"), 1);
		(void)close(client);
		wait_ready(&broker);
	}
	broker_end(&broker, 0);
	check_nothing_left(&fixture);
}

/* ---- devices that others are like ---- */

#define GADGET_KEYS                                                                                \
	"<key>idVendor</key><integer>1317</integer><key>idProduct</key><integer>42144</integer>"

/* A bus that does not change while a broker runs: one device at port 1-2, or at 1-5. */
static struct {
	bool has_others; /* "usb:any" means several */
	bool has_moved;
	const struct dx_usb_monitor_calls *calls;
	void *context;
	int fd;
} bus;

static int bus_create(const struct dx_usb_monitor_calls *calls, void *context,
		      struct dx_usb_monitor **ret_monitor)
{
	bus.calls = calls;
	bus.context = context;
	bus.fd = eventfd(0, EFD_CLOEXEC);
	CHECK_GE(bus.fd, 0);
	*ret_monitor = (struct dx_usb_monitor *)(void *)&bus;
	return 0;
}

static struct dx_usb_monitor *bus_destroy(struct dx_usb_monitor *monitor)
{
	(void)monitor;
	(void)close(bus.fd);
	return NULL;
}

static int bus_fd(const struct dx_usb_monitor *monitor)
{
	(void)monitor;
	return bus.fd;
}

static const char *bus_port(void)
{
	return bus.has_moved ? "usb:1-5" : "usb:1-2";
}

static void bus_poll(struct dx_usb_monitor *monitor)
{
	(void)monitor;
	bus.calls->arrived(bus.context, bus_port(), 0x0525, 0xa4a0);
}

static bool bus_names(const char *spec, const char *port_spec)
{
	return strcmp(spec, "usb:any") == 0 || strcmp(spec, port_spec) == 0;
}

static uint32_t bus_location(const char *port_spec)
{
	return (uint32_t)(port_spec[strlen("usb:1-")] - '0');
}

static bool bus_accepts(const char *spec)
{
	return strncmp(spec, "usb:", 4) == 0;
}

static int bus_open(const char *spec, int fd, const struct dx_usb_backend_host *host,
		    void *host_ctx, char *message, size_t message_size,
		    struct dx_usb_backend **ret_backend)
{
	bool is_any = strcmp(spec, "usb:any") == 0;

	if ((is_any && bus.has_others) || (!is_any && strcmp(spec, bus_port()) != 0)) {
		(void)snprintf(message, message_size, "%s: none, or several", spec);
		return is_any ? -EEXIST : -ENODEV;
	}
	return dx_backend_virtual.open(bus.has_moved ? "virtual:gadget-zero,location=5"
						     : "virtual:gadget-zero,location=2",
				       fd, host, host_ctx, message, message_size, ret_backend);
}

static struct dx_usb_backend_ops bus_ops;
static const struct dx_usb_backend_ops *const bus_backends[] = {&bus_ops, NULL};
static const struct dx_monitor_ops bus_monitor = {
	.backend = &bus_ops,
	.create = bus_create,
	.destroy = bus_destroy,
	.fd = bus_fd,
	.poll = bus_poll,
	.names = bus_names,
	.location = bus_location,
};

static int begin_at_bus(struct fixture *fixture, struct process *broker)
{
	bus_ops = dx_backend_virtual;
	bus_ops.accepts = bus_accepts;
	bus_ops.open = bus_open;
	bus_ops.acquire = NULL;
	setup(fixture);
	fixture->options.backends = bus_backends;
	fixture->options.monitor = &bus_monitor;
	fixture_bundle(fixture, "Usb", "Usb", "IOUSBHostDevice", GADGET_KEYS);
	fixture->devices[fixture->options.nr_devices++] = "usb:any";
	return begin(fixture, broker);
}

/* The broker dies; tells what it had. */
static void end_suddenly(struct process *broker, int client, uint64_t *ret_usb, uint64_t *ret_device)
{
	*ret_usb = client_find(client, "Usb");
	*ret_device = client_find(client, "Gadget Zero");
	CHECK(*ret_usb != 0 && *ret_device != 0);
	(void)close(client);
	broker_end(broker, SIGKILL);
}

TEST_SECONDS(device_is_found_by_its_port_when_others_are_like_it_by_now, 60)
{
	struct fixture fixture;
	struct process broker;
	uint64_t usb = 0;
	uint64_t device = 0;
	int client = begin_at_bus(&fixture, &broker);

	end_suddenly(&broker, client, &usb, &device);
	bus.has_others = true;
	client = begin(&fixture, &broker);
	CHECK_EQ(client_find(client, "Usb"), usb);
	CHECK_EQ(client_find(client, "Gadget Zero"), device);
	end(&fixture, &broker, client);
}

TEST_SECONDS(device_that_is_at_another_port_by_now_is_another_one, 60)
{
	struct fixture fixture;
	struct process broker;
	uint64_t usb = 0;
	uint64_t device = 0;
	int client = begin_at_bus(&fixture, &broker);

	end_suddenly(&broker, client, &usb, &device);
	bus.has_moved = true;
	fixture.options.adopt_wait_ms = 200; /* the host's device is not there any more */
	client = begin(&fixture, &broker);
	CHECK_GT(client_wait_find(client, "Usb"), usb);
	CHECK_GT(client_find(client, "Gadget Zero"), device);
	end(&fixture, &broker, client);
}

TEST_SECONDS(clean_stop_may_leave_hosts_to_the_next_broker, 60)
{
	struct fixture fixture;
	struct process broker;
	int client = -1;
	uint64_t id = 0;
	uint64_t pid = 0;

	setup(&fixture);
	fixture.options.keep_hosts = true;
	client = begin(&fixture, &broker);
	id = client_find(client, "Plain");
	pid = pid_of(client, id);
	(void)close(client);
	broker_end(&broker, 0);
	CHECK_EQ(kill((pid_t)pid, 0), 0);

	broker = broker_start(&fixture);
	client = client_connect(&fixture);
	CHECK_EQ(client_find(client, "Plain"), id);
	CHECK_EQ(pid_of(client, id), pid);
	CHECK_EQ(client_status(client, DX_WIRE_A_SHUTDOWN, NULL, 0, NULL, 0), 0); /* all of it */
	(void)close(client);
	CHECK_EQ(waitpid(broker.pid, NULL, 0), broker.pid);
	(void)close(broker.stop_fd);
	(void)close(broker.ready_fd);
	check_nothing_left(&fixture);
}

TEST_SECONDS(host_that_died_meanwhile_is_not_waited_for, 60)
{
	struct fixture fixture;
	struct process broker;
	int client = -1;
	uint64_t id = 0;
	uint64_t pid = 0;

	setup(&fixture);
	fixture.options.adopt_wait_ms = 60000;
	client = begin(&fixture, &broker);
	id = client_find(client, "Plain");
	pid = pid_of(client, id);
	(void)close(client);
	broker_end(&broker, SIGKILL);
	CHECK_EQ(kill((pid_t)pid, SIGKILL), 0);
	CHECK(test_wait_until(all_reaped, NULL, 10000));

	client = begin(&fixture, &broker);
	CHECK_GT(client_find(client, "Plain"), id);
	end(&fixture, &broker, client);
}

TEST_SECONDS(host_that_does_not_come_back_is_killed_and_replaced, 60)
{
	struct fixture fixture;
	struct process broker;
	int client = -1;
	uint64_t pid = 0;

	setup(&fixture);
	fixture.options.adopt_wait_ms = 200;
	client = begin(&fixture, &broker);
	pid = pid_of(client, client_find(client, "Plain"));
	(void)close(client);
	CHECK_EQ(kill((pid_t)pid, SIGSTOP), 0);
	broker_end(&broker, SIGKILL);

	client = begin(&fixture, &broker);
	CHECK_NE(pid_of(client, client_find(client, "Plain")), pid);
	(void)close(client);
	CHECK_EQ(waitpid((pid_t)pid, NULL, 0), (pid_t)pid); /* killed, and ours since its broker died */
	broker_end(&broker, 0);
	check_nothing_left(&fixture);
}

TEST_SECONDS(host_that_brings_nonsense_is_killed_and_replaced, 60)
{
	struct fixture fixture;
	struct process broker;
	int client = -1;
	uint64_t pid = 0;

	setup(&fixture);
	fixture_bundle(&fixture, "nonsense", "Nonsense", "IOUserResources",
		       "<key>IOMatchCategory</key><string>nonsense</string>");
	client = begin(&fixture, &broker);
	pid = pid_of(client, client_find(client, "Nonsense"));
	(void)close(client);
	broker_end(&broker, SIGKILL);

	client = begin(&fixture, &broker);
	CHECK_NE(pid_of(client, client_wait_find(client, "Nonsense")), pid);
	end(&fixture, &broker, client);
}

TEST_SECONDS(records_that_are_broken_or_of_other_processes_are_removed, 60)
{
	struct fixture fixture;
	struct process broker;
	char path[400];
	char text[400];
	FILE *file = NULL;

	setup(&fixture);
	fixture.options.adopt_wait_ms = 60000;
	fixture_path(&fixture, "s.hosts", path, sizeof(path));
	CHECK_EQ(mkdir(path, 0700), 0);
	fixture_path(&fixture, "s.hosts/77", path, sizeof(path));
	file = fopen(path, "we");
	CHECK(file != NULL);
	(void)fputs("no property list", file);
	(void)fclose(file);
	/* This very process, but with another start time: the number was used again. */
	(void)snprintf(text, sizeof(text), "s.hosts/%d", (int)getpid());
	fixture_path(&fixture, text, path, sizeof(path));
	file = fopen(path, "we");
	CHECK(file != NULL);
	(void)fprintf(file,
		      "<plist version=\"1.0\"><dict><key>pid</key><integer>%d</integer>"
		      "<key>start_time</key><integer>1</integer></dict></plist>",
		      (int)getpid());
	(void)fclose(file);
	broker = broker_start(&fixture);
	wait_ready(&broker);
	broker_end(&broker, 0);
	check_nothing_left(&fixture);
}

TEST(process_launcher_reports_a_missing_program)
{
	const struct dx_launch launch = {.program = "/nonexistent/host", .identifier = "test"};
	struct dx_launched launched;
	int ends[2];

	CHECK_EQ(pipe2(ends, O_CLOEXEC), 0);
	CHECK_EQ(dx_launcher_process.launch(NULL, &launch, &ends[0], &launched), -ENOENT);
	CHECK_GE(ends[0], 0);
	(void)close(ends[0]);
	(void)close(ends[1]);
}

static void launch_and_wait(const char *program, bool kill_it, char *words, size_t size, bool *ret_clean)
{
	const struct dx_launch launch = {.program = program, .identifier = "test", .is_private = true};
	struct dx_launched launched;
	struct pollfd waiting = {.events = POLLIN};
	int ends[2];

	CHECK_EQ(pipe2(ends, O_CLOEXEC), 0);
	CHECK_EQ(dx_launcher_process.launch(NULL, &launch, &ends[0], &launched), 0);
	CHECK_EQ(ends[0], -1);
	if (kill_it) {
		dx_launcher_process.kill(NULL, &launched, SIGKILL);
	}
	waiting.fd = launched.watch_fd;
	CHECK_EQ(poll(&waiting, 1, 10000), 1);
	*ret_clean = dx_launcher_process.reap(NULL, &launched, words, size);
	(void)close(launched.watch_fd);
	(void)close(ends[1]);
}

TEST(process_launcher_says_how_a_host_ended)
{
	char words[128];
	bool clean = false;

	launch_and_wait("/bin/true", false, words, sizeof(words), &clean);
	CHECK_STR_EQ(words, "exited with status 0");
	CHECK(clean);
	launch_and_wait("/bin/false", false, words, sizeof(words), &clean);
	CHECK_STR_EQ(words, "exited with status 1");
	CHECK(!clean);
	launch_and_wait("/bin/cat", true, words, sizeof(words), &clean);
	CHECK(!clean);
}

TEST(process_identity_is_number_and_start_time)
{
	uint64_t start = dx_process_start_time(getpid());
	int fd = -1;

	CHECK_GT(start, 0);
	CHECK_EQ(dx_process_open(getpid(), start, &fd), 0);
	(void)close(fd);
	CHECK_EQ(dx_process_open(getpid(), start + 1, &fd), -ESRCH);
	CHECK_EQ(dx_process_open(0, start, &fd), -ESRCH);
	CHECK_EQ(dx_process_open(0x3fffffff, start, &fd), -ESRCH);
	CHECK_EQ(dx_process_start_time(0x3fffffff), 0);
}
