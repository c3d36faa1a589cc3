/* SPDX-License-Identifier: MIT
 *
 * options - parse the command line of dextd; see options.h.
 *
 * Place:   daemon.
 */
#include "daemon/options.h"

#include <errno.h>
#include <getopt.h>
#include <grp.h>
#include <limits.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char dx_command_line_help[] =
	"usage: dextd [OPTION]...\n"
	"The OpenDext broker: keeps the registry, matches drivers with devices, starts them.\n"
	"\n"
	"  --socket PATH         listen here (default: OPENDEXT_SOCKET, the user's runtime\n"
	"                        directory, or /run/opendext/broker)\n"
	"  --bundle DIR          load a driver bundle, or all *.dext in a directory; repeatable\n"
	"  --device SPEC         attach a device, e.g. virtual:gadget-zero; repeatable\n"
	"  --usb [VID:PID]       attach the USB devices of this machine as they come and go: all, or\n"
	"                        those with these ids, hexadecimal; repeatable\n"
	"  --host-program PATH   the program around each driver (default: dext-host)\n"
	"  --allow-uid USER      let this user connect too, number or name; repeatable\n"
	"  --allow-group GROUP   let members of this group connect too; repeatable\n"
	"  --capture FILE        write what passes between drivers and devices there (pcapng)\n"
	"  --private             end with whoever started this; drivers end with it, and the\n"
	"                        directory of the socket goes if it is empty\n"
	"  --keep-hosts          on SIGTERM leave drivers running for the next broker\n"
	"  --ready-fd N          write \"ready\" there when everything is loaded and started,\n"
	"                        or \"error: REASON\"\n"
	"  --restart-delay MS    first pause before a dead driver starts again (default 100)\n"
	"  --start-wait MS       how long Start of a driver may take before its process is killed\n"
	"                        (default 30000)\n"
	"  --stop-wait MS        how long drivers may take to stop at the end (default 5000)\n"
	"  --status              ask the broker that runs for its state, print it, exit\n"
	"  --json                with --status: as JSON\n"
	"  --foreground          accepted; it always stays in the foreground\n"
	"  --log-level LEVEL     error, warning, info or debug\n"
	"  -h, --help, -V, --version\n"
	"\n"
	"exit status: 0 stopped as asked, 1 failure, 2 wrong usage\n";

enum option_id {
	OPT_SOCKET = 256,
	OPT_BUNDLE,
	OPT_DEVICE,
	OPT_USB,
	OPT_HOST_PROGRAM,
	OPT_CAPTURE,
	OPT_ALLOW_UID,
	OPT_ALLOW_GROUP,
	OPT_PRIVATE,
	OPT_KEEP_HOSTS,
	OPT_READY_FD,
	OPT_RESTART_DELAY,
	OPT_START_WAIT,
	OPT_STOP_WAIT,
	OPT_STATUS,
	OPT_JSON,
	OPT_FOREGROUND,
	OPT_LOG_LEVEL,
};

static const struct option long_options[] = {
	{"socket", required_argument, NULL, OPT_SOCKET},
	{"bundle", required_argument, NULL, OPT_BUNDLE},
	{"device", required_argument, NULL, OPT_DEVICE},
	{"usb", no_argument, NULL, OPT_USB},
	{"host-program", required_argument, NULL, OPT_HOST_PROGRAM},
	{"capture", required_argument, NULL, OPT_CAPTURE},
	{"allow-uid", required_argument, NULL, OPT_ALLOW_UID},
	{"allow-group", required_argument, NULL, OPT_ALLOW_GROUP},
	{"private", no_argument, NULL, OPT_PRIVATE},
	{"keep-hosts", no_argument, NULL, OPT_KEEP_HOSTS},
	{"ready-fd", required_argument, NULL, OPT_READY_FD},
	{"restart-delay", required_argument, NULL, OPT_RESTART_DELAY},
	{"start-wait", required_argument, NULL, OPT_START_WAIT},
	{"stop-wait", required_argument, NULL, OPT_STOP_WAIT},
	{"status", no_argument, NULL, OPT_STATUS},
	{"json", no_argument, NULL, OPT_JSON},
	{"foreground", no_argument, NULL, OPT_FOREGROUND},
	{"log-level", required_argument, NULL, OPT_LOG_LEVEL},
	{"version", no_argument, NULL, 'V'},
	{"help", no_argument, NULL, 'h'},
	{NULL, 0, NULL, 0},
};

