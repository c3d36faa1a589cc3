/* SPDX-License-Identifier: MIT
 *
 * dextd - the broker as a program: command line, signals, limits; see man/dextd.8.
 *
 * Place:   daemon. Everything else is dx_daemon_run().
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "backend/libusb/libusb.h"
#include "backend/libusb/monitor.h"
#include "backend/replay/replay.h"
#include "backend/usbip/usbip.h"
#include "backend/virtual/virtual.h"
#include "base/cleanup.h"
#include "base/log.h"
#include "daemon/daemon.h"
#include "daemon/hotplug.h"
#include "daemon/options.h"
#include "daemon/show.h"
#include "wire/address.h"

#define EXIT_USAGE 2

static const struct dx_usb_backend_ops *const backends[] = {&dx_backend_virtual,
								&dx_backend_libusb,
								&dx_backend_usbip,
								&dx_backend_replay, NULL};

static const struct dx_monitor_ops usb_monitor = {
	.backend = &dx_backend_libusb,
	.create = dx_usb_monitor_new,
	.destroy = dx_usb_monitor_free,
	.fd = dx_usb_monitor_fd,
	.poll = dx_usb_monitor_poll,
	.names = dx_usb_monitor_names,
	.location = dx_usb_monitor_location,
};

/* Directory of this program, without the last slash. */
static int own_directory(char *buffer, size_t size)
{
	ssize_t length = readlink("/proc/self/exe", buffer, size - 1);
	char *slash = NULL;

	if (length < 0) {
		return -errno;
	}
	buffer[length] = '\0';
	slash = strrchr(buffer, '/');
	if (slash == NULL) {
		return -ENOENT;
	}
	*slash = '\0';
	return 0;
}

/* Beside us, or where the build tree or an installation that was moved has it; else where it was to
 * be installed. */
static const char *find_host_program(char *buffer, size_t size)
{
	static const char *const places[] = {"dext-host", "../host/dext-host",
					     "../libexec/opendext/dext-host"};
	char directory[PATH_MAX];

	if (own_directory(directory, sizeof(directory)) == 0) {
		for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
			int length = snprintf(buffer, size, "%s/%s", directory, places[i]);

			if (length > 0 && (size_t)length < size && access(buffer, X_OK) == 0) {
				return buffer;
			}
		}
	}
	return DX_LIBEXECDIR "/dext-host";
}

static int stop_signals(void)
{
	sigset_t signals;
	int fd = -1;

	(void)sigemptyset(&signals);
	(void)sigaddset(&signals, SIGTERM);
	(void)sigaddset(&signals, SIGINT);
	(void)sigaddset(&signals, SIGHUP);
	if (sigprocmask(SIG_BLOCK, &signals, NULL) < 0) {
		return -errno;
	}
	fd = signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
	return fd < 0 ? -errno : fd;
}

/* A broker for everybody has a socket per application. */
static void raise_fd_limit(void)
{
	struct rlimit limit = {0};

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
		limit.rlim_cur = limit.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &limit); /* what we had works too */
	}
}

/* The directories of the default addresses are ours to make; those that a user names are not. */
static void make_directory(const char *socket_path)
{
	char directory[PATH_MAX];
	char *slash = NULL;

	(void)snprintf(directory, sizeof(directory), "%s", socket_path);
	slash = strrchr(directory, '/');
	if (slash != NULL && slash != directory) {
		*slash = '\0';
		(void)mkdir(directory, 0755); /* listening says what is wrong */
	}
}

/* A private broker lives in a directory that was made for it. Whoever made it may have been killed,
 * so it goes with us; if there is anything else in it, it stays. */
static void remove_directory(const char *socket_path)
{
	char directory[PATH_MAX];
	char *slash = NULL;

	(void)snprintf(directory, sizeof(directory), "%s", socket_path);
	slash = strrchr(directory, '/');
	if (slash != NULL && slash != directory) {
		*slash = '\0';
		(void)rmdir(directory);
	}
}

