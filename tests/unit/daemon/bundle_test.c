/* SPDX-License-Identifier: MIT
 *
 * bundle_test - good bundles in both layouts, and one line for every bad one.
 */
#include "daemon/bundle.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support.h"
#include "test.h"

#define HEAD "<?xml version=\"1.0\"?>\n<plist version=\"1.0\">\n<dict>\n"
#define TAIL "</dict>\n</plist>\n"
#define IDENTIFIER "<key>CFBundleIdentifier</key><string>test.b</string>\n"
#define PERSONALITY(inside) \
	"<key>IOKitPersonalities</key><dict><key>One</key><dict>" inside "</dict></dict>\n"
#define PROVIDER "<key>IOProviderClass</key><string>IOUserResources</string>"
#define CLASS "<key>IOUserClass</key><string>Driver</string>"
#define GOOD HEAD IDENTIFIER PERSONALITY(PROVIDER CLASS) TAIL

static struct fixture fixture;
static char message[DX_BUNDLE_MESSAGE_BYTES];

static int load(const char *name, struct dx_bundle **ret_bundle)
{
	char path[400];

	fixture_path(&fixture, name, path, sizeof(path));
	return dx_bundle_load(path, message, sizeof(message), ret_bundle);
}

/* Loads B.dext with this Info.plist and expects the line to end like that. */
static void refused(const char *info, bool with_elf, int code, const char *where, const char *what)
{
	struct dx_bundle *bundle = NULL;
	char line[1024];

	fixture_init(&fixture);
	fixture_write_bundle(&fixture, "B", info, with_elf);
	CHECK_EQ(load("B.dext", &bundle), code);
	(void)snprintf(line, sizeof(line), "%s/B.dext%s%s", fixture.directory, where, what);
	CHECK_STR_EQ(message, line);
	CHECK(strchr(message, '\n') == NULL);
	fixture_fini(&fixture);
}

TEST(bundle_good_one_has_everything)
{
	struct dx_bundle *bundle = NULL;

	fixture_init(&fixture);
	fixture_write_bundle(&fixture, "B", GOOD, true);
	CHECK_EQ(load("B.dext", &bundle), 0);
	CHECK_STR_EQ(message, "");
	CHECK_STR_EQ(bundle->identifier, "test.b");
	CHECK_STR_EQ(strrchr(bundle->executable, '/'), "/B");
	CHECK_EQ(bundle->nr_personalities, 1);
	CHECK_STR_EQ(bundle->personalities[0].name, "One");
	CHECK_STR_EQ(bundle->personalities[0].user_class, "Driver");
	CHECK_STR_EQ(bundle->personalities[0].kernel_class, "IOUserService");
	CHECK_STR_EQ(bundle->personalities[0].server, "test.b");
	CHECK_STR_EQ(bundle->personalities[0].category, "IODefaultMatchCategory");
	CHECK(!bundle->personalities[0].one_process);
	CHECK(dx_bundle_free(bundle) == NULL);
	CHECK(dx_bundle_free(NULL) == NULL);
	fixture_fini(&fixture);
}

static void move(const char *from, const char *to)
{
	char a[400];
	char b[400];

	fixture_path(&fixture, from, a, sizeof(a));
	fixture_path(&fixture, to, b, sizeof(b));
	CHECK_EQ(rename(a, b), 0);
}

static void make_directory(const char *name)
{
	char path[400];

	fixture_path(&fixture, name, path, sizeof(path));
	CHECK_EQ(mkdir(path, 0700), 0);
}

TEST(bundle_with_contents_directory)
{
	struct dx_bundle *bundle = NULL;

	fixture_init(&fixture);
	fixture_write_bundle(&fixture, "B", GOOD, true);
	make_directory("B.dext/Contents");
	move("B.dext/Info.plist", "B.dext/Contents/Info.plist");
	move("B.dext/B", "B.dext/Contents/B");
	CHECK_EQ(load("B.dext/", &bundle), 0);
	(void)dx_bundle_free(bundle);
	make_directory("B.dext/Contents/MacOS");
	move("B.dext/Contents/B", "B.dext/Contents/MacOS/B");
	CHECK_EQ(load("B.dext", &bundle), 0);
	(void)dx_bundle_free(bundle);
	fixture_fini(&fixture);
}

TEST(bundle_executable_may_have_another_name)
{
	struct dx_bundle *bundle = NULL;

	fixture_init(&fixture);
	fixture_write_bundle(&fixture, "B",
			     HEAD IDENTIFIER "<key>CFBundleExecutable</key><string>other</string>"
			     PERSONALITY(PROVIDER CLASS) TAIL, true);
	CHECK_EQ(load("B.dext", &bundle), -ENOENT);
	move("B.dext/B", "B.dext/other");
	CHECK_EQ(load("B.dext", &bundle), 0);
	(void)dx_bundle_free(bundle);
	fixture_fini(&fixture);
}

