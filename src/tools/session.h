/* SPDX-License-Identifier: MIT
 *
 * session - a private broker with its drivers and devices, for the life of one command.
 *
 * Place:      tools; under run and demo.
 * Invariants:
 *   S1  whatever dx_session_start() made is gone when dx_session_stop() returns: broker, hosts,
 *       socket, directory.
 *   S2  when the tool is killed, the broker gets SIGTERM from the kernel, ends its hosts and
 *       removes the directory itself.
 *   S3  signals interrupt every wait (the request then ends with -EINTR).
 *   S4  what broker and drivers have written is out when dx_session_stop() returns, whether or not
 *       it goes through dext-stack.
 */
#ifndef DX_TOOLS_SESSION_H
#define DX_TOOLS_SESSION_H

#include <stddef.h>

#include "control.h"
#include "process.h"
#include "tool.h"

#define DX_SESSION_MAX 32u /* bundles, devices */

/* What `dext run` attaches when nobody says otherwise. */
#define DX_SESSION_DEFAULT_DEVICE "virtual:gadget-zero,speed=super"

struct dx_session_options {
	const char *bundles[DX_SESSION_MAX];
	size_t nr_bundles;
	const char *devices[DX_SESSION_MAX];
	size_t nr_devices;
	const char *host_program; /* NULL: the broker's choice */
	const char *capture; /* absolute path of a pcapng file to make; NULL: none */
	unsigned timeout_ms; /* for the drivers to settle */
	bool name_stacks;    /* broker and drivers speak through dext-stack */
	bool errors_only;    /* the broker does not comment on what the caller reports itself */
};

struct dx_session {
	const struct dx_tool *tool;
	char directory[96];
	char address[104]; /* within what a socket address holds */
	int signal_fd;
	int ready_fd;              /* dextd ends when this is closed */
	struct dx_process process; /* dextd */
	struct dx_process stack;   /* dext-stack, if there is one */
	struct dx_control broker;
	unsigned nr_drivers;  /* host processes when matching was quiet */
	unsigned nr_failures; /* drivers that should have run then, and did not; told already */
};

/*
 * Starts everything and waits until matching is quiet. Errors are reported (one line).
 * @return DX_TOOL_OK, or the exit code; the session is then stopped already.
 */
int dx_session_start(struct dx_session *session, const struct dx_tool *tool,
		     const struct dx_session_options *options);
/* The exit code after a request that ended with -EINTR. */
int dx_session_interrupted(struct dx_session *session);
/* Ends what runs and removes what lies around. A session that never started is allowed. */
void dx_session_stop(struct dx_session *session);

#endif
