/* SPDX-License-Identifier: MIT
 *
 * run - `dext run`: drivers, devices and one application, for as long as the application runs.
 *
 * Place:      tools, over session.
 * Invariants:
 *   N1  the exit status is the application's, or 128 + the signal that ended it.
 *   N2  when run ends, whatever the reason, nothing of it is left (session S1, S2; process P1).
 *   N3  a signal that the terminal sent to the whole group is not sent to the application again.
 */
#include <errno.h>
#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/pathutil.h"
#include "commands.h"
#include "session.h"
#include "signals.h"
#include "wire/address.h"

#define DEFAULT_TIMEOUT_MS 10000u
#define GRACE_MS           5000

struct run_options {
	struct dx_session_options session;
	bool no_device;
	bool keep;
	const char *capture; /* as given; NULL: none */
	char **application; /* NULL-ended; NULL: none */
};

static int add(struct dx_tool *tool, const char **list, size_t *nr, const char *item,
	       const char *what)
{
	if (*nr == DX_SESSION_MAX) {
		return dx_tool_usage(tool, "more than %u %s", DX_SESSION_MAX, what);
	}
	list[(*nr)++] = item;
	return DX_TOOL_OK;
}

/* One option of ours. @return DX_TOOL_OK, or the exit code; -1 when it is a common one. */
static int take_option(struct dx_tool *tool, struct run_options *options, int option)
{
	switch (option) {
	case 'd':
		return add(tool, options->session.devices, &options->session.nr_devices, optarg,
			   "devices");
	case 'n':
		options->no_device = true;
		return DX_TOOL_OK;
	case 'k':
		options->keep = true;
		return DX_TOOL_OK;
	case 'c':
		options->capture = optarg;
		return DX_TOOL_OK;
	case 't':
		if (dx_tool_parse_duration(optarg, &options->session.timeout_ms) < 0) {
			return dx_tool_usage(tool, "'%s' is no duration", optarg);
		}
		return DX_TOOL_OK;
	default:
		return -1;
	}
}

/* What is left of the command line: BUNDLE... [-- APP ARGUMENT...]. */
static int take_operands(struct dx_tool *tool, struct run_options *options, int argc, char **argv,
			 int separator)
{
	for (int i = optind; i < (separator < 0 ? argc : separator); i++) {
		int code = add(tool, options->session.bundles, &options->session.nr_bundles,
			       argv[i], "bundles");

		if (code != DX_TOOL_OK) {
			return code;
		}
	}
	if (options->session.nr_bundles == 0) {
		return dx_tool_usage(tool, "which bundle?");
	}
	if (separator >= 0 && separator + 1 < argc) {
		options->application = argv + separator + 1;
	} else if (!options->keep) {
		return dx_tool_usage(tool, "no application: end with '-- APP ARGUMENT...', or "
					   "use --keep");
	}
	if (options->no_device && options->session.nr_devices > 0) {
		return dx_tool_usage(tool, "--device and --no-device exclude each other");
	}
	if (!options->no_device && options->session.nr_devices == 0) {
		options->session.devices[options->session.nr_devices++] = DX_SESSION_DEFAULT_DEVICE;
	}
	return DX_TOOL_OK;
}

/* @return DX_TOOL_OK with *ret_end false, or the exit code with *ret_end true. */
static int parse(struct dx_tool *tool, struct run_options *options, int argc, char **argv,
		 bool *ret_end)
{
	static const struct option names[] = {
		DX_TOOL_LONG,
		{"device", required_argument, NULL, 'd'},
		{"no-device", no_argument, NULL, 'n'},
		{"keep", no_argument, NULL, 'k'},
		{"capture", required_argument, NULL, 'c'},
		{"timeout", required_argument, NULL, 't'},
		{NULL, 0, NULL, 0},
	};
	int separator = dx_tool_separator(argc, argv);
	int code = DX_TOOL_OK;

	*ret_end = true;
	for (;;) {
		int option = getopt_long(separator < 0 ? argc : separator, argv,
					 ":" DX_TOOL_SHORT "d:nkt:c:", names, NULL);

		if (option == -1) {
			break;
		}
		code = take_option(tool, options, option);
		if (code > 0 || (code < 0 && dx_tool_option(tool, option, argv, &code))) {
			return code;
		}
	}
	if (tool->socket != NULL) {
		return dx_tool_usage(tool, "a private broker has its own address: no --socket");
	}
	code = take_operands(tool, options, argc, argv, separator);
	*ret_end = code != DX_TOOL_OK;
	return code;
}

/* A bundle that was built with a sanitizer has a host program of its own. NULL: none has. */
static char *find_host_program(const struct dx_session_options *options)
{
	char *found = NULL;

	for (size_t i = 0; i < options->nr_bundles && found == NULL; i++) {
		DX_CLEANUP_FREE char *path = dx_path_join(options->bundles[i], "dext-host");

		found = path == NULL ? NULL : realpath(path, NULL);
	}
	return found;
}

static int start_application(const struct dx_tool *tool, const struct dx_session *session,
			     char **application, struct dx_process *ret_process)
{
	const char *environment[] = {DX_ADDRESS_ENVIRONMENT, session->address, NULL};
	struct dx_process_options options = {.path = application[0],
					     .argv = (const char *const *)application,
					     .death_signal = SIGKILL,
					     .environment = environment};
	int result = dx_process_start(&options, ret_process);

	if (result == 0) {
		return DX_TOOL_OK;
	}
	return dx_tool_fail(tool, result == -ENOENT ? DX_TOOL_NOT_FOUND : DX_TOOL_NOT_EXECUTABLE,
			    "%s: %s", application[0], strerror(-result));
}

