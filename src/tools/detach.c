/* SPDX-License-Identifier: MIT
 *
 * detach - `dext detach ID`: unplug a device.
 *
 * Place:   tools.
 */
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>

#include "commands.h"
#include "connect.h"

static int parse_id(const char *text, uint64_t *ret_id)
{
	char *end = NULL;

	if (text[0] < '0' || text[0] > '9') {
		return -EINVAL;
	}
	errno = 0;
	*ret_id = strtoull(text, &end, 0);
	return errno != 0 || *end != '\0' ? -EINVAL : 0;
}

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
		return dx_tool_usage(tool, "one device id is needed");
	}
	if (parse_id(argv[optind], &id) < 0) {
		return dx_tool_usage(tool, "'%s' is no device id", argv[optind]);
	}
	code = dx_connect(tool, &broker);
	if (code != DX_TOOL_OK) {
		return code;
	}
	result = dx_control_detach(&broker, id);
	if (result < 0) {
		code = dx_connect_failed(tool, &broker, result, "cannot detach '%s'", argv[optind]);
	}
	dx_control_close(&broker);
	return code;
}

const struct dx_tool_command dx_detach_command = {
	.name = "detach",
	.arguments = "ID",
	.summary = "Detach a device: its drivers see it unplugged.",
	.help = "ID is what 'dext attach' printed and 'dext list' shows.\n",
	.run = run,
};
