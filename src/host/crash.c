/* SPDX-License-Identifier: MIT
 *
 * crash - see crash.h.
 *
 * Place:   host.
 * Rules:   only async-signal-safe calls; the driver's state is not touched. The line names the
 *          driver's class and method when the signal came on a thread that was in driver code.
 *          Where a broken stack makes the walk itself crash, what is known without it is said.
 */
#include "host/crash.h"

#include <dlfcn.h>
#include <link.h>
#include <setjmp.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>
#include <unwind.h>

#include "base/check.h"
#include "base/sanitizer.h"
#include "driver/thread.h"

#define MAX_CALLS 64

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

static void add_number(struct line *line, uintptr_t value, unsigned base)
{
	char digits[3 * sizeof(value) + 1] = {0};
	size_t first = sizeof(digits) - 1;

	do {
		digits[--first] = "0123456789abcdef"[value % base];
		value /= base;
	} while (value != 0);
	add(line, base == 16 ? "0x" : "");
	add(line, digits + first);
}

static void end(struct line *line)
{
	ssize_t written = 0;

	add(line, "\n");
	written = write(STDERR_FILENO, line->text, line->length);
	(void)written;
	line->length = 0;
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

/* Where the signal came, and what is on top of the stack there. */
static uintptr_t pc_of(const ucontext_t *context)
{
#if defined(__x86_64__)
	return (uintptr_t)context->uc_mcontext.gregs[REG_RIP];
#elif defined(__aarch64__)
	return (uintptr_t)context->uc_mcontext.pc;
#else
	(void)context;
	return 0;
#endif
}

static uintptr_t caller_of(const ucontext_t *context)
{
#if defined(__x86_64__)
	return *(const uintptr_t *)context->uc_mcontext.gregs[REG_RSP];
#elif defined(__aarch64__)
	return (uintptr_t)context->uc_mcontext.regs[30];
#else
	(void)context;
	return 0;
#endif
}

/* dladdr() would wait for a lock that the crashed thread may hold. */
static const struct link_map *module_of(uintptr_t pc)
{
	struct dl_find_object found = {0};

	return _dl_find_object((void *)pc, &found) == 0 ? found.dlfo_link_map : NULL;
}

static void add_call(unsigned number, uintptr_t pc)
{
	const struct link_map *module = module_of(pc);
	struct line line = {.length = 0};

	add(&line, "    #");
	add_number(&line, number, 10);
	if (module == NULL) {
		add(&line, " no code+");
		add_number(&line, pc, 16);
	} else {
		add(&line, " ");
		add(&line, module->l_name[0] == '\0' ? "dext-host" : module->l_name);
		add(&line, "+");
		add_number(&line, pc - module->l_addr, 16);
	}
	end(&line);
}

/* The way out of a walk that crashes. Another thread may crash meanwhile: each has its own. */
static _Thread_local sigjmp_buf escape __attribute__((tls_model("initial-exec")));
static _Thread_local volatile bool is_walking __attribute__((tls_model("initial-exec")));

static void end_walk(int number)
{
	if (is_walking) {
		siglongjmp(escape, 1);
	}
	(void)signal(number, SIG_DFL); /* and the instruction comes again */
}

/* The number is right at each moment: the walk may end in any. */
struct walk {
	volatile unsigned nr_calls;
	uintptr_t calls[MAX_CALLS];
};

static _Unwind_Reason_Code take_call(struct _Unwind_Context *context, void *argument)
{
	struct walk *walk = argument;
	unsigned nr_calls = walk->nr_calls;

	if (nr_calls == MAX_CALLS || _Unwind_GetIP(context) == 0) {
		return _URC_END_OF_STACK;
	}
	walk->calls[nr_calls] = _Unwind_GetIP(context);
	walk->nr_calls = nr_calls + 1;
	return _URC_NO_REASON;
}

static void walk_stack(struct walk *walk)
{
	static const int signals[] = {SIGSEGV, SIGBUS};
	const struct sigaction action = {.sa_handler = end_walk,
					 .sa_flags = SA_NODEFER | SA_ONSTACK};
	struct sigaction before[DX_ARRAY_SIZE(signals)];

	for (size_t i = 0; i < DX_ARRAY_SIZE(signals); i++) {
		(void)sigaction(signals[i], &action, &before[i]);
	}
	is_walking = true;
	if (sigsetjmp(escape, 1) == 0) {
		(void)_Unwind_Backtrace(take_call, walk);
	}
	is_walking = false;
	for (size_t i = 0; i < DX_ARRAY_SIZE(signals); i++) {
		(void)sigaction(signals[i], &before[i], NULL);
	}
}

static void add_stack(const ucontext_t *context)
{
	struct walk walk = {.nr_calls = 0};
	uintptr_t pc = pc_of(context);
	unsigned nr_calls = 0;
	unsigned first = 0;
	struct line line = {.length = 0};

	walk_stack(&walk);
	/* Before the place of the signal there are the calls of this handler. */
	while (first < walk.nr_calls && walk.calls[first] != pc) {
		first++;
	}
	nr_calls = first == walk.nr_calls ? 1 : walk.nr_calls - first;
	/* Of a call to nowhere nothing leads on but the address that it would have returned to. */
	bool is_lost = nr_calls == 1 && module_of(pc) == NULL;
	add(&line, crash_name);
	add(&line, ": the stack, ");
	add_number(&line, nr_calls + is_lost, 10);
	add(&line, nr_calls + is_lost == 1 ? " call:" : " calls, the innermost first:");
	end(&line);
	add_call(0, pc);
	for (unsigned i = 1; i < nr_calls; i++) {
		add_call(i, walk.calls[first + i] - 1);
	}
	if (is_lost) {
		add_call(1, caller_of(context) - 1);
	}
}

static void add_method(struct line *line)
{
	const struct dx_thread *thread = dx_thread_self();

	if (thread->class_name != NULL && thread->method_name != NULL) {
		add(line, " in ");
		add(line, thread->class_name);
		add(line, "::");
		add(line, thread->method_name);
	}
}

static void report(int number, siginfo_t *info, void *context)
{
	struct line line = {.length = 0};

	add(&line, crash_name);
	add(&line, ": crashed with ");
	add(&line, signal_name(number));
	if (number != SIGABRT) {
		add(&line, " at ");
		add_number(&line, (uintptr_t)info->si_addr, 16);
	}
	add_method(&line);
	end(&line);
	add_stack(context);
	/* SA_RESETHAND: the signal now has its default action; it ends the process when we return.
	 */
	(void)raise(number);
}

static _Atomic unsigned nr_answers;

/* Asks one thread and waits for it; one that does not answer is the broker's to end. */
static void ask_thread(pid_t thread, int number)
{
	const struct timespec pause = {.tv_nsec = 1000000};
	unsigned before = atomic_load_explicit(&nr_answers, memory_order_acquire);

	if (syscall(SYS_tgkill, getpid(), thread, number) < 0) {
		return; /* it has ended */
	}
	/* Pairs with the release of the thread that answers: its lines are out. */
	while (atomic_load_explicit(&nr_answers, memory_order_acquire) == before) {
		(void)nanosleep(&pause, NULL);
	}
}

static void report_all(int number, siginfo_t *info, void *context)
{
	pid_t threads[DX_THREAD_MAX_IDS];
	struct line line = {.length = 0};

	if (dx_thread_self()->method_name != NULL) {
		add(&line, crash_name);
		add(&line, ": is");
		add_method(&line);
		end(&line);
		add_stack(context);
	}
	if (info->si_code == SI_TKILL) { /* asked by another thread */
		(void)atomic_fetch_add_explicit(&nr_answers, 1, memory_order_release);
		return;
	}
	unsigned nr_threads = dx_thread_ids(threads, DX_THREAD_MAX_IDS);
	for (unsigned i = 0; i < nr_threads; i++) {
		if (threads[i] != gettid()) {
			ask_thread(threads[i], number);
		}
	}
	(void)kill(getpid(), SIGKILL);
}

void dx_crash_install(const char *name)
{
	static const int signals[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP, SIGABRT};
	struct sigaction action = {.sa_sigaction = report,
				   .sa_flags = SA_SIGINFO | SA_RESETHAND | SA_NODEFER |
					       SA_ONSTACK};

	const struct sigaction ask = {.sa_sigaction = report_all,
				      .sa_flags = SA_SIGINFO | SA_RESTART | SA_ONSTACK};

	crash_name = name;
	dx_thread_signal_stack_begin(); /* of this thread; the runtime's have theirs */
	for (size_t i = 0; !DX_SANITIZED && i < DX_ARRAY_SIZE(signals); i++) {
		(void)sigaction(signals[i], &action, NULL);
	}
	if (!DX_SANITIZED) {
		(void)sigaction(SIGQUIT, &ask, NULL);
	}
}
