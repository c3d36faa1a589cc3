/* SPDX-License-Identifier: MIT
 *
 * help - `dext help [COMMAND]`.
 *
 * Place:   tools.
 */
#include <getopt.h>
#include <stdio.h>

#include "commands.h"

static int print_overview(void)
{
	(void)printf("usage: dext [OPTION]... COMMAND [ARGUMENT]...\n\n"
		     "Runs DriverKit drivers on Linux and shows what runs.\n\n"
		     "Commands:\n");
	for (size_t i = 0; dx_tool_commands[i] != NULL; i++) {
		(void)printf("  %-8s %s\n", dx_tool_commands[i]->name,
			     dx_tool_commands[i]->summary);
	}
	(void)printf(
		"\nOptions:\n"
		"  -s, --socket ADDRESS  socket of the broker\n"
		"  -q, --quiet           errors only\n"
		"  -v, --verbose         say what is done\n"
		"  -h, --help            this text; 'dext COMMAND --help' for one command\n"
		"  -V, --version         name and version\n"
		"\nExit status: 0 done; 1 failed; 2 wrong usage; 69 no broker at the address.\n"
		"'dext run' ends with the status of the application (128 + N after signal N;\n"
		"127 not found, 126 not executable).\n");
	return DX_TOOL_OK;
}

static int run(struct dx_tool *tool, int argc, char **argv)
{
	const struct dx_tool_command *command = NULL;
	int code = 0;

	if (argc == 0) {
		return print_overview();
	}
	if (dx_tool_options_only(tool, argc, argv, &code)) {
		return code;
	}
	if (argc - optind == 0) {
		return print_overview();
	}
	if (argc - optind > 1) {
		return dx_tool_usage(tool, "one command at most");
	}
	command = dx_tool_command_find(argv[optind]);
	if (command == NULL) {
		return dx_tool_usage(tool, "'%s' is no command", argv[optind]);
	}
	return dx_tool_help(command);
}

const struct dx_tool_command dx_help_command = {
	.name = "help",
	.arguments = "[COMMAND]",
	.summary = "Explain a command, or list all of them.",
	.help = "",
	.run = run,
};
