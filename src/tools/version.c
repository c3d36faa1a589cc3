/* SPDX-License-Identifier: MIT
 *
 * version - `dext version`.
 *
 * Place:   tools.
 */
#include <getopt.h>
#include <stdio.h>

#include "commands.h"
#include "wire/wire.h"

static int run(struct dx_tool *tool, int argc, char **argv)
{
	int code = 0;

	if (argc > 0) {
		if (dx_tool_options_only(tool, argc, argv, &code)) {
			return code;
		}
		if (argc > optind) {
			return dx_tool_usage(tool, "unexpected '%s'", argv[optind]);
		}
	}
	(void)printf("dext (OpenDext) %s, protocol %u\n", DX_VERSION, DX_WIRE_VERSION);
	return DX_TOOL_OK;
}

const struct dx_tool_command dx_version_command = {
	.name = "version",
	.arguments = "",
	.summary = "Print the version of the program and of its protocol.",
	.help = "",
	.run = run,
};
