/* SPDX-License-Identifier: MIT
 *
 * loader_test - every way in which a shared object is no driver, and its one line of text.
 */
#include "host/loader.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "test.h"

static int load(const char *path, char *message, size_t size)
{
	const OSDriverClass *const *classes = NULL;

	memset(message, 0, size);
	int rc = dx_loader_load(path, &classes, message, size);
	if (rc == 0) {
		CHECK(classes != NULL && classes[0] == NULL);
	} else {
		CHECK(classes == NULL);
		CHECK(strchr(message, '\n') == NULL);
		CHECK(strncmp(message, path, strlen(path)) == 0);
		CHECK(strstr(message + strlen(path), path) == NULL); /* said once */
	}
	return rc;
}

static const char *module_path(const char *variable)
{
	const char *path = getenv(variable);

	if (path == NULL) {
		SKIP("%s is not set", variable);
	}
	return path;
}

TEST(loader_of_a_driver_returns_its_classes)
{
	char message[512];

	CHECK_EQ(load(module_path("OPENDEXT_TEST_MODULE_GOOD"), message, sizeof(message)), 0);
	CHECK_STR_EQ(message, "");
}

TEST(loader_of_a_missing_file_names_it)
{
	char message[512];

	CHECK_EQ(load("/nowhere/at/all.so", message, sizeof(message)), -ENOEXEC);
	CHECK(strstr(message, "No such file") != NULL);
}

TEST(loader_of_text_says_that_it_is_no_shared_object)
{
	char message[512];
	char path[] = "/tmp/opendext-loader-XXXXXX";
	int fd = mkstemp(path);

	CHECK_GE(fd, 0);
	CHECK_EQ(write(fd, "this is no library\n", 19), 19);
	(void)close(fd);
	int rc = load(path, message, sizeof(message));
	(void)unlink(path);
	CHECK_EQ(rc, -ENOEXEC);
	CHECK(strstr(message, "ELF") != NULL || strstr(message, "file too short") != NULL);
}

TEST(loader_without_the_list_of_classes_names_the_symbol)
{
	char message[512];

	CHECK_EQ(load(module_path("OPENDEXT_TEST_MODULE_EMPTY"), message, sizeof(message)),
		 -ENOEXEC);
	CHECK(strstr(message, "missing symbol OpenDextDriverClasses") != NULL);
}

TEST(loader_of_an_undefined_symbol_names_it)
{
	char message[512];

	CHECK_EQ(load(module_path("OPENDEXT_TEST_MODULE_UNRESOLVED"), message, sizeof(message)),
		 -ENOEXEC);
	CHECK(strstr(message, "opendext_no_such_function") != NULL);
}

TEST(loader_message_is_cut_to_its_room)
{
	const OSDriverClass *const *classes = NULL;
	char message[16];

	CHECK_EQ(dx_loader_load("/nowhere/at/all.so", &classes, message, sizeof(message)),
		 -ENOEXEC);
	CHECK_EQ(strlen(message), sizeof(message) - 1);
}
