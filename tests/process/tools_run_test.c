/* SPDX-License-Identifier: MIT
 *
 * tools_run_test - `dext run` and the commands that talk to its broker, with real processes.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "test.h"
#include "tools_support.h"

static struct tools_program program;
static char directory[64];

/* `dext run OPTION BUNDLE -- sh -c SCRIPT` with $dext set to the program; option may be NULL. */
static void start_script(const char *option, const char *script)
{
	const char *argv[10] = {"dext", "run"};
	unsigned nr = 2;

	if (option != NULL) {
		argv[nr++] = option;
	}
	argv[nr++] = tools_path("OPENDEXT_TEST_STREAM");
	argv[nr++] = "--";
	argv[nr++] = "sh";
	argv[nr++] = "-c";
	argv[nr++] = script;
	CHECK_EQ(setenv("dext", tools_path("OPENDEXT_TEST_DEXT"), 1), 0);
	tools_make_directory(directory, sizeof(directory));
	tools_start(&program, directory, argv);
}

static void run_script(const char *option, const char *script)
{
	start_script(option, script);
	tools_wait(&program, 30);
	tools_check_clean(directory);
}

static void check_line(const char *part)
{
	if (!tools_is_one_line(program.err, part)) {
		FAIL("not one line with '%s': %s", part, program.err);
	}
}

/* --- Exit status ----------------------------------------------------------------------------- */

TEST(run_ends_with_the_status_of_the_application)
{
	run_script(NULL, "exit 42");
	CHECK_EQ(program.status, 42);
	CHECK_STR_EQ(program.err, "");
	run_script(NULL, "exit 0");
	CHECK_EQ(program.status, 0);
}

TEST(run_of_an_application_that_a_signal_ended_is_128_and_its_number)
{
	run_script(NULL, "kill -USR1 $$");
	CHECK_EQ(program.status, 128 + SIGUSR1);
}

TEST(run_of_an_application_that_does_not_exist_is_127)
{
	const char *argv[] = {
		"dext", "run", tools_path("OPENDEXT_TEST_STREAM"), "--", "/nonexistent/app", NULL};

	tools_make_directory(directory, sizeof(directory));
	tools_run(&program, directory, argv);
	CHECK_EQ(program.status, 127);
	check_line("/nonexistent/app");
	tools_check_clean(directory);
}

TEST(run_of_an_application_that_cannot_be_executed_is_126)
{
	const char *argv[] = {"dext", "run",       tools_path("OPENDEXT_TEST_STREAM"),
			      "--",   "/dev/null", NULL};

	tools_make_directory(directory, sizeof(directory));
	tools_run(&program, directory, argv);
	CHECK_EQ(program.status, 126);
	check_line("/dev/null");
	tools_check_clean(directory);
}

TEST(run_without_a_matching_device_says_so_and_goes_on)
{
	run_script("--no-device", "exit 3");
	CHECK_EQ(program.status, 3);
	check_line("no driver was started");
}

/* Enough descriptors for the broker, not for a driver's process. */
static void starve(void)
{
	const struct rlimit few = {.rlim_cur = 14, .rlim_max = 14};

	CHECK_EQ(setrlimit(RLIMIT_NOFILE, &few), 0);
}

TEST(run_whose_driver_cannot_be_started_names_driver_and_reason)
{
	starve();
	run_script(NULL, "exit 3");
	CHECK_EQ(program.status, 3);
	check_line("driver Stream of org.opendext.example.Stream on Gadget Zero: cannot start");
	check_line("Too many open files");
}

TEST(demo_whose_driver_cannot_be_started_names_driver_and_reason)
{
	const char *argv[] = {"dext", "demo", NULL};

	starve();
	tools_make_directory(directory, sizeof(directory));
	tools_run(&program, directory, argv);
	CHECK_EQ(program.status, 1);
	check_line("dext demo: not started: Stream of org.opendext.example.Stream on Gadget Zero:");
	check_line("Too many open files");
	tools_check_clean(directory);
}

/* --- The broker inside ----------------------------------------------------------------------- */

TEST(run_gives_the_application_a_broker_with_the_driver_in_it)
{
	run_script(NULL, "\"$dext\" list && \"$dext\" tree");
	CHECK_EQ(program.status, 0);
	CHECK(strstr(program.out, "org.opendext.example.Stream") != NULL);
	CHECK(strstr(program.out, "virtual:gadget-zero,speed=super") != NULL);
	CHECK(strstr(program.out, "+- Stream  <IOUserService, ") != NULL);
	CHECK(strchr(program.out, '\033') == NULL);
}

