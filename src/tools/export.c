/* SPDX-License-Identifier: MIT
 *
 * export - `dext export SPEC...`: a USB/IP server for devices of any kind.
 *
 * Place:   tools, over export.
 */
#include "export/export.h"

#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "commands.h"
#include "json.h"

struct export_options {
	const char *address;
	const char *busid_prefix;
	bool json;
};

static const char *const speeds[] = {"unknown", "full",       "low",       "high",
				     "super",   "super-plus", "super-plus"};

static void say(void *context, const char *line)
{
	dx_tool_say_verbose(context, "%s", line);
}

/* ---- what is served ---- */

/* The address that a client on another machine, or on this one, can be told. */
static void print_host(const char *address, char *buffer, size_t size)
{
	bool is_v6 = address[0] == '[';
	size_t length = is_v6 ? strcspn(address + 1, "]") : strcspn(address, ":");

	(void)snprintf(buffer, size, "%.*s", (int)length, address + is_v6);
}

static void print_lines(const struct dx_export *export, const char *host, uint16_t port)
{
	struct dx_export_device_info info;

	for (size_t i = 0; dx_export_device(export, i, &info); i++) {
		char option[24] = "";

		if (port != 3240) {
			(void)snprintf(option, sizeof(option), " --tcp-port %u", port);
		}
		(void)printf("%s  %04x:%04x  %s  %s\n", info.busid, info.vendor, info.product,
			     speeds[info.speed], info.spec);
		(void)printf("    usbip%s attach -r %s -b %s\n", option, host, info.busid);
	}
}

static void print_json(const struct dx_export *export, const char *host, uint16_t port)
{
	struct dx_export_device_info info;

	(void)printf("{\"host\": ");
	dx_json_print_string(stdout, host);
	(void)printf(", \"port\": %u, \"devices\": [", port);
	for (size_t i = 0; dx_export_device(export, i, &info); i++) {
		(void)printf("%s{\"busid\": ", i == 0 ? "" : ", ");
		dx_json_print_string(stdout, info.busid);
		(void)printf(", \"idVendor\": %u, \"idProduct\": %u, \"speed\": \"%s\", \"spec\": ",
			     info.vendor, info.product, speeds[info.speed]);
		dx_json_print_string(stdout, info.spec);
		(void)putchar('}');
	}
	(void)printf("]}\n");
}

/* ---- serving ---- */

static void on_signal(void *context, int signal)
{
	(void)signal;
	dx_loop_stop(context);
}

static void free_loop(struct dx_loop **loop)
{
	(void)dx_loop_free(*loop);
}

static void free_export(struct dx_export **export)
{
	(void)dx_export_free(*export);
}

static int serve(struct dx_tool *tool, const struct export_options *options, char **specs,
		 size_t nr_specs)
{
	static const int signals[] = {SIGINT, SIGTERM, SIGHUP};
	DX_CLEANUP(free_loop) struct dx_loop *loop = NULL;
	DX_CLEANUP(free_export) struct dx_export *export = NULL;
	const struct dx_export_options wanted = {
		.backends = dx_export_backends,
		.specs = (const char *const *)specs,
		.nr_specs = nr_specs,
		.busid_prefix = options->busid_prefix,
		.say = say,
		.say_context = tool,
	};
	struct dx_loop_source *source = NULL;
	char message[512] = "";
	char host[256];
	uint16_t port = 0;
	int result = dx_loop_new(&loop);

	if (result == 0) {
		result = dx_loop_add_signals(loop, signals, 3, on_signal, loop, &source);
	}
	if (result == 0) {
		result = dx_export_new(loop, &wanted, message, sizeof(message), &export);
	}
	if (result == 0) {
		result =
			dx_export_listen(export, options->address, message, sizeof(message), &port);
	}
	if (result < 0) {
		return dx_tool_fail(tool, DX_TOOL_FAILED, "%s",
				    message[0] != '\0' ? message : strerror(-result));
	}
	print_host(options->address, host, sizeof(host));
	(options->json ? print_json : print_lines)(export, host, port);
	if (fflush(stdout) != 0) {
		return DX_TOOL_FAILED; /* main() says why */
	}
	result = dx_loop_run(loop);
	return result < 0 ? dx_tool_fail(tool, DX_TOOL_FAILED, "%s", strerror(-result))
			  : DX_TOOL_OK;
}

static int run(struct dx_tool *tool, int argc, char **argv)
{
	static const struct option names[] = {
		DX_TOOL_LONG,
		{"listen", required_argument, NULL, 'l'},
		{"busid", required_argument, NULL, 'b'},
		{"json", no_argument, NULL, 'j'},
		{NULL, 0, NULL, 0},
	};
	struct export_options options = {.address = DX_EXPORT_ADDRESS};
	int code = 0;

	for (;;) {
		int option = getopt_long(argc, argv, ":" DX_TOOL_SHORT "l:b:j", names, NULL);

		if (option == -1) {
			break;
		}
		if (option == 'l') {
			options.address = optarg;
		} else if (option == 'b') {
			options.busid_prefix = optarg;
		} else if (option == 'j') {
			options.json = true;
		} else if (dx_tool_option(tool, option, argv, &code)) {
			return code;
		}
	}
	if (tool->socket != NULL) {
		return dx_tool_usage(tool, "no broker is asked: no --socket");
	}
	if (argc == optind) {
		return dx_tool_usage(tool, "which device?");
	}
	return serve(tool, &options, argv + optind, (size_t)(argc - optind));
}

const struct dx_tool_command dx_export_command = {
	.name = "export",
	.arguments = "[OPTION]... SPEC...",
	.summary = "Offer devices to other machines over USB/IP.",
	.help = "Each SPEC is a device as for 'dext attach'. Prints the bus id of each, and the\n"
		"command with which Linux attaches it, then serves until SIGINT or SIGTERM.\n"
		"USB/IP knows no passwords: who reaches the address can use the devices.\n"
		"\n"
		"  -l, --listen ADDRESS  ADDRESS[:PORT], [ADDRESS6]:PORT\n"
		"                        (default: " DX_EXPORT_ADDRESS ")\n"
		"  -b, --busid PREFIX    bus ids are PREFIX-1, PREFIX-2, ... "
		"(default: " DX_EXPORT_BUSID ")\n"
		"  -j, --json            print what is served as JSON, on one line\n",
	.own_broker = true,
	.run = run,
};
