/* SPDX-License-Identifier: MIT
 *
 * load - `dext load BUNDLE`: let the broker match a driver.
 *
 * Place:   tools.
 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "commands.h"
#include "connect.h"

static int run(struct dx_tool *tool, int argc, char **argv)
{
	struct dx_control broker = DX_CONTROL_INIT;
	DX_CLEANUP_FREE char *path = NULL;
	char identifier[256];
	int code = 0;
	int result = 0;

	if (dx_tool_options_only(tool, argc, argv, &code)) {
		return code;
	}
	if (argc - optind != 1) {
		return dx_tool_usage(tool, "one bundle is needed");
	}
	path = realpath(argv[optind], NULL);
	if (path == NULL) {
		return dx_tool_fail(tool, DX_TOOL_FAILED, "%s: %s", argv[optind], strerror(errno));
	}
	code = dx_connect(tool, &broker);
	if (code != DX_TOOL_OK) {
		return code;
	}
	result = dx_control_load(&broker, path, identifier, sizeof(identifier));
	if (result < 0) {
		code = dx_connect_failed(tool, &broker, result, "cannot load '%s'", argv[optind]);
	} else {
		(void)printf("%s\n", identifier);
		dx_connect_settle(tool, &broker);
	}
	dx_control_close(&broker);
	return code;
}

const struct dx_tool_command dx_load_command = {
	.name = "load",
	.arguments = "BUNDLE",
	.summary = "Load a driver bundle and print its identifier.",
	.help = "BUNDLE is a directory 'Name.dext' with an Info.plist and a shared object.\n"
		"Devices that match one of its personalities get their driver at once;\n"
		"it runs when the command returns, or after 10 s is left starting.\n",
	.run = run,
};
