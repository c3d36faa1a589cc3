/* SPDX-License-Identifier: MIT
 *
 * build_info - the Info.plist of a bundle that is being built.
 *
 * Place:   tools; `dext build`. Reads, expands, checks; an error names file, line and key.
 */
#ifndef DX_TOOLS_BUILD_INFO_H
#define DX_TOOLS_BUILD_INFO_H

#include "base/value.h"
#include "build_variables.h"
#include "tool.h"

struct dx_build_info {
	const char *path;
	char *text; /* XML, expanded */
	struct dx_dict *dict;
};

/*
 * @param path  the property list, XML or binary; borrowed.
 * @return DX_TOOL_OK, or an exit code after one line on standard error.
 */
int dx_build_info_read(const struct dx_tool *tool, const char *path,
		       const struct dx_variables *variables, struct dx_build_info *ret_info);
/* The file name of the driver's code. @param fallback  when the list names none. */
int dx_build_info_executable(const struct dx_tool *tool, const struct dx_build_info *info,
			     const char *fallback, const char **ret_name);
/* Whether the shared object knows each class that the list names as IOUserClass. */
int dx_build_info_check_classes(const struct dx_tool *tool, const struct dx_build_info *info,
				const char *shared_object);
void dx_build_info_fini(struct dx_build_info *info);

#endif