/* Where a broker of this user listens when nothing says otherwise. */
static int default_address(char *buffer, size_t size)
{
	const char *runtime = getenv("XDG_RUNTIME_DIR");
	int length = 0;

	if (geteuid() == 0 || getenv(DX_ADDRESS_ENVIRONMENT) != NULL || runtime == NULL) {
		return dx_address_default(buffer, size);
	}
	length = snprintf(buffer, size, "%s/opendext/broker", runtime);
	return length < 0 || (size_t)length >= size ? -ENAMETOOLONG : 0;
}

static int run(struct dx_command_line *line)
{
	char host_program[PATH_MAX];
	char message[1024] = "";
	DX_CLEANUP_FD int stop_fd = -1;
	int r = 0;

	if (line->daemon.is_private && prctl(PR_SET_PDEATHSIG, SIGTERM) < 0) {
		dx_log_warning("cannot ask to end with the parent: %s", strerror(errno));
	}
	stop_fd = stop_signals();
	if (stop_fd < 0) {
		dx_log_error("signals: %s", strerror(-stop_fd));
		stop_fd = -1;
		return EXIT_FAILURE;
	}
	if (line->daemon.ready_fd >= 0 && fcntl(line->daemon.ready_fd, F_SETFD, FD_CLOEXEC) < 0) {
		dx_log_error("--ready-fd %d: %s", line->daemon.ready_fd, strerror(errno));
		return EXIT_USAGE;
	}
	(void)signal(SIGPIPE, SIG_IGN); /* the reader of --ready-fd may be gone */
	(void)signal(SIGXFSZ, SIG_IGN); /* a limit on file sizes is an error of one write */
	raise_fd_limit();
	if (line->daemon.host_program == NULL) {
		line->daemon.host_program = find_host_program(host_program, sizeof(host_program));
	}
	line->daemon.stop_fd = stop_fd;
	line->daemon.backends = backends;
	line->daemon.monitor = &usb_monitor;
	r = dx_daemon_run(&line->daemon, message, sizeof(message));
	if (line->daemon.is_private) {
		remove_directory(line->daemon.socket_path);
	}
	if (r < 0) {
		if (line->daemon.ready_fd < 0) { /* otherwise its reader has the reason */
			dx_log_error("%s", message[0] != '\0' ? message : strerror(-r));
		}
		return EXIT_FAILURE;
	}
	return EXIT_SUCCESS;
}

static int show(const struct dx_command_line *line)
{
	char message[512] = "";

	if (dx_show_status(line->daemon.socket_path, line->json, stdout, message, sizeof(message)) <
	    0) {
		dx_log_error("%s", message);
		return EXIT_FAILURE;
	}
	return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
	static struct dx_command_line line; /* large, and lives as long as the program */
	char address[PATH_MAX];
	char message[512];
	bool given = false;
	int r = 0;

	dx_log_set_program("dextd");
	if (dx_command_line_parse(argc, argv, &line, message, sizeof(message)) < 0) {
		dx_log_error("%s", message);
		return EXIT_USAGE;
	}
	if (line.show_help || line.show_version) {
		(void)fputs(line.show_help ? dx_command_line_help : "dextd " DX_VERSION "\n",
			    stdout);
		return EXIT_SUCCESS;
	}
	if (line.has_log_level) {
		dx_log_set_level(line.log_level);
	}
	given = line.daemon.socket_path != NULL;
	if (!given) {
		r = line.show_status ? dx_address_default(address, sizeof(address))
				     : default_address(address, sizeof(address));
		if (r < 0) {
			dx_log_error("default address: %s", strerror(-r));
			return EXIT_FAILURE;
		}
		line.daemon.socket_path = address;
	}
	if (line.show_status) {
		return show(&line);
	}
	if (!given) {
		make_directory(address);
	}
	return run(&line);
}
