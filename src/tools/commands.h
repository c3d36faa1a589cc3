/* SPDX-License-Identifier: MIT
 *
 * commands - the sub-commands of dext, each defined in the file of its name.
 *
 * Place:   tools.
 */
#ifndef DX_TOOLS_COMMANDS_H
#define DX_TOOLS_COMMANDS_H

#include "tool.h"

extern const struct dx_tool_command dx_attach_command, dx_build_command, dx_demo_command, dx_detach_command,
	dx_device_command, dx_explain_command, dx_export_command,
	dx_help_command, dx_list_command, dx_load_command, dx_run_command, dx_tree_command,
	dx_unload_command, dx_version_command;

#endif
