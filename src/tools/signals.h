/* SPDX-License-Identifier: MIT
 *
 * signals - the signals that end or concern a tool, as a descriptor instead of handlers.
 *
 * Place:   tools; for commands that have something to clean up (run, demo).
 */
#ifndef DX_TOOLS_SIGNALS_H
#define DX_TOOLS_SIGNALS_H

#include <stdbool.h>

struct dx_signal {
	int number;
	bool from_terminal; /* the whole foreground group got it */
};

/* Blocks SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2 for good.
 * @return a descriptor or a negative errno. */
int dx_signals_open(void);
/* The next one without waiting; false when there is none. */
bool dx_signals_next(int fd, struct dx_signal *ret_signal);
/* True for those that ask a tool to end. */
bool dx_signals_ends(int number);

#endif
