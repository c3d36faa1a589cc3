/* SPDX-License-Identifier: MIT
 *
 * tools_pad_test - a bundle with a personality for a device and one for its interface, which is there
 * when the driver of the device has configured it; in real processes.
 */
#include <stdio.h>
#include <string.h>

#include "test.h"
#include "tools_support.h"

static struct tools_program program;
static char directory[64];

static void script(const char *text)
{
	const char *argv[] = {"dext",
			      "run",
			      "--device",
			      tools_path("OPENDEXT_TEST_PAD_DEVICE"),
			      tools_path("OPENDEXT_TEST_PAD"),
			      "--",
			      "/bin/sh",
			      "-c",
			      text,
			      NULL};

	tools_make_directory(directory, sizeof(directory));
	tools_run(&program, directory, argv);
	tools_check_clean(directory);
}

TEST(interface_driver_starts_beside_the_driver_that_configured_the_device)
{
	script("\"$OPENDEXT_TEST_DEXT\" tree");
	CHECK_EQ(program.status, 0);
	CHECK_STR_EQ(program.err, "");
	CHECK(strstr(program.out, "+- PadDevice") != NULL);
	CHECK(strstr(program.out, "<IOUSBHostInterface, id") != NULL);
	CHECK(strstr(program.out, "<AppleUserHIDDevice, id") != NULL);
}

TEST(both_drivers_share_one_process_and_one_device)
{
	script("set -e\n"
	       "\"$OPENDEXT_TEST_DEXT\" tree | grep '+- from the device driver'\n"
	       "test $(\"$OPENDEXT_TEST_DEXT\" tree | sed -n 's/.*, pid \\([0-9]*\\).*/\\1/p' |"
	       " sort -u | wc -l) = 1\n");
	CHECK_STR_EQ(program.err, "");
	CHECK_EQ(program.status, 0);
}

TEST(unplugged_both_go_and_plugged_in_again_both_come)
{
	script("set -e; dext=\"$OPENDEXT_TEST_DEXT\"; device=\"$OPENDEXT_TEST_PAD_DEVICE\"\n"
	       "\"$dext\" detach \"$device\"\n"
	       "! \"$dext\" tree | grep -e PadDevice -e 'from the device driver' || exit 9\n"
	       "\"$dext\" attach \"$device\" >/dev/null\n"
	       "for i in $(seq 200); do\n"
	       "\"$dext\" tree | grep -q '+- from the device driver' && exit 0; sleep 0.1; done\n"
	       "exit 8\n");
	CHECK_STR_EQ(program.err, "");
	CHECK_EQ(program.status, 0);
}

TEST(file_of_a_device_that_came_after_the_process_can_be_read_by_it)
{
	/* One process for all of the driver's services: it confined itself before the second file. */
	script("set -e; dext=\"$OPENDEXT_TEST_DEXT\"; own=$(mktemp -d); cd $own\n"
	       "\"$dext\" unload org.opendext.test.pad\n"
	       "cp -R \"$OPENDEXT_TEST_PAD\" One.dext\n"
	       "sed -i 's#<key>IOResourceMatch</key>#<key>IOUserServerOneProcess</key><true/>&#'"
	       " One.dext/Info.plist\n"
	       "\"$dext\" load One.dext\n"
	       "await() { for i in $(seq 200); do\n"
	       "test $(\"$dext\" tree | grep -c '+- from the device driver') = $1 && return;"
	       " sleep 0.1; done; \"$dext\" tree; exit 8; }\n"
	       "await 1\n"
	       "cp \"$OPENDEXT_TEST_PAD_DEVICE\" second.device\n"
	       "\"$dext\" attach $own/second.device >/dev/null\n"
	       "await 2\n"
	       "test $(\"$dext\" tree | sed -n 's/.*, pid \\([0-9]*\\).*/\\1/p' | sort -u | wc -l) = 1\n"
	       "cd /; rm -r $own\n");
	CHECK_STR_EQ(program.err, "");
	CHECK_EQ(program.status, 0);
}
