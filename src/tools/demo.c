/* SPDX-License-Identifier: MIT
 *
 * demo - `dext demo`: a file through the driver's buffers to a virtual device and back, measured.
 *
 * Place:      tools, over session. Three processes beside this one: dextd, dext-host with the
 *             driver of examples/stream, and dext-demo-app.
 * Invariants:
 *   E1  the death of any of the three ends the demo with one line and exit status 1, and nothing of
 *       it stays (session S1, S2; process P1).
 *   E2  the report is printed only when everything was measured.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "commands.h"
#include "demo_counts.h"
#include "demo_report.h"
#include "session.h"
#include "signals.h"
#include "terminal.h"
#include "wire/address.h"
#include "wire/wire.h"

#define LEAST_TOTAL 100000000u
#define GRACE_MS    2000
#define TOLD_MS     2000 /* within which an application hears of its driver's death */

struct demo {
	struct dx_tool *tool;
	struct dx_demo_report report;
	uint64_t total;
	uint64_t nr_calls;
	struct dx_session session;
	struct dx_process app;
	int link;      /* to the application */
	int driver_fd; /* pidfd, readable when it has ended */
	uint64_t done; /* in this pass */
	unsigned pass;
	struct dx_progress progress;
	bool finished; /* RESULT has come */
	struct dx_counts app_counts, driver_counts;
};

/* --- Options --------------------------------------------------------------------------------- */

struct number_option {
	int letter;
	const char *name;
	unsigned long long low, high;
};

static int take_number(struct dx_tool *tool, const struct number_option *option,
		       unsigned long long *ret_value)
{
	int result = dx_tool_parse_size(optarg, option->low, option->high, ret_value);

	if (result == -ERANGE) {
		return dx_tool_usage(tool, "--%s: %s is not between %llu and %llu", option->name,
				     optarg, option->low, option->high);
	}
	if (result < 0) {
		return dx_tool_usage(tool, "--%s: '%s' is no number", option->name, optarg);
	}
	return DX_TOOL_OK;
}

/* @return DX_TOOL_OK, an exit code, or -1 when the option is none of ours. */
static int take_option(struct demo *demo, int option)
{
	static const struct number_option numbers[] = {
		{'b', "buffers", 1, DX_DEMO_MAX_BUFFERS},
		{'z', "size", 1, 16u << 20},
		{'p', "depth", 1, DX_DEMO_MAX_BUFFERS},
		{'t', "total", 1, 1ull << 50},
		{'c', "calls", 1, 1u << 30},
	};
	unsigned long long values[5] = {demo->report.nr_buffers, demo->report.size,
					demo->report.depth, demo->total, demo->nr_calls};

	if (option == 'd') {
		demo->report.device = optarg;
		return DX_TOOL_OK;
	}
	if (option == 'f') {
		demo->report.file = optarg;
		return DX_TOOL_OK;
	}
	if (option == 'j') {
		demo->tool->json = true;
		return DX_TOOL_OK;
	}
	for (size_t i = 0; i < 5; i++) {
		if (numbers[i].letter == option) {
			int code = take_number(demo->tool, &numbers[i], &values[i]);

			demo->report.nr_buffers = (uint32_t)values[0];
			demo->report.size = (uint32_t)values[1];
			demo->report.depth = (uint32_t)values[2];
			demo->total = values[3];
			demo->nr_calls = values[4];
			return code;
		}
	}
	return -1;
}

/* @return true when the command ends here with *ret_code. */
static bool parse(struct demo *demo, int argc, char **argv, int *ret_code)
{
	static const struct option names[] = {
		DX_TOOL_LONG,
		{"file", required_argument, NULL, 'f'},
		{"total", required_argument, NULL, 't'},
		{"buffers", required_argument, NULL, 'b'},
		{"size", required_argument, NULL, 'z'},
		{"depth", required_argument, NULL, 'p'},
		{"calls", required_argument, NULL, 'c'},
		{"device", required_argument, NULL, 'd'},
		{"json", no_argument, NULL, 'j'},
		{NULL, 0, NULL, 0},
	};

	for (;;) {
		int option = getopt_long(argc, argv, ":" DX_TOOL_SHORT "f:t:b:d:j", names, NULL);

		if (option == -1) {
			break;
		}
		*ret_code = take_option(demo, option);
		if (*ret_code > 0 ||
		    (*ret_code < 0 && dx_tool_option(demo->tool, option, argv, ret_code))) {
			return true;
		}
	}
	*ret_code = DX_TOOL_USAGE;
	if (argc - optind > 1 || (argc > optind && demo->report.file != NULL)) {
		(void)dx_tool_usage(demo->tool, "one file is enough");
		return true;
	}
	if (argc > optind) {
		demo->report.file = argv[optind];
	}
	if (demo->tool->socket != NULL) {
		(void)dx_tool_usage(demo->tool,
				    "a private broker has its own address: no --socket");
		return true;
	}
	if (demo->report.depth == 0) {
		demo->report.depth = demo->report.nr_buffers;
	}
	if (demo->report.depth > demo->report.nr_buffers) {
		(void)dx_tool_usage(demo->tool, "--depth is more than --buffers");
		return true;
	}
	return false;
}

