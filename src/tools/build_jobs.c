/* SPDX-License-Identifier: MIT
 *
 * build_jobs - programs that a build runs. See build_jobs.h.
 */
#include "build_jobs.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/check.h"
#include "base/pathutil.h"
#include "build_current.h"
#include "json.h"
#include "process.h"

#define MAX_PARALLEL 64u

/* One that runs. */
struct slot {
	const struct dx_job *job; /* NULL: free */
	struct dx_process process;
	int out_fd; /* memory file with what it wrote */
};

struct dx_job *dx_jobs_add(struct dx_jobs *jobs, const char *what, const char *input,
			   const char *output)
{
	struct dx_job *job = NULL;

	if (jobs->nr == jobs->capacity) {
		size_t capacity = jobs->capacity == 0 ? 16 : jobs->capacity * 2;
		struct dx_job *items = reallocarray(jobs->items, capacity, sizeof(*items));

		if (items == NULL) {
			jobs->failed = true;
			return NULL;
		}
		jobs->items = items;
		jobs->capacity = capacity;
	}
	job = &jobs->items[jobs->nr];
	*job = (struct dx_job){.what = what,
			       .input = input == NULL ? NULL : strdup(input),
			       .output = strdup(output)};
	jobs->nr++;
	if (job->output == NULL || (input != NULL && job->input == NULL)) {
		jobs->failed = true;
	}
	return job;
}

/* Everything that a memory file holds, to standard error. */
static void show_output(int fd)
{
	char buffer[8192];
	off_t at = 0;

	(void)fflush(stdout);
	for (;;) {
		ssize_t length = pread(fd, buffer, sizeof(buffer), at);

		if (length <= 0) {
			return;
		}
		(void)fwrite(buffer, 1, (size_t)length, stderr);
		at += length;
	}
}

static const char *name_of(const struct dx_job *job)
{
	return job->input != NULL ? job->input : job->output;
}

static int start(const struct dx_tool *tool, struct slot *slot, const struct dx_job *job)
{
	DX_CLEANUP_FD int out = memfd_create("output", MFD_CLOEXEC);
	const int kept[] = {out, STDOUT_FILENO, out, STDERR_FILENO};
	struct dx_process_options options = {.path = job->argv.items[0],
					     .argv = (const char *const *)job->argv.items,
					     .death_signal = SIGKILL,
					     .kept_fds = kept,
					     .nr_kept_fds = 2};
	int rc = 0;

	if (out < 0) {
		return dx_tool_fail(tool, DX_TOOL_FAILED, "%s", strerror(errno));
	}
	rc = dx_process_start(&options, &slot->process);
	if (rc < 0) {
		return dx_tool_fail(tool, DX_TOOL_FAILED, "cannot %s '%s': %s: %s", job->what,
				    name_of(job), job->argv.items[0],
				    rc == -ENOENT ? "is not installed" : strerror(-rc));
	}
	slot->job = job;
	slot->out_fd = dx_take_fd(&out);
	return DX_TOOL_OK;
}

/* The family of "'PCIDriverKit/...' file not found" that is not among ours; the line names it. */
static bool find_other_family(const char *text, char *family, size_t size)
{
	static const char suffix[] = "DriverKit";
	static const char *const families[] = {"DriverKit", "USBDriverKit", "HIDDriverKit"};
	const char *end = strstr(text, "' file not found");
	const char *start = end;
	size_t length = 0;
	bool is_ours = false;

	while (start != NULL && start > text && start[-1] != '\'' && start[-1] != '\n') {
		start--;
	}
	length = start == NULL ? 0 : strcspn(start, "/'");
	if (length < strlen(suffix) || length >= size || start[length] != '/' ||
	    strncmp(start + length - strlen(suffix), suffix, strlen(suffix)) != 0) {
		return false;
	}
	(void)snprintf(family, size, "%.*s", (int)length, start);
	for (size_t i = 0; i < DX_ARRAY_SIZE(families); i++) {
		is_ours = is_ours || strcmp(family, families[i]) == 0;
	}
	return !is_ours;
}

