/* SPDX-License-Identifier: MIT
 *
 * dext - the command-line program: runs drivers, shows what a broker knows, changes it.
 *
 * Place:   tools. Finds the sub-command; everything else is in the file of its name.
 */
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "commands.h"
#include "tool.h"

const struct dx_tool_command *const dx_tool_commands[] = {
	&dx_run_command,
	&dx_build_command,
	&dx_demo_command,
	&dx_device_command,
	&dx_export_command,
	&dx_list_command,
	&dx_tree_command,
	&dx_explain_command,
	&dx_attach_command,
	&dx_detach_command,
	&dx_load_command,
	&dx_unload_command,
	&dx_help_command,
	&dx_version_command,
	NULL,
};

const struct dx_tool_command *dx_tool_command_find(const char *name)
{
	for (size_t i = 0; dx_tool_commands[i] != NULL; i++) {
		if (strcmp(dx_tool_commands[i]->name, name) == 0) {
			return dx_tool_commands[i];
		}
	}
	return NULL;
}

/* Options before the sub-command. @return true when they end the program with *ret_code. */
static bool take_global_options(struct dx_tool *tool, int argc, char **argv, int *ret_code)
{
	static const struct option names[] = {
		DX_TOOL_LONG, {"version", no_argument, NULL, 'V'}, {NULL, 0, NULL, 0}};

	for (;;) {
		int option = getopt_long(argc, argv, "+:" DX_TOOL_SHORT "V", names, NULL);

		switch (option) {
		case -1:
			return false;
		case 'h':
			*ret_code = dx_help_command.run(tool, 0, NULL);
			return true;
		case 'V':
			*ret_code = dx_version_command.run(tool, 0, NULL);
			return true;
		default:
			if (dx_tool_option(tool, option, argv, ret_code)) {
				return true;
			}
		}
	}
}

/* Standard output that could not be written is a failure, not a success (full disk, T1). */
static int finish(const struct dx_tool *tool, int code)
{
	if (fflush(stdout) != 0 || ferror(stdout)) {
		return dx_tool_fail(tool, code == 0 ? DX_TOOL_FAILED : code,
				    "cannot write standard output");
	}
	return code;
}

int main(int argc, char **argv)
{
	struct dx_tool tool = {.verbosity = 1};
	const struct dx_tool_command *command = NULL;
	int code = 0;

	dx_log_set_program("dext");
	(void)signal(SIGPIPE, SIG_IGN); /* a reader that leaves is reported by finish() */
	opterr = 0;
	if (take_global_options(&tool, argc, argv, &code)) {
		return finish(&tool, code);
	}
	if (optind == argc) {
		return dx_tool_usage(&tool, "no command given");
	}
	command = dx_tool_command_find(argv[optind]);
	if (command == NULL) {
		return dx_tool_usage(&tool, "'%s' is no command", argv[optind]);
	}
	tool.command = command->name;
	argc -= optind;
	argv += optind;
	optind = 0; /* glibc: start over, with the new vector */
	code = command->run(&tool, argc, argv);
	return finish(&tool, code);
}
