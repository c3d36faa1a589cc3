/* SPDX-License-Identifier: MIT
 *
 * session - a private broker for the life of one command. See session.h.
 */
#include "session.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "signals.h"
#include "wire/address.h"
#include "wire/wire.h"

#define LOG_ENVIRONMENT  "OPENDEXT_LOG"
#define READY_TIMEOUT_MS 10000
#define MAX_NAMES        16u
#define GRACE_MS         5000
#define SETTLE_MS        1000u /* for the rest, once the last Start has been ended */

/* A name for the directory that dextd will make. @return 0, or a negative errno. */
static int choose_directory(struct dx_session *session)
{
	const char *base = getenv("TMPDIR");
	uint32_t random = 0;

	if (base == NULL || base[0] != '/' || strlen(base) > 48) {
		base = "/tmp"; /* a longer one would not leave room in a socket address */
	}
	if (getrandom(&random, sizeof(random), 0) != (ssize_t)sizeof(random)) {
		return -errno;
	}
	(void)snprintf(session->directory, sizeof(session->directory), "%s/opendext-%08x", base,
		       random);
	(void)snprintf(session->address, sizeof(session->address), "%s/broker", session->directory);
	return 0;
}

/* The directory is flat: a socket, and what dextd may have put beside it. */
static void remove_directory(struct dx_session *session)
{
	DIR *directory = NULL;

	if (session->directory[0] == '\0') {
		return;
	}
	directory = opendir(session->directory);
	for (struct dirent *entry = NULL; directory != NULL;) {
		entry = readdir(directory);
		if (entry == NULL) {
			break;
		}
		(void)unlinkat(dirfd(directory), entry->d_name, 0); /* fails for . and .. */
	}
	if (directory != NULL) {
		(void)closedir(directory);
	}
	if (rmdir(session->directory) < 0 && errno != ENOENT) {
		(void)dx_tool_fail(session->tool, DX_TOOL_FAILED, "%s: cannot remove it: %s",
				   session->directory, strerror(errno));
	}
	session->directory[0] = '\0';
}

/* Waits until dextd says that it listens. The pipe stays open: its end is the end of dextd.
 * @return 0; -ECONNRESET it ended, with its reason if it gave one. */
static int wait_ready(struct dx_session *session, char *reason, size_t reason_size)
{
	struct pollfd fds[] = {{.fd = session->ready_fd, .events = POLLIN},
			       {.fd = session->signal_fd, .events = POLLIN}};
	char line[1024];
	ssize_t length = 0;
	int result = 0;

	do {
		result = poll(fds, 2, READY_TIMEOUT_MS);
	} while (result < 0 && errno == EINTR);
	if (result == 0) {
		return -ETIMEDOUT;
	}
	if (fds[1].revents != 0) {
		return -EINTR;
	}
	length = read(session->ready_fd, line, sizeof(line) - 1); /* "ready" or "error: REASON" */
	if (length > 0 && line[0] == 'r') {
		return 0;
	}
	line[length > 0 ? length : 0] = '\0';
	line[strcspn(line, "\n")] = '\0';
	(void)snprintf(reason, reason_size, "%s",
		       strncmp(line, "error: ", 7) == 0 ? line + 7 : "it ended");
	return -ECONNRESET;
}

/* What broker and drivers say: what was asked for here, else what the environment says. */
static const char *log_level(const struct dx_session *session, bool errors_only)
{
	switch (session->tool->verbosity) {
	case 0:
		return "error";
	case 1:
		return errors_only && getenv(LOG_ENVIRONMENT) == NULL ? "error" : NULL;
	default:
		return "info";
	}
}

/* At any other level it says itself which driver did not start, and why. */
static bool broker_is_quiet(const struct dx_session *session, bool errors_only)
{
	const char *level = log_level(session, errors_only);

	if (level == NULL) {
		level = getenv(LOG_ENVIRONMENT);
	}
	return level != NULL && strcmp(level, "error") == 0;
}

/* @return what the broker has as standard error, or -1 for our own: names are not worth failing. */
static int start_stack(struct dx_session *session)
{
	const char *argv[] = {"dext-stack", NULL};
	DX_CLEANUP_FD int reader = -1;
	DX_CLEANUP_FD int writer = -1;
	char path[512];
	int ends[2];

	if (dx_tool_find("dext-stack", path, sizeof(path)) < 0 || pipe2(ends, O_CLOEXEC) < 0) {
		return -1;
	}
	reader = ends[0];
	writer = ends[1];
	/* It ends when nobody is left who writes; a signal of ours would cut off last words. */
	const int fds[] = {reader, STDIN_FILENO};
	const struct dx_process_options options = {
		.path = path, .argv = argv, .own_group = true, .kept_fds = fds, .nr_kept_fds = 1};
	return dx_process_start(&options, &session->stack) < 0 ? -1 : dx_take_fd(&writer);
}

