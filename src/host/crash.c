/* SPDX-License-Identifier: MIT
 *
 * crash - see crash.h.
 *
 * Place:   host.
 * Rules:   only async-signal-safe calls; the driver's state is not touched. The line names the
 *          driver's class and method when the signal came on a thread that was in driver code.
 */
#include "host/crash.h"

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include "base/check.h"
#include "driver/thread.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define IS_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define IS_SANITIZED 1
#endif
#endif
#ifndef IS_SANITIZED
#define IS_SANITIZED 0
#endif

static const char *crash_name = "dext-host"; /* set once, before there are threads */

struct line {
	char text[512];
	size_t length;
};

static void add(struct line *line, const char *text)
{
	size_t length = strlen(text);

	if (length > sizeof(line->text) - line->length) {
		length = sizeof(line->text) - line->length;
	}
	memcpy(line->text + line->length, text, length);
	line->length += length;
}

static void add_hex(struct line *line, uintptr_t value)
{
	char digits[2 * sizeof(value) + 1] = {0};

	for (size_t i = sizeof(digits) - 1; i-- > 0;) {
		digits[i] = "0123456789abcdef"[value & 15u];
		value >>= 4;
	}
	add(line, "0x");
	add(line, digits);
}

static const char *signal_name(int number)
{
	switch (number) {
	case SIGSEGV:
		return "SIGSEGV";
	case SIGBUS:
		return "SIGBUS";
	case SIGILL:
		return "SIGILL";
	case SIGFPE:
		return "SIGFPE";
	case SIGTRAP:
		return "SIGTRAP";
	default:
		return "SIGABRT";
	}
}

static void report(int number, siginfo_t *info, void *context)
{
	const struct dx_thread *thread = dx_thread_self();
	struct line line = {.length = 0};

	(void)context;
	add(&line, crash_name);
	add(&line, ": crashed with ");
	add(&line, signal_name(number));
	if (number != SIGABRT) {
		add(&line, " at ");
		add_hex(&line, (uintptr_t)info->si_addr);
	}
	if (thread->class_name != NULL && thread->method_name != NULL) {
		add(&line, " in ");
		add(&line, thread->class_name);
		add(&line, "::");
		add(&line, thread->method_name);
	}
	add(&line, "\n");
	ssize_t written = write(STDERR_FILENO, line.text, line.length);
	(void)written;
	/* SA_RESETHAND: the signal now has its default action; it ends the process when we return.
	 */
	(void)raise(number);
}

void dx_crash_install(const char *name)
{
	static const int signals[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP, SIGABRT};
	struct sigaction action = {.sa_sigaction = report,
				   .sa_flags = SA_SIGINFO | SA_RESETHAND | SA_NODEFER |
					       SA_ONSTACK};

	crash_name = name;
	dx_thread_signal_stack_begin(); /* of this thread; the runtime's have theirs */
	for (size_t i = 0; !IS_SANITIZED && i < DX_ARRAY_SIZE(signals); i++) {
		(void)sigaction(signals[i], &action, NULL);
	}
}