/* A regular file that has bytes; without one given, one that every Debian has. */
static int choose_file(struct demo *demo)
{
	static const char *const candidates[] = {"/bin/bash", "/bin/dash",
						 "/usr/share/common-licenses/GPL-3"};
	struct stat status;

	for (size_t i = 0; demo->report.file == NULL && i < 3; i++) {
		if (access(candidates[i], R_OK) == 0) {
			demo->report.file = candidates[i];
		}
	}
	if (demo->report.file == NULL) {
		return dx_tool_fail(demo->tool, DX_TOOL_FAILED, "no file to send: use --file");
	}
	if (access(demo->report.file, R_OK) < 0 || stat(demo->report.file, &status) < 0) {
		return dx_tool_fail(demo->tool, DX_TOOL_FAILED, "%s: %s", demo->report.file,
				    strerror(errno));
	}
	if (!S_ISREG(status.st_mode) || status.st_size == 0) {
		return dx_tool_fail(demo->tool, DX_TOOL_FAILED, "%s: %s", demo->report.file,
				    S_ISREG(status.st_mode) ? "is empty" : "is no regular file");
	}
	if (demo->total == 0) { /* whole repetitions, at least LEAST_TOTAL */
		uint64_t length = (uint64_t)status.st_size;

		demo->total = (LEAST_TOTAL + length - 1) / length * length;
	}
	return DX_TOOL_OK;
}

/* --- The three processes --------------------------------------------------------------------- */

/* The process of the first service that has one. */
static pid_t find_driver(const struct dx_dict *node)
{
	const struct dx_array *children = dx_dict_get_array(node, DX_ENTRY_CHILDREN_KEY);
	pid_t pid = (pid_t)dx_dict_get_u64(node, DX_ENTRY_PID_KEY, 0);

	for (size_t i = 0; pid == 0 && children != NULL && i < dx_array_count(children); i++) {
		void *child = dx_array_get(children, i);

		pid = dx_object_is_kind(child, &dx_dict_class) ? find_driver(child) : 0;
	}
	return pid;
}

static bool has_device(const struct dx_dict *node)
{
	const struct dx_array *classes = dx_dict_get_array(node, DX_ENTRY_CLASSES_KEY);
	const struct dx_array *children = dx_dict_get_array(node, DX_ENTRY_CHILDREN_KEY);
	const void *class = classes == NULL ? NULL : dx_array_get(classes, 0);
	bool found = dx_object_is_kind(class, &dx_string_class) &&
		     strcmp(dx_string_get(class), "IOUSBHostDevice") == 0 &&
		     !dx_dict_get_bool(node, DX_ENTRY_INACTIVE_KEY, false);

	for (size_t i = 0; !found && children != NULL && i < dx_array_count(children); i++) {
		const void *child = dx_array_get(children, i);

		found = dx_object_is_kind(child, &dx_dict_class) && has_device(child);
	}
	return found;
}

