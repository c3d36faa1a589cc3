/* SPDX-License-Identifier: MIT
 *
 * tools_support - programs in tests. See tools_support.h.
 *
 * What a program left behind is found through TMPDIR: every process that it starts inherits it, so
 * that other programs on the machine, and other tests, are not taken for ours.
 */
#include "tools_support.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "test.h"

#define CLEAN_TIMEOUT_MS 8000u

const char *tools_path(const char *variable)
{
	const char *path = getenv(variable);

	if (path == NULL) {
		SKIP("%s is not set: run it through meson test", variable);
	}
	return path;
}

static long long now_ms(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (long long)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static unsigned time_factor(void)
{
	const char *text = getenv("OPENDEXT_TEST_TIME_FACTOR");
	int factor = text == NULL ? 1 : atoi(text);

	return factor < 1 ? 1 : (unsigned)factor;
}

/* In the child. */
static void become(const char *directory, const char *const *argv, const int *out, const int *err)
{
	const char *path = strcmp(argv[0], "dext") == 0 ? tools_path("OPENDEXT_TEST_DEXT") : argv[0];

	(void)setpgid(0, 0);
	(void)dup2(out[1], STDOUT_FILENO);
	(void)dup2(err[1], STDERR_FILENO);
	(void)unsetenv("OPENDEXT_SOCKET");
	(void)unsetenv("XDG_RUNTIME_DIR");
	(void)unsetenv("OPENDEXT_LOG");
	(void)setenv("TMPDIR", directory, 1);
	(void)execvp(path, (char *const *)argv);
	_exit(125);
}

void tools_start(struct tools_program *program, const char *directory, const char *const *argv)
{
	int out[2];
	int err[2];

	CHECK_EQ(pipe2(out, O_CLOEXEC), 0);
	CHECK_EQ(pipe2(err, O_CLOEXEC), 0);
	memset(program, 0, sizeof(*program));
	program->pid = fork();
	CHECK_GE(program->pid, 0);
	if (program->pid == 0) {
		become(directory, argv, out, err);
	}
	(void)setpgid(program->pid, program->pid); /* both set it: no race */
	(void)close(out[1]);
	(void)close(err[1]);
	program->out_fd = out[0];
	program->err_fd = err[0];
}

/* Closes *fd at its end. What does not fit is dropped. */
static void read_some(int *fd, char *buffer, size_t *length)
{
	char scrap[4096];
	size_t room = TOOLS_MAX_OUTPUT - 1 - *length;
	ssize_t got = read(*fd, room > 0 ? buffer + *length : scrap, room > 0 ? room : sizeof(scrap));

	if (got <= 0) {
		(void)close(*fd);
		*fd = -1;
	} else if (room > 0) {
		*length += (size_t)got;
		buffer[*length] = '\0';
	}
}

/* @return false when nothing came in time, or both have ended. */
static bool read_output(struct tools_program *program, int timeout_ms)
{
	struct pollfd fds[] = {{.fd = program->out_fd, .events = POLLIN},
			       {.fd = program->err_fd, .events = POLLIN}};

	if ((program->out_fd < 0 && program->err_fd < 0) || poll(fds, 2, timeout_ms) <= 0) {
		return false;
	}
	if (fds[0].revents != 0) {
		read_some(&program->out_fd, program->out, &program->out_length);
	}
	if (fds[1].revents != 0) {
		read_some(&program->err_fd, program->err, &program->err_length);
	}
	return true;
}

void tools_wait_output(struct tools_program *program, const char *text)
{
	long long end = now_ms() + 20000ll * time_factor();

	while (strstr(program->out, text) == NULL && strstr(program->err, text) == NULL) {
		if (now_ms() > end || !read_output(program, 1000)) {
			if (program->out_fd < 0 && program->err_fd < 0) {
				FAIL("ended without '%s': %s%s", text, program->out, program->err);
			}
			if (now_ms() > end) {
				FAIL("no '%s' in: %s%s", text, program->out, program->err);
			}
		}
	}
}

static void reap(struct tools_program *program, long long end)
{
	int status = 0;

	while (waitpid(program->pid, &status, WNOHANG) == 0) {
		struct timespec pause = {.tv_nsec = 2000000};

		if (now_ms() > end) {
			(void)kill(-program->pid, SIGKILL);
			FAIL("did not end: %s%s", program->out, program->err);
		}
		(void)nanosleep(&pause, NULL);
	}
	program->status = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
	program->pid = 0;
}

void tools_wait(struct tools_program *program, unsigned seconds)
{
	long long end = now_ms() + 1000ll * seconds * time_factor();

	while ((program->out_fd >= 0 || program->err_fd >= 0) && now_ms() <= end) {
		(void)read_output(program, 200);
	}
	reap(program, end);
	if (program->out_fd >= 0 || program->err_fd >= 0) {
		FAIL("something still holds its output: %s%s", program->out, program->err);
	}
}

void tools_run(struct tools_program *program, const char *directory, const char *const *argv)
{
	tools_start(program, directory, argv);
	tools_wait(program, 30);
}

bool tools_is_one_line(const char *text, const char *part)
{
	const char *end = strchr(text, '\n');

	return end != NULL && end[1] == '\0' && strstr(text, part) != NULL;
}

void tools_make_directory(char *buffer, size_t capacity)
{
	CHECK_LT(snprintf(buffer, capacity, "/tmp/dx-test-XXXXXX"), (int)capacity);
	CHECK(mkdtemp(buffer) != NULL);
}

/* Whether the file, NUL-separated text of /proc, holds text. */
static bool proc_file_has(const char *pid, const char *file, const char *text)
{
	static char buffer[1u << 17];
	char path[300];
	ssize_t length = 0;
	int fd = -1;

	(void)snprintf(path, sizeof(path), "/proc/%s/%s", pid, file);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		return false;
	}
	length = read(fd, buffer, sizeof(buffer));
	(void)close(fd);
	return length > 0 && memmem(buffer, (size_t)length, text, strlen(text)) != NULL;
}

