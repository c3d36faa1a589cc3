/* SPDX-License-Identifier: MIT
 *
 * tools_support - runs programs in tests, and looks whether they left anything behind.
 *
 * Place:   tests/process. Paths come from the environment that Meson sets: OPENDEXT_TEST_DEXT
 *          (program), OPENDEXT_TEST_STREAM (bundle), OPENDEXT_TEST_STREAM_APP (program).
 */
#ifndef DX_TESTS_TOOLS_SUPPORT_H
#define DX_TESTS_TOOLS_SUPPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define TOOLS_MAX_OUTPUT 65536u

/* A program that was started, with its output so far. */
struct tools_program {
	pid_t pid;
	int out_fd, err_fd; /* readers */
	char out[TOOLS_MAX_OUTPUT], err[TOOLS_MAX_OUTPUT];
	size_t out_length, err_length;
	int status; /* exit status, or 128 + signal, after tools_wait() */
};

/* Value of one of the variables above; skips the test when it is missing. */
const char *tools_path(const char *variable);

/*
 * Starts argv (argv[0] "dext" stands for the program under test) in a process group of its own,
 * with TMPDIR set to directory and no broker in the environment.
 */
void tools_start(struct tools_program *program, const char *directory, const char *const *argv);
/* Reads until err (or out) contains text, or fails the test. */
void tools_wait_output(struct tools_program *program, const char *text);
/* Reads everything, waits for the end. Fails the test after seconds (times the time factor). */
void tools_wait(struct tools_program *program, unsigned seconds);
/* Start and wait. */
void tools_run(struct tools_program *program, const char *directory, const char *const *argv);

/*
 * Runs a shell script in an empty directory: $dext is the program under test, $from the sources of
 * the stream example; `driver` makes ./Loop, a driver in C, `project` writes its input as the Xcode
 * project ./P.xcodeproj. `skip REASON` skips the test, `need_cxx` does so in builds without drivers in
 * C++. Waits for the end and checks that nothing is left. Skips the test in builds whose libraries are
 * instrumented.
 */
void tools_script(struct tools_program *program, unsigned seconds, const char *script);
void tools_check_status(const struct tools_program *program, int status);
/* err contains part. */
void tools_check_says(const struct tools_program *program, const char *part);

/* True when text has exactly one line, and it contains part. */
bool tools_is_one_line(const char *text, const char *part);

/* A directory for TMPDIR; removed by tools_check_clean(). */
void tools_make_directory(char *buffer, size_t capacity);
/* Fails the test unless, within some seconds, no descendant of the test runs and directory is
 * empty; then removes it. */
void tools_check_clean(const char *directory);
/* Whether it has ended. tools_wait() is still due. */
bool tools_has_ended(const struct tools_program *program);
/* A descendant of the test with that name (15 characters at most; NULL: any); 0: none. */
pid_t tools_find_process(const char *name);
/* A descendant of the test with that name (15 characters at most), waiting for it. */
pid_t tools_await_process(const char *name);
/* Waits until a process has mapped that many buffers of drivers. */
void tools_await_buffers(pid_t pid, unsigned count);
/* Hangs up all sockets of a process: its connections end, while it and the others live. Skips the test
 * where the kernel has or allows no pidfd_getfd(). */
void tools_cut_off(pid_t pid);

#endif
