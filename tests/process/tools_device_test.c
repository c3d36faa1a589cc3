/* SPDX-License-Identifier: MIT
 *
 * tools_device_test - `dext device`: the list, one model, descriptors; no broker anywhere.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "test.h"
#include "tools_support.h"

static struct tools_program program;

static void device(const char *a, const char *b, const char *c)
{
	const char *argv[] = {"dext", "device", a, b, c, NULL};

	tools_run(&program, ".", argv);
}

static void expect_out(const char *part)
{
	if (strstr(program.out, part) == NULL) {
		FAIL("no '%s' in: %s", part, program.out);
	}
}

static void check_failure(int status, const char *part)
{
	CHECK_EQ(program.status, status);
	CHECK_STR_EQ(program.out, "");
	if (!tools_is_one_line(program.err, part)) {
		FAIL("not one line with '%s': %s", part, program.err);
	}
}

static const char *const models[] = {"gadget-zero", "source-sink",  "loopback",
				     "cdc-acm",     "hid-keyboard", "mass-storage"};

TEST(device_lists_the_models_also_in_its_help)
{
	static const char *const options[] = {NULL, "--help", "--json"};

	for (unsigned i = 0; i < 3; i++) {
		device(options[i], NULL, NULL);
		CHECK_EQ(program.status, 0);
		CHECK_STR_EQ(program.err, "");
		for (unsigned k = 0; k < sizeof(models) / sizeof(models[0]); k++) {
			expect_out(models[k]);
		}
	}
}

TEST(device_explains_a_model)
{
	for (unsigned k = 0; k < sizeof(models) / sizeof(models[0]); k++) {
		device(models[k], NULL, NULL);
		CHECK_EQ(program.status, 0);
		expect_out(models[k]);
		expect_out("\nspeed ");
		expect_out("\nserial ");
		expect_out("\nstall-after ");
	}
	device("virtual:cdc-acm", "--json", NULL);
	CHECK_EQ(program.status, 0);
	expect_out("\"model\": \"cdc-acm\"");
	expect_out("\"key\": \"banner\"");
	device("--help", "cdc-acm", NULL);
	expect_out("\nbanner ");
}

TEST(device_shows_descriptors)
{
	device("--descriptors", "cdc-acm,idVendor=0x1234,speed=full", NULL);
	CHECK_EQ(program.status, 0);
	expect_out("idVendor                    0x1234\n");
	expect_out("Product (text)              Serial port\n");
	expect_out("\n  association descriptor\n");
	expect_out("\n    CDC union descriptor\n");
	expect_out("wMaxPacketSize          64\n");
	expect_out("bEndpointAddress        0x81 IN\n");
	device("-d", "virtual:gadget-zero", NULL);
	expect_out("container id descriptor\n");
	expect_out("endpoint companion descriptor\n");
	device("-d", "-j", "mass-storage"); /* works without the file */
	CHECK_EQ(program.status, 0);
	expect_out("\"descriptor\": \"configuration\"");
	expect_out("\"bInterfaceClass\": 8");
}

TEST(device_shows_descriptors_of_a_description_file)
{
	static const char text[] =
		"<plist version=\"1.0\"><dict><key>idVendor</key><integer>1</integer>"
		"<key>idProduct</key><integer>2</integer><key>configurations</key>"
		"<array><dict/></array></dict></plist>";
	FILE *file = fopen("tools_device_test.device", "w");

	CHECK(file != NULL);
	CHECK_EQ(fwrite(text, 1, strlen(text), file), strlen(text));
	CHECK_EQ(fclose(file), 0);
	device("-d", "tools_device_test.device", NULL);
	CHECK_EQ(program.status, 0);
	expect_out("idProduct                   0x0002\n");
	device("-d", "file:tools_device_test.device,idProduct=3", NULL);
	expect_out("idProduct                   0x0003\n");
	CHECK_EQ(unlink("tools_device_test.device"), 0);
}

TEST(device_errors_are_one_line)
{
	device("printer", NULL, NULL);
	check_failure(2, "'printer' is no model");
	device("cdc-acm", "hid-keyboard", NULL);
	check_failure(2, "unexpected 'hid-keyboard'");
	device("--descriptors", NULL, NULL);
	check_failure(2, "--descriptors needs a device");
	device("--frobnicate", NULL, NULL);
	check_failure(2, "unknown option '--frobnicate'");
	device("-d", "printer", NULL);
	check_failure(1, "model \"printer\" does not exist");
	device("-d", "cdc-acm,sped=full", NULL);
	check_failure(1, "sped: unknown key");
	device("-d", "file:/no/such", NULL);
	check_failure(1, "/no/such: No such file");
}
