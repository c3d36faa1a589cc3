/* SPDX-License-Identifier: MIT
 *
 * bundle_test - bundles that cannot be used, and a driver that does not come to life.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "process/children.h"
#include "support/world.h"
#include "support/world_process.h"

static char bundle[128];

#define PLIST_BEGIN                                                                        \
	"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<plist version=\"1.0\"><dict>"          \
	"<key>CFBundleIdentifier</key><string>org.opendext.test.broken</string>"           \
	"<key>CFBundleExecutable</key><string>Broken</string>"
#define PERSONALITY                                                                        \
	"<key>IOKitPersonalities</key><dict><key>One</key><dict>"                          \
	"<key>IOProviderClass</key><string>IOUserResources</string>"                       \
	"<key>IOResourceMatch</key><string>IOKit</string>"                                 \
	"<key>IOMatchCategory</key><string>broken</string>"                                \
	"<key>IOClass</key><string>IOUserService</string>"                                 \
	"<key>IOUserClass</key><string>Broken</string>"                                    \
	"<key>IOUserServerName</key><string>org.opendext.test.broken</string></dict></dict>"
#define PLIST_END "</dict></plist>\n"

static void write_file(const char *name, const void *bytes, size_t length)
{
	char path[256];
	FILE *file;

	(void)snprintf(path, sizeof(path), "%s/%s", bundle, name);
	file = fopen(path, "we");
	CHECK(file != NULL);
	CHECK_EQ(fwrite(bytes, 1, length, file), length);
	CHECK_EQ(fclose(file), 0);
}

static void make_bundle(const char *plist)
{
	char directory[64];

	test_make_directory(directory, sizeof(directory));
	(void)snprintf(bundle, sizeof(bundle), "%s/Broken.dext", directory);
	CHECK_EQ(mkdir(bundle, 0755), 0);
	if (plist != NULL) {
		write_file("Info.plist", plist, strlen(plist));
	}
}

static void remove_bundle(void)
{
	char path[256];

	(void)snprintf(path, sizeof(path), "%s/Info.plist", bundle);
	(void)unlink(path);
	(void)snprintf(path, sizeof(path), "%s/Broken", bundle);
	(void)unlink(path);
	CHECK_EQ(rmdir(bundle), 0);
	*strrchr(bundle, '/') = '\0';
	CHECK_EQ(rmdir(bundle), 0);
}

/* Loading fails with one line that names what is wrong, and nothing else suffers. */
static void expect_refusal(const char *named)
{
	char message[512] = "";

	if (world_load(bundle, message, sizeof(message))) {
		FAIL("the bundle was loaded");
	}
	if (strstr(message, named) == NULL || strchr(message, '\n') != NULL) {
		FAIL("\"%s\" does not name %s in one line", message, named);
	}
	remove_bundle();
	world_close(world_open());
}

CONTRACT(bundle_that_does_not_exist)
{
	make_bundle(NULL);
	remove_bundle();
	(void)snprintf(bundle, sizeof(bundle), "/tmp/opendext-no-such/Broken.dext");
	{
		char message[512] = "";

		CHECK(!world_load(bundle, message, sizeof(message)));
		CHECK(strstr(message, "Broken.dext") != NULL);
	}
	world_close(world_open());
}

CONTRACT(bundle_without_property_list)
{
	make_bundle(NULL);
	expect_refusal("Info.plist");
}

CONTRACT(bundle_with_a_broken_property_list)
{
	make_bundle("<?xml version=\"1.0\"?><plist><dict><key>CFBundle");
	expect_refusal("Info.plist");
}

CONTRACT(bundle_with_an_empty_property_list)
{
	make_bundle("");
	expect_refusal("Info.plist");
}

CONTRACT(bundle_without_personalities)
{
	make_bundle(PLIST_BEGIN PLIST_END);
	write_file("Broken", "x", 1);
	expect_refusal("IOKitPersonalities");
}

CONTRACT(bundle_without_its_binary)
{
	make_bundle(PLIST_BEGIN PERSONALITY PLIST_END);
	expect_refusal("Broken");
}


/* The driver never comes; the broker lives, and stops trying. */
static void expect_no_service(void)
{
	char message[512] = "";

	if (!world_load(bundle, message, sizeof(message))) {
		/* Refusing at once is as good, with a line. */
		CHECK(strstr(message, "Broken") != NULL);
	}
	for (unsigned i = 0; i < 50; i++) {
		io_service_t service = IOServiceGetMatchingService(kIOMainPortDefault,
								   IOServiceNameMatching("Broken"));

		CHECK_EQ(service, IO_OBJECT_NULL);
		sleep_us(2000);
	}
	world_close(world_open());
	remove_bundle();
}

CONTRACT(bundle_whose_binary_is_no_shared_object)
{
	make_bundle(PLIST_BEGIN PERSONALITY PLIST_END);
	write_file("Broken", "this is text", 12);
	expect_no_service();
}

/* Copies a shared object of the build into the bundle. */
static void copy_binary(const char *variable)
{
	static char bytes[8u << 20];
	FILE *file = fopen(world_program(variable), "re");
	size_t length;

	CHECK(file != NULL);
	length = fread(bytes, 1, sizeof(bytes), file);
	(void)fclose(file);
	CHECK_GT(length, 0);
	CHECK_LT(length, sizeof(bytes));
	write_file("Broken", bytes, length);
}

CONTRACT(bundle_whose_binary_misses_a_symbol)
{
	make_bundle(PLIST_BEGIN PERSONALITY PLIST_END);
	copy_binary("OPENDEXT_TEST_UNRESOLVED");
	expect_no_service();
}

CONTRACT(bundle_whose_binary_exports_no_classes)
{
	make_bundle(PLIST_BEGIN PERSONALITY PLIST_END);
	copy_binary("OPENDEXT_TEST_NO_CLASSES");
	expect_no_service();
}

CONTRACT(bundle_whose_class_does_not_exist)
{
	make_bundle(PLIST_BEGIN PERSONALITY PLIST_END);
	copy_binary("OPENDEXT_TEST_CRASHING"); /* its class is Crashing */
	expect_no_service();
}

static const char crashing_plist[] =
	"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<plist version=\"1.0\"><dict>"
	"<key>CFBundleIdentifier</key><string>org.opendext.test.crashing</string>"
	"<key>CFBundleExecutable</key><string>Broken</string>"
	"<key>IOKitPersonalities</key><dict><key>One</key><dict>"
	"<key>IOProviderClass</key><string>IOUserResources</string>"
	"<key>IOResourceMatch</key><string>IOKit</string>"
	"<key>IOMatchCategory</key><string>crashing</string>"
	"<key>IOClass</key><string>IOUserService</string>"
	"<key>IOUserClass</key><string>Crashing</string>"
	"<key>IOUserServerName</key><string>org.opendext.test.crashing</string></dict></dict>"
	"</dict></plist>\n";

CONTRACT(driver_that_crashes_in_start_is_given_up)
{
	char message[512] = "";
	mach_timespec_t patient = {30, 0};

	make_bundle(crashing_plist);
	copy_binary("OPENDEXT_TEST_CRASHING");
	if (!world_load(bundle, message, sizeof(message))) {
		FAIL("%s", message);
	}
	/* Quiet means that nobody tries any more. */
	CHECK_EQ(IOKitWaitQuiet(kIOMainPortDefault, &patient), kIOReturnSuccess);
	CHECK_EQ(IOServiceGetMatchingService(kIOMainPortDefault, IOServiceNameMatching("Crashing")),
		 IO_OBJECT_NULL);
	world_close(world_open());
	remove_bundle();
}
