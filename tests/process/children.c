/* SPDX-License-Identifier: MIT
 *
 * children - see children.h.
 */
#include "process/children.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "support/world.h"
#include "support/world_process.h"

struct child child_start(const char *variable, const char *a, const char *b, const char *c)
{
	const char *path = world_program(variable);
	struct child child;
	int fds[2];

	CHECK_EQ(pipe2(fds, O_CLOEXEC), 0);
	child.pid = fork();
	CHECK_GE(child.pid, 0);
	if (child.pid == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		(void)dup2(fds[1], STDOUT_FILENO);
		(void)execl(path, path, a, b, c, (char *)NULL);
		_exit(127);
	}
	(void)close(fds[1]);
	child.output = fds[0];
	return child;
}

void child_read_line(const struct child *child, char *line, size_t capacity)
{
	size_t length = 0;

	for (;;) {
		ssize_t got = read(child->output, line + length, 1);

		if (got < 0 && errno == EINTR) {
			continue;
		}
		if (got <= 0 || length == capacity - 1) {
			FAIL("a child ended early");
		}
		if (line[length] == '\n') {
			line[length] = '\0';
			return;
		}
		length++;
	}
}

void child_wait_ready(const struct child *child)
{
	char line[128];

	child_read_line(child, line, sizeof(line));
	CHECK_STR_EQ(line, "ready");
}

int child_wait(struct child *child)
{
	int status = 0;

	CHECK_EQ(waitpid(child->pid, &status, 0), child->pid);
	(void)close(child->output);
	child->pid = -1;
	return status;
}

void child_kill(struct child *child)
{
	(void)kill(child->pid, SIGKILL);
	(void)child_wait(child);
}

void child_join(struct child *child)
{
	int status = child_wait(child);

	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
		FAIL("a child ended with status %#x", (unsigned)status);
	}
}

/* Mappings of memfds in a process. */
static unsigned count_maps(pid_t pid)
{
	char path[64];
	char line[512];
	unsigned count = 0;
	FILE *file;

	(void)snprintf(path, sizeof(path), "/proc/%d/maps", (int)pid);
	file = fopen(path, "re");
	if (file == NULL) {
		return 0;
	}
	while (fgets(line, sizeof(line), file) != NULL) {
		count += strstr(line, "/memfd:") != NULL;
	}
	(void)fclose(file);
	return count;
}

struct holdings holdings_take(pid_t host)
{
	return (struct holdings){
		.nr_broker_fds = world_count_fds(world_broker_pid()),
		.nr_host_fds = world_count_fds(host),
		.nr_host_maps = count_maps(host),
		.host = host,
	};
}

static bool hold_no_more(void *argument)
{
	const struct holdings *before = argument;
	struct holdings now = holdings_take(before->host);

	return now.nr_broker_fds <= before->nr_broker_fds &&
	       now.nr_host_fds <= before->nr_host_fds && now.nr_host_maps <= before->nr_host_maps;
}

void holdings_expect(const struct holdings *before)
{
	struct holdings copy = *before;
	struct holdings now;

	if (test_wait_until(hold_no_more, &copy, WORLD_WAIT_MS)) {
		return;
	}
	now = holdings_take(before->host);
	FAIL("left behind: descriptors of the broker %u -> %u, of the host %u -> %u, maps %u -> %u",
	     before->nr_broker_fds, now.nr_broker_fds, before->nr_host_fds, now.nr_host_fds,
	     before->nr_host_maps, now.nr_host_maps);
}

unsigned seed_first(void)
{
	const char *text = getenv("OPENDEXT_SEED");

	return text == NULL ? 1 : (unsigned)strtoul(text, NULL, 0);
}

unsigned seed_count(unsigned count)
{
	return getenv("OPENDEXT_SEED") == NULL ? count : 1;
}

void sleep_us(unsigned microseconds)
{
	struct timespec time = {.tv_sec = microseconds / 1000000,
				.tv_nsec = (long)(microseconds % 1000000) * 1000};

	(void)nanosleep(&time, NULL); /* a shorter pause is as good at random */
}
