/* SPDX-License-Identifier: MIT
 *
 * test - runs the registered tests, each in a process of its own.
 *
 * Place:      linked into every test program; has main().
 * Invariants:
 *   T1  a test cannot outlive its limit: its process group is killed.
 *   T2  what a test leaves behind (descriptors, processes) is found and is a failure. Orphans
 *       come to the runner, which is their subreaper.
 *       Directories that it asked us for are removed.
 *   T3  the output of a test goes to a memfd, so a test can neither block on it nor mix lines.
 */
#include "test.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <ftw.h>
#include <glob.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define TEST_DIRECTORY	"/tmp/opendext-test-%d-" /* the process group, which is the test's */
#define EXIT_SKIPPED	77
#define MAX_FDS		4096
#define ORPHAN_GRACE_MS 2000
#define MAX_SHOWN_BYTES (64 * 1024)

struct options {
	bool list;
	bool no_fork;
	bool verbose;
	bool cover;
	bool colour;
	int nr_patterns;
	char **patterns;
};

struct totals {
	unsigned nr_run;
	unsigned nr_passed;
	unsigned nr_failed;
	unsigned nr_skipped;
};

struct fd_set_seen {
	bool open[MAX_FDS];
};

static struct test_case *first_test;
static struct test_case **last_link = &first_test;
static unsigned seconds_factor = 1;

void test_register(struct test_case *test)
{
	test->next = NULL;
	*last_link = test;
	last_link = &test->next;
}

void test_fail(const char *file, int line, const char *format, ...)
{
	va_list arguments;

	fprintf(stderr, "%s:%d: ", file, line);
	va_start(arguments, format);
	vfprintf(stderr, format, arguments);
	va_end(arguments);
	fputc('\n', stderr);
	fflush(NULL);
	_exit(1);
}

void test_skip(const char *format, ...)
{
	va_list arguments;

	fputs("SKIP ", stderr);
	va_start(arguments, format);
	vfprintf(stderr, format, arguments);
	va_end(arguments);
	fputc('\n', stderr);
	fflush(NULL);
	_exit(EXIT_SKIPPED);
}

void test_check_bytes(const char *file, int line, const void *a, const void *b, size_t length)
{
	const unsigned char *left = a;
	const unsigned char *right = b;

	for (size_t i = 0; i < length; i++) {
		if (left[i] != right[i]) {
			test_fail(file, line, "bytes differ at %zu of %zu: 0x%02x, 0x%02x", i,
				  length, left[i], right[i]);
		}
	}
}

void test_make_directory(char *buffer, size_t capacity)
{
	int length = snprintf(buffer, capacity, TEST_DIRECTORY "XXXXXX", (int)getpgrp());

	if (length < 0 || (size_t)length >= capacity || mkdtemp(buffer) == NULL) {
		test_fail(__FILE__, __LINE__, "no directory: %s", strerror(errno));
	}
}

static int remove_one(const char *path, const struct stat *status, int type, struct FTW *walk)
{
	(void)status;
	(void)type;
	(void)walk;
	(void)remove(path); /* what cannot be removed stays: the result of the test is known */
	return 0;
}

static void remove_directories(pid_t test)
{
	char pattern[64];
	glob_t found;

	(void)snprintf(pattern, sizeof(pattern), TEST_DIRECTORY "??????", (int)test);
	if (glob(pattern, GLOB_NOSORT, NULL, &found) != 0) {
		return;
	}
	for (size_t i = 0; i < found.gl_pathc; i++) {
		(void)nftw(found.gl_pathv[i], remove_one, 8, FTW_DEPTH | FTW_PHYS);
	}
	globfree(&found);
}

static void sleep_ms(unsigned ms)
{
	struct timespec time = {.tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000};

	(void)nanosleep(&time, NULL); /* an early end only makes the caller look once more */
}

unsigned test_limit_ms(unsigned ms)
{
	return ms * seconds_factor;
}

bool test_wait_until(bool (*condition)(void *argument), void *argument, unsigned timeout_ms)
{
	unsigned limit_ms = test_limit_ms(timeout_ms);

	for (unsigned waited_ms = 0; waited_ms <= limit_ms; waited_ms++) {
		if (condition(argument)) {
			return true;
		}
		sleep_ms(1);
	}
	return condition(argument);
}