/* Hands signals on. The second one that asks for an end is the last warning. */
static void forward_signals(const struct dx_session *session, const struct dx_process *application,
			    unsigned *nr_ends)
{
	struct dx_signal signal = {0};

	while (dx_signals_next(session->signal_fd, &signal)) {
		bool ends = dx_signals_ends(signal.number);

		*nr_ends += ends;
		if (ends && *nr_ends > 1) {
			dx_process_signal(application, SIGKILL);
		} else if (!signal.from_terminal) { /* N3 */
			dx_process_signal(application, signal.number);
		}
	}
}

/* Until the application has ended, or the broker, which takes the application with it. */
static int watch(const struct dx_tool *tool, struct dx_session *session,
		 struct dx_process *application)
{
	char text[64];
	unsigned nr_ends = 0;

	for (;;) {
		struct pollfd fds[] = {{.fd = session->signal_fd, .events = POLLIN},
				       {.fd = application->fd, .events = POLLIN},
				       {.fd = session->process.fd, .events = POLLIN}};

		(void)poll(fds, 3, -1); /* EINTR: everything is looked at again */
		forward_signals(session, application, &nr_ends);
		if (dx_process_wait(application, 0)) {
			int status = application->status;

			return WIFSIGNALED(status) ? DX_TOOL_SIGNAL + WTERMSIG(status)
						   : WEXITSTATUS(status);
		}
		if (dx_process_wait(&session->process, 0)) {
			dx_process_describe(session->process.status, text, sizeof(text));
			dx_process_end(application, GRACE_MS);
			return dx_tool_fail(tool, DX_TOOL_FAILED, "the broker ended: %s", text);
		}
	}
}

/* --keep: until a signal asks for the end, or the broker has gone. */
static void stay(const struct dx_tool *tool, struct dx_session *session)
{
	struct dx_signal signal = {0};

	dx_tool_say(tool, "the broker stays until a signal comes: %s=%s", DX_ADDRESS_ENVIRONMENT,
		    session->address);
	for (;;) {
		struct pollfd fds[] = {{.fd = session->signal_fd, .events = POLLIN},
				       {.fd = session->process.fd, .events = POLLIN}};

		(void)poll(fds, 2, -1);
		if (dx_process_wait(&session->process, 0)) {
			return;
		}
		while (dx_signals_next(session->signal_fd, &signal)) {
			if (dx_signals_ends(signal.number)) {
				return;
			}
		}
	}
}

/* The broker works in a directory of its own. @return NULL: out of memory, or nowhere. */
static char *absolute_path(const char *path)
{
	DX_CLEANUP_FREE char *here = NULL;

	if (path[0] == '/') {
		return strdup(path);
	}
	here = getcwd(NULL, 0);
	return here == NULL ? NULL : dx_path_join(here, path);
}

static int run(struct dx_tool *tool, int argc, char **argv)
{
	struct run_options options = {.session = {.timeout_ms = DEFAULT_TIMEOUT_MS}};
	struct dx_process application = DX_PROCESS_INIT;
	struct dx_session session;
	DX_CLEANUP_FREE char *host_program = NULL;
	DX_CLEANUP_FREE char *capture = NULL;
	bool end = false;
	int code = parse(tool, &options, argc, argv, &end);

	if (end) {
		return code;
	}
	host_program = find_host_program(&options.session);
	options.session.host_program = host_program;
	options.session.name_stacks = true;
	if (options.capture != NULL) {
		capture = absolute_path(options.capture);
		if (capture == NULL) {
			return dx_tool_fail(tool, DX_TOOL_FAILED, "%s: %s", options.capture,
					    strerror(errno));
		}
		options.session.capture = capture;
	}
	code = dx_session_start(&session, tool, &options.session);
	if (code != DX_TOOL_OK) {
		return code;
	}
	if (session.nr_drivers == 0 && session.nr_failures == 0) {
		dx_tool_say(tool, "no driver was started: nothing that is attached matches");
	}
	if (options.application != NULL) {
		code = start_application(tool, &session, options.application, &application);
		if (code == DX_TOOL_OK) {
			code = watch(tool, &session, &application);
		}
	}
	if (options.keep && session.process.pid != 0) {
		stay(tool, &session);
	}
	dx_session_stop(&session);
	return code;
}

const struct dx_tool_command dx_run_command = {
	.name = "run",
	.arguments = "[OPTION]... BUNDLE... -- APP [ARGUMENT]...",
	.summary = "Run an application with its drivers and devices, then clean up.",
	.help = "Starts a private broker in a temporary directory, loads each BUNDLE (a directory\n"
		"'Name.dext'), attaches the devices, waits until the drivers have started, and\n"
		"runs APP with OPENDEXT_SOCKET set. When APP ends, everything ends. It needs no\n"
		"root.\n"
		"\n"
		"  -d, --device SPEC     attach this device; may be given several times\n"
		"                        (default: " DX_SESSION_DEFAULT_DEVICE ")\n"
		"  -n, --no-device       attach none\n"
		"  -t, --timeout TIME    longest wait for the drivers to start (default: 10s)\n"
		"  -c, --capture FILE    write what passes between drivers and devices there, a\n"
		"                        pcapng file for Wireshark, tshark and --device replay:FILE\n"
		"  -k, --keep            afterwards keep the broker until SIGINT or SIGTERM;\n"
		"                        APP may then be missing\n"
		"\n"
		"Exit status: that of APP; 128 + N when signal N ended it; 127 and 126 when it\n"
		"could not be executed; 1 when a bundle or device could not be had; 2 for wrong\n"
		"usage.\n",
	.own_broker = true,
	.run = run,
};
