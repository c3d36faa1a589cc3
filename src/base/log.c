/* SPDX-License-Identifier: MIT
 *
 * log - one line to standard error.
 *
 * Invariants:
 *   G1  a line is one write() of at most MAX_LINE bytes; a longer one is cut and keeps its newline.
 *   G2  errno is what it was before.
 * Threads:    any. The level and the program's name are the only process-wide state of this room.
 */
#include "base/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/check.h"

#define MAX_LINE	 1024
#define LEVEL_UNREAD	 (-1)

static const char *const level_names[] = {"error", "warning", "info", "debug"};

/* Relaxed everywhere: a thread that sees the old level or name for a moment does no harm. */
static _Atomic int current_level = LEVEL_UNREAD;
static const char *_Atomic program_name;

static int level_from_environment(void)
{
	const char *text = getenv("OPENDEXT_LOG");

	for (size_t i = 0; text != NULL && i < DX_ARRAY_SIZE(level_names); i++) {
		if (strcmp(text, level_names[i]) == 0) {
			return (int)i;
		}
	}
	return DX_LOG_WARNING;
}

void dx_log_set_level(enum dx_log_level level)
{
	atomic_store_explicit(&current_level, (int)level, memory_order_relaxed);
}

enum dx_log_level dx_log_level(void)
{
	int level = atomic_load_explicit(&current_level, memory_order_relaxed);

	if (level == LEVEL_UNREAD) {
		level = level_from_environment();
		atomic_store_explicit(&current_level, level, memory_order_relaxed);
	}
	return (enum dx_log_level)level;
}

void dx_log_set_program(const char *name)
{
	atomic_store_explicit(&program_name, name, memory_order_relaxed);
}

/* @return bytes used of line, at most capacity - 1. */
static size_t format_prefix(char *line, size_t capacity, enum dx_log_level level)
{
	const char *name = atomic_load_explicit(&program_name, memory_order_relaxed);
	int length = snprintf(line, capacity, "%s%s%s", name == NULL ? "" : name,
			      name == NULL ? "" : ": ",
			      level == DX_LOG_ERROR	? ""
			      : level == DX_LOG_WARNING ? "warning: "
			      : level == DX_LOG_DEBUG	? "debug: "
							: "");

	return length < 0 ? 0 : (size_t)length < capacity ? (size_t)length : capacity - 1;
}

void dx_log(enum dx_log_level level, const char *format, ...)
{
	int saved = errno;
	char line[MAX_LINE];
	va_list arguments;
	size_t used;
	int length;

	if (level > dx_log_level()) {
		return;
	}
	used = format_prefix(line, sizeof(line), level);
	va_start(arguments, format);
	errno = saved; /* for %m */
	length = vsnprintf(line + used, sizeof(line) - used, format, arguments);
	va_end(arguments);
	if (length > 0) {
		size_t room = sizeof(line) - used - 1;

		used += (size_t)length < room ? (size_t)length : room;
	}
	if (used == sizeof(line) - 1) {
		used--;
	}
	line[used++] = '\n';
	(void)!write(STDERR_FILENO, line, used); /* nowhere left to report to */
	errno = saved;
}