/* Marks every open descriptor but the one of the directory stream itself. */
static unsigned list_fds(struct fd_set_seen *seen)
{
	DIR *dir = opendir("/proc/self/fd");
	unsigned nr_open = 0;

	if (dir == NULL) {
		return 0;
	}
	for (struct dirent *entry = readdir(dir); entry != NULL; entry = readdir(dir)) {
		int fd = entry->d_name[0] == '.' ? -1 : (int)strtol(entry->d_name, NULL, 10);

		if (fd < 0 || fd == dirfd(dir)) {
			continue;
		}
		nr_open++;
		if (fd < MAX_FDS) {
			seen->open[fd] = true;
		}
	}
	(void)closedir(dir);
	return nr_open;
}

unsigned test_count_fds(void)
{
	static struct fd_set_seen ignored;

	return list_fds(&ignored);
}

/* @return number of descriptors that are open now and were not before; names them. */
static unsigned report_leaked_fds(const struct fd_set_seen *before)
{
	static struct fd_set_seen after;
	unsigned nr_leaked = 0;

	(void)list_fds(&after);
	for (int fd = 0; fd < MAX_FDS; fd++) {
		char path[64];
		char target[256];
		ssize_t length;

		if (!after.open[fd] || before->open[fd]) {
			continue;
		}
		(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
		length = readlink(path, target, sizeof(target) - 1);
		target[length > 0 ? length : 0] = '\0';
		fprintf(stderr, "file descriptor %d left open: %s\n", fd, target);
		nr_leaked++;
	}
	return nr_leaked;
}

/* In the test's process. exit() and not _exit(), so that LeakSanitizer looks. */
static void run_here(const struct test_case *test)
{
	static struct fd_set_seen before;

	(void)list_fds(&before);
	test->run();
	fflush(NULL);
	exit(report_leaked_fds(&before) == 0 ? 0 : 1);
}

static pid_t start(const struct test_case *test, int output)
{
	pid_t runner = getpid();
	pid_t pid = fork();

	if (pid != 0) {
		return pid;
	}
	(void)setpgid(0, 0); /* cannot fail for a process that has just been forked */
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != runner) {
		_exit(1);
	}
	if (dup2(output, STDOUT_FILENO) < 0 || dup2(output, STDERR_FILENO) < 0) {
		_exit(1);
	}
	(void)close(output);
	(void)setvbuf(stdout, NULL, _IOLBF, 0);
	run_here(test);
	_exit(1); /* not reached */
}

/* @return false when the limit has passed; the process can be reaped when true. */
static bool wait_for_exit(pid_t pid, unsigned limit_seconds)
{
	int pidfd = (int)syscall(SYS_pidfd_open, pid, 0u);
	struct pollfd poll_entry = {.fd = pidfd, .events = POLLIN};
	int nr_ready;

	if (pidfd < 0) {
		return false;
	}
	do {
		nr_ready = poll(&poll_entry, 1, (int)limit_seconds * 1000);
	} while (nr_ready < 0 && errno == EINTR);
	(void)close(pidfd);
	return nr_ready > 0;
}

/* Kills every child of the runner. Children of those come here in turn, then. */
static void kill_children(void)
{
	char path[64];
	char text[4096];
	size_t length;
	FILE *file;

	(void)snprintf(path, sizeof(path), "/proc/self/task/%d/children", (int)getpid());
	file = fopen(path, "re");
	if (file == NULL) {
		return;
	}
	length = fread(text, 1, sizeof(text) - 1, file);
	(void)fclose(file);
	text[length] = '\0';
	for (char *rest = text, *end = NULL;; rest = end) {
		long pid = strtol(rest, &end, 10);

		if (end == rest) {
			break;
		}
		(void)kill((pid_t)pid, SIGKILL);
	}
}