static int watch_driver(struct demo *demo)
{
	struct dx_dict *tree = NULL;
	bool is_there = false;
	int result = dx_control_copy_tree(&demo->session.broker, &tree);

	if (result == -EINTR) {
		return dx_session_interrupted(&demo->session);
	}
	if (result < 0) {
		return dx_tool_fail(demo->tool, DX_TOOL_FAILED, "broker: %s",
				    dx_control_reason(&demo->session.broker, result));
	}
	demo->report.driver = find_driver(tree);
	is_there = has_device(tree);
	dx_object_unref(tree);
	if (demo->report.driver == 0) {
		/* Why a driver that matches does not run was said already. */
		return demo->session.nr_failures > 0
			       ? DX_TOOL_FAILED
			       : dx_tool_fail(demo->tool, DX_TOOL_FAILED,
					      "no driver runs for '%s': %s", demo->report.device,
					      is_there ? "it does not match" : "it has gone");
	}
	demo->driver_fd = (int)syscall(SYS_pidfd_open, demo->report.driver, 0);
	if (demo->driver_fd < 0) {
		return dx_tool_fail(demo->tool, DX_TOOL_FAILED, "the driver (pid %d) died at once",
				    (int)demo->report.driver);
	}
	return DX_TOOL_OK;
}

static int start_app(struct demo *demo)
{
	DX_CLEANUP_FD int theirs = -1;
	char path[512];
	char numbers[5][24];
	const char *argv[] = {path,       demo->report.file, numbers[0], numbers[1],
			      numbers[2], numbers[3],        numbers[4], NULL};
	const char *environment[] = {DX_ADDRESS_ENVIRONMENT, demo->session.address, NULL};
	struct dx_process_options options = {.path = path,
					     .argv = argv,
					     .death_signal = SIGKILL,
					     .own_group = true,
					     .nr_kept_fds = 1,
					     .environment = environment};
	int ends[2];
	int fds[2];
	int result = dx_tool_find("dext-demo-app", path, sizeof(path));

	(void)snprintf(numbers[0], sizeof(numbers[0]), "%llu", (unsigned long long)demo->total);
	(void)snprintf(numbers[1], sizeof(numbers[1]), "%u", demo->report.nr_buffers);
	(void)snprintf(numbers[2], sizeof(numbers[2]), "%u", demo->report.size);
	(void)snprintf(numbers[3], sizeof(numbers[3]), "%u", demo->report.depth);
	(void)snprintf(numbers[4], sizeof(numbers[4]), "%llu", (unsigned long long)demo->nr_calls);
	if (result == 0 && socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0) {
		result = -errno;
	}
	if (result == 0) {
		demo->link = ends[0];
		theirs = ends[1];
		fds[0] = theirs;
		fds[1] = DX_DEMO_LINK_FD;
		options.kept_fds = fds;
		result = dx_process_start(&options, &demo->app);
	}
	if (result < 0) {
		return dx_tool_fail(demo->tool, DX_TOOL_FAILED, "dext-demo-app: %s",
				    strerror(-result));
	}
	demo->report.app = demo->app.pid;
	return DX_TOOL_OK;
}

/* --- While it runs --------------------------------------------------------------------------- */

static void start_pass(struct demo *demo)
{
	static const char *const labels[] = {"verify", "move  "};

	demo->done = 0;
	dx_progress_init(&demo->progress, stderr, labels[demo->pass], demo->total);
	demo->progress.hidden = demo->tool->verbosity == 0;
	demo->pass++;
}

static void say_go(const struct demo *demo)
{
	struct dx_demo_message message = {.kind = DX_DEMO_GO};

	/* If the application has died, its pidfd says so next. */
	(void)!send(demo->link, &message, sizeof(message), MSG_NOSIGNAL);
}

/* One line for whatever ended it too early, and the exit code. */
static int ended(struct demo *demo, const char *what)
{
	dx_progress_clear(&demo->progress);
	return dx_tool_fail(demo->tool, DX_TOOL_FAILED, "%s after %.1f of %.1f MB of pass %u", what,
			    (double)demo->done / 1e6, (double)demo->total / 1e6, demo->pass);
}

static int app_failed(struct demo *demo, const struct dx_demo_message *message)
{
	struct pollfd driver = {.fd = demo->driver_fd, .events = POLLIN};
	char text[400];

	/* A dead driver is the reason, the error of the call only follows from it. */
	if (poll(&driver, 1, 100) == 1) {
		(void)snprintf(text, sizeof(text),
			       "the driver (pid %d) died; the application was told '%.200s'",
			       (int)demo->report.driver, message->text);
	} else {
		(void)snprintf(text, sizeof(text), "the application failed: %.255s", message->text);
	}
	return ended(demo, text);
}

