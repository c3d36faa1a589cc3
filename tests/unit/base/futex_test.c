/* SPDX-License-Identifier: MIT
 *
 * futex_test - sleeping on shared words, in one process and across two.
 */
#include "test.h"

#include <errno.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/futex.h"

#define MS 1000000u

struct words {
	struct dx_shared_u32 a;
	struct dx_shared_u32 b;
};

TEST(futex_wait_returns_when_the_value_differs)
{
	struct words words = {0};

	dx_shared_store_release(&words.a, 5);
	CHECK_EQ(dx_futex_wait(&words.a, 4, 0), -EAGAIN);
}

TEST(futex_wait_ends_at_the_deadline)
{
	struct words words = {0};
	uint64_t deadline_ns = dx_clock_now_ns() + 20 * MS;

	CHECK_EQ(dx_futex_wait(&words.a, 0, deadline_ns), -ETIMEDOUT);
	CHECK(dx_clock_now_ns() >= deadline_ns);
	CHECK_EQ(dx_futex_wait(&words.a, 0, 1), -ETIMEDOUT); /* long past */
}

TEST(futex_wake_without_waiters_wakes_none)
{
	struct words words = {0};

	CHECK_EQ(dx_futex_wake(&words.a, 1), 0);
}

TEST(futex_calls_report_a_bad_address)
{
	const struct dx_shared_u32 *nowhere = (const void *)16;

	CHECK_EQ(dx_futex_wait(nowhere, 0, 0), -EFAULT);
	CHECK_EQ(dx_futex_wake(nowhere, 1), -EFAULT);
}

static void wait_for_change(const struct dx_shared_u32 *word)
{
	while (dx_shared_load_acquire(word) == 0) {
		(void)dx_futex_wait(word, 0, 0); /* the loop looks again */
	}
}

static void *wait_in_thread(void *argument)
{
	wait_for_change(argument);
	return NULL;
}

TEST(futex_wakes_a_thread)
{
	struct words words = {0};
	pthread_t thread;

	CHECK_EQ(pthread_create(&thread, NULL, wait_in_thread, &words.a), 0);
	dx_shared_store_release(&words.a, 1);
	CHECK(dx_futex_wake(&words.a, 1) >= 0);
	CHECK_EQ(pthread_join(thread, NULL), 0);
}

TEST(futex_wakes_a_process_through_a_read_only_mapping)
{
	int fd = memfd_create("words", MFD_CLOEXEC);
	struct words *words;
	const struct words *readable;
	int status = 0;
	pid_t pid;

	CHECK_EQ(ftruncate(fd, 4096), 0);
	words = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	readable = mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0);
	CHECK(words != MAP_FAILED && readable != MAP_FAILED);
	pid = fork();
	if (pid == 0) {
		wait_for_change(&readable->a);
		_exit(0);
	}
	dx_shared_store_release(&words->a, 1);
	while (waitpid(pid, &status, WNOHANG) == 0) {
		CHECK(dx_futex_wake(&readable->a, 1) >= 0);
	}
	CHECK_EQ(status, 0);
	(void)close(fd);
}

static int wait2_or_skip(const struct words *words, uint32_t a, uint32_t b, uint64_t deadline_ns)
{
	int result = dx_futex_wait2(&words->a, a, &words->b, b, deadline_ns);

	if (result == -ENOSYS) {
		SKIP("this kernel has no futex_waitv");
	}
	return result;
}

TEST(futex_wait2_looks_at_both_words)
{
	struct words words = {0};

	CHECK_EQ(wait2_or_skip(&words, 1, 0, 0), -EAGAIN);
	CHECK_EQ(wait2_or_skip(&words, 0, 1, 0), -EAGAIN);
	CHECK_EQ(wait2_or_skip(&words, 0, 0, dx_clock_now_ns() + 20 * MS), -ETIMEDOUT);
}

static void *wait_for_second(void *argument)
{
	const struct words *words = argument;

	while (dx_shared_load_acquire(&words->b) == 0) {
		(void)dx_futex_wait2(&words->a, 0, &words->b, 0, 0);
	}
	return NULL;
}

TEST(futex_wait2_wakes_for_the_second_word)
{
	struct words words = {0};
	pthread_t thread;

	CHECK_EQ(wait2_or_skip(&words, 1, 0, 0), -EAGAIN);
	CHECK_EQ(pthread_create(&thread, NULL, wait_for_second, &words), 0);
	dx_shared_store_release(&words.b, 1);
	CHECK(dx_futex_wake(&words.b, 1) >= 0);
	CHECK_EQ(pthread_join(thread, NULL), 0);
}