/* Starts dextd, with its end of the pipe as descriptor 3. */
static int execute_broker(struct dx_session *session, const char *path, int ready_fd,
			  int error_fd, const struct dx_session_options *given)
{
	char wait_ms[16];
	const char *argv[] = {path,       "--private",      "--ready-fd",   "3",
			      "--socket", session->address, "--start-wait", wait_ms,
			      NULL,       NULL,             NULL,           NULL,
			      NULL};
	unsigned nr_arguments = 8;
	const char *environment[] = {LOG_ENVIRONMENT, log_level(session, given->errors_only),
				     NULL};
	int fds[] = {ready_fd, 3, error_fd, STDERR_FILENO};
	struct dx_process_options options = {
		.path = path,
		.argv = argv,
		.death_signal = SIGTERM,
		.own_group = true,
		.kept_fds = fds,
		.nr_kept_fds = 2,
		.directory = session->directory,
		.environment = environment[1] == NULL ? NULL : environment,
	};
	int result = -EEXIST;

	if (given->host_program != NULL) {
		argv[nr_arguments++] = "--host-program";
		argv[nr_arguments++] = given->host_program;
	}
	if (given->capture != NULL) {
		argv[nr_arguments++] = "--capture";
		argv[nr_arguments++] = given->capture;
	}
	(void)snprintf(wait_ms, sizeof(wait_ms), "%u",
		       given->timeout_ms == 0 ? 1 : given->timeout_ms);
	for (unsigned tries = 0; result == -EEXIST && tries < MAX_NAMES; tries++) {
		result = choose_directory(session);
		if (result == 0) {
			result = dx_process_start(&options, &session->process);
		}
	}
	if (result < 0) {
		(void)dx_tool_fail(session->tool, DX_TOOL_FAILED, "cannot start %s in %s: %s", path,
				   session->directory, strerror(-result));
		session->directory[0] = '\0'; /* not ours */
	}
	return result;
}

static int start_broker(struct dx_session *session, const struct dx_session_options *options)
{
	DX_CLEANUP_FD int writer = -1;
	DX_CLEANUP_FD int error_fd = -1;
	char path[512];
	char reason[1024] = "";
	int ends[2];
	int result = dx_tool_find("dextd", path, sizeof(path));

	if (result < 0) {
		return dx_tool_fail(session->tool, -ENOENT,
				    "dextd is neither beside this program nor in " DX_SBINDIR);
	}
	if (pipe2(ends, O_CLOEXEC) < 0) {
		return dx_tool_fail(session->tool, -errno, "pipe: %s", strerror(errno));
	}
	session->ready_fd = ends[0];
	writer = ends[1];
	if (options->name_stacks) {
		error_fd = start_stack(session);
	}
	result = execute_broker(session, path, writer, error_fd, options);
	if (result < 0) {
		return result;
	}
	dx_fd_close(&writer);
	dx_fd_close(&error_fd);
	result = wait_ready(session, reason, sizeof(reason));
	if (result < 0 && result != -EINTR) {
		return dx_tool_fail(session->tool, result, "%s: did not start: %s", path,
				    result == -ECONNRESET ? reason : strerror(-result));
	}
	return result;
}

/* The line for a failed request, and the exit code. */
static int request_failed(struct dx_session *session, int error, const char *what, const char *name)
{
	if (error == -EINTR) {
		return DX_TOOL_FAILED; /* the caller says why it ends */
	}
	return dx_tool_fail(session->tool, DX_TOOL_FAILED, "%s '%s': %s", what, name,
			    dx_control_reason(&session->broker, error));
}

static int load_bundle(struct dx_session *session, const char *bundle)
{
	DX_CLEANUP_FREE char *path = realpath(bundle, NULL);
	char identifier[256];
	int result = 0;

	if (path == NULL) {
		return dx_tool_fail(session->tool, DX_TOOL_FAILED, "%s: %s", bundle,
				    strerror(errno));
	}
	result = dx_control_load(&session->broker, path, identifier, sizeof(identifier));
	if (result < 0) {
		return request_failed(session, result, "cannot load", bundle);
	}
	dx_tool_say_verbose(session->tool, "loaded %s (%s)", identifier, path);
	return DX_TOOL_OK;
}

static int attach_device(struct dx_session *session, const char *spec)
{
	uint64_t id = 0;
	int result = dx_control_attach(&session->broker, spec, &id);

	if (result < 0) {
		return request_failed(session, result, "cannot attach", spec);
	}
	dx_tool_say_verbose(session->tool, "attached %s, id %llu", spec, (unsigned long long)id);
	return DX_TOOL_OK;
}