/* What the kernel counts for both processes, from here on. */
static void start_counting(struct demo *demo)
{
	struct dx_demo_report *report = &demo->report;

	report->app_switches = dx_proof_switches(report->app);
	report->driver_switches = dx_proof_switches(report->driver);
	report->counts_error = dx_counts_start(&demo->app_counts, report->app);
	if (report->counts_error == 0) {
		report->counts_error = dx_counts_start(&demo->driver_counts, report->driver);
	}
}

static void stop_counting(struct demo *demo)
{
	struct dx_demo_report *report = &demo->report;

	report->app_system_calls = dx_counts_stop(&demo->app_counts);
	report->driver_system_calls = dx_counts_stop(&demo->driver_counts);
	report->app_switches = dx_proof_switches(report->app) - report->app_switches;
	report->driver_switches = dx_proof_switches(report->driver) - report->driver_switches;
}

/* @return -1 to go on, or the exit code. */
static int take_message(struct demo *demo, const struct dx_demo_message *message)
{
	struct dx_demo_report *report = &demo->report;

	switch (message->kind) {
	case DX_DEMO_PROGRESS:
		demo->done = message->done;
		dx_progress_update(&demo->progress, message->done);
		return -1;
	case DX_DEMO_MAPPED:
		dx_progress_update(&demo->progress, demo->total);
		dx_progress_clear(&demo->progress);
		report->proof_error = dx_proof_take(report->app, report->driver, message->addresses,
						    message->nr_addresses, &report->proof);
		demo->total = message->done;
		start_counting(demo);
		start_pass(demo);
		say_go(demo);
		return -1;
	case DX_DEMO_MOVED:
		dx_progress_update(&demo->progress, demo->total);
		dx_progress_clear(&demo->progress);
		stop_counting(demo);
		say_go(demo);
		return -1;
	case DX_DEMO_RESULT:
		report->result = message->result;
		demo->finished = true;
		return DX_TOOL_OK;
	default:
		return app_failed(demo, message);
	}
}

static int take_messages(struct demo *demo)
{
	struct dx_demo_message message;

	for (;;) {
		ssize_t length = recv(demo->link, &message, sizeof(message), MSG_DONTWAIT);
		int code = -1;

		if (length != (ssize_t)sizeof(message)) {
			return -1; /* nothing now, or the end: the pidfd tells */
		}
		code = take_message(demo, &message);
		if (code >= 0) {
			return code;
		}
	}
}

/* The driver has ended. The application hears of it on its own; if not, that is worth a word. */
static int driver_ended(struct demo *demo)
{
	struct pollfd link = {.fd = demo->link, .events = POLLIN};
	char text[160];
	int code = -1;

	while (code < 0 && poll(&link, 1, TOLD_MS) == 1 && (link.revents & POLLIN) != 0) {
		code = take_messages(demo); /* FAILED is among them, or the end follows */
	}
	if (code >= 0) {
		return code;
	}
	(void)snprintf(text, sizeof(text), "the driver (pid %d) died, the application was not told",
		       (int)demo->report.driver);
	return ended(demo, text);
}

/* Which of the others has ended. @return -1, or the exit code. */
static int look_for_deaths(struct demo *demo)
{
	struct pollfd driver = {.fd = demo->driver_fd, .events = POLLIN};
	char text[160];
	char how[64];

	if (poll(&driver, 1, 0) == 1) {
		return driver_ended(demo);
	}

	if (dx_process_wait(&demo->app, 0)) {
		dx_process_describe(demo->app.status, how, sizeof(how));
		(void)snprintf(text, sizeof(text), "the application (pid %d) died: %s",
			       (int)demo->report.app, how);
		return ended(demo, text);
	}
	if (dx_process_wait(&demo->session.process, 0)) {
		dx_process_describe(demo->session.process.status, how, sizeof(how));
		(void)snprintf(text, sizeof(text), "the broker died: %s", how);
		return ended(demo, text);
	}
	return -1;
}

/* Until RESULT, a death or a signal. */
static int watch(struct demo *demo)
{
	for (;;) {
		struct pollfd fds[] = {{.fd = demo->session.signal_fd, .events = POLLIN},
				       {.fd = demo->link, .events = POLLIN},
				       {.fd = demo->app.fd, .events = POLLIN},
				       {.fd = demo->driver_fd, .events = POLLIN},
				       {.fd = demo->session.process.fd, .events = POLLIN}};
		struct dx_signal signal = {0};
		int code = -1;

		(void)poll(fds, 5, -1);
		code = take_messages(demo);
		if (code < 0) {
			code = look_for_deaths(demo);
		}
		if (code >= 0) {
			return code;
		}
		while (dx_signals_next(demo->session.signal_fd, &signal)) {
			if (dx_signals_ends(signal.number)) {
				dx_progress_clear(&demo->progress);
				return DX_TOOL_SIGNAL + signal.number;
			}
		}
	}
}

