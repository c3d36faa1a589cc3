/* SPDX-License-Identifier: MIT
 *
 * attach - `dext attach SPEC`: plug a device in.
 *
 * Place:   tools.
 */
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>

#include "commands.h"
#include "connect.h"

static int run(struct dx_tool *tool, int argc, char **argv)
{
	struct dx_control broker = DX_CONTROL_INIT;
	uint64_t id = 0;
	int code = 0;
	int result = 0;

	if (dx_tool_options_only(tool, argc, argv, &code)) {
		return code;
	}
	if (argc - optind != 1) {
		return dx_tool_usage(tool, "one device spec is needed");
	}
	code = dx_connect(tool, &broker);
	if (code != DX_TOOL_OK) {
		return code;
	}
	result = dx_control_attach(&broker, argv[optind], &id);
	if (result < 0) {
		code = dx_connect_failed(tool, &broker, result, "cannot attach '%s'", argv[optind]);
	} else {
		(void)printf("%" PRIu64 "\n", id);
		dx_connect_settle(tool, &broker);
	}
	dx_control_close(&broker);
	return code;
}

const struct dx_tool_command dx_attach_command = {
	.name = "attach",
	.arguments = "SPEC",
	.summary = "Attach a device to the broker and print its id.",
	.help = "SPEC names the device, for instance 'virtual:gadget-zero,speed=super'. Drivers\n"
		"that match it run when the command returns, or after 10 s are left starting.\n",
	.run = run,
};
