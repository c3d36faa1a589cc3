/* SPDX-License-Identifier: MIT
 *
 * helper_test - threads that leave the program its signals.
 */
#include "test.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <unistd.h>

#include "base/helper.h"

static _Atomic size_t stack_bytes;
static _Atomic int nr_open;
static int done[2];

static void *look(void *argument)
{
	pthread_attr_t attributes;
	size_t size = 0;
	sigset_t blocked;
	int count = 0;

	CHECK_EQ(pthread_sigmask(SIG_SETMASK, NULL, &blocked), 0);
	for (int number = 1; number < SIGRTMAX; number++) {
		bool is_possible = number != SIGKILL && number != SIGSTOP &&
				   (number < SIGSYS + 1 || number >= SIGRTMIN);

		count += is_possible && sigismember(&blocked, number) == 0;
	}
	nr_open = count;
	CHECK_EQ(pthread_getattr_np(pthread_self(), &attributes), 0);
	CHECK_EQ(pthread_attr_getstacksize(&attributes, &size), 0);
	CHECK_EQ(pthread_attr_destroy(&attributes), 0);
	stack_bytes = size;
	CHECK_EQ(write(done[1], "", 1), 1);
	return argument;
}

TEST(helper_that_is_joined_blocks_all_signals_and_its_starter_none_more)
{
	sigset_t before;
	sigset_t after;
	pthread_t thread;
	void *result = NULL;

	CHECK_EQ(pipe(done), 0);
	CHECK_EQ(pthread_sigmask(SIG_SETMASK, NULL, &before), 0);
	CHECK_EQ(dx_helper_start(look, &result, 0, &thread), 0);
	CHECK_EQ(pthread_join(thread, &result), 0);
	CHECK(result == &result);
	CHECK_EQ(nr_open, 0);
	CHECK_EQ(pthread_sigmask(SIG_SETMASK, NULL, &after), 0);
	for (int number = 1; number < SIGRTMAX; number++) {
		CHECK_EQ(sigismember(&after, number), sigismember(&before, number));
	}
	CHECK_EQ(close(done[0]) + close(done[1]), 0);
}

TEST(helper_that_is_detached_has_the_stack_that_was_asked_for)
{
	char byte = 0;

	CHECK_EQ(pipe(done), 0);
	CHECK_EQ(dx_helper_start(look, NULL, 512u * 1024u, NULL), 0);
	CHECK_EQ(read(done[0], &byte, 1), 1);
	CHECK_EQ(stack_bytes, 512u * 1024u);
	CHECK_EQ(close(done[0]) + close(done[1]), 0);
}

TEST(helper_with_a_stack_that_is_too_small_is_refused)
{
	pthread_t thread;

	CHECK_EQ(dx_helper_start(look, NULL, 1, &thread), -EINVAL);
}