/* What the compiler cannot know. */
static void advise(const struct dx_tool *tool, int fd)
{
	char text[16384];
	char family[64];
	ssize_t length = pread(fd, text, sizeof(text) - 1, 0);

	if (length <= 0) {
		return;
	}
	text[length] = '\0';
	if (find_other_family(text, family, sizeof(family))) {
		dx_tool_say(tool,
			    "there is no %s here; there are DriverKit, USBDriverKit and "
			    "declarations of HIDDriverKit",
			    family);
	}
}

/* A slot whose program has ended. `told`: somebody else has said that the build failed. */
static int finish(const struct dx_tool *tool, struct slot *slot, bool told)
{
	const struct dx_job *job = slot->job;
	int status = slot->process.status;
	char text[64];

	show_output(slot->out_fd);
	if (status != 0 && !told && strcmp(job->what, "compile") == 0) {
		advise(tool, slot->out_fd);
	}
	dx_fd_close(&slot->out_fd);
	slot->job = NULL;
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0) {
		if (job->has_rule) {
			dx_build_note_command(&job->argv, job->output);
		}
		return DX_TOOL_OK;
	}
	if (!told) {
		dx_process_describe(status, text, sizeof(text));
		(void)dx_tool_fail(tool, DX_TOOL_FAILED, "cannot %s '%s'%s%s", job->what,
				   name_of(job), WIFSIGNALED(status) ? ": " : "",
				   WIFSIGNALED(status) ? text : "");
	}
	return DX_TOOL_FAILED;
}

/* Waits until at least one of them has ended. */
static void wait_for_one(const struct slot *slots, unsigned nr_slots)
{
	struct pollfd fds[MAX_PARALLEL];
	nfds_t nr = 0;

	for (unsigned i = 0; i < nr_slots; i++) {
		if (slots[i].job != NULL) {
			fds[nr++] = (struct pollfd){.fd = slots[i].process.fd, .events = POLLIN};
		}
	}
	(void)poll(fds, nr, -1); /* EINTR: the caller looks again */
}

static void say_command(const struct dx_tool *tool, const struct dx_job *job)
{
	char *text = NULL;
	size_t length = 0;
	FILE *stream = tool->verbosity < 2 ? NULL : open_memstream(&text, &length);

	if (stream == NULL) {
		return;
	}
	for (size_t i = 0; i < job->argv.nr; i++) {
		(void)fprintf(stream, "%s%s", i == 0 ? "" : " ", job->argv.items[i]);
	}
	(void)fclose(stream);
	(void)fprintf(stderr, "%s\n", text);
	free(text);
}

/* Reaps what has ended. @return number of slots that are busy. */
static unsigned reap(const struct dx_tool *tool, struct slot *slots, unsigned nr_slots, int *code)
{
	unsigned nr_busy = 0;

	for (unsigned i = 0; i < nr_slots; i++) {
		if (slots[i].job == NULL) {
			continue;
		}
		if (dx_process_wait(&slots[i].process, 0)) {
			int result = finish(tool, &slots[i], *code != DX_TOOL_OK);

			*code = *code == DX_TOOL_OK ? result : *code;
		} else {
			nr_busy++;
		}
	}
	return nr_busy;
}

/* The first from `next` on that is to be run (J3). */
static size_t skip_current(const struct dx_jobs *jobs, size_t next)
{
	while (next < jobs->nr && jobs->items[next].has_rule &&
	       dx_build_is_current(&jobs->items[next].argv, jobs->items[next].output)) {
		next++;
	}
	return next;
}

