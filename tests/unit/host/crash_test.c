/* SPDX-License-Identifier: MIT
 *
 * crash_test - a driver that dies by a signal leaves one line that names the method, and dies by
 * it.
 */
#include "host/crash.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "driver/thread.h"
#include "test.h"

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

/* @return the signal that ended a child which did that, with what it printed. */
static int die(void (*deed)(void), bool in_driver, char *text, size_t size)
{
	int ends[2];
	int status = 0;

	if (IS_SANITIZED) {
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
	ssize_t length = read(ends[0], text, size - 1);
	CHECK_GE(length, 0);
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

TEST(crash_in_a_method_names_it_and_dies_by_the_signal)
{
	char text[512];

	CHECK_EQ(die(read_nowhere, true, text, sizeof(text)), SIGSEGV);
	CHECK(strncmp(text, "org.example.Driver: crashed with SIGSEGV at 0x", 46) == 0);
	CHECK(strstr(text, " in Breaker::Start\n") != NULL);
}

TEST(crash_outside_of_a_driver_names_no_method)
{
	char text[512];

	CHECK_EQ(die(read_nowhere, false, text, sizeof(text)), SIGSEGV);
	CHECK(strstr(text, " in ") == NULL);
	CHECK_EQ(text[strlen(text) - 1], '\n');
}

TEST(crash_on_a_full_stack_prints_its_line_too)
{
	char text[512];

	CHECK_EQ(die(fill_the_stack, true, text, sizeof(text)), SIGSEGV);
	CHECK(strstr(text, " in Breaker::Start\n") != NULL);
	CHECK_EQ(die(fill_the_stack_of_a_thread, false, text, sizeof(text)), SIGSEGV);
	CHECK(strstr(text, " in Breaker::Start\n") != NULL);
}

TEST(crash_by_abort_has_no_address)
{
	char text[512];

	CHECK_EQ(die(give_up, true, text, sizeof(text)), SIGABRT);
	CHECK_STR_EQ(text, "org.example.Driver: crashed with SIGABRT in Breaker::Start\n");
}
