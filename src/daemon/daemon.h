/* SPDX-License-Identifier: MIT
 *
 * daemon - the broker as a function: everything that program dextd does, without a process.
 *
 * Place:      daemon; the border of the room. main.c calls it, and so do in-process tests, in a
 *             thread of theirs.
 * Invariants:
 *   Y1  no process-wide state, no exit(), no signal handlers, no changed umask.
 *   Y2  when it returns, its hosts have ended (unless they live on for the next broker), its socket
 *       file is gone and every descriptor it made is closed.
 * Threads:    runs in the caller's; stop_fd may be used from any.
 */
#ifndef DX_DAEMON_DAEMON_H
#define DX_DAEMON_DAEMON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "daemon/launcher.h"

struct dx_monitor_ops;
struct dx_usb_backend_ops;

struct dx_daemon_options {
	const char *socket_path;
	const char *const *bundles; /* one bundle, or a directory of bundles, each */
	size_t nr_bundles;
	const char *const *devices; /* device specs */
	size_t nr_devices;
	const struct dx_usb_backend_ops *const *backends; /* NULL-ended; NULL: no devices */
	const struct dx_monitor_ops *monitor; /* of real devices; NULL: there is none */
	bool usb_all;             /* attach real devices as they come */
	const uint32_t *usb_ids;  /* ... but these only: vendor << 16 | product */
	size_t nr_usb_ids;        /* 0: all */
	const struct dx_launcher *launcher;               /* NULL: dext-host at host_program */
	const char *host_program;
	const char *capture; /* a pcapng file to make of all that passes on buses; NULL: none */
	const uid_t *allow_uids; /* besides our own and root */
	size_t nr_allow_uids;
	const gid_t *allow_gids;
	size_t nr_allow_gids;
	bool is_private; /* hosts end with the broker; it ends when ready_fd's reader goes */
	bool keep_hosts; /* a stop leaves hosts to the next broker (not with is_private) */
	int ready_fd;    /* -1: none; borrowed */
	int stop_fd;     /* -1: none; readable means stop; borrowed */
	unsigned restart_delay_ms; /* first back-off; 0: 100 */
	unsigned adopt_wait_ms;    /* for hosts of an earlier broker; 0: 5000 */
	unsigned start_wait_ms;    /* for Start of a driver, then its host is killed; 0: 30000 */
	unsigned stop_wait_ms;     /* for Stop of the drivers at the end; 0: 5000 */
};

/*
 * Runs a broker until it is told to stop (stop_fd, DX_WIRE_A_SHUTDOWN, or the end of ready_fd's
 * reader). What is wrong with a bundle or device that was given is logged, one line each, and is an
 * error only when ready_fd is there to report it to or is_private is set; a broker for everybody
 * goes on without it.
 * @param ret_message  what made it fail, one line; may be NULL.
 * @return 0 after a clean stop; -EADDRINUSE, -ENOTSOCK and so on from dx_address_listen(); what
 *         loading said; -ENOMEM; -EMFILE.
 */
int dx_daemon_run(const struct dx_daemon_options *options, char *ret_message, size_t message_size);

#endif
