/* SPDX-License-Identifier: MIT
 *
 * tools_demo_test - `dext demo`, small; and what is left when something dies in the middle.
 */
#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "test.h"
#include "tools_support.h"

static struct tools_program program;
static char directory[64];

static void run_demo(const char *a, const char *b, const char *c, const char *d)
{
	const char *argv[] = {"dext", "demo", "--calls=100", a, b, c, d, NULL};

	CHECK(tools_path("OPENDEXT_TEST_STREAM") != NULL); /* built at all */
	tools_make_directory(directory, sizeof(directory));
	tools_run(&program, directory, argv);
	tools_check_clean(directory);
}

static void check_output(const char *part)
{
	if (strstr(program.out, part) == NULL) {
		FAIL("no '%s' in: %s%s", part, program.out, program.err);
	}
}

TEST_SECONDS(demo_hashes_agree_and_nothing_is_copied, 60)
{
	run_demo("--total=8M", "--json", NULL, NULL);
	CHECK_EQ(program.status, 0);
	check_output("\"hashes_agree\": true");
	check_output("\"copied_bytes\": 0");
	check_output("\"shared_buffers\": 16");
	check_output("\"all_buffers\": 16");
	check_output("\"bytes\": 8388608");
}

TEST_SECONDS(demo_hash_is_that_of_the_file, 60)
{
	char path[] = "/tmp/dx-test-file-XXXXXX";
	int fd = mkstemp(path);

	CHECK_GE(fd, 0);
	CHECK_EQ(write(fd, "abc", 3), 3);
	CHECK_EQ(close(fd), 0);
	run_demo("--total=3", "--json", path, NULL);
	CHECK_EQ(unlink(path), 0);
	CHECK_EQ(program.status, 0);
	check_output("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST_SECONDS(demo_over_a_device_that_corrupts_says_that_the_hashes_differ, 60)
{
	run_demo("--total=8M", "--device=virtual:gadget-zero,speed=super,corrupt=7", NULL, NULL);
	CHECK_EQ(program.status, 1);
	check_output("  DIFFERENT\n");
	CHECK_STR_EQ(strstr(program.err, "dext demo: "),
		     "dext demo: what came back is not what was sent: the hashes differ\n");
}

TEST_SECONDS(demo_with_odd_sizes_agrees, 60)
{
	run_demo("--total=1234567", "--size=1000", "--buffers=3", "--depth=2");
	CHECK_EQ(program.status, 0);
	check_output("the same");
	run_demo("--total=1", "--size=1", "--buffers=1", NULL);
	CHECK_EQ(program.status, 0);
	check_output("the same");
	run_demo("--total=1048577", "--size=1M", "--buffers=64", NULL);
	CHECK_EQ(program.status, 0);
	check_output("128 of 128 buffers");
}

TEST_SECONDS(demo_over_slower_devices_agrees, 60)
{
	run_demo("--total=1M", "--device=virtual:gadget-zero,speed=full", NULL, NULL);
	CHECK_EQ(program.status, 0);
	run_demo("--total=1M", "--device=virtual:gadget-zero,speed=high", NULL, NULL);
	CHECK_EQ(program.status, 0);
}

TEST_SECONDS(demo_report_names_every_figure, 60)
{
	static const char *const parts[] = {
		"bytes in",
		"MB/s",
		"buffers/s",
		"SHA-256 sent",
		"SHA-256 received",
		"the same",
		"buffer round trip",
		"scalar call",
		"p50",
		"p99",
		"bytes copied        0 of",
		"have the same inode",
		"system calls",
		"context switches",
	};

	run_demo("--total=4M", NULL, NULL, NULL);
	CHECK_EQ(program.status, 0);
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		check_output(parts[i]);
	}
	CHECK(strchr(program.out, '\033') == NULL);
	CHECK(strstr(program.err, "100 %") != NULL); /* plain lines of progress */
	CHECK(strchr(program.err, '\033') == NULL);
}

TEST_SECONDS(demo_that_is_quiet_shows_no_progress, 60)
{
	run_demo("--total=1M", "--quiet", NULL, NULL);
	CHECK_EQ(program.status, 0);
	CHECK_STR_EQ(program.err, "");
}

TEST_SECONDS(demo_with_a_device_that_does_not_exist_says_so, 60)
{
	run_demo("--device=virtual:nonsense", "--quiet", NULL, NULL);
	CHECK_EQ(program.status, 1);
	CHECK(tools_is_one_line(program.err, "virtual:nonsense"));
}

TEST_SECONDS(demo_with_a_device_that_the_driver_does_not_match_says_so, 60)
{
	run_demo("--device=virtual:hid-keyboard", "--quiet", NULL, NULL);
	CHECK_EQ(program.status, 1);
	CHECK(tools_is_one_line(program.err, "'virtual:hid-keyboard': it does not match"));
}

TEST_SECONDS(demo_with_few_descriptors_works_or_fails_in_one_line, 120)
{
	char script[128];
	const char *argv[] = {"sh", "-c", script, tools_path("OPENDEXT_TEST_DEXT"), NULL};
	unsigned nr_good = 0;

	for (unsigned limit = 5; limit <= 65; limit += 12) {
		(void)snprintf(script, sizeof(script),
			       "ulimit -n %u; exec \"$0\" demo -q --total=1M --calls=10", limit);
		tools_make_directory(directory, sizeof(directory));
		tools_run(&program, directory, argv);
		tools_check_clean(directory);
		nr_good += program.status == 0;
		if (program.status != 0 && !tools_is_one_line(program.err, "dext demo: ")) {
			FAIL("limit %u, status %d: %s", limit, program.status, program.err);
		}
	}
	CHECK_GT(nr_good, 0);
}

/* Runs a script with $TMPDIR on a file system of its own, which has room for nr_inodes files and one
 * page. $0 is dext. Skips the test where this process may not mount, not even as root of a name space. */
static void run_on_full_disk(unsigned nr_inodes, const char *script)
{
	char options[64];
	const char *argv[] = {tools_path("OPENDEXT_TEST_ON_SMALL_DISK"),
			      options,
			      directory,
			      "sh",
			      "-c",
			      script,
			      tools_path("OPENDEXT_TEST_DEXT"),
			      tools_path("OPENDEXT_TEST_STREAM"),
			      NULL};

	(void)snprintf(options, sizeof(options), "size=4k,nr_inodes=%u", nr_inodes);
	tools_make_directory(directory, sizeof(directory));
	tools_run(&program, directory, argv);
	tools_check_clean(directory);
	if (program.status == 77) {
		SKIP("may not mount");
	}
}

TEST_SECONDS(demo_on_a_full_disk_works_or_fails_in_one_line, 120)
{
	unsigned nr_good = 0;

	for (unsigned nr_inodes = 1; nr_inodes <= 8; nr_inodes++) {
		run_on_full_disk(nr_inodes, "exec \"$0\" demo -q --total=1M --calls=10");
		nr_good += program.status == 0;
		if (program.status != 0 &&
		    !tools_is_one_line(program.err, "No space left on device")) {
			FAIL("%u files, status %d: %s", nr_inodes, program.status, program.err);
		}
	}
	CHECK_GT(nr_good, 0);
	CHECK_LT(nr_good, 8);
}

TEST_SECONDS(broker_on_a_full_disk_serves_and_says_what_it_cannot_keep, 60)
{
	run_on_full_disk(3, "$(dirname \"$0\")/../daemon/dextd --socket $TMPDIR/s "
			    "--bundle \"$1\" --device virtual:gadget-zero &\n"
			    "export OPENDEXT_SOCKET=$TMPDIR/s\n"
			    "until \"$0\" list 2>&- | grep -q IOUserService; do\n"
			    "kill -0 $! || exit; done\n"
			    "kill $!; wait $! || exit; ls -A $TMPDIR");
	CHECK_EQ(program.status, 0);
	CHECK_STR_EQ(program.out, ""); /* nothing was left in the directory */
	tools_check_says(&program, "cannot remember host");
	tools_check_says(&program, "No space left on device");
}

/* --- Death in the middle --------------------------------------------------------------------- */

static unsigned count_entries(const char *path)
{
	DIR *stream = opendir(path);
	unsigned count = 0;

	while (stream != NULL && readdir(stream) != NULL) {
		count++;
	}
	if (stream != NULL) {
		CHECK_EQ(closedir(stream), 0);
	}
	return count;
}

/* A demo that would take for ever, in the middle of its first pass. */
static pid_t start_endless(void)
{
	const char *argv[] = {"dext", "demo", "--quiet", "--total=1000000G", NULL};
	int app = 0;

	CHECK(tools_path("OPENDEXT_TEST_STREAM") != NULL);
	tools_make_directory(directory, sizeof(directory));
	tools_start(&program, directory, argv);
	app = tools_await_process("dext-demo-app");
	tools_await_buffers(app, 16); /* its buffers */
	return app;
}

static void finish(int status, const char *part)
{
	tools_wait(&program, 30);
	CHECK_EQ(program.status, status);
	CHECK_STR_EQ(program.out, "");
	if (part == NULL) {
		CHECK_STR_EQ(program.err, "");
	} else if (!tools_is_one_line(program.err, part)) {
		FAIL("not one line with '%s': %s", part, program.err);
	}
	tools_check_clean(directory);
}

TEST_SECONDS(demo_whose_application_is_killed_says_so_and_leaves_nothing, 60)
{
	unsigned shm = count_entries("/dev/shm");
	pid_t app = start_endless();

	CHECK_EQ(kill(app, SIGKILL), 0);
	finish(1, "the application (pid ");
	CHECK(strstr(program.err, "killed by signal 9") != NULL);
	CHECK_EQ(count_entries("/dev/shm"), shm);
}

TEST_SECONDS(demo_whose_connection_ends_says_so_and_leaves_nothing, 60)
{
	tools_cut_off(start_endless());
	finish(1, "dext demo: ");
}

TEST_SECONDS(demo_whose_driver_is_killed_says_so_and_leaves_nothing, 60)
{
	unsigned shm = count_entries("/dev/shm");

	(void)start_endless();
	CHECK_EQ(kill(tools_await_process("dext-host"), SIGKILL), 0);
	finish(1, "the driver (pid ");
	CHECK_EQ(count_entries("/dev/shm"), shm);
}

TEST_SECONDS(demo_whose_broker_is_killed_says_so_and_leaves_nothing, 60)
{
	(void)start_endless();
	CHECK_EQ(kill(tools_await_process("dextd"), SIGKILL), 0);
	/* The driver ends with its broker, and its death may be seen first: either is said. */
	finish(1, "dext demo: the ");
	CHECK(strstr(program.err, " died") != NULL);
}

TEST_SECONDS(demo_that_is_killed_leaves_nothing, 60)
{
	(void)start_endless();
	CHECK_EQ(kill(program.pid, SIGKILL), 0);
	finish(128 + SIGKILL, NULL);
}

TEST_SECONDS(demo_that_is_interrupted_leaves_nothing, 60)
{
	(void)start_endless();
	CHECK_EQ(kill(program.pid, SIGINT), 0);
	finish(128 + SIGINT, NULL);
}

static bool exists_or_ended(void *argument)
{
	pid_t *victim = argument;

	*victim = tools_find_process("dext-host");
	return *victim != 0 || tools_has_ended(&program);
}

/* One run, of which `name` is killed some time after there is a driver. The end may come first. */
static void kill_after(const char *name, unsigned delay_us)
{
	const char *argv[] = {"dext", "demo", "--quiet", "--total=16M", "--calls=20000", NULL};
	struct timespec pause = {.tv_nsec = delay_us * 1000l};
	pid_t victim = 0;

	tools_make_directory(directory, sizeof(directory));
	tools_start(&program, directory, argv);
	CHECK(test_wait_until(exists_or_ended, &victim, 20000));
	(void)nanosleep(&pause, NULL);
	victim = tools_find_process(name);
	if (victim != 0) {
		(void)kill(victim, SIGKILL); /* it may have ended by itself */
	}
	tools_wait(&program, 30);
	if (program.status == 0) {
		check_output("the same"); /* everything was measured before */
		CHECK_STR_EQ(program.err, "");
	} else if (program.status != 1 || program.out_length != 0 ||
		   !tools_is_one_line(program.err, "dext demo: ")) {
		FAIL("status %d, said: %s%s", program.status, program.out, program.err);
	}
	tools_check_clean(directory);
}

TEST_SECONDS(demo_killed_at_random_points_says_so_or_is_done_and_leaves_nothing, 300)
{
	static const char *const names[] = {"dext-host", "dext-demo-app", "dext-host", "dextd"};
	const char *seed_text = getenv("OPENDEXT_SEED");
	unsigned random = seed_text != NULL ? (unsigned)strtoul(seed_text, NULL, 0) : 1;
	unsigned shm = count_entries("/dev/shm");

	CHECK(tools_path("OPENDEXT_TEST_STREAM") != NULL);
	for (unsigned i = 0; i < 30; i++) {
		unsigned delay_us = (unsigned)rand_r(&random) % (i % 2 == 0 ? 20000 : 300000);

		printf("%u: %s after %u us\n", i, names[i % 4], delay_us);
		kill_after(names[i % 4], delay_us);
	}
	CHECK_EQ(count_entries("/dev/shm"), shm);
}

TEST_SECONDS(demo_that_is_terminated_at_once_leaves_nothing, 60)
{
	const char *argv[] = {"dext", "demo", "--quiet", "--total=1000000G", NULL};

	CHECK(tools_path("OPENDEXT_TEST_STREAM") != NULL);
	for (unsigned step = 0; step < 10; step++) { /* at ten moments of the start */
		struct timespec pause = {.tv_nsec = step * 7000000L};

		tools_make_directory(directory, sizeof(directory));
		tools_start(&program, directory, argv);
		(void)nanosleep(&pause, NULL);
		CHECK_EQ(kill(program.pid, SIGTERM), 0);
		tools_wait(&program, 30);
		CHECK_EQ(program.status, 128 + SIGTERM);
		tools_check_clean(directory);
	}
}
