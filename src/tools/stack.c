/* SPDX-License-Identifier: MIT
 *
 * stack - the program dext-stack: copies its input to standard error, with names in stacks. See
 *         stack.h.
 */
#include "stack.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "helper.h"

#define MAX_LINE 4096u
#define QUIET_MS 1000 /* a process that died over its own stack says no more */

struct filter {
	char line[MAX_LINE];
	size_t length;
	bool is_long; /* of a line whose begin has been copied */
	/* A stack that is coming. */
	unsigned nr_expected;
	unsigned nr_calls;
	char texts[DX_STACK_MAX_CALLS][MAX_LINE]; /* lines as they came */
	struct dx_stack_call calls[DX_STACK_MAX_CALLS];
};

static void copy(const char *text, size_t length)
{
	(void)dx_file_write_fd(STDERR_FILENO, text, length); /* nobody is left to be told */
}

/* --- Reading a stack ------------------------------------------------------------------------- */

/* "NAME: the stack, 12 calls, ..." @return the number; 0: another line. */
static unsigned parse_head(const char *line)
{
	static const char mark[] = ": the stack, ";
	const char *found = strstr(line, mark);
	unsigned long nr = found == NULL ? 0 : strtoul(found + strlen(mark), NULL, 10);

	return nr > DX_STACK_MAX_CALLS ? 0 : (unsigned)nr;
}

/* "    #3 PATH+0x1234" */
static bool parse_call(const char *line, unsigned number, struct dx_stack_call *ret_call)
{
	char head[32];
	int length = snprintf(head, sizeof(head), "    #%u ", number);
	const char *plus = strrchr(line, '+');
	const char *path = line + length;
	char *end = NULL;

	if (strncmp(line, head, (size_t)length) != 0 || plus == NULL || plus <= path ||
	    strncmp(plus, "+0x", 3) != 0 || (size_t)(plus - path) >= sizeof(ret_call->path)) {
		return false;
	}
	memcpy(ret_call->path, path, (size_t)(plus - path));
	ret_call->path[plus - path] = '\0';
	ret_call->offset = strtoull(plus + 1, &end, 16);
	return *end == '\0';
}

/* --- Naming it ------------------------------------------------------------------------------- */

_Noreturn static void print_names(const struct filter *filter, int fd)
{
	FILE *out = fdopen(fd, "w");

	if (out == NULL || dx_stack_confine() < 0) {
		_exit(1);
	}
	for (unsigned i = 0; i < filter->nr_calls; i++) {
		dx_stack_print_call(i, &filter->calls[i], out);
	}
	_exit(fclose(out) == 0 ? 0 : 1);
}

static bool run_names(const struct filter *filter, int fd)
{
	int status = 0;
	pid_t pid = fork();

	if (pid == 0) {
		print_names(filter, fd);
	}
	while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR) {
	}
	return pid > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static bool copy_names(const struct filter *filter)
{
	DX_CLEANUP_FD int fd = memfd_create("names", MFD_CLOEXEC);
	char buffer[4096];
	off_t at = 0;

	if (fd < 0 || !run_names(filter, fd)) {
		return false;
	}
	for (;;) {
		ssize_t length = pread(fd, buffer, sizeof(buffer), at);

		if (length <= 0) {
			return at > 0;
		}
		copy(buffer, (size_t)length);
		at += length;
	}
}

/* What has come of a stack, with names if they can be had (K2). */
static void flush_stack(struct filter *filter)
{
	if (filter->nr_calls > 0 && !copy_names(filter)) {
		for (unsigned i = 0; i < filter->nr_calls; i++) {
			copy(filter->texts[i], strlen(filter->texts[i]));
			copy("\n", 1);
		}
	}
	filter->nr_expected = 0;
	filter->nr_calls = 0;
}

/* --- Lines ----------------------------------------------------------------------------------- */

static void take_line(struct filter *filter)
{
	unsigned number = filter->nr_calls;

	filter->line[filter->length] = '\0';
	if (filter->nr_expected > 0 &&
	    parse_call(filter->line, number, &filter->calls[number])) {
		memcpy(filter->texts[number], filter->line, filter->length + 1);
		filter->nr_calls++;
		if (filter->nr_calls == filter->nr_expected) {
			flush_stack(filter);
		}
		return;
	}
	if (parse_head(filter->line) > 0) {
		flush_stack(filter); /* of another process, cut off */
		filter->nr_expected = parse_head(filter->line);
	}
	copy(filter->line, filter->length);
	copy("\n", 1);
}

static void take_byte(struct filter *filter, char byte)
{
	if (byte != '\n') {
		filter->line[filter->length++] = byte;
		if (filter->length == MAX_LINE - 1) {
			copy(filter->line, filter->length);
			filter->length = 0;
			filter->is_long = true;
		}
		return;
	}
	if (filter->is_long) {
		copy(filter->line, filter->length);
		copy("\n", 1);
	} else {
		take_line(filter);
	}
	filter->length = 0;
	filter->is_long = false;
}

static void run(struct filter *filter)
{
	char buffer[4096];

	for (;;) {
		struct pollfd in = {.fd = STDIN_FILENO, .events = POLLIN};
		ssize_t length = 0;

		if (poll(&in, 1, filter->nr_expected > 0 ? QUIET_MS : -1) == 0) {
			flush_stack(filter);
			continue;
		}
		length = read(STDIN_FILENO, buffer, sizeof(buffer));
		if (length == 0 || (length < 0 && errno != EINTR)) {
			break;
		}
		for (ssize_t i = 0; i < length; i++) {
			take_byte(filter, buffer[i]);
		}
	}
	flush_stack(filter);
	copy(filter->line, filter->length);
}

static const char help[] =
	"usage: dext-stack <LOG\n"
	"Copies to standard error, with functions and lines in the stacks of crashed\n"
	"drivers. 'dext run' starts it.\n"
	"\n"
	"  -h, --help     show this text\n"
	"  -V, --version  show the version\n";

int main(int argc, char **argv)
{
	struct filter *filter = NULL;

	if (argc > 1) {
		return dx_helper_answer("dext-stack", help, argv[1]);
	}
	(void)signal(SIGPIPE, SIG_IGN);
	filter = calloc(1, sizeof(*filter));
	if (filter == NULL) {
		return 1;
	}
	run(filter);
	free(filter);
	return 0;
}
