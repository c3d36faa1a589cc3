/* SPDX-License-Identifier: MIT */
#include "process.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test.h"

static struct dx_process process = DX_PROCESS_INIT;

static int start(const char *script)
{
	const char *argv[] = {"sh", "-c", script, NULL};
	struct dx_process_options options = {
		.path = "sh", .argv = argv, .death_signal = SIGKILL};

	return dx_process_start(&options, &process);
}

TEST(process_exit_status_is_kept)
{
	CHECK_EQ(start("exit 7"), 0);
	CHECK(dx_process_wait(&process, -1));
	CHECK_EQ(process.pid, 0);
	CHECK_EQ(WEXITSTATUS(process.status), 7);
	CHECK(dx_process_wait(&process, 0)); /* still */
}

TEST(process_that_cannot_be_executed_is_an_error_of_start)
{
	const char *argv[] = {"x", NULL};
	struct dx_process_options options = {
		.path = "/nonexistent/x", .argv = argv, .death_signal = SIGKILL};

	CHECK_EQ(dx_process_start(&options, &process), -ENOENT);
	options.path = "/dev/null";
	CHECK_EQ(dx_process_start(&options, &process), -EACCES);
	CHECK_EQ(process.fd, -1);
}

TEST(process_wait_with_timeout_returns_while_it_runs)
{
	CHECK_EQ(start("exec sleep 100"), 0);
	CHECK(!dx_process_wait(&process, 10));
	dx_process_end(&process, 5000);
	CHECK_EQ(WTERMSIG(process.status), SIGTERM);
}

TEST(process_that_ignores_sigterm_is_killed)
{
	CHECK_EQ(start("trap '' TERM; while :; do sleep 0.01; done"), 0);
	CHECK(!dx_process_wait(&process, 50));
	dx_process_end(&process, 50);
	CHECK_EQ(WTERMSIG(process.status), SIGKILL);
}

TEST(process_end_of_nothing_does_nothing)
{
	dx_process_end(&process, 1000);
	dx_process_signal(&process, SIGKILL);
	CHECK_EQ(process.pid, 0);
}

TEST(process_gets_descriptors_and_environment)
{
	const char *argv[] = {"sh", "-c", "echo \"$A:${HOME-none}\" >&5", NULL};
	const char *environment[] = {"A", "value", "HOME", NULL, NULL};
	struct dx_process_options options = {.path = "sh", .argv = argv, .death_signal = SIGKILL};
	char text[64];
	int ends[2];
	int fds[] = {-1, 4, 0, 5};
	ssize_t got = 0;

	CHECK_EQ(pipe2(ends, O_CLOEXEC), 0);
	fds[2] = ends[1];
	options.kept_fds = fds;
	options.nr_kept_fds = 2;
	options.environment = environment;
	CHECK_EQ(dx_process_start(&options, &process), 0);
	CHECK_EQ(close(ends[1]), 0);
	CHECK(dx_process_wait(&process, -1));
	got = read(ends[0], text, sizeof(text) - 1);
	CHECK_GT(got, 0);
	text[got] = '\0';
	CHECK_STR_EQ(text, "value:none\n");
	CHECK_EQ(close(ends[0]), 0);
}

TEST(process_starts_with_default_signals)
{
	sigset_t set;

	CHECK_EQ(sigemptyset(&set), 0);
	CHECK_EQ(sigaddset(&set, SIGTERM), 0);
	CHECK_EQ(sigprocmask(SIG_BLOCK, &set, NULL), 0);
	(void)signal(SIGPIPE, SIG_IGN);
	CHECK_EQ(start("kill -PIPE $$; exit 0"), 0);
	CHECK(dx_process_wait(&process, -1));
	CHECK(WIFSIGNALED(process.status));
	CHECK_EQ(WTERMSIG(process.status), SIGPIPE);
	CHECK_EQ(start("kill -TERM $$; exit 0"), 0);
	CHECK(dx_process_wait(&process, -1));
	CHECK_EQ(WTERMSIG(process.status), SIGTERM);
}

TEST(process_descriptions_name_signal_and_status)
{
	char text[64];

	dx_process_describe(SIGKILL, text, sizeof(text));
	CHECK_STR_EQ(text, "killed by signal 9 (Killed)");
	dx_process_describe(3 << 8, text, sizeof(text));
	CHECK_STR_EQ(text, "exit status 3");
}

TEST(process_makes_its_directory_and_starts_with_sigterm_blocked)
{
	const char *argv[] = {"grep", "-q", "^SigBlk:.0*4000$", "/proc/self/status", NULL};
	struct dx_process_options options = {.path = "grep", .argv = argv, .death_signal = SIGKILL};
	char path[64];

	test_make_directory(path, sizeof(path));
	options.directory = path;
	CHECK_EQ(dx_process_start(&options, &process), -EEXIST);
	CHECK_EQ(rmdir(path), 0);
	CHECK_EQ(dx_process_start(&options, &process), 0);
	CHECK(dx_process_wait(&process, -1));
	CHECK_EQ(process.status, 0);
	CHECK_EQ(rmdir(path), 0);
}

TEST(process_that_cannot_be_executed_leaves_no_directory)
{
	const char *argv[] = {"x", NULL};
	struct dx_process_options options = {.path = "/nonexistent/x",
					     .argv = argv,
					     .death_signal = SIGKILL,
					     .directory = "/tmp/dx-test-unexecuted"};

	CHECK_EQ(dx_process_start(&options, &process), -ENOENT);
	CHECK_EQ(access(options.directory, F_OK), -1);
}