TEST(bundle_that_is_not_there_or_no_directory)
{
	struct dx_bundle *bundle = NULL;
	char path[400];

	CHECK_EQ(dx_bundle_load("/nonexistent.dext", message, sizeof(message), &bundle), -ENOENT);
	CHECK_STR_EQ(message, "/nonexistent.dext: No such file or directory");
	fixture_init(&fixture);
	fixture_path(&fixture, "File.dext", path, sizeof(path));
	(void)close(open(path, O_CREAT | O_CLOEXEC, 0600));
	CHECK_EQ(dx_bundle_load(path, message, sizeof(message), &bundle), -ENOTDIR);
	CHECK(strstr(message, "is not a bundle directory") != NULL);
	fixture_fini(&fixture);
}

TEST(bundle_info_missing_broken_or_no_dictionary)
{
	refused(NULL, true, -ENOENT, "/Info.plist", ": No such file or directory");
	refused("", true, -EPROTO, "/Info.plist", ":1: is not a property list");
	refused("<plist version=\"1.0\"><array/></plist>", true, -EPROTO, "/Info.plist",
		": the top of it is not a dictionary");
}

TEST(bundle_info_with_an_xml_mistake_names_the_line)
{
	struct dx_bundle *bundle = NULL;

	fixture_init(&fixture);
	fixture_write_bundle(&fixture, "B", HEAD IDENTIFIER "<key>oops</string>\n" TAIL, true);
	CHECK_EQ(load("B.dext", &bundle), -EPROTO);
	CHECK(strstr(message, "/B.dext/Info.plist:5: is not a property list") != NULL);
	fixture_fini(&fixture);
}

TEST(bundle_info_too_long_or_too_deep)
{
	static char deep[4000] = "<plist version=\"1.0\"><dict>";
	static char big[DX_MAX_PLIST_BYTES + 2];
	struct dx_bundle *bundle = NULL;

	for (int i = 0; i < 40; i++) {
		(void)strncat(deep, "<key>k</key><dict>", sizeof(deep) - strlen(deep) - 1);
	}
	for (int i = 0; i < 41; i++) {
		(void)strncat(deep, "</dict>", sizeof(deep) - strlen(deep) - 1);
	}
	(void)strncat(deep, "</plist>", sizeof(deep) - strlen(deep) - 1);
	refused(deep, true, -EPROTO, "/Info.plist", ": nested deeper than 32 levels");
	memset(big, ' ', sizeof(big) - 1);
	fixture_init(&fixture);
	fixture_write_bundle(&fixture, "B", big, true);
	CHECK_EQ(load("B.dext", &bundle), -EFBIG);
	CHECK(strstr(message, "longer than 1048576 bytes") != NULL);
	fixture_fini(&fixture);
}

TEST(bundle_keys_missing_or_of_wrong_type)
{
	refused(HEAD PERSONALITY(PROVIDER CLASS) TAIL, true, -EPROTO, "/Info.plist",
		": key CFBundleIdentifier is missing");
	refused(HEAD "<key>CFBundleIdentifier</key><integer>1</integer>" TAIL, true, -EPROTO,
		"/Info.plist", ": key CFBundleIdentifier must be a string of 1 to 127 bytes");
	refused(HEAD IDENTIFIER TAIL, true, -EPROTO, "/Info.plist", ": key IOKitPersonalities is missing");
	refused(HEAD IDENTIFIER "<key>IOKitPersonalities</key><dict/>" TAIL, true, -EPROTO, "/Info.plist",
		": key IOKitPersonalities must be a dictionary with a personality in it");
	refused(HEAD IDENTIFIER "<key>IOKitPersonalities</key><dict><key>One</key><true/></dict>" TAIL,
		true, -EPROTO, "/Info.plist", ": IOKitPersonalities.One: must be a dictionary");
	refused(HEAD IDENTIFIER PERSONALITY(CLASS) TAIL, true, -EPROTO, "/Info.plist",
		": IOKitPersonalities.One: key IOProviderClass is missing");
	refused(HEAD IDENTIFIER PERSONALITY(PROVIDER) TAIL, true, -EPROTO, "/Info.plist",
		": IOKitPersonalities.One: key IOUserClass is missing");
	refused(HEAD IDENTIFIER PERSONALITY(PROVIDER CLASS "<key>IOUserServerName</key><true/>") TAIL, true,
		-EPROTO, "/Info.plist",
		": IOKitPersonalities.One: key IOUserServerName must be a string of 1 to 127 bytes");
	refused(HEAD IDENTIFIER PERSONALITY(PROVIDER CLASS "<key>IOClass</key><string></string>") TAIL,
		true, -EPROTO, "/Info.plist",
		": IOKitPersonalities.One: key IOClass must be a string of 1 to 127 bytes");
	refused(HEAD IDENTIFIER "<key>CFBundleExecutable</key><string>../x</string>"
		PERSONALITY(PROVIDER CLASS) TAIL,
		true, -EPROTO, "/Info.plist", ": key CFBundleExecutable must be a plain file name");
}

