/* SPDX-License-Identifier: MIT
 *
 * tools_capture_test - `dext run --capture`, and the file as a device, with real processes.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "test.h"
#include "tools_support.h"

#define LOOPBACK "virtual:gadget-zero,mode=loopback"

static struct tools_program program;

/* What lies outside of TMPDIR, which must be empty afterwards. */
struct place {
	char directory[64];
	char capture[96];
	char file[96];
	char other[96];
};

static void write_file(const char *path, size_t size, unsigned step)
{
	FILE *file = fopen(path, "we");

	CHECK(file != NULL);
	for (size_t i = 0; i < size; i++) {
		CHECK_NE(fputc((int)((i * step >> 2) & 0xff), file), EOF);
	}
	CHECK_EQ(fclose(file), 0);
}

static struct place make_place(void)
{
	struct place place;

	test_make_directory(place.directory, sizeof(place.directory));
	(void)snprintf(place.capture, sizeof(place.capture), "%s/out.pcapng", place.directory);
	(void)snprintf(place.file, sizeof(place.file), "%s/in", place.directory);
	(void)snprintf(place.other, sizeof(place.other), "%s/other", place.directory);
	write_file(place.file, 700000, 5);
	write_file(place.other, 700000, 9);
	return place;
}

static void stream(const char *device, const char *capture, const char *file)
{
	char directory[64];
	const char *argv[16] = {"dext", "run", "--device", device};
	unsigned nr = 4;

	if (capture != NULL) {
		argv[nr++] = "--capture";
		argv[nr++] = capture;
	}
	argv[nr++] = tools_path("OPENDEXT_TEST_STREAM");
	argv[nr++] = "--";
	argv[nr++] = tools_path("OPENDEXT_TEST_STREAM_APP");
	argv[nr++] = file;
	tools_make_directory(directory, sizeof(directory));
	tools_run(&program, directory, argv);
	tools_check_clean(directory);
}

static void check_status(int status)
{
	if (program.status != status) {
		FAIL("status %d: %s", program.status, program.err);
	}
}

static void replay_spec(char *spec, size_t size, const struct place *place, const char *keys)
{
	(void)snprintf(spec, size, "replay:%s%s", place->capture, keys);
}

TEST(capture_of_a_run_replays_to_the_same_driver)
{
	struct place place = make_place();
	char spec[160];

	stream(LOOPBACK, place.capture, place.file);
	check_status(0);
	CHECK_STR_EQ(program.err, "");
	replay_spec(spec, sizeof(spec), &place, ",strict");
	stream(spec, NULL, place.file);
	check_status(0);
	CHECK_STR_EQ(program.err, "");
	replay_spec(spec, sizeof(spec), &place, ",timing=recorded");
	stream(spec, NULL, place.file);
	check_status(0);
}

TEST(replay_says_where_the_driver_diverged)
{
	struct place place = make_place();
	char spec[160];

	stream(LOOPBACK, place.capture, place.file);
	check_status(0);
	replay_spec(spec, sizeof(spec), &place, "");
	stream(spec, NULL, place.other);
	check_status(1); /* other bytes came back */
	tools_check_says(&program, "the driver sends another byte 1 to endpoint 0x1: 0x02, recorded 0x01");
	tools_check_says(&program, ": packet ");
	tools_check_says(&program, "the driver did otherwise");
	replay_spec(spec, sizeof(spec), &place, ",strict");
	stream(spec, NULL, place.other); /* unplugged at the first difference */
	check_status(1);
}

TEST(replay_of_a_capture_that_was_cut_uses_what_is_there)
{
	struct place place = make_place();
	struct stat status;
	char spec[160];

	stream(LOOPBACK, place.capture, place.file);
	CHECK_EQ(stat(place.capture, &status), 0);
	CHECK_EQ(truncate(place.capture, status.st_size - 5), 0);
	replay_spec(spec, sizeof(spec), &place, "");
	stream(spec, NULL, place.file);
	tools_check_says(&program, "broken behind packet ");
}

