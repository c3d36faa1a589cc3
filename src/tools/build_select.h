/* SPDX-License-Identifier: MIT
 *
 * build_select - of what a directory holds, the files that one driver is made of.
 *
 * Place:   tools; `dext build`. The property list decides which driver it is; an Xcode project that
 *          has this list says what belongs to it, else it is all that lies below the list.
 */
#ifndef DX_TOOLS_BUILD_SELECT_H
#define DX_TOOLS_BUILD_SELECT_H

#include "build.h"
#include "build_project.h"
#include "build_sources.h"

struct dx_selection {
	struct dx_sources sources;
	struct dx_project project;    /* root NULL: none */
	struct dx_words includes;     /* directories that the project names */
	struct dx_words definitions;  /* NAME, NAME=VALUE */
	char *info;                   /* the property list; NULL: there is a template of it */
	const char *cplusplus;        /* "gnu++20"; NULL: the usual one */
};

/*
 * @param directory  as given; names in the selection begin with it.
 * @param work       the directory of this build's own files, which is left out.
 * @return DX_TOOL_OK, or an exit code after one line on standard error.
 */
int dx_build_select(const struct dx_build *build, const char *directory, const char *work,
		    struct dx_selection *ret_selection);
void dx_selection_fini(struct dx_selection *selection);

#endif
