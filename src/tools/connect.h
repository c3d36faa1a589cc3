/* SPDX-License-Identifier: MIT
 *
 * connect - the broker that --socket or the environment names, or exit code 69.
 *
 * Place:   tools; for the commands that talk to a broker that already runs.
 */
#ifndef DX_TOOLS_CONNECT_H
#define DX_TOOLS_CONNECT_H

#include "control.h"
#include "tool.h"

/* @return DX_TOOL_OK with an open broker, or the exit code after the one line. */
int dx_connect(const struct dx_tool *tool, struct dx_control *ret_broker);
/* Waits until the drivers of what was attached or loaded run, or have failed, so that the next command
 * finds them. After 10 s a line says that they are not there yet; what was asked for is done. */
void dx_connect_settle(const struct dx_tool *tool, struct dx_control *broker);
/* A failed request: the line and the exit code. what: "cannot load 'x'". */
int dx_connect_failed(const struct dx_tool *tool, const struct dx_control *broker, int error,
		      const char *format, ...) __attribute__((format(printf, 4, 5)));

#endif