TEST(list_and_tree_speak_json)
{
	run_script(NULL, "\"$dext\" list --json && \"$dext\" tree --json");
	CHECK_EQ(program.status, 0);
	CHECK(strstr(program.out, "\"identifier\": \"org.opendext.example.Stream\"") != NULL);
	CHECK(strstr(program.out, "\"IOUserClass\": \"Stream\"") != NULL);
}

TEST(tree_shows_properties_when_asked)
{
	run_script(NULL, "\"$dext\" tree -p");
	CHECK_EQ(program.status, 0);
	CHECK(strstr(program.out, "idVendor = 1317") != NULL);
	CHECK(strstr(program.out, "IOUserClass = \"Stream\"") != NULL);
}

TEST(attach_starts_the_driver_and_detach_ends_it)
{
	run_script("--no-device",
		   "id=$(\"$dext\" attach virtual:gadget-zero) || exit 1\n"
		   "\"$OPENDEXT_TEST_STREAM_APP\" /bin/sh || exit 2\n" /* it runs already */
		   "\"$dext\" detach $id || exit 3\n" /* comes back when all of it has gone */
		   "\"$dext\" tree | grep -q '+- Stream' && exit 4\n"
		   "exit 0");
	CHECK_EQ(program.status, 0);
}

TEST(detach_of_an_unknown_id_fails_in_one_line)
{
	run_script(NULL, "\"$dext\" detach 123456789");
	CHECK_EQ(program.status, 1);
	check_line("'123456789'");
}

TEST(unload_ends_the_driver_and_load_starts_it)
{
	/* Its services have stopped when unload returns; the process around them ends after that. */
	run_script(NULL, "set -e; \"$dext\" unload org.opendext.example.Stream\n"
			 "for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 never; do\n"
			 "\"$dext\" list | grep -q org.opendext.example.Stream || break\n"
			 "test $i != never || exit 9\n"
			 "sleep 0.2; done\n"
			 "test \"$(\"$dext\" load \"$OPENDEXT_TEST_STREAM\")\" = "
			 "org.opendext.example.Stream\n"
			 "\"$OPENDEXT_TEST_STREAM_APP\" /bin/sh");
	CHECK_EQ(program.status, 0);
}

TEST(unload_of_an_unknown_bundle_fails_in_one_line)
{
	run_script(NULL, "\"$dext\" unload no.such.bundle");
	CHECK_EQ(program.status, 1);
	check_line("'no.such.bundle'");
}

TEST(run_of_the_example_moves_a_file_and_compares_it)
{
	run_script(NULL, "exec \"$OPENDEXT_TEST_STREAM_APP\" /bin/sh");
	CHECK_STR_EQ(program.err, "");
	CHECK_EQ(program.status, 0);
	CHECK(strstr(program.out, "went out and came back the same") != NULL);
}

/* --- What cannot be had ---------------------------------------------------------------------- */

static void write_file(const char *path, const char *text)
{
	FILE *file = fopen(path, "we");

	CHECK(file != NULL);
	CHECK_GE(fputs(text, file), 0);
	CHECK_EQ(fclose(file), 0);
}

/* A bundle with that property list (NULL: none) and nothing else; the run must fail and name part.
 */
static void check_bad_bundle(const char *plist, const char *part)
{
	char bundle[128];
	char info[160];
	const char *argv[] = {"dext", "run", bundle, "--", "true", NULL};
	char sandbox[64];

	tools_make_directory(sandbox, sizeof(sandbox));
	(void)snprintf(bundle, sizeof(bundle), "%s/Bad.dext", sandbox);
	(void)snprintf(info, sizeof(info), "%s/Info.plist", bundle);
	CHECK_EQ(mkdir(bundle, 0755), 0);
	if (plist != NULL) {
		write_file(info, plist);
	}
	tools_make_directory(directory, sizeof(directory));
	tools_run(&program, directory, argv);
	CHECK_EQ(program.status, 1);
	check_line("Bad.dext");
	check_line(part);
	tools_check_clean(directory);
	(void)unlink(info);
	CHECK_EQ(rmdir(bundle), 0);
	CHECK_EQ(rmdir(sandbox), 0);
}

TEST(run_of_a_bundle_that_is_not_there_names_it)
{
	const char *argv[] = {"dext", "run", "/nonexistent/X.dext", "--", "true", NULL};

	tools_make_directory(directory, sizeof(directory));
	tools_run(&program, directory, argv);
	CHECK_EQ(program.status, 1);
	check_line("/nonexistent/X.dext");
	tools_check_clean(directory);
}

