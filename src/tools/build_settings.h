/* SPDX-License-Identifier: MIT
 *
 * build_settings - build settings that an Xcode project keeps in files of their own, NAME.xcconfig.
 *
 * Place:   tools; `dext build`.
 * Format:  lines NAME = VALUE; // comments; #include "FILE" and #include? "FILE", from the file's
 *          directory. A NAME may have conditions, NAME[sdk=driverkit*], of which only this one
 *          counts.
 */
#ifndef DX_TOOLS_BUILD_SETTINGS_H
#define DX_TOOLS_BUILD_SETTINGS_H

#include "build_variables.h"

/* Sets one; $(inherited) in it is what was set before. Other conditions: does nothing. */
void dx_settings_add(struct dx_variables *variables, const char *key, const char *value);
/* All of a file, as far as it is there and can be read. Without memory *variables has failed. */
void dx_settings_add_file(struct dx_variables *variables, const char *path);
/* What values name and nobody sets is empty: Xcode says nothing of it either. */
void dx_settings_complete(struct dx_variables *variables);

#endif