static bool is_zombie(const char *pid)
{
	return proc_file_has(pid, "stat", ") Z ");
}

/* name NULL: any program. */
static pid_t find_process(const char *directory, const char *name)
{
	DIR *proc = opendir("/proc");
	pid_t found = 0;

	CHECK(proc != NULL);
	for (;;) {
		struct dirent *entry = readdir(proc);

		if (entry == NULL || found != 0) {
			break;
		}
		if (!isdigit((unsigned char)entry->d_name[0]) || atoi(entry->d_name) == getpid() ||
		    is_zombie(entry->d_name)) {
			continue;
		}
		if ((name == NULL || proc_file_has(entry->d_name, "comm", name)) &&
		    (proc_file_has(entry->d_name, "environ", directory) ||
		     proc_file_has(entry->d_name, "cmdline", directory))) {
			found = atoi(entry->d_name);
		}
	}
	(void)closedir(proc);
	return found;
}

pid_t tools_find_process(const char *directory, const char *name)
{
	return find_process(directory, name);
}

struct wanted {
	const char *directory, *name;
	pid_t pid;
};

static bool is_there(void *argument)
{
	struct wanted *wanted = argument;

	wanted->pid = find_process(wanted->directory, wanted->name);
	return wanted->pid != 0;
}

pid_t tools_await_process(const char *directory, const char *name)
{
	struct wanted wanted = {.directory = directory, .name = name};

	if (!test_wait_until(is_there, &wanted, 10000 * time_factor())) {
		FAIL("no process %s", name);
	}
	return wanted.pid;
}

/* The name of something in the directory, or "". */
static void first_entry(const char *directory, char *buffer, size_t capacity)
{
	DIR *stream = opendir(directory);

	buffer[0] = '\0';
	CHECK(stream != NULL);
	for (;;) {
		struct dirent *entry = readdir(stream);

		if (entry == NULL) {
			break;
		}
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0) {
			(void)snprintf(buffer, capacity, "%s", entry->d_name);
		}
	}
	(void)closedir(stream);
}

static bool is_clean(void *argument)
{
	const char *directory = argument;
	char entry[256];

	first_entry(directory, entry, sizeof(entry));
	return entry[0] == '\0' && find_process(directory, NULL) == 0;
}

void tools_check_clean(const char *directory)
{
	char name[64];
	char entry[256];

	(void)snprintf(name, sizeof(name), "%s", directory);
	if (!test_wait_until(is_clean, name, CLEAN_TIMEOUT_MS * time_factor())) {
		first_entry(directory, entry, sizeof(entry));
		FAIL("left behind: file '%s', process %d", entry,
		     (int)find_process(directory, NULL));
	}
	CHECK_EQ(rmdir(directory), 0);
}
