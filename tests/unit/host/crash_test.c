/* SPDX-License-Identifier: MIT
 *
 * crash_test - a driver that dies by a signal leaves a line that names the method and the stack, and
 * dies by it.
 */
#include "host/crash.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/sanitizer.h"
#include "driver/thread.h"
#include "test.h"

/* @return the signal that ended a child which did that, with what it printed. */
static int die(void (*deed)(void), bool in_driver, char *text, size_t size)
{
	int ends[2];
	int status = 0;

	if (DX_SANITIZED) {
		SKIP("sanitizers report crashes themselves");
	}
	CHECK_EQ(pipe(ends), 0);
	pid_t pid = fork();
	CHECK_GE(pid, 0);
	if (pid == 0) {
		(void)dup2(ends[1], STDERR_FILENO);
		dx_crash_install("org.example.Driver");
		if (in_driver) {
			dx_thread_self()->class_name = "Breaker";
			dx_thread_self()->method_name = "Start";
		}
		deed();
		_exit(0);
	}
	(void)close(ends[1]);
	size_t length = 0;
	for (ssize_t more = 1; more > 0; length += (size_t)more) {
		more = read(ends[0], text + length, size - 1 - length);
		CHECK_GE(more, 0);
	}
	text[length] = '\0';
	(void)close(ends[0]);
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	CHECK(WIFSIGNALED(status));
	return WTERMSIG(status);
}

static void read_nowhere(void)
{
	volatile char *page = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	page[0] = page[1];
}

static unsigned call_forever(const volatile unsigned *value)
{
	volatile unsigned page[1024];

	page[0] = *value + 1;
	return page[0] == 0 ? 0 : call_forever(page) + page[0];
}

static void fill_the_stack(void)
{
	unsigned start = 1;

	(void)call_forever(&start);
}

static void *fill_a_stack(void *context)
{
	dx_thread_signal_stack_begin();
	dx_thread_self()->class_name = "Breaker";
	dx_thread_self()->method_name = "Start";
	fill_the_stack();
	return context;
}

static void fill_the_stack_of_a_thread(void)
{
	pthread_t thread;

	(void)pthread_create(&thread, NULL, fill_a_stack, NULL);
	(void)pthread_join(thread, NULL);
}

static void give_up(void)
{
	abort();
}

static void call_nowhere(void)
{
	void (*volatile nowhere)(void) = NULL;

	nowhere();
}

/* No stack protector sees it: what is overwritten is above the caller's frames. */
static void break_the_stack(void)
{
	uintptr_t *frame = __builtin_frame_address(0);

	for (unsigned i = 0; i < 64; i++) {
		frame[i] = 0x5555555555555555u;
	}
	abort();
}

static _Atomic unsigned nr_inside;

static void *stay_inside(void *context)
{
	const char *const *names = context;

	dx_thread_signal_stack_begin();
	dx_thread_self()->class_name = names[0];
	dx_thread_self()->method_name = names[1];
	nr_inside++;
	for (;;) {
		(void)pause();
	}
	return NULL;
}

static void stay_with_two_threads(void)
{
	static const char *const first[] = {"First", "Start"};
	static const char *const second[] = {"Second", "Stop"};
	pthread_t threads[2];

	(void)pthread_create(&threads[0], NULL, stay_inside, (void *)(uintptr_t)first);
	(void)pthread_create(&threads[1], NULL, stay_inside, (void *)(uintptr_t)second);
	while (nr_inside < 2) {
		(void)sched_yield();
	}
	(void)kill(getpid(), SIGQUIT);
	for (;;) {
		(void)pause();
	}
}

/* Its lines are as many as it says, with numbers in order. @return how many. */
static unsigned check_stack(const char *text)
{
	const char *head = strstr(text, "org.example.Driver: the stack, ");
	unsigned nr_calls = 0;
	char mark[32];

	CHECK(head != NULL);
	nr_calls = (unsigned)strtoul(head + strlen("org.example.Driver: the stack, "), NULL, 10);
	for (unsigned i = 0; i < nr_calls; i++) {
		(void)snprintf(mark, sizeof(mark), "\n    #%u ", i);
		head = strstr(head, mark);
		CHECK(head != NULL);
		head++;
	}
	(void)snprintf(mark, sizeof(mark), "\n    #%u ", nr_calls);
	CHECK(strstr(head, mark) == NULL);
	return nr_calls;
}

TEST(crash_in_a_method_names_it_and_dies_by_the_signal)
{
	static char text[16384];

	CHECK_EQ(die(read_nowhere, true, text, sizeof(text)), SIGSEGV);
	CHECK(strncmp(text, "org.example.Driver: crashed with SIGSEGV at 0x", 46) == 0);
	CHECK(strstr(text, " in Breaker::Start\n") != NULL);
}

TEST(crash_outside_of_a_driver_names_no_method)
{
	static char text[16384];

	CHECK_EQ(die(read_nowhere, false, text, sizeof(text)), SIGSEGV);
	CHECK(strstr(text, " in ") == NULL);
	CHECK_EQ(text[strlen(text) - 1], '\n');
	check_stack(text);
}

TEST(crash_on_a_full_stack_prints_its_line_too)
{
	static char text[16384];

	CHECK_EQ(die(fill_the_stack, true, text, sizeof(text)), SIGSEGV);
	CHECK(strstr(text, " in Breaker::Start\n") != NULL);
	CHECK_EQ(die(fill_the_stack_of_a_thread, false, text, sizeof(text)), SIGSEGV);
	CHECK(strstr(text, " in Breaker::Start\n") != NULL);
}

TEST(crash_by_abort_has_no_address)
{
	static char text[16384];

	CHECK_EQ(die(give_up, true, text, sizeof(text)), SIGABRT);
	CHECK(strncmp(text, "org.example.Driver: crashed with SIGABRT in Breaker::Start\n", 59) == 0);
	CHECK_GE(check_stack(text), 3u); /* raise, abort, give_up */
}

TEST(crash_by_a_call_to_nowhere_names_the_caller)
{
	static char text[16384];

	CHECK_EQ(die(call_nowhere, true, text, sizeof(text)), SIGSEGV);
	CHECK(strstr(text, "    #0 no code+0x0\n    #1 dext-host+0x") != NULL);
	CHECK_EQ(check_stack(text), 2u);
}

TEST(crash_with_a_broken_stack_says_what_is_left_of_it)
{
	static char text[16384];

	CHECK_EQ(die(break_the_stack, true, text, sizeof(text)), SIGABRT);
	CHECK_GE(check_stack(text), 1u);
}

TEST(crash_is_asked_for_the_stacks_of_all_threads_in_driver_code)
{
	static char text[16384];

	CHECK_EQ(die(stay_with_two_threads, false, text, sizeof(text)), SIGKILL);
	CHECK(strstr(text, "is in First::Start\norg.example.Driver: the stack, ") != NULL);
	CHECK(strstr(text, "is in Second::Stop\norg.example.Driver: the stack, ") != NULL);
	CHECK(strstr(text, "crashed") == NULL);
}