/* Reaps what the test left to us. @return false when something was still running. */
static bool reap_orphans(void)
{
	unsigned waited_ms = 0;

	for (;;) {
		pid_t pid = waitpid(-1, NULL, WNOHANG);

		if (pid < 0 && errno == ECHILD) {
			return waited_ms < ORPHAN_GRACE_MS;
		}
		if (pid == 0) {
			if (waited_ms >= ORPHAN_GRACE_MS) {
				kill_children();
			}
			sleep_ms(1);
			waited_ms++;
		}
	}
}

/* Copies the test's output, each line behind "# ". */
static void show_output(int output)
{
	char buffer[4096];
	bool at_start = true;
	off_t offset = 0;

	while (offset < MAX_SHOWN_BYTES) {
		ssize_t length = pread(output, buffer, sizeof(buffer), offset);

		if (length <= 0) {
			break;
		}
		for (ssize_t i = 0; i < length; i++) {
			if (at_start) {
				fputs("# ", stdout);
			}
			fputc(buffer[i], stdout);
			at_start = buffer[i] == '\n';
		}
		offset += length;
	}
	if (!at_start) {
		fputc('\n', stdout);
	}
}

/* The reason is the last line that starts with "SKIP ". */
static void read_skip_reason(int output, char *reason, size_t capacity)
{
	char text[4096];
	ssize_t length = pread(output, text, sizeof(text) - 1, 0);
	const char *found = NULL;

	text[length > 0 ? length : 0] = '\0';
	for (const char *at = strstr(text, "SKIP "); at != NULL; at = strstr(at + 1, "SKIP ")) {
		found = at + strlen("SKIP ");
	}
	(void)snprintf(reason, capacity, "%.*s", found == NULL ? 0 : (int)strcspn(found, "\n"),
		       found == NULL ? "" : found);
}

static void print_result(const struct options *options, bool ok, unsigned number, const char *name,
			 const char *note)
{
	const char *colour = "";
	const char *plain = "";

	if (options->colour) {
		colour = ok ? "\033[32m" : "\033[31m";
		plain = "\033[0m";
	}
	printf("%s%s%s %u - %s%s\n", colour, ok ? "ok" : "not ok", plain, number, name, note);
}

/* What ended the test, in words; empty for success. */
static void describe_status(int status, bool timed_out, const struct test_case *test, char *note,
			    size_t capacity)
{
	note[0] = '\0';
	if (timed_out) {
		(void)snprintf(note, capacity, " (longer than %u s)",
			       test->limit_seconds * seconds_factor);
	} else if (WIFSIGNALED(status)) {
		(void)snprintf(note, capacity, " (signal %d, %s)", WTERMSIG(status),
			       strsignal(WTERMSIG(status)));
	} else if (WEXITSTATUS(status) > 1) {
		(void)snprintf(note, capacity, " (exit status %d)", WEXITSTATUS(status));
	}
}

static void account(const struct options *options, const struct test_case *test, int status,
		    bool timed_out, bool orphans, int output, struct totals *totals)
{
	char note[512];
	unsigned number = ++totals->nr_run;

	if (!timed_out && !orphans && WIFEXITED(status) && WEXITSTATUS(status) == EXIT_SKIPPED) {
		char reason[256];

		read_skip_reason(output, reason, sizeof(reason));
		(void)snprintf(note, sizeof(note), " # SKIP %s", reason);
		totals->nr_skipped++;
		print_result(options, true, number, test->name, note);
		return;
	}
	describe_status(status, timed_out, test, note, sizeof(note));
	if (!timed_out && !orphans && WIFEXITED(status) && WEXITSTATUS(status) == 0) {
		totals->nr_passed++;
		print_result(options, true, number, test->name, "");
		if (options->verbose) {
			show_output(output);
		}
		return;
	}
	totals->nr_failed++;
	print_result(options, false, number, test->name,
		     orphans && note[0] == '\0' ? " (left a process running)" : note);
	show_output(output);
}

static void run_forked(const struct options *options, const struct test_case *test,
		       struct totals *totals)
{
	int output = memfd_create("test-output", MFD_CLOEXEC);
	bool timed_out = false;
	int status = 0;
	pid_t pid;

