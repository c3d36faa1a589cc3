/* SPDX-License-Identifier: MIT
 *
 * tools_support - programs in tests. See tools_support.h.
 *
 * The test adopts the orphans of what it starts, so that whatever a program left running is found
 * among the descendants of the test, and nothing else on the machine is taken for it.
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
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
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
	long factor = text == NULL ? 1 : strtol(text, NULL, 10);

	return factor < 1 ? 1 : (unsigned)factor;
}

/* In the child. */
static void become(const char *directory, const char *const *argv, const int *out, const int *err)
{
	const char *path =
		strcmp(argv[0], "dext") == 0 ? tools_path("OPENDEXT_TEST_DEXT") : argv[0];

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

	CHECK_EQ(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
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
	ssize_t got =
		read(*fd, room > 0 ? buffer + *length : scrap, room > 0 ? room : sizeof(scrap));

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

bool tools_has_ended(const struct tools_program *program)
{
	siginfo_t info = {0};

	return waitid(P_PID, (id_t)program->pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
	       info.si_pid == program->pid;
}

bool tools_is_one_line(const char *text, const char *part)
{
	const char *end = strchr(text, '\n');

	return end != NULL && end[1] == '\0' && strstr(text, part) != NULL;
}

void tools_make_directory(char *buffer, size_t capacity)
{
	test_make_directory(buffer, capacity);
}

/* Field 4 of /proc/PID/stat, and whether there is anything but a zombie. */
static bool read_stat(const char *pid, pid_t *ret_parent, char *ret_name, size_t capacity)
{
	char text[512];
	char path[300];
	char state = 0;
	char *end = NULL;
	ssize_t length = 0;
	int fd = -1;

	(void)snprintf(path, sizeof(path), "/proc/%s/stat", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		return false;
	}
	length = read(fd, text, sizeof(text) - 1);
	(void)close(fd);
	text[length < 0 ? 0 : length] = '\0';
	end = strrchr(text, ')');
	if (end == NULL || sscanf(end + 1, " %c %d", &state, ret_parent) != 2) {
		return false;
	}
	*end = '\0';
	(void)snprintf(ret_name, capacity, "%s", strchr(text, '(') + 1);
	return state != 'Z';
}

static bool is_descendant(pid_t parent)
{
	char pid[16];
	char name[64];

	while (parent > 1 && parent != getpid()) {
		(void)snprintf(pid, sizeof(pid), "%d", (int)parent);
		if (!read_stat(pid, &parent, name, sizeof(name))) {
			return false;
		}
	}
	return parent == getpid();
}

/* name NULL: any program. */
pid_t tools_find_process(const char *name)
{
	DIR *proc = opendir("/proc");
	char found_name[64];
	pid_t parent = 0;
	pid_t found = 0;

	CHECK(proc != NULL);
	while (found == 0) {
		struct dirent *entry = readdir(proc);

		if (entry == NULL) {
			break;
		}
		if (isdigit((unsigned char)entry->d_name[0]) &&
		    read_stat(entry->d_name, &parent, found_name, sizeof(found_name)) &&
		    (name == NULL || strcmp(name, found_name) == 0) && is_descendant(parent)) {
			found = (pid_t)strtol(entry->d_name, NULL, 10);
		}
	}
	(void)closedir(proc);
	return found;
}

struct wanted {
	const char *name;
	pid_t pid;
};

static bool is_there(void *argument)
{
	struct wanted *wanted = argument;

	wanted->pid = tools_find_process(wanted->name);
	return wanted->pid != 0;
}

pid_t tools_await_process(const char *name)
{
	struct wanted wanted = {.name = name};

	if (!test_wait_until(is_there, &wanted, 10000 * time_factor())) {
		FAIL("no process %s", name);
	}
	return wanted.pid;
}

struct mapper {
	pid_t pid;
	unsigned count;
};

static bool has_mapped(void *argument)
{
	const struct mapper *mapper = argument;
	char path[64];
	char line[512];
	unsigned count = 0;

	(void)snprintf(path, sizeof(path), "/proc/%d/maps", (int)mapper->pid);
	FILE *file = fopen(path, "re");
	while (file != NULL && fgets(line, sizeof(line), file) != NULL) {
		count += strstr(line, "memfd:opendext-buffer") != NULL;
	}
	if (file != NULL) {
		CHECK_EQ(fclose(file), 0);
	}
	return count >= mapper->count;
}

void tools_await_buffers(pid_t pid, unsigned count)
{
	struct mapper mapper = {.pid = pid, .count = count};

	CHECK(test_wait_until(has_mapped, &mapper, 20000));
}

/* @return whether fd of that process is one and is hung up now. */
static bool hang_up(int process, int fd)
{
	int copy = (int)syscall(SYS_pidfd_getfd, process, fd, 0);

	if (copy < 0 && (errno == EPERM || errno == ENOSYS)) {
		test_skip("pidfd_getfd: %s", strerror(errno));
	}
	bool is_socket = copy >= 0 && shutdown(copy, SHUT_RDWR) == 0;
	if (copy >= 0) {
		(void)close(copy);
	}
	return is_socket;
}

void tools_cut_off(pid_t pid)
{
	char path[64];
	unsigned count = 0;
	int process = (int)syscall(SYS_pidfd_open, pid, 0);

	(void)snprintf(path, sizeof(path), "/proc/%d/fd", (int)pid);
	DIR *fds = opendir(path);
	CHECK(process >= 0 && fds != NULL);
	for (struct dirent *entry = readdir(fds); entry != NULL; entry = readdir(fds)) {
		count += entry->d_name[0] != '.' &&
			 hang_up(process, (int)strtol(entry->d_name, NULL, 10));
	}
	(void)closedir(fds);
	(void)close(process);
	CHECK_GT(count, 0);
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
	while (waitpid(-1, NULL, WNOHANG) > 0) {
		/* orphans that came to us: they are over */
	}
	return entry[0] == '\0' && tools_find_process(NULL) == 0;
}

void tools_check_clean(const char *directory)
{
	char copy[64];
	char entry[256];

	(void)snprintf(copy, sizeof(copy), "%s", directory);
	if (!test_wait_until(is_clean, copy, CLEAN_TIMEOUT_MS * time_factor())) {
		first_entry(directory, entry, sizeof(entry));
		FAIL("left behind: file '%s', process %d", entry, (int)tools_find_process(NULL));
	}
	CHECK_EQ(rmdir(directory), 0);
}

/* --- Scripts --------------------------------------------------------------------------------- */

void tools_script(struct tools_program *program, unsigned seconds, const char *script)
{
	char directory[64];
	char text[8192];
	const char *argv[] = {"sh", "-c", text, NULL};

	CHECK_LT(snprintf(text, sizeof(text),
			  "mkdir $TMPDIR/w && cd $TMPDIR/w || exit 99\n"
			  "trap 'cd / && rm -rf $TMPDIR/w' EXIT\n"
			  "driver() { mkdir -p Loop && cp $from/driver.c $from/stream.h "
			  "$from/Info.plist Loop; }\n"
			  "project() { mkdir -p P.xcodeproj && cat >P.xcodeproj/project.pbxproj; }\n"
			  "skip() { echo \"$*\" >&2; exit 77; }\n"
			  "need_cxx() { test -n \"$OPENDEXT_TEST_CXX\" ||\n"
			  "	skip 'C++ drivers or iig are not in this build'; }\n"
			  "%s",
			  script),
		 (int)sizeof(text));
	CHECK_EQ(setenv("dext", tools_path("OPENDEXT_TEST_DEXT"), 1), 0);
	CHECK_EQ(setenv("from", tools_path("OPENDEXT_TEST_STREAM_SOURCE"), 1), 0);
	/* What compiled these tests need not be what `dext build` uses by itself. */
	CHECK_EQ(unsetenv("CC"), 0);
	CHECK_EQ(unsetenv("CXX"), 0);
	tools_make_directory(directory, sizeof(directory));
	tools_start(program, directory, argv);
	tools_wait(program, seconds);
	tools_check_clean(directory);
	if (program->status == 77) {
		SKIP("%s", program->err);
	}
}

void tools_check_status(const struct tools_program *program, int status)
{
	if (program->status != status) {
		FAIL("status %d, not %d: %s%s", program->status, status, program->out, program->err);
	}
}

void tools_check_says(const struct tools_program *program, const char *part)
{
	if (strstr(program->err, part) == NULL) {
		FAIL("no '%s' in: %s", part, program->err);
	}
}