/* Services that run in a host process. */
static unsigned count_drivers(const struct dx_dict *node)
{
	const struct dx_array *children = dx_dict_get_array(node, DX_ENTRY_CHILDREN_KEY);
	unsigned count = dx_dict_get_u64(node, DX_ENTRY_PID_KEY, 0) != 0;

	for (size_t i = 0; children != NULL && i < dx_array_count(children); i++) {
		void *child = dx_array_get(children, i);

		if (dx_object_is_kind(child, &dx_dict_class)) {
			count += count_drivers(child);
		}
	}
	return count;
}

/* Counts the drivers that could not be had; with a tool there is a line for each. */
static unsigned count_failures(const struct dx_tool *tool, const struct dx_dict *node)
{
	const struct dx_array *failures = dx_dict_get_array(node, DX_ENTRY_FAILURES_KEY);
	const struct dx_array *children = dx_dict_get_array(node, DX_ENTRY_CHILDREN_KEY);
	unsigned count = 0;

	for (size_t i = 0; failures != NULL && i < dx_array_count(failures); i++) {
		void *failure = dx_array_get(failures, i);

		if (dx_object_is_kind(failure, &dx_string_class)) {
			count++;
			if (tool != NULL) {
				(void)dx_tool_fail(tool, DX_TOOL_FAILED, "not started: %s",
						   dx_string_get(failure));
			}
		}
	}
	for (size_t i = 0; children != NULL && i < dx_array_count(children); i++) {
		void *child = dx_array_get(children, i);

		if (dx_object_is_kind(child, &dx_dict_class)) {
			count += count_failures(tool, child);
		}
	}
	return count;
}

static int wait_settled(struct dx_session *session, const struct dx_session_options *options)
{
	unsigned timeout_ms = options->timeout_ms;
	bool is_quiet = broker_is_quiet(session, options->errors_only);
	struct dx_dict *tree = NULL;
	/* A Start that does not return is the broker's to end, and to say whose it was. */
	int result = dx_control_wait_quiet(&session->broker,
					   (timeout_ms + SETTLE_MS) * UINT64_C(1000000));

	if (result == -EREMOTEIO) {
		return dx_tool_fail(session->tool, DX_TOOL_FAILED,
				    "the drivers did not settle within %u ms", timeout_ms);
	}
	if (result == 0) {
		result = dx_control_copy_tree(&session->broker, &tree);
	}
	if (result < 0) {
		return request_failed(session, result, "broker", session->address);
	}
	session->nr_drivers = count_drivers(tree);
	session->nr_failures = count_failures(is_quiet ? session->tool : NULL, tree);
	dx_object_unref(tree);
	return DX_TOOL_OK;
}

static int populate(struct dx_session *session, const struct dx_session_options *options)
{
	int code = DX_TOOL_OK;
	int result = dx_control_open(&session->broker, session->address);

	if (result < 0) {
		return request_failed(session, result, "broker", session->address);
	}
	for (size_t i = 0; code == DX_TOOL_OK && i < options->nr_bundles; i++) {
		code = load_bundle(session, options->bundles[i]);
	}
	for (size_t i = 0; code == DX_TOOL_OK && i < options->nr_devices; i++) {
		code = attach_device(session, options->devices[i]);
	}
	if (code == DX_TOOL_OK) {
		code = wait_settled(session, options);
	}
	return code;
}

int dx_session_interrupted(struct dx_session *session)
{
	struct dx_signal signal = {0};

	return dx_signals_next(session->signal_fd, &signal) ? DX_TOOL_SIGNAL + signal.number
							    : DX_TOOL_FAILED;
}

int dx_session_start(struct dx_session *session, const struct dx_tool *tool,
		     const struct dx_session_options *options)
{
	int code = DX_TOOL_FAILED;

	*session = (struct dx_session){
		.tool = tool,
		.ready_fd = -1,
		.process = DX_PROCESS_INIT,
		.stack = DX_PROCESS_INIT,
		.broker = DX_CONTROL_INIT,
	};
	session->signal_fd = dx_signals_open();
	if (session->signal_fd < 0) {
		return dx_tool_fail(tool, DX_TOOL_FAILED, "signalfd: %s",
				    strerror(-session->signal_fd));
	}
	session->broker.interrupt_fd = session->signal_fd;
	if (start_broker(session, options) == 0) {
		dx_tool_say_verbose(tool, "broker %d listens at %s", (int)session->process.pid,
				    session->address);
		code = populate(session, options);
	}
	if (code != DX_TOOL_OK) {
		code = dx_session_interrupted(session);
		dx_session_stop(session);
	}
	return code;
}

void dx_session_stop(struct dx_session *session)
{
	dx_control_close(&session->broker);
	dx_process_end(&session->process, GRACE_MS);
	if (session->stack.pid != 0 && !dx_process_wait(&session->stack, GRACE_MS)) {
		dx_process_end(&session->stack, 0); /* S1; somebody has kept its input */
	}
	dx_fd_close(&session->ready_fd);
	remove_directory(session);
	dx_fd_close(&session->signal_fd);
}