struct complaint {
	char *text;
	size_t size;
};

__attribute__((format(printf, 2, 3))) static int refuse(const struct complaint *complaint,
							const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	(void)vsnprintf(complaint->text, complaint->size, format, arguments);
	va_end(arguments);
	return -EINVAL;
}

static bool number_of(const char *text, unsigned long max, unsigned long *ret_number)
{
	char *end = NULL;
	unsigned long number = 0;

	errno = 0;
	number = strtoul(text, &end, 10);
	if (text[0] < '0' || text[0] > '9' || *end != '\0' || errno != 0 || number > max) {
		return false;
	}
	*ret_number = number;
	return true;
}

static int take_string(const char **list, size_t *nr_list, const char *text, const char *option,
		       const struct complaint *complaint)
{
	if (*nr_list == DX_OPTIONS_MAX) {
		return refuse(complaint, "%s: given more than %u times", option, DX_OPTIONS_MAX);
	}
	list[(*nr_list)++] = text;
	return 0;
}

static int take_uid(struct dx_command_line *line, const char *text,
		    const struct complaint *complaint)
{
	const struct passwd *user = NULL;
	unsigned long number = 0;

	if (!number_of(text, UINT_MAX - 1, &number)) {
		user = getpwnam(text);
		if (user == NULL) {
			return refuse(complaint, "--allow-uid: no user \"%s\"", text);
		}
		number = user->pw_uid;
	}
	if (line->daemon.nr_allow_uids == DX_OPTIONS_MAX) {
		return refuse(complaint, "--allow-uid: given more than %u times", DX_OPTIONS_MAX);
	}
	line->allow_uids[line->daemon.nr_allow_uids++] = (uid_t)number;
	return 0;
}

static int take_group(struct dx_command_line *line, const char *text,
		      const struct complaint *complaint)
{
	const struct group *group = NULL;
	unsigned long number = 0;

	if (!number_of(text, UINT_MAX - 1, &number)) {
		group = getgrnam(text);
		if (group == NULL) {
			return refuse(complaint, "--allow-group: no group \"%s\"", text);
		}
		number = group->gr_gid;
	}
	if (line->daemon.nr_allow_gids == DX_OPTIONS_MAX) {
		return refuse(complaint, "--allow-group: given more than %u times", DX_OPTIONS_MAX);
	}
	line->allow_gids[line->daemon.nr_allow_gids++] = (gid_t)number;
	return 0;
}

static int take_number(const char *text, const char *option, unsigned long max,
		       const struct complaint *complaint, unsigned long *ret_number)
{
	if (!number_of(text, max, ret_number)) {
		return refuse(complaint, "%s: \"%s\" is no number from 0 to %lu", option, text,
			      max);
	}
	return 0;
}

/* "0525:a4a0": one to four hexadecimal digits each. */
static bool ids_of(const char *text, uint32_t *ret_ids)
{
	const char *const digits = "0123456789abcdefABCDEF";
	size_t vendor = strspn(text, digits);
	size_t product = text[vendor] == ':' ? strspn(text + vendor + 1, digits) : 0;

	if (vendor == 0 || vendor > 4 || product == 0 || product > 4 ||
	    text[vendor + 1 + product] != '\0') {
		return false;
	}
	*ret_ids = (uint32_t)strtoul(text, NULL, 16) << 16 |
		   (uint32_t)strtoul(text + vendor + 1, NULL, 16);
	return true;
}

/* next: the argument behind the option, or NULL. @return 1 when it belongs to the option. */
static int take_usb(struct dx_command_line *line, const char *next,
		    const struct complaint *complaint)
{
	uint32_t ids = 0;

	line->daemon.usb_all = true;
	if (next == NULL || next[0] == '-') {
		return 0;
	}
	if (!ids_of(next, &ids)) {
		return refuse(complaint, "--usb: \"%s\" is no VID:PID of hexadecimal digits", next);
	}
	if (line->daemon.nr_usb_ids == DX_OPTIONS_MAX) {
		return refuse(complaint, "--usb: given more than %u times", DX_OPTIONS_MAX);
	}
	line->usb_ids[line->daemon.nr_usb_ids++] = ids;
	return 1;
}