TEST(replay_refuses_what_is_no_capture)
{
	struct place place = make_place();
	char spec[160];

	(void)snprintf(spec, sizeof(spec), "replay:%s", place.file);
	stream(spec, NULL, place.file);
	check_status(1);
	tools_check_says(&program, "in: not a capture: unknown file format");
	stream("replay:/nonexistent", NULL, place.file);
	check_status(1);
	tools_check_says(&program, "/nonexistent: cannot be replayed: No such file or directory");
}

TEST(capture_that_cannot_be_made_is_one_line)
{
	struct place place = make_place();

	stream(LOOPBACK, "/nonexistent/out.pcapng", place.file);
	check_status(1);
	CHECK(tools_is_one_line(program.err,
				"/nonexistent/out.pcapng: cannot write a capture: No such file"));
}

TEST(capture_to_a_full_disk_is_one_line)
{
	struct place place = make_place();

	(void)symlink("/dev/full", place.capture);
	stream(LOOPBACK, place.capture, place.file);
	check_status(1);
	CHECK(tools_is_one_line(program.err, "cannot write a capture: No space left on device"));
}

/* `dext run --device SPEC [-c CAPTURE] Stream.dext -- sh -c SCRIPT` with $app and $file. */
static void run_script(const struct place *place, const char *device, const char *script, bool captures)
{
	char directory[64];
	const char *argv[16] = {"dext", "run", "--device", device};
	unsigned nr = 4;

	if (captures) {
		argv[nr++] = "-c";
		argv[nr++] = place->capture;
	}
	argv[nr++] = tools_path("OPENDEXT_TEST_STREAM");
	argv[nr++] = "--";
	argv[nr++] = "sh";
	argv[nr++] = "-c";
	argv[nr++] = script;
	CHECK_EQ(setenv("app", tools_path("OPENDEXT_TEST_STREAM_APP"), 1), 0);
	CHECK_EQ(setenv("file", place->file, 1), 0);
	tools_make_directory(directory, sizeof(directory));
	tools_run(&program, directory, argv);
	tools_check_clean(directory);
}

TEST(capture_of_a_killed_driver_ends_with_a_whole_block)
{
	struct place place = make_place();
	char spec[160];

	run_script(&place, LOOPBACK,
		   "\"$app\" \"$file\" >/dev/null 2>&1 & "
		   "kill -KILL $(pgrep -P $(pgrep -P $PPID dextd)); wait; exit 0",
		   true);
	check_status(0);
	replay_spec(spec, sizeof(spec), &place, "");
	run_script(&place, spec, "exit 0", false);
	check_status(0);
	CHECK(strstr(program.err, "broken") == NULL);
}

/* A file system with room for the beginning only. */
TEST(capture_that_fills_the_disk_says_so_and_the_traffic_goes_on)
{
	struct place place = make_place();
	char directory[64];
	char small[96];
	char script[256];
	char spec[160];
	const char *argv[] = {tools_path("OPENDEXT_TEST_ON_SMALL_DISK"),
			      "size=256k",
			      small,
			      "sh",
			      "-c",
			      script,
			      tools_path("OPENDEXT_TEST_DEXT"),
			      tools_path("OPENDEXT_TEST_STREAM"),
			      tools_path("OPENDEXT_TEST_STREAM_APP"),
			      NULL};

	(void)snprintf(small, sizeof(small), "%s/small", place.directory);
	CHECK_EQ(mkdir(small, 0700), 0);
	(void)snprintf(script, sizeof(script),
		       "\"$0\" run --device %s -c out.pcapng \"$1\" -- \"$2\" ../in && "
		       "cp out.pcapng ..",
		       LOOPBACK);
	tools_make_directory(directory, sizeof(directory));
	tools_run(&program, directory, argv);
	tools_check_clean(directory);
	if (program.status == 77) {
		SKIP("may not mount");
	}
	check_status(0);
	CHECK(tools_is_one_line(program.err, "capture: cannot be written any further: No space left "
					     "on device; the traffic goes on"));
	replay_spec(spec, sizeof(spec), &place, "");
	run_script(&place, spec, "exit 0", false); /* up to there it can be read */
	check_status(0);
	CHECK(strstr(program.err, "broken") == NULL);
}