static void elf_refused(const void *bytes, size_t length, const char *what)
{
	struct dx_bundle *bundle = NULL;
	char path[400];
	int fd = -1;

	fixture_init(&fixture);
	fixture_write_bundle(&fixture, "B", GOOD, false);
	fixture_path(&fixture, "B.dext/B", path, sizeof(path));
	fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0700);
	CHECK_EQ(write(fd, bytes, length), length);
	(void)close(fd);
	CHECK_EQ(load("B.dext", &bundle), -EPROTO);
	CHECK(strstr(message, what) != NULL);
	CHECK(strstr(message, "/B.dext/B: ") != NULL);
	fixture_fini(&fixture);
}

TEST(bundle_executable_missing_or_not_a_shared_object)
{
	unsigned char elf[64] = {0x7f, 'E', 'L', 'F', 2, 1, 1};
	struct dx_bundle *bundle = NULL;

	refused(GOOD, false, -ENOENT, "/B",
		": the driver's executable (no key CFBundleExecutable: the bundle's name counts): No "
		"such file or directory");
	refused(HEAD IDENTIFIER "<key>CFBundleExecutable</key><string>B</string>"
		PERSONALITY(PROVIDER CLASS) TAIL,
		false, -ENOENT, "/B", ": the driver's executable: No such file or directory");
	elf_refused("", 0, "is not an ELF file");
	elf_refused("#!/bin/sh\necho this is a script and long enough to look like something else", 70,
		    "is not an ELF file");
	elf[16] = 2; /* an executable */
	elf_refused(elf, sizeof(elf), "is not a shared object for this machine");
	elf[16] = 3;
	elf[4] = 1; /* 32 bits */
	elf_refused(elf, sizeof(elf), "is not a shared object for this machine");
	fixture_init(&fixture);
	fixture_write_bundle(&fixture, "B", GOOD, false);
	make_directory("B.dext/B");
	CHECK_EQ(load("B.dext", &bundle), -EPROTO);
	CHECK(strstr(message, "is not a file") != NULL);
	fixture_fini(&fixture);
}

TEST(bundle_executable_that_was_cut_short)
{
	struct {
		Elf64_Ehdr header;
		Elf64_Phdr segments[2];
		unsigned char bytes[64];
	} file = {
		.header = {.e_ident = {0x7f, 'E', 'L', 'F', 2, 1, 1},
			   .e_type = ET_DYN,
			   .e_phoff = sizeof(Elf64_Ehdr),
			   .e_phentsize = sizeof(Elf64_Phdr),
			   .e_phnum = 2},
		.segments = {{.p_type = PT_NOTE, .p_filesz = 1u << 20},
			     {.p_type = PT_LOAD, .p_filesz = sizeof(file)}},
	};
	struct dx_bundle *bundle = NULL;
	char path[400];
	int fd;

	elf_refused(&file, sizeof(file) - 1, "is cut short");
	elf_refused(&file, sizeof(file.header) + sizeof(Elf64_Phdr), "is cut short");
	file.segments[1].p_offset = UINT64_MAX;
	elf_refused(&file, sizeof(file), "is cut short");
	file.segments[1].p_offset = 0;
	file.header.e_phoff = UINT64_MAX;
	elf_refused(&file, sizeof(file), "is cut short");
	file.header.e_phoff = sizeof(Elf64_Ehdr);
	fixture_init(&fixture);
	fixture_write_bundle(&fixture, "B", GOOD, false);
	fixture_path(&fixture, "B.dext/B", path, sizeof(path));
	fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0700);
	CHECK_EQ(write(fd, &file, sizeof(file)), sizeof(file));
	(void)close(fd);
	CHECK_EQ(load("B.dext", &bundle), 0);
	bundle = dx_bundle_free(bundle);
	fixture_fini(&fixture);
}

TEST(bundle_is_told_from_a_directory_of_bundles)
{
	char path[400];

	fixture_init(&fixture);
	fixture_write_bundle(&fixture, "B", GOOD, true);
	fixture_path(&fixture, "B.dext", path, sizeof(path));
	CHECK(dx_bundle_is_at(path));
	CHECK(dx_bundle_is_at("/nonexistent.dext/"));
	CHECK(!dx_bundle_is_at(fixture.directory));
	move("B.dext", "B");
	fixture_path(&fixture, "B", path, sizeof(path));
	CHECK(dx_bundle_is_at(path)); /* by its Info.plist */
	fixture_fini(&fixture);
}
