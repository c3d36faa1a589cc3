/* SPDX-License-Identifier: MIT
 *
 * build_sources - what is below a driver's directory: sources, property lists, headers.
 *
 * Place:      tools; `dext build`.
 * Invariants:
 *   S1  hidden directories, bundles, Xcode's own directories and directories that a build system
 *       made are not entered; symbolic links to directories neither.
 *   S2  every list is sorted, so that two runs do the same.
 */
#ifndef DX_TOOLS_BUILD_SOURCES_H
#define DX_TOOLS_BUILD_SOURCES_H

#include "words.h"

struct dx_sources {
	struct dx_words iig;
	struct dx_words cpp;   /* .cpp .cc .cxx */
	struct dx_words c;     /* .c */
	struct dx_words infos; /* Info.plist, Name-Info.plist */
	struct dx_words header_directories;
	struct dx_words unsupported; /* Objective-C, Swift */
	struct dx_words projects;    /* directories NAME.xcodeproj */
	struct dx_words templates;   /* NAME.h.in, Info.plist.in, without a NAME.h, Info.plist */
};

/*
 * @param directory  where to look; names in the lists begin with it.
 * @param skip       a directory that is not entered, as realpath() names it; may be NULL.
 * @return 0; -ENOTDIR, -EACCES and so on; -E2BIG over the limits of a source tree; -ENOMEM.
 */
int dx_sources_find(const char *directory, const char *skip, struct dx_sources *ret_sources);
/* Drops what is not below directory, but for projects and headers, which may be anywhere; those
 * below it come first. */
void dx_sources_narrow(struct dx_sources *sources, const char *directory);
/* The projects in a directory, not below it; none if it cannot be read. */
void dx_sources_add_projects(const char *directory, struct dx_words *projects);
void dx_sources_fini(struct dx_sources *sources);

#endif
