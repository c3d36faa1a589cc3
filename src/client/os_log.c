/* SPDX-License-Identifier: MIT
 *
 * os_log - <os/log.h> for applications: lines on standard error, with the program's name.
 *
 * Place:   client.
 */
#include <errno.h>
#include <os/log.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/format.h"

/* Weak: a process that has driver and application in it, as some tests do, has the driver's. */
__attribute__((weak)) void OSLogWithType(os_log_t log, os_log_type_t type, const char *format, ...)
{
	char stripped[DX_FORMAT_MAX_LINE];
	char text[DX_FORMAT_MAX_LINE];
	char line[DX_FORMAT_MAX_LINE + 160];
	size_t length = 0;
	int saved = errno;
	int count = 0;
	va_list arguments;

	(void)log;
	(void)type; /* all levels are shown */
	if (format == NULL) {
		return;
	}
	dx_format_strip(format, stripped, sizeof(stripped));
	va_start(arguments, format);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	count = vsnprintf(text, sizeof(text), stripped, arguments);
#pragma GCC diagnostic pop
	va_end(arguments);
	length = count < 0 ? 0 : strlen(text);
	while (length > 0 && text[length - 1] == '\n') {
		length--;
	}
	count = snprintf(line, sizeof(line), "%.128s: %.*s\n", program_invocation_short_name,
			 (int)length, text);
	if (count > 0) {
		(void)!write(STDERR_FILENO, line, (size_t)count); /* nowhere to report it */
	}
	errno = saved;
}
