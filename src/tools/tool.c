/* SPDX-License-Identifier: MIT
 *
 * tool - exit codes, options, one-line errors, own files. See tool.h.
 *
 * Where own files are: the same lists work in the build tree and after installation, because both
 * are relative to the running program first; the configured directories come last.
 */
#include "tool.h"

#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/check.h"

static void print_line(const struct dx_tool *tool, const char *format, va_list arguments,
		       const char *suffix)
{
	char text[1024];

	(void)vsnprintf(text, sizeof(text), format, arguments); /* cut is fine: one line */
	(void)fflush(stdout);
	if (tool->command == NULL) {
		(void)fprintf(stderr, "dext: %s%s\n", text, suffix);
	} else {
		(void)fprintf(stderr, "dext %s: %s%s\n", tool->command, text, suffix);
	}
}

int dx_tool_fail(const struct dx_tool *tool, int code, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	print_line(tool, format, arguments, "");
	va_end(arguments);
	return code;
}

int dx_tool_usage(const struct dx_tool *tool, const char *format, ...)
{
	char suffix[128];
	va_list arguments;

	(void)snprintf(suffix, sizeof(suffix), "; see 'dext %s%s--help'",
		       tool->command == NULL ? "" : tool->command,
		       tool->command == NULL ? "" : " ");
	va_start(arguments, format);
	print_line(tool, format, arguments, suffix);
	va_end(arguments);
	return DX_TOOL_USAGE;
}

void dx_tool_say(const struct dx_tool *tool, const char *format, ...)
{
	va_list arguments;

	if (tool->verbosity < 1) {
		return;
	}
	va_start(arguments, format);
	print_line(tool, format, arguments, "");
	va_end(arguments);
}

void dx_tool_say_verbose(const struct dx_tool *tool, const char *format, ...)
{
	va_list arguments;

	if (tool->verbosity < 2) {
		return;
	}
	va_start(arguments, format);
	print_line(tool, format, arguments, "");
	va_end(arguments);
}

int dx_tool_separator(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--") == 0) {
			return i;
		}
	}
	return -1;
}

int dx_tool_bad_option(const struct dx_tool *tool, char **argv, int result)
{
	const char *text = argv[optind - 1];

	if (result == ':') {
		return dx_tool_usage(tool, "option '%s' needs a value", text);
	}
	if (optopt != 0 && strncmp(text, "--", 2) != 0) {
		return dx_tool_usage(tool, "unknown option '-%c'", optopt);
	}
	return dx_tool_usage(tool, "unknown option '%s'", text);
}

int dx_tool_help(const struct dx_tool_command *command)
{
	(void)printf("usage: dext %s%s%s\n\n%s\n\n%s", command->name,
		     command->arguments[0] == '\0' ? "" : " ", command->arguments, command->summary,
		     command->help);
	(void)printf("\nCommon options:\n");
	if (!command->own_broker) {
		(void)printf(
			"  -s, --socket ADDRESS  socket of the broker (default: $OPENDEXT_SOCKET,\n"
			"                        $XDG_RUNTIME_DIR/opendext/broker,\n"
			"                        /run/opendext/broker)\n");
	}
	(void)printf("  -q, --quiet           errors only\n"
		     "  -v, --verbose         say what is done\n"
		     "  -h, --help            this text\n");
	return DX_TOOL_OK;
}

bool dx_tool_option(struct dx_tool *tool, int option, char **argv, int *ret_code)
{
	switch (option) {
	case 's':
		tool->socket = optarg;
		return false;
	case 'q':
		tool->verbosity = 0;
		return false;
	case 'v':
		tool->verbosity = 2;
		return false;
	case 'h':
		*ret_code = dx_tool_help(dx_tool_command_find(tool->command));
		return true;
	default:
		*ret_code = dx_tool_bad_option(tool, argv, option);
		return true;
	}
}

