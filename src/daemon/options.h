/* SPDX-License-Identifier: MIT
 *
 * options - the command line of program dextd.
 *
 * Place:   daemon, for main.c.
 */
#ifndef DX_DAEMON_OPTIONS_H
#define DX_DAEMON_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/log.h"
#include "daemon/daemon.h"

#define DX_OPTIONS_MAX 256u /* of each kind that may be repeated */

struct dx_command_line {
	struct dx_daemon_options daemon; /* its arrays are those below */
	enum dx_log_level log_level;
	bool has_log_level;
	bool show_help;
	bool show_version;
	bool show_status;
	bool json;
	const char *bundles[DX_OPTIONS_MAX];
	const char *devices[DX_OPTIONS_MAX];
	uid_t allow_uids[DX_OPTIONS_MAX];
	gid_t allow_gids[DX_OPTIONS_MAX];
	uint32_t usb_ids[DX_OPTIONS_MAX];
};

/* @return 0; -EINVAL with one line in message. Strings are borrowed from argv. */
int dx_command_line_parse(int argc, char *const *argv, struct dx_command_line *ret_line,
			  char *message, size_t message_size);

extern const char dx_command_line_help[];

#endif
