/* SPDX-License-Identifier: MIT
 *
 * unload - `dext unload ID`: stop a driver and forget its bundle.
 *
 * Place:   tools.
 */
#include <getopt.h>

#include "commands.h"
#include "connect.h"

static int run(struct dx_tool *tool, int argc, char **argv)
{
	struct dx_control broker = DX_CONTROL_INIT;
	int code = 0;
	int result = 0;

	if (dx_tool_options_only(tool, argc, argv, &code)) {
		return code;
	}
	if (argc - optind != 1) {
		return dx_tool_usage(tool, "one bundle identifier is needed");
	}
	code = dx_connect(tool, &broker);
	if (code != DX_TOOL_OK) {
		return code;
	}
	result = dx_control_unload(&broker, argv[optind]);
	if (result < 0) {
		code = dx_connect_failed(tool, &broker, result, "cannot unload '%s'", argv[optind]);
	}
	dx_control_close(&broker);
	return code;
}

const struct dx_tool_command dx_unload_command = {
	.name = "unload",
	.arguments = "IDENTIFIER",
	.summary = "Terminate the services of a bundle and unload it.",
	.help = "IDENTIFIER is the CFBundleIdentifier that 'dext load' printed.\n",
	.run = run,
};
