/* SPDX-License-Identifier: MIT
 *
 * world_process - broker and hosts as the programs that are installed. See world.h.
 *
 * OPENDEXT_TEST_DEXTD and OPENDEXT_TEST_HOST name them; Meson sets both.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/world.h"
#include "support/world_process.h"

static struct world_broker broker = {.pid = -1, .ready_fd = -1};

bool world_is_process(void)
{
	return true;
}

const char *world_program(const char *variable)
{
	const char *path = getenv(variable);

	if (path == NULL) {
		FAIL("%s is not set: run this through meson test", variable);
	}
	return path;
}

pid_t world_broker_pid(void)
{
	return broker.pid;
}

static void exec_broker(const char *socket_path, const char *bundle, int ready_fd, bool is_private,
			const char *const *more)
{
	char fd_text[16];
	const char *arguments[32];
	size_t count = 0;

	(void)snprintf(fd_text, sizeof(fd_text), "%d", ready_fd);
	arguments[count++] = world_program("OPENDEXT_TEST_DEXTD");
	arguments[count++] = "--socket";
	arguments[count++] = socket_path;
	arguments[count++] = "--host-program";
	arguments[count++] = world_program("OPENDEXT_TEST_HOST");
	arguments[count++] = "--ready-fd";
	arguments[count++] = fd_text;
	if (bundle != NULL) {
		arguments[count++] = "--bundle";
		arguments[count++] = bundle;
	}
	if (is_private) {
		arguments[count++] = "--private";
	}
	for (size_t i = 0; more != NULL && more[i] != NULL; i++) {
		arguments[count++] = more[i];
	}
	arguments[count] = NULL;
	(void)fcntl(ready_fd, F_SETFD, 0); /* the one that the broker inherits */
	(void)execv(arguments[0], (char *const *)arguments);
	_exit(127);
}

bool world_spawn_broker(const char *socket_path, const char *bundle, bool is_private,
			const char *const *more, char *line, size_t capacity)
{
	int ready[2];
	ssize_t length;

	CHECK_EQ(pipe2(ready, O_CLOEXEC), 0);
	broker.pid = fork();
	CHECK_GE(broker.pid, 0);
	if (broker.pid == 0) {
		exec_broker(socket_path, bundle, ready[1], is_private, more);
	}
	(void)close(ready[1]);
	broker.ready_fd = ready[0];
	length = read(ready[0], line, capacity - 1);
	line[length > 0 ? length : 0] = '\0';
	return strncmp(line, "ready", 5) == 0;
}

int world_wait_broker(void)
{
	int status = 0;

	CHECK_EQ(waitpid(broker.pid, &status, 0), broker.pid);
	broker.pid = -1;
	(void)close(broker.ready_fd);
	broker.ready_fd = -1;
	return status;
}

struct world_broker world_take_broker(void)
{
	struct world_broker taken = broker;

	broker = (struct world_broker){.pid = -1, .ready_fd = -1};
	return taken;
}

void world_put_broker(struct world_broker taken)
{
	broker = taken;
}

void world_start_broker(const char *socket_path, const char *bundle)
{
	char line[512];

	if (!world_spawn_broker(socket_path, bundle, true, NULL, line, sizeof(line))) {
		FAIL("dextd: %s", line);
	}
}

void world_stop_broker(void)
{
	int status;

	CHECK_EQ(kill(broker.pid, SIGTERM), 0);
	status = world_wait_broker();
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
		FAIL("dextd ended with status %#x", (unsigned)status);
	}
}
