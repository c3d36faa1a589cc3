/* SPDX-License-Identifier: MIT
 *
 * log_test - lines on standard error.
 */
#include "test.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/log.h"

struct capture {
	int fd;
	int saved;
	char text[4096];
};

static void capture_begin(struct capture *capture)
{
	*capture = (struct capture){.fd = memfd_create("stderr", MFD_CLOEXEC), .saved = 100};
	CHECK_EQ(dup2(STDERR_FILENO, capture->saved), capture->saved);
	CHECK_EQ(dup2(capture->fd, STDERR_FILENO), STDERR_FILENO);
}

static const char *capture_end(struct capture *capture)
{
	ssize_t length = pread(capture->fd, capture->text, sizeof(capture->text) - 1, 0);

	CHECK_EQ(dup2(capture->saved, STDERR_FILENO), STDERR_FILENO);
	(void)close(capture->saved);
	(void)close(capture->fd);
	CHECK(length >= 0);
	capture->text[length] = '\0';
	return capture->text;
}

TEST(log_line_has_program_and_level)
{
	struct capture capture;

	capture_begin(&capture);
	dx_log_set_program("dextd");
	dx_log_set_level(DX_LOG_DEBUG);
	dx_log_error("no %s", "device");
	dx_log_warning("w");
	dx_log_info("i");
	dx_log_debug("d");
	CHECK_STR_EQ(capture_end(&capture),
		     "dextd: no device\ndextd: warning: w\ndextd: i\ndextd: debug: d\n");
}

TEST(log_above_the_level_is_silent)
{
	struct capture capture;

	capture_begin(&capture);
	dx_log_set_level(DX_LOG_ERROR);
	dx_log_warning("w");
	dx_log_debug("d");
	CHECK_STR_EQ(capture_end(&capture), "");
	CHECK_EQ(dx_log_level(), DX_LOG_ERROR);
}

TEST(log_level_comes_from_the_environment)
{
	CHECK_EQ(setenv("OPENDEXT_LOG", "info", 1), 0);
	CHECK_EQ(dx_log_level(), DX_LOG_INFO);
}

TEST(log_level_of_an_unknown_word_is_warning)
{
	CHECK_EQ(setenv("OPENDEXT_LOG", "loud", 1), 0);
	CHECK_EQ(dx_log_level(), DX_LOG_WARNING);
}

TEST(log_keeps_errno_and_prints_it)
{
	struct capture capture;

	capture_begin(&capture);
	errno = ENOENT;
	dx_log_error("open: %m");
	CHECK_EQ(errno, ENOENT);
	CHECK_STR_EQ(capture_end(&capture), "open: No such file or directory\n");
}

TEST(log_long_line_is_cut_and_ends)
{
	struct capture capture;
	char text[3000];
	const char *line;

	memset(text, 'x', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	capture_begin(&capture);
	dx_log_error("%s", text);
	line = capture_end(&capture);
	CHECK_LE(strlen(line), 1024);
	CHECK_EQ(line[strlen(line) - 1], '\n');
	CHECK(strchr(line, '\n') == line + strlen(line) - 1);
}