static int take_level(struct dx_command_line *line, const char *text,
		      const struct complaint *complaint)
{
	static const char *const names[] = {"error", "warning", "info", "debug"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (strcmp(names[i], text) == 0) {
			line->log_level = (enum dx_log_level)i;
			line->has_log_level = true;
			return 0;
		}
	}
	return refuse(complaint, "--log-level: \"%s\" is none of error, warning, info, debug",
		      text);
}

static int take_flag(struct dx_command_line *line, int option)
{
	switch (option) {
	case OPT_PRIVATE:
		line->daemon.is_private = true;
		return 0;
	case OPT_KEEP_HOSTS:
		line->daemon.keep_hosts = true;
		return 0;
	case OPT_STATUS:
		line->show_status = true;
		return 0;
	case OPT_JSON:
		line->json = true;
		return 0;
	case OPT_FOREGROUND:
		return 0;
	case 'V':
		line->show_version = true;
		return 0;
	case 'h':
		line->show_help = true;
		return 0;
	default:
		return -EINVAL;
	}
}

static int take_value(struct dx_command_line *line, int option, const char *text,
		      const struct complaint *complaint)
{
	unsigned long number = 0;
	int r = 0;

	switch (option) {
	case OPT_SOCKET:
		line->daemon.socket_path = text;
		return 0;
	case OPT_BUNDLE:
		return take_string(line->bundles, &line->daemon.nr_bundles, text, "--bundle",
				   complaint);
	case OPT_DEVICE:
		return take_string(line->devices, &line->daemon.nr_devices, text, "--device",
				   complaint);
	case OPT_CAPTURE:
		line->daemon.capture = text;
		return 0;
	case OPT_HOST_PROGRAM:
		line->daemon.host_program = text;
		return 0;
	case OPT_ALLOW_UID:
		return take_uid(line, text, complaint);
	case OPT_ALLOW_GROUP:
		return take_group(line, text, complaint);
	case OPT_READY_FD:
		r = take_number(text, "--ready-fd", INT_MAX, complaint, &number);
		line->daemon.ready_fd = (int)number;
		return r;
	case OPT_RESTART_DELAY:
		r = take_number(text, "--restart-delay", 10000, complaint, &number);
		line->daemon.restart_delay_ms = (unsigned)number;
		return r;
	case OPT_START_WAIT:
		r = take_number(text, "--start-wait", 86400000, complaint, &number);
		line->daemon.start_wait_ms = (unsigned)number;
		return r;
	case OPT_STOP_WAIT:
		r = take_number(text, "--stop-wait", 600000, complaint, &number);
		line->daemon.stop_wait_ms = (unsigned)number;
		return r;
	case OPT_LOG_LEVEL:
		return take_level(line, text, complaint);
	default:
		return take_flag(line, option);
	}
}

int dx_command_line_parse(int argc, char *const *argv, struct dx_command_line *ret_line,
			  char *message, size_t message_size)
{
	const struct complaint complaint = {message, message_size};
	int option = 0;
	int r = 0;

	*ret_line = (struct dx_command_line){.daemon = {.ready_fd = -1, .stop_fd = -1}};
	optind = 0; /* begin anew: tests parse more than one line */
	opterr = 0;
	while (r == 0) {
		option = getopt_long(argc, argv, "+:hV", long_options, NULL);
		if (option == -1) {
			break;
		}
		if (option == ':') {
			return refuse(&complaint, "%s: needs a value", argv[optind - 1]);
		}
		if (option == '?') {
			return refuse(&complaint, "%s: unknown option, see --help",
				      argv[optind - 1]);
		}
		if (option == OPT_USB) {
			r = take_usb(ret_line, argv[optind], &complaint);
			optind += r == 1;
			r = r < 0 ? r : 0;
		} else {
			r = take_value(ret_line, option, optarg, &complaint);
		}
	}
	if (r == 0 && optind < argc) {
		return refuse(&complaint, "%s: unexpected argument, see --help", argv[optind]);
	}
	if (r == 0 && ret_line->json && !ret_line->show_status) {
		return refuse(&complaint, "--json: only with --status");
	}
	ret_line->daemon.bundles = ret_line->bundles;
	ret_line->daemon.devices = ret_line->devices;
	ret_line->daemon.usb_ids = ret_line->usb_ids;
	ret_line->daemon.allow_uids = ret_line->allow_uids;
	ret_line->daemon.allow_gids = ret_line->allow_gids;
	return r;
}
