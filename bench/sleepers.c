/* SPDX-License-Identifier: MIT
 *
 * sleepers - see sleepers.h.
 */
#include "sleepers.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "calls.h"
#include "driver/bench.h"
#include "system.h"

#define COUNTED_CALLS 200u

static struct {
	pid_t pid;
	int fd;
} application;

static void serve(int fd)
{
	io_connect_t connect;
	pid_t host;
	unsigned ms = 0;

	system_pin(getpid(), BENCH_DRIVER_CORE); /* what it starts inherits that */
	system_start();
	system_pin(getpid(), BENCH_APPLICATION_CORE);
	connect = system_open(BENCH_SERVICE);
	host = system_host(connect);
	while (read(fd, &ms, sizeof(ms)) == (ssize_t)sizeof(ms)) {
		struct sleepers_slice slice = {.call_ns = calls_ns(connect, ms, 0, NULL)};
		uint64_t before = system_switches(host);

		for (unsigned i = 0; i < COUNTED_CALLS; i++) {
			calls_scalars(connect);
		}
		slice.driver_sleeps = (double)(system_switches(host) - before) / COUNTED_CALLS;
		if (write(fd, &slice, sizeof(slice)) != (ssize_t)sizeof(slice)) {
			break;
		}
	}
	(void)IOServiceClose(connect);
	system_stop();
}

void sleepers_start(void)
{
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0) {
		perror("api_bench: socketpair");
		exit(2);
	}
	application.pid = fork();
	if (application.pid < 0) {
		perror("api_bench: fork");
		exit(2);
	}
	if (application.pid == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGTERM);
		(void)close(pair[0]);
		serve(pair[1]);
		_exit(0);
	}
	(void)close(pair[1]);
	application.fd = pair[0];
}

void sleepers_stop(void)
{
	(void)close(application.fd);
	(void)waitpid(application.pid, NULL, 0);
}

struct sleepers_slice sleepers_call(unsigned ms)
{
	struct sleepers_slice slice = {0};

	if (write(application.fd, &ms, sizeof(ms)) != (ssize_t)sizeof(ms) ||
	    read(application.fd, &slice, sizeof(slice)) != (ssize_t)sizeof(slice)) {
		fprintf(stderr, "api_bench: the application that never spins has ended\n");
		exit(2);
	}
	return slice;
}
