/* SPDX-License-Identifier: MIT
 *
 * log - one line to standard error, for programs.
 *
 * Place:   base. Libraries return errors; programs log once, where the error stops.
 *          dx_log_debug() may be used anywhere and keeps errno.
 * Threads: any; a line is one write().
 */
#ifndef DX_BASE_LOG_H
#define DX_BASE_LOG_H

enum dx_log_level {
	DX_LOG_ERROR = 0,
	DX_LOG_WARNING = 1,
	DX_LOG_INFO = 2,
	DX_LOG_DEBUG = 3,
};

/* Start value: DX_LOG_WARNING, or what OPENDEXT_LOG=error|warning|info|debug says. */
void dx_log_set_level(enum dx_log_level level);
enum dx_log_level dx_log_level(void);
/* The name before each line, e.g. "dextd"; borrowed for ever. */
void dx_log_set_program(const char *name);

void dx_log(enum dx_log_level level, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

#define dx_log_error(...)   dx_log(DX_LOG_ERROR, __VA_ARGS__)
#define dx_log_warning(...) dx_log(DX_LOG_WARNING, __VA_ARGS__)
#define dx_log_info(...)    dx_log(DX_LOG_INFO, __VA_ARGS__)
#define dx_log_debug(...)   dx_log(DX_LOG_DEBUG, __VA_ARGS__)

#endif
