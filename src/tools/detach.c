/* SPDX-License-Identifier: MIT
 *
 * detach - `dext detach ID`: unplug a device.
 *
 * Place:   tools.
 */
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "base/value.h"
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

/* The id of the device that was attached by this spec. -ENODEV: none; -EEXIST: several. */
static int find_spec(struct dx_control *broker, const char *spec, uint64_t *ret_id)
{
	struct dx_dict *status = NULL;
	const struct dx_array *devices = NULL;
	int result = dx_control_copy_status(broker, &status);
	unsigned nr_found = 0;

	if (result < 0) {
		return result;
	}
	devices = dx_dict_get_array(status, "devices");
	for (size_t i = 0; devices != NULL && i < dx_array_count(devices); i++) {
		const void *device = dx_array_get(devices, i);

		if (dx_object_is_kind(device, &dx_dict_class) &&
		    strcmp(dx_dict_get_string(device, "spec", ""), spec) == 0) {
			*ret_id = dx_dict_get_u64(device, "id", 0);
			nr_found++;
		}
	}
	dx_object_unref(status);
	return nr_found == 1 ? 0 : nr_found == 0 ? -ENODEV : -EEXIST;
}

static int detach(const struct dx_tool *tool, struct dx_control *broker, const char *device)
{
	uint64_t id = 0;
	int result = parse_id(device, &id) == 0 ? 0 : find_spec(broker, device, &id);

	if (result == -ENODEV || result == -EEXIST) {
		return dx_tool_fail(tool, DX_TOOL_FAILED, "'%s': %s", device,
				    result == -ENODEV ? "no device is attached by this spec"
						      : "several devices are; give the id");
	}
	if (result == 0) {
		result = dx_control_detach(broker, id);
	}
	return result < 0 ? dx_connect_failed(tool, broker, result, "cannot detach '%s'", device)
			  : DX_TOOL_OK;
}

static int run(struct dx_tool *tool, int argc, char **argv)
{
	struct dx_control broker = DX_CONTROL_INIT;
	int code = 0;

	if (dx_tool_options_only(tool, argc, argv, &code)) {
		return code;
	}
	if (argc - optind != 1) {
		return dx_tool_usage(tool, "one device id or spec is needed");
	}
	if (parse_id(argv[optind], &(uint64_t){0}) < 0 && strchr(argv[optind], ':') == NULL &&
	    strchr(argv[optind], '.') == NULL) {
		return dx_tool_usage(tool, "'%s' is no device id and no spec", argv[optind]);
	}
	code = dx_connect(tool, &broker);
	if (code != DX_TOOL_OK) {
		return code;
	}
	code = detach(tool, &broker, argv[optind]);
	dx_control_close(&broker);
	return code;
}

const struct dx_tool_command dx_detach_command = {
	.name = "detach",
	.arguments = "ID|SPEC",
	.summary = "Detach a device: its drivers see it unplugged.",
	.help = "ID is what 'dext attach' printed and 'dext list' shows; SPEC what was attached.\n"
		"A device that is still being attached, or that is tried again, is given up.\n",
	.run = run,
};