int dx_jobs_run(const struct dx_tool *tool, struct dx_jobs *jobs, size_t first, unsigned parallel)
{
	struct slot slots[MAX_PARALLEL] = {{0}};
	unsigned nr_slots = parallel > MAX_PARALLEL ? MAX_PARALLEL : parallel;
	size_t next = skip_current(jobs, first);
	int code = DX_TOOL_OK;

	if (jobs->failed) {
		return dx_tool_fail(tool, DX_TOOL_FAILED, "%s", strerror(ENOMEM));
	}
	for (;;) {
		unsigned nr_busy = reap(tool, slots, nr_slots, &code);

		for (unsigned i = 0; i < nr_slots && code == DX_TOOL_OK && next < jobs->nr; i++) {
			if (slots[i].job != NULL) {
				continue;
			}
			if (jobs->items[next].argv.failed) {
				code = dx_tool_fail(tool, DX_TOOL_FAILED, "%s", strerror(ENOMEM));
				break;
			}
			say_command(tool, &jobs->items[next]);
			code = start(tool, &slots[i], &jobs->items[next]);
			next = skip_current(jobs, next + 1);
			nr_busy += code == DX_TOOL_OK;
		}
		if (nr_busy == 0) {
			return code;
		}
		wait_for_one(slots, nr_slots);
	}
}

int dx_jobs_ask(const char *const *argv, char *buffer, size_t capacity)
{
	DX_CLEANUP_FD int out = memfd_create("answer", MFD_CLOEXEC);
	DX_CLEANUP_FD int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	const int kept[] = {out, STDOUT_FILENO, null, STDERR_FILENO};
	struct dx_process_options options = {.path = argv[0],
					     .argv = argv,
					     .death_signal = SIGKILL,
					     .kept_fds = kept,
					     .nr_kept_fds = 2};
	struct dx_process process = DX_PROCESS_INIT;
	ssize_t length = 0;
	int rc = out < 0 || null < 0 ? -EMFILE : dx_process_start(&options, &process);

	if (rc < 0) {
		return rc;
	}
	(void)dx_process_wait(&process, -1);
	length = pread(out, buffer, capacity - 1, 0);
	if (length < 0 || process.status != 0) {
		return -EIO;
	}
	buffer[length] = '\0';
	buffer[strcspn(buffer, "\n")] = '\0';
	return 0;
}

static void write_entry(FILE *stream, const struct dx_job *job, const char *directory)
{
	DX_CLEANUP_FREE char *output =
		job->output[0] == '/' ? strdup(job->output) : dx_path_join(directory, job->output);

	(void)fputs("  {\"directory\": ", stream);
	dx_json_print_string(stream, directory);
	(void)fputs(",\n   \"file\": ", stream);
	dx_json_print_string(stream, job->input);
	(void)fputs(",\n   \"output\": ", stream);
	dx_json_print_string(stream, output == NULL ? job->output : output);
	(void)fputs(",\n   \"arguments\": [", stream);
	for (size_t i = 0; i < job->argv.nr; i++) {
		(void)fputs(i == 0 ? "" : ", ", stream);
		dx_json_print_string(stream, job->argv.items[i]);
	}
	(void)fputs("]}", stream);
}

char *dx_jobs_database(const struct dx_jobs *jobs, const char *directory)
{
	char *text = NULL;
	size_t length = 0;
	bool first = true;
	FILE *stream = open_memstream(&text, &length);

	for (size_t i = 0; stream != NULL && i < jobs->nr; i++) {
		if (jobs->items[i].input != NULL && strcmp(jobs->items[i].what, "compile") == 0) {
			(void)fputs(first ? "" : ",\n", stream);
			write_entry(stream, &jobs->items[i], directory);
			first = false;
		}
	}
	if (stream == NULL || fclose(stream) != 0) {
		free(text);
		return NULL;
	}
	return text;
}

void dx_jobs_fini(struct dx_jobs *jobs)
{
	for (size_t i = 0; i < jobs->nr; i++) {
		dx_words_fini(&jobs->items[i].argv);
		free(jobs->items[i].input);
		free(jobs->items[i].output);
	}
	free(jobs->items);
	*jobs = (struct dx_jobs){0};
}
