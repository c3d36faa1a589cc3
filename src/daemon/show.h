/* SPDX-License-Identifier: MIT
 *
 * show - `dextd --status`: asks the broker that runs, prints the answer.
 *
 * Place:   daemon, for main.c. A client of the wire like any tool.
 */
#ifndef DX_DAEMON_SHOW_H
#define DX_DAEMON_SHOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* @return 0; -ENOENT, -ECONNREFUSED and so on when no broker answers, with one line in message. */
int dx_show_status(const char *socket_path, bool json, FILE *output, char *message,
		   size_t message_size);

/* A property value as JSON: data as a string of hexadecimal digits. */
void dx_show_json(const void *value, FILE *output);
/* The same for people: one "key: value" per line, indented. */
void dx_show_text(const void *value, unsigned indent, FILE *output);

#endif
