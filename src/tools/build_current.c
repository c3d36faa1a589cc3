/* SPDX-License-Identifier: MIT
 *
 * build_current - which compilations of a build need not be done again. See build_current.h.
 */
#include "build_current.h"

#include <ctype.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"

#define MAX_FILE_BYTES (4u << 20)

/* Colours are of the terminal, not of the object. */
static bool counts(const char *word)
{
	return strncmp(word, "-fdiagnostics-", 14) != 0;
}

/* The words of the command, each with a newline. malloc'd, or NULL. */
static char *command_text(const struct dx_words *argv)
{
	char *text = NULL;
	size_t length = 0;
	FILE *stream = open_memstream(&text, &length);

	if (stream == NULL) {
		return NULL;
	}
	for (size_t i = 0; i < argv->nr; i++) {
		if (counts(argv->items[i])) {
			(void)fprintf(stream, "%s\n", argv->items[i]);
		}
	}
	if (fclose(stream) != 0) {
		free(text);
		return NULL;
	}
	return text;
}

static bool is_same_command(const struct dx_words *argv, const char *path)
{
	DX_CLEANUP_FREE char *text = command_text(argv);
	DX_CLEANUP_FREE void *noted = NULL;
	size_t length = 0;

	return text != NULL && dx_file_read(path, MAX_FILE_BYTES, &noted, &length) == 0 &&
	       length == strlen(text) && memcmp(noted, text, length) == 0;
}

static bool is_older(const char *path, const struct stat *object)
{
	struct stat status = {0};

	if (stat(path, &status) < 0) {
		return false;
	}
	return status.st_mtim.tv_sec < object->st_mtim.tv_sec ||
	       (status.st_mtim.tv_sec == object->st_mtim.tv_sec &&
		status.st_mtim.tv_nsec < object->st_mtim.tv_nsec);
}

/* The next name of a rule of make, in place. @return behind it; NULL: there is none. */
static char *next_name(char *at, char **ret_name)
{
	char *to = NULL;

	while (isspace((unsigned char)*at) || (at[0] == '\\' && at[1] == '\n')) {
		at += at[0] == '\\' ? 2 : 1;
	}
	if (*at == '\0') {
		return NULL;
	}
	*ret_name = at;
	for (to = at; *at != '\0' && !isspace((unsigned char)*at); at++) {
		if (at[0] == '\\' && at[1] == '\n') {
			break;
		}
		if ((at[0] == '\\' && (at[1] == ' ' || at[1] == '#' || at[1] == '\\')) ||
		    (at[0] == '$' && at[1] == '$')) {
			at++;
		}
		*to++ = *at;
	}
	if (*at != '\0') {
		at++;
	}
	*to = '\0';
	return at;
}

static bool are_older(const char *rule_path, const struct stat *object)
{
	DX_CLEANUP_FREE void *text = NULL;
	size_t length = 0;
	unsigned nr_files = 0;
	char *name = NULL;
	char *at = NULL;

	if (dx_file_read(rule_path, MAX_FILE_BYTES, &text, &length) < 0) {
		return false;
	}
	at = strstr(text, ": ");
	for (at = at == NULL ? NULL : next_name(at + 1, &name); at != NULL;
	     at = next_name(at, &name)) {
		if (!is_older(name, object)) {
			return false;
		}
		nr_files++;
	}
	return nr_files > 0;
}

bool dx_build_is_current(const struct dx_words *argv, const char *object)
{
	DX_CLEANUP_FREE char *rule = NULL;
	DX_CLEANUP_FREE char *command = NULL;
	struct stat status = {0};

	if (asprintf(&rule, "%s.d", object) < 0) {
		rule = NULL;
		return false;
	}
	if (asprintf(&command, "%s.command", object) < 0) {
		command = NULL;
		return false;
	}
	return stat(object, &status) == 0 && is_same_command(argv, command) &&
	       are_older(rule, &status);
}

void dx_build_note_command(const struct dx_words *argv, const char *object)
{
	DX_CLEANUP_FREE char *text = command_text(argv);
	DX_CLEANUP_FREE char *path = NULL;
	DX_CLEANUP_FD int fd = -1;

	if (text == NULL || asprintf(&path, "%s.command", object) < 0) {
		path = NULL;
		return;
	}
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	if (fd < 0 || dx_file_write_fd(fd, text, strlen(text)) < 0) {
		(void)unlink(path); /* a part of a command is none */
	}
}