bool dx_tool_options_only(struct dx_tool *tool, int argc, char **argv, int *ret_code)
{
	static const struct option names[] = {DX_TOOL_LONG, {NULL, 0, NULL, 0}};

	for (;;) {
		int option = getopt_long(argc, argv, ":" DX_TOOL_SHORT, names, NULL);

		if (option == -1) {
			return false;
		}
		if (dx_tool_option(tool, option, argv, ret_code)) {
			return true;
		}
	}
}

int dx_tool_parse_size(const char *text, unsigned long long low, unsigned long long high,
		       unsigned long long *ret_value)
{
	static const struct {
		const char *suffix;
		unsigned shift;
	} suffixes[] = {{"", 0},     {"K", 10}, {"KiB", 10}, {"M", 20},
			{"MiB", 20}, {"G", 30}, {"GiB", 30}};
	unsigned long long value = 0;
	char *end = NULL;

	if (text[0] < '0' || text[0] > '9') {
		return -EINVAL;
	}
	errno = 0;
	value = strtoull(text, &end, 10);
	if (errno != 0) {
		return -ERANGE;
	}
	for (size_t i = 0; i < DX_ARRAY_SIZE(suffixes); i++) {
		if (strcasecmp(end, suffixes[i].suffix) != 0) {
			continue;
		}
		if (dx_mul_overflow(value, 1ull << suffixes[i].shift, &value) || value < low ||
		    value > high) {
			return -ERANGE;
		}
		*ret_value = value;
		return 0;
	}
	return -EINVAL;
}

int dx_tool_parse_duration(const char *text, unsigned *ret_ms)
{
	char *end = NULL;
	double value = 0;

	if ((text[0] < '0' || text[0] > '9') && text[0] != '.') {
		return -EINVAL;
	}
	value = strtod(text, &end);
	if (strcmp(end, "ms") == 0) {
		value /= 1000;
	} else if (end[0] != '\0' && strcmp(end, "s") != 0) {
		return -EINVAL;
	}
	if (!(value >= 0 && value <= 86400)) {
		return -ERANGE;
	}
	*ret_ms = (unsigned)(value * 1000);
	return 0;
}

int dx_tool_own_directory(char *buffer, size_t capacity)
{
	ssize_t length = readlink("/proc/self/exe", buffer, capacity - 1);
	char *slash = NULL;

	if (length < 0) {
		return -errno;
	}
	buffer[length] = '\0';
	slash = strrchr(buffer, '/');
	if (slash == NULL) {
		return -ENOENT;
	}
	*slash = '\0';
	return 0;
}

/* True, with the path made absolute and plain, when directory/name exists. */
static bool try_place(const char *directory, const char *name, char *buffer, size_t capacity)
{
	char path[1024];
	char *plain = NULL;
	bool found = false;

	(void)snprintf(path, sizeof(path), "%s/%s", directory, name); /* cut: not found */
	if (access(path, X_OK) < 0) {
		return false;
	}
	plain = realpath(path, NULL);
	found = plain != NULL && strlen(plain) < capacity;
	if (found) {
		(void)snprintf(buffer, capacity, "%s", plain);
	}
	free(plain);
	return found;
}

int dx_tool_find(const char *name, char *buffer, size_t capacity)
{
	/* Relative to this program: installed side by side; the build tree. */
	static const char *const beside[] = {"",
					     "/../daemon",
					     "/../iig",
					     "/../../examples/stream",
					     "/../" DX_LIB_NAME "/opendext",
					     "/../sbin",
					     "/../libexec/opendext",
					     "/../" DX_LIB_NAME "/opendext"};
	static const char *const installed[] = {DX_SBINDIR, DX_LIBEXECDIR, DX_DEXTDIR};
	char own[512];
	char directory[600];

	if (dx_tool_own_directory(own, sizeof(own)) == 0) {
		for (size_t i = 0; i < DX_ARRAY_SIZE(beside); i++) {
			(void)snprintf(directory, sizeof(directory), "%s%s", own, beside[i]);
			if (try_place(directory, name, buffer, capacity)) {
				return 0;
			}
		}
	}
	for (size_t i = 0; i < DX_ARRAY_SIZE(installed); i++) {
		if (try_place(installed[i], name, buffer, capacity)) {
			return 0;
		}
	}
	return -ENOENT;
}
