/* SPDX-License-Identifier: MIT
 *
 * build_kit - what drivers and clients are built with: headers, libraries, iig, compilers.
 *
 * Place:   tools; `dext build`. In a build tree the file "dext-build-tree" beside the program says
 *          where headers and libraries are, as lines "include PATH" and "library PATH"; after
 *          installation they are where the configuration put them, relative to the program first.
 */
#ifndef DX_TOOLS_BUILD_KIT_H
#define DX_TOOLS_BUILD_KIT_H

#include "tool.h"
#include "words.h"

struct dx_kit {
	struct dx_words includes;  /* directories of headers */
	struct dx_words libraries; /* directories of shared objects */
	const char *cc;
	const char *cxx;
	bool is_clang;   /* cc is */
	bool has_blocks; /* clang, and the library that blocks need */
};

/* @return DX_TOOL_OK, or an exit code after one line on standard error. */
int dx_kit_find(const struct dx_tool *tool, struct dx_kit *ret_kit);
/* Options that every compilation begins with: C or C++. */
void dx_kit_add_compiler(const struct dx_kit *kit, bool cplusplus, struct dx_words *argv);
/* -isystem for the headers. additions: with those to the C library that clients and C++ drivers
 * expect. */
void dx_kit_add_includes(const struct dx_kit *kit, bool additions, struct dx_words *argv);
/* -L, and -rpath where the system's linker does not look; with sanitizer libraries on request. */
void dx_kit_add_library_paths(const struct dx_kit *kit, bool sanitizers, struct dx_words *argv);
/* Whether lib<name>.so is there. */
bool dx_kit_has_library(const struct dx_kit *kit, const char *name);
void dx_kit_fini(struct dx_kit *kit);

#endif
