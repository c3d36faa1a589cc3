/* SPDX-License-Identifier: MIT
 *
 * format - formats of os_log(). See format.h.
 */
#include "base/format.h"

#include <string.h>

void dx_format_strip(const char *format, char *stripped, size_t capacity)
{
	size_t out = 0;

	while (*format != '\0' && out + 3 < capacity) {
		if (format[0] == '%' && format[1] == '%') {
			stripped[out++] = *format++;
			stripped[out++] = *format++;
			continue;
		}
		if (format[0] == '%' && format[1] == '{') {
			const char *end = strchr(format, '}');
			if (end != NULL) {
				stripped[out++] = '%';
				format = end + 1;
				continue;
			}
		}
		stripped[out++] = *format++;
	}
	stripped[out] = '\0';
}
