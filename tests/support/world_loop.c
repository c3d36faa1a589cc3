/* SPDX-License-Identifier: MIT
 *
 * world_loop - broker and hosts as threads of the test process. See world.h.
 *
 * The broker reads the same bundle as in world_process.c, but a host gets the classes that are linked
 * into the test instead of loading the shared object, and does not confine itself, because that
 * would confine the test.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "backend/usbip/usbip.h"
#include "backend/virtual/virtual.h"
#include "base/cleanup.h"
#include "channel/policy.h"
#include "daemon/daemon.h"
#include "host/host.h"
#include "support/world.h"

#define MAX_HOSTS 64u

struct loop_host {
	pthread_t thread;
	int socket;
	int watch_fd; /* the broker's; -1: slot is free */
	int result;
};

static struct {
	pthread_t broker;
	int stop_fd;
	int ready[2];
	int result;
	char message[512];
	struct dx_daemon_options options;
	const char *bundle;
	struct loop_host hosts[MAX_HOSTS]; /* only the broker's thread takes and frees slots */
} loop;

static const struct dx_usb_backend_ops *const backends[] = {&dx_backend_virtual, &dx_backend_usbip,
								NULL};

static void *run_host(void *argument)
{
	struct loop_host *host = argument;
	const struct dx_host_options options = {
		.socket = host->socket,
		.backends = backends,
		.classes = OpenDextDriverClasses,
		.spin_budget_ns = DX_WAIT_BUDGET_MEASURED,
	};
	uint64_t one = 1;

	host->result = dx_host_run(&options);
	(void)!write(host->watch_fd, &one, sizeof(one)); /* an eventfd that has been written once */
	return NULL;
}

static int launch(void *context, const struct dx_launch *request, int *socket,
		  struct dx_launched *ret_launched)
{
	struct loop_host *host = NULL;

	(void)context;
	(void)request;
	for (unsigned i = 0; i < MAX_HOSTS && host == NULL; i++) {
		host = loop.hosts[i].watch_fd < 0 ? &loop.hosts[i] : NULL;
	}
	if (host == NULL) {
		return -EAGAIN;
	}
	host->watch_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (host->watch_fd < 0) {
		return -errno;
	}
	host->socket = dx_take_fd(socket);
	if (pthread_create(&host->thread, NULL, run_host, host) != 0) {
		return -EAGAIN;
	}
	*ret_launched = (struct dx_launched){.pid = getpid(), .watch_fd = host->watch_fd};
	return 0;
}

/* A thread cannot be killed; a host ends when the broker closes its socket. */
static void ignore_kill(void *context, const struct dx_launched *launched, int signal)
{
	(void)context;
	(void)launched;
	(void)signal;
}

static bool reap(void *context, const struct dx_launched *launched, char *text, size_t size)
{
	(void)context;
	for (unsigned i = 0; i < MAX_HOSTS; i++) {
		struct loop_host *host = &loop.hosts[i];

		if (host->watch_fd == launched->watch_fd) {
			(void)pthread_join(host->thread, NULL);
			host->watch_fd = -1;
			(void)snprintf(text, size, "ended with %d", host->result);
			return host->result == 0;
		}
	}
	(void)snprintf(text, size, "was not known");
	return false;
}

static const struct dx_launcher launcher = {.launch = launch, .kill = ignore_kill, .reap = reap};

static void *run_broker(void *argument)
{
	(void)argument;
	loop.result = dx_daemon_run(&loop.options, loop.message, sizeof(loop.message));
	return NULL;
}

bool world_is_process(void)
{
	return false;
}

void world_start_broker(const char *socket_path, const char *bundle)
{
	char line[512] = "";

	for (unsigned i = 0; i < MAX_HOSTS; i++) {
		loop.hosts[i].watch_fd = -1;
	}
	loop.bundle = bundle;
	loop.stop_fd = eventfd(0, EFD_CLOEXEC);
	CHECK_GE(loop.stop_fd, 0);
	CHECK_EQ(pipe2(loop.ready, O_CLOEXEC), 0);
	loop.options = (struct dx_daemon_options){
		.socket_path = socket_path,
		.bundles = &loop.bundle,
		.nr_bundles = 1,
		.backends = backends,
		.launcher = &launcher,
		.is_private = true,
		.ready_fd = loop.ready[1],
		.stop_fd = loop.stop_fd,
	};
	CHECK_EQ(pthread_create(&loop.broker, NULL, run_broker, NULL), 0);
	CHECK_GT(read(loop.ready[0], line, sizeof(line) - 1), 0);
	if (strncmp(line, "ready", 5) != 0) {
		FAIL("broker: %s", line);
	}
}

void world_stop_broker(void)
{
	uint64_t one = 1;

	CHECK_EQ(write(loop.stop_fd, &one, sizeof(one)), (ssize_t)sizeof(one));
	CHECK_EQ(pthread_join(loop.broker, NULL), 0);
	(void)close(loop.stop_fd);
	(void)close(loop.ready[0]);
	(void)close(loop.ready[1]);
	if (loop.result != 0) {
		FAIL("broker: %d %s", loop.result, loop.message);
	}
	for (unsigned i = 0; i < MAX_HOSTS; i++) {
		CHECK_EQ(loop.hosts[i].watch_fd, -1);
	}
}