TEST(run_of_a_bundle_without_property_list_names_the_file)
{
	check_bad_bundle(NULL, "Info.plist");
}

TEST(run_of_a_bundle_with_a_broken_property_list_names_the_file)
{
	check_bad_bundle("<?xml version=\"1.0\"?>\n<plist><dict>\n<key>A</key>\n<oops>\n",
			 "Info.plist");
}

TEST(run_of_a_bundle_without_identifier_names_the_key)
{
	check_bad_bundle("<?xml version=\"1.0\"?>\n<plist version=\"1.0\"><dict/></plist>\n",
			 "CFBundleIdentifier");
}

/* The driver's process reads the file too, although it may read hardly anything. */
TEST(run_with_a_device_from_a_description_file_works)
{
	static const char text[] =
		"<?xml version=\"1.0\"?>\n<plist version=\"1.0\"><dict>"
		"<key>idVendor</key><integer>1317</integer>"
		"<key>idProduct</key><integer>42144</integer>"
		"<key>configurations</key><array><dict>"
		"<key>bConfigurationValue</key><integer>2</integer>"
		"<key>interfaces</key><array><dict><key>endpoints</key><array>"
		"<dict><key>bEndpointAddress</key><integer>1</integer>"
		"<key>behaviour</key><string>loopback</string></dict>"
		"<dict><key>bEndpointAddress</key><integer>129</integer>"
		"<key>behaviour</key><string>loopback</string></dict>"
		"</array></dict></array></dict></array></dict></plist>\n";
	char path[128];
	char option[160];

	tools_make_directory(directory, sizeof(directory));
	(void)snprintf(path, sizeof(path), "%s.device", directory);
	(void)rmdir(directory);
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	CHECK_GE(fd, 0);
	CHECK_EQ(write(fd, text, sizeof(text) - 1), (ssize_t)sizeof(text) - 1);
	(void)close(fd);
	(void)snprintf(option, sizeof(option), "--device=%s", path);
	run_script(option, "\"$dext\" tree");
	(void)unlink(path);
	CHECK_STR_EQ(program.err, "");
	CHECK_EQ(program.status, 0);
	CHECK(strstr(program.out, "+- Stream  <IOUserService, ") != NULL);
}

TEST(run_with_a_device_that_does_not_parse_names_it)
{
	static const char *const specs[] = {"nonsense", "virtual:nonsense",
					    "virtual:gadget-zero,speed=ludicrous", ""};

	for (size_t i = 0; i < sizeof(specs) / sizeof(specs[0]); i++) {
		const char *argv[] = {
			"dext", "run",  "-d", specs[i], tools_path("OPENDEXT_TEST_STREAM"),
			"--",   "true", NULL};

		tools_make_directory(directory, sizeof(directory));
		tools_run(&program, directory, argv);
		CHECK_EQ(program.status, 1);
		check_line(specs[i]);
		tools_check_clean(directory);
	}
}

TEST(run_in_a_directory_that_cannot_be_written_fails_in_one_line)
{
	const char *argv[] = {"dext", "run",  tools_path("OPENDEXT_TEST_STREAM"),
			      "--",   "true", NULL};

	tools_run(&program, "/proc/self/nonexistent", argv);
	CHECK_EQ(program.status, 1);
	check_line("/proc/self/nonexistent/opendext-");
}

/* --- Ends ------------------------------------------------------------------------------------ */

static void check_signal(int number)
{
	start_script(NULL, "echo started; exec sleep 1000");
	tools_wait_output(&program, "started");
	CHECK_EQ(kill(program.pid, number), 0);
	tools_wait(&program, 30);
	CHECK_EQ(program.status, 128 + number);
	CHECK_STR_EQ(program.err, "");
	tools_check_clean(directory);
}

TEST(run_hands_a_signal_to_the_application_and_cleans_up)
{
	check_signal(SIGTERM);
	check_signal(SIGINT);
	check_signal(SIGHUP);
}

TEST(run_lets_the_application_answer_a_signal)
{
	start_script(NULL, "trap 'exit 5' TERM; echo started; while :; do sleep 0.01; done");
	tools_wait_output(&program, "started");
	CHECK_EQ(kill(program.pid, SIGTERM), 0);
	tools_wait(&program, 30);
	CHECK_EQ(program.status, 5);
	tools_check_clean(directory);
}

TEST(run_kills_an_application_at_the_second_signal)
{
	start_script(NULL, "trap 'echo got' TERM; echo started; while :; do sleep 0.01; done");
	tools_wait_output(&program, "started");
	CHECK_EQ(kill(program.pid, SIGTERM), 0);
	tools_wait_output(&program, "got");
	CHECK_EQ(kill(program.pid, SIGTERM), 0);
	tools_wait(&program, 30);
	CHECK_EQ(program.status, 128 + SIGKILL);
	tools_check_clean(directory);
}

