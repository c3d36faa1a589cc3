/* SPDX-License-Identifier: MIT
 *
 * test - the harness of every C test program.
 *
 *	#include "test.h"
 *
 *	TEST(ring_push_when_full_returns_again)
 *	{
 *		CHECK_EQ(dx_ring_push(ring, 1), -EAGAIN);
 *	}
 *
 * main() is in test.c. Each test runs in a process of its own with a time limit; it must close
 * every file descriptor and end every process that it started. Output of a test is shown when it
 * fails (or with --verbose).
 *
 * A program:	--list	names only;	NAME...	only these (shell patterns allowed);
 *		--no-fork NAME	in this process, for a debugger;	--verbose;
 *		--cover NAME...	runs nothing: does each test have one of these names?
 * A name that no test has is an error.
 * Lines:	"ok 1 - name", "not ok 2 - name", "ok 3 - name # SKIP reason", and the last one
 *		"N passed, N failed". Exit status: 0; 1 when one failed; 77 when all were skipped.
 * Time:	OPENDEXT_TEST_TIME_FACTOR multiplies every limit (sanitizers, slow machines).
 */
#ifndef DX_TESTS_TEST_H
#define DX_TESTS_TEST_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#define TEST_DEFAULT_SECONDS 20u

struct test_case {
	const char *name;
	void (*run)(void);
	unsigned limit_seconds;
	struct test_case *next;
};

void test_register(struct test_case *test);
/* Both end the test's process; they may be called from any of its threads, not from its children. */
void test_fail(const char *file, int line, const char *format, ...)
	__attribute__((noreturn, format(printf, 3, 4)));
void test_skip(const char *format, ...) __attribute__((noreturn, format(printf, 1, 2)));
void test_check_bytes(const char *file, int line, const void *a, const void *b, size_t length);
/* A directory of this test's own in /tmp, short enough for a socket in it. The runner removes it with
 * all that is in it when the test has ended, however it ended. */
void test_make_directory(char *buffer, size_t capacity);
/* Number of open file descriptors of this process. */
unsigned test_count_fds(void);
/* A limit against hangs on this machine: ms, multiplied by OPENDEXT_TEST_TIME_FACTOR. */
unsigned test_limit_ms(unsigned ms);
/* Waits until condition(argument) holds, looking every millisecond; false after
 * test_limit_ms(timeout_ms). */
bool test_wait_until(bool (*condition)(void *argument), void *argument, unsigned timeout_ms);

#define TEST_SECONDS(test_name, seconds)                                      \
	static void test_name(void);                                          \
	static struct test_case test_name##_case_ = {                         \
		.name = #test_name, .run = test_name, .limit_seconds = (seconds)}; \
	__attribute__((constructor)) static void test_name##_register_(void)  \
	{                                                                     \
		test_register(&test_name##_case_);                            \
	}                                                                     \
	static void test_name(void)

#define TEST(test_name) TEST_SECONDS(test_name, TEST_DEFAULT_SECONDS)

#define FAIL(...) test_fail(__FILE__, __LINE__, __VA_ARGS__)
#define SKIP(...) test_skip(__VA_ARGS__)

#define CHECK(condition)                              \
	do {                                          \
		if (!(condition)) {                   \
			FAIL("CHECK(%s)", #condition); \
		}                                     \
	} while (0)

/* Integers and pointers; both sides are compared as 64-bit values. */
#define CHECK_COMPARE_(a, operator, b)                                                       \
	do {                                                                                 \
		long long check_a_ = (long long)(a);                                         \
		long long check_b_ = (long long)(b);                                         \
		if (!(check_a_ operator check_b_)) {                                         \
			FAIL("CHECK(%s %s %s): %lld (%#llx), %lld (%#llx)", #a, #operator, #b, \
			     check_a_, (unsigned long long)check_a_, check_b_,               \
			     (unsigned long long)check_b_);                                  \
		}                                                                            \
	} while (0)

#define CHECK_EQ(a, b) CHECK_COMPARE_(a, ==, b)
#define CHECK_NE(a, b) CHECK_COMPARE_(a, !=, b)
#define CHECK_LT(a, b) CHECK_COMPARE_(a, <, b)
#define CHECK_LE(a, b) CHECK_COMPARE_(a, <=, b)
#define CHECK_GT(a, b) CHECK_COMPARE_(a, >, b)
#define CHECK_GE(a, b) CHECK_COMPARE_(a, >=, b)

#define CHECK_STR_EQ(a, b)                                                                     \
	do {                                                                                   \
		const char *check_a_ = (a);                                                    \
		const char *check_b_ = (b);                                                    \
		if (check_a_ == NULL || check_b_ == NULL || strcmp(check_a_, check_b_) != 0) { \
			FAIL("CHECK_STR_EQ(%s, %s): \"%s\", \"%s\"", #a, #b,                   \
			     check_a_ == NULL ? "(null)" : check_a_,                           \
			     check_b_ == NULL ? "(null)" : check_b_);                          \
		}                                                                              \
	} while (0)

#define CHECK_MEM_EQ(a, b, length) test_check_bytes(__FILE__, __LINE__, (a), (b), (length))

#endif
