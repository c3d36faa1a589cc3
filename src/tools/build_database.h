/* SPDX-License-Identifier: MIT
 *
 * build_database - compile_commands.json of several builds in one directory.
 *
 * Place:   tools; `dext build`.
 * Format:  a list of objects, one per compilation. Those whose "output" is among this build's own
 *          files are replaced, all others stay, whoever wrote them.
 */
#ifndef DX_TOOLS_BUILD_DATABASE_H
#define DX_TOOLS_BUILD_DATABASE_H

#include <stddef.h>

/*
 * @param old     the present text, JSON; what is none is dropped.
 * @param prefix  what the outputs of this build begin with, "Name.build/", as JSON writes it.
 * @param fresh   objects with commas between them; "" for none.
 * @return 0 with malloc'd *ret_text; -ENOMEM.
 */
int dx_database_merge(const char *old, size_t length, const char *prefix, const char *fresh,
		      char **ret_text);

#endif
