/* SPDX-License-Identifier: MIT
 *
 * iolib - what <DriverKit/IOLib.h> has beside the functions of C.
 */
#include <DriverKit/IOLib.h>

#include <cstdio>
#include <execinfo.h>

#define MAX_FRAMES 32

void OSReportWithBacktrace(const char *format, ...)
{
	void *frames[MAX_FRAMES];
	va_list arguments;

	va_start(arguments, format);
	(void)IOLogv(format, arguments);
	va_end(arguments);
	int nr_frames = backtrace(frames, MAX_FRAMES);
	for (int i = 1; i < nr_frames; i++) {
		(void)IOLog("  from %p", frames[i]);
	}
}

bool IOParseBootArgNumber(const char *argument, void *value, int maxLength)
{
	(void)argument;
	(void)value;
	(void)maxLength;
	return false;
}

bool IOParseBootArgString(const char *argument, char *value, int length)
{
	(void)argument;
	(void)value;
	(void)length;
	return false;
}