	fflush(NULL);
	if (output < 0 || fcntl(output, F_SETFL, O_APPEND) < 0) {
		perror("test output");
		exit(1);
	}
	pid = start(test, output);
	if (pid < 0) {
		perror("fork");
		exit(1);
	}
	(void)setpgid(pid, pid); /* the child does the same; whoever comes first */
	timed_out = !wait_for_exit(pid, test->limit_seconds * seconds_factor);
	if (timed_out) {
		(void)kill(-pid, SIGKILL);
	}
	(void)waitpid(pid, &status, 0);
	account(options, test, status, timed_out, !reap_orphans(), output, totals);
	remove_directories(pid);
	(void)close(output);
}

static bool is_selected(const struct options *options, const struct test_case *test)
{
	for (int i = 0; i < options->nr_patterns; i++) {
		if (fnmatch(options->patterns[i], test->name, 0) == 0) {
			return true;
		}
	}
	return options->nr_patterns == 0;
}

/* A test that was renamed must not drop out of a list of names without a word. */
static void check_patterns(const struct options *options, const char *program)
{
	if (first_test == NULL) {
		fprintf(stderr, "%s: there are no tests\n", program);
		exit(1);
	}
	for (int i = 0; i < options->nr_patterns; i++) {
		const struct test_case *test = first_test;

		while (test != NULL && fnmatch(options->patterns[i], test->name, 0) != 0) {
			test = test->next;
		}
		if (test == NULL) {
			fprintf(stderr, "%s: no test has the name %s\n", program, options->patterns[i]);
			exit(1);
		}
	}
}

/* A test that was added must not be missing in the names that several runs share out. */
static int check_cover(const struct options *options)
{
	struct totals totals = {0};

	for (const struct test_case *test = first_test; test != NULL; test = test->next) {
		bool ok = is_selected(options, test);

		totals.nr_passed += ok;
		totals.nr_failed += !ok;
		print_result(options, ok, ++totals.nr_run, test->name, "");
	}
	printf("%u passed, %u failed\n", totals.nr_passed, totals.nr_failed);
	return totals.nr_failed > 0;
}

static struct options parse_options(int argc, char **argv)
{
	struct options options = {.colour = isatty(STDOUT_FILENO) && getenv("NO_COLOR") == NULL};
	int i = 1;

	for (; i < argc && strncmp(argv[i], "--", 2) == 0; i++) {
		if (strcmp(argv[i], "--list") == 0) {
			options.list = true;
		} else if (strcmp(argv[i], "--no-fork") == 0) {
			options.no_fork = true;
		} else if (strcmp(argv[i], "--verbose") == 0) {
			options.verbose = true;
		} else if (strcmp(argv[i], "--cover") == 0) {
			options.cover = true;
		} else {
			fprintf(stderr, "usage: %s [--list|--cover|--verbose|--no-fork] [NAME...]\n",
				argv[0]);
			exit(2);
		}
	}
	options.nr_patterns = argc - i;
	options.patterns = argv + i;
	return options;
}

static void read_time_factor(void)
{
	const char *text = getenv("OPENDEXT_TEST_TIME_FACTOR");
	long factor = text == NULL ? 1 : strtol(text, NULL, 10);

	seconds_factor = factor >= 1 && factor <= 100 ? (unsigned)factor : 1;
}

int main(int argc, char **argv)
{
	struct options options = parse_options(argc, argv);
	struct totals totals = {0};

	read_time_factor();
	check_patterns(&options, argv[0]);
	if (options.cover) {
		return check_cover(&options);
	}
	(void)prctl(PR_SET_CHILD_SUBREAPER, 1);
	for (const struct test_case *test = first_test; test != NULL; test = test->next) {
		if (!is_selected(&options, test)) {
			continue;
		}
		if (options.list) {
			puts(test->name);
		} else if (options.no_fork) {
			run_here(test);
		} else {
			run_forked(&options, test, &totals);
		}
	}
	if (options.list) {
		return 0;
	}
	if (totals.nr_skipped > 0) {
		printf("# %u skipped\n", totals.nr_skipped);
	}
	printf("%u passed, %u failed\n", totals.nr_passed, totals.nr_failed);
	if (totals.nr_failed > 0) {
		return 1;
	}
	return totals.nr_passed == 0 ? EXIT_SKIPPED : 0;
}
