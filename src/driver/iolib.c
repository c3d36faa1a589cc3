/* SPDX-License-Identifier: MIT
 *
 * iolib - memory, time, log lines and small helpers for drivers.
 *
 * Place:   driver. Nothing here needs an object.
 */
#include <opendext/iolib.h>

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/format.h"
#include "driver/reactor.h"
#include "driver/runtime.h"

#define MAX_LINE DX_FORMAT_MAX_LINE

uint64_t IOVMPageSize = 4096;

__attribute__((constructor)) static void read_page_size(void)
{
	IOVMPageSize = (uint64_t)sysconf(_SC_PAGESIZE);
}

/* ---- log lines ---- */

/* One write of "name: text\n". */
static int write_line(const char *text)
{
	char line[MAX_LINE + 160];
	struct dx_runtime *runtime = dx_thread_self()->runtime;
	size_t length = strlen(text);

	while (length > 0 && text[length - 1] == '\n') {
		length--;
	}
	int count = snprintf(line, sizeof(line), "%.128s: %.*s\n",
			     runtime == NULL ? "driver" : dx_runtime_name(runtime), (int)length,
			     text);
	if (count > 0) {
		(void)!write(STDERR_FILENO, line, (size_t)count); /* nowhere to report it */
	}
	return (int)length;
}

int IOLogv(const char *format, va_list arguments)
{
	char text[MAX_LINE];
	int saved = errno;

	if (format == NULL || vsnprintf(text, sizeof(text), format, arguments) < 0) {
		return 0;
	}
	int length = write_line(text);
	errno = saved;
	return length;
}

int IOLog(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	int length = IOLogv(format, arguments);
	va_end(arguments);
	return length;
}

void IOLogBuffer(const char *title, const void *buffer, size_t size)
{
	const unsigned char *bytes = buffer;

	for (size_t at = 0; bytes != NULL && at < size; at += 16) {
		char text[3 * 16 + 1] = "";
		for (size_t i = at; i < size && i < at + 16; i++) {
			(void)snprintf(text + 3 * (i - at), 4, " %02x", bytes[i]);
		}
		(void)IOLog("%s %04zx:%s", title == NULL ? "" : title, at, text);
	}
}

/* ---- memory ---- */

void *IOMalloc(size_t size)
{
	return size == 0 ? NULL : malloc(size);
}

void *IOMallocZero(size_t size)
{
	return size == 0 ? NULL : calloc(1, size);
}

void IOFree(void *address, size_t length)
{
	(void)length;
	free(address);
}

/* ---- time ---- */

void IOSleep(uint64_t milliseconds)
{
	struct timespec left = {
		.tv_sec = (time_t)(milliseconds / 1000u),
		.tv_nsec = (long)(milliseconds % 1000u) * 1000000,
	};

	dx_reactor_blocking_begin();
	while (clock_nanosleep(CLOCK_MONOTONIC, 0, &left, &left) == EINTR) {
	}
	dx_reactor_blocking_end();
}

void IODelay(uint64_t microseconds)
{
	uint64_t end_ns = dx_clock_now_ns() + microseconds * 1000u;

	while (dx_clock_now_ns() < end_ns) {
	}
}

/* ---- small things ---- */

uint32_t crc32(uint32_t crc, const void *buffer, size_t size)
{
	const uint8_t *bytes = buffer;

	crc = ~crc;
	for (size_t i = 0; bytes != NULL && i < size; i++) {
		crc ^= bytes[i];
		for (unsigned bit = 0; bit < 8; bit++) {
			crc = (crc >> 1) ^ (0xedb88320u & (0u - (crc & 1u)));
		}
	}
	return ~crc;
}

void OSSynchronizeIO(void)
{
	atomic_thread_fence(memory_order_seq_cst);
}

IOFixed IOFixedMultiply(IOFixed a, IOFixed b)
{
	return (IOFixed)(((int64_t)a * b) >> 16);
}

IOFixed IOFixedDivide(IOFixed a, IOFixed b)
{
	if (b == 0) {
		return a < 0 ? INT32_MIN : INT32_MAX;
	}
	return (IOFixed)((((int64_t)a) * 65536) / b);
}