static int show(struct demo *demo)
{
	const char *fault = dx_report_fault(&demo->report);

	if (demo->tool->json) {
		dx_report_print_json(&demo->report);
	} else {
		dx_report_print(&demo->report, demo->tool->verbosity > 1);
	}
	return fault == NULL ? DX_TOOL_OK : dx_tool_fail(demo->tool, DX_TOOL_FAILED, "%s", fault);
}

static int run_demo(struct demo *demo)
{
	int code = watch_driver(demo);

	if (code == DX_TOOL_OK) {
		code = start_app(demo);
	}
	if (code == DX_TOOL_OK) {
		start_pass(demo);
		code = watch(demo);
	}
	dx_process_end(&demo->app, GRACE_MS);
	(void)dx_counts_stop(&demo->app_counts);
	(void)dx_counts_stop(&demo->driver_counts);
	dx_fd_close(&demo->link);
	dx_fd_close(&demo->driver_fd);
	return code;
}

static int run(struct dx_tool *tool, int argc, char **argv)
{
	struct demo demo = {.tool = tool,
			    .report = {.nr_buffers = 8,
				       .size = 256 * 1024,
				       .device = DX_SESSION_DEFAULT_DEVICE},
			    .nr_calls = 100000,
			    .app = DX_PROCESS_INIT,
			    .link = -1,
			    .driver_fd = -1};
	struct dx_session_options options = {
		.nr_bundles = 1, .nr_devices = 1, .timeout_ms = 10000, .errors_only = true};
	char bundle[512];
	int code = 0;

	if (parse(&demo, argc, argv, &code)) {
		return code;
	}
	code = choose_file(&demo);
	if (code != DX_TOOL_OK) {
		return code;
	}
	if (dx_tool_find("Stream.dext", bundle, sizeof(bundle)) < 0) {
		return dx_tool_fail(tool, DX_TOOL_FAILED,
				    "Stream.dext is neither built nor installed");
	}
	options.bundles[0] = bundle;
	options.devices[0] = demo.report.device;
	code = dx_session_start(&demo.session, tool, &options);
	if (code != DX_TOOL_OK) {
		return code;
	}
	code = run_demo(&demo);
	dx_session_stop(&demo.session);
	return demo.finished ? show(&demo) : code;
}

const struct dx_tool_command dx_demo_command = {
	.name = "demo",
	.arguments = "[OPTION]... [FILE]",
	.summary = "Stream a file through a driver to a virtual USB device and back; measure it.",
	.help = "An application fills buffers that a driver owns; the driver, another process,\n"
		"sends them to a loopback device and reads them back into a second set of\n"
		"buffers. The first pass compares SHA-256 of what went out and what came back.\n"
		"The second pass moves the same buffers for up to a second without touching the\n"
		"bytes, to show what the way itself costs.\n"
		"\n"
		"  -f, --file FILE       what to send, over and over (default: /bin/bash)\n"
		"  -t, --total SIZE      bytes of the first pass (default: at least 100 MB, the\n"
		"                        whole file each time)\n"
		"  -b, --buffers N       buffers of each set, 1..64 (default: 8)\n"
		"      --size SIZE       bytes of a buffer, 1..16M (default: 256K)\n"
		"      --depth N         buffers in flight each way (default: all)\n"
		"      --calls N         scalar calls to measure at the end (default: 100000)\n"
		"  -d, --device SPEC     another device that loops back\n"
		"                        (default: " DX_SESSION_DEFAULT_DEVICE ")\n"
		"  -j, --json            the report as JSON\n"
		"\n"
		"SIZE may end in K, M or G (powers of 1024). --verbose lists every buffer.\n"
		"\n"
		"Exit status: 0 when the hashes agree, no byte was copied between the processes\n"
		"and all buffers are shared; 1 otherwise; 128 + N after signal N.\n",
	.own_broker = true,
	.run = run,
};
