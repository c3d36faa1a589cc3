/* SPDX-License-Identifier: MIT
 *
 * build_project - what an Xcode project says of a driver: its sources and its build settings.
 *
 * Place:      tools; `dext build`. A directory often has more sources than the driver is made of.
 * Reads:      project.pbxproj: objects by identifier, of which these count
 *                 PBXProject -> targets -> PBXNativeTarget of a driver extension
 *                   -> buildPhases -> PBXSourcesBuildPhase -> files -> fileRef, a path
 *                   -> fileSystemSynchronizedGroups -> folders, less or more by exception sets
 *                   -> buildConfigurationList -> Release -> buildSettings
 *                 PBXGroup -> children: a path is below that of its groups.
 * Invariants:
 *   P1  a project that cannot be read, or has no such target, is as if it were not there.
 *   P2  everything that a project names is looked at as a text; a path that is not there is left
 *       out, and the search for one has an end, whatever contains what.
 */
#ifndef DX_TOOLS_BUILD_PROJECT_H
#define DX_TOOLS_BUILD_PROJECT_H

#include "base/value.h"
#include "build_variables.h"
#include "words.h"

struct dx_project {
	struct dx_dict *dict;
	const struct dx_dict *objects; /* of dict */
	const struct dx_dict *target;  /* of dict; a driver's */
	const char *target_id;         /* of dict */
	char *root;                    /* the directory with the project: $(SRCROOT) */
	struct dx_variables settings;  /* of the target and, below them, of the project */
};

/*
 * The driver whose property list this is; without one the only driver of the project.
 * @param path  of the directory NAME.xcodeproj.
 * @param info  property list; may be NULL.
 * @return 1 with *ret_project; 0 when there is none (P1); -ENOMEM.
 */
int dx_project_open(const char *path, const char *info, struct dx_project *ret_project);
/* The property list of the target, if it is there; malloc'd, or NULL. */
char *dx_project_info(const struct dx_project *project);
/* Files that are there. @return 0; -ENOMEM. */
int dx_project_sources(const struct dx_project *project, struct dx_words *paths);
/* The words of a setting that is a list, expanded; none when a variable is not set. */
void dx_project_words(const struct dx_project *project, const char *setting,
		      struct dx_words *words);
void dx_project_close(struct dx_project *project);

#endif