TEST(run_killed_takes_everything_along)
{
	start_script(NULL, "echo started; exec sleep 1000");
	tools_wait_output(&program, "started");
	CHECK_NE(tools_await_process("dextd"), 0);
	CHECK_NE(tools_await_process("dext-host"), 0);
	CHECK_EQ(kill(program.pid, SIGKILL), 0);
	tools_wait(&program, 30);
	CHECK_EQ(program.status, 128 + SIGKILL);
	tools_check_clean(directory);
}

TEST(run_whose_broker_is_killed_says_so_and_ends_the_application)
{
	start_script(NULL, "echo started; exec sleep 1000");
	tools_wait_output(&program, "started");
	CHECK_EQ(kill(tools_await_process("dextd"), SIGKILL), 0);
	tools_wait(&program, 30);
	CHECK_EQ(program.status, 1);
	check_line("the broker ended: killed by signal 9");
	tools_check_clean(directory);
}

TEST(run_whose_application_is_killed_cleans_up)
{
	start_script(NULL, "echo started; exec sleep 1000");
	tools_wait_output(&program, "started");
	CHECK_EQ(kill(tools_await_process("sleep"), SIGKILL), 0);
	tools_wait(&program, 30);
	CHECK_EQ(program.status, 128 + SIGKILL);
	tools_check_clean(directory);
}

TEST(run_with_keep_stays_until_a_signal)
{
	start_script("--keep", "echo application is done");
	tools_wait_output(&program, "the broker stays until a signal comes: OPENDEXT_SOCKET=/");
	CHECK_NE(tools_await_process("dextd"), 0);
	CHECK_EQ(kill(program.pid, SIGINT), 0);
	tools_wait(&program, 30);
	CHECK_EQ(program.status, 0);
	CHECK_STR_EQ(program.out, "application is done\n");
	tools_check_clean(directory);
}

TEST(two_runs_at_once_do_not_know_of_each_other)
{
	static struct tools_program other;
	char other_directory[64];
	const char *argv[] = {"dext",
			      "run",
			      tools_path("OPENDEXT_TEST_STREAM"),
			      "--",
			      tools_path("OPENDEXT_TEST_STREAM_APP"),
			      "/bin/sh",
			      NULL};

	tools_make_directory(other_directory, sizeof(other_directory));
	tools_make_directory(directory, sizeof(directory));
	tools_start(&program, directory, argv);
	tools_start(&other, other_directory, argv);
	tools_wait(&program, 30);
	tools_wait(&other, 30);
	CHECK_EQ(program.status, 0);
	CHECK_EQ(other.status, 0);
	tools_check_clean(directory);
	tools_check_clean(other_directory);
}

/* --- The example when its connection ends ------------------------------------------------------ */

static char big_file[128];

/* The example with a file that it would take for ever to send, when its buffers are mapped. */
static pid_t start_stream(void)
{
	const char *argv[] = {"dext",
			      "run",
			      "--device",
			      "virtual:gadget-zero,speed=super",
			      tools_path("OPENDEXT_TEST_STREAM"),
			      "--",
			      tools_path("OPENDEXT_TEST_STREAM_APP"),
			      big_file,
			      NULL};

	tools_make_directory(directory, sizeof(directory));
	(void)snprintf(big_file, sizeof(big_file), "%s/big", directory);
	int fd = open(big_file, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	CHECK(fd >= 0 && ftruncate(fd, (off_t)1 << 42) == 0 && close(fd) == 0);
	tools_start(&program, directory, argv);
	pid_t app = tools_await_process("stream-app");
	tools_await_buffers(app, 16);
	return app;
}

/* A call that was under way may have failed before it was told why. The broker may have a line about its
 * driver. */
static void finish_stream(void)
{
	tools_wait(&program, 30);
	CHECK_EQ(program.status, 1);
	CHECK_STR_EQ(program.out, "");
	tools_check_says(&program, "stream-app: ");
	CHECK_EQ(unlink(big_file), 0);
	tools_check_clean(directory);
}

TEST_SECONDS(stream_whose_connection_ends_says_so, 60)
{
	tools_cut_off(start_stream());
	finish_stream();
}

TEST_SECONDS(stream_whose_driver_is_killed_says_so, 60)
{
	(void)start_stream();
	CHECK_EQ(kill(tools_await_process("dext-host"), SIGKILL), 0);
	finish_stream();
}
