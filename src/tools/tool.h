/* SPDX-License-Identifier: MIT
 *
 * tool - what every sub-command of dext shares: exit codes, options, one-line errors, own files.
 *
 * Place:      tools. main.c finds the sub-command; each sub-command is one file with its help text.
 * Invariants:
 *   T1  an error is one line on standard error, "dext SUB: what: why", and one of the exit codes.
 *   T2  standard output carries only what was asked for.
 */
#ifndef DX_TOOLS_TOOL_H
#define DX_TOOLS_TOOL_H

#include <stdbool.h>
#include <stddef.h>

enum dx_tool_exit {
	DX_TOOL_OK = 0,
	DX_TOOL_FAILED = 1,
	DX_TOOL_USAGE = 2,
	DX_TOOL_NO_BROKER = 69,       /* nothing listens at the address */
	DX_TOOL_NOT_EXECUTABLE = 126, /* the application of `run` */
	DX_TOOL_NOT_FOUND = 127,      /* likewise */
	DX_TOOL_SIGNAL = 128,         /* + number of the signal that ended the application */
};

/* Options that are understood everywhere, before and after the name of the sub-command. */
struct dx_tool {
	const char *command; /* name of the sub-command */
	const char *socket;  /* --socket, NULL: the default address */
	unsigned verbosity;  /* 0 quiet, 1 normal, 2 verbose */
	bool json;
};

struct dx_tool_command {
	const char *name;
	const char *arguments; /* for the usage line */
	const char *summary;   /* one line for `dext help` */
	const char *help;      /* the rest of `dext NAME --help` */
	bool own_broker;       /* takes no --socket */
	int (*run)(struct dx_tool *tool, int argc, char **argv);
};

/* All sub-commands, ended by NULL; main.c owns the table. */
extern const struct dx_tool_command *const dx_tool_commands[];
const struct dx_tool_command *dx_tool_command_find(const char *name);

/* One line on standard error. @return code, so that a caller can `return dx_tool_fail(...)`. */
int dx_tool_fail(const struct dx_tool *tool, int code, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* Usage error: the line ends with where to find the help. @return DX_TOOL_USAGE. */
int dx_tool_usage(const struct dx_tool *tool, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/* A line on standard error unless --quiet was given. */
void dx_tool_say(const struct dx_tool *tool, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/* The same, only with --verbose. */
void dx_tool_say_verbose(const struct dx_tool *tool, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* What getopt_long() returned for an option that it did not accept. @return DX_TOOL_USAGE. */
int dx_tool_bad_option(const struct dx_tool *tool, char **argv, int result);
/* Writes "usage: dext NAME ARGUMENTS", the summary and the help to standard output. */
int dx_tool_help(const struct dx_tool_command *command);

/*
 * Letters and names of the common options, for getopt_long(). A sub-command passes what it does
 * not know to dx_tool_option().
 */
#define DX_TOOL_SHORT "s:qvh"
/* clang-format off */
#define DX_TOOL_LONG                                   \
	{"socket", required_argument, NULL, 's'},      \
	{"quiet", no_argument, NULL, 'q'},             \
	{"verbose", no_argument, NULL, 'v'},           \
	{"help", no_argument, NULL, 'h'}
/* clang-format on */

/*
 * Takes one common option. @return true when the sub-command must end with *ret_code (help, or
 * an unknown option); false to go on.
 */
bool dx_tool_option(struct dx_tool *tool, int option, char **argv, int *ret_code);
/* Where the first "--" is; -1: nowhere. What is behind it is no option, and may not be moved. */
int dx_tool_separator(int argc, char **argv);
/* Common options only; then argv[optind...] are the operands. Same result as dx_tool_option(). */
bool dx_tool_options_only(struct dx_tool *tool, int argc, char **argv, int *ret_code);

/*
 * "8", "256K", "256KiB", "100M", "1G" to bytes. @return 0, -EINVAL malformed, -ERANGE outside
 * [low, high].
 */
int dx_tool_parse_size(const char *text, unsigned long long low, unsigned long long high,
		       unsigned long long *ret_value);
/* "10", "2.5", "500ms", "10s" to milliseconds. */
int dx_tool_parse_duration(const char *text, unsigned *ret_ms);

/* The directory of the running program, without the last slash. @return 0, or a negative errno. */
int dx_tool_own_directory(char *buffer, size_t capacity);
/*
 * A file of ours: beside this program, in the build tree, or where it was installed.
 * name: "dextd", "dext-demo-app", "Stream.dext". @return 0 with an absolute path, or -ENOENT.
 */
int dx_tool_find(const char *name, char *buffer, size_t capacity);

#endif
