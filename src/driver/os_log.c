/* SPDX-License-Identifier: MIT
 *
 * os_log - <os/log.h> for drivers.
 *
 * Place:   driver. A file of its own, because programs that link a driver and a client together have
 *          it from one of the two.
 */
#include <opendext/iolib.h>
#include <os/log.h>
#include <stdarg.h>

#include "base/format.h"

void OSLogWithType(os_log_t log, os_log_type_t type, const char *format, ...)
{
	char stripped[DX_FORMAT_MAX_LINE];
	va_list arguments;

	(void)log;
	(void)type; /* all levels are shown, as DriverKit does */
	if (format == NULL) {
		return;
	}
	dx_format_strip(format, stripped, sizeof(stripped));
	va_start(arguments, format);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	(void)IOLogv(stripped, arguments);
#pragma GCC diagnostic pop
	va_end(arguments);
}
