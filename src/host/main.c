/* SPDX-License-Identifier: MIT
 *
 * main - the program dext-host. It lives in libDriverKit, so that host, runtime and driver share
 * one copy of every class and counter; the executable only calls it.
 *
 * Place:   host; the only file that knows which backends exist.
 */
#include "host/main.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "backend/libusb/libusb.h"
#include "backend/replay/replay.h"
#include "backend/usbip/usbip.h"
#include "backend/virtual/virtual.h"
#include "base/log.h"
#include "channel/policy.h"
#include "host/crash.h"
#include "host/host.h"

#define BROKER_SOCKET 3
#define EXIT_USAGE    2

static const struct dx_usb_backend_ops *const backends[] = {&dx_backend_virtual,
								&dx_backend_libusb,
								&dx_backend_usbip,
								&dx_backend_replay, NULL};

static void print_help(void)
{
	(void)fputs(
		"usage: dext-host [IDENTIFIER]\n"
		"\n"
		"Runs one driver. Started by dextd with a socket as descriptor 3; not useful by\n"
		"itself. IDENTIFIER only names the process in lists.\n"
		"\n"
		"  -h, --help     show this text\n"
		"  -V, --version  show the version\n"
		"\n"
		"Environment: OPENDEXT_LOG=error|warning|info|debug; OPENDEXT_NO_CONFINE=1 runs "
		"the\n"
		"driver unconfined, for debuggers.\n",
		stdout);
}

/* @return an exit status, or -1 to go on. */
static int parse(int argc, char **argv)
{
	static const struct option options[] = {{"help", no_argument, NULL, 'h'},
						{"version", no_argument, NULL, 'V'},
						{NULL, 0, NULL, 0}};
	int option = 0;

	opterr = 0;
	option = getopt_long(argc, argv, "hV", options, NULL);

	switch (option) {
	case -1:
		return -1;
	case 'h':
		print_help();
		return EXIT_SUCCESS;
	case 'V':
		(void)puts("dext-host " DX_VERSION);
		return EXIT_SUCCESS;
	default:
		(void)fprintf(stderr, "dext-host: %s: unknown option, see --help\n",
			      argv[optind - 1]);
		return EXIT_USAGE;
	}
}

static int check_socket(void)
{
	int type = 0;
	socklen_t length = sizeof(type);

	if (getsockopt(BROKER_SOCKET, SOL_SOCKET, SO_TYPE, &type, &length) < 0 ||
	    type != SOCK_SEQPACKET) {
		return -ENOTSOCK;
	}
	return fcntl(BROKER_SOCKET, F_SETFD, FD_CLOEXEC) < 0 ? -errno : 0;
}

int OpenDextHostMain(int argc, char **argv)
{
	int status = parse(argc, argv);

	if (status >= 0) {
		return status;
	}
	const char *name = optind < argc ? argv[optind] : "dext-host";
	dx_log_set_program(name);
	if (check_socket() < 0) {
		dx_log_error("descriptor 3 is no socket of a broker; dextd starts this program");
		return EXIT_USAGE;
	}
	/* Our words may go to a terminal or pipe that somebody closes. */
	(void)signal(SIGPIPE, SIG_IGN);
	dx_crash_install(name);
	(void)signal(SIGXFSZ, SIG_IGN); /* a limit on file sizes is an error of one buffer */
	struct dx_host_options options = {
		.socket = BROKER_SOCKET,
		.backends = backends,
		.confine = true,
		.spin_budget_ns = DX_WAIT_BUDGET_MEASURED,
	};
	int rc = dx_host_run(&options);
	if (rc == -EBUSY) {
		dx_log_error("ends although driver code is still running");
		_exit(EXIT_FAILURE); /* not through atexit: that code is in the driver's way */
	}
	return rc < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
